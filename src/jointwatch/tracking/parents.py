"""Parents: which older track a new one came from, where an object breaks up or drops a stage.

In: a row just confirmed and the tracks in sight with it; out: the one that it appeared beside.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.motion.phases import BALLISTIC
from jointwatch.tracking.table import CONFIRMED

PARENT_M, PARENT_S, PARENT_MS = 5000.0, 60.0, 600.0
"""A track that appears this near to one tracked for so long is a part of it: of a salvo's missiles, one so
much older is long gone ahead.  No aircraft is so fast."""


@njit(cache=True)
def parent_of(table: NDArray[np.void], rows: NDArray[np.int64], i: int) -> int:
    """Of some rows (n,) the one that row i came from, or -1."""
    new = table[i]
    best, nearest = -1, PARENT_M
    for j in rows:
        old = table[j]
        if j == i or old["life"] != CONFIRMED or (new["first_ns"] - old["first_ns"]) * 1e-9 < PARENT_S:
            continue
        # by speed, not by phase: what just broke up fits no phase for a look or two
        speed2, apart2 = 0.0, 0.0
        for c in range(3):
            speed2 += old["mean"][BALLISTIC, 3 + c] ** 2
            apart2 += (old["mean"][BALLISTIC, c] - new["mean"][BALLISTIC, c]) ** 2
        if speed2 >= PARENT_MS * PARENT_MS and apart2 < nearest * nearest:
            best, nearest = j, np.sqrt(apart2)
    return best
