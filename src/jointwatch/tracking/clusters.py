"""Independent clusters of tracks and plots, and three ways to solve one.

Two tracks are in one cluster if a chain of shared plots links them; clusters do not matter to each other.
Within one, every pair has its odds: the weight that the plot is the track's, over that of the track giving
none of the shared plots.  An event is a set of pairs with no track and no plot in two of them; it weighs the
product of its pairs' odds.  `counted` sums over all events, exactly; `counted_apart` over those that are the
best of their permutations (Blom & Bloem 2000, JPDA*); `propagated` approximates `counted` for clusters of any
size (Williams & Lau 2014).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.tracking.index import counting_sort

ITERATIONS = 200
SETTLED = 1e-7
MOST_BITS = 12
"""Columns that `plan` holds open at once, at most."""
LEAST_LINK = 1e-4
"""Odds of a plot, beside none, from which it links its tracks into a cluster of several looks."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@njit(cache=True)
def _root(parent: Ints, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True)
def split(pair_track: Ints, pair_plot: Ints, weight: Floats, tracks: int, plots: int) -> tuple[Ints, Ints]:
    """Pairs of each cluster, by union-find: cluster c has pairs order[start[c] : start[c + 1]], ascending.

    Only pairs of weight above 0 whose plot is in another such pair too are in a cluster; clusters are in
    order of their first pair.
    """
    sharers = np.zeros(plots, np.int64)
    for e in range(len(weight)):
        if weight[e] > 0.0:
            sharers[pair_plot[e]] += 1
    parent = np.arange(tracks)
    first = np.full(plots, -1, np.int64)
    shared = np.empty(len(weight), np.int64)
    n = 0
    for e in range(len(weight)):
        j = pair_plot[e]
        if weight[e] <= 0.0 or sharers[j] < 2:
            continue
        shared[n] = e
        n += 1
        if first[j] < 0:
            first[j] = pair_track[e]
        a, b = _root(parent, first[j]), _root(parent, pair_track[e])
        parent[max(a, b)] = min(a, b)
    number = np.full(tracks, -1, np.int64)
    cluster = np.empty(n, np.int64)
    count = 0
    for k in range(n):
        root = _root(parent, pair_track[shared[k]])
        if number[root] < 0:
            number[root] = count
            count += 1
        cluster[k] = number[root]
    start, order = counting_sort(cluster, count)
    for k in range(n):
        order[k] = shared[order[k]]
    return start, order


@njit(cache=True)
def together(
    first: Ints, plot: Ints, weight: Floats, miss: Floats, of: Ints, kept: Ints, plots: int
) -> tuple[Ints, Ints]:
    """Tracks of each cluster of two or more, ascending: cluster c has order[start[c] : start[c + 1]].

    first (u + 1,), plot, weight (pairs,), miss (u,): rows and their pairs (`gating.Gated`).  of (u,): the
    track that each row is a state of; kept (n,): number of the cluster that each of n tracks is in already,
    or 0.  Pairs that hardly weigh anything beside giving no plot link no tracks.
    """
    tracks = len(kept)
    parent = np.arange(tracks)
    by_plot, by_number = np.full(plots, -1, np.int64), np.full(kept.max() + 1 if tracks else 1, -1, np.int64)
    for i in range(tracks):
        if kept[i] > 0:
            if by_number[kept[i]] < 0:
                by_number[kept[i]] = i
            a, b = _root(parent, by_number[kept[i]]), _root(parent, i)
            parent[max(a, b)] = min(a, b)
    for u in range(len(of)):
        for e in range(first[u], first[u + 1]):
            if weight[e] < LEAST_LINK * miss[u]:
                continue
            if by_plot[plot[e]] < 0:
                by_plot[plot[e]] = of[u]
            a, b = _root(parent, by_plot[plot[e]]), _root(parent, of[u])
            parent[max(a, b)] = min(a, b)
    size = np.zeros(tracks, np.int64)
    for i in range(tracks):
        size[_root(parent, i)] += 1
    number, count, members = np.full(tracks, -1, np.int64), 0, np.empty(tracks, np.int64)
    cluster, n = np.empty(tracks, np.int64), 0
    for i in range(tracks):
        root = _root(parent, i)
        if size[root] < 2 and kept[i] == 0:
            continue
        if number[root] < 0:
            number[root] = count
            count += 1
        cluster[n], members[n] = number[root], i
        n += 1
    start, order = counting_sort(cluster[:n], count)
    for k in range(n):
        order[k] = members[order[k]]
    return start, order


@njit(cache=True)
def plan(row: Ints, column: Ints, rows: int, columns: int) -> tuple[Ints, Ints, Ints, int]:
    """In which order `counted` takes the rows, so that few columns are open at once.

    A column is open from the first row that has a pair with it to the last.  Returns the order (rows,), each
    column's bit (columns,) while open (-1: it is of one row only and needs none), the bits (rows,) that close
    after each row taken, and how many bits there are: above MOST_BITS the plan was given up.
    Greedy: next comes the row that leaves the fewest open, the first of equals.
    """
    start, pair = counting_sort(row, rows)
    left = np.zeros(columns, np.int64)  # rows of the column still to come
    for c in column:
        left[c] += 1
    alone = left == 1
    bit = np.full(columns, -1, np.int64)
    taken = np.zeros(rows, np.bool_)
    order = np.empty(rows, np.int64)
    closes = np.zeros(rows, np.int64)
    busy, bits = 0, 0
    for step in range(rows):
        best, fewest = -1, columns + 1
        for r in range(rows):
            if taken[r]:
                continue
            opened = 0
            for p in pair[start[r] : start[r + 1]]:
                c = column[p]
                if not alone[c] and bit[c] < 0:
                    opened += 1
                elif not alone[c] and left[c] == 1:
                    opened -= 1
            if opened < fewest:
                best, fewest = r, opened
        order[step] = best
        taken[best] = True
        for p in pair[start[best] : start[best + 1]]:
            c = column[p]
            left[c] -= 1
            if alone[c]:
                continue
            if bit[c] < 0:
                b = 0
                while busy >> b & 1:
                    b += 1
                bit[c] = b
                busy |= 1 << b
                bits = max(bits, b + 1)
            if left[c] == 0:
                closes[step] |= 1 << bit[c]
        if bits > MOST_BITS:
            break
        busy &= ~closes[step]
    return order, bit, closes, bits


@njit(cache=True)
def counted(
    row: Ints,
    column: Ints,
    odds: Floats,
    rows: int,
    columns: int,
    order: Ints,
    bit: Ints,
    closes: Ints,
    bits: int,
) -> tuple[Floats, Floats, Floats]:
    """Exact marginals of every pair (pairs,), and of each row (rows,) and column (columns,) being in none.

    Rows and columns are tracks and plots, or plots and tracks, as is cheaper; order, bit, closes, bits:
    `plan`. Forward, then backward over rows, the state being which open columns are used: 2**bits * (pairs +
    rows) steps.  Sums of positive terms only, so that small marginals are as exact as great ones.
    """
    size = 1 << bits
    start, pair = counting_sort(row, rows)
    before = np.zeros((rows, size))  # weight of what the rows taken so far do, by the open columns they use
    before[0, 0] = 1.0
    after = np.empty(size)
    for k in range(rows - 1):
        _take(before[k], pair[start[order[k]] : start[order[k] + 1]], column, odds, bit, after)
        for m in range(size):
            before[k + 1, m & ~closes[k]] += after[m]
        _scale(before[k + 1])
    to_come = np.ones(size)  # weight of what the rows still to come can do
    later = np.empty(size)
    belief = np.zeros(len(odds))
    row_none, column_none = np.ones(rows), np.ones(columns)
    for k in range(rows - 1, -1, -1):
        here = pair[start[order[k]] : start[order[k] + 1]]
        _take(before[k], here, column, odds, bit, after)
        alone, total = 0.0, 0.0
        for m in range(size):
            later[m] = to_come[m & ~closes[k]]
            alone += before[k, m] * later[m]
            total += after[m] * later[m]
        row_none[order[k]] = alone / total
        for m in range(size):
            to_come[m] = later[m]
        for p in here:
            b = bit[column[p]]
            if b < 0:
                belief[p] = odds[p] * alone / total
                for m in range(size):
                    to_come[m] += odds[p] * later[m]
                continue
            one, part = 1 << b, 0.0
            for m in range(size):
                if not m & one:
                    part += before[k, m] * later[m | one]
                    to_come[m] += odds[p] * later[m | one]
            belief[p] = odds[p] * part / total
        for p in here:
            b = bit[column[p]]
            if b < 0:
                column_none[column[p]] = row_none[order[k]]
                for other in here:
                    if other != p:
                        column_none[column[p]] += belief[other]
            elif closes[k] >> b & 1:
                part = 0.0
                for m in range(size):
                    if not m >> b & 1:
                        part += after[m] * later[m]
                column_none[column[p]] = part / total
        _scale(to_come)
    return belief, row_none, column_none


@njit(cache=True)
def _scale(weights: Floats) -> None:
    """Make the greatest 1: only ratios matter, and products of many odds would overflow."""
    greatest = 0.0
    for w in weights:
        greatest = max(greatest, w)
    for m in range(len(weights)):
        weights[m] /= greatest


@njit(cache=True)
def _take(before: Floats, here: Ints, column: Ints, odds: Floats, bit: Ints, after: Floats) -> None:
    """Weights after one more row: in none, or in one of its pairs `here` whose column is not used."""
    for m in range(len(before)):
        after[m] = before[m]
    for p in here:
        b = bit[column[p]]
        for m in range(len(before)):
            if b < 0:
                after[m] += odds[p] * before[m]
            elif m >> b & 1:
                after[m] += odds[p] * before[m ^ (1 << b)]


@njit(cache=True)
def counted_apart(track: Ints, plot: Ints, odds: Floats, tracks: int, plots: int) -> tuple[Floats, Floats]:
    """Marginals (pairs,) and (tracks,) of none over the events that are the best of their permutations.

    Of the events in which the same tracks gave the same plots, in whatever order, only the best is kept, the
    first of equals (Blom & Bloem 2000, section IV).  2**(tracks + plots) states.
    """
    start, pair = counting_sort(track, tracks)
    size = 1 << plots
    best = np.zeros((1 << tracks, size))  # weight of the best event of these tracks and plots
    last = np.empty((1 << tracks, size), np.int64)  # its pair of the last track
    best[0, 0] = 1.0
    many = np.zeros(max(1 << tracks, size), np.int64)  # how many are in a set
    for m in range(1, len(many)):
        many[m] = many[m >> 1] + (m & 1)
    belief, none = np.zeros(len(odds)), np.zeros(tracks)
    total = 0.0
    top = 0
    for some in range(1 << tracks):
        while some >> (top + 1):
            top += 1
        of_these = 0.0
        for used in range(size):
            if many[used] != many[some]:
                continue
            if some > 0:
                for p in pair[start[top] : start[top + 1]]:
                    one = 1 << plot[p]
                    if used & one:
                        w = odds[p] * best[some ^ (1 << top), used ^ one]
                        if w > best[some, used]:
                            best[some, used], last[some, used] = w, p
            w = best[some, used]
            if w == 0.0:
                continue
            of_these += w
            s, u = some, used
            while s:
                p = last[s, u]
                belief[p] += w
                s ^= 1 << track[p]
                u ^= 1 << plot[p]
        total += of_these
        for i in range(tracks):
            if not some >> i & 1:
                none[i] += of_these
    for p in range(len(odds)):
        belief[p] /= total
    for i in range(tracks):
        none[i] /= total
    return belief, none


@njit(cache=True)
def _of_others(key: Ints, value: Floats, total: Floats, others: Floats) -> None:
    """others[e]: sum of the values with e's key, without its own (added up, as a difference may cancel)."""
    for k in range(len(total)):
        total[k] = 0.0
    for e in range(len(key)):
        others[e] = total[key[e]]
        total[key[e]] += value[e]
    for k in range(len(total)):
        total[k] = 0.0
    for e in range(len(key) - 1, -1, -1):
        others[e] += total[key[e]]
        total[key[e]] += value[e]


@njit(cache=True)
def propagated(
    track: Ints, plot: Ints, odds: Floats, tracks: int, plots: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Marginals (pairs,) and (tracks,) of none by loopy belief propagation; exact where no loop of pairs is.

    Also its messages (pairs,): how free each plot is for the track, 0..1, and how the track claims the plot
    (Williams & Lau 2014, eqs. 30, 31).  Linear in the number of pairs; converges always.
    """
    free = np.ones(len(odds))
    claim, offer, others = np.empty(len(odds)), np.empty(len(odds)), np.empty(len(odds))
    of_track, of_plot = np.empty(tracks), np.empty(plots)
    for _ in range(ITERATIONS):
        for e in range(len(odds)):
            offer[e] = odds[e] * free[e]
        _of_others(track, offer, of_track, others)
        for e in range(len(odds)):
            claim[e] = odds[e] / (1.0 + others[e])
        _of_others(plot, claim, of_plot, others)
        change = 0.0
        for e in range(len(odds)):
            new = 1.0 / (1.0 + others[e])
            change = max(change, abs(new - free[e]))
            free[e] = new
        if change < SETTLED:
            break
    for i in range(tracks):
        of_track[i] = 1.0
    for e in range(len(odds)):
        of_track[track[e]] += odds[e] * free[e]
    belief = np.empty(len(odds))
    for e in range(len(odds)):
        belief[e] = odds[e] * free[e] / of_track[track[e]]
    for i in range(tracks):
        of_track[i] = 1.0 / of_track[i]
    return belief, of_track, free, claim
