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

from jointwatch.kernel import leaf
from jointwatch.tracking.ambiguity import LEAST_MOTION, resolve
from jointwatch.tracking.associate import marginals_apart
from jointwatch.tracking.bank import KIND
from jointwatch.tracking.clusters import together
from jointwatch.tracking.gating import Gated, gate
from jointwatch.tracking.hypotheses import MOST_TRACKS, give_up
from jointwatch.tracking.rows import count_plot, existence_of, log_odds_of, take_state
from jointwatch.tracking.rules import KEEP_LOOKS, SLEEP, SURE
from jointwatch.tracking.scratch import UNSEEN, Claims, Scratch, claim, new_claims
from jointwatch.tracking.table import PHASE_COUNT
from jointwatch.tracking.update import Room, new_room, update_drag, update_phase

BEYOND_DOUBT = 30.0
"""A look adds at most so much to the log odds that an object exists: what is asked of it is far less."""
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@njit(cache=True)
def update_confirmed(
    table: NDArray[np.void],
    clusters: NDArray[np.void],
    told: Ints,
    scratch: Scratch,
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
) -> tuple[Floats, Ints, Floats, Floats, Floats, Floats, Claims]:
    """Update confirmed rows (told, ascending) with plots (m, PLOT) in order of their first value.

    clusters: `hypotheses.new_clusters`.  scratch: `scratch.new_scratch`.  density: clutter's, at each plot,
    in measurement space; detection: what is learned of the sensor's.
    Returns (m,) shares of the plots claimed; and of the n rows that should have been seen: their indices, the
    probability that the look shows each (if it exists), the probability that it did, the expected range, and
    what the look adds to the log odds that it exists; and which plots each claims.
    """
    rows, of = _states(table, clusters, told)
    gated = gate(
        table, rows, bank, sensor, detection, azimuth_from, azimuth_to, time_ns, plots, density, rules[SLEEP]
    )
    # tracks that contest plots may also change names, so each of a cluster may be given any of its plots
    claimed, claims = np.zeros(len(plots)), new_claims(MOST_TRACKS * len(gated.plot))
    alone = np.ones(len(told), np.bool_)  # to be resolved by this look alone
    if rules[KEEP_LOOKS] > 0.0 and len(told) > 1:
        _over_several_looks(
            table, clusters, scratch, bank, rules, sensor, time_ns, plots, identity, gated, told, of, alone,
            claimed, claims,
        )  # fmt: skip
    _by_this_look(
        table,
        clusters,
        scratch,
        bank,
        rules,
        sensor,
        time_ns,
        plots,
        identity,
        gated,
        told,
        of,
        alone,
        claimed,
        claims,
    )
    looked, seen, gave, range_m, gain = _taken(scratch, told)
    return claimed, looked, seen, gave, range_m, gain, claims


@njit(cache=True)
def _taken(scratch: Scratch, told: Ints) -> tuple[Ints, Floats, Floats, Floats, Floats]:
    """Of told rows those that should have been seen, and what is said of each; the scratch is emptied."""
    n = 0
    looked = np.empty(len(told), np.int64)
    seen, gave, range_m = np.empty(len(told)), np.empty(len(told)), np.empty(len(told))
    gain = np.empty(len(told))
    for i in told:
        if scratch.seen[i] > 0.0:
            looked[n], seen[n], gave[n], range_m[n] = i, scratch.seen[i], scratch.gave[i], scratch.range_m[i]
            gain[n] = scratch.gain[i]
            n += 1
        scratch.seen[i], scratch.gave[i], scratch.range_m[i], scratch.gain[i] = 0.0, 0.0, 0.0, 0.0
    return looked[:n], seen[:n], gave[:n], range_m[:n], gain[:n]


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


@njit(cache=True)
def _over_several_looks(
    table: NDArray[np.void],
    clusters: NDArray[np.void],
    scratch: Scratch,
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
    claims: Claims,
) -> None:
    """Resolve what tracks contest, cluster by cluster; `alone` (n,) becomes false for those resolved here."""
    kept, start, order = _clusters(table, scratch, gated, told, of, len(plots))
    for s in range(len(start) - 1):
        members = order[start[s] : start[s + 1]]
        units, lone, old = _members(gated, told, of, kept, members)
        # a look that concerns none of them leaves their hypotheses as they are
        if len(units) == 0 or resolve(
            table, clusters, bank, rules, sensor, time_ns, plots, identity, gated, scratch, units, lone, old,
            claimed, claims,
        ):  # fmt: skip
            for a in members:
                alone[a] = False
    if len(start) > 1:
        for i in gated.row:
            scratch.unit[i] = UNSEEN


@njit(cache=True)
def _clusters(
    table: NDArray[np.void], scratch: Scratch, gated: Gated, told: Ints, of: Ints, plots: int
) -> tuple[Ints, Ints, Ints]:
    """Number of the cluster that each track (n,) is in already, and the members of each now (`together`).

    Where there is any, the scratch says which rows the look concerns.
    """
    kept = np.empty(len(told), np.int64)
    for a in range(len(told)):
        kept[a] = table[told[a]]["cluster"]
    start, order = together(gated.first, gated.plot, gated.weight, gated.miss, of, kept, plots)
    if len(start) > 1:
        for u in range(len(gated.row)):
            if gated.seen[u] > 0.0:  # to the others the look says nothing
                scratch.unit[gated.row[u]] = u
    return kept, start, order


@njit(cache=True)
def _members(gated: Gated, told: Ints, of: Ints, kept: Ints, members: Ints) -> tuple[Ints, Ints, Ints]:
    """What a cluster of some tracks (places in `told`) is made of.

    Its gated rows that the look concerns, its tracks (rows) that are in no cluster yet, and the places of the
    clusters that it joins, each ascending.
    """
    units, n = np.empty(len(of), np.int64), 0
    lone, many = np.empty(len(members), np.int64), 0
    old, some = np.empty(len(members), np.int64), 0
    for a in members:
        for u in range(np.searchsorted(of, a), np.searchsorted(of, a + 1)):
            if gated.seen[u] > 0.0:
                units[n] = u
                n += 1
        if kept[a] == 0:
            lone[many] = told[a]
            many += 1
            continue
        known = False
        for c in old[:some]:
            known = known or c == kept[a] - 1
        if not known:
            old[some] = kept[a] - 1
            some += 1
    old = old[:some]
    old.sort()
    return units[:n], lone[:many], old


@njit(cache=True)
def _by_this_look(
    table: NDArray[np.void],
    clusters: NDArray[np.void],
    scratch: Scratch,
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
    claims: Claims,
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
    first, room, weights, total_phase = 0, new_room(), np.empty(max(pairs, 1)), np.empty(PHASE_COUNT)
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
            scratch.gain[told[a]] = _update_row(
                row, bank, rules, sensor, plots, identity, time_ns, plot[first:last], belief[first:last],
                pair[first:last], none[a], gated, u, room, weights, total_phase,
            )  # fmt: skip
            scratch.seen[told[a]], scratch.range_m[told[a]] = gated.seen[u], gated.range_m[u]
            for e in range(first, last):
                claimed[plot[e]] += belief[e]
                claim(claims, told[a], plot[e], belief[e])
                scratch.gave[told[a]] += belief[e]
        first = last


@leaf
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
    pair: Ints,
    none: float,
    gated: Gated,
    u: int,
    room: Room,
    weights: Floats,
    total_phase: Floats,
) -> float:
    """Update motions, their probabilities, existence and counts of one row with its weighted plots.

    Returns what they add to the log odds that it exists, however sure it was before.

    pair (k,): the row's pairs in `gated`, of plots pair_plot (k,); u: its place there.  room, weights,
    total_phase: to work in.
    """
    kinds, seen, pd = bank.shape[0], gated.seen[u], gated.pd[u]
    existence = existence_of(row)
    # no plot came: either it exists and was missed, or it does not exist
    missed = none * existence * (1.0 - seen) / max(1.0 - existence * seen, 1e-300)
    absent = max(none - missed, 1e-300)
    gain = log_odds_of(absent, BEYOND_DOUBT) - row["log_odds"]
    row["log_odds"] = log_odds_of(absent, rules[SURE])

    # given that it exists, the weights of "missed" and of each plot, split over the motions
    exists = max(1.0 - absent, 1e-300)
    count = len(pair_plot)
    best, best_belief = -1, 0.0
    for e in range(count):
        if belief[e] > best_belief:
            best, best_belief = pair_plot[e], belief[e]
    for k in range(kinds):
        quiet = missed / exists * row["phase"][k] * (1.0 - pd[k]) / max(1.0 - seen, 1e-9)
        total = quiet
        for e in range(count):
            weights[e] = belief[e] / exists * gated.share[pair[e], k]
            total += weights[e]
        total_phase[k] = total
        if total > 1e-12 and count > 0 and not gated.asleep[u, k]:
            for e in range(count):
                weights[e] /= total
            drag = row["mean"][k, 6]
            update_phase(
                sensor, row["mean"][k], row["covariance"][k], plots, pair_plot, weights, quiet / total,
                gated.z[u, k], gated.h[u, k], gated.s[u, k], gated.noise[u, k], room,
            )  # fmt: skip
            update_drag(int(bank[k, KIND]), drag, row["mean"][k], row["covariance"][k])
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
    return float(gain)
