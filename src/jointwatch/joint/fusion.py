"""Two estimates of one object whose common part is unknown: one estimate that counts nothing twice.

In: states (7,) and covariances (7, 7) of the ballistic phase at one time; out: their covariance
intersection (Julier & Uhlmann 1997): P^-1 = w A^-1 + (1 - w) B^-1, consistent whatever the two
have in common, with the weight that tells best where the object will be (`intersect`).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.motion.gaussian import cholesky, solve_lower, solve_upper
from jointwatch.motion.phases import N

WEIGHTS = 20
"""Steps of the search for the weight (even); its ends, one estimate alone, are among them."""
HORIZON_S = 200.0
"""How far ahead a fused estimate should tell best: about the time in which a warning is decided."""
BETTER = 1e-6
"""Least gain in the log of the spread: where weights are as good, rounding must not choose between them."""


@njit(cache=True)
def invert(p: NDArray[np.float64], out: NDArray[np.float64]) -> float:
    """Fill out with the inverse of a symmetric positive definite p (7, 7); its determinant's log, or nan."""
    low = np.zeros((N, N))
    if not cholesky(p, N, low):
        return np.nan
    log_det = 0.0
    for i in range(N):
        log_det += 2.0 * np.log(low[i, i])
    column = np.empty(N)
    unit = np.empty(N)
    for c in range(N):
        unit[:] = 0.0
        unit[c] = 1.0
        solve_lower(low, N, unit, column)
        solve_upper(low, N, column, column)
        for i in range(N):
            out[i, c] = column[i]
    return log_det


@njit(cache=True)
def intersect(
    a: NDArray[np.float64],
    pa: NDArray[np.float64],
    b: NDArray[np.float64],
    pb: NDArray[np.float64],
    mean: NDArray[np.float64],
    cov: NDArray[np.float64],
) -> float:
    """Fill mean (7,) and cov (7, 7) with two estimates' covariance intersection; its weight of the first.

    Of all weights the one that best tells where the object will be in HORIZON_S, for that is what is warned
    by; the one that makes the determinant least gives away the better velocity for the better place.
    An estimate whose covariance is not positive definite has no weight.
    """
    ia, ib = np.empty((N, N)), np.empty((N, N))
    good_a, good_b = invert(pa, ia), invert(pb, ib)
    if np.isnan(good_a) or np.isnan(good_b):
        take_a = not np.isnan(good_a)
        mean[:] = a if take_a else b
        cov[:, :] = pa if take_a else pb
        return 1.0 if take_a else 0.0
    total, trial = np.empty((N, N)), np.empty((N, N))
    best, least = 1.0, np.inf
    cov[:, :] = pa
    for step in range(WEIGHTS + 1):
        # from the middle outwards: of equally good weights the most even one, which halves what is not common
        aside = (step + 1) // 2
        w = 0.5 + (aside if step % 2 == 1 else -aside) / WEIGHTS
        for i in range(N):
            for j in range(N):
                total[i, j] = w * ia[i, j] + (1.0 - w) * ib[i, j]
        if np.isnan(invert(total, trial)):
            continue
        spread = 0.0
        for i in range(3):
            spread += trial[i, i] + HORIZON_S * (
                trial[i, 3 + i] + trial[3 + i, i] + HORIZON_S * trial[3 + i, 3 + i]
            )
        value = np.log(max(spread, 1e-300))
        if value < least - BETTER:
            best, least = w, value
            cov[:, :] = trial
    for i in range(N):
        value = 0.0
        for j in range(N):
            y = 0.0
            for k in range(N):
                y += best * ia[j, k] * a[k] + (1.0 - best) * ib[j, k] * b[k]
            value += cov[i, j] * y
        mean[i] = value
    return best
