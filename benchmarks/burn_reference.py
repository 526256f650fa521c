"""A reference posterior of a launch: the same prior and likelihood, sampled by a long ensemble MCMC.

In: looks, and draws to start from; out: a `Posterior` of evenly weighted draws.  A hundred walkers over all
classes take stretch moves (Goodman & Weare 2010), moves along the difference of two others (ter Braak 2006),
moves of the burn's end alone, and draws from a mixture of Student distributions with which they change class
and azimuth as well (Metropolis-Hastings: what the mixture is decides how fast they mix, never where they
end).  Half of the walkers start much farther apart than they should end.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.launch.ascent import AZIMUTH, END, KNOTS, NEVER, VALUES, log_prior, nearest_turn
from jointwatch.launch.looks import log_glow, log_likelihood
from jointwatch.launch.mixture import THINNEST
from jointwatch.launch.posterior import Posterior, leave_out, rows
from jointwatch.launch.profiles import PROFILES

Floats = NDArray[np.float64]
WALKERS, SWEEPS, WARM = 100, 2000, 0.25
"""Walkers; moves of each; share of the moves before anything is kept."""
SECTORS = 12
LEAST = 20
"""Draws from which a class's sector of azimuths has a part of its own in the mixture."""
TAILS, WIDER = 5.0, 1.2
END_STRIDE_S = 6.0


def reference(
    looks: Floats,
    start: Posterior,
    rng: np.random.Generator,
    draws: int,
    sweeps: int = SWEEPS,
    spread: bool = True,
) -> tuple[Posterior, float]:
    """Draws of the posterior, and how well two halves of the walkers agree.

    start: from where walkers begin, some thousand draws.  spread: places by what profiles leave out, as those
    of `launch.posterior` are.  The second value is the greatest difference between the means of place, time,
    azimuth's sine and end over the two halves (the one begun from the draws, the other far from them), in
    standard deviations.
    """
    table = rows()
    shares = np.array([p.share for p in PROFILES])
    glow = np.array([log_glow(row, looks) for row in table]) + np.log(shares / shares.sum())
    log_share, kinds, means, lows = _mixture(start)
    pick = rng.choice(len(start.weight), WALKERS, p=start.weight)
    values, kind = start.values[pick].copy(), start.kind[pick].copy()
    for i in range(WALKERS // 2, WALKERS):
        for _ in range(200):
            q = int(rng.integers(len(kinds)))
            trial = means[q] + 3.0 * lows[q] @ rng.standard_normal(VALUES)
            if _target(table, glow, trial, int(kinds[q]), start.place, looks, np.empty((KNOTS, 7))) > -1e6:
                values[i], kind[i] = trial, kinds[q]
                break
    begin = int(WARM * sweeps)
    kept = np.empty(((sweeps - begin) * WALKERS, VALUES))
    kept_kind = np.empty(len(kept), np.int64)
    _walk(
        table, glow, start.place, looks, log_share, kinds, means, lows, values, kind,
        sweeps, begin, rng, kept, kept_kind,
    )  # fmt: skip
    pick = rng.choice(len(kept), draws, replace=False)
    told = np.column_stack([kept[:, :3], np.sin(kept[:, AZIMUTH]), kept[:, END]])
    walker = np.arange(len(kept)) % WALKERS
    first, second = told[walker < WALKERS // 2], told[walker >= WALKERS // 2]
    apart = np.abs(first.mean(axis=0) - second.mean(axis=0)) / (told.std(axis=0) + 1e-12)
    weight = np.full(len(pick), 1.0 / len(pick))
    values, kind = kept[pick], kept_kind[pick]
    if spread:
        leave_out(values, kind, start.place, looks, rng.standard_normal((len(pick), 2)))
    made = Posterior(start.place, start.epoch_ns, kind, values, weight, math.nan, math.nan)
    return made, float(apart.max())


def _mixture(start: Posterior) -> tuple[Floats, NDArray[np.int64], Floats, Floats]:
    """Log shares (q,), classes (q,), means (q, 8) and factors (q, 8, 8) of the draws' parts: of each class
    one, and one of each of its sectors of azimuths that has enough of them."""
    parts = []
    for c in np.unique(start.kind):
        of = start.values[start.kind == c]
        sector = np.floor((of[:, AZIMUTH] + math.pi) / (2.0 * math.pi) * SECTORS).astype(np.int64)
        groups = [of, *(of[sector == k] for k in range(SECTORS))]
        for k, group in enumerate(groups):
            if len(group) < LEAST and k > 0:
                continue
            spread = np.cov(group.T) if len(group) > VALUES + 1 else np.zeros((VALUES, VALUES))
            spread = spread + np.diag(THINNEST**2)
            parts.append((len(group) * (0.2 if k == 0 else 1.0), c, group.mean(axis=0),
                          np.linalg.cholesky(spread)))  # fmt: skip
    share = np.array([p[0] for p in parts]) + 0.02 * len(start.kind) / len(parts)
    return (
        np.log(share / share.sum()),
        np.array([p[1] for p in parts], np.int64),
        np.array([p[2] for p in parts]),
        np.array([p[3] for p in parts]),
    )


@njit(cache=True)
def _target(
    table: Floats, glow: Floats, x: Floats, kind: int, place: Floats, looks: Floats, work: Floats
) -> float:
    """Log of prior times likelihood of x (8,) of a class; glow (classes,): of each, log prior and
    intensity."""
    total: float = log_prior(table[kind], x)
    if total > NEVER:
        total += glow[kind] + log_likelihood(table[kind], x, place, looks, work)
    if not math.isfinite(total):  # so great a drag that the flight's steps blow up
        total = NEVER
    return total


@njit(cache=True)
def _log_mixture(
    x: Floats, kind: int, log_share: Floats, kinds: NDArray[np.int64], means: Floats, lows: Floats
) -> float:
    """Log density of the mixture at x (8,) of a class."""
    total = -1e300
    z = np.empty(VALUES)
    for q in range(kinds.shape[0]):
        if kinds[q] != kind:
            continue
        for turn in range(-1, 2):  # the azimuth goes round
            term = log_share[q] - VALUES * math.log(WIDER)
            d2 = 0.0
            for a in range(VALUES):
                off = x[a] - means[q, a]
                if a == AZIMUTH:
                    off += turn * 2.0 * math.pi
                for b in range(a):
                    off -= lows[q, a, b] * z[b]
                z[a] = off / lows[q, a, a]
                d2 += z[a] * z[a]
                term -= math.log(lows[q, a, a])
            term -= 0.5 * (TAILS + VALUES) * math.log(1.0 + d2 / (TAILS * WIDER * WIDER))
            top = max(total, term)
            total = top + math.log(math.exp(total - top) + math.exp(term - top))
    return total


@njit(cache=True)
def _walk(
    table: Floats,
    glow: Floats,
    place: Floats,
    looks: Floats,
    log_share: Floats,
    kinds: NDArray[np.int64],
    means: Floats,
    lows: Floats,
    values: Floats,
    kind: NDArray[np.int64],
    sweeps: int,
    begin: int,
    rng: np.random.Generator,
    kept: Floats,
    kept_kind: NDArray[np.int64],
) -> None:
    """Move the walkers (values (n, 8), kind (n,)) and fill kept with where they are after each sweep."""
    n = values.shape[0]
    work, trial, normal = np.empty((KNOTS, 7)), np.empty(VALUES), np.empty(VALUES)
    log_p, log_q = np.empty(n), np.empty(n)
    for i in range(n):
        values[i, AZIMUTH] = nearest_turn(values[i, AZIMUTH])
        log_p[i] = _target(table, glow, values[i], kind[i], place, looks, work)
        log_q[i] = _log_mixture(values[i], kind[i], log_share, kinds, means, lows)
    upto = np.cumsum(np.exp(log_share))
    m = 0
    for sweep in range(sweeps):
        for i in range(n):
            move, log_factor, k = rng.random(), 0.0, kind[i]
            j, h = int(rng.random() * n), int(rng.random() * n)
            trial[:] = values[i]
            from_mixture = False
            if move < 0.35:
                if j == i or kind[j] != k:
                    continue
                g = (1.0 + rng.random()) ** 2 / 2.0
                for a in range(VALUES):
                    off = values[i, a] - values[j, a]
                    if a == AZIMUTH:
                        off = nearest_turn(off)
                    trial[a] = values[j, a] + g * off
                log_factor = (VALUES - 1) * math.log(g)
            elif move < 0.6:
                if j == i or h == i or h == j or kind[j] != k or kind[h] != k:
                    continue
                g = 2.38 / math.sqrt(2.0 * VALUES) if rng.random() < 0.9 else 1.0
                for a in range(VALUES):
                    off = values[j, a] - values[h, a]
                    if a == AZIMUTH:
                        off = nearest_turn(off)
                    trial[a] += g * off + 1e-4 * (a > 1) * rng.standard_normal()
            elif move < 0.75:
                trial[END] += END_STRIDE_S * rng.standard_normal()
            else:
                from_mixture = True
                q = min(int(np.searchsorted(upto, rng.random())), kinds.shape[0] - 1)
                chi2 = 0.0
                for _ in range(int(TAILS)):
                    chi2 += rng.standard_normal() ** 2
                scale = WIDER * math.sqrt(TAILS / chi2)
                for a in range(VALUES):
                    normal[a] = rng.standard_normal()
                for a in range(VALUES):
                    total = 0.0
                    for b in range(a + 1):
                        total += lows[q, a, b] * normal[b]
                    trial[a] = means[q, a] + scale * total
                k = kinds[q]
            trial[AZIMUTH] = nearest_turn(trial[AZIMUTH])
            new_p = _target(table, glow, trial, k, place, looks, work)
            new_q = _log_mixture(trial, k, log_share, kinds, means, lows)
            gain = new_p - log_p[i] + log_factor
            if from_mixture:
                gain += log_q[i] - new_q
            if math.log(rng.random() + 1e-300) < gain:
                values[i], kind[i] = trial, k
                log_p[i], log_q[i] = new_p, new_q
        if sweep >= begin:
            for i in range(n):
                kept[m], kept_kind[m] = values[i], kind[i]
                m += 1
