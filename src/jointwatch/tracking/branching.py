"""Branching: which tentative chains each plot of a look may continue, and how likely each is then.

In: the table and the sensor's seeds (`seeds`: chains of one plot), a look's plots with the densities of
clutter and of new objects at each; out: for every plot the few best chains it may continue with their log
odds (`offers`), and for every chain how surely the look should have shown it.  Each meets the plots in its
own reach (`scene`): a seed is followed by what two plots tell (`following`), a row is predicted and weighed
in all motions (`weighing`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf
from jointwatch.motion.phases import N
from jointwatch.sensing.radar import (
    COMPONENT,
    IN_RANGE,
    IN_RATE,
    PERIOD,
    observe,
)
from jointwatch.tracking.bank import SPEED
from jointwatch.tracking.detection import believed_detection
from jointwatch.tracking.following import ask_seeds
from jointwatch.tracking.interaction import rouse
from jointwatch.tracking.looks import row_may_be_seen, ungraded_detection, wedge_share
from jointwatch.tracking.offers import BRANCHES, NONE
from jointwatch.tracking.reach import (
    can_bound,
    reach_of,
)
from jointwatch.tracking.scene import Aim, Scene, close_to, new_scene
from jointwatch.tracking.seeds import (
    LOG_ODDS,
    STALE_S,
    STALE_SCANS,
    Bed,
)
from jointwatch.tracking.weighing import Weigher, new_weigher, weigh_close

OTHERS_HITS = 2
"""From so many plots on, a chain knows its velocity well enough to be continued by the node's other
sensors."""


class Branches(NamedTuple):
    """What each plot of a look may continue, and how surely the look should have shown each chain."""

    rows: NDArray[np.int64]  # (n,) tentative rows of the table, ascending
    looked: NDArray[np.float64]  # (n,) probability that the look should have shown it; -1: not concerned
    seeds_looked: NDArray[np.float64]  # (s,) the same of each seed
    parents: NDArray[np.int64]  # (m, BRANCHES) rows or seeds that each plot may continue, or NONE
    odds: NDArray[np.float64]  # (m, BRANCHES) log odds of each then
    rivals: NDArray[np.float64]  # (m,) density of plots of objects not confirmed yet, over clutter's
    work: NDArray[np.int64]  # (3,) pairs within reach, rows predicted, pairs weighed


@leaf
def _shown(
    row: np.void,
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    wedge: tuple[float, float],
    m: NDArray[np.float64],
    ahead: float,
) -> float:
    """How surely a look should have shown a row of mean m (>= 6,), `ahead` seconds before the look."""
    shown = ungraded_detection(sensor, detection)
    if int(sensor[COMPONENT]) > IN_RATE:
        return shown
    r, azimuth, elevation, _ = observe(
        sensor, m[0] + ahead * m[3], m[1] + ahead * m[4], m[2] + ahead * m[5], m[3], m[4], m[5]
    )
    inside = wedge_share(azimuth, 0.01, wedge[0], wedge[1])
    if inside > 0.0 and int(sensor[COMPONENT]) == IN_RANGE:
        shown = believed_detection(detection, sensor, r, elevation)
    return shown * inside


@njit(cache=True)
def find_parents(
    table: NDArray[np.void],
    rows: NDArray[np.int64],
    bed: Bed,
    bank: NDArray[np.float64],
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    sensor_index: int,
    wedge: tuple[float, float],
    time_ns: int,
    plots: NDArray[np.float64],
    density: NDArray[np.float64],
    birth: NDArray[np.float64],
) -> Branches:
    """Find, for each plot, the best of tentative rows (n,) and of the sensor's seeds that it may continue.

    density, birth (m,): of clutter and of new objects, at each plot, in measurement space.  Rows that some
    plot may continue are predicted to time_ns.
    """
    parents, odds = np.full((len(plots), BRANCHES), NONE), np.zeros((len(plots), BRANCHES))
    looked, seeds_looked = np.full(len(rows), -1.0), np.full(bed.many[0], -1.0)
    counts = np.zeros(3, np.int64)
    scene = new_scene(sensor, detection, plots, density, birth, len(rows))
    weigher = new_weigher(bank.shape[0], len(plots))
    bounded = can_bound(sensor, bank)
    # chains of several plots first: where a crowd's plots take no more, those of one plot go without
    _ask_rows(
        scene, weigher, table, rows, looked, bank, sensor, detection, bounded, sensor_index, wedge, time_ns,
        parents, odds, counts,
    )  # fmt: skip
    ask_seeds(
        scene, weigher, np.empty(1, table.dtype), np.empty(N), bed, seeds_looked, bank, sensor, detection,
        wedge, time_ns, parents, odds, counts,
    )  # fmt: skip
    rivals = _rivals(table, bed.sights, parents, odds)
    return Branches(rows, looked, seeds_looked, parents, odds, rivals, counts)


@njit(cache=True)
def no_branches() -> Branches:
    """Of a look that nothing may be continued by."""
    none, nothing = np.empty(0, np.int64), np.empty(0)
    return Branches(
        none, nothing, nothing, np.empty((0, BRANCHES), np.int64), np.empty((0, BRANCHES)), nothing, none
    )


@njit(cache=True)
def _ask_rows(
    scene: Scene,
    weigher: Weigher,
    table: NDArray[np.void],
    rows: NDArray[np.int64],
    looked: NDArray[np.float64],
    bank: NDArray[np.float64],
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    bounded: bool,
    sensor_index: int,
    wedge: tuple[float, float],
    time_ns: int,
    parents: NDArray[np.int64],
    odds: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> None:
    """`find_parents` among the rows of the table; fills looked (n,)."""
    middle = min(1, bank.shape[0] - 1)
    for a in range(len(rows)):
        row = table[rows[a]]
        if row["sensor"] != sensor_index and row["hits"] < OTHERS_HITS:
            continue
        dt = (time_ns - row["time_ns"]) * 1e-9
        # one so old is given up when this look is done: its prediction would be nothing but cost
        if dt <= 0.0 or dt > max(STALE_SCANS * sensor[PERIOD], STALE_S):
            continue
        if not row_may_be_seen(row, sensor, wedge, time_ns):
            continue
        rouse(bank, row)
        m = row["mean"][middle]
        value, near, rate, steady, reach = reach_of(m, bank[0, SPEED], sensor, dt)
        aim = Aim(m[0], m[1], m[2], value, near, rate, steady, reach)
        close = close_to(scene, sensor, aim, (-1.0, 0.0), dt, weigher.close)
        predicted = weigh_close(
            scene, weigher, close, row, rows[a], bank, sensor, bounded, time_ns, parents, odds, counts
        )
        looked[a] = _shown(row, sensor, detection, wedge, m, 0.0 if predicted else dt)


@njit(cache=True)
def _rivals(
    table: NDArray[np.void],
    sights: NDArray[np.float64],
    parents: NDArray[np.int64],
    odds: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Density (m,) of plots of objects that exist and are not confirmed yet, over that of clutter.

    Chains that end in one plot are one object told in several ways, so only the likeliest counts.
    """
    out = np.zeros(len(parents))
    for j in range(len(parents)):
        for b in range(BRANCHES):
            i = parents[j, b]
            if i != NONE:
                before = table[i]["log_odds"] if i >= 0 else sights[NONE - 1 - i, LOG_ODDS]
                out[j] = max(out[j], math.exp(odds[j, b]) / (1.0 + math.exp(before)))
    return out
