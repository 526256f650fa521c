"""Salvos are found by their plots, where hardly a burn can be followed, and counted."""

import numpy as np
import pytest
from made_scans import EAST_EYE, START_NS, WEST, launch, place_of

from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.launch.burns import Glance
from jointwatch.launch.salvo import LOG_LASTS, log_lasts_prior, salvos
from jointwatch.sensing.infrared import geostationary_site

EYES = {"west": WEST, "east": EAST_EYE}


def glances(launches, until_s, seed, eyes=("west", "east"), false=1.0):
    """Looks at launches that show above 3 km, and at false plots here and there."""
    rng, out = np.random.default_rng(seed), []
    for k, name in enumerate(eyes):
        eye = EYES[name]
        site = geostationary_site(eye)
        for t in np.arange(2.0 + 5.0 * k, until_s, eye.period_s).tolist():
            points = [
                p for one in launches
                if (p := place_of(one, t)) is not None and height_above_ellipsoid(*p) > 3e3
                and rng.uniform() < eye.detection
            ]  # fmt: skip
            points += [
                6.37e6 * v / np.linalg.norm(v) for v in site + rng.normal(0, 2e7, (rng.poisson(false), 3))
            ]
            way = np.array(points).reshape(-1, 3) - site
            along = way / np.linalg.norm(way, axis=1)[:, None] + rng.normal(0.0, eye.sigma_rad, way.shape)
            along /= np.linalg.norm(along, axis=1)[:, None]
            out.append(Glance(START_NS + round(t * 1e9), name, tuple(site.tolist()), along))
    return sorted(out, key=lambda g: g.time_ns)


def thirty(seed, east=0.0, count=30):
    rng = np.random.default_rng(seed)
    return [
        launch("medium_range", 1.0, 30.0 + rng.uniform(0, 20), east + rng.normal(0, 4e3), rng.normal(0, 4e3))
        for _ in range(count)
    ]


def test_thirty_launches_in_twenty_seconds_are_counted_without_a_burn():
    (salvo,) = salvos([], glances(thirty(1), 200.0, 1), EYES)
    fewest, most = salvo.interval()
    assert 26 <= fewest <= 30 <= most and salvo.over and salvo.members == ()
    assert abs(salvo.most_probable() - 30) <= 3
    assert {one.sensor for one in salvo.looked} == {"east", "west"}
    assert salvo.probability.sum() == pytest.approx(1.0)


def test_while_it_burns_it_is_not_over():
    looks = glances(thirty(2), 95.0, 2)
    (salvo,) = salvos([], looks, EYES)
    assert not salvo.over and salvo.interval()[0] >= 20


def test_two_salvos_far_from_each_other_are_two():
    found = salvos([], glances([*thirty(3, -4e5, 12), *thirty(4, 4e5, 5)], 200.0, 3), EYES)
    assert len(found) == 2
    fewer, more = sorted((s.interval() for s in found), key=lambda i: i[1])
    assert fewer[0] <= 5 <= fewer[1] and more[0] <= 12 <= more[1]


def test_false_plots_and_a_single_launch_are_no_salvo():
    looks = glances(thirty(5, count=1), 200.0, 5)
    assert salvos([], looks, EYES) == []
    assert salvos([], [], EYES) == []


def test_what_flies_far_shows_long():
    """A medium-range missile's burn is told from a short-range one's by how far its plots go."""
    rng = np.random.default_rng(6)
    short = [launch("short_range", 1.0, 30.0 + rng.uniform(0, 20)) for _ in range(10)]
    told = []
    for launches in (short, thirty(6, count=10)):
        (salvo,) = salvos([], glances(launches, 200.0, 6), EYES)
        p = np.exp(log_lasts_prior(salvo.looked, EYES))
        told.append(float(np.exp(p @ LOG_LASTS / p.sum())))
    assert told[0] < 0.6 * told[1]


def test_a_hot_place_beside_a_salvo_is_no_launch():
    looks = glances(thirty(7, count=12), 200.0, 7)
    place = place_of(launch("medium_range", 1.0, 0.0, 20e3, 0.0), 0.0)
    shining = []
    for g in looks:
        way = np.array(place) - np.array(g.site)
        along = np.concatenate([g.along, [way / np.linalg.norm(way)]])
        shining.append(Glance(g.time_ns, g.sensor, g.site, along))
    (plain,), (beside,) = salvos([], looks, EYES), salvos([], shining, EYES)
    assert beside.over and beside.interval()[0] <= 12 <= beside.interval()[1]
    assert abs(beside.most_probable() - plain.most_probable()) <= 1
