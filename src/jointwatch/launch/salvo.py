"""How many launches a salvo is: a distribution over their number, where perfect identity cannot be had.

In: the confirmed burns, what else shone among them look by look; out: groups of burns that began near each
other in place and time, each with a distribution of its number.  Two kinds of evidence are put together
over a flat prior.  Burns confirmed: each member is one with a probability, and one that is there was made out
with a probability that grows with how many looks it burned for.  Plots in one look: of the members that burn
above the clouds at that instant, each gives one plot with the satellite's probability of detection; the part
of the members that do is told by the confirmed ones' own spans, and is as uncertain as their number makes it.
The fullest look of each satellite is used, and as it is the fullest of several, by the distribution of a
greatest value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.launch.burns import Burn, Glance
from jointwatch.launch.looks import ALONG, AT, SEEN, SITE
from jointwatch.records import Satellite
from jointwatch.sensing.infrared import meets_height

Floats = NDArray[np.float64]
NEAR_M, TOGETHER_NS = 40e3, 60_000_000_000
"""Burns are of one salvo that were first seen so near to another of it, and so soon after."""
SEEN_AT_M = 10e3
"""Height at which a burn is taken to have been first seen: clouds' tops."""
MADE_OUT = 0.97
"""Probability that a burn which was seen in three looks and more is confirmed as one of its own."""
DOUBLED = 0.02
"""Burns for each that is there which are made of others' plots."""
LEAST_LOG_ODDS = 2.0
"""Of a burn once confirmed: what plots of others make of it later tells of them, not of its being one."""
ROUND = 3.0
"""A plot that no burn claims is the salvo's if it lies no farther out, in sigmas of the lines, than the
farthest claimed one from their middle."""
INDEPENDENT_S = 10.0
"""Looks nearer to each other than this are of the same burns; the fullest is taken of so many of them."""


class Salvo(Struct, frozen=True):
    """Burns of one group: their numbers, and the probability of each number of launches (0, 1, 2...)."""

    members: tuple[str, ...]
    probability: Floats

    def most_probable(self) -> int:
        return int(np.argmax(self.probability))

    def interval(self, share: float = 0.9) -> tuple[int, int]:
        """Least and greatest number, with at most half of what `share` leaves beyond either."""
        upto = np.cumsum(self.probability)
        tail = 0.5 * (1.0 - share)
        return int(np.searchsorted(upto, tail)), int(np.searchsorted(upto, 1.0 - tail))


class Fullest(Struct, frozen=True):
    """The fullest of some looks of one satellite: plots in it, its detection, how many looks it is the
    fullest of, and of the confirmed burns how many were between their first and last plot then, and in all."""

    plots: int
    detection: float
    looks: int
    burning: int
    confirmed: int


def salvos(
    burns: Sequence[Burn], glances: Sequence[Glance], satellites: Mapping[str, Satellite], least: int = 2
) -> list[Salvo]:
    """Groups of at least so many confirmed burns, with the distribution of each one's number.

    burns: `Burns.all()`; glances: `Burns.glances()`, which reach some minutes back.
    """
    out = []
    for group in groups(burns):
        if len(group) < least:
            continue
        fullest = []
        for name in sorted({s for b in group for s in b.sensors}):
            found = fullest_of(group, [g for g in glances if g.sensor == name], satellites[name])
            if found is not None:
                fullest.append(found)
        exists = np.array([1.0 / (1.0 + math.exp(-min(max(b.log_odds, LEAST_LOG_ODDS), 50.0))) for b in group])
        out.append(Salvo(tuple(b.number for b in group), number_of(exists, fullest)))
    return out


def groups(burns: Sequence[Burn]) -> list[list[Burn]]:
    """Burns that began near each other, each group in order of number; single ones are groups too."""
    known = sorted((b for b in burns if b.state != "tentative"), key=lambda b: b.number)
    at = []
    for b in known:
        row = b.looks[int(np.argmax(b.looks[:, SEEN] > 0.0))]
        at.append(meets_height(row[SITE : SITE + 3], row[None, ALONG : ALONG + 3], SEEN_AT_M)[0])
    parent = list(range(len(known)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for i, a in enumerate(known):
        for j in range(i):
            near = float(np.linalg.norm(at[i] - at[j])) < NEAR_M
            if near and abs(a.first_ns - known[j].first_ns) < TOGETHER_NS:
                parent[root(i)] = root(j)
    found: dict[int, list[Burn]] = {}
    for i, b in enumerate(known):
        found.setdefault(root(i), []).append(b)
    return list(found.values())


def fullest_of(group: Sequence[Burn], glances: Sequence[Glance], satellite: Satellite) -> Fullest | None:
    """The look of one satellite in which the most of a group's plots lie, claimed or not; None without any."""
    claimed: dict[int, list[Floats]] = {}
    for b in group:
        for row in b.looks:
            g_ns = b.epoch_ns + round(row[AT] * 1e9)
            if row[SEEN] > 0.0:
                claimed.setdefault(g_ns, []).append(row[[*range(SITE, SITE + 3), *range(ALONG, ALONG + 3)]])
    best, looks = None, 0
    for g in glances:
        mine = [r[3:] for r in claimed.get(g.time_ns, []) if np.abs(r[:3] - np.array(g.site)).max() < 1e3]
        if len(mine) < 2:
            continue
        looks += 1
        lines = np.array(mine)
        middle = lines.mean(axis=0)
        reach = float(np.linalg.norm(lines - middle, axis=1).max()) + ROUND * satellite.sigma_rad
        plots = int((np.linalg.norm(g.along - middle, axis=1) < reach).sum())
        if best is None or plots > best[0]:
            burning = sum(b.first_ns <= g.time_ns <= b.last_ns for b in group)
            best = plots, burning
    if best is None:
        return None
    span = max(1, round(INDEPENDENT_S / satellite.period_s) + 1)
    return Fullest(best[0], satellite.detection, min(looks, span), best[1], len(group))


def number_of(exists: Floats, fullest: Sequence[Fullest]) -> Floats:
    """Probability of each number of launches, from 0 on.

    exists (n,): probability of each confirmed burn to be one.  fullest: of each satellite.
    """
    n = len(exists)
    top = max([n, *(math.ceil(f.plots / max(f.detection, 0.1)) for f in fullest)]) * 2 + 10
    numbers = np.arange(top + 1)
    log_p = np.zeros(top + 1)
    # of those confirmed, some are none: their real number is a sum of unlike coins
    real = np.ones(1)
    for p in exists:
        real = np.convolve(real, [1.0 - p, p])
    # and some are made of the plots of others
    doubled = _poisson(np.arange(n + 1), DOUBLED * n)
    own = np.array([float(real[r:] @ doubled[: n + 1 - r]) for r in range(n + 1)])
    for k in numbers.tolist():
        log_p[k] = _log(float((own * _binomial(np.arange(n + 1), k, MADE_OUT)).sum()))
    for f in fullest:
        # of so many that burn, the fullest of some looks
        greatest = np.array([
            _upto(f.plots, m, f.detection) ** f.looks - _upto(f.plots - 1, m, f.detection) ** f.looks
            for m in numbers.tolist()
        ])  # fmt: skip
        for k in numbers.tolist():
            share = _beta_binomial(numbers[: k + 1], k, f.burning + 0.5, f.confirmed - f.burning + 0.5)
            log_p[k] += _log(float(share @ greatest[: k + 1]))
    p = np.exp(log_p - log_p.max())
    return np.asarray(p / p.sum())


def _log(p: float) -> float:
    return math.log(max(p, 1e-300))


def _binomial(k: NDArray[np.int64], n: int, p: float) -> Floats:
    """Probability of k successes of n."""
    out = np.zeros(len(k))
    fits = k <= n
    for i in np.flatnonzero(fits).tolist():
        out[i] = math.comb(n, int(k[i])) * p ** int(k[i]) * (1.0 - p) ** (n - int(k[i]))
    return out


def _upto(k: int, n: int, p: float) -> float:
    """Probability of at most k successes of n."""
    return 0.0 if k < 0 else min(1.0, float(_binomial(np.arange(k + 1), n, p).sum()))


def _beta_binomial(k: NDArray[np.int64], n: int, a: float, b: float) -> Floats:
    """Probability of k successes of n whose chance is beta distributed."""
    def log_beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    logs = [math.log(math.comb(n, i)) + log_beta(i + a, n - i + b) - log_beta(a, b) for i in k.tolist()]
    return np.exp(np.array(logs))


def _poisson(k: NDArray[np.int64], mean: float) -> Floats:
    return np.array([math.exp(-mean) * mean**i / math.factorial(i) for i in k.tolist()])
