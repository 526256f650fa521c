"""What infrared looks say of one burn: the looks at it as rows for the kernels, and how well a launch fits
them.

In: for each look when and from where, along which line something shone (or that nothing did), and how well
the sensor sees; out: residuals for a fit, and the log-likelihood of one launch's eight values
(`launch.ascent`). A look that saw nothing tells too: that the motor was out, not lit yet, under clouds, or
missed by chance. How high the clouds reach is not known, but is the same for all looks: between the ground
and `Satellite.cloud_m`.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.launch.ascent import (
    KNOTS,
    MOST_LOAD,
    PUSH,
    TIME,
    Z_DRAG,
    Z_TILT,
    ascend,
    burn_times,
    deviations,
    physical,
    state_at,
)
from jointwatch.launch.profiles import EXHAUST, GLOW, GLOW_SPREAD

Floats = NDArray[np.float64]

# A look's row: seconds after the reference time, the satellite, the line of sight, two directions across it.
AT, SITE, ALONG, ACROSS, UPWARD = 0, 1, 4, 7, 10
SIGMA, SEEN, DETECTION, CLOUD, GLOWS = 13, 14, 15, 16, 17  # GLOWS: log of the intensity, W/sr
LOOK = 18
OUT_OF_BURN = -25.0
"""Log-likelihood of a plot from a motor that does not burn: it cannot be, but a step's error must not
decide."""
HIDING_M = 6.36e6
"""What passes nearer to the Earth's middle than this is behind the Earth."""
UNCERTAIN_S = 20.0
"""How vague the time of launch is, for a fit, when a burn was looked at once."""
CLEAR_M = 8000.0
MORE = 7
"""Residuals beside the three of each plot."""


def look_row(
    time_s: float,
    site: Floats,
    along: Floats | None,
    sigma_rad: float,
    detection: float,
    cloud_m: float,
    intensity_w_sr: float = 0.0,
) -> Floats:
    """The (LOOK,) row of one look; along (3,): the line of sight to the plot, or None where nothing shone."""
    row = np.zeros(LOOK)
    row[AT], row[SITE : SITE + 3] = time_s, site
    row[SIGMA], row[DETECTION], row[CLOUD] = sigma_rad, detection, cloud_m
    if along is not None:
        row[SEEN], row[ALONG : ALONG + 3] = 1.0, along
        least = np.zeros(3)
        least[int(np.argmin(np.abs(along)))] = 1.0
        across = np.cross(along, least)
        across /= np.linalg.norm(across)
        row[ACROSS : ACROSS + 3], row[UPWARD : UPWARD + 3] = across, np.cross(along, across)
        row[GLOWS] = math.log(max(intensity_w_sr, 1e-3))
    return row


@njit(cache=True)
def is_hidden(look: Floats, s: Floats) -> bool:
    """Whether the Earth stands between a look's satellite and a place s (>= 3,)."""
    dx, dy, dz = s[0] - look[SITE], s[1] - look[SITE + 1], s[2] - look[SITE + 2]
    d2 = dx * dx + dy * dy + dz * dz
    t = -(look[SITE] * dx + look[SITE + 1] * dy + look[SITE + 2] * dz) / d2
    if t >= 1.0:
        return False
    x, y, z = look[SITE] + t * dx, look[SITE + 1] + t * dy, look[SITE + 2] + t * dz
    behind: bool = x * x + y * y + z * z < HIDING_M * HIDING_M
    return behind


@njit(cache=True)
def off_line(look: Floats, s: Floats) -> tuple[float, float]:
    """How far a place s (>= 3,) is off a look's line of sight, across and upward, in standard deviations."""
    dx, dy, dz = s[0] - look[SITE], s[1] - look[SITE + 1], s[2] - look[SITE + 2]
    r = math.sqrt(dx * dx + dy * dy + dz * dz) * look[SIGMA]
    a = look[ACROSS] * dx + look[ACROSS + 1] * dy + look[ACROSS + 2] * dz
    b = look[UPWARD] * dx + look[UPWARD + 1] * dy + look[UPWARD + 2] * dz
    return a / r, b / r


@njit(cache=True)
def _span(looks: Floats) -> tuple[float, float]:
    """Times of the last and the first look that saw something, s."""
    last, first = -1e9, 1e9
    for i in range(looks.shape[0]):
        if looks[i, SEEN] != 0.0:
            last, first = max(last, looks[i, AT]), min(first, looks[i, AT])
    return last, first


@njit(cache=True)
def residuals(
    row: Floats, values: Floats, place: Floats, looks: Floats, clear_s: float, r: Floats, work: Floats
) -> int:
    """Fill r with what a fit makes least, and return how many there are.

    clear_s: seconds after which a burn of the class's medians is seen at all.  work: (KNOTS, 7) scratch.
    """
    last, first = _span(looks)
    n = ascend(row, values, place, last - values[TIME], work[:, 6], work[:, :6])
    times, states = work[:, 6], work[:, :6]
    _, _, end = burn_times(row, values)
    s = np.empty(6)
    m = 0
    for i in range(looks.shape[0]):
        look = looks[i]
        if look[SEEN] == 0.0:
            continue
        t = look[AT] - values[TIME]
        state_at(times, states, n, t, s)
        r[m], r[m + 1] = off_line(look, s)
        r[m + 2] = min(t, 0.0) + max(t - end, 0.0)
        m += 3
    # a motor that was looked for later and not found went out before that look, or was missed by it
    low, part, total, mean, square = last, 1.0, 0.0, 0.0, 0.0
    for i in range(looks.shape[0]):
        if looks[i, SEEN] == 0.0 and looks[i, AT] > last:
            width, middle = looks[i, AT] - low, 0.5 * (looks[i, AT] + low) - last
            total += part * width
            mean += part * width * middle
            square += part * width * (middle * middle + width * width / 12.0)
            part *= 1.0 - looks[i, DETECTION]
            low = looks[i, AT]
    r[m] = 0.0
    if total > 0.0 and part < 0.5:
        mean /= total
        spread = math.sqrt(max(square / total - mean * mean, 0.0))
        r[m] = (values[TIME] + end - last - mean) / max(spread, 0.5)
    r[m + 1] = (first - values[TIME] - clear_s) / UNCERTAIN_S
    m += 2
    r[m], r[m + 1], _ = deviations(row, values)
    r[m + 2], r[m + 3] = values[Z_TILT], values[Z_DRAG]
    # what would burn more than there is, is held at the bound: without a slope a fit would stay there
    burn, _, _, _ = physical(row, values)
    r[m + 4] = max(values[PUSH] - math.log(MOST_LOAD / burn * row[EXHAUST]), 0.0) / 0.01
    return m + 5


@njit(cache=True)
def log_likelihood(row: Floats, values: Floats, place: Floats, looks: Floats, work: Floats) -> float:
    """Log-likelihood of all looks under one launch: directions, what was seen and what was not, and when.

    Densities of directions are per square radian.  Intensity is a class's, so it is in `log_glow`.
    """
    first, gap_end, end = burn_times(row, values)
    until = 0.0
    for i in range(looks.shape[0]):
        if looks[i, SEEN] != 0.0 or looks[i, AT] - values[TIME] <= end:
            until = max(until, looks[i, AT] - values[TIME])
    n = ascend(row, values, place, until, work[:, 6], work[:, :6])
    times, states = work[:, 6], work[:, :6]
    s = np.empty(6)
    total = 0.0
    lowest, clouds = 1e9, 0.0
    hidden = np.zeros(looks.shape[0])  # heights of looks that missed what burned
    chance = np.zeros(looks.shape[0])
    misses = 0
    for i in range(looks.shape[0]):
        look = looks[i]
        t = look[AT] - values[TIME]
        burns = 0.0 <= t <= end and not first < t < gap_end
        clouds = max(clouds, look[CLOUD])
        if look[SEEN] != 0.0:
            state_at(times, states, n, t, s)
            a, b = off_line(look, s)
            total += -0.5 * (a * a + b * b) - math.log(2.0 * math.pi * look[SIGMA] * look[SIGMA])
            total += math.log(look[DETECTION]) if burns else OUT_OF_BURN
            lowest = min(lowest, height_above_ellipsoid(s[0], s[1], s[2]))
        elif burns:
            state_at(times, states, n, t, s)
            if not is_hidden(look, s):
                hidden[misses] = height_above_ellipsoid(s[0], s[1], s[2])
                chance[misses] = look[DETECTION]
                misses += 1
    share = _clear_share(min(lowest, clouds), hidden[:misses], chance[:misses], clouds)
    return total + (math.log(share) if share > 0.0 else OUT_OF_BURN)


@njit(cache=True)
def _clear_share(highest: float, heights: Floats, chance: Floats, clouds: float) -> float:
    """Mean over the height of the clouds' top, even up to clouds (m), of the probability of what was missed.

    The top lies below highest (m): all that was seen.  heights (n,), chance (n,): of looks that missed what
    burned, and the probability that each sees it in the clear.
    """
    if clouds <= 0.0:
        share = 1.0
        for k in range(heights.shape[0]):
            share *= 1.0 - chance[k]
        return share
    share, low = 0.0, 0.0
    while low < highest:
        high, part = highest, 1.0
        for k in range(heights.shape[0]):
            if heights[k] > low:
                part *= 1.0 - chance[k]
                high = min(high, heights[k])
        share += part * (high - low) / clouds
        low = high
    return share


@njit(cache=True)
def log_glow(row: Floats, looks: Floats) -> float:
    """Log-density of how bright the looks' plots were, for a class: its objects differ, one object hardly."""
    total, seen = 0.0, 0
    for i in range(looks.shape[0]):
        if looks[i, SEEN] != 0.0 and looks[i, GLOWS] > 0.0:
            total += looks[i, GLOWS]
            seen += 1
    if seen == 0:
        return 0.0
    off = (total / seen - row[GLOW]) / row[GLOW_SPREAD]
    log_density: float = -0.5 * off * off - math.log(row[GLOW_SPREAD])
    return log_density


def scratch() -> Floats:
    """Room for one flight, for `residuals` and `log_likelihood`."""
    return np.empty((KNOTS, 7))
