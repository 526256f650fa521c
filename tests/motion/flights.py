"""States to try motion on, and a plain-NumPy twin of its equations, written from the formulas alone."""

from __future__ import annotations

import math

import numpy as np
from world import place as state

from jointwatch.earth.atmosphere import density_exponential, sound_speed
from jointwatch.earth.frames import EARTH_RATE, SEMI_MAJOR_M, ecef2geodetic
from jointwatch.earth.gravity import GM, J2
from jointwatch.motion.phases import BALLISTIC, BOOST, CRUISE, EXHAUST_MS, GROWTH_LIMIT_MS2, SLOW_MS

OMEGA = np.array([0.0, 0.0, EARTH_RATE])


def height_m(s):
    return ecef2geodetic(s[0], s[1], s[2])[2]


# phase, state, span (s): what the equations meet in an exercise, and a little more
FLIGHTS = {
    "coast above the air": (BALLISTIC, state(33, 41, 120e3, -2300, 300, 2200, -8.5), 600.0),
    "coast over the pole": (BALLISTIC, state(88, 10, 250e3, 100, 3000, 1500, -8.5), 600.0),
    "low orbit": (BALLISTIC, state(10, 41, 300e3, 5200, 5200, 0, -8.5), 600.0),
    "re-entry, slender": (BALLISTIC, state(33, 36, 110e3, -2200, 100, -2300, -9.2), 600.0),
    "re-entry, blunt": (BALLISTIC, state(33, 36, 110e3, -2200, 100, -2300, -6.5), 600.0),
    "re-entry at orbital speed": (BALLISTIC, state(33, 36, 120e3, -6500, 100, -2500, -9.2), 600.0),
    "a rocket's whole flight": (BALLISTIC, state(32, 36, 2e3, -700, 300, 800, -8.0), 600.0),
    "debris from on high": (BALLISTIC, state(32, 36, 200e3, 0, 0, 0, -4.0), 600.0),
    "boost, early and steep": (BOOST, state(33, 41, 3e3, -60, 10, 200, 18.0), 100.0),
    "boost in flight": (BOOST, state(33, 41, 20e3, -500, 30, 700, 30.0), 50.0),
    "cruise, straight": (CRUISE, state(32, 36, 10e3, 250, 30, 0, 0.0), 600.0),
    "cruise, turning and climbing": (CRUISE, state(32, 36, 3e3, 100, 130, 8, 0.02), 600.0),
}


def drag_shape(mach):
    """Drag over that at twice the speed of sound: from 0.62 a smooth step on to 0.46 + 1.08 / Mach."""
    step = np.clip((mach - 0.75) / 0.4, 0.0, 1.0)
    return 0.62 + (0.46 + 1.08 / max(mach, 0.5) - 0.62) * (3.0 * step**2 - 2.0 * step**3)


def derivative_twin(phase, s):
    """(7,) time derivative of a state, in NumPy."""
    p, v, parameter = s[:3], s[3:6], s[6]
    radius = np.linalg.norm(p)
    up = p / radius
    if phase == CRUISE:
        level = v - (v @ up) * up
        return np.concatenate([v, -(level @ level) / radius * up + parameter * np.cross(v, up), [0.0]])
    # J2 as the gradient of its potential term, U = -GM J2 a^2 (3 z^2 - r^2) / (2 r^5)
    k = 1.5 * J2 * GM * SEMI_MAJOR_M**2 / radius**4
    t = 5.0 * up[2] ** 2
    gravity = -GM / radius**2 * up - k * up * np.array([1.0 - t, 1.0 - t, 3.0 - t])
    turning = -np.cross(OMEGA, np.cross(OMEGA, p)) - 2.0 * np.cross(OMEGA, v)
    speed = np.linalg.norm(v)
    rate = 0.0
    if phase == BOOST:
        force = parameter * v / math.hypot(speed, SLOW_MS)
        rate = parameter * abs(parameter) / EXHAUST_MS if abs(parameter) < GROWTH_LIMIT_MS2 else 0.0
    else:
        air = density_exponential(height_m(s)) * drag_shape(speed / sound_speed(height_m(s)))
        force = -0.5 * air * math.exp(parameter) * speed * v
    return np.concatenate([v, gravity + turning + force, [rate]])
