"""What stands told to the zones of one partner: a fold over the alerts issued, and over nothing else.

In: what stood, and one alert more; out: what stands then: which zones are told what, on account of which
tracks, and which messages the next one of the series follows.  So whoever holds the alerts that were issued
knows what to end, whatever would be decided of them now: a node made again from its journal takes what stands
from there.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from jointwatch.records import Alert, Tier


class Told(Struct, frozen=True):
    """What one zone was told: when, the earliest impact expected then, and the tracks behind it."""

    sent_ns: int
    impact_ns: int
    tracks: tuple[str, ...]


class Series(Struct, frozen=True):
    """Messages of one tier sent in this raid, each following those before."""

    number: int
    sent: tuple[str, ...]


class Standing(Struct, frozen=True):
    """What stands told, by tier and key of the zone; open series by tier; the last numbers given."""

    told: Mapping[Tier, Mapping[str, Told]] = field(default_factory=lambda: {"early": {}, "shelter": {}})
    series: Mapping[Tier, Series] = field(default_factory=dict)
    series_count: int = 0
    sequence: int = 0

    def next_series(self, tier: Tier) -> Series:
        """The open series of a tier, or the next one before its first message."""
        return self.series.get(tier) or Series(self.series_count + 1, ())

    def after(self, alert: Alert) -> Standing:
        """What stands after one alert more.  A series is over when its last zone is told so."""
        zones, series = dict(self.told[alert.tier]), dict(self.series)
        number = number_of(alert)
        if alert.action in ("alert", "update"):
            tracks = tuple(track for track, _ in alert.evidence)
            zones |= dict.fromkeys(alert.zones, Told(alert.sent_ns, alert.impact_ns, tracks))
        else:
            for key in alert.zones:
                zones.pop(key, None)
        if zones:
            series[alert.tier] = Series(number, (*alert.references, alert.identifier))
        else:
            series.pop(alert.tier, None)
        return replace(
            self, told={**self.told, alert.tier: zones}, series=series,
            series_count=max(self.series_count, number),
            sequence=max(self.sequence, alert.header.sequence),
        )  # fmt: skip


def identifier_of(name: str, series: Series) -> str:
    """The identifier of the next message of a series of the warner `name`."""
    return f"{name}-{series.number:02d}-{len(series.sent) + 1:04d}"


def number_of(alert: Alert) -> int:
    """The number of the series that an alert is of."""
    return int(alert.identifier.rsplit("-", 2)[1])
