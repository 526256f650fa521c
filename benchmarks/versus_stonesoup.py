"""Speed beside the peer: our tracker, Stone Soup's fastest real-time chain, and a bare filter, in one run.

In: files of the layout of `hard_inputs`, or numbers of targets and seeds (`easy_inputs`); out: three JSON
lines an input, one for each configuration of ours:

    one motion    constant gravity over a flat Earth, which is what the peer is told too
    product       the product's three phases and default rules, a radar on the round Earth.  A flat file
                  cannot be that: its targets are flown again over the Earth from where they begin, and seen
                  and cluttered by the file's statistics; the peer's figures beside it are of the flat file
    bare numpy    the fair floor: a filter in NumPy that is told which plot is whose (`bare_ekf`)

The peer is Stone Soup 1.9.1 (extra `bench`): an extended Kalman filter, nearest neighbours assigned over a
tree of plots, 3 plots to begin a track, 4 looks without one to end it, 2 while it is held.  It runs in a
process of its own, so that neither carries the other's memory; peer and ours take turns, never at once.
Times are of whole scans, from plots to the list of tracks: means of scan 5 on, medians over repetitions.
`ms_per_scan_worst` is the slowest such scan of all.  `us_per_live_track` divides by the tracks told.
Accuracy: means of the last ten scans, GOSPA with power 2 and a cutoff of 5,000 m.  `times_faster` is the
ratio of the medians, `times_faster_worst` of the peer's fastest run to our slowest.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from bare_ekf import bare
from calibration import calibration_ms
from easy_inputs import PLACE, easy_input, over_the_earth
from hard_case import CAPACITY, followed, ours, radar_for
from hard_inputs import Estimates, Input, read_input
from msgspec import structs
from stonesoup_chains import Chain, peer

from jointwatch.records import Sensor
from jointwatch.review.gospa import gospa_parts
from jointwatch.tracking.tracker import Tracker

CHAIN: Chain = {"filter": "Extended", "associate": "gnn", "plots": 3, "lose": 4}
NUMBERS, SEEDS = (10, 50, 100), (1, 2, 3)
SETTLED_SCAN, SCORED_SCANS, CUTOFF_M = 5, 10, 5000.0
TURNS = 3
"""Runs of ours for each of the peer's: they are short, and one alone may fall into another program's turn."""


class Case(NamedTuple):
    """One configuration: its name, the input it is given, and what follows that input."""

    name: str
    data: Input
    follow: Callable[[], Estimates]


def on_the_earth(sensor: Sensor) -> Sensor:
    """A radar of a flat frame, at its place on the Earth."""
    latitude, longitude = PLACE
    return structs.replace(sensor, flat=False, latitude_rad=latitude, longitude_rad=longitude)


def cases(data: Input, seed: int) -> list[Case]:
    """The three configurations on an input; seed: of what is drawn over the Earth."""
    earth, local = over_the_earth(data, on_the_earth(radar_for(data)), seed)
    sensor = on_the_earth(radar_for(local))
    return [
        Case("one motion", data, lambda: ours(data)),
        Case("product", earth, lambda: followed(Tracker("Amber", [sensor], capacity=CAPACITY), earth)),
        Case("bare numpy", data, lambda: bare(data)),
    ]


def settled_ms(said: Estimates) -> float:
    """Mean time (ms) of a run's settled scans."""
    return 1e3 * float(np.mean(said.seconds[SETTLED_SCAN:]))


def cost(runs: list[Estimates]) -> dict[str, float]:
    """What runs over the same input cost, for one scan and for one track of it."""
    median = float(np.median([settled_ms(said) for said in runs]))
    live = float(np.mean([len(who) for who in runs[0].who[SETTLED_SCAN:]]))
    return {
        "ms_per_scan": round(median, 4),
        "ms_per_scan_worst": round(1e3 * max(max(said.seconds[SETTLED_SCAN:]) for said in runs), 4),
        "us_per_live_track": round(1e3 * median / max(live, 1.0), 3),
    }


def accuracy(data: Input, said: Estimates) -> dict[str, float]:
    """GOSPA (m), missed and false tracks, position error (m) of what is assigned: means of the last scans."""
    parts = [
        gospa_parts(where, truth[:, :3], CUTOFF_M)
        for where, truth in zip(said.where[-SCORED_SCANS:], data.truth[-SCORED_SCANS:], strict=True)
    ]
    # the mean of the scans' mean squares, over scans that have any
    squares = [float(np.mean(p.pairs.apart**2)) for p in parts if len(p.pairs.apart)]
    return {
        "gospa_m": round(float(np.mean([p.distance_m for p in parts])), 1),
        "missed_mean": round(float(np.mean([p.missed_count for p in parts])), 3),
        "false_mean": round(float(np.mean([p.false_count for p in parts])), 3),
        "pos_rmse_m": round(math.sqrt(np.mean(squares)), 1) if squares else math.nan,
    }


def times(fast: list[Estimates], slow: list[Estimates]) -> tuple[float, float]:
    """How many times faster one is than another: by medians, and its slowest run by the other's fastest."""
    ours_ms, others_ms = [settled_ms(s) for s in fast], [settled_ms(s) for s in slow]
    middle, worst = np.median(others_ms) / np.median(ours_ms), min(others_ms) / max(ours_ms)
    return round(float(middle), 3), round(float(worst), 3)


def lines(data: Input, seed: int, repetitions: int, other: Executor | None) -> Iterator[dict[str, Any]]:
    """An input's three lines; other: where the peer runs, None for ours alone."""
    own = cases(data, seed)
    runs: dict[str, list[Estimates]] = {case.name: [] for case in own}
    theirs: list[Estimates] = []
    calibrations = [calibration_ms()]
    for _ in range(repetitions):
        for _ in range(TURNS):
            for case in own:
                runs[case.name].append(case.follow())
        if other is not None:
            theirs.append(other.submit(_theirs, data).result())
        calibrations.append(calibration_ms())
    calibrated = round(float(np.median(calibrations)), 2)
    beside = {**cost(theirs), **accuracy(data, theirs[0])} if theirs else None
    for case in own:
        mine = runs[case.name]
        line: dict[str, Any] = {
            "input": data.name, "n": data.truth.shape[1], "configuration": case.name,
            "truth": "flown again over the Earth" if case.data is not data else "of the input",
            **cost(mine), **accuracy(case.data, mine[0]),
        }  # fmt: skip
        if case.name == "bare numpy":
            # how many times longer ours takes than the floor
            line["one_motion_over_it"], line["one_motion_over_it_worst"] = _over(runs["one motion"], mine)
            line["product_over_it"], line["product_over_it_worst"] = _over(runs["product"], mine)
        if beside is not None:
            line["times_faster"], line["times_faster_worst"] = times(mine, theirs)
            line["peer"] = beside
        yield {**line, "repetitions": len(mine), "calibration_ms": calibrated}


def _theirs(data: Input) -> Estimates:
    """What the peer says of an input, in the process of its own."""
    said = peer(data, CHAIN)
    assert said is not None  # it has no limit of time
    return said


def _over(slow: list[Estimates], floor: list[Estimates]) -> tuple[float, float]:
    """How many times longer runs take than a floor: by medians, and the slowest by the floor's fastest."""
    slow_ms, floor_ms = [settled_ms(s) for s in slow], [settled_ms(s) for s in floor]
    middle, worst = np.median(slow_ms) / np.median(floor_ms), max(slow_ms) / min(floor_ms)
    return round(float(middle), 2), round(float(worst), 2)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, action="append", help="a file (may be repeated)")
    parser.add_argument("--n", type=int, nargs="+", default=list(NUMBERS), help="targets of inputs generated")
    parser.add_argument("--seed", type=int, nargs="+", default=list(SEEDS), help="seeds of inputs generated")
    parser.add_argument("--repetitions", type=int, default=3, help="runs of the peer, and a third of ours")
    parser.add_argument("--only", choices=["ours"], help="without the peer")
    chosen = parser.parse_args(arguments)
    with_peer = chosen.only is None
    if with_peer and importlib.util.find_spec("stonesoup") is None:
        print("versus_stonesoup: Stone Soup is not installed (extra `bench`): ours alone.", file=sys.stderr)
        with_peer = False
    if missing := [str(path) for path in chosen.data or [] if not path.is_file()]:
        print(f"versus_stonesoup: no {', '.join(missing)}.", file=sys.stderr)
        return 2
    for case in cases(easy_input(10, 0), 0):
        case.follow()  # compiles, so that no run's time holds it
    if chosen.data:
        inputs = ((read_input(path), 1) for path in chosen.data)
    else:
        inputs = ((easy_input(n, seed), seed) for n in chosen.n for seed in chosen.seed)
    with ExitStack() as stack:
        alone = ProcessPoolExecutor(1, get_context("spawn"))
        other = stack.enter_context(alone) if with_peer else None
        if other is not None:
            other.submit(_theirs, easy_input(2, 0)).result()  # loads the peer
        for data, seed in inputs:
            for line in lines(data, seed, chosen.repetitions, other):
                print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
