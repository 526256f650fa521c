"""Where a coast began, by all looks at it: errors as it says they are, with the wind, and no look of a burn.

In: a rocket in dense air, in a wind that changes with the height, pushed about as still air does, and a radar
that sees its place and how fast it comes; out: the first state against the truth.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, height_above_ellipsoid
from jointwatch.earth.wind import wind_rms
from jointwatch.launch.beginning import MOST_LOOKS, NO_LOOKS, Looks, _burning, beginning_of
from jointwatch.launch.burn_looks import STEERED, UNEVEN, UNSTEADY
from jointwatch.launch.coast import LAYER_M, in_a_wind
from jointwatch.motion.phases import (
    BALLISTIC,
    BOOST,
    PRIOR_MEAN,
    PRIOR_SIGMA,
    still_air_noise,
)
from jointwatch.motion.propagate import propagate

START = np.array([6378137.0 + 2.0e3, 0.0, 0.0, 450.0, 520.0, 0.0, 0.0])
"""A rocket just burnt out, 2 km over the equator."""
SEEN_M, SEEN_MS, EVERY_S = 10.0, 1.0, 2.0
SITE = np.array([6378137.0, 20e3, 15e3])
THRUST_MS2 = 80.0
S = 1_000_000_000


def flown(looks, rng, blows=1.0):
    """True states (n, 9) of a coast, the last two the wind towards east and north."""
    s, wind = START.copy(), blows * wind_rms(2e3) * rng.standard_normal(2)
    s[6] = PRIOR_MEAN[BALLISTIC] + PRIOR_SIGMA[BALLISTIC] * rng.standard_normal()
    out = [np.append(s, wind)]
    for _ in range(looks - 1):
        latitude, longitude, height = ecef2geodetic(*s[:3])
        blown = wind @ enu_rotation(latitude, longitude)[:2]
        q, walk = still_air_noise(s)
        s[3:6] -= blown
        propagate(BALLISTIC, s, EVERY_S)
        s[3:6] += blown
        s[:3] += EVERY_S * blown
        push = np.linalg.cholesky(q * np.array([[EVERY_S**3 / 3, EVERY_S**2 / 2], [EVERY_S**2 / 2, EVERY_S]]))
        s[:6] += (push @ rng.standard_normal((2, 3))).ravel()
        s[6] += math.sqrt(walk * EVERY_S) * rng.standard_normal()
        now = height_above_ellipsoid(*s[:3])
        fade = math.exp(-abs(now - height) / LAYER_M)
        wind = fade * wind + blows * math.sqrt(1.0 - fade * fade) * wind_rms(now) * rng.standard_normal(2)
        out.append(np.append(s, wind))
    return np.array(out)


def seen(states, rng, from_s=0.0, every_s=EVERY_S):
    """What looks tell of states (n, 6 or more), of place and of the speed towards the site."""
    points, informations = np.empty((len(states), 6)), np.zeros((len(states), 6, 6))
    for k, s in enumerate(states):
        sight = (s[:3] - SITE) / np.linalg.norm(s[:3] - SITE)
        points[k, :3] = s[:3] + SEEN_M * rng.standard_normal(3)
        points[k, 3:] = (sight @ s[3:6] + SEEN_MS * rng.standard_normal()) * sight
        informations[k, :3, :3] = np.eye(3) / SEEN_M**2
        informations[k, 3:, 3:] = np.outer(sight, sight) / SEEN_MS**2
    times = np.round((from_s + every_s * np.arange(len(states))) * S).astype(np.int64)
    return Looks(times, points, informations)


def joined(*looks):
    """All these looks."""
    return Looks(*(np.concatenate([getattr(one, name) for one in looks]) for name in Looks.__struct_fields__))


def known(looks, state, rng):
    """The beginning, by a latest state that is off as a track's is."""
    off = np.array([20.0] * 3 + [10.0] * 3 + [0.2]) * rng.standard_normal(7)
    return beginning_of(looks, int(looks.times_ns[-1]), state[:7] + off, np.eye(7))


@pytest.mark.parametrize("looks", [5, 15])
def test_its_errors_are_as_it_says_and_so_is_the_wind(looks):
    """300 coasts: squared errors of all nine numbers by what is said of them, and of the wind's two."""
    rng = np.random.default_rng(looks)
    squared, of_wind, early = [], [], 0
    for _ in range(300):
        states = flown(looks, rng)
        first = known(seen(states, rng), states[-1], rng)
        if first.time_ns != 0:
            early += 1
            continue
        off = first.state - states[0]
        squared.append(off @ np.linalg.solve(first.covariance, off))
        of_wind.append(off[7:] @ np.linalg.solve(first.covariance[7:, 7:], off[7:]))
    # looks that are off by chance are taken for a burn's now and then
    assert early <= 12
    # of 300 the mean of nine squares is 9 but for 0.25, and of two 2 but for 0.12; less without the worst
    assert np.mean(squared) == pytest.approx(9.0, abs=1.0)
    assert np.mean(of_wind) == pytest.approx(2.0, abs=0.4)


def test_the_wind_is_told_from_looks():
    """Fifteen looks tell some of it, and all looks are gone through in the wind that they tell."""
    rng = np.random.default_rng(3)
    states = flown(15, rng)
    first = known(seen(states, rng), states[-1], rng)
    assert np.sqrt(np.diag(first.covariance)[7:]).max() < 0.85 * wind_rms(2e3)


def burnt(until_s, rng):
    """True states (n, 9) each EVERY_S before a coast's first, of a burn that ended until_s before it."""
    s, out = START.copy(), []
    s[6] = PRIOR_MEAN[BALLISTIC]
    propagate(BALLISTIC, s, -until_s)
    for k in range(3, 0, -1):
        b = s.copy()
        b[6] = THRUST_MS2
        propagate(BOOST, b, until_s - k * EVERY_S)
        out.append(np.append(b, [0.0, 0.0]))
    return np.array(out)


@pytest.mark.parametrize("until_s", [0.2, 1.0, 1.8])
def test_looks_at_the_burn_are_left_out_and_how_high_the_last_was_is_said(until_s):
    rng = np.random.default_rng(round(10 * until_s))
    begun, said = [], []
    for _ in range(30):
        coast, burn = flown(8, rng, 0.0), burnt(until_s, rng)
        looks = joined(seen(burn, rng, -3.0 * EVERY_S), seen(coast, rng))
        first = known(looks, coast[-1], rng)
        begun.append(first.time_ns / S)
        if first.time_ns == 0:
            said.append(first.burnt_m > 0.0)
            if said[-1]:
                assert first.burnt_m == pytest.approx(height_above_ellipsoid(*burn[-1, :3]), abs=60.0)
    assert np.mean(said) > (0.9 if until_s < 1.5 else 0.3)
    # the last 16 m/s of a burn, between two looks, are what looks cannot surely tell
    assert min(begun) >= (-EVERY_S if until_s > 1.0 else 0.0)
    assert np.mean(np.array(begun) == 0.0) >= (0.1 if until_s > 1.0 else 0.85)


def test_after_too_few_looks_at_a_coast_it_is_still_said_how_high_the_burn_was_on():
    """Two looks since: those at the burn say the rest, and it ended above the last of them."""
    rng = np.random.default_rng(15)
    burn, coast = burnt(1.0, rng), flown(2, rng, 0.0)
    looks = joined(seen(burn, rng, -3.0 * EVERY_S), seen(coast, rng))
    error = np.diag([10.0] * 3 + [5.0] * 3 + [0.3]) ** 2
    first = beginning_of(looks, int(looks.times_ns[-1]), coast[-1, :7], error)
    assert first.time_ns == 0 and (first.later is None or first.burning < -4.0)
    assert first.burnt_m == pytest.approx(height_above_ellipsoid(*burn[-1, :3]), abs=60.0)
    # what was behind the coast taken back was pushed the other way
    behind = seen(burn[-1:], rng, -EVERY_S)
    ahead = START[3:6] / np.linalg.norm(START[3:6])
    behind.points[0, :3] -= 5e3 * ahead
    both = joined(behind, seen(coast, rng))
    assert beginning_of(both, int(both.times_ns[-1]), coast[-1, :7], error).burnt_m < 0.0
    only = seen(coast, rng)
    assert beginning_of(only, int(only.times_ns[-1]), coast[-1, :7], error).burnt_m < 0.0


def test_a_look_at_the_burn_speaks_for_it_and_a_coasts_against():
    """Log odds of single looks two seconds before a first state that is known to 10 m and 5 m/s."""
    rng = np.random.default_rng(9)
    state = np.append(START, [0.0, 0.0])
    state[6] = PRIOR_MEAN[BALLISTIC]
    error = np.diag([10.0] * 3 + [5.0] * 3 + [0.3, 1.0, 1.0]) ** 2
    before = state.copy()
    propagate(BALLISTIC, before[:7], -EVERY_S)

    def odds(true):
        one = seen(true[None], rng)
        off = state + np.linalg.cholesky(error) @ rng.standard_normal(9)
        return _burning(EVERY_S, one.points[0], one.informations[0], off, error)[0]

    coasts = [odds(before) for _ in range(200)]
    burns = [odds(burnt(1.0, rng)[-1]) for _ in range(200)]
    assert np.mean(np.array(coasts) < 0.0) > 0.9 and np.mean(np.array(burns) > 0.0) > 0.9
    # slower or faster: a push the other way is no burn's
    ahead = state[3:6] / np.linalg.norm(state[3:6])
    faster = before.copy()
    faster[3:6] += 60.0 * ahead
    assert np.mean([odds(faster) for _ in range(50)]) < 0.0


def test_a_plot_of_something_else_is_left_out_and_what_was_before_it_counts():
    rng = np.random.default_rng(7)
    states = flown(12, rng)
    looks = seen(states, rng)
    whole = known(looks, states[-1], rng)
    looks.points[5, :3] += 400.0
    first = known(looks, states[-1], rng)
    assert first.time_ns == whole.time_ns == 0
    assert first.burnt_m < 0.0
    assert np.diag(first.covariance)[3:6] == pytest.approx(np.diag(whole.covariance)[3:6], rel=0.5)


def test_what_pushed_to_the_side_or_back_was_no_burn():
    """Looks before one coast are of another, as after another object's plots, or a bounce."""
    rng = np.random.default_rng(12)
    for turn in (np.array([0.0, 0.0, 1.0]), -START[3:6] / np.linalg.norm(START[3:6])):
        states = flown(12, rng)
        looks = seen(states, rng)
        # it came in from there at another velocity
        after_s = EVERY_S * np.arange(-5, 0)
        looks.points[:5, :3] -= after_s[:, None] * 120.0 * turn
        first = known(looks, states[-1], rng)
        assert first.time_ns == 5 * EVERY_S * S
        assert first.burnt_m < 0.0


def test_a_second_radar_s_look_right_after_does_not_hide_that_the_burn_was_on():
    """Two radars look 50 ms one after the other: a burn does nothing in so little time."""
    rng = np.random.default_rng(13)
    one, two = [], []
    for _ in range(40):
        coast, burn = flown(8, rng, 0.0), burnt(0.9, rng)
        looks = joined(seen(burn, rng, -3.0 * EVERY_S), seen(coast, rng))
        begun = [known(looks, coast[-1], rng).time_ns]
        s = np.concatenate([burn, coast])
        s[:, :3] += 0.05 * s[:, 3:6]
        again = seen(s, rng, 0.05 - 3.0 * EVERY_S)
        both = joined(looks, again)
        order = np.argsort(both.times_ns)
        both = Looks(both.times_ns[order], both.points[order], both.informations[order])
        begun.append(known(both, coast[-1], rng).time_ns)
        one.append(begun[0] >= 0)
        two.append(begun[1] >= 0)
    assert np.mean(two) >= np.mean(one) - 0.1
    assert np.mean(two) > 0.6


def test_without_looks_it_is_the_latest_state_in_a_wind_of_which_nothing_is_known():
    state, covariance = START.copy(), np.diag(np.arange(1.0, 8.0))
    state[6] = -8.6
    first = beginning_of(NO_LOOKS, 5 * S, state, covariance)
    assert first.time_ns == 5 * S and first.later is None
    np.testing.assert_array_equal(first.state[:7], state)
    np.testing.assert_array_equal(first.covariance[:7, :7], covariance)
    assert first.covariance[7, 7] == pytest.approx(wind_rms(2e3) ** 2, rel=1e-3)
    high = state.copy()
    high[0] += 60e3
    assert in_a_wind(high, covariance)[1][8, 8] < 1e-5


def test_what_no_coast_explains_at_all_is_the_latest_state():
    """Looks all over the place, more than are gone through."""
    rng = np.random.default_rng(8)
    states = np.repeat(flown(1, rng), MOST_LOOKS + 9, axis=0)
    looks = seen(states, rng)
    looks.points[:, :3] += 5e3 * rng.standard_normal((len(states), 3))
    first = beginning_of(looks, int(looks.times_ns[-1]), states[-1, :7], np.eye(7))
    assert first.time_ns == looks.times_ns[-1]
    assert np.isfinite(first.state).all()


def pushed_on(looks, rng):
    """True states (n, 9) at looks at a burn, along its way but for what a motor does besides, and at those of
    the coast after; seconds before the coast's first look at which it ended."""
    gone, coast = EVERY_S * rng.uniform(), flown(looks, rng)
    s, out = coast[0, :7].copy(), []
    latitude, longitude, _ = ecef2geodetic(*s[:3])
    blown = coast[0, 7:] @ enu_rotation(latitude, longitude)[:2]
    s[3:6] -= blown
    propagate(BALLISTIC, s, -gone)
    s[3:6] += blown
    s[:3] -= gone * blown
    b = s.copy()
    b[6] = rng.uniform(30.0, 90.0)
    propagate(BOOST, b, gone - EVERY_S)
    for _ in range(5):
        out.append(np.append(b, [0.0, 0.0]))
        shake = np.linalg.cholesky(np.array([[EVERY_S**3 / 3, EVERY_S**2 / 2], [EVERY_S**2 / 2, EVERY_S]]))
        propagate(BOOST, b, -EVERY_S)
        shaken = math.sqrt(STEERED) * shake @ rng.standard_normal((2, 3))
        ahead = b[3:6] / np.linalg.norm(b[3:6])
        shaken += np.outer(math.sqrt(UNEVEN - STEERED) * shake @ rng.standard_normal(2), ahead)
        b[:6] += shaken.ravel()
        b[6] += math.sqrt(UNSTEADY * EVERY_S) * rng.standard_normal()
    return np.concatenate([out[::-1], coast]), gone


@pytest.mark.parametrize("looks", [2, 4])
def test_looks_at_a_burn_say_how_the_coast_began_and_when(looks):
    """200 burns: squared errors of the state by what is said of them, and of when the burn ended."""
    rng = np.random.default_rng(20 + looks)
    squared, late, wide = [], [], []
    for _ in range(200):
        states, gone = pushed_on(looks, rng)
        first = known(seen(states, rng, -5.0 * EVERY_S), states[-1], rng)
        if first.time_ns != 0 or first.ended is None:
            continue
        off = (first.state - states[5])[:7]
        error = first.covariance[:7, :7]
        squared.append(off @ np.linalg.solve(error, off))
        open_s = math.hypot(math.sqrt(first.ended.slope @ error @ first.ended.slope), first.ended.sigma_s)
        late.append((first.ended.before_s - gone) / open_s)
        wide.append(open_s)
    assert len(squared) > 150
    assert np.mean(squared) == pytest.approx(7.0, abs=1.5)
    assert 0.6 < np.sqrt(np.mean(np.square(late))) < 1.4
    # a push of 30 to 90 m/s^2 tells it far better than that it was between two looks
    assert np.median(wide) < 0.4 * EVERY_S / math.sqrt(12.0)
