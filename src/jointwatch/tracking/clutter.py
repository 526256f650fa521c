"""The clutter map of one sensor: how many false plots to expect where, learned from the plots themselves.

In: the plots of each look that no confirmed track claims; out: a density in measurement space, per metre,
steradian and m/s as far as the sensor measures them, at any plot.  Cells are 5 degrees by a step of range
that grows with range by three layers of elevation by three of range rate, for clutter clumps near the radar,
near the ground and slow; each begins at the sensor's stated clutter spread evenly, and forgets slowly.  That
a cell gave nothing so far proves little where little is to be expected: an estimate never falls below that of
one plot's worth of faith in its ring (all azimuths together) and what the cell's own looks say against it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.sensing.coverage import in_wedge
from jointwatch.sensing.radar import (
    CLUTTER,
    COMPONENT,
    DIMENSION,
    ELEVATION_MAX,
    ELEVATION_MIN,
    IN_RATE,
    RANGE_MAX,
    UPWARD,
    measures,
)

AZIMUTHS, RANGES, LAYERS, SPEEDS = 72, 50, 3, 3
LOW_RAD, MIDDLE_RAD = math.radians(2.0), math.radians(12.0)
SPEED_EDGES_MS = np.array([0.0, 30.0, 150.0, 2000.0])
FAST_MS = 2000.0
"""Range rates up to this are looked for."""
PRIOR_LOOKS, MEMORY_LOOKS = 2.0, 40.0
RING_MEMORY_LOOKS = 60.0
LEAST_RING = 1e-7
"""Plots a look expected in a cell of a ring that never gave any."""


def new_clutter_map(sensor: NDArray[np.float64]) -> NDArray[np.float64]:
    """(cells, 3): expected plots a look, looks so far, and the ring's expected plots a look in each cell.

    From a sensor's parameter row.

    What measures positions has a map of one cell, the box of its greatest range each way.
    """
    if int(sensor[COMPONENT]) > IN_RATE:
        return np.array([[max(sensor[CLUTTER], 1e-12), PRIOR_LOOKS, 0.0]])
    cells = np.zeros((AZIMUTHS * RANGES * LAYERS * SPEEDS, 3))
    span = sensor[ELEVATION_MAX] - sensor[ELEVATION_MIN]
    rated, raised = measures(sensor, IN_RATE), measures(sensor, UPWARD)
    grid = cells[:, 0].reshape(AZIMUTHS, RANGES, LAYERS, SPEEDS)
    for step in range(RANGES):
        for layer in range(LAYERS):
            share = _range_width(sensor, step) / sensor[RANGE_MAX]
            share *= _layer_width(sensor, layer) / span if raised else 1.0
            for speed in range(SPEEDS):
                part = (SPEED_EDGES_MS[speed + 1] - SPEED_EDGES_MS[speed]) / FAST_MS if rated else 1.0
                grid[:, step, layer, speed] = max(sensor[CLUTTER] * share * part / AZIMUTHS, 1e-12)
    cells[:, 1] = PRIOR_LOOKS
    cells[:, 2] = cells[:, 0]
    return cells


@njit(cache=True)
def _range_width(sensor: NDArray[np.float64], step: int) -> float:
    """Width (m) of a step of range: steps are equal in its square root, so they are finest near the radar."""
    return float(sensor[RANGE_MAX] * (2.0 * step + 1.0) / (RANGES * RANGES))


@njit(cache=True)
def _layer_width(sensor: NDArray[np.float64], layer: int) -> float:
    low, high = sensor[ELEVATION_MIN], sensor[ELEVATION_MAX]
    edges = (low, min(max(LOW_RAD, low), high), min(max(MIDDLE_RAD, low), high), high)
    return float(max(edges[layer + 1] - edges[layer], 1e-3))


@njit(cache=True)
def _cell(sensor: NDArray[np.float64], plot: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Steps of azimuth, range, elevation and speed that a plot (4,) falls in."""
    a = min(int(plot[1] / (2.0 * math.pi) * AZIMUTHS), AZIMUTHS - 1)
    r = min(int(math.sqrt(plot[0] / sensor[RANGE_MAX]) * RANGES), RANGES - 1)
    layer = 0 if plot[2] < LOW_RAD else (1 if plot[2] < MIDDLE_RAD else 2)
    rate = abs(plot[3])
    return a, r, layer, 0 if rate < SPEED_EDGES_MS[1] else (1 if rate < SPEED_EDGES_MS[2] else 2)


@njit(cache=True)
def _index(a: int, r: int, layer: int, speed: int) -> int:
    return ((a * RANGES + r) * LAYERS + layer) * SPEEDS + speed


@njit(cache=True)
def clutter_density(
    cells: NDArray[np.float64], sensor: NDArray[np.float64], plots: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(m,) expected false plots per unit of measurement space at each plot (m, >= 4)."""
    out = np.empty(plots.shape[0])
    if int(sensor[COMPONENT]) > IN_RATE:
        out[:] = cells[0, 0] / (2.0 * sensor[RANGE_MAX]) ** sensor[DIMENSION]
        return out
    rated, raised = measures(sensor, IN_RATE), measures(sensor, UPWARD)
    for j in range(plots.shape[0]):
        a, r, layer, speed = _cell(sensor, plots[j])
        volume = _range_width(sensor, r) * 2.0 * math.pi / AZIMUTHS
        if raised:  # per steradian: a step of azimuth is the narrower the higher
            volume *= _layer_width(sensor, layer) * max(math.cos(plots[j, 2]), 1e-3)
        if rated:
            volume *= 2.0 * (SPEED_EDGES_MS[speed + 1] - SPEED_EDGES_MS[speed])
        cell = _index(a, r, layer, speed)
        ring = cells[_index(0, r, layer, speed), 2]
        out[j] = max(cells[cell, 0], 1.0 / (1.0 / ring + cells[cell, 1])) / volume
    return out


@njit(cache=True)
def learn_clutter(
    cells: NDArray[np.float64],
    sensor: NDArray[np.float64],
    azimuth_from: float,
    azimuth_to: float,
    plots: NDArray[np.float64],
    claimed: NDArray[np.float64],
) -> None:
    """Count one look into the cells it covered: plots (m, 4), each with the share tracks claim of it."""
    if int(sensor[COMPONENT]) > IN_RATE:
        looks = min(cells[0, 1] + 1.0, MEMORY_LOOKS)
        free = 0.0
        for j in range(plots.shape[0]):
            free += max(1.0 - claimed[j], 0.0)
        cells[0, 0] += (free - cells[0, 0]) / looks
        cells[0, 1] = looks
        return
    per_azimuth = RANGES * LAYERS * SPEEDS
    covered = 0
    for a in range(AZIMUTHS):
        if not in_wedge((a + 0.5) / AZIMUTHS * 2.0 * math.pi, azimuth_from, azimuth_to):
            continue
        covered += 1
        for c in range(a * per_azimuth, (a + 1) * per_azimuth):
            looks = min(cells[c, 1] + 1.0, MEMORY_LOOKS)
            cells[c, 0] *= (looks - 1.0) / looks
            cells[c, 1] = looks
    # a ring's estimate stands in its cell of azimuth 0; a whole turn counts as one look
    gain = covered / AZIMUTHS / RING_MEMORY_LOOKS
    for c in range(per_azimuth):
        cells[c, 2] = max((1.0 - gain) * cells[c, 2], LEAST_RING)
    for j in range(plots.shape[0]):
        a, r, layer, speed = _cell(sensor, plots[j])
        cell = _index(a, r, layer, speed)
        free = max(1.0 - claimed[j], 0.0)
        cells[cell, 0] += free / cells[cell, 1]
        cells[_index(0, r, layer, speed), 2] += free / AZIMUTHS / RING_MEMORY_LOOKS
