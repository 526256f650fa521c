"""What one look at a wedge says of an object that should be there.

In: a sensor, the wedge it looked at and what it should measure; out: the probability that the look gives a
plot of it.  "No plot there" and "did not look there" differ, and both have soft edges: a hard one would let
it decide between two motions that expect the object a hair inside and a hair outside.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf
from jointwatch.sensing.coverage import detection_probability
from jointwatch.sensing.expectation import AZIMUTH, COS_ELEVATION, ELEVATION, RANGE, SPREAD_ACROSS, SPREAD_UP
from jointwatch.sensing.radar import (
    COMPONENT,
    DETECTION,
    ELEVATION_MAX,
    ELEVATION_MIN,
    IN_RANGE,
    IN_RATE,
    RANGE_MAX,
    RANGE_MIN,
    sight,
)
from jointwatch.tracking.detection import detection_factor
from jointwatch.tracking.rows import likeliest

LONGEST_GAP_S = 900.0
"""Rows are not predicted over a longer silence: what could be said of them then is nothing."""
SURELY_SEEN = 0.999
"""No look is believed to show an object more surely than this, whatever its sensor states: a track that
turned harder than its gate allows has to outlive the look that missed it."""


@leaf
def wedge_share(azimuth: float, sigma: float, azimuth_from: float, azimuth_to: float) -> float:
    """Probability that a normal azimuth (rad) lies in the wedge from..to (clockwise)."""
    two_pi = 2.0 * math.pi
    width = azimuth_to - azimuth_from
    if not 0.0 <= width < two_pi:
        width %= two_pi
    if width == 0.0:
        return 1.0
    off = azimuth - azimuth_from - 0.5 * width
    if abs(off) > math.pi:
        off = (off + 3.0 * math.pi) % two_pi - math.pi
    scale = 1.0 / (math.sqrt(2.0) * max(sigma, 1e-9))
    return 0.5 * (math.erf((0.5 * width - off) * scale) + math.erf((0.5 * width + off) * scale))


@leaf
def elevation_share(sensor: NDArray[np.float64], elevation: float, sigma: float) -> tuple[float, float]:
    """The elevation (rad) brought inside coverage, and how probably a normal one about it is inside."""
    scale = 1.0 / (math.sqrt(2.0) * max(sigma, 1e-9))
    low, high = sensor[ELEVATION_MIN], sensor[ELEVATION_MAX]
    share = 0.5 * (math.erf((high - elevation) * scale) + math.erf((elevation - low) * scale))
    return min(max(elevation, low), high), max(share, 0.0)


@leaf
def ungraded_detection(sensor: NDArray[np.float64], detection: NDArray[np.float64]) -> float:
    """Probability of a plot for a sensor whose detection does not fall with a range that it measures."""
    return float(min(sensor[DETECTION] * detection_factor(detection, sensor, 0.0), SURELY_SEEN))


@leaf
def look_probability(
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    z: NDArray[np.float64],
    azimuth_from: float,
    azimuth_to: float,
) -> float:
    """Probability that a look at the wedge gives a plot of an object expected at z (`expectation.SIZE`,).

    detection: what is learned of the sensor (`detection.new_detection`).
    """
    factor = detection_factor(detection, sensor, z[RANGE])
    if int(sensor[COMPONENT]) > IN_RATE:
        return float(min(sensor[DETECTION] * factor, SURELY_SEEN))
    inside, covered = elevation_share(sensor, z[ELEVATION], z[SPREAD_UP])
    if int(sensor[COMPONENT]) == IN_RANGE:
        pd = detection_probability(sensor, z[RANGE], inside) * covered
    else:
        # what measures no range sees as far as it sees
        pd = sensor[DETECTION] * covered if sensor[RANGE_MIN] < z[RANGE] < sensor[RANGE_MAX] else 0.0
    across = z[SPREAD_ACROSS] / max(z[COS_ELEVATION], 1e-3)
    pd *= wedge_share(z[AZIMUTH], across, azimuth_from, azimuth_to)
    return float(min(pd * factor, SURELY_SEEN))


@leaf
def reach_m(sensor: NDArray[np.float64]) -> float:
    """How far off (m) a sensor may see what is not exactly where it is thought to be."""
    return float(1.05 * sensor[RANGE_MAX] + 20e3)


@leaf
def may_be_seen(
    state: tuple[float, float, float, float, float, float],
    dt: float,
    sensor: NDArray[np.float64],
    wedge: tuple[float, float],
) -> bool:
    """Whether a state (m, m/s), moved on in a straight line for dt seconds, may lie in the wedge.

    A cheap test before anything is predicted.
    """
    if dt > LONGEST_GAP_S:
        return False
    if int(sensor[COMPONENT]) > IN_RATE:
        return True
    x, y, z, vx, vy, vz = state
    r, azimuth, _, _, _, _, level, _ = sight(sensor, x + dt * vx, y + dt * vy, z + dt * vz, vx, vy, vz)
    if r > reach_m(sensor):
        return False
    slack = slack_rad(r * level, dt)
    return wedge_share(azimuth, slack / 3.0, wedge[0], wedge[1]) > 1e-4


@leaf
def slack_rad(level_m: float, dt: float) -> float:
    """How far beside where it is thought to be (rad) something at a level distance is looked for.

    dt: seconds since that was.
    """
    return slack_m(max(level_m, 1e3), dt) / max(level_m, 1e3)


@leaf
def slack_m(level_m: float, dt: float) -> float:
    """The same across (m), at a level distance of a kilometre or more."""
    return 0.04 * level_m + 8e3 + 20.0 * dt * dt


@njit(cache=True)
def row_may_be_seen(
    row: np.void, sensor: NDArray[np.float64], wedge: tuple[float, float], time_ns: int
) -> bool:
    """`may_be_seen` of a row, in its likeliest motion."""
    m = row["mean"][likeliest(row)]
    dt = (time_ns - row["time_ns"]) * 1e-9
    return may_be_seen((m[0], m[1], m[2], m[3], m[4], m[5]), dt, sensor, wedge)
