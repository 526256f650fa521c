"""The joint picture: who is who, whatever order the tracks come in, and names that stay."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from reported_tracks import (
    CRUISE_SURELY,
    Floats,
    at_s,
    draw,
    moved,
    place,
    seen_by,
    spread,
    track,
)

from jointwatch.joint.coarse import CoarseTrack
from jointwatch.joint.joint_track import JointTrack
from jointwatch.joint.picture import JointPicture
from jointwatch.joint.told import CRUISE_STALE_S, STALE_S
from jointwatch.records import Header, Track, TrackReport


def salvo(rng: np.random.Generator, count: int, apart_m: float, courses_ms: float = 30.0) -> list[Floats]:
    """Missiles on their way, each some apart_m from the next along a line; velocities differ by
    courses_ms."""
    return [
        place(
            33.0 + i * apart_m / 111e3,
            41.0 + rng.uniform(-0.01, 0.01),
            200e3 + rng.uniform(-2e3, 2e3),
            -2500.0 + rng.uniform(-courses_ms, courses_ms),
            -300.0 + rng.uniform(-courses_ms, courses_ms),
            500.0 + rng.uniform(-courses_ms, courses_ms),
        )
        for i in range(count)
    ]


def watched(
    rng: np.random.Generator, prefix: str, states: list[Floats], numbers: list[int], seconds: float = 0.0
) -> list[Track]:
    """What one partner reports of objects: estimates with errors as large as they say."""
    out = []
    for state, number in zip(states, numbers, strict=True):
        c = seen_by(rng, 600.0, 12.0)
        out.append(track(f"{prefix}-{number:04d}", state + draw(rng, c), c, at_s(seconds)))
    return out


def told(kept: JointPicture, *tracks: Track) -> None:
    """Let a picture have reports of one track each."""
    for t in tracks:
        header = Header(
            originator=t.header.originator, source="", sequence=0, measured_ns=t.header.measured_ns
        )
        kept.take(TrackReport(header=header, rule="", tracks=(t,)))


def picture(*tracks: Track, at: float = 1.0) -> list[JointTrack]:
    """The picture of tracks: a second after, for who is who is decided once a second."""
    kept = JointPicture()
    told(kept, *tracks)
    return kept.at(at_s(at))


def said(joint: list[JointTrack]) -> list[tuple[object, ...]]:
    """Everything that a picture says, comparable bit for bit."""
    return [
        (t.number, t.aliases, t.state.tobytes(), t.covariance.tobytes(), t.phases, t.existence, t.hits)
        for t in joint
    ]


def test_twenty_objects_seen_by_both_are_twenty_and_named_by_the_lowest_number() -> None:
    rng = np.random.default_rng(1)
    states = salvo(rng, 20, 5e3)
    far = [place(34.5, 39.0, 150e3, -2000.0, 0.0, 0.0), place(31.5, 43.0, 90e3, -2000.0, 0.0, 300.0)]
    ours, theirs = rng.permutation(20).tolist(), rng.permutation(20).tolist()
    joint = picture(
        *watched(rng, "AMBER", [*states, far[0]], [*ours, 50]),
        *watched(rng, "BLUE", [*states, far[1]], [*theirs, 50]),
    )
    pairs = {(f"AMBER-{a:04d}", f"BLUE-{b:04d}") for a, b in zip(ours, theirs, strict=True)}
    assert {t.aliases for t in joint} == pairs | {("AMBER-0050",), ("BLUE-0050",)}
    assert [t.number for t in joint] == sorted(t.aliases[0] for t in joint)
    by_number = {t.number: t for t in joint}
    for state, number in zip(states, ours, strict=True):
        assert np.linalg.norm((by_number[f"AMBER-{number:04d}"].state - moved(state, 1.0))[:3]) < 1500.0


@given(data=st.data())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_picture_does_not_depend_on_the_order_of_tracks_or_partners(data: st.DataObject) -> None:
    rng = np.random.default_rng(2)
    states = salvo(rng, 6, 2e3)
    tracks = watched(rng, "AMBER", [moved(s, 2.0) for s in states], [3, 1, 4, 0, 5, 9], 2.0)
    tracks += watched(rng, "BLUE", states[1:], [2, 6, 5, 8, 7])
    tracks += watched(rng, "BLUE", [moved(s, 2.0) for s in states[1:]], [2, 6, 5, 8, 7], 2.0)
    pictures = []
    for order in (tracks, data.draw(st.permutations(tracks))):
        kept = JointPicture()
        for n, t in enumerate(order):
            told(kept, t)
            if n % 5 == 2:  # what was asked before changes nothing
                kept.at(at_s(data.draw(st.sampled_from([0.5, 1.0, 2.7, 4.0]))))
        pictures.append([said(kept.at(at_s(3.0))), said(kept.at(at_s(6.0)))])
    assert pictures[0] == pictures[1]
    assert len(pictures[0][1]) == 6


def test_three_partners_tracks_of_one_object_are_one() -> None:
    rng = np.random.default_rng(3)
    state = salvo(rng, 1, 1.0)
    (one,) = picture(*(t for p in ("CORAL", "AMBER", "BLUE") for t in watched(rng, p, state, [7])))
    assert one.aliases == ("AMBER-0007", "BLUE-0007", "CORAL-0007")
    assert one.number == "AMBER-0007"
    assert one.hits == 60


def test_objects_farther_apart_than_their_errors_stay_two() -> None:
    state = place(33.0, 41.0, 200e3, -2500.0, 0.0, 500.0)
    c = spread(300.0, 10.0)
    other = state + np.array([0.0, 0.0, 0.0, 100.0, 0.0, 0.0, 0.0])  # ten times what its velocity is known to
    assert len(picture(track("AMBER-0001", state, c), track("BLUE-0001", other, c))) == 2
    near = state + np.array([300.0, 0.0, 0.0, 10.0, 0.0, 0.0, 0.0])
    assert len(picture(track("AMBER-0001", state, c), track("BLUE-0001", near, c))) == 1


def test_an_aircraft_is_not_taken_for_a_missile_that_passes_over_it() -> None:
    state = place(33.0, 41.0, 10e3, -200.0, 0.0, 0.0)
    vague = spread(10e3, 2000.0)
    above = place(33.0, 41.0, 14e3, -900.0, 0.0, -700.0)
    plane = track("BLUE-0001", state, vague, phases=CRUISE_SURELY)
    assert len(picture(track("AMBER-0001", above, vague), plane)) == 2


def test_an_object_not_reported_for_long_or_ended_is_gone() -> None:
    state = place(33.0, 41.0, 200e3, -2500.0, 0.0, 500.0)
    missile = track("AMBER-0001", state, spread(300.0, 10.0))
    plane = track(
        "AMBER-0002", place(32.0, 40.0, 10e3, 200.0, 0.0, 0.0), spread(100.0, 5.0), phases=CRUISE_SURELY
    )
    ended = track("BLUE-0009", place(30.0, 40.0, 90e3, 900.0, 0.0, 0.0), spread(100.0, 5.0), ended=True)
    seen = {at: [t.number for t in picture(missile, plane, ended, at=at)] for at in (0.0, 29.0, 31.0, 901.0)}
    assert CRUISE_STALE_S == 30.0 and STALE_S == 900.0
    assert seen == {
        0.0: ["AMBER-0001", "AMBER-0002"],
        29.0: ["AMBER-0001", "AMBER-0002"],
        31.0: ["AMBER-0001"],
        901.0: [],
    }


def test_names_do_not_change_over_a_minute_in_a_tight_salvo() -> None:
    """Eight missiles 500 m apart, each partner's estimates good to some 600 m: pairs once made are kept."""
    rng = np.random.default_rng(5)
    states = salvo(rng, 8, 500.0, 2.0)
    kept, forgetful = JointPicture(), set()
    seen = set()
    for second in range(0, 60, 2):
        now = [moved(s, float(second)) for s in states]
        tracks = watched(rng, "AMBER", now, list(range(8)), second)
        tracks += watched(rng, "BLUE", now, list(range(8)), second)
        told(kept, *tracks)
        seen.add(tuple(t.aliases for t in kept.at(at_s(second + 0.6))))
        forgetful.add(tuple(t.aliases for t in picture(*tracks, at=second + 0.6)))
    assert len(forgetful) > 5, "this salvo is too easy to show anything"
    assert len(seen) == 1


def test_an_object_handed_over_keeps_its_name() -> None:
    """One partner sees it first, both for a while, then only the other: its number is the first's till
    then."""
    rng = np.random.default_rng(6)
    (state,) = salvo(rng, 1, 1.0)
    kept, names = JointPicture(), []
    for second in range(0, 40, 2):
        now = [moved(state, float(second))]
        tracks = watched(rng, "BLUE", now, [3], second) if second < 24 else []
        tracks += watched(rng, "AMBER", now, [8], second) if second >= 10 else []
        if second == 24:
            tracks += [replace(watched(rng, "BLUE", now, [3], second)[0], ended=True)]
        told(kept, *tracks)
        names.append([t.aliases for t in kept.at(at_s(second + 0.6))])
    both = [("BLUE-0003", "AMBER-0008")]
    assert names == [[("BLUE-0003",)]] * 5 + [both] * 15, (
        "it keeps its name, also when the one who gave it is gone"
    )


def test_errors_of_fused_tracks_agree_with_their_covariance_after_they_are_moved_on() -> None:
    rng = np.random.default_rng(7)
    states = salvo(rng, 150, 40e3 / 3)
    numbers = list(range(150))
    tracks = watched(rng, "AMBER", [moved(s, 3.0) for s in states], numbers, 3.0)
    tracks += watched(rng, "BLUE", states, numbers)
    joint = {alias: t for t in picture(*tracks, at=8.0) for alias in t.aliases}
    alone = {t.number: t for t in picture(*tracks[:150], at=8.0)}
    nees, smaller = [], []
    for number, state in enumerate(states):
        name = f"AMBER-{number:04d}"
        t, truth = joint[name], moved(state, 8.0)
        assert set(t.aliases) == {name, f"BLUE-{number:04d}"}
        e = (t.state - truth)[:6]
        nees.append(e @ np.linalg.solve(t.covariance[:6, :6], e))
        smaller.append(np.linalg.slogdet(t.covariance)[1] - np.linalg.slogdet(alone[name].covariance)[1])
    # independent errors: the intersection is careful, and never too sure
    assert 2.0 < np.mean(nees) <= 6.0
    assert max(smaller) <= 1e-6
    assert np.mean(smaller) < -2.0


def test_a_predicted_state_is_the_filters_own() -> None:
    state = place(33.0, 41.0, 200e3, -2500.0, 0.0, 500.0)
    entry = CoarseTrack(track("AMBER-0001", state, spread(300.0, 10.0)))
    later, covariance = entry.at(at_s(30.0))
    assert np.allclose(later, moved(state, 30.0), atol=1e-6)
    assert np.sqrt(np.diag(covariance)[:3]) == pytest.approx([np.hypot(300.0, 300.0)] * 3, rel=0.03)
    same, _ = entry.at(at_s(-5.0))
    assert (same == state).all(), "a state is never moved back"


def test_a_track_that_thrusts_is_known_less_and_less() -> None:
    state = place(33.0, 41.0, 50e3, -900.0, 0.0, 900.0)
    boosting = CoarseTrack(track("AMBER-0001", state, spread(300.0, 10.0), phases=(0.9, 0.1, 0.0)))
    sigma = [np.sqrt(np.trace(boosting.at(at_s(s))[1][:3, :3])) for s in (0.0, 5.0, 10.0)]
    assert sigma[1] > sigma[0] + 300.0 and sigma[2] > 2.0 * sigma[1]


def test_who_looked_last_says_in_what_phase_it_is_once_he_knows_it_well() -> None:
    state = place(33.0, 41.0, 50e3, -900.0, 0.0, 900.0)
    c = spread(300.0, 20.0)
    boost = (0.95, 0.04, 0.01)
    for hits, phases in ((5, (0.01, 0.98, 0.01)), (30, boost)):
        old = track("AMBER-0001", state, c, at_s(0.0), hits=40)
        new = track("BLUE-0001", moved(state, 1.0), c, at_s(1.0), hits=hits, phases=boost)
        (one,) = picture(old, new, at=1.6)
        assert one.phases == phases
        assert one.seen_ns == at_s(1.0)
        assert one.hits == 40 + hits


@pytest.mark.parametrize("swapped", [False, True])
def test_a_pair_is_chosen_by_the_total_distance_and_not_the_nearest_first(swapped: bool) -> None:
    """A - B - A' - B' along a line: the nearest pair (B, A') would leave A and B' alone."""
    c = spread(300.0, 10.0)
    base = place(33.0, 41.0, 200e3, -2500.0, 0.0, 500.0)
    along = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    a = [track(f"AMBER-000{i}", base + m * along, c) for i, m in enumerate((0.0, 1700.0))]
    b = [track(f"BLUE-000{i}", base + m * along, c) for i, m in enumerate((1000.0, 2700.0))]
    joint = picture(*itertools.chain(b, a) if swapped else (*a, *b))
    assert [t.aliases for t in joint] == [("AMBER-0000", "BLUE-0000"), ("AMBER-0001", "BLUE-0001")]


def test_where_two_tracks_fit_as_well_their_numbers_choose_and_not_their_order() -> None:
    state, c = place(33.0, 41.0, 200e3, -2500.0, 0.0, 500.0), spread(300.0, 10.0)
    ours = track("AMBER-0001", state, c)
    same = [track(f"BLUE-000{i}", state, c) for i in range(3)]
    pictures = [picture(ours, *order) for order in itertools.permutations(same)]
    assert all(said(p) == said(pictures[0]) for p in pictures)
