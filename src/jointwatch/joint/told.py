"""What one originator told of one of its tracks: its beginning and end, tracklets, coarsened reports.

In: words on a track in any order; out: from when on it is part of a picture, whether it goes on, and what
it is at a time that is asked again and again.
"""

from __future__ import annotations

from bisect import bisect_right, insort

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.joint.admission import FASTEST_MS, GREATEST_RADIUS_M, LEAST_RADIUS_M
from jointwatch.joint.coarse import CoarseTrack
from jointwatch.joint.streams import BEGUN, Key, Rows, Stream
from jointwatch.motion.phases import CRUISE
from jointwatch.records import TrackBegun

TrackKey = tuple[str, str]
"""A track for good: its originator, and its number there."""
CRUISE_STALE_S, STALE_S = 30.0, 900.0
"""A track that nothing more is told of is no part of the picture after so long."""
MOMENTS = 64
"""Epochs at which it is kept what a track was: a link is seldom longer behind."""
BEFORE_ALL_NS, NEVER_NS = -(2**63), 2**62


class Moment(Struct, frozen=True):
    """What a track was at an epoch: state (7,), covariance (7, 7), likeliest phase, last look at it (ns), and
    the phase's probability."""

    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    phase: int
    seen_ns: int
    phase_share: float


class ToldTrack:
    """What one originator told of one of its tracks."""

    __slots__ = ("begun", "coarse", "ended_ns", "key", "moments", "stream")

    def __init__(self, key: TrackKey, rows: Rows) -> None:
        self.key = key
        self.begun: TrackBegun | None = None
        self.ended_ns: list[int] = []  # each time that its end was told, ascending
        self.stream = Stream(rows)
        self.coarse: list[tuple[int, int, CoarseTrack]] = []  # by time and sequence
        self.moments: dict[int, Moment | None] = {}  # at epochs decided

    @property
    def from_ns(self) -> int:
        """From when on it is part of a picture by what its tracklets tell."""
        return NEVER_NS if self.begun is None else self.begun.told_ns

    @property
    def first_look_ns(self) -> int:
        """Time of the first look at it that is known: before, it is nowhere, whenever it is said to begin."""
        if self.stream.base is not None:
            return BEFORE_ALL_NS
        looks = (key[0] for key in self.stream.keys if not key[1].startswith(BEGUN))
        return next(looks, NEVER_NS)

    @property
    def since_ns(self) -> int:
        """From when on its tracklets can change what is decided."""
        return max(self.from_ns, self.first_look_ns)

    def coarse_at(self, time_ns: int) -> CoarseTrack | None:
        """The last coarsened report up to a time."""
        at = bisect_right(self.coarse, time_ns, key=lambda c: c[0])
        return self.coarse[at - 1][2] if at else None

    def is_over(self, time_ns: int) -> bool:
        """Whether it has ended by a time, and nothing was told of it since."""
        if not self.ended_ns:
            return False
        ended = bisect_right(self.ended_ns, time_ns)
        if not ended:
            return False
        coarse = self.coarse_at(time_ns)
        told_ns = self.stream.newest_ns(time_ns)
        if coarse is not None:
            told_ns = max(told_ns, coarse.track.header.measured_ns)
        return self.ended_ns[ended - 1] >= told_ns

    def is_exact(self, time_ns: int) -> bool:
        """Whether its tracklets count at a time: it is told of, and was not ended after the last of them."""
        if self.from_ns > time_ns:
            return False
        ended = bisect_right(self.ended_ns, time_ns)
        return not ended or self.stream.newest_ns(time_ns) > self.ended_ns[ended - 1]

    def forget_from(self, time_ns: int) -> None:
        """What it was at epochs from a time on is to be worked out anew."""
        moments = self.moments  # in order of time
        while moments and next(reversed(moments)) >= time_ns:
            moments.popitem()

    def end(self, time_ns: int) -> bool:
        """Note that it ended; False if that was known."""
        if time_ns in self.ended_ns:
            return False
        insort(self.ended_ns, time_ns)
        return True

    def remember(self, time_ns: int, moment: Moment | None) -> None:
        """Keep what it is at an epoch; old ones can be worked out anew."""
        moments = self.moments
        in_order = not moments or next(reversed(moments)) < time_ns
        moments[time_ns] = moment
        if not in_order or len(moments) > 2 * MOMENTS:
            self.moments = dict(sorted(moments.items())[-MOMENTS:])

    def last_ns(self) -> int:
        """Time of the last that was told of it."""
        coarse_ns = self.coarse[-1][0] if self.coarse else BEFORE_ALL_NS
        ended_ns = self.ended_ns[-1] if self.ended_ns else BEFORE_ALL_NS
        return max(self.stream.newest_ns(2**63 - 1), coarse_ns, ended_ns)

    def take_begun(self, begun: TrackBegun) -> bool:
        """Whether a word on its beginning counts: of several the same one does, whichever came first."""
        return self.begun is None or _order_of(begun) < _order_of(self.begun)

    def key_of_begun(self) -> Key:
        """The place of its beginning among what is told of it."""
        assert self.begun is not None
        originator, number = self.key
        return self.begun.first_ns, f"{BEGUN}{originator} {number}", 0, originator, number


def is_stale(phase: int, seen_ns: int, time_ns: int) -> bool:
    return (time_ns - seen_ns) * 1e-9 > (CRUISE_STALE_S if phase == CRUISE else STALE_S)


def _order_of(begun: TrackBegun) -> tuple[int, float, int, str]:
    return begun.first_ns, begun.log_odds, begun.told_ns, begun.parent


def can_be(states: NDArray[np.float64], covariances: NDArray[np.float64]) -> list[bool]:
    """Which states (n, 7) with covariances (n, 7, 7) an object can have: what a partner makes up can take a
    filter anywhere, or out of numbers."""
    if not len(states):
        return []
    radius2 = np.einsum("ni,ni->n", states[:, :3], states[:, :3])
    speed2 = np.einsum("ni,ni->n", states[:, 3:6], states[:, 3:6])
    vague2 = np.einsum("nii->ni", covariances).max(axis=1)
    # a comparison with what is not a number is false
    good = (radius2 > LEAST_RADIUS_M**2) & (radius2 < GREATEST_RADIUS_M**2) & (speed2 < FASTEST_MS**2)
    good &= (vague2 < GREATEST_RADIUS_M**2) & np.isfinite(states[:, 6])
    good &= np.isfinite(covariances).all(axis=(1, 2))
    out: list[bool] = good.tolist()
    return out
