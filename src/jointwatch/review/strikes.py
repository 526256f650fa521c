"""Which zones were struck, and which were told to take shelter: what warnings are scored by.

In: the truth, the zones, the looks that sensors had, a picture's messages; out: each struck zone once with
its first strike, and for each zone told to take shelter from when to when it was, and how that ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jointwatch.exercise.recording import PictureRecord
from jointwatch.exercise.truth import TruthObject
from jointwatch.records import Alert, Zone
from jointwatch.warning.zones import ZoneIndex

LOOKS, MARGIN_S = 5, 10.0
S = 1e9
OPEN_NS = 2**62
"""The end of what nobody ended."""


@dataclass
class Strike:
    """A struck zone, by the object that strikes it first.

    looks: good looks at that object in time to warn the zone, by index of the sensor.
    """

    zone: Zone
    index: int
    object: int
    time_ns: int
    looks: Counter[int]

    def feasible(self, sensors: Collection[int]) -> bool:
        """Whether these sensors together could see the danger in time."""
        return sum(self.looks[k] for k in sensors) >= LOOKS


class Told(NamedTuple):
    """One period for which a zone was told to take shelter (ns): by which message, and what took it back.

    ended: "cancel", "all_clear", or "" where nothing did.
    """

    since_ns: int
    until_ns: int
    first: Alert
    ended: str


def struck_zones(o: TruthObject, index: ZoneIndex) -> list[int]:
    """Zones (by index) that an object strikes; none if it does not fall or endangers nobody."""
    if o.fall_lon_deg is None or o.fall_lat_deg is None or o.danger_radius_m <= 0.0:
        return []
    struck: list[int] = index.struck(o.fall_lon_deg, o.fall_lat_deg, o.danger_radius_m).tolist()
    return struck


def first_strikes(
    objects: list[TruthObject], zones: Sequence[Zone], seen: Sequence[Sequence[tuple[int, int, float]]]
) -> list[Strike]:
    """Each struck zone once, by its first strike.  seen: good looks by object (`exercise.sensors.looks`)."""
    index = ZoneIndex(zones)
    first: dict[int, Strike] = {}
    for i, o in enumerate(objects):
        for z in struck_zones(o, index):
            if z not in first or o.end_ns < first[z].time_ns:
                before = o.end_ns - (zones[z].shelter_s + MARGIN_S) * S
                looked = Counter(k for t, k, _ in seen[i] if t < before)
                first[z] = Strike(zones[z], z, i, o.end_ns, looked)
    return [first[z] for z in sorted(first)]


def told(picture: PictureRecord) -> dict[str, list[Told]]:
    """For each zone told to take shelter, by key: the periods for which it was, in order of time."""
    out: dict[str, list[Told]] = {}
    since: dict[str, Alert] = {}
    for alert in picture.alerts:
        for zone in alert.zones:
            if alert.action in ("alert", "update") and alert.tier == "shelter":
                since.setdefault(zone, alert)
            elif alert.action in ("cancel", "all_clear") and zone in since:
                first = since.pop(zone)
                out.setdefault(zone, []).append(Told(first.sent_ns, alert.sent_ns, first, alert.action))
    for zone, first in since.items():
        out.setdefault(zone, []).append(Told(first.sent_ns, OPEN_NS, first, ""))
    return out


def in_force(periods: Sequence[Told], time_ns: int) -> Told | None:
    """The period that a time lies in, or None."""
    return next((p for p in periods if p.since_ns <= time_ns < p.until_ns), None)
