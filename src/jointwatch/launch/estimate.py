"""Where and when an object was launched: back along its arc to burn-out, then back over a class's burn.

In: a ballistic state with covariance, its time, and which sensors stand behind it; out:
a class with probabilities and a `LaunchArea` (`launch.area`, `launch.origin`).  The burn itself was not
seen, so how it ended and of which class it was is drawn from the boost profiles' priors, given how fast and
steep the arc is at the height of its end (`launch.burn_ends`); the posture has no part in it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from functools import cache

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M, ecef2geodetic, enu_rotation, height_above_ellipsoid
from jointwatch.earth.wind import wind_rms
from jointwatch.kernel import leaf
from jointwatch.launch.area import launch_area
from jointwatch.launch.burn_ends import back_to_burn_end, burn_ends, turning
from jointwatch.launch.classes import CLASSES, TWO_STAGES
from jointwatch.launch.drag_after import Drag
from jointwatch.launch.handover import SeenBurn, burn_of, weighed_in
from jointwatch.launch.origin import STATED, Places, origin_of
from jointwatch.launch.profiles import LEFT_OUT_RAD
from jointwatch.motion.descent import retrace
from jointwatch.motion.gaussian import cholesky
from jointwatch.motion.phases import N
from jointwatch.records import LaunchArea

Floats = NDArray[np.float64]
SAMPLES = 96
NO_DRAG = -40.0
ONE_STAGE = "medium_range"
_PRIORS = {c.name: 1.0 for c in CLASSES} | {ONE_STAGE: 0.5, TWO_STAGES.name: 0.5}
WINDLESS_M = 25e3
"""What is higher has left the wind behind, or will not meet it for long on its way back to a burn's end."""
LEAST_SEEN = 1e-3
"""A look at a burn, or a height, is never so sure of a class that the arc could not say otherwise."""
FASTEST_MS = 12e3
LONGEST_BACK_S = 2000.0
LONGEST_BURN_M = 1e6
"""No burn of a generic class goes farther over the ground."""


class LaunchEstimate(Struct, frozen=True):
    """A launch: the most probable class, all classes' probabilities, the area, the burn it rose from ("" if
    none), and what that says of the drag of each class."""

    object_class: str
    classes: dict[str, float]
    area: LaunchArea
    burn: str = ""
    drags: dict[str, Drag] = {}


@njit(cache=True)
def back_to_height(s: NDArray[np.float64], height_m: float, longest_s: float) -> float:
    """Take state s (7,) back along its arc, in place, to where it rose through height_m; seconds gone back.

    The whole way back if it rose from higher than that; -1 if it is not there within longest_s, or if too
    great a drag parameter has it gain speed without bound on the way back.
    """
    back = 0.0
    while back < longest_s:
        if not s[3] * s[3] + s[4] * s[4] + s[5] * s[5] < FASTEST_MS * FASTEST_MS:
            return -1.0
        rising = s[0] * s[3] + s[1] * s[4] + s[2] * s[5] > 0.0
        height = height_above_ellipsoid(s[0], s[1], s[2])
        if rising and height <= height_m:
            return back
        step = 2.0
        if rising:
            r = math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
            climb = (s[0] * s[3] + s[1] * s[4] + s[2] * s[5]) / r
            step = min(2.0, max((height - height_m) / climb, 0.01))
        retrace(s, step)
        back += step
    return -1.0


def _normals(count: int, dimensions: int) -> NDArray[np.float64]:
    return np.random.default_rng(20260105).standard_normal((count, dimensions))


_MEDIAN = np.zeros(5)
_NORMALS = _normals(SAMPLES, N + 3)
_UNIFORMS = (np.random.default_rng(20260106).permutation(SAMPLES) + 0.5) / SAMPLES
"""Which of a class's draws each sample takes its burn's end from."""


def estimate_launch(
    track: str,
    state: NDArray[np.float64],
    covariance: NDArray[np.float64],
    time_ns: int,
    territories: Places,
    sensors: Collection[str],
    state_from: float = STATED,
    burns: Mapping[str, SeenBurn] | None = None,
) -> LaunchEstimate | None:
    """The launch of a ballistic state (7,) with covariance (7, 7); None where its arc comes from none.

    sensors: those that stand behind the state.  state_from: probability from which an origin is stated.
    burns: that it may have risen from, by number; the one it did is weighed in.
    """
    made = launch_points(state, covariance, None)
    if made is None:
        return None
    number = burn_of(
        {n: b.known for n, b in (burns or {}).items()}, made.latitude, made.longitude, time_ns, made.seconds
    )
    behind = frozenset(sensors)
    if burns and number is not None:
        burn = burns[number]
        again = launch_points(state, covariance, burn.known.classes)
        made = again or made
        at = weighed_in(burn.known, made.latitude, made.longitude, time_ns, made.seconds, made.azimuth)
        made = LaunchPoints(made.classes, *at)
        behind |= burn.sensors
    even = np.ones(len(made.latitude))
    origin = origin_of(made.latitude, made.longitude, even, territories, behind, state_from)
    area = launch_area(
        track, time_ns, made.latitude, made.longitude, made.seconds, made.azimuth, even, origin, len(behind)
    )
    if area is None:
        return None  # from anywhere is from nowhere
    best = max(made.classes, key=lambda name: made.classes[name])
    drags = burns[number].known.drags if burns and number is not None else {}
    return LaunchEstimate(best, made.classes, area, number or "", drags)


class LaunchPoints(Struct, frozen=True):
    """Where, when (s from the state's time) and in which direction a launch may have been, (n,) each."""

    classes: dict[str, float]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    seconds: NDArray[np.float64]
    azimuth: NDArray[np.float64]


def launch_points(
    state: NDArray[np.float64],
    covariance: NDArray[np.float64],
    seen: Mapping[str, float] | None,
) -> LaunchPoints | None:
    """Points of a launch, from samples of the state and of the class's burn; None where the arc comes from
    none.  seen: classes' probabilities by the burn, if it was seen."""
    s = state.copy()
    s[6] = NO_DRAG
    back = back_to_height(s, 0.0, LONGEST_BACK_S)
    if back < 0.0:
        return None
    profiles = _profiles(state, covariance, seen)
    if not profiles:
        return None
    classes = {name: p.probability for name, p in profiles.items()}
    if seen is None:
        classes[ONE_STAGE] = classes.get(ONE_STAGE, 0.0) + classes.pop(TWO_STAGES.name, 0.0)
    low = np.zeros((N, N))
    if not cholesky(covariance, N, low):
        low = np.diag(np.sqrt(np.maximum(np.diag(covariance), 0.0)))
    latitude, longitude, _ = ecef2geodetic(state[0], state[1], state[2])
    out = np.empty((SAMPLES, 4))
    names = list(profiles)
    shares, lower = _shared_out(profiles), np.array([profiles[name].lower for name in names])
    count = _launches(
        state,
        low,
        enu_rotation(latitude, longitude),
        _NORMALS,
        _UNIFORMS,
        shares,
        lower,
        *_stacked(tuple(names)),
        out,
    )
    if count < SAMPLES // 2:
        return None
    made = out[:count]
    return LaunchPoints(classes, made[:, 0].copy(), made[:, 1].copy(), made[:, 2].copy(), made[:, 3].copy())


@cache
def _stacked(names: tuple[str, ...]) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.int64]]:
    """Ways, turns, bounds and residuals of classes' burn ends, and where each class's residuals begin."""
    ends = [burn_ends(name) for name in names]
    begin = np.cumsum([0, *(len(e.residuals) for e in ends)])[:-1]
    return (
        np.stack([e.ways for e in ends]), np.stack([e.turns for e in ends]),
        np.stack([e.bounds for e in ends]), np.concatenate([e.residuals for e in ends]), begin,
    )  # fmt: skip


@njit(cache=True)
def _launches(
    state: Floats,
    low: Floats,
    axes: Floats,
    normals: Floats,
    uniforms: Floats,
    profile: NDArray[np.int64],
    lower: NDArray[np.int64],
    ways: Floats,
    turns: Floats,
    bounds: Floats,
    residuals: Floats,
    begin: NDArray[np.int64],
    out: Floats,
) -> int:
    """Fill out (n, 4) with latitude, longitude, seconds and azimuth of launches; how many there are.

    One for each row of normals (n, 10), from a state with a root `low` (7, 7) of its covariance, by the
    burn's end of its profile's that `uniforms` (n,) draws; none where the arc comes from none.  axes (3, 3):
    rows east, north and up at the state.
    """
    count = 0
    s, wind, burn = np.empty(N), np.empty(3), np.empty(3)
    above = height_above_ellipsoid(state[0], state[1], state[2])
    blows = wind_rms(above) if above < WINDLESS_M else 0.0
    for k in range(len(normals)):
        normal, own = normals[k], profile[k]
        residual = residuals[begin[own] + int(uniforms[k] * lower[own])]
        for i in range(N):
            s[i] = state[i]
            for j in range(N):
                s[i] += low[i, j] * normal[j]
        # in the air's own frame, which a wind moves alike from here down to the burn's end, there is none
        for i in range(3):
            wind[i] = blows * (normal[N] * axes[0, i] + normal[N + 1] * axes[1, i])
            s[3 + i] -= wind[i]
        # from where the track was picked up, if that was during the burn
        back = back_to_burn_end(s, ways[own], bounds[own], residual, LONGEST_BACK_S, burn)
        if back < 0.0:
            continue
        wanted, path, duration = burn[0], burn[1], burn[2]
        for i in range(3):
            s[3 + i] += wind[i]
            s[i] -= back * wind[i]
        latitude, longitude, height = ecef2geodetic(s[0], s[1], s[2])
        # the burn lies in the plane of the velocity at its end but for the Earth's turning under it
        level = enu_rotation(latitude, longitude)
        east = level[0, 0] * s[3] + level[0, 1] * s[4] + level[0, 2] * s[5]
        north = level[1, 0] * s[3] + level[1, 1] * s[4] + level[1, 2] * s[5]
        bearing = math.atan2(east, north)
        share = min(max(height, 0.0) / wanted, 1.0)
        if not share * path < LONGEST_BURN_M:
            continue  # it hardly climbs there: no burn ended so, and nothing tells whence
        about, along = turning(latitude, bearing, wanted, path, duration)
        way = bearing + turns[own, 0, 0] * about + turns[own, 0, 1] * along + residual[3]
        azimuth = bearing + turns[own, 1, 0] * about + turns[own, 1, 1] * along + residual[4]
        out[count, 0], out[count, 1] = _back_along(latitude, longitude, way, share * path)
        # height grows with the square of time
        out[count, 2] = -back - duration * math.sqrt(share)
        out[count, 3] = azimuth + LEFT_OUT_RAD * normal[N + 2]
        count += 1
    return count


@leaf
def _back_along(latitude: float, longitude: float, bearing: float, path_m: float) -> tuple[float, float]:
    """The place (rad) so far back along the great circle that arrives at a place with a bearing."""
    away = path_m / MEAN_RADIUS_M
    ahead, aside = -math.cos(bearing) * math.sin(away), -math.sin(bearing) * math.sin(away)
    sine, cosine = math.sin(latitude), math.cos(latitude)
    return (
        math.asin(sine * math.cos(away) + cosine * ahead),
        longitude + math.atan2(aside, cosine * math.cos(away) - sine * ahead),
    )


class _Profile(Struct, frozen=True):
    """A boost profile that may have ended on an arc: its probability, and how many of its draws (the lowest)
    end below the state."""

    probability: float
    lower: int


def _profiles(
    state: NDArray[np.float64], covariance: NDArray[np.float64], seen: Mapping[str, float] | None
) -> dict[str, _Profile]:
    """Boost profiles whose burns may have ended on a state's arc, as fast and steep as it was there.

    Equal priors, or the probabilities by the burn, where somebody saw it.  A missile of two stages has half a
    medium range's: only who saw the burn can tell the two.
    """
    speed = float(np.linalg.norm(state[3:6]))
    ahead = state[3:6] / speed
    up = state[:3] - float(state[:3] @ ahead) * ahead
    aside = up / max(float(np.linalg.norm(up)), 1.0)
    axes = np.stack([ahead, aside]) / speed
    error = axes @ covariance[3:6, 3:6] @ axes.T
    height = height_above_ellipsoid(state[0], state[1], state[2])
    logs, lowers, burn = {}, {}, np.empty(3)
    for name in _PRIORS:
        ends, s = burn_ends(name), state.copy()
        if back_to_burn_end(s, ends.ways, ends.bounds, _MEDIAN, LONGEST_BACK_S, burn) < 0.0:
            continue
        lower = ends.lower(height, float(burn[0]))
        # what is ballistic has burnt out: from below where a class's burns end it is none of that class
        share = max(lower / len(ends.residuals), LEAST_SEEN)
        lowers[name] = lower if lower > 0 else len(ends.residuals)
        v = math.hypot(*s[3:6].tolist())
        climb = float(s[:3] @ s[3:6]) / math.hypot(*s[:3].tolist()) / v
        prior = _PRIORS[name] if seen is None else max(seen.get(name, 0.0), LEAST_SEEN)
        logs[name] = (
            math.log(prior) + math.log(share) + ends.log_density(v, math.asin(min(climb, 1.0)), error)
        )
    if not logs:
        return {}
    top = max(logs.values())
    weights = {name: math.exp(v - top) for name, v in logs.items()}
    whole = sum(weights.values())
    return {name: _Profile(w / whole, lowers[name]) for name, w in weights.items()}


def _shared_out(profiles: dict[str, _Profile]) -> NDArray[np.int64]:
    """Which profile each sample is of: as many of each as its probability says."""
    bounds = np.cumsum([profile.probability for profile in profiles.values()])
    index = np.searchsorted(bounds, (np.arange(SAMPLES) + 0.5) / SAMPLES)
    return np.minimum(index, len(profiles) - 1)
