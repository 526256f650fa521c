"""Where a burn will be seen next, before its launch is fitted: one Gaussian of motion for each class.

In: motions as `launch.first_seen` begins them from the line of sight to a first plot; out: position, velocity
and acceleration (ECEF) with covariances for each class, which each further plot of any satellite improves
(Kalman), and how probable a plot is anywhere.  Some microseconds a look where a posterior takes a tenth of a
second, so it decides which plot is whose, and which chains are worth a posterior.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.launch.profiles import ANY, PROFILES

Floats = NDArray[np.float64]
CLASSES = len(PROFILES)
STATE = 9
STEADY, ABRUPT = 3.0, 60.0
"""Spectral density of what changes an acceleration otherwise than steadily, m^2/s^5: for a class, and for
what fits none (stages that part, turns)."""
GATE = 18.4
"""Squared distance of a plot that is still looked at: one in ten thousand lies beyond."""
NEVER = -1e9
JERK = np.array([ABRUPT if p.name == ANY else STEADY for p in PROFILES])


@njit(cache=True)
def _seen_at(mean: Floats, cov: Floats, dt: float, q: float, site: Floats, sigma: float, out: Floats) -> None:
    """Fill out (12,): direction (3) after dt, two axes across it (6), and the spread there (xx, xy, yy)."""
    f = (1.0, dt, 0.5 * dt * dt)
    r2 = 0.0
    for j in range(3):
        out[j] = mean[j] + dt * mean[3 + j] + f[2] * mean[6 + j] - site[j]
        r2 += out[j] * out[j]
    r = math.sqrt(r2)
    for j in range(3):
        out[j] /= r
    if abs(out[2]) > 0.9:
        out[3], out[4], out[5] = 0.0, -out[2], out[1]
    else:
        out[3], out[4], out[5] = -out[1], out[0], 0.0
    n = math.sqrt(out[3] ** 2 + out[4] ** 2 + out[5] ** 2)
    out[3] /= n
    out[4] /= n
    out[5] /= n
    out[6] = out[1] * out[5] - out[2] * out[4]
    out[7] = out[2] * out[3] - out[0] * out[5]
    out[8] = out[0] * out[4] - out[1] * out[3]
    out[9] = out[10] = out[11] = 0.0
    noise = q * dt**5 / 20.0
    for i in range(3):
        for j in range(3):
            p = noise if i == j else 0.0
            for a in range(3):
                for b in range(3):
                    p += f[a] * f[b] * cov[3 * a + i, 3 * b + j]
            out[9] += out[3 + i] * p * out[3 + j]
            out[10] += out[3 + i] * p * out[6 + j]
            out[11] += out[6 + i] * p * out[6 + j]
    out[9] = out[9] / r2 + sigma * sigma
    out[10] /= r2
    out[11] = out[11] / r2 + sigma * sigma


@njit(cache=True)
def log_densities(
    means: Floats,
    covs: Floats,
    log_weight: Floats,
    dt: Floats,
    jerk: Floats,
    site: Floats,
    sigma: float,
    along: Floats,
    rows: NDArray[np.int64],
    out: Floats,
) -> None:
    """Fill out (n, m): log-density (a steradian) of each plot under each of n motions dt (n,) seconds on, in
    these rows of the motions.

    log_weight (n, C): of class and of being seen.  NEVER outside the gates of all classes.
    """
    at = np.empty((means.shape[1], 12))
    for k in rows:
        widest = 0.0
        for c in range(means.shape[1]):
            _seen_at(means[k, c], covs[k, c], dt[k], jerk[c], site, sigma, at[c])
            widest = max(widest, at[c, 9] + at[c, 11])
        for i in range(along.shape[0]):
            out[k, i] = NEVER
            far = 0.0
            for j in range(3):
                far += (along[i, j] - at[0, j]) ** 2
            if far > 4.0 * GATE * widest:
                continue
            total, near = 0.0, False
            for c in range(means.shape[1]):
                a, b = 0.0, 0.0
                for j in range(3):
                    a += at[c, 3 + j] * along[i, j]
                    b += at[c, 6 + j] * along[i, j]
                determinant = at[c, 9] * at[c, 11] - at[c, 10] ** 2
                d2 = (at[c, 11] * a * a - 2.0 * at[c, 10] * a * b + at[c, 9] * b * b) / determinant
                if d2 < GATE:
                    near = True
                total += math.exp(log_weight[k, c] - 0.5 * d2) / (2.0 * math.pi * math.sqrt(determinant))
            if near and total > 0.0:
                out[k, i] = math.log(total)


@njit(cache=True)
def moved(
    means: Floats,
    covs: Floats,
    log_weight: Floats,
    dt: float,
    jerk: Floats,
    site: Floats,
    sigma: float,
    along: Floats,
) -> float:
    """Take motions (C, 9) dt seconds on and in the plot of a line of sight (3,), in place; log_weight (C,)
    in: of class and being seen; out: of class, normalised.  Returns the plot's log-density (a steradian)."""
    at, whole, turn = np.empty(12), np.empty((STATE, STATE)), np.eye(STATE)
    h, gain, left = np.zeros((2, STATE)), np.empty((STATE, 2)), np.empty((2, STATE))
    for j in range(6):
        turn[j, j + 3] = dt
    for j in range(3):
        turn[j, j + 6] = 0.5 * dt * dt
    noise = (
        (dt**5 / 20.0, dt**4 / 8.0, dt**3 / 6.0),
        (dt**4 / 8.0, dt**3 / 3.0, dt**2 / 2.0),
        (dt**3 / 6.0, dt**2 / 2.0, dt),
    )
    top = NEVER
    for c in range(means.shape[0]):
        _seen_at(means[c], covs[c], dt, jerk[c], site, sigma, at)
        whole[:] = turn @ covs[c] @ turn.T
        for i in range(3):
            for j in range(3):
                for k in range(3):
                    whole[3 * i + k, 3 * j + k] += jerk[c] * noise[i][j]
        mean = turn @ means[c]
        r = math.sqrt((mean[0] - site[0]) ** 2 + (mean[1] - site[1]) ** 2 + (mean[2] - site[2]) ** 2)
        a, b = 0.0, 0.0
        for j in range(3):
            h[0, j], h[1, j] = at[3 + j] / r, at[6 + j] / r
            a += at[3 + j] * along[j]
            b += at[6 + j] * along[j]
        determinant = at[9] * at[11] - at[10] ** 2
        left[:] = h @ whole
        for j in range(STATE):
            gain[j, 0] = (left[0, j] * at[11] - left[1, j] * at[10]) / determinant
            gain[j, 1] = (left[1, j] * at[9] - left[0, j] * at[10]) / determinant
            mean[j] += gain[j, 0] * a + gain[j, 1] * b
        whole -= gain @ left
        means[c] = mean
        covs[c] = 0.5 * (whole + whole.T)
        d2 = (at[11] * a * a - 2.0 * at[10] * a * b + at[9] * b * b) / determinant
        log_weight[c] += -0.5 * d2 - math.log(2.0 * math.pi) - 0.5 * math.log(determinant)
        top = max(top, log_weight[c])
    total = 0.0
    for c in range(means.shape[0]):
        total += math.exp(log_weight[c] - top)
    log_density: float = top + math.log(total)
    for c in range(means.shape[0]):
        log_weight[c] -= log_density
    return log_density


@njit(cache=True)
def all_moved(
    means: Floats,
    covs: Floats,
    log_weight: Floats,
    dt: Floats,
    jerk: Floats,
    site: Floats,
    sigma: float,
    along: Floats,
    gains: Floats,
) -> None:
    """`moved` for each of n motions by a plot of its own (n, 3); fill gains (n,) with the log-densities."""
    for k in range(len(dt)):
        gains[k] = moved(means[k], covs[k], log_weight[k], dt[k], jerk, site, sigma, along[k])
