"""Salvos whose number is known: whether the number of launches that is told holds, and how wide it is.

In: which cases, how many salvos of each line and a seed; out: JSON lines with `case`, `class`,
`satellites`, `number` (launched), `span_s`, `coverage_50` and `coverage_90` (of the number that cleared the
clouds by the last look), `width_90` (median), `mean_rank` (of the truth in the distribution; a half is
right), `n` (salvos that were told of), `missed` (with five launches or more and told of by nobody), `ms`
(of one number, median) and `bound_90`: the width for a binomial count of as many looks alone, were P known
and all seen together.
    scans    scans through `Burns`: `made_salvos`, clouds up to 8 km or none, areas of 1 to 30 km
    worse    the same, with 0.85 detected where 0.9 is stated
Numbers are told twice: when half of the looks with launches are over, and at the end.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from false_launches import FALSE_PER_DAY, RATE_PER_M2_S
from made_salvos import made_salvo
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.exercise.infrared import simulate_scans
from jointwatch.launch.burns import Burns
from jointwatch.launch.salvo import salvos

Floats = NDArray[np.float64]
CASES = "scans", "worse"
KINDS = {"short_range": (5.0, 25.0), "medium_range": (18.0, 80.0), "medium_range_two_stage": (50.0, 100.0)}
"""How long they show above clouds, s, as the exercise flies them."""
NUMBERS, SPANS_S = (3, 10, 30, 60), (20.0, 120.0)
DETECTION, WORSE, DRAWS = 0.9, 0.85, 120
PERIOD_S = 10.0


class Told(NamedTuple):
    """A number that was told: the truth's rank in it, whether intervals hold it, the width, ms."""

    rank: float
    half: bool
    ninety: bool
    width: int
    ms: float


def told(probability: Floats, truth: int, ms: float) -> Told:
    """The score of a distribution over the number of launches."""
    p = np.pad(probability, (0, truth + 2))
    upto = np.cumsum(p)
    at = [int(np.searchsorted(upto, q)) for q in (0.05, 0.25, 0.75, 0.95)]
    rank = float(upto[truth] - 0.5 * p[truth])
    return Told(rank, at[1] <= truth <= at[2], at[0] <= truth <= at[3], at[3] - at[0], ms)


def of_scans(
    kind: str, number: int, span_s: float, eyes: int, detection: float, seed: int
) -> Iterator[Told | None]:
    """Numbers told of scans that went through `Burns`; None where no salvo was told of five launches."""
    rng = np.random.default_rng([seed, 2, *kind.encode()])
    area_m = math.exp(rng.uniform(math.log(1e3), math.log(30e3)))
    cloud_km = 8.0 * float(rng.uniform() < 0.7)
    made = made_salvo(kind, number, span_s, area_m, eyes, cloud_km, detection, seed)
    stated = [replace(s, detection=DETECTION) for s in made.scenario.satellite_records()]
    burns = Burns(stated, RATE_PER_M2_S, FALSE_PER_DAY, draws=DRAWS)
    shown = [t for t in made.clears_ns if t >= 0]
    if not shown:
        return
    moment, seen = (min(shown) + max(made.ends_ns)) // 2, False
    scans = list(simulate_scans(made.scenario, made.truth, seed))
    for scan in scans:
        burns.take(scan)
        now = scan.header.measured_ns
        if not ((now > moment and not seen) or scan is scans[-1]):
            continue
        seen = True
        truth = sum(t <= now for t in shown)
        t0 = time.perf_counter()
        found = salvos(burns.all(), burns.glances(), {s.name: s for s in stated})
        ms = 1e3 * (time.perf_counter() - t0)
        if found:
            most = max(found, key=lambda s: sum(int(one.counts.sum()) for one in s.looked))
            yield told(most.probability, truth, ms / len(found))
        elif truth >= 5:
            yield None


def bound_90(kind: str, number: int, eyes: int) -> float:
    """Width of a 90 % interval from so many binomial counts of all launches as a satellite makes
    meanwhile."""
    looks = eyes * max(0.5 * sum(KINDS[kind]) / PERIOD_S, 1.0)
    return 2.0 * 1.645 * math.sqrt(number * (1.0 - DETECTION) / DETECTION / looks)


def line(
    case: str, kind: str, eyes: int, number: int, span_s: float, count: int, seed: int
) -> dict[str, object]:
    """The figures of so many salvos of one kind."""
    found: list[Told | None] = []
    for k in range(count):
        at = seed + 1000 * k + 7 * number + eyes
        detection = DETECTION if case == "scans" else WORSE
        found += of_scans(kind, number, span_s, eyes, detection, at)
    good = [t for t in found if t is not None]
    keys: dict[str, object] = {
        "case": case, "class": kind, "satellites": eyes, "number": number, "span_s": span_s,
        "n": len(good), "missed": len(found) - len(good), "bound_90": round(bound_90(kind, number, eyes), 2),
    }  # fmt: skip
    if good:
        keys |= {
            "coverage_50": round(float(np.mean([t.half for t in good])), 3),
            "coverage_90": round(float(np.mean([t.ninety for t in good])), 3),
            "width_90": float(np.median([t.width for t in good])),
            "mean_rank": round(float(np.mean([t.rank for t in good])), 3),
            "ms": round(float(np.median([t.ms for t in good]))),
        }
    return keys


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", nargs="+", default=CASES, choices=CASES)
    parser.add_argument("--classes", nargs="+", default=tuple(KINDS), choices=tuple(KINDS))
    parser.add_argument("--numbers", nargs="+", type=int, default=NUMBERS)
    parser.add_argument("--spans", nargs="+", type=float, default=SPANS_S)
    parser.add_argument("--salvos", type=int, default=10, help="of each line")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    for case in asked.cases:
        for kind in asked.classes:
            for eyes in (1, 2):
                for number in asked.numbers:
                    for span_s in asked.spans:
                        found = line(case, kind, eyes, number, span_s, asked.salvos, asked.seed)
                        print(json.dumps(found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
