"""Two tracks of one object: told from two objects side by side by how many plots they get between them.

In: the rows that a look should have shown, and what it gave; out: log odds, kept with the younger row, that
the two are one.  Two objects give two plots in most looks; two tracks of one give at most one between them.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.tracking.hypotheses import give_up
from jointwatch.tracking.rows import apart2, likeliest, take_state
from jointwatch.tracking.rules import MERGE
from jointwatch.tracking.table import CONFIRMED, FREE

NEAR2 = 6.0
"""Squared distance (6 degrees of freedom) from which two rows are not asked whether they are one."""
FAR_M = 3000.0
TWO_PLOTS = -4.0
"""What a look that gave both their own plot says (log odds)."""
FORGET = 0.5


@njit(cache=True)
def merge_duplicates(
    table: NDArray[np.void],
    clusters: NDArray[np.void],
    rows: NDArray[np.int64],
    seen: NDArray[np.float64],
    gave: NDArray[np.float64],
    rules: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Weigh one look for each pair of rows (n,) that are near; free the younger where they are surely one.

    The older goes on under its number, in the state and with the existence of the surer of both.  Returns the
    rows freed (k,).

    seen, gave (n,): probabilities that the look should show each, and that it did.
    """
    n = len(rows)
    freed, many = np.empty(n, np.int64), 0
    # in order of x, those near enough stand side by side
    along = np.empty(n)
    for a in range(n):
        along[a] = table[rows[a]]["mean"][likeliest(table[rows[a]]), 0]
    order = np.argsort(along, kind="mergesort")
    place = np.empty(n, np.int64)
    for at in range(n):
        place[order[at]] = at
    for a in range(n):
        one = table[rows[a]]
        if one["life"] != CONFIRMED:
            continue
        # the older (smaller number) stays; the nearest older one is the one it may double
        twin, nearest = -1, NEAR2
        for way in (-1, 1):
            at = place[a] + way
            while 0 <= at < n and abs(along[order[at]] - along[a]) < FAR_M:
                b = order[at]
                at += way
                other = table[rows[b]]
                if other["life"] != CONFIRMED or other["number"] > one["number"]:
                    continue
                d2 = _apart2(one, other)
                if d2 < nearest:
                    twin, nearest = b, d2
        if twin < 0:
            one["near"] *= FORGET
            continue
        pd = 0.5 * (seen[a] + seen[twin])
        plots = min(gave[a] + gave[twin], 2.0)
        none, single = -math.log(max(1.0 - pd, 1e-3)), -math.log(max(2.0 * (1.0 - pd), 1e-3))
        if plots < 1.0:
            said = (1.0 - plots) * none + plots * single
        else:
            said = (2.0 - plots) * single + (plots - 1.0) * TWO_PLOTS
        one["near"] = max(0.0, one["near"] + said)
        if one["near"] > rules[MERGE]:
            other = table[rows[twin]]
            if one["log_odds"] > other["log_odds"]:
                # the plots were taken for the younger's, and the older doubted for want of them
                for row in (one, other):
                    if row["cluster"] > 0:
                        give_up(clusters[row["cluster"] - 1], table)
                take_state(other, one)
            one["life"] = FREE
            freed[many] = rows[a]
            many += 1
    return freed[:many]


@njit(cache=True)
def _apart2(one: np.void, other: np.void) -> float:
    """Squared distance of two rows (`rows.apart2`); a great number when far."""
    k, l = likeliest(one), likeliest(other)
    away2 = 0.0
    for i in range(3):
        away2 += (one["mean"][k, i] - other["mean"][l, i]) ** 2
    return apart2(one, other) if away2 < FAR_M * FAR_M else 1e300
