"""Inputs for trackers beside the peer, of files and of the hard case of a seed, and what a tracker said.

In: a file or a seed; out: truth, plots and what both trackers are told of the radar.  The hard case: eight
salvos of five coasting missiles, 300 to 1,000 m from one to the next, which is one to three of the radar's
cells at their range.  Two salvos at a time meet in the middle of the run, at 10 to 40 degrees; a plot a
second with probability 0.7, 50 m and 1 mrad good, among 500 false ones a scan.

A file (.npz), SI and radians, flat east-north-up, the radar at the origin: truth (scans, n, 6) positions and
velocities, scan (m,) and z (m, 3) elevation, azimuth counter-clockwise from east, and range of every plot,
origin (m,) of each (-1: clutter), sigma (3,), clutter_lo, clutter_hi (3,), pd, clutter_mean, dt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jointwatch.motion.plane import GRAVITY_MS2

SALVOS, IN_SALVO, SCANS, SCAN_S = 8, 5, 40, 1.0
SIGMA = np.array([1e-3, 1e-3, 50.0])
CLUTTER_LO = np.array([math.radians(1.0), math.radians(55.0), 150e3])
CLUTTER_HI = np.array([math.radians(50.0), math.radians(125.0), 480e3])
DETECTION, CLUTTER = 0.7, 500.0
NOISE, SPEED_SIGMA_MS = 1.0, 1500.0
"""What every tracker is told: white acceleration (m^2/s^3), and the velocity of what is new (1-sigma)."""


@dataclass(frozen=True)
class Input:
    """One input, as in its file (see above)."""

    name: str
    truth: NDArray[np.float64]
    scan: NDArray[np.int64]
    z: NDArray[np.float64]
    origin: NDArray[np.int64]
    sigma: NDArray[np.float64]
    clutter_lo: NDArray[np.float64]
    clutter_hi: NDArray[np.float64]
    pd: float
    clutter_mean: float
    dt: float


@dataclass
class Estimates:
    """What a tracker said: each scan's tracks by identity and position (k, 3), and how long it took."""

    who: list[list[Any]]
    where: list[NDArray[np.float64]]
    seconds: list[float]


def read_input(path: Path) -> Input:
    """An input from its file."""
    with np.load(path) as f:
        return Input(
            path.stem, f["truth"], f["scan"], f["z"], f["origin"], f["sigma"], f["clutter_lo"],
            f["clutter_hi"], float(f["pd"]), float(f["clutter_mean"]), float(f["dt"]),
        )  # fmt: skip


def seen_from_origin(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) elevation, azimuth counter-clockwise from east, and range of positions (n, 3)."""
    r = np.linalg.norm(place, axis=1)
    return np.column_stack([np.arcsin(place[:, 2] / r), np.arctan2(place[:, 1], place[:, 0]), r])


def states_at_meeting(rng: np.random.Generator) -> NDArray[np.float64]:
    """(40, 6) states at the middle of the run: at each of four places two salvos of five are passing."""
    places: list[NDArray[np.float64]] = []
    while len(places) < SALVOS // 2:
        place = rng.uniform([-60e3, 220e3, 60e3], [60e3, 320e3, 120e3])
        if all(np.linalg.norm(place - other) > 30e3 for other in places):
            places.append(place)
    states = []
    for place in places:
        inbound = math.atan2(-place[1], -place[0])
        first = inbound + math.radians(rng.uniform(-30.0, 30.0))
        second = first + math.radians(rng.uniform(10.0, 40.0)) * rng.choice([-1.0, 1.0])
        for course in (first, second):
            level = rng.uniform(1300.0, 2200.0)
            velocity = np.array(
                [level * math.cos(course), level * math.sin(course), rng.uniform(-600.0, 600.0)]
            )
            members = [place + rng.normal(0.0, 300.0, 3)]
            while len(members) < IN_SALVO:
                way = rng.normal(size=3)
                beside = members[-1] + way / np.linalg.norm(way) * rng.uniform(300.0, 1000.0)
                if min(np.linalg.norm(beside - m) for m in members) >= 300.0:
                    members.append(beside)
            states += [np.concatenate([m, velocity + rng.normal(0.0, 3.0, 3)]) for m in members]
    return np.array(states)


def hard_input(seed: int, scans: int = SCANS) -> Input:
    """The hard case of a seed."""
    rng = np.random.default_rng([seed, 40])
    middle = states_at_meeting(rng)
    ahead = (np.arange(scans) - (scans - 1) / 2.0)[:, None] * SCAN_S
    truth = np.repeat(middle[None], scans, axis=0)
    truth[:, :, :3] += ahead[:, :, None] * middle[None, :, 3:]
    truth[:, :, 2] -= 0.5 * GRAVITY_MS2 * ahead**2
    truth[:, :, 5] -= GRAVITY_MS2 * ahead
    plots, scan, origin = [], [], []
    for k in range(scans):
        who = np.flatnonzero(rng.random(len(middle)) < DETECTION)
        true = seen_from_origin(truth[k, who, :3]) + SIGMA * rng.standard_normal((len(who), 3))
        false = rng.uniform(CLUTTER_LO, CLUTTER_HI, (rng.poisson(CLUTTER), 3))
        order = rng.permutation(len(true) + len(false))
        plots.append(np.concatenate([true, false])[order])
        origin.append(np.concatenate([who, np.full(len(false), -1)])[order])
        scan.append(np.full(len(plots[-1]), k))
    return Input(
        f"hard {seed}", truth, np.concatenate(scan), np.concatenate(plots), np.concatenate(origin), SIGMA,
        CLUTTER_LO, CLUTTER_HI, DETECTION, CLUTTER, SCAN_S,
    )  # fmt: skip
