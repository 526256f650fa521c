"""What a radar can see: limits of range and elevation, the horizon, and detection falling with range.

In: a parameter row (`sensing.radar.sensor_row`) and where an object stands in the radar's frame; out: the
probability that one look gives a plot.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.kernel import leaf
from jointwatch.sensing.radar import DETECTION, ELEVATION_MAX, ELEVATION_MIN, HEIGHT, RANGE_MAX, RANGE_MIN

FALSE_ALARM = 1e-6
"""Probability of false alarm in a resolution cell behind the Swerling I curve."""
FULL_RANGE = 0.8
"""Up to this share of the greatest range the detection probability is the configured one."""


@leaf
def detection_probability(row: NDArray[np.float64], range_m: float, elevation_rad: float) -> float:
    """Probability of a plot from an object at this range (m) and elevation (rad); 0 outside coverage.

    The configured probability holds to `FULL_RANGE` of the greatest range; beyond, the signal falls with the
    fourth power of range and the probability follows a Swerling I target (Pd = Pfa^(1 / (1 + SNR))).
    Below the geometric horizon of the radar's height it is 0.
    """
    if range_m < row[RANGE_MIN] or range_m > row[RANGE_MAX]:
        return 0.0
    if elevation_rad < row[ELEVATION_MIN] or elevation_rad > row[ELEVATION_MAX]:
        return 0.0
    if elevation_rad < 0.0:
        dip = math.acos(MEAN_RADIUS_M / (MEAN_RADIUS_M + max(row[HEIGHT], 0.0)))
        tangent = MEAN_RADIUS_M * math.tan(dip)
        if elevation_rad < -dip and range_m > tangent:
            return 0.0
    pd = float(row[DETECTION])
    full = FULL_RANGE * row[RANGE_MAX]
    if range_m <= full or pd <= 0.0 or pd >= 1.0:
        return pd
    snr = (math.log(FALSE_ALARM) / math.log(pd) - 1.0) * (full / range_m) ** 4
    return math.exp(math.log(FALSE_ALARM) / (1.0 + snr))


@leaf
def in_wedge(azimuth: float, azimuth_from: float, azimuth_to: float) -> bool:
    """Whether an azimuth (rad) lies in the wedge that opens clockwise from azimuth_from to azimuth_to."""
    two_pi = 2.0 * math.pi
    width = (azimuth_to - azimuth_from) % two_pi
    if width == 0.0:
        return True
    return (azimuth - azimuth_from) % two_pi < width
