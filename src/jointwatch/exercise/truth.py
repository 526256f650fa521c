"""What really flies in an exercise, and where it comes down: what pictures and warnings are scored against.

In: a scenario and a seed; out: `Truth`, dense samples of every object (each at most 0.5 s apart when it
falls or burns), asked by time.  The launch points are drawn in the raid's area, the fall points are zones of
the scenario; `_aim` finds the azimuth and the range setting that make a flight of the truth's own physics
end within a few hundred metres of its fall point.  It exists only to make exercise truth consistent with its
zones, knows only the generic classes, and is private to this file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.exercise import physics
from jointwatch.exercise.ascent import ascend, burns_of_ascent
from jointwatch.exercise.classes import CLASSES, FlightClass
from jointwatch.exercise.flights import Path, bearing_distance, coast, destination, falls
from jointwatch.exercise.launches import Draws, burns, draw, fly, last_rows, starts
from jointwatch.exercise.scenario import Scenario
from jointwatch.exercise.scenario_tables import Falls, Raid
from jointwatch.exercise.traffic import fly_routes
from jointwatch.motion.between import hermite
from jointwatch.records import BadInput, Zone

Floats = NDArray[np.float64]
Zones = dict[str, tuple[Zone, ...]]
End = Literal["impact", "breakup", "orbit", "landed", "left"]
STEP_S = 0.5
AIM_SCATTER_M = 150.0
"""Scatter of the fall points about their zone's centre, per axis."""
BREAK_UP_BEFORE_S = (120.0, 140.0)
"""A break-up is so long before the impact that would have been: still above the air."""
FRAGMENTS = 5
FRAGMENT_SLOWER_MS, FRAGMENT_SCATTER_MS = 300.0, 30.0
FRAGMENT_LOAD = (30.0, 150.0)
"""m / (Cd A) of a fragment, kg/m^2."""
_SLACK = 1.02
"""How far beyond a class's tabled range a fall may seem: the table is flown in one direction only."""


@dataclass(frozen=True)
class TruthObject:
    """One object that flew.  times_s: seconds since the exercise's start; samples (m, 6): ECEF, SI.

    aim: key of the zone it was meant to fall on.  end: how it ended at end_ns; the fall point is that of an
    impact.  burn_s: from when to when its motors burn, seconds after launch; thrust_n: of each in vacuum.
    What broke off and what flies by the air burns nothing that shows from orbit.
    """

    name: str
    object_class: str
    launch_ns: int
    end_ns: int
    end: End
    fall_lon_deg: float | None
    fall_lat_deg: float | None
    aim: str | None
    parent: str | None
    raid: str
    danger_radius_m: float
    start_ns: int
    times_s: Floats
    samples: Floats
    burn_s: tuple[tuple[float, float], ...] = ()
    thrust_n: tuple[float, ...] = ()

    def thrust_at(self, time_ns: int) -> float:
        """Thrust (N, in vacuum) of the motor that burns at a time; 0 if none does."""
        if not self.launch_ns <= time_ns < self.end_ns:
            return 0.0
        since_s = (time_ns - self.launch_ns) * 1e-9
        for (begin_s, end_s), thrust in zip(self.burn_s, self.thrust_n, strict=True):
            if begin_s <= since_s < end_s:
                return thrust
        return 0.0

    def state_at(self, time_ns: int) -> tuple[Floats, Floats]:
        """Position (3,) and velocity (3,) at a time within its flight (held at its ends outside it)."""
        t = (min(max(time_ns, self.launch_ns), self.end_ns) - self.start_ns) * 1e-9
        i = int(np.clip(np.searchsorted(self.times_s, t, side="right") - 1, 0, self.times_s.size - 2))
        out = np.empty(6)
        hermite(t, self.times_s[i], self.times_s[i + 1], self.samples[i], self.samples[i + 1], out)
        return out[:3], out[3:]


class Truth:
    """All objects of one exercise, and their states at any time as one batch."""

    def __init__(self, start_ns: int, objects: list[TruthObject]) -> None:
        """start_ns: start of the exercise; objects in the order of their index."""
        self.start_ns = start_ns
        self.objects = objects
        self._first = np.cumsum([0] + [o.times_s.size for o in objects])
        self._times = np.concatenate([o.times_s for o in objects]) if objects else np.zeros(0)
        self._samples = np.concatenate([o.samples for o in objects]) if objects else np.zeros((0, 6))
        self._from = np.array([(o.launch_ns - start_ns) * 1e-9 for o in objects])
        self._to = np.array([(o.end_ns - start_ns) * 1e-9 for o in objects])

    def states_at(self, time_ns: int) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Indices (n,) of the objects in flight at a time, their positions (n, 3) and velocities (n, 3)."""
        index, states = _states(
            (time_ns - self.start_ns) * 1e-9, self._from, self._to, self._first, self._times, self._samples
        )
        return index, states[:, :3], states[:, 3:]


@njit(cache=True)
def _states(
    t: float, begin: Floats, end: Floats, first: NDArray[np.int64], times: Floats, samples: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """Indices of objects with begin <= t < end, and their states (n, 6), by Hermite cubic between samples."""
    index = np.flatnonzero((begin <= t) & (t < end))
    states = np.empty((index.size, 6))
    for j in range(index.size):
        a, b = first[index[j]], first[index[j] + 1]
        i = a + np.searchsorted(times[a:b], t, side="right") - 1
        i = min(max(i, a), b - 2)
        hermite(t, times[i], times[i + 1], samples[i], samples[i + 1], states[j])
    return index, states


def make_truth(scenario: Scenario, seed: int, designs: Mapping[str, FlightClass] = CLASSES) -> Truth:
    """Fly everything in a scenario.  Same scenario and seed, same truth; sensors' settings do not enter it.

    designs: what flies of each class, by name; benchmarks have designs of their own.
    BadInput where a raid's fall points cannot be reached by its class, or there are too few of them.
    """
    objects: list[TruthObject] = []
    zones = {p.name: scenario.zones(p.name) for p in scenario.partners}
    for i, raid in enumerate(scenario.raids):
        kind = designs[raid.object_class]
        objects += _fly_raid(scenario, zones, i, raid, kind, np.random.default_rng([seed, 1, i]))
    length = scenario.scenario.duration_s
    times, states = fly_routes(scenario.aircraft.routes, length, np.random.default_rng([seed, 2]))
    for k in range(states.shape[1]):
        objects.append(
            _object(scenario, f"civil-{k + 1:02d}", "aircraft", "aircraft", times, states[:, k], "left")
        )
    if scenario.space_launch is not None:
        s = scenario.space_launch
        at = (math.radians(s.latitude_deg), math.radians(s.longitude_deg), math.radians(s.azimuth_deg))
        path = ascend(*at, length - s.start_s, STEP_S)
        flown = path.times_s[:, 0] + s.start_s
        objects.append(
            _object(
                scenario, s.name, "space_launch", s.name, flown, path.states[:, 0, :6], "orbit",
                motors=burns_of_ascent(path),
            )
        )  # fmt: skip
    return Truth(scenario.start_ns, objects)


def _object(
    scenario: Scenario,
    name: str,
    object_class: str,
    raid: str,
    times_s: Floats,
    samples: Floats,
    end: End,
    end_s: float | None = None,
    fall: Floats | None = None,
    aim: str | None = None,
    parent: str | None = None,
    danger_radius_m: float = 0.0,
    motors: tuple[Sequence[float], Sequence[float]] = ((), ()),
) -> TruthObject:
    """An object from its samples (times since the exercise's start), cut after its end; fall: rad.

    motors: when each ends (seconds after launch, each lights when the one before ends), and its thrust (N).
    """
    last = times_s.size if end_s is None else int(np.searchsorted(times_s, end_s)) + 1
    until = float(times_s[-1]) if end_s is None else end_s
    return TruthObject(
        name=name,
        object_class=object_class,
        launch_ns=scenario.start_ns + round(float(times_s[0]) * 1e9),
        end_ns=scenario.start_ns + round(until * 1e9),
        end=end,
        fall_lon_deg=None if fall is None else math.degrees(fall[1]),
        fall_lat_deg=None if fall is None else math.degrees(fall[0]),
        aim=aim,
        parent=parent,
        raid=raid,
        danger_radius_m=danger_radius_m,
        start_ns=scenario.start_ns,
        times_s=np.ascontiguousarray(times_s[:last]),
        samples=np.ascontiguousarray(samples[:last, :6]),
        burn_s=tuple(pairwise((0.0, *motors[0]))),
        thrust_n=tuple(motors[1]),
    )


def _fly_raid(
    scenario: Scenario, zones: Zones, number: int, raid: Raid, kind: FlightClass, rng: np.random.Generator
) -> list[TruthObject]:
    """The objects of one raid, all of one design, with the fragments of the one that breaks up."""
    centre = np.radians([raid.area.latitude_deg, raid.area.longitude_deg])
    aims = _choose_falls(scenario, zones, number, raid, rng)
    lat = np.radians([z.latitude_deg for z in aims])
    lon = np.radians([z.longitude_deg for z in aims])
    scatter = rng.normal(0.0, AIM_SCATTER_M, (2, raid.count))
    lat, lon = destination(lat, lon, np.arctan2(scatter[0], scatter[1]), np.hypot(scatter[0], scatter[1]))
    if raid.turns:
        centre = _turned(centre, lat, lon, math.radians(scenario.rotation_deg))
    away = raid.area.radius_m * np.sqrt(rng.uniform(0.0, 1.0, raid.count))
    from_lat, from_lon = destination(centre[0], centre[1], rng.uniform(0.0, 2.0 * math.pi, raid.count), away)
    draws = draw(kind, raid.count, rng)
    path, rows = _aim(scenario, number, kind, draws, np.stack([from_lat, from_lon]), np.stack([lat, lon]))
    ends = falls(path.times_s, path.states)
    burnt, thrust = burns(kind, rows)
    falling = last_rows(kind, rows)
    objects = []
    for k in range(raid.count):
        name = f"{raid.name}-{k + 1:02d}"
        launch_s = raid.start_s + k * raid.interval_s
        times, end_s = path.times_s[:, k] + launch_s, launch_s + ends[k, 0]
        fall: Floats | None = ends[k, 1:]
        end: End = "impact"
        if k == raid.break_up:
            end_s -= rng.uniform(*BREAK_UP_BEFORE_S)
            objects += _break_up(scenario, raid, name, path, k, end_s, launch_s, falling[k], rng)
            end, fall = "breakup", None
        objects.append(
            _object(
                scenario, name, raid.object_class, raid.name, times, path.states[:, k], end, end_s, fall,
                aims[k].key, None, kind.danger_radius_m, (burnt[k].tolist(), thrust[k].tolist()),
            )
        )  # fmt: skip
    return sorted(objects, key=lambda o: (o.parent is not None, o.name))


def _break_up(
    scenario: Scenario,
    raid: Raid,
    parent: str,
    path: Path,
    k: int,
    at_s: float,
    launch_s: float,
    row: Floats,
    rng: np.random.Generator,
) -> list[TruthObject]:
    """The fragments of one object at a time: slower than it was, each a little differently, and light."""
    times = path.times_s[:, k] + launch_s
    i = int(np.searchsorted(times, at_s)) - 1
    state = np.empty(6)
    hermite(at_s, times[i], times[i + 1], path.states[i, k], path.states[i + 1, k], state)
    start = np.zeros((FRAGMENTS, 7))
    start[:, :6] = state
    start[:, 3:6] -= FRAGMENT_SLOWER_MS * state[3:] / np.linalg.norm(state[3:])
    start[:, 3:6] += rng.normal(0.0, FRAGMENT_SCATTER_MS, (FRAGMENTS, 3))
    start[:, 6] = 20.0
    rows = np.repeat(row[None], FRAGMENTS, axis=0)
    # so that mass / (drag coefficient * area) is what was drawn, at the coefficient of high Mach numbers
    rows[:, physics.DRAG_SCALE] = 1.0
    load = rng.uniform(*FRAGMENT_LOAD, FRAGMENTS)
    rows[:, physics.AREA] = 20.0 / (load * physics.drag_coefficient(10.0))
    flown = coast(start, rows, STEP_S, 1500.0)
    ends = falls(flown.times_s, flown.states)
    return [
        _object(
            scenario, f"{parent}-fragment-{j + 1}", "fragment", raid.name, flown.times_s[:, j] + at_s,
            flown.states[:, j], "impact", at_s + ends[j, 0], ends[j, 1:], None, parent, 0.0,
        )
        for j in range(FRAGMENTS)
    ]  # fmt: skip


def _turned(centre: Floats, lat: Floats, lon: Floats, angle: float) -> Floats:
    """The launch area's centre (rad) turned by an angle about the mean of the fall points."""
    if angle == 0.0:
        return centre
    mean = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]).mean(axis=1)
    mean_lat = np.array(math.atan2(mean[2], math.hypot(mean[0], mean[1])))
    mean_lon = np.array(math.atan2(mean[1], mean[0]))
    bearing, distance = bearing_distance(mean_lat, mean_lon, centre[0], centre[1])
    return np.array(destination(mean_lat, mean_lon, bearing + angle, distance))


def _choose_falls(
    scenario: Scenario, zones: Zones, number: int, raid: Raid, rng: np.random.Generator
) -> list[Zone]:
    """The zone each object of a raid is meant for, in order of launch: the groups interleaved evenly."""
    chosen: list[tuple[float, int, Zone]] = []
    for j, group in enumerate(raid.falls):
        near = _candidates(scenario, list(zones[group.partner]), f"raids[{number}].falls[{j}]", raid, group)
        if group.choose == "spread":
            picks = _spread(near, group.count, rng)
        elif group.choose == "random":
            picks = [int(p) for p in rng.choice(len(near), group.count, replace=False)]
        else:
            picks = [i % len(near) for i in range(group.count)]
        rng.shuffle(picks)
        chosen += [((i + 0.5) / group.count, j, near[p]) for i, p in enumerate(picks)]
    return [zone for _, _, zone in sorted(chosen, key=lambda c: c[:2])]


def _candidates(scenario: Scenario, zones: list[Zone], key: str, raid: Raid, group: Falls) -> list[Zone]:
    """The zones a group of falls may be chosen from; BadInput where they are too few."""
    for name in group.zones:
        if not any(name in (z.key, z.name) for z in zones):
            raise BadInput(
                scenario.path, f"{key}.zones", name, f"the key or name of a zone of {group.partner}"
            )
    if group.zones:
        zones = [z for z in zones if z.key in group.zones or z.name in group.zones]
    if group.within_km is not None:
        lat = np.radians([z.latitude_deg for z in zones])
        lon = np.radians([z.longitude_deg for z in zones])
        area = np.radians([raid.area.latitude_deg, raid.area.longitude_deg])
        _, away = bearing_distance(area[0], area[1], lat, lon)
        least, most = group.within_km
        zones = [z for z, d in zip(zones, away, strict=True) if least * 1e3 <= d <= most * 1e3]
    if len(zones) < (1 if group.choose == "same" else group.count):
        raise BadInput(
            scenario.path, f"{key}.count", group.count, f"no more than the {len(zones)} zones found"
        )
    return zones


def _spread(zones: list[Zone], count: int, rng: np.random.Generator) -> list[int]:
    """Indices of zones far apart: a random first one, then always the farthest from those chosen."""
    lat = np.radians([z.latitude_deg for z in zones])
    lon = np.radians([z.longitude_deg for z in zones])
    picks = [int(rng.integers(len(zones)))]
    _, nearest = bearing_distance(lat[picks[0]], lon[picks[0]], lat, lon)
    while len(picks) < count:
        picks.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, bearing_distance(lat[picks[-1]], lon[picks[-1]], lat, lon)[1])
    return picks


def _aim(
    scenario: Scenario, number: int, kind: FlightClass, draws: Draws, launch: Floats, fall: Floats
) -> tuple[Path, Floats]:
    """Flights (and their rows) of a class from launch (2, n) to fall (2, n): latitude and longitude, rad.

    Range over setting is tabled once with a nominal object; four batched corrections do the rest.
    """
    bearing, distance = bearing_distance(launch[0], launch[1], fall[0], fall[1])
    low, high = kind.control_range
    settings = np.linspace(low, high, 12)
    nominal = Draws(np.ones(12), np.ones(12), np.ones(12), draws.wind_east, draws.wind_north)
    first = np.repeat(launch[:, :1], 12, axis=1)
    reach = _range_of(kind, nominal, first, np.full(12, bearing[0]), settings)
    if distance.max() > reach.max() * _SLACK or distance.min() < reach.min():
        found = f"falls {distance.min() / 1e3:.0f} to {distance.max() / 1e3:.0f} km from the launch area"
        wanted = f"{reach.min() / 1e3:.0f} to {reach.max() / 1e3:.0f} km for this class"
        raise BadInput(scenario.path, f"raids[{number}].falls", found, wanted)
    slope = np.gradient(reach, settings)
    control = np.interp(distance, reach, settings)
    azimuth = bearing.copy()
    tabled = per_setting = np.interp(control, settings, slope)
    before: tuple[Floats, Floats] | None = None
    for _ in range(4):
        begin, rows = starts(kind, draws, launch[0], launch[1], azimuth, control)
        path = fly(kind, begin, rows, 1.0, 1e-7)
        ends = falls(path.times_s, path.states)
        came, went = bearing_distance(launch[0], launch[1], ends[:, 1], ends[:, 2])
        if before is not None:  # the slope each object really showed, where it moved enough to show one
            moved = control - before[0]
            far = np.abs(moved) > 1e-4
            shown = (went - before[1]) / np.where(far, moved, 1.0)
            per_setting = np.where(far, np.clip(shown, 0.5 * tabled, 2.0 * tabled), per_setting)
        before = (control, went)
        azimuth += (bearing - came + math.pi) % (2.0 * math.pi) - math.pi
        control = np.clip(control + (distance - went) / per_setting, low, high + 0.05 * (high - low))
    begin, rows = starts(kind, draws, launch[0], launch[1], azimuth, control)
    return fly(kind, begin, rows, STEP_S), rows


def _range_of(kind: FlightClass, draws: Draws, launch: Floats, azimuth: Floats, control: Floats) -> Floats:
    """Ground range (m) of nominal flights."""
    begin, rows = starts(kind, draws, launch[0], launch[1], azimuth, control)
    path = fly(kind, begin, rows, 1.0, 1e-7)
    ends = falls(path.times_s, path.states)
    distance: Floats = bearing_distance(launch[0], launch[1], ends[:, 1], ends[:, 2])[1]
    return distance
