"""How many launches a salvo is: a distribution over their number, where perfect identity cannot be had.

In: the confirmed burns, what else shone among them look by look; out: groups of burns that began near each
other in place and time, each with a distribution of its number.  Two kinds of evidence are put together
over a flat prior.  Burns confirmed: in a tight salvo chains mix their plots, so that some launches have no
burn of their own; how many is open, and the burns only say that there are hardly fewer launches than
they.  Plots in
one look: each launch that burns above the clouds at that instant gives one with the satellite's probability
of detection.  Which part of the salvo burns then is told by how the plots of that satellite's looks add up: a
launch that burns above the clouds for D seconds is looked at D / period times in all, and D is known from the
burns confirmed.  So what the fullest look holds bounds the number from below, and all looks together give it.
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

Floats = NDArray[np.float64]
SITE_M = 1e3
"""A satellite's places nearer than this are one."""
DOUBLED = 0.02
"""Burns for each that is there which are made of others' plots."""
LEAST_LOG_ODDS = 2.0
"""Of a burn once confirmed: what plots of others make of it later tells of them, not of its being one."""
BESIDE_RAD, BESIDE_NS = 6e-4, 15_000_000_000
"""Plots so near (22 km) to each other, of looks of one satellite so near in time, are of one salvo,
whether a burn
claims them or not."""
LASTS_SPREAD = 0.25
"""How uncertain it is how long the launches of a salvo burn above the clouds, in relation to it: it is taken
from burns some of which are mixed."""


NEARLY = 0.85
"""A look with this part of the fullest one's plots is of as many launches."""
TOGETHER = 5.0
"""At the fullest look of a salvo some six launches in seven burn: they follow each other in less time
than they burn,
or the salvo is long and its looks add up to its number.  Power of the part that burns, as its density."""


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


class Plots(Struct, frozen=True):
    """What one satellite's looks at a salvo hold: plots in the fullest of them, how many are nearly as
    full (it
    among them; the fullest of several has more plots than it should), plots in all, its probability of
    detection, and how many times it looks at one launch in all (nought if that is not known yet, for they
    burn)."""

    fullest: int
    alike: int
    total: int
    detection: float
    looks_each: float


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
        seen = []
        for name in sorted({s for b in group for s in b.sensors}):
            found = plots_of(group, [g for g in glances if g.sensor == name], satellites[name])
            if found is not None:
                seen.append(found)
        exists = np.array(
            [1.0 / (1.0 + math.exp(-min(max(b.log_odds, LEAST_LOG_ODDS), 50.0))) for b in group]
        )
        out.append(Salvo(tuple(b.number for b in group), number_of(exists, seen)))
    return out


def groups(burns: Sequence[Burn]) -> list[list[Burn]]:
    """Burns that began near each other, each group in order of number; single ones are groups too."""
    known = sorted((b for b in burns if b.state != "tentative"), key=lambda b: b.number)
    parent = list(range(len(known)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    shown = [_shown(b) for b in known]
    for i in range(len(known)):
        for j in range(i):
            if _beside(shown[i], shown[j]):
                parent[root(i)] = root(j)
    found: dict[int, list[Burn]] = {}
    for i, b in enumerate(known):
        found.setdefault(root(i), []).append(b)
    return list(found.values())


def _shown(burn: Burn) -> tuple[NDArray[np.int64], Floats, Floats]:
    """When (ns), from where and along which lines a burn's plots were seen."""
    rows = burn.looks[burn.looks[:, SEEN] > 0.0]
    times = burn.epoch_ns + np.round(rows[:, AT] * 1e9).astype(np.int64)
    return times, rows[:, SITE : SITE + 3], rows[:, ALONG : ALONG + 3]


def _beside(a: tuple[NDArray[np.int64], Floats, Floats], b: tuple[NDArray[np.int64], Floats, Floats]) -> bool:
    """Whether two burns showed near each other to one satellite at about one time."""
    together = np.abs(a[0][:, None] - b[0][None]) <= BESIDE_NS
    same = np.abs(a[1][:, None] - b[1][None]).max(axis=2) < SITE_M
    near = a[2] @ b[2].T > 1.0 - 0.5 * BESIDE_RAD**2
    return bool((together & same & near).any())


def plots_of(group: Sequence[Burn], glances: Sequence[Glance], satellite: Satellite) -> Plots | None:
    """The plots of one satellite that lie in a group, claimed by its burns or not; None where there are none.

    glances: that satellite's looks.
    """
    sites = np.array([g.site for g in glances]).reshape(-1, 3)
    lines: list[tuple[int, Floats]] = []
    for b in group:
        for when, site, line in zip(*_shown(b), strict=True):
            if len(sites) and (np.abs(sites - site).max(axis=1) < SITE_M).any():
                lines.append((int(when), line))
    if not lines:
        return None
    times, along = np.array([t for t, _ in lines]), np.array([a for _, a in lines])
    counts = [0]
    for g in glances:
        # those of the salvo are near what its burns showed at about that time
        near = np.abs(times - g.time_ns) <= BESIDE_NS
        if near.any():
            cosine = (g.along @ along[near].T).max(axis=1)
            counts.append(int((cosine > 1.0 - 0.5 * BESIDE_RAD**2).sum()))
    lasts = _lasts_s(group)
    fullest = max(counts)
    alike = sum(count >= NEARLY * fullest for count in counts)
    return Plots(fullest, alike, sum(counts), satellite.detection, lasts / satellite.period_s)


def _lasts_s(group: Sequence[Burn]) -> float:
    """How long launches of a group burn where they can be seen, s: the median of burns that are over,
    from the
    look before their first plot to the look after their last, half of either counted; 0 while others burn."""
    if any(b.state != "over" for b in group):
        return 0.0
    spans = []
    for b in group:
        seen = b.looks[:, SEEN] > 0.0
        at = b.looks[:, AT]
        first, last = at[seen].min(), at[seen].max()
        before, after = at[at < first], at[at > last]
        begin = 0.5 * (first + before.max()) if len(before) else first
        spans.append((0.5 * (last + after.min()) if len(after) else last) - begin)
    return float(np.median(spans))


def number_of(exists: Floats, seen: Sequence[Plots]) -> Floats:
    """Probability of each number of launches, from 0 on.

    exists (n,): probability of each confirmed burn to be one.  seen: what each satellite's looks hold.
    """
    n = len(exists)
    top = max([n, *(math.ceil(s.fullest / max(s.detection, 0.1)) for s in seen)]) * 2 + 10
    numbers = np.arange(top + 1)
    # of those confirmed, some are none: their real number is a sum of unlike coins
    real = np.ones(1)
    for p in exists:
        real = np.convolve(real, [1.0 - p, p])
    # and some are made of the plots of others
    doubled = _poisson(np.arange(n + 1), DOUBLED * n)
    own = np.array([float(real[r:] @ doubled[: n + 1 - r]) for r in range(n + 1)])
    # each launch has a burn of its own with a probability that is open: evenly many of k launches do
    upto = np.cumsum(own)
    log_p = np.array([_log(float(upto[min(k, n)]) / (k + 1.0)) for k in numbers.tolist()])
    if seen:
        # at the fullest instant the most of k burn, for all satellites alike; each of them is found or not
        found = np.ones(top + 1)
        for s in seen:
            found *= np.array([_greatest(s.fullest, m, s.detection, s.alike) for m in numbers.tolist()])
        for k in numbers.tolist():
            part = (np.arange(1, k + 2) / (k + 1.0)) ** TOGETHER
            log_p[k] += _log(float(part @ found[: k + 1] / part.sum()))
    for s in seen:
        if s.looks_each > 0.0:
            mean = np.maximum(numbers, 0.5) * s.looks_each * s.detection
            variance = mean * (1.0 - s.detection) + (LASTS_SPREAD * mean) ** 2 + 0.1 * numbers
            log_p += -0.5 * (s.total - mean) ** 2 / variance - 0.5 * np.log(variance)
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


def _greatest(most: int, n: int, p: float, looks: int) -> float:
    """Probability that the greatest of some numbers of successes of n is so great."""
    upto = np.cumsum(_binomial(np.arange(most + 1), n, p))
    below = float(upto[most - 1]) if most else 0.0
    return min(float(upto[most]), 1.0) ** looks - min(below, 1.0) ** looks


def _poisson(k: NDArray[np.int64], mean: float) -> Floats:
    return np.array([math.exp(-mean) * mean**i / math.factorial(i) for i in k.tolist()])
