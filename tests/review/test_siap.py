"""SIAP attributes of a small picture worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from jointwatch.review.siap import assign_tracks, siap

GATE_M = 1000.0


def states(x: list[float | None], vx: float = 100.0) -> np.ndarray:
    """One object on a line, (T, 6), None where it is not there."""
    out = np.zeros((len(x), 6))
    out[:, 0] = [float("nan") if v is None else v for v in x]
    out[:, 3] = vx
    return out


NO = None
TRUTHS = np.array([states([0.0] * 6), states([10e3] * 3 + [NO] * 3)])
TRACKS = np.array(
    [
        states([30.0] * 3 + [NO] * 3, 101.0),  # of the first object at times 0 to 2
        states([NO, NO, 0.0, 0.0, 0.0, NO]),  # of the first too, at times 2 to 4
        states([50e3] * 2 + [NO] * 4),  # of nothing
        states([NO, 10060.0, 10060.0] + [NO] * 3, 96.0),  # of the second at times 1 and 2
    ]
)


def test_the_picture_is_as_worked_by_hand() -> None:
    out = siap(np.arange(6.0), TRACKS, TRUTHS, GATE_M)
    # the objects were there 9 times, 7 of them with a track; 8 track-times, and 2 of nothing
    assert out.completeness == pytest.approx(7 / 9)
    assert out.ambiguity == pytest.approx(8 / 7)
    assert out.spuriousness == pytest.approx(2 / 10)
    assert out.position_error_m == pytest.approx((3 * 30.0 + 3 * 0.0 + 2 * 60.0) / 8)
    assert out.velocity_error_ms == pytest.approx((3 * 1.0 + 3 * 0.0 + 2 * 4.0) / 8)
    # the first object changed its number once; the two were tracked for 5 s and 2 s
    assert out.number_changes == 1
    assert out.number_change_rate_hz == pytest.approx(1 / 7)
    assert out.longest_segment == pytest.approx((3 + 2) / 9)


def test_a_longer_wait_between_looks_counts_for_more() -> None:
    # a track at the first two of three times: 1 s and 9 s, and the last stands for 9 s as well
    truth = states([0.0] * 3)[None]
    out = siap(np.array([0.0, 1.0, 10.0]), states([0.0, 0.0, NO])[None], truth, GATE_M)
    assert out.longest_segment == pytest.approx(10.0 / 19.0)


def test_a_number_that_returns_is_no_change() -> None:
    truth = states([0.0] * 5)[None]
    out = siap(np.arange(5.0), states([0.0, 0.0, NO, 0.0, 0.0])[None], truth, GATE_M)
    assert out.number_changes == 0
    assert out.longest_segment == pytest.approx(2 / 5)


def test_a_second_track_beside_a_steady_one_is_ambiguity_and_no_change() -> None:
    truth = states([0.0] * 4)[None]
    tracks = np.array([states([200.0] * 4), states([NO, 0.0, NO, 0.0])])
    out = siap(np.arange(4.0), tracks, truth, GATE_M)
    assert out.number_changes == 0
    assert out.ambiguity == pytest.approx(6 / 4)
    assert out.longest_segment == pytest.approx(1.0)


def test_two_objects_side_by_side_each_have_their_track() -> None:
    # both tracks are nearest the first object; together they fit best one to one
    truths = np.array([[[0.0, 0.0]], [[100.0, 0.0]]])
    tracks = np.array([[[40.0, 0.0]], [[45.0, 0.0]], [[120.0, 0.0]], [[5000.0, 0.0]]])
    assert assign_tracks(tracks[:2], truths, GATE_M).ravel().tolist() == [0, 1]
    # with a third near the second object, the one left over belongs to what it is nearest to
    assert assign_tracks(tracks, truths, GATE_M).ravel().tolist() == [0, 0, 1, -1]


def test_an_empty_picture_has_nothing_to_average() -> None:
    out = siap(np.arange(6.0), TRACKS[:0], TRUTHS, GATE_M)
    assert (out.completeness, out.longest_segment, out.number_changes) == (0.0, 0.0, 0)
    assert math.isnan(out.ambiguity) and math.isnan(out.spuriousness) and math.isnan(out.position_error_m)
    alone = siap(np.arange(6.0), TRACKS, TRUTHS[:0], GATE_M)
    assert alone.spuriousness == 1.0
    assert math.isnan(alone.completeness)


def test_times_that_do_not_increase_are_refused() -> None:
    with pytest.raises(ValueError, match="increase"):
        siap(np.zeros(6), TRACKS, TRUTHS, GATE_M)
