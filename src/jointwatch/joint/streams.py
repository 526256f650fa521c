"""Tracklets of one object in order of time, and what they make of it at any time: late ones in their place.

In: tracklets in any order, each once; out: a row of a table (`joint.filter`) as all tracklets up to a time
have it, to the bit the same whatever order they came in.  Marks remember what the row was before the latest
ones, so that one that comes late costs a few steps; they thin out with age.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from jointwatch.joint.filter import EVIDENCE, INFORMATION, POINT, TRACKLET, follow_all, states_at
from jointwatch.records import Tracklet
from jointwatch.tracking.table import FREE, ROW

Look = tuple[int, str, int]
"""What tells looks apart: time_ns, source and its sequence.  An object gives each one plot."""
Key = tuple[int, str, int, str, str]
"""A tracklet's place in the order: its look, the originator and the number of its track."""
BEGUN = "\0begun "
"""What the source of a track's beginning begins with: no sensor's name does."""
STEP, THIN = 4, 3
"""Tracklets between marks; gaps of up to one part in so many of their age are enough."""
_UPPER = np.triu_indices(6)
_PLACE = np.zeros((6, 6), np.int64)
_PLACE[_UPPER] = np.arange(21)
_WHERE = np.maximum(_PLACE, _PLACE.T).ravel()
"""Of each element of the matrix by rows, its place in the triangle."""
_ROOM = 64
Floats = NDArray[np.float64]
States = tuple[Floats, Floats, Floats, Floats, Floats]
"""What `filter.states_at` gives of rows."""


class Rows:
    """A table of rows, handed out and taken back; it grows."""

    def __init__(self, bank: NDArray[np.float64], sure: float) -> None:
        """bank: of motions (`tracking.bank`); sure: existence is held within these log odds, + and -."""
        self.bank, self.sure = bank, sure
        self.table: NDArray[np.void] = np.zeros(_ROOM, ROW)
        self.coasts: NDArray[np.void] = np.zeros(_ROOM, ROW)
        """Where each row came to when it was last asked for later (`filter.states_at`)."""
        self._free = list(range(_ROOM - 1, -1, -1))

    def take(self) -> int:
        """A free row."""
        if not self._free:
            size = len(self.table)
            self.table = np.concatenate([self.table, np.zeros(size, ROW)])
            self.coasts = np.concatenate([self.coasts, np.zeros(size, ROW)])
            self._free = list(range(2 * size - 1, size - 1, -1))
        return self._free.pop()

    def states_at(self, rows: NDArray[np.int64], time_ns: int) -> States:
        """What rows (n,) say at a time not before theirs (`filter.states_at`)."""
        return states_at(self.table, rows, self.bank, time_ns, self.coasts)

    def give_back(self, i: int) -> None:
        """Row i is used no longer."""
        self.table[i] = self.coasts[i] = np.zeros((), ROW)
        self._free.append(i)


class Stream:
    """The tracklets of one object, and the row that they make."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.row = rows.take()
        self.keys: list[Key] = []
        self.values: list[NDArray[np.float64]] = []
        self._done = 0
        self._marks: list[tuple[int, NDArray[np.void]]] = []
        self._base: NDArray[np.void] | None = None

    def insert(self, key: Key, value: NDArray[np.float64]) -> bool:
        """Put one tracklet (TRACKLET,) in its place; False where its look is here already.

        Of two of one look the one whose key is less stays (of one key, the one whose bytes are), whichever
        came first.
        """
        at = bisect_left(self.keys, key)
        for other in (at, at - 1):
            if 0 <= other < len(self.keys) and self.keys[other][:3] == key[:3]:
                if (self.keys[other], self.values[other].tobytes()) <= (key, value.tobytes()):
                    return False
                self._rewind(other)
                self.keys[other], self.values[other] = key, value
                return True
        if at < self._done:
            self._rewind(at)
        self.keys.insert(at, key)
        self.values.insert(at, value)
        return True

    def remove(self, key: Key) -> bool:
        """Take one tracklet out again; False where it is not here (any more)."""
        at = bisect_left(self.keys, key)
        if at == len(self.keys) or self.keys[at] != key:
            return False
        if at < self._done:
            self._rewind(at)
        del self.keys[at], self.values[at]
        return True

    def advance(self, time_ns: int) -> None:
        """Have the row be what the tracklets up to a time (its own included) make of it."""
        advance([self], time_ns)

    def is_due(self, time_ns: int) -> bool:
        """Whether tracklets up to a time are to be taken still; those after it are taken back."""
        keys = self.keys
        if self._done == len(keys) and (not keys or keys[-1][0] <= time_ns):
            return False
        end = bisect_right(keys, time_ns, key=_time_of)
        if end < self._done:
            self._rewind(end)
        return self._done < end

    def next_few(self, time_ns: int) -> tuple[list[Key], list[NDArray[np.float64]]]:
        """The next tracklets up to a time, at most so many as lie between marks."""
        upto = min(bisect_right(self.keys, time_ns, key=_time_of), self._done + STEP)
        return self.keys[self._done : upto], self.values[self._done : upto]

    def have_taken(self, count: int) -> None:
        """Note that the row has so many more tracklets in it."""
        self._done += count
        if self._done - (self._marks[-1][0] if self._marks else 0) >= STEP:
            self._mark()

    def newest_ns(self, time_ns: int) -> int:
        """Time of the newest tracklet up to a time; before all times where there is none."""
        at = bisect_right(self.keys, time_ns, key=_time_of)
        return self.keys[at - 1][0] if at else -(2**63)

    def looks(self, from_ns: int, to_ns: int) -> tuple[int, int, float]:
        """Of looks after one time up to another: how many gave a plot, how many did not, and their
        evidence."""
        begin = bisect_right(self.keys, from_ns, key=_time_of)
        end = bisect_right(self.keys, to_ns, key=_time_of)
        seen, missed, evidence = 0, 0, 0.0
        for key, value in zip(self.keys[begin:end], self.values[begin:end], strict=True):
            if key[1].startswith(BEGUN):
                continue
            told = bool(value[INFORMATION : INFORMATION + 36].any())
            seen, missed = seen + told, missed + (not told)
            evidence += float(value[EVIDENCE])
        return seen, missed, evidence

    def sources(self, to_ns: int) -> set[str]:
        """The sensors whose looks up to a time gave a plot."""
        end = bisect_right(self.keys, to_ns, key=_time_of)
        told: dict[str, bool] = {}
        for key, value in zip(self.keys[:end], self.values[:end], strict=True):
            if not told.get(key[1]) and not key[1].startswith(BEGUN):
                told[key[1]] = bool(value[INFORMATION : INFORMATION + 36].any())
        return {source for source, gave in told.items() if gave}

    def forget(self, before_ns: int) -> None:
        """Forget tracklets before a time, as far as a mark stands for them: none can come in among them."""
        at = bisect_left(self.keys, before_ns, key=_time_of)
        old = [mark for mark in self._marks if mark[0] <= at]
        if not old:
            return
        many, self._base = old[-1]
        del self.keys[:many], self.values[:many]
        self._done -= many
        self._marks = [(done - many, row) for done, row in self._marks if done > many]

    def begin_with(self, base: NDArray[np.void] | None) -> None:
        """Begin with what another stream forgot its tracklets for."""
        self._base = base
        self._rewind(0)

    @property
    def base(self) -> NDArray[np.void] | None:
        """What stands for the tracklets that were forgotten; None if none were."""
        return self._base

    def close(self) -> None:
        """Give the row back."""
        self.rows.give_back(self.row)

    def _rewind(self, at: int) -> None:
        while self._marks and self._marks[-1][0] > at:
            self._marks.pop()
        if self._marks:
            self._done, row = self._marks[-1]
        else:
            self._done, row = 0, np.zeros(1, ROW) if self._base is None else self._base
        self.rows.table[self.row] = row[0]

    def _mark(self) -> None:
        self._marks.append((self._done, self.rows.table[self.row : self.row + 1].copy()))
        marks, i = self._marks, 1
        while i < len(marks) - 1:
            if marks[i + 1][0] - marks[i - 1][0] <= (self._done - marks[i + 1][0]) // THIN:
                del marks[i]
            else:
                i += 1


def advance(streams: Iterable[Stream], time_ns: int) -> None:
    """Have the rows of streams (of one table) be what their tracklets up to a time make of them."""
    waiting = [stream for stream in streams if stream.is_due(time_ns)]
    while waiting:
        times: list[int] = []
        values: list[NDArray[np.float64]] = []
        counts = np.empty(len(waiting), np.int64)
        for n, stream in enumerate(waiting):
            keys, some = stream.next_few(time_ns)
            times += [key[0] for key in keys]
            values += some
            counts[n] = len(keys)
        rows = waiting[0].rows
        which = np.array([stream.row for stream in waiting], np.int64)
        follow_all(
            rows.table, which, counts, rows.bank, rows.sure, np.array(times, np.int64), np.array(values)
        )
        for stream, count in zip(waiting, counts.tolist(), strict=True):
            stream.have_taken(count)
        waiting = [stream for stream in waiting if stream.is_due(time_ns)]


def looks_of(streams: Sequence[Stream], time_ns: int) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Looks up to a time that gave a plot, each once, in order: times (n,), points (n, 6), informations
    (n, 6, 6)."""
    found: dict[Look, tuple[Key, Floats]] = {}
    for stream in streams:
        for key, value in zip(stream.keys, stream.values, strict=True):
            if key[0] > time_ns or not value[INFORMATION : INFORMATION + 36].any():
                continue
            # of one look that two tracks claim the one counts that a stream of both would have
            if key[:3] not in found or key < found[key[:3]][0]:
                found[key[:3]] = key, value
    values = np.array([found[look][1] for look in sorted(found)]).reshape(len(found), TRACKLET)
    times = np.array([look[0] for look in sorted(found)], np.int64)
    return times, *measurements_of(values)


def _time_of(key: Key) -> int:
    return key[0]


def key_of(originator: str, tracklet: Tracklet) -> Key:
    """A tracklet's place in the order."""
    return tracklet.time_ns, tracklet.source, tracklet.sequence, originator, tracklet.number


def values_of(tracklets: Sequence[Tracklet]) -> NDArray[np.float64]:
    """Tracklets (n, TRACKLET) as kernels take them."""
    values = np.zeros((len(tracklets), TRACKLET))
    if tracklets:
        values[:, POINT : POINT + 6] = [t.point for t in tracklets]
        told = np.array([t.information for t in tracklets], float)
        values[:, INFORMATION : INFORMATION + 36] = told[:, _WHERE]
        values[:, EVIDENCE] = [t.evidence for t in tracklets]
    return values


def measurements_of(values: Floats) -> tuple[Floats, Floats]:
    """Points (n, 6) and informations (n, 6, 6) of tracklets (n, TRACKLET)."""
    points, informations = values[:, POINT : POINT + 6], values[:, INFORMATION : INFORMATION + 36]
    return points.copy(), informations.copy().reshape(-1, 6, 6)


def sure_of(log_odds: float) -> NDArray[np.float64]:
    """A tracklet (TRACKLET,) that tells nothing but that an object exists."""
    value = np.zeros(TRACKLET)
    value[EVIDENCE] = log_odds
    return value


def is_begun(row: np.void) -> bool:
    """Whether anything told yet where the object of a row is."""
    return bool(row["life"] != FREE)
