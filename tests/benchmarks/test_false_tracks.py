"""The benchmark of false tracks: its clutter, its missiles, how it counts and how it judges."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture(scope="module")
def bench() -> Iterator[ModuleType]:
    path = Path(__file__).parents[2] / "benchmarks" / "false_tracks.py"
    spec = importlib.util.spec_from_file_location("false_tracks", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["false_tracks"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["false_tracks"]


def test_clutter_is_spread_evenly_over_the_sector_that_is_looked_at(bench: ModuleType) -> None:
    rng = np.random.default_rng(1)
    sensor = bench.radar(800.0, True)
    looks = [bench.clutter(rng, sensor, 3) for _ in range(200)]
    assert np.mean([len(c) for c in looks]) == pytest.approx(100.0, rel=0.02)
    assert np.var([len(c) for c in looks]) == pytest.approx(100.0, rel=0.35)
    plots = np.concatenate(looks)
    middle = [0.5 * (1e3 + 500e3), 3.5 * math.pi / 4.0, math.radians(40.25), 0.0]
    half = [0.5 * 499e3, math.pi / 8.0, math.radians(39.75), 2000.0]
    scaled = (plots - middle) / half
    assert np.abs(scaled).max() <= 1.0
    assert scaled.mean(axis=0) == pytest.approx(0.0, abs=0.02)
    assert scaled.std(axis=0) == pytest.approx(1.0 / math.sqrt(3.0), abs=0.01)


def test_what_is_not_measured_is_left_out(bench: ModuleType) -> None:
    rng = np.random.default_rng(1)
    sensor = bench.radar(800.0, False)
    assert "range_rate" not in sensor.measures
    assert not bench.clutter(rng, sensor, 0)[:, 3].any()


def test_missiles_rise_far_out_in_every_eighth_and_come_nearer(bench: ModuleType) -> None:
    flown = bench.missiles(8, np.random.default_rng(2))
    eighths = set()
    for i in range(8):
        r, azimuth, _, _ = bench.observe(bench.sensor_row(bench.radar(10.0, True)), *flown.at(i, 0.0))
        assert 290e3 < r < 450e3
        eighths.add(int(azimuth / (math.pi / 4.0)))
        closing = bench.observe(bench.sensor_row(bench.radar(10.0, True)), *flown.at(i, 120.0))[3]
        assert closing < -500.0
    assert eighths == set(range(8))
    assert flown.at(0, -1.0) is None


def test_tracks_of_clutter_are_counted_where_almost_any_chain_is_one(bench: ModuleType) -> None:
    loose = bench.quiet(200.0, False, 1e9, 20, 1)
    strict = bench.quiet(200.0, False, 1.0, 20, 1)
    assert loose.tracks > 0 == strict.tracks
    assert loose.scans == 20 and loose.lost == 0


def test_a_missile_is_confirmed_after_three_plots_at_the_soonest(bench: ModuleType) -> None:
    late = bench.delays(10.0, True, 1.0, 8, 3)
    assert len(late) == 8
    assert min(late) >= 2.0 * bench.SCAN_S - 2.0 * bench.SCAN_S / bench.SECTORS
    assert np.median(late) <= 60.0


def test_a_count_is_judged_by_what_a_poisson_of_the_configured_rate_reaches(bench: ModuleType) -> None:
    assert bench.verdict(6, 3.0, 1.0)["met"]  # P(N <= 6 | 3) = 0.966
    assert not bench.verdict(7, 3.0, 1.0)["met"]
    assert bench.verdict(0, 3.0, 1.0)["rate_upper_per_day"] == pytest.approx(math.log(20.0) / 3.0)


def test_a_missile_never_confirmed_makes_the_delay_endless(bench: ModuleType) -> None:
    figures = bench.delay_figures([20.0] * 8 + [math.inf] * 2)
    assert figures == {"missiles": 10, "delay_median_s": 20.0, "delay_90_s": None, "never_share": 0.2}
