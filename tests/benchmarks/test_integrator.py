"""The benchmark of motion: what it prints, and the classical arcs that it flies."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "integrator.py"


@pytest.fixture(scope="module")
def integrator() -> dict[str, Any]:
    return runpy.run_path(str(BENCHMARK))


@pytest.mark.parametrize(
    ("range_km", "speed_kms", "flight_s"),
    [(300, 1.70, 251), (700, 2.55, 391), (1300, 3.40, 549), (2000, 4.11, 702)],
)
def test_minimum_energy_arcs_are_the_classical_ones(
    integrator: dict[str, Any], range_km: float, speed_kms: float, flight_s: float
) -> None:
    speed, _, taken = integrator["minimum_energy"](range_km * 1e3)
    assert speed / 1e3 == pytest.approx(speed_kms, abs=0.006)
    assert taken == pytest.approx(flight_s, abs=1.0)


def test_every_case_is_a_line_and_what_is_wanted_holds(
    integrator: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert integrator["main"]([]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    forces = next(line for line in lines if "states" in line)
    assert forces["states"] == sum(line["case"] == "same forces" for line in lines) - 1
    assert 0.0 < forces["median_m"] < forces["worst_m"] < forces["wanted_m"] == 0.1
    arcs = [line for line in lines if line["case"] != "same forces"]
    assert [(line["range_km"], line["arcs"]) for line in arcs[:2]] == [(1300, 48), (2000, 48)]
    # 20 to 26 m of J3, J4 and C22 over 1,300 km, and not nothing: two fields are compared
    assert 15.0 < arcs[0]["median_m"] < arcs[0]["worst_m"] < 40.0
