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

from jointwatch.sensing.coverage import detection_probability
from jointwatch.sensing.radar import (
    PERIOD,
    SIGMA_AZIMUTH,
    SIGMA_ELEVATION,
    SIGMA_RANGE_RATE,
    observe,
    position_of_plot,
)
from jointwatch.tracking.confirmed import GATE2, SURE, may_be_seen, wedge_share
from jointwatch.tracking.filter import (
    CROSS_SPEED_SIGMA_MS,
    D,
    begin_row,
    cholesky,
    expect,
    gauss,
    innovation,
    predict_row,
    update_phase,
)
from jointwatch.tracking.table import CONFIRMED, EVIDENCE, FREE, PHASE_COUNT, TENTATIVE

CONFIRM_LOG_ODDS = math.log(1e7)
CONFIRM_HITS = 4
SURE_LOG_ODDS, SURE_HITS = 20.0, 3
"""A chain so sure as this is confirmed on fewer plots: a rocket may be seen five times in all."""
OTHERS_HITS = 2
"""From so many plots on, a chain knows its velocity well enough to be continued by the node's other
sensors."""
GIVE_UP_LOG_ODDS = -24.0
GIVE_UP_MISSES = 2
BRANCHES = 4
"""Most chains kept that end in the same plot."""
MOST_LOG_ODDS = 100.0
"""Log odds of a tentative chain are capped here; a confirmed track begins at the cap of `confirmed.SURE`."""
STALE_SCANS = 3.5
"""A chain without a plot for so many scans is given up."""
FREE_SHARE = 0.5
"""A plot of which confirmed tracks claim more than this begins or continues no tentative track."""
PULL_MS2 = 60.0
"""Greatest acceleration looked for between two plots."""


@njit(cache=True)
def _free_row(table: NDArray[np.void], start: int) -> int:
    """First free row from `start` on, or -1."""
    for i in range(start, table.shape[0]):
        if table[i]["life"] == FREE:
            return i
    return -1


@njit(cache=True)
def _cheap_bounds(
    row: np.void, sensor: NDArray[np.float64], dt: float
) -> tuple[float, float, float, float, float]:
    """What the next plot of a row can be: range and range rate with slack each, and how far from the row."""
    m = row["mean"][1]
    r, _, _, rate = observe(sensor, m[0], m[1], m[2], m[3], m[4], m[5])
    # a radar that measures no range rate states a great sigma for it, and what it reports tells nothing
    slack = 3.0 * min(sensor[SIGMA_RANGE_RATE], CROSS_SPEED_SIGMA_MS)
    across = 3.0 * CROSS_SPEED_SIGMA_MS
    bend = across * across / r
    near = 500.0 + slack * dt + 0.5 * (PULL_MS2 + bend) * dt * dt
    steady = 40.0 + 3.0 * sensor[SIGMA_RANGE_RATE] + (PULL_MS2 + bend) * dt
    wide = 5.0 * r * max(sensor[SIGMA_AZIMUTH], sensor[SIGMA_ELEVATION])
    return r + rate * dt, near, rate, steady, (abs(rate) + slack + across) * dt + wide


@njit(cache=True)
def _candidates(
    table: NDArray[np.void],
    used: int,
    sensor: NDArray[np.float64],
    sensor_index: int,
    wedge: tuple[float, float],
    time_ns: int,
    plots: NDArray[np.float64],
    density: NDArray[np.float64],
    claimed: NDArray[np.float64],
    birth_density: float,
    parents: NDArray[np.int64],
    odds: NDArray[np.float64],
    looked: NDArray[np.float64],
) -> None:
    """Find, for each plot, the best rows it may continue: fill parents (m, BRANCHES) and their log odds.

    looked (used,): probability that this look should have shown each row, -1 for rows it does not concern.
    Rows that some plot may continue are predicted to time_ns.
    """
    m = plots.shape[0]
    z = np.empty((PHASE_COUNT, D))
    h = np.empty((PHASE_COUNT, D, 6))
    s = np.empty((PHASE_COUNT, D, D))
    low = np.zeros((PHASE_COUNT, D, D))
    y = np.empty(D)
    places = np.empty((m, 3))
    seen = np.empty(m)
    for j in range(m):
        places[j, 0], places[j, 1], places[j, 2] = position_of_plot(
            sensor, plots[j, 0], plots[j, 1], plots[j, 2]
        )
        seen[j] = detection_probability(sensor, plots[j, 0], plots[j, 2])
    for i in range(used):
        row = table[i]
        if row["life"] != TENTATIVE or (row["sensor"] != sensor_index and row["hits"] < OTHERS_HITS):
            continue
        dt = (time_ns - row["time_ns"]) * 1e-9
        if dt <= 0.0 or (row["hits"] > 1 and not may_be_seen(row, sensor, wedge[0], wedge[1], time_ns)):
            continue
        range_m, near, rate, steady, reach = _cheap_bounds(row, sensor, dt)
        mean = row["mean"][1]
        x0, y0, z0 = mean[0], mean[1], mean[2]
        predicted = False
        for j in range(m):
            if claimed[j] > FREE_SHARE or seen[j] <= 0.0:
                continue
            if abs(plots[j, 0] - range_m) > near or abs(plots[j, 3] - rate) > steady:
                continue
            apart2 = (places[j, 0] - x0) ** 2 + (places[j, 1] - y0) ** 2 + (places[j, 2] - z0) ** 2
            if apart2 > reach * reach:
                continue
            if not predicted:
                predict_row(row, time_ns)
                predicted = True
                for k in range(PHASE_COUNT):
                    expect(sensor, row["mean"][k], row["covariance"][k], z[k], h[k], s[k])
                    cholesky(s[k], D, low[k])
            total = 0.0
            for k in range(PHASE_COUNT):
                innovation(plots[j], z[k], y)
                d2, log_density = gauss(low[k], y)
                if d2 < GATE2:
                    total += row["phase"][k] * seen[j] * math.exp(log_density)
            if total <= 0.0:
                continue
            log_odds = min(row["log_odds"] + math.log(total / density[j]), MOST_LOG_ODDS)
            # a chain that is no better than beginning anew from this plot is not worth a row
            worst, slot = max(log_odds, math.log(birth_density / density[j])), -1
            if worst > log_odds:
                continue
            for b in range(BRANCHES):
                if parents[j, b] < 0:
                    slot = b
                    break
                if odds[j, b] < worst:
                    worst, slot = odds[j, b], b
            if slot >= 0:
                parents[j, slot], odds[j, slot] = i, log_odds
        ahead = 0.0 if predicted else dt
        mean = row["mean"][1]
        r, azimuth, elevation, _ = observe(
            sensor,
            mean[0] + ahead * mean[3],
            mean[1] + ahead * mean[4],
            mean[2] + ahead * mean[5],
            mean[3],
            mean[4],
            mean[5],
        )
        spread = CROSS_SPEED_SIGMA_MS * dt / r if row["hits"] == 1 else 0.01
        inside = wedge_share(azimuth, spread, wedge[0], wedge[1])
        looked[i] = detection_probability(sensor, r, elevation) * inside if inside > 0.5 else 0.0


@njit(cache=True)
def _continue_row(
    row: np.void,
    sensor: NDArray[np.float64],
    plot: NDArray[np.float64],
    log_odds: float,
    time_ns: int,
    identity: int,
) -> None:
    """Update a row, already predicted to time_ns, with the one plot (1, 4) that it is taken to have given."""
    z = np.empty(D)
    h = np.empty((D, 6))
    s = np.empty((D, D))
    low = np.zeros((D, D))
    y = np.empty(D)
    one = np.ones(1)
    total = 0.0
    for k in range(PHASE_COUNT):
        expect(sensor, row["mean"][k], row["covariance"][k], z, h, s)
        cholesky(s, D, low)
        innovation(plot[0], z, y)
        d2, log_density = gauss(low, y)
        share = 0.0
        if d2 < GATE2:
            share = row["phase"][k] * math.exp(log_density)
            update_phase(sensor, row["mean"][k], row["covariance"][k], plot, one, 0.0, z, h, s)
        row["phase"][k] = share
        total += share
    spare = 1e-6 * total
    for k in range(PHASE_COUNT):
        row["phase"][k] = (row["phase"][k] + spare) / (total + PHASE_COUNT * spare)
    row["log_odds"] = log_odds
    row["hits"] += 1
    row["misses"] = 0
    row["seen_ns"] = time_ns
    for e in range(EVIDENCE - 1, 0, -1):
        row["evidence"][e] = row["evidence"][e - 1]
    row["evidence"][0] = identity


@njit(cache=True)
def update_tentative(
    table: NDArray[np.void],
    used: int,
    sensor: NDArray[np.float64],
    sensor_index: int,
    azimuth_from: float,
    azimuth_to: float,
    time_ns: int,
    plots: NDArray[np.float64],
    identity: NDArray[np.int64],
    density: NDArray[np.float64],
    claimed: NDArray[np.float64],
    birth_density: float,
) -> tuple[int, int]:
    """Continue, branch and begin tentative rows of one sensor, among rows 0..used.

    Returns the number of plots that found no free row, and the rows now in use.
    """
    m, top = plots.shape[0], used
    parents = np.full((m, BRANCHES), -1, np.int64)
    odds = np.zeros((m, BRANCHES))
    looked = np.full(used, -1.0)
    wedge = (azimuth_from, azimuth_to)
    _candidates(
        table,
        used,
        sensor,
        sensor_index,
        wedge,
        time_ns,
        plots,
        density,
        claimed,
        birth_density,
        parents,
        odds,
        looked,
    )
    next_free, lost = 0, 0
    for j in range(m):
        if claimed[j] > FREE_SHARE:
            continue
        for b in range(BRANCHES + 1):  # the chains that this plot continues, and last the one that it begins
            if b < BRANCHES and parents[j, b] < 0:
                continue
            i = _free_row(table, next_free)
            if i < 0:
                lost += 1
                continue
            next_free = i + 1
            top = max(top, i + 1)
            if b < BRANCHES:
                table[i] = table[parents[j, b]]
                _continue_row(table[i], sensor, plots[j : j + 1], odds[j, b], time_ns, identity[j])
            else:
                begin_row(table[i], sensor, plots[j], time_ns, identity[j])
                table[i]["life"] = TENTATIVE
                table[i]["sensor"] = sensor_index
                table[i]["log_odds"] = math.log(birth_density / density[j])
    # the rows themselves go on as the chains that gave no plot in this look
    for i in range(used):
        if looked[i] < 0.0:
            continue
        row = table[i]
        if looked[i] > 0.0:
            row["misses"] += 1
            row["log_odds"] += math.log(1.0 - min(looked[i], 0.999))
        unseen = (time_ns - row["seen_ns"]) * 1e-9
        stale = row["sensor"] == sensor_index and unseen > STALE_SCANS * sensor[PERIOD]
        if row["misses"] > GIVE_UP_MISSES or row["log_odds"] < GIVE_UP_LOG_ODDS or stale:
            row["life"] = FREE
    return lost, top


@njit(cache=True)
def confirm(table: NDArray[np.void], used: int, next_number: int) -> int:
    """Confirm the chains that are good enough, best first, and drop those that share their plots.

    Returns the next track number.
    """
    while True:
        best, best_odds = -1, CONFIRM_LOG_ODDS
        for i in range(used):
            row = table[i]
            if row["life"] != TENTATIVE or row["hits"] < SURE_HITS:
                continue
            odds = row["log_odds"]
            if odds > best_odds and (row["hits"] >= CONFIRM_HITS or odds >= SURE_LOG_ODDS):
                best, best_odds = i, odds
        if best < 0:
            return next_number
        winner = table[best]
        winner["life"] = CONFIRMED
        winner["log_odds"] = min(winner["log_odds"], SURE)
        winner["number"] = next_number
        next_number += 1
        for i in range(used):
            if table[i]["life"] != TENTATIVE:
                continue
            for a in range(EVIDENCE):
                mine = table[i]["evidence"][a]
                if mine < 0:
                    continue
                for b in range(EVIDENCE):
                    if winner["evidence"][b] == mine:
                        table[i]["life"] = FREE
