"""Which warning zones a fall endangers.

In: zones (`warning.zone_files`), and falls as weighted points on the ground, degrees; out: for each
endangered zone the probability that the fall comes down within a danger radius of it.  Zones are places where
people are, not a tiling of the ground, so nearness is asked for, not containment: a fall on open ground
beside a village is a danger to it.  180 degrees east and west are the same place: what comes down there
endangers zones on both sides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from jointwatch.earth.frames import ECCENTRICITY2, SEMI_MAJOR_M
from jointwatch.records.warning import Zone

LEAST_DEGREE_M = 110e3
"""No degree of latitude is shorter."""


class _Flat(NamedTuple):
    """Zones as flat arrays: longitude and latitude (deg) of all vertices, where each ring of them and each
    zone of rings begins, each zone's bounds (west, south, east, north; deg) and circle (m)."""

    vertices: NDArray[np.float64]
    ring_start: NDArray[np.int64]
    zone_start: NDArray[np.int64]
    bounds: NDArray[np.float64]
    radius: NDArray[np.float64]


class ZoneIndex:
    """Zones as flat arrays, to be asked thousands of times which of them a fall endangers.

    zones: as given; every index that the methods return is into it.  No ring goes half round the Earth: a
    zone across 180 degrees is one of two parts (`warning.zone_files`).
    """

    def __init__(self, zones: Sequence[Zone]) -> None:
        self.zones = tuple(zones)
        self._flat = _flat(self.zones, eastward=False)
        self._around = _box_of(self._flat.bounds, self._flat.radius)
        if self._around[2] - self._around[0] > 180.0:
            # a country on both sides of 180 degrees does not go round the Earth
            other = _box_of(self._eastward.bounds, self._eastward.radius)
            self._around = min(self._around, other, key=lambda box: box[2] - box[0])

    @cached_property
    def _eastward(self) -> _Flat:
        """With longitudes from 0 to 360, for falls on the far side of the Earth from Greenwich."""
        return _flat(self.zones, eastward=True)

    def may_endanger(self, longitude_deg: float, latitude_deg: float, reach_m: float) -> bool:
        """Whether what comes down within reach_m (its danger included) of a place could endanger any zone.

        Most falls of a raid are far from all zones: of those nothing else has to be worked out.
        """
        if not self.zones:
            return False
        west, south, east, north = self._around
        far_y = reach_m / LEAST_DEGREE_M
        highest = abs(latitude_deg) + far_y
        if highest >= 85.0:
            return True
        far_x = far_y / math.cos(math.radians(highest))
        off = abs(math.remainder(longitude_deg - 0.5 * (west + east), 360.0))
        return off <= 0.5 * (east - west) + far_x and south - far_y <= latitude_deg <= north + far_y

    def danger(
        self,
        longitude_deg: ArrayLike,
        latitude_deg: ArrayLike,
        weights: ArrayLike,
        danger_radius_m: float,
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Zones endangered by a fall somewhere among weighted points, and each one's probability of danger.

        longitude_deg, latitude_deg, weights: (n,); the weights sum to 1 (a smaller sum carries through).  All
        within a quarter of the Earth of the first.
        Returns indices (k,), rising, of the zones with any danger, and the weight (k,) of the points within
        danger_radius_m of each, distance being taken on the ellipsoid to a few parts in a thousand.
        """
        x = np.ascontiguousarray(longitude_deg, dtype=np.float64)
        y = np.ascontiguousarray(latitude_deg, dtype=np.float64)
        w = np.ascontiguousarray(weights, dtype=np.float64)
        flat = self._flat
        if len(x) and abs(x[0]) > 90.0:
            # counted so that 180 degrees is a longitude like another
            x, flat = np.where(x < 0.0, x + 360.0, x), self._eastward
        probability = _danger(*flat, x, y, w, float(danger_radius_m))
        found = np.flatnonzero(probability)
        return found, probability[found]

    def struck(self, longitude_deg: float, latitude_deg: float, danger_radius_m: float) -> NDArray[np.int64]:
        """Indices (k,), rising, of the zones within danger_radius_m of one fall."""
        return self.danger([longitude_deg], [latitude_deg], [1.0], danger_radius_m)[0]


def _flat(zones: Sequence[Zone], eastward: bool) -> _Flat:
    """Zones as flat arrays; eastward: with longitudes from 0 to 360, by the middle of each ring."""
    lines: list[NDArray[np.float64]] = []
    ring_start, zone_start, bounds, radius = [0], [0], [], []
    for zone in zones:
        rings = zone.rings or (((zone.longitude_deg, zone.latitude_deg),),)
        for ring in rings:
            line = np.array(ring, dtype=np.float64)
            if eastward and line[:, 0].min() + line[:, 0].max() < 0.0:
                line[:, 0] += 360.0
            lines.append(line)
            ring_start.append(ring_start[-1] + len(ring))
        zone_start.append(len(lines))
        points = np.concatenate(lines[zone_start[-2] :])
        bounds.append([*points.min(axis=0), *points.max(axis=0)])
        radius.append(0.0 if zone.rings else zone.radius_m)
    return _Flat(
        np.concatenate(lines) if lines else np.empty((0, 2)),
        np.array(ring_start),
        np.array(zone_start),
        np.array(bounds).reshape(-1, 4),
        np.array(radius),
    )


def _box_of(bounds: NDArray[np.float64], radius: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """West, south, east and north (deg) of all zones with their circles."""
    if not len(bounds):
        return 0.0, 0.0, 0.0, 0.0
    pad_y = radius / LEAST_DEGREE_M
    highest = np.minimum(np.abs(bounds[:, [1, 3]]).max(axis=1) + pad_y, 89.0)
    pad_x = pad_y / np.cos(np.radians(highest))
    return (
        float((bounds[:, 0] - pad_x).min()), float((bounds[:, 1] - pad_y).min()),
        float((bounds[:, 2] + pad_x).max()), float((bounds[:, 3] + pad_y).max()),
    )  # fmt: skip


@njit(cache=True)
def _danger(
    vertices: NDArray[np.float64],
    ring_start: NDArray[np.int64],
    zone_start: NDArray[np.int64],
    bounds: NDArray[np.float64],
    radius: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    w: NDArray[np.float64],
    danger_m: float,
) -> NDArray[np.float64]:
    """(zones,) weight of the points within danger_m of each zone.

    Degrees become metres by the ellipsoid's radii of curvature at the point, not at the zone: the nearest
    part of a zone in danger is near the point, however large the zone, so there distance has to be right.
    """
    n = len(x)
    rad = math.pi / 180.0
    kx = np.empty(n)
    ky = np.empty(n)
    west, south, east, north = 1e9, 1e9, -1e9, -1e9
    for i in range(n):
        sin = math.sin(y[i] * rad)
        q = 1.0 - ECCENTRICITY2 * sin * sin
        kx[i] = max(rad * SEMI_MAJOR_M / math.sqrt(q) * math.cos(y[i] * rad), 1.0)
        ky[i] = rad * SEMI_MAJOR_M * (1.0 - ECCENTRICITY2) / (q * math.sqrt(q))
        west, east = min(west, x[i] - danger_m / kx[i]), max(east, x[i] + danger_m / kx[i])
        south, north = min(south, y[i] - danger_m / ky[i]), max(north, y[i] + danger_m / ky[i])
    result = np.zeros(len(radius))
    for k in range(len(radius)):
        # radius in degrees at the zone, a tenth to spare; zero for polygons
        pad_y = 1.1 * radius[k] / 110000.0
        pad_x = pad_y / max(math.cos(bounds[k, 1] * rad), 1e-3)
        if bounds[k, 0] - pad_x > east or bounds[k, 2] + pad_x < west:
            continue
        if bounds[k, 1] - pad_y > north or bounds[k, 3] + pad_y < south:
            continue
        reach = danger_m + radius[k]
        reach2 = reach * reach
        total = 0.0
        for i in range(n):
            # the box about the zone, in metres from the point
            x0, x1 = (bounds[k, 0] - x[i]) * kx[i], (bounds[k, 2] - x[i]) * kx[i]
            y0, y1 = (bounds[k, 1] - y[i]) * ky[i], (bounds[k, 3] - y[i]) * ky[i]
            if x0 > reach or x1 < -reach or y0 > reach or y1 < -reach:
                continue
            near = max(x0 * x0, x1 * x1) + max(y0 * y0, y1 * y1) <= reach2  # the whole box is
            ring = zone_start[k]
            while not near and ring < zone_start[k + 1]:
                near = _ring_within(
                    vertices, ring_start[ring], ring_start[ring + 1], x[i], y[i], kx[i], ky[i], reach2
                )
                ring += 1
            if near:
                total += w[i]
        result[k] = total
    return result


@njit(cache=True)
def _ring_within(
    vertices: NDArray[np.float64],
    start: int,
    stop: int,
    x: float,
    y: float,
    kx: float,
    ky: float,
    reach2: float,
) -> bool:
    """Whether a point lies in the ring, or its squared distance (m^2) to the ring is at most reach2."""
    ax, ay = (vertices[start, 0] - x) * kx, (vertices[start, 1] - y) * ky
    if ax * ax + ay * ay <= reach2:
        return True
    inside = False
    for i in range(start + 1, stop):
        bx, by = (vertices[i, 0] - x) * kx, (vertices[i, 1] - y) * ky
        dx, dy = bx - ax, by - ay
        # the nearest point of the edge a-b to the origin is a + t d
        dd = dx * dx + dy * dy
        t = -(ax * dx + ay * dy)
        cross = ax * dy - ay * dx
        if t >= dd:
            if bx * bx + by * by <= reach2:
                return True
        elif t > 0.0:
            if cross * cross <= reach2 * dd:
                return True
        if (ay > 0.0) != (by > 0.0) and (cross > 0.0) == (dy > 0.0):
            inside = not inside  # the edge crosses the ray from the origin to the east
        ax, ay = bx, by
    return inside
