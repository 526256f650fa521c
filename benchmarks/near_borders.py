"""Launches near real borders: whether the origin that is stated of them is right, and what is left open.

In: classes, and how many launches near each border; out: figures of each border and of all.  Four stretches
of border between territories of the shipped scenario; launch places even over the ground within 15 km of
them.  The real border is the outlines' shifted by as much as the product takes them to be uncertain, launch
by launch.  Two oracles have a posterior of four times the draws: one knows the outlines no better than the
product, so that what it leaves open is what looks and outlines leave open; the other knows the real border.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import burn_truths
import numpy as np
import shapely
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.earth.places import UNTOLD, Territories, load_territories
from jointwatch.exercise.scenario import load_scenario
from jointwatch.launch.origin import BORDER_SIGMA_M, origin_of
from jointwatch.launch.posterior import Posterior, places_of, posterior

Floats = NDArray[np.float64]
Line = dict[str, object]
SHIPPED = Path(__file__).parents[1] / "scenarios" / "two-partners.toml"
BORDERS = ("Garnet", "Ochre"), ("Ochre", "Flint"), ("Umber", "Sable"), ("Ochre", "Sable")
"""Pairs of territories that share a long border on land."""
NEAR_M = 15e3
LEVELS = 0.95, 0.99
ORACLE_DRAWS = 4000
LEAST_LOG = math.log(1e-3)
"""A place that was not named at all counts no worse than one named with a probability of a thousandth."""


class Told(NamedTuple):
    """Of one launch: per level whether an origin was stated, whether it was wrong, and whether each oracle
    leaves it open (that of the same outlines, that of the real border); log probability of the true
    territory, and of naming the point estimate's."""

    stated: tuple[bool, ...]
    wrong: tuple[bool, ...]
    open_to_oracle: tuple[bool, ...]
    open_to_real: tuple[bool, ...]
    log_score: float
    log_score_point: float


def origins(kinds: Sequence[str], count: int, seed: int) -> Iterator[Line]:
    """Figures of each border, so many launches over all of them and of all classes, and then of all."""
    scenario = load_scenario(SHIPPED)
    places = load_territories({t.name: tuple(t.countries) for t in scenario.territories}, "two-partners")
    every: list[Told] = []
    misses = 0
    for b, (one, other) in enumerate(BORDERS):
        line_of = border(places, one, other)
        told: list[Told] = []
        missed = 0
        for k in range(max(count * len(kinds) // len(BORDERS), 1)):
            rng = np.random.default_rng([seed, b, k, 77])
            place = near(line_of, rng)
            burn = burn_truths.stated(kinds[k % len(kinds)], place, rng)
            seen = burn_truths.seen(burn, burn_truths.SETS["stereo"], rng)
            shift = rng.normal(0.0, BORDER_SIGMA_M, 2)
            known = None
            if seen is not None and seen.plots >= burn_truths.LEAST["stereo"]:
                known = posterior(seen.rows, 0)
            if known is None:
                missed += 1
                continue
            best = posterior(seen.rows, 0, ORACLE_DRAWS)
            told.append(judged(known, best or known, places, place, shift))
        every += told
        misses += missed
        yield {"border": f"{one} and {other}", **figures(told), "n": len(told), "misses": missed, "ms": None}
    yield {"border": None, **figures(every), "n": len(every), "misses": misses, "ms": None}


def border(places: Territories, one: str, other: str) -> shapely.MultiLineString:
    """The border of two territories, in degrees."""
    sides = []
    for name in (one, other):
        i = places.names.index(name)
        own = [p for p, k in zip(places._polygons, places._index, strict=True) if k == i]
        sides.append(shapely.union_all(own))
    # outlines of neighbours share their vertices, up to rounding
    shared = sides[0].boundary.intersection(sides[1].buffer(1e-4))
    return shapely.MultiLineString(
        [g for g in getattr(shared, "geoms", [shared]) if g.geom_type == "LineString" and g.length > 0.0]
    )


def near(line_of: shapely.MultiLineString, rng: np.random.Generator) -> tuple[float, float]:
    """Latitude and longitude (rad) of a place even over the ground within `NEAR_M` of a border."""
    west, south, east, north = line_of.bounds
    slack = 2.0 * math.degrees(NEAR_M / MEAN_RADIUS_M)
    while True:
        x = rng.uniform(west - slack, east + slack)
        low, high = (math.sin(math.radians(v)) for v in (south - slack, north + slack))
        y = math.degrees(math.asin(rng.uniform(low, high)))
        # the nearest point in degrees is not the nearest in metres, so the map is drawn together first
        narrow = np.array([math.cos(math.radians(y)), 1.0])
        squeezed = shapely.transform(line_of, lambda corners, narrow=narrow: corners * narrow)
        away = shapely.distance(squeezed, shapely.Point(x * narrow[0], y))
        if math.radians(away) * MEAN_RADIUS_M < NEAR_M:
            return math.radians(y), math.radians(x)


def judged(
    known: Posterior, best: Posterior, places: Territories, place: tuple[float, float], shift: Floats
) -> Told:
    """What is told of one launch; best: the oracles' posterior; shift (2,): metres east and north by which
    the real border is off."""
    latitude, longitude = places_of(known)

    def names(lat: Floats, lon: Floats) -> list[str]:
        """Territories by the real border."""
        back_lat = lat - shift[1] / MEAN_RADIUS_M
        back_lon = lon - shift[0] / (MEAN_RADIUS_M * np.cos(lat))
        return places.answers_at(np.degrees(back_lon), np.degrees(back_lat))

    true = names(np.array([place[0]]), np.array([place[1]]))[0]
    real: dict[str, float] = {}
    best_latitude, best_longitude = places_of(best)
    for name, weight in zip(names(best_latitude, best_longitude), best.weight.tolist(), strict=True):
        real[name] = real.get(name, 0.0) + weight
    stated, wrong, opened, opened_real = [], [], [], []
    for level in LEVELS:
        origin = origin_of(latitude, longitude, known.weight, places, ("west", "east"), level)
        stated.append(origin.stated != UNTOLD)
        wrong.append(origin.stated not in (UNTOLD, true))
        same = origin_of(best_latitude, best_longitude, best.weight, places, ("west", "east"), level)
        opened.append(same.stated == UNTOLD)
        opened_real.append(max(real.values()) < level)
    point = places.answers_at(
        np.degrees(np.array([known.weight @ longitude])), np.degrees(np.array([known.weight @ latitude]))
    )[0]
    log_score = math.log(max(origin.territories.get(true, 0.0), 1e-300))
    return Told(
        tuple(stated), tuple(wrong), tuple(opened), tuple(opened_real), max(log_score, LEAST_LOG),
        0.0 if point == true else LEAST_LOG,
    )  # fmt: skip


def figures(told: Sequence[Told]) -> Line:
    """Shares and means over launches."""
    if not told:
        return {}
    found: Line = {
        "log_score": round(float(np.mean([t.log_score for t in told])), 3),
        "log_score_point": round(float(np.mean([t.log_score_point for t in told])), 3),
    }
    for i, level in enumerate(LEVELS):
        at = f"{100.0 * level:.0f}"
        stated = sum(t.stated[i] for t in told)
        left = sum(t.open_to_oracle[i] for t in told)
        found[f"stated_{at}"] = stated
        found[f"wrong_{at}"] = sum(t.wrong[i] for t in told)
        found[f"wrong_share_{at}"] = round(sum(t.wrong[i] for t in told) / stated, 4) if stated else None
        found[f"undetermined_{at}"] = round(1.0 - stated / len(told), 3)
        found[f"undetermined_oracle_{at}"] = round(left / len(told), 3)
        found[f"undetermined_over_oracle_{at}"] = round((len(told) - stated) / left, 3) if left else None
        real = sum(t.open_to_real[i] for t in told)
        found[f"undetermined_over_real_border_{at}"] = round((len(told) - stated) / real, 3) if real else None
    return found
