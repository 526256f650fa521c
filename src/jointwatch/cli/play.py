"""The run command: an exercise played to its end, and what a person sees of it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jointwatch.records.errors import BadInput

if TYPE_CHECKING:
    from jointwatch.exercise.play import Progress as Shown


def run_exercise(
    path: Path,
    out: Path | None,
    speed: str,
    seed: int | None,
    vary: list[str],
    as_json: bool,
    keep_pace: bool = False,
) -> None:
    """Play the scenario at `path`, write its results and print them, with the report's path last."""
    rate = _speed(speed)
    if keep_pace and rate == math.inf:
        raise BadInput("command line", "--keep-pace", f"--speed {speed}", "a --speed in seconds a second")
    changes = _changes(vary)
    if seed is not None:
        changes["seed"] = seed
    # quick mistakes first: the file is read before anything heavy is imported
    from jointwatch.exercise.scenario import load_scenario

    scenario = load_scenario(path, changes)
    target = out if out is not None else Path("out") / scenario.scenario.name

    from jointwatch.review.results import REPORT, new_results

    with new_results(target) as folder, progress_bar("Getting ready", "Playing", "Writing") as shown:
        from jointwatch.exercise.play import play
        from jointwatch.node.load import WallClock
        from jointwatch.review.after_action import staff_work, write_results

        staff_work(scenario)
        clock = WallClock() if keep_pace else None
        recording = play(scenario, scenario.seed, folder, shown, rate, clock=clock)
        summary = write_results(recording, folder)
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
        return
    from jointwatch.cli.tables import print_summary

    print_summary(summary, target / REPORT)


def _speed(text: str) -> float:
    if text == "max":
        return math.inf
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 < value < math.inf:
        raise BadInput("command line", "--speed", text, 'a number above 0, or "max"')
    return value


def _changes(vary: list[str]) -> dict[str, float]:
    """The changes that --vary asks for: keys and numbers."""
    known = ("azimuth_deg", "detection", "clutter")
    changes: dict[str, float] = {}
    for text in vary:
        key, _, value = text.partition("=")
        if key not in known:
            raise BadInput("command line", "--vary", text, f"{', '.join(known)} and a value, as in clutter=2")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise BadInput("command line", f"--vary {key}", value or "nothing", "a number")
        if key == "clutter" and number < 0.0:
            raise BadInput("command line", f"--vary {key}", value, "a factor not below 0")
        changes[key] = number
    return changes


@contextmanager
def progress_bar(first: str, then: str = "", last: str = "") -> Iterator[Shown | None]:
    """A bar on standard error while the body runs; nothing (None) where that is no terminal.

    first: what is done before the first share; then: after it; last: at the end.  "" for as before.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(first, total=1.0)

        def show(share: float) -> None:
            done = min(share, 1.0)
            bar.update(task, completed=done, description=(then if done < 0.99 else last) or first)

        yield show
