"""What several satellites see at one place: a fire on the ground, or a flash in the air, that is no motor.

In: the plots of several satellites; out: their density if something gave them that stays where it is.  To
take each satellite's part of such a chain for something of its own is to call the same place a coincidence: a
poor account of a fire, of every flare in a node's first minutes, and of a bolide.  A motor rises: what rises
has another place on the ground for each satellite, and was seen lower down before.
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

FLASHES_PER_M2_S = 2e-20
"""Bolides that satellites see: some 300 a year over the whole Earth, as bright as a motor or brighter (Brown
et al. 2002, "The flux of small near-Earth objects colliding with the Earth", continued to a hundredth of a
kiloton)."""
FLASH_M, FLASH_SPREAD_M = 35e3, 15e3
"""How high bolides are brightest, mean and standard deviation (most between 20 and 60 km)."""
FLASH_LONG_M = 5e3
"""A bolide moves while it shines, by so much per axis."""
FLASH_S, TRAIN_S, TRAIN_SHARE = 3.0, 60.0, 0.1
"""For how long a bolide shines, and its train, and how many leave one as bright as a motor."""
LOG_FLASH_GLOW = 0.5 * math.log(2.0 * math.pi) - math.log(math.log(1e10 / 1e4))
"""Log-density of the logarithm of a bolide's intensity (W/sr), which may be anything from 1e4 to 1e10:
without the factor 1 / sqrt(2 pi), as are those of all other intensities."""
MOST_DARK_S = 20.0
"""No satellite looks at a place less often."""


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
    begun = log_background - np.log(ground_spread(ground[None], site, along))
    return _log_one_place(site, along, sigma_rad, log_false, begun, ground, HEIGHT_M, 0.0)


def log_one_flash(
    site: Floats, along: Floats, sigma_rad: Floats, log_false: Floats, dark_s: float, span_s: float
) -> float:
    """The same if all are of one flash in the air, or all but one.

    dark_s: how long nothing was seen there before; span_s: from the first plot to the last.
    """
    middle = meets_height(site[0], along[:1], FLASH_M)[0]
    if len(site) < 2 or not np.isfinite(middle).all():
        return -math.inf
    lasts = (1.0 - TRAIN_SHARE) * math.exp(-span_s / FLASH_S) + TRAIN_SHARE * math.exp(-span_s / TRAIN_S)
    begun = np.full(len(site), math.log(FLASHES_PER_M2_S * min(dark_s, MOST_DARK_S) * lasts))
    return _log_one_place(site, along, sigma_rad, log_false, begun, middle, FLASH_SPREAD_M, FLASH_LONG_M)


def _log_one_place(
    site: Floats,
    along: Floats,
    sigma_rad: Floats,
    log_false: Floats,
    begun: Floats,
    near: Floats,
    height_m: float,
    moves_m: float,
) -> float:
    """Log-density of plots that all meet one place, or all but one that fell so by chance.

    begun (n,): log-density (a square metre) of there being one that was not before, by each plot.  near (3,):
    a place that they may meet, of the height expected, whose standard deviation is height_m.  moves_m: how
    far per axis it moves meanwhile.
    """
    latitude, longitude, _ = ecef2geodetic(*near.tolist())
    way = near - site
    # how far each line passes the place, and what moving it east, north and up does to that
    axes = np.stack(across(along), axis=1)
    off, turn = np.einsum("kij,kj->ki", axes, way), axes @ enu_rotation(latitude, longitude).T
    range2 = (way * way).sum(axis=1)
    error2 = sigma_rad**2 * range2 + moves_m**2
    squares = (off * off).sum(axis=1) / error2
    pull = np.einsum("kij,ki->kj", turn, off) / error2[:, None]
    known = np.einsum("kij,kil->kjl", turn, turn) / error2[:, None, None]
    each = -np.log(2.0 * math.pi * error2 / range2)
    total = _log_fixed(squares.sum(), pull.sum(axis=0), known.sum(axis=0), each.sum(), begun.max(), height_m)
    if len(site) > 2:
        for k in range(len(site)):
            rest = _log_fixed(
                squares.sum() - squares[k], pull.sum(axis=0) - pull[k], known.sum(axis=0) - known[k],
                each.sum() - each[k], np.delete(begun, k).max(), height_m,
            )  # fmt: skip
            total = float(np.logaddexp(total, rest + log_false[k]))
    return total


def _log_fixed(
    squares: float, pull: Floats, known: Floats, each: float, begun: float, height_m: float
) -> float:
    """Log-density of lines that meet one place, from the sums of their squares, slopes and information about
    it: integrated over the ground, flat, and over its height."""
    known = known + np.diag([0.0, 0.0, height_m**-2])
    left = squares - float(pull @ np.linalg.solve(known, pull))
    free = 2.0 * math.log(2.0 * math.pi) - float(np.linalg.slogdet(known)[1])
    return begun + each - 0.5 * left + 0.5 * free - math.log(height_m)
