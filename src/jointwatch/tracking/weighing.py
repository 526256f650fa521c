"""Weighing: a chain of several plots against those of a look that lie in its reach, in all its motions.

In: a row of the table and the plots near it; out: what it offers to be continued by.  It is predicted and
weighed in all motions, unless cheap bounds (`reach`) turn it away.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import limb
from jointwatch.motion.gaussian import cholesky
from jointwatch.motion.phases import N
from jointwatch.sensing.expectation import SIZE, D, expect, innovation
from jointwatch.sensing.radar import DIMENSION
from jointwatch.tracking.gating import GATE2
from jointwatch.tracking.interaction import mix, predict_row, rouse
from jointwatch.tracking.offers import offer
from jointwatch.tracking.reach import BOUNDS, bound_motions, log_likelihood_bound, log_peak_bound
from jointwatch.tracking.scene import Scene
from jointwatch.tracking.table import PHASE_COUNT
from jointwatch.tracking.update import gauss


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
def new_weigher(kinds: int, m: int) -> Weigher:
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


@limb
def weigh_close(
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
                    mix(bank, weigher.means, weigher.covs, weigher.phase, dt)
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
        offer(scene, j, name, row["log_odds"], total, parents, odds)
    return predicted
