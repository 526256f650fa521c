"""Groups of a picture: who flies together, whatever the order, and how many they say they are."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from reported_tracks import START_NS, Floats, place, spread

from jointwatch.joint.groups import LIKE_MS, NEAR_M, SIGMAS, groups_of
from jointwatch.joint.joint_track import JointTrack
from jointwatch.records import Group, Header, decode, encode

KNOWN = spread(50.0, 2.0)


def seen(
    number: str, state: Floats, covariance: Floats = KNOWN, existence: float = 1.0, cruise: float = 0.0
) -> JointTrack:
    return JointTrack(
        number=number, aliases=(number,), time_ns=START_NS, state=state, covariance=covariance,
        phases=(0.0, 1.0 - cruise, cruise), existence=existence, hits=20, first_ns=START_NS, seen_ns=START_NS,
        thrust_ms2=0.0, parent="", originators=("Amber",),
    )  # fmt: skip


def beside(metres: float, faster_ms: float = 0.0) -> Floats:
    """A missile so far along the Earth's axis from the one at 0, and so much faster along it."""
    state = place(33.0, 41.0, 200e3, -2500.0, -300.0, 500.0)
    state[2] += metres
    state[5] += faster_ms
    return state


def told(*tracks: JointTrack) -> list[Group]:
    count = itertools.count(1)

    def header() -> Header:
        return Header(originator="Amber", source="test", sequence=next(count), measured_ns=START_NS)

    return groups_of(tracks, header)


def members(*tracks: JointTrack) -> list[tuple[str, ...]]:
    return [group.members for group in told(*tracks)]


def test_what_is_near_and_flies_alike_is_one_group_and_one_alone_is_none() -> None:
    a, b = seen("A", beside(0.0)), seen("B", beside(0.98 * NEAR_M))
    assert members(a, b) == [("A", "B")]
    assert members(a, seen("B", beside(1.02 * NEAR_M))) == []
    assert members(a) == members() == []
    # through a third, by single linkage
    assert members(a, b, seen("C", beside(1.9 * NEAR_M))) == [("A", "B", "C")]


def test_what_only_crosses_is_no_group() -> None:
    a = seen("A", beside(0.0))
    assert members(a, seen("B", beside(100.0, 0.98 * LIKE_MS))) == [("A", "B")]
    assert members(a, seen("B", beside(100.0, 1.02 * LIKE_MS))) == []


def test_what_cruises_is_in_no_group() -> None:
    a, b = seen("A", beside(0.0)), seen("B", beside(900.0))
    assert members(a, b, seen("C", beside(500.0), cruise=0.6)) == [("A", "B")]
    assert members(a, seen("C", beside(500.0), cruise=0.6)) == []
    assert members(a, seen("C", beside(500.0), cruise=0.4)) == [("A", "C")]


def test_what_is_known_less_well_than_the_distance_may_fly_together() -> None:
    apart = 2.0 * NEAR_M
    for sigma, expected in ((1.1 * apart / SIGMAS, [("A", "B")]), (0.9 * apart / SIGMAS, [])):
        # of the difference of two: each has half of its variance
        vague = spread(sigma / np.sqrt(2.0), 2.0)
        assert members(seen("A", beside(0.0), vague), seen("B", beside(apart), vague)) == expected


def test_the_number_is_a_distribution_over_the_members_existence() -> None:
    (group,) = told(seen("A", beside(0.0), existence=0.9), seen("B", beside(900.0), existence=0.8))
    assert group.chances == pytest.approx((0.02, 0.26, 0.72))
    # 5 % at most may lie below: the 2 % for none may be left out, the 26 % for one may not
    assert (group.number, group.fewest, group.most) == (2, 1, 2)
    # the centre leans to the surer: 900 m * 0.8 / 1.7
    assert group.centre[2] - beside(0.0)[2] == pytest.approx(900.0 * 0.8 / 1.7)
    # along the axis: the members' own 50 m, and a place that is one or the other
    share = 0.8 / 1.7
    assert group.spread[5] == pytest.approx(50.0**2 + share * (1.0 - share) * 900.0**2)
    assert group.velocity == pytest.approx(tuple(beside(0.0)[3:6]))


def test_the_order_of_the_tracks_does_not_matter_to_a_bit() -> None:
    rng = np.random.default_rng(4)
    tracks = [
        seen(
            f"A-{k}",
            beside(rng.uniform(0.0, 40e3), rng.uniform(-200.0, 200.0)),
            existence=rng.uniform(0.3, 1.0),
        )
        for k in range(9)
    ]
    first = [encode(group) for group in told(*tracks)]
    assert len(first) > 1
    for _ in range(20):
        shuffled: list[Any] = list(tracks)
        rng.shuffle(shuffled)
        assert [encode(group) for group in told(*shuffled)] == first


def test_groups_are_in_order_of_their_first_member_and_numbered_so_and_come_through_the_codec() -> None:
    tracks = [seen(n, beside(at)) for n, at in (("D", 0.0), ("B", 60e3), ("C", 61e3), ("E", 900.0))]
    out = told(*tracks)
    assert [(g.header.sequence, g.members) for g in out] == [(1, ("B", "C")), (2, ("D", "E"))]
    assert [decode(encode(g), "test") for g in out] == out
