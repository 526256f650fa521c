"""Births: tentative tracks that branch over every plausible plot until one chain is good enough to confirm.

A plot that no confirmed track claims begins a tentative row and continues those it fits; each continuation
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
from jointwatch.tracking.birth import begin_row, can_begin
from jointwatch.tracking.branching import BRANCHES, STALE_S, STALE_SCANS, Branches, tentative_rows
from jointwatch.tracking.gating import GATE2
from jointwatch.tracking.rows import count_plot
from jointwatch.tracking.rules import AT_ONCE, AT_ONCE_HITS, CONFIRM, CONFIRM_HITS, SURE
from jointwatch.tracking.table import CONFIRMED, EVIDENCE, FREE, TENTATIVE
from jointwatch.tracking.update import gauss, update_with

GIVE_UP_LOG_ODDS = -24.0
GIVE_UP_MISSES = 2
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
    for k in range(kinds):
        expect(sensor, row["mean"][k], row["covariance"][k], z, h, s, noise)
        share = 0.0
        if cholesky(s, dim, low):
            innovation(sensor, plot, z, y)
            d2, log_density = gauss(low, dim, y)
            share = row["phase"][k] * math.exp(log_density)
            if d2 < GATE2:
                update_with(sensor, row["mean"][k], row["covariance"][k], plot)
        row["phase"][k] = share
        total += share
    spare = 1e-6 * total
    for k in range(kinds):
        row["phase"][k] = (row["phase"][k] + spare) / (total + kinds * spare)
    row["log_odds"] = log_odds
    count_plot(row, identity, time_ns)


@njit(cache=True)
def update_tentative(
    table: NDArray[np.void],
    used: int,
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
) -> tuple[int, int]:
    """Continue, branch and begin tentative rows of one sensor, among rows 0..used.

    density, birth (m,): of clutter and of new objects, at each plot, in measurement space.  claimed (m,): the
    share of each plot that confirmed tracks claim; branches: what each plot may continue (`branching`).

    Returns the number of plots that found no free row, and the rows now in use.
    """
    m, top = plots.shape[0], used
    rows, parents, odds, looked = branches.rows, branches.parents, branches.odds, branches.looked
    next_free, lost = 0, 0
    begins = can_begin(sensor)
    for j in range(m):
        if claimed[j] > FREE_SHARE:
            continue
        for b in range(BRANCHES + 1):  # the chains that this plot continues, and last the one that it begins
            if (b < BRANCHES and parents[j, b] < 0) or (b == BRANCHES and not begins):
                continue
            i = next_free
            while i < len(table) and table[i]["life"] != FREE:
                i += 1
            next_free = i + 1
            if i >= len(table):
                lost += 1
                continue
            top = max(top, i + 1)
            if b < BRANCHES:
                table[i] = table[parents[j, b]]
                _continue_row(table[i], bank, sensor, plots[j], odds[j, b], time_ns, identity[j])
            else:
                begin_row(bank, table[i], sensor, plots[j], time_ns, identity[j])
                table[i]["life"] = TENTATIVE
                table[i]["sensor"] = sensor_index
                table[i]["log_odds"] = math.log(birth[j] / density[j])
    # the rows themselves go on as the chains that gave no plot in this look
    for a in range(len(rows)):
        row = table[rows[a]]
        if looked[a] > 0.0:
            row["misses"] += 1 if looked[a] > 0.5 else 0
            row["log_odds"] += math.log(1.0 - min(looked[a], 0.999))
        unseen = (time_ns - row["seen_ns"]) * 1e-9
        # also where no look reaches any more: a chain that left the cover would stay for good
        stale = row["sensor"] == sensor_index and unseen > STALE_SCANS * sensor[PERIOD]
        stale = stale or unseen > max(STALE_SCANS * sensor[PERIOD], STALE_S)
        if row["misses"] > GIVE_UP_MISSES or row["log_odds"] < GIVE_UP_LOG_ODDS or stale:
            row["life"] = FREE
    return lost, top


@njit(cache=True)
def confirm(table: NDArray[np.void], used: int, rules: NDArray[np.float64], next_number: int) -> int:
    """Confirm the chains that are good enough, best first, and drop those that live off the same plots.

    Returns the next track number.
    """
    rows = tentative_rows(table, used)
    while True:
        best, best_odds = -1, rules[CONFIRM]
        for i in rows:
            row = table[i]
            if row["life"] != TENTATIVE or row["hits"] < rules[AT_ONCE_HITS]:
                continue
            odds = row["log_odds"]
            if odds > best_odds and (row["hits"] >= rules[CONFIRM_HITS] or odds >= rules[AT_ONCE]):
                best, best_odds = i, odds
        if best < 0:
            return next_number
        winner = table[best]
        winner["life"] = CONFIRMED
        winner["log_odds"] = min(winner["log_odds"], rules[SURE])
        winner["number"] = next_number
        next_number += 1
        for i in rows:
            row = table[i]
            if row["life"] != TENTATIVE:
                continue
            # chains of objects side by side cross in a plot: that one was not its own, and it goes on by
            # those that were; a chain that shares more is the same object told otherwise
            common = _in_common(row, winner)
            if common == 1 and row["hits"] > 2:
                row["hits"] -= 1
            elif common > 0:
                row["life"] = FREE


@njit(cache=True)
def _in_common(one: np.void, other: np.void) -> int:
    """How many of their latest plots two rows share."""
    common = 0
    for a in range(EVIDENCE):
        for b in range(EVIDENCE):
            if one["evidence"][a] >= 0 and one["evidence"][a] == other["evidence"][b]:
                common += 1
    return common
