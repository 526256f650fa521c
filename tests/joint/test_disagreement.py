"""Where two partners' pictures conflict beyond chance: told once, with the evidence that differs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from msgspec.structs import replace
from reported_tracks import BALLISTIC_SURELY, START_NS, Floats, at_s, draw, place, seen_by, spread

from jointwatch.joint.disagreement import (
    CHANCE2,
    FALL_CHANCE2,
    LASTS_NS,
    Conflict,
    Disagreements,
    conflicts_of,
    falls_apart,
)
from jointwatch.joint.picture import JointTrack, View
from jointwatch.motion.phases import BALLISTIC, BOOST
from jointwatch.records import Impact

HERE = place(33.0, 41.0, 60e3, -1200.0, -300.0, -100.0)
KNOWN = spread(100.0, 5.0)


def view(originator: str, state: Floats = HERE, covariance: Floats = KNOWN, **changes: object) -> View:
    made = View(
        originator=originator, number=f"{originator.upper()}-0001", state=state, covariance=covariance,
        phase=BALLISTIC, phase_share=0.99, seen_ns=START_NS, seen=5, missed=0, evidence=40.0,
    )  # fmt: skip
    return replace(made, **changes)


def only_theirs(number: str = "BLUE-0001") -> JointTrack:
    return JointTrack(
        number=number, aliases=(number,), time_ns=START_NS, state=HERE, covariance=KNOWN,
        phases=BALLISTIC_SURELY, existence=0.999, hits=12, first_ns=START_NS, seen_ns=START_NS,
        thrust_ms2=0.0, parent="", originators=("Blue",),
    )  # fmt: skip


def between(one: View, other: View, now: int = START_NS) -> list[Conflict]:
    return conflicts_of([[one, other]], {}, [], "Amber", now)


def test_tracks_as_far_apart_as_their_errors_say_do_not_disagree() -> None:
    """Of 20,000 pairs with honest errors one in 25,000 is called a conflict: here none or one."""
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(20_000):
        a, b = seen_by(rng, 300.0, 10.0), seen_by(rng, 300.0, 10.0)
        found += bool(between(view("Amber", HERE + draw(rng, a), a), view("Blue", HERE + draw(rng, b), b)))
    assert found <= 3


def test_tracks_farther_apart_than_chance_are_a_conflict_that_says_how_far_and_who_saw_what() -> None:
    aside = HERE + np.array([900.0, 0.0, 0.0, 40.0, 0.0, 0.0, 0.0])
    (found,) = between(view("Amber"), view("Blue", aside, missed=2))
    assert (found.kind, found.numbers) == ("apart", ("AMBER-0001", "BLUE-0001"))
    assert found.sigmas == pytest.approx(np.sqrt(900.0**2 / 2e4 + 40.0**2 / 50.0), rel=1e-6)
    assert found.sigmas**2 > CHANCE2
    assert "0.9 km and 40 m/s apart" in found.detail
    assert "Blue saw it in 5 of 7 looks, last 0 s ago" in found.detail
    # one that has not looked for long only has it coast, and one with two looks knows no course
    assert between(view("Amber"), view("Blue", aside, seen_ns=at_s(-30.0))) == []
    assert between(view("Amber"), view("Blue", aside, seen=2)) == []


def test_two_sides_sure_of_different_phases_disagree() -> None:
    (found,) = between(view("Amber"), view("Blue", phase=BOOST, phase_share=0.97))
    assert found.kind == "phase"
    assert "Blue in boost (97 %)" in found.detail
    assert between(view("Amber"), view("Blue", phase=BOOST, phase_share=0.7)) == []


def test_looks_that_miss_what_the_others_see_are_a_conflict() -> None:
    blind = view("Amber", seen=0, missed=4, evidence=-9.0)
    (found,) = between(blind, view("Blue"))
    assert found.kind == "evidence"
    assert "Amber missed it in 4 of its last 4 looks, Blue saw it in 5 of 5" in found.detail
    assert between(replace(blind, missed=1, evidence=-2.3), view("Blue")) == []


def test_a_place_that_was_covered_and_empty_speaks_against_the_partners_track() -> None:
    doubts = {"BLUE-0001": (-6.9, 3)}
    (found,) = conflicts_of([], doubts, [only_theirs()], "Amber", at_s(4.0))
    assert (found.kind, found.between) == ("unseen", ("Amber", "Blue"))
    assert (
        "covered the place in 3 looks and saw nothing there; Blue saw it in 12, last 4 s ago" in found.detail
    )
    assert conflicts_of([], {"BLUE-0001": (-2.3, 1)}, [only_theirs()], "Amber", at_s(4.0)) == []
    ours_too = replace(only_theirs(), originators=("Amber", "Blue"))
    assert conflicts_of([], doubts, [ours_too], "Amber", at_s(4.0)) == []


def impact(track: str, north_m: float = 0.0, sigma_m: float = 500.0, **changes: object) -> Impact:
    made = Impact(
        track=track, object_class="", time_ns=START_NS, time_sigma_s=1.0, latitude_rad=0.5 + north_m / 6371e3,
        longitude_rad=0.6, covariance_m2=(sigma_m**2, 0.0, sigma_m**2),
    )  # fmt: skip
    return replace(made, **changes)


def test_falls_expected_in_different_places_are_a_conflict() -> None:
    own = {"AMBER-0001": impact("AMBER-0001"), "BLUE-0001": impact("AMBER-0001")}
    far = np.sqrt(2.0 * FALL_CHANCE2) * 500.0
    for north_m, found in ((0.95 * far, 0), (1.05 * far, 1)):
        assert len(falls_apart(own, [impact("BLUE-0001", north_m)], ("Amber", "Blue"))) == found
    (conflict,) = falls_apart(own, [impact("BLUE-0001", 10e3)], ("Amber", "Blue"))
    assert conflict.numbers == ("AMBER-0001", "BLUE-0001")
    assert "Blue expects it 10.0 km from where Amber does" in conflict.detail
    # what still thrusts has no fall yet, and of what one does not know oneself nothing can be said
    assert falls_apart(own, [impact("BLUE-0001", 1e5, reach_only=True)], ("Amber", "Blue")) == []
    assert falls_apart(own, [impact("BLUE-0009", 1e5)], ("Amber", "Blue")) == []


def test_a_conflict_is_told_once_when_it_lasts_and_once_when_it_is_over() -> None:
    kept, conflict = Disagreements(), Conflict("apart", ("A", "B"), ("Amber", "Blue"), 7.0, "why")
    told = []
    for second in range(20):
        there = [replace(conflict, sigmas=7.0 + second)] if 2 <= second < 12 else []
        begun, over = kept.judge(there, at_s(second))
        told += [(second, "begun")] * len(begun) + [(second, "over")] * len(over)
    lasts = LASTS_NS // 1_000_000_000
    assert told == [(2 + lasts, "begun"), (11 + lasts, "over")]


def test_what_flickers_is_no_disagreement() -> None:
    kept, conflict = Disagreements(), Conflict("apart", ("A", "B"), ("Amber", "Blue"), 7.0, "why")
    for second, there in enumerate(itertools.islice(itertools.cycle((True, False)), 30)):
        assert kept.judge([conflict] if there else [], at_s(second)) == ([], [])
