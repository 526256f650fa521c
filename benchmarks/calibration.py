"""How fast this machine is now: a kernel of fixed work, timed beside every figure of speed.

In: nothing; out: milliseconds on one core.  A figure divided by it hangs little on the machine, or on what
else the machine does at that hour, so figures of two days can be compared (`regression`).  The work is a mix
like a tracker's: a chain of dependent arithmetic, a walk through more memory than the nearer caches hold, and
a little plain Python.  It uses nothing of the package, so that no change to the package changes it.
"""

from __future__ import annotations

import json
import math
import sys
import time

import numpy as np
from numba import njit
from numpy.typing import NDArray

CHAIN, WALKS, CELLS, CALLS = 8_000_000, 90, 1 << 19, 300_000
"""Links of the chain; walks through so many cells of 8 bytes (4 MiB), each cell once; turns of the Python
loop.  Changing one makes every figure kept with the kernel before incomparable."""
REPEATS = 5


@njit(cache=True)
def _chain(links: int) -> float:
    """Dependent arithmetic: nothing of one link can begin before the last is done."""
    x = 0.5
    for _ in range(links):
        x = math.sqrt(1.0 + x * x) - 0.75 * x / (1.0 + x)
    return x


@njit(cache=True)
def _walk(cells: NDArray[np.float64], walks: int) -> float:
    """Every cell read and written, by strides of 8 KiB: never two in a row from one cache line."""
    n = len(cells)
    total = 0.0
    for w in range(walks):
        at = w
        for _ in range(n):
            at = (at + 1029) & (n - 1)
            cells[at] = 0.5 * cells[at] + 1.0
            total += cells[at]
    return total


def _turns(count: int) -> int:
    """A loop of plain Python: small objects made, looked up and dropped."""
    kept: dict[int, tuple[int, int]] = {}
    for i in range(count):
        kept[i & 255] = (i, kept.get((i * 7) & 255, (0, 0))[0])
    return len(kept)


def once_ms() -> float:
    """The kernel's time now, ms (compiled already or not)."""
    cells = np.zeros(CELLS)
    begun = time.perf_counter()
    _chain(CHAIN)
    _walk(cells, WALKS)
    _turns(CALLS)
    return 1e3 * (time.perf_counter() - begun)


def calibration_ms(repeats: int = REPEATS) -> float:
    """Median of the kernel's time over so many repeats, ms, once it is compiled."""
    _chain(1)
    _walk(np.zeros(8), 1)
    return float(np.median([once_ms() for _ in range(repeats)]))


if __name__ == "__main__":
    print(json.dumps({"calibration_ms": round(calibration_ms(), 2)}))
    sys.exit(0)
