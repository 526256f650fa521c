"""Latency: from the last plot of a sector to the picture, and on to what is decided, as a raid grows.

In: numbers of tracks; out: three JSON lines for each.  Line `picture`: a sector's record is handed to a
node's `step`, until the picture is folded that holds it.  Line `step`: until the step is over, alerts and
impact predictions and all.  Line `signed`: of steps that issue alerts, until each is a signed CAP message;
those of the first scans count too: the early notices of a raid, to half of all zones at once, go out then.
`p50_ms`, `p99_ms` and `worst_ms` are over all sectors measured (`sectors`; of fewer than a hundred the 99th
percentile is the worst); `processor_p50_ms` and so on are the same in the process's own time, which hangs
less on what else the machine does.  `busy` is the share of the time between sectors that steps take: above 1
the node falls behind, and then what waits in its queue comes on top.

A node without a link, its journal kept as a digest only, with the zones that the package ships.  Up to a
thousand objects coast all round one radar (32 N 35 E, 8 sectors in 5 s, range rate); of 10,000 there are ten
radars with a thousand each, 3,400 km apart along 32 N, whose sectors come in turns.  As many false plots as
objects a scan.  Objects are above the air as long as they are watched; some come down on zones.  Rules,
policy and phases are the product's.  The first SETTLING scans, in which tracks are found, are not measured.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from calibration import calibration_ms
from earth_objects import coasting, fly, seen_by

from jointwatch.formats.warning_keys import WarningKey
from jointwatch.formats.xml_signature import sign_cap
from jointwatch.joint.joint_track import JointTrack
from jointwatch.node.config import NodeConfig
from jointwatch.node.dispatch import render_cap
from jointwatch.node.journal import Journal
from jointwatch.node.memory import settle
from jointwatch.node.node import Node
from jointwatch.records import Alert, Header, Sector, Sensor
from jointwatch.sensing.coverage import detection_probability
from jointwatch.sensing.radar import sensor_row
from jointwatch.warning.policy import Policy
from jointwatch.warning.zone_files import load_areas

NUMBERS = 100, 1_000, 10_000
SITE_TRACKS, SCAN_S, SECTORS = 1000, 5.0, 8
LATITUDE_DEG, LONGITUDE_DEG = 32.0, 35.0
RANGE_M, ELEVATION_RAD = (5e3, 900e3), (0.0, math.radians(80.0))
SIGMA = 50.0, 1e-3, 1e-3, 5.0
"""Range (m), azimuth and elevation (rad), range rate (m/s), 1-sigma."""
FASTEST_MS = 2000.0
"""Range rates of false plots are even up to this, either way."""
DETECTION = 0.9
SETTLING, SCANS = 6, 25
WIDTH = 2.0 * math.pi / SECTORS
Floats = np.ndarray[Any, np.dtype[np.float64]]
NEVER: Floats = np.full(2, math.nan)


def radars(count: int, clutter: float) -> list[Sensor]:
    """Radars along one parallel, evenly; clutter: false plots a scan of each."""
    return [
        Sensor(
            name=f"radar-{i}", partner="Amber", latitude_rad=math.radians(LATITUDE_DEG),
            longitude_rad=math.radians((LONGITUDE_DEG + 360.0 * i / count + 180.0) % 360.0 - 180.0),
            height_m=300.0, range_min_m=RANGE_M[0], range_max_m=RANGE_M[1],
            elevation_min_rad=ELEVATION_RAD[0], elevation_max_rad=ELEVATION_RAD[1],
            sigma_range_m=SIGMA[0], sigma_azimuth_rad=SIGMA[1], sigma_elevation_rad=SIGMA[2],
            sigma_range_rate_ms=SIGMA[3], period_s=SCAN_S, sectors=SECTORS, detection=DETECTION,
            clutter_per_scan=clutter,
        )
        for i in range(count)
    ]  # fmt: skip


def sectors(sensors: list[Sensor], n: int, scans: int, seed: int) -> Iterator[Sector]:
    """The sectors of so many scans, in order of time: n objects among the radars, and as many false plots."""
    rng = np.random.default_rng([seed, n, 43])
    rows = [sensor_row(sensor) for sensor in sensors]
    shares = [len(part) for part in np.array_split(np.arange(n), len(sensors))]
    watched_s = scans * SCAN_S
    states = [coasting(rng, s, count, watched_s) for s, count in zip(sensors, shares, strict=True)]
    apart_s = SCAN_S / SECTORS / len(sensors)
    for k in range(scans * SECTORS):
        start, end = k % SECTORS * WIDTH, (k % SECTORS + 1) * WIDTH
        for i, sensor in enumerate(sensors):
            time_ns = round((k * SCAN_S / SECTORS + i * apart_s) * 1e9)
            plots = _plots(rng, rows[i], states[i], start, sensor.clutter_per_scan / SECTORS)
            yield Sector(
                header=Header(originator="Amber", source=sensor.name, sequence=k + 1, measured_ns=time_ns),
                sensor=sensor.name, azimuth_from_rad=start, azimuth_to_rad=end % (2.0 * math.pi),
                received_ns=time_ns, range_m=tuple(plots[:, 0].tolist()),
                azimuth_rad=tuple(plots[:, 1].tolist()), elevation_rad=tuple(plots[:, 2].tolist()),
                range_rate_ms=tuple(plots[:, 3].tolist()),
            )  # fmt: skip
            fly(states[i], SCAN_S / SECTORS)


def _plots(
    rng: np.random.Generator,
    row: Floats,
    states: Floats,
    start: float,
    clutter: float,
) -> Floats:
    """(m, 4) plots of a sector that begins at azimuth `start`: what is detected, then what is false."""
    true = seen_by(row, states)
    inside = np.flatnonzero((true[:, 1] >= start) & (true[:, 1] < start + WIDTH))
    chance = np.array([detection_probability(row, true[i, 0], true[i, 2]) for i in inside])
    seen = true[inside[rng.random(len(inside)) < chance]]
    false = rng.uniform(
        [RANGE_M[0], start, ELEVATION_RAD[0], -FASTEST_MS],
        [RANGE_M[1], start + WIDTH, ELEVATION_RAD[1], FASTEST_MS],
        (rng.poisson(clutter), 4),
    )
    plots = np.concatenate([seen + np.array(SIGMA) * rng.standard_normal(seen.shape), false])
    plots[:, 1] %= 2.0 * math.pi
    return plots


def now() -> Floats:
    """Seconds (2,): on the wall, and of the processor by this process."""
    return np.array([time.perf_counter(), time.process_time()])


class Watch:
    """Stands between a node and its picture, and knows when the latest was there (`now`)."""

    def __init__(self, node: Node) -> None:
        self.seen_s: Floats = NEVER
        self._at = node.best.at
        node.best.at = self  # type: ignore[method-assign, assignment]

    def __call__(self, time_ns: int) -> list[JointTrack]:
        """Ask for the picture, and look at the clock."""
        picture = self._at(time_ns)
        self.seen_s = now()
        return picture


def node_for(sensors: list[Sensor], n: int) -> Node:
    """A node without a link, with room for the tracks and for chains of the clutter."""
    config = NodeConfig(
        partner="Amber", name="latency", sensors=tuple(sensors), zones=load_areas("Amber"), policy=Policy(),
        territories={"Ochre": ("368",)}, capacity=6 * n + 4096,
    )  # fmt: skip
    return Node(config, Journal(None))


def raid(n: int, settling: int, scans: int, seed: int, limit_s: float) -> list[dict[str, Any]]:
    """The lines of one number of tracks; what is past limit_s of work is cut short, and said so."""
    sensors = radars(math.ceil(n / SITE_TRACKS), n / math.ceil(n / SITE_TRACKS))
    node = node_for(sensors, n)
    settle()
    step_s = SCAN_S / SECTORS / len(sensors)
    first = settling * SECTORS * len(sensors)
    told, whole, signed, tracks = list[Floats](), list[Floats](), list[Floats](), list[int]()
    key = WarningKey.made(node.config.name, True, 0)
    render, issued = render_cap(node.config), list[Alert]()
    spent: list[float] = []
    calibrated = [calibration_ms()]
    watch = Watch(node)
    for k, sector in enumerate(sectors(sensors, n, settling + scans, seed)):
        begun = now()
        watch.seen_s = NEVER
        outputs = node.step(sector, sector.received_ns)
        over = now()
        alerts = [o for o in outputs if isinstance(o, Alert)]
        for alert in alerts:
            sign_cap(render(alert, issued), key)
            issued.append(alert)
        if alerts:
            signed.append(now() - begun)
        spent.append(float(over[0] - begun[0]))
        if k >= first:
            # where no track moved the picture is as it was: it is there when the step is over
            told.append((over if watch.seen_s is NEVER else watch.seen_s) - begun)
            whole.append(over - begun)
            tracks.append(len(node.picture))
        if sum(spent) > limit_s:
            break
    calibrated.append(calibration_ms())
    about: dict[str, Any] = {
        "raid": f"{n:,} coasting, {len(sensors)} radar{'s' * (len(sensors) > 1)}", "n": n,
        "tracks": round(float(np.mean(tracks))) if tracks else len(node.picture), "sectors": len(whole),
    }  # fmt: skip
    done = len(spent)
    if done < (settling + scans) * SECTORS * len(sensors):
        about["unfinished_after_s"] = round(sum(spent), 1)
        about["scans_done"] = round(done / SECTORS / len(sensors), 2)
    after = {"calibration_ms": round(float(np.median(calibrated)), 2)}
    if not whole:
        # cut short before anything was to be measured: what steps took last, while tracks were being found
        about["settling_step_p50_ms"] = round(1e3 * float(np.median(spent[-SECTORS * len(sensors) :])), 3)
        return [{**about, "stage": stage, **after} for stage in ("picture", "step")]
    lines = [
        {
            **about,
            "stage": stage,
            **_percentiles(seconds),
            "busy": round(float(np.mean(whole, axis=0)[0]) / step_s, 3),
        }
        | after
        for stage, seconds in (("picture", told), ("step", whole))
    ]
    if signed:
        lines.append({**about, "sectors": len(signed), "stage": "signed", **_percentiles(signed), **after})
    return lines


def _percentiles(seconds: list[Floats]) -> dict[str, float]:
    """Median, 99th percentile and worst of times (2,), ms: on the wall, then of the processor."""
    out: dict[str, float] = {}
    for clock, each in zip(("", "processor_"), np.array(seconds).T, strict=True):
        p50, p99 = np.percentile(each, [50.0, 99.0], method="higher")
        out |= {
            f"{clock}{name}_ms": round(1e3 * float(value), 3)
            for name, value in (("p50", p50), ("p99", p99), ("worst", each.max()))
        }
    return out


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, nargs="+", default=list(NUMBERS), help="tracks")
    parser.add_argument("--settling", type=int, default=SETTLING, help="scans before what is measured")
    parser.add_argument("--scans", type=int, default=SCANS, help="scans that are measured")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=300.0, help="seconds of work for one number of tracks")
    chosen = parser.parse_args(arguments)
    raid(30, 4, 1, 0, math.inf)  # compiles
    for n in chosen.n:
        for line in raid(n, chosen.settling, chosen.scans, chosen.seed, chosen.limit):
            print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
