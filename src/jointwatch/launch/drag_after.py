"""What an object of each class drags when its motor is out, and what a track's class says of its drag.

In: a state and covariance (ballistic convention of `records.Track`), the probability of each class and, where
its burn was seen, what that says of its drag; out: both with the classes' word on the drag parameter in them.
A track begins with one wide prior for whatever flies (`motion.phases`); above the air nothing is seen of the
drag, and the fall is as wide as that prior.  What class it is says more: the prior is taken out of the
estimate again and the mixture of the classes' put in its place, each weighed by how well it agrees with what
the air has shown so far.  A burn that was seen tells how much mass is left.  The profiles' drag is one
coefficient for a whole climb; it is taken for that at twice the speed of sound, as a drag parameter is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from jointwatch.launch.ascent import physical
from jointwatch.launch.posterior import Posterior, rows
from jointwatch.launch.profiles import ANY, PROFILES, Profile
from jointwatch.motion.phases import BALLISTIC, PRIOR_MEAN, PRIOR_SIGMA

Floats = NDArray[np.float64]
Drag = tuple[float, float]
"""Mean and standard deviation of the log of a drag parameter (log m^2/kg)."""
DRAG = 6
"""Place of the drag parameter in a state."""
NOTHING_SEEN = 0.02
"""Where the air has narrowed the prior by less than this share nothing was seen of the drag."""
LEAST_DRAWS = 30.0
"""So many draws of a class, as far as they count, tell how its drag is spread."""


@cache
def drag_after(name: str) -> Drag:
    """The drag of a class after its burn.

    Of the profile's drag at launch, with the mass that is left of each stage (`launch.profiles`); the prior
    of every track where nothing fits.
    """
    profile = next((p for p in PROFILES if p.name == name), None)
    return _every() if profile is None or name == ANY else _after(profile)


def drags_seen(posterior: Posterior) -> dict[str, Drag]:
    """The drag after its burn of each class that a burn may be, by name: what the burn shows of how much mass
    it leaves, and of how it drags on the way up.  Classes that hardly any draw is of are left out."""
    seen = {}
    for kind, profile in enumerate(PROFILES):
        of = np.flatnonzero(posterior.kind == kind)
        weight = posterior.weight[of]
        if profile.name == ANY or weight.sum() ** 2 < LEAST_DRAWS * (weight**2).sum() or not len(of):
            continue
        row, logs = rows()[kind], np.empty(len(of))
        for k, values in enumerate(posterior.values[of]):
            burn, flow, _, drag = physical(row, values)
            logs[k] = math.log(drag) - profile.stages * math.log(1.0 - burn * flow)
        weight = weight / weight.sum()
        mean = float(weight @ logs)
        seen[profile.name] = mean, math.sqrt(float(weight @ (logs - mean) ** 2))
    return seen


def _every() -> Drag:
    """The prior of every track."""
    return float(PRIOR_MEAN[BALLISTIC]), float(PRIOR_SIGMA[BALLISTIC])


def _after(profile: Profile) -> Drag:
    (drag, drag_spread), (load, load_spread) = profile.drag, profile.load
    mean = math.log(drag) - profile.stages * math.log(1.0 - load)
    # the load's spread is of its logit, of which -log(1 - load) has the slope load
    return mean, math.hypot(drag_spread, profile.stages * load * load_spread)


def with_class(
    state: Floats, covariance: Floats, classes: Mapping[str, float], drags: Mapping[str, Drag]
) -> tuple[Floats, Floats]:
    """A state (7,) and covariance (7, 7) whose drag's prior is the classes', as they are likely.

    The mixture over the classes is kept by its first two moments.  classes: probability by name; nothing is
    changed where it is empty.  drags: of those that a burn told of, in place of `drag_after`.  What is vaguer
    than the prior of every track says nothing: it would only make falls vaguer, and warnings later.
    """
    spread2 = float(covariance[DRAG, DRAG])
    if not classes or spread2 <= 0.0:
        return state, covariance
    prior_mean, prior_sigma = _every()
    seen = 1.0 / spread2 - 1.0 / prior_sigma**2
    if seen * prior_sigma**2 < NOTHING_SEEN:
        seen = 0.0
    shown = state[DRAG] / spread2 - prior_mean / prior_sigma**2 if seen > 0.0 else 0.0
    logs, means, variances = [], [], []
    for name, probability in classes.items():
        if probability <= 0.0:
            continue
        mean, sigma = drags[name] if name in drags else drag_after(name)
        if sigma > prior_sigma:
            mean, sigma = prior_mean, prior_sigma
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
