"""The filter of one row: interacting phases predicted to a time, and updated with weighted plots.

Phases interact as multiple models (Blom & Bar-Shalom 1988).  They share position and velocity; the seventh
element means something else in each, so mixing into a phase takes the others' position and velocity only
and lets the missing parameter come in at that phase's prior, uncorrelated (unbiased augmentation).
An update weighs several plots and "none" by their association probabilities (Bar-Shalom, Daum & Huang 2009,
"The probabilistic data association filter"), in Joseph form.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.motion.phases import BALLISTIC, BOOST, CRUISE, PRIOR_MEAN, PRIOR_SIGMA, N
from jointwatch.motion.propagate import predict
from jointwatch.sensing.radar import (
    SIGMA_AZIMUTH,
    SIGMA_ELEVATION,
    SIGMA_RANGE,
    SIGMA_RANGE_RATE,
    observe_jacobian,
    position_of_plot,
)
from jointwatch.tracking.table import CONFIRMED, EVIDENCE, PHASE_COUNT

# Mean stay in a phase, as rates of change per second: SWITCH[i, j] from phase i to phase j.
SWITCH = np.zeros((PHASE_COUNT, PHASE_COUNT))
SWITCH[BOOST, BALLISTIC] = 1.0 / 30.0
SWITCH[BOOST, CRUISE] = 1.0 / 600.0
SWITCH[BALLISTIC, BOOST] = 1.0 / 1500.0
SWITCH[BALLISTIC, CRUISE] = 1.0 / 20000.0
SWITCH[CRUISE, BOOST] = 1.0 / 20000.0
SWITCH[CRUISE, BALLISTIC] = 1.0 / 20000.0

BIRTH_PHASE = np.array([0.35, 0.35, 0.30])
"""Probability of each phase of an object seen for the first time."""
CRUISE_FLIGHT_S = 600.0
"""Mean time until an aircraft that is being watched lands or leaves the radar's cover."""
CROSS_SPEED_SIGMA_MS = 1500.0
"""Prior of the velocity across the line of sight, which one plot does not tell."""
D = 4
"""Values a plot: range, azimuth, elevation, range rate."""


@njit(cache=True)
def _mix(
    means: NDArray[np.float64], covs: NDArray[np.float64], phase: NDArray[np.float64], dt: float
) -> None:
    """Interaction step, in place: phases (3,), means (3, 7), covariances (3, 7, 7)."""
    weight = np.empty((PHASE_COUNT, PHASE_COUNT))
    total = np.zeros(PHASE_COUNT)
    for i in range(PHASE_COUNT):
        stay = 1.0
        for j in range(PHASE_COUNT):
            if j != i:
                move = 1.0 - math.exp(-SWITCH[i, j] * dt)
                weight[i, j] = move * phase[i]
                stay -= move
        weight[i, i] = stay * phase[i]
    for j in range(PHASE_COUNT):
        for i in range(PHASE_COUNT):
            total[j] += weight[i, j]
    new_mean = np.empty((PHASE_COUNT, N))
    new_cov = np.empty((PHASE_COUNT, N, N))
    delta = np.empty(N)
    for j in range(PHASE_COUNT):
        own = weight[j, j] / total[j]
        for a in range(6):
            m = 0.0
            for i in range(PHASE_COUNT):
                m += weight[i, j] / total[j] * means[i, a]
            new_mean[j, a] = m
        new_mean[j, 6] = own * means[j, 6] + (1.0 - own) * PRIOR_MEAN[j]
        new_cov[j, :, :] = 0.0
        for i in range(PHASE_COUNT):
            w = weight[i, j] / total[j]
            for a in range(6):
                delta[a] = means[i, a] - new_mean[j, a]
            delta[6] = (means[j, 6] if i == j else PRIOR_MEAN[j]) - new_mean[j, 6]
            last = 7 if i == j else 6
            for a in range(N):
                for b in range(N):
                    c = delta[a] * delta[b]
                    if a < last and b < last:
                        c += covs[i, a, b]
                    new_cov[j, a, b] += w * c
            if i != j:
                new_cov[j, 6, 6] += w * PRIOR_SIGMA[j] * PRIOR_SIGMA[j]
    for j in range(PHASE_COUNT):
        phase[j] = total[j]
        for a in range(N):
            means[j, a] = new_mean[j, a]
            for b in range(N):
                covs[j, a, b] = new_cov[j, a, b]


@njit(cache=True)
def predict_row(row: np.void, time_ns: int) -> None:
    """Predict a row to a time (ns), in place; a time not after the row's leaves it as it is."""
    dt = (time_ns - row["time_ns"]) * 1e-9
    if dt <= 0.0:
        return
    _mix(row["mean"], row["covariance"], row["phase"], dt)
    for k in range(PHASE_COUNT):
        predict(k, row["mean"][k], row["covariance"][k], dt)
    row["time_ns"] = time_ns
    if row["life"] == CONFIRMED:
        _end_of_flight(row, dt)


@njit(cache=True)
def _end_of_flight(row: np.void, dt: float) -> None:
    """Let a cruising object's flight end at its rate: it lands, or is lost to sight behind the ground.

    Without it, looks that give nothing where an aircraft should be could only mean that it fell or fired a
    motor out of the radar's sight, and every landing would look like a missile.
    """
    stay = math.exp(-dt / CRUISE_FLIGHT_S)
    end = row["phase"][CRUISE] * (1.0 - stay)
    existence = 1.0 / (1.0 + math.exp(-row["log_odds"]))
    absent = 1.0 / (1.0 + math.exp(row["log_odds"])) + existence * end
    row["log_odds"] = math.log(existence * (1.0 - end) / absent)
    row["phase"][CRUISE] *= stay
    for k in range(PHASE_COUNT):
        row["phase"][k] /= 1.0 - end


@njit(cache=True)
def cholesky(a: NDArray[np.float64], n: int, low: NDArray[np.float64]) -> bool:
    """Lower factor of the leading (n, n) of a into low; False where a is not positive definite."""
    for i in range(n):
        for j in range(i + 1):
            total = a[i, j]
            for k in range(j):
                total -= low[i, k] * low[j, k]
            if i == j:
                if total <= 0.0:
                    return False
                low[i, i] = math.sqrt(total)
            else:
                low[i, j] = total / low[j, j]
    return True


@njit(cache=True)
def expect(
    sensor: NDArray[np.float64],
    mean: NDArray[np.float64],
    cov: NDArray[np.float64],
    z: NDArray[np.float64],
    h: NDArray[np.float64],
    s: NDArray[np.float64],
) -> None:
    """What a sensor should measure of one phase: fill z (4,), its Jacobian h (4, 6), covariance s (4, 4)."""
    observe_jacobian(sensor, mean, z, h)
    ph = np.empty((6, D))
    for a in range(6):
        for d in range(D):
            total = 0.0
            for b in range(6):
                total += cov[a, b] * h[d, b]
            ph[a, d] = total
    for d in range(D):
        for e in range(d, D):
            total = 0.0
            for a in range(6):
                total += h[d, a] * ph[a, e]
            s[d, e] = total
            s[e, d] = total
        s[d, d] += sensor[SIGMA_RANGE + d] ** 2


@njit(cache=True)
def innovation(plot: NDArray[np.float64], z: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Fill y (4,) with plot minus expectation, azimuth taken the short way round."""
    for d in range(D):
        y[d] = plot[d] - z[d]
    if y[1] > math.pi:
        y[1] -= 2.0 * math.pi
    elif y[1] < -math.pi:
        y[1] += 2.0 * math.pi


@njit(cache=True)
def gauss(low: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Squared Mahalanobis distance of y (4,) and log of its Gaussian density, from the Cholesky factor."""
    t = np.empty(D)
    d2 = 0.0
    log_det = 0.0
    for i in range(D):
        total = y[i]
        for k in range(i):
            total -= low[i, k] * t[k]
        t[i] = total / low[i, i]
        d2 += t[i] * t[i]
        log_det += math.log(low[i, i])
    return d2, -0.5 * d2 - log_det - 0.5 * D * math.log(2.0 * math.pi)


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
) -> None:
    """Update one phase in place with plots (m, 4), their weights (m,) and the weight of none; sum 1.

    z, h, s are what `expect` gave for this phase.
    """
    gain = np.empty((N, D))
    low = np.zeros((D, D))
    if not cholesky(s, D, low):
        return
    column = np.empty(D)
    for a in range(N):
        # K row = (P H')_a S^-1, by two triangular solves
        for d in range(D):
            total = 0.0
            for b in range(6):
                total += cov[a, b] * h[d, b]
            for k in range(d):
                total -= low[d, k] * column[k]
            column[d] = total / low[d, d]
        for d in range(D - 1, -1, -1):
            total = column[d]
            for k in range(d + 1, D):
                total -= low[k, d] * gain[a, k]
            gain[a, d] = total / low[d, d]
    y = np.empty(D)
    y_mean = np.zeros(D)
    yy = np.zeros((D, D))
    seen = 0.0
    for j in range(plots.shape[0]):
        w = weights[j]
        if w <= 0.0:
            continue
        innovation(plots[j], z, y)
        seen += w
        for d in range(D):
            y_mean[d] += w * y[d]
            for e in range(D):
                yy[d, e] += w * y[d] * y[e]
    if seen <= 0.0:
        return
    # Joseph form of (I - K H) P (I - K H)' + K R K', where R = S - H P H' is the sensor's diagonal
    t = np.empty((N, N))
    joseph = np.empty((N, N))
    for a in range(N):
        for b in range(N):
            total = cov[a, b]
            for d in range(D):
                hp = 0.0
                for c in range(6):
                    hp += h[d, c] * cov[c, b]
                total -= gain[a, d] * hp
            t[a, b] = total
    for a in range(N):
        for b in range(a, N):
            total = t[a, b]
            for d in range(D):
                th = 0.0
                for c in range(6):
                    th += t[a, c] * h[d, c]
                noise = sensor[SIGMA_RANGE + d]
                total += gain[b, d] * (noise * noise * gain[a, d] - th)
            joseph[a, b] = total
            joseph[b, a] = total
    for a in range(N):
        for b in range(a, N):
            spread = 0.0
            for d in range(D):
                for e in range(D):
                    spread += gain[a, d] * (yy[d, e] - y_mean[d] * y_mean[e]) * gain[b, e]
            total = none * cov[a, b] + seen * joseph[a, b] + spread
            cov[a, b] = total
            cov[b, a] = total
    for a in range(N):
        for d in range(D):
            mean[a] += gain[a, d] * y_mean[d]


@njit(cache=True)
def begin_row(
    row: np.void, sensor: NDArray[np.float64], plot: NDArray[np.float64], time_ns: int, identity: int
) -> None:
    """Begin a tentative row from one plot (4,): position and radial speed known, the rest at priors."""
    r, azimuth, elevation, rate = plot[0], plot[1], plot[2], plot[3]
    x, y, z = position_of_plot(sensor, r, azimuth, elevation)
    line = np.empty((3, 3))  # rows: along the line of sight, across it level, across it upward
    line[0, 0], line[0, 1], line[0, 2] = (x - sensor[0]) / r, (y - sensor[1]) / r, (z - sensor[2]) / r
    ca, sa = math.cos(azimuth), math.sin(azimuth)
    for i in range(3):
        line[1, i] = ca * sensor[3 + i] - sa * sensor[6 + i]
    line[2, 0] = line[0, 1] * line[1, 2] - line[0, 2] * line[1, 1]
    line[2, 1] = line[0, 2] * line[1, 0] - line[0, 0] * line[1, 2]
    line[2, 2] = line[0, 0] * line[1, 1] - line[0, 1] * line[1, 0]
    sigma_p = np.empty(3)
    sigma_p[0] = sensor[SIGMA_RANGE]
    sigma_p[1] = r * math.cos(elevation) * sensor[SIGMA_AZIMUTH]
    sigma_p[2] = r * sensor[SIGMA_ELEVATION]
    sigma_v = np.empty(3)
    sigma_v[0], sigma_v[1], sigma_v[2] = sensor[SIGMA_RANGE_RATE], CROSS_SPEED_SIGMA_MS, CROSS_SPEED_SIGMA_MS
    for k in range(PHASE_COUNT):
        m, p = row["mean"][k], row["covariance"][k]
        m[0], m[1], m[2] = x, y, z
        p[:, :] = 0.0
        for i in range(3):
            m[3 + i] = rate * line[0, i]
            for j in range(3):
                for c in range(3):
                    p[i, j] += line[c, i] * sigma_p[c] * sigma_p[c] * line[c, j]
                    p[3 + i, 3 + j] += line[c, i] * sigma_v[c] * sigma_v[c] * line[c, j]
        m[6] = PRIOR_MEAN[k]
        p[6, 6] = PRIOR_SIGMA[k] * PRIOR_SIGMA[k]
        row["phase"][k] = BIRTH_PHASE[k]
    row["time_ns"] = time_ns
    row["first_ns"] = time_ns
    row["seen_ns"] = time_ns
    row["number"] = 0
    row["parent"] = 0
    row["hits"] = 1
    row["misses"] = 0
    row["near"] = 0
    for i in range(EVIDENCE):
        row["evidence"][i] = -1
    row["evidence"][0] = identity
