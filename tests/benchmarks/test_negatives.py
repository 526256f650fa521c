"""Bolides and recorded ascents are rendered as they were recorded, and bolides are not told of as launches.

The tables are not shipped: the tests look for them where JOINTWATCH_DATA says, and are skipped without.
"""

from __future__ import annotations

import importlib
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from jointwatch.earth.frames import ecef2geodetic, enu_rotation
from jointwatch.exercise.infrared import motor_intensity
from jointwatch.records import BadInput

DATA = os.environ.get("JOINTWATCH_DATA")
needs_table = pytest.mark.skipif(
    DATA is None or not (Path(DATA) / "cneos-fireballs").is_dir(),
    reason="recorded bolides: JOINTWATCH_DATA names no folder with cneos-fireballs",
)
HEAD = "when,lat,lon,km,km/s,vx,vy,vz,J,kt\n"


@pytest.fixture(scope="module")
def made() -> Iterator[dict[str, ModuleType]]:
    here = str(Path(__file__).parents[2] / "benchmarks")
    sys.path.insert(0, here)
    yield {name: importlib.import_module(name) for name in ("negatives", "negative_objects")}
    sys.path.remove(here)
    for name in ("negatives", "negative_objects", "false_launches"):
        del sys.modules[name]


def bolide(made, latitude=0.5, longitude=1.0, down=10e3, north=6e3):
    """A bolide of 1e11 J at 35 km that comes down and goes north."""
    r = enu_rotation(latitude, longitude)
    velocity = north * r[1] - down * r[2]
    return made["negative_objects"].Bolide(latitude, longitude, 35e3, 1e11, velocity)


def test_without_recordings_it_says_so_and_is_content(made, monkeypatch, capsys):
    monkeypatch.delenv("JOINTWATCH_DATA", raising=False)
    assert made["negatives"].main([]) == 0
    assert capsys.readouterr().out.startswith("negatives skipped")


def test_a_bolides_light_holds_its_energy_and_moves_as_measured(made):
    objects, rng = made["negative_objects"], np.random.default_rng(1)
    light = objects.bolide_light(bolide(made), 0.8, "b", 0, 100.0, rng)
    radiated = 4.0 * math.pi * np.trapezoid(light.light_w_sr, light.light_s)
    assert radiated == pytest.approx(objects.IN_BAND * 1e11, rel=1e-6)
    peak = int(np.argmax(light.light_w_sr))
    assert light.light_s[peak] == pytest.approx(100.0, abs=0.1)
    latitude, longitude, height = ecef2geodetic(*light.samples[peak, :3])
    assert (latitude, longitude, height) == pytest.approx((0.5, 0.8, 35e3), rel=2e-3)
    early = enu_rotation(0.5, 0.8) @ light.samples[5, 3:]
    assert early == pytest.approx([0.0, 6e3, -10e3], abs=200.0)
    assert 2.0 < light.light_s[-1] - light.light_s[0] < 8.0
    # shines by the exercise's rule as bright as it is, and not at all where it is dim
    assert motor_intensity(light.thrust_at(100 * 10**9)) == pytest.approx(light.light_w_sr[peak], rel=0.01)
    assert light.thrust_at(round(light.light_s[-1] * 1e9) + 1) == 0.0


def test_what_was_measured_to_rise_or_not_at_all_is_drawn_to_come_down(made):
    objects, rng = made["negative_objects"], np.random.default_rng(2)
    for one in (bolide(made, down=-10e3), objects.Bolide(0.5, 1.0, 35e3, 1e11, None)):
        draws = [objects.coming_down(one, rng) for _ in range(300)]
        assert not any(d[3] for d in draws) and all(11.2e3 <= d[0] <= 40e3 for d in draws)
        # half of a uniform flux comes down steeper than 45 degrees
        assert np.mean([d[1] > math.sqrt(0.5) for d in draws]) == pytest.approx(0.5, abs=0.1)


def test_a_southern_bolide_is_mirrored_with_its_velocity(made):
    _, down, course, recorded = made["negative_objects"].coming_down(
        bolide(made, latitude=-0.5), np.random.default_rng(3)
    )
    assert (
        recorded and abs(course) == pytest.approx(math.pi) and down == pytest.approx(10 / math.hypot(10, 6))
    )


def test_a_train_lingers_a_minute_and_drifts(made):
    light = made["negative_objects"].train_light(bolide(made), 0.8, "t", 0, 50.0, np.random.default_rng(4))
    way = np.linalg.norm(light.samples[-1, :3] - light.samples[0, :3])
    assert way == pytest.approx(3000.0, rel=0.02) and light.light_s[-1] - light.light_s[0] == 60.0


def test_a_bad_line_of_the_table_is_named(made, tmp_path):
    path = tmp_path / "table.csv"
    good = "2015-12-30 13:07:50,33.8N,160.7W,39.0,,,,,2.2e10,0.079\n"
    path.write_text(HEAD + good + "2015-12-21 02:32:48,5.9N,143.0E,,,,,,8.3e10,0.26\n")
    (one,) = made["negative_objects"].read_bolides(path)  # one without a height is left out
    assert (math.degrees(one.latitude), math.degrees(one.longitude)) == pytest.approx((33.8, -160.7))
    path.write_text(HEAD + good + "2015-12-21 02:32:48,5.9N,143.0E\n")
    with pytest.raises(BadInput, match="line 3"):
        made["negative_objects"].read_bolides(path)


def test_a_flights_burns_are_those_recorded(made):
    burns = made["negative_objects"].ascent_burns
    assert [b[:2] for b in burns({"meco": 150.0, "ses1": 161.0, "seco1": 500.0}, 480.0)] == [
        (0.0, 150.0), (161.0, 480.0),
    ]  # fmt: skip
    back = burns({"meco": 140.0, "boostback_start": 150.0, "boostback_end": 200.0, "entry_start": 390.0,
                  "entry_end": 410.0}, 600.0)  # fmt: skip
    assert [b[:2] for b in back] == [(0.0, 140.0), (150.0, 200.0), (390.0, 410.0)]


@needs_table
def test_bolides_are_not_told_of_as_launches(made):
    line = made["negatives"].skies(Path(str(DATA)), 3, 20.0, 60, False, 8)
    assert line["n"] == 8 and line["scans"] > 250
    assert (line["confirmed"], line["told"], line["clutter_told"]) == (0, 0, 0)
