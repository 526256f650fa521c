"""A 1,300 km arc tracked by one radar: how near the tracker comes to the best that anyone could do.

In: how many runs and what the radar measures; out: lines for `bounds`.  A radar abeam of the arc (50 m,
1 mrad, nine plots of ten, no clutter) sees it from 20 s after burn-out on while it is over the horizon.  It
is tracked through the product's tracker with its three flight phases, and what the tracker's records say is
scored from the twentieth look on.  The truth is flown twice:
    own          the filter's own ballistic phase with its process noise, the drag drawn from its prior
    independent  `exercise.flights`: gravity to degree 8, the 1976 atmosphere, Mach-dependent drag, wind
The bound is that of each run along its own flight with its own hits and misses (`review.bound.pcrlb`),
averaged over runs: with the process noise of the ballistic phase, and for the independent truth, which has
none, also without (`strict`).  On the ground it is mapped by the fall's Jacobian.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np
from flown_arcs import (
    AIR_M,
    SIGMAS,
    Flight,
    ground_left_out,
    independent_flights,
    own_flights,
    plots_seen,
    radar_abeam,
)
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, geodetic2ecef, height_above_ellipsoid
from jointwatch.motion.phases import BALLISTIC, PRIOR_SIGMA
from jointwatch.motion.propagate import fall, predict, transition
from jointwatch.records import Header, Sector, Sensor, Track
from jointwatch.review.bound import jacobians, pcrlb
from jointwatch.review.consistency import average_bounds, nees
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.tracking.bank import FLIGHT
from jointwatch.tracking.tracker import Tracker
from jointwatch.warning.impact import ground_fall
from jointwatch.warning.policy import Policy

Array = NDArray[np.float64]
Line = dict[str, object]

FIRST_LOOK = 20
IMPACT_EVERY_S = 25.0
FALL_STEP_S = 1.0
SURE = Policy().least_ballistic
UPPER = np.triu_indices(7)
SPREAD = np.array([10.0, 10.0, 10.0, 0.1, 0.1, 0.1, 0.01])


@dataclass(frozen=True)
class Scored:
    """One run, look by look (NaN where there is nothing): errors and covariances of position and velocity.

    ballistic: probability of that phase.  ground: rows of look, east and north error of the fall (m), its
    covariance as stated (3 numbers) and by the bounds (3 each): east-east, east-north, north-north; and the
    squared distance of the fall in the spread as stated, skew and all.
    """

    errors: Array
    covariances: Array
    bound: Array
    strict: Array
    ballistic: Array
    falling: NDArray[np.bool_]
    ground: Array
    absent: int
    born: int


def bound_along(sensor: Sensor, flight: Flight, seen: NDArray[np.bool_], noisy: bool) -> Array:
    """Bound (looks, 7, 7) along one flight with its own hits; infinite while the state is not given."""
    row, states = sensor_row(sensor), flight.states
    rated = "range_rate" in sensor.measures
    # azimuth from the middle of the flight, so that none wraps
    turn = row[3:12].reshape(3, 3)
    away = turn @ (states[len(states) // 2, :3] - row[:3])
    level = np.array([away[1], -away[0], 0.0]), np.array([away[0], away[1], 0.0])

    def measured(s: Array) -> Array:
        line = (s[..., :3] - row[:3]) @ turn.T
        r = np.linalg.norm(line, axis=-1)
        azimuth = np.arctan2(line @ level[0], line @ level[1])
        values = [r, azimuth, np.arcsin(line[..., 2] / r)]
        if rated:
            values.append(np.einsum("...i,...i", line, s[..., 3:6] @ turn.T) / r)
        return np.stack(values, axis=-1)

    h = jacobians(measured, states, SPREAD)
    r = np.diag(np.square([*SIGMAS, sensor.sigma_range_rate_ms][: h.shape[1]]))
    f, q = np.empty((len(states) - 1, 7, 7)), np.zeros((len(states) - 1, 7, 7))
    for k in range(len(f)):
        transition(BALLISTIC, states[k].copy(), sensor.period_s, f[k])
        if noisy:
            predict(BALLISTIC, states[k].copy(), q[k], sensor.period_s)
    j0 = float(seen[0]) * h[0].T @ np.linalg.inv(r) @ h[0]
    j0[6, 6] += PRIOR_SIGMA[BALLISTIC] ** -2
    out = np.full((len(states), 7, 7), np.inf)
    out[1:] = pcrlb(f[None], q, h[None, 1:], r, j0, seen[None, 1:].astype(float))
    return out


def ground_bound(state: Array, bound: Array, noisy: bool, place: Array) -> Array:
    """(2, 2) east-north covariance of the fall (m^2) of a true state known to within a bound.

    noisy: process noise goes on during the fall, and wind moves its end, as in the own truth.
    """
    end = state.copy()
    left = fall(end, 0.0, 2400.0)
    s, p = state.copy(), bound.copy()
    phi = np.empty((7, 7))
    steps = max(1, math.ceil(left / FALL_STEP_S))
    for _ in range(steps):
        if noisy:
            # in short steps, for the noise grows with the drag
            predict(BALLISTIC, s, p, left / steps)
        else:
            transition(BALLISTIC, s, left / steps, phi)
            p = phi @ p @ phi.T
    latitude, longitude, _ = ecef2geodetic(*place)
    east, north, up = enu_rotation(latitude, longitude)
    v = s[3:6]
    along = np.eye(3) - np.outer(v, up) / (up @ v)
    g = np.stack([east, north]) @ along
    out: Array = g @ p[:3, :3] @ g.T
    return out + ground_left_out(state, place)[1] if noisy else out


def follow(sensor: Sensor, noisy: bool, bank: Array, job: tuple[Flight, int]) -> Scored:
    """Track one flight once and score it.  noisy: the truth has the filter's process noise."""
    flight, seed = job
    rng = np.random.default_rng([seed, 7])
    plots = plots_seen(sensor, flight, rng)
    seen = ~np.isnan(plots[:, 0])
    looks = len(plots)
    model = bound_along(sensor, flight, seen, True)
    strict = model if noisy else bound_along(sensor, flight, seen, False)
    height = np.array([height_above_ellipsoid(*s[:3]) for s in flight.states])
    errors, covariances = np.full((looks, 6), np.nan), np.full((looks, 6, 6), np.nan)
    ballistic = np.full(looks, np.nan)
    latitude, longitude, _ = ecef2geodetic(*flight.place)
    east, north, _ = enu_rotation(latitude, longitude)
    tracker = Tracker("Amber", (sensor,), capacity=128, bank=bank)
    ground: list[list[float]] = []
    absent, born = 0, 0
    every = max(1, round(IMPACT_EVERY_S / sensor.period_s))
    in_cover = np.array([observe(sensor_row(sensor), *s[:6])[2] for s in flight.states]) > 0.0
    for k in range(looks):
        step = tracker.process(_sector(sensor, plots[k], k))
        born += len(step.born)
        if k < FIRST_LOOK or not in_cover[k]:
            continue
        truth = flight.states[k]
        track = min(
            step.updated, default=None, key=lambda t: float(np.linalg.norm(np.array(t.state[:3]) - truth[:3]))
        )
        if track is None:
            absent += 1
            continue
        mean, covariance = state_of(track)
        errors[k], covariances[k] = mean[:6] - truth[:6], covariance[:6, :6]
        ballistic[k] = track.phases[BALLISTIC]
        if (k - FIRST_LOOK) % every == 0 and track.phases[BALLISTIC] > SURE and np.isfinite(model[k]).all():
            fallen = ground_fall(mean, covariance)
            if fallen is None:
                continue
            off = _ground_error(fallen.latitude_rad, fallen.longitude_rad, flight.place, east, north)
            maps = [
                fallen.spread.covariance_m2,
                ground_bound(truth, model[k], True, flight.place),
                ground_bound(truth, strict[k], noisy, flight.place),
            ]
            d2 = fallen.spread.distance2(-np.array(off))
            ground.append([k, *off, *(m[i, j] for m in maps for i, j in ((0, 0), (0, 1), (1, 1))), d2])
    falling = height < AIR_M
    return Scored(
        errors, covariances, model[:, :6, :6], strict[:, :6, :6], ballistic, falling,
        np.array(ground).reshape(-1, 13), absent, born,
    )  # fmt: skip


def _ground_error(latitude: float, longitude: float, place: Array, east: Array, north: Array) -> list[float]:
    """East and north (m) of a place on the ground from where the flight came down."""
    apart = np.array(geodetic2ecef(latitude, longitude, 0.0)) - place
    return [float(east @ apart), float(north @ apart)]


def _sector(sensor: Sensor, plot: Array, k: int) -> Sector:
    """Look k of the radar, with the one plot (4,) or, where that is NaN, with none."""
    ns = round(k * sensor.period_s * 1e9) + 1_000_000_000
    column = [() if np.isnan(v) else (float(v),) for v in plot]
    if "range_rate" not in sensor.measures:
        column[3] = ()
    return Sector(
        header=Header(originator="Amber", source=sensor.name, sequence=k + 1, measured_ns=ns),
        sensor=sensor.name, azimuth_from_rad=0.0, azimuth_to_rad=0.0, received_ns=ns,
        range_m=column[0], azimuth_rad=column[1], elevation_rad=column[2], range_rate_ms=column[3],
    )  # fmt: skip


def state_of(track: Track) -> tuple[Array, Array]:
    """Mean (7,) and covariance (7, 7) of a track record."""
    covariance = np.zeros((7, 7))
    covariance[UPPER] = track.covariance
    return np.array(track.state), covariance + np.triu(covariance, 1).T


def summary(title: Line, done: list[Scored]) -> Iterator[Line]:
    """Lines of one case: the track over the bound, whole and in parts; then its falls."""
    runs = len(done)
    errors = np.concatenate([d.errors for d in done])
    scored = ~np.isnan(errors[:, 0]) & np.concatenate([np.isfinite(d.bound[:, 0, 0]) for d in done])
    falling = np.concatenate([d.falling for d in done])
    look = np.concatenate([np.arange(len(d.errors)) for d in done])
    e = errors[scored]
    p = np.concatenate([d.covariances for d in done])[scored]
    bounds = {"bound": np.concatenate([d.bound for d in done])[scored],
              "strict": np.concatenate([d.strict for d in done])[scored]}  # fmt: skip
    consistency = nees(e, p)
    parts = {"whole": np.ones(len(e), bool), "coast": ~falling[scored], "air": falling[scored]}
    out: Line = dict(title)
    over: dict[tuple[str, str], float] = {}
    for part, chosen in parts.items():
        if not chosen.any():
            continue
        line: Line = {"nees_per_element": round(float(consistency[chosen].mean() / 6.0), 3)}
        for name, where in ("position", slice(0, 3)), ("velocity", slice(3, 6)):
            squared = np.square(e[chosen][:, where]).sum(axis=1)
            line[f"{name}_rmse"] = round(math.sqrt(squared.mean()), 2)
            for which, b in bounds.items():
                trace = np.trace(b[chosen][:, where, where], axis1=1, axis2=2)
                if which == "bound":
                    line[f"{name}_bound"] = round(math.sqrt(trace.mean()), 2)
                # look by look, each over all runs, so that no part of the flight outweighs the others
                over[name, which] = round(_over(squared, trace, look[scored][chosen]), 4)
                line[f"{name}_over_{which}"] = over[name, which]
        line["n"] = int(chosen.sum())
        if part == "whole":
            out["rmse_over_bound"] = max(over["position", "bound"], over["velocity", "bound"])
            out["nees"] = round(float(consistency.mean()), 3)
        out[part] = line
    most = int(np.bincount(look[scored]).max())
    each = [float(consistency[look[scored] == k].mean()) for k in np.unique(look[scored])]
    low, high = average_bounds(6, most)
    out["nees_looks_in_band_95"] = round(float(np.mean([low <= x <= high for x in each])), 3)
    phases = np.concatenate([d.ballistic for d in done])[scored]
    out |= {"said_ballistic": round(float((phases > 0.5).mean()), 4), "absent": sum(d.absent for d in done),
            "tracks_most": max(d.born for d in done), "runs": runs}  # fmt: skip
    yield out
    ground = np.concatenate([d.ground for d in done])
    if len(ground):
        yield from _falls({**title, "case": f"{title['case']} impact", "runs": runs}, ground)


def _over(squared: Array, trace: Array, look: NDArray[np.int64]) -> float:
    """Root mean square over looks of a look's RMSE over its bound's."""
    counts = np.bincount(look)
    full = (counts > 0) & (counts >= 0.5 * counts.max())
    error, bound = np.bincount(look, squared)[full], np.bincount(look, trace)[full]
    return math.sqrt(float((error / bound).mean()))


def _falls(title: Line, ground: Array) -> Iterator[Line]:
    """One line for all falls said, and in it the same by look."""
    off = ground[:, 1:3]
    stated, model, strict = (_matrices(ground[:, c : c + 3]) for c in (3, 6, 9))
    d2 = ground[:, 12]
    squared, look = np.square(off).sum(axis=1), ground[:, 0].astype(np.int64)
    over = {name: _over(squared, np.trace(m, axis1=1, axis2=2), look)
            for name, m in (("model", model), ("strict", strict))}  # fmt: skip
    yield {
        **title,
        "rmse_over_bound": round(over["model"], 4), "over_strict": round(over["strict"], 4),
        "nees": round(float(d2.mean()), 3), "nees_per_element": round(float(d2.mean() / 2.0), 3),
        "nees_by_moments": round(float(nees(off, stated).mean()), 3),
        "inside_50": round(float((d2 < -2.0 * math.log(0.5)).mean()), 3),
        "inside_90": round(float((d2 < -2.0 * math.log(0.1)).mean()), 3),
        "by_look": {
            int(k): {
                "rmse_m": round(math.sqrt(float(squared[look == k].mean()))),
                "bound_m": round(math.sqrt(float(np.trace(model[look == k].mean(axis=0))))),
                "strict_m": round(math.sqrt(float(np.trace(strict[look == k].mean(axis=0))))),
                "stated_m": round(math.sqrt(float(np.trace(stated[look == k].mean(axis=0))))),
                "mean_east_north_m": [round(float(v)) for v in off[look == k].mean(axis=0)],
                "n": int((look == k).sum()),
            }
            for k in np.unique(look)
        },
    }  # fmt: skip


def _matrices(rows: Array) -> Array:
    """(n, 2, 2) of rows (n, 3): east-east, east-north, north-north."""
    return np.stack([rows[:, [0, 1]], rows[:, [1, 2]]], axis=1)


def arc(
    runs: int,
    seed: int,
    scan_s: float,
    range_rate_ms: float | None,
    own: bool,
    pool: Executor | None = None,
    bank: Array = FLIGHT,
) -> Iterator[Line]:
    """Lines of one truth and one radar."""
    flights = (own_flights if own else independent_flights)(runs, seed, scan_s)
    sensor = radar_abeam(flights[0], scan_s, range_rate_ms)
    jobs = [(flight, seed + i) for i, flight in enumerate(flights)]
    one = partial(follow, sensor, own, bank)
    done = list(pool.map(one, jobs, chunksize=4) if pool else map(one, jobs))
    title: Line = {"case": "arc", "truth": "own" if own else "independent", "scan_s": scan_s,
                   "range_rate_ms": range_rate_ms}  # fmt: skip
    yield from summary(title, done)
