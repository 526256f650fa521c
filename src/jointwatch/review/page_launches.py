"""Launches as the report's page tells them: the area, the azimuth, and where from, by which evidence.

In: launch reports of a picture and what became of its burns; out: plain values in degrees, kilometres and
seconds from the exercise's start.  A place is told, never an actor, and where none is, why.
"""

from __future__ import annotations

import math
from typing import Any

from jointwatch.earth.places import DISPUTED, UNTOLD
from jointwatch.exercise.recording import PictureRecord
from jointwatch.launch.origin import ONE_SENSOR
from jointwatch.records import LaunchReport
from jointwatch.review.burning import Burned
from jointwatch.review.page_ground import seconds

CLASS_WORDS = {"space_launch": "launch to orbit"}


def words(object_class: str) -> str:
    """A class's name for people: "medium range", "aircraft"."""
    return CLASS_WORDS.get(object_class, object_class.replace("_", " "))


def launch_row(report: LaunchReport, start_ns: int) -> dict[str, Any]:
    """The launch area of a report, shown from the time of the report on: it was not known before.

    azimuth_deg and azimuth_sigma_deg: None where it is not known; sensors: 0 where that is not told.
    """
    area = report.area
    return {
        "lon": math.degrees(area.longitude_rad),
        "lat": math.degrees(area.latitude_rad),
        "a_km": area.semi_major_m / 1000.0,
        "b_km": area.semi_minor_m / 1000.0,
        "bearing_deg": math.degrees(area.bearing_rad),
        "t": seconds(report.header.measured_ns, start_ns),
        "origin": area.origin,
        "why": area.why,
        "sensors": area.sensors,
        **_azimuth(report),
    }


def _azimuth(report: LaunchReport) -> dict[str, float | None]:
    azimuth, sigma = report.area.azimuth_rad, report.area.azimuth_sigma_rad
    azimuth = None if report.withdrawn else azimuth
    return {
        "azimuth_deg": None if azimuth is None else round(math.degrees(azimuth) % 360.0, 1),
        "azimuth_sigma_deg": None if azimuth is None or sigma is None else round(math.degrees(sigma), 1),
    }


def shown_numbers(picture: PictureRecord) -> dict[str, str]:
    """For each number of a track, an alias or not, the number under which the picture shows it."""
    return {
        alias: s.number for _, of_it in picture.samples for s in of_it for alias in (*s.aliases, s.number)
    }


def origin_rows(picture: PictureRecord, burned: Burned) -> list[dict[str, Any]]:
    """What was last said of each launch area: a place, never an actor.

    evidence: "burn", "track", or "burn and track" where the track rose from a burn.  A burn that a shown
    track rose from is no row of its own, nor is what another node said of a burn that is one.  What was taken
    back is a row where nothing else is told of that launch.
    """
    told_last = {report.area.track: report for report in picture.launches}
    last = dict(sorted(told_last.items(), key=lambda of: (of[1].withdrawn != "", of[0])))
    shown = shown_numbers(picture)
    rose = {shown.get(over.track, over.track): number for number, over in burned.handed_over.items()}
    rows: dict[str, tuple[LaunchReport, str]] = {}
    for number, report in last.items():
        if shown.get(number) == number:
            rows[number] = report, "burn and track" if number in rose else "track"
    told = {burned.of[burn] for track, burn in rose.items() if track in rows and burn in burned.of}
    for number, report in last.items():
        if number not in burned.node:
            continue
        over, i = burned.handed_over.get(number), burned.of.get(number)
        has_track = over is not None and shown.get(over.track, over.track) in rows
        if not has_track and i not in told:
            rows[number] = report, "burn"
            told |= set() if i is None else {i}
    return [
        {
            "track": number,
            "class": words(report.object_class),
            "statement": statement(report),
            "why": "" if report.area.why == ONE_SENSOR else report.area.why,
            "evidence": evidence,
            "sensors": report.area.sensors,
            "probabilities": {} if report.withdrawn else dict(report.area.territories),
            **_azimuth(report),
        }
        for number, (report, evidence) in rows.items()
    ]


def statement(report: LaunchReport) -> str:
    """What is said of an origin, in words."""
    area = report.area
    if report.withdrawn:
        return f"withdrawn: {report.withdrawn}"
    if area.announced:
        return f"announced launch {area.announced}"
    if area.origin == UNTOLD:
        # how likely each territory is, is shown beside it
        return f"{UNTOLD}: {ONE_SENSOR}" if area.why == ONE_SENSOR else UNTOLD
    where = {
        "sea": "at sea",
        "elsewhere": "in no named territory",
        DISPUTED: "in disputed territory",
    }.get(area.origin, f"in {area.origin}")
    return f"launch area lies {where}"
