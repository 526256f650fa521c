"""Simulated radars: what each sensor of an exercise reports, sector by sector, and what it could have seen.

In: a scenario, its truth and a seed; out: `Sector` records of all sensors in time order, with plots of
objects (Bernoulli with the coverage's probability, Gaussian noise) and false ones (half uniform over the
volume looked at, half in clusters near the ground).  Refraction and biases are off.  Offsets, detections and
false plots have random streams of their own, one a sensor, so that a change to one sensor or one setting
moves nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.exercise.scenario import Scenario
from jointwatch.exercise.truth import Truth
from jointwatch.records import RADAR, Header, Sector, Sensor
from jointwatch.sensing.coverage import detection_probability, in_wedge
from jointwatch.sensing.radar import observe, sensor_row

Floats = NDArray[np.float64]
LATENCY_NS = 50_000_000
"""From the sensor's measurement to the node's receipt, ns."""
CLUSTERS = 6
CLUSTER_RANGE_M = (5e3, 60e3)
CLUSTER_ELEVATION_RAD = math.radians(2.0)
CLUSTER_SPREAD_RAD, CLUSTER_SPREAD_M = math.radians(2.0), 1500.0
CLUSTER_RATE_MS = 5.0
UNIFORM_RATE_MS = 1500.0
GOOD_LOOK = 0.5
"""A look counts for scoring from this probability of detection on."""


class _Schedule:
    """When one sensor looks where: sector k at first_ns + k * step, wedge k modulo the number of sectors."""

    def __init__(self, sensor: Sensor, start_ns: int, seed: int, index: int) -> None:
        rng = np.random.default_rng([seed, 10, index])
        self.sectors = sensor.sectors
        self.step_ns = sensor.period_s * 1e9 / sensor.sectors
        self.first_ns = start_ns + round(rng.uniform(0.0, sensor.period_s) * 1e9)
        width = 2.0 * math.pi / sensor.sectors
        turned = rng.uniform(0.0, width)
        self.edges = [(turned + j * width) % (2.0 * math.pi) for j in range(sensor.sectors)]

    def time_ns(self, k: int) -> int:
        """Instant of sector k, ns."""
        return self.first_ns + round(k * self.step_ns)

    def wedge(self, k: int) -> tuple[float, float]:
        """Azimuths (rad) between which sector k looks, clockwise."""
        return self.edges[k % self.sectors], self.edges[(k + 1) % self.sectors]


def _in_order(scenario: Scenario, seed: int) -> tuple[list[_Schedule], list[tuple[int, int, int]]]:
    """Every sensor's schedule, and all sectors as (time_ns, sensor index, k) in time order."""
    sensors = scenario.sensor_records()
    schedules = [_Schedule(s, scenario.start_ns, seed, i) for i, s in enumerate(sensors)]
    order: list[tuple[int, int, int]] = []
    for i, schedule in enumerate(schedules):
        k = 0
        while (time_ns := schedule.time_ns(k)) < scenario.end_ns:
            order.append((time_ns, i, k))
            k += 1
    return schedules, sorted(order)


@njit(cache=True)
def _look(
    row: Floats, positions: Floats, velocities: Floats, azimuth_from: float, azimuth_to: float
) -> tuple[NDArray[np.int64], Floats]:
    """Which of n objects stand in a sector and in coverage: their places in the batch, and (m, 5) rows of
    range, azimuth, elevation, range rate and probability of detection."""
    n = positions.shape[0]
    where = np.empty(n, dtype=np.int64)
    seen = np.empty((n, 5))
    m = 0
    for i in range(n):
        p, v = positions[i], velocities[i]
        r, azimuth, elevation, rate = observe(row, p[0], p[1], p[2], v[0], v[1], v[2])
        if not in_wedge(azimuth, azimuth_from, azimuth_to):
            continue
        pd = detection_probability(row, r, elevation)
        if pd > 0.0:
            where[m] = i
            seen[m, 0], seen[m, 1], seen[m, 2], seen[m, 3], seen[m, 4] = r, azimuth, elevation, rate, pd
            m += 1
    return where[:m], seen[:m]


class _Clutter:
    """The false plots of one sensor, drawn a scan at a time and dealt out to its sectors."""

    def __init__(self, sensor: Sensor, schedule: _Schedule, seed: int, index: int) -> None:
        self._sensor, self._schedule = sensor, schedule
        places = np.random.default_rng([seed, 11, index])
        most = min(CLUSTER_RANGE_M[1], sensor.range_max_m)
        least = min(max(CLUSTER_RANGE_M[0], sensor.range_min_m), most)
        self._cluster_range = places.uniform(least, most, CLUSTERS)
        self._cluster_azimuth = places.uniform(0.0, 2.0 * math.pi, CLUSTERS)
        self._rng = np.random.default_rng([seed, 12, index])

    def scan(self) -> list[Floats]:
        """The false plots of the next scan, for each sector (m, 4): range, azimuth, elevation, range rate."""
        s, rng = self._sensor, self._rng
        spread, ground = rng.poisson(0.5 * s.clutter_per_scan, 2)
        low, high = s.elevation_min_rad, s.elevation_max_rad
        uniform = np.column_stack(
            [
                rng.uniform(s.range_min_m, s.range_max_m, spread),
                rng.uniform(0.0, 2.0 * math.pi, spread),
                rng.uniform(low, high, spread),
                rng.uniform(-UNIFORM_RATE_MS, UNIFORM_RATE_MS, spread),
            ]
        )
        which = rng.integers(0, CLUSTERS, ground)
        near = self._cluster_range[which] + rng.normal(0.0, CLUSTER_SPREAD_M, ground)
        clustered = np.column_stack(
            [
                np.clip(near, s.range_min_m, s.range_max_m),
                (self._cluster_azimuth[which] + rng.normal(0.0, CLUSTER_SPREAD_RAD, ground))
                % (2.0 * math.pi),
                rng.uniform(low, min(max(CLUSTER_ELEVATION_RAD, low), high), ground),
                rng.normal(0.0, CLUSTER_RATE_MS, ground),
            ]
        )
        plots = np.concatenate([uniform, clustered])
        width = 2.0 * math.pi / s.sectors
        turned = (plots[:, 1] - self._schedule.edges[0]) % (2.0 * math.pi)
        sector = np.minimum((turned / width).astype(np.int64), s.sectors - 1)
        return [plots[sector == j] for j in range(s.sectors)]


def simulate_sectors(scenario: Scenario, truth: Truth, seed: int) -> Iterator[Sector]:
    """Sectors of all sensors in time order, from the scenario's start to its end.

    All plots of a sector are measured at its instant and are listed by range, so that their order tells
    nothing.
    """
    sensors = scenario.sensor_records()
    rows = [sensor_row(s) for s in sensors]
    schedules, order = _in_order(scenario, seed)
    noise = [np.random.default_rng([seed, 13, i]) for i in range(len(sensors))]
    clutter = [_Clutter(s, schedules[i], seed, i) for i, s in enumerate(sensors)]
    scans: list[list[Floats]] = [[] for _ in sensors]
    sigmas = [
        np.array([s.sigma_range_m, s.sigma_azimuth_rad, s.sigma_elevation_rad, s.sigma_range_rate_ms])
        for s in sensors
    ]
    for time_ns, i, k in order:
        if k % sensors[i].sectors == 0:
            scans[i] = clutter[i].scan()
        azimuth_from, azimuth_to = schedules[i].wedge(k)
        _, positions, velocities = truth.states_at(time_ns)
        _, seen = _look(rows[i], positions, velocities, azimuth_from, azimuth_to)
        plots = scans[i][k % sensors[i].sectors]
        if seen.size:
            # drawn for every object in the sector, seen or not: the stream does not hang on what was seen
            chance = noise[i].uniform(0.0, 1.0, seen.shape[0])
            errors = noise[i].normal(0.0, 1.0, (seen.shape[0], 4)) * sigmas[i]
            measured = seen[:, :4] + errors
            measured[:, 1] %= 2.0 * math.pi
            plots = np.concatenate([plots, measured[chance < seen[:, 4]]])
        values = plots[np.argsort(plots[:, 0], kind="stable")].T.tolist()
        measured = sensors[i].measures
        columns = [v if name in measured else () for name, v in zip(RADAR, values, strict=True)]
        yield Sector(
            header=Header(
                originator=sensors[i].partner, source=sensors[i].name, sequence=k, measured_ns=time_ns
            ),
            sensor=sensors[i].name,
            azimuth_from_rad=azimuth_from,
            azimuth_to_rad=azimuth_to,
            received_ns=time_ns + LATENCY_NS,
            range_m=tuple(columns[0]),
            azimuth_rad=tuple(columns[1]),
            elevation_rad=tuple(columns[2]),
            range_rate_ms=tuple(columns[3]),
        )


def looks(
    scenario: Scenario, truth: Truth, seed: int, least: float = GOOD_LOOK
) -> list[list[tuple[int, int, float]]]:
    """For each object of the truth, its looks in time order: (time_ns, sensor index, probability).

    A look is a sector of `simulate_sectors` (same scenario and seed) with the object in it and a probability
    of at least `least`; there is no noise and no chance in it.  For scoring only.
    Radars alone: from a satellite's look no take-shelter alert begins, so none is feasible by it.
    """
    rows = [sensor_row(s) for s in scenario.sensor_records()]
    schedules, order = _in_order(scenario, seed)
    found: list[list[tuple[int, int, float]]] = [[] for _ in truth.objects]
    for time_ns, i, k in order:
        index, positions, velocities = truth.states_at(time_ns)
        where, seen = _look(rows[i], positions, velocities, *schedules[i].wedge(k))
        for place, pd in zip(where.tolist(), seen[:, 4].tolist(), strict=True):
            if pd >= least:
                found[index[place]].append((time_ns, i, pd))
    return found
