"""Births: tentative tracks that branch over every plausible plot until one chain is good enough to confirm.

A plot that no confirmed track claims is a seed (`seeds`) and continues the chains it fits; each continuation
is a row of its own, so a dense salvo is not blurred into one.  The log odds of existence grow with each plot
by ln(Pd density / clutter density) and shrink with each look that gave nothing.  When a chain is confirmed
it owns its plots, and the chains that shared them go.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.motion.gaussian import cholesky
from jointwatch.sensing.expectation import SIZE, D, expect, innovation
from jointwatch.sensing.radar import DIMENSION, PERIOD
from jointwatch.tracking.bank import KIND
from jointwatch.tracking.birth import begin_row, can_begin
from jointwatch.tracking.branching import Branches
from jointwatch.tracking.gating import GATE2
from jointwatch.tracking.interaction import predict_row, rouse
from jointwatch.tracking.offers import BRANCHES, NONE
from jointwatch.tracking.rows import count_plot
from jointwatch.tracking.rules import AT_ONCE, AT_ONCE_HITS, CONFIRM, CONFIRM_HITS, SURE
from jointwatch.tracking.seeds import (
    GIVE_UP_LOG_ODDS,
    GIVE_UP_MISSES,
    Bed,
    age_seeds,
    is_stale,
    sow,
)
from jointwatch.tracking.table import CONFIRMED, EVIDENCE, FREE, TENTATIVE
from jointwatch.tracking.update import gauss, update_drag, update_with

FREE_SHARE = 0.5
"""A plot of which confirmed tracks claim more than this begins or continues no tentative track."""


@njit(cache=True)
def _continue_row(
    row: np.void,
    bank: NDArray[np.float64],
    sensor: NDArray[np.float64],
    plot: NDArray[np.float64],
    log_odds: float,
    time_ns: int,
    identity: int,
) -> None:
    """Update a row, already predicted to time_ns, with the one plot (PLOT,) it is taken to have given."""
    kinds, dim = bank.shape[0], int(sensor[DIMENSION])
    z = np.empty(SIZE)
    h = np.empty((D, 6))
    s, noise = np.empty((D, D)), np.empty((D, D))
    low = np.zeros((D, D))
    y = np.empty(D)
    total = 0.0
    rouse(bank, row)
    for k in range(kinds):
        expect(sensor, row["mean"][k], row["covariance"][k], z, h, s, noise)
        share = 0.0
        if cholesky(s, dim, low):
            innovation(sensor, plot, z, y)
            d2, log_density = gauss(low, dim, y)
            share = row["phase"][k] * math.exp(log_density)
            if d2 < GATE2:
                drag = row["mean"][k, 6]
                update_with(sensor, row["mean"][k], row["covariance"][k], plot)
                update_drag(int(bank[k, KIND]), drag, row["mean"][k], row["covariance"][k])
        row["phase"][k] = share
        total += share
    spare = 1e-6 * total
    for k in range(kinds):
        row["phase"][k] = (row["phase"][k] + spare) / (total + kinds * spare)
    row["log_odds"] = log_odds
    count_plot(row, identity, time_ns)


@njit(cache=True)
def _free_row(table: NDArray[np.void], after: int) -> int:
    """The first free row from `after` on; the table's length where there is none."""
    i = after
    while i < len(table) and table[i]["life"] != FREE:
        i += 1
    return i


@njit(cache=True)
def update_tentative(
    table: NDArray[np.void],
    bed: Bed,
    free: int,
    bank: NDArray[np.float64],
    sensor: NDArray[np.float64],
    sensor_index: int,
    time_ns: int,
    plots: NDArray[np.float64],
    identity: NDArray[np.int64],
    density: NDArray[np.float64],
    claimed: NDArray[np.float64],
    birth: NDArray[np.float64],
    branches: Branches,
) -> tuple[int, int, NDArray[np.int64]]:
    """Continue, branch and begin tentative chains of one sensor; free: no row before it is.

    bed: the sensor's seeds, with room for one more for each plot.  density, birth (m,): of clutter
    and of new objects, at each plot, in measurement space.  claimed (m,): the share of each plot that
    confirmed tracks claim; branches: what each plot may continue (`branching`).

    Returns the number of plots that found no place, the row from which the next free one is to be looked for,
    and the tentative rows (n,), ascending.
    """
    lost, before = 0, int(bed.many[0])
    begins = can_begin(sensor)
    scratch = np.empty(1, table.dtype)
    more = np.empty(len(plots) * BRANCHES, np.int64)
    many = 0
    for j in range(len(plots)):
        if claimed[j] > FREE_SHARE:
            continue
        for b in range(BRANCHES):  # the chains that this plot continues, and then the one that it begins
            parent = branches.parents[j, b]
            if parent == NONE:
                continue
            i = free = _free_row(table, free)
            if i >= len(table):
                lost += 1
                continue
            if parent >= 0:
                table[i] = table[parent]
            else:
                seed = bed.seeds[NONE - 1 - parent]
                begin_row(bank, table[i], sensor, seed["plot"], seed["time_ns"], seed["identity"])
                table[i]["life"], table[i]["sensor"] = TENTATIVE, sensor_index
                predict_row(bank, table[i], time_ns)
            _continue_row(table[i], bank, sensor, plots[j], branches.odds[j, b], time_ns, identity[j])
            more[many] = i
            many += 1
        if begins:
            log_odds = math.log(birth[j] / density[j])
            if not sow(bed, scratch, bank, sensor, plots[j], time_ns, identity[j], log_odds):
                lost += 1
    # the chains themselves go on as those that gave no plot in this look
    rows, kept = branches.rows, np.empty(len(branches.rows) + many, np.int64)
    n = 0
    for a in range(len(rows)):
        row, looked = table[rows[a]], branches.looked[a]
        if looked > 0.0:
            row["misses"] += 1 if looked > 0.5 else 0
            row["log_odds"] += math.log(1.0 - min(looked, 0.999))
        stale = is_stale(row["seen_ns"], time_ns, row["sensor"] == sensor_index, sensor[PERIOD])
        if row["misses"] > GIVE_UP_MISSES or row["log_odds"] < GIVE_UP_LOG_ODDS or stale:
            row["life"] = FREE
            free = min(free, rows[a])
            continue
        kept[n] = rows[a]
        n += 1
    kept[n : n + many] = more[:many]
    kept = kept[: n + many]
    kept.sort()
    age_seeds(bed, before, branches.seeds_looked, sensor, time_ns)
    return lost, free, kept


@njit(cache=True)
def confirm(
    table: NDArray[np.void], rows: NDArray[np.int64], rules: NDArray[np.float64], next_number: int
) -> NDArray[np.int64]:
    """Confirm those of some tentative rows (n,) that are good enough, best first, numbered from next_number.

    Chains that live off a winner's plots are freed.  Returns the winners (w,), in order of their numbers.
    """
    good = np.empty(len(rows), np.int64)
    n = 0
    for i in rows:
        if _is_good(table[i], rules):
            good[n] = i
            n += 1
    winners = np.empty(n, np.int64)
    if n == 0:
        return winners
    odds = np.empty(n)
    for a in range(n):
        odds[a] = -table[good[a]]["log_odds"]
    plot, owner = _plots_of(table, rows)
    many = 0
    for a in np.argsort(odds, kind="mergesort"):
        winner = table[good[a]]
        # what a better chain took may have left it too few plots of its own, or freed it
        if winner["life"] != TENTATIVE or not _is_good(winner, rules):
            continue
        winner["life"] = CONFIRMED
        winner["log_odds"] = min(winner["log_odds"], rules[SURE])
        winner["number"] = next_number + many
        winners[many] = good[a]
        many += 1
        _free_sharers(table, winner, plot, owner)
    return winners[:many]


@njit(cache=True)
def _is_good(row: np.void, rules: NDArray[np.float64]) -> bool:
    """Whether a chain is good enough to be a track."""
    if row["hits"] < rules[AT_ONCE_HITS] or not row["log_odds"] > rules[CONFIRM]:
        return False
    return bool(row["hits"] >= rules[CONFIRM_HITS] or row["log_odds"] >= rules[AT_ONCE])


@njit(cache=True)
def _plots_of(
    table: NDArray[np.void], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Identities (k,) of the latest plots of some rows, ascending, and the row that each is of."""
    plot, owner = np.empty(len(rows) * EVIDENCE, np.int64), np.empty(len(rows) * EVIDENCE, np.int64)
    n = 0
    for i in rows:
        for e in range(EVIDENCE):
            if table[i]["evidence"][e] >= 0:
                plot[n], owner[n] = table[i]["evidence"][e], i
                n += 1
    order = np.argsort(plot[:n], kind="mergesort")
    return plot[order], owner[order]


@njit(cache=True)
def _free_sharers(
    table: NDArray[np.void], winner: np.void, plot: NDArray[np.int64], owner: NDArray[np.int64]
) -> None:
    """Free the tentative chains that live off a winner's plots.

    Chains of objects side by side cross in a plot: that one was not its own, and it goes on by those that
    were; a chain that shares more is the same object told otherwise.
    """
    for e in range(EVIDENCE):
        at = np.searchsorted(plot, winner["evidence"][e]) if winner["evidence"][e] >= 0 else len(plot)
        while at < len(plot) and plot[at] == winner["evidence"][e]:
            row = table[owner[at]]
            at += 1
            if row["life"] != TENTATIVE:
                continue
            common = in_common(row, winner)
            if common == 1 and row["hits"] > 2:
                row["hits"] -= 1
            elif common > 0:
                row["life"] = FREE


@njit(cache=True)
def in_common(one: np.void, other: np.void) -> int:
    """How many of their latest plots two rows share."""
    common = 0
    for a in range(EVIDENCE):
        for b in range(EVIDENCE):
            if one["evidence"][a] >= 0 and one["evidence"][a] == other["evidence"][b]:
                common += 1
    return common
