"""Between two samples of a motion: position and velocity by the cubic that meets both.

In: two samples of position and velocity and their times; out: both at a time between.  The exercise's truth
and a flown burn are kept as samples and asked by it.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@njit(cache=True)
def hermite(t: float, ta: float, tb: float, a: Floats, b: Floats, out: Floats) -> None:
    """Fill out (6,) with position and velocity at t between samples a at ta and b at tb (cubic Hermite)."""
    h = tb - ta
    u = (t - ta) / h
    h00, h10 = (1.0 + 2.0 * u) * (1.0 - u) ** 2, u * (1.0 - u) ** 2
    h01, h11 = u * u * (3.0 - 2.0 * u), u * u * (u - 1.0)
    d00, d10 = 6.0 * u * (u - 1.0), (1.0 - u) * (1.0 - 3.0 * u)
    d11 = u * (3.0 * u - 2.0)
    for i in range(3):
        out[i] = h00 * a[i] + h01 * b[i] + h * (h10 * a[3 + i] + h11 * b[3 + i])
        out[3 + i] = d00 * (a[i] - b[i]) / h + d10 * a[3 + i] + d11 * b[3 + i]
