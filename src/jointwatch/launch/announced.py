"""Announced launches: entered ahead with window, area and heading, matched, and marked so as not to alarm.

In: the announcement and what a track has done since it was first seen; out: whether the two agree.  A launch
that departs from what was announced (leaves the heading) is no longer taken for it.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic

RADIUS_M = 6371000.0
SLACK_S = 60.0
NEAR_M = 40e3
"""Within this of the launch area the heading does not show yet."""
FIRST_SEEN_S = 240.0
"""A radar may first see a launch this long after it."""


class Announcement(Struct, frozen=True, kw_only=True):
    """A launch made known ahead: time window, place (rad), radius (m), heading and tolerance (rad)."""

    name: str
    object_class: str
    from_ns: int
    to_ns: int
    latitude_rad: float
    longitude_rad: float
    radius_m: float
    azimuth_rad: float
    tolerance_rad: float


def agrees(announced: Announcement, first_ns: int, state: NDArray[np.float64]) -> bool:
    """Whether a track first seen at first_ns and now at state (>= 6,) is where the announced launch should be.

    It was first seen within the window (and the time a radar may take), and lies in the direction announced.
    """
    if not announced.from_ns - SLACK_S * 1e9 <= first_ns <= announced.to_ns + (SLACK_S + FIRST_SEEN_S) * 1e9:
        return False
    latitude, longitude, _ = ecef2geodetic(state[0], state[1], state[2])
    north = (latitude - announced.latitude_rad) * RADIUS_M
    east = math.remainder(longitude - announced.longitude_rad, 2.0 * math.pi)
    east *= RADIUS_M * math.cos(announced.latitude_rad)
    away = math.hypot(east, north)
    if away < announced.radius_m + NEAR_M:
        return True
    off = math.remainder(math.atan2(east, north) - announced.azimuth_rad, 2.0 * math.pi)
    # a long way down-range the great circle itself has turned a little
    return abs(off) <= announced.tolerance_rad + 0.05 * away / 1e6
