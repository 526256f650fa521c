"""Places on land: which territory a point lies in, and the coastlines and borders a map shows.

In: territories as names and the ISO 3166-1 numeric ids of the outlines each is made of (an exercise gives
invented names to real outlines), and points in degrees, as arrays.  Out: the index of a territory for each
point, and rings for maps.  The outlines are Natural Earth's at 1:50 million (good to some 2 km, one
standard deviation), made by scripts/make_outlines.py; they cover 10-75 E, 5-50 N, and outside that box
everything counts as sea. Ground that is disputed is said to be so, by whoever names the territories.  A
territory is a place, never an actor.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from jointwatch.records.errors import BadInput

SEA = -1
ELSEWHERE = -2
"""Land of no named territory."""
DISPUTED, UNTOLD = "disputed", "cannot be told"
"""Answers to where something lies, beside the names of territories, "elsewhere" and "sea"."""

MANY, SIDE = 500, 8
"""So many points or more are asked by boxes, of which there are SIDE times SIDE."""

Ring = list[tuple[float, float]]


class _File(msgspec.Struct):
    countries: dict[str, list[list[Ring]]]


@cache
def _outlines() -> tuple[tuple[str, shapely.Polygon], ...]:
    """(id, polygon) of every outline that the package ships; land without a number has the id ""."""
    data = (files("jointwatch.earth") / "data" / "outlines.json.gz").read_bytes()
    file = msgspec.json.decode(gzip.decompress(data), type=_File)
    return tuple(
        (code, shapely.Polygon(rings[0], rings[1:]))
        for code, polygons in file.countries.items()
        for rings in polygons
    )


class Territories:
    """Named territories, ready to be asked about points.

    names: of the territories in the order given, then "elsewhere" and "sea", so that `names[index]` names
    whatever `territory_at` returns.  disputed: those of them of which it is disputed whose they are.
    """

    def __init__(
        self,
        mapping: Mapping[str, Sequence[str]],
        source: str = "territories",
        disputed: Collection[str] = (),
    ) -> None:
        """mapping: name -> ids.  BadInput naming `source` for an id that is unknown or used twice, for a name
        that is an answer by itself, and for a disputed territory that is not among them."""
        for name in mapping:
            if name in (DISPUTED, UNTOLD, "elsewhere", "sea"):
                raise BadInput(source, "territories", name, "a name that is no answer by itself")
        for name in disputed:
            if name not in mapping:
                raise BadInput(source, "disputed", name, f"one of {', '.join(mapping) or 'no territories'}")
        self.disputed = frozenset(disputed)
        outlines = _outlines()
        known = {code for code, _ in outlines}
        index: dict[str, int] = {}
        for i, (name, codes) in enumerate(mapping.items()):
            for code in codes:
                if code not in known or not code:
                    raise BadInput(source, name, code, "the three-digit id of an outline in 10-75 E, 5-50 N")
                if code in index:
                    raise BadInput(source, name, code, "an id that no other territory has")
                index[code] = i
        self.names = (*mapping, "elsewhere", "sea")
        self._polygons = [polygon for _, polygon in outlines]
        self._index = [index.get(code, ELSEWHERE) for code, _ in outlines]
        self._bounds = shapely.bounds(self._polygons)
        shapely.prepare(self._polygons)

    def territory_at(self, longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> NDArray[np.int64]:
        """Index into `names` for each point (n,): a territory's, else ELSEWHERE on land, else SEA."""
        x = np.atleast_1d(np.asarray(longitude_deg, dtype=np.float64))
        y = np.atleast_1d(np.asarray(latitude_deg, dtype=np.float64))
        found = np.full(x.shape, SEA, dtype=np.int64)
        if x.size == 0:
            return found
        west, south, east, north = self._bounds.T
        # one point that is not a number must not make sea of all the others
        near = (west <= np.fmax.reduce(x)) & (east >= np.fmin.reduce(x))
        near &= (south <= np.fmax.reduce(y)) & (north >= np.fmin.reduce(y))
        if x.size < MANY:
            for i in np.flatnonzero(near):
                found[shapely.contains_xy(self._polygons[i], x, y)] = self._index[i]
            return found
        boxes, box_of = _boxes(x, y)
        for i in np.flatnonzero(near):
            # a border crosses few of the boxes, and only what lies in those has to be asked point by point
            whole = shapely.contains_properly(self._polygons[i], boxes)
            crossed = ~whole & shapely.intersects(self._polygons[i], boxes)
            asked = np.flatnonzero(crossed[box_of])
            found[whole[box_of]] = self._index[i]
            found[asked[shapely.contains_xy(self._polygons[i], x[asked], y[asked])]] = self._index[i]
        return found

    def territory_of_box(
        self, west_deg: float, south_deg: float, east_deg: float, north_deg: float
    ) -> int | None:
        """What `territory_at` gives for every point of a box; None where a border may cross it."""
        west, south, east, north = self._bounds.T
        near = (west <= east_deg) & (east >= west_deg) & (south <= north_deg) & (north >= south_deg)
        box, found = shapely.box(west_deg, south_deg, east_deg, north_deg), SEA
        for i in np.flatnonzero(near):
            if shapely.contains_properly(self._polygons[i], box):
                found = self._index[i]
            elif shapely.intersects(self._polygons[i], box):
                return None
        return found

    def answers_at(self, longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> list[str]:
        """What is told of each point (n,): the name of what it lies in, or "disputed" where that is."""
        names = [DISPUTED if name in self.disputed else name for name in self.names]
        return [names[i] for i in self.territory_at(longitude_deg, latitude_deg).tolist()]

    def label_points(
        self, west_deg: float, south_deg: float, east_deg: float, north_deg: float
    ) -> list[tuple[str, float, float]]:
        """(name, longitude, latitude) of each named territory that shows in a box: the middle of the largest
        circle inside its largest visible part."""
        box = shapely.box(west_deg, south_deg, east_deg, north_deg)
        points = []
        for i, name in enumerate(self.names[:-2]):
            seen = [p.intersection(box) for p, k in zip(self._polygons, self._index, strict=True) if k == i]
            parts = [
                q
                for p in seen
                for q in shapely.get_parts(p)
                if isinstance(q, shapely.Polygon) and q.area > 0.0
            ]
            if parts:
                circle = shapely.maximum_inscribed_circle(max(parts, key=lambda q: q.area), tolerance=0.02)
                x, y = shapely.get_coordinates(circle)[0].tolist()
                points.append((name, round(x, 2), round(y, 2)))
        return points


def _boxes(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Boxes that hold all points (n,) between them, the last, empty, for those that are nowhere, and which of
    them each point is of."""
    somewhere = np.isfinite(x) & np.isfinite(y)
    edges, cells = [], []
    for v in (x, y):
        edge = np.linspace(v[somewhere].min(initial=90.0), v[somewhere].max(initial=-90.0), SIDE + 1)
        edges.append(edge)
        cells.append(np.clip(np.searchsorted(edge, v, side="right") - 1, 0, SIDE - 1))
    a, b = (axis.ravel() for axis in np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij"))
    boxes = shapely.box(edges[0][a], edges[1][b], edges[0][a + 1], edges[1][b + 1])
    box_of = np.where(somewhere, cells[0] * SIDE + cells[1], SIDE * SIDE)
    return np.append(boxes, shapely.Point()), box_of


def load_territories(
    mapping: Mapping[str, Sequence[str]], source: str = "territories", disputed: Collection[str] = ()
) -> Territories:
    """Territories from the shipped outlines; see `Territories` for what is refused."""
    return Territories(mapping, source, disputed)


def outlines_in_box(
    west_deg: float, south_deg: float, east_deg: float, north_deg: float, tolerance_deg: float
) -> list[Ring]:
    """Closed rings (longitude, latitude; degrees) of all land within a box, for a map to fill and stroke.

    tolerance_deg: points nearer than this to the line without them are left out, and so is an island
    smaller than its square.  Order and values are the same for the same box.
    """
    decimals = max(0, min(4, 1 - math.floor(math.log10(max(tolerance_deg, 1e-4)))))
    box = shapely.box(west_deg, south_deg, east_deg, north_deg)
    rings: list[Ring] = []
    for _, polygon in _outlines():
        if not polygon.intersects(box):
            continue
        for part in shapely.get_parts(shapely.simplify(polygon.intersection(box), tolerance_deg)):
            if isinstance(part, shapely.Polygon) and part.area > tolerance_deg**2:
                coordinates = shapely.get_coordinates(part.exterior).round(decimals).tolist()
                rings.append([(x, y) for x, y in coordinates])
    return rings
