"""The end of a track: it came down, it was lost, or it never was.

In: the table and the time; out: rows freed, and why.  Rows that no sensor has looked at for a while are
predicted on, so that a missile out of every radar's sight still has its place in the picture.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.kernel import leaf
from jointwatch.motion.phases import CRUISE
from jointwatch.tracking.bank import KIND
from jointwatch.tracking.interaction import predict_row
from jointwatch.tracking.looks import LONGEST_GAP_S
from jointwatch.tracking.rows import likeliest
from jointwatch.tracking.rules import FLIGHT, GONE
from jointwatch.tracking.table import CONFIRMED, FREE

DOWN, LOST, VAGUE, DOUBLE = 1, 2, 3, 4
REASONS = ("", "came down", "lost", "too uncertain to keep", "merged with an older track")

UNSEEN_S = 15.0
"""A row not brought up to date for longer is predicted on: no sooner than a slow radar's next look would, or
every row would be predicted twice."""
SWEEP_NS = 1_000_000_000
"""Rows that a look does not touch are asked so often whether they have ended."""
CRUISE_KEEP_S = 60.0
BALLISTIC_KEEP_S = 900.0
VAGUE_M = 30e3
GROUND_M = -300.0
NOW = -(2**62)
"""Before all time: a row that lasts until then is to be asked."""


@leaf
def lasts_until(row: np.void, bank: NDArray[np.float64], rules: NDArray[np.float64]) -> int:
    """Time (ns) until which a row that no look touches neither ends, but by coming down, nor is predicted on.

    `NOW` where only asking it tells: one that the next sweep ends, or that stands for several hypotheses.
    """
    if row["cluster"] > 0 or row["log_odds"] < rules[GONE] or _is_vague(row["covariance"][likeliest(row)]):
        return NOW
    lasts = row["time_ns"] + int(UNSEEN_S * 1e9)
    return min(int(lasts), int(row["seen_ns"]) + int(_keep_s(int(bank[likeliest(row), KIND])) * 1e9))


@leaf
def _is_vague(cov: NDArray[np.float64]) -> bool:
    return bool(cov[0, 0] + cov[1, 1] + cov[2, 2] > VAGUE_M * VAGUE_M)


@leaf
def _keep_s(kind: int) -> float:
    """How long (s) a track without a plot is kept that moves like this."""
    return CRUISE_KEEP_S if kind == CRUISE else BALLISTIC_KEEP_S


@njit(cache=True)
def retire(
    table: NDArray[np.void],
    rows: NDArray[np.int64],
    bank: NDArray[np.float64],
    rules: NDArray[np.float64],
    time_ns: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and reason (ended, 2) of those of some rows (n,) whose tracks end by time_ns; they are freed.

    And the rows (m,) that were predicted on.
    """
    out, moved = np.empty((len(rows), 2), np.int64), np.empty(len(rows), np.int64)
    n, many = 0, 0
    for i in rows:
        row = table[i]
        if row["life"] != CONFIRMED:
            continue
        gap = (time_ns - row["time_ns"]) * 1e-9
        if UNSEEN_S < gap <= LONGEST_GAP_S:
            predict_row(bank, row, time_ns)
            moved[many] = i
            many += 1
        k = likeliest(row)
        mean = row["mean"][k]
        ahead = (time_ns - row["time_ns"]) * 1e-9
        height = height_above_ellipsoid(
            mean[0] + ahead * mean[3], mean[1] + ahead * mean[4], mean[2] + ahead * mean[5]
        )
        unseen = (time_ns - row["seen_ns"]) * 1e-9
        reason = 0
        if row["log_odds"] < rules[GONE] or gap > LONGEST_GAP_S:
            reason = LOST
        elif rules[FLIGHT] > 0.0 and height < GROUND_M:
            reason = DOWN
        elif unseen > _keep_s(int(bank[k, KIND])):
            reason = LOST
        elif _is_vague(row["covariance"][k]):
            reason = VAGUE
        if reason:
            row["life"] = FREE
            out[n, 0], out[n, 1] = i, reason
            n += 1
    return out[:n], moved[:many]
