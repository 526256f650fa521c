"""Announced launches: entered ahead with window, area and heading, matched, and marked so as not to alarm.

In: the announcement and what a track has done since it was first seen; out: whether the two agree.  A launch
that departs from what was announced (leaves the heading, or turns back) is no longer taken for it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M, ecef2geodetic, enu_rotation
from jointwatch.launch.area import azimuth_of
from jointwatch.launch.ascent import AZIMUTH, TIME
from jointwatch.launch.posterior import Posterior, places_of
from jointwatch.records import Announcement

SLACK_S = 60.0
BESIDE_M = 3e3
"""A launch so near to the area announced is in it: a pad is not where a circle ends."""
NEAR_M = 40e3
"""Within this of the launch area the heading does not show yet."""
COURSE_RAD = math.radians(45.0)
"""It flies within this of straight away from the launch place."""
STEEP_MS = 100.0
"""Moving over the ground more slowly, an object has no course to speak of; nor does it sink that sinks more
slowly, for the first looks tell its speed no better."""
LEAVES = 0.1
"""Two looks more may halve a chance and restore it: a departure is said only when it is likely."""
FIRST_SEEN_S = 240.0
"""A radar may first see a launch this long after it."""


def agrees(announced: Announcement, first_ns: int, state: NDArray[np.float64]) -> bool:
    """Whether a track first seen at first_ns, now at state (>= 6,), is where the launch announced should be.

    It was first seen within the window (and the time a radar may take), lies in the direction announced and
    flies on away from the launch place: what crosses its path or comes back over it is something else.  Near
    the place it climbs, and out of the area it moves away from it: what comes down there is an attack.
    """
    if not announced.from_ns - SLACK_S * 1e9 <= first_ns <= announced.to_ns + (SLACK_S + FIRST_SEEN_S) * 1e9:
        return False
    latitude, longitude, _ = ecef2geodetic(state[0], state[1], state[2])
    here, place = (latitude, longitude), (announced.latitude_rad, announced.longitude_rad)
    bearing, away = _bearing_distance(*place, *here)
    east, north, up = enu_rotation(latitude, longitude) @ state[3:6]
    back, _ = _bearing_distance(*here, *place)
    if away < announced.radius_m + NEAR_M:
        outward = -(east * math.sin(back) + north * math.cos(back))
        return up > -STEEP_MS and (away < announced.radius_m + BESIDE_M or outward > -STEEP_MS)
    off = math.remainder(bearing - announced.azimuth_rad, 2.0 * math.pi)
    # a long way down-range the Earth has turned a little beneath it
    if abs(off) > announced.tolerance_rad + 0.05 * away / 1e6:
        return False
    return (
        math.hypot(east, north) < STEEP_MS
        or abs(math.remainder(math.atan2(east, north) - back, 2.0 * math.pi)) > math.pi - COURSE_RAD
    )


def burn_agrees(announced: Announcement, posterior: Posterior, taken: bool = False) -> bool:
    """Whether a burn began where and when the launch announced was to, and goes where it was to.

    More likely than not, by the draws; one already taken for it stays so until that is less likely
    than `LEAVES`.  An azimuth that nothing tells of yet contradicts nothing.
    """
    least = LEAVES if taken else 0.5
    latitude, longitude = places_of(posterior)
    weight = posterior.weight
    away = np.array(
        [
            _bearing_distance(announced.latitude_rad, announced.longitude_rad, a, o)[1]
            for a, o in zip(latitude.tolist(), longitude.tolist(), strict=True)
        ]
    )
    seconds = posterior.values[:, TIME]
    early = (announced.from_ns - posterior.epoch_ns) * 1e-9 - SLACK_S
    late = (announced.to_ns - posterior.epoch_ns) * 1e-9 + SLACK_S
    here = (away < announced.radius_m + BESIDE_M) & (early <= seconds) & (seconds <= late)
    if float(weight[here].sum()) < least:
        return False
    azimuth, _ = azimuth_of(posterior.values[:, AZIMUTH], weight)
    if azimuth is None:
        return True
    off = (
        np.remainder(posterior.values[:, AZIMUTH] - announced.azimuth_rad + math.pi, 2.0 * math.pi) - math.pi
    )
    return float(weight[here & (np.abs(off) <= announced.tolerance_rad)].sum()) >= least


def _bearing_distance(lat1: float, lon1: float, lat2: float, lon2: float) -> tuple[float, float]:
    """Initial bearing (rad) and distance (m) of the great circle from point 1 to point 2 (rad)."""
    d = lon2 - lon1
    x = math.sin(d) * math.cos(lat2)
    y = math.cos(lat1) * math.sin(lat2) - math.sin(lat1) * math.cos(lat2) * math.cos(d)
    z = math.sin(lat1) * math.sin(lat2) + math.cos(lat1) * math.cos(lat2) * math.cos(d)
    return math.atan2(x, y), MEAN_RADIUS_M * math.atan2(math.hypot(x, y), z)
