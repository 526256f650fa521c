"""Gates of tentative chains: which plots a chain can be continued by, before it is predicted in earnest.

In: a row of the table, the sensor and the time that has passed; out: bounds on where the row's next plot can
be, and on how likely any plot can be under it.  Predicting a row in three motions, with what the sensor
should measure of each, costs some thirty microseconds; most chains in clutter come to nothing.
What is asked of them here costs one or two, from straight lines: the covariance carried on by its
own velocities, narrowed where a motion could narrow it (drag) and widened where it could widen it (a motor's
pull, the bend of the line of sight), so that a chain turned away here would have been turned away by the
prediction as well.  The factors are held against the prediction itself in the tests.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.kernel import leaf
from jointwatch.motion.drag import held_up
from jointwatch.motion.phases import BALLISTIC, BOOST, CRUISE, GROWTH_LIMIT_MS2, SLOW_MS
from jointwatch.sensing.radar import (
    COMPONENT,
    ELEVATION_MAX,
    ELEVATION_MIN,
    IN_RATE,
    SIGMA_AZIMUTH,
    SIGMA_ELEVATION,
    SIGMA_RANGE,
    SIGMA_RANGE_RATE,
    UPWARD,
    measures,
    observe,
    tells_place,
)
from jointwatch.tracking.bank import KIND

PULL_MS2 = 60.0
"""Greatest acceleration looked for between two plots."""
BREAK_MS2 = 100.0
"""Greatest step in that acceleration between two looks: a motor that burns out, or air that is met."""
DENSER = 1.3
"""Factor on the density of the air at the lowest place of a straight line, for what sinks below it."""
SLACK_MS2 = 15.0
"""Gravity, the Earth's turning and the curve of a level flight together pull no more than this."""
NARROW, WIDE = 0.65, 1.3
"""Parts of a straight line's spread (sigma) that a predicted one never falls below, and never exceeds,
where the motions' own terms are counted beside."""
CURVED = 0.35
"""Up to this spread (rad) across the line of sight an angle's spread is near enough the plane's."""

# What is bounded of one motion of a row, in `bound_motions`.
PEAK, ANGLE, AROUND, RANGE_AT, ALONG, OFF = 0, 1, 2, 3, 4, 5
AIM = 6  # 6..8: unit vector from the sensor to where a straight line leads
BOUNDS = 9


@leaf
def reach_of(
    m: NDArray[np.float64], speed: float, sensor: NDArray[np.float64], dt: float
) -> tuple[float, float, float, float, float]:
    """What the next plot of a row of mean m (>= 6,) can be, dt seconds on; `speed`: sigma of an unknown one.

    First value and range rate with slack each, and how far from the mean.
    """
    if int(sensor[COMPONENT]) > IN_RATE:
        reach = 5.0 * (speed * dt + sensor[SIGMA_RANGE]) + 0.5 * PULL_MS2 * dt * dt
        known = math.sqrt(m[3] * m[3] + m[4] * m[4] + m[5] * m[5]) * dt
        return m[0], reach + known, 0.0, 1e300, 2.0 * (reach + known)
    r, _, _, rate = observe(sensor, m[0], m[1], m[2], m[3], m[4], m[5])
    return reach_at(sensor, speed, r, rate, dt)


@leaf
def reach_at(
    sensor: NDArray[np.float64], speed: float, r: float, rate: float, dt: float
) -> tuple[float, float, float, float, float]:
    """`reach_of` an object at range r (m) and range rate (m/s), of which no more is known."""
    if int(sensor[COMPONENT]) > IN_RATE:
        reach = 5.0 * (speed * dt + sensor[SIGMA_RANGE]) + 0.5 * PULL_MS2 * dt * dt
        return r, reach, 0.0, 1e300, 2.0 * reach
    rated = measures(sensor, IN_RATE)
    sigma_rate = sensor[SIGMA_RANGE_RATE] if rated else speed
    slack = 3.0 * sigma_rate
    across = 3.0 * speed
    bend = across * across / r
    near = 500.0 + slack * dt + 0.5 * (PULL_MS2 + bend) * dt * dt
    steady = 40.0 + 3.0 * sigma_rate + (PULL_MS2 + bend) * dt if rated else 1e300
    if not measures(sensor, UPWARD):
        half = 0.5 * (sensor[ELEVATION_MAX] - sensor[ELEVATION_MIN])
        near += r * (1.0 - math.sin(half) / max(half, 1e-9))
    return r + rate * dt, near, rate, steady, level_reach(sensor, speed, r, rate, dt)


@leaf
def level_reach(sensor: NDArray[np.float64], speed: float, r: float, rate: float, dt: float) -> float:
    """How far (m) from where it was an object at range r (m) and range rate (m/s) may give its next plot."""
    sigma_rate = sensor[SIGMA_RANGE_RATE] if measures(sensor, IN_RATE) else speed
    wide = 5.0 * r * max(sensor[SIGMA_AZIMUTH], sensor[SIGMA_ELEVATION])
    if not measures(sensor, UPWARD):
        wide += 0.5 * r * (sensor[ELEVATION_MAX] - sensor[ELEVATION_MIN])
    return float((abs(rate) + 3.0 * sigma_rate + 3.0 * speed) * dt + wide)


@leaf
def steady_pull(
    sensor: NDArray[np.float64], first: tuple[float, float], then: tuple[float, float], dt: float
) -> bool:
    """Whether ranges and range rates (range, rate) of two plots could be one object's: cheap, before
    predicting.

    What pulls along the line of sight, the bend of that line included, changes little between two looks, so
    the range changed by the mean of both rates (trapezoid rule).
    """
    off = then[0] - first[0] - 0.5 * (first[1] + then[1]) * dt
    noise2 = 2.0 * sensor[SIGMA_RANGE] ** 2 + 0.5 * (sensor[SIGMA_RANGE_RATE] * dt) ** 2
    return bool(abs(off) < 5.0 * math.sqrt(noise2) + BREAK_MS2 * dt * dt / 8.0)


@leaf
def can_bound(sensor: NDArray[np.float64], bank: NDArray[np.float64]) -> bool:
    """Whether `bound_motions` holds: range, azimuth and elevation of objects in the flight phases."""
    for k in range(bank.shape[0]):
        if int(bank[k, KIND]) > CRUISE:
            return False
    return tells_place(sensor)


@njit(cache=True)
def _growth(thrust: float, speed: float, dt: float) -> tuple[float, float, float]:
    """How a motor's pull along the velocity spreads places: least factor across and along it, and the most.

    Thrust lies along the velocity, so it turns with it, the more the slower the object: an error of velocity
    grows at thrust / hypot(speed, SLOW_MS) across it.  The speed is bounded from above for the least, and
    taken as it is for the most.
    """
    steps = 8
    h = dt / steps
    across, along, place_across, place_along, v = 1.0, 1.0, 0.0, 0.0, speed
    for _ in range(steps):
        v += (SLACK_MS2 + thrust) * h if v > SLOW_MS else (SLACK_MS2 + thrust * v / SLOW_MS) * h
        soft = math.sqrt(v * v + SLOW_MS * SLOW_MS)
        place_across += across * h
        place_along += along * h
        across *= 1.0 + thrust / soft * h
        along *= 1.0 + thrust * SLOW_MS * SLOW_MS / (soft * soft * soft) * h
    most = min(1.2 * thrust / math.sqrt(speed * speed + SLOW_MS * SLOW_MS) * dt, 50.0)
    return place_across / dt, place_along / dt, math.exp(most)


@njit(cache=True)
def bound_motions(
    bank: NDArray[np.float64],
    sensor: NDArray[np.float64],
    means: NDArray[np.float64],
    covs: NDArray[np.float64],
    dt: float,
    out: NDArray[np.float64],
) -> None:
    """Bound how likely plots can be dt seconds on, by motion: means (k, 7), covs (k, 7, 7) already mixed.

    Fills out (k, BOUNDS): log of the greatest density of any plot; variance (rad^2) of the direction, not to
    be exceeded, and how far (rad) the direction may lie from the aim besides; expected range, its variance
    not to be exceeded and how far off it may be; and the aim.
    """
    rated = measures(sensor, IN_RATE)
    p, v, x = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    line, half = np.empty((3, 3)), np.empty((3, 3))
    at = np.empty(3)
    for k in range(bank.shape[0]):
        m, c = means[k], covs[k]
        for i in range(3):
            at[i] = m[i] + dt * m[3 + i] - sensor[i]
        r = math.sqrt(at[0] * at[0] + at[1] * at[1] + at[2] * at[2])
        speed = math.sqrt(m[3] * m[3] + m[4] * m[4] + m[5] * m[5])
        kind = int(bank[k, KIND])
        across_gain, along_gain, most = 1.0, 1.0, 1.0
        pull = SLACK_MS2
        if kind == BOOST:
            thrust = min(max(m[6], 0.0), GROWTH_LIMIT_MS2)
            across_gain, along_gain, most = _growth(0.9 * thrust, speed, dt)
            if m[6] < 0.0:  # back against the velocity: it draws errors together
                across_gain = math.exp(m[6] * dt / math.sqrt(speed * speed + SLOW_MS * SLOW_MS))
                along_gain = across_gain
            pull += 1.3 * abs(m[6])
        elif kind == BALLISTIC:
            lowest = min(
                height_above_ellipsoid(m[0], m[1], m[2]),
                height_above_ellipsoid(at[0] + sensor[0], at[1] + sensor[1], at[2] + sensor[2]),
            )
            sunk = lowest - 0.5 * SLACK_MS2 * dt * dt
            drag = DENSER * held_up(max(sunk, 0.0), speed, m[6])
            pull += drag * speed
            # an error of velocity across fades at this rate, one along at twice it
            fade = drag * dt
            across_gain = (1.0 - math.exp(-fade)) / fade if fade > 1e-6 else 1.0
            along_gain = (1.0 - math.exp(-2.0 * fade)) / (2.0 * fade) if fade > 1e-6 else 1.0
        # any two directions across, for the line of sight may be anywhere
        for i in range(3):
            line[0, i] = at[i] / r
            out[k, AIM + i] = line[0, i]
        low = 0
        for i in range(1, 3):
            if abs(line[0, i]) < abs(line[0, low]):
                low = i
        scale = math.sqrt(1.0 - line[0, low] * line[0, low])
        for i in range(3):
            line[1, i] = ((1.0 if i == low else 0.0) - line[0, low] * line[0, i]) / scale
        line[2, 0] = line[0, 1] * line[1, 2] - line[0, 2] * line[1, 1]
        line[2, 1] = line[0, 2] * line[1, 0] - line[0, 0] * line[1, 2]
        line[2, 2] = line[0, 0] * line[1, 1] - line[0, 1] * line[1, 0]
        for a in range(3):
            for j in range(3):
                pp, vv, pv = 0.0, 0.0, 0.0
                for i in range(3):
                    pp += line[a, i] * c[i, j]
                    vv += line[a, i] * c[3 + i, 3 + j]
                    pv += line[a, i] * c[i, 3 + j]
                half[0, j], half[1, j], half[2, j] = pp, vv, pv
            for b in range(3):
                p[a, b], v[a, b], x[a, b] = 0.0, 0.0, 0.0
                for j in range(3):
                    p[a, b] += half[0, j] * line[b, j]
                    v[a, b] += half[1, j] * line[b, j]
                    x[a, b] += half[2, j] * line[b, j]
        # place dt on, per axis of the line of sight, by the narrowest and by the widest that it may grow
        gain = min(across_gain, along_gain) if kind == BALLISTIC or m[6] < 0.0 else 1.0
        t = dt * gain
        aa = p[1, 1] + 2.0 * t * x[1, 1] + t * t * v[1, 1]
        bb = p[2, 2] + 2.0 * t * x[2, 2] + t * t * v[2, 2]
        ab = p[1, 2] + t * (x[1, 2] + x[2, 1]) + t * t * v[1, 2]
        uu = p[0, 0] + 2.0 * t * x[0, 0] + t * t * v[0, 0]
        w = dt * most
        wide_a = p[1, 1] + 2.0 * w * abs(x[1, 1]) + w * w * v[1, 1]
        wide_b = p[2, 2] + 2.0 * w * abs(x[2, 2]) + w * w * v[2, 2]
        skew = abs(p[1, 2]) + w * abs(x[1, 2] + x[2, 1]) + w * w * abs(v[1, 2])
        wide = max(wide_a, wide_b) + skew  # no direction across is more spread than this
        wide_along = p[0, 0] + 2.0 * w * abs(x[0, 0]) + w * w * v[0, 0]
        det = max(aa * bb - ab * ab, 0.0)
        side2 = aa + bb
        # what the bend of the line of sight adds, if the sensor's model would see it at all
        root = math.sqrt(0.5 * side2)
        bend = 0.5 * side2 / (r + 2.0 * root)
        swirl = 0.0
        if 0.5 * side2 / r > sensor[SIGMA_RANGE]:
            swirl = p[1, 1] * v[1, 1] + p[2, 2] * v[2, 2]
            swirl += 2.0 * t * (x[1, 1] * v[1, 1] + x[2, 2] * v[2, 2])
            swirl += t * t * (v[1, 1] * v[1, 1] + v[2, 2] * v[2, 2])
            swirl *= 0.9 / (r * r)
        else:
            bend = 0.0
        q = math.sqrt(0.5 * side2) / r
        flat = NARROW * min(1.0, CURVED / max(q, 1e-9))
        log_det = 2.0 * math.log(flat * flat * math.sqrt(det) / (r * r) + 1e-12)
        log_det += math.log(
            NARROW * NARROW * (uu * min(1.0, CURVED / max(q, 1e-9)) + bend * bend) + sensor[SIGMA_RANGE] ** 2
        )
        dim = 3
        if rated:
            dim = 4
            log_det += math.log(sensor[SIGMA_RANGE_RATE] ** 2 + NARROW * NARROW * swirl)
        if kind == BOOST and m[6] > 0.0:
            log_det += 2.0 * math.log(across_gain)
            log_det += 2.0 * math.log(across_gain if rated else along_gain)
        out[k, PEAK] = -0.5 * log_det - 0.5 * dim * math.log(2.0 * math.pi)
        noise2 = max(sensor[SIGMA_AZIMUTH], sensor[SIGMA_ELEVATION]) ** 2
        thrust2 = 0.0
        if kind == BOOST:
            thrust2 = c[6, 6] * (0.6 * dt * dt) ** 2 + 40.0 * dt * dt * dt
        elif kind == CRUISE:
            thrust2 = c[6, 6] * (0.6 * dt * dt * speed) ** 2 + dt * dt * dt
        out[k, ANGLE] = WIDE * WIDE * ((wide + thrust2) / (r * r)) + 2.0 * noise2
        out[k, AROUND] = 0.5 * pull * dt * dt / r
        out[k, RANGE_AT] = r
        curve = (wide + thrust2) / r
        out[k, ALONG] = WIDE * WIDE * (wide_along + thrust2 + 6.0 * curve * curve) + sensor[SIGMA_RANGE] ** 2
        out[k, OFF] = 0.5 * pull * dt * dt + 3.0 * curve


@leaf
def log_likelihood_bound(
    phase: NDArray[np.float64],
    bounds: NDArray[np.float64],
    range_m: float,
    direction: tuple[float, float, float],
) -> float:
    """Log of a bound on the mixture's density of a plot at a range (m) and direction (from the sensor)."""
    total = 0.0
    for k in range(bounds.shape[0]):
        b = bounds[k]
        cosine = b[AIM] * direction[0] + b[AIM + 1] * direction[1] + b[AIM + 2] * direction[2]
        sine = math.sqrt(max(1.0 - cosine * cosine, 0.0))
        turn = max((sine if cosine > 0.0 else 1.0) - b[AROUND], 0.0)
        off = max(abs(range_m - b[RANGE_AT]) - b[OFF], 0.0)
        total += phase[k] * math.exp(b[PEAK] - 0.5 * (turn * turn / b[ANGLE] + off * off / b[ALONG]))
    return math.log(total) if total > 0.0 else -1e300


@leaf
def log_peak_bound(phase: NDArray[np.float64], bounds: NDArray[np.float64]) -> float:
    """Log of a bound on the mixture's density of any plot at all."""
    total = 0.0
    for k in range(bounds.shape[0]):
        total += phase[k] * math.exp(bounds[k, PEAK])
    return math.log(total) if total > 0.0 else -1e300
