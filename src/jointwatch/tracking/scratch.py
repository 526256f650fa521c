"""What one look works with, by row of the table: places to write to that are the same at every look.

In and out: nothing outlasts a look.  An array as long as the table, made anew at every look, would cost more
than the look does where the table is long.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf

UNSEEN = -1
"""Place of a row that the look does not concern, and the pair it is in."""


class Scratch(NamedTuple):
    """All nought, and UNSEEN, between looks."""

    unit: NDArray[np.int64]  # index of a row among those gated
    seen: NDArray[np.float64]  # probability that the look shows it, if it exists
    gave: NDArray[np.float64]  # probability that it did
    range_m: NDArray[np.float64]  # expected
    gain: NDArray[np.float64]  # what the look adds to the log odds that it exists


def new_scratch(capacity: int) -> Scratch:
    """For a table of `capacity` rows."""
    nought = [np.zeros(capacity) for _ in range(4)]
    return Scratch(np.full(capacity, UNSEEN), *nought)


class Claims(NamedTuple):
    """Which plots of a look tracks claim: one entry a track and plot, the first `many[0]` of each array."""

    row: NDArray[np.int64]  # of the track
    plot: NDArray[np.int64]  # index among the look's
    weight: NDArray[np.float64]  # probability that the track exists and gave it
    many: NDArray[np.int64]  # (1,)


@njit(cache=True)
def new_claims(most: int) -> Claims:
    """No claims yet, with room for `most`."""
    return Claims(np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most), np.zeros(1, np.int64))


@leaf
def claim(claims: Claims, row: int, plot: int, weight: float) -> None:
    """Note that a track (its row) claims a plot with a weight."""
    at = claims.many[0]
    claims.row[at], claims.plot[at], claims.weight[at] = row, plot, weight
    claims.many[0] = at + 1
