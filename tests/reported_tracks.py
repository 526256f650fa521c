"""Tracks as a node reports them, made from a state: what several rooms' tests feed to the joint picture."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.earth.frames import enu_rotation, geodetic2ecef
from jointwatch.motion.phases import BALLISTIC
from jointwatch.motion.propagate import propagate
from jointwatch.records import Header, SequenceRange, Track

START_NS = 1_800_000_000_000_000_000
UPPER = np.triu_indices(7)
BALLISTIC_SURELY, CRUISE_SURELY = (0.01, 0.98, 0.01), (0.01, 0.01, 0.98)
Floats = NDArray[np.float64]


def at_s(seconds: float) -> int:
    """A time, ns, so many seconds after the start of the tests' world."""
    return START_NS + round(seconds * 1e9)


def place(
    latitude_deg: float, longitude_deg: float, height_m: float, east: float, north: float, up: float
) -> Floats:
    """State (7,) by place and velocity (m/s); a missile's drag parameter."""
    latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
    velocity = enu_rotation(latitude, longitude).T @ np.array([east, north, up])
    return np.array([*geodetic2ecef(latitude, longitude, height_m), *velocity, -8.6])


def moved(state: Floats, seconds: float) -> Floats:
    """A ballistic state (7,) some seconds later."""
    s = state.copy()
    propagate(BALLISTIC, s, seconds)
    return s


def spread(position_m: float, velocity_ms: float, drag: float = 0.3) -> Floats:
    """Covariance (7, 7) without correlation."""
    return np.diag([position_m**2] * 3 + [velocity_ms**2] * 3 + [drag**2])


def seen_by(rng: np.random.Generator, position_m: float, velocity_ms: float) -> Floats:
    """A track's covariance (7, 7): ten times as long in one direction, velocity correlated with position."""
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    shape = turn @ np.diag([0.1, 0.6, 1.0]) @ turn.T
    c = np.zeros((7, 7))
    c[:3, :3] = position_m**2 * shape @ shape
    c[3:6, 3:6] = velocity_ms**2 * shape @ shape
    c[:3, 3:6] = c[3:6, :3] = 0.5 * position_m * velocity_ms * shape @ shape
    c[6, 6] = 0.09
    return c


def draw(rng: np.random.Generator, covariance: Floats) -> Floats:
    """An error (7,) with a covariance."""
    return np.linalg.cholesky(covariance) @ rng.normal(size=7)


def track(number: str, state: Floats, covariance: Floats, time_ns: int = START_NS, **changes: Any) -> Track:
    """A sure ballistic track of the partner that its number names, with one source behind it."""
    partner = number.split("-")[0].capitalize()
    made = Track(
        header=Header(
            originator=partner,
            source=partner,
            sequence=1,
            measured_ns=time_ns,
            provenance=(SequenceRange(f"{partner.lower()}-one", 1, 20),),
        ),
        number=number,
        existence=0.9999,
        phases=BALLISTIC_SURELY,
        state=tuple(state.tolist()),
        covariance=tuple(covariance[UPPER].tolist()),
        thrust_ms2=0.0,
        hits=20,
        first_ns=time_ns - 60_000_000_000,
    )
    return replace(made, **changes)
