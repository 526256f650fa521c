"""The simulate command: many seeds of the whole system under faults, and what a person sees of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from jointwatch.cli.play import progress_bar

if TYPE_CHECKING:
    from jointwatch.exercise.simulator.simulation import Outcome


def _say_broken(outcome: Outcome) -> None:
    """On standard error at once: a campaign takes an hour, and may itself be broken off."""
    print(f"seed {outcome.seed}: {outcome.invariant}: {outcome.said}", file=sys.stderr, flush=True)


def _tenths(seeds: int) -> Callable[[float], None]:
    """Says on standard error, where that is no terminal, when another tenth of some seeds is done."""
    said = 0

    def show(share: float) -> None:
        nonlocal said
        if int(share * 10.0 + 1e-9) > said:
            said = int(share * 10.0 + 1e-9)
            print(f"{round(share * seeds):,} of {seeds:,} seeds", file=sys.stderr, flush=True)

    return show


def run_seeds(seeds: int, first: int, workers: int, as_json: bool, trace: bool) -> int:
    """Simulate, print what came of it, and the exit status: 1 where an invariant does not hold."""
    from jointwatch.exercise.simulator.campaign import campaign, command_for
    from jointwatch.exercise.simulator.simulation import simulate

    if trace:
        for seed in range(first, first + seeds):
            print(f"seed {seed}", file=sys.stderr)
            simulate(seed, lambda line: print(line, file=sys.stderr))
    with progress_bar("Simulating") as shown:
        summary = campaign(first, seeds, workers, shown or _tenths(seeds), _say_broken)
    if as_json:
        document = msgspec.to_builtins(summary)
        for outcome in document["broken"]:
            outcome["again"] = command_for(outcome["seed"])
        print(json.dumps(document))
        return 1 if summary.broken else 0
    for outcome in summary.broken:
        print(f"seed {outcome.seed}: {outcome.invariant}: {outcome.said}")
        print(f"  again: {command_for(outcome.seed)}")
    for kind, count in summary.counts.items():
        print(f"  {kind:<30}{count:>10,}")
    many = len(summary.broken)
    print(
        f"{summary.seeds:,} seeds from {first} on: {'all invariants hold' if not many else f'{many} broken'} "
        f"({summary.seconds:.0f} s, {summary.seconds_a_seed:.2f} s a seed)"
    )
    return 1 if many else 0
