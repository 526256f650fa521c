"""Scenario files: what is wrong is said in one sentence: file, key, what was found and what was wanted."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from jointwatch.exercise.scenario import load_scenario
from jointwatch.records import BadInput
from jointwatch.warning.zone_files import load_areas

SHIPPED = Path(__file__).parents[2] / "scenarios" / "two-partners.toml"
TEXT = SHIPPED.read_text(encoding="utf-8")

THIRD = """[[partners]]
name = "Green"
sites = [{ name = "Moor", latitude_deg = 25.3, longitude_deg = 51.3, radius_m = 1500, shelter_s = 60 }]

[[territories]]"""


def test_the_shipped_exercise_is_what_it_says():
    scenario = load_scenario(SHIPPED)
    counts = {raid.name: (raid.object_class, raid.count) for raid in scenario.raids}
    assert counts["salvo"] == ("medium_range", 30)
    assert counts["border"] == ("artillery_rocket", 20)
    assert counts["third"] == ("heavy_rocket", 4)
    assert sum(route.count for route in scenario.aircraft.routes) == 15
    assert [s.partner for s in scenario.sensors] == ["Amber"] * 3 + ["Blue"] * 2
    assert all(s.detection == 0.9 and s.clutter_per_scan == 100.0 for s in scenario.sensors)
    assert len(scenario.link.cuts) == 1
    assert len(scenario.zones("Amber")) == 1422
    assert len(scenario.zones("Blue")) == 13
    assert [p.languages for p in scenario.partners] == [("he-IL", "ar", "en-US"), ("ar", "en-US")]


def test_sensors_come_in_radians():
    sensor = load_scenario(SHIPPED).sensor_records()[0]
    assert sensor.latitude_rad == pytest.approx(math.radians(32.9))
    assert sensor.sigma_azimuth_rad == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("title =", "tittle =", ["scenario.tittle", "unknown"]),
        (
            "period_s = 5\n",
            'period_s = 5\nmeasures = ["range"]\n',
            ["sensors[0].measures", "azimuth"],
        ),
        ("period_s = 5\n", 'period_s = 5\nmeasures = ["azimuth", "colour"]\n', ["sensors[0].measures[1]"]),
        ("period_s = 5\n", "period_s = 5\ntilt_east_mrad = 90\n", ["sensors[0].tilt_east_mrad", "50 mrad"]),
        ("period_s = 5\n", "period_s = 5\nrefractivity = 900\n", ["sensors[0].refractivity"]),
        ("launches_per_day = 0.2", "launches_per_day = -1", ["tracking.launch_grounds[0].launches_per_day"]),
        ("false_tracks_per_day = 0.001", "false_tracks_per_day = 0", ["tracking.false_tracks_per_day"]),
        ("sigma_range_m = 40", "sigma_range_m = -40", ["sensors[0].sigma_range_m", "-40", "> 0"]),
        ("sigma_range_m = 30", 'sigma_range_m = "far"', ["sensors[2].sigma_range_m", "far", "a number"]),
        ("height_m = 900", "height_m = -6.3e6", ["sensors[0].height_m", "-6300000", "ellipsoid"]),
        ("latitude_deg = 32.9\n", "latitude_deg = 132.9\n", ["sensors[0].latitude_deg", "132.9", "90"]),
        ('"he-IL", "ar"', '"he-IL", "xx"', ["partners[0].languages", "xx", "en-US, he-IL, ar"]),
        ('"he-IL", "ar"', '"ar", "ar"', ["partners[0].languages", "ar", "each language once"]),
        ('zones = "areas"', 'zones = "nowhere.geojson"', ["partners[0].zones", "nowhere.geojson", "exists"]),
        (
            'partner = "Blue"\nlatitude',
            'partner = "Green"\nlatitude',
            ["sensors[3].partner", "Green", "Blue"],
        ),
        ("period_s = 5\n", "", ["sensors[0].period_s", "nothing"]),
        ("duration_s = 850", "duration_s = [", ["TOML"]),
        ("break_up = 4", "break_up = 30", ["raids[0].break_up", "30"]),
        ("to_s = 390", "to_s = 300", ["link.cuts[0].to_s", "300", "330"]),
        (":00Z\n", ":00\n", ["scenario.start", "timezone"]),
        ('"medium_range"', '"long_range"', ["raids[0].object_class", "long_range"]),
        ('name = "two-partners"', 'name = "../../x"', ["scenario.name", "found ../../x"]),
        ('name = "two-partners"', 'name = ".x"', ["scenario.name", "found .x"]),
        ('name = "two-partners"', 'name = "x\\n"', ["scenario.name"]),
        ('name = "Amber"', 'name = "a/b"', ["partners[0].name", "a/b"]),
        ('name = "amber-rocket"', 'name = "a\\\\b"', ["sensors[2].name"]),
        (
            "range_max_m = 100e3",
            "range_max_m = inf",
            ["sensors[2].range_max_m: found inf", "a finite number"],
        ),
        ("[link]", "[policy]\nreserve_s = nan\n[link]", ["policy.reserve_s: found nan", "a finite number"]),
        ("duration_s = 850", "duration_s = 86401", ["scenario.duration_s", "86401", "86400"]),
        ("duration_s = 850", "duration_s = 1" + "0" * 400, ["scenario.duration_s", "64 bits"]),
        ("period_s = 5\n", "period_s = 0.01\n", ["sensors[0].period_s", "0.01", "0.05"]),
        ("clutter_per_scan = 100", "clutter_per_scan = 2e5", ["sensors[0].clutter_per_scan", "100000"]),
        ("range_max_m = 500e3", "range_max_m = 2e7", ["sensors[0].range_max_m", "1e+07"]),
        ("sigma_range_m = 40", "sigma_range_m = 1e-9", ["sensors[0].sigma_range_m", "1e-06"]),
        ("2026-01-05", "1969-01-05", ["scenario.start", "1969", "1970"]),
        ("2026-01-05", "2200-01-05", ["scenario.start", "2200-01-05", "2199"]),
        ("radius_m = 25e3", "radius_m = 2e6", ["raids[0].area.radius_m", "2000000"]),
        ("shelter_s = 60", "shelter_s = 1e5", ["partners[1].sites[0].shelter_s", "86400"]),
        ("interval_s = 4", "interval_s = 1e5", ["raids[0].interval_s", "86400"]),
        ("Indigo Flats", "Marble Bay", ["partners[1].sites[3].name", "Marble Bay"]),
        (
            '"space_launch"',
            '"balloon"',
            ["announced[0].object_class", "balloon", "medium_range_two_stage, space_launch"],
        ),
        (', zones = ["Scarlet Pier"]', "", ["raids[2].falls[0].zones", "no zone", "one zone"]),
        ("[[territories]]", THIRD, ["partners: found 3, wanted two partners"]),
        ("title =", 'path = "x"\ntitle =', ["scenario.path", "unknown"]),
    ],
)
def test_a_wrong_key_is_named_with_what_was_found_and_wanted(tmp_path, old, new, words):
    assert old in TEXT
    path = tmp_path / "exercise.toml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadInput) as error:
        load_scenario(path)
    sentence = str(error.value)
    assert sentence.startswith(str(path)) and "\n" not in sentence
    for word in words:
        assert word in sentence


@pytest.mark.parametrize(
    ("zones", "key", "words"),
    [
        ('zones = "areas"\n', "", ["partners[1].zones", "areas of one partner alone"]),
        ('zones = "z.geojson"\n', "{area}", ["partners[1].zones", "Amber has zone {area}"]),
        ('zones = "z.geojson"\n', "Blue/Marble Bay", ["partners[1].sites[1].name", "this partner has"]),
    ],
)
def test_no_zone_of_one_partner_has_the_key_of_the_other_s(tmp_path, zones, key, words):
    area = load_areas("Amber")[7].key
    place = {"type": "Point", "coordinates": [51.0, 25.0]}
    about = {"key": key.format(area=area), "name": "n", "shelter_s": 30, "radius_m": 100}
    collection = {"type": "FeatureCollection", "features": [{"properties": about, "geometry": place}]}
    (tmp_path / "z.geojson").write_text(json.dumps(collection), encoding="utf-8")
    others = [line for line in TEXT.splitlines() if not line.startswith(("procedure =", "assessment ="))]
    path = tmp_path / "exercise.toml"
    path.write_text(
        "\n".join(others).replace('name = "Blue"\n', f'name = "Blue"\n{zones}', 1), encoding="utf-8"
    )
    with pytest.raises(BadInput) as error:
        load_scenario(path)
    for word in words:
        assert word.format(area=area) in str(error.value)


def test_a_procedure_file_that_is_not_there_is_named(tmp_path):
    others = [line for line in TEXT.splitlines() if not line.startswith(("procedure =", "assessment ="))]
    path = tmp_path / "exercise.toml"
    path.write_text("\n".join(['procedure = "none.toml"', *others]), encoding="utf-8")
    with pytest.raises(BadInput, match=r"procedure: found none\.toml"):
        load_scenario(path)


def test_a_scenario_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"absent\.toml.*scenario file"):
        load_scenario(tmp_path / "absent.toml")


def test_changes_of_a_perturbed_exercise_reach_every_sensor():
    scenario = load_scenario(SHIPPED, {"detection": 0.7, "clutter": 2.0, "azimuth_deg": 20.0, "seed": 9})
    assert all(s.detection == 0.7 and s.clutter_per_scan == 200.0 for s in scenario.sensors)
    assert scenario.rotation_deg == 20.0 and scenario.seed == 9


def test_an_unknown_change_is_refused():
    with pytest.raises(BadInput, match="colour"):
        load_scenario(SHIPPED, {"colour": 1.0})


def test_no_name_in_the_shipped_file_is_a_real_place():
    names = [
        "iran",
        "iraq",
        "israel",
        "leban",
        "syria",
        "saudi",
        "jordan",
        "kuwait",
        "qatar",
        "bahrain",
        "egypt",
    ]
    assert not [n for n in names if n in TEXT.lower()]
