"""The figure a commander chooses costs by: what is missed against who is in shelter for nothing, as SVG.

In: a `Sweep`; out: the text of an SVG that is read in light and in dark, a panel for each partner.  Each
point is a policy, named by how many times as bad as being told for nothing it holds being struck unwarned;
the bars through it are the spread over the runs.  The present policy has a ring about it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple
from xml.sax.saxutils import escape

from jointwatch.review.sweep import Rung, Spread, Sweep, Swept

WIDTH, PANEL, HEAD = 760, 330, 62
LEFT, RIGHT, TOP, FLOOR = 66, 30, 70, 276
ROOM = 1.15
"""A panel is so much higher than its highest point: a name stands there."""
LINE_PX, LETTER_PX = 15, 7.5
LEAST_SHARE, LEAST_MINUTES = 0.01, 1.0
"""An axis reaches at least so far: where nothing is missed, the line lies on the axis and not across it."""
STYLE = """
  svg { font: 13px system-ui, sans-serif; }
  .paper { fill: #ffffff; } .ink { fill: #1b1f24; } .faint { fill: #57606a; }
  .grid { stroke: #d0d7de; } .axis { stroke: #57606a; fill: none; }
  .line { stroke: #0a5fb4; stroke-width: 2; fill: none; }
  .spread { stroke: #0a5fb4; stroke-width: 5; opacity: 0.2; }
  .mark { fill: #0a5fb4; } .present { fill: none; stroke: #b3400f; stroke-width: 2; }
  .now { fill: #b3400f; font-weight: 600; } .lead { stroke: #57606a; opacity: 0.6; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; } .ink { fill: #e6edf3; } .faint { fill: #9aa4af; }
    .grid { stroke: #2b323b; } .axis, .lead { stroke: #9aa4af; }
    .line { stroke: #6cb6ff; } .spread { stroke: #6cb6ff; opacity: 0.3; } .mark { fill: #6cb6ff; }
    .present { stroke: #ff9466; } .now { fill: #ff9466; }
  }
"""


class _Point(NamedTuple):
    """A policy in the figure: its costs in words, minutes for nothing, and the share missed."""

    name: str
    minutes: Spread
    missed: Spread


class _Label(NamedTuple):
    """A name at a point (pixels)."""

    x: float
    y: float
    kind: str
    text: str


class _Axes:
    """Where a policy's point lies in its panel (pixels), and the lines that say so."""

    def __init__(self, points: Sequence[_Point]) -> None:
        self._x_step, self._x_end = _scale(max(LEAST_MINUTES, *(p.minutes.high for p in points)), 8)
        self._y_step, self._y_end = _scale(
            100.0 * ROOM * max(LEAST_SHARE, *(p.missed.high for p in points)), 5
        )

    def x(self, minutes: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * minutes / self._x_end

    def y(self, share: float) -> float:
        return FLOOR - (FLOOR - TOP) * 100.0 * share / self._y_end

    def at(self, point: _Point) -> tuple[float, float]:
        """Where the mean over the runs lies."""
        return self.x(point.minutes.mean), self.y(point.missed.mean)

    def drawn(self) -> list[str]:
        out = []
        for value in _ticks(self._x_step, self._x_end):
            at, text = self.x(value), f"{value:,.{_digits(self._x_step)}f}"
            out.append(f'<path class="grid" d="M{at:.1f} {TOP} V{FLOOR}"/>')
            out.append(
                f'<text class="faint" x="{at:.1f}" y="{FLOOR + 18}" text-anchor="middle">{text}</text>'
            )
        for value in _ticks(self._y_step, self._y_end):
            at, text = self.y(value / 100.0), f"{value:.{_digits(self._y_step)}f}"
            out.append(f'<path class="grid" d="M{LEFT} {at:.1f} H{WIDTH - RIGHT}"/>')
            out.append(f'<text class="faint" x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{text}</text>')
        return [
            *out,
            f'<path class="axis" d="M{LEFT} {TOP} V{FLOOR} H{WIDTH - RIGHT}"/>',
            f'<text class="faint" x="{LEFT}" y="{TOP - 12}">not warned in time, % of those</text>',
            f'<text class="faint" x="{WIDTH - RIGHT}" y="{FLOOR + 38}" text-anchor="end">'
            "zone-minutes in shelter for nothing, a run</text>",
        ]


def sweep_figure(sweep: Sweep) -> str:
    """The SVG of a sweep."""
    runs = len(sweep.seeds)
    played = f"{sweep.scenario}, {runs} run{'' if runs == 1 else 's'}"
    spread = " Bars: of ten runs eight lie within." if runs > 1 else ""
    height = HEAD + PANEL * len(sweep.partners)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        ' aria-label="Zones not warned in time against zone-minutes in shelter for nothing, by policy">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
        f'<text class="ink" x="{LEFT}" y="24" font-size="15" font-weight="600">'
        f"What costs to state for a policy: {escape(played)}</text>",
        f'<text class="faint" x="{LEFT}" y="43" font-size="12">49 : 1 holds a zone struck unwarned to be 49 '
        "times as bad as one told for nothing.</text>",
        f'<text class="faint" x="{LEFT}" y="60" font-size="12">Down and left is better.{spread}</text>',
    ]
    for k, swept in enumerate(sweep.partners):
        out += [f'<g transform="translate(0 {HEAD + k * PANEL})">', *_panel(swept), "</g>"]
    return "\n".join([*out, "</svg>", ""])


def _panel(swept: Swept) -> list[str]:
    """One partner's panel; a word in its place where no zone of it that was struck could be warned."""
    title = (
        f"{swept.partner}: {swept.present.feasible:,} zones struck in all runs that could be warned in time"
    )
    out = [f'<text class="ink" x="{LEFT}" y="{TOP - 34}" font-weight="600">{escape(title)}</text>']
    points = [point for point in map(_point, swept.ladder) if point is not None]
    present = _point(swept.present)
    if not points or present is None:
        return [*out, f'<text class="faint" x="{LEFT}" y="{TOP}">Nothing to choose by.</text>']
    axes = _Axes([*points, present])
    out += axes.drawn()
    for p in points:
        x, y = axes.at(p)
        out.append(
            f'<path class="spread" d="M{axes.x(p.minutes.low):.1f} {y:.1f} H{axes.x(p.minutes.high):.1f}'
            f' M{x:.1f} {axes.y(p.missed.low):.1f} V{axes.y(p.missed.high):.1f}"/>'
        )
    places = [axes.at(p) for p in points]
    out.append('<path class="line" d="M' + " L".join(f"{x:.1f} {y:.1f}" for x, y in places) + '"/>')
    out += [f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in places]
    x, y = axes.at(present)
    out.append(f'<circle class="present" cx="{x:.1f}" cy="{y:.1f}" r="8"/>')
    labels = [*_names(axes, points, present), _Label(x, y, "now", f"now {present.name}")]
    for label, left, top in _apart(labels):
        out.append(f'<path class="lead" d="M{label.x:.1f} {label.y - 5:.1f} L{left:.1f} {top + 3:.1f}"/>')
        out.append(
            f'<text class="{label.kind}" x="{left:.1f}" y="{top:.1f}" text-anchor="middle">'
            f"{label.text}</text>"
        )
    return out


def _names(axes: _Axes, points: Sequence[_Point], present: _Point) -> list[_Label]:
    """Names of the ladder's points: one for those in a row at one place, none for the present policy."""
    named = [p for p in points if (axes.at(p), p.name) != (axes.at(present), present.name)]
    out = []
    for (x, y), same in groupby(named, lambda p: tuple(round(at, 1) for at in axes.at(p))):
        first, *others = [p.name for p in same]
        out.append(_Label(x, y, "ink", f"{first} to {others[-1]}" if others else first))
    return out


def _point(rung: Rung) -> _Point | None:
    if rung.missed_share is None:
        return None
    times = "no cost" if rung.times_as_bad is None else f"{rung.times_as_bad:.3g} : 1"
    return _Point(times, rung.zone_minutes, rung.missed_share)


def _scale(largest: float, most: int) -> tuple[float, float]:
    """A round step, and its multiple at or above the largest value, with at most so many steps to there."""
    decade = 10.0 ** math.floor(math.log10(largest / most))
    step = next(k * decade for k in (1, 2, 5, 10, 20) if largest <= most * k * decade)
    return step, step * math.ceil(largest / step - 1e-9)


def _ticks(step: float, end: float) -> list[float]:
    return [k * step for k in range(round(end / step) + 1)]


def _digits(step: float) -> int:
    """Decimals that tell the multiples of a step apart."""
    return max(0, -math.floor(math.log10(step) + 1e-9))


def _apart(labels: Sequence[_Label]) -> list[tuple[_Label, float, float]]:
    """Labels above their points, from left to right, each moved up until it lies over no other."""
    placed: list[tuple[_Label, float, float]] = []
    for label in sorted(labels, key=lambda one: (one.x, -one.y)):
        half = 0.5 * LETTER_PX * len(label.text)
        left, top = min(max(label.x, LEFT + half), WIDTH - half), label.y - 14.0
        while any(
            abs(left - x) < 0.5 * LETTER_PX * (len(label.text) + len(other.text)) and abs(top - y) < LINE_PX
            for other, x, y in placed
        ):
            top -= LINE_PX
        placed.append((label, left, top))
    return placed
