"""Warning zones: read from files, and asked which of them a fall endangers.

In: the alert areas that the package ships (scripts/make_areas.py), or a GeoJSON file of one's own; and falls
as weighted points on the ground, degrees.  Out: `Zone` records, and for each endangered zone the
probability that the fall comes down within a danger radius of it.  Zones are places where people are, not a
tiling of the ground, so nearness is asked for, not containment: a fall on open ground beside a village is a
danger to it.

A zone file is a FeatureCollection of Polygon, MultiPolygon and Point features with the properties
    key        unique name, as alerts carry it
    name       for people
    name_he, name_ar  the same in Hebrew and in Arabic (optional)
    names      an object of language ("fr", "fr-CA") to name, for any others (optional)
    people     how many people are there, a whole number (optional)
    shelter_s  seconds its people need to take shelter
    radius_m   of the circle about a Point (needed there, and only there)
    point      [longitude, latitude] of a label (optional; else the middle of the largest part).
"""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import shapely
from numba import njit
from numpy.typing import ArrayLike, NDArray

from jointwatch.earth.frames import ECCENTRICITY2, SEMI_MAJOR_M
from jointwatch.records.errors import BadInput
from jointwatch.records.warning import Ring, Zone

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_NO_TEXT = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What no line of text holds and XML cannot carry: a name with it would hold up every warning to its zone."""
_MOST_PEOPLE = 10_000_000_000


def load_areas(partner: str) -> tuple[Zone, ...]:
    """The shipped alert areas (1,422, ordered by key) as zones of a partner."""
    data = (files("jointwatch.warning") / "data" / "areas.json.gz").read_bytes()
    return _zones(msgspec.json.decode(gzip.decompress(data)), "areas.json.gz", partner)


def load_geojson_zones(path: Path, partner: str) -> tuple[Zone, ...]:
    """Zones of a partner from a GeoJSON file, in its order; BadInput names file, feature and property."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(str(path), "file", error.strerror or "no file", "a GeoJSON file of zones") from None
    try:
        collection = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(str(path), "file", str(error), "a GeoJSON file of zones") from None
    return _zones(collection, str(path), partner)


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
    names = _names(properties, source, f"{where}.properties")
    people = _people(properties.get("people"), source, f"{where}.properties.people")
    shelter_s = _number(
        properties.get("shelter_s"), source, f"{where}.properties.shelter_s", "seconds, 0 or more", 0.0
    )
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    place = f"{where}.geometry.coordinates"
    if kind == "Point":
        longitude, latitude = _position(coordinates, source, place)
        wanted = "the circle's radius in metres, 1 or more"
        radius = _number(properties.get("radius_m"), source, f"{where}.properties.radius_m", wanted, 1.0)
        return Zone(
            key=key,
            name=name,
            partner=partner,
            longitude_deg=longitude,
            latitude_deg=latitude,
            shelter_s=shelter_s,
            radius_m=radius,
            names=names,
            people=people,
        )
    if kind == "Polygon":
        coordinates = [coordinates]
    elif kind != "MultiPolygon":
        raise BadInput(source, f"{where}.geometry.type", repr(kind), "Polygon, MultiPolygon or Point")
    if "radius_m" in properties:
        raise BadInput(source, f"{where}.properties.radius_m", "one", "none: only a Point is a circle")
    if not isinstance(coordinates, list) or not all(isinstance(p, list) and p for p in coordinates):
        raise BadInput(source, place, "no rings", "at least one ring of positions")
    rings = tuple(_ring(polygon[0], source, place) for polygon in coordinates)
    if "point" in properties:
        longitude, latitude = _position(properties["point"], source, f"{where}.properties.point")
    else:
        middle = max((shapely.Polygon(ring) for ring in rings), key=lambda p: p.area).centroid
        longitude, latitude = middle.x, middle.y
    return Zone(
        key=key,
        name=name,
        partner=partner,
        longitude_deg=longitude,
        latitude_deg=latitude,
        shelter_s=shelter_s,
        rings=rings,
        names=names,
        people=people,
    )


def _text(value: Any, source: str, field: str) -> str:
    if not isinstance(value, str) or not value or _NO_TEXT.search(value):
        raise BadInput(source, field, repr(value), "a text of one line")
    return value


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


def _number(value: Any, source: str, field: str, wanted: str, least: float) -> float:
    # JSON's true is an int in Python, and no number of metres
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < math.inf:
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
    polygon = shapely.Polygon(ring)
    if not polygon.is_valid or polygon.area == 0.0:
        reason = shapely.is_valid_reason(polygon)
        raise BadInput(source, field, reason, "a ring that does not cross itself and encloses ground")
    return ring


class ZoneIndex:
    """Zones as flat arrays, to be asked thousands of times which of them a fall endangers.

    zones: as given; every index that the methods return is into it.  No zone may span 180 degrees east.
    """

    def __init__(self, zones: Sequence[Zone]) -> None:
        self.zones = tuple(zones)
        lines: list[NDArray[np.float64]] = []
        ring_start, zone_start, bounds, radius = [0], [0], [], []
        for zone in self.zones:
            rings = zone.rings or (((zone.longitude_deg, zone.latitude_deg),),)
            for ring in rings:
                lines.append(np.array(ring, dtype=np.float64))
                ring_start.append(ring_start[-1] + len(ring))
            zone_start.append(len(lines))
            points = np.concatenate(lines[zone_start[-2] :])
            bounds.append([*points.min(axis=0), *points.max(axis=0)])
            radius.append(0.0 if zone.rings else zone.radius_m)
        self._vertices = np.concatenate(lines) if lines else np.empty((0, 2))
        self._ring_start = np.array(ring_start)
        self._zone_start = np.array(zone_start)
        self._bounds = np.array(bounds).reshape(-1, 4)
        self._radius = np.array(radius)

    def danger(
        self,
        longitude_deg: ArrayLike,
        latitude_deg: ArrayLike,
        weights: ArrayLike,
        danger_radius_m: float,
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Zones endangered by a fall somewhere among weighted points, and each one's probability of danger.

        longitude_deg, latitude_deg, weights: (n,); the weights sum to 1 (a smaller sum carries through).
        Returns indices (k,), rising, of the zones with any danger, and the weight (k,) of the points within
        danger_radius_m of each, distance being taken on the ellipsoid to a few parts in a thousand.
        """
        x = np.ascontiguousarray(longitude_deg, dtype=np.float64)
        y = np.ascontiguousarray(latitude_deg, dtype=np.float64)
        w = np.ascontiguousarray(weights, dtype=np.float64)
        probability = _danger(
            self._vertices,
            self._ring_start,
            self._zone_start,
            self._bounds,
            self._radius,
            x,
            y,
            w,
            float(danger_radius_m),
        )
        found = np.flatnonzero(probability)
        return found, probability[found]

    def struck(self, longitude_deg: float, latitude_deg: float, danger_radius_m: float) -> NDArray[np.int64]:
        """Indices (k,), rising, of the zones within danger_radius_m of one fall."""
        return self.danger([longitude_deg], [latitude_deg], [1.0], danger_radius_m)[0]


@njit(cache=True)
def _danger(
    vertices: NDArray[np.float64],
    ring_start: NDArray[np.int64],
    zone_start: NDArray[np.int64],
    bounds: NDArray[np.float64],
    radius: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    w: NDArray[np.float64],
    danger_m: float,
) -> NDArray[np.float64]:
    """(zones,) weight of the points within danger_m of each zone.

    Degrees become metres by the ellipsoid's radii of curvature at the point, not at the zone: the nearest
    part of a zone in danger is near the point, however large the zone, so there distance has to be right.
    """
    n = len(x)
    rad = math.pi / 180.0
    kx = np.empty(n)
    ky = np.empty(n)
    west, south, east, north = 1e9, 1e9, -1e9, -1e9
    for i in range(n):
        sin = math.sin(y[i] * rad)
        q = 1.0 - ECCENTRICITY2 * sin * sin
        kx[i] = max(rad * SEMI_MAJOR_M / math.sqrt(q) * math.cos(y[i] * rad), 1.0)
        ky[i] = rad * SEMI_MAJOR_M * (1.0 - ECCENTRICITY2) / (q * math.sqrt(q))
        west, east = min(west, x[i] - danger_m / kx[i]), max(east, x[i] + danger_m / kx[i])
        south, north = min(south, y[i] - danger_m / ky[i]), max(north, y[i] + danger_m / ky[i])
    result = np.zeros(len(radius))
    for k in range(len(radius)):
        # radius in degrees at the zone, a tenth to spare; zero for polygons
        pad_y = 1.1 * radius[k] / 110000.0
        pad_x = pad_y / max(math.cos(bounds[k, 1] * rad), 1e-3)
        if bounds[k, 0] - pad_x > east or bounds[k, 2] + pad_x < west:
            continue
        if bounds[k, 1] - pad_y > north or bounds[k, 3] + pad_y < south:
            continue
        reach = danger_m + radius[k]
        reach2 = reach * reach
        total = 0.0
        for i in range(n):
            # the box about the zone, in metres from the point
            x0, x1 = (bounds[k, 0] - x[i]) * kx[i], (bounds[k, 2] - x[i]) * kx[i]
            y0, y1 = (bounds[k, 1] - y[i]) * ky[i], (bounds[k, 3] - y[i]) * ky[i]
            if x0 > reach or x1 < -reach or y0 > reach or y1 < -reach:
                continue
            near = max(x0 * x0, x1 * x1) + max(y0 * y0, y1 * y1) <= reach2  # the whole box is
            ring = zone_start[k]
            while not near and ring < zone_start[k + 1]:
                near = _ring_within(
                    vertices, ring_start[ring], ring_start[ring + 1], x[i], y[i], kx[i], ky[i], reach2
                )
                ring += 1
            if near:
                total += w[i]
        result[k] = total
    return result


@njit(cache=True)
def _ring_within(
    vertices: NDArray[np.float64],
    start: int,
    stop: int,
    x: float,
    y: float,
    kx: float,
    ky: float,
    reach2: float,
) -> bool:
    """Whether a point lies in the ring, or its squared distance (m^2) to the ring is at most reach2."""
    ax, ay = (vertices[start, 0] - x) * kx, (vertices[start, 1] - y) * ky
    if ax * ax + ay * ay <= reach2:
        return True
    inside = False
    for i in range(start + 1, stop):
        bx, by = (vertices[i, 0] - x) * kx, (vertices[i, 1] - y) * ky
        dx, dy = bx - ax, by - ay
        # the nearest point of the edge a-b to the origin is a + t d
        dd = dx * dx + dy * dy
        t = -(ax * dx + ay * dy)
        cross = ax * dy - ay * dx
        if t >= dd:
            if bx * bx + by * by <= reach2:
                return True
        elif t > 0.0:
            if cross * cross <= reach2 * dd:
                return True
        if (ay > 0.0) != (by > 0.0) and (cross > 0.0) == (dy > 0.0):
            inside = not inside  # the edge crosses the ray from the origin to the east
        ax, ay = bx, by
    return inside
