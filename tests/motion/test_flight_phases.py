"""The phases' equations: against a NumPy twin, and their Jacobians against differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flights import FLIGHTS, derivative_twin, height_m, state

from jointwatch.earth.frames import enu_rotation
from jointwatch.motion.phases import (
    BALLISTIC,
    BALLISTIC_ACCELERATION,
    BOOST,
    CRUISE,
    acceleration_noise,
    derivative,
    jacobian,
)

STEPS = np.array([100.0, 100.0, 100.0, 0.1, 0.1, 0.1, 1e-4])


def rate(phase, s):
    out = np.empty(7)
    derivative(phase, s, out)
    return out


@pytest.mark.parametrize("name", FLIGHTS)
def test_the_equations_are_their_numpy_twins(name):
    phase, s, _ = FLIGHTS[name]
    assert np.allclose(rate(phase, s), derivative_twin(phase, s), rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("name", FLIGHTS)
def test_the_jacobian_is_the_slope_of_the_equations(name):
    phase, s, _ = FLIGHTS[name]
    f = np.empty((7, 7))
    jacobian(phase, s, f)
    slope = np.empty((7, 7))
    for i in range(7):
        d = np.zeros(7)
        d[i] = STEPS[i]
        slope[:, i] = (rate(phase, s + d) - rate(phase, s - d)) / (2.0 * STEPS[i])
    # each column times what a track may be off by: 1 km, 30 m/s, 0.3 of ln drag (10 m/s^2, 0.01 rad/s)
    off = np.array([1e3, 1e3, 1e3, 30, 30, 30, {BOOST: 10.0, BALLISTIC: 0.3, CRUISE: 0.01}[phase]])
    wrong = np.abs((f - slope) * off)[3:6].max()
    assert wrong < 0.003 * max(1.0, np.linalg.norm(rate(phase, s)[3:6]))
    assert np.array_equal(f[:3], np.hstack([np.zeros((3, 3)), np.eye(3), np.zeros((3, 1))]))
    assert np.allclose(f[6], slope[6], atol=1e-6)


def test_cruise_holds_its_height_and_turns_clockwise_by_its_rate():
    s = state(32, 36, 10e3, 0, 200, 0, 0.01)
    acceleration = enu_rotation(math.radians(32), math.radians(36)) @ rate(CRUISE, s)[3:6]
    assert acceleration[0] == pytest.approx(0.01 * 200.0, rel=1e-3)  # northbound, it turns east


def test_an_object_at_rest_on_the_turning_ground_feels_its_weight_alone():
    s = state(45, 20, 0, 0, 0, 0, -8.5)
    weight = enu_rotation(math.radians(45), math.radians(20)) @ rate(BALLISTIC, s)[3:6]
    assert weight[2] == pytest.approx(-9.806, abs=2e-3)  # normal gravity at 45 degrees (WGS-84)
    assert np.abs(weight[:2]).max() < 2e-4


def test_ballistic_noise_is_small_above_the_air_and_grows_with_drag():
    high = acceleration_noise(BALLISTIC, state(33, 36, 200e3, -2200, 0, -2000, -8.5))
    low_state = state(33, 36, 15e3, -1500, 0, -1500, -8.5)
    low = acceleration_noise(BALLISTIC, low_state)
    assert high[0] == pytest.approx(BALLISTIC_ACCELERATION, rel=1e-3) and high[1] < 1e-5
    assert low[0] > 10.0 * high[0] and low[1] > 100.0 * high[1]
    assert height_m(low_state) == pytest.approx(15e3, abs=1e-6)
