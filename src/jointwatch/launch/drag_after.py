"""What an object of each class drags when its motor is out, and what a track's class says of its drag.

In: a state and covariance (ballistic convention of `records.Track`) and the probability of each class; out:
both with the classes' word on the drag parameter in them.  A track begins with one wide prior for whatever
flies (`motion.phases`); above the air nothing is seen of the drag, and the fall is as wide as that prior.
What class it is says more: the prior is taken out of the estimate again and the mixture of the classes' put
in its place, each weighed by how well it agrees with what the air has shown so far.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from jointwatch.launch.profiles import ANY, PROFILES, Profile
from jointwatch.motion.phases import BALLISTIC, PRIOR_MEAN, PRIOR_SIGMA

Floats = NDArray[np.float64]
DRAG = 6
"""Place of the drag parameter in a state."""
NOTHING_SEEN = 0.02
"""Where the air has narrowed the prior by less than this share nothing was seen of the drag."""


@cache
def drag_after(name: str) -> tuple[float, float]:
    """Mean and standard deviation of the log drag parameter (log m^2/kg) of a class after its burn.

    Of the profile's drag at launch, with the mass that is left of each stage (`launch.profiles`); the prior
    of every track where nothing fits, or where what a profile says is vaguer than that: it would only make
    falls vaguer, and warnings later.
    """
    profile = next((p for p in PROFILES if p.name == name), None)
    every = float(PRIOR_MEAN[BALLISTIC]), float(PRIOR_SIGMA[BALLISTIC])
    if profile is None or name == ANY:
        return every
    said = _after(profile)
    return said if said[1] < every[1] else every


def _after(profile: Profile) -> tuple[float, float]:
    (drag, drag_spread), (load, load_spread) = profile.drag, profile.load
    mean = math.log(drag) - profile.stages * math.log(1.0 - load)
    # the load's spread is of its logit, of which -log(1 - load) has the slope load
    return mean, math.hypot(drag_spread, profile.stages * load * load_spread)


def with_class(state: Floats, covariance: Floats, classes: Mapping[str, float]) -> tuple[Floats, Floats]:
    """A state (7,) and covariance (7, 7) whose drag's prior is the classes', as they are likely.

    The mixture over the classes is kept by its first two moments.  classes: probability by name; nothing is
    changed where it is empty.
    """
    spread2 = float(covariance[DRAG, DRAG])
    if not classes or spread2 <= 0.0:
        return state, covariance
    prior_mean, prior_sigma = float(PRIOR_MEAN[BALLISTIC]), float(PRIOR_SIGMA[BALLISTIC])
    seen = 1.0 / spread2 - 1.0 / prior_sigma**2
    if seen * prior_sigma**2 < NOTHING_SEEN:
        seen = 0.0
    shown = state[DRAG] / spread2 - prior_mean / prior_sigma**2 if seen > 0.0 else 0.0
    logs, means, variances = [], [], []
    for name, probability in classes.items():
        if probability <= 0.0:
            continue
        mean, sigma = drag_after(name)
        precision = seen + 1.0 / sigma**2
        means.append((shown + mean / sigma**2) / precision)
        variances.append(1.0 / precision)
        agrees = 0.0
        if seen > 0.0:
            apart2 = sigma**2 + 1.0 / seen
            agrees = -0.5 * ((shown / seen - mean) ** 2 / apart2 + math.log(apart2))
        logs.append(math.log(probability) + agrees)
    weight = np.exp(np.array(logs) - max(logs))
    weight /= weight.sum()
    mean = float(weight @ np.array(means))
    variance = float(weight @ (np.array(variances) + (np.array(means) - mean) ** 2))
    # the rest of the state goes with the drag as the filter has found that it does
    gain = covariance[:, DRAG] / spread2
    moved: Floats = state + gain * (mean - state[DRAG])
    return moved, covariance + np.outer(gain, gain) * (variance - spread2)
