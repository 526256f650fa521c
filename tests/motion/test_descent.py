"""Falls by the hundred end where the integrator's own do, and lead back to where they came from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reported_tracks import Floats, place

from jointwatch.earth.frames import geodetic2ecef, height_above_ellipsoid
from jointwatch.motion.descent import AIRLESS_M, COARSE, NOT_DOWN, climb_of, descend, height_near, retrace
from jointwatch.motion.phases import BALLISTIC
from jointwatch.motion.propagate import fall, propagate

LONGEST_S = 2400.0
DRAGS = st.floats(-11.0, -6.5)
"""From a dense warhead's to ten times a missile's."""


def ended(state: Floats, ground_m: float) -> tuple[float, Floats]:
    s = state.copy()
    return descend(s, ground_m, LONGEST_S), s


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    latitude=st.floats(-80.0, 80.0), longitude=st.floats(-180.0, 180.0), height_m=st.floats(500.0, 400e3),
    speed_ms=st.floats(50.0, 3500.0), bearing=st.floats(0.0, 6.3), steep=st.floats(-1.5, 1.5), drag=DRAGS,
    ground_m=st.floats(-400.0, 450.0),
)  # fmt: skip
def test_a_fall_ends_where_the_finest_one_does(
    latitude: float, longitude: float, height_m: float, speed_ms: float, bearing: float, steep: float,
    drag: float, ground_m: float,
) -> None:  # fmt: skip
    level, up = speed_ms * math.cos(steep), speed_ms * math.sin(steep)
    state = place(latitude, longitude, height_m, level * math.sin(bearing), level * math.cos(bearing), up)
    state[6] = drag
    fine = state.copy()
    time_s = fall(fine, ground_m, LONGEST_S, 0.3)
    found_s, found = ended(state, ground_m)
    assert (found_s == NOT_DOWN) == (time_s == NOT_DOWN)
    if time_s != NOT_DOWN:
        assert found_s == pytest.approx(time_s, abs=0.1)
        # where metres are lost at all, by what climbs fast in dense air, steps three times the integrator's
        # own lose about as many
        coarse = state.copy()
        fall(coarse, ground_m, LONGEST_S, COARSE)
        lost_m = float(np.linalg.norm(coarse[:3] - fine[:3]))
        assert np.linalg.norm(found[:3] - fine[:3]) < 2.0 + 1.5 * lost_m
        assert height_above_ellipsoid(*found[:3]) == pytest.approx(ground_m, abs=0.2)


def test_what_orbits_does_not_come_down() -> None:
    assert ended(place(30, 40, 400e3, 7200, 0, 0), 0.0)[0] == NOT_DOWN


def test_what_begins_below_the_ground_is_taken_back_to_where_it_came_through() -> None:
    below = place(32, 35, 200.0, 300, 0, -400)
    found_s, found = ended(below, 800.0)
    assert -3.0 < found_s < 0.0 and height_above_ellipsoid(*found[:3]) == pytest.approx(800.0, abs=0.1)


@given(latitude=st.floats(-1.57, 1.57), longitude=st.floats(-3.2, 3.2), height_m=st.floats(-500.0, AIRLESS_M))
def test_the_height_by_one_root_is_right_to_decimetres(
    latitude: float, longitude: float, height_m: float
) -> None:
    assert height_near(*geodetic2ecef(latitude, longitude, height_m)) == pytest.approx(height_m, abs=0.1)


@pytest.mark.parametrize("north", [-2000.0, 0.0, 3000.0])
def test_the_climb_is_the_heights_own_rate(north: float) -> None:
    s = place(50, 10, 90e3, 1000, north, -700)
    before, after = ([*s[:3] + t * s[3:6]] for t in (-0.01, 0.01))
    rate = (height_above_ellipsoid(*after) - height_above_ellipsoid(*before)) / 0.02
    assert climb_of(s) == pytest.approx(rate, abs=0.3)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(up=st.floats(-1500.0, 1500.0), height_m=st.floats(40e3, 300e3), back_s=st.floats(0.01, 100.0))
def test_the_way_back_is_the_integrators(up: float, height_m: float, back_s: float) -> None:
    state = place(33, 40, height_m, -1500, 200, up)
    fine, s = state.copy(), state.copy()
    propagate(BALLISTIC, fine, -back_s)
    # back through dense air everything gains speed without bound
    assume(height_above_ellipsoid(*fine[:3]) > 20e3 and np.linalg.norm(fine[3:6]) < 3000.0)
    retrace(s, back_s)
    assert np.linalg.norm(s[:3] - fine[:3]) < 1.0
