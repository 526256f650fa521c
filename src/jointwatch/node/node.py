"""One partner's node: a pure step over time.

In: sectors of its own sensors, reports released by partners, and how much of a sector it may work through,
each with the time it was received.  Out: the node's outputs of that step, in order: released tracks, launch
reports, alerts, groups, notes.  Every input and output goes into the journal.  The same inputs give the same
outputs, at any speed: the node never reads a clock.
"""

from __future__ import annotations

import msgspec

from jointwatch.joint.admission import why_refused
from jointwatch.joint.corroboration import Corroboration
from jointwatch.joint.groups import groups_of
from jointwatch.joint.picture import JointPicture, JointTrack
from jointwatch.joint.sharing import Released
from jointwatch.motion.phases import CRUISE
from jointwatch.node.config import NodeConfig
from jointwatch.node.decisions import Decisions
from jointwatch.node.journal import Direction, Journal
from jointwatch.node.load import in_words, limit_of
from jointwatch.node.scribe import Output, Scribe
from jointwatch.records import (
    Alert,
    Impact,
    LoadLimit,
    Sector,
    TrackEnded,
    TrackletReport,
    TrackReport,
    encode,
)
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.tracker import SHED, Step, Tracker

Input = Sector | TrackReport | TrackletReport | Alert | LoadLimit
GROUPS_NS = 5_000_000_000
"""What flies together is told at most this often."""


class Node:
    """A running node; `step` takes one input and returns what it gave rise to."""

    def __init__(self, config: NodeConfig, journal: Journal) -> None:
        self.config, self.journal = config, journal
        journal.append(0, "config", msgspec.msgpack.encode(config))
        self.tracker = Tracker(
            config.partner,
            config.sensors,
            capacity=config.capacity,
            rules=Rules(false_tracks_per_day=config.false_tracks_per_day),
            grounds=config.grounds,
        )
        self.tracker.take_boost(config.boost)
        self.best, self.joint = JointPicture(), JointPicture()
        self._own: set[str] = set()
        self._known: set[tuple[str, str]] = set()
        self._corroboration = Corroboration()
        self._moved = False
        self._scribe = Scribe(config.partner, config.name)
        self._decisions = Decisions(config, self._scribe)
        self._evaluated_ns = self._grouped_ns = -(2**62)
        self._released = Released(config.rule) if config.rule is not None else None
        self._seen_reports: dict[str, set[int]] = {}
        self._confirmed: set[str] = set()
        self.picture: list[JointTrack] = []

    def step(self, record: Input, received_ns: int) -> list[Output]:
        """Take one input received at received_ns; the outputs, in order.  Both are journalled."""
        self._write(received_ns, "in", record)
        out: list[Output] = []
        if isinstance(record, Sector):
            out += self._sector(record, received_ns)
        elif isinstance(record, Alert):
            out += self._partner_alert(record, received_ns)
        elif isinstance(record, LoadLimit):
            self.tracker.take_limit(limit_of(record))
            out.append(self._scribe.note(received_ns, "load_limit", self.config.name, in_words(record)))
        else:
            out += self._report(record, received_ns)
        if self._moved or received_ns - self._evaluated_ns >= self.config.evaluate_s * 1e9:
            self._evaluated_ns, self._moved = received_ns, False
            out += self._evaluate(received_ns)
        for output in out:
            self._write(received_ns, "out", output)
        return out

    def _write(self, time_ns: int, direction: Direction, record: Input | Output) -> None:
        self.journal.append(time_ns, direction, encode(record))

    # ------------------------------------------------------------------ inputs

    def _sector(self, sector: Sector, now: int) -> list[Output]:
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
        self._corroborate(step)
        out += [self._scribe.note(now, "track_confirmed", number) for number in step.born]
        out += [self._scribe.note(now, "track_ended", number, reason) for number, reason in step.ended]
        self._own = (self._own | set(step.born)) - {number for number, _ in step.ended}
        told = TrackletReport(
            header=self._scribe.header(now),
            rule="",
            begun=step.begun,
            tracklets=step.told,
            ended=tuple(
                TrackEnded(number=number, time_ns=now, reason=reason) for number, reason in step.ended
            ),
        )
        self.best.take(told)
        out += self._share(step, told, now)
        return out

    def _threatening(self) -> list[str]:
        """Own tracks that threaten a zone, or of which it is not known yet that they threaten none."""
        harmless = {
            number
            for track in self.picture
            if self._decisions.harmless(track)
            for number in (track.number, *track.aliases)
        }
        return [number for number in self._own if number not in harmless]

    def _corroborate(self, step: Step) -> None:
        """Hold a sector against the objects that threaten somebody and that only partners track."""
        if step.look is None:
            return
        for track in self.picture:
            if self.config.partner not in track.originators and self._decisions.watches(track.number):
                self._corroboration.looked(track, step.look)

    def _share(self, step: Step, told: TrackletReport, now: int) -> list[Output]:
        if self.config.rule is None or self._released is None:
            return []
        report, withheld = self._released.release(step, told, self._scribe.header(now, handling="joint"))
        out: list[Output] = []
        if withheld:
            out.append(self._scribe.note(now, "withheld", self.config.rule.name, " ".join(withheld)))
        if report is not None:
            self.joint.take(report)
            out.append(report)
        return out

    def _report(self, report: TrackReport | TrackletReport, now: int) -> list[Output]:
        """A partner's report; one that is our own, seen before, or malformed is refused and noted."""
        sender = report.header.originator
        refused = ""
        if sender == self.config.partner:
            refused = "our own report came back"
        elif report.header.sequence in self._seen_reports.setdefault(sender, set()):
            refused = f"sequence {report.header.sequence} was seen before"
        if refused:
            return [self._scribe.note(now, "rejected", sender, refused)]
        self._seen_reports[sender].add(report.header.sequence)
        out: list[Output] = []
        numbers: list[str] = []
        if isinstance(report, TrackReport):
            good = []
            for track in report.tracks:
                refused = why_refused(track, self.config.partner, now)
                if refused:
                    out.append(self._scribe.note(now, "rejected", track.number, refused))
                else:
                    good.append(track)
            report = msgspec.structs.replace(report, tracks=tuple(good))
            numbers = [track.number for track in good if not track.ended]
            self._moved = self._moved or any(track.phases[CRUISE] < 0.5 for track in good)
        else:
            numbers = [begun.number for begun in report.begun]
            self._moved = True
        for number in numbers:
            if (sender, number) not in self._known:
                self._known.add((sender, number))
                out.append(self._scribe.note(now, "track_received", number, partner=sender))
        self.best.take(report)
        self.joint.take(report)
        return out

    def _partner_alert(self, alert: Alert, now: int) -> list[Output]:
        """A partner's alert to its own people: its receipt is confirmed, once; nothing is decided by it."""
        sender = alert.header.originator
        if sender == self.config.partner or alert.identifier in self._confirmed:
            refused = (
                "our own alert came back" if sender == self.config.partner else "the alert was seen before"
            )
            return [self._scribe.note(now, "rejected", alert.identifier, refused)]
        self._confirmed.add(alert.identifier)
        return [self._scribe.note(now, "alert_confirmed", alert.identifier, f"received from {sender}")]

    # ------------------------------------------------------------------ decisions

    def _evaluate(self, now: int) -> list[Output]:
        self.picture = self.best.at(now)
        self._corroboration.forget({track.number for track in self.picture})
        for n, track in enumerate(self.picture):
            if self.config.partner not in track.originators:
                self._corroboration.told(track)
                existence = self._corroboration.existence(track)
                self.picture[n] = msgspec.structs.replace(track, existence=existence)
        return self._decisions.decide(self.picture, now) + self._groups(now)

    def _groups(self, now: int) -> list[Output]:
        """What flies together, where it is time to tell it; after all that is decided, which reads none."""
        if now - self._grouped_ns < GROUPS_NS:
            return []
        self._grouped_ns = now
        return [*groups_of(self.picture, lambda: self._scribe.header(now))]

    def impacts(self) -> list[Impact]:
        """Present impact predictions of the node's own best picture, by track number."""
        return self._decisions.impacts()
