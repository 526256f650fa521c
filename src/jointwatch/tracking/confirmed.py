"""One sector's work on confirmed tracks: predict, gate, associate, update, existence, duplicates.

In: the table, a sensor's parameter row, the wedge looked at and its plots sorted by range; out: the rows
brought up to date in place, the share of each plot that confirmed tracks claim, and which rows were looked
at.  Plots are found through their order in range, so a gate costs a binary search and its own plots.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.sensing.coverage import detection_probability
from jointwatch.sensing.radar import (
    ELEVATION_MAX,
    ELEVATION_MIN,
    RANGE_MAX,
    SIGMA_AZIMUTH,
    SIGMA_ELEVATION,
    observe,
)
from jointwatch.tracking.associate import marginals
from jointwatch.tracking.filter import D, cholesky, expect, gauss, innovation, predict_row, update_phase
from jointwatch.tracking.table import CONFIRMED, EVIDENCE, FREE, PHASE_COUNT

GATE2 = 25.0
"""Squared gate: a plot of the track falls outside it 5e-5 of the time (chi-square, 4 degrees of freedom)."""
SURE = math.log(1e4)
"""Log odds of existence are held within plus and minus this: what was ever so sure can still be doubted after
a few looks that should have shown it."""
SURELY_SEEN = 0.999
"""No look is believed to show an object more surely than this, whatever its sensor states: a track that
turned harder than its gate allows has to outlive the look that missed it."""
NEAR2 = 3.0
NEAR_LOOKS = 3


@njit(cache=True)
def wedge_share(azimuth: float, sigma: float, azimuth_from: float, azimuth_to: float) -> float:
    """Probability that a normal azimuth (rad) lies in the wedge from..to (clockwise)."""
    two_pi = 2.0 * math.pi
    width = (azimuth_to - azimuth_from) % two_pi
    if width == 0.0:
        return 1.0
    off = (azimuth - azimuth_from - 0.5 * width + 3.0 * math.pi) % two_pi - math.pi
    scale = 1.0 / (math.sqrt(2.0) * max(sigma, 1e-9))
    return 0.5 * (math.erf((0.5 * width - off) * scale) + math.erf((0.5 * width + off) * scale))


@njit(cache=True)
def elevation_share(sensor: NDArray[np.float64], elevation: float, sigma: float) -> tuple[float, float]:
    """The elevation (rad) brought inside coverage, and the probability that a normal one about it is inside.

    At the edge of coverage a look that gave nothing says little; a hard edge would let it decide between two
    phases that expect the object a hair above and a hair below.
    """
    scale = 1.0 / (math.sqrt(2.0) * max(sigma, 1e-9))
    low, high = sensor[ELEVATION_MIN], sensor[ELEVATION_MAX]
    share = 0.5 * (math.erf((high - elevation) * scale) + math.erf((elevation - low) * scale))
    return min(max(elevation, low), high), max(share, 0.0)


@njit(cache=True)
def may_be_seen(
    row: np.void, sensor: NDArray[np.float64], azimuth_from: float, azimuth_to: float, time_ns: int
) -> bool:
    """Whether a row, moved on in a straight line, may lie in the wedge: a cheap test before predicting it."""
    best = 0
    for k in range(1, PHASE_COUNT):
        if row["phase"][k] > row["phase"][best]:
            best = k
    m = row["mean"][best]
    dt = (time_ns - row["time_ns"]) * 1e-9
    r, azimuth, _, _ = observe(sensor, m[0] + dt * m[3], m[1] + dt * m[4], m[2] + dt * m[5], m[3], m[4], m[5])
    if r > 1.05 * sensor[RANGE_MAX] + 20e3:
        return False
    slack = 0.04 + (8e3 + 20.0 * dt * dt) / max(r, 1e3)
    return wedge_share(azimuth, slack / 3.0, azimuth_from, azimuth_to) > 1e-4


@njit(cache=True)
def update_confirmed(
    table: NDArray[np.void],
    used: int,
    sensor: NDArray[np.float64],
    azimuth_from: float,
    azimuth_to: float,
    time_ns: int,
    plots: NDArray[np.float64],
    identity: NDArray[np.int64],
    density: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Update confirmed rows 0..used with plots (m, 4) sorted by range: (m,) shares claimed, rows seen."""
    m = plots.shape[0]
    rows = np.empty(used, np.int64)
    n = 0
    for i in range(used):
        if table[i]["life"] == CONFIRMED and may_be_seen(table[i], sensor, azimuth_from, azimuth_to, time_ns):
            rows[n] = i
            n += 1
    z = np.empty((n, PHASE_COUNT, D))
    h = np.empty((n, PHASE_COUNT, D, 6))
    s = np.empty((n, PHASE_COUNT, D, D))
    low = np.zeros((PHASE_COUNT, D, D))
    y = np.empty(D)
    pd = np.zeros((n, PHASE_COUNT))
    seen = np.zeros(n)
    ranges = plots[:, 0].copy()
    capacity = 64
    pair_track = np.empty(capacity, np.int64)
    pair_plot = np.empty(capacity, np.int64)
    likelihood = np.empty((capacity, PHASE_COUNT))
    pairs = 0
    for a in range(n):
        row = table[rows[a]]
        predict_row(row, time_ns)
        reach = 0.0
        good = True
        for k in range(PHASE_COUNT):
            expect(sensor, row["mean"][k], row["covariance"][k], z[a, k], h[a, k], s[a, k])
            good = good and cholesky(s[a, k], D, low[k])
            sigma = max(math.sqrt(max(s[a, k, 1, 1], 0.0)), sensor[SIGMA_AZIMUTH])
            sigma_elevation = max(math.sqrt(max(s[a, k, 2, 2], 0.0)), sensor[SIGMA_ELEVATION])
            inside, covered = elevation_share(sensor, z[a, k, 2], sigma_elevation)
            pd[a, k] = detection_probability(sensor, z[a, k, 0], inside) * covered
            pd[a, k] *= wedge_share(z[a, k, 1], sigma, azimuth_from, azimuth_to)
            pd[a, k] = min(pd[a, k], SURELY_SEEN)
            seen[a] += row["phase"][k] * pd[a, k]
        if not good or seen[a] < 1e-3:
            seen[a] = 0.0
            continue
        near, far = 1e12, 0.0
        for k in range(PHASE_COUNT):
            reach = math.sqrt(GATE2 * s[a, k, 0, 0])
            near, far = min(near, z[a, k, 0] - reach), max(far, z[a, k, 0] + reach)
        for j in range(np.searchsorted(ranges, near), np.searchsorted(ranges, far)):
            if pairs == capacity:
                capacity *= 2
                pair_track = np.append(pair_track, np.empty(pairs, np.int64))
                pair_plot = np.append(pair_plot, np.empty(pairs, np.int64))
                wider = np.empty((capacity, PHASE_COUNT))
                wider[:pairs] = likelihood[:pairs]
                likelihood = wider
            inside = False
            for k in range(PHASE_COUNT):
                innovation(plots[j], z[a, k], y)
                d2, log_density = gauss(low[k], y)
                # in the gate of one phase, a plot is weighed in all: a gate a phase would decide between
                # them by a hair's breadth at its edge
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
        for k in range(PHASE_COUNT):
            likelihood[e, k] *= row["phase"][k] * pd[pair_track[e], k]
            weight[e] += likelihood[e, k]
        for k in range(PHASE_COUNT):
            likelihood[e, k] /= max(weight[e], 1e-300)  # now each phase's share of the pair
        weight[e] *= existence / density[pair_plot[e]]
    belief, none = marginals(pair_track[:pairs], pair_plot[:pairs], weight, miss, m)

    claimed = np.zeros(m)
    share = np.zeros((PHASE_COUNT, m))
    first = 0
    for a in range(n):
        last = first
        while last < pairs and pair_track[last] == a:
            last += 1
        row = table[rows[a]]
        if seen[a] > 0.0:
            _update_row(
                row,
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
                share,
            )
            for e in range(first, last):
                claimed[pair_plot[e]] += belief[e]
        first = last
    _mark_near(table, rows[:n])
    return claimed, rows[:n][seen > 0.0]


@njit(cache=True)
def _update_row(
    row: np.void,
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
    share: NDArray[np.float64],
) -> None:
    """Update phases, their probabilities, existence and counts of one row with its weighted plots."""
    odds = math.exp(row["log_odds"])
    existence = odds / (1.0 + odds)
    # no plot came: either it exists and was missed, or it does not exist
    missed = none * existence * (1.0 - seen) / max(1.0 - existence * seen, 1e-300)
    absent = max(none - missed, 1e-300)
    row["log_odds"] = min(max(math.log(max(1.0 - absent, 1e-300) / absent), -SURE), SURE)

    # given that it exists, the weights of "missed" and of each plot, split over the phases
    exists = max(1.0 - absent, 1e-300)
    count = len(pair_plot)
    subset = np.empty((count, D))
    weights = np.empty(count)
    total_phase = np.zeros(PHASE_COUNT)
    best, best_belief = -1, 0.0
    for e in range(count):
        subset[e] = plots[pair_plot[e]]
        if belief[e] > best_belief:
            best, best_belief = pair_plot[e], belief[e]
    for k in range(PHASE_COUNT):
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
                sensor, row["mean"][k], row["covariance"][k], subset, weights, quiet / total, z[k], h[k], s[k]
            )
    total = 0.0
    for k in range(PHASE_COUNT):
        total_phase[k] = max(total_phase[k], 1e-9)
        total += total_phase[k]
    for k in range(PHASE_COUNT):
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


@njit(cache=True)
def _mark_near(table: NDArray[np.void], rows: NDArray[np.int64]) -> None:
    """Free the younger of two rows that for several looks could not be told apart: duplicates."""
    difference = np.empty(6)
    both = np.empty((6, 6))
    low = np.zeros((6, 6))
    for a in range(len(rows)):
        one = table[rows[a]]
        if one["life"] != CONFIRMED:
            continue
        close = False
        for b in range(len(rows)):
            other = table[rows[b]]
            if a == b or other["life"] != CONFIRMED or other["number"] > one["number"]:
                continue  # the older of the two (smaller number) stays
            k, l = 0, 0
            for c in range(1, PHASE_COUNT):
                if one["phase"][c] > one["phase"][k]:
                    k = c
                if other["phase"][c] > other["phase"][l]:
                    l = c
            apart2 = 0.0
            for i in range(6):
                difference[i] = one["mean"][k, i] - other["mean"][l, i]
                if i < 3:
                    apart2 += difference[i] * difference[i]
            if apart2 > 9e6:
                continue
            for i in range(6):
                for j in range(6):
                    both[i, j] = one["covariance"][k, i, j] + other["covariance"][l, i, j]
            if not cholesky(both, 6, low):
                continue
            d2 = 0.0
            t = np.empty(6)
            for i in range(6):
                total = difference[i]
                for j in range(i):
                    total -= low[i, j] * t[j]
                t[i] = total / low[i, i]
                d2 += t[i] * t[i]
            if d2 < NEAR2:
                close = True
        one["near"] = one["near"] + 1 if close else 0
        if one["near"] >= NEAR_LOOKS:
            one["life"] = FREE
