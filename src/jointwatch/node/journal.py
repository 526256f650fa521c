"""The journal: every input, decision and output of a node, in order, chained by hash.

One SQLite file.  Each entry holds its place, time, direction, bytes and the digest of everything up to it:
digest_n = SHA-256(digest_(n-1), time, direction, data).  The last digest is the run's canonical digest: same
inputs, same digest.  A journal is written beside its name and takes the name only when it is complete, so a
half-written one never looks whole; one that was cut or altered is refused with the entry where it breaks.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from jointwatch.records import BadInput

Direction = Literal["config", "in", "out"]
BATCH = 2000
FORMAT = 1
_START = hashlib.sha256(b"jointwatch journal 1").digest()


class Entry(Struct, frozen=True):
    """One entry: time_ns is when the node had it; data is the record's canonical bytes."""

    time_ns: int
    direction: Direction
    data: bytes


def chain(digest: bytes, time_ns: int, direction: str, data: bytes) -> bytes:
    """The digest after one more entry."""
    head = time_ns.to_bytes(8, "big", signed=True) + direction.encode() + b"\0"
    return hashlib.sha256(digest + head + data).digest()


class Journal:
    """An append-only journal; `path` None keeps only the digest (a shadow node)."""

    def __init__(self, path: Path | None) -> None:
        self.path, self.digest, self.count = path, _START, 0
        self._pending: list[tuple[int, int, str, bytes, bytes]] = []
        self._file: sqlite3.Connection | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._partial = path.with_name(path.name + ".partial")
            self._partial.unlink(missing_ok=True)
            self._file = sqlite3.connect(self._partial)
            self._file.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                "CREATE TABLE entry (n INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL,"
                " direction TEXT NOT NULL, data BLOB NOT NULL, digest BLOB NOT NULL);"
                "CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);"
            )

    def append(self, time_ns: int, direction: Direction, data: bytes) -> None:
        """Add one entry."""
        self.digest = chain(self.digest, time_ns, direction, data)
        self.count += 1
        if self._file is not None:
            self._pending.append((self.count, time_ns, direction, data, self.digest))
            if len(self._pending) >= BATCH:
                self._flush()

    def _flush(self) -> None:
        assert self._file is not None
        with self._file:
            self._file.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", self._pending)
        self._pending.clear()

    def close(self) -> None:
        """Finish the file: only now does it take its name."""
        if self._file is None or self.path is None:
            return
        self._flush()
        with self._file:
            self._file.executemany(
                "INSERT INTO about VALUES (?, ?)",
                [("format", str(FORMAT)), ("entries", str(self.count)), ("digest", self.digest.hex())],
            )
        self._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._file.execute("PRAGMA journal_mode=DELETE")
        self._file.close()
        self._file = None
        os.replace(self._partial, self.path)


def _opened(path: Path) -> sqlite3.Connection:
    """A journal opened for reading; as a URI made by pathlib, so that any character may stand in its name."""
    if not path.is_file():
        raise BadInput(str(path), "file", "nothing", "a journal that can be read")
    try:
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise BadInput(str(path), "file", str(error), "a journal that can be read") from None


def read_journal(path: Path) -> Iterator[Entry]:
    """The entries of a complete journal, each checked against the chain; BadInput where it breaks."""
    source = str(path)
    file = _opened(path)
    try:
        about = dict(file.execute("SELECT key, value FROM about").fetchall())
        if about.get("format") != str(FORMAT):
            raise BadInput(source, "format", about.get("format", "none"), f"journal format {FORMAT}")
        digest, count = _START, 0
        rows = file.execute("SELECT n, time_ns, direction, data, digest FROM entry ORDER BY n")
        for n, time_ns, direction, data, written in rows:
            count += 1
            # SQLite keeps any type in any column: an altered one must not get as far as the hash
            typed = isinstance(time_ns, int) and isinstance(direction, str) and isinstance(data, bytes)
            digest = chain(digest, time_ns, direction, data) if typed else b""
            if n != count or digest != written:
                raise BadInput(source, f"entry {count}", "altered or missing data", "an unbroken hash chain")
            yield Entry(time_ns, direction, data)
        if str(count) != about.get("entries") or digest.hex() != about.get("digest"):
            raise BadInput(source, "entries", f"{count} of {about.get('entries')}", "a complete journal")
    except sqlite3.DatabaseError as error:
        raise BadInput(source, "file", str(error), "a complete journal (SQLite)") from None
    finally:
        file.close()


def journal_digest(path: Path) -> str:
    """The canonical digest that a complete journal states, hexadecimal."""
    file = _opened(path)
    try:
        row = file.execute("SELECT value FROM about WHERE key = 'digest'").fetchone()
    except sqlite3.DatabaseError as error:
        raise BadInput(str(path), "file", str(error), "a complete journal (SQLite)") from None
    finally:
        file.close()
    if row is None:
        raise BadInput(str(path), "digest", "none", "a complete journal")
    return str(row[0])
