"""Launches that a radar alone saw: what the way back from its track says of each, held against the truth.

In: a class, which physics flies it (`burn_truths`: the stated boost model with values drawn from its prior,
the exercise's one design of a class, or a design drawn for each launch), and a random stream; out: the
track's first state when its node would first tell of the launch and some seconds after, and the scores
(`burn_scores`) of the points that `launch.estimate` makes of each.  One flight from a random place, one radar
suited to its class (of those of the bundled exercise) at a random place along the flight or to the side of
it, plots as the exercise makes them (noise, misses, the curve of detection over range) but no false ones, and
a node's own tracker.  As in a node, the way back is from the first look of one coast (`launch.beginning`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import burn_scores
import burn_truths
import numpy as np
from burn_scores import Score, Truth
from msgspec.structs import replace
from near_borders import SHIPPED
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M, height_above_ellipsoid
from jointwatch.earth.wind import wind_rms
from jointwatch.exercise.atmosphere76 import jet_wind
from jointwatch.exercise.classes import CLASSES as FLOWN
from jointwatch.exercise.flights import Path, bearing_distance, coast, falls
from jointwatch.exercise.launches import LONGEST_S, draw, fly, starts
from jointwatch.exercise.physics import AREA, COLUMNS, DRAG_SCALE, WIND_EAST, WIND_NORTH
from jointwatch.exercise.scenario import load_scenario
from jointwatch.joint.streams import measurements_of, values_of
from jointwatch.launch.ascent import physical, state_at
from jointwatch.launch.beginning import Beginning, Looks, beginning_of
from jointwatch.launch.burn_ends import FLATTEST_RAD
from jointwatch.launch.estimate import launch_points
from jointwatch.launch.profiles import profile_named
from jointwatch.motion.phases import BALLISTIC
from jointwatch.motion.plane import GRAVITY_MS2
from jointwatch.node.dangers import may_be_aircraft
from jointwatch.node.launches import LAUNCH_HITS
from jointwatch.records import RADAR, Header, Sector, Sensor, Track, Tracklet
from jointwatch.sensing.coverage import detection_probability, in_wedge
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.tracking.telling import UPPER
from jointwatch.tracking.tracker import Tracker
from jointwatch.warning.impact import ground_fall
from jointwatch.warning.policy import Policy

Floats = NDArray[np.float64]
CASES = "stated", "exercise", "designs"
LATER_S = 20.0
"""The launch is scored again so long after it was first told."""
STEP_S = {"artillery_rocket": 0.5, "heavy_rocket": 0.5}
"""Between samples of a flight; 1 s for missiles."""
ALONG, ASIDE = (0.3, 1.1), 0.4
"""Where a radar stands: between which shares of the ground range from the launch towards the fall, and up to
which share of it to either side."""
CAPACITY = 64
TOLERANCE = 1e-8


SEEN_BY = {
    "artillery_rocket": "amber-rocket", "heavy_rocket": "amber-rocket", "short_range": "amber-north",
    "medium_range": "blue-long", "medium_range_two_stage": "blue-long",
}  # fmt: skip
"""The radar of the bundled exercise that suits each class."""


class Flight(NamedTuple):
    """A whole flight: place (rad) and azimuth of its launch, times_s (m,) after it, states (m, 6), ECEF, and
    place (rad) and time (s) of its fall."""

    latitude: float
    longitude: float
    azimuth: float
    times_s: Floats
    states: Floats
    fall: tuple[float, float, float]


class Tracked(NamedTuple):
    """The first state (7,) of a track that coasts, with covariance (7, 7), and seconds after the launch that
    it is of; latest (7,), latest_covariance (7, 7): the track's state when that was known."""

    since_s: float
    first: Beginning
    latest: Floats
    latest_covariance: Floats


def flight(case: str, name: str, rng: np.random.Generator) -> Flight | None:
    """A flight of a class from a random place: by the stated model, the exercise's design or one of its own.

    None for one that does not come down, or whose burn ends where no burn is said to (`launch.burn_ends`): in
    the ground or too flat.
    """
    flown = _stated(name, rng) if case == "stated" else _designed(case, name, rng)
    return flown if flown is not None and math.isfinite(flown.fall[2]) else None


def _designed(case: str, name: str, rng: np.random.Generator) -> Flight:
    """By the exercise's physics."""
    kind = burn_truths.design(name, rng) if case == "designs" else FLOWN[name]
    place = burn_truths.anywhere(rng)
    azimuth, control = float(rng.uniform(-math.pi, math.pi)), rng.uniform(*kind.control_range)
    one = (np.array([v]) for v in (*place, azimuth, control))
    start, rows = starts(kind, draw(kind, 1, rng), *one)
    path: Path = fly(kind, start, rows, STEP_S.get(name, 1.0), TOLERANCE)
    down, latitude, longitude = falls(path.times_s, path.states)[0].tolist()
    times, states = path.times_s[:, 0], np.ascontiguousarray(path.states[:, 0, :6])
    return Flight(*place, azimuth, np.ascontiguousarray(times), states, (latitude, longitude, down))


def _stated(name: str, rng: np.random.Generator) -> Flight | None:
    """A burn of the stated model, and the exercise's physics from its end on: it drags as the model does, and
    flies in a wind as strong as nodes take it to be (`earth.wind`) half way up to its apex; above and below
    there the exercise's jet has its own shape."""
    burn = burn_truths.stated(name, burn_truths.anywhere(rng), rng)
    assert burn.values is not None
    profile = profile_named(name)
    burns_s, flow, _, drag = physical(profile.row(), burn.values)
    end = np.append(burn.states[-1], 1.0)[None]
    place, velocity = burn.states[-1, :3], burn.states[-1, 3:]
    climb = float(place @ velocity) / float(np.linalg.norm(place) * np.linalg.norm(velocity))
    if not (height_above_ellipsoid(*place.tolist()) > 0.0 and math.asin(climb) > FLATTEST_RAD):
        return None
    rows = np.zeros((1, COLUMNS))
    rows[0, AREA] = burn_truths.area_for(drag / (1.0 - burns_s * flow) ** profile.stages)
    rows[0, DRAG_SCALE] = 1.0
    rise = climb * float(np.linalg.norm(velocity))
    # half way up, were there no air
    middle = height_above_ellipsoid(*place.tolist()) + 0.25 * rise * rise / GRAVITY_MS2
    rows[0, [WIND_EAST, WIND_NORTH]] = wind_rms(middle) * rng.standard_normal(2) - [jet_wind(middle), 0.0]
    way = coast(end, rows, STEP_S.get(name, 1.0), LONGEST_S, TOLERANCE)
    times = np.concatenate([burn.times_s, burn.times_s[-1] + way.times_s[1:, 0]])
    states = np.concatenate([burn.states, way.states[1:, 0, :6]])
    down, latitude, longitude = falls(times[:, None], np.pad(states, ((0, 0), (0, 1)))[:, None])[0].tolist()
    return Flight(
        burn.latitude, burn.longitude, burn.azimuth, np.ascontiguousarray(times),
        np.ascontiguousarray(states), (latitude, longitude, down),
    )  # fmt: skip


@cache
def radars() -> dict[str, Sensor]:
    """The radar that each class is seen by."""
    by_name = {sensor.name: sensor for sensor in load_scenario(SHIPPED).sensor_records()}
    return {name: by_name[radar] for name, radar in SEEN_BY.items()}


def sited(radar: Sensor, flown: Flight, rng: np.random.Generator) -> Sensor:
    """A radar somewhere along a flight or to the side of it."""
    here, there = (np.array([v]) for v in (flown.latitude, flown.longitude)), map(np.array, flown.fall[:2])
    bearing, reach = (float(v[0]) for v in bearing_distance(*here, *(v.reshape(1) for v in there)))
    along, aside = rng.uniform(*ALONG) * reach, rng.uniform(-ASIDE, ASIDE) * reach
    turned, away = bearing + math.atan2(aside, along), math.hypot(along, aside) / MEAN_RADIUS_M
    sine = math.sin(flown.latitude) * math.cos(away)
    sine += math.cos(flown.latitude) * math.sin(away) * math.cos(turned)
    east = math.sin(turned) * math.sin(away) * math.cos(flown.latitude)
    longitude = flown.longitude + math.atan2(east, math.cos(away) - math.sin(flown.latitude) * sine)
    return replace(radar, latitude_rad=math.asin(sine), longitude_rad=longitude)


def sectors(sensor: Sensor, flown: Flight, rng: np.random.Generator) -> Iterator[Sector]:
    """A radar's sectors from the scan before the flight is first in its reach to the fall."""
    row, width = sensor_row(sensor), 2.0 * math.pi / sensor.sectors
    edge, step = rng.uniform(0.0, width), sensor.period_s / sensor.sectors
    at, k, begun, s = rng.uniform(0.0, sensor.period_s), 0, False, np.empty(6)
    sigmas = (
        sensor.sigma_range_m, sensor.sigma_azimuth_rad, sensor.sigma_elevation_rad,
        sensor.sigma_range_rate_ms,
    )  # fmt: skip
    while at < flown.fall[2]:
        wedge = (edge + k * width) % (2.0 * math.pi), (edge + (k + 1) * width) % (2.0 * math.pi)
        state_at(flown.times_s, flown.states, len(flown.times_s), at, s)
        r, azimuth, elevation, rate = observe(row, *s.tolist())
        chance, noise = rng.uniform(), rng.normal(size=4) * sigmas
        share = detection_probability(row, r, elevation)
        begun |= share > 0.0
        measured = np.array([r, azimuth, elevation, rate]) + noise
        measured[1] %= 2.0 * math.pi
        plot = in_wedge(azimuth, *wedge) and chance < share
        columns = [(float(v),) if plot else () for v in measured]
        if begun:
            time_ns = round(at * 1e9)
            yield Sector(
                header=Header(originator=sensor.partner, source=sensor.name, sequence=k, measured_ns=time_ns),
                sensor=sensor.name, azimuth_from_rad=wedge[0], azimuth_to_rad=wedge[1], received_ns=time_ns,
                **{f"{name}_{unit}": c for (name, unit), c in zip(_COLUMNS, columns, strict=True)},
            )  # fmt: skip
        at, k = at + step, k + 1


_COLUMNS = tuple(zip(RADAR, ("m", "rad", "rad", "ms"), strict=True))


def tracked(flown: Flight, sensor: Sensor, rng: np.random.Generator) -> list[Tracked]:
    """The track of a flight when its launch would first be told, and `LATER_S` after; fewer where it falls
    or is lost before."""
    tracker, found, policy = Tracker(sensor.partner, [sensor], capacity=CAPACITY), [], Policy()
    told: dict[str, list[Tracklet]] = {}
    burnt: dict[str, int] = {}
    due = -math.inf
    for sector in sectors(sensor, flown, rng):
        since_s = sector.header.measured_ns * 1e-9
        step = tracker.process(sector)
        for tracklet in step.told:
            if any(tracklet.information):
                told.setdefault(tracklet.number, []).append(tracklet)
        for track in step.updated:
            state, covariance = np.array(track.state), _covariance(track)
            if not track.phases[BALLISTIC] >= policy.least_ballistic:
                burnt[track.number] = track.header.measured_ns
                continue
            sure = track.existence >= policy.least_existence and not may_be_aircraft(track.phases, state)
            if since_s >= due and sure and track.hits >= LAUNCH_HITS[0]:
                first = beginning_of(
                    looks_of(told[track.number]), track.header.measured_ns, state, covariance
                )
                found.append(Tracked(1e-9 * first.time_ns, first, state, covariance))
                due = since_s + LATER_S
                break
        if len(found) == 2:
            break
    return found


def looks_of(told: list[Tracklet]) -> Looks:
    """What a tracker told of a track, in order of time."""
    told = sorted(told, key=lambda one: one.time_ns)
    return Looks(np.array([one.time_ns for one in told]), *measurements_of(values_of(told)))


def _covariance(track: Track) -> Floats:
    """The covariance (7, 7) of a track's record."""
    covariance = np.empty((7, 7))
    covariance[UPPER] = track.covariance
    covariance.T[UPPER] = track.covariance
    return covariance


def launches(case: str, name: str, count: int, seed: int) -> Iterator[tuple[Flight, list[Tracked]]]:
    """So many flights of a class, each with what a radar made of it."""
    for k in range(count):
        rng = np.random.default_rng([seed, k, *case.encode(), *name.encode()])
        while (flown := flight(case, name, rng)) is None:
            pass
        yield flown, tracked(flown, sited(radars()[name], flown, rng), rng)


def scored(flown: Flight, known: Tracked) -> Score | None:
    """The figures of what a state says of its launch; None where it says nothing."""
    if ground_fall(known.latest, known.latest_covariance) is None:
        return None  # of what is not known to come down nothing is told
    made = launch_points(known.first, None)
    if made is None:
        return None
    even = np.full(len(made.latitude), 1.0 / len(made.latitude))
    truth = Truth(flown.latitude, flown.longitude, -known.since_s, flown.azimuth, math.nan)
    return burn_scores.score_points(made.latitude, made.longitude, even, made.seconds, made.azimuth, truth)


def summaries(case: str, name: str, count: int, seed: int) -> Iterator[dict[str, object]]:
    """The figures of a class when its launches would first be told, and `LATER_S` after; misses: flights of
    which nothing was told by then."""
    scores: tuple[list[Score], list[Score]] = [], []
    ms: tuple[list[float], list[float]] = [], []
    for flown, known in launches(case, name, count, seed):
        for k, one in enumerate(known):
            begun = time.perf_counter()
            found = scored(flown, one)
            ms[k].append(1e3 * (time.perf_counter() - begun))
            if found is not None:
                scores[k].append(found)
    for when, told, took in zip(("told", "later"), scores, ms, strict=True):
        figures: dict[str, object] = {"when": when} | (burn_scores.summary(told) if told else {})
        if told:
            figures["area_km2_median"] = round(float(np.median([s.area_m2 for s in told])) / 1e6, 3)
        yield figures | {
            "n": len(told), "misses": count - len(told),
            "ms": round(float(np.median(took)), 1) if took else None,
        }  # fmt: skip
