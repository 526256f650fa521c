"""The truth of one launch to orbit: two stages, an open-loop pitch programme, and an orbit that stays up.

In: site, azimuth, length; out: samples of the ascent and of what follows.  The programme's two free values
(the second stage's first pitch and its burn time) are found so that the vehicle ends horizontal and a little
above circular speed: then where it ends is its perigee.  A generic launcher; for exercises only.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import EARTH_RATE, SEMI_MAJOR_M, enu_rotation, geodetic2ecef
from jointwatch.earth.gravity import GM
from jointwatch.exercise import physics
from jointwatch.exercise.flights import Path, burn, coast, join

Floats = NDArray[np.float64]
BURN_S = (150.0, 345.0)
_FLOW_KG_S = (240.0, 24.8)
_EXHAUST_MS = (2900.0, 3250.0)
_DRY_KG = (3000.0, 1500.0)
_ABOVE_CIRCULAR_MS = 40.0
_FIRST_PITCH = np.radians([90.0, 66.0, 45.0, 33.0])


def perigee_m(position: Floats, velocity: Floats) -> float:
    """Perigee height (m above the equator's radius) of the Kepler orbit through an ECEF state (m, m/s)."""
    v = velocity + np.cross([0.0, 0.0, EARTH_RATE], position)
    r = float(np.linalg.norm(position))
    energy = 0.5 * float(v @ v) - GM / r
    h = np.cross(position, v)
    e = math.sqrt(max(0.0, 1.0 + 2.0 * energy * float(h @ h) / GM**2))
    return float(h @ h) / GM / (1.0 + e) - SEMI_MAJOR_M


def ascend(latitude: float, longitude: float, azimuth: float, length_s: float, step_s: float = 0.5) -> Path:
    """Samples of one launch from a site (radians) for length_s: both burns and the coast in orbit."""
    pitch, second_s = math.radians(28.0), BURN_S[1] - 30.0
    for _ in range(6):
        guess = np.array([[pitch, second_s], [pitch + 0.01, second_s], [pitch, second_s + 1.0]])
        end = _two_stages(latitude, longitude, azimuth, guess, 4.0, 1e-6).states[-1]
        miss = np.array([_miss(state) for state in end])
        slope = np.column_stack([(miss[1] - miss[0]) / 0.01, miss[2] - miss[0]])
        step = np.linalg.solve(slope, -miss[0])
        pitch += float(np.clip(step[0], -0.15, 0.15))
        second_s += float(np.clip(step[1], -25.0, 25.0))
    powered = _two_stages(latitude, longitude, azimuth, np.array([[pitch, second_s]]), step_s, 1e-11)
    left = length_s - float(powered.times_s[-1, 0])
    if left <= step_s:
        return powered
    rows = _rows(latitude, longitude, azimuth, 1, np.array([[pitch, second_s]]))
    return join(powered, coast(powered.states[-1], rows, step_s, left, to_ground=False))


def burns_of_ascent(path: Path) -> tuple[tuple[float, float], tuple[float, float]]:
    """When the two motors of a launch to orbit end, seconds after launch, and their thrust in vacuum, N."""
    # what burns grows lighter; in orbit the mass stays to the bit
    last = int(np.flatnonzero(np.diff(path.states[:, 0, 6]) < 0.0)[-1]) + 1
    thrust = tuple(f * e for f, e in zip(_FLOW_KG_S, _EXHAUST_MS, strict=True))
    return (BURN_S[0], float(path.times_s[last, 0])), (thrust[0], thrust[1])


def _two_stages(
    latitude: float, longitude: float, azimuth: float, free: Floats, step_s: float, tolerance: float
) -> Path:
    """Both burns of n launches; free (n, 2): the second stage's first pitch (rad) and burn time (s)."""
    n = free.shape[0]
    start = np.zeros((n, 7))
    start[:, :3] = geodetic2ecef(latitude, longitude, 0.0)
    first, second = BURN_S[0] * _FLOW_KG_S[0], BURN_S[1] * _FLOW_KG_S[1]
    start[:, 6] = first + second + sum(_DRY_KG)
    lower = burn(start, _rows(latitude, longitude, azimuth, 0, free), step_s, tolerance)
    parted = lower.states[-1].copy()
    parted[:, 6] -= _DRY_KG[0]
    upper = burn(parted, _rows(latitude, longitude, azimuth, 1, free), step_s, tolerance)
    return join(lower, upper)


def _rows(latitude: float, longitude: float, azimuth: float, stage: int, free: Floats) -> Floats:
    """Parameter rows of one stage of n launches."""
    east, north, up = enu_rotation(latitude, longitude)
    rows = np.zeros((free.shape[0], physics.COLUMNS))
    rows[:, physics.AREA] = math.pi / 4.0 * 1.8**2
    rows[:, physics.FLOW], rows[:, physics.EXHAUST] = _FLOW_KG_S[stage], _EXHAUST_MS[stage]
    rows[:, physics.BACK_PRESSURE] = (0.12, 0.0)[stage]
    rows[:, physics.DRAG_SCALE] = 1.0
    rows[:, physics.ALONG : physics.ALONG + 3] = math.sin(azimuth) * east + math.cos(azimuth) * north
    rows[:, physics.UP : physics.UP + 3] = up
    rows[:, physics.STEERING] = 2.0
    if stage == 0:
        rows[:, physics.BURN] = BURN_S[0]
        rows[:, physics.PITCH : physics.PITCH + 4] = _FIRST_PITCH
    else:
        # pitch above the *launch* horizon, which tilts back some 20 degrees over the ascent's ground track
        rows[:, physics.BURN] = free[:, 1]
        for i in range(4):
            rows[:, physics.PITCH + i] = free[:, 0] - math.radians(17.0) * i
    return rows


def _miss(state: Floats) -> Floats:
    """Radial speed, and speed less the wanted one (m/s), of a state (7,) at the end of the ascent."""
    position = state[:3]
    v = state[3:6] + np.cross([0.0, 0.0, EARTH_RATE], position)
    r = float(np.linalg.norm(position))
    return np.array(
        [float(position @ v) / r, float(np.linalg.norm(v)) - math.sqrt(GM / r) - _ABOVE_CIRCULAR_MS]
    )
