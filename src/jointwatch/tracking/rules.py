"""The rules of a track's life: what a tracker asks before it confirms, and when it gives up.

In: what an operator states; out: the array that the kernels take.  The defaults are the product's; a textbook
problem states its own.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.records import BadInput
from jointwatch.tracking.interaction import ASLEEP
from jointwatch.tracking.table import RECENT

# Where each rule lies in the array.
CONFIRM, CONFIRM_HITS, AT_ONCE, AT_ONCE_HITS, GONE, SURE, MERGE, FLIGHT, KEEP_LOOKS, SLEEP = range(10)
RULES = 10

FALSE_TRACKS_PER_DAY = 1e-3
"""Tracks of clutter alone that a node accepts, unless told otherwise: one in three years."""


class Rules(Struct, frozen=True, kw_only=True):
    """When a chain of plots is a track, and when it no longer is.

    false_tracks_per_day: how many tracks of clutter alone are accepted in a day, all sensors together; the
    least log odds to confirm follow from it (`confirmation`).  With None they are confirm_log_odds.  A track
    needs confirm_hits plots, or at_once_hits if its log odds are at_once_log_odds: clutter that clumps in
    ways no map shows is not a chain of chances.  gone_log_odds: a track below is lost.  sure_log_odds:
    existence is held within plus and minus this: what was ever so sure can still be doubted after a few
    looks that should have shown it.  merge_log_odds: two tracks so likely one object are merged.  flight:
    objects come down on the Earth.
    keep_looks: hypotheses on which plot was whose are kept side by side for so many looks (`ambiguity`), at
    most `table.RECENT`; 0: each look decides alone.  asleep_below: probability below which a look lets a
    track's motions sleep (`interaction`); 0: it predicts and updates all.
    """

    false_tracks_per_day: float | None = FALSE_TRACKS_PER_DAY
    confirm_log_odds: float = math.log(1e7)
    confirm_hits: int = 4
    at_once_log_odds: float = 20.0
    at_once_hits: int = 3
    gone_log_odds: float = -3.0
    sure_log_odds: float = math.log(1e4)
    merge_log_odds: float = 6.0
    flight: bool = True
    keep_looks: int = 3
    asleep_below: float = ASLEEP

    def row(self) -> NDArray[np.float64]:
        """(RULES,) array of the rules, in the order above; BadInput where keep_looks cannot be kept."""
        if not 0 <= self.keep_looks <= RECENT:
            raise BadInput("rules", "keep_looks", self.keep_looks, f"a count from 0 to {RECENT}")
        return np.array([
            self.confirm_log_odds, self.confirm_hits, self.at_once_log_odds, self.at_once_hits,
            self.gone_log_odds, self.sure_log_odds, self.merge_log_odds, self.flight,
            self.keep_looks, self.asleep_below,
        ], dtype=np.float64)  # fmt: skip
