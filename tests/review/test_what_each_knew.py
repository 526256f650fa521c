"""What each picture knew of every event, and when, in exercises made by hand: each figure told beforehand.

A rocket flies from 30 s and falls on Fern Hill at 100 s (15 s to shelter).  Times are seconds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from made_recordings import FERN, MOSS, REED, SMALL, falling, flown, followed, ns, recorded, said

from jointwatch.exercise.recording import Recording
from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.exercise.scenario_tables import Cut
from jointwatch.exercise.truth import TruthObject
from jointwatch.records import Header, LaunchArea, LaunchReport, Note
from jointwatch.review.gain import KINDS, by_kind, compared, joining_sentence
from jointwatch.review.score import summarise

Played = tuple[Any, Path]
TRACK = "AMBER-0001"
LABELS = {"amber": "Amber alone", "blue": "Blue alone", "joint": "Together"}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(SMALL)


def told(scenario: Scenario, *times: tuple[float, str], zones: tuple[str, ...] = (FERN,)) -> list[Any]:
    return [said(scenario, t, action, zones, (falling(TRACK, FERN),)) for t, action in times]


def recording_of(scenario: Scenario, **said_by: list[Any]) -> tuple[Recording, TruthObject]:
    """One rocket that every picture tracks from the start; what each picture said, by key."""
    rocket = flown(scenario, "rocket", FERN, 100.0)
    recording = recorded(scenario, [rocket], {(TRACK,): rocket}, [])
    for key, messages in said_by.items():
        picture = recording.pictures[key]
        picture.alerts = [alert for alert, _ in messages]
        picture.alert_impacts = {a.identifier: {i.track: i for i in behind} for a, behind in messages}
    return recording, rocket


def value(recording: Recording) -> dict[str, Any]:
    found: dict[str, Any] = summarise(recording)["value_of_joining"]
    return found


def events(recording: Recording, kind: str) -> list[dict[str, Any]]:
    return [e for e in value(recording)["events"] if e["kind"] == kind]


def knew(event: dict[str, Any]) -> list[float | None]:
    return [event["pictures"][key]["knew_s"] for key in ("amber", "blue", "joint")]


# --- One event compared ----------------------------------------------------------------------------------


def event(amber: float | None, blue: float | None, joint: float | None, kind: str = "first_track") -> Any:
    times = {"amber": amber, "blue": blue, "joint": joint}
    return {"kind": kind, "time_s": 100.0, "pictures": {k: {"knew_s": t} for k, t in times.items()}}


@pytest.mark.parametrize(
    ("times", "outcome", "gained_s", "first"),
    [
        ((30.0, 20.0, 12.0), "gained", 8.0, ["joint"]),
        ((30.0, 20.0, 20.9), "same", -0.9, ["blue", "joint"]),
        ((30.0, 20.0, 21.0), "lost", -1.0, ["blue"]),
        ((None, None, 50.0), "gained", None, ["joint"]),
        ((None, 20.0, None), "lost", None, ["blue"]),
        ((None, None, None), "never", None, []),
        # before the event, as warnings are
        ((None, -20.0, -90.0), "gained", 70.0, ["joint"]),
    ],
)
def test_joining_gains_loses_or_leaves_as_it_was(
    times: Any, outcome: str, gained_s: float | None, first: list[str]
) -> None:
    found = compared(event(*times))
    assert (found["outcome"], found["gained_s"], found["first"]) == (outcome, gained_s, first)


def test_each_partner_alone_is_compared_by_itself() -> None:
    found = compared(event(None, 20.0, 25.0))
    assert found["outcome_over"] == {"amber": "gained", "blue": "lost"}
    assert found["gained_over_s"] == {"amber": None, "blue": -5.0}


def false_alarm(*entries: tuple[float | None, float | None]) -> dict[str, Any]:
    pictures = {
        key: {"knew_s": at, "stood_s": stood}
        for key, (at, stood) in zip(("amber", "blue", "joint"), entries, strict=True)
    }
    return compared({"kind": "needless_zone", "time_s": 0.0, "pictures": pictures})


@pytest.mark.parametrize(
    ("entries", "outcome", "gained_s"),
    [
        (((0.0, 90.0), (None, None), (None, None)), "gained", 90.0),
        (((None, None), (None, None), (0.0, 40.0)), "lost", -40.0),
        # raised by one alone and together: by how long it stood there, not by who never saw it
        (((0.0, 90.0), (None, None), (0.0, 30.0)), "gained", 60.0),
        (((0.0, 90.0), (0.0, 60.0), (0.0, 80.0)), "lost", -20.0),
        (((0.0, 90.0), (None, None), (0.0, 94.0)), "same", -4.0),
        # raised sooner is no gain
        (((50.0, 40.0), (None, None), (0.0, 90.0)), "lost", -50.0),
        # nobody ended it, or only one side did
        (((0.0, None), (None, None), (0.0, None)), "same", None),
        (((0.0, None), (None, None), (0.0, 30.0)), "gained", None),
        (((0.0, 30.0), (None, None), (0.0, None)), "lost", None),
        (((None, None), (None, None), (None, None)), "never", None),
    ],
)
def test_of_a_false_alarm_less_is_better(entries: Any, outcome: str, gained_s: float | None) -> None:
    found = false_alarm(*entries)
    assert (found["outcome"], found["gained_s"]) == (outcome, gained_s)


def test_what_is_lost_while_the_link_is_cut_is_told_apart() -> None:
    cuts = [(110.0, 130.0)]
    assert compared(event(20.0, None, 40.0), cuts)["lost_in_cut"]  # known at 120 s
    assert not compared(event(31.0, None, 40.0), cuts)["lost_in_cut"]
    assert not compared(event(20.0, None, 20.0), cuts)["lost_in_cut"]


def test_events_are_summed_up_by_kind_and_over_each_partner() -> None:
    times = ((30.0, 20.0, 12.0), (None, 20.0, 20.0), (20.0, 30.0, 60.0), (None, None, 5.0))
    found = [compared(event(*of_it)) for of_it in times]
    found.append(compared(event(9.0, None, None)))
    sums = by_kind(found)
    assert list(sums) == ["first_track"]
    of = sums["first_track"]
    assert [of[k] for k in ("events", "gained", "same", "lost", "never")] == [5, 2, 1, 2, 0]
    assert (of["only_together"], of["only_alone"]) == (1, 1)
    assert of["gained_s"] == {"median": 0.0, "worst": -40.0}  # 8, 0, -40
    amber = of["over"]["amber"]
    assert [amber[k] for k in ("gained", "same", "lost", "never")] == [3, 0, 2, 0]
    assert "error_m" not in of


def test_the_sentence_says_what_joining_lost_as_plainly_as_what_it_gained() -> None:
    found = [compared(event(30.0, 20.0, 12.0)), compared(event(20.0, None, 72.0), [(0.0, 500.0)])]
    found += [compared(event(5.0, None, None)), false_alarm((None, None), (None, None), (0.0, 9.0))]
    said = joining_sentence(by_kind(found), LABELS)
    assert "over Amber alone it gained 1 and lost 2; over Blue alone it gained 2 and lost 0" in said
    assert "1 came sooner" in said and "2 later or never" in said
    assert "launch tracked, 2 of 3 by 52 s at worst and 1 never" in said
    assert "1 of all these first known while the link was cut" in said
    assert "Of 1 false alarms" in said and "avoided or shortened 0, and 1 were raised only together" in said
    assert joining_sentence({}, LABELS) == ""
    silent = by_kind([false_alarm((None, None), (None, None), (None, None))])
    assert joining_sentence(silent, LABELS) == "No picture raised a false alarm."


# --- Gathered from a recording ---------------------------------------------------------------------------


def test_a_struck_zone_says_when_each_picture_told_it_and_with_what_margin(scenario: Scenario) -> None:
    recording, _ = recording_of(
        scenario, amber=told(scenario, (90.0, "alert")), joint=told(scenario, (60.0, "alert"))
    )
    (zone,) = events(recording, "zone_struck")
    assert (zone["object"], zone["zone"], zone["partner"]) == ("rocket", "Fern Hill", "Amber")
    assert (zone["time_s"], zone["shelter_s"]) == (100.0, 15.0)
    assert knew(zone) == [-10.0, None, -40.0]
    assert zone["pictures"]["amber"] | {"knew_s": 0} == {
        "knew_s": 0, "lead_s": 10.0, "margin_s": -5.0, "in_time": False,
    }  # fmt: skip
    assert zone["pictures"]["joint"]["in_time"]
    assert (zone["outcome"], zone["gained_s"]) == ("gained", 30.0)
    assert zone["gained_over_s"] == {"amber": 30.0, "blue": None}


def test_a_message_withdrawn_before_the_strike_is_no_knowledge_of_it(scenario: Scenario) -> None:
    recording, _ = recording_of(
        scenario,
        blue=told(scenario, (50.0, "alert")),
        joint=told(scenario, (50.0, "alert"), (90.0, "cancel")),
    )
    (zone,) = events(recording, "zone_struck")
    assert knew(zone) == [None, -50.0, None]
    assert (zone["outcome"], zone["gained_s"], zone["first"]) == ("lost", None, ["blue"])


def test_an_alert_is_timed_from_the_launch_with_the_error_of_the_fall_foretold(scenario: Scenario) -> None:
    far = [said(scenario, 70.0, "alert", (FERN,), (falling(TRACK, FERN, north_m=2000.0),))]
    recording, _ = recording_of(scenario, joint=far)
    (alert,) = events(recording, "shelter_alert")
    assert knew(alert) == [None, None, 40.0]
    joint = alert["pictures"]["joint"]
    assert (joint["track"], joint["zone"], joint["in_90"]) == (TRACK, "Fern Hill", False)
    assert joint["error_m"] == pytest.approx(2000.0, rel=0.01)
    assert alert["pictures"]["amber"]["error_m"] is None
    sums = value(recording)["by_kind"]["shelter_alert"]
    assert sums["error_m"] == {"amber": None, "blue": None, "joint": joint["error_m"]}


def test_a_track_is_timed_by_the_nodes_note_else_by_the_first_sample(scenario: Scenario) -> None:
    recording, rocket = recording_of(scenario)
    recording.pictures["blue"].samples = [
        (t, [] if t < ns(scenario, 60.0) else tracks)
        for t, tracks in followed(scenario, {("BLUE-0004",): rocket})
    ]
    for key, kind, at in (("amber", "track_confirmed", 41.5), ("joint", "track_ended", 33.0)):
        header = Header(originator="Amber", source="test", sequence=1, measured_ns=ns(scenario, at))
        recording.pictures[key].notes.append(Note(header=header, kind=kind, subject=TRACK, partner="Amber"))
    (track,) = events(recording, "first_track")
    assert (track["object"], track["class"], track["time_s"]) == ("rocket", "heavy_rocket", 30.0)
    assert knew(track) == [11.5, 30.0, 0.0]
    assert track["pictures"]["amber"]["track"] == TRACK


def test_a_reported_launch_says_class_and_error_and_no_place(scenario: Scenario) -> None:
    recording, rocket = recording_of(scenario)
    area = LaunchArea(
        track=TRACK, time_ns=rocket.launch_ns, time_sigma_s=1.0, latitude_rad=np.radians(31.0 + 3000 / 111e3),
        longitude_rad=np.radians(42.0), semi_major_m=2000.0, semi_minor_m=2000.0, bearing_rad=0.0,
        territories={"Slate": 1.0}, origin="Slate",
    )  # fmt: skip
    for at in (58.0, 70.0):
        header = Header(originator="Amber", source="test", sequence=1, measured_ns=ns(scenario, at))
        report = LaunchReport(
            header=header, object_class="short_range", classes={}, area=area, impact=falling(TRACK, FERN)
        )
        recording.pictures["joint"].launches.append(report)
    (launch,) = events(recording, "launch_report")
    assert knew(launch) == [None, None, 28.0]
    assert launch["pictures"]["joint"]["class"] == "short_range"
    assert launch["pictures"]["joint"]["error_m"] == pytest.approx(3000.0, rel=0.02)
    assert "Slate" not in json.dumps(launch)


def test_a_zone_told_without_need_is_one_event_with_how_long_it_stood(scenario: Scenario) -> None:
    recording, _ = recording_of(
        scenario,
        amber=told(scenario, (60.0, "alert"), (90.0, "all_clear"), zones=(MOSS,)),
        joint=told(scenario, (65.0, "alert"), (72.0, "cancel"), zones=(MOSS, FERN)),
        blue=told(scenario, (80.0, "alert"), zones=(REED,)),
    )
    moss, reed = events(recording, "needless_zone")  # Fern Hill was struck
    assert (moss["zone"], moss["time_s"], moss["object"]) == ("Moss Ford", 60.0, "rocket")
    assert knew(moss) == [0.0, None, 5.0]
    assert moss["pictures"]["amber"] == {"knew_s": 0.0, "stood_s": 30.0, "withdrawn": False, "times": 1}
    assert moss["pictures"]["joint"] == {"knew_s": 5.0, "stood_s": 7.0, "withdrawn": True, "times": 1}
    assert (moss["outcome"], moss["gained_s"]) == ("gained", 23.0)
    # nobody took it back: it stood to the exercise's end
    assert (reed["zone"], reed["outcome"]) == ("Reed Bank", "gained")
    assert reed["gained_s"] == scenario.scenario.duration_s - 80.0


def test_the_same_clutter_in_two_pictures_is_one_false_track(scenario: Scenario) -> None:
    recording, rocket = recording_of(scenario)
    here = flown(scenario, "nothing", REED, 60.0, start=(30.0, 42.5, 9e3))
    there = flown(scenario, "nothing", REED, 60.0, start=(32.0, 42.5, 9e3))
    for key, tracks in (
        ("amber", {("AMBER-0007",): here}),
        ("joint", {("AMBER-0011",): here, ("AMBER-0012",): there}),
    ):
        recording.pictures[key].samples = followed(scenario, {(TRACK,): rocket} | tracks)
    both, only_joint = sorted(events(recording, "false_track"), key=lambda e: e["outcome"], reverse=True)
    assert [both["pictures"][k]["track"] for k in ("amber", "blue", "joint")] == [
        "AMBER-0007", None, "AMBER-0011",
    ]  # fmt: skip
    assert (both["outcome"], only_joint["outcome"]) == ("same", "lost")
    assert only_joint["pictures"]["joint"] == {"knew_s": 0.0, "stood_s": 30.0, "track": "AMBER-0012"}


def test_two_tracks_of_one_picture_are_never_one_event(scenario: Scenario) -> None:
    recording, rocket = recording_of(scenario)
    here = flown(scenario, "nothing", REED, 60.0, start=(30.0, 42.5, 9e3))
    for key, numbers in (("amber", ["AMBER-0007"]), ("joint", ["AMBER-0011", "AMBER-0012"])):
        tracks = {(number,): here for number in numbers}
        recording.pictures[key].samples = followed(scenario, {(TRACK,): rocket} | tracks)
    assert sorted(e["outcome"] for e in events(recording, "false_track")) == ["lost", "same"]


@pytest.mark.parametrize(
    ("object_class", "kind"), [("aircraft", "aircraft"), ("space_launch", "announced_launch")]
)
def test_an_alarm_about_what_is_no_danger_is_told_of_the_picture_that_raised_it(
    scenario: Scenario, object_class: str, kind: str
) -> None:
    recording, rocket = recording_of(scenario)
    harmless = flown(scenario, "harmless", REED, 100.0, end="left", start=(30.0, 42.5, 9e3))
    object.__setattr__(harmless, "object_class", object_class)
    recording.truth = type(recording.truth)(scenario.start_ns, [rocket, harmless])
    for picture in recording.pictures.values():
        picture.samples = followed(scenario, {(TRACK,): rocket, ("AMBER-0002",): harmless})
    (quiet,) = events(recording, kind)
    assert (quiet["outcome"], knew(quiet)) == ("never", [None, None, None])
    # named in a take-shelter message, and adding no danger to it: no alarm; in an early notice it is one
    for key, tier, at in (("joint", "shelter", 50.0), ("amber", "early", 55.0)):
        alert, _ = said(scenario, at, "alert", (FERN,))
        alert = msgspec.structs.replace(alert, tier=tier, evidence=(("AMBER-0002", 0.0),))
        recording.pictures[key].alerts = [alert]
        recording.pictures[key].alert_impacts = {alert.identifier: {}}
    (raised,) = events(recording, kind)
    assert (raised["outcome"], knew(raised)) == ("gained", [25.0, None, None])


def test_a_break_up_says_how_long_each_picture_left_its_alert_standing(scenario: Scenario) -> None:
    broken = flown(scenario, "broken", MOSS, 80.0, end="breakup", fall_s=120.0)
    behind = (falling(TRACK, MOSS),)
    alert = said(scenario, 70.0, "alert", (MOSS,), behind)
    recording = recorded(
        scenario,
        [broken],
        {(TRACK,): broken},
        [alert, said(scenario, 86.0, "cancel", (MOSS,))],
        [alert, said(scenario, 95.0, "cancel", (MOSS,))],
    )
    (event,) = events(recording, "breakup")
    assert (event["object"], event["time_s"], knew(event)) == ("broken", 80.0, [0.0, None, 0.0])
    assert [event["pictures"][k]["stood_s"] for k in ("amber", "joint")] == [15.0, 6.0]
    assert (event["outcome"], event["gained_s"]) == ("gained", 9.0)


def test_a_loss_in_a_cut_of_the_link_is_counted(scenario: Scenario) -> None:
    recording, _ = recording_of(
        scenario, amber=told(scenario, (60.0, "alert")), joint=told(scenario, (80.0, "alert"))
    )
    for cuts, lost in (([], 0), ([Cut(from_s=55.0, to_s=79.0)], 1)):
        link = msgspec.structs.replace(scenario.link, cuts=tuple(cuts))
        recording.scenario = msgspec.structs.replace(scenario, link=link)
        sums = value(recording)["by_kind"]["zone_struck"]
        assert (sums["lost"], sums["lost_in_cut"]) == (1, lost)


# --- The summary of a real play --------------------------------------------------------------------------


def test_the_summary_holds_every_event_and_sums_that_add_up(small_played: Played) -> None:
    recording, _ = small_played
    summary = summarise(recording)
    found = summary["value_of_joining"]
    json.dumps(found, allow_nan=False)
    assert {"zones_saved", "lead_seconds_gained", "false_zones_avoided"} <= set(found)  # the totals stay
    keys = {
        "kind",
        "object",
        "class",
        "zone",
        "partner",
        "time_s",
        "pictures",
        "first",
        "outcome",
        "gained_s",
    }
    keys |= {"outcome_over", "gained_over_s", "lost_in_cut"}
    for e in found["events"]:
        assert keys <= set(e)
        assert e["outcome"] in ("gained", "same", "lost", "never")
        assert list(e["pictures"]) == list(recording.pictures)
        assert all("knew_s" in entry for entry in e["pictures"].values())
        assert set(e["gained_over_s"]) == set(e["outcome_over"]) == {"amber", "blue"}
        if KINDS[e["kind"]].false_alarm:
            assert all("stood_s" in entry for entry in e["pictures"].values())
    order = [list(KINDS).index(e["kind"]) for e in found["events"]]
    assert order == sorted(order)
    sums = found["by_kind"]
    for kind, of in sums.items():
        mine = [e for e in found["events"] if e["kind"] == kind]
        assert of["events"] == len(mine) == sum(of[k] for k in ("gained", "same", "lost", "never"))
    truth = summary["truth"]
    assert sums["first_track"]["events"] == sums["launch_report"]["events"] == truth["launches"]
    assert sums["zone_struck"]["events"] == truth["struck"]
    assert sums["aircraft"]["events"] == truth["aircraft"]
    for key, picture in summary["pictures"].items():
        told_here = [
            e
            for e in found["events"]
            if e["kind"] == "needless_zone" and e["pictures"][key]["knew_s"] is not None
        ]
        assert len(told_here) == picture["zones"]["false"]
        in_time = [e for e in found["events"] if e["kind"] == "zone_struck" and e["pictures"][key]["in_time"]]
        assert len(in_time) >= picture["zones"]["warned_in_time"]
