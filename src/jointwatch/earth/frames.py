"""Frames on the WGS-84 ellipsoid: geodetic, Earth-centred Earth-fixed (ECEF), east-north-up (ENU).

In and out: radians and metres, scalars in compiled kernels.  ECEF is the frame of every state in the
house; geodetic is for people and files, ENU for sensors and for ground ellipses.
Heights are above the ellipsoid.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

MEAN_RADIUS_M = 6371000.0
"""For what needs no ellipsoid: small offsets on the ground, and where the horizon is."""
SEMI_MAJOR_M = 6378137.0
FLATTENING = 1.0 / 298.257223563
ECCENTRICITY2 = FLATTENING * (2.0 - FLATTENING)
EARTH_RATE = 7.292115e-5
"""Rotation of the Earth, rad/s (WGS-84)."""


@njit(cache=True)
def geodetic2ecef(latitude: float, longitude: float, height: float) -> tuple[float, float, float]:
    """ECEF x, y, z (m) of a geodetic point (rad, rad, m)."""
    s = math.sin(latitude)
    n = SEMI_MAJOR_M / math.sqrt(1.0 - ECCENTRICITY2 * s * s)
    c = (n + height) * math.cos(latitude)
    return c * math.cos(longitude), c * math.sin(longitude), (n * (1.0 - ECCENTRICITY2) + height) * s


@njit(cache=True)
def ecef2geodetic(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Latitude, longitude (rad), height (m) of an ECEF point (Bowring 1985, iterated: 1 um to 2,000 km)."""
    p = math.hypot(x, y)
    b = SEMI_MAJOR_M * (1.0 - FLATTENING)
    ep2 = ECCENTRICITY2 / (1.0 - ECCENTRICITY2)
    t = math.atan2(z * SEMI_MAJOR_M, p * b)
    latitude = 0.0
    for _ in range(3):
        st, ct = math.sin(t), math.cos(t)
        latitude = math.atan2(z + ep2 * b * st * st * st, p - ECCENTRICITY2 * SEMI_MAJOR_M * ct * ct * ct)
        t = math.atan2((1.0 - FLATTENING) * math.sin(latitude), math.cos(latitude))
    s, c = math.sin(latitude), math.cos(latitude)
    height = p * c + z * s - SEMI_MAJOR_M * math.sqrt(1.0 - ECCENTRICITY2 * s * s)
    return latitude, math.atan2(y, x), height


@njit(cache=True)
def height_above_ellipsoid(x: float, y: float, z: float) -> float:
    """Height (m) of an ECEF point, to 1e-4 m below 1,000 km: one Bowring step, cheap enough for the
    right-hand side of the equations of motion."""
    p = math.sqrt(x * x + y * y)
    b = SEMI_MAJOR_M * (1.0 - FLATTENING)
    ep2 = ECCENTRICITY2 / (1.0 - ECCENTRICITY2)
    # the parametric latitude corrected for height (Bowring 1985, eq. 3)
    r = math.sqrt(p * p + z * z)
    u = (1.0 - FLATTENING) * z / p * (1.0 + ep2 * b / r) if p > 1.0 else 1e12
    cu = 1.0 / math.sqrt(1.0 + u * u)
    su = u * cu
    num = z + ep2 * b * su * su * su
    den = p - ECCENTRICITY2 * SEMI_MAJOR_M * cu * cu * cu
    h = math.sqrt(num * num + den * den)
    s, c = num / h, den / h
    return p * c + z * s - SEMI_MAJOR_M * math.sqrt(1.0 - ECCENTRICITY2 * s * s)


@njit(cache=True)
def is_higher(x: float, y: float, z: float, height: float) -> bool:
    """Whether an ECEF point lies higher (m) above the ellipsoid; cheap where it does by far."""
    sure = SEMI_MAJOR_M + height
    return x * x + y * y + z * z > sure * sure or height_above_ellipsoid(x, y, z) > height


@njit(cache=True)
def enu_rotation(latitude: float, longitude: float) -> NDArray[np.float64]:
    """(3, 3) rotation whose rows are east, north and up in ECEF: enu = R @ (ecef - site)."""
    sp, cp = math.sin(latitude), math.cos(latitude)
    sl, cl = math.sin(longitude), math.cos(longitude)
    r = np.empty((3, 3))
    r[0, 0], r[0, 1], r[0, 2] = -sl, cl, 0.0
    r[1, 0], r[1, 1], r[1, 2] = -sp * cl, -sp * sl, cp
    r[2, 0], r[2, 1], r[2, 2] = cp * cl, cp * sl, sp
    return r
