"""Ballistic flight by the hundred: where falls end, to a metre or three, at a fifth of the integrator's cost.

In: a state (ballistic convention of `motion.phases`); out: where and when it meets the ground, or where it
was some seconds before.  The forces are those of `motion.propagate`.  What is saved: the height at which the
air's density is asked comes of one root, above AIRLESS_M there is none, a stride is as long as its own error
allows, and the ground is found on the last stride's cubic (Hermite), which one more stride makes sure of.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.atmosphere import density_exponential, sound_speed
from jointwatch.earth.frames import EARTH_RATE, ECCENTRICITY2, FLATTENING, SEMI_MAJOR_M
from jointwatch.earth.gravity import GM, J2
from jointwatch.kernel import leaf
from jointwatch.motion.drag import drag_of, drag_rise
from jointwatch.motion.phases import N
from jointwatch.motion.propagate import AIR_M, FALL_MS2, fall

AIRLESS_M = 200e3
"""Above this what air there is moves a fall by centimetres."""
LONGEST_S, INTO_AIR_S = 40.0, 12.0
"""Longest strides: above the air, and where one may end in it."""
SHORTEST_S = 0.02
"""A shorter stride is never needed for the integrator to be stable (`motion.drag.MOST_LOG_DRAG`)."""
SCALE_M = 7200.0
"""Height over which air thins out by e, about."""
COARSE = 3.0
"""What begins below the ground is left to `motion.propagate.fall`, with steps so much longer than its own."""
NOT_DOWN = -1.0
"""What `descend` returns for an object that does not come down."""
_Q = 1.5 * J2 * GM * SEMI_MAJOR_M * SEMI_MAJOR_M
_AIRLESS2 = (SEMI_MAJOR_M + AIRLESS_M) ** 2
_POLAR_M = SEMI_MAJOR_M * (1.0 - FLATTENING)


@leaf
def height_near(x: float, y: float, z: float) -> float:
    """Height (m) above the ellipsoid of an ECEF point, to 0.1 m below AIRLESS_M: from its distance."""
    r2 = x * x + y * y + z * z
    s = z * z / r2
    over = math.sqrt(r2) - _POLAR_M / math.sqrt(1.0 - ECCENTRICITY2 * (1.0 - s))
    # the normal leans by f sin 2 phi from the line to the middle
    return over * (1.0 - 2.0 * FLATTENING * FLATTENING * s * (1.0 - s))


@leaf
def _pull(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, half_drag: float
) -> tuple[float, float, float]:
    """Acceleration (m/s^2); half_drag: half a drag parameter (m^2/kg)."""
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    inverse2 = 1.0 / r2
    k = GM * inverse2 / r
    q = _Q * inverse2 * inverse2 / r
    s = z * z * inverse2
    across = q * (5.0 * s - 1.0) - k
    w = EARTH_RATE
    ax = x * (across + w * w) + 2.0 * w * vy
    ay = y * (across + w * w) - 2.0 * w * vx
    az = z * (across - 2.0 * q)
    if r2 < _AIRLESS2:
        over = r - _POLAR_M / math.sqrt(1.0 - ECCENTRICITY2 * (1.0 - s))
        height = over * (1.0 - 2.0 * FLATTENING * FLATTENING * s * (1.0 - s))
        speed = math.sqrt(vx * vx + vy * vy + vz * vz)
        d = -half_drag * density_exponential(height) * drag_rise(speed / sound_speed(height)) * speed
        ax, ay, az = ax + d * vx, ay + d * vy, az + d * vz
    return ax, ay, az


@leaf
def stride(s: NDArray[np.float64], h: float, half_drag: float) -> None:
    """One classical Runge-Kutta step of s (7,) by h seconds, in place; half_drag: half its drag (m^2/kg)."""
    x, y, z, vx, vy, vz = s[0], s[1], s[2], s[3], s[4], s[5]
    half = 0.5 * h
    ax, ay, az = _pull(x, y, z, vx, vy, vz, half_drag)
    ux, uy, uz = vx + half * ax, vy + half * ay, vz + half * az
    bx, by, bz = _pull(x + half * vx, y + half * vy, z + half * vz, ux, uy, uz, half_drag)
    px, py, pz = vx + half * bx, vy + half * by, vz + half * bz
    cx, cy, cz = _pull(x + half * ux, y + half * uy, z + half * uz, px, py, pz, half_drag)
    qx, qy, qz = vx + h * cx, vy + h * cy, vz + h * cz
    dx, dy, dz = _pull(x + h * px, y + h * py, z + h * pz, qx, qy, qz, half_drag)
    part = h / 6.0
    s[0] = x + part * (vx + 2.0 * ux + 2.0 * px + qx)
    s[1] = y + part * (vy + 2.0 * uy + 2.0 * py + qy)
    s[2] = z + part * (vz + 2.0 * uz + 2.0 * pz + qz)
    s[3] = vx + part * (ax + 2.0 * bx + 2.0 * cx + dx)
    s[4] = vy + part * (ay + 2.0 * by + 2.0 * cy + dy)
    s[5] = vz + part * (az + 2.0 * bz + 2.0 * cz + dz)


@leaf
def climb_of(s: NDArray[np.float64]) -> float:
    """Rate at which height above the ellipsoid grows, to 0.3 m/s below AIRLESS_M."""
    zz = s[2] / (1.0 - ECCENTRICITY2)
    up = math.sqrt(s[0] * s[0] + s[1] * s[1] + zz * zz)
    return float((s[0] * s[3] + s[1] * s[4] + zz * s[5]) / up)


@leaf
def stride_length(height: float, climb: float, speed: float, drag: float) -> float:
    """How long a stride may be (s), by height (m), climb and speed (m/s) and drag parameter (m^2/kg)."""
    sink = abs(climb)
    if height > AIR_M:
        over = height - AIR_M
        until = 2.0 * over / (sink + math.sqrt(sink * sink + 2.0 * FALL_MS2 * over))
        return min(max(until, INTO_AIR_S), LONGEST_S)
    k = 0.6 * math.exp(-height / SCALE_M) * drag + 1e-15
    pull = k * speed * speed
    # the less the air does, the more of it one stride may cross; what slows down fast, it must follow
    scales = min(0.35 + 0.4 / math.sqrt(math.sqrt(pull + 1e-3)), 2.5)
    h = scales * SCALE_M / (sink + 50.0)
    h = min(h, 0.2 / (k * speed + math.sqrt(k * k * speed * speed + 0.4 * k * FALL_MS2)))
    return min(max(h, SHORTEST_S), INTO_AIR_S)


@njit(cache=True)
def descend(s: NDArray[np.float64], ground_m: float, longest_s: float) -> float:
    """Let s (7,) fall, in place, until its height is ground_m, as `motion.propagate.fall` does; its time (s).

    NOT_DOWN if it is not down within longest_s; another negative time is one just past.
    """
    height = height_near(s[0], s[1], s[2])
    if not height > ground_m:
        return float(fall(s, ground_m, longest_s, COARSE))
    drag = drag_of(s[6])
    before = np.empty(N)
    climb = climb_of(s)
    elapsed = 0.0
    while elapsed < longest_s:
        speed = math.sqrt(s[3] * s[3] + s[4] * s[4] + s[5] * s[5])
        h = stride_length(height, climb, speed, drag)
        for i in range(N):
            before[i] = s[i]
        stride(s, h, 0.5 * drag)
        now, rate = height_near(s[0], s[1], s[2]), climb_of(s)
        if now <= ground_m:
            part = h * _crossing(height - ground_m, h * climb, now - ground_m, h * rate)
            for i in range(N):
                s[i] = before[i]
            stride(s, part, 0.5 * drag)
            # what the cubic left is made up along the velocity
            left = (ground_m - height_near(s[0], s[1], s[2])) / climb_of(s)
            for i in range(3):
                s[i] += left * s[3 + i]
            return elapsed + part + left
        elapsed += h
        height, climb = now, rate
    return NOT_DOWN


@njit(cache=True)
def retrace(s: NDArray[np.float64], span_s: float) -> None:
    """Take s (7,), in place, back to where it was span_s seconds (above 0) ago."""
    drag, left = drag_of(s[6]), span_s
    while left > 0.0:
        speed = math.sqrt(s[3] * s[3] + s[4] * s[4] + s[5] * s[5])
        h = min(left, stride_length(height_near(s[0], s[1], s[2]), climb_of(s), speed, drag))
        stride(s, -h, 0.5 * drag)
        left -= h


@leaf
def _crossing(a: float, slope_a: float, b: float, slope_b: float) -> float:
    """Where (0 to 1) the cubic through a > 0 and b <= 0 with these slopes is zero: by halving and Newton."""
    low, high, t = 0.0, 1.0, a / (a - b)
    for _ in range(40):
        u = 1.0 - t
        value = u * u * ((1.0 + 2.0 * t) * a + t * slope_a) + t * t * ((3.0 - 2.0 * t) * b - u * slope_b)
        if abs(value) < 1e-3:
            break
        if value > 0.0:
            low = t
        else:
            high = t
        slope = 6.0 * t * u * (b - a) + u * (1.0 - 3.0 * t) * slope_a + t * (3.0 * t - 2.0) * slope_b
        step = t - value / slope if slope < 0.0 else 2.0
        t = step if low < step < high else 0.5 * (low + high)
    return t
