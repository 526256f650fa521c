"""Beginning a row from one plot: what it tells of an object, and the prior for the rest.

In: a plot and its sensor; out: a row of the table, tentative by whoever asked for it.  A line of sight alone
(no range) cannot begin a row.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import limb
from jointwatch.sensing.radar import (
    ACROSS,
    COMPONENT,
    DIMENSION,
    ELEVATION_MAX,
    ELEVATION_MIN,
    IN_RANGE,
    IN_RATE,
    ROTATION,
    SIGMA_AZIMUTH,
    SIGMA_ELEVATION,
    SIGMA_RANGE,
    SIGMA_RANGE_RATE,
    SITE,
    UPWARD,
    measures,
    position_of_plot,
)
from jointwatch.tracking.bank import AXES, BIRTH, MEAN, SIGMA, SPEED
from jointwatch.tracking.table import EVIDENCE, NOTHING


@njit(cache=True)
def can_begin(sensor: NDArray[np.float64]) -> bool:
    """Whether one plot of a sensor tells where an object is: it has range and azimuth, or a position."""
    if int(sensor[COMPONENT]) > IN_RATE:
        return int(sensor[DIMENSION]) > 1
    return measures(sensor, IN_RANGE) and measures(sensor, ACROSS)


@limb
def begin_row(
    bank: NDArray[np.float64],
    row: np.void,
    sensor: NDArray[np.float64],
    plot: NDArray[np.float64],
    time_ns: int,
    identity: int,
) -> None:
    """Begin a row from one plot: position and, if measured, radial speed; the rest at the bank's priors."""
    place, line = np.empty(3), np.zeros((3, 3))
    sigma_p, rate, sigma_rate, unlike = np.zeros(3), 0.0, -1.0, 0.0
    if int(sensor[COMPONENT]) > IN_RATE:
        for i in range(3):
            line[i, i] = 1.0
            place[i] = plot[i] if i < int(sensor[DIMENSION]) else 0.0
            sigma_p[i] = sensor[SIGMA_RANGE] if i < int(sensor[DIMENSION]) else 0.0
    else:
        r, azimuth, elevation = plot[0], plot[1], plot[2]
        half = 0.0
        if not measures(sensor, UPWARD):
            # anywhere in the cover, evenly: on an arc about the middle of what the radar sees
            elevation = 0.5 * (sensor[ELEVATION_MIN] + sensor[ELEVATION_MAX])
            half = 0.5 * (sensor[ELEVATION_MAX] - sensor[ELEVATION_MIN])
        place[0], place[1], place[2] = position_of_plot(sensor, r, azimuth, elevation)
        ca, sa = math.cos(azimuth), math.sin(azimuth)
        for i in range(3):
            line[0, i] = (place[i] - sensor[SITE + i]) / r
            line[1, i] = ca * sensor[ROTATION + i] - sa * sensor[ROTATION + 3 + i]
        line[2, 0] = line[0, 1] * line[1, 2] - line[0, 2] * line[1, 1]
        line[2, 1] = line[0, 2] * line[1, 0] - line[0, 0] * line[1, 2]
        line[2, 2] = line[0, 0] * line[1, 1] - line[0, 1] * line[1, 0]
        # mean of the cosine, and mean squares of cosine and sine, over the arc
        mean_cos, cos2 = 1.0, 1.0
        if half > 0.0:
            mean_cos, cos2 = math.sin(half) / half, 0.5 + math.sin(2.0 * half) / (4.0 * half)
        level2 = math.cos(elevation) ** 2 * cos2 + math.sin(elevation) ** 2 * (1.0 - cos2)
        for i in range(3):
            place[i] -= (1.0 - mean_cos) * r * line[0, i]
        sigma_p[0] = math.hypot(sensor[SIGMA_RANGE], r * math.sqrt(max(cos2 - mean_cos * mean_cos, 0.0)))
        sigma_p[1] = r * math.sqrt(level2) * sensor[SIGMA_AZIMUTH]
        sigma_p[2] = r * (sensor[SIGMA_ELEVATION] if measures(sensor, UPWARD) else math.sqrt(1.0 - cos2))
        if measures(sensor, IN_RATE):
            rate, sigma_rate = plot[3], sensor[SIGMA_RANGE_RATE]
            unlike = math.sqrt(1.0 - cos2)  # of the middle's direction and the object's
    for k in range(bank.shape[0]):
        m, p = row["mean"][k], row["covariance"][k]
        axes = int(bank[k, AXES])
        p[:, :] = 0.0
        for i in range(3):
            m[i] = place[i]
            m[3 + i] = rate * line[0, i]
        for c in range(3):
            speed = bank[k, SPEED]
            if c == 0 and sigma_rate >= 0.0:
                speed = math.hypot(sigma_rate, unlike * speed)
            if c >= axes:
                speed = 0.0
            for i in range(3):
                for j in range(3):
                    p[i, j] += line[c, i] * line[c, j] * (sigma_p[c] * sigma_p[c])
                    p[3 + i, 3 + j] += line[c, i] * line[c, j] * (speed * speed)
        m[6] = bank[k, MEAN]
        p[6, 6] = bank[k, SIGMA] * bank[k, SIGMA]
        row["phase"][k] = bank[k, BIRTH]
    row["time_ns"] = time_ns
    row["first_ns"] = time_ns
    row["seen_ns"] = time_ns
    row["asleep"] = 0
    row["number"] = 0
    row["chain"] = 0
    row["parent_plot"] = NOTHING
    row["parent_chain"] = 0
    row["looked_by"], row["looked_m"], row["looked_expected"], row["looked_outcome"] = 0, 0.0, 0.0, 0.0
    row["source"][:], row["source_first"][:], row["source_last"][:] = NOTHING, 0, 0
    row["hits"] = 1
    row["misses"] = 0
    row["near"] = 0
    row["cluster"] = 0
    row["recent"][:] = NOTHING
    row["first_plot"] = identity
    for i in range(EVIDENCE):
        row["evidence"][i] = -1
    row["evidence"][0] = identity
