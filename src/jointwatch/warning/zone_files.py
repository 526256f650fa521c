"""Warning zones read from files.

In: the alert areas that the package ships (scripts/make_areas.py), or a GeoJSON file of one's own; out:
`Zone` records, or `BadInput` that names file, feature and property.

A zone file is a FeatureCollection of Polygon, MultiPolygon and Point features with the properties
    key        unique name, as alerts carry it
    name       for people
    name_he, name_ar  the same in Hebrew and in Arabic (optional)
    names      an object of language ("fr", "fr-CA") to name, for any others (optional)
    area       of which it is a part: each has alerts of its own (optional)
    height_m   of its ground above sea level (optional)
    people     how many people are there, a whole number (optional)
    shelter_s  seconds its people need to take shelter
    radius_m   of the circle about a Point (needed there, and only there)
    point      [longitude, latitude] of a label (optional; else the middle of the largest part).
A property that is null is one that is not there: who exports a table writes null for every empty field.  A
zone across 180 degrees is a MultiPolygon with a part on each side (RFC 7946, section 3.1.9).
"""

from __future__ import annotations

import gzip
import re
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import shapely
from msgspec.structs import replace

from jointwatch.records.errors import BadInput
from jointwatch.records.warning import Ring, Zone

_LONGEST_SHELTER_S = 86_400.0
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_NO_TEXT = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What no line of text holds and XML cannot carry: a name with it would hold up every warning to its zone."""
_MOST_PEOPLE = 10_000_000_000
_MOST_RADIUS_M = 1e6


@cache
def load_areas(partner: str) -> tuple[Zone, ...]:
    """The shipped alert areas (1,422, ordered by key) as zones of a partner; read once."""
    data = (files("jointwatch.warning") / "data" / "areas.json.gz").read_bytes()
    return _zones(msgspec.json.decode(gzip.decompress(data)), "areas.json.gz", partner)


def load_geojson_zones(path: Path, partner: str) -> tuple[Zone, ...]:
    """Zones of a partner from a GeoJSON file, in its order; BadInput names file, feature and property."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(str(path), "file", error.strerror or "no file", "a GeoJSON file of zones") from None
    try:
        return _zones(msgspec.json.decode(data), str(path), partner)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(str(path), "file", str(error), "a GeoJSON file of zones") from None
    except RecursionError:
        # of what is nested so deep not even what was found can be shown
        found = "lists or objects a thousand deep"
        raise BadInput(str(path), "file", found, "a GeoJSON file of zones") from None


def _zones(collection: Any, source: str, partner: str) -> tuple[Zone, ...]:
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        found = collection.get("type") if isinstance(collection, dict) else type(collection).__name__
        raise BadInput(source, "type", str(found), "a GeoJSON FeatureCollection")
    features = collection.get("features")
    if not isinstance(features, list) or not features:
        raise BadInput(source, "features", "none", "at least one zone")
    zones = []
    first: dict[str, int] = {}
    for i, feature in enumerate(features):
        zone = _zone(feature, source, f"features[{i}]", partner)
        if zone.key in first:
            raise BadInput(
                source,
                f"features[{i}].properties.key",
                zone.key,
                f"a key of its own (features[{first[zone.key]}] has it)",
            )
        first[zone.key] = i
        zones.append(zone)
    return tuple(zones)


def _zone(feature: Any, source: str, where: str, partner: str) -> Zone:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        raise BadInput(source, f"{where}.properties", "none", "key, name and shelter_s")
    if not isinstance(geometry, dict):
        raise BadInput(source, f"{where}.geometry", "none", "a Polygon, MultiPolygon or Point")
    key, name = (_text(properties.get(k), source, f"{where}.properties.{k}") for k in ("key", "name"))
    wanted = f"seconds, 0 to {_LONGEST_SHELTER_S:.0f}"
    shelter_s = _number(
        properties.get("shelter_s"), source, f"{where}.properties.shelter_s", wanted, 0.0, _LONGEST_SHELTER_S
    )
    about = Zone(
        key=key,
        name=name,
        partner=partner,
        longitude_deg=0.0,
        latitude_deg=0.0,
        shelter_s=shelter_s,
        names=_names(properties, source, f"{where}.properties"),
        people=_people(properties.get("people"), source, f"{where}.properties.people"),
        area=_optional_text(properties.get("area"), source, f"{where}.properties.area"),
        height_m=_height(properties.get("height_m"), source, f"{where}.properties.height_m"),
    )
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    place = f"{where}.geometry.coordinates"
    if kind == "Point":
        longitude, latitude = _position(coordinates, source, place)
        wanted = f"the circle's radius in metres, 1 to {_MOST_RADIUS_M:.0f}"
        radius = _number(properties.get("radius_m"), source, f"{where}.properties.radius_m", wanted, 1.0)
        if radius > _MOST_RADIUS_M:  # millimetres, or a slip of the pen: no place is warned as one so far
            raise BadInput(source, f"{where}.properties.radius_m", repr(radius), wanted)
        return replace(about, longitude_deg=longitude, latitude_deg=latitude, radius_m=radius)
    if kind == "Polygon":
        coordinates = [coordinates]
    elif kind != "MultiPolygon":
        raise BadInput(source, f"{where}.geometry.type", repr(kind), "Polygon, MultiPolygon or Point")
    if properties.get("radius_m") is not None:
        raise BadInput(source, f"{where}.properties.radius_m", "one", "none: only a Point is a circle")
    if not (isinstance(coordinates, list) and coordinates) or not all(
        isinstance(part, list) and part for part in coordinates
    ):
        raise BadInput(source, place, "no rings", "at least one ring of positions")
    rings = tuple(_ring(polygon[0], source, place) for polygon in coordinates)
    if properties.get("point") is not None:
        longitude, latitude = _position(properties["point"], source, f"{where}.properties.point")
    else:
        middle = max((shapely.Polygon(ring) for ring in rings), key=lambda p: p.area).centroid
        longitude, latitude = middle.x, middle.y
    return replace(about, longitude_deg=longitude, latitude_deg=latitude, rings=rings)


def _text(value: Any, source: str, field: str) -> str:
    if not isinstance(value, str) or not value.strip() or _NO_TEXT.search(value):
        raise BadInput(source, field, repr(value), "a text of one line")
    return value


def _optional_text(value: Any, source: str, field: str) -> str:
    return "" if value is None else _text(value, source, field)


def _height(value: Any, source: str, field: str) -> float | None:
    """A height above sea level (m): between the lowest land and the highest."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -500.0 <= value <= 9000.0:
        raise BadInput(source, field, repr(value), "metres above sea level, -500 to 9000")
    return float(value)


def _names(properties: dict[str, Any], source: str, where: str) -> tuple[tuple[str, str], ...]:
    """(language, name) of a zone's names in other languages: `name_he` and `name_ar`, then `names`."""
    found: dict[str, str] = {}
    for language in ("he", "ar"):
        field = f"name_{language}"
        if properties.get(field) is not None:
            found[language] = _text(properties[field], source, f"{where}.{field}")
    names = properties.get("names")
    if names is None:
        return tuple(found.items())
    if not isinstance(names, dict):
        raise BadInput(source, f"{where}.names", repr(names), "an object of language to name")
    for language, name in names.items():
        if not _LANGUAGE.fullmatch(language):
            raise BadInput(source, f"{where}.names", repr(language), 'a language such as "he" or "he-IL"')
        if language in found:
            raise BadInput(source, f"{where}.names.{language}", repr(name), f"none beside name_{language}")
        found[language] = _text(name, source, f"{where}.names.{language}")
    return tuple(found.items())


def _people(value: Any, source: str, field: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_PEOPLE:
        raise BadInput(source, field, repr(value), "a whole number of people, 0 or more")
    return value


def _number(
    value: Any, source: str, field: str, wanted: str, least: float, most: float = sys.float_info.max
) -> float:
    # JSON's true is an int in Python, and no number of metres; an int may be larger than any float
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadInput(source, field, repr(value), wanted)
    return float(value)


def _position(value: Any, source: str, field: str) -> tuple[float, float]:
    wanted = "[longitude, latitude] in degrees, -180..180 and -90..90"
    if not isinstance(value, list) or len(value) < 2:
        raise BadInput(source, field, repr(value), wanted)
    for part, limit in zip(value, (180.0, 90.0), strict=False):
        if isinstance(part, bool) or not isinstance(part, int | float) or not -limit <= part <= limit:
            raise BadInput(source, field, repr(value), wanted)
    return float(value[0]), float(value[1])


def _ring(value: Any, source: str, field: str) -> Ring:
    if not isinstance(value, list) or len(value) < 4:
        raise BadInput(source, field, repr(value), "a ring of four positions or more")
    ring = tuple(_position(position, source, field) for position in value)
    if ring[0] != ring[-1]:
        raise BadInput(
            source, field, f"{ring[0]} first and {ring[-1]} last", "a ring that ends where it began"
        )
    east = [longitude for longitude, _ in ring]
    if max(east) - min(east) > 180.0:
        # drawn on a map with Greenwich in the middle it would be all that is not the zone
        found = f"a ring {max(east) - min(east):g} degrees wide"
        wanted = "a ring at most 180 wide: a zone across 180 degrees in two polygons, one on each side"
        raise BadInput(source, field, found, wanted)
    polygon = shapely.Polygon(ring)
    if not polygon.is_valid or polygon.area == 0.0:
        reason = shapely.is_valid_reason(polygon)
        raise BadInput(source, field, reason, "a ring that does not cross itself and encloses ground")
    return ring
