"""The arcs of `long_arc`: 1,300 km flown by two kinds of physics, and what a radar abeam of them reports.

In: runs, seeds and seconds a scan; out: true states look by look, where and when each flight comes down, and
plots.  Both begin 20 s after burn-out.
    independent  `exercise.flights`: gravity to degree 8, the 1976 atmosphere, Mach-dependent drag, wind
    own          the filter's own ballistic phase with its process noise, the drag drawn from its prior; where
                 it comes down is moved by what a fall is said to leave out, wind above all
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, height_above_ellipsoid
from jointwatch.exercise import physics
from jointwatch.exercise.atmosphere76 import standard_atmosphere
from jointwatch.exercise.classes import CLASSES
from jointwatch.exercise.flights import falls
from jointwatch.exercise.launches import draw, fly, starts
from jointwatch.motion.between import hermite
from jointwatch.motion.drag import drag_rise
from jointwatch.motion.phases import BALLISTIC, PRIOR_MEAN, PRIOR_SIGMA
from jointwatch.motion.propagate import fall, predict
from jointwatch.records import RADAR, Sensor
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.warning.impact import MODEL_SIGMA_M
from jointwatch.warning.pushes import pushes

Array = NDArray[np.float64]

LAUNCH_DEG, AZIMUTH_DEG, LOAD = (33.0, 45.0), 270.0, 0.9
"""Where from, which way, and the share of propellant that takes the generic class 1,300 km."""
AFTER_BURN_S = 20.0
ABEAM_M = 300e3
SIGMAS = 50.0, 1e-3, 1e-3
DETECTION = 0.9
AIR_M = 100e3
"""Below this height, on the way down, a look counts as in the air."""


@dataclass(frozen=True)
class Flight:
    """One true flight: states (looks, 7) a scan apart, and where (ECEF, m) and when (s) it comes down."""

    states: Array
    place: Array
    fall_s: float


def independent_flights(runs: int, seed: int, scan_s: float) -> list[Flight]:
    """Flights by the exercise's physics, each with its own draw of masses, drag and wind."""
    rng = np.random.default_rng([seed, 5])
    kind = CLASSES["medium_range"]
    latitude, longitude = (np.full(runs, math.radians(d)) for d in LAUNCH_DEG)
    states, rows = starts(
        kind, draw(kind, runs, rng), latitude, longitude,
        np.full(runs, math.radians(AZIMUTH_DEG)), np.full(runs, LOAD),
    )  # fmt: skip
    path = fly(kind, states, rows, 1.0, 1e-9)
    down = falls(path.times_s, path.states)
    out = []
    for k in range(runs):
        times = np.arange(float(rows[k, physics.BURN]) + AFTER_BURN_S, down[k, 0], scan_s)
        flown = np.array([_sample(path.times_s[:, k], path.states[:, k], t) for t in times])
        flown[:, 6] = [_drag_parameter(s, rows[k]) for s in flown]
        last = _sample(path.times_s[:, k], path.states[:, k], float(down[k, 0]))
        out.append(Flight(flown, last[:3], float(down[k, 0] - times[0])))
    return out


def _sample(times: Array, states: Array, at: float) -> Array:
    """State (7,) at a time between samples; the last element is the mass."""
    i = min(max(int(np.searchsorted(times, at, side="right")) - 1, 0), len(times) - 2)
    out = np.empty(7)
    hermite(at, times[i], times[i + 1], states[i], states[i + 1], out)
    out[6] = states[i + 1, 6]
    return out


def _drag_parameter(state: Array, row: Array) -> float:
    """Log of the drag parameter (`motion.drag`) of a true state whose last element is its mass."""
    height = height_above_ellipsoid(state[0], state[1], state[2])
    mach = float(np.linalg.norm(state[3:6])) / standard_atmosphere(height)[2]
    area = row[physics.DRAG_SCALE] * row[physics.AREA] / state[6]
    return math.log(physics.drag_coefficient(mach) * area / drag_rise(mach))


def own_flights(runs: int, seed: int, scan_s: float) -> list[Flight]:
    """Flights by the filter's ballistic phase from where an independent one is, with its process noise."""
    rng, ends = np.random.default_rng([seed, 6]), np.random.default_rng([seed, 8])
    begin = independent_flights(1, seed, scan_s)[0].states[0]
    inner = max(1, math.ceil(scan_s))
    out = []
    for _ in range(runs):
        s = begin.copy()
        s[6] = PRIOR_MEAN[BALLISTIC] + PRIOR_SIGMA[BALLISTIC] * rng.standard_normal()
        states, before, passed = [s.copy()], s.copy(), 0
        while True:
            before[:] = s
            q = np.zeros((7, 7))
            predict(BALLISTIC, s, q, scan_s / inner)
            s += np.linalg.cholesky(q + 1e-18 * np.eye(7)) @ rng.standard_normal(7)
            if height_above_ellipsoid(s[0], s[1], s[2]) <= 0.0:
                break
            passed += 1
            if passed % inner == 0:
                states.append(s.copy())
        left = fall(before, 0.0, 10.0)
        place = before[:3] + _left_out(np.array(states), before[:3], ends)
        out.append(Flight(np.array(states), place, passed * scan_s / inner + left))
    return out


def _left_out(states: Array, place: Array, rng: np.random.Generator) -> Array:
    """How far (3,) what the filter's physics leaves out moves the place where a flight comes down."""
    heights = np.array([height_above_ellipsoid(*s[:3]) for s in states])
    into_air = states[np.flatnonzero(heights > AIR_M)[-1]]
    turn, covariance = ground_left_out(into_air, place)
    moved: Array = np.linalg.cholesky(covariance) @ rng.standard_normal(2) @ turn[:2]
    return moved


def ground_left_out(state: Array, place: Array) -> tuple[Array, Array]:
    """Rows east, north and up (3, 3) at a place; covariance (2, 2) there of what a fall leaves out."""
    latitude, longitude, _ = ecef2geodetic(*place)
    turn = np.array(enu_rotation(latitude, longitude))
    noise, drift = np.empty((3, 3)), np.empty((3, 2))
    pushes(state, fall(state.copy(), 0.0, 2400.0), turn, noise, drift)
    return turn, drift[1:] @ drift[1:].T + MODEL_SIGMA_M**2 * np.eye(2)


def radar_abeam(flight: Flight, scan_s: float, range_rate_ms: float | None) -> Sensor:
    """A radar on the ground to the right of the middle of a flight."""
    middle = flight.states[len(flight.states) // 2]
    latitude, longitude, _ = ecef2geodetic(*middle[:3])
    east, north, _ = enu_rotation(latitude, longitude)
    v = middle[3:6]
    course = math.atan2(east @ v, north @ v) + 0.5 * math.pi
    place = middle[:3] + ABEAM_M * (math.sin(course) * east + math.cos(course) * north)
    latitude, longitude, _ = ecef2geodetic(*place)
    return Sensor(
        name="abeam", partner="Amber", latitude_rad=latitude, longitude_rad=longitude, height_m=0.0,
        range_min_m=1e3, range_max_m=2e6, elevation_min_rad=0.0, elevation_max_rad=math.radians(88.0),
        sigma_range_m=SIGMAS[0], sigma_azimuth_rad=SIGMAS[1], sigma_elevation_rad=SIGMAS[2],
        sigma_range_rate_ms=range_rate_ms or 1.0, period_s=scan_s, sectors=1, detection=DETECTION,
        clutter_per_scan=0.0, measures=RADAR[:3] if range_rate_ms is None else RADAR,
    )  # fmt: skip


def plots_seen(sensor: Sensor, flight: Flight, rng: np.random.Generator) -> Array:
    """Plot of each look (looks, 4), NaN where there is none: missed, or below the horizon."""
    row = sensor_row(sensor)
    plots = np.array([observe(row, *s[:6]) for s in flight.states])
    sigma = *SIGMAS, sensor.sigma_range_rate_ms
    seen = (plots[:, 2] > sensor.elevation_min_rad) & (rng.random(len(plots)) < DETECTION)
    plots += sigma * rng.standard_normal(plots.shape)
    plots[:, 1] %= 2.0 * math.pi
    plots[~seen | (plots[:, 2] <= sensor.elevation_min_rad)] = np.nan
    return plots
