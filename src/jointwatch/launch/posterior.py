"""What is known of a launch after some looks at its burn: a weighted set of launches, over all classes.

In: looks (`launch.looks`) and when they are counted from; out: a `Posterior`, weighted draws of class and the
eight values of a launch, and how probable the looks are under a burn at all.  One Gaussian would lie where
azimuth, class or burn time are open, so the draws are taken from a mixture of fits (`launch.fit`: class by
class, azimuth by azimuth) and led from it to the posterior in a few steps, each a weighing, a resampling and
some moves of every draw (`launch.moves`; sequential Monte Carlo: Del Moral, Doucet & Jasra 2006).
All chance comes from the looks themselves: the same looks give the same set.
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

from jointwatch.earth.frames import SEMI_MAJOR_M, geodetic2ecef
from jointwatch.launch.ascent import EAST, KNOTS, NORTH, VALUES
from jointwatch.launch.fit import FIRST_STEPS, MOST_STEPS, begin, fit, ground_of, time_to_clear
from jointwatch.launch.looks import MORE, SEEN, SITE, residuals
from jointwatch.launch.mixture import TAILS, Mixture, described, draw, mixture_of
from jointwatch.launch.moves import Chance, Draws, Target, log_target, sweep, target_of, weigh
from jointwatch.launch.profiles import PROFILES
from jointwatch.motion.gaussian import cholesky

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
SECTORS, FEWER_SECTORS = 24, 12
"""Azimuths from which fits start; where few draws are asked for, half of them do."""
HOPELESS, UNFINISHED, FAR = 40.0, 30.0, 15e3
"""After its first steps a fit is followed no further if it costs more than the best by HOPELESS and by
UNFINISHED times the best (or FAR, if that is less): of a burn unlike its class's median none has come far by
then, and one that lies wrong may be ahead."""
DRAWS, MANY = 600, 400
"""How many draws are made unless it is said; from how many on they tell more than whether it is a burn."""
NEGLIGIBLE = math.log(1e-4)
"""A part of the mixture with less than this share is left out."""
BROADER = 1.5
"""Factor on the fits' standard deviations: draws that begin too far apart find together, those that begin too
near each other stay there."""
DEFENSE = 0.4
"""Share of the draws that all parts kept get alike, whatever a fit's curvature makes of them."""
KEPT = 0.5
"""Each step from the mixture to the posterior is so long that this part of the draws would still count."""
STEPS, SWEEPS = 12, 2
"""Most steps, and moves of every draw after each."""
ROUND, MOST_ROUNDS, RENEWED = 4, 12, 3.0
"""Moves of every draw in a round at the end, each by a mixture that describes the draws as they are; most
rounds, of few draws one; there are no more once so many moves anew were made for each draw.  With half of
both, two stages that one satellite saw were 0.04 nat farther from where long chains end."""


CROSSED = 0.1
"""Lines of sight cross where they come from places this part of their length apart."""


class Posterior(Struct, frozen=True):
    """Weighted draws of a launch.

    place (2,): latitude and longitude (rad) that values are counted from, and epoch_ns the time.  kind (n,):
    index of each draw's class in `PROFILES`; values (n, 8): as in `launch.ascent`; weight (n,): sums to 1.
    log_evidence: log of the looks' density under one burn for each square metre and second that it may have
    begun in.  misfit: mean square of how far the plots are off the draws, in standard deviations: about 1
    where some class fits, much more where none does and the draws tell nothing (`burns` makes it inf where
    there are no draws at all).
    """

    place: Floats
    epoch_ns: int
    kind: Indices
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


def _chance(count: int, looks: Floats) -> Chance:
    """All chance, of where each draw begins (its first row), of its moves, and of what the profiles leave out
    (the last row of the normal deviations).

    It comes from the looks themselves: the same ones give the same set, and what is drawn awry for one burn
    is not for the next as well.
    """
    rng = np.random.default_rng(list(blake2b(looks.tobytes(), digest_size=16).digest()))
    moves = 1 + STEPS * SWEEPS + (MOST_ROUNDS if count >= MANY else 1) * ROUND
    normal = rng.standard_normal((moves + 1, count, VALUES))
    tails = np.sqrt(TAILS / rng.chisquare(TAILS, (moves, count)))
    return Chance(normal, tails, rng.random((moves, count, 3)))


def posterior(looks: Floats, epoch_ns: int, draws: int = DRAWS) -> Posterior | None:
    """The posterior of a burn from (n, LOOK) looks, in order of time, at least one with a plot.

    None where no fit explains them (a line of sight that passes the Earth).
    """
    first = int(np.argmax(looks[:, SEEN] > 0.0))
    place = np.empty(2)
    if not ground_of(looks[first], 8000.0, place):
        return None
    target = target_of(rows(), _log_shares(), place, looks)
    fits = _fits(target, SECTORS if draws >= MANY else FEWER_SECTORS)
    if fits is None:
        return None
    made = Draws(np.empty((draws, VALUES)), np.empty(draws, np.int64), np.empty(draws), np.empty(draws))
    chance = _chance(draws, looks)
    log_evidence = _lead(target, fits, _systematic(fits.share, draws), chance, made)
    if not math.isfinite(log_evidence):
        return None
    renewed = 0
    for move in range(1 + STEPS * SWEEPS, len(chance.even), ROUND):
        own = described(made.values, made.kind, fits)
        renewed += _settle(target, own, chance, made, move)
        if renewed >= RENEWED * draws:
            break
    misfit = _misfit(target, made.values, made.kind)
    leave_out(made.values, made.kind, place, looks, chance.normal[-1])
    return Posterior(
        place, epoch_ns, made.kind, made.values, np.full(draws, 1.0 / draws), log_evidence, misfit
    )


def leave_out(values: Floats, kind: Indices, place: Floats, looks: Floats, normal: Floats) -> None:
    """Spread, in place, where launches of values (n, 8) and classes (n,) were, by what profiles leave out.

    place (2,), rad: that values are counted from; looks: that tell of them; normal (n, 2): standard normal.
    """
    aside = not _crossed(place, looks)
    for one, (metres, part) in enumerate(p.left_out for p in PROFILES):
        of = np.flatnonzero(kind == one)
        if not len(of) or (metres, part) == (0.0, 1.0):
            continue
        places = values[of, :2]
        if aside:
            middle = places.mean(axis=0)
            places = middle + part * (places - middle)
        values[of, :2] = places + metres * normal[of, :2]


def _crossed(place: Floats, looks: Floats) -> bool:
    """Whether plots near a place (rad) were seen from so far apart that their lines cross."""
    sites = looks[looks[:, SEEN] > 0.0, SITE : SITE + 3]
    apart = float(np.linalg.norm(np.ptp(sites, axis=0)))
    away = np.linalg.norm(sites - np.array(geodetic2ecef(place[0], place[1], 0.0)), axis=1)
    return apart > CROSSED * float(away.min())


def _fits(target: Target, sectors: int) -> Mixture | None:
    """The mixture of the best fits of all classes, from so many azimuths each."""
    starts = len(target.table) * sectors
    means, lows = np.empty((starts, VALUES)), np.zeros((starts, VALUES, VALUES))
    log_share, kinds = np.empty(starts), np.empty(starts, np.int64)
    count = _fit_all(target, means, lows, log_share, kinds)
    if count == 0:
        return None
    kept = np.flatnonzero(log_share[:count] > log_share[:count].max() + NEGLIGIBLE)
    share = np.exp(log_share[kept] - log_share[kept].max())
    share = (1.0 - DEFENSE) * share / share.sum() + DEFENSE / len(kept)
    return mixture_of(means[kept], BROADER * lows[kept], kinds[kept], share)


def _systematic(share: Floats, count: int) -> Indices:
    """Indices (count,): each drawn as often as its share says, to within one."""
    which = np.searchsorted(np.cumsum(share / share.sum()), (np.arange(count) + 0.5) / count)
    return np.minimum(which, len(share) - 1)


@njit(cache=True)
def _fit_all(target: Target, means: Floats, lows: Floats, log_weight: Floats, kinds: Indices) -> int:
    """Fit every class from every azimuth; fill the mixture's means, factors and log weights; how many."""
    table, place, looks = target.table, target.place, target.looks
    work = np.empty((KNOTS, 7))
    covariance, low = np.empty((VALUES, VALUES)), np.zeros((VALUES, VALUES))
    values = np.empty(VALUES)
    sectors = means.shape[0] // table.shape[0]
    half = math.pi / sectors
    starts, costs = np.empty((means.shape[0], VALUES)), np.empty(means.shape[0])
    clear_s = np.empty(table.shape[0])
    # values, not constants: for each of those all that fits would be compiled anew
    most = np.array([FIRST_STEPS, MOST_STEPS])
    best = math.inf
    for c in range(table.shape[0]):
        clear_s[c] = time_to_clear(table[c], place)
        for k in range(sectors):
            middle, i = (2.0 * k + 1.0) * half, c * sectors + k
            begin(table[c], place, looks, middle, clear_s[c], starts[i])
            costs[i] = fit(
                table[c], place, looks, clear_s[c], middle, half, most[0], starts[i], covariance, work
            )
            best = min(best, costs[i])
    n = 0
    for c in range(table.shape[0]):
        for k in range(sectors):
            middle, i = (2.0 * k + 1.0) * half, c * sectors + k
            if not costs[i] < best + min(UNFINISHED * best, FAR) + HOPELESS:
                continue
            values[:] = starts[i]
            cost = fit(table[c], place, looks, clear_s[c], middle, half, most[1], values, covariance, work)
            if not cost < 1e6 or not cholesky(covariance, VALUES, low):
                continue
            spread = 0.0
            for a in range(VALUES):
                spread += math.log(low[a, a])
            means[n] = values
            lows[n] = low
            log_weight[n] = target.of_class[c] - cost + spread
            kinds[n] = c
            n += 1
    return n


@njit(cache=True)
def _misfit(target: Target, values: Floats, kind: Indices) -> float:
    """Mean square over draws and plots, per direction across the line of sight, of how far they are apart."""
    table, place, looks = target.table, target.place, target.looks
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
def _lead(target: Target, mixture: Mixture, part: Indices, chance: Chance, draws: Draws) -> float:
    """Draw from a mixture and lead the draws to the target; fill draws, and return the log evidence.

    part (n,): which part of the mixture each draw begins in.
    """
    n, work = draws.values.shape[0], np.empty((KNOTS, 7))
    for i in range(n):
        draws.kind[i] = mixture.kinds[part[i]]
        draw(mixture, part[i], chance.normal[0, i], chance.tails[0, i], draws.values[i])
        draws.log_p[i] = log_target(target, draws.values[i], draws.kind[i], work)
    weigh(mixture, draws)
    log_p, log_q, weight, picked = draws.log_p, draws.log_q, np.empty(n), np.empty(n, np.int64)
    log_evidence, done = 0.0, 0.0
    for step in range(STEPS):
        # the longest step that leaves enough of the draws
        reach = 1.0 - done
        if step < STEPS - 1:
            low, high = 0.0, reach
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
        draws.values[:] = draws.values[picked]
        draws.kind[:] = draws.kind[picked]
        log_p[:] = log_p[picked]
        log_q[:] = log_q[picked]
        for turn in range(1, SWEEPS + 1):
            sweep(target, mixture, draws, chance, step * SWEEPS + turn, done)
        if done > 1.0 - 1e-9:
            break
    return log_evidence


@njit(cache=True)
def _settle(target: Target, mixture: Mixture, chance: Chance, draws: Draws, first: int) -> int:
    """A round of the last moves, at the target, by a mixture that describes the draws; how many are anew."""
    weigh(mixture, draws)
    renewed = 0
    for move in range(first, first + ROUND):
        renewed += sweep(target, mixture, draws, chance, move, 1.0)
    return renewed
