"""Frames: the same places as pymap3d gives, there and back."""

from __future__ import annotations

import math

import numpy as np
import pymap3d
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.earth.frames import (
    ecef2geodetic,
    enu_rotation,
    geodetic2ecef,
    height_above_ellipsoid,
    is_higher,
)

latitudes = st.floats(-math.pi / 2, math.pi / 2)
longitudes = st.floats(-math.pi, math.pi)
heights = st.floats(-500.0, 2.0e6)
places = st.tuples(latitudes, longitudes, heights)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(places)
def test_a_place_is_where_pymap3d_puts_it(place):
    ours = np.array(geodetic2ecef(*place))
    theirs = np.array(pymap3d.geodetic2ecef(*place, deg=False), dtype=float)
    assert np.abs(ours - theirs).max() < 1e-8


@settings(max_examples=150, deadline=None, derandomize=True)
@given(places)
def test_a_place_comes_back_to_a_micrometre(place):
    latitude, longitude, height = ecef2geodetic(*geodetic2ecef(*place))
    radius = 6.4e6 + place[2]
    assert abs(height - place[2]) < 1e-6
    assert radius * abs(latitude - place[0]) < 1e-6
    turn = (longitude - place[1] + math.pi) % (2.0 * math.pi) - math.pi
    assert radius * math.cos(place[0]) * abs(turn) < 1e-6


@settings(max_examples=100, deadline=None, derandomize=True)
@given(latitudes, longitudes, st.floats(-500.0, 1.0e6))
def test_the_cheap_height_is_the_height_to_a_tenth_of_a_millimetre(latitude, longitude, height):
    assert abs(height_above_ellipsoid(*geodetic2ecef(latitude, longitude, height)) - height) < 1e-4


def test_the_cheap_height_holds_on_the_poles():
    for sign in (1.0, -1.0):
        assert height_above_ellipsoid(0.0, 0.0, sign * (6356752.314245 + 1234.5)) == pytest.approx(
            1234.5, abs=1e-3
        )


@settings(max_examples=100, deadline=None, derandomize=True)
@given(places, latitudes, longitudes)
def test_east_north_up_is_pymap3ds(target, latitude, longitude):
    site = np.array(geodetic2ecef(latitude, longitude, 700.0))
    point = np.array(geodetic2ecef(*target))
    rotation = enu_rotation(latitude, longitude)
    theirs = pymap3d.ecef2enu(*point, latitude, longitude, 700.0, deg=False)
    assert np.abs(rotation @ (point - site) - np.array(theirs, dtype=float)).max() < 1e-7
    assert np.abs(rotation @ rotation.T - np.eye(3)).max() < 1e-14
    assert np.linalg.det(rotation) == pytest.approx(1.0, abs=1e-14)


def test_higher_is_what_the_height_says():
    rng = np.random.default_rng(31)
    for _ in range(500):
        place = geodetic2ecef(rng.uniform(-1.5, 1.5), rng.uniform(-3.1, 3.1), rng.uniform(80e3, 140e3))
        assert is_higher(*place, 110e3) == (height_above_ellipsoid(*place) > 110e3)
