"""The after-action report a person opens: one self-contained HTML file, made from one dictionary.

In: what `review` gathered of an exercise as plain values.  Out: a file that opens from disk with no
network, no build step and no other file beside it: the page's style, script and data are written into it,
and its content-security policy forbids it to load anything at all.  Nothing is computed here about the
exercise; the page only draws what it is handed.

The layout (times `t` in seconds from the exercise's start, degrees, kilometres unless the name ends in
`_m`, zones as indices, ellipses of 90 %; a whole one is in `tests/review/fake_exercise.py`).  Needed:
- `title`, `sentence`, `start_utc`, `duration_s`;
- `zones` [{key, name, partner, shelter_s, lon, lat, ring, radius_m}];
- `pictures`: a partner's name in lower case, or "joint" -> {label, summary (as in `summary.json`),
  tracks [{number, class, path: [[t, lon, lat, alt, phase]], launch {lon, lat, a_km, b_km, bearing_deg, t,
  origin, why, sensors, azimuth_deg, azimuth_sigma_deg}, impacts: [[t, lon, lat, a, b, bearing, impact_t]]}],
  alerts [{t, action, tier, partner, zones, impact_t, reason, id}],
  burns (may be missing) [{number, track, told: [[t, {class, launch, impact}]], tracked, over}], as in
  `review.page_burns`,
  groups (may be missing) [[t, [[lon, lat, a_km, b_km, bearing_deg, lon/s, lat/s, number, fewest, most]]]],
  salvos (may be missing), like groups}.
Left out of the page where missing: `scenario`, `seed`, `partners`, `outlines` (rings), `labels`, `sensors`,
`satellites` [{name, partner, lon, period_s}], `truth` [{name, class, raid, end, path: [[t, lon, lat, alt]]}],
`falls` [{name, class, raid, t, lon, lat, zones}], `quality` [{label, values {picture: text}, meaning}],
`value_of_joining`, `joining` {sentence, by_kind, events} (`review.gain`, `review.joining`), `link` {cuts,
counts}, `procedure`, `assessment`, `origins` (`review.page_launches.origin_rows`), `others` {taken, refused,
sources} (`review.page_others`).
"""

from __future__ import annotations

import html
import json
import math
import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from jointwatch.records import BadInput

SCRIPTS = (
    "state.js",
    "ground.js",
    "scale.js",
    "groups.js",
    "burns.js",
    "map.js",
    "timeline.js",
    "tables.js",
    "others.js",
    "quality.js",
    "joining.js",
    "report.js",
)
"""The page's script, in the order in which its parts build on each other."""

DECIMALS = 5
"""Decimals kept of every number on the page: 1 m in degrees, far below what a screen shows."""

_PLACEHOLDER = re.compile(r"@@(title|style|script|data)@@")


def write_report(path: Path, data: dict[str, Any]) -> None:
    """Write the report of one exercise to `path`, whole or not at all.

    data: JSON-able; `title`, `sentence`, `start_utc`, `duration_s`, `zones` and `pictures` are needed,
    every other section is left out of the page where it is missing.  Numbers are rounded to `DECIMALS`.
    Raises BadInput naming the key when something needed is missing, a number is not finite, or an alert
    or a fall names a zone that is not there.  The same data gives the same bytes.
    """
    text = report_html(data)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def report_html(data: dict[str, Any]) -> str:
    """The report's HTML text; see `write_report` for `data` and errors."""
    _check(data)
    page = files("jointwatch.review") / "page"
    parts = {
        "title": html.escape(str(data["title"])),
        "style": (page / "report.css").read_text("utf-8"),
        "script": "\n".join((page / name).read_text("utf-8") for name in SCRIPTS),
        "data": _embedded(data),
    }
    template = (page / "report.html").read_text("utf-8")
    # one pass, so that a placeholder's look-alike inside the data stays what it is
    return _PLACEHOLDER.sub(lambda match: parts[match[1]], template)


def _embedded(data: dict[str, Any]) -> str:
    """JSON that can stand inside a <script> element: no `<` at all, so no tag or comment can begin or end."""
    text = json.dumps(_rounded(data, "data"), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _rounded(value: Any, where: str) -> Any:
    """`value` with its numbers rounded; BadInput with the path of one that is not finite or not plain."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadInput("report", where, value, "a finite number, or null where there is none")
        short = round(float(value), DECIMALS)
        return int(short) if short.is_integer() else short
    if isinstance(value, dict):
        return {str(key): _rounded(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item, f"{where}[{i}]") for i, item in enumerate(value)]
    raise BadInput("report", where, type(value).__name__, "a plain JSON value")


def _check(data: dict[str, Any]) -> None:
    """Refuse what the page could not draw truly."""
    for key in ("title", "sentence", "start_utc", "duration_s", "zones", "pictures"):
        if key not in data:
            raise BadInput("report", key, "nothing", "this key")
    duration = data["duration_s"]
    if isinstance(duration, bool) or not isinstance(duration, (int, float)) or not duration > 0:
        raise BadInput("report", "duration_s", duration, "a number of seconds above 0")
    if not data["pictures"]:
        raise BadInput("report", "pictures", "none", "at least one picture")
    count = len(data["zones"])
    lists = [(f"falls[{i}].zones", fall.get("zones", ())) for i, fall in enumerate(data.get("falls", ()))]
    for name, picture in data["pictures"].items():
        lists += [
            (f"pictures.{name}.alerts[{i}].zones", alert.get("zones", ()))
            for i, alert in enumerate(picture.get("alerts", ()))
        ]
    for where, indices in lists:
        for index in indices:
            if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < count:
                raise BadInput("report", where, index, f"an index into the {count} zones")
