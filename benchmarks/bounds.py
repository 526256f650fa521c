"""Bounds: the product's own kernels on problems whose best possible answer is known.

In: which cases and how many runs; out: JSON lines with `case`, `rmse_over_bound` (the error over the bound
or, where there is none, over the published error), `nees` and what belongs to each case.  Seeds are the runs'
numbers; nothing is tuned to any of them.
    farina, julier  re-entries of the literature (`reentries`)
    meeting, late   four targets that meet, and late plots (`meeting`)
    arc             a 1,300 km arc tracked by one radar, and where it is said to come down (`long_arc`)
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor

import long_arc
import meeting
import numpy as np
import reentries

Line = dict[str, object]
RUNS = {"farina": 4000, "julier": 100, "meeting": 300, "late": 20, "arc": 100}
"""Runs of each case unless told otherwise: so many that the figures asked for can be told from chance."""
RADARS = (5.0, None), (1.0, 1.0)
"""Radars of the arc: seconds a scan, and sigma (m/s) of a measured range rate."""


def lines(case: str, runs: int, seed: int, pool: Executor | None) -> Iterator[Line]:
    """The lines of one case."""
    if case == "farina":
        yield from reentries.farina(runs, seed)
    elif case == "julier":
        yield from reentries.julier(runs, seed)
    elif case == "late":
        yield from meeting.late(runs, seed)
    elif case == "meeting":
        seeds = range(seed, seed + runs)
        one = meeting.meeting_run
        parts = list(pool.map(one, seeds, chunksize=8) if pool else map(one, seeds))
        yield from meeting.meeting_lines(np.array(parts))
    else:
        for own in (True, False):
            for scan_s, range_rate_ms in RADARS:
                yield from long_arc.arc(runs, seed, scan_s, range_rate_ms, own, pool)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 0 when done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", action="append", choices=list(RUNS), help="only this one (may be repeated)")
    parser.add_argument("--runs", type=int, help="runs of each case; default: each its own number")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args(arguments)
    if chosen.runs is not None and chosen.runs < 2:
        print(f"--runs: found {chosen.runs}, wanted 2 or more", file=sys.stderr)
        return 2
    pool = ProcessPoolExecutor(chosen.workers) if chosen.workers > 1 else None
    for case in chosen.case or RUNS:
        begun = time.perf_counter()
        for line in lines(case, chosen.runs or RUNS[case], chosen.seed, pool):
            print(json.dumps(line), flush=True)
        print(json.dumps({"case": case, "seconds": round(time.perf_counter() - begun, 1)}), flush=True)
    if pool is not None:
        pool.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
