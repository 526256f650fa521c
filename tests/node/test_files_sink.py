"""Files: a message is there whole or not at all, once, under a name that is no path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.formats.warning_keys import MOST_SENDER, check_sender
from jointwatch.node.sinks.files import Files, file_name, identifier_in
from jointwatch.records import BadInput
from jointwatch.warning.standing import epoch_of, stem_of


def test_a_message_is_there_once_whatever_is_done_again(tmp_path: Path) -> None:
    sink = Files("f", tmp_path / "new" / "alerts", exercise=True)
    assert sink.deliver("EX-a-1", b"one").came == "delivered"
    before = (tmp_path / "new" / "alerts" / "EX-a-1.xml").stat()
    assert sink.deliver("EX-a-1", b"one").came == "delivered"
    after = (tmp_path / "new" / "alerts" / "EX-a-1.xml").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert [p.name for p in sink.folder.glob("*.xml")] == ["EX-a-1.xml"]


def test_another_message_of_the_same_name_is_an_error_and_stays(tmp_path: Path) -> None:
    sink = Files("f", tmp_path, exercise=True)
    sink.deliver("EX-a-1", b"one")
    answer = sink.deliver("EX-a-1", b"two")
    assert answer.came == "refused" and "another message" in answer.detail
    assert (tmp_path / "EX-a-1.xml").read_bytes() == b"one"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_crash_at_any_step_leaves_no_half_of_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    sink = Files("f", tmp_path, exercise=True)

    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(os, step, crash)
        with pytest.raises(Crash):
            sink.deliver("EX-a-1", b"one")
    assert list(tmp_path.glob("*.xml")) == []
    assert sink.deliver("EX-a-1", b"one").came == "delivered"
    assert [p.read_bytes() for p in tmp_path.glob("*.xml")] == [b"one"]


def test_a_disk_that_does_not_take_it_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    answer = Files("f", tmp_path / "file", exercise=True).deliver("EX-a-1", b"one")
    assert answer.came == "failed" and answer.detail

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = Files("f", tmp_path, exercise=True).deliver("EX-a-1", b"one")
    assert answer.came == "failed" and "No space" in answer.detail


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    other = tmp_path / "precious"
    other.write_bytes(b"precious")
    (tmp_path / "out" / ".EX-a-1.xml.partial").symlink_to(other)
    assert Files("f", tmp_path / "out", exercise=True).deliver("EX-a-1", b"one").came == "delivered"
    assert other.read_bytes() == b"precious"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20))
def test_every_identifier_has_a_name_of_its_own_that_is_no_path(identifier: str) -> None:
    name = file_name(identifier)
    assert identifier_in(name) == identifier
    assert name.isascii() and "/" not in name and "\\" not in name and "\0" not in name
    assert name not in (".", "..") and name.endswith(".xml")


@pytest.mark.parametrize("letter", ["א", "ع", "€", "😀", "%", "a"])
def test_the_longest_name_of_a_sender_gives_a_file_name_in_any_script(tmp_path: Path, letter: str) -> None:
    """No alert is the first to find out that its sender has too long a name."""
    sender = letter * (MOST_SENDER // len(letter.encode()))
    check_sender(sender, "node")
    with pytest.raises(BadInput, match="64 bytes"):
        check_sender(sender + letter, "node")
    stem = stem_of(sender, epoch_of(10**18, b"digest"), exercise=True)
    for identifier in (f"{stem}-999999-999999", f"{stem}-advisory-9999-9999"):
        assert Files("f", tmp_path, exercise=True).deliver(identifier, b"one").came == "delivered"


def test_an_identifier_that_is_too_long_or_none_is_refused(tmp_path: Path) -> None:
    sink = Files("f", tmp_path, exercise=True)
    assert sink.deliver("x" * 300, b"one").came == "refused"
    assert sink.deliver("", b"one").came == "refused"
    assert list(tmp_path.iterdir()) == []
