"""What else a chain of plots may be: false plots that fell so by chance, or something that wanders.

In: the plots of one satellite with the density of false ones at each; out: their density if no burn gave
them.  A glint of the sun on clouds or water stays for a minute or two and wanders steadily over the
ground, as
a low sun or the wind moves it: for a lone satellite a chain of its plots is much like a slow burn's, and
chance alone a poor account of it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jointwatch.sensing.infrared import across

Floats = NDArray[np.float64]
WANDER_MS = 300.0
"""How fast it wanders over the ground, standard deviation of each axis."""
SHARE = 0.3
"""Part of the background's plots that are of something that wanders, as far as nothing else is known."""
LIFE_S, BLINKS = 100.0, 0.05
"""How long it stays, and how probably a look does not find it though it is there."""
FAST, SLACK_RAD = 2.5, 1e-4
"""How many times faster than usual one may be, and how far measurements scatter, where it is asked whether it
was there before."""


def log_not_burning(
    time_s: Floats,
    site: Floats,
    along: Floats,
    sigma_rad: float,
    log_false: Floats,
    log_background: Floats,
    dark_s: float = math.inf,
) -> float:
    """Log-density (a steradian and look each) of one satellite's plots if no burn gave them.

    time_s (n,); along (n, 3); log_false (n,): of the density of false plots at each, log_background (n,) of
    the background's part; dark_s: how long before the first plot a look found nothing near it (inf where one
    did, or there was none): then a wanderer came only just now.  All by chance, all of one wanderer, or
    all but one of a wanderer.
    """
    chance = float(log_false.sum())
    n = len(time_s)
    if n < 2:
        return chance
    first, second = (a[0] for a in across(along[:1]))
    angles = np.column_stack([along @ first, along @ second])
    speed = WANDER_MS / (float(np.linalg.norm(site)) - 6.0e6)
    came = math.log(SHARE * min(1.0, dark_s / LIFE_S + BLINKS))
    terms = [chance, came + _log_steady(time_s, angles, sigma_rad, speed, log_background)]
    if n > 2:
        for k in range(n):
            rest = np.arange(n) != k
            steady = _log_steady(time_s[rest], angles[rest], sigma_rad, speed, log_background[rest])
            # where the first is by chance, the second is the wanderer's first
            terms.append((came if k else math.log(SHARE)) + steady + float(log_false[k]))
    return float(np.logaddexp.reduce(terms))


def _log_steady(t: Floats, angles: Floats, sigma: float, speed: float, log_background: Floats) -> float:
    """Log-density of plots at angles (n, 2) of one thing in steady motion, as dense as the background."""
    n = len(t)
    if n < 2:
        return float(log_background.sum())
    dt, d = t[1:] - t[0], angles[1:] - angles[0]
    covariance = sigma**2 * (np.eye(n - 1) + 1.0) + speed**2 * np.outer(dt, dt)
    _, log_determinant = np.linalg.slogdet(covariance)
    squares = float((d * np.linalg.solve(covariance, d)).sum())
    log_density = -0.5 * squares - log_determinant - (n - 1) * math.log(2.0 * math.pi)
    return float(log_background.max()) + float(log_density)


def dark_before(along: Floats, site: Floats, before: Floats, passed_s: float) -> NDArray[np.bool_]:
    """Whether nothing was so near in a look passed_s seconds before, with lines of sight before (k, 3),
    that a
    wanderer could have come from there to lines of sight along (m, 3): (m,)."""
    reach = FAST * WANDER_MS * passed_s / (float(np.linalg.norm(site)) - 6.0e6) + SLACK_RAD
    if not len(before):
        return np.ones(len(along), np.bool_)
    near = along @ before.T > 1.0 - 0.5 * reach * reach
    return np.asarray(~near.any(axis=1))
