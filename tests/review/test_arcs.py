"""Observed arcs: a flight recorded with coarse steps is laid where it really was."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic
from jointwatch.formats.webcast import SPEED_STEP_MS, Recording
from jointwatch.review.arcs import Site, observed_arc, rounded_interval, smoothest_within

SITE = Site(math.radians(30.0), math.radians(-80.0), math.radians(90.0))


def rounded(value: NDArray[np.float64], step: NDArray[np.float64] | float) -> NDArray[np.float64]:
    out: NDArray[np.float64] = np.round(value / step) * step
    return out


def toss(turn_back: bool = False) -> tuple[Recording, NDArray[np.float64], NDArray[np.float64]]:
    """A made-up flight without any physics of falling: a smooth height and horizontal speed, recorded."""
    t = np.arange(0.0, 300.0, 1.0 / 30.0)
    height = 60e3 * (1.0 - np.cos(2.0 * math.pi * t / 300.0))
    climb = 60e3 * 2.0 * math.pi / 300.0 * np.sin(2.0 * math.pi * t / 300.0)
    along = 800.0 * np.tanh((100.0 - t) / 20.0) if turn_back else np.full_like(t, 800.0)
    step = np.where(height > 99.95e3, 1000.0, 100.0)
    events = {"boostback_start": 80.0, "boostback_end": 125.0} if turn_back else {}
    recording = Recording(
        "toss", t, rounded(np.hypot(climb, along), SPEED_STEP_MS), rounded(height, step), events
    )
    return recording, height, along


def test_a_smooth_height_comes_back_out_of_kilometre_steps() -> None:
    recording, height, _ = toss()
    t = recording.time_s
    curve, slope = smoothest_within(t, recording.height_m, recording.height_step_m, t)
    assert np.abs(recording.height_m - height).max() > 490.0
    assert np.abs(curve - height)[300:-300].max() < 60.0
    assert np.abs(slope - np.gradient(height, t))[300:-300].max() < 8.0


def test_the_smooth_height_stays_within_its_rounding() -> None:
    recording, _, _ = toss()
    t = recording.time_s
    curve, _ = smoothest_within(t, recording.height_m, recording.height_step_m, t)
    outside = np.abs(curve - recording.height_m) - 0.5 * recording.height_step_m
    assert np.percentile(outside, 99.0) < 10.0


def test_an_arc_goes_along_its_course_as_far_as_its_horizontal_speed_takes_it() -> None:
    recording, height, along = toss()
    arc = observed_arc(recording, SITE)
    assert np.median(np.abs(arc.along_ms - 800.0)) < 3.0
    latitude, longitude, h = ecef2geodetic(*arc.at(np.array([150.0]))[0])
    assert h == pytest.approx(120e3, abs=60.0)
    # 800 m/s at some 60 km mean height, over ground: about 119 km east after 150 s
    ground = np.trapezoid(along[:4500] / (1.0 + height[:4500] / 6378e3), recording.time_s[:4500])
    east = (longitude - SITE.longitude_rad) * math.cos(SITE.latitude_rad) * 6383.5e3
    assert east == pytest.approx(ground, rel=0.005)
    assert abs(latitude - SITE.latitude_rad) * 6.36e6 < 1500.0  # a geodesic due east bends to the equator


def test_an_arc_that_turns_back_comes_back() -> None:
    recording, _, along = toss(turn_back=True)
    arc = observed_arc(recording, SITE)
    assert arc.along_ms[np.searchsorted(arc.time_s, 60.0)] > 500.0
    assert arc.along_ms[np.searchsorted(arc.time_s, 180.0)] < -500.0
    assert abs(arc.along_ms[np.searchsorted(arc.time_s, 220.0)] - along[220 * 30]) < 10.0


def test_what_is_not_pushed_turns_with_the_earth_and_what_is_keeps_its_course() -> None:
    recording, _, _ = toss()
    pushed, free = observed_arc(recording, SITE), observed_arc(recording, SITE, (100.0, 200.0))
    i, j = np.searchsorted(pushed.time_s, [100.0, 200.0])
    extra = (free.course_rad[j] - free.course_rad[i]) - (pushed.course_rad[j] - pushed.course_rad[i])
    # due east the climb does not matter: 2 w sin(latitude) for 100 s, to the right
    assert extra == pytest.approx(2.0 * 7.292e-5 * math.sin(math.radians(30.0)) * 100.0, rel=0.02)


@pytest.mark.parametrize("sigma, step", [(100.0, 1000.0), (300.0, 1000.0), (300.0, 100.0), (0.01, 100.0)])
def test_the_rounded_interval_holds_its_share_of_rounded_readings(sigma: float, step: float) -> None:
    rng = np.random.default_rng(5)
    drawn = rng.normal(0.0, sigma, 200_000) + rng.uniform(-0.5 * step, 0.5 * step, 200_000)
    half = rounded_interval(np.array([sigma]), np.array([step]), 0.9)[0]
    assert np.mean(np.abs(drawn) < half) == pytest.approx(0.9, abs=0.004)
