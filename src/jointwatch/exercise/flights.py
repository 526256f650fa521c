"""Flies batches of objects of one class through the truth's equations of motion.

In: parameter rows, initial states; out: dense samples of every object on its own clock, and where and when
each comes down.  SciPy's DOP853 integrates all objects of a batch as one system; a burn runs in shares of
each object's burn time, so that one grid serves all.  The ground is the sea's level: terrain is not modelled.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from jointwatch.earth.frames import ecef2geodetic, height_above_ellipsoid
from jointwatch.earth.geoid import geoid_height
from jointwatch.earth.harmonics import load_harmonics
from jointwatch.exercise.physics import BURN, KICK_END, RISE, derivative
from jointwatch.motion.between import hermite

Floats = NDArray[np.float64]
_MEAN_RADIUS_M = 6371008.8
_LOWEST_M = -120.0
"""Flights end at this height over the ellipsoid: the sea lies at most 107 m below it (south of India)."""
_KNOTS = (0.0, RISE, KICK_END, 1.0 / 3.0, 2.0 / 3.0, 1.0)
"""Shares of the burn where the steering jumps or bends: no step of the solver crosses one."""


class Path(NamedTuple):
    """Samples of a batch: times_s (m, n), seconds since each object's start; states (m, n, 7)."""

    times_s: Floats
    states: Floats


def _solve(
    y: Floats, rows: Floats, powered: bool, at: Floats, tolerance: float, until_down: bool = False
) -> tuple[Floats, Floats]:
    """States at the instants `at` (first to last) from y (n, 7): (instants reached, states (m, n, 7))."""
    c, s, gm, radius = load_harmonics()
    n = rows.shape[0]
    # at a tolerance of 1e-9: 1e-3 m, 1e-6 m/s and 1e-3 kg
    absolute = np.tile(np.array([1e-3, 1e-3, 1e-3, 1e-6, 1e-6, 1e-6, 1e-3]), n)
    events = None
    if until_down:

        def highest(_t: float, flat: Floats, *_: object) -> float:
            """Height of the highest object above the lowest sea, m."""
            return float(_highest(flat)) - _LOWEST_M

        highest.terminal = True  # type: ignore[attr-defined]
        highest.direction = -1.0  # type: ignore[attr-defined]
        events = highest
    solution = solve_ivp(
        derivative,
        (float(at[0]), float(at[-1])),
        y.ravel(),
        method="DOP853",
        t_eval=at,
        events=events,
        rtol=tolerance,
        atol=absolute * (tolerance / 1e-9),
        args=(rows, powered, c, s, gm, radius),
    )
    if solution.status < 0:
        raise RuntimeError(f"the truth could not be integrated: {solution.message}")
    times, states = solution.t, solution.y.T
    if until_down and solution.t_events[0].size:  # so that the last to fall has a sample below the ground
        times = np.append(times, solution.t_events[0][0])
        states = np.concatenate([states, solution.y_events[0]])
    return times, states.reshape(times.size, n, 7)


@njit(cache=True)
def _highest(flat: Floats) -> float:
    """Height (m) of the highest of the flat states' objects."""
    best = -1e12
    for k in range(flat.size // 7):
        best = max(best, height_above_ellipsoid(flat[7 * k], flat[7 * k + 1], flat[7 * k + 2]))
    return best


def burn(start: Floats, rows: Floats, step_s: float, tolerance: float = 1e-11) -> Path:
    """The powered flight from start (n, 7): samples at most step_s apart, the last at burn-out."""
    count = max(2, math.ceil(float(rows[:, BURN].max()) / step_s))
    grid = np.arange(count + 1) / count
    shares, states, y = [np.zeros(1)], [start[None]], start
    for a, b in pairwise(_KNOTS):
        at = np.concatenate([[a], grid[(grid > a + 1e-9) & (grid < b - 1e-9)], [b]])
        _, leg = _solve(y, rows, True, at, tolerance)
        shares.append(at[1:])
        states.append(leg[1:])
        y = leg[-1]
    return Path(np.concatenate(shares)[:, None] * rows[:, BURN], np.concatenate(states))


def coast(
    start: Floats,
    rows: Floats,
    step_s: float,
    longest_s: float,
    tolerance: float = 1e-11,
    to_ground: bool = True,
) -> Path:
    """The unpowered flight from start (n, 7), sampled every step_s: until all are down, or for longest_s."""
    at: Floats = np.arange(math.ceil(longest_s / step_s) + 1, dtype=np.float64) * step_s
    times, states = _solve(start, rows, False, at, tolerance, until_down=to_ground)
    return Path(np.repeat(times[:, None], rows.shape[0], axis=1), states)


def join(first: Path, second: Path) -> Path:
    """One path of two legs, the second beginning where and when the first ends."""
    times = np.concatenate([first.times_s, first.times_s[-1] + second.times_s[1:]])
    return Path(times, np.concatenate([first.states, second.states[1:]]))


def falls(times_s: Floats, states: Floats) -> Floats:
    """(n, 3): time of each object's fall (s), latitude and longitude (rad); NaN for one that does not fall.

    times_s, states: a Path's.  It falls to the level of the sea there: the root of the height between two
    samples, by bisection on their Hermite cubic.
    """
    over = heights(states)
    above = over > 0.0
    sea = np.zeros(states.shape[1])
    for k in range(states.shape[1]):
        last = int(np.flatnonzero(above[:, k])[-1]) if above[:, k].any() else -1
        if 0 <= last < len(above) - 1:
            latitude, longitude, _ = ecef2geodetic(*states[last, k, :3].tolist())
            level = geoid_height(latitude, longitude)
            # launches are from the ellipsoid: one that hardly leaves it ends there
            sea[k] = level if over[:, k].max() > level else 0.0
    return _falls(times_s, states, sea)


@njit(cache=True)
def _falls(times_s: Floats, states: Floats, sea: Floats) -> Floats:
    """The falls to heights sea (n,), m, over the ellipsoid."""
    m, n = times_s.shape
    out = np.full((n, 3), np.nan)
    here = np.empty(6)
    for k in range(n):
        i = m - 1
        while i >= 0 and height_above_ellipsoid(states[i, k, 0], states[i, k, 1], states[i, k, 2]) <= sea[k]:
            i -= 1
        if i < 0 or i == m - 1:
            continue
        ta, tb = times_s[i, k], times_s[i + 1, k]
        low, high = ta, tb
        for _ in range(40):
            middle = 0.5 * (low + high)
            hermite(middle, ta, tb, states[i, k], states[i + 1, k], here)
            if height_above_ellipsoid(here[0], here[1], here[2]) > sea[k]:
                low = middle
            else:
                high = middle
        hermite(high, ta, tb, states[i, k], states[i + 1, k], here)
        latitude, longitude, _ = ecef2geodetic(here[0], here[1], here[2])
        out[k, 0], out[k, 1], out[k, 2] = high, latitude, longitude
    return out


@njit(cache=True)
def heights(states: Floats) -> Floats:
    """(m, n) heights above the ellipsoid (m) of states (m, n, >= 3)."""
    out = np.empty(states.shape[:2])
    for i in range(states.shape[0]):
        for k in range(states.shape[1]):
            out[i, k] = height_above_ellipsoid(states[i, k, 0], states[i, k, 1], states[i, k, 2])
    return out


def bearing_distance(lat1: Floats, lon1: Floats, lat2: Floats, lon2: Floats) -> tuple[Floats, Floats]:
    """Bearing (rad) and great-circle distance (m, mean sphere) from point 1 to point 2 (rad).

    Good to 0.5 %; enough here, where it only compares places with places near them.
    """
    d = lon2 - lon1
    x = np.sin(d) * np.cos(lat2)
    y = np.cos(lat1) * np.sin(lat2) - np.sin(lat1) * np.cos(lat2) * np.cos(d)
    z = np.sin(lat1) * np.sin(lat2) + np.cos(lat1) * np.cos(lat2) * np.cos(d)
    return np.arctan2(x, y), _MEAN_RADIUS_M * np.arctan2(np.hypot(x, y), z)


def destination(lat: Floats, lon: Floats, bearing: Floats, distance_m: Floats) -> tuple[Floats, Floats]:
    """Latitude and longitude (rad) at a bearing (rad) and great-circle distance (m) from a point (rad)."""
    d = distance_m / _MEAN_RADIUS_M
    lat2 = np.arcsin(np.sin(lat) * np.cos(d) + np.cos(lat) * np.sin(d) * np.cos(bearing))
    y = np.sin(bearing) * np.sin(d) * np.cos(lat)
    return lat2, lon + np.arctan2(y, np.cos(d) - np.sin(lat) * np.sin(lat2))
