"""How a radar measures: range, azimuth, elevation and range rate of an Earth-fixed state, and back.

In: a sensor's parameter row (`sensor_row`) and a state; out: the four measured values, their Jacobian,
or the Cartesian position behind a plot.  Azimuth is clockwise from true north, elevation is above the
ellipsoid's horizontal at the radar; refraction is off.  The velocity is Earth-fixed, so the range rate of
a radar that stands still needs no correction for the Earth's turning.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import enu_rotation, geodetic2ecef
from jointwatch.records import Sensor

# A parameter row: where each value of a Sensor lies in the flat float64 array kernels take.
SITE = 0  # 0..2 site x, y, z (m)
ROTATION = 3  # 3..11 rows of the ENU rotation
RANGE_MIN, RANGE_MAX = 12, 13
ELEVATION_MIN, ELEVATION_MAX = 14, 15
SIGMA_RANGE, SIGMA_AZIMUTH, SIGMA_ELEVATION, SIGMA_RANGE_RATE = 16, 17, 18, 19
DETECTION = 20
HEIGHT = 21
PERIOD = 22
CLUTTER = 23
SECTORS = 24
ROW = 25


def sensor_row(sensor: Sensor) -> NDArray[np.float64]:
    """The (ROW,) parameter row of a sensor, in SI units and radians."""
    row = np.empty(ROW)
    row[SITE : SITE + 3] = geodetic2ecef(sensor.latitude_rad, sensor.longitude_rad, sensor.height_m)
    row[ROTATION : ROTATION + 9] = enu_rotation(sensor.latitude_rad, sensor.longitude_rad).ravel()
    row[RANGE_MIN], row[RANGE_MAX] = sensor.range_min_m, sensor.range_max_m
    row[ELEVATION_MIN], row[ELEVATION_MAX] = sensor.elevation_min_rad, sensor.elevation_max_rad
    row[SIGMA_RANGE], row[SIGMA_RANGE_RATE] = sensor.sigma_range_m, sensor.sigma_range_rate_ms
    row[SIGMA_AZIMUTH], row[SIGMA_ELEVATION] = sensor.sigma_azimuth_rad, sensor.sigma_elevation_rad
    row[DETECTION], row[HEIGHT] = sensor.detection, sensor.height_m
    row[PERIOD], row[CLUTTER], row[SECTORS] = sensor.period_s, sensor.clutter_per_scan, sensor.sectors
    return row


@njit(cache=True)
def observe(
    row: NDArray[np.float64], px: float, py: float, pz: float, vx: float, vy: float, vz: float
) -> tuple[float, float, float, float]:
    """Range (m), azimuth (rad, 0..2 pi), elevation (rad) and range rate (m/s) of an ECEF state (m, m/s)."""
    dx, dy, dz = px - row[0], py - row[1], pz - row[2]
    e = row[3] * dx + row[4] * dy + row[5] * dz
    n = row[6] * dx + row[7] * dy + row[8] * dz
    u = row[9] * dx + row[10] * dy + row[11] * dz
    r = math.sqrt(dx * dx + dy * dy + dz * dz)
    azimuth = math.atan2(e, n)
    if azimuth < 0.0:
        azimuth += 2.0 * math.pi
    return r, azimuth, math.atan2(u, math.hypot(e, n)), (dx * vx + dy * vy + dz * vz) / r


@njit(cache=True)
def position_of_plot(
    row: NDArray[np.float64], r: float, azimuth: float, elevation: float
) -> tuple[float, float, float]:
    """ECEF position (m) of a plot's range (m), azimuth and elevation (rad)."""
    c = r * math.cos(elevation)
    e, n, u = c * math.sin(azimuth), c * math.cos(azimuth), r * math.sin(elevation)
    return (
        row[0] + row[3] * e + row[6] * n + row[9] * u,
        row[1] + row[4] * e + row[7] * n + row[10] * u,
        row[2] + row[5] * e + row[8] * n + row[11] * u,
    )


@njit(cache=True)
def observe_jacobian(
    row: NDArray[np.float64], state: NDArray[np.float64], z: NDArray[np.float64], h: NDArray[np.float64]
) -> None:
    """Fill z (4,) with the measurement of a state (>= 6,) and h (4, 6) with its Jacobian.

    Rows: range, azimuth, elevation, range rate; columns: position and velocity.
    """
    d = np.empty(3)
    for i in range(3):
        d[i] = state[i] - row[i]
    e = row[3] * d[0] + row[4] * d[1] + row[5] * d[2]
    n = row[6] * d[0] + row[7] * d[1] + row[8] * d[2]
    u = row[9] * d[0] + row[10] * d[1] + row[11] * d[2]
    s2 = e * e + n * n
    r2 = s2 + u * u
    s, r = math.sqrt(s2), math.sqrt(r2)
    rate = (d[0] * state[3] + d[1] * state[4] + d[2] * state[5]) / r
    z[0], z[1], z[2], z[3] = r, math.atan2(e, n), math.atan2(u, s), rate
    if z[1] < 0.0:
        z[1] += 2.0 * math.pi
    for i in range(3):
        unit = d[i] / r
        h[0, i] = unit
        h[1, i] = (n * row[3 + i] - e * row[6 + i]) / s2
        h[2, i] = (s2 * row[9 + i] - u * (e * row[3 + i] + n * row[6 + i])) / (r2 * s)
        h[3, i] = (state[3 + i] - rate * unit) / r
        h[0, 3 + i] = h[1, 3 + i] = h[2, 3 + i] = 0.0
        h[3, 3 + i] = unit
