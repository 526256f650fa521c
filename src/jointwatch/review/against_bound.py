"""How near a picture came to the best that anyone could have made of what its sensors were given.

In: the errors of its tracks, the truth, and every look that sensors had at each object; out: root mean square
errors of position and velocity by those of the posterior Cramer-Rao bound (`review.bound`) at the same times,
one ratio an object, and over objects their median and their root mean square.  Of a perfect filter the root
mean square is 1 and the median somewhat less, 0.7 to 1: an object's error hardly changes over its flight, so
its ratio is almost one draw, and the median of the amount of a normal error is 0.67 (of three alike, 0.89).

The bound is that along the true flight in the filter's own ballistic phase with its process noise, each look
weighed by its probability of detection.  It begins where the motor stops: what was seen of the burn is left
out, so that errors count only from the `FIRST_LOOKS`-th look after it on, when that no longer matters.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import EARTH_RATE
from jointwatch.earth.gravity import GM
from jointwatch.exercise.truth import Truth, TruthObject
from jointwatch.motion.phases import BALLISTIC, PRIOR_MEAN, PRIOR_SIGMA, N
from jointwatch.motion.propagate import predict, transition
from jointwatch.records import Sensor
from jointwatch.review.bound import covariance_of, information_of_each
from jointwatch.review.matching import TrackError
from jointwatch.sensing.radar import sensor_row
from jointwatch.tracking.bank import CROSS_SPEED_SIGMA_MS

Array = NDArray[np.float64]
FIRST_LOOKS = 10
LEAST_ERRORS = 3
"""An object counts with so many errors of it or more: fewer make no root mean square."""
PUSHED_MS2 = 0.5
"""Acceleration along the velocity from which on a motor burns: all else that works on a flight is far below,
or slows it."""


class Flights(NamedTuple):
    """All ballistic flights of an exercise, step by step; steps end at looks and at samples.

    objects (r,): index of each.  time_ns (r, steps): -1 after its last step.  f, q (r, steps, 7, 7): motion
    to the end of each step.  gain (r, steps, 7, 7): information of the look there, its chance counted in;
    sensor (r, steps): whose look, -1 for none.
    """

    objects: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    f: Array
    q: Array
    gain: Array
    sensor: NDArray[np.int64]


def coasting_from(o: TruthObject) -> float:
    """When an object's motor last stopped, seconds since the exercise's start.

    A motor is all that can raise the energy of a flight over the turning Earth.
    """
    place, velocity = o.samples[:, :3], o.samples[:, 3:]
    speed = np.linalg.norm(velocity, axis=1)
    turning = 0.5 * EARTH_RATE**2 * np.square(place[:, :2]).sum(axis=1)
    energy = 0.5 * speed**2 - GM / np.linalg.norm(place, axis=1) - turning
    rise = np.diff(energy) / np.diff(o.times_s)
    pushed = np.flatnonzero(rise > PUSHED_MS2 * np.maximum(speed[:-1], speed[1:]))
    return float(o.times_s[pushed[-1] + 1] if pushed.size else o.times_s[0])


def flights(
    truth: Truth,
    objects: Sequence[int],
    seen: Sequence[Sequence[tuple[int, int, float]]],
    sensors: Sequence[Sensor],
    sample_ns: Sequence[int],
) -> Flights:
    """The ballistic parts of these objects' flights.

    seen: looks of each object of the truth (`exercise.sensors.looks`, of any probability); sample_ns: times
    at which errors are asked for.
    """
    steps = [_steps(truth, i, seen[i], sample_ns) for i in objects]
    kept = [k for k, s in enumerate(steps) if len(s) > 1]
    longest = max((len(steps[k]) - 1 for k in kept), default=0)
    shape = (len(kept), longest)
    time_ns, sensor = np.full(shape, -1), np.full(shape, -1)
    f = np.broadcast_to(np.eye(N), (*shape, N, N)).copy()
    q, gain = np.zeros((2, *shape, N, N))
    rows = [sensor_row(s) for s in sensors]
    for r, k in enumerate(kept):
        o, here = truth.objects[objects[k]], steps[k]
        count = len(here) - 1
        states = np.empty((len(here), N))
        states[:, 6] = PRIOR_MEAN[BALLISTIC]
        for j, (t, _, _) in enumerate(here):
            states[j, :3], states[j, 3:6] = o.state_at(t)
        time_ns[r, :count] = [t for t, _, _ in here[1:]]
        sensor[r, :count] = [who for _, who, _ in here[1:]]
        for j in range(count):
            dt = (here[j + 1][0] - here[j][0]) * 1e-9
            transition(BALLISTIC, states[j].copy(), dt, f[r, j])
            predict(BALLISTIC, states[j].copy(), q[r, j], dt)
        chance = np.array([pd for _, _, pd in here[1:]])
        for who, (row, record) in enumerate(zip(rows, sensors, strict=True)):
            mine = np.flatnonzero(sensor[r, :count] == who)
            at = states[mine + 1]
            gain[r, mine] = chance[mine, None, None] * information(row, record, at)
    return Flights(np.array([objects[k] for k in kept], np.int64), time_ns, f, q, gain, sensor)


def _steps(
    truth: Truth, index: int, seen: Sequence[tuple[int, int, float]], sample_ns: Sequence[int]
) -> list[tuple[int, int, float]]:
    """Beginning of an object's coast, then its looks and the samples: (time, sensor or -1, probability)."""
    o = truth.objects[index]
    begin = truth.start_ns + round(coasting_from(o) * 1e9)
    # a sample goes after a look of the same instant, which the picture may have used by then
    asked = [(t, -1, 0.0) for t in sample_ns if begin < t < o.end_ns]
    return [(begin, -1, 0.0), *sorted([look for look in seen if look[0] > begin] + asked, key=_by_time)]


def _by_time(step: tuple[int, int, float]) -> tuple[int, bool]:
    return step[0], step[1] < 0


def information(row: Array, sensor: Sensor, states: Array) -> Array:
    """Information (k, 7, 7) of one plot of a sensor on each of states (k, 7): H' R^-1 H.

    The gradients of range, azimuth, elevation and range rate are taken by geometry, with refraction and
    light time left out: they move a plot, and hardly change what it tells.
    """
    turn = row[3:12].reshape(3, 3)
    line, speed = (states[:, :3] - row[:3]) @ turn.T, states[:, 3:6] @ turn.T
    r = np.linalg.norm(line, axis=1, keepdims=True)
    level = np.hypot(line[:, 0], line[:, 1])[:, None]
    along = line / r
    east = np.column_stack([line[:, 1], -line[:, 0], np.zeros(len(line))]) / level**2
    up = np.column_stack([-line[:, :2] * line[:, 2:] / level, level]) / r**2
    across = (speed - (speed * along).sum(axis=1, keepdims=True) * along) / r
    still = np.zeros_like(along)
    slopes = {
        "range": (along, still, sensor.sigma_range_m),
        "azimuth": (east, still, sensor.sigma_azimuth_rad),
        "elevation": (up, still, sensor.sigma_elevation_rad),
        "range_rate": (across, along, sensor.sigma_range_rate_ms),
    }
    out = np.zeros((len(states), N, N))
    for name in sensor.measures:
        by_place, by_speed, sigma = slopes[name]
        h = np.concatenate([by_place @ turn, by_speed @ turn], axis=1) / sigma
        out[:, :6, :6] += h[:, :, None] * h[:, None, :]
    return out


def rmse_over_bound(flown: Flights, sensors: Collection[int], errors: Sequence[TrackError]) -> dict[str, Any]:
    """How much greater a picture's errors were than the bound of its own sensors (by index).

    {"position", "velocity": median over objects of the root mean square error by that of the bound;
    "position_rms", "velocity_rms": root mean square over objects, which one far off decides; None where there
    is no object; "objects": how many}.
    """
    ratios = ratios_by_object(flown, sensors, errors)
    out: dict[str, Any] = {"objects": len(ratios)}
    each = np.array(list(ratios.values())).reshape(-1, 2)
    for name, values in zip(("position", "velocity"), each.T, strict=True):
        out[name] = float(np.median(values)) if values.size else None
        out[f"{name}_rms"] = float(np.sqrt(np.mean(values**2))) if values.size else None
    return out


def ratios_by_object(
    flown: Flights, sensors: Collection[int], errors: Sequence[TrackError]
) -> dict[int, tuple[float, float]]:
    """Root mean square errors of position and velocity by those of the bound, of each object."""
    j0 = np.zeros((N, N))
    j0[3:6, 3:6] = np.eye(3) * CROSS_SPEED_SIGMA_MS**-2
    j0[6, 6] = PRIOR_SIGMA[BALLISTIC] ** -2
    mine = np.isin(flown.sensor, list(sensors))
    known = information_of_each(flown.f, flown.q, flown.gain * mine[:, :, None, None], j0)
    looked = np.cumsum(mine, axis=1)
    place_of = {
        (int(flown.objects[r]), int(flown.time_ns[r, k])): (r, k)
        for r, k in zip(*np.nonzero((flown.sensor < 0) & (flown.time_ns >= 0)), strict=True)
    }
    at = [place_of.get((e.object, e.time_ns)) for e in errors]
    scored = [(e, k) for e, k in zip(errors, at, strict=True) if k and looked[k] >= FIRST_LOOKS]
    if not scored:
        return {}
    row, step = np.array([k for _, k in scored]).T
    variance = np.diagonal(covariance_of(known[row, step]), axis1=1, axis2=2)
    own = np.square([e.error for e, _ in scored])
    squares = np.stack([x[:, k : k + 3].sum(axis=1) for k in (0, 3) for x in (own, variance)])
    index = np.array([e.object for e, _ in scored])
    out = {}
    for i in np.unique(index[np.isfinite(squares).all(axis=0)]).tolist():
        here = (index == i) & np.isfinite(squares).all(axis=0)
        if here.sum() >= LEAST_ERRORS:
            place, best_place, speed, best_speed = squares[:, here].sum(axis=1)
            out[i] = float(np.sqrt(place / best_place)), float(np.sqrt(speed / best_speed))
    return out
