"""What of a sector can be used: bad input is refused by name, and bounded, before anything is made of it.

In: a sector as it came; out: why it is refused as a whole, or its usable plots in the kernels' order, with
how many were not usable and how many were more than can be worked through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.records import Measure, Sector
from jointwatch.sensing.expectation import plots_of
from jointwatch.sensing.radar import COMPONENT, IN_RANGE, RANGE_MAX, RANGE_MIN
from jointwatch.sensing.shares import share_by_box

COLUMNS: tuple[Measure, ...] = ("range", "azimuth", "elevation", "range_rate")
AHEAD_NS = 10**9
"""A sector measured this much after it was received comes from a wrong clock: believed, it would make every
good sector after it look late."""
LATEST_NS = 2**61
"""No time is as far from 1970 as this (73 years): beyond, differences of times would not fit their type."""
REACH = 1.5
"""A plot farther than this many times its sensor's greatest range, or nearer than this part of its least,
is not one of its plots."""
NEAREST_M = 1.0
FASTEST_MS = 20e3
"""Nor is one that comes or goes faster than anything that could fall to Earth (m/s)."""
MOST_PLOTS, MOST_BEGINNING = 30_000, 3000
"""Plots of one sector that are looked through for those of tracks, and that may begin or continue chains: far
more than any radar's share of clutter and salvo."""
BOX_M, BOX_RAD = 1e3, math.radians(1.0)
"""Boxes of range, azimuth and elevation in which plots compete for a place when there are too many."""


class Plots(Struct, frozen=True):
    """Usable plots (m, PLOT), which of the sector's they are (m,), and how many are not among them."""

    values: NDArray[np.float64]
    which: NDArray[np.int64]
    unusable: int
    beyond: int
    repeated: int


def columns(sector: Sector) -> tuple[tuple[float, ...], ...]:
    """The columns of a sector's plots, in the order of `COLUMNS`."""
    return sector.range_m, sector.azimuth_rad, sector.elevation_rad, sector.range_rate_ms


def why_refused(sector: Sector, measured: Mapping[str, tuple[Measure, ...]]) -> str:
    """Why a sector cannot be used at all, or "" if it can: its sensor, times, wedge or columns.

    measured: what each declared sensor measures, by its name.
    """
    mine, time_ns = measured.get(sector.sensor), sector.header.measured_ns
    if mine is None:
        return "undeclared sensor"
    if not -LATEST_NS < time_ns < LATEST_NS:
        return "time out of bounds"
    if time_ns > sector.received_ns + AHEAD_NS:
        return "time in the future"
    # also of two finite edges, which may be so far apart that their difference is not
    if not math.isfinite(sector.azimuth_to_rad - sector.azimuth_from_rad):
        return "wedge not finite"
    named = list(zip(COLUMNS, columns(sector), strict=True))
    if len({len(column) for name, column in named if name in mine}) != 1:
        return "columns of unequal length"
    if any(column for name, column in named if name not in mine):
        return "a column that the sensor does not measure"
    return ""


def usable_plots(
    sector: Sector,
    sensor: NDArray[np.float64],
    of_tracks: Callable[[NDArray[np.float64]], NDArray[np.bool_]] | None = None,
) -> Plots:
    """The plots of a sector that its sensor (parameter row) could have given, at most MOST_PLOTS of them.

    What is not measured is nought.  of_tracks: which of plots (m, PLOT) a track may have given, asked where
    there are too many: those are kept before all others.
    """
    given = columns(sector)
    plots = np.zeros((max(len(c) for c in given), 4))
    for i, column in enumerate(given):
        if column:
            plots[:, i] = column
    # a comparison with NaN is false, so a plot that is not finite is not good
    good: NDArray[np.bool_] = (
        np.isfinite(plots[:, 1]) & (np.abs(plots[:, 2]) <= 0.5 * math.pi) & (np.abs(plots[:, 3]) < FASTEST_MS)
    )
    if int(sensor[COMPONENT]) == IN_RANGE:
        good &= plots[:, 0] > max(sensor[RANGE_MIN] / REACH, NEAREST_M)
        good &= plots[:, 0] < sensor[RANGE_MAX] * REACH
    which = np.flatnonzero(good)
    plots = plots[which]
    plots[:, 1] %= 2.0 * math.pi
    unusable = len(good) - len(which)
    # by range as the kernels want them, and so that a plot that comes twice, to the bit, comes side by side:
    # it is no second object
    order = np.lexsort(plots.T[::-1])
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (np.diff(plots[order], axis=0) != 0.0).any(axis=1)
    repeated = int((~fresh).sum())
    order = order[fresh]
    beyond = max(len(order) - MOST_PLOTS, 0)
    if beyond:
        order = order[_tracks_first(plots_of(plots[order]), of_tracks)]
    return Plots(plots_of(plots[order]), which[order], unusable, beyond, repeated)


def _tracks_first(
    plots: NDArray[np.float64], of_tracks: Callable[[NDArray[np.float64]], NDArray[np.bool_]] | None
) -> NDArray[np.int64]:
    """Which MOST_PLOTS of more plots (m, PLOT): those of tracks, then a fair share of the others."""
    wanted = np.zeros(len(plots), np.bool_) if of_tracks is None else of_tracks(plots)
    kept, others = np.flatnonzero(wanted), np.flatnonzero(~wanted)
    if len(kept) >= MOST_PLOTS:
        return kept if len(kept) == MOST_PLOTS else kept[fair_share(plots[kept], MOST_PLOTS)]
    places = MOST_PLOTS - len(kept)
    return np.sort(np.concatenate([kept, others[fair_share(plots[others], places)]]))


def fair_share(plots: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Which `most` of plots (m, >= 3), m > most, in the kernels' order: (most,) indices in order.

    By boxes of range, azimuth and elevation, of each its first plot before any second (`sensing.shares`).
    """
    box = np.floor(plots[:, :3] / (BOX_M, BOX_RAD, BOX_RAD))
    return share_by_box((box[:, 0] * 1e4 + box[:, 1]) * 1e4 + box[:, 2], most)
