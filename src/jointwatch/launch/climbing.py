"""Where a burn will be seen next, before its launch is fitted: one Gaussian of motion for each class.

In: the line of sight to its first plot and what each class's burn does when it first shows above the clouds
(draws of `launch.profiles`' priors, flown by `launch.ascent`); out: position, velocity and acceleration
(ECEF) with covariances for each class, which each further plot of any satellite improves (Kalman), and how
probable a plot is anywhere.  Some microseconds a look where a posterior takes a tenth of a second, so it
decides which plot is whose, and which chains are worth a posterior.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, height_above_ellipsoid
from jointwatch.launch.ascent import (
    END,
    KNOTS,
    PUSH,
    VALUES,
    Z_DRAG,
    Z_TILT,
    ascend,
    burn_times,
    state_at,
)
from jointwatch.launch.profiles import (
    ANY,
    BURN,
    BURN_SPREAD,
    EXHAUST,
    GAP,
    LOAD,
    LOAD_SPREAD,
    PROFILES,
    STAGES,
)
from jointwatch.sensing.infrared import lowest_points, meets_height

Floats = NDArray[np.float64]
CLASSES = len(PROFILES)
STATE = 9
DRAWS, AGES, AGE_STEP_S = 300, 60, 5.0
"""Draws of each class's burn; ages after the first plot, and their step, at which it is asked whether it
still burns."""
LATITUDE_RAD = 0.55
"""Where the draws are launched: what they do over the ground hardly hangs on it."""
MOST_Z = 2.5
STEADY, ABRUPT = 3.0, 60.0
"""Spectral density of what changes an acceleration otherwise than steadily, m^2/s^5: for a class, and for
what fits none (stages that part, turns)."""
GATE = 18.4
"""Squared distance of a plot that is still looked at: one in ten thousand lies beyond."""
LEAST_COS = 0.1
HIGHEST_M, FASTEST_MS, HARDEST_MS2 = 200e3, 6000.0, 400.0
"""No burn is first seen higher, faster or pulling harder than this."""
NEVER = -1e9


class FirstSeen(Struct, frozen=True):
    """What burns do when they first show in a satellite's looks, class by class.

    log_share (C,): of the burns begun, those that are a class's and ever show.  up (C, 3) with up_cov
    (C, 3, 3): height (m), rate of climb and upward acceleration; level_cov (C, 2, 2): of velocity and
    acceleration along each level axis (their mean is nought, for the azimuth is open).  burning (C, AGES):
    share that still burns so many steps after.
    """

    log_share: Floats
    up: Floats
    up_cov: Floats
    level_cov: Floats
    burning: Floats


@cache
def first_seen(cloud_m: float, period_s: float, detection: float) -> FirstSeen:
    """What burns of the classes' priors do at their first plot, for clouds up to a height and looks so
    often."""
    rng = np.random.default_rng(1)
    place = np.array([LATITUDE_RAD, 0.0])
    shares = np.array([p.share for p in PROFILES])
    log_share = np.log(shares / shares.sum())
    up, up_cov = np.zeros((CLASSES, 3)), np.zeros((CLASSES, 3, 3))
    level_cov, burning = np.zeros((CLASSES, 2, 2)), np.zeros((CLASSES, AGES))
    ages = AGE_STEP_S * np.arange(AGES)
    for c, profile in enumerate(PROFILES):
        row, seen = profile.row(), []
        for _ in range(DRAWS):
            late = rng.uniform() + rng.geometric(max(detection, 0.05)) - 1.0
            one = _first_state(row, place, rng, cloud_m * rng.uniform(), late * period_s)
            if one is not None:
                seen.append(one)
        log_share[c] += math.log((len(seen) + 0.1) / DRAWS)
        # a class that hardly ever shows keeps the bounds of what is on the ground
        found = np.array([*seen, *_TOKENS])
        up[c] = found[:, :3].mean(axis=0)
        up_cov[c] = np.cov(found[:, :3].T) + np.diag([500.0, 50.0, 3.0]) ** 2
        level_cov[c] = 0.5 * found[:, 3:5].T @ found[:, 3:5] / len(found) + np.diag([30.0, 3.0]) ** 2
        burning[c] = (found[:, 5][:, None] > ages).mean(axis=0)
    return FirstSeen(log_share, up, up_cov, level_cov, np.maximum(burning, 1e-3))


_TOKENS = ((300.0, 300.0, 100.0, 300.0, 50.0, 1.0), (2000.0, 500.0, 50.0, 500.0, 50.0, 1.0))


def _first_state(
    row: Floats, place: Floats, rng: np.random.Generator, top_m: float, late_s: float
) -> tuple[float, ...] | None:
    """Height, climb, upward acceleration, level speed and acceleration, and seconds left to burn of a draw
    when it is first seen; None if it never is."""
    z = np.clip(rng.standard_normal(4), -MOST_Z, MOST_Z)
    burn = row[BURN] * math.exp(row[BURN_SPREAD] * z[0])
    load = 1.0 / (1.0 + math.exp(-row[LOAD] - row[LOAD_SPREAD] * z[1]))
    values = np.zeros(VALUES)
    values[END] = row[STAGES] * burn + (row[STAGES] - 1.0) * row[GAP]
    values[PUSH] = math.log(min(load, 0.95) / burn * row[EXHAUST])
    values[Z_TILT], values[Z_DRAG] = z[2], z[3]
    times, states = np.empty(KNOTS), np.empty((KNOTS, 6))
    n = ascend(row, values, place, 1e9, times, states)
    _, _, end = burn_times(row, values)
    heights = np.array([height_above_ellipsoid(*s[:3]) for s in states[:n]])
    above = heights > top_m
    if not above.any():
        return None
    i = int(np.argmax(above))
    clear = 0.0 if i == 0 else float(np.interp(top_m, heights[i - 1 : i + 1], times[i - 1 : i + 1]))
    t = clear + late_s
    if t >= end:
        return None
    s, later = np.empty(6), np.empty(6)
    state_at(times, states, n, t, s)
    step = min(0.5, end - t)
    state_at(times, states, n, t + step, later)
    latitude, longitude, height = ecef2geodetic(s[0], s[1], s[2])
    frame = enu_rotation(latitude, longitude)
    v, a = frame @ s[3:], frame @ (later[3:] - s[3:]) / step
    level = math.hypot(v[0], v[1])
    # the acceleration along the level way
    pull = (a[0] * v[0] + a[1] * v[1]) / max(level, 1e-3)
    # the widest class draws what no motor is, and more than the model's steps can follow
    if height > HIGHEST_M or math.hypot(level, v[2]) > FASTEST_MS or math.hypot(pull, a[2]) > HARDEST_MS2:
        return None
    return height, float(v[2]), float(a[2]), level, float(pull), end - t


def begun(first: FirstSeen, site: Floats, along: Floats, sigma_rad: float) -> tuple[Floats, Floats, Floats]:
    """Motions of burns that lines of sight (m, 3) from a site (3,) are the first plots of: means (m, C, 9),
    covariances (m, C, 9, 9), log weights (m, C) of the classes."""
    m = len(along)
    means, covs = np.zeros((m, CLASSES, STATE)), np.zeros((m, CLASSES, STATE, STATE))
    for c in range(CLASSES):
        at = meets_height(site, along, float(first.up[c, 0]))
        past = ~np.isfinite(at[:, 0])
        if past.any():
            at[past] = lowest_points(site, along[past])
        _begin(
            first.up[c], first.up_cov[c], first.level_cov[c], site, np.ascontiguousarray(along), at,
            sigma_rad, means[:, c], covs[:, c],
        )  # fmt: skip
    weights = first.log_share - np.logaddexp.reduce(first.log_share)
    return means, covs, np.tile(weights, (m, 1))


@njit(cache=True)
def _begin(
    up_mean: Floats,
    up_cov: Floats,
    level: Floats,
    site: Floats,
    along: Floats,
    at: Floats,
    sigma: float,
    means: Floats,
    covs: Floats,
) -> None:
    """Fill means (m, 9) and covs (m, 9, 9) of a class whose burns are on lines along (m, 3) at places
    (m, 3)."""
    up, slant = np.empty(3), np.empty(3)
    for k in range(along.shape[0]):
        latitude, longitude, _ = ecef2geodetic(at[k, 0], at[k, 1], at[k, 2])
        up[0] = math.cos(latitude) * math.cos(longitude)
        up[1] = math.cos(latitude) * math.sin(longitude)
        up[2] = math.sin(latitude)
        cosine, r2 = 0.0, 0.0
        for j in range(3):
            cosine -= along[k, j] * up[j]
            r2 += (at[k, j] - site[j]) ** 2
        for j in range(3):
            # what is higher lies nearer to the satellite on the same line
            slant[j] = -along[k, j] / max(cosine, LEAST_COS)
            means[k, j], means[k, 3 + j], means[k, 6 + j] = at[k, j], up_mean[1] * up[j], up_mean[2] * up[j]
        for i in range(3):
            for j in range(3):
                flat = (1.0 if i == j else 0.0) - up[i] * up[j]
                across = (1.0 if i == j else 0.0) - along[k, i] * along[k, j]
                for a in range(3):
                    for b in range(3):
                        left = slant[i] if a == 0 else up[i]
                        right = slant[j] if b == 0 else up[j]
                        value = left * up_cov[a, b] * right
                        if a > 0 and b > 0:
                            value += flat * level[a - 1, b - 1]
                        covs[k, 3 * a + i, 3 * b + j] = value
                covs[k, i, j] += sigma * sigma * r2 * across


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
    out: Floats,
) -> None:
    """Fill out (n, m): log-density (a steradian) of each plot under each of n motions dt (n,) seconds on.

    log_weight (n, C): of class and of being seen.  NEVER outside the gates of all classes.
    """
    at = np.empty((means.shape[1], 12))
    for k in range(means.shape[0]):
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
