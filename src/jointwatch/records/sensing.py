"""What a sensor is, and what it reports: the sector, the unit of processing.

A sector says what volume was looked at, so that "no plot there" and "did not look there" differ.
Plots are columns of one sector, in the sensor's own frame; degrees are only in files.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from jointwatch.records.header import Header

Measure = Literal["range", "azimuth", "elevation", "range_rate", "x", "y", "z"]
"""What a sensor can measure; x, y and z only in a flat frame, where textbooks measure positions."""
RADAR: tuple[Measure, ...] = ("range", "azimuth", "elevation", "range_rate")


class Sensor(Struct, frozen=True, kw_only=True):
    """A radar: where it stands, what it can look at and how well it measures (SI, radians).

    height_m is above the WGS-84 ellipsoid.  clutter_per_scan is the expected number of false plots
    in one full scan (all sectors); detection is the probability of a plot from an object inside coverage
    at half the greatest range, falling with range (see `sensing.coverage`).

    measures: what a plot holds; a two-dimensional radar has no elevation, a line of sight no range.  Columns
    of a sector that are not measured stay empty.  sigma_range_m is also that of x, y and z.
    tilt: how far the mount leans, about its east and its north axis.  refractivity: of the air at the site,
    in N-units (about 313 on average); 0 if the sensor corrects for refraction itself.  light_time: whether
    times are when the echo came back, and not when the object was hit.  flat: the sensor stands height_m
    above the origin of a flat frame, x east, y north, z up (textbook problems); it has no other place.
    """

    name: str
    partner: str
    latitude_rad: float
    longitude_rad: float
    height_m: float
    range_min_m: float
    range_max_m: float
    elevation_min_rad: float
    elevation_max_rad: float
    sigma_range_m: float
    sigma_azimuth_rad: float
    sigma_elevation_rad: float
    sigma_range_rate_ms: float
    period_s: float
    sectors: int
    detection: float
    clutter_per_scan: float
    measures: tuple[Measure, ...] = RADAR
    tilt_east_rad: float = 0.0
    tilt_north_rad: float = 0.0
    refractivity: float = 0.0
    light_time: bool = False
    flat: bool = False


class Sector(Struct, frozen=True, kw_only=True, tag="sector"):
    """One dwell of one sensor: the volume looked at, and the plots seen in it, at one instant.

    The plots' columns that the sensor measures have equal length, the others are empty: slant range (m),
    azimuth (rad, clockwise from true north), elevation (rad above the ellipsoid's horizontal) and range rate
    (m/s, opening positive).
    """

    header: Header
    sensor: str
    azimuth_from_rad: float
    azimuth_to_rad: float
    received_ns: int
    range_m: tuple[float, ...] = ()
    azimuth_rad: tuple[float, ...] = ()
    elevation_rad: tuple[float, ...] = ()
    range_rate_ms: tuple[float, ...] = ()
