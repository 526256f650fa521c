"""Where and when an object comes down, as a distribution on the ground.

In: a state and covariance (ballistic convention of `records.Track`); out: mean place and time, the ground
covariance, and sample points for the zones.  The fall is far from linear in the drag parameter, so that is
integrated by three Gauss-Hermite nodes; the other six by cubature (Arasaratnam & Haykin 2009) at its middle.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation
from jointwatch.motion.gaussian import cholesky
from jointwatch.motion.phases import BALLISTIC
from jointwatch.motion.propagate import fall, predict, step_length

LONGEST_FALL_S = 2400.0
COARSE = 3.0
"""The fall's steps, longer than the integrator's own: a few metres on the ground, a third of the cost."""
NOT_DOWN = -1.0
"""What `fall` returns for an object that does not come down; another negative time is one just past."""
MODEL_SIGMA_M = 100.0
"""What the filter's physics leaves out (higher gravity, wind), on the ground per axis."""
NOISE_STRETCH = 4.0
"""Steps of the integrator over which the process noise of the fall is taken as even."""
POINTS = 384


class GroundFall(Struct, frozen=True):
    """A fall as a Gaussian: time to go (s) and its sigma, place (rad), covariance (2, 2) east-north (m^2)."""

    time_s: float
    time_sigma_s: float
    latitude_rad: float
    longitude_rad: float
    covariance_m2: NDArray[np.float64]

    def ellipse(self, share: float = 0.9) -> tuple[float, float, float]:
        """Semi-axes (m, larger first) and bearing (rad from north) of the ellipse that holds `share`."""
        values, vectors = np.linalg.eigh(self.covariance_m2)
        k = math.sqrt(-2.0 * math.log(1.0 - share))
        a, b = (k * math.sqrt(max(v, 0.0)) for v in values[::-1])
        return a, b, math.atan2(vectors[0, 1], vectors[1, 1]) % math.pi


def ground_fall(
    state: NDArray[np.float64], covariance: NDArray[np.float64], ground_m: float = 0.0
) -> GroundFall | None:
    """The fall of a state (7,) with covariance (7, 7) to height ground_m; None if it does not come down."""
    out = np.empty(7)
    if not _ground_fall(state, covariance, ground_m, out):
        return None
    time_s, variance, latitude, longitude, east, cross, north = out.tolist()
    c = np.array([[east, cross], [cross, north]])
    return GroundFall(time_s, math.sqrt(max(variance, 0.0)), latitude, longitude, c)


@njit(cache=True)
def _ground_fall(
    state: NDArray[np.float64], covariance: NDArray[np.float64], ground_m: float, out: NDArray[np.float64]
) -> bool:
    """Fill out with time, its variance, latitude, longitude, and east-east, east-north, north-north."""
    s = state.copy()
    t0 = fall(s, ground_m, LONGEST_FALL_S, COARSE)
    if t0 == NOT_DOWN:
        return False
    latitude, longitude, _ = ecef2geodetic(s[0], s[1], s[2])
    place = s[:3].copy()
    turn = enu_rotation(latitude, longitude)

    # split the covariance: the drag parameter d, and the other six given d
    sigma_d = math.sqrt(max(covariance[6, 6], 1e-12))
    slope = np.empty(6)
    rest = np.empty((6, 6))
    for i in range(6):
        slope[i] = covariance[i, 6] / covariance[6, 6] if covariance[6, 6] > 1e-12 else 0.0
    for i in range(6):
        for j in range(6):
            rest[i, j] = covariance[i, j] - slope[i] * slope[j] * covariance[6, 6]
    low = np.zeros((6, 6))
    if not cholesky(rest, 6, low):
        for i in range(6):
            for j in range(6):
                low[i, j] = math.sqrt(max(rest[i, i], 0.0)) if i == j else 0.0

    # middle node, weight 2/3: twelve cubature points; side nodes, 1/6 each: one point
    value = np.empty((14, 3))
    for p in range(14):
        s[:] = state
        if p < 12:
            sign = 1.0 if p < 6 else -1.0
            for i in range(6):
                s[i] += sign * math.sqrt(6.0) * low[i, p % 6]
        else:
            d = (1.0 if p == 12 else -1.0) * math.sqrt(3.0) * sigma_d
            s[6] += d
            for i in range(6):
                s[i] += slope[i] * d
        t = fall(s, ground_m, LONGEST_FALL_S, COARSE)
        if t == NOT_DOWN:
            return False
        dx, dy, dz = s[0] - place[0], s[1] - place[1], s[2] - place[2]
        value[p, 0] = t - t0
        value[p, 1] = turn[0, 0] * dx + turn[0, 1] * dy + turn[0, 2] * dz
        value[p, 2] = turn[1, 0] * dx + turn[1, 1] * dy + turn[1, 2] * dz
    middle = np.zeros(3)
    for p in range(12):
        for a in range(3):
            middle[a] += value[p, a] / 12.0
    mean = np.empty(3)
    for a in range(3):
        mean[a] = 2.0 / 3.0 * middle[a] + (value[12, a] + value[13, a]) / 6.0
    c = np.zeros((3, 3))
    for a in range(3):
        for b in range(3):
            for p in range(12):
                c[a, b] += (value[p, a] - middle[a]) * (value[p, b] - middle[b]) / 12.0
            c[a, b] += 2.0 / 3.0 * (middle[a] - mean[a]) * (middle[b] - mean[b])
            for p in range(12, 14):
                c[a, b] += (value[p, a] - mean[a]) * (value[p, b] - mean[b]) / 6.0
    _add_noise(state, t0, turn, c)
    x = place + turn[0] * mean[1] + turn[1] * mean[2]
    out[2], out[3], _ = ecef2geodetic(x[0], x[1], x[2])
    out[0], out[1] = t0 + mean[0], c[0, 0]
    out[4] = c[1, 1] + MODEL_SIGMA_M**2
    out[5] = c[1, 2]
    out[6] = c[2, 2] + MODEL_SIGMA_M**2
    return True


@njit(cache=True)
def _add_noise(
    state: NDArray[np.float64], span_s: float, turn: NDArray[np.float64], c: NDArray[np.float64]
) -> None:
    """Add to c (time, east, north) what the ballistic phase's process noise does over the fall of a state.

    The filter's own noise, of drag above all, goes on until the ground; carried along the mean's fall.
    """
    if span_s <= 0.0:
        return
    s, p = state.copy(), np.zeros((7, 7))
    left = span_s
    while left > 0.0:
        # the noise is taken as even over a stretch: a few where there is air
        stretch = min(left, NOISE_STRETCH * step_length(BALLISTIC, s))
        predict(BALLISTIC, s, p, stretch)
        left -= stretch
    fall_rate = turn[2, 0] * s[3] + turn[2, 1] * s[4] + turn[2, 2] * s[5]
    if fall_rate > -1.0:
        return
    # where and when it meets the ground moves with place: rows time, east, north
    j = np.empty((3, 3))
    for i in range(3):
        j[0, i] = -turn[2, i] / fall_rate
    for a in range(2):
        along = turn[a, 0] * s[3] + turn[a, 1] * s[4] + turn[a, 2] * s[5]
        for i in range(3):
            j[1 + a, i] = turn[a, i] + along * j[0, i]
    for a in range(3):
        for b in range(3):
            for i in range(3):
                for k in range(3):
                    c[a, b] += j[a, i] * p[i, k] * j[b, k]


def _standard_points(count: int) -> NDArray[np.float64]:
    """(count, 2) fixed standard normal points: equal-probability rings turned by the golden angle."""
    k = np.arange(count)
    radius = np.sqrt(-2.0 * np.log(1.0 - (k + 0.5) / count))
    angle = k * math.pi * (3.0 - math.sqrt(5.0))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


_POINTS = _standard_points(POINTS)
_WEIGHTS = np.full(POINTS, 1.0 / POINTS)


def spread_points(
    latitude_rad: float, longitude_rad: float, covariance_m2: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes and latitudes (deg) and equal weights of points spread as a Gaussian on the ground."""
    values, vectors = np.linalg.eigh(covariance_m2)
    offset = (_POINTS * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    north = 6371000.0
    latitude = latitude_rad + offset[:, 1] / north
    longitude = longitude_rad + offset[:, 0] / (north * math.cos(latitude_rad))
    return np.degrees(longitude), np.degrees(latitude), _WEIGHTS
