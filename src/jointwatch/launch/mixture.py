"""A mixture of Student distributions over launches: where draws of a posterior come from.

In: parts, each of one class, with means and factors of their covariances, by fits (`launch.fit`) or by draws;
out: its density at any launch and draws of it, for the kernels that lead draws to the posterior
(`launch.moves`, `launch.posterior`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.launch.ascent import AZIMUTH, VALUES, nearest_turn

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
TAILS, WIDER = 6.0, 1.1
"""Degrees of freedom of its parts, which are drawn wider than they are by so much: curvature says nothing of
tails."""
SECTORS, LEAST = 12, 25
"""Of azimuths: each class's draws in each of them make a part, if they are so many."""
FORMER = 0.2
"""Share that the mixture which draws came from keeps in the one that describes them: what is still to be
reached may be in none of them."""
THINNEST = np.array([30.0, 30.0, 0.05, 0.003, 0.3, 0.003, 0.05, 0.05])
"""Standard deviations (m, m, s, rad, s, ...) that are added to draws' own: some may all but coincide."""


class Mixture(NamedTuple):
    """Parts of a mixture, each of one class.

    means (q, 8), lows (q, 8, 8): Cholesky factors; kinds (q,): their classes; share (q,): sums to 1.
    upto (q,): shares summed up; constant (q,): log share and constants of each part's density.
    """

    means: Floats
    lows: Floats
    kinds: Indices
    share: Floats
    upto: Floats
    constant: Floats


def mixture_of(means: Floats, lows: Floats, kinds: Indices, share: Floats) -> Mixture:
    """The mixture of parts (q,) whose shares are of any sum."""
    share = share / share.sum()
    constant = math.lgamma(0.5 * (TAILS + VALUES)) - math.lgamma(0.5 * TAILS)
    constant -= 0.5 * VALUES * math.log(TAILS * math.pi) + VALUES * math.log(WIDER)
    spread = np.log(np.diagonal(lows, axis1=1, axis2=2)).sum(axis=1)
    return Mixture(
        np.ascontiguousarray(means), np.ascontiguousarray(lows), kinds, share, np.cumsum(share),
        constant + np.log(share) - spread,
    )  # fmt: skip


def described(values: Floats, kind: Indices, former: Mixture) -> Mixture:
    """A mixture that describes draws (n, 8) of classes (n,): a part for each class and sector of azimuths,
    with the draws' own mean and covariance, beside the mixture that they came from."""
    sector = np.floor((values[:, AZIMUTH] + math.pi) / (2.0 * math.pi) * SECTORS).astype(np.int64)
    group = kind * SECTORS + np.clip(sector, 0, SECTORS - 1)
    count = np.bincount(group)
    own = np.flatnonzero(count >= LEAST)
    if not own.size:
        return former
    means, lows = np.empty((len(own), VALUES)), np.empty((len(own), VALUES, VALUES))
    for k, g in enumerate(own.tolist()):
        of = values[group == g]
        means[k], lows[k] = of.mean(axis=0), np.linalg.cholesky(np.cov(of.T) + np.diag(THINNEST**2))
    share = (1.0 - FORMER) * count[own] / len(values)
    return mixture_of(
        np.concatenate([means, former.means]), np.concatenate([lows, former.lows]),
        np.concatenate([own // SECTORS, former.kinds]),
        np.concatenate([share, (1.0 - share.sum()) * former.share]),
    )  # fmt: skip


@njit(cache=True)
def log_density(mixture: Mixture, x: Floats, kind: int, z: Floats) -> float:
    """Log density at x (8,) of a class; z (8,): scratch."""
    top, total = -1e300, 0.0
    means, lows = mixture.means, mixture.lows
    for q in range(means.shape[0]):
        if mixture.kinds[q] != kind:
            continue
        d2 = 0.0
        for a in range(VALUES):
            off = x[a] - means[q, a]
            if a == AZIMUTH:  # it goes round: the nearest way to each part
                off = nearest_turn(off)
            for b in range(a):
                off -= lows[q, a, b] * z[b]
            z[a] = off / lows[q, a, a]
            d2 += z[a] * z[a]
        term = mixture.constant[q] - 0.5 * (TAILS + VALUES) * math.log(1.0 + d2 / (TAILS * WIDER * WIDER))
        if term > top:
            total = total * math.exp(top - term) + 1.0
            top = term
        else:
            total += math.exp(term - top)
    log_density: float = top + math.log(total) if total > 0.0 else -1e300
    return log_density


@njit(cache=True)
def draw(mixture: Mixture, part: int, normal: Floats, tail: float, out: Floats) -> None:
    """Fill out (8,) with a draw of a part, from standard normal ones (8,) and the scale of its tails."""
    about(mixture.means[part], mixture.lows[part], normal, WIDER * tail, out)


@njit(cache=True)
def about(middle: Floats, low: Floats, normal: Floats, scale: float, out: Floats) -> None:
    """Fill out (8,) with a draw about a middle: scale times low (8, 8) times standard normal (8,)."""
    for a in range(VALUES):
        total = 0.0
        for b in range(a + 1):
            total += low[a, b] * normal[b]
        out[a] = middle[a] + scale * total
