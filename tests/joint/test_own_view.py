"""What one's own sensors say of an object stands in the picture that warns, whatever partners say of it."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace
from reported_tracks import BALLISTIC_SURELY, START_NS, place, spread

from jointwatch.joint.own_view import Sure, agrees, with_own
from jointwatch.joint.picture import JointTrack

HERE = place(33.0, 41.0, 60e3, -1200.0, -300.0, -100.0)
SURE = Sure(0.99, 0.98)
MINE = JointTrack(
    number="AMBER-0001", aliases=("AMBER-0001",), time_ns=START_NS, state=HERE,
    covariance=spread(200.0, 10.0), phases=BALLISTIC_SURELY, existence=0.9999, hits=8, first_ns=START_NS,
    seen_ns=START_NS, thrust_ms2=0.0, parent="", originators=("Amber",),
)  # fmt: skip
FUSED = replace(
    MINE,
    aliases=("AMBER-0001", "BLUE-0003"),
    covariance=spread(80.0, 4.0),
    hits=16,
    originators=("Amber", "Blue"),
)


def moved_aside(metres: float) -> JointTrack:
    state = HERE.copy()
    state[0] += metres
    return replace(FUSED, state=state)


def test_what_agrees_is_one_object() -> None:
    assert agrees(MINE, moved_aside(300.0), SURE)
    assert with_own([moved_aside(300.0)], [MINE], "Amber", SURE)[0].aliases == FUSED.aliases


def test_what_partners_move_beyond_chance_is_there_twice() -> None:
    ours, theirs = with_own([moved_aside(5e3)], [MINE], "Amber", SURE)
    assert ours is MINE
    assert (theirs.number, theirs.aliases, theirs.originators) == ("BLUE-0003", ("BLUE-0003",), ("Blue",))
    assert np.array_equal(theirs.state, moved_aside(5e3).state)


def test_what_partners_doubt_is_still_as_sure_as_ones_own_sensors_are() -> None:
    for doubted in (
        replace(FUSED, existence=0.3),
        replace(FUSED, phases=(0.7, 0.3, 0.0)),
        replace(FUSED, phases=(0.0, 0.97, 0.03)),
    ):
        assert [t.number for t in with_own([doubted], [MINE], "Amber", SURE)] == ["AMBER-0001", "BLUE-0003"]
    # what one is not sure of oneself others may doubt
    vague = replace(MINE, existence=0.9)
    assert len(with_own([replace(FUSED, existence=0.3)], [vague], "Amber", SURE)) == 1


def test_what_partners_made_impossible_is_there_as_ones_own_sensors_have_it() -> None:
    assert with_own([], [MINE], "Amber", SURE) == [MINE]


def test_a_state_without_numbers_agrees_with_nothing() -> None:
    assert not agrees(MINE, replace(FUSED, state=np.full(7, np.nan)), SURE)
