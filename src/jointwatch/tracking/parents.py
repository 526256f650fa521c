"""Parents: which older track a new one came from, where an object breaks up or drops a stage.

In: a row just confirmed and the tracks in sight with it; out: the one that it appeared beside, and what its
appearing says of whether that one is still there.
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
MISSED = 3.0
"""Looks miss a track where they speak against it by so much: more than one does by chance."""


def doubt(table: NDArray[np.void], parent: int, sure_log_odds: float) -> float:
    """What a part that came off a track says of whether that one is still there: log odds, added to its row.

    A track that was just seen is as sure as any may be (sure_log_odds), since out of the clear nothing ends.
    Where a part came off it and looks miss it, that it broke up is as likely as that it flies on unseen: all
    that is left is what the misses say.  What shows beside its part, as a missile does beside its stage, is
    in no doubt.
    """
    row = table[parent]
    if row["cluster"] > 0 or row["log_odds"] > sure_log_odds - MISSED:
        return 0.0
    row["log_odds"] -= sure_log_odds
    return -sure_log_odds


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
