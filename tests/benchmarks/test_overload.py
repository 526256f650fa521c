"""The benchmark of an overloaded node: what shedding is for, on a simulated processor."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture(scope="module")
def bench() -> Iterator[ModuleType]:
    path = Path(__file__).parents[2] / "benchmarks" / "overload.py"
    spec = importlib.util.spec_from_file_location("overload", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["overload"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["overload"]


@pytest.fixture(scope="module")
def lines(bench):
    """A flood of thirty times the usual clutter: without shedding, and with it."""
    return [bench.play(2, 30.0, 20.0, shed) for shed in (False, True)]


def test_shedding_shortens_the_lag_and_loses_no_track(bench, lines):
    without, with_it = lines
    assert without["tracks_before"] >= bench.RAID - 2 and without["limited_s"] == 0.0
    assert with_it["lag_s_worst"] < 0.5 * without["lag_s_worst"]
    assert with_it["alert_late_s"] < without["alert_late_s"]
    assert with_it["limited_s"] > 0.0 and with_it["level_worst"] > 0
    for line in lines:
        assert line["tracks_kept"] == line["tracks_before"] and line["false"] == 0


def test_tracks_that_threaten_a_zone_use_the_plots_that_they_would_use_without(bench, lines):
    without, with_it = lines
    assert with_it["threatening_plots"] == without["threatening_plots"] > 10 * bench.THREATENING
    assert with_it["threatening_used"] == without["threatening_used"]
    assert with_it["others_used"] <= without["others_used"]


def test_a_third_of_the_raid_falls_on_zones_and_work_costs_time(bench):
    flights, zones = bench.raid(np.random.default_rng(3))
    assert len(zones) == bench.THREATENING == sum(f.threatens for f in flights)
    assert (
        bench.cost_s((100, 0, 0))
        < bench.cost_s((1000, 0, 0))
        < bench.cost_s((1000, 500, 0))
        < bench.cost_s((1000, 500, 10))
    )
