"""Chains of plots: what may become a burn, and how one look takes all of them on.

In: chains, and one scan's plots with the density of false ones at each; out: which chains the scan looked at,
how well each plot goes on each chain, and the chains it leaves: gone on by a plot, looked for in vain, begun
anew.  Motions are predicted by `launch.climbing`; all chains at once, for a node follows hundreds that come
to nothing.  Values are never changed, so that a state of before a late scan can be gone back to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.launch.climbing import JERK, NEVER, all_moved, log_densities
from jointwatch.launch.fires import log_new_share
from jointwatch.launch.first_seen import FirstSeen, begun, first_seen, still_burning
from jointwatch.launch.posterior import Posterior
from jointwatch.launch.wandering import ground_range_m, nearest_rad, reach_rad
from jointwatch.records import InfraredScan, Satellite
from jointwatch.sensing.infrared import from_one_site, hidden_by_earth

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Key = tuple[int, str, int]
State = Literal["tentative", "confirmed", "over"]
BEFORE_NS, MOST_BEFORE = 25_000_000_000, 4
"""Looks so long before the first plot that found nothing yet count, and so many: it had not cleared the
clouds, or burned."""
ABOVE = 0.16
"""Cosine, at the Earth's middle, within which a satellite sees a place: it is some degrees above the
horizon."""
FIRST_M = 6.0e6
"""How far from the Earth's middle a first plot is taken to be, where it is only asked who sees it."""
DROPPED_MISSES, DROPPED_NS = 3, 25_000_000_000
"""What is no burn yet is given up after so many looks in vain, or so long."""
MOST_SEEDS, MOST_CHAINS, MOST_BRANCHES = 400, 600, 10
"""Chains of one plot and of more that are kept; chains that go on by one plot."""


class Plot(Struct, frozen=True):
    """One plot of a burn: which of which scan, its line of sight from a site (ECEF), log intensity, and the
    log-densities (a steradian) of false plots there and of the background's part of them.  dark_s: how long
    before it a look of the satellite found nothing near; inf where one did, or there was none.  log_new: log
    of the part of the background's plots that were a new fire's then (`fires`)."""

    key: Key
    site: tuple[float, float, float]
    along: tuple[float, float, float]
    log_glow: float
    log_false: float
    log_background: float
    dark_s: float
    log_new: float

    @property
    def time_ns(self) -> int:
        return self.key[0]

    @property
    def sensor(self) -> str:
        return self.key[1]

    @property
    def known(self) -> float:
        """Probability that a known place gave it, if no burn did."""
        return 1.0 - math.exp(self.log_background - self.log_false)


class Missed(Struct, frozen=True):
    """One look at a burn that found nothing."""

    time_ns: int
    sensor: str
    site: tuple[float, float, float]


class Glance(Struct, frozen=True):
    """A look remembered: when, whose, from where, and all its lines of sight (m, 3)."""

    time_ns: int
    sensor: str
    site: tuple[float, float, float]
    along: Floats


class Chain(Struct, frozen=True):
    """A burn, or what may become one.

    keys: of its plots.  means (C, 9), covs (C, 9, 9), log_weight (C,): as in `climbing`, at the last plot.
    glow_sums, counts, known: by satellite, the sum of its plots' log intensities, how many they are, and how
    many of them a known place is expected to have given, if they are no burn's.  log_odds:
    cheap ones until there is a posterior, of `plots_known` plots.  log_otherwise: of the plots if they are
    no burn, NaN until it is asked.  misses: in a row.
    """

    identity: int
    plots: tuple[Plot, ...]
    keys: frozenset[Key]
    missed: tuple[Missed, ...]
    means: Floats
    covs: Floats
    log_weight: Floats
    glow_sums: tuple[float, ...]
    counts: tuple[int, ...]
    known: tuple[float, ...]
    log_odds: float
    state: State = "tentative"
    posterior: Posterior | None = None
    posterior_log_odds: float = -math.inf
    plots_known: int = 0
    misses: int = 0
    log_otherwise: float = math.nan

    @property
    def first_ns(self) -> int:
        return self.plots[0].key[0]

    @property
    def last_ns(self) -> int:
        return self.plots[-1].key[0]

    @property
    def sensors(self) -> tuple[str, ...]:
        return tuple(sorted({p.sensor for p in self.plots}))


class Eyes:
    """The satellites, and what burns are like when each first sees one."""

    def __init__(self, satellites: Sequence[Satellite]) -> None:
        self.satellites = {s.name: s for s in satellites}
        names = sorted(self.satellites)
        self.index = {name: k for k, name in enumerate(names)}
        by_name = [self.satellites[name] for name in names]
        self.first: list[FirstSeen] = [first_seen(s.cloud_m, s.period_s, s.detection) for s in by_name]
        self.burning = np.array([f.burning for f in self.first])
        self.gap_s = 1.0 / sum(1.0 / s.period_s for s in by_name) if by_name else math.inf
        """Between two looks of any of them, in the mean."""


class Look:
    """One scan at all chains that may go on: those it looked at, and its plots.

    all: the chains it looked at, and here (n,) which rows of the arrays they are.
    """

    def __init__(
        self, eyes: Eyes, scan: InfraredScan, along: Floats, log_false: Floats, live: Sequence[Chain]
    ) -> None:
        self.now, self.site = scan.header.measured_ns, np.array(scan.site_m)
        self.satellite, self._eyes = eyes.satellites[scan.sensor], eyes
        self._along, self._log_false = along, log_false
        self.missed = Missed(self.now, scan.sensor, scan.site_m)
        self.chains: list[Chain] = []
        if not live:
            return
        self._means, self._covs = np.array([c.means for c in live]), np.array([c.covs for c in live])
        self._weights = np.array([c.log_weight for c in live])
        self._dt = np.array([(self.now - c.last_ns) * 1e-9 for c in live])
        seen = self._sees(scan)
        self.chains = [live[i] for i in seen.tolist()]
        self._means, self._covs, self._weights, self._dt = (
            (a if len(seen) == len(a) else a[seen])
            for a in (self._means, self._covs, self._weights, self._dt)
        )
        which = np.array([eyes.index[c.plots[0].sensor] for c in self.chains], np.int64)
        last_s = np.array([(c.last_ns - c.first_ns) * 1e-9 for c in self.chains])
        shining = np.empty(self._weights.shape)
        still_burning(eyes.burning, which, last_s, last_s + self._dt, shining)
        shining *= self.satellite.detection
        self._log_shining = self._weights + np.log(shining)
        self.log_miss = _log_sum(self._weights + np.log1p(-shining))

    def _sees(self, scan: InfraredScan) -> Rows:
        """Which chains a scan looked at: in its cone, and not behind the Earth."""
        likeliest = self._means[np.arange(len(self._means)), self._weights.argmax(axis=1)]
        dt = self._dt[:, None]
        at = likeliest[:, :3] + dt * likeliest[:, 3:6] + 0.5 * dt * dt * likeliest[:, 6:]
        way = at - self.site
        inside = way @ np.array(scan.axis) >= math.cos(scan.half_angle_rad) * np.sqrt((way * way).sum(axis=1))
        return np.flatnonzero(inside & ~hidden_by_earth(self.site, at))

    def gains(self, rows: list[int], free: NDArray[np.bool_]) -> Floats:
        """Log-likelihood ratios (n, m) of each of some chains' giving each plot, which else is false, against
        its not being seen.  Of plots that are not free, and beyond the gate: NEVER."""
        out = np.full((len(rows), len(self._along)), NEVER)
        columns = np.flatnonzero(free)
        if not len(rows) or not len(columns):
            return out
        which = np.array(rows, np.int64)
        found = np.empty((len(self.chains), len(columns)))
        log_densities(
            self._means, self._covs, self._log_shining, self._dt, JERK, self.site, self.satellite.sigma_rad,
            np.ascontiguousarray(self._along[columns]), which, found,
        )  # fmt: skip
        gain = found[which] - self._log_false[columns] - self.log_miss[which, None]
        out[:, columns] = np.maximum(gain, NEVER)
        return out

    def continued(
        self, pairs: list[tuple[int, int]], plots: list[Plot], identities: list[int]
    ) -> list[Chain]:
        """Chains with one more plot each, from pairs of a row and a plot, under identities of their own."""
        if not pairs:
            return []
        rows = [k for k, _ in pairs]
        # an index makes copies, which may be written to
        means, covs, weight = self._means[rows], self._covs[rows], self._log_shining[rows]
        gains, s = np.empty(len(pairs)), self._eyes.index[self.satellite.name]
        along = self._along[[j for _, j in pairs]]
        all_moved(
            means, covs, weight, self._dt[rows], JERK, self.site, self.satellite.sigma_rad, along, gains
        )
        out = []
        for i, ((k, j), gain) in enumerate(zip(pairs, gains.tolist(), strict=True)):
            chain, plot = self.chains[k], plots[j]
            sums, counts, known = list(chain.glow_sums), list(chain.counts), list(chain.known)
            sums[s] += plot.log_glow
            counts[s] += 1
            known[s] += plot.known
            out.append(
                replace(
                    chain, identity=identities[i], plots=(*chain.plots, plot), keys=chain.keys | {plot.key},
                    means=means[i], covs=covs[i], log_weight=weight[i], misses=0, glow_sums=tuple(sums),
                    counts=tuple(counts), known=tuple(known), log_odds=chain.log_odds + gain - plot.log_false,
                    log_otherwise=math.nan,
                    state="tentative" if chain.state == "tentative" else "confirmed",
                )
            )  # fmt: skip
        return out

    def in_vain(self, row: int) -> Chain:
        """A chain that this look found nothing of.  Its classes' weights stay those of its last plot, for how
        long each burns is asked from there."""
        chain = self.chains[row]
        return replace(
            chain, missed=(*chain.missed, self.missed), misses=chain.misses + 1,
            log_odds=chain.log_odds + float(self.log_miss[row]),
        )  # fmt: skip

    def comes_to_nothing(self, row: int) -> bool:
        """Whether a chain, looked for in vain once more, is one plot that is given up."""
        chain = self.chains[row]
        return len(chain.plots) == 1 and (
            chain.misses + 1 >= DROPPED_MISSES or self.now - chain.last_ns > DROPPED_NS
        )

    def seeds(
        self, plots: list[Plot], along: Floats, log_rate: float, spread: Floats, glances: tuple[Glance, ...],
        identity: int,
    ) -> list[Chain]:  # fmt: skip
        """Chains that plots begin.  log_rate: of launches, a square metre and second; spread (m,): square
        metres of ground to a steradian."""
        if not plots:
            return []
        s = self._eyes.index[self.satellite.name]
        first = self._eyes.first[s]
        means, covs, weights = begun(first, self.site, along, self.satellite.sigma_rad)
        # so many begin to show between two looks, in the ground that a steradian covers
        shows = log_rate + math.log(self._eyes.gap_s) + float(_log_sum(first.log_share[None])[0])
        log_births = (shows + np.log(spread)).tolist()
        none = [0] * len(self._eyes.index)
        counts = tuple([*none[:s], 1, *none[s + 1 :]])
        return [
            Chain(
                identity=identity + k, plots=(p,), keys=frozenset((p.key,)), missed=before, means=means[k],
                covs=covs[k], log_weight=weights[k], log_odds=log_births[k] - p.log_false, counts=counts,
                known=tuple(p.known * c for c in counts),
                glow_sums=tuple(p.log_glow * c for c in counts),
            )
            for k, (p, before) in enumerate(
                zip(plots, _before(self.now, self.site, along, glances), strict=True)
            )
        ]  # fmt: skip


def plots_of(
    scan: InfraredScan, which: Rows, along: Floats, log_glow: Floats, log_false: Floats,
    log_background: Floats, off_rad: Floats, passed_s: float, looks: int,
) -> list[Plot]:  # fmt: skip
    """The plots of a scan, (m,) each.  off_rad, passed_s: as `look_before` has them.  looks: that its
    satellite had learned from before."""
    log_new = log_new_share(looks)
    now, sensor, site = scan.header.measured_ns, scan.sensor, scan.site_m
    return [
        Plot((now, sensor, w), site, tuple(a), g, f, b, d, log_new)
        for w, a, g, f, b, d in zip(
            which.tolist(), along.tolist(), log_glow.tolist(), log_false.tolist(), log_background.tolist(),
            _dark_s(off_rad, passed_s, np.array(site)), strict=True,
        )
    ]  # fmt: skip


def assigned(gains: Floats) -> dict[int, int]:
    """Which row takes which column (global nearest neighbour), where that gains anything."""
    if not (gains > 0.0).any():
        return {}
    from scipy.optimize import linear_sum_assignment  # SciPy takes a while to load

    rows, columns = linear_sum_assignment(np.maximum(gains, 0.0), maximize=True)
    return {r: c for r, c in zip(rows.tolist(), columns.tolist(), strict=True) if gains[r, c] > 0.0}


def branches(log_odds: Floats, gains: Floats) -> list[tuple[int, int]]:
    """Which chains (n,) go on by which plots (m,): of each plot the best few."""
    columns, rows = np.nonzero(gains.T > 0.0)
    order = np.lexsort((-(log_odds[rows] + gains[rows, columns]), columns))
    rows, columns = rows[order], columns[order]
    place = np.arange(len(columns)) - np.searchsorted(columns, columns)
    few = place < MOST_BRANCHES
    return list(zip(rows[few].tolist(), columns[few].tolist(), strict=True))


def kept(chains: list[Chain], now: int) -> tuple[Chain, ...]:
    """The chains without those that share plots with a confirmed one, came to nothing, or are too many."""
    firm = [c for c in chains if c.state != "tentative"]
    owned = {key for c in firm for key in c.keys}
    seeds: list[Chain] = []
    loose: list[Chain] = []
    for c in chains:
        if c.state != "tentative" or c.misses >= DROPPED_MISSES or now - c.last_ns > DROPPED_NS:
            continue
        if not owned or owned.isdisjoint(c.keys):
            (loose if len(c.plots) > 1 else seeds).append(c)
    for some, most in (seeds, MOST_SEEDS), (loose, MOST_CHAINS):
        if len(some) > most:
            some.sort(key=lambda c: (-c.log_odds, c.identity))
            del some[most:]
    return tuple(sorted([*firm, *seeds, *loose], key=lambda c: c.identity))


def _log_sum(logs: Floats) -> Floats:
    """Logarithm of the sum of what logs (n, C) are of, by row."""
    top = logs.max(axis=1)
    return np.asarray(top + np.log(np.exp(logs - top[:, None]).sum(axis=1)))


def look_before(scan: InfraredScan, along: Floats, glances: tuple[Glance, ...]) -> tuple[Floats, float]:
    """For each line of sight (m, 3) of a scan how far off the nearest one was that its satellite's look
    before found (rad), and how long ago that was (s); inf where there was none."""
    last = next((g for g in reversed(glances) if g.sensor == scan.sensor), None)
    if last is None:
        return np.full(len(along), math.inf), math.inf
    site = np.array(scan.site_m)
    lines = from_one_site(site, np.broadcast_to(np.array(last.site), last.along.shape), last.along)
    return nearest_rad(along, lines), (scan.header.measured_ns - last.time_ns) * 1e-9


def _dark_s(off_rad: Floats, passed_s: float, site: Floats) -> list[float]:
    """How long before each plot (m,) a look found nothing near, s."""
    if not math.isfinite(passed_s):
        return [math.inf] * len(off_rad)
    far = off_rad > reach_rad(passed_s, ground_range_m(site))
    out: list[float] = np.where(far, passed_s, math.inf).tolist()
    return out


def _before(now: int, site: Floats, along: Floats, glances: tuple[Glance, ...]) -> list[tuple[Missed, ...]]:
    """For first plots on lines (m, 3) the looks before that did not find them, where the Earth was not in
    the way."""
    recent = [g for g in glances if now - BEFORE_NS <= g.time_ns < now]
    at = site + along * (float(np.linalg.norm(site)) - FIRST_M)
    ways = np.array([g.site for g in recent]).reshape(-1, 3)
    sees = at @ ways.T > ABOVE * np.sqrt(np.outer((at * at).sum(axis=1), (ways * ways).sum(axis=1)))
    looks = [Missed(g.time_ns, g.sensor, g.site) for g in recent]
    return [
        tuple([look for look, s in zip(looks, row, strict=True) if s][-MOST_BEFORE:]) for row in sees.tolist()
    ]
