"""Rows of tracks are laid out by object and time."""

from __future__ import annotations

import numpy as np
import pytest

from jointwatch.review.trajectories import check_same_times, lay_out, present


def test_rows_in_any_order_go_where_they_belong() -> None:
    times = np.array([10, 20, 30])
    numbers, states = lay_out(
        np.array([30, 10, 10]), np.array([7, 4, 7]), np.array([[3.0, 3.5], [1.0, 1.5], [2.0, 2.5]]), times
    )
    assert numbers.tolist() == [4, 7]
    assert present(states).tolist() == [[True, False, False], [True, False, True]]
    assert states[0, 0].tolist() == [1.0, 1.5]
    assert states[1, 2].tolist() == [3.0, 3.5]


def test_a_row_out_of_time_and_a_track_in_two_places_are_refused() -> None:
    state = np.zeros((2, 3))
    for time in ([10, 25], [10, 40]):
        with pytest.raises(ValueError, match="none of the given times"):
            lay_out(np.array(time), np.array([1, 2]), state, np.array([10, 20, 30]))
    with pytest.raises(ValueError, match="two states"):
        lay_out(np.array([10, 10]), np.array([1, 1]), state, np.array([10, 20, 30]))


def test_tracks_and_truths_of_different_times_are_refused() -> None:
    with pytest.raises(ValueError, match="same times"):
        check_same_times(np.zeros((1, 4, 3)), np.zeros((2, 5, 3)))
