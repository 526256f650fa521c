"""Which plots lie in a rectangle: a grid of cells over two of the plots' values.

In: two values of every plot (range and azimuth, or x and y) and the size that a cell should have; out: for
any rectangle the plots inside it, in ascending order, so that a loop over them does what a loop over all
plots would do.  The second value may be an angle that wraps.  Built by counting sort in time and memory
linear in the number of plots, however far apart they lie: where the cells would outnumber the plots they
grow.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf

FEWEST_CELLS = 16


class Index(NamedTuple):
    """Plots sorted by cell: those of cell c are plot[start[c] : start[c + 1]], ascending."""

    first: NDArray[np.float64]  # (m,) the values themselves
    second: NDArray[np.float64]
    start: NDArray[np.int64]  # (rows * columns + 1,)
    plot: NDArray[np.int64]  # (m,)
    first_origin: float
    second_origin: float
    first_cell: float
    second_cell: float
    rows: int
    columns: int
    period: float  # of the second value; 0: it does not wrap


@njit(cache=True)
def counting_sort(key: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Things (m,) by their key below count: those of key k are order[start[k] : start[k + 1]], ascending."""
    start = np.zeros(count + 1, np.int64)
    for k in key:
        start[k + 1] += 1
    for k in range(count):
        start[k + 1] += start[k]
    order = np.empty(len(key), np.int64)
    for i in range(len(key)):
        order[start[key[i]]] = i
        start[key[i]] += 1
    for k in range(count, 0, -1):
        start[k] = start[k - 1]
    start[0] = 0
    return start, order


@leaf
def place_of(ascending: NDArray[np.float64], value: float) -> int:
    """How many of some ascending numbers (m,) are less than a value: `np.searchsorted` of one value."""
    low, many = 0, len(ascending)
    while many > 0:
        half = many // 2
        if ascending[low + half] < value:
            low += half + 1
            many -= half + 1
        else:
            many = half
    return low


@njit(cache=True)
def _cell(value: float, origin: float, size: float, count: int) -> int:
    """Number of the cell a value lies in, the outermost ones reaching to infinity."""
    at = (value - origin) / size
    if at >= count:  # compared as floats: an integer would overflow
        return count - 1
    return int(at) if at > 0.0 else 0  # also where it is no number


@njit(cache=True)
def _span(value: NDArray[np.float64]) -> tuple[float, float]:
    """Least and greatest of the finite values; 0, 0 if there are none."""
    low, high = np.inf, -np.inf
    for v in value:
        if math.isfinite(v):
            low, high = min(low, v), max(high, v)
    return (low, high) if low <= high else (0.0, 0.0)


@njit(cache=True)
def build(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    first_cell: float,
    second_cell: float,
    period: float,
) -> Index:
    """Index of m plots by two values (m,), in any units.

    first_cell, second_cell: sides of a cell, best about as wide as a usual gate; they grow where there would
    be more cells than plots.  period: of the second value (2 pi for azimuth in rad), or 0 if it does not
    wrap. Values that are not numbers are in no rectangle.
    """
    m = len(first)
    if not (first_cell > 0.0 and second_cell > 0.0 and period >= 0.0):
        raise ValueError("cells need sides above 0, and a period cannot be negative")
    first_origin, first_high = _span(first)
    second_origin, second_high = 0.0, period
    if period == 0.0:
        second_origin, second_high = _span(second)
    first_width, second_width = first_high - first_origin, second_high - second_origin
    # in floats: a lone plot very far off must not ask for more cells than can be counted
    down, along = first_width / first_cell + 1.0, second_width / second_cell + 1.0
    excess = down * along / max(m, FEWEST_CELLS)
    if excess > 1.0:
        # both sides by the same factor, unless one side is down to a single cell
        shrink = math.sqrt(excess)
        if down < shrink:
            down, along = 1.0, along * down / excess
        elif along < shrink:
            down, along = down * along / excess, 1.0
        else:
            down, along = down / shrink, along / shrink
    rows, columns = max(int(down), 1), max(int(along), 1)
    # a hair wider than an exact fit, so that the greatest value lies in the last cell
    first_cell = max(first_cell, first_width / rows * (1.0 + 1e-12))
    second_cell = max(second_cell, second_width / columns * (1.0 + 1e-12))
    if period > 0.0:
        second_cell = period / columns  # cells of a circle meet
    cell = np.empty(m, np.int64)
    for i in range(m):
        across = second[i] % period if period > 0.0 else second[i]
        row = _cell(first[i], first_origin, first_cell, rows)
        cell[i] = row * columns + _cell(across, second_origin, second_cell, columns)
    start, plot = counting_sort(cell, rows * columns)
    return Index(
        first,
        second,
        start,
        plot,
        first_origin,
        second_origin,
        first_cell,
        second_cell,
        rows,
        columns,
        period,
    )


@njit(cache=True)
def within(
    index: Index, first_from: float, first_to: float, second_from: float, second_to: float
) -> NDArray[np.int64]:
    """Plots (k,) in the rectangle, edges included, ascending.

    Where the second value wraps, the rectangle runs from second_from upward to second_to, which may be beyond
    the period (or second_from below 0); as wide as the period, it is the full circle.  second_to below
    second_from is an empty rectangle: who means "from 350 to 10 degrees" says to 370.
    """
    if not (first_from <= first_to and second_from <= second_to):
        return np.empty(0, np.int64)
    columns, period = index.columns, index.period
    width = second_to - second_from
    top = _cell(first_from, index.first_origin, index.first_cell, index.rows)
    bottom = _cell(first_to, index.first_origin, index.first_cell, index.rows)
    if period > 0.0:
        # one cell more on either side: a value's remainder may be rounded over an edge
        left = _cell(second_from % period, 0.0, index.second_cell, columns) - 1
        many = columns
        if width < period:
            many = min(columns, int(width / index.second_cell) + 4)
    else:
        left = _cell(second_from, index.second_origin, index.second_cell, columns)
        many = _cell(second_to, index.second_origin, index.second_cell, columns) - left + 1
    most = 0
    for row in range(top, bottom + 1):
        for k in range(many):
            c = row * columns + (left + k) % columns
            most += index.start[c + 1] - index.start[c]
    found = np.empty(most, np.int64)
    n = 0
    for row in range(top, bottom + 1):
        for k in range(many):
            c = row * columns + (left + k) % columns
            for at in range(index.start[c], index.start[c + 1]):
                i = index.plot[at]
                beyond = index.second[i] - second_from
                if period > 0.0:
                    beyond = 0.0 if width >= period and math.isfinite(beyond) else beyond % period
                if first_from <= index.first[i] <= first_to and 0.0 <= beyond <= width:
                    found[n] = i
                    n += 1
    found = found[:n]
    found.sort()
    return found
