"""One partner's node: a pure step over time.

In: sectors and infrared scans of its own sensors, what comes over the link, others' alerts, what people say,
how much of a sector it may work through, and what became of its alerts at those who hear them, each with the
time it was received.  Out: the node's outputs of that step, in order: launch reports, alerts, advisories,
groups, notes, and what leaves for partners, goes on to them or is kept from them.  Every input and output
goes into the journal.  The same inputs give the same outputs, at any speed: the node never reads a clock.

What it knows of objects, and what everybody does, is in its `node.pictures`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import msgspec

from jointwatch.earth.places import load_territories
from jointwatch.joint.gatekeeper import Admitted
from jointwatch.joint.joint_track import JointTrack
from jointwatch.joint.sharer import Context, Offered
from jointwatch.motion.phases import CRUISE
from jointwatch.node.burning import Burning
from jointwatch.node.config import NodeConfig
from jointwatch.node.decisions import Decisions
from jointwatch.node.exchange import Exchange
from jointwatch.node.health import Health
from jointwatch.node.journal import Direction, Journal
from jointwatch.node.load import in_words, limit_of
from jointwatch.node.others import Others
from jointwatch.node.own_names import own_impacts, own_launches, own_names
from jointwatch.node.partners import Partners
from jointwatch.node.people import People, Said
from jointwatch.node.pictures import Pictures
from jointwatch.node.scribe import Output, Scribe
from jointwatch.records import (
    GIVEN_UP,
    Advisory,
    Alert,
    AnnouncedReport,
    CertificateChecked,
    Delivered,
    Header,
    HealthReport,
    Impact,
    ImpactReport,
    InfraredScan,
    LaunchReport,
    LoadLimit,
    Message,
    PlotReport,
    Received,
    ReceivedCap,
    Sector,
    Sent,
    TimePassed,
    TrackEnded,
    TrackletReport,
    TrackReport,
    encode,
)
from jointwatch.sensing.infrared import usable, why_refused
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.telling import Step
from jointwatch.tracking.tracker import SHED, Tracker
from jointwatch.warning.advisories import Advisories
from jointwatch.warning.behind import Threat
from jointwatch.warning.release import Draft
from jointwatch.warning.standing import Standing, epoch_of

Input = (
    Sector
    | InfraredScan
    | Received
    | ReceivedCap
    | LoadLimit
    | TimePassed
    | Delivered
    | CertificateChecked
    | Said
)
LATE_NS = 10_000_000_000
"""A partner's looks that are older when they come have the picture evaluated when it is due, not at once."""
OVERDUE = 2.0
"""Times as long as between two evaluations: nothing came for so long."""
IMPACTS_NS = 5_000_000_000
"""Partners are told this often where objects come down, unless rules keep that from them."""


class Node:
    """A running node; `step` takes one input and returns what it gave rise to."""

    def __init__(self, config: NodeConfig, journal: Journal, began_ns: int = 0, begun: bool = False) -> None:
        """A new node, which begins its journal at began_ns (ns UTC; 0: it does not say when), or (begun) one
        whose journal holds its configuration already, and nothing else yet."""
        self.config, self.journal = config, journal
        self.fell = False
        """Whether an input made a step raise: what it is now no journal yields."""
        if not begun:
            journal.append(began_ns, "config", msgspec.msgpack.encode(config))
            journal.end()
        epoch = epoch_of(journal.began_ns, journal.digest)
        self.tracker = Tracker(
            config.partner,
            (*config.sensors, *config.partner_sensors),
            capacity=config.capacity,
            rules=Rules(false_tracks_per_day=config.false_tracks_per_day),
            grounds=config.grounds,
        )
        self.tracker.take_boost(config.boost)
        self._own_sensors = {s.name for s in config.sensors}
        self.satellites = {s.name: s for s in (*config.satellites, *config.partner_satellites)}
        self._own_satellites = {s.name for s in config.satellites}
        self._own: set[str] = set()
        self._health = Health((*config.sensors, *config.satellites))
        self._moved = False
        self._evaluated_ns = self._impacts_ns = -(2**62)
        self._announced = not config.announced
        self._zones = {
            (z.partner, z.key): (math.radians(z.latitude_deg), math.radians(z.longitude_deg))
            for z in config.zones
        }
        territories = load_territories(config.territories, disputed=config.disputed)
        self._scribe = Scribe(config.partner, config.name, epoch)
        self._pictures = Pictures(config, self._scribe)
        self.best, self.joint = self._pictures.best, self._pictures.joint
        self._partners = Partners(self._scribe)
        self._burning = Burning(config, self._scribe, territories)
        self._decisions = Decisions(config, self._scribe, territories, self._burning)
        self._exchange = Exchange(config, self._scribe, territories)
        self.others = Others(config, self._scribe)
        self._people = People(config, self._scribe, self._decisions)

    def step(self, record: Input, received_ns: int) -> list[Output]:
        """Take one input received at received_ns; the outputs, in order.  Both are journalled.

        A step that raises is not in the journal, neither whole nor in part: the node that is made again from
        it never took that input, and does not fall over it at each start.  This one has taken half of it, and
        takes no other.
        """
        if self.fell:
            raise RuntimeError(f"{self.config.name} fell over an input: make it again from its journal")
        try:
            return self._step(record, received_ns)
        except BaseException:
            self.journal.drop()
            self.fell = True
            raise

    def _step(self, record: Input, received_ns: int) -> list[Output]:
        self._write(received_ns, "in", record)
        self._people.begin()
        out: list[Output] = []
        offered: list[Offered] = []
        if isinstance(record, Delivered | CertificateChecked):
            # nothing is decided by it, so nothing else happens in this step
            return self._ended(self._of_leaving(record, received_ns), received_ns)
        if isinstance(record, ReceivedCap):
            # nor by what others tell: it does not even hasten what would be decided next
            return self._ended(self.others.take(record, received_ns), received_ns)
        out += self._people.lapse(received_ns)
        if isinstance(record, Said):
            # what people say neither waits for what the node thinks nor changes when it thinks
            out += self._people.take(record, received_ns)
            offered += [o for o in out if isinstance(o, Alert)]
            return self._ended(out + (self._share(offered, received_ns) if offered else []), received_ns)
        if isinstance(record, Sector):
            self._health.looked(record.sensor, record.header.measured_ns)
            out += self._sector(record, received_ns, offered)
        elif isinstance(record, InfraredScan):
            self._health.looked(record.sensor, record.header.measured_ns)
            out += self._scan(record, received_ns, offered)
            if record.sensor in self._own_satellites and not why_refused(record, self.satellites):
                offered.append(record)
        elif isinstance(record, Received):
            out += self._received(record, received_ns, offered)
        elif isinstance(record, LoadLimit):
            self.tracker.take_limit(limit_of(record))
            out.append(self._scribe.note(received_ns, "load_limit", self.config.name, in_words(record)))
        # a clock that was set back says nothing of when that was
        if self._moved or not 0 <= received_ns - self._evaluated_ns < self.config.evaluate_s * 1e9:
            self._evaluated_ns, self._moved = received_ns, False
            decided = self._evaluate(received_ns)
            out += decided
            launches = [o for o in decided if isinstance(o, LaunchReport)]
            if launches:
                offered += own_launches(launches, self._own_names())
            offered += [o for o in decided if isinstance(o, Alert)]
        out += self._share(offered, received_ns)
        return self._ended(out, received_ns)

    def time_passed(self, now: int) -> TimePassed | None:
        """The input with which to have the picture evaluated though nothing came, since time alone may change
        what is told: something is in the picture or stands told, or nobody released a draft in time.

        None where not, and until the next input is overdue: where inputs come, they bring the time.
        """
        if 0 <= now - self._evaluated_ns < OVERDUE * self.config.evaluate_s * 1e9:
            return None
        lapsed = any(draft.lapses_ns <= now for draft in self.drafts())
        if not (self.picture or lapsed or any(told.zones for told in self.standing())):
            return None
        header = Header(
            originator=self.config.partner, source="clock", sequence=self.journal.count, measured_ns=now
        )
        return TimePassed(header=header)

    def _ended(self, out: list[Output], now: int) -> list[Output]:
        """A step's outputs, journalled."""
        for output in out:
            self._write(now, "out", output)
        self.journal.end()
        return out

    def _of_leaving(self, record: Delivered | CertificateChecked, now: int) -> list[Output]:
        """A message that is given up at a sink is noted, and how it stands with the key's certificate."""
        if isinstance(record, CertificateChecked):
            return [self._scribe.note(now, f"certificate_{record.state}", record.sender, record.detail)]
        if record.outcome not in GIVEN_UP:
            return []
        said = f"{record.sink}: {record.outcome}: {record.detail}"
        return [self._scribe.note(now, "undelivered", record.identifier, said)]

    def _write(self, time_ns: int, direction: Direction, record: Input | Output) -> None:
        self.journal.append(time_ns, direction, encode(record))

    # ------------------------------------------------------------------ sectors

    def _sector(self, sector: Sector, now: int, offered: list[Offered]) -> list[Output]:
        before = dict(self.tracker.rejected)
        if self.tracker.limit.turn > 1:
            self.tracker.spare(self._threatening())
        step = self.tracker.process(sector)
        out: list[Output] = []
        for reason, count in self.tracker.rejected.items():
            if count > before.get(reason, 0):
                kind = "shed" if reason in SHED else "rejected"
                said = f"{reason}: {count - before.get(reason, 0)}"
                out.append(self._scribe.note(now, kind, sector.sensor, said))
        self._moved = self._moved or any(track.phases[CRUISE] < 0.5 for track in step.updated)
        if step.look is not None:
            self._pictures.looked(step.look, self._decisions.watches)
            self._pictures.broke(step.broken)
        out += [self._scribe.note(now, "track_confirmed", number) for number in step.born]
        out += [self._scribe.note(now, "track_ended", number, reason) for number, reason in step.ended]
        self._own = (self._own | set(step.born)) - {number for number, _ in step.ended}
        told = self._told_by(step, now)
        self.best.take(told)
        if sector.sensor in self._own_sensors:
            offered.append(sector)
        # what partners' plots tell of our tracks they know themselves
        own = tuple(t for t in told.tracklets if t.source in self._own_sensors)
        offered += [msgspec.structs.replace(told, tracklets=own), *step.updated]
        return out

    # ------------------------------------------------------------------ infrared

    def _scan(self, scan: InfraredScan, now: int, offered: list[Offered]) -> list[Output]:
        """Take a scan, own or a partner's: what of it cannot be used is noted."""
        why = why_refused(scan, self.satellites)
        if why:
            return [self._scribe.note(now, "rejected", scan.sensor, f"{why}: 1")]
        lines = usable(scan)
        wrong = {**lines.unusable, "too many plots": lines.beyond, "repeated": lines.repeated}
        said = [f"{reason}: {count}" for reason, count in wrong.items() if count]
        notes = [self._scribe.note(now, "rejected", scan.sensor, text) for text in said]
        made = self._burning.take(scan, now)
        # of a burn that partners' satellites alone saw they tell whom they like
        offered += [o for o in made if isinstance(o, LaunchReport) and self._burning.is_own(o)]
        return [*notes, *made]

    def _told_by(self, step: Step, now: int) -> TrackletReport:
        """What a sector told of tracks, unreleased."""
        ended = tuple(TrackEnded(number=n, time_ns=now, reason=reason) for n, reason in step.ended)
        return TrackletReport(
            header=self._scribe.header(now), rule="", begun=step.begun, tracklets=step.told, ended=ended
        )

    def _threatening(self) -> list[str]:
        """Own tracks that threaten a zone, or of which it is not known yet that they threaten none."""
        harmless = {
            number
            for track in self.picture
            if self._decisions.harmless(track)
            for number in (track.number, *track.aliases)
        }
        return [number for number in self._own if number not in harmless]

    # ------------------------------------------------------------------ the link

    def _share(self, offered: list[Offered], now: int) -> list[Output]:
        """Put what a step gave rise to, and what is due now and then, to the sharing rules."""
        if not self._exchange.others:
            return []
        news = self._health.news(now)
        if news:
            offered.append(HealthReport(header=self._scribe.header(now), rule="", sensors=news))
        if not self._announced:
            self._announced = True
            offered.append(
                AnnouncedReport(header=self._scribe.header(now), rule="", announced=self.config.announced)
            )
        if now - self._impacts_ns >= IMPACTS_NS:
            self._impacts_ns, impacts = now, own_impacts(self.impacts(), self._own_names())
            if impacts:
                offered.append(ImpactReport(header=self._scribe.header(now), rule="", impacts=impacts))
        if not offered:
            return self._exchange.due(now, self._take_released)
        context = Context(
            labels=self._decisions.labels(),
            zones=self._zones,
            known=self._partners.tracks(),
        )
        return self._exchange.offer(now, offered, context, self._take_released)

    def _own_names(self) -> dict[str, str]:
        return own_names(self.picture, self._own)

    def _take_released(self, record: Message, audience: tuple[str, ...]) -> None:
        """What leaves for all partners is part of the picture that all have."""
        if audience == self._exchange.others and isinstance(record, TrackletReport | TrackReport):
            self.joint.take(record)

    def _received(self, received: Received, now: int, offered: list[Offered]) -> list[Output]:
        """What came over the link: refused and noted, or used, and handed on to others of its audience."""
        admitted, out = self._exchange.open(received, now)
        if admitted is None:
            return out
        record, sender = admitted.record, admitted.envelope.issuer
        if isinstance(record, TrackletReport | TrackReport):
            out += self._reported(record, admitted, now)
        elif isinstance(record, Alert):
            out += self._partners.alerted(record, sender, now)
        elif isinstance(record, PlotReport):
            out += self._partner_plots(record, now, offered)
        elif isinstance(record, HealthReport):
            out += self._partners.health(record, sender, now)
        elif isinstance(record, AnnouncedReport):
            self._decisions.announce(record.announced)
            out += [
                self._scribe.note(now, "announcement_received", a.name, partner=sender)
                for a in record.announced
            ]
        elif isinstance(record, ImpactReport):
            self._partners.expect(record, sender)
        return out

    def _reported(self, report: TrackletReport | TrackReport, admitted: Admitted, now: int) -> list[Output]:
        sender = admitted.envelope.issuer
        if isinstance(report, TrackReport):
            self._moved = self._moved or any(track.phases[CRUISE] < 0.5 for track in report.tracks)
        else:
            # what was looked at long ago, as after a cut, can wait for the next look: it comes by the hundred
            newest_ns = max((t.time_ns for t in report.tracklets), default=now)
            self._moved = self._moved or now - newest_ns < LATE_NS
        self._pictures.take(report, now)
        if {*admitted.envelope.audience, sender} == {*self._exchange.others, self.config.partner}:
            self.joint.take(report)
        return self._partners.told_of(report, sender, now)

    def _partner_plots(self, report: PlotReport, now: int, offered: list[Offered]) -> list[Output]:
        """A partner's plots, as another sensor's; some of a sector's prove nothing of where it looked."""
        look = report.sector
        part = "sector" if isinstance(look, Sector) else "scan"
        if not report.whole:
            return [self._scribe.note(now, "rejected", look.sensor, f"plots of part of a {part}")]
        if isinstance(look, Sector):
            return self._sector(look, now, offered)
        return self._scan(look, now, offered)

    # ------------------------------------------------------------------ decisions

    def _evaluate(self, now: int) -> list[Output]:
        pictures = self._pictures
        decided = self._decisions.decide(
            pictures.evaluate(now),
            now,
            lambda track: pictures.sensors(track, now),
            lambda track: pictures.looks(track, now),
        )
        # what flies together and where partners differ is asked after all is decided, which reads none of it
        out = decided + pictures.groups(now)
        if self._exchange.others:
            others = partial(self._partners.impacts, now - 2 * IMPACTS_NS)
            out += pictures.disagreements(now, self.impacts, others)
        return out

    @property
    def picture(self) -> list[JointTrack]:
        """The node's best picture as of the last evaluation."""
        return self._pictures.present

    def standing(self) -> tuple[Standing, ...]:
        """What stands told to each partner's zones."""
        return self._decisions.standing()

    def threats(self) -> tuple[int, dict[str, list[Threat]]]:
        """When the picture was last evaluated (ns), and what was found to threaten each partner warned."""
        found = self._decisions.threats(self._evaluated_ns)
        return self._evaluated_ns, dict(zip(self._decisions.warned(), found, strict=True))

    def drafts(self) -> tuple[Draft, ...]:
        """What people drafted, or the node for them, and nobody has released yet, by name."""
        return self._people.drafts()

    def advisories(self) -> Advisories:
        """The latest advisory of each series."""
        return self._people.advisories

    def standing_advisories(self, now_ns: int) -> tuple[Advisory, ...]:
        """The advisories that are in force or yet to come at now_ns: those that are over are not told so."""
        return self._people.advisories.standing(now_ns)

    def said(self, outputs: Sequence[Output], stood: Sequence[Standing], advisories: Advisories) -> None:
        """What the journal says that was said in the last step is taken so, also where it would not be said
        now: no number of it is given to anything else, and its alerts and advisories, after what stood before
        the step, are what has to be ended."""
        self._people.said(outputs, advisories)
        for output in outputs:
            self._scribe.said(output)
            if isinstance(output, Sent):
                self._exchange.sent(output)
        self._decisions.stands(stood, [o for o in outputs if isinstance(o, Alert)])

    def streams(self) -> tuple[tuple[str, tuple[str, ...], int], ...]:
        """How far the node has what each partner sent: issuer, audience, and sequence."""
        return self._exchange.gate.streams()

    def has(self, issuer: str, audience: tuple[str, ...], sequence: int) -> bool:
        """Whether a partner's message is in the journal."""
        return self._exchange.gate.has(issuer, audience, sequence)

    def gate_state(self) -> tuple[object, ...]:
        """All that the gate remembers, to compare."""
        return self._exchange.gate.state()

    def impacts(self) -> list[Impact]:
        """Present impact predictions of the node's own best picture, by track number."""
        return self._decisions.impacts()
