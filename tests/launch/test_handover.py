"""From a burn to its track: which burn it is, and that place and time are weighed by what each is worth."""

import math

import numpy as np
import pytest

from jointwatch.launch.handover import GATE2, MODEL_M, Known, burn_of, weighed_in

PLACE = np.radians([33.0, 44.0])
RADIUS_M = 6371000.0
NOW = 1_800_000_000_000_000_000


def points(rng, east=0.0, north=0.0, seconds=-100.0, sigma=(3e3, 3e3, 10.0), count=2000):
    """Points of a launch about a place near PLACE, with azimuths that go with their east."""
    off = rng.normal(size=(count, 3)) * sigma
    azimuth = 1.0 + 0.05 * off[:, 0] / sigma[0]
    return (
        PLACE[0] + (north + off[:, 1]) / RADIUS_M,
        PLACE[1] + (east + off[:, 0]) / (RADIUS_M * math.cos(PLACE[0])),
        seconds + off[:, 2],
        azimuth,
    )


def known(east=0.0, north=0.0, seconds=-100.0, sigma=(1e3, 1e3, 2.0)):
    return Known(
        PLACE[0] + north / RADIUS_M,
        PLACE[1] + east / (RADIUS_M * math.cos(PLACE[0])),
        NOW + round(seconds * 1e9),
        np.diag(np.square(sigma)),
        {"medium_range": 1.0},
        {"medium_range": (-8.2, 0.4)},
    )


def test_the_nearest_burn_in_place_and_time_is_taken_and_none_beyond_the_gate():
    rng = np.random.default_rng(1)
    latitude, longitude, seconds, _ = points(rng)
    burns = {"A-B1": known(east=6e3), "A-B2": known(east=-1e3), "A-B3": known(seconds=-60.0)}
    assert burn_of(burns, latitude, longitude, NOW, seconds) == "A-B2"
    far = {"A-B1": known(east=1.2 * math.sqrt(GATE2) * math.hypot(3e3, 1e3))}
    assert burn_of(far, latitude, longitude, NOW, seconds) is None
    assert burn_of({}, latitude, longitude, NOW, seconds) is None


def test_points_move_to_what_both_say_together():
    """Two Gaussians: the product's mean and spread, and the azimuth by as much as it goes with the east."""
    latitude, longitude, seconds, azimuth = points(np.random.default_rng(2))
    _, longitude, seconds, azimuth = weighed_in(known(east=2e3), latitude, longitude, NOW, seconds, azimuth)
    east = (longitude - PLACE[1]) * math.cos(PLACE[0]) * RADIUS_M
    gain = 9.0 / 10.0
    assert east.mean() == pytest.approx(2e3 * gain, abs=150.0)
    assert east.std() == pytest.approx(math.sqrt(0.9) * 1e3, rel=0.1)
    assert np.std(seconds) == pytest.approx(10.0 * 2.0 / math.hypot(10.0, 2.0), rel=0.1)
    assert np.mean(azimuth) == pytest.approx(1.0 + 0.05 * 2e3 * gain / 3e3, abs=0.01)


def test_a_burn_that_knows_nothing_moves_nothing():
    rng = np.random.default_rng(3)
    latitude, longitude, seconds, azimuth = points(rng)
    vague = known(east=50e3, sigma=(1e7, 1e7, 1e4))
    moved = weighed_in(vague, latitude, longitude, NOW, seconds, azimuth)
    assert np.abs(moved[0] - latitude).max() * RADIUS_M < 0.05 * 3e3
    assert MODEL_M > 0.0
