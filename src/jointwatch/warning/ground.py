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
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.earth.geoid import geoid_height
from jointwatch.records import Zone

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]
"""South, north, west and east, rad."""

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
        self._box = box_of(self._latitude, self._longitude)

    def height_m(self, latitude_rad: float, longitude_rad: float) -> float:
        """Height (m) of the ground over the ellipsoid at a place (rad)."""
        sea = geoid_height(latitude_rad, longitude_rad)
        if box_distance2(self._box, latitude_rad, longitude_rad) >= NEAR_M * NEAR_M:
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


def box_of(latitude_rad: Floats, longitude_rad: Floats) -> Box | None:
    """The box about places (n,), rad; None where there are none."""
    if not len(latitude_rad):
        return None
    return (
        float(latitude_rad.min()), float(latitude_rad.max()),
        float(longitude_rad.min()), float(longitude_rad.max()),
    )  # fmt: skip


def box_distance2(box: Box | None, latitude_rad: float, longitude_rad: float) -> float:
    """Squared distance (m^2) from a place (rad), in the plane about it, that nothing in a box is nearer than.

    Infinite where there is no box.
    """
    if box is None:
        return math.inf
    south, north, west, east = box
    up = max(south - latitude_rad, latitude_rad - north, 0.0)
    off = abs(math.remainder(longitude_rad - 0.5 * (west + east), 2.0 * math.pi))
    aside = max(off - 0.5 * (east - west) - 1e-12, 0.0) * math.cos(latitude_rad)
    return (up * up + aside * aside) * MEAN_RADIUS_M * MEAN_RADIUS_M
