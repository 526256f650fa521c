"""What a run prints at its end, and the review command prints again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jointwatch.records.errors import BadInput

ROWS = (
    ("Launches detected", "detected", "count"),
    ("Zones warned in time", "zones.warned_in_time", "count"),
    ("Zones warned late", "zones.late", "count"),
    ("Zones struck unwarned", "zones.missed", "count"),
    ("Told without need", "zones.false", "count"),
    ("Median warning", "lead_time_s.median", "seconds"),
    ("Least margin over time to shelter", "margin_s.min", "seconds"),
    ("First track after launch, median", "first_track_s.median", "seconds"),
    ("First launch report, median", "first_launch_report_s.median", "seconds"),
    ("Fall known at alert to (90 %)", "impact_error_m.p90", "km"),
    ("False tracks", "false_tracks", "count"),
)

EXPLAINED_FROM, FIGURES_NEED = 130, 110
"""Columns of a terminal from which on each measure of the picture's quality is explained beside it; columns
that the figures alone need."""


def print_summary(summary: dict[str, Any], report: Path) -> None:
    """The pictures side by side, the sentence, and where the report is."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    console.print()
    names = sorted(summary["pictures"], key=lambda name: (name == "joint", name))
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("")
    for name in names:
        table.add_column(summary.get("labels", {}).get(name, name), justify="right")
    for label, path, how in ROWS:
        values = [_shown(_at(summary["pictures"][name], path), how) for name in names]
        if any(value != "–" for value in values):
            table.add_row(label, *values)
    console.print(table)
    console.print()
    console.print(summary["sentence"], style="bold", markup=False)
    console.print()
    for line in (*_sinks_said(summary), *_others_said(summary)):
        console.print(line, markup=False)
    console.print(f"Report: {report}", markup=False)


def _sinks_said(summary: dict[str, Any]) -> list[str]:
    """A line a partner and sink: how many alerts arrived there, and what became of the others."""
    lines = []
    for partner, sinks in (summary.get("sinks") or {}).items():
        for sink in sinks:
            counts = [("delivered", "delivered"), ("failed", "attempts failed"), ("waiting", "still waiting")]
            counts += [("given_up", "given up"), ("withdrawn", "taken back before")]
            said = [f"{sink[key]:,} {word}" for key, word in counts if sink[key] or key == "delivered"]
            why = f" ({sink['last_error']})" if sink["last_error"] else ""
            lines.append(f"{partner} to {sink['name']}: {', '.join(said)}{why}")
            if sink.get("certificate"):
                lines.append(f"  {sink['certificate']}")
    return [*lines, ""] if lines else []


def _others_said(summary: dict[str, Any]) -> list[str]:
    """A line a partner: how many of others' alerts its node took and refused; one a source in trouble."""
    lines = []
    for partner, heard in (summary.get("others") or {}).items():
        refused = ", ".join(f"{reason} {count:,}" for reason, count in heard["refused"].items())
        stands = f"{heard['standing']:,} stand{'s' if heard['standing'] == 1 else ''} at the end"
        said = f"{heard['taken']:,} taken ({stands})"
        lines.append(f"{partner} heard of others: {said}, refused: {refused or 'none'}")
        for source in heard["sources"]:
            counts = [("failed", "looks failed"), ("waiting", "still waiting")]
            counts += [("dropped", "dropped"), ("left_out", "not to be had")]
            words = [f"{source[key]:,} {word}" for key, word in counts if source[key]]
            why = f" ({source['last_error']})" if source["last_error"] else ""
            if words:
                lines.append(f"  {source['name']}: {', '.join(words)}{why}")
    return [*lines, ""] if lines else []


def review_results(folder: Path, as_json: bool) -> None:
    """Print a folder of results again; BadInput if it holds none, or not whole."""
    from jointwatch.review.results import REPORT, SUMMARY, check_results

    check_results(folder)
    source = str(folder / SUMMARY)
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(source, "file", str(error), "the summary of an exercise (JSON)") from None
    for key in ("sentence", "pictures", "scenario", "seed"):
        if not isinstance(summary, dict) or key not in summary:
            raise BadInput(source, key, "nothing", "this key of a summary")
    if not isinstance(summary["pictures"], dict):
        raise BadInput(source, "pictures", type(summary["pictures"]).__name__, "a table of pictures")
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
        return
    print(f"{summary['scenario']}, seed {summary['seed']}")
    print_summary(summary, folder / REPORT)
    _print_quality(summary)
    _print_joining(summary)
    if summary.get("procedure"):
        _print_procedure(summary["procedure"])


def _print_quality(summary: dict[str, Any]) -> None:
    """How good the picture was; nothing where the summary is of a time that did not measure it."""
    from rich.console import Console
    from rich.table import Table

    from jointwatch.review.quality_table import quality_rows

    rows = quality_rows(summary)
    if not rows:
        return
    names = sorted(summary["pictures"], key=lambda name: (name == "joint", name))
    # on a narrow terminal the figures alone: the report's page says what they mean
    width = Console().width
    explained = width >= EXPLAINED_FROM
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("How good was the picture", no_wrap=True)
    for name in names:
        table.add_column(summary.get("labels", {}).get(name, name), justify="right", no_wrap=True)
    if explained:
        table.add_column("", style="dim")
    for row in rows:
        meaning = [row["meaning"]] if explained else []
        table.add_row(row["label"], *(row["values"][name] for name in names), *meaning)
    # and never cut: a line that is too long for the terminal goes on in its next
    console = Console(highlight=False, width=max(width, FIGURES_NEED), soft_wrap=not explained)
    console.print()
    console.print(table)


def _print_joining(summary: dict[str, Any]) -> None:
    """What joining gained by kind of event; nothing where the summary is of a time that did not say."""
    from rich.console import Console
    from rich.table import Table

    kinds = (summary.get("value_of_joining") or {}).get("by_kind")
    if not kinds:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("What joining gained", no_wrap=True)
    for head in (
        "events",
        *(f"over {_label(summary, key)}" for key in _alone(summary)),
        "over the first",
        "worst",
    ):
        table.add_column(head, justify="right", no_wrap=True)
    for sums in kinds.values():
        counts = [_gained(s) for s in (*(sums["over"][key] for key in _alone(summary)), sums)]
        worst = _shown(sums["gained_s"]["worst"], "seconds")
        table.add_row(sums["label"], str(sums["events"]), *counts, worst)
    console = Console(highlight=False, width=max(Console().width, FIGURES_NEED), soft_wrap=True)
    console.print()
    console.print(table)
    console.print(
        "+ sooner, only together, or a false alarm avoided; = the same; - the other way round", style="dim"
    )


def _alone(summary: dict[str, Any]) -> list[str]:
    return sorted(name for name in summary["pictures"] if name != "joint")


def _label(summary: dict[str, Any], name: str) -> str:
    return str(summary.get("labels", {}).get(name, name))


def _gained(sums: dict[str, Any]) -> str:
    """Counts of what joining gained, left as it was, and lost."""
    return f"+{sums['gained']} ={sums['same'] + sums['never']} -{sums['lost']}"


def _print_procedure(steps: dict[str, dict[str, int]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("Procedure")
    for key in ("due", "done", "late", "early", "never"):
        table.add_column({"done": "in time"}.get(key, key), justify="right")
    for name, counts in steps.items():
        table.add_row(name, *(str(counts[key]) for key in ("due", "done", "late", "early", "never")))
    console = Console(highlight=False, soft_wrap=True)
    console.print()
    console.print(table)


def _at(values: Any, path: str) -> Any:
    for key in path.split("."):
        values = values.get(key) if isinstance(values, dict) else None
    return values


def _shown(value: Any, how: str) -> str:
    if not isinstance(value, int | float):
        return "–"
    if how == "seconds":
        return f"{value:,.0f} s"
    if how == "km":
        return f"{value / 1000.0:,.1f} km"
    return f"{value:,}"
