"""A journal is whole and unaltered, or it is refused with the entry where it breaks."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from jointwatch.node.journal import Journal, journal_digest, read_journal
from jointwatch.records import BadInput


def written(path: Path, count: int = 50) -> Journal:
    journal = Journal(path)
    for n in range(count):
        journal.append(n * 1000, "in" if n % 2 else "out", f"entry {n}".encode())
    journal.close()
    return journal


def change(path: Path, statement: str, *values: object) -> None:
    file = sqlite3.connect(path)
    with file:
        assert file.execute(statement, values).rowcount > 0
    file.close()


def test_a_journal_gives_back_what_was_written_and_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "a?#%20b.sqlite"
    journal = written(path)
    entries = list(read_journal(path))
    assert [e.data for e in entries] == [f"entry {n}".encode() for n in range(50)]
    assert [e.time_ns for e in entries] == [n * 1000 for n in range(50)]
    assert journal_digest(path) == journal.digest.hex()


def test_a_journal_without_a_file_has_the_same_digest(tmp_path: Path) -> None:
    apart = Journal(None)
    for n in range(50):
        apart.append(n * 1000, "in" if n % 2 else "out", f"entry {n}".encode())
    assert apart.digest == written(tmp_path / "j.sqlite").digest


def test_the_digest_hangs_on_time_direction_data_and_order() -> None:
    def digest(*entries: tuple[int, Any, bytes]) -> bytes:
        journal = Journal(None)
        for time_ns, direction, data in entries:
            journal.append(time_ns, direction, data)
        return journal.digest

    first, second = (1, "in", b"a"), (2, "out", b"b")
    others = [
        digest(second, first),
        digest((3, "in", b"a"), second),
        digest((1, "out", b"a"), second),
        digest((1, "in", b"c"), second),
        digest(first),
    ]
    assert digest(first, second) not in others
    assert len(set(others)) == len(others)


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("UPDATE entry SET data = ? WHERE n = 20", (b"entry X9",)),
        ("UPDATE entry SET data = ? WHERE n = 20", ("entry 19",)),
        ("UPDATE entry SET time_ns = time_ns + 1 WHERE n = 20", ()),
        ("UPDATE entry SET time_ns = 'soon' WHERE n = 20", ()),
        ("UPDATE entry SET direction = 'in' WHERE n = 19", ()),
        ("UPDATE entry SET digest = ? WHERE n = 20", (b"",)),
        ("DELETE FROM entry WHERE n = 20", ()),
        ("DELETE FROM entry WHERE n = 50", ()),
        ("DELETE FROM about WHERE key = 'digest'", ()),
        ("DROP TABLE about", ()),
    ],
)
def test_an_altered_journal_is_refused(tmp_path: Path, statement: str, values: tuple[object, ...]) -> None:
    path = tmp_path / "j.sqlite"
    written(path)
    file = sqlite3.connect(path)
    with file:
        file.execute(statement, values)
    file.close()
    with pytest.raises(BadInput, match=r"j\.sqlite: "):
        list(read_journal(path))


def test_the_entry_where_the_chain_breaks_is_named(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    written(path)
    change(path, "UPDATE entry SET data = ? WHERE n = 20", b"another")
    with pytest.raises(BadInput) as refused:
        list(read_journal(path))
    assert refused.value.field == "entry 20"


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.sqlite"
    written(whole, 2000)
    data = whole.read_bytes()
    cut = tmp_path / "cut.sqlite"
    for share in (0.0, 0.01, 0.3, 0.6, 0.9, 0.999):
        cut.write_bytes(data[: int(share * len(data))])
        with pytest.raises(BadInput):
            list(read_journal(cut))


def test_a_flipped_byte_is_refused_wherever_it_matters(tmp_path: Path) -> None:
    whole = tmp_path / "whole.sqlite"
    written(whole, 300)
    data = whole.read_bytes()
    bad = tmp_path / "bad.sqlite"
    for place in [data.index(f"entry {n}".encode()) + 2 for n in (0, 7, 150, 299)]:
        bad.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(BadInput):
            list(read_journal(bad))


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    for name, data in (("text", b"hello"), ("empty", b"")):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(BadInput):
            list(read_journal(path))
    with pytest.raises(BadInput, match="nothing"):
        list(read_journal(tmp_path / "missing"))
    with pytest.raises(BadInput):
        journal_digest(tmp_path / "text")


def test_a_journal_takes_its_name_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    journal = Journal(path)
    for n in range(5000):
        journal.append(n, "in", b"x")
    assert not path.exists()
    # the same even if what is there so far is taken for the journal
    partial = next(p for p in tmp_path.iterdir() if p.name.endswith(".partial"))
    copied = tmp_path / "apart" / "j.sqlite"
    copied.parent.mkdir()
    shutil.copy(partial, copied)
    with pytest.raises(BadInput):
        list(read_journal(copied))
    journal.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["apart", "j.sqlite"]
    assert sum(1 for _ in read_journal(path)) == 5000
