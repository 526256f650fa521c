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

CONFIRM_LOG_ODDS = math.log(1e5)
CONFIRM_HITS = 4
GIVE_UP_LOG_ODDS = -24.0
GIVE_UP_MISSES = 2
BRANCHES = 4
"""Most chains kept that end in the same plot."""
FREE_SHARE = 0.5
"""A plot of which confirmed tracks claim more than this begins or continues no tentative track."""
PULL_MS2 = 60.0
"""Greatest acceleration looked for between two plots."""


@njit(cache=True)
def _free_row(table: NDArray[np.void], start: int) -> int:
    for i in range(start, table.shape[0]):
        if table[i]["life"] == FREE:
            return i
    return -1


@njit(cache=True)
def _could_be(
    row: np.void, sensor: NDArray[np.float64], plots: NDArray[np.float64], j: int, dt: float
) -> bool:
    """Cheap test whether plot j can be the next of a row with one or more plots: range and range rate."""
    m = row["mean"][1]
    r, _, _, rate = observe(sensor, m[0], m[1], m[2], m[3], m[4], m[5])
    across = 3.0 * CROSS_SPEED_SIGMA_MS
    bend = across * across / r
    # a radar that measures no range rate states a great sigma for it, and what it reports tells nothing
    slack = 3.0 * min(sensor[SIGMA_RANGE_RATE], CROSS_SPEED_SIGMA_MS)
    if abs(plots[j, 0] - r - rate * dt) > 500.0 + slack * dt + 0.5 * (PULL_MS2 + bend) * dt * dt:
        return False
    if abs(plots[j, 3] - rate) > 40.0 + 3.0 * sensor[SIGMA_RANGE_RATE] + (PULL_MS2 + bend) * dt:
        return False
    x, y, z = position_of_plot(sensor, plots[j, 0], plots[j, 1], plots[j, 2])
    apart = math.sqrt((x - m[0]) ** 2 + (y - m[1]) ** 2 + (z - m[2]) ** 2)
    wide = 5.0 * r * max(sensor[SIGMA_AZIMUTH], sensor[SIGMA_ELEVATION])
    return bool(apart < (abs(rate) + slack + across) * dt + wide)


@njit(cache=True)
def update_tentative(
    table: NDArray[np.void],
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
) -> int:
    """Continue, branch and begin tentative rows of one sensor; returns plots that found no free row."""
    capacity, m = table.shape[0], plots.shape[0]
    z = np.empty((PHASE_COUNT, D))
    h = np.empty((PHASE_COUNT, D, 6))
    s = np.empty((PHASE_COUNT, D, D))
    low = np.zeros((PHASE_COUNT, D, D))
    y = np.empty(D)
    share = np.empty(PHASE_COUNT)
    one = np.ones(1)
    next_free = 0
    lost = 0
    ends = np.full((m, BRANCHES), -1, np.int64)  # rows of the chains that end in each plot
    for i in range(capacity):
        if table[i]["life"] != TENTATIVE or table[i]["sensor"] != sensor_index:
            continue
        dt = (time_ns - table[i]["time_ns"]) * 1e-9
        if dt <= 0.0 or (
            not may_be_seen(table[i], sensor, azimuth_from, azimuth_to, time_ns) and table[i]["hits"] > 1
        ):
            continue
        # the last plot's time, not the last prediction's: a one-plot row is predicted only when needed
        predicted = False
        for j in range(m):
            if claimed[j] > FREE_SHARE or not (predicted or _could_be(table[i], sensor, plots, j, dt)):
                continue
            if not predicted:
                predict_row(table[i], time_ns)
                predicted = True
                for k in range(PHASE_COUNT):
                    expect(sensor, table[i]["mean"][k], table[i]["covariance"][k], z[k], h[k], s[k])
                    cholesky(s[k], D, low[k])
            total = 0.0
            pd = 0.0
            for k in range(PHASE_COUNT):
                innovation(plots[j], z[k], y)
                d2, log_density = gauss(low[k], y)
                seen = detection_probability(sensor, plots[j, 0], plots[j, 2])
                share[k] = table[i]["phase"][k] * seen * math.exp(log_density) if d2 < GATE2 else 0.0
                total += share[k]
                pd += table[i]["phase"][k] * seen
            if total <= 0.0:
                continue
            log_odds = min(table[i]["log_odds"] + math.log(total / density[j]), SURE)
            # a place among the chains that end here: a free one, or the worst if this is better
            worst, slot = log_odds, -1
            for b in range(BRANCHES):
                if ends[j, b] < 0:
                    slot = b
                    break
                if table[ends[j, b]]["log_odds"] < worst:
                    worst, slot = table[ends[j, b]]["log_odds"], b
            if slot < 0:
                continue
            if ends[j, slot] >= 0:
                child = ends[j, slot]
            else:
                child = _free_row(table, next_free)
                if child < 0:
                    lost += 1
                    continue
                next_free = child + 1
            ends[j, slot] = child
            table[child] = table[i]
            row = table[child]
            row["life"] = -1  # not to be continued by another plot of this sector
            row["log_odds"] = log_odds
            sum_phase = 0.0
            for k in range(PHASE_COUNT):
                if share[k] > 0.0:
                    update_phase(
                        sensor,
                        row["mean"][k],
                        row["covariance"][k],
                        plots[j : j + 1],
                        one,
                        0.0,
                        z[k],
                        h[k],
                        s[k],
                    )
                row["phase"][k] = max(share[k] / total, 1e-6)
                sum_phase += row["phase"][k]
            for k in range(PHASE_COUNT):
                row["phase"][k] /= sum_phase
            row["hits"] += 1
            row["misses"] = 0
            row["seen_ns"] = time_ns
            for e in range(EVIDENCE - 1, 0, -1):
                row["evidence"][e] = row["evidence"][e - 1]
            row["evidence"][0] = identity[j]
        # the row itself goes on as the chain that gave no plot in this look
        mean = table[i]["mean"][1]
        ahead = 0.0 if predicted else dt
        r, azimuth, elevation, _ = observe(
            sensor,
            mean[0] + ahead * mean[3],
            mean[1] + ahead * mean[4],
            mean[2] + ahead * mean[5],
            mean[3],
            mean[4],
            mean[5],
        )
        spread = CROSS_SPEED_SIGMA_MS * dt / r if table[i]["hits"] == 1 else 0.01
        looked = wedge_share(azimuth, spread, azimuth_from, azimuth_to)
        pd_here = detection_probability(sensor, r, elevation) * looked
        if looked > 0.5:
            table[i]["misses"] += 1
            table[i]["log_odds"] += math.log(1.0 - min(pd_here, 0.999))
        stale = (time_ns - table[i]["seen_ns"]) * 1e-9 > 3.5 * sensor[22]
        if table[i]["misses"] > GIVE_UP_MISSES or table[i]["log_odds"] < GIVE_UP_LOG_ODDS or stale:
            table[i]["life"] = FREE
    for i in range(capacity):
        if table[i]["life"] == -1:
            table[i]["life"] = TENTATIVE
    next_free = 0
    for j in range(m):
        if claimed[j] > FREE_SHARE:
            continue
        i = _free_row(table, next_free)
        if i < 0:
            lost += 1
            continue
        next_free = i + 1
        begin_row(table[i], sensor, plots[j], time_ns, identity[j])
        table[i]["life"] = TENTATIVE
        table[i]["sensor"] = sensor_index
        table[i]["log_odds"] = math.log(birth_density / density[j])
    return lost


@njit(cache=True)
def confirm(table: NDArray[np.void], next_number: int) -> int:
    """Confirm the chains that are good enough, best first, and drop those that share their plots.

    Returns the next track number.
    """
    while True:
        best, best_odds = -1, CONFIRM_LOG_ODDS
        for i in range(table.shape[0]):
            row = table[i]
            if row["life"] == TENTATIVE and row["hits"] >= CONFIRM_HITS:
                # of equal odds (they are capped), the chain with more plots and then the earlier row
                odds = row["log_odds"] + 1e-3 * row["hits"]
                if odds > best_odds:
                    best, best_odds = i, odds
        if best < 0:
            return next_number
        winner = table[best]
        winner["life"] = CONFIRMED
        winner["number"] = next_number
        next_number += 1
        for i in range(table.shape[0]):
            if table[i]["life"] != TENTATIVE:
                continue
            for a in range(EVIDENCE):
                mine = table[i]["evidence"][a]
                if mine < 0:
                    continue
                for b in range(EVIDENCE):
                    if winner["evidence"][b] == mine:
                        table[i]["life"] = FREE
