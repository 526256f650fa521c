"""One look at the picture, compiled: what it does to tracks, chains and what is learned, in one go.

In: the table and what stands beside it, what is learned of the sensor, the wedge looked at and its plots in
order of their first value; out: all of it brought up to date in place, and which rows changed.  The steps are
the textbook's, each in a room of its own: what chains may continue (`branching`), tracks (`confirmed`), what
the look proves of the sensor (`detection`, `clutter`), births (`tentative`) and ends (`life`).  They are
called from here, not from Python, for each call from there takes some microseconds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.tracking.branching import find_parents, no_branches
from jointwatch.tracking.clutter import ClutterMap, clutter_density, learn_clutter
from jointwatch.tracking.confirmed import update_confirmed
from jointwatch.tracking.detection import judge_looks
from jointwatch.tracking.duplicates import merge_duplicates
from jointwatch.tracking.hypotheses import drop_ended
from jointwatch.tracking.life import DOUBLE, retire
from jointwatch.tracking.scratch import Claims, Scratch
from jointwatch.tracking.seeds import Bed, drop_seeds
from jointwatch.tracking.table import EVIDENCE, FREE, TENTATIVE
from jointwatch.tracking.tentative import confirm, update_tentative
from jointwatch.tracking.undetected import after_look, birth_density
from jointwatch.tracking.whereabouts import Whereabouts, in_sight, may_have_ended, note_rows

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Picture(NamedTuple):
    """What an engine knows that is no one sensor's."""

    table: NDArray[np.void]
    clusters: NDArray[np.void]
    where: Whereabouts
    scratch: Scratch
    bank: Floats
    sensors: Floats  # (s, parameters) of all sensors
    detection: Floats  # (s, ..) what is learned of each one's


class Learning(NamedTuple):
    """What is learned of the sensor that looks, with room for a seed of every plot."""

    clutter: ClutterMap
    undetected: NDArray[np.void]
    bed: Bed


class Begun(NamedTuple):
    """What a look begins with."""

    density: Floats  # (m,) clutter's, at each plot
    told: Ints  # (n,) tracks that may lie in the wedge


class Waiting(NamedTuple):
    """Tracks that wait for another look, as the others see them."""

    near: NDArray[np.bool_]  # (m,) plots that may be theirs
    weight: Floats  # (m,) how likely, over clutter's


def nobody_waits(plots: int) -> Waiting:
    """What the others see of no track that waits, in so many plots."""
    return Waiting(np.zeros(plots, np.bool_), np.zeros(plots))


class Outcome(NamedTuple):
    """What a look changed; `engine.Looked` says what of it is told."""

    touched: Ints
    fresh: Ints
    ended: Ints  # (k, 3) first plot and chain of each track that ended, and why
    chains: Ints  # rows that are no tracks yet, from now on
    claimed: Floats  # (m,) share of each plot that tracks claim
    lost: int  # plots that found no place
    free: int  # no row before it is free
    gain: Floats  # (n,) what the look adds to the log odds of each row touched
    claims: Claims  # which plots tracks claim


@njit(cache=True)
def begin_look(
    picture: Picture,
    clutter: ClutterMap,
    sensor: Floats,
    wedge: tuple[float, float],
    time_ns: int,
    plots: Floats,
) -> Begun:
    """Which tracks a look concerns, and what clutter is to be expected at its plots (m, PLOT)."""
    drop_ended(picture.clusters, picture.table)
    return Begun(clutter_density(clutter, sensor, plots), in_sight(picture.where, sensor, wedge, time_ns))


@njit(cache=True)
def take_look(
    picture: Picture,
    learning: Learning,
    rules: Floats,
    chains: Ints,
    index: int,
    wedge: tuple[float, float],
    time_ns: int,
    plots: Floats,
    identity: Ints,
    begun: Begun,
    looked: Ints,
    offered: Ints,
    waiting: Waiting,
    begins: bool,
    free: int,
    next_number: int,
    sweep: bool,
) -> Outcome:
    """Take one look of sensor `index` at plots (m, PLOT), told apart for good by their identity (m,).

    chains: rows that are no tracks yet.  looked: those of the tracks told that have their look; offered:
    plots that may begin or continue chains; begins: whether any may.  free: no row before it is; next_number:
    of the first track to be confirmed.  sweep: whether rows that the look does not touch are asked whether
    they have ended.
    """
    table, bank, sensor, detection = (
        picture.table,
        picture.bank,
        picture.sensors[index],
        picture.detection[index],
    )
    some, density = plots[offered], begun.density[offered]
    branches, birth = no_branches(), np.empty(0)
    # a plot that no track claims is clutter's, or of an object that is not confirmed yet, or waits
    others = begun.density.copy()
    if begins:
        birth = birth_density(learning.undetected, sensor, detection, some, time_ns)
        after_look(learning.undetected, sensor, detection, wedge[0], wedge[1], time_ns)
        branches = find_parents(
            table, chains, learning.bed, bank, sensor, detection, index, wedge, time_ns, some, density, birth
        )
        for j in range(len(offered)):
            others[offered[j]] *= 1.0 + branches.rivals[j]
    for j in range(len(plots)):
        others[j] += begun.density[j] * waiting.weight[j]
    claimed, touched, seen, gave, ranges, gain, claims = update_confirmed(
        table, picture.clusters, looked, picture.scratch, bank, rules, sensor, detection, wedge[0], wedge[1],
        time_ns, plots, identity, others,
    )  # fmt: skip
    judge_looks(picture.detection, picture.sensors, index, table, touched, seen, gave, ranges)
    merged = merge_duplicates(table, picture.clusters, touched, seen, gave, rules)
    ended, many = np.empty((len(merged), 3), np.int64), len(merged)
    for k in range(many):  # now, for births may have their rows
        ended[k] = table[merged[k]]["first_plot"], table[merged[k]]["chain"], DOUBLE
        free = min(free, merged[k])
    for j in range(len(plots)):
        if waiting.near[j]:
            claimed[j] = 1.0
    lost = 0
    if begins:
        lost, free, chains = update_tentative(
            table, learning.bed, free, bank, sensor, index, time_ns, some, identity[offered], density,
            claimed[offered], birth, branches,
        )  # fmt: skip
    learn_clutter(learning.clutter, sensor, wedge[0], wedge[1], plots, claimed)
    fresh = confirm(table, chains, rules, next_number)
    if len(fresh) > 0:
        free, chains = _left(table, chains, free)
        drop_seeds(learning.bed, _evidence(table, fresh))
    asked = np.concatenate((touched, fresh))
    if sweep:
        asked = np.unique(np.concatenate((asked, may_have_ended(picture.where, time_ns, rules))))
    gone, moved = retire(table, asked, bank, rules, time_ns)
    more = np.empty((len(gone), 3), np.int64)
    for k in range(len(gone)):
        more[k] = table[gone[k, 0]]["first_plot"], table[gone[k, 0]]["chain"], gone[k, 1]
        free = min(free, gone[k, 0])
    for rows in (begun.told, fresh, gone[:, 0].copy(), moved):
        note_rows(picture.where, table, rows, bank, rules)
    return Outcome(touched, fresh, np.concatenate((ended, more)), chains, claimed, lost, free, gain, claims)


@njit(cache=True)
def _left(table: NDArray[np.void], chains: Ints, free: int) -> tuple[int, Ints]:
    """Of some rows, of which some were confirmed or freed: the first free row, and those that are chains."""
    kept, n = np.empty(len(chains), np.int64), 0
    for i in chains:
        if table[i]["life"] == FREE:
            free = min(free, i)
        elif table[i]["life"] == TENTATIVE:
            kept[n] = i
            n += 1
    return free, kept[:n]


@njit(cache=True)
def _evidence(table: NDArray[np.void], rows: Ints) -> Ints:
    """Identities of the latest plots of some rows, ascending, each once."""
    out = np.empty(len(rows) * EVIDENCE, np.int64)
    for a in range(len(rows)):
        for e in range(EVIDENCE):
            out[a * EVIDENCE + e] = table[rows[a]]["evidence"][e]
    return np.unique(out)
