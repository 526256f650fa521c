"""Groups: who flies together, and how many they are."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2

from jointwatch.tracking.groups import groups, interval, number_distribution


def watched(position, sigma=10.0, velocity=None, existence=None):
    """Arguments of `groups` for tracks at (n, 3), alike in all that is not said."""
    position = np.asarray(position, float)
    n = len(position)
    return (
        position,
        np.repeat(sigma**2 * np.eye(3)[None], n, axis=0),
        np.zeros((n, 3)) if velocity is None else np.asarray(velocity, float),
        np.ones(n) if existence is None else np.asarray(existence, float),
    )


def linked_one_by_one(linked):
    """Connected parts of a symmetric (n, n) table of links, by walking from each track to all it reaches."""
    n, seen, parts = len(linked), set(), []
    for begin in range(n):
        if begin in seen:
            continue
        part, ahead = set(), [begin]
        while ahead:
            i = ahead.pop()
            if i not in part:
                part.add(i)
                ahead += [j for j in range(n) if linked[i, j]]
        seen |= part
        parts.append(sorted(part))
    return parts


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.integers(1, 25), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 3.0]), st.sampled_from([5.0, np.inf])
)
def test_groups_are_what_one_reaches_from_track_to_linked_track(n, seed, sigmas, speed):
    rng = np.random.default_rng(seed)
    position, velocity = rng.uniform(0.0, 300.0, (n, 3)), rng.uniform(0.0, 5.0, (n, 3))
    root = rng.standard_normal((n, 3, 3)) * rng.uniform(1.0, 20.0, (n, 1, 1))
    covariance = root @ root.transpose(0, 2, 1) + np.eye(3)
    linked = np.zeros((n, n), bool)
    for i, j in product(range(n), repeat=2):
        d = position[i] - position[j]
        mahalanobis = np.sqrt(d @ np.linalg.inv(covariance[i] + covariance[j]) @ d)
        near = np.linalg.norm(d) <= 60.0 or (sigmas > 0.0 and mahalanobis <= sigmas)
        linked[i, j] = near and np.linalg.norm(velocity[i] - velocity[j]) <= speed
    found = groups(
        position, covariance, velocity, rng.random(n), distance_m=60.0, sigmas=sigmas, speed_ms=speed
    )
    assert [g.members.tolist() for g in found] == linked_one_by_one(linked)


def test_a_salvo_in_a_long_line_is_one_group_and_a_lone_missile_another():
    line = [[0.0, 500.0 * k, 0.0] for k in range(8)]
    first, second = groups(*watched([*line, [50_000.0, 0.0, 0.0]]), distance_m=600.0)
    assert first.members.tolist() == list(range(8)) and second.members.tolist() == [8]
    assert first.centre == pytest.approx([0.0, 1750.0, 0.0]) and first.radius_m == pytest.approx(1750.0)
    # eight evenly spaced stand 500 sqrt(63 / 12) m off on average, each itself known to 10 m
    assert first.extent_m == pytest.approx([np.hypot(500.0 * np.sqrt(63 / 12), 10.0), 10.0, 10.0])
    assert abs(first.axes[0]) == pytest.approx([0.0, 1.0, 0.0])
    assert second.extent_m == pytest.approx([10.0, 10.0, 10.0]) and second.radius_m == 0.0


def test_groups_of_fewer_than_asked_for_are_left_out_and_the_others_stay_as_they_are():
    tracks = watched([[0, 0, 0], [9000, 0, 0], [50, 0, 0], [9050, 0, 0], [9060, 0, 0], [5000, 0, 0]])
    every = groups(*tracks, distance_m=100.0)
    for fewest in (1, 2, 3, 4):
        some = groups(*tracks, distance_m=100.0, fewest_members=fewest)
        wanted = [g.members.tolist() for g in every if len(g.members) >= fewest]
        assert [g.members.tolist() for g in some] == wanted


def test_objects_that_only_cross_are_no_group():
    tracks = watched([[0, 0, 0], [50, 0, 0]], velocity=[[0, 1000, 0], [1000, 0, 0]])
    assert len(groups(*tracks, distance_m=100.0)) == 1
    assert len(groups(*tracks, distance_m=100.0, speed_ms=200.0)) == 2


def test_vague_tracks_are_linked_where_sure_ones_are_not():
    position = [[0, 0, 0], [300, 0, 0]]
    assert len(groups(*watched(position, sigma=10.0), distance_m=100.0, sigmas=3.0)) == 2
    assert len(groups(*watched(position, sigma=100.0), distance_m=100.0, sigmas=3.0)) == 1


def test_a_member_that_hardly_exists_hardly_moves_the_centre():
    (group,) = groups(*watched([[0, 0, 0], [100, 0, 0]], existence=[0.99, 0.01]), distance_m=200.0)
    assert group.centre == pytest.approx([1.0, 0.0, 0.0])
    assert group.mean == pytest.approx(1.0) and group.deviation == pytest.approx(np.sqrt(2 * 0.0099))


def test_members_that_surely_do_not_exist_still_have_a_place():
    (group,) = groups(*watched([[0, 0, 0], [100, 0, 0]], existence=[0.0, 0.0]), distance_m=200.0)
    assert group.centre == pytest.approx([50.0, 0.0, 0.0])
    assert group.number.tolist() == [1.0, 0.0, 0.0] and (group.fewest, group.most) == (0, 0)


def test_no_tracks_are_no_groups_and_wrong_shapes_are_refused():
    assert groups(*watched(np.empty((0, 3))), distance_m=1.0) == []
    position, covariance, velocity, existence = watched([[0, 0, 0]])
    with pytest.raises(ValueError, match=r"\(n, 3\)"):
        groups(position, covariance, velocity[:, :2], existence, distance_m=1.0)
    with pytest.raises(ValueError, match="probabilities"):
        groups(position, covariance, velocity, existence + 0.5, distance_m=1.0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.floats(0.0, 1.0), max_size=9))
def test_the_number_is_what_counting_every_combination_gives(existence):
    counted = np.zeros(len(existence) + 1)
    for exists in product((0, 1), repeat=len(existence)):
        counted[sum(exists)] += np.prod([p if e else 1.0 - p for p, e in zip(existence, exists, strict=True)])
    number = number_distribution(np.array(existence))
    assert np.allclose(number, counted, rtol=1e-9, atol=1e-15)
    fewest, most = interval(number)
    # each end is as far out as it must be, and no further
    assert counted[:fewest].sum() <= 0.05 + 1e-9 and counted[most + 1 :].sum() <= 0.05 + 1e-9
    assert counted[: fewest + 1].sum() >= 0.05 - 1e-9 and counted[most:].sum() >= 0.05 - 1e-9


def test_two_hundred_members_alike_are_binomial_to_their_smallest_chance():
    number = number_distribution(np.full(200, 0.9))
    assert np.allclose(number, binom.pmf(np.arange(201), 200, 0.9), rtol=1e-9, atol=0.0)
    assert interval(number) == (int(binom.ppf(0.05, 200, 0.9)), int(binom.ppf(0.95, 200, 0.9)))


def test_the_interval_holds_the_true_number_as_often_as_it_says():
    """1,000 salvos whose members exist with the probabilities stated."""
    rng = np.random.default_rng(9)
    below = above = 0
    for _ in range(1000):
        existence = rng.uniform(0.3, 1.0, 12)
        true = (rng.random(12) < existence).sum()
        fewest, most = interval(number_distribution(existence))
        below, above = below + (true < fewest), above + (true > most)
    # at most 5 % on either side: more than 72 of 1,000 would come by chance once in a thousand times
    assert below <= 72 and above <= 72


def test_spread_holds_the_members_at_their_stated_rate():
    """Objects drawn about a centre with a known spread: it comes out again, within its sampling error."""
    rng = np.random.default_rng(12)
    true = np.diag([400.0, 100.0, 50.0]) ** 2
    position = rng.multivariate_normal(np.zeros(3), true, 400)
    (group,) = groups(*watched(position, sigma=1.0), distance_m=1e4)
    inside = np.einsum(
        "ki,ij,kj->k", position - group.centre, np.linalg.inv(group.spread), position - group.centre
    )
    assert abs((inside < chi2.ppf(0.9, 3)).mean() - 0.9) < 0.05
    assert group.extent_m == pytest.approx([400.0, 100.0, 50.0], rel=0.15)
