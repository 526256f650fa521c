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

from jointwatch.kernel import leaf
from jointwatch.motion.gaussian import cholesky
from jointwatch.motion.phases import N
from jointwatch.sensing.expectation import AZIMUTH, ELEVATION, RANGE, SHIFT, SIZE, D, expect, innovation
from jointwatch.sensing.radar import ACROSS, COMPONENT, DIMENSION, IN_RANGE, IN_RATE, UPWARD
from jointwatch.tracking.index import Index, build, place_of, within
from jointwatch.tracking.interaction import (
    NOTABLE,
    new_switching,
    parameter_shift,
    predict_awake,
    sleeps_below,
    strays,
)
from jointwatch.tracking.looks import look_probability
from jointwatch.tracking.rows import existence_of, likeliest
from jointwatch.tracking.table import PHASE_COUNT
from jointwatch.tracking.update import distance2, log_peak

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
GATE2 = 25.0
"""Squared gate: a plot of the track falls outside it 5e-5 of the time (chi-square, 4 degrees of freedom)."""
CELL_M, CELL_RAD = 2e3, 0.01
"""Sides of the grid's cells: about a usual gate of a track."""
MANY = 16
"""The grid is asked where more plots than this share a row's reach in their first value."""
LEAST_LEVEL = 0.2
"""Above the elevation of which this is the cosine, azimuths are too many for a window to be worth it."""
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
    asleep: NDArray[np.bool_]  # (n, PHASE_COUNT) motions that the look did not wake (`interaction`)


class Field(NamedTuple):
    """A look's plots as they are searched: those near a row are few of them."""

    first_value: Floats  # (m,) ascending
    everything: Ints
    grid: Index
    ordered: bool  # the first value tells how far off a plot is
    gridded: bool  # so does the second, and there is a grid


class Aims(NamedTuple):
    """What the sensor should measure of each row, as in `Gated`, and room for one."""

    z: Floats
    h: Floats
    s: Floats
    noise: Floats
    pd: Floats
    asleep: NDArray[np.bool_]
    factor: Floats  # (PHASE_COUNT, D, D) Cholesky factor of s
    peak: Floats  # (PHASE_COUNT,) weight of a plot just where it should be
    y: Floats  # (D,) an innovation


class Pairs(NamedTuple):
    """Room for gated pairs, as in `Gated`."""

    plot: Ints
    weight: Floats
    share: Floats


class Drowse(NamedTuple):
    """What motions asleep could make of a look's plots, of one row."""

    worth: float  # their probability
    off_m: float  # how far off (m) from where the best motion has it
    off_ms: float


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
    asleep_below: float,
) -> Gated:
    """Predict rows (n,) to time_ns and gate plots (m, PLOT), in order of their first value.

    density (m,): clutter's, at each plot, in measurement space; detection: what is learned of the sensor's.
    asleep_below: motions less probable sleep where a plot allows it (`interaction`).
    """
    n, kinds = len(rows), bank.shape[0]
    aims, field = _new_aims(n), _field(sensor, plots)
    seen, range_m, miss = np.zeros(n), np.zeros(n), np.ones(n)
    first = np.zeros(n + 1, np.int64)
    pairs, count = _wider(Pairs(np.empty(0, np.int64), np.empty(0), np.empty((0, PHASE_COUNT))), 64), 0
    before, switching = np.empty(1, table.dtype), new_switching(kinds)
    for a in range(n):
        row = table[rows[a]]
        if kinds > 1:
            _remember(row, before[0], kinds)
        # first with the motions that are likely; once more with all where no plot says that they will do
        for turn in range(2):
            count = first[a]
            if turn == 1:
                _remember(before[0], row, kinds)
            dt = (time_ns - row["time_ns"]) * 1e-9
            below = sleeps_below(bank, row, asleep_below) if turn == 0 and kinds > 1 else 0.0
            predict_awake(bank, row, time_ns, below, switching)
            seen[a], range_m[a] = _expect_row(row, a, aims, bank, sensor, detection, azimuth_from, azimuth_to)
            if seen[a] == 0.0:
                break
            existence = existence_of(row)
            miss[a] = 1.0 - existence * min(seen[a], 1.0 - 1e-9)
            candidates, start, stop = _near(a, aims, field, sensor, kinds, 0.0)
            if count + stop - start > len(pairs.plot):
                pairs = _wider(pairs, 2 * len(pairs.plot) + stop - start)
            count, nearest2 = _pair_up(
                row, a, aims, sensor, plots, density, existence, candidates, start, stop, pairs, count
            )
            # no wider motion makes a plot likelier than its own best plot would be
            drowse, likelier = _drowse(bank, row, a, aims, sensor, dt, nearest2), math.exp(0.5 * nearest2)
            if drowse.worth == 0.0 or drowse.worth * likelier < NOTABLE:
                break
            candidates, start, stop = _near(a, aims, field, sensor, kinds, drowse.off_m)
            if not _some_stray(row, a, aims, sensor, plots, drowse, candidates, start, stop):
                break
        first[a + 1] = count
    return Gated(
        rows, aims.z, aims.h, aims.s, aims.noise, aims.pd, seen, range_m, miss, first, pairs.plot[:count],
        pairs.weight[:count], pairs.share[:count], aims.asleep,
    )  # fmt: skip


@njit(cache=True)
def _new_aims(n: int) -> Aims:
    return Aims(
        np.empty((n, PHASE_COUNT, SIZE)), np.empty((n, PHASE_COUNT, D, 6)), np.empty((n, PHASE_COUNT, D, D)),
        np.empty((n, PHASE_COUNT, D, D)), np.zeros((n, PHASE_COUNT)), np.zeros((n, PHASE_COUNT), np.bool_),
        np.zeros((PHASE_COUNT, D, D)), np.empty(PHASE_COUNT), np.empty(D),
    )  # fmt: skip


@njit(cache=True)
def _wider(pairs: Pairs, capacity: int) -> Pairs:
    """The same pairs with room for more."""
    many = len(pairs.plot)
    plot, weight, share = np.empty(capacity, np.int64), np.empty(capacity), np.empty((capacity, PHASE_COUNT))
    plot[:many], weight[:many], share[:many] = pairs.plot, pairs.weight, pairs.share
    return Pairs(plot, weight, share)


@leaf
def _expect_row(
    row: np.void,
    a: int,
    aims: Aims,
    bank: Floats,
    sensor: Floats,
    detection: Floats,
    azimuth_from: float,
    azimuth_to: float,
) -> tuple[float, float]:
    """Fill place `a` of the aims with what the sensor should measure of a row predicted to the look.

    Returns how probably the look shows it (0: this look does not concern it) and its expected range (m).
    """
    kinds, dim, best, good = bank.shape[0], int(sensor[DIMENSION]), likeliest(row), True
    for k in range(kinds):
        aims.asleep[a, k] = row["asleep"] >> k & 1 != 0
        if aims.asleep[a, k]:
            continue
        expect(
            sensor, row["mean"][k], row["covariance"][k], aims.z[a, k], aims.h[a, k], aims.s[a, k],
            aims.noise[a, k],
        )  # fmt: skip
        good = good and cholesky(aims.s[a, k], dim, aims.factor[k])
        aims.pd[a, k] = look_probability(sensor, detection, aims.z[a, k], azimuth_from, azimuth_to)
    if not good:
        return 0.0, 0.0
    seen, range_m = 0.0, 0.0
    for k in range(kinds):
        if aims.asleep[a, k]:
            aims.pd[a, k] = aims.pd[a, best]
        seen += row["phase"][k] * aims.pd[a, k]
        range_m += row["phase"][k] * aims.z[a, best if aims.asleep[a, k] else k, RANGE]
    if seen < LEAST_SEEN:
        return 0.0, range_m
    for k in range(kinds):
        if not aims.asleep[a, k]:
            aims.peak[k] = math.exp(log_peak(aims.factor[k], dim)) * row["phase"][k] * aims.pd[a, k]
    return seen, range_m


@leaf
def _pair_up(
    row: np.void,
    a: int,
    aims: Aims,
    sensor: Floats,
    plots: Floats,
    density: Floats,
    existence: float,
    candidates: Ints,
    start: int,
    stop: int,
    pairs: Pairs,
    count: int,
) -> tuple[int, float]:
    """Add those of the plots candidates[start:stop] that lie in the gate of the row at `a` to the pairs.

    count: of the pairs before.  Returns that after, and the squared distance of the plot that lies nearest to
    the row's likeliest motion.
    """
    best, dim, nearest2 = likeliest(row), int(sensor[DIMENSION]), 1e300
    for c in range(start, stop):
        j = candidates[c]
        inside, total = False, 0.0
        for k in range(PHASE_COUNT):
            pairs.share[count, k] = 0.0
            if aims.asleep[a, k] or row["phase"][k] == 0.0:
                continue
            innovation(sensor, plots[j], aims.z[a, k], aims.y)
            d2 = distance2(aims.factor[k], dim, aims.y)
            pairs.share[count, k] = math.exp(-0.5 * d2) * aims.peak[k]
            total += pairs.share[count, k]
            inside = inside or d2 < GATE2
            if k == best:
                nearest2 = min(nearest2, d2)
        if not inside:
            continue
        for k in range(PHASE_COUNT):
            pairs.share[count, k] /= max(total, 1e-300)
        pairs.plot[count] = j
        pairs.weight[count] = existence * total / density[j]
        count += 1
    return count, nearest2


@njit(cache=True)
def _field(sensor: Floats, plots: Floats) -> Field:
    """The plots (m, PLOT) of a look, by their first and second value."""
    m = len(plots)
    flat = int(sensor[COMPONENT]) > IN_RATE
    ordered = flat or int(sensor[COMPONENT]) == IN_RANGE
    gridded = ordered and int(sensor[DIMENSION]) > 1 and (flat or int(sensor[COMPONENT + 1]) == ACROSS)
    gridded = gridded and m > MANY
    cell, period = (CELL_M, 0.0) if flat else (CELL_RAD, 2.0 * math.pi)
    first_value, second_value = plots[:, 0].copy(), plots[:, 1].copy()
    many = m if gridded else 0
    index = build(first_value[:many], second_value[:many], CELL_M, cell, period)
    return Field(first_value, np.arange(m), index, ordered, gridded)


@leaf
def _remember(row: np.void, other: np.void, kinds: int) -> None:
    """Let another row have the state that a prediction of this one changes."""
    for k in range(kinds):
        other["phase"][k] = row["phase"][k]
        if row["asleep"] >> k & 1:
            continue
        for i in range(N):
            other["mean"][k, i] = row["mean"][k, i]
            for j in range(N):
                other["covariance"][k, i, j] = row["covariance"][k, i, j]
    other["asleep"], other["log_odds"], other["time_ns"] = row["asleep"], row["log_odds"], row["time_ns"]


@njit(cache=True)
def _near(
    a: int, aims: Aims, field: Field, sensor: Floats, kinds: int, stray_m: float
) -> tuple[Ints, int, int]:
    """Plots, and from which place on and up to which of them all are that lie in the gates of `_stretch`."""
    start, stop, low, high = _stretch(a, aims, field, sensor, kinds, stray_m)
    if low > high:
        return field.everything, start, stop
    few = within(field.grid, field.first_value[start], field.first_value[stop - 1], low, high)
    return few, 0, len(few)


@leaf
def _stretch(
    a: int, aims: Aims, field: Field, sensor: Floats, kinds: int, stray_m: float
) -> tuple[int, int, float, float]:
    """Between which places, by their first value, all plots lie that are in the gate of a motion of a row.

    a: of the row; of motions that are awake, and of others that stray so far (m) from them.  And between
    which second values: the least above the greatest where the grid is not worth it.
    """
    if not field.ordered:
        return 0, len(field.everything), 1.0, 0.0
    near, far = 1e300, -1e300
    for k in range(kinds):
        if not aims.asleep[a, k]:
            reach = math.sqrt(GATE2 * aims.s[a, k, 0, 0])
            near, far = min(near, aims.z[a, k, RANGE] - reach), max(far, aims.z[a, k, RANGE] + reach)
    near, far = near - stray_m, far + stray_m
    start, stop = place_of(field.first_value, near), place_of(field.first_value, far)
    if field.gridded and stop - start > MANY:
        # plots come in order of their first value; where many share a row's reach, the grid narrows them
        low, high = _beside(sensor, aims.z[a], aims.s[a], aims.asleep[a], kinds, stray_m)
        if high - low < math.pi or int(sensor[COMPONENT]) > IN_RATE:
            return start, stop, low, high
    return start, stop, 1.0, 0.0


@leaf
def _drowse(
    bank: Floats, row: np.void, a: int, aims: Aims, sensor: Floats, dt: float, nearest2: float
) -> Drowse:
    """What the motions of a row that are asleep could make of a plot: how probable at the most, and where.

    a: of the row; dt: since it was as it was; nearest2: squared distance of the nearest plot.  Nought where
    they could make too little of it, whatever they are.
    """
    worth, off_m, off_ms, best = 0.0, 0.0, 0.0, likeliest(row)
    for k in range(bank.shape[0]):
        if aims.asleep[a, k]:
            worth += row["phase"][k]
    if worth == 0.0 or worth * math.exp(0.5 * nearest2) < NOTABLE:
        return Drowse(0.0, 0.0, 0.0)
    worth, m, dim = 0.0, row["mean"][best], int(sensor[DIMENSION])
    speed = math.sqrt(m[3] * m[3] + m[4] * m[4] + m[5] * m[5])
    for k in range(bank.shape[0]):
        if aims.asleep[a, k]:
            worth += row["phase"][k] / _flatter(
                bank, k, m, aims.h[a, best], aims.factor[best], dim, dt, aims.y
            )
            away_m, away_ms = strays(bank, k, speed, dt)
            off_m = max(off_m, away_m)
            off_ms = max(off_ms, away_ms + speed * away_m / max(aims.z[a, best, RANGE], 1.0))
    return Drowse(worth, off_m, off_ms)


@leaf
def _some_stray(
    row: np.void,
    a: int,
    aims: Aims,
    sensor: Floats,
    plots: Floats,
    drowse: Drowse,
    candidates: Ints,
    start: int,
    stop: int,
) -> bool:
    """Whether one of plots candidates[start:stop] may lie in the gate of a motion of a row that is asleep."""
    best = likeliest(row)
    for c in range(start, stop):
        innovation(sensor, plots[candidates[c]], aims.z[a, best], aims.y)
        if _may_stray(sensor, aims.y, aims.s[a, best], aims.z[a, best, RANGE], drowse.off_m, drowse.off_ms):
            return True
    return False


@leaf
def _flatter(
    bank: Floats, k: int, mean: Floats, h: Floats, factor: Floats, dim: int, dt: float, w: Floats
) -> float:
    """How many times lower than of a coast the density of motion k is at its highest, at the least.

    mean, h, factor: the coast's, and of its innovation's covariance S.  The spread of k's parameter alone
    makes that S + w w', whose determinant is 1 + w' S^-1 w times as great; half of that is claimed.
    """
    x, y, z = parameter_shift(bank, k, mean)
    half = 0.5 * dt * dt
    for d in range(dim):
        w[d] = half * (h[d, 0] * x + h[d, 1] * y + h[d, 2] * z) + dt * (
            h[d, 3] * x + h[d, 4] * y + h[d, 5] * z
        )
    return math.sqrt(1.0 + 0.5 * distance2(factor, dim, w))


@leaf
def _may_stray(sensor: Floats, y: Floats, s: Floats, range_m: float, stray_m: float, stray_ms: float) -> bool:
    """Whether an innovation y may be in the gate of a motion that strays so far (m, m/s) from this one."""
    for d in range(int(sensor[DIMENSION])):
        c = int(sensor[COMPONENT + d])
        off = stray_m
        if c == ACROSS or c == UPWARD:
            off = stray_m / max(range_m, 1.0)
        elif c == IN_RATE:
            off = stray_ms
        if abs(y[d]) > math.sqrt(GATE2 * s[d, d]) + off:
            return False
    return True


@leaf
def _beside(
    sensor: Floats, z: Floats, s: Floats, asleep: NDArray[np.bool_], kinds: int, stray_m: float
) -> tuple[float, float]:
    """Least and greatest second value (azimuth in rad, or y in m) of a plot in the gate of any motion.

    z (kinds, SIZE), s (kinds, D, D): what the sensor should measure, of motions that are awake; stray_m: how
    far off others may be.  Wider than a turn where any may be.
    """
    low, high = 1e300, -1e300
    flat = int(sensor[COMPONENT]) > IN_RATE
    middle = math.nan
    for k in range(kinds):
        if asleep[k]:
            continue
        if math.isnan(middle):
            middle = z[k, AZIMUTH]
        reach = math.sqrt(GATE2 * s[k, 1, 1]) + abs(z[k, SHIFT + 1])
        reach += stray_m if flat else stray_m / max(z[k, RANGE], 1.0)
        if flat:
            low, high = min(low, z[k, 1] - reach), max(high, z[k, 1] + reach)
            continue
        # a direction across the line of sight is the cosine of the plot's elevation times the azimuth's sine
        up = 0.5 * math.pi
        if int(sensor[DIMENSION]) > 2 and int(sensor[COMPONENT + 2]) == UPWARD:
            up = abs(z[k, ELEVATION]) + 2.0 * (math.sqrt(GATE2 * s[k, 2, 2]) + abs(z[k, SHIFT + 2]))
            up += 2.0 * stray_m / max(z[k, RANGE], 1.0)
        level = math.cos(up) if up < 0.5 * math.pi else 0.0
        if level < LEAST_LEVEL or reach > 0.5 * level:
            return 0.0, 2.0 * math.pi
        half = math.asin(reach / level)
        off = (z[k, AZIMUTH] - middle + 3.0 * math.pi) % (2.0 * math.pi) - math.pi
        low, high = min(low, middle + off - half), max(high, middle + off + half)
    return low, high
