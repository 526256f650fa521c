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
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf
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
LEAST_KEPT = 1e-100
"""What is kept of old counts is multiplied into them before it is less than this."""


class ClutterMap(NamedTuple):
    """What one sensor's cells are expected to give: rows are steps of azimuth, columns all others.

    What is forgotten is forgotten by whole steps of azimuth, so a look touches a number for each of them and
    the cells of its plots: expected plots a look are `cells` times what is `kept` of that azimuth, and those
    of a ring (all azimuths together) `ring` times `ring_kept`.
    """

    cells: NDArray[np.float64]  # (azimuths, per azimuth)
    kept: NDArray[np.float64]  # (azimuths,)
    looks: NDArray[np.float64]  # (azimuths,) so far, at most MEMORY_LOOKS
    ring: NDArray[np.float64]  # (per azimuth,)
    ring_kept: NDArray[np.float64]  # (1,)

    def copy(self) -> ClutterMap:
        """The same in arrays of its own."""
        return ClutterMap(*(part.copy() for part in self))

    def expected(self) -> NDArray[np.float64]:
        """(azimuths, per azimuth) expected plots a look."""
        out: NDArray[np.float64] = self.cells * self.kept[:, None]
        return out


def new_clutter_map(sensor: NDArray[np.float64]) -> ClutterMap:
    """What a sensor's parameter row states, spread evenly.

    What measures positions has a map of one cell, the box of its greatest range each way.
    """
    if int(sensor[COMPONENT]) > IN_RATE:
        one = np.array([max(sensor[CLUTTER], 1e-12)])
        return ClutterMap(one[None, :], np.ones(1), np.full(1, PRIOR_LOOKS), one.copy(), np.ones(1))
    span = sensor[ELEVATION_MAX] - sensor[ELEVATION_MIN]
    rated, raised = measures(sensor, IN_RATE), measures(sensor, UPWARD)
    ring = np.zeros((RANGES, LAYERS, SPEEDS))
    for step in range(RANGES):
        for layer in range(LAYERS):
            share = _range_width(sensor, step) / sensor[RANGE_MAX]
            share *= _layer_width(sensor, layer) / span if raised else 1.0
            for speed in range(SPEEDS):
                part = (SPEED_EDGES_MS[speed + 1] - SPEED_EDGES_MS[speed]) / FAST_MS if rated else 1.0
                ring[step, layer, speed] = max(sensor[CLUTTER] * share * part / AZIMUTHS, 1e-12)
    cells = np.tile(ring.ravel(), (AZIMUTHS, 1))
    return ClutterMap(cells, np.ones(AZIMUTHS), np.full(AZIMUTHS, PRIOR_LOOKS), ring.ravel(), np.ones(1))


@leaf
def _range_width(sensor: NDArray[np.float64], step: int) -> float:
    """Width (m) of a step of range: steps are equal in its square root, so they are finest near the radar."""
    return float(sensor[RANGE_MAX] * (2.0 * step + 1.0) / (RANGES * RANGES))


@leaf
def _layer_width(sensor: NDArray[np.float64], layer: int) -> float:
    low, high = sensor[ELEVATION_MIN], sensor[ELEVATION_MAX]
    edges = (low, min(max(LOW_RAD, low), high), min(max(MIDDLE_RAD, low), high), high)
    return float(max(edges[layer + 1] - edges[layer], 1e-3))


@leaf
def _cell(sensor: NDArray[np.float64], plot: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Steps of azimuth, range, elevation and speed that a plot (4,) falls in."""
    a = min(int(plot[1] / (2.0 * math.pi) * AZIMUTHS), AZIMUTHS - 1)
    r = min(int(math.sqrt(plot[0] / sensor[RANGE_MAX]) * RANGES), RANGES - 1)
    layer = 0 if plot[2] < LOW_RAD else (1 if plot[2] < MIDDLE_RAD else 2)
    rate = abs(plot[3])
    return a, r, layer, 0 if rate < SPEED_EDGES_MS[1] else (1 if rate < SPEED_EDGES_MS[2] else 2)


@leaf
def _column(r: int, layer: int, speed: int) -> int:
    """Column of the map that steps of range, elevation and speed stand for."""
    return (r * LAYERS + layer) * SPEEDS + speed


@njit(cache=True)
def clutter_density(
    clutter: ClutterMap, sensor: NDArray[np.float64], plots: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(m,) expected false plots per unit of measurement space at each plot (m, >= 4)."""
    out = np.empty(plots.shape[0])
    if int(sensor[COMPONENT]) > IN_RATE:
        out[:] = clutter.cells[0, 0] * clutter.kept[0] / (2.0 * sensor[RANGE_MAX]) ** sensor[DIMENSION]
        return out
    rated, raised = measures(sensor, IN_RATE), measures(sensor, UPWARD)
    for j in range(plots.shape[0]):
        a, r, layer, speed = _cell(sensor, plots[j])
        volume = _range_width(sensor, r) * 2.0 * math.pi / AZIMUTHS
        if raised:  # per steradian: a step of azimuth is the narrower the higher
            volume *= _layer_width(sensor, layer) * max(math.cos(plots[j, 2]), 1e-3)
        if rated:
            volume *= 2.0 * (SPEED_EDGES_MS[speed + 1] - SPEED_EDGES_MS[speed])
        c = _column(r, layer, speed)
        ring = max(clutter.ring[c] * clutter.ring_kept[0], LEAST_RING)
        out[j] = max(clutter.cells[a, c] * clutter.kept[a], 1.0 / (1.0 / ring + clutter.looks[a])) / volume
    return out


@leaf
def _forget(counts: NDArray[np.float64], kept: NDArray[np.float64], a: int, keep: float) -> None:
    """Let a part `keep` of what counts (n,) stand for stay, through what is kept of them (a,)."""
    kept[a] *= keep
    if kept[a] < LEAST_KEPT:
        for c in range(len(counts)):
            counts[c] *= kept[a]
        kept[a] = 1.0


@njit(cache=True)
def learn_clutter(
    clutter: ClutterMap,
    sensor: NDArray[np.float64],
    azimuth_from: float,
    azimuth_to: float,
    plots: NDArray[np.float64],
    claimed: NDArray[np.float64],
) -> None:
    """Count one look into the cells it covered: plots (m, 4), each with the share tracks claim of it."""
    flat = int(sensor[COMPONENT]) > IN_RATE
    azimuths, covered = len(clutter.kept), 0
    for a in range(azimuths):
        if not flat and not in_wedge((a + 0.5) / azimuths * 2.0 * math.pi, azimuth_from, azimuth_to):
            continue
        covered += 1
        clutter.looks[a] = min(clutter.looks[a] + 1.0, MEMORY_LOOKS)
        _forget(clutter.cells[a], clutter.kept, a, 1.0 - 1.0 / clutter.looks[a])
    # a whole turn counts as one look at a ring
    _forget(clutter.ring, clutter.ring_kept, 0, 1.0 - covered / azimuths / RING_MEMORY_LOOKS)
    for j in range(plots.shape[0]):
        a, c = 0, 0
        if not flat:
            a, r, layer, speed = _cell(sensor, plots[j])
            c = _column(r, layer, speed)
        free = max(1.0 - claimed[j], 0.0)
        clutter.cells[a, c] += free / clutter.looks[a] / clutter.kept[a]
        clutter.ring[c] += free / azimuths / RING_MEMORY_LOOKS / clutter.ring_kept[0]
