"""Gravity to degree and order 8: finer than the filter's, for truth and for measuring what J2 leaves out.

In: an Earth-fixed (ECEF) position, m, and coefficients.  Out: acceleration, m/s^2, without the centrifugal
term.  The recursion is Cunningham's as written by Montenbruck & Gill (2000, "Satellite Orbits", eqs. 3.27 to
3.33); the coefficients are EGM2008's (Pavlis et al. 2012), made by scripts/make_gravity.py.
"""

from __future__ import annotations

import math
from importlib.resources import files
from typing import NamedTuple

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray


class Harmonics(NamedTuple):
    """Coefficients of a gravity field: c, s (degree + 1, degree + 1), unnormalised, by [degree, order];
    gm (m^3/s^2) and radius_m that they are referred to.  In the order `gravity_harmonic` takes them."""

    c: NDArray[np.float64]
    s: NDArray[np.float64]
    gm: float
    radius_m: float


class _File(msgspec.Struct):
    degree: int
    gm: float
    radius_m: float
    terms: list[tuple[int, int, float, float]]


def load_harmonics() -> Harmonics:
    """The shipped field, EGM2008 to degree and order 8, with full normalisation undone (M&G eq. 3.13)."""
    data = (files("jointwatch.earth") / "data" / "gravity8.json").read_bytes()
    field = msgspec.json.decode(data, type=_File)
    c = np.zeros((field.degree + 1, field.degree + 1))
    s = np.zeros_like(c)
    for n, m, c_nm, s_nm in field.terms:
        pairs = (1 if m == 0 else 2) * (2 * n + 1)
        factor = math.sqrt(pairs * math.factorial(n - m) / math.factorial(n + m))
        c[n, m], s[n, m] = factor * c_nm, factor * s_nm
    return Harmonics(c, s, field.gm, field.radius_m)


@njit(cache=True)
def gravity_harmonic(
    x: float,
    y: float,
    z: float,
    c: NDArray[np.float64],
    s: NDArray[np.float64],
    gm: float,
    radius_m: float,
) -> tuple[float, float, float]:
    """Acceleration (m/s^2, ECEF axes) at an ECEF point (m) outside the Earth, without the centrifugal term.

    c, s: unnormalised coefficients by [degree, order], of any degree; gm, radius_m: what they refer to.
    """
    top = c.shape[0] + 1
    v = np.zeros((top, top))
    w = np.zeros((top, top))
    k = radius_m / (x * x + y * y + z * z)
    xs, ys, zs, rho = k * x, k * y, k * z, k * radius_m
    v[0, 0] = math.sqrt(rho)
    for m in range(top):
        if m > 0:  # along the diagonal (3.29)
            v[m, m] = (2 * m - 1) * (xs * v[m - 1, m - 1] - ys * w[m - 1, m - 1])
            w[m, m] = (2 * m - 1) * (xs * w[m - 1, m - 1] + ys * v[m - 1, m - 1])
        for n in range(m + 1, top):  # down the column (3.30); above the diagonal all is zero
            v[n, m] = (2 * n - 1) * zs * v[n - 1, m] / (n - m)
            w[n, m] = (2 * n - 1) * zs * w[n - 1, m] / (n - m)
            if n > m + 1:
                v[n, m] -= (n + m - 1) * rho * v[n - 2, m] / (n - m)
                w[n, m] -= (n + m - 1) * rho * w[n - 2, m] / (n - m)
    ax, ay, az = 0.0, 0.0, 0.0
    for n in range(top - 2, -1, -1):  # small terms first (3.33)
        for m in range(n, -1, -1):
            cn, sn = c[n, m], s[n, m]
            if m == 0:
                ax -= cn * v[n + 1, 1]
                ay -= cn * w[n + 1, 1]
            else:
                f = 0.5 * (n - m + 1) * (n - m + 2)
                ax -= 0.5 * (cn * v[n + 1, m + 1] + sn * w[n + 1, m + 1])
                ax += f * (cn * v[n + 1, m - 1] + sn * w[n + 1, m - 1])
                ay -= 0.5 * (cn * w[n + 1, m + 1] - sn * v[n + 1, m + 1])
                ay += f * (sn * v[n + 1, m - 1] - cn * w[n + 1, m - 1])
            az -= (n - m + 1) * (cn * v[n + 1, m] + sn * w[n + 1, m])
    g = gm / (radius_m * radius_m)
    return g * ax, g * ay, g * az
