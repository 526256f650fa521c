"""The interaction of a row's motions and its prediction, against plain-NumPy twins."""

from __future__ import annotations

import numpy as np
import pytest
from watch import NS, a_row

from jointwatch.motion.phases import BALLISTIC, BOOST, PRIOR_MEAN, PRIOR_SIGMA, acceleration_noise
from jointwatch.motion.plane import FLAT, LEVEL
from jointwatch.motion.propagate import transition
from jointwatch.tracking.bank import FLIGHT, SWITCH, Motion, bank_of
from jointwatch.tracking.interaction import NEGLIGIBLE, mix, predict_row

RATES = FLIGHT[:, SWITCH : SWITCH + 3]


def interacted_twin(means, covariances, phase, dt):
    """Blom & Bar-Shalom's interaction with the missing parameter at its prior, in NumPy; negligible shares
    give their probability and nothing else."""
    move = 1.0 - np.exp(-RATES * dt)
    np.fill_diagonal(move, 0.0)
    np.fill_diagonal(move, 1.0 - move.sum(axis=1))
    joint = move * phase[:, None]
    after = joint.sum(axis=0)
    new_means, new_covariances = [], []
    for j in range(3):
        share = joint[:, j] / after[j]
        share = np.where(share < NEGLIGIBLE, 0.0, share)
        share = share / share.sum()
        x, p = [], []
        for i in range(3):
            xi, pi = means[i].copy(), covariances[i].copy()
            if i != j:
                xi[6] = PRIOR_MEAN[j]
                pi[6, :] = pi[:, 6] = 0.0
                pi[6, 6] = PRIOR_SIGMA[j] ** 2
            x.append(xi)
            p.append(pi)
        mean = sum(w * xi for w, xi in zip(share, x, strict=True))
        new_means.append(mean)
        new_covariances.append(
            sum(w * (pi + np.outer(xi - mean, xi - mean)) for w, xi, pi in zip(share, x, p, strict=True))
        )
    return np.array(new_means), np.array(new_covariances), after


def predicted_twin(phase, mean, p, dt):
    phi, after = np.empty((7, 7)), mean.copy()
    transition(phase, after, dt, phi)
    noise = np.mean([acceleration_noise(phase, mean), acceleration_noise(phase, after)], axis=0)
    q = np.zeros((7, 7))
    q[:6, :6] = noise[0] * np.kron([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]], np.eye(3))
    q[6, 6] = noise[1] * dt
    return after, phi @ p @ phi.T + q


def assert_same(p, expected, tolerance):
    """Covariances alike, each element by the deviations that it belongs to."""
    d = np.sqrt(np.diag(expected))
    assert np.abs((p - expected) / np.outer(d, d)).max() < tolerance


@pytest.mark.parametrize("dt", [0.5, 5.0, 12.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_motions_are_mixed_as_the_textbooks_interacting_models(seed, dt):
    row = a_row(seed)
    means, covariances, phase = interacted_twin(row["mean"], row["covariance"], row["phase"], dt)
    mix(FLIGHT, row["mean"], row["covariance"], row["phase"], dt)
    assert np.allclose(row["phase"], phase, rtol=1e-12)
    assert np.allclose(row["mean"], means, rtol=1e-11, atol=1e-7)
    for k in range(3):
        assert_same(row["covariance"][k], covariances[k], 1e-9)


@pytest.mark.parametrize("dt", [0.5, 5.0, 12.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_row_is_mixed_and_then_each_phase_goes_its_own_way(seed, dt):
    row = a_row(seed)
    means, covariances, phase = interacted_twin(row["mean"], row["covariance"], row["phase"], dt)
    predict_row(FLIGHT, row, 100 * NS + round(dt * NS))
    assert row["time_ns"] == 100 * NS + round(dt * NS)
    assert np.allclose(row["phase"], phase, rtol=1e-12)
    assert row["phase"].sum() == pytest.approx(1.0, abs=1e-12)
    for k in range(3):
        mean, p = predicted_twin(k, means[k], covariances[k], dt)
        assert np.allclose(row["mean"][k], mean, rtol=1e-11, atol=1e-7)
        assert_same(row["covariance"][k], p, 1e-9)


def test_a_row_is_not_predicted_to_its_own_time_or_back():
    for time_ns in (100 * NS, 99 * NS):
        row, before = a_row(4), a_row(4)
        predict_row(FLIGHT, row, time_ns)
        assert row.tobytes() == before.tobytes()


def test_a_bank_of_one_motion_is_a_plain_kalman_prediction():
    """Nearly constant velocity on two axes: P = F P F' + Q, and what is not in the bank stays as it is."""
    row = a_row(5)
    mean, p, others = row["mean"][0].copy(), row["covariance"][0].copy(), row["mean"][1:].copy()
    predict_row(bank_of(Motion(kind=LEVEL, noise=0.3, walk=0.02, axes=2)), row, 104 * NS)
    f = np.eye(7)
    f[:3, 3:6] = 4.0 * np.eye(3)
    q = np.zeros((7, 7))
    blocks = 0.3 * np.array([[4.0**3 / 3, 4.0**2 / 2], [4.0**2 / 2, 4.0]])
    q[:6, :6] = np.kron(blocks, np.diag([1.0, 1.0, 0.0]))
    q[6, 6] = 0.02 * 4.0
    assert np.allclose(row["mean"][0], f @ mean, rtol=1e-12)
    assert_same(row["covariance"][0], f @ p @ f.T + q, 1e-10)
    assert np.array_equal(row["mean"][1:], others)


def test_a_phase_that_cannot_be_entered_or_left_is_not_mixed():
    bank = bank_of(Motion(kind=LEVEL, to=(0.0, 0.0)), Motion(kind=FLAT, to=(0.0, 0.0)))
    row, before = a_row(6), a_row(6)
    row["phase"] = before["phase"] = [0.3, 0.7, 0.0]
    mix(bank, row["mean"][:2], row["covariance"][:2], row["phase"][:2], 10.0)
    assert np.allclose(row["mean"], before["mean"], rtol=1e-14)
    assert np.allclose(row["covariance"], before["covariance"], rtol=1e-12)
    assert np.allclose(row["phase"], before["phase"])


def test_what_hardly_burns_does_not_widen_what_coasts_but_keeps_its_probability():
    """One part in 10^5 that lies a kilometre a second off would add 1.7 m^2/s^2 on each axis, every look."""
    row = a_row(8)
    row["phase"] = [1e-5, 1.0 - 1e-5, 0.0]
    row["mean"][BOOST, 3:6] = row["mean"][BALLISTIC, 3:6] + 1e3
    before = row.copy()
    mix(FLIGHT, row["mean"], row["covariance"], row["phase"], 5.0)
    assert np.allclose(row["mean"][BALLISTIC], before["mean"][BALLISTIC], rtol=1e-14)
    assert np.allclose(row["covariance"][BALLISTIC], before["covariance"][BALLISTIC], rtol=1e-12)
    # what leaves the boost phase and what enters it are counted all the same
    left, entered = 1e-5 * (1.0 - np.exp(-5.0 / 30.0)), 1.0 - np.exp(-5.0 * RATES[BALLISTIC, BOOST])
    aside = 1e-5 * (1.0 - np.exp(-5.0 / 600.0))
    assert row["phase"][BOOST] == pytest.approx(1e-5 - left - aside + (1.0 - 1e-5) * entered, rel=1e-9)


def test_what_may_well_have_burnt_is_mixed_into_what_coasts():
    row = a_row(9)
    row["phase"] = [0.2, 0.8, 0.0]
    row["mean"][BOOST, 3:6] = row["mean"][BALLISTIC, 3:6] + 1e3
    before = row["covariance"][BALLISTIC, 3, 3]
    mix(FLIGHT, row["mean"], row["covariance"], row["phase"], 5.0)
    assert row["covariance"][BALLISTIC, 3, 3] > before + 1e4


def test_what_burns_changes_to_a_coast_at_the_stated_rate():
    row = a_row(7)
    row["phase"] = [1.0, 0.0, 0.0]
    predict_row(FLIGHT, row, 110 * NS)
    assert row["phase"][BALLISTIC] == pytest.approx(1.0 - np.exp(-10.0 / 30.0), rel=1e-9)
    assert row["phase"][BOOST] == pytest.approx(
        np.exp(-10.0 / 30.0) - (1.0 - np.exp(-10.0 / 600.0)), rel=1e-9
    )


def test_a_bank_holds_one_to_three_motions():
    for motions in ([], [Motion(kind=LEVEL)] * 4):
        with pytest.raises(ValueError, match="one to 3"):
            bank_of(*motions)
