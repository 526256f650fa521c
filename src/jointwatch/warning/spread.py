"""How a predicted fall is spread over the ground: a Gaussian across, and along one axis a skewed tail.

In: covariance, axis and quantiles of a fall (`impact.GroundFall`, `records.Impact`); out: sample points for
the zones, the ellipse of its moments, a region to draw, and where a place lies in it.

A place is m + a L(z1) + b z2 with standard normal z1, z2.  a lies along the axis and b is its conjugate in
the covariance, so that with L(z) = z it is the Gaussian of that covariance, whichever the axis.  L is given
at QUANTILES and monotone between (Fritsch & Butland 1984); it has mean 0 and variance 1.  A region of a share
is the image of the disc that holds that share of (z1, z2): it holds the same share of the falls, and the
squared distance of a fall in (z1, z2) is chi-square with two degrees of freedom, as with a Gaussian.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.records import Impact

Floats = NDArray[np.float64]

QUANTILES = np.array([-2.5, -1.2, 0.0, 1.2, 2.5])
"""Standard normal deviations at which L is given: the 0.6, 12, 50, 88 and 99.4 % quantiles."""
POINTS = 384
FARTHEST = 6.0
"""Standard normal deviations beyond which a fall is no farther out."""


class Spread(Struct, frozen=True):
    """Covariance (2, 2) east-north (m^2), bearing of the axis (rad from north), L at QUANTILES.

    quantiles may be (): then L(z) = z.
    """

    covariance_m2: Floats
    axis_rad: float = 0.0
    quantiles: tuple[float, ...] = ()

    def axes(self) -> tuple[Floats, Floats]:
        """The vectors a and b (east, north, m)."""
        if not self.quantiles:
            values, vectors = np.linalg.eigh(self.covariance_m2)
            across, along = (vectors * np.sqrt(np.maximum(values, 0.0))).T
            return along, across
        (ee, en), (_, nn) = self.covariance_m2.tolist()
        s, c = math.sin(self.axis_rad), math.cos(self.axis_rad)
        # the covariance in (along, across): a takes all that goes with what is along, given what is across
        along, cross, across = (
            s * s * ee + 2.0 * s * c * en + c * c * nn,
            s * c * (ee - nn) + (c * c - s * s) * en,
            c * c * ee - 2.0 * s * c * en + s * s * nn,
        )
        spread = math.sqrt(max(across, 1e-12))
        a = math.sqrt(max(along - cross * cross / (spread * spread), 0.0))
        b = cross / spread
        return np.array([a * s, a * c]), np.array([b * s + spread * c, b * c - spread * s])

    def offsets(self, standard: Floats) -> Floats:
        """East and north (n, 2; m) from the mean of standard normal deviations (n, 2)."""
        return self.places(_weights(standard[:, 0]), standard[:, 1])

    def places(self, weights: Floats, across: Floats) -> Floats:
        """Offsets (n, 2; m) of places along by `_weights` (n, 10) and across by deviations (n,)."""
        a, b = self.axes()
        out: Floats = np.outer(weights @ self.knots(), a) + np.outer(across, b)
        return out

    def standard(self, offsets: Floats) -> Floats:
        """Standard normal deviations (n, 2) of places east and north (n, 2; m) of the mean."""
        deviations = np.linalg.solve(np.column_stack(self.axes()), offsets.T).T.astype(np.float64)
        grid = np.linspace(-FARTHEST, FARTHEST, 481)
        deviations[:, 0] = np.interp(deviations[:, 0], _weights(grid) @ self.knots(), grid)
        return deviations

    def distance2(self, offset: Floats) -> float:
        """Squared distance of one place (2,) from the mean: chi-square with two degrees of freedom."""
        return float(np.square(self.standard(offset[None])).sum())

    def ellipse(self, share: float = 0.9) -> tuple[float, float, float]:
        """Semi-axes (m, larger first) and bearing (rad from north) of a share's ellipse, without skew."""
        values, vectors = np.linalg.eigh(self.covariance_m2)
        k = radius(share)
        a, b = (k * math.sqrt(max(v, 0.0)) for v in values[::-1])
        return a, b, math.atan2(vectors[0, 1], vectors[1, 1]) % math.pi

    def region(self, share: float) -> tuple[Floats, Floats, Floats, Floats]:
        """The region that holds `share`: its middle, from there to both ends along the axis, and to a side.

        Four vectors (2,), east and north (m); the middle from the mean.  To the other side it goes as far.
        """
        r = radius(share)
        back, middle, front, side = self.offsets(np.array([[-r, 0.0], [0.0, 0.0], [r, 0.0], [0.0, r]]))
        return middle, front - middle, back - middle, side - middle

    def knots(self) -> Floats:
        """L at QUANTILES and its slopes there (10,): `_weights` turns them into L anywhere."""
        if not self.quantiles:
            return np.concatenate([QUANTILES, np.ones(len(QUANTILES))])
        rise = [(b - a) / w for (a, b), w in zip(pairwise(self.quantiles), _WIDTHS, strict=True)]
        # the harmonic mean of the slopes on both sides, so that neither overshoots
        inner = [2.0 * a * b / (a + b) if a * b > 0.0 else 0.0 for a, b in pairwise(rise)]
        return np.array([*self.quantiles, rise[0], *inner, rise[-1]])


def radius(share: float) -> float:
    """Radius of the disc that holds `share` of two standard normal deviations."""
    return math.sqrt(-2.0 * math.log(1.0 - share))


def stated(impact: Impact) -> Spread:
    """The spread that a record states."""
    ee, en, nn = impact.covariance_m2
    return Spread(np.array([[ee, en], [en, nn]]), impact.axis_rad, impact.quantiles)


def _standard_points(count: int) -> Floats:
    """(count, 2) fixed standard normal points: equal-probability rings turned by the golden angle."""
    k = np.arange(count)
    radii = np.sqrt(-2.0 * np.log(1.0 - (k + 0.5) / count))
    angle = k * math.pi * (3.0 - math.sqrt(5.0))
    return np.column_stack([radii * np.cos(angle), radii * np.sin(angle)])


def _weights(z: Floats) -> Floats:
    """Weights (n, 10) on `Spread.knots` that give L at z (n,).

    A cubic between two quantiles; beyond the outermost straight on with the slope there.
    """
    inner = np.clip(z, QUANTILES[0], QUANTILES[-1])
    piece = np.clip(np.searchsorted(QUANTILES, inner, side="right") - 1, 0, len(QUANTILES) - 2)
    width = np.array(_WIDTHS)[piece]
    t = (inner - QUANTILES[piece]) / width
    out, row, slopes = np.zeros((len(z), 2 * len(QUANTILES))), np.arange(len(z)), piece + len(QUANTILES)
    out[row, piece] = (1.0 + 2.0 * t) * (1.0 - t) ** 2
    out[row, piece + 1] = t**2 * (3.0 - 2.0 * t)
    out[row, slopes] = width * t * (1.0 - t) ** 2 + np.minimum(z - inner, 0.0)
    out[row, slopes + 1] = width * t**2 * (t - 1.0) + np.maximum(z - inner, 0.0)
    return out


_WIDTHS = np.diff(QUANTILES).tolist()
_POINTS = _standard_points(POINTS)
_POINT_WEIGHTS = _weights(_POINTS[:, 0])
_END_WEIGHTS = _weights(np.array([_POINTS[:, 0].min(), _POINTS[:, 0].max()]))
_FARTHEST_ACROSS = float(np.abs(_POINTS[:, 1]).max())
_WEIGHTS = np.full(POINTS, 1.0 / POINTS)


def spread_points(latitude_rad: float, longitude_rad: float, spread: Spread) -> tuple[Floats, Floats, Floats]:
    """Longitudes and latitudes (deg) and equal weights of points spread about a place (rad)."""
    offsets = spread.places(_POINT_WEIGHTS, _POINTS[:, 1])
    return *degrees_at(latitude_rad, longitude_rad, offsets), _WEIGHTS


def farthest_m(spread: Spread) -> float:
    """No point of `spread_points` is farther (m) than this from the place that they are about."""
    a, b = spread.axes()
    # L is monotone: along the axis the farthest are its ends
    along = float(np.abs(_END_WEIGHTS @ spread.knots()).max())
    return along * math.hypot(*a.tolist()) + _FARTHEST_ACROSS * math.hypot(*b.tolist())


def degrees_at(latitude_rad: float, longitude_rad: float, offsets: Floats) -> tuple[Floats, Floats]:
    """Longitudes and latitudes (deg, n) of places east and north (n, 2; m) of one place (rad)."""
    latitude = latitude_rad + offsets[:, 1] / MEAN_RADIUS_M
    longitude = longitude_rad + offsets[:, 0] / (MEAN_RADIUS_M * math.cos(latitude_rad))
    return np.degrees(longitude), np.degrees(latitude)
