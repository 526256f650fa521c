"""What flies in a simulated case, and what radars report of it: cheap, for thousands of cases.

In: a random generator; out: missiles that fall on zones, an aircraft, and the sectors of each radar in order
of time.  Missiles fly as the nodes' own filter thinks they do: what is tried here is not how well they track.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from random import Random

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, geodetic2ecef
from jointwatch.exercise.flights import destination
from jointwatch.motion.phases import BALLISTIC, CRUISE
from jointwatch.motion.propagate import predict
from jointwatch.records import Header, Sector, Sensor
from jointwatch.sensing.coverage import detection_probability, in_wedge
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.warning.impact import ground_fall

Floats = NDArray[np.float64]
S = 1_000_000_000
MIDDLE_DEG = (32.0, 40.0)
LATENCY_NS = 50_000_000


class Flown(Struct):
    """One object: its state (7,) at a time, and when it comes down."""

    state: Floats
    time_ns: int
    end_ns: int
    phase: int

    def at(self, time_ns: int) -> Floats:
        """Its state later, to which it moves."""
        if time_ns > self.time_ns:
            predict(self.phase, self.state, np.zeros((7, 7)), (time_ns - self.time_ns) * 1e-9)
            self.time_ns = time_ns
        return self.state


class Missile(Struct, frozen=True):
    """A missile, and where it falls (degrees)."""

    flown: Flown
    latitude_deg: float
    longitude_deg: float


def missile(rng: Random, start_ns: int) -> Missile:
    """A missile that is in flight from the start on, and falls soon."""
    while True:
        latitude = math.radians(MIDDLE_DEG[0] + rng.uniform(-0.4, 0.4))
        longitude = math.radians(MIDDLE_DEG[1] + rng.uniform(-0.5, 0.5))
        height, speed = rng.uniform(15e3, 45e3), rng.uniform(700.0, 1300.0)
        course, climb = rng.uniform(0.0, 2.0 * math.pi), rng.uniform(-500.0, 100.0)
        velocity = enu_rotation(latitude, longitude).T @ np.array(
            [speed * math.sin(course), speed * math.cos(course), climb]
        )
        state = np.array([*geodetic2ecef(latitude, longitude, height), *velocity, -8.6 + rng.gauss(0.0, 0.2)])
        fall = ground_fall(state, np.diag([1e2, 1e2, 1e2, 1.0, 1.0, 1.0, 1e-3]))
        if fall is not None and 18.0 <= fall.time_s <= 60.0:
            end_ns = start_ns + round(fall.time_s * S)
            return Missile(
                Flown(state, start_ns, end_ns, BALLISTIC),
                math.degrees(fall.latitude_rad),
                math.degrees(fall.longitude_rad),
            )


def aircraft(rng: Random, start_ns: int) -> Flown:
    """An aircraft that flies straight on."""
    latitude = math.radians(MIDDLE_DEG[0] + rng.uniform(-0.5, 0.5))
    longitude = math.radians(MIDDLE_DEG[1] + rng.uniform(-0.5, 0.5))
    course, speed = rng.uniform(0.0, 2.0 * math.pi), rng.uniform(180.0, 250.0)
    velocity = enu_rotation(latitude, longitude).T @ np.array(
        [speed * math.sin(course), speed * math.cos(course), 0.0]
    )
    place = geodetic2ecef(latitude, longitude, rng.uniform(8e3, 12e3))
    return Flown(np.array([*place, *velocity, 0.0]), start_ns, 2**62, CRUISE)


def radar(rng: Random, partner: str, name: str) -> Sensor:
    """A radar somewhere around, with short scans of few sectors."""
    bearing, away = rng.uniform(0.0, 2.0 * math.pi), rng.uniform(60e3, 160e3)
    latitude, longitude = destination(
        np.array(math.radians(MIDDLE_DEG[0])), np.array(math.radians(MIDDLE_DEG[1])),
        np.array(bearing), np.array(away),
    )  # fmt: skip
    return Sensor(
        name=name,
        partner=partner,
        latitude_rad=float(latitude),
        longitude_rad=float(longitude),
        height_m=rng.uniform(0.0, 900.0),
        range_min_m=1e3,
        range_max_m=3.5e5,
        elevation_min_rad=math.radians(0.3),
        elevation_max_rad=math.radians(85.0),
        sigma_range_m=rng.uniform(20.0, 60.0),
        sigma_azimuth_rad=rng.uniform(5e-4, 1.5e-3),
        sigma_elevation_rad=rng.uniform(5e-4, 1.5e-3),
        sigma_range_rate_ms=rng.uniform(2.0, 6.0),
        period_s=rng.choice((2.0, 2.5, 3.0)),
        sectors=rng.choice((1, 1, 1, 2)),
        detection=rng.uniform(0.8, 0.98),
        clutter_per_scan=rng.choice((0.0, 2.0, 5.0)),
    )


def sectors(
    sensor: Sensor, flown: Sequence[Flown], start_ns: int, end_ns: int, rng: Random
) -> Iterator[Sector]:
    """What a radar reports, in order of time; each is received `LATENCY_NS` after it was measured."""
    row, many = sensor_row(sensor), sensor.sectors
    flown = [Flown(f.state.copy(), f.time_ns, f.end_ns, f.phase) for f in flown]
    step_ns = round(sensor.period_s * S / many)
    time_ns, turned = start_ns + round(rng.random() * step_ns), rng.uniform(0.0, 6.0)
    edges = [(turned + 2.0 * math.pi * k / many) % (2.0 * math.pi) for k in range(many)]
    k = 0
    while time_ns < end_ns:
        wedge = (0.0, 2.0 * math.pi) if many == 1 else (edges[k % many], edges[(k + 1) % many])
        plots = [_clutter(sensor, wedge, rng) for _ in range(_poisson(sensor.clutter_per_scan / many, rng))]
        for one in flown:
            if one.end_ns <= time_ns:
                continue
            r, azimuth, elevation, rate = observe(row, *one.at(time_ns)[:6].tolist())
            if not in_wedge(azimuth, *wedge) or ecef2geodetic(*one.state[:3])[2] < 0.0:
                continue
            if rng.random() < detection_probability(row, r, elevation):
                plots.append(
                    (
                        r + rng.gauss(0.0, sensor.sigma_range_m),
                        (azimuth + rng.gauss(0.0, sensor.sigma_azimuth_rad)) % (2.0 * math.pi),
                        elevation + rng.gauss(0.0, sensor.sigma_elevation_rad),
                        rate + rng.gauss(0.0, sensor.sigma_range_rate_ms),
                    )
                )
        ranges, azimuths, elevations, rates = zip(*sorted(plots), strict=True) if plots else ((), (), (), ())
        yield Sector(
            header=Header(originator=sensor.partner, source=sensor.name, sequence=k, measured_ns=time_ns),
            sensor=sensor.name,
            azimuth_from_rad=wedge[0],
            azimuth_to_rad=wedge[1],
            received_ns=time_ns + LATENCY_NS,
            range_m=ranges,
            azimuth_rad=azimuths,
            elevation_rad=elevations,
            range_rate_ms=rates,
        )
        k += 1
        time_ns += step_ns


def _clutter(sensor: Sensor, wedge: tuple[float, float], rng: Random) -> tuple[float, float, float, float]:
    width = (wedge[1] - wedge[0]) % (2.0 * math.pi) or 2.0 * math.pi
    return (
        rng.uniform(5e3, 2e5),
        (wedge[0] + rng.uniform(0.0, width)) % (2.0 * math.pi),
        rng.uniform(sensor.elevation_min_rad, 0.5),
        rng.uniform(-300.0, 300.0),
    )


def _poisson(mean: float, rng: Random) -> int:
    limit, product, many = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        many += 1
    return many
