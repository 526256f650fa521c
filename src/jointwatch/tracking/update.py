"""Updating one motion of a row: with weighted plots, or iterated with one.

In: a mean and covariance, and what the sensor should measure of them (`sensing.expectation`); out: both
updated in place.  Several plots and "none" are weighed by their association probabilities (Bar-Shalom, Daum &
Huang 2009, "The probabilistic data association filter").  Where rounding could matter the covariance is in
Joseph form, a sum of terms that are each positive semidefinite, whatever the rounding of the gain.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf, limb
from jointwatch.motion.gaussian import cholesky
from jointwatch.motion.phases import BALLISTIC, N
from jointwatch.sensing.expectation import SHIFT, SIZE, D, expect, innovation
from jointwatch.sensing.radar import DIMENSION

PLAIN = 1e8
"""Where the state's own spread is so many times its sensor's noise (variances), or more, the Joseph form is
worth its cost; elsewhere P - K S K' loses eight digits of sixteen at most.
"""
ITERATIONS = 5
LEAST_DRAG_LEFT = 0.3
"""Part of the drag that one update leaves at least: a linear one may ask for less than none."""
SETTLED = 1e-2
"""An iteration that moves the mean by less than this (Mahalanobis) is the last."""


@leaf
def gauss(low: NDArray[np.float64], dim: int, y: NDArray[np.float64]) -> tuple[float, float]:
    """Squared Mahalanobis distance of y (dim,) and log of its Gaussian density, from the Cholesky factor."""
    d2 = distance2(low, dim, y)
    return d2, log_peak(low, dim) - 0.5 * d2


@leaf
def log_peak(low: NDArray[np.float64], dim: int) -> float:
    """Log of the greatest density of a Gaussian, from the Cholesky factor of its covariance."""
    root = 1.0
    for i in range(dim):
        root *= low[i, i]
    return -math.log(root) - 0.5 * dim * math.log(2.0 * math.pi)


@leaf
def distance2(low: NDArray[np.float64], dim: int, y: NDArray[np.float64]) -> float:
    """Squared Mahalanobis distance of y (dim,), of up to D values, from the Cholesky factor."""
    if dim == D:  # written out: so short a loop costs more than what it adds up
        a = y[0] / low[0, 0]
        b = (y[1] - low[1, 0] * a) / low[1, 1]
        c = (y[2] - low[2, 0] * a - low[2, 1] * b) / low[2, 2]
        d = (y[3] - low[3, 0] * a - low[3, 1] * b - low[3, 2] * c) / low[3, 3]
        return float(a * a + b * b + c * c + d * d)
    a = y[0] / low[0, 0]
    b = (y[1] - low[1, 0] * a) / low[1, 1] if dim > 1 else 0.0
    c = (y[2] - low[2, 0] * a - low[2, 1] * b) / low[2, 2] if dim > 2 else 0.0
    return float(a * a + b * b + c * c)


@njit(cache=True)
def gain_of(
    dim: int,
    cov: NDArray[np.float64],
    h: NDArray[np.float64],
    low: NDArray[np.float64],
    gain: NDArray[np.float64],
) -> None:
    """Fill gain (N, dim) = P H' S^-1 from the Cholesky factor L of S."""
    root = np.empty((N, D))
    _root_and_gain(dim, cov, h, low, root, gain)


@leaf
def _root_and_gain(
    dim: int,
    cov: NDArray[np.float64],
    h: NDArray[np.float64],
    low: NDArray[np.float64],
    root: NDArray[np.float64],
    gain: NDArray[np.float64],
) -> None:
    """`gain_of`, and root (N, dim) = P H' L^-1', whose square K S K' is what the covariance loses."""
    for d in range(dim):
        h0, h1, h2, h3, h4, h5 = h[d, 0], h[d, 1], h[d, 2], h[d, 3], h[d, 4], h[d, 5]
        moves = h3 != 0.0 or h4 != 0.0 or h5 != 0.0  # only a range rate asks for velocities
        scale = 1.0 / low[d, d]
        for a in range(N):
            total = cov[a, 0] * h0 + cov[a, 1] * h1 + cov[a, 2] * h2
            if moves:
                total += cov[a, 3] * h3 + cov[a, 4] * h4 + cov[a, 5] * h5
            for k in range(d):
                total -= low[d, k] * root[a, k]
            root[a, d] = total * scale
    for d in range(dim - 1, -1, -1):
        scale = 1.0 / low[d, d]
        for a in range(N):
            total = root[a, d]
            for k in range(d + 1, dim):
                total -= low[k, d] * gain[a, k]
            gain[a, d] = total * scale


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
    t, hp = np.empty((N, N)), np.empty((D, N))
    for d in range(dim):
        h0, h1, h2, h3, h4, h5 = h[d, 0], h[d, 1], h[d, 2], h[d, 3], h[d, 4], h[d, 5]
        for b in range(N):
            hp[d, b] = (
                h0 * cov[0, b] + h1 * cov[1, b] + h2 * cov[2, b] + h3 * cov[3, b] + h4 * cov[4, b]
                + h5 * cov[5, b]
            )  # fmt: skip
    for a in range(N):
        for b in range(N):
            t[a, b] = cov[a, b]
        for d in range(dim):
            g = gain[a, d]
            for b in range(N):
                t[a, b] -= g * hp[d, b]
    for a in range(N):
        t0, t1, t2, t3, t4, t5 = t[a, 0], t[a, 1], t[a, 2], t[a, 3], t[a, 4], t[a, 5]
        for d in range(dim):
            total = -(t0 * h[d, 0] + t1 * h[d, 1] + t2 * h[d, 2] + t3 * h[d, 3] + t4 * h[d, 4] + t5 * h[d, 5])
            for e in range(dim):
                total += gain[a, e] * noise[e, d]
            hp[d, a] = total  # (P - K H P) H' - K R, to which rounding alone contributes
    for a in range(N):
        for b in range(a, N):
            total = t[a, b]
            for d in range(dim):
                total += hp[d, a] * gain[b, d]
            out[a, b] = total
            out[b, a] = total


@limb
def _share_joseph(
    dim: int,
    cov: NDArray[np.float64],
    h: NDArray[np.float64],
    noise: NDArray[np.float64],
    gain: NDArray[np.float64],
    none: float,
    seen: float,
) -> None:
    """Let the upper half of cov (N, N) be itself and what `joseph` makes of it, in these parts."""
    updated = np.empty((N, N))
    joseph(dim, cov, h, noise, gain, updated)
    for a in range(N):
        for b in range(a, N):
            cov[a, b] = none * cov[a, b] + seen * updated[a, b]


class Room(NamedTuple):
    """Where an update works; made once for many."""

    low: NDArray[np.float64]  # (D, D) nought above its diagonal
    y: NDArray[np.float64]  # (D,)
    moments: NDArray[np.float64]  # (D + 1, D) of the innovations: second ones, and their mean last
    root: NDArray[np.float64]  # (N, D)
    gain: NDArray[np.float64]  # (N, D)


@njit(cache=True)
def new_room() -> Room:
    """Room for updates, one at a time."""
    return Room(np.zeros((D, D)), np.empty(D), np.empty((D + 1, D)), np.empty((N, D)), np.empty((N, D)))


@leaf
def update_phase(
    sensor: NDArray[np.float64],
    mean: NDArray[np.float64],
    cov: NDArray[np.float64],
    plots: NDArray[np.float64],
    which: NDArray[np.int64],
    weights: NDArray[np.float64],
    none: float,
    z: NDArray[np.float64],
    h: NDArray[np.float64],
    s: NDArray[np.float64],
    noise: NDArray[np.float64],
    room: Room,
) -> None:
    """Update one motion in place with some plots, their weights and the weight of none, which add up to 1.

    plots (m, PLOT): of the look; which (k,): of them; weights (>= k,).  z, h, s, noise are what `expect` gave
    for this motion.
    """
    dim = int(sensor[DIMENSION])
    low, y, moments, root, gain = room.low, room.y, room.moments, room.root, room.gain
    if not cholesky(s, dim, low):
        return
    one = len(which) == 1
    seen = _moments(sensor, plots, which, weights, z, y, moments)
    if seen <= 0.0:
        return
    _root_and_gain(dim, cov, h, low, root, gain)
    plain = True
    for d in range(dim):
        plain = plain and s[d, d] < PLAIN * noise[d, d]
    if plain:
        _add_products(dim, -seen, root, root, cov)
    else:
        _share_joseph(dim, cov, h, noise, gain, none, seen)
    # how the plots lie apart, and from none, goes through the gain: K (yy' - y y') K'
    if one:
        for a in range(N):
            root[a, 0] = _dot(dim, gain, a, moments, D)
            mean[a] += seen * root[a, 0]
        for a in range(N):
            moved = seen * (1.0 - seen) * root[a, 0]
            for b in range(a, N):
                total = cov[a, b] + moved * root[b, 0]
                cov[a, b] = total
                cov[b, a] = total
        return
    for d in range(dim):
        for e in range(dim):
            moments[d, e] -= moments[D, d] * moments[D, e]
    for a in range(N):
        for e in range(dim):
            total = 0.0
            for d in range(dim):
                total += gain[a, d] * moments[d, e]
            root[a, e] = total
        mean[a] += _dot(dim, gain, a, moments, D)
    _add_products(dim, 1.0, root, gain, cov)
    for a in range(N):
        for b in range(a + 1, N):
            cov[b, a] = cov[a, b]


@leaf
def _moments(
    sensor: NDArray[np.float64],
    plots: NDArray[np.float64],
    which: NDArray[np.int64],
    weights: NDArray[np.float64],
    z: NDArray[np.float64],
    y: NDArray[np.float64],
    moments: NDArray[np.float64],
) -> float:
    """Fill moments of the innovations of weighted plots (of one: itself); the sum of the weights."""
    dim = int(sensor[DIMENSION])
    if len(which) == 1:
        innovation(sensor, plots[which[0]], z, y)
        for d in range(dim):
            moments[D, d] = y[d]
        return float(weights[0])
    for d in range(D + 1):
        for e in range(D):
            moments[d, e] = 0.0
    seen = 0.0
    for k in range(len(which)):
        w = weights[k]
        if w <= 0.0:
            continue
        innovation(sensor, plots[which[k]], z, y)
        seen += w
        for d in range(dim):
            moments[D, d] += w * y[d]
            for e in range(dim):
                moments[d, e] += w * y[d] * y[e]
    return seen


@leaf
def _add_products(
    dim: int, scale: float, one: NDArray[np.float64], other: NDArray[np.float64], cov: NDArray[np.float64]
) -> None:
    """Add scale times one other' to the upper half of cov (N, N); one and other (N, D)."""
    if dim < D:
        for a in range(N):
            for b in range(a, N):
                cov[a, b] += scale * _dot(dim, one, a, other, b)
        return
    # written out: so short a loop costs more than what it adds up
    for a in range(N):
        x0, x1, x2, x3 = scale * one[a, 0], scale * one[a, 1], scale * one[a, 2], scale * one[a, 3]
        for b in range(a, N):
            cov[a, b] += x0 * other[b, 0] + x1 * other[b, 1] + x2 * other[b, 2] + x3 * other[b, 3]


@leaf
def _dot(dim: int, one: NDArray[np.float64], a: int, other: NDArray[np.float64], b: int) -> float:
    """Product of row a of one and row b of another (.., D), over the sensor's components."""
    total = 0.0
    for d in range(dim):
        total += one[a, d] * other[b, d]
    return total


@leaf
def update_drag(kind: int, before: float, mean: NDArray[np.float64], cov: NDArray[np.float64]) -> None:
    """After an update that moved the log of a coast's drag from `before`: what it is in the drag itself.

    What is measured goes with the drag, and only the prior is of its logarithm.  A linear update of the
    logarithm claims the more the greater the drag was thought to be: begun three times too high, two plots
    take it six standard deviations off, and there it stays.  So the step is one of the drag, by its slope
    where it was, and said in the logarithm again, whose spread changes as the drag does.  mean (7,),
    cov (7, 7): in place.
    """
    moved = mean[6] - before
    if kind != BALLISTIC or moved == 0.0:
        return
    left = max(1.0 + moved, LEAST_DRAG_LEFT)
    mean[6] = before + math.log(left)
    for a in range(N):
        cov[a, 6] /= left
        cov[6, a] /= left


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
