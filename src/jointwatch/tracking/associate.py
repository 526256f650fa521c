"""Which plot is whose: association marginals by loopy belief propagation (Williams & Lau 2014).

In: gated pairs of tracks and plots with their weights; out: for every pair the probability that the plot
is the track's, and for every track that it gave none.  Linear in the number of pairs.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

ITERATIONS = 60
SETTLED = 1e-7


@njit(cache=True)
def marginals(
    pair_track: NDArray[np.int64],
    pair_plot: NDArray[np.int64],
    weight: NDArray[np.float64],
    miss: NDArray[np.float64],
    plot_count: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Marginals (pairs,) of each pair and (tracks,) of no plot.

    weight: of each pair, relative to the plot being clutter or new; miss: of each track giving no plot.
    """
    pairs, tracks = len(weight), len(miss)
    to_plot = np.zeros(pairs)
    to_track = np.ones(pairs)
    sum_track = np.empty(tracks)
    sum_plot = np.empty(plot_count)
    for _ in range(ITERATIONS):
        for i in range(tracks):
            sum_track[i] = miss[i]
        for e in range(pairs):
            sum_track[pair_track[e]] += weight[e] * to_track[e]
        for j in range(plot_count):
            sum_plot[j] = 1.0
        for e in range(pairs):
            # the difference of two great numbers may cancel to nothing: it cannot be less than "none" alone
            others = sum_track[pair_track[e]] - weight[e] * to_track[e]
            to_plot[e] = weight[e] / max(others, miss[pair_track[e]], 1e-100)
            sum_plot[pair_plot[e]] += to_plot[e]
        change = 0.0
        for e in range(pairs):
            new = 1.0 / max(sum_plot[pair_plot[e]] - to_plot[e], 1.0)
            change = max(change, abs(new - to_track[e]))
            to_track[e] = new
        if change < SETTLED:
            break
    for i in range(tracks):
        sum_track[i] = miss[i]
    for e in range(pairs):
        sum_track[pair_track[e]] += weight[e] * to_track[e]
    belief = np.empty(pairs)
    for e in range(pairs):
        belief[e] = weight[e] * to_track[e] / sum_track[pair_track[e]]
    none = np.empty(tracks)
    for i in range(tracks):
        none[i] = miss[i] / sum_track[i]
    return belief, none
