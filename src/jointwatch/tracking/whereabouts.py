"""Whereabouts: place and velocity of every confirmed track in columns, for the question that all are asked.

In: the table's confirmed rows, brought up to date as they change; out: for a look, the few rows that may lie
in its wedge.  A row of the table is a kilobyte and a half, and nearly all rows are nowhere near a given look:
what tells so is ten numbers, side by side for all of them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.sensing.radar import COMPONENT, IN_RATE, ROTATION, SIGMA_AZIMUTH
from jointwatch.tracking.looks import LONGEST_GAP_S, reach_m
from jointwatch.tracking.rows import likeliest
from jointwatch.tracking.table import CONFIRMED, PHASE_COUNT

ABSENT = -1
SIGMAS = 4.0
"""So far out a track shows in a look with less than any probability that is asked about (`gating`)."""
PULL_MS2 = 200.0
"""What moves off a straight line is pulled no harder than this: by a motor, or by dense air."""
NOTABLE_SHARE = 1e-3
"""Motions of a track that are less probable do not count in how well it is known."""
NEAR_M = 1e3
"""Nearer than this to a radar's axis a direction is not looked at more closely."""
TOLD_APART_M = 8e3
"""Where hypotheses differ on what a track is, its places may lie so far apart."""


class Whereabouts(NamedTuple):
    """The confirmed rows, in no order: the first `many[0]` of each column."""

    many: NDArray[np.int64]  # (1,)
    row: NDArray[np.int64]  # (capacity,) in the table
    place: NDArray[np.float64]  # (6, capacity) x, y, z (m) and their rates (m/s), in the likeliest motion
    spread: NDArray[np.float64]  # (2, capacity) sigma of the place (m) and of the velocity (m/s)
    time_ns: NDArray[np.int64]  # (capacity,) of that
    slot: NDArray[np.int64]  # (capacity,) by row of the table: where it is here, or ABSENT

    def rows(self) -> NDArray[np.int64]:
        """(n,) confirmed rows, ascending."""
        return np.sort(self.row[: int(self.many[0])])


def new_whereabouts(capacity: int) -> Whereabouts:
    """Of a table of `capacity` rows without a track."""
    return Whereabouts(
        np.zeros(1, np.int64), np.zeros(capacity, np.int64), np.zeros((6, capacity)), np.zeros((2, capacity)),
        np.zeros(capacity, np.int64), np.full(capacity, ABSENT),
    )  # fmt: skip


@njit(cache=True)
def note_row(where: Whereabouts, table: NDArray[np.void], i: int) -> None:
    """Bring what is known of row i up to date: it may have moved, begun or ended."""
    at = where.slot[i]
    if table[i]["life"] != CONFIRMED:
        if at >= 0:
            last = where.many[0] - 1
            moved = where.row[last]
            where.row[at], where.time_ns[at], where.slot[moved] = moved, where.time_ns[last], at
            for c in range(6):
                where.place[c, at] = where.place[c, last]
            for c in range(2):
                where.spread[c, at] = where.spread[c, last]
            where.slot[i] = ABSENT
            where.many[0] = last
        return
    if at < 0:
        at = where.many[0]
        where.many[0] += 1
        where.row[at], where.slot[i] = i, at
    k = likeliest(table[i])
    for c in range(6):
        where.place[c, at] = table[i]["mean"][k, c]
    where.time_ns[at] = table[i]["time_ns"]
    place2, speed2 = 0.0, 0.0
    for k in range(PHASE_COUNT):
        if table[i]["phase"][k] >= NOTABLE_SHARE:
            p = table[i]["covariance"][k]
            place2 = max(place2, p[0, 0] + p[1, 1] + p[2, 2])
            speed2 = max(speed2, p[3, 3] + p[4, 4] + p[5, 5])
    where.spread[0, at] = math.sqrt(place2) if table[i]["cluster"] == 0 else TOLD_APART_M
    where.spread[1, at] = math.sqrt(speed2)


@njit(cache=True)
def note_rows(where: Whereabouts, table: NDArray[np.void], rows: NDArray[np.int64]) -> None:
    """`note_row` of each of some rows (n,)."""
    for i in rows:
        note_row(where, table, i)


def forget_all(where: Whereabouts) -> None:
    """Begin anew, with no track."""
    where.slot[where.row[: int(where.many[0])]] = ABSENT
    where.many[0] = 0


@njit(cache=True)
def in_sight(
    where: Whereabouts, sensor: NDArray[np.float64], wedge: tuple[float, float], time_ns: int
) -> NDArray[np.int64]:
    """Confirmed rows (n,) that may lie in the wedge, ascending."""
    n, many = 0, where.many[0]
    told = np.empty(many, np.int64)
    flat = int(sensor[COMPONENT]) > IN_RATE
    far2 = reach_m(sensor) ** 2
    width = (wedge[1] - wedge[0]) % (2.0 * math.pi)
    whole, middle, least = width == 0.0, wedge[0] + 0.5 * width, math.cos(0.5 * width)
    ahead = sensor[ROTATION : ROTATION + 6]
    across, along = math.sin(middle), math.cos(middle)
    for at in range(many):
        dt = (time_ns - where.time_ns[at]) * 1e-9
        if dt > LONGEST_GAP_S:
            continue
        if not flat:
            dx = where.place[0, at] + dt * where.place[3, at] - sensor[0]
            dy = where.place[1, at] + dt * where.place[4, at] - sensor[1]
            dz = where.place[2, at] + dt * where.place[5, at] - sensor[2]
            if dx * dx + dy * dy + dz * dz > far2:
                continue
            if not whole:
                east = ahead[0] * dx + ahead[1] * dy + ahead[2] * dz
                north = ahead[3] * dx + ahead[4] * dy + ahead[5] * dz
                level, ahead_m = math.sqrt(east * east + north * north), east * across + north * along
                slack_m = SIGMAS * (where.spread[0, at] + dt * where.spread[1, at]) + 0.5 * PULL_MS2 * dt * dt
                slack = SIGMAS * sensor[SIGMA_AZIMUTH] + slack_m / max(level, NEAR_M)
                # a cosine falls by no more than its angle grows: no arc is worked out for most
                if ahead_m < (least - slack) * level:
                    continue
                off = math.atan2(abs(east * along - north * across), ahead_m)
                if off - 0.5 * width > slack:
                    continue
        told[n] = where.row[at]
        n += 1
    told = told[:n]
    told.sort()
    return told
