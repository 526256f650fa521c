"""Which zones are given early notice: those about the way over the ground on which something may come down.

In: zones, and either the falls of an object that may still burn, one after the other, or the expected impact
of a burn that only satellites saw; out: the zones of which any part is near them.  An early notice is wide on
purpose: it says that fire is under way, before it is known whom it will endanger.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from msgspec.structs import replace
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.kernel import leaf
from jointwatch.records import Impact, Zone
from jointwatch.warning.ground import box_distance2, box_of
from jointwatch.warning.spread import Spread, radius, stated

Floats = NDArray[np.float64]

SHARE = 0.9
"""Zones within the region that holds this share of a burn's falls are given notice."""
VAGUEST_M = 250e3
"""A burn whose fall is vaguer than this (1-sigma, larger axis) gives notice to nobody yet: it would be to
half a continent, and the next look tells more."""
CORNERS = 32
"""A circle counts as the polygon of so many corners about it, half a per cent wider."""
LEAST_STEP_M = 500.0
"""Of an outline, places closer together than this say nothing more of a burn's region."""


class Reach:
    """Zones with their outlines, to be asked which of them lie where something may come down."""

    def __init__(self, zones: Sequence[Zone], margin_m: float) -> None:
        """margin_m: how far from where it may come down a zone is still near."""
        self._margin_m = margin_m
        self._middles = np.radians([(z.latitude_deg, z.longitude_deg) for z in zones]).reshape(-1, 2)
        rings = [_rings_about(zone) for zone in zones]
        self._zone_start = np.cumsum([0, *map(len, rings)])
        flat = [ring for of_zone in rings for ring in of_zone]
        self._ring_start = np.cumsum([0, *map(len, flat)])
        self._outlines = np.concatenate(flat) if flat else np.empty((0, 2))
        self._half = np.array([np.abs(np.concatenate(of_zone)).max(axis=0) for of_zone in rings])
        self._half = self._half.reshape(-1, 2)
        corners = np.concatenate([self._middles - self._half, self._middles + self._half])
        self._box = box_of(corners[:, 0], corners[:, 1])

    def along(self, way: Sequence[tuple[float, float]], sigma_m: float) -> NDArray[np.int64]:
        """Zones (k,), rising, of which any part is within three sigma and the margin of a way over places
        (rad), straight between one and the next."""
        reach_m = 3.0 * sigma_m + self._margin_m
        if len(way) == 1 and box_distance2(self._box, *way[0]) >= reach_m * reach_m:
            return np.empty(0, dtype=np.int64)
        near = _near_way(
            np.array(way, dtype=np.float64),
            self._middles,
            self._half,
            self._outlines,
            self._ring_start,
            self._zone_start,
            float(reach_m),
        )
        return np.flatnonzero(near)

    def of_burn(self, impact: Impact) -> NDArray[np.int64]:
        """Zones (k,), rising, of which any part is in the region, widened by the margin, that holds most of a
        burn's falls; none where it is too vague to tell anybody."""
        spread = stated(impact)
        major, _, _ = spread.ellipse(SHARE)
        if major > radius(SHARE) * VAGUEST_M:
            return np.empty(0, dtype=np.int64)
        margin = self._margin_m / radius(SHARE)
        wider = replace(spread, covariance_m2=spread.covariance_m2 + margin * margin * np.eye(2))
        scale = MEAN_RADIUS_M * np.array([1.0, math.cos(impact.latitude_rad)])
        away = self._middles - [impact.latitude_rad, impact.longitude_rad]
        away[:, 1] = np.remainder(away[:, 1] + math.pi, 2.0 * math.pi) - math.pi
        middles = (away * scale)[:, ::-1]
        near = _within(wider, middles)
        # of the others only those are looked at closely that are not too far off whatever their outline
        angle = np.linspace(0.0, 2.0 * math.pi, 64)
        edge = wider.offsets(radius(SHARE) * np.column_stack([np.cos(angle), np.sin(angle)]))
        farthest = 1.01 * float(np.hypot(*edge.T).max()) + np.hypot(*(self._half * scale).T)
        for k in np.flatnonzero(~near & (np.hypot(*middles.T) <= farthest)).tolist():
            near[k] = any(
                _reaches(wider, middles[k] + (self._outlines[start:stop] * scale)[:, ::-1])
                for start, stop in self._parts(k)
            )
        return np.flatnonzero(near)

    def _parts(self, zone: int) -> list[tuple[int, int]]:
        """Where the outlines of one zone begin and end."""
        starts = self._ring_start[self._zone_start[zone] : self._zone_start[zone + 1] + 1].tolist()
        return list(pairwise(starts))


def _rings_about(zone: Zone) -> list[Floats]:
    """Outlines (n, 2) of a zone's parts, latitude and longitude (rad) from its middle."""
    if not zone.rings:
        angle = np.linspace(0.0, 2.0 * math.pi, CORNERS + 1)
        out = zone.radius_m / (MEAN_RADIUS_M * math.cos(math.pi / CORNERS))
        narrow = max(math.cos(math.radians(zone.latitude_deg)), 0.01)
        return [out * np.column_stack([np.cos(angle), np.sin(angle) / narrow])]
    rings = []
    for ring in zone.rings:
        about = np.radians(np.array(ring)[:, ::-1] - [zone.latitude_deg, zone.longitude_deg])
        # a part on the other side of 180 degrees lies beside the middle, not round the Earth
        across = 0.5 * float(about[:, 1].min() + about[:, 1].max())
        about[:, 1] += math.remainder(across, 2.0 * math.pi) - across
        rings.append(about)
    return rings


def _within(spread: Spread, offsets: Floats) -> NDArray[np.bool_]:
    """Which places (n, 2) east and north (m) are in the region that holds most of the falls."""
    inside: NDArray[np.bool_] = np.linalg.norm(spread.standard(offsets), axis=1) <= radius(SHARE)
    return inside


def _reaches(spread: Spread, ring: Floats) -> bool:
    """Whether any part of a ring (n, 2; m east and north) is in that region: of its outline, or all about."""
    _, minor, _ = spread.ellipse(SHARE)
    # steps so short that what lies between two of them is hardly farther in than they are
    outline = shapely.segmentize(shapely.linearrings(ring), max(0.25 * minor, LEAST_STEP_M))
    if _within(spread, shapely.get_coordinates(outline)).any():
        return True
    return bool(shapely.contains_xy(shapely.polygons(outline), 0.0, 0.0))


@njit(cache=True)
def _near_way(
    way: Floats,
    middles: Floats,
    half: Floats,
    outlines: Floats,
    ring_start: NDArray[np.int64],
    zone_start: NDArray[np.int64],
    reach_m: float,
) -> NDArray[np.bool_]:
    """(zones,) whether any part of a zone is within reach_m of a way (n, 2; latitude and longitude, rad).

    middles (zones, 2) and outlines about them (vertices, 2), in rad as well; half: how far the outlines go
    from each middle.  Each piece of the way is straight in the plane about where it begins.  A zone whose
    middle is near is near, and one farther off than its outline goes is not: of few is the outline looked at.
    """
    near = np.zeros(len(middles), dtype=np.bool_)
    reach2 = reach_m * reach_m
    for piece in range(len(way)):
        latitude, longitude = way[piece, 0], way[piece, 1]
        after = min(piece + 1, len(way) - 1)
        kx = MEAN_RADIUS_M * math.cos(latitude)
        turn = way[after, 1] - longitude
        turn -= 2.0 * math.pi * math.floor(turn / (2.0 * math.pi) + 0.5)
        bx, by = turn * kx, (way[after, 0] - latitude) * MEAN_RADIUS_M
        for k in range(len(middles)):
            if near[k]:
                continue
            y = (middles[k, 0] - latitude) * MEAN_RADIUS_M
            off = middles[k, 1] - longitude
            if abs(off) > math.pi:
                off -= 2.0 * math.pi * math.floor(off / (2.0 * math.pi) + 0.5)
            x = off * kx
            away2 = _from_line2(x, y, bx, by)
            if away2 < reach2:
                near[k] = True
                continue
            high, wide = half[k, 0] * MEAN_RADIUS_M, half[k, 1] * kx
            farthest = reach_m + math.sqrt(high * high + wide * wide)
            if away2 >= farthest * farthest:
                continue
            for ring in range(zone_start[k], zone_start[k + 1]):
                if _ring_near_line(
                    outlines, ring_start[ring], ring_start[ring + 1], x, y, kx, bx, by, reach2
                ):
                    near[k] = True
                    break
    return near


@leaf
def _from_line2(x: float, y: float, bx: float, by: float) -> float:
    """Squared distance of a place from the line between the origin and b; b may be the origin."""
    length2 = bx * bx + by * by
    t = 0.0
    if length2 > 0.0:
        t = min(max((x * bx + y * by) / length2, 0.0), 1.0)
    dx, dy = x - t * bx, y - t * by
    return dx * dx + dy * dy


@leaf
def _ring_near_line(
    outlines: Floats,
    start: int,
    stop: int,
    x: float,
    y: float,
    kx: float,
    bx: float,
    by: float,
    reach2: float,
) -> bool:
    """Whether a ring about (x, y) holds the origin, or comes nearer than the root of reach2 (m) to the line
    between the origin and b."""
    ax, ay = x + outlines[start, 1] * kx, y + outlines[start, 0] * MEAN_RADIUS_M
    inside = False
    for i in range(start + 1, stop):
        cx, cy = x + outlines[i, 1] * kx, y + outlines[i, 0] * MEAN_RADIUS_M
        dx, dy = cx - ax, cy - ay
        # two lines that do not cross are nearest to each other at an end of one
        if _from_line2(cx, cy, bx, by) < reach2 or _from_line2(-ax, -ay, dx, dy) < reach2:
            return True
        if _from_line2(bx - ax, by - ay, dx, dy) < reach2:
            return True
        one, other = bx * ay - by * ax, bx * cy - by * cx
        begin, end = ax * dy - ay * dx, (ax - bx) * dy - (ay - by) * dx
        if (one > 0.0) != (other > 0.0) and (begin > 0.0) != (end > 0.0):
            return True
        if (ay > 0.0) != (cy > 0.0) and (begin > 0.0) == (dy > 0.0):
            inside = not inside  # the edge crosses the ray from the origin to the east
        ax, ay = cx, cy
    return inside
