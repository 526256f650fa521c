"""Results are whole or not there, and nobody's own files are ever lost to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from jointwatch.records import BadInput
from jointwatch.review.results import check_results, new_results


def fill(folder: Path, text: str = "{}") -> None:
    (folder / "alerts").mkdir()
    (folder / "amber.journal.sqlite").write_text(text)
    (folder / "summary.json").write_text(text)
    (folder / "report.html").write_text(text)


def test_results_take_their_name_when_they_are_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "result"
    with new_results(out) as folder:
        fill(folder)
        assert not out.exists()
    check_results(out)
    assert [p.name for p in out.parent.iterdir()] == ["result"]


def test_an_error_leaves_nothing_behind_and_earlier_results_as_they_were(tmp_path: Path) -> None:
    out = tmp_path / "result"
    with new_results(out) as folder:
        fill(folder, "first")
    with pytest.raises(RuntimeError), new_results(out) as folder:
        (folder / "summary.json").write_text("second")
        raise RuntimeError
    assert (out / "summary.json").read_text() == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


def test_earlier_results_are_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "result"
    with new_results(out) as folder:
        fill(folder, "first")
        (folder / "blue.journal.sqlite").write_text("first")
    with new_results(out) as folder:
        fill(folder, "second")
    assert (out / "summary.json").read_text() == "second"
    assert not (out / "blue.journal.sqlite").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


def test_a_folder_that_holds_anything_else_is_refused_and_kept(tmp_path: Path) -> None:
    out = tmp_path / "mine"
    with new_results(out) as folder:
        fill(folder)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"notes\.txt"), new_results(out):
        pytest.fail("a folder of someone's own was taken")
    assert (out / "notes.txt").read_text() == "mine"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BadInput, match="a file"), new_results(tmp_path / "file"):
        pytest.fail("a file was taken for a folder")
    half = tmp_path / "half"
    half.mkdir()
    (half / "summary.json").write_text("mine")
    with pytest.raises(BadInput), new_results(half):
        pytest.fail("half a result was taken for one")


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    out = tmp_path / "empty"
    out.mkdir()
    with new_results(out) as folder:
        fill(folder)
    check_results(out)


def test_what_is_no_result_is_not_reviewed(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"summary\.json"):
        check_results(tmp_path)
    with pytest.raises(BadInput, match="nothing"):
        check_results(tmp_path / "missing")
