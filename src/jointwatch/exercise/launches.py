"""From a generic class to the parameter rows and starts of single flights: each object a little different.

In: a class, places of launch, azimuths, and the value that sets each object's range; out: rows and initial
states for `exercise.flights`.  Every object's own masses, burn time, drag and wind are drawn once (`draw`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import enu_rotation, geodetic2ecef
from jointwatch.exercise import physics
from jointwatch.exercise.classes import FlightClass
from jointwatch.exercise.flights import Path, burn, coast, join

Floats = NDArray[np.float64]
LONGEST_S = 2400.0
"""No flight of a class takes longer from the end of its burn."""
WIND_SIGMA_MS = 3.0
"""Scatter of the constant part of the wind, one draw a raid and axis."""


class Draws(NamedTuple):
    """What differs between objects of one class: factors (n,) on dry mass, burn time, drag; wind (m/s)."""

    mass: Floats
    burn: Floats
    drag: Floats
    wind_east: float
    wind_north: float


def draw(kind: FlightClass, n: int, rng: np.random.Generator) -> Draws:
    """Seeded differences between n objects, uniform within the class's spreads; one wind for all."""
    spread = rng.uniform(-1.0, 1.0, (3, n))
    wind = rng.normal(0.0, WIND_SIGMA_MS, 2)
    return Draws(
        1.0 + kind.spread * spread[0],
        1.0 + kind.spread * spread[1],
        1.0 + kind.drag_spread * spread[2],
        float(wind[0]),
        float(wind[1]),
    )


def starts(
    kind: FlightClass, draws: Draws, latitude: Floats, longitude: Floats, azimuth: Floats, control: Floats
) -> tuple[Floats, Floats]:
    """Initial states (n, 7) and rows (n, COLUMNS) of n launches (radians; control as the class says)."""
    n = azimuth.size
    states = np.zeros((n, 7))
    rows = np.zeros((n, physics.COLUMNS))
    load = control if kind.control == "load" else np.ones(n)
    propellant = kind.propellant_kg * load
    rows[:, physics.AREA] = math.pi / 4.0 * kind.diameter_m**2
    rows[:, physics.BURN] = kind.burn_s * draws.burn * load
    rows[:, physics.FLOW] = propellant / rows[:, physics.BURN]
    rows[:, physics.EXHAUST] = kind.exhaust_ms
    rows[:, physics.BACK_PRESSURE] = kind.back_pressure
    rows[:, physics.DRAG_SCALE] = kind.drag_scale * draws.drag
    rows[:, physics.WIND_EAST], rows[:, physics.WIND_NORTH] = draws.wind_east, draws.wind_north
    rows[:, physics.STEERING] = 0.0 if kind.rail_ms > 0.0 else 1.0
    low, high = kind.control_range
    share = (load - low) / (high - low)
    rows[:, physics.KICK] = np.radians(kind.kick_deg[0] + share * (kind.kick_deg[1] - kind.kick_deg[0]))
    states[:, 6] = kind.dry_kg * draws.mass + propellant
    if kind.upper is not None:
        states[:, 6] += kind.upper.dry_kg * draws.mass + kind.upper.propellant_kg * load
    for k in range(n):
        east, north, up = enu_rotation(latitude[k], longitude[k])
        along = math.sin(azimuth[k]) * east + math.cos(azimuth[k]) * north
        states[k, :3] = geodetic2ecef(latitude[k], longitude[k], 0.0)
        if kind.rail_ms > 0.0:
            states[k, 3:6] = kind.rail_ms * (math.cos(control[k]) * along + math.sin(control[k]) * up)
        rows[k, physics.ALONG : physics.ALONG + 3] = along
        rows[k, physics.UP : physics.UP + 3] = up
    return states, rows


def powered(kind: FlightClass, start: Floats, rows: Floats, step_s: float, tolerance: float = 1e-11) -> Path:
    """The burn of n objects of a class, of all their stages one after the other, sampled at least every
    step_s."""
    first = burn(start, rows, min(step_s, kind.burn_s / 8.0), tolerance)
    if kind.upper is None:
        return first
    parted = first.states[-1].copy()
    # the first stage's own mass, some per cent about the class's like that of all its object
    propellant = (kind.propellant_kg + kind.upper.propellant_kg) * _load(kind, rows)
    parted[:, 6] -= (start[:, 6] - propellant) * kind.dry_kg / (kind.dry_kg + kind.upper.dry_kg)
    last = last_rows(kind, rows)
    return join(first, burn(parted, last, min(step_s, kind.upper.burn_s / 8.0), tolerance))


def fly(kind: FlightClass, start: Floats, rows: Floats, step_s: float, tolerance: float = 1e-11) -> Path:
    """Burn and coast of n objects of a class to the ground, sampled every step_s (powered: at least)."""
    way = powered(kind, start, rows, step_s, tolerance)
    return join(way, coast(way.states[-1], last_rows(kind, rows), step_s, LONGEST_S, tolerance))


def last_rows(kind: FlightClass, rows: Floats) -> Floats:
    """The parameter rows (n, COLUMNS) of what is left when the first stage is spent, from the first ones."""
    if kind.upper is None:
        return rows
    last = rows.copy()
    last[:, physics.AREA] = math.pi / 4.0 * kind.upper.diameter_m**2
    last[:, physics.BURN] = rows[:, physics.BURN] / kind.burn_s * kind.upper.burn_s
    last[:, physics.FLOW] = kind.upper.propellant_kg * _load(kind, rows) / last[:, physics.BURN]
    last[:, physics.EXHAUST], last[:, physics.BACK_PRESSURE] = kind.upper.exhaust_ms, 0.0
    last[:, physics.STEERING] = 0.0
    return last


def burns(kind: FlightClass, rows: Floats) -> tuple[Floats, Floats]:
    """When the motors of n objects end, seconds after launch (n, stages), and their thrust in vacuum, N."""
    stages = [rows] if kind.upper is None else [rows, last_rows(kind, rows)]
    ends = np.cumsum([stage[:, physics.BURN] for stage in stages], axis=0)
    thrust = [stage[:, physics.FLOW] * stage[:, physics.EXHAUST] for stage in stages]
    return ends.T, np.array(thrust).T


def _load(kind: FlightClass, rows: Floats) -> Floats:
    """Share of the propellant that n objects are loaded with."""
    return np.asarray(rows[:, physics.FLOW] * rows[:, physics.BURN] / kind.propellant_kg)
