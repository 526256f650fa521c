"""The tracker's bounded memory: the sectors it took of late, and checkpoints of what it was between them.

In: each sector as it was taken, and now and then a checkpoint of the tracker; out, for a sector that comes
late: the newest checkpoint before it, and the sectors since in order, the late one in its place.  Replaying
them gives what a tracker that had them all in order would have (Bar-Shalom 2002, "Update with out-of-sequence
measurements", names the problem; a replay solves it exactly, association and births included).

The order is total: by time measured, then sensor, sequence and wedge, so it never hangs on order of arrival.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable
from typing import Any

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from jointwatch.tracking.engine import Chain, Learned
from jointwatch.tracking.shedding import NO_LIMIT, Limit
from jointwatch.tracking.sources import More

Key = tuple[int, int, int, float, float]
"""A sector's place in the order: measured_ns, index of its sensor, sequence, wedge from and to (rad)."""
BEGINNING: Key = (-(2**63), -1, 0, 0.0, 0.0)

REPEATED, TOO_LATE = "repeated sector", "too late"
CHECKPOINT_S, IN_ORDER_S, LONGEST_S = 1.0, 60.0, 10.0
"""Time between checkpoints; where nothing may come late, so that they are only there to forget by; and that
after which one is worth its cost, whatever that is."""
LOOK_US, ROW_US, PLOT_US, BYTES_US = 80.0, 5.0, 1.5, 2500.0
"""What a look costs, each of its rows and plots besides, and how many bytes are copied in a microsecond:
about as measured.  They space the checkpoints out, so they are numbers and no clock."""
SHARE = 0.05
"""Checkpoints cost no more than this part of the looks between them, where `CHECKPOINT_S` lets them wait."""
BUDGET_BYTES = 1 << 30
"""Bytes that the checkpoints of a tracker may hold, unless told otherwise, that to be written next included:
where the table is great they are fewer, and at last reach back less far.  One is always kept."""
AGEING = 4
"""Checkpoints thin out with age: gaps of up to one part in so many of it, so that few will do."""
PLOTS_S = 90.0
"""Plots are remembered longer than anything can be replayed: those that a track began with are told of when
it is confirmed, and a slow radar takes four scans for that."""
MOST_SECTORS, MOST_PLOTS = 8192, 2_000_000
"""However fast they come, no more than so many sectors and plots are remembered: 128 MB at the most, beside
the budget."""


class Taken(Struct):
    """A sector as the tracker took it: usable plots (m, 4) by range, their identities (m,) for good.

    first_plot: least identity that any of its plots was given.  boost: of launch grounds when it came.
    limit: what might be worked through of it, and spared: published numbers of the tracks that were to wait
    last, when it came.  given: published numbers of the tracks of which what it tells was
    told.  lost: plots that found no place; shed_plots, shed_tracks: `engine.Looked`.
    """

    key: Key
    sensor: str
    plots: NDArray[np.float64]
    identity: NDArray[np.int64]
    first_plot: int
    boost: float = 1.0
    limit: Limit = NO_LIMIT
    spared: frozenset[int] = frozenset()
    given: set[int] = field(default_factory=set)
    lost: int = 0
    shed_plots: int = 0
    shed_tracks: int = 0

    @property
    def time_ns(self) -> int:
        return self.key[0]

    @property
    def index(self) -> int:
        return self.key[1]

    @property
    def sequence(self) -> int:
        return self.key[2]

    @property
    def wedge(self) -> tuple[float, float]:
        return self.key[3], self.key[4]


class Checkpoint(Struct, frozen=True):
    """A tracker right after one sector: rows of its table that live, hypotheses, what is learned of sensors,
    counts.

    table is a view of memory that the next checkpoint is written to when this one is forgotten
    (`History.room`).  What is learned is shared with the tracker and other checkpoints: whoever learns more
    takes a copy first.
    """

    key: Key
    rows: NDArray[np.int64]
    table: NDArray[np.void]
    clusters: NDArray[np.void]
    learned: tuple[Learned, ...]
    detection: NDArray[np.float64]
    boost: float
    next_number: int
    free: int
    chains: dict[int, int]
    more: More

    def first_plots(self) -> set[int]:
        """Plots that chains living here began with, or may yet begin with."""
        seeds = [known.seeds.live["identity"].tolist() for known in self.learned]
        return set(self.table["first_plot"].tolist()).union(*seeds)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled with the size of the room behind: what a budget is held against must not change by it."""
        values = {name: getattr(self, name) for name in self.__struct_fields__ if name != "table"}
        return _checkpoint_again, (values, self.table.copy(), len(_room_of(self)))


def _checkpoint_again(values: dict[str, Any], table: NDArray[np.void], room: int) -> Checkpoint:
    behind = np.empty(room, table.dtype)
    behind[: len(table)] = table
    return Checkpoint(table=behind[: len(table)], **values)


def _room_of(checkpoint: Checkpoint) -> NDArray[np.void]:
    """The memory that a checkpoint's table is the beginning of."""
    base = checkpoint.table.base
    return checkpoint.table if base is None else base


class History:
    """The last `span_s` seconds of one tracker."""

    def __init__(self, span_s: float, first: Checkpoint, budget_bytes: int = BUDGET_BYTES) -> None:
        """Begin with a checkpoint at `BEGINNING`; span_s (s, not negative) is how late a sector may be."""
        self._span_ns = round(span_s * 1e9)
        self._budget_bytes = budget_bytes
        self._work_us = 0.0  # since the last checkpoint
        self._spacing_ns = round((CHECKPOINT_S if span_s > 0.0 else IN_ORDER_S) * 1e9)
        self._keys: list[Key] = []
        self._taken: list[Taken] = []
        self._checkpoints = [first]
        self._spare: NDArray[np.void] | None = None
        self._plots = 0
        self._past: deque[Taken] = deque()  # beyond replay, for their plots
        self._past_plots = 0
        self._since = [0, 0]  # sectors and plots since the last checkpoint

    def __getstate__(self) -> dict[str, Any]:
        """What is spare is only room: its size is kept, not what lies in it."""
        spare = self._spare
        return {**self.__dict__, "_spare": None if spare is None else (len(spare), spare.dtype)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._spare is not None:
            size, kind = state["_spare"]
            self._spare = np.empty(size, kind)

    @property
    def newest_ns(self) -> int:
        """Time of the newest sector: the tracker's present."""
        return self._keys[-1][0] if self._keys else self._checkpoints[-1].key[0]

    def why_refused(self, key: Key) -> str:
        """Why a sector cannot be taken any more, or "" if it can."""
        place = bisect_left(self._keys, key)
        if place < len(self._keys) and self._keys[place] == key:
            return REPEATED
        if key[0] < self.newest_ns - self._span_ns or key <= self._checkpoints[0].key:
            return TOO_LATE
        return ""

    def insert(self, taken: Taken) -> bool:
        """Remember a sector in its place; whether it is the newest."""
        place = bisect_left(self._keys, taken.key)
        self._keys.insert(place, taken.key)
        self._taken.insert(place, taken)
        self._plots += len(taken.plots)
        return place == len(self._keys) - 1

    def rewind(self, key: Key) -> tuple[Checkpoint, list[Taken]]:
        """The newest checkpoint before a sector's key, and the sectors since; later checkpoints are gone."""
        while self._checkpoints[-1].key >= key:
            self._give_up(len(self._checkpoints) - 1)
        start = self._checkpoints[-1]
        self._since, self._work_us = [0, 0], 0.0
        return start, self._taken[bisect_right(self._keys, start.key) :]

    def passed(self, taken: Taken, rows: int, nbytes: int) -> bool:
        """Count a sector as processed, with the rows that it changed; whether a checkpoint is due after it.

        nbytes: that one would take now.
        """
        self._since[0] += 1
        self._since[1] += len(taken.plots)
        self._work_us += LOOK_US + ROW_US * rows + PLOT_US * len(taken.plots)
        if self._since[0] >= MOST_SECTORS // 4 or self._since[1] >= MOST_PLOTS // 4:
            return True
        gap_ns = taken.time_ns - self._checkpoints[-1].key[0]
        if gap_ns < self._spacing_ns or gap_ns * self._budget_bytes < 2 * self._span_ns * nbytes:
            return False
        return gap_ns >= LONGEST_S * 1e9 or SHARE * self._work_us >= nbytes / BYTES_US

    def keep(self, checkpoint: Checkpoint) -> None:
        """Remember a checkpoint, and forget what no sector can go back to any more."""
        kept, newest = self._checkpoints, self.newest_ns
        kept.append(checkpoint)
        self._since, self._work_us = [0, 0], 0.0
        i = 1
        while i < len(kept) - 1:
            after = kept[i + 1].key[0]
            if after - kept[i - 1].key[0] <= max(self._spacing_ns, (newest - after) // AGEING):
                self._give_up(i)
            else:
                i += 1
        while len(kept) > 1 and (kept[1].key[0] < newest - self._span_ns or self._too_many()):
            self._give_up(0)
            gone = bisect_right(self._keys, kept[0].key)
            self._forget(self._taken[:gone])
            del self._keys[:gone], self._taken[:gone]

    def _forget(self, taken: list[Taken]) -> None:
        """Sectors that nothing can be replayed from: their plots are kept for a while yet."""
        many = sum(len(t.plots) for t in taken)
        self._plots -= many
        self._past_plots += many
        self._past.extend(taken)
        oldest_ns, past = self.newest_ns - round(PLOTS_S * 1e9), self._past
        while past and (
            past[0].time_ns < oldest_ns or len(past) > MOST_SECTORS or self._past_plots > MOST_PLOTS
        ):
            self._past_plots -= len(past.popleft().plots)

    def holding(self, identity: int) -> tuple[Taken, int] | None:
        """The sector that a plot of this identity came in, and which of its plots it is; None: forgotten."""
        for kept in (reversed(self._taken), reversed(self._past)):
            for taken in kept:
                if taken.first_plot <= identity:
                    at = np.flatnonzero(taken.identity == identity)
                    if len(at):
                        return taken, int(at[0])
        return None

    def room(self) -> NDArray[np.void] | None:
        """The memory of a checkpoint given up, for the next to be written to; each is handed out once."""
        spare, self._spare = self._spare, None
        return spare

    def _give_up(self, i: int) -> None:
        """Forget a checkpoint; its table's memory is kept where it is the greatest that is spare."""
        room = _room_of(self._checkpoints.pop(i))
        if self._spare is None or len(room) > len(self._spare):
            self._spare = room

    def _too_many(self) -> bool:
        if self.nbytes > self._budget_bytes:
            self._spare = None
        return len(self._taken) > MOST_SECTORS or self._plots > MOST_PLOTS or self.nbytes > self._budget_bytes

    @property
    def nbytes(self) -> int:
        """Bytes that the checkpoints hold, with the room behind and what is kept for the next.

        What is learned of a sensor and unchanged since counts once.
        """
        learned = {id(known): known.nbytes for kept in self._checkpoints for known in kept.learned}
        spare = 0 if self._spare is None else self._spare.nbytes
        return sum(_room_of(kept).nbytes for kept in self._checkpoints) + sum(learned.values()) + spare

    def may_return(self, chains: Iterable[Chain]) -> set[Chain]:
        """Those of the chains that some replay could still find, or name as the parent of one."""
        start = self._checkpoints[0]
        oldest = min((t.first_plot for t in self._taken), default=2**63)
        named = set(
            zip(start.table["parent_plot"].tolist(), start.table["parent_chain"].tolist(), strict=True)
        )
        first = start.first_plots()
        return {c for c in chains if c[0] >= oldest or c[0] in first or c in named}
