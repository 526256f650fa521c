"""One partner's node: a pure step over time.

In: sectors of its own sensors, reports released by partners, and how much of a sector it may work through,
each with the time it was received.  Out: the node's outputs of that step, in order: released tracks, launch
reports, alerts, groups, notes.  Every input and output goes into the journal.  The same inputs give the same
outputs, at any speed: the node never reads a clock.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from jointwatch.joint.admission import why_refused
from jointwatch.joint.corroboration import Corroboration
from jointwatch.joint.groups import groups_of
from jointwatch.joint.picture import Entry, JointTrack, Matching, fold
from jointwatch.joint.track_release import Released, release
from jointwatch.motion.phases import CRUISE
from jointwatch.node.config import NodeConfig
from jointwatch.node.decisions import Decisions
from jointwatch.node.journal import Direction, Journal
from jointwatch.node.load import in_words, limit_of
from jointwatch.node.scribe import Output, Scribe
from jointwatch.records import Alert, Impact, LoadLimit, Sector, TrackReport, encode
from jointwatch.tracking.life import LOST, REASONS
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.tracker import SHED, Step, Tracker

Input = Sector | TrackReport | Alert | LoadLimit
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
        self.partners: dict[str, dict[str, Entry]] = {}
        self.own: dict[str, Entry] = {}
        self._matching = Matching()
        self._corroboration = Corroboration()
        self._moved = False
        self._scribe = Scribe(config.partner, config.name)
        self._decisions = Decisions(config, self._scribe)
        self._evaluated_ns = self._grouped_ns = -(2**62)
        self._released = Released(config.rule) if config.rule is not None else None
        self._seen_reports: dict[str, set[int]] = {}
        self._ended_ns: dict[tuple[str, str], int] = {}
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
        for track in step.updated:
            self.own[track.number] = entry = Entry(track)
            self._moved = self._moved or entry.phase != CRUISE
        self._corroborate(step)
        out += [self._scribe.note(now, "track_confirmed", number) for number in step.born]
        for number, reason in step.ended:
            self.own.pop(number, None)
            out.append(self._scribe.note(now, "track_ended", number, reason))
        out += self._share(step, now)
        return out

    def _threatening(self) -> list[str]:
        """Own tracks that threaten a zone, or of which it is not known yet that they threaten none."""
        harmless = {
            number
            for track in self.picture
            if self._decisions.harmless(track)
            for number in (track.number, *track.aliases)
        }
        return [number for number in self.own if number not in harmless]

    def _corroborate(self, step: Step) -> None:
        """Hold a sector, and the tracks that it ended, against partners' tracks that threaten somebody."""
        if not self.partners or step.look is None:
            return
        paired = {number for pair in self._matching.pairs for number in pair}
        for tracks in self.partners.values():
            for number, entry in tracks.items():
                if number not in paired and self._decisions.watches(number):
                    self._corroboration.looked(entry, step.look)
        for number, reason in step.ended:
            if reason == REASONS[LOST]:
                for pair in self._matching.pairs:
                    if number in pair:
                        self._corroboration.lost(pair[0] if pair[1] == number else pair[1])

    def _share(self, step: Step, now: int) -> list[Output]:
        if self.config.rule is None or self._released is None:
            return []
        due = self._released.due(step.updated, [number for number, _ in step.ended])
        if not due:
            return []
        report, withheld = release(self.config.rule, due, self._scribe.header(now, handling="joint"))
        out: list[Output] = []
        if withheld:
            out.append(self._scribe.note(now, "withheld", self.config.rule.name, " ".join(withheld)))
        if report is not None:
            out.append(report)
        return out

    def _report(self, report: TrackReport, now: int) -> list[Output]:
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
        known = self.partners.setdefault(sender, {})
        out: list[Output] = []
        for track in report.tracks:
            refused = why_refused(track, self.config.partner, now)
            if refused:
                out.append(self._scribe.note(now, "rejected", track.number, refused))
                continue
            old, measured_ns = known.get(track.number), track.header.measured_ns
            if measured_ns <= self._ended_ns.get((sender, track.number), -1) or (
                old is not None and measured_ns < old.track.header.measured_ns
            ):
                continue  # overtaken on the way by a newer word on it
            if track.ended:
                self._ended_ns[sender, track.number] = measured_ns
                known.pop(track.number, None)
            else:
                if old is None:
                    out.append(self._scribe.note(now, "track_received", track.number, partner=sender))
                known[track.number] = entry = Entry(track)
                self._moved = self._moved or entry.phase != CRUISE
            self._corroboration.reported(track)
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
        entries: dict[str, Iterable[Entry]] = {self.config.partner: self.own.values()}
        entries |= {name: tracks.values() for name, tracks in self.partners.items()}
        for tracks in self.partners.values():
            for entry in tracks.values():
                entry.existence = self._corroboration.existence(entry.track)
        self.picture = fold(entries, now, self._matching)
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
