"""Where and when an object was launched: back along its arc to burn-out, then back over a class's burn.

In: a ballistic state with covariance, its time and predicted fall, and which sensors stand behind it; out:
a class with probabilities and a `LaunchArea` (`launch.area`, `launch.origin`).  The burn itself was not
seen, so its height and how straight it was are the generic classes', each with its spread and share of
probability; the posture has no part in it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M, ecef2geodetic, enu_rotation, height_above_ellipsoid
from jointwatch.launch.area import launch_area
from jointwatch.launch.classes import GenericClass, class_named, class_probabilities
from jointwatch.launch.handover import SeenBurn, burn_of, weighed_in
from jointwatch.launch.origin import STATED, Places, origin_of
from jointwatch.motion.gaussian import cholesky
from jointwatch.motion.phases import BALLISTIC, N
from jointwatch.motion.propagate import propagate
from jointwatch.records import LaunchArea

SAMPLES = 96
NO_DRAG = -40.0
FASTEST_MS = 12e3
LONGEST_BURN_M = 1e6
"""No burn of a generic class goes farther over the ground."""


class LaunchEstimate(Struct, frozen=True):
    """A launch: the most probable class, all classes' probabilities, the area, and the burn it rose from."""

    object_class: str
    classes: dict[str, float]
    area: LaunchArea
    burn: str = ""


@njit(cache=True)
def back_to_height(s: NDArray[np.float64], height_m: float, longest_s: float) -> float:
    """Take state s (7,) back along its arc, in place, to where it rose through height_m; seconds gone back.

    The whole way back if it rose from higher than that; -1 if it is not there within longest_s, or if too
    great a drag parameter has it gain speed without bound on the way back.
    """
    back = 0.0
    while back < longest_s:
        if not s[3] * s[3] + s[4] * s[4] + s[5] * s[5] < FASTEST_MS * FASTEST_MS:
            return -1.0
        rising = s[0] * s[3] + s[1] * s[4] + s[2] * s[5] > 0.0
        height = height_above_ellipsoid(s[0], s[1], s[2])
        if rising and height <= height_m:
            return back
        step = 2.0
        if rising:
            r = math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
            climb = (s[0] * s[3] + s[1] * s[4] + s[2] * s[5]) / r
            step = min(2.0, max((height - height_m) / climb, 0.01))
        propagate(BALLISTIC, s, -step)
        back += step
    return -1.0


def _normals(count: int, dimensions: int) -> NDArray[np.float64]:
    return np.random.default_rng(20260105).standard_normal((count, dimensions))


_NORMALS = _normals(SAMPLES, 10)


def estimate_launch(
    track: str,
    state: NDArray[np.float64],
    covariance: NDArray[np.float64],
    time_ns: int,
    fall_latitude_rad: float,
    fall_longitude_rad: float,
    territories: Places,
    sensors: Collection[str],
    state_from: float = STATED,
    burns: Mapping[str, SeenBurn] | None = None,
) -> LaunchEstimate | None:
    """The launch of a ballistic state (7,) with covariance (7, 7); None where its arc comes from none.

    sensors: those that stand behind the state.  state_from: probability from which an origin is stated.
    burns: that it may have risen from, by number; the one it did is weighed in.
    """
    made = _points(state, covariance, fall_latitude_rad, fall_longitude_rad, None)
    if made is None:
        return None
    number = burn_of(
        {n: b.known for n, b in (burns or {}).items()}, made.latitude, made.longitude, time_ns, made.seconds
    )
    behind = frozenset(sensors)
    if burns and number is not None:
        burn = burns[number]
        again = _points(state, covariance, fall_latitude_rad, fall_longitude_rad, burn.known.classes)
        made = again or made
        at = weighed_in(burn.known, made.latitude, made.longitude, time_ns, made.seconds, made.azimuth)
        made = _Points(made.classes, *at)
        behind |= burn.sensors
    even = np.ones(len(made.latitude))
    origin = origin_of(made.latitude, made.longitude, even, territories, behind, state_from)
    area = launch_area(
        track, time_ns, made.latitude, made.longitude, made.seconds, made.azimuth, even, origin, len(behind)
    )
    if area is None:
        return None  # from anywhere is from nowhere
    best = max(made.classes, key=lambda name: made.classes[name])
    return LaunchEstimate(best, made.classes, area, number or "")


class _Points(Struct, frozen=True):
    """Where, when (s from the state's time) and in which direction a launch may have been, (n,) each."""

    classes: dict[str, float]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    seconds: NDArray[np.float64]
    azimuth: NDArray[np.float64]


def _points(
    state: NDArray[np.float64],
    covariance: NDArray[np.float64],
    fall_latitude_rad: float,
    fall_longitude_rad: float,
    seen: Mapping[str, float] | None,
) -> _Points | None:
    """Points of a launch, from samples of the state and of the class's burn; None where the arc comes from
    none.  seen: classes' probabilities by the burn, if it was seen."""
    s = state.copy()
    s[6] = NO_DRAG
    back = back_to_height(s, 0.0, 2000.0)
    if back < 0.0:
        return None
    latitude, longitude, _ = ecef2geodetic(s[0], s[1], s[2])
    ground_range = _distance(latitude, longitude, fall_latitude_rad, fall_longitude_rad)
    classes = class_probabilities(ground_range, 0.2, seen)
    low = np.zeros((N, N))
    if not cholesky(covariance, N, low):
        low = np.diag(np.sqrt(np.maximum(np.diag(covariance), 0.0)))
    places, times, azimuths = [], [], []
    for normal, generic in zip(_NORMALS, _shared_out(classes), strict=True):
        s = state + low @ normal[:7]
        # from where the track was picked up, if that was during the burn
        back = back_to_height(s, generic.burnout_height_m * math.exp(generic.spread * normal[7]), 2000.0)
        if back < 0.0:
            continue
        latitude, longitude, height = ecef2geodetic(s[0], s[1], s[2])
        # the burn lies in the plane of the velocity at its end; the Earth's turning puts the fall aside of it
        east, north, up = enu_rotation(latitude, longitude) @ s[3:6]
        bearing = math.atan2(east, north)
        straight = generic.straight * math.exp(generic.straight_sigma * normal[8])
        path = straight * max(height, 0.0) * math.hypot(east, north) / up
        if not path < LONGEST_BURN_M:  # it hardly climbs there: no burn ended so, and nothing tells whence
            continue
        latitude -= path * math.cos(bearing) / MEAN_RADIUS_M
        longitude -= path * math.sin(bearing) / (MEAN_RADIUS_M * math.cos(latitude))
        places.append((latitude, longitude))
        azimuths.append(bearing)
        # height grows with the square of time
        share = max(height, 0.0) / generic.burnout_height_m
        times.append(-back - generic.burn_s * math.sqrt(share) * math.exp(0.2 * normal[9]))
    if len(places) < SAMPLES // 2:
        return None
    at = np.array(places)
    return _Points(classes, at[:, 0], at[:, 1], np.array(times), np.array(azimuths))


def _shared_out(classes: dict[str, float]) -> list[GenericClass]:
    """A class for each sample: as many of each as its probability says."""
    names = list(classes)
    bounds = np.cumsum([classes[name] for name in names])
    index = np.searchsorted(bounds, (np.arange(SAMPLES) + 0.5) / SAMPLES)
    return [class_named(names[min(int(i), len(names) - 1)]) for i in index]


def _distance(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance, m (haversine)."""
    a = math.sin(0.5 * (lat2 - lat1)) ** 2
    a += math.cos(lat1) * math.cos(lat2) * math.sin(0.5 * (lon2 - lon1)) ** 2
    return 2.0 * MEAN_RADIUS_M * math.asin(math.sqrt(min(1.0, a)))
