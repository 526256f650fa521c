"""First run: the bundled exercise over many seeds, and perturbed, against the figures the project set itself.

In: a scenario; out: one JSON line a run, one an exercise (median and worst over its seeds), and one a figure
with what was wanted and whether it was met.  Three exercises are played: the scenario as it is, its raids
turned by 20 degrees, and every sensor with a detection probability of 0.7 and twice the clutter.  Each run is
played by one process, so that two run at once on two cores; what a run takes on a machine of its own is
measured by `make run`.  With `--json-lines OUT` the runs are kept, with every object's predicted fall; with
`--read FILE` they are judged again without being played.

Worst is the least where more is better, the greatest where less is, and the farthest from what is consistent
where there is such a value.  A figure is judged by its worst run where it must hold in every run, else by its
median; both are printed.  A perturbed exercise's figure is within 10 % when its median is no more than that
worse than the unperturbed one's (where that is 0 there is no ratio: then when it is met).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from jointwatch.exercise.play import play
from jointwatch.exercise.scenario import load_scenario
from jointwatch.records import BadInput
from jointwatch.review.accuracy import fall_errors, fall_errors_at
from jointwatch.review.matching import match
from jointwatch.review.score import summarise

Run = dict[str, Any]
EXERCISES: dict[str, dict[str, float]] = {
    "base": {},
    "azimuth +20": {"azimuth_deg": 20.0},
    "detection 0.7, clutter x2": {"detection": 0.7, "clutter": 2.0},
}
MORE, LESS = math.inf, -math.inf
# What a run is measured by: more is better, less is better, or the nearer to a value the better.
MEASURES = {
    "detected_share": MORE, "unfounded_alerts": LESS, "false_tracks": LESS, "false_ballistic_tracks": LESS,
    "track_swaps": LESS, "gospa_m": LESS, "nees_median": 5.35, "nees": 6.0,
    "excluded_share": LESS, "in_time_share": MORE, "late": LESS, "missed": LESS, "told_per_struck": LESS,
    "needless": LESS, "told_twice": LESS, "lead_median_s": MORE, "lead_min_s": MORE,
    "impact_p90_m": LESS, "impact_coverage_50": 0.5, "impact_coverage_90": 0.9,
    "launch_p90_m": LESS, "launch_coverage_90": 0.9, "origin_wrong": LESS, "origin_undetermined": LESS,
    "zones_saved": MORE, "lead_gained_s": MORE, "worth": MORE,
    "detected_over_better": MORE, "in_time_over_better": MORE, "lead_lost_s": LESS,
    "breakups_left_share": LESS, "told_after_breakup": LESS, "cancel_after_breakup_s": LESS,
    "cancel_after_evidence_s": LESS, "cancel_scans_after_evidence": LESS,
    "cancel_scans_after_gone": LESS, "told_again": LESS,
    "latency_p99_ms": LESS, "wall_s": LESS,
}  # fmt: skip
SAVED, GAINED_S = 10.0, 30.0
"""Joining is worth it from so many more zones in time than the better partner, or so much longer warning."""
TOLERATED = 1.10
IMPACT_RATIO = 1.05


@dataclass(frozen=True)
class Figure:
    """One figure that is wanted of a measure.  limit: the least where more is better, else the greatest."""

    name: str
    measure: str
    limit: float
    every_run: bool

    @property
    def wanted(self) -> str:
        """The bound in words."""
        sign = ">=" if MEASURES[self.measure] == MORE else "<="
        return f"{sign} {self.limit:g} in {'every run' if self.every_run else 'the median'}"

    def holds(self, value: float) -> bool:
        """Whether a value keeps the bound."""
        return value >= self.limit if MEASURES[self.measure] == MORE else value <= self.limit


FIGURES = (
    Figure("share of the objects seen five times that are in the joint picture", "detected_share", 1.0, True),
    Figure("alerts from clutter or aircraft", "unfounded_alerts", 0.0, True),
    Figure("share of struck zones that physics does not allow to warn", "excluded_share", 0.10, True),
    Figure("share of the other struck zones warned in time", "in_time_share", 0.98, False),
    Figure("zones told to take shelter for each struck one", "told_per_struck", 12.0, False),
    Figure(f"more zones in time (of {SAVED:g}) or longer warning (of {GAINED_S:g} s)", "worth", 1.0, False),
    Figure("objects detected over the better partner's", "detected_over_better", 0.0, True),
    Figure("zones in time over the better partner's", "in_time_over_better", 0.0, True),
    Figure(
        "median lead lost to the better partner, beyond the link's delay and cut, s", "lead_lost_s", 0.0, True
    ),
    Figure("share of alerted break-ups whose alert is left standing", "breakups_left_share", 0.0, True),
    Figure("scans from danger gone in the picture to the withdrawal", "cancel_scans_after_gone", 1.0, True),
    Figure(
        "scans from the second look at a fragment to the withdrawal",
        "cancel_scans_after_evidence",
        1.0,
        False,
    ),
)


def measured(path: str, exercise: str, seed: int) -> Run:
    """Play one exercise once and score it; an exception becomes the run's "error"."""
    try:
        return _measured(path, exercise, seed)
    except BadInput:
        raise
    except Exception as error:  # one broken run must not cost the others; it is counted and told
        return {"exercise": exercise, "seed": seed, "error": f"{type(error).__name__}: {error}"}


def _measured(path: str, exercise: str, seed: int) -> Run:
    scenario = load_scenario(path, EXERCISES[exercise] | {"seed": seed})
    recording = play(scenario, seed, workers=1)
    summary = summarise(recording)
    pictures, value = summary["pictures"], summary["value_of_joining"]
    joint, zones = pictures["joint"], pictures["joint"]["zones"]
    alone = {
        key: {
            "detected": p["detected"], "in_time": p["zones"]["warned_in_time"],
            "feasible": p["zones"]["feasible"], "feasible_in_time": p["zones"]["feasible_in_time"],
            "lead_median_s": p["lead_time_s"]["median"], "needless": p["zones"]["false"],
            "impact_p90_m": p["impact_error_m"]["p90"], "nees_median": p["nees_median"],
        }
        for key, p in pictures.items() if key != "joint"
    }  # fmt: skip
    alerted = [w for w in summary["withdrawn"] if w["alerted"]]
    gained, saved = value["lead_seconds_gained"], value["zones_saved"]
    seen, could = joint["detected_of_visible"]
    return {
        "exercise": exercise, "seed": seed, "wall_s": summary["wall_s"],
        "detected": joint["detected"], "visible": could, "undetected": joint["undetected"],
        "detected_share": _ratio(seen, could),
        "unfounded_alerts": joint["alerts_from_clutter_or_aircraft"],
        "false_tracks": joint["false_tracks"], "false_ballistic_tracks": joint["false_ballistic_tracks"],
        "track_swaps": joint["track_swaps"], "gospa_m": joint["gospa_m"],
        "nees_median": joint["nees_median"], "nees": joint["nees"],
        "struck": zones["struck"], "feasible": zones["feasible_any"],
        "excluded_share": _ratio(zones["struck"] - zones["feasible_any"], zones["struck"]),
        "in_time": zones["warned_in_time"],
        "in_time_share": _ratio(zones["warned_in_time"], zones["feasible_any"]),
        "late": zones["late"], "missed": zones["missed"], "missed_names": zones["missed_names"],
        "told": zones["told"], "told_per_struck": _ratio(zones["told"], zones["struck"]),
        "needless": zones["false"], "told_twice": zones["told_twice"],
        "lead_median_s": joint["lead_time_s"]["median"], "lead_min_s": joint["lead_time_s"]["min"],
        "impact_p90_m": joint["impact_error_m"]["p90"],
        "impact_coverage_50": joint["impact_coverage_50"], "impact_coverage_90": joint["impact_coverage_90"],
        "launch_p90_m": joint["launch_error_m"]["p90"], "launch_coverage_90": joint["launch_coverage_90"],
        "origin_wrong": joint["origin"]["wrong"], "origin_undetermined": joint["origin"]["undetermined"],
        "zones_saved": saved, "lead_gained_s": gained,
        "worth": max(saved / SAVED, (gained or 0.0) / GAINED_S),
        "detected_over_better": value["detected_more"], "in_time_over_better": saved,
        "lead_lost_s": value["lead_seconds_lost_beyond_link"],
        "alone": alone, "withdrawn": summary["withdrawn"],
        "told_after_breakup": sum(w["zones_told_after"] for w in summary["withdrawn"]),
        "breakups_left_share": _ratio(sum(w["zones_left"] > 0 for w in alerted), len(alerted)),
        "cancel_after_breakup_s": _most(alerted, "last_cancel_after_s"),
        "cancel_after_evidence_s": _most(alerted, "cancel_after_evidence_s"),
        "cancel_scans_after_evidence": max(
            (w["cancel_after_evidence_s"] / w["scan_s"] for w in alerted
             if w["cancel_after_evidence_s"] is not None), default=None,
        ),
        "told_again": sum(w["zones_told_again"] for w in summary["withdrawn"]),
        "cancel_scans_after_gone": max(
            (w["cancel_after_danger_gone_s"] / w["scan_s"] for w in alerted
             if w["cancel_after_danger_gone_s"] is not None and w["scan_s"]), default=None,
        ),
        "latency_p99_ms": summary["latency_ms"]["p99"], "latency_median_ms": summary["latency_ms"]["median"],
        "impact_pairs_m": _pairs(recording),
    }  # fmt: skip


def _pairs(recording: Any) -> dict[str, list[tuple[float, float]]]:
    """For each partner, the errors (joint's, the partner's) of the objects that both warned of."""
    of = {key: match(recording, picture).object_of() for key, picture in recording.pictures.items()}
    errors = {key: fall_errors(recording, p, of[key]) for key, p in recording.pictures.items()}
    joint = errors.pop("joint")
    out = {}
    for key, alone in errors.items():
        then = fall_errors_at(recording, recording.pictures["joint"], of["joint"], alone)
        for name, mine in ((key, joint), (f"{key} then", then)):
            out[name] = [
                (round(mine[o].error_m, 1), round(alone[o].error_m, 1)) for o in sorted(mine.keys() & alone)
            ]
    return out


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _most(entries: list[dict[str, Any]], key: str) -> float | None:
    return max((e[key] for e in entries if e[key] is not None), default=None)


def _rounded(value: Any) -> Any:
    """Values for a line of output: four significant digits below a thousand, whole numbers above."""
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    if isinstance(value, float):
        return round(value) if abs(value) >= 1000.0 else float(f"{value:.4g}")
    return value


def median_and_worst(runs: list[Run], measure: str) -> tuple[float, float] | None:
    """A measure over the runs that have it; None where none has."""
    values = np.array([r[measure] for r in runs if r.get(measure) is not None], dtype=float)
    if not values.size:
        return None
    better = MEASURES[measure]
    if better == MORE:
        worst = values.min()
    elif better == LESS:
        worst = values.max()
    else:
        worst = values[np.argmax(np.abs(values - better))]
    return float(np.median(values)), float(worst)


def exercise_line(exercise: str, runs: list[Run]) -> dict[str, Any]:
    """One exercise over its seeds: [median, worst] of every measure."""
    found = {m: median_and_worst(runs, m) for m in MEASURES}
    return {
        "exercise": exercise, "runs": len(runs),
        "measures": {m: list(v) for m, v in found.items() if v is not None},
        "undetected": sorted({f"{r['seed']}: {name}" for r in runs for name in r["undetected"]}),
        "missed_names": sorted({f"{r['seed']}: {name}" for r in runs for name in r["missed_names"]}),
    }  # fmt: skip


def verdicts(exercise: str, runs: list[Run], base: list[Run]) -> Iterator[dict[str, Any]]:
    """Each figure of one exercise: what was wanted, median, worst, whether met, and against the base."""
    for figure in FIGURES:
        found = median_and_worst(runs, figure.measure)
        line: dict[str, Any] = {"exercise": exercise, "figure": figure.name, "wanted": figure.wanted}
        if found is None:
            yield line | {"median": None, "worst": None, "met": None}
            continue
        median, worst = found
        line |= {"median": median, "worst": worst, "met": figure.holds(worst if figure.every_run else median)}
        yield line | _against(base, figure, median, bool(line["met"]))
    yield from _impact_verdicts(exercise, runs, base)


def _against(base: list[Run], figure: Figure, median: float, met: bool) -> dict[str, Any]:
    """Ratio of medians to the unperturbed exercise's, and whether it is at most 10 % worse."""
    reference = median_and_worst(base, figure.measure) if base else None
    if reference is None:
        return {}
    was = reference[0]
    if was == 0.0:
        return {"ratio_to_base": 1.0 if median == 0.0 else None, "within_10_percent": met}
    held = median >= was / TOLERATED if MEASURES[figure.measure] == MORE else median <= was * TOLERATED
    return {"ratio_to_base": median / was, "within_10_percent": bool(held)}


def _impact_verdicts(exercise: str, runs: list[Run], base: list[Run]) -> Iterator[dict[str, Any]]:
    """Error of the predicted falls against each partner's, over the objects both warned of, in all runs."""
    for key in runs[0]["impact_pairs_m"]:
        each = [np.array(r["impact_pairs_m"][key], dtype=float).reshape(-1, 2) for r in runs]
        ratios = [_p90_ratio(pairs) for pairs in each if len(pairs)]
        if not ratios:
            continue
        pooled = np.concatenate(each)
        line = {
            "exercise": exercise,
            "figure": _impact_figure(key),
            "wanted": f"<= {IMPACT_RATIO:g}", "pooled": _p90_ratio(pooled),
            "median": float(np.median(ratios)), "worst": max(ratios),
            "joint_p90_m": float(np.quantile(pooled[:, 0], 0.9)),
            "alone_p90_m": float(np.quantile(pooled[:, 1], 0.9)),
            "objects": len(pooled), "met": _p90_ratio(pooled) <= IMPACT_RATIO,
        }  # fmt: skip
        if base:
            before = np.concatenate(
                [np.array(r["impact_pairs_m"][key], dtype=float).reshape(-1, 2) for r in base]
            )
            if len(before):
                ratio = _p90_ratio(pooled) / _p90_ratio(before)
                line |= {"ratio_to_base": ratio, "within_10_percent": ratio <= TOLERATED}
        yield line


def _impact_figure(key: str) -> str:
    """What a ratio of errors compares: each at its own first alert, or both when the partner alone alerts."""
    partner, _, then = key.partition(" ")
    moment = f"when {partner} alone first alerts" if then else "at first alert"
    return f"90th percentile of the fall's error {moment} over that of {partner} alone, pooled"


def _p90_ratio(pairs: Any) -> float:
    """Ratio of the 90th percentiles of two columns (n, 2): the joint picture's over the partner's."""
    joint, alone = np.quantile(pairs, 0.9, axis=0)
    return float(joint / alone)


def played(
    path: str, exercises: list[str], seeds: int, processes: int, told: Callable[[Run], None]
) -> list[Run]:
    """Play all runs, `processes` at a time; in order.  told: called with each run as it is done."""
    jobs = [(exercise, seed) for exercise in exercises for seed in range(1, seeds + 1)]
    done = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(measured, path, *job) for job in jobs]):
            done.append(future.result())
            told(done[-1])
    return sorted(done, key=lambda r: (exercises.index(r["exercise"]), r["seed"]))


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 0 when every run was played through, whatever the verdicts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenario", default="scenarios/two-partners.toml")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--exercise", action="append", choices=list(EXERCISES), help="only this one")
    parser.add_argument("--json-lines", type=Path, metavar="OUT", help="keep the runs in this file")
    parser.add_argument("--read", type=Path, metavar="FILE", help="judge the runs of a file, play none")
    chosen = parser.parse_args(arguments)
    exercises = chosen.exercise or list(EXERCISES)
    begun = time.perf_counter()

    def told(run: Run) -> None:
        print(json.dumps(_rounded({k: v for k, v in run.items() if k != "impact_pairs_m"})), flush=True)

    try:
        if chosen.read is not None:
            lines = chosen.read.read_text(encoding="utf-8").splitlines()
            runs = [r for r in map(json.loads, lines) if r["exercise"] in exercises]
            exercises = [e for e in exercises if any(r["exercise"] == e for r in runs)]
        else:
            load_scenario(chosen.scenario)  # a wrong one is refused before anything is played
            runs = played(chosen.scenario, exercises, chosen.seeds, chosen.processes, told)
    except (BadInput, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if chosen.json_lines is not None:
        chosen.json_lines.write_text("".join(json.dumps(r) + "\n" for r in runs), encoding="utf-8")
    failed = [r for r in runs if "error" in r]
    of = {e: [r for r in runs if r["exercise"] == e and "error" not in r] for e in exercises}
    of = {e: some for e, some in of.items() if some}
    for exercise, some in of.items():
        print(json.dumps(_rounded(exercise_line(exercise, some))))
    for exercise, some in of.items():
        for line in verdicts(exercise, some, of.get("base", []) if exercise != "base" else []):
            print(json.dumps(_rounded(line)))
    print(json.dumps({"runs": len(runs), "failed": [[r["exercise"], r["seed"]] for r in failed],
                      "wall_s": round(time.perf_counter() - begun, 1)}))  # fmt: skip
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
