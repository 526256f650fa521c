"""Moves of draws, each of which leaves the posterior of a launch as it is (Markov chain Monte Carlo).

In: draws with their densities, a `Mixture` to draw anew from, and what they are weighed by (`Target`); out:
the same draws, each moved once.  Every other move is anew from the mixture, which alone goes to another
azimuth or class; the rest are along other draws of the class, within a part of the mixture, or of the burn's
end.  All chance is handed in.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.launch.ascent import AZIMUTH, END, KNOTS, NEVER, VALUES, log_prior, nearest_turn
from jointwatch.launch.looks import log_glow, log_likelihood
from jointwatch.launch.mixture import Mixture, about, draw, log_density

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
STRIDE = 0.6
"""Of a move along a part's covariance, and of one by the difference of two draws."""
END_STRIDE_S = 6.0
"""Of a move of the burn's end alone: about as long as the time between looks."""
STRETCH = 2.0
"""Greatest factor of a stretch move (Goodman & Weare 2010)."""


class Target(NamedTuple):
    """What draws are weighed by: the classes' rows (classes, ROW), log prior and intensity of each class
    (classes,), the place (2,) that values are counted from, and the looks (n, LOOK)."""

    table: Floats
    of_class: Floats
    place: Floats
    looks: Floats


class Draws(NamedTuple):
    """Draws: values (n, 8), classes (n,), and their log densities (n,) by the target and by the mixture."""

    values: Floats
    kind: Indices
    log_p: Floats
    log_q: Floats


class Chance(NamedTuple):
    """What draws are moved by: standard normal (moves, n, 8), scales of the tails (moves, n), and even from 0
    to 1 (moves, n, 3)."""

    normal: Floats
    tails: Floats
    even: Floats


def target_of(table: Floats, log_shares: Floats, place: Floats, looks: Floats) -> Target:
    """What looks weigh draws by, the classes having so much of the prior."""
    return Target(table, log_shares + np.array([log_glow(row, looks) for row in table]), place, looks)


@njit(cache=True)
def log_target(target: Target, x: Floats, kind: int, work: Floats) -> float:
    """Log of the prior times the likelihood of x (8,) of a class; work (KNOTS, 7): scratch."""
    total: float = log_prior(target.table[kind], x)
    if total > NEVER:
        total += target.of_class[kind]
        total += log_likelihood(target.table[kind], x, target.place, target.looks, work)
    # a drag far out of the class's makes the flight's steps blow up: it cannot be
    if not math.isfinite(total):
        total = NEVER
    return total


@njit(cache=True)
def weigh(mixture: Mixture, draws: Draws) -> None:
    """Fill the densities of draws by a mixture."""
    z = np.empty(VALUES)
    for i in range(draws.values.shape[0]):
        draws.log_q[i] = log_density(mixture, draws.values[i], draws.kind[i], z)


@njit(cache=True)
def sweep(target: Target, mixture: Mixture, draws: Draws, chance: Chance, move: int, done: float) -> int:
    """Move every draw once, in place; how many are anew.

    move: which row of the chances it takes.  done: how far on the way from the mixture (0) to the target (1)
    the density is that the moves leave as it is; between them it is that power of either.
    """
    values, kind, n = draws.values, draws.kind, draws.values.shape[0]
    renewed = 0
    work, z, trial = np.empty((KNOTS, 7)), np.empty(VALUES), np.empty(VALUES)
    for i in range(n):
        normal, even = chance.normal[move, i], chance.even[move, i]
        log_factor, of_kind, other = 0.0, kind[i], int(even[0] * n)
        anew, local = (move + i) % 2 == 1, (move + i) // 2 % 5
        trial[:] = values[i]
        if anew:
            part = min(int(np.searchsorted(mixture.upto, even[0])), len(mixture.kinds) - 1)
            of_kind = mixture.kinds[part]
            draw(mixture, part, normal, chance.tails[move, i], trial)
        elif local == 4:
            # a look may have missed the motor by chance: across it, to another end of the burn
            trial[END] += (END_STRIDE_S if even[1] < 0.5 else 0.2 * END_STRIDE_S) * normal[END]
        elif local == 3:
            # by how far two other draws of the class are apart (ter Braak 2006)
            third = int(even[1] * n)
            if kind[other] == kind[i] and kind[third] == kind[i]:
                for a in range(VALUES):
                    off = values[other, a] - values[third, a]
                    trial[a] += STRIDE * (nearest_turn(off) if a == AZIMUTH else off)
        elif local == 1:
            # along any part of the class: were it the one that the draw is in, the way back would be another
            part = int(even[1] * len(mixture.kinds))
            while mixture.kinds[part] != kind[i]:
                part = (part + 1) % len(mixture.kinds)
            about(values[i], mixture.lows[part], normal, STRIDE, trial)
        elif kind[other] == kind[i] and other != i:
            # along the line through another draw of the class
            g = (1.0 + (STRETCH - 1.0) * even[1]) ** 2 / STRETCH
            for a in range(VALUES):
                off = values[i, a] - values[other, a]
                trial[a] = values[other, a] + g * (nearest_turn(off) if a == AZIMUTH else off)
            log_factor = (VALUES - 1) * math.log(g)
        trial[AZIMUTH] = nearest_turn(trial[AZIMUTH])
        new_p = log_target(target, trial, of_kind, work)
        new_q = log_density(mixture, trial, of_kind, z)
        gain = done * (new_p - draws.log_p[i]) + (1.0 - done) * (new_q - draws.log_q[i]) + log_factor
        if anew:
            gain -= new_q - draws.log_q[i]  # what it was proposed by
        if math.log(even[2] + 1e-300) < gain:
            values[i], kind[i] = trial, of_kind
            draws.log_p[i], draws.log_q[i] = new_p, new_q
            renewed += 1 if anew else 0
    return renewed
