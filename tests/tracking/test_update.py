"""Updating one motion with plots: against the textbook in NumPy, and honest where the measurement bends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from watch import ROW, a_row, random_covariance, textbook_update
from world import RADAR, expected, place, plot_of, radar

from jointwatch.motion.gaussian import cholesky
from jointwatch.motion.phases import BALLISTIC, BOOST, PRIOR_MEAN, PRIOR_SIGMA
from jointwatch.motion.propagate import predict_motion, propagate
from jointwatch.sensing.expectation import PLOT, SHIFT, innovation, plots_of
from jointwatch.sensing.radar import DIMENSION, observe, position_of_plot, sensor_row
from jointwatch.tracking.update import (
    LEAST_DRAG_LEFT,
    gain_of,
    gauss,
    joseph,
    new_room,
    update_drag,
    update_phase,
    update_with,
)

SENSORS = {
    "radar": RADAR,
    "two-dimensional radar": radar(measures=("range", "azimuth")),
    "line of sight": radar(measures=("azimuth", "elevation")),
    "range and its rate": radar(measures=("range", "range_rate")),
    "leaning radar": radar(tilt_east_rad=0.05, tilt_north_rad=-0.08),
}
ROWS = {name: sensor_row(sensor) for name, sensor in SENSORS.items()}
names = pytest.mark.parametrize("name", SENSORS)


def prepared(name="radar", seed=7):
    """A sensor, a mean and covariance (so sharp that the measurement does not bend), and z, h, s, noise."""
    row = a_row(seed)
    mean, p = row["mean"][1].copy(), 0.04 * row["covariance"][1]
    sensor = ROWS[name]
    z, h, s, noise = expected(sensor, mean, p)
    assert (z[SHIFT : SHIFT + 4] == 0.0).all()
    return sensor, mean, p, z, h, s, noise


def off_by(sensor, mean, along, across, upward, faster):
    """The plot of a state that stands so far (m) and fast (m/s) from a mean."""
    line = (mean[:3] - sensor[:3]) / np.linalg.norm(mean[:3] - sensor[:3])
    level = np.cross(line, sensor[9:12])
    level /= np.linalg.norm(level)
    state = mean.copy()
    state[:3] += along * line + across * level + upward * np.cross(level, line)
    state[3:6] += faster * line
    return plot_of(sensor, state)


def innovation_of(sensor, plot, z):
    y = np.empty(4)
    innovation(sensor, plot, z, y)
    return y[: int(sensor[DIMENSION])]


def assert_same(p, expected_p, tolerance=1e-6):
    d = np.sqrt(np.diag(expected_p))
    assert np.abs((p - expected_p) / np.outer(d, d)).max() < tolerance
    assert np.array_equal(p, p.T) and np.linalg.eigvalsh(p / np.outer(d, d)).min() > 0.0


@names
def test_an_update_with_one_sure_plot_is_the_textbooks_kalman_update(name):
    sensor, mean, p, z, h, s, noise = prepared(name)
    plot = off_by(sensor, mean, 60.0, 150.0, -90.0, 4.0)
    y = innovation_of(sensor, plot, z)
    twin_mean, twin_p, _, _ = textbook_update(mean, p, y, h, noise)
    alone, alone_p = mean.copy(), p.copy()
    assert update_with(sensor, alone, alone_p, plot)
    update_phase(sensor, mean, p, plot[None], np.arange(1), np.ones(1), 0.0, z, h, s, noise, new_room())
    for m, c in ((mean, p), (alone, alone_p)):
        assert np.allclose(m, twin_mean, rtol=1e-10, atol=1e-6)
        assert_same(c, twin_p)


@names
def test_an_update_with_weighted_plots_is_the_textbooks_probabilistic_data_association(name):
    sensor, mean, p, z, h, s, noise = prepared(name)
    plots = np.array(
        [off_by(sensor, mean, *o) for o in ((80, -200, 150, 9), (-150, 90, 0, -4), (9, 0, -90, 6))]
    )
    weights, none = np.array([0.5, 0.2, 0.1]), 0.2
    ys = np.array([innovation_of(sensor, plot, z) for plot in plots])
    y = weights @ ys
    _, sure, gain, _ = textbook_update(mean, p, y, h, noise)
    spread = gain @ ((ys.T * weights) @ ys - np.outer(y, y)) @ gain.T
    twin_mean, twin_p = mean + gain @ y, none * p + (1.0 - none) * sure + spread
    update_phase(
        sensor, mean, p, plots[::-1].copy(), np.array([2, 1, 0]), weights, none, z, h, s, noise, new_room()
    )
    assert np.allclose(mean, twin_mean, rtol=1e-10, atol=1e-6)
    assert_same(p, twin_p)


@names
def test_gain_and_josephs_covariance_are_the_formulas(name):
    sensor, _, p, _, h, s, noise = prepared(name)
    d = int(sensor[DIMENSION])
    low, gain, out = np.zeros((4, 4)), np.zeros((7, 4)), np.empty((7, 7))
    assert cholesky(s, d, low)
    gain_of(d, p, h, low, gain)
    h7 = np.hstack([h, np.zeros((d, 1))])
    k = p @ h7.T @ np.linalg.inv(s)
    assert np.allclose(gain[:, :d], k, rtol=1e-7, atol=1e-9 * np.abs(k).max(axis=0))
    # any gain, not only the best, has the covariance that this formula says
    rough = 0.7 * gain
    joseph(d, p, h, noise, rough, out)
    left = np.eye(7) - rough[:, :d] @ h7
    assert_same(out, left @ p @ left.T + rough[:, :d] @ noise @ rough[:, :d].T, 1e-9)


def test_an_update_with_no_plot_changes_nothing():
    sensor, mean, p, z, h, s, noise = prepared()
    kept = mean.copy(), p.copy()
    update_phase(
        sensor, mean, p, np.empty((0, PLOT)), np.arange(0), np.empty(0), 1.0, z, h, s, noise, new_room()
    )
    assert np.array_equal(mean, kept[0]) and np.array_equal(p, kept[1])


@pytest.mark.parametrize("weight", [1e-320, 1e-160, 1e-9, 0.5])
def test_one_plot_of_any_weight_is_a_mixture_of_it_and_none(weight):
    sensor, mean, p, z, h, s, noise = prepared()
    plot = off_by(sensor, mean, 300.0, 500.0, -90.0, 9.0)
    y = innovation_of(sensor, plot, z)
    _, sure, gain, _ = textbook_update(mean, p, y, h, noise)
    moved = gain @ y
    twin = (1.0 - weight) * p + weight * sure + weight * (1.0 - weight) * np.outer(moved, moved)
    twin_mean = mean + weight * moved
    one, room = np.array([weight]), new_room()
    update_phase(sensor, mean, p, plot[None], np.arange(1), one, 1.0 - weight, z, h, s, noise, room)
    assert np.allclose(mean, twin_mean, rtol=1e-10, atol=1e-6)
    assert_same(p, twin)


def test_what_a_sensor_does_not_measure_stays_as_vague_as_it_was():
    """By the spread of the state in range, across, and upward before and after one plot."""
    for name, learned in (
        ("two-dimensional radar", (True, True, False)),
        ("line of sight", (False, True, True)),
        ("range and its rate", (True, False, False)),
    ):
        sensor = ROWS[name]
        mean = np.array([*position_of_plot(sensor, 1e5, 1.0, 0.3), 0.0, 0.0, 0.0, 0.0])
        line = (mean[:3] - sensor[:3]) / 1e5
        across = np.cross(line, sensor[9:12]) / math.cos(0.3)
        axes = np.array([line, across, np.cross(across, line)])
        p = np.diag([300.0**2] * 3 + [50.0**2] * 3 + [1.0])
        assert update_with(sensor, mean, p, plot_of(sensor, mean))
        after = np.sqrt(np.diag(axes @ p[:3, :3] @ axes.T))
        for sigma, told in zip(after, learned, strict=True):
            assert sigma < 110.0 if told else sigma == pytest.approx(300.0, rel=1e-3)


def test_many_sharp_updates_leave_a_positive_definite_covariance():
    sensor, mean, p, *_ = prepared()
    for _ in range(500):
        assert update_with(sensor, mean, p, plot_of(sensor, mean))
    d = np.sqrt(np.diag(p))
    assert np.array_equal(p, p.T) and np.linalg.eigvalsh(p / np.outer(d, d)).min() > 0.0


@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    st.sampled_from(sorted(SENSORS)),
    st.integers(0, 10**6),
    st.floats(-14.0, 0.0),
    st.tuples(st.floats(1e3, 1e6), st.floats(0.0, 6.3), st.floats(-0.3, 1.57), st.floats(-1e4, 1e4)),
    st.floats(1.0, 5.8),
)
def test_whatever_the_plot_and_covariance_what_comes_out_is_a_covariance(name, seed, flat, columns, far):
    """Flattened along random directions down to 1e-14 of their variance, or plainly singular."""
    sensor, rng = ROWS[name], np.random.default_rng(seed)
    mean = np.array([*position_of_plot(sensor, 10.0**far, 1.0, 0.4), *rng.normal(0.0, 900.0, 3), -8.5])
    scale = np.array([300.0, 300.0, 300.0, 40.0, 40.0, 40.0, 0.5]) * 10.0 ** rng.uniform(-2.0, 1.5)
    axes = np.linalg.qr(rng.normal(size=(7, 7)))[0]
    sizes = np.where(rng.random(7) < 0.5, 1.0, 10.0**flat if flat > -13.5 else 0.0)
    p = (axes * sizes) @ axes.T * np.outer(scale, scale)
    p = 0.5 * (p + p.T)
    before = p.copy()
    (plot,) = plots_of(np.array([columns]))
    assert update_with(sensor, mean, p, plot)
    assert np.isfinite(mean).all() and np.isfinite(p).all() and np.array_equal(p, p.T)
    assert np.linalg.eigvalsh(p / np.outer(scale, scale)).min() > -1e-12
    if sizes.min() > 1e-10:
        d = np.sqrt(np.diag(p))
        assert np.linalg.eigvalsh(p / np.outer(d, d)).min() > 0.0
    # what is measured can only be known better, where the measurement is a straight line
    z = expected(sensor, mean, before)[0]
    if (z[SHIFT : SHIFT + 4] == 0.0).all():
        assert np.linalg.eigvalsh((before - p) / np.outer(scale, scale)).min() > -1e-6


def test_a_covariance_that_is_none_is_refused_and_left_alone():
    sensor, mean, p, *_ = prepared()
    bad = p.copy()
    bad[:3, :3] = -1e6 * p[:3, :3]
    kept = mean.copy(), bad.copy()
    assert not update_with(sensor, mean, bad, plot_of(sensor, mean))
    assert np.array_equal(mean, kept[0]) and np.array_equal(bad, kept[1])


def test_the_density_is_the_gaussian_and_the_factor_is_choleskys():
    s = prepared()[5]
    low = np.zeros((4, 4))
    assert cholesky(s, 4, low)
    assert np.allclose(low, np.linalg.cholesky(s), rtol=1e-10)
    y = np.array([100.0, 2e-3, -1e-3, 7.0])
    d2, log_density = gauss(low, 4, y)
    assert d2 == pytest.approx(y @ np.linalg.solve(s, y), rel=1e-9)
    assert log_density == pytest.approx(-0.5 * (d2 + np.linalg.slogdet(2.0 * math.pi * s)[1]), rel=1e-10)
    d2, log_density = gauss(low, 2, y)
    assert d2 == pytest.approx(y[:2] @ np.linalg.solve(s[:2, :2], y[:2]), rel=1e-9)


# ---------------------------------------------------------------------- where the measurement bends


def single_step(sensor, mean, p, plot):
    """One extended Kalman step: the tangent at the mean, the sensor's own noise, the textbook."""
    z, h, _, noise = expected(sensor, mean, 1e-10 * p)
    return textbook_update(mean, p, innovation_of(sensor, plot, z), h, noise)[:2]


def iterated(sensor, mean, p, plot):
    mean, p = mean.copy(), p.copy()
    assert update_with(sensor, mean, p, plot)
    return mean, p


def mean_square_errors(update, sensor, mean, p, axes, runs=400):
    """NEES over the axes (ideally their number) of truths and plots drawn as the filter assumes."""
    rng = np.random.default_rng(12)
    low = np.linalg.cholesky(p[np.ix_(axes, axes)])
    sigma = np.array([sensor[16], sensor[17], sensor[18], sensor[19]])
    nees, refused = [], 0
    for _ in range(runs):
        truth = mean.copy()
        truth[axes] += low @ rng.normal(size=len(axes))
        measured = np.array(observe(sensor, *truth[:6])) + sigma * rng.normal(size=4)
        after, q = update(sensor, mean, p, plots_of(measured[None])[0])
        error = (truth - after)[axes]
        nees.append(error @ np.linalg.solve(q[np.ix_(axes, axes)], error))
        refused += not np.isfinite(nees[-1])
    assert refused == 0
    return np.array(nees)


BENT = {
    "1 km off, 17 mrad and 1 m, a place known to 300 m": (
        radar(flat=True, height_m=0.0, sigma_range_m=1.0, sigma_azimuth_rad=0.017, sigma_elevation_rad=0.017),
        np.array([600.0, 700.0, 400.0, 0.0, 0.0, 0.0, 0.0]),
        np.diag([300.0, 300.0, 300.0, 10.0, 10.0, 10.0, 0.1]) ** 2,
        [0, 1, 2],
    ),
    "a range alone, of a place known to 1 km of 10": (
        radar(flat=True, height_m=0.0, sigma_range_m=10.0, measures=("range",)),
        np.array([6e3, 7e3, 4e3, 0.0, 0.0, 0.0, 0.0]),
        np.diag([1e3, 1e3, 1e3, 10.0, 10.0, 10.0, 0.1]) ** 2,
        [0, 1, 2],
    ),
    "17 mrad of 100 km with range to 10 m and rate": (
        radar(
            flat=True, height_m=0.0, sigma_range_m=10.0, sigma_azimuth_rad=0.017, sigma_elevation_rad=0.017
        ),
        np.array([6e4, 7e4, 4e4, 500.0, -300.0, 0.0, 0.0]),
        np.diag([4e3, 4e3, 4e3, 300.0, 300.0, 300.0, 0.1]) ** 2,
        [0, 1, 2, 3, 4, 5],
    ),
}


@pytest.mark.parametrize("name", BENT)
def test_where_the_measurement_bends_the_errors_are_still_what_the_covariance_says(name):
    """A single extended Kalman step is far too sure of itself there."""
    sensor, mean, p, axes = BENT[name]
    row = sensor_row(sensor)
    ours = mean_square_errors(iterated, row, mean, p, axes)
    single = mean_square_errors(single_step, row, mean, p, axes)
    # measured: 4.4 (ideal 3), 2.5 (3), 7.1 (6); a single step 15346, 191, 482
    assert single.mean() > 10.0 * len(axes)
    assert 0.6 * len(axes) < ours.mean() < 1.6 * len(axes)


def test_iterations_bring_the_estimate_nearer_than_one_step():
    sensor, mean, p, _ = BENT["1 km off, 17 mrad and 1 m, a place known to 300 m"]
    row, rng = sensor_row(sensor), np.random.default_rng(3)
    errors = []
    for _ in range(300):
        truth = mean.copy()
        truth[:3] += 300.0 * rng.normal(size=3)
        plot = plot_of(row, truth)
        errors.append(
            [np.linalg.norm((u(row, mean, p, plot)[0] - truth)[:3]) for u in (iterated, single_step)]
        )
    ours, single = np.median(errors, axis=0)
    assert ours < 0.5 * single


def test_where_nothing_bends_one_step_is_all_and_the_errors_are_what_the_covariance_says():
    sensor, rng = ROW, np.random.default_rng(5)
    mean = place(32.6, 37.0, 90e3, -2000.0, 150.0, -700.0, -8.5)
    p = 0.01 * random_covariance(rng, 0.3)
    nees = mean_square_errors(iterated, sensor, mean, p, list(range(6)), 300)
    low, high = chi2.ppf([0.001, 0.999], 6 * 300) / 300
    assert low < nees.mean() < high


def followed(drag, rng, steps=4):
    """Looks at a coast of this drag in dense air, begun with its place, velocity and the drag's prior: errors
    (7,) and covariance (7, 7)."""
    row = sensor_row(RADAR)
    truth = place(32.4, 36.2, 6e3, -900.0, 50.0, 250.0, drag)
    spread = np.array([60.0, 60.0, 60.0, 15.0, 15.0, 15.0, PRIOR_SIGMA[BALLISTIC]])
    mean, cov = truth + spread * rng.normal(size=7), np.diag(spread**2)
    mean[6] = PRIOR_MEAN[BALLISTIC]
    for _ in range(steps):
        propagate(BALLISTIC, truth, 2.0)
        predict_motion(BALLISTIC, mean, cov, 2.0, 0.0, 0.0, 3)
        sigmas = [RADAR.sigma_range_m, RADAR.sigma_azimuth_rad, RADAR.sigma_elevation_rad]
        errors = rng.normal(size=4) * np.array([*sigmas, RADAR.sigma_range_rate_ms])
        before = mean[6]
        plot = plots_of((np.array(observe(row, *truth[:6])) + errors)[None])[0]
        assert update_with(row, mean, cov, plot)
        update_drag(BALLISTIC, before, mean, cov)
    return mean - truth, cov


@pytest.mark.parametrize("drag", [-9.8, -9.2, -8.6, -7.8])
def test_a_drag_begun_far_off_is_found_with_an_honest_spread(drag):
    """2.4 standard deviations of its prior below to 1.6 above, where two plots tell more than the prior."""
    rng = np.random.default_rng(11)
    runs = [followed(drag, rng) for _ in range(200)]
    nees = np.mean([e @ np.linalg.solve(c, e) for e, c in runs])
    in_drag = np.array([e[6] / np.sqrt(c[6, 6]) for e, c in runs])
    assert 3.0 < nees < 10.0
    assert np.sqrt(np.mean(in_drag**2)) < 1.2
    # of the prior's own pull some 0.6 are left after four plots where it is 1.6 off
    assert np.abs(np.median(in_drag)) < 0.8


def test_the_step_is_one_of_the_drag_and_of_no_other_parameter():
    mean, cov = np.arange(7.0), np.full((7, 7), 4.0)
    update_drag(BOOST, 5.5, mean, cov)
    assert mean[6] == 6.0 and (cov == 4.0).all()
    update_drag(BALLISTIC, 5.5, mean, cov)
    assert mean[6] == pytest.approx(5.5 + np.log(1.5))
    assert cov[:6, :6] == pytest.approx(4.0) and cov[6, :6] == pytest.approx(4.0 / 1.5)
    assert cov[6, 6] == pytest.approx(4.0 / 1.5**2) and (cov == cov.T).all()
    # a step to less than no drag leaves some
    mean[6], cov[:] = -1.0, 4.0
    update_drag(BALLISTIC, 1.0, mean, cov)
    assert mean[6] == pytest.approx(1.0 + np.log(LEAST_DRAG_LEFT))
