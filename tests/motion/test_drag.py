"""How drag goes with the speed of sound: beside a published projectile, and its slopes beside differences."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.earth.atmosphere import sound_slope, sound_speed
from jointwatch.motion.drag import MOST_LOG_DRAG, drag_of, drag_rise, held_up, held_up_slopes

# the standard projectile G7 (Ballistic Research Laboratory; McCoy 1999): Mach number, drag coefficient
G7 = (1.0, 0.3803), (1.05, 0.4043), (1.5, 0.3440), (2.0, 0.2980), (2.5, 0.2697), (3.0, 0.2424)
TWICE_SOUND = 0.2980


@pytest.mark.parametrize(("mach", "coefficient"), G7)
def test_the_shape_is_a_published_projectiles(mach: float, coefficient: float) -> None:
    assert drag_rise(mach) == pytest.approx(coefficient / TWICE_SOUND, rel=0.05)


def test_below_the_speed_of_sound_less_drags_than_above() -> None:
    # G7 has 0.40 there, the V-2 0.55, bodies with blunt bases up to 0.8
    assert 0.4 < drag_rise(0.5) == drag_rise(0.0) < 0.8
    assert max(range(0, 1000), key=lambda k: drag_rise(0.01 * k)) in range(105, 121)


def sound_at(height: float) -> float:
    """Speed of sound (m/s) by the standard temperature (1976) up to 20 km, and above as there."""
    return math.sqrt(1.4 * 287.053 * max(288.15 - 6.5e-3 * max(height, 0.0), 216.65))


@settings(deadline=None, derandomize=True)
@given(st.floats(0.0, 20e3))
def test_sound_is_as_fast_as_the_standard_temperature_makes_it(height_m: float) -> None:
    assert sound_speed(height_m) == pytest.approx(sound_at(height_m), rel=3e-3)


@settings(deadline=None, derandomize=True)
@given(height_m=st.floats(-300.0, 60e3), speed_ms=st.floats(1.0, 7000.0), parameter=st.floats(-12.0, -2.0))
def test_slopes_are_those_of_differences(height_m: float, speed_ms: float, parameter: float) -> None:
    k, by_height, by_speed = held_up_slopes(height_m, speed_ms, parameter)
    assert k == held_up(height_m, speed_ms, parameter) > 0.0
    ends = [held_up(height_m + d, speed_ms, parameter) for d in (-0.5, 0.5)]
    if sound_slope(height_m - 1.0) == sound_slope(height_m + 1.0) and height_m > 1.0:
        assert by_height == pytest.approx(ends[1] - ends[0], rel=1e-3, abs=1e-9 * k)
    step = 1e-4 * speed_ms
    ends = [held_up(height_m, speed_ms + d, parameter) for d in (-step, step)]
    assert by_speed == pytest.approx((ends[1] - ends[0]) / (2.0 * step), rel=2e-2, abs=1e-3 * k / speed_ms)


def test_drag_has_a_bound() -> None:
    assert drag_of(5.0) == pytest.approx(math.exp(MOST_LOG_DRAG)) and drag_of(-9.0) == pytest.approx(
        1.234e-4, rel=1e-3
    )
