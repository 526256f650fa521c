"""Which plot is whose: for every gated pair of a track and a plot, the probability that they belong together.

In: gated pairs with their weights, and each track's weight of giving no plot; out: the marginals.  A plot
that one track alone may have given is dealt with in closed form; what is left falls into independent clusters
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
from jointwatch.tracking.index import counting_sort

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
EXACT_PAIRS = 1024
"""Greater clusters are not even planned for."""
EXACT_STEPS = 1 << 17
"""What a cluster may cost to be solved exactly, in steps of `counted` (about a nanosecond each)."""
APART_BITS = 14
"""Tracks and shared plots of a cluster, together, whose permutations are all weighed."""
NEARBY_TRACKS, NEARBY_PLOTS = 4, 6
"""In greater clusters: tracks (itself among them) and plots whose permutations are weighed for a track."""
GREATEST_ODDS = 1e30


@njit(cache=True)
def marginals(
    pair_track: Ints, pair_plot: Ints, weight: Floats, miss: Floats, plot_count: int
) -> tuple[Floats, Floats]:
    """Marginals (pairs,) of each pair and (tracks,) of no plot; those of a track add up to 1.

    pair_track, pair_plot: (pairs,) indices, sorted by track, no pair twice; weight: (pairs,) of each,
    relative to the plot being clutter or new, finite; miss: (tracks,) of each track giving no plot.  Exact
    for clusters within EXACT_STEPS; in greater crowded ones the worst marginal of propagation is off by 0.07
    on average and 0.3 at times (measured on 6 to 9 tracks, all gates shared, weights over five decades).
    """
    start, order = split(pair_track, pair_plot, weight, len(miss), plot_count)
    rest = _rest(pair_track, weight, miss, order)
    share, alone = np.zeros(len(weight)), np.ones(len(miss))
    number = np.full(len(miss) + plot_count, -1, np.int64)
    for c in range(len(start) - 1):
        members = order[start[c] : start[c + 1]]
        track, plot, odds, n, m = _numbered(members, pair_track, pair_plot, weight, rest, number)
        belief, none = _cluster(track, plot, odds, n, m)
        _put(members, pair_track, track, belief, none, share, alone)
    _add_own(pair_track, weight, miss, order, rest, share, alone)
    return share, alone


@njit(cache=True)
def marginals_apart(
    pair_track: Ints, pair_plot: Ints, weight: Floats, miss: Floats, plot_count: int
) -> tuple[Floats, Floats]:
    """As `marginals`, but over those events only that are the best of their permutations.

    Where tracks share no plots the two are the same.  In clusters beyond APART_BITS each track is weighed
    with its nearest neighbours only, the others' claims being those of belief propagation; where the shares
    of a plot then add up to more than 1 they are scaled to it.
    """
    start, order = split(pair_track, pair_plot, weight, len(miss), plot_count)
    rest = _rest(pair_track, weight, miss, order)
    share, alone = np.zeros(len(weight)), np.ones(len(miss))
    number = np.full(len(miss) + plot_count, -1, np.int64)
    for c in range(len(start) - 1):
        members = order[start[c] : start[c + 1]]
        track, plot, odds, n, m = _numbered(members, pair_track, pair_plot, weight, rest, number)
        if n + m <= APART_BITS:
            belief, none = counted_apart(track, plot, odds, n, m)
        else:
            belief, none = _nearby(track, plot, odds, n, m)
        _put(members, pair_track, track, belief, none, share, alone)
    _add_own(pair_track, weight, miss, order, rest, share, alone)
    return share, alone


@njit(cache=True)
def _rest(pair_track: Ints, weight: Floats, miss: Floats, shared: Ints) -> Floats:
    """Weight (tracks,) of each track giving none of the shared plots: no plot, or one that is its alone."""
    rest = miss.copy()
    own = np.ones(len(weight), np.bool_)
    greatest = np.zeros(len(miss))
    for e in shared:
        own[e] = False
        greatest[pair_track[e]] = max(greatest[pair_track[e]], weight[e])
    for e in range(len(weight)):
        if own[e]:
            rest[pair_track[e]] += weight[e]
    for i in range(len(miss)):
        rest[i] = max(rest[i], greatest[i] / GREATEST_ODDS, 1e-300)  # it is divided by
    return rest


@njit(cache=True)
def _numbered(
    members: Ints, pair_track: Ints, pair_plot: Ints, weight: Floats, rest: Floats, number: Ints
) -> tuple[Ints, Ints, Floats, int, int]:
    """A cluster's pairs by its own numbers of its tracks and plots, their odds, and how many there are.

    number: (tracks + plots,), -1 for what is in no cluster so far; filled in.
    """
    n, m = 0, 0
    track, plot = np.empty(len(members), np.int64), np.empty(len(members), np.int64)
    odds = np.empty(len(members))
    for k in range(len(members)):
        i, j = pair_track[members[k]], len(rest) + pair_plot[members[k]]
        if number[i] < 0:
            number[i] = n
            n += 1
        if number[j] < 0:
            number[j] = m
            m += 1
        track[k], plot[k] = number[i], number[j]
        odds[k] = weight[members[k]] / rest[i]
    return track, plot, odds, n, m


@njit(cache=True)
def _put(
    members: Ints, pair_track: Ints, track: Ints, belief: Floats, none: Floats, share: Floats, alone: Floats
) -> None:
    """Write a cluster's marginals to those of all pairs and tracks."""
    for k in range(len(members)):
        share[members[k]] = belief[k]
        alone[pair_track[members[k]]] = none[track[k]]


@njit(cache=True)
def _add_own(
    pair_track: Ints, weight: Floats, miss: Floats, shared: Ints, rest: Floats, share: Floats, alone: Floats
) -> None:
    """Split what is of no shared plot among no plot and the plots that are a track's alone, in place."""
    own = np.ones(len(weight), np.bool_)
    for e in shared:
        own[e] = False
    for e in range(len(weight)):
        if own[e]:
            share[e] = alone[pair_track[e]] * (weight[e] / rest[pair_track[e]])
    for i in range(len(miss)):
        if (
            rest[i] > 1e-300
        ):  # else there is neither a plot nor a chance of a miss: "none" is all that is left
            alone[i] *= miss[i] / rest[i]


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
    first, _ = counting_sort(track, n)  # pairs are in order of track: those of i begin at first[i]
    at_plot = np.zeros(m)
    for i in range(n):
        some = _neighbours(i, track, plot, share, first, at_plot)
        contested = _contested(plot, share, first, some, m)
        pairs = 0
        close = np.zeros(n, np.bool_)
        for k in some:
            close[k] = True
            pairs += first[k + 1] - first[k]
        outside = np.ones(m)  # 1 + what the tracks further off claim
        for e in range(len(odds)):
            if not close[track[e]]:
                outside[plot[e]] += claim[e]
        a, b = np.empty(pairs, np.int64), np.empty(pairs, np.int64)
        local = np.empty(pairs)
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
                    local[count] = odds[e] / outside[plot[e]]
                    count += 1
            for e in range(begin, count):
                local[e] /= rest[k]
        belief, none = counted_apart(a[:count], b[:count], local[:count], len(some), NEARBY_PLOTS)
        near_alone[i] = none[0] / rest[0]
        for e in range(first[i], first[i + 1]):
            if contested[plot[e]] < 0:
                near[e] = none[0] * odds[e] * free[e] / rest[0]
            else:
                near[e] = belief[place]
                place += 1
    # each track was weighed by itself: what they claim of a plot together is no more than the plot
    claimed = np.zeros(m)
    for e in range(len(odds)):
        claimed[plot[e]] += near[e]
    for e in range(len(odds)):
        if claimed[plot[e]] > 1.0:
            near_alone[track[e]] += near[e] * (1.0 - 1.0 / claimed[plot[e]])
            near[e] /= claimed[plot[e]]
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
        k = 0
        for other in range(1, len(overlap)):
            if overlap[other] > overlap[k]:
                k = other
        if overlap[k] <= 0.0:
            break
        some[n] = k
        overlap[k] = 0.0
        n += 1
    return some[:n]


@njit(cache=True)
def _contested(plot: Ints, share: Floats, first: Ints, some: Ints, m: int) -> Ints:
    """Number (m,) of each plot among those that two or more of some tracks claim most of; -1: none."""
    sharers, claimed = np.zeros(m, np.int64), np.zeros(m)
    for i in some:
        for e in range(first[i], first[i + 1]):
            sharers[plot[e]] += 1
            claimed[plot[e]] += share[e]
    number = np.full(m, -1, np.int64)
    for k in range(NEARBY_PLOTS):
        best, most = -1, 0.0
        for i in some:
            for e in range(first[i], first[i + 1]):
                j = plot[e]
                if sharers[j] > 1 and number[j] < 0 and claimed[j] > most:
                    best, most = j, claimed[j]
        if best < 0:
            break
        number[best] = k
    return number
