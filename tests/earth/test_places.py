"""Places: which territory a point lies in, and the outlines a map draws."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.earth.places import ELSEWHERE, MANY, SEA, load_territories, outlines_in_box
from jointwatch.records.errors import BadInput

LANDS = {"Northmark": ["364"], "Two Rivers": ["376", "400"]}


def test_a_point_lies_in_its_territory_elsewhere_or_at_sea():
    places = load_territories(LANDS)
    found = places.territory_at([53.0, 34.8, 36.5, 44.0, 33.0], [33.0, 31.5, 31.0, 33.0, 33.0])
    assert found.tolist() == [0, 1, 1, ELSEWHERE, SEA]
    assert [places.names[i] for i in found] == ["Northmark", "Two Rivers", "Two Rivers", "elsewhere", "sea"]


def test_many_points_at_once_are_as_each_alone():
    places = load_territories(LANDS)
    rng = np.random.default_rng(3)
    x, y = rng.uniform(30.0, 60.0, 500), rng.uniform(25.0, 40.0, 500)
    together = places.territory_at(x, y)
    assert set(together.tolist()) == {0, 1, ELSEWHERE, SEA}
    assert together.tolist() == [int(places.territory_at(a, b)[0]) for a, b in zip(x, y, strict=True)]
    assert places.territory_at([], []).shape == (0,)


def test_an_unknown_or_doubled_outline_is_refused_by_name():
    with pytest.raises(BadInput, match=r"setup\.toml: Farland: found 999"):
        load_territories({"Farland": ["999"]}, "setup.toml")
    with pytest.raises(BadInput, match="Southmark: found 364"):
        load_territories({"Northmark": ["364"], "Southmark": ["364"]})


def test_outlines_are_closed_lie_in_the_box_and_are_coarser_when_asked():
    box = (32.0, 28.0, 58.0, 40.0)
    fine, coarse = outlines_in_box(*box, 0.005), outlines_in_box(*box, 0.1)
    assert sum(map(len, coarse)) < 0.5 * sum(map(len, fine))
    for ring in fine:
        assert ring[0] == ring[-1] and len(ring) >= 4
        x, y = np.array(ring).T
        assert 32.0 <= x.min() and x.max() <= 58.0 and 28.0 <= y.min() and y.max() <= 40.0
    # land is about 85 % of this box; simplified borders gain and lose alike
    area = [sum(shapely.Polygon(ring).area for ring in rings) for rings in (fine, coarse)]
    assert area[1] == pytest.approx(area[0], rel=0.01)
    assert outlines_in_box(33.0, 33.0, 33.5, 33.5, 0.01) == []


def test_a_point_that_is_no_number_takes_nothing_from_the_others():
    places = load_territories(LANDS)
    x, y = np.linspace(44.0, 54.0, 9), np.full(9, 33.0)
    whole = places.territory_at(x, y)
    assert len(set(whole.tolist())) > 1
    broken = places.territory_at(np.append(x, np.nan), np.append(y, np.nan))
    assert broken.tolist() == [*whole.tolist(), SEA]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.floats(12.0, 73.0), st.floats(7.0, 48.0), st.floats(0.01, 15.0), st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, np.nan, np.inf, -np.inf]),
)  # fmt: skip
def test_points_asked_by_boxes_lie_where_they_lie_asked_a_few_at_a_time(
    longitude: float, latitude: float, spread_deg: float, seed: int, odd: float
) -> None:
    rng = np.random.default_rng(seed)
    x, y = (
        longitude + spread_deg * rng.normal(size=3 * MANY),
        latitude + spread_deg * rng.normal(size=3 * MANY),
    )
    x[5], y[6] = x[5] + odd, y[6] - odd
    few = [LAND.territory_at(a, b) for a, b in zip(np.array_split(x, 7), np.array_split(y, 7), strict=True)]
    assert LAND.territory_at(x, y).tolist() == np.concatenate(few).tolist()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.floats(5.0, 80.0), st.floats(2.0, 53.0), st.floats(0.001, 3.0), st.floats(0.001, 3.0),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_what_a_box_is_all_its_points_are(
    west: float, south: float, wide: float, high: float, seed: int
) -> None:
    index = LAND.territory_of_box(west, south, west + wide, south + high)
    if index is not None:
        x, y = np.random.default_rng(seed).uniform([west, south], [west + wide, south + high], (200, 2)).T
        assert set(LAND.territory_at(x, y).tolist()) == {index}


def test_a_box_across_a_border_is_of_none_and_others_are_of_theirs() -> None:
    assert LAND.territory_of_box(52.0, 33.0, 53.0, 34.0) == 0
    assert LAND.territory_of_box(32.0, 33.0, 32.1, 33.1) == SEA
    assert LAND.territory_of_box(43.0, 33.0, 43.1, 33.1) == ELSEWHERE
    assert LAND.territory_of_box(44.0, 33.0, 50.0, 34.0) is None


LAND = load_territories(LANDS)
