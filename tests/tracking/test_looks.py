"""What a look says of an object that should be there: shares of wedges and cones, and when to ask at all."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from watch import NS, ROW
from world import RADAR, expected, radar

from jointwatch.sensing.coverage import detection_probability
from jointwatch.sensing.expectation import AZIMUTH, ELEVATION, RANGE
from jointwatch.sensing.radar import position_of_plot, sensor_row
from jointwatch.tracking.detection import new_detection
from jointwatch.tracking.looks import (
    SURELY_SEEN,
    elevation_share,
    look_probability,
    row_may_be_seen,
    wedge_share,
)
from jointwatch.tracking.table import new_table

WHOLE = (0.0, 2.0 * math.pi)
SPREAD = np.diag([300.0**2] * 3 + [30.0**2] * 3 + [1.0])


@pytest.mark.parametrize("width", [0.1, 0.5236, 3.0])
def test_the_share_of_a_wedge_is_the_normal_probability_between_its_edges(width):
    for start in (0.0, 1.0, 6.2):
        for off in (-0.2, 0.0, 0.05, 0.3, width):
            for sigma in (1e-4, 0.01, 0.1):
                azimuth = (start + off) % (2.0 * math.pi)
                end = (start + width) % (2.0 * math.pi)
                expected = norm.cdf(width, off, sigma) - norm.cdf(0.0, off, sigma)
                assert wedge_share(azimuth, sigma, start, end) == pytest.approx(expected, abs=1e-9)


def test_shares_of_sectors_that_make_a_turn_add_up_to_one():
    edges = np.linspace(0.0, 2.0 * math.pi, 13)
    for azimuth in np.random.default_rng(1).uniform(0.0, 2.0 * math.pi, 50):
        shares = [wedge_share(azimuth, 0.02, a, b) for a, b in pairwise(edges)]
        assert sum(shares) == pytest.approx(1.0, abs=1e-9)
    assert wedge_share(1.0, 0.5, *WHOLE) == 1.0


def seen(sensor, at, wedge=WHOLE, spread=SPREAD, detection=None, velocity=(0.0, 0.0, 0.0)):
    """Probability that a look gives a plot of what is at a range (m), azimuth and elevation (rad)."""
    row = sensor_row(sensor)
    mean = np.array([*position_of_plot(row, *at), *velocity, 0.0])
    z = expected(row, mean, spread)[0]
    return look_probability(row, new_detection(row) if detection is None else detection, z, *wedge)


def test_in_the_middle_of_its_cover_an_object_is_seen_as_surely_as_the_radar_states():
    assert seen(RADAR, (2e5, 1.0, 0.3)) == pytest.approx(RADAR.detection, rel=1e-6)
    assert seen(RADAR, (2e5, 1.0, 0.3), (0.8, 1.2)) == pytest.approx(RADAR.detection, rel=1e-6)
    assert seen(RADAR, (2e5, 1.0, 0.3), (1.2, 0.8)) == pytest.approx(0.0, abs=1e-9)
    far = 0.95 * RADAR.range_max_m
    assert seen(RADAR, (far, 1.0, 0.3)) == pytest.approx(detection_probability(ROW, far, 0.3), rel=1e-6)
    assert seen(radar(detection=1.0), (2e5, 1.0, 0.3)) == SURELY_SEEN


def test_an_edge_of_azimuth_halves_it_and_high_up_the_same_error_is_more_azimuth():
    for elevation in (0.1, 0.8, 1.2):
        assert seen(RADAR, (2e5, 1.0, elevation), (0.5, 1.0)) == pytest.approx(
            0.5 * RADAR.detection, rel=1e-6
        )
    beside = (0.5, 1.0 + 2e-3)
    shares = [seen(RADAR, (2e5, 1.0, e), beside) / RADAR.detection for e in (0.1, 1.2)]
    in_azimuth = [math.hypot(300.0 / 2e5 / math.cos(e), RADAR.sigma_azimuth_rad) for e in (0.1, 1.2)]
    expected_shares = [norm.cdf(2e-3 / sigma) for sigma in in_azimuth]
    assert shares == pytest.approx(expected_shares, rel=1e-6)


def test_the_cones_edge_is_soft():
    edge = RADAR.elevation_max_rad
    sigma = math.hypot(300.0 / 2e5, RADAR.sigma_elevation_rad)
    for off in (-3.0, -1.0, 0.0, 1.0, 3.0):
        share = seen(RADAR, (2e5, 1.0, edge + off * sigma)) / RADAR.detection
        assert share == pytest.approx(norm.cdf(-off), abs=2e-3)


def test_the_share_of_elevation_is_the_normal_probability_between_the_cones_edges():
    low, high = RADAR.elevation_min_rad, RADAR.elevation_max_rad
    for elevation in (low - 0.05, low, 0.4, high + 0.02):
        for sigma in (1e-3, 0.05, 0.6):
            inside, share = elevation_share(ROW, elevation, sigma)
            assert inside == min(max(elevation, low), high)
            between = norm.cdf(high, elevation, sigma) - norm.cdf(low, elevation, sigma)
            assert share == pytest.approx(between, abs=1e-12)


def test_what_is_learned_of_a_sensor_counts():
    state = new_detection(ROW) * [0.5, 1.0]
    assert seen(RADAR, (2e5, 1.0, 0.3), detection=state) == pytest.approx(0.5 * RADAR.detection, rel=1e-6)


def test_a_line_of_sight_sees_as_far_as_it_sees_and_a_position_sensor_everywhere_alike():
    camera = radar(measures=("azimuth", "elevation"))
    assert seen(camera, (0.95 * RADAR.range_max_m, 1.0, 0.3)) == pytest.approx(RADAR.detection)
    assert seen(camera, (1.05 * RADAR.range_max_m, 1.0, 0.3)) == 0.0
    assert seen(camera, (2e5, 1.0, 0.3), (2.0, 3.0)) == pytest.approx(0.0, abs=1e-9)
    positions = radar(measures=("x", "y"), flat=True)
    assert seen(positions, (3e7, 1.0, 0.3), (2.0, 3.0)) == pytest.approx(RADAR.detection)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.floats(2e3, 6e5),
    st.floats(0.0, 6.28),
    st.floats(0.0, 1.5),
    st.floats(0.0, 10.0),
    st.floats(0.0, 6.28),
    st.floats(-1.0, 1.0),
)
def test_what_a_look_may_show_is_never_left_out_by_the_cheap_test(r, azimuth, elevation, dt, wedge, course):
    """The test moves a row straight on; for what it may have turned aside it allows some slack."""
    row = new_table(1)[0]
    row["phase"] = [0.2, 0.7, 0.1]
    velocity = 1500.0 * np.array([math.cos(3.0 * course), math.sin(3.0 * course), course])
    row["mean"][1][:3], row["mean"][1][3:6] = position_of_plot(ROW, r, azimuth, elevation), velocity
    now = row["mean"][1].copy()
    now[:3] += dt * velocity + 0.5 * 20.0 * dt**2 * np.array([0.6, 0.0, -0.8])
    edges = wedge, wedge + 0.52
    z = expected(ROW, now, SPREAD)[0]
    shown = look_probability(ROW, new_detection(ROW), z, *edges)
    if shown > 0.01:
        assert row_may_be_seen(row, ROW, edges, round(dt * NS))


def test_the_cheap_test_leaves_out_what_is_on_the_other_side():
    row = new_table(1)[0]
    row["phase"] = [0.2, 0.7, 0.1]
    row["mean"][1][:3] = position_of_plot(ROW, 2e5, 1.0, 0.3)
    assert row_may_be_seen(row, ROW, (0.9, 1.4), NS) and not row_may_be_seen(row, ROW, (3.0, 3.5), NS)
    row["mean"][1][:3] = position_of_plot(ROW, 6e5, 1.0, 0.3)
    assert not row_may_be_seen(row, ROW, (0.9, 1.4), NS)
    z = expected(ROW, row["mean"][1], SPREAD)[0]
    assert z[RANGE] == pytest.approx(6e5) and z[AZIMUTH] == pytest.approx(1.0)
    assert z[ELEVATION] == pytest.approx(0.3)
