"""What a played exercise has to say to a procedure: events with a time, a kind, a subject and a partner.

In: a `Recording`, and which track was which object; out: events in order of time, for `procedures.follow`.  A
launch is one subject, whatever numbers the partners gave its burns and tracks, so these are named by the
object they were; those of aircraft, clutter and announced launches are no launch and give no event.  What the
nodes themselves tell comes from their notes; the true last impact and the cuts of the link come from the
exercise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import cast

from jointwatch.exercise.recording import Recording
from jointwatch.exercise.truth import TruthObject
from jointwatch.procedures import Event
from jointwatch.procedures.procedure import EventKind
from jointwatch.records import Alert
from jointwatch.warning.zones import ZoneIndex

TRACK_KINDS = ("track_confirmed", "track_received", "launch_reported")
ALERT_KINDS = ("danger_shown", "alert_issued", "alert_confirmed", "danger_gone", "alert_cancelled")


def procedure_events(
    recording: Recording, votes: Mapping[str, Counter[int]], burns: Mapping[str, int] | None = None
) -> list[Event]:
    """All events of the exercise, by time.

    votes: for each number of the joint picture, how often it was nearest to which object of the truth.
    burns: the object of each burn of the joint picture (`Burned.of`).
    """
    launches = _launches_by_number(recording, votes)
    objects = recording.truth.objects
    launches |= {n: objects[i].name for n, i in (burns or {}).items() if _is_launch(objects[i])}
    events = [
        *_from_notes(recording, launches),
        *_clearing(recording),
        *_link(recording),
    ]
    return sorted(events, key=lambda e: (e.time_ns, e.kind, e.partner, e.subject))


def _launches_by_number(recording: Recording, votes: Mapping[str, Counter[int]]) -> dict[str, str]:
    """The missile or rocket that each track number, alias or not, stood for."""
    objects = recording.truth.objects
    all_votes: dict[str, Counter[int]] = {}
    for _, tracks in recording.pictures["joint"].samples:
        for track in tracks:
            for alias in {track.number, *track.aliases}:
                all_votes.setdefault(alias, Counter()).update(votes.get(track.number, Counter()))
    out = {}
    for number, counts in all_votes.items():
        if counts and _is_launch(objects[counts.most_common(1)[0][0]]):
            out[number] = objects[counts.most_common(1)[0][0]].name
    return out


def _is_launch(flown: TruthObject) -> bool:
    return flown.end in ("impact", "breakup") and flown.parent is None and flown.object_class != "aircraft"


def _from_notes(recording: Recording, launches: Mapping[str, str]) -> list[Event]:
    events = []
    for note in recording.pictures["joint"].notes:
        subject = note.subject
        if note.kind in TRACK_KINDS:
            subject = launches.get(subject, "")
        elif note.kind not in ALERT_KINDS:
            continue
        if subject:
            events.append(
                Event(
                    time_ns=note.header.measured_ns,
                    kind=cast(EventKind, note.kind),
                    subject=subject,
                    partner=note.header.originator,
                )
            )
    return events


def _clearing(recording: Recording) -> list[Event]:
    """For each zone told to take shelter and struck: its true last impact, and its all clear."""
    falls = [
        (o.fall_lon_deg, o.fall_lat_deg, o.danger_radius_m, o.end_ns)
        for o in recording.truth.objects
        if o.fall_lon_deg is not None and o.fall_lat_deg is not None and o.danger_radius_m > 0.0
    ]
    events = []
    for partner in recording.scenario.partners:
        index = ZoneIndex(recording.scenario.zones(partner.name))
        struck: dict[str, list[int]] = {}
        for longitude, latitude, radius, time_ns in falls:
            for z in index.struck(longitude, latitude, radius).tolist():
                struck.setdefault(index.zones[z].key, []).append(time_ns)
        alerts = [a for a in recording.pictures["joint"].alerts if a.partner == partner.name]
        for key, times in sorted(struck.items()):
            for n, (since, until, clear) in enumerate(_told(alerts, key)):
                inside = [t for t in times if since <= t < until]
                if not inside:
                    continue
                subject = f"{index.zones[_position(index, key)].name} ({n + 1})"
                events.append(
                    Event(time_ns=max(inside), kind="last_impact", subject=subject, partner=partner.name)
                )
                if clear:
                    events.append(
                        Event(time_ns=until, kind="all_clear", subject=subject, partner=partner.name)
                    )
    return events


def _position(index: ZoneIndex, key: str) -> int:
    return next(i for i, zone in enumerate(index.zones) if zone.key == key)


def _told(alerts: list[Alert], key: str) -> list[tuple[int, int, bool]]:
    """Periods (from, to) for which a zone was told to take shelter, and whether an all clear ended each."""
    periods = []
    since: int | None = None
    for alert in alerts:
        if key not in alert.zones:
            continue
        if alert.action in ("alert", "update"):
            if alert.tier == "shelter" and since is None:
                since = alert.sent_ns
        elif since is not None:
            periods.append((since, alert.sent_ns, alert.action == "all_clear"))
            since = None
    if since is not None:
        periods.append((since, 2**62, False))
    return periods


def _link(recording: Recording) -> list[Event]:
    scenario = recording.scenario
    events = []
    for n, cut in enumerate(scenario.link.cuts):
        for kind, after_s in (("link_cut", cut.from_s), ("link_healed", cut.to_s)):
            time_ns = scenario.start_ns + round(after_s * 1e9)
            events += [
                Event(
                    time_ns=time_ns,
                    kind=cast(EventKind, kind),
                    subject=f"cut {n + 1}",
                    partner=partner.name,
                )
                for partner in scenario.partners
                if time_ns <= scenario.end_ns
            ]
    return events
