"""What a node makes of infrared scans: burns followed, told of as launches, and handed over to radar tracks.

In: scans of its own satellites and of partners', and launches that were announced; out: launch reports,
notes, and groups (salvos, for people to read: no alarm hangs on them).  A burn has a number of its own
("AMBER-B0001") until a track rises from where it was: then the launch is the track's, and what the burn tells
of it is weighed in there (`launch.handover`).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import msgspec
import numpy as np

from jointwatch.earth.places import Territories
from jointwatch.launch.announced import burn_agrees
from jointwatch.launch.burn_report import burn_area, burn_estimate
from jointwatch.launch.burns import Burn, Burns
from jointwatch.launch.handover import Known, SeenBurn, known_by
from jointwatch.launch.origin import LEAST_SENSORS
from jointwatch.launch.profiles import ANY
from jointwatch.launch.salvo import Salvo, may_be_a_salvo, salvos
from jointwatch.launch.salvo_groups import groups_of_salvos, where
from jointwatch.node.config import NodeConfig
from jointwatch.node.scribe import Output, Scribe
from jointwatch.records import Impact, InfraredScan, LaunchReport

BETTER = 0.7
"""A launch is told of again where its area has shrunk to this part of what was told last."""
MOST_MISFIT = 2.0
"""Where plots are off all draws by more than this in the mean square, no class fits: of a missile less than
one burn in a hundred is, of a launch to orbit in its second stage most are."""
HANDED_MISFIT = 1.7
"""Nor is it handed over above this: of one motor one burn in a hundred fits no better; most that have plots
of a neighbour's do not (0.6 to 1.4 in nineteen of twenty)."""
NO_MOTOR = "what was seen is more probably no motor"
"""Why a launch is taken back: its plots are better told as a fire's, a glint's, or chance."""
BACK_LOG_ODDS = 2.0
"""It is taken back, and told again, only where the odds are so far on the other side: not to and fro."""
REMEMBERED_NS = 1_200_000_000_000
"""A burn is handed over to no track that is first seen so long after it."""
SALVOS_NS = 10_000_000_000
"""Salvos are counted no oftener than this."""
LEAST_LAUNCHES = 3
"""Fewer launches are told of one by one."""
ONE_SALVO_M, ONE_SALVO_NS = 150e3, 300_000_000_000
"""A salvo that rose so near to one that was told of so long ago at most is the same."""


class _ToldSalvo(msgspec.Struct, frozen=True):
    """What was told last of a salvo: where (ECEF) and when, between which numbers, and whether it is over."""

    centre: tuple[float, float, float]
    time_ns: int
    fewest: int
    most: int
    over: bool


class Burning:
    """The burns of one node, and what was told of them."""

    def __init__(self, config: NodeConfig, scribe: Scribe, territories: Territories) -> None:
        self._config, self._scribe, self._territories = config, scribe, territories
        self._own = {s.name for s in config.satellites}
        self._burns = Burns(
            (*config.satellites, *config.partner_satellites),
            config.burns_per_m2_s,
            config.false_burns_per_day,
            config.partner.upper(),
        )
        self._burns.expect(config.boost)
        self._told: dict[str, LaunchReport] = {}
        self._final: set[str] = set()
        self._odd: set[str] = set()
        self._doubted: set[str] = set()
        self._marked: dict[str, str] = {}
        self._known: dict[str, Known] = {}
        self._sensors: dict[str, frozenset[str]] = {}
        self._taken_over: dict[str, str] = {}
        self._salvos: list[_ToldSalvo] = []
        self._counted_ns = 0

    def take(self, scan: InfraredScan, now: int) -> list[Output]:
        """Follow burns through one scan; what there is to tell of them."""
        out: list[Output] = []
        for burn in self._burns.take(scan):
            out += self._consider(burn, now)
        self._forget()
        return out + self._count(now)

    def _forget(self) -> None:
        """What belongs to burns that are remembered no more goes with them: none comes back."""
        remembered = {burn.number for burn in self._burns.all()}
        for kept in (self._told, self._marked, self._known, self._sensors, self._taken_over):
            for number in kept.keys() - remembered:
                del kept[number]
        for noted in (self._final, self._odd, self._doubted):
            noted &= remembered

    def _count(self, now: int) -> list[Output]:
        """How many launches the salvos are, where that is news: worked out after all that warns."""
        self._salvos = [s for s in self._salvos if now - s.time_ns < ONE_SALVO_NS]
        glances = self._burns.glances()
        if now - self._counted_ns < SALVOS_NS or not glances:
            return []
        if all(s.over for s in self._salvos) and not may_be_a_salvo(glances[-1]):
            return []
        self._counted_ns = now
        burns = self._burns.all()
        satellites = {s.name: s for s in (*self._config.satellites, *self._config.partner_satellites)}
        by_number = {b.number: b for b in burns}
        found = [s for s in salvos(burns, glances, satellites) if s.most_probable() >= LEAST_LAUNCHES]
        news = [s for s in found if self._is_news(s, by_number, now)]
        return [*groups_of_salvos(news, by_number, lambda: self._scribe.header(now))]

    def _is_news(self, salvo: Salvo, burns: dict[str, Burn], now: int) -> bool:
        """Whether a salvo is new, is over now, or is another number than was told of it; then it is told."""
        centre, (fewest, most) = where(salvo, burns)[0], salvo.interval()
        near = [s for s in self._salvos if np.linalg.norm(np.array(s.centre) - centre) < ONE_SALVO_M]
        if near:
            last = near[0]
            same = last.fewest <= salvo.most_probable() <= last.most
            # of what is over the looks are forgotten little by little: that is no news
            if (last.over and salvo.over) or (same and last.over >= salvo.over):
                return False
            self._salvos.remove(last)
        x, y, z = centre.tolist()
        self._salvos.append(_ToldSalvo((x, y, z), now, fewest, most, salvo.over))
        return True

    def _consider(self, burn: Burn, now: int) -> list[Output]:
        number = burn.number
        if burn.posterior is None:
            return []
        if burn.log_odds == -math.inf:
            return self._doubt(burn, now)  # a late scan has shown that it was none
        if burn.posterior.misfit > MOST_MISFIT:
            # several motors taken for one (a salvo), or one that no class is like: what it did while a class
            # fitted says more of its launch than draws that fit nothing
            return self._unlike(burn, now)
        if burn.log_odds < 0.0:
            return self._doubt(burn, now)
        back = burn.log_odds >= BACK_LOG_ODDS and burn.posterior.misfit <= HANDED_MISFIT
        if self._is_taken_back(number) and not back:
            return []
        self._doubted.discard(number)
        new = number not in self._sensors
        if burn.posterior.misfit <= HANDED_MISFIT:
            self._known[number] = known_by(burn.posterior)
        else:
            self._known.pop(number, None)
        self._sensors[number] = frozenset(burn.sensors)
        for old in [n for n, k in self._known.items() if now - k.time_ns > REMEMBERED_NS]:
            del self._known[old]
        out: list[Output] = []
        if new:
            out.append(self._scribe.note(now, "burn_confirmed", number, ", ".join(burn.sensors)))
        out += self._announced(burn, now)
        if number in self._taken_over:
            return out
        report = self._report(burn, now)
        if report is not None:
            self._told[number] = report
            out += [report, self._scribe.note(now, "launch_reported", number)]
        return out

    def _is_taken_back(self, number: str) -> bool:
        """Whether what was told of a burn last was that it is none, or like no class."""
        last = self._told.get(number)
        return last is not None and (last.withdrawn != "" or number in self._odd)

    def _doubt(self, burn: Burn, now: int) -> list[Output]:
        """A burn whose plots are more probably no motor's: it warns of nothing and is handed over to no
        track, and what was told of its launch is taken back."""
        number, last = burn.number, self._told.get(burn.number)
        self._doubted.add(number)
        if number in self._taken_over:
            return []
        self._known.pop(number, None)
        may_come_back = burn.state != "over" and burn.log_odds >= -BACK_LOG_ODDS
        if last is None or last.withdrawn or may_come_back:
            return []
        report = self._retold(last, now, impact=None, withdrawn=NO_MOTOR)
        return [report, self._scribe.note(now, "launch_withdrawn", number, NO_MOTOR)]

    def _retold(self, last: LaunchReport, now: int, **changes: Any) -> LaunchReport:
        """A report that was told, with changes, told again."""
        header = self._scribe.header(now, handling="joint")
        report = msgspec.structs.replace(last, header=header, **changes)
        self._told[last.area.track] = report
        return report

    def _unlike(self, burn: Burn, now: int) -> list[Output]:
        """A burn that no class fits any more: said once, and what was told of class and fall is taken
        back."""
        assert burn.posterior is not None
        number, last = burn.number, self._told.get(burn.number)
        if number in self._odd:
            return []
        self._odd.add(number)
        out: list[Output] = [
            self._scribe.note(now, "burn_fits_no_class", number, _in_words(burn.posterior.misfit))
        ]
        if last is not None and not last.withdrawn and number not in self._taken_over:
            out.append(self._retold(last, now, object_class=ANY, classes={ANY: 1.0}, impact=None))
        return out

    def _announced(self, burn: Burn, now: int) -> list[Output]:
        """Whether it is a launch that was announced to this node itself."""
        assert burn.posterior is not None
        was, number = self._marked.get(burn.number, ""), burn.number
        found = next(
            (a.name for a in self._config.announced if burn_agrees(a, burn.posterior, taken=a.name == was)),
            "",
        )
        self._marked[number] = found
        if found and not was:
            return [self._scribe.note(now, "announced_launch", number, f"taken for {found}: no alarm")]
        if was and not found:
            return [self._scribe.note(now, "announcement_left", number, f"departs from {was}")]
        return []

    def _report(self, burn: Burn, now: int) -> LaunchReport | None:
        """What to tell of a burn: at first, where it is known much better, and once when it is over."""
        assert burn.posterior is not None
        number, last = burn.number, self._told.get(burn.number)
        final = burn.state == "over" and number not in self._final
        area = burn_area(
            number, burn.posterior, self._territories, burn.sensors, self._config.policy.state_origin_from
        )
        if area is None:
            return None
        if final:
            self._final.add(number)
        if last is not None and not self._is_taken_back(number) and not final:
            more = last.area.sensors < LEAST_SENSORS <= area.sensors
            left = last.area.announced != self._marked[number]
            if not (more or left or area.semi_major_m < BETTER * last.area.semi_major_m):
                return None
        self._odd.discard(number)
        if self._marked[number]:
            area = msgspec.structs.replace(area, announced=self._marked[number])
        estimate = burn_estimate(burn.posterior, area)
        return LaunchReport(
            header=self._scribe.header(now, handling="joint"),
            object_class=estimate.object_class,
            classes=estimate.classes,
            area=area,
            impact=estimate.impact,
        )

    def falls(self, now: int) -> dict[str, Impact]:
        """The expected impact of each burn that was told of, is one still, was not announced, and is no
        track's yet."""
        return {
            number: report.impact
            for number, report in self._told.items()
            if report.impact is not None
            and report.impact.time_ns > now
            and number not in self._taken_over
            and number not in self._doubted
            and not self._marked.get(number)
        }

    def is_own(self, report: LaunchReport) -> bool:
        """Whether own satellites stand behind a burn's report: what partners alone saw is theirs to tell."""
        return bool(self._sensors.get(report.area.track, frozenset()) & self._own)

    def open(self, track: str) -> dict[str, SeenBurn]:
        """Burns that a track may have risen from: its own if it has one, else those that no track has."""
        mine = [n for n, of in self._taken_over.items() if of == track]
        if mine:
            return {n: SeenBurn(self._known[n], self._sensors[n]) for n in mine[:1] if n in self._known}
        return {
            n: SeenBurn(known, self._sensors[n])
            for n, known in self._known.items()
            if n not in self._taken_over
        }

    def burns_of(self, numbers: Collection[str]) -> tuple[str, ...]:
        """Burns that became a track that goes by any of these numbers."""
        return tuple(burn for burn, track in self._taken_over.items() if track in numbers)

    def hand_over(self, number: str, track: str, now: int) -> list[Output]:
        """A burn's launch is a track's from now on."""
        if self._taken_over.get(number) == track:
            return []
        self._taken_over[number] = track
        return [self._scribe.note(now, "burn_became_track", number, track)]


def _in_words(misfit: float) -> str:
    return f"{misfit:.1f} sigma^2" if math.isfinite(misfit) else "no launch goes by its plots"
