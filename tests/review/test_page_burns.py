"""What the report's page draws of burns, and which evidence it names behind a launch: made by hand.

A rocket flies from 30 s on; its track is in every picture from then on.  Times are seconds.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
from made_recordings import (
    FERN,
    SMALL,
    burn_seen,
    flown,
    followed,
    launch_told,
    noted,
    recorded,
)  # fmt: skip
from msgspec.structs import replace

from jointwatch.exercise.recording import PictureRecord, Recording
from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.exercise.truth import TruthObject
from jointwatch.review.burning import match_burns
from jointwatch.review.page_burns import STANDS_S, burn_rows
from jointwatch.review.page_launches import origin_rows

BURN, TRACK = "AMBER-B0001", "AMBER-0001"


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(SMALL)


def seen(scenario: Scenario) -> tuple[Recording, PictureRecord, TruthObject]:
    """A burn told of at 48 s and better at 58 s, and taken over by a track at 70 s."""
    rocket = flown(scenario, "rocket", FERN, 100.0)
    recording = recorded(scenario, [rocket], {(TRACK, "BLUE-0009"): rocket}, [])
    joint = recording.pictures["joint"]
    late = followed(scenario, {(TRACK, "BLUE-0009"): rocket})
    joint.samples = [(t, of_it if t >= scenario.start_ns + 65e9 else []) for t, of_it in late]
    burn_seen(scenario, joint, 48.0, BURN, rocket, azimuth_rad=1.5 * math.pi, azimuth_sigma_rad=0.2)
    joint.launches.append(launch_told(scenario, 58.0, BURN, rocket, north_m=100.0))
    joint.notes.append(noted(scenario, 70.0, "burn_became_track", BURN, TRACK))
    joint.launches.append(launch_told(scenario, 70.0, TRACK, rocket, sensors=3))
    return recording, joint, rocket


def rows_of(recording: Recording, joint: PictureRecord) -> list[dict[str, Any]]:
    return burn_rows(joint, match_burns(recording, joint), recording.scenario.start_ns)


def origins_of(recording: Recording, joint: PictureRecord) -> list[dict[str, Any]]:
    return origin_rows(joint, match_burns(recording, joint))


def test_a_burn_is_drawn_as_it_was_told_until_its_track_has_the_launch(scenario: Scenario) -> None:
    recording, joint, _ = seen(scenario)
    (row,) = rows_of(recording, joint)
    assert (row["number"], row["track"]) == (BURN, TRACK)
    assert [t for t, _ in row["told"]] == [48.0, 58.0]
    # no impact is drawn of it from the track's first sample on, no area from the hand-over on
    assert (row["tracked"], row["over"]) == (65.0, 70.0)
    told = row["told"][0][1]
    assert told["class"] == "heavy rocket"
    launch = told["launch"]
    assert (launch["azimuth_deg"], launch["azimuth_sigma_deg"]) == (270.0, 11.5)
    assert (launch["sensors"], launch["a_km"], launch["t"]) == (2, 3.0, 48.0)
    assert row["told"][1][1]["launch"]["azimuth_deg"] is None
    assert len(told["impact"]) == 8


def test_what_two_nodes_tell_of_one_launch_is_drawn_once_as_the_first_had_it(scenario: Scenario) -> None:
    recording, joint, rocket = seen(scenario)
    burn_seen(scenario, joint, 46.0, "BLUE-B0003", rocket, by="Blue", north_m=500.0)
    joint.notes.append(noted(scenario, 68.0, "burn_became_track", "BLUE-B0003", "BLUE-0009", by="Blue"))
    (row,) = rows_of(recording, joint)
    assert (row["number"], row["told"][0][0], row["over"]) == ("BLUE-B0003", 46.0, 68.0)


def test_a_burn_without_a_track_stands_until_it_should_have_come_down(scenario: Scenario) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    recording = recorded(scenario, [rocket], {}, [])
    joint = recording.pictures["joint"]
    burn_seen(scenario, joint, 48.0, BURN, rocket)
    (row,) = rows_of(recording, joint)
    assert (row["track"], row["tracked"]) == ("", None)
    assert row["over"] == row["told"][0][1]["impact"][-1]
    # of what may well stay up no impact is told
    (report,) = joint.launches
    joint.launches = [replace(report, impact=None)]
    (row,) = rows_of(recording, joint)
    assert row["told"][0][1]["impact"] is None
    assert row["over"] == 48.0 + STANDS_S


def test_a_launch_that_was_taken_back_is_drawn_no_longer_and_said_to_be(scenario: Scenario) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    recording = recorded(scenario, [rocket], {}, [])
    joint = recording.pictures["joint"]
    burn_seen(scenario, joint, 48.0, BURN, rocket)
    last = launch_told(scenario, 58.0, BURN, rocket)
    joint.launches.append(replace(last, impact=None, withdrawn="no motor"))
    (row,) = rows_of(recording, joint)
    assert (row["over"], [t for t, _ in row["told"]]) == (58.0, [48.0])
    (origin,) = origins_of(recording, joint)
    assert (origin["statement"], origin["probabilities"], origin["azimuth_deg"]) == (
        "withdrawn: no motor", {}, None,
    )  # fmt: skip
    # told anew, it is drawn again from then on
    joint.launches.append(launch_told(scenario, 70.0, BURN, rocket))
    first, second = rows_of(recording, joint)
    assert (first["over"], [t for t, _ in second["told"]]) == (58.0, [70.0])
    (origin,) = origins_of(recording, joint)
    assert origin["statement"].startswith("launch area lies")


def test_what_one_node_takes_back_and_another_tells_is_drawn_as_the_other_has_it(scenario: Scenario) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    recording = recorded(scenario, [rocket], {}, [])
    joint = recording.pictures["joint"]
    burn_seen(scenario, joint, 48.0, BURN, rocket)
    joint.launches.append(replace(joint.launches[-1], withdrawn="no motor"))
    burn_seen(scenario, joint, 50.0, "BLUE-B0003", rocket, by="Blue")
    assert [row["number"] for row in rows_of(recording, joint)] == ["BLUE-B0003"]
    (origin,) = origins_of(recording, joint)
    assert origin["track"] == "BLUE-B0003" and origin["statement"].startswith("launch area lies")


def test_evidence_is_the_burn_the_track_or_both(scenario: Scenario) -> None:
    recording, joint, rocket = seen(scenario)
    (row,) = origins_of(recording, joint)
    assert (row["track"], row["evidence"], row["sensors"]) == (TRACK, "burn and track", 3)
    # handed over to a number that the picture shows under another one, it is the same launch
    joint.notes = [
        noted(scenario, 48.0, "burn_confirmed", BURN),
        noted(scenario, 70.0, "burn_became_track", BURN, "BLUE-0009"),
    ]
    burn_seen(scenario, joint, 49.0, "BLUE-B0001", rocket, by="Blue")
    (row,) = origins_of(recording, joint)
    assert (row["track"], row["evidence"]) == (TRACK, "burn and track")


def test_burns_without_a_track_are_rows_of_their_own_once_for_each_launch(scenario: Scenario) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    recording = recorded(scenario, [rocket], {(TRACK,): rocket}, [])
    joint = recording.pictures["joint"]
    for by in ("Amber", "Blue"):
        burn_seen(
            scenario, joint, 50.0, f"{by.upper()}-B0001", rocket, by=by, origin="cannot be told",
            why="two territories: Ochre 0.6, Umber 0.4", sensors=1, azimuth_rad=0.0, azimuth_sigma_rad=0.1,
        )  # fmt: skip
    (row,) = origins_of(recording, joint)
    assert (row["track"], row["evidence"], row["sensors"]) == (BURN, "burn", 1)
    assert (row["statement"], row["why"]) == ("cannot be told", "two territories: Ochre 0.6, Umber 0.4")
    assert (row["azimuth_deg"], row["azimuth_sigma_deg"]) == (0.0, 5.7)
    joint.launches = [launch_told(scenario, 70.0, TRACK, rocket)]
    (row,) = origins_of(recording, joint)
    assert row["evidence"] == "track"
