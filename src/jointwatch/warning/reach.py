"""Which zones are given early notice: those about the way over the ground on which something may come down.

In: zones, and either the falls of an object that may still burn, one after the other, or the expected impact
of a burn that only satellites saw; out: the zones near them.  An early notice is wide on purpose: it says
that fire is under way, before it is known whom it will endanger.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.records import Impact, Zone
from jointwatch.warning.ground import box_distance2, box_of
from jointwatch.warning.spread import radius, stated

SHARE = 0.9
"""Zones within the region that holds this share of a burn's falls are given notice."""
VAGUEST_M = 250e3
"""A burn whose fall is vaguer than this (1-sigma, larger axis) gives notice to nobody yet: it would be to
half a continent, and the next look tells more."""


class Reach:
    """Zones by their middles, to be asked which of them lie where something may come down."""

    def __init__(self, zones: Sequence[Zone], margin_m: float) -> None:
        """margin_m: how far from where it may come down a zone is still near."""
        self._margin_m = margin_m
        self._latitude = np.radians([z.latitude_deg for z in zones])
        self._longitude = np.radians([z.longitude_deg for z in zones])
        self._box = box_of(self._latitude, self._longitude)

    def along(self, way: Sequence[tuple[float, float]], sigma_m: float) -> NDArray[np.int64]:
        """Zones (k,), rising, within three sigma and the margin of a way over places (rad), straight between
        one and the next."""
        near2 = (3.0 * sigma_m + self._margin_m) ** 2
        if len(way) == 1 and box_distance2(self._box, *way[0]) >= near2:
            return np.empty(0, dtype=np.int64)
        distance2 = np.full(len(self._latitude), np.inf)
        for a, b in zip(way, [*way[1:], way[-1]], strict=True):
            x, y = self._plane(a)
            dx = math.remainder(b[1] - a[1], 2.0 * math.pi) * MEAN_RADIUS_M * math.cos(a[0])
            dy = (b[0] - a[0]) * MEAN_RADIUS_M
            length2 = dx * dx + dy * dy
            t = np.clip((x * dx + y * dy) / length2, 0.0, 1.0) if length2 > 0.0 else 0.0
            distance2 = np.minimum(distance2, (x - t * dx) ** 2 + (y - t * dy) ** 2)
        return np.flatnonzero(distance2 < near2)

    def of_burn(self, impact: Impact) -> NDArray[np.int64]:
        """Zones (k,), rising, in the region, widened by the margin, that holds most of a burn's falls; none
        where it is too vague to tell anybody."""
        spread = stated(impact)
        major, _, _ = spread.ellipse(SHARE)
        if major > radius(SHARE) * VAGUEST_M:
            return np.empty(0, dtype=np.int64)
        margin = self._margin_m / radius(SHARE)
        wider = replace(spread, covariance_m2=spread.covariance_m2 + margin * margin * np.eye(2))
        offsets = np.column_stack(self._plane((impact.latitude_rad, impact.longitude_rad)))
        inside = np.linalg.norm(wider.standard(offsets), axis=1) <= radius(SHARE)
        return np.flatnonzero(inside)

    def _plane(self, place: tuple[float, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """East and north (m) of the zones' middles from a place (rad)."""
        east = np.remainder(self._longitude - place[1] + math.pi, 2.0 * math.pi) - math.pi
        return (
            east * MEAN_RADIUS_M * math.cos(place[0]),
            (self._latitude - place[0]) * MEAN_RADIUS_M,
        )
