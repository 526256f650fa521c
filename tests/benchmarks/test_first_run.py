"""The benchmark of the bundled exercise: a run's figures, and the medians, worsts and verdicts from them."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def first_run() -> Iterator[ModuleType]:
    path = TESTS.parent / "benchmarks" / "first_run.py"
    spec = importlib.util.spec_from_file_location("first_run", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["first_run"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["first_run"]


@pytest.fixture(scope="module")
def run(first_run: ModuleType) -> dict[str, Any]:
    """One run of the small exercise."""
    found: dict[str, Any] = first_run.measured(str(TESTS / "small.toml"), "base", 3)
    assert "error" not in found, found
    return found


def verdict(
    first_run: ModuleType, runs: list[Any], word: str, base: list[Any] | None = None
) -> dict[str, Any]:
    (line,) = [v for v in first_run.verdicts("base", runs, base or []) if word in v["figure"]]
    return line


def test_a_run_is_measured_by_everything_that_is_judged(first_run: ModuleType, run: dict[str, Any]) -> None:
    assert set(first_run.MEASURES) <= run.keys()
    assert {f.measure for f in first_run.FIGURES} <= set(first_run.MEASURES)
    assert run["struck"] == run["feasible"] > 0
    assert run["in_time"] + run["late"] + run["missed"] == run["feasible"]
    assert run["told_per_struck"] == run["told"] / run["struck"]
    assert set(run["alone"]) == {"amber", "blue"}
    assert set(run["impact_pairs_m"]) == {"amber", "blue", "amber then", "blue then"}
    json.dumps(run, allow_nan=False)


def test_a_run_that_breaks_is_told_and_costs_no_other(first_run: ModuleType, monkeypatch: Any) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(first_run, "play", broken)
    found = first_run.measured(str(TESTS / "small.toml"), "base", 3)
    assert found == {"exercise": "base", "seed": 3, "error": "ZeroDivisionError: by zero"}


@pytest.mark.parametrize(
    ("measure", "values", "median", "worst"),
    [
        ("in_time_share", [1.0, 0.9, 0.98], 0.98, 0.9),
        ("needless", [3, 40, 5], 5.0, 40.0),
        ("impact_coverage_90", [0.95, 0.99, 0.8], 0.95, 0.8),
        ("lead_gained_s", [10.0, None, 20.0], 15.0, 10.0),
    ],
)
def test_worst_is_what_is_worst_for_the_measure(
    first_run: ModuleType, measure: str, values: list[Any], median: float, worst: float
) -> None:
    runs = [{measure: v} for v in values]
    assert first_run.median_and_worst(runs, measure) == (pytest.approx(median), pytest.approx(worst))


def test_what_must_hold_in_every_run_is_judged_by_the_worst(
    first_run: ModuleType, run: dict[str, Any]
) -> None:
    runs = [run | {"unfounded_alerts": n} for n in (0, 0, 1)]
    line = verdict(first_run, runs, "clutter or aircraft")
    assert (line["median"], line["worst"], line["met"]) == (0.0, 1.0, False)
    runs = [run | {"in_time_share": s} for s in (1.0, 0.99, 0.5)]
    line = verdict(first_run, runs, "warned in time")
    assert (line["median"], line["worst"], line["met"]) == (0.99, 0.5, True)


def test_a_perturbed_figure_may_be_a_tenth_worse(first_run: ModuleType, run: dict[str, Any]) -> None:
    base = [run | {"told_per_struck": 10.0, "in_time_share": 1.0}]
    for told, share, held in ((10.9, 0.92, True), (11.1, 0.90, False), (5.0, 1.0, True)):
        runs = [run | {"told_per_struck": told, "in_time_share": share}]
        for word in ("told to take shelter", "warned in time"):
            assert verdict(first_run, runs, word, base)["within_10_percent"] is held


def test_falls_are_compared_on_the_objects_of_all_runs_together(
    first_run: ModuleType, run: dict[str, Any]
) -> None:
    # one run worse by a half, one better by a half: in the pool, errors of 200 m against 200 m
    worse = {"amber": [(300.0, 200.0)] * 10, "blue": []}
    better = {"amber": [(100.0, 200.0)] * 90, "blue": []}
    line = verdict(first_run, [run | {"impact_pairs_m": p} for p in (worse, better)], "amber alone")
    assert (line["objects"], line["worst"], line["median"]) == (100, 1.5, 1.0)
    assert line["pooled"] == pytest.approx(0.6, abs=0.1)  # nine tenths of the pool lie at 100 m
    assert line["met"] is True


def test_runs_that_were_kept_are_judged_without_being_played(
    first_run: ModuleType, run: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "runs.jsonl"
    lines = [run | {"seed": seed} for seed in (1, 2)] + [{"exercise": "base", "seed": 3, "error": "E: e"}]
    kept.write_text("".join(json.dumps(r) + "\n" for r in lines), encoding="utf-8")
    assert first_run.main(["--read", str(kept)]) == 1  # one run had broken
    out = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert out[0]["exercise"] == "base" and out[0]["runs"] == 2
    assert sum("figure" in line for line in out) >= len(first_run.FIGURES)
    assert out[-1]["failed"] == [["base", 3]]


def test_a_scenario_that_is_not_there_is_refused_before_anything_is_played(
    first_run: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert first_run.main(["--scenario", "nowhere.toml"]) == 2
    said = capsys.readouterr()
    assert "nowhere.toml" in said.err and said.out == ""
