"""Simulated infrared sensors in orbit: what each reports of what burns, scan by scan.

In: a scenario, its truth and a seed; out: `InfraredScan` records of all satellites in the order they are
received.  A scan is a look at the whole disc of the Earth at one instant; its plots are motors that burn
above the clouds, hot places that stay, and false plots: single ones anywhere, and glints of the sun that
wander for a while.  Every satellite has random streams of its own for each of these, so that a change to one
sensor or one setting moves nothing else; the clouds are the same for all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.earth.frames import geodetic2ecef, height_above_ellipsoid
from jointwatch.exercise.flights import destination
from jointwatch.exercise.orbits import sites_of
from jointwatch.exercise.scenario import Scenario
from jointwatch.exercise.scenario_tables import SatelliteEntry
from jointwatch.exercise.truth import Truth
from jointwatch.records import Header, InfraredScan, Satellite
from jointwatch.sensing.infrared import NEAREST_SITE_M, across, disc_half_angle, hidden_by_earth

Floats = NDArray[np.float64]
PROCESSING_NS = 2_000_000_000
"""From the look to the node's receipt, ns: what the ground station needs for a disc."""
REFERENCE_W_SR, REFERENCE_N, GROWTH = 5e5, 3e5, 1.5
"""A rule of thumb, to an order of magnitude: what a motor of 300 kN shines with (a 15 t missile's), and the
power of thrust it goes by: small motors burn cooler.  A rocket of 20 kN gives 8 kW/sr."""
INTENSITY_SPREAD = 0.3
"""Spread of an intensity from look to look: standard deviation of its natural logarithm."""
BOX_DEG = (5.0, 50.0, 10.0, 75.0)
"""Where false plots come from: south, north, west, east, as far as the outlines go."""
FALSE_W_SR, FALSE_SPREAD = 3e4, 1.0
"""Median intensity of a false plot, and the standard deviation of its natural logarithm."""
GLINT_SHARE = 0.2
"""Part of the false plots that are glints of the sun."""
GLINT_S = (30.0, 180.0)
GLINT_FASTEST_MS = 500.0
"""A glint stays for so long, and wanders over the ground at most so fast."""
LOOKS, NOISE, SINGLE, PLACES, GLINTS, CLOUDS = 20, 21, 22, 23, 24, 25
"""Numbers of the random streams, beside those of `exercise.sensors`."""


class _Glint(Struct, frozen=True):
    """A glint: from when to when (ns), where it begins (rad), which way and how fast, how bright."""

    from_ns: int
    to_ns: int
    latitude: float
    longitude: float
    bearing: float
    speed_ms: float
    intensity_w_sr: float


def simulate_scans(scenario: Scenario, truth: Truth, seed: int) -> Iterator[InfraredScan]:
    """Scans of all satellites in the order they are received, as far as that is before the scenario's end.

    The plots of a scan are listed by their vectors, so that their order tells nothing.
    """
    pairs = zip(scenario.satellites, scenario.satellite_records(), strict=True)
    eyes = [_Eye(scenario, entry, record, truth, seed, i) for i, (entry, record) in enumerate(pairs)]
    order = sorted((time_ns, i, k) for i, eye in enumerate(eyes) for k, time_ns in enumerate(eye.times_ns))
    for time_ns, i, k in order:
        yield eyes[i].scan(k, time_ns)


def motor_intensity(thrust_n: float) -> float:
    """What a motor of a thrust in vacuum (N) shines with, W/sr, by this file's rule of thumb."""
    return float(REFERENCE_W_SR * (thrust_n / REFERENCE_N) ** GROWTH)


def cloud_share(seed: int, raid: str) -> float:
    """How high the clouds stand over the launches of one raid, as a share of a satellite's `cloud_m`."""
    return float(np.random.default_rng([seed, CLOUDS, *raid.encode()]).uniform())


class _Eye:
    """One satellite over one exercise."""

    def __init__(
        self,
        scenario: Scenario,
        entry: SatelliteEntry,
        satellite: Satellite,
        truth: Truth,
        seed: int,
        index: int,
    ) -> None:
        self._satellite, self._truth = satellite, truth
        self._site_at = sites_of(entry)
        streams = [np.random.default_rng([seed, n, index]) for n in (LOOKS, NOISE, SINGLE, PLACES, GLINTS)]
        looks, self._noise, self._single, self._shining, glints = streams
        first_ns = scenario.start_ns + round(looks.uniform(0.0, satellite.period_s) * 1e9)
        last_ns = scenario.end_ns - PROCESSING_NS
        count = max(0, math.ceil((last_ns - first_ns) / (satellite.period_s * 1e9)))
        times_ns = [first_ns + round(k * satellite.period_s * 1e9) for k in range(count)]
        # near its perigee a satellite of a long orbit does not look: the Earth would fill its sky
        self.times_ns = [t for t in times_ns if np.linalg.norm(self._site_at(t)) >= NEAREST_SITE_M]
        self._clouds_m = {o.raid: satellite.cloud_m * cloud_share(seed, o.raid) for o in truth.objects}
        self._hot = _on_ground(
            np.radians([p.latitude_deg for p in scenario.hot_places]),
            np.radians([p.longitude_deg for p in scenario.hot_places]),
        )
        self._hot_w_sr = np.array([p.intensity_kw_sr * 1e3 for p in scenario.hot_places])
        self._share = np.array([p.share for p in scenario.hot_places])
        self._glints = _glints_of(satellite, scenario.start_ns, scenario.end_ns, glints)

    def scan(self, k: int, time_ns: int) -> InfraredScan:
        """The look number k, at its time."""
        self._site = self._site_at(time_ns)
        parts = [self._motors(time_ns), self._hot_places(), self._wandering(time_ns)]
        points = np.concatenate([p for p, _ in parts])
        along = self._measured(points)
        single, power = self._anywhere()
        along = np.concatenate([along, self._towards(single)])
        intensity = np.concatenate([*(p for _, p in parts), power])
        order = np.lexsort(along.T[::-1])
        x, y, z = (tuple(column) for column in along[order].T.tolist())
        s = self._satellite
        return InfraredScan(
            header=Header(originator=s.partner, source=s.name, sequence=k, measured_ns=time_ns),
            sensor=s.name,
            received_ns=time_ns + PROCESSING_NS,
            site_m=_triple(self._site),
            axis=_triple(-self._site / np.linalg.norm(self._site)),
            half_angle_rad=disc_half_angle(self._site),
            along_x=x,
            along_y=y,
            along_z=z,
            intensity_w_sr=tuple(intensity[order].tolist()),
        )

    def _motors(self, time_ns: int) -> tuple[Floats, Floats]:
        """Where motors burn that this look finds, ECEF (m, 3), and how brightly (m,)."""
        index, positions, _ = self._truth.states_at(time_ns)
        points, powers = [], []
        for i, position in zip(index.tolist(), positions, strict=True):
            burning = self._truth.objects[i]
            thrust = burning.thrust_at(time_ns)
            if thrust <= 0.0:
                continue
            # drawn for each motor that burns, seen or not: the stream does not hang on what was seen
            chance, bright = self._noise.uniform(), self._noise.normal()
            clear = height_above_ellipsoid(*position) > self._clouds_m[burning.raid]
            if clear and chance < self._satellite.detection and not self._hides(position[None])[0]:
                points.append(position)
                powers.append(motor_intensity(thrust) * math.exp(INTENSITY_SPREAD * bright))
        return np.array(points).reshape(-1, 3), np.array(powers)

    def _hot_places(self) -> tuple[Floats, Floats]:
        """The hot places that shine in this look."""
        chance = self._shining.uniform(size=len(self._hot))
        bright = np.exp(INTENSITY_SPREAD * self._shining.normal(size=len(self._hot)))
        seen = (chance < self._share) & ~self._hides(self._hot)
        return self._hot[seen], (self._hot_w_sr * bright)[seen]

    def _wandering(self, time_ns: int) -> tuple[Floats, Floats]:
        """The glints of this look, where they have wandered to."""
        now = [g for g in self._glints if g.from_ns <= time_ns < g.to_ns]
        far = np.array([g.speed_ms * (time_ns - g.from_ns) * 1e-9 for g in now])
        latitude, longitude = destination(
            np.array([g.latitude for g in now]),
            np.array([g.longitude for g in now]),
            np.array([g.bearing for g in now]),
            far,
        )
        points = _on_ground(latitude, longitude)
        seen = ~self._hides(points)
        return points[seen], np.array([g.intensity_w_sr for g in now])[seen]

    def _anywhere(self) -> tuple[Floats, Floats]:
        """Single false plots: as many as are expected, uniform over what the satellite sees of the box."""
        rng = self._single
        count = int(rng.poisson((1.0 - GLINT_SHARE) * self._satellite.clutter_per_scan))
        points = np.zeros((0, 3))
        # where only a corner of the box shows, some are looked for in vain: then there is little clutter
        for _ in range(20):
            if len(points) >= count:
                break
            more = _on_ground(*_in_box(rng, 2 * count))
            points = np.concatenate([points, more[~self._hides(more)]])
        points = points[:count]
        return points, FALSE_W_SR * np.exp(FALSE_SPREAD * rng.normal(size=len(points)))

    def _hides(self, points: Floats) -> NDArray[np.bool_]:
        return hidden_by_earth(self._site, points)

    def _towards(self, points: Floats) -> Floats:
        """Unit vectors (n, 3) from the satellite to points (n, 3)."""
        way = points - self._site
        return np.asarray(way / np.linalg.norm(way, axis=1)[:, None])

    def _measured(self, points: Floats) -> Floats:
        """The lines of sight to points with the sensor's errors."""
        along = self._towards(points)
        first, second = across(along)
        error = self._noise.normal(0.0, self._satellite.sigma_rad, (2, len(points), 1))
        along = along + error[0] * first + error[1] * second
        return np.asarray(along / np.linalg.norm(along, axis=1)[:, None])


def _glints_of(satellite: Satellite, start_ns: int, end_ns: int, rng: np.random.Generator) -> list[_Glint]:
    """The glints of a whole exercise, so many that they give their share of the false plots."""
    mean_s = 0.5 * sum(GLINT_S)
    # those that began before the exercise are still there when it begins
    from_ns = start_ns - round(GLINT_S[1] * 1e9)
    count = int(rng.poisson(GLINT_SHARE * satellite.clutter_per_scan * (end_ns - from_ns) * 1e-9 / mean_s))
    latitude, longitude = _in_box(rng, count)
    begin = rng.uniform(from_ns, end_ns, count)
    stays = rng.uniform(*GLINT_S, count) * 1e9
    bearing = rng.uniform(0.0, 2.0 * math.pi, count)
    speed = rng.uniform(0.0, GLINT_FASTEST_MS, count)
    power = FALSE_W_SR * np.exp(FALSE_SPREAD * rng.normal(size=count))
    return [
        _Glint(int(b), int(b + s), *rest)
        for b, s, *rest in zip(
            begin.tolist(), stays.tolist(), latitude.tolist(), longitude.tolist(), bearing.tolist(),
            speed.tolist(), power.tolist(), strict=True,
        )
    ]  # fmt: skip


def _in_box(rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Latitudes and longitudes (rad) of places uniform over the ground of the box."""
    south, north, west, east = np.radians(BOX_DEG)
    latitude = np.arcsin(rng.uniform(math.sin(south), math.sin(north), count))
    return latitude, rng.uniform(west, east, count)


def _on_ground(latitude: Floats, longitude: Floats) -> Floats:
    """ECEF (n, 3) of places on the ellipsoid (rad)."""
    places = [
        geodetic2ecef(lat, lon, 0.0) for lat, lon in zip(latitude.tolist(), longitude.tolist(), strict=True)
    ]
    return np.array(places).reshape(-1, 3)


def _triple(vector: Floats) -> tuple[float, float, float]:
    x, y, z = vector.tolist()
    return x, y, z
