"""Twins of recorded flights: what the rounding of a recording does to the arc that is laid from it.

In: a recorded flight, its laid arc and its coast; out: the same flight with a coast that truly is one, by
the filter's ballistic phase, rounded as the recording is and laid alike.  Above 100 km a webcast shows whole
kilometres, so the smoothest climb within them is off by up to a metre a second, and bends for tens of
seconds as nothing that coasts does.  A perfect tracker would predict such an arc as wrongly as the twin's;
nothing of how well the recording itself was predicted enters.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic
from jointwatch.formats.webcast import SPEED_STEP_MS, Recording
from jointwatch.motion.phases import BALLISTIC, PRIOR_MEAN
from jointwatch.motion.propagate import propagate, transition
from jointwatch.review.arcs import Arc, Site, observed_arc

Array = NDArray[np.float64]
EVERY_S = 3.0
TURNS = 5


def free_fall(times_s: Array, places: Array) -> Array:
    """State (7,) at times_s[0] of the fall that fits places (n, 3; m) at times (n,) best: Gauss-Newton."""
    s = np.concatenate((places[0], (places[1] - places[0]) / (times_s[1] - times_s[0]), [0.0]))
    s[6] = PRIOR_MEAN[BALLISTIC]
    phi = np.empty((7, 7))
    for _ in range(TURNS):
        slopes, off = [], []
        for t, place in zip(times_s, places, strict=True):
            at = s.copy()
            transition(BALLISTIC, at, t - times_s[0], phi)
            slopes.append(phi[:3, :6].copy())
            off.append(place - at[:3])
        s[:6] += np.linalg.lstsq(np.concatenate(slopes), np.concatenate(off), rcond=None)[0]
    return s


def twin_of(
    recording: Recording, arc: Arc, coast_s: tuple[float, float], assumed: tuple[float, float, float]
) -> tuple[Recording, Arc]:
    """The twin: its heights and speeds as they are, to be scored against, and the arc laid from them rounded.

    assumed: latitude, longitude and azimuth (deg) of the flight.  Outside the coast all is as recorded.
    """
    times = np.arange(*coast_s, EVERY_S)
    state = free_fall(times, arc.at(times))
    coasting = (recording.time_s > coast_s[0]) & (recording.time_s < coast_s[1])
    height, speed = recording.height_m.copy(), recording.speed_ms.copy()
    s, before = state.copy(), times[0]
    for i in np.flatnonzero(coasting):
        propagate(BALLISTIC, s, recording.time_s[i] - before)
        before = recording.time_s[i]
        height[i] = ecef2geodetic(s[0], s[1], s[2])[2]
        speed[i] = np.linalg.norm(s[3:6])
    exact = replace(recording, height_m=height, speed_ms=speed)
    step = exact.height_step_m
    rounded = replace(
        recording,
        height_m=np.where(coasting, np.round(height / step) * step, recording.height_m),
        speed_ms=np.where(coasting, np.round(speed / SPEED_STEP_MS) * SPEED_STEP_MS, recording.speed_ms),
    )
    site = Site(*(math.radians(a) for a in assumed))
    return exact, observed_arc(rounded, site, coast_s)
