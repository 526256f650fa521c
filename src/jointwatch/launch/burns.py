"""Burns: what burns and climbs, put together from the plots of infrared satellites.

In: scans of any of the satellites, own and partners', in any order within some seconds; out: the burns that
a scan changed, each with its looks (plots, and looks that found nothing) and what is known of its launch.
A chain of plots is predicted by `launch.climbing` and branches: it goes on by every plot that fits it
better than
false ones do (`launch.hot_places`, `launch.wandering`), for in a tight salvo the best plot is often
another's.
The best chain is a burn once the odds of its
`Posterior` are so high that no more false ones a day are to be expected than was stated
(`tracking.confirmation`); then it takes its plots by global nearest neighbour, and chains that live off them
go.  Scans are taken in the order they were measured: one that comes late is put in its
place and those after it are taken again, so the result does not hang on the order they came in.  No clock and
no chance: the same scans give the same burns.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.launch.climbing import (
    AGE_STEP_S,
    JERK,
    NEVER,
    FirstSeen,
    begun,
    first_seen,
    log_densities,
    moved,
)
from jointwatch.launch.hot_places import HotPlaces
from jointwatch.launch.looks import look_row
from jointwatch.launch.posterior import DRAWS, Posterior, posterior
from jointwatch.launch.profiles import PROFILES
from jointwatch.launch.wandering import dark_before, log_not_burning
from jointwatch.records import InfraredScan, Satellite
from jointwatch.sensing.infrared import hidden_by_earth, usable, why_refused
from jointwatch.tracking.confirmation import confirm_log_odds

Floats = NDArray[np.float64]
State = Literal["tentative", "confirmed", "over"]
LATEST_NS = 15_000_000_000
"""A scan measured so long before the newest is too late to be put in its place."""
BEFORE_NS = 25_000_000_000
"""Looks so long before the first plot that found nothing yet count: it had not cleared the clouds, or
burned."""
ABOVE = 0.16
"""Cosine, at the Earth's middle, within which a satellite sees a place: it is some degrees above the
horizon."""
GONE_MISSES, GONE_NS, SILENT_NS = 4, 9_000_000_000, 35_000_000_000
"""A burn is over after so many looks in vain in so long a time, or after so long without a plot."""
AGAIN_NS = 60_000_000_000
"""What seemed over and is seen again so soon after its last plot goes on under its number."""
DROPPED_MISSES, DROPPED_NS = 3, 25_000_000_000
"""What is no burn yet is given up after so many looks in vain, or so long."""
ALIKE = 0.5
"""How alike two looks find a burn's intensity: standard deviation of its logarithm."""
GLOWS = np.array([(math.log(p.glow_w_sr[0]), p.glow_w_sr[1]) for p in PROFILES])
MOST_SEEDS, MOST_CHAINS, MOST_BRANCHES, MOST_LATER_MISSES = 400, 600, 10, 4
"""Chains of one plot and of more that are kept; chains that go on by one plot; looks in vain after the last
plot that a posterior is told."""
PROMISING = 4.0
"""A chain is worth a posterior where its cheap log odds come so near to the threshold."""
LEAST_PLOTS, LEAST_STEREO = 3, 2
OFTEN = 6
"""Up to so many plots each new one gives a new posterior; then each doubling does."""
JUDGING_DRAWS = 120
MOST_POSTERIORS = 12
"""In one scan; what is left waits for the next."""
MOST_RAISED = 8.0
"""The posture raises the expected launches by no more than this (as in `tracking`)."""
KEPT_NS = 3_600_000_000_000
"""How long a burn that is over is remembered."""


class Plot(Struct, frozen=True):
    """One plot of a burn: which of which scan, its line of sight from a site (ECEF), log intensity, and the
    log-densities (a steradian) of false plots there and of the background's part of them.  dark_s: how long
    before it a look of the satellite found nothing near; inf where one did, or there was none."""

    time_ns: int
    sensor: str
    which: int
    site: tuple[float, float, float]
    along: tuple[float, float, float]
    log_glow: float
    log_false: float
    log_background: float
    dark_s: float

    @property
    def key(self) -> tuple[int, str, int]:
        return self.time_ns, self.sensor, self.which


class Missed(Struct, frozen=True):
    """One look at a burn that found nothing."""

    time_ns: int
    sensor: str
    site: tuple[float, float, float]


class Burn(Struct, frozen=True):
    """One burn as known after a scan.

    number: its name, "" while tentative.  looks (n, LOOK): rows of `launch.looks`, in order of time, seconds
    counted from epoch_ns.  log_odds: that it is a burn against what its plots are otherwise.  sensors: that
    gave plots.  plots: how many.  changed: whether the last scan taken changed it.
    """

    number: str
    state: State
    looks: Floats
    epoch_ns: int
    posterior: Posterior | None
    log_odds: float
    sensors: tuple[str, ...]
    first_ns: int
    last_ns: int
    plots: int
    changed: bool


class _Chain(Struct, frozen=True):
    """A burn, or what may become one.  means, covs, log_weight: as in `climbing`, at the last plot.  state
    of a chain; log_odds: cheap ones until there is a posterior, of `plots_known` plots.  misses: in a row."""

    identity: int
    plots: tuple[Plot, ...]
    missed: tuple[Missed, ...]
    means: Floats
    covs: Floats
    log_weight: Floats
    first: FirstSeen
    log_odds: float
    state: State = "tentative"
    posterior: Posterior | None = None
    posterior_log_odds: float = -math.inf
    plots_known: int = 0
    misses: int = 0

    @property
    def last_ns(self) -> int:
        return self.plots[-1].time_ns

    @property
    def sensors(self) -> tuple[str, ...]:
        return tuple(sorted({p.sensor for p in self.plots}))


class Glance(Struct, frozen=True):
    """A look remembered: when, whose, from where, and all its lines of sight (m, 3)."""

    time_ns: int
    sensor: str
    site: tuple[float, float, float]
    along: Floats


class _State(Struct, frozen=True):
    """All that scans change, before one of them."""

    chains: tuple[_Chain, ...]
    places: dict[str, HotPlaces]
    glances: tuple[Glance, ...]
    next_identity: int


class Burns:
    """The burns of one node's infrared picture."""

    def __init__(
        self,
        satellites: Iterable[Satellite],
        rate_per_m2_s: float,
        false_per_day: float,
        prefix: str = "J",
        draws: int = DRAWS,
    ) -> None:
        """satellites: all whose scans may come.  rate_per_m2_s: launches expected anywhere that they see.
        false_per_day: burns a day that may be none.  prefix: of the numbers.  draws: of each posterior."""
        self._satellites = {s.name: s for s in satellites}
        places = {name: HotPlaces(s) for name, s in sorted(self._satellites.items())}
        self._first = {
            name: first_seen(s.cloud_m, s.period_s, s.detection) for name, s in self._satellites.items()
        }
        self._log_rate = math.log(rate_per_m2_s)
        seen_m2 = max((p.area_m2 for p in places.values()), default=1.0)
        births = rate_per_m2_s * 86400.0 * seen_m2
        self._threshold = confirm_log_odds(births, false_per_day)
        self._raised = 0.0
        self._prefix, self._draws = prefix, draws
        self._state = _State((), places, (), 0)
        self._taken: list[tuple[tuple[int, str], InfraredScan, _State]] = []
        self._told: dict[tuple[int, str, int], str] = {}
        self._burns: dict[str, Burn] = {}
        self._chain_of: dict[str, _Chain] = {}
        self._known: dict[bytes, Posterior | None] = {}
        self._numbers = 0
        self.refused: dict[str, int] = {}
        """Scans that were not taken, by why."""
        self.posteriors = 0
        """How many were computed."""

    def expect(self, raised: float) -> None:
        """The posture: launches are so many times as likely as stated, at most `MOST_RAISED` times.

        It acts on how soon a chain is confirmed, and on nothing else; false ones grow by no more than it.
        """
        self._raised = math.log(min(max(raised, 1.0), MOST_RAISED))

    def all(self) -> list[Burn]:
        """All burns ever confirmed that are still remembered, in order of their numbers."""
        return [self._burns[number] for number in sorted(self._burns)]

    def tentative(self) -> list[Burn]:
        """What may become a burn: chains of at least two plots."""
        chains = [c for c in self._state.chains if c.state == "tentative" and len(c.plots) > 1]
        return [self._told_of(c, "", False) for c in chains]

    def glances(self) -> Sequence[Glance]:
        """The looks of the last minutes, with all that shone."""
        return self._state.glances

    def take(self, scan: InfraredScan) -> list[Burn]:
        """Take in one scan; the burns it changed.  One that is no use is counted in `refused`."""
        why = why_refused(scan, self._satellites)
        key = (scan.header.measured_ns, scan.sensor)
        if not why and any(k == key for k, _, _ in self._taken):
            why = "repeated"
        if not why and self._taken and key[0] < self._taken[-1][0][0] - LATEST_NS:
            why = "too late"
        if why:
            self.refused[why] = self.refused.get(why, 0) + 1
            return []
        later = [(k, s) for k, s, _ in self._taken if k > key]
        if later:
            at = len(self._taken) - len(later)
            self._state = self._taken[at][2]
            del self._taken[at:]
        for k, s in [(key, scan), *later]:
            self._taken.append((k, s, self._state))
            self._state = self._after(self._state, s)
        newest = self._taken[-1][0][0]
        # one more than may be asked, so that what is repeated is known as such
        self._taken = [t for t in self._taken if t[0][0] >= newest - 2 * LATEST_NS]
        return self._tell(newest)

    # One scan

    def _after(self, state: _State, scan: InfraredScan) -> _State:
        """What there is after a scan that follows all taken so far."""
        satellite, now = self._satellites[scan.sensor], scan.header.measured_ns
        site, lines = np.array(scan.site_m), usable(scan)
        map_of = state.places[scan.sensor].copy()
        places = {**state.places, scan.sensor: map_of}
        total, background = map_of.densities(site, lines.along)
        log_false = np.log(total)
        plots = [
            Plot(now, scan.sensor, int(w), scan.site_m, tuple(a), math.log(g), f, b, d)
            for w, a, g, f, b, d in zip(
                lines.which, lines.along.tolist(), lines.intensity_w_sr.tolist(), log_false.tolist(),
                np.log(background).tolist(), _dark_s(scan, lines.along, state.glances), strict=True,
            )
        ]  # fmt: skip
        live = [c for c in state.chains if c.state != "over" or now - c.last_ns < AGAIN_NS]
        looked_at = self._looked_at(live, scan, now)
        free = np.ones(len(plots), np.bool_)
        firm = [live[i] for i in looked_at if live[i].state != "tentative"]
        loose = [live[i] for i in looked_at if live[i].state == "tentative"]
        seen = {c.identity for c in (*firm, *loose)}
        chains = [c for c in state.chains if c.identity not in seen and now - c.last_ns < KEPT_NS]
        gains, log_miss = self._gains(firm, satellite, site, now, lines.along, log_false, free)
        owner = _assigned(gains)
        free[list(owner.values())] = False
        for k, chain in enumerate(firm):
            if k in owner:
                chains.append(self._continued(chain, plots[owner[k]], satellite, site, chain.identity))
            elif chain.state != "over":
                chains.append(_missed(chain, scan, float(log_miss[k])))
            else:
                chains.append(chain)
        gains, log_miss = self._gains(loose, satellite, site, now, lines.along, log_false, free)
        chains += [_missed(chain, scan, float(log_miss[k])) for k, chain in enumerate(loose)]
        identity = state.next_identity
        for k, j in _branches(np.array([c.log_odds for c in loose]) + log_miss, gains):
            chains.append(self._continued(loose[k], plots[j], satellite, site, identity))
            identity += 1
        seeds = [plots[j] for j in np.flatnonzero(free).tolist()]
        chains += self._seeds(seeds, satellite, site, map_of, state.glances, identity)
        claimed_by_confirmed = set(owner.values())
        rest = [j for j in range(len(plots)) if j not in claimed_by_confirmed]
        map_of.learn(site, lines.along[rest], np.log(lines.intensity_w_sr[rest]))
        glance = Glance(now, scan.sensor, scan.site_m, lines.along)
        glances = (*(g for g in state.glances if now - g.time_ns < 300_000_000_000), glance)
        judged = self._judged(chains, now, places)
        return _State(self._kept(judged, now), places, glances, identity + len(seeds))

    def _looked_at(self, live: list[_Chain], scan: InfraredScan, now: int) -> list[int]:
        """Which chains a scan looked at: in its cone, and not behind the Earth."""
        if not live:
            return []
        at = np.array([_ahead(c, now) for c in live])
        site = np.array(scan.site_m)
        way = at - site
        inside = way @ np.array(scan.axis) >= math.cos(scan.half_angle_rad) * np.linalg.norm(way, axis=1)
        return np.flatnonzero(inside & ~hidden_by_earth(site, at)).tolist()

    def _gains(
        self,
        chains: list[_Chain],
        satellite: Satellite,
        site: Floats,
        now: int,
        along: Floats,
        log_false: Floats,
        free: NDArray[np.bool_],
    ) -> tuple[Floats, Floats]:
        """Log-likelihood ratios (n, m) of each chain's giving each plot, which else is false, against its not
        being seen; and the log-probabilities (n,) of that.  Of plots that are not free, and beyond the gate:
        NEVER."""
        out = np.full((len(chains), len(along)), NEVER)
        log_miss = np.zeros(len(chains))
        if not chains:
            return out, log_miss
        shining = satellite.detection * np.array([_burning(c, now) for c in chains])
        weights = np.array([c.log_weight for c in chains])
        log_miss = np.logaddexp.reduce(weights + np.log1p(-shining), axis=1)
        columns = np.flatnonzero(free)
        if not len(columns):
            return out, log_miss
        found = np.empty((len(chains), len(columns)))
        log_densities(
            np.array([c.means for c in chains]), np.array([c.covs for c in chains]),
            weights + np.log(shining), np.array([(now - c.last_ns) * 1e-9 for c in chains]), JERK, site,
            satellite.sigma_rad, np.ascontiguousarray(along[columns]), found,
        )  # fmt: skip
        out[:, columns] = np.maximum(found - log_false[columns] - log_miss[:, None], NEVER)
        return out, log_miss

    def _continued(
        self, chain: _Chain, plot: Plot, satellite: Satellite, site: Floats, identity: int
    ) -> _Chain:
        """A chain with one more plot, under an identity of its own where it branches."""
        means, covs = chain.means.copy(), chain.covs.copy()
        weight = chain.log_weight + np.log(satellite.detection * _burning(chain, plot.time_ns))
        dt = (plot.time_ns - chain.last_ns) * 1e-9
        gain = moved(means, covs, weight, dt, JERK, site, satellite.sigma_rad, np.array(plot.along))
        return replace(
            chain, identity=identity, plots=(*chain.plots, plot), means=means, covs=covs,
            log_weight=weight, misses=0,
            log_odds=chain.log_odds + gain - plot.log_false,
            state="tentative" if chain.state == "tentative" else "confirmed",
        )  # fmt: skip

    def _seeds(
        self,
        plots: list[Plot],
        satellite: Satellite,
        site: Floats,
        places: HotPlaces,
        glances: tuple[Glance, ...],
        identity: int,
    ) -> list[_Chain]:
        """Chains that plots begin."""
        if not plots:
            return []
        first = self._first[satellite.name]
        recent = tuple(g for g in glances if g.time_ns >= plots[0].time_ns - BEFORE_NS)
        along = np.array([p.along for p in plots])
        means, covs, weights = begun(first, site, along, satellite.sigma_rad)
        # so many begin to show between two looks, in the ground that a steradian covers
        gap_s = 1.0 / sum(1.0 / s.period_s for s in self._satellites.values())
        shows = self._log_rate + math.log(gap_s) + float(np.logaddexp.reduce(first.log_share))
        spread = np.log(places.ground_per_steradian(site, along))
        return [
            _Chain(
                identity=identity + k, plots=(p,), missed=_before(p, recent), means=means[k], covs=covs[k],
                log_weight=weights[k], first=first, log_odds=shows + float(spread[k]) - p.log_false,
            )
            for k, p in enumerate(plots)
        ]  # fmt: skip

    # What is confirmed, known, over

    def _judged(self, chains: list[_Chain], now: int, places: dict[str, HotPlaces]) -> list[_Chain]:
        """Chains after what is due: confirmation, a new posterior, the end."""
        due: list[tuple[int, float, int]] = []
        for k, chain in enumerate(chains):
            if chain.state == "over" or len(chain.plots) < 2:
                continue
            ended = chain.misses >= GONE_MISSES and now - chain.last_ns >= GONE_NS
            if chain.state == "confirmed" and (ended or now - chain.last_ns > SILENT_NS):
                chains[k] = self._finished(chain, places)
            elif chain.state == "confirmed" and _is_due(chain):
                due.append((1, -float(len(chain.plots) - chain.plots_known), k))
            elif chain.state == "tentative":
                log_odds = self._cheap_log_odds(chain, places)
                if log_odds >= self._threshold - PROMISING - self._raised:
                    due.append((0, -log_odds, k))
        # what is not known yet comes first, the most promising foremost: once it is confirmed, its plots'
        # other chains need not be asked
        owned: set[tuple[int, str, int]] = set()
        left = MOST_POSTERIORS
        for _, _, k in sorted(due):
            chain = chains[k]
            if left and not any(p.key in owned for p in chain.plots):
                left -= 1
                chains[k] = self._weighed(chain, places)
                if chains[k].state == "confirmed":
                    owned |= {p.key for p in chain.plots}
        return chains

    def _cheap_log_odds(self, chain: _Chain, places: dict[str, HotPlaces]) -> float:
        """Log odds without a posterior; NEVER where it is known already, or has too few plots for one."""
        n = len(chain.plots)
        if n == chain.plots_known or n < (LEAST_STEREO if len(chain.sensors) > 1 else LEAST_PLOTS):
            return NEVER
        log_odds = chain.log_odds + self._log_brighter(chain, places)
        bright = sum(p.log_glow for p in chain.plots) / n
        off = (bright - GLOWS[:, 0]) / GLOWS[:, 1]
        log_odds += float(np.logaddexp.reduce(chain.log_weight - 0.5 * off * off - np.log(GLOWS[:, 1])))
        if log_odds < self._threshold - PROMISING - self._raised:
            return log_odds
        # so far against single false plots: now against all that they may be
        return log_odds + sum(p.log_false for p in chain.plots) - self._log_otherwise(chain)

    def _log_brighter(self, chain: _Chain, places: dict[str, HotPlaces]) -> float:
        """What the intensities say for a burn besides how bright it is in all (which the posterior
        knows): that
        two satellites see it alike, against false plots that each sees its own."""
        total, alike = 0.0, []
        for sensor in chain.sensors:
            of = [p.log_glow for p in chain.plots if p.sensor == sensor]
            mean = sum(of) / len(of)
            total -= places[sensor].log_glow(mean)
            alike.append((mean, ALIKE**2 / len(of)))
        for (a, va), (b, vb) in pairwise(alike):
            total += -0.5 * (a - b) ** 2 / (va + vb) - 0.5 * math.log(va + vb)
        return total

    def _log_otherwise(self, chain: _Chain) -> float:
        """Log-density of a chain's plots if they are no burn."""
        total = 0.0
        for sensor in chain.sensors:
            of = [p for p in chain.plots if p.sensor == sensor]
            total += log_not_burning(
                np.array([(p.time_ns - of[0].time_ns) * 1e-9 for p in of]),
                np.array(of[0].site),
                np.array([p.along for p in of]),
                self._satellites[sensor].sigma_rad,
                np.array([p.log_false for p in of]),
                np.array([p.log_background for p in of]),
                of[0].dark_s,
            )
        return total

    def _weighed(self, chain: _Chain, places: dict[str, HotPlaces]) -> _Chain:
        """A chain with a new posterior, confirmed if that is good enough."""
        state = chain.state
        # few draws tell whether it is one, many what is known of its launch
        draws = min(JUDGING_DRAWS, self._draws) if state == "tentative" else self._draws
        found = self._posterior(chain, draws)
        log_odds = -math.inf
        if found is not None:
            log_odds = found.log_evidence + self._log_rate - self._log_otherwise(chain)
            log_odds += self._log_brighter(chain, places)
        if state == "tentative" and log_odds + self._raised >= self._threshold:
            state = "confirmed"
            found = self._posterior(chain, self._draws) or found
        return replace(
            chain, posterior=found or chain.posterior, posterior_log_odds=log_odds, state=state,
            plots_known=len(chain.plots),
        )  # fmt: skip

    def _finished(self, chain: _Chain, places: dict[str, HotPlaces]) -> _Chain:
        """A burn that is over, with a last posterior: the looks in vain tell when it ended."""
        return replace(self._weighed(chain, places), state="over")

    def _posterior(self, chain: _Chain, draws: int) -> Posterior | None:
        """The posterior of a chain's looks; the same looks, taken again after a late scan, cost nothing."""
        rows = self._rows(chain)
        key = rows.tobytes() + chain.plots[0].time_ns.to_bytes(8, "big", signed=True) + bytes([draws % 251])
        if key not in self._known:
            self.posteriors += 1
            if len(self._known) > 500:
                self._known = dict(list(self._known.items())[250:])
            self._known[key] = posterior(rows, chain.plots[0].time_ns, draws)
        return self._known[key]

    def _rows(self, chain: _Chain) -> Floats:
        """The (n, LOOK) looks at a chain in order of time, the later ones in vain only as far as they
        tell."""
        epoch = chain.plots[0].time_ns
        later = [m for m in chain.missed if m.time_ns > chain.last_ns][:MOST_LATER_MISSES]
        missed = [m for m in chain.missed if m.time_ns <= chain.last_ns] + later
        rows = []
        looks: list[Plot | Missed] = [*chain.plots, *missed]
        for look in sorted(looks, key=lambda p: (p.time_ns, p.sensor)):
            s = self._satellites[look.sensor]
            along = np.array(look.along) if isinstance(look, Plot) else None
            glow = math.exp(look.log_glow) if isinstance(look, Plot) else 0.0
            rows.append(
                look_row(
                    (look.time_ns - epoch) * 1e-9, np.array(look.site), along, s.sigma_rad, s.detection,
                    s.cloud_m, glow,
                )
            )  # fmt: skip
        return np.array(rows)

    def _kept(self, chains: list[_Chain], now: int) -> tuple[_Chain, ...]:
        """The chains without those that share plots with a confirmed one, came to nothing, or are too
        many."""
        owned = {p.key for c in chains if c.state != "tentative" for p in c.plots}
        firm: list[_Chain] = []
        seeds: list[_Chain] = []
        loose: list[_Chain] = []
        for c in chains:
            if c.state != "tentative":
                firm.append(c)
                continue
            gone = c.misses >= DROPPED_MISSES or now - c.last_ns > DROPPED_NS
            if not gone and not any(p.key in owned for p in c.plots):
                (loose if len(c.plots) > 1 else seeds).append(c)
        for some, most in (seeds, MOST_SEEDS), (loose, MOST_CHAINS):
            some.sort(key=lambda c: (-c.log_odds, c.identity))
            del some[most:]
        return tuple(sorted([*firm, *seeds, *loose], key=lambda c: c.identity))

    # What is told

    def _tell(self, now: int) -> list[Burn]:
        """The burns that changed, with the numbers that were told before."""
        changed, present = [], set()
        for chain in self._state.chains:
            if chain.state == "tentative":
                continue
            names = (self._told.get(p.key, "") for p in chain.plots)
            number = next((n for n in names if n and n not in present), "")
            if not number:
                self._numbers += 1
                number = f"{self._prefix}-B{self._numbers:04d}"
            present.add(number)
            for p in chain.plots:
                self._told[p.key] = number
            old = self._burns.get(number)
            same = old is not None and old.posterior is chain.posterior
            same &= old is not None and self._news(old) == (chain.state, len(chain.plots), chain.last_ns)
            # what has only been looked for in vain is no news, but a look more
            if not same or self._chain_of.get(number) is not chain:
                self._burns[number] = self._told_of(chain, number, not same)
                self._chain_of[number] = chain
            elif old is not None and old.changed:
                self._burns[number] = replace(old, changed=False)
            if not same:
                changed.append(self._burns[number])
        for number, burn in sorted(self._burns.items()):
            # a late scan may show that what was told was none
            if number not in present and burn.state == "confirmed":
                self._burns[number] = replace(burn, state="over", changed=True)
                changed.append(self._burns[number])
        self._burns = {n: b for n, b in self._burns.items() if now - b.last_ns < KEPT_NS}
        self._chain_of = {n: c for n, c in self._chain_of.items() if n in self._burns}
        if len(self._told) > 100_000:
            self._told = {k: n for k, n in self._told.items() if now - k[0] < KEPT_NS}
        return changed

    @staticmethod
    def _news(burn: Burn) -> tuple[State, int, int]:
        return burn.state, burn.plots, burn.last_ns

    def _told_of(self, chain: _Chain, number: str, changed: bool) -> Burn:
        known = chain.posterior_log_odds
        return Burn(
            number=number, state=chain.state, looks=self._rows(chain), epoch_ns=chain.plots[0].time_ns,
            posterior=chain.posterior, log_odds=known if math.isfinite(known) else chain.log_odds,
            sensors=chain.sensors, first_ns=chain.plots[0].time_ns, last_ns=chain.last_ns,
            plots=len(chain.plots), changed=changed,
        )  # fmt: skip


def _is_due(chain: _Chain) -> bool:
    """Whether a confirmed burn's posterior is worth its cost now."""
    n = len(chain.plots)
    return n > chain.plots_known and (n <= OFTEN or chain.plots_known < OFTEN or n >= 2 * chain.plots_known)


def _assigned(gains: Floats) -> dict[int, int]:
    """Which row takes which column (global nearest neighbour), where that gains anything."""
    if not (gains > 0.0).any():
        return {}
    from scipy.optimize import linear_sum_assignment  # SciPy takes a while to load

    rows, columns = linear_sum_assignment(np.maximum(gains, 0.0), maximize=True)
    return {r: c for r, c in zip(rows.tolist(), columns.tolist(), strict=True) if gains[r, c] > 0.0}


def _branches(log_odds: Floats, gains: Floats) -> list[tuple[int, int]]:
    """Which chains (n,) go on by which plots (m,): of each plot the best few."""
    found = []
    for j in np.flatnonzero((gains > 0.0).any(axis=0)).tolist():
        fits = np.flatnonzero(gains[:, j] > 0.0)
        order = np.argsort(-(log_odds[fits] + gains[fits, j]), kind="stable")
        found += [(int(k), j) for k in fits[order[:MOST_BRANCHES]]]
    return found


def _missed(chain: _Chain, scan: InfraredScan, log_miss: float) -> _Chain:
    """A chain that a look found nothing of.  Its classes' weights stay those of its last plot, for how long
    each burns is asked from there."""
    missed = (*chain.missed, Missed(scan.header.measured_ns, scan.sensor, scan.site_m))
    return replace(chain, missed=missed, misses=chain.misses + 1, log_odds=chain.log_odds + log_miss)


def _ahead(chain: _Chain, now: int) -> Floats:
    """Where the likeliest class of a chain is (3,)."""
    dt = (now - chain.last_ns) * 1e-9
    mean = chain.means[int(np.argmax(chain.log_weight))]
    return np.asarray(mean[:3] + dt * mean[3:6] + 0.5 * dt * dt * mean[6:])


def _burning(chain: _Chain, now: int) -> Floats:
    """Probability of each class (C,) to burn still, given that it did at the last plot."""
    table = chain.first.burning
    begin = (chain.last_ns - chain.plots[0].time_ns) * 1e-9 / AGE_STEP_S
    end = (now - chain.plots[0].time_ns) * 1e-9 / AGE_STEP_S
    return np.asarray(np.clip(_at(table, end) / _at(table, begin), 1e-3, 1.0 - 1e-6))


def _at(table: Floats, age: float) -> Floats:
    """A table's columns at an age in steps, between the two beside it."""
    age = min(max(age, 0.0), table.shape[1] - 1.001)
    i = int(age)
    return np.asarray(table[:, i] + (age - i) * (table[:, i + 1] - table[:, i]))


def _dark_s(scan: InfraredScan, along: Floats, glances: tuple[Glance, ...]) -> list[float]:
    """For each line of sight (m, 3) of a scan how long ago its satellite found nothing near, s."""
    last = next((g for g in reversed(glances) if g.sensor == scan.sensor), None)
    if last is None:
        return [math.inf] * len(along)
    passed_s = (scan.header.measured_ns - last.time_ns) * 1e-9
    dark = dark_before(along, np.array(scan.site_m), last.along, passed_s)
    out: list[float] = np.where(dark, passed_s, math.inf).tolist()
    return out


def _before(plot: Plot, glances: tuple[Glance, ...]) -> tuple[Missed, ...]:
    """Looks before a first plot that did not find it, where the Earth was not in the way."""
    at = np.array(plot.site) + np.array(plot.along) * (float(np.linalg.norm(plot.site)) - 6.0e6)
    found = []
    for g in glances:
        way = np.array(g.site)
        if g.time_ns < plot.time_ns and at @ way > ABOVE * math.sqrt((at @ at) * (way @ way)):
            found.append(Missed(g.time_ns, g.sensor, g.site))
    return tuple(found[-4:])
