"""GOSPA against values worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from jointwatch.review.metrics import gospa


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
