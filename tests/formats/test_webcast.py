"""Webcast recordings: what is read is what the file says, and what is wrong with a file is said."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from jointwatch.formats.webcast import HEADER, cleaned, read_events, read_recording
from jointwatch.records import BadInput


def write(path: Path, rows: list[str], header: str = HEADER) -> Path:
    path.write_bytes(gzip.compress("\n".join([header, *rows]).encode()))
    return path


def climbing(count: int = 60) -> list[str]:
    """A flight that gains 1 m/s and 30 m a row, as a webcast would show it."""
    return [f"{i / 30:.3f},{i * 1.0:.3f},{round(i * 0.03, 1)}" for i in range(count)]


def test_a_recording_is_read_in_metres_and_seconds(tmp_path: Path) -> None:
    path = write(tmp_path / "flight.raw30hz.csv.gz", ["0.0,0.0,0.0", "0.033,100.5,99.4", "0.066,101.0,101.0"])
    recording = read_recording(path)
    assert recording.flight == "flight"
    np.testing.assert_allclose(recording.speed_ms, [0.0, 100.5, 101.0])
    np.testing.assert_allclose(recording.height_m, [0.0, 99.4e3, 101e3])


def test_heights_are_rounded_ten_times_more_coarsely_from_a_hundred_kilometres_on(tmp_path: Path) -> None:
    path = write(tmp_path / "f.raw30hz.csv.gz", ["0,1,99.4", "1,1,99.5", "2,1,100.0", "3,1,101.0"])
    np.testing.assert_allclose(read_recording(path).height_step_m, [100.0, 100.0, 1000.0, 1000.0])


def test_the_nearest_row_is_found_on_either_side(tmp_path: Path) -> None:
    recording = read_recording(write(tmp_path / "f.raw30hz.csv.gz", ["0,1,1", "1,1,1", "3,1,1"]))
    assert recording.nearest(np.array([-1.0, 0.4, 0.6, 2.1, 9.0])).tolist() == [0, 0, 1, 2, 2]


def test_rows_before_lift_off_and_rows_repeated_in_time_are_dropped(tmp_path: Path) -> None:
    rows = climbing()
    rows[1:1] = ["-0.966,0.277,0.0", "-0.933,0.555,0.0"]
    rows.insert(20, rows[19])
    kept = cleaned(read_recording(write(tmp_path / "f.raw30hz.csv.gz", rows)))
    assert kept.dropped == 3
    assert (np.diff(kept.time_s) > 0.0).all() and kept.time_s[0] == 0.0


def test_a_misread_row_is_dropped_and_its_neighbours_are_not(tmp_path: Path) -> None:
    rows = climbing()
    rows[30] = "1.000,800.000,0.9"  # a 3 read as an 8
    rows[45] = "1.500,45.000,9.4"
    kept = cleaned(read_recording(write(tmp_path / "f.raw30hz.csv.gz", rows)))
    assert kept.dropped == 2
    assert not np.isin([1.0, 1.5], kept.time_s).any()


def test_a_gap_in_the_picture_is_no_misreading(tmp_path: Path) -> None:
    rows = climbing()
    del rows[20:50]
    assert cleaned(read_recording(write(tmp_path / "f.raw30hz.csv.gz", rows))).dropped == 0


@pytest.mark.parametrize(
    "rows, where",
    [
        (["0,1,2", "1,2"], "line 3"),
        (["0,1,2", "1,2,high"], "line 3"),
        (["0,1,2", "1,nan,3"], "line 3"),
        (["0,1,2", "1,-5,3"], "line 3"),
        (["0,1,2"], "rows"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, rows: list[str], where: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_recording(write(tmp_path / "bad.raw30hz.csv.gz", rows))
    assert caught.value.source == "bad.raw30hz.csv.gz" and caught.value.field == where


def test_another_header_and_a_file_that_is_no_gzip_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the header time_s"):
        read_recording(write(tmp_path / "a.raw30hz.csv.gz", ["0,1,2", "1,2,3"], header="t,v,h"))
    cut = tmp_path / "b.raw30hz.csv.gz"
    cut.write_bytes(gzip.compress(b"\n".join([HEADER.encode(), *[b"0,1,2"] * 1000]))[:40])
    with pytest.raises(BadInput, match="a gzip file"):
        read_recording(cut)
    with pytest.raises(BadInput, match="a gzip file"):
        read_recording(tmp_path / "absent.raw30hz.csv.gz")


def test_events_that_did_not_take_place_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_text('{"meco": 158, "boostback_start": null}')
    assert read_events(path) == {"meco": 158.0}
    path.write_text('{"meco": "soon"}')
    with pytest.raises(BadInput, match="meco: found soon"):
        read_events(path)
    path.write_text("[1, 2]")
    with pytest.raises(BadInput, match="a JSON object"):
        read_events(path)
