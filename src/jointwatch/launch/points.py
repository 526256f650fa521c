"""Weighted points on the ground in a flat frame about their middle, so that they can be measured in metres.

In: latitudes, longitudes and weights, on either side of the 180th meridian or about a pole; out: metres east
and north of their middle, and back.  The frame is the azimuthal equidistant one of a sphere (Snyder 1987,
"Map projections: a working manual", chapter 25): distance and bearing from the middle are right everywhere.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M

Floats = NDArray[np.float64]


class Points(Struct, frozen=True):
    """Points (n,) about their middle: east_m, north_m, and weights that sum to 1.

    latitude_rad, longitude_rad: of the middle.  kept: indices of the points in what was handed in.
    """

    latitude_rad: float
    longitude_rad: float
    east_m: Floats
    north_m: Floats
    weights: Floats
    kept: NDArray[np.int64]

    @staticmethod
    def of(latitude_rad: Floats, longitude_rad: Floats, weights: Floats) -> Points | None:
        """Those of points (n,), rad, that are numbers and have a weight above 0; None where there are none.

        None as well for points that are spread so evenly round the Earth that they have no middle.
        """
        latitude, longitude, weight = (np.asarray(v, float) for v in (latitude_rad, longitude_rad, weights))
        good = np.isfinite(latitude) & np.isfinite(longitude) & np.isfinite(weight) & (weight > 0.0)
        kept = np.flatnonzero(good)
        if not len(kept):
            return None
        latitude, longitude, weight = latitude[kept], longitude[kept], weight[kept] / weight[kept].max()
        weight = weight / weight.sum()
        cos = np.cos(latitude)
        up = np.array([weight @ (cos * np.cos(longitude)), weight @ (cos * np.sin(longitude)),
                       weight @ np.sin(latitude)])  # fmt: skip
        if np.linalg.norm(up) < 1e-3:
            return None
        middle = math.atan2(up[2], math.hypot(up[0], up[1])), math.atan2(up[1], up[0])
        east, north = _flat(*middle, latitude, longitude)
        return Points(*middle, east, north, weight, kept)

    def back(self, east_m: Floats, north_m: Floats) -> tuple[Floats, Floats]:
        """Latitudes and longitudes (rad, -pi to pi) of places by metres east and north of the middle."""
        away = np.hypot(east_m, north_m)
        angle = away / MEAN_RADIUS_M
        # sin x / x, so that the middle itself needs no case of its own
        scale = np.sinc(angle / math.pi) / MEAN_RADIUS_M
        sin0, cos0 = math.sin(self.latitude_rad), math.cos(self.latitude_rad)
        x = np.cos(angle)
        latitude = np.arcsin(np.clip(x * sin0 + north_m * scale * cos0, -1.0, 1.0))
        turn = np.arctan2(east_m * scale, x * cos0 - north_m * scale * sin0)
        longitude = np.remainder(self.longitude_rad + turn + math.pi, 2.0 * math.pi) - math.pi
        return latitude, longitude


def _flat(
    latitude_rad: float, longitude_rad: float, latitude: Floats, longitude: Floats
) -> tuple[Floats, Floats]:
    """Metres east and north of a place, along the great circles from it."""
    turn = longitude - longitude_rad
    sin0, cos0 = math.sin(latitude_rad), math.cos(latitude_rad)
    east = np.cos(latitude) * np.sin(turn)
    north = cos0 * np.sin(latitude) - sin0 * np.cos(latitude) * np.cos(turn)
    up = sin0 * np.sin(latitude) + cos0 * np.cos(latitude) * np.cos(turn)
    sine = np.hypot(east, north)
    angle = np.arctan2(sine, up)
    scale = MEAN_RADIUS_M / np.maximum(np.sinc(angle / math.pi), 1e-6)
    return east * scale, north * scale


def moments_of(east_m: Floats, north_m: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Mean (2,) and covariance (2, 2) of points (n,) with weights (n,) that sum to 1.

    The covariance is that of what they were drawn from: greater than theirs by 1 / (1 - sum of the squared
    weights), as for n of one weight by n / (n - 1); one point alone has none.
    """
    points = np.stack([east_m, north_m])
    mean = points @ weights
    off = points - mean[:, None]
    share = 1.0 - float(weights @ weights)
    covariance = (off * weights) @ off.T
    return mean, covariance / share if share > 1e-9 else np.zeros((2, 2))
