"""One sector's work on confirmed tracks: predict, gate, associate, update, existence.

In: the table, a sensor's parameter row, the wedge looked at and its plots in order of their first value; out:
the rows brought up to date in place, the share of each plot that confirmed tracks claim, and which rows were
looked at.  A plot that lies in the gate of one motion is weighed in all of a row's: a gate for each would
decide between them by a hair's breadth at its edge.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.motion.gaussian import cholesky
from jointwatch.sensing.expectation import RANGE, SIZE, D, expect, innovation
from jointwatch.sensing.radar import COMPONENT, DIMENSION, IN_RANGE, IN_RATE
from jointwatch.tracking.associate import marginals, marginals_apart
from jointwatch.tracking.interaction import predict_row
from jointwatch.tracking.looks import look_probability, may_be_seen
from jointwatch.tracking.rules import APART, SURE
from jointwatch.tracking.table import CONFIRMED, EVIDENCE, PHASE_COUNT
from jointwatch.tracking.update import gauss, update_phase

Floats = NDArray[np.float64]
GATE2 = 25.0
"""Squared gate: a plot of the track falls outside it 5e-5 of the time (chi-square, 4 degrees of freedom)."""


@njit(cache=True)
def update_confirmed(
    table: NDArray[np.void],
    used: int,
    bank: NDArray[np.float64],
    rules: NDArray[np.float64],
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    azimuth_from: float,
    azimuth_to: float,
    time_ns: int,
    plots: NDArray[np.float64],
    identity: NDArray[np.int64],
    density: NDArray[np.float64],
) -> tuple[
    NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]
]:
    """Update confirmed rows 0..used with plots (m, PLOT) in order of their first value.

    density: clutter's, at each plot, in measurement space; detection: what is learned of the sensor's.
    Returns (m,) shares of the plots claimed; and of the n rows that should have been seen: their indices, the
    probability that the look shows each (if it exists), the probability that it did, and the expected range.
    """
    m, kinds, dim = plots.shape[0], bank.shape[0], int(sensor[DIMENSION])
    rows = np.empty(used, np.int64)
    n = 0
    for i in range(used):
        if table[i]["life"] == CONFIRMED and may_be_seen(table[i], sensor, azimuth_from, azimuth_to, time_ns):
            rows[n] = i
            n += 1
    z = np.empty((n, PHASE_COUNT, SIZE))
    h = np.empty((n, PHASE_COUNT, D, 6))
    s = np.empty((n, PHASE_COUNT, D, D))
    noise = np.empty((n, PHASE_COUNT, D, D))
    low = np.zeros((PHASE_COUNT, D, D))
    y = np.empty(D)
    pd = np.zeros((n, PHASE_COUNT))
    seen = np.zeros(n)
    ranges = np.zeros(n)
    first_value = plots[:, 0].copy()
    ordered = int(sensor[COMPONENT]) == IN_RANGE or int(sensor[COMPONENT]) > IN_RATE
    capacity = 64
    pair_track = np.empty(capacity, np.int64)
    pair_plot = np.empty(capacity, np.int64)
    likelihood = np.empty((capacity, PHASE_COUNT))
    pairs = 0
    for a in range(n):
        row = table[rows[a]]
        predict_row(bank, row, time_ns)
        good = True
        for k in range(kinds):
            expect(sensor, row["mean"][k], row["covariance"][k], z[a, k], h[a, k], s[a, k], noise[a, k])
            good = good and cholesky(s[a, k], dim, low[k])
            pd[a, k] = look_probability(sensor, detection, z[a, k], azimuth_from, azimuth_to)
            seen[a] += row["phase"][k] * pd[a, k]
            ranges[a] += row["phase"][k] * z[a, k, RANGE]
        if not good or seen[a] < 1e-3:
            seen[a] = 0.0
            continue
        start, stop = np.int64(0), np.int64(m)
        if ordered:
            near, far = 1e300, -1e300
            for k in range(kinds):
                reach = math.sqrt(GATE2 * s[a, k, 0, 0])
                near, far = min(near, z[a, k, RANGE] - reach), max(far, z[a, k, RANGE] + reach)
            start, stop = np.searchsorted(first_value, near), np.searchsorted(first_value, far)
        for j in range(start, stop):
            if pairs == capacity:
                capacity *= 2
                pair_track = np.append(pair_track, np.empty(pairs, np.int64))
                pair_plot = np.append(pair_plot, np.empty(pairs, np.int64))
                wider = np.empty((capacity, PHASE_COUNT))
                wider[:pairs] = likelihood[:pairs]
                likelihood = wider
            inside = False
            for k in range(kinds):
                innovation(sensor, plots[j], z[a, k], y)
                d2, log_density = gauss(low[k], dim, y)
                likelihood[pairs, k] = math.exp(log_density)
                inside = inside or d2 < GATE2
            if inside:
                pair_track[pairs] = a
                pair_plot[pairs] = j
                pairs += 1

    weight = np.zeros(pairs)
    miss = np.ones(n)
    for a in range(n):
        existence = 1.0 / (1.0 + math.exp(-table[rows[a]]["log_odds"]))
        miss[a] = 1.0 - existence * min(seen[a], 1.0 - 1e-9)
    for e in range(pairs):
        row = table[rows[pair_track[e]]]
        existence = 1.0 / (1.0 + math.exp(-row["log_odds"]))
        for k in range(kinds):
            likelihood[e, k] *= row["phase"][k] * pd[pair_track[e], k]
            weight[e] += likelihood[e, k]
        for k in range(kinds):
            likelihood[e, k] /= max(weight[e], 1e-300)  # now each motion's share of the pair
        weight[e] *= existence / density[pair_plot[e]]
    if rules[APART] > 0.0:
        belief, none = marginals_apart(pair_track[:pairs], pair_plot[:pairs], weight, miss, m)
    else:
        belief, none = marginals(pair_track[:pairs], pair_plot[:pairs], weight, miss, m)

    claimed = np.zeros(m)
    gave = np.zeros(n)
    first = 0
    for a in range(n):
        last = first
        while last < pairs and pair_track[last] == a:
            last += 1
        if seen[a] > 0.0:
            _update_row(
                table[rows[a]],
                bank,
                rules,
                sensor,
                plots,
                identity,
                time_ns,
                pair_plot[first:last],
                belief[first:last],
                likelihood[first:last],
                none[a],
                pd[a],
                seen[a],
                z[a],
                h[a],
                s[a],
                noise[a],
            )
            for e in range(first, last):
                claimed[pair_plot[e]] += belief[e]
                gave[a] += belief[e]
        first = last
    looked = seen > 0.0
    return claimed, rows[:n][looked], seen[looked], gave[looked], ranges[looked]


@njit(cache=True)
def _update_row(
    row: np.void,
    bank: NDArray[np.float64],
    rules: NDArray[np.float64],
    sensor: NDArray[np.float64],
    plots: NDArray[np.float64],
    identity: NDArray[np.int64],
    time_ns: int,
    pair_plot: NDArray[np.int64],
    belief: NDArray[np.float64],
    phase_share: NDArray[np.float64],
    none: float,
    pd: NDArray[np.float64],
    seen: float,
    z: NDArray[np.float64],
    h: NDArray[np.float64],
    s: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> None:
    """Update motions, their probabilities, existence and counts of one row with its weighted plots."""
    kinds = bank.shape[0]
    existence = 1.0 / (1.0 + math.exp(-row["log_odds"]))
    # no plot came: either it exists and was missed, or it does not exist
    missed = none * existence * (1.0 - seen) / max(1.0 - existence * seen, 1e-300)
    absent = max(none - missed, 1e-300)
    row["log_odds"] = min(max(math.log(max(1.0 - absent, 1e-300) / absent), -rules[SURE]), rules[SURE])

    # given that it exists, the weights of "missed" and of each plot, split over the motions
    exists = max(1.0 - absent, 1e-300)
    count = len(pair_plot)
    subset = np.empty((count, plots.shape[1]))
    weights = np.empty(count)
    total_phase = np.zeros(PHASE_COUNT)
    best, best_belief = -1, 0.0
    for e in range(count):
        subset[e] = plots[pair_plot[e]]
        if belief[e] > best_belief:
            best, best_belief = pair_plot[e], belief[e]
    for k in range(kinds):
        quiet = missed / exists * row["phase"][k] * (1.0 - pd[k]) / max(1.0 - seen, 1e-9)
        total = quiet
        for e in range(count):
            weights[e] = belief[e] / exists * phase_share[e, k]
            total += weights[e]
        total_phase[k] = total
        if total > 1e-12 and count > 0:
            for e in range(count):
                weights[e] /= total
            update_phase(
                sensor,
                row["mean"][k],
                row["covariance"][k],
                subset,
                weights,
                quiet / total,
                z[k],
                h[k],
                s[k],
                noise[k],
            )
    total = 0.0
    for k in range(kinds):
        total_phase[k] = max(total_phase[k], 1e-9)
        total += total_phase[k]
    for k in range(kinds):
        row["phase"][k] = total_phase[k] / total
    if best_belief > 0.5:
        row["hits"] += 1
        row["misses"] = 0
        row["seen_ns"] = time_ns
        for i in range(EVIDENCE - 1, 0, -1):
            row["evidence"][i] = row["evidence"][i - 1]
        row["evidence"][0] = identity[best]
    elif seen > 0.5:
        row["misses"] += 1
