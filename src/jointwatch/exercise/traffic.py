"""The truth of civil air traffic: great circles at cruising height with one or two gentle turns.

In: routes of the scenario, a Generator; out: samples of each aircraft over the whole exercise.  Civil
traffic must never raise a launch alarm, so it flies where the sensors look.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import ECCENTRICITY2, SEMI_MAJOR_M, enu_rotation, geodetic2ecef
from jointwatch.exercise.flights import bearing_distance, destination
from jointwatch.exercise.scenario_tables import Route

Floats = NDArray[np.float64]
STEP_S = 1.0
TURN_S = 60.0
"""Length of a gentle turn: 20 to 40 degrees in it is some 15 to 20 degrees of bank."""


def fly_routes(routes: tuple[Route, ...], length_s: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Times (m,) and states (m, n, 6) of all aircraft of the routes, ECEF, SI.

    Each enters somewhere on the first half of its route, up to 20 km aside, at 9-12 km and 220-250 m/s.
    """
    ends = [(route.start_deg, route.end_deg) for route in routes for _ in range(route.count)]
    n = len(ends)
    times: Floats = np.arange(math.ceil(length_s / STEP_S) + 1, dtype=np.float64) * STEP_S
    states: Floats = np.zeros((times.size, n, 6))
    if n == 0:
        return times, states
    degrees = np.radians(np.array(ends))
    lat1, lon1, lat2, lon2 = degrees[:, 0, 0], degrees[:, 0, 1], degrees[:, 1, 0], degrees[:, 1, 1]
    course, distance = bearing_distance(lat1, lon1, lat2, lon2)
    lat, lon = destination(lat1, lon1, course, rng.uniform(0.0, 0.5, n) * distance)
    lat, lon = destination(lat, lon, course + math.pi / 2.0, rng.uniform(-20e3, 20e3, n))
    course, _ = bearing_distance(lat, lon, lat2, lon2)
    height = rng.uniform(9e3, 12e3, n)
    speed = rng.uniform(220.0, 250.0, n)
    turns = 1 + rng.integers(0, 2, n)
    begins = np.sort(rng.uniform(0.1, 0.8, (n, 2)), axis=1) * length_s
    angles = np.radians(rng.uniform(20.0, 40.0, (n, 2))) * rng.choice([-1.0, 1.0], (n, 2))
    angles[turns == 1, 1] = 0.0
    for i, t in enumerate(times):
        for k in range(n):
            east, north, _ = enu_rotation(lat[k], lon[k])
            states[i, k, :3] = geodetic2ecef(lat[k], lon[k], height[k])
            states[i, k, 3:] = speed[k] * (math.sin(course[k]) * east + math.cos(course[k]) * north)
        # midpoint step along the ellipsoid; the rate of a turn is a bell from and to zero
        rate = np.zeros(n)
        for j in range(2):
            u = (t + 0.5 * STEP_S - begins[:, j]) / TURN_S
            rate += np.where(
                (u > 0.0) & (u < 1.0), angles[:, j] * 2.0 * np.sin(math.pi * u) ** 2 / TURN_S, 0.0
            )
        a = _rates(lat, course, height, speed)
        half = 0.5 * STEP_S
        b = _rates(lat + half * a[0], course + half * (a[2] + rate), height, speed)
        lat, lon, course = lat + STEP_S * b[0], lon + STEP_S * b[1], course + STEP_S * (b[2] + rate)
    return times, states


def _rates(lat: Floats, course: Floats, height: Floats, speed: Floats) -> tuple[Floats, Floats, Floats]:
    """Rates (rad/s) of latitude, longitude and course along a great circle at a height."""
    s = np.sin(lat)
    w = 1.0 - ECCENTRICITY2 * s * s
    across = SEMI_MAJOR_M / np.sqrt(w) + height
    along = SEMI_MAJOR_M * (1.0 - ECCENTRICITY2) / w**1.5 + height
    lon_rate = speed * np.sin(course) / (across * np.cos(lat))
    return speed * np.cos(course) / along, lon_rate, lon_rate * s
