"""Where an object comes down if its motor burns on: for how long nobody knows.

In: a state (ballistic convention of `records.Track`) and its specific thrust; out: its falls, had the motor
stopped after some more seconds each.  A missile that still burns comes down somewhere on the way between the
fall that it has now and those, so whoever lives along it is told early, and its danger is spread over them by
as much as it is likely to burn at all.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic
from jointwatch.motion.descent import NOT_DOWN, descend
from jointwatch.motion.phases import BOOST
from jointwatch.motion.propagate import propagate
from jointwatch.warning.impact import LONGEST_FALL_S

Floats = NDArray[np.float64]
BURNS_ON_S = np.array([5.0, 15.0, 30.0, 60.0])
"""More seconds of burning, each as likely: stages of the generic classes burn 30 to 75 s, and one that is
tracked has burnt some of them."""


def falls_if_burning(state: Floats, thrust_ms2: float, ground_m: float) -> Floats:
    """(n, 3): seconds from now, latitude and longitude (rad) of the falls, by how long it burns on.

    state (7,); thrust_ms2: along the velocity.  Fewer than `BURNS_ON_S` where it would not come down.
    """
    out = np.empty((len(BURNS_ON_S), 3))
    count = _falls(state, thrust_ms2, ground_m, out)
    return out[:count]


@njit(cache=True)
def _falls(state: Floats, thrust_ms2: float, ground_m: float, out: Floats) -> int:
    burning = state.copy()
    burning[6] = thrust_ms2
    done = 0.0
    for k in range(len(BURNS_ON_S)):
        propagate(BOOST, burning, BURNS_ON_S[k] - done)
        done = BURNS_ON_S[k]
        s = burning.copy()
        s[6] = state[6]
        down = descend(s, ground_m, LONGEST_FALL_S)
        if down == NOT_DOWN:
            return k
        out[k, 0] = done + down
        out[k, 1], out[k, 2], _ = ecef2geodetic(s[0], s[1], s[2])
    return len(BURNS_ON_S)
