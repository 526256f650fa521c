"""Where a journal's rows lie: the seam between a node and its disk.

In: batches of rows; out: the same rows after whatever happened in between, up to the last that `sync` made
durable and perhaps a part of what came later.  A SQLite file here; the simulator has a disk in memory that
loses what was not synced.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from jointwatch.records import BadInput

Row = tuple[int, int, str, bytes, bytes, int]
"""Place from 1 on, time_ns, direction, data, digest up to here, and how many of its batch follow."""
_TABLES = (
    "CREATE TABLE IF NOT EXISTS entry (n INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL,"
    " direction TEXT NOT NULL, data BLOB NOT NULL, digest BLOB NOT NULL, more INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL);"
)


class Store(Protocol):
    """A disk for one journal."""

    def write(self, rows: Sequence[Row]) -> None:
        """Put whole batches behind what is there."""

    def sync(self) -> None:
        """Return when all that was written is there for good."""

    def rows(self) -> Iterable[Row]:
        """All that is there, in order."""

    def cut(self, count: int) -> None:
        """Forget all but the first `count` rows."""

    def close(self) -> None:
        """Nothing more will be written."""


class SqliteStore:
    """A journal's rows in one SQLite file, in write-ahead mode.

    durable: each write is one transaction on the disk when `write` returns (a live node's); without, SQLite
    may take its time, and only `complete` tells that all is there.
    """

    def __init__(self, path: Path, durable: bool) -> None:
        self._path, self._durable = path, durable
        try:
            self._file = sqlite3.connect(path)
            level = "FULL" if durable else "NORMAL"
            self._file.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous={level};" + _TABLES)
        except sqlite3.Error as error:
            raise BadInput(str(path), "file", str(error), "a journal that can be written") from None

    @classmethod
    def live(cls, path: Path, form: int) -> SqliteStore:
        """A live node's, made where there is none yet; form: the journal's format."""
        path.parent.mkdir(parents=True, exist_ok=True)
        store = cls(path, durable=True)
        about = dict(store._file.execute("SELECT key, value FROM about").fetchall())
        if not about:
            with store._file:
                store._file.executemany(
                    "INSERT INTO about VALUES (?, ?)", [("format", str(form)), ("live", "1")]
                )
        elif about.get("format") != str(form) or "live" not in about:
            store.close()
            found = "a complete journal" if "live" not in about else about.get("format")
            raise BadInput(str(path), "format", found, f"a live node's journal of format {form}")
        return store

    def write(self, rows: Sequence[Row]) -> None:
        with self._file:
            self._file.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", rows)

    def sync(self) -> None:
        """Each transaction is durable when it returns, where that was asked for."""

    def rows(self) -> Iterator[Row]:
        yield from _select(self._file, self._path)

    def cut(self, count: int) -> None:
        with self._file:
            self._file.execute("DELETE FROM entry WHERE n > ?", (count,))

    def complete(self, about: Mapping[str, str]) -> None:
        """Say what the file holds, and close it as one file without a write-ahead log."""
        with self._file:
            self._file.executemany("INSERT INTO about VALUES (?, ?)", list(about.items()))
        self._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._file.execute("PRAGMA journal_mode=DELETE")
        self._file.close()

    def close(self) -> None:
        self._file.close()


def _opened(path: Path) -> sqlite3.Connection:
    """A journal opened for reading; as a URI made by pathlib, so that any character may stand in its name."""
    if not path.is_file():
        raise BadInput(str(path), "file", "nothing", "a journal that can be read")
    try:
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise BadInput(str(path), "file", str(error), "a journal that can be read") from None


def about_of(path: Path) -> dict[str, str]:
    """What a journal's file says of itself; BadInput if it is none."""
    file = _opened(path)
    try:
        return dict(file.execute("SELECT key, value FROM about").fetchall())
    except sqlite3.DatabaseError as error:
        raise BadInput(str(path), "file", str(error), "a complete journal (SQLite)") from None
    finally:
        file.close()


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a journal's file as they are, in order."""
    file = _opened(path)
    try:
        yield from _select(file, path)
    finally:
        file.close()


def _select(file: sqlite3.Connection, path: Path) -> Iterator[Row]:
    try:
        yield from file.execute("SELECT n, time_ns, direction, data, digest, more FROM entry ORDER BY n")
    except sqlite3.DatabaseError as error:
        raise BadInput(str(path), "file", str(error), "a complete journal (SQLite)") from None
