"""Parents: which older track a new one came from, where an object breaks up or drops a stage.

In: a row just confirmed and the tracks in sight with it; out: the one that it appeared beside, or in the
place of.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.motion.phases import BALLISTIC
from jointwatch.tracking.table import CONFIRMED

PARENT_M, PARENT_S, PARENT_MS = 5000.0, 60.0, 600.0
"""A track that appears this near to one tracked for so long is a part of it: of a salvo's missiles, one so
much older is long gone ahead.  No aircraft is so fast."""
PLACE_M, PLACE_S = 2000.0, 20.0
"""So is one whose first plot was so near to where a track of so long was then, which no look has shown since:
it broke up, and its parts' range rates were not its own.  What was launched later comes farther behind; and
of two that may have broken up it was the one that is not seen any more."""


@njit(cache=True)
def parent_of(table: NDArray[np.void], rows: NDArray[np.int64], i: int) -> int:
    """Of some rows (n,) the one that row i came from, or -1."""
    new = table[i]
    best, nearest, missing = -1, math.inf, False
    for j in rows:
        old = table[j]
        older_s = 1e-9 * (new["first_ns"] - old["first_ns"])
        if j == i or old["life"] != CONFIRMED or older_s < PLACE_S:
            continue
        # by speed, not by phase: what just broke up fits no phase for a look or two
        speed2, apart2, began2 = 0.0, 0.0, 0.0
        old_s, new_s = 1e-9 * (old["time_ns"] - new["first_ns"]), 1e-9 * (new["time_ns"] - new["first_ns"])
        for c in range(3):
            apart = old["mean"][BALLISTIC, c] - new["mean"][BALLISTIC, c]
            began = apart - old_s * old["mean"][BALLISTIC, 3 + c] + new_s * new["mean"][BALLISTIC, 3 + c]
            speed2 += old["mean"][BALLISTIC, 3 + c] ** 2
            apart2 += apart * apart
            began2 += began * began
        beside = older_s >= PARENT_S and apart2 < PARENT_M * PARENT_M
        instead = old["seen_ns"] < new["first_ns"] and began2 < PLACE_M * PLACE_M
        if speed2 < PARENT_MS * PARENT_MS or not (instead or (beside and not missing)):
            continue
        near2 = began2 if instead else apart2
        if near2 < nearest or instead > missing:
            best, nearest, missing = j, near2, instead
    return best
