"""What stands told to the zones of one partner: a fold over the alerts issued, and over nothing else.

In: what stood, and one alert more; out: what stands then: which zones are told what, on account of which
tracks, and which messages the next one of the series follows.  A series is one tier of one raid in one area.
So whoever holds the alerts that were issued knows what to end, whatever would be decided of them now: a node
made again from its journal takes what stands from there.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from jointwatch.records import EXERCISE, Alert, Tier

MOST_REFERENCES = 8
"""A message names so many before it: each takes over all that stands, so the last would do; the others are
for who missed it."""
MINUTE_NS = 60_000_000_000
MOST_A_MINUTE = 600
"""Times of messages that are kept: no policy allows more of them a minute."""


class Told(Struct, frozen=True):
    """What one zone was told: when, the earliest impact expected then, the tracks behind it, and in which
    area's series."""

    sent_ns: int
    impact_ns: int
    tracks: tuple[str, ...]
    area: str = ""


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
    """

    told: Mapping[Tier, Mapping[str, Told]] = field(default_factory=lambda: {"early": {}, "shelter": {}})
    series: Mapping[tuple[Tier, str], Series] = field(default_factory=dict)
    series_count: int = 0
    sequence: int = 0
    recent: tuple[int, ...] = ()

    def sent_since(self, time_ns: int) -> int:
        """How many messages were sent after a time (ns) that is less than a minute before the last."""
        return sum(sent > time_ns for sent in self.recent)

    def next_series(self, tier: Tier, area: str) -> Series:
        """The open series of a tier and area, or the next one before its first message."""
        return self.series.get((tier, area)) or Series(self.series_count + 1)

    def after(self, alert: Alert) -> Standing:
        """What stands after one alert more.  A series is over when its last zone is told so."""
        zones, series = dict(self.told[alert.tier]), dict(self.series)
        number, count = numbers_of(alert)
        if alert.action in ("alert", "update"):
            tracks = tuple(track for track, _ in alert.evidence)
            zones |= dict.fromkeys(alert.zones, Told(alert.sent_ns, alert.impact_ns, tracks, alert.area))
        else:
            for key in alert.zones:
                zones.pop(key, None)
        which = alert.tier, alert.area
        if any(told.area == alert.area for told in zones.values()):
            sent = (*alert.references, alert.identifier)[-MOST_REFERENCES:]
            series[which] = Series(number, count, sent)
        else:
            series.pop(which, None)
        minute = [t for t in self.recent if t > alert.sent_ns - MINUTE_NS]
        return replace(
            self, told={**self.told, alert.tier: zones}, series=series,
            series_count=max(self.series_count, number),
            sequence=max(self.sequence, alert.header.sequence),
            recent=(*minute, alert.sent_ns)[-MOST_A_MINUTE:],
        )  # fmt: skip


def identifier_of(name: str, series: Series, exercise: bool) -> str:
    """The identifier of the next message of a series of the warner `name`; an exercise's says so."""
    mark = EXERCISE if exercise else ""
    return f"{mark}{name}-{series.number:02d}-{series.count + 1:04d}"


def numbers_of(alert: Alert) -> tuple[int, int]:
    """The number of the series that an alert is of, and which message of it it is."""
    _, number, count = alert.identifier.rsplit("-", 2)
    return int(number), int(count)


def series_of(alert: Alert) -> str:
    """The series that an alert is a message of."""
    return alert.identifier.rsplit("-", 1)[0]
