"""What an overloaded tracker leaves out of a look, and in which order: clutter before tracks, then in turn.

In: a limit that was decided where the clock is read (`node.load`), a look's plots and the table; out: which
plots may begin or continue chains, and which tracks wait for another look.  Tracks ask for all plots that may
be theirs, whatever the limit: their gates are found by a grid, so a flood costs them next to nothing.  What a
flood makes dear is chains of plots that are no track yet, and those are shed first.

A track that waits was not looked at: it is neither seen nor missed.  Its plots begin nothing, and to its
neighbours they are plots of something else, as likely as the waiting track would have given them: left out,
the neighbours would take them for their own.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.sensing.radar import PERIOD
from jointwatch.tracking.gating import gate
from jointwatch.tracking.intake import fair_share
from jointwatch.tracking.interaction import ASLEEP
from jointwatch.tracking.seeds import LOG_ODDS, Seeds

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
LONGEST_TURN, LONGEST_TURN_SPARED = 8, 4
"""No limit lets a track wait for more scans than this, and one that is to be spared than the other."""
CHAINS_PER_PLOT = 2
"""Chains kept of a scan for each plot of it that may continue them: the others would hardly be."""
NOBODY: Ints = np.zeros(0, np.int64)


class Limit(Struct, frozen=True):
    """How many plots of a look may begin or continue chains, and in how many scans tracks have their look.

    plots: None for all.  turn: of most tracks; turn_spared: of those that wait last.
    """

    plots: int | None = None
    turn: int = 1
    turn_spared: int = 1


NO_LIMIT = Limit()


class Held(Struct, frozen=True):
    """Rows (n,) that wait for another look; which plots (m,) may be theirs, how likely over clutter's."""

    rows: Ints
    near: Mask
    weight: Floats


def rows_held(
    table: NDArray[np.void], told: Ints, limit: Limit, spared: Ints, time_ns: int, period_ns: int
) -> Ints:
    """Those of the confirmed rows `told` (n,) that wait for another look, ascending.

    spared: numbers of the tracks that wait last.  Whose turn it is follows from its number and from the
    time in scans alone, so a replay finds the same.  Tracks that contest plots have their look together.
    """
    number = table["number"][told].astype(np.int64)
    last = np.isin(number, spared)
    cluster = table["cluster"][told]
    together = np.flatnonzero(cluster > 0)
    if len(together):
        size = int(cluster.max()) + 1
        first, any_last = np.full(size, np.iinfo(np.int64).max), np.zeros(size, np.bool_)
        np.minimum.at(first, cluster[together], number[together])
        np.logical_or.at(any_last, cluster[together], last[together])
        number[together], last[together] = first[cluster[together]], any_last[cluster[together]]
    of = np.where(last, limit.turn_spared, limit.turn)
    held: Ints = told[number % of != (time_ns // period_ns) % of]
    return held


def hold_back(
    table: NDArray[np.void],
    told: Ints,
    bank: Floats,
    sensor: Floats,
    detection: Floats,
    wedge: tuple[float, float],
    time_ns: int,
    plots: Floats,
    density: Floats,
    limit: Limit,
    spared: Ints,
) -> Held | None:
    """Which of the confirmed rows `told` wait for another look, None where none does.

    Arguments as in `confirmed.update_confirmed`; spared: numbers of the tracks that wait last.
    """
    if limit.turn <= 1 and limit.turn_spared <= 1:
        return None
    rows = rows_held(table, told, limit, spared, time_ns, round(float(sensor[PERIOD]) * 1e9))
    if len(rows) == 0:
        return None
    near, weight = _gated(table, rows, bank, sensor, detection, wedge, time_ns, plots, density)
    return Held(rows, near, weight)


LEAST_SHARE, MOST_CHAINS = 1e-9, 1e9
"""A wedge is taken for no less of a turn than this, and no more chains are kept than that."""


def worst_chains(
    table: NDArray[np.void], chains: Ints, seeds: Seeds, index: int, wedge: tuple[float, float], most: int
) -> Ints:
    """Tentative rows of sensor `index` to be freed; of its seeds the best stay.

    Where `most` plots of a look may continue them, more would be predicted for scans until they are given up,
    and a limit would be felt too late.  Chains of several plots stay before those of one.
    """
    share = (wedge[1] - wedge[0]) % (2.0 * math.pi) / (2.0 * math.pi) or 1.0
    # of a wedge as good as none a turn has more than any number
    kept = int(min(CHAINS_PER_PLOT * most / max(share, LEAST_SHARE), MOST_CHAINS))
    if seeds.count + len(chains) <= kept:
        return NOBODY
    own = chains[table["sensor"][chains] == index]
    best = own[np.argsort(-table["log_odds"][own], kind="stable")]
    kept_seeds = max(kept - len(own), 0)
    if seeds.count > kept_seeds:
        good = np.argsort(-seeds.sights[:, LOG_ODDS], kind="stable")[:kept_seeds]
        seeds.keep(np.sort(good))
    return np.sort(best[kept:])


def near_tracks(
    table: NDArray[np.void],
    told: Ints,
    bank: Floats,
    sensor: Floats,
    detection: Floats,
    wedge: tuple[float, float],
    time_ns: int,
    plots: Floats,
) -> Mask:
    """Which plots (m,) lie in the gate of one of the confirmed rows `told`."""
    return _gated(table, told, bank, sensor, detection, wedge, time_ns, plots, np.ones(len(plots)))[0]


def _gated(
    table: NDArray[np.void],
    rows: Ints,
    bank: Floats,
    sensor: Floats,
    detection: Floats,
    wedge: tuple[float, float],
    time_ns: int,
    plots: Floats,
    density: Floats,
) -> tuple[Mask, Floats]:
    """Which plots lie in the rows' gates, how likely each is theirs over clutter's; no row is changed."""
    gated = gate(
        table[rows], np.arange(len(rows)), bank, sensor, detection, *wedge, time_ns, plots, density, ASLEEP
    )
    near, weight = np.zeros(len(plots), np.bool_), np.zeros(len(plots))
    near[gated.plot] = True
    np.add.at(weight, gated.plot, gated.weight)
    return near, weight


def offered(plots: Floats, held: Held | None, most: int | None) -> Ints:
    """Which plots (m, PLOT) may begin or continue chains: at most `most`, of which no waiting track may be.

    A fair share of each place (`intake.fair_share`): a flood pushes out only itself.
    """
    if held is None and (most is None or len(plots) <= most):
        return np.arange(len(plots))
    free = np.arange(len(plots)) if held is None else np.flatnonzero(~held.near)
    if most is None or len(free) <= most:
        return free
    return free[fair_share(plots[free], most)]
