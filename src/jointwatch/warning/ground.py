"""How high the ground is where something may come down.

In: zones, some of which know their height above sea level, and a place (rad); out: the ground's height over
the ellipsoid, in which falls are worked out.  Between zones it is their heights, the nearer the more; where
none is near it is the sea's level.  Ground 800 m up is met half a kilometre sooner by what falls steeply, and
a kilometre by what does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.earth.geoid import geoid_height
from jointwatch.records import Zone

NEAR_M = 15e3
"""Zones farther off say nothing of the ground at a place."""
SAME_M = 1e3
"""So near, one zone says as much as another."""


class Ground:
    """The ground about some zones."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        known = [z for z in zones if z.height_m is not None]
        self._latitude = np.radians([z.latitude_deg for z in known])
        self._longitude = np.radians([z.longitude_deg for z in known])
        self._height_m = np.array([z.height_m for z in known], dtype=np.float64)

    def height_m(self, latitude_rad: float, longitude_rad: float) -> float:
        """Height (m) of the ground over the ellipsoid at a place (rad)."""
        sea = geoid_height(latitude_rad, longitude_rad)
        if not len(self._height_m):
            return sea
        north = (self._latitude - latitude_rad) * MEAN_RADIUS_M
        east = (self._longitude - longitude_rad) * MEAN_RADIUS_M * math.cos(latitude_rad)
        away2 = north * north + east * east
        near = away2 < NEAR_M * NEAR_M
        if not near.any():
            return sea
        # a zone's word fades out with its distance, so that none makes a step where it comes near or goes
        fading = 1.0 - away2[near] / NEAR_M**2
        weight = fading / (away2[near] + SAME_M**2)
        share = min(1.0, 4.0 * float(fading.max()))
        return sea + share * float(weight @ self._height_m[near] / weight.sum())
