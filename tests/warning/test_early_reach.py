"""Who is given early notice: along a way over the ground, and in a burn's region."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import shapely
from msgspec.structs import replace

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.records import Impact, Zone
from jointwatch.warning.reach import SHARE, VAGUEST_M, Reach
from jointwatch.warning.spread import radius, spread_points, stated
from jointwatch.warning.zone_files import load_areas

MARGIN_M = 15e3
LATITUDE, LONGITUDE = math.radians(32.0), math.radians(35.0)


def place(east_m: float, north_m: float) -> tuple[float, float]:
    return (
        LATITUDE + north_m / MEAN_RADIUS_M,
        LONGITUDE + east_m / (MEAN_RADIUS_M * math.cos(LATITUDE)),
    )


RADIUS_M = 100.0
STEPS = np.arange(-200e3, 201e3, 5.1e3)
GRID = np.stack(np.meshgrid(STEPS, STEPS), -1).reshape(-1, 2)
ZONES = tuple(
    Zone(
        key=str(k), name=str(k), partner="Amber", shelter_s=60.0, radius_m=RADIUS_M,
        latitude_deg=math.degrees(place(e, n)[0]), longitude_deg=math.degrees(place(e, n)[1]),
    )
    for k, (e, n) in enumerate(GRID.tolist())
)  # fmt: skip
REACH = Reach(ZONES, MARGIN_M)


def impact(east_m: float, north_m: float, bearing_deg: float) -> Impact:
    """Falls so far spread along a bearing and across it, about the grid's middle."""
    b = math.radians(bearing_deg)
    along, across = np.array([math.sin(b), math.cos(b)]), np.array([math.cos(b), -math.sin(b)])
    c = east_m**2 * np.outer(along, along) + north_m**2 * np.outer(across, across)
    return Impact(
        track="A-B1", object_class="medium_range", time_ns=0, time_sigma_s=20.0, latitude_rad=LATITUDE,
        longitude_rad=LONGITUDE, covariance_m2=(c[0, 0], c[0, 1], c[1, 1]), axis_rad=0.0, quantiles=(),
        reach_only=False,
    )  # fmt: skip


def test_one_fall_reaches_a_circle() -> None:
    found = REACH.along([place(0.0, 0.0)], 5e3)
    wanted = np.flatnonzero(np.hypot(*GRID.T) < 3.0 * 5e3 + MARGIN_M + RADIUS_M)
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize("sigma_m", [10.0, 5e3, 60e3])
def test_a_fall_outside_the_zones_box_reaches_what_a_way_that_ends_where_it_begins_does(
    sigma_m: float,
) -> None:
    """A way is never cut short by the box about all zones: one fall there is one fall twice."""
    for east in np.linspace(-450e3, 450e3, 37).tolist():
        fall = place(east, 0.7 * east)
        assert np.array_equal(REACH.along([fall], sigma_m), REACH.along([fall, fall], sigma_m))


def test_falls_one_after_the_other_reach_all_that_lies_between_them() -> None:
    found = set(REACH.along([place(0.0, 0.0), place(60e3, 0.0), place(60e3, 100e3)], 0.0).tolist())
    for k, (e, n) in enumerate(GRID.tolist()):
        first = math.hypot(e - min(max(e, 0.0), 60e3), n)
        second = math.hypot(e - 60e3, n - min(max(n, 0.0), 100e3))
        away = min(first, second)
        # the plane of one fall is off by a hundredth at another 100 km north of it
        assert abs(away - MARGIN_M - RADIUS_M) < 200.0 or (k in found) == (away < MARGIN_M + RADIUS_M)


def test_a_burns_region_is_widened_by_the_margin_and_follows_its_axis() -> None:
    found = REACH.of_burn(impact(60e3, 10e3, 45.0))
    e, n = GRID[found].T
    along, across = (e + n) / math.sqrt(2.0), (e - n) / math.sqrt(2.0)
    r = math.sqrt(-2.0 * math.log(0.1))
    assert 0.9 * r * 60e3 < np.abs(along).max() < r * 60e3 + MARGIN_M + RADIUS_M
    assert r * 10e3 < np.abs(across).max() < r * 10e3 + MARGIN_M + RADIUS_M


def zone(key: str, *corners: tuple[float, float], **changes: object) -> Zone:
    """A zone about the grid's middle with an outline of these corners, east and north (m)."""
    ring = tuple(tuple(np.degrees(place(*corner)[::-1]).tolist()) for corner in (*corners, corners[0]))
    made = Zone(
        key=key, name=key, partner="Amber", longitude_deg=math.degrees(LONGITUDE),
        latitude_deg=math.degrees(LATITUDE), shelter_s=60.0, rings=(ring,),
    )  # fmt: skip
    return replace(made, **changes)


DISTRICT = zone("district", (-50e3, -50e3), (50e3, -50e3), (50e3, 50e3), (-50e3, 50e3))
CITY = zone("city", (0.0, 0.0), rings=(), radius_m=40e3)
COAST = zone("coast", (-90e3, -1e3), (90e3, -1e3), (90e3, 1e3), (-90e3, 1e3))
LARGE = Reach((DISTRICT, CITY, COAST), MARGIN_M)


@pytest.mark.parametrize(
    "east_m, north_m, near",
    [
        (45e3, 45e3, [0]),  # in the district, 64 km from its middle
        (64e3, 30e3, [0]),
        (66e3, 30e3, []),
        (38e3, 38e3, [0, 1]),
        (0.0, -54e3, [0, 1]),
        (0.0, -56e3, [0]),
        (85e3, 0.0, [2]),
        (85e3, 15.9e3, [2]),
        (85e3, 16.1e3, []),  # the coast is long, and no wider for it
        (104e3, 0.0, [2]),
        (106e3, 0.0, []),
    ],
)
def test_a_large_zone_is_near_where_any_part_of_it_is(east_m: float, north_m: float, near: list[int]) -> None:
    assert LARGE.along([place(east_m, north_m)], 0.0).tolist() == near


def test_a_way_through_a_zone_or_within_it_reaches_it() -> None:
    assert LARGE.along([place(-300e3, 40e3), place(300e3, 40e3)], 0.0).tolist() == [0, 1]
    assert Reach((DISTRICT,), 1.0).along([place(20e3, 30e3), place(30e3, 20e3)], 0.0).tolist() == [0]
    # between the places of the way only, no corner and neither end near
    thin = Reach((zone("thin", (49e3, -200e3), (51e3, -200e3), (51e3, 200e3), (49e3, 200e3)),), 1.0)
    assert thin.along([place(0.0, 40e3), place(100e3, 40e3)], 0.0).tolist() == [0]
    assert thin.along([place(0.0, 40e3), place(40e3, 40e3)], 0.0).tolist() == []


def test_the_shipped_areas_are_near_by_their_outlines() -> None:
    """By shapely, an independent twin of the kernel."""
    areas = load_areas("Amber")
    reach, rng = Reach(areas, MARGIN_M), np.random.default_rng(7)
    middles = np.array([(z.longitude_deg, z.latitude_deg) for z in areas])
    more = 0
    for case in range(12):
        ends = rng.uniform([34.3, 30.0], [35.9, 33.2], size=(1 + case % 3, 2))
        scale = np.radians(MEAN_RADIUS_M) * np.array([math.cos(math.radians(ends[0, 1])), 1.0])
        if len(ends) > 1:  # short ways: each piece is straight in a plane of its own
            ends = ends[0] + 0.05 * (ends - ends[0])
        flat = (ends - ends[0]) * scale
        way = shapely.linestrings(flat) if len(flat) > 1 else shapely.points(flat[0])
        found = set(reach.along([(y, x) for x, y in np.radians(ends).tolist()], 2e3).tolist())
        for k, area in enumerate(areas):
            middle = shapely.distance(way, shapely.points((middles[k] - ends[0]) * scale))
            parts = [shapely.Polygon((np.array(ring) - ends[0]) * scale) for ring in area.rings]
            away = min([middle, *(shapely.distance(way, part) for part in parts)]) - area.radius_m
            assert abs(away - 21e3) < 60.0 or (k in found) == (away < 21e3), area.name
            more += middle > 21e3 and k in found
    assert more > 10


def test_a_burns_region_reaches_a_large_zone_by_any_part_of_it() -> None:
    burn = impact(20e3, 10e3, 0.0)
    r = radius(SHARE)

    def about(east_m: float, north_m: float) -> Impact:
        latitude, longitude = place(east_m, north_m)
        return replace(burn, latitude_rad=latitude, longitude_rad=longitude)

    assert LARGE.of_burn(about(0.0, 0.0)).tolist() == [0, 1, 2], "all of it lies in the zones"
    assert LARGE.of_burn(about(0.0, 85e3)).tolist() == [0, 1]
    assert LARGE.of_burn(about(0.0, 50e3 + 1.1 * r * 20e3 + MARGIN_M)).tolist() == []
    assert LARGE.of_burn(about(104e3, 0.0)).tolist() == [2]
    assert LARGE.of_burn(about(90e3 + r * 10e3 + MARGIN_M, 0.0)).tolist() == []


def test_a_skewed_burns_region_reaches_a_large_zone_where_its_falls_come_down() -> None:
    """By the falls themselves: a zone that no fall is near is not told, one in their midst is."""
    burn = replace(impact(15e3, 60e3, 90.0), quantiles=(-1.5, -1.0, -0.2, 1.2, 3.5), axis_rad=0.0)
    for north in np.linspace(-250e3, 320e3, 20).tolist():
        there = zone("there", (-80e3, north), (80e3, north), (80e3, north + 20e3), (-80e3, north + 20e3))
        there = replace(there, latitude_deg=math.degrees(place(0.0, north + 10e3)[0]))
        found = Reach((there,), 0.0).of_burn(burn).tolist()
        _, latitude, _ = spread_points(burn.latitude_rad, burn.longitude_rad, stated(burn))
        up = (np.radians(latitude) - LATITUDE) * MEAN_RADIUS_M
        share = float(np.mean((up > north) & (up < north + 20e3)))
        if share > 0.1 or (share == 0.0 and not -120e3 < north < 120e3):
            assert found == ([0] if share else []), north


def test_what_is_too_vague_tells_nobody() -> None:
    assert len(REACH.of_burn(impact(0.99 * VAGUEST_M, 20e3, 10.0)))
    assert not len(REACH.of_burn(impact(1.01 * VAGUEST_M, 20e3, 10.0)))


def test_a_way_over_the_seam_of_longitudes_is_short() -> None:
    zones = [
        Zone(key=str(d), name=str(d), partner="Amber", shelter_s=1.0, radius_m=1.0, latitude_deg=0.0,
             longitude_deg=d)
        for d in (179.9, -179.9, 0.0)
    ]  # fmt: skip
    found = Reach(zones, 1e3).along([(0.0, math.radians(179.0)), (0.0, math.radians(-179.0))], 0.0)
    assert found.tolist() == [0, 1]


def test_a_zone_in_two_parts_on_both_sides_of_the_seam_is_near_from_both() -> None:
    sides = tuple(
        ((west, 0.0), (west + 0.2, 0.0), (west + 0.2, 0.2), (west, 0.2), (west, 0.0))
        for west in (179.8, -180.0)
    )
    lagoon = replace(DISTRICT, longitude_deg=179.9, latitude_deg=0.1, rings=sides)
    atoll = replace(CITY, longitude_deg=-179.99, latitude_deg=0.1, radius_m=20e3)
    reach = Reach((lagoon, atoll), 1e3)
    for longitude, near in ((-179.81, [0, 1]), (-179.795, [0]), (-179.78, []), (179.83, [0, 1]), (0.0, [])):
        found = reach.along([(math.radians(0.1), math.radians(longitude))], 0.0).tolist()
        assert found == near, longitude
        still = replace(
            impact(1.0, 1.0, 0.0), latitude_rad=math.radians(0.1), longitude_rad=math.radians(longitude)
        )
        assert reach.of_burn(still).tolist() == near, longitude


def test_a_burning_objects_falls_lie_farther_on_the_longer_it_burns() -> None:
    from reported_tracks import place as state_at

    from jointwatch.earth.frames import ecef2geodetic
    from jointwatch.motion.propagate import fall
    from jointwatch.warning.burning_on import BURNS_ON_S, falls_if_burning

    state = state_at(33, 44, 30e3, -700, 0, 700)
    state[6] = -8.6
    now = state.copy()
    fall(now, 0.0, 2400.0)
    longitude = ecef2geodetic(*now[:3])[1]
    falls = falls_if_burning(state, 40.0, 0.0)
    assert len(falls) == len(BURNS_ON_S)
    away = [longitude, *falls[:, 2]]
    assert all(b < a - 1e-3 for a, b in pairwise(away))
    # no thrust: where it falls anyway, but for the drag that the boost phase does not know
    still = falls_if_burning(state_at(33, 44, 130e3, -700, 0, 700), 0.0, 0.0)
    free = state_at(33, 44, 130e3, -700, 0, 700)
    seconds = fall(free, 0.0, 2400.0)
    assert still[:, 0] == pytest.approx(np.full(len(still), seconds), abs=0.5)
    # enough to orbit: fewer falls, and none beyond
    assert len(falls_if_burning(state_at(33, 44, 150e3, -6500, 0, 500), 90.0, 0.0)) < len(BURNS_ON_S)
