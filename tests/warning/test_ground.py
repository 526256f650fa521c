"""How high the ground is: the sea's level where no zone says otherwise, zones' heights near them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointwatch.earth.geoid import geoid_height
from jointwatch.records import Zone
from jointwatch.warning.ground import NEAR_M, Ground, box_distance2, box_of


def zone(key: str, longitude_deg: float, height_m: float | None) -> Zone:
    return Zone(
        key=key, name=key, partner="Amber", longitude_deg=longitude_deg, latitude_deg=31.8, shelter_s=60.0,
        radius_m=500.0, height_m=height_m,
    )  # fmt: skip


LATITUDE = math.radians(31.8)
KM = 1.0 / (6371.0 * math.cos(LATITUDE))
"""Radians east a kilometre."""


def test_without_heights_it_is_the_level_of_the_sea() -> None:
    ground = Ground([zone("a", 35.2, None)])
    assert ground.height_m(LATITUDE, math.radians(35.2)) == geoid_height(LATITUDE, math.radians(35.2))


def test_at_a_zone_it_is_the_zones_height_over_the_sea() -> None:
    ground = Ground([zone("a", 35.2, 800.0), zone("far", 36.5, -400.0)])
    place = LATITUDE, math.radians(35.2)
    assert ground.height_m(*place) == pytest.approx(800.0 + geoid_height(*place), abs=0.5)
    between = Ground([zone("a", 35.2, 800.0), zone("b", 35.25, 600.0)])
    middle = LATITUDE, math.radians(35.225)
    assert between.height_m(*middle) - geoid_height(*middle) == pytest.approx(700.0, abs=5.0)


def test_it_makes_no_steps() -> None:
    ground = Ground([zone("a", 35.2, 800.0), zone("b", 35.4, 200.0)])
    along = np.arange(-40.0, 60.0, 0.01)
    heights = np.array([ground.height_m(LATITUDE, math.radians(35.2) + d * KM) for d in along])
    assert np.abs(np.diff(heights)).max() < 10.0
    far = math.radians(35.2) - 1.2 * NEAR_M / 1e3 * KM
    assert ground.height_m(LATITUDE, far) == geoid_height(LATITUDE, far)


@given(
    st.lists(st.tuples(st.floats(-1.4, 1.4), st.floats(-3.14, 3.14)), min_size=1, max_size=8),
    st.floats(-1.4, 1.4), st.floats(-3.14, 3.14),
)  # fmt: skip
def test_nothing_in_a_box_is_nearer_than_the_box(
    places: list[tuple[float, float]], latitude: float, longitude: float
) -> None:
    at = np.array(places)
    east = np.array([math.remainder(x - longitude, 2.0 * math.pi) for x in at[:, 1]]) * math.cos(latitude)
    nearest2 = float(((at[:, 0] - latitude) ** 2 + east**2).min()) * 6371e3**2
    assert box_distance2(box_of(at[:, 0], at[:, 1]), latitude, longitude) <= nearest2 * (1.0 + 1e-9) + 1e-6


def test_no_places_are_nowhere_near() -> None:
    assert box_of(np.empty(0), np.empty(0)) is None and box_distance2(None, 0.5, 0.5) == math.inf
