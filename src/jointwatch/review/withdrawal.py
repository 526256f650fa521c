"""What became of the alert on account of an object that broke up in flight: taken back, and how soon?

In: a picture's messages, which track was which object, every object's looks; out: for the summary, one entry
a break-up.  A message is for many zones and names the tracks behind any of them, so each zone is asked for
itself: it was told on the object's account if at least half of its danger in that message came from the
object (or a fragment of it).  A zone that something else struck, threatened in the time after, or stood
behind as well is left out: its alert rightly stood.  The evidence is the second good look, of any sensor of
the picture, at a fragment: at where the object was; it is there when its sector has reached the node.  An all
clear is no withdrawal: it only says that the time of the fall is past.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from jointwatch.exercise.policies import load_policies
from jointwatch.exercise.recording import PictureRecord, Recording
from jointwatch.exercise.sensors import LATENCY_NS
from jointwatch.exercise.truth import TruthObject
from jointwatch.launch.classes import class_named
from jointwatch.records import Impact, Zone
from jointwatch.warning.spread import radius, spread_points, stated
from jointwatch.warning.zones import ZoneIndex

S = 1_000_000_000
EVIDENCE_LOOKS = 2
OTHERS_S = 30
"""What threatens a zone within so many seconds after the break-up rightly keeps its alert up."""
Looks = Sequence[Sequence[tuple[int, int, float]]]


def withdrawn_alerts(
    recording: Recording, picture: PictureRecord, of: dict[str, int], seen: Looks, zones: Sequence[Zone]
) -> list[dict[str, Any]]:
    """For each object that broke up: when, what of its alert was taken back, and how soon.

    of: the object that each track was; seen: looks by object (`exercise.sensors.looks`); zones: all that can
    be told.  Times in s: breakup_s from the exercise's start, evidence_after_s and *_cancel_after_s from the
    break-up, cancel_after_evidence_s; scan_s: period of the fastest sensor that gave the evidence.  The last
    cancel is the last *first* withdrawal of a zone.  cancel_after_danger_gone_s: the longest that a node took
    from when its own picture no longer showed the danger to taking the alert back.  Counts: zones (told when
    it broke up, on no other's account), of them zones_left (told to the end) and zones_told_again (after they
    were withdrawn); zones_told_after: others, first told after the break-up.
    """
    objects = recording.truth.objects
    index = ZoneIndex(zones)
    return [
        _withdrawn(recording, picture, of, seen, index, i)
        for i, o in enumerate(objects)
        if o.end == "breakup"
    ]


def _withdrawn(
    recording: Recording, picture: PictureRecord, of: dict[str, int], seen: Looks, index: ZoneIndex, i: int
) -> dict[str, Any]:
    objects = recording.truth.objects
    o = objects[i]
    family = {i} | {k for k, other in enumerate(objects) if other.parent == o.name}
    elsewhere = _on_others_account(recording, picture, of, index, family, o.end_ns)
    standing: set[str] = set()
    at_breakup: set[str] | None = None
    taken_back: set[str] = set()
    gone = {n.subject: n.header.measured_ns for n in picture.notes if n.kind == "danger_gone"}
    cancels: list[int] = []
    decided: list[float] = []
    left: set[str] = set()
    again: set[str] = set()
    told_after: set[str] = set()
    for a in picture.alerts:
        if a.tier != "shelter":
            continue
        if a.sent_ns > o.end_ns and at_breakup is None:
            at_breakup = set(standing)
        if a.action in ("alert", "update"):
            behind = picture.alert_impacts[a.identifier]
            told = _on_account_of(behind, of, index, family) & set(a.zones) - elsewhere
            again |= told & taken_back
            told_after |= told if at_breakup is not None else set()
            standing |= told
        else:
            ended = standing & set(a.zones)
            standing -= ended
            if at_breakup is None:
                continue  # another matter: it was whole when this was sent
            if a.action == "cancel":
                fresh = (ended & at_breakup) - taken_back
                taken_back |= fresh
                if fresh:
                    cancels.append(a.sent_ns)
                    decided.append((a.sent_ns - gone.get(a.identifier, a.sent_ns)) / S)
            else:
                left |= ended
    alerted = standing if at_breakup is None else at_breakup
    left = (left | standing) & alerted
    evidence_ns, scan_s = _evidence(recording, picture, seen, family - {i}, o.end_ns)
    first, last = min(cancels, default=None), max(cancels, default=None)
    return {
        "object": o.name,
        "breakup_s": (o.end_ns - recording.scenario.start_ns) / S,
        "alerted": bool(alerted),
        "zones": len(alerted),
        "zones_left": len(left),
        "zones_told_again": len(again),
        "zones_told_after": len(told_after - alerted),
        "evidence_after_s": _since(evidence_ns, o.end_ns),
        "scan_s": scan_s,
        "first_cancel_after_s": _since(first, o.end_ns),
        "last_cancel_after_s": _since(last, o.end_ns),
        "cancel_after_evidence_s": _since(last, evidence_ns),
        "cancel_after_danger_gone_s": max(decided, default=None),
    }


def _since(time_ns: int | None, start_ns: int | None) -> float | None:
    return None if time_ns is None or start_ns is None else (time_ns - start_ns) / S


def _dangers(impacts: Iterable[Impact], index: ZoneIndex) -> Counter[str]:
    """Summed probability of danger to each zone, by key, from predicted falls."""
    out: Counter[str] = Counter()
    for impact in impacts:
        points = spread_points(impact.latitude_rad, impact.longitude_rad, stated(impact))
        found, p = index.danger(*points, class_named(impact.object_class).danger_m)
        for z, q in zip(found.tolist(), p.tolist(), strict=True):
            out[index.zones[z].key] += q
    return out


def _on_account_of(
    impacts: dict[str, Impact], of: dict[str, int], index: ZoneIndex, family: set[int]
) -> set[str]:
    """Zones of which at least half of the danger behind a message came from a family of objects."""
    own = [impact for track, impact in impacts.items() if of.get(track) in family]
    if not own:
        return set()
    every = _dangers(impacts.values(), index)
    return {zone for zone, p in _dangers(own, index).items() if p >= 0.5 * every[zone]}


def _on_others_account(
    recording: Recording,
    picture: PictureRecord,
    of: dict[str, int],
    index: ZoneIndex,
    family: set[int],
    breakup_ns: int,
) -> set[str]:
    """Zones that other true objects struck, or whose alert was theirs as well.

    That it was where in the time after the break-up others were seen to threaten the zone; or where, while it
    was told and whole was what broke up, another came to threaten it so surely, its fall known so well, that
    it would have been told of by itself: if it is not down then, or down without an all clear, it stands
    behind the alert (`warning.policy`).  Whether it turned out to fall elsewhere meanwhile is not asked.
    """
    policies = load_policies(recording.scenario)
    of_zone = {zone.key: policies[zone.partner] for zone in index.zones}
    clear_ns = round(max(policy.clear_after_s for policy in policies.values()) * S)
    objects = recording.truth.objects
    out: set[str] = set()
    for k, other in enumerate(objects):
        if k not in family and _endangers(other):
            assert other.fall_lon_deg is not None and other.fall_lat_deg is not None
            struck = index.struck(other.fall_lon_deg, other.fall_lat_deg, other.danger_radius_m)
            out |= {index.zones[z].key for z in struck.tolist()}
    told_ns: dict[str, int] = {}
    for a in picture.alerts:
        if a.tier == "shelter" and a.action in ("alert", "update"):
            told_ns |= {zone: a.sent_ns for zone in a.zones if zone not in told_ns}
    first_ns = min([breakup_ns, *told_ns.values()])
    for time_ns, impacts in picture.impacts:
        if not first_ns <= time_ns <= breakup_ns + OTHERS_S * S:
            continue
        whole = time_ns < breakup_ns
        last_ns = breakup_ns - clear_ns if whole else breakup_ns
        theirs = [
            impact
            for impact in impacts
            if not impact.reach_only
            and impact.track in of
            and of[impact.track] not in family
            and objects[of[impact.track]].end_ns >= last_ns
            and _endangers(objects[of[impact.track]])
        ]
        if not whole:
            dangers = _dangers(theirs, index)
            out |= {zone for zone, p in dangers.items() if p >= of_zone[zone].withdraw_probability}
            continue
        for impact in theirs:
            sigma_m = stated(impact).ellipse()[0] / radius(0.9)
            out |= {
                zone
                for zone, p in _dangers([impact], index).items()
                if p >= of_zone[zone].sooner_probability
                and sigma_m <= of_zone[zone].precise_m
                and told_ns.get(zone, breakup_ns) <= time_ns
            }
    return out


def _endangers(o: TruthObject) -> bool:
    return o.fall_lon_deg is not None and o.danger_radius_m > 0.0


def _evidence(
    recording: Recording, picture: PictureRecord, seen: Looks, fragments: set[int], breakup_ns: int
) -> tuple[int | None, float | None]:
    """Time (ns) of the evidence, and the scan period (s) of the fastest sensor that gave some of it."""
    sensors = recording.scenario.sensor_records()
    # one look sees several fragments at once: it is one look
    looked = sorted(
        {
            (time_ns, k)
            for fragment in fragments
            for time_ns, k, _ in seen[fragment]
            if time_ns > breakup_ns and sensors[k].partner in picture.partners
        }
    )[:EVIDENCE_LOOKS]
    if len(looked) < EVIDENCE_LOOKS:
        return None, None
    return looked[-1][0] + LATENCY_NS, min(sensors[k].period_s for _, k in looked)
