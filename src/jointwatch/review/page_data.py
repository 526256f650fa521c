"""A played exercise as the one dictionary that the report's page draws (layout: `review.report`).

In: the `Recording`, its summary, and what the staffs did; out: plain values in degrees, kilometres and
seconds from the exercise's start.  Nothing is scored here.  The page carries what a person needs to see and
no more: paths are thinned to some seconds, outlines to what a screen can show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import numpy as np
import shapely

from jointwatch.assessment import Assessment, assessment_view
from jointwatch.earth.places import load_territories, outlines_in_box
from jointwatch.exercise.recording import PictureRecord, Recording
from jointwatch.exercise.truth import TruthObject
from jointwatch.procedures import StepOutcome, procedure_view
from jointwatch.records import Advisory, Alert, Zone
from jointwatch.review.burning import match_burns
from jointwatch.review.gain import joining_sentence
from jointwatch.review.page_burns import burn_rows
from jointwatch.review.page_conflicts import conflict_rows
from jointwatch.review.page_ground import ground, region, seconds
from jointwatch.review.page_groups import group_rows
from jointwatch.review.page_launches import launch_row, origin_rows, words
from jointwatch.review.page_others import others_rows
from jointwatch.review.quality_table import quality_rows
from jointwatch.warning.zones import ZoneIndex

TRUTH_STEP_S, SHORT_STEP_S, SHORT_FLIGHT_S = 5.0, 1.0, 180.0
"""Truth is drawn every 5 s, and every second for flights below three minutes."""
BORDER_DEG = 3.0
OUTLINE_DEG, ZONE_DEG = 0.01, 0.0015
"""How far a coast and a zone's outline may be moved when they are thinned out."""


def page_data(
    recording: Recording,
    summary: dict[str, Any],
    outcomes: Sequence[StepOutcome] = (),
    assessment: Assessment | None = None,
    advisories: Sequence[Advisory] = (),
) -> dict[str, Any]:
    """The page's data.  summary: with the sentence under "sentence"; outcomes: of the procedure's steps."""
    scenario, start_ns = recording.scenario, recording.scenario.start_ns
    zones = [z for p in scenario.partners for z in scenario.zones(p.name)]
    place = {zone.key: i for i, zone in enumerate(zones)}
    objects = recording.truth.objects
    box = _box(recording, zones)
    territories = load_territories({t.name: t.countries for t in scenario.territories}, scenario.path)
    value = summary["value_of_joining"]
    burned = {key: match_burns(recording, picture) for key, picture in recording.pictures.items()}
    data: dict[str, Any] = {
        "title": scenario.scenario.title,
        "sentence": summary["sentence"],
        "scenario": scenario.scenario.name,
        "seed": recording.seed,
        "start_utc": scenario.scenario.start.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "duration_s": scenario.scenario.duration_s,
        "partners": [p.name for p in scenario.partners],
        "outlines": outlines_in_box(*box, OUTLINE_DEG),
        "labels": [
            {"name": name, "lon": lon, "lat": lat} for name, lon, lat in territories.label_points(*box)
        ],
        "sensors": [
            {
                "name": s.name,
                "partner": s.partner,
                "lon": s.longitude_deg,
                "lat": s.latitude_deg,
                "range_km": s.range_max_m / 1000.0,
            }
            for s in scenario.sensors
        ],
        "satellites": [
            {
                "name": s.name,
                "partner": s.partner,
                "lon": s.longitude_deg,
                "period_s": s.period_s,
            }
            for s in scenario.satellites
        ],
        "zones": [_zone(zone) for zone in zones],
        "truth": [_flown(o, start_ns) for o in objects],
        "falls": _falls(objects, zones, start_ns),
        "pictures": {
            key: {
                "label": picture.label,
                "summary": summary["pictures"][key],
                "tracks": _tracks(picture, start_ns),
                "alerts": [_alert(a, place, start_ns) for a in picture.alerts],
                "groups": group_rows(picture, start_ns),
                "salvos": group_rows(picture, start_ns, of_burns=True),
                "burns": burn_rows(picture, burned[key], start_ns),
            }
            for key, picture in recording.pictures.items()
        },
        "quality": quality_rows(summary),
        "value_of_joining": {k: v for k, v in value.items() if k not in ("events", "by_kind")},
        "disagreements": conflict_rows(recording.pictures["joint"], recording.scenario.start_ns),
        "joining": _joining(value, {key: picture.label for key, picture in recording.pictures.items()}),
        "link": {"cuts": [[c.from_s, c.to_s] for c in scenario.link.cuts], **recording.link},
        "origins": origin_rows(recording.pictures["joint"], burned["joint"]),
        "procedure": procedure_view(outcomes, start_ns),
        "advisories": [_advisory(a) for a in advisories],
        "others": others_rows(recording.others, start_ns, scenario.end_ns),
    }
    if assessment is not None:
        data["assessment"] = assessment_view(assessment)
    return data


def _joining(value: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    """What each picture knew of every event, and when; classes in words."""
    return {
        "sentence": joining_sentence(value["by_kind"], labels),
        "by_kind": value["by_kind"],
        "events": [e | {"class": words(e["class"] or "")} for e in value["events"]],
    }


def _box(recording: Recording, zones: Sequence[Zone]) -> tuple[float, float, float, float]:
    """West, south, east, north (degrees) about sensors, zones and everything that flew but aircraft."""
    points = [(s.longitude_deg, s.latitude_deg) for s in recording.scenario.sensors]
    points += [(z.longitude_deg, z.latitude_deg) for z in zones]
    for o in recording.truth.objects:
        if o.end in ("impact", "breakup"):
            points += [ground(o.state_at(t)[0])[:2] for t in (o.launch_ns, o.end_ns)]
    x, y = np.array(points).T
    return (
        float(x.min()) - BORDER_DEG,
        float(y.min()) - BORDER_DEG,
        float(x.max()) + BORDER_DEG,
        float(y.max()) + BORDER_DEG,
    )


def _zone(zone: Zone) -> dict[str, Any]:
    """A zone with its largest part's thinned outline; a circle has none."""
    ring: list[list[float]] = []
    if zone.rings:
        largest = max((shapely.Polygon(r) for r in zone.rings), key=lambda p: p.area)
        thin = shapely.simplify(largest, ZONE_DEG)
        ring = shapely.get_coordinates(thin.exterior).round(4).tolist()[:-1]
    return {
        "key": zone.key,
        "name": zone.name,
        "partner": zone.partner,
        "shelter_s": zone.shelter_s,
        "lon": round(zone.longitude_deg, 4),
        "lat": round(zone.latitude_deg, 4),
        "ring": ring,
        "radius_m": zone.radius_m,
    }


def _flown(o: TruthObject, start_ns: int) -> dict[str, Any]:
    flight_s = (o.end_ns - o.launch_ns) * 1e-9
    step = SHORT_STEP_S if flight_s < SHORT_FLIGHT_S else TRUTH_STEP_S
    times = [o.launch_ns + round(k * step * 1e9) for k in range(math.ceil(flight_s / step))] + [o.end_ns]
    return {
        "name": o.name,
        "class": words(o.object_class),
        "raid": o.raid,
        "end": o.end,
        "path": [[seconds(t, start_ns), *ground(o.state_at(t)[0])] for t in times],
    }


def _falls(objects: Sequence[TruthObject], zones: Sequence[Zone], start_ns: int) -> list[dict[str, Any]]:
    """Every fall that endangers people about it, with the zones it strikes."""
    index = ZoneIndex(zones)
    return [
        {
            "name": o.name,
            "class": words(o.object_class),
            "raid": o.raid,
            "t": seconds(o.end_ns, start_ns),
            "lon": o.fall_lon_deg,
            "lat": o.fall_lat_deg,
            "zones": index.struck(o.fall_lon_deg, o.fall_lat_deg, o.danger_radius_m).tolist(),
        }
        for o in objects
        if o.fall_lon_deg is not None and o.fall_lat_deg is not None and o.danger_radius_m > 0.0
    ]


def _alert(alert: Alert, place: dict[str, int], start_ns: int) -> dict[str, Any]:
    return {
        "t": seconds(alert.sent_ns, start_ns),
        "action": alert.action,
        "tier": alert.tier,
        "partner": alert.partner,
        "zones": [place[key] for key in alert.zones],
        "impact_t": seconds(alert.impact_ns, start_ns),
        "reason": alert.reason,
        "id": alert.identifier,
    }


def _tracks(picture: PictureRecord, start_ns: int) -> list[dict[str, Any]]:
    """Every track that the picture held, by number: its path, its launch area and its predicted falls."""
    paths: dict[str, list[list[float]]] = {}
    for time_ns, samples in picture.samples:
        for s in samples:
            phase = max(range(3), key=lambda k: s.phases[k])
            row = [seconds(time_ns, start_ns), *ground(s.state), phase]
            paths.setdefault(s.number, []).append(row)
    launches = {report.area.track: report for report in picture.launches}
    impacts = _impacts(picture, start_ns)
    classes = {i.track: i.object_class for _, found in picture.impacts for i in found}
    tracks = []
    for number, path in sorted(paths.items()):
        report = launches.get(number)
        cruising = 2 * sum(row[4] == 2 for row in path) > len(path)
        known = report.object_class if report else classes.get(number, "")
        tracks.append(
            {
                "number": number,
                "class": "aircraft" if cruising else words(known),
                "path": path,
                "launch": launch_row(report, start_ns) if report else None,
                "impacts": [] if cruising else impacts.get(number, []),
            }
        )
    return tracks


def _impacts(picture: PictureRecord, start_ns: int) -> dict[str, list[list[float]]]:
    """Predicted falls by track number, in order of time: those at the samples and those behind alerts."""
    found: dict[str, dict[float, list[float]]] = {}
    sent = {alert.identifier: alert.sent_ns for alert in picture.alerts}
    at_alerts = [(sent[name], list(behind.values())) for name, behind in picture.alert_impacts.items()]
    for time_ns, impacts in [*picture.impacts, *at_alerts]:
        t = seconds(time_ns, start_ns)
        for impact in impacts:
            # still thrusting, it says only how far the object would reach by now: that is no fall to draw
            if not impact.reach_only and impact.time_ns > time_ns:
                found.setdefault(impact.track, {})[t] = [
                    t,
                    *region(impact),
                    seconds(impact.time_ns, start_ns),
                ]
    return {number: [rows[t] for t in sorted(rows)] for number, rows in found.items()}


def _advisory(advisory: Advisory) -> dict[str, Any]:
    return {
        "partner": advisory.partner,
        "places": list(advisory.places),
        "headline": advisory.headline,
        "text": advisory.text,
        "drafted_by": advisory.drafted_by,
        "reviewed_by": advisory.reviewed_by,
    }
