"""A hard case beside the easy ones: tight salvos that cross, half lost in clutter, against the peer's best.

In: a seed, or files of the layout below; out: one JSON line a run, then the mean over the seeds of ours and
of every chain of the peer (Stone Soup 1.9.1, the extra `bench`; left out where it is not installed).

The inputs are those of `hard_inputs`.  `known` is our filter with every plot's origin given: no tracker does
better.  In a salvo it still "swaps": neighbours are nearer to each other than to their estimates.

Both are told the same: noise, detection, clutter, and 1 m^2/s^3 of white acceleration.  Scores are GOSPA
(power 2) with a cutoff of 5,000 m and a strict one of 500 m; a swap is a truth whose paired track (strictly)
is another than the one before, an exchange one that another truth had; all from scan 10 on, and over all.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hard_inputs import NOISE, SPEED_SIGMA_MS, Estimates, Input, hard_input, read_input, seen_from_origin
from numpy.typing import NDArray
from stonesoup_chains import CHAINS, peer

from jointwatch.motion.plane import FLAT
from jointwatch.records import Sensor
from jointwatch.review.gospa import gospa_parts
from jointwatch.tracking.bank import Motion, bank_of
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.tracker import Tracker

CUTOFFS_M = (5000.0, 500.0)
SETTLED_SCAN = 10
FALSE_TRACKS_PER_SCAN = 0.001
CAPACITY = 8192
DAY_S = 86400.0


# ---------------------------------------------------------------- ours


def radar_for(data: Input) -> Sensor:
    """The radar as our tracker is told it: it sees all round, and its clutter is as dense as in the box."""
    farthest = max(float(data.clutter_hi[2]), float(np.linalg.norm(data.truth[..., :3], axis=-1).max()))
    highest = max(
        float(data.clutter_hi[0]), float(seen_from_origin(data.truth[..., :3].reshape(-1, 3))[:, 0].max())
    )
    box = data.clutter_hi - data.clutter_lo
    range_max = farthest / 0.8  # up to there a radar detects as surely as stated
    whole = np.array([highest, 2.0 * math.pi, range_max])
    return Sensor(
        name="radar", partner="Amber", latitude_rad=0.0, longitude_rad=0.0, height_m=0.0,
        range_min_m=1e3, range_max_m=range_max, elevation_min_rad=0.0, elevation_max_rad=highest,
        sigma_range_m=float(data.sigma[2]), sigma_azimuth_rad=float(data.sigma[1]),
        sigma_elevation_rad=float(data.sigma[0]), sigma_range_rate_ms=1.0, period_s=data.dt, sectors=1,
        detection=data.pd, clutter_per_scan=data.clutter_mean * float(np.prod(whole / box)),
        measures=("range", "azimuth", "elevation"), flat=True,
    )  # fmt: skip


def ours(data: Input, false_tracks_per_scan: float = FALSE_TRACKS_PER_SCAN) -> Estimates:
    """Our tracker on an input; it confirms so that no more false tracks a scan are to be expected."""
    bank = bank_of(Motion(kind=FLAT, noise=NOISE, speed_sigma_ms=SPEED_SIGMA_MS))
    rules = Rules(
        false_tracks_per_day=false_tracks_per_scan * DAY_S / data.dt,
        confirm_hits=3, at_once_log_odds=20.0, at_once_hits=3, flight=False,
    )  # fmt: skip
    return followed(Tracker("Amber", [radar_for(data)], capacity=CAPACITY, bank=bank, rules=rules), data)


def followed(tracker: Tracker, data: Input) -> Estimates:
    """What a tracker of ours, whose one radar is called "radar", says of an input, scan by scan."""
    columns = np.zeros((len(data.z), 4))
    columns[:, 0], columns[:, 2] = data.z[:, 2], data.z[:, 0]
    columns[:, 1] = (0.5 * math.pi - data.z[:, 1]) % (2.0 * math.pi)
    said = Estimates([], [], [])
    for k in range(len(data.truth)):
        looked = columns[data.scan == k]
        begun = time.perf_counter()
        tracker.look("radar", round(k * data.dt * 1e9), looked)
        rows = tracker.rows()
        said.seconds.append(time.perf_counter() - begun)
        said.who.append([number for number, *_ in rows])
        said.where.append(np.array([mean[:3] for _, _, mean, _ in rows]).reshape(-1, 3))
    return said


def known(data: Input) -> Estimates:
    """Our filter with the origin of every plot given: each target tracked by itself, in no clutter."""
    scans = len(data.truth)
    said = Estimates([[] for _ in range(scans)], [], [0.0] * scans)
    places: list[list[NDArray[np.float64]]] = [[] for _ in range(scans)]
    for target in range(data.truth.shape[1]):
        own = data.origin == target
        alone = ours(replace(data, scan=data.scan[own], z=data.z[own], clutter_mean=1e-6))
        for k in range(scans):
            said.who[k] += [(target, number) for number in alone.who[k]]
            places[k] += list(alone.where[k])
            said.seconds[k] += alone.seconds[k]
    said.where = [np.array(p).reshape(-1, 3) for p in places]
    return said


# ---------------------------------------------------------------- scores


def scores(data: Input, said: Estimates, first_scan: int = 0) -> dict[str, float]:
    """Means a scan of GOSPA, missed and false at both cutoffs, position error, swaps in all, ms a scan."""
    found: dict[str, float] = {}
    for cutoff in CUTOFFS_M:
        parts = [
            gospa_parts(where, truth[:, :3], cutoff)
            for where, truth in zip(said.where[first_scan:], data.truth[first_scan:], strict=True)
        ]
        tag = f"{cutoff:.0f}"
        found[f"gospa_{tag}"] = float(np.mean([p.distance_m for p in parts]))
        found[f"missed_{tag}"] = float(np.mean([p.missed_count for p in parts]))
        found[f"false_{tag}"] = float(np.mean([p.false_count for p in parts]))
        apart = np.concatenate([p.pairs.apart for p in parts])
        found[f"rmse_{tag}"] = float(np.sqrt(np.mean(apart**2))) if apart.size else math.nan
    # by the strict pairing, the last of the loop
    swaps, exchanges = swaps_of(
        [
            {int(t): who[e] for e, t in zip(p.pairs.first, p.pairs.second, strict=True)}
            for p, who in zip(parts, said.who[first_scan:], strict=True)
        ]
    )
    found["swaps"], found["exchanges"] = swaps, exchanges
    found["ms_a_scan"] = 1e3 * float(np.mean(said.seconds[first_scan:]))
    return found


def swaps_of(paired: list[dict[int, Any]]) -> tuple[int, int]:
    """Swaps and, of them, exchanges: from each scan's pairs, truth to track."""
    last: dict[int, Any] = {}
    owners: dict[Any, set[int]] = {}
    swaps = exchanges = 0
    for pairs in paired:
        for truth, track in pairs.items():
            if truth in last and last[truth] != track:
                swaps += 1
                exchanges += bool(owners.get(track, set()) - {truth})
        for truth, track in pairs.items():
            last[truth] = track
            owners.setdefault(track, set()).add(truth)
    return swaps, exchanges


def line(name: str, tracker: str, data: Input, said: Estimates) -> dict[str, Any]:
    """One run's line: scores of the settled scans, and under "all" of all of them."""
    first = min(SETTLED_SCAN, len(data.truth) - 1)
    return {
        "input": name, "tracker": tracker, "targets": data.truth.shape[1], "scans": len(data.truth),
        **_rounded(scores(data, said, first)), "all": _rounded(scores(data, said)),
    }  # fmt: skip


def _rounded(found: dict[str, float]) -> dict[str, float]:
    return {k: round(v, 2) for k, v in found.items()}


def mean_lines(lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """For each tracker its mean over the inputs, with standard error; best by strict GOSPA first."""
    out = []
    for tracker in dict.fromkeys(one["tracker"] for one in lines):
        own = [one for one in lines if one["tracker"] == tracker]
        keys = [k for k, v in own[0].items() if isinstance(v, float) or k in ("swaps", "exchanges")]
        mean = {k: float(np.mean([one[k] for one in own])) for k in keys}
        strict = [one["gospa_500"] for one in own]
        error = float(np.std(strict, ddof=1) / math.sqrt(len(own))) if len(own) > 1 else math.nan
        out.append(
            {"mean_of": len(own), "tracker": tracker, **_rounded(mean), "gospa_500_se": round(error, 2)}
        )
    yield from sorted(out, key=lambda one: one["gospa_500"])


def _measured(job: tuple[str | int, str, float, float]) -> dict[str, Any]:
    """One run: an input (a seed of the hard case or a file) and a tracker ("ours", "known" or a chain)."""
    source, tracker, limit_s, false_per_scan = job
    data = hard_input(source) if isinstance(source, int) else read_input(Path(source))
    if tracker == "known":
        return line(data.name, tracker, data, known(data))
    said = ours(data, false_per_scan) if tracker == "ours" else peer(data, CHAINS[tracker], limit_s)
    if said is None:
        return {"input": data.name, "tracker": tracker, "unfinished_after_s": limit_s}
    return line(data.name, tracker, data, said)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10, help="of the hard case, for ours")
    parser.add_argument(
        "--peer-seeds", type=int, default=3, help="of them, how many for each of the peer's chains"
    )
    parser.add_argument("--chain", action="append", choices=list(CHAINS), help="only this (may be repeated)")
    parser.add_argument("--data", type=Path, help="a folder with n10.npz, n50.npz, n100.npz: the easy inputs")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for one run of a peer's chain")
    parser.add_argument("--false-per-scan", type=float, default=FALSE_TRACKS_PER_SCAN)
    parser.add_argument("--processes", type=int, default=1)
    chosen = parser.parse_args(arguments)
    chains = chosen.chain or list(CHAINS)
    if importlib.util.find_spec("stonesoup") is None:
        print("hard_case: Stone Soup is not installed (extra `bench`): ours alone.", file=sys.stderr)
        chains = []
    easy = [chosen.data / f"n{n}.npz" for n in (10, 50, 100)] if chosen.data else []
    if missing := [p.name for p in easy if not p.exists()]:
        print(f"hard_case: no {', '.join(missing)} in {chosen.data}: skipped.", file=sys.stderr)
    settings = chosen.limit, chosen.false_per_scan
    own = "ours", "known"
    jobs = [(seed, tracker, *settings) for seed in range(1, chosen.seeds + 1) for tracker in own]
    jobs += [(seed, chain, *settings) for seed in range(1, chosen.peer_seeds + 1) for chain in chains]
    files = [(str(p), t, *settings) for p in easy if p.exists() for t in ("ours", *chains)]
    _measured((1, "ours", *settings))  # compiles, so that no run's time holds it
    with ProcessPoolExecutor(chosen.processes) as pool:
        done = []
        for one in pool.map(_measured, [*jobs, *files]):
            print(json.dumps(one), flush=True)
            done.append(one)
    hard = [one for one in done if one["input"].startswith("hard") and "gospa_500" in one]
    for one in mean_lines(hard):
        print(json.dumps(one), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
