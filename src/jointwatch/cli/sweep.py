"""The sweep command: what other costs would have meant for an exercise's warnings, printed and drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jointwatch.cli.play import progress_bar
from jointwatch.records.errors import BadInput

if TYPE_CHECKING:
    from jointwatch.review.sweep import Rung, Spread, Sweep

TABLE, FIGURE = "sweep.json", "sweep.svg"


def sweep_costs(path: Path, runs: int, out: Path, seed: int | None, workers: int, as_json: bool) -> None:
    """Sweep the scenario at `path`, write its table and its figure into `out`, and print the table."""
    # quick mistakes first: the file is read before anything heavy is imported
    from jointwatch.exercise.scenario import load_scenario

    scenario = load_scenario(path, {} if seed is None else {"seed": seed})
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(
            str(out), "folder", error.strerror or str(error), "a folder that can be made"
        ) from None
    with progress_bar("Playing") as shown:
        from jointwatch.review.sweep import sweep
        from jointwatch.review.sweep_figure import sweep_figure

        swept = sweep(scenario, runs, workers, shown)
    document = msgspec.to_builtins(swept)
    (out / TABLE).write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (out / FIGURE).write_text(sweep_figure(swept), encoding="utf-8")
    if as_json:
        print(json.dumps(document, ensure_ascii=False))
        return
    _print(swept)
    print(f"\nFigure: {out / FIGURE}")


def _print(swept: Sweep) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    runs = len(swept.seeds)
    for partner in swept.partners:
        console.print(
            f"\n{partner.partner}: {partner.present.feasible:,} zones struck that could be warned in time, "
            f"{runs} run{'' if runs == 1 else 's'}",
            style="bold", markup=False,
        )  # fmt: skip
        people = partner.present.person_minutes is not None
        table = Table(box=None, pad_edge=False, padding=(0, 2))
        columns = ["Costs", "Told from", "Not in time", "Zone-minutes", "Person-minutes"]
        table.add_column("")
        for column in columns[: 5 if people else 4]:
            table.add_column(column, justify="right")
        for name, rung in (*(("", rung) for rung in partner.ladder), ("now", partner.present)):
            cells = [name, *_cells(rung)]
            table.add_row(*cells[: 6 if people else 5])
        console.print(table)
    spread = "; in brackets, eight runs of ten lie within" if runs > 1 else ""
    console.print(
        "\nCosts 49 : 1: a zone struck unwarned is held to be 49 times as bad as one told for nothing.\n"
        f"Minutes: in shelter where nothing fell, a run{spread}.  now: the present policy.",
        markup=False,
    )


def _cells(rung: Rung) -> list[str]:
    times = "–" if rung.times_as_bad is None else f"{rung.times_as_bad:.3g} : 1"
    share = rung.missed_share
    missed = "–" if share is None else f"{rung.missed:,} of {rung.feasible:,} ({100.0 * share.mean:.2g} %)"
    people = "–" if rung.person_minutes is None else _shown(rung.person_minutes)
    told_from = f"{100.0 * rung.shelter_probability:.3g} %"
    return [times, told_from, missed, _shown(rung.zone_minutes), people]


def _shown(spread: Spread) -> str:
    mean = f"{spread.mean:,.1f}"
    return mean if spread.low == spread.high else f"{mean} ({spread.low:,.0f} to {spread.high:,.0f})"
