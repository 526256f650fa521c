"""What is known of a launch after some looks at its burn: a weighted set of launches, over all classes.

In: looks (`launch.looks`) and when they are counted from; out: a `Posterior`, weighted draws of class and the
eight values of a launch, and how probable the looks are under a burn at all.  One Gaussian would lie where
azimuth, class or burn time are open, so the draws are taken from a mixture of fits (`launch.fit`: class by
class, azimuth by azimuth) and led from it to the posterior in a few steps, each a weighing, a resampling and
some moves of every draw (sequential Monte Carlo; Del Moral, Doucet & Jasra 2006).  All chance comes from the
looks themselves: the same looks give the same set.
Nothing expected (posture, launch grounds) enters: the prior over place, time and azimuth is flat.
"""

from __future__ import annotations

import math
from functools import cache
from hashlib import blake2b

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import SEMI_MAJOR_M
from jointwatch.launch.ascent import AZIMUTH, EAST, END, KNOTS, NEVER, NORTH, VALUES, log_prior, nearest_turn
from jointwatch.launch.fit import FIRST_STEPS, MOST_STEPS, begin, fit, ground_of, time_to_clear
from jointwatch.launch.looks import MORE, SEEN, log_glow, log_likelihood, residuals
from jointwatch.launch.profiles import PROFILES
from jointwatch.motion.gaussian import cholesky

Floats = NDArray[np.float64]
SECTORS = 24
"""Azimuths from which fits start."""
HOPELESS = 40.0
"""A fit that after its first steps costs so much more than the best is followed no further."""
DRAWS = 1000
TAILS = 6.0
"""Degrees of freedom of the mixture's parts (Student): a fit's curvature says nothing of its tails."""
WIDER = 1.1
NEGLIGIBLE = math.log(1e-4)
"""A part of the mixture with less than this share is left out."""
DEFENSE = 0.4
"""Share of the draws that all parts kept get alike, whatever a fit's curvature makes of them."""
KEPT = 0.5
"""Each step from the mixture to the posterior is so long that this part of the draws would still count."""
STEPS, SWEEPS, LAST_SWEEPS = 12, 2, 8
"""Most steps; moves of every draw after each, and after the last."""
STRIDE = 0.6
"""Of a move along a part's covariance, in its standard deviations."""
END_STRIDE_S = 6.0
"""Of a move of the burn's end alone: about as long as the time between looks."""
STRETCH = 2.0
"""Greatest factor of a stretch move (Goodman & Weare 2010)."""


class Posterior(Struct, frozen=True):
    """Weighted draws of a launch.

    place (2,): latitude and longitude (rad) that values are counted from, and epoch_ns the time.  kind (n,):
    index of each draw's class in `PROFILES`; values (n, 8): as in `launch.ascent`; weight (n,): sums to 1.
    log_evidence: log of the looks' density under one burn for each square metre and second that it may have
    begun in.  misfit: mean square of how far the plots are off the draws, in standard deviations: about 1
    where some class fits, much more where none does and the draws tell nothing.
    """

    place: Floats
    epoch_ns: int
    kind: NDArray[np.int64]
    values: Floats
    weight: Floats
    log_evidence: float
    misfit: float

    def classes(self) -> dict[str, float]:
        """Probability of each class, and of none of them, by name."""
        share = np.bincount(self.kind, self.weight, len(PROFILES))
        return {p.name: float(s) for p, s in zip(PROFILES, share, strict=True)}


def places_of(posterior: Posterior) -> tuple[Floats, Floats]:
    """Latitude and longitude (n,), rad, of the draws' launch places."""
    latitude, longitude = posterior.place
    return (
        latitude + posterior.values[:, NORTH] / SEMI_MAJOR_M,
        longitude + posterior.values[:, EAST] / (SEMI_MAJOR_M * math.cos(latitude)),
    )


@cache
def rows() -> Floats:
    """(classes, ROW) of all profiles."""
    return np.array([p.row() for p in PROFILES])


@cache
def _log_shares() -> Floats:
    shares = np.array([p.share for p in PROFILES])
    logs: Floats = np.log(shares / shares.sum())
    return logs


def _numbers(count: int, looks: Floats) -> tuple[Floats, Floats, Floats]:
    """All chance: standard normal (1 + moves, count, 8) with the tails' scales (1 + moves, count), of where
    each draw begins and of each of its moves, and for these uniform (moves, count, 3).

    It comes from the looks themselves: the same ones give the same set, and what is drawn awry for one burn
    is not for the next as well.
    """
    rng = np.random.default_rng(list(blake2b(looks.tobytes(), digest_size=16).digest()))
    moves = STEPS * SWEEPS + LAST_SWEEPS
    normal = rng.standard_normal((1 + moves, count, VALUES))
    tails = np.sqrt(TAILS / rng.chisquare(TAILS, (1 + moves, count)))
    return normal, tails, rng.random((moves, count, 3))


def posterior(looks: Floats, epoch_ns: int, draws: int = DRAWS) -> Posterior | None:
    """The posterior of a burn from (n, LOOK) looks, in order of time, at least one with a plot.

    None where no fit explains them (a line of sight that passes the Earth).
    """
    first = int(np.argmax(looks[:, SEEN] > 0.0))
    place = np.empty(2)
    if not ground_of(looks[first], 8000.0, place):
        return None
    table, shares = rows(), _log_shares()
    means = np.empty((len(table) * SECTORS, VALUES))
    lows = np.zeros((len(table) * SECTORS, VALUES, VALUES))
    log_share, kinds = np.empty(len(means)), np.empty(len(means), np.int64)
    count = _fit_all(table, shares, place, looks, means, lows, log_share, kinds)
    if count == 0:
        return None
    kept = np.flatnonzero(log_share[:count] > log_share[:count].max() + NEGLIGIBLE)
    share = np.exp(log_share[kept] - log_share[kept].max())
    share = (1.0 - DEFENSE) * share / share.sum() + DEFENSE / len(kept)
    means, lows, kinds = means[kept], lows[kept], kinds[kept]
    which = _systematic(share, draws)
    values, kind = np.empty((draws, VALUES)), np.empty(draws, np.int64)
    chance = _numbers(draws, looks)
    log_evidence = _lead(
        table, shares, place, looks, means, lows, np.log(share), kinds, which, *chance, values, kind
    )
    if not math.isfinite(log_evidence):
        return None
    misfit = _misfit(table, place, looks, values, kind)
    return Posterior(place, epoch_ns, kind, values, np.full(draws, 1.0 / draws), log_evidence, misfit)


def _systematic(share: Floats, count: int) -> NDArray[np.int64]:
    """Indices (count,): each drawn as often as its share says, to within one."""
    which = np.searchsorted(np.cumsum(share / share.sum()), (np.arange(count) + 0.5) / count)
    return np.minimum(which, len(share) - 1)


@njit(cache=True)
def _fit_all(
    table: Floats,
    log_shares: Floats,
    place: Floats,
    looks: Floats,
    means: Floats,
    lows: Floats,
    log_weight: Floats,
    kinds: NDArray[np.int64],
) -> int:
    """Fit every class from every azimuth; fill the mixture's means, factors and log weights; how many."""
    work = np.empty((KNOTS, 7))
    covariance, low = np.empty((VALUES, VALUES)), np.zeros((VALUES, VALUES))
    values = np.empty(VALUES)
    sectors = means.shape[0] // table.shape[0]
    half = math.pi / sectors
    starts, costs = np.empty((means.shape[0], VALUES)), np.empty(means.shape[0])
    clear_s = np.empty(table.shape[0])
    best = math.inf
    for c in range(table.shape[0]):
        clear_s[c] = time_to_clear(table[c], place)
        for k in range(sectors):
            middle, i = (2.0 * k + 1.0) * half, c * sectors + k
            begin(table[c], place, looks, middle, clear_s[c], starts[i])
            costs[i] = fit(
                table[c], place, looks, clear_s[c], middle, half, FIRST_STEPS, starts[i], covariance, work
            )
            best = min(best, costs[i])
    n = 0
    for c in range(table.shape[0]):
        for k in range(sectors):
            middle, i = (2.0 * k + 1.0) * half, c * sectors + k
            if not costs[i] < best + HOPELESS:
                continue
            values[:] = starts[i]
            cost = fit(table[c], place, looks, clear_s[c], middle, half, MOST_STEPS, values, covariance, work)
            if not cost < 1e6 or not cholesky(covariance, VALUES, low):
                continue
            spread = 0.0
            for a in range(VALUES):
                spread += math.log(low[a, a])
            means[n] = values
            lows[n] = low
            log_weight[n] = log_shares[c] + log_glow(table[c], looks) - cost + spread
            kinds[n] = c
            n += 1
    return n


@njit(cache=True)
def _misfit(table: Floats, place: Floats, looks: Floats, values: Floats, kind: NDArray[np.int64]) -> float:
    """Mean square over draws and plots, per direction across the line of sight, of how far they are apart."""
    work, r = np.empty((KNOTS, 7)), np.empty(3 * looks.shape[0] + MORE)
    total, count = 0.0, 0
    for i in range(values.shape[0]):
        residuals(table[kind[i]], values[i], place, looks, 0.0, r, work)
        m = 0
        for k in range(looks.shape[0]):
            if looks[k, SEEN] != 0.0:
                total += r[m] * r[m] + r[m + 1] * r[m + 1]
                count += 2
                m += 3
    return total / count


@njit(cache=True)
def _log_mixture(
    x: Floats, kind: int, means: Floats, lows: Floats, of: Floats, kinds: NDArray[np.int64], z: Floats
) -> float:
    """Log density of the mixture at x (8,) of a class; of: each part's constant; z (8,): scratch."""
    top, total = -1e300, 0.0
    for q in range(means.shape[0]):
        if kinds[q] != kind:
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
        term = of[q] - 0.5 * (TAILS + VALUES) * math.log(1.0 + d2 / (TAILS * WIDER * WIDER))
        if term > top:
            total = total * math.exp(top - term) + 1.0
            top = term
        else:
            total += math.exp(term - top)
    log_density: float = top + math.log(total) if total > 0.0 else -1e300
    return log_density


@njit(cache=True)
def _log_density(
    table: Floats, log_shares: Floats, glow: Floats, x: Floats, kind: int, place: Floats, looks: Floats,
    work: Floats,
) -> float:  # fmt: skip
    """Log of the prior times the likelihood of x (8,) of a class."""
    total: float = log_prior(table[kind], x)
    if total > NEVER:
        total += log_shares[kind] + glow[kind] + log_likelihood(table[kind], x, place, looks, work)
    # a drag far out of the class's makes the flight's steps blow up: it cannot be
    if not math.isfinite(total):
        total = NEVER
    return total


@njit(cache=True)
def _drawn(about: Floats, low: Floats, normal: Floats, scale: float, out: Floats) -> None:
    """Fill out (8,) with a draw about a point: scale times low (8, 8) times standard normal (8,)."""
    for a in range(VALUES):
        total = 0.0
        for b in range(a + 1):
            total += low[a, b] * normal[b]
        out[a] = about[a] + scale * total


@njit(cache=True)
def _lead(
    table: Floats,
    log_shares: Floats,
    place: Floats,
    looks: Floats,
    means: Floats,
    lows: Floats,
    log_share: Floats,
    kinds: NDArray[np.int64],
    part: NDArray[np.int64],
    normal: Floats,
    tails: Floats,
    uniform: Floats,
    values: Floats,
    kind: NDArray[np.int64],
) -> float:
    """Draw from the mixture and lead the draws to the posterior; fill values (n, 8) and kind (n,).

    part (n,): which part of the mixture each draw begins in.  Returns the log evidence.
    """
    n = values.shape[0]
    work, z, trial = np.empty((KNOTS, 7)), np.empty(VALUES), np.empty(VALUES)
    glow = np.empty(table.shape[0])
    for c in range(table.shape[0]):
        glow[c] = log_glow(table[c], looks)
    of = np.empty(means.shape[0])
    constant = math.lgamma(0.5 * (TAILS + VALUES)) - math.lgamma(0.5 * TAILS)
    constant -= 0.5 * VALUES * math.log(TAILS * math.pi) + VALUES * math.log(WIDER)
    for q in range(means.shape[0]):
        of[q] = constant + log_share[q]
        for a in range(VALUES):
            of[q] -= math.log(lows[q, a, a])
    log_p, log_q, weight = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        kind[i] = kinds[part[i]]
        _drawn(means[part[i]], lows[part[i]], normal[0, i], WIDER * tails[0, i], values[i])
        log_q[i] = _log_mixture(values[i], kind[i], means, lows, of, kinds, z)
        log_p[i] = _log_density(table, log_shares, glow, values[i], kind[i], place, looks, work)
    log_evidence, done, move = 0.0, 0.0, 0
    picked = np.empty(n, np.int64)
    upto_share = np.cumsum(np.exp(log_share))
    for step in range(STEPS):
        # the longest step that leaves enough of the draws
        reach = 1.0 - done
        if step < STEPS - 1:
            low = 0.0
            for halving in range(20):
                top, total, squares = -1e300, 0.0, 0.0
                for i in range(n):
                    top = max(top, reach * (log_p[i] - log_q[i]))
                for i in range(n):
                    w = math.exp(reach * (log_p[i] - log_q[i]) - top)
                    total += w
                    squares += w * w
                enough = total * total >= KEPT * n * squares
                if halving == 0 and enough:
                    break
                if enough:
                    low = reach
                else:
                    high = reach
                reach = 0.5 * (low + high)
        top, total = -1e300, 0.0
        for i in range(n):
            top = max(top, reach * (log_p[i] - log_q[i]))
        for i in range(n):
            weight[i] = math.exp(reach * (log_p[i] - log_q[i]) - top)
            total += weight[i]
        if not total > 0.0:
            return -math.inf
        log_evidence += top + math.log(total / n)
        done += reach
        # systematic resampling
        k, upto = 0, weight[0] / total
        for i in range(n):
            while upto < (i + 0.5) / n and k < n - 1:
                k += 1
                upto += weight[k] / total
            picked[i] = k
        values[:] = values[picked]
        kind[:] = kind[picked]
        part[:] = part[picked]
        log_p[:] = log_p[picked]
        log_q[:] = log_q[picked]
        last = done > 1.0 - 1e-9
        for _ in range(LAST_SWEEPS if last else SWEEPS):
            for i in range(n):
                log_factor, of_kind, to = 0.0, kind[i], part[i]
                chance = normal[1 + move, i]
                other = int(uniform[move, i, 0] * n)
                if (move + i) % 6 == 5:
                    # anew from the mixture: to another azimuth or class, which no small move reaches
                    to = min(int(np.searchsorted(upto_share, uniform[move, i, 0])), len(kinds) - 1)
                    of_kind = kinds[to]
                    _drawn(means[to], lows[to], chance, WIDER * tails[1 + move, i], trial)
                elif (move + i) % 5 == 4:
                    # a look may have missed the motor by chance: across it, to another end of the burn
                    trial[:] = values[i]
                    stride = END_STRIDE_S if uniform[move, i, 1] < 0.5 else 0.2 * END_STRIDE_S
                    trial[END] += stride * chance[END]
                elif (move + i) % 2 == 0 and kind[other] == kind[i] and other != i:
                    # along the line through another draw of the class
                    g = (1.0 + (STRETCH - 1.0) * uniform[move, i, 1]) ** 2 / STRETCH
                    for a in range(VALUES):
                        off = values[i, a] - values[other, a]
                        if a == AZIMUTH:
                            off = nearest_turn(off)
                        trial[a] = values[other, a] + g * off
                    log_factor = (VALUES - 1) * math.log(g)
                elif (move + i) % 4 == 1:
                    # by how far two other draws of the class are apart (ter Braak 2006)
                    third = int(uniform[move, i, 1] * n)
                    if kind[other] == kind[i] and kind[third] == kind[i]:
                        for a in range(VALUES):
                            off = values[other, a] - values[third, a]
                            if a == AZIMUTH:
                                off = nearest_turn(off)
                            trial[a] = values[i, a] + STRIDE * off
                    else:
                        trial[:] = values[i]
                else:
                    _drawn(values[i], lows[part[i]], chance, STRIDE, trial)
                trial[AZIMUTH] = nearest_turn(trial[AZIMUTH])
                new_p = _log_density(table, log_shares, glow, trial, of_kind, place, looks, work)
                new_q = _log_mixture(trial, of_kind, means, lows, of, kinds, z)
                gain = done * (new_p - log_p[i]) + (1.0 - done) * (new_q - log_q[i]) + log_factor
                if (move + i) % 6 == 5:
                    gain -= new_q - log_q[i]  # what it was proposed by
                if math.log(uniform[move, i, 2] + 1e-300) < gain:
                    values[i], kind[i], part[i] = trial, of_kind, to
                    log_p[i], log_q[i] = new_p, new_q
            move += 1
        if last:
            break
    return log_evidence
