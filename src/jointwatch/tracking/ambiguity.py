"""One look at a cluster of tracks that contest plots: its hypotheses one look on, and what is told of it.

In: gated rows of a cluster (`gating`), in each of its hypotheses (`hypotheses`); out: hypotheses that are
merged again where their last looks agree, and each track's row as the mixture over them.

Which of two objects is which track is a name, and the set of objects is the same under either: before
hypotheses are mixed, each has its tracks named so that they lie nearest to those of the best one, and the
best one's so that they lie nearest to where the tracks were expected (Williams 2014, "An efficient,
variational approximation of the best fitting multi-Bernoulli filter").  Mixed name by name without that, two
tracks that flew side by side would both end up in the middle.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.tracking.bank import KIND
from jointwatch.tracking.gating import Gated
from jointwatch.tracking.hypotheses import (
    MOST_EVENTS,
    MOST_PLOTS,
    MOST_TRACKS,
    Events,
    best_events,
    give_up,
    joined,
    keep,
    options_of,
)
from jointwatch.tracking.interaction import predict_row, rouse
from jointwatch.tracking.rows import (
    apart2,
    count_plot,
    existence_of,
    log_odds_of,
    match_moments,
    remember_look,
)
from jointwatch.tracking.rules import KEEP_LOOKS, SURE
from jointwatch.tracking.scratch import UNSEEN, Claims, Scratch, claim
from jointwatch.tracking.table import NOTHING
from jointwatch.tracking.update import new_room, update_drag, update_phase

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
CONTESTED = 0.05
"""Two tracks contest a plot that each of them may have given with at least this probability."""
LEAST_MOTION = 1e-9
"""No motion is ever less probable: what is ruled out by one look may come back."""


@njit(cache=True)
def resolve(
    table: NDArray[np.void],
    clusters: NDArray[np.void],
    bank: Floats,
    rules: Floats,
    sensor: Floats,
    time_ns: int,
    plots: Floats,
    identity: Ints,
    gated: Gated,
    scratch: Scratch,
    units: Ints,
    lone: Ints,
    old: Ints,
    claimed: Floats,
    claims: Claims,
) -> bool:
    """Take one look at the tracks of a cluster, in place; False where the look is to be resolved by itself.

    units: all gated rows (indices in `gated`) of the tracks.  lone: told rows (in the table) of its tracks
    that are in no cluster yet; old: places of the clusters that it joins.  scratch: says which
    rows are where in `gated`; filled in with what is said of each told row that the look concerns.  claimed
    (m,): shares of plots, added to; claims: whose they are, added to.
    """
    unit_of, seen, gave, range_m = scratch.unit, scratch.seen, scratch.gave, scratch.range_m
    kinds, looks, sure = bank.shape[0], int(rules[KEEP_LOOKS]), rules[SURE]
    many = len(lone)
    for c in old:
        many += clusters[c]["tracks"]
    bit, plot_count = _bits(gated, units, len(plots))
    if many > MOST_TRACKS or plot_count > MOST_PLOTS:
        return False
    told, log_weight, row = joined(clusters, lone, old, many)
    slot = np.full(len(gated.row), UNSEEN, np.int64)
    for u in range(len(units)):
        slot[units[u]] = u
    unit = np.full(row.shape, UNSEEN, np.int64)
    for g in range(row.shape[0]):
        for t in range(many):
            if unit_of[row[g, t]] >= 0:
                unit[g, t] = slot[unit_of[row[g, t]]]
    asked = np.zeros(many, np.bool_)
    for t in range(many):
        asked[t] = unit[:, t].max() >= 0
    options = options_of(units, gated.first, gated.plot, gated.weight, gated.miss, bit)
    events = best_events(log_weight, unit, options, MOST_EVENTS)
    weight = np.exp(events.log_weight - events.log_weight[0])
    weight /= weight.sum()
    contested = _is_contested(events.pair, weight, gated.plot, bit, plot_count)
    if len(old) == 0 and not contested:
        return False

    for c in range(len(weight)):
        for t in range(many):
            u = unit_of[row[events.parent[c], t]]
            if u >= 0:
                seen[told[t]] += weight[c] * gated.seen[u]
                range_m[told[t]] += weight[c] * gated.range_m[u]
    children, child = _children(table, bank, sure, sensor, plots, identity, gated, unit_of, row, events)
    pair = events.pair.copy()
    _name_alike(table, bank, time_ns, told, asked, children, child, pair)
    of_class, classes = _classes(children, child, looks)
    merged = np.empty(classes, table.dtype)
    _mix(merged, children, child, of_class, weight, kinds, sure)
    for t in range(many):
        if not asked[t]:
            _tell_state(table[told[t]], merged, of_class[:, t], weight, kinds, sure)
        else:
            before = table[told[t]]["log_odds"]
            gave[told[t]] = _tell(
                table, told[t], merged, of_class[:, t], pair[:, t], weight, kinds, sure, time_ns, identity,
                gated.plot, claimed, claims, seen[told[t]],
            )  # fmt: skip
            after = table[told[t]]["log_odds"]
            scratch.gain[told[t]] = after - before if after < sure else sure
    calm = 0 if contested else looks
    for c in old:
        if not contested:
            calm = min(calm, clusters[c]["calm"] + 1)
        give_up(clusters[c], table)
    if calm < looks:
        keep(table, clusters, told, merged, of_class, weight, calm)
    return True


@njit(cache=True)
def _bits(gated: Gated, units: Ints, plots: int) -> tuple[Ints, int]:
    """Number (m,) of each plot among those that some gated rows may have given, and how many they are."""
    bit, count = np.full(plots, UNSEEN, np.int64), 0
    for u in units:
        for e in range(gated.first[u], gated.first[u + 1]):
            if bit[gated.plot[e]] < 0:
                bit[gated.plot[e]] = count
                count += 1
    return bit, count


@njit(cache=True)
def _is_contested(pair: Ints, weight: Floats, plot: Ints, bit: Ints, plots: int) -> bool:
    """Whether two tracks may have given one plot, in events with pairs (k, n) and probabilities (k,)."""
    tracks = pair.shape[1]
    share = np.zeros((tracks, plots))
    for c in range(len(weight)):
        for t in range(tracks):
            if pair[c, t] >= 0:
                share[t, bit[plot[pair[c, t]]]] += weight[c]
    for j in range(plots):
        claims = 0
        for t in range(tracks):
            claims += share[t, j] >= CONTESTED
        if claims > 1:
            return True
    return False


@njit(cache=True)
def _children(
    table: NDArray[np.void],
    bank: Floats,
    sure: float,
    sensor: Floats,
    plots: Floats,
    identity: Ints,
    gated: Gated,
    unit_of: Ints,
    row: Ints,
    events: Events,
) -> tuple[NDArray[np.void], Ints]:
    """Rows that events continue, once with each plot that they give it; and which (k, n) are each event's.

    row (p, n): rows of the hypotheses that the events continue.
    """
    kinds = bank.shape[0]
    count, tracks = events.pair.shape
    child = np.empty((count, tracks), np.int64)
    from_row, with_pair = np.empty(count * tracks, np.int64), np.empty(count * tracks, np.int64)
    made = 0
    for c in range(count):
        for t in range(tracks):
            r, p = row[events.parent[c], t], events.pair[c, t]
            k = 0
            while k < made and not (from_row[k] == r and with_pair[k] == p):
                k += 1
            if k == made:
                from_row[k], with_pair[k] = r, p
                made += 1
            child[c, t] = k
    children = np.empty(made, table.dtype)
    for k in range(made):
        children[k] = table[from_row[k]]
        rouse(bank, children[k])
        u = unit_of[from_row[k]]
        if u < 0:
            continue
        if with_pair[k] < 0:
            _miss(children[k], kinds, sure, gated.pd[u], gated.seen[u])
        else:
            _take_plot(children[k], bank, sure, sensor, plots, gated, u, with_pair[k])
            remember_look(children[k], identity[gated.plot[with_pair[k]]])
    return children, child


@njit(cache=True)
def _miss(row: np.void, kinds: int, sure: float, pd: Floats, seen: float) -> None:
    """A row that a look did not show: less likely to exist, and to move as what would have been shown."""
    existence = existence_of(row)
    row["log_odds"] = log_odds_of((1.0 - existence) / max(1.0 - existence * seen, 1e-300), sure)
    total = 0.0
    for k in range(kinds):
        row["phase"][k] = max(row["phase"][k] * (1.0 - pd[k]), LEAST_MOTION)
        total += row["phase"][k]
    for k in range(kinds):
        row["phase"][k] /= total
    remember_look(row, NOTHING)


@njit(cache=True)
def _take_plot(
    row: np.void,
    bank: Floats,
    sure: float,
    sensor: Floats,
    plots: Floats,
    gated: Gated,
    u: int,
    pair: int,
) -> None:
    """A row that gave a plot exists, and is updated with it in each of its motions."""
    row["log_odds"] = sure
    kinds, one, room = bank.shape[0], np.ones(1), new_room()
    total = 0.0
    for k in range(kinds):
        if gated.share[pair, k] > 1e-12:
            drag = row["mean"][k, 6]
            update_phase(
                sensor, row["mean"][k], row["covariance"][k], plots, gated.plot[pair : pair + 1], one, 0.0,
                gated.z[u, k], gated.h[u, k], gated.s[u, k], gated.noise[u, k], room,
            )  # fmt: skip
            update_drag(int(bank[k, KIND]), drag, row["mean"][k], row["covariance"][k])
        row["phase"][k] = max(gated.share[pair, k], LEAST_MOTION)
        total += row["phase"][k]
    for k in range(kinds):
        row["phase"][k] /= total


@njit(cache=True)
def _name_alike(
    table: NDArray[np.void],
    bank: Floats,
    time_ns: int,
    told: Ints,
    asked: NDArray[np.bool_],
    children: NDArray[np.void],
    child: Ints,
    pair: Ints,
) -> None:
    """Name the tracks of every event (k, n), the best one first, alike: child and pair change in place."""
    count, tracks = child.shape
    apart = np.empty((tracks, tracks))
    for c in range(count):
        for a in range(tracks):
            for b in range(tracks):
                if not (asked[a] and asked[b]):
                    apart[a, b] = 0.0 if a == b else 1e300
                elif c == 0:
                    predict_row(bank, table[told[b]], time_ns)
                    apart[a, b] = apart2(children[child[c, a]], table[told[b]])
                elif child[c, a] == child[0, b]:
                    apart[a, b] = 0.0
                else:
                    apart[a, b] = apart2(children[child[c, a]], children[child[0, b]])
        swapped = True
        while swapped:
            swapped = False
            for a in range(tracks):
                for b in range(a + 1, tracks):
                    if apart[a, b] + apart[b, a] < apart[a, a] + apart[b, b] - 1e-9:
                        child[c, a], child[c, b] = child[c, b], child[c, a]
                        pair[c, a], pair[c, b] = pair[c, b], pair[c, a]
                        for i in range(tracks):
                            apart[a, i], apart[b, i] = apart[b, i], apart[a, i]
                        swapped = True


@njit(cache=True)
def _classes(children: NDArray[np.void], child: Ints, looks: int) -> tuple[Ints, int]:
    """Class (k, n) of each event's rows: those of one track whose last looks gave the same are one class."""
    count, tracks = child.shape
    of_class = np.empty((count, tracks), np.int64)
    first = np.empty(count * tracks, np.int64)  # a row of each class
    made = 0
    for t in range(tracks):
        begin = made
        for c in range(count):
            k = begin
            while k < made:
                same = True
                for i in range(looks):
                    mine, its = children[child[c, t]]["recent"][i], children[first[k]]["recent"][i]
                    same = same and mine == its
                if same:
                    break
                k += 1
            if k == made:
                first[k] = child[c, t]
                made += 1
            of_class[c, t] = k
    return of_class, made


@njit(cache=True)
def _mix(
    merged: NDArray[np.void],
    children: NDArray[np.void],
    child: Ints,
    of_class: Ints,
    weight: Floats,
    kinds: int,
    sure: float,
) -> None:
    """Fill merged (classes,) with the mixture of each class's rows, by the events' probabilities (k,)."""
    count, tracks = child.shape
    which, share = np.empty(count, np.int64), np.empty(count)
    done = np.zeros(len(merged), np.bool_)
    for t in range(tracks):
        for c in range(count):
            k = of_class[c, t]
            if done[k]:
                continue
            done[k] = True
            n, total = 0, 0.0
            for d in range(c, count):
                if of_class[d, t] != k:
                    continue
                i = 0
                while i < n and which[i] != child[d, t]:
                    i += 1
                if i == n:
                    which[n], share[n] = child[d, t], 0.0
                    n += 1
                share[i] += weight[d]
                total += weight[d]
            merged[k] = children[which[0]]
            if n > 1:
                match_moments(merged[k], children, which[:n], share[:n] / total, kinds, sure)


@njit(cache=True)
def _tell_state(
    told: np.void, merged: NDArray[np.void], of_class: Ints, weight: Floats, kinds: int, sure: float
) -> None:
    """Let a track's state be the mixture over all events (k,), at the time that its rows are of."""
    which, share = np.empty(len(weight), np.int64), np.empty(len(weight))
    n = 0
    for c in range(len(weight)):
        i = 0
        while i < n and which[i] != of_class[c]:
            i += 1
        if i == n:
            which[n], share[n] = of_class[c], 0.0
            n += 1
        share[i] += weight[c]
    match_moments(told, merged, which[:n], share[:n], kinds, sure)
    told["time_ns"] = merged[which[0]]["time_ns"]


@njit(cache=True)
def _tell(
    table: NDArray[np.void],
    i: int,
    merged: NDArray[np.void],
    of_class: Ints,
    pair: Ints,
    weight: Floats,
    kinds: int,
    sure: float,
    time_ns: int,
    identity: Ints,
    plot: Ints,
    claimed: Floats,
    claims: Claims,
    seen: float,
) -> float:
    """Let a track's row i be the mixture over all events (k,); the probability that the look showed it."""
    given, of_plot = np.empty(len(weight), np.int64), np.empty(len(weight))
    m, shown = 0, 0.0
    for c in range(len(weight)):
        if pair[c] < 0:
            continue
        shown += weight[c]
        claimed[plot[pair[c]]] += weight[c]
        j = 0
        while j < m and given[j] != plot[pair[c]]:
            j += 1
        if j == m:
            given[m], of_plot[m] = plot[pair[c]], 0.0
            m += 1
        of_plot[j] += weight[c]
    for j in range(m):
        claim(claims, i, given[j], of_plot[j])
    told = table[i]
    _tell_state(told, merged, of_class, weight, kinds, sure)
    if shown > 0.5:
        count_plot(told, identity[given[int(np.argmax(of_plot[:m]))]], time_ns)
        remember_look(told, told["evidence"][0])
    else:
        told["misses"] += 1 if seen > 0.5 else 0
        remember_look(told, NOTHING)
    return shown
