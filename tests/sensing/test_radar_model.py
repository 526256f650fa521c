"""The radar's measurement: against pymap3d, against differences, and there and back."""

from __future__ import annotations

import math

import numpy as np
import pymap3d
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import radar

from jointwatch.earth.frames import enu_rotation, geodetic2ecef
from jointwatch.sensing.radar import (
    ACROSS,
    DIMENSION,
    IN_RANGE,
    IN_RATE,
    IN_X,
    IN_Y,
    SITE,
    UPWARD,
    measures,
    observe,
    position_of_plot,
    sensor_row,
    tilt,
)

SITES = [(32.0, 35.0, 700.0), (-45.0, 170.0, 0.0), (0.0, -60.0, 2500.0), (78.0, 15.0, 50.0)]


def radar_at(latitude_deg, longitude_deg, height_m, **changes):
    """A radar that sees from the horizon to the zenith, to 1,000 km."""
    return radar(
        latitude_rad=math.radians(latitude_deg),
        longitude_rad=math.radians(longitude_deg),
        height_m=height_m,
        range_max_m=1e6,
        elevation_min_rad=0.0,
        elevation_max_rad=math.pi / 2,
        **changes,
    )


ROWS = [sensor_row(radar_at(*site)) for site in SITES]
looks = st.tuples(
    st.integers(0, len(SITES) - 1),
    st.floats(1.0, 2e6),
    st.floats(0.0, 2.0 * math.pi, exclude_max=True),
    st.floats(-0.3, 1.5),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(looks)
def test_a_plot_is_where_pymap3d_sees_it(look):
    i, r, azimuth, elevation = look
    latitude, longitude, height = SITES[i]
    theirs = pymap3d.aer2ecef(math.degrees(azimuth), math.degrees(elevation), r, latitude, longitude, height)
    ours = position_of_plot(ROWS[i], r, azimuth, elevation)
    assert np.abs(np.subtract(ours, theirs).astype(float)).max() < 1e-6


@settings(max_examples=150, deadline=None, derandomize=True)
@given(looks)
def test_a_plots_position_is_measured_as_the_plot(look):
    i, r, azimuth, elevation = look
    got = observe(ROWS[i], *position_of_plot(ROWS[i], r, azimuth, elevation), 0.0, 0.0, 0.0)
    assert got[0] == pytest.approx(r, abs=1e-7 + 1e-12 * r)
    turn = (got[1] - azimuth + math.pi) % (2.0 * math.pi) - math.pi
    assert 0.0 <= got[1] <= 2.0 * math.pi
    assert r * math.cos(elevation) * abs(turn) < 1e-6  # as near as a position in ECEF can be told
    assert r * abs(got[2] - elevation) < 1e-6
    assert got[3] == 0.0


@pytest.mark.parametrize("i", range(len(SITES)))
def test_a_state_is_measured_as_pymap3d_does_and_its_rate_is_the_slope_of_its_range(i):
    rng = np.random.default_rng(3)
    latitude, longitude, height = SITES[i]
    for _ in range(20):
        p = np.array(geodetic2ecef(*np.radians([latitude + rng.normal(), longitude + rng.normal()]), 9e4))
        v = rng.normal(size=3) * 1500.0
        r, azimuth, elevation, rate = observe(ROWS[i], *p, *v)
        theirs = pymap3d.ecef2aer(*p, latitude, longitude, height)
        assert (azimuth, elevation) == pytest.approx(tuple(np.radians(theirs[:2]).astype(float)), abs=1e-11)
        assert r == pytest.approx(float(theirs[2]), abs=1e-6)
        ahead, behind = (observe(ROWS[i], *(p + t * v), *v)[0] for t in (0.01, -0.01))
        assert rate == pytest.approx((ahead - behind) / 0.02, abs=1e-3)


def wrap(angle):
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


def test_azimuth_is_clockwise_from_north_and_elevation_upward():
    row = ROWS[0]
    axes = enu_rotation(math.radians(32.0), math.radians(35.0))
    east, north, up = axes
    site = row[SITE : SITE + 3]
    assert observe(row, *(site + 1e4 * north), *north)[1:] == pytest.approx((0.0, 0.0, 1.0), abs=1e-9)
    assert observe(row, *(site + 1e4 * east), *up)[1:] == pytest.approx((math.pi / 2, 0.0, 0.0), abs=1e-9)
    assert observe(row, *(site + 1e4 * up), *-up)[2:] == pytest.approx((math.pi / 2, -1.0), abs=1e-9)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(looks, st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
def test_a_leaning_mount_measures_there_and_back(look, east, north):
    i, r, azimuth, elevation = look
    row = sensor_row(radar_at(*SITES[i], tilt_east_rad=east, tilt_north_rad=north))
    got = observe(row, *position_of_plot(row, r, azimuth, elevation), 0.0, 0.0, 0.0)
    assert got[0] == pytest.approx(r, abs=1e-7 + 1e-12 * r)
    assert r * math.cos(elevation) * abs(wrap(got[1] - azimuth)) < 1e-6
    assert r * abs(got[2] - elevation) < 1e-6


def level_target(azimuth):
    """Something 10 km away in a level direction, seen from a level mount at the origin of a flat frame."""
    return 1e4 * np.array([math.sin(azimuth), math.cos(azimuth), 0.0])


def test_a_mount_that_leans_about_its_east_axis_sees_the_north_lower_and_the_south_higher():
    row = sensor_row(radar(flat=True, height_m=0.0, tilt_east_rad=0.01))
    for azimuth, elevation in ((0.0, -0.01), (math.pi, 0.01), (0.5 * math.pi, 0.0)):
        got = observe(row, *level_target(azimuth), 0.0, 0.0, 0.0)
        assert got[2] == pytest.approx(elevation, abs=1e-12)
        assert wrap(got[1] - azimuth) == pytest.approx(0.0, abs=1e-12)
    # what stands high in the east moves north, for the mount's north has come up towards it
    high = 1e4 * np.array([math.cos(0.5), 0.0, math.sin(0.5)])
    azimuth = observe(row, *high, 0.0, 0.0, 0.0)[1]
    assert azimuth == pytest.approx(0.5 * math.pi - 0.01 * math.tan(0.5), abs=1e-4)


def test_a_mount_that_leans_about_its_north_axis_sees_the_east_higher_and_the_west_lower():
    row = sensor_row(radar(flat=True, height_m=0.0, tilt_north_rad=0.01))
    for azimuth, elevation in ((0.5 * math.pi, 0.01), (1.5 * math.pi, -0.01), (0.0, 0.0)):
        got = observe(row, *level_target(azimuth), 0.0, 0.0, 0.0)
        assert got[2] == pytest.approx(elevation, abs=1e-12)
        assert wrap(got[1] - azimuth) == pytest.approx(0.0, abs=1e-12)
    high = 1e4 * np.array([0.0, math.cos(0.5), math.sin(0.5)])
    azimuth = observe(row, *high, 0.0, 0.0, 0.0)[1]
    assert wrap(azimuth) == pytest.approx(-0.01 * math.tan(0.5), abs=1e-4)


def test_the_lean_about_north_comes_after_the_lean_about_east():
    east, north = 0.3, -0.2
    assert tilt(east, north) == pytest.approx(tilt(0.0, north) @ tilt(east, 0.0), abs=1e-15)
    assert np.linalg.det(tilt(east, north)) == pytest.approx(1.0)


@pytest.mark.parametrize("i", range(len(SITES)))
def test_an_echo_shows_where_the_object_was_when_it_was_hit(i):
    """A time that is the echo's return: the plot lies v r / c back along the flight."""
    rng = np.random.default_rng(6)
    now, timed = ROWS[i], sensor_row(radar_at(*SITES[i], light_time=True))
    for _ in range(10):
        r = rng.uniform(1e4, 9e5)
        p = np.array(position_of_plot(now, r, rng.uniform(0.0, 6.0), rng.uniform(0.1, 1.3)))
        v = rng.normal(size=3) * 4000.0
        was = p - v * r / 299792458.0
        assert np.allclose(observe(timed, *p, *v), observe(now, *was, *v), rtol=1e-13, atol=1e-9)
        moved = np.linalg.norm(np.subtract(position_of_plot(timed, *observe(timed, *p, *v)[:3]), p))
        assert moved == pytest.approx(np.linalg.norm(v) * r / 299792458.0, rel=1e-6)
        assert moved > 0.01


@pytest.mark.parametrize("i", range(len(SITES)))
def test_refraction_lifts_what_is_seen_and_is_taken_out_again(i):
    rng = np.random.default_rng(7)
    bent = sensor_row(radar_at(*SITES[i], refractivity=313.0))
    for elevation in (0.02, 0.1, 0.5, 1.2):
        p = position_of_plot(ROWS[i], rng.uniform(1e5, 6e5), rng.uniform(0.0, 6.28), elevation)
        plain, seen = observe(ROWS[i], *p, 0.0, 0.0, 0.0), observe(bent, *p, 0.0, 0.0, 0.0)
        assert seen[2] > plain[2] and seen[0] > plain[0] and seen[1] == plain[1]
        off = np.linalg.norm(np.subtract(position_of_plot(bent, *seen[:3]), p))
        assert off < (2.0 if elevation > 0.05 else 15.0)
        assert np.linalg.norm(np.subtract(position_of_plot(ROWS[i], *seen[:3]), p)) > 3.0 * off


def test_a_flat_sensor_stands_at_the_origin_with_azimuth_from_y_to_x():
    row = sensor_row(radar(flat=True, height_m=20.0))
    assert row[SITE : SITE + 3].tolist() == [0.0, 0.0, 20.0]
    r, azimuth, elevation, rate = observe(row, 300.0, 400.0, 20.0, 0.0, 0.0, 7.0)
    assert (r, azimuth, elevation, rate) == pytest.approx((500.0, math.atan2(300.0, 400.0), 0.0, 0.0))
    assert position_of_plot(row, 500.0, azimuth, 0.0) == pytest.approx((300.0, 400.0, 20.0))


def test_a_sensors_row_says_what_it_measures():
    for names, components in (
        (("range", "azimuth", "elevation", "range_rate"), (IN_RANGE, ACROSS, UPWARD, IN_RATE)),
        (("range", "azimuth"), (IN_RANGE, ACROSS)),
        (("azimuth", "elevation"), (ACROSS, UPWARD)),
        (("x", "y"), (IN_X, IN_Y)),
    ):
        row = sensor_row(radar(measures=names, flat=True))
        assert [c for c in range(7) if measures(row, c)] == sorted(components)
        assert row[DIMENSION] == len(components)
