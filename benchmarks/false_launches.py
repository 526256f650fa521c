"""False launches of infrared satellites alone, and what of real ones is found meanwhile.

In: hours to simulate; out: a JSON line at each simulated day's end and one for all.  Two satellites (10 E
and 75 E, 20 and 30 microradians, a disc in 10 s, CASES 6 and 11) look at an exercise without raids: hot
places, glints, single false plots, all as `exercise.infrared` makes them, and a few real motors an hour of
every class that burns 30 s above clouds, flown by the exercise's physics.  `false`: burns that were of no
motor when they were confirmed; `found`: share of the motors that burn at least 30 s above clouds that have
one; `to_confirm_s`: from clearing them to receipt of the scan that confirmed (p50, p95); `to_third_plot_s`:
to receipt of the third plot of it, which no judge of plots can hasten; `class_two`: share whose class is the
first or the second by the burn's last posterior; `doubled`: second burns of the same motor; `overshoot`: by
how much log odds L of burns of motors are over the threshold T when they are confirmed, told as -log of the
mean of exp(T - L), with 90 % of its bootstrap, for that is what `launch.burns.OVERSHOOT` may take off the
threshold in all: T has it off already; `ms_per_scan`: of the processor's time.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.exercise.classes import CLASSES
from jointwatch.exercise.infrared import cloud_share, simulate_scans
from jointwatch.exercise.launches import burns, draw, powered, starts
from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.exercise.scenario_tables import HotPlace, SatelliteEntry
from jointwatch.exercise.truth import Truth, TruthObject
from jointwatch.launch.burns import Burn, Burns
from jointwatch.launch.looks import ALONG, SEEN, SITE
from jointwatch.launch.looks import AT as LOOK_AT
from jointwatch.records import InfraredScan
from jointwatch.tracking.confirmation import rate_upper

SHIPPED = Path(__file__).parents[1] / "scenarios" / "two-partners.toml"
KINDS = "short_range", "medium_range", "medium_range_two_stage"
CLOUD_KM = 10.0
LEAST_S = 30.0
FALSE_PER_DAY = 1.0 / 30.0
RATE_PER_M2_S = 5.0 / 86400.0 / 2e14
"""Launches expected: five a day in all that a satellite sees."""
NEAR_RAD = 3e-4
"""A plot is a motor's if it lies so near to where the motor was (ten sigma)."""
PLOTS_NS = 90_000_000_000
"""So long after a motor cleared its clouds its plots are counted."""
RESAMPLES = 2000


def satellites(clutter: float, count: int = 2) -> tuple[SatelliteEntry, ...]:
    """The two satellites, with so many false plots a scan."""
    return tuple(
        SatelliteEntry(
            name=name, partner=partner, longitude_deg=longitude, sigma_urad=sigma, period_s=10.0,
            detection=0.9,
            cloud_km=CLOUD_KM, clutter_per_scan=clutter,
        )
        for name, partner, longitude, sigma in (
            ("amber-eye", "Amber", 10.0, 20.0), ("blue-eye", "Blue", 75.0, 30.0),
        )
    )[:count]  # fmt: skip


def a_day(base: Scenario, seed: int, hours: float, eyes: tuple[SatelliteEntry, ...]) -> Scenario:
    """Hours of the day of a seed, with hot places and no raid."""
    rng = np.random.default_rng(7)  # the same fires every day
    hot = tuple(
        HotPlace(
            latitude_deg=float(rng.uniform(20.0, 40.0)), longitude_deg=float(rng.uniform(35.0, 60.0)),
            intensity_kw_sr=float(40.0 * math.exp(rng.normal())), share=float(rng.uniform(0.05, 0.9)),
        )
        for _ in range(40)
    )  # fmt: skip
    about = replace(
        base.scenario, start=base.scenario.start + timedelta(days=seed), duration_s=hours * 3600.0, seed=seed
    )
    return replace(base, scenario=about, satellites=eyes, hot_places=hot, raids=())


def motors(scenario: Scenario, seed: int, per_hour: float) -> Truth:
    """Real launches of the classes that burn long enough, anywhere about the exercise's ground."""
    rng = np.random.default_rng([seed, 99])
    count = int(rng.poisson(per_hour * scenario.scenario.duration_s / 3600.0))
    objects = []
    for k in range(count):
        name = KINDS[int(rng.integers(len(KINDS)))]
        kind = CLASSES[name]
        latitude, longitude = np.radians(rng.uniform(25.0, 38.0)), np.radians(rng.uniform(38.0, 58.0))
        azimuth, control = rng.uniform(0.0, 2.0 * math.pi), rng.uniform(*kind.control_range)
        one = (np.array([v]) for v in (latitude, longitude, azimuth, control))
        start, rows = starts(kind, draw(kind, 1, rng), *one)
        path = powered(kind, start, rows, 0.5)
        ends, thrust = burns(kind, rows)
        launch_s = float(rng.uniform(60.0, scenario.scenario.duration_s - 300.0))
        times = path.times_s[:, 0] + launch_s
        launch_ns = scenario.start_ns + round(launch_s * 1e9)
        objects.append(
            TruthObject(
                name=f"motor-{seed}-{k}", object_class=name, launch_ns=launch_ns,
                end_ns=scenario.start_ns + round(float(times[-1]) * 1e9), end="left", fall_lon_deg=None,
                fall_lat_deg=None, aim=None, parent=None, raid=f"motor-{seed}-{k}", danger_radius_m=0.0,
                start_ns=scenario.start_ns, times_s=np.ascontiguousarray(times),
                samples=np.ascontiguousarray(path.states[:, 0, :6]),
                burn_s=tuple(pairwise((0.0, *ends[0].tolist()))), thrust_n=tuple(thrust[0].tolist()),
            )
        )  # fmt: skip
    return Truth(scenario.start_ns, objects)


def clears(burning: TruthObject, seed: int) -> tuple[int, float]:
    """When a motor clears its clouds (ns) and how long it burns above them (s, below nought if never)."""
    top = CLOUD_KM * 1e3 * cloud_share(seed, burning.raid)
    high = np.array([height_above_ellipsoid(*s[:3]) for s in burning.samples])
    begin = float(burning.times_s[int(np.argmax(high > top))]) if (high > top).any() else math.inf
    end = (burning.launch_ns - burning.start_ns) * 1e-9 + burning.burn_s[-1][1]
    return burning.start_ns + (round(begin * 1e9) if math.isfinite(begin) else 0), end - begin


def whose(burn: Burn, truth: Truth) -> int | None:
    """The index of the motor that most plots of a burn are of; None if of none."""
    votes: list[int | None] = []
    for row in burn.looks:
        if row[SEEN] == 0.0:
            continue
        index, places, _ = truth.states_at(burn.epoch_ns + round(row[LOOK_AT] * 1e9))
        way = places - row[SITE : SITE + 3]
        off = np.linalg.norm(np.cross(way, row[ALONG : ALONG + 3]), axis=1) / np.linalg.norm(way, axis=1)
        near = int(np.argmin(off)) if len(off) else 0
        votes.append(int(index[near]) if len(off) and off[near] < NEAR_RAD else None)
    best = max(set(votes), key=votes.count)
    return best if votes.count(best) * 2 > len(votes) else None


def seen(scan: InfraredScan, truth: Truth, near: list[int]) -> list[int]:
    """Which of some motors gave a plot of a scan."""
    index, places, _ = truth.states_at(scan.header.measured_ns)
    along = np.column_stack([scan.along_x, scan.along_y, scan.along_z])
    found = []
    for k, place in zip(index.tolist(), places, strict=True):
        way = place - np.array(scan.site_m)
        off = np.linalg.norm(along - way / np.linalg.norm(way), axis=1)
        if k in near and off.min(initial=math.inf) < NEAR_RAD:
            found.append(k)
    return found


def play(
    base: Scenario, seed: int, hours: float, eyes: tuple[SatelliteEntry, ...], per_hour: float, draws: int
) -> dict[str, Any]:
    """One day: what was found, what was false, how soon, and what a scan cost."""
    scenario = a_day(base, seed, hours, eyes)
    truth = motors(scenario, seed, per_hour)
    rate = RATE_PER_M2_S
    node = Burns(scenario.satellite_records(), rate, FALSE_PER_DAY, "T", draws)
    told: dict[str, tuple[int, Burn]] = {}
    last: dict[str, Burn] = {}
    cost = []
    cleared = [clears(motor, seed) for motor in truth.objects]
    plots: dict[int, list[int]] = {k: [] for k in range(len(truth.objects))}
    for scan in simulate_scans(scenario, truth, seed):
        begin = time.process_time()
        changed = node.take(scan)
        cost.append((time.process_time() - begin) * 1e3)
        for burn in changed:
            told.setdefault(burn.number, (scan.received_ns, burn))
            last[burn.number] = burn
        now = scan.header.measured_ns
        near = [k for k, (at, _) in enumerate(cleared) if 0 <= now - at < PLOTS_NS]
        for k in seen(scan, truth, near) if near else ():
            plots[k].append(scan.received_ns)
    owners: dict[int, list[str]] = {}
    false = []
    for number in sorted(told):
        # by what was known when it was told: what a motor's burn took in after its end makes it no false one
        owner = whose(told[number][1], truth)
        if owner is None:
            false.append(told[number][1])
        else:
            owners.setdefault(owner, []).append(number)
    # the mean that bounds false ones is over true ones, as Wald's identity has it; a late scan that is taken
    # with earlier ones may weigh a burn again before it is told: of that one it is not known
    over = [told[n][1].log_odds - node.threshold for numbers in owners.values() for n in numbers]
    wait, third, found, real, two, missed = [], [], 0, 0, 0, []
    for index, motor in enumerate(truth.objects):
        clear_ns, above_s = cleared[index]
        if above_s < LEAST_S:
            continue
        real += 1
        third.append((plots[index][2] - clear_ns) * 1e-9 if len(plots[index]) > 2 else math.inf)
        if index not in owners:
            missed.append((motor.object_class, round(above_s)))
            continue
        found += 1
        number = owners[index][0]
        wait.append((told[number][0] - clear_ns) * 1e-9)
        known = last[number].posterior
        if known is not None:
            shares = known.classes()
            two += motor.object_class in sorted(shares, key=lambda n: -shares[n])[:2]
    return {
        "hours": hours, "real": real, "found": found, "false": len(false), "wait": wait, "third": third,
        "class_two": two, "over": [o for o in over if o >= 0.0],
        "doubled": sum(len(n) - 1 for n in owners.values()), "cost": cost,
        "missed": missed, "of_false": [(len(b.sensors), b.plots, round(b.log_odds, 1)) for b in false],
    }  # fmt: skip


def _percentiles(values: np.ndarray) -> dict[str, float] | None:
    """Half and 95 % of values that may be infinite."""
    if not len(values):
        return None
    p50, p95 = np.percentile(values, (50, 95), method="higher")
    return {"p50": float(p50), "p95": float(p95)}


def overshoot(over: list[float]) -> dict[str, float] | None:
    """-log of the mean of exp(-overshoot), with the bounds of 90 %."""
    if not over:
        return None
    missing = np.exp(-np.array(over))
    again = np.random.default_rng(1).choice(missing, (RESAMPLES, len(missing)))
    low, high = np.percentile(-np.log(again.mean(axis=1)), (5, 95))
    return {
        "nats": float(-np.log(missing.mean())), "low": float(low), "high": float(high), "burns": len(over)
    }  # fmt: skip


def summary(days: list[dict[str, Any]], eyes: int, clutter: float) -> dict[str, Any]:
    """The figures of all days together."""
    wait, third = (np.array([w for d in days for w in d[name]]) for name in ("wait", "third"))
    cost = np.array([c for d in days for c in d["cost"]])
    found, real = sum(d["found"] for d in days), sum(d["real"] for d in days)
    simulated = sum(d["hours"] for d in days) / 24.0
    false = sum(d["false"] for d in days)
    return {
        "satellites": eyes, "clutter_per_scan": clutter, "days": simulated, "false": false,
        "false_per_day_below": rate_upper(false, simulated), "real": real,
        "found": found / real if real else None,
        "to_confirm_s": _percentiles(wait), "to_third_plot_s": _percentiles(third),
        "class_two": sum(d["class_two"] for d in days) / max(found, 1),
        "doubled": sum(d["doubled"] for d in days),
        "overshoot": overshoot([o for d in days for o in d["over"]]),
        "ms_per_scan": {"mean": float(cost.mean()), "p99": float(np.percentile(cost, 99))},
        "missed": [m for d in days for m in d["missed"]],
        "of_false": [m for d in days for m in d["of_false"]],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="simulated, in days of at most 24")
    parser.add_argument(
        "--clutter", type=float, default=3.0,
        help="false plots a scan of each satellite; by default as many as in the bundled exercise",
    )  # fmt: skip
    parser.add_argument("--per-hour", type=float, default=2.0, help="real launches")
    parser.add_argument("--satellites", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--draws", type=int, default=400)
    asked = parser.parse_args()
    base = load_scenario(SHIPPED)
    eyes = satellites(asked.clutter, asked.satellites)
    days: list[dict[str, Any]] = []
    left = asked.hours
    while left > 0.0:
        hours = min(left, 24.0)
        left -= hours
        days.append(play(base, asked.seed + len(days), hours, eyes, asked.per_hour, asked.draws))
        print(json.dumps(summary(days, len(eyes), asked.clutter)), file=sys.stdout, flush=True)


if __name__ == "__main__":
    main()
