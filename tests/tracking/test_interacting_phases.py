"""The filter of one row, against plain-NumPy twins: interaction, prediction, update, births."""

from __future__ import annotations

import math

import numpy as np
import pytest
from watch import RADAR, place

from jointwatch.motion.phases import PRIOR_MEAN, PRIOR_SIGMA, acceleration_noise
from jointwatch.motion.propagate import transition
from jointwatch.sensing.radar import (
    SIGMA_AZIMUTH,
    SIGMA_RANGE,
    SIGMA_RANGE_RATE,
    observe,
    position_of_plot,
    sensor_row,
)
from jointwatch.tracking.filter import (
    BIRTH_PHASE,
    CROSS_SPEED_SIGMA_MS,
    SWITCH,
    begin_row,
    cholesky,
    expect,
    gauss,
    innovation,
    predict_row,
    update_phase,
)
from jointwatch.tracking.table import new_table

ROW = sensor_row(RADAR)
R = np.diag(ROW[SIGMA_RANGE : SIGMA_RANGE_RATE + 1] ** 2)
NS = 1_000_000_000


def random_covariance(rng, parameter_sigma):
    scale = np.array([60.0, 200.0, 300.0, 8.0, 40.0, 60.0, parameter_sigma])
    a = rng.normal(size=(7, 12))
    return (a @ a.T / 12.0) * np.outer(scale, scale)


def a_row(seed):
    """A row of three phases that nearly agree on where they are, each with a covariance of its own."""
    rng = np.random.default_rng(seed)
    table = new_table(1)
    row = table[0]
    middle = place(32.6, 37.0, 90e3, -2000.0, 150.0, -700.0, 0.0)
    for k in range(3):
        row["mean"][k] = middle + rng.normal(size=7) * [40, 40, 40, 8, 8, 8, 0]
        row["mean"][k][6] = PRIOR_MEAN[k] + 0.3 * PRIOR_SIGMA[k] * rng.normal()
        row["covariance"][k] = random_covariance(rng, 0.7 * PRIOR_SIGMA[k])
    row["phase"] = rng.dirichlet([2.0, 4.0, 1.0])
    row["time_ns"] = 100 * NS
    return row


def interacted_twin(means, covariances, phase, dt):
    """Blom & Bar-Shalom's interaction with the missing parameter at its prior, in NumPy."""
    move = 1.0 - np.exp(-SWITCH * dt)
    np.fill_diagonal(move, 0.0)
    np.fill_diagonal(move, 1.0 - move.sum(axis=1))
    joint = move * phase[:, None]
    after = joint.sum(axis=0)
    new_means, new_covariances = [], []
    for j in range(3):
        share = joint[:, j] / after[j]
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


@pytest.mark.parametrize("dt", [0.5, 5.0, 12.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_row_is_predicted_as_the_textbooks_interacting_models(seed, dt):
    row = a_row(seed)
    means, covariances, phase = interacted_twin(
        row["mean"].copy(), row["covariance"].copy(), row["phase"].copy(), dt
    )
    predict_row(row, 100 * NS + round(dt * NS))
    assert row["time_ns"] == 100 * NS + round(dt * NS)
    assert np.allclose(row["phase"], phase, rtol=1e-12)
    assert row["phase"].sum() == pytest.approx(1.0, abs=1e-12)
    for k in range(3):
        mean, p = predicted_twin(k, means[k], covariances[k], dt)
        assert np.allclose(row["mean"][k], mean, rtol=1e-11, atol=1e-7)
        d = np.sqrt(np.diag(p))
        assert np.abs((row["covariance"][k] - p) / np.outer(d, d)).max() < 1e-9


def test_a_row_is_not_predicted_to_its_own_time_or_back():
    for time_ns in (100 * NS, 99 * NS):
        row, before = a_row(4), a_row(4)
        predict_row(row, time_ns)
        assert row.tobytes() == before.tobytes()


def prepared(seed=7):
    """A phase's mean, covariance, and what the radar should measure of it."""
    row = a_row(seed)
    mean, p = row["mean"][1].copy(), row["covariance"][1].copy()
    z, h, s = np.empty(4), np.empty((4, 6)), np.empty((4, 4))
    expect(ROW, mean, p, z, h, s)
    return mean, p, z, h, s


def textbook_update(mean, p, y, h, noise=R):
    h7 = np.hstack([h, np.zeros((4, 1))])
    s = h7 @ p @ h7.T + noise
    gain = p @ h7.T @ np.linalg.inv(s)
    return mean + gain @ y, (np.eye(7) - gain @ h7) @ p, gain, s


def test_what_is_expected_is_h_p_h_plus_the_radars_noise():
    mean, p, z, h, s = prepared()
    assert np.allclose(z, observe(ROW, *mean[:6]), rtol=1e-14)
    assert np.allclose(s, h @ p[:6, :6] @ h.T + R, rtol=1e-10)
    assert np.array_equal(s, s.T)


def test_an_update_with_one_sure_plot_is_the_textbooks_extended_kalman_update():
    mean, p, z, h, s = prepared()
    y = np.array([80.0, -2e-3, 1.5e-3, 12.0])
    expected_mean, expected_p, _, _ = textbook_update(mean, p, y, h)
    update_phase(ROW, mean, p, (z + y)[None, :], np.ones(1), 0.0, z, h, s)
    assert np.allclose(mean, expected_mean, rtol=1e-10, atol=1e-6)
    d = np.sqrt(np.diag(expected_p))
    assert np.abs((p - expected_p) / np.outer(d, d)).max() < 1e-6
    assert np.array_equal(p, p.T) and np.linalg.eigvalsh(p / np.outer(d, d)).min() > 0.0


def test_an_update_with_weighted_plots_is_the_textbooks_probabilistic_data_association():
    mean, p, z, h, s = prepared()
    ys = np.array([[80.0, -2e-3, 1.5e-3, 12.0], [-150.0, 1e-3, 0.0, -4.0], [10.0, 3e-3, -1e-3, 9.0]])
    weights, none = np.array([0.5, 0.2, 0.1]), 0.2
    _, sure, gain, _ = textbook_update(mean, p, ys[0], h)
    y = weights @ ys
    spread = gain @ ((ys.T * weights) @ ys - np.outer(y, y)) @ gain.T
    expected_mean, expected_p = mean + gain @ y, none * p + (1.0 - none) * sure + spread
    update_phase(ROW, mean, p, z + ys, weights, none, z, h, s)
    assert np.allclose(mean, expected_mean, rtol=1e-10, atol=1e-6)
    d = np.sqrt(np.diag(expected_p))
    assert np.abs((p - expected_p) / np.outer(d, d)).max() < 1e-6


def test_an_update_with_no_plot_changes_nothing():
    mean, p, z, h, s = prepared()
    kept = mean.copy(), p.copy()
    update_phase(ROW, mean, p, np.empty((0, 4)), np.empty(0), 1.0, z, h, s)
    assert np.array_equal(mean, kept[0]) and np.array_equal(p, kept[1])


def test_many_sharp_updates_leave_a_positive_definite_covariance():
    mean, p, z, h, s = prepared()
    for _ in range(500):
        expect(ROW, mean, p, z, h, s)
        update_phase(ROW, mean, p, z[None, :].copy(), np.ones(1), 0.0, z, h, s)
    d = np.sqrt(np.diag(p))
    assert np.array_equal(p, p.T) and np.linalg.eigvalsh(p / np.outer(d, d)).min() > 0.0


def test_the_density_is_the_gaussian_and_the_factor_is_choleskys():
    _, _, _, _, s = prepared()
    low = np.zeros((4, 4))
    assert cholesky(s, 4, low)
    assert np.allclose(low, np.linalg.cholesky(s), rtol=1e-10)
    y = np.array([100.0, 2e-3, -1e-3, 7.0])
    d2, log_density = gauss(low, y)
    assert d2 == pytest.approx(y @ np.linalg.solve(s, y), rel=1e-9)
    assert log_density == pytest.approx(-0.5 * (d2 + np.linalg.slogdet(2.0 * math.pi * s)[1]), rel=1e-10)
    assert not cholesky(np.diag([1.0, -1.0, 1.0, 1.0]), 4, low)


def test_an_innovation_takes_azimuth_the_short_way_round_north():
    y = np.empty(4)
    innovation(np.array([1e5, 0.001, 0.1, 0.0]), np.array([1e5, 2.0 * math.pi - 0.001, 0.1, 0.0]), y)
    assert y[1] == pytest.approx(0.002, abs=1e-12)
    innovation(np.array([1e5, 2.0 * math.pi - 0.001, 0.1, 0.0]), np.array([1e5, 0.001, 0.1, 0.0]), y)
    assert y[1] == pytest.approx(-0.002, abs=1e-12)


def test_a_row_begun_from_a_plot_says_what_the_plot_says_and_no_more():
    plot = np.array([2e5, 1.3, 0.4, -900.0])
    row = new_table(1)[0]
    begin_row(row, ROW, plot, 5 * NS, 42)
    z, h, s = np.empty(4), np.empty((4, 6)), np.empty((4, 4))
    for k in range(3):
        mean, p = row["mean"][k], row["covariance"][k]
        assert np.allclose(mean[:3], position_of_plot(ROW, *plot[:3]))
        expect(ROW, mean, p, z, h, s)
        assert np.allclose(z, plot, rtol=1e-12)
        # seen again at once, it is the plot's own noise and the radar's once more; the range rate besides
        # has the unknown speed across turn into it as the line of sight is off
        across = CROSS_SPEED_SIGMA_MS * ROW[SIGMA_AZIMUTH]
        assert np.allclose(np.diag(s)[:3], 2.0 * np.diag(R)[:3], rtol=1e-6)
        assert 2.0 * R[3, 3] * 0.999 < s[3, 3] < 2.0 * R[3, 3] + 4.0 * across**2
        unit = (mean[:3] - ROW[:3]) / plot[0]
        assert np.trace(p[3:6, 3:6]) == pytest.approx(2.0 * CROSS_SPEED_SIGMA_MS**2 + R[3, 3])
        assert unit @ p[3:6, 3:6] @ unit == pytest.approx(R[3, 3], rel=1e-6)
        assert mean[6] == PRIOR_MEAN[k] and p[6, 6] == pytest.approx(PRIOR_SIGMA[k] ** 2)
    assert np.array_equal(row["phase"], BIRTH_PHASE) and row["phase"].sum() == pytest.approx(1.0)
    assert row["hits"] == 1 and row["first_ns"] == row["seen_ns"] == row["time_ns"] == 5 * NS
    assert row["evidence"].tolist() == [42] + [-1] * 7
