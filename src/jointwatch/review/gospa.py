"""GOSPA: how far a set of estimated positions lies from the set of true ones, at one time.

In: estimated and true positions; out: the distance and what it is made of: localisation, missed and false
(Rahmathullah, Garcia-Fernandez & Svensson 2017, "Generalized optimal sub-pattern assignment metric", with
alpha 2, for which the parts have these meanings).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jointwatch.review.pairing import Pairs, best_pairs, near_pairs


class Gospa(NamedTuple):
    """A GOSPA distance (m); its parts as powers, so that distance^p = localisation + missed + false.

    missed_count, false_count: truths and estimates left over; pairs: (estimate, truth, distance) assigned.
    """

    distance_m: float
    localisation: float
    missed: float
    false: float
    missed_count: int
    false_count: int
    pairs: Pairs


def gospa_parts(
    estimates: NDArray[np.float64], truths: NDArray[np.float64], cutoff_m: float, power: float = 2.0
) -> Gospa:
    """GOSPA (alpha 2) of positions (n, d) and (m, d) in metres, with its parts.

    The assigned distances^p, and cutoff^p / 2 for each estimate or truth left over.
    """
    if not (np.isfinite(estimates).all() and np.isfinite(truths).all()):
        raise ValueError("positions must be finite")
    n, m = len(estimates), len(truths)
    near = near_pairs(estimates, truths, cutoff_m)
    # to pair is worth what two left over would cost, less the distance
    keep = best_pairs(near.first, near.second, cutoff_m**power - near.apart**power, n, m)
    pairs = Pairs(near.first[keep], near.second[keep], near.apart[keep])
    localisation = float((pairs.apart**power).sum())
    missed, false = (0.5 * cutoff_m**power * (count - len(keep)) for count in (m, n))
    distance_m = (localisation + missed + false) ** (1.0 / power)
    return Gospa(distance_m, localisation, missed, false, m - len(keep), n - len(keep), pairs)


def gospa(
    estimates: NDArray[np.float64], truths: NDArray[np.float64], cutoff_m: float, power: float = 2.0
) -> float:
    """GOSPA distance (alpha 2) of positions (n, d) and (m, d), in metres."""
    return gospa_parts(estimates, truths, cutoff_m, power).distance_m
