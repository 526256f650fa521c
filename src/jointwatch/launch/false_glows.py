"""How bright one satellite's false plots are, as far as it has learned.

In: log intensities of the plots that no confirmed burn claims, each with the share to which it counts; out:
the log-density of a false plot's log intensity.  A Student density, whose middle and spread follow the plots,
and whose tails are a mean over several degrees of freedom, each weighed by how well it foretold every plot so
far: what is very bright tells of a burn by as much as false plots were found to be so seldom.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MIDDLE, SPREAD, FAITH = math.log(3e4), 1.5, 50.0
"""Log of how bright a false plot is (W/sr), and its standard deviation, held as if seen in so many plots."""
MEMORY_PLOTS = 20_000.0
TAILS = np.array([4.0, 8.0, 16.0, 32.0, 64.0])
"""Degrees of freedom of the spread of intensities."""
CONSTANTS = np.array(
    [math.lgamma(0.5 * n + 0.5) - math.lgamma(0.5 * n) - 0.5 * math.log(0.5 * (n - 2.0)) for n in TAILS]
)
LEAST_SHARE = 1e-3
"""Of each of the tails, whatever was seen: there may be brighter things than were seen so far."""


class FalseGlows:
    """What one satellite has learned of how bright false plots are.  Values are never changed in place, so
    that a shallow copy is one."""

    def __init__(self) -> None:
        self._sums = np.array([1.0, MIDDLE, SPREAD**2 + MIDDLE**2]) * FAITH
        self._log_shares = np.zeros(len(TAILS))

    def learn(self, log_glow: Floats, share: Floats) -> FalseGlows:
        """With one look's log intensities (m,), each counting by its share (m,)."""
        other, count = FalseGlows(), float(share.sum())
        kept = 1.0 - count / (MEMORY_PLOTS + count)
        # foretold by what was known before
        other._log_shares = kept * self._log_shares + share @ self._by_tails(log_glow)
        other._log_shares -= other._log_shares.max()
        more = np.array([count, share @ log_glow, share @ log_glow**2])
        other._sums = kept * self._sums + more
        return other

    def log_density(self, log_glow: Floats) -> Floats:
        """Log-density at log intensities (m,), without the factor 1 / sqrt(2 pi), as in `looks.log_glow`."""
        shares = np.exp(self._log_shares)
        shares = np.maximum(shares / shares.sum(), LEAST_SHARE)
        by_tails = self._by_tails(log_glow) + np.log(shares / shares.sum())
        return np.asarray(np.logaddexp.reduce(by_tails, axis=1))

    def _by_tails(self, log_glow: Floats) -> Floats:
        """`log_density` (m, tails) under each of the tails; all have the same variance."""
        middle = self._sums[1] / self._sums[0]
        spread = math.sqrt(self._sums[2] / self._sums[0] - middle**2)
        off2 = ((log_glow[:, None] - middle) / spread) ** 2
        return np.asarray(CONSTANTS - 0.5 * (TAILS + 1.0) * np.log1p(off2 / (TAILS - 2.0)) - math.log(spread))
