"""Trajectory GOSPA against values worked by hand, the paper's programme in full, and as a metric."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from jointwatch.review.trajectory_gospa import trajectory_gospa

NO = float("nan")


def lines(*tracks: list[float], times: int = 5) -> np.ndarray:
    """Tracks on a line: their place at each time, NaN where they are not."""
    return np.array(tracks, float).reshape(-1, times, 1)


ONE = lines([0.0] * 5)
TWO = lines([0.0] * 4, [1.2] * 4, times=4)
SWAPPED = lines([0.1, 0.1, 1.1, 1.1], [1.1, 1.1, 0.1, 0.1], times=4)


@pytest.mark.parametrize(
    ("tracks", "localisation", "missed", "false", "switching"),
    [
        # the paper's illustrations, with cutoff 5 and switching penalty 1: off by 1 throughout
        (lines([1.0] * 5), 5.0, 0.0, 0.0, 0.0),
        # ends one time early: half the cutoff, and no switch
        (lines([1.0] * 4 + [NO]), 4.0, 2.5, 0.0, 0.0),
        # broken in two, off by 0.1: one full switch
        (lines([0.1] * 3 + [NO] * 2, [NO] * 3 + [0.1] * 2), 0.5, 0.0, 0.0, 1.0),
        # the same with a time between them at which there is no track
        (lines([0.1] * 2 + [NO] * 3, [NO] * 3 + [0.1] * 2), 0.4, 2.5, 0.0, 1.0),
        (lines([50.0] * 5), 0.0, 12.5, 12.5, 0.0),
        (lines(), 0.0, 12.5, 0.0, 0.0),
    ],
)
def test_a_track_is_worth_what_it_is_by_hand(
    tracks: np.ndarray, localisation: float, missed: float, false: float, switching: float
) -> None:
    out = trajectory_gospa(tracks, ONE, cutoff_m=5.0, switch_m=1.0)
    assert out.distance_m == pytest.approx(localisation + missed + false + switching)
    assert out.localisation == pytest.approx(localisation)
    assert (out.missed, out.false) == pytest.approx((missed, false))
    assert (out.switching, out.switches) == pytest.approx((switching, switching))
    # the other way round, what was missed is false
    back = trajectory_gospa(ONE, tracks, cutoff_m=5.0, switch_m=1.0)
    assert (back.missed, back.false) == pytest.approx((false, missed))


def test_a_swap_costs_its_switches_or_what_it_costs_to_hold_on() -> None:
    # eight errors of 0.1 and two switches, or four of 0.1 and four of 1.1
    cheap = trajectory_gospa(SWAPPED, TWO, cutoff_m=5.0, switch_m=1.0)
    assert cheap.distance_m == pytest.approx(0.8 + 2.0)
    assert cheap.switches == pytest.approx(2.0)
    dear = trajectory_gospa(SWAPPED, TWO, cutoff_m=5.0, switch_m=3.0)
    assert dear.distance_m == pytest.approx(0.4 + 4.4)
    assert dear.switches == pytest.approx(0.0)


def test_its_power_is_that_of_the_paper() -> None:
    # p = 2: a miss is half the squared cutoff, a switch the squared penalty
    tracks = lines([0.0] * 2 + [NO] * 3, [NO] * 3 + [3.0] * 2)
    out = trajectory_gospa(tracks, ONE, cutoff_m=5.0, switch_m=2.0, power=2.0)
    assert out.distance_m == pytest.approx(np.sqrt(2 * 9.0 + 12.5 + 4.0))


def as_in_the_paper(x: np.ndarray, y: np.ndarray, cutoff: float, switch: float) -> float:
    """The linear programme with a weight for every pair, none left out, and the dummies (p = 1)."""
    n, m, steps = len(x), len(y), x.shape[1]
    shape = (n + 1, m + 1, steps)
    cost = np.zeros(shape)
    for i, j, k in np.ndindex(shape):
        a, b = i < n and np.isfinite(x[i, k, 0]), j < m and np.isfinite(y[j, k, 0])
        if a and b:
            cost[i, j, k] = min(abs(x[i, k, 0] - y[j, k, 0]), cutoff)
        elif a or b:
            cost[i, j, k] = 0.5 * cutoff
    at = np.arange(cost.size).reshape(shape)
    change = cost.size + np.arange(n * m * (steps - 1)).reshape(n, m, steps - 1)
    size = cost.size + change.size
    equal, less = [], []
    for k in range(steps):
        for i in range(n):
            equal.append(np.isin(np.arange(size), at[i, :, k]).astype(float))
        for j in range(m):
            equal.append(np.isin(np.arange(size), at[:, j, k]).astype(float))
    for i, j, k in np.ndindex(change.shape):
        for sign in (1.0, -1.0):
            row = np.zeros(size)
            row[at[i, j, k + 1]], row[at[i, j, k]], row[change[i, j, k]] = sign, -sign, -1.0
            less.append(row)
    if not equal:
        return 0.0
    objective = np.concatenate([cost.ravel(), np.full(change.size, 0.5 * switch)])
    found = linprog(
        objective,
        A_ub=np.array(less) if less else None,
        b_ub=np.zeros(len(less)) if less else None,
        A_eq=np.array(equal),
        b_eq=np.ones(len(equal)),
    )
    return float(found.fun)


PLACE = st.one_of(st.just(NO), st.integers(-5, 5).map(float))
SETS = st.lists(st.lists(PLACE, min_size=3, max_size=3), max_size=3).map(lambda x: lines(*x, times=3))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SETS, SETS, st.sampled_from([0.5, 2.0, 6.0]))
def test_what_is_left_out_of_the_programme_changes_nothing(
    x: np.ndarray, y: np.ndarray, switch: float
) -> None:
    ours = trajectory_gospa(x, y, 4.0, switch).distance_m
    assert ours == pytest.approx(as_in_the_paper(x, y, 4.0, switch), abs=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SETS, SETS, SETS, st.sampled_from([1.0, 2.0]))
def test_it_is_a_metric(x: np.ndarray, y: np.ndarray, z: np.ndarray, power: float) -> None:
    def apart(a: np.ndarray, b: np.ndarray) -> float:
        return trajectory_gospa(a, b, 4.0, 1.5, power).distance_m

    assert apart(x, x) == pytest.approx(0.0, abs=1e-6)
    assert apart(x, y) == pytest.approx(apart(y, x), abs=1e-6)
    assert apart(x, z) <= apart(x, y) + apart(y, z) + 1e-6


def test_a_switch_that_costs_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        trajectory_gospa(ONE, ONE, cutoff_m=5.0, switch_m=0.0)
