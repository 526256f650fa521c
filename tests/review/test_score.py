"""Scores of pictures made by hand, so small that every figure can be told beforehand.

One or two objects fly straight over the small exercise's two radars (a turn in 2 s each), and tracks follow
them without error.  Times are seconds from the exercise's start.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_recordings import FERN, LARCH, MOSS, REED, SMALL, falling, flown, ns, picture, recorded, said
from msgspec.structs import replace

from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.exercise.sensors import LATENCY_NS, looks
from jointwatch.exercise.truth import Truth, TruthObject
from jointwatch.records import Alert, Header, Impact, LaunchArea, LaunchReport
from jointwatch.review.accuracy import fall_errors, launch_errors
from jointwatch.review.matching import match
from jointwatch.review.score import summarise, told_periods


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(SMALL)


def one_rocket(scenario: Scenario, joint: list[Any], amber: list[Any] | None = None) -> dict[str, Any]:
    """The summary where one rocket falls on Fern Hill (15 s to shelter) at 100 s."""
    rocket = flown(scenario, "rocket", FERN, 100.0)
    return summarise(recorded(scenario, [rocket], {("AMBER-0001",): rocket}, joint, amber))


@pytest.mark.parametrize(
    ("messages", "in_time", "late", "missed", "lead_s"),
    [
        ([(70.0, "alert")], 1, 0, 0, 30.0),
        ([(85.0, "alert")], 1, 0, 0, 15.0),
        ([(86.0, "alert")], 0, 1, 0, 14.0),
        ([], 0, 0, 1, 0.0),
        ([(101.0, "alert")], 0, 0, 1, 0.0),
        # withdrawn before the fall: at the fall nobody was told
        ([(70.0, "alert"), (90.0, "cancel")], 0, 0, 1, 0.0),
        # told again too late: the lead is that of the message in force
        ([(50.0, "alert"), (60.0, "cancel"), (92.0, "update")], 0, 1, 0, 8.0),
        # said twice, it was told at the first
        ([(70.0, "alert"), (90.0, "update"), (160.0, "all_clear")], 1, 0, 0, 30.0),
    ],
)
def test_a_struck_zone_is_in_time_late_or_missed_by_the_message_in_force(
    scenario: Scenario, messages: Any, in_time: int, late: int, missed: int, lead_s: float
) -> None:
    joint = one_rocket(
        scenario,
        [said(scenario, t, action, (FERN,), (falling("AMBER-0001", FERN),)) for t, action in messages],
    )["pictures"]["joint"]
    zones = joint["zones"]
    assert (zones["struck"], zones["feasible"], zones["feasible_any"]) == (1, 1, 1)
    assert (zones["warned_in_time"], zones["late"], zones["missed"]) == (in_time, late, missed)
    assert joint["lead_time_s"] == {"min": pytest.approx(lead_s), "median": pytest.approx(lead_s)}


def test_a_zone_told_and_not_struck_is_needless(scenario: Scenario) -> None:
    behind = (falling("AMBER-0001", FERN),)
    zones = one_rocket(scenario, [said(scenario, 70.0, "alert", (FERN, MOSS, LARCH), behind)])
    zones = zones["pictures"]["joint"]["zones"]
    assert (zones["told"], zones["false"], zones["warned_in_time"]) == (3, 2, 1)


def test_told_periods_end_with_a_cancel_or_an_all_clear_and_may_be_several(scenario: Scenario) -> None:
    early, _ = said(scenario, 10.0, "alert", (FERN, MOSS))
    messages = [
        said(scenario, 20.0, "alert", (FERN, MOSS)),
        said(scenario, 25.0, "update", (FERN,)),
        said(scenario, 30.0, "cancel", (FERN, REED)),
        said(scenario, 40.0, "update", (FERN,)),
        said(scenario, 50.0, "all_clear", (FERN,)),
    ]
    record = picture("joint", ("Amber",), [], messages)
    record.alerts.insert(
        0, Alert(**{f: getattr(early, f) for f in early.__struct_fields__} | {"tier": "early"})
    )
    at = [ns(scenario, t) for t in (20.0, 30.0, 40.0, 50.0)]
    assert told_periods(record) == {FERN: [(at[0], at[1]), (at[2], at[3])], MOSS: [(at[0], 2**62)]}


def test_what_one_partner_cannot_see_is_feasible_only_together(tmp_path: Path) -> None:
    text = SMALL.read_text(encoding="utf-8").replace('procedure = "small-procedure.toml"', "")
    file = tmp_path / "short-sighted.toml"
    file.write_text(text.replace("range_max_m = 150e3", "range_max_m = 5e3", 1), encoding="utf-8")
    scenario = load_scenario(file)
    told = [said(scenario, 70.0, "alert", (FERN,), (falling("AMBER-0001", FERN),))]
    summary = one_rocket(scenario, told)
    of = {key: p["zones"] for key, p in summary["pictures"].items()}
    assert [of[key]["feasible"] for key in ("amber", "blue", "joint")] == [0, 1, 1]
    assert [of[key]["feasible_any"] for key in ("amber", "blue", "joint")] == [1, 1, 1]
    assert [of[key]["missed"] for key in ("amber", "blue", "joint")] == [1, 1, 0]
    assert summary["truth"]["struck"] == summary["truth"]["feasible_any"] == 1


def test_what_flies_too_short_a_time_for_five_looks_is_not_feasible(scenario: Scenario) -> None:
    # 15 s to shelter and 10 s to react: until 75 s; two radars look once in 2 s each, so four times from 71 s
    rocket = flown(scenario, "rocket", FERN, 100.0, launch_s=71.0)
    summary = summarise(recorded(scenario, [rocket], {}, []))
    assert (summary["truth"]["struck"], summary["truth"]["feasible_any"]) == (1, 0)
    zones = summary["pictures"]["joint"]["zones"]
    assert (zones["feasible"], zones["missed"], zones["missed_names"]) == (0, 0, [])
    assert summary["pictures"]["joint"]["lead_time_s"]["median"] is None


def test_joining_is_worth_what_it_adds_to_the_better_partner(scenario: Scenario) -> None:
    behind = (falling("AMBER-0001", FERN),)
    value = one_rocket(
        scenario,
        [said(scenario, 60.0, "alert", (FERN,), behind)],
        [said(scenario, 90.0, "alert", (FERN, MOSS), behind)],
    )["value_of_joining"]
    assert value["zones_saved"] == 1  # Amber alone told them 10 s before the fall: late
    assert value["lead_seconds_gained"] == pytest.approx(30.0)
    assert value["zone_lead_gain_s"] == {"median": pytest.approx(30.0), "worst": pytest.approx(30.0)}
    assert value["false_zones_avoided"] == 1


def test_an_alert_is_well_founded_by_any_name_of_a_track_that_followed_a_missile(scenario: Scenario) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    for behind, unfounded in (("AMBER-0001", 0), ("BLUE-0007", 0), ("AMBER-0099", 1)):
        alert = said(scenario, 70.0, "alert", (FERN,), (falling(behind, FERN),))
        recording = recorded(scenario, [rocket], {("AMBER-0001", "BLUE-0007"): rocket}, [alert])
        joint = summarise(recording)["pictures"]["joint"]
        assert joint["alerts_from_clutter_or_aircraft"] == unfounded


def test_tracks_that_follow_nothing_are_false_and_a_new_name_is_a_swap(scenario: Scenario) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    elsewhere = flown(scenario, "nothing", REED, 100.0, start=(30.0, 42.5, 9e3))
    recording = recorded(scenario, [rocket], {("AMBER-0001",): rocket, ("AMBER-0002",): elsewhere}, [])
    joint = summarise(recording)["pictures"]["joint"]
    assert (joint["false_tracks"], joint["false_ballistic_tracks"], joint["track_swaps"]) == (1, 1, 0)
    assert (joint["detected"], joint["missed"], joint["detected_of_visible"]) == (1, 0, [1, 1])
    assert joint["nees"] == pytest.approx(0.0, abs=1e-9)
    # each sample one object without error and one false track: half of the squared 5 km; before, and after
    # the fall, nothing is there
    assert joint["gospa_m"] == pytest.approx(5000.0 / math.sqrt(2.0))
    for _, tracks in recording.pictures["joint"].samples[14:]:
        for track in tracks:
            track.number, track.aliases = f"BLUE-{track.number[-4:]}", (f"BLUE-{track.number[-4:]}",)
    matched = match(recording, recording.pictures["joint"])
    assert matched.swaps == 1
    assert matched.object_of() == {"AMBER-0001": 0, "BLUE-0001": 0}


def test_errors_of_a_predicted_fall_are_against_the_true_one_at_the_first_alert(scenario: Scenario) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    first = falling("AMBER-0001", FERN, north_m=2000.0, sigma_m=1000.0)
    later = falling("AMBER-0001", FERN)
    messages = [
        said(scenario, 70.0, "alert", (FERN,), (first,)),
        said(scenario, 80.0, "update", (MOSS,), (later,)),
    ]
    recording = recorded(scenario, [rocket], {("AMBER-0001",): rocket}, messages)
    piece = flown(scenario, "rocket-fragment-1", MOSS, 100.0, parent="rocket")
    recording.truth.objects.append(piece)
    of = {"AMBER-0001": 0, "AMBER-0002": 1}
    # a fragment is no object that was fired: what is told on its account is scored by zones
    behind = recording.pictures["joint"].alert_impacts["alert-70.0"]
    behind["AMBER-0002"] = falling("AMBER-0002", MOSS, north_m=9000.0)
    (error,) = fall_errors(recording, recording.pictures["joint"], of).values()
    assert error.error_m == pytest.approx(2000.0, rel=0.01)
    # two sigma: outside the half that lies within 1.18 sigma, inside the 90 % that lies within 2.15
    assert (error.in_50, error.in_90) == (False, True)


@pytest.mark.parametrize(
    ("told", "disputed", "counts"),
    [
        ("Ochre", False, (1, 0, 0)),
        ("elsewhere", False, (1, 1, 0)),
        ("disputed", False, (1, 1, 0)),
        ("cannot be told", False, (0, 0, 1)),
        # a disputed territory is told as that, and naming it is a mistake
        ("disputed", True, (1, 0, 0)),
        ("Ochre", True, (1, 1, 0)),
        ("cannot be told", True, (0, 0, 1)),
    ],
)
def test_an_origin_is_right_where_the_launch_was_in_it_and_disputed_is_an_answer(
    scenario: Scenario, told: str, disputed: bool, counts: tuple[int, int, int]
) -> None:
    # from the middle of what the small exercise calls Ochre
    rocket = flown(scenario, "rocket", FERN, 100.0, start=(26.0, 44.0, 30e3))
    recording = recorded(scenario, [rocket], {("AMBER-0001",): rocket}, [])
    places = tuple(replace(t, disputed=disputed) for t in scenario.territories)
    recording = dataclasses.replace(recording, scenario=replace(scenario, territories=places))
    area = LaunchArea(
        track="AMBER-0001", time_ns=rocket.launch_ns, time_sigma_s=1.0, latitude_rad=math.radians(26.0),
        longitude_rad=math.radians(44.0), semi_major_m=5e3, semi_minor_m=5e3, bearing_rad=0.0,
        territories={told: 1.0}, origin=told,
    )  # fmt: skip
    header = Header(originator="Amber", source="test", sequence=1, measured_ns=rocket.launch_ns)
    joint = recording.pictures["joint"]
    joint.launches.append(LaunchReport(header=header, object_class="heavy_rocket", classes={}, area=area))
    origin = launch_errors(recording, joint, {"AMBER-0001": 0})["origin"]
    assert (origin["stated"], origin["wrong"], origin["undetermined"]) == counts


# --- An alert to be withdrawn: "broken", meant for Moss Ford at 120 s, breaks up at 80 s ----------------


def broken_up(
    scenario: Scenario, second_to: str
) -> tuple[list[TruthObject], dict[tuple[str, ...], TruthObject]]:
    """An object that breaks up, one that falls at 120 s, two fragments of the first; tracks of the two."""
    broken = flown(scenario, "broken", MOSS, 80.0, end="breakup", fall_s=120.0)
    place, _ = broken.state_at(broken.end_ns)
    assert np.linalg.norm(place) > 6.372e6
    other = flown(scenario, "other", second_to, 120.0)
    pieces = [
        flown(
            scenario, f"broken-fragment-{j}", MOSS, 160.0 + j, launch_s=80.0, parent="broken",
            danger_radius_m=0.0, start=(31.067, 41.72, 14e3),
        )
        for j in (1, 2)
    ]  # fmt: skip
    return [broken, other, *pieces], {("AMBER-0001",): broken, ("AMBER-0002",): other}


def withdrawn(
    scenario: Scenario, ends: list[Any], second_to: str = FERN, thought: Sequence[tuple[float, Impact]] = ()
) -> dict[str, Any]:
    """The entry of the object that broke up, after one message to three zones on account of two objects.

    Reed Bank is told because the other object was first thought to fall there.  thought: falls, each at a
    time (s), in the picture.
    """
    objects, tracks = broken_up(scenario, second_to)
    behind = (falling("AMBER-0001", MOSS), falling("AMBER-0002", REED))
    messages = [said(scenario, 70.0, "alert", (FERN, MOSS, REED), behind), *ends]
    recording = recorded(scenario, objects, tracks, messages)
    recording.pictures["joint"].impacts.extend((ns(scenario, t), [impact]) for t, impact in thought)
    (entry,) = summarise(recording)["withdrawn"]
    return entry


def test_a_withdrawn_alert_is_timed_from_the_break_up_and_from_the_evidence(scenario: Scenario) -> None:
    entry = withdrawn(
        scenario, [said(scenario, 86.0, "cancel", (MOSS,)), said(scenario, 180.0, "all_clear", (FERN, REED))]
    )
    assert (entry["object"], entry["alerted"], entry["zones"], entry["zones_left"]) == ("broken", True, 1, 0)
    assert entry["breakup_s"] == pytest.approx(80.0)
    assert entry["first_cancel_after_s"] == entry["last_cancel_after_s"] == pytest.approx(6.0)
    # each of two radars looks everywhere once in 2 s, and sees both fragments in one look
    objects, _ = broken_up(scenario, FERN)
    seen = looks(scenario, Truth(scenario.start_ns, objects), 3)
    times = sorted({t for t, _, _ in seen[2] + seen[3]})
    assert entry["evidence_after_s"] == pytest.approx((times[1] + LATENCY_NS - ns(scenario, 80.0)) / 1e9)
    assert 0.0 < entry["evidence_after_s"] < 2.0
    assert entry["scan_s"] == 2.0
    assert entry["cancel_after_evidence_s"] == pytest.approx(6.0 - entry["evidence_after_s"])


def test_the_other_zones_of_the_message_are_no_part_of_the_withdrawn_alert(scenario: Scenario) -> None:
    # the others were told on the other object's account: nothing that is said to them counts
    for zones in ((FERN,), (REED,), (FERN, REED)):
        left = withdrawn(scenario, [said(scenario, 86.0, "cancel", zones)])
        assert (left["zones"], left["zones_left"], left["last_cancel_after_s"]) == (1, 1, None)


def test_an_all_clear_is_no_withdrawal(scenario: Scenario) -> None:
    entry = withdrawn(scenario, [said(scenario, 180.0, "all_clear", (FERN, MOSS, REED))])
    assert (entry["alerted"], entry["zones_left"], entry["first_cancel_after_s"]) == (True, 1, None)


def test_an_alert_that_another_object_keeps_up_is_none_to_withdraw(scenario: Scenario) -> None:
    entry = withdrawn(scenario, [said(scenario, 180.0, "all_clear", (MOSS,))], second_to=MOSS)
    assert (entry["alerted"], entry["zones"], entry["zones_left"]) == (False, 0, 0)


@pytest.mark.parametrize(
    ("at_s", "track", "zones"),
    [
        # before the break-up another was to fall there: it stands behind the alert until it is down
        (75.0, "AMBER-0002", 0),
        # and if it was still told of, after
        (85.0, "AMBER-0002", 0),
        # before anybody was told; and the object itself
        (60.0, "AMBER-0002", 1),
        (75.0, "AMBER-0001", 1),
        # long after the break-up
        (115.0, "AMBER-0002", 1),
    ],
)
def test_an_alert_that_was_another_objects_as_well_is_none_to_withdraw(
    scenario: Scenario, at_s: float, track: str, zones: int
) -> None:
    entry = withdrawn(
        scenario, [said(scenario, 86.0, "cancel", (MOSS,))], thought=[(at_s, falling(track, MOSS))]
    )
    assert entry["zones"] == zones


def test_an_alert_taken_back_while_the_object_was_whole_is_another_matter(scenario: Scenario) -> None:
    entry = withdrawn(scenario, [said(scenario, 75.0, "cancel", (MOSS,))])
    assert (entry["alerted"], entry["first_cancel_after_s"]) == (False, None)


def test_a_zone_told_again_counts_to_its_first_withdrawal(scenario: Scenario) -> None:
    again = (falling("AMBER-0001", MOSS),)
    entry = withdrawn(
        scenario,
        [
            said(scenario, 84.0, "cancel", (MOSS,)),
            said(scenario, 88.0, "update", (MOSS,), again),
            said(scenario, 95.0, "cancel", (MOSS,)),
        ],
    )
    assert (entry["zones"], entry["zones_left"], entry["zones_told_again"]) == (1, 0, 1)
    assert entry["first_cancel_after_s"] == pytest.approx(4.0)
    # told again later on a fragment's account: that is counted by itself, the withdrawal was the first
    assert entry["last_cancel_after_s"] == pytest.approx(4.0)
    assert entry["cancel_after_evidence_s"] == pytest.approx(4.0 - entry["evidence_after_s"])


def test_a_zone_first_told_after_the_break_up_is_counted_apart(scenario: Scenario) -> None:
    after = (falling("AMBER-0001", REED),)
    entry = withdrawn(
        scenario,
        [
            said(scenario, 84.0, "cancel", (MOSS,)),
            said(scenario, 90.0, "update", (REED,), after),
            said(scenario, 99.0, "cancel", (REED,)),
        ],
    )
    assert (entry["zones"], entry["zones_told_after"]) == (1, 1)
    assert entry["last_cancel_after_s"] == pytest.approx(4.0)
