"""Real arcs: the product's tracker on recorded flights, and how well it says where they will be.

In: `--data DIR` (or JOINTWATCH_DATA), a folder that holds `spacex-webcast`; out: one JSON line a case.
Each recorded booster is laid on the ellipsoid (`review.arcs`; site and azimuth are assumptions, printed),
seen by one radar abeam of its coast (50 m, 1 mrad in azimuth and elevation, a plot a second from when it
rises over the radar's horizon) and tracked from then on through staging, boost-back and coast.  From 30 s
into the coast, every 5 s, the track is predicted 30, 60 and 120 s ahead and scored against the recorded
height and speed.  Launches to orbit are tracked likewise, for what is said about where they would come down.

While it coasts the stated course turns with the Earth, as that of anything not pushed does; along a geodesic
(`--geodesic`) a fast booster would be pushed sideways with 0.15 m/s^2 for minutes.  `inside_90` allows for
the rounding of the reading that is scored; `inside_90_laid` also for what rounding does to the arc that the
radar sees, measured on a twin that truly coasts (`laid_twins`).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from laid_twins import twin_of
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation
from jointwatch.formats.webcast import SPEED_STEP_MS, Recording, cleaned, read_recording
from jointwatch.motion.phases import BALLISTIC
from jointwatch.motion.propagate import perigee_m, predict
from jointwatch.node.decisions import ORBIT_M
from jointwatch.records import RADAR, BadInput, Header, Sector, Sensor, Track
from jointwatch.review.arcs import Arc, Site, observed_arc, rounded_interval
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.tracking.tracker import Tracker
from jointwatch.warning.impact import ground_fall
from jointwatch.warning.policy import Policy

AHEAD_S = (30.0, 60.0, 120.0)
FIRST_S, EVERY_S = 30.0, 5.0
LEVEL = 0.9
ABEAM_M = 150e3
UPPER = np.triu_indices(7)

EAST_COAST, WEST_COAST = (28.58, -80.62), (34.63, -120.61)
# Latitude, longitude and azimuth (deg) of every flight: assumptions, for the recordings have no bearing.
BOOSTERS = {
    "BulgariaSat-1": (*EAST_COAST, 90.0),
    "Iridium_NEXT_3": (*WEST_COAST, 180.0),
    "SAOCOM_1A": (*WEST_COAST, 192.0),
    "SpaceX_CRS-12": (*EAST_COAST, 45.0),
    "ZUMA": (*EAST_COAST, 45.0),
}
ASCENTS = {
    "Hispasat_30W-6": (*EAST_COAST, 90.0),
    "Iridium_NEXT_5": (*WEST_COAST, 180.0),
    "Paz": (*WEST_COAST, 190.0),
    "SES-10": (*EAST_COAST, 90.0),
    "SpaceX_CRS-10": (*EAST_COAST, 45.0),
    "TESS": (*EAST_COAST, 90.0),
}
SETTLE_S = 5.0
"""Kept clear of the recorded ends of the burns before and after a coast: events are in whole seconds."""
COASTING = Policy().least_ballistic
"""Probability of the ballistic phase from which on an impact point is one, and not only a reach so far."""


@dataclass(frozen=True)
class Case:
    """One flight made ready to be seen: what is recorded, where it is laid, who looks."""

    recording: Recording
    arc: Arc
    sensors: tuple[Sensor, ...]
    coast_s: tuple[float, float]
    assumed: tuple[float, float, float]


def load(
    folder: Path,
    kind: str,
    flight: str,
    abeam_m: float,
    range_rate_ms: float | None,
    *,
    turning: bool = True,
) -> Case:
    """A flight of the folder `spacex-webcast/kind`; BadInput if its files are not as they should be."""
    base = folder / "spacex-webcast" / kind
    recording = cleaned(read_recording(base / f"{flight}.raw30hz.csv.gz", base / f"{flight}.events.json"))
    events = recording.events_s
    if kind == "booster":
        assumed = BOOSTERS[flight]
        coast = events.get("boostback_end", events["meco"]) + SETTLE_S, events["entry_start"] - SETTLE_S
    else:
        assumed, coast = ASCENTS[flight], (events["meco"], events["ses1"])
    site = Site(math.radians(assumed[0]), math.radians(assumed[1]), math.radians(assumed[2]))
    arc = observed_arc(recording, site, coast if turning else None)
    if kind == "booster":
        sensors: tuple[Sensor, ...] = (
            radar_abeam(arc, 0.5 * (coast[0] + coast[1]), abeam_m, "abeam", range_rate_ms),
        )
    else:
        times = along_range(arc, 500e3)
        sensors = tuple(
            radar_abeam(arc, t, 200e3, f"down-range {i + 1}", range_rate_ms) for i, t in enumerate(times)
        )
    return Case(recording, arc, sensors, coast, assumed)


def along_range(arc: Arc, spacing_m: float) -> list[float]:
    """Times (s) at which the flight has gone 0, 1, 2... spacings over the ground."""
    gone = np.concatenate(([0.0], np.cumsum(np.abs(arc.along_ms[:-1]) * np.diff(arc.time_s))))
    marks = np.arange(0.0, gone[-1], spacing_m)
    return [float(np.interp(m, gone, arc.time_s)) for m in marks]


def radar_abeam(arc: Arc, time_s: float, abeam_m: float, name: str, range_rate_ms: float | None) -> Sensor:
    """A radar on the ground abeam_m to the right of where the flight is at time_s."""
    i = int(np.searchsorted(arc.time_s, time_s))
    latitude, longitude, course = arc.latitude_rad[i], arc.longitude_rad[i], arc.course_rad[i]
    across = course + 0.5 * math.pi
    ground = arc.at(np.array([time_s]))[0]
    r = enu_rotation(latitude, longitude)
    ground = ground + abeam_m * (math.sin(across) * r[0] + math.cos(across) * r[1])
    latitude, longitude, _ = ecef2geodetic(*ground)
    return Sensor(
        name=name, partner="Amber", latitude_rad=latitude, longitude_rad=longitude, height_m=0.0,
        range_min_m=1e3, range_max_m=2.0e6, elevation_min_rad=0.0, elevation_max_rad=math.radians(88.0),
        sigma_range_m=50.0, sigma_azimuth_rad=1e-3, sigma_elevation_rad=1e-3,
        sigma_range_rate_ms=range_rate_ms or 1.0,
        period_s=1.0, sectors=1, detection=1.0, clutter_per_scan=0.0,
        measures=RADAR[:3] if range_rate_ms is None else RADAR,
    )  # fmt: skip


def sectors(case: Case, seed: int, noisy: bool = True) -> Iterator[Sector]:
    """What the radars report, in order of time: a look a second each, a plot when above the horizon.

    noisy: with the errors that the radars state; without, they happen to make none.
    """
    rng = np.random.default_rng([seed, 20])
    times = np.arange(math.ceil(case.arc.time_s[0]), case.arc.time_s[-1])
    place = case.arc.at(times)
    velocity = (case.arc.at(times + 0.05) - case.arc.at(times - 0.05)) / 0.1
    rows = [sensor_row(s) for s in case.sensors]
    sequence = 0
    for i, now in enumerate(times):
        for k, (sensor, row) in enumerate(zip(case.sensors, rows, strict=True)):
            sequence += 1
            noise = rng.standard_normal(4) * float(noisy)
            r, azimuth, elevation, rate = observe(row, *place[i], *velocity[i])
            plot: tuple[tuple[float, ...], ...] = ((), (), (), ())
            if sensor.elevation_min_rad < elevation < sensor.elevation_max_rad and r < sensor.range_max_m:
                known = "range_rate" in sensor.measures
                plot = (
                    (r + sensor.sigma_range_m * noise[0],),
                    (azimuth + sensor.sigma_azimuth_rad * noise[1],),
                    (elevation + sensor.sigma_elevation_rad * noise[2],),
                    (rate + sensor.sigma_range_rate_ms * noise[3],) if known else (),
                )
            ns = round(float(now) * 1e9) + k
            yield Sector(
                header=Header(originator="Amber", source=sensor.name, sequence=sequence, measured_ns=ns),
                sensor=sensor.name, azimuth_from_rad=0.0, azimuth_to_rad=0.0, received_ns=ns,
                range_m=plot[0], azimuth_rad=plot[1], elevation_rad=plot[2], range_rate_ms=plot[3],
            )  # fmt: skip


def state_of(track: Track) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (7,) and covariance (7, 7) of a track record."""
    covariance = np.zeros((7, 7))
    covariance[UPPER] = track.covariance
    return np.array(track.state), covariance + np.triu(covariance, 1).T


def nearest(tracks: tuple[Track, ...], place: NDArray[np.float64]) -> Track | None:
    """Of the tracks brought up to date, the one nearest to where the flight is."""
    return min(tracks, key=lambda t: float(np.linalg.norm(np.array(t.state[:3]) - place)), default=None)


@dataclass(frozen=True)
class Followed:
    """One booster tracked once: see `follow`.  absent: times at which no track was there to be scored."""

    scored: NDArray[np.float64]
    areas_m2: NDArray[np.float64]
    absent: int
    tracks: int


def follow(case: Case, seed: int, noisy: bool = True) -> Followed:
    """Track one booster once; predictions scored (n, 8), impact areas (m,) and counts.

    Columns: seconds ahead, signed height error (m) and its rounding, signed speed error (m/s) and its
    rounding, the standard deviations of both, and seconds of coast seen.  noisy: see `sectors`.
    """
    tracker = Tracker("Amber", case.sensors, capacity=128)
    start, end = case.coast_s
    scored: list[list[float]] = []
    areas: list[float] = []
    numbers: set[str] = set()
    absent = 0
    for sector in sectors(case, seed, noisy):
        step = tracker.process(sector)
        now = sector.header.measured_ns * 1e-9
        numbers.update(step.born)
        since = now - start - FIRST_S
        if now >= end:
            break
        if since < 0.0 or math.fmod(math.floor(since), EVERY_S) != 0.0:
            continue
        track = nearest(step.updated, case.arc.at(np.array([now]))[0])
        if track is None:
            absent += 1
            continue
        mean, covariance = state_of(track)
        fallen = ground_fall(mean, covariance)
        areas.append(math.nan if fallen is None else math.pi * math.prod(fallen.spread.ellipse(LEVEL)[:2]))
        for ahead in AHEAD_S:
            if now + ahead >= end:
                break
            scored.append([ahead, *errors(case.recording, mean, covariance, now, ahead), now - start])
    return Followed(np.array(scored).reshape(-1, 8), np.array(areas), absent, len(numbers))


def errors(
    recording: Recording, mean: NDArray[np.float64], covariance: NDArray[np.float64], now: float, ahead: float
) -> list[float]:
    """Signed errors in height and speed against the recording, each with its rounding, and both sigmas."""
    s, p = mean.copy(), covariance.copy()
    predict(BALLISTIC, s, p, ahead)
    latitude, longitude, height = ecef2geodetic(s[0], s[1], s[2])
    up = enu_rotation(latitude, longitude)[2]
    speed = float(np.linalg.norm(s[3:6]))
    along = s[3:6] / speed
    row = recording.nearest(np.array([now + ahead]))[0]
    sigma = np.sqrt(np.array([up @ p[:3, :3] @ up, along @ p[3:6, 3:6] @ along]))
    height_error, speed_error = height - recording.height_m[row], speed - recording.speed_ms[row]
    return [height_error, recording.height_step_m[row], speed_error, SPEED_STEP_MS, sigma[0], sigma[1]]


def laid(case: Case, scored: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scored rows (n, 8) with two columns more: sigmas of height (m) and speed (m/s) that laying makes.

    They are the root mean square errors, by seconds ahead, of a twin seen without noise: what a tracker then
    gets wrong comes from the rounding of the recording that its arc was laid from.
    """
    recording, arc = twin_of(case.recording, case.arc, case.coast_s, case.assumed)
    twin = follow(replace(case, recording=recording, arc=arc), 0, noisy=False).scored
    out = np.zeros((len(scored), 10))
    out[:, :8] = scored
    for ahead in AHEAD_S:
        rows = twin[twin[:, 0] == ahead]
        if len(rows):
            out[scored[:, 0] == ahead, 8:] = np.sqrt(np.square(rows[:, [1, 3]]).mean(axis=0))
    return out


def climb_to_orbit(case: Case, seed: int) -> dict[str, float]:
    """Track one launch to orbit once: what was said about coming down, while thrusting and in the end."""
    tracker = Tracker("Amber", case.sensors, capacity=128)
    events, end = case.recording.events_s, float(case.arc.time_s[-1])
    burning = [(0.0, events["meco"]), (events["ses1"] + 15.0, events.get("seco1", end) - 1.0)]
    looks = thrusting = points = orbit_looks = orbit_points = 0
    perigee = math.nan
    numbers: set[str] = set()
    for sector in sectors(case, seed):
        step = tracker.process(sector)
        now = sector.header.measured_ns * 1e-9
        numbers.update(step.born)
        track = nearest(step.updated, case.arc.at(np.array([now]))[0])
        if track is None:
            continue
        mean, _ = state_of(track)
        perigee = perigee_m(mean)
        # an impact point is for what surely coasts and does come down; while it may thrust it is only a reach
        point = perigee <= ORBIT_M and track.phases[1] > COASTING
        if any(a <= now < b for a, b in burning):
            looks += 1
            thrusting += track.phases[0] >= 0.5
            points += point
        if true_perigee_m(case.arc, now) > ORBIT_M:
            orbit_looks += 1
            orbit_points += point
    return {"looks": looks, "thrusting": thrusting, "points": points, "orbit_looks": orbit_looks,
            "orbit_points": orbit_points, "perigee_m": perigee, "tracks": len(numbers)}  # fmt: skip


def true_perigee_m(arc: Arc, time_s: float) -> float:
    """Perigee (m) of the orbit that the laid arc is on, its velocity smoothed over two seconds."""
    place = arc.at(np.array([time_s - 1.0, time_s, time_s + 1.0]))
    return float(perigee_m(np.concatenate((place[1], 0.5 * (place[2] - place[0]), [0.0]))))


def summary(flight: str, ahead: float, scored: NDArray[np.float64]) -> dict[str, object]:
    """One line of figures for one flight (or all) and one time ahead, from rows (n, 10) of `laid`."""
    height, speed = np.abs(scored[:, 1]), np.abs(scored[:, 3])
    inside_height = height < rounded_interval(scored[:, 5], scored[:, 2], LEVEL)
    inside_speed = speed < rounded_interval(scored[:, 6], scored[:, 4], LEVEL)
    wider = np.hypot(scored[:, 5:7], scored[:, 8:10])
    inside_laid = (
        height < rounded_interval(wider[:, 0], scored[:, 2], LEVEL),
        speed < rounded_interval(wider[:, 1], scored[:, 4], LEVEL),
    )
    return {
        "flight": flight, "ahead_s": ahead, "n": len(scored),
        "altitude_error_m": round(float(np.median(height)), 1),
        "speed_error_ms": round(float(np.median(speed)), 2),
        "inside_90": round(float(np.concatenate((inside_height, inside_speed)).mean()), 3),
        "inside_90_altitude": round(float(inside_height.mean()), 3),
        "inside_90_speed": round(float(inside_speed.mean()), 3),
        "inside_90_laid": round(float(np.concatenate(inside_laid).mean()), 3),
        "laid_altitude_m": round(float(np.sqrt(np.square(scored[:, 8]).mean())), 1),
        "laid_speed_ms": round(float(np.sqrt(np.square(scored[:, 9]).mean())), 2),
        "altitude_worst_m": round(float(height.max()), 1), "speed_worst_ms": round(float(speed.max()), 2),
        "altitude_bias_m": round(float(np.mean(scored[:, 1])), 1),
        "speed_bias_ms": round(float(np.mean(scored[:, 3])), 2),
        "altitude_sigma_m": round(float(np.median(scored[:, 5])), 1),
        "speed_sigma_ms": round(float(np.median(scored[:, 6])), 2),
    }  # fmt: skip


def _follow(job: tuple[Case, int]) -> Followed:
    return follow(*job)


def _climb(job: tuple[Case, int]) -> dict[str, float]:
    return climb_to_orbit(*job)


def run(
    folder: Path,
    seeds: int,
    flights: list[str],
    ascents: list[str],
    *,
    abeam_m: float = ABEAM_M,
    range_rate_ms: float | None = None,
    turning: bool = True,
    workers: int = 1,
    ascent_seeds: int | None = None,
) -> Iterator[dict[str, object]]:
    """The benchmark's lines, flight by flight, then pooled."""
    everything, everywhere = [], []
    with ProcessPoolExecutor(workers) as pool:
        for flight in flights:
            case = load(folder, "booster", flight, abeam_m, range_rate_ms, turning=turning)
            yield described(flight, case)
            jobs = [(case, seed) for seed in range(seeds)]
            done = list(pool.map(_follow, jobs, chunksize=4) if workers > 1 else map(_follow, jobs))
            scored = laid(case, np.concatenate([d.scored for d in done]))
            everything.append(scored)
            for ahead in AHEAD_S:
                if len(rows := scored[scored[:, 0] == ahead]):
                    yield summary(flight, ahead, rows)
            areas = np.concatenate([d.areas_m2 for d in done])
            everywhere.append(areas)
            yield {"flight": flight, "impact_area_90_km2": round(float(np.median(areas)) * 1e-6, 2),
                   "absent": sum(d.absent for d in done),
                   "tracks_median": float(np.median([d.tracks for d in done])),
                   "tracks_most": max(d.tracks for d in done)}  # fmt: skip
        if len(everything) > 1:
            pooled = np.concatenate(everything)
            for ahead in AHEAD_S:
                if len(rows := pooled[pooled[:, 0] == ahead]):
                    yield summary("all", ahead, rows)
            # the setting that the published bound was computed for: half a minute of coast, a minute ahead
            rows = pooled[(pooled[:, 0] == 60.0) & (pooled[:, 7] < FIRST_S + EVERY_S)]
            yield {**summary("all", 60.0, rows), "after_s": FIRST_S}
            areas = np.concatenate(everywhere)
            yield {"flight": "all", "impact_area_90_km2": round(float(np.median(areas)) * 1e-6, 2)}
        for flight in ascents:
            case = load(folder, "ascent-stage2", flight, abeam_m, range_rate_ms, turning=turning)
            yield described(flight, case)
            jobs = [(case, seed) for seed in range(seeds if ascent_seeds is None else ascent_seeds)]
            yield orbit_line(flight, case, list(pool.map(_climb, jobs) if workers > 1 else map(_climb, jobs)))


def described(flight: str, case: Case) -> dict[str, object]:
    """What was assumed, so that a reader can judge the figures that follow."""
    sensor = case.sensors[0]
    latitude, longitude, azimuth = case.assumed
    return {
        "flight": flight,
        "assumed": {"latitude_deg": latitude, "longitude_deg": longitude, "azimuth_deg": azimuth},
        "coast_s": [round(case.coast_s[0], 1), round(case.coast_s[1], 1)],
        "radars": len(case.sensors), "range_rate": "range_rate" in sensor.measures,
        "rows_dropped": case.recording.dropped,
    }  # fmt: skip


def orbit_line(flight: str, case: Case, done: list[dict[str, float]]) -> dict[str, object]:
    """One line for a launch to orbit: shares over the seeds' looks."""
    total = {
        k: sum(d[k] for d in done) for k in ("looks", "thrusting", "points", "orbit_looks", "orbit_points")
    }
    return {
        "flight": flight, "ascent": True,
        "said_thrusting": round(total["thrusting"] / max(total["looks"], 1), 4),
        "impact_points_while_thrusting": total["points"], "looks_while_thrusting": total["looks"],
        "impact_points_in_orbit": total["orbit_points"], "looks_in_orbit": total["orbit_looks"],
        "perigee_at_end_km": round(float(np.median([d["perigee_m"] for d in done])) * 1e-3, 1),
        "true_perigee_at_end_km": round(true_perigee_m(case.arc, float(case.arc.time_s[-1]) - 1.5) * 1e-3, 1),
        "tracks_most": max(d["tracks"] for d in done),
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 0 when done or when there is no data to run it on."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("JOINTWATCH_DATA"))
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--flight", action="append", help="only this flight (may be repeated)")
    parser.add_argument(
        "--range-rate",
        type=float,
        metavar="MS",
        help="sigma of a measured range rate, m/s; default: none is measured",
    )
    parser.add_argument("--abeam-km", type=float, default=ABEAM_M * 1e-3)
    parser.add_argument("--ascent-seeds", type=int, default=20, help="seeds for launches to orbit")
    parser.add_argument(
        "--geodesic",
        action="store_true",
        help="hold the stated course against the turning Earth while coasting",
    )
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args(arguments)
    if chosen.data is None:
        print("real_arcs skipped: no recordings (give --data DIR or set JOINTWATCH_DATA).")
        return 0
    boosters, ascents = list(BOOSTERS), list(ASCENTS)
    if chosen.flight:
        unknown = set(chosen.flight) - set(boosters) - set(ascents)
        if unknown:
            print(
                f"--flight: found {sorted(unknown)[0]}, wanted one of {', '.join(boosters + ascents)}",
                file=sys.stderr,
            )
            return 2
        boosters, ascents = ([f for f in names if f in chosen.flight] for names in (boosters, ascents))
    begun = time.perf_counter()
    try:
        for line in run(
            chosen.data, chosen.seeds, boosters, ascents, abeam_m=chosen.abeam_km * 1e3,
            range_rate_ms=chosen.range_rate, turning=not chosen.geodesic, workers=chosen.workers,
            ascent_seeds=chosen.ascent_seeds,
        ):  # fmt: skip
            print(json.dumps(line), flush=True)
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps({"wall_s": round(time.perf_counter() - begun, 1), "seeds": chosen.seeds}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
