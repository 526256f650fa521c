"""Equivalent measurements: a twin in NumPy, the tracker's own update by way of them, and what filters make of
them.

A row stands in for what a look left: only its mean may count, as the place where the measurement is
linearised.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import chi2
from watch import a_row, random_covariance, textbook_update
from world import RADAR, expected, place, plot_of, radar

from jointwatch.sensing.expectation import PLOT, innovation, plots_of, sensor_noise
from jointwatch.sensing.radar import DIMENSION, observe, position_of_plot, sensor_row
from jointwatch.tracking.equivalent import LEAST_WEIGHT, equivalent, equivalents, first_equivalent
from jointwatch.tracking.table import CONFIRMED, new_table
from jointwatch.tracking.update import new_room, update_phase, update_with

SENSORS = {
    "radar with range rate": RADAR,
    "radar without range rate": radar(measures=("range", "azimuth", "elevation")),
    "two-dimensional radar": radar(measures=("range", "azimuth")),
    "line of sight": radar(measures=("azimuth", "elevation")),
    "flat x, y, z": radar(measures=("x", "y", "z"), flat=True, sigma_range_m=10.0),
}
ROWS = {name: sensor_row(sensor) for name, sensor in SENSORS.items()}
SIGMAS = {name: (s.sigma_range_m, s.sigma_azimuth_rad, s.sigma_elevation_rad, s.sigma_range_rate_ms)
          for name, s in SENSORS.items()}  # fmt: skip
names = pytest.mark.parametrize("name", SENSORS)
MEAN = place(32.6, 37.0, 90e3, -2000.0, 150.0, -700.0, -8.4)


def plot_near(name, state, rng, sigmas=1.0):
    """A plot (PLOT,) of a state, with errors."""
    if name.startswith("flat"):
        plot = np.zeros(PLOT)
        plot[:3] = state[:3] + 10.0 * sigmas * rng.normal(size=3)
        return plot
    errors = sigmas * np.array(SIGMAS[name]) * rng.normal(size=4)
    measured = np.array(observe(ROWS[name], *state[:6])) + errors
    return plots_of(measured[None])[0]


def told(name, mean, plots, weights=(1.0,), which=None, sensor=None):
    point, information = np.full(6, np.nan), np.full((6, 6), np.nan)
    plots = np.atleast_2d(plots)
    which = np.arange(len(plots)) if which is None else np.array(which)
    sensor = ROWS[name] if sensor is None else sensor
    equivalent(sensor, mean, plots, which, np.array(weights, float), point, information)
    return point, information


def linear(sensor, mean):
    """What a sensor measures of a mean: expectation, tangent (d, 6) and its own noise (d, d)."""
    z, h, _, _ = expected(sensor, mean, np.zeros((7, 7)))
    spread = math.hypot(sensor_sigma(sensor, 1) * z[6], sensor_sigma(sensor, 2))
    full = np.zeros((4, 4))
    sensor_noise(sensor, z, spread, full)
    d = int(sensor[DIMENSION])
    return z, h, full[:d, :d]


def sensor_sigma(sensor, k):
    return float(sensor[16 + k])


def innovation_of(sensor, plot, z):
    y = np.empty(4)
    innovation(sensor, plot, z, y)
    return y[: int(sensor[DIMENSION])]


def twin(sensor, mean, plots, weights):
    """Information form in NumPy: H' R^-1 H, and the nearest point that measures the middle of the plots."""
    z, h, noise = linear(sensor, mean)
    ys, w = np.array([innovation_of(sensor, plot, z) for plot in plots]), np.array(weights)
    y = w @ ys / w.sum()
    r = (noise + (ys.T * w) @ ys / w.sum() - np.outer(y, y)) / w.sum()
    root = np.linalg.inv(np.linalg.cholesky(r))
    return mean[:6] + np.linalg.pinv(root @ h) @ (root @ y), h.T @ np.linalg.inv(r) @ h, h, y


@names
@pytest.mark.parametrize("weights", [(1.0,), (0.3,), (0.6, 0.3), (0.5, 0.2, 0.29)])
def test_point_and_information_are_the_textbooks(name, weights):
    rng = np.random.default_rng(4)
    plots = np.array([plot_near(name, MEAN, rng, 1.5) for _ in weights])
    point, information = told(name, MEAN, plots, weights)
    twin_point, twin_information, h, y = twin(ROWS[name], MEAN, plots, weights)
    d = np.sqrt(np.diag(twin_information)) + 1e-12
    assert np.abs((information - twin_information) / np.outer(d, d)).max() < 1e-9
    assert np.array_equal(information, information.T)
    assert np.abs(d * (point - twin_point)).max() < 1e-6
    # the point is one that would have been measured so
    assert h @ (point - MEAN[:6]) == pytest.approx(y, rel=1e-6, abs=1e-9)


@names
def test_a_plot_of_some_weight_is_one_with_so_much_less_information(name):
    plot = plot_near(name, MEAN, np.random.default_rng(5))
    sure, doubtful = told(name, MEAN, plot), told(name, MEAN, plot, (0.25,))
    assert np.allclose(doubtful[0], sure[0], atol=1e-6)
    assert np.allclose(doubtful[1], 0.25 * sure[1], rtol=1e-9, atol=0.0)


@names
def test_plots_that_lie_apart_tell_less_of_where_it_is_between_them(name):
    rng = np.random.default_rng(6)
    plots = np.array([plot_near(name, MEAN, rng, 3.0) for _ in range(2)])
    apart, one = told(name, MEAN, plots, (0.5, 0.5)), told(name, MEAN, plots, (0.5, 0.5), (0, 0))
    gap = np.linalg.eigvalsh((one[1] - apart[1]) / np.outer(*[np.sqrt(np.diag(one[1])) + 1e-12] * 2))
    assert gap.min() > -1e-9 and gap.max() > 0.03


@names
def test_nothing_is_told_by_no_plot_or_one_that_is_hardly_its_own(name):
    plot = plot_near(name, MEAN, np.random.default_rng(7))
    for weights, which in (((), ()), ((0.9 * LEAST_WEIGHT,), (0,)), ((1e-3, 1e-3), (0, 0))):
        point, information = told(name, MEAN, plot, weights, np.array(which, np.int64))
        assert np.array_equal(point, MEAN[:6]) and not information.any()


@names
def test_the_trackers_own_update_with_a_plot_is_bayes_rule_with_its_equivalent(name):
    """In a case so sharp that the measurement does not bend, and for any prior covariance."""
    sensor, rng = ROWS[name], np.random.default_rng(8)
    for _ in range(5):
        p = 0.01 * random_covariance(rng, 0.7)
        plot = plot_near(name, MEAN, rng)
        mean, after = MEAN.copy(), p.copy()
        assert update_with(sensor, mean, after, plot)
        point, information = told(name, MEAN, plot)
        wide = np.zeros((7, 7))
        wide[:6, :6] = information
        gain = after @ wide[:, :6]
        d = np.sqrt(np.diag(after))
        fused = np.linalg.inv(np.linalg.inv(p) + wide)
        assert np.abs((fused - after) / np.outer(d, d)).max() < 1e-4
        assert np.abs((MEAN + gain @ (point - MEAN[:6]) - mean) / d).max() < 1e-3


@names
def test_linearised_about_what_the_look_left_it_still_is(name):
    """As the tracker tells it: about the mean after the update, which has the plot in it."""
    sensor, rng = ROWS[name], np.random.default_rng(9)
    p = 0.01 * random_covariance(rng, 0.7)
    plot = plot_near(name, MEAN, rng)
    mean, after = MEAN.copy(), p.copy()
    assert update_with(sensor, mean, after, plot)
    point, information = told(name, mean, plot)
    fused = MEAN[:6] + (after[:6, :6] @ information) @ (point - MEAN[:6])
    assert np.abs((fused - mean[:6]) / np.sqrt(np.diag(after)[:6])).max() < 0.01


def test_several_weighted_plots_are_told_as_one_update_would_take_them_as_one():
    """Against probabilistic data association it may only be the more careful where plots are doubtful."""
    name, rng = "radar with range rate", np.random.default_rng(10)
    sensor, p = ROWS[name], 0.01 * random_covariance(rng, 0.7)
    plots = np.array([plot_near(name, MEAN, rng, 1.0) for _ in range(2)])
    z, h, s, noise = expected(sensor, MEAN, p)
    mean, after = MEAN.copy(), p.copy()
    weights = np.array([0.6, 0.4])
    update_phase(sensor, mean, after, plots, np.arange(2), weights, 0.0, z, h, s, noise, new_room())
    point, information = told(name, MEAN, plots, weights)
    wide = np.zeros((7, 7))
    wide[:6, :6] = information
    fused = np.linalg.inv(np.linalg.inv(p) + wide)
    told_mean = MEAN + fused[:, :6] @ information @ (point - MEAN[:6])
    # the mean of both is drawn to the middle of the plots; by how much differs by the spread between them
    toward = told_mean - MEAN
    assert np.dot(toward[:3], (mean - MEAN)[:3]) > 0.0
    assert (
        np.linalg.eigvalsh(fused[:6, :6] - textbook_update(MEAN, p, np.zeros(4), h, noise)[1][:6, :6]).min()
        > -1.0
    )


def test_nothing_of_what_was_known_before_is_in_it():
    """Rows that differ in all but the mean of their likeliest motion tell the same."""
    rng, table = np.random.default_rng(11), new_table(4)
    plots = np.array([plot_near("radar with range rate", MEAN, rng) for _ in range(3)])
    for i in range(4):
        table[i] = a_row(i)
        table[i]["life"], table[i]["log_odds"] = CONFIRMED, 3.0
        table[i]["phase"] = (0.1, 0.8 - 0.1 * (i % 2), 0.1)
        table[i]["mean"][1] = MEAN
    # claims of several rows in any order
    row, plot, weight = (
        np.array([3, 0, 1, 2, 0, 3, 2, 1]),
        np.array([2, 0, 0, 0, 2, 0, 2, 2]),
        np.full(8, 0.4),
    )
    rows = np.arange(4)
    points, informations = equivalents(table, rows, row, plot, weight, ROWS["radar with range rate"], plots)
    for i in range(1, 4):
        assert np.allclose(points[i], points[0], atol=1e-6)
        assert np.allclose(informations[i], informations[0], rtol=1e-9, atol=1e-18)
    # given that it exists, which its weights did not take for granted
    share = 0.4 * (1.0 + math.exp(-3.0))
    point, information = told("radar with range rate", MEAN, plots, (share, share), (0, 2))
    assert np.allclose(points[0], point, atol=1e-6) and np.allclose(informations[0], information, rtol=1e-9)
    assert not equivalents(table, rows, row[:0], plot[:0], weight[:0], ROWS["flat x, y, z"], plots)[1].any()


def test_plots_that_were_hardly_its_own_are_no_look_that_showed_a_track():
    """Fragments' plots, of a missile that many looks in vain have left as likely gone as there."""
    rng, table = np.random.default_rng(12), new_table(1)
    plots = np.array([plot_near("radar with range rate", MEAN, rng) for _ in range(2)])
    table[0] = a_row(0)
    table[0]["life"], table[0]["log_odds"] = CONFIRMED, 0.0
    rows, row, sensor = np.zeros(1, np.int64), np.zeros(2, np.int64), ROWS["radar with range rate"]
    # were it taken for there, they would be twice as likely its own, and more than the least
    for each, tells in ((0.4 * LEAST_WEIGHT, False), (0.6 * LEAST_WEIGHT, True)):
        _, informations = equivalents(table, rows, row, np.arange(2), np.full(2, each), sensor, plots)
        assert informations.any() == tells


# ---------------------------------------------------------------------- honest


def nees_of(sensor, prior_mean, p, runs, about="prior"):
    """NEES (6 values) of what Bayes' rule with the equivalent makes of a prior, and of the update itself."""
    rng, out, own = np.random.default_rng(12), [], []
    low, sigma = np.linalg.cholesky(p), np.array([sensor_sigma(sensor, k) for k in range(4)])
    for _ in range(runs):
        truth = prior_mean.copy()
        truth += low @ rng.normal(size=7)
        plot = plots_of((np.array(observe(sensor, *truth[:6])) + sigma * rng.normal(size=4))[None])[0]
        mean, after = prior_mean.copy(), p.copy()
        assert update_with(sensor, mean, after, plot)
        point, information = told("", mean, plot, sensor=sensor)
        fused = np.linalg.inv(np.linalg.inv(p[:6, :6]) + information)
        error = truth[:6] - prior_mean[:6] - fused @ information @ (point - prior_mean[:6])
        out.append(error @ np.linalg.solve(fused, error))
        error = truth[:6] - mean[:6]
        own.append(error @ np.linalg.solve(after[:6, :6], error))
    return float(np.mean(out)), float(np.mean(own))


def known_to(position_m, velocity_ms):
    return np.diag([position_m**2] * 3 + [velocity_ms**2] * 3 + [0.09])


def over(elevation_deg, range_m, velocity=(300.0, -200.0, 100.0)):
    where = position_of_plot(ROWS["radar with range rate"], range_m, 1.0, math.radians(elevation_deg))
    return np.array([*where, *velocity, -8.4])


@pytest.mark.parametrize("name", ["radar with range rate", "radar without range rate"])
@pytest.mark.parametrize(
    ("elevation_deg", "range_m"),
    [(20.0, 3e5), (2.0, 4e5), (80.0, 1e5), (89.0, 1e5), (89.97, 1e5), (30.0, 2e3)],
)
def test_a_filter_that_takes_them_is_as_sure_as_it_should_be(name, elevation_deg, range_m):
    """Also near the zenith, where an azimuth means nothing, and at close range."""
    prior = known_to(max(1.5e-3 * range_m, 50.0), 30.0)
    got, own = nees_of(ROWS[name], over(elevation_deg, range_m), prior, 500)
    low, high = chi2.ppf([0.0005, 0.9995], 6 * 500) / 500
    # the tracker's own update is the yardstick where that is not quite honest either
    assert min(low, 0.9 * own) < got < max(high, 1.15 * own), own


@pytest.mark.parametrize("name", ["radar with range rate", "two-dimensional radar", "flat x, y, z"])
def test_a_plot_that_began_a_chain_is_told_where_it_lies(name):
    """The track has moved on since, and its velocity brings it back; its place is the plot's if that tells
    one."""
    rng, row, back_s = np.random.default_rng(13), a_row(1), 12.0
    row["time_ns"] = 100 * 10**9
    now = row["mean"][int(np.argmax(row["phase"]))]
    then = now.copy()
    then[:3] -= back_s * now[3:6]
    plot = plot_near(name, then, rng)
    point, information = np.empty(6), np.empty((6, 6))
    first_equivalent(ROWS[name], row, 88 * 10**9, plot, point, information)
    about = then.copy()
    if name.startswith("radar"):
        about[:3] = position_of_plot(ROWS[name], *plot[:3])
        assert np.linalg.norm(point[:3] - about[:3]) < 1.0
    wanted = told(name, about, plot)
    assert np.allclose(point, wanted[0], atol=1e-6) and np.allclose(
        information, wanted[1], rtol=1e-9, atol=0.0
    )
    # however far off the track says that it was then
    row["mean"][:, :3] += 3000.0
    if name.startswith("radar"):
        first_equivalent(ROWS[name], row, 88 * 10**9, plot, point, information)
        assert np.allclose(point[:3], wanted[0][:3], atol=1.0)


def test_plots_alone_of_no_reach_are_nothing():
    """A plot whose direction no tangent can tell (straight behind) leaves finite numbers."""
    name = "radar with range rate"
    behind = plot_of(ROWS[name], MEAN).copy()
    behind[1] += math.pi
    (behind,) = plots_of(behind[None, :4])
    point, information = told(name, MEAN, behind)
    assert np.isfinite(point).all() and np.isfinite(information).all()
