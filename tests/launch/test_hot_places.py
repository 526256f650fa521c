"""What is learned of hot places: where, how often, and that a trail of single plots hides little."""

import numpy as np
import pytest
from made_scans import PLACE, WEST, ground, scan

from jointwatch.launch.hot_places import HotPlaces
from jointwatch.sensing.infrared import across, geostationary_site, lines_of

SITE = geostationary_site(WEST)
STERADIAN = 2.0 * np.pi * WEST.sigma_rad**2


def looks_at(points, rng):
    return lines_of(scan(WEST, 0, 0.0, points, rng))


def learn(places, along):
    off = np.full(len(along), np.inf)
    places.learn(places.expected(SITE, along), np.full(len(along), 10.0), off, 10.0)


def learned(share, looks, seed=0):
    rng, places = np.random.default_rng(seed), HotPlaces(WEST)
    for _ in range(looks):
        along = looks_at([ground(33.0, 47.0)] if rng.uniform() < share else [], rng)
        learn(places, along)
    return places


def exact():
    way = ground(33.0, 47.0) - SITE
    return (way / np.linalg.norm(way))[None]


@pytest.mark.parametrize("share", [0.9, 0.5, 0.2])
def test_a_place_is_expected_as_often_as_it_shone(share):
    total = learned(share, 400).expected(SITE, exact()).density
    assert total[0] * STERADIAN == pytest.approx(share, rel=0.25)


def test_away_from_it_there_is_the_background_only():
    places = learned(0.9, 100)
    e, _ = across(exact())
    off = exact() + 8.0 * WEST.sigma_rad * e
    there = places.expected(SITE, off / np.linalg.norm(off))
    assert there.density[0] < 1.01 * there.background[0]


def test_seen_once_it_is_hardly_expected_and_forgotten_after_an_hour():
    places = learned(1.0, 1)
    there = places.expected(SITE, exact())
    total = there.density + there.fresh
    assert 0.02 < total[0] * STERADIAN < 0.3
    nothing = np.zeros((0, 3))
    for _ in range(360):
        learn(places, nothing)
    assert len(places) == 0


def test_what_moves_says_nothing_against_itself():
    """A chain's own plots are fresh places: a motor that hardly seems to move shines in them again."""
    places = learned(1.0, 3)
    there = places.expected(SITE, exact())
    assert there.density[0] == there.background[0] < 1e-3 * there.fresh[0]
    for _ in range(10):
        learn(places, exact())
    there = places.expected(SITE, exact())
    assert there.fresh[0] == 0.0 and there.density[0] * STERADIAN > 0.3


def test_the_background_follows_the_counts():
    rng, places = np.random.default_rng(1), HotPlaces(WEST)
    for _ in range(300):
        points = [ground(*np.degrees(PLACE) + rng.uniform(-2.0, 2.0, 2)) for _ in range(rng.poisson(3.0))]
        along = looks_at(points, rng)
        learn(places, along)
    here = places.expected(SITE, exact())
    quiet = ground(-20.0, 20.0) - SITE
    none = places.expected(SITE, (quiet / np.linalg.norm(quiet))[None]).background
    # three plots a look in a square of four degrees
    area = (np.radians(4.0) * 6.371e6) ** 2 * np.cos(PLACE[0])
    true = 3.0 / area * here.spread[0]
    assert 0.2 * true < here.background[0] < 1.5 * true
    assert none[0] < 0.01 * here.background[0]


def test_a_copy_is_apart():
    places = learned(1.0, 5)
    other = places.copy()
    before = places.expected(SITE, exact()).fresh
    learn(other, np.zeros((0, 3)))
    learn(other, exact())
    assert places.expected(SITE, exact()).fresh == before > 0.0
