"""What stands told to the zones of one partner: a fold over the alerts issued, and over nothing else.

In: what stood, and one alert more; out: what stands then: which zones are told what, on account of which
tracks, and which messages the next one of the series follows.  A series is one tier of one raid in one area.
What people said stands apart from what was decided, in series of its own (`warning.manual`).
So whoever holds the alerts that were issued knows what to end, whatever would be decided of them now: a node
made again from its journal takes what stands from there.

A message is known by its identifier: whose it is, of which journal, which series, which message of it.  The
series are counted from 1 in each journal, so without the journal's epoch in it a node that begins a new one
(after any change of its configuration) would call its next alert as it called one before, and whoever heard
that would take the new one for a repeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from jointwatch.records import EXERCISE, Advisory, Alert, Tier

MOST_REFERENCES = 8
"""A message names so many before it: each takes over all that stands, so the last would do; the others are
for who missed it."""
VOID_AFTER_NS = 900_000_000_000
"""A message that nothing follows is void this long after the last expected impact (or after sending)."""
MINUTE_NS = 60_000_000_000
MOST_A_MINUTE = 600
"""Times of messages that are kept: no policy allows more of them a minute."""


class Told(Struct, frozen=True):
    """What one zone was told: when, the earliest impact expected then, the tracks behind it, in which area's
    series, and which of all messages it was."""

    sent_ns: int
    impact_ns: int
    tracks: tuple[str, ...]
    area: str = ""
    sequence: int = 0

    @property
    def void_ns(self) -> int:
        """Until when this holds, if nothing follows it (ns UTC)."""
        return max(self.sent_ns, self.impact_ns) + VOID_AFTER_NS


class Series(Struct, frozen=True):
    """Messages of one tier and area in this raid: the series' number, how many were sent, and the last of
    them, in order, which the next one follows."""

    number: int
    count: int = 0
    sent: tuple[str, ...] = ()


class Standing(Struct, frozen=True):
    """What stands told, by tier and key of the zone; open series by tier and area; the last numbers given.

    recent: when the messages of the last minute before the last of them were sent (ns), in order, the latest
    MOST_A_MINUTE.
    by_people, series_by_people: the same of what people said.  Both count their series together.
    """

    told: Mapping[Tier, Mapping[str, Told]] = field(default_factory=lambda: {"early": {}, "shelter": {}})
    series: Mapping[tuple[Tier, str], Series] = field(default_factory=dict)
    series_count: int = 0
    sequence: int = 0
    by_people: Mapping[Tier, Mapping[str, Told]] = field(default_factory=lambda: {"early": {}, "shelter": {}})
    series_by_people: Mapping[tuple[Tier, str], Series] = field(default_factory=dict)
    recent: tuple[int, ...] = ()

    @property
    def people_speak(self) -> bool:
        """Whether anything that people said stands."""
        return any(self.by_people.values())

    @property
    def zones(self) -> frozenset[str]:
        """The zones that anything stands told to, by whomever."""
        return self.zones_at(-(2**63))

    def zones_at(self, now_ns: int) -> frozenset[str]:
        """Those to which it is not void at now_ns."""
        return frozenset(
            zone
            for tiers in (self.told, self.by_people)
            for of_tier in tiers.values()
            for zone, told in of_tier.items()
            if told.void_ns > now_ns
        )

    def people_hold(self, now_ns: int) -> bool:
        """Whether what people said keeps all near to shelter: any take-shelter alert that stands, or an early
        notice that is not void at now_ns."""
        early = self.by_people["early"].values()
        return bool(self.by_people["shelter"]) or any(now_ns < told.void_ns for told in early)

    def sent_since(self, time_ns: int) -> int:
        """How many messages were sent after a time (ns) that is less than a minute before the last."""
        return sum(sent > time_ns for sent in self.recent)

    def after(self, alert: Alert) -> Standing:
        """What stands after one alert more.  A series is over when its last zone is told so."""
        number, count = numbers_of(alert)
        which = alert.tier, alert.area
        tells = alert.action in ("alert", "update")
        of_people = self.series_by_people.get(which)
        by_people = alert.manual if tells else of_people is not None and of_people.number == number
        all_told = self.by_people if by_people else self.told
        zones = dict(all_told[alert.tier])
        series = dict(self.series_by_people if by_people else self.series)
        if tells:
            tracks = tuple(track for track, _ in alert.evidence)
            told_now = Told(alert.sent_ns, alert.impact_ns, tracks, alert.area, alert.header.sequence)
            zones |= dict.fromkeys(alert.zones, told_now)
        else:
            for key in alert.zones:
                zones.pop(key, None)
        if any(told.area == alert.area for told in zones.values()):
            sent = (*alert.references, alert.identifier)[-MOST_REFERENCES:]
            series[which] = Series(number, count, sent)
        else:
            series.pop(which, None)
        minute = [t for t in self.recent if t > alert.sent_ns - MINUTE_NS]
        counted = replace(
            self,
            series_count=max(self.series_count, number),
            sequence=max(self.sequence, alert.header.sequence),
            recent=(*minute, alert.sent_ns)[-MOST_A_MINUTE:],
        )
        now_told = {**all_told, alert.tier: zones}
        if by_people:
            return replace(counted, by_people=now_told, series_by_people=series)
        return replace(counted, told=now_told, series=series)


def epoch_of(began_ns: int, digest: bytes) -> str:
    """What the identifiers of one journal have in them and those of no other: the day on which it began (UTC)
    and 8 hexadecimal digits of the digest of its first entry, which holds when it began and as what.

    began_ns: time of the first entry, ns UTC.  "" for 0: journals of former times say nothing of it, and what
    was issued there keeps its name.
    """
    if began_ns == 0:
        return ""
    day = datetime(1970, 1, 1) + timedelta(microseconds=began_ns // 1000)
    return f"{day:%Y%m%d}.{digest.hex()[:8]}"


def stem_of(name: str, epoch: str, exercise: bool) -> str:
    """How the identifiers of what `name` issues in one journal begin; an exercise's say so."""
    mark = EXERCISE if exercise else ""
    return f"{mark}{name}-{epoch}" if epoch else f"{mark}{name}"


def identifier_of(name: str, epoch: str, series: Series, exercise: bool) -> str:
    """The identifier of the next message of a series of the warner `name` in the journal of an epoch."""
    return f"{stem_of(name, epoch, exercise)}-{series.number:02d}-{series.count + 1:04d}"


def numbers_of(message: Alert | Advisory) -> tuple[int, int]:
    """The number of the series that a message is of, and which message of it it is."""
    _, number, count = message.identifier.rsplit("-", 2)
    return int(number), int(count)


def series_of(message: Alert | Advisory) -> str:
    """The series that it is a message of."""
    return message.identifier.rsplit("-", 1)[0]
