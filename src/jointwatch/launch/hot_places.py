"""Where on the ground something shines again and again, as one satellite sees it, and how many false plots to
expect anywhere else.

In: the lines of sight of each look that no confirmed burn claims, and how bright they are; out: the density
of false plots (a look and steradian) at any line of sight, and of their intensities.  Two layers.  The
background is a coarse map of the ground, for fires and glints come where there are deserts, seas and
industry.  On it lie places: each line that nothing near explains begins one, and it is worth what it showed
since (a rate with a gamma prior, counts that are Poisson and slowly forgotten).  Each satellite learns its
own, for something high seen from two sides has two places on the ground.  What moves leaves a trail of
places; while these are fresh, they say nothing against it.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import SEMI_MAJOR_M, ecef2geodetic
from jointwatch.launch.false_glows import FalseGlows
from jointwatch.launch.wandering import Wanderers, ground_range_m
from jointwatch.records import Satellite
from jointwatch.sensing.infrared import across, geostationary_site, lowest_points, meets_height

Floats = NDArray[np.float64]
Place = tuple[float, float, float, float, int]
"""Angles from the middle of the disc (rad, 2), plots and looks as far as remembered, look it was last
seen."""
CELL_SIGMA = 2.5
"""Width of the cells that places are found by: a place's plots lie in its cell and those beside it."""
SAME_SIGMA = 3.5
"""A plot nearer than this to a place may be the place's."""
DOUBT_LOOKS = 4.0
"""Looks in vain that a new place is held to have behind it: seen once, it is expected in one look of five."""
MEMORY_LOOKS = 2000.0
FRESH_LOOKS = 10.0
"""A place that began so few looks ago may be a chain's own plots: whether these are of one thing that stays
or wanders is asked of all of them together (`wandering`)."""
FORGOTTEN, MOST_PLACES, PRUNE_LOOKS = 0.005, 20_000, 50
"""A place that shines in fewer looks than this is background; how many are kept; how often that is asked."""
COARSE_RAD = math.radians(5.0)
CLUMPED, FAITH_PLOTS = 4.0, 0.5
"""False plots are expected to come from a quarter of the disc; worth so many plots until a cell shows
more."""
LEAST_COS = 0.1
"""Of the angle at which the ground is seen, near the limb."""


class Expected(Struct, frozen=True):
    """What false plots are expected at lines of sight (m, 3), a look and steradian: the background's, that of
    known places, and that of places that are fresh (m,) each; where: angles of the places on the ground
    (m, 2), and their coarse cells (m,) by row and column; spread (m,): ground (m^2) that a steradian covers
    there."""

    background: Floats
    known: Floats
    fresh: Floats
    angles: Floats
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    spread: Floats

    @property
    def density(self) -> Floats:
        """Without fresh places (m,): what a chain's plots are held against."""
        return self.background + self.known

    def some(self, which: NDArray[np.int64] | list[int]) -> Expected:
        """Of some of the lines only."""
        return Expected(
            self.background[which], self.known[which], self.fresh[which], self.angles[which], self.row[which],
            self.column[which], self.spread[which],
        )  # fmt: skip


class HotPlaces:
    """What one satellite has learned of where false plots come from."""

    def __init__(self, satellite: Satellite) -> None:
        self._sigma = satellite.sigma_rad
        self._site = geostationary_site(satellite)
        axis = (-self._site / np.linalg.norm(self._site))[None]
        self._axes = np.concatenate(across(axis))
        self._places: dict[tuple[int, int], Place] = {}
        self._look = 0
        self._looks = 0.0  # as far as remembered
        rows = round(math.pi / COARSE_RAD)
        edges = np.sin(-0.5 * math.pi + COARSE_RAD * np.arange(rows + 1))
        self._area = SEMI_MAJOR_M**2 * COARSE_RAD * np.diff(edges)  # of a cell, by row
        self._counts = np.zeros((rows, 2 * rows))
        radius = SEMI_MAJOR_M
        seen = 2.0 * math.pi * radius**2 * (1.0 - radius / float(np.linalg.norm(self._site)))
        self.area_m2 = seen
        prior = CLUMPED * max(satellite.clutter_per_scan, 1e-3) / seen
        self._background_glows, self._known_glows = FalseGlows(), FalseGlows()
        self.wanderers = Wanderers()
        self._prior_looks = FAITH_PLOTS / (prior * self._area)

    def copy(self) -> HotPlaces:
        """The same, to go back to."""
        other = object.__new__(HotPlaces)
        other.__dict__.update(self.__dict__)
        other._places = self._places.copy()
        other._counts = self._counts.copy()
        return other

    def __len__(self) -> int:
        return len(self._places)

    @property
    def looks(self) -> int:
        """How many looks it has learned from."""
        return self._look

    def expected(self, site: Floats, along: Floats) -> Expected:
        """What false plots to expect at lines of sight (m, 3)."""
        ground = meets_height(site, along, 0.0)
        past = ~np.isfinite(ground[:, 0])
        if past.any():
            ground[past] = lowest_points(site, along[past])
        row, column = np.empty(len(along), np.int64), np.empty(len(along), np.int64)
        _coarse_cells(ground, *self._counts.shape, row, column)
        spread = ground_spread(ground, site, along)
        count = FAITH_PLOTS + self._counts[row, column]
        rate = count / ((self._prior_looks[row] + self._looks) * self._area[row])
        # as angles from the disc's middle, seen from where the satellite should stand
        way = ground - self._site
        angles = way @ self._axes.T / np.sqrt((way * way).sum(axis=1))[:, None]
        return Expected(rate * spread, *self._near(angles), angles, row, column, spread)

    def log_glow(self, mean: Floats, known: Floats) -> Floats:
        """Log-density of mean log intensities (W/sr) of false plots that belong together (m,), without the
        factor 1 / sqrt(2 pi), as in `looks.log_glow`.  known (m,): the share of them that known places are
        expected to give: a flare that burns for years is as bright as it is."""
        by_known = self._known_glows.log_density(mean) + np.log(np.maximum(known, 1e-9))
        background = self._background_glows.log_density(mean) + np.log(np.maximum(1.0 - known, 1e-9))
        return np.asarray(np.logaddexp(by_known, background))

    def learn(self, seen: Expected, log_glow: Floats, off_rad: Floats, passed_s: float) -> None:
        """Take in one look's lines of sight, with what was expected there (m,), log intensities (m,), and how
        far off the nearest one was in the look before (m,), passed_s seconds ago; those of confirmed burns
        left out."""
        share = seen.background / seen.density
        self._background_glows = self._background_glows.learn(log_glow, share)
        self._known_glows = self._known_glows.learn(log_glow, 1.0 - share)
        self.wanderers = self.wanderers.learn(
            off_rad, share, passed_s, ground_range_m(self._site), self._sigma
        )
        keep = 1.0 - 1.0 / MEMORY_LOOKS
        self._look += 1
        self._looks = self._looks * keep + 1.0
        self._counts *= keep
        np.add.at(self._counts, (seen.row, seen.column), seen.background / (seen.density + seen.fresh))
        for x, y in seen.angles.tolist():
            self._add(x, y)
        if self._look % PRUNE_LOOKS == 0 or len(self._places) > 2 * MOST_PLACES:
            self._prune()

    def _cell(self, x: float, y: float) -> tuple[int, int]:
        width = CELL_SIGMA * self._sigma
        return math.floor(x / width), math.floor(y / width)

    def _around(self, x: float, y: float) -> list[tuple[tuple[int, int], Place]]:
        """The places in the cell of these angles and those beside it."""
        i, j = self._cell(x, y)
        found = []
        for a in (i - 1, i, i + 1):
            for b in (j - 1, j, j + 1):
                place = self._places.get((a, b))
                if place is not None:
                    found.append(((a, b), place))
        return found

    def _now(self, place: Place) -> tuple[float, float]:
        """Plots and looks of a place as far as remembered now."""
        passed = self._look - place[4]
        left = math.exp(-passed / MEMORY_LOOKS)
        return place[2] * left, place[3] * left + MEMORY_LOOKS * (1.0 - left)

    def _near(self, angles: Floats) -> tuple[Floats, Floats]:
        """Expected plots a look and steradian of known places and of fresh ones, at angles (m, 2)."""
        known, fresh = np.zeros(len(angles)), np.zeros(len(angles))
        for k, (x, y) in enumerate(angles.tolist()):
            for _, place in self._around(x, y):
                count, looks = self._now(place)
                variance = self._sigma**2 * (1.0 + 1.0 / place[2])
                d2 = ((x - place[0]) ** 2 + (y - place[1]) ** 2) / variance
                rate = count / (looks + DOUBT_LOOKS)
                density = rate * math.exp(-0.5 * d2) / (2.0 * math.pi * variance)
                (fresh if looks <= FRESH_LOOKS else known)[k] += density
        return known, fresh

    def _add(self, x: float, y: float) -> None:
        """A plot at these angles: of the place most likely to give it, or of a new one.

        By distance alone, a hot place's own outliers would take its plots from it.
        """
        best, most = None, -math.inf
        for cell, place in self._around(x, y):
            count, looks = self._now(place)
            d2 = ((x - place[0]) ** 2 + (y - place[1]) ** 2) / self._sigma**2
            score = math.log(count / (looks + DOUBT_LOOKS)) - 0.5 * d2
            if d2 < SAME_SIGMA**2 and score > most:
                best, most = (cell, place), score
        if best is None:
            own = self._cell(x, y)
            if own not in self._places:
                self._places[own] = (x, y, 1.0, 1.0, self._look)
            return
        cell, place = best
        count, looks = self._now(place)
        gain = 1.0 / (count + 1.0)
        self._places[cell] = (
            place[0] + gain * (x - place[0]), place[1] + gain * (y - place[1]), count + 1.0, looks,
            self._look,
        )  # fmt: skip

    def _prune(self) -> None:
        """Forget what hardly ever shines, and, of too many places, those that shine least."""
        rates = {}
        for cell, place in self._places.items():
            count, looks = self._now(place)
            rate = count / (looks + DOUBT_LOOKS)
            if rate > FORGOTTEN:
                rates[cell] = rate
        if len(rates) > MOST_PLACES:
            rates = dict(sorted(rates.items(), key=lambda item: (-item[1], item[0]))[:MOST_PLACES])
        self._places = {cell: self._places[cell] for cell in sorted(rates)}


def ground_spread(ground: Floats, site: Floats, along: Floats) -> Floats:
    """Ground (m^2) that a steradian covers where lines (m, 3) from a site, or one each, meet it at points
    (m, 3), or all at one (1, 3)."""
    way2 = ((ground - site) ** 2).sum(axis=1)
    cosine = -(along * ground).sum(axis=1) / np.linalg.norm(ground, axis=1)
    return np.asarray(way2 / np.maximum(cosine, LEAST_COS))


@njit(cache=True)
def _coarse_cells(
    ground: Floats, rows: int, columns: int, row: NDArray[np.int64], column: NDArray[np.int64]
) -> None:
    """Fill in which coarse cell each point (m, 3) is in."""
    for k in range(len(ground)):
        latitude, longitude, _ = ecef2geodetic(ground[k, 0], ground[k, 1], ground[k, 2])
        row[k] = min(max(math.floor((latitude + 0.5 * math.pi) / COARSE_RAD), 0), rows - 1)
        column[k] = math.floor((longitude + math.pi) / COARSE_RAD) % columns
