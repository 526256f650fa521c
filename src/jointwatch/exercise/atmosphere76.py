"""The truth's air: US Standard Atmosphere 1976, and a simple wind.

In: height above the ellipsoid, m.  Out: density, pressure, speed of sound; wind towards the east.
To 86 km the seven layers of the standard (NOAA-S/T 76-1562, eqs. 23, 33a, 33b) with geopotential height;
above it the standard's own tabulated densities joined by straight lines in the logarithm.  Deliberately
finer than, and written apart from, the atmosphere the filter uses (`earth.atmosphere`): the truth must not
share the filter's errors.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

_G0 = 9.80665
_R_AIR = 287.05287
_EARTH_M = 6356766.0
"""Radius that turns geometric into geopotential height in the standard, m."""
_BASE_M = np.array([0.0, 11e3, 20e3, 32e3, 47e3, 51e3, 71e3, 84852.0])
_LAPSE = np.array([-6.5e-3, 0.0, 1.0e-3, 2.8e-3, 0.0, -2.8e-3, -2.0e-3])


def _layer_bases() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Temperature (K) and pressure (Pa) at the foot of each layer."""
    t, p = [288.15], [101325.0]
    for i, lapse in enumerate(_LAPSE):
        dh = _BASE_M[i + 1] - _BASE_M[i]
        t1 = t[-1] + lapse * dh
        if lapse == 0.0:
            p.append(p[-1] * math.exp(-_G0 * dh / (_R_AIR * t[-1])))
        else:
            p.append(p[-1] * (t[-1] / t1) ** (_G0 / (_R_AIR * lapse)))
        t.append(t1)
    return np.array(t), np.array(p)


_BASE_K, _BASE_PA = _layer_bases()
# Table of the standard above 86 km: geometric height (m), density (kg/m^3).
_HIGH = np.array(
    [
        [86e3, 6.958e-6],
        [90e3, 3.416e-6],
        [100e3, 5.604e-7],
        [110e3, 9.708e-8],
        [120e3, 2.222e-8],
        [130e3, 8.152e-9],
        [150e3, 2.076e-9],
        [200e3, 2.541e-10],
        [300e3, 1.916e-11],
        [500e3, 5.215e-13],
        [1000e3, 3.561e-15],
    ]
)
_HIGH_M, _HIGH_LOG = _HIGH[:, 0].copy(), np.log(_HIGH[:, 1])


@njit(cache=True)
def standard_atmosphere(height_m: float) -> tuple[float, float, float]:
    """Density (kg/m^3), pressure (Pa) and speed of sound (m/s) at a geometric height (m).

    Below -5 km it stays what it is there (the truth integrates a little past the ground); above 86 km the
    pressure is 0 and the speed of sound that of 86 km: neither matters there.
    """
    h = max(height_m, -5000.0)
    if h >= 86e3:
        i = 0
        while i < _HIGH_M.size - 2 and h > _HIGH_M[i + 1]:
            i += 1
        slope = (_HIGH_LOG[i + 1] - _HIGH_LOG[i]) / (_HIGH_M[i + 1] - _HIGH_M[i])
        return math.exp(_HIGH_LOG[i] + slope * (h - _HIGH_M[i])), 0.0, 274.1
    hp = _EARTH_M * h / (_EARTH_M + h)
    i = 0
    while i < 6 and hp > _BASE_M[i + 1]:
        i += 1
    dh = hp - _BASE_M[i]
    temperature = _BASE_K[i] + _LAPSE[i] * dh
    if _LAPSE[i] == 0.0:
        pressure = _BASE_PA[i] * math.exp(-_G0 * dh / (_R_AIR * _BASE_K[i]))
    else:
        pressure = _BASE_PA[i] * (_BASE_K[i] / temperature) ** (_G0 / (_R_AIR * _LAPSE[i]))
    return pressure / (_R_AIR * temperature), pressure, math.sqrt(1.4 * _R_AIR * temperature)


@njit(cache=True)
def jet_wind(height_m: float) -> float:
    """Wind towards the east (m/s): a jet of 25 m/s at 11 km, 5 km wide, as a bell over height."""
    d = (height_m - 11e3) / 5e3
    return 25.0 * math.exp(-0.5 * d * d)
