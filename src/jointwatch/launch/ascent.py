"""Flying a boost profile: from where, when and how it was launched to where it is at any time of its burn.

In: a class's row (`launch.profiles`) and the eight values of one launch; out: its states while it burns, on
knots to interpolate between, and when each stage burns.  This is the stated boost model: J2 gravity on the
turning Earth, an exponential atmosphere, a constant drag coefficient, constant flow (thrust over mass grows
as mass burns off); straight up, a steady turn into the tilt, then along the velocity (a gravity turn).
Rockets leave a rail.  What really flies in an exercise has other physics and turns otherwise.

The eight values: metres east and north of a reference place on the ellipsoid; seconds after a reference
time of the launch; azimuth (rad); seconds after the same time of the end of the burn; log of the thrust
over the mass at launch (m/s^2); and two standard normal ones, how far tilt and drag are from the class's
medians.  While it burns, where it is does not hang on when the burn will end: so what looks tell of either
stays apart.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.atmosphere import density_exponential
from jointwatch.earth.frames import EARTH_RATE, SEMI_MAJOR_M, geodetic2ecef
from jointwatch.earth.gravity import gravity_j2
from jointwatch.kernel import leaf
from jointwatch.launch.profiles import (
    BACK_PRESSURE,
    BURN,
    BURN_SPREAD,
    DRAG,
    DRAG_SPREAD,
    EXHAUST,
    GAP,
    LOAD,
    LOAD_SPREAD,
    RAIL,
    RISE,
    STAGES,
    TILT,
    TILT_SPREAD,
    TURN,
)
from jointwatch.motion.between import hermite

Floats = NDArray[np.float64]
EAST, NORTH, TIME, AZIMUTH, END, PUSH, Z_TILT, Z_DRAG = range(8)
VALUES = 8
RISING, TURNING, FOLLOWING = 2, 4, 11
"""Steps of each leg of a burn: the error is some metres, of a heavy launcher's slow turn 200 (its tests)."""
SOON = 1.5
"""After the turn steps are short and grow, as this power of their number: slow still, the path bends most."""
KNOTS = 2 + RISING + TURNING + 2 * FOLLOWING
"""Most knots of a burn of two stages."""
GROUND_DENSITY = 1.225
MOST_LOAD = 0.97
SHORTEST_S, LEAST_FLOW = 0.3, 1e-6
NEVER = -1e9
"""Log-density of what cannot be."""
STEEPEST_TILT = 1.5
"""A rail is never quite level (rad from the vertical)."""


@leaf
def nearest_turn(angle: float) -> float:
    """An angle (rad) less the whole turns in it: -pi to pi."""
    turned: float = angle - 2.0 * math.pi * math.floor(angle / (2.0 * math.pi) + 0.5)
    return turned


@njit(cache=True)
def physical(row: Floats, values: Floats) -> tuple[float, float, float, float]:
    """Burn time of a stage (s), flow (parts of a stage's mass a second), tilt (rad) and Cd A / mass at launch
    (m^2/kg)."""
    burn = max((values[END] - values[TIME] - (row[STAGES] - 1.0) * row[GAP]) / row[STAGES], SHORTEST_S)
    flow = min(max(math.exp(values[PUSH]) / row[EXHAUST], LEAST_FLOW), MOST_LOAD / burn)
    tilt = row[TILT] * math.exp(row[TILT_SPREAD] * values[Z_TILT])
    drag = math.exp(row[DRAG] + row[DRAG_SPREAD] * values[Z_DRAG])
    return burn, flow, min(tilt, STEEPEST_TILT), drag


@njit(cache=True)
def deviations(row: Floats, values: Floats) -> tuple[float, float, float]:
    """How far burn time and load are from a class's medians (standard normal), and the log of how much each
    m/s^2 and second of these values is of both; the load's is bounded where there would be no mass left."""
    burn, flow, _, _ = physical(row, values)
    load = burn * flow
    z_burn = math.log(burn / row[BURN]) / row[BURN_SPREAD]
    z_load = (math.log(load / (1.0 - load)) - row[LOAD]) / row[LOAD_SPREAD]
    # d z_burn / d end and d z_load / d log thrust
    each = row[BURN_SPREAD] * burn * row[STAGES] * row[LOAD_SPREAD] * (1.0 - load)
    return z_burn, z_load, -math.log(each)


@njit(cache=True)
def set_burn(row: Floats, z: Floats, values: Floats) -> bool:
    """Give a launch of values (8,), its time set before, the burn that is z (4,) standard normal deviations
    off a class's medians: burn time, load, tilt and drag; what `deviations` takes apart.

    False, with as much load as there can be, where there would be no mass left.
    """
    burn = row[BURN] * math.exp(row[BURN_SPREAD] * z[0])
    load = 1.0 / (1.0 + math.exp(-row[LOAD] - row[LOAD_SPREAD] * z[1]))
    values[END] = values[TIME] + row[STAGES] * burn + (row[STAGES] - 1.0) * row[GAP]
    values[PUSH] = math.log(min(load, MOST_LOAD) / burn * row[EXHAUST])
    values[Z_TILT], values[Z_DRAG] = z[2], z[3]
    return load <= MOST_LOAD


@njit(cache=True)
def log_prior(row: Floats, values: Floats) -> float:
    """Log-density of a launch of a class: flat over place (m), time (s) and azimuth (rad)."""
    if values[END] - values[TIME] - (row[STAGES] - 1.0) * row[GAP] < row[STAGES] * SHORTEST_S:
        return NEVER
    _, flow, _, _ = physical(row, values)
    if flow < math.exp(values[PUSH]) / row[EXHAUST] * (1.0 - 1e-9):
        return NEVER
    z_burn, z_load, each = deviations(row, values)
    squares = z_burn * z_burn + z_load * z_load + values[Z_TILT] ** 2 + values[Z_DRAG] ** 2
    log_density: float = each - 0.5 * squares - 3.0 * math.log(2.0 * math.pi)
    return log_density


@njit(cache=True)
def burn_times(row: Floats, values: Floats) -> tuple[float, float, float]:
    """Ends of the first burn, of the gap and of the last burn, seconds after launch."""
    burn, _, _, _ = physical(row, values)
    if row[STAGES] < 2.0:
        return burn, burn, burn
    return burn, burn + row[GAP], 2.0 * burn + row[GAP]


@leaf
def _pull(
    s: Floats,
    k: int,
    rates: Floats,
    thrust: float,
    drag: float,
    ground: float,
    ax: float,
    ay: float,
    az: float,
) -> None:
    """Fill row k of rates with the rates of s (6,) under a thrust (m/s^2 in vacuum) along a unit vector, or,
    where that is nought, along the velocity."""
    x, y, z, vx, vy, vz = s[0], s[1], s[2], s[3], s[4], s[5]
    gx, gy, gz = gravity_j2(x, y, z)
    # over the way of a burn the ellipsoid is a sphere to some hundred metres, which is nothing to the air
    density = density_exponential(math.sqrt(x * x + y * y + z * z) - ground)
    speed = math.sqrt(vx * vx + vy * vy + vz * vz) + 1e-9
    push = thrust * (1.0 - BACK_PRESSURE * density / GROUND_DENSITY)
    f = -0.5 * density * drag * speed
    if ax == 0.0 and ay == 0.0 and az == 0.0:
        f += push / speed
    w = EARTH_RATE
    rates[k, 0], rates[k, 1], rates[k, 2] = vx, vy, vz
    rates[k, 3] = gx + w * w * x + 2.0 * w * vy + f * vx + push * ax
    rates[k, 4] = gy + w * w * y - 2.0 * w * vx + f * vy + push * ay
    rates[k, 5] = gz + f * vz + push * az


@leaf
def _step(s: Floats, tau: float, h: float, motor: Floats, frame: Floats, rates: Floats, at: Floats) -> None:
    """One classical Runge-Kutta step of h seconds from tau seconds into a stage's burn, in place.

    motor: exhaust velocity, flow (parts of the stage's mass a second), Cd A / mass, then how the path is
    held: whether it is, rad a second of its turn, and since when.  frame: up, and level along the azimuth.
    """
    for k in range(4):
        u = tau + (0.0 if k == 0 else (h if k == 3 else 0.5 * h))
        mass = 1.0 - motor[1] * u
        if k > 0:
            f = h if k == 3 else 0.5 * h
            for j in range(6):
                at[j] = s[j] + f * rates[k - 1, j]
        else:
            for j in range(6):
                at[j] = s[j]
        c, t = 0.0, 0.0
        if motor[3] != 0.0:
            angle = motor[4] * (u - motor[5])
            c, t = math.cos(angle), math.sin(angle)
        _pull(
            at, k, rates, motor[0] * motor[1] / mass, motor[2] / mass, frame[6],
            c * frame[0] + t * frame[3], c * frame[1] + t * frame[4], c * frame[2] + t * frame[5],
        )  # fmt: skip
    for j in range(6):
        s[j] += h / 6.0 * (rates[0, j] + 2.0 * rates[1, j] + 2.0 * rates[2, j] + rates[3, j])


@njit(cache=True)
def ascend(row: Floats, values: Floats, place: Floats, until_s: float, times: Floats, states: Floats) -> int:
    """Fly one launch to the end of its burn, or to the first knot after until_s seconds.

    row: of the class; values (8,); place (2,): latitude and longitude (rad) of the reference.  Fills times
    (KNOTS,), seconds after launch, and states (KNOTS, 6), ECEF; returns how many knots there are.
    """
    burn, flow, tilt, drag = physical(row, values)
    whole = 1.0 / (1.0 + math.exp(-row[LOAD])) / flow
    rise, turned = min(RISE * whole, 0.5 * burn), min(TURN * whole, burn)
    latitude = place[0] + values[NORTH] / SEMI_MAJOR_M
    longitude = place[1] + values[EAST] / (SEMI_MAJOR_M * math.cos(place[0]))
    sp, cp, sl, cl = math.sin(latitude), math.cos(latitude), math.sin(longitude), math.cos(longitude)
    sa, ca = math.sin(values[AZIMUTH]), math.cos(values[AZIMUTH])
    s, at, rates, motor, frame = np.empty(6), np.empty(6), np.empty((4, 6)), np.zeros(6), np.empty(7)
    frame[0], frame[1], frame[2] = cp * cl, cp * sl, sp
    frame[3], frame[4], frame[5] = -sl * sa - sp * cl * ca, cl * sa - sp * sl * ca, cp * ca
    s[0], s[1], s[2] = geodetic2ecef(latitude, longitude, 0.0)
    frame[6] = math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
    # off a rail along the tilt; one that rises straight up stands still
    for j in range(3):
        s[3 + j] = row[RAIL] * (math.cos(tilt) * frame[j] + math.sin(tilt) * frame[3 + j])
    times[0] = 0.0
    states[0] = s
    n = 1
    for stage in range(int(row[STAGES])):
        begin = stage * (burn + row[GAP])
        motor[0], motor[1], motor[2] = row[EXHAUST], 0.0, drag
        if stage > 0:  # without thrust between the stages; the empty one falls off
            _step(s, 0.0, row[GAP], motor, frame, rates, at)
            times[n] = begin
            states[n] = s
            n += 1
            drag /= 1.0 - flow * burn
        motor[1], motor[2] = flow, drag
        steered = stage == 0 and row[RAIL] == 0.0
        for leg in range(3):
            if not steered and leg < 2:
                continue
            first, last, steps = turned, burn, FOLLOWING
            motor[3], motor[4] = 0.0, 0.0
            if not steered:
                first = 0.0
            elif leg == 0:
                first, last, steps = 0.0, rise, RISING
                motor[3] = 1.0
            elif leg == 1:
                first, last, steps = rise, turned, TURNING
                motor[3], motor[4] = 1.0, tilt / ((TURN - RISE) * whole)
            motor[5] = first
            h = (last - first) / steps
            if h <= 0.0:
                continue
            at_s = first
            for i in range(steps):
                upto = first + (i + 1) * h
                if steered and leg == 2:
                    upto = first + (last - first) * ((i + 1) / steps) ** SOON
                _step(s, at_s, upto - at_s, motor, frame, rates, at)
                at_s = upto
                times[n] = begin + at_s
                states[n] = s
                n += 1
                if times[n - 1] >= until_s:
                    return n
    return n


@njit(cache=True)
def state_at(times: Floats, states: Floats, n: int, t: float, out: Floats) -> None:
    """Fill out (6,) with the state t seconds after launch, by cubic Hermite; before and after it is held."""
    if t <= 0.0:
        out[:] = states[0]
        return
    if t >= times[n - 1]:
        out[:] = states[n - 1]
        return
    i = 0
    while times[i + 1] < t:
        i += 1
    hermite(t, times[i], times[i + 1], states[i], states[i + 1], out)
