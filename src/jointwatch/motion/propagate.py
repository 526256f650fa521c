"""Moving a state with time: one Runge-Kutta step, a prediction with covariance, and the fall to the ground.

In: a seven-element state (see `motion.phases`) and a span in seconds; out: the state then, its transition
matrix or the place where it reaches the ground.  The step is bounded by how fast the air changes about
the object, so a coast above the air takes few steps and a re-entry many.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import EARTH_RATE, SEMI_MAJOR_M, height_above_ellipsoid, is_higher
from jointwatch.earth.gravity import GM, gravity_j2, gravity_j2_gradient
from jointwatch.kernel import leaf, limb
from jointwatch.motion.drag import drag_of
from jointwatch.motion.phases import (
    BALLISTIC,
    BALLISTIC_ACCELERATION,
    BOOST,
    CRUISE,
    EXHAUST_MS,
    SLOW_MS,
    N,
    acceleration_noise,
    jacobian,
    rates,
)
from jointwatch.motion.plane import plane_transition

LONGEST_STEP_S = 5.0
SHORTEST_STEP_S = 0.02
FALL_MS2 = 10.0
"""What at least makes a slow object fast."""
DEEP_M = 6.0e6
"""Nearer to the Earth's middle than this nothing moves: a prediction through the ground would meet gravity
without bound."""
AIR_M = 110e3
"""Above this height drag changes too little to bound the step."""


@njit(cache=True)
def _step(phase: int, s: NDArray[np.float64], h: float) -> None:
    """One classical Runge-Kutta step of h seconds, in place."""
    x, y, z, vx, vy, vz, p = s[0], s[1], s[2], s[3], s[4], s[5], s[6]
    half = 0.5 * h
    ax, ay, az, q = rates(phase, x, y, z, vx, vy, vz, p)
    vx2, vy2, vz2 = vx + half * ax, vy + half * ay, vz + half * az
    ax2, ay2, az2, q2 = rates(phase, x + half * vx, y + half * vy, z + half * vz, vx2, vy2, vz2, p + half * q)
    vx3, vy3, vz3 = vx + half * ax2, vy + half * ay2, vz + half * az2
    ax3, ay3, az3, q3 = rates(
        phase, x + half * vx2, y + half * vy2, z + half * vz2, vx3, vy3, vz3, p + half * q2
    )
    vx4, vy4, vz4 = vx + h * ax3, vy + h * ay3, vz + h * az3
    ax4, ay4, az4, q4 = rates(phase, x + h * vx3, y + h * vy3, z + h * vz3, vx4, vy4, vz4, p + h * q3)
    part = h / 6.0
    s[0] = x + part * (vx + 2.0 * vx2 + 2.0 * vx3 + vx4)
    s[1] = y + part * (vy + 2.0 * vy2 + 2.0 * vy3 + vy4)
    s[2] = z + part * (vz + 2.0 * vz2 + 2.0 * vz3 + vz4)
    s[3] = vx + part * (ax + 2.0 * ax2 + 2.0 * ax3 + ax4)
    s[4] = vy + part * (ay + 2.0 * ay2 + 2.0 * ay3 + ay4)
    s[5] = vz + part * (az + 2.0 * az2 + 2.0 * az3 + az4)
    s[6] = p + part * (q + 2.0 * q2 + 2.0 * q3 + q4)


@njit(cache=True)
def _is_deep(s: NDArray[np.float64]) -> bool:
    return bool(s[0] * s[0] + s[1] * s[1] + s[2] * s[2] < DEEP_M * DEEP_M)


@njit(cache=True)
def step_length(phase: int, s: NDArray[np.float64]) -> float:
    """Longest step (s) that keeps the integrator's error far below a metre at state s."""
    if phase == CRUISE:
        return LONGEST_STEP_S
    speed = math.sqrt(s[3] * s[3] + s[4] * s[4] + s[5] * s[5])
    if phase == BOOST:
        # thrust turns with the velocity and grows with the mass burnt: a part of the time that either takes
        h = 0.06 * min(math.sqrt(speed * speed + SLOW_MS * SLOW_MS), EXHAUST_MS) / (abs(s[6]) + 1e-9)
        return float(min(max(h, SHORTEST_STEP_S), LONGEST_STEP_S))
    height = height_above_ellipsoid(s[0], s[1], s[2])
    if height > AIR_M:
        return LONGEST_STEP_S
    r = math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
    sink = abs(s[0] * s[3] + s[1] * s[4] + s[2] * s[5]) / r
    h = 1200.0 / (sink + 50.0)  # a sixth of a scale height of air
    # drag / speed^2, 1/m; what is slow now may be fast before the step is over: h k (v + g h) = 0.035
    k = 0.6 * math.exp(-height / 7200.0) * drag_of(s[6]) + 1e-15
    h = min(h, 0.07 / (k * speed + math.sqrt(k * k * speed * speed + 0.14 * k * FALL_MS2)))
    return float(min(max(h, SHORTEST_STEP_S), LONGEST_STEP_S))


@njit(cache=True)
def propagate(phase: int, s: NDArray[np.float64], span_s: float) -> None:
    """Move state s (7,) by span_s seconds (either sign) in place; within 0.1 m of DOP853 over 600 s."""
    left = abs(span_s)
    sign = 1.0 if span_s >= 0.0 else -1.0
    while left > 0.0 and not _is_deep(s):
        h = min(left, step_length(phase, s))
        _step(phase, s, sign * h)
        left -= h


@njit(cache=True)
def transition(phase: int, s: NDArray[np.float64], span_s: float, phi: NDArray[np.float64]) -> None:
    """Move s (7,) by span_s seconds in place and fill phi (7, 7) with d s(after) / d s(before).

    Second-order expansion of the linearised equations about each step's midpoint.
    """
    f, once, twice = np.empty((N, N)), np.empty((N, N)), np.empty((N, N))
    m = np.empty(N)
    left, first = span_s, True
    while left > 0.0 and not _is_deep(s):
        h = min(left, step_length(phase, s))
        for i in range(N):
            m[i] = s[i]
        _step(phase, s, h)
        for i in range(N):
            m[i] = 0.5 * (m[i] + s[i])
        jacobian(phase, m, f)
        if first:
            # what is before the first step is one: F and F F, where F only lets velocities move places
            _rates(f, f, twice)
            for i in range(N):
                for j in range(N):
                    phi[i, j] = h * f[i, j] + 0.5 * h * h * twice[i, j]
                phi[i, i] += 1.0
        else:
            _rates(f, phi, once)
            _rates(f, once, twice)
            for i in range(N):
                for j in range(N):
                    phi[i, j] += h * once[i, j] + 0.5 * h * h * twice[i, j]
        first = False
        left -= h
    if first:
        for i in range(N):
            for j in range(N):
                phi[i, j] = 1.0 if i == j else 0.0


@njit(cache=True)
def _rates(f: NDArray[np.float64], x: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Fill out (7, 7) with F X: positions change by velocities, the parameter by itself alone."""
    for i in range(3):
        for j in range(N):
            out[i, j] = x[3 + i, j]
    for i in range(3, 6):
        f0, f1, f2, f3, f4, f5, f6 = f[i, 0], f[i, 1], f[i, 2], f[i, 3], f[i, 4], f[i, 5], f[i, 6]
        for j in range(N):
            out[i, j] = (
                f0 * x[0, j] + f1 * x[1, j] + f2 * x[2, j] + f3 * x[3, j] + f4 * x[4, j] + f5 * x[5, j]
                + f6 * x[6, j]
            )  # fmt: skip
    for j in range(N):
        out[6, j] = f[6, 6] * x[6, j]


@njit(cache=True)
def predict(phase: int, s: NDArray[np.float64], p: NDArray[np.float64], span_s: float) -> None:
    """Predict mean s (7,) and covariance p (7, 7) by span_s seconds, in place, in a flight phase."""
    predict_motion(phase, s, p, span_s, 0.0, 0.0, 3)


# No argument has a default: a call from Python that leaves one out takes a third of a millisecond.
@leaf
def predict_motion(
    kind: int,
    s: NDArray[np.float64],
    p: NDArray[np.float64],
    span_s: float,
    noise: float,
    walk: float,
    axes: int,
) -> None:
    """Predict mean s (7,) and covariance p (7, 7) by span_s seconds, in place: P = Phi P Phi' + Q.

    kind: a flight phase, or a motion of `motion.plane`.  Q is white acceleration integrated over the span and
    a random walk of the parameter: a flight phase knows its own; of a motion in the plane they are `noise`
    (m^2/s^3 per axis, on the first `axes`) and `walk` (unit^2/s).
    """
    if span_s <= 0.0:
        return
    if kind == BALLISTIC:
        while span_s > 0.0 and is_higher(s[0], s[1], s[2], AIR_M):
            h = min(span_s, LONGEST_STEP_S)
            coast(s, p, h)
            span_s -= h
        if span_s <= 0.0:
            return
    _predict_in_general(kind, s, p, span_s, noise, walk, axes)


@limb
def _predict_in_general(
    kind: int,
    s: NDArray[np.float64],
    p: NDArray[np.float64],
    span_s: float,
    noise: float,
    walk: float,
    axes: int,
) -> None:
    """`predict_motion` by the transition along the path."""
    phi = np.empty((N, N))
    t = np.empty((N, N))
    if kind <= CRUISE:
        q, walk = acceleration_noise(kind, s)
        transition(kind, s, span_s, phi)
        q2, walk2 = acceleration_noise(kind, s)
        q, walk = 0.5 * (q + q2), 0.5 * (walk + walk2)
    else:
        q = noise
        plane_transition(kind, s, span_s, phi)
    # written out: at this size a loop costs as much as what it adds up
    for i in range(N):
        a, b, c, d, e, f, g = phi[i, 0], phi[i, 1], phi[i, 2], phi[i, 3], phi[i, 4], phi[i, 5], phi[i, 6]
        for j in range(N):
            t[i, j] = (
                a * p[0, j]
                + b * p[1, j]
                + c * p[2, j]
                + d * p[3, j]
                + e * p[4, j]
                + f * p[5, j]
                + g * p[6, j]
            )
    for i in range(N):
        a, b, c, d, e, f, g = t[i, 0], t[i, 1], t[i, 2], t[i, 3], t[i, 4], t[i, 5], t[i, 6]
        for j in range(i, N):
            total = (
                a * phi[j, 0] + b * phi[j, 1] + c * phi[j, 2] + d * phi[j, 3] + e * phi[j, 4] + f * phi[j, 5]
                + g * phi[j, 6]
            )  # fmt: skip
            p[i, j] = total
            p[j, i] = total
    for i in range(axes):
        p[i, i] += q * span_s * span_s * span_s / 3.0
        p[i, 3 + i] += q * span_s * span_s / 2.0
        p[3 + i, i] += q * span_s * span_s / 2.0
        p[3 + i, 3 + i] += q * span_s
    p[6, 6] += walk * span_s


@leaf
def _coasted(
    h: float,
    w: float,
    gradient: tuple[float, float, float, float, float, float],
    x: float,
    y: float,
    z: float,
    vx: float,
    vy: float,
    vz: float,
) -> tuple[float, float, float, float, float, float]:
    """Phi times a vector; gradient: xx, yy, zz, xy, xz, yz, with the centrifugal part."""
    fxx, fyy, fzz, fxy, fxz, fyz = gradient
    ax, ay, az = fxx * x + fxy * y + fxz * z, fxy * x + fyy * y + fyz * z, fxz * x + fyz * y + fzz * z
    bx, by, bz = (
        fxx * vx + fxy * vy + fxz * vz,
        fxy * vx + fyy * vy + fyz * vz,
        fxz * vx + fyz * vy + fzz * vz,
    )
    k, turn = 0.5 * h * h, 2.0 * w
    level = 1.0 - k * turn * turn
    return (
        x + k * ax + h * vx + k * turn * vy,
        y + k * ay + h * vy - k * turn * vx,
        z + k * az + h * vz,
        h * ax + k * turn * ay + level * vx + h * turn * vy + k * bx,
        h * ay - k * turn * ax + level * vy - h * turn * vx + k * by,
        h * az + vz + k * bz,
    )


@leaf
def coast(s: NDArray[np.float64], p: NDArray[np.float64], h: float) -> None:
    """`predict` of a coast above the air, in one step of h seconds: what nearly all prediction is.

    Drag is what it was when the step began, and too little to tell its parameter.  A step of Nystrom's for
    the mean (Hairer, Norsett & Wanner, "Solving ODEs I", II.14); Phi = I + h F + h^2 F F / 2 about its
    middle, written out: only gravity's gradient and the Earth's turning are in F.
    """
    w = EARTH_RATE
    x, y, z, vx, vy, vz = s[0], s[1], s[2], s[3], s[4], s[5]
    half = 0.5 * h
    ax, ay, az, _ = rates(BALLISTIC, x, y, z, vx, vy, vz, s[6])
    gx, gy, gz = gravity_j2(x, y, z)
    # drag alone
    dx, dy, dz = ax - gx - w * w * x - 2.0 * w * vy, ay - gy - w * w * y + 2.0 * w * vx, az - gz
    mx, my, mz = (
        x + half * (vx + 0.25 * h * ax),
        y + half * (vy + 0.25 * h * ay),
        z + half * (vz + 0.25 * h * az),
    )
    gx, gy, gz = gravity_j2(mx, my, mz)
    bx = gx + w * w * mx + 2.0 * w * (vy + half * ay) + dx
    by = gy + w * w * my - 2.0 * w * (vx + half * ax) + dy
    bz = gz + dz
    ex, ey, ez = x + h * (vx + half * bx), y + h * (vy + half * by), z + h * (vz + half * bz)
    gx, gy, gz = gravity_j2(ex, ey, ez)
    cx = gx + w * w * ex + 2.0 * w * (vy + h * by) + dx
    cy = gy + w * w * ey - 2.0 * w * (vx + h * bx) + dy
    cz = gz + dz
    part = h / 6.0
    s[0] = x + h * (vx + part * (ax + 2.0 * bx))
    s[1] = y + h * (vy + part * (ay + 2.0 * by))
    s[2] = z + h * (vz + part * (az + 2.0 * bz))
    s[3] = vx + part * (ax + 4.0 * bx + cx)
    s[4] = vy + part * (ay + 4.0 * by + cy)
    s[5] = vz + part * (az + 4.0 * bz + cz)
    fxx, fyy, fzz, fxy, fxz, fyz = gravity_j2_gradient(mx, my, mz)
    fxx, fyy = fxx + w * w, fyy + w * w
    for j in range(N):  # Phi P
        p[0, j], p[1, j], p[2, j], p[3, j], p[4, j], p[5, j] = _coasted(
            h, w, (fxx, fyy, fzz, fxy, fxz, fyz), p[0, j], p[1, j], p[2, j], p[3, j], p[4, j], p[5, j]
        )
    for i in range(N):  # (Phi P) Phi'
        p[i, 0], p[i, 1], p[i, 2], p[i, 3], p[i, 4], p[i, 5] = _coasted(
            h, w, (fxx, fyy, fzz, fxy, fxz, fyz), p[i, 0], p[i, 1], p[i, 2], p[i, 3], p[i, 4], p[i, 5]
        )
    for i in range(N):
        for j in range(i + 1, N):
            mean = 0.5 * (p[i, j] + p[j, i])
            p[i, j] = mean
            p[j, i] = mean
    q = BALLISTIC_ACCELERATION
    for i in range(3):
        p[i, i] += q * h * h * h / 3.0
        p[i, 3 + i] += q * half * h
        p[3 + i, i] += q * half * h
        p[3 + i, 3 + i] += q * h


@njit(cache=True)
def _climb(s: NDArray[np.float64]) -> float:
    """Sign-bearing rate of climb times radius (m^2/s): positive where the object gains height."""
    return float(s[0] * s[3] + s[1] * s[4] + s[2] * s[5])


@njit(cache=True)
def fall(s: NDArray[np.float64], ground_m: float, longest_s: float, coarse: float = 1.0) -> float:
    """Let s (7,) fall ballistically, in place, until its height is ground_m; return the time it takes (s).

    -1 if it is not down within longest_s (it orbits, or climbs beyond reach).  An object that starts below
    ground_m and sinks is taken back to where it came through, and the time is negative; one that climbs is
    on its way up and falls later; one below that never was above is down where it is: 0.
    coarse: factor on the length of the steps (3 is good to metres, at a third of the cost).
    """
    start = s.copy()
    before = np.empty(N)
    over = height_above_ellipsoid(s[0], s[1], s[2]) - ground_m
    sign = -1.0 if over < 0.0 and _climb(s) < 0.0 else 1.0
    elapsed = 0.0
    while abs(elapsed) < longest_s:
        h = step_length(BALLISTIC, s)
        # the shortest step is so for the integrator's stability
        h *= sign if h <= SHORTEST_STEP_S else sign * coarse
        for i in range(N):
            before[i] = s[i]
        _step(BALLISTIC, s, h)
        now = height_above_ellipsoid(s[0], s[1], s[2]) - ground_m
        if over <= 0.0 and now <= 0.0 and sign * _climb(s) <= 0.0:
            s[:] = start
            return 0.0
        if (sign > 0.0 and over > 0.0 and now <= 0.0) or (sign < 0.0 and now >= 0.0):
            return elapsed + _land(s, before, h, over, now, ground_m)
        elapsed += h
        over = now
    return -1.0


@njit(cache=True)
def _land(
    s: NDArray[np.float64],
    before: NDArray[np.float64],
    h: float,
    over: float,
    now: float,
    ground_m: float,
) -> float:
    """Set s to where the step of h seconds from `before` meets the ground; the part of h that it took (s).

    over, now: heights above the ground before and after.  Illinois regula falsi: it stays between.
    """
    early, late, part = 0.0, h, h
    for _ in range(30):
        if abs(now - over) < 1e-12:
            break
        part = early + (late - early) * over / (over - now)
        s[:] = before
        _step(BALLISTIC, s, part)
        height = height_above_ellipsoid(s[0], s[1], s[2]) - ground_m
        if abs(height) < 0.01:
            break
        if (height > 0.0) == (over > 0.0):
            early, over = part, height
            now *= 0.5
        else:
            late, now = part, height
            over *= 0.5
    return part


@njit(cache=True)
def perigee_m(s: NDArray[np.float64]) -> float:
    """Height (m, above the equatorial radius) of the perigee of the orbit that state s is on, air left out.

    An object whose perigee is above the air has no impact point.
    """
    w, gm = EARTH_RATE, GM
    vx, vy, vz = s[3] - w * s[1], s[4] + w * s[0], s[5]
    r = math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
    energy = 0.5 * (vx * vx + vy * vy + vz * vz) - gm / r
    hx, hy, hz = s[1] * vz - s[2] * vy, s[2] * vx - s[0] * vz, s[0] * vy - s[1] * vx
    h2 = hx * hx + hy * hy + hz * hz
    e2 = max(0.0, 1.0 + 2.0 * energy * h2 / (gm * gm))
    return float(h2 / gm / (1.0 + math.sqrt(e2)) - SEMI_MAJOR_M)
