"""Evidence both ways: what one's own sensors say of a partner's track that one does not track oneself.

In: a partner's tracks, and each sector of one's own with the volume it looked at; out: a doubt (log odds, 0
or less) for each, that lowers its existence in one's own best picture.  A sensor that covered the place and
saw nothing speaks against it; a plot there, or a new look of the partner's, speaks for it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.joint.picture import Entry
from jointwatch.motion.gaussian import cholesky
from jointwatch.records import Track
from jointwatch.sensing.expectation import SIZE, D, expect, innovation
from jointwatch.sensing.radar import DIMENSION, RANGE_MAX, observe
from jointwatch.tracking.gating import GATE2
from jointwatch.tracking.looks import SURELY_SEEN, look_probability, wedge_share
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.tracker import Look
from jointwatch.tracking.update import gauss

SURE = Rules().sure_log_odds
"""How sure a track's existence can be (log odds)."""

SEEN_AGAIN = SURE
"""A partner's new look at its track takes back this much of the doubt: two take back all."""
TOO_OLD_S = 30.0
"""A track not reported for longer is too vague to say where it should have been seen."""


class Corroboration:
    """The doubts of one node about its partners' tracks."""

    def __init__(self) -> None:
        self._doubt: dict[str, float] = {}
        self._hits: dict[str, int] = {}

    def reported(self, track: Track) -> None:
        """A partner reported a track: a look that it gained speaks for it."""
        if track.ended:
            self._doubt.pop(track.number, None)
            self._hits.pop(track.number, None)
            return
        if track.hits > self._hits.get(track.number, 0) and track.number in self._doubt:
            self._doubt[track.number] = min(0.0, self._doubt[track.number] + SEEN_AGAIN)
        self._hits[track.number] = track.hits

    def lost(self, number: str) -> None:
        """One's own track of the same object was lost: all its misses speak against the partner's."""
        self._doubt[number] = -2.0 * SURE

    def looked(self, entry: Entry, look: Look) -> None:
        """One's own sensor looked at a wedge: was the partner's track there, if it should have been?"""
        age = (look.time_ns - entry.track.header.measured_ns) * 1e-9
        if not 0.0 <= age <= TOO_OLD_S or not near_wedge(look.sensor, *look.wedge, entry.state, age):
            return
        state, covariance = entry.at(look.time_ns)
        pd, seen = should_be_seen(look.sensor, look.detection, *look.wedge, state, covariance, look.plots)
        number = entry.track.number
        if seen:
            self._doubt.pop(number, None)
        elif pd > 0.5:
            doubt = self._doubt.get(number, 0.0) + math.log(1.0 - min(pd, SURELY_SEEN))
            self._doubt[number] = max(doubt, -2.0 * SURE)

    def existence(self, track: Track) -> float:
        """A partner's track's existence with one's own doubt in it."""
        doubt = self._doubt.get(track.number, 0.0)
        if doubt == 0.0:
            return track.existence
        r = min(max(track.existence, 1e-9), 1.0 - 1e-9)
        return 1.0 / (1.0 + math.exp(-(math.log(r / (1.0 - r)) + doubt)))


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
