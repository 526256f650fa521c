"""The scene: one look as every chain of plots meets it, and which of its plots lie in a chain's reach.

In: a look's plots, in order of their first value, with the densities of clutter and of new objects at each;
out: where they are, worked out once, and a grid over them that gives each chain those near it.  However dense
the plots, each is weighed against no more than WEIGHED chains; what grows with the square of a crowd is only
the look at distances.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf, limb
from jointwatch.sensing.radar import (
    ACROSS,
    COMPONENT,
    DIMENSION,
    ELEVATION_MAX,
    ELEVATION_MIN,
    IN_RANGE,
    IN_RATE,
    REFRACTIVITY,
    ROTATION,
    UPWARD,
    along,
    measures,
    position_of_plot,
)
from jointwatch.tracking.detection import believed_detection
from jointwatch.tracking.index import Index, build, place_of, within
from jointwatch.tracking.looks import ungraded_detection
from jointwatch.tracking.reach import steady_pull

WEIGHED = 64
"""Most chains that a plot is weighed against in one look, those of several plots first: in a crowd that dense
the few that are kept are as good as any."""
CELL_M, CELL_RAD = 10e3, 0.1
"""Sides of the grid's cells: about a usual reach in range, and across at usual ranges."""
MANY, NARROW_TURN = 16, 0.5
"""The grid is asked where more plots than this share a chain's reach in their first value, and its reach in
the second is less than this part of what they spread over; else looking at each is cheaper."""
LOOKED_THROUGH = 256
"""Up to so many plots of one range are looked through for those near a seed before the grid is asked."""


class Places(NamedTuple):
    """What a look's plots say of where they are, worked out once: by plot (m, ...)."""

    position: NDArray[np.float64]  # (m, 3) m; of a line of sight alone, nought
    direction: NDArray[np.float64]  # (m, 3) unit vector from the sensor
    seen: NDArray[np.float64]  # (m,) probability that what is there gives a plot


class Scene(NamedTuple):
    """One look as every chain meets it."""

    plots: NDArray[np.float64]
    places: Places
    first_value: NDArray[np.float64]
    grid: Index
    everything: NDArray[np.int64]
    spread: float  # of the plots' second values
    density: NDArray[np.float64]
    log_birth: NDArray[np.float64]
    least_birth: float
    weighed: NDArray[np.int64]  # (m,) chains that each plot was weighed against so far


class Aim(NamedTuple):
    """Where a chain's next plot may be: `reach.reach_of`, and where the chain is."""

    x: float
    y: float
    z: float
    value: float
    near: float
    rate: float
    steady: float
    reach: float


@njit(cache=True)
def new_scene(
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    plots: NDArray[np.float64],
    density: NDArray[np.float64],
    birth: NDArray[np.float64],
    rows: int,
) -> Scene:
    """rows: how many rows of the table will be asked."""
    m = len(plots)
    flat = int(sensor[COMPONENT]) > IN_RATE
    cell, period = (CELL_M, 0.0) if flat else (CELL_RAD, 2.0 * math.pi)
    first_value, second_value = plots[:, 0].copy(), plots[:, 1].copy()
    log_birth = np.log(birth)
    many = m if rows > 0 or m > LOOKED_THROUGH else 0
    return Scene(
        plots,
        places_of(sensor, detection, plots),
        first_value,
        # nobody asks a grid over few
        build(first_value[:many], second_value[:many], CELL_M, cell, period),
        np.arange(m),
        second_value.max() - second_value.min() if m > 0 else 0.0,
        density,
        log_birth,
        log_birth.min() if m > 0 else 0.0,
        np.zeros(m, np.int64),
    )


@njit(cache=True)
def places_of(
    sensor: NDArray[np.float64], detection: NDArray[np.float64], plots: NDArray[np.float64]
) -> Places:
    """Where plots (m, PLOT) are; what measures no elevation saw them in the middle of its cover."""
    m = plots.shape[0]
    position, direction, seen = np.empty((m, 3)), np.zeros((m, 3)), np.empty(m)
    flat, ordered = int(sensor[COMPONENT]) > IN_RATE, int(sensor[COMPONENT]) == IN_RANGE
    raised, straight = measures(sensor, UPWARD), sensor[REFRACTIVITY] <= 0.0
    up = 0.5 * (sensor[ELEVATION_MIN] + sensor[ELEVATION_MAX])
    for j in range(m):
        if flat:
            position[j] = plots[j, :3]
            seen[j] = ungraded_detection(sensor, detection)
            continue
        elevation = plots[j, 2] if raised else up
        if raised and straight:
            at = along(sensor, plots[j, 0], plots[j, 4], plots[j, 5], plots[j, 6])
        else:
            at = position_of_plot(sensor, plots[j, 0], plots[j, 1], elevation)
        position[j, 0], position[j, 1], position[j, 2] = at
        x, y, z = position[j, 0] - sensor[0], position[j, 1] - sensor[1], position[j, 2] - sensor[2]
        apart = math.sqrt(x * x + y * y + z * z)
        if apart > 0.0:
            direction[j, 0], direction[j, 1], direction[j, 2] = x / apart, y / apart, z / apart
        if ordered:
            seen[j] = believed_detection(detection, sensor, plots[j, 0], elevation)
        else:
            seen[j] = ungraded_detection(sensor, detection)
    return Places(position, direction, seen)


@leaf
def _azimuths(sensor: NDArray[np.float64], x: float, y: float, z: float, reach: float) -> tuple[float, float]:
    """Azimuths (rad) between which a place within reach of x, y, z (m) is seen; a turn where that is all."""
    dx, dy, dz = x - sensor[0], y - sensor[1], z - sensor[2]
    e = sensor[ROTATION] * dx + sensor[ROTATION + 1] * dy + sensor[ROTATION + 2] * dz
    n = sensor[ROTATION + 3] * dx + sensor[ROTATION + 4] * dy + sensor[ROTATION + 5] * dz
    level = math.hypot(e, n)
    if not reach < level:
        return 0.0, 2.0 * math.pi
    middle, half = math.atan2(e, n), math.asin(reach / level) + 1e-9
    return middle - half, middle + half


@limb
def close_to(
    scene: Scene,
    sensor: NDArray[np.float64],
    aim: Aim,
    begun: tuple[float, float],
    dt: float,
    close: NDArray[np.int64],
) -> int:
    """Fill close (m,) with the plots within a chain's reach; how many.

    begun: range and range rate of a chain's only plot; a range below 0 where it has more, or none measured.
    """
    m = len(scene.plots)
    flat = int(sensor[COMPONENT]) > IN_RATE
    ordered = flat or int(sensor[COMPONENT]) == IN_RANGE
    start, stop = 0, m
    if ordered:
        start = place_of(scene.first_value, aim.value - aim.near)
        stop = place_of(scene.first_value, aim.value + aim.near)
    candidates = scene.everything[start:stop]
    # plots come in order of their first value; where that alone leaves many, the grid narrows them
    if stop - start > MANY and ordered and (int(sensor[DIMENSION]) > 1 if flat else measures(sensor, ACROSS)):
        if flat:
            low, high = aim.y - aim.reach, aim.y + aim.reach
        else:
            low, high = _azimuths(sensor, aim.x, aim.y, aim.z, aim.reach)
        if high - low < NARROW_TURN * scene.spread:
            candidates = within(scene.grid, aim.value - aim.near, aim.value + aim.near, low, high)
    n = 0
    for j in candidates:
        plot = scene.plots[j]
        if scene.places.seen[j] <= 0.0 or abs(plot[3] - aim.rate) > aim.steady:
            continue
        at = scene.places.position[j]
        apart2 = (at[0] - aim.x) ** 2 + (at[1] - aim.y) ** 2 + (at[2] - aim.z) ** 2
        if (ordered and apart2 > aim.reach * aim.reach) or scene.weighed[j] >= WEIGHED:
            continue
        if begun[0] >= 0.0 and not steady_pull(sensor, begun, (plot[0], plot[3]), dt):
            continue
        close[n] = j
        n += 1
    return n
