"""Whereabouts: place and velocity of every confirmed track beside the table, for what all are asked.

In: the table's confirmed rows, brought up to date as they change; out: for a look, the few rows that may lie
in its wedge; and now and then, those that may have ended though nothing looked at them.  A row of the table
is nearly two kilobytes, and nearly all rows are nowhere near a given look: what tells so is one line of the
cache.  Those lines lie in the order of cells of the globe, so that a look reads its own neighbourhood
however many tracks there are elsewhere: filed anew every few seconds, for what flies leaves its cell.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import SEMI_MAJOR_M
from jointwatch.kernel import leaf, limb
from jointwatch.sensing.radar import COMPONENT, IN_RATE, ROTATION
from jointwatch.tracking.index import counting_sort
from jointwatch.tracking.life import GROUND_M, lasts_until
from jointwatch.tracking.looks import may_be_seen, reach_m, slack_m
from jointwatch.tracking.rows import likeliest
from jointwatch.tracking.rules import FLIGHT
from jointwatch.tracking.table import CONFIRMED

ABSENT = -1
USED, FILED, EMPTY, FILED_NS = range(4)
"""Counts: slots in use, the first of them that lie by cell, those of these that hold no row any more; and the
time by which they were filed."""
STRAYED = 6
"""Column of a slot's line, after place and velocity: how far (m) it may lie from where it was filed, beyond
what coasting explains."""
LINE = 8
BANDS, COLUMNS, HIGHEST_M = 64, 64, 1.1 * SEMI_MAJOR_M
"""Cells: bands of the height above the equator's plane, up to this, and columns of longitude."""
ROAM_M, FASTEST_MS = 50e3, 12e3
"""What strays farther from where it was filed, or is faster, lies behind those that are filed, and is always
asked."""
FILE_NS, FEW = 5_000_000_000, 64
"""How long a filing lasts, and how many rows behind it do not call for another."""


class Whereabouts(NamedTuple):
    """The confirmed rows, one to a slot: first those filed by cell, then the others in no order."""

    counts: NDArray[np.int64]  # (4,)
    start: NDArray[np.int64]  # (BANDS * COLUMNS + 1,) slots of the cells that are filed
    row: NDArray[np.int64]  # (slots,) in the table, or ABSENT
    line: NDArray[np.float64]  # (slots, LINE) x, y, z (m) and their rates (m/s), in the likeliest motion
    time_ns: NDArray[np.int64]  # (slots,) of that
    lasts_ns: NDArray[np.int64]  # (slots,) until when it is a track, as long as it does not come down
    slot: NDArray[np.int64]  # (capacity,) by row of the table: where it is here, or ABSENT

    def rows(self) -> NDArray[np.int64]:
        """(n,) confirmed rows, ascending."""
        kept = self.row[: int(self.counts[USED])]
        return np.sort(kept[kept != ABSENT])

    def __len__(self) -> int:
        return int(self.counts[USED] - self.counts[EMPTY])


def new_whereabouts(capacity: int) -> Whereabouts:
    """Of a table of `capacity` rows without a track."""
    slots = capacity + FEW
    return Whereabouts(
        np.zeros(4, np.int64), np.zeros(BANDS * COLUMNS + 1, np.int64), np.full(slots, ABSENT),
        np.zeros((slots, LINE)), np.zeros(slots, np.int64), np.zeros(slots, np.int64),
        np.full(capacity, ABSENT),
    )  # fmt: skip


@leaf
def note_row(
    where: Whereabouts, table: NDArray[np.void], i: int, bank: NDArray[np.float64], rules: NDArray[np.float64]
) -> None:
    """Bring what is known of row i up to date: it may have moved, begun or ended."""
    row, at = table[i], where.slot[i]
    if row["life"] != CONFIRMED:
        if at != ABSENT:
            _leave(where, at)
            where.slot[i] = ABSENT
        return
    mean = row["mean"][likeliest(row)]
    strayed = 0.0
    if 0 <= at < where.counts[FILED]:
        # where it was thought to be when it was filed, and where it is thought now to have been then
        line = where.line[at]
        before, since = where.counts[FILED_NS] - where.time_ns[at], where.counts[FILED_NS] - row["time_ns"]
        off2 = 0.0
        for c in range(3):
            off = mean[c] + since * 1e-9 * mean[3 + c] - line[c] - before * 1e-9 * line[3 + c]
            off2 += off * off
        strayed = line[STRAYED] + math.sqrt(off2)
        if strayed > ROAM_M or _is_fast(mean):
            _leave(where, at)
            at = ABSENT
    if at == ABSENT:
        at = _new_slot(where)
        where.row[at], where.slot[i] = i, at
    for c in range(6):
        where.line[at, c] = mean[c]
    where.line[at, STRAYED] = strayed
    where.time_ns[at], where.lasts_ns[at] = row["time_ns"], lasts_until(row, bank, rules)


@leaf
def _is_fast(motion: NDArray[np.float64]) -> bool:
    """Whether a place and velocity (>= 6,) is of something too fast to be filed."""
    return not motion[3] ** 2 + motion[4] ** 2 + motion[5] ** 2 <= FASTEST_MS * FASTEST_MS


@njit(cache=True)
def _new_slot(where: Whereabouts) -> int:
    """A slot behind those in use; where there is none, the empty ones are closed up."""
    if where.counts[USED] == len(where.row):
        file_rows(where, where.counts[FILED_NS])
    where.counts[USED] += 1
    return int(where.counts[USED]) - 1


@leaf
def _leave(where: Whereabouts, at: int) -> None:
    """Take the row out of a slot; the order of those filed stays."""
    if at < where.counts[FILED]:
        where.row[at] = ABSENT
        where.counts[EMPTY] += 1
        return
    last = where.counts[USED] - 1
    if at < last:
        _move(where, last, at)
    where.row[last] = ABSENT
    where.counts[USED] = last


@leaf
def _move(where: Whereabouts, at: int, to: int) -> None:
    """Put what slot `at` holds in slot `to`."""
    where.row[to], where.time_ns[to], where.lasts_ns[to] = (
        where.row[at],
        where.time_ns[at],
        where.lasts_ns[at],
    )
    for c in range(LINE):
        where.line[to, c] = where.line[at, c]
    where.slot[where.row[to]] = to


@njit(cache=True)
def note_rows(
    where: Whereabouts,
    table: NDArray[np.void],
    rows: NDArray[np.int64],
    bank: NDArray[np.float64],
    rules: NDArray[np.float64],
) -> None:
    """`note_row` of each of some rows (n,)."""
    for i in rows:
        note_row(where, table, i, bank, rules)


def forget_all(where: Whereabouts) -> None:
    """Begin anew, with no track."""
    where.slot[where.rows()] = ABSENT
    where.row[: int(where.counts[USED])] = ABSENT
    where.counts[:], where.start[:] = 0, 0


@leaf
def _band(z: float) -> int:
    """Band of cells of a height (m) above the equator's plane."""
    share = (z + HIGHEST_M) / (2.0 * HIGHEST_M)
    return int(min(max(share, 0.0), 1.0 - 1e-9) * BANDS)


@leaf
def _coasted(line: NDArray[np.float64], at: int, ahead: float) -> tuple[float, float, float]:
    """Place (m) of a slot's line, moved on in a straight line for so many seconds."""
    x, y, z = line[at, 0], line[at, 1], line[at, 2]
    return x + ahead * line[at, 3], y + ahead * line[at, 4], z + ahead * line[at, 5]


@limb
def file_rows(where: Whereabouts, time_ns: int) -> None:
    """Bring the slots into the order of cells as of time_ns (ns), and those behind that belong in none."""
    used = where.counts[USED]
    cell, old = np.empty(used, np.int64), np.empty(used, np.int64)
    n, last = 0, BANDS * COLUMNS
    for at in range(used):
        if where.row[at] == ABSENT:
            continue
        x, y, z = _coasted(where.line, at, (time_ns - where.time_ns[at]) * 1e-9)
        cell[n], old[n] = last, at
        if not _is_fast(where.line[at]):
            turned = math.atan2(y, x) % (2.0 * math.pi)
            cell[n] = _band(z) * COLUMNS + min(int(turned * COLUMNS / (2.0 * math.pi)), COLUMNS - 1)
        n += 1
    start, order = counting_sort(cell[:n], last + 1)
    row, time, lasts = where.row[:used].copy(), where.time_ns[:used].copy(), where.lasts_ns[:used].copy()
    line = where.line[:used].copy()
    for to in range(n):
        at = old[order[to]]
        where.row[to], where.time_ns[to], where.lasts_ns[to] = row[at], time[at], lasts[at]
        where.slot[row[at]] = to
        for c in range(STRAYED):
            where.line[to, c] = line[at, c]
        where.line[to, STRAYED] = 0.0
    where.row[n:used] = ABSENT
    where.start[:] = start[: last + 1]
    where.counts[USED], where.counts[FILED], where.counts[EMPTY] = n, start[last], 0
    where.counts[FILED_NS] = time_ns


class _Wedge(NamedTuple):
    """What of a look tells at once that something does not lie in it."""

    flat: bool
    whole: bool
    far2: float
    across: float
    along: float
    least: float


@njit(cache=True)
def in_sight(
    where: Whereabouts, sensor: NDArray[np.float64], wedge: tuple[float, float], time_ns: int
) -> NDArray[np.int64]:
    """Confirmed rows (n,) that may lie in the wedge, ascending."""
    used, filed = where.counts[USED], where.counts[FILED]
    told, n = np.empty(used, np.int64), 0
    flat = int(sensor[COMPONENT]) > IN_RATE
    width = (wedge[1] - wedge[0]) % (2.0 * math.pi)
    middle = wedge[0] + 0.5 * width
    plain = _Wedge(
        flat, width == 0.0, reach_m(sensor) ** 2, math.sin(middle), math.cos(middle), math.cos(0.5 * width)
    )
    if flat:
        n = _ask(where, 0, used, sensor, wedge, plain, time_ns, told, n)
        told[:n].sort()
        return told[:n]
    x, y, z = sensor[0], sensor[1], sensor[2]
    reach = reach_m(sensor) + ROAM_M + FASTEST_MS * abs(time_ns - where.counts[FILED_NS]) * 1e-9
    axis = math.hypot(x, y)
    first, columns = 0, COLUMNS
    if reach < axis:  # else it may see across the pole
        cell, half = 2.0 * math.pi / COLUMNS, math.asin(reach / axis)
        first = math.floor((math.atan2(y, x) - half) / cell)
        columns = min(math.floor((math.atan2(y, x) + half) / cell) - first + 1, COLUMNS)
    for band in range(_band(z - reach), _band(z + reach) + 1):
        # columns that follow one another are one stretch of slots, but for where they come round
        begin, left = first % COLUMNS, columns
        while left > 0:
            end = min(begin + left, COLUMNS)
            one, other = where.start[band * COLUMNS + begin], where.start[band * COLUMNS + end]
            n = _ask(where, one, other, sensor, wedge, plain, time_ns, told, n)
            left -= end - begin
            begin = 0
    n = _ask(where, filed, used, sensor, wedge, plain, time_ns, told, n)
    told[:n].sort()
    return told[:n]


@leaf
def _ask(
    where: Whereabouts,
    begin: int,
    end: int,
    sensor: NDArray[np.float64],
    wedge: tuple[float, float],
    plain: _Wedge,
    time_ns: int,
    told: NDArray[np.int64],
    n: int,
) -> int:
    """Add to the first n of told those rows in slots begin..end that may lie in the wedge; how many now."""
    line = where.line
    for at in range(begin, end):
        if where.row[at] == ABSENT:
            continue
        dt = (time_ns - where.time_ns[at]) * 1e-9
        x, y, z, vx, vy, vz = line[at, 0], line[at, 1], line[at, 2], line[at, 3], line[at, 4], line[at, 5]
        if not plain.flat:
            dx, dy, dz = x + dt * vx - sensor[0], y + dt * vy - sensor[1], z + dt * vz - sensor[2]
            if dx * dx + dy * dy + dz * dz > plain.far2:
                continue
            if not plain.whole:
                # how far off the middle of the wedge, before anything dearer is asked: a cosine falls by no
                # more than its angle grows
                east = sensor[ROTATION] * dx + sensor[ROTATION + 1] * dy + sensor[ROTATION + 2] * dz
                north = sensor[ROTATION + 3] * dx + sensor[ROTATION + 4] * dy + sensor[ROTATION + 5] * dz
                level = math.sqrt(east * east + north * north)
                least = plain.least * level - 2.0 * slack_m(level, dt)
                if east * plain.across + north * plain.along < least:
                    continue
        if may_be_seen((x, y, z, vx, vy, vz), dt, sensor, wedge):
            told[n] = where.row[at]
            n += 1
    return n


@njit(cache=True)
def may_have_ended(where: Whereabouts, time_ns: int, rules: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows (n,) in no order that may not be tracks any more at time_ns, though nothing looked at them.

    Where it is time for that, the slots are filed anew.
    """
    count, falls = where.counts, rules[FLIGHT] > 0.0
    aged = abs(time_ns - count[FILED_NS]) >= FILE_NS
    if aged or count[USED] - count[FILED] + count[EMPTY] > FEW + count[FILED] // 8:
        file_rows(where, time_ns)
    due, n = np.empty(count[USED], np.int64), 0
    sure2 = (SEMI_MAJOR_M + GROUND_M + 1.0) ** 2
    for at in range(count[USED]):
        if where.row[at] == ABSENT:
            continue
        ahead = (time_ns - where.time_ns[at]) * 1e-9
        x, y, z = _coasted(where.line, at, ahead)
        # the ground lies nowhere higher than at the equator
        if time_ns <= where.lasts_ns[at] and not (falls and x * x + y * y + z * z <= sure2):
            continue
        due[n] = where.row[at]
        n += 1
    return due[:n]
