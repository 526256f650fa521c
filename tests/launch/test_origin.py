"""The origin of a launch: how probable each place is, what may be stated, and that statements hold."""

from __future__ import annotations

import inspect
import math
import time
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_places import Meridian
from numpy.typing import NDArray

from jointwatch.earth.places import Territories, load_territories
from jointwatch.launch.origin import BORDER_SIGMA_M, NO_SENSOR, ONE_SENSOR, Origin, origin_of
from jointwatch.records import BadInput

Floats = NDArray[np.float64]
EARTH_M = 6371000.0
TWO = ("amber-one", "blue-one")
SPLIT = Meridian("Ochre", "Garnet", 42.0)
REAL = load_territories({"Northmark": ["364"], "Two Rivers": ["376", "400"]}, disputed=["Two Rivers"])


def cloud(
    longitude_deg: float, sigma_m: float = 5e3, n: int = 400, latitude_deg: float = 33.0, seed: int = 1
) -> tuple[Floats, Floats, Floats]:
    """Points about a place, their mean exactly there, and even weights."""
    off = np.random.default_rng(seed).normal(size=(2, n))
    off -= off.mean(axis=1, keepdims=True)
    latitude = math.radians(latitude_deg) + sigma_m * off[0] / EARTH_M
    cos = math.cos(math.radians(latitude_deg))
    return latitude, math.radians(longitude_deg) + sigma_m * off[1] / (EARTH_M * cos), np.ones(n)


def metres_east(metres: float) -> float:
    """Degrees of longitude of so many metres at 33 N."""
    return math.degrees(metres / (EARTH_M * math.cos(math.radians(33.0))))


class PointByPoint:
    """Territories that know of no box where it lies."""

    def __init__(self, places: Territories) -> None:
        self.names, self.disputed, self.territory_at = places.names, places.disputed, places.territory_at

    def territory_of_box(self, *box: float) -> None:
        return None


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    longitude=st.floats(20.0, 70.0), latitude=st.floats(12.0, 48.0), sigma_m=st.floats(10.0, 100e3),
    seed=st.integers(0, 2**32 - 1), kernel_m=st.sampled_from([None, 100.0, 8e3]),
)  # fmt: skip
def test_told_from_its_box_a_launch_is_from_where_it_is_point_by_point(
    longitude: float, latitude: float, sigma_m: float, seed: int, kernel_m: float | None
) -> None:
    points = cloud(longitude, sigma_m, 96, latitude, seed)
    told = origin_of(*points, REAL, TWO, sigma_m=kernel_m)
    assert told == origin_of(*points, PointByPoint(REAL), TWO, sigma_m=kernel_m)


# ------------------------------------------------------------------ what is stated


def test_well_inside_a_territory_it_is_stated() -> None:
    assert origin_of(*cloud(41.0), SPLIT, TWO) == Origin({"Ochre": 1.0}, "Ochre", 1.0, "")


def test_on_a_border_it_is_even_and_cannot_be_told() -> None:
    told = origin_of(*cloud(42.0), SPLIT, TWO)
    assert told.stated == "cannot be told" and told.territories.keys() == {"Ochre", "Garnet"}
    assert told.probability == pytest.approx(0.5, abs=0.03)
    assert told.why.startswith("two territories: ") and "Ochre 0." in told.why and "Garnet 0." in told.why


@pytest.mark.parametrize(("sensors", "why"), [(("amber-one",), ONE_SENSOR), ((), NO_SENSOR)])
def test_of_fewer_than_two_sensors_it_cannot_be_told_and_the_probability_stays(
    sensors: tuple[str, ...], why: str
) -> None:
    told = origin_of(*cloud(41.0), SPLIT, sensors)
    assert (told.stated, told.probability, told.why) == ("cannot be told", 1.0, why)
    assert told.territories == {"Ochre": 1.0}


def test_a_sensor_named_twice_is_one() -> None:
    assert origin_of(*cloud(41.0), SPLIT, ["amber-one"] * 3).why == ONE_SENSOR


def test_where_the_ground_is_disputed_that_is_what_is_stated() -> None:
    places = Meridian("Ochre", "Garnet", 42.0, disputed=("Ochre",))
    assert origin_of(*cloud(41.0), places, TWO) == Origin({"disputed": 1.0}, "disputed", 1.0)
    assert origin_of(*cloud(43.0), places, TWO).stated == "Garnet"
    told = origin_of(*cloud(42.0), places, TWO)
    assert told.territories.keys() == {"disputed", "Garnet"} and told.stated == "cannot be told"
    # between two that are disputed it is disputed for sure
    both = Meridian("Ochre", "Garnet", 42.0, disputed=("Ochre", "Garnet"))
    assert origin_of(*cloud(42.0), both, TWO) == Origin({"disputed": 1.0}, "disputed", 1.0)


def test_the_sea_and_land_of_no_named_territory_are_places() -> None:
    places = load_territories({"Ochre": ["368"]})
    assert origin_of(*cloud(30.0, latitude_deg=34.0), places, TWO).stated == "sea"
    assert origin_of(*cloud(53.0), places, TWO).stated == "elsewhere"
    assert origin_of(*cloud(44.0), places, TWO).stated == "Ochre"


def test_of_no_points_nothing_is_told() -> None:
    none = np.array([])
    told = origin_of(none, none, none, SPLIT, TWO)
    assert told.territories == {} and told.stated == "cannot be told" and told.why
    latitude, longitude, weights = cloud(41.0)
    assert origin_of(latitude * np.nan, longitude, weights, SPLIT, TWO) == told
    assert origin_of(latitude, longitude, 0.0 * weights, SPLIT, TWO) == told


def test_the_threshold_goes_up_and_never_below_nine_tenths() -> None:
    at = 42.0 - metres_east(1.5 * math.hypot(5e3, BORDER_SIGMA_M))  # 93.3 %
    told = origin_of(*cloud(at), SPLIT, TWO, least=0.5)
    assert told.probability == pytest.approx(0.933, abs=0.02) and told.stated == "Ochre"
    assert origin_of(*cloud(at), SPLIT, TWO).stated == "cannot be told"
    nearer = 42.0 - metres_east(1.0 * math.hypot(5e3, BORDER_SIGMA_M))  # 84 %
    assert origin_of(*cloud(nearer), SPLIT, TWO, least=0.0).stated == "cannot be told"
    farther = 42.0 - metres_east(2.0 * math.hypot(5e3, BORDER_SIGMA_M))  # 97.7 %
    assert origin_of(*cloud(farther), SPLIT, TWO).stated == "Ochre"
    assert origin_of(*cloud(farther), SPLIT, TWO, least=0.999).stated == "cannot be told"


def test_one_point_is_as_uncertain_as_the_outlines_and_its_kernel() -> None:
    """On a single point the answer is closed form: a Gaussian across a straight border."""
    one = np.array([math.radians(33.0)])
    for sigma, sigma_m in ((BORDER_SIGMA_M, None), (math.hypot(3e3, BORDER_SIGMA_M), 3e3)):
        for sigmas in (0.0, 1.0, 2.0):
            at = np.radians([42.0 - metres_east(sigmas * sigma)])
            told = origin_of(one, at, np.ones(1), SPLIT, TWO, sigma_m=sigma_m)
            wanted = 0.5 * math.erfc(-sigmas / math.sqrt(2.0))
            assert told.territories["Ochre"] == pytest.approx(wanted, abs=0.003)


def test_probabilities_are_the_posteriors_own_with_the_outlines_error() -> None:
    """The kernel makes points no wider than they are: what 1,000 of a Gaussian say is its closed form."""
    for n, tolerance in ((1000, 0.01), (60, 0.02)):
        for sigmas in (0.5, 1.0, 1.645, 2.5):
            off = []
            for seed in range(8):
                at = 42.0 - metres_east(sigmas * math.hypot(6e3, BORDER_SIGMA_M))
                off.append(origin_of(*cloud(at, 6e3, n, seed=seed), SPLIT, TWO).territories["Ochre"])
            assert np.mean(off) == pytest.approx(0.5 * math.erfc(-sigmas / math.sqrt(2.0)), abs=tolerance)


def test_across_the_180th_meridian_points_stay_together() -> None:
    places = Meridian("Ochre", "Garnet", 180.0)
    for longitude, stated in ((179.5, "Ochre"), (-179.5, "Garnet"), (180.0, "cannot be told")):
        told = origin_of(*cloud(longitude), places, TWO)
        assert told.stated == stated
    assert told.probability == pytest.approx(0.5, abs=0.03)


# ------------------------------------------------------------------ properties

POINTS = st.lists(
    st.tuples(
        st.floats(-1.57, 1.57), st.floats(-3.14, 3.14), st.floats(0.0, 1e3), st.sampled_from((1.0, math.nan))
    ),
    min_size=1,
    max_size=30,
)


@given(points=POINTS, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_probabilities_sum_to_one_and_do_not_hang_on_the_order_nor_on_the_weights_sum(
    points: list[tuple[float, float, float, float]], seed: int
) -> None:
    at = np.array(points)
    latitude, longitude, weights = at[:, 0] * at[:, 3], at[:, 1], at[:, 2]
    told = origin_of(latitude, longitude, weights, SPLIT, TWO)
    if told.territories:
        assert sum(told.territories.values()) == pytest.approx(1.0, abs=1e-12)
        assert told.probability == max(told.territories.values())
        assert all(0.0 < p <= 1.0 for p in told.territories.values())
    assert (told.stated == "cannot be told") == bool(told.why)
    turn = np.random.default_rng(seed).permutation(len(points))
    turned = origin_of(latitude[turn], longitude[turn], weights[turn], SPLIT, TWO)
    assert turned.territories == pytest.approx(told.territories, abs=2e-3)
    scaled = origin_of(latitude, longitude, 4.0 * weights, SPLIT, TWO)
    assert scaled == told


def test_the_same_points_in_another_order_give_the_same_answer() -> None:
    latitude, longitude, _ = cloud(42.0)
    weights = np.random.default_rng(5).random(len(latitude))
    turn = np.random.default_rng(6).permutation(len(latitude))
    told = origin_of(latitude, longitude, weights, SPLIT, TWO)
    turned = origin_of(latitude[turn], longitude[turn], weights[turn], SPLIT, TWO)
    assert turned.territories == pytest.approx(told.territories, abs=1e-3)


def test_nothing_but_points_places_and_sensors_enters() -> None:
    assert list(inspect.signature(origin_of).parameters) == [
        "latitude_rad",
        "longitude_rad",
        "weights",
        "places",
        "sensors",
        "least",
        "sigma_m",
    ]
    assert set(Origin.__struct_fields__) == {"territories", "stated", "probability", "why"}


@pytest.mark.parametrize("name", ["disputed", "cannot be told", "sea", "elsewhere"])
def test_no_territory_has_the_name_of_an_answer(name: str) -> None:
    with pytest.raises(BadInput, match=rf"territories: found {name}"):
        load_territories({name: ["368"]}, "site.toml")


def test_only_a_territory_that_there_is_can_be_disputed() -> None:
    with pytest.raises(BadInput, match=r"disputed: found Slate, wanted one of Ochre"):
        load_territories({"Ochre": ["368"]}, "site.toml", ["Slate"])


# ------------------------------------------------------------------ statements hold

LANDS = {"Ochre": ["368"], "Slate": ["760"], "Umber": ["400"], "Flint": ["422"], "Sand": ["682"]}
BORDERS = ((33.45, 35.95), (33.2, 39.2), (36.2, 42.2), (30.1, 47.4))
"""Places (degrees) near borders of real outlines: a corner of three, desert, rivers, a gulf's end."""


class Trial(NamedTuple):
    """A launch: what is told at 0.95 and at 0.99, where it was, and what lies under the posterior's mean.

    oracle: probability of the most probable place by the posterior itself, were the outlines exact.
    """

    told: Origin
    stricter: Origin
    where: str
    named: str
    oracle: float


def trials(places: Territories, count: int, sigma_m: float, seed: int) -> list[Trial]:
    """Launches near borders, each from a posterior that is as wide as it says; by the same outlines."""
    rng = np.random.default_rng(seed)
    out = []
    for k in range(count):
        latitude, longitude = np.radians(BORDERS[k % len(BORDERS)])
        # an ellipse of three to one, turned anyhow; what is estimated lies as far from the truth as it says
        turn = rng.uniform(0.0, math.pi)
        half = sigma_m * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
        half = half @ np.diag([1.0, 1.0 / 3.0])
        middle = rng.uniform(-30e3, 30e3, 2)
        scale = np.array([EARTH_M * math.cos(latitude), EARTH_M])
        true = np.array([longitude, latitude]) + (middle + half @ rng.normal(size=2)) / scale
        at = np.array([longitude, latitude]) + (middle + rng.normal(size=(1000, 2)) @ half.T) / scale
        told = origin_of(at[:, 1], at[:, 0], np.ones(1000), places, TWO)
        stricter = origin_of(at[:, 1], at[:, 0], np.ones(1000), places, TWO, least=0.99)
        where, named = places.answers_at(
            np.degrees([true[0], at[:, 0].mean()]), np.degrees([true[1], at[:, 1].mean()])
        )
        exact = places.answers_at(np.degrees(at[:, 0]), np.degrees(at[:, 1]))
        best = max(set(exact), key=exact.count)
        out.append(Trial(told, stricter, where, named, exact.count(best) / len(exact)))
    return out


def test_statements_are_right_as_often_as_they_say_and_few_launches_are_left_untold() -> None:
    """400 launches near four borders of real outlines, from posteriors that are as wide as they say."""
    done = trials(load_territories(LANDS), 400, 8e3, 7)
    for share, told in ((0.05, [t.told for t in done]), (0.01, [t.stricter for t in done])):
        stated = [(o.stated, t.where) for o, t in zip(told, done, strict=True) if not o.why]
        wrong = sum(place != where for place, where in stated)
        assert len(stated) > 150
        assert wrong <= share * len(stated), (share, wrong, len(stated))
    least = 1e-3
    ours = np.mean([math.log(max(t.told.territories.get(t.where, 0.0), least)) for t in done])
    naming = np.mean([math.log(1.0 - least if t.named == t.where else least) for t in done])
    assert ours > naming + 0.15  # the outlines are exact here, and taken to be 2 km vague
    untold = sum(t.told.stated == "cannot be told" for t in done)
    oracle = sum(t.oracle < 0.95 for t in done)
    assert oracle > 50
    assert untold <= 1.2 * oracle, (untold, oracle)


def test_a_thousand_points_take_some_milliseconds() -> None:
    places = load_territories(LANDS)
    points = cloud(36.0, 10e3, 1000, 33.45)
    origin_of(*points, places, TWO)
    least = math.inf
    for _ in range(5):
        begun = time.perf_counter()
        origin_of(*points, places, TWO)
        least = min(least, time.perf_counter() - begun)
    assert least < 0.03
