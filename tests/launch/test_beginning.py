"""The first state of a coast by all looks since: the smoother's own answer, and errors as it says they are.

In: a rocket in dense air, pushed about as the filter's noise says, and a Kalman filter that sees its place;
out: the first state against a smoother of the whole, and its errors against its covariance.
"""

import numpy as np
import pytest

from jointwatch.launch.beginning import Beginning
from jointwatch.motion.descent import retrace
from jointwatch.motion.phases import BALLISTIC, N
from jointwatch.motion.propagate import predict, propagate, transition

START = np.array([6378137.0 + 2.0e3, 0.0, 0.0, 450.0, 520.0, 0.0, -9.0])
"""A rocket just burnt out, 2 km over the equator."""
PRIOR = np.diag([30.0, 30.0, 30.0, 20.0, 20.0, 20.0, 0.05]) ** 2
"""Its drag is known to a twentieth: a plain filter of its logarithm is not consistent for much more."""
SEEN_M, EVERY_S = 10.0, 2.0
PLACE = np.eye(3, N)


def noise(state):
    """What a step adds to the covariance."""
    s, q = state.copy(), np.zeros((N, N))
    predict(BALLISTIC, s, q, EVERY_S)
    return q


def coast(looks, rng):
    """True states of a coast."""
    states = [START + np.linalg.cholesky(PRIOR) @ rng.standard_normal(N)]
    for _ in range(looks - 1):
        s = states[-1].copy()
        q = noise(s)
        propagate(BALLISTIC, s, EVERY_S)
        states.append(s + np.linalg.cholesky(q + 1e-15 * np.eye(N)) @ rng.standard_normal(N))
    return states


def filtered(states, rng):
    """Mean and covariance after each look at a coast's places."""
    mean, covariance, found = START.copy(), PRIOR.copy(), []
    for k, true in enumerate(states):
        if k:
            predict(BALLISTIC, mean, covariance, EVERY_S)
        seen = true[:3] + SEEN_M * rng.standard_normal(3)
        gain = covariance[:, :3] @ np.linalg.inv(covariance[:3, :3] + SEEN_M**2 * np.eye(3))
        mean = mean + gain @ (seen - mean[:3])
        covariance = covariance - gain @ covariance[:3]
        covariance = 0.5 * (covariance + covariance.T)
        found.append((mean.copy(), covariance.copy()))
    return found


def beginning_of(found):
    first = Beginning(0, *found[0])
    for k, (mean, covariance) in enumerate(found[1:], 1):
        first.meet(round(k * EVERY_S * 1e9), mean, covariance)
    return first


def test_it_is_the_first_state_of_the_smoother_of_the_whole():
    """Rauch, Tung & Striebel's pass back over twelve looks ends where the looks one by one do."""
    rng = np.random.default_rng(1)
    found = filtered(coast(12, rng), rng)
    mean, covariance = found[-1]
    for at, error in reversed(found[:-1]):
        ahead, expected, phi = at.copy(), error.copy(), np.empty((N, N))
        transition(BALLISTIC, ahead, EVERY_S, phi)
        ahead = at.copy()
        predict(BALLISTIC, ahead, expected, EVERY_S)
        gain = error @ phi.T @ np.linalg.inv(expected)
        mean, covariance = at + gain @ (mean - ahead), error + gain @ (covariance - expected) @ gain.T
    first = beginning_of(found)
    assert first.time_ns == 0
    sigma = np.sqrt(np.diag(covariance))
    assert np.abs(first.state - mean) == pytest.approx(np.zeros(N), abs=1e-5 * sigma.max())
    assert ((first.state - mean) / sigma) == pytest.approx(np.zeros(N), abs=1e-4)
    assert np.sqrt(np.diag(first.covariance)) == pytest.approx(sigma, rel=1e-4)


@pytest.mark.parametrize("looks", [5, 15])
def test_its_errors_are_as_it_says_where_those_of_the_way_back_are_not(looks):
    """400 coasts: squared errors of place ten seconds before the first look, by what is said of them."""
    rng = np.random.default_rng(looks)
    smoothed, traced, first_errors = [], [], []
    for _ in range(400):
        states = coast(looks, rng)
        found = filtered(states, rng)
        first = beginning_of(found)
        off = first.state - states[0]
        first_errors.append(off @ np.linalg.solve(first.covariance, off))
        smoothed.append(_squared(first.state, first.covariance, states[0]))
        span_s, (mean, covariance) = (looks - 1) * EVERY_S, found[-1]
        back, phi = mean.copy(), np.empty((N, N))
        retrace(back, span_s)
        transition(BALLISTIC, back.copy(), span_s, phi)
        inverse = np.linalg.inv(phi)
        traced.append(_squared(back, inverse @ covariance @ inverse.T, states[0]))
    # of 400 the mean of seven squares is 7 but for 0.19, and of three 3 but for 0.12
    assert np.mean(first_errors) == pytest.approx(7.0, abs=0.8)
    assert np.mean(smoothed) == pytest.approx(3.0, abs=0.5)
    assert not 2.5 < np.mean(traced) < 3.5


def _squared(state, covariance, true, span_s=10.0):
    """Squared error (3 degrees of freedom) of the place so long before, as a straight way back has it."""
    way = np.hstack([np.eye(3), -span_s * np.eye(3), np.zeros((3, 1))])
    off = way @ (state - true)
    return off @ np.linalg.solve(way @ covariance @ way.T, off)


def test_a_look_only_adds():
    """Each look makes every element of the first state better known."""
    rng = np.random.default_rng(3)
    found = filtered(coast(10, rng), rng)
    before = np.diag(found[0][1])
    first = Beginning(0, *found[0])
    for k, (mean, covariance) in enumerate(found[1:], 1):
        first.meet(round(k * EVERY_S * 1e9), mean, covariance)
        now = np.diag(first.covariance)
        assert (now <= before * (1.0 + 1e-9)).all()
        before = now.copy()
    assert (now[:6] < 0.8 * np.diag(found[0][1])[:6]).all()


def test_what_no_coast_led_to_is_a_new_beginning():
    """A state much vaguer than the coast before would have it, as after a burn that mixed in."""
    rng = np.random.default_rng(4)
    found = filtered(coast(6, rng), rng)
    first = beginning_of(found)
    mean, covariance = found[-1]
    later = round(7 * EVERY_S * 1e9)
    first.meet(later, mean, covariance * 1e4)
    assert first.time_ns == later
    np.testing.assert_array_equal(first.state, mean)
    np.testing.assert_array_equal(first.covariance, covariance * 1e4)


def test_a_state_astray_is_a_new_beginning_and_so_is_the_way_back():
    """For three looks a number had another object's plots, 300 m off, and said it as surely as ever."""
    rng = np.random.default_rng(7)
    states = coast(14, rng)
    found = filtered(states, rng)
    off = np.array([300.0, 0.0, 0.0, 40.0, 0.0, 0.0, 0.5])
    first = Beginning(0, *found[0])
    for k, (mean, covariance) in enumerate(found[1:], 1):
        first.meet(round(k * EVERY_S * 1e9), mean + off if 5 <= k < 8 else mean, covariance)
    assert first.time_ns == round(8 * EVERY_S * 1e9)
    error = first.state - states[8]
    assert error @ np.linalg.solve(first.covariance, error) < 25.0


def test_nothing_is_taken_in_twice():
    """The same instant, or one before, says nothing more."""
    rng = np.random.default_rng(5)
    found = filtered(coast(4, rng), rng)
    first = beginning_of(found)
    state, covariance = first.state.copy(), first.covariance.copy()
    first.meet(round(3 * EVERY_S * 1e9), *found[-1])
    first.meet(0, *found[0])
    np.testing.assert_array_equal(first.state, state)
    np.testing.assert_array_equal(first.covariance, covariance)


def test_what_is_not_a_number_is_a_new_beginning():
    """A covariance that is none leaves nothing half done."""
    rng = np.random.default_rng(6)
    found = filtered(coast(4, rng), rng)
    first = beginning_of(found)
    mean, covariance = found[-1]
    first.meet(round(9e9), mean, np.full((N, N), np.nan))
    assert first.time_ns == round(9e9)
    first.meet(round(11e9), mean, covariance)
    assert first.time_ns == round(11e9) and np.isfinite(first.state).all()
