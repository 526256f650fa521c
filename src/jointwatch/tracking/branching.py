"""Branching: which tentative chains each plot of a look may continue, and how likely each is then.

In: the table, a look's plots with the densities of clutter and of new objects at each; out: for every plot
the few best chains it may continue with their log odds, and for every chain how surely the look should have
shown it.  A grid over the plots gives each chain those in its own reach; cheap bounds (`reach`) turn most of
them away; what is left is predicted and weighed in all motions.  However dense the plots, each is weighed
against no more than WEIGHED chains; what grows with the square of a crowd is only the look at distances.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.motion.gaussian import cholesky
from jointwatch.motion.phases import N
from jointwatch.sensing.expectation import SIZE, D, expect, innovation
from jointwatch.sensing.radar import (
    ACROSS,
    COMPONENT,
    DETECTION,
    DIMENSION,
    ELEVATION_MAX,
    ELEVATION_MIN,
    IN_RANGE,
    IN_RATE,
    PERIOD,
    ROTATION,
    UPWARD,
    measures,
    observe,
    position_of_plot,
)
from jointwatch.tracking.bank import SPEED
from jointwatch.tracking.detection import believed_detection, detection_factor
from jointwatch.tracking.gating import GATE2
from jointwatch.tracking.index import build, within
from jointwatch.tracking.interaction import mix, predict_row
from jointwatch.tracking.looks import SURELY_SEEN, may_be_seen, wedge_share
from jointwatch.tracking.reach import (
    BOUNDS,
    bound_motions,
    can_bound,
    log_likelihood_bound,
    log_peak_bound,
    reach_of,
    steady_pull,
)
from jointwatch.tracking.table import PHASE_COUNT, TENTATIVE
from jointwatch.tracking.update import gauss

OTHERS_HITS = 2
"""From so many plots on, a chain knows its velocity well enough to be continued by the node's other
sensors."""
STALE_SCANS, STALE_S = 3.5, 120.0
"""A chain without a plot for so many scans of its own sensor, or so long, is given up."""
BRANCHES = 4
"""Most chains kept that end in the same plot."""
WEIGHED = 64
"""Most chains that a plot is weighed against in one look, those of most plots first: in a crowd that dense
the few that are kept are as good as any."""
MOST_LOG_ODDS = 100.0
"""Log odds of a tentative chain are capped here; a confirmed track begins at the cap of the rules."""
CELL_M, CELL_RAD = 10e3, 0.1
"""Sides of the grid's cells: about a usual reach in range, and across at usual ranges."""
NOTHING_SIGMAS = 9.0
"""So far out a normal distribution's tail is lost beside 1."""
MANY, NARROW_TURN = 16, 0.5
"""The grid is asked where more plots than this share a row's reach in their first value, and its reach in
the second is less than this part of what they spread over; else looking at each is cheaper."""


class Branches(NamedTuple):
    """What each plot of a look may continue, and how surely the look should have shown each chain."""

    rows: NDArray[np.int64]  # (n,) tentative rows of the table, ascending
    looked: NDArray[np.float64]  # (n,) probability that the look should have shown it; -1: not concerned
    parents: NDArray[np.int64]  # (m, BRANCHES) rows that each plot may continue, -1: none
    odds: NDArray[np.float64]  # (m, BRANCHES) log odds of each then
    rivals: NDArray[np.float64]  # (m,) density of plots of objects not confirmed yet, over clutter's
    work: NDArray[np.int64]  # (3,) pairs within reach, rows predicted, pairs weighed


class Places(NamedTuple):
    """What a look's plots say of where they are, worked out once: by plot (m, ...)."""

    position: NDArray[np.float64]  # (m, 3) m; of a line of sight alone, nought
    direction: NDArray[np.float64]  # (m, 3) unit vector from the sensor
    seen: NDArray[np.float64]  # (m,) probability that what is there gives a plot


@njit(cache=True)
def _ungraded(sensor: NDArray[np.float64], detection: NDArray[np.float64]) -> float:
    """Probability of a plot for a sensor whose detection does not fall with a range that it measures."""
    return float(min(sensor[DETECTION] * detection_factor(detection, sensor, 0.0), SURELY_SEEN))


@njit(cache=True)
def places_of(
    sensor: NDArray[np.float64], detection: NDArray[np.float64], plots: NDArray[np.float64]
) -> Places:
    """Where plots (m, PLOT) are; what measures no elevation saw them in the middle of its cover."""
    m = plots.shape[0]
    position, direction, seen = np.empty((m, 3)), np.zeros((m, 3)), np.empty(m)
    flat, ordered = int(sensor[COMPONENT]) > IN_RATE, int(sensor[COMPONENT]) == IN_RANGE
    raised = measures(sensor, UPWARD)
    up = 0.5 * (sensor[ELEVATION_MIN] + sensor[ELEVATION_MAX])
    for j in range(m):
        if flat:
            position[j] = plots[j, :3]
            seen[j] = _ungraded(sensor, detection)
            continue
        elevation = plots[j, 2] if raised else up
        position[j, 0], position[j, 1], position[j, 2] = position_of_plot(
            sensor, plots[j, 0], plots[j, 1], elevation
        )
        apart = math.sqrt(((position[j] - sensor[:3]) ** 2).sum())
        if apart > 0.0:
            direction[j] = (position[j] - sensor[:3]) / apart
        if ordered:
            seen[j] = believed_detection(detection, sensor, plots[j, 0], elevation)
        else:
            seen[j] = _ungraded(sensor, detection)
    return Places(position, direction, seen)


class Weigher(NamedTuple):
    """What the sensor should measure of one row, by motion; filled anew for each."""

    z: NDArray[np.float64]
    h: NDArray[np.float64]
    s: NDArray[np.float64]
    noise: NDArray[np.float64]
    low: NDArray[np.float64]
    y: NDArray[np.float64]


@njit(cache=True)
def _new_weigher() -> Weigher:
    return Weigher(
        np.empty((PHASE_COUNT, SIZE)),
        np.empty((PHASE_COUNT, D, 6)),
        np.empty((PHASE_COUNT, D, D)),
        np.empty((PHASE_COUNT, D, D)),
        np.zeros((PHASE_COUNT, D, D)),
        np.empty(D),
    )


@njit(cache=True)
def _expect_row(weigher: Weigher, kinds: int, sensor: NDArray[np.float64], row: np.void) -> bool:
    """Fill the weigher from a predicted row; False where a covariance is none."""
    good = True
    for k in range(kinds):
        expect(
            sensor, row["mean"][k], row["covariance"][k], weigher.z[k], weigher.h[k], weigher.s[k],
            weigher.noise[k],
        )  # fmt: skip
        good = good and cholesky(weigher.s[k], int(sensor[DIMENSION]), weigher.low[k])
    return good


@njit(cache=True)
def _weigh(
    weigher: Weigher,
    kinds: int,
    sensor: NDArray[np.float64],
    row: np.void,
    plot: NDArray[np.float64],
    seen: float,
) -> float:
    """Density of a plot (PLOT,) under a row that is seen so surely; 0 outside the gate of every motion."""
    total, inside = 0.0, False
    for k in range(kinds):
        innovation(sensor, plot, weigher.z[k], weigher.y)
        d2, log_density = gauss(weigher.low[k], int(sensor[DIMENSION]), weigher.y)
        inside = inside or d2 < GATE2
        total += row["phase"][k] * seen * math.exp(log_density)
    return total if inside else 0.0


@njit(cache=True)
def _keep_best(parents: NDArray[np.int64], odds: NDArray[np.float64], row: int, log_odds: float) -> None:
    """Put a row among the best BRANCHES of one plot, if it is one of them."""
    worst, slot = log_odds, -1
    for b in range(BRANCHES):
        if parents[b] < 0:
            slot = b
            break
        if odds[b] < worst:
            worst, slot = odds[b], b
    if slot >= 0:
        parents[slot], odds[slot] = row, log_odds


@njit(cache=True)
def _of_many_first(table: NDArray[np.void], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order of rows (n,): those of several plots, then those of one, each as they stand in the table."""
    n = len(rows)
    order = np.empty(n, np.int64)
    front = 0
    for a in range(n):
        if table[rows[a]]["hits"] > 1:
            order[front] = a
            front += 1
    for a in range(n):
        if table[rows[a]]["hits"] <= 1:
            order[front] = a
            front += 1
    return order


@njit(cache=True)
def _azimuths(sensor: NDArray[np.float64], mean: NDArray[np.float64], reach: float) -> tuple[float, float]:
    """Azimuths (rad) between which a place within reach of a mean is seen; a turn where that is all."""
    dx, dy, dz = mean[0] - sensor[0], mean[1] - sensor[1], mean[2] - sensor[2]
    e = sensor[ROTATION] * dx + sensor[ROTATION + 1] * dy + sensor[ROTATION + 2] * dz
    n = sensor[ROTATION + 3] * dx + sensor[ROTATION + 4] * dy + sensor[ROTATION + 5] * dz
    level = math.hypot(e, n)
    if not reach < level:
        return 0.0, 2.0 * math.pi
    middle, half = math.atan2(e, n), math.asin(reach / level) + 1e-9
    return middle - half, middle + half


@njit(cache=True)
def _far_off(
    m: NDArray[np.float64],
    ahead: float,
    spread_m: float,
    sensor: NDArray[np.float64],
    wedge: tuple[float, float],
) -> bool:
    """Whether a place is so many sigmas outside the wedge that its share there is nought to the last bit."""
    dx = m[0] + ahead * m[3] - sensor[0]
    dy = m[1] + ahead * m[4] - sensor[1]
    dz = m[2] + ahead * m[5] - sensor[2]
    e = sensor[ROTATION] * dx + sensor[ROTATION + 1] * dy + sensor[ROTATION + 2] * dz
    n = sensor[ROTATION + 3] * dx + sensor[ROTATION + 4] * dy + sensor[ROTATION + 5] * dz
    half = 0.5 * ((wedge[1] - wedge[0]) % (2.0 * math.pi))
    level, r = math.hypot(e, n), math.sqrt(dx * dx + dy * dy + dz * dz)
    reach = half + NOTHING_SIGMAS * spread_m / r
    if half == 0.0 or reach >= math.pi:
        return False
    middle = wedge[0] + half
    return bool(e * math.sin(middle) + n * math.cos(middle) < level * math.cos(reach))


@njit(cache=True)
def _shown(
    row: np.void,
    speed: float,
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    wedge: tuple[float, float],
    m: NDArray[np.float64],
    ahead: float,
    dt: float,
) -> float:
    """How surely a look should have shown a row of mean m (>= 6,), `ahead` seconds before the look."""
    shown = _ungraded(sensor, detection)
    if int(sensor[COMPONENT]) > IN_RATE:
        return shown
    if row["hits"] == 1 and _far_off(m, ahead, speed * dt, sensor, wedge):
        return 0.0
    r, azimuth, elevation, _ = observe(
        sensor, m[0] + ahead * m[3], m[1] + ahead * m[4], m[2] + ahead * m[5], m[3], m[4], m[5]
    )
    spread = speed * dt / r if row["hits"] == 1 else 0.01
    # a wedge that cuts the place where it may be says as much against it as it could have shown
    inside = wedge_share(azimuth, spread, wedge[0], wedge[1])
    if inside > 0.0 and int(sensor[COMPONENT]) == IN_RANGE:
        shown = believed_detection(detection, sensor, r, elevation)
    return shown * inside


@njit(cache=True)
def tentative_rows(table: NDArray[np.void], used: int) -> NDArray[np.int64]:
    """Tentative ones among rows 0..used (n,), ascending."""
    rows = np.empty(used, np.int64)
    n = 0
    for i in range(used):
        if table[i]["life"] == TENTATIVE:
            rows[n] = i
            n += 1
    return rows[:n]


@njit(cache=True)
def find_parents(
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
    birth: NDArray[np.float64],
) -> Branches:
    """Find, for each plot, the best of the tentative rows that it may continue, among rows 0..used.

    density, birth (m,): of clutter and of new objects, at each plot, in measurement space.  Rows that some
    plot may continue are predicted to time_ns.
    """
    rows = tentative_rows(table, used)
    parents, odds = np.full((len(plots), BRANCHES), -1, np.int64), np.zeros((len(plots), BRANCHES))
    looked = np.full(len(rows), -1.0)
    m, kinds = plots.shape[0], bank.shape[0]
    flat = int(sensor[COMPONENT]) > IN_RATE
    ordered = flat or int(sensor[COMPONENT]) == IN_RANGE
    places = places_of(sensor, detection, plots)
    middle = min(1, kinds - 1)
    rated = ordered and not flat and measures(sensor, IN_RATE)
    gridded = ordered and (measures(sensor, ACROSS) if not flat else int(sensor[DIMENSION]) > 1)
    bounded = can_bound(sensor, bank)
    cell, period = (CELL_M, 0.0) if flat else (CELL_RAD, 2.0 * math.pi)
    first_value, second_value = plots[:, 0].copy(), plots[:, 1].copy()
    index = build(first_value, second_value, CELL_M, cell, period)
    spread = second_value.max() - second_value.min() if m > 0 else 0.0
    log_birth = np.log(birth)
    least_birth = log_birth.min() if m > 0 else 0.0
    means, covs, phase = np.empty((kinds, N)), np.empty((kinds, N, N)), np.empty(kinds)
    bounds = np.empty((kinds, BOUNDS))
    weigher = _new_weigher()
    begun, then = np.empty(2), np.empty(2)
    weighed = np.zeros(m, np.int64)
    everything = np.arange(m)
    counts = np.zeros(3, np.int64)
    # chains of several plots first: where a crowd's plots take no more, those of one plot go without
    for a in _of_many_first(table, rows):
        row = table[rows[a]]
        if row["sensor"] != sensor_index and row["hits"] < OTHERS_HITS:
            continue
        dt = (time_ns - row["time_ns"]) * 1e-9
        # one so old is given up when this look is done: its prediction would be nothing but cost
        if dt <= 0.0 or dt > max(STALE_SCANS * sensor[PERIOD], STALE_S):
            continue
        if row["hits"] > 1 and not may_be_seen(row, sensor, wedge[0], wedge[1], time_ns):
            continue
        mean = row["mean"][middle]
        x0, y0, z0 = mean[0], mean[1], mean[2]
        value, near, rate, steady, reach = reach_of(mean, bank[0, SPEED], sensor, dt)
        single = row["hits"] == 1 and rated
        if single:
            begun[0], _, _, begun[1] = observe(sensor, x0, y0, z0, mean[3], mean[4], mean[5])
        predicted, good, ready = False, True, False
        # plots come in order of their first value; where that alone leaves many, the grid narrows them
        start, stop = np.int64(0), np.int64(m)
        if ordered:
            start = np.searchsorted(first_value, value - near)
            stop = np.searchsorted(first_value, value + near)
        candidates = everything[start:stop]
        if gridded and stop - start > MANY:
            if flat:
                low, high = y0 - reach, y0 + reach
            else:
                low, high = _azimuths(sensor, mean, reach)
            if high - low < NARROW_TURN * spread:
                candidates = within(index, value - near, value + near, low, high)
        for j in candidates:
            if places.seen[j] <= 0.0 or abs(plots[j, 3] - rate) > steady:
                continue
            at = places.position[j]
            apart2 = (at[0] - x0) ** 2 + (at[1] - y0) ** 2 + (at[2] - z0) ** 2
            if (ordered and apart2 > reach * reach) or weighed[j] >= WEIGHED:
                continue
            if single:
                then[0], then[1] = plots[j, 0], plots[j, 3]
                if not steady_pull(sensor, begun, then, dt):
                    continue
            counts[0] += 1
            if bounded and not predicted:
                if not ready:
                    means[:], covs[:] = row["mean"][:kinds], row["covariance"][:kinds]
                    phase[:] = row["phase"][:kinds]
                    if kinds > 1:
                        mix(bank, means, covs, phase, dt)
                    bound_motions(bank, sensor, means, covs, dt, bounds)
                    ready = True
                    if row["log_odds"] + log_peak_bound(phase, bounds) < least_birth:
                        break
                toward = places.direction[j]
                bound = log_likelihood_bound(phase, bounds, plots[j, 0], (toward[0], toward[1], toward[2]))
                if row["log_odds"] + bound + math.log(places.seen[j]) < log_birth[j]:
                    continue
            if not predicted:
                predict_row(bank, row, time_ns)
                good = _expect_row(weigher, kinds, sensor, row)
                predicted = True
                counts[1] += 1
            if not good:
                break
            counts[2] += 1
            weighed[j] += 1
            total = _weigh(weigher, kinds, sensor, row, plots[j], places.seen[j])
            if total <= 0.0:
                continue
            log_odds = min(row["log_odds"] + math.log(total / density[j]), MOST_LOG_ODDS)
            # a chain that is no better than beginning anew from this plot is not worth a row
            if log_odds >= math.log(birth[j] / density[j]):
                _keep_best(parents[j], odds[j], rows[a], log_odds)
        looked[a] = _shown(
            row, bank[0, SPEED], sensor, detection, wedge, row["mean"][middle], 0.0 if predicted else dt, dt
        )
    return Branches(rows, looked, parents, odds, _rivals(table, parents, odds), counts)


@njit(cache=True)
def _rivals(
    table: NDArray[np.void], parents: NDArray[np.int64], odds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Density (m,) of plots of objects that exist and are not confirmed yet, over that of clutter.

    Chains that end in one plot are one object told in several ways, so only the likeliest counts.
    """
    out = np.zeros(len(parents))
    for j in range(len(parents)):
        for b in range(BRANCHES):
            if parents[j, b] >= 0:
                before = table[parents[j, b]]["log_odds"]
                out[j] = max(out[j], math.exp(odds[j, b]) / (1.0 + math.exp(before)))
    return out
