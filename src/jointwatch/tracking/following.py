"""Following: which plots of a look may be the second of a seed's object.

In: the seeds of the sensor (`seeds`) and the scene; out: what each offers to be followed by, weighed by what
two plots tell (`second_plot`), and how surely the look should have shown it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jointwatch.kernel import leaf
from jointwatch.sensing.radar import COMPONENT, IN_RANGE, IN_RATE, PERIOD, measures
from jointwatch.tracking.bank import SPEED
from jointwatch.tracking.birth import begin_row
from jointwatch.tracking.index import place_of
from jointwatch.tracking.offers import NONE, offer
from jointwatch.tracking.reach import level_reach, reach_at, steady_pull
from jointwatch.tracking.scene import LOOKED_THROUGH, WEIGHED, Aim, Scene, close_to
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
from jointwatch.tracking.table import TENTATIVE
from jointwatch.tracking.weighing import Weigher, weigh_close


@leaf
def ask_seeds(
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
            close = close_to(scene, sensor, aim, begun, dt, weigher.close)
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
                    offer(scene, j, name, sights[a, LOG_ODDS], density * scene.places.seen[j], parents, odds)
            continue
        begin_row(bank, scratch[0], sensor, seed["plot"], seed["time_ns"], seed["identity"])
        scratch[0]["life"], scratch[0]["log_odds"] = TENTATIVE, sights[a, LOG_ODDS]
        weigh_close(
            scene, weigher, close, scratch[0], name, bank, sensor, False, time_ns, parents, odds, counts
        )
