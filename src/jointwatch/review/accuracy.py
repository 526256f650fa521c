"""How far what was estimated of an object lay from the truth: where it falls, and where it was launched.

In: a picture's alerts and launch reports, and which track was which object; out: errors in metres, and
whether the stated regions held the truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, geodetic2ecef
from jointwatch.earth.places import UNTOLD, load_territories
from jointwatch.exercise.recording import PictureRecord, Recording
from jointwatch.exercise.truth import TruthObject
from jointwatch.records import Impact, LaunchArea
from jointwatch.warning.spread import radius, stated

FIRED = ("impact", "breakup")
"""Ends of an object that was fired, as against aircraft, fragments and launches to orbit."""


@dataclass(frozen=True)
class FallError:
    """A track's predicted fall against the true one: error (m); whether the 50 % and 90 % regions held it."""

    error_m: float
    in_50: bool
    in_90: bool
    time_ns: int
    track: str


def is_fired(o: TruthObject) -> bool:
    """Whether an object is a missile or rocket as it was fired: no fragment, aircraft or launch to orbit."""
    return o.end in FIRED and o.parent is None and o.object_class != "aircraft"


def fall_errors(recording: Recording, picture: PictureRecord, of: dict[str, int]) -> dict[str, FallError]:
    """Error of each fired object's predicted fall at its first shelter alert, by the object's name.

    of: the object that each track was (`Matched.object_of`).  What only reached so far is no prediction.
    """
    out: dict[str, FallError] = {}
    objects = recording.truth.objects
    for alert in picture.alerts:
        if alert.tier != "shelter" or alert.action not in ("alert", "update"):
            continue
        for track, impact in sorted(picture.alert_impacts[alert.identifier].items()):
            if impact.reach_only or track not in of:
                continue
            o = objects[of[track]]
            if o.name in out or not is_fired(o) or o.fall_lat_deg is None or o.fall_lon_deg is None:
                continue
            out[o.name] = _fall_error(o, impact, alert.header.measured_ns)
    return out


def fall_errors_at(
    recording: Recording, picture: PictureRecord, of: dict[str, int], when: dict[str, FallError]
) -> dict[str, FallError]:
    """Error of each object's fall as a picture had it last before the time of another's error, by name.

    Pictures that warn at different times are compared at one: who warns sooner knows less by then.
    """
    out: dict[str, FallError] = {}
    objects = recording.truth.objects
    for time_ns, impacts in picture.impacts:
        for impact in impacts:
            if impact.reach_only or impact.track not in of:
                continue
            o = objects[of[impact.track]]
            if o.name in when and time_ns <= when[o.name].time_ns:
                out[o.name] = _fall_error(o, impact, time_ns)
    return out


def _fall_error(o: TruthObject, impact: Impact, time_ns: int) -> FallError:
    """Error of one predicted fall of an object that does fall."""
    assert o.fall_lat_deg is not None and o.fall_lon_deg is not None
    d = _east_north(
        math.radians(o.fall_lat_deg), math.radians(o.fall_lon_deg), impact.latitude_rad, impact.longitude_rad
    )
    distance = math.sqrt(stated(impact).distance2(d))
    inside = [distance <= radius(share) for share in (0.5, 0.9)]
    return FallError(float(np.hypot(*d)), inside[0], inside[1], time_ns, impact.track)


def launch_errors(recording: Recording, picture: PictureRecord, of: dict[str, int]) -> dict[str, Any]:
    """Error (m) of each object's last launch area that stands, whether it held the launch; origins stated and
    wrong.

    of: the object that each track was (`Matched.object_of`), and each burn (`Burned.of`).
    """
    territories = load_territories(
        {t.name: t.countries for t in recording.scenario.territories},
        recording.scenario.path,
        [t.name for t in recording.scenario.territories if t.disputed],
    )
    objects = recording.truth.objects
    standing: dict[int, dict[str, Any]] = {}
    for report in picture.launches:
        i = of.get(report.area.track)
        if i is None or not is_fired(objects[i]):
            continue
        told = standing.setdefault(i, {})
        told.pop(report.area.track, None)
        if not report.withdrawn:
            told[report.area.track] = report
    last = {i: list(told.values())[-1] for i, told in standing.items() if told}
    error, inside = [], []
    origin = {"stated": 0, "wrong": 0, "undetermined": 0}
    for i, report in sorted(last.items()):
        area = report.area
        latitude, longitude, d = _from_area(objects[i], area)
        error.append(float(np.hypot(*d)))
        along = np.array([math.sin(area.bearing_rad), math.cos(area.bearing_rad)])
        across = np.array([along[1], -along[0]])
        inside.append(
            float((d @ along / area.semi_major_m) ** 2 + (d @ across / area.semi_minor_m) ** 2 <= 1.0)
        )
        if area.origin == UNTOLD:
            origin["undetermined"] += 1
        else:
            origin["stated"] += 1
            (place,) = territories.answers_at(math.degrees(longitude), math.degrees(latitude))
            origin["wrong"] += place != area.origin
    return {"error": error, "in_90": inside, "origin": origin}


def launch_error_m(o: TruthObject, area: LaunchArea) -> float:
    """How far (m) the middle of a stated launch area lay from where an object was launched."""
    return float(np.hypot(*_from_area(o, area)[2]))


def _from_area(o: TruthObject, area: LaunchArea) -> tuple[float, float, NDArray[np.float64]]:
    """Where an object was launched (latitude, longitude, rad), and east and north (m) of a stated area."""
    position, _ = o.state_at(o.launch_ns)
    latitude, longitude, _ = ecef2geodetic(*(float(v) for v in position))
    return latitude, longitude, _east_north(latitude, longitude, area.latitude_rad, area.longitude_rad)


def _east_north(
    latitude: float, longitude: float, from_latitude: float, from_longitude: float
) -> NDArray[np.float64]:
    """East and north (m) of one point on the ground from another."""
    there = np.array(geodetic2ecef(latitude, longitude, 0.0))
    here = np.array(geodetic2ecef(from_latitude, from_longitude, 0.0))
    d: NDArray[np.float64] = enu_rotation(from_latitude, from_longitude) @ (there - here)
    return d[:2]
