"""GOSPA against values worked by hand, and as a metric."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from jointwatch.review.gospa import gospa, gospa_parts


def on_a_line(*x: float) -> np.ndarray:
    return np.array([[v, 0.0, 0.0] for v in x]).reshape(-1, 3)


@pytest.mark.parametrize(
    ("estimates", "truths", "squared"),
    [
        ((), (), 0.0),
        ((7.0,), (7.0,), 0.0),
        # one pair 3 apart, and one false track at half the squared cutoff
        ((0.0, 100.0), (3.0,), 9.0 + 50.0),
        # one pair 4 apart, and two missed
        ((0.0,), (4.0, 50.0, 90.0), 16.0 + 100.0),
        # too far apart to be one object: a false track and a miss, together the squared cutoff
        ((0.0,), (10.5,), 100.0),
        ((), (1.0, 2.0), 100.0),
        ((1.0, 2.0, 3.0), (), 150.0),
        # the nearest first, 3 to 2, would leave 0 to 6 and cost 37: the best assignment costs 4 + 9
        ((0.0, 3.0), (2.0, 6.0), 13.0),
    ],
)
def test_gospa_is_the_value_worked_by_hand(
    estimates: tuple[float, ...], truths: tuple[float, ...], squared: float
) -> None:
    value = gospa(on_a_line(*estimates), on_a_line(*truths), cutoff_m=10.0)
    assert value == pytest.approx(math.sqrt(squared))


def test_its_power_is_that_of_the_paper() -> None:
    # p = 1: the distance itself, and half the cutoff for what is left over
    value = gospa(on_a_line(0.0, 100.0), on_a_line(3.0), cutoff_m=10.0, power=1.0)
    assert value == pytest.approx(3.0 + 5.0)


def test_its_parts_say_what_is_wrong() -> None:
    # estimates 0, 30, 100 of truths 3 and 34: one is false; 3^2 + 4^2 of distance
    parts = gospa_parts(on_a_line(0.0, 30.0, 100.0), on_a_line(34.0, 3.0), cutoff_m=10.0)
    assert parts.localisation == pytest.approx(25.0)
    assert (parts.missed, parts.missed_count) == (0.0, 0)
    assert (parts.false, parts.false_count) == (50.0, 1)
    assert parts.pairs.first.tolist() == [0, 1]
    assert parts.pairs.second.tolist() == [1, 0]
    assert parts.pairs.apart == pytest.approx([3.0, 4.0])
    # the other way round, what was false is missed
    back = gospa_parts(on_a_line(34.0, 3.0), on_a_line(0.0, 30.0, 100.0), cutoff_m=10.0)
    assert (back.missed, back.missed_count, back.false, back.false_count) == (50.0, 1, 0.0, 0)


def test_a_crowd_is_assigned_as_well_as_with_every_pair_weighed() -> None:
    rng = np.random.default_rng(5)
    for spread_m in (3.0, 30.0, 300.0):
        estimates = rng.uniform(0.0, spread_m, (40, 3))
        truths = rng.uniform(0.0, spread_m, (33, 3))
        apart = np.linalg.norm(estimates[:, None] - truths[None], axis=2)
        cost = np.minimum(apart**2, 100.0)
        rows, columns = linear_sum_assignment(cost)
        expected = math.sqrt(cost[rows, columns].sum() + 50.0 * 7)
        assert gospa(estimates, truths, cutoff_m=10.0) == pytest.approx(expected, rel=1e-12)


def test_a_position_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        gospa(on_a_line(float("nan")), on_a_line(1.0), cutoff_m=10.0)
    with pytest.raises(ValueError, match="positive"):
        gospa(on_a_line(1.0), on_a_line(1.0), cutoff_m=0.0)


SETS = st.lists(st.integers(-12, 12).map(lambda v: 0.5 * v), max_size=5).map(lambda x: on_a_line(*x))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(SETS, SETS, SETS, st.sampled_from([1.0, 2.0, 3.0]))
def test_it_is_a_metric(x: np.ndarray, y: np.ndarray, z: np.ndarray, power: float) -> None:
    def apart(a: np.ndarray, b: np.ndarray) -> float:
        return gospa(a, b, 4.0, power)

    assert apart(x, x) == pytest.approx(0.0, abs=1e-9)
    assert apart(x, y) == pytest.approx(apart(y, x), abs=1e-9)
    assert apart(x, z) <= apart(x, y) + apart(y, z) + 1e-9
    if sorted(x[:, 0]) != sorted(y[:, 0]):
        assert apart(x, y) > 0.0
