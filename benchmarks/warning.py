"""Warnings of one node: who of those struck was told in time, whom it told for nothing, and how soon.

In: which cases, how many raids, seeds; out: JSON lines with `case`, `warned_in_time_share`, `excluded_share`,
`coverage_50`, `coverage_90`, `area_km2`, `needless_ratio`, `p99_ms`, null where a case has none, `truth` (of
raids: which case) and the counts behind them.
    raids    made raids (`made_raids`: every seed other classes, places, headings), a line for each class and
             one for all.  Struck: a zone within an object's danger radius of its true fall.  Excluded: five
             good looks at the object came too late for the zone's time to shelter and 10 s (`review.score`).
             In time: told to take shelter at least its time to shelter before, and not taken back before the
             fall.  Coverage and 90 % area: of the predicted fall behind an object's first take-shelter alert.
             Needless: zone-minutes told to take shelter in zones that nothing struck, over those of warning
             each zone that the 90 % region of the same track at the same instant touches, and those within
             NEIGHBOUR_M of one of them, until the all clear that follows the predicted impact.
    stated   such raids whose bodies drag at launch as the classes' profiles say, which designs about the
             exercise's do not: what regions hold where that prior is true
    quiet    90 s of clutter and aircraft, each seed anew: alerts and early notices sent
How long it takes to the signed alert is in `latency.py` (`signed`); `p99_ms` is null here.
Cancel: of missiles that break up, from the second good look at a fragment to the withdrawal of each zone
(`review.withdrawal`), in scans of the fastest radar that gave it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import shapely
from made_raids import KINDS, PARTNER, SCENARIO, made_raids, theatre
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.exercise.nodes import node_configs
from jointwatch.exercise.play import simulate_looks
from jointwatch.exercise.policies import load_policies
from jointwatch.exercise.recording import PictureRecord, Recording
from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.exercise.scenario_tables import Aircraft
from jointwatch.exercise.sensors import GOOD_LOOK, looks
from jointwatch.exercise.truth import Truth, make_truth
from jointwatch.exercise.unlinked import play_unlinked
from jointwatch.records import Impact, Zone
from jointwatch.review.accuracy import fall_errors
from jointwatch.review.matching import match
from jointwatch.review.strikes import S, first_strikes, told
from jointwatch.review.withdrawal import withdrawn_alerts
from jointwatch.warning.spread import degrees_at, radius, stated

Line = dict[str, Any]
RESULTS = (
    "warned_in_time_share", "excluded_share", "coverage_50", "coverage_90", "area_km2", "needless_ratio",
    "p99_ms",
)  # fmt: skip
NEIGHBOUR_M = 1000.0
"""A zone whose outline comes so near to another's is its neighbour."""
OUTLINE = np.linspace(0.0, 2.0 * math.pi, 73)
QUIET_S = 90.0


class Strike(NamedTuple):
    """A struck zone: by which class, whether it could be told in time, whether it was, and its margin (s)."""

    kind: str
    feasible: bool
    in_time: bool
    margin_s: float


class Fall(NamedTuple):
    """A predicted fall at the first alert: class, error (m), whether its regions held, 90 % area (km^2)."""

    kind: str
    error_m: float
    in_50: bool
    in_90: bool
    area_km2: float


class Told(NamedTuple):
    """What one raid gave.  needless_s, baseline_s: zone-seconds; struck zones are in neither."""

    strikes: list[Strike]
    falls: list[Fall]
    needless_s: float
    baseline_s: float
    withdrawn: list[dict[str, Any]]
    alerts: int
    unfounded: int


def play(scenario: Scenario, truth: Truth, seed: int) -> tuple[PictureRecord, Recording]:
    """One node with all sensors, and what it told."""
    config = {PARTNER: node_configs(scenario)[PARTNER]}
    picture, digest = play_unlinked(config, simulate_looks(scenario, truth, seed), scenario.start_ns)[PARTNER]
    recording = Recording(
        scenario=scenario, seed=seed, truth=truth, pictures={picture.name: picture}, latency_ms=[], link={},
        digests={PARTNER: digest}, wall_s=0.0,
    )  # fmt: skip
    return picture, recording


def a_raid(seed: int, as_stated: bool = False) -> Told:
    """Play the raid of a seed, and judge what was told."""
    scenario, truth = made_raids(seed, as_stated)
    picture, recording = play(scenario, truth, seed)
    zones = scenario.zones(PARTNER)
    every = looks(scenario, truth, seed, least=0.0)
    seen = [[look for look in of_it if look[2] >= GOOD_LOOK] for of_it in every]
    sensors = range(len(scenario.sensor_records()))
    periods = told(picture)
    strikes = []
    for strike in first_strikes(truth.objects, zones, seen):
        spans = periods.get(strike.zone.key, [])
        held = [p for p in spans if p.since_ns <= strike.time_ns < p.until_ns]
        margin = max(((strike.time_ns - p.since_ns) / S for p in held), default=-math.inf)
        margin -= strike.zone.shelter_s
        kind = truth.objects[strike.object].object_class
        strikes.append(Strike(kind, strike.feasible(sensors), margin >= 0.0, margin))
    of = match(recording, picture).object_of()
    kinds = {o.name: o.object_class for o in truth.objects}
    impacts = first_impacts(picture)
    falls = [
        Fall(kinds[name], f.error_m, f.in_50, f.in_90, area_km2(impacts[f.track][1]))
        for name, f in fall_errors(recording, picture, of).items()
    ]
    struck = {s.zone.key for s in first_strikes(truth.objects, zones, seen)}
    end_ns = scenario.end_ns
    needless = sum(
        min(p.until_ns, end_ns) - p.since_ns for key, spans in periods.items() if key not in struck
        for p in spans
    )  # fmt: skip
    clear_ns = round(load_policies(scenario)[PARTNER].clear_after_s * S)
    baseline = around(impacts, zones, clear_ns, end_ns)
    shelter = [a for a in picture.alerts if a.tier == "shelter" and a.action in ("alert", "update")]
    return Told(
        strikes,
        falls,
        needless / S,
        sum(b - a for key, (a, b) in baseline.items() if key not in struck) / S,
        withdrawn_alerts(recording, picture, of, seen, zones),
        len(shelter),
        sum(all(t not in of for t, _ in a.evidence) for a in shelter),
    )


def first_impacts(picture: PictureRecord) -> dict[str, tuple[int, Impact]]:
    """When (ns) each track first stood behind a take-shelter alert, and its predicted fall then."""
    first: dict[str, tuple[int, Impact]] = {}
    for alert in picture.alerts:
        if alert.tier == "shelter" and alert.action in ("alert", "update"):
            for track, impact in picture.alert_impacts[alert.identifier].items():
                first.setdefault(track, (alert.sent_ns, impact))
    return first


def outline(impact: Impact) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """East and north (n, 2; m) of the 90 % region's outline, and its longitudes and latitudes (n, 2; deg)."""
    r = radius(0.9)
    offsets = stated(impact).offsets(r * np.column_stack([np.cos(OUTLINE), np.sin(OUTLINE)]))
    return offsets, np.column_stack(degrees_at(impact.latitude_rad, impact.longitude_rad, offsets))


def area_km2(impact: Impact) -> float:
    """Area of the 90 % region."""
    return float(shapely.Polygon(outline(impact)[0]).area) / 1e6


@cache
def grounds(zones: tuple[Zone, ...]) -> tuple[shapely.STRtree, float, list[set[int]]]:
    """A tree of the zones on a plane (m), its scale (cosine), and each zone's neighbours."""
    scale = math.cos(math.radians(float(np.median([z.latitude_deg for z in zones]))))
    plane = [
        shapely.MultiPolygon([flat(np.array(ring), scale) for ring in z.rings])
        if z.rings
        else shapely.Point(flat_point(z, scale)).buffer(z.radius_m)
        for z in zones
    ]
    tree = shapely.STRtree(plane)
    near: list[set[int]] = [set() for _ in zones]
    for a, b in tree.query(plane, predicate="dwithin", distance=NEIGHBOUR_M).T.tolist():
        near[a].add(b)
    return tree, scale, near


def flat(degrees: NDArray[np.float64], scale: float) -> shapely.Polygon:
    """A ring (n, 2) of degrees on the plane."""
    return shapely.Polygon(np.radians(degrees) * 6.371e6 * np.array([scale, 1.0])).buffer(0.0)


def flat_point(zone: Zone, scale: float) -> tuple[float, float]:
    """A zone's own point on the plane."""
    return (
        math.radians(zone.longitude_deg) * 6.371e6 * scale, math.radians(zone.latitude_deg) * 6.371e6
    )  # fmt: skip


def around(
    impacts: dict[str, tuple[int, Impact]], zones: tuple[Zone, ...], clear_ns: int, end_ns: int
) -> dict[str, tuple[int, int]]:
    """The baseline: each zone in a track's 90 % region and its neighbours, from when to when it is told."""
    tree, scale, near = grounds(zones)
    spans: dict[str, tuple[int, int]] = {}
    for since_ns, impact in impacts.values():
        touched = tree.query(flat(outline(impact)[1], scale), predicate="intersects").tolist()
        until_ns = min(impact.time_ns + clear_ns, end_ns)
        for z in set(touched).union(*(near[t] for t in touched)):
            a, b = spans.get(zones[z].key, (since_ns, until_ns))
            spans[zones[z].key] = min(a, since_ns), max(b, until_ns)
    return spans


def a_quiet(seed: int) -> tuple[int, int]:
    """Alerts and early notices in 90 s of clutter and aircraft."""
    bundled = theatre_with_aircraft()
    about = replace(bundled.scenario, duration_s=QUIET_S, seed=seed)
    scenario = replace(bundled, scenario=about)
    truth = make_truth(scenario, seed)
    picture, _ = play(scenario, truth, seed)
    return sum(a.tier == "shelter" for a in picture.alerts), sum(a.tier == "early" for a in picture.alerts)


@cache
def theatre_with_aircraft() -> Scenario:
    """The theatre with the bundled exercise's civil routes."""
    routes = load_scenario(SCENARIO).aircraft.routes
    return replace(theatre(), aircraft=Aircraft(routes=routes))


def line(case: str, found: Line) -> Line:
    """A line of the stated keys first, null where a case has none."""
    return {"case": case, **dict.fromkeys(RESULTS), **found}


def share(values: list[bool]) -> float | None:
    """The share of those that hold."""
    return round(float(np.mean(values)), 4) if values else None


def summary(raids: list[Told], kind: str | None) -> Line:
    """The line of one class, or of all."""
    strikes = [s for r in raids for s in r.strikes if kind in (None, s.kind)]
    falls = [f for r in raids for f in r.falls if kind in (None, f.kind)]
    could = [s for s in strikes if s.feasible]
    margins = [s.margin_s for s in could if s.in_time]
    found: Line = {
        "warned_in_time_share": share([s.in_time for s in could]),
        "excluded_share": share([not s.feasible for s in strikes]),
        "coverage_50": share([f.in_50 for f in falls]),
        "coverage_90": share([f.in_90 for f in falls]),
        "area_km2": round(float(np.median([f.area_km2 for f in falls])), 2) if falls else None,
        "error_m": round(float(np.median([f.error_m for f in falls])), 0) if falls else None,
        "struck": len(strikes),
        "feasible": len(could),
        "late": sum(not s.in_time and s.margin_s > -math.inf for s in could),
        "untold": sum(s.margin_s == -math.inf for s in could),
        "margin_s": round(float(np.median(margins)), 1) if margins else None,
        "falls": len(falls),
    }
    if kind is None:
        needless, baseline = sum(r.needless_s for r in raids), sum(r.baseline_s for r in raids)
        broken = [w for r in raids for w in r.withdrawn if w["alerted"]]
        took = [
            w["cancel_after_evidence_s"] / w["scan_s"]
            for w in broken
            if w["cancel_after_evidence_s"] is not None
        ]
        found |= {
            "needless_ratio": round(needless / baseline, 3) if baseline else None,
            "needless_zone_minutes": round(needless / 60.0, 1),
            "raids": len(raids),
            "alerts": sum(r.alerts for r in raids),
            "unfounded_alerts": sum(r.unfounded for r in raids),
            "broken_up": len(broken),
            "cancel_scans": [round(float(v), 2) for v in np.quantile(took, [0.5, 0.9, 1.0])]
            if took
            else None,
            "never_cancelled": sum(w["zones_left"] > 0 for w in broken),
        }
    return line(kind or "all", found)


def lines(case: str, count: int, seed: int, workers: int) -> Iterator[Line]:
    """The lines of one case."""
    with ProcessPoolExecutor(workers) as pool:
        if case in ("raids", "stated"):
            raids = list(pool.map(partial(a_raid, as_stated=case == "stated"), range(seed, seed + count)))
            for kind in (*KINDS, None):
                yield summary(raids, kind) | {"truth": case}
        elif case == "quiet":
            told_of = Counter[str]()
            for alerts, early in pool.map(a_quiet, range(seed, seed + count)):
                told_of.update(alerts=alerts, early=early, seeds=1, with_any=bool(alerts))
            yield line("quiet", dict(told_of) | {"hours": round(count * QUIET_S / 3600.0, 2)})


def main() -> None:
    """Print the lines asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=100)
    )
    parser.add_argument("--case", choices=("raids", "stated", "quiet"), action="append")
    parser.add_argument("--count", type=int, default=200, help="raids, or quiet stretches")
    parser.add_argument("--seed", type=int, default=1, help="of the first")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    for case in given.case or ("raids", "quiet"):
        for found in lines(case, given.count, given.seed, given.workers):
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    sys.exit(main())
