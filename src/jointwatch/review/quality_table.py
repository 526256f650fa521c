"""How good the picture was, as a table for people: the same on the report's page and on the command line.

In: a summary; out: rows of a label, a text with its unit for each picture, and what it means in one line.
What was not measured is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Figures = dict[str, Any]
NONE = "–"
ROWS: tuple[tuple[str, Callable[[Figures], str], str], ...] = (
    (
        "Completeness",
        lambda p: _share(_siap(p, "completeness")),
        "of the time that missiles and rockets flew, the part in which they had a track; ideally 100 %",
    ),
    (
        "Longest unbroken track",
        lambda p: _share(_siap(p, "longest_segment")),
        "of that time, the part under an object's longest track without a break or a change of number",
    ),
    (
        "Number changes",
        lambda p: _changes(_siap(p, "number_changes"), _siap(p, "number_change_rate_hz")),
        "times that an object's track number changed, and that for each hour under track; ideally 0",
    ),
    (
        "Tracks an object",
        lambda p: _plain(_siap(p, "ambiguity"), 3),
        "tracks for each object that has one; ideally 1, more where one object shows double",
    ),
    (
        "Spurious tracks",
        lambda p: _share(_siap(p, "spuriousness"), 1),
        "of the time that tracks stood, the part in which no object was within 5 km; ideally 0 %",
    ),
    (
        "Position error",
        lambda p: _unit(_siap(p, "position_error_m"), "m"),
        "mean distance of a track from its object",
    ),
    (
        "Velocity error",
        lambda p: _unit(_siap(p, "velocity_error_ms"), "m/s", 1),
        "mean difference of a track's velocity from its object's",
    ),
    (
        "Position error by the bound",
        lambda p: _bound(p, "position"),
        "against the least that any filter could have had from these sensors' looks, median over objects; "
        "0.7 to 1 is as good as can be",
    ),
    ("Velocity error by the bound", lambda p: _bound(p, "velocity"), "the same of the velocity"),
    (
        "ANEES",
        lambda p: _anees(p.get("anees") or {}),
        "error against the uncertainty that tracks state: 6 is honest, in brackets what chance allows; "
        "above it, tracks claim to know more than they do",
    ),
    (
        "NEES, median",
        lambda p: _plain(p.get("nees_median"), 1),
        "the same without the few that are far off: 5.3 is honest",
    ),
    (
        "OSPA(2)",
        lambda p: _unit(p.get("ospa2_m"), "m"),
        "distance of the picture from the truth over a minute, broken and exchanged tracks included; "
        "0 m to 5,000 m",
    ),
    (
        "Trajectory GOSPA",
        lambda p: _unit(_trajectory(p, "distance_m"), "m"),
        "the same over the whole exercise, for each object and sample; 2,500 m where all is missed",
    ),
    (
        "…place / missed / false / switch",
        lambda p: _parts(p),
        "what that is made of, in m: errors of place, objects missed, tracks of nothing, switches of track",
    ),
    (
        "Group numbers that held",
        lambda p: _groups(p.get("groups") or {}),
        "tracks that fly together: how often the true number lay in the stated interval; 90 % is claimed",
    ),
)


def quality_rows(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows {"label", "values": text by picture, "meaning"}; none where no picture has a figure."""
    pictures = summary["pictures"]
    rows = []
    for label, shown, meaning in ROWS:
        values = {name: shown(figures) for name, figures in pictures.items()}
        if any(text != NONE for text in values.values()):
            rows.append({"label": label, "values": values, "meaning": meaning})
    return rows


def _siap(figures: Figures, key: str) -> float | None:
    return (figures.get("siap") or {}).get(key)


def _trajectory(figures: Figures, key: str) -> float | None:
    return (figures.get("trajectory_gospa") or {}).get(key)


def _plain(value: float | None, decimals: int) -> str:
    return NONE if value is None else f"{value:,.{decimals}f}"


def _unit(value: float | None, unit: str, decimals: int = 0) -> str:
    return NONE if value is None else f"{value:,.{decimals}f} {unit}"


def _share(value: float | None, decimals: int = 0) -> str:
    return NONE if value is None else f"{100.0 * value:.{decimals}f} %"


def _changes(count: float | None, rate_hz: float | None) -> str:
    if count is None:
        return NONE
    return f"{count:.0f}" if rate_hz is None else f"{count:.0f} ({3600.0 * rate_hz:.1f}/h)"


def _bound(figures: Figures, key: str) -> str:
    value = (figures.get("rmse_over_bound") or {}).get(key)
    return NONE if value is None else f"× {value:.2f}"


def _anees(anees: Figures) -> str:
    if anees.get("value") is None:
        return NONE
    return f"{anees['value']:.1f} ({anees['low']:.1f}–{anees['high']:.1f})"


def _parts(figures: Figures) -> str:
    parts = [_trajectory(figures, f"{key}_m") for key in ("localisation", "missed", "false", "switching")]
    known = [part for part in parts if part is not None]
    return " / ".join(f"{part:,.0f}" for part in known) if len(known) == len(parts) else NONE


def _groups(groups: Figures) -> str:
    if groups.get("within") is None:
        return NONE
    return f"{100.0 * groups['within']:.0f} % of {groups['stated']:,}"
