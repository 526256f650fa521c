"""The world that several rooms' tests share: a radar to change as needed, states, plots and sectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.earth.frames import enu_rotation, geodetic2ecef
from jointwatch.records import Header, Sector, Sensor
from jointwatch.sensing.expectation import SIZE, D, expect, plots_of
from jointwatch.sensing.radar import DIMENSION, observe

RADAR = Sensor(
    name="north",
    partner="Amber",
    latitude_rad=math.radians(32.0),
    longitude_rad=math.radians(35.0),
    height_m=700.0,
    range_min_m=1e3,
    range_max_m=5e5,
    elevation_min_rad=math.radians(0.5),
    elevation_max_rad=math.radians(80.0),
    sigma_range_m=50.0,
    sigma_azimuth_rad=1e-3,
    sigma_elevation_rad=1e-3,
    sigma_range_rate_ms=5.0,
    period_s=5.0,
    sectors=12,
    detection=0.9,
    clutter_per_scan=100.0,
)


def radar(**changes: Any) -> Sensor:
    """The radar of these tests with some of its fields changed."""
    return replace(RADAR, **changes)


def place(
    latitude_deg: float,
    longitude_deg: float,
    height_m: float,
    east: float,
    north: float,
    up: float,
    parameter: float,
) -> NDArray[np.float64]:
    """A state (7,) by place (degrees, m) and Earth-fixed velocity east, north, up (m/s)."""
    latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
    velocity = enu_rotation(latitude, longitude).T @ np.array([east, north, up], dtype=float)
    return np.array([*geodetic2ecef(latitude, longitude, height_m), *velocity, parameter])


def sector_of(
    sensor: Sensor,
    sequence: int,
    time_s: float,
    wedge: tuple[float, float],
    plots: Sequence[tuple[float, float, float, float]],
) -> Sector:
    """A sector with plots of range, azimuth, elevation, range rate; received as soon as it was measured."""
    ranges, azimuths, elevations, rates = zip(*plots, strict=True) if plots else ((), (), (), ())
    time_ns = round(time_s * 1e9)
    return Sector(
        header=Header(originator=sensor.partner, source=sensor.name, sequence=sequence, measured_ns=time_ns),
        sensor=sensor.name,
        azimuth_from_rad=wedge[0],
        azimuth_to_rad=wedge[1],
        received_ns=time_ns,
        range_m=ranges,
        azimuth_rad=azimuths,
        elevation_rad=elevations,
        range_rate_ms=rates,
    )


def plot_of(row: NDArray[np.float64], state: NDArray[np.float64]) -> NDArray[np.float64]:
    """The plot (PLOT,) that a sensor (parameter row) without errors would give of a state (>= 6,)."""
    (plot,) = plots_of(np.array([observe(row, *state[:6])]))
    return np.asarray(plot)


def expected(
    row: NDArray[np.float64], mean: NDArray[np.float64], covariance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """z (SIZE,), h (d, 6), s and noise (d, d) that `expect` gives for a sensor of d components."""
    z, h = np.zeros(SIZE), np.zeros((D, 6))
    s, noise = np.zeros((D, D)), np.zeros((D, D))
    expect(row, mean, covariance, z, h, s, noise)
    d = int(row[DIMENSION])
    return z, h[:d], s[:d, :d], noise[:d, :d]
