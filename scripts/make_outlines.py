"""Make the land outlines that the package ships, from the npm package `world-atlas` (ISC; Natural Earth).

In: the registry, through `npm pack`; `countries-50m.json`, a TopoJSON file.  Out:
src/jointwatch/earth/data/outlines.json.gz: polygons by ISO 3166-1 numeric id, (longitude, latitude) degrees,
of the land that touches the box 10-75 E, 5-50 N.  A polygon that touches it is kept whole.  There are no
names in it; land that has no number in the source is kept under the id "".

    python scripts/make_outlines.py
"""

from __future__ import annotations

import gzip
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import Polygon

PACKAGE = "world-atlas@2.0.2"
OUTPUT = Path(__file__).parents[1] / "src/jointwatch/earth/data/outlines.json.gz"
BOX = (10.0, 5.0, 75.0, 50.0)  # west, south, east, north, degrees

Line = list[tuple[float, float]]


def read_topology() -> dict[str, Any]:
    """The package's TopoJSON file, parsed."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", PACKAGE], cwd=folder, check=True, capture_output=True)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            member = archive.extractfile("package/countries-50m.json")
            assert member is not None
            topology: dict[str, Any] = json.load(member)
            return topology


def decode_arcs(topology: dict[str, Any]) -> list[Line]:
    """Arcs in degrees: the file holds differences of whole steps of its grid."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for steps in topology["arcs"]:
        x = y = 0
        line: Line = []
        for dx, dy in steps:
            x, y = x + dx, y + dy
            line.append((round(x * sx + tx, 4), round(y * sy + ty, 4)))
        arcs.append(line)
    return arcs


def join(indices: list[int], arcs: list[Line]) -> Line:
    """One ring from its arcs; index ~i is arc i backwards, and neighbours share their end point."""
    ring: Line = []
    for i in indices:
        line = arcs[i] if i >= 0 else arcs[~i][::-1]
        ring.extend(line[1:] if ring else line)
    return ring


def main() -> None:
    topology = read_topology()
    arcs = decode_arcs(topology)
    box = shapely.box(*BOX)
    countries: dict[str, list[list[Line]]] = {}
    repaired = 0
    for shape in topology["objects"]["countries"]["geometries"]:
        polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        for polygon in polygons:
            outer, *holes = [join(ring, arcs) for ring in polygon]
            part = Polygon(outer, holes)
            if not part.is_valid:
                part, repaired = shapely.make_valid(part), repaired + 1
            if not part.intersects(box):
                continue
            for whole in shapely.get_parts(part):
                if isinstance(whole, Polygon):
                    rings = [list(r.coords) for r in (whole.exterior, *whole.interiors)]
                    countries.setdefault(str(shape.get("id", "")), []).append(rings)
    about = {
        "package": PACKAGE,
        "licence": "ISC; Natural Earth, public domain",
        "countries": len(countries),
        "polygons": sum(map(len, countries.values())),
        "repaired": repaired,
    }
    text = json.dumps(
        {"about": about, "box": BOX, "countries": dict(sorted(countries.items()))}, separators=(",", ":")
    )
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    with OUTPUT.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.encode())
    print(json.dumps(about))


if __name__ == "__main__":
    main()
