"""What pushes a falling object on its way, against falls that are pushed and shifted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit
from reported_tracks import Floats, place

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, height_above_ellipsoid
from jointwatch.earth.wind import wind_rms
from jointwatch.motion.phases import BALLISTIC, still_air_noise
from jointwatch.motion.propagate import fall, propagate
from jointwatch.warning.pushes import pushes

FLIGHTS = {
    "a missile in mid-course": place(33, 41, 200e3, -2300, 100, 900),
    "a missile coming down": place(32.3, 36, 60e3, -1900, 100, -1900),
    "a rocket after its burn": place(32, 36, 2e3, -600, 200, 600),
}
STEP_S = 0.1
WINDY_M = 40e3


@njit
def _moved(s: Floats, wind: Floats, white: float, walking: float, rng: np.random.Generator) -> float:
    """Let s fall in place through a wind so many times (3,) the usual one; the time it takes (s)."""
    time_s, still = 0.0, np.zeros(3)
    while height_above_ellipsoid(s[0], s[1], s[2]) > 0.0:
        noise, walk = still_air_noise(s)
        s[3:6] += white * math.sqrt(STEP_S * noise) * rng.standard_normal(3)
        s[6] += walking * math.sqrt(STEP_S * walk) * rng.standard_normal()
        # where there is air it moves with the wind: the flight as the wind sees it
        height = height_above_ellipsoid(s[0], s[1], s[2])
        blown = wind * wind_rms(height) if height < WINDY_M else still
        s[3:6] -= blown
        propagate(BALLISTIC, s, STEP_S)
        s[3:6] += blown
        s[:3] += STEP_S * blown
        time_s += STEP_S
    return time_s + fall(s, 0.0, 100.0)


class Fallen:
    """A flight's fall as it is, and what is said of pushes on the way."""

    def __init__(self, state: Floats) -> None:
        self.state = state
        end = state.copy()
        self.time_s = fall(end, 0.0, 2400.0)
        latitude, longitude, _ = ecef2geodetic(*end[:3])
        self.turn, self.end = np.array(enu_rotation(latitude, longitude)), end[:3]
        self.noise, self.drift = np.empty((3, 3)), np.empty((3, 2))
        self.walk = pushes(state, self.time_s, self.turn, self.noise, self.drift)

    def moved(self, wind: Floats, white: float, walking: float, seed: int) -> Floats:
        """Time (s), east and north (m) of a pushed fall from the fall as it is."""
        s = self.state.copy()
        time_s = _moved(s, wind, white, walking, np.random.default_rng(seed))
        return np.array([time_s - self.time_s, *(self.turn @ (s[:3] - self.end))[:2]])


@pytest.fixture(params=list(FLIGHTS))
def fallen(request: pytest.FixtureRequest) -> Fallen:
    return Fallen(FLIGHTS[request.param])


def test_the_usual_wind_carries_a_fall_as_far_as_is_said(fallen: Fallen) -> None:
    still = fallen.moved(np.zeros(3), 0.0, 0.0, 1)
    assert np.abs(still[1:]).max() < 1.0
    for axis in (0, 1):
        blown = fallen.moved(0.2 * fallen.turn[axis], 0.0, 0.0, 1) - still
        assert fallen.drift[1:, axis] == pytest.approx(blown[1:] / 0.2, rel=0.1, abs=0.5)


def test_white_noise_spreads_a_fall_as_is_said(fallen: Fallen) -> None:
    moved = np.array([fallen.moved(np.zeros(3), 1.0, 0.0, k) for k in range(600)])
    found = np.cov(moved.T)
    assert np.sqrt(np.diag(fallen.noise)) == pytest.approx(np.sqrt(np.diag(found)), rel=0.12)


def test_the_drags_walk_amounts_to_a_drag_unknown_from_the_start(fallen: Fallen) -> None:
    """The walk scaled down, so that both are small: their spread is the slope times the stated deviation."""
    small = 0.2
    moved = np.array([fallen.moved(np.zeros(3), 0.0, small, k) for k in range(600)])
    more, less = fallen.state.copy(), fallen.state.copy()
    more[6] += 0.02
    less[6] -= 0.02
    for s in (more, less):
        fall(s, 0.0, 2400.0)
    slope = np.linalg.norm((more - less)[:3]) / 0.04
    said = small * math.sqrt(fallen.walk) * slope
    assert said == pytest.approx(math.hypot(*moved[:, 1:].std(axis=0)), rel=0.12)


def test_nothing_pushes_what_is_down_or_does_not_come_down() -> None:
    noise, drift = np.ones((3, 3)), np.ones((3, 2))
    state = FLIGHTS["a rocket after its burn"]
    assert pushes(state, 0.0, np.eye(3), noise, drift) == 0.0
    assert not noise.any()
    assert not drift.any()
    up = np.array(enu_rotation(math.radians(32), math.radians(36)))
    assert pushes(state, 5.0, up, noise, drift) == 0.0
    assert not drift.any()
