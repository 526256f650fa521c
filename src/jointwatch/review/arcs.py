"""Observed arcs: a recorded flight, which has no bearing, laid on the ellipsoid to be seen by a radar.

In: a cleaned webcast recording (speed, rounded height), a stated site and azimuth; out: the place of the
flight at any time, for a radar to look at, made without assuming how it falls: the speed is the recorded
one, the height is the smoothest within its rounding, the horizontal part is the root of the rest (its sign
turns in a boost-back) and its integral goes along the stated course.
Fitting a ballistic arc instead would test the filter's physics with the same physics.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import EARTH_RATE, ECCENTRICITY2, SEMI_MAJOR_M, geodetic2ecef
from jointwatch.formats.webcast import SPEED_STEP_MS, Recording

GRID_S = 0.1
KNOT_S = 1.0
STIFFNESS = 30.0
"""Price of a jerk of 1 m/s^3 for a second, as squared metres (or m/s) outside the rounding for a second."""
EDGE_S, EDGE_SHARE = 3.0, 1e-3
"""How near the start or end of a burn a jerk is cheap, and what share of the price it pays there."""
EDGES = (
    "meco",
    "boostback_start",
    "boostback_end",
    "entry_start",
    "entry_end",
    "landing_start",
    "ses1",
    "seco1",
)
FRAME_S = 1.0 / 30.0
"""A reading is as old as the picture it was read from: its time is good to about two frames."""


@dataclass(frozen=True)
class Site:
    """Where a flight is taken to have begun (rad) and its course (rad from north): stated assumptions."""

    latitude_rad: float
    longitude_rad: float
    azimuth_rad: float


@dataclass(frozen=True)
class Arc:
    """A flight laid on the ellipsoid: arrays (n,) every `GRID_S` seconds.

    along_ms: horizontal speed along the course, negative on the way back.
    """

    time_s: NDArray[np.float64]
    latitude_rad: NDArray[np.float64]
    longitude_rad: NDArray[np.float64]
    height_m: NDArray[np.float64]
    course_rad: NDArray[np.float64]
    along_ms: NDArray[np.float64]
    climb_ms: NDArray[np.float64]

    def at(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """(m, 3) ECEF position (m) at times (m,)."""
        latitude = np.interp(time_s, self.time_s, self.latitude_rad)
        longitude = np.interp(time_s, self.time_s, self.longitude_rad)
        height = np.interp(time_s, self.time_s, self.height_m)
        return np.array([geodetic2ecef(a, b, c) for a, b, c in zip(latitude, longitude, height, strict=True)])


def smoothest_within(
    time_s: NDArray[np.float64],
    value: NDArray[np.float64],
    step: NDArray[np.float64],
    grid_s: NDArray[np.float64],
    edges_s: Sequence[float] = (),
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smoothest curve within a reading's rounding: its value and slope on grid_s (m,).

    A spline with a knot every `KNOT_S` pays `STIFFNESS` for its third derivative and the squared distance by
    which it leaves value +- step / 2; solved by Newton's method on the readings it leaves (a penalised
    spline, Eilers & Marx 1996, with a one-sided loss).  edges_s: times at which a motor starts or stops, near
    which the curve may bend at little price, so that a burn does not leak into the coast before or after it.
    """
    from scipy.interpolate import BSpline
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import spsolve

    degree = 4
    first, last = min(time_s[0], grid_s[0]), max(time_s[-1], grid_s[-1])
    count = math.ceil((last - first) / KNOT_S) + 1
    knots = first + KNOT_S * np.arange(-degree, count + degree)
    basis = csr_array(BSpline.design_matrix(time_s, knots, degree))
    size = basis.shape[1]
    # third differences of the coefficients over KNOT_S^3 are the third derivative amid their knots
    difference = csr_array(np.diff(np.eye(size), n=3, axis=0))
    middle = first + KNOT_S * (np.arange(size - 3) - 0.5 * (degree - 3))
    price = np.full(size - 3, STIFFNESS / KNOT_S**5)
    for edge in edges_s:
        price[np.abs(middle - edge) <= EDGE_S] *= EDGE_SHARE
    stiff = difference.T @ (difference * price[:, None])
    per_row = np.gradient(time_s)  # a reading counts by the time it stands for
    low, high = value - 0.5 * step, value + 0.5 * step
    # begin from the readings, then hold only what leaves its interval; a faint pull keeps it solvable
    faint = 1e-7
    coefficient = spsolve((stiff + basis.T @ (basis * per_row[:, None])).tocsc(), basis.T @ (per_row * value))
    pulled = np.full(len(value), -1)
    for _ in range(200):
        curve = basis @ coefficient
        side = np.where(curve > high, 1, np.where(curve < low, 2, 0))
        if (side == pulled).all():
            break
        pulled = side
        weight = np.where(side > 0, 1.0, faint) * per_row
        target = np.where(side == 1, high, np.where(side == 2, low, value))
        matrix = stiff + basis.T @ (basis * weight[:, None])
        new = spsolve(matrix.tocsc(), basis.T @ (weight * target))
        coefficient = coefficient + 0.5 * (new - coefficient)
    spline = BSpline(knots, coefficient, degree)
    return spline(grid_s), spline.derivative()(grid_s)


def observed_arc(recording: Recording, site: Site, free_s: tuple[float, float] | None = None) -> Arc:
    """The flight of a cleaned recording on the ellipsoid from a stated site along a stated course.

    The course is the geodesic of the azimuth.  A bearing is not recorded, and a geodesic holds a sideways
    push of some 0.1 m/s^2 against the turning of the Earth that no motor gives; in `free_s` (start, end),
    where given, the course turns as that of anything not pushed does.  Speed and height are the recorded
    ones either way.
    """
    grid = np.arange(recording.time_s[0], recording.time_s[-1], GRID_S)
    time, step = recording.time_s, recording.height_step_m
    edges = [recording.events_s[e] for e in EDGES if e in recording.events_s]
    _, climb = smoothest_within(time, recording.height_m, step, grid, edges)
    late = 2.0 * FRAME_S * np.abs(np.interp(time, grid, climb))
    height, climb = smoothest_within(time, recording.height_m, step + 2.0 * late, grid, edges)
    speed, _ = smoothest_within(time, recording.speed_ms, np.full(len(time), SPEED_STEP_MS), grid, edges)
    along = np.sqrt(np.maximum(speed * speed - climb * climb, 0.0))
    turned = turning_point(grid, along, recording.events_s)
    if turned is not None:
        along[turned:] *= -1.0
    latitude, longitude, course = _lay(grid, along, climb, height, site, free_s)
    return Arc(grid, latitude, longitude, height, course, along, climb)


def turning_point(
    grid_s: NDArray[np.float64], along_ms: NDArray[np.float64], events_s: dict[str, float]
) -> int | None:
    """Index where the horizontal speed passes zero in the boost-back burn, or None where it does not.

    The root's least value lies inside the burn, and it rises again by far more than it can be in error.
    """
    if "boostback_start" not in events_s or "boostback_end" not in events_s:
        return None
    inside = np.flatnonzero(
        (grid_s > events_s["boostback_start"]) & (grid_s < events_s["boostback_end"] + 3.0)
    )
    least = inside[int(np.argmin(along_ms[inside]))]
    after = along_ms[inside[-1]]
    return int(least) if after - along_ms[least] > 100.0 else None


def _lay(
    grid_s: NDArray[np.float64],
    along_ms: NDArray[np.float64],
    climb_ms: NDArray[np.float64],
    height_m: NDArray[np.float64],
    site: Site,
    free_s: tuple[float, float] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Latitude, longitude, course (rad) along grid_s: midpoint integration over the ellipsoid."""
    n = len(grid_s)
    latitude, longitude, course = np.empty(n), np.empty(n), np.empty(n)
    place = np.array([site.latitude_rad, site.longitude_rad, site.azimuth_rad])

    def rate(p: NDArray[np.float64], v: float, w: float, h: float, free: bool) -> NDArray[np.float64]:
        s2 = 1.0 - ECCENTRICITY2 * math.sin(p[0]) ** 2
        prime = SEMI_MAJOR_M / math.sqrt(s2)
        meridian = prime * (1.0 - ECCENTRICITY2) / s2
        sa, ca, tp = math.sin(p[2]), math.cos(p[2]), math.tan(p[0])
        turn = v * sa * tp / (prime + h)
        if free and abs(v) > 1.0:
            turn += 2.0 * EARTH_RATE * (math.sin(p[0]) - math.cos(p[0]) * ca * w / v)
        return np.array([v * ca / (meridian + h), v * sa / ((prime + h) * math.cos(p[0])), turn])

    for i in range(n):
        latitude[i], longitude[i], course[i] = place
        if i + 1 == n:
            break
        dt = grid_s[i + 1] - grid_s[i]
        free = free_s is not None and free_s[0] <= grid_s[i] < free_s[1]
        half = place + 0.5 * dt * rate(place, along_ms[i], climb_ms[i], height_m[i], free)
        v, w = 0.5 * (along_ms[i] + along_ms[i + 1]), 0.5 * (climb_ms[i] + climb_ms[i + 1])
        place = place + dt * rate(half, v, w, 0.5 * (height_m[i] + height_m[i + 1]), free)
    return latitude, longitude, course


def rounded_interval(
    sigma: NDArray[np.float64], step: NDArray[np.float64], level: float
) -> NDArray[np.float64]:
    """Half width k with P(|N(0, sigma^2) + U(-step/2, step/2)| < k) = level: a rounded reading's region."""
    from scipy.special import ndtr

    half = 0.5 * np.asarray(step, dtype=np.float64)
    sigma = np.maximum(np.asarray(sigma, dtype=np.float64), 1e-9)

    def integral(x: NDArray[np.float64]) -> NDArray[np.float64]:
        out: NDArray[np.float64] = x * ndtr(x) + np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
        return out

    low, high = np.zeros_like(sigma), half + 6.0 * sigma
    for _ in range(60):
        k = 0.5 * (low + high)
        a, b = (k + half) / sigma, (k - half) / sigma
        c, d = (-k + half) / sigma, (-k - half) / sigma
        inside = (integral(a) - integral(b) - integral(c) + integral(d)) * sigma / (2.0 * half)
        low, high = np.where(inside < level, k, low), np.where(inside < level, high, k)
    return 0.5 * (low + high)
