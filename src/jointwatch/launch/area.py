"""The area of a launch, from weighted points where and when it may have been: what partners are told.

In: points with times and azimuths, and the `Origin` made of them; out: a `LaunchArea`: the middle, an ellipse
that holds 90 % of the weight whatever shape the points have, and the 2 km floor after everything else.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.launch.origin import Origin
from jointwatch.launch.points import Points, moments_of
from jointwatch.records import LAUNCH_FLOOR_M, LaunchArea

Floats = NDArray[np.float64]

VAGUEST_M = 5e6
"""A launch area that is greater than a continent tells nothing."""
THINNEST_M = 1.0
"""No set of points is taken for thinner than this: across a line, every distance would be infinite."""
VAGUEST_AZIMUTH_RAD = 1.0
"""An azimuth less certain than this cannot be told: one of which nothing is known has 1.8."""


class Region(Struct, frozen=True):
    """An ellipse on the ground: middle, semi-axes, and bearing of the major one from true north, 0 to pi."""

    latitude_rad: float
    longitude_rad: float
    semi_major_m: float
    semi_minor_m: float
    bearing_rad: float


def region_of(
    latitude_rad: Floats, longitude_rad: Floats, weights: Floats, share: float = 0.9
) -> Region | None:
    """The ellipse that holds a share of the weight of points (n,), rad; None where it tells nothing.

    It has the shape of the points' covariance, and is as large as the quantile of their distances
    (Mahalanobis) in it says, so lumps and crescents are held as well as what is Gaussian.  The quantile is
    that of share (1 + 1 / n), n = 1 / sum of the squared weights: where the next point of the same kind lies
    (Vovk, Gammerman & Shafer 2005, "Algorithmic learning in a random world").  Neither semi-axis is below
    `LAUNCH_FLOOR_M`.
    """
    points = Points.of(latitude_rad, longitude_rad, weights)
    if points is None:
        return None
    mean, covariance = moments_of(points.east_m, points.north_m, points.weights)
    values, vectors = np.linalg.eigh(covariance)
    sigma = np.maximum(np.sqrt(np.maximum(values, 0.0)), THINNEST_M)
    along = np.stack([points.east_m - mean[0], points.north_m - mean[1]], axis=1) @ vectors
    distance = np.hypot(along[:, 0] / sigma[0], along[:, 1] / sigma[1])
    order = np.argsort(distance)
    level = min(share * (1.0 + float(points.weights @ points.weights)), 1.0)
    at = int(np.searchsorted(np.cumsum(points.weights[order]), level - 1e-12))
    minor, major = np.maximum(sigma * distance[order[min(at, len(order) - 1)]], LAUNCH_FLOOR_M)
    if not major < VAGUEST_M:
        return None
    latitude, longitude = points.back(mean[:1], mean[1:])
    return Region(
        float(latitude[0]),
        float(longitude[0]),
        float(major),
        float(minor),
        math.atan2(float(vectors[0, 1]), float(vectors[1, 1])) % math.pi,
    )


def launch_area(
    track: str,
    time_ns: int,
    latitude_rad: Floats,
    longitude_rad: Floats,
    seconds: Floats,
    azimuth_rad: Floats | None,
    weights: Floats,
    origin: Origin,
    sensors: int,
) -> LaunchArea | None:
    """The launch area of points (n,) where a launch may have been; None where they tell nothing.

    seconds: time of the launch at each, after time_ns.  azimuth_rad: in which direction it went from each;
    None where nothing tells, as for a line of sight alone.  sensors: how many stand behind the points.
    """
    region = region_of(latitude_rad, longitude_rad, weights)
    if region is None:
        return None
    good = np.isfinite(seconds) & np.isfinite(weights) & (weights > 0.0)
    if not good.any():
        return None
    time, sigma = _mean_sigma(seconds[good], weights[good])
    azimuth, azimuth_sigma = (None, None) if azimuth_rad is None else azimuth_of(azimuth_rad, weights)
    return LaunchArea(
        track=track,
        time_ns=time_ns + round(1e9 * time),
        time_sigma_s=sigma,
        latitude_rad=region.latitude_rad,
        longitude_rad=region.longitude_rad,
        semi_major_m=region.semi_major_m,
        semi_minor_m=region.semi_minor_m,
        bearing_rad=region.bearing_rad,
        territories=origin.territories,
        origin=origin.stated,
        origin_probability=origin.probability,
        why=origin.why,
        azimuth_rad=azimuth,
        azimuth_sigma_rad=azimuth_sigma,
        sensors=sensors,
    )


def azimuth_of(azimuth_rad: Floats, weights: Floats) -> tuple[float, float] | tuple[None, None]:
    """Mean azimuth (0 to 2 pi) and standard deviation of directions (n,); None for both if it is not known.

    Circular: the direction of the mean of unit vectors, and sqrt(-2 ln R) of its length R (Mardia & Jupp
    2000, "Directional statistics", 2.3).
    """
    good = np.isfinite(azimuth_rad) & np.isfinite(weights) & (weights > 0.0)
    if not good.any():
        return None, None
    share = weights[good] / weights[good].max()
    share = share / share.sum()
    east, north = float(share @ np.sin(azimuth_rad[good])), float(share @ np.cos(azimuth_rad[good]))
    length = min(math.hypot(east, north), 1.0)
    sigma = math.sqrt(-2.0 * math.log(length)) if length > 0.0 else math.inf
    if sigma > VAGUEST_AZIMUTH_RAD:
        return None, None
    return math.atan2(east, north) % (2.0 * math.pi), sigma


def _mean_sigma(values: Floats, weights: Floats) -> tuple[float, float]:
    """Mean and standard deviation of values (n,) with weights (n,) of any sum."""
    share = weights / weights.max()
    share = share / share.sum()
    mean = float(share @ values)
    return mean, math.sqrt(float(share @ (values - mean) ** 2))
