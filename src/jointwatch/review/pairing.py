"""Which of two sets of points are near each other, and the best way to pair them one to one.

In: points of two sets, a gate; out: the pairs within the gate, and among them those of the assignment with
the greatest gain.  Only near pairs are ever formed, so 500 points against 500 take about two milliseconds;
the assignment is the sparse shortest-augmenting-path one (Jonker & Volgenant 1987), and exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree


class Pairs(NamedTuple):
    """Pairs of two sets: index in the first, index in the second, distance; arrays (k,)."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    apart: NDArray[np.float64]


def near_pairs(first: NDArray[np.float64], second: NDArray[np.float64], gate: float) -> Pairs:
    """All pairs of points (n, d) and (m, d) nearer than the gate, in no order.

    Points with an element that is not finite are absent: they are in no pair.  Any one unit.
    """
    if not gate > 0.0:
        raise ValueError(f"a gate is a positive distance, not {gate}")
    own = np.flatnonzero(np.isfinite(first).all(axis=1))
    other = np.flatnonzero(np.isfinite(second).all(axis=1))
    if not own.size or not other.size:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    found = cKDTree(first[own]).sparse_distance_matrix(cKDTree(second[other]), gate, output_type="ndarray")
    found = found[found["v"] < gate]
    i, j = own[found["i"]], other[found["j"]]
    return Pairs(i, j, found["v"])


def best_pairs(
    first: NDArray[np.int64], second: NDArray[np.int64], gain: NDArray[np.float64], n: int, m: int
) -> NDArray[np.int64]:
    """Indices (k,) of the pairs that together gain most, no point of either set in two of them.

    In order of the first set's points.  first, second, gain: the candidates (c,), each pair once, with what
    it gains (0 or more); n, m: sizes of the two sets.
    """
    if not gain.size:
        return np.empty(0, np.int64)
    # Each point of the first set may also pair with a column of its own, which gains nothing: then a full
    # matching exists.  A weight of 0 would be taken for no edge, hence the constant, which every row pays.
    one = float(gain.max()) or 1.0
    rows = np.concatenate([first, np.arange(n)])
    columns = np.concatenate([second, m + np.arange(n)])
    weights = np.concatenate([-gain - one, np.full(n, -one)])
    row, column = min_weight_full_bipartite_matching(csr_array((weights, (rows, columns)), shape=(n, m + n)))
    partner = np.empty(n, np.int64)
    partner[row] = column
    kept = np.flatnonzero(partner[first] == second)
    return kept[np.argsort(first[kept])]
