"""The exercise's truth: all falls where it was meant to, one missile breaks up, the launcher stays up."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from jointwatch.earth.frames import ecef2geodetic
from jointwatch.earth.geoid import geoid_height
from jointwatch.exercise.ascent import perigee_m
from jointwatch.exercise.classes import CLASSES
from jointwatch.exercise.flights import bearing_distance
from jointwatch.exercise.scenario import load_scenario
from jointwatch.exercise.truth import Truth, make_truth
from jointwatch.records import BadInput

SHIPPED = Path(__file__).parents[2] / "scenarios" / "two-partners.toml"
# a small exercise of the same kind: quick, and free to be wrong
SMALL = """
[scenario]
name = "small"
title = "four rockets"
start = 2030-01-01T00:00:00Z
duration_s = 60
seed = 3
[[partners]]
name = "Amber"
sites = [
  { name = "A", latitude_deg = 30.10, longitude_deg = 40.00, radius_m = 500, shelter_s = 15 },
  { name = "B", latitude_deg = 30.12, longitude_deg = 40.05, radius_m = 500, shelter_s = 15 },
]
[[sensors]]
name = "radar"
partner = "Amber"
latitude_deg = 30.1
longitude_deg = 40.0
height_m = 100
range_max_m = 100e3
elevation_min_deg = 0.3
elevation_max_deg = 80
sigma_range_m = 30
sigma_azimuth_mrad = 1
sigma_elevation_mrad = 1
sigma_range_rate_ms = 3
period_s = 2
sectors = 8
detection = 0.9
clutter_per_scan = 20
[[raids]]
name = "raid"
object_class = "artillery_rocket"
area = { latitude_deg = 30.0, longitude_deg = 40.0, radius_m = 500 }
start_s = 5
interval_s = 2
falls = [{ partner = "Amber", count = 2 }]
"""


def small(tmp_path, old="", new=""):
    path = tmp_path / "small.toml"
    path.write_text(SMALL.replace(old, new, 1) if old else SMALL, encoding="utf-8")
    return load_scenario(path)


def digest(truth: Truth) -> str:
    parts = [o.samples.tobytes() + o.times_s.tobytes() + o.name.encode() for o in truth.objects]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def of_class(truth, name):
    return [o for o in truth.objects if o.object_class == name]


def test_everything_asked_for_flies(truth):
    counts = {name: len(of_class(truth, name)) for name in ("medium_range", "artillery_rocket", "aircraft")}
    assert counts == {"medium_range": 30, "artillery_rocket": 20, "aircraft": 15}
    assert len([o for o in truth.objects if o.raid == "third"]) == 4
    assert len({o.name for o in truth.objects}) == len(truth.objects)


def test_what_falls_falls_near_the_zone_it_was_meant_for(scenario, truth):
    zones = {z.key: z for p in ("Amber", "Blue") for z in scenario.zones(p)}
    fallen = [o for o in truth.objects if o.aim is not None and o.end == "impact"]
    assert len(fallen) == 54
    for o in fallen:
        at = np.radians(
            [zones[o.aim].latitude_deg, zones[o.aim].longitude_deg, o.fall_lat_deg, o.fall_lon_deg]
        )
        assert bearing_distance(*at)[1] < 700.0, o.name
        assert o.danger_radius_m == CLASSES[o.object_class].danger_radius_m


def test_an_impact_is_at_sea_level_and_at_the_stated_place(truth):
    for o in truth.objects:
        if o.end == "impact":
            position, _ = o.state_at(o.end_ns)
            latitude, longitude, height = ecef2geodetic(*position)
            assert abs(height - geoid_height(latitude, longitude)) < 1.0
            assert np.degrees([latitude, longitude]) == pytest.approx(
                [o.fall_lat_deg, o.fall_lon_deg], abs=1e-6
            )


def test_the_medium_range_flights_take_about_as_long_as_their_kind(truth):
    for o in of_class(truth, "medium_range"):
        flown = (o.end_ns - o.launch_ns) * 1e-9
        assert 450.0 < flown < 660.0


def test_the_missile_that_breaks_up_ends_above_the_air_and_its_fragments_fall_short(scenario, truth):
    (parent,) = [o for o in truth.objects if o.end == "breakup"]
    assert parent.fall_lat_deg is None and parent.aim in {z.key for z in scenario.zones("Amber")}
    position, velocity = parent.state_at(parent.end_ns)
    assert ecef2geodetic(*position)[2] > 90e3
    fragments = of_class(truth, "fragment")
    assert len(fragments) == 5
    zone = next(z for z in scenario.zones("Amber") if z.key == parent.aim)
    for o in fragments:
        assert o.parent == parent.name and o.danger_radius_m == 0.0 and o.launch_ns == parent.end_ns
        begin, slower = o.state_at(o.launch_ns)
        assert np.linalg.norm(begin - position) < 1.0
        change = slower - velocity
        assert 190.0 < -change @ velocity / np.linalg.norm(velocity) < 410.0
        at = np.radians([zone.latitude_deg, zone.longitude_deg, o.fall_lat_deg, o.fall_lon_deg])
        assert 15e3 < bearing_distance(*at)[1] < 60e3


def test_what_burns_says_when_and_how_hard_and_nothing_else_burns(truth):
    for o in truth.objects:
        if o.object_class == "aircraft" or o.parent is not None:
            assert o.burn_s == () and o.thrust_at(o.launch_ns + 10**9) == 0.0
            continue
        assert len(o.burn_s) == len(o.thrust_n) == (2 if o.object_class == "space_launch" else 1)
        assert o.burn_s[0][0] == 0.0 and all(a < b for a, b in o.burn_s)
        out_ns = o.launch_ns + round(o.burn_s[-1][1] * 1e9)
        assert o.thrust_at(out_ns - 10**6) == o.thrust_n[-1] and o.thrust_at(out_ns + 10**6) == 0.0
        if o.object_class in ("medium_range", "space_launch"):
            # a motor near its end pulls by several g, and 2 s later nothing does but weight
            gained = [np.linalg.norm(o.state_at(out_ns + d)[1]) for d in (-(10**9), 0, 10**9)]
            assert gained[1] - gained[0] > 15.0 > 12.0 > abs(gained[2] - gained[1])


def test_a_raid_of_two_stages_falls_where_it_was_aimed_and_burns_one_after_the_other(tmp_path):
    text = (SHIPPED.read_text(encoding="utf-8")).replace('"medium_range"', '"medium_range_two_stage"', 1)
    text = (
        text.replace("count = 18,", "count = 3,")
        .replace("count = 12,", "count = 2,")
        .replace("[600, 1300]", "[900, 1300]")
    )
    for name in ("procedure.toml", "assessment.toml"):
        text = text.replace(f'"{name}"', f'"{SHIPPED.parent / name}"')
    path = tmp_path / "two-stage.toml"
    path.write_text(text, encoding="utf-8")
    scenario = load_scenario(path)
    salvo = of_class(make_truth(scenario, 1), "medium_range_two_stage")
    zones = {z.key: z for p in ("Amber", "Blue") for z in scenario.zones(p)}
    assert len(salvo) == 5
    for o in salvo:
        (begin, first), (second, end) = o.burn_s
        assert begin == 0.0 and first == second and end == pytest.approx(2.0 * first)
        assert o.thrust_n[0] > 2.0 * o.thrust_n[1] > 0.0
        if o.end == "impact":
            zone = zones[o.aim]
            at = np.radians([zone.latitude_deg, zone.longitude_deg, o.fall_lat_deg, o.fall_lon_deg])
            assert bearing_distance(*at)[1] < 700.0


def test_the_space_launch_reaches_an_orbit_and_never_comes_down(scenario, truth):
    (launcher,) = of_class(truth, "space_launch")
    assert launcher.end == "orbit" and launcher.fall_lat_deg is None
    position, velocity = launcher.state_at(launcher.launch_ns + 500 * 10**9)
    assert perigee_m(position, velocity) > 200e3
    position, velocity = launcher.state_at(launcher.launch_ns + 250 * 10**9)
    assert perigee_m(position, velocity) < 80e3  # still thrusting


def test_aircraft_cruise_level_and_steady(truth):
    for o in of_class(truth, "aircraft"):
        for seconds in range(0, 770, 50):
            position, velocity = o.state_at(truth.start_ns + seconds * 10**9)
            assert 8.99e3 < ecef2geodetic(*position)[2] < 12.01e3
            assert 219.0 < np.linalg.norm(velocity) < 251.0


def test_positions_and_velocities_of_the_batch_are_those_of_the_objects(truth):
    for seconds in (100.0, 333.3, 600.0):
        time_ns = truth.start_ns + round(seconds * 1e9)
        index, positions, velocities = truth.states_at(time_ns)
        flying = [i for i, o in enumerate(truth.objects) if o.launch_ns <= time_ns < o.end_ns]
        assert index.tolist() == flying
        for j, i in enumerate(index):
            position, velocity = truth.objects[i].state_at(time_ns)
            assert np.allclose(position, positions[j], atol=1e-3)
            assert np.allclose(velocity, velocities[j], atol=1e-4)


def test_velocity_is_the_rate_of_position(truth):
    for o in truth.objects[::7]:
        middle = (o.launch_ns + o.end_ns) // 2
        before, _ = o.state_at(middle - 10**7)
        after, _ = o.state_at(middle + 10**7)
        assert np.allclose((after - before) / 0.02, o.state_at(middle)[1], atol=0.5)


def test_same_seed_same_truth_and_another_seed_another(tmp_path):
    scenario = small(tmp_path)
    assert digest(make_truth(scenario, 3)) == digest(make_truth(scenario, 3))
    assert digest(make_truth(scenario, 3)) != digest(make_truth(scenario, 4))


def test_sensors_settings_do_not_change_the_truth(tmp_path):
    scenario = small(tmp_path)
    weaker = load_scenario(scenario.path, {"detection": 0.5, "clutter": 3.0})
    assert digest(make_truth(scenario, 3)) == digest(make_truth(weaker, 3))


def test_a_turned_raid_comes_from_a_turned_area_and_still_falls_on_its_zones(tmp_path):
    scenario = small(tmp_path)
    plain = make_truth(scenario, 3)
    turned = make_truth(load_scenario(scenario.path, {"azimuth_deg": 20.0}), 3)
    mean = np.radians([30.11, 40.025])

    def bearing(truth):
        starts = [ecef2geodetic(*o.samples[0, :3])[:2] for o in truth.objects]
        return float(bearing_distance(*mean, *np.mean(starts, axis=0))[0])

    assert np.degrees(bearing(turned) - bearing(plain)) % 360.0 == pytest.approx(20.0, abs=2.0)
    for a, b in zip(plain.objects, turned.objects, strict=True):
        assert (a.fall_lat_deg, a.fall_lon_deg) == pytest.approx((b.fall_lat_deg, b.fall_lon_deg), abs=2e-3)


def test_a_fall_out_of_the_classs_reach_is_refused(tmp_path):
    scenario = small(
        tmp_path, "latitude_deg = 30.0, longitude_deg = 40.0", "latitude_deg = 29.5, longitude_deg = 40.0"
    )
    with pytest.raises(BadInput, match=r"raids\[0\]\.falls: found falls .* km"):
        make_truth(scenario, 3)


def test_more_falls_than_zones_are_refused(tmp_path):
    with pytest.raises(BadInput, match=r"raids\[0\]\.falls\[0\]\.count: found 3"):
        make_truth(small(tmp_path, "count = 2", "count = 3"), 3)


def test_falls_on_an_unknown_zone_are_refused(tmp_path):
    with pytest.raises(BadInput, match=r"raids\[0\]\.falls\[0\]\.zones: found Z"):
        make_truth(small(tmp_path, "count = 2", 'count = 1, zones = ["Z"]'), 3)
