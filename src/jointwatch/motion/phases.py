"""The three flight phases: their equations of motion, Jacobians and process noise.

A state is seven numbers: Earth-fixed position (m), velocity (m/s) and one parameter that only its phase
knows:
    BOOST      specific thrust a along the velocity (m/s^2); it grows as mass burns off, a' = a^2 / c
               (Li & Jilkov 2010, "Survey of maneuvering target tracking, Part II", sec. 2)
    BALLISTIC  natural log of the drag parameter (`motion.drag`); drag fades by itself above the air
    CRUISE     turn rate about the vertical (rad/s); lift holds the height against gravity
Boost and ballistic feel J2 gravity and the turning Earth (Coriolis, centrifugal); cruise is kinematic.
"""

from __future__ import annotations

import math
from typing import cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import EARTH_RATE, height_above_ellipsoid
from jointwatch.earth.gravity import gravity_j2, gravity_j2_gradient
from jointwatch.earth.wind import wind_rms
from jointwatch.motion.drag import MOST_LOG_DRAG, held_up, held_up_slopes

# NumPy's integers: a kernel that is called with a plain constant would be compiled anew for its value.
BOOST, BALLISTIC, CRUISE = cast("tuple[int, int, int]", tuple(np.arange(3)))
N = 7
"""Length of a state."""

EXHAUST_MS = 2400.0
"""Effective exhaust velocity c of a generic motor, m/s: how fast specific thrust grows."""
GROWTH_LIMIT_MS2 = 100.0
"""Specific thrust that grows no further: a' = a^2 / c alone would reach infinity in a minute or so."""
SLOW_MS = 100.0
"""Below about this speed the velocity does not tell where the thrust points; its effect is faded out."""

# The parameter's prior, where nothing has been seen of it yet: mean and standard deviation by phase.
PRIOR_MEAN = np.array([35.0, -8.6, 0.0])
PRIOR_SIGMA = np.array([20.0, 0.5, 0.02])

# Process noise: white acceleration (m^2/s^3) and random walk of the parameter (its unit squared per second).
BOOST_ACCELERATION = 40.0
BOOST_THRUST = 9.0
BACK_BURN_S = 1.0
"""A burn against the velocity turns it round under a thrust that keeps its own direction (a stage that flies
back), so none of that thrust can be trusted to lie along the velocity: its square, correlated so long."""
BALLISTIC_ACCELERATION = 1e-4
"""What pushes a body that coasts: vents and the last of a motor, some mm/s^2 for some seconds.  Gravity
beyond J2 is less (3e-4 m/s^2, that is 5e-5 m^2/s^3 were it white over a flight)."""
DRAG_SHARE = 0.02
"""Part of the drag that the model does not explain (attitude, shape), correlated for a second."""
WIND_LAYER_M, LEAST_CLIMB_MS = 4e3, 100.0
"""Height over which a wind that the model does not know stays the same (over the ground it does for hundreds
of kilometres), and how fast at least an object leaves such a layer: on top of its arc it still turns over."""
DRAG_WALK = 3.1e-4
"""How far a body's drag goes other ways than `motion.drag`, as a walk of its log (1/s): 9.6 % in half a
minute of dense air."""
CRUISE_ACCELERATION = 1.0
CRUISE_TURN = 1e-6


@njit(cache=True)
def rates(
    phase: int, x: float, y: float, z: float, vx: float, vy: float, vz: float, parameter: float
) -> tuple[float, float, float, float]:
    """Acceleration (m/s^2) of a state in a phase, and the rate of its parameter (its unit a second)."""
    if phase == CRUISE:
        r = math.sqrt(x * x + y * y + z * z)
        ux, uy, uz = x / r, y / r, z / r
        climb = vx * ux + vy * uy + vz * uz
        level = (vx * vx + vy * vy + vz * vz - climb * climb) / r
        # great circle at constant height, turning clockwise seen from above: a = -v^2/r u + w (v x u)
        return (
            -level * ux + parameter * (vy * uz - vz * uy),
            -level * uy + parameter * (vz * ux - vx * uz),
            -level * uz + parameter * (vx * uy - vy * ux),
            0.0,
        )
    gx, gy, gz = gravity_j2(x, y, z)
    w = EARTH_RATE
    ax = gx + w * w * x + 2.0 * w * vy
    ay = gy + w * w * y - 2.0 * w * vx
    speed = math.sqrt(vx * vx + vy * vy + vz * vz)
    grows = 0.0
    if phase == BOOST:
        k = parameter / math.sqrt(speed * speed + SLOW_MS * SLOW_MS)
        if abs(parameter) < GROWTH_LIMIT_MS2:
            grows = parameter * abs(parameter) / EXHAUST_MS
    else:
        k = -held_up(height_above_ellipsoid(x, y, z), speed, parameter)
    return ax + k * vx, ay + k * vy, gz + k * vz, grows


@njit(cache=True)
def derivative(phase: int, s: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Fill out (7,) with the time derivative of state s (7,) in a phase."""
    out[0], out[1], out[2] = s[3], s[4], s[5]
    out[3], out[4], out[5], out[6] = rates(phase, s[0], s[1], s[2], s[3], s[4], s[5], s[6])


@njit(cache=True)
def parameter_pull(
    phase: int, x: float, y: float, z: float, vx: float, vy: float, vz: float, parameter: float
) -> tuple[float, float, float]:
    """Derivative of the acceleration of a state by its parameter (m/s^2 for each of the parameter's unit)."""
    if phase == CRUISE:
        r = math.sqrt(x * x + y * y + z * z)
        return (vy * z - vz * y) / r, (vz * x - vx * z) / r, (vx * y - vy * x) / r
    speed = math.sqrt(vx * vx + vy * vy + vz * vz)
    if phase == BOOST:
        k = 1.0 / math.sqrt(speed * speed + SLOW_MS * SLOW_MS)
    elif parameter < MOST_LOG_DRAG:
        k = -held_up(height_above_ellipsoid(x, y, z), speed, parameter)
    else:
        k = 0.0
    return k * vx, k * vy, k * vz


@njit(cache=True)
def jacobian(phase: int, s: NDArray[np.float64], f: NDArray[np.float64]) -> None:
    """Fill f (7, 7) with the analytic Jacobian of `derivative` at state s (7,)."""
    for i in range(N):
        for j in range(N):
            f[i, j] = 0.0
    for i in range(3):
        f[i, 3 + i] = 1.0
    v = (s[3], s[4], s[5])
    if phase == CRUISE:
        r = math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
        ux, uy, uz = s[0] / r, s[1] / r, s[2] / r
        turn = s[6]
        # the slow change with position (v^2 / r^2, 1e-9 1/s^2) is far below the process noise
        climb = v[0] * ux + v[1] * uy + v[2] * uz
        u = (ux, uy, uz)
        for i in range(3):
            for j in range(3):
                f[3 + i, 3 + j] = -2.0 * (v[j] - climb * u[j]) / r * u[i]
        f[3, 4] += turn * uz
        f[3, 5] -= turn * uy
        f[4, 5] += turn * ux
        f[4, 3] -= turn * uz
        f[5, 3] += turn * uy
        f[5, 4] -= turn * ux
        f[3, 6] = v[1] * uz - v[2] * uy
        f[4, 6] = v[2] * ux - v[0] * uz
        f[5, 6] = v[0] * uy - v[1] * ux
        return
    w = EARTH_RATE
    gxx, gyy, gzz, gxy, gxz, gyz = gravity_j2_gradient(s[0], s[1], s[2])
    f[3, 0], f[3, 1], f[3, 2] = gxx + w * w, gxy, gxz
    f[4, 0], f[4, 1], f[4, 2] = gxy, gyy + w * w, gyz
    f[5, 0], f[5, 1], f[5, 2] = gxz, gyz, gzz
    f[3, 4] += 2.0 * w
    f[4, 3] -= 2.0 * w
    speed2 = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]
    if phase == BOOST:
        soft2 = speed2 + SLOW_MS * SLOW_MS
        soft = math.sqrt(soft2)
        a = s[6]
        for i in range(3):
            f[3 + i, 3 + i] += a / soft
            for j in range(3):
                f[3 + i, 3 + j] -= a * v[i] * v[j] / (soft2 * soft)
            f[3 + i, 6] = v[i] / soft
        if abs(a) < GROWTH_LIMIT_MS2:
            f[6, 6] = 2.0 * abs(a) / EXHAUST_MS
        return
    speed = math.sqrt(speed2) + 1e-9
    k, by_height, by_speed = held_up_slopes(height_above_ellipsoid(s[0], s[1], s[2]), speed, s[6])
    r = math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
    for i in range(3):
        f[3 + i, 3 + i] -= k
        for j in range(3):
            f[3 + i, 3 + j] -= by_speed * v[i] * v[j] / speed
            f[3 + i, j] -= by_height * v[i] * s[j] / r
        f[3 + i, 6] = -k * v[i] if s[6] < MOST_LOG_DRAG else 0.0


@njit(cache=True)
def acceleration_noise(phase: int, s: NDArray[np.float64]) -> tuple[float, float]:
    """Process noise at state s: white acceleration per axis (m^2/s^3), walk of the parameter (unit^2/s)."""
    if phase == BOOST:
        back = max(0.0, -s[6])
        return BOOST_ACCELERATION + BACK_BURN_S * back * back, BOOST_THRUST
    if phase == CRUISE:
        return CRUISE_ACCELERATION, CRUISE_TURN
    height, drag, speed2 = _dragged(s)
    white, walk = _still(drag)
    return white + _wind_noise(s, height, drag, speed2), walk


@njit(cache=True)
def still_air_noise(s: NDArray[np.float64]) -> tuple[float, float]:
    """`acceleration_noise` of the ballistic phase without the wind's part."""
    return _still(_dragged(s)[1])


@njit(cache=True)
def _dragged(s: NDArray[np.float64]) -> tuple[float, float, float]:
    """Height (m), deceleration by drag (m/s^2) and speed squared of a state that coasts."""
    speed2 = s[3] * s[3] + s[4] * s[4] + s[5] * s[5]
    height = height_above_ellipsoid(s[0], s[1], s[2])
    speed = math.sqrt(speed2)
    return height, held_up(height, speed, s[6]) * speed, speed2


@njit(cache=True)
def _still(drag: float) -> tuple[float, float]:
    """White acceleration (m^2/s^3) and walk of the drag parameter (1/s) where so much drags (m/s^2)."""
    unexplained = DRAG_SHARE * drag
    # the walk of the drag parameter opens only where there is drag to tell it from
    return BALLISTIC_ACCELERATION + unexplained * unexplained, DRAG_WALK * min(1.0, drag)


@njit(cache=True)
def _wind_noise(s: NDArray[np.float64], height: float, drag: float, speed2: float) -> float:
    """White acceleration (m^2/s^3) of an unknown wind: it turns the drag by its share of the speed, and lasts
    as long as the object is in its layer.  Along the path, where it changes the speed too, it does twice as
    much and near the speed of sound four times: what the drag's own noise is for."""
    up = s[0] * s[3] + s[1] * s[4] + s[2] * s[5]
    climb = abs(up) / math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
    wind = wind_rms(height)
    lasts_s = 2.0 * WIND_LAYER_M / max(climb, LEAST_CLIMB_MS)
    return float(drag * drag * wind * wind / max(speed2, SLOW_MS * SLOW_MS) * lasts_s)
