"""The run command: an exercise played to its end, and what a person sees of it.

In: the command's options, and others' alerts from the sources that were named; out: a folder of results,
alerts at the sinks that were asked for, and a table.
Keys are made here for the one run: its alerts are signed with them, and nothing keeps them.
"""

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
    from jointwatch.exercise.linked import Progress as Shown
    from jointwatch.exercise.scenario import Scenario
    from jointwatch.formats.warning_keys import WarningKey
    from jointwatch.node.config import NodeConfig
    from jointwatch.node.sinks.sinks_file import ExerciseSinks
    from jointwatch.node.sources.sources_file import Heeded


def run_exercise(
    path: Path,
    out: Path | None,
    speed: str,
    seed: int | None,
    vary: list[str],
    as_json: bool,
    keep_pace: bool = False,
    sinks_file: Path | None = None,
    sources_file: Path | None = None,
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

    if sinks_file is not None and not sinks_file.is_file():
        raise BadInput(str(sinks_file), "file", "nothing", "a file of sinks (--sinks)")
    if sources_file is not None and not sources_file.is_file():
        raise BadInput(str(sources_file), "file", "nothing", "a file of sources (--sources)")
    scenario = load_scenario(path, changes)
    target = out if out is not None else Path("out") / scenario.scenario.name

    from jointwatch.review.results import REPORT, new_results

    with new_results(target) as folder, progress_bar("Getting ready", "Playing", "Writing") as shown:
        from jointwatch.exercise.nodes import node_configs
        from jointwatch.exercise.play import play
        from jointwatch.node.load import WallClock
        from jointwatch.review.after_action import staff_work, write_results

        staff_work(scenario)
        configs = node_configs(scenario)
        linked = {partner.name: configs[partner.name] for partner in scenario.partners}
        keys = _keys_of_the_run(scenario, linked)
        clock = WallClock() if keep_pace else None
        sources = _sources(sources_file, list(linked), target)
        with _sinks(sinks_file, scenario, linked, target) as sinks:
            recording = play(
                scenario, scenario.seed, folder, shown, rate, clock=clock, sinks=sinks, sources=sources
            )
        summary = write_results(recording, folder, keys)
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
        return
    from jointwatch.cli.tables import print_summary

    print_summary(summary, target / REPORT)


def _keys_of_the_run(scenario: Scenario, linked: dict[str, NodeConfig]) -> dict[str, WarningKey]:
    """A key of exercises for each partner's node, to be thrown away: whoever has the certificates can see
    that the files are as this run wrote them.  BadInput if a node's name is too long for a certificate."""
    from jointwatch.formats.warning_keys import MOST_SENDER, WarningKey

    for config in linked.values():
        if max(len(sender.encode()) for sender in config.senders) > MOST_SENDER:
            found = f"{config.name}, with the partner's"
            wanted = f"{MOST_SENDER} bytes at most: a certificate holds no more"
            raise BadInput(scenario.path, "scenario.name", found, wanted)
    return {
        p: WarningKey.made(config.name, True, scenario.start_ns, also=config.senders[1:])
        for p, config in linked.items()
    }


@contextmanager
def _sinks(
    path: Path | None, scenario: Scenario, linked: dict[str, NodeConfig], results: Path
) -> Iterator[ExerciseSinks | None]:
    """The sinks of a file while the body runs; BadInput if one is not for this exercise, or would write into
    the results, which are replaced as a whole."""
    if path is None:
        yield None
        return
    from jointwatch.node.sinks.sinks_file import load_exercise_sinks

    sinks = load_exercise_sinks(path, linked, (scenario.start_ns, scenario.end_ns), results)
    try:
        yield sinks
    finally:
        sinks.close()


def _sources(path: Path | None, partners: list[str], results: Path) -> dict[str, Heeded] | None:
    """Whose alerts each partner's node takes, and from where, by the file; BadInput if it is not for this
    exercise, or a folder lies in the results, which are replaced as a whole."""
    if path is None:
        return None
    from jointwatch.node.sources.folder import Folder
    from jointwatch.node.sources.sources_file import load_sources

    heeded = load_sources(path, partners, exercise=True)
    for source in (source for heeds in heeded.values() for source in heeds.sources):
        if isinstance(source, Folder) and source.folder.resolve().is_relative_to(results.resolve()):
            raise BadInput(path.name, "folder", str(source.folder), f"one outside the results ({results})")
    return heeded


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
