"""Groups of objects that fly together, each with its number of objects as a distribution.

In: tracks' positions, covariances, velocities and existence probabilities; out: groups by single linkage,
each with its members, centre, extent and the distribution of how many of its members exist.  Tracks that
exist or not independently of one another add up to a Poisson-binomial number (Hoeffding 1956; here by
convolution). Plain NumPy: it runs once a picture, not once a plot.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
INTERVAL = 0.90
"""Probability, at least, that a group's number lies within its interval."""


class Group(Struct, frozen=True, kw_only=True, eq=False):
    """k tracks that fly together, positions in m and velocities in m/s, in the frame of the tracks.

    Means over members are weighted by their existence.  spread: covariance of where an object of the group
    is, members' own uncertainty included; axes: its principal axes, unit vectors in rows, longest first;
    extent_m: the group's half lengths along them, as one standard deviation of spread; radius_m: from the
    centre to the member furthest off.
    number: probability (k + 1,) of each count 0..k; fewest, most: the interval of at least INTERVAL, with no
    more than half of the rest on either side.
    """

    members: NDArray[np.int64]  # (k,) rows, ascending
    centre: Floats  # (3,)
    velocity: Floats  # (3,)
    spread: Floats  # (3, 3) m^2
    axes: Floats  # (3, 3)
    extent_m: Floats  # (3,)
    radius_m: float
    number: Floats
    mean: float
    deviation: float
    fewest: int
    most: int


def groups(
    position: Floats,
    covariance: Floats,
    velocity: Floats,
    existence: Floats,
    *,
    distance_m: float,
    sigmas: float = 0.0,
    speed_ms: float = np.inf,
    fewest_members: int = 1,
) -> list[Group]:
    """Groups of n tracks by single linkage, in order of their first member; every track is in one group.

    position (n, 3), covariance (n, 3, 3) of position, velocity (n, 3), existence (n,) probabilities.
    Two tracks are linked if they are within distance_m, or if their difference is within that many sigmas of
    its own uncertainty (Mahalanobis); and, either way, if their velocities differ by no more than speed_ms,
    so that objects that only cross are not one group.
    fewest_members: smaller groups are left out; most tracks fly alone, and telling so of each takes long.
    """
    n = len(position)
    if not (position.shape == velocity.shape == (n, 3) and covariance.shape == (n, 3, 3)):
        raise ValueError("position and velocity are (n, 3), covariance is (n, 3, 3)")
    if existence.shape != (n,) or not ((existence >= 0.0) & (existence <= 1.0)).all():
        raise ValueError("existence is (n,) probabilities")
    if n == 0:
        return []
    a, b = _links(position, covariance, velocity, distance_m, sigmas, speed_ms)
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(n, n))
    count, label = connected_components(graph, directed=False)
    order = np.argsort(label, kind="stable")
    sizes = np.bincount(label, minlength=count)
    parts = [p for p in np.split(order, np.cumsum(sizes)[:-1]) if len(p) >= fewest_members]
    parts.sort(key=lambda members: int(members[0]))
    return [_group(m, position[m], covariance[m], velocity[m], existence[m]) for m in parts]


def _links(
    position: Floats,
    covariance: Floats,
    velocity: Floats,
    distance_m: float,
    sigmas: float,
    speed_ms: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of tracks that are linked."""
    # sigmas of the vaguest track: no pair further apart than this can be within sigmas of its uncertainty
    vague = float(np.sqrt(np.linalg.eigvalsh(covariance)[:, -1].max()))
    reach = max(distance_m, sigmas * np.sqrt(2.0) * vague * (1.0 + 1e-9))
    pairs = cKDTree(position).query_pairs(reach, output_type="ndarray")
    a, b = pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64)
    apart = position[a] - position[b]
    near: NDArray[np.bool_] = np.linalg.norm(apart, axis=1) <= distance_m
    if sigmas > 0.0 and len(a):
        whitened = np.linalg.solve(covariance[a] + covariance[b], apart[:, :, None])[:, :, 0]
        near |= (apart * whitened).sum(axis=1) <= sigmas**2
    near &= np.linalg.norm(velocity[a] - velocity[b], axis=1) <= speed_ms
    return a[near], b[near]


def _group(
    members: NDArray[np.int64], position: Floats, covariance: Floats, velocity: Floats, existence: Floats
) -> Group:
    """One group of the rows given, which are its members'."""
    total = existence.sum()
    # where none exists, all count alike: the group still has a place
    share = existence / total if total > 0.0 else np.full(len(members), 1.0 / len(members))
    centre = share @ position
    off = position - centre
    spread = np.einsum("k,kij->ij", share, covariance + off[:, :, None] * off[:, None, :])
    variance, axes = np.linalg.eigh(spread)
    number = number_distribution(existence)
    fewest, most = interval(number)
    return Group(
        members=members,
        centre=centre,
        velocity=share @ velocity,
        spread=spread,
        axes=axes.T[::-1],
        extent_m=np.sqrt(np.maximum(variance[::-1], 0.0)),
        radius_m=float(np.linalg.norm(off, axis=1).max()),
        number=number,
        mean=float(total),
        deviation=float(np.sqrt((existence * (1.0 - existence)).sum())),
        fewest=fewest,
        most=most,
    )


def number_distribution(existence: Floats) -> Floats:
    """Probability (k + 1,) that 0..k of k things exist, each independently with its probability (k,).

    The product of the generating functions (1 - p + p x), one factor at a time: sums of positive terms, so
    that every entry is right to about k rounding errors, in k^2 steps.
    """
    number = np.ones(1)
    for p in existence:
        more = np.zeros(len(number) + 1)
        more[:-1] = number * (1.0 - p)
        more[1:] += number * p
        number = more
    return number


def interval(number: Floats, probability: float = INTERVAL) -> tuple[int, int]:
    """Fewest and most of a distribution (k + 1,) over counts: below and above lie (1 - probability) / 2 each
    at most."""
    tail = (1.0 - probability) / 2.0
    fewest = int(np.searchsorted(np.cumsum(number), tail, side="right"))
    most = len(number) - 1 - int(np.searchsorted(np.cumsum(number[::-1]), tail, side="right"))
    # a tail as great as all that there is (probability 0) would let the two cross
    return min(fewest, most), max(fewest, most)
