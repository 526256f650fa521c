"""Places: which territory a point lies in, and the outlines a map draws."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from jointwatch.earth.places import ELSEWHERE, SEA, load_territories, outlines_in_box
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
