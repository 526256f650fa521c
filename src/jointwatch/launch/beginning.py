"""Where an object was when it was first known to coast, by all that was seen of it since.

In: its state with covariance after each look, oldest first; out: its state with covariance as of the first of
them.  The way back to a launch starts there.  Taken back from the latest state instead, what pushes an object
about (wind, a drag that changes) counts wrongly: after a few looks as if none of it had been taken up, after
many as if there had been none.  (The fixed-point smoother: Meditch 1967; Anderson & Moore 1979, "Optimal
filtering", 7.2; by the gains of Rauch, Tung & Striebel 1965, so that it asks for nothing but the states that
a picture tells.)
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.motion.gaussian import cholesky, solve_lower, solve_upper
from jointwatch.motion.phases import BALLISTIC, N
from jointwatch.motion.propagate import predict, transition

Floats = NDArray[np.float64]
WIDER = 1.2
"""A look makes no state vaguer.  Where a variance of the first would grow by more than this, the states were
not those of one coast (a burn mixed in, another object's plots), and what was before is let go."""
ASTRAY = 30.0
"""Nor are they where one lies so far from where those before have it, squared, by what is known there (of one
coast once in 10,000 at most, by chi-square of seven): a plot too many of another object's in dense air, where
nothing later would put the first state right again."""


class Beginning:
    """The first state of an object that coasts, look by look.

    time_ns, state (7,), covariance (7, 7): of the first state, as all looks so far have it.
    """

    def __init__(self, time_ns: int, state: Floats, covariance: Floats) -> None:
        self._begin(time_ns, state, covariance)

    def _begin(self, time_ns: int, state: Floats, covariance: Floats) -> None:
        """Begin anew, at a state."""
        self.time_ns, self.state, self.covariance = time_ns, state.copy(), covariance.copy()
        self._latest_ns, self._latest, self._error = time_ns, state.copy(), covariance.copy()
        self._gain = np.eye(N)

    def meet(self, time_ns: int, state: Floats, covariance: Floats) -> None:
        """Take in the state (7,) with covariance (7, 7) after another look; one that no coast led to is a new
        beginning."""
        span_s = 1e-9 * (time_ns - self._latest_ns)
        if span_s <= 0.0:
            return
        if not _smooth(
            self.state, self.covariance, self._gain, self._latest, self._error, state, covariance, span_s
        ):
            self._begin(time_ns, state, covariance)
        self._latest_ns, self._latest, self._error = time_ns, state.copy(), covariance.copy()


@njit(cache=True)
def _smooth(
    first: Floats,
    first_error: Floats,
    gain: Floats,
    latest: Floats,
    error: Floats,
    state: Floats,
    covariance: Floats,
    span_s: float,
) -> bool:
    """Bring the first state (7,) with its covariance (7, 7), and how it goes with the latest (gain (7, 7)),
    up to date in place, by the state span_s seconds after the latest; False where that is of no one coast."""
    ahead, expected, phi = latest.copy(), error.copy(), np.empty((N, N))
    transition(BALLISTIC, latest.copy(), span_s, phi)
    predict(BALLISTIC, ahead, expected, span_s)
    # on a scale on which all seven are about one, or metres and logarithms would not be solved together
    scale, even, low = np.empty(N), np.empty((N, N)), np.zeros((N, N))
    for i in range(N):
        if not expected[i, i] > 0.0:
            return False
        scale[i] = math.sqrt(expected[i, i])
    for i in range(N):
        for j in range(N):
            even[i, j] = expected[i, j] / (scale[i] * scale[j])
    if not cholesky(even, N, low):
        return False
    half, solved = np.empty(N), np.empty(N)
    for i in range(N):
        half[i] = (state[i] - ahead[i]) / scale[i]
    solve_lower(low, N, half, solved)
    if not solved @ solved <= ASTRAY:
        return False
    # error phi' expected^-1, a row at a time
    cross, back = phi @ error, np.empty((N, N))
    for j in range(N):
        for i in range(N):
            half[i] = cross[i, j] / scale[i]
        solve_lower(low, N, half, solved)
        solve_upper(low, N, solved, half)
        for i in range(N):
            back[j, i] = half[i] / scale[i]
    through = gain @ back
    smoothed = first_error + through @ (covariance - expected) @ through.T
    for i in range(N):
        if not 0.0 < smoothed[i, i] <= WIDER * first_error[i, i]:
            return False
        for j in range(i):
            smoothed[i, j] = smoothed[j, i] = 0.5 * (smoothed[i, j] + smoothed[j, i])
    if not cholesky(smoothed, N, low):
        return False
    moved = through @ (state - ahead)
    for i in range(N):
        first[i] += moved[i]
        for j in range(N):
            first_error[i, j] = smoothed[i, j]
            gain[i, j] = through[i, j]
    return True
