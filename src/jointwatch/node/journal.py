"""The journal: every input, decision and output of a node, in order, chained by hash.

One SQLite file.  Each entry holds its place, time, direction, bytes and the digest of everything up to it:
digest_n = SHA-256(digest_(n-1), time, direction, data).  The last digest is the run's canonical digest: same
inputs, same digest.  A step's input and outputs are one batch, which is there as a whole or not at all.

An exercise's journal is written beside its name and takes the name only when it is complete, so a
half-written one never looks whole; one that was cut or altered is refused with the entry where it breaks.  A
live node's has its name from the beginning and can be read after any crash: what `sync` made durable is in it
for good, a torn tail is cut at the last whole batch, and a break before that is refused all the same.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from jointwatch.node.store import Row, SqliteStore, Store, about_of, read_rows
from jointwatch.records import BadInput

Direction = Literal["config", "in", "out"]
BATCH = 2000
FORMAT = 2
START = hashlib.sha256(b"jointwatch journal 1").digest()
"""The digest before the first entry."""


class Entry(Struct, frozen=True):
    """One entry: time_ns is when the node had it; data is the record's canonical bytes."""

    time_ns: int
    direction: Direction
    data: bytes


class Kept(Struct, frozen=True):
    """What a live journal holds: its entries up to the last whole batch, and what stands behind them.

    digests: of everything up to each entry.  torn: entries after the last whole batch, which do not count.
    """

    entries: list[Entry]
    digests: list[bytes]
    torn: int

    @property
    def digest(self) -> bytes:
        """Of all entries."""
        return self.digests[-1] if self.digests else START


def chain(digest: bytes, time_ns: int, direction: str, data: bytes) -> bytes:
    """The digest after one more entry."""
    head = time_ns.to_bytes(8, "big", signed=True) + direction.encode() + b"\0"
    return hashlib.sha256(digest + head + data).digest()


class Journal:
    """An append-only journal.

    path: of an exercise's, which is complete when it is closed; None keeps only the digest (a shadow node).
    store: where a live node's lies instead, with `kept`, what is in it already.
    """

    def __init__(self, path: Path | None, store: Store | None = None, kept: Kept | None = None) -> None:
        self.path, self.digest, self.count, self.began_ns = path, START, 0, 0
        self._open: list[tuple[int, int, str, bytes, bytes]] = []
        self._before: tuple[bytes, int] | None = None
        self._pending: list[Row] = []
        self._store = store
        if kept is not None:
            self.digest, self.count = kept.digest, len(kept.entries)
            self.began_ns = kept.entries[0].time_ns if kept.entries else 0
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._partial = path.with_name(path.name + ".partial")
            self._partial.unlink(missing_ok=True)
            self._store = SqliteStore(self._partial, durable=False)

    def append(self, time_ns: int, direction: Direction, data: bytes) -> None:
        """Add one entry to the batch; the time of the first is when the journal began."""
        if self.count == 0:
            self.began_ns = time_ns
        if self._before is None:
            self._before = self.digest, self.count
        self.digest = chain(self.digest, time_ns, direction, data)
        self.count += 1
        if self._store is not None:
            self._open.append((self.count, time_ns, direction, data, self.digest))

    def end(self) -> None:
        """End the batch, which is from now on there as a whole or not at all."""
        self._before = None
        if not self._open:
            return
        last = len(self._open) - 1
        self._pending += [(*row, last - i) for i, row in enumerate(self._open)]
        self._open.clear()
        if self.path is not None and len(self._pending) >= BATCH:
            self._write()

    def drop(self) -> None:
        """Leave out what was added since the last batch ended, as if it had never begun."""
        if self._before is not None:
            self.digest, self.count = self._before
        self._before = None
        self._open.clear()

    def sync(self) -> None:
        """Make all batches that have ended durable; only then may anything of them leave the node."""
        if self._store is None:
            return
        self._write()
        self._store.sync()

    def _write(self) -> None:
        assert self._store is not None
        rows, self._pending = self._pending, []
        if rows:
            self._store.write(rows)

    def close(self) -> None:
        """Finish: all is written, and an exercise's file takes its name only now."""
        self.end()
        if self._store is None:
            return
        if self.path is None:
            self.sync()
            self._store.close()
        else:
            self._write()
            assert isinstance(self._store, SqliteStore)
            about = {"format": str(FORMAT), "entries": str(self.count), "digest": self.digest.hex()}
            self._store.complete(about)
            os.replace(self._partial, self.path)
        self._store = None


# ---------------------------------------------------------------------- complete journals


def read_journal(path: Path) -> Iterator[Entry]:
    """The entries of a complete journal, each checked against the chain; BadInput where it breaks.

    Of a live node's journal, those up to its last whole batch.
    """
    source = str(path)
    about = about_of(path)
    if about.get("format") != str(FORMAT):
        raise BadInput(source, "format", about.get("format", "none"), f"journal format {FORMAT}")
    if "live" in about:
        yield from read_kept(read_rows(path), source).entries
        return
    digest, count = START, 0
    for row in read_rows(path):
        count += 1
        digest = _next(digest, row)
        if row[0] != count or digest != row[4]:
            raise BadInput(source, f"entry {count}", "altered or missing data", "an unbroken hash chain")
        yield _entry(row)
    if str(count) != about.get("entries") or digest.hex() != about.get("digest"):
        raise BadInput(source, "entries", f"{count} of {about.get('entries')}", "a complete journal")


def journal_digest(path: Path) -> str:
    """The canonical digest of a complete journal, as it states it, hexadecimal; of a live one, as it is."""
    about = about_of(path)
    if "live" in about:
        return read_kept(read_rows(path), str(path)).digest.hex()
    if "digest" not in about:
        raise BadInput(str(path), "digest", "none", "a complete journal")
    return about["digest"]


# ---------------------------------------------------------------------- live journals


def read_kept(rows: Iterable[Row], source: str) -> Kept:
    """What a live journal's rows hold, in order; BadInput naming source where the chain breaks in the middle.

    What breaks within the last batch is a torn tail: it was never said to be durable.
    """
    entries: list[Entry] = []
    digests: list[bytes] = []
    digest, whole = START, 0
    left = iter(rows)
    for row in left:
        digest = _next(digest, row)
        if row[0] != len(entries) + 1 or digest != row[4] or not isinstance(row[5], int):
            after = [row, *left]
            # the batch that breaks may have its end; another's after it shows that this was in the middle
            ends = [i for i, r in enumerate(after) if r[5] == 0]
            if ends and ends[0] < len(after) - 1:
                found, wanted = "altered or missing data", "an unbroken hash chain"
                raise BadInput(source, f"entry {len(entries) + 1}", found, wanted)
            return Kept(entries[:whole], digests[:whole], len(entries) - whole + len(after))
        entries.append(_entry(row))
        digests.append(digest)
        if row[5] == 0:
            whole = len(entries)
    return Kept(entries[:whole], digests[:whole], len(entries) - whole)


def _next(digest: bytes, row: Row) -> bytes:
    """The digest after a row; none if it is no entry: SQLite keeps any type in any column."""
    _, time_ns, direction, data, _, _ = row
    typed = isinstance(time_ns, int) and isinstance(direction, str) and isinstance(data, bytes)
    return chain(digest, time_ns, direction, data) if typed else b""


def _entry(row: Row) -> Entry:
    direction: Direction = row[2]  # type: ignore[assignment]
    return Entry(row[1], direction, row[3])


def batches(entries: Sequence[Entry]) -> Iterator[tuple[Entry, list[Entry]]]:
    """Each input with the outputs of its step; entries: of a journal, after its configuration."""
    i = 0
    while i < len(entries):
        j = i + 1
        while j < len(entries) and entries[j].direction == "out":
            j += 1
        yield entries[i], list(entries[i + 1 : j])
        i = j
