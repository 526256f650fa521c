"""The best launches for what was seen of a burn, class by class, with how well each is known.

In: looks (`launch.looks`), a class's row, and an azimuth to start from; out: values that fit best within a
sector of azimuths (Levenberg-Marquardt), their covariance by the fit's own curvature, and the cost.  A lone
satellite leaves the azimuth open, and other values with it: then each sector has its best fit, and together
they are a mixture that `launch.posterior` draws from.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import SEMI_MAJOR_M, ecef2geodetic, height_above_ellipsoid
from jointwatch.launch.ascent import (
    AZIMUTH,
    EAST,
    END,
    KNOTS,
    NORTH,
    PUSH,
    TIME,
    VALUES,
    ascend,
    nearest_turn,
    state_at,
)
from jointwatch.launch.looks import ALONG, AT, CLEAR_M, MORE, SEEN, SITE, residuals
from jointwatch.launch.profiles import BURN, EXHAUST, GAP, LOAD, STAGES
from jointwatch.motion.gaussian import cholesky

Floats = NDArray[np.float64]
STEPS = np.array([50.0, 50.0, 0.05, 1e-3, 0.05, 3e-3, 0.01, 0.05])
"""Of the differences that slopes are taken over, by value."""
LEAST = np.array([1e6, 1e6, 120.0, 1e3, 1e3, 1e3, 1e3, 1e3])
"""A priori standard deviations that keep what nothing tells of from being unbounded (m, m, s, ...)."""
FIRST_STEPS, MOST_STEPS = 3, 12
"""Steps of every fit, and of those that are worth more."""
FARTHEST_Z = 4.0


@njit(cache=True)
def time_to_clear(row: Floats, place: Floats) -> float:
    """Seconds after launch at which a burn of a class's medians reaches `CLEAR_M`; half its burn if it does
    not."""
    times, states = np.empty(KNOTS), np.empty((KNOTS, 6))
    high: float = 0.0
    values = np.zeros(VALUES)
    medians(row, values)
    n = ascend(row, values, place, 1e9, times, states)
    for k in range(1, n):
        if height_above_ellipsoid(states[k, 0], states[k, 1], states[k, 2]) > CLEAR_M:
            low = times[k - 1]
            high = times[k]
            s = np.empty(6)
            for _ in range(12):
                middle = 0.5 * (low + high)
                state_at(times, states, n, middle, s)
                if height_above_ellipsoid(s[0], s[1], s[2]) > CLEAR_M:
                    high = middle
                else:
                    low = middle
            return high
    half: float = 0.5 * times[n - 1]
    return half


@njit(cache=True)
def ground_of(look: Floats, height: float, out: Floats) -> bool:
    """Fill out (2,) with latitude and longitude (rad) where a look's line first is at a height (m) on a
    sphere through the ellipsoid there, near enough to start a fit; False where it passes the Earth."""
    x, y, z = look[SITE], look[SITE + 1], look[SITE + 2]
    a, b, c = look[ALONG], look[ALONG + 1], look[ALONG + 2]
    radius = SEMI_MAJOR_M
    for _ in range(4):
        along = a * x + b * y + c * z
        r = radius + height
        root = along * along - (x * x + y * y + z * z - r * r)
        if root < 0.0:
            return False
        t = -along - math.sqrt(root)
        out[0], out[1], h = ecef2geodetic(x + t * a, y + t * b, z + t * c)
        radius -= h - height
    return True


@njit(cache=True)
def medians(row: Floats, values: Floats) -> None:
    """Give a launch of values (8,) the burn and the thrust of its class's medians."""
    values[END] = values[TIME] + row[STAGES] * row[BURN] + (row[STAGES] - 1.0) * row[GAP]
    load = 1.0 / (1.0 + math.exp(-row[LOAD]))
    values[PUSH] = math.log(load / row[BURN] * row[EXHAUST])


@njit(cache=True)
def begin(row: Floats, place: Floats, looks: Floats, azimuth: float, clear_s: float, values: Floats) -> None:
    """Fill values (8,) with a start: a burn of the class's medians that cleared the clouds when first
    seen."""
    values[:] = 0.0
    values[AZIMUTH] = azimuth
    medians(row, values)
    first = 0
    while looks[first, SEEN] == 0.0:
        first += 1
    values[TIME] = looks[first, AT] - clear_s
    medians(row, values)
    last = looks[first, AT]
    for i in range(looks.shape[0]):
        if looks[i, SEEN] != 0.0:
            last = looks[i, AT]
    values[END] = max(values[END], last + 1.0)
    # a longer burn of the same load: else it would have no mass left, and a fit no slope over the thrust
    burn = (values[END] - values[TIME] - (row[STAGES] - 1.0) * row[GAP]) / row[STAGES]
    values[PUSH] += math.log(row[BURN] / burn)
    at = np.empty(2)
    if not ground_of(looks[first], CLEAR_M, at):
        at[:] = place
    times, states = np.empty(KNOTS), np.empty((KNOTS, 6))
    n = ascend(row, values, place, 1e9, times, states)
    s = np.empty(6)
    state_at(times, states, n, clear_s, s)
    latitude, longitude, _ = ecef2geodetic(s[0], s[1], s[2])
    values[NORTH] = (at[0] - latitude) * SEMI_MAJOR_M
    values[EAST] = nearest_turn(at[1] - longitude) * SEMI_MAJOR_M * math.cos(place[0])


@njit(cache=True)
def fit(
    row: Floats,
    place: Floats,
    looks: Floats,
    clear_s: float,
    middle: float,
    half: float,
    most: int,
    values: Floats,
    covariance: Floats,
    work: Floats,
) -> float:
    """Improve values (8,) in place by at most so many steps, the azimuth within half of middle (rad); fill
    covariance (8, 8).

    Returns the cost: half the sum of the squares of all residuals.  inf where the curvature is not positive.
    """
    size = 3 * looks.shape[0] + MORE
    r, other, slopes = np.empty(size), np.empty(size), np.empty((size, VALUES))
    hessian, gradient, low = np.empty((VALUES, VALUES)), np.empty(VALUES), np.zeros((VALUES, VALUES))
    trial, damped = np.empty(VALUES), np.empty((VALUES, VALUES))
    m = residuals(row, values, place, looks, clear_s, r, work)
    cost = 0.0
    for i in range(m):
        cost += 0.5 * r[i] * r[i]
    damping = 1e-2
    for iteration in range(most + 1):
        for k in range(VALUES):
            trial[:] = values
            trial[k] += STEPS[k]
            residuals(row, trial, place, looks, clear_s, other, work)
            for i in range(m):
                slopes[i, k] = (other[i] - r[i]) / STEPS[k]
        for a in range(VALUES):
            gradient[a] = 0.0
            for i in range(m):
                gradient[a] += slopes[i, a] * r[i]
            for b in range(a + 1):
                total = 0.0
                for i in range(m):
                    total += slopes[i, a] * slopes[i, b]
                hessian[a, b] = hessian[b, a] = total
            hessian[a, a] += 1.0 / (LEAST[a] * LEAST[a])
        hessian[AZIMUTH, AZIMUTH] += 1.0 / (0.5 * half * half)
        if iteration == most:
            break
        better = False
        for _ in range(6):
            damped[:] = hessian
            for a in range(VALUES):
                damped[a, a] *= 1.0 + damping
            if not cholesky(damped, VALUES, low):
                damping *= 10.0
                continue
            _solve(low, gradient, trial)
            for a in range(VALUES):
                trial[a] = values[a] - trial[a]
                if a > PUSH:
                    trial[a] = min(max(trial[a], -FARTHEST_Z), FARTHEST_Z)
            trial[AZIMUTH] = min(max(trial[AZIMUTH], middle - half), middle + half)
            residuals(row, trial, place, looks, clear_s, other, work)
            new = 0.0
            for i in range(m):
                new += 0.5 * other[i] * other[i]
            if new < cost:
                better = True
                break
            damping = max(damping * 8.0, 1e-3)
        if not better:
            break
        gain = cost - new
        values[:] = trial
        r[:m] = other[:m]
        cost = new
        damping *= 0.2
        if gain < 0.01:
            damping *= 0.01
            if gain < 1e-4:
                break
    if not cholesky(hessian, VALUES, low):
        return math.inf
    for a in range(VALUES):
        gradient[:] = 0.0
        gradient[a] = 1.0
        _solve(low, gradient, trial)
        covariance[:, a] = trial
    return cost


@njit(cache=True)
def _solve(low: Floats, b: Floats, x: Floats) -> None:
    """Solve low low' x = b (8,)."""
    for i in range(VALUES):
        total = b[i]
        for k in range(i):
            total -= low[i, k] * x[k]
        x[i] = total / low[i, i]
    for i in range(VALUES - 1, -1, -1):
        total = x[i]
        for k in range(i + 1, VALUES):
            total -= low[k, i] * x[k]
        x[i] = total / low[i, i]
