"""What partners told a node, as far as it asks for that again: their tracks, alerts, sensors and impacts.

In: messages that were admitted, and who sent them; out: notes of what is new in them.  What belongs to tracks
that nobody told of for as long as pictures go back is forgotten.
"""

from __future__ import annotations

from jointwatch.joint.identity import HORIZON_NS
from jointwatch.joint.shared_alerts import KEPT_NS
from jointwatch.node.lately import Lately
from jointwatch.node.scribe import Output, Scribe
from jointwatch.records import Alert, HealthReport, ImpactReport, SensorHealth, TrackletReport, TrackReport

MOST_NOTED = 50
"""Tracks that are noted by number as received in one message."""


class Partners:
    """What is remembered of each partner."""

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe
        self._tracks: dict[str, Lately[str]] = {}
        self._alerts: Lately[tuple[str, str]] = Lately(KEPT_NS)
        self._health: dict[str, dict[str, SensorHealth]] = {}
        self._impacts: dict[str, ImpactReport] = {}

    def tracks(self) -> dict[str, frozenset[str]]:
        """The numbers of the tracks that each partner told of."""
        return {name: frozenset(numbers) for name, numbers in self._tracks.items()}

    def told_of(self, report: TrackletReport | TrackReport, sender: str, now: int) -> list[Output]:
        """A partner tells of tracks: those that are new are noted."""
        known = self._tracks.setdefault(sender, Lately(HORIZON_NS))
        known.forget(now)
        if isinstance(report, TrackReport):
            numbers = [track.number for track in report.tracks if not track.ended]
        else:
            numbers = [begun.number for begun in report.begun]
            for number in {tracklet.number: None for tracklet in report.tracklets}:
                if number in known:
                    known.meet(number, now)
        new = [number for number in dict.fromkeys(numbers) if number not in known]
        for number in numbers:
            known.meet(number, now)
        notes = [self._scribe.note(now, "track_received", n, partner=sender) for n in new[:MOST_NOTED]]
        if len(new) > MOST_NOTED:
            said = f"and {len(new) - MOST_NOTED} more"
            notes.append(self._scribe.note(now, "track_received", new[MOST_NOTED], said, sender))
        return [*notes]

    def alerted(self, alert: Alert, sender: str, now: int) -> list[Output]:
        """A partner's alert to its own people: its receipt is confirmed, once; nothing is decided by it."""
        self._alerts.forget(now)
        if (sender, alert.identifier) in self._alerts:
            return [self._scribe.note(now, "rejected", alert.identifier, "the alert was seen before")]
        self._alerts.meet((sender, alert.identifier), now)
        return [self._scribe.note(now, "alert_confirmed", alert.identifier, f"received from {sender}")]

    def health(self, report: HealthReport, sender: str, now: int) -> list[Output]:
        """How a partner's sensors do: a change is noted."""
        known = self._health.setdefault(sender, {})
        out: list[Output] = []
        for health in report.sensors:
            last = known.get(health.source)
            if last is None or last.last_look_ns <= health.last_look_ns:
                known[health.source] = health
                if (last.state if last is not None else "working") != health.state:
                    said = f"{health.state}: {health.detail}" if health.detail else health.state
                    out.append(self._scribe.note(now, "sensor_health", health.source, said, sender))
        return out

    def expect(self, report: ImpactReport, sender: str) -> None:
        """Where a partner has objects come down; one that was overtaken on its way changes nothing."""
        last = self._impacts.get(sender)
        if last is None or last.header.measured_ns <= report.header.measured_ns:
            self._impacts[sender] = report

    def impacts(self, since_ns: int) -> list[tuple[str, ImpactReport]]:
        """What each partner told last of impacts, where that was not before a time (ns), by partner."""
        told = sorted(self._impacts.items())
        return [(sender, report) for sender, report in told if report.header.measured_ns >= since_ns]
