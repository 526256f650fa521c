"""Salvos whose number is known, and what infrared satellites see of them, scan by scan.

In: a class, a number, a span, an area and a random stream; out: a scenario with its truth, flown by the
exercise's physics, for `exercise.infrared` to look at.  Launches of a salvo fly to one area: their azimuths
and ranges differ by a little, their instants are even over the span.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from false_launches import SHIPPED, satellites
from msgspec.structs import replace

from jointwatch.earth.frames import SEMI_MAJOR_M, height_above_ellipsoid
from jointwatch.exercise.classes import CLASSES
from jointwatch.exercise.infrared import cloud_share
from jointwatch.exercise.launches import burns, draw, powered, starts
from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.exercise.truth import Truth, TruthObject

FIRST_S, AFTER_S = 60.0, 40.0
"""The first launch after the exercise's start; how long it goes on after the last burn."""
RAID = "salvo"
CONTROL_SPREAD, AZIMUTH_SPREAD = 0.1, 0.15
"""Half the width over which loads and azimuths (rad) of one salvo differ."""


class MadeSalvo(NamedTuple):
    """A salvo: the scenario, what flies, and when each launch clears the clouds and ends (ns), both -1 of one
    that burns out below them."""

    scenario: Scenario
    truth: Truth
    clears_ns: tuple[int, ...]
    ends_ns: tuple[int, ...]


def made_salvo(
    kind_name: str,
    number: int,
    span_s: float,
    area_m: float,
    eyes: int,
    cloud_km: float,
    detection: float,
    seed: int,
) -> MadeSalvo:
    """A salvo of a class: so many launches within so long, from a disc of a radius, seen by so many
    satellites with a probability of detection."""
    rng = np.random.default_rng([seed, 77])
    kind = CLASSES[kind_name]
    base = load_scenario(SHIPPED)
    entries = tuple(replace(s, detection=detection, cloud_km=cloud_km) for s in satellites(5.0, eyes))
    low, high = kind.control_range
    middle, towards = rng.uniform(low, high), rng.uniform(0.0, 2.0 * math.pi)
    latitude, longitude = rng.uniform(26.0, 36.0), rng.uniform(40.0, 56.0)
    top = cloud_km * 1e3 * cloud_share(seed, RAID)
    objects, clears, ends_ns = [], [], []
    start_ns = base.start_ns
    for k in range(number):
        far, way = area_m * math.sqrt(rng.uniform()), rng.uniform(0.0, 2.0 * math.pi)
        place = (
            math.radians(latitude) + far * math.cos(way) / SEMI_MAJOR_M,
            math.radians(longitude) + far * math.sin(way) / SEMI_MAJOR_M / math.cos(math.radians(latitude)),
        )
        control = float(np.clip(middle + (high - low) * CONTROL_SPREAD * rng.uniform(-1.0, 1.0), low, high))
        azimuth = towards + AZIMUTH_SPREAD * rng.uniform(-1.0, 1.0)
        one = (np.array([v]) for v in (*place, azimuth, control))
        start, rows = starts(kind, draw(kind, 1, rng), *one)
        path = powered(kind, start, rows, 0.5, 1e-8)
        until, thrust = burns(kind, rows)
        launch_s = FIRST_S + span_s * float(rng.uniform())
        times = path.times_s[:, 0] + launch_s
        objects.append(
            TruthObject(
                name=f"salvo-{k}", object_class=kind_name, launch_ns=start_ns + round(launch_s * 1e9),
                end_ns=start_ns + round(float(times[-1]) * 1e9), end="left", fall_lon_deg=None,
                fall_lat_deg=None, aim=None, parent=None, raid=RAID, danger_radius_m=0.0,
                start_ns=start_ns, times_s=np.ascontiguousarray(times),
                samples=np.ascontiguousarray(path.states[:, 0, :6]),
                burn_s=tuple(pairwise((0.0, *until[0].tolist()))), thrust_n=tuple(thrust[0].tolist()),
            )
        )  # fmt: skip
        heights = np.array([height_above_ellipsoid(*s[:3]) for s in path.states[:, 0]])
        over = np.flatnonzero(heights > top)
        at = int(over[0]) if len(over) else len(times) - 1
        clear_s = float(np.interp(top, heights[max(at - 1, 0) : at + 1], times[max(at - 1, 0) : at + 1]))
        end_s = launch_s + float(until[0, -1])
        shows = len(over) > 0 and clear_s < end_s
        clears.append(start_ns + round(clear_s * 1e9) if shows else -1)
        ends_ns.append(start_ns + round(end_s * 1e9) if shows else -1)
    lasts_s = (max([*ends_ns, start_ns + 10**11]) - start_ns) * 1e-9 + AFTER_S
    about = replace(base.scenario, duration_s=lasts_s, seed=seed)
    scenario = replace(base, scenario=about, satellites=entries, hot_places=(), raids=())
    return MadeSalvo(scenario, Truth(start_ns, objects), tuple(clears), tuple(ends_ns))
