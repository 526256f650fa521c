"""The easy inputs of the speed beside the peer: well-spread targets, as many false plots as targets.

In: how many targets and a seed; out: an input as of a file (`hard_inputs`).  Targets that burnt out up to a
minute ago at a height of 40 km, over a square of 200 km that lies 200 to 400 km north of the radar; with the
speed that carries them 300 to 700 km, thrown at 40 to 50 degrees, towards the radar within 30 degrees.  They
fall freely over a flat Earth.  Thirty scans, one a second; a plot with probability 0.9, 50 m and 1 mrad good.

`over_the_earth` flies the same targets again over the round and turning Earth, through its air, by the
product's own equations of motion, from the same places and with the same velocities in the radar's frame.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from earth_objects import fly, locally, over_site, seen_by
from hard_inputs import CLUTTER_HI, CLUTTER_LO, SIGMA, Input, seen_from_origin
from numpy.typing import NDArray

from jointwatch.motion.phases import BALLISTIC, PRIOR_MEAN, PRIOR_SIGMA
from jointwatch.motion.plane import GRAVITY_MS2
from jointwatch.records import Sensor
from jointwatch.sensing.radar import sensor_row

SCANS, SCAN_S, DETECTION = 30, 1.0, 0.9
PLACE = math.radians(32.0), math.radians(35.0)
"""Where the radar stands when the Earth is round: latitude and longitude, rad."""


def first_states(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(n, 6) positions (m, east-north-up) and velocities (m/s) of the targets at the first scan."""
    speed = np.sqrt(rng.uniform(300e3, 700e3, n) * GRAVITY_MS2)  # which carries so far at 45 degrees
    loft = rng.uniform(math.radians(40.0), math.radians(50.0), n)
    age = rng.uniform(0.0, 60.0, n)
    east, north = rng.uniform(-100e3, 100e3, n), rng.uniform(200e3, 400e3, n)
    course = np.arctan2(-north, -east) + np.radians(rng.uniform(-30.0, 30.0, n))
    level, climb = speed * np.cos(loft), speed * np.sin(loft)
    up = 40e3 + climb * age - 0.5 * GRAVITY_MS2 * age**2
    velocity = level * np.cos(course), level * np.sin(course), climb - GRAVITY_MS2 * age
    return np.column_stack([east, north, up, *velocity])


def easy_input(n: int, seed: int, scans: int = SCANS) -> Input:
    """The easy input of n targets and a seed: the same bytes for the same seed."""
    rng = np.random.default_rng([seed, n, 41])
    ahead = np.arange(scans)[:, None] * SCAN_S
    truth = np.repeat(first_states(n, rng)[None], scans, axis=0)
    truth[:, :, :3] += ahead[:, :, None] * truth[:, :, 3:]
    truth[:, :, 2] -= 0.5 * GRAVITY_MS2 * ahead**2
    truth[:, :, 5] -= GRAVITY_MS2 * ahead
    blank = Input(
        f"easy {n}, seed {seed}", truth, np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros(0, np.int64),
        SIGMA, CLUTTER_LO, CLUTTER_HI, DETECTION, float(n), SCAN_S,
    )  # fmt: skip
    return _with_plots(blank, [seen_from_origin(t[:, :3]) for t in truth], rng)


def over_the_earth(data: Input, sensor: Sensor, seed: int) -> tuple[Input, Input]:
    """An input flown again over the Earth from its first scan, plots and clutter by its own statistics.

    Twice: with the truth in the Earth's frame, and in the radar's own (east, north, up).
    sensor: a radar with a place on the Earth.  What drags the targets is drawn from the product's prior.
    """
    rng = np.random.default_rng([seed, data.truth.shape[1], 42])
    drag = PRIOR_MEAN[BALLISTIC] + PRIOR_SIGMA[BALLISTIC] * rng.standard_normal(data.truth.shape[1])
    state = over_site(sensor, data.truth[0], drag)
    row = sensor_row(sensor)
    truth, seen = [], []
    for _ in range(len(data.truth)):
        truth.append(state[:, :6].copy())
        r, azimuth, elevation, _rate = seen_by(row, state).T
        turned = (0.5 * math.pi - azimuth + math.pi) % (2.0 * math.pi) - math.pi
        seen.append(np.column_stack([elevation, turned, r]))
        fly(state, data.dt)
    flown = _with_plots(replace(data, name=f"{data.name}, over the Earth", truth=np.array(truth)), seen, rng)
    return flown, replace(flown, truth=np.array([locally(sensor, t) for t in truth]))


def _with_plots(data: Input, seen: list[NDArray[np.float64]], rng: np.random.Generator) -> Input:
    """An input with plots drawn anew: `seen` (n, 3) is what is where without error, scan by scan."""
    plots, scan, origin = [], [], []
    for k, true in enumerate(seen):
        who = np.flatnonzero(rng.random(len(true)) < data.pd)
        good = true[who] + data.sigma * rng.standard_normal((len(who), 3))
        false = rng.uniform(data.clutter_lo, data.clutter_hi, (rng.poisson(data.clutter_mean), 3))
        order = rng.permutation(len(good) + len(false))
        plots.append(np.concatenate([good, false])[order])
        origin.append(np.concatenate([who, np.full(len(false), -1)])[order])
        scan.append(np.full(len(order), k))
    return replace(data, scan=np.concatenate(scan), z=np.concatenate(plots), origin=np.concatenate(origin))
