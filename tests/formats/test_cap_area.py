"""Areas of many zones: which are drawn as one, and what a hull made ahead holds."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.formats.cap_area import GROUP_M, _groups, draw_ahead, wide_area, zone_area
from jointwatch.records import BadInput, Zone


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=40),
    st.sampled_from([9e3, 15e3, 29.9e3, 30e3, 31e3]), st.booleans(),
)  # fmt: skip
def test_zones_are_grouped_as_one_goes_from_each_to_all_within_reach(
    cells: list[tuple[int, int]], side_m: float, in_line: bool
) -> None:
    """On a grid, where many are in line or on one circle, and several at one place."""
    points = np.array(cells, dtype=np.float64) * side_m
    if in_line:
        points[:, 1] = 0.5 * points[:, 0]
    near = np.linalg.norm(points[:, None] - points[None], axis=2) <= GROUP_M
    groups, left = [], list(range(len(points)))
    while left:
        group, ahead = set(), [left[0]]
        while ahead:
            i = ahead.pop()
            if i not in group:
                group.add(i)
                ahead += np.flatnonzero(near[i]).tolist()
        groups.append(sorted(group))
        left = [i for i in left if i not in group]
    assert _groups(points) == groups


def test_a_hull_drawn_ahead_is_that_of_all_corners_and_what_cannot_be_drawn_is_refused() -> None:
    ring = tuple((35.0 + 0.02 * math.cos(t), 32.0 + 0.02 * math.sin(t)) for t in np.arange(0.0, 6.2, 0.05))
    dented = (*ring[:40], (35.0, 32.0), *ring[60:], ring[0])
    zones = [
        Zone(
            key="dented", name="dented", partner="Amber", longitude_deg=35.0, latitude_deg=32.0,
            shelter_s=60.0, rings=(dented,),
        )
    ]  # fmt: skip
    bad = msgspec.structs.replace(zones[0], key="bad", rings=(((35.0, 32.0),) * 4,))
    draw_ahead(zones)
    (polygon,) = wide_area(zones).polygons
    drawn = shapely.Polygon([tuple(map(float, p.split(",")))[::-1] for p in polygon.split()])
    assert all(drawn.contains(shapely.Point(corner)) for corner in dented)
    for wrong in (bad, *(msgspec.structs.replace(zones[0], key="bad", **changes) for changes in WRONG)):
        with pytest.raises(BadInput, match="zone bad"):
            draw_ahead([*zones, wrong])
        assert wide_area([wrong]).zones == (wrong,)


WRONG: list[dict[str, Any]] = [
    {"rings": (), "radius_m": 1e12},
    {"rings": (), "radius_m": math.nan},
    {"longitude_deg": math.nan},
    {"names": (("he", "nul\x00"),)},
]


def test_what_was_drawn_ahead_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outline of very many points takes long, and no alert is to wait for it."""
    around = [2.0 * math.pi * n / 5000 for n in range(5000)]
    ring = tuple(
        (36.0 + 0.3 * math.cos(t), 32.0 + 0.3 * math.sin(t) + 0.01 * math.sin(40.0 * t)) for t in around
    )
    zone = Zone(
        key="fine", name="fine", partner="Amber", longitude_deg=36.0, latitude_deg=32.0,
        shelter_s=60.0, rings=((*ring, ring[0]),),
    )  # fmt: skip
    draw_ahead([zone])

    def draw(*_: object) -> None:
        raise AssertionError("it was drawn before")

    with monkeypatch.context() as patched:
        patched.setattr(shapely.Polygon, "simplify", draw)
        assert len(zone_area(zone).polygons) == len(zone_area(zone, coarse=True).polygons) == 1


def test_a_zone_on_both_sides_of_180_degrees_is_drawn_on_each_and_not_round_the_earth() -> None:
    sides = tuple(
        ((west, 0.0), (west + 0.2, 0.0), (west + 0.2, 0.2), (west, 0.2), (west, 0.0))
        for west in (179.8, -180.0)
    )
    about = Zone(
        key="lagoon", name="lagoon", partner="Amber", longitude_deg=179.9, latitude_deg=0.1, shelter_s=60.0
    )
    lagoon = msgspec.structs.replace(about, rings=sides)
    atoll = msgspec.structs.replace(about, key="atoll", longitude_deg=-179.99, radius_m=5e3)
    for zones, west, east in (([lagoon], 0.2, 0.2), ([atoll], 0.035, 0.055), ([atoll, lagoon], 0.2, 0.2)):
        drawn = wide_area(zones)
        assert drawn.zones == tuple(zones)
        hulls = [
            shapely.Polygon([tuple(map(float, p.split(",")))[::-1] for p in polygon.split()])
            for polygon in drawn.polygons
        ]
        bounds = sorted(hull.bounds[::2] for hull in hulls)
        assert np.allclose(bounds, [(-180.0, -180.0 + east), (180.0 - west, 180.0)], atol=0.012), zones
