"""Places, times and ellipses as the report's page draws them: degrees, kilometres, seconds from the start."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic
from jointwatch.records import Impact
from jointwatch.warning.spread import degrees_at, stated

SQUARED_90 = 4.605170185988092
"""90 % quantile of the chi-square distribution with two degrees of freedom."""


def seconds(time_ns: int, start_ns: int) -> float:
    """Seconds from the exercise's start, to 10 ms."""
    return round((time_ns - start_ns) * 1e-9, 2)


def ground(position: NDArray[np.float64] | tuple[float, ...]) -> tuple[float, float, float]:
    """Longitude, latitude (degrees, to 10 m) and height (km) of an ECEF position (3,)."""
    latitude, longitude, height = ecef2geodetic(float(position[0]), float(position[1]), float(position[2]))
    return round(math.degrees(longitude), 4), round(math.degrees(latitude), 4), round(height / 1000.0, 2)


def ellipse(east_east: float, east_north: float, north_north: float) -> tuple[float, float, float]:
    """90 % half axes (km) and bearing of the major axis (degrees) of a covariance on the ground (m^2)."""
    mean, half = (east_east + north_north) / 2.0, (east_east - north_north) / 2.0
    radius = math.hypot(half, east_north)
    major = math.sqrt(SQUARED_90 * max(mean + radius, 0.0)) / 1000.0
    minor = math.sqrt(SQUARED_90 * max(mean - radius, 0.0)) / 1000.0
    # of the major axis, counter-clockwise from east; a bearing runs clockwise from north
    angle = 0.5 * math.atan2(2.0 * east_north, east_east - north_north)
    return round(major, 3), round(minor, 3), round((90.0 - math.degrees(angle)) % 180.0, 1)


def region(impact: Impact) -> tuple[float, ...]:
    """The 90 % region of a fall: its middle (longitude, latitude, degrees), and from there half ellipses.

    East and north (km) to its front end; how far its back end is, as a share of that; east and north (km) to
    its side.
    """
    middle, front, back, side = stated(impact).region(0.9)
    (longitude,), (latitude,) = degrees_at(impact.latitude_rad, impact.longitude_rad, middle[None])
    return (
        round(float(longitude), 4),
        round(float(latitude), 4),
        *(round(float(v) / 1000.0, 2) for v in front),
        round(math.hypot(*back) / max(math.hypot(*front), 1e-9), 2),
        *(round(float(v) / 1000.0, 2) for v in side),
    )
