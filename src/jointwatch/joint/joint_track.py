"""One object of the joint picture, and one estimate of what tracklets and coarsened tracks say of it.

In: what an object is by tracklets, if there are any, and the last coarsened reports of it; out: both as one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.joint.coarse import CoarseTrack
from jointwatch.joint.fusion import intersect

MATURE_HITS = 12
"""Looks after which a track's phase is believed against that of a partner's older track."""


class JointTrack(Struct, frozen=True):
    """One object of the joint picture, at `time_ns`.

    number: that of the member told first, then by issuer and sequence (both sides can apply that apart);
    aliases: all of them, in that order.
    state (7,), covariance (7, 7): ballistic convention of `records.Track`.
    parent: number of the older track that a member first appeared beside, "" if there is none: a fragment.
    hits, seen_ns: looks that stand behind it, and the latest of them.  originators: whose looks.
    broke_ns: when the node's own plots last showed parts of it where they missed it, 0: never.
    """

    number: str
    aliases: tuple[str, ...]
    time_ns: int
    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    phases: tuple[float, float, float]
    existence: float
    hits: int
    first_ns: int
    seen_ns: int
    thrust_ms2: float
    parent: str
    originators: tuple[str, ...]
    broke_ns: int = 0


class View(Struct, frozen=True):
    """What one originator tells of one object, at the last decision.

    phase: the likeliest, and its probability.  seen, missed: of its looks in the last `picture.VIEW_NS`,
    those that gave a plot and those that did not; evidence: what they add to the log odds that the object
    exists.
    """

    originator: str
    number: str
    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    phase: int
    phase_share: float
    seen_ns: int
    seen: int
    missed: int
    evidence: float


class Exact(Struct, frozen=True):
    """What an object is by tracklets, at a time."""

    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    phases: Sequence[float]
    log_odds: float
    thrust_ms2: float
    hits: int
    seen_ns: int


def fuse(exact: Exact | None, coarse: list[CoarseTrack], time_ns: int) -> Exact:
    """One estimate of what tracklets and coarsened tracks say, of which it is not known what they share.

    In what phase it is and whether it exists, tracklets say where there are any; else whoever looked last,
    once he knows it well.
    """
    others = sorted(coarse, key=lambda c: c.track.number)
    if exact is None:
        most = min(MATURE_HITS, max(c.track.hits for c in others))
        mature = [c for c in others if c.track.hits >= most]
        latest = max(mature, key=lambda c: c.track.header.measured_ns)
        others = [c for c in others if c is not latest]
        exact = _exact_of(latest, time_ns)
    state, covariance, hits, seen_ns = exact.state, exact.covariance, exact.hits, exact.seen_ns
    for one in (_exact_of(c, time_ns) for c in others):
        hits, seen_ns = hits + one.hits, max(seen_ns, one.seen_ns)
        if likeliest_of(one.phases) == likeliest_of(exact.phases):
            mean, cov = np.empty(7), np.empty((7, 7))
            intersect(state, covariance, one.state, one.covariance, mean, cov)
            state, covariance = mean, cov
    return replace(exact, state=state, covariance=covariance, hits=hits, seen_ns=seen_ns)


def _exact_of(coarse: CoarseTrack, time_ns: int) -> Exact:
    state, covariance = coarse.at(time_ns)
    track = coarse.track
    return Exact(
        state, covariance, track.phases, coarse.log_odds, track.thrust_ms2, track.hits,
        track.header.measured_ns,
    )  # fmt: skip


def likeliest_of(phases: Sequence[float]) -> int:
    """Index of the greatest, the first of equal ones."""
    best = 0
    for k in range(1, len(phases)):
        if phases[k] > phases[best]:
            best = k
    return best
