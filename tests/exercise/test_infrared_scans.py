"""Simulated infrared: the same seed gives the same scans, and they hold what burns, what stays hot and what
is false as often as was asked, and nothing else."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from jointwatch.earth.frames import ecef2geodetic, height_above_ellipsoid
from jointwatch.exercise.infrared import (
    BOX_DEG,
    GLINT_FASTEST_MS,
    PROCESSING_NS,
    cloud_share,
    motor_intensity,
    simulate_scans,
)
from jointwatch.exercise.scenario import load_scenario
from jointwatch.exercise.truth import Truth
from jointwatch.records import BadInput, encode
from jointwatch.sensing.infrared import (
    across,
    geostationary_site,
    hidden_by_earth,
    lines_of,
    meets_height,
    usable,
    why_refused,
)

SHIPPED = Path(__file__).parents[2] / "scenarios" / "two-partners.toml"
EYES = """
[[satellites]]
name = "amber-eye"
partner = "Amber"
longitude_deg = 10
sigma_urad = 20
period_s = 10
detection = 0.9
cloud_km = 10
clutter_per_scan = {clutter}

[[satellites]]
name = "blue-eye"
partner = "Blue"
longitude_deg = 75
sigma_urad = 30
period_s = 5
detection = {detection}
cloud_km = {cloud}
clutter_per_scan = {clutter}
"""
HOT = """
[[hot_places]]
latitude_deg = 29.0
longitude_deg = 48.0
intensity_kw_sr = 40
share = 0.5
"""


def seen_by(tmp_path, clutter=0.0, cloud=0, detection=1.0, more="", old="", new=""):
    """The shipped exercise with two satellites, and hot places, of its own instead of those it has."""
    text = SHIPPED.read_text(encoding="utf-8")
    begin, end = text.index("# --- Satellites"), text.index("# --- What flies")
    text = text[:begin] + text[end:]
    for name in ("procedure.toml", "assessment.toml"):
        text = text.replace(f'"{name}"', f'"{SHIPPED.parent / name}"')
    eyes = EYES.format(clutter=clutter, cloud=cloud, detection=detection)
    path = tmp_path / "eyes.toml"
    path.write_text(text + (eyes + more).replace(old, new, 1), encoding="utf-8")
    return load_scenario(path)


def burning(truth, time_ns):
    """What burns at a time: (object, its place)."""
    index, positions, _ = truth.states_at(time_ns)
    pairs = [(truth.objects[i], p) for i, p in zip(index.tolist(), positions, strict=True)]
    return [(o, p) for o, p in pairs if o.thrust_at(time_ns) > 0.0]


def across_errors(scan, point):
    """Angles (n, 2) across the line to a point by which a scan's plots are off it."""
    way = point - np.array(scan.site_m)
    along = (way / np.linalg.norm(way))[None]
    first, second = across(along)
    lines = lines_of(scan)
    off = np.column_stack([lines @ first[0], lines @ second[0]])
    return off, lines @ along[0]


def test_same_seed_same_bytes_another_seed_others_in_the_order_they_are_received(tmp_path, truth):
    scenario = seen_by(tmp_path, clutter=3.0, more=HOT)
    scans = list(simulate_scans(scenario, truth, 1))
    assert [encode(s) for s in scans] == [encode(s) for s in simulate_scans(scenario, truth, 1)]
    assert [encode(s) for s in scans] != [encode(s) for s in simulate_scans(scenario, truth, 2)]
    received = [s.received_ns for s in scans]
    assert received == sorted(received) and received[-1] <= scenario.end_ns
    for satellite in scenario.satellite_records():
        own = [s for s in scans if s.sensor == satellite.name]
        assert [s.header.sequence for s in own] == list(range(len(own)))
        assert all(s.received_ns == s.header.measured_ns + PROCESSING_NS for s in own)
        assert all(s.header.originator == satellite.partner for s in own)
        gaps = np.diff([s.header.measured_ns for s in own]) * 1e-9
        assert gaps == pytest.approx(satellite.period_s, abs=1e-8)
        assert own[0].header.measured_ns - scenario.start_ns < satellite.period_s * 1e9
        assert np.array(own[0].site_m) == pytest.approx(geostationary_site(satellite))


def test_every_plot_of_every_scan_can_be_used(tmp_path, truth):
    scenario = seen_by(tmp_path, clutter=5.0, more=HOT)
    declared = {s.name: s for s in scenario.satellite_records()}
    for scan in simulate_scans(scenario, truth, 1):
        assert why_refused(scan, declared) == ""
        found = usable(scan)
        assert not found.unusable and found.repeated == 0
        assert len(found.which) == len(scan.along_x)
        # their order tells nothing
        assert found.which.tolist() == list(range(len(scan.along_x)))


def test_what_burns_in_the_clear_is_seen_with_the_configured_noise_and_nothing_else_is(tmp_path, truth):
    scenario = seen_by(tmp_path)
    errors, plots, motors = [], 0, 0
    for scan in simulate_scans(scenario, truth, 1):
        if scan.sensor != "blue-eye":
            continue
        hot = burning(truth, scan.header.measured_ns)
        motors += len(hot)
        plots += len(scan.along_x)
        owned = np.zeros(len(scan.along_x), bool)
        for _, place in hot:
            off, ahead = across_errors(scan, place)
            near = (np.abs(off) < 6 * 30e-6).all(axis=1) & (ahead > 0.0)
            assert near.any()
            owned |= near
            if near.sum() == 1:
                errors.append(off[near][0] / 30e-6)
        assert owned.all()
    assert plots == motors > 500
    errors = np.array(errors)
    assert np.all(np.abs(errors.mean(axis=0)) < 4.0 / math.sqrt(len(errors)))
    # motors that stand side by side at a launch may take each other's plots, so the spread is a little less
    assert errors.std(axis=0) == pytest.approx(np.ones(2), abs=0.15)


@pytest.mark.parametrize("detection", [0.9, 0.4])
def test_motors_are_detected_as_often_as_was_asked(tmp_path, truth, detection):
    scenario = seen_by(tmp_path, detection=detection)
    scans = [s for s in simulate_scans(scenario, truth, 1) if s.sensor == "blue-eye"]
    motors = sum(len(burning(truth, s.header.measured_ns)) for s in scans)
    seen = sum(len(s.along_x) for s in scans)
    assert abs(seen - detection * motors) < 4.0 * math.sqrt(motors * detection * (1.0 - detection))


def test_clouds_hide_what_burns_below_their_top_and_the_same_ones_over_one_raid(tmp_path, truth):
    clear = list(simulate_scans(seen_by(tmp_path), truth, 1))
    cloudy = list(simulate_scans(seen_by(tmp_path, cloud=10), truth, 1))
    hidden = 0
    for a, b in zip(clear, cloudy, strict=True):
        if a.sensor != "blue-eye":
            assert a == b  # another satellite's clouds change nothing here
            continue
        hot = burning(truth, a.header.measured_ns)
        tops = [10e3 * cloud_share(1, o.raid) for o, _ in hot]
        below = sum(height_above_ellipsoid(*p) <= top for (_, p), top in zip(hot, tops, strict=True))
        assert len(a.along_x) - len(b.along_x) == below
        hidden += below
    assert hidden > 100
    shares = [cloud_share(1, f"raid-{n}") for n in range(400)]
    assert 0.0 <= min(shares) and max(shares) < 1.0 and np.mean(shares) == pytest.approx(0.5, abs=0.06)


def test_clutter_comes_at_its_rate_from_the_box_and_a_fifth_of_it_wanders(tmp_path, scenario):
    nothing = Truth(scenario.start_ns, [])
    counts, wandering = [], 0
    for seed in range(30):
        last, last_ns = np.zeros((0, 3)), 0
        for scan in simulate_scans(seen_by(tmp_path, clutter=10.0), nothing, seed):
            if scan.sensor != "amber-eye":
                continue
            counts.append(len(scan.along_x))
            found = meets_height(np.array(scan.site_m), lines_of(scan), 0.0)
            places = np.degrees([ecef2geodetic(*p)[:2] for p in found])
            south, north, west, east = BOX_DEG
            inside = (places > [south - 1, west - 1.5]).all() and (places < [north + 1, east + 1.5]).all()
            assert not len(places) or inside
            apart_s = (scan.header.measured_ns - last_ns) * 1e-9
            reach = GLINT_FASTEST_MS * apart_s + 8e3
            wandering += sum((np.linalg.norm(last - p, axis=1) < reach).any() for p in found if len(last))
            last, last_ns = found, scan.header.measured_ns
    assert np.mean(counts) == pytest.approx(10.0, rel=0.08)
    # a glint of a minute and three quarters is there again ten seconds later, nine times in ten
    assert wandering / sum(counts) == pytest.approx(0.2 * 0.9, abs=0.05)


def test_a_hot_place_stays_and_shines_in_its_share_of_the_looks(tmp_path, scenario):
    nothing = Truth(scenario.start_ns, [])
    looks, powers = 0, []
    for seed in range(4):
        for scan in simulate_scans(seen_by(tmp_path, more=HOT), nothing, seed):
            looks += 1
            assert len(scan.along_x) <= 1
            for p in meets_height(np.array(scan.site_m), lines_of(scan), 0.0):
                latitude, longitude, _ = np.degrees(ecef2geodetic(*p))
                assert (latitude, longitude) == (pytest.approx(29.0, abs=0.1), pytest.approx(48.0, abs=0.1))
            powers += scan.intensity_w_sr
    assert len(powers) / looks == pytest.approx(0.5, abs=4.0 * 0.5 / math.sqrt(looks))
    assert np.exp(np.log(powers).mean()) == pytest.approx(40e3, rel=0.05)


def test_the_earth_hides_what_burns_on_its_far_side(tmp_path, truth):
    far = seen_by(tmp_path, clutter=5.0, more=HOT, old="longitude_deg = 10", new="longitude_deg = -140")
    scans = [s for s in simulate_scans(far, truth, 1) if s.sensor == "amber-eye"]
    assert scans and not any(s.along_x for s in scans)
    site = np.array(scans[0].site_m)
    assert all(
        hidden_by_earth(site, np.array([p for _, p in burning(truth, s.header.measured_ns)])).all()
        for s in scans
        if burning(truth, s.header.measured_ns)
    )


def test_motors_shine_by_their_size_as_the_rule_of_thumb_says(truth):
    shine = {o.object_class: motor_intensity(o.thrust_n[0]) for o in truth.objects if o.thrust_n}
    assert 3e5 <= shine["medium_range"] <= 1e6
    assert 1e3 <= shine["artillery_rocket"] <= 1e4
    assert shine["artillery_rocket"] < shine["heavy_rocket"] < shine["medium_range"] < shine["space_launch"]


@pytest.mark.parametrize(
    ("old", "new", "key", "wanted"),
    [
        ('partner = "Blue"', 'partner = "Grey"', "satellites[1].partner", "one of"),
        ('name = "blue-eye"', 'name = "amber-eye"', "satellites[1].name", "no other sensor"),
        ('name = "blue-eye"', 'name = "blue-ship"', "satellites[1].name", "no other sensor"),
        ('name = "blue-eye"', 'name = "../eye"', "satellites[1].name", "letters"),
        ("period_s = 10", "period_s = 0.01", "satellites[0].period_s", "0.5"),
        ("sigma_urad = 20", "sigma_urad = 0", "satellites[0].sigma_urad", ""),
        ("cloud_km = 10", "cloud_km = 10000", "satellites[0].cloud_km", "25"),
        ("detection = 0.9", "detection = 1.2", "satellites[0].detection", ""),
        ("longitude_deg = 10", "longitude_deg = 190", "satellites[0].longitude_deg", ""),
        ("share = 0.5", "share = 5", "hot_places[0].share", ""),
        ("intensity_kw_sr = 40", "intensity_kw_sr = 1e9", "hot_places[0].intensity_kw_sr", ""),
    ],
)
def test_a_scenario_with_a_wrong_satellite_or_hot_place_is_refused_by_its_key(
    tmp_path, old, new, key, wanted
):
    with pytest.raises(BadInput) as refused:
        seen_by(tmp_path, more=HOT, old=old, new=new)
    assert refused.value.field == key and wanted in str(refused.value)


def test_changes_to_detection_and_clutter_reach_satellites_too(tmp_path):
    seen_by(tmp_path, clutter=4.0)
    changed = load_scenario(tmp_path / "eyes.toml", {"detection": 0.5, "clutter": 2.0})
    assert [(s.detection, s.clutter_per_scan) for s in changed.satellite_records()] == [(0.5, 8.0)] * 2
