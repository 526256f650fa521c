"""Gravity of the filter: the Earth's mass and its flattening (J2), and how it changes from place to place.

In: an Earth-fixed (ECEF) position, m.  Out: the acceleration it causes there, m/s^2, and its gradient,
1/s^2, for covariances.  The centrifugal term is not in it: it belongs to the rotating frame and stands in
the equations of motion.  Finer terms are in `earth.harmonics`; they are what process noise covers.

With q = 1.5 J2 GM a^2 and t = z^2 / r^2 (Montenbruck & Gill 2000, "Satellite Orbits", sec. 3.2):
    a = -GM p / r^3  +  q / r^5 * [x (5 t - 1), y (5 t - 1), z (5 t - 3)]
"""

from __future__ import annotations

import math

from numba import njit

from jointwatch.earth.frames import SEMI_MAJOR_M

GM = 3.986004418e14
"""Gravitational constant of the Earth with its air, m^3/s^2 (WGS-84)."""
J2 = 1.0826298e-3
"""Dynamic form factor, unnormalised (WGS-84)."""

_Q = 1.5 * J2 * GM * SEMI_MAJOR_M * SEMI_MAJOR_M


@njit(cache=True)
def gravity_j2(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Acceleration (m/s^2, ECEF axes) at an ECEF point (m), without the centrifugal term."""
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    k = GM / (r2 * r)
    q = _Q / (r2 * r2 * r)
    t = 5.0 * z * z / r2
    across = q * (t - 1.0) - k
    return x * across, y * across, z * (q * (t - 3.0) - k)


@njit(cache=True)
def gravity_j2_gradient(x: float, y: float, z: float) -> tuple[float, float, float, float, float, float]:
    """Gradient d a_i / d x_j (1/s^2) of `gravity_j2`, xx, yy, zz, xy, xz, yz: by Laplace without trace."""
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    k = GM / (r2 * r)
    q = _Q / (r2 * r2 * r)
    t = 5.0 * z * z / r2
    # a_x = x A, a_y = y A, a_z = z (A - 2 q), with A = q (t - 1) - k;
    # dk/dx_j = -3 k x_j / r^2, dq/dx_j = -5 q x_j / r^2, dt/dx_j = -2 t x_j / r^2 (+ 10 z / r^2 for j = z)
    a = q * (t - 1.0) - k
    c = (3.0 * k - q * (7.0 * t - 5.0)) / r2  # dA/dx_j = c x_j (+ 10 q z / r^2 for j = z)
    b = 10.0 * q / r2
    zz = a - 2.0 * q + (c + 2.0 * b) * z * z
    return a + c * x * x, a + c * y * y, zz, c * x * y, (c + b) * x * z, (c + b) * y * z
