"""The grid over plots finds what a look at every plot would find."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jointwatch.tracking.index import FEWEST_CELLS, build, place_of, within

TURN = 2.0 * math.pi


def by_looking_at_all(first, second, rectangle, period):
    first_from, first_to, second_from, second_to = rectangle
    found = []
    for i in range(len(first)):
        beyond = second[i] - second_from
        if period:
            beyond = 0.0 if second_to - second_from >= period else beyond % period
        if first_from <= first[i] <= first_to and 0.0 <= beyond <= second_to - second_from:
            found.append(i)
    return found


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.integers(0, 60),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, TURN]),
    st.sampled_from([1e-6, 0.01, 0.3, 10.0, 1e9]),
    st.sampled_from([1e-3, 0.3, 3.0, 20.0]),
)
@example(1, 0, TURN, 0.3, 0.3)
def test_the_grid_finds_what_a_look_at_all_plots_finds(m, seed, period, cell, size):
    rng = np.random.default_rng(seed)
    # some plots in clumps and some twice over, one in eight far off, azimuths beyond one turn
    first = rng.choice([0.0, 5.0], m) + rng.standard_normal(m) * rng.choice(
        [1e-3, 1.0, 1e6], m, p=[0.5, 0.375, 0.125]
    )
    second = rng.uniform(-TURN, 2.0 * TURN, m)
    index = build(first, second, cell, 0.7 * cell, period)
    assert len(index.start) <= max(m, FEWEST_CELLS) + 1
    for _ in range(10):
        a, b = rng.uniform(-3.0, 8.0), rng.uniform(-TURN, TURN)
        if m and rng.random() < 0.5:
            a, b = first[rng.integers(m)], second[rng.integers(m)]  # a plot right on the corner
        rectangle = (a, a + size * rng.random(), b, b + size * rng.random())
        assert within(index, *rectangle).tolist() == by_looking_at_all(first, second, rectangle, period)


def test_a_rectangle_across_north_finds_plots_on_both_sides_of_it():
    azimuth = np.radians([359.0, 1.0, 10.0, 350.5, 180.0])
    index = build(np.full(5, 1e5), azimuth, 1e3, math.radians(1.0), TURN)
    assert within(index, 9e4, 1.1e5, math.radians(355.0), math.radians(365.0)).tolist() == [0, 1]
    assert within(index, 9e4, 1.1e5, math.radians(-10.0), math.radians(2.0)).tolist() == [0, 1, 3]


def test_a_rectangle_wider_than_a_turn_is_the_full_circle_and_finds_each_plot_once():
    azimuth = np.radians(np.arange(0.0, 360.0, 5.0))
    index = build(np.full(72, 1e5), azimuth, 1e3, math.radians(3.0), TURN)
    assert within(index, 0.0, 2e5, 1.0, 1.0 + TURN).tolist() == list(range(72))
    assert within(index, 0.0, 2e5, -20.0, 30.0).tolist() == list(range(72))


def test_no_plots_are_no_trouble():
    index = build(np.empty(0), np.empty(0), 100.0, 0.01, TURN)
    assert within(index, -np.inf, np.inf, 0.0, 7.0).tolist() == []


def test_plots_all_in_one_place_are_all_found():
    index = build(np.full(500, 7.0), np.full(500, 1.0), 1e-3, 1e-3, TURN)
    assert within(index, 7.0, 7.0, 1.0, 1.0).tolist() == list(range(500))
    assert within(index, 7.1, 8.0, 0.0, 2.0).tolist() == []


def test_values_that_are_no_numbers_lie_in_no_rectangle():
    first = np.array([1.0, np.nan, 3.0, np.inf, 2.0])
    second = np.array([0.5, 0.5, np.nan, 0.5, 0.6])
    for period in (0.0, TURN):
        index = build(first, second, 0.1, 0.1, period)
        assert within(index, 0.0, 10.0, 0.0, 1.0).tolist() == [0, 4]
        assert within(index, 0.0, 10.0, 0.0, 100.0).tolist() == [0, 4]
    assert within(index, np.nan, 10.0, 0.0, 1.0).tolist() == []


@pytest.mark.parametrize("far", [0.0, 1e15])
def test_a_million_plots_take_memory_by_their_number_not_by_their_area(far):
    """Cells of 1 mm over 1,000 km would be 10^18; there are never more than plots."""
    rng = np.random.default_rng(6)
    m = 1_000_000
    x, y = rng.uniform(0.0, 1e6, m), rng.uniform(0.0, 1e6, m)
    x[17] += far
    index = build(x, y, 1e-3, 1e-3, 0.0)
    assert index.rows * index.columns <= m and sum(a.nbytes for a in (index.start, index.plot)) <= 17 * m
    assert np.array_equal(np.sort(index.plot), np.arange(m))
    inside = np.flatnonzero((x >= 3e5) & (x <= 3.02e5) & (y >= 5e5) & (y <= 5.02e5))
    assert np.array_equal(within(index, 3e5, 3.02e5, 5e5, 5.02e5), inside) and len(inside) > 1


def test_cells_without_a_side_are_refused():
    with pytest.raises(ValueError, match="above 0"):
        build(np.zeros(1), np.zeros(1), 0.0, 1.0, 0.0)


def test_the_place_of_a_value_is_searchsorteds():
    rng = np.random.default_rng(17)
    for m in (0, 1, 2, 3, 7, 40):
        values = np.sort(np.round(rng.normal(size=m), 1))
        for value in [*values, *rng.normal(size=20), -1e300, 1e300]:
            assert place_of(values, value) == np.searchsorted(values, value)
