"""The odds of chains: what satellites' intensities say of one motor, and what else plots of three may be."""

import math

import numpy as np
import pytest
from made_scans import EAST_EYE, WEST, ground, launch, place_of, satellite, scan
from msgspec.structs import replace
from scipy.stats import norm

from jointwatch.launch.burns import Burns
from jointwatch.launch.fires import log_new_share
from jointwatch.launch.odds import ALIKE, DIMMER, STAGED, _log_alike, log_otherwise

MIDDLE = satellite("middle", 45.0, 25e-6)


def test_two_satellites_see_a_burn_alike_unless_a_stage_parted_between_them():
    counts, off = np.array([[2.0, 3.0]]), np.array([0.0, 0.3, 1.6, 3.0])
    sums = np.column_stack([2.0 * (12.0 + off), np.full(4, 3.0 * 12.0)])
    found = _log_alike(sums, np.repeat(counts, 4, axis=0))
    own = ALIKE**2 * (1 / 2 + 1 / 3)
    wanted = np.log(
        (1.0 - STAGED) * norm.pdf(off, scale=math.sqrt(own))
        + STAGED * norm.pdf(off, scale=math.sqrt(own + DIMMER**2))
    )
    # as all such densities here, without the factor 1 / sqrt(2 pi)
    assert found == pytest.approx(wanted + 0.5 * math.log(2.0 * math.pi))
    assert found[3] > -0.5 * 3.0**2 / own  # a second stage may be much dimmer


def test_of_one_satellite_nothing_is_alike():
    assert _log_alike(np.array([[24.0, 0.0]]), np.array([[2.0, 0.0]])) == pytest.approx(0.0)


@pytest.mark.parametrize("eyes", [(WEST, EAST_EYE), (WEST, MIDDLE, EAST_EYE)])
def test_plots_at_one_place_are_a_fire_s_and_those_of_what_climbs_are_not(eyes, monkeypatch):
    """By so much more probable than if each satellite saw something of its own."""
    monkeypatch.setattr("jointwatch.launch.odds.log_one_flash", lambda *_: -math.inf)

    def gained(points):
        rng, burns = np.random.default_rng(2), Burns(eyes, 1e-19, 1.0 / 30.0)
        for k, point in enumerate(points):
            for i, eye in enumerate(eyes):
                burns.take(scan(eye, k, 300.0 + 10.0 * k + 3.0 * i, [point], rng))
        n = len(points) * len(eyes)
        # however long it is watched: as many may be new as were before its first look
        begun = {p.log_new for c in burns._state.chains for p in c.plots[:1]}
        assert begun <= {log_new_share(k) for k in range(len(points))}
        (chain, *_) = [c for c in burns._state.chains if len(c.plots) == n] or [None]
        if chain is None:
            return None
        apart = sum(log_otherwise(_only(chain, e.name), burns._satellites, burns._state.places) for e in eyes)
        return log_otherwise(chain, burns._satellites, burns._state.places) - apart

    assert gained([ground(34.0, 48.0)] * 2) > 5.0 * len(eyes) - 5.0
    one = launch("medium_range", azimuth=1.0, at_s=270.0)
    assert gained([place_of(one, t) for t in (305.0, 315.0)]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("height_m", [20e3, 28e3, 35e3])
def test_what_shines_once_high_in_the_air_is_a_flash_s(height_m, monkeypatch):
    """A bolide, as bright as forty motors, after looks that saw nothing; 3 s later it has moved on."""
    rng, burns = np.random.default_rng(3), Burns((WEST, EAST_EYE), 1e-19, 1.0 / 30.0)
    place = ground(34.0, 48.0) * (1.0 + height_m / 6.37e6)
    for k in range(6):
        for i, eye in enumerate((WEST, EAST_EYE)):
            at = [place + np.array([0.0, 0.0, 6e3 * i])] if k == 5 else []
            clutter = [ground(*p) for p in np.column_stack([rng.uniform(25, 43, 3), rng.uniform(39, 57, 3)])]
            burns.take(scan(eye, k, 300.0 + 10.0 * k + 3.0 * i, at, rng, 2e7, clutter))
    both = [c for c in burns._state.chains if c.counts == (1, 1)]
    (chain,) = [c for c in both if min(p.log_glow for p in c.plots) > 15.0]
    found = log_otherwise(chain, burns._satellites, burns._state.places)
    monkeypatch.setattr("jointwatch.launch.odds.log_one_flash", lambda *_: -math.inf)
    assert found > log_otherwise(chain, burns._satellites, burns._state.places) + 3.0


def _only(chain, sensor):
    """The part of a chain that one satellite saw."""
    plots = tuple(p for p in chain.plots if p.sensor == sensor)
    return replace(chain, plots=plots)
