"""Several scans' ambiguity: the global hypotheses of a cluster of tracks whose plots are contested.

One look cannot always tell which plot is whose, and to mix what might be true, look for look, blurs tracks
that fly in tight salvos into one another.  So a cluster keeps hypotheses side by side (Reid 1979; the
multi-Bernoulli mixture of Williams 2015 and Garcia-Fernandez et al. 2018): each says for every track of the
cluster which plots were its, and in which state it is, a row of the table of its own (a local hypothesis).
In: hypotheses and what each of their rows may have given; out: the best hypotheses one look later.

An event of a look gives each track one of its plots or none, no plot to two tracks.  `best_events` finds the
events of greatest weight over all hypotheses by depth-first search that leaves out what cannot be among the
best any more (as Murty's ranking would find them; clusters are small and events few).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.tracking.scratch import UNSEEN
from jointwatch.tracking.table import CONFIRMED, FREE, LOCAL

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_TRACKS = 10
"""Tracks of one cluster; greater ones are associated by one look alone (`associate`)."""
MOST_PLOTS = 62
"""Plots of one cluster in one look: a set of them is the bits of an integer."""
MOST_HYPOTHESES = 24
"""Hypotheses of one cluster that are kept from look to look."""
MOST_EVENTS = 64
"""Events of one look, over all its hypotheses, that are carried on to be merged."""
LEAST_EVENT = math.log(1e-4)
"""An event so much less probable than the best (log) is left out."""
MOST_STEPS = 20_000
"""Branches of the search in one cluster and look; beyond, the best events found so far are taken."""
LEAST_HYPOTHESIS = 1e-3
"""A hypothesis so much less probable than the best is given up."""
CAPACITY = 256
"""Clusters at a time; what finds no place is associated by one look alone."""
CLUSTER = np.dtype(
    [
        ("tracks", "i8"),  # 0: free
        ("row", "i8", (MOST_TRACKS,)),  # each track's row in the table
        ("number", "i8", (MOST_TRACKS,)),  # and its number, so that a row used anew is not taken for it
        ("hypotheses", "i8"),
        ("weight", "f8", (MOST_HYPOTHESES,)),  # probability of each
        ("local", "i8", (MOST_HYPOTHESES, MOST_TRACKS)),  # row of each track's state in each
        ("calm", "i8"),  # looks since two tracks last claimed one plot
    ]
)


def new_clusters(capacity: int = CAPACITY) -> NDArray[np.void]:
    """An empty table of clusters: number c is in place c - 1."""
    return np.zeros(capacity, CLUSTER)


class Options(NamedTuple):
    """What each of u rows may have given: options of row i are first[i] : first[i + 1], the best first."""

    first: Ints  # (u + 1,)
    log_weight: Floats  # (options,)
    bit: Ints  # (options,) the plot, as the bit of a set; 0: none
    pair: Ints  # (options,) index of the pair; UNSEEN: no plot


class Events(NamedTuple):
    """k events: log weight of each, the hypothesis it continues, and the pair it gives each of n tracks."""

    log_weight: Floats  # (k,)
    parent: Ints  # (k,)
    pair: Ints  # (k, n) UNSEEN: no plot


@njit(cache=True)
def options_of(rows: Ints, first: Ints, plot: Ints, weight: Floats, miss: Floats, bit: Ints) -> Options:
    """Options of some gated rows (u,), in order of weight; bit (m,): which bit each plot is of a set.

    first (n + 1,), plot, weight (pairs,), miss (n,): of all gated rows (`gating.Gated`).
    """
    many = len(rows)
    for i in rows:
        many += first[i + 1] - first[i]
    start = np.zeros(len(rows) + 1, np.int64)
    log_weight, bits, pair = np.empty(many), np.zeros(many, np.int64), np.full(many, UNSEEN, np.int64)
    k = 0
    for u in range(len(rows)):
        i = rows[u]
        log_weight[k] = math.log(max(miss[i], 1e-300))
        k += 1
        for e in range(first[i], first[i + 1]):
            if weight[e] > 0.0:
                log_weight[k], bits[k], pair[k] = math.log(weight[e]), 1 << bit[plot[e]], e
                k += 1
        # few: by insertion, equals in order of their plots
        for a in range(start[u] + 1, k):
            w, b, p = log_weight[a], bits[a], pair[a]
            at = a
            while at > start[u] and log_weight[at - 1] < w:
                log_weight[at], bits[at], pair[at] = log_weight[at - 1], bits[at - 1], pair[at - 1]
                at -= 1
            log_weight[at], bits[at], pair[at] = w, b, p
        start[u + 1] = k
    return Options(start, log_weight[:k], bits[:k], pair[:k])


@njit(cache=True)
def best_events(log_parent: Floats, unit: Ints, options: Options, most: int) -> Events:
    """The `most` best events over p hypotheses of n tracks, best first, none LEAST_EVENT below the best.

    log_parent (p,): log weight of each hypothesis.  unit (p, n): the row of `options` that each track is in
    it, or UNSEEN.
    """
    n = unit.shape[1]
    found = np.full(most, -np.inf)
    parent, pair = np.zeros(most, np.int64), np.full((most, n), UNSEEN, np.int64)
    count, best, worst = 0, -np.inf, 0
    bound = np.zeros(n + 1)
    at, end = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    so_far, used = np.zeros(n + 1), np.zeros(n + 1, np.int64)
    chosen = np.zeros(n, np.int64)
    steps = 0
    for g in np.argsort(-log_parent, kind="mergesort"):
        for t in range(n - 1, -1, -1):
            u = unit[g, t]
            bound[t] = bound[t + 1] + (options.log_weight[options.first[u]] if u >= 0 else 0.0)
        so_far[0], used[0] = log_parent[g], 0
        t = 0
        at[0] = options.first[unit[g, 0]] if unit[g, 0] >= 0 else 0
        end[0] = options.first[unit[g, 0] + 1] if unit[g, 0] >= 0 else 1
        while t >= 0:
            if at[t] >= end[t] or steps > MOST_STEPS:
                t -= 1
                continue
            o = at[t]
            at[t] += 1
            steps += 1
            total, bits, what = so_far[t], used[t], UNSEEN
            if unit[g, t] >= 0:
                total += options.log_weight[o]
                what = options.pair[o]
            limit = best + LEAST_EVENT
            if count == most:
                limit = max(limit, found[worst])
            if total + bound[t + 1] <= limit:
                at[t] = end[t]  # the other options weigh less still
                continue
            if unit[g, t] >= 0:
                if bits & options.bit[o]:
                    continue
                bits |= options.bit[o]
            chosen[t] = what
            if t + 1 < n:
                t += 1
                so_far[t], used[t] = total, bits
                at[t] = options.first[unit[g, t]] if unit[g, t] >= 0 else 0
                end[t] = options.first[unit[g, t] + 1] if unit[g, t] >= 0 else 1
                continue
            slot = worst if count == most else count
            count = min(count + 1, most)
            found[slot], parent[slot] = total, g
            for i in range(n):
                pair[slot, i] = chosen[i]
            best = max(best, total)
            if count == most:
                worst = int(np.argmin(found))
    order = np.argsort(-found[:count], kind="mergesort")
    keep = 0
    while keep < count and found[order[keep]] > best + LEAST_EVENT:
        keep += 1
    order = order[:keep]
    return Events(found[order], parent[order], pair[order])


@njit(cache=True)
def joined(clusters: NDArray[np.void], lone: Ints, old: Ints, many: int) -> tuple[Ints, Floats, Ints]:
    """The hypotheses of some clusters (places) and lone tracks (rows) together, independent until now.

    Returns the tracks' told rows (n,), log weight (p,) of each hypothesis, and its rows (p, n), best first.
    """
    told = np.empty(many, np.int64)
    log_weight, row = np.zeros(1), np.empty((1, many), np.int64)
    t = many - len(lone)
    told[t:] = lone
    row[0, t:] = lone
    t = 0
    for c in old:
        cluster = clusters[c]
        tracks, count = cluster["tracks"], cluster["hypotheses"]
        told[t : t + tracks] = cluster["row"][:tracks]
        both = np.empty(len(log_weight) * count)
        for p in range(len(log_weight)):
            for g in range(count):
                both[p * count + g] = log_weight[p] + math.log(cluster["weight"][g])
        order = np.argsort(-both, kind="mergesort")[:MOST_HYPOTHESES]
        rows = np.empty((len(order), many), np.int64)
        for k in range(len(order)):
            rows[k] = row[order[k] // count]
            rows[k, t : t + tracks] = cluster["local"][order[k] % count, :tracks]
        log_weight, row = both[order], rows
        t += tracks
    return told, log_weight, row


@njit(cache=True)
def keep(
    table: NDArray[np.void],
    clusters: NDArray[np.void],
    told: Ints,
    merged: NDArray[np.void],
    of_class: Ints,
    weight: Floats,
    calm: int,
) -> None:
    """Keep what events (k, n) of classes (rows `merged`) say as hypotheses, where more than one is left.

    Events of the same classes are one hypothesis.  What finds no place in the tables is not kept: its tracks
    go on as they were told.
    """
    count, tracks = of_class.shape
    first, total = np.empty(count, np.int64), np.zeros(count)
    n = 0
    for c in range(count):
        k = 0
        while k < n:
            same = True
            for t in range(tracks):
                same = same and of_class[first[k], t] == of_class[c, t]
            if same:
                break
            k += 1
        if k == n:
            first[n] = c
            n += 1
        total[k] += weight[c]
    order = np.argsort(-total[:n], kind="mergesort")[:MOST_HYPOTHESES]
    kept = 0
    while kept < len(order) and total[order[kept]] >= LEAST_HYPOTHESIS * total[order[0]]:
        kept += 1
    order = order[:kept]
    place = 0
    while place < len(clusters) and clusters[place]["tracks"] > 0:
        place += 1
    if kept < 2 or place == len(clusters):
        return
    row_of = np.full(len(merged), UNSEEN, np.int64)
    # from the far end of the table, where no track is in the way
    i, whole = len(table) - 1, 0.0
    for k in order:
        whole += total[k]
        for t in range(tracks):
            row_of[of_class[first[k], t]] = 0
    for k in range(len(merged)):
        if row_of[k] < 0:
            continue
        while i >= 0 and table[i]["life"] != FREE:
            i -= 1
        if i < 0:  # no room: take back what was taken
            for l in range(k):
                if row_of[l] >= 0:
                    table[row_of[l]]["life"] = FREE
            return
        table[i] = merged[k]
        table[i]["life"] = LOCAL
        table[i]["cluster"] = place + 1
        row_of[k] = i
    cluster = clusters[place]
    cluster["tracks"], cluster["hypotheses"], cluster["calm"] = tracks, kept, calm
    for t in range(tracks):
        cluster["row"][t] = told[t]
        cluster["number"][t] = table[told[t]]["number"]
        table[told[t]]["cluster"] = place + 1
    for g in range(kept):
        cluster["weight"][g] = total[order[g]] / whole
        for t in range(tracks):
            cluster["local"][g, t] = row_of[of_class[first[order[g]], t]]


@njit(cache=True)
def drop_ended(clusters: NDArray[np.void], table: NDArray[np.void]) -> None:
    """Take tracks that are no more out of their clusters, and give up clusters with nothing left to tell."""
    for c in range(len(clusters)):
        cluster = clusters[c]
        t = 0
        while t < cluster["tracks"]:
            told = table[cluster["row"][t]]
            if told["life"] == CONFIRMED and told["number"] == cluster["number"][t]:
                t += 1
                continue
            last = cluster["tracks"] - 1
            for g in range(cluster["hypotheses"]):
                table[cluster["local"][g, t]]["life"] = FREE
                cluster["local"][g, t] = cluster["local"][g, last]
            cluster["row"][t], cluster["number"][t] = cluster["row"][last], cluster["number"][last]
            cluster["tracks"] = last
        if cluster["tracks"] == 1 or cluster["hypotheses"] == 1:
            give_up(cluster, table)


@njit(cache=True)
def give_up(cluster: np.void, table: NDArray[np.void]) -> None:
    """Free a cluster and its local rows: its tracks go on as they were told."""
    for t in range(cluster["tracks"]):
        for g in range(cluster["hypotheses"]):
            table[cluster["local"][g, t]]["life"] = FREE
        told = table[cluster["row"][t]]
        if told["life"] == CONFIRMED and told["number"] == cluster["number"][t]:
            told["cluster"] = 0
    cluster["tracks"] = 0
    cluster["hypotheses"] = 0
