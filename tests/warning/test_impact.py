"""Where an object comes down: the distribution on the ground against thousands of single falls."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from reported_tracks import Floats, place, seen_by, spread

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, geodetic2ecef, height_above_ellipsoid
from jointwatch.motion.phases import BALLISTIC, acceleration_noise
from jointwatch.motion.propagate import fall, propagate
from jointwatch.warning.impact import MODEL_SIGMA_M, POINTS, GroundFall, ground_fall, spread_points

FALLS = 4000


class Case(NamedTuple):
    """A state with covariance, and how far (m) the mean may lie from that of single falls."""

    state: Floats
    covariance: Floats
    mean_m: float


def correlated(position_m: float, velocity_ms: float, drag: float, correlation: float) -> Floats:
    """A track's covariance whose drag parameter goes with its eastward speed, as a re-entry makes it."""
    c = seen_by(np.random.default_rng(8), position_m, velocity_ms)
    c[6, 6] = drag**2
    c[:6, 6] = c[6, :6] = correlation * drag * c[3, :6] / math.sqrt(c[3, 3])
    return c


FLIGHTS = {
    "a missile in mid-course": Case(place(33, 41, 200e3, -2300, 100, 900), spread(300.0, 10.0, 0.4), 25.0),
    "a missile at its top, well known": Case(
        place(33, 39, 300e3, -2100, -200, 0), spread(80.0, 2.0, 0.2), 10.0
    ),
    "a missile coming down": Case(place(32.3, 36, 60e3, -1900, 100, -1900), spread(100.0, 8.0, 0.3), 10.0),
    "a rocket after its burn": Case(place(32, 36, 2e3, -600, 200, 600), spread(40.0, 8.0, 0.2), 15.0),
    "errors that go together": Case(
        place(33, 40, 150e3, -2200, 300, 300), correlated(500.0, 10.0, 0.3, 0.4), 15.0
    ),
}


def single_falls(case: Case, ground_m: float = 0.0) -> tuple[Floats, Floats]:
    """Times (s, n) and places (n, 2; east and north of the first, m) of falls drawn from the case."""
    rng = np.random.default_rng(17)
    origin = case.state.copy()
    fall(origin, ground_m, 2400.0)
    latitude, longitude, _ = ecef2geodetic(*origin[:3])
    turn = enu_rotation(latitude, longitude)
    times, places = np.empty(FALLS), np.empty((FALLS, 2))
    root = np.linalg.cholesky(case.covariance)
    # each draw and its opposite, so that the mean shows what is not linear and no chance
    half = rng.normal(size=(FALLS // 2, 7))
    for k, draw in enumerate(np.concatenate([half, -half])):
        s = case.state + root @ draw
        times[k] = fall(s, ground_m, 2400.0)
        places[k] = (turn @ (s[:3] - origin[:3]))[:2]
    # what the filter's physics leaves out is part of what is said
    left_out = MODEL_SIGMA_M * rng.normal(size=(FALLS // 2, 2))
    return times, places + np.concatenate([left_out, -left_out])


def east_north(said: GroundFall, case: Case, ground_m: float = 0.0) -> Floats:
    """Said mean place, east and north (m) of the fall of the case's own state."""
    origin = case.state.copy()
    fall(origin, ground_m, 2400.0)
    latitude, longitude, _ = ecef2geodetic(*origin[:3])
    at = np.array(geodetic2ecef(said.latitude_rad, said.longitude_rad, ground_m))
    return (enu_rotation(latitude, longitude) @ (at - origin[:3]))[:2]


def noise_of(case: Case) -> tuple[Floats, float]:
    """Covariance (2, 2) on the ground, and variance of the time, that the filter's noise adds until then."""
    known = ground_fall(case.state, np.zeros((7, 7)))
    assert known is not None
    return known.covariance_m2 - MODEL_SIGMA_M**2 * np.eye(2), known.time_sigma_s**2


@pytest.mark.parametrize("name", list(FLIGHTS))
def test_the_said_distribution_is_that_of_thousands_of_falls(name: str) -> None:
    case = FLIGHTS[name]
    times, places = single_falls(case)
    said = ground_fall(case.state, case.covariance)
    assert said is not None
    mean = east_north(said, case)
    assert np.linalg.norm(mean - places.mean(axis=0)) < case.mean_m
    # every element of the covariance, in the scale of its axes
    found = np.cov(places.T)
    scale = np.sqrt(np.outer(np.diag(found), np.diag(found)))
    noise, time_noise = noise_of(case)
    assert np.abs((said.covariance_m2 - noise) / scale - found / scale).max() < 0.1
    assert said.time_s == pytest.approx(times.mean(), abs=0.1 * times.std())
    assert math.sqrt(said.time_sigma_s**2 - time_noise) == pytest.approx(times.std(), rel=0.1)


@pytest.mark.parametrize("name", list(FLIGHTS))
def test_the_ninety_per_cent_region_holds_nine_falls_in_ten(name: str) -> None:
    case = FLIGHTS[name]
    _, places = single_falls(case)
    places += np.random.default_rng(5).multivariate_normal(np.zeros(2), noise_of(case)[0], FALLS)
    said = ground_fall(case.state, case.covariance)
    assert said is not None
    d = places - east_north(said, case)
    a, b, bearing = said.ellipse(0.9)
    s, c = math.sin(bearing), math.cos(bearing)
    inside = ((d[:, 0] * s + d[:, 1] * c) / a) ** 2 + ((d[:, 0] * c - d[:, 1] * s) / b) ** 2 <= 1.0
    assert 0.87 <= inside.mean() <= 0.93


def test_a_perfectly_known_object_falls_where_its_arc_ends_but_for_the_model() -> None:
    state = FLIGHTS["a missile in mid-course"].state
    said = ground_fall(state, np.zeros((7, 7)))
    assert said is not None
    end = state.copy()
    time_s = fall(end, 0.0, 2400.0)
    at = np.array(geodetic2ecef(said.latitude_rad, said.longitude_rad, 0.0))
    # coarse steps are good to some metres
    assert np.linalg.norm(at - end[:3]) < 30.0
    assert said.time_s == pytest.approx(time_s, abs=0.05)
    noise = said.covariance_m2 - MODEL_SIGMA_M**2 * np.eye(2)
    assert np.linalg.eigvalsh(noise)[0] > 0.0


@pytest.mark.parametrize("name", ["a missile in mid-course", "a missile coming down"])
def test_what_the_filters_noise_does_on_the_way_is_in_the_fall(name: str) -> None:
    """Against falls that are pushed about on the way as the process noise says."""
    case = FLIGHTS[name]
    rng = np.random.default_rng(11)
    origin = case.state.copy()
    end_s = fall(origin, 0.0, 2400.0)
    latitude, longitude, _ = ecef2geodetic(*origin[:3])
    turn = enu_rotation(latitude, longitude)
    places = []
    for _ in range(400):
        s, left = case.state.copy(), end_s
        while left > 1.0:
            before, walk = acceleration_noise(BALLISTIC, s)
            propagate(BALLISTIC, s, 0.5)
            s[3:6] += math.sqrt(0.5 * before) * rng.normal(size=3)
            s[6] += math.sqrt(0.5 * walk) * rng.normal()
            left -= 0.5
        fall(s, 0.0, 2400.0)
        places.append((turn @ (s[:3] - origin[:3]))[:2])
    noise, _ = noise_of(case)
    found = np.cov(np.array(places).T)
    assert np.sqrt(np.diag(noise)) == pytest.approx(np.sqrt(np.diag(found)), rel=0.25)


def test_it_comes_down_on_the_ground_that_it_is_told() -> None:
    """A rocket falls on a plateau of 1,000 m sooner and shorter, by what its path is inclined."""
    case = FLIGHTS["a rocket after its burn"]
    low, high = (ground_fall(case.state, case.covariance, g) for g in (0.0, 1000.0))
    assert low is not None and high is not None
    assert 2.0 < low.time_s - high.time_s < 6.0
    times, places = single_falls(case, 1000.0)
    assert high.time_s == pytest.approx(times.mean(), abs=0.1 * times.std())
    assert np.linalg.norm(east_north(high, case, 1000.0) - places.mean(axis=0)) < case.mean_m
    end = case.state.copy()
    fall(end, 1000.0, 2400.0)
    assert height_above_ellipsoid(*end[:3]) == pytest.approx(1000.0, abs=0.1)


@pytest.mark.parametrize(
    "state",
    [place(10, 41, 300e3, 5200, 5200, 0), place(28, 35, 400e3, 9000, 0, 3000)],
    ids=["in orbit", "leaving the Earth"],
)
def test_what_does_not_come_down_has_no_fall(state: Floats) -> None:
    assert ground_fall(state, spread(300.0, 10.0)) is None


def test_a_singular_covariance_is_taken_by_its_variances() -> None:
    state = FLIGHTS["a missile in mid-course"].state
    flat = np.zeros((7, 7))
    flat[3, 3] = 100.0
    said = ground_fall(state, flat)
    full = ground_fall(state, flat + spread(1.0, 0.01, 1e-3))
    assert said is not None and full is not None
    assert np.allclose(said.covariance_m2, full.covariance_m2, rtol=0.05, atol=200.0)


def said(covariance: Floats) -> GroundFall:
    return GroundFall(100.0, 1.0, 0.55, 0.6, covariance)


@pytest.mark.parametrize("bearing_deg", [0.0, 30.0, 90.0, 135.0, 179.0])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_an_ellipse_has_the_axes_and_bearing_of_its_covariance(bearing_deg: float, share: float) -> None:
    s, c = math.sin(math.radians(bearing_deg)), math.cos(math.radians(bearing_deg))
    along, across = np.array([s, c]), np.array([c, -s])
    covariance = 3000.0**2 * np.outer(along, along) + 700.0**2 * np.outer(across, across)
    a, b, bearing = said(covariance).ellipse(share)
    # the share of a two-dimensional Gaussian within k sigma is 1 - exp(-k^2 / 2)
    k = math.sqrt(2.0 * math.log(1.0 / (1.0 - share)))
    assert (a, b) == pytest.approx((3000.0 * k, 700.0 * k), rel=1e-9)
    assert math.cos(bearing - math.radians(bearing_deg)) ** 2 == pytest.approx(1.0, abs=1e-12)
    assert 0.0 <= bearing < math.pi


def test_a_round_distribution_has_a_circle() -> None:
    a, b, _ = said(500.0**2 * np.eye(2)).ellipse()
    assert a == b == pytest.approx(500.0 * 2.1459660, rel=1e-6)


@pytest.mark.parametrize("latitude_deg", [0.0, 32.0, 60.0])
def test_spread_points_have_the_distributions_moments(latitude_deg: float) -> None:
    covariance = np.array([[2500.0**2, 0.6 * 2500.0 * 900.0], [0.6 * 2500.0 * 900.0, 900.0**2]])
    latitude, longitude = math.radians(latitude_deg), math.radians(35.0)
    x, y, weights = spread_points(latitude, longitude, covariance)
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
    first, again = (spread_points(0.5, 0.6, covariance) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
