"""Updating one motion of a row: with weighted plots, or iterated with one.

In: a mean and covariance, and what the sensor should measure of them (`sensing.expectation`); out: both
updated in place.  Several plots and "none" are weighed by their association probabilities (Bar-Shalom, Daum &
Huang 2009, "The probabilistic data association filter").  The covariance is in Joseph form, a sum of terms
that are each positive semidefinite, so it stays positive definite whatever the rounding of the gain.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.motion.gaussian import cholesky
from jointwatch.motion.phases import N
from jointwatch.sensing.expectation import SHIFT, SIZE, D, expect, innovation
from jointwatch.sensing.radar import DIMENSION

ITERATIONS = 5
SETTLED = 1e-2
"""An iteration that moves the mean by less than this (Mahalanobis) is the last."""


@njit(cache=True)
def gauss(low: NDArray[np.float64], dim: int, y: NDArray[np.float64]) -> tuple[float, float]:
    """Squared Mahalanobis distance of y (dim,) and log of its Gaussian density, from the Cholesky factor."""
    t = np.empty(D)
    d2 = 0.0
    log_det = 0.0
    for i in range(dim):
        total = y[i]
        for k in range(i):
            total -= low[i, k] * t[k]
        t[i] = total / low[i, i]
        d2 += t[i] * t[i]
        log_det += math.log(low[i, i])
    return d2, -0.5 * d2 - log_det - 0.5 * dim * math.log(2.0 * math.pi)


@njit(cache=True)
def gain_of(
    dim: int,
    cov: NDArray[np.float64],
    h: NDArray[np.float64],
    low: NDArray[np.float64],
    gain: NDArray[np.float64],
) -> None:
    """Fill gain (N, dim) = P H' S^-1 from the Cholesky factor of S, by two triangular solves a row."""
    column = np.empty(D)
    for a in range(N):
        for d in range(dim):
            total = 0.0
            for b in range(6):
                total += cov[a, b] * h[d, b]
            for k in range(d):
                total -= low[d, k] * column[k]
            column[d] = total / low[d, d]
        for d in range(dim - 1, -1, -1):
            total = column[d]
            for k in range(d + 1, dim):
                total -= low[k, d] * gain[a, k]
            gain[a, d] = total / low[d, d]


@njit(cache=True)
def joseph(
    dim: int,
    cov: NDArray[np.float64],
    h: NDArray[np.float64],
    noise: NDArray[np.float64],
    gain: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill out (N, N) with (I - K H) P (I - K H)' + K R K'."""
    t = np.empty((N, N))
    hp = np.empty((D, N))
    for d in range(dim):
        for b in range(N):
            total = 0.0
            for c in range(6):
                total += h[d, c] * cov[c, b]
            hp[d, b] = total
    for a in range(N):
        for b in range(N):
            total = cov[a, b]
            for d in range(dim):
                total -= gain[a, d] * hp[d, b]
            t[a, b] = total
    th = np.empty((N, D))
    for a in range(N):
        for d in range(dim):
            total = 0.0
            for c in range(6):
                total -= t[a, c] * h[d, c]
            for e in range(dim):
                total += gain[a, e] * noise[e, d]
            th[a, d] = total
    for a in range(N):
        for b in range(a, N):
            total = t[a, b]
            for d in range(dim):
                total += th[a, d] * gain[b, d]
            out[a, b] = total
            out[b, a] = total


@njit(cache=True)
def update_phase(
    sensor: NDArray[np.float64],
    mean: NDArray[np.float64],
    cov: NDArray[np.float64],
    plots: NDArray[np.float64],
    weights: NDArray[np.float64],
    none: float,
    z: NDArray[np.float64],
    h: NDArray[np.float64],
    s: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> None:
    """Update one motion in place with plots (m, PLOT), their weights (m,) and the weight of none; sum 1.

    z, h, s, noise are what `expect` gave for this motion.
    """
    dim = int(sensor[DIMENSION])
    low = np.zeros((D, D))
    if not cholesky(s, dim, low):
        return
    y = np.empty(D)
    y_mean = np.zeros(D)
    yy = np.zeros((D, D))
    seen = 0.0
    for j in range(plots.shape[0]):
        w = weights[j]
        if w <= 0.0:
            continue
        innovation(sensor, plots[j], z, y)
        seen += w
        for d in range(dim):
            y_mean[d] += w * y[d]
            for e in range(dim):
                yy[d, e] += w * y[d] * y[e]
    if seen <= 0.0:
        return
    gain = np.empty((N, D))
    updated = np.empty((N, N))
    gain_of(dim, cov, h, low, gain)
    joseph(dim, cov, h, noise, gain, updated)
    for a in range(N):
        for b in range(a, N):
            spread = 0.0
            for d in range(dim):
                for e in range(dim):
                    spread += gain[a, d] * (yy[d, e] - y_mean[d] * y_mean[e]) * gain[b, e]
            total = none * cov[a, b] + seen * updated[a, b] + spread
            cov[a, b] = total
            cov[b, a] = total
    for a in range(N):
        for d in range(dim):
            mean[a] += gain[a, d] * y_mean[d]


@njit(cache=True)
def update_with(
    sensor: NDArray[np.float64],
    mean: NDArray[np.float64],
    cov: NDArray[np.float64],
    plot: NDArray[np.float64],
) -> bool:
    """Update one motion in place with the one plot (PLOT,) that it is sure to have given; False if S is bad.

    Iterated posterior linearisation: where the measurement bends over the state's spread, the prior is
    updated anew with the linear model about the posterior, until that settles.  Elsewhere once is enough.
    """
    dim = int(sensor[DIMENSION])
    z, h = np.empty(SIZE), np.empty((D, 6))
    s, noise = np.empty((D, D)), np.empty((D, D))
    low, gain = np.zeros((D, D)), np.empty((N, D))
    y = np.empty(D)
    at, around = mean.copy(), cov.copy()
    for turn in range(ITERATIONS):
        expect(sensor, at, around, z, h, s, noise)
        if turn > 0:
            _spread(dim, cov, h, noise, s)
        if not cholesky(s, dim, low):
            return False
        innovation(sensor, plot, z, y)
        for d in range(dim):
            for a in range(6):
                y[d] += h[d, a] * (at[a] - mean[a])
        gain_of(dim, cov, h, low, gain)
        moved = 0.0
        for a in range(N):
            new = mean[a]
            for d in range(dim):
                new += gain[a, d] * y[d]
            moved += (new - at[a]) ** 2 / max(around[a, a], 1e-300) if around[a, a] > 0.0 else 0.0
            at[a] = new
        joseph(dim, cov, h, noise, gain, around)
        bent = False
        for d in range(dim):
            bent = bent or z[SHIFT + d] != 0.0
        if not bent or (turn > 0 and moved < SETTLED * SETTLED):
            break
    mean[:] = at
    cov[:, :] = around
    return True


@njit(cache=True)
def _spread(
    dim: int,
    cov: NDArray[np.float64],
    h: NDArray[np.float64],
    noise: NDArray[np.float64],
    s: NDArray[np.float64],
) -> None:
    """Fill s (dim, dim) with H P H' + R."""
    for d in range(dim):
        for e in range(d, dim):
            total = noise[d, e]
            for a in range(6):
                for b in range(6):
                    total += h[d, a] * cov[a, b] * h[e, b]
            s[d, e] = total
            s[e, d] = total
