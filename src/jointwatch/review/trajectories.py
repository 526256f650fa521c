"""Tracks and true flights as one array each: what every measure over time in this room takes.

In: rows (time, number, state), as a picture's samples give them; out: states laid out as (object, time,
element), NaN where an object is not there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def lay_out(
    time: NDArray[np.generic],
    number: NDArray[np.generic],
    state: NDArray[np.float64],
    times: NDArray[np.generic],
) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """Numbers (n,), in order, and their states (n, T, d) at the given times, NaN where there is no row.

    time (k,), number (k,), state (k, d): one row a track and time; times (T,): increasing.  Times are
    compared as they are (use integer nanoseconds).  ValueError where a row's time is none of these, or a
    track has two states at one time.
    """
    numbers, which = np.unique(number, return_inverse=True)
    step = np.searchsorted(times, time)
    if np.any(step == len(times)) or np.any(times[np.minimum(step, len(times) - 1)] != time):
        raise ValueError("a row's time is none of the given times")
    if len(np.unique(which * len(times) + step)) != len(step):
        raise ValueError("a track has two states at one time")
    out = np.full((len(numbers), len(times), state.shape[1]), np.nan)
    out[which, step] = state
    return numbers, out


def present(trajectories: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each object is there at each time (n, T): all elements of its state (n, T, d) are finite."""
    return np.asarray(np.isfinite(trajectories).all(axis=2))


def check_same_times(tracks: NDArray[np.float64], truths: NDArray[np.float64]) -> None:
    """ValueError unless tracks (n, T, d) and truths (m, T, d) agree in T and d."""
    if tracks.ndim != 3 or truths.ndim != 3 or tracks.shape[1:] != truths.shape[1:]:
        raise ValueError(
            f"tracks {tracks.shape} and truths {truths.shape} must be (objects, times, elements), "
            "with the same times and elements"
        )
