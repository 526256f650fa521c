"""What one look works with, by row of the table: places to write to that are the same at every look.

In and out: nothing outlasts a look.  An array as long as the table, made anew at every look, would cost more
than the look does where the table is long.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

UNSEEN = -1
"""Place of a row that the look does not concern, and the pair it is in."""


class Scratch(NamedTuple):
    """All nought, and UNSEEN, between looks."""

    unit: NDArray[np.int64]  # index of a row among those gated
    seen: NDArray[np.float64]  # probability that the look shows it, if it exists
    gave: NDArray[np.float64]  # probability that it did
    range_m: NDArray[np.float64]  # expected


def new_scratch(capacity: int) -> Scratch:
    """For a table of `capacity` rows."""
    return Scratch(np.full(capacity, UNSEEN), np.zeros(capacity), np.zeros(capacity), np.zeros(capacity))
