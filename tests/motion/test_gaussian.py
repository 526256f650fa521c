"""Factors and triangular solves of small Gaussians, against NumPy; and what they make of singular ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.motion.gaussian import cholesky, semi_cholesky, solve_lower, solve_upper


def spread(seed, n, rank):
    """(n, n) covariance of a rank, with deviations over six decades, as positions and rates have them."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, rank)) * 10.0 ** rng.uniform(-3.0, 3.0, (n, 1))
    return a @ a.T


def factor(a):
    low = np.zeros_like(a)
    return cholesky(a, len(a), low), low


def semi_factor(a):
    low = np.zeros_like(a)
    semi_cholesky(a, len(a), low)
    return low


@pytest.mark.parametrize("n", [1, 2, 4, 6, 7])
@pytest.mark.parametrize("seed", range(5))
def test_the_factor_of_a_covariance_is_numpys(seed, n):
    a = spread(seed, n, n + 5)
    good, low = factor(a)
    assert good and np.allclose(low, np.linalg.cholesky(a), rtol=1e-9)
    assert np.allclose(semi_factor(a), low, rtol=1e-12)
    b = np.random.default_rng(seed).normal(size=n)
    x = np.empty(n)
    solve_lower(low, n, b, x)
    assert np.allclose(x, np.linalg.solve(low, b), rtol=1e-8)
    solve_upper(low, n, x, x)
    d = np.sqrt(np.diag(a))
    assert np.allclose(x * d, np.linalg.solve(a / np.outer(d, d), b / d), rtol=1e-6)


def test_only_the_leading_part_is_read_and_written():
    a = spread(3, 6, 11)
    low, whole = np.full((6, 6), 7.0), np.full((6, 6), 7.0)
    whole[:4, :4] = a[:4, :4]
    assert cholesky(whole, 4, low)
    below = np.tril_indices(4)
    assert np.allclose(low[below], np.linalg.cholesky(a[:4, :4])[below])
    low[below] = 7.0
    assert (low == 7.0).all()


@pytest.mark.parametrize("bad", [np.diag([1.0, -1.0, 1.0]), np.zeros((3, 3)), np.full((3, 3), 1.0)])
def test_what_is_not_positive_definite_has_no_factor(bad):
    assert not factor(bad)[0]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(0, 6))
def test_a_singular_covariance_is_still_the_square_of_its_factor(seed, rank):
    a = spread(seed, 6, rank)
    low = semi_factor(a)
    d = np.maximum(np.sqrt(np.diag(a)), 1e-100)
    assert np.abs((low @ low.T - a) / np.outer(d, d)).max(initial=0.0) < 1e-6
    assert (np.triu(low, 1) == 0.0).all() and (np.diag(low) >= 0.0).all()
    assert np.isfinite(low).all()


def test_what_is_known_exactly_has_a_zero_column_and_gives_a_zero_element():
    """A problem in the plane: z and its rate are known."""
    a = np.zeros((6, 6))
    plane = np.ix_([0, 1, 3, 4], [0, 1, 3, 4])
    a[plane] = spread(4, 4, 9)
    low = semi_factor(a)
    assert (low[:, [2, 5]] == 0.0).all() and (low[[2, 5]] == 0.0).all()
    assert np.allclose(low[plane], np.linalg.cholesky(a[plane]))
    x = np.empty(6)
    for solve, factor_of in ((solve_lower, low[plane]), (solve_upper, low[plane].T)):
        solve(low, 6, np.arange(1.0, 7.0), x)
        assert x[2] == x[5] == 0.0
        assert np.allclose(x[[0, 1, 3, 4]], np.linalg.solve(factor_of, [1.0, 2.0, 4.0, 5.0]), rtol=1e-9)
