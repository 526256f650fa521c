"""What burns do when they first show above the clouds, and the motions that begin there.

In: what a satellite's clouds and looks are like, and the lines of sight of first plots; out: for each class
height, climb and acceleration when it is first seen, and for how long it still burns (draws of
`launch.profiles`' priors, flown by `launch.ascent`), and from a line of sight one Gaussian of motion for each
class, which `launch.climbing` takes on.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, height_above_ellipsoid
from jointwatch.launch.ascent import KNOTS, VALUES, ascend, burn_times, set_burn, state_at
from jointwatch.launch.climbing import CLASSES, STATE
from jointwatch.launch.profiles import PROFILES
from jointwatch.sensing.infrared import lowest_points, meets_height

Floats = NDArray[np.float64]
DRAWS, AGES, AGE_STEP_S = 300, 60, 5.0
"""Draws of each class's burn; ages after the first plot, and their step, at which it is asked whether it
still burns."""
LATITUDE_RAD = 0.55
"""Where the draws are launched: what they do over the ground hardly hangs on it."""
MOST_Z = 2.5
LEAST_COS = 0.1
HIGHEST_M, FASTEST_MS, HARDEST_MS2 = 200e3, 6000.0, 400.0
"""No burn is first seen higher, faster or pulling harder than this."""


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
    values = np.zeros(VALUES)
    set_burn(row, np.clip(rng.standard_normal(4), -MOST_Z, MOST_Z), values)
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
    # the widest class draws what no motor is, and more than the model's steps can follow
    if not (height < HIGHEST_M and math.hypot(level, v[2]) < FASTEST_MS):
        return None
    # the acceleration along the level way
    pull = (a[0] * v[0] + a[1] * v[1]) / max(level, 1e-3)
    if not math.hypot(pull, a[2]) < HARDEST_MS2:
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


@njit(cache=True)
def still_burning(
    tables: Floats, which: NDArray[np.int64], last_s: Floats, now_s: Floats, out: Floats
) -> None:
    """Fill out (n, C): probability that each class burns still, now_s (n,) after its first plot, given that
    it did last_s (n,) after.  tables (S, C, AGES): `FirstSeen.burning`, and which (n,) is whose."""
    for k in range(len(which)):
        for c in range(tables.shape[1]):
            table = tables[which[k], c]
            share = _at(table, now_s[k] / AGE_STEP_S) / _at(table, last_s[k] / AGE_STEP_S)
            out[k, c] = min(max(share, 1e-3), 1.0 - 1e-6)


@njit(cache=True)
def _at(table: Floats, age: float) -> float:
    """A table's value at an age in steps, between the two beside it."""
    age = min(max(age, 0.0), len(table) - 1.001)
    i = int(age)
    value: float = table[i] + (age - i) * (table[i + 1] - table[i])
    return value
