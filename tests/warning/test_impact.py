"""Where an object comes down: the distribution on the ground against thousands of single falls."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from numba import njit
from reported_tracks import Floats, place, seen_by, spread

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, geodetic2ecef, height_above_ellipsoid
from jointwatch.earth.wind import wind_rms
from jointwatch.motion.phases import BALLISTIC, still_air_noise
from jointwatch.motion.propagate import fall, propagate
from jointwatch.warning.impact import MODEL_SIGMA_M, GroundFall, _quantile, ground_fall
from jointwatch.warning.spread import Spread, radius

FALLS = 4000
UNSURE = {"a missile of which the drag alone is unknown": 0.25}
"""By how much a variance may be off where it is not 0.15: so long a tail makes the samples' own uncertain too
(six sets of these falls have 97,000 to 124,000 m2, 113,000 in the mean; 118,000 are said)."""
WINDY_M = 40e3


class Case(NamedTuple):
    """A state with covariance."""

    state: Floats
    covariance: Floats


def correlated(position_m: float, velocity_ms: float, drag: float, correlation: float) -> Floats:
    """A track's covariance whose drag parameter goes with its eastward speed, as a re-entry makes it."""
    c = seen_by(np.random.default_rng(8), position_m, velocity_ms)
    c[6, 6] = drag**2
    c[:6, 6] = c[6, :6] = correlation * drag * c[3, :6] / math.sqrt(c[3, 3])
    return c


FLIGHTS = {
    "a missile in mid-course": Case(place(33, 41, 200e3, -2300, 100, 900), spread(300.0, 10.0, 0.4)),
    "a missile at its top, well known": Case(place(33, 39, 300e3, -2100, -200, 0), spread(80.0, 2.0, 0.2)),
    "a missile coming down": Case(place(32.3, 36, 60e3, -1900, 100, -1900), spread(100.0, 8.0, 0.3)),
    "a missile of which the drag alone is unknown": Case(
        place(33, 39, 300e3, -2100, -200, 0), spread(30.0, 0.3, 0.5)
    ),
    "a rocket after its burn": Case(place(32, 36, 2e3, -600, 200, 600), spread(40.0, 8.0, 0.2)),
    "errors that go together": Case(place(33, 40, 150e3, -2200, 300, 300), correlated(500.0, 10.0, 0.3, 0.4)),
}


@njit
def _pushed(
    state: Floats,
    root: Floats,
    winds: Floats,
    ground_m: float,
    rng: np.random.Generator,
    times: Floats,
    ends: Floats,
) -> None:
    """Fill when and where (n,), (n, 3) falls end that start about a state and are pushed on the way."""
    for k in range(len(times)):
        s = state + root @ rng.standard_normal(7)
        wind, still = winds[k], np.zeros(3)
        times[k] = 0.0
        while height_above_ellipsoid(s[0], s[1], s[2]) > ground_m or s[:3] @ s[3:6] > 0.0:
            white, walk = still_air_noise(s)
            s[3:6] += math.sqrt(0.25 * white) * rng.standard_normal(3)
            s[6] += math.sqrt(0.25 * walk) * rng.standard_normal()
            # where there is air it moves with the wind: the flight as the wind sees it
            height = height_above_ellipsoid(s[0], s[1], s[2])
            blown = wind * wind_rms(height) if height < WINDY_M else still
            s[3:6] -= blown
            propagate(BALLISTIC, s, 0.25)
            s[3:6] += blown
            s[:3] += 0.25 * blown
            times[k] += 0.25
        times[k] += fall(s, ground_m, 100.0)
        ends[k] = s[:3]


def pushed_falls(case: Case, ground_m: float = 0.0) -> tuple[Floats, Floats]:
    """Times (s, n) and places (n, 2; east and north of the first, m) of falls drawn from the case.

    They are pushed on the way as is said of them: white acceleration and the walk of the drag, the wind that
    is usual at each height by a factor of each fall's own, against which the air drags, and what else the
    filter's physics leaves out.
    """
    rng = np.random.default_rng(23)
    origin, turn = first_fall(case, ground_m)
    times, ends = np.empty(FALLS), np.empty((FALLS, 3))
    winds = rng.normal(size=(FALLS, 2)) @ turn[:2]
    root = np.linalg.cholesky(case.covariance + 1e-15 * np.eye(7))
    _pushed(case.state, root, winds, ground_m, rng, times, ends)
    return times, (ends - origin) @ turn[:2].T + MODEL_SIGMA_M * rng.normal(size=(FALLS, 2))


def first_fall(case: Case, ground_m: float) -> tuple[Floats, Floats]:
    """Where (3,) the case's own state falls, and the rows east, north and up (3, 3) there."""
    origin = case.state.copy()
    fall(origin, ground_m, 2400.0)
    latitude, longitude, _ = ecef2geodetic(*origin[:3])
    return origin[:3], np.array(enu_rotation(latitude, longitude))


def east_north(said: GroundFall, case: Case, ground_m: float = 0.0) -> Floats:
    """Said mean place, east and north (m) of the fall of the case's own state."""
    origin, turn = first_fall(case, ground_m)
    at = np.array(geodetic2ecef(said.latitude_rad, said.longitude_rad, ground_m))
    return (turn @ (at - origin))[:2]


@pytest.mark.parametrize("name", list(FLIGHTS))
def test_the_said_fall_is_that_of_thousands_of_falls(name: str) -> None:
    """In moments, and in regions whole and half, though what drags more than thought falls short."""
    case = FLIGHTS[name]
    times, places = pushed_falls(case)
    said = ground_fall(case.state, case.covariance)
    assert said is not None
    assert said.time_s == pytest.approx(times.mean(), abs=0.1 * times.std())
    assert said.time_sigma_s == pytest.approx(times.std(), rel=0.15)
    mean = east_north(said, case)
    assert np.abs(places.mean(axis=0) - mean).max() < 0.08 * places.std(axis=0).max()
    found = np.cov(places.T)
    assert np.abs(said.spread.covariance_m2 - found).max() < UNSURE.get(name, 0.15) * np.diag(found).max()
    distance = np.linalg.norm(said.spread.standard(places - mean), axis=1)
    for share, within in ((0.5, 0.05), (0.9, 0.025), (0.99, 0.03)):
        assert (distance < radius(share)).mean() == pytest.approx(share, abs=within)


def test_an_unknown_drag_makes_a_tail_that_falls_short() -> None:
    """Where the drag alone is unknown a Gaussian of the right spread holds far too much in its middle."""
    case = FLIGHTS["a missile of which the drag alone is unknown"]
    _, places = pushed_falls(case)
    said = ground_fall(case.state, case.covariance)
    assert said is not None
    off = places - east_north(said, case)
    flat = Spread(said.spread.covariance_m2)
    assert (np.linalg.norm(flat.standard(off), axis=1) < radius(0.5)).mean() > 0.62
    # westward flight: short of the mean is east of it, or along the axis backwards
    _, front, back, _ = said.spread.region(0.9)
    short, on = (back, front) if back[0] > 0.0 else (front, back)
    assert np.linalg.norm(short) > 3.0 * np.linalg.norm(on)


def larger_axis(spread: Spread) -> float:
    """1-sigma of the larger ground axis."""
    return math.sqrt(np.linalg.eigvalsh(spread.covariance_m2)[-1])


def test_above_the_air_no_look_tells_of_the_drag_and_in_it_each_does() -> None:
    state = FLIGHTS["a missile at its top, well known"].state
    open_m = []
    for drag in (0.05, 0.5):
        said = ground_fall(state, spread(30.0, 0.5, drag))
        assert said is not None
        open_m.append(said.open_m)
    known = ground_fall(state, spread(30.0, 0.5, 1e-6))
    assert known is not None and said is not None
    # that of an object whose drag is known, but for the wind, which no look up there tells of either
    assert open_m[0] == open_m[1]
    assert 0.85 < open_m[1] / larger_axis(known.spread) < 1.0
    assert open_m[1] < 0.6 * larger_axis(said.spread)
    # nor does what velocity and drag have in common hide how little of the velocity is known
    known = ground_fall(state, correlated(300.0, 10.0, 1e-6, 0.0))
    bound = ground_fall(state, correlated(300.0, 10.0, 0.3, 0.95))
    assert known is not None and bound is not None
    assert bound.open_m == pytest.approx(known.open_m, rel=0.1)
    low = ground_fall(place(32.3, 36, 25e3, -1500, 100, -1500), spread(80.0, 2.0, 0.5))
    assert low is not None
    assert low.open_m == pytest.approx(larger_axis(low.spread))


def test_a_perfectly_known_object_falls_where_its_arc_ends_but_for_the_model() -> None:
    state = FLIGHTS["a missile in mid-course"].state
    said = ground_fall(state, np.zeros((7, 7)))
    assert said is not None
    end = state.copy()
    time_s = fall(end, 0.0, 2400.0)
    at = np.array(geodetic2ecef(said.latitude_rad, said.longitude_rad, 0.0))
    # coarse steps are good to some metres, and the drag's walk ahead moves the mean
    assert np.linalg.norm(at - end[:3]) < 60.0
    assert said.time_s == pytest.approx(time_s, abs=0.5)
    noise = said.spread.covariance_m2 - MODEL_SIGMA_M**2 * np.eye(2)
    assert np.linalg.eigvalsh(noise)[0] > 0.0


def test_it_comes_down_on_the_ground_that_it_is_told() -> None:
    """A rocket falls on a plateau of 1,000 m sooner and shorter, by what its path is inclined."""
    case = FLIGHTS["a rocket after its burn"]
    low, high = (ground_fall(case.state, case.covariance, g) for g in (0.0, 1000.0))
    assert low is not None and high is not None
    assert 2.0 < low.time_s - high.time_s < 6.0
    times, places = pushed_falls(case, 1000.0)
    assert high.time_s == pytest.approx(times.mean(), abs=0.1 * times.std())
    assert np.abs(east_north(high, case, 1000.0) - places.mean(axis=0)).max() < 0.08 * places.std()
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
    assert np.allclose(said.spread.covariance_m2, full.spread.covariance_m2, rtol=0.05, atol=200.0)


@pytest.mark.parametrize(
    ("state", "log_drag", "time_s"),
    [
        (place(32, 36, 15e3, 0.5, 0, 0.87), -3.0, 452.7),
        (place(32, 36, 8e3, 0.5, 0, 0.87), -3.5, 227.3),
        (place(32, 36, 1.5e3, 2000, 0, -300), -3.0, 64.6),
        (place(32, 36, 3e3, 0, 0, 3000), -4.5, 89.9),
    ],
    ids=["from rest, high", "from rest", "fast and light", "up, fast and light"],
)
def test_fragments_of_great_drag_come_down_when_they_do(
    state: Floats, log_drag: float, time_s: float
) -> None:
    state = np.array([*state[:6], log_drag])
    said = ground_fall(state, spread(50.0, 1.0, 0.05))
    assert said is not None
    assert said.time_s == pytest.approx(time_s, rel=0.03)


def test_a_drag_that_goes_with_the_velocity_bends_no_more_than_there_is() -> None:
    """The tail is measured along the covariance's own conjugate axis: mean 0 and variance 1, bent or not."""
    state = place(32, 36, 300e3, 2300, 0, 0)
    north = np.array(enu_rotation(math.radians(32), math.radians(36)))[1]
    for sigma, correlation in ((3.0, 0.99), (1.0, 0.9)):
        covariance = spread(30.0, 0.3, 0.8)
        covariance[3:6, 3:6] += sigma**2 * np.outer(north, north)
        covariance[3:6, 6] = covariance[6, 3:6] = correlation * 0.8 * sigma * north
        said = ground_fall(state, covariance)
        assert said is not None
        z = np.random.default_rng(2).normal(size=(20_000, 2))
        off = said.spread.offsets(z)
        assert np.cov(off.T) == pytest.approx(said.spread.covariance_m2, rel=0.1, abs=0.03 * off.var())


def test_what_hardly_may_leave_the_earth_has_a_fall() -> None:
    state = np.array([*place(32, 36, 200e3, 6900, 0, 300)[:6], -9.0])
    assert ground_fall(state, spread(100.0, 100.0, 0.2)) is not None
    assert ground_fall(state, spread(100.0, 300.0, 0.2)) is not None


@pytest.mark.parametrize("narrow", [0.01, 0.3, 0.9])
@pytest.mark.parametrize("bend", [0.0, 0.4, -1.5])
def test_a_quantile_of_the_tail_has_its_share_below_it(narrow: float, bend: float) -> None:
    """By the mixture's own distribution, summed up plainly; each begins where the last one was."""
    grid = np.linspace(-4.0, 4.0, 61)
    weight = np.exp(-0.5 * grid**2)
    weight /= weight.sum()
    at = grid + bend * (grid**2 - 1.0)
    at = math.sqrt(1.0 - narrow**2) * (at - weight @ at) / math.sqrt(weight @ (at - weight @ at) ** 2)
    least = at.min() - 5.0 * narrow
    for deviation in (-2.5, -1.2, 0.0, 1.2, 2.5):
        least = _quantile(deviation, at, weight, narrow, least)
        below = [
            sum(
                w * 0.5 * math.erfc((a - y) / narrow / math.sqrt(2.0))
                for a, w in zip(at, weight, strict=True)
            )
            for y in (least - 1e-3, least + 1e-3)
        ]
        assert below[0] <= 0.5 * math.erfc(-deviation / math.sqrt(2.0)) <= below[1]
