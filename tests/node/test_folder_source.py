"""A watched folder: what is whole and new in it is brought once, and nothing else is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jointwatch.node.sources import folder as module
from jointwatch.node.sources.folder import Folder
from jointwatch.node.sources.source import MOST_BYTES, Look, LookFailed

NOW = 1_800_000_000.0


def put(path: Path, data: bytes, age_s: float = 60.0) -> None:
    path.write_bytes(data)
    os.utime(path, (NOW - age_s, NOW - age_s))


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
    first, second, third = watched.look(), watched.look(), watched.look()
    assert (first.messages, first.left) == ((b"0", b"1"), 3) and "6 files" in first.troubles[0]
    assert (second.messages, third.messages, third.left) == ((b"2", b"3"), (b"4",), 0)


def test_a_folder_that_is_none_fails(tmp_path: Path) -> None:
    put(tmp_path / "file", b"x")
    with pytest.raises(LookFailed, match="Not a directory"):
        Folder("drop", tmp_path / "file", every_s=1.0).look()
