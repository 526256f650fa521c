"""From a burn to the track that rises from it: which of them are one launch, and what the burn adds.

In: where and when a track's launch may have been (points of `launch.estimate`), and the posteriors of burns
that nobody took over yet; out: the burn that it is, if any, and the points with what it tells.  Looks from
orbit and plots of a radar are independent evidence of one launch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.launch.ascent import TIME
from jointwatch.launch.drag_after import Drag, drags_seen
from jointwatch.launch.posterior import Posterior, places_of
from jointwatch.launch.profiles import LEFT_OUT_S

Floats = NDArray[np.float64]
GATE2 = 21.1
"""Squared distance (chi-square with three degrees of freedom) that one launch in 10,000 exceeds."""
MODEL_M = 500.0
"""What the stated boost model and the track's way back to the ground may be apart for one launch."""


class Known(Struct, frozen=True):
    """What a burn tells of its launch, as a Gaussian: latitude, longitude (rad) and time (ns) of the middle,
    covariance (3, 3) of east and north (m) and time (s), the classes' probabilities, and the drag of each
    after the burn (`drag_after`)."""

    latitude_rad: float
    longitude_rad: float
    time_ns: int
    covariance: Floats
    classes: dict[str, float]
    drags: dict[str, Drag]


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
        (off * weight) @ off.T + np.diag([MODEL_M**2, MODEL_M**2, LEFT_OUT_S**2]),
        posterior.classes(),
        drags_seen(posterior),
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


def weighed_in(
    known: Known, latitude: Floats, longitude: Floats, time_ns: int, seconds: Floats, azimuth: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Points of a launch (n,) each with what its burn tells: latitude, longitude, seconds and azimuth.

    Weights would leave a handful of the points, for a track tells little of how long its motor burned.  So
    each point is moved as a Kalman filter moves a state, by the burn's place and time with an error of its
    own (ensemble Kalman filter; Burgers, van Leeuwen & Evensen 1998), the azimuth with it as it goes with
    them.
    """
    off = offsets(known, latitude, longitude, time_ns, seconds)
    middle = math.atan2(float(np.sin(azimuth).mean()), float(np.cos(azimuth).mean()))
    turned = np.remainder(azimuth - middle + math.pi, 2.0 * math.pi) - math.pi
    state = np.column_stack([off, turned])
    both = np.cov(state.T)
    gain = both[:, :3] @ np.linalg.inv(both[:3, :3] + known.covariance)
    errors = _errors(len(off)) @ np.linalg.cholesky(known.covariance).T
    moved = state + (errors - off) @ gain.T
    return (
        known.latitude_rad + moved[:, 1] / MEAN_RADIUS_M,
        known.longitude_rad + moved[:, 0] / (MEAN_RADIUS_M * math.cos(known.latitude_rad)),
        moved[:, 2] + (known.time_ns - time_ns) * 1e-9,
        middle + moved[:, 3],
    )


@cache
def _errors(count: int) -> Floats:
    """Standard normal (count, 3) with mean nought and unit covariance."""
    drawn = np.random.default_rng(20260107).standard_normal((count, 3))
    drawn -= drawn.mean(axis=0)
    even: Floats = drawn @ np.linalg.inv(np.linalg.cholesky(np.cov(drawn.T))).T
    return even
