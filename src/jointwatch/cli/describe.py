"""The commands that say what a file holds: check, zones, assess."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jointwatch.records.errors import BadInput
from jointwatch.records.sensing import RADAR

if TYPE_CHECKING:
    from jointwatch.exercise.scenario import Scenario
    from jointwatch.exercise.scenario_tables import SatelliteEntry, SensorEntry
    from jointwatch.records import Zone


def describe_scenario(path: Path) -> list[str]:
    """What the scenario at `path` will do, line by line; BadInput naming the key that is wrong."""
    from jointwatch.exercise.nodes import node_configs
    from jointwatch.exercise.scenario import load_scenario
    from jointwatch.exercise.truth import make_truth
    from jointwatch.joint.sharing_words import describe as describe_rules
    from jointwatch.review.after_action import staff_work
    from jointwatch.warning.policy import describe as describe_policy

    s = load_scenario(path)
    configs = node_configs(s)
    partners = [p.name for p in s.partners]
    procedure, assessment = staff_work(s)
    # flown once: only then is it known whether every raid can reach what it is sent to
    truth = make_truth(s, s.seed)
    falls_ns = [o.end_ns for o in truth.objects if o.end == "impact" and o.parent is None]
    about = s.scenario
    lines = [f"{about.name}: {about.title}"]
    lines.append(
        f"  starts {about.start:%Y-%m-%d %H:%M:%S} UTC, plays {about.duration_s:g} s, seed {about.seed}"
    )
    for partner in partners:
        zones = configs[partner].zones
        mine = [e for e in s.sensors if e.partner == partner]
        eyes = [e for e in s.satellites if e.partner == partner]
        shelter = sorted({z.shelter_s for z in zones})
        lines.append(
            f"{partner}: {_count(len(mine) + len(eyes), 'sensor')}, {_count(len(zones), 'zone')} to warn"
        )
        lines.append(f"  times to shelter {shelter[0]:g} to {shelter[-1]:g} s")
        lines += [f"  {line}" for line in describe_policy(configs[partner].policy)]
        for e in mine:
            lines.append(
                f"  {e.name}: radar to {e.range_max_m / 1000:g} km, every {e.period_s:g} s in "
                f"{_count(e.sectors, 'sector')}, detects with probability {e.detection:g}, "
                f"{e.clutter_per_scan:g} false plots a scan{_unusual(e)}"
            )
        for eye in eyes:
            lines.append(
                f"  {eye.name}: infrared in orbit {_over(eye, s)}, every {eye.period_s:g} s, to "
                f"{eye.sigma_urad:g} microradians, detects with probability "
                f"{eye.detection:g} above clouds of up to {eye.cloud_km:g} km, "
                f"{eye.clutter_per_scan:g} false plots a scan"
            )
        lines += [f"  {line}" for line in describe_rules(configs[partner].sharing, partner, partners)]
    tracking = s.tracking
    lines.append(
        f"Tracks: {tracking.false_tracks_per_day:g} false a day accepted, "
        f"{_count(len(tracking.launch_grounds), 'launch ground')}"
    )
    for raid in s.raids:
        towards = " and ".join(f"{f.count} towards {f.partner}" for f in raid.falls)
        breaks = ", one of which breaks up in flight" if raid.break_up is not None else ""
        when = f"at {raid.start_s:g} s"
        if raid.count > 1:
            when = f"from {raid.start_s:g} s, one every {raid.interval_s:g} s"
        lines.append(
            f"Raid {raid.name}: {raid.count} of class {raid.object_class.replace('_', ' ')} {when}, "
            f"{towards}{breaks}"
        )
    if falls_ns:
        lines.append(f"Last fall: {(max(falls_ns) - s.start_ns) * 1e-9:.0f} s after the start")
    aircraft = sum(r.count for r in s.aircraft.routes)
    if aircraft:
        lines.append(f"Civil traffic: {aircraft} aircraft")
    if s.space_launch is not None:
        known = any(a.name == s.space_launch.name for a in s.announced)
        lines.append(f"Launch to orbit: {s.space_launch.name}, {'announced' if known else 'not announced'}")
    cuts = ", ".join(f"cut from {c.from_s:g} to {c.to_s:g} s" for c in s.link.cuts) or "never cut"
    lines.append(f"Link: {s.link.delay_s:g} s of delay, {cuts}")
    if procedure is not None:
        lines.append(f"Procedure: {procedure.name}, {_count(len(procedure.steps), 'step')}")
    if assessment is not None:
        lines.append(f"Assessment: {assessment.pooled:.0%} pooled, posture {assessment.posture}")
    return lines


def _over(eye: SatelliteEntry, scenario: Scenario) -> str:
    """What a satellite is over: one meridian, or where it is at the exercise's start and at its end."""
    from jointwatch.exercise.orbits import over

    if eye.longitude_deg is not None:
        return f"over {abs(eye.longitude_deg):g}° {'E' if eye.longitude_deg >= 0.0 else 'W'}"
    return f"over {over(eye, scenario.start_ns)}, then {over(eye, scenario.end_ns)}"


def show_zones(geojson: Path | None, at: str | None, within_m: float, full: bool, as_json: bool) -> None:
    """Print alert areas: how many by time to shelter, or those near a place, or all."""
    from jointwatch.warning.zone_files import load_areas, load_geojson_zones
    from jointwatch.warning.zones import ZoneIndex

    place = None if at is None else _place(at)
    zones: Sequence[Zone] = load_geojson_zones(geojson, "own") if geojson is not None else load_areas("own")
    total = len(zones)
    if place is not None:
        zones = [zones[i] for i in ZoneIndex(zones).struck(place[1], place[0], within_m).tolist()]
    if as_json:
        keys = ("key", "name", "longitude_deg", "latitude_deg", "shelter_s", "radius_m")
        print(json.dumps([{k: getattr(z, k) for k in keys} for z in zones], ensure_ascii=False))
        return
    if place is not None:
        print(f"{len(zones)} of {total:,} zones within {within_m:g} m of {place[0]:g}, {place[1]:g}")
    if full or place is not None:
        for z in zones:
            print(f"{z.shelter_s:5.0f} s  {z.latitude_deg:9.4f} {z.longitude_deg:9.4f}  {z.name}")
        return
    print(f"{_count(total, 'zone')}")
    for shelter_s, count in sorted(Counter(z.shelter_s for z in zones).items()):
        print(f"{shelter_s:5.0f} s to shelter  {count:6,}")


def show_assessment(path: Path, as_json: bool) -> None:
    """Print the assessment that a file leads to."""
    from jointwatch.assessment import assess, assessment_view

    result = assess(path)
    if as_json:
        print(json.dumps(assessment_view(result), ensure_ascii=False))
        return
    print(result.question)
    for name, estimate in result.partners.items():
        score = result.scores[name]
        record = "" if score is None else f", track record (Brier) {score:.2f}"
        print(f"  {name}: {estimate.probability:.0%} on {estimate.date.isoformat()}{record}")
    print(
        f"  pooled: {result.pooled:.0%}; the partners differ by {100 * result.spread_probability:.0f} points"
    )
    window = result.watch_window
    print(
        f"Posture: {result.posture} (watch window {window.from_.isoformat()} to {window.until.isoformat()})"
    )
    against = {i: a for a, i in result.conflicts} | dict(result.conflicts)
    for indicator in result.indicators:
        own = ", an own action" if indicator.own_action else ""
        other = against.get(indicator.id)
        conflict = f", contradicts {other}" if other else ""
        grade = f"{indicator.grade} {indicator.direction}{own}{conflict}"
        print(f"  {indicator.date.isoformat()} {grade}: {indicator.text}")


def _place(text: str) -> tuple[float, float]:
    """Latitude and longitude (degrees) of "LAT,LON"."""
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        latitude = longitude = math.nan
    if not (abs(latitude) <= 90.0 and abs(longitude) <= 180.0):
        raise BadInput("command line", "--at", text, "latitude,longitude in degrees, as in 32.1,34.8")
    return latitude, longitude


def _unusual(e: SensorEntry) -> str:
    """What of a sensor is not as a full radar's on a level mount is."""
    parts = []
    if missing := [m.replace("_", " ") for m in RADAR if m not in e.measures]:
        parts.append(f"measures no {' and no '.join(missing)}")
    if e.tilt_east_mrad or e.tilt_north_mrad:
        parts.append(f"leans {e.tilt_east_mrad:g} and {e.tilt_north_mrad:g} mrad about east and north")
    if e.refractivity:
        parts.append(f"sees through air of {e.refractivity:g} N-units")
    if e.light_time:
        parts.append("times its echoes when they come back")
    return "".join(f"; {part}" for part in parts)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
