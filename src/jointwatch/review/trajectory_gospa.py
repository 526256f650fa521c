"""Trajectory GOSPA: how far tracks lie from true flights over a time, switches of tracks included.

In: tracks and true flights laid out over the same times (`review.trajectories`); out: the metric and its
parts: localisation, missed, false and switching (Garcia-Fernandez, Rahmathullah & Svensson 2020, "A metric on
the space of finite sets of trajectories for evaluation of multi-target tracking algorithms", by its linear
programme).  Against OSPA(2) it says how much of a distance is owed to which fault.

The programme is solved in what assignments save.  With w the assignment of track i to truth j at time k, c
the cutoff, d their distance and g the switching penalty, the paper's cost is
    (c^p / 2) (track-times + truth-times) - sum (c^p - d^p) w + (g^p / 2) sum |w(k+1) - w(k)|
summed over pairs that are near (d < c) at some time; no other pair can save anything.  A track and a truth
near each other and nobody else are assigned throughout; the rest go to the solver, each set that is joined by
rivalry by itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, vstack
from scipy.sparse.csgraph import connected_components

from jointwatch.review.pairing import near_pairs
from jointwatch.review.trajectories import check_same_times, present


class TrajectoryGospa(NamedTuple):
    """The metric (m), and its parts as powers: distance^p = localisation + missed + false + switching.

    switches: full ones (a truth passes from one track to another) count 1, half ones (it gains or loses its
    track while both are there or either goes on) 1/2.
    """

    distance_m: float
    localisation: float
    missed: float
    false: float
    switching: float
    switches: float


def trajectory_gospa(
    tracks: NDArray[np.float64],
    truths: NDArray[np.float64],
    cutoff_m: float,
    switch_m: float,
    power: float = 1.0,
) -> TrajectoryGospa:
    """Trajectory GOSPA of positions (n, T, d) and (m, T, d), in metres.

    cutoff_m: what is farther apart is not one object; switch_m: the penalty of a switch (gamma); it should
    be well above the error of a good track, or it would pay to switch at every time.
    """
    check_same_times(tracks, truths)
    if not switch_m > 0.0:
        raise ValueError(f"a switch costs a positive distance, not {switch_m}")
    m, steps = len(truths), tracks.shape[1]
    keys, whens, aparts = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for k in range(steps):
        near = near_pairs(tracks[:, k], truths[:, k], cutoff_m)
        keys.append(near.first * m + near.second)
        whens.append(np.full(len(near.first), k))
        aparts.append(near.apart)
    full, penalty = cutoff_m**power, 0.5 * switch_m**power
    track_times, truth_times = int(present(tracks).sum()), int(present(truths).sum())
    pair, which = np.unique(np.concatenate(keys), return_inverse=True)
    when = np.concatenate(whens)
    near_then, cost = np.zeros((2, len(pair), steps))
    near_then[which, when] = 1.0
    cost[which, when] = np.concatenate(aparts) ** power
    w = _assign((full - cost) * near_then, pair // max(m, 1), pair % max(m, 1), penalty)
    assigned = float((w * near_then).sum())
    localisation = float((w * cost).sum())
    missed, false = (0.5 * full * max(0.0, count - assigned) for count in (truth_times, track_times))
    switches = float(0.5 * np.abs(np.diff(w, axis=1)).sum())
    switching = 2.0 * penalty * switches
    total = localisation + missed + false + switching
    return TrajectoryGospa(total ** (1.0 / power), localisation, missed, false, switching, switches)


def _assign(
    gain: NDArray[np.float64], track: NDArray[np.int64], truth: NDArray[np.int64], penalty: float
) -> NDArray[np.float64]:
    """Assignments (pairs, T) in 0..1 that gain most, less the penalty for each change."""
    w = np.ones(gain.shape)
    if not gain.size:
        return w
    rivals = (np.bincount(track)[track] > 1) | (np.bincount(truth)[truth] > 1)
    if rivals.any():
        # what shares no track and no truth, through any third, is a problem of its own
        rival = np.flatnonzero(rivals)
        ends = track[rival], track.max() + 1 + truth[rival]
        size = int(ends[1].max()) + 1
        _, label = connected_components(coo_array((np.ones(len(rival)), ends), shape=(size, size)), False)
        of_pair = label[ends[0]]
        for one in np.unique(of_pair):
            k = rival[of_pair == one]
            w[k] = _solve(gain[k], track[k], truth[k], penalty)
    return w


def _solve(
    gain: NDArray[np.float64], track: NDArray[np.int64], truth: NDArray[np.int64], penalty: float
) -> NDArray[np.float64]:
    """The linear programme: variables w (pairs, T), then their absolute changes (pairs, T - 1)."""
    count, steps = gain.shape
    size, changes = count * steps, count * (steps - 1)
    at = np.arange(size).reshape(count, steps)
    rows = []
    for owner in (track, truth):  # no track, and no truth, is assigned more than once at a time
        _, row = np.unique(owner, return_inverse=True)
        row = row[:, None] * steps + np.arange(steps)
        rows.append(
            coo_array((np.ones(size), (row.ravel(), at.ravel())), shape=(int(row.max()) + 1, size + changes))
        )
    limits = [np.ones(r.shape[0]) for r in rows]
    e = np.arange(changes)
    before, after = at[:, :-1].ravel(), at[:, 1:].ravel()
    for sign in (1.0, -1.0):  # sign (w(k+1) - w(k)) <= change
        values = np.concatenate([np.full(changes, sign), np.full(changes, -sign), np.full(changes, -1.0)])
        columns = np.concatenate([after, before, size + e])
        rows.append(coo_array((values, (np.tile(e, 3), columns)), shape=(changes, size + changes)))
        limits.append(np.zeros(changes))
    scale = max(float(gain.max()), penalty)  # the solver's tolerances are absolute
    found = linprog(
        np.concatenate([-gain.ravel(), np.full(changes, penalty)]) / scale,
        A_ub=csr_array(vstack(rows)),
        b_ub=np.concatenate(limits),
        bounds=(0.0, 1.0),
        method="highs-ds",
    )
    if found.x is None:
        raise RuntimeError(f"trajectory GOSPA's linear programme was not solved: {found.message}")
    w: NDArray[np.float64] = np.clip(found.x[:size], 0.0, 1.0).reshape(count, steps)
    return w
