"""Where and when an object comes down, as a distribution on the ground.

In: a state and covariance (ballistic convention of `records.Track`); out: mean place and time, and the spread
over the ground (`spread`).  The fall is far from linear in the drag parameter: an object that drags more than
thought falls short by far, one that drags less goes but little farther.  So the drag, with all that it may
still change on the way (`pushes`), is integrated by five Gauss-Hermite nodes, the other six by cubature
(Arasaratnam & Haykin 2009) at its middle; and the nodes' curve gives the tail that the region states.  What
looks may still take away of it is told apart: nobody waits for what no look will tell.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, height_above_ellipsoid
from jointwatch.motion.descent import NOT_DOWN, descend
from jointwatch.motion.drag import held_up
from jointwatch.motion.gaussian import cholesky, solve_lower
from jointwatch.warning.pushes import pushes
from jointwatch.warning.spread import QUANTILES, Spread

LONGEST_FALL_S = 2400.0
MODEL_SIGMA_M = 30.0
"""What the filter's physics leaves out besides wind (higher gravity), on the ground per axis."""
NODES, _WEIGHTS = hermegauss(5)
WEIGHTS = _WEIGHTS / math.sqrt(2.0 * math.pi)
"""Gauss-Hermite nodes and weights for a standard normal variable."""
NO_DRAG = -40.0
"""Log of a drag parameter that is as good as none."""
LEAST_HELD_S = 0.05
"""What the air holds up by less than this no wind carries anywhere."""
LEAST_BEND_M = 1.0
"""Where the drag moves the fall by less than this there is no axis for a tail."""
LEAST_BENT = 0.02
"""Where the drag has a smaller part in the variance than this its skew does not show."""
GRID = np.linspace(-4.0, 4.0, 61)
"""Standard normal deviations of the drag over which the tail is summed up."""
MOST_TURNS = 40
NEAR, RIGHT = 1e-5, 1e-5
"""A quantile is known where it moves by no more than this part of a standard deviation, and is this near to
its share; mostly three turns lead there."""


DRAGGED_MS2 = 0.1
"""What drags more than this shows by how much: the noise of a track's acceleration in a few looks."""


class GroundFall(Struct, frozen=True):
    """A fall: time to go (s) and its sigma, mean place (rad), and how it is spread about that place.

    open_m: what looks may still tell of it now, 1-sigma of the larger ground axis: all of its spread while
    the object drags so that this is seen; above the air what its place and velocity have in it.
    """

    time_s: float
    time_sigma_s: float
    latitude_rad: float
    longitude_rad: float
    spread: Spread
    open_m: float


def ground_fall(
    state: NDArray[np.float64], covariance: NDArray[np.float64], ground_m: float = 0.0
) -> GroundFall | None:
    """The fall of a state (7,) with covariance (7, 7) to height ground_m; None if it does not come down."""
    out, quantiles = np.empty(9), np.empty(len(QUANTILES))
    if not _ground_fall(state, covariance, ground_m, out, quantiles):
        return None
    time_s, variance, latitude, longitude, east, cross, north, axis, open_m = out.tolist()
    spread = Spread(np.array([[east, cross], [cross, north]]), axis, tuple(quantiles.tolist()))
    return GroundFall(time_s, math.sqrt(max(variance, 0.0)), latitude, longitude, spread, open_m)


@njit(cache=True)
def _ground_fall(
    state: NDArray[np.float64],
    covariance: NDArray[np.float64],
    ground_m: float,
    out: NDArray[np.float64],
    quantiles: NDArray[np.float64],
) -> bool:
    """Fill out with time, its variance, latitude, longitude, east-east, east-north, north-north, axis
    and what is open."""
    s = state.copy()
    t0 = descend(s, ground_m, LONGEST_FALL_S)
    if t0 == NOT_DOWN:
        return False
    latitude, longitude, _ = ecef2geodetic(s[0], s[1], s[2])
    place = s[:3].copy()
    turn = enu_rotation(latitude, longitude)
    c, drift = np.empty((3, 3)), np.empty((3, 2))
    whole = max(covariance[6, 6], 1e-12) + pushes(state, t0, turn, c, drift)

    # split the covariance: the drag parameter, with its walk, and the other six given that
    slope, rest, low = np.empty(6), np.empty((6, 6)), np.zeros((6, 6))
    for i in range(6):
        slope[i] = covariance[i, 6] / whole
    for i in range(6):
        for j in range(6):
            rest[i, j] = covariance[i, j] - slope[i] * slope[j] * whole
    sound = cholesky(rest, 6, low)
    if not sound:
        for i in range(6):
            for j in range(6):
                low[i, j] = math.sqrt(max(rest[i, i], 0.0)) if i == j else 0.0

    value, down = np.empty((12, 3)), np.zeros(12, np.bool_)
    for p in range(12):
        s[:] = state
        sign = 1.0 if p < 6 else -1.0
        for i in range(6):
            s[i] += sign * math.sqrt(6.0) * low[i, p % 6]
        down[p] = _landing(s, ground_m, t0, place, turn, value[p])
    for p in range(12):
        other = (p + 6) % 12
        if not down[p]:
            if not down[other]:
                return False
            # so little known that one side may leave the Earth: as far off as the other
            for a in range(3):
                value[p, a] = -value[other, a]
    # the middle node is the state's own fall
    curve = np.zeros((5, 3))
    for k in (1, 3, 0, 4):
        s[:] = state
        d = NODES[k] * math.sqrt(whole)
        s[6] += d
        for i in range(6):
            s[i] += slope[i] * d
        if not _landing(s, ground_m, t0, place, turn, curve[k]):
            if k != 0 and k != 4:
                return False
            # so far out in the tail it may leave the Earth: the tail goes on straight
            inner = 1 if k == 0 else 3
            for a in range(3):
                curve[k, a] = curve[2, a] + (curve[inner, a] - curve[2, a]) * NODES[k] / NODES[inner]
    middle, bend, still = np.zeros(3), np.zeros(3), np.zeros((3, 3))
    for a in range(3):
        for p in range(12):
            middle[a] += value[p, a] / 12.0
        for k in range(5):
            bend[a] += WEIGHTS[k] * curve[k, a]
    for a in range(3):
        for b in range(3):
            for p in range(12):
                still[a, b] += (value[p, a] - middle[a]) * (value[p, b] - middle[b]) / 12.0
            c[a, b] += still[a, b]
            for k in range(5):
                c[a, b] += WEIGHTS[k] * (curve[k, a] - bend[a]) * (curve[k, b] - bend[b])
    wind = _more_wind(state, curve, ground_m, t0, place, turn)
    for a in range(3):
        for b in range(3):
            c[a, b] += wind * wind * (drift[a, 0] * drift[b, 0] + drift[a, 1] * drift[b, 1])
    c[1, 1] += MODEL_SIGMA_M**2
    c[2, 2] += MODEL_SIGMA_M**2
    mean = middle + bend
    x = place + turn[0] * mean[1] + turn[1] * mean[2]
    out[2], out[3], _ = ecef2geodetic(x[0], x[1], x[2])
    out[0], out[1] = t0 + mean[0], c[0, 0]
    out[4], out[5], out[6] = c[1, 1], c[1, 2], c[2, 2]
    out[7] = _tail(c, curve, bend, quantiles)
    v = math.sqrt(state[3] * state[3] + state[4] * state[4] + state[5] * state[5])
    shows = held_up(height_above_ellipsoid(state[0], state[1], state[2]), v, state[6]) * v > DRAGGED_MS2
    if shows or not sound:
        out[8] = _major(c)
        return True
    # `still` is of place and velocity given the drag: what they share with it looks at them tell as well
    shared, root = np.empty(6), math.sqrt(whole)
    solve_lower(low, 6, slope, shared)
    by_drag = np.zeros(3)
    for a in range(3):
        for p in range(6):
            by_drag[a] += root * shared[p] * (value[p, a] - value[p + 6, a]) / math.sqrt(24.0)
    for a in range(3):
        for b in range(3):
            still[a, b] += by_drag[a] * by_drag[b]
    out[8] = min(_major(still), _major(c))
    return True


@njit(cache=True)
def _major(c: NDArray[np.float64]) -> float:
    """1-sigma along the larger ground axis of a covariance of time, east and north."""
    difference = c[1, 1] - c[2, 2]
    return math.sqrt(0.5 * (c[1, 1] + c[2, 2] + math.sqrt(difference * difference + 4.0 * c[1, 2] * c[1, 2])))


@njit(cache=True)
def _landing(
    s: NDArray[np.float64],
    ground_m: float,
    t0: float,
    place: NDArray[np.float64],
    turn: NDArray[np.float64],
    out: NDArray[np.float64],
) -> bool:
    """Fill out (3,) with time, east and north of the fall of s from the mean's; False if it has none."""
    t = descend(s, ground_m, LONGEST_FALL_S)
    if t == NOT_DOWN:
        return False
    dx, dy, dz = s[0] - place[0], s[1] - place[1], s[2] - place[2]
    out[0] = t - t0
    out[1] = turn[0, 0] * dx + turn[0, 1] * dy + turn[0, 2] * dz
    out[2] = turn[1, 0] * dx + turn[1, 1] * dy + turn[1, 2] * dz
    return True


@njit(cache=True)
def _more_wind(
    state: NDArray[np.float64],
    curve: NDArray[np.float64],
    ground_m: float,
    t0: float,
    place: NDArray[np.float64],
    turn: NDArray[np.float64],
) -> float:
    """How far a wind carries a fall of unknown drag in the mean, over how far one of its middle drag.

    A wind carries a fall by how long the air holds it up: the time it takes beyond what it would take to the
    same distance with no air (Didion's rule; McCoy 1999, "Modern exterior ballistics").  The mean of how far
    it is, and not of its square: that is the tail's, and would make the region's middle too wide.
    """
    s = state.copy()
    s[6] = NO_DRAG
    free = np.empty(3)
    if not _landing(s, ground_m, t0, place, turn, free):
        return 1.0
    east = turn[0, 0] * s[3] + turn[0, 1] * s[4] + turn[0, 2] * s[5]
    north = turn[1, 0] * s[3] + turn[1, 1] * s[4] + turn[1, 2] * s[5]
    speed2 = east * east + north * north + 1.0
    held = np.empty(5)
    for k in range(5):
        on = (curve[k, 1] - free[1]) * east + (curve[k, 2] - free[2]) * north
        held[k] = curve[k, 0] - free[0] - on / speed2
    if held[2] < LEAST_HELD_S:
        return 1.0
    more = 0.0
    for k in range(5):
        more += WEIGHTS[k] * held[k] / held[2]
    return more


@njit(cache=True)
def _tail(
    c: NDArray[np.float64],
    curve: NDArray[np.float64],
    bend: NDArray[np.float64],
    quantiles: NDArray[np.float64],
) -> float:
    """Fill the quantiles of the fall along the axis on which the drag moves it; return that axis's bearing.

    Along the axis the fall is the drag's curve through its five nodes plus a Gaussian of what is left of c.
    Both in units of the covariance's conjugate axis, so that together they have variance 1.
    """
    east, north = curve[3, 1] - curve[1, 1], curve[3, 2] - curve[1, 2]
    length = math.sqrt(east * east + north * north)
    if length < LEAST_BEND_M:
        quantiles[:] = QUANTILES
        return 0.0
    east, north = east / length, north / length
    determinant = c[1, 1] * c[2, 2] - c[1, 2] * c[1, 2]
    scale = (c[2, 2] * east * east - 2.0 * c[1, 2] * east * north + c[1, 1] * north * north) / determinant
    along = np.empty(5)
    variance = 0.0
    for k in range(5):
        x, y = curve[k, 1] - bend[1], curve[k, 2] - bend[2]
        along[k] = ((c[2, 2] * east - c[1, 2] * north) * x + (c[1, 1] * north - c[1, 2] * east) * y) / (
            determinant * math.sqrt(scale)
        )
        variance += WEIGHTS[k] * along[k] * along[k]
    if variance < LEAST_BENT:
        quantiles[:] = QUANTILES
        return math.atan2(east, north)
    narrow = math.sqrt(max(1.0 - variance, 1e-4))
    at, weight = np.empty(len(GRID)), np.empty(len(GRID))
    for g in range(len(GRID)):
        z = GRID[g]
        at[g] = 0.0
        # Lagrange's polynomial through the nodes
        for k in range(5):
            term = along[k]
            for j in range(5):
                if j != k:
                    term *= (z - NODES[j]) / (NODES[k] - NODES[j])
            at[g] += term
        weight[g] = math.exp(-0.5 * z * z)
    weight /= weight.sum()
    low = at.min() - 5.0 * narrow
    for q in range(len(QUANTILES)):
        low = _quantile(QUANTILES[q], at, weight, narrow, low)
        quantiles[q] = low
    return math.atan2(east, north)


@njit(cache=True)
def _quantile(
    deviation: float, at: NDArray[np.float64], weight: NDArray[np.float64], narrow: float, least: float
) -> float:
    """Where, not below `least`, a mixture of Gaussians about `at`, all `narrow` wide, is as improbable as a
    standard normal variable at a deviation.

    Halley's iteration, for a mixture's density and its slope come with its distribution; where it leaves the
    bracket or does not close in, that is halved.
    """
    wanted = 0.5 * math.erfc(-deviation / math.sqrt(2.0))
    low, high = least, at.max() + 5.0 * narrow
    # of mean 0 and variance 1 it is not far from one
    y, last = min(max(deviation, low), high), high - low
    for _ in range(MOST_TURNS):
        below, density, slope = -wanted, 0.0, 0.0
        for g in range(len(at)):
            u = (y - at[g]) / narrow
            below += weight[g] * 0.5 * math.erfc(-u / math.sqrt(2.0))
            part = weight[g] * math.exp(-0.5 * u * u)
            density += part
            slope -= u * part
        density /= narrow * math.sqrt(2.0 * math.pi)
        slope /= narrow * narrow * math.sqrt(2.0 * math.pi)
        if below < 0.0:
            low = y
        else:
            high = y
        curved = 2.0 * density * density - below * slope
        step = 2.0 * below * density / curved if curved > 0.0 else math.inf
        known = abs(step) < NEAR and abs(below) < RIGHT
        if (known or NEAR <= abs(step) <= 0.5 * last) and low <= y - step <= high:
            last = abs(step)
            y -= step
        else:
            # where hardly anything lies steps crawl, or say nothing
            last = 0.5 * (high - low)
            y = 0.5 * (low + high)
        if known or high - low < NEAR:
            break
    return float(y)
