"""The area of a launch from weighted points: it holds what it says, and is never finer than the floor."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from jointwatch.exercise.flights import bearing_distance
from jointwatch.launch.area import VAGUEST_M, Region, azimuth_of, launch_area, region_of
from jointwatch.launch.origin import Origin
from jointwatch.launch.points import Points
from jointwatch.records import LAUNCH_FLOOR_M, LaunchArea

Floats = NDArray[np.float64]
EARTH_M = 6371000.0
OCHRE = Origin({"Ochre": 1.0}, "Ochre", 1.0)


def held(region: Region, latitude: Floats, longitude: Floats) -> NDArray[np.bool_]:
    """Which points lie in an ellipse, along great circles from its middle."""
    away = np.array(
        [
            bearing_distance(region.latitude_rad, region.longitude_rad, *one)
            for one in zip(latitude.tolist(), longitude.tolist(), strict=True)
        ]
    )
    east, north = away[:, 1] * np.sin(away[:, 0]), away[:, 1] * np.cos(away[:, 0])
    s, c = math.sin(region.bearing_rad), math.cos(region.bearing_rad)
    along, across = east * s + north * c, east * c - north * s
    inside: NDArray[np.bool_] = (along / region.semi_major_m) ** 2 + (
        across / region.semi_minor_m
    ) ** 2 <= 1.0001
    return inside


def at(
    east_m: Floats, north_m: Floats, latitude: float = 0.5, longitude: float = 0.7
) -> tuple[Floats, Floats]:
    return latitude + north_m / EARTH_M, longitude + east_m / (EARTH_M * math.cos(latitude))


def gaussian(
    n: int, major_m: float, minor_m: float, bearing_rad: float, seed: int = 3
) -> tuple[Floats, Floats]:
    along, across = np.random.default_rng(seed).normal(size=(2, n)) * np.array([[major_m], [minor_m]])
    s, c = math.sin(bearing_rad), math.cos(bearing_rad)
    return along * s + across * c, along * c - across * s


def test_of_a_gaussian_it_is_the_ellipse_of_textbooks() -> None:
    points = at(*gaussian(20_000, 12e3, 5e3, 1.1))
    for share in (0.5, 0.9):
        region = region_of(*points, np.ones(20_000), share)
        assert region is not None
        scale = math.sqrt(-2.0 * math.log(1.0 - share))
        assert region.semi_major_m == pytest.approx(12e3 * scale, rel=0.03)
        assert region.semi_minor_m == pytest.approx(5e3 * scale, rel=0.03)
        assert region.bearing_rad == pytest.approx(1.1, abs=0.03)
        assert (region.latitude_rad, region.longitude_rad) == pytest.approx((0.5, 0.7), abs=5e-5)
        assert held(region, *points).mean() == pytest.approx(share, abs=0.005)


def lumps(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Three quarters of the points here, a quarter 200 km off."""
    east, north = rng.normal(size=(2, 800)) * 4e3
    east[600:] += 200e3
    return east, north


def crescent(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """What two bearings and a doubtful range leave: an arc."""
    turn = rng.normal(0.0, 0.8, 800)
    radius = 150e3 + rng.normal(0.0, 3e3, 800)
    return radius * np.sin(turn), radius * np.cos(turn)


def far_tail(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """One point in eight is anywhere within 400 km."""
    east, north = rng.normal(size=(2, 800)) * 3e3
    east[::8], north[::8] = rng.uniform(-400e3, 400e3, (2, 100))
    return east, north


@pytest.mark.parametrize("shape", [lumps, crescent, far_tail])
def test_whatever_the_shape_it_holds_nine_tenths_of_the_weight(shape) -> None:
    rng = np.random.default_rng(4)
    points = at(*shape(rng))
    for weights in (np.ones(800), rng.random(800) ** 3):
        region = region_of(*points, weights)
        assert region is not None
        assert weights[held(region, *points)].sum() >= 0.9 * weights.sum()


def test_with_few_points_the_next_one_lies_in_it_nine_times_in_ten() -> None:
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(600):
        east, north = rng.normal(size=(2, 49)) * np.array([[30e3], [9e3]])
        latitude, longitude = at(east, north)
        region = region_of(latitude[:48], longitude[:48], np.ones(48))
        assert region is not None
        inside.append(bool(held(region, latitude[48:], longitude[48:])[0]))
    assert np.mean(inside) >= 0.87


@given(
    points=st.lists(
        st.tuples(
            st.floats(-1.55, 1.55),
            st.floats(-7.0, 7.0),
            st.floats(0.0, 1e6),
        ),
        min_size=1,
        max_size=20,
    ),
    narrow=st.sampled_from((0.0, 1e-9, 1e-4, 1e-2, 1.0)),
    share=st.sampled_from((0.5, 0.9)),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_no_area_is_finer_than_the_floor_whatever_comes_in(
    points: list[tuple[float, float, float]], narrow: float, share: float
) -> None:
    latitude, longitude, weights = np.array(points).T
    region = region_of(0.3 + narrow * latitude * 0.5, narrow * longitude, weights, share)
    if region is not None:
        assert LAUNCH_FLOOR_M <= region.semi_minor_m
        assert region.semi_major_m < VAGUEST_M
        assert 0.0 <= region.bearing_rad <= math.pi
        assert abs(region.latitude_rad) <= 0.5 * math.pi and abs(region.longitude_rad) <= math.pi + 1e-9
        assert all(map(math.isfinite, (region.latitude_rad, region.longitude_rad)))


@pytest.mark.parametrize("n", [1, 2, 30])
def test_points_at_one_place_have_the_floor_for_their_area(n: int) -> None:
    region = region_of(np.full(n, 0.5), np.full(n, 0.7), np.ones(n))
    assert region is not None
    assert (region.semi_major_m, region.semi_minor_m) == (LAUNCH_FLOOR_M, LAUNCH_FLOOR_M)
    assert (region.latitude_rad, region.longitude_rad) == pytest.approx((0.5, 0.7), abs=1e-12)


def test_across_the_180th_meridian_and_at_a_pole_points_stay_together() -> None:
    east, north = gaussian(500, 9e3, 4e3, 0.4)
    here, there = (
        region_of(*at(east, north, longitude=longitude), np.ones(500)) for longitude in (0.7, math.pi)
    )
    assert here is not None and there is not None
    assert there.semi_major_m == pytest.approx(here.semi_major_m, rel=1e-6)
    assert abs(math.remainder(there.longitude_rad - math.pi - (here.longitude_rad - 0.7), 2 * math.pi)) < 1e-9
    assert abs(there.longitude_rad) <= math.pi
    # in a ring about the pole: their middle is the pole
    ring = np.linspace(0.0, 2.0 * math.pi, 100, endpoint=False)
    pole = region_of(np.full(100, 0.5 * math.pi - 0.01), ring, np.ones(100))
    assert pole is not None
    assert pole.latitude_rad == pytest.approx(0.5 * math.pi, abs=1e-6)
    assert pole.semi_minor_m == pytest.approx(0.01 * EARTH_M, rel=0.01)


def test_what_is_as_large_as_a_continent_or_has_no_middle_tells_nothing() -> None:
    east, north = gaussian(500, 4e6, 1e5, 0.4)
    assert region_of(*at(east, north), np.ones(500)) is None
    assert region_of(np.zeros(4), np.array([0.0, 1.0, 2.0, 3.0]) * 0.5 * math.pi, np.ones(4)) is None
    none = np.array([])
    assert region_of(none, none, none) is None
    assert region_of(np.array([math.nan]), np.array([0.7]), np.ones(1)) is None


@given(
    latitude=st.floats(-1.5, 1.5),
    longitude=st.floats(-3.14, 3.14),
    off=st.lists(st.tuples(st.floats(-2e6, 2e6), st.floats(-2e6, 2e6)), min_size=2, max_size=8),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_flat_frame_goes_there_and_back(
    latitude: float, longitude: float, off: list[tuple[float, float]]
) -> None:
    one = Points(latitude, longitude, *np.zeros((2, 1)), np.ones(1), np.zeros(1, np.int64))
    east, north = np.array(off).T
    placed = one.back(east, north)
    frame = Points.of(*placed, np.ones(len(off)))
    assert frame is not None
    again = frame.back(frame.east_m, frame.north_m)
    for a, b in zip((again[0], np.exp(1j * again[1])), (placed[0], np.exp(1j * placed[1])), strict=True):
        assert np.allclose(a, b, atol=1e-9)
    # distances between near points are true ones
    assert np.allclose(np.hypot(frame.east_m @ frame.weights, frame.north_m @ frame.weights), 0.0, atol=3e5)


# ------------------------------------------------------------------ azimuth, and the record


def test_the_azimuth_is_a_circular_mean_with_its_spread() -> None:
    rng = np.random.default_rng(6)
    azimuth, sigma = azimuth_of(rng.normal(0.0, 0.1, 4000), np.ones(4000))
    assert azimuth is not None and sigma is not None
    assert math.remainder(azimuth, 2.0 * math.pi) == pytest.approx(0.0, abs=0.01)
    assert 0.0 <= azimuth < 2.0 * math.pi
    assert sigma == pytest.approx(0.1, rel=0.05)
    assert azimuth_of(np.array([6.2]), np.ones(1)) == (pytest.approx(6.2), pytest.approx(0.0, abs=1e-7))


def test_an_azimuth_that_may_be_any_is_not_told() -> None:
    assert azimuth_of(np.linspace(0.0, 2.0 * math.pi, 50, endpoint=False), np.ones(50)) == (None, None)
    assert azimuth_of(np.array([math.nan]), np.ones(1)) == (None, None)
    assert azimuth_of(np.array([1.0, 2.0]), np.zeros(2)) == (None, None)


def made(azimuth: Floats | None) -> LaunchArea:
    east, north = gaussian(300, 8e3, 3e3, 1.0)
    seconds = np.random.default_rng(8).normal(-50.0, 4.0, 300)
    area = launch_area(
        "AMBER-0001", 10**18, *at(east, north), seconds, azimuth, np.ones(300), OCHRE, sensors=2
    )
    assert area is not None
    return area


def test_the_record_holds_place_time_azimuth_and_origin_with_what_each_is_good_to() -> None:
    area = made(np.full(300, 2.0))
    assert area.track == "AMBER-0001" and area.sensors == 2
    assert (area.time_ns - 10**18) * 1e-9 == pytest.approx(-50.0, abs=1.0)
    assert area.time_sigma_s == pytest.approx(4.0, rel=0.1)
    assert area.azimuth_rad == pytest.approx(2.0) and area.azimuth_sigma_rad == pytest.approx(0.0, abs=1e-7)
    assert (area.origin, area.origin_probability, area.why) == ("Ochre", 1.0, "")
    assert area.territories == {"Ochre": 1.0}
    assert (made(None).azimuth_rad, made(None).azimuth_sigma_rad) == (None, None)


def test_points_that_tell_nothing_make_no_record() -> None:
    one = np.array([0.5])
    assert launch_area("A-1", 0, one * math.nan, one, one, None, one, OCHRE, 2) is None
    assert launch_area("A-1", 0, one, one, one * math.nan, None, one, OCHRE, 2) is None
