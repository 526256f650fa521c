"""The fair floor: an extended Kalman filter in NumPy that is told which plot is whose.

In: an input with the origin of every plot; out: what it said.  All targets seen in a scan are predicted and
updated at once, in arrays over the targets; no gates, no clutter, no life of tracks.  A tracker that does all
of that cannot be expected to cost less: what it costs more is the price of association.

State (x, y, z, vx, vy, vz), flat frame, constant gravity, white acceleration (`hard_inputs.NOISE`).
"""

from __future__ import annotations

import time

import numpy as np
from hard_inputs import NOISE, SPEED_SIGMA_MS, Estimates, Input
from numpy.typing import NDArray

from jointwatch.motion.plane import GRAVITY_MS2

Floats = NDArray[np.float64]


class BareFilter:
    """States (n, 6) and covariances (n, 6, 6) of n targets, each begun with its first plot."""

    def __init__(self, n: int, dt: float, sigma: Floats) -> None:
        self.state, self.covariance = np.zeros((n, 6)), np.zeros((n, 6, 6))
        self.begun = np.zeros(n, bool)
        self.whole = False
        eye = np.eye(3)
        self._move = np.block([[eye, dt * eye], [0.0 * eye, eye]])
        self._fallen = np.array([0.0, 0.0, -0.5 * GRAVITY_MS2 * dt * dt, 0.0, 0.0, -GRAVITY_MS2 * dt])
        half, third = 0.5 * dt * dt * eye, dt**3 / 3.0 * eye
        self._noise = NOISE * np.block([[third, half], [half, dt * eye]])
        self._error = np.diag(sigma**2)

    def predict(self) -> None:
        """Move every target on by one scan."""
        self.state = self.state @ self._move.T + self._fallen
        self.covariance = self._move @ self.covariance @ self._move.T + self._noise

    def update(self, who: NDArray[np.int64], z: Floats) -> None:
        """Take plots z (m, 3) of targets who (m,), each at most once: elevation, azimuth, range."""
        if not self.whole:
            fresh = ~self.begun[who]
            self._begin(who[fresh], z[fresh])
            who, z = who[~fresh], z[~fresh]
            self.whole = bool(self.begun.all())
        state, covariance = self.state[who], self.covariance[who]
        off, slopes = self._seen(state)
        off = z - off
        # the way round the circle: azimuths differ by less than half a turn
        off[:, 1] = (off[:, 1] + np.pi) % (2.0 * np.pi) - np.pi
        there = slopes @ covariance[:, :3]
        spread = there[:, :, :3] @ slopes.transpose(0, 2, 1) + self._error
        gain = np.linalg.solve(spread, there).transpose(0, 2, 1)
        self.state[who] = state + (gain @ off[:, :, None])[:, :, 0]
        self.covariance[who] = covariance - gain @ there

    @staticmethod
    def _seen(state: Floats) -> tuple[Floats, Floats]:
        """What is measured (m, 3) of states (m, 6), and its derivatives (m, 3, 3) by the position."""
        x, y, z = state[:, 0], state[:, 1], state[:, 2]
        level2 = x * x + y * y
        r2 = level2 + z * z
        level, r = np.sqrt(level2), np.sqrt(r2)
        seen = np.empty((len(state), 3))
        seen[:, 0], seen[:, 1], seen[:, 2] = np.arctan2(z, level), np.arctan2(y, x), r
        slopes = np.zeros((len(state), 3, 3))
        down = -z / (r2 * level)
        slopes[:, 0, 0], slopes[:, 0, 1], slopes[:, 0, 2] = down * x, down * y, level / r2
        slopes[:, 1, 0], slopes[:, 1, 1] = -y / level2, x / level2
        slopes[:, 2] = state[:, :3] / r[:, None]
        return seen, slopes

    def _begin(self, who: NDArray[np.int64], z: Floats) -> None:
        """Begin targets with their first plots; the velocity is that of `hard_inputs.SPEED_SIGMA_MS`."""
        elevation, azimuth, r = z.T
        level = r * np.cos(elevation)
        place = np.column_stack([level * np.cos(azimuth), level * np.sin(azimuth), r * np.sin(elevation)])
        self.state[who, :3], self.state[who, 3:] = place, 0.0
        back = np.linalg.inv(self._seen(self.state[who])[1])
        self.covariance[who] = 0.0
        self.covariance[who, :3, :3] = back @ self._error @ back.transpose(0, 2, 1)
        self.covariance[who, 3:, 3:] = SPEED_SIGMA_MS**2 * np.eye(3)
        self.begun[who] = True


def bare(data: Input) -> Estimates:
    """What the bare filter says of an input; only predictions and updates are timed."""
    runner = BareFilter(data.truth.shape[1], data.dt, data.sigma)
    said = Estimates([], [], [])
    for k in range(len(data.truth)):
        own = (data.scan == k) & (data.origin >= 0)
        who, z = data.origin[own], data.z[own]
        begun = time.perf_counter()
        if k:
            runner.predict()
        runner.update(who, z)
        said.seconds.append(time.perf_counter() - begun)
        live = np.flatnonzero(runner.begun)
        said.who.append(live.tolist())
        said.where.append(runner.state[live, :3].copy())
    return said
