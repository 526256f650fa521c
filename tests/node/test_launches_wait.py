"""Launches that are due all at once: a bounded number in each decision, and none is left out."""

from __future__ import annotations

from msgspec.structs import replace
from test_node import at_s, no_looks, node
from test_what_is_forgotten import flying

from jointwatch.node.launches import LAUNCH_HITS, MOST_AT_ONCE
from jointwatch.records import LaunchReport

BOTH = frozenset({"a", "b"})


def told(outputs):
    """Whose launches were reported."""
    return [o.area.track for o in outputs if isinstance(o, LaunchReport)]


def test_many_at_once_are_told_one_lot_after_the_other_without_another_look() -> None:
    mine, lots = node(), []
    many = [replace(flying(n, 60.0), time_ns=at_s(60.0)) for n in range(2 * MOST_AT_ONCE + 4)]
    for second in range(4):
        lots.append(told(mine._decisions.decide(many, at_s(60.0 + second), lambda _: BOTH, no_looks)))
    assert [len(lot) for lot in lots] == [MOST_AT_ONCE, MOST_AT_ONCE, 4, 0]
    assert sorted(number for lot in lots for number in lot) == sorted(track.number for track in many)


def test_what_had_to_wait_goes_before_what_is_due_only_now() -> None:
    mine = node()
    many = [flying(n, 60.0) for n in range(MOST_AT_ONCE + 2)]
    first = told(mine._decisions.decide(many, at_s(60.0), lambda _: BOTH, no_looks))
    waited = [track.number for track in many if track.number not in first]
    # all others are looked at again, and due again, beside those that wait
    again = [
        track if track.number in waited else replace(track, hits=LAUNCH_HITS[1], seen_ns=at_s(75.0))
        for track in many
    ]
    moved = [replace(track, time_ns=at_s(75.0)) for track in again]
    second = told(mine._decisions.decide(moved, at_s(75.0), lambda _: BOTH, no_looks))
    assert second[: len(waited)] == waited
    # what they endanger is worked out meanwhile
    assert all(mine._decisions.watches(track.number) for track in many)


def test_what_nothing_was_told_of_goes_before_what_waits_to_be_told_again() -> None:
    mine = node()
    old = [replace(flying(n, 60.0), time_ns=at_s(60.0)) for n in range(2 * MOST_AT_ONCE)]
    for second in range(2):
        mine._decisions.decide(old, at_s(60.0 + second), lambda _: BOTH, no_looks)
    again = [replace(t, hits=LAUNCH_HITS[1], seen_ns=at_s(75.0), time_ns=at_s(75.0)) for t in old]
    mine._decisions.decide(again, at_s(75.0), lambda _: BOTH, no_looks)
    fresh = [replace(flying(n, 75.0), time_ns=at_s(76.0)) for n in range(2 * MOST_AT_ONCE, 3 * MOST_AT_ONCE)]
    third = told(mine._decisions.decide([*again, *fresh], at_s(76.0), lambda _: BOTH, no_looks))
    assert third == [track.number for track in fresh]
