"""Parents: which older track a new one came from, where an object breaks up or drops a stage.

In: a row just confirmed and the tracks in sight with it, others just confirmed among them; out: the one that
it appeared beside, or in the place of.  Before a part is sure enough to be a track, chains of plots that may
become some say of the tracks a look missed which of them broke up.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.motion.phases import BALLISTIC
from jointwatch.tracking.table import CONFIRMED
from jointwatch.tracking.tentative import in_common

PARENT_M, PARENT_S, PARENT_MS = 5000.0, 60.0, 600.0
"""A track that appears this near to one tracked for so long is a part of it: of a salvo's missiles, one so
much older is long gone ahead.  No aircraft is so fast."""
PLACE_M, PLACE_S = 2000.0, 20.0
"""So is one of several that began so near to where a track of so long was then, if the last look missed that:
it broke up.  One alone may be the object itself, lost and found; what was launched later comes farther
behind."""
BESIDE, INSTEAD, GONE = 1, 2, 3
"""How well an older track answers to having broken up: it is near; it is missed, and several began where it
was; no look has shown it since their first plots either, whose range rates were not its own."""
CHAIN_HITS = 2
"""So many plots of a chain say how it moves, and so where it was when it began."""


@njit(cache=True)
def parent_of(table: NDArray[np.void], rows: NDArray[np.int64], i: int) -> int:
    """Of some rows (n,) the one that row i came from, or -1: what answers best, and of those the nearest."""
    new = table[i]
    best, answers, nearest = -1, 0, math.inf
    for j in rows:
        old = table[j]
        older_s = 1e-9 * (new["first_ns"] - old["first_ns"])
        if j == i or old["life"] != CONFIRMED or older_s < PLACE_S:
            continue
        if not _is_fast(old):
            continue
        apart2 = 0.0
        for c in range(3):
            apart2 += (old["mean"][BALLISTIC, c] - new["mean"][BALLISTIC, c]) ** 2
        how, far2 = 0, apart2
        began2 = _began2(old, new)
        if old["misses"] > 0 and began2 < PLACE_M * PLACE_M:
            unseen = old["seen_ns"] < new["first_ns"]
            if (unseen and older_s >= PARENT_S) or _several(table, rows, i, j):
                how, far2 = (GONE if unseen else INSTEAD), began2
        if how == 0 and older_s >= PARENT_S and apart2 < PARENT_M * PARENT_M:
            how = BESIDE
        if how > answers or (how == answers and how > 0 and far2 < nearest):
            best, answers, nearest = j, how, far2
    return best


@njit(cache=True)
def broken_up(
    table: NDArray[np.void], rows: NDArray[np.int64], chains: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Of the tracks that a look should have shown (n,) those that it missed and that broke up.

    Of chains of plots (m,) two say so that share none, are each more likely an object than not, and began
    where the track was, which is known for PLACE_S.
    """
    out, many = np.empty(len(rows), np.int64), 0
    near = np.empty(len(chains), np.int64)
    for j in rows:
        old = table[j]
        if old["life"] != CONFIRMED or old["misses"] == 0 or not _is_fast(old):
            continue
        n, broke = 0, False
        for i in chains:
            new = table[i]
            if new["hits"] < CHAIN_HITS or new["log_odds"] <= 0.0:
                continue
            if 1e-9 * (new["first_ns"] - old["first_ns"]) < PLACE_S or _began2(old, new) >= PLACE_M**2:
                continue
            for k in near[:n]:
                broke = broke or in_common(table[k], new) == 0
            near[n] = i
            n += 1
        if broke:
            out[many] = j
            many += 1
    return out[:many]


@njit(cache=True)
def _is_fast(row: np.void) -> bool:
    """Whether a row is too fast for an aircraft: by speed, not by phase, since what just broke up fits no
    phase for a look or two."""
    speed2 = 0.0
    for c in range(3):
        speed2 += row["mean"][BALLISTIC, 3 + c] ** 2
    return bool(speed2 >= PARENT_MS * PARENT_MS)


@njit(cache=True)
def _several(table: NDArray[np.void], rows: NDArray[np.int64], i: int, j: int) -> bool:
    """Whether of some rows (n,) another than i began where row j was."""
    for k in rows:
        if k not in (i, j) and table[k]["life"] == CONFIRMED:
            later_s = 1e-9 * (table[k]["first_ns"] - table[j]["first_ns"])
            if later_s >= PLACE_S and _began2(table[j], table[k]) < PLACE_M * PLACE_M:
                return True
    return False


@njit(cache=True)
def _began2(old: np.void, new: np.void) -> float:
    """Square (m^2) of how far from an older row a new one began.

    Both are taken back straight, which over the same time does as well as along their arcs.
    """
    old_s, new_s = 1e-9 * (old["time_ns"] - new["first_ns"]), 1e-9 * (new["time_ns"] - new["first_ns"])
    total = 0.0
    for c in range(3):
        was = old["mean"][BALLISTIC, c] - old_s * old["mean"][BALLISTIC, 3 + c]
        began = new["mean"][BALLISTIC, c] - new_s * new["mean"][BALLISTIC, 3 + c]
        total += (was - began) ** 2
    return total
