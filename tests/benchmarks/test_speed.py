"""The benchmarks of speed: their inputs, the floor that they stand on, what is flagged, and the figure."""

from __future__ import annotations

import importlib
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

FOLDER = Path(__file__).parents[2] / "benchmarks"
NAMES = (
    "bare_ekf",
    "calibration",
    "cost_figure",
    "earth_objects",
    "easy_inputs",
    "hard_inputs",
    "latency",
    "regression",
    "speed",
    "versus_stonesoup",
)


@pytest.fixture(scope="module")
def bench() -> Iterator[dict[str, ModuleType]]:
    before = set(sys.modules)
    sys.path.insert(0, str(FOLDER))
    yield {name: importlib.import_module(name) for name in NAMES}
    sys.path.remove(str(FOLDER))
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(FOLDER)):
            del sys.modules[name]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(bench: dict[str, ModuleType]) -> None:
    easy = bench["easy_inputs"].easy_input
    one, again, other = easy(10, 3), easy(10, 3), easy(10, 4)
    for field in fields(one):
        mine, same = getattr(one, field.name), getattr(again, field.name)
        assert mine.tobytes() == same.tobytes() if isinstance(mine, np.ndarray) else mine == same
    assert one.truth.tobytes() != other.truth.tobytes() and one.z.tobytes() != other.z.tobytes()


def test_an_easy_input_falls_freely_and_is_seen_as_stated(bench: dict[str, ModuleType]) -> None:
    data = bench["easy_inputs"].easy_input(200, 1)
    assert data.truth.shape == (30, 200, 6)
    fallen = np.diff(data.truth[:, :, 3:], axis=0)
    assert fallen == pytest.approx(np.broadcast_to([0.0, 0.0, -9.80665], fallen.shape), abs=1e-6)
    moved = np.diff(data.truth[:, :, :3], axis=0)
    middle = 0.5 * (data.truth[1:, :, 3:] + data.truth[:-1, :, 3:])
    assert moved == pytest.approx(middle, abs=1e-6)
    own = data.origin >= 0
    assert own.sum() == pytest.approx(0.9 * 30 * 200, rel=0.03)
    assert (~own).sum() == pytest.approx(30 * 200, rel=0.05)
    true = np.array(
        [
            bench["hard_inputs"].seen_from_origin(data.truth[k, [who], :3])[0]
            for k, who in zip(data.scan[own], data.origin[own], strict=True)
        ]
    )
    off = (data.z[own] - true) / data.sigma
    assert off.std(axis=0) == pytest.approx(1.0, abs=0.05)
    assert abs(off.mean()) < 0.05


def test_over_the_earth_it_begins_at_the_same_places_and_is_seen_where_it_is(
    bench: dict[str, ModuleType],
) -> None:
    versus, easy = bench["versus_stonesoup"], bench["easy_inputs"]
    data = easy.easy_input(20, 2, scans=8)
    sensor = versus.on_the_earth(versus.radar_for(data))
    earth, local = easy.over_the_earth(data, sensor, 2)
    assert local.truth[0] == pytest.approx(data.truth[0], abs=1e-6)
    # by the turning of the Earth and the weaker gravity aloft it is elsewhere after seven seconds, not far
    apart = np.linalg.norm(local.truth[7, :, :3] - data.truth[7, :, :3], axis=1)
    assert 0.1 < apart.min() and apart.max() < 100.0
    own = earth.origin >= 0
    true = np.array(
        [
            bench["hard_inputs"].seen_from_origin(local.truth[k, [who], :3])[0]
            for k, who in zip(earth.scan[own], earth.origin[own], strict=True)
        ]
    )
    assert np.abs((earth.z[own] - true) / earth.sigma).max() < 5.0


def test_the_floor_is_as_near_to_the_truth_as_a_textbook_filter(bench: dict[str, ModuleType]) -> None:
    """Target by target, with whole matrices and no batches: the same numbers."""
    data = bench["easy_inputs"].easy_input(6, 5, scans=12)
    said = bench["bare_ekf"].bare(data)
    noise = bench["hard_inputs"].NOISE
    move = np.eye(6) + np.diag([data.dt] * 3, 3)
    q = noise * np.kron([[data.dt**3 / 3, data.dt**2 / 2], [data.dt**2 / 2, data.dt]], np.eye(3))
    seen = bench["hard_inputs"].seen_from_origin
    for target in range(6):
        state, covariance, begun = np.zeros(6), np.zeros((6, 6)), False
        for k in range(12):
            if begun and k:
                state = move @ state
                state[2] -= 0.5 * 9.80665 * data.dt**2
                state[5] -= 9.80665 * data.dt
                covariance = move @ covariance @ move.T + q
            plots = data.z[(data.scan == k) & (data.origin == target)]
            for z in plots:
                if not begun:
                    c = z[2] * np.cos(z[0])
                    state[:3] = c * np.cos(z[1]), c * np.sin(z[1]), z[2] * np.sin(z[0])
                h = np.zeros((3, 6))
                for i in range(3):  # central differences
                    step = np.zeros(3)
                    step[i] = 1.0
                    h[:, i] = 0.5 * (seen((state[:3] + step)[None]) - seen((state[:3] - step)[None]))[0]
                if not begun:
                    back = np.linalg.inv(h[:, :3])
                    covariance[:3, :3] = back @ np.diag(data.sigma**2) @ back.T
                    covariance[3:, 3:] = 1500.0**2 * np.eye(3)
                    begun = True
                    continue
                gain = covariance @ h.T @ np.linalg.inv(h @ covariance @ h.T + np.diag(data.sigma**2))
                state = state + gain @ (z - seen(state[None, :3])[0])
                covariance = covariance - gain @ h @ covariance
            if begun:
                place = said.where[k][said.who[k].index(target)]
                assert place == pytest.approx(state[:3], abs=0.1)


def test_every_target_that_was_seen_is_told_and_scored_as_its_floor_is(bench: dict[str, ModuleType]) -> None:
    versus = bench["versus_stonesoup"]
    data = bench["easy_inputs"].easy_input(10, 1)
    found = {case.name: versus.accuracy(case.data, case.follow()) for case in versus.cases(data, 1)}
    assert set(found) == {"one motion", "product", "bare numpy"}
    for scores in found.values():
        assert scores["missed_mean"] == scores["false_mean"] == 0.0
        # ten targets: what GOSPA is made of when nothing is missed or false
        assert scores["gospa_m"] == pytest.approx(np.sqrt(10.0) * scores["pos_rmse_m"], rel=0.05)


def test_how_many_times_faster_is_of_medians_and_the_worst_of_the_extremes(
    bench: dict[str, ModuleType],
) -> None:
    estimates = bench["hard_inputs"].Estimates
    fast = [estimates([], [], [9.0] * 5 + [s] * 4) for s in (0.001, 0.002, 0.004)]
    slow = [estimates([], [], [9.0] * 5 + [s] * 4) for s in (0.1, 0.2, 0.8)]
    assert bench["versus_stonesoup"].times(fast, slow) == (100.0, 25.0)


def test_a_worsened_figure_is_flagged_and_an_equal_one_is_not_on_a_slower_machine(
    bench: dict[str, ModuleType],
) -> None:
    room = bench["regression"]
    then = {"a": room.Figure(10.0, 200.0), "b": room.Figure(1.0, 200.0), "gone": room.Figure(1.0, 200.0)}
    # the machine takes twice as long for everything; b became twice as slow besides
    now = {"a": room.Figure(20.0, 400.0), "b": room.Figure(4.0, 400.0), "new": room.Figure(1.0, 400.0)}
    lines = {line["figure"]: line for line in room.compared(then, now, 1.5)}
    assert lines["a"]["ratio"] == 1.0 and not lines["a"]["worse"]
    assert lines["b"]["ratio"] == 2.0 and lines["b"]["worse"]
    assert lines["gone"]["worse"] and not lines["new"]["worse"]
    assert not room.compared(then, {**then, "b": room.Figure(1.4, 200.0)}, 1.5)[1]["worse"]


def test_figures_are_read_as_they_were_written(bench: dict[str, ModuleType], tmp_path: Path) -> None:
    room = bench["regression"]
    versus = {"benchmark": "versus", "configuration": "product", "n": 10, "calibration_ms": 200.0}
    latency = {"benchmark": "latency", "stage": "picture", "calibration_ms": 210.0}
    scaling = {"benchmark": "scaling", "layout": "sites", "configuration": "product", "n": 1000}
    lines: list[dict[str, Any]] = [{**versus, "ms_per_scan": ms} for ms in (1.0, 5.0, 2.0)]
    lines += [
        {**latency, "n": 100, "p50_ms": 7.0},
        {**latency, "n": 10000, "unfinished_after_s": 9.0},
        {**scaling, "ms_per_scan": 40.0, "calibration_ms": 190.0},
    ]
    figures = room.figures_of(lines)
    assert figures == {
        "versus, product, n 10": room.Figure(2.0, 200.0),
        "latency, picture, n 100": room.Figure(7.0, 210.0),
        "scaling, sites, product, n 1000": room.Figure(40.0, 190.0),
    }
    room.write_figures(tmp_path / "figures.jsonl", figures, "abc")
    assert room.read_figures(tmp_path / "figures.jsonl") == figures
    assert room.read_figures(tmp_path / "none.jsonl") == {}


def test_the_committed_figures_can_be_read(bench: dict[str, ModuleType]) -> None:
    figures = bench["regression"].read_figures(bench["regression"].FIGURES)
    assert {name.split(",")[0] for name in figures} >= {"versus", "latency"}
    assert all(f.ms > 0.0 and f.calibration_ms > 0.0 for f in figures.values())


def test_the_figure_has_every_series_where_its_numbers_are(bench: dict[str, ModuleType]) -> None:
    room = bench["cost_figure"]
    versus = [
        {"n": n, "configuration": "one motion", "ms_per_scan": 0.01 * n, "peer": {"ms_per_scan": 7.0 * n}}
        for n in (10, 100)
    ]
    scaling = [{"n": n, "layout": "sites", "ms_per_scan": 0.1 * n} for n in (1000, 10000)]
    series = room.series_of(versus, scaling)
    assert [(s.label, s.points) for s in series] == [
        ("Stone Soup 1.9.1", ((10.0, 70.0), (100.0, 700.0))),
        ("ours, one motion", ((10.0, 0.1), (100.0, 1.0))),
        ("ours, product, many radars", ((1000.0, 100.0), (10000.0, 1000.0))),
    ]
    drawn = ET.fromstring(room.cost_figure(series, "a day & a machine"))
    circles = drawn.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 6
    # a decade is as long everywhere: the peer's and ours' two points lie as far apart
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = (
        (float(c.attrib["cx"]), float(c.attrib["cy"])) for c in circles[:4]
    )
    assert (x1 - x0, y0 - y1) == pytest.approx((x3 - x2, y2 - y3), abs=0.2)
    assert x0 == x2 and y0 < y2  # what costs more is higher up
    assert "prefers-color-scheme: dark" in (drawn.find("{http://www.w3.org/2000/svg}style").text or "")  # type: ignore[union-attr]


def test_n_log_n_through_a_point(bench: dict[str, ModuleType]) -> None:
    points = bench["cost_figure"].n_log_n((100.0, 2.0), 10000.0)
    assert points[0] == pytest.approx((100.0, 2.0))
    assert points[-1] == pytest.approx((10000.0, 400.0))  # a hundred times the tracks, twice the logarithm


def test_a_raid_s_sectors_hold_its_objects_and_a_node_follows_them(bench: dict[str, ModuleType]) -> None:
    room = bench["latency"]
    sensors = room.radars(2, 10.0)
    made = list(room.sectors(sensors, 20, 2, 1))
    assert len(made) == 2 * 2 * 8
    assert [s.header.measured_ns for s in made] == sorted({s.header.measured_ns for s in made})
    plots = sum(len(s.range_m) for s in made)
    assert plots == pytest.approx(2 * (20 + 20), rel=0.35)
    again = list(room.sectors(sensors, 20, 2, 1))
    assert made == again
    picture, step = room.raid(12, 5, 2, 1, 1e9)
    assert picture["tracks"] >= 10 and picture["sectors"] == 16
    assert picture["p50_ms"] <= step["p50_ms"] and step["p99_ms"] <= step["worst_ms"]
    assert "unfinished_after_s" not in picture


def test_a_raid_that_takes_too_long_is_cut_short_and_says_so(bench: dict[str, ModuleType]) -> None:
    picture, _ = bench["latency"].raid(12, 5, 2, 1, 1e-9)
    assert picture["scans_done"] < 1.0 and "p50_ms" not in picture
    assert picture["settling_step_p50_ms"] > 0.0


def test_a_node_s_table_is_as_large_as_its_configuration_says(bench: dict[str, ModuleType]) -> None:
    room = bench["latency"]
    node = room.node_for(room.radars(1, 10.0), 10)
    assert len(node.tracker.table) == node.config.capacity == 6 * 10 + 4096
    assert len(type(node)(replace(node.config, capacity=50), node.journal).tracker.table) == 50


def test_the_calibration_kernel_takes_time(bench: dict[str, ModuleType]) -> None:
    assert bench["calibration"].calibration_ms(1) > 0.0
