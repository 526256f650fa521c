"""Which sensors' sectors stand behind each track: its provenance, in its row or, if that is full, beside it.

In: the rows that a sector changed; out: for any row, each sensor's first and last sequence.  Without it
neither double counting nor what was shared can be proved later, so nothing of it is ever left out.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.tracking.table import NOTHING, SOURCES

More = dict[int, dict[int, tuple[int, int]]]
"""By number of a track: first and last sequence of each sensor (its index) for which its row had no place."""


@njit(cache=True)
def _note(
    table: NDArray[np.void], rows: NDArray[np.int64], sensor: int, sequence: int, time_ns: int
) -> NDArray[np.int64]:
    full = np.empty(len(rows), np.int64)
    n = 0
    for i in rows:
        row = table[i]
        at = 0
        while at < SOURCES and row["source"][at] != NOTHING and row["source"][at] != sensor:
            at += 1
        if at == SOURCES:
            full[n] = i
            n += 1
        elif row["source"][at] == NOTHING:
            row["source"][at], row["source_first"][at], row["source_last"][at] = sensor, sequence, sequence
        elif row["seen_ns"] == time_ns:
            row["source_last"][at] = sequence
    return full[:n]


def note_sources(
    table: NDArray[np.void], rows: NDArray[np.int64], more: More, sensor: int, sequence: int, time_ns: int
) -> None:
    """Note that a sector of a sensor (its index) at time_ns stands behind rows (n,): those it looked at."""
    for i in _note(table, rows, sensor, sequence, time_ns).tolist():
        beside = more.setdefault(int(table[i]["number"]), {})
        if table[i]["seen_ns"] == time_ns or sensor not in beside:
            beside[sensor] = beside.get(sensor, (sequence, 0))[0], sequence


def sources_of(row: np.void, more: More) -> list[tuple[int, int, int]]:
    """Index, first and last sequence of each sensor behind a row, by index."""
    used = row["source"] != NOTHING
    own = zip(row["source"][used], row["source_first"][used], row["source_last"][used], strict=True)
    found = [(int(s), int(first), int(last)) for s, first, last in own]
    found += [(s, first, last) for s, (first, last) in more.get(int(row["number"]), {}).items()]
    return sorted(found)
