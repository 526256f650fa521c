"""Simulated radars: the same seed gives the same sectors, and their statistics are the configured ones."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from jointwatch.exercise.scenario import load_scenario
from jointwatch.exercise.sensors import LATENCY_NS, looks, simulate_sectors
from jointwatch.exercise.truth import Truth
from jointwatch.records import encode
from jointwatch.sensing.coverage import detection_probability, in_wedge
from jointwatch.sensing.radar import observe, sensor_row

SHIPPED = Path(__file__).parents[2] / "scenarios" / "two-partners.toml"


@pytest.fixture(scope="module")
def sectors(scenario, truth):
    return list(simulate_sectors(scenario, truth, 1))


def quiet(changes=None):
    return load_scenario(SHIPPED, {"clutter": 0.0, **(changes or {})})


def test_same_seed_same_bytes_and_another_seed_others(scenario, truth, sectors):
    again = list(simulate_sectors(scenario, truth, 1))
    assert [encode(a) for a in again] == [encode(b) for b in sectors]
    other = list(simulate_sectors(scenario, truth, 2))
    assert [encode(a) for a in other] != [encode(b) for b in sectors]


def test_sectors_come_in_time_order_and_each_sensor_counts_its_own(scenario, sectors):
    times = [s.header.measured_ns for s in sectors]
    assert times == sorted(times)
    assert scenario.start_ns <= times[0] and times[-1] < scenario.end_ns
    for sensor in scenario.sensors:
        own = [s for s in sectors if s.sensor == sensor.name]
        assert [s.header.sequence for s in own] == list(range(len(own)))
        assert all(s.received_ns == s.header.measured_ns + LATENCY_NS for s in own)
        assert all(s.header.originator == sensor.partner and s.header.source == sensor.name for s in own)
        gaps = np.diff([s.header.measured_ns for s in own]) * 1e-9
        assert gaps == pytest.approx(sensor.period_s / sensor.sectors, abs=1e-8)


def test_a_scans_sectors_cover_the_whole_turn_without_a_gap(scenario, sectors):
    for sensor in scenario.sensors:
        scan = [s for s in sectors if s.sensor == sensor.name][: sensor.sectors]
        widths = [(s.azimuth_to_rad - s.azimuth_from_rad) % (2 * math.pi) for s in scan]
        assert sum(widths) == pytest.approx(2 * math.pi)
        for a, b in zip(scan, scan[1:] + scan[:1], strict=True):
            assert a.azimuth_to_rad == b.azimuth_from_rad


def test_clutter_comes_at_its_rate_half_of_it_near_the_ground(scenario):
    nothing = Truth(scenario.start_ns, [])
    counts = {s.name: [0, 0] for s in scenario.sensors}
    for sector in simulate_sectors(scenario, nothing, 5):
        slow = np.abs(sector.range_rate_ms) < 30.0
        low = np.asarray(sector.elevation_rad) <= math.radians(2.0)
        counts[sector.sensor][0] += len(sector.range_m)
        counts[sector.sensor][1] += int(np.sum(slow & low))
        width = (sector.azimuth_to_rad - sector.azimuth_from_rad) % (2 * math.pi)
        inside = (np.asarray(sector.azimuth_rad) - sector.azimuth_from_rad) % (2 * math.pi)
        assert np.all(inside <= width + 1e-9)
    for s in scenario.sensors:
        scans = scenario.scenario.duration_s / s.period_s
        expected = s.clutter_per_scan * scans
        assert counts[s.name][0] == pytest.approx(
            expected, abs=4.0 * math.sqrt(expected) + 1.5 * s.clutter_per_scan
        )
        assert counts[s.name][1] == pytest.approx(
            0.5 * expected, abs=4.0 * math.sqrt(expected) + 1.5 * s.clutter_per_scan
        )


def test_the_configured_clutter_factor_doubles_it(truth):
    scenario = load_scenario(SHIPPED, {"clutter": 2.0})
    nothing = Truth(scenario.start_ns, [])
    plots = sum(len(s.range_m) for s in simulate_sectors(scenario, nothing, 5))
    expected = sum(200.0 * scenario.scenario.duration_s / s.period_s for s in scenario.sensors)
    assert plots == pytest.approx(expected, rel=0.02)


def test_noise_has_the_configured_spread_and_no_bias(truth):
    """Without clutter, each plot within six sigma of one object's true measurement alone tells its errors."""
    scenario = quiet()
    sensors = {s.name: s for s in scenario.sensor_records()}
    errors = []
    for sector in simulate_sectors(scenario, truth, 1):
        if sector.sensor != "blue-ship" or not sector.range_m:
            continue
        s = sensors[sector.sensor]
        row = sensor_row(s)
        sigma = np.array([s.sigma_range_m, s.sigma_azimuth_rad, s.sigma_elevation_rad, s.sigma_range_rate_ms])
        _, positions, velocities = truth.states_at(sector.header.measured_ns)
        true = np.array([observe(row, *p, *v) for p, v in zip(positions, velocities, strict=True)])
        plots = np.column_stack(
            [sector.range_m, sector.azimuth_rad, sector.elevation_rad, sector.range_rate_ms]
        )
        for plot in plots:
            e = plot - true
            e[:, 1] = (e[:, 1] + math.pi) % (2 * math.pi) - math.pi
            e /= sigma
            near = np.flatnonzero(np.all(np.abs(e) < 6.0, axis=1))
            assert near.size >= 1  # every plot is some object's
            if near.size == 1:
                errors.append(e[near[0]])
    errors = np.array(errors)
    n = len(errors)
    assert n > 800
    assert np.all(np.abs(errors.mean(axis=0)) < 4.0 / math.sqrt(n))
    assert errors.std(axis=0) == pytest.approx(np.ones(4), abs=4.0 / math.sqrt(2 * n))


@pytest.mark.parametrize("detection", [0.9, 0.6])
def test_objects_are_detected_as_often_as_coverage_says(truth, detection):
    scenario = quiet({"detection": detection})
    seen = sum(len(s.range_m) for s in simulate_sectors(scenario, truth, 1))
    expected, variance = 0.0, 0.0
    rows = {s.name: sensor_row(s) for s in scenario.sensor_records()}
    for sector in simulate_sectors(scenario, truth, 1):
        _, positions, velocities = truth.states_at(sector.header.measured_ns)
        for p, v in zip(positions, velocities, strict=True):
            r, azimuth, elevation, _ = observe(rows[sector.sensor], *p, *v)
            if in_wedge(azimuth, sector.azimuth_from_rad, sector.azimuth_to_rad):
                pd = detection_probability(rows[sector.sensor], r, elevation)
                expected += pd
                variance += pd * (1.0 - pd)
    assert abs(seen - expected) < 4.0 * math.sqrt(variance)


def test_looks_are_sectors_of_the_same_seed_with_the_object_in_coverage(scenario, truth, sectors):
    instants = {(s.header.measured_ns, s.sensor) for s in sectors}
    names = [s.name for s in scenario.sensors]
    found = looks(scenario, truth, 1)
    assert len(found) == len(truth.objects)
    for o, own in zip(truth.objects, found, strict=True):
        assert own == sorted(own)
        for time_ns, sensor, pd in own:
            assert (time_ns, names[sensor]) in instants
            assert o.launch_ns <= time_ns < o.end_ns and pd >= 0.5


def test_every_missile_and_rocket_can_be_seen_in_time_by_somebody(scenario, truth):
    """At most a tenth of struck zones are out of reach: five looks before shelter time and 10 s."""
    zones = {z.key: z for p in ("Amber", "Blue") for z in scenario.zones(p)}
    found = looks(scenario, truth, 1)
    struck = [(o, own) for o, own in zip(truth.objects, found, strict=True) if o.aim and o.end == "impact"]
    in_time = [
        sum(t < o.end_ns - (zones[o.aim].shelter_s + 10.0) * 1e9 for t, _, _ in own) >= 5 for o, own in struck
    ]
    assert np.mean(in_time) >= 0.9


def test_partners_see_different_parts_of_a_flight_so_that_joining_pays(scenario, truth):
    """Missiles towards Amber are seen by Blue minutes before Amber's own radars see them."""
    found = looks(scenario, truth, 1)
    partner = [s.partner for s in scenario.sensors]
    amber = {z.key for z in scenario.zones("Amber")}
    gains = []
    for o, own in zip(truth.objects, found, strict=True):
        if o.object_class == "medium_range" and o.aim in amber:
            first = {p: min(t for t, i, _ in own if partner[i] == p) for p in ("Amber", "Blue")}
            gains.append((first["Amber"] - first["Blue"]) * 1e-9)
    assert min(gains) > 120.0


def test_what_a_sensor_does_not_measure_stays_empty(tmp_path, scenario, truth):
    """A radar without range rate, leaning and looking through air, still gives whole sectors."""
    text = SHIPPED.read_text(encoding="utf-8").replace(
        "period_s = 5\n",
        'period_s = 5\nmeasures = ["elevation", "range", "azimuth"]\n'
        "refractivity = 313\ntilt_east_mrad = 2\n",
        1,
    )
    for name in ("procedure.toml", "assessment.toml"):
        text = text.replace(f'"{name}"', f'"{SHIPPED.parent / name}"')
    path = tmp_path / "plain.toml"
    path.write_text(text, encoding="utf-8")
    plain = load_scenario(path, {"clutter": 0.0})
    own = [s for s in simulate_sectors(plain, truth, 1) if s.sensor == plain.sensors[0].name]
    assert own and all(s.range_rate_ms == () and len(s.range_m) == len(s.elevation_rad) for s in own)
    full = [s for s in simulate_sectors(quiet(), truth, 1) if s.sensor == plain.sensors[0].name]
    pairs = [(a, b) for a, b in zip(own, full, strict=True) if len(a.range_m) == len(b.range_m) == 1]
    higher = [a.elevation_rad[0] - b.elevation_rad[0] for a, b in pairs]
    assert len(pairs) > 20 and np.std(higher) > 1e-4
