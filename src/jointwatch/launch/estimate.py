"""Where and when an object was launched: back along its arc to burn-out, then back over a class's burn.

In: how an object's coast began (`launch.beginning`), and which sensors stand behind it; out: a class with
probabilities and a `LaunchArea` (`launch.area`, `launch.origin`).  The burn itself was not seen, so how it
ended and of which class it was is drawn from the boost profiles' priors, given how fast and steep the arc is
at the height of its end (`launch.burn_ends`), which looks it ended between, and when, if they saw it
(`launch.ways`); the posture has no part.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from functools import cache

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M, ecef2geodetic, enu_rotation
from jointwatch.kernel import leaf
from jointwatch.launch.area import launch_area
from jointwatch.launch.beginning import Beginning, Ended
from jointwatch.launch.burn_ends import back_to_burn_end, burn_ends, burn_that_ended, turning
from jointwatch.launch.classes import TWO_STAGES
from jointwatch.launch.coast import WINDY
from jointwatch.launch.drag_after import Drag
from jointwatch.launch.handover import SeenBurn, burn_of, weighed_in
from jointwatch.launch.origin import STATED, Places, origin_of
from jointwatch.launch.profiles import LEFT_OUT_RAD, profile_named
from jointwatch.launch.ways import (
    LONGEST_BACK_S,
    ONE_STAGE,
    Way,
    back_to_height,
    go_back,
    shared_out,
    ways_of,
)
from jointwatch.motion.gaussian import cholesky
from jointwatch.motion.phases import N
from jointwatch.records import LaunchArea

Floats = NDArray[np.float64]
SAMPLES = 96
NO_DRAG = -40.0
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


def _normals(count: int, dimensions: int) -> NDArray[np.float64]:
    """Normal draws whose own mean is nought and whose own covariance is one: so few are off by a tenth."""
    drawn = np.random.default_rng(20260105).standard_normal((count, dimensions))
    drawn -= drawn.mean(axis=0)
    low = np.linalg.cholesky(drawn.T @ drawn / count)
    return np.ascontiguousarray(np.linalg.solve(low, drawn.T).T)


_NORMALS = _normals(SAMPLES, WINDY + 3)
_UNIFORMS = (np.random.default_rng(20260106).permutation(SAMPLES) + 0.5) / SAMPLES
"""Which of a class's draws each sample takes its burn's end from."""


def estimate_launch(
    track: str,
    first: Beginning,
    territories: Places,
    sensors: Collection[str],
    state_from: float = STATED,
    burns: Mapping[str, SeenBurn] | None = None,
) -> LaunchEstimate | None:
    """The launch of an object, by how its coast began; None where its arc comes from none.

    sensors: those that stand behind it.  state_from: probability from which an origin is stated.
    burns: that it may have risen from, by number; the one it did is weighed in.
    """
    made, time_ns = launch_points(first, None), first.time_ns
    if made is None:
        return None
    number = burn_of(
        {n: b.known for n, b in (burns or {}).items()}, made.latitude, made.longitude, time_ns, made.seconds
    )
    behind = frozenset(sensors)
    if burns and number is not None:
        burn = burns[number]
        again = launch_points(first, burn.known.classes)
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
    """Where, when (s from the beginning's time) and in which direction a launch may have been, (n,) each."""

    classes: dict[str, float]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    seconds: NDArray[np.float64]
    azimuth: NDArray[np.float64]


def launch_points(first: Beginning, seen: Mapping[str, float] | None) -> LaunchPoints | None:
    """Points of a launch, from samples of the first state of a coast and of the class's burn; None where the
    arc comes from none.  seen: classes' probabilities by the burn, if it was seen."""
    s = first.state[:N].copy()
    s[6] = NO_DRAG
    back = back_to_height(s, 0.0, LONGEST_BACK_S)
    if back < 0.0:
        return None
    ways = ways_of(first, seen)
    if not ways:
        return None
    classes: dict[str, float] = {}
    for way in ways:
        classes[way.name] = classes.get(way.name, 0.0) + way.probability
    if seen is None:
        classes[ONE_STAGE] = classes.get(ONE_STAGE, 0.0) + classes.pop(TWO_STAGES.name, 0.0)
    starts = [first] if first.later is None else [first, first.later]
    lows, axes = np.zeros((len(starts), WINDY, WINDY)), np.empty((len(starts), 3, 3))
    for k, start in enumerate(starts):
        if not cholesky(start.covariance, WINDY, lows[k]):
            lows[k] = np.diag(np.sqrt(np.maximum(np.diag(start.covariance), 0.0)))
        latitude, longitude, _ = ecef2geodetic(start.state[0], start.state[1], start.state[2])
        axes[k] = enu_rotation(latitude, longitude)
    out = np.empty((SAMPLES, 4))
    count = _launches(
        np.array([start.state for start in starts]),
        lows,
        axes,
        np.array([1e-9 * (start.time_ns - first.time_ns) for start in starts]),
        np.array([_as_row(start.ended) for start in starts]),
        _NORMALS,
        _UNIFORMS,
        shared_out(ways, SAMPLES),
        *_draws(ways),
        *_stacked(tuple(way.name for way in ways)),
        out,
    )
    if count < SAMPLES // 2:
        return None
    made = out[:count]
    return LaunchPoints(classes, made[:, 0].copy(), made[:, 1].copy(), made[:, 2].copy(), made[:, 3].copy())


def _as_row(ended: Ended | None) -> Floats:
    """When a burn ended (10,): span_s, before_s, sigma_s and slope; noughts where that is not known."""
    if ended is None:
        return np.zeros(3 + N)
    return np.array([ended.span_s, ended.before_s, ended.sigma_s, *ended.slope])


def _draws(ways: Sequence[Way]) -> tuple[NDArray[np.int64], Floats]:
    """Of each way (w, 5) its state, its profile, from and up to which of the draws its burns end, and whether
    it is known when; the draws' residuals (n, 5)."""
    ends = np.cumsum([0, *(len(way.draws) for way in ways)])
    came = [(way.start, n, ends[n], ends[n + 1], way.timed) for n, way in enumerate(ways)]
    return np.array(came), np.concatenate([burn_ends(way.name).residuals[way.draws] for way in ways])


@cache
def _stacked(names: tuple[str, ...]) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Ways, turns, bounds and goes of classes' burn ends (`BurnEnds`), and what profiles leave out."""
    ends = [burn_ends(name) for name in names]
    return (
        np.stack([e.ways for e in ends]), np.stack([e.turns for e in ends]),
        np.stack([e.bounds for e in ends]), np.stack([e.goes for e in ends]),
        np.array([profile_named(name).left_out_way for name in names]),
    )  # fmt: skip


@njit(cache=True)
def _launches(
    states: Floats,
    lows: Floats,
    axes: Floats,
    after_s: Floats,
    ended: Floats,
    normals: Floats,
    uniforms: Floats,
    which: NDArray[np.int64],
    came: NDArray[np.int64],
    residuals: Floats,
    ways: Floats,
    turns: Floats,
    bounds: Floats,
    goes: Floats,
    left_out: Floats,
    out: Floats,
) -> int:
    """Fill out (n, 4) with latitude, longitude, seconds and azimuth of launches; how many there are.

    One for each row of normals (n, 12), by the way that it came (which (n,), of came): from one of states
    (m, 9) with a root of its covariance (lows (m, 9, 9)), which is after_s (m,) after the first, by the
    burn's end that `uniforms` (n,) draws of residuals; none where the arc comes from none.  came (w, 5),
    residuals: of `_draws`.  axes (m, 3, 3): rows east, north and up at the state.  ended (m, 10): of
    `_as_row`.  Of each way: ways, turns, bounds, goes and left_out of `_stacked`.
    """
    count = 0
    s, wind, burn = np.empty(N), np.empty(3), np.empty(4)
    for k in range(len(normals)):
        normal = normals[k]
        start, own, above, upto = came[which[k], :4]
        state, low = states[start], lows[start]
        residual = residuals[above + int(uniforms[k] * (upto - above))]
        before_s = ended[start, 1] + ended[start, 2] * normal[WINDY + 2]
        for i in range(N):
            off = 0.0
            for j in range(i + 1):
                off += low[i, j] * normal[j]
            s[i] = state[i] + off
            before_s += ended[start, 3 + i] * off
        east, north = state[N], state[N + 1]
        for j in range(WINDY):
            east += low[N, j] * normal[j]
            north += low[N + 1, j] * normal[j]
        # in the air's own frame, which a wind moves alike from here down to the burn's end, there is none
        for i in range(3):
            wind[i] = east * axes[start, 0, i] + north * axes[start, 1, i]
            s[3 + i] -= wind[i]
        timed = came[which[k], 4] > 0
        if timed:
            back = min(max(before_s, 0.0), ended[start, 0])
            go_back(s, back)
        else:
            back = back_to_burn_end(s, wind, ways[own], bounds[own], residual, LONGEST_BACK_S, burn)
            if back < 0.0:
                continue
        for i in range(3):
            s[3 + i] += wind[i]
            s[i] -= back * wind[i]
        if timed and not burn_that_ended(s, ways[own], bounds[own], goes[own], residual, burn):
            continue
        wanted, duration = burn[0], burn[2]
        path = burn[1] * (1.0 + left_out[own] * normal[WINDY + 1])
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
        out[count, 2] = after_s[start] - back - duration * math.sqrt(share)
        if not out[count, 2] < 0.0:
            continue  # it was launched before it coasted
        out[count, 3] = azimuth + LEFT_OUT_RAD * normal[WINDY]
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
