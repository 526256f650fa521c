"""From a burn to the track that rises from it: which of them are one launch, and what the burn adds.

In: where and when a track's launch may have been (points of `launch.estimate`), and the posteriors of burns
that nobody took over yet; out: the burn that it is, if any, and weights for the points.  Looks from orbit and
plots of a radar are independent evidence of one launch, so the points are weighed by the burn's density.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.launch.ascent import TIME
from jointwatch.launch.posterior import Posterior, places_of

Floats = NDArray[np.float64]
GATE2 = 21.1
"""Squared distance (chi-square with three degrees of freedom) that one launch in 10,000 exceeds."""
MODEL_M, MODEL_S = 500.0, 1.0
"""What the stated boost model and the track's way back to the ground may be apart for one launch."""


class Known(Struct, frozen=True):
    """What a burn tells of its launch, as a Gaussian: latitude, longitude (rad) and time (ns) of the middle,
    covariance (3, 3) of east and north (m) and time (s), and the classes' probabilities."""

    latitude_rad: float
    longitude_rad: float
    time_ns: int
    covariance: Floats
    classes: dict[str, float]


class SeenBurn(Struct, frozen=True):
    """A burn that a track may have risen from: what it tells, and the satellites that saw it."""

    known: Known
    sensors: frozenset[str]


def known_by(posterior: Posterior) -> Known:
    """The Gaussian of a burn's posterior, over place and time of the launch."""
    latitude, longitude = places_of(posterior)
    weight = posterior.weight
    middle, meridian = float(weight @ latitude), float(weight @ longitude)
    seconds = posterior.values[:, TIME]
    time = float(weight @ seconds)
    off = np.stack(
        [
            (longitude - meridian) * math.cos(middle) * MEAN_RADIUS_M,
            (latitude - middle) * MEAN_RADIUS_M,
            seconds - time,
        ]
    )
    return Known(
        middle,
        meridian,
        posterior.epoch_ns + round(1e9 * time),
        (off * weight) @ off.T + np.diag([MODEL_M**2, MODEL_M**2, MODEL_S**2]),
        posterior.classes(),
    )


def offsets(known: Known, latitude: Floats, longitude: Floats, time_ns: int, seconds: Floats) -> Floats:
    """East, north (m) and time (s) of points (n,) from a burn's middle: (n, 3).  seconds: after time_ns."""
    east = np.remainder(longitude - known.longitude_rad + math.pi, 2.0 * math.pi) - math.pi
    return np.column_stack(
        [
            east * math.cos(known.latitude_rad) * MEAN_RADIUS_M,
            (latitude - known.latitude_rad) * MEAN_RADIUS_M,
            seconds + (time_ns - known.time_ns) * 1e-9,
        ]
    )


def burn_of(
    burns: Mapping[str, Known], latitude: Floats, longitude: Floats, time_ns: int, seconds: Floats
) -> str | None:
    """Number of the burn that points (n,) of a launch belong to: the likeliest within the gate, or None."""
    best, least = None, math.inf
    for number, known in sorted(burns.items()):
        off = offsets(known, latitude, longitude, time_ns, seconds)
        mean = off.mean(axis=0)
        both = known.covariance + np.cov(off.T)
        distance2 = float(mean @ np.linalg.solve(both, mean))
        cost = distance2 + float(np.linalg.slogdet(both)[1])
        if distance2 <= GATE2 and cost < least:
            best, least = number, cost
    return best


def weights(known: Known, latitude: Floats, longitude: Floats, time_ns: int, seconds: Floats) -> Floats:
    """Weights (n,) of points of a launch by a burn's density at each; they sum to 1."""
    off = offsets(known, latitude, longitude, time_ns, seconds)
    log_density = -0.5 * np.einsum("ij,ij->i", off @ np.linalg.inv(known.covariance), off)
    share: Floats = np.exp(log_density - log_density.max())
    share /= share.sum()
    return share
