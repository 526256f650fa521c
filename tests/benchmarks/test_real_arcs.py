"""Recorded flights: the tracker says where they will be, within the bounds the project sets itself.

The recordings are not shipped: the tests look for them where JOINTWATCH_DATA says, and are skipped without.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

DATA = os.environ.get("JOINTWATCH_DATA")
needs_recordings = pytest.mark.skipif(
    DATA is None or not (Path(DATA) / "spacex-webcast").is_dir(),
    reason="recorded flights: JOINTWATCH_DATA names no folder with spacex-webcast",
)


@pytest.fixture(scope="module")
def real_arcs() -> Iterator[ModuleType]:
    here = str(Path(__file__).parents[2] / "benchmarks")
    sys.path.insert(0, here)
    yield importlib.import_module("real_arcs")
    sys.path.remove(here)
    for name in ("real_arcs", "laid_twins"):
        del sys.modules[name]


def test_without_recordings_it_says_so_in_one_sentence_and_is_content(
    real_arcs: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("JOINTWATCH_DATA", raising=False)
    assert real_arcs.main([]) == 0
    said = capsys.readouterr().out
    assert said.startswith("real_arcs skipped") and said.count("\n") == 1


def test_an_unknown_flight_is_refused(real_arcs: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert real_arcs.main(["--data", "anywhere", "--flight", "Montgolfier"]) == 2
    assert "found Montgolfier" in capsys.readouterr().err


def test_a_folder_without_the_recordings_is_named(
    real_arcs: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert real_arcs.main(["--data", str(tmp_path), "--flight", "ZUMA"]) == 2
    assert "ZUMA.raw30hz.csv.gz" in capsys.readouterr().err


@needs_recordings
def test_a_minute_ahead_the_coasting_boosters_are_where_the_tracker_said(real_arcs: ModuleType) -> None:
    lines = list(real_arcs.run(Path(str(DATA)), 2, list(real_arcs.BOOSTERS), []))
    pooled = {
        line["ahead_s"]: line
        for line in lines
        if line["flight"] == "all" and "after_s" not in line and "n" in line
    }
    assert pooled[60.0]["n"] >= 100
    assert pooled[60.0]["altitude_error_m"] <= 500.0
    assert pooled[60.0]["speed_error_ms"] <= 4.0
    for line in pooled.values():
        assert 0.80 <= line["inside_90_laid"]
        if line["n"] >= 100:  # two minutes ahead only two flights still coast
            assert line["inside_90_laid"] <= 0.985
        # without what laying makes of the rounding: somewhat fewer, not few
        assert 0.75 <= line["inside_90"] < line["inside_90_laid"]
    for line in lines:
        if line["flight"] != "all" and line.get("ahead_s") == 60.0:
            assert line["altitude_error_m"] <= 500.0 and line["speed_error_ms"] <= 4.0, line
        if "tracks_most" in line:  # staging and boost-back do not cost the track
            assert line["tracks_most"] <= 2 and line["absent"] == 0


def test_a_fall_is_found_again_from_its_places(real_arcs: ModuleType) -> None:
    import numpy as np
    from laid_twins import free_fall

    from jointwatch.earth.frames import geodetic2ecef
    from jointwatch.motion.phases import BALLISTIC, PRIOR_MEAN
    from jointwatch.motion.propagate import propagate

    up = np.array(geodetic2ecef(0.5, -1.4, 1.0)) / 6.37e6
    state = np.array([*geodetic2ecef(0.5, -1.4, 90e3), *(700.0 * up), PRIOR_MEAN[BALLISTIC]])
    state[4] += 800.0
    times, places = np.arange(0.0, 150.0, 3.0), []
    for t in times:
        at = state.copy()
        propagate(BALLISTIC, at, t)
        places.append(at[:3])
    found = free_fall(times, np.array(places))
    assert np.linalg.norm(found[:3] - state[:3]) < 0.5 and np.linalg.norm(found[3:6] - state[3:6]) < 0.01


@needs_recordings
def test_a_twin_coasts_as_its_flight_did_and_is_laid_within_its_rounding(real_arcs: ModuleType) -> None:
    import numpy as np
    from laid_twins import twin_of

    case = real_arcs.load(Path(str(DATA)), "booster", "ZUMA", real_arcs.ABEAM_M, None)
    exact, arc = twin_of(case.recording, case.arc, case.coast_s, case.assumed)
    start, end = case.coast_s
    inside = (exact.time_s > start) & (exact.time_s < end)
    outside = ~inside
    assert np.array_equal(exact.height_m[outside], case.recording.height_m[outside])
    off = (exact.height_m - case.recording.height_m)[inside]
    assert np.abs(off).max() < 1000.0  # the recording shows whole kilometres up there
    # laid within the rounding, and a little for the readings' time; and not exactly: that is its error
    laid = np.interp(exact.time_s, arc.time_s, arc.height_m)
    apart = np.abs(laid - exact.height_m)[inside]
    assert (apart < exact.height_step_m[inside] + 100.0).all() and apart.max() > 20.0


@needs_recordings
def test_a_launch_to_orbit_never_gets_an_impact_point_once_there(real_arcs: ModuleType) -> None:
    flight = "Hispasat_30W-6"
    (line,) = [x for x in real_arcs.run(Path(str(DATA)), 2, [], [flight]) if "ascent" in x]
    assert line["looks_in_orbit"] > 50 and line["impact_points_in_orbit"] == 0
    assert line["perigee_at_end_km"] > 80.0
    assert line["impact_points_while_thrusting"] <= 0.002 * line["looks_while_thrusting"]


@needs_recordings
def test_the_observed_radar_is_never_overflown(real_arcs: ModuleType) -> None:
    import numpy as np

    from jointwatch.sensing.radar import observe, sensor_row

    for flight in real_arcs.BOOSTERS:
        case = real_arcs.load(Path(str(DATA)), "booster", flight, real_arcs.ABEAM_M, None)
        row = sensor_row(case.sensors[0])
        times = np.arange(np.ceil(case.coast_s[0]), case.coast_s[1])
        highest = max(observe(row, *p, 0.0, 0.0, 0.0)[2] for p in case.arc.at(times))
        assert np.degrees(highest) < 70.0
