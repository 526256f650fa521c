"""The second plot of a chain: how likely it is, given the first and nothing else.

In: two plots of one radar with range and direction, and the bank of motions; out: the density of the second
in the radar's own measure.  Two places tell the mean velocity between them, far better than any prior does.
So nothing has to be linearised over every velocity that one plot leaves open: the bend of the line of sight,
v^2 / r over the span, is known, and with a range rate what pulled along the line of sight follows twice.
With d from the first place to the second, u1 and u2 the lines of sight and a the mean pull of a motion:
    e1 = d.u1 - rate1 dt = a.u1 dt^2 / 2,    e2 = rate2 dt - d.u2 = a.u2 dt^2 / 2
    p(range2, direction2, rate2) = r2^2 dt N(d across u1) N(e1, e2)
Every plot of clutter meets many others, so this is asked often and has to be cheap; a row of the table begins
only for the few pairs that it keeps (`tentative`).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jointwatch.kernel import leaf
from jointwatch.motion.phases import CRUISE, acceleration_noise, parameter_pull, rates
from jointwatch.motion.plane import FLAT, GRAVITY_MS2, LEVEL
from jointwatch.sensing.radar import (
    IN_RATE,
    ROTATION,
    SIGMA_AZIMUTH,
    SIGMA_ELEVATION,
    SIGMA_RANGE,
    SIGMA_RANGE_RATE,
    measures,
    tells_place,
)
from jointwatch.tracking.bank import AXES, BIRTH, KIND, MEAN, NOISE, SIGMA, SPEED
from jointwatch.tracking.gating import GATE2

LEVEL_LEAST = 1e-6
"""Cosine of elevation below which no direction is level across the line of sight."""


@leaf
def tells_velocity(sensor: NDArray[np.float64], bank: NDArray[np.float64]) -> bool:
    """Whether two plots of a sensor tell a velocity: by range and both angles, of motions in space."""
    for k in range(bank.shape[0]):
        kind = int(bank[k, KIND])
        if kind > CRUISE and kind not in (LEVEL, FLAT):
            return False
        if int(bank[k, AXES]) < 3:
            return False
    return tells_place(sensor)


@leaf
def second_plot_density(
    sensor: NDArray[np.float64],
    bank: NDArray[np.float64],
    first: NDArray[np.float64],
    first_rate: float,
    then: NDArray[np.float64],
    then_rate: float,
    dt: float,
    state: NDArray[np.float64],
) -> float:
    """Density of a plot dt seconds after the first of an object, over all motions; 0 outside every gate.

    first, then: places of the plots (3,), m; their range rates (m/s), which count where the sensor measures
    them.  state (7,): room.  Per metre, steradian and, of a range rate, m/s.
    """
    x1, y1, z1 = first[0] - sensor[0], first[1] - sensor[1], first[2] - sensor[2]
    x2, y2, z2 = then[0] - sensor[0], then[1] - sensor[1], then[2] - sensor[2]
    r1, r2 = math.sqrt(x1 * x1 + y1 * y1 + z1 * z1), math.sqrt(x2 * x2 + y2 * y2 + z2 * z2)
    x1, y1, z1, x2, y2, z2 = x1 / r1, y1 / r1, z1 / r1, x2 / r2, y2 / r2, z2 / r2
    dx, dy, dz = then[0] - first[0], then[1] - first[1], then[2] - first[2]
    along1, along2 = dx * x1 + dy * y1 + dz * z1, dx * x2 + dy * y2 + dz * z2
    cosine = x1 * x2 + y1 * y2 + z1 * z2
    # across the first line of sight, and how well the radar tells a direction that way
    cx, cy, cz = dx - along1 * x1, dy - along1 * y1, dz - along1 * z1
    off2 = cx * cx + cy * cy + cz * cz
    level2, up2 = _angle_noise(sensor, x1, y1, z1, cx, cy, cz, off2)
    angle2 = level2 + up2  # of a direction, the way that it moved
    rated = measures(sensor, IN_RATE)
    range2 = sensor[SIGMA_RANGE] * sensor[SIGMA_RANGE]
    rate2 = sensor[SIGMA_RANGE_RATE] * sensor[SIGMA_RANGE_RATE] * dt * dt
    sine2 = max(1.0 - cosine * cosine, 0.0)
    # noise of e1, of e2 and of both: ranges, rates, and the angle between the two lines of sight
    n11 = (1.0 + cosine * cosine) * range2 + 2.0 * r2 * r2 * sine2 * angle2
    n22 = (1.0 + cosine * cosine) * range2 + 2.0 * r1 * r1 * sine2 * angle2 + rate2
    n12 = -2.0 * cosine * range2 + 2.0 * r1 * r2 * sine2 * angle2
    e1 = along1 - first_rate * dt if rated else along1
    e2 = then_rate * dt - along2
    half = 0.5 * dt * dt
    vx, vy, vz = dx / dt, dy / dt, dz / dt
    mx, my, mz = 0.5 * (first[0] + then[0]), 0.5 * (first[1] + then[1]), 0.5 * (first[2] + then[2])
    state[0], state[1], state[2], state[3], state[4], state[5] = mx, my, mz, vx, vy, vz
    total = 0.0
    for k in range(bank.shape[0]):
        kind = int(bank[k, KIND])
        ax, ay, az, bx, by, bz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        q, walk = bank[k, NOISE], 0.0
        if kind <= CRUISE:
            _, _, _, grows = rates(kind, mx, my, mz, vx, vy, vz, bank[k, MEAN])
            state[6] = bank[k, MEAN] + 0.5 * dt * grows
            ax, ay, az, _ = rates(kind, mx, my, mz, vx, vy, vz, state[6])
            bx, by, bz = parameter_pull(kind, mx, my, mz, vx, vy, vz, state[6])
            q, walk = acceleration_noise(kind, state)
        elif kind == FLAT:
            az = -GRAVITY_MS2
        spread = bank[k, SPEED] * dt
        wide = spread * spread + (r1 * r1 + r2 * r2) * angle2 + q * dt * dt * dt / 3.0
        # prior of the velocity across, where the pull has not moved it
        a1 = ax * x1 + ay * y1 + az * z1
        ox, oy, oz = cx - half * (ax - a1 * x1), cy - half * (ay - a1 * y1), cz - half * (az - a1 * z1)
        far = (ox * ox + oy * oy + oz * oz) / wide
        d1 = e1 - half * a1
        b1 = half * (bx * x1 + by * y1 + bz * z1)
        parameter2 = bank[k, SIGMA] * bank[k, SIGMA] + walk * dt / 3.0
        bumps = q * dt * dt * dt / 3.0
        c11 = n11 + parameter2 * b1 * b1 + bumps
        if rated:
            d2 = e2 - half * (ax * x2 + ay * y2 + az * z2)
            b2 = half * (bx * x2 + by * y2 + bz * z2)
            c22 = n22 + parameter2 * b2 * b2 + bumps
            c12 = n12 + parameter2 * b1 * b2 + 0.5 * cosine * bumps
            det = c11 * c22 - c12 * c12
            far += (c22 * d1 * d1 - 2.0 * c12 * d1 * d2 + c11 * d2 * d2) / det
            scale = dt / (2.0 * math.pi * math.sqrt(det))
        else:
            c11 += spread * spread
            far += d1 * d1 / c11
            scale = 1.0 / math.sqrt(2.0 * math.pi * c11)
        if far < GATE2:
            total += bank[k, BIRTH] * scale * math.exp(-0.5 * far) / wide
    return total * r2 * r2 / (2.0 * math.pi)


@leaf
def _angle_noise(
    sensor: NDArray[np.float64],
    x: float,
    y: float,
    z: float,
    cx: float,
    cy: float,
    cz: float,
    off2: float,
) -> tuple[float, float]:
    """Variances (rad^2) of a direction x, y, z along one across it, of square off2.

    By the noise of the azimuth, and of the elevation.
    """
    east = sensor[ROTATION] * x + sensor[ROTATION + 1] * y + sensor[ROTATION + 2] * z
    north = sensor[ROTATION + 3] * x + sensor[ROTATION + 4] * y + sensor[ROTATION + 5] * z
    level2 = east * east + north * north
    by_azimuth, by_elevation = sensor[SIGMA_AZIMUTH] ** 2 * level2, sensor[SIGMA_ELEVATION] ** 2
    level = math.sqrt(level2)
    if off2 <= 0.0 or level < LEVEL_LEAST:
        return 0.5 * by_azimuth, 0.5 * by_elevation
    e = (sensor[ROTATION] * cx + sensor[ROTATION + 1] * cy + sensor[ROTATION + 2] * cz) / level
    n = (sensor[ROTATION + 3] * cx + sensor[ROTATION + 4] * cy + sensor[ROTATION + 5] * cz) / level
    share = min((north * e - east * n) ** 2 / off2, 1.0)  # of the level direction in the one across
    return share * by_azimuth, (1.0 - share) * by_elevation
