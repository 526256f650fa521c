"""The benchmark's problems are those of the literature, and its scores know a good filter from a bad one."""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from jointwatch.earth.frames import ecef2geodetic

HERE = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def cases() -> Iterator[SimpleNamespace]:
    names = ("reentries", "meeting", "flown_arcs", "long_arc", "bounds")
    sys.path.insert(0, str(HERE))
    modules: dict[str, ModuleType] = {name: importlib.import_module(name) for name in names}
    yield SimpleNamespace(**modules)
    sys.path.remove(str(HERE))
    for name in names:
        del sys.modules[name]


def test_without_noise_the_known_re_entry_ends_where_the_paper_has_it(cases: SimpleNamespace) -> None:
    state = cases.reentries.FARINA_START
    for _ in range(cases.reentries.FARINA_STEPS):
        state = cases.reentries.farina_step(state)
    np.testing.assert_allclose(state, [11673.44, -220.69, -484.86, -265.87], atol=0.01)


def test_the_bound_of_the_known_re_entry_is_the_published_one(cases: SimpleNamespace) -> None:
    truth, _ = cases.reentries.farina_truth(200, 0)
    sigma = np.sqrt(np.diagonal(cases.reentries.farina_bound(truth), axis1=1, axis2=2))
    for time_s, published in cases.reentries.FARINA_BOUND.items():
        np.testing.assert_allclose(sigma[time_s // 2 - 1], published, rtol=0.02)


def test_two_measured_points_start_a_track_that_knows_how_little_it_knows(cases: SimpleNamespace) -> None:
    truth, plots = cases.reentries.farina_truth(2000, 1)
    starts = [cases.reentries.two_points(p[0], p[1], 2.0) for p in plots]
    block = np.ix_([0, 3, 1, 4], [0, 3, 1, 4])
    errors = np.array([mean[[0, 3, 1, 4]] for mean, _ in starts]) - truth[:, 1]
    squared = [e @ np.linalg.solve(p[block], e) for e, (_, p) in zip(errors, starts, strict=True)]
    assert np.mean(squared) == pytest.approx(4.0, rel=0.1)


def test_the_filter_comes_near_the_bound_and_says_how_near(cases: SimpleNamespace) -> None:
    (line,) = cases.reentries.farina(300)
    assert 0.9 < line["rmse_over_bound_mean"] < 1.15
    assert 3.4 < line["nees"] < 5.0
    assert line["nees_most"] < 6.5


def test_the_drag_that_nobody_told_is_learned_as_in_the_paper(cases: SimpleNamespace) -> None:
    (line,) = cases.reentries.julier(8)
    assert line["rmse_over_bound"] == pytest.approx(1.0, abs=0.12)


def test_a_late_plot_leaves_the_state_that_order_would_have_left(cases: SimpleNamespace) -> None:
    (line,) = cases.meeting.late(3)
    assert line["late_is_in_order"] == line["of"] == 9
    assert line["rmse_over_bound"] < 1.001


def test_of_four_targets_that_meet_one_ends_at_the_meeting(cases: SimpleNamespace) -> None:
    truth = cases.meeting.meeting_truth(np.random.default_rng(3))
    living = (~np.isnan(truth[:, :, 0])).sum(axis=1)
    assert living.tolist() == [4] * 40 + [3] * 41
    met = truth[40, 1:][:, [0, 2]]
    assert np.abs(met).max() < 2.0 < np.abs(truth[[0, 80]][:, 1:][:, :, [0, 2]]).max()


def test_four_targets_are_followed_through_their_meeting(cases: SimpleNamespace) -> None:
    parts = np.array([cases.meeting.meeting_run(seed) for seed in range(3)])
    line = cases.meeting.meeting_lines(parts)[0]
    assert line["gospa_m"] == pytest.approx(3.1, abs=0.8)
    whole = line["localisation_m"] ** 2 + line["missed_m"] ** 2 + line["false_m"] ** 2
    assert whole == pytest.approx(line["gospa_m"] ** 2, rel=1e-2)


def test_the_independent_arc_is_1300_km_long_and_comes_down_on_the_ground(cases: SimpleNamespace) -> None:
    (flight,) = cases.flown_arcs.independent_flights(1, 0, 5.0)
    latitude, longitude, height = ecef2geodetic(*flight.place)
    a, b = np.radians(cases.flown_arcs.LAUNCH_DEG)
    turn = math.sin(a) * math.sin(latitude) + math.cos(a) * math.cos(latitude) * math.cos(longitude - b)
    assert 6371e3 * math.acos(turn) == pytest.approx(1300e3, rel=0.1)
    assert abs(height) < 50.0
    assert 450.0 < flight.fall_s < 600.0


def test_on_the_ground_nothing_known_better_is_known_worse(cases: SimpleNamespace) -> None:
    arc = cases.long_arc
    (flight,) = cases.flown_arcs.own_flights(1, 1, 5.0)
    sensor = cases.flown_arcs.radar_abeam(flight, 5.0, None)
    rated = cases.flown_arcs.radar_abeam(flight, 5.0, 0.1)
    seen = np.ones(len(flight.states), bool)
    seen[60:] = False
    spreads = []
    for radar in sensor, rated:
        bound = arc.bound_along(radar, flight, seen, True)[60]
        spreads.append(np.trace(arc.ground_bound(flight.states[60], bound, True, flight.place)))
    known = np.trace(arc.ground_bound(flight.states[60], np.zeros((7, 7)), True, flight.place))
    sure = np.trace(arc.ground_bound(flight.states[60], np.zeros((7, 7)), False, flight.place))
    assert sure == 0.0 < known < spreads[1] < spreads[0]


def test_a_missed_look_costs_what_the_bound_along_a_flight_says(cases: SimpleNamespace) -> None:
    arc = cases.long_arc
    (flight,) = cases.flown_arcs.own_flights(1, 2, 5.0)
    sensor = cases.flown_arcs.radar_abeam(flight, 5.0, None)
    seen = np.ones(40, bool)
    short = cases.flown_arcs.Flight(flight.states[:40], flight.place, flight.fall_s)
    every = arc.bound_along(sensor, short, seen, True)
    some = arc.bound_along(sensor, short, np.arange(40) % 2 == 0, True)
    assert np.isinf(every[0]).all()
    assert (
        np.trace(some[20:, :3, :3], axis1=1, axis2=2) > np.trace(every[20:, :3, :3], axis1=1, axis2=2)
    ).all()


def test_the_arc_is_tracked_from_where_the_radar_sees_it(cases: SimpleNamespace) -> None:
    track, fall = cases.long_arc.arc(2, 0, 5.0, None, False)
    assert track["absent"] == 0
    assert track["whole"]["position_over_bound"] < 2.0
    assert fall["case"] == "arc impact"
    assert fall["inside_90"] >= fall["inside_50"]


def test_a_single_run_is_refused_and_a_case_is_one_json_line_or_more(
    cases: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cases.bounds.main(["--runs", "1"]) == 2
    assert "found 1" in capsys.readouterr().err
    assert cases.bounds.main(["--case", "late", "--runs", "2"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(line["case"] == "late" for line in lines)
    assert {"rmse_over_bound", "nees"} <= set(lines[0])
