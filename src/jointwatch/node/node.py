"""One partner's node: a pure step over time.

In: sectors of its own sensors and reports released by partners, each with the time it was received.  Out: the
node's outputs of that step, in order: released tracks, launch reports, alerts, notes.  Every input and output
goes into the journal.  The same inputs give the same outputs, at any speed: the node never reads a clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.earth.places import Territories, load_territories
from jointwatch.joint.admission import why_refused
from jointwatch.joint.corroboration import Corroboration
from jointwatch.joint.picture import Entry, JointTrack, Matching, fold
from jointwatch.joint.sharing import Released, SharingRule, release
from jointwatch.launch.announced import Announcement, agrees
from jointwatch.launch.classes import class_named, class_probabilities
from jointwatch.launch.estimate import estimate_launch
from jointwatch.motion.phases import CRUISE
from jointwatch.motion.propagate import perigee_m
from jointwatch.node.journal import Direction, Journal
from jointwatch.records import (
    Alert,
    Header,
    Impact,
    LaunchReport,
    Note,
    Sector,
    Sensor,
    Track,
    TrackReport,
    Zone,
    encode,
)
from jointwatch.tracking.life import LOST, REASONS
from jointwatch.tracking.tracker import Step, Tracker
from jointwatch.warning.impact import GroundFall, ground_fall, spread_points
from jointwatch.warning.lifecycle import Threat, Warner
from jointwatch.warning.policy import Policy
from jointwatch.warning.zones import ZoneIndex

Input = Sector | TrackReport | Alert
Output = TrackReport | LaunchReport | Alert | Note
ORBIT_M = 80e3
"""An object whose perigee is above this height has no impact point."""
DOUBT = 0.5
"""A track less likely than this to exist threatens nobody; between this and the policy's bound it begins no alert."""
LAUNCH_HITS = (5, 10, 20, 40)
"""A launch is reported, and reported again better, when a track has so many looks."""


class NodeConfig(Struct, frozen=True, kw_only=True):
    """What a node is: its sensors, the zones it warns, its rules.  Kept in its journal's first entry.

    rule: what it releases to partners, None for a shadow node that has no link.
    evaluate_s: longest time between two evaluations of the picture (it is evaluated whenever a track that is no
    aircraft moves); refresh_s: least time between two impact predictions of one track (a new threat, or one with
    less than a minute to go, is not held back).
    """

    partner: str
    name: str
    sensors: tuple[Sensor, ...]
    zones: tuple[Zone, ...]
    policy: Policy
    rule: SharingRule | None
    territories: dict[str, tuple[str, ...]]
    announced: tuple[Announcement, ...] = ()
    exercise: bool = True
    evaluate_s: float = 1.0
    refresh_s: float = 0.0


class Node:
    """A running node; `step` takes one input and returns what it gave rise to."""

    def __init__(self, config: NodeConfig, journal: Journal) -> None:
        self.config, self.journal = config, journal
        journal.append(0, "config", msgspec.msgpack.encode(config))
        self.tracker = Tracker(config.partner, config.sensors)
        self.partners: dict[str, dict[str, Entry]] = {}
        self.own: dict[str, Entry] = {}
        self._matching = Matching()
        self._corroboration = Corroboration()
        self._moved = False
        self._territories: Territories = load_territories(config.territories)
        self._warners: list[tuple[Warner, ZoneIndex]] = []
        for partner in sorted({z.partner for z in config.zones}):
            zones = [z for z in config.zones if z.partner == partner]
            name = config.name if partner == config.partner else f"{config.name}-{partner}"
            self._warners.append(
                (Warner(partner, name, zones, config.policy, config.exercise), ZoneIndex(zones))
            )
        self._evaluated_ns = -(2**62)
        self._sequence = 0
        self._released = Released(config.rule) if config.rule is not None else None
        self._seen_reports: dict[str, set[int]] = {}
        self._ended_ns: dict[tuple[str, str], int] = {}
        self._confirmed: set[str] = set()
        self._falls: dict[str, _Fall] = {}
        self._launched: dict[str, int] = {}
        self._marked: dict[str, str] = {}
        self.picture: list[JointTrack] = []

    def step(self, record: Input, received_ns: int) -> list[Output]:
        """Take one input received at received_ns; the outputs, in order.  Both are journalled."""
        self._write(received_ns, "in", record)
        out: list[Output] = []
        if isinstance(record, Sector):
            out += self._sector(record, received_ns)
        elif isinstance(record, Alert):
            out += self._partner_alert(record, received_ns)
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

    def _header(self, time_ns: int, handling: str = "own") -> Header:
        self._sequence += 1
        return Header(
            originator=self.config.partner,
            source=self.config.name,
            sequence=self._sequence,
            measured_ns=time_ns,
            handling=handling,
        )

    def _note(self, time_ns: int, kind: str, subject: str, detail: str = "", partner: str = "") -> Note:
        return Note(
            header=self._header(time_ns),
            kind=kind,
            subject=subject,
            partner=partner or self.config.partner,
            detail=detail,
        )

    # ------------------------------------------------------------------ inputs

    def _sector(self, sector: Sector, now: int) -> list[Output]:
        before = dict(self.tracker.rejected)
        step = self.tracker.process(sector)
        out: list[Output] = []
        for reason, count in self.tracker.rejected.items():
            if count > before.get(reason, 0):
                out.append(
                    self._note(now, "rejected", sector.sensor, f"{reason}: {count - before.get(reason, 0)}")
                )
        for track in step.updated:
            self.own[track.number] = entry = Entry(track)
            self._moved = self._moved or entry.phase != CRUISE
        self._corroborate(step)
        out += [self._note(now, "track_confirmed", number) for number in step.born]
        for number, reason in step.ended:
            self.own.pop(number, None)
            out.append(self._note(now, "track_ended", number, reason))
        out += self._share(step, now)
        return out

    def _corroborate(self, step: Step) -> None:
        """Hold a sector, and the tracks that it ended, against the partners' tracks that threaten somebody."""
        if not self.partners or step.look is None:
            return
        paired = {number for pair in self._matching.pairs for number in pair}
        for tracks in self.partners.values():
            for number, entry in tracks.items():
                if number not in paired and number in self._falls:
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
        report, withheld = release(self.config.rule, due, self._header(now, handling="joint"))
        out: list[Output] = []
        if withheld:
            out.append(self._note(now, "withheld", self.config.rule.name, " ".join(withheld)))
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
            return [self._note(now, "rejected", sender, refused)]
        self._seen_reports[sender].add(report.header.sequence)
        known = self.partners.setdefault(sender, {})
        out: list[Output] = []
        for track in report.tracks:
            refused = why_refused(track, self.config.partner, now)
            if refused:
                out.append(self._note(now, "rejected", track.number, refused))
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
                    out.append(self._note(now, "track_received", track.number, partner=sender))
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
            return [self._note(now, "rejected", alert.identifier, refused)]
        self._confirmed.add(alert.identifier)
        return [self._note(now, "alert_confirmed", alert.identifier, f"received from {sender}")]

    # ------------------------------------------------------------------ decisions

    def _evaluate(self, now: int) -> list[Output]:
        entries: dict[str, Iterable[Entry]] = {self.config.partner: self.own.values()}
        entries |= {name: tracks.values() for name, tracks in self.partners.items()}
        for tracks in self.partners.values():
            for entry in tracks.values():
                entry.existence = self._corroboration.existence(entry.track)
        self.picture = fold(entries, now, self._matching)
        out: list[Output] = []
        live = set()
        for track in self.picture:
            live.add(track.number)
            out += self._consider(track, now)
        for number in sorted(set(self._falls) - live):
            del self._falls[number]
        for w, (warner, _) in enumerate(self._warners):
            threats = [
                f.threats[w] for _, f in sorted(self._falls.items()) if f.threats and f.impact_ns > now
            ]
            for message in warner.evaluate(now, threats):
                out += self._alert_notes(message.alert, message.since_ns, now)
                out.append(message.alert)
        return out

    def _alert_notes(self, alert: Alert, since_ns: int, now: int) -> list[Output]:
        """The steps of a procedure that an alert is: when what it says came to hold, and that it was sent."""
        kinds = {
            "alert": ("danger_shown", "alert_issued"),
            "update": ("danger_shown", "alert_issued"),
            "cancel": ("danger_gone", "alert_cancelled"),
            "all_clear": ("", "all_clear"),
        }
        if alert.tier != "shelter":
            return []
        since, sent = kinds[alert.action]
        notes: list[Output] = []
        if since:
            notes.append(self._note(since_ns, since, alert.identifier, partner=alert.partner))
        notes.append(self._note(now, sent, alert.identifier, partner=alert.partner))
        return notes

    def _consider(self, track: JointTrack, now: int) -> list[Output]:
        """Bring one object's fall, danger and launch up to date where something moved."""
        policy = self.config.policy
        least = policy.least_hits_of_part if track.parent else policy.least_hits
        if track.phases[CRUISE] > 0.5 or track.existence < DOUBT or track.hits < least:
            self._falls.pop(track.number, None)
            return []
        old = self._falls.get(track.number)
        if old is not None:
            soon = old.impact_ns - now < 60_000_000_000
            if old.seen_ns == track.seen_ns or (
                not soon and now - old.computed_ns < self.config.refresh_s * 1e9 and not old.reach_only
            ):
                return []
        out = self._announced(track, now)
        orbit = perigee_m(track.state) > ORBIT_M
        fall = None if orbit or self._marked.get(track.number) else ground_fall(track.state, track.covariance)
        if fall is None:
            self._falls[track.number] = _Fall(track.seen_ns, now, 2**62, False, ())
            return out
        reach_only = track.phases[1] < 0.5
        sure = track.phases[1] >= policy.least_ballistic and track.existence >= policy.least_existence
        object_class, radius, report = self._launch(track, fall, now)
        out += report
        impact_ns = now + round(fall.time_s * 1e9)
        self._falls[track.number] = _Fall(
            track.seen_ns,
            now,
            impact_ns,
            reach_only,
            self._threats(track, object_class, radius, fall, impact_ns, reach_only, sure),
            fall,
            object_class,
        )
        return out

    def _announced(self, track: JointTrack, now: int) -> list[Output]:
        was = self._marked.get(track.number, "")
        found = next((a.name for a in self.config.announced if agrees(a, track.first_ns, track.state)), "")
        self._marked[track.number] = found
        if found and not was:
            return [self._note(now, "announced_launch", track.number, f"taken for {found}: no alarm")]
        if was and not found:
            return [self._note(now, "announcement_left", track.number, f"departs from {was}")]
        return []

    def _launch(self, track: JointTrack, fall: GroundFall, now: int) -> tuple[str, float, list[Output]]:
        """Most probable class, its danger radius (m), and a launch report when one is due."""
        old = self._falls.get(track.number)
        due = next((n for n in reversed(LAUNCH_HITS) if track.hits >= n), 0)
        known = old.object_class if old is not None else ""
        if due <= self._launched.get(track.number, 0) or track.phases[1] < self.config.policy.least_ballistic:
            if not known:
                known = _class_by_speed(track.state)
            return known, class_named(known).danger_m, []
        self._launched[track.number] = due
        estimate = estimate_launch(
            track.number,
            track.state,
            track.covariance,
            now,
            fall.latitude_rad,
            fall.longitude_rad,
            self._names_at,
        )
        if estimate is None:
            known = known or _class_by_speed(track.state)
            return known, class_named(known).danger_m, []
        report = LaunchReport(
            header=self._header(now, handling="joint"),
            object_class=estimate.object_class,
            classes=estimate.classes,
            area=estimate.area,
            impact=_impact(track.number, estimate.object_class, fall, now),
        )
        return (
            estimate.object_class,
            class_named(estimate.object_class).danger_m,
            [report, self._note(now, "launch_reported", track.number)],
        )

    def _names_at(self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> list[str]:
        names = self._territories.names
        return [names[i] for i in self._territories.territory_at(longitude, latitude).tolist()]

    def _threats(
        self,
        track: JointTrack,
        object_class: str,
        radius: float,
        fall: GroundFall,
        impact_ns: int,
        reach_only: bool,
        sure: bool,
    ) -> tuple[Threat, ...]:
        major = math.sqrt(float(np.linalg.eigvalsh(fall.covariance_m2)[1]))
        longitude, latitude, weights = spread_points(
            fall.latitude_rad, fall.longitude_rad, fall.covariance_m2
        )
        out = []
        for _, index in self._warners:
            zones, probability = index.danger(longitude, latitude, weights, radius)
            out.append(
                Threat(
                    track.number,
                    object_class,
                    impact_ns,
                    fall.latitude_rad,
                    fall.longitude_rad,
                    major,
                    zones,
                    probability,
                    reach_only,
                    sure,
                    track.aliases,
                )
            )
        return tuple(out)

    def impacts(self) -> list[Impact]:
        """Present impact predictions of the node's own best picture, by track number."""
        return [
            _impact(number, f.object_class, f.fall, f.computed_ns, f.reach_only)
            for number, f in sorted(self._falls.items())
            if f.fall is not None
        ]


class _Fall(Struct, frozen=True):
    """A track's last impact prediction: from which look, when, and what it threatens (one a warner)."""

    seen_ns: int
    computed_ns: int
    impact_ns: int
    reach_only: bool
    threats: tuple[Threat, ...]
    fall: GroundFall | None = None
    object_class: str = ""


def _impact(number: str, object_class: str, fall: GroundFall, now: int, reach_only: bool = False) -> Impact:
    c = fall.covariance_m2
    return Impact(
        track=number,
        object_class=object_class,
        time_ns=now + round(fall.time_s * 1e9),
        time_sigma_s=fall.time_sigma_s,
        latitude_rad=fall.latitude_rad,
        longitude_rad=fall.longitude_rad,
        covariance_m2=(float(c[0, 0]), float(c[0, 1]), float(c[1, 1])),
        reach_only=reach_only,
    )


def _class_by_speed(state: NDArray[np.float64]) -> str:
    """A class before a launch estimate: from the range that the present energy would carry in vacuum."""
    speed2 = float(state[3:6] @ state[3:6])
    height = float(np.linalg.norm(state[:3])) - 6371000.0
    classes = class_probabilities(max((speed2 + 2.0 * 9.8 * max(height, 0.0)) / 9.8, 1000.0), 0.4)
    return max(classes, key=lambda name: classes[name])
