"""Normalised errors and their bounds against a textbook's figures and values worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from jointwatch.review.consistency import (
    anees,
    average_bounds,
    mean_error_bound,
    nees,
    nis,
    normalised_errors,
)


def test_an_error_is_normalised_as_by_hand() -> None:
    # two standard deviations' worth, one in each element
    assert nees(np.array([3.0, 4.0]), np.diag([9.0, 16.0])) == pytest.approx(2.0)
    # P^-1 e = (1/3, 1/3)
    both = np.array([[2.0, 1.0], [1.0, 2.0]])
    assert nees(np.array([1.0, 1.0]), both) == pytest.approx(2.0 / 3.0)
    # against the correlation, P^-1 e = (1, -1)
    assert nis(np.array([1.0, -1.0]), both) == pytest.approx(2.0)


def test_units_do_not_matter() -> None:
    both = np.array([[2.0, 1.0], [1.0, 2.0]])
    unit = np.array([1e-9, 1e7])
    assert nees(unit * [1.0, -1.0], both * np.outer(unit, unit)) == pytest.approx(2.0, rel=1e-12)


def test_runs_are_averaged() -> None:
    errors = np.array([[[1.0], [2.0]], [[3.0], [0.0]]])  # two runs, two times
    assert anees(errors, np.full((2, 2, 1, 1), 4.0)) == pytest.approx([1.25, 0.5])


def test_bounds_are_those_of_the_textbook() -> None:
    # Bar-Shalom, Li & Kirubarajan 2001, section 5.4: 50 runs of 2 elements, 95 %: [1.5, 2.6]
    assert average_bounds(2, 50) == pytest.approx((1.5, 2.6), abs=0.02)
    # one run's NIS over 100 scans, one element: [0.74, 1.3]
    assert average_bounds(1, 100) == pytest.approx((0.74, 1.3), abs=0.005)
    # chi-square of two degrees of freedom is -2 ln of what is left: tables give 0.0506 and 7.378
    assert average_bounds(2, 1) == pytest.approx((-2.0 * np.log(0.975), -2.0 * np.log(0.025)))
    assert mean_error_bound(100) == pytest.approx(0.196, abs=1e-3)


def test_a_filter_that_is_too_sure_is_found_out() -> None:
    rng = np.random.default_rng(3)
    truth = np.array([[4.0, 1.5], [1.5, 1.0]])
    errors = rng.multivariate_normal([0.0, 0.0], truth, 400)
    low, high = average_bounds(2, 400, level=0.999)
    assert low < anees(errors, truth) < high
    assert anees(errors, truth / 1.3) > high
    assert anees(errors, truth * 1.3) < low


def test_elements_show_which_of_them_is_biased() -> None:
    rng = np.random.default_rng(4)
    truth = np.diag([100.0, 1e-6])
    errors = rng.multivariate_normal([0.0, 0.5e-3], truth, 400)
    mean = normalised_errors(errors, truth).mean(axis=0)
    assert abs(mean[0]) < mean_error_bound(400, 0.999)
    assert mean[1] > mean_error_bound(400, 0.999)


@pytest.mark.parametrize("wrong", [np.diag([1.0, 0.0]), np.array([[1.0, 2.0], [2.0, 1.0]])])
def test_what_is_no_covariance_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="positive definite"):
        nees(np.zeros(2), wrong)
