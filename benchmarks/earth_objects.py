"""Objects that coast over the Earth, for benchmarks: where they begin, how they fly, what a radar sees.

In: a radar with a place on the Earth; out: states (n, 7) as of `motion.phases`, in the ballistic phase, and
what the radar would measure of them without error.  Everything flies by the product's own equations.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import enu_rotation, geodetic2ecef
from jointwatch.motion.phases import BALLISTIC, PRIOR_MEAN
from jointwatch.motion.propagate import propagate
from jointwatch.records import Sensor
from jointwatch.sensing.radar import observe

Floats = NDArray[np.float64]
NEAREST_M, FARTHEST_M = 100e3, 500e3
"""Where objects begin, over the ground from the radar."""


def over_site(sensor: Sensor, local: Floats, log_drag: Floats) -> Floats:
    """(n, 7) states of local ones (n, 6), east-north-up at the sensor, m and m/s; log_drag (n,)."""
    turn = enu_rotation(sensor.latitude_rad, sensor.longitude_rad)
    site = np.array(geodetic2ecef(sensor.latitude_rad, sensor.longitude_rad, sensor.height_m))
    return np.column_stack([site + local[:, :3] @ turn, local[:, 3:6] @ turn, log_drag])


def locally(sensor: Sensor, states: Floats) -> Floats:
    """(n, 6) east-north-up at the sensor of Earth-fixed states: `over_site` undone."""
    turn = enu_rotation(sensor.latitude_rad, sensor.longitude_rad)
    site = np.array(geodetic2ecef(sensor.latitude_rad, sensor.longitude_rad, sensor.height_m))
    return np.column_stack([(states[:, :3] - site) @ turn.T, states[:, 3:6] @ turn.T])


def coasting(rng: np.random.Generator, sensor: Sensor, n: int, watched_s: float) -> Floats:
    """(n, 7) objects all round a radar, evenly over the ground, that stay above the air for so long."""
    far = np.sqrt(rng.uniform(NEAREST_M**2, FARTHEST_M**2, n))
    about, course = rng.uniform(0.0, 2.0 * math.pi, (2, n))
    level, climb = rng.uniform(1000.0, 2200.0, n), rng.uniform(-200.0, 800.0, n)
    # parabolas: the lowest point of a stretch is one of its ends
    lost = np.maximum(0.0, 0.5 * 9.81 * watched_s**2 - climb * watched_s)
    up = 90e3 + lost + rng.uniform(0.0, 160e3, n)
    local = np.column_stack([
        far * np.sin(about), far * np.cos(about), up, level * np.sin(course), level * np.cos(course), climb
    ])  # fmt: skip
    return over_site(sensor, local, np.full(n, PRIOR_MEAN[BALLISTIC]))


@njit
def fly(states: Floats, span_s: float) -> None:
    """Move states (n, 7) on, ballistically, in place."""
    for i in range(len(states)):
        propagate(BALLISTIC, states[i], span_s)


@njit
def seen_by(row: Floats, states: Floats) -> Floats:
    """(n, 4) range, azimuth (clockwise from north), elevation and range rate of states, without error.

    row: the sensor's parameters (`sensing.radar.sensor_row`).
    """
    out = np.empty((len(states), 4))
    for i in range(len(states)):
        s = states[i]
        out[i] = observe(row, s[0], s[1], s[2], s[3], s[4], s[5])
    return out
