"""Raids made at random, for the warning's benchmark: every seed another exercise over the shipped areas.

In: a seed; out: a `Scenario` of one partner with three radars and two satellites (those of the bundled
exercise that look there), and one raid of rockets and one of missiles, of classes, places, headings and
numbers drawn anew, each raid of a design of its own (`burn_truths.design`: what is told of the exercise's one
design of a class may be off to one side every time); in some seeds a missile breaks up.  Nothing is drawn for
what it does to a warning: zones are drawn evenly, headings evenly, distances evenly within what a class
reaches; what is left out are launch areas inside the partner's own territory, and raids whose flight is
shorter than a struck zone's time to shelter and ALERTING_S: a time to shelter is by its definition what the
flight leaves after the alert, from where fire is expected, so these places are not among those that the
zone's was stated for.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np
from burn_truths import design, dragging_as_stated
from msgspec.structs import replace

from jointwatch.earth.places import Territories, load_territories
from jointwatch.exercise.flights import destination
from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.exercise.scenario_tables import Aircraft, Area, Falls, Raid
from jointwatch.exercise.truth import Truth, make_truth
from jointwatch.records import BadInput
from jointwatch.review.strikes import struck_zones
from jointwatch.warning.zones import ZoneIndex

SCENARIO = Path(__file__).parents[1] / "scenarios" / "two-partners.toml"
PARTNER = "Amber"
ROCKETS = {"artillery_rocket": (8.0, 18.0), "heavy_rocket": (35.0, 70.0)}
MISSILES = {
    "short_range": (150.0, 280.0),
    "medium_range": (900.0, 1300.0),
    "medium_range_two_stage": (1300.0, 1900.0),
}
"""Distances (km) of the launch area's middle from the place drawn: within what its class reaches."""
KINDS = (*ROCKETS, *MISSILES)
COUNT = 2, 6
"""Least and most objects of a raid."""
BROKEN = 0.25
"""Share of the raids of missiles in which one breaks up."""
AFTER_S = 100.0
"""It is played on so long after the last fall: an all clear follows by then."""
WITHIN = 0.1
"""Falls are in zones whose distance from the launch area is within this part of the distance drawn."""
ALERTING_S = 20.0
"""From a launch to an alert: what those who state times to shelter reckon with, to an order of magnitude."""
TRIES = 200


@cache
def theatre() -> Scenario:
    """The bundled exercise's one partner with its sensors, all satellites, and nothing that flies."""
    bundled = load_scenario(SCENARIO)
    return replace(
        bundled,
        partners=tuple(p for p in bundled.partners if p.name == PARTNER),
        sensors=tuple(s for s in bundled.sensors if s.partner == PARTNER),
        satellites=tuple(replace(s, partner=PARTNER) for s in bundled.satellites),
        raids=(), aircraft=Aircraft(), space_launch=None, announced=(), sharing={}, procedure="",
        assessment="",
    )  # fmt: skip


def made_raids(seed: int, as_stated: bool = False) -> tuple[Scenario, Truth]:
    """An exercise of a seed, and what flies in it.

    as_stated: what flies drags as the classes' profiles say, not as designs about the exercise's do; a place
    may then be drawn again where it was not before, since it is out of reach.
    """
    rng = np.random.default_rng([seed, 7])
    scenario = theatre()
    flown = []
    # of a stream of its own, and one for all tries: what drags more reaches less far, and would be left out
    deviations = np.random.default_rng([seed, 8]).standard_normal(2)
    both = ("rockets", ROCKETS), ("missiles", MISSILES)
    for deviation, (name, kinds) in zip(deviations, both, strict=True):
        for _ in range(TRIES):
            raid = _raid(name, kinds, rng)
            if _is_at_home(raid):
                continue
            one = replace(scenario, raids=(raid,))
            kind = design(raid.object_class, rng)
            if as_stated:
                kind = dragging_as_stated(raid.object_class, kind, float(deviation))
            try:  # a place without enough zones at that distance is drawn again
                truth = make_truth(one, seed, {raid.object_class: kind})
            except BadInput:
                continue
            if _leaves_time(truth):
                flown.append((raid, truth))
                break
        else:
            raise RuntimeError(f"seed {seed}: no raid of {name} in {TRIES} tries")
    objects = [o for _, truth in flown for o in truth.objects]
    last_s = max((o.end_ns - scenario.start_ns) * 1e-9 for o in objects)
    about = replace(scenario.scenario, duration_s=math.ceil(last_s + AFTER_S), seed=seed)
    raids = tuple(raid for raid, _ in flown)
    return replace(scenario, scenario=about, raids=raids), Truth(scenario.start_ns, objects)


def _is_at_home(raid: Raid) -> bool:
    """Whether a raid's launch area lies in the partner's own territory."""
    return _territories().answers_at(raid.area.longitude_deg, raid.area.latitude_deg) == [PARTNER]


def _leaves_time(truth: Truth) -> bool:
    """Whether all flights are as long as the struck zones' times to shelter, and an alert, take."""
    zones = theatre().zones(PARTNER)
    index = _zones()
    return all(
        (o.end_ns - o.launch_ns) * 1e-9 >= zones[z].shelter_s + ALERTING_S
        for o in truth.objects for z in struck_zones(o, index)
    )  # fmt: skip


@cache
def _zones() -> ZoneIndex:
    return ZoneIndex(theatre().zones(PARTNER))


@cache
def _territories() -> Territories:
    return load_territories({t.name: tuple(t.countries) for t in theatre().territories})


def _raid(name: str, kinds: dict[str, tuple[float, float]], rng: np.random.Generator) -> Raid:
    """One raid of one of some classes."""
    kind = str(rng.choice(list(kinds)))
    zones = theatre().zones(PARTNER)
    zone = zones[int(rng.integers(len(zones)))]
    away_km = rng.uniform(*kinds[kind])
    latitude, longitude = destination(
        np.radians(zone.latitude_deg), np.radians(zone.longitude_deg),
        np.array(rng.uniform(0.0, 2.0 * math.pi)), np.array(1e3 * away_km),
    )  # fmt: skip
    count = int(rng.integers(COUNT[0], COUNT[1] + 1))
    breaks = name == "missiles" and rng.random() < BROKEN
    within = (1.0 - WITHIN) * away_km, (1.0 + WITHIN) * away_km
    return Raid(
        name=name,
        object_class=kind,
        area=Area(
            latitude_deg=math.degrees(float(latitude)), longitude_deg=math.degrees(float(longitude)),
            radius_m=float(rng.uniform(200.0, 0.02e3 * away_km + 300.0)),
        ),
        start_s=float(rng.uniform(15.0, 60.0)),
        interval_s=float(rng.uniform(0.5, 6.0)),
        falls=(Falls(partner=PARTNER, count=count, choose="random", within_km=within),),
        break_up=int(rng.integers(count)) if breaks else None,
    )  # fmt: skip
