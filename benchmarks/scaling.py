"""Scaling: what a scan costs, association and clutter included, from a thousand tracks to a hundred thousand.

In: numbers of tracks; out: one JSON line for each, with `n`, `layout`, `configuration`, `confirmed` tracks,
`rows_updated` in a scan, `ms_per_scan` (median of the settled scans; its worst beside), `us_per_track` (a
confirmed one), `bytes_per_track` (what the process's memory grew by, history and inputs and all),
`state_bytes` (one row), `history_bytes` (what the checkpoints hold) and `calibration_ms`.

    sites    a region that grows: as many radars as there are thousands of tracks, far apart on the Earth,
             each with a thousand coasting objects about it and as many false plots a scan, eight sectors in
             five seconds, range rate.  Twice: the product as it is (three phases, default rules), and with
             the ballistic phase alone
    one box  one staring radar in a flat frame, a plot a second without range rate, one motion; everything in
             one volume (that of the peer's benchmark), so that the plots crowd as the tracks grow in number

Everything is looked at once a scan.  Objects fly by the tracker's own ballistic motion: what is measured is
cost, not error.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from calibration import calibration_ms
from earth_objects import fly, seen_by
from numpy.typing import NDArray

from jointwatch.earth.frames import enu_rotation, geodetic2ecef
from jointwatch.motion.phases import BALLISTIC, PRIOR_MEAN, PRIOR_SIGMA
from jointwatch.motion.plane import FLAT, GRAVITY_MS2
from jointwatch.records import Sensor
from jointwatch.sensing.radar import sensor_row
from jointwatch.tracking.bank import FLIGHT, Motion, bank_of
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.table import CONFIRMED, ROW
from jointwatch.tracking.tracker import Tracker

Array = NDArray[np.float64]
Look = tuple[str, int, Array, float, float]
"""Sensor, time (ns), columns (m, 4), wedge from and to (rad)."""
NUMBERS = 1_000, 3_000, 10_000, 30_000, 100_000
SETTLING, SCANS = {"sites": 16, "sites, one phase": 16, "one box": 8}, 5
"""Scans before those measured: at the sites, until the memory for late sectors is as full as it stays."""
SITE_TRACKS, SITE_SCAN_S, SITE_SECTORS, SITE_REACH_M = 1000, 5.0, 8, 900e3
SETTLED_S = 40.0
"""When, after the first scan, objects are as they are drawn."""
HIGHEST_RAD = math.radians(70.0)
SIGMA_RANGE_M, SIGMA_RAD, SIGMA_RATE_MS, DETECTION = 50.0, 1e-3, 1.0, 0.9
FASTEST_MS = 2000.0
"""Range rates of false plots are even up to this, either way."""
BOX_LO, BOX_HI = (
    (math.radians(1.0), math.radians(35.0), 150e3),
    (math.radians(50.0), math.radians(125.0), 480e3),
)


# ---------------------------------------------------------------- sites


def site_sensors(count: int) -> list[Sensor]:
    """Radars evenly over the Earth between 70 degrees south and north (a spiral of equal areas)."""
    out = []
    for i in range(count):
        sine = math.sin(math.radians(70.0)) * (2.0 * (i + 0.5) / count - 1.0)
        longitude = (i * math.pi * (3.0 - math.sqrt(5.0)) + math.pi) % (2.0 * math.pi) - math.pi
        out.append(Sensor(
            name=f"site-{i}", partner="Amber", latitude_rad=math.asin(sine), longitude_rad=longitude,
            height_m=100.0, range_min_m=5e3, range_max_m=SITE_REACH_M, elevation_min_rad=0.0,
            elevation_max_rad=HIGHEST_RAD, sigma_range_m=SIGMA_RANGE_M, sigma_azimuth_rad=SIGMA_RAD,
            sigma_elevation_rad=SIGMA_RAD, sigma_range_rate_ms=SIGMA_RATE_MS, period_s=SITE_SCAN_S,
            sectors=SITE_SECTORS, detection=DETECTION, clutter_per_scan=SITE_TRACKS,
        ))  # fmt: skip
    return out


def coasting(rng: np.random.Generator, sensor: Sensor, count: int) -> Array:
    """(count, 7) states over a site, high enough to stay above the air while they are measured."""
    turn = enu_rotation(sensor.latitude_rad, sensor.longitude_rad)
    site = np.array(geodetic2ecef(sensor.latitude_rad, sensor.longitude_rad, sensor.height_m))
    far, about = 100e3 + 400e3 * np.sqrt(rng.random(count)), rng.uniform(0.0, 2.0 * math.pi, count)
    up = rng.uniform(90e3, 250e3, count)
    level, course = rng.uniform(1000.0, 2200.0, count), rng.uniform(0.0, 2.0 * math.pi, count)
    local = np.column_stack([far * np.sin(about), far * np.cos(about), up])
    speed = np.column_stack(
        [level * np.sin(course), level * np.cos(course), rng.uniform(-200.0, 800.0, count)]
    )
    states = np.column_stack([site + local @ turn, speed @ turn, np.full(count, -8.6)])
    fly(states, -SETTLED_S)
    return states


def site_scans(n: int, scans: int, seed: int, bank: Array = FLIGHT) -> tuple[Tracker, Iterator[list[Look]]]:
    """A tracker over the sites of n objects, and the looks of each scan."""
    rng = np.random.default_rng([seed, n])
    sensors = site_sensors(math.ceil(n / SITE_TRACKS))
    rows = [sensor_row(s) for s in sensors]
    counts = [len(part) for part in np.array_split(np.arange(n), len(sensors))]
    states = [coasting(rng, s, c) for s, c in zip(sensors, counts, strict=True)]
    step_s, width = SITE_SCAN_S / SITE_SECTORS, 2.0 * math.pi / SITE_SECTORS
    sigma = np.array([SIGMA_RANGE_M, SIGMA_RAD, SIGMA_RAD, SIGMA_RATE_MS])
    sine = math.sin(HIGHEST_RAD)

    def looks() -> Iterator[list[Look]]:
        for scan in range(scans):
            out: list[Look] = []
            for k in range(SITE_SECTORS):
                time_ns = round((scan * SITE_SCAN_S + k * step_s) * 1e9)
                for i, sensor in enumerate(sensors):
                    true = seen_by(rows[i], states[i])
                    here = (true[:, 1] >= k * width) & (true[:, 1] < (k + 1) * width)
                    here &= (
                        (true[:, 2] > 0.0) & (true[:, 2] < HIGHEST_RAD) & (rng.random(counts[i]) < DETECTION)
                    )
                    plots = true[here] + sigma * rng.standard_normal((int(here.sum()), 4))
                    many = rng.poisson(counts[i] / SITE_SECTORS)
                    false = np.column_stack([
                        SITE_REACH_M * np.cbrt(rng.uniform(1e-3, 1.0, many)),
                        rng.uniform(k * width, (k + 1) * width, many),
                        np.arcsin(rng.uniform(0.0, sine, many)),
                        rng.uniform(-FASTEST_MS, FASTEST_MS, many),
                    ])  # fmt: skip
                    both = np.concatenate([plots, false])
                    both[:, 1] %= 2.0 * math.pi
                    out.append((sensor.name, time_ns + i, both, k * width, (k + 1) * width))
                for s in states:
                    fly(s, step_s)
            yield out

    return Tracker("Amber", sensors, capacity=capacity(n), bank=bank), looks()


def one_phase_scans(n: int, scans: int, seed: int) -> tuple[Tracker, Iterator[list[Look]]]:
    """As `site_scans`, with the ballistic phase alone."""
    ballistic = Motion(
        kind=int(BALLISTIC), parameter_mean=float(PRIOR_MEAN[BALLISTIC]),
        parameter_sigma=float(PRIOR_SIGMA[BALLISTIC]),
    )  # fmt: skip
    return site_scans(n, scans, seed, bank_of(ballistic))


# ---------------------------------------------------------------- one box


def box_scans(n: int, scans: int, seed: int) -> tuple[Tracker, Iterator[list[Look]]]:
    """A tracker in a flat frame, and the one look of each scan."""
    rng = np.random.default_rng([seed, n, 1])
    lo, hi = np.array(BOX_LO), np.array(BOX_HI)
    reach = 900e3
    sensor = Sensor(
        name="radar", partner="Amber", latitude_rad=0.0, longitude_rad=0.0, height_m=0.0, range_min_m=1e3,
        range_max_m=reach, elevation_min_rad=0.0, elevation_max_rad=math.radians(89.0),
        sigma_range_m=SIGMA_RANGE_M, sigma_azimuth_rad=SIGMA_RAD, sigma_elevation_rad=SIGMA_RAD,
        sigma_range_rate_ms=SIGMA_RATE_MS, period_s=1.0, sectors=1, detection=DETECTION,
        clutter_per_scan=n * math.radians(89.0) * 2.0 * math.pi * reach / float(np.prod(hi - lo)),
        measures=("range", "azimuth", "elevation"), flat=True,
    )  # fmt: skip
    row = sensor_row(sensor)
    speed = np.sqrt(rng.uniform(300e3, 700e3, n) * GRAVITY_MS2)
    loft, age = rng.uniform(math.radians(40.0), math.radians(50.0), n), rng.uniform(0.0, 60.0, n)
    x, y = rng.uniform(-100e3, 100e3, n), rng.uniform(200e3, 400e3, n)
    course = np.arctan2(-y, -x) + rng.uniform(-math.pi / 6.0, math.pi / 6.0, n)
    level, climb = speed * np.cos(loft), speed * np.sin(loft)
    states = np.column_stack([
        x, y, 40e3 + climb * age - 0.5 * GRAVITY_MS2 * age**2, level * np.cos(course), level * np.sin(course),
        climb - GRAVITY_MS2 * age, np.zeros(n),
    ])  # fmt: skip

    def looks() -> Iterator[list[Look]]:
        for scan in range(scans):
            true = seen_by(row, states)
            here = rng.random(n) < DETECTION
            noise = np.array([SIGMA_RANGE_M, SIGMA_RAD, SIGMA_RAD, 0.0])
            plots = true[here] + noise * rng.standard_normal((int(here.sum()), 4))
            elevation, azimuth, range_m = rng.uniform(lo, hi, (rng.poisson(n), 3)).T
            turned = (0.5 * math.pi - azimuth) % (2.0 * math.pi)
            both = np.concatenate([plots, np.column_stack([range_m, turned, elevation, 0.0 * range_m])])
            both[:, 3] = 0.0
            yield [("radar", round(scan * 1e9), both, 0.0, 0.0)]
            states[:, :3] += states[:, 3:6]
            states[:, 2] -= 0.5 * GRAVITY_MS2
            states[:, 5] -= GRAVITY_MS2

    bank = bank_of(Motion(kind=FLAT, noise=1.0))
    rules = Rules(false_tracks_per_day=86.4, confirm_hits=3, flight=False)
    return Tracker("Amber", [sensor], capacity=capacity(n), bank=bank, rules=rules), looks()


LAYOUTS = {"sites": site_scans, "sites, one phase": one_phase_scans, "one box": box_scans}
CONFIGURATIONS = {"sites": "product", "sites, one phase": "one phase", "one box": "one motion"}
CROWDED = 3_000
"""In one box the plots of more tracks than this crowd so that a scan takes minutes."""


# ---------------------------------------------------------------- what is measured


def capacity(n: int) -> int:
    """Rows of the table for n objects and the chains of as many false plots."""
    return 2 * n + 1024


def peak_bytes() -> int:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def line(n: int, layout: str, seed: int) -> dict[str, Any]:
    """One number of tracks in one layout: settle, then time some scans."""
    tracker, scans = LAYOUTS[layout](n, SETTLING[layout] + SCANS, seed)
    seconds, updated, held = [], [], []
    before = peak_bytes()
    for k, looks in enumerate(scans):
        first_ns = looks[0][1]
        begun = time.perf_counter()
        for look in looks:
            tracker.look(*look)
        if k >= SETTLING[layout]:
            seconds.append(time.perf_counter() - begun)
            live = tracker.table["life"] == CONFIRMED
            updated.append(int((live & (tracker.table["time_ns"] >= first_ns)).sum()))
            held.append(int(live.sum()))
    median = float(np.median(seconds))
    return {
        "n": n, "layout": layout, "configuration": CONFIGURATIONS[layout], "looks_a_scan": len(looks),
        "confirmed": float(np.mean(held)), "rows_updated": float(np.mean(updated)),
        "ms_per_scan": round(1e3 * median, 3), "ms_per_scan_worst": round(1e3 * max(seconds), 3),
        "us_per_track": round(1e6 * median / max(float(np.mean(held)), 1.0), 3),
        "bytes_per_track": round((peak_bytes() - before) / n), "state_bytes": ROW.itemsize,
        "history_bytes": tracker.history_bytes, "calibration_ms": calibration_ms(),
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 0 when done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, nargs="+", default=list(NUMBERS))
    parser.add_argument("--layout", choices=list(LAYOUTS), action="append", help="only this")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    for layout in chosen.layout or list(LAYOUTS):
        line(100, layout, 0)  # compiles
        for n in chosen.n:
            if layout != "one box" or n <= CROWDED:
                print(json.dumps(line(n, layout, chosen.seed)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
