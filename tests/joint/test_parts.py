"""What lost a part and is missed since is doubted; what shows again, to whoever, is not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace

from jointwatch.joint.joint_track import JointTrack
from jointwatch.joint.parts import MISSED, SURE, in_doubt

S = 1_000_000_000


def existence(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds))


def track(number: str, seen_s: float, log_odds: float, parent: str = "", *aliases: str) -> JointTrack:
    return JointTrack(
        number=number, aliases=(number, *aliases), time_ns=100 * S, state=np.zeros(7), covariance=np.eye(7),
        phases=(0.0, 1.0, 0.0), existence=existence(log_odds), hits=20, first_ns=0, seen_ns=round(seen_s * S),
        thrust_ms2=0.0, parent=parent, originators=("Amber",),
    )  # fmt: skip


PART = track("A-0009", 100.0, 6.0, "A-0001")


def after(*picture: JointTrack) -> list[float]:
    """Existences of a picture."""
    return [t.existence for t in in_doubt(picture)]


def test_what_broke_up_is_gone_as_soon_as_looks_miss_it() -> None:
    # three looks of 0.9 in vain: still 9 to 1 that it is there, were it not for the part
    missed = track("A-0001", 88.0, SURE + 3.0 * math.log(0.1))
    assert missed.existence > 0.9
    doubted = after(missed, PART)
    assert doubted == [pytest.approx(0.001, rel=0.01), PART.existence]
    # two parts say no more than one, and asked again it is no less
    assert after(missed, PART, replace(PART, number="A-0010"))[0] == doubted[0]


def test_plots_of_parts_say_so_before_any_part_is_a_track() -> None:
    missed = track("A-0001", 88.0, SURE + 3.0 * math.log(0.1))
    assert after(missed) == [missed.existence]
    assert after(replace(missed, broke_ns=90 * S)) == [pytest.approx(0.001, rel=0.01)]
    # seen again since
    assert after(replace(missed, broke_ns=80 * S)) == [missed.existence]


@pytest.mark.parametrize(
    "whole",
    [
        track("A-0001", 100.0, SURE),  # it shows beside its part
        track("A-0001", 95.0, SURE + math.log(0.01)),  # one look missed it, which sees 99 in 100
        track("A-0001", 100.0, SURE - MISSED - 1.0),  # missed before, and seen as late as the part
        track("A-0002", 88.0, SURE - MISSED - 1.0),  # nothing came off it
    ],
    ids=["beside its part", "missed once", "seen again", "without a part"],
)
def test_what_shows_or_was_missed_by_chance_keeps_its_existence(whole: JointTrack) -> None:
    assert after(whole, PART) == [whole.existence, PART.existence]


def test_a_part_is_known_by_any_of_its_objects_names_and_partners_looks_count() -> None:
    missed = track("A-0001", 88.0, SURE - MISSED - 1.0, "", "B-0004")
    assert after(missed, replace(PART, parent="B-0004"))[0] < 0.01
    # the partner's radar saw it since: the joint picture is as sure as ever
    seen = replace(missed, existence=existence(SURE), seen_ns=101 * S)
    assert after(seen, PART)[0] == seen.existence
