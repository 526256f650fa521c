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
from jointwatch.sensing.radar import (
    COMPONENT,
    DETECTION,
    DIMENSION,
    ELEVATION_MAX,
    ELEVATION_MIN,
    IN_RANGE,
    IN_RATE,
    PERIOD,
    SIGMA_AZIMUTH,
    SIGMA_ELEVATION,
    SIGMA_RANGE,
    SIGMA_RANGE_RATE,
    UPWARD,
    measures,
    observe,
    position_of_plot,
)
from jointwatch.tracking.bank import SPEED
from jointwatch.tracking.birth import begin_row, can_begin
from jointwatch.tracking.detection import believed_detection, detection_factor
from jointwatch.tracking.gating import GATE2
from jointwatch.tracking.interaction import predict_row
from jointwatch.tracking.looks import SURELY_SEEN, may_be_seen, wedge_share
from jointwatch.tracking.rules import AT_ONCE, AT_ONCE_HITS, CONFIRM, CONFIRM_HITS, SURE
from jointwatch.tracking.table import CONFIRMED, EVIDENCE, FREE, PHASE_COUNT, TENTATIVE
from jointwatch.tracking.update import gauss, update_with

OTHERS_HITS = 2
"""From so many plots on, a chain knows its velocity well enough to be continued by the node's other
sensors."""
GIVE_UP_LOG_ODDS = -24.0
GIVE_UP_MISSES = 2
BRANCHES = 4
"""Most chains kept that end in the same plot."""
MOST_LOG_ODDS = 100.0
"""Log odds of a tentative chain are capped here; a confirmed track begins at the cap of the rules."""
STALE_SCANS = 3.5
"""A chain without a plot for so many scans is given up."""
FREE_SHARE = 0.5
"""A plot of which confirmed tracks claim more than this begins or continues no tentative track."""
PULL_MS2 = 60.0
"""Greatest acceleration looked for between two plots."""
BREAK_MS2 = 100.0
"""Greatest step in that acceleration between two looks: a motor that burns out, or air that is met."""


@njit(cache=True)
def _free_row(table: NDArray[np.void], start: int) -> int:
    """First free row from `start` on, or -1."""
    for i in range(start, table.shape[0]):
        if table[i]["life"] == FREE:
            return i
    return -1


@njit(cache=True)
def _ungraded(sensor: NDArray[np.float64], detection: NDArray[np.float64]) -> float:
    """Probability of a plot for a sensor whose detection does not fall with a range that it measures."""
    return float(min(sensor[DETECTION] * detection_factor(detection, sensor, 0.0), SURELY_SEEN))


@njit(cache=True)
def _cheap_bounds(
    row: np.void, bank: NDArray[np.float64], sensor: NDArray[np.float64], dt: float
) -> tuple[float, float, float, float, float]:
    """What a row's next plot can be: first value and range rate with slack each, and how far from the row."""
    m = row["mean"][min(1, bank.shape[0] - 1)]
    speed = bank[0, SPEED]
    if int(sensor[COMPONENT]) > IN_RATE:
        reach = 5.0 * (speed * dt + sensor[SIGMA_RANGE]) + 0.5 * PULL_MS2 * dt * dt
        known = math.sqrt(m[3] * m[3] + m[4] * m[4] + m[5] * m[5]) * dt
        return m[0], reach + known, 0.0, 1e300, 2.0 * (reach + known)
    r, _, _, rate = observe(sensor, m[0], m[1], m[2], m[3], m[4], m[5])
    rated = measures(sensor, IN_RATE)
    sigma_rate = sensor[SIGMA_RANGE_RATE] if rated else speed
    slack = 3.0 * sigma_rate
    across = 3.0 * speed
    bend = across * across / r
    near = 500.0 + slack * dt + 0.5 * (PULL_MS2 + bend) * dt * dt
    steady = 40.0 + 3.0 * sigma_rate + (PULL_MS2 + bend) * dt if rated else 1e300
    wide = 5.0 * r * max(sensor[SIGMA_AZIMUTH], sensor[SIGMA_ELEVATION])
    if not measures(sensor, UPWARD):
        half = 0.5 * (sensor[ELEVATION_MAX] - sensor[ELEVATION_MIN])
        wide += r * half
        near += r * (1.0 - math.sin(half) / max(half, 1e-9))
    return r + rate * dt, near, rate, steady, (abs(rate) + slack + across) * dt + wide


@njit(cache=True)
def _steady_pull(
    sensor: NDArray[np.float64], first: NDArray[np.float64], then: NDArray[np.float64], dt: float
) -> bool:
    """Whether ranges and range rates (range, rate) of two plots could be one object's: cheap, before
    predicting.

    What pulls along the line of sight, the bend of that line included, changes little between two looks, so
    the range changed by the mean of both rates (trapezoid rule).
    """
    off = then[0] - first[0] - 0.5 * (first[1] + then[1]) * dt
    noise2 = 2.0 * sensor[SIGMA_RANGE] ** 2 + 0.5 * (sensor[SIGMA_RANGE_RATE] * dt) ** 2
    return bool(abs(off) < 5.0 * math.sqrt(noise2) + BREAK_MS2 * dt * dt / 8.0)


@njit(cache=True)
def _candidates(
    table: NDArray[np.void],
    used: int,
    bank: NDArray[np.float64],
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    sensor_index: int,
    wedge: tuple[float, float],
    time_ns: int,
    plots: NDArray[np.float64],
    density: NDArray[np.float64],
    claimed: NDArray[np.float64],
    birth: NDArray[np.float64],
    parents: NDArray[np.int64],
    odds: NDArray[np.float64],
    looked: NDArray[np.float64],
) -> None:
    """Find, for each plot, the best rows it may continue: fill parents (m, BRANCHES) and their log odds.

    looked (used,): probability that this look should have shown each row, -1 for rows it does not concern.
    Rows that some plot may continue are predicted to time_ns.
    """
    m, kinds, dim = plots.shape[0], bank.shape[0], int(sensor[DIMENSION])
    flat = int(sensor[COMPONENT]) > IN_RATE
    z = np.empty((PHASE_COUNT, SIZE))
    h = np.empty((PHASE_COUNT, D, 6))
    s = np.empty((PHASE_COUNT, D, D))
    noise = np.empty((PHASE_COUNT, D, D))
    low = np.zeros((PHASE_COUNT, D, D))
    y = np.empty(D)
    places = np.empty((m, 3))
    seen = np.empty(m)
    first_value = plots[:, 0].copy()
    ordered = flat or int(sensor[COMPONENT]) == IN_RANGE
    # what measures no elevation saw it somewhere in its cover: taken in the middle
    raised = measures(sensor, UPWARD)
    up = 0.5 * (sensor[ELEVATION_MIN] + sensor[ELEVATION_MAX])
    for j in range(m):
        if flat:
            places[j, 0], places[j, 1], places[j, 2] = plots[j, 0], plots[j, 1], plots[j, 2]
            seen[j] = _ungraded(sensor, detection)
            continue
        elevation = plots[j, 2] if raised else up
        places[j, 0], places[j, 1], places[j, 2] = position_of_plot(
            sensor, plots[j, 0], plots[j, 1], elevation
        )
        if ordered:
            seen[j] = believed_detection(detection, sensor, plots[j, 0], elevation)
        else:
            seen[j] = _ungraded(sensor, detection)
    middle = min(1, kinds - 1)
    rated = ordered and not flat and measures(sensor, IN_RATE)
    begun, then = np.empty(2), np.empty(2)
    for i in range(used):
        row = table[i]
        if row["life"] != TENTATIVE or (row["sensor"] != sensor_index and row["hits"] < OTHERS_HITS):
            continue
        dt = (time_ns - row["time_ns"]) * 1e-9
        if dt <= 0.0 or (row["hits"] > 1 and not may_be_seen(row, sensor, wedge[0], wedge[1], time_ns)):
            continue
        value, near, rate, steady, reach = _cheap_bounds(row, bank, sensor, dt)
        mean = row["mean"][middle]
        x0, y0, z0 = mean[0], mean[1], mean[2]
        predicted = False
        single = row["hits"] == 1 and rated
        if single:
            begun[0], _, _, begun[1] = observe(sensor, x0, y0, z0, mean[3], mean[4], mean[5])
        start, stop = np.int64(0), np.int64(m)
        if ordered:
            start = np.searchsorted(first_value, value - near)
            stop = np.searchsorted(first_value, value + near)
        for j in range(start, stop):
            if claimed[j] > FREE_SHARE or seen[j] <= 0.0 or abs(plots[j, 3] - rate) > steady:
                continue
            apart2 = (places[j, 0] - x0) ** 2 + (places[j, 1] - y0) ** 2 + (places[j, 2] - z0) ** 2
            if ordered and apart2 > reach * reach:
                continue
            if single:
                then[0], then[1] = plots[j, 0], plots[j, 3]
                if not _steady_pull(sensor, begun, then, dt):
                    continue
            if not predicted:
                predict_row(bank, row, time_ns)
                predicted = True
                good = True
                for k in range(kinds):
                    expect(sensor, row["mean"][k], row["covariance"][k], z[k], h[k], s[k], noise[k])
                    good = good and cholesky(s[k], dim, low[k])
                if not good:
                    break
            total, inside = 0.0, False
            for k in range(kinds):
                innovation(sensor, plots[j], z[k], y)
                d2, log_density = gauss(low[k], dim, y)
                inside = inside or d2 < GATE2
                total += row["phase"][k] * seen[j] * math.exp(log_density)
            if not inside or total <= 0.0:
                continue
            log_odds = min(row["log_odds"] + math.log(total / density[j]), MOST_LOG_ODDS)
            # a chain that is no better than beginning anew from this plot is not worth a row
            worst, slot = max(log_odds, math.log(birth[j] / density[j])), -1
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
        if flat:
            looked[i] = _ungraded(sensor, detection)
            continue
        ahead = 0.0 if predicted else dt
        mean = row["mean"][middle]
        r, azimuth, elevation, _ = observe(
            sensor,
            mean[0] + ahead * mean[3],
            mean[1] + ahead * mean[4],
            mean[2] + ahead * mean[5],
            mean[3],
            mean[4],
            mean[5],
        )
        spread = bank[0, SPEED] * dt / r if row["hits"] == 1 else 0.01
        inside_wedge = wedge_share(azimuth, spread, wedge[0], wedge[1])
        shown = _ungraded(sensor, detection)
        if ordered:
            shown = believed_detection(detection, sensor, r, elevation)
        # a wedge that cuts the place where it may be says as much against it as it could have shown
        looked[i] = shown * inside_wedge


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
    bank: NDArray[np.float64],
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    sensor_index: int,
    azimuth_from: float,
    azimuth_to: float,
    time_ns: int,
    plots: NDArray[np.float64],
    identity: NDArray[np.int64],
    density: NDArray[np.float64],
    claimed: NDArray[np.float64],
    birth: NDArray[np.float64],
) -> tuple[int, int]:
    """Continue, branch and begin tentative rows of one sensor, among rows 0..used.

    density, birth (m,): of clutter and of new objects, at each plot, in measurement space.

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
        bank,
        sensor,
        detection,
        sensor_index,
        wedge,
        time_ns,
        plots,
        density,
        claimed,
        birth,
        parents,
        odds,
        looked,
    )
    next_free, lost = 0, 0
    begins = can_begin(sensor)
    for j in range(m):
        if claimed[j] > FREE_SHARE:
            continue
        for b in range(BRANCHES + 1):  # the chains that this plot continues, and last the one that it begins
            if (b < BRANCHES and parents[j, b] < 0) or (b == BRANCHES and not begins):
                continue
            i = _free_row(table, next_free)
            if i < 0:
                lost += 1
                continue
            next_free = i + 1
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
    for i in range(used):
        row = table[i]
        if row["life"] != TENTATIVE:
            continue
        if looked[i] > 0.0:
            row["misses"] += 1 if looked[i] > 0.5 else 0
            row["log_odds"] += math.log(1.0 - min(looked[i], 0.999))
        unseen = (time_ns - row["seen_ns"]) * 1e-9
        # also where no look reaches any more: a chain that left the cover would stay for good
        stale = row["sensor"] == sensor_index and unseen > STALE_SCANS * sensor[PERIOD]
        if row["misses"] > GIVE_UP_MISSES or row["log_odds"] < GIVE_UP_LOG_ODDS or stale:
            row["life"] = FREE
    return lost, top


@njit(cache=True)
def confirm(table: NDArray[np.void], used: int, rules: NDArray[np.float64], next_number: int) -> int:
    """Confirm the chains that are good enough, best first, and drop those that share their plots.

    Returns the next track number.
    """
    while True:
        best, best_odds = -1, rules[CONFIRM]
        for i in range(used):
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
