"""Undetected objects: how many a volume holds by when it was last looked at, and what alert changes."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from msgspec.structs import replace
from watch import RADAR

from jointwatch.earth.frames import geodetic2ecef
from jointwatch.records import BadInput
from jointwatch.sensing.coverage import detection_probability
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.tracking.clutter import AZIMUTHS, FAST_MS, RANGES
from jointwatch.tracking.detection import SEEN, new_detection
from jointwatch.tracking.undetected import (
    MOST_BOOST,
    STAY_S,
    LaunchGround,
    after_look,
    birth_density,
    births_per_day,
    new_undetected,
    take_boost,
)

ROW = sensor_row(RADAR)
DETECTION = new_detection(ROW)
SPAN = RADAR.elevation_max_rad - RADAR.elevation_min_rad
WHOLE = (0.0, 2.0 * math.pi)
NS = 10**9
START = 1_780_000_000 * NS
BIRTHS = 0.02
GROUND = LaunchGround(
    latitude_rad=math.radians(33.0),
    longitude_rad=math.radians(38.0),
    radius_m=20e3,
    launches_per_day=3.0,
)


def anywhere(rng, count):
    return np.column_stack(
        [
            rng.uniform(1e3, RADAR.range_max_m, count),
            rng.uniform(0.0, 2.0 * math.pi, count),
            rng.uniform(RADAR.elevation_min_rad, RADAR.elevation_max_rad, count),
            rng.uniform(-FAST_MS, FAST_MS, count),
        ]
    )


def edges(sectors, turned=0.0):
    cuts = turned + np.linspace(0.0, 2.0 * math.pi, sectors + 1)
    return [(float(a), float(b)) for a, b in pairwise(cuts)]


def watch_on(grid, scans, sectors=1, turned=0.0, start_ns=START):
    """Turn the radar for `scans` scans; returns the time after them."""
    step = RADAR.period_s / sectors
    for k in range(scans * sectors):
        after_look(
            grid, ROW, DETECTION, *edges(sectors, turned)[k % sectors], start_ns + round(k * step * NS)
        )
    return start_ns + round(scans * RADAR.period_s * NS)


def step_edges():
    """Ranges (m) between the steps, equal in the square root of range."""
    return RADAR.range_max_m * (np.arange(RANGES + 1) / RANGES) ** 2


def cell_pd():
    middle = 0.5 * (step_edges()[1:] + step_edges()[:-1])
    up = 0.5 * (RADAR.elevation_min_rad + RADAR.elevation_max_rad)
    return np.array([detection_probability(ROW, max(r, RADAR.range_min_m), up) for r in middle])


def test_a_radar_that_turns_steadily_meets_new_objects_at_the_rate_they_appear():
    grid = new_undetected(ROW, BIRTHS)
    now = watch_on(grid, 300)
    plots = anywhere(np.random.default_rng(1), 400)
    even = BIRTHS / (RADAR.range_max_m * 2.0 * math.pi * SPAN * 2.0 * FAST_MS) / np.cos(plots[:, 2])
    assert np.allclose(birth_density(grid, ROW, DETECTION, plots, now), even, rtol=0.01)
    assert births_per_day(grid) == pytest.approx(BIRTHS * 86400.0 / RADAR.period_s, rel=1e-9)


def test_a_cell_holds_as_many_undetected_objects_as_a_drawn_world_leaves_in_it():
    rng = np.random.default_rng(2)
    rate, looks = 0.01, np.array([0.0, 5.0, 10.0, 15.0, 100.0, 105.0, 300.0])
    worlds, begin = 4000, -6.0 * STAY_S
    count = rng.poisson(rate * (looks[-1] - begin), worlds)
    born = rng.uniform(begin, looks[-1], count.sum())
    gone = born + rng.exponential(STAY_S, count.sum())
    unseen = np.ones(count.sum(), bool)
    grid = new_undetected(ROW, 0.0)
    a, step = 20, 30
    pd = cell_pd()[step]
    grid["rate"][a, step] = rate
    for t in looks:
        there = unseen & (born <= t) & (gone > t)
        unseen[there] = rng.random(there.sum()) >= pd
        after_look(grid, ROW, DETECTION, *WHOLE, START + round(t * NS))
        left = (unseen & there).sum() / worlds
        assert grid["expected"][a, step] == pytest.approx(left, rel=0.1, abs=0.002), t


def test_what_was_not_looked_at_for_long_holds_more():
    grid = new_undetected(ROW, BIRTHS)
    now = watch_on(grid, 50)
    plot = anywhere(np.random.default_rng(3), 1)
    waits = np.array([0.0, 5.0, 30.0, 300.0, 3000.0])
    density = [birth_density(grid, ROW, DETECTION, plot, now + round(w * NS))[0] for w in waits]
    assert (np.diff(density) > 0.0).all()
    assert density[3] > 20.0 * density[1]
    never = birth_density(new_undetected(ROW, BIRTHS), ROW, DETECTION, plot, now)[0]
    assert density[4] == pytest.approx(never, rel=0.01)


def test_the_kernels_agree_with_the_textbooks_recursion_written_out():
    rng = np.random.default_rng(4)
    grid = new_undetected(ROW, BIRTHS, [GROUND], 2.0)
    rate = (grid["background"] + 2.0 * grid["grounds"]).copy()
    expected, last = STAY_S * rate, np.full(AZIMUTHS, -np.inf)
    detection = DETECTION.copy()
    detection[:, SEEN] *= [1.0, 0.9, 0.8, 0.7]
    factor = np.array([1.0, 0.9, 0.8, 0.7])
    widths = np.diff(step_edges())
    band = ((step_edges()[1:] + step_edges()[:-1]) / 2.0 / RADAR.range_max_m * 4.0).astype(int)
    pd = cell_pd() * factor[band]
    for k in range(60):
        time_s = float(k) + rng.uniform(0.0, 0.5)
        first, width = int(rng.integers(AZIMUTHS)), int(rng.integers(1, 20))
        wedge = math.radians(5.0 * first), math.radians(5.0 * (first + width))
        stays = np.exp(-(time_s - last) / STAY_S)[:, None]
        grown = stays * expected + (1.0 - stays) * STAY_S * rate
        plots = anywhere(rng, 20)
        a = (plots[:, 1] / math.radians(5.0)).astype(int)
        step = np.searchsorted(step_edges(), plots[:, 0]) - 1
        volume = widths[step] * math.radians(5.0) * SPAN * np.cos(plots[:, 2]) * 2.0 * FAST_MS
        got = birth_density(grid, ROW, detection, plots, START + round(time_s * NS))
        assert np.allclose(got, grown[a, step] * pd[step] / volume, rtol=1e-6)
        mine = (first + np.arange(width)) % AZIMUTHS
        expected[mine], last[mine] = grown[mine] * (1.0 - pd), time_s
        after_look(grid, ROW, detection, *wedge, START + round(time_s * NS))
        assert np.allclose(grid["expected"], expected, rtol=1e-6)


def test_a_look_at_one_sector_leaves_the_others_to_grow():
    grid = new_undetected(ROW, BIRTHS)
    now = watch_on(grid, 50)
    before = grid.copy()
    after_look(grid, ROW, DETECTION, math.radians(350.0), math.radians(20.0), now)
    seen = np.r_[0:4, 70:72]
    rest = np.setdiff1d(np.arange(AZIMUTHS), seen)
    assert np.array_equal(grid[rest], before[rest])
    assert (grid["time_ns"][seen] == now).all()


@pytest.mark.parametrize("turned_deg", [0.0, 1.7, 2.5])
def test_sectors_that_cut_cells_meet_as_many_objects_as_a_whole_turn(turned_deg):
    grid = new_undetected(ROW, BIRTHS)
    wedges = edges(12, math.radians(turned_deg))
    now = watch_on(grid, 200, 12, math.radians(turned_deg))
    # what every plot of one scan meets, on average over the directions in its sector
    rng = np.random.default_rng(5)
    met = []
    for k, (start, end) in enumerate(wedges):
        plots = anywhere(rng, 200)
        plots[:, 1] = (start + (np.arange(200) + 0.5) / 200 * (end - start)) % (2.0 * math.pi)
        time_ns = now + round(k * RADAR.period_s / 12 * NS)
        met.append(birth_density(grid, ROW, DETECTION, plots, time_ns) * np.cos(plots[:, 2]))
        after_look(grid, ROW, DETECTION, start, end, time_ns)
    even = BIRTHS / (RADAR.range_max_m * 2.0 * math.pi * SPAN * 2.0 * FAST_MS)
    assert np.mean(met) == pytest.approx(even, rel=0.02)
    assert np.min(met) > 0.45 * even


def test_no_more_objects_are_met_than_were_there_and_appeared():
    grid = new_undetected(ROW, BIRTHS)
    held, met, pd = grid["expected"].sum(), 0.0, cell_pd()
    looks = [0.0, 3.0, 8.0, 100.0, 101.0, 500.0, 505.0, 510.0]
    last = None
    for t in looks:
        stays = 1.0 if last is None else math.exp(-(t - last) / STAY_S)
        grown = stays * grid["expected"] + (1.0 - stays) * STAY_S * grid["rate"]
        met += float((grown * pd).sum())
        after_look(grid, ROW, DETECTION, *WHOLE, START + round(t * NS))
        last = t
    allowed = held + births_per_day(grid) / 86400.0 * (looks[-1] - looks[0])
    assert 0.5 * allowed < met + grid["expected"].sum() < allowed


def test_launches_are_expected_where_they_come_into_sight():
    grid = new_undetected(ROW, 0.0, [GROUND])
    assert births_per_day(grid) == pytest.approx(GROUND.launches_per_day, rel=1e-9)
    place = geodetic2ecef(GROUND.latitude_rad, GROUND.longitude_rad, 0.0)
    r, azimuth, _, _ = observe(ROW, *place, 0.0, 0.0, 0.0)
    a, step = np.nonzero(grid["rate"])
    widest = GROUND.radius_m + 50e3
    assert (step_edges()[step] < r + widest).all() and (step_edges()[step + 1] > r - widest).all()
    aside = np.abs((np.radians(5.0) * (a + 0.5) - azimuth + math.pi) % (2.0 * math.pi) - math.pi)
    assert aside.max() < math.asin(widest / r) + math.radians(2.5)
    above = birth_density(
        new_undetected(ROW, BIRTHS, [GROUND]), ROW, DETECTION, np.array([[r, azimuth, 0.1, 900.0]]), START
    )
    opposite = np.array([[r, (azimuth + math.pi) % (2.0 * math.pi), 0.1, 900.0]])
    plain = birth_density(new_undetected(ROW, BIRTHS, [GROUND]), ROW, DETECTION, opposite, START)
    # 3 launches a day from a 140 km circle against 345 births a day over a circle of 1,000 km
    assert above[0] > 1.2 * plain[0]


def test_a_ground_out_of_reach_adds_nothing_and_one_at_the_edge_adds_its_part():
    far = replace(GROUND, longitude_rad=math.radians(60.0))
    assert births_per_day(new_undetected(ROW, 0.0, [far])) == 0.0
    edge = replace(GROUND, latitude_rad=RADAR.latitude_rad, longitude_rad=math.radians(40.3))
    assert 0.1 < births_per_day(new_undetected(ROW, 0.0, [edge])) / GROUND.launches_per_day < 0.9


def test_in_the_normal_state_of_alert_nothing_changes():
    plain, boosted = new_undetected(ROW, BIRTHS, [GROUND]), new_undetected(ROW, BIRTHS, [GROUND], 1.0)
    assert np.array_equal(plain, boosted)
    take_boost(boosted, 1.0)
    assert np.array_equal(plain, boosted)


def test_alert_raises_the_launch_grounds_alone_and_within_its_bound():
    plain = new_undetected(ROW, BIRTHS, [GROUND])
    for asked, got in (3.0, 3.0), (MOST_BOOST, 8.0), (1e6, 8.0), (math.inf, 8.0), (0.1, 1.0), (-5.0, 1.0):
        grid = new_undetected(ROW, BIRTHS, [GROUND], asked)
        assert np.allclose(grid["rate"] - plain["rate"], (got - 1.0) * plain["grounds"], rtol=1e-9)
    elsewhere = plain["grounds"] == 0.0
    assert elsewhere.sum() > 0.9 * elsewhere.size
    assert np.array_equal(grid["expected"][elsewhere], plain["expected"][elsewhere])
    # a day's end: lowered again, the rate is the normal one
    take_boost(grid, 8.0)
    take_boost(grid, 1.0)
    assert np.array_equal(grid["rate"], plain["rate"])


def test_a_sensor_of_positions_has_one_cell():
    row = sensor_row(replace(RADAR, flat=True, measures=("x", "y")))
    grid = new_undetected(row, BIRTHS)
    detection = new_detection(row)
    for k in range(300):
        after_look(grid, row, detection, *WHOLE, START + k * 5 * NS)
    density = birth_density(grid, row, detection, np.zeros((2, 4)), START + 300 * 5 * NS)
    assert np.allclose(density, BIRTHS / (2.0 * RADAR.range_max_m) ** 2, rtol=0.01)
    with pytest.raises(BadInput, match="a flat frame has no places"):
        new_undetected(row, BIRTHS, [GROUND])


def test_where_nothing_is_expected_the_odds_are_still_numbers():
    grid = new_undetected(ROW, 0.0)
    density = birth_density(grid, ROW, DETECTION, anywhere(np.random.default_rng(6), 50), START)
    assert (density > 0.0).all() and np.isfinite(np.log(density)).all()


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("births_per_scan", lambda: new_undetected(ROW, -1.0)),
        ("births_per_scan", lambda: new_undetected(ROW, math.nan)),
        ("boost", lambda: new_undetected(ROW, BIRTHS, [GROUND], math.nan)),
        ("latitude_rad", lambda: new_undetected(ROW, BIRTHS, [replace(GROUND, latitude_rad=2.0)])),
        ("longitude_rad", lambda: new_undetected(ROW, BIRTHS, [replace(GROUND, longitude_rad=math.inf)])),
        ("radius_m", lambda: new_undetected(ROW, BIRTHS, [replace(GROUND, radius_m=-1.0)])),
        ("launches_per_day", lambda: new_undetected(ROW, BIRTHS, [replace(GROUND, launches_per_day=-1.0)])),
    ],
)
def test_what_cannot_be_is_refused_by_name(field, make):
    with pytest.raises(BadInput, match=field):
        make()
