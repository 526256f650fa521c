"""What is told of a burn: class, launch area, origin, azimuth, and where what it drives will come down.

In: a `Posterior` of a launch, which sensors stand behind it, and the territories; out: a `BurnEstimate`.
Each draw is flown to the end of its burn and falls from there, so the expected impact holds all that is
open: the class, the azimuth, and when the motor will stop.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from statistics import NormalDist

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M, ecef2geodetic
from jointwatch.launch.area import launch_area
from jointwatch.launch.ascent import (
    AZIMUTH,
    KNOTS,
    TIME,
    ascend,
    burn_times,
    physical,
)
from jointwatch.launch.origin import STATED, Places, origin_of
from jointwatch.launch.posterior import Posterior, places_of, rows
from jointwatch.launch.profiles import LEFT_OUT_RAD, LEFT_OUT_S, STAGES
from jointwatch.motion.propagate import fall
from jointwatch.records import Impact, LaunchArea

Floats = NDArray[np.float64]

FLOWN = 200
"""Draws that are flown to the ground: what is left to chance of a mean is a fourteenth of the spread."""
LONGEST_FALL_S = 2400.0
COARSE = 3.0
"""The fall's steps, as for predicted falls of tracks (`warning.impact`)."""
LEAST_DOWN = 0.5
"""Where less than this part of the draws comes down no impact is told: most go to orbit, or away."""
SKEW_AT = (-2.5, -1.2, 0.0, 1.2, 2.5)
"""Standard normal deviations at which `records.Impact` states its tail."""


class BurnEstimate(Struct, frozen=True):
    """What is known of a launch by its burn: the most probable class, all of them, the area, and the fall."""

    object_class: str
    classes: dict[str, float]
    area: LaunchArea
    impact: Impact | None


def burn_area(
    number: str,
    posterior: Posterior,
    territories: Places,
    sensors: Collection[str],
    state_from: float = STATED,
) -> LaunchArea | None:
    """The launch area of burn `number`, with its origin; None where its place is vaguer than a continent."""
    latitude, longitude = places_of(posterior)
    origin = origin_of(latitude, longitude, posterior.weight, territories, sensors, state_from)
    area = launch_area(
        number,
        posterior.epoch_ns,
        latitude,
        longitude,
        posterior.values[:, TIME],
        posterior.values[:, AZIMUTH],
        posterior.weight,
        origin,
        len(set(sensors)),
    )
    if area is None:
        return None
    # draws are of the stated model; what is told is of what may really have flown
    sure = area.azimuth_sigma_rad
    return replace(
        area,
        time_sigma_s=math.hypot(area.time_sigma_s, LEFT_OUT_S),
        azimuth_sigma_rad=None if sure is None else math.hypot(sure, LEFT_OUT_RAD),
    )


def burn_estimate(posterior: Posterior, area: LaunchArea) -> BurnEstimate:
    """What is told of the burn whose launch area this is: its falls are flown, which takes most of the
    time."""
    classes = posterior.classes()
    likely = max(classes, key=lambda name: classes[name])
    return BurnEstimate(likely, classes, area, expected_impact(area.track, likely, posterior))


def expected_impact(number: str, object_class: str, posterior: Posterior) -> Impact | None:
    """Where and when what burns will come down, as a distribution; None where it may well stay up."""
    count = len(posterior.weight)
    pick = np.linspace(0, count - 1, min(count, FLOWN)).astype(np.int64)
    falls = np.empty((len(pick), 3))
    _falls(rows(), posterior.kind[pick], posterior.values[pick], posterior.place, falls)
    down = np.isfinite(falls[:, 0])
    if not down.mean() >= LEAST_DOWN:
        return None
    share = posterior.weight[pick][down]
    share = share / share.sum()
    seconds, latitude, longitude = falls[down].T
    # middle on the sphere, so that no meridian divides the falls
    unit = np.array(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )
    x, y, z = unit @ share
    middle, meridian = math.atan2(z, math.hypot(x, y)), math.atan2(y, x)
    east = np.remainder(longitude - meridian + math.pi, 2.0 * math.pi) - math.pi
    offset = np.stack([east * math.cos(middle), latitude - middle]) * MEAN_RADIUS_M
    mean = offset @ share
    offset = offset - mean[:, None]
    covariance = (offset * share) @ offset.T
    values, vectors = np.linalg.eigh(covariance)
    axis = vectors[:, 1]
    along = (axis @ offset) / math.sqrt(max(float(values[1]), 1e-6))
    time = float(seconds @ share)
    return Impact(
        track=number,
        object_class=object_class,
        time_ns=posterior.epoch_ns + round(1e9 * time),
        time_sigma_s=math.sqrt(float(share @ (seconds - time) ** 2)),
        latitude_rad=middle + float(mean[1]) / MEAN_RADIUS_M,
        longitude_rad=math.remainder(
            meridian + float(mean[0]) / (MEAN_RADIUS_M * math.cos(middle)), 2.0 * math.pi
        ),
        covariance_m2=(float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])),
        axis_rad=math.atan2(float(axis[0]), float(axis[1])) % (2.0 * math.pi),
        quantiles=tuple(_quantiles(along, share).tolist()),
        reach_only=False,
    )


def _quantiles(along: Floats, share: Floats) -> Floats:
    """Quantiles at `SKEW_AT` of deviations (n,) with shares (n,), strictly growing."""
    order = np.argsort(along, kind="stable")
    upto = np.cumsum(share[order]) - 0.5 * share[order]
    found: Floats = np.interp([NormalDist().cdf(z) for z in SKEW_AT], upto, along[order])
    return np.asarray(np.maximum.accumulate(found + 1e-6 * np.arange(len(SKEW_AT))))


@njit(cache=True)
def _falls(table: Floats, kind: NDArray[np.int64], values: Floats, place: Floats, out: Floats) -> None:
    """Fill out (n, 3) with seconds after the epoch, latitude and longitude (rad) of each draw's fall; NaN
    where it does not come down."""
    times, states, s = np.empty(KNOTS), np.empty((KNOTS, 6)), np.empty(7)
    for i in range(values.shape[0]):
        row = table[kind[i]]
        n = ascend(row, values[i], place, 1e9, times, states)
        burn, flow, _, drag = physical(row, values[i])
        _, _, end = burn_times(row, values[i])
        s[:6] = states[n - 1]
        # what is left of each stage carries on by itself with the same face to the air
        s[6] = math.log(drag) - row[STAGES] * math.log(max(1.0 - flow * burn, 0.02))
        down = fall(s, 0.0, LONGEST_FALL_S, COARSE)
        if down < 0.0:
            out[i, 0] = out[i, 1] = out[i, 2] = math.nan
            continue
        out[i, 1], out[i, 2], _ = ecef2geodetic(s[0], s[1], s[2])
        out[i, 0] = values[i, TIME] + end + down
