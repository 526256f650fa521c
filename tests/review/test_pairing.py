"""Near pairs and the best of them, against every pair weighed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from jointwatch.review.pairing import best_pairs, near_pairs


def test_all_pairs_within_the_gate_are_found_and_no_other() -> None:
    rng = np.random.default_rng(8)
    first, second = rng.uniform(0.0, 10.0, (60, 3)), rng.uniform(0.0, 10.0, (50, 3))
    second[0] = first[0]  # coincident points are a pair too
    second[1] = np.nan  # and an absent one is in none
    apart = np.linalg.norm(first[:, None] - second[None], axis=2)
    near = near_pairs(first, second, 3.0)
    expected = {(i, j) for i, j in np.argwhere(apart < 3.0).tolist()}
    assert set(zip(near.first.tolist(), near.second.tolist(), strict=True)) == expected
    assert len(near.first) == len(expected)
    assert near.apart == pytest.approx(apart[near.first, near.second])


def test_nobody_is_near_nobody() -> None:
    assert near_pairs(np.empty((0, 3)), np.zeros((2, 3)), 1.0).first.size == 0
    assert best_pairs(np.empty(0, int), np.empty(0, int), np.empty(0), 3, 2).size == 0


def test_what_is_at_the_gate_is_outside() -> None:
    assert near_pairs(np.array([[0.0]]), np.array([[2.0]]), 2.0).first.size == 0


def test_no_choice_of_pairs_gains_more() -> None:
    rng = np.random.default_rng(9)
    for _ in range(30):
        n, m = rng.integers(1, 5, 2)
        first, second = np.nonzero(rng.random((n, m)) < 0.7)
        gain = rng.integers(0, 6, len(first)).astype(float)
        kept = best_pairs(first, second, gain, n, m)
        assert len(set(first[kept].tolist())) == len(set(second[kept].tolist())) == len(kept)
        best = 0.0
        for size in range(min(n, m) + 1):
            for some in itertools.combinations(range(len(gain)), size):
                rows, columns = {int(first[s]) for s in some}, {int(second[s]) for s in some}
                if len(rows) == len(columns) == size:
                    best = max(best, float(gain[list(some)].sum()))
        assert gain[kept].sum() == best
