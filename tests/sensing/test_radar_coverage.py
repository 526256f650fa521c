"""What a radar can see: its limits, the horizon, detection that falls with range, and the wedge."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from world import radar

from jointwatch.sensing.coverage import FALSE_ALARM, FULL_RANGE, detection_probability, in_wedge
from jointwatch.sensing.radar import sensor_row

HIGH = radar(height_m=1000.0, range_max_m=1e6, elevation_min_rad=-0.1)
ROW = sensor_row(HIGH)
ranges = st.floats(0.0, 2e6)
elevations = st.floats(-math.pi / 2, math.pi / 2)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(ranges, elevations)
def test_outside_its_limits_a_radar_sees_nothing_and_inside_never_better_than_stated(r, elevation):
    p = detection_probability(ROW, r, elevation)
    inside = 1e3 <= r <= 1e6 and -0.1 <= elevation <= math.radians(80.0)
    assert 0.0 <= p <= 0.9
    assert inside or p == 0.0
    assert not inside or elevation < 0.0 or p > 0.5


def test_detection_holds_to_four_fifths_of_the_range_and_then_falls_as_a_swerling_one_target():
    r = np.linspace(1e3, 1e6, 500)
    p = np.array([detection_probability(ROW, x, 0.3) for x in r])
    assert (np.diff(p) <= 0.0).all()
    assert (p[r <= FULL_RANGE * 1e6] == 0.9).all()
    # the textbook curve: Pd = Pfa^(1 / (1 + SNR)), SNR as the fourth power of range
    snr = math.log(FALSE_ALARM) / math.log(0.9) - 1.0
    expected = FALSE_ALARM ** (1.0 / (1.0 + snr * FULL_RANGE**4))
    assert p[-1] == pytest.approx(expected, rel=1e-12) and p[-1] < 0.85
    assert detection_probability(ROW, FULL_RANGE * 1e6 * (1 + 1e-9), 0.3) == pytest.approx(0.9, abs=1e-8)


@pytest.mark.parametrize("stated", [0.0, 1.0])
def test_a_radar_that_always_or_never_detects_does_so_at_every_range(stated):
    row = sensor_row(replace(HIGH, detection=stated))
    assert detection_probability(row, 9.9e5, 0.3) == stated


def test_below_the_horizon_of_its_height_a_radar_sees_nothing_beyond_the_horizon():
    dip = math.acos(6371e3 / (6371e3 + 1000.0))  # 1 degree and a bit; the horizon is 113 km away
    assert math.degrees(dip) == pytest.approx(1.015, abs=0.001)
    assert detection_probability(ROW, 200e3, -dip - 1e-4) == 0.0
    assert detection_probability(ROW, 200e3, -dip + 1e-4) == 0.9
    assert detection_probability(ROW, 50e3, -dip - 1e-4) == 0.9  # this side of the horizon
    on_the_sea = sensor_row(replace(HIGH, height_m=0.0))
    assert detection_probability(on_the_sea, 10e3, -1e-6) == 0.0
    assert detection_probability(on_the_sea, 10e3, 0.0) == 0.9


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.floats(0.0, 6.28), st.floats(0.01, 6.27), st.floats(0.0, 0.999), st.integers(-2, 2))
def test_a_wedge_opens_clockwise_and_turns_do_not_matter(start, width, part, turns):
    end = (start + width) % (2.0 * math.pi)
    inside = start + part * width + 1e-9
    outside = start + width + part * (2.0 * math.pi - width) + 1e-9
    turn = 2.0 * math.pi * turns
    assert in_wedge(inside + turn, start, end)
    assert part > 0.99 or not in_wedge(outside + turn, start, end)


def test_sectors_that_meet_share_no_azimuth_and_leave_none_out():
    edges = np.linspace(0.0, 2.0 * math.pi, 13)
    for azimuth in np.concatenate([np.random.default_rng(1).uniform(0, 2 * math.pi, 300), edges[:-1]]):
        assert sum(in_wedge(azimuth, a, b) for a, b in pairwise(edges)) == 1


def test_a_wedge_from_an_azimuth_to_itself_is_the_whole_turn():
    assert in_wedge(1.0, 2.0, 2.0) and in_wedge(1.0, 0.0, 2.0 * math.pi)
