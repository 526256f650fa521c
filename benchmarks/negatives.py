"""What is no missile, seen by infrared satellites: bolides, their trains, and real ascents to orbit.

In: `--data DIR` (or JOINTWATCH_DATA), a folder that holds `cneos-fireballs` and `spacex-webcast`; out: JSON
lines.  Two satellites (10 E and 75 E, 20 and 30 microradians, a disc in 10 s, clutter, noise and rates of
`false_launches.py`) look at lights that move as recorded (`negative_objects` says what is recorded and what
is assumed), one after the other.  Case `bolides`, `trains`: n, events; `confirmed`, burns made of one; told,
how many were told of as launches, `as` which class, and `impact`, how many of them with a place of fall;
`of_told`: satellites, plots, log odds, misfit and seconds of each.  `clutter_told`: burns of no event.
Case `ascents` and `boosters` (the same with first stages that come back; their second stage is not
recorded): a line for each flight (median over sites, azimuths, seeds), seconds since lift-off; `first_s`:
first told; `as_missile_s`: for how long the class told was a missile's, and `missile_at_all`: share of the
flights in which it was; `orbit_from_s`: from when on it was told as space_launch or unknown,
or as nothing any more; `impact`: share with a place of fall told before 30 s into the second stage's burn,
`impact_late`: after; `site_90_first`, `site_90_last`: share of the first and the last areas that hold the
site; `lines`: each flight's tellings (seconds, class, misfit, whether with a place of fall, state).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from false_launches import (
    FALSE_PER_DAY,
    RATE_PER_M2_S,
    SHIPPED,
    a_day,
    satellites,
    whose,
)
from negative_objects import (
    EAST_DEG,
    FIRST_STAGE_W_SR,
    Light,
    ascent_burns,
    ascent_light,
    bolide_light,
    read_bolides,
    train_light,
)

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.earth.places import Territories
from jointwatch.exercise.infrared import simulate_scans
from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.exercise.truth import Truth
from jointwatch.formats.webcast import cleaned, read_recording
from jointwatch.launch.burn_report import BurnEstimate, burn_area, burn_estimate
from jointwatch.launch.burns import Burn, Burns
from jointwatch.launch.looks import AT, SEEN
from jointwatch.node.burning import MOST_MISFIT
from jointwatch.records import BadInput
from jointwatch.review.arcs import Arc, Site, observed_arc

TABLE = Path("cneos-fireballs") / "cneos_fireballs_1988-2015.csv"
APART_S, LEAD_S = 100.0, 600.0
"""From one bolide to the next; looks before the first, for the maps of false plots to be learned."""
TO_ORBIT = ("space_launch", "unknown")
SITES_DEG = ((28.6, 90.0), (28.6, 45.0), (34.6, 190.0), (34.6, 135.0))
"""Latitudes and azimuths of ascents: assumptions, for the recordings have none."""
LATE_S = 30.0
AFTER_S = 60.0
"""A flight is followed so long after its last burn."""


class Told:
    """What a node would tell of one event, scan by scan (`node.burning`), and how often it was seen."""

    def __init__(self) -> None:
        self.numbers: set[str] = set()
        self.plots = 0
        self.steps: list[tuple[int, BurnEstimate | None, Burn]] = []


def told_of(burn: Burn, territories: Territories) -> BurnEstimate | None:
    """What the node tells of a burn now; None where it tells nothing (it fits no class, or is many)."""
    known = burn.posterior
    if known is None or burn.log_odds < 0.0 or known.misfit > MOST_MISFIT:
        return None
    area = burn_area(burn.number, known, territories, burn.sensors)
    return None if area is None else burn_estimate(known, area)


def played(scenario: Scenario, truth: Truth, seed: int, draws: int) -> tuple[dict[int | None, Told], int]:
    """Events by index, None for what is none of them, with what was told of each; and scans taken."""
    territories = Territories({})
    node = Burns(scenario.satellite_records(), RATE_PER_M2_S, FALSE_PER_DAY, "T", draws)
    events: dict[int | None, Told] = {}
    owners: dict[str, int | None] = {}
    posteriors: dict[str, int] = {}
    scans = 0
    for scan in simulate_scans(scenario, truth, seed):
        scans += 1
        for burn in node.take(scan):
            owner = owners[burn.number] = whose(burn, truth)
            event = events.setdefault(owner, Told())
            event.numbers.add(burn.number)
            if burn.posterior is not None and posteriors.get(burn.number) != id(burn.posterior):
                posteriors[burn.number] = id(burn.posterior)
                event.steps.append((scan.received_ns, told_of(burn, territories), burn))
    return events, scans


def skies(
    data: Path, seed: int, clutter: float, draws: int, trains: bool, most: int | None
) -> dict[str, Any]:
    """All bolides of the table one after the other, or a train behind each: what was told of them."""
    rows = read_bolides(data / TABLE)[:most]
    rng = np.random.default_rng([seed, 71])
    hours = (LEAD_S + APART_S * (len(rows) + 1)) / 3600.0
    scenario = a_day(load_scenario(SHIPPED), seed, hours, satellites(clutter))
    lights: list[Light] = []
    for k, row in enumerate(rows):
        at_s = LEAD_S + APART_S * (k + rng.uniform())
        longitude = math.radians(rng.uniform(*EAST_DEG))
        lights.append(bolide_light(row, longitude, f"bolide-{k}", scenario.start_ns, at_s, rng))
        if trains:
            lights.append(train_light(row, longitude, f"train-{k}", scenario.start_ns, at_s, rng))
    begin = time.perf_counter()
    events, scans = played(scenario, Truth(scenario.start_ns, list(lights)), seed, draws)
    real = {i: e for i, e in events.items() if i is not None}
    last = {i: next((t for _, t, _ in reversed(e.steps) if t is not None), None) for i, e in real.items()}
    burns = {i: e.steps[-1][2] for i, e in real.items() if e.steps}
    return {
        "case": "trains" if trains else "bolides", "seed": seed, "clutter_per_scan": clutter, "n": len(rows),
        "scans": scans, "confirmed": len(real),
        "told": sum(t is not None for t in last.values()),
        "as": dict(Counter(t.object_class for t in last.values() if t is not None)),
        "impact": sum(t is not None and t.impact is not None for t in last.values()),
        "clutter_told": len(events[None].numbers) if None in events else 0,
        "of_told": [
            (lights[i].name, len(b.sensors), b.plots, round(b.log_odds, 1),
             round(b.posterior.misfit, 2) if b.posterior else None,
             round(float(np.ptp(b.looks[b.looks[:, SEEN] > 0.0, AT]))))
            for i, b in sorted(burns.items())
        ],
        "seconds": round(time.perf_counter() - begin, 1),
    }  # fmt: skip


def recordings(data: Path, kind: str) -> Iterator[tuple[str, Arc, dict[str, float]]]:
    """Every recorded flight of a kind: its name, its arc (from the equator; laid anew later), its events."""
    folder = data / "spacex-webcast" / kind
    for path in sorted(folder.glob("*.raw30hz.csv.gz")):
        name = path.name.removesuffix(".raw30hz.csv.gz")
        recording = cleaned(read_recording(path, folder / f"{name}.events.json"))
        yield name, observed_arc(recording, Site(0.0, 0.0, 0.5 * math.pi)), recording.events_s


def holds(estimate: BurnEstimate, latitude: float, longitude: float) -> bool:
    """Whether the area told holds a place (rad)."""
    area = estimate.area
    north = (latitude - area.latitude_rad) * MEAN_RADIUS_M
    east = (longitude - area.longitude_rad) * MEAN_RADIUS_M * math.cos(latitude)
    s, c = math.sin(area.bearing_rad), math.cos(area.bearing_rad)
    along, across = north * c + east * s, east * c - north * s
    return bool((along / area.semi_major_m) ** 2 + (across / area.semi_minor_m) ** 2 <= 1.0)


def flights(
    data: Path,
    kind: str,
    seeds: list[int],
    clutter: float,
    draws: int,
    first_w_sr: float,
    only: str,
    places: tuple[tuple[float, float], ...] = SITES_DEG,
) -> Iterator[dict[str, Any]]:
    """Every recorded flight from every site: what was told of it, and when."""
    for name, arc, events_s in recordings(data, kind):
        if only and only != name:
            continue
        burns = ascent_burns(events_s, float(arc.time_s[-1]), first_w_sr)
        rows = []
        for seed in seeds:
            rng = np.random.default_rng([seed, 72])
            gap_s = burns[-1][1] + AFTER_S
            hours = (LEAD_S + gap_s * len(places)) / 3600.0
            scenario = a_day(load_scenario(SHIPPED), seed, hours, satellites(clutter))
            sites = [
                (math.radians(a), math.radians(rng.uniform(38.0, 50.0)), math.radians(b)) for a, b in places
            ]
            starts = [LEAD_S + gap_s * k + rng.uniform(0.0, 10.0) for k in range(len(sites))]
            lights = [
                ascent_light(arc, burns, f"{name}-{seed}-{k}", scenario.start_ns, at, site)
                for k, (at, site) in enumerate(zip(starts, sites, strict=True))
            ]
            events, _ = played(scenario, Truth(scenario.start_ns, list(lights)), seed, draws)
            for k, light in enumerate(lights):
                rows.append(scored(events.get(k), light, sites[k], burns))
        yield {"case": "ascents" if kind == "ascent-stage2" else kind + "s", "flight": name, "n": len(rows),
               "first_stage_w_sr": first_w_sr, "burns_s": [round(b, 1) for a in burns for b in a[:2]],
               **pooled(rows)}  # fmt: skip


def scored(
    event: Told | None,
    light: Light,
    site: tuple[float, float, float],
    burns: list[tuple[float, float, float]],
) -> dict[str, Any]:
    """One flight: when it was told as what."""
    if event is None:
        return {"told": False, "burns": 0}
    second_s = burns[1][0] if len(burns) > 1 else burns[0][1]
    steps = [((ns - light.launch_ns) * 1e-9, t, b) for ns, t, b in event.steps]
    told = [(s, t) for s, t, _ in steps if t is not None]
    if not told:
        return {"told": False, "burns": len(event.numbers)}
    line = [
        (round(s), "-" if t is None else t.object_class,
         round(b.posterior.misfit, 2) if b.posterior else None,
         t is not None and t.impact is not None, b.state)
        for s, t, b in steps
    ]  # fmt: skip
    until = [s for s, _, _ in steps[1:]] + [burns[-1][1] + AFTER_S]
    missile = [t is not None and t.object_class not in TO_ORBIT for _, t, _ in steps]
    wrong = sum(e - s for (s, _, _), e, m in zip(steps, until, missile, strict=True) if m)
    last_wrong = max((e for e, m in zip(until, missile, strict=True) if m), default=told[0][0])
    return {
        "told": True, "burns": len(event.numbers), "first_s": told[0][0], "as_missile_s": wrong,
        "missile": any(missile), "orbit_from_s": last_wrong,
        "impact": any(t.impact is not None for s, t in told if s < second_s + LATE_S),
        "impact_late": any(t.impact is not None for s, t in told if s >= second_s + LATE_S),
        "last": told[-1][1].object_class,
        "site_first": holds(told[0][1], *site[:2]), "site_last": holds(told[-1][1], *site[:2]),
        "line": line,
    }  # fmt: skip


def pooled(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of all tries at one flight."""
    told = [r for r in rows if r["told"]]
    out: dict[str, Any] = {"told": len(told), "numbers_each": float(np.mean([r["burns"] for r in rows]))}
    if not told:
        return out
    for key in ("first_s", "as_missile_s", "orbit_from_s"):
        out[key] = round(float(np.median([r[key] for r in told])))
    for key, of in (
        ("missile_at_all", "missile"), ("impact", "impact"), ("impact_late", "impact_late"),
        ("site_90_first", "site_first"), ("site_90_last", "site_last"),
    ):  # fmt: skip
        out[key] = round(float(np.mean([r[of] for r in told])), 2)
    out["last_as"] = dict(Counter(r["last"] for r in told))
    out["lines"] = [r["line"] for r in told]
    return out


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("JOINTWATCH_DATA"))
    parser.add_argument("--case", choices=("bolides", "trains", "ascents", "boosters", "all"), default="all")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="the first")
    parser.add_argument("--clutter", type=float, default=20.0, help="false plots a scan of each satellite")
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--most", type=int, default=None, help="bolides, from the table's beginning")
    parser.add_argument("--flight", default="")
    parser.add_argument("--every-site", type=int, default=1, help="2: half of the assumed sites")
    parser.add_argument("--first-stage-w-sr", type=float, default=FIRST_STAGE_W_SR)
    asked = parser.parse_args(arguments)
    if asked.data is None or not Path(asked.data).is_dir():
        print("negatives skipped: no recordings (give --data DIR or set JOINTWATCH_DATA).")
        return 0
    data, seeds = Path(asked.data), [asked.seed + k for k in range(asked.seeds)]
    try:
        for case in ("bolides", "trains"):
            if asked.case in (case, "all"):
                for seed in seeds:
                    line = skies(data, seed, asked.clutter, asked.draws, case == "trains", asked.most)
                    print(json.dumps(line), flush=True)
        for case, kind in (("ascents", "ascent-stage2"), ("boosters", "booster")):
            if asked.case in (case, "all"):
                for line in flights(
                    data,
                    kind,
                    seeds,
                    asked.clutter,
                    asked.draws,
                    asked.first_stage_w_sr,
                    asked.flight,
                    SITES_DEG[:: asked.every_site],
                ):
                    print(json.dumps(line), flush=True)
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
