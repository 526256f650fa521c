"""What pushes an object on its way down, and what that does to its fall.

In: a state and how long it falls; out: the covariance of time and place of the fall that process noise
makes, how far the wind would carry it, and what the drag's own walk amounts to as a spread of the drag
now.  One pass forward keeps the states, one pass backward carries what a small change still does to the fall
(the adjoint of the linearised flight), so every push is weighed by when it comes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.earth.wind import wind_rms
from jointwatch.motion.descent import stride
from jointwatch.motion.drag import drag_of, held_up_slopes
from jointwatch.motion.phases import BALLISTIC, jacobian, still_air_noise
from jointwatch.motion.propagate import step_length

STRETCH = 2.0
"""Steps of the integrator over which a push is taken as even."""
MOST_STRETCHES = 2000
LEAST_SLOPE_M = 1.0
"""A drag (log) whose change by one moves the fall by less has no effect that its walk could have."""


@njit(cache=True)
def pushes(
    state: NDArray[np.float64],
    span_s: float,
    turn: NDArray[np.float64],
    noise: NDArray[np.float64],
    drift: NDArray[np.float64],
) -> float:
    """Fill what pushes do to time, east and north of a fall; return the drag's walk as a variance now.

    state (7,) falls for span_s seconds; rows of turn (3, 3) are east, north and up there.  noise (3, 3):
    covariance that the white acceleration makes (s, m).  drift (3, 2): change by a wind towards east and
    north that is at each height as strong as it mostly is (`earth.wind`).  The walk is the variance of the
    drag parameter that, were it there from the start, would spread the fall as far; it is in neither of the
    two.
    """
    noise[:, :] = 0.0
    drift[:, :] = 0.0
    if span_s <= 0.0:
        return 0.0
    states = np.empty((MOST_STRETCHES + 1, 7))
    spans = np.empty(MOST_STRETCHES)
    states[0] = state
    left, n, half_drag = span_s, 0, 0.5 * drag_of(state[6])
    while left > 0.0 and n < MOST_STRETCHES:
        # a few where there is air, and never so short that they do not last to the ground
        stretch = min(left, max(STRETCH * step_length(BALLISTIC, states[n]), left / (MOST_STRETCHES - n)))
        states[n + 1] = states[n]
        stride(states[n + 1], stretch, half_drag)
        spans[n] = stretch
        left -= stretch
        n += 1
    s = states[n]
    sink = turn[2, 0] * s[3] + turn[2, 1] * s[4] + turn[2, 2] * s[5]
    if sink > -1.0:
        return 0.0
    # where and when it meets the ground moves with place: rows time, east, north
    effect = np.zeros((3, 7))
    for i in range(3):
        effect[0, i] = -turn[2, i] / sink
        for a in range(2):
            along = turn[a, 0] * s[3] + turn[a, 1] * s[4] + turn[a, 2] * s[5]
            effect[1 + a, i] = turn[a, i] + along * effect[0, i]
    walks = np.zeros((3, 3))
    f, once, twice = np.empty((7, 7)), np.empty((3, 7)), np.empty((3, 7))
    _weigh(states[n], effect, 0.5 * spans[n - 1], turn, noise, drift, walks)
    for k in range(n - 1, -1, -1):
        # to second order about the stretch's middle
        h = spans[k]
        jacobian(BALLISTIC, 0.5 * (states[k] + states[k + 1]), f)
        _back(effect, f, once)
        _back(once, f, twice)
        for a in range(3):
            for j in range(7):
                effect[a, j] += h * once[a, j] + 0.5 * h * h * twice[a, j]
        half = 0.5 * (spans[k] + (spans[k - 1] if k > 0 else 0.0))
        _weigh(states[k], effect, half, turn, noise, drift, walks)
    east, north = effect[1, 6], effect[2, 6]
    slope2 = east * east + north * north
    if slope2 < LEAST_SLOPE_M * LEAST_SLOPE_M:
        return 0.0
    along = east * east * walks[1, 1] + 2.0 * east * north * walks[1, 2] + north * north * walks[2, 2]
    return float(along / (slope2 * slope2))


@njit(cache=True)
def _back(effect: NDArray[np.float64], f: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Fill out (3, 7) with effect F: a place acts through the velocity that it changes, and so on."""
    for a in range(3):
        for j in range(7):
            total = effect[a, j - 3] if 3 <= j < 6 else 0.0
            for i in range(3, 6):
                total += effect[a, i] * f[i, j]
            out[a, j] = total


@njit(cache=True)
def _weigh(
    s: NDArray[np.float64],
    effect: NDArray[np.float64],
    seconds: float,
    turn: NDArray[np.float64],
    noise: NDArray[np.float64],
    drift: NDArray[np.float64],
    walks: NDArray[np.float64],
) -> None:
    """Add what pushes during some seconds at state s, by its effect (3, 7) on time, east and north."""
    # the wind from here to the ground is one and the same, and no white noise: it is the drift
    white, walk = still_air_noise(s)
    speed = math.sqrt(s[3] * s[3] + s[4] * s[4] + s[5] * s[5]) + 1e-9
    # against the air, not the ground, is what drags: da = k w + dk/d|v| v (v.w) / |v|
    height = height_above_ellipsoid(s[0], s[1], s[2])
    k, _, by_speed = held_up_slopes(height, speed, s[6])
    wind = wind_rms(height)
    for a in range(3):
        for b in range(3):
            both = effect[a, 3] * effect[b, 3] + effect[a, 4] * effect[b, 4] + effect[a, 5] * effect[b, 5]
            noise[a, b] += seconds * white * both
            walks[a, b] += seconds * walk * effect[a, 6] * effect[b, 6]
        with_speed = (effect[a, 3] * s[3] + effect[a, 4] * s[4] + effect[a, 5] * s[5]) / speed
        for w in range(2):
            blown = effect[a, 3] * turn[w, 0] + effect[a, 4] * turn[w, 1] + effect[a, 5] * turn[w, 2]
            carried = s[3] * turn[w, 0] + s[4] * turn[w, 1] + s[5] * turn[w, 2]
            drift[a, w] += seconds * wind * (k * blown + by_speed * with_speed * carried)
