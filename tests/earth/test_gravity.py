"""Gravity: the filter's J2 field, its gradient, and the finer field that truth uses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import lpmv

from jointwatch.earth.frames import SEMI_MAJOR_M, geodetic2ecef
from jointwatch.earth.gravity import GM, J2, gravity_j2, gravity_j2_gradient
from jointwatch.earth.harmonics import Harmonics, gravity_harmonic, load_harmonics

RNG = np.random.default_rng(7)
POINTS = [
    geodetic2ecef(math.radians(latitude), math.radians(RNG.uniform(-180, 180)), RNG.uniform(0.0, 1.0e6))
    for latitude in (-89.0, -50.0, -5.0, 0.0, 12.0, 31.0, 33.0, 45.0, 71.0, 89.9)
]


def central_difference(function, point, step):
    """(3, ...) derivative of a function of position, by differences of fourth order."""
    rows = []
    for axis in np.eye(3) * step:
        f = [np.array(function(*(np.array(point) + k * axis))) for k in (-2, -1, 1, 2)]
        rows.append((f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * step))
    return np.array(rows)


def potential(field: Harmonics, x: float, y: float, z: float) -> float:
    """The textbook sum, by SciPy's Legendre functions: an independent twin of the recursion."""
    r, longitude = math.sqrt(x * x + y * y + z * z), math.atan2(y, x)
    total = 0.0
    for n in range(len(field.c)):
        for m in range(n + 1):
            legendre = (-1) ** m * lpmv(m, n, z / r)  # without the Condon-Shortley phase
            wave = field.c[n, m] * math.cos(m * longitude) + field.s[n, m] * math.sin(m * longitude)
            total += (field.radius_m / r) ** n * legendre * wave
    return field.gm / r * total


@pytest.mark.parametrize("point", POINTS)
def test_the_gradient_is_the_slope_of_the_acceleration(point):
    xx, yy, zz, xy, xz, yz = gravity_j2_gradient(*point)
    gradient = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    slope = central_difference(gravity_j2, point, 1000.0).T
    assert np.abs(gradient - slope).max() < 1e-9 * np.abs(gradient).max()
    assert np.array_equal(gradient, gradient.T)
    assert abs(np.trace(gradient)) < 1e-12 * np.abs(gradient).max()


def test_gravity_at_the_equator_and_the_pole_is_the_ellipsoids():
    # normal gravity of WGS-84 (NIMA TR8350.2): 9.7803253359 and 9.8321849378 m/s^2; the equator's has the
    # centrifugal term taken off, and J4, which the filter leaves out, is worth up to 1.2e-4
    turning = 7.292115e-5**2 * SEMI_MAJOR_M
    assert -gravity_j2(SEMI_MAJOR_M, 0.0, 0.0)[0] - turning == pytest.approx(9.7803253359, abs=1.5e-4)
    assert -gravity_j2(0.0, 0.0, 6356752.3142)[2] == pytest.approx(9.8321849378, abs=1.5e-4)


def test_gravity_on_the_axis_is_finite_and_along_it():
    ax, ay, az = gravity_j2(0.0, 0.0, 6.5e6)
    assert ax == 0.0 and ay == 0.0 and -10.0 < az < -9.0


@pytest.mark.parametrize("point", POINTS)
def test_a_field_of_degree_two_and_order_zero_is_the_j2_field(point):
    c = np.zeros((3, 3))
    c[0, 0], c[2, 0] = 1.0, -J2
    found = gravity_harmonic(*point, c, np.zeros((3, 3)), GM, SEMI_MAJOR_M)
    assert np.allclose(found, gravity_j2(*point), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("point", POINTS)
def test_the_recursion_is_the_slope_of_the_textbook_potential(point):
    field = load_harmonics()
    slope = central_difference(lambda *p: potential(field, *p), point, 500.0)
    assert np.allclose(gravity_harmonic(*point, *field), slope, rtol=0.0, atol=2e-8)


def test_the_shipped_field_is_the_earths():
    field = load_harmonics()
    assert field.c.shape == field.s.shape == (9, 9)
    assert field.gm == pytest.approx(GM, rel=1e-8)
    assert -field.c[2, 0] == pytest.approx(J2, rel=1e-5)
    # J3 and J4 as any table gives them (unnormalised): the normalisation is undone
    assert -field.c[3, 0] == pytest.approx(-2.5327e-6, rel=3e-4)
    assert -field.c[4, 0] == pytest.approx(-1.6196e-6, rel=3e-4)
    assert not field.c[1].any() and not field.s[:, 0].any()


def test_what_j2_leaves_out_is_some_ten_thousandths_of_a_metre_per_second_squared():
    field = load_harmonics()
    missing = []
    for latitude in np.radians(np.arange(-85.0, 86.0, 10.0)):
        for longitude in np.radians(np.arange(0.0, 360.0, 20.0)):
            p = geodetic2ecef(latitude, longitude, 100e3)
            missing.append(np.linalg.norm(np.subtract(gravity_harmonic(*p, *field), gravity_j2(*p))))
    assert 1e-4 < float(np.median(missing)) < 3e-4
    assert 2e-4 < max(missing) < 6e-4
