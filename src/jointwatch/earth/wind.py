"""How strong the wind is that nobody measured: what it is in the root mean square, by height.

In: height above the ellipsoid, m.  Out: m/s per horizontal axis, the mean wind in it: neither is known to a
node.  An order of magnitude from climatologies of winds aloft at 20 to 50 degrees of latitude over all
seasons: a few m/s at the ground, the jet at 12 km, little above it (Oort 1983, "Global atmospheric
circulation statistics", NOAA Professional Paper 14).
"""

from __future__ import annotations

import numpy as np
from numba import njit

_HEIGHT_M = np.array([0.0, 1.5e3, 5.5e3, 12e3, 18e3, 25e3])
_WIND_MS = np.array([3.5, 5.5, 10.0, 18.0, 8.0, 8.0])


@njit(cache=True)
def wind_rms(height_m: float) -> float:
    """Wind per axis (m/s) at a height, straight between the climatology's levels and even beyond them."""
    if height_m <= _HEIGHT_M[0]:
        return float(_WIND_MS[0])
    for i in range(1, len(_HEIGHT_M)):
        if height_m < _HEIGHT_M[i]:
            share = (height_m - _HEIGHT_M[i - 1]) / (_HEIGHT_M[i] - _HEIGHT_M[i - 1])
            return float(_WIND_MS[i - 1] + share * (_WIND_MS[i] - _WIND_MS[i - 1]))
    return float(_WIND_MS[-1])
