"""Parents: which older track a new one came from, where an object breaks up or drops a stage.

In: a row just confirmed and the tracks in sight with it, others just confirmed among them; out: the one that
it appeared beside, or in the place of.
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
"""So is one of several that began so near to where a track of so long was then, which looks missed since: it
broke up, and its parts' range rates were not its own.  One alone may be the object itself, lost and found;
what was launched later comes farther behind; and of two that may have broken up it was the one that is not
seen any more."""


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
        speed2, apart2 = 0.0, 0.0
        for c in range(3):
            speed2 += old["mean"][BALLISTIC, 3 + c] ** 2
            apart2 += (old["mean"][BALLISTIC, c] - new["mean"][BALLISTIC, c]) ** 2
        if speed2 < PARENT_MS * PARENT_MS:
            continue
        began2 = _began2(old, new)
        instead = began2 < PLACE_M * PLACE_M
        if instead and older_s < PARENT_S:
            instead = False
            for k in rows:
                if k not in (i, j) and table[k]["life"] == CONFIRMED:
                    instead = instead or _began2(old, table[k]) < PLACE_M * PLACE_M
        beside = older_s >= PARENT_S and apart2 < PARENT_M * PARENT_M
        if not (instead or (beside and not missing)):
            continue
        near2 = began2 if instead else apart2
        if near2 < nearest or instead > missing:
            best, nearest, missing = j, near2, instead
    return best


@njit(cache=True)
def _began2(old: np.void, new: np.void) -> float:
    """Square (m^2) of how far from an older row a new one began, if looks missed the older since; else
    infinite.  Both are taken back straight, which over the same time does as well as along their arcs."""
    if old["misses"] <= 0 or old["seen_ns"] >= new["first_ns"]:
        return math.inf
    old_s, new_s = 1e-9 * (old["time_ns"] - new["first_ns"]), 1e-9 * (new["time_ns"] - new["first_ns"])
    total = 0.0
    for c in range(3):
        was = old["mean"][BALLISTIC, c] - old_s * old["mean"][BALLISTIC, 3 + c]
        began = new["mean"][BALLISTIC, c] - new_s * new["mean"][BALLISTIC, 3 + c]
        total += (was - began) ** 2
    return total
