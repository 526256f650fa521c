"""What a node offers to its partners, made up for tests: tracks, their tracklets, plots, launches, alerts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from reported_tracks import BALLISTIC_SURELY, CRUISE_SURELY, START_NS, at_s, place, spread, track

from jointwatch.joint.releases import Release
from jointwatch.joint.sharer import Context, Shared, Sharer
from jointwatch.joint.sharing import SharingRule, load_rules
from jointwatch.records import (
    Alert,
    Announcement,
    Header,
    Impact,
    LaunchArea,
    LaunchReport,
    Sector,
    SequenceRange,
    TrackBegun,
    TrackEnded,
    Tracklet,
    TrackletReport,
    encode,
)

PARTNERS = ("Amber", "Blue", "Green")
SENSOR = "amber-north"
CLASSES = ("short_range", "medium_range")
PHASES = {"ballistic": BALLISTIC_SURELY, "cruise": CRUISE_SURELY}
FAR = 10**6


def rules_of(*tables: dict[str, Any], territories: Sequence[str] = ()) -> tuple[SharingRule, ...]:
    return load_rules(list(tables), "site.toml", "Amber", PARTNERS, territories, CLASSES)


def rule(kind: str = "tracks", release: str = "as is", **values: Any) -> dict[str, Any]:
    return {"kind": kind, "release": release, **values}


def coarse(kind: str = "tracks", **values: Any) -> dict[str, Any]:
    return rule(kind, "coarsened", **values)


def circle(latitude_deg: float, longitude_deg: float, radius_km: float) -> dict[str, float]:
    return {"latitude_deg": latitude_deg, "longitude_deg": longitude_deg, "radius_km": radius_km}


def header(seconds: float, sequence: int = 0, source: str = SENSOR) -> Header:
    return Header(originator="Amber", source=source, sequence=sequence, measured_ns=at_s(seconds))


class Sharing:
    """A sharer, and a node's count of headers."""

    def __init__(self, *tables: dict[str, Any], **options: Any) -> None:
        names = options["territories"].names[:-2] if "territories" in options else ()
        partners = options.pop("partners", PARTNERS)
        self.sharer = Sharer(rules_of(*tables, territories=names), "Amber", partners, **options)
        self._count = itertools.count(1)

    def header(self) -> Header:
        sequence = next(self._count)
        return Header(originator="Amber", source="amber-node", sequence=sequence, measured_ns=0)

    def offer(self, seconds: float, *records: Any, **context: Any) -> Shared:
        return self.sharer.offer(at_s(seconds), records, self.header, Context(**context))

    def due(self, seconds: float) -> Shared:
        return self.sharer.due(at_s(seconds), self.header)


def to(partner: str, shared: Shared) -> list[Any]:
    """The records that leave for a partner."""
    return [release.record for release in shared.released if partner in release.audience]


def read(partner: str, *several: Shared) -> bytes:
    """All that a partner can read."""
    return b"".join(encode(record) for shared in several for record in to(partner, shared))


def kept(shared: Shared) -> list[tuple[str, str, str, str]]:
    """What is withheld: kind, subject, from whom, by which rule."""
    return [(w.kind, w.subject, w.partner, w.rule) for w in shared.withheld]


def by_kind(shared: Shared) -> dict[str, list[Release]]:
    return {k: [r for r in shared.released if r.kind == k] for k in {r.kind for r in shared.released}}


def tracklet(number: str, seconds: float, sequence: int, source: str = SENSOR) -> Tracklet:
    return Tracklet(
        number=number,
        time_ns=at_s(seconds),
        source=source,
        sequence=sequence,
        point=(1.0,) * 6,
        information=(0.0,) * 21,
        evidence=1.0,
    )


def seen(
    seconds: float,
    number: str = "AMBER-0001",
    phase: str = "ballistic",
    where: tuple[float, float] = (33.0, 41.0),
    begins: bool = False,
    parent: str = "",
) -> list[Any]:
    """What one sector tells of one track: its tracklet report, and the track itself."""
    now = track(
        number, place(*where, 50e3, 900.0, 0.0, 0.0), spread(100.0, 5.0), at_s(seconds), phases=PHASES[phase]
    )
    provenance = (SequenceRange(SENSOR, 1, round(seconds) + 1),)
    now = replace(now, parent=parent, header=replace(now.header, provenance=provenance))
    begun = TrackBegun(number=number, first_ns=at_s(seconds), log_odds=4.0, parent=parent)
    report = TrackletReport(
        header=header(seconds),
        rule="",
        begun=(begun,) if begins else (),
        tracklets=(tracklet(number, seconds, round(seconds) + 1),),
    )
    return [report, now]


def ends(seconds: float, number: str = "AMBER-0001", reason: str = "lost") -> TrackletReport:
    ended = TrackEnded(number=number, time_ns=at_s(seconds), reason=reason)
    return TrackletReport(header=header(seconds), rule="", ended=(ended,))


def impact(number: str = "AMBER-0001", where: tuple[float, float] = (32.0, 35.0), **changes: Any) -> Impact:
    made = Impact(
        track=number,
        object_class="short_range",
        time_ns=at_s(300.0),
        time_sigma_s=3.0,
        latitude_rad=math.radians(where[0]),
        longitude_rad=math.radians(where[1]),
        covariance_m2=(1e6, 0.0, 1e6),
        quantiles=(-2.5, -1.2, 0.0, 1.2, 2.5),
    )
    return replace(made, **changes)


def launch(
    seconds: float, number: str = "AMBER-0001", where: tuple[float, float] = (33.0, 41.0)
) -> LaunchReport:
    area = LaunchArea(
        track=number,
        time_ns=at_s(0.0),
        time_sigma_s=5.0,
        latitude_rad=math.radians(where[0]),
        longitude_rad=math.radians(where[1]),
        semi_major_m=6000.0,
        semi_minor_m=3000.0,
        bearing_rad=0.1,
        territories={"Ochre": 1.0},
        origin="Ochre",
        origin_probability=0.98,
        azimuth_rad=4.6,
        azimuth_sigma_rad=0.03,
        sensors=2,
    )
    return LaunchReport(
        header=header(seconds),
        object_class="short_range",
        classes={"short_range": 1.0},
        area=area,
        impact=impact(number),
    )


def alert(
    seconds: float, name: str, zones: Sequence[str], tracks: Sequence[str] = (), **changes: Any
) -> Alert:
    made = Alert(
        header=header(seconds),
        identifier=name,
        action="alert",
        tier="shelter",
        partner="Amber",
        zones=tuple(zones),
        sent_ns=at_s(seconds),
        impact_ns=at_s(seconds + 60.0),
        evidence=tuple((number, 0.5) for number in tracks),
    )
    return replace(made, **changes)


def announced(name: str = "orbit-1", where: tuple[float, float] = (28.0, 35.0)) -> Announcement:
    return Announcement(
        name=name,
        object_class="medium_range",
        from_ns=START_NS,
        to_ns=at_s(600.0),
        latitude_rad=math.radians(where[0]),
        longitude_rad=math.radians(where[1]),
        radius_m=15e3,
        azimuth_rad=2.8,
        tolerance_rad=0.3,
    )


def sector(
    seconds: float, sequence: int, plots: Sequence[tuple[float, float, float]], sensor: str = SENSOR
) -> Sector:
    return Sector(
        header=header(seconds, sequence, sensor),
        sensor=sensor,
        azimuth_from_rad=0.0,
        azimuth_to_rad=1.0,
        received_ns=at_s(seconds),
        range_m=tuple(p[0] for p in plots),
        azimuth_rad=tuple(p[1] for p in plots),
        elevation_rad=tuple(p[2] for p in plots),
        range_rate_ms=(0.0,) * len(plots),
    )
