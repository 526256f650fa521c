"""Infrared from high orbit: the geometry holds wherever it is asked, bad scans are refused by name, and two
lines of sight tell a place as well as the reference case says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, geodetic2ecef
from jointwatch.records import Header, InfraredScan, Satellite
from jointwatch.sensing import infrared
from jointwatch.sensing.infrared import (
    DARK,
    GEOSTATIONARY_M,
    HIGHEST_M,
    MISSES,
    NOT_FINITE,
    NOT_UNIT,
    OUTSIDE,
    across,
    disc_half_angle,
    geostationary_site,
    hidden_by_earth,
    lowest_points,
    meets_height,
    usable,
    why_refused,
)

EAST = Satellite(
    name="east-eye",
    partner="Amber",
    longitude_rad=math.radians(75.0),
    sigma_rad=20e-6,
    period_s=10.0,
    detection=0.9,
    cloud_m=8e3,
    clutter_per_scan=1.0,
)
SITE = geostationary_site(EAST)
DECLARED = {EAST.name: EAST}
latitudes = st.floats(-80.0, 80.0)
longitudes = st.floats(-180.0, 180.0)
heights = st.floats(0.0, HIGHEST_M)


def scan_of(points, intensity=1e5, **changes):
    """A scan of the whole disc with plots of points, ECEF."""
    along = [(p - SITE) / np.linalg.norm(p - SITE) for p in points]
    x, y, z = (tuple(float(v) for v in column) for column in zip(*along, strict=True)) if along else ((),) * 3
    scan = InfraredScan(
        header=Header(originator="Amber", source=EAST.name, sequence=3, measured_ns=10**18),
        sensor=EAST.name,
        received_ns=10**18 + 2 * 10**9,
        site_m=tuple(SITE.tolist()),
        axis=tuple((-SITE / GEOSTATIONARY_M).tolist()),
        half_angle_rad=disc_half_angle(SITE),
        along_x=x,
        along_y=y,
        along_z=z,
        intensity_w_sr=(intensity,) * len(points),
    )
    return replace(scan, **changes)


def ground(latitude_deg, longitude_deg, height_m=0.0):
    return np.array(geodetic2ecef(math.radians(latitude_deg), math.radians(longitude_deg), height_m))


def up_of(latitude_deg, longitude_deg):
    return enu_rotation(math.radians(latitude_deg), math.radians(longitude_deg))[2]


@given(latitudes, longitudes, heights)
def test_a_point_is_hidden_where_it_lies_below_the_horizon_of_its_own_ground_and_low(lat, lon, height):
    """Above the horizontal at the point nothing is in between; from the ground, below it everything is."""
    point = ground(lat, lon, height)
    elevation = float((SITE - point) @ up_of(lat, lon))
    hidden = bool(hidden_by_earth(SITE, point[None])[0])
    if elevation > 1.0:
        assert not hidden
    low = bool(hidden_by_earth(SITE, ground(lat, lon)[None])[0])
    if float((SITE - ground(lat, lon)) @ up_of(lat, lon)) < -1e3:
        assert low
    assert low or not hidden  # who sees the ground sees all that stands on it


@given(latitudes, longitudes, heights)
def test_a_line_of_sight_meets_a_height_where_the_point_is_that_it_was_drawn_to(lat, lon, height):
    point = ground(lat, lon, height)
    if hidden_by_earth(SITE, point[None])[0]:
        return
    along = (point - SITE) / np.linalg.norm(point - SITE)
    met = meets_height(SITE, along[None], height)[0]
    steep = float(-along @ up_of(lat, lon))
    if steep > 0.05:  # a grazing line runs far between two heights a metre apart
        assert np.linalg.norm(met - point) < 2.0 / steep
        assert ecef2geodetic(*met)[2] == pytest.approx(height, abs=1.0)


@given(latitudes, longitudes, heights, heights)
def test_a_line_meets_the_greater_height_first_and_comes_nowhere_lower_than_its_lowest_point(lat, lon, a, b):
    point = ground(lat, lon)
    along = ((point - SITE) / np.linalg.norm(point - SITE))[None]
    low, high = sorted((a, b))
    near = [np.linalg.norm(meets_height(SITE, along, h)[0] - SITE) for h in (high, low)]
    assert near[0] <= near[1] + 1e-3
    lowest = lowest_points(SITE, along)[0]
    assert ecef2geodetic(*lowest)[2] <= 1.0


def test_a_line_past_the_earth_or_away_from_it_meets_nothing():
    past = np.array([0.0, 0.0, 1.0])
    assert np.isnan(meets_height(SITE, np.array([past, SITE / GEOSTATIONARY_M]), HIGHEST_M)).all()


@given(st.tuples(*[st.floats(-1.0, 1.0)] * 3))
def test_what_lies_across_a_line_is_square_to_it_and_of_unit_length(way):
    length = math.hypot(*way)
    if length < 1e-3:
        return
    along = np.array([way]) / length
    first, second = across(along)
    frame = np.concatenate([along, first, second])
    assert np.allclose(frame @ frame.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(frame) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"sensor": "nobody"}, "undeclared sensor"),
        (
            {"header": Header(originator="Amber", source="x", sequence=0, measured_ns=2**62)},
            "time out of bounds",
        ),
        ({"received_ns": 10**18 - 2 * 10**9}, "time in the future"),
        ({"along_x": (1.0, 0.0, 0.0)}, "columns of unequal length"),
        ({"intensity_w_sr": ()}, "columns of unequal length"),
        ({"site_m": (math.nan, 0.0, 0.0)}, "site not in a high orbit"),
        ({"site_m": (6.4e6, 0.0, 0.0)}, "site not in a high orbit"),
        ({"site_m": (math.inf, 0.0, 0.0)}, "site not in a high orbit"),
        ({"axis": (1.0, 0.1, 0.0)}, "axis not a unit vector"),
        ({"axis": (math.nan, 0.0, 0.0)}, "axis not a unit vector"),
        ({"half_angle_rad": math.nan}, "cone not between a line and half the sky"),
        ({"half_angle_rad": 0.0}, "cone not between a line and half the sky"),
    ],
)
def test_a_scan_that_cannot_be_used_is_refused_by_name(changes, why):
    assert why_refused(scan_of([ground(33.0, 45.0)], **changes), DECLARED) == why


def test_each_plot_that_no_motor_could_have_given_is_counted_under_what_is_wrong_with_it():
    inside, half = ground(33.0, 45.0), disc_half_angle(SITE)
    scan = scan_of([inside] * 6, half_angle_rad=half * 1.01)
    middle = -SITE / GEOSTATIONARY_M
    beside = across(middle[None])[1][0]

    def off_axis(angle):
        return math.cos(angle) * middle + math.sin(angle) * beside

    lines = np.column_stack([scan.along_x, scan.along_y, scan.along_z])
    lines[0, 1] = math.nan
    lines[1] *= 1.001
    lines[2] = off_axis(half * 1.02)
    lines[3] = off_axis(half * 1.005)
    x, y, z = (tuple(c) for c in lines.T.tolist())
    bad = replace(scan, along_x=x, along_y=y, along_z=z, intensity_w_sr=(1e5,) * 4 + (0.0, 1e5))
    found = usable(bad)
    assert found.unusable == dict.fromkeys((NOT_FINITE, NOT_UNIT, OUTSIDE, MISSES, DARK), 1)
    assert found.which.tolist() == [5] and (found.beyond, found.repeated) == (0, 0)
    assert found.along[0] == pytest.approx(lines[5])


@given(st.lists(st.tuples(st.floats(0.0, 60.0), st.floats(20.0, 120.0), heights), max_size=8), st.randoms())
def test_plots_of_what_the_satellite_sees_are_all_usable_in_whatever_order_they_come(places, random):
    points = [ground(*place) for place in dict.fromkeys(places)]
    points = [p for p in points if not hidden_by_earth(SITE, p[None])[0]]
    found = usable(scan_of(points))
    assert not found.unusable
    assert len(found.which) + found.repeated == len(points)
    random.shuffle(points)
    again = usable(scan_of(points))
    assert np.array_equal(found.along, again.along)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(*[st.one_of(st.floats(), st.sampled_from([0.0, 1.0, -1.0, 1e300]))] * 4), max_size=6)
)
def test_no_numbers_whatever_raise_an_error_and_none_of_them_is_lost_from_the_count(rows):
    x, y, z, power = zip(*rows, strict=True) if rows else ((),) * 4
    scan = scan_of([], along_x=x, along_y=y, along_z=z, intensity_w_sr=power)
    assert why_refused(scan, DECLARED) == ""
    found = usable(scan)
    assert sum(found.unusable.values()) + len(found.which) + found.repeated == len(rows)
    assert np.isfinite(found.along).all() and (found.intensity_w_sr > 0.0).all()


def test_a_flood_in_one_place_pushes_out_only_itself(monkeypatch):
    monkeypatch.setattr(infrared, "MOST_LINES", 20)
    flood = [ground(33.0, 45.0 + 1e-4 * i) for i in range(200)]
    alone = [ground(30.0 + 2.0 * i, 60.0) for i in range(5)]
    found = usable(scan_of([*flood, *alone, flood[0]]))
    assert len(found.which) == 20 and found.beyond == 185 and found.repeated == 1
    assert set(range(200, 205)) <= set(found.which.tolist())


@pytest.mark.parametrize(
    ("sigma_urad", "km"), [(20, (0.67, 0.71, 0.77)), (30, (1.00, 1.06, 1.16)), (50, (1.67, 1.76, 1.93))]
)
def test_two_satellites_tell_a_place_as_well_as_the_reference_case_says(sigma_urad, km):
    """CASES 6: on a sphere, one look of each at 33 N 45 E; the sum of what the two lines tell."""
    radius, lat, lon = 6378.137e3, math.radians(33.0), math.radians(45.0)
    point = radius * np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
    information = np.zeros((3, 3))
    for longitude_deg in (10.0, 75.0):
        site = geostationary_site(replace(EAST, longitude_rad=math.radians(longitude_deg)))
        way = point - site
        for axis in across((way / np.linalg.norm(way))[None]):
            information += np.outer(axis[0], axis[0]) / (sigma_urad * 1e-6 * np.linalg.norm(way)) ** 2
    rotation = enu_rotation(lat, lon)
    covariance = rotation @ np.linalg.inv(information) @ rotation.T
    assert np.sqrt(np.diag(covariance)) / 1e3 == pytest.approx(km, abs=0.006)


def test_what_stays_on_the_ground_stays_for_a_satellite_that_moves():
    ground = np.array(geodetic2ecef(0.6, 0.8, 0.0))
    first = np.array([2.0e7, 2.5e7, 1.0e7])
    sites = first + np.arange(5)[:, None] * 10.0 * np.array([1500.0, -900.0, 400.0])
    ways = ground - sites
    along = ways / np.linalg.norm(ways, axis=1)[:, None]
    assert np.linalg.norm(along - along[0], axis=1)[1:].min() > 3e-4
    seen = infrared.from_one_site(first, sites, along)
    np.testing.assert_allclose(seen, np.broadcast_to(along[0], seen.shape), atol=1e-6)
    # one that stands still sees what it saw, to the bit
    assert (infrared.from_one_site(first, np.broadcast_to(first, sites.shape), along) == along).all()
