"""What a procedure is held against: events of launches and alerts, by the partner who had them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from jointwatch.procedures import Event, follow, load_procedure
from jointwatch.records import Alert, Header
from jointwatch.review.events import _told, procedure_events
from jointwatch.review.matching import match

Played = tuple[Any, Path]


@pytest.fixture(scope="module")
def events(small_played: Played) -> list[Event]:
    recording, _ = small_played
    return procedure_events(recording, match(recording, recording.pictures["joint"]).votes)


def test_each_launch_is_one_subject_confirmed_and_passed_on(events: list[Event]) -> None:
    for kind in ("track_confirmed", "track_received", "launch_reported"):
        found = {(e.subject, e.partner) for e in events if e.kind == kind}
        assert found == {(f"volley-{n:02d}", p) for n in (1, 2, 3) for p in ("Amber", "Blue")}, kind


def test_aircraft_are_no_launch(small_played: Played, events: list[Event]) -> None:
    recording, _ = small_played
    aircraft = {o.name for o in recording.truth.objects if o.object_class == "aircraft"}
    assert len(aircraft) == 1
    assert not aircraft & {e.subject for e in events}


def test_the_last_impact_is_the_true_one(small_played: Played, events: list[Event]) -> None:
    recording, _ = small_played
    falls = sorted(o.end_ns for o in recording.truth.objects if o.end == "impact")
    assert sorted(e.time_ns for e in events if e.kind == "last_impact") == falls


def test_events_are_in_order_and_a_procedure_can_follow_them(
    small_played: Played, events: list[Event]
) -> None:
    recording, _ = small_played
    assert [e.time_ns for e in events] == sorted(e.time_ns for e in events)
    procedure = load_procedure(recording.scenario.file(recording.scenario.procedure))
    outcomes = {o.step.done: o for o in follow(procedure, events, recording.scenario.end_ns)}
    assert outcomes["track_received"].due == 6
    assert outcomes["launch_reported"].due == 3
    assert outcomes["alert_confirmed"].due == outcomes["alert_confirmed"].done > 0
    assert outcomes["all_clear"].due == 3
    cuts = [(e.kind, (e.time_ns - recording.scenario.start_ns) / 1e9) for e in events if "link" in e.kind]
    assert cuts == [("link_cut", 60.0)] * 2 + [("link_healed", 75.0)] * 2


def message(time_ns: int, action: str, tier: str = "shelter") -> Alert:
    alert = Alert(
        header=Header(originator="A", source="a", sequence=1, measured_ns=time_ns),
        identifier=f"m{time_ns}",
        action="alert",
        tier="shelter",
        partner="A",
        zones=("z",),
        sent_ns=time_ns,
        impact_ns=time_ns,
        evidence=(),
    )
    return msgspec.structs.replace(alert, action=action, tier=tier)


def test_a_zone_is_told_from_its_first_message_until_it_is_taken_back() -> None:
    messages = [
        message(1, "alert", "early"),
        message(2, "update"),
        message(3, "update"),
        message(5, "cancel"),
        message(7, "update"),
        message(9, "all_clear"),
        message(12, "alert"),
    ]
    assert _told(messages, "z") == [(2, 5, False), (7, 9, True), (12, 2**62, False)]
    assert _told(messages, "elsewhere") == []
