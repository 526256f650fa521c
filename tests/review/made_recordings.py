"""Recordings of exercises made by hand, so small that every figure can be told beforehand.

One or two objects fly straight over the small exercise's two radars (a turn in 2 s each), and tracks follow
them without error.  Times are seconds from the exercise's start.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from jointwatch.earth.frames import ecef2geodetic, geodetic2ecef
from jointwatch.exercise.recording import PictureRecord, Recording, Sample
from jointwatch.exercise.scenario import Scenario
from jointwatch.exercise.truth import Truth, TruthObject
from jointwatch.records import Alert, Header, Impact, LaunchArea, LaunchReport, Note

SMALL = Path(__file__).parents[1] / "small.toml"
FERN, MOSS, REED, LARCH = "Amber/Fern Hill", "Amber/Moss Ford", "Amber/Reed Bank", "Blue/Larch Camp"
PLACE = {FERN: (31.00, 41.48), MOSS: (31.12, 41.50), REED: (30.88, 41.50), LARCH: (31.00, 41.60)}
NORTH_M = 111e3
"""Metres in a degree of latitude, near enough."""


def ns(scenario: Scenario, seconds: float) -> int:
    return scenario.start_ns + round(seconds * 1e9)


def flown(
    scenario: Scenario,
    name: str,
    to: str,
    end_s: float,
    *,
    launch_s: float = 30.0,
    end: Any = "impact",
    start: tuple[float, float, float] = (31.0, 42.0, 30e3),
    parent: str | None = None,
    danger_radius_m: float = 200.0,
    fall_s: float | None = None,
) -> TruthObject:
    """An object on a straight line that would meet the ground at a zone's middle at fall_s (or end_s)."""
    latitude, longitude = PLACE[to]
    a = np.array(geodetic2ecef(math.radians(start[0]), math.radians(start[1]), start[2]))
    b = np.array(geodetic2ecef(math.radians(latitude), math.radians(longitude), 0.0))
    fall_s = end_s if fall_s is None else fall_s
    velocity = (b - a) / (fall_s - launch_s)
    times = np.arange(launch_s, end_s + 0.6, 0.5)
    places = a + (times - launch_s)[:, None] * velocity
    down = end == "impact"
    return TruthObject(
        name=name, object_class="heavy_rocket", launch_ns=ns(scenario, launch_s), end_ns=ns(scenario, end_s),
        end=end, fall_lon_deg=longitude if down else None, fall_lat_deg=latitude if down else None, aim=to,
        parent=parent, raid="volley", danger_radius_m=danger_radius_m, start_ns=scenario.start_ns,
        times_s=times,
        samples=np.column_stack([places, np.tile(velocity, (len(times), 1))]),
    )  # fmt: skip


def sample(o: TruthObject, time_ns: int, *names: str) -> Sample:
    state = np.concatenate([*o.state_at(time_ns), [-8.0]])
    return Sample(names[0], names, state, np.diag([1e4] * 3 + [1e2] * 3 + [0.1]), (0.0, 1.0, 0.0), 1.0)


def followed(
    scenario: Scenario, tracks: dict[tuple[str, ...], TruthObject]
) -> list[tuple[int, list[Sample]]]:
    """Samples every 5 s of tracks (by their names) that are where their objects are."""
    times = [ns(scenario, t) for t in range(0, 200, 5)]
    return [
        (t, [sample(o, t, *names) for names, o in tracks.items() if o.launch_ns <= t < o.end_ns])
        for t in times
    ]


def falling(track: str, to: str, *, north_m: float = 0.0, sigma_m: float = 300.0) -> Impact:
    latitude, longitude = PLACE[to]
    return Impact(
        track=track, object_class="heavy_rocket", time_ns=0, time_sigma_s=1.0,
        latitude_rad=math.radians(latitude + north_m / NORTH_M), longitude_rad=math.radians(longitude),
        covariance_m2=(sigma_m**2, 0.0, sigma_m**2),
    )  # fmt: skip


def said(
    scenario: Scenario, seconds: float, action: Any, zones: tuple[str, ...], behind: tuple[Impact, ...] = ()
) -> tuple[Alert, tuple[Impact, ...]]:
    time_ns = ns(scenario, seconds)
    return Alert(
        header=Header(originator="Amber", source="test", sequence=1, measured_ns=time_ns),
        identifier=f"{action}-{seconds}", action=action, tier="shelter", partner="Amber", zones=zones,
        sent_ns=time_ns, impact_ns=time_ns, evidence=tuple((i.track, 0.5) for i in behind),
    ), behind  # fmt: skip


def picture(
    name: str,
    partners: tuple[str, ...],
    samples: list[tuple[int, list[Sample]]],
    messages: list[tuple[Alert, tuple[Impact, ...]]],
) -> PictureRecord:
    return PictureRecord(
        name, name, partners, samples, alerts=[alert for alert, _ in messages],
        alert_impacts={alert.identifier: {i.track: i for i in behind} for alert, behind in messages},
    )  # fmt: skip


def recorded(
    scenario: Scenario,
    objects: list[TruthObject],
    tracks: dict[tuple[str, ...], TruthObject],
    joint: list[tuple[Alert, tuple[Impact, ...]]],
    amber: list[tuple[Alert, tuple[Impact, ...]]] | None = None,
) -> Recording:
    """A recording in which all pictures hold the same tracks; Blue alone says nothing."""
    samples = followed(scenario, tracks)
    pictures = {
        "amber": picture("amber", ("Amber",), samples, amber or []),
        "blue": picture("blue", ("Blue",), samples, []),
        "joint": picture("joint", ("Amber", "Blue"), samples, joint),
    }
    return Recording(scenario, 3, Truth(scenario.start_ns, objects), pictures, [], {}, {}, 0.0)


def place_of(o: TruthObject) -> tuple[float, float]:
    """Latitude and longitude (rad) under an object's launch."""
    latitude, longitude, _ = ecef2geodetic(*(float(v) for v in o.state_at(o.launch_ns)[0]))
    return latitude, longitude


def launch_told(
    scenario: Scenario,
    seconds: float,
    number: str,
    of: TruthObject,
    *,
    north_m: float = 0.0,
    late_s: float = 0.0,
    by: str = "Amber",
    **area: Any,
) -> LaunchReport:
    """A report at `seconds` of a launch, by burn or track: so far north of the true one, so much later."""
    latitude, longitude = place_of(of)
    known: dict[str, Any] = {"territories": {"Ochre": 1.0}, "origin": "Ochre", "sensors": 2}
    return LaunchReport(
        header=Header(originator=by, source="test", sequence=1, measured_ns=ns(scenario, seconds)),
        object_class="heavy_rocket", classes={"heavy_rocket": 1.0},
        area=LaunchArea(
            track=number, time_ns=of.launch_ns + round(late_s * 1e9), time_sigma_s=1.0,
            latitude_rad=latitude + math.radians(north_m / NORTH_M), longitude_rad=longitude,
            semi_major_m=3000.0, semi_minor_m=2000.0, bearing_rad=0.0, **known | area,
        ),
        impact=falling(number, FERN, sigma_m=20e3),
    )  # fmt: skip


def noted(
    scenario: Scenario, seconds: float, kind: Any, subject: str, said: str = "", by: str = "Amber"
) -> Note:
    header = Header(originator=by, source="test", sequence=1, measured_ns=ns(scenario, seconds))
    return Note(header=header, kind=kind, subject=subject, detail=said, partner=by)


def burn_seen(
    scenario: Scenario, record: PictureRecord, seconds: float, number: str, of: TruthObject, **how: Any
) -> None:
    """A picture tells of a burn: confirmed, and its launch told at once."""
    record.notes.append(noted(scenario, seconds, "burn_confirmed", number, by=how.get("by", "Amber")))
    record.launches.append(launch_told(scenario, seconds, number, of, **how))
