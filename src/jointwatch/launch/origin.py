"""The origin of a launch: how probable each territory is, and which of them may be stated.

In: where the launch may have been, as weighted points, the outlines of the territories, and which sensors'
looks stand behind them; out: an `Origin`.  It is a place, never an actor: who is responsible is computed
nowhere.  "Disputed" and "cannot be told" are full answers, "sea" and "elsewhere" are places.  No posture
and no prior of one enters: the same points, sensors and outlines give the same origin.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import lru_cache
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.earth.places import DISPUTED, UNTOLD
from jointwatch.launch.points import Points, moments_of

Floats = NDArray[np.float64]

STATED = 0.95
"""A place is stated as the origin from this probability on, where nothing else is set..."""
LEAST_STATED = 0.9
"""...and from no less, whatever is set."""
LEAST_SENSORS = 2
"""One sensor that is misplaced or turned moves every launch alike, and nothing in its own plots shows it."""
BORDER_SIGMA_M = 2000.0
"""How uncertain an outline is across itself.  Natural Earth's at 1:50 million beside OpenStreetMap's of 2017,
land borders between 30-62 E and 15-42 N: half are within 1.1 km of each other, two thirds within 1.8, nine
tenths within 3.4, 95 % within 4.7 (its own at 1:10 million are no nearer: 1.1, 1.7, 3.1 and 4.5).  Each
launch asks one stretch of border only, so its error is as good as a blur of the points."""
ASKED = 8000
"""About so many places are asked in all: a probability of 0.95 is known to 0.003 or better."""
NAMED = 0.005
"""Where it cannot be told, places less probable than this are not named in words."""
WIDEST_M = 500e3
"""Launches that may have been farther from their middle than this are not asked about all at once..."""
NO_POLE_M = 8.5e6
"""...nor such as may have been farther than this from the equator: 76 degrees."""
_SIDE = np.linspace(0.0, 1.0, 9)
_ROUND = np.stack(
    [
        np.concatenate([_SIDE, _SIDE, 0.0 * _SIDE, 0.0 * _SIDE + 1.0]),
        np.concatenate([0.0 * _SIDE, 0.0 * _SIDE + 1.0, _SIDE, _SIDE]),
    ]
)
"""Points round the edge of a square."""
_COUNT = {2: "two", 3: "three", 4: "four"}
ONE_SENSOR = "one sensor only"
NO_SENSOR = "no sensor is known to stand behind it"


class Places(Protocol):
    """What is asked of territories (`earth.places.Territories`)."""

    names: tuple[str, ...]
    disputed: frozenset[str]

    def territory_at(self, longitude_deg: ArrayLike, latitude_deg: ArrayLike, /) -> NDArray[np.int64]:
        """Index into `names` of what each point lies in."""

    def territory_of_box(
        self, west_deg: float, south_deg: float, east_deg: float, north_deg: float, /
    ) -> int | None:
        """What `territory_at` gives for every point of a box; None where that is not known."""


class Origin(Struct, frozen=True):
    """Where something was launched from: probability by place, and what is stated.

    territories: probability of each place that has any, most probable first; disputed ones together as
    "disputed".  stated: the place, "disputed", or "cannot be told".  probability: of the most probable.  why:
    in words, why it cannot be told; "" where it is.
    """

    territories: dict[str, float]
    stated: str
    probability: float
    why: str = ""


def origin_of(
    latitude_rad: Floats,
    longitude_rad: Floats,
    weights: Floats,
    places: Places,
    sensors: Collection[str],
    least: float = STATED,
    sigma_m: ArrayLike | None = None,
) -> Origin:
    """The origin of a launch that may have been at points (n,), rad, with weights (n,) of any sum.

    Each point is spread by a Gaussian kernel and by the outlines' own error.  sigma_m: of that kernel, one or
    (n,); None for Silverman's rule (`_silverman`).  sensors: those whose looks stand behind the points.
    least: probability from which a place is stated, held at `LEAST_STATED` or more.  Points that are no
    numbers, and weights that are not above 0, do not count; without any other nothing can be told.
    """
    points = Points.of(latitude_rad, longitude_rad, weights)
    if points is None:
        return Origin({}, UNTOLD, 0.0, "no place that it may have come from")
    if sigma_m is not None:
        sigma_m = np.broadcast_to(np.asarray(sigma_m, float), np.shape(latitude_rad))[points.kept]
    chances = _chances(points, sigma_m, places)
    likely = next(iter(chances))
    probability = chances[likely]
    why = ""
    if probability < max(least, LEAST_STATED):
        some = [name for name, p in chances.items() if p >= NAMED] + [*chances][1:2]
        some = list(dict.fromkeys(some))
        words = [f"{name} {chances[name]:.2g}" for name in some[:4]]
        why = f"{_COUNT.get(len(some), len(some))} territories: {', '.join(words)}"
    elif len(set(sensors)) < LEAST_SENSORS:
        why = ONE_SENSOR if len(set(sensors)) == 1 else NO_SENSOR
    return Origin(chances, UNTOLD if why else likely, probability, why)


def _chances(points: Points, sigma_m: Floats | None, places: Places) -> dict[str, float]:
    """Probability of each place, the most probable first, then by name."""
    # in an order of their own, so that the answer does not hang on the order in which they came
    order = np.lexsort((points.weights, points.east_m, points.north_m))
    east, north, weights = points.east_m[order], points.north_m[order], points.weights[order]
    each = max(4, -(-ASKED // len(east)))
    spread, farthest = _spread(len(east), each)
    if sigma_m is None:
        a, factor = _silverman(east, north, weights)
        mean = np.array([weights @ east, weights @ north])
        east, north = mean[0] + a * (east - mean[0]), mean[1] + a * (north - mean[1])
        sigma, shape = np.linalg.norm(factor, axis=1), factor
    else:
        each_m = np.hypot(sigma_m[order], BORDER_SIGMA_M)
        sigma, shape = np.full(2, each_m.max()), None
    if (one := _only(points, east, north, farthest * sigma, places)) is not None:
        return {one: 1.0}
    offset = spread @ shape.T if shape is not None else spread * each_m[:, None, None]
    latitude, longitude = points.back(
        (east[:, None] + offset[..., 0]).ravel(), (north[:, None] + offset[..., 1]).ravel()
    )
    index = places.territory_at(np.degrees(longitude), np.degrees(latitude)) % len(places.names)
    share = np.bincount(index, np.repeat(weights / each, each), len(places.names))
    chances: dict[str, float] = {}
    for name, chance in zip(places.names, share.tolist(), strict=True):
        if chance > 0.0:
            told = _told(name, places)
            chances[told] = chances.get(told, 0.0) + chance
    total = math.fsum(chances.values())
    ordered = sorted(chances.items(), key=lambda item: (-item[1], item[0]))
    return {name: min(chance / total, 1.0) for name, chance in ordered}


def _told(name: str, places: Places) -> str:
    return DISPUTED if name in places.disputed else name


def _only(points: Points, east_m: Floats, north_m: Floats, reach_m: Floats, places: Places) -> str | None:
    """The place in which all lies that is at most reach_m (2,) east or north of the points; None where there
    may be others: most launches are far from any border, and none of what lies about them has to be asked."""
    (west, east), (south, north) = (
        (float(v.min() - r), float(v.max() + r)) for v, r in zip((east_m, north_m), reach_m, strict=True)
    )
    across = math.hypot(east - west, north - south)
    far = max(math.hypot(e, n) for e in (west, east) for n in (south, north))
    # about a pole, or over the 180th meridian, a box is none
    if abs(points.latitude_rad) * MEAN_RADIUS_M + 2.0 * far > NO_POLE_M or far > WIDEST_M:
        return None
    u, v = west + (east - west) * _ROUND[0], south + (north - south) * _ROUND[1]
    latitude, longitude = points.back(u, v)
    # between two of the edge's points it bends by far less than this
    bend = 0.01 * across / MEAN_RADIUS_M
    aside = bend / math.cos(points.latitude_rad)
    box = (
        float(longitude.min()) - aside, float(latitude.min()) - bend,
        float(longitude.max()) + aside, float(latitude.max()) + bend,
    )  # fmt: skip
    if box[2] - box[0] > math.pi:
        return None
    index = places.territory_of_box(*np.degrees(box).tolist())
    return None if index is None else _told(places.names[index % len(places.names)], places)


def _silverman(east: Floats, north: Floats, weights: Floats) -> tuple[float, Floats]:
    """How far points are drawn together, and a square root (2, 2) of the kernel's and outlines' covariance.

    The kernel has the points' own shape, h = n^(-1/6) as wide, n = 1 / sum of the squared weights (Silverman
    1986, 4.14, two dimensions; Kong, Liu & Wong 1994 for n).  The points are drawn together by sqrt(1 - h^2),
    so that all in all they stay as wide as they were (West 1993, "Approximating posterior distributions by
    mixtures").
    """
    _, covariance = moments_of(east, north, weights)
    effective = 1.0 / float(weights @ weights)
    h2 = min(effective ** (-1.0 / 3.0), 1.0)
    values, vectors = np.linalg.eigh(h2 * covariance + BORDER_SIGMA_M**2 * np.eye(2))
    return math.sqrt(1.0 - h2), vectors * np.sqrt(np.maximum(values, 0.0))


@lru_cache(maxsize=64)
def _spread(count: int, each: int) -> tuple[Floats, float]:
    """Standard Gaussian offsets (count, each, 2) from an even sequence: even in all, and in every part of it.
    And how far off the farthest is.

    The sequence is R2 (Roberts 2018, "The unreasonable effectiveness of quasirandom sequences"), and the
    Gaussian made of it by Box & Muller.
    """
    k = np.arange(count * each, dtype=np.float64)
    first, second = (0.5 + 0.7548776662466927 * k) % 1.0, (0.5 + 0.5698402909980532 * k) % 1.0
    radius = np.sqrt(-2.0 * np.log1p(-first))
    angle = 2.0 * math.pi * second
    offsets = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    offsets = offsets.reshape(count, each, 2)
    offsets.flags.writeable = False  # whoever asks again gets the same
    return offsets, float(radius.max())
