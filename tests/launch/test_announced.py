"""Announced launches: matched by window, place and heading, and no longer taken for it once they depart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from reported_tracks import Floats, at_s

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, geodetic2ecef
from jointwatch.exercise.ascent import ascend
from jointwatch.exercise.flights import destination
from jointwatch.launch.announced import agrees
from jointwatch.records import Announcement

SITE_DEG = (28.0, 35.25)


def announcement(azimuth_deg: float = 160.0, tolerance_deg: float = 10.0) -> Announcement:
    return Announcement(
        name="orbit-1",
        object_class="space_launch",
        from_ns=at_s(0.0),
        to_ns=at_s(600.0),
        latitude_rad=math.radians(SITE_DEG[0]),
        longitude_rad=math.radians(SITE_DEG[1]),
        radius_m=15e3,
        azimuth_rad=math.radians(azimuth_deg),
        tolerance_rad=math.radians(tolerance_deg),
    )


def flying(bearing_deg: float, distance_m: float, course_deg: float, speed_ms: float = 2000.0) -> Floats:
    """A state (7,) at a bearing and distance from the site, on a course."""
    lat, lon = destination(
        *np.radians(np.array(SITE_DEG)), np.radians(np.float64(bearing_deg)), np.float64(distance_m)
    )
    east, north, up = enu_rotation(float(lat), float(lon))
    course = math.radians(course_deg)
    v = speed_ms * (math.sin(course) * east + math.cos(course) * north) + 300.0 * up
    return np.array([*geodetic2ecef(float(lat), float(lon), 120e3), *v, -8.6])


@pytest.mark.parametrize("azimuth_deg", [160.0, 90.0, 45.0, -10.0])
def test_an_ascent_to_orbit_is_taken_for_it_all_the_way(azimuth_deg: float) -> None:
    """Physics of the exercise's truth: over 4,000 km the heading turns and the Earth with it."""
    site = (math.radians(SITE_DEG[0]), math.radians(SITE_DEG[1]))
    path = ascend(*site, math.radians(azimuth_deg), 900.0, 0.5)
    announced = announcement(azimuth_deg)
    states = path.states[::40, 0]
    latitude, longitude, _ = ecef2geodetic(*states[-1][:3])
    assert math.hypot(latitude - site[0], longitude - site[1]) > 0.5, "it flew far"
    assert all(agrees(announced, at_s(130.0), s) for s in states)


@pytest.mark.parametrize(
    ("first_s", "taken"), [(-300.0, False), (-30.0, True), (0.0, True), (800.0, True), (1000.0, False)]
)
def test_only_within_its_window_and_the_time_a_radar_may_take(first_s: float, taken: bool) -> None:
    for state in (flying(160.0, 10e3, 160.0), flying(160.0, 300e3, 160.0)):
        assert agrees(announcement(), at_s(first_s), state) is taken


@pytest.mark.parametrize("off_deg", [-60.0, -14.0, 14.0, 60.0, 180.0])
def test_one_that_leaves_the_heading_is_no_longer_taken_for_it(off_deg: float) -> None:
    bearing = 160.0 + off_deg
    near, far = flying(bearing, 30e3, bearing), flying(bearing, 200e3, bearing)
    assert agrees(announcement(), at_s(100.0), near), "so near, the heading does not show"
    assert not agrees(announcement(), at_s(100.0), far)


@pytest.mark.parametrize("off_deg", [-8.0, 0.0, 8.0])
def test_one_within_its_tolerance_is(off_deg: float) -> None:
    bearing = 160.0 + off_deg
    assert agrees(announcement(), at_s(100.0), flying(bearing, 200e3, bearing))


@pytest.mark.parametrize("course_deg", [250.0, 70.0, 340.0])
def test_a_missile_that_crosses_its_path_or_comes_up_it_is_not_hidden_by_it(course_deg: float) -> None:
    """The place and time fit; the course does not: it must alarm."""
    for distance_m in (100e3, 400e3, 900e3):
        assert not agrees(announcement(), at_s(100.0), flying(160.0, distance_m, course_deg))


def test_an_object_that_falls_straight_down_on_the_heading_may_be_its_spent_stage() -> None:
    assert agrees(announcement(), at_s(100.0), flying(160.0, 200e3, 340.0, 30.0))


@pytest.mark.parametrize("distance_m", [0.0, 10e3, 50e3])
def test_what_comes_down_near_the_place_is_not_it(distance_m: float) -> None:
    """An attack on the launch site itself, first seen within the window: nothing may hide it."""
    coming = flying(340.0, distance_m, 160.0)
    down = ecef2geodetic(*coming[:3])
    coming[3:6] -= 900.0 * enu_rotation(down[0], down[1])[2]
    assert not agrees(announcement(), at_s(100.0), coming)


def test_what_comes_in_from_beside_the_area_is_not_it_though_it_still_climbs() -> None:
    assert not agrees(announcement(), at_s(100.0), flying(340.0, 50e3, 160.0))
    assert agrees(announcement(), at_s(100.0), flying(340.0, 10e3, 160.0)), "it may rise anywhere in the area"
