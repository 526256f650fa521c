"""The filter's air: its density, a smooth fit through standard values to 200 km, and its speed of sound.

In: height above the ellipsoid, m.  Out: density, kg/m^3, scale height, m, and speed of sound, m/s.  The
density's nodes are those of the exponential model of Vallado ("Fundamentals of Astrodynamics and
Applications", table 8-4), with four more below 25 km, where one exponential is a quarter off.  Between them
the logarithm of density is a natural cubic spline, so density and its slope have no steps for an integrator
to stumble over; outside them it goes on with the slope of the end.  The exercise's truth uses another
atmosphere of its own.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf

_NODES: tuple[tuple[float, float], ...] = (  # height km, density kg/m^3
    (0.0, 1.225),
    (5.0, 0.7364),
    (10.0, 0.4135),
    (15.0, 0.1948),
    (20.0, 8.891e-2),
    (25.0, 3.899e-2),
    (30.0, 1.774e-2),
    (40.0, 3.972e-3),
    (50.0, 1.057e-3),
    (60.0, 3.206e-4),
    (70.0, 8.770e-5),
    (80.0, 1.905e-5),
    (90.0, 3.396e-6),
    (100.0, 5.297e-7),
    (110.0, 9.661e-8),
    (120.0, 2.438e-8),
    (130.0, 8.484e-9),
    (140.0, 3.845e-9),
    (150.0, 2.070e-9),
    (180.0, 5.464e-10),
    (200.0, 2.789e-10),
)
_STEP_M = 5000.0  # every node lies on this grid, so the cell of a height is one division


def _spline_cells() -> NDArray[np.float64]:
    """(cells, 4) cubic of ln density on each 5 km cell, in powers of metres above the cell's foot."""
    h = [1000.0 * height for height, _ in _NODES]
    f = [math.log(density) for _, density in _NODES]
    n = len(h)
    # second derivatives m by elimination of the tridiagonal system, m = 0 at both ends
    m, c, d = [0.0] * n, [0.0] * n, [0.0] * n
    for i in range(1, n - 1):
        left, right = h[i] - h[i - 1], h[i + 1] - h[i]
        pivot = 2.0 * (left + right) - left * c[i - 1]
        rhs = 6.0 * ((f[i + 1] - f[i]) / right - (f[i] - f[i - 1]) / left)
        c[i], d[i] = right / pivot, (rhs - left * d[i - 1]) / pivot
    for i in range(n - 2, 0, -1):
        m[i] = d[i] - c[i] * m[i + 1]
    cells = []
    for i in range(n - 1):
        w = h[i + 1] - h[i]
        slope = (f[i + 1] - f[i]) / w - w * (2.0 * m[i] + m[i + 1]) / 6.0
        third = (m[i + 1] - m[i]) / w
        for k in range(round(w / _STEP_M)):
            u = k * _STEP_M
            cells.append(
                (
                    f[i] + u * (slope + u * (m[i] / 2.0 + u * third / 6.0)),
                    slope + u * (m[i] + u * third / 2.0),
                    (m[i] + u * third) / 2.0,
                    third / 6.0,
                )
            )
    return np.array(cells)


_CELLS = _spline_cells()
_LAST = len(_CELLS) - 1
_TOP_M = 1000.0 * _NODES[-1][0]
GROUND_SOUND_MS, HIGH_SOUND_MS = 340.3, 295.1
SOUND_FALL_S = 4.109e-3
"""The standard atmosphere's speed of sound at the ground and from 11 km on, and by how much it falls a metre
up to there.  Above 25 km it grows again, by an eighth at most, where little air is left to drag."""


@njit(cache=True)
def density_exponential(height_m: float) -> float:
    """Air density (kg/m^3) at a height (m); defined at every height, negligible above 200 km."""
    h = min(max(height_m, 0.0), _TOP_M)
    i = min(int(h / _STEP_M), _LAST)
    u = h - i * _STEP_M
    a, b, c, d = _CELLS[i, 0], _CELLS[i, 1], _CELLS[i, 2], _CELLS[i, 3]
    slope = b + u * (2.0 * c + 3.0 * u * d)
    return math.exp(a + u * (b + u * (c + u * d)) + slope * (height_m - h))


@njit(cache=True)
def density_scale_height(height_m: float) -> float:
    """Scale height H (m) at a height (m), where d ln density / d height = -1 / H: 5.3 to 31 km."""
    h = min(max(height_m, 0.0), _TOP_M)
    i = min(int(h / _STEP_M), _LAST)
    u = h - i * _STEP_M
    return -1.0 / float(_CELLS[i, 1] + u * (2.0 * _CELLS[i, 2] + 3.0 * u * _CELLS[i, 3]))


@leaf
def sound_speed(height_m: float) -> float:
    """Speed of sound (m/s) at a height (m)."""
    return max(GROUND_SOUND_MS - SOUND_FALL_S * max(height_m, 0.0), HIGH_SOUND_MS)


@leaf
def sound_slope(height_m: float) -> float:
    """Slope of `sound_speed` by height (1/s)."""
    return -SOUND_FALL_S if 0.0 < height_m < (GROUND_SOUND_MS - HIGH_SOUND_MS) / SOUND_FALL_S else 0.0
