"""A live node's journal can be read after a crash at any instant: whole steps, and all that was synced."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from jointwatch.node.journal import FORMAT, Journal, journal_digest, read_journal, read_kept
from jointwatch.node.store import SqliteStore
from jointwatch.records import BadInput

WRITER = """
import sys
from pathlib import Path
from jointwatch.node.journal import FORMAT, Journal
from jointwatch.node.store import SqliteStore

journal = Journal(None, SqliteStore.live(Path(sys.argv[1]), FORMAT))
for n in range(100_000):
    journal.append(n, "in", b"input %d" % n)
    for k in range(n % 4):
        journal.append(n, "out", b"output %d of %d" % (k, n))
    journal.end()
    journal.sync()
    print(journal.count, flush=True)
"""


def opened(path: Path) -> Journal:
    store = SqliteStore.live(path, FORMAT)
    return Journal(None, store, read_kept(store.rows(), str(path)))


def steps(journal: Journal, first: int, count: int) -> None:
    for n in range(first, first + count):
        journal.append(n, "in", b"input %d" % n)
        journal.append(n, "out", b"output %d" % n)
        journal.append(n, "out", b"another %d" % n)
        journal.end()


def test_what_was_synced_is_there_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "live.sqlite"
    for wanted in (30, 90):
        path.unlink(missing_ok=True)
        command = [sys.executable, "-c", WRITER, str(path)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        synced = 0
        while synced < wanted:
            synced = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        entries = list(read_journal(path))
        assert len(entries) >= synced
        # whole steps: the last input has all of its outputs
        last = max(i for i, e in enumerate(entries) if e.direction == "in")
        assert len(entries) - last - 1 == entries[last].time_ns % 4


def test_a_journal_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "live.sqlite"
    journal = opened(path)
    steps(journal, 0, 3)
    journal.sync()
    steps(journal, 3, 2)  # never synced: the process ends here
    del journal
    journal = opened(path)
    assert journal.count == 9
    steps(journal, 3, 2)
    journal.close()
    whole = Journal(None)
    steps(whole, 0, 5)
    assert journal_digest(path) == whole.digest.hex() == journal.digest.hex()


def test_a_batch_that_comes_to_no_end_is_as_if_never_begun(tmp_path: Path) -> None:
    path = tmp_path / "live.sqlite"
    journal, whole = opened(path), Journal(None)
    journal.drop()  # nothing is begun yet
    for k in range(3):
        steps(journal, k, 1)
        journal.append(k, "in", b"what raises")
        journal.append(k, "out", b"one of its outputs")
        journal.drop()
        journal.sync()
    steps(whole, 0, 3)
    whole.append(9, "in", b"what raises")
    whole.drop()
    assert (journal.digest, journal.count) == (whole.digest, whole.count)
    journal.append(9, "in", b"what raises")
    journal.drop()
    journal.close()
    assert journal_digest(path) == whole.digest.hex() and len(list(read_journal(path))) == 9


def change(path: Path, statement: str) -> None:
    file = sqlite3.connect(path)
    with file:
        assert file.execute(statement).rowcount > 0
    file.close()


@pytest.mark.parametrize(
    "torn",
    [
        "DELETE FROM entry WHERE n = 15",
        "DELETE FROM entry WHERE n = 13",
        "DELETE FROM entry WHERE n = 14",
        "UPDATE entry SET data = x'00' WHERE n = 14",
        "UPDATE entry SET digest = x'00' WHERE n = 15",
        "UPDATE entry SET time_ns = 'soon' WHERE n = 13",
    ],
)
def test_a_torn_tail_is_cut_at_the_last_whole_step_and_counted(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "live.sqlite"
    journal = opened(path)
    steps(journal, 0, 5)
    journal.close()
    change(path, torn)
    store = SqliteStore.live(path, FORMAT)
    kept = read_kept(store.rows(), str(path))
    store.close()
    assert len(kept.entries) == 12
    assert kept.torn in (2, 3)
    assert len(list(read_journal(path))) == 12


@pytest.mark.parametrize("n", [1, 2, 8, 12])
def test_a_break_in_the_middle_is_refused_with_its_entry(tmp_path: Path, n: int) -> None:
    path = tmp_path / "live.sqlite"
    journal = opened(path)
    steps(journal, 0, 5)
    journal.close()
    change(path, f"UPDATE entry SET data = x'00' WHERE n = {n}")
    with pytest.raises(BadInput) as refused:
        list(read_journal(path))
    assert refused.value.field == f"entry {n}"


def test_a_complete_journal_is_not_taken_for_a_live_one(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    journal = Journal(path)
    steps(journal, 0, 2)
    journal.close()
    with pytest.raises(BadInput, match="a complete journal"):
        SqliteStore.live(path, FORMAT)
