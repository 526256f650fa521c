"""How bright false plots are is learned, with their tails; what known places shine with is kept apart."""

import numpy as np
import pytest
from made_scans import WEST, ground, scan

from jointwatch.launch.false_glows import FalseGlows
from jointwatch.launch.hot_places import HotPlaces
from jointwatch.sensing.infrared import geostationary_site, lines_of


def learned(logs):
    glows = FalseGlows()
    for some in logs.reshape(-1, 20):
        glows = glows.learn(some, np.ones(20))
    return glows


def test_it_is_a_density():
    at = np.linspace(-40.0, 60.0, 20001)
    for glows in FalseGlows(), learned(np.random.default_rng(0).normal(10.0, 1.0, 2000)):
        total = np.exp(glows.log_density(at)).sum() * (at[1] - at[0]) / np.sqrt(2.0 * np.pi)
        assert total == pytest.approx(1.0, abs=1e-3)


def test_brighter_than_what_was_seen_is_less_probable_by_as_much_as_the_tails_showed():
    rng = np.random.default_rng(1)
    light = learned(rng.normal(10.0, 1.0, 8000))
    heavy = learned(10.0 + rng.standard_t(4.0, 8000) / np.sqrt(2.0))
    at = np.array([10.0, 13.0, 15.0])
    for glows in light, heavy:
        assert (np.diff(glows.log_density(at)) < 0.0).all()
    # at three standard deviations a Gaussian's density is exp(-4.5)
    assert light.log_density(at)[1] == pytest.approx(-4.5, abs=0.4)
    assert heavy.log_density(at)[2] > light.log_density(at)[2] + 2.0


def test_unlearned_what_is_very_bright_tells_less():
    at = np.array([16.0])
    none = FalseGlows().log_density(at)
    assert none[0] > learned(np.random.default_rng(2).normal(10.3, 1.5, 8000)).log_density(at)[0]


def test_a_bright_flare_is_known_where_it_is_and_makes_nothing_else_bright_usual():
    rng, places, site = np.random.default_rng(3), HotPlaces(WEST), geostationary_site(WEST)
    flare = ground(33.0, 47.0)
    for _ in range(200):
        others = [ground(*rng.uniform((25.0, 40.0), (35.0, 55.0))) for _ in range(5)]
        lines = lines_of(scan(WEST, 0, 0.0, [flare, *others], rng))
        logs = np.array([13.0, *rng.normal(10.0, 1.0, 5)])
        places.learn(places.expected(site, lines), logs, np.full(6, np.inf), 10.0)
    at = np.array([13.0])
    assert places.log_glow(at, np.array([0.95]))[0] > places.log_glow(at, np.array([0.0]))[0] + 2.0
