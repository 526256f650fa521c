"""Burns: what burns and climbs, put together from the plots of infrared satellites.

In: scans of any of the satellites, own and partners', in any order within some seconds; out: the burns that
a scan changed, each with its looks (plots, and looks that found nothing) and what is known of its launch.
A chain of plots (`launch.chains`) branches: it goes on by every plot that fits it better than false ones do
(`launch.hot_places`, `launch.wandering`), for in a tight salvo the best plot is often another's.
The best chain is a burn once the odds of its `Posterior` are so high that no more false ones a day are to be
expected than was stated (`tracking.confirmation`); then it takes its plots by global nearest neighbour, and
chains that live off them go.  Scans are taken in the order they were measured: one that comes late is put in
its place and those after it are taken again, so the result does not hang on the order they came in.  No clock
and no chance: the same scans give the same burns.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.launch.chains import (
    Chain,
    Eyes,
    Glance,
    Key,
    Look,
    Missed,
    Plot,
    State,
    assigned,
    branches,
    kept,
    look_before,
    plots_of,
)
from jointwatch.launch.hot_places import HotPlaces
from jointwatch.launch.looks import LOOK, look_row
from jointwatch.launch.odds import cheap_log_odds, is_new, log_brighter, log_otherwise
from jointwatch.launch.posterior import DRAWS, Posterior, posterior
from jointwatch.records import InfraredScan, Satellite
from jointwatch.sensing.infrared import usable, why_refused
from jointwatch.tracking.confirmation import confirm_log_odds

__all__ = ["Burn", "Burns", "Glance"]  # a glance is what `Burns.glances` hands out

Floats = NDArray[np.float64]
LATEST_NS = 15_000_000_000
"""A scan measured so long before the newest is too late to be put in its place."""
GLANCES_NS = 300_000_000_000
"""How long looks are remembered."""
GONE_MISSES, GONE_NS, SILENT_NS = 4, 9_000_000_000, 35_000_000_000
"""A burn is over after so many looks in vain in so long a time, or after so long without a plot."""
AGAIN_NS = 60_000_000_000
"""What seemed over and is seen again so soon after its last plot goes on under its number."""
MOST_LATER_MISSES = 4
"""Looks in vain after the last plot that a posterior is told."""
OVERSHOOT = 1.8
"""By how much log odds may stay below the threshold, a bound that is not tight: a plot lifts them over
it by a step, and what is confirmed at odds A is false in 1 / A of the cases.  With a threshold T that is 2
lower, burns are confirmed at log odds L with a mean of exp(T - L) of exp(-2.1), 1.9 to 2.4 in 90 % (Siegmund
1985, "Sequential analysis", ch. 8; `overshoot` of `benchmarks/false_launches.py`, three days, 96 burns)."""
NO_CLIMB = 3.0
"""A chain is no burn whose plots are off the best launches by more than so many variances, however unlike a
false one it is: a glint that is followed by another's plots fits neither."""
PROMISING = 4.0
"""A chain is worth a posterior where its cheap log odds come so near to the threshold."""
OFTEN = 6
"""Up to so many plots each new one gives a new posterior; then each half as many more do."""
JUDGING_DRAWS, UNSURE = 120, 2.0
"""Draws by which a chain is told that may be one, and how far off its log odds these are: so near to the
threshold more are asked."""
MOST_POSTERIORS = 12
"""In one scan; what is left waits for the next."""
MOST_KNOWN = 300
"""Posteriors that are remembered: some twenty megabytes."""
MOST_RAISED = 8.0
"""The posture raises the expected launches by no more than this (as in `tracking`)."""
KEPT_NS = 3_600_000_000_000
"""How long a burn that is over is remembered."""


class Burn(Struct, frozen=True):
    """One burn as known after a scan.

    number: its name, "" while tentative.  looks (n, LOOK): rows of `launch.looks`, in order of time, seconds
    counted from epoch_ns.  log_odds: that it is a burn against what its plots are otherwise; -inf
    where a late scan has shown that it was none.  sensors: that
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


class _State(Struct, frozen=True):
    """All that scans change, before one of them."""

    chains: tuple[Chain, ...]
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
        self._eyes = Eyes(list(satellites))
        self._satellites = self._eyes.satellites
        places = {name: HotPlaces(s) for name, s in sorted(self._satellites.items())}
        self._log_rate = math.log(rate_per_m2_s)
        seen_m2 = max((p.area_m2 for p in places.values()), default=1.0)
        births = rate_per_m2_s * 86400.0 * seen_m2
        self.threshold = confirm_log_odds(births, false_per_day) - OVERSHOOT
        """Log odds that a chain is confirmed at where no posture raises them."""
        self._raised = 0.0
        self._prefix, self._draws = prefix, draws
        self._state = _State((), places, (), 0)
        self._taken: list[tuple[tuple[int, str], InfraredScan, _State]] = []
        self._told: dict[Key, str] = {}
        self._burns: dict[str, Burn] = {}
        self._chain_of: dict[str, Chain] = {}
        self._numbers = 0
        self.refused: dict[str, int] = {}
        """Scans that were not taken, by why."""

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
        now, site, lines = scan.header.measured_ns, np.array(scan.site_m), usable(scan)
        map_of = state.places[scan.sensor].copy()
        places = {**state.places, scan.sensor: map_of}
        expected = map_of.expected(site, lines.along)
        log_false, log_glow = np.log(expected.density), np.log(lines.intensity_w_sr)
        off_rad, passed_s = look_before(scan, lines.along, state.glances)
        plots = plots_of(
            scan, lines.which, lines.along, log_glow, log_false, np.log(expected.background), off_rad,
            passed_s, map_of.looks,
        )  # fmt: skip
        live = [c for c in state.chains if c.state != "over" or now - c.last_ns < AGAIN_NS]
        look = Look(self._eyes, scan, lines.along, log_false, live)
        seen = {c.identity for c in look.chains}
        chains = [c for c in state.chains if c.identity not in seen and now - c.last_ns < KEPT_NS]
        firm = [k for k, c in enumerate(look.chains) if c.state != "tentative"]
        loose = [k for k, c in enumerate(look.chains) if c.state == "tentative"]
        free = np.ones(len(plots), np.bool_)
        owner = {firm[k]: j for k, j in assigned(look.gains(firm, free)).items()}
        free[list(owner.values())] = False
        chains += look.continued(list(owner.items()), plots, [look.chains[k].identity for k in owner])
        for k in firm:
            if k not in owner:
                chains.append(look.chains[k] if look.chains[k].state == "over" else look.in_vain(k))
        chains += [look.in_vain(k) for k in loose if not look.comes_to_nothing(k)]
        identity = state.next_identity
        if loose:
            log_odds = np.array([look.chains[k].log_odds for k in loose]) + look.log_miss[loose]
            pairs = [(loose[k], j) for k, j in branches(log_odds, look.gains(loose, free))]
            chains += look.continued(pairs, plots, list(range(identity, identity + len(pairs))))
            identity += len(pairs)
        begin = np.flatnonzero(free)
        seeds = look.seeds(
            [plots[j] for j in begin.tolist()], lines.along[begin], self._log_rate, expected.spread[begin],
            state.glances, identity,
        )  # fmt: skip
        chains += seeds
        map_of.learn(expected.some(begin), log_glow[begin], off_rad[begin], passed_s)
        glance = Glance(now, scan.sensor, scan.site_m, lines.along)
        glances = (*(g for g in state.glances if now - g.time_ns < GLANCES_NS), glance)
        judged = self._judged(chains, now, places)
        return _State(kept(judged, now), places, glances, identity + len(seeds))

    # What is confirmed, known, over

    def _judged(self, chains: list[Chain], now: int, places: Mapping[str, HotPlaces]) -> list[Chain]:
        """Chains after what is due: confirmation, a new posterior, the end."""
        due: list[tuple[int, float, int]] = []
        new: list[int] = []
        for k, chain in enumerate(chains):
            if chain.state == "tentative" and is_new(chain):
                new.append(k)
            elif chain.state == "confirmed" and len(chain.plots) > 1:
                ended = chain.misses >= GONE_MISSES and now - chain.last_ns >= GONE_NS
                if ended or now - chain.last_ns > SILENT_NS:
                    chains[k] = self._finished(chain, places)
                elif _is_due(chain):
                    due.append((1, -float(len(chain.plots) - chain.plots_known), k))
        due += [(0, -log_odds, k) for k, log_odds in self._promising(chains, new, places)]
        # what is not known yet comes first, the most promising foremost: once it is confirmed, its plots'
        # other chains need not be asked
        owned: set[Key] = set()
        left = MOST_POSTERIORS
        for _, _, k in sorted(due):
            chain = chains[k]
            if left and owned.isdisjoint(chain.keys):
                left -= 1
                chains[k] = self._weighed(chain, places)
                if chains[k].state == "confirmed":
                    owned |= chain.keys
        return chains

    def _promising(
        self, chains: list[Chain], new: list[int], places: Mapping[str, HotPlaces]
    ) -> list[tuple[int, float]]:
        """Which chains are worth a posterior, of some, with their cheap log odds."""
        if not new:
            return []
        least = self.threshold - PROMISING - self._raised
        log_odds = cheap_log_odds([chains[k] for k in new], places)
        out = []
        for i in np.flatnonzero(log_odds >= least).tolist():
            chain = chains[new[i]]
            # so far against single false plots: now against all that they may be
            if math.isnan(chain.log_otherwise):
                chain = replace(chain, log_otherwise=log_otherwise(chain, self._satellites, places))
                chains[new[i]] = chain
            odds = float(log_odds[i]) + sum(p.log_false for p in chain.plots) - chain.log_otherwise
            if odds >= least:
                out.append((new[i], odds))
        return out

    def _weighed(self, chain: Chain, places: Mapping[str, HotPlaces]) -> Chain:
        """A chain with a new posterior, confirmed if that is good enough."""
        state = chain.state
        # few draws tell whether it is one, many what is known of its launch
        draws = min(JUDGING_DRAWS, self._draws) if state == "tentative" else self._draws
        found, log_odds = self._asked(chain, places, draws)
        if state == "tentative" and self._is_burn(found, log_odds + UNSURE):
            # what few draws say of the odds is a nat or more off: a chain asked at every plot would be
            # confirmed by the luckiest answer
            more, by_more = self._asked(chain, places, self._draws)
            found, log_odds = more or found, by_more
            if self._is_burn(more, by_more):
                state = "confirmed"
        if found is None and chain.posterior is not None and chain.state != "tentative":
            # what was known of a burn fits no more, and neither does anything else
            found, log_odds = replace(chain.posterior, misfit=math.inf), chain.posterior_log_odds
        return replace(
            chain, posterior=found, posterior_log_odds=log_odds, state=state, plots_known=len(chain.plots)
        )

    def _is_burn(self, found: Posterior | None, log_odds: float) -> bool:
        """Whether a posterior and its log odds are good enough."""
        fits = found is not None and found.misfit <= NO_CLIMB
        return fits and log_odds + self._raised >= self.threshold

    def _asked(
        self, chain: Chain, places: Mapping[str, HotPlaces], draws: int
    ) -> tuple[Posterior | None, float]:
        """The posterior of a chain by so many draws, and its log odds."""
        found = _posterior(self._rows(chain).tobytes(), chain.plots[0].time_ns, draws)
        if found is None:
            return None, -math.inf
        otherwise = log_otherwise(chain, self._satellites, places)
        log_odds = found.log_evidence + self._log_rate - otherwise
        return found, log_odds + log_brighter(chain, places)

    def _finished(self, chain: Chain, places: Mapping[str, HotPlaces]) -> Chain:
        """A burn that is over, with a last posterior: the looks in vain tell when it ended."""
        return replace(self._weighed(chain, places), state="over")

    def _rows(self, chain: Chain) -> Floats:
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
                self._burns[number] = replace(burn, state="over", changed=True, log_odds=-math.inf)
                changed.append(self._burns[number])
        self._burns = {n: b for n, b in self._burns.items() if now - b.last_ns < KEPT_NS}
        self._chain_of = {n: c for n, c in self._chain_of.items() if n in self._burns}
        if len(self._told) > 100_000:
            self._told = {k: n for k, n in self._told.items() if now - k[0] < KEPT_NS}
        return changed

    @staticmethod
    def _news(burn: Burn) -> tuple[State, int, int]:
        return burn.state, burn.plots, burn.last_ns

    def _told_of(self, chain: Chain, number: str, changed: bool) -> Burn:
        known = chain.posterior_log_odds
        return Burn(
            number=number, state=chain.state, looks=self._rows(chain), epoch_ns=chain.plots[0].time_ns,
            posterior=chain.posterior, log_odds=known if math.isfinite(known) else chain.log_odds,
            sensors=chain.sensors, first_ns=chain.plots[0].time_ns, last_ns=chain.last_ns,
            plots=len(chain.plots), changed=changed,
        )  # fmt: skip


@lru_cache(maxsize=MOST_KNOWN)
def _posterior(looks: bytes, epoch_ns: int, draws: int) -> Posterior | None:
    """The posterior of rows of looks.  It hangs on nothing else, so the same looks, taken again after a late
    scan or by another node of one process, cost nothing."""
    return posterior(np.frombuffer(looks).reshape(-1, LOOK).copy(), epoch_ns, draws)


def _is_due(chain: Chain) -> bool:
    """Whether a confirmed burn's posterior is worth its cost now."""
    n = len(chain.plots)
    return n > chain.plots_known and (
        n <= OFTEN or chain.plots_known < OFTEN or 2 * n >= 3 * chain.plots_known
    )
