"""Motions in a flat frame, x east, y north, z up: what textbooks state their problems in.

In: a state of seven (position, velocity, one parameter) and a span; out: the state then and its transition
matrix, in closed form or by the step that the paper prescribes.  They stand beside the flight phases of
`motion.phases` and run through the same filter, so that it can be judged on problems whose answers are known.
    LEVEL      nearly constant velocity
    FLAT       constant gravity along -z
    DRAG_KNOWN re-entry in the plane x, y with known ballistic coefficient, the parameter (kg / (m s^2))
               (Farina, Ristic & Benvenuti, IEEE TAES 38(3), 2002: one explicit step)
    DRAG_POLAR re-entry in the plane x, y about the Earth's centre in km, drag's log the parameter
               (Julier & Uhlmann, Proc. IEEE 92(3), 2004, corrected)
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

LEVEL, FLAT, DRAG_KNOWN, DRAG_POLAR = 3, 4, 5, 6
"""Kinds of motion; 0 to 2 are the flight phases."""
GRAVITY_MS2 = 9.80665
"""Standard gravity, of FLAT."""
FARINA_GRAVITY_MS2 = 9.81
FARINA_LOW_M = 9144.0
POLAR_DRAG, POLAR_SCALE_KM, POLAR_GM, POLAR_RADIUS_KM = -0.59783, 13.406, 3.986e5, 6374.0


@njit(cache=True)
def plane_transition(kind: int, s: NDArray[np.float64], dt: float, phi: NDArray[np.float64]) -> None:
    """Move s (7,) by dt seconds in place and fill phi (7, 7) with d s(after) / d s(before)."""
    for i in range(7):
        for j in range(7):
            phi[i, j] = 1.0 if i == j else 0.0
    for i in range(3):
        phi[i, 3 + i] = dt
    if kind == DRAG_KNOWN:
        _drag_known(s, dt, phi)
        return
    if kind == DRAG_POLAR:
        _drag_polar(s, dt, phi)
        return
    for i in range(3):
        s[i] += s[3 + i] * dt
    if kind == FLAT:
        s[2] -= 0.5 * GRAVITY_MS2 * dt * dt
        s[5] -= GRAVITY_MS2 * dt


@njit(cache=True)
def _drag_known(s: NDArray[np.float64], dt: float, phi: NDArray[np.float64]) -> None:
    """x' = F x + G f(x) + G (0, -g) with f = -g rho(y) |v| v / (2 beta), G = (T^2 / 2, T) on each axis."""
    top, rate = (1.227, 1.093e-4) if s[1] < FARINA_LOW_M else (1.754, 1.49e-4)
    vx, vy = s[3], s[4]
    speed = math.hypot(vx, vy) + 1e-12
    k = -0.5 * FARINA_GRAVITY_MS2 / s[6] * top * math.exp(-rate * s[1])
    fx, fy = k * speed * vx, k * speed * vy
    # derivatives of (fx, fy) with respect to y, vx, vy and the parameter
    gx = (-rate * fx, k * (speed + vx * vx / speed), k * vx * vy / speed, -fx / s[6])
    gy = (-rate * fy, k * vx * vy / speed, k * (speed + vy * vy / speed), -fy / s[6])
    half = 0.5 * dt * dt
    columns = (1, 3, 4, 6)
    for c in range(4):
        phi[0, columns[c]] += half * gx[c]
        phi[3, columns[c]] += dt * gx[c]
        phi[1, columns[c]] += half * gy[c]
        phi[4, columns[c]] += dt * gy[c]
    s[0] += dt * vx + half * fx
    s[1] += dt * vy + half * (fy - FARINA_GRAVITY_MS2)
    s[3] += dt * fx
    s[4] += dt * (fy - FARINA_GRAVITY_MS2)


@njit(cache=True)
def _drag_polar(s: NDArray[np.float64], dt: float, phi: NDArray[np.float64]) -> None:
    """Second-order step of a = D v + G p, D = b0 exp(b) exp((R0 - R) / H0) V, G = -GM / R^3 (km, s)."""
    x, y, vx, vy = s[0], s[1], s[3], s[4]
    r, v = math.hypot(x, y), math.hypot(vx, vy)
    d = POLAR_DRAG * math.exp(s[6]) * math.exp((POLAR_RADIUS_KM - r) / POLAR_SCALE_KM) * v
    g = -POLAR_GM / (r * r * r)
    a = np.zeros((5, 5))  # of (x, y, vx, vy, b)
    a[0, 2], a[1, 3] = 1.0, 1.0
    p, w = (x, y), (vx, vy)
    for i in range(2):
        for j in range(2):
            a[2 + i, j] = -d / POLAR_SCALE_KM * p[j] / r * w[i] - 3.0 * g * p[i] * p[j] / (r * r)
            a[2 + i, 2 + j] = d * w[i] * w[j] / (v * v)
        a[2 + i, i] += g
        a[2 + i, 2 + i] += d
        a[2 + i, 4] = d * w[i]
    rate = (vx, vy, d * vx + g * x, d * vy + g * y, 0.0)
    at = (0, 1, 3, 4, 6)
    for i in range(5):
        change = dt * rate[i]
        for j in range(5):
            change += 0.5 * dt * dt * a[i, j] * rate[j]
            total = dt * a[i, j]
            for k in range(5):
                total += 0.5 * dt * dt * a[i, k] * a[k, j]
            phi[at[i], at[j]] = total + (1.0 if i == j else 0.0)
        s[at[i]] += change
