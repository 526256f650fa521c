"""Which tracks of two originators are one object: a joint assignment, with a distance that knows of bias.

In: two clouds of tracks at one time, and which pairs were held to be one object before; out: the pairs now.
What two partners' sensors see of the same objects lies apart by what their registration leaves, alike for all
of them: the pairs together tell that offset, and each pair is judged by what the others say of it (Levedahl
2002, "Explicit pattern matching assignment algorithm", treats tracks and bias as one problem).  Their least
total distance decides, cluster by cluster of tracks that are near (Jonker & Volgenant 1987).
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from jointwatch.motion.gaussian import cholesky, solve_lower, solve_upper
from jointwatch.motion.phases import CRUISE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GATE2, PART2 = 25.0, 36.0
"""Squared distances (6 degrees of freedom) up to which tracks of two originators may become one object, and
beyond which those that are one part again: chance exceeds the one in 3,000 tries, the other in 350,000."""
KEEP2 = 15.0
"""A pair that was one object before is this much nearer: no exchange of names by chance."""
NEAR_M = 40e3
SINCE_NS = 3_000_000_000
"""A side whose last look is so much older has not looked since."""
LIKE_CRUISE_M = 3e3
"""What cruises and what does not are one object only where they are nearer than this."""
THRUST_M = 10e3
"""What thrusts or breaks, and was not looked at since by one side, is kept as one object up to so far: what
50 m/s^2 do in 20 s, two turns of a slow radar."""
BIAS_SIGMA_M = 100.0
"""What registration is thought to leave between two partners, each way, before any pair tells it."""
ROUNDS = 4
"""The assignment and the offset are worked out in turn until neither changes, at most so often."""


class Cloud(Struct, frozen=True):
    """Tracks at one time: states (n, 7), covariances (n, 7, 7), likeliest phases and last looks (ns) (n,)."""

    states: Floats
    covariances: NDArray[np.float64]
    phases: Ints
    seen_ns: Ints


class Pairing(Struct, frozen=True):
    """Pairs (indices into both clouds), their squared distances, and the offset of the second's places.

    offset (3,) m, Earth-fixed, and its covariance (3, 3).
    """

    pairs: list[tuple[int, int]]
    distance2: list[float]
    offset: Floats
    offset_covariance: NDArray[np.float64]


def pair_up(one: Cloud, other: Cloud, before: AbstractSet[tuple[int, int]] = frozenset()) -> Pairing:
    """Which tracks of two clouds are one object each; before: pairs (indices) that were."""
    near = _near(one.states, other.states)
    was = np.array([(int(i), int(j)) in before for i, j in near], np.bool_)
    standing = was.copy()
    pairs: list[tuple[int, int]] = []
    d2 = np.empty(0)
    offset, spread = np.zeros(3), np.eye(3) * BIAS_SIGMA_M**2
    for _ in range(ROUNDS):
        d2, offset, spread = distances2(
            one.states, one.covariances, one.phases, one.seen_ns, other.states, other.covariances,
            other.phases, other.seen_ns, near, was, standing, BIAS_SIGMA_M,
        )  # fmt: skip
        cost = np.where(was, d2 - KEEP2, d2)
        cost[d2 > np.where(was, PART2, GATE2)] = np.inf
        chosen = _assign(near, cost)
        now = np.zeros(len(near), np.bool_)
        now[chosen] = True
        pairs = [(int(near[k, 0]), int(near[k, 1])) for k in chosen]
        same = np.array_equal(now, standing)
        standing = now
        if same:
            break
    return Pairing(pairs, [float(d2[k]) for k in np.flatnonzero(standing)], offset, spread)


def _near(one: Floats, other: Floats) -> Ints:
    """Pairs (k, 2) of places nearer than NEAR_M, in order."""
    if not len(one) or not len(other):
        return np.zeros((0, 2), np.int64)
    if len(one) * len(other) <= 4096:
        apart = np.linalg.norm(one[:, None, :3] - other[None, :, :3], axis=2)
        return np.ascontiguousarray(np.argwhere(apart < NEAR_M))
    from scipy.spatial import cKDTree

    found = cKDTree(one[:, :3]).sparse_distance_matrix(cKDTree(other[:, :3]), NEAR_M, output_type="ndarray")
    pairs = np.stack([found["i"], found["j"]], axis=1).astype(np.int64)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _assign(near: Ints, d2: Floats) -> list[int]:
    """Which of the near pairs (k, 2) are chosen, ascending: least total distance, each within the gate."""
    good = np.flatnonzero(d2 < GATE2)
    if not len(good):
        return []
    if len(set(near[good, 0].tolist())) == len(set(near[good, 1].tolist())) == len(good):
        return [int(k) for k in good]  # no two of them compete, as nearly always
    rows, row = np.unique(near[good, 0], return_inverse=True)
    columns, column = np.unique(near[good, 1], return_inverse=True)
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    size = len(rows) + len(columns)
    graph = coo_matrix((np.ones(len(good)), (row, len(rows) + column)), shape=(size, size))
    _, part = connected_components(graph, directed=False)
    of = part[row]
    order = np.argsort(of, kind="stable")
    chosen: list[int] = []
    for members in np.split(order, np.flatnonzero(np.diff(of[order])) + 1):
        chosen += [int(good[m]) for m in _least(row[members], column[members], d2[good[members]], members)]
    return sorted(chosen)


def _least(row: Ints, column: Ints, d2: Floats, members: Ints) -> list[int]:
    """Of one cluster's pairs (k,) those of the least total distance."""
    if len(members) == 1:
        return [int(members[0])]
    from scipy.optimize import linear_sum_assignment

    rows, r = np.unique(row, return_inverse=True)
    columns, c = np.unique(column, return_inverse=True)
    cost = np.full((len(rows), len(columns)), GATE2)
    place = np.full(cost.shape, -1, np.int64)
    cost[r, c], place[r, c] = d2, members
    found = place[linear_sum_assignment(cost)]
    return [int(m) for m in found if m >= 0]


@njit(cache=True)
def distances2(
    one: Floats,
    one_covariance: NDArray[np.float64],
    one_phase: Ints,
    one_seen: Ints,
    other: Floats,
    other_covariance: NDArray[np.float64],
    other_phase: Ints,
    other_seen: Ints,
    near: Ints,
    was: NDArray[np.bool_],
    standing: NDArray[np.bool_],
    bias_sigma_m: float,
) -> tuple[Floats, Floats, NDArray[np.float64]]:
    """Squared distances (k,) of near pairs (k, 2), and the offset (3,) with its covariance (3, 3).

    The offset is told by the standing pairs; one of them is judged by what the rest tell.  was: pairs that
    were one object before, and of which one side may not have looked since.
    """
    information, weight = np.zeros((3, 3)), np.zeros(3)
    for i in range(3):
        information[i, i] = 1.0 / (bias_sigma_m * bias_sigma_m)
    low, inverse, apart = np.zeros((3, 3)), np.empty((3, 3)), np.empty(3)
    own, own_weight = np.zeros((3, 3)), np.zeros(3)
    for k in range(len(near)):
        if standing[k]:
            a, b = near[k, 0], near[k, 1]
            _told(one[a], one_covariance[a], other[b], other_covariance[b], low, inverse, apart)
            for i in range(3):
                for j in range(3):
                    information[i, j] += inverse[i, j]
                    weight[i] += inverse[i, j] * apart[j]
    offset, spread = np.zeros(3), np.empty((3, 3))
    d2 = np.full(len(near), np.inf)
    both, root, y = np.empty((6, 6)), np.zeros((6, 6)), np.empty(6)
    for k in range(len(near)):
        a, b = near[k, 0], near[k, 1]
        far2 = 0.0
        for i in range(3):
            far2 += (one[a, i] - other[b, i]) ** 2
        if (one_phase[a] == CRUISE) != (other_phase[b] == CRUISE) and far2 > LIKE_CRUISE_M * LIKE_CRUISE_M:
            continue
        own[:, :] = information
        own_weight[:] = weight
        if standing[k]:
            _told(one[a], one_covariance[a], other[b], other_covariance[b], low, inverse, apart)
            for i in range(3):
                for j in range(3):
                    own[i, j] -= inverse[i, j]
                    own_weight[i] -= inverse[i, j] * apart[j]
        if not _solve(own, own_weight, low, offset, spread):
            continue
        for i in range(6):
            y[i] = other[b, i] - one[a, i]
            for j in range(6):
                both[i, j] = one_covariance[a, i, j] + other_covariance[b, i, j]
        for i in range(3):
            y[i] -= offset[i]
            for j in range(3):
                both[i, j] += spread[i, j]
        if not cholesky(both, 6, root):
            continue
        solve_lower(root, 6, y, y)
        total = 0.0
        for i in range(6):
            total += y[i] * y[i]
        if was[k]:
            # one side saw it thrust or break, the other has not looked since: still the same object
            blind = abs(one_seen[a] - other_seen[b]) > SINCE_NS and one_phase[a] != other_phase[b]
            if blind and far2 < THRUST_M * THRUST_M:
                total = min(total, GATE2)
        d2[k] = total
    _solve(information, weight, low, offset, spread)
    return d2, offset, spread


@njit(cache=True)
def _told(
    one: Floats,
    one_covariance: NDArray[np.float64],
    other: Floats,
    other_covariance: NDArray[np.float64],
    low: NDArray[np.float64],
    inverse: NDArray[np.float64],
    apart: Floats,
) -> None:
    """Fill inverse (3, 3) and apart (3,) with what a pair tells of the offset of places."""
    both, unit = np.empty((3, 3)), np.empty(3)
    for i in range(3):
        apart[i] = other[i] - one[i]
        for j in range(3):
            both[i, j] = one_covariance[i, j] + other_covariance[i, j]
    inverse[:, :] = 0.0
    if not cholesky(both, 3, low):
        return
    for c in range(3):
        for i in range(3):
            unit[i] = 1.0 if i == c else 0.0
        solve_lower(low, 3, unit, unit)
        solve_upper(low, 3, unit, unit)
        for i in range(3):
            inverse[i, c] = unit[i]


@njit(cache=True)
def _solve(
    information: NDArray[np.float64],
    weight: Floats,
    low: NDArray[np.float64],
    offset: Floats,
    spread: NDArray[np.float64],
) -> bool:
    """Fill offset (3,) and spread (3, 3) with the mean and covariance of an information form."""
    if not cholesky(information, 3, low):
        return False
    unit = np.empty(3)
    for c in range(3):
        for i in range(3):
            unit[i] = 1.0 if i == c else 0.0
        solve_lower(low, 3, unit, unit)
        solve_upper(low, 3, unit, unit)
        for i in range(3):
            spread[i, c] = unit[i]
    for i in range(3):
        offset[i] = 0.0
        for j in range(3):
            offset[i] += spread[i, j] * weight[j]
    return True
