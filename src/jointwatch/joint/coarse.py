"""A coarsened track as a partner last reported it, moved on to a time when asked.

In: a `Track` of which it is not known what stands behind it; out: its state and covariance later.  It holds
all that its originator knew, so only the latest of a track counts, and with anything else it is fused by
covariance intersection (`joint.fusion`).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jointwatch.motion.phases import BALLISTIC, CRUISE
from jointwatch.motion.propagate import predict
from jointwatch.records import Track

BOOST_PULL_MS2 = 30.0
"""What still thrusts pulls so much more or less than was reported."""
UPPER = np.triu_indices(7)


class CoarseTrack:
    """A reported track, unpacked."""

    __slots__ = ("covariance", "phase", "state", "track")

    def __init__(self, track: Track) -> None:
        self.track = track
        self.state = np.array(track.state)
        self.covariance = np.zeros((7, 7))
        self.covariance[UPPER] = track.covariance
        self.covariance += np.triu(self.covariance, 1).T
        self.phase = max(range(3), key=lambda k: track.phases[k])

    @property
    def log_odds(self) -> float:
        """Of its existence."""
        r = min(max(self.track.existence, 1e-9), 1.0 - 1e-9)
        return math.log(r / (1.0 - r))

    def at(self, time_ns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """State (7,) and covariance (7, 7) moved on to time_ns (not back)."""
        state, covariance = self.state.copy(), self.covariance.copy()
        dt = (time_ns - self.track.header.measured_ns) * 1e-9
        if dt > 0.0:
            if self.phase == CRUISE:
                # what the seventh element means in cruise is not reported: straight on, and turns as noise
                parameter, variance = state[6], covariance[6, 6]
                state[6], covariance[6, :], covariance[:, 6] = 0.0, 0.0, 0.0
                predict(CRUISE, state, covariance, dt)
                state[6], covariance[6, 6] = parameter, variance
                covariance[6, :6], covariance[:6, 6] = 0.0, 0.0
            else:
                predict(BALLISTIC, state, covariance, dt)
                if self.phase != BALLISTIC:
                    pull = BOOST_PULL_MS2 * BOOST_PULL_MS2
                    for i in range(3):
                        covariance[i, i] += 0.25 * pull * dt**4
                        covariance[3 + i, 3 + i] += pull * dt * dt
        return state, covariance
