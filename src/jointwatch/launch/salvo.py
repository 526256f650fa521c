"""Salvos: plots of infrared satellites that rise together, and how many launches they are, as a distribution.

In: the looks of the last minutes with all that shone (`Burns.glances`), the burns followed, and the
satellites; out: salvos, each with where its plots lie and a distribution of the number of launches that
cleared the clouds so far.  In a tight salvo hardly a burn can be followed, so a salvo is made of plots, not
of burns: what a motor can fly from one look to the next links them.  How many there are is told by how many
plots each look holds (`launch.arrivals`); what counts alone leave open, few launches that show for long or
many that show shortly, is told by burns followed alone and by how far from where they rose the farthest are
seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.launch.arrivals import Counted, probability_of_number
from jointwatch.launch.burns import Burn, Glance
from jointwatch.launch.first_seen import AGE_STEP_S, first_seen
from jointwatch.launch.hot_places import CLUMPED
from jointwatch.launch.looks import ALONG, AT, SEEN
from jointwatch.records import Satellite
from jointwatch.sensing.infrared import from_one_site, meets_height

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
HEIGHT_M = 25e3
"""Where plots are taken to be, to say how far they lie apart."""
APART_M, FASTEST_MS, FLOWN_S, LINKED_S = 12e3, 3500.0, 21.0, 60.0
"""Plots of one satellite are of one salvo if they lie no farther apart than launchers, and what a motor flies
between their looks (or in so long at most), and so near in time that one launch follows the other."""
PARALLAX_M = 120e3
"""Two satellites' plots of one salvo lie no farther apart than this: their heights are not known."""
STANDS_SIGMA, STANDS_LOOKS, STANDS_LASTS, STANDS_SHARE = 2.5, 3, 3, 0.5
"""What is seen so near to the same line of sight in so many looks before or after a salvo stands there."""
LEAST_PLOTS = 3
"""Plots in some one look that make a salvo."""
MOST_PLOTS = 4000
"""Plots of a satellite that are asked: with more in some minutes no salvo can be told from what is false."""
BEFORE_S, AFTER_LOOKS = 40.0, 3
"""Looks so long before the first plot that count too; looks in vain of each satellite that end a salvo."""
SEEN_M2 = 2e14
"""Ground that false plots come from."""
LOG_LASTS = np.linspace(math.log(1.5), math.log(300.0), 48)
"""Where it is asked how long a launch shows, s."""
FAR_LEVEL, FAR_POWER, FAR_SPREAD = 1.65, 0.625, (0.5, 0.38)
"""Logarithm of how long (s) what flies so far (km, across the line of sight) has shown: level, power of the
distance and spread (of one satellite, of several), from draws of the classes (`launch.profiles`)."""
ANY_SHARE = 0.35
"""Of salvos, that show for no time that a class tells of."""
STILL_S = 15.0
"""The distance grows no more where the farthest were seen so long ago."""


class Looked(Struct, frozen=True):
    """What one satellite's looks hold of a salvo: times (k,), ns, plots in each (k,), and of these plots the
    times (m,), lines of sight (m, 3) and places (m, 3) at `HEIGHT_M`, ECEF; how far
    from the satellite the first is."""

    sensor: str
    times_ns: Ints
    counts: Ints
    plots_ns: Ints
    along: Floats
    places: Floats
    range_m: float


class Salvo(Struct, frozen=True):
    """A salvo: what was seen of it, the burns followed among it, whether it is over, and the probability of
    each number of launches (0, 1, 2...) that cleared the clouds by its last look."""

    looked: tuple[Looked, ...]
    members: tuple[str, ...]
    over: bool
    probability: Floats

    def most_probable(self) -> int:
        return int(np.argmax(self.probability))

    def interval(self, share: float = 0.9) -> tuple[int, int]:
        """Least and greatest number, with at most half of what `share` leaves beyond either."""
        upto = np.cumsum(self.probability)
        tail = 0.5 * (1.0 - share)
        return int(np.searchsorted(upto, tail)), int(np.searchsorted(upto, 1.0 - tail))


def salvos(
    burns: Sequence[Burn], glances: Sequence[Glance], satellites: Mapping[str, Satellite]
) -> list[Salvo]:
    """The salvos among the looks of the last minutes, in order of their first plots.

    burns: `Burns.all()`; glances: `Burns.glances()`.
    """
    out = []
    for looked in _joined(
        [one for name in sorted(satellites) for one in _linked(name, glances, satellites[name].sigma_rad)]
    ):
        if max(int(one.counts.max()) for one in looked) < LEAST_PLOTS:
            continue
        among = [b for b in burns if b.state != "tentative" and any(_is_among(b, one) for one in looked)]
        out.append(
            Salvo(
                looked,
                tuple(sorted(b.number for b in among)),
                all((one.counts[-AFTER_LOOKS:] == 0).all() for one in looked),
                number_of(looked, satellites),
            )
        )
    return sorted(out, key=lambda s: min(int(one.plots_ns[0]) for one in s.looked))


def may_be_a_salvo(glance: Glance) -> bool:
    """Whether a look holds so many plots so near to each other that it is worth asking for salvos."""
    if len(glance.along) < LEAST_PLOTS:
        return False
    places = meets_height(np.array(glance.site), glance.along, HEIGHT_M)
    places = places[np.isfinite(places[:, 0])][:MOST_PLOTS]
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    return bool(((apart < APART_M + FASTEST_MS * FLOWN_S).sum(axis=1) >= LEAST_PLOTS).any())


def _linked(name: str, glances: Sequence[Glance], sigma_rad: float) -> list[Looked]:
    """Plots of one satellite put together by what a motor flies from one look to another."""
    mine = [g for g in glances if g.sensor == name]
    sizes = [len(g.along) for g in mine]
    if not 0 < sum(sizes) <= MOST_PLOTS:
        return []
    look = np.repeat(np.arange(len(mine)), sizes)
    site, sites = np.array(mine[0].site), np.repeat(np.array([g.site for g in mine]), sizes, axis=0)
    along = from_one_site(site, sites, np.concatenate([g.along for g in mine]))
    times = np.array([g.time_ns for g in mine])
    places = meets_height(site, along, HEIGHT_M)
    inside = np.flatnonzero(np.isfinite(places[:, 0]))
    look, along, places = look[inside], along[inside], places[inside]
    at_s = (times[look] - times[0]) * 1e-9
    ends: list[tuple[int, int]] = []
    for i in range(len(look)):
        # the looks are in order of time: only the plots of the last ones are asked
        j0 = int(np.searchsorted(at_s, at_s[i] - LINKED_S))
        gone = at_s[i] - at_s[j0:i]
        near = np.linalg.norm(places[j0:i] - places[i], axis=1) < APART_M + FASTEST_MS * np.minimum(
            gone, FLOWN_S
        )
        ends += [(i, j0 + j) for j in np.flatnonzero(near).tolist()]
    found = []
    for of in _parts(len(look), ends):
        of = of[~_stands(look[of], along[of], sigma_rad)]
        if not len(of):
            continue
        first = at_s[of].min()
        shown = np.flatnonzero((times - times[0]) * 1e-9 >= first - BEFORE_S)
        counts = np.bincount(look[of], minlength=len(mine))[shown]
        away_m = float(np.linalg.norm(places[of][0] - site))
        found.append(Looked(name, times[shown], counts, times[look[of]], along[of], places[of], away_m))
    return found


def _stands(look: Ints, along: Floats, sigma_rad: float) -> NDArray[np.bool_]:
    """Which plots (m,) of some looks (m,) stand still, and are of the ground: looks before and after those
    that the salvo fills have some in the same place again and again."""
    full = np.flatnonzero(np.bincount(look) >= LEAST_PLOTS)
    if not len(full):
        return np.zeros(len(look), np.bool_)
    aside = np.flatnonzero((look < full[0]) | (look > full[-1]))
    reach = 2.0 * (STANDS_SIGMA * sigma_rad) ** 2
    out = np.zeros(len(look), np.bool_)
    for i in aside.tolist():
        here = ((along - along[i]) ** 2).sum(axis=1) < reach
        among = np.unique(look[aside][here[aside]])
        # as often as a hot place shines, and no launch passes the same one again
        often = len(np.unique(look[here])) >= STANDS_SHARE * (among[-1] - among[0] + 1)
        if len(among) >= STANDS_LOOKS and among[-1] - among[0] >= STANDS_LASTS and often:
            out |= here
    return out


def _parts(count: int, ends: Sequence[tuple[int, int]]) -> list[Ints]:
    """Which of so many plots hang together by links, each part in order, the parts by their first plots."""
    from scipy.sparse import coo_array  # SciPy takes a while to load
    from scipy.sparse.csgraph import connected_components

    pairs = np.array(ends, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(ends)), (pairs[0], pairs[1])), shape=(count, count))
    _, part = connected_components(graph, directed=False)
    order = np.argsort(part, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(part[order])) + 1) if count else []


def _joined(seen: Sequence[Looked]) -> list[tuple[Looked, ...]]:
    """What several satellites saw of one salvo, together; single plots that nothing continues are left
    out."""
    kept = sorted((one for one in seen if one.counts.max() > 1), key=lambda one: -int(one.counts.sum()))
    groups: list[list[Looked]] = []
    for one in kept:
        fits = [
            g for g in groups if one.sensor not in {o.sensor for o in g} and any(_same(one, o) for o in g)
        ]
        if fits:
            fits[0].append(one)
        else:
            groups.append([one])
    return [tuple(g) for g in groups]


def _same(a: Looked, b: Looked) -> bool:
    """Whether two satellites' plots lie so near to each other that they may be of one salvo."""
    together = np.abs(a.plots_ns[:, None] - b.plots_ns[None]) <= 10_000_000_000
    near = np.linalg.norm(a.places[:, None] - b.places[None], axis=2) < PARALLAX_M
    return bool((together & near).any())


def _is_among(burn: Burn, looked: Looked) -> bool:
    """Whether a quarter of a burn's plots are those of a salvo that one satellite saw: half of its own,
    where two see it."""
    rows = burn.looks[burn.looks[:, SEEN] > 0.0]
    hits = 0
    for row in rows:
        then = np.abs(looked.plots_ns - (burn.epoch_ns + round(row[AT] * 1e9))) < 1_000_000
        hits += bool(then.any()) and bool((looked.along[then] @ row[ALONG : ALONG + 3] > 1.0 - 1e-13).any())
    return hits > 0 and 4 * hits >= len(rows)


@cache
def _classes_prior(cloud_m: float) -> Floats:
    """Log-density, at `LOG_LASTS`, of the logarithm of how long what burns shows above clouds so high."""
    first = first_seen(cloud_m, 0.01, 1.0)
    lasts = np.exp(LOG_LASTS)
    ages = AGE_STEP_S * np.arange(first.burning.shape[1])
    still = np.exp(first.log_share) @ np.array([np.interp(lasts, ages, one) for one in first.burning])
    # the table is made of draws and steps: it is smoothed over a fifth
    density = np.convolve(np.pad(-np.gradient(still, LOG_LASTS), 2, mode="edge"), np.ones(5) / 5.0, "valid")
    return np.asarray(np.log(np.maximum(density / density.max(), 1e-4)))


def log_lasts_prior(looked: Sequence[Looked], satellites: Mapping[str, Satellite]) -> Floats:
    """Log-density, at `LOG_LASTS`, of how long launches of a salvo show, by the classes and how far the
    farthest have flown."""
    log_p = _classes_prior(max(satellites[one.sensor].cloud_m for one in looked)).copy()
    far, still = 0.0, False
    now = max(int(one.times_ns[-1]) for one in looked)
    for one in looked:
        # the middle of the first ones: one false plot before them moves it little
        middle = np.median(one.along[: min(9, len(one.along))], axis=0)
        away = np.linalg.norm(one.along - middle, axis=1) * one.range_m
        wide = float(np.median(away[: min(9, len(away))]))
        most = float(np.quantile(away, 0.95))
        if most - wide > far:
            far = most - wide
            still = now - int(one.plots_ns[away >= most].min()) > STILL_S * 1e9
    off = (LOG_LASTS - FAR_LEVEL - FAR_POWER * math.log(max(far * 1e-3, 2.0))) / FAR_SPREAD[len(looked) > 1]
    if still:
        log_p = np.maximum(-0.5 * off * off, -12.0)
    else:
        # perhaps they fly no farther, perhaps they still will: then the classes tell
        later = log_p + np.log(np.maximum(_normal(off + 0.5), 1e-5))
        log_p = np.logaddexp(-0.5 * off * off - _log_sum(-0.5 * off * off), later - _log_sum(later))
    # what the classes do not tell of is not out of the question
    even = math.log(ANY_SHARE / len(LOG_LASTS))
    return np.logaddexp(log_p - _log_sum(log_p) + math.log(1.0 - ANY_SHARE), even)


def _log_sum(log_p: Floats) -> float:
    return float(np.logaddexp.reduce(log_p))


def _normal(x: Floats) -> Floats:
    return np.array([0.5 * (1.0 + math.erf(v / math.sqrt(2.0))) for v in np.ravel(x).tolist()])


def number_of(looked: Sequence[Looked], satellites: Mapping[str, Satellite]) -> Floats:
    """Probability of each number of launches, from 0 on.  looked: one for each satellite."""
    rows = []
    for e, one in enumerate(looked):
        far = _along_way(one)
        for t, n in zip(one.times_ns.tolist(), one.counts.tolist(), strict=True):
            of = far[one.plots_ns == t]
            middle = float(of.mean()) if n else 0.0
            rows.append(
                (t, e, n, middle, float(((of - middle) ** 2).sum()), satellites[one.sensor].detection)
            )
    rows.sort()
    first = rows[0][0]
    table = np.array([((r[0] - first) * 1e-9, *r[1:]) for r in rows])
    times, eye, counts, flown, scatter, detection = (np.ascontiguousarray(c) for c in table.T)
    clutter = max(satellites[one.sensor].clutter_per_scan for one in looked)
    background = CLUMPED * clutter * math.pi * (2.0 * FASTEST_MS * 10.0) ** 2 / SEEN_M2
    return probability_of_number(
        Counted(times, eye.astype(np.int64), counts, flown, scatter, detection), background, LOG_LASTS,
        log_lasts_prior(looked, satellites),
    )  # fmt: skip


def _along_way(looked: Looked) -> Floats:
    """How far along the salvo's common way, across the line of sight, each plot lies, m, from their middle.

    How old a plot is does not hang on when its launch began, taken over a whole salvo: so what of the places
    goes with the time is the way.
    """
    at = (looked.plots_ns - looked.plots_ns[0]) * 1e-9
    across = (looked.along - looked.along.mean(axis=0)) * looked.range_m
    way = (at - at.mean()) @ across
    size = float(np.linalg.norm(way))
    return np.asarray(across @ (way / size)) if size > 0.0 else np.zeros(len(at))
