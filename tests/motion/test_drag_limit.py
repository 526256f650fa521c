"""A drag that no tracked thing has cannot blow a prediction up."""

from __future__ import annotations

import numpy as np
import pytest
from world import place

from jointwatch.motion.drag import MOST_LOG_DRAG
from jointwatch.motion.phases import BALLISTIC
from jointwatch.motion.propagate import predict, propagate


@pytest.mark.parametrize("parameter", [MOST_LOG_DRAG, 0.0, 14.0])
def test_an_absurd_drag_stops_an_object_and_leaves_it_near(parameter):
    state = place(32.0, 35.0, 3000.0, 1000.0, 2500.0, -1500.0, parameter)
    before = state.copy()
    propagate(BALLISTIC, state, 10.0)
    assert np.isfinite(state).all()
    assert np.linalg.norm(state[:3] - before[:3]) < 10.0 * np.linalg.norm(before[3:6])
    assert np.linalg.norm(state[3:6]) < 200.0


def test_beyond_the_limit_the_parameter_makes_no_difference_and_gains_no_certainty():
    one = place(32.0, 35.0, 3000.0, 1000.0, 2500.0, -1500.0, 1.0)
    other = one.copy()
    other[6] = 9.0
    p = np.diag([1e4, 1e4, 1e4, 25.0, 25.0, 25.0, 0.25])
    covariance = p.copy()
    predict(BALLISTIC, one, covariance, 2.0)
    predict(BALLISTIC, other, p.copy(), 2.0)
    assert np.array_equal(one[:6], other[:6])
    assert np.abs(covariance[:6, 6]).max() == 0.0 and covariance[6, 6] >= 0.25
