"""One sector's work on confirmed tracks: predict, gate, associate, update, existence.

In: the table, the hypotheses of its clusters, a sensor's parameter row, the wedge looked at and its plots in
order of their first value; out: the rows brought up to date in place, the share of each plot that confirmed
tracks claim, and which rows were looked at.  Tracks that contest plots are resolved over several looks
(`ambiguity`), all others by this one alone (`associate`).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.tracking.ambiguity import LEAST_MOTION, resolve
from jointwatch.tracking.associate import marginals_apart
from jointwatch.tracking.clusters import together
from jointwatch.tracking.gating import Gated, gate
from jointwatch.tracking.hypotheses import UNSEEN, drop_ended, give_up
from jointwatch.tracking.looks import may_be_seen
from jointwatch.tracking.rows import count_plot, existence_of, log_odds_of, take_state
from jointwatch.tracking.rules import KEEP_LOOKS, SURE
from jointwatch.tracking.table import CONFIRMED, PHASE_COUNT
from jointwatch.tracking.update import update_phase

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def update_confirmed(
    table: NDArray[np.void],
    clusters: NDArray[np.void],
    used: int,
    bank: Floats,
    rules: Floats,
    sensor: Floats,
    detection: Floats,
    azimuth_from: float,
    azimuth_to: float,
    time_ns: int,
    plots: Floats,
    identity: Ints,
    density: Floats,
    held: Ints | None = None,
) -> tuple[Floats, Ints, Floats, Floats, Floats]:
    """Update confirmed rows 0..used with plots (m, PLOT) in order of their first value.

    clusters: `hypotheses.new_clusters`.  density: clutter's, at each plot, in measurement space; detection:
    what is learned of the sensor's.  held: rows that wait for another look (`shedding`), ascending.
    Returns (m,) shares of the plots claimed; and of the n rows that should have been seen: their indices, the
    probability that the look shows each (if it exists), the probability that it did, and the expected range.
    """
    drop_ended(clusters, table)
    told = looked_at(table, used, sensor, azimuth_from, azimuth_to, time_ns)
    if held is not None:
        told = np.setdiff1d(told, held, assume_unique=True)
    rows, of = _states(table, clusters, told)
    gated = gate(table, rows, bank, sensor, detection, azimuth_from, azimuth_to, time_ns, plots, density)
    claimed = np.zeros(len(plots))
    seen, gave, range_m = np.zeros(used), np.zeros(used), np.zeros(used)
    alone = np.ones(len(told), np.bool_)  # to be resolved by this look alone
    if rules[KEEP_LOOKS] > 0.0:
        _over_several_looks(
            table, clusters, bank, rules, sensor, time_ns, plots, identity, gated, told, of, alone, claimed,
            seen, gave, range_m,
        )  # fmt: skip
    _by_this_look(
        table, clusters, bank, rules, sensor, time_ns, plots, identity, gated, told, of, alone, claimed, seen,
        gave, range_m,
    )  # fmt: skip
    looked = told[seen[told] > 0.0]
    return claimed, looked, seen[looked], gave[looked], range_m[looked]


@njit(cache=True)
def looked_at(
    table: NDArray[np.void], used: int, sensor: Floats, azimuth_from: float, azimuth_to: float, time_ns: int
) -> Ints:
    """Confirmed ones among rows 0..used that may lie in the wedge (n,), ascending."""
    told = np.empty(used, np.int64)
    n = 0
    for i in range(used):
        if table[i]["life"] == CONFIRMED and may_be_seen(table[i], sensor, azimuth_from, azimuth_to, time_ns):
            told[n] = i
            n += 1
    return told[:n]


@njit(cache=True)
def _states(table: NDArray[np.void], clusters: NDArray[np.void], told: Ints) -> tuple[Ints, Ints]:
    """Rows (u,) of what tracks (rows `told`) may be, and the track (place in `told`) each is of, ascending.

    Of a track in no cluster it is its own row; else one for each state that some hypothesis has of it, that
    of the most probable hypothesis first.
    """
    many = 0
    for i in told:
        c = table[i]["cluster"]
        many += 1 if c == 0 else clusters[c - 1]["hypotheses"]
    rows, of = np.empty(many, np.int64), np.empty(many, np.int64)
    n = 0
    for a in range(len(told)):
        c = table[told[a]]["cluster"]
        if c == 0:
            rows[n], of[n] = told[a], a
            n += 1
            continue
        cluster = clusters[c - 1]
        t = 0
        while cluster["row"][t] != told[a]:
            t += 1
        begin = n
        for g in range(cluster["hypotheses"]):
            row = cluster["local"][g, t]
            k = begin
            while k < n and rows[k] != row:
                k += 1
            if k == n:
                rows[n], of[n] = row, a
                n += 1
    return rows[:n], of[:n]


def _over_several_looks(
    table: NDArray[np.void],
    clusters: NDArray[np.void],
    bank: Floats,
    rules: Floats,
    sensor: Floats,
    time_ns: int,
    plots: Floats,
    identity: Ints,
    gated: Gated,
    told: Ints,
    of: Ints,
    alone: NDArray[np.bool_],
    claimed: Floats,
    seen: Floats,
    gave: Floats,
    range_m: Floats,
) -> None:
    """Resolve what tracks contest, cluster by cluster; `alone` (n,) becomes false for those resolved here."""
    concerned = gated.seen > 0.0  # to the others the look says nothing
    unit_of = np.full(len(table), UNSEEN, np.int64)
    unit_of[gated.row[concerned]] = np.flatnonzero(concerned)
    kept = table["cluster"][told]
    start, order = together(gated.first, gated.plot, gated.weight, gated.miss, of, kept, len(plots))
    in_units = np.searchsorted(of, np.arange(len(told) + 1))
    for s in range(len(start) - 1):
        members = order[start[s] : start[s + 1]]
        units = np.concatenate([np.arange(in_units[a], in_units[a + 1]) for a in members])
        units = units[concerned[units]]
        lone, old = told[members[kept[members] == 0]], np.unique(kept[members][kept[members] > 0]) - 1
        # a look that concerns none of them leaves their hypotheses as they are
        if len(units) == 0 or resolve(
            table, clusters, bank, rules, sensor, time_ns, plots, identity, gated, unit_of, units, lone, old,
            claimed, seen, gave, range_m,
        ):  # fmt: skip
            alone[members] = False


@njit(cache=True)
def _by_this_look(
    table: NDArray[np.void],
    clusters: NDArray[np.void],
    bank: Floats,
    rules: Floats,
    sensor: Floats,
    time_ns: int,
    plots: Floats,
    identity: Ints,
    gated: Gated,
    told: Ints,
    of: Ints,
    alone: NDArray[np.bool_],
    claimed: Floats,
    seen: Floats,
    gave: Floats,
    range_m: Floats,
) -> None:
    """Update the tracks that are to be resolved by this look alone, with the marginals of its plots."""
    unit = np.full(len(told), UNSEEN, np.int64)
    pairs = 0
    for u in range(len(gated.row)):
        if alone[of[u]] and unit[of[u]] < 0:
            unit[of[u]] = u
            pairs += gated.first[u + 1] - gated.first[u]
    pair_track, pair = np.empty(pairs, np.int64), np.empty(pairs, np.int64)
    miss = np.ones(len(told))
    k = 0
    for a in range(len(told)):
        if unit[a] < 0:
            continue
        miss[a] = gated.miss[unit[a]]
        for e in range(gated.first[unit[a]], gated.first[unit[a] + 1]):
            pair_track[k], pair[k] = a, e
            k += 1
    weight, plot = gated.weight[pair], gated.plot[pair]
    belief, none = marginals_apart(pair_track, plot, weight, miss, len(plots))
    first = 0
    for a in range(len(told)):
        last = first
        while last < pairs and pair_track[last] == a:
            last += 1
        u = unit[a]
        if u < 0:
            continue
        row = table[told[a]]
        if gated.seen[u] > 0.0 and gated.row[u] != told[a]:
            # a cluster too great to be kept: its tracks go on as its best hypothesis has them
            if row["cluster"] > 0:
                give_up(clusters[row["cluster"] - 1], table)
            take_state(row, table[gated.row[u]])
        if gated.seen[u] > 0.0:
            _update_row(
                row, bank, rules, sensor, plots, identity, time_ns, plot[first:last], belief[first:last],
                gated.share[pair[first:last]], none[a], gated, u,
            )  # fmt: skip
            seen[told[a]], range_m[told[a]] = gated.seen[u], gated.range_m[u]
            for e in range(first, last):
                claimed[plot[e]] += belief[e]
                gave[told[a]] += belief[e]
        first = last


@njit(cache=True)
def _update_row(
    row: np.void,
    bank: Floats,
    rules: Floats,
    sensor: Floats,
    plots: Floats,
    identity: Ints,
    time_ns: int,
    pair_plot: Ints,
    belief: Floats,
    motion_share: Floats,
    none: float,
    gated: Gated,
    u: int,
) -> None:
    """Update motions, their probabilities, existence and counts of one row with its weighted plots.

    u: the row's place in `gated`.
    """
    kinds, seen, pd = bank.shape[0], gated.seen[u], gated.pd[u]
    existence = existence_of(row)
    # no plot came: either it exists and was missed, or it does not exist
    missed = none * existence * (1.0 - seen) / max(1.0 - existence * seen, 1e-300)
    absent = max(none - missed, 1e-300)
    row["log_odds"] = log_odds_of(absent, rules[SURE])

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
            weights[e] = belief[e] / exists * motion_share[e, k]
            total += weights[e]
        total_phase[k] = total
        if total > 1e-12 and count > 0:
            for e in range(count):
                weights[e] /= total
            update_phase(
                sensor, row["mean"][k], row["covariance"][k], subset, weights, quiet / total, gated.z[u, k],
                gated.h[u, k], gated.s[u, k], gated.noise[u, k],
            )  # fmt: skip
    total = 0.0
    for k in range(kinds):
        total_phase[k] = max(total_phase[k], LEAST_MOTION)
        total += total_phase[k]
    for k in range(kinds):
        row["phase"][k] = total_phase[k] / total
    if best_belief > 0.5:
        count_plot(row, identity[best], time_ns)
    elif seen > 0.5:
        row["misses"] += 1
