"""OSPA(2): how far a set of tracks lies from the set of true flights, each taken as one thing over a window.

In: tracks and true flights laid out over the same times (`review.trajectories`); out: the distance over a
window of them, with its localisation and cardinality parts (Beard, Vo & Vo 2020, "A solution for large-scale
multi-object tracking").  A track that breaks, or changes from one object to another, is paid for as long as
the window holds both halves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jointwatch.review.pairing import best_pairs, near_pairs
from jointwatch.review.trajectories import check_same_times, present


class Ospa2(NamedTuple):
    """OSPA(2) distances and their parts, (T,), in metres: distance^p = localisation^p + cardinality^p."""

    distance_m: NDArray[np.float64]
    localisation_m: NDArray[np.float64]
    cardinality_m: NDArray[np.float64]


def ospa2(
    tracks: NDArray[np.float64],
    truths: NDArray[np.float64],
    cutoff_m: float,
    window: int,
    power: float = 1.0,
) -> Ospa2:
    """OSPA(2) of positions (n, T, d) and (m, T, d), over the window of so many times that ends at each time.

    The first windows hold only the times that there are.  The distance^p of two tracks is the mean, over the
    times at which at least one is there, of their distance^p then, cut off at cutoff^p, which is also what
    it costs that only one is there; then OSPA of the tracks that the window holds, with the same cutoff and
    power.
    """
    check_same_times(tracks, truths)
    if window < 1:
        raise ValueError(f"a window holds at least one time, not {window}")
    n, m, steps = len(tracks), len(truths), tracks.shape[1]
    own, other = present(tracks), present(truths)
    full = cutoff_m**power
    keys, gains = [], []
    for k in range(steps):
        near = near_pairs(tracks[:, k], truths[:, k], cutoff_m)
        keys.append(near.first * m + near.second)
        gains.append(full - near.apart**power)
    out = np.zeros((3, steps))
    for k in range(steps):
        held = slice(max(0, k + 1 - window), k + 1)
        tracks_held = int(own[:, held].any(axis=1).sum())
        truths_held = int(other[:, held].any(axis=1).sum())
        larger, smaller = max(tracks_held, truths_held), min(tracks_held, truths_held)
        if larger == 0:
            continue
        key, which = np.unique(np.concatenate(keys[held]), return_inverse=True)
        i, j = key // max(m, 1), key % max(m, 1)
        together = (own[i, held] | other[j, held]).sum(axis=1)
        # what pairing two tracks saves against the cutoff, which is the distance of all pairs never near
        gain = np.bincount(which, np.concatenate(gains[held]), len(key)) / together
        saved = float(gain[best_pairs(i, j, gain, n, m)].sum())
        localisation = max(0.0, full * smaller - saved) / larger
        cardinality = full * (larger - smaller) / larger
        out[:, k] = localisation + cardinality, localisation, cardinality
    return Ospa2(*out ** (1.0 / power))
