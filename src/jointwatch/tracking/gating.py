"""Gates: rows predicted to a look, and which of its plots each may have given, with what weight.

In: rows of the table, a sensor's parameter row, the wedge looked at and its plots in order of their first
value; out: the rows predicted in place, what the sensor should measure of each, and every gated pair of a row
and a plot.  A plot that lies in the gate of one motion is weighed in all of a row's: a gate for each would
decide between them by a hair's breadth at its edge.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.motion.gaussian import cholesky
from jointwatch.sensing.expectation import RANGE, SIZE, D, expect, innovation
from jointwatch.sensing.radar import COMPONENT, DIMENSION, IN_RANGE, IN_RATE
from jointwatch.tracking.interaction import predict_row
from jointwatch.tracking.looks import look_probability
from jointwatch.tracking.rows import existence_of
from jointwatch.tracking.table import PHASE_COUNT
from jointwatch.tracking.update import gauss

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
GATE2 = 25.0
"""Squared gate: a plot of the track falls outside it 5e-5 of the time (chi-square, 4 degrees of freedom)."""
LEAST_SEEN = 1e-3
"""A row that a look shows with less probability is not asked about."""


class Gated(NamedTuple):
    """n rows and their gated pairs; those of row i are first[i] : first[i + 1], by their plots."""

    row: Ints  # (n,) in the table
    z: Floats  # (n, PHASE_COUNT, SIZE) what the sensor should measure (`sensing.expectation`)
    h: Floats  # (n, PHASE_COUNT, D, 6)
    s: Floats  # (n, PHASE_COUNT, D, D)
    noise: Floats  # (n, PHASE_COUNT, D, D)
    pd: Floats  # (n, PHASE_COUNT) probability that the look shows it, in each motion
    seen: Floats  # (n,) the same over all motions; 0 for rows that the look does not concern
    range_m: Floats  # (n,) expected
    miss: Floats  # (n,) weight of giving no plot: 1 - existence * seen
    first: Ints  # (n + 1,)
    plot: Ints  # (pairs,)
    weight: Floats  # (pairs,) relative to the plot being clutter
    share: Floats  # (pairs, PHASE_COUNT) each motion's part of the weight


@njit(cache=True)
def gate(
    table: NDArray[np.void],
    rows: Ints,
    bank: Floats,
    sensor: Floats,
    detection: Floats,
    azimuth_from: float,
    azimuth_to: float,
    time_ns: int,
    plots: Floats,
    density: Floats,
) -> Gated:
    """Predict rows (n,) to time_ns and gate plots (m, PLOT), in order of their first value.

    density (m,): clutter's, at each plot, in measurement space; detection: what is learned of the sensor's.
    """
    n, m, kinds, dim = len(rows), plots.shape[0], bank.shape[0], int(sensor[DIMENSION])
    z = np.empty((n, PHASE_COUNT, SIZE))
    h = np.empty((n, PHASE_COUNT, D, 6))
    s = np.empty((n, PHASE_COUNT, D, D))
    noise = np.empty((n, PHASE_COUNT, D, D))
    low = np.zeros((PHASE_COUNT, D, D))
    y = np.empty(D)
    pd = np.zeros((n, PHASE_COUNT))
    seen, range_m, miss = np.zeros(n), np.zeros(n), np.ones(n)
    first = np.zeros(n + 1, np.int64)
    first_value = plots[:, 0].copy()
    ordered = int(sensor[COMPONENT]) == IN_RANGE or int(sensor[COMPONENT]) > IN_RATE
    capacity = 64
    plot, weight, share = (
        np.empty(capacity, np.int64), np.empty(capacity), np.empty((capacity, PHASE_COUNT)),
    )  # fmt: skip
    pairs = 0
    for a in range(n):
        first[a] = pairs
        row = table[rows[a]]
        predict_row(bank, row, time_ns)
        good = True
        for k in range(kinds):
            expect(sensor, row["mean"][k], row["covariance"][k], z[a, k], h[a, k], s[a, k], noise[a, k])
            good = good and cholesky(s[a, k], dim, low[k])
            pd[a, k] = look_probability(sensor, detection, z[a, k], azimuth_from, azimuth_to)
            seen[a] += row["phase"][k] * pd[a, k]
            range_m[a] += row["phase"][k] * z[a, k, RANGE]
        if not good or seen[a] < LEAST_SEEN:
            seen[a] = 0.0
            continue
        existence = existence_of(row)
        miss[a] = 1.0 - existence * min(seen[a], 1.0 - 1e-9)
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
                plot = np.append(plot, np.empty(pairs, np.int64))
                weight = np.append(weight, np.empty(pairs))
                wider = np.empty((capacity, PHASE_COUNT))
                wider[:pairs] = share[:pairs]
                share = wider
            inside, total = False, 0.0
            for k in range(kinds):
                innovation(sensor, plots[j], z[a, k], y)
                d2, log_density = gauss(low[k], dim, y)
                share[pairs, k] = math.exp(log_density) * row["phase"][k] * pd[a, k]
                total += share[pairs, k]
                inside = inside or d2 < GATE2
            if not inside:
                continue
            for k in range(kinds):
                share[pairs, k] /= max(total, 1e-300)
            plot[pairs] = j
            weight[pairs] = existence * total / density[j]
            pairs += 1
    first[n] = pairs
    return Gated(
        rows, z, h, s, noise, pd, seen, range_m, miss, first, plot[:pairs], weight[:pairs], share[:pairs]
    )
