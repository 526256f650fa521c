"""Evidence both ways: what one's own sensors say of an object that one does not track oneself.

In: objects of the picture that only partners track, and each sector of one's own with the volume it looked
at; out: a doubt (log odds, 0 or less) for each, that lowers its existence in one's own best picture.  A
sensor that covered the place and saw nothing speaks against it; a plot there, or a new look of the partner's,
speaks for it.  Of an object that one tracks oneself, the looks that missed it are in its tracklets already.
"""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.joint.joint_track import JointTrack
from jointwatch.motion.gaussian import cholesky
from jointwatch.motion.phases import BALLISTIC, CRUISE
from jointwatch.motion.propagate import predict
from jointwatch.sensing.expectation import SIZE, D, expect, innovation
from jointwatch.sensing.radar import DIMENSION, RANGE_MAX, observe
from jointwatch.tracking.gating import GATE2
from jointwatch.tracking.looks import SURELY_SEEN, look_probability, wedge_share
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.telling import Look
from jointwatch.tracking.update import gauss

SURE = Rules().sure_log_odds
"""How sure a track's existence can be (log odds)."""

SEEN_AGAIN = SURE
"""A partner's new look at its track takes back this much of the doubt: two take back all."""
TOO_OLD_S = 30.0
"""An object that nobody saw for longer is too vague to say where it should have been seen."""


class Corroboration:
    """The doubts of one node about objects that only its partners track."""

    def __init__(self) -> None:
        self._doubt: dict[str, float] = {}
        self._hits: dict[str, int] = {}
        self._looks: dict[str, int] = {}

    def told(self, track: JointTrack) -> None:
        """An object as the picture has it now: a look that it gained speaks for it."""
        number = track.number
        if number in self._doubt and track.hits > self._hits[number]:
            self._doubt[number] = min(0.0, self._doubt[number] + SEEN_AGAIN)
            self._hits[number] = track.hits

    def forget(self, but: AbstractSet[str]) -> None:
        """Of objects that are no more there is no doubt; but: numbers of those that are."""
        for number in [n for n in self._doubt if n not in but]:
            self._clear(number)

    def looked(self, track: JointTrack, look: Look) -> None:
        """One's own sensor looked at a wedge: was the object there, if it should have been?"""
        age = (look.time_ns - track.seen_ns) * 1e-9
        ahead = (look.time_ns - track.time_ns) * 1e-9
        if not 0.0 <= age <= TOO_OLD_S or not near_wedge(look.sensor, *look.wedge, track.state, ahead):
            return
        state, covariance = track.state.copy(), track.covariance.copy()
        if ahead > 0.0:
            predict(CRUISE if track.phases[CRUISE] > 0.5 else BALLISTIC, state, covariance, ahead)
        else:
            state[:3] += ahead * state[3:6]
        pd, seen = should_be_seen(look.sensor, look.detection, *look.wedge, state, covariance, look.plots)
        number = track.number
        if seen:
            self._clear(number)
        elif pd > 0.5:
            doubt = self._doubt.get(number, 0.0) + math.log(1.0 - min(pd, SURELY_SEEN))
            self._doubt[number] = max(doubt, -2.0 * SURE)
            self._hits.setdefault(number, track.hits)
            self._looks[number] = self._looks.get(number, 0) + 1

    def _clear(self, number: str) -> None:
        for kept in (self._doubt, self._hits, self._looks):
            kept.pop(number, None)  # type: ignore[attr-defined]

    def doubts(self) -> dict[str, tuple[float, int]]:
        """By number, how one's own looks speak against objects (log odds), and how many do."""
        return {number: (doubt, self._looks.get(number, 0)) for number, doubt in self._doubt.items()}

    def existence(self, track: JointTrack) -> float:
        """An object's existence with one's own doubt in it."""
        doubt = self._doubt.get(track.number, 0.0)
        return track.existence if doubt == 0.0 else existence_of(log_odds_of(track.existence) + doubt)


def log_odds_of(existence: float) -> float:
    """Log odds of an existence (0 to 1), never so sure that nothing could be said against it."""
    r = min(max(existence, 1e-9), 1.0 - 1e-9)
    return math.log(r / (1.0 - r))


def existence_of(log_odds: float) -> float:
    """Existence (0 to 1) of log odds."""
    return 1.0 / (1.0 + math.exp(-log_odds))


@njit(cache=True)
def near_wedge(
    sensor: NDArray[np.float64],
    azimuth_from: float,
    azimuth_to: float,
    state: NDArray[np.float64],
    age_s: float,
) -> bool:
    """Cheap test whether a state (7,), moved straight on by age_s, is in the wedge and range of a sensor."""
    r, azimuth, _, _ = observe(
        sensor,
        state[0] + age_s * state[3],
        state[1] + age_s * state[4],
        state[2] + age_s * state[5],
        state[3],
        state[4],
        state[5],
    )
    return bool(r < sensor[RANGE_MAX] and wedge_share(azimuth, 0.01, azimuth_from, azimuth_to) > 0.3)


@njit(cache=True)
def should_be_seen(
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    azimuth_from: float,
    azimuth_to: float,
    state: NDArray[np.float64],
    covariance: NDArray[np.float64],
    plots: NDArray[np.float64],
) -> tuple[float, bool]:
    """Probability that a look gives a plot of a state (7,); is one of plots (m, PLOT) in its gate?"""
    dim = int(sensor[DIMENSION])
    z, h, s, noise = np.empty(SIZE), np.empty((D, 6)), np.empty((D, D)), np.empty((D, D))
    low, y = np.zeros((D, D)), np.empty(D)
    expect(sensor, state, covariance, z, h, s, noise)
    if not cholesky(s, dim, low):
        return 0.0, False
    pd = look_probability(sensor, detection, z, azimuth_from, azimuth_to)
    for j in range(plots.shape[0]):
        innovation(sensor, plots[j], z, y)
        d2, _ = gauss(low, dim, y)
        if d2 < GATE2:
            return pd, True
    return pd, False
