"""Where on a ballistic arc a burn that nobody saw ended, and how far and long it had gone by then.

In: a class's stated priors (`launch.profiles`), flown by the stated boost model (`launch.ascent`); out: for
each class a regression of height, ground path and duration of its burns at their end on speed and steepness
there, with the residuals of the flown draws.  A ballistic arc has one speed and one steepness at every
height, so it says itself at which height a burn of a class can have ended on it.  (Regression with the
draws' own residuals, as for approximate Bayesian computation in Beaumont, Zhang & Balding 2002.)
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import (
    EARTH_RATE,
    MEAN_RADIUS_M,
    ecef2geodetic,
    enu_rotation,
    height_above_ellipsoid,
)
from jointwatch.kernel import leaf
from jointwatch.launch.ascent import AZIMUTH, END, KNOTS, VALUES, ascend, nearest_turn, set_burn
from jointwatch.launch.profiles import profile_named
from jointwatch.motion.descent import retrace
from jointwatch.motion.propagate import AIR_M, FALL_MS2

Floats = NDArray[np.float64]
DRAWS = 2000
NORTHERNMOST_RAD = math.radians(60.0)
"""The draws are launched up to so far from the equator, in every direction."""
FLATTEST_RAD = math.radians(5.0)
"""Burns that end flatter say nothing here: of a path so flat no way back climbs down to the ground."""
OUTERMOST = 0.002
"""Part of the draws left out on either side, and beyond whose speeds and steepness nothing is asked."""
MOST_STRAYS = 4.0
"""No burn ends farther off the regression, as parts of how far draws stray."""
NEAREST, NEAREST_PART = 48, 8
"""Of a class's draws those that end most alike are taken: one in so many, but at least so many."""
TERMS = 10
FASTEST_MS, HIGHEST_M = 12e3, 500e3
"""No generic class is ever faster, and no burn of one ends higher."""
LONGEST_STEP_S, LAST_STEP_S, SHORTEST_STEP_S = 5.0, 2.0, 0.01
LATE_S = 0.02
"""An end passed by no more than this is met."""
ABOVE_AIR_S = 30.0
"""Longest step above the air."""


class BurnEnds(Struct, frozen=True):
    """How burns of a class end.

    ways (4, TERMS): coefficients, on `_terms`, of the logs of height (m), of the way over the ground (m), of
    the burn's length (s), and of how far draws stray from these three.  turns (2, 2): coefficients, on
    `turning`, of the angles (rad) by which the way from the launch, and the azimuth there, point right of the
    velocity at the end.  residuals (n, 5): of all five, draw by draw, sorted by that of the height; of the
    first three as parts of how far draws stray.  goes (2,): how far way and length stray where height strays
    by one.  at (n, 2): log of speed and steepness of each draw.  bounds (4,): least and greatest log of speed
    (m/s), and of steepness (rad).  middle (2,), spread (2, 2): mean and covariance of the two.
    """

    ways: Floats
    turns: Floats
    residuals: Floats
    goes: Floats
    at: Floats
    bounds: Floats
    middle: Floats
    spread: Floats

    def below(self, height_m: float, speed_ms: float, steepness_rad: float) -> int:
        """How many of the draws end below a height, at which the object was so fast and steep."""
        terms = np.empty(TERMS)
        _terms(speed_ms, steepness_rad, self.bounds, terms)
        off = math.log(max(height_m, 1.0)) - _log_way(self.ways[0], terms)
        return int(
            np.searchsorted(self.residuals[:, 0], off / math.exp(_log_way(self.ways[3], terms)), side="right")
        )

    def like(self, above: int, upto: int, speed_ms: float, steepness_rad: float) -> NDArray[np.int64]:
        """Those of the draws from one up to another that end most nearly as fast and steep, in order."""
        count = max(NEAREST, (upto - above) // NEAREST_PART)
        if upto - above <= count:
            return np.arange(above, upto)
        off = (self.at[above:upto] - [math.log(max(speed_ms, 1.0)), steepness_rad]) / np.sqrt(
            np.diag(self.spread)
        )
        return above + np.sort(np.argpartition((off * off).sum(axis=1), count)[:count])

    def log_density(self, speed_ms: float, steepness_rad: float, error: Floats) -> float:
        """Log-density of a burn that ends so fast and steep, both known to an error (2, 2)."""
        x, y = math.log(max(speed_ms, 1.0)) - self.middle[0], steepness_rad - self.middle[1]
        (xx, xy), (_, yy) = (self.spread + error).tolist()
        determinant = xx * yy - xy * xy
        if not determinant > 0.0:
            return -math.inf
        squared = (yy * x * x - 2.0 * xy * x * y + xx * y * y) / determinant
        return float(-0.5 * (squared + math.log(determinant)))


@leaf
def _terms(speed_ms: float, steepness_rad: float, bounds: Floats, out: Floats) -> None:
    """Fill out (TERMS,) with the regression's terms, of speed and steepness within the bounds: those of a
    cubic, since steep burns go as far over the ground as a tangent says."""
    x = min(max(math.log(max(speed_ms, 1.0)), bounds[0]), bounds[1]) - 0.5 * (bounds[0] + bounds[1])
    y = min(max(steepness_rad, bounds[2]), bounds[3]) - 0.5 * (bounds[2] + bounds[3])
    out[0], out[1], out[2], out[3], out[4], out[5] = 1.0, x, y, x * x, y * y, x * y
    out[6], out[7], out[8], out[9] = x * x * x, x * x * y, x * y * y, y * y * y


@leaf
def _log_way(way: Floats, terms: Floats) -> float:
    """A regression's value."""
    total = 0.0
    for j in range(TERMS):
        total += way[j] * terms[j]
    return total


@cache
def burn_ends(name: str) -> BurnEnds:
    """How burns of a class's priors end."""
    row = profile_named(name).row()
    rng = np.random.default_rng(20260106)
    times, states = np.empty(KNOTS), np.empty((KNOTS, 6))
    found: list[tuple[float, ...]] = []
    while len(found) < DRAWS:
        values = np.zeros(VALUES)
        can_be = set_burn(row, rng.standard_normal(4), values)
        values[AZIMUTH] = rng.uniform(-math.pi, math.pi)
        place = np.array([rng.uniform(-NORTHERNMOST_RAD, NORTHERNMOST_RAD), 0.0])
        if not can_be:
            continue
        n = ascend(row, values, place, 1e9, times, states)
        one = _end(place, values[AZIMUTH], values[END], states[n - 1])
        if one is not None:
            found.append(one)
    ends = np.array(found)
    ends[:, 0] = np.log(ends[:, 0])
    # what hardly left the ground, or is all propellant, would bend the regression for all others
    low, high = np.quantile(ends[:, :5], [OUTERMOST, 1.0 - OUTERMOST], axis=0)
    ends = ends[((ends[:, :5] >= low) & (ends[:, :5] <= high)).all(axis=1)]
    bounds = np.array([low[0], high[0], low[1], high[1]])
    terms = np.empty((len(ends), TERMS))
    for k in range(len(ends)):
        _terms(math.exp(ends[k, 0]), ends[k, 1], bounds, terms[k])
    wanted = np.log(ends[:, 2:5])
    fitted = np.linalg.lstsq(terms, wanted, rcond=None)[0]
    off = wanted - terms @ fitted
    # how far they stray, by the height's: flat and slow burns end more alike
    strays = np.zeros(TERMS)
    strays[:3] = np.linalg.lstsq(terms[:, :3], np.log(np.abs(off[:, 0]) + 1e-6), rcond=None)[0]
    strays[0] += 0.5 * math.log(float(np.mean((off[:, 0] / np.exp(terms @ strays)) ** 2)))
    off /= np.exp(terms @ strays)[:, None]
    turns = np.linalg.lstsq(ends[:, 7:], ends[:, 5:7], rcond=None)[0]
    residuals = np.column_stack([off, ends[:, 5:7] - ends[:, 7:] @ turns])
    order = np.argsort(residuals[:, 0])
    goes = off[:, 0] @ off[:, 1:] / float(off[:, 0] @ off[:, 0])
    return BurnEnds(
        np.ascontiguousarray(np.vstack([fitted.T, strays])), np.ascontiguousarray(turns.T),
        residuals[order], goes, ends[order, :2], bounds, ends[:, :2].mean(axis=0), np.cov(ends[:, :2].T),
    )  # fmt: skip


def _end(place: Floats, azimuth: float, duration_s: float, s: Floats) -> tuple[float, ...] | None:
    """Speed (m/s), steepness (rad), height, ground path (m), length (s), how far way and azimuth point right
    of the velocity (rad), and `turning`, at the end of a burn from a place; None where it is too flat."""
    latitude, longitude, height = ecef2geodetic(s[0], s[1], s[2])
    east, north, up = enu_rotation(latitude, longitude) @ s[3:6]
    steep = math.atan2(up, math.hypot(east, north))
    speed = math.sqrt(east * east + north * north + up * up)
    # a draw that fell through the ground is no burn
    if not (speed < FASTEST_MS and steep > FLATTEST_RAD and 0.0 < height < HIGHEST_M):
        return None
    bearing = math.atan2(east, north)
    # the great circle back to the launch, from the end
    sine, cosine = math.sin(place[0]), math.cos(place[0])
    over = place[1] - longitude
    aside = cosine * math.sin(over)
    ahead = math.cos(latitude) * sine - math.sin(latitude) * cosine * math.cos(over)
    path = MEAN_RADIUS_M * math.atan2(
        math.hypot(aside, ahead), math.sin(latitude) * sine + math.cos(latitude) * cosine * math.cos(over)
    )
    way = nearest_turn(math.atan2(aside, ahead) + math.pi - bearing)
    path = max(path, 1.0)
    return (
        speed, steep, height, path, duration_s,
        way, nearest_turn(azimuth - bearing), *turning(latitude, bearing, height, path, duration_s),
    )  # fmt: skip


@leaf
def turning(
    latitude_rad: float, bearing_rad: float, height_m: float, path_m: float, duration_s: float
) -> tuple[float, float]:
    """How far (rad) the Earth turns under a burn: about the vertical, and, for what rises, about the level
    axis along its way, which is felt the more the steeper that is."""
    angle = 2.0 * EARTH_RATE * duration_s
    level = math.cos(latitude_rad) * math.cos(bearing_rad) * height_m / path_m
    return angle * math.sin(latitude_rad), angle * level


@njit(cache=True)
def burn_that_ended(
    s: Floats, ways: Floats, bounds: Floats, goes: Floats, residual: Floats, out: Floats
) -> bool:
    """Fill out (4,), as `back_to_burn_end` does, for a burn that ended at state s (7,); False where none did.

    goes (2,): of `BurnEnds`; residual (5,): of a draw that ended about as high.
    """
    terms = np.empty(TERMS)
    speed = math.sqrt(s[3] * s[3] + s[4] * s[4] + s[5] * s[5])
    r = math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
    climb = (s[0] * s[3] + s[1] * s[4] + s[2] * s[5]) / r
    height = height_above_ellipsoid(s[0], s[1], s[2])
    if not (climb > 0.0 and height > 0.0 and speed < FASTEST_MS):
        return False
    _terms(speed, math.asin(min(climb / speed, 1.0)), bounds, terms)
    out[0], out[3] = height, math.exp(_log_way(ways[3], terms))
    strays = (math.log(height) - _log_way(ways[0], terms)) / out[3]
    strays = min(max(strays, -MOST_STRAYS), MOST_STRAYS)
    for i in range(2):
        own = residual[1 + i] + goes[i] * (strays - residual[0])
        out[1 + i] = math.exp(_log_way(ways[1 + i], terms) + out[3] * own)
    return True


@njit(cache=True)
def back_to_burn_end(
    s: Floats, wind: Floats, ways: Floats, bounds: Floats, residual: Floats, longest_s: float, out: Floats
) -> float:
    """Take state s (7,) back along its arc, in place, to where a burn may have ended on it; seconds gone
    back.

    s: in the frame of the air, which a wind (3,) moves; burns are as fast and steep over the ground.

    ways (4, TERMS), bounds (4,): of `BurnEnds`; residual (5,): of a draw.  Fills out (4,) with height (m),
    ground path (m) and length (s) of a burn that ends as fast and steep, and how far such burns stray.  0
    seconds where it should have ended higher than s; -1 if it is not there within longest_s, or if too great
    a drag parameter has it gain speed without bound on the way back.
    """
    terms, before = np.empty(TERMS), s.copy()
    back = step = above = 0.0
    while back < longest_s:
        x, y, z = s[3] + wind[0], s[4] + wind[1], s[5] + wind[2]
        speed = math.sqrt(x * x + y * y + z * z)
        if not speed < FASTEST_MS:
            return -1.0
        r = math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
        climb = (s[0] * x + s[1] * y + s[2] * z) / r
        height = height_above_ellipsoid(s[0], s[1], s[2])
        longest = ABOVE_AIR_S if height > AIR_M else LONGEST_STEP_S
        if climb > 0.0:
            _terms(speed, math.asin(min(climb / speed, 1.0)), bounds, terms)
            out[3] = math.exp(_log_way(ways[3], terms))
            out[0] = math.exp(_log_way(ways[0], terms) + out[3] * residual[0])
            below = out[0] - height
            if below >= 0.0 and (step <= SHORTEST_STEP_S or below <= LATE_S * climb):
                out[1] = math.exp(_log_way(ways[1], terms) + out[3] * residual[1])
                out[2] = math.exp(_log_way(ways[2], terms) + out[3] * residual[2])
                return back
            if below > 0.0:
                # the step went too far: again, by as much as should be right
                for i in range(len(s)):
                    s[i] = before[i]
                back -= step
                step = max(step * (above / (above + below) if above > 0.0 else 0.5), SHORTEST_STEP_S)
            else:
                above = -below
                left = above / climb
                # it climbs faster farther down, so a long step stops short of there
                down = 2.0 * above / (climb + math.sqrt(climb * climb + 2.0 * FALL_MS2 * above))
                step = (
                    max(left, SHORTEST_STEP_S) if left < LAST_STEP_S else min(longest, max(down - 1.0, 1.0))
                )
        else:
            above, step = 0.0, longest
        for i in range(len(s)):
            before[i] = s[i]
        retrace(s, step)
        back += step
    return -1.0
