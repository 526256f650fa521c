"""The library of generic classes, from open literature and to an order of magnitude.

In: how far an object flies in all; out: a probability for each class.  What a class gives: how far it flies,
and how near a fall is dangerous (for the zones); how it burns is in `launch.profiles`.
"""

from __future__ import annotations

import math

from msgspec import Struct


class GenericClass(Struct, frozen=True):
    """One class: its ground range (median, m, and log standard deviation) and danger.

    danger_m: a fall nearer than this endangers people.
    """

    name: str
    range_m: float
    log_sigma: float
    danger_m: float


CLASSES = (
    GenericClass("artillery_rocket", 15e3, 0.40, 100.0),
    GenericClass("heavy_rocket", 65e3, 0.40, 200.0),
    GenericClass("short_range", 270e3, 0.35, 300.0),
    GenericClass("medium_range", 1200e3, 0.35, 500.0),
)


TWO_STAGES = GenericClass("medium_range_two_stage", 2000e3, 0.35, 500.0)
"""Only who saw the burn can tell it from a missile of one stage: its ranges are those of the longer half."""


def class_probabilities(ground_range_m: float, log_sigma: float) -> dict[str, float]:
    """Probability of each class for an object whose whole ground range (m) is known to log_sigma.

    Gaussians in the logarithm of range, one a class, with equal priors; a range between two is shared.
    """
    logs = []
    for c in CLASSES:
        variance = c.log_sigma**2 + log_sigma**2
        off = math.log(max(ground_range_m, 1.0) / c.range_m)
        logs.append(-0.5 * off * off / variance - 0.5 * math.log(variance))
    top = max(logs)
    weights = [math.exp(v - top) for v in logs]
    total = sum(weights)
    return {c.name: w / total for c, w in zip(CLASSES, weights, strict=True)}


def class_named(name: str) -> GenericClass:
    """The class of a name."""
    return next(c for c in (*CLASSES, TWO_STAGES) if c.name == name)
