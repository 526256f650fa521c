"""What several satellites see at one place of the ground: a fire that none of them knows yet.

In: the plots of several satellites; out: their density if something on the ground gave them that stays where
it is.  To take each satellite's part of such a chain for something of its own is to call the same place a
coincidence: a poor account of a fire, and of every flare in a node's first minutes.  A motor rises, and what
rises has another place on the ground for each satellite.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation
from jointwatch.launch.hot_places import ground_spread
from jointwatch.sensing.infrared import across, meets_height

Floats = NDArray[np.float64]
HEIGHT_M = 700.0
"""How high the ground is over the ellipsoid, and a flare's stack over the ground: standard deviation."""
NEW_SHARE = 0.0002
"""Part of the background's plots that are the first of a fire that was lit just now: where three false plots
are seen in ten seconds, five fires a day."""


def log_new_share(looks: int) -> float:
    """Log of which part of the background's plots are the first of a fire, after so many looks.

    Before its first look as many are expected as single plots; a fire that shines in a share s of the looks
    first does in the next with s (1 - s)^looks, and s is uniform.
    """
    return math.log(max(NEW_SHARE, 1.0 / ((looks + 1.0) * (looks + 2.0))))


def log_one_fire(
    site: Floats, along: Floats, sigma_rad: Floats, log_false: Floats, log_background: Floats
) -> float:
    """Log-density (a steradian and look each) of plots, but for the share of new fires, if all are of one
    fire, or all but one that fell so by chance.

    site, along (n, 3): of the lines of sight; sigma_rad (n,); log_false, log_background (n,): of the density
    of false plots at each, and of the background's part.  -inf where the first passes the Earth.
    """
    ground = meets_height(site[0], along[:1], 0.0)[0]
    if len(site) < 2 or not np.isfinite(ground).all():
        return -math.inf
    latitude, longitude, _ = ecef2geodetic(*ground.tolist())
    way = ground - site
    # how far each line passes the place, and what moving it east, north and up does to that
    axes = np.stack(across(along), axis=1)
    off, turn = np.einsum("kij,kj->ki", axes, way), axes @ enu_rotation(latitude, longitude).T
    error2 = sigma_rad**2 * (way * way).sum(axis=1)
    squares = (off * off).sum(axis=1) / error2
    pull = np.einsum("kij,ki->kj", turn, off) / error2[:, None]
    known = np.einsum("kij,kil->kjl", turn, turn) / error2[:, None, None]
    spread = ground_spread(ground[None], site, along)
    begun, each = log_background - np.log(spread), -np.log(2.0 * math.pi * sigma_rad**2)
    total = _log_fixed(squares.sum(), pull.sum(axis=0), known.sum(axis=0), each.sum(), begun.max())
    if len(site) > 2:
        for k in range(len(site)):
            rest = _log_fixed(
                squares.sum() - squares[k], pull.sum(axis=0) - pull[k], known.sum(axis=0) - known[k],
                each.sum() - each[k], np.delete(begun, k).max(),
            )  # fmt: skip
            total = float(np.logaddexp(total, rest + log_false[k]))
    return total


def _log_fixed(squares: float, pull: Floats, known: Floats, each: float, begun: float) -> float:
    """Log-density of lines that meet one place, from the sums of their squares, slopes and information about
    it: integrated over the ground, flat, and over its height."""
    known = known + np.diag([0.0, 0.0, HEIGHT_M**-2])
    left = squares - float(pull @ np.linalg.solve(known, pull))
    free = 2.0 * math.log(2.0 * math.pi) - float(np.linalg.slogdet(known)[1])
    return begun + each - 0.5 * left + 0.5 * free - math.log(HEIGHT_M)
