"""Random records of every message type: sensible ones, and some of which nothing, or a part, is of use.

In: a generator, who says it and when; out: one record.  What `hostile_stream` sends, in the benchmark and in
the tests of the gate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from msgspec.structs import replace

from jointwatch.records import (
    Alert,
    AnnouncedReport,
    Announcement,
    Header,
    HealthReport,
    Impact,
    ImpactReport,
    LaunchArea,
    LaunchReport,
    Message,
    PlotReport,
    Sector,
    SensorHealth,
    SequenceRange,
    Track,
    TrackBegun,
    TrackEnded,
    Tracklet,
    TrackletReport,
    TrackReport,
)

S = 1_000_000_000
US = "Blue"
SENSORS = {"Amber": ("amber-north", "amber-south"), "Cedar": ("cedar-one",), US: ("blue-one",)}


# ---------------------------------------------------------------------- good records


class Maker:
    """Sensible random records of one partner."""

    def __init__(self, rng: Random, issuer: str) -> None:
        self.rng, self.issuer = rng, issuer
        self._count = 0

    def header(self, now: int, **changes: Any) -> Header:
        self._count += 1
        made = Header(
            originator=self.issuer, source=f"{self.issuer}-node", sequence=self._count, measured_ns=now,
            handling="joint", provenance=(SequenceRange(SENSORS[self.issuer][0], 1, self._count),),
        )  # fmt: skip
        return replace(made, **changes)

    def number(self) -> str:
        return f"{self.issuer.upper()}-{self.rng.randint(1, 9999):04d}"

    def any_number(self) -> str:
        return self.rng.choice((self.number(), f"{US.upper()}-0007"))

    def vector(self, length: float) -> tuple[float, ...]:
        x, y, z = (self.rng.gauss(0.0, 1.0) for _ in range(3))
        scale = length / max(math.hypot(x, y, z), 1e-9)
        return scale * x, scale * y, scale * z

    def point(self) -> tuple[float, ...]:
        return *self.vector(6.371e6 + self.rng.uniform(0.0, 4e5)), *self.vector(self.rng.uniform(50.0, 7e3))

    def information(self) -> tuple[float, ...]:
        """What a radar tells: three directions of place, one of velocity along the first."""
        frame = np.linalg.qr(np.array([self.vector(1.0) for _ in range(3)]))[0]
        rows = np.zeros((4, 6))
        rows[:3, :3] = frame / np.array(
            [[30.0], [self.rng.uniform(50.0, 2e3)], [self.rng.uniform(50.0, 2e3)]]
        )
        rows[3, :3], rows[3, 3:] = 1e-4 * frame[1], frame[0] / self.rng.uniform(1.0, 10.0)
        return tuple((rows.T @ rows)[np.triu_indices(6)].tolist())

    def tracklet(self, now: int) -> Tracklet:
        seen = self.rng.random() < 0.75
        return Tracklet(
            number=self.number(), time_ns=now - self.rng.randint(0, S),
            source=self.rng.choice((*SENSORS[self.issuer], "src-0123456789ab")),
            sequence=self.rng.randint(0, 10**6), point=self.point(),
            information=self.information() if seen else (0.0,) * 21,
            evidence=self.rng.uniform(0.0, 15.0) if seen else self.rng.uniform(-3.0, 0.0),
        )  # fmt: skip

    def tracklet_report(self, now: int) -> TrackletReport:
        return TrackletReport(
            header=self.header(now), rule=f"{self.issuer}/tracks",
            begun=tuple(
                TrackBegun(number=self.number(), first_ns=now - 9 * S, log_odds=self.rng.uniform(1.0, 20.0))
                for _ in range(self.rng.randint(0, 2))
            ),
            tracklets=tuple(self.tracklet(now) for _ in range(self.rng.randint(1, 5))),
            ended=tuple(
                TrackEnded(number=self.number(), time_ns=now, reason="came down")
                for _ in range(self.rng.randint(0, 1))
            ),
        )  # fmt: skip

    def track(self, now: int) -> Track:
        covariance = np.diag([self.rng.uniform(1e2, 1e6)] * 3 + [self.rng.uniform(1.0, 1e3)] * 3 + [0.1])
        boost = self.rng.random()
        return Track(
            header=self.header(now, handling="own"), number=self.number(), existence=self.rng.random(),
            phases=(boost, 1.0 - boost, 0.0), state=(*self.point(), -8.6),
            covariance=tuple(covariance[np.triu_indices(7)].tolist()), thrust_ms2=self.rng.uniform(0.0, 60.0),
            hits=self.rng.randint(2, 500), first_ns=now - self.rng.randint(0, 600) * S,
        )  # fmt: skip

    def track_report(self, now: int) -> TrackReport:
        tracks = tuple(self.track(now) for _ in range(self.rng.randint(1, 4)))
        return TrackReport(header=self.header(now), rule=f"{self.issuer}/tracks", tracks=tracks)

    def impact(self, now: int) -> Impact:
        east, north = self.rng.uniform(1e5, 1e9), self.rng.uniform(1e5, 1e9)
        return Impact(
            track=self.any_number(), object_class="short range",
            time_ns=now + self.rng.randint(0, 600) * S, time_sigma_s=self.rng.uniform(0.1, 20.0),
            latitude_rad=self.rng.uniform(-1.5, 1.5), longitude_rad=self.rng.uniform(-3.14, 3.14),
            covariance_m2=(east, self.rng.uniform(-0.9, 0.9) * math.sqrt(east * north), north),
            axis_rad=self.rng.uniform(-3.0, 3.0),
            quantiles=self.rng.choice(((), (-3.1, -1.0, 0.2, 1.1, 1.9))),
        )  # fmt: skip

    def impact_report(self, now: int) -> ImpactReport:
        impacts = tuple(self.impact(now) for _ in range(self.rng.randint(1, 4)))
        return ImpactReport(header=self.header(now), rule=f"{self.issuer}/impacts", impacts=impacts)

    def launch_report(self, now: int) -> LaunchReport:
        minor, share = self.rng.uniform(2000.0, 2e4), self.rng.random()
        number = self.any_number()
        azimuth = self.rng.choice((None, self.rng.uniform(0.0, 6.28)))
        area = LaunchArea(
            track=number, time_ns=now - 200 * S, time_sigma_s=5.0, latitude_rad=self.rng.uniform(-1.5, 1.5),
            longitude_rad=self.rng.uniform(-3.14, 3.14), semi_major_m=minor * self.rng.uniform(1.0, 3.0),
            semi_minor_m=minor, bearing_rad=self.rng.uniform(0.0, math.pi),
            territories={"Ridge": share, "Basin": 1.0 - share}, origin="cannot be told",
            origin_probability=max(share, 1.0 - share), why="one sensor only", sensors=self.rng.randint(1, 4),
            azimuth_rad=azimuth, azimuth_sigma_rad=None if azimuth is None else self.rng.uniform(0.0, 0.5),
        )  # fmt: skip
        return LaunchReport(
            header=self.header(now), object_class="short range", classes={"short range": 1.0}, area=area,
            impact=replace(self.impact(now), track=number),
        )  # fmt: skip

    def alert(self, now: int) -> Alert:
        self._count += 1
        return Alert(
            header=self.header(now, handling="public"), identifier=f"{self.issuer}-01-{self._count:04d}",
            action=self.rng.choice(("alert", "update", "cancel", "all_clear")), tier="shelter",
            partner=self.issuer, zones=("z1", "z2"), sent_ns=now, impact_ns=now + 200 * S,
            evidence=((self.any_number(), self.rng.random()),), reason=self.rng.choice(("", "came down")),
        )  # fmt: skip

    def plot_report(self, now: int) -> PlotReport:
        sensor, count = self.rng.choice(SENSORS[self.issuer]), self.rng.randint(0, 12)
        sector = Sector(
            header=self.header(now, source=sensor, handling="own"), sensor=sensor, azimuth_from_rad=0.5,
            azimuth_to_rad=1.3, received_ns=now,
            range_m=tuple(self.rng.uniform(1e4, 5e5) for _ in range(count)),
            azimuth_rad=tuple(self.rng.uniform(0.5, 1.3) for _ in range(count)),
            elevation_rad=tuple(self.rng.uniform(0.0, 1.0) for _ in range(count)),
            range_rate_ms=tuple(self.rng.uniform(-3e3, 3e3) for _ in range(count)),
        )  # fmt: skip
        return PlotReport(header=self.header(now), rule=f"{self.issuer}/plots", sector=sector)

    def health_report(self, now: int) -> HealthReport:
        sensors = tuple(
            SensorHealth(source=s, state=self.rng.choice(("working", "degraded", "silent")), last_look_ns=now)
            for s in SENSORS[self.issuer]
        )
        return HealthReport(header=self.header(now), rule=f"{self.issuer}/health", sensors=sensors)

    def announced_report(self, now: int) -> AnnouncedReport:
        launches = tuple(
            Announcement(
                name=f"trial {i}", object_class="sounding", from_ns=now + 3600 * S, to_ns=now + 7200 * S,
                latitude_rad=0.6, longitude_rad=0.7, radius_m=self.rng.uniform(1e3, 2e4),
                azimuth_rad=self.rng.uniform(0.0, 6.2), tolerance_rad=0.2,
            )
            for i in range(self.rng.randint(1, 2))
        )  # fmt: skip
        return AnnouncedReport(header=self.header(now), rule=f"{self.issuer}/announced", announced=launches)

    def any(self, now: int) -> Message:
        """A record of any of the eight types that this partner may send."""
        makers: list[Callable[[int], Message]] = [
            self.tracklet_report, self.tracklet_report, self.track_report, self.impact_report,
            self.launch_report, self.alert, self.health_report, self.announced_report,
        ]  # fmt: skip
        if self.issuer == "Amber":
            makers.append(self.plot_report)
        return self.rng.choice(makers)(now)


# ---------------------------------------------------------------------- records that a sender must not send

NAN, HUGE = math.nan, 1e308


def bad_track(track: Track, rng: Random) -> Track:
    """A track with one value that cannot be."""
    changes: tuple[dict[str, Any], ...] = (
        {"state": (NAN, *track.state[1:])}, {"state": track.state[:6]}, {"state": (1.0,) * 7},
        {"covariance": (-1.0, *track.covariance[1:])}, {"covariance": ()}, {"existence": 1.5},
        {"phases": (NAN, 0.5, 0.5)}, {"thrust_ms2": math.inf}, {"hits": -1},
        {"header": replace(track.header, measured_ns=track.header.measured_ns + 60 * S)},
    )  # fmt: skip
    return replace(track, **rng.choice(changes))


def bad_tracklet(tracklet: Tracklet, rng: Random) -> Tracklet:
    """A tracklet with one value that cannot be."""
    negative, strong, loose = [0.0] * 21, [0.0] * 21, [0.0] * 21
    negative[0], strong[0], loose[0], loose[1] = -1e-4, 1e6, 1e-4, 1e-4
    changes: tuple[dict[str, Any], ...] = (
        {"point": (NAN, *tracklet.point[1:])}, {"point": tracklet.point[:5]}, {"point": (0.0,) * 6},
        {"point": (*tracklet.point[:3], 3e4, 0.0, 0.0)}, {"information": (NAN,) * 21},
        {"information": tuple(negative)}, {"information": tuple(strong)}, {"information": tuple(loose)},
        {"information": (HUGE,) * 21}, {"information": (0.0,) * 20}, {"evidence": 51.0}, {"evidence": NAN},
        {"time_ns": tracklet.time_ns + 60 * S}, {"time_ns": tracklet.time_ns - 2000 * S}, {"time_ns": 0},
        {"sequence": -1},
    )  # fmt: skip
    return replace(tracklet, **rng.choice(changes))


def bad_impact(impact: Impact, rng: Random) -> Impact:
    """A fall with one value that cannot be."""
    changes: tuple[dict[str, Any], ...] = (
        {"latitude_rad": 1.6}, {"longitude_rad": NAN}, {"covariance_m2": (1e6, 2e6, 1e6)},
        {"covariance_m2": (-1.0, 0.0, 1e6)}, {"covariance_m2": (1e6, NAN, 1e6)}, {"time_sigma_s": -1.0},
        {"time_ns": impact.time_ns + 90_000 * S}, {"quantiles": (1.0, 0.0, 0.0, 0.0, 0.0)},
        {"quantiles": (NAN,) * 5}, {"axis_rad": math.inf},
    )  # fmt: skip
    return replace(impact, **rng.choice(changes))


def bad_record(maker: Maker, now: int) -> Message:
    """A record of which nothing can be used."""
    rng = maker.rng
    kind = rng.randrange(8)
    if kind == 0:
        report = maker.tracklet_report(now)
        tracklets = tuple(bad_tracklet(t, rng) for t in report.tracklets)
        return replace(report, tracklets=tracklets, begun=(), ended=())
    if kind == 1:
        tracks = maker.track_report(now)
        return replace(tracks, tracks=tuple(bad_track(t, rng) for t in tracks.tracks))
    if kind == 2:
        falls = maker.impact_report(now)
        return replace(falls, impacts=tuple(bad_impact(i, rng) for i in falls.impacts))
    if kind == 3:
        launch = maker.launch_report(now)
        floor = replace(launch.area, semi_minor_m=1999.0)
        areas = (floor, replace(floor, semi_major_m=1999.0), replace(launch.area, territories={"Ridge": NAN}))
        return rng.choice(
            (replace(launch, area=rng.choice(areas)), replace(launch, impact=bad_impact(launch.impact, rng)))
        )
    if kind == 4:
        alert = maker.alert(now)
        return rng.choice(
            (replace(alert, evidence=(("AMBER-0001", NAN),)), replace(alert, sent_ns=now + 60 * S))
        )
    if kind == 5 and maker.issuer == "Amber":
        plots = maker.plot_report(now)
        ranges = replace(plots.sector, range_m=(1e5, 1e5), azimuth_rad=(0.6,))
        return replace(plots, sector=rng.choice((ranges, replace(plots.sector, azimuth_to_rad=NAN))))
    if kind == 6:
        health = maker.health_report(now)
        return replace(health, sensors=(replace(health.sensors[0], last_look_ns=now + 60 * S),))
    announced = maker.announced_report(now)
    first = announced.announced[0]
    changes = (replace(first, radius_m=HUGE), replace(first, to_ns=first.from_ns - 1))
    return replace(announced, announced=(rng.choice(changes),))


def out_of_scope(maker: Maker, now: int) -> Any:
    """A record that is not its sender's to tell; one of them may not cross between nodes at all."""
    rng = maker.rng
    other = "Cedar" if maker.issuer == "Amber" else "Amber"
    kind = rng.randrange(6)
    record = maker.any(now)
    if kind == 0:
        return replace(record, header=replace(record.header, originator=other))
    if kind == 1:
        return replace(record, header=replace(record.header, handling="own"))
    if kind == 2:
        tracks = maker.track_report(now)
        return replace(tracks, tracks=tuple(replace(t, number=f"{other.upper()}-1") for t in tracks.tracks))
    if kind == 3:
        return replace(maker.alert(now), partner=other)
    if kind == 4:
        plots = maker.plot_report(now)
        if maker.issuer == "Cedar":
            return plots  # a kind that was not agreed
        return replace(plots, sector=replace(plots.sector, sensor=rng.choice((*SENSORS[US], "unknown"))))
    return Sector(
        header=maker.header(now), sensor="s", azimuth_from_rad=0.0, azimuth_to_rad=1.0, received_ns=now
    )


def partly_bad(maker: Maker, now: int) -> tuple[Message, Message, int]:
    """A report with bad parts among good ones, what must be left of it, and how many parts are bad."""
    rng = maker.rng
    if rng.random() < 0.5:
        report = replace(
            maker.tracklet_report(now), tracklets=tuple(maker.tracklet(now) for _ in range(rng.randint(2, 5)))
        )
        at = rng.randrange(len(report.tracklets))
        parts = list(report.tracklets)
        parts[at] = bad_tracklet(parts[at], rng)
        left = (*parts[:at], *parts[at + 1 :])
        return replace(report, tracklets=tuple(parts)), replace(report, tracklets=left), 1
    tracks = replace(
        maker.track_report(now), tracks=tuple(maker.track(now) for _ in range(rng.randint(2, 5)))
    )
    at = rng.randrange(len(tracks.tracks))
    listed = list(tracks.tracks)
    listed[at] = rng.choice(
        (
            bad_track(listed[at], rng),
            replace(listed[at], number="CEDAR-1" if maker.issuer == "Amber" else "X"),
        )
    )
    return (
        replace(tracks, tracks=tuple(listed)),
        replace(tracks, tracks=(*listed[:at], *listed[at + 1 :])),
        1,
    )
