"""Small linear algebra of Gaussians: factors, spreads and sigma points, in plain loops.

In: means and covariances of a few elements; out: the same.  Written out instead of called from a library so
that a replay gives the same bits on every build, and because at this size a call costs more than the work.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf

NEGLIGIBLE = 1e-13
"""A pivot smaller than this part of its diagonal element is taken for nothing: the direction is known."""


@leaf
def cholesky(a: NDArray[np.float64], n: int, low: NDArray[np.float64]) -> bool:
    """Lower factor of the leading (n, n) of a into low; False where a is not positive definite."""
    for i in range(n):
        for j in range(i + 1):
            total = a[i, j]
            for k in range(j):
                total -= low[i, k] * low[j, k]
            if i == j:
                if not total > 0.0:  # also what is not a number
                    return False
                low[i, i] = math.sqrt(total)
            else:
                low[i, j] = total / low[j, j]
    return True


@njit(cache=True)
def semi_cholesky(a: NDArray[np.float64], n: int, low: NDArray[np.float64]) -> None:
    """Lower factor of the leading (n, n) of a, which may be singular: what is known gives a zero column."""
    for j in range(n):
        total = a[j, j]
        for k in range(j):
            total -= low[j, k] * low[j, k]
        if total <= NEGLIGIBLE * a[j, j] or total <= 0.0:
            for i in range(j, n):
                low[i, j] = 0.0
            continue
        low[j, j] = math.sqrt(total)
        for i in range(j + 1, n):
            total = a[i, j]
            for k in range(j):
                total -= low[i, k] * low[j, k]
            low[i, j] = total / low[j, j]


@njit(cache=True)
def solve_lower(low: NDArray[np.float64], n: int, b: NDArray[np.float64], x: NDArray[np.float64]) -> None:
    """Solve low x = b for the leading n elements; a zero pivot gives a zero element."""
    for i in range(n):
        total = b[i]
        for k in range(i):
            total -= low[i, k] * x[k]
        x[i] = total / low[i, i] if low[i, i] > 0.0 else 0.0


@njit(cache=True)
def solve_upper(low: NDArray[np.float64], n: int, b: NDArray[np.float64], x: NDArray[np.float64]) -> None:
    """Solve low' x = b for the leading n elements; a zero pivot gives a zero element.  x may be b."""
    for i in range(n - 1, -1, -1):
        total = b[i]
        for k in range(i + 1, n):
            total -= low[k, i] * x[k]
        x[i] = total / low[i, i] if low[i, i] > 0.0 else 0.0


@njit(cache=True)
def solve(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Put a^-1 b in the place of b (n, m), and what is left of a (n, n) in its; False where a is singular.

    Gauss's elimination with the greatest pivot of each column.
    """
    n = len(a)
    for c in range(n):
        best = c
        for i in range(c + 1, n):
            if abs(a[i, c]) > abs(a[best, c]):
                best = i
        if not abs(a[best, c]) > 0.0:
            return False
        if best != c:
            for j in range(n):
                a[c, j], a[best, j] = a[best, j], a[c, j]
            for j in range(b.shape[1]):
                b[c, j], b[best, j] = b[best, j], b[c, j]
        for i in range(n):
            if i == c:
                continue
            share = a[i, c] / a[c, c]
            for j in range(c, n):
                a[i, j] -= share * a[c, j]
            for j in range(b.shape[1]):
                b[i, j] -= share * b[c, j]
    for i in range(n):
        for j in range(b.shape[1]):
            b[i, j] /= a[i, i]
    return True
