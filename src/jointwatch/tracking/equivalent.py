"""Equivalent measurements: what a look told of a track, in Earth-fixed place and velocity, and nothing else.

In: rows as a look left them, the plots that each claims and with what weight; out: for each row a point (6,)
and an inverse covariance (6, 6) about it, singular in what the look does not tell.  Several plots are one
with the spread between them, told by as much as they are the track's (Streit & Luginbuhl 1995, "Probabilistic
multi-hypothesis tracking": a plot of weight w is one of covariance R / w).  What was known before the look is
not in it: it is linearised about the row's mean and takes nothing of the row's covariance.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.motion.gaussian import cholesky, solve_lower, solve_upper
from jointwatch.motion.phases import N
from jointwatch.sensing.expectation import COS_ELEVATION, SIZE, D, expect, innovation, sensor_noise
from jointwatch.sensing.radar import (
    DIMENSION,
    SIGMA_AZIMUTH,
    SIGMA_ELEVATION,
    position_of_plot,
    tells_place,
)
from jointwatch.tracking.rows import likeliest

LEAST_WEIGHT = 0.1
"""A look that gave a track a plot with less probability tells nothing of where it is: of a plot it would be a
tenth, and whoever counts looks that showed an object must not count the plots of what it broke up into."""
STATE = 6


@njit(cache=True)
def equivalents(
    table: NDArray[np.void],
    rows: NDArray[np.int64],
    claim_row: NDArray[np.int64],
    claim_plot: NDArray[np.int64],
    claim_weight: NDArray[np.float64],
    sensor: NDArray[np.float64],
    plots: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (n, 6) and informations (n, 6, 6) of rows (n,) that claim plots (m, PLOT) of a look.

    claim_row, claim_plot, claim_weight (k,): as `scratch.Claims`, in any order.
    """
    points, informations = np.zeros((len(rows), STATE)), np.zeros((len(rows), STATE, STATE))
    which, weights = np.empty(len(claim_row), np.int64), np.empty(len(claim_row))
    for a in range(len(rows)):
        row = table[rows[a]]
        n, shown = 0, 0.0
        for e in range(len(claim_row)):
            if claim_row[e] == rows[a]:
                # given that the object exists, which the weights do not take for granted
                shown += claim_weight[e]
                which[n] = claim_plot[e]
                weights[n] = min(claim_weight[e] * (1.0 + np.exp(-row["log_odds"])), 1.0)
                n += 1
        if shown < LEAST_WEIGHT:
            n = 0
        mean = row["mean"][likeliest(row)]
        equivalent(sensor, mean, plots, which[:n], weights[:n], points[a], informations[a])
    return points, informations


@njit(cache=True)
def equivalent(
    sensor: NDArray[np.float64],
    mean: NDArray[np.float64],
    plots: NDArray[np.float64],
    which: NDArray[np.int64],
    weights: NDArray[np.float64],
    point: NDArray[np.float64],
    information: NDArray[np.float64],
) -> None:
    """Fill point (6,) and information (6, 6) with what weighted plots tell about a mean (>= 6,).

    which (k,): indices among plots (m, PLOT), of which any may repeat; weights (k,) of each.  Nothing told:
    the mean itself, and nought.
    """
    for i in range(STATE):
        point[i] = mean[i]
    information[:, :] = 0.0
    dim = int(sensor[DIMENSION])
    z, h = np.zeros(SIZE), np.empty((D, STATE))
    s, noise, low, y = np.empty((D, D)), np.empty((D, D)), np.zeros((D, D)), np.empty(D)
    total, middle, square = 0.0, np.zeros(D), np.zeros((D, D))
    expect(sensor, mean, np.zeros((N, N)), z, h, s, noise)
    # at the zenith the plot's azimuth is not the mean's: which of its errors lies across is as unsure as the
    # sensor is, for the mean has the plot in it
    spread = math.hypot(sensor[SIGMA_AZIMUTH] * z[COS_ELEVATION], sensor[SIGMA_ELEVATION])
    sensor_noise(sensor, z, spread, noise)
    for k in range(len(which)):
        innovation(sensor, plots[which[k]], z, y)
        total += weights[k]
        for d in range(dim):
            middle[d] += weights[k] * y[d]
            for e in range(dim):
                square[d, e] += weights[k] * y[d] * y[e]
    if total < LEAST_WEIGHT:
        return
    for d in range(dim):
        middle[d] /= total
    for d in range(dim):
        for e in range(dim):
            between = square[d, e] / total - middle[d] * middle[e]
            noise[d, e] = (noise[d, e] + (max(between, 0.0) if d == e else between)) / total
    if not cholesky(noise, dim, low):
        return
    # whitened: g = L^-1 h, so that the information is g' g
    g, column = np.empty((dim, STATE)), np.empty(dim)
    for i in range(STATE):
        for d in range(dim):
            column[d] = h[d, i]
        solve_lower(low, dim, column, column)
        for d in range(dim):
            g[d, i] = column[d]
    for i in range(STATE):
        for j in range(STATE):
            value = 0.0
            for d in range(dim):
                value += g[d, i] * g[d, j]
            information[i, j] = value
    # of all points that what was measured fits, the one nearest to the mean: mean + g' (g g')^-1 L^-1 y
    gram, root = np.empty((dim, dim)), np.zeros((dim, dim))
    for d in range(dim):
        for e in range(dim):
            value = 0.0
            for i in range(STATE):
                value += g[d, i] * g[e, i]
            gram[d, e] = value
    if not cholesky(gram, dim, root):
        information[:, :] = 0.0
        return
    solve_lower(low, dim, middle, column)
    solve_lower(root, dim, column, column)
    solve_upper(root, dim, column, column)
    for i in range(STATE):
        for d in range(dim):
            point[i] += g[d, i] * column[d]


@njit(cache=True)
def first_equivalent(
    sensor: NDArray[np.float64],
    row: np.void,
    time_ns: int,
    plot: NDArray[np.float64],
    point: NDArray[np.float64],
    information: NDArray[np.float64],
) -> None:
    """Fill point (6,) and information (6, 6) with what a plot (PLOT,) told that began or continued a chain.

    row: the track that the chain became; time_ns: of the plot, before the row's.  It is linearised where the
    plot lies, and the velocity is the track's: how it changed since matters little across the line of sight.
    """
    mean = row["mean"][likeliest(row)].copy()
    back = (time_ns - row["time_ns"]) * 1e-9
    for i in range(3):
        mean[i] += back * mean[3 + i]
    if tells_place(sensor):
        mean[0], mean[1], mean[2] = position_of_plot(sensor, plot[0], plot[1], plot[2])
    one = plot.reshape((1, len(plot)))
    equivalent(sensor, mean, one, np.zeros(1, np.int64), np.ones(1), point, information)
