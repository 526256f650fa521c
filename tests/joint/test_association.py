"""Which tracks of two originators are one object: a twin in NumPy, every assignment counted out, and an
offset of one cloud against the other that only all pairs together show."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reported_tracks import Floats, draw, place, seen_by
from scipy.stats import chi2

from jointwatch.joint import association
from jointwatch.joint.association import (
    BIAS_SIGMA_M,
    GATE2,
    KEEP2,
    LIKE_CRUISE_M,
    NEAR_M,
    THRUST_M,
    Cloud,
    distances2,
    pair_up,
)
from jointwatch.motion.phases import BALLISTIC, BOOST, CRUISE

Pairs = set[tuple[int, int]]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
MIDDLE = place(33.0, 41.0, 200e3, -2500.0, -300.0, 500.0)


def raid(rng: np.random.Generator, count: int, apart_m: float, faster_ms: float) -> Floats:
    """States (count, 7) of missiles about so far from each other."""
    states = np.tile(MIDDLE, (count, 1))
    states[:, :3] += apart_m * count ** (1.0 / 3.0) * rng.uniform(-0.75, 0.75, (count, 3))
    states[:, 3:6] += faster_ms * rng.normal(size=(count, 3))
    return states


def tracked(
    rng: np.random.Generator, states: Floats, position_m: float, velocity_ms: float, phase: int = BALLISTIC
) -> Cloud:
    """What a partner has of states: errors as large as he says."""
    covs = np.array([seen_by(rng, position_m, velocity_ms) for _ in states]).reshape(-1, 7, 7)
    off = np.array([draw(rng, c) for c in covs]).reshape(-1, 7)
    return Cloud(states + off, covs, np.full(len(states), phase))


def moved_by(cloud: Cloud, offset: Floats) -> Cloud:
    states = cloud.states.copy()
    states[:, :3] += offset
    return Cloud(states, cloud.covariances, cloud.phases)


def all_pairs(one: Cloud, other: Cloud) -> Ints:
    return np.array(list(itertools.product(range(len(one.states)), range(len(other.states)))), np.int64)


def distances(
    one: Cloud, other: Cloud, near: Ints, was: Flags, standing: Flags, bias_sigma_m: float = BIAS_SIGMA_M
) -> tuple[Floats, Floats, Floats]:
    return distances2(
        one.states, one.covariances, one.phases, other.states, other.covariances, other.phases, near, was,
        standing, bias_sigma_m,
    )  # fmt: skip


def twin(one: Cloud, other: Cloud, near: Ints, was: Flags, standing: Flags) -> tuple[Floats, Floats, Floats]:
    """Squared distances, offset and its covariance by their definitions."""

    def offset_told(pairs: Ints) -> tuple[Floats, Floats]:
        information, weight = np.eye(3) / BIAS_SIGMA_M**2, np.zeros(3)
        for a, b in pairs:
            told = np.linalg.inv((one.covariances[a] + other.covariances[b])[:3, :3])
            information = information + told
            weight = weight + told @ (other.states[b] - one.states[a])[:3]
        return np.linalg.solve(information, weight), np.linalg.inv(information)

    d2 = np.empty(len(near))
    for k, (a, b) in enumerate(near):
        apart = np.linalg.norm((one.states[a] - other.states[b])[:3])
        if (one.phases[a] == CRUISE) != (other.phases[b] == CRUISE) and apart > LIKE_CRUISE_M:
            d2[k] = np.inf
            continue
        rest = standing.copy()
        rest[k] = False
        offset, spread = offset_told(near[rest])
        y = (other.states[b] - one.states[a])[:6]
        y[:3] -= offset
        both = (one.covariances[a] + other.covariances[b])[:6, :6]
        both[:3, :3] += spread
        d2[k] = y @ np.linalg.solve(both, y)
        if was[k]:
            d2[k] -= KEEP2
            if one.phases[a] != other.phases[b] and apart < THRUST_M:
                d2[k] = min(d2[k], KEEP2)
    return (d2, *offset_told(near[standing]))


@pytest.mark.parametrize("seed", range(6))
def test_distances_and_offset_are_their_definitions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    states = raid(rng, 6, 3e3, 20.0)
    one, other = tracked(rng, states, 400.0, 10.0), tracked(rng, states[:5], 300.0, 15.0)
    one.phases[:] = rng.choice([BOOST, BALLISTIC, CRUISE], 6)
    other.phases[:] = rng.choice([BOOST, BALLISTIC, CRUISE], 5)
    near = all_pairs(one, other)
    was, standing = rng.random(len(near)) < 0.2, rng.random(len(near)) < 0.3
    ours, theirs = distances(one, other, near, was, standing), twin(one, other, near, was, standing)
    assert np.isinf(theirs[0]).any() and np.isfinite(theirs[0]).sum() > 10
    for mine, wanted in zip(ours, theirs, strict=True):
        assert np.allclose(mine, wanted, rtol=1e-6, atol=1e-6)


# ---------------------------------------------------------------------- the offset


def clouds_with_offset(seed: int, count: int) -> tuple[Cloud, Cloud, list[int], Floats]:
    """Missiles some 500 m apart, tracked to 60 m; the second partner's places are 300 m off, in his order."""
    rng = np.random.default_rng(seed)
    states = raid(rng, count, 500.0, 3.0)
    offset = rng.normal(size=3)
    offset *= 300.0 / np.linalg.norm(offset)
    order = rng.permutation(count).tolist()
    one, other = tracked(rng, states, 60.0, 4.0), tracked(rng, states[order], 60.0, 4.0)
    return one, moved_by(other, offset), order, offset


def share_right(pairs: list[tuple[int, int]], order: list[int]) -> float:
    return sum(order[j] == i for i, j in pairs) / len(order)


def test_an_offset_of_the_whole_cloud_is_seen_through_and_its_size_is_told() -> None:
    right, plain, nees = [], [], []
    for seed in range(40):
        one, other, order, offset = clouds_with_offset(seed, 20)
        found = pair_up(one, other)
        right.append(share_right(found.pairs, order))
        if right[-1] == 1.0:
            error = found.offset - offset
            nees.append(error @ np.linalg.solve(found.offset_covariance, error))
        # by distances that know of no offset
        near = all_pairs(one, other)
        nothing = np.zeros(len(near), np.bool_)
        d2 = distances(one, other, near, nothing, nothing, 1.0)[0]
        chosen = association._assign(near, d2)
        plain.append(share_right([(int(near[k, 0]), int(near[k, 1])) for k in chosen], order))
    assert np.mean(right) > 0.95
    assert np.mean(plain) < np.mean(right) - 0.15, "so easy that it shows nothing"
    assert len(nees) > 30
    assert np.mean(nees) < chi2.ppf(0.999, 3 * len(nees)) / len(nees) * 1.3


def test_an_offset_as_registration_leaves_it_is_told_as_well_as_it_says() -> None:
    nees = []
    for seed in range(150):
        rng = np.random.default_rng([seed, 3])
        states = raid(rng, 5, 8e3, 100.0)
        offset = BIAS_SIGMA_M * rng.normal(size=3)
        found = pair_up(tracked(rng, states, 100.0, 5.0), moved_by(tracked(rng, states, 150.0, 5.0), offset))
        assert [i == j for i, j in found.pairs] == [True] * 5
        error = found.offset - offset
        nees.append(error @ np.linalg.solve(found.offset_covariance, error))
    low, high = chi2.ppf([0.001, 0.999], 3 * len(nees)) / len(nees)
    assert low < np.mean(nees) < high


def test_distances_of_what_is_one_object_are_what_a_gate_supposes() -> None:
    """Each pair is judged by what the others say of the offset: with itself in it, it would seem nearer."""
    d2 = []
    for seed in range(80):
        rng = np.random.default_rng([seed, 4])
        states = raid(rng, 4, 8e3, 100.0)
        offset = BIAS_SIGMA_M * rng.normal(size=3)
        found = pair_up(tracked(rng, states, 60.0, 5.0), moved_by(tracked(rng, states, 60.0, 5.0), offset))
        d2 += found.distance2
    assert len(d2) == 320
    # pairs of one raid share the offset's error, so the band is wider than of as many independent ones
    assert 5.6 < np.mean(d2) < 6.4
    assert np.mean(np.array(d2) > chi2.ppf(0.99, 6)) < 0.03


# ---------------------------------------------------------------------- the assignment


@given(st.integers(0, 10**6), st.integers(0, 5), st.integers(0, 5))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_other_assignment_has_a_smaller_total_distance(seed: int, many: int, others: int) -> None:
    """An object left alone on both sides counts as much as a pair at the gate; small clouds, counted out."""
    rng = np.random.default_rng(seed)
    states = raid(rng, max(many, others, 1), 700.0, 8.0)
    one, other = tracked(rng, states[:many], 400.0, 8.0), tracked(rng, states[::-1][:others], 400.0, 8.0)
    near = all_pairs(one, other).reshape(-1, 2)
    nothing = np.zeros(len(near), np.bool_)
    d2 = distances(one, other, near, nothing, nothing)[0] if len(near) else np.zeros(0)
    chosen = association._assign(near, d2)
    mine = [(int(near[k, 0]), int(near[k, 1])) for k in chosen]
    assert len({i for i, _ in mine}) == len({j for _, j in mine}) == len(mine)
    assert all(d2[k] < GATE2 for k in chosen)
    of = {(int(a), int(b)): float(d) for (a, b), d in zip(near, d2, strict=True)}

    def gained(pairs: Pairs) -> float:
        return sum(of[p] - GATE2 for p in pairs)

    best = 0.0
    for size in range(1, min(many, others) + 1):
        for left in itertools.combinations(range(many), size):
            for right in itertools.permutations(range(others), size):
                best = min(best, gained(set(zip(left, right, strict=True))))
    assert gained(set(mine)) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize(("many", "others"), [(0, 0), (0, 1), (1, 0), (0, 7), (1, 1), (1, 3)])
def test_clouds_of_none_and_of_one(many: int, others: int) -> None:
    rng = np.random.default_rng(2)
    states = raid(rng, 8, 4e3, 50.0)
    found = pair_up(tracked(rng, states[:many], 200.0, 5.0), tracked(rng, states[:others], 200.0, 5.0))
    assert found.pairs == ([(0, 0)] if many and others else [])
    assert len(found.distance2) == len(found.pairs)
    if not found.pairs:
        assert not found.offset.any()
        assert np.allclose(found.offset_covariance, np.eye(3) * BIAS_SIGMA_M**2)


@pytest.mark.parametrize("seed", range(5))
def test_no_pair_lies_beyond_the_gate_or_so_far_that_it_is_never_asked(seed: int) -> None:
    rng = np.random.default_rng(seed)
    states = raid(rng, 20, 30e3, 200.0)
    elsewhere = states + rng.normal(0.0, 1e4, states.shape)
    one, other = tracked(rng, states, 5e3, 50.0), tracked(rng, elsewhere, 5e3, 50.0)
    found = pair_up(one, other)
    assert found.pairs == sorted(found.pairs)
    for (i, j), d2 in zip(found.pairs, found.distance2, strict=True):
        assert d2 < GATE2
        assert np.linalg.norm((one.states[i] - other.states[j])[:3]) < NEAR_M


def test_great_clouds_give_what_small_ones_give() -> None:
    """Above some thousand pairs a tree says which are near; a cloud alone far from the rest is paired as it
    would be if it were all there is."""
    rng = np.random.default_rng(9)
    parts = []
    for n in range(10):
        states = raid(rng, 8, 2e3, 20.0)
        states[:, 1] += 200e3 * n
        parts.append((tracked(rng, states, 300.0, 8.0), tracked(rng, states, 300.0, 8.0)))
    one, other = (
        Cloud(*(np.concatenate([getattr(p[side], name) for p in parts]) for name in Cloud.__struct_fields__))
        for side in (0, 1)
    )
    assert len(one.states) * len(other.states) > 4096
    near = association._near(one.states, other.states)
    apart = np.linalg.norm(one.states[:, None, :3] - other.states[None, :, :3], axis=2)
    assert np.array_equal(near, np.argwhere(apart < NEAR_M))
    pairs = set(pair_up(one, other).pairs)
    each = {(i + 8 * n, j + 8 * n) for n, (a, b) in enumerate(parts) for i, j in pair_up(a, b).pairs}
    assert len(pairs) > 70
    assert len(pairs & each) > 0.95 * len(each)


def test_what_was_a_pair_stays_one_unless_it_is_plainly_none() -> None:
    rng = np.random.default_rng(10)
    c = seen_by(rng, 100.0, 5.0)[None]
    whole = 2.0 * c[0, :6, :6] + np.diag([*[BIAS_SIGMA_M**2] * 3, 0.0, 0.0, 0.0])
    away = np.array([1.0, 0.0, 0.0])
    away /= np.sqrt(away @ np.linalg.inv(whole)[3:, 3:] @ away)

    def at(velocity_sigmas: float) -> Cloud:
        states = MIDDLE[None].copy()
        states[0, 3:6] += away * velocity_sigmas
        return Cloud(states, c, np.array([BALLISTIC]))

    here = at(0.0)
    one, none = np.array([[0, 0]]), np.zeros(1, np.bool_)
    d2 = {s: distances(here, at(s), one, none, none)[0][0] for s in (5.0, 7.0, 8.0)}
    assert d2[5.0] < GATE2 < d2[7.0] < GATE2 + KEEP2 < d2[8.0]
    assert [len(pair_up(here, at(s)).pairs) for s in (5.0, 7.0, 8.0)] == [1, 0, 0]
    assert [len(pair_up(here, at(s), {(0, 0)}).pairs) for s in (5.0, 7.0, 8.0)] == [1, 1, 0]


def test_what_thrusts_for_one_side_only_stays_a_pair_but_not_at_any_distance() -> None:
    """The other side has not looked since, perhaps; two that are far apart are two all the same."""
    c = seen_by(np.random.default_rng(11), 50.0, 2.0)[None]
    up = MIDDLE[:3] / np.linalg.norm(MIDDLE[:3])
    kept = {}
    for apart_m in (2e3, 9e3, 15e3, 35e3):
        states = MIDDLE[None].copy()
        states[0, :3] += apart_m * up
        thrusts, coasts = Cloud(MIDDLE[None], c, np.array([BOOST])), Cloud(states, c, np.array([BALLISTIC]))
        kept[apart_m] = len(pair_up(thrusts, coasts, {(0, 0)}).pairs)
        assert not pair_up(thrusts, coasts).pairs
    assert kept == {2e3: 1, 9e3: 1, 15e3: 0, 35e3: 0}
