"""Zones: the shipped areas, a file of one's own, and which zones a fall endangers."""

from __future__ import annotations

import gzip
import json
import math
import tempfile
from collections import Counter
from importlib.resources import files
from pathlib import Path

import msgspec
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pymap3d.vincenty import vreckon

from jointwatch.records.errors import BadInput
from jointwatch.records.warning import Zone
from jointwatch.warning.zone_files import load_areas, load_geojson_zones
from jointwatch.warning.zones import ZoneIndex

AREAS = load_areas("amber")
INDEX = ZoneIndex(AREAS)


def flat(coordinates, longitude, latitude):
    """Degrees to metres on the plane that touches the ellipsoid near a point."""
    s = math.sin(math.radians(latitude))
    q = 1.0 - 6.69437999014e-3 * s * s
    kx = math.radians(6378137.0 / math.sqrt(q)) * math.cos(math.radians(latitude))
    ky = math.radians(6378137.0 * (1.0 - 6.69437999014e-3) / q**1.5)
    return (np.asarray(coordinates) - [longitude, latitude]) * [kx, ky]


def distance_m(zone: Zone, longitude: float, latitude: float) -> float:
    """Distance from a point to a zone by shapely, an independent twin of the kernel."""
    if not zone.rings:
        x, y = flat([(zone.longitude_deg, zone.latitude_deg)], longitude, latitude)[0]
        return max(0.0, math.hypot(x, y) - zone.radius_m)
    parts = [shapely.Polygon(flat(ring, longitude, latitude)) for ring in zone.rings]
    return min(shapely.distance(part, shapely.Point(0.0, 0.0)) for part in parts)


def test_every_area_is_shipped_with_its_time_to_shelter():
    assert len(AREAS) == 1422
    assert len({zone.key for zone in AREAS}) == 1422
    assert Counter(zone.shelter_s for zone in AREAS) == {0: 100, 15: 83, 30: 167, 45: 76, 60: 359, 90: 637}
    assert all(zone.partner == "amber" and zone.name for zone in AREAS)


def test_every_area_has_its_name_in_three_languages():
    for zone in AREAS:
        assert zone.name_in("he-IL") == zone.key and zone.name_in("en-US") == zone.name_in("fr") == zone.name
        assert "\u0600" <= zone.name_in("ar")[0] <= "\u06ff", zone.name
        assert zone.people is None


def test_the_shipped_file_says_what_was_repaired():
    data = gzip.decompress((files("jointwatch.warning") / "data" / "areas.json.gz").read_bytes())
    about = json.loads(data)["about"]
    assert about["polygons"] == 1420 and about["repaired"] == 29
    assert about["circles"] == sum(not zone.rings for zone in AREAS) == 2


def test_shipped_polygons_are_sound_and_are_localities_not_a_tiling():
    area = 0.0
    for zone in AREAS:
        for ring in zone.rings:
            polygon = shapely.Polygon(flat(ring, zone.longitude_deg, zone.latitude_deg))
            assert polygon.is_valid
            area += polygon.area
        assert distance_m(zone, zone.longitude_deg, zone.latitude_deg) == 0.0
    assert 3000e6 < area < 3600e6


@pytest.mark.parametrize(("spread_m", "danger_m"), [(2000.0, 700.0), (2000.0, 4000.0), (14000.0, 1500.0)])
def test_danger_is_the_share_of_falls_near_each_zone(spread_m, danger_m):
    rng = np.random.default_rng(11)
    x = 34.9 + rng.normal(size=50) * spread_m / 94e3
    y = 32.0 + rng.normal(size=50) * spread_m / 111e3
    w = rng.dirichlet(np.ones(50))
    found, probability = INDEX.danger(x, y, w, danger_m)
    expected = {}
    for k, zone in enumerate(AREAS):
        if abs(zone.longitude_deg - 34.9) < 0.8 and abs(zone.latitude_deg - 32.0) < 0.8:
            near = [distance_m(zone, a, b) <= danger_m for a, b in zip(x, y, strict=True)]
            if any(near):
                expected[k] = w[near].sum()
    assert len(found) > 10
    assert found.tolist() == sorted(expected)
    assert np.allclose(probability, [expected[k] for k in found], rtol=0.0, atol=1e-12)


def test_a_fall_is_near_a_site_by_its_distance_over_the_ellipsoid():
    for latitude in (-60.0, 0.0, 25.0, 50.0):
        site = Zone(
            key="s",
            name="s",
            partner="blue",
            longitude_deg=10.0,
            latitude_deg=latitude,
            shelter_s=0,
            radius_m=800,
        )
        index = ZoneIndex([site])
        for bearing in range(0, 360, 30):
            for distance, struck in ((5800.0 * 0.995, [0]), (5800.0 * 1.005, [])):
                y, x = vreckon(latitude, 10.0, distance, bearing)
                x = (float(x) + 180.0) % 360.0 - 180.0
                assert index.struck(x, float(y), 5000.0).tolist() == struck


def test_a_fall_inside_a_zone_strikes_it_and_one_in_open_sea_strikes_none():
    for k in range(0, 1422, 50):
        zone = AREAS[k]
        assert k in INDEX.struck(zone.longitude_deg, zone.latitude_deg, 1.0)
    assert INDEX.struck(33.0, 33.0, 5000.0).tolist() == []
    assert ZoneIndex([]).struck(33.0, 33.0, 5000.0).tolist() == []


def test_both_parts_of_a_zone_count_and_the_gap_between_them_does_not():
    squares = tuple(
        tuple((x0 + dx, dy) for dx, dy in ((0.0, 0.0), (0.01, 0.0), (0.01, 0.01), (0.0, 0.01), (0.0, 0.0)))
        for x0 in (0.0, 0.1)
    )
    index = ZoneIndex(
        [
            Zone(
                key="z",
                name="z",
                partner="p",
                longitude_deg=0.0,
                latitude_deg=0.0,
                shelter_s=0,
                rings=squares,
            )
        ]
    )
    struck = [len(index.struck(x, 0.005, 1000.0)) for x in (0.005, 0.055, 0.105)]
    assert struck == [1, 0, 1]
    found, probability = index.danger([0.005, 0.055, 0.105], [0.005] * 3, [0.2, 0.3, 0.5], 1000.0)
    assert found.tolist() == [0] and probability[0] == pytest.approx(0.7)


def feature(kind, coordinates, **properties):
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": kind, "coordinates": coordinates},
    }


SQUARE = [[[1.0, 2.0], [1.1, 2.0], [1.1, 2.1], [1.0, 2.1], [1.0, 2.0]]]
HARBOUR = feature("Point", [1.5, 2.5], key="harbour", name="Harbour", shelter_s=30, radius_m=900)
TOWN = feature("Polygon", SQUARE, key="town", name="Town", shelter_s=0)


def write(path, *features):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def test_a_zone_file_of_ones_own_is_read(tmp_path):
    harbour, town = load_geojson_zones(write(tmp_path / "zones.geojson", HARBOUR, TOWN), "blue")
    assert (harbour.key, harbour.radius_m, harbour.shelter_s, harbour.rings) == ("harbour", 900.0, 30.0, ())
    assert (harbour.longitude_deg, harbour.latitude_deg, harbour.partner) == (1.5, 2.5, "blue")
    assert len(town.rings) == 1 and town.rings[0][2] == (1.1, 2.1) and town.radius_m == 0.0
    assert (town.longitude_deg, town.latitude_deg) == pytest.approx((1.05, 2.05))


def test_names_in_other_languages_and_people_are_read(tmp_path):
    town = changed(TOWN, name_he="עיר", names={"ar": "مدينة", "fr-CA": "Ville", "fr": "Bourg"}, people=1200)
    harbour, town = load_geojson_zones(write(tmp_path / "zones.geojson", HARBOUR, town), "blue")
    assert (harbour.names, harbour.people, harbour.name_in("he-IL")) == ((), None, "Harbour")
    assert town.people == 1200
    spoken = {tag: town.name_in(tag) for tag in ("en-US", "he-IL", "ar", "fr-CA", "fr-FR")}
    assert spoken == {"en-US": "Town", "he-IL": "עיר", "ar": "مدينة", "fr-CA": "Ville", "fr-FR": "Bourg"}
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(town), type=Zone) == town


def test_a_zone_of_an_older_journal_is_read():
    zone = AREAS[0]
    old = {k: v for k, v in msgspec.to_builtins(zone).items() if k not in ("names", "people")}
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(old), type=Zone)
    assert read == msgspec.structs.replace(zone, names=(), people=None) != zone


def changed(feature, **properties):
    properties = {k: v for k, v in {**feature["properties"], **properties}.items() if v is not None}
    return {**feature, "properties": properties}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (changed(TOWN, key=None), r"features\[1\]\.properties\.key: found None, wanted a text"),
        (changed(TOWN, key="harbour"), r"features\[1\]\.properties\.key: found harbour, .*features\[0\]"),
        (changed(TOWN, name=5), r"features\[1\]\.properties\.name: found 5"),
        (changed(TOWN, shelter_s=-1), r"features\[1\]\.properties\.shelter_s: found -1, wanted seconds"),
        (changed(TOWN, shelter_s=True), r"properties\.shelter_s: found True"),
        (changed(TOWN, radius_m=5), r"properties\.radius_m: found one, wanted none"),
        (
            changed(HARBOUR, key="h2", radius_m=None),
            r"properties\.radius_m: found None, wanted the circle's radius",
        ),
        (
            changed(HARBOUR, key="h2", radius_m=1e12),
            r"properties\.radius_m: found 1000000000000.0, .* 1 to 1000000",
        ),
        (
            feature("Point", [2.0, 91.0], key="p", name="P", shelter_s=0, radius_m=5),
            r"coordinates: found \[2.0, 91.0\]",
        ),
        (
            feature("LineString", SQUARE[0], key="l", name="L", shelter_s=0),
            r"geometry\.type: found 'LineString'",
        ),
        (feature("Polygon", [SQUARE[0][:-1]], key="o", name="O", shelter_s=0), "ends where it began"),
        (feature("Polygon", [], key="o", name="O", shelter_s=0), "at least one ring"),
        (feature("MultiPolygon", [], key="o", name="O", shelter_s=0), "at least one ring"),
        (
            feature(
                "Polygon",
                [[[179.9, 10.0], [-179.9, 10.0], [-179.9, 10.1], [179.9, 10.1], [179.9, 10.0]]],
                key="w",
                name="W",
                shelter_s=0,
            ),
            r"coordinates: found a ring 359\.8 degrees wide, .*across 180 degrees in two polygons",
        ),
        (
            changed(TOWN, shelter_s=10**400),
            r"shelter_s: found 1000.*, wanted seconds, 0 to 86400",
        ),
        (changed(TOWN, shelter_s=1e300), r"properties\.shelter_s: found 1e\+300, wanted seconds"),
        (changed(HARBOUR, key="h2", radius_m=10**400), r"properties\.radius_m: found 1000"),
        (changed(TOWN, name="  "), r"properties\.name: found '  ', wanted a text of one line"),
        (changed(TOWN, area="\u3000"), r"properties\.area: found .*, wanted a text of one line"),
        (
            feature("Polygon", [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]], key="x", name="X", shelter_s=0),
            r"Self-intersection.*, wanted a ring that does not cross itself",
        ),
        ("zone", r"features\[1\]\.properties: found none"),
        (changed(TOWN, name="Two\nlines"), r"properties\.name: found .*, wanted a text of one line"),
        (changed(TOWN, name_he=5), r"features\[1\]\.properties\.name_he: found 5, wanted a text"),
        (changed(TOWN, name_ar=""), r"properties\.name_ar: found ''"),
        (changed(TOWN, names=["he"]), r"properties\.names: found \['he'\], wanted an object of language"),
        (changed(TOWN, names={"Hebrew": "x"}), r"properties\.names: found 'Hebrew', wanted a language"),
        (changed(TOWN, names={"he": ""}), r"properties\.names\.he: found ''"),
        (changed(TOWN, name_he="x", names={"he": "y"}), r"names\.he: found 'y', wanted none beside name_he"),
        (changed(TOWN, people=-1), r"properties\.people: found -1, wanted a whole number of people"),
        (changed(TOWN, people=1.5), r"properties\.people: found 1\.5"),
        (changed(TOWN, people=True), r"properties\.people: found True"),
        (changed(TOWN, people=10**15), r"properties\.people: found 1000000000000000"),
    ],
)
def test_a_bad_zone_names_file_feature_and_property(tmp_path, bad, words):
    path = write(tmp_path / "zones.geojson", HARBOUR, bad)
    with pytest.raises(BadInput, match=r"zones\.geojson: .*" + words):
        load_geojson_zones(path, "blue")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(st.text(max_size=4), inside, max_size=2),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(["key", "name", "name_he", "name_ar", "names", "people", "shelter_s"]), anything)
def test_any_property_is_read_or_refused_and_what_is_read_can_be_kept(name, value):
    town = {**TOWN, "properties": {**TOWN["properties"], name: value}}
    collection = {"type": "FeatureCollection", "features": [town]}
    with tempfile.NamedTemporaryFile(suffix=".geojson") as file:
        file.write(json.dumps(collection).encode())
        file.flush()
        try:
            (zone,) = load_geojson_zones(Path(file.name), "blue")
        except BadInput:
            return
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(zone), type=Zone) == zone


def test_a_property_that_is_null_is_not_there(tmp_path):
    empty = ("area", "height_m", "name_ar", "name_he", "names", "people", "point", "radius_m")
    town = {**TOWN, "properties": {**TOWN["properties"], **dict.fromkeys(empty)}}
    read, without = (
        load_geojson_zones(write(tmp_path / "zones.geojson", each), "blue") for each in (town, TOWN)
    )
    assert read == without


def test_a_zone_across_180_degrees_is_read_as_two_polygons(tmp_path):
    sides = [[[[w, 1.0], [w + 0.5, 1.0], [w + 0.5, 1.2], [w, 1.0]]] for w in (179.5, -180.0)]
    lagoon = feature("MultiPolygon", sides, key="l", name="L", shelter_s=0)
    (zone,) = load_geojson_zones(write(tmp_path / "zones.geojson", lagoon), "blue")
    index = ZoneIndex([zone])
    assert [len(index.struck(x, 1.05, 1.0)) for x in (179.9, -179.7, 179.0, 0.0)] == [1, 1, 0, 0]


def test_what_is_nested_too_deep_is_refused(tmp_path):
    path = tmp_path / "deep.geojson"
    for depth in (900, 990, 2000, 100_000):
        deep = "[" * depth + "]" * depth
        for text in (deep, deep[:depth], f'{{"type": "FeatureCollection", "features": {deep}}}'):
            path.write_text(text, encoding="utf-8")
            with pytest.raises(BadInput, match=r"deep\.geojson"):
                load_geojson_zones(path, "blue")


def test_a_missing_broken_or_empty_zone_file_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"none\.geojson: file: found No such file"):
        load_geojson_zones(tmp_path / "none.geojson", "blue")
    broken = tmp_path / "broken.geojson"
    broken.write_bytes(b'{"type": "FeatureCollection", "features": [')
    with pytest.raises(BadInput, match=r"broken\.geojson: file"):
        load_geojson_zones(broken, "blue")
    with pytest.raises(BadInput, match=r"features: found none, wanted at least one zone"):
        load_geojson_zones(write(tmp_path / "empty.geojson"), "blue")


@pytest.mark.parametrize("latitude", [-17.0, 0.0, 66.0])
def test_what_falls_on_one_side_of_180_degrees_endangers_what_is_on_the_other(latitude: float) -> None:
    """As the same zones and falls do elsewhere."""

    def moved(zone: Zone, east: float) -> Zone:
        def there(longitude: float) -> float:
            return (longitude + east + 180.0) % 360.0 - 180.0

        # the part that begins at 180 degrees ends there on its other side
        rings = tuple(
            tuple((x if x >= there(ring[0][0]) else 180.0, y) for x, y in ((there(x), y) for x, y in ring))
            for ring in zone.rings
        )
        return msgspec.structs.replace(zone, rings=rings, longitude_deg=there(zone.longitude_deg))

    y = latitude
    parts = tuple(
        ((w, y), (w + 0.2, y), (w + 0.2, y + 0.1), (w, y + 0.1), (w, y)) for w in (-0.2, 0.0)
    )  # fmt: skip
    about = {"name": "z", "partner": "p", "latitude_deg": y, "shelter_s": 0.0}
    zones = (
        Zone(key="two parts", longitude_deg=-0.1, rings=parts, **about),
        Zone(key="west", longitude_deg=-0.001, radius_m=1e3, **about),
        Zone(key="east", longitude_deg=0.001, radius_m=10e3, **about),
        Zone(key="farther", longitude_deg=0.4, radius_m=500.0, **about),
        Zone(key="elsewhere", longitude_deg=179.0, radius_m=500.0, **about),
    )
    here, there = ZoneIndex(zones), ZoneIndex([moved(zone, 180.0) for zone in zones])
    assert there.zones[0].rings[0][1][0] == 180.0 and there.zones[0].rings[1][0][0] == -180.0
    rng = np.random.default_rng(5)
    for _ in range(60):
        x = rng.uniform(-0.5, 0.5) + rng.normal(size=20) * 0.02
        ys = y + rng.normal(size=20) * 0.05
        w = np.full(20, 0.05)
        wrapped = (x + 360.0) % 360.0 - 180.0
        for places in (wrapped, x + 180.0, x - 180.0):
            found, probability = there.danger(places, ys, w, 1500.0)
            assert there.may_endanger(float(places[0]), float(ys[0]), 50e3) or not len(found)
            wanted, of = here.danger(x, ys, w, 1500.0)
            assert found.tolist() == wanted.tolist()
            assert probability == pytest.approx(of, abs=1e-9)
    near = ZoneIndex(there.zones[:4])
    assert [near.may_endanger(x, y, 30e3) for x in (-170.0, 170.0, 0.0)] == [False] * 3
    assert len(ZoneIndex(there.zones[1:2]).struck(179.999, y, 1000.0)) == 1


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    longitude=st.floats(30.0, 40.0), latitude=st.floats(25.0, 38.0), reach_m=st.floats(1.0, 400e3),
    bearing=st.floats(0.0, 360.0), nearer=st.floats(0.0, 1.0), danger_m=st.floats(0.0, 5e3),
)  # fmt: skip
def test_what_may_endanger_no_zone_endangers_none(
    longitude: float, latitude: float, reach_m: float, bearing: float, nearer: float, danger_m: float
) -> None:
    fell = vreckon(latitude, longitude, nearer * reach_m, bearing)
    struck = INDEX.struck(float(fell[1]), float(fell[0]), danger_m)
    assert INDEX.may_endanger(longitude, latitude, reach_m + danger_m) or not len(struck)


def test_what_falls_far_from_every_zone_may_endanger_none() -> None:
    assert not INDEX.may_endanger(30.0, 31.0, 50e3)
    assert not INDEX.may_endanger(35.0, 37.0, 200e3)
    assert INDEX.may_endanger(35.0, 37.0, 450e3)
    assert not ZoneIndex(()).may_endanger(35.0, 32.0, 1e6)
