"""False tracks: days of clutter alone, and what keeping them rare costs in delay.

In: days, plots a scan, the false tracks a day that the tracker is told to accept; out: one JSON line for each
amount of clutter, with and without range rate (10 m/s).  One regional radar (500 km, a scan of 10 s in eight
sectors) sees false plots spread evenly over its volume: in range, azimuth, elevation and range rate.

The rate is met when the counted tracks are no more than a Poisson count of the configured rate reaches with
95 %; `rate_upper_per_day` is the greatest rate that the count does not rule out.  Beside it stands the delay:
medium-range missiles of the exercise's physics rise in the same clutter, under the same rules, each seen with
probability 0.9 a look; from the first look that could show one until a track within 5 km of it is confirmed.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jointwatch.exercise.classes import CLASSES
from jointwatch.exercise.flights import bearing_distance, destination, hermite
from jointwatch.exercise.launches import draw, fly, starts
from jointwatch.records import RADAR, Sensor
from jointwatch.sensing.coverage import detection_probability, in_wedge
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.tracking.clutter import FAST_MS
from jointwatch.tracking.confirmation import poisson_upper, rate_upper
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.tracker import Tracker

Floats = NDArray[np.float64]
DAY_S, SCAN_S, SECTORS = 86400.0, 10.0, 8
PLACE = math.radians(32.0), math.radians(35.0)
CAPACITY = 8192
HITS = 3
"""Plots that a track needs at least: fewer never tell a velocity and check it."""
NEAR_M = 5e3
WARM_SCANS, WAVE_SCANS, WAVE = 60, 36, 8
"""Before the first missile the clutter is learned; then missiles rise in waves, one to each eighth."""
RISE_M = 300e3, 440e3
"""How far from the radar the missiles are launched."""


class Count(NamedTuple):
    """What a stretch of clutter gave: false tracks, scans, seconds of work, plots without a row."""

    tracks: int
    scans: int
    seconds: float
    lost: int


def radar(plots: float, rated: bool) -> Sensor:
    """The regional radar, told how many false plots a scan there are."""
    return Sensor(
        name="regional", partner="Amber", latitude_rad=PLACE[0], longitude_rad=PLACE[1], height_m=300.0,
        range_min_m=1e3, range_max_m=500e3, elevation_min_rad=math.radians(0.5),
        elevation_max_rad=math.radians(80.0), sigma_range_m=50.0, sigma_azimuth_rad=1e-3,
        sigma_elevation_rad=1e-3, sigma_range_rate_ms=10.0, period_s=SCAN_S, sectors=SECTORS, detection=0.9,
        clutter_per_scan=plots, measures=RADAR if rated else RADAR[:3],
    )  # fmt: skip


def tracker_of(sensor: Sensor, per_day: float) -> Tracker:
    """The product's tracker; the configured rate decides on tracks, from HITS plots on."""
    rules = Rules(false_tracks_per_day=per_day, confirm_hits=HITS, at_once_hits=HITS)
    return Tracker("Amber", [sensor], capacity=CAPACITY, rules=rules, history_s=0.0)


def wedge(k: int) -> tuple[float, float]:
    """Azimuths (rad) of sector k."""
    width = 2.0 * math.pi / SECTORS
    return k % SECTORS * width, (k % SECTORS + 1) * width


def clutter(rng: np.random.Generator, sensor: Sensor, k: int) -> Floats:
    """(m, 4) false plots of sector k, evenly over its volume; range rate 0 where it is not measured."""
    count = rng.poisson(sensor.clutter_per_scan / SECTORS)
    start, end = wedge(k)
    fast = FAST_MS if "range_rate" in sensor.measures else 0.0
    low = [sensor.range_min_m, start, sensor.elevation_min_rad, -fast]
    return rng.uniform(low, [sensor.range_max_m, end, sensor.elevation_max_rad, fast], (count, 4))


def quiet(plots: float, rated: bool, per_day: float, scans: int, seed: int) -> Count:
    """So many scans of clutter alone."""
    rng = np.random.default_rng([seed, 60])
    sensor = radar(plots, rated)
    tracker = tracker_of(sensor, per_day)
    begun = time.perf_counter()
    for k in range(scans * SECTORS):
        tracker.look("regional", _time_ns(k), clutter(rng, sensor, k), *wedge(k))
    # a row's number is its place in the order of confirmations
    confirmed = tracker.engine.next_number - 1
    return Count(confirmed, scans, time.perf_counter() - begun, tracker.rejected.get("no free row", 0))


def _time_ns(k: int) -> int:
    return round(k * SCAN_S / SECTORS * 1e9)


class Missiles(NamedTuple):
    """Flights of one class: times_s (m, n) since each launch, states (m, n, 7), Earth-fixed."""

    times_s: Floats
    states: Floats

    def at(self, i: int, time_s: float) -> Floats | None:
        """(6,) state of flight i; None before its launch and after its end."""
        times = self.times_s[:, i]
        if not times[0] <= time_s < times[-1]:
            return None
        a = int(np.searchsorted(times, time_s, side="right")) - 1
        out = np.empty(6)
        hermite(time_s, times[a], times[a + 1], self.states[a, i], self.states[a + 1, i], out)
        return out


def missiles(count: int, rng: np.random.Generator) -> Missiles:
    """Medium-range missiles, launched round the radar, one in each eighth in turn, and flying towards it."""
    kind = CLASSES["medium_range"]
    bearing = (np.arange(count) % WAVE + rng.uniform(0.25, 0.75, count)) * 2.0 * math.pi / WAVE
    here = np.full(count, PLACE[0]), np.full(count, PLACE[1])
    there = destination(*here, bearing, rng.uniform(*RISE_M, count))
    home, _ = bearing_distance(*there, *here)
    azimuth = home + np.radians(rng.uniform(-15.0, 15.0, count))
    load = rng.uniform(0.6, 1.0, count)
    start, rows = starts(kind, draw(kind, count, rng), there[0], there[1], azimuth, load)
    return Missiles(*fly(kind, start, rows, 1.0, tolerance=1e-8))


def delays(plots: float, rated: bool, per_day: float, count: int, seed: int) -> list[float]:
    """Seconds from each missile's first look to its confirmation; infinite where it was never confirmed."""
    rng = np.random.default_rng([seed, 61])
    sensor = radar(plots, rated)
    row = sensor_row(sensor)
    tracker = tracker_of(sensor, per_day)
    flown = missiles(count, rng)
    wait = rng.uniform(0.0, SCAN_S, count)
    waves = math.ceil(count / WAVE)
    first, confirmed = np.full(count, math.nan), np.full(count, math.inf)
    for k in range((WARM_SCANS + waves * WAVE_SCANS) * SECTORS):
        now = k * SCAN_S / SECTORS
        wave, phase = divmod(now - WARM_SCANS * SCAN_S, WAVE_SCANS * SCAN_S)
        here: dict[int, Floats] = {}
        seen = [clutter(rng, sensor, k)]
        for i in range(int(max(wave, 0)) * WAVE, min(int(wave + 1) * WAVE, count)):
            state = flown.at(i, phase - wait[i])
            if state is None:
                continue
            here[i] = state
            r, azimuth, elevation, rate = observe(row, *state)
            pd = detection_probability(row, r, elevation)
            if pd <= 0.0 or not in_wedge(azimuth, *wedge(k)):
                continue
            if math.isnan(first[i]):
                first[i] = now
            if rng.random() < pd:
                noise = rng.standard_normal(4) * [50.0, 1e-3, 1e-3, 10.0 if rated else 0.0]
                seen.append(np.array([[r, azimuth, elevation, rate if rated else 0.0]]) + noise)
        tracker.look("regional", _time_ns(k), np.concatenate(seen), *wedge(k))
        _found(tracker, here, now, confirmed)
    return [float(c - f) for c, f in zip(confirmed, first, strict=True) if not math.isnan(f)]


def _found(tracker: Tracker, here: dict[int, Floats], now: float, confirmed: Floats) -> None:
    """Note the time for every missile that a track updated in this look is near."""
    waiting = [i for i in here if math.isinf(confirmed[i])]
    if not waiting:
        return
    for i in tracker.engine.confirmed():
        row = tracker.table[i]
        if row["seen_ns"] != round(now * 1e9):
            continue
        place = row["mean"][int(np.argmax(row["phase"]))][:3]
        for m in waiting:
            if np.linalg.norm(place - here[m][:3]) < NEAR_M:
                confirmed[m] = min(confirmed[m], now)


def verdict(tracks: int, days: float, per_day: float) -> dict[str, Any]:
    """A count of false tracks against the configured rate."""
    allowed = poisson_upper(per_day * days)
    return {
        "false_tracks": tracks, "false_tracks_per_day": tracks / days,
        "rate_upper_per_day": rate_upper(tracks, days), "count_allowed": allowed, "met": tracks <= allowed,
    }  # fmt: skip


def delay_figures(seconds: list[float]) -> dict[str, Any]:
    """Median and 90 % of delays; None where it is for ever."""
    ordered = np.sort(np.array(seconds))
    # the least delay that the share does not exceed: no arithmetic with infinities
    at = [ordered[max(math.ceil(share * len(ordered)) - 1, 0)] for share in (0.5, 0.9)]
    median, most = (None if math.isinf(v) else round(float(v), 2) for v in at)
    never = float(np.mean(np.isinf(ordered)))
    return {"missiles": len(seconds), "delay_median_s": median, "delay_90_s": most, "never_share": never}


def lines(
    plots: list[float], per_day: float, days: float, flights: int, seed: int, processes: int
) -> list[dict[str, Any]]:
    """The benchmark's lines; printed as they are done."""
    scans = max(1, round(days * DAY_S / SCAN_S / processes))
    out = []
    with ProcessPoolExecutor(processes) as pool:
        for count in plots:
            for rated in (True, False):
                late = pool.submit(delays, count, rated, per_day, flights, seed)
                stretches = [
                    pool.submit(quiet, count, rated, per_day, scans, seed + 1 + p) for p in range(processes)
                ]
                done = [s.result() for s in stretches]
                total = sum(d.scans for d in done)
                line = {
                    "plots_a_scan": count, "range_rate": rated, "configured_per_day": per_day,
                    "days": total * SCAN_S / DAY_S,
                    **verdict(sum(d.tracks for d in done), total * SCAN_S / DAY_S, per_day),
                    **delay_figures(late.result()),
                    "plots_lost": sum(d.lost for d in done),
                    "ms_a_scan": 1e3 * sum(d.seconds for d in done) / total,
                }  # fmt: skip
                line = {k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()}
                print(json.dumps(line), flush=True)
                out.append(line)
    return out


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 1 where a rate is not met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=float, default=3.0, help="of clutter, simulated, for each line")
    parser.add_argument("--plots", type=float, nargs="+", default=[10.0, 100.0, 1000.0], help="a scan")
    parser.add_argument("--per-day", type=float, default=1.0, help="false tracks a day that are accepted")
    parser.add_argument("--missiles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1, help="each takes its share of the days")
    chosen = parser.parse_args(arguments)
    done = lines(chosen.plots, chosen.per_day, chosen.days, chosen.missiles, chosen.seed, chosen.processes)
    return 0 if all(line["met"] for line in done) else 1


if __name__ == "__main__":
    sys.exit(main())
