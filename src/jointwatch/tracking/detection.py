"""How surely a sensor really sees what is there: its probability of detection as a state, estimated on line.

In: the looks at confirmed tracks, each with the probability that the configured curve
(`sensing.coverage.detection_probability`) gives it and the probability that it did show the track; out: a
factor on that curve for each of four bands of range.  Seen and expected detections are counted with
forgetting, as a beta prior counts successes and trials: the factor is their ratio, and begins as if
PRIOR_LOOKS looks had agreed with the curve.

Two things would pull such an estimate down: tracks of what is no longer there, and tracks that never were.
So a look is judged only when the next look at the same track, by whatever sensor, is in, and weighs as much
as that one surely showed the object: being seen afterwards proves that it was there to be seen.  Whether the
next look shows it does not depend on whether this one did, so the choice of looks has no bias of its own;
weighing a look by its own outcome would have.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf
from jointwatch.sensing.coverage import detection_probability
from jointwatch.sensing.radar import COMPONENT, DETECTION, IN_RATE, RANGE_MAX

BANDS = 4
"""Bands of equal width, out to the sensor's greatest range."""
SEEN, EXPECTED = 0, 1
"""Columns of the state."""
PRIOR_LOOKS = 50.0
MEMORY_LOOKS = 1000.0
"""After so many looks what came before weighs a third (1/e)."""
LEAST_FACTOR, MOST_FACTOR = 0.3, 1.1
SUREST = 0.999
"""No detection is believed to be surer than this."""


def new_detection(sensor: NDArray[np.float64]) -> NDArray[np.float64]:
    """(BANDS, 2): detections seen and detections expected, from a sensor's parameter row; the factor is 1."""
    return np.full((BANDS, 2), PRIOR_LOOKS * max(float(sensor[DETECTION]), 1e-3))


@leaf
def _band(sensor: NDArray[np.float64], range_m: float) -> int:
    if int(sensor[COMPONENT]) > IN_RATE:
        return 0  # what measures positions sees everywhere alike
    return min(max(int(range_m / sensor[RANGE_MAX] * BANDS), 0), BANDS - 1)


@leaf
def detection_factor(state: NDArray[np.float64], sensor: NDArray[np.float64], range_m: float) -> float:
    """Factor on the configured detection probability at a range (m), LEAST_FACTOR..MOST_FACTOR."""
    b = _band(sensor, range_m)
    return float(min(max(state[b, SEEN] / state[b, EXPECTED], LEAST_FACTOR), MOST_FACTOR))


@leaf
def believed_detection(
    state: NDArray[np.float64], sensor: NDArray[np.float64], range_m: float, elevation_rad: float
) -> float:
    """Probability of a plot at a range (m) and elevation (rad): the configured curve times the factor, at
    most SUREST; 0 outside coverage."""
    pd = detection_probability(sensor, range_m, elevation_rad) * detection_factor(state, sensor, range_m)
    return float(min(pd, SUREST))


@njit(cache=True)
def learn_detection(
    state: NDArray[np.float64],
    sensor: NDArray[np.float64],
    range_m: NDArray[np.float64],
    expected: NDArray[np.float64],
    outcome: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> None:
    """Count n looks into the state.

    range_m (n,): where the objects were.  expected (n,): probability that a look gives a plot, by the
    configured curve *without* the factor.  outcome (n,): probability that it gave one, if the object
    exists.  weight (n,): probability that the object exists, known from anything but this look's outcome.
    """
    for i in range(len(range_m)):
        _count(state, sensor, range_m[i], expected[i], outcome[i], weight[i])


@leaf
def _count(
    state: NDArray[np.float64],
    sensor: NDArray[np.float64],
    range_m: float,
    expected: float,
    outcome: float,
    weight: float,
) -> None:
    """One look of `learn_detection`."""
    w = min(max(weight, 0.0), 1.0)
    if w <= 0.0 or expected <= 0.0:
        return
    b = _band(sensor, range_m)
    keep = 1.0 - w / MEMORY_LOOKS
    state[b, SEEN] = keep * state[b, SEEN] + w * min(max(outcome, 0.0), 1.0)
    state[b, EXPECTED] = keep * state[b, EXPECTED] + w * min(expected, 1.0)


@njit(cache=True)
def judge_looks(
    states: NDArray[np.float64],
    sensors: NDArray[np.float64],
    index: int,
    table: NDArray[np.void],
    rows: NDArray[np.int64],
    seen: NDArray[np.float64],
    gave: NDArray[np.float64],
    range_m: NDArray[np.float64],
) -> None:
    """Count the last looks at n tracks as this one, of sensor `index`, proves them; this one then waits.

    states (s, BANDS, 2), sensors (s, parameters): of all sensors, for the last look at a track may have been
    another's.  rows (n,): of the table.  seen (n,): probability that this look gives a plot, by what is
    believed of the sensor.  gave (n,): that the object exists and this look showed it.  range_m (n,): where.
    """
    believed = states[index].copy()  # what `seen` was worked out with
    for i in range(len(rows)):
        row = table[rows[i]]
        if row["looked_expected"] > 0.0:
            by = row["looked_by"]
            _count(
                states[by],
                sensors[by],
                row["looked_m"],
                row["looked_expected"],
                row["looked_outcome"],
                gave[i],
            )
        row["looked_by"], row["looked_m"] = index, range_m[i]
        row["looked_expected"] = seen[i] / detection_factor(believed, sensors[index], range_m[i])
        row["looked_outcome"] = min(gave[i] * (1.0 + math.exp(-row["log_odds"])), 1.0)
