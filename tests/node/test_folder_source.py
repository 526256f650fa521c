"""A watched folder: what is whole and new in it is brought once, and nothing else is read."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from jointwatch.node.sources import folder as module
from jointwatch.node.sources.folder import Folder
from jointwatch.node.sources.source import MOST_BYTES, Look, LookFailed

NOW = 1_800_000_000.0


def put(path: Path, data: bytes, age_s: float = 60.0) -> None:
    path.write_bytes(data)
    os.utime(path, (NOW - age_s, NOW - age_s))


def after(path: Path) -> None:
    """Wait until what is changed from now on is later, as the file system tells time, than this file."""
    changed = path.with_name(".clock")
    changed.touch()
    while changed.lstat().st_ctime_ns <= path.lstat().st_ctime_ns:
        time.sleep(0.001)
        changed.touch()


@pytest.fixture
def watched(tmp_path: Path) -> Folder:
    return Folder("drop", tmp_path / "drop", every_s=10.0, clock=lambda: NOW)


def test_files_are_brought_once_and_again_when_they_change(watched: Folder) -> None:
    assert watched.look() == Look()  # there is no folder yet
    watched.folder.mkdir()
    put(watched.folder / "b.xml", b"two")
    put(watched.folder / "a.CAP", b"one")
    assert watched.look() == Look((b"one", b"two"))
    assert watched.look() == Look()
    put(watched.folder / "b.xml", b"three", age_s=30.0)
    assert watched.look() == Look((b"three",))


def test_one_that_is_being_written_waits(watched: Folder) -> None:
    watched.folder.mkdir()
    put(watched.folder / "a.xml", b"ha", age_s=0.2)
    assert watched.look() == Look((), 1)
    put(watched.folder / "a.xml", b"half", age_s=1.5)
    assert watched.look() == Look((b"half",))


def test_what_is_no_message_is_not_read(watched: Folder, tmp_path: Path) -> None:
    watched.folder.mkdir()
    put(tmp_path / "secret.xml", b"secret")
    (watched.folder / "link.xml").symlink_to(tmp_path / "secret.xml")
    (watched.folder / "sub.xml").mkdir()
    os.mkfifo(watched.folder / "pipe.xml")
    put(watched.folder / ".hidden.xml", b"hidden")
    put(watched.folder / "notes.txt", b"text")
    assert watched.look() == Look()


def test_what_is_too_long_is_said_once(watched: Folder) -> None:
    watched.folder.mkdir()
    put(watched.folder / "long.xml", b"x" * (MOST_BYTES + 1))
    put(watched.folder / "most.xml", b"x" * MOST_BYTES)
    look = watched.look()
    assert [len(m) for m in look.messages] == [MOST_BYTES] and "long.xml: more than" in look.troubles[0]
    assert watched.look() == Look()


def test_many_files_come_in_turns(watched: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MESSAGES", 2)
    monkeypatch.setattr(module, "MOST_FILES", 5)
    watched.folder.mkdir()
    for n in range(6):
        put(watched.folder / f"{n}.xml", b"%d" % n)
        after(watched.folder / f"{n}.xml")
    first, second, third = watched.look(), watched.look(), watched.look()
    assert (first.messages, first.left) == ((b"5", b"4"), 3) and "6 files" in first.troubles[0]
    assert (second.messages, third.messages, third.left) == ((b"3", b"2"), (b"1",), 0)


@pytest.mark.parametrize("age_s", [60.0, 86_400.0 * 365, -86_400.0 * 365])
def test_what_is_new_in_a_full_folder_is_heard_whatever_it_is_called_and_dated(
    watched: Folder, monkeypatch: pytest.MonkeyPatch, age_s: float
) -> None:
    """Beyond 5000 files nothing new was heard whose name came after theirs."""
    monkeypatch.setattr(module, "MOST_FILES", 5)
    watched.folder.mkdir()
    for n in range(5):
        put(watched.folder / f"A-{n}.xml", b"%d" % n, age_s=-3600.0 * (n + 1))
        after(watched.folder / f"A-{n}.xml")
    assert len(watched.look().messages) == 5 and watched.look() == Look()
    put(watched.folder / "B-cancel.xml", b"new", age_s=age_s)
    look = watched.look()
    assert look.messages == (b"new",) and "the newest 5" in look.troubles[0]
    after(watched.folder / "B-cancel.xml")
    put(watched.folder / "A-0.xml", b"changed", age_s=age_s)
    assert watched.look().messages == (b"changed",)


def test_a_folder_that_is_none_fails(tmp_path: Path) -> None:
    put(tmp_path / "file", b"x")
    with pytest.raises(LookFailed, match="Not a directory"):
        Folder("drop", tmp_path / "file", every_s=1.0).look()
