"""Launches by their burns: whether what is told of them holds, and how near it comes to what can be known.

In: which cases, sensors and classes, and how many launches; out: JSON lines with `case`, `sensors`, `class`,
`error_over_bound`, `coverage_50` and `coverage_90` (of the launch place), `area_km2` (90 %, before the
floor), `area_over_bound`, `log_score` (place and azimuth; m, m, rad), `n`, `misses` (launches of which too
little was seen), `ms` (of one posterior), and what belongs to each; null where there is none.
    stated     flown by the stated boost model with values drawn from its prior (`burn_truths`)
    exercise   flown by the exercise's physics, which the estimator does not know: its one design of a class
    designs    the same physics, each launch of a design of its own
    reference  launches of the stated model again, beside a long ensemble MCMC (`burn_reference`)
    rockets    how many rockets are seen at all: most burn out below the clouds
    origin     launches near borders: origins stated wrongly, and what is left open (`near_borders`)
One satellite at 10 E (mono) or two at 10 E and 75 E (stereo), 30 microradians, a look in 10 s, 0.9
detected, clouds even up to 8 km, seen to the end of the burn and two looks more; or one radar and no
satellite (stated, exercise and designs, `radar_truths`): a line for when its node would first tell of the
launch and one for later.  First reports and classes: `false_launches`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import burn_reference
import burn_scores
import burn_truths
import near_borders
import numpy as np
import radar_truths
from burn_scores import Score, Truth
from burn_truths import Flown, Seen
from numpy.typing import NDArray

from jointwatch.launch.ascent import END, TIME
from jointwatch.launch.looks import SEEN, SITE
from jointwatch.launch.posterior import Posterior, posterior
from jointwatch.launch.profiles import PROFILES, profile_named

Floats = NDArray[np.float64]
Line = dict[str, object]
CASES = "stated", "exercise", "designs", "reference", "rockets", "origin"
KINDS = "short_range", "medium_range", "medium_range_two_stage"
ROCKETS = "artillery_rocket", "heavy_rocket"
RADAR = "radar"
REFERENCES = 200
"""Launches of a class at most that the reference is made for, twice: it takes some seconds each time."""
MOST_TRIES = 20
"""Launches flown at most for each that is to be seen."""
STARTS = 4000
"""Draws that the reference starts from."""
TRUTHS = 100
"""Draws of a second reference, of the true class, that stand for truths of the same looks."""
COLLAPSED = 0.25
"""Draws of which fewer than this part are distinct are counted as a set that collapsed."""
RESULTS = (
    "error_over_bound", "coverage_50", "coverage_90", "area_km2", "area_over_bound", "log_score",
)  # fmt: skip


class Made(NamedTuple):
    """A launch that was seen: its truth as the posterior counts it, the burn, the looks, and the posterior
    with the milliseconds that it took."""

    truth: Truth
    burn: Flown
    seen: Seen
    posterior: Posterior
    ms: float


def line(case: str, sensors: str | None, kind: str | None, found: Line) -> Line:
    """A line of the stated keys first, null where a case has none."""
    keys: Line = {"case": case, "sensors": sensors, "class": kind} | dict.fromkeys(RESULTS)
    return keys | found


def launches(case: str, sensors: str, kind: str, count: int, seed: int) -> Iterator[Made | None]:
    """So many launches of a class of which enough was seen, and None for each other one before the last."""
    found = 0
    for k in range(MOST_TRIES * count):
        if found == count:
            return
        rng = np.random.default_rng([seed, k, *case.encode(), *kind.encode()])
        burn = burn_truths.PHYSICS[case](kind, burn_truths.anywhere(rng), rng)
        seen = burn_truths.seen(burn, burn_truths.SETS[sensors], rng)
        one = None
        if seen is not None and seen.plots >= burn_truths.LEAST[sensors]:
            one = made(burn, seen)
        found += one is not None
        yield one


def made(burn: Flown, seen: Seen) -> Made | None:
    """A launch with its posterior."""
    begun = time.perf_counter()
    known = posterior(seen.rows, 0)
    ms = 1e3 * (time.perf_counter() - begun)
    if known is None:
        return None
    end = burn.end_s() - seen.epoch_s
    return Made(Truth(burn.latitude, burn.longitude, -seen.epoch_s, burn.azimuth, end), burn, seen, known, ms)


def is_bounded(looks: Floats) -> bool:
    """Whether two satellites saw a burn twice each: with less the azimuth is open, and no bound tells."""
    plots = looks[looks[:, SEEN] > 0.0]
    sites, times = np.unique(plots[:, SITE], return_counts=True)
    return len(sites) > 1 and bool(times.min() >= 2)


def bound_of(one: Made, row: Floats) -> Floats | None:
    """The bound (2, 2), m^2, on the place of a launch."""
    place = np.array([one.burn.latitude, one.burn.longitude])
    values = None
    if one.burn.values is not None:
        values = one.burn.values.copy()
        values[TIME] += one.truth.time_s
        values[END] += one.truth.time_s
    else:
        values = burn_scores.nearest_values(row, place, one.seen.exact, one.truth)
    if values is None:
        return None
    least = burn_scores.bound(row, values, place, one.seen.rows)[:2, :2]
    # where the stated model could not be fitted to what other physics flew, there is no bound
    return least if np.isfinite(least).all() and np.linalg.det(least) > 0.0 else None


def cell(case: str, sensors: str, kind: str, count: int, seed: int) -> Line:
    """The line of one case, sensor set and class."""
    row = profile_named(kind).row()
    scores: list[Score] = []
    bounds, areas, errors, ms, right, misses = [], [], [], [], [], 0
    for one in launches(case, sensors, kind, count, seed):
        if one is None:
            misses += 1
            continue
        found = burn_scores.score(one.posterior, one.truth)
        scores.append(found)
        ms.append(one.ms)
        right.append(one.posterior.classes()[kind])
        least = bound_of(one, row) if is_bounded(one.seen.rows) else None
        if least is not None:
            bounds.append(float(np.trace(least)))
            errors.append(found.off_m[0] ** 2 + found.off_m[1] ** 2)
            areas.append(
                found.area_m2 / (math.pi * burn_scores.CHI2_90 * math.sqrt(max(np.linalg.det(least), 1.0)))
            )
    if not scores:
        return line(case, sensors, kind, {"n": 0, "misses": misses, "ms": None})
    told = burn_scores.summary(scores)
    if bounds:
        told["error_over_bound"] = round(math.sqrt(float(np.mean(errors) / np.mean(bounds))), 3)
        # a launch that can hardly be told weighs as much there as a hundred others; here each alike
        each = np.divide(errors, bounds)
        told["error_over_bound_each"] = round(math.sqrt(float(each.mean())), 3)
        told["error_over_bound_median"] = round(float(np.median(np.sqrt(each))), 3)
        told["n_bound"] = len(bounds)
        told["bound_km"] = round(math.sqrt(float(np.mean(bounds))) / 1e3, 3)
        told["area_over_bound"] = round(float(np.median(areas)), 3)
    told |= {"class_probability": round(float(np.mean(right)), 3)}
    told["collapsed"] = sum(s.distinct < COLLAPSED for s in scores)
    return line(case, sensors, kind, told | counts(scores, misses, ms))


def counts(scores: Sequence[object], misses: int, ms: Sequence[float]) -> Line:
    """How many launches a line is of, and the median time of a posterior."""
    return {"n": len(scores), "misses": misses, "ms": round(float(np.median(ms)), 1)}


def beside(sensors: str, kind: str, count: int, seed: int, sweeps: int) -> Line:
    """The line of one class beside the reference: the same scores of both, of the same looks.

    `below_reference` is by how much the log score is less, at the truths; `below_reference_expected` what it
    would be at all truths of the same looks, which a second reference draws, of as many launches as it drew
    any of the class for (`n_expected`).  Places of either are spread by what profiles leave out, which these
    truths do not need: both lose the same.  The smooth density is a seventh too wide, so draws a tenth too
    near each other lose nothing here; that the regions tell, which are beside it.
    """
    ours: list[Score] = []
    theirs: list[Score] = []
    expected: list[float] = []
    of_kind = [p.name for p in PROFILES].index(kind)
    ms, apart, misses = [], [], 0
    for k, one in enumerate(launches("stated", sensors, kind, count, seed)):
        if one is None:
            misses += 1
            continue
        start = posterior(one.seen.rows, 0, STARTS)
        if start is None:
            misses += 1
            continue
        draws = len(one.posterior.weight)
        rng = np.random.default_rng([seed, k])
        long, halves = burn_reference.reference(one.seen.rows, start, rng, draws, sweeps)
        again, also = burn_reference.reference(one.seen.rows, start, rng, draws, sweeps, spread=False)
        less_here = burn_scores.below(one.posterior, long, again, of_kind, TRUTHS)
        expected += [] if less_here is None else [less_here]
        ours.append(burn_scores.score(one.posterior, one.truth))
        theirs.append(burn_scores.score(long, one.truth))
        ms.append(one.ms)
        apart += [halves, also]
    if not ours:
        return line("reference", sensors, kind, {"n": 0, "misses": misses, "ms": None})
    less = [b.log_density - a.log_density for a, b in zip(ours, theirs, strict=True)]
    told = burn_scores.summary(ours) | mean_and_error("below_reference", less)
    told |= mean_and_error("below_reference_expected", expected) | {
        "n_expected": len(expected),
        "reference": burn_scores.summary(theirs),
        "halves_apart": round(float(np.median(apart)), 3),
        "halves_apart_most": round(float(max(apart)), 3),
    }  # fmt: skip
    for name in ("place", "time", "azimuth", "end"):
        off = np.array([getattr(a, name) - getattr(b, name) for a, b in zip(ours, theirs, strict=True)])
        told[f"{name}_rank_apart"] = round(float(np.sqrt((off**2).mean())), 3)
    return line("reference", sensors, kind, told | counts(ours, misses, ms))


def mean_and_error(name: str, values: Sequence[float]) -> Line:
    """A mean, and its standard error where there are two values; null where there are none."""
    error = np.std(values, ddof=1) / math.sqrt(len(values)) if len(values) > 1 else None
    return {
        name: round(float(np.mean(values)), 3) if values else None,
        f"{name}_error": None if error is None else round(float(error), 3),
    }


def rockets(sensors: str, kind: str, count: int, seed: int) -> Line:
    """The line of a class of rockets: the share that is seen at all, without clouds and with them."""
    told: Line = {"n": count, "misses": None, "ms": None}
    for case, physics in burn_truths.PHYSICS.items():
        for cloud_m in (0.0, burn_truths.CLOUD_M):
            seen = 0
            for k in range(count):
                rng = np.random.default_rng([seed, k, *case.encode(), *kind.encode()])
                burn = physics(kind, burn_truths.anywhere(rng), rng)
                seen += burn_truths.seen(burn, burn_truths.SETS[sensors], rng, cloud_m) is not None
            told[f"seen_{case}_clouds_{cloud_m / 1e3:.0f}_km"] = round(seen / count, 3)
    return line("rockets", sensors, kind, told)


def lines(
    case: str, sensors: str, kinds: Sequence[str], count: int, seed: int, sweeps: int
) -> Iterator[Line]:
    """The lines of one case and sensor set."""
    if sensors == RADAR:
        if case in radar_truths.CASES:
            for kind in (*ROCKETS, *kinds):
                for found in radar_truths.summaries(case, kind, count, seed):
                    yield line(case, sensors, kind, found)
        return
    if case == "origin":
        if sensors == "stereo":  # from one satellite no origin is ever stated
            for found in near_borders.origins(kinds, count, seed):
                yield line("origin", sensors, None, found)
        return
    for kind in ROCKETS if case == "rockets" else kinds:
        if case == "rockets":
            yield rockets(sensors, kind, count, seed)
        elif case == "reference":
            yield beside(sensors, kind, min(count, REFERENCES), seed, sweeps)
        else:
            yield cell(case, sensors, kind, count, seed)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 0 when done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", action="append", choices=CASES, help="only this one (may be repeated)")
    parser.add_argument("--sensors", action="append", choices=[*burn_truths.SETS, RADAR])
    parser.add_argument(
        "--class", action="append", choices=KINDS, dest="kinds", help="of missiles; rockets are always flown"
    )
    parser.add_argument("--launches", type=int, default=250, help="of each case, sensor set and class")
    parser.add_argument("--sweeps", type=int, default=burn_reference.SWEEPS, help="moves of the reference")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    if chosen.launches < 2:
        print(f"--launches: found {chosen.launches}, wanted 2 or more", file=sys.stderr)
        return 2
    for case in chosen.case or CASES:
        for sensors in chosen.sensors or (*burn_truths.SETS, RADAR):
            begun = time.perf_counter()
            for told in lines(
                case, sensors, chosen.kinds or KINDS, chosen.launches, chosen.seed, chosen.sweeps
            ):
                told["seconds"] = round(time.perf_counter() - begun, 1)
                print(json.dumps(told), flush=True)
                begun = time.perf_counter()
    return 0


if __name__ == "__main__":
    sys.exit(main())
