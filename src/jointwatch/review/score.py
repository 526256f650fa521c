"""Scoring a played exercise: each picture against the truth, and what joining was worth.

In: a `Recording`; out: the summary of DESIGN 13 (SI units, null where not applicable), one entry a picture.
Every picture is scored on both partners' zones.  Definitions:
    struck        a zone within an object's danger radius of its true fall
    feasible      before the fall less the zone's time to shelter less 10 s, the sensors *of that picture* had
                  five looks at the object with probability of detection 0.5 or more
    feasible_any  the same, with the sensors of all partners: the zones that pictures are compared on, of
                  which each warned some in time and some late, and missed the others
    in time       told to take shelter at least its time to shelter before the fall, not withdrawn before it
    lead          from that message to the fall; 0 where the zone was not told before the fall
    needless      told to take shelter, and not struck
Feasible is what radars make so: a satellite alone begins no take-shelter alert, so its looks count for none.
Launches (`first_launch_report_s`, `launch_error_m`, `origin`) are those told of by a burn or by a track.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jointwatch.exercise.recording import PictureRecord, Recording
from jointwatch.exercise.scenario import Scenario
from jointwatch.exercise.sensors import GOOD_LOOK, looks
from jointwatch.exercise.truth import TruthObject
from jointwatch.review.accuracy import fall_errors, is_fired, launch_errors
from jointwatch.review.against_bound import flights
from jointwatch.review.burning import Burned, match_burns
from jointwatch.review.joining import value_by_event
from jointwatch.review.load import shed_under_load
from jointwatch.review.matching import Matched, match
from jointwatch.review.quality import quality
from jointwatch.review.strikes import LOOKS, S, Strike, first_strikes, told
from jointwatch.review.withdrawal import withdrawn_alerts


def summarise(recording: Recording) -> dict[str, Any]:
    """The summary of a recording: the keys of DESIGN 13, and the counts behind the figures."""
    scenario, truth = recording.scenario, recording.truth
    zones = [z for p in scenario.partners for z in scenario.zones(p.name)]
    every = looks(scenario, truth, recording.seed, least=0.0)
    seen = [[look for look in of_it if look[2] >= GOOD_LOOK] for of_it in every]
    sensors = scenario.sensor_records()
    strikes = first_strikes(truth.objects, zones, seen)
    fired = [i for i, o in enumerate(truth.objects) if is_fired(o)]
    visible = {i for i in fired if len(seen[i]) >= LOOKS}
    feasible = [s for s in strikes if s.feasible(range(len(sensors)))]
    missiles = [i for i, o in enumerate(truth.objects) if o.object_class != "aircraft"]
    sampled = sorted({t for picture in recording.pictures.values() for t, _ in picture.samples})
    flown = flights(truth, missiles, every, sensors, sampled)
    pictures, leads, matched, burned, withdrawn = {}, {}, {}, {}, {}
    for key, picture in recording.pictures.items():
        own = {i for i, s in enumerate(sensors) if s.partner in picture.partners}
        mine = {i for i in fired if sum(k in own for _, k, _ in seen[i]) >= LOOKS}
        of_it = matched[key] = match(recording, picture)
        burns = burned[key] = match_burns(recording, picture)
        pictures[key] = _picture(recording, picture, of_it, burns, strikes, feasible, fired, mine, own)
        pictures[key] |= quality(recording, picture, of_it, flown, own)
        leads[key] = _leads(told_periods(picture), feasible)
        withdrawn[key] = withdrawn_alerts(recording, picture, of_it.object_of(), seen, zones)
    latency = recording.latency_ms
    return {
        "scenario": scenario.scenario.name,
        "title": scenario.scenario.title,
        "seed": recording.seed,
        "truth": {
            "launches": len(fired),
            "visible": len(visible),
            "aircraft": sum(o.object_class == "aircraft" for o in truth.objects),
            "objects": len(truth.objects),
            "struck": len(strikes),
            "feasible_any": len(feasible),
        },
        "pictures": pictures,
        "value_of_joining": _value(pictures, leads)
        | {"lead_seconds_lost_beyond_link": _lost(scenario, feasible, leads)}
        | value_by_event(recording, matched, burned, strikes, withdrawn, zones),
        "withdrawn": withdrawn["joint"],
        "disagreements": dict(
            sorted(Counter(d.kind for d in recording.pictures["joint"].disagreements if not d.over).items())
        ),
        "latency_ms": {
            "median": float(np.median(latency)) if latency else None,
            "p99": float(np.quantile(latency, 0.99)) if latency else None,
        },
        "link": dict(recording.link),
        "load": shed_under_load(recording),
        "digests": dict(recording.digests),
        "wall_s": recording.wall_s,
        "simulated_s": scenario.scenario.duration_s,
    }


def _picture(
    recording: Recording,
    picture: PictureRecord,
    matched: Matched,
    burned: Burned,
    strikes: list[Strike],
    feasible: list[Strike],
    fired: list[int],
    mine: set[int],
    sensors: set[int],
) -> dict[str, Any]:
    """Summary of one picture.

    feasible: the strikes that any sensor could see in time; mine: the objects that this picture's own sensors
    (by index) could see.
    """
    objects = recording.truth.objects
    of = matched.object_of()
    false_tracks = matched.false_tracks()
    periods = told_periods(picture)
    struck_keys = {s.zone.key for s in strikes}
    own = [s for s in feasible if s.feasible(sensors)]
    leads = _leads(periods, feasible)
    margins = {s.index: leads[s.index] - s.zone.shelter_s for s in feasible}
    in_time = [s for s in feasible if leads[s.index] > 0.0 and margins[s.index] >= 0.0]
    late = [s for s in feasible if leads[s.index] > 0.0 and margins[s.index] < 0.0]
    saved = {s.index for s in in_time}
    falls = list(fall_errors(recording, picture, of).values())
    errors = [f.error_m for f in falls]
    of_launch = of | burned.of
    launches = launch_errors(recording, picture, of_launch)
    reported = _first_reports(picture, of_launch)
    reports = [(reported[i] - objects[i].launch_ns) / S for i in fired if i in reported]
    first = [(matched.first_ns[i] - objects[i].launch_ns) / S for i in fired if i in matched.first_ns]
    nees = [e.nees for e in matched.errors]
    unfounded = sum(a.tier == "shelter" and not _well_founded(a, of, objects) for a in picture.alerts)
    return {
        "detected": sum(i in matched.first_ns for i in fired),
        "detected_of_visible": [sum(i in matched.first_ns for i in mine), len(mine)],
        "undetected": [objects[i].name for i in sorted(mine) if i not in matched.first_ns],
        "missed": sum(i not in matched.first_ns for i in fired),
        "false_tracks": len(false_tracks),
        "false_ballistic_tracks": sum(n in matched.ballistic for n in false_tracks),
        "track_swaps": matched.swaps,
        "gospa_m": _mean(matched.gospa_m),
        "nees": _mean(nees),
        "nees_median": _quantile(nees, 0.5),
        "first_track_s": _spread(first, "max"),
        "first_launch_report_s": _spread(reports, "max"),
        "burns": burned.figures(),
        "impact_error_m": {"median": _quantile(errors, 0.5), "p90": _quantile(errors, 0.9)},
        "impact_coverage_50": _mean([f.in_50 for f in falls]),
        "impact_coverage_90": _mean([f.in_90 for f in falls]),
        "launch_error_m": {
            "median": _quantile(launches["error"], 0.5),
            "p90": _quantile(launches["error"], 0.9),
        },
        "launch_coverage_90": _mean(launches["in_90"]),
        "origin": launches["origin"],
        "zones": {
            "struck": len(strikes),
            "feasible": len(own),
            "feasible_in_time": sum(s.index in saved for s in own),
            "feasible_any": len(feasible),
            "warned_in_time": len(in_time),
            "late": len(late),
            "missed": len(feasible) - len(in_time) - len(late),
            "told": len(periods),
            "false": len(periods.keys() - struck_keys),
            "told_twice": sum(len(spans) > 1 for spans in periods.values()),
            "missed_names": sorted(
                f"{s.zone.name} ({objects[s.object].name})" for s in feasible if s.index not in saved
            ),
        },
        "lead_time_s": _spread([leads[s.index] for s in feasible], "min"),
        "margin_s": _spread([margins[s.index] for s in in_time], "min"),
        "alerts": sum(a.action in ("alert", "update") and a.tier == "shelter" for a in picture.alerts),
        "early_notices": sum(a.action in ("alert", "update") and a.tier == "early" for a in picture.alerts),
        "cancelled": sum(a.action == "cancel" for a in picture.alerts),
        "alerts_from_clutter_or_aircraft": unfounded,
    }


def _first_reports(picture: PictureRecord, of: dict[str, int]) -> dict[int, int]:
    """When (ns) a launch was first told of, by its object.  of: the object of each track and burn."""
    first: dict[int, int] = {}
    for report in picture.launches:
        i = of.get(report.area.track)
        if i is not None:
            first[i] = min(first.get(i, report.header.measured_ns), report.header.measured_ns)
    return first


def told_periods(picture: PictureRecord) -> dict[str, list[tuple[int, int]]]:
    """For each zone told to take shelter, the periods (from, to; ns) for which it was."""
    return {zone: [(p.since_ns, p.until_ns) for p in periods] for zone, periods in told(picture).items()}


def _leads(told: dict[str, list[tuple[int, int]]], strikes: Iterable[Strike]) -> dict[int, float]:
    """Lead (s) of each strike by its zone's index; 0 where the zone was not told."""
    return {s.index: _lead(told.get(s.zone.key, []), s) for s in strikes}


def _lead(periods: list[tuple[int, int]], strike: Strike) -> float:
    """Seconds from the message in force at the fall to the fall; 0 if none was."""
    for since, until in periods:
        if since <= strike.time_ns < until:
            return (strike.time_ns - since) / S
    return 0.0


def _well_founded(alert: Any, of: dict[str, int], objects: list[TruthObject]) -> bool:
    """Whether some track behind a shelter message was a missile, rocket or part of one."""
    if alert.action not in ("alert", "update"):
        return True
    behind = [objects[of[t]] for t, p in alert.evidence if t in of and p > 0.0]
    return any(o.object_class != "aircraft" for o in behind)


def _value(pictures: dict[str, dict[str, Any]], leads: dict[str, dict[int, float]]) -> dict[str, Any]:
    """What joining bought against the better partner alone, figure by figure and zone by zone."""
    alone = [k for k in pictures if k != "joint"]
    joint = pictures["joint"]
    zone_gain = [leads["joint"][z] - max(leads[k][z] for k in alone) for z in leads["joint"]]
    needless = [pictures[k]["zones"]["false"] for k in alone]
    return {
        "zones_saved": joint["zones"]["warned_in_time"]
        - max(pictures[k]["zones"]["warned_in_time"] for k in alone),
        "zones_saved_over": {
            k: joint["zones"]["warned_in_time"] - pictures[k]["zones"]["warned_in_time"] for k in alone
        },
        "lead_seconds_gained": _difference(
            joint["lead_time_s"]["median"], [pictures[k]["lead_time_s"]["median"] for k in alone]
        ),
        "lead_seconds_gained_over": {
            k: _difference(joint["lead_time_s"]["median"], [pictures[k]["lead_time_s"]["median"]])
            for k in alone
        },
        "zone_lead_gain_s": {"median": _quantile(zone_gain, 0.5), "worst": min(zone_gain, default=None)},
        "false_zones_avoided": max(needless) - joint["zones"]["false"],
        "detected_more": joint["detected"] - max(pictures[k]["detected"] for k in alone),
    }


def _lost(scenario: Scenario, strikes: Sequence[Strike], leads: dict[str, dict[int, float]]) -> float | None:
    """Median lead (s) that joining lost to the better partner alone, beyond what the link took.

    A shadow tells both partners' zones as if there were no link to cross.  What it told while the link was
    down could cross it only once that was up again; all else takes the link's delay.
    """
    if not strikes:
        return None
    delay = scenario.link.delay_s

    def crossed(strike: Strike, lead: float) -> float:
        if lead <= 0.0:
            return 0.0
        told = (strike.time_ns - scenario.start_ns) / S - lead
        for cut in scenario.link.cuts:
            if cut.from_s <= told < cut.to_s:
                told = cut.to_s
        return float(max((strike.time_ns - scenario.start_ns) / S - told - delay, 0.0))

    better = max(
        float(np.median([crossed(s, leads[k][s.index]) for s in strikes])) for k in leads if k != "joint"
    )
    return max(0.0, round(better - float(np.median([leads["joint"][s.index] for s in strikes])), 6))


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _quantile(values: list[float], share: float) -> float | None:
    return float(np.quantile(values, share)) if values else None


def _spread(values: list[float], end: str) -> dict[str, float | None]:
    extreme = (max if end == "max" else min)(values, default=None)
    return {end: extreme, "median": _quantile(values, 0.5)}


def _difference(value: float | None, others: list[float | None]) -> float | None:
    known = [o for o in others if o is not None]
    return None if value is None or not known else value - max(known)
