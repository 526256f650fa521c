"""How a fall is spread over the ground: regions hold their share, and points are spread alike."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reported_tracks import Floats

from jointwatch.records import Impact
from jointwatch.warning.spread import (
    POINTS,
    QUANTILES,
    Spread,
    farthest_m,
    radius,
    spread_points,
    stated,
)

SKEWED = (-4.2, -0.9, 0.25, 0.66, 0.9)
"""Quantiles of a fall of mean 0 and variance near 1 with a long tail behind, as unknown drag makes it."""
COVARIANCE = np.array([[2500.0**2, 0.6 * 2500.0 * 900.0], [0.6 * 2500.0 * 900.0, 900.0**2]])


def drawn(spread: Spread, count: int = 40_000) -> Floats:
    """Offsets (count, 2; m) drawn at random from a spread."""
    return spread.offsets(np.random.default_rng(3).normal(size=(count, 2)))


@pytest.mark.parametrize("axis_rad", [0.0, 0.3, 1.2, 2.8, -1.0])
def test_without_skew_it_is_the_gaussian_of_its_covariance_whatever_the_axis(axis_rad: float) -> None:
    spread = Spread(COVARIANCE, axis_rad, tuple(QUANTILES.tolist()))
    a, b = spread.axes()
    assert np.outer(a, a) + np.outer(b, b) == pytest.approx(COVARIANCE, rel=1e-9)
    assert a[0] * math.cos(axis_rad) == pytest.approx(a[1] * math.sin(axis_rad), abs=1e-6)
    places = np.array([[900.0, -300.0], [-4000.0, 200.0], [0.0, 0.0]])
    for place in places:
        by_hand = float(place @ np.linalg.solve(COVARIANCE, place))
        assert spread.distance2(place) == pytest.approx(by_hand, rel=1e-3, abs=1e-9)
        assert Spread(COVARIANCE).distance2(place) == pytest.approx(by_hand, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_regions_ends_are_where_its_share_ends_along_the_axis(share: float) -> None:
    """A tail behind: the middle lies before the mean, the back end farther away than the front."""
    spread = Spread(np.diag([2000.0**2, 500.0**2]), 0.5 * math.pi, SKEWED)
    middle, front, back, side = spread.region(share)
    assert middle == pytest.approx([0.25 * 2000.0, 0.0], abs=1e-6)
    assert side == pytest.approx([0.0, -500.0 * radius(share)], abs=1e-6)
    assert front[0] > 0.0 > back[0]
    assert -back[0] > (1.5 if share == 0.5 else 3.0) * front[0]
    for end in (middle + front, middle + back, middle + side, middle - side):
        assert math.sqrt(spread.distance2(end)) == pytest.approx(radius(share), abs=0.02)


@given(
    z=st.lists(st.tuples(*[st.floats(-5.0, 5.0)] * 2), min_size=1, max_size=20),
    axis_rad=st.floats(-4.0, 4.0),
    steps=st.lists(st.floats(0.05, 4.0), min_size=4, max_size=4),
    east=st.floats(50.0, 5e4), north=st.floats(50.0, 5e4), correlation=st.floats(-0.95, 0.95),
)  # fmt: skip
def test_a_place_and_its_deviations_are_one_to_one(
    z: list[tuple[float, float]],
    axis_rad: float,
    steps: list[float],
    east: float,
    north: float,
    correlation: float,
) -> None:
    covariance = np.array([[east**2, correlation * east * north], [correlation * east * north, north**2]])
    spread = Spread(covariance, axis_rad, tuple((np.cumsum([0.0, *steps]) - sum(steps[:2])).tolist()))
    back = spread.standard(spread.offsets(np.array(z)))
    assert back == pytest.approx(np.array(z), abs=0.03)


def test_a_record_states_the_spread_that_it_was_made_of() -> None:
    spread = Spread(COVARIANCE, 1.1, SKEWED)
    impact = Impact(
        track="A", object_class="medium_range", time_ns=1, time_sigma_s=1.0, latitude_rad=0.5,
        longitude_rad=0.6, covariance_m2=tuple(COVARIANCE[[0, 0, 1], [0, 1, 1]].tolist()), axis_rad=1.1,
        quantiles=SKEWED,
    )  # fmt: skip
    again = msgspec.json.decode(msgspec.json.encode(impact), type=Impact)
    places = drawn(spread, 50)
    assert (stated(again).standard(places) == spread.standard(places)).all()


@pytest.mark.parametrize("bearing_deg", [0.0, 30.0, 90.0, 135.0, 179.0])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_an_ellipse_has_the_axes_and_bearing_of_its_covariance(bearing_deg: float, share: float) -> None:
    s, c = math.sin(math.radians(bearing_deg)), math.cos(math.radians(bearing_deg))
    along, across = np.array([s, c]), np.array([c, -s])
    covariance = 3000.0**2 * np.outer(along, along) + 700.0**2 * np.outer(across, across)
    a, b, bearing = Spread(covariance).ellipse(share)
    # the share of a two-dimensional Gaussian within k sigma is 1 - exp(-k^2 / 2)
    k = math.sqrt(2.0 * math.log(1.0 / (1.0 - share)))
    assert (a, b) == pytest.approx((3000.0 * k, 700.0 * k), rel=1e-9)
    assert math.cos(bearing - math.radians(bearing_deg)) ** 2 == pytest.approx(1.0, abs=1e-12)
    assert 0.0 <= bearing < math.pi


def test_a_round_distribution_has_a_circle() -> None:
    a, b, _ = Spread(500.0**2 * np.eye(2)).ellipse()
    assert a == b == pytest.approx(500.0 * 2.1459660, rel=1e-6)


@pytest.mark.parametrize("axis_rad", [0.4, 2.0])
def test_points_are_spread_as_what_they_stand_for(axis_rad: float) -> None:
    spread = Spread(COVARIANCE, axis_rad, SKEWED)
    x, y, weights = spread_points(0.5, 0.6, spread)
    metres = 6371000.0 * np.column_stack([(np.radians(x) - 0.6) * math.cos(0.5), np.radians(y) - 0.5])
    falls = drawn(spread)
    assert weights @ metres == pytest.approx(falls.mean(axis=0), abs=0.03 * 2500.0)
    # as many in each half plane about several places as there are falls
    for bearing in np.arange(0.0, 2.0 * math.pi, 0.5):
        way = np.array([math.sin(bearing), math.cos(bearing)])
        for quantile in (0.1, 0.5, 0.9):
            bound = np.quantile(falls @ way, quantile)
            assert (metres @ way < bound).mean() == pytest.approx(quantile, abs=0.02)


@pytest.mark.parametrize("latitude_deg", [0.0, 32.0, 60.0])
def test_spread_points_have_the_distributions_moments(latitude_deg: float) -> None:
    covariance = np.array([[2500.0**2, 0.6 * 2500.0 * 900.0], [0.6 * 2500.0 * 900.0, 900.0**2]])
    latitude, longitude = math.radians(latitude_deg), math.radians(35.0)
    x, y, weights = spread_points(latitude, longitude, Spread(covariance))
    assert len(x) == len(y) == POINTS
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    metres = 6371000.0 * np.column_stack(
        [(np.radians(x) - longitude) * math.cos(latitude), np.radians(y) - latitude]
    )
    assert np.linalg.norm(weights @ metres) < 0.01 * 2500.0
    assert np.allclose(metres.T * weights @ metres, covariance, rtol=0.03)
    # and its shares: as many within the 50 % and 90 % ellipses as there should be
    d2 = np.einsum("ni,ni->n", metres, np.linalg.solve(covariance, metres.T).T)
    for share in (0.5, 0.9):
        assert (d2 <= -2.0 * math.log(1.0 - share)).mean() == pytest.approx(share, abs=0.01)


def test_the_points_are_the_same_each_time() -> None:
    covariance = np.array([[1e6, 2e5], [2e5, 4e5]])
    first, again = (spread_points(0.5, 0.6, Spread(covariance, 0.7, SKEWED)) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))


@given(
    axis_rad=st.floats(-4.0, 4.0), steps=st.lists(st.floats(0.05, 4.0), min_size=4, max_size=4),
    east=st.floats(50.0, 5e4), north=st.floats(50.0, 5e4), correlation=st.floats(-0.95, 0.95),
    skewed=st.booleans(),
)  # fmt: skip
def test_no_point_is_farther_than_the_farthest_and_one_is_nearly_as_far(
    axis_rad: float, steps: list[float], east: float, north: float, correlation: float, skewed: bool
) -> None:
    cross = correlation * east * north
    quantiles = tuple((np.cumsum([0.0, *steps]) - sum(steps[:2])).tolist()) if skewed else ()
    spread = Spread(np.array([[east**2, cross], [cross, north**2]]), axis_rad, quantiles)
    longitude, latitude, _ = spread_points(0.0, 0.0, spread)
    away = np.radians(np.hypot(longitude, latitude)) * 6371e3
    assert away.max() <= farthest_m(spread) * (1.0 + 1e-9)
    assert away.max() >= 0.4 * farthest_m(spread)
