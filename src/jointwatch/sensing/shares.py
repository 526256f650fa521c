"""A fair share of too many plots: which are kept where a flood in one place must not push out the others.

In: the number of the box that each plot lies in, and how many can be kept; out: which.  It hangs on nothing
but the plots and their order, so a replay keeps the same ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def share_by_box(box: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Which `most` of m > most plots in boxes with these numbers (m,): (most,) indices in order.

    Each box gives its first plot, then each its second, and so on until the places are full; the last round
    is thinned evenly.  So a flood in one place pushes out only itself and a lone plot elsewhere stays.
    """
    order = np.argsort(box, kind="stable")
    _, first, count = np.unique(box[order], return_index=True, return_counts=True)
    rank = np.empty(len(box), np.int64)
    rank[order] = np.arange(len(box)) - np.repeat(first, count)
    full = np.cumsum(np.bincount(rank))
    last = int(np.searchsorted(full, most, side="right"))
    places = most - (int(full[last - 1]) if last else 0)
    waiting = np.flatnonzero(rank == last)
    picked = waiting[np.arange(places) * len(waiting) // max(places, 1)]
    return np.sort(np.concatenate([np.flatnonzero(rank < last), picked]))
