"""Distances between what was tracked and what was there.

In: estimated and true positions at one time; out: GOSPA (Rahmathullah, Garcia-Fernandez & Svensson 2017).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


def gospa(
    estimates: NDArray[np.float64], truths: NDArray[np.float64], cutoff_m: float, power: float = 2.0
) -> float:
    """GOSPA (alpha 2) of positions (n, 3) and (m, 3), in metres.

    The assigned distances, and cutoff^p / 2 for each estimate or truth left over.
    """
    n, m = len(estimates), len(truths)
    if n == 0 or m == 0:
        return float((0.5 * cutoff_m**power * (n + m)) ** (1.0 / power))
    apart = np.linalg.norm(estimates[:, None] - truths[None], axis=2)
    rows, columns = linear_sum_assignment(np.minimum(apart, cutoff_m) ** power)
    near = [float(apart[r, c]) for r, c in zip(rows, columns, strict=True) if apart[r, c] < cutoff_m]
    total = sum(d**power for d in near) + 0.5 * cutoff_m**power * (n + m - 2 * len(near))
    return float(total ** (1.0 / power))
