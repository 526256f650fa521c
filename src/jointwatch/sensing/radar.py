"""How a sensor measures: range, azimuth, elevation and range rate of a state, and back.

In: a sensor's parameter row (`sensor_row`) and a state; out: the measured values as the sensor would report
them, or the Cartesian position behind a plot.  Azimuth is clockwise from true north, elevation is above the
ellipsoid's horizontal at the radar, both leaning with its mount; refraction and the time that the echo takes
are in, where the sensor's row says so.  The velocity is Earth-fixed, so the range rate of a radar that stands
still needs no correction for the Earth's turning.  What a filter needs of it is in `sensing.expectation`.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import enu_rotation, geodetic2ecef
from jointwatch.kernel import leaf
from jointwatch.records import BadInput, Sensor
from jointwatch.sensing.refraction import bending, straightened

# A parameter row: where each value of a Sensor lies in the flat float64 array kernels take.
SITE = 0  # 0..2 site x, y, z (m)
ROTATION = 3  # 3..11 rows of the mount's rotation: its east, north and up
RANGE_MIN, RANGE_MAX = 12, 13
ELEVATION_MIN, ELEVATION_MAX = 14, 15
SIGMA_RANGE, SIGMA_AZIMUTH, SIGMA_ELEVATION, SIGMA_RANGE_RATE = 16, 17, 18, 19
DETECTION = 20
HEIGHT = 21
PERIOD = 22
CLUTTER = 23
SECTORS = 24
REFRACTIVITY = 25
LIGHT_TIME = 26
DIMENSION = 27  # how many values a plot has
COMPONENT = 28  # 28..31 which they are
MEASURED = 32  # the same as the bits of an integer
ROW = 33

IN_RANGE, ACROSS, UPWARD, IN_RATE, IN_X, IN_Y, IN_Z = 0, 1, 2, 3, 4, 5, 6
"""Components of a measurement: angles are directions across the line of sight, level and upward (rad)."""
_COMPONENTS = {
    "range": IN_RANGE, "azimuth": ACROSS, "elevation": UPWARD, "range_rate": IN_RATE,
    "x": IN_X, "y": IN_Y, "z": IN_Z,
}  # fmt: skip
LIGHT_MS = 299792458.0
NOT_NEGATIVE = (
    "range_min_m", "range_max_m", "sigma_range_m", "sigma_azimuth_rad", "sigma_elevation_rad",
    "sigma_range_rate_ms", "detection", "clutter_per_scan", "refractivity",
)  # fmt: skip
FINITE = (
    *NOT_NEGATIVE, "latitude_rad", "longitude_rad", "height_m", "elevation_min_rad", "elevation_max_rad",
    "period_s", "tilt_east_rad", "tilt_north_rad",
)  # fmt: skip


def sensor_row(sensor: Sensor) -> NDArray[np.float64]:
    """The (ROW,) parameter row of a sensor, in SI units and radians; BadInput for what no sensor can be."""
    _check(sensor)
    row = np.zeros(ROW)
    turn = np.eye(3)
    if sensor.flat:
        row[SITE : SITE + 3] = 0.0, 0.0, sensor.height_m
    else:
        row[SITE : SITE + 3] = geodetic2ecef(sensor.latitude_rad, sensor.longitude_rad, sensor.height_m)
        turn = enu_rotation(sensor.latitude_rad, sensor.longitude_rad)
    row[ROTATION : ROTATION + 9] = (tilt(sensor.tilt_east_rad, sensor.tilt_north_rad) @ turn).ravel()
    row[RANGE_MIN], row[RANGE_MAX] = sensor.range_min_m, sensor.range_max_m
    row[ELEVATION_MIN], row[ELEVATION_MAX] = sensor.elevation_min_rad, sensor.elevation_max_rad
    row[SIGMA_RANGE], row[SIGMA_RANGE_RATE] = sensor.sigma_range_m, sensor.sigma_range_rate_ms
    row[SIGMA_AZIMUTH], row[SIGMA_ELEVATION] = sensor.sigma_azimuth_rad, sensor.sigma_elevation_rad
    row[DETECTION], row[HEIGHT] = sensor.detection, sensor.height_m
    row[PERIOD], row[CLUTTER], row[SECTORS] = sensor.period_s, sensor.clutter_per_scan, sensor.sectors
    row[REFRACTIVITY], row[LIGHT_TIME] = sensor.refractivity, float(sensor.light_time)
    row[DIMENSION] = len(sensor.measures)
    # in one order however they are listed: kernels look to the first to see what kind of sensor it is
    row[COMPONENT : COMPONENT + len(sensor.measures)] = sorted(_COMPONENTS[name] for name in sensor.measures)
    row[MEASURED] = sum(1 << _COMPONENTS[name] for name in set(sensor.measures))
    return row


def _check(sensor: Sensor) -> None:
    """A sensor stated in numbers that are none would be blind, and nobody would know."""
    for name in FINITE:
        if not math.isfinite(getattr(sensor, name)):
            raise BadInput(f"sensor {sensor.name}", name, getattr(sensor, name), "a finite number")
    for name in NOT_NEGATIVE:
        if getattr(sensor, name) < 0.0:
            raise BadInput(f"sensor {sensor.name}", name, getattr(sensor, name), "a number from 0 on")
    if not sensor.period_s > 0.0:
        raise BadInput(f"sensor {sensor.name}", "period_s", sensor.period_s, "seconds above 0")
    if not sensor.detection <= 1.0:
        raise BadInput(f"sensor {sensor.name}", "detection", sensor.detection, "a probability")


def tilt(east_rad: float, north_rad: float) -> NDArray[np.float64]:
    """(3, 3) rotation of a level mount that leans about its east axis, then about its north axis."""
    ce, se, cn, sn = math.cos(east_rad), math.sin(east_rad), math.cos(north_rad), math.sin(north_rad)
    about_east = np.array([[1.0, 0.0, 0.0], [0.0, ce, se], [0.0, -se, ce]])
    about_north = np.array([[cn, 0.0, -sn], [0.0, 1.0, 0.0], [sn, 0.0, cn]])
    turn: NDArray[np.float64] = about_north @ about_east
    return turn


@leaf
def measures(row: NDArray[np.float64], component: int) -> bool:
    """Whether a sensor measures a component."""
    return bool(int(row[MEASURED]) >> component & 1)


@njit(cache=True)
def tells_place(row: NDArray[np.float64]) -> bool:
    """Whether one plot of a sensor tells a place by range and both angles."""
    return int(row[COMPONENT]) == IN_RANGE and measures(row, ACROSS) and measures(row, UPWARD)


@leaf
def observe(
    row: NDArray[np.float64], px: float, py: float, pz: float, vx: float, vy: float, vz: float
) -> tuple[float, float, float, float]:
    """Range (m), azimuth (rad, 0..2 pi), elevation (rad) and range rate (m/s) of a state (m, m/s)."""
    r, azimuth, elevation, rate, _, _, _, _ = sight(row, px, py, pz, vx, vy, vz)
    return r, azimuth, elevation, rate


@leaf
def sight(
    row: NDArray[np.float64], px: float, py: float, pz: float, vx: float, vy: float, vz: float
) -> tuple[float, float, float, float, float, float, float, float]:
    """`observe`, and the cosine and sine of that azimuth, and of that elevation."""
    dx, dy, dz = px - row[0], py - row[1], pz - row[2]
    r = math.sqrt(dx * dx + dy * dy + dz * dz)
    if row[LIGHT_TIME] != 0.0:
        back = r / LIGHT_MS
        dx, dy, dz = dx - back * vx, dy - back * vy, dz - back * vz
        r = math.sqrt(dx * dx + dy * dy + dz * dz)
    e = row[3] * dx + row[4] * dy + row[5] * dz
    n = row[6] * dx + row[7] * dy + row[8] * dz
    u = row[9] * dx + row[10] * dy + row[11] * dz
    azimuth = math.atan2(e, n)
    if azimuth < 0.0:
        azimuth += 2.0 * math.pi
    level = math.sqrt(e * e + n * n)
    elevation = math.atan2(u, level)
    rate = (dx * vx + dy * vy + dz * vz) / r
    ca, sa = (n / level, e / level) if level > 0.0 else (1.0, 0.0)
    if row[REFRACTIVITY] > 0.0:
        bent, longer = bending(elevation, r, row[HEIGHT], row[REFRACTIVITY])
        elevation += bent
        return r + longer, azimuth, elevation, rate, ca, sa, math.cos(elevation), math.sin(elevation)
    return r, azimuth, elevation, rate, ca, sa, level / r, u / r


@njit(cache=True)
def position_of_plot(
    row: NDArray[np.float64], r: float, azimuth: float, elevation: float
) -> tuple[float, float, float]:
    """Position (m) of a plot's range (m), azimuth and elevation (rad), refraction taken out."""
    if row[REFRACTIVITY] > 0.0:
        elevation, r = straightened(elevation, r, row[HEIGHT], row[REFRACTIVITY])
    c = math.cos(elevation)
    return along(row, r, c * math.sin(azimuth), c * math.cos(azimuth), math.sin(elevation))


@leaf
def along(
    row: NDArray[np.float64], r: float, east: float, north: float, up: float
) -> tuple[float, float, float]:
    """Position (m) at a range (m) in a direction, a unit vector in the frame of the mount."""
    e, n, u = r * east, r * north, r * up
    return (
        row[0] + row[3] * e + row[6] * n + row[9] * u,
        row[1] + row[4] * e + row[7] * n + row[10] * u,
        row[2] + row[5] * e + row[8] * n + row[11] * u,
    )
