"""Burns that nobody saw: drawn from the stated priors, their launches are held as often as is said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from reported_tracks import Floats, spread

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.launch.ascent import AZIMUTH, END, KNOTS, VALUES, ascend, set_burn
from jointwatch.launch.beginning import Beginning
from jointwatch.launch.burn_ends import FLATTEST_RAD, back_to_burn_end, burn_ends
from jointwatch.launch.coast import in_a_wind
from jointwatch.launch.estimate import launch_points
from jointwatch.launch.profiles import profile_named
from jointwatch.motion.phases import BALLISTIC
from jointwatch.motion.propagate import propagate

CLASSES = "artillery_rocket", "heavy_rocket", "short_range", "medium_range", "medium_range_two_stage"
PLACE = np.radians([33.0, 42.0])
LOG_DRAG = -9.0


def burnt_out(name: str, rng: np.random.Generator) -> tuple[Floats, float] | None:
    """A state (7,) at the end of a burn of the class's prior, and its length (s); None for a flat one."""
    row = profile_named(name).row()
    values, z = np.zeros(VALUES), rng.standard_normal(4)
    values[AZIMUTH] = rng.uniform(-math.pi, math.pi)
    set_burn(row, z, values)
    times, states = np.empty(KNOTS), np.empty((KNOTS, 6))
    s = np.append(states[ascend(row, values, PLACE, 1e9, times, states) - 1], LOG_DRAG)
    climb = float(s[:3] @ s[3:6]) / math.hypot(*s[:3]) / math.hypot(*s[3:6])
    return (s, float(values[END])) if math.asin(climb) > FLATTEST_RAD else None


@pytest.mark.parametrize("name", CLASSES)
def test_regions_hold_launches_of_the_prior_as_often_as_they_say(name: str) -> None:
    """200 launches of a track as good as a radar's, to three deviations of so many."""
    rng = np.random.default_rng(31)
    rocket = "rocket" in name
    covariance = spread(40.0, 4.0, 0.05) if rocket else spread(200.0, 5.0, 0.05)
    root = np.linalg.cholesky(covariance)
    place, time = [], []
    while len(place) < 200:
        one = burnt_out(name, rng)
        if one is None:
            continue
        s, duration = one
        after = 5.0 if rocket else 20.0
        propagate(BALLISTIC, s, after)
        seen = s + root @ rng.standard_normal(7)
        made = launch_points(Beginning(0, *in_a_wind(seen, covariance)), {name: 1.0})
        if made is None:
            continue
        off = np.stack(
            [(made.longitude - PLACE[1]) * math.cos(PLACE[0]), made.latitude - PLACE[0]]
        ) * MEAN_RADIUS_M  # fmt: skip
        middle, inverse = off.mean(axis=1), np.linalg.inv(np.cov(off))
        from_it = off - middle[:, None]
        distance = np.einsum("in,ij,jn->n", from_it, inverse, from_it)
        place.append(float(np.mean(distance < middle @ inverse @ middle)))
        time.append(float(np.mean(made.seconds < -duration - after)))
    for share, least, most in ((0.5, 0.39, 0.61), (0.9, 0.835, 0.965)):
        assert least <= np.mean(np.array(place) <= share) <= most
        # a heavy rocket's time is known somewhat better than is said: half of it holds six in ten
        more = 0.06 if name == "heavy_rocket" else 0.0
        assert least <= np.mean(np.abs(np.array(time) - 0.5) <= 0.5 * share) <= min(most + more, 0.965)


@pytest.mark.parametrize("name", CLASSES)
def test_a_burn_is_found_where_it_ended(name: str) -> None:
    """With its own residual nothing is left: the way back finds height, path and length of a median burn."""
    ends, way = burn_ends(name), np.empty(4)
    rng = np.random.default_rng(32)
    found = []
    while len(found) < 240:
        one = burnt_out(name, rng)
        if one is None:
            continue
        s, duration = one
        propagate(BALLISTIC, s, 3.0)
        if back_to_burn_end(s, np.zeros(3), ends.ways, ends.bounds, np.zeros(5), 2000.0, way) > 0.0:
            found.append(way[2] / duration)
    # of burns that end lower than the median, which are met, two stages' are shorter by a tenth
    assert 0.88 < np.median(found) < 1.1


def test_what_is_below_where_a_burn_should_end_is_left_where_it_is() -> None:
    s, _ = burnt_out("medium_range", np.random.default_rng(33)) or pytest.fail("a flat one")
    before, way = s.copy(), np.empty(4)
    ends = burn_ends("medium_range")
    assert (
        back_to_burn_end(
            s, np.zeros(3), ends.ways, ends.bounds, np.array([3.0, 0.0, 0.0, 0.0, 0.0]), 2000.0, way
        )
        == 0.0
    )
    np.testing.assert_array_equal(s, before)
