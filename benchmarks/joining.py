"""Joining: what a picture of several partners' tracklets loses to one tracker that has all their plots.

In: which parts and how many runs; out: JSON lines with `method`, `rmse_over_central` (error of place over the
central tracker's), `anees` (as the state's size if the filter is honest), `window`, and what belongs to each.
    textbook  two partners in one dimension, beside the stated figures (`textbook_pair`)
    raid      the bundled raid told by two nodes, and by a ring of three (`raid_together`, `raid_scores`)
    latency   from a report to the partner's picture that holds it (`picture_latency`); only where asked for
Seeds are the runs' numbers; nothing is tuned to any of them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import picture_latency
import raid_scores
import raid_together
from textbook_pair import STATED_RUNS, textbook

Line = dict[str, object]
PARTS = ("textbook", "raid", "latency")
NODES = 2, 3
COMPILING = 20, 1.0


def raid(seeds: int, first: int, processes: int) -> Iterator[Line]:
    """The raid's lines, for the filter's own motion and for the exercise's."""
    for own_model in (True, False):
        for nodes in NODES:
            jobs = [(seed, nodes, own_model) for seed in range(first, first + seeds)]
            if processes > 1:
                with ProcessPoolExecutor(processes) as pool:
                    found = list(pool.map(raid_together.run, *zip(*jobs, strict=True)))
            else:
                found = [raid_together.run(*job) for job in jobs]
            yield from raid_scores.lines(dict(zip(range(len(jobs)), found, strict=True)), nodes, own_model)


def latency(objects: int, span_s: float, seed: int) -> Iterator[Line]:
    """The line of the latency, once all is compiled."""
    picture_latency.latency(*COMPILING, seed)
    yield picture_latency.latency(objects, span_s, seed)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 0 when done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=PARTS, help="only this one (may be repeated)")
    parser.add_argument("--runs", type=int, default=STATED_RUNS, help="runs of the textbook's problem")
    parser.add_argument("--seeds", type=int, default=6, help="raids of each layout")
    parser.add_argument("--seed", type=int, default=1, help="the first of them")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--latency", action="store_true", help="the same as --part latency")
    parser.add_argument("--objects", type=int, default=1000, help="objects that both partners track")
    parser.add_argument("--span", type=float, default=20.0, help="seconds over which latency is measured")
    chosen = parser.parse_args(arguments)
    if chosen.runs < 2:
        print(f"--runs: found {chosen.runs}, wanted 2 or more", file=sys.stderr)
        return 2
    parts = {
        "textbook": lambda: textbook(chosen.runs, chosen.seed),
        "raid": lambda: raid(chosen.seeds, chosen.seed, chosen.processes),
        "latency": lambda: latency(chosen.objects, chosen.span, chosen.seed),
    }
    for part in chosen.part or (PARTS[2:] if chosen.latency else PARTS[:2]):
        begun = time.perf_counter()
        for line in parts[part]():
            print(json.dumps(line), flush=True)
        print(json.dumps({"part": part, "seconds": round(time.perf_counter() - begun, 1)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
