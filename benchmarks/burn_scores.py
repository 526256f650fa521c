"""How good a posterior of a launch is: what its regions hold, its density at the truth, and the bound.

In: weighted draws and the truth; out: figures of one launch, and their summary over many.  A region is held
to what it claims by ranks: the share of the weight that lies nearer to the draws' middle than the truth does
is even between 0 and 1 where draws and truth come from one distribution, whatever its shape.  The bound is
that of the stated model (the posterior Cramer-Rao bound, Van Trees 1968, 2.4, at the true values of each
launch): the directions' information, the classes' spreads, and the burn's end between two looks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jointwatch.launch.area import azimuth_of, region_of
from jointwatch.launch.ascent import (
    AZIMUTH,
    END,
    KNOTS,
    TIME,
    VALUES,
    Z_DRAG,
    Z_TILT,
    deviations,
    nearest_turn,
)
from jointwatch.launch.fit import MOST_STEPS, STEPS, begin, fit, time_to_clear
from jointwatch.launch.looks import AT, SEEN, residuals
from jointwatch.launch.points import Points, moments_of
from jointwatch.launch.posterior import Posterior, places_of
from jointwatch.launch.profiles import LEFT_OUT_RAD, LEFT_OUT_S

Floats = NDArray[np.float64]
TAILS = 4.0
"""Degrees of freedom of the kernels of the smooth density: one draw awry must not decide a mean logarithm."""
THINNEST_M = 1.0
"""Draws that all but coincide are taken for so wide, so that they can be scored: as wrong as they are."""
FITTED = 100.0
"""Cost (half the sum of squares) above which a fit is none."""
NORMAL_90 = 1.6449
"""Deviations within which nine tenths of what is Gaussian lie."""
CHI2_90 = -2.0 * math.log(0.1)
"""Of the 90 % ellipse of two dimensions."""


class Truth(NamedTuple):
    """What is true of a launch, as a posterior counts it: place (rad), time (s), azimuth (rad), end (s)."""

    latitude: float
    longitude: float
    time_s: float
    azimuth: float
    end_s: float


class Score(NamedTuple):
    """Figures of one launch: ranks of the truth (0 to 1), whether the area told holds it, how far off the
    time and azimuth told are (in what is told to be their standard deviation; NaN where none is told), how
    far the mean place is off (east, north, m), the 90 % area without the floor (m^2), the log density at
    the truth, and the share of the draws that are distinct."""

    place: float
    time: float
    azimuth: float
    end: float
    told: bool
    told_time: float
    told_azimuth: float
    off_m: tuple[float, float]
    area_m2: float
    log_density: float
    distinct: float


def score(posterior: Posterior, truth: Truth) -> Score:
    """The figures of a posterior."""
    latitude, longitude = places_of(posterior)
    weight, values = posterior.weight, posterior.values
    found = score_points(
        latitude, longitude, weight, values[:, TIME], values[:, AZIMUTH], truth, LEFT_OUT_S, LEFT_OUT_RAD
    )
    return found._replace(
        end=rank(values[:, END], weight, truth.end_s), distinct=len(np.unique(values, axis=0)) / len(values)
    )


def score_points(
    latitude: Floats,
    longitude: Floats,
    weight: Floats,
    seconds: Floats,
    azimuth: Floats,
    truth: Truth,
    left_out_s: float = 0.0,
    left_out_rad: float = 0.0,
) -> Score:
    """The figures of points (n,) where (rad), when (s) and in which direction (rad) a launch may have been.

    weight sums to 1; left_out_s, left_out_rad: by which what is told of time and azimuth is wider.  Nothing
    is said of the end of the burn.
    """
    points = Points.of(latitude, longitude, weight)
    assert points is not None
    mean, covariance = moments_of(points.east_m, points.north_m, points.weights)
    covariance = covariance + THINNEST_M**2 * np.eye(2)
    # the truth in the points' own frame: they are few hundred km wide at most
    at = _offset(np.array([truth.latitude]), np.array([truth.longitude]), points)[0]
    draws = np.stack([points.east_m, points.north_m], axis=1)
    spread = np.linalg.inv(covariance)
    distance = np.einsum("ni,ij,nj->n", draws - mean, spread, draws - mean)
    own = float((at - mean) @ spread @ (at - mean))
    area = math.pi * math.sqrt(max(np.linalg.det(covariance), 0.0)) * _quantile(distance, weight, 0.9)
    middle, turn = _turns(azimuth, weight)
    true_turn = nearest_turn(truth.azimuth - middle)
    return Score(
        place=rank(distance, weight, own),
        time=rank(seconds, weight, truth.time_s),
        azimuth=rank(np.abs(turn), weight, abs(true_turn)),
        end=math.nan,
        told=_told(latitude, longitude, weight, truth),
        told_time=_time_told(seconds - truth.time_s, weight, left_out_s),
        told_azimuth=_azimuth_told(azimuth, weight, truth.azimuth, left_out_rad),
        off_m=(float(mean[0] - at[0]), float(mean[1] - at[1])),
        area_m2=area,
        log_density=float(
            log_density(np.column_stack([draws, turn]), weight, np.array([[at[0], at[1], true_turn]]))[0]
        ),
        distinct=1.0,
    )


def below(posterior: Posterior, another: Posterior, draws: Posterior, kind: int, most: int) -> float | None:
    """By how much the log density of place and azimuth of one posterior is less than another's, in the mean
    over so many draws of a class at most; None where there are none.

    Where the draws are of the same looks' posterior, it is what would be found at the truths of all launches
    that could have given these looks: without the chance that lies in having one truth of each.
    """
    of = np.flatnonzero(draws.kind == kind)[:most]
    if not len(of):
        return None
    latitude, longitude = (v[of] for v in places_of(draws))
    azimuth = draws.values[of, AZIMUTH]
    found = [log_densities(one, latitude, longitude, azimuth) for one in (another, posterior)]
    return float((found[0] - found[1]).mean())


def log_densities(posterior: Posterior, latitude: Floats, longitude: Floats, azimuth: Floats) -> Floats:
    """Log densities (m,) of place and azimuth, by a posterior, at launches (m,), rad."""
    points = Points.of(*places_of(posterior), posterior.weight)
    assert points is not None
    middle, turn = _turns(posterior.values[:, AZIMUTH], posterior.weight)
    draws = np.column_stack([points.east_m, points.north_m, turn])
    at = np.column_stack([_offset(latitude, longitude, points), [nearest_turn(a) for a in azimuth - middle]])
    return log_density(draws, posterior.weight, at)


def _turns(azimuth: Floats, weight: Floats) -> tuple[float, Floats]:
    """The middle of azimuths (n,), rad, and how far each is off it."""
    middle = math.atan2(weight @ np.sin(azimuth), weight @ np.cos(azimuth))
    return middle, np.array([nearest_turn(a) for a in azimuth - middle])


def _offset(latitude: Floats, longitude: Floats, points: Points) -> Floats:
    """Metres east and north (m, 2) of the points' middle at which places (m,), rad, lie, in their frame."""
    both = Points.of(
        np.append(points.latitude_rad, latitude), np.append(points.longitude_rad, longitude),
        np.append(1.0, np.full(len(latitude), 1e-15)),
    )  # fmt: skip
    assert both is not None
    return np.column_stack([both.east_m[1:] - both.east_m[0], both.north_m[1:] - both.north_m[0]])


def _time_told(off_s: Floats, weight: Floats, left_out_s: float) -> float:
    """How far the time told is off, in its stated deviations; off_s (n,): of the draws."""
    mean = float(weight @ off_s)
    return abs(mean) / math.hypot(math.sqrt(float(weight @ (off_s - mean) ** 2)), left_out_s)


def _azimuth_told(azimuth: Floats, weight: Floats, truth: float, left_out_rad: float) -> float:
    """How far the azimuth told is off, in its stated deviations; NaN where it is too vague to be told."""
    middle, sigma = azimuth_of(azimuth, weight)
    if middle is None or sigma is None:
        return math.nan
    return abs(nearest_turn(truth - middle)) / math.hypot(sigma, left_out_rad)


def _told(latitude: Floats, longitude: Floats, weight: Floats, truth: Truth) -> bool:
    """Whether the area that partners are told, floor and all, holds the truth."""
    region = region_of(latitude, longitude, weight)
    if region is None:
        return True  # anywhere
    middle = Points(region.latitude_rad, region.longitude_rad, *(np.zeros(1),) * 3, np.zeros(1, np.int64))
    east, north = _offset(np.array([truth.latitude]), np.array([truth.longitude]), middle)[0]
    s, c = math.sin(region.bearing_rad), math.cos(region.bearing_rad)
    along, aside = s * east + c * north, c * east - s * north
    return math.hypot(along / region.semi_major_m, aside / region.semi_minor_m) <= 1.0


def rank(draws: Floats, weight: Floats, truth: float) -> float:
    """Share of the weight of draws (n,) below the truth, as that of one more draw of the same kind."""
    below = float(weight @ (draws < truth)) / float(weight.sum())
    effective = float(weight.sum()) ** 2 / float(weight @ weight)
    return (below * effective + 0.5) / (effective + 1.0)


def _quantile(values: Floats, weight: Floats, share: float) -> float:
    """The value below which so much of the weight lies."""
    order = np.argsort(values)
    upto = np.cumsum(weight[order]) / weight.sum()
    return float(values[order[min(int(np.searchsorted(upto, share)), len(order) - 1)]])


def held(ranks: Floats, share: float, two_sided: bool) -> float:
    """Share of ranks (n,) inside a region of a share: the middle of a line, or what is near a middle."""
    inside = np.abs(ranks - 0.5) <= 0.5 * share if two_sided else ranks <= share
    return float(np.mean(inside))


def log_density(draws: Floats, weight: Floats, at: Floats) -> Floats:
    """Log of a smooth density made of draws (n, d), at points (m, d); the last of d goes round (rad).

    Kernels of the draws' own shape, as wide as Scott's rule says, with Student's tails.
    """
    weight = weight / weight.sum()
    d = draws.shape[1]
    mean = weight @ draws
    off = draws - mean
    covariance = (off * weight[:, None]).T @ off + 1e-8 * np.eye(d)
    width = float(weight @ weight) ** (1.0 / (d + 4))  # effective number ^ (-1 / (d + 4))
    root = np.linalg.cholesky(covariance) * width
    constant = math.lgamma(0.5 * (TAILS + d)) - math.lgamma(0.5 * TAILS) - 0.5 * d * math.log(TAILS * math.pi)
    constant -= float(np.log(np.diag(root)).sum())
    turns = np.array([-2.0 * math.pi, 0.0, 2.0 * math.pi])[:, None] * np.eye(d)[-1]
    out = np.empty(len(at))
    for k, point in enumerate(at):
        z = np.linalg.solve(root, (point + turns[:, None] - draws).reshape(-1, d).T)
        far = np.log1p((z * z).sum(axis=0) / TAILS).reshape(len(turns), -1)
        out[k] = np.logaddexp.reduce((np.log(weight) - 0.5 * (TAILS + d) * far).ravel())
    return constant + out


def information(model: Callable[[Floats], Floats], values: Floats, steps: Floats) -> Floats:
    """Information (k, k) about values (k,) in what has unit noise about model(values), by differences."""
    slopes = [
        (model(values + step) - model(values - step)) / (2.0 * size)
        for step, size in zip(np.diag(steps), steps, strict=True)
    ]
    return np.array(slopes) @ np.array(slopes).T


def bound(row: Floats, values: Floats, place: Floats, looks: Floats) -> Floats:
    """The bound (8, 8) on the covariance of the values (8,) of a launch of a class, at the true ones."""
    size, work = 3 * looks.shape[0] + 20, np.empty((KNOTS, 7))
    plots = int((looks[:, SEEN] > 0.0).sum())
    clear_s = time_to_clear(row, place)

    def model(x: Floats) -> Floats:
        r = np.empty(size)
        residuals(row, x, place, looks, clear_s, r, work)
        # directions and the classes' spreads; what a fit is led by for times is no noise
        directions = r[: 3 * plots].reshape(-1, 3)[:, :2]
        return np.array([*directions.ravel(), *deviations(row, x)[:2], x[Z_TILT], x[Z_DRAG]])

    total = information(model, values, STEPS)
    last = float(looks[looks[:, SEEN] > 0.0, AT].max())
    later = looks[(looks[:, SEEN] == 0.0) & (looks[:, AT] > last), AT]
    if later.size:  # as if even between the two looks
        total[END, END] += 12.0 / float(later.min() - last) ** 2
    scale = np.sqrt(np.diag(total))
    found: Floats = np.linalg.inv(total / np.outer(scale, scale)) / np.outer(scale, scale)
    return found


def nearest_values(row: Floats, place: Floats, exact: Floats, truth: Truth) -> Floats | None:
    """Values (8,) of the stated model nearest to a burn that other physics flew: fitted to its true lines."""
    values, covariance = np.empty(VALUES), np.empty((VALUES, VALUES))
    clear_s = time_to_clear(row, place)
    begin(row, place, exact, truth.azimuth, clear_s, values)
    cost = fit(
        row,
        place,
        exact,
        clear_s,
        truth.azimuth,
        math.pi / 6.0,
        MOST_STEPS,
        values,
        covariance,
        np.empty((KNOTS, 7)),
    )
    return values if cost < FITTED else None


def summary(scores: list[Score]) -> dict[str, object]:
    """Coverages, area, error and log score of many launches."""
    told: dict[str, object] = {}
    for name in ("place", "time", "azimuth", "end"):
        ranks = np.array([getattr(s, name) for s in scores])
        if np.isnan(ranks).all():
            continue
        two_sided = name in ("time", "end")
        for percent in (50, 90):
            key = f"coverage_{percent}" if name == "place" else f"{name}_{percent}"
            told[key] = round(held(ranks, percent / 100.0, two_sided), 3)
        if two_sided:
            told[f"{name}_mean_rank"] = round(float(ranks.mean()), 3)
    told["distinct_least"] = round(min(s.distinct for s in scores), 3)
    told["told_90"] = round(float(np.mean([s.told for s in scores])), 3)
    for name in ("time", "azimuth"):
        off = np.array([getattr(s, f"told_{name}") for s in scores])
        off = off[np.isfinite(off)]
        told[f"told_{name}_90"] = round(float(np.mean(off <= NORMAL_90)), 3) if len(off) else None
        told[f"told_{name}_n"] = len(off)
    told["area_km2"] = round(float(np.mean([s.area_m2 for s in scores])) / 1e6, 2)
    off = np.array([s.off_m for s in scores])
    told["rms_km"] = round(math.sqrt(float((off**2).sum(axis=1).mean())) / 1e3, 3)
    told["log_score"] = round(float(np.mean([s.log_density for s in scores])), 3)
    return told
