"""The radar's measurement: against pymap3d, against differences, and there and back."""

from __future__ import annotations

import math

import numpy as np
import pymap3d
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.earth.frames import enu_rotation, geodetic2ecef
from jointwatch.records import Sensor
from jointwatch.sensing.radar import SITE, observe, observe_jacobian, position_of_plot, sensor_row

SITES = [(32.0, 35.0, 700.0), (-45.0, 170.0, 0.0), (0.0, -60.0, 2500.0), (78.0, 15.0, 50.0)]


def radar(latitude_deg, longitude_deg, height_m):
    return Sensor(
        name="radar",
        partner="Amber",
        latitude_rad=math.radians(latitude_deg),
        longitude_rad=math.radians(longitude_deg),
        height_m=height_m,
        range_min_m=1e3,
        range_max_m=1e6,
        elevation_min_rad=0.0,
        elevation_max_rad=math.pi / 2,
        sigma_range_m=50.0,
        sigma_azimuth_rad=1e-3,
        sigma_elevation_rad=1e-3,
        sigma_range_rate_ms=5.0,
        period_s=5.0,
        sectors=12,
        detection=0.9,
        clutter_per_scan=100.0,
    )


ROWS = [sensor_row(radar(*site)) for site in SITES]
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


@pytest.mark.parametrize("i", range(len(SITES)))
def test_the_jacobian_is_the_slope_of_the_measurement(i):
    rng = np.random.default_rng(4)
    for _ in range(20):
        plot = rng.uniform(5e3, 8e5), rng.uniform(0, 2 * math.pi), rng.uniform(0.0, 1.4)
        s = np.concatenate([position_of_plot(ROWS[i], *plot), rng.normal(size=3) * 2000.0, [-8.5]])
        z, h = np.empty(4), np.empty((4, 6))
        observe_jacobian(ROWS[i], s, z, h)
        assert np.allclose(z, observe(ROWS[i], *s[:6]), rtol=1e-14, atol=0.0)
        for k in range(6):
            step = 1e-4 * plot[0] if k < 3 else 1.0
            d = np.zeros(6)
            d[k] = step

            def measured(n, d=d, s=s):
                return np.array(observe(ROWS[i], *(s[:6] + n * d)))

            change = 8.0 * (measured(1) - measured(-1)) - (measured(2) - measured(-2))
            change[1] = 8.0 * wrap(measured(1)[1] - measured(-1)[1]) - wrap(measured(2)[1] - measured(-2)[1])
            slope = change / (12.0 * step)
            assert np.allclose(h[:, k], slope, rtol=2e-5, atol=1e-5 * np.abs(h).max(axis=1))


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
