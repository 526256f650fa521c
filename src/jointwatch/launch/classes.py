"""The library of generic classes, from open literature and to an order of magnitude.

In: how far an object flies in all; out: a probability for each class.  What a class gives: how high its motor
burns out and how straight the path up to there is (for the launch area), and how near a fall is dangerous
(for the zones).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct


class GenericClass(Struct, frozen=True):
    """One class: its ground range (median, m, and log standard deviation), burn and danger.

    burn_s, burnout_height_m: when and where its motor ends, with relative standard deviation spread.
    straight: length of the ground path of its burn over that of a straight line down from its end along the
    velocity there (1 for a rocket off a rail; a missile rises steeply and turns over, so less), and
    straight_sigma.  danger_m: a fall nearer than this endangers people.
    """

    name: str
    range_m: float
    log_sigma: float
    burn_s: float
    burnout_height_m: float
    spread: float
    straight: float
    straight_sigma: float
    danger_m: float


LEAST_SEEN = 1e-3
"""A look at a burn is never so sure of a class that the range could not say otherwise."""
CLASSES = (
    GenericClass("artillery_rocket", 15e3, 0.40, 2.0, 300.0, 0.5, 0.95, 0.07, 100.0),
    GenericClass("heavy_rocket", 65e3, 0.40, 5.5, 1200.0, 0.5, 0.95, 0.07, 200.0),
    GenericClass("short_range", 270e3, 0.35, 45.0, 25e3, 0.4, 0.85, 0.07, 300.0),
    GenericClass("medium_range", 1200e3, 0.35, 90.0, 60e3, 0.25, 0.8, 0.07, 500.0),
)


TWO_STAGES = GenericClass("medium_range_two_stage", 2000e3, 0.35, 100.0, 110e3, 0.25, 0.8, 0.07, 500.0)
"""Only who saw the burn can tell it from a missile of one stage: its ranges are those of the longer half."""


def class_probabilities(
    ground_range_m: float, log_sigma: float, seen: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Probability of each class for an object whose whole ground range (m) is known to log_sigma.

    Gaussians in the logarithm of range, one a class, with equal priors; a range between two is shared.  seen:
    probabilities by the burn, where somebody saw it; they take the place of the priors.
    """
    possible = CLASSES if seen is None else (*CLASSES, TWO_STAGES)
    logs = []
    for c in possible:
        variance = c.log_sigma**2 + log_sigma**2
        off = math.log(max(ground_range_m, 1.0) / c.range_m)
        prior = 1.0 if seen is None else max(seen.get(c.name, 0.0), LEAST_SEEN)
        logs.append(math.log(prior) - 0.5 * off * off / variance - 0.5 * math.log(variance))
    top = max(logs)
    weights = [math.exp(v - top) for v in logs]
    total = sum(weights)
    return {c.name: w / total for c, w in zip(possible, weights, strict=True)}


def class_named(name: str) -> GenericClass:
    """The class of a name."""
    return next(c for c in (*CLASSES, TWO_STAGES) if c.name == name)
