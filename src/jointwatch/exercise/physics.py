"""The truth's equations of motion: what really flies, in finer physics than any filter here assumes.

In: the states of n objects of one kind as one flat vector (position, velocity in ECEF, and mass; n * 7) and
a row of parameters for each; out: its derivative, for SciPy's DOP853.  Forces: gravity harmonics to degree
8, Coriolis and centrifugal, drag with a Mach-dependent coefficient in the US Standard Atmosphere 1976 and in
wind, and a motor whose specific thrust grows as mass burns off.  All objects of a kind go in one
integration.

Powered time runs from 0 to 1 for every object whatever its burn time, so that the steps of the steering
(rise, kick, follow) fall on the same instants and the solver's high order is not spoilt by jumps.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import EARTH_RATE, height_above_ellipsoid
from jointwatch.earth.harmonics import gravity_harmonic
from jointwatch.exercise.atmosphere76 import jet_wind, standard_atmosphere

Floats = NDArray[np.float64]

# Columns of the parameter rows.
AREA = 0  # reference area, m^2
FLOW = 1  # mass flow, kg/s
EXHAUST = 2  # effective exhaust velocity in vacuum, m/s
BACK_PRESSURE = 3  # share of thrust lost at sea-level pressure
BURN = 4  # burn time, s: length of powered time
DRAG_SCALE = 5  # factor on the drag coefficient
WIND_EAST, WIND_NORTH = 6, 7  # constant part of the wind, m/s
ALONG = 8  # 8..10: horizontal unit vector along the launch azimuth, ECEF
UP = 11  # 11..13: vertical at the launch point, ECEF
STEERING = 14  # 0: follow the velocity; 1: rise, kick, then follow it; 2: pitch programme
KICK = 15  # steering 1: angle of the kick from the vertical, rad
PITCH = (
    16  # 16..19 steering 2: knots of the pitch above the launch horizon, rad, at shares PITCH_AT of the burn
)
COLUMNS = 20

RISE, KICK_END = 0.04, 0.18
"""Steering 1: shares of the burn spent rising straight up, and up to the end of the kick."""

# Drag coefficient over Mach number: a slender body with a blunt base, generic.
_MACH = np.array([0.0, 0.8, 1.05, 1.2, 2.0, 3.0, 5.0, 8.0, 30.0])
_CD = np.array([0.30, 0.30, 0.50, 0.50, 0.38, 0.30, 0.24, 0.21, 0.20])


@njit(cache=True)
def drag_coefficient(mach: float) -> float:
    """Generic drag coefficient at a Mach number, on the reference area."""
    i = 0
    while i < _MACH.size - 2 and mach > _MACH[i + 1]:
        i += 1
    f = min((mach - _MACH[i]) / (_MACH[i + 1] - _MACH[i]), 1.0)
    cd: float = _CD[i] + f * (_CD[i + 1] - _CD[i])
    return cd


@njit(cache=True)
def derivative(
    tau: float,
    y: Floats,
    parameters: Floats,
    powered: bool,
    c: Floats,
    s: Floats,
    gm: float,
    radius: float,
) -> Floats:
    """Derivative of the flat (n * 7) state: by powered time (share of the burn) or, unpowered, by seconds.

    parameters: (n, COLUMNS); c, s, gm, radius: the gravity field (`earth.harmonics`).  SI units, ECEF.
    """
    out = np.empty(y.size)
    for k in range(parameters.shape[0]):
        p = parameters[k]
        o = 7 * k
        x, yy, z = y[o], y[o + 1], y[o + 2]
        vx, vy, vz = y[o + 3], y[o + 4], y[o + 5]
        mass = y[o + 6]
        gx, gy, gz = gravity_harmonic(x, yy, z, c, s, gm, radius)
        w = EARTH_RATE
        ax = gx + w * w * x + 2.0 * w * vy
        ay = gy + w * w * yy - 2.0 * w * vx
        az = gz
        height = height_above_ellipsoid(x, yy, z)
        density, pressure, sound = standard_atmosphere(height)
        # wind in east and north of the place, spherical north: the wind is not known to a mrad
        q = math.sqrt(x * x + yy * yy)
        r = math.sqrt(q * q + z * z)
        ex, ey = -yy / q, x / q
        east, north = p[WIND_EAST] + jet_wind(height), p[WIND_NORTH]
        nx, ny, nz = -z * x / (q * r), -z * yy / (q * r), q / r
        ux, uy, uz = vx - east * ex - north * nx, vy - east * ey - north * ny, vz - north * nz
        speed = math.sqrt(ux * ux + uy * uy + uz * uz)
        drag = 0.5 * density * speed * drag_coefficient(speed / sound) * p[DRAG_SCALE] * p[AREA] / mass
        ax -= drag * ux
        ay -= drag * uy
        az -= drag * uz
        scale = 1.0
        flow = 0.0
        if powered:
            scale = p[BURN]
            flow = p[FLOW]
            push = flow * p[EXHAUST] * (1.0 - p[BACK_PRESSURE] * pressure / 101325.0) / mass
            if p[STEERING] == 2.0:
                f = min(max(tau, 0.0), 1.0) * 3.0
                i = min(int(f), 2)
                angle = p[PITCH + i] + (f - i) * (p[PITCH + i + 1] - p[PITCH + i])
                a, b = math.cos(angle), math.sin(angle)
            elif p[STEERING] == 1.0 and tau < KICK_END:
                angle = p[KICK] if tau >= RISE else 0.0
                a, b = math.sin(angle), math.cos(angle)
            else:
                a, b = 0.0, 0.0
            if a == 0.0 and b == 0.0:
                # held against the wind by spin or by its programme: along the Earth-fixed velocity
                ground = math.sqrt(vx * vx + vy * vy + vz * vz)
                ax += push * vx / ground
                ay += push * vy / ground
                az += push * vz / ground
            else:
                ax += push * (a * p[ALONG] + b * p[UP])
                ay += push * (a * p[ALONG + 1] + b * p[UP + 1])
                az += push * (a * p[ALONG + 2] + b * p[UP + 2])
        out[o], out[o + 1], out[o + 2] = vx * scale, vy * scale, vz * scale
        out[o + 3], out[o + 4], out[o + 5] = ax * scale, ay * scale, az * scale
        out[o + 6] = -flow * scale
    return out
