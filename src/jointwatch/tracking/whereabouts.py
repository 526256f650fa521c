"""Whereabouts: place and velocity of every confirmed track in columns, for the question that all are asked.

In: the table's confirmed rows, brought up to date as they change; out: for a look, the few rows that may lie
in its wedge.  A row of the table is a kilobyte and a half, and nearly all rows are nowhere near a given look:
what tells so is eight numbers, side by side for all of them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.sensing.radar import COMPONENT, IN_RATE, ROTATION
from jointwatch.tracking.looks import may_be_seen, reach_m, slack_rad
from jointwatch.tracking.rows import likeliest
from jointwatch.tracking.table import CONFIRMED

ABSENT = -1


class Whereabouts(NamedTuple):
    """The confirmed rows, in no order: the first `many[0]` of each column."""

    many: NDArray[np.int64]  # (1,)
    row: NDArray[np.int64]  # (capacity,) in the table
    place: NDArray[np.float64]  # (6, capacity) x, y, z (m) and their rates (m/s), in the likeliest motion
    time_ns: NDArray[np.int64]  # (capacity,) of that
    slot: NDArray[np.int64]  # (capacity,) by row of the table: where it is here, or ABSENT

    def rows(self) -> NDArray[np.int64]:
        """(n,) confirmed rows, ascending."""
        return np.sort(self.row[: int(self.many[0])])


def new_whereabouts(capacity: int) -> Whereabouts:
    """Of a table of `capacity` rows without a track."""
    return Whereabouts(
        np.zeros(1, np.int64), np.zeros(capacity, np.int64), np.zeros((6, capacity)),
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
    whole, middle, least = flat or width == 0.0, wedge[0] + 0.5 * width, math.cos(0.5 * width)
    ahead = sensor[ROTATION : ROTATION + 6]
    across, along = math.sin(middle), math.cos(middle)
    for at in range(many):
        dt = (time_ns - where.time_ns[at]) * 1e-9
        x, y, z = where.place[0, at], where.place[1, at], where.place[2, at]
        vx, vy, vz = where.place[3, at], where.place[4, at], where.place[5, at]
        if not flat:
            dx, dy, dz = x + dt * vx - sensor[0], y + dt * vy - sensor[1], z + dt * vz - sensor[2]
            if dx * dx + dy * dy + dz * dz > far2:
                continue
            if not whole:
                # how far off the middle of the wedge, before anything dearer is asked: a cosine falls by no
                # more than its angle grows
                east = ahead[0] * dx + ahead[1] * dy + ahead[2] * dz
                north = ahead[3] * dx + ahead[4] * dy + ahead[5] * dz
                level = math.sqrt(east * east + north * north)
                if east * across + north * along < (least - 2.0 * slack_rad(level, dt)) * level:
                    continue
        if may_be_seen((x, y, z, vx, vy, vz), dt, sensor, wedge):
            told[n] = where.row[at]
            n += 1
    told = told[:n]
    told.sort()
    return told
