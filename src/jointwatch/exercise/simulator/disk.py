"""A disk in memory that loses what was not synced, and tears what was being written.

In: rows and snapshots as a node writes them, and how its next crash is to come; out: after the crash, what a
real disk might still hold.  What `sync` returned for stays for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal

from jointwatch.node.store import Row

Fuse = Literal["", "while writing", "before sync", "after sync", "in a snapshot", "in an alert", "at rest"]
"""Where the next crash comes."""
FUSES: tuple[Fuse, ...] = (
    "while writing",
    "before sync",
    "after sync",
    "in a snapshot",
    "in an alert",
    "at rest",
)


class Crash(BaseException):
    """The node's process ends here; nothing in it may catch this."""


class Disk:
    """The rows and snapshots of one node."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.kept: list[Row] = []
        self._written: list[Row] = []
        self._snapshots: list[tuple[int, bytes]] = []
        self.fuse: Fuse = ""
        self.torn = 0
        """Crashes that left a part of a batch."""

    # ------------------------------------------------------------------ a journal's store

    def write(self, rows: Sequence[Row]) -> None:
        if self.fuse == "while writing":
            self._lose([*self._written, *rows])
        self._written += rows
        if self.fuse == "before sync":
            self._lose(self._written)

    def sync(self) -> None:
        self.kept += self._written
        self._written = []
        if self.fuse == "after sync":
            raise Crash

    def rows(self) -> Iterator[Row]:
        yield from list(self.kept)

    def cut(self, count: int) -> None:
        del self.kept[count:]

    def close(self) -> None:
        """Nothing to do."""

    def crash(self) -> None:
        """The power goes: of what was not synced any first part may be there, or nothing."""
        rows, self._written = self._written, []
        many = self._rng.randint(0, len(rows))
        if 0 < many and rows[many - 1][5] > 0:
            self.torn += 1
        self.kept += rows[:many]

    def _lose(self, rows: list[Row]) -> None:
        self._written = rows
        raise Crash

    # ------------------------------------------------------------------ snapshots

    def put(self, count: int, data: bytes) -> None:
        if self.fuse == "in a snapshot":
            # a file system that does not keep its word: the name is there and not all of the file
            if self._rng.random() < 0.5:
                self._snapshots.append((count, data[: self._rng.randint(0, len(data) - 1)]))
            raise Crash
        self._snapshots = [*self._snapshots[-1:], (count, data)]

    def newest(self) -> Iterator[bytes]:
        yield from (data for _, data in reversed(self._snapshots))
