"""Which plot is whose: for every gated pair of a track and a plot, the probability that they belong together.

In: gated pairs with their weights, and each track's weight of giving no plot; out: the marginals.  A plot that
one track alone may have given is dealt with in closed form; what is left falls into independent clusters
(`clusters`), each solved exactly if that costs little, else by belief propagation (Williams & Lau 2014).
`marginals_apart` keeps tracks that fly side by side from running together (Blom & Bloem 2000, JPDA*): plain
marginals give each of two such tracks a share of both plots, and both end up in the middle.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.tracking.clusters import (
    MOST_BITS,
    counted,
    counted_apart,
    plan,
    propagated,
    split,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
EXACT_PAIRS = 256
"""Greater clusters are not even planned for."""
EXACT_STEPS = 1 << 16
"""What a cluster may cost to be solved exactly, in steps of `counted` (about a nanosecond each)."""
APART_BITS = 14
"""Tracks and shared plots of a cluster, together, whose permutations are all weighed."""
NEARBY_TRACKS, NEARBY_PLOTS = 4, 6
"""In greater clusters: the tracks (itself among them) and plots whose permutations are weighed for a track."""
GREATEST_ODDS = 1e30


@njit(cache=True)
def marginals(
    pair_track: Ints, pair_plot: Ints, weight: Floats, miss: Floats, plot_count: int
) -> tuple[Floats, Floats]:
    """Marginals (pairs,) of each pair and (tracks,) of no plot; those of a track add up to 1.

    pair_track, pair_plot: (pairs,) indices, sorted by track, no pair twice; weight: (pairs,) of each, relative
    to the plot being clutter or new, finite; miss: (tracks,) of each track giving no plot.  Exact for
    clusters within EXACT_STEPS; in greater ones propagation errs, by 0.02 on average where they are crowded.
    """
    return _solve(pair_track, pair_plot, weight, miss, plot_count, False)


@njit(cache=True)
def marginals_apart(
    pair_track: Ints, pair_plot: Ints, weight: Floats, miss: Floats, plot_count: int
) -> tuple[Floats, Floats]:
    """As `marginals`, but over those events only that are the best of their permutations.

    Where tracks share no plots the two are the same.  In clusters beyond APART_BITS each track is weighed with
    its nearest neighbours only, the others' claims being those of belief propagation; the shares of a plot
    may then add up to a little more than 1.
    """
    return _solve(pair_track, pair_plot, weight, miss, plot_count, True)


@njit(cache=True)
def _solve(
    pair_track: Ints, pair_plot: Ints, weight: Floats, miss: Floats, plot_count: int, apart: bool
) -> tuple[Floats, Floats]:
    """Marginals: closed form for what is one track's alone, cluster by cluster for the rest."""
    pairs, tracks = len(weight), len(miss)
    start, order = split(pair_track, pair_plot, weight, tracks, plot_count)
    shared = np.zeros(pairs, np.bool_)
    shared[order] = True
    # in none of the shared plots: no plot, or one that is the track's alone
    rest = miss.copy()
    greatest = np.zeros(tracks)
    for e in range(pairs):
        if shared[e]:
            greatest[pair_track[e]] = max(greatest[pair_track[e]], weight[e])
        else:
            rest[pair_track[e]] += weight[e]
    for i in range(tracks):
        rest[i] = max(rest[i], greatest[i] / GREATEST_ODDS, 1e-300)
    belief = np.zeros(pairs)
    none = np.ones(tracks)
    here_track, here_plot = np.full(tracks, -1, np.int64), np.full(plot_count, -1, np.int64)
    for c in range(len(start) - 1):
        members = order[start[c] : start[c + 1]]
        n, m = 0, 0
        track, plot = np.empty(len(members), np.int64), np.empty(len(members), np.int64)
        odds = np.empty(len(members))
        for k in range(len(members)):
            i, j = pair_track[members[k]], pair_plot[members[k]]
            if here_track[i] < 0:
                here_track[i] = n
                n += 1
            if here_plot[j] < 0:
                here_plot[j] = m
                m += 1
            track[k], plot[k] = here_track[i], here_plot[j]
            odds[k] = weight[members[k]] / rest[i]
        if not apart:
            share, alone = _cluster(track, plot, odds, n, m)
        elif n + m <= APART_BITS:
            share, alone = counted_apart(track, plot, odds, n, m)
        else:
            share, alone = _nearby(track, plot, odds, n, m)
        for k in range(len(members)):
            belief[members[k]] = share[k]
            none[pair_track[members[k]]] = alone[track[k]]
    for e in range(pairs):
        if not shared[e]:
            belief[e] = none[pair_track[e]] * (weight[e] / rest[pair_track[e]])
    for i in range(tracks):
        if miss[i] > 0.0 or rest[i] > 1e-300:
            none[i] *= miss[i] / rest[i]
    return belief, none


@njit(cache=True)
def _cluster(track: Ints, plot: Ints, odds: Floats, n: int, m: int) -> tuple[Floats, Floats]:
    """Marginals of one cluster's n tracks and m plots, exactly if that costs little."""
    if len(odds) <= EXACT_PAIRS:
        # the state is kept over plots or over tracks, whichever is fewer at a time
        order, bit, closes, bits = plan(track, plot, n, m)
        steps = (len(odds) + n) << bits
        other_order, other_bit, other_closes, other_bits = plan(plot, track, m, n)
        other_steps = (len(odds) + m) << other_bits
        if bits <= MOST_BITS and steps <= min(EXACT_STEPS, other_steps):
            share, alone, _ = counted(track, plot, odds, n, m, order, bit, closes, bits)
            return share, alone
        if other_bits <= MOST_BITS and other_steps <= EXACT_STEPS:
            share, _, alone = counted(
                plot, track, odds, m, n, other_order, other_bit, other_closes, other_bits
            )
            return share, alone
    share, alone, _, _ = propagated(track, plot, odds, n, m)
    return share, alone


@njit(cache=True)
def _nearby(track: Ints, plot: Ints, odds: Floats, n: int, m: int) -> tuple[Floats, Floats]:
    """Marginals apart in a great cluster: each track with the few that share most of its plots.

    Plots that they contest are weighed in all permutations, less what tracks further off claim of them; every
    other plot counts as the track's own, as free for it as propagation says.
    """
    share, alone, free, claim = propagated(track, plot, odds, n, m)
    near, near_alone = share.copy(), alone.copy()
    first = np.searchsorted(track, np.arange(n + 1))  # pairs are sorted by track
    at_plot = np.zeros(m)
    for i in range(n):
        some = _neighbours(i, track, plot, share, first, at_plot)
        pairs = np.empty(0, np.int64)
        for k in some:
            pairs = np.append(pairs, np.arange(first[k], first[k + 1]))
        contested = _contested(plot, share, pairs, m)
        if len(some) < 2 or contested.max() < 0:
            continue
        outside = np.ones(m)  # 1 + what the tracks further off claim
        for e in range(len(odds)):
            outside[plot[e]] += claim[e]
        for e in pairs:
            outside[plot[e]] -= claim[e]
        a, b = np.empty(len(pairs), np.int64), np.empty(len(pairs), np.int64)
        local = np.empty(len(pairs))
        rest = np.ones(len(some))
        count = 0
        place = 0
        for k in range(len(some)):
            begin = count
            for e in range(first[some[k]], first[some[k] + 1]):
                if contested[plot[e]] < 0:
                    rest[k] += odds[e] * free[e]
                else:
                    a[count], b[count] = k, contested[plot[e]]
                    local[count] = odds[e] / max(outside[plot[e]], 1.0)
                    count += 1
            local[begin:count] /= rest[k]
        belief, none = counted_apart(a[:count], b[:count], local[:count], len(some), NEARBY_PLOTS)
        near_alone[i] = none[0] / rest[0]
        for e in range(first[i], first[i + 1]):
            if contested[plot[e]] < 0:
                near[e] = none[0] * odds[e] * free[e] / rest[0]
            else:
                near[e] = belief[place]
                place += 1
    return near, near_alone


@njit(cache=True)
def _neighbours(i: int, track: Ints, plot: Ints, share: Floats, first: Ints, at_plot: Floats) -> Ints:
    """Track i and those that share most with it, by the product of the shares; at_plot: zeros (plots,)."""
    overlap = np.zeros(len(first) - 1)
    for e in range(first[i], first[i + 1]):
        at_plot[plot[e]] = share[e]
    for e in range(len(track)):
        overlap[track[e]] += at_plot[plot[e]] * share[e]
    for e in range(first[i], first[i + 1]):
        at_plot[plot[e]] = 0.0
    overlap[i] = 0.0
    some = np.empty(NEARBY_TRACKS, np.int64)
    some[0], n = i, 1
    while n < NEARBY_TRACKS:
        k = np.argmax(overlap)
        if overlap[k] <= 0.0:
            break
        some[n] = k
        overlap[k] = 0.0
        n += 1
    return some[:n]


@njit(cache=True)
def _contested(plot: Ints, share: Floats, pairs: Ints, m: int) -> Ints:
    """Number (m,) of each plot among those that most is claimed of by two or more of the pairs; -1: none."""
    sharers, claimed = np.zeros(m, np.int64), np.zeros(m)
    for e in pairs:
        sharers[plot[e]] += 1
        claimed[plot[e]] += share[e]
    number = np.full(m, -1, np.int64)
    for k in range(NEARBY_PLOTS):
        best, most = -1, 0.0
        for e in pairs:
            j = plot[e]
            if sharers[j] > 1 and number[j] < 0 and claimed[j] > most:
                best, most = j, claimed[j]
        if best < 0:
            break
        number[best] = k
    return number
