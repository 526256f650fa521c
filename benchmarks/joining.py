"""Joining: what a picture of several partners' tracklets loses to one tracker that has all their plots.

In: which parts and how many runs; out: JSON lines with `method`, `rmse_over_central` (error of place over the
central tracker's), `anees` (as the state's size if the filter is honest), `window`, and what belongs to each.
    textbook  two partners in one dimension, beside the stated figures (`textbook_pair`)
Seeds are the runs' numbers; nothing is tuned to any of them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from textbook_pair import STATED_RUNS, textbook

PARTS = ("textbook",)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 0 when done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=PARTS, help="only this one (may be repeated)")
    parser.add_argument("--runs", type=int, default=STATED_RUNS, help="runs of the textbook's problem")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    if chosen.runs < 2:
        print(f"--runs: found {chosen.runs}, wanted 2 or more", file=sys.stderr)
        return 2
    for part in chosen.part or PARTS:
        begun = time.perf_counter()
        for line in textbook(chosen.runs, chosen.seed):
            print(json.dumps(line), flush=True)
        print(json.dumps({"part": part, "seconds": round(time.perf_counter() - begun, 1)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
