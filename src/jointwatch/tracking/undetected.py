"""What may be in the air and has not been seen yet: the Poisson intensity of undetected objects, per sensor.

In: the rate at which objects appear, evenly over the sensor's volume and above launch grounds, and every
look; out: how many objects still undetected each cell of azimuth and range is expected to hold, and from that
the density of first detections at a plot, which is where a tentative track's odds begin.  This is the Poisson
part of the Poisson multi-Bernoulli posterior (Williams, "Marginal multi-Bernoulli filters", IEEE TAES 2015;
Garcia-Fernandez, Williams, Granstrom & Svensson, "Poisson multi-Bernoulli mixture filter", IEEE TAES 2018):
between looks a cell gains by births and loses what comes down or leaves; a look that shows an object with
probability pd leaves 1 - pd of them.  A volume that was not looked at for long holds more.

A raised state of alert multiplies the launch grounds' rate, by at most MOST_BOOST and by no less than 1.  It
acts on detection and confirmation only: on how soon a chain of plots is a track.  No launch point, origin
or class is estimated with it.

The cells are the clutter map's steps of azimuth and range; within one, objects are spread evenly over
elevation and over range rates to FAST_MS.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, geodetic2ecef
from jointwatch.kernel import leaf
from jointwatch.records import BadInput
from jointwatch.sensing.radar import (
    COMPONENT,
    DETECTION,
    DIMENSION,
    ELEVATION_MAX,
    ELEVATION_MIN,
    IN_RATE,
    PERIOD,
    RANGE_MAX,
    RANGE_MIN,
    ROTATION,
    SITE,
    UPWARD,
    measures,
)
from jointwatch.tracking.clutter import AZIMUTHS, FAST_MS, RANGES, _cell, _range_width
from jointwatch.tracking.detection import SUREST, believed_detection, detection_factor

STAY_S = 600.0
"""How long an object that nobody sees stays in the volume, on average: about a missile's time of flight."""
NEVER_NS = -(2**62)
"""Time of a cell that was never looked at: it holds what births and departures settle at."""
LEAST_BOOST, MOST_BOOST = 1.0, 8.0
"""Bounds of the factor that a raised state of alert puts on the launch grounds' rate."""
RISE_M = 50e3
"""How far from where it left the ground an object may come into sight."""
DAY_S = 86400.0
LEAST_EXPECTED = 1e-12
"""A cell is held to hold no less, so that a density can be divided by."""
_POINTS = 2000

CELL = np.dtype(
    [
        ("expected", "f8"),  # undetected objects, at time_ns
        ("background", "f8"),  # births per second, spread over the volume
        ("grounds", "f8"),  # births per second from launch grounds, in the normal state of alert
        ("rate", "f8"),  # births per second, at the present state of alert
        ("time_ns", "i8"),
    ]
)


class LaunchGround(Struct, frozen=True, kw_only=True):
    """A circle on the ground that objects may be launched from, and how many a day are expected."""

    latitude_rad: float
    longitude_rad: float
    radius_m: float
    launches_per_day: float


def new_undetected(
    sensor: NDArray[np.float64],
    births_per_scan: float,
    grounds: Sequence[LaunchGround] = (),
    boost: float = 1.0,
) -> NDArray[np.void]:
    """(AZIMUTHS, RANGES) of CELL for a sensor's parameter row; (1, 1) for what measures positions.

    births_per_scan: new objects in the sensor's whole volume in one of its scans, apart from launch grounds.
    boost: see `take_boost`.  BadInput for a rate, circle or factor that cannot be.
    """
    if not (math.isfinite(births_per_scan) and births_per_scan >= 0.0):
        raise BadInput("undetected objects", "births_per_scan", births_per_scan, "a number from 0 on")
    flat = int(sensor[COMPONENT]) > IN_RATE
    grid = np.zeros((1, 1) if flat else (AZIMUTHS, RANGES), CELL)
    each_s = births_per_scan / sensor[PERIOD]
    if flat:
        if grounds:
            raise BadInput("undetected objects", "grounds", len(grounds), "none: a flat frame has no places")
        grid["background"] = each_s
    else:
        shares = [_range_width(sensor, step) / sensor[RANGE_MAX] for step in range(RANGES)]
        grid["background"] = each_s / AZIMUTHS * np.array(shares)
    for ground in grounds:
        _check(ground)
        azimuth, step = _cells_near(sensor, ground)
        each = ground.launches_per_day / DAY_S / _POINTS
        np.add.at(grid["grounds"], (azimuth, step), each)
    grid["time_ns"] = NEVER_NS
    take_boost(grid, boost)
    grid["expected"] = STAY_S * grid["rate"]
    return grid


def take_boost(grid: NDArray[np.void], boost: float) -> None:
    """From now on the launch grounds' rate is `boost` times the normal one.

    The factor is held within LEAST_BOOST..MOST_BOOST and acts on nothing but detection and confirmation.
    BadInput for a factor that is not a number.
    """
    if math.isnan(boost):
        raise BadInput("undetected objects", "boost", boost, "a number")
    grid["rate"] = grid["background"] + min(max(boost, LEAST_BOOST), MOST_BOOST) * grid["grounds"]


def births_per_day(grid: NDArray[np.void]) -> float:
    """New objects a day in the sensor's volume, at the present state of alert: what `confirm_log_odds` takes.

    Over any time the looks' densities of first detections sum to no more than this and what the cells held
    at its beginning, for each look takes out of the cells what it may have shown.
    """
    return float(grid["rate"].sum()) * DAY_S


def _check(ground: LaunchGround) -> None:
    if not abs(ground.latitude_rad) <= 0.5 * math.pi:
        raise BadInput("launch ground", "latitude_rad", ground.latitude_rad, "an angle within +-pi/2")
    if not math.isfinite(ground.longitude_rad):
        raise BadInput("launch ground", "longitude_rad", ground.longitude_rad, "an angle")
    if not (math.isfinite(ground.radius_m) and ground.radius_m >= 0.0):
        raise BadInput("launch ground", "radius_m", ground.radius_m, "metres from 0 on")
    if not (math.isfinite(ground.launches_per_day) and ground.launches_per_day >= 0.0):
        raise BadInput("launch ground", "launches_per_day", ground.launches_per_day, "a number from 0 on")


def _cells_near(
    sensor: NDArray[np.float64], ground: LaunchGround
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Steps of azimuth and of range of points spread evenly over where a ground's objects come into sight.

    Points that the sensor does not reach are left out: what rises there enters the volume anywhere, as
    the background does.
    """
    turn = enu_rotation(ground.latitude_rad, ground.longitude_rad)
    centre = np.array(geodetic2ecef(ground.latitude_rad, ground.longitude_rad, 0.0))
    i = np.arange(_POINTS)
    out = (ground.radius_m + RISE_M) * np.sqrt((i + 0.5) / _POINTS)  # equal areas
    about = i * math.pi * (3.0 - math.sqrt(5.0))
    level = centre + np.outer(out * np.sin(about), turn[0]) + np.outer(out * np.cos(about), turn[1])
    down = np.array([geodetic2ecef(*ecef2geodetic(x, y, z)[:2], 0.0) for x, y, z in level])
    line = down - sensor[SITE : SITE + 3]
    range_m = np.linalg.norm(line, axis=1)
    reached = range_m < sensor[RANGE_MAX]
    east, north = (line[reached] @ sensor[ROTATION + k : ROTATION + k + 3] for k in (0, 3))
    azimuth = np.arctan2(east, north) % (2.0 * math.pi)
    a = np.minimum(azimuth / (2.0 * math.pi) * AZIMUTHS, AZIMUTHS - 1).astype(np.int64)
    return a, (np.sqrt(range_m[reached] / sensor[RANGE_MAX]) * RANGES).astype(np.int64)


@leaf
def _stays(cell: np.void, time_ns: int) -> float:
    """Share of what a cell held at its time that is still there."""
    return math.exp(-max((time_ns - cell["time_ns"]) * 1e-9, 0.0) / STAY_S)


@leaf
def _grown(cell: np.void, time_ns: int) -> float:
    """Undetected objects that a cell is expected to hold at a time: dN/dt = rate - N / STAY_S, solved."""
    stays = _stays(cell, time_ns)
    return float(stays * cell["expected"] + (1.0 - stays) * STAY_S * cell["rate"])


@leaf
def _cell_detection(sensor: NDArray[np.float64], detection: NDArray[np.float64], step: int) -> float:
    """Probability that a look shows an object somewhere in a cell: that at its middle."""
    if int(sensor[COMPONENT]) > IN_RATE:
        return float(min(sensor[DETECTION] * detection_factor(detection, sensor, 0.0), SUREST))
    middle = sensor[RANGE_MAX] * (step * (step + 1.0) + 0.5) / (RANGES * RANGES)
    up = 0.5 * (sensor[ELEVATION_MIN] + sensor[ELEVATION_MAX])
    return believed_detection(detection, sensor, max(middle, sensor[RANGE_MIN]), up)


@leaf
def _overlap(a: int, azimuth_from: float, azimuth_to: float) -> float:
    """Share of an azimuth step that lies in the wedge (rad) from..to (clockwise)."""
    two_pi = 2.0 * math.pi
    step = two_pi / AZIMUTHS
    width = (azimuth_to - azimuth_from) % two_pi
    if width == 0.0:
        return 1.0
    start = (a * step - azimuth_from) % two_pi
    end = start + step
    once = max(min(end, width) - start, 0.0)
    again = max(min(end, two_pi + width) - two_pi, 0.0)  # the wedge's beginning, a turn later
    return min((once + again) / step, 1.0)


@njit(cache=True)
def birth_density(
    grid: NDArray[np.void],
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    plots: NDArray[np.float64],
    time_ns: int,
) -> NDArray[np.float64]:
    """(m,) density of first detections at each plot (m, >= 4) of a look at time_ns, in measurement space.

    Per metre, steradian and m/s as far as the sensor measures them, like `clutter.clutter_density`.  To be
    asked before `after_look`.  detection: the sensor's state (`detection.new_detection`).
    """
    out = np.empty(plots.shape[0])
    if int(sensor[COMPONENT]) > IN_RATE:
        pd = _cell_detection(sensor, detection, 0)
        expected = max(_grown(grid[0, 0], time_ns) * pd, LEAST_EXPECTED)
        out[:] = expected / (2.0 * sensor[RANGE_MAX]) ** sensor[DIMENSION]
        return out
    rated, raised = measures(sensor, IN_RATE), measures(sensor, UPWARD)
    shown = np.empty(grid.shape[1])
    for step in range(grid.shape[1]):
        shown[step] = _cell_detection(sensor, detection, step)
    for j in range(plots.shape[0]):
        a, step, _, _ = _cell(sensor, plots[j])
        volume = _range_width(sensor, step) * 2.0 * math.pi / AZIMUTHS
        if raised:
            span = sensor[ELEVATION_MAX] - sensor[ELEVATION_MIN]
            volume *= span * max(math.cos(plots[j, 2]), 1e-3)
        if rated:
            volume *= 2.0 * FAST_MS
        out[j] = max(_grown(grid[a, step], time_ns) * shown[step], LEAST_EXPECTED) / volume
    return out


@njit(cache=True)
def after_look(
    grid: NDArray[np.void],
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    azimuth_from: float,
    azimuth_to: float,
    time_ns: int,
) -> None:
    """Take out of the cells what a look at a wedge (rad) at time_ns has shown, if it was there.

    A cell that the wedge covers in part loses that part's share; cells outside keep their own time.
    """
    pd = np.empty(grid.shape[1])
    for step in range(grid.shape[1]):
        pd[step] = _cell_detection(sensor, detection, step)
    for a in range(grid.shape[0]):
        share = 1.0 if grid.shape[0] == 1 else _overlap(a, azimuth_from, azimuth_to)
        if share < 1e-9:  # beside the wedge but for rounding
            continue
        # the cells of one azimuth were all looked at together
        stays = _stays(grid[a, 0], time_ns)
        for step in range(grid.shape[1]):
            cell = grid[a, step]
            grown = stays * cell["expected"] + (1.0 - stays) * STAY_S * cell["rate"]
            cell["expected"] = (1.0 - share * pd[step]) * grown
            cell["time_ns"] = max(cell["time_ns"], time_ns)
