"""The table of tracks: one row a track, everything about it side by side in memory.

A row holds the three flight phases' means and covariances (`motion.phases`), their probabilities, the
probability that the object exists, and what stands behind it.  Rows are recycled; a track's number is
not.  Kernels in this room read and write rows in place; everything outside sees `records.Track`.  Plots that
may be the first of an object are no rows yet (`seeds`); what is asked of every track at every look, whether
it may lie in the wedge, is asked of columns beside the table (`whereabouts`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jointwatch.motion.phases import N

PHASE_COUNT = 3
FREE, TENTATIVE, CONFIRMED, LOCAL = 0, 1, 2, 3
"""Values of a row's `life`.  A local row is what a confirmed one is in some of its cluster's hypotheses
(`hypotheses`)."""
EVIDENCE = 8
"""How many of its latest plots a tentative track remembers, to see that no two tracks live off the same."""
RECENT = 6
"""Of how many latest looks a row remembers what they gave it."""
NOTHING = -1
"""What a look gave that gave no plot."""
SOURCES = 6
"""How many sensors' plots a row itself says to stand behind it (more are kept beside: `sources`)."""

ROW = np.dtype(
    [
        ("mean", "f8", (PHASE_COUNT, N)),
        ("covariance", "f8", (PHASE_COUNT, N, N)),
        ("phase", "f8", (PHASE_COUNT,)),  # probability of each phase
        ("asleep", "i8"),  # bits of the motions that stand as the likeliest does (`interaction.rouse`): means
        # and covariances here are not theirs
        ("log_odds", "f8"),  # natural log of existence / (1 - existence)
        ("time_ns", "i8"),  # of the state
        ("first_ns", "i8"),  # of the first plot
        ("seen_ns", "i8"),  # of the last plot
        ("number", "i8"),  # 0 until confirmed
        ("life", "i8"),
        ("hits", "i8"),
        ("misses", "i8"),  # looks in a row that gave nothing although they should have
        ("near", "f8"),  # log odds that an older row and this one are one object, since they could be
        ("evidence", "i8", (EVIDENCE,)),  # latest plots' identities (-1: none)
        ("sensor", "i8"),  # index of the sensor whose plot began the row
        ("cluster", "i8"),  # number of the cluster whose hypotheses it is part of, or 0
        ("recent", "i8", (RECENT,)),  # identity of the plot that each latest look gave, or NOTHING
        ("first_plot", "i8"),  # identity of the plot that began the chain: with the next,
        ("chain", "i8"),  # which of the chains that it began, it tells chains apart for good
        ("parent_plot", "i8"),  # the same two of the track that it came from (NOTHING: none)
        ("parent_chain", "i8"),
        ("looked_by", "i8"),  # the last look that should have shown it, not judged yet: index of its sensor,
        ("looked_m", "f8"),  # range,
        ("looked_expected", "f8"),  # probability of a plot by the configured curve (0: no such look),
        ("looked_outcome", "f8"),  # and probability that there was one, if the object exists
        ("source", "i8", (SOURCES,)),  # index of each sensor whose plots stand behind it (NOTHING: none)
        ("source_first", "i8", (SOURCES,)),  # first and last sequence of its sectors that do
        ("source_last", "i8", (SOURCES,)),
    ]
)


_WORDS = ROW.itemsize // 8
FEW = 64
"""Rows that are not worth a thought."""


def new_table(capacity: int) -> NDArray[np.void]:
    """An empty table of `capacity` rows."""
    return np.zeros(capacity, ROW)


def copied(
    table: NDArray[np.void], rows: NDArray[np.int64], room: NDArray[np.void] | None = None
) -> NDArray[np.void]:
    """A copy of some rows (n,), taken by words: four times as fast as NumPy copies records.

    room: a table to write them to, of which the first n rows are the copy, where it is long enough and not
    twice as long: memory that was written to before is many times cheaper than new.
    """
    if room is None or not len(rows) <= len(room) <= 2 * len(rows) + FEW:
        room = np.empty(len(rows) + len(rows) // 16, ROW)
    out = room[: len(rows)]
    words = table.view(np.int64).reshape(len(table), _WORDS)
    # every row is in the table, and where the mode is "raise" NumPy would take a copy between
    words.take(rows, axis=0, out=out.view(np.int64).reshape(len(rows), _WORDS), mode="clip")
    return out
