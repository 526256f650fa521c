"""Which burn was which launch, and what comes of it in the scores: exercises made by hand, told beforehand.

Rockets fly from 30 s on over the small exercise's radars.  Times are seconds.
"""

from __future__ import annotations

from typing import Any

import pytest
from made_recordings import (
    FERN,
    MOSS,
    REED,
    SMALL,
    burn_seen,
    flown,
    launch_told,
    noted,
    ns,
    recorded,
)  # fmt: skip
from msgspec.structs import replace

from jointwatch.exercise.recording import Recording
from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.exercise.truth import TruthObject
from jointwatch.records import LaunchReport
from jointwatch.review.accuracy import launch_errors
from jointwatch.review.burning import GATE_M, GATE_S, match_burns, same_launches
from jointwatch.review.events import procedure_events
from jointwatch.review.score import summarise

BURN, TRACK = "AMBER-B0001", "AMBER-0001"


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(SMALL)


def salvo(scenario: Scenario) -> list[TruthObject]:
    """Three rockets from one place, 5 s after each other."""
    return [flown(scenario, f"r{k}", FERN, 100.0 + 5 * k, launch_s=30.0 + 5 * k) for k in range(3)]


def test_burns_are_launches_one_to_one_by_place_and_time(scenario: Scenario) -> None:
    objects = salvo(scenario)
    recording = recorded(scenario, objects, {}, [])
    joint = recording.pictures["joint"]
    # each a second late, and told of in another order than they were launched
    for number, k in (("AMBER-B0001", 2), ("AMBER-B0002", 0), ("AMBER-B0003", 1)):
        burn_seen(scenario, joint, 60.0, number, objects[k], late_s=1.0, north_m=800.0)
    burned = match_burns(recording, joint)
    assert burned.of == {"AMBER-B0001": 2, "AMBER-B0002": 0, "AMBER-B0003": 1}
    assert burned.figures() == {"confirmed": 3, "matched": 3, "doubles": 0, "false": 0}


def test_the_last_report_of_a_burn_says_where_it_was(scenario: Scenario) -> None:
    objects = salvo(scenario)
    recording = recorded(scenario, objects, {}, [])
    joint = recording.pictures["joint"]
    burn_seen(scenario, joint, 50.0, BURN, objects[0])
    joint.launches.append(launch_told(scenario, 70.0, BURN, objects[2]))
    assert match_burns(recording, joint).of == {BURN: 2}


@pytest.mark.parametrize(
    ("north_m", "late_s", "what"),
    [
        (0.98 * GATE_M, 0.0, "matched"),
        (1.02 * GATE_M, 0.0, "false"),
        (0.0, 0.98 * GATE_S, "matched"),
        (0.0, -1.02 * GATE_S, "false"),
    ],
)
def test_a_burn_beyond_the_gate_of_every_launch_is_a_false_one(
    scenario: Scenario, north_m: float, late_s: float, what: str
) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    recording = recorded(scenario, [rocket], {}, [])
    joint = recording.pictures["joint"]
    burn_seen(scenario, joint, 60.0, BURN, rocket, north_m=north_m, late_s=late_s)
    figures = match_burns(recording, joint).figures()
    assert figures == {"confirmed": 1, "matched": 0, "doubles": 0, "false": 0} | {what: 1}


def test_a_second_burn_of_one_launch_is_a_double(scenario: Scenario) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    recording = recorded(scenario, [rocket], {}, [])
    joint = recording.pictures["joint"]
    burn_seen(scenario, joint, 50.0, "AMBER-B0001", rocket, north_m=4000.0)
    burn_seen(scenario, joint, 60.0, "AMBER-B0002", rocket, north_m=400.0)
    burned = match_burns(recording, joint)
    assert (burned.of, burned.doubles, burned.false) == ({"AMBER-B0002": 0}, {"AMBER-B0001": 0}, [])
    assert burned.figures() == {"confirmed": 2, "matched": 1, "doubles": 1, "false": 0}


def test_aircraft_and_parts_are_launched_by_nobody(scenario: Scenario) -> None:
    broken = flown(scenario, "broken", MOSS, 80.0, end="breakup", fall_s=120.0)
    piece = flown(scenario, "piece", MOSS, 160.0, launch_s=80.0, parent="broken", start=(31.067, 41.72, 14e3))
    aircraft = flown(scenario, "aircraft", REED, 160.0, launch_s=140.0, end="left")
    object.__setattr__(aircraft, "object_class", "aircraft")
    recording = recorded(scenario, [broken, piece, aircraft], {}, [])
    joint = recording.pictures["joint"]
    burn_seen(scenario, joint, 90.0, "AMBER-B0001", piece, late_s=30.0)
    burn_seen(scenario, joint, 150.0, "AMBER-B0002", aircraft)
    assert match_burns(recording, joint).false == ["AMBER-B0001", "AMBER-B0002"]


def test_two_linked_nodes_tell_of_one_launch_and_of_one_glint_and_it_counts_once(scenario: Scenario) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    elsewhere = flown(scenario, "nothing", FERN, 100.0, start=(35.0, 42.0, 30e3))
    recording = recorded(scenario, [rocket], {}, [])
    joint = recording.pictures["joint"]
    for by, at in (("Amber", 50.0), ("Blue", 51.0)):
        burn_seen(scenario, joint, at, f"{by.upper()}-B0001", rocket, by=by)
        burn_seen(scenario, joint, at, f"{by.upper()}-B0002", elsewhere, by=by, north_m=at)
    burned = match_burns(recording, joint)
    assert burned.of == {"AMBER-B0001": 0, "BLUE-B0001": 0}
    assert burned.false == ["AMBER-B0002", "BLUE-B0002"]
    assert burned.figures() == {"confirmed": 2, "matched": 1, "doubles": 0, "false": 1}
    # of one node two glints near each other are two
    reports = [burned.reports[n][-1] for n in burned.false]
    assert same_launches(reports, ["Amber", "Blue"]) == [[0, 1]]
    assert same_launches(reports, ["Amber", "Amber"]) == [[0], [1]]


def test_a_burn_of_which_nothing_was_told_is_confirmed_and_no_more(scenario: Scenario) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    recording = recorded(scenario, [rocket], {}, [])
    joint = recording.pictures["joint"]
    joint.notes.append(noted(scenario, 50.0, "burn_confirmed", BURN))
    joint.notes.append(noted(scenario, 70.0, "burn_became_track", BURN, TRACK))
    burned = match_burns(recording, joint)
    assert burned.figures() == {"confirmed": 1, "matched": 0, "doubles": 0, "false": 0}
    assert burned.handed_over[BURN] == (ns(scenario, 70.0), TRACK)


# --- In the scores ---------------------------------------------------------------------------------------


def reported(scenario: Scenario) -> Recording:
    """A rocket that Blue and both see burn before Amber tells of it; together the track tells last."""
    rocket = flown(scenario, "rocket", FERN, 100.0)
    recording = recorded(scenario, [rocket], {(TRACK,): rocket}, [])
    pictures = recording.pictures
    pictures["amber"].launches.append(launch_told(scenario, 75.0, TRACK, rocket, north_m=900.0))
    burn_seen(scenario, pictures["blue"], 55.0, "BLUE-B0001", rocket, by="Blue", north_m=6000.0)
    burn_seen(scenario, pictures["joint"], 48.0, BURN, rocket, north_m=3000.0, sensors=2)
    pictures["joint"].launches.append(launch_told(scenario, 70.0, TRACK, rocket, north_m=500.0))
    return recording


def test_the_first_report_of_a_launch_is_its_burns_or_its_tracks(scenario: Scenario) -> None:
    summary = summarise(reported(scenario))
    of = {key: p["first_launch_report_s"] for key, p in summary["pictures"].items()}
    assert of == {
        "amber": {"median": 45.0, "max": 45.0},
        "blue": {"median": 25.0, "max": 25.0},
        "joint": {"median": 18.0, "max": 18.0},
    }
    (event,) = [e for e in summary["value_of_joining"]["events"] if e["kind"] == "launch_report"]
    assert [event["pictures"][k]["knew_s"] for k in ("amber", "blue", "joint")] == [45.0, 25.0, 18.0]
    assert event["pictures"]["joint"]["track"] == BURN
    assert event["pictures"]["joint"]["error_m"] == pytest.approx(3000.0, rel=0.01)
    assert (event["outcome"], event["gained_s"]) == ("gained", 7.0)
    assert summary["pictures"]["joint"]["burns"] == {"confirmed": 1, "matched": 1, "doubles": 0, "false": 0}
    assert summary["pictures"]["amber"]["burns"]["confirmed"] == 0


def test_the_last_report_of_a_launch_is_scored(scenario: Scenario) -> None:
    pictures = summarise(reported(scenario))["pictures"]
    errors = {key: p["launch_error_m"]["median"] for key, p in pictures.items()}
    assert errors == pytest.approx({"amber": 900.0, "blue": 6000.0, "joint": 500.0}, rel=0.01)
    recording = reported(scenario)
    joint = recording.pictures["joint"]
    # of a burn without a track the burn's own report counts
    (error,) = launch_errors(recording, joint, match_burns(recording, joint).of)["error"]
    assert error == pytest.approx(3000.0, rel=0.01)


def test_without_reports_nothing_is_told(scenario: Scenario) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    joint = summarise(recorded(scenario, [rocket], {(TRACK,): rocket}, []))["pictures"]["joint"]
    assert joint["first_launch_report_s"] == {"median": None, "max": None}


def test_a_glint_told_of_by_two_pictures_is_one_false_alarm(scenario: Scenario) -> None:
    recording = reported(scenario)
    nothing = flown(scenario, "nothing", FERN, 100.0, start=(35.0, 42.0, 30e3))
    burn_seen(scenario, recording.pictures["amber"], 60.0, "AMBER-B0007", nothing)
    burn_seen(scenario, recording.pictures["joint"], 52.0, "AMBER-B0009", nothing, north_m=700.0)
    burn_seen(scenario, recording.pictures["joint"], 53.0, "BLUE-B0004", nothing, by="Blue")
    (event,) = [e for e in summarise(recording)["value_of_joining"]["events"] if e["kind"] == "false_launch"]
    assert [event["pictures"][k]["knew_s"] for k in ("amber", "blue", "joint")] == [8.0, None, 0.0]
    assert event["pictures"]["joint"]["track"] == "AMBER-B0009"
    assert event["outcome"] == "same"  # both told it, and neither took it back


def test_a_false_launch_stood_for_as_long_as_it_was_told(scenario: Scenario) -> None:
    recording = reported(scenario)
    nothing = flown(scenario, "nothing", FERN, 100.0, start=(35.0, 42.0, 30e3))
    joint = recording.pictures["joint"]
    burn_seen(scenario, joint, 52.0, "AMBER-B0009", nothing)
    burn_seen(scenario, recording.pictures["amber"], 52.0, "AMBER-B0009", nothing)

    def told(at: float, back: str) -> LaunchReport:
        return replace(launch_told(scenario, at, "AMBER-B0009", nothing), withdrawn=back)

    joint.launches += [told(62.0, "no motor"), told(70.0, ""), told(73.0, "no motor")]
    (event,) = [e for e in summarise(recording)["value_of_joining"]["events"] if e["kind"] == "false_launch"]
    assert (event["pictures"]["joint"]["stood_s"], event["pictures"]["amber"]["stood_s"]) == (13.0, None)
    assert event["outcome"] == "gained"


def test_a_burn_that_was_taken_back_takes_no_launch_from_one_that_stands(scenario: Scenario) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    recording = recorded(scenario, [rocket], {}, [])
    joint = recording.pictures["joint"]
    burn_seen(scenario, joint, 48.0, BURN, rocket)
    joint.launches.append(replace(joint.launches[-1], withdrawn="no motor", impact=None))
    assert match_burns(recording, joint).of == {BURN: 0}
    assert launch_errors(recording, joint, {BURN: 0})["error"] == []
    burn_seen(scenario, joint, 58.0, "AMBER-B0002", rocket, north_m=2000.0)
    burned = match_burns(recording, joint)
    assert (burned.of, burned.doubles) == ({"AMBER-B0002": 0}, {BURN: 0})
    assert len(launch_errors(recording, joint, burned.of)["error"]) == 1
    # what another node tells of it stands, whatever this one takes back
    both = {BURN: 0, "AMBER-B0002": 0}
    joint.launches.append(replace(joint.launches[0], withdrawn="no motor", impact=None))
    assert len(launch_errors(recording, joint, both)["error"]) == 1


def test_a_launch_told_of_by_its_burn_is_told_of_in_the_procedure(scenario: Scenario) -> None:
    recording = reported(scenario)
    joint = recording.pictures["joint"]
    joint.notes.append(noted(scenario, 48.0, "launch_reported", BURN))
    none: dict[str, Any] = {}
    events = [e for e in procedure_events(recording, none, {BURN: 0}) if e.kind == "launch_reported"]
    assert [(e.subject, e.partner, e.time_ns) for e in events] == [("rocket", "Amber", ns(scenario, 48.0))]
    assert not [e for e in procedure_events(recording, none) if e.kind == "launch_reported"]
