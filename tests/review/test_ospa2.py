"""OSPA(2) against values worked by hand, and as a metric."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.review.ospa2 import ospa2

NO = float("nan")


def lines(*tracks: list[float], times: int = 4) -> np.ndarray:
    """Tracks on a line: their place at each time, NaN where they are not."""
    return np.array(tracks, float).reshape(-1, times, 1)


TRUE = lines([0.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("tracks", "distance", "localisation", "cardinality"),
    [
        (lines([0.0, 0.0, 0.0, 0.0]), 0.0, 0.0, 0.0),
        (lines([3.0, 3.0, 3.0, 3.0]), 3.0, 3.0, 0.0),
        # beyond the cutoff is as bad as not there
        (lines([3.0, 3.0, 50.0, NO]), 6.5, 6.5, 0.0),
        # broken in two: one half is paired, at 3, 3, 10, 10; the other is one too many, at 10; over 2
        (lines([3.0, 3.0, NO, NO], [NO, NO, 3.0, 3.0]), 8.25, 3.25, 5.0),
        (lines(), 10.0, 0.0, 10.0),
        # a track that is never there is none
        (lines([NO] * 4, [3.0] * 4), 3.0, 3.0, 0.0),
    ],
)
def test_a_window_is_worth_what_it_is_by_hand(
    tracks: np.ndarray, distance: float, localisation: float, cardinality: float
) -> None:
    out = ospa2(tracks, TRUE, cutoff_m=10.0, window=4)
    assert out.distance_m[-1] == pytest.approx(distance)
    assert out.localisation_m[-1] == pytest.approx(localisation)
    assert out.cardinality_m[-1] == pytest.approx(cardinality)


def test_times_when_neither_is_there_do_not_dilute_an_error() -> None:
    # together at times 1 to 3: one missing, one exact, one false: (10 + 0 + 10) / 3
    out = ospa2(lines([NO, 0.0, 0.0, NO]), lines([0.0, 0.0, NO, NO]), cutoff_m=10.0, window=4)
    assert out.distance_m[-1] == pytest.approx(20.0 / 3.0)


def test_a_swap_is_paid_for_while_the_window_holds_both_sides_of_it() -> None:
    truths = lines([0.0] * 4, [100.0] * 4)
    swapped = lines([0.0, 0.0, 100.0, 100.0], [100.0, 100.0, 0.0, 0.0])
    out = ospa2(swapped, truths, cutoff_m=10.0, window=2)
    assert out.distance_m == pytest.approx([0.0, 0.0, 5.0, 0.0])
    assert ospa2(swapped, truths, cutoff_m=10.0, window=4).distance_m[-1] == pytest.approx(5.0)


def test_its_power_is_that_of_the_paper() -> None:
    # p = 2: squares of 3, 3, 10, 10 averaged
    out = ospa2(lines([3.0, 3.0, NO, NO]), TRUE, cutoff_m=10.0, window=4, power=2.0)
    assert out.distance_m[-1] == pytest.approx(np.sqrt(218.0 / 4.0))


def test_a_window_of_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ospa2(TRUE, TRUE, cutoff_m=10.0, window=0)


PLACE = st.one_of(st.just(NO), st.integers(-6, 6).map(float))
SETS = st.lists(st.lists(PLACE, min_size=3, max_size=3), max_size=3).map(lambda x: lines(*x, times=3))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(SETS, SETS, SETS, st.sampled_from([1.0, 2.0]))
def test_it_is_a_metric(x: np.ndarray, y: np.ndarray, z: np.ndarray, power: float) -> None:
    def apart(a: np.ndarray, b: np.ndarray) -> float:
        return float(ospa2(a, b, 4.0, 3, power).distance_m[-1])

    assert apart(x, x) == pytest.approx(0.0, abs=1e-6)
    assert apart(x, y) == pytest.approx(apart(y, x), abs=1e-9)
    assert apart(x, z) <= apart(x, y) + apart(y, z) + 1e-9
