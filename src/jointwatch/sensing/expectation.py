"""What a filter needs of a sensor: the expected measurement of a Gaussian state, linearised, and its spread.

In: a sensor's parameter row, a mean and covariance; out: the expectation (`SIZE` numbers), the linear model
h and the noise of each component, and the covariance s of the innovation.  Directions are compared in the
plane across the expected line of sight (level and upward), never as a difference of two azimuths: that holds
through north and at the zenith, where an azimuth means nothing; only an azimuth that comes alone is compared
as one.  Where the state is so vague that the
measurement bends over its spread, the model is the statistical linear regression over sigma points and its
misfit is noise (Garcia-Fernandez, Svensson, Morelande & Sarkka, "Posterior linearization filter", IEEE TSP
2015); elsewhere the tangent is the same and cheaper.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf, limb
from jointwatch.motion.gaussian import semi_cholesky, solve_upper
from jointwatch.sensing.radar import (
    ACROSS,
    COMPONENT,
    DIMENSION,
    IN_RANGE,
    IN_RATE,
    ROTATION,
    SIGMA_AZIMUTH,
    SIGMA_ELEVATION,
    SIGMA_RANGE,
    SIGMA_RANGE_RATE,
    UPWARD,
    measures,
    sight,
)

Line = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
NOWHERE: Line = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
D = 4
"""Most values a plot has."""
RANGE, AZIMUTH, ELEVATION, RATE = 0, 1, 2, 3
COS_AZIMUTH, SIN_AZIMUTH, COS_ELEVATION, SIN_ELEVATION = 4, 5, 6, 7
SHIFT = 8  # 8..11: mean of the innovation over the spread of the state, by component
SPREAD_ACROSS, SPREAD_UP = 12, 13  # sigma (rad) of where the plot comes, across the line of sight and upward
SIZE = 14
"""Where each number of an expectation lies; x, y, z of a position take the first three."""
PLOT = 7
"""A plot as kernels take it: range, azimuth, elevation, range rate, and its direction (east, north, up)."""
LEAST_LEVEL = 1e-3
"""Cosine of elevation above which an azimuth alone is taken for lost."""
BENDS = 0.3
"""The sigma-point model is used where the measurement bends by more than this part of its noise."""


@njit(cache=True)
def plots_of(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m, PLOT) plots of columns (m, 4): range (m), azimuth, elevation (rad), range rate (m/s)."""
    plots = np.empty((len(columns), PLOT))
    for j in range(len(columns)):
        for c in range(4):
            plots[j, c] = columns[j, c]
        level = math.cos(columns[j, 2])
        plots[j, 4] = level * math.sin(columns[j, 1])
        plots[j, 5] = level * math.cos(columns[j, 1])
        plots[j, 6] = math.sin(columns[j, 2])
    return plots


@leaf
def _bearing_only(sensor: NDArray[np.float64]) -> bool:
    """Whether the direction is an azimuth alone: it is compared as such, for no plot tells its height."""
    return int(sensor[DIMENSION]) < D and measures(sensor, ACROSS) and not measures(sensor, UPWARD)


@leaf
def innovation(
    sensor: NDArray[np.float64], plot: NDArray[np.float64], z: NDArray[np.float64], y: NDArray[np.float64]
) -> None:
    """Fill y with a plot (PLOT,) minus an expectation z (SIZE,), by the sensor's components."""
    dim, across, upward = int(sensor[DIMENSION]), 0.0, 0.0
    if int(sensor[COMPONENT]) > IN_RATE:
        for d in range(dim):
            c = int(sensor[COMPONENT + d]) - 4
            y[d] = plot[c] - z[c] - z[SHIFT + d]
        return
    if _bearing_only(sensor):
        turn = plot[1] - z[AZIMUTH]
        across = math.sin(turn)
        if math.cos(turn) < 0.0:
            across = math.copysign(2.0 - abs(across), across)
    else:
        level = z[SIN_AZIMUTH] * plot[4] + z[COS_AZIMUTH] * plot[5]
        across = z[COS_AZIMUTH] * plot[4] - z[SIN_AZIMUTH] * plot[5]
        upward = z[COS_ELEVATION] * plot[6] - z[SIN_ELEVATION] * level
        if z[COS_ELEVATION] * level + z[SIN_ELEVATION] * plot[6] < 0.0:
            # more than a right angle off: farther still, up to 2 straight behind
            sine = math.hypot(across, upward)
            across = across * (2.0 - sine) / sine if sine > 1e-9 else 2.0
            upward = upward * (2.0 - sine) / sine if sine > 1e-9 else 2.0
    for d in range(dim):
        c = int(sensor[COMPONENT + d])
        if c == IN_RANGE:
            y[d] = plot[0] - z[RANGE] - z[SHIFT + d]
        elif c == IN_RATE:
            y[d] = plot[3] - z[RATE] - z[SHIFT + d]
        else:
            y[d] = (across if c == ACROSS else upward) - z[SHIFT + d]


@leaf
def _aim(sensor: NDArray[np.float64], mean: NDArray[np.float64], z: NDArray[np.float64]) -> None:
    """Fill z (SIZE,) with what the sensor should report of a mean (>= 6,); shifts are nought."""
    for i in range(SHIFT, SIZE):
        z[i] = 0.0
    if int(sensor[COMPONENT]) > IN_RATE:
        for i in range(3):
            z[i] = mean[i]
        return
    r, azimuth, elevation, rate, ca, sa, ce, se = sight(
        sensor, mean[0], mean[1], mean[2], mean[3], mean[4], mean[5]
    )
    z[RANGE], z[AZIMUTH], z[ELEVATION], z[RATE] = r, azimuth, elevation, rate
    z[COS_AZIMUTH], z[SIN_AZIMUTH], z[COS_ELEVATION], z[SIN_ELEVATION] = ca, sa, ce, se


@leaf
def _basis(sensor: NDArray[np.float64], z: NDArray[np.float64]) -> Line:
    """Unit vectors along the expected line of sight, across it level, and across it upward."""
    ca, sa, ce, se = z[COS_AZIMUTH], z[SIN_AZIMUTH], z[COS_ELEVATION], z[SIN_ELEVATION]
    ex, ey, ez = sensor[ROTATION], sensor[ROTATION + 1], sensor[ROTATION + 2]
    nx, ny, nz = sensor[ROTATION + 3], sensor[ROTATION + 4], sensor[ROTATION + 5]
    ux, uy, uz = sensor[ROTATION + 6], sensor[ROTATION + 7], sensor[ROTATION + 8]
    lx, ly, lz = sa * ex + ca * nx, sa * ey + ca * ny, sa * ez + ca * nz
    return (
        (ce * lx + se * ux, ce * ly + se * uy, ce * lz + se * uz),
        (ca * ex - sa * nx, ca * ey - sa * ny, ca * ez - sa * nz),
        (ce * ux - se * lx, ce * uy - se * ly, ce * uz - se * lz),
    )


@leaf
def _tangent(
    sensor: NDArray[np.float64],
    mean: NDArray[np.float64],
    z: NDArray[np.float64],
    line: Line,
    h: NDArray[np.float64],
) -> None:
    """Fill h (d, 6) with the derivative of the innovation's components, at the mean."""
    r = z[RANGE]
    level = max(z[COS_ELEVATION], LEAST_LEVEL) if _bearing_only(sensor) else 1.0
    for d in range(int(sensor[DIMENSION])):
        c = int(sensor[COMPONENT + d])
        for i in range(6):
            h[d, i] = 0.0
        if c > IN_RATE:
            h[d, c - 4] = 1.0
            continue
        for i in range(3):
            if c == IN_RANGE:
                h[d, i] = line[0][i]
            elif c == IN_RATE:
                h[d, i] = (mean[3 + i] - z[RATE] * line[0][i]) / r
                h[d, 3 + i] = line[0][i]
            else:
                h[d, i] = line[c][i] / (r * level)


@leaf
def sensor_noise(
    sensor: NDArray[np.float64], z: NDArray[np.float64], spread_rad: float, noise: NDArray[np.float64]
) -> None:
    """Fill noise (d, d) with the sensor's own, in the components of an expectation.

    An error of azimuth moves a plot by its cosine of elevation across the line of sight.  At the zenith the
    plot's own azimuth may be any: as far as the expected direction's spread (rad) reaches round it, the
    elevation's error may lie across the line of sight too.
    """
    turned = min(1.0, (spread_rad / max(z[COS_ELEVATION], 1e-9)) ** 2)
    across = sensor[SIGMA_AZIMUTH] * z[COS_ELEVATION]
    upward = sensor[SIGMA_ELEVATION]
    if _bearing_only(sensor):
        turned, across = 0.0, sensor[SIGMA_AZIMUTH]
    for d in range(int(sensor[DIMENSION])):
        c = int(sensor[COMPONENT + d])
        for e in range(int(sensor[DIMENSION])):
            noise[d, e] = 0.0
        if c == ACROSS:
            noise[d, d] = (1.0 - turned) * across * across + turned * max(across, upward) ** 2
        elif c == UPWARD:
            noise[d, d] = upward * upward + turned * across * across
        elif c == IN_RATE:
            noise[d, d] = sensor[SIGMA_RANGE_RATE] ** 2
        else:
            noise[d, d] = sensor[SIGMA_RANGE] ** 2


@leaf
def expect(
    sensor: NDArray[np.float64],
    mean: NDArray[np.float64],
    cov: NDArray[np.float64],
    z: NDArray[np.float64],
    h: NDArray[np.float64],
    s: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> None:
    """What a sensor should measure of a Gaussian (>= 6,), (>= 6, >= 6).

    Fills z (SIZE,), h (D, 6), the innovation's covariance s (D, D) and in it the noise (D, D): the sensor's
    own and what the linear model leaves out.  Only the leading d components are filled, of those the sensor
    measures.
    """
    dim = int(sensor[DIMENSION])
    _aim(sensor, mean, z)
    spread = 0.0
    line, bent = NOWHERE, False
    if int(sensor[COMPONENT]) <= IN_RATE:
        line = _basis(sensor, z)
        level2, up2 = _spread_along(line[1], cov), _spread_along(line[2], cov)
        r = z[RANGE]
        across2 = level2 + up2
        spread = math.sqrt(max(across2, 0.0)) / r
        sigma = sensor[SIGMA_AZIMUTH] * z[COS_ELEVATION]
        z[SPREAD_ACROSS] = math.hypot(math.sqrt(max(level2, 0.0)) / r, sigma)
        z[SPREAD_UP] = math.hypot(math.sqrt(max(up2, 0.0)) / r, sensor[SIGMA_ELEVATION])
        # second-order terms over the spread: of the range, of an angle, of the range rate
        speed2 = cov[3, 3] + cov[4, 4] + cov[5, 5]
        level = max(z[COS_ELEVATION], LEAST_LEVEL) if _bearing_only(sensor) else 1.0
        bent = spread > 0.1 * level
        if measures(sensor, IN_RANGE):
            bent = bent or 0.5 * across2 / r > BENDS * sensor[SIGMA_RANGE]
        if measures(sensor, IN_RATE):
            bent = bent or math.sqrt(across2 * speed2) / r > BENDS * sensor[SIGMA_RANGE_RATE]
    sensor_noise(sensor, z, spread, noise)
    if bent:
        regress(sensor, mean, cov, z, h, noise)
        _swirl(sensor, cov, line, z[RANGE], noise)
    else:
        _tangent(sensor, mean, z, line, h)
    for d in range(dim):
        h0, h1, h2, h3, h4, h5 = h[d, 0], h[d, 1], h[d, 2], h[d, 3], h[d, 4], h[d, 5]
        hp = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        if h3 == 0.0 and h4 == 0.0 and h5 == 0.0:  # only a range rate asks for velocities
            hp = (
                h0 * cov[0, 0] + h1 * cov[1, 0] + h2 * cov[2, 0],
                h0 * cov[0, 1] + h1 * cov[1, 1] + h2 * cov[2, 1],
                h0 * cov[0, 2] + h1 * cov[1, 2] + h2 * cov[2, 2],
                h0 * cov[0, 3] + h1 * cov[1, 3] + h2 * cov[2, 3],
                h0 * cov[0, 4] + h1 * cov[1, 4] + h2 * cov[2, 4],
                h0 * cov[0, 5] + h1 * cov[1, 5] + h2 * cov[2, 5],
            )
        else:
            hp = (
                _six(h0, h1, h2, h3, h4, h5, cov, 0), _six(h0, h1, h2, h3, h4, h5, cov, 1),
                _six(h0, h1, h2, h3, h4, h5, cov, 2), _six(h0, h1, h2, h3, h4, h5, cov, 3),
                _six(h0, h1, h2, h3, h4, h5, cov, 4), _six(h0, h1, h2, h3, h4, h5, cov, 5),
            )  # fmt: skip
        for e in range(d, dim):
            total = noise[d, e] + (
                hp[0] * h[e, 0] + hp[1] * h[e, 1] + hp[2] * h[e, 2] + hp[3] * h[e, 3] + hp[4] * h[e, 4]
                + hp[5] * h[e, 5]
            )  # fmt: skip
            s[d, e] = total
            s[e, d] = total


@leaf
def _six(
    a: float, b: float, c: float, d: float, e: float, f: float, cov: NDArray[np.float64], j: int
) -> float:
    """Sum of the first six of column j, weighed."""
    total = a * cov[0, j] + b * cov[1, j] + c * cov[2, j] + d * cov[3, j] + e * cov[4, j] + f * cov[5, j]
    return float(total)


@leaf
def _spread_along(across: tuple[float, float, float], cov: NDArray[np.float64]) -> float:
    """Variance of the place along a unit vector."""
    x, y, z = across
    return float(
        x * (x * cov[0, 0] + y * cov[0, 1] + z * cov[0, 2])
        + y * (x * cov[1, 0] + y * cov[1, 1] + z * cov[1, 2])
        + z * (x * cov[2, 0] + y * cov[2, 1] + z * cov[2, 2])
    )


@njit(cache=True)
def _swirl(
    sensor: NDArray[np.float64],
    cov: NDArray[np.float64],
    line: Line,
    range_m: float,
    noise: NDArray[np.float64],
) -> None:
    """Add to the noise of the range rate what place and speed across the line of sight give it together.

    Their product over the range is of second order, and cubature points along the axes of the factor miss it:
    each moves place or speed.  Its variance is [tr(Pp Pv) + tr(Ppv Ppv)] / r^2 over both directions across.
    """
    for d in range(int(sensor[DIMENSION])):
        if int(sensor[COMPONENT + d]) != IN_RATE:
            continue
        total = 0.0
        for a in range(1, 3):
            for b in range(1, 3):
                pp, vv, pv, vp = 0.0, 0.0, 0.0, 0.0
                for i in range(3):
                    for j in range(3):
                        w = line[a][i] * line[b][j]
                        pp += w * cov[i, j]
                        vv += w * cov[3 + i, 3 + j]
                        pv += w * cov[i, 3 + j]
                        vp += w * cov[3 + i, j]
                total += pp * vv + pv * vp
        noise[d, d] += max(total, 0.0) / (range_m * range_m)


@limb
def regress(
    sensor: NDArray[np.float64],
    mean: NDArray[np.float64],
    cov: NDArray[np.float64],
    z: NDArray[np.float64],
    h: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> None:
    """Statistical linear regression over the spread of a Gaussian, about an expectation z already aimed.

    Twelve cubature points (the parameter is not measured).  Sets the shift in z, fills h (d, 6) and adds what
    the line leaves of the points' spread to noise (d, d).
    """
    dim = int(sensor[DIMENSION])
    low = np.zeros((6, 6))
    semi_cholesky(cov, 6, low)
    root = math.sqrt(6.0)
    point, at = np.empty(6), np.empty(SIZE)
    y = np.empty((12, D))
    plot = np.empty(PLOT)
    for p in range(12):
        sign = 1.0 if p < 6 else -1.0
        for i in range(6):
            point[i] = mean[i] + sign * root * low[i, p % 6]
        _aim(sensor, point, at)
        plot[0], plot[1], plot[2], plot[3] = at[0], at[1], at[2], at[3]
        plot[4] = at[COS_ELEVATION] * at[SIN_AZIMUTH]
        plot[5] = at[COS_ELEVATION] * at[COS_AZIMUTH]
        plot[6] = at[SIN_ELEVATION]
        innovation(sensor, plot, z, y[p])
    column = np.empty(6)
    for d in range(dim):
        total = 0.0
        for p in range(12):
            total += y[p, d] / 12.0
        z[SHIFT + d] = total
        for j in range(6):
            column[j] = root * (y[j, d] - y[6 + j, d]) / 12.0
        solve_upper(low, 6, column, h[d])
    # what is left of the spread once the line is taken out: B B' is the line's part, B = low' h'
    for d in range(dim):
        for e in range(d, dim):
            total = 0.0
            for p in range(12):
                total += (y[p, d] - z[SHIFT + d]) * (y[p, e] - z[SHIFT + e]) / 12.0
            for j in range(6):
                total -= root * (y[j, d] - y[6 + j, d]) / 12.0 * root * (y[j, e] - y[6 + j, e]) / 12.0
            noise[d, e] += total
            if e != d:
                noise[e, d] += total
