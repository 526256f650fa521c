"""What each partner alone, and both together, knew of every event of an exercise, and when.

In: a `Recording`, and what scoring already found of it (which track was which object, strikes, withdrawals);
out: one record an event, and their sums by kind (`review.gain`), for `summary.json` and the report.  An event
is a launch, a zone struck, a break-up, or a false alarm of any picture.  A partner alone is its shadow node.
A launch is reported by its burn, as satellites see it, or by its track: the first of either counts.
Nothing is matched anew here, and nothing says where a launch came from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jointwatch.exercise.recording import SAMPLE_S, PictureRecord, Recording
from jointwatch.exercise.truth import TruthObject
from jointwatch.records import LaunchReport, Zone
from jointwatch.review.accuracy import FallError, fall_errors, is_fired, launch_error_m
from jointwatch.review.burning import Burned, same_launches, stretches
from jointwatch.review.gain import Entry, by_kind, compared
from jointwatch.review.matching import GATE_M, Matched
from jointwatch.review.strikes import OPEN_NS, S, Strike, Told, in_force, struck_zones, told
from jointwatch.warning.zones import ZoneIndex

TRACK_NOTES = ("track_confirmed", "track_received")


@dataclass
class _View:
    """What one picture knew: of objects by index, of zones by key.

    tracked, alarmed: time (ns) and number of the first track, and of the first alert on account of a track.
    reported: the first report of each launch, of a burn or of a track.
    """

    picture: PictureRecord
    matched: Matched
    burned: Burned
    of: dict[str, int]
    falls: dict[str, FallError]
    told: dict[str, list[Told]]
    tracked: dict[int, tuple[int, str]] = field(default_factory=dict)
    reported: dict[int, LaunchReport] = field(default_factory=dict)
    alarmed: dict[int, tuple[int, str]] = field(default_factory=dict)


def value_by_event(
    recording: Recording,
    matched: Mapping[str, Matched],
    burned: Mapping[str, Burned],
    strikes: Sequence[Strike],
    withdrawn: Mapping[str, Sequence[Entry]],
    zones: Sequence[Zone],
) -> Entry:
    """`events` (in order of kind and time) and `by_kind` of a recording, for the summary.

    matched, burned, withdrawn (`review.withdrawal`): by picture; zones: all that can be told.  An event:
    `kind`; `object` and `class` of the truth, `zone` and `partner` (name and owner), each None where there is
    none; `time_s` from the exercise's start; of a zone struck `shelter_s`; `pictures`, each with `knew_s`
    from that time (negative: before) and what it knew; and what `gain.compared` adds.
    """
    views = {
        key: _view(recording, picture, matched[key], burned[key])
        for key, picture in recording.pictures.items()
    }
    start_ns = recording.scenario.start_ns
    cuts = [(cut.from_s, cut.to_s) for cut in recording.scenario.link.cuts]
    found = [
        *_launches(recording, views, zones),
        *_struck(recording, views, strikes),
        *_breakups(recording, withdrawn),
        *_needless(recording, views, strikes, zones),
        *_false_tracks(views),
        *_false_launches(views),
        *_alarms(recording, views),
    ]
    events = []
    for kind, time_ns, about, pictures in found:
        event = {"kind": kind, "object": None, "class": None, "zone": None, "partner": None} | about
        event |= {"time_s": round((time_ns - start_ns) / S, 3), "pictures": pictures}
        events.append(compared(event, cuts))
    sums = by_kind(events)
    order = {kind: i for i, kind in enumerate(sums)}
    events.sort(key=lambda e: (order[e["kind"]], e["time_s"], e["object"] or "", e["zone"] or ""))
    return {"events": events, "by_kind": sums}


_Found = tuple[str, int, Entry, dict[str, Entry]]
"""Kind, true time (ns), what it is, and what each picture knew."""


def _view(recording: Recording, picture: PictureRecord, matched: Matched, burned: Burned) -> _View:
    of = matched.object_of()
    view = _View(picture, matched, burned, of, fall_errors(recording, picture, of), told(picture))
    for note in picture.notes:
        i = of.get(note.subject)
        if i is not None and note.kind in TRACK_NOTES:
            view.tracked.setdefault(i, (note.header.measured_ns, note.subject))
    of_launch = of | burned.of
    for report in picture.launches:
        i = of_launch.get(report.area.track)
        if i is not None:
            view.reported.setdefault(i, report)
    for alert in picture.alerts:
        if alert.action in ("alert", "update"):
            for track, p in alert.evidence:
                # a take-shelter message also names tracks that add nothing; an early notice gives no chances
                if track in of and (p > 0.0 or alert.tier == "early"):
                    view.alarmed.setdefault(of[track], (alert.sent_ns, track))
    return view


def _after(time_ns: int | None, event_ns: int) -> float | None:
    """Seconds from an event, to the millisecond."""
    return None if time_ns is None else round((time_ns - event_ns) / S, 3)


def _named(o: TruthObject) -> Entry:
    return {"object": o.name, "class": o.object_class}


# --- What truly happened ---------------------------------------------------------------------------------


def _launches(recording: Recording, views: Mapping[str, _View], zones: Sequence[Zone]) -> list[_Found]:
    """Of each missile or rocket: first track, launch reported, first alert to a zone that it struck."""
    index = ZoneIndex(zones)
    found: list[_Found] = []
    for i, o in enumerate(recording.truth.objects):
        if not is_fired(o):
            continue
        at = o.launch_ns
        tracks = {key: _tracked(view, i, at) for key, view in views.items()}
        found.append(("first_track", at, _named(o), tracks))
        reports = {key: _reported(view, i, o) for key, view in views.items()}
        found.append(("launch_report", at, _named(o), reports))
        struck = [zones[z] for z in struck_zones(o, index)]
        if struck:
            alerts = {key: _alerted(view, o, struck) for key, view in views.items()}
            found.append(("shelter_alert", at, _named(o), alerts))
    return found


def _tracked(view: _View, i: int, launch_ns: int) -> Entry:
    """First track by the node's own note; where no number was mostly this object, by the first sample."""
    sampled = view.matched.first_ns.get(i)
    time_ns, number = view.tracked.get(i, (sampled, None))
    return {"knew_s": _after(time_ns, launch_ns), "track": number}


def _reported(view: _View, i: int, o: TruthObject) -> Entry:
    report = view.reported.get(i)
    if report is None:
        return {"knew_s": None, "track": None, "class": None, "error_m": None}
    return {
        "knew_s": _after(report.header.measured_ns, o.launch_ns),
        "track": report.area.track,
        "class": report.object_class,
        "error_m": round(launch_error_m(o, report.area), 1),
    }


def _alerted(view: _View, o: TruthObject, struck: Sequence[Zone]) -> Entry:
    """The first message in force at the fall to a zone struck, and the predicted fall at its first alert."""
    periods = {z.name: in_force(view.told.get(z.key, []), o.end_ns) for z in struck}
    first = min(((p.since_ns, name) for name, p in periods.items() if p is not None), default=(None, None))
    fall = view.falls.get(o.name)
    return {
        "knew_s": _after(first[0], o.launch_ns),
        "zone": first[1],
        "track": fall.track if fall else None,
        "error_m": round(fall.error_m, 1) if fall else None,
        "in_90": fall.in_90 if fall else None,
    }


def _struck(recording: Recording, views: Mapping[str, _View], strikes: Sequence[Strike]) -> list[_Found]:
    """Each zone struck: the message in force at its first strike, its lead and its margin."""
    found: list[_Found] = []
    for strike in strikes:
        pictures = {}
        for key, view in views.items():
            period = in_force(view.told.get(strike.zone.key, []), strike.time_ns)
            knew = _after(period.since_ns if period else None, strike.time_ns)
            lead = None if knew is None else -knew
            margin = None if lead is None else round(lead - strike.zone.shelter_s, 3)
            pictures[key] = {
                "knew_s": knew,
                "lead_s": lead,
                "margin_s": margin,
                "in_time": margin is not None and margin >= 0.0,
            }
        about = _named(recording.truth.objects[strike.object])
        about |= {
            "zone": strike.zone.name,
            "partner": strike.zone.partner,
            "shelter_s": strike.zone.shelter_s,
        }
        found.append(("zone_struck", strike.time_ns, about, pictures))
    return found


# --- False alarms ----------------------------------------------------------------------------------------


def _breakups(recording: Recording, withdrawn: Mapping[str, Sequence[Entry]]) -> list[_Found]:
    """Of each break-up: whether an alert on its account stood, and how long until all was taken back."""
    objects = {o.name: o for o in recording.truth.objects}
    found: list[_Found] = []
    for entries in zip(*withdrawn.values(), strict=True):
        o = objects[entries[0]["object"]]
        pictures = {
            key: {
                "knew_s": 0.0 if entry["alerted"] else None,
                "stood_s": _rounded(entry["last_cancel_after_s"]) if entry["zones_left"] == 0 else None,
                "zones": entry["zones"],
                "zones_left": entry["zones_left"],
            }
            for key, entry in zip(withdrawn, entries, strict=True)
        }
        found.append(("breakup", o.end_ns, _named(o), pictures))
    return found


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _needless(
    recording: Recording, views: Mapping[str, _View], strikes: Sequence[Strike], zones: Sequence[Zone]
) -> list[_Found]:
    """Each zone told by any picture and never struck; the object, where one alone was behind the message."""
    struck = {s.zone.key for s in strikes}
    end_ns = recording.scenario.end_ns
    found: list[_Found] = []
    for zone in zones:
        periods = {key: view.told.get(zone.key, []) for key, view in views.items()}
        if zone.key in struck or not any(periods.values()):
            continue
        first, key = min((p[0].since_ns, key) for key, p in periods.items() if p)
        behind = periods[key][0].first.evidence
        objects = {views[key].of[track] for track, p in behind if p > 0.0 and track in views[key].of}
        about: Entry = {"zone": zone.name, "partner": zone.partner}
        if len(objects) == 1:
            about |= _named(recording.truth.objects[objects.pop()])
        pictures = {key: _told_without_need(p, first, end_ns) for key, p in periods.items()}
        found.append(("needless_zone", first, about, pictures))
    return found


def _told_without_need(periods: Sequence[Told], first_ns: int, end_ns: int) -> Entry:
    """How long it stood in all, an open one to the exercise's end; whether a withdrawal ended the last."""
    if not periods:
        return {"knew_s": None, "stood_s": None, "withdrawn": False, "times": 0}
    stood = sum((end_ns if p.until_ns == OPEN_NS else p.until_ns) - p.since_ns for p in periods)
    return {
        "knew_s": _after(periods[0].since_ns, first_ns),
        "stood_s": round(stood / S, 3),
        "withdrawn": periods[-1].ended == "cancel",
        "times": len(periods),
    }


def _false_tracks(views: Mapping[str, _View]) -> list[_Found]:
    """Each false track; those of two pictures are one event where they were near each other at one time.

    Pictures number their tracks apart, but the same clutter makes the same track in each.
    """
    groups: list[dict[str, tuple[str, dict[int, NDArray[np.float64]]]]] = []
    for key, view in views.items():
        false = set(view.matched.false_tracks())
        paths: dict[str, dict[int, NDArray[np.float64]]] = {number: {} for number in sorted(false)}
        for time_ns, samples in view.picture.samples:
            for sample in samples:
                if sample.number in false:
                    paths[sample.number][time_ns] = sample.state[:3]
        for number, path in paths.items():
            same = [g for g in groups if key not in g and any(_near(path, p) for _, p in g.values())]
            group = same[0] if same else {}
            if not same:
                groups.append(group)
            group[key] = number, path
    found: list[_Found] = []
    for group in groups:
        first = min(min(path) for _, path in group.values())
        pictures = {
            key: _held(*group[key], first) if key in group else _held(None, {}, first) for key in views
        }
        found.append(("false_track", first, {}, pictures))
    return found


def _held(number: str | None, path: Mapping[int, Any], first_ns: int) -> Entry:
    stood = len(path) * SAMPLE_S if path else None
    return {"knew_s": _after(min(path, default=None), first_ns), "stood_s": stood, "track": number}


def _near(path: Mapping[int, NDArray[np.float64]], other: Mapping[int, NDArray[np.float64]]) -> bool:
    return any(math.dist(place, other[t]) < GATE_M for t, place in path.items() if t in other)


def _stood_s(reports: Sequence[LaunchReport]) -> float | None:
    """How long (s) a launch stood told, from all reports of it in order; None if it does to the end."""
    if not reports[-1].withdrawn:
        return None
    told = stretches(reports)
    return round(sum(s[-1].header.measured_ns - s[0].header.measured_ns for s in told) / S, 3)


def _false_launches(views: Mapping[str, _View]) -> list[_Found]:
    """Each launch told of by a burn that was none; those of several pictures, near each other, are one event.

    One that was taken back stood for as long as it was told; another stands to the end.
    """
    told_of = [(key, n) for key, view in views.items() for n in view.burned.false]
    reports = [views[key].burned.reports[n][0] for key, n in told_of]
    owners = [f"{key} {views[key].burned.node[n]}" for key, n in told_of]
    found: list[_Found] = []
    for group in same_launches(reports, owners):
        first = min(reports[k].header.measured_ns for k in group)
        pictures: dict[str, Entry] = {key: {"knew_s": None, "stood_s": None, "track": None} for key in views}
        for k in sorted(group, key=lambda k: reports[k].header.measured_ns):
            key, number = told_of[k]
            stood = _stood_s(views[key].burned.reports[number])
            if pictures[key]["knew_s"] is None:
                knew = _after(reports[k].header.measured_ns, first)
                pictures[key] = {"knew_s": knew, "stood_s": stood, "track": number}
            elif pictures[key]["stood_s"] is not None:
                # of several nodes' of a picture the one that stood longest counts
                longest = None if stood is None else max(stood, pictures[key]["stood_s"])
                pictures[key] = {**pictures[key], "stood_s": longest}
        found.append(("false_launch", first, {}, pictures))
    return found


def _alarms(recording: Recording, views: Mapping[str, _View]) -> list[_Found]:
    """Each aircraft and each launch to orbit: whether any picture alerted on its account."""
    kinds = {"aircraft": "aircraft", "space_launch": "announced_launch"}
    found: list[_Found] = []
    for i, o in enumerate(recording.truth.objects):
        if o.parent is not None or o.object_class not in kinds:
            continue
        pictures = {}
        for key, view in views.items():
            time_ns, track = view.alarmed.get(i, (None, None))
            pictures[key] = {"knew_s": _after(time_ns, o.launch_ns), "stood_s": None, "track": track}
            if o.object_class == "space_launch":
                report = view.reported.get(i)
                pictures[key]["announced"] = report.area.announced if report else None
        found.append((kinds[o.object_class], o.launch_ns, _named(o), pictures))
    return found
