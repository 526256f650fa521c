"""Branching: which tentative chains each plot of a look may continue, and how likely each is then.

In: the table and the sensor's seeds (`seeds`: chains of one plot), a look's plots with the densities of
clutter and of new objects at each; out: for every plot the few best chains it may continue with their log
odds, and for every chain how surely the look should have shown it.  A grid over the plots gives each chain
those in its own reach.  A seed is weighed by what two plots tell (`second_plot`); a row is predicted and
weighed in all motions, unless cheap bounds (`reach`) turn it away.  However dense the plots, each is weighed
against no more than WEIGHED chains; what grows with the square of a crowd is only the look at distances.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf, limb
from jointwatch.motion.gaussian import cholesky
from jointwatch.motion.phases import N
from jointwatch.sensing.expectation import SIZE, D, expect, innovation
from jointwatch.sensing.radar import (
    ACROSS,
    COMPONENT,
    DIMENSION,
    ELEVATION_MAX,
    ELEVATION_MIN,
    IN_RANGE,
    IN_RATE,
    PERIOD,
    REFRACTIVITY,
    ROTATION,
    UPWARD,
    along,
    measures,
    observe,
    position_of_plot,
)
from jointwatch.tracking.bank import SPEED
from jointwatch.tracking.birth import begin_row
from jointwatch.tracking.detection import believed_detection
from jointwatch.tracking.gating import GATE2
from jointwatch.tracking.index import Index, build, place_of, within
from jointwatch.tracking.interaction import mix, predict_row, rouse
from jointwatch.tracking.looks import row_may_be_seen, ungraded_detection, wedge_share
from jointwatch.tracking.reach import (
    BOUNDS,
    bound_motions,
    can_bound,
    level_reach,
    log_likelihood_bound,
    log_peak_bound,
    reach_at,
    reach_of,
    steady_pull,
)
from jointwatch.tracking.second_plot import second_plot_density, tells_velocity
from jointwatch.tracking.seeds import (
    AZIMUTH_RAD,
    ELEVATION_RAD,
    LEVEL_M,
    LOG_ODDS,
    RANGE_M,
    RATE_MS,
    STALE_S,
    STALE_SCANS,
    TIME_NS,
    Bed,
    outside_rad,
    seed_shown,
)
from jointwatch.tracking.table import PHASE_COUNT, TENTATIVE
from jointwatch.tracking.update import gauss

OTHERS_HITS = 2
"""From so many plots on, a chain knows its velocity well enough to be continued by the node's other
sensors."""
BRANCHES = 4
"""Most chains kept that end in the same plot."""
WEIGHED = 64
"""Most chains that a plot is weighed against in one look, those of several plots first: in a crowd that dense
the few that are kept are as good as any."""
MOST_LOG_ODDS = 100.0
"""Log odds of a tentative chain are capped here; a confirmed track begins at the cap of the rules."""
CELL_M, CELL_RAD = 10e3, 0.1
"""Sides of the grid's cells: about a usual reach in range, and across at usual ranges."""
MANY, NARROW_TURN = 16, 0.5
"""The grid is asked where more plots than this share a chain's reach in their first value, and its reach in
the second is less than this part of what they spread over; else looking at each is cheaper."""
LOOKED_THROUGH = 256
"""Up to so many plots of one range are looked through for those near a seed before the grid is asked."""
NONE = -1
"""No parent.  A row is its own number, and seed s is NONE - 1 - s."""


class Branches(NamedTuple):
    """What each plot of a look may continue, and how surely the look should have shown each chain."""

    rows: NDArray[np.int64]  # (n,) tentative rows of the table, ascending
    looked: NDArray[np.float64]  # (n,) probability that the look should have shown it; -1: not concerned
    seeds_looked: NDArray[np.float64]  # (s,) the same of each seed
    parents: NDArray[np.int64]  # (m, BRANCHES) rows or seeds that each plot may continue, or NONE
    odds: NDArray[np.float64]  # (m, BRANCHES) log odds of each then
    rivals: NDArray[np.float64]  # (m,) density of plots of objects not confirmed yet, over clutter's
    work: NDArray[np.int64]  # (3,) pairs within reach, rows predicted, pairs weighed


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
def _scene(
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


class Weigher(NamedTuple):
    """Room for one row: what the sensor should measure of it by motion, and bounds on that."""

    z: NDArray[np.float64]
    h: NDArray[np.float64]
    s: NDArray[np.float64]
    noise: NDArray[np.float64]
    low: NDArray[np.float64]
    y: NDArray[np.float64]
    means: NDArray[np.float64]
    covs: NDArray[np.float64]
    phase: NDArray[np.float64]
    bounds: NDArray[np.float64]
    close: NDArray[np.int64]  # (m,) plots within reach


@njit(cache=True)
def _new_weigher(kinds: int, m: int) -> Weigher:
    return Weigher(
        np.empty((PHASE_COUNT, SIZE)),
        np.empty((PHASE_COUNT, D, 6)),
        np.empty((PHASE_COUNT, D, D)),
        np.empty((PHASE_COUNT, D, D)),
        np.zeros((PHASE_COUNT, D, D)),
        np.empty(D),
        np.empty((kinds, N)),
        np.empty((kinds, N, N)),
        np.empty(kinds),
        np.empty((kinds, BOUNDS)),
        np.empty(m, np.int64),
    )


@leaf
def _keep_best(parents: NDArray[np.int64], odds: NDArray[np.float64], row: int, log_odds: float) -> None:
    """Put a row among the best BRANCHES of one plot, if it is one of them."""
    worst, slot = log_odds, -1
    for b in range(BRANCHES):
        if parents[b] == NONE:
            slot = b
            break
        if odds[b] < worst:
            worst, slot = odds[b], b
    if slot >= 0:
        parents[slot], odds[slot] = row, log_odds


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


@limb
def _close_to(
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


@limb
def _weigh_close(
    scene: Scene,
    weigher: Weigher,
    close: int,
    row: np.void,
    name: int,
    bank: NDArray[np.float64],
    sensor: NDArray[np.float64],
    bounded: bool,
    time_ns: int,
    parents: NDArray[np.int64],
    odds: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> bool:
    """Weigh a row against the first `close` plots in its reach; whether it was predicted to time_ns for that.

    name: of the row, among the parents.
    """
    kinds, dim = bank.shape[0], int(sensor[DIMENSION])
    z, low, y = weigher.z, weigher.low, weigher.y
    predicted, good, ready = False, True, False
    counts[0] += close
    for c in range(close):
        j = weigher.close[c]
        seen = scene.places.seen[j]
        if bounded and not predicted:
            if not ready:
                weigher.means[:], weigher.covs[:] = row["mean"][:kinds], row["covariance"][:kinds]
                weigher.phase[:] = row["phase"][:kinds]
                dt = (time_ns - row["time_ns"]) * 1e-9
                if kinds > 1:
                    mix(bank, weigher.means, weigher.covs, weigher.phase, dt, 0.0)
                bound_motions(bank, sensor, weigher.means, weigher.covs, dt, weigher.bounds)
                ready = True
                if row["log_odds"] + log_peak_bound(weigher.phase, weigher.bounds) < scene.least_birth:
                    break
            toward = scene.places.direction[j]
            bound = log_likelihood_bound(
                weigher.phase, weigher.bounds, scene.plots[j, 0], (toward[0], toward[1], toward[2])
            )
            if row["log_odds"] + bound + math.log(seen) < scene.log_birth[j]:
                continue
        if not predicted:
            predict_row(bank, row, time_ns)
            rouse(bank, row)
            for k in range(kinds):
                expect(
                    sensor, row["mean"][k], row["covariance"][k], z[k], weigher.h[k], weigher.s[k],
                    weigher.noise[k],
                )  # fmt: skip
                good = good and cholesky(weigher.s[k], dim, low[k])
            predicted = True
            counts[1] += 1
        if not good:
            break
        counts[2] += 1
        scene.weighed[j] += 1
        total, inside = 0.0, False
        for k in range(kinds):
            innovation(sensor, scene.plots[j], z[k], y)
            d2, log_of = gauss(low[k], dim, y)
            inside = inside or d2 < GATE2
            total += row["phase"][k] * seen * math.exp(log_of)
        if not inside or total <= 0.0:
            continue
        _offer(scene, j, name, row["log_odds"], total, parents, odds)
    return predicted


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
    scene = _scene(sensor, detection, plots, density, birth, len(rows))
    weigher = _new_weigher(bank.shape[0], len(plots))
    bounded = can_bound(sensor, bank)
    # chains of several plots first: where a crowd's plots take no more, those of one plot go without
    _ask_rows(
        scene, weigher, table, rows, looked, bank, sensor, detection, bounded, sensor_index, wedge, time_ns,
        parents, odds, counts,
    )  # fmt: skip
    _ask_seeds(
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
        close = _close_to(scene, sensor, aim, (-1.0, 0.0), dt, weigher.close)
        predicted = _weigh_close(
            scene, weigher, close, row, rows[a], bank, sensor, bounded, time_ns, parents, odds, counts
        )
        looked[a] = _shown(row, sensor, detection, wedge, m, 0.0 if predicted else dt)


@leaf
def _ask_seeds(
    scene: Scene,
    weigher: Weigher,
    scratch: NDArray[np.void],
    state: NDArray[np.float64],
    bed: Bed,
    looked: NDArray[np.float64],
    bank: NDArray[np.float64],
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    wedge: tuple[float, float],
    time_ns: int,
    parents: NDArray[np.int64],
    odds: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> None:
    """`find_parents` among the seeds; fills looked (s,).  scratch (a row), state (7,): to work in."""
    flat = int(sensor[COMPONENT]) > IN_RATE
    ordered = flat or int(sensor[COMPONENT]) == IN_RANGE
    rated = int(sensor[COMPONENT]) == IN_RANGE and measures(sensor, IN_RATE)
    tells, speed = tells_velocity(sensor, bank), bank[0, SPEED]
    width = (wedge[1] - wedge[0]) % (2.0 * math.pi)
    middle = (wedge[0] + 0.5 * width) % (2.0 * math.pi)
    longest_s = max(STALE_SCANS * sensor[PERIOD], STALE_S)
    plots, first_value, position = scene.plots, scene.first_value, scene.places.position
    # `level_reach` is linear: how it grows a second, and with range
    growth, wide = level_reach(sensor, speed, 0.0, 0.0, 1.0), level_reach(sensor, speed, 1.0, 0.0, 0.0)
    seeds, sights = bed.seeds, bed.sights
    for a in range(len(looked)):
        # most seeds lie nowhere near the wedge; an arc is at most so much longer than its sine
        dt, r, level = (time_ns - sights[a, TIME_NS]) * 1e-9, sights[a, RANGE_M], sights[a, LEVEL_M]
        rate = sights[a, RATE_MS]
        reach = (abs(rate) + growth) * dt + wide * r
        outside = outside_rad(sights[a, AZIMUTH_RAD], middle, width)
        if not flat and reach < level and outside * level > 0.5 * math.pi * reach:
            continue
        if dt <= 0.0 or dt > longest_s:
            continue
        looked[a] = seed_shown(sights[a], speed, sensor, detection, wedge, outside, dt)
        value, near, rate, steady, reach = reach_at(sensor, speed, r, rate, dt)
        begun = (r, rate) if rated else (-1.0, 0.0)
        start, stop = 0, len(plots)
        if ordered:
            start = place_of(first_value, value - near)
            stop = place_of(first_value, value + near)
        close = 0
        if stop - start <= LOOKED_THROUGH and ordered:
            # few: looked through here, for a call costs more; the seed itself only where directions are near
            for j in range(start, stop):
                if abs(plots[j, 3] - rate) > steady:
                    continue
                if tells and not flat:
                    off = abs(plots[j, 1] - sights[a, AZIMUTH_RAD])
                    if reach < level and min(off, 2.0 * math.pi - off) * level > 0.5 * math.pi * reach:
                        continue
                    off = abs(plots[j, 2] - sights[a, ELEVATION_RAD])
                    if reach < r and off * r > 0.5 * math.pi * reach:
                        continue
                at = seeds[a]["place"]
                apart2 = (position[j, 0] - at[0]) ** 2 + (position[j, 1] - at[1]) ** 2
                apart2 += (position[j, 2] - at[2]) ** 2
                if apart2 > reach * reach or scene.places.seen[j] <= 0.0 or scene.weighed[j] >= WEIGHED:
                    continue
                if rated and not steady_pull(sensor, begun, (plots[j, 0], plots[j, 3]), dt):
                    continue
                weigher.close[close] = j
                close += 1
        else:
            at = seeds[a]["place"]
            aim = Aim(at[0], at[1], at[2], value, near, rate, steady, reach)
            close = _close_to(scene, sensor, aim, begun, dt, weigher.close)
        if close == 0:
            continue
        seed, name = seeds[a], NONE - 1 - a
        dt = (time_ns - seed["time_ns"]) * 1e-9  # to the nanosecond
        if tells:
            counts[0] += close
            counts[2] += close
            for c in range(close):
                j = weigher.close[c]
                scene.weighed[j] += 1
                density = second_plot_density(
                    sensor, bank, seed["place"], rate, position[j], plots[j, 3], dt, state
                )
                if density > 0.0:
                    _offer(scene, j, name, sights[a, LOG_ODDS], density * scene.places.seen[j], parents, odds)
            continue
        begin_row(bank, scratch[0], sensor, seed["plot"], seed["time_ns"], seed["identity"])
        scratch[0]["life"], scratch[0]["log_odds"] = TENTATIVE, sights[a, LOG_ODDS]
        _weigh_close(
            scene, weigher, close, scratch[0], name, bank, sensor, False, time_ns, parents, odds, counts
        )


@leaf
def _offer(
    scene: Scene,
    j: int,
    name: int,
    log_odds: float,
    density: float,
    parents: NDArray[np.int64],
    odds: NDArray[np.float64],
) -> None:
    """Put a chain among the best of plot j, if it is one of them.

    log_odds: of the chain before; density: of the plot, if the chain gave it and the look shows it.
    """
    log_density = math.log(scene.density[j])
    log_odds = min(log_odds + math.log(density) - log_density, MOST_LOG_ODDS)
    # a chain that is no better than beginning anew from this plot is not worth a row
    if log_odds >= scene.log_birth[j] - log_density:
        _keep_best(parents[j], odds[j], name, log_odds)


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
