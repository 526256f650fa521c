"""Offers: the few best chains that each plot of a look may continue.

In: chains and plots that fit each other, with how likely the plot is of the chain; out: for every plot the
best of them, with the log odds of the chain continued.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jointwatch.kernel import leaf
from jointwatch.tracking.scene import Scene

BRANCHES = 4
"""Most chains kept that end in the same plot."""
MOST_LOG_ODDS = 100.0
"""Log odds of a tentative chain are capped here; a confirmed track begins at the cap of the rules."""
NONE = -1
"""No parent.  A row is its own number, and seed s is NONE - 1 - s."""


@leaf
def offer(
    scene: Scene,
    j: int,
    name: int,
    log_odds: float,
    density: float,
    parents: NDArray[np.int64],
    odds: NDArray[np.float64],
) -> None:
    """Put a chain among the best of plot j, if it is one of them.

    log_odds: of the chain before; density: of the plot, if the chain gave it and the look shows it.
    """
    log_density = math.log(scene.density[j])
    log_odds = min(log_odds + math.log(density) - log_density, MOST_LOG_ODDS)
    # a chain that is no better than beginning anew from this plot is not worth a row
    if log_odds >= scene.log_birth[j] - log_density:
        _keep_best(parents[j], odds[j], name, log_odds)


@leaf
def _keep_best(parents: NDArray[np.int64], odds: NDArray[np.float64], row: int, log_odds: float) -> None:
    """Put a row among the best BRANCHES of one plot, if it is one of them."""
    worst, slot = log_odds, -1
    for b in range(BRANCHES):
        if parents[b] == NONE:
            slot = b
            break
        if odds[b] < worst:
            worst, slot = odds[b], b
    if slot >= 0:
        parents[slot], odds[slot] = row, log_odds
