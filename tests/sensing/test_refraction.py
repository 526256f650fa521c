"""Refraction, against rays traced step by step through the same air, and against what is published of it."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.sensing.refraction import (
    MOST_RAD,
    MOST_REFRACTIVITY,
    bending,
    scale_height_m,
    straightened,
)

AVERAGE = 313.0
RANGES_M = (1e3, 1e4, 5e4, 1.5e5, 3e5, 6e5, 1e6, 2e6)


@cache
def ray(apparent_rad, n0, height_m=0.0):
    """Points of one ray: (true elevation, straight range, error of elevation, error of range) along it.

    The ray equation d(n t)/ds = grad n, integrated in a plane through the Earth's centre.
    """
    site, scale = MEAN_RADIUS_M + height_m, scale_height_m(n0)

    def along(s, y):
        radius = math.hypot(y[0], y[1])
        extra = 1e-6 * n0 * math.exp(-(radius - site) / scale)
        gx, gy = -extra / scale * y[0] / radius, -extra / scale * y[1] / radius
        ahead = gx * y[2] + gy * y[3]
        n = 1.0 + extra
        return [y[2], y[3], (gx - ahead * y[2]) / n, (gy - ahead * y[3]) / n, extra]

    start = [0.0, site, math.cos(apparent_rad), math.sin(apparent_rad), 0.0]
    path = solve_ivp(
        along, (0.0, RANGES_M[-1]), start, "DOP853", RANGES_M, rtol=1e-11, atol=1e-9, max_step=2e4
    )
    points = []
    for s, (x, y, _, _, delay) in zip(RANGES_M, path.y.T, strict=True):
        straight, true_rad = math.hypot(x, y - site), math.atan2(y - site, x)
        points.append((true_rad, straight, apparent_rad - true_rad, s + delay - straight))
    return points


@pytest.mark.parametrize("n0", [200.0, AVERAGE, 400.0])
@pytest.mark.parametrize("apparent_rad", [0.0, 0.003, 0.01, 0.03, 0.1, 0.4, 1.0, 1.5, 0.5 * math.pi])
def test_errors_of_elevation_and_range_are_those_of_a_traced_ray_within_half_a_percent(apparent_rad, n0):
    for true_rad, straight_m, error_rad, error_m in ray(apparent_rad, n0):
        ours_rad, ours_m = bending(true_rad, straight_m, 0.0, n0)
        assert ours_rad == pytest.approx(error_rad, rel=0.005, abs=2e-6)
        assert ours_m == pytest.approx(error_m, rel=0.005, abs=0.01)


@pytest.mark.parametrize("height_m", [-400.0, 3000.0])
def test_a_radar_on_a_mountain_or_by_the_dead_sea_bends_as_traced(height_m):
    for true_rad, straight_m, error_rad, error_m in ray(0.01, 280.0, height_m):
        ours_rad, ours_m = bending(true_rad, straight_m, height_m, 280.0)
        assert ours_rad == pytest.approx(error_rad, rel=0.005, abs=2e-6)
        assert ours_m == pytest.approx(error_m, rel=0.005, abs=0.01)


def test_a_radar_that_looks_down_from_a_mountain_bends_as_traced():
    true_rad, straight_m, error_rad, error_m = ray(-0.02, 250.0, 3000.0)[2]
    assert bending(true_rad, straight_m, 3000.0, 250.0) == pytest.approx((error_rad, error_m), rel=0.005)


@pytest.mark.parametrize(("n0", "fall"), [(250.0, 29.5), (313.0, 41.9), (400.0, 68.1)])
def test_the_first_kilometre_takes_what_the_reference_atmosphere_says(n0, fall):
    """Bean & Thayer 1959: 29.5, 41.9 and 68.1 N-units; scale height 6.95 km for 313."""
    assert n0 * (1.0 - math.exp(-1000.0 / scale_height_m(n0))) == pytest.approx(fall, abs=0.1)
    assert scale_height_m(AVERAGE) == pytest.approx(6950.0, abs=10.0)


def test_near_the_ground_rays_bend_as_if_the_earth_were_four_thirds_as_large():
    """Schelleng, Burrows & Ferrell 1933: rays are straight over an Earth of 4/3 its radius."""
    for range_m in (10e3, 30e3, 60e3):
        larger = 0.5 * range_m * (1.0 - 3.0 / 4.0) / MEAN_RADIUS_M
        assert bending(0.0, range_m, 0.0, AVERAGE)[0] == pytest.approx(larger, rel=0.2)


def test_stars_stand_as_much_too_high_as_bennetts_formula_says():
    """Bennett 1982 (optical refraction at 1010 mb and 10 degrees): 34 minutes of arc on the horizon.

    The air is 282 N-units for light; its scale height is not the radio one, which matters below 5 degrees.
    """
    for apparent_deg, rel in ((0.0, 0.2), (2.0, 0.1), (5.0, 0.03), (10.0, 0.03), (30.0, 0.03), (60.0, 0.03)):
        minutes = 1.0 / math.tan(math.radians(apparent_deg + 7.31 / (apparent_deg + 4.4)))
        published = math.radians(minutes / 60.0)
        true_rad = math.radians(apparent_deg)
        for _ in range(30):
            true_rad = math.radians(apparent_deg) - bending(true_rad, 1e9, 0.0, 282.0)[0]
        assert math.radians(apparent_deg) - true_rad == pytest.approx(published, rel=rel)


def test_the_errors_have_the_published_size():
    """Bean & Dutton 1966, "Radio Meteorology": 2.2 to 2.4 m straight up, about 100 m along the horizon;
    several milliradians near it, and some 3 at 5 degrees."""
    assert 2.1 < bending(0.5 * math.pi, 1e6, 0.0, AVERAGE)[1] < 2.5
    true_rad, straight_m, _, _ = ray(0.0, AVERAGE)[-2]
    assert 90.0 < bending(true_rad, straight_m, 0.0, AVERAGE)[1] < 115.0
    assert 8e-3 < bending(true_rad, straight_m, 0.0, AVERAGE)[0] < 14e-3
    assert bending(math.radians(5.0), 1e6, 0.0, AVERAGE)[0] == pytest.approx(3e-3, rel=0.1)


def test_elevation_errors_grow_with_range_and_both_errors_fall_with_elevation_smoothly():
    ranges, elevations = np.geomspace(1e3, 2e6, 60), np.linspace(0.0, 0.5 * math.pi, 600)
    angles = np.array([[bending(e, r, 0.0, AVERAGE)[0] for r in ranges] for e in elevations])
    lengths = np.array([[bending(e, r, 0.0, AVERAGE)[1] for r in ranges] for e in elevations])
    assert (np.diff(angles, axis=1) > -2e-6).all()
    assert (np.diff(angles, axis=0) < 2e-6).all() and (np.diff(lengths, axis=0) < 0.01).all()
    assert np.allclose(angles[-1], 0.0, atol=1e-12)  # straight up, nothing bends


@pytest.mark.parametrize("n0", [250.0, AVERAGE, 400.0])
def test_what_appears_is_put_back_where_it_is(n0):
    for elevation in np.radians([-0.8, -0.3, 0.0, 0.3, 1.0, 3.0, 10.0, 45.0, 89.0]):
        for range_m in (2e3, 1e5, 4e5, 1e6, 2e6):
            bent, longer = bending(elevation, range_m, 200.0, n0)
            back, straight = straightened(elevation + bent, range_m + longer, 200.0, n0)
            if elevation + bent < 0.0:
                continue
            high = elevation > math.radians(0.9)
            assert back == pytest.approx(elevation, abs=3e-7 if high else 3e-5)
            assert straight == pytest.approx(range_m, abs=0.1 if high else 3.0)


def test_without_air_nothing_bends():
    assert bending(0.1, 1e5, 0.0, 0.0) == (0.0, 0.0)
    assert straightened(0.1, 1e5, 0.0, 0.0) == (0.1, 1e5)


def test_whatever_is_asked_the_answer_is_a_number_within_bounds():
    """Below the horizon, through the Earth, in impossible air, at no range: a filter may ask for anything."""
    rng = np.random.default_rng(3)
    for _ in range(3000):
        seen = rng.uniform(-0.5, 0.5) * math.pi, 10.0 ** rng.uniform(-3.0, 8.0)
        air = rng.uniform(-500.0, 9000.0), rng.choice([1e-3, 300.0, MOST_REFRACTIVITY, 1e4])
        angle, longer = bending(*seen, *air)
        assert 0.0 <= angle <= MOST_RAD and 0.0 <= longer < 1e7
        elevation, range_m = straightened(*seen, *air)
        assert abs(elevation - seen[0]) <= 3.0 * MOST_RAD and abs(range_m - seen[1]) < 1e7
