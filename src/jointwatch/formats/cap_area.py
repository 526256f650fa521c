"""The areas of a CAP message: zones as polygons or circles, each only as fine as what is said of it needs.

In: zones; out: areas as they are drawn, which are then written into the <info> element of each language under
a name in it: drawing costs time, and is done once.  A zone newly told to take shelter is drawn as it
is.  One that is only kept up, or let out, is drawn by a coarse outline that holds all of it.  Many zones at
once (an early notice) are one area: a convex hull about each group of them, and the code of every one.

Every zone is drawn once when a node starts (`draw_ahead`), and one that cannot be drawn is refused there.  A
message never is: a zone that cannot be drawn as it should is drawn coarser, and if need be its code must do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import shapely
from lxml import etree
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.formats.cap_structure import CAP_12, check_degrees
from jointwatch.records import BadInput, Zone
from jointwatch.records.warning import Ring

SIMPLIFY_M = 100.0
"""How far a zone's outline may be moved when it is thinned out."""
MAX_POINTS = 60
"""Greatest number of points in a zone's polygon; a finer outline is thinned further than SIMPLIFY_M."""
COARSE_M = 250.0
"""A coarse outline is at most about twice this far outside the convex hull of what it holds."""
GROUP_M = 30e3
"""Zones further from all others than this are not within one hull with them."""
MOST_RADIUS_M = 20_000e3
"""A circle that is larger holds the whole Earth, and CAP's readers take none."""
_METRES_PER_DEGREE = 111_195.0


def add(parent: etree._Element, name: str, text: str, source: str) -> None:
    """A child element with a text; BadInput if XML cannot carry that."""
    try:
        etree.SubElement(parent, _tag(name)).text = text
    except ValueError:  # a control character, which XML cannot carry
        raise BadInput(source, name, text, "text that XML can carry") from None


@lru_cache(maxsize=64)
def _tag(name: str) -> str:
    return f"{{{CAP_12}}}{name}"


def named_value(parent: etree._Element, name: str, value_name: str, value: str, source: str) -> None:
    """A child element that holds a named value: a geocode, a parameter."""
    element = etree.SubElement(parent, _tag(name))
    add(element, "valueName", value_name, source)
    add(element, "value", value, source)


class DrawnArea(NamedTuple):
    """One area: the zones in it, and polygons and circle in CAP's form ("" where there is no circle)."""

    zones: tuple[Zone, ...]
    polygons: tuple[str, ...] = ()
    circle: str = ""


def zone_area(zone: Zone, coarse: bool = False) -> DrawnArea:
    """One zone: its parts as polygons, or its circle; coarse: by an outline of few points.

    One that cannot be drawn finely is drawn coarsely, and of one that cannot be drawn at all there is only
    the code: the others of its message are not to wait for it.
    """
    for draw in (_coarse,) if coarse else (_outline, _coarse):
        with suppress(BadInput):
            return _drawn(zone, draw)
    return DrawnArea((zone,))


def _drawn(zone: Zone, draw: Callable[[Ring, str], str]) -> DrawnArea:
    """BadInput if an outline is no polygon, or a circle none."""
    if zone.rings:
        try:
            return DrawnArea((zone,), tuple(draw(ring, zone.key) for ring in zone.rings))
        except shapely.errors.GEOSException as error:
            raise BadInput(f"zone {zone.key}", "rings", str(error), "an area that can be drawn") from None
    _check_circle(zone)
    circle = f"{zone.latitude_deg:.5f},{zone.longitude_deg:.5f} {zone.radius_m / 1000.0:.3f}"
    return DrawnArea((zone,), circle=circle)


def wide_area(zones: Sequence[Zone]) -> DrawnArea:
    """Many zones as one area: a hull about each group of them that can be drawn, and the codes of all."""
    known = []
    for zone in zones:
        with suppress(BadInput):
            _corners(zone)
            known.append(zone)
    return DrawnArea(tuple(zones), tuple(_hulls(known)) if known else ())


def draw_ahead(zones: Sequence[Zone]) -> None:
    """Draw each zone finely and coarsely now, which is remembered, so that no alert waits for it.

    BadInput naming the zone if one cannot be drawn, or has a name that XML cannot carry.
    """
    for zone in zones:
        _corners(zone)
        drawn = _drawn(zone, _outline)
        _drawn(zone, _coarse)
        for name in (zone.name, *(name for _, name in zone.names)):
            write_area(etree.Element(_tag("info")), drawn, name, f"zone {zone.key}")


def write_area(info: etree._Element, drawn: DrawnArea, name: str, source: str) -> None:
    """The <area> element of a drawn area under a name, with every zone's code."""
    area = etree.SubElement(info, _tag("area"))
    add(area, "areaDesc", name, source)
    for polygon in drawn.polygons:
        add(area, "polygon", polygon, source)
    if drawn.circle:
        add(area, "circle", drawn.circle, source)
    for zone in drawn.zones:
        named_value(area, "geocode", "jointwatch:zone", zone.key, source)


def _check_circle(zone: Zone) -> None:
    check_degrees(zone.longitude_deg, zone.latitude_deg, f"zone {zone.key}", "circle")
    if not 0.0 <= zone.radius_m <= MOST_RADIUS_M:  # which no NaN is
        wanted = f"a radius in metres, 0 to {MOST_RADIUS_M:.0f}"
        raise BadInput(f"zone {zone.key}", "radius_m", zone.radius_m, wanted)


def _hulls(zones: Sequence[Zone]) -> list[str]:
    """CAP polygons, each the hull about a group of zones no further than GROUP_M from one another."""
    zones = [side for zone in zones for side in _sides(zone)]
    scale = _scale(float(np.median([z.latitude_deg for z in zones])))
    points = np.array([(z.longitude_deg, z.latitude_deg) for z in zones]) * scale
    out = []
    for group in _groups(points):
        with suppress(BadInput, shapely.errors.GEOSException):
            corners = np.concatenate([_corners(zones[i]) for i in group]) * scale
            out.append(_text(_about(corners), scale, zones[group[0]].key))
    return out


def _sides(zone: Zone) -> list[Zone]:
    """The zone, or where it lies on both sides of 180 degrees, what of it is on each: a hull about both would
    go round the Earth."""
    if abs(zone.longitude_deg) <= 90.0:
        return [zone]
    corners = _corners(zone)
    west, east = float(corners[:, 0].min()), float(corners[:, 0].max())
    sides: list[tuple[Ring, ...]]
    if zone.rings:
        if east - west <= 180.0:
            return [zone]
        eastern = [min(x for x, _ in ring) + max(x for x, _ in ring) >= 0.0 for ring in zone.rings]
        sides = [
            tuple(ring for ring, is_eastern in zip(zone.rings, eastern, strict=True) if is_eastern is side)
            for side in (True, False)
        ]
    else:
        if -180.0 <= west and east <= 180.0:
            return [zone]
        world = shapely.box(-180.0, -90.0, 180.0, 90.0)
        turn = np.array([360.0 if west < -180.0 else -360.0, 0.0])
        parts = [world & shapely.multipoints(c).convex_hull for c in (corners, corners + turn)]
        sides = [(tuple(map(tuple, part.exterior.coords)),) for part in parts if part.area > 0.0]
    return [replace(zone, rings=rings, longitude_deg=rings[0][0][0]) for rings in sides if rings]


def _groups(points: NDArray[np.float64]) -> list[list[int]]:
    """Points (n, 2; m) by single linkage within GROUP_M, in order of their first.

    The edges of Delaunay's triangulation hold the shortest way between any two (Toussaint 1980), so no others
    need be looked at.
    """
    # a complex number is a place: they are in order by x, then by y
    places, at = np.unique(points[:, 0] + 1j * points[:, 1], return_inverse=True)
    edges = _edges(places)
    one, other = edges[np.abs(places[edges[:, 0]] - places[edges[:, 1]]) <= GROUP_M].T
    # each takes the least label of its neighbours, and that one's own, until none is less
    label = np.arange(len(places))
    while True:
        least = label.copy()
        np.minimum.at(least, one, label[other])
        np.minimum.at(least, other, label[one])
        least = least[least]
        if (least == label).all():
            break
        label = least
    groups: dict[int, list[int]] = {}
    for k, i in enumerate(label[at].tolist()):
        groups.setdefault(i, []).append(k)
    return list(groups.values())


def _edges(places: NDArray[np.complex128]) -> NDArray[np.int64]:
    """Edges (m, 2) of Delaunay's triangulation of different places, in order (n,); of those in one line,
    where there is none, each with the next."""
    corners = np.column_stack([places.real, places.imag])
    drawn = shapely.delaunay_triangles(shapely.multipoints(corners), only_edges=True)
    ends = shapely.get_coordinates(drawn)
    found = np.searchsorted(places, ends[:, 0] + 1j * ends[:, 1]).reshape(-1, 2)
    in_order = np.arange(len(places) - 1)
    return np.concatenate([found, np.column_stack([in_order, in_order + 1])])


def _corners(zone: Zone) -> NDArray[np.float64]:
    """(n, 2) longitudes and latitudes (deg) whose hull holds a zone; BadInput if it cannot be drawn."""
    if zone.rings:
        check_degrees(zone.longitude_deg, zone.latitude_deg, f"zone {zone.key}", "point")
        return _corners_of(zone.rings, zone.key)
    _check_circle(zone)
    angle = np.arange(8) * math.pi / 4.0
    # the corners of the octagon about the circle
    reach = zone.radius_m / math.cos(math.pi / 8.0) / _scale(zone.latitude_deg)
    middle = np.array([zone.longitude_deg, zone.latitude_deg])
    corners: NDArray[np.float64] = middle + reach * np.column_stack([np.sin(angle), np.cos(angle)])
    return corners


@lru_cache(maxsize=8192)
def _corners_of(rings: tuple[Ring, ...], key: str) -> NDArray[np.float64]:
    """(n, 2) corners of the hull of a zone's rings.

    Remembered, because an early notice names half of all zones.
    """
    for ring in rings:
        _check_ring(ring, key)
    hull = shapely.linestrings(np.concatenate([np.array(ring) for ring in rings])).convex_hull
    corners: NDArray[np.float64] = shapely.get_coordinates(hull)
    return corners


def _about(corners: NDArray[np.float64]) -> shapely.Polygon:
    """A polygon of few points that holds all corners (n, 2), in metres."""
    hull = shapely.linestrings(corners).convex_hull.buffer(COARSE_M, join_style="mitre", mitre_limit=2.0)
    few = hull.simplify(0.9 * COARSE_M)
    assert isinstance(few, shapely.Polygon)
    return few


@lru_cache(maxsize=8192)
def _coarse(ring: Ring, key: str) -> str:
    """CAP's polygon of few points that holds all of a ring."""
    _check_ring(ring, key)
    scale = _scale(ring[0][1])
    return _text(_about(np.array(ring) * scale), scale, key)


@lru_cache(maxsize=8192)
def _outline(ring: Ring, key: str) -> str:
    """CAP's polygon of a ring of (longitude, latitude), thinned (Douglas & Peucker 1973).

    Remembered, because a raid warns the same zones again and again.
    """
    _check_ring(ring, key)
    scale = _scale(ring[0][1])
    outline = shapely.Polygon(np.array(ring) * scale)
    tolerance_m = SIMPLIFY_M
    thinned = outline.simplify(tolerance_m)
    while len(thinned.exterior.coords) > MAX_POINTS and tolerance_m < MOST_RADIUS_M:
        tolerance_m *= 1.5
        thinned = outline.simplify(tolerance_m)
    return _text(thinned, scale, key)


def _scale(latitude_deg: float) -> NDArray[np.float64]:
    """Metres a degree of longitude and of latitude, so that a distance means the same in both directions."""
    return _METRES_PER_DEGREE * np.array([max(math.cos(math.radians(latitude_deg)), 0.01), 1.0])


def _check_ring(ring: Ring, key: str) -> None:
    source = f"zone {key}"
    for longitude, latitude in ring:
        check_degrees(longitude, latitude, source, "rings")
    if len(set(ring)) < 3:
        raise BadInput(source, "rings", f"{len(set(ring))} different points", "at least 3")


def _text(polygon: shapely.Polygon, scale: NDArray[np.float64], key: str) -> str:
    """CAP's "lat,lon lat,lon ..." of a polygon in metres."""
    places = np.array(polygon.exterior.coords) / scale
    points = [f"{min(max(y, -90.0), 90.0):.5f},{min(max(x, -180.0), 180.0):.5f}" for x, y in places.tolist()]
    if len(set(points)) < 3:
        found = "an outline a metre or less across"
        raise BadInput(f"zone {key}", "rings", found, "an area that can be drawn")
    return " ".join(points)
