"""The figure of cost: milliseconds a scan against the number of tracks, both logarithmic, as SVG.

In: lines of `versus_stonesoup` and `scaling`; out: the text of an SVG that is read in light and in dark.
Of several lines for one point (seeds) the median is drawn.  A thin dotted line of N log N lies beside the
product's scaling, for the eye.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

WIDTH, HEIGHT = 760, 470
LEFT, RIGHT, TOP, BOTTOM = 74, 220, 44, 54
LINE_PX = 16
"""Labels are at least this far apart."""
BESIDE = 0.2
"""How much lower than what it is held against the line of N log N begins, so that both are seen."""
STYLE = """
  svg { font: 13px system-ui, sans-serif; }
  .paper { fill: #ffffff; } .ink { fill: #1b1f24; } .faint { fill: #57606a; }
  .grid { stroke: #d0d7de; stroke-width: 1; } .axis { stroke: #57606a; stroke-width: 1; }
  .eye { stroke: #57606a; stroke-width: 1; stroke-dasharray: 2 4; fill: none; }
  .line { fill: none; stroke-width: 2; } .mark { stroke-width: 2; }
  .peer { stroke: #b3400f; color: #b3400f; } .one { stroke: #0a5fb4; color: #0a5fb4; }
  .product { stroke: #117a4b; color: #117a4b; } .floor { stroke: #7a5195; color: #7a5195; }
  .mark { fill: currentColor; } .hollow { fill: #ffffff; } text.label { fill: currentColor; stroke: none; }
  @media (prefers-color-scheme: dark) {
    .paper, .hollow { fill: #0d1117; } .ink { fill: #e6edf3; } .faint { fill: #9aa4af; }
    .grid { stroke: #2b323b; } .axis, .eye { stroke: #9aa4af; }
    .peer { stroke: #ff9466; color: #ff9466; } .one { stroke: #6cb6ff; color: #6cb6ff; }
    .product { stroke: #56d39b; color: #56d39b; } .floor { stroke: #cba6f0; color: #cba6f0; }
  }
"""


class Series(NamedTuple):
    """One line: its name, its class of colour, its points (tracks, ms), whether its marks are hollow.

    before: its name stands before its last point, where others run behind it.
    """

    label: str
    colour: str
    points: tuple[tuple[float, float], ...]
    hollow: bool = False
    before: bool = False


Line = Mapping[str, Any]


def series_of(versus: Iterable[Line], scaling: Iterable[Line]) -> list[Series]:
    """What is drawn of the lines of two benchmarks; a series without points is left out."""
    versus, scaling = list(versus), list(scaling)

    def beside(name: str) -> tuple[tuple[float, float], ...]:
        return _medians((v["n"], v["ms_per_scan"]) for v in versus if v["configuration"] == name)

    def scaled(layout: str) -> tuple[tuple[float, float], ...]:
        return _medians(
            (s.get("confirmed", s["n"]), s["ms_per_scan"]) for s in scaling if s["layout"] == layout
        )

    peers = _medians(
        (v["n"], v["peer"]["ms_per_scan"])
        for v in versus
        if "peer" in v and v["configuration"] == "one motion"
    )
    found = [
        Series("Stone Soup 1.9.1", "peer", peers),
        Series("ours, product", "product", beside("product")),
        Series("ours, one motion", "one", beside("one motion")),
        Series("bare NumPy, origins known", "floor", beside("bare numpy")),
        Series("ours, product, many radars", "product", scaled("sites"), True),
        Series("ours, one motion, one box", "one", scaled("one box"), True, True),
    ]
    return [s for s in found if s.points]


def _medians(pairs: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The median of the values of each number, in order of number."""
    by: dict[float, list[float]] = {}
    for n, value in pairs:
        by.setdefault(float(n), []).append(float(value))
    out = []
    for n in sorted(by):
        values = sorted(by[n])
        half = len(values) // 2
        out.append((n, values[half] if len(values) % 2 else 0.5 * (values[half - 1] + values[half])))
    return tuple(out)


def n_log_n(first: tuple[float, float], to: float) -> list[tuple[float, float]]:
    """Points of N log N through a first one, to a number of tracks."""
    n, value = first
    steps = [n * (to / n) ** (k / 24) for k in range(25)]
    return [(x, value * x * math.log(x) / (n * math.log(n))) for x in steps]


def cost_figure(series: Sequence[Series], note: str) -> str:
    """The SVG; note: a line under the title, where and when it was measured.  ValueError of no points."""
    every = [p for s in series for p in s.points]
    if not every:
        raise ValueError("a figure needs points")
    eyes = min(series, key=lambda s: (not s.hollow, s.colour != "product")).points
    n, v = eyes[0]
    eye = n_log_n((n, BESIDE * v), max(n for n, _ in every)) if n > 1.0 else []
    low_x, high_x = _decades([n for n, _ in every])
    low_y, high_y = _decades([v for _, v in [*every, *eye]])

    def x(n: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(n) - low_x) / (high_x - low_x)

    def y(v: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log10(v) - low_y) / (high_y - low_y)

    def path(points: Iterable[tuple[float, float]]) -> str:
        return "M" + " L".join(f"{x(n):.1f} {y(v):.1f}" for n, v in points)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="Cost of a scan in milliseconds against the number of tracks">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="ink" x="{LEFT}" y="18" font-weight="600">Cost of a scan, ms, one core</text>',
        f'<text class="faint" x="{LEFT}" y="35" font-size="11">{_escaped(note)}</text>',
    ]
    for k in range(low_x, high_x + 1):
        at = x(10.0**k)
        out.append(f'<path class="grid" d="M{at:.1f} {TOP} V{HEIGHT - BOTTOM}"/>')
        out.append(
            f'<text class="faint" x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
            f"{10**k:,}</text>"
        )
    for k in range(low_y, high_y + 1):
        at = y(10.0**k)
        out.append(f'<path class="grid" d="M{LEFT} {at:.1f} H{WIDTH - RIGHT}"/>')
        label = f"{10**k:,}" if k >= 0 else f"{10.0**k:.{-k}f}"
        out.append(f'<text class="faint" x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{label}</text>')
    middle = 0.5 * (LEFT + WIDTH - RIGHT)
    out.append(
        f'<text class="faint" x="{middle:.0f}" y="{HEIGHT - 12}" text-anchor="middle">tracks, with as many'
        " false plots a scan</text>"
    )
    out.append(f'<path class="axis" fill="none" d="M{LEFT} {TOP} V{HEIGHT - BOTTOM} H{WIDTH - RIGHT}"/>')
    labels: list[tuple[float, float, str, str]] = []
    if eye:
        out.append(f'<path class="eye" d="{path(eye)}"/>')
        labels.append((x(eye[-1][0]) + 9, y(eye[-1][1]) + 4, "faint", "N log N"))
    for s in series:
        out.append(f'<path class="line {s.colour}" d="{path(s.points)}"/>')
        kind = "mark hollow" if s.hollow else "mark"
        out += [
            f'<circle class="{kind} {s.colour}" cx="{x(n):.1f}" cy="{y(v):.1f}" r="4"/>' for n, v in s.points
        ]
        n, v = s.points[-1]
        if s.before:
            out.append(
                f'<text class="label {s.colour}" x="{x(n) - 9:.1f}" y="{y(v) + 4:.1f}" text-anchor="end">'
                f"{_escaped(s.label)}</text>"
            )
        else:
            labels.append((x(n) + 9, y(v) + 4, f"label {s.colour}", s.label))
    for left, top, kind, text in _apart(labels):
        out.append(f'<text class="{kind}" x="{left:.1f}" y="{top:.1f}">{_escaped(text)}</text>')
    return "\n".join([*out, "</svg>", ""])


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """Powers of ten that enclose positive values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _apart(labels: Iterable[tuple[float, float, str, str]]) -> list[tuple[float, float, str, str]]:
    """Labels moved down where they would lie over one that begins near the same place."""
    placed: list[tuple[float, float, str, str]] = []
    for left, top, kind, text in sorted(labels, key=lambda one: one[1]):
        for other in placed:
            if abs(other[0] - left) < 150.0 and abs(other[1] - top) < LINE_PX:
                top = other[1] + LINE_PX
        placed.append((left, top, kind, text))
    return placed


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
