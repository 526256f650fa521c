"""What a filter expects of a sensor: tangent and line over a spread, against differences and NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import RADAR, expected, place, plot_of, radar

from jointwatch.sensing.expectation import (
    AZIMUTH,
    COS_ELEVATION,
    ELEVATION,
    PLOT,
    RANGE,
    RATE,
    SHIFT,
    SIN_ELEVATION,
    innovation,
    plots_of,
    sensor_noise,
)
from jointwatch.sensing.radar import (
    DIMENSION,
    LIGHT_TIME,
    SIGMA_AZIMUTH,
    SIGMA_ELEVATION,
    SIGMA_RANGE,
    SIGMA_RANGE_RATE,
    observe,
    position_of_plot,
    sensor_row,
)

ROW = sensor_row(RADAR)
SURE = np.diag([1.0] * 3 + [0.1] * 3 + [0.01]) ** 2
R = np.diag(ROW[SIGMA_RANGE : SIGMA_RANGE_RATE + 1] ** 2)
SENSORS = {
    "radar": RADAR,
    "leaning radar": radar(tilt_east_rad=0.05, tilt_north_rad=-0.08),
    "radar whose times are the echo's": radar(light_time=True),
    "two-dimensional radar": radar(measures=("range", "azimuth")),
    "line of sight": radar(measures=("azimuth", "elevation")),
    "range and its rate": radar(measures=("range", "range_rate")),
    "positions": radar(measures=("x", "y", "z"), flat=True),
}
ROWS = {name: sensor_row(sensor) for name, sensor in SENSORS.items()}
azimuths = st.one_of(
    st.floats(0.0, 2.0 * math.pi), st.sampled_from([0.0, 1e-9, 2.0 * math.pi - 1e-9, math.pi, 0.5 * math.pi])
)
elevations = st.one_of(st.floats(-0.3, 0.5 * math.pi), st.sampled_from([0.5 * math.pi, 0.5 * math.pi - 1e-7]))
velocities = st.tuples(*[st.floats(-3000.0, 3000.0)] * 3)


def state_at(row, r, azimuth, elevation, velocity=(0.0, 0.0, 0.0)):
    return np.array([*position_of_plot(row, r, azimuth, elevation), *velocity, -8.5])


def differs(row, plot, z):
    """The innovation (d,) of a plot."""
    y = np.empty(4)
    innovation(row, plot, z, y)
    return y[: int(row[DIMENSION])]


def seen(row, state):
    """The plot of a state: of a position, if that is what is measured."""
    return np.array([*state[:3], 0.0, 0.0, 0.0, 0.0]) if row[28] > 3.0 else plot_of(row, state)


def slope(row, z, state):
    """(d, 6) differences of the measurement in the plane across the line of sight."""
    out = []
    for i in range(6):
        d = np.zeros(7)
        d[i] = 1.0
        ahead, behind = (differs(row, seen(row, state + sign * d), z) for sign in (1.0, -1.0))
        out.append((ahead - behind) / (2.0 * d[i]))
    return np.array(out).T


@pytest.mark.parametrize("name", SENSORS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(5e3, 8e5), azimuths, elevations, velocities)
def test_the_tangent_is_the_slope_of_what_is_seen_through_north_and_at_the_zenith(name, r, az, el, v):
    row = ROWS[name]
    if name == "two-dimensional radar":
        el = min(el, 1.3)  # nearer the zenith an azimuth alone is no direction
    state = state_at(row, r, az, el, v)
    z, h, s, noise = expected(row, state, SURE)
    difference = slope(row, z, state)
    # what an object moves while its echo comes back is left out of the tangent
    near = 5e-3 if row[LIGHT_TIME] else 3e-5
    assert np.allclose(h, difference, rtol=1e-4, atol=near * np.abs(h).max(axis=1, keepdims=True))
    assert np.allclose(s, h @ SURE[:6, :6] @ h.T + noise, rtol=1e-10)
    assert np.array_equal(s, s.T) and (z[SHIFT : SHIFT + 4] == 0.0).all()


def test_with_refraction_the_tangent_is_near_the_slope_from_three_degrees_up():
    row = sensor_row(radar(refractivity=313.0))
    for elevation in np.radians([3.0, 10.0, 45.0]):
        state = state_at(row, 2e5, 1.0, elevation, (500.0, -900.0, 300.0))
        z, h, _, _ = expected(row, state, SURE)
        difference = slope(row, z, state)
        assert (np.abs(h - difference).max(axis=1) < 0.05 * np.abs(difference).max(axis=1)).all()


@pytest.mark.parametrize("name", [n for n in SENSORS if n != "positions"])
def test_what_is_expected_of_a_state_is_what_the_sensor_sees_of_it(name):
    row = ROWS[name]
    state = place(32.6, 37.0, 90e3, -2000.0, 150.0, -700.0, 0.0)
    z = expected(row, state, SURE)[0]
    r, azimuth, elevation, rate = observe(row, *state[:6])
    assert z[[RANGE, AZIMUTH, ELEVATION, RATE]] == pytest.approx([r, azimuth, elevation, rate], rel=1e-14)
    assert z[[COS_ELEVATION, SIN_ELEVATION]] == pytest.approx([math.cos(elevation), math.sin(elevation)])
    assert differs(row, seen(row, state), z) == pytest.approx(0.0, abs=1e-9)


def test_an_innovation_is_the_difference_of_the_values_and_takes_azimuth_the_short_way_round():
    z = expected(ROW, state_at(ROW, 1e5, 2.0 * math.pi - 0.001, 0.6), SURE)[0]
    (plot,) = plots_of(np.array([[1e5 + 70.0, 0.001, 0.6005, -12.0]]))
    y = differs(ROW, plot, z)
    # azimuths that differ by 2 mrad are 2 mrad times the cosine of elevation apart
    assert y == pytest.approx([70.0, 0.002 * math.cos(0.6), 0.0005, -12.0], rel=2e-3)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(azimuths, st.floats(0.0, 0.02), azimuths, st.floats(0.0, 300.0), azimuths)
def test_near_the_zenith_a_small_displacement_is_a_small_innovation_whatever_azimuth_says(
    toward, tilted, course, step, turned
):
    """An object a little off the zenith, moved by some metres: azimuth may turn by half a circle."""
    state = state_at(ROW, 1e5, toward, 0.5 * math.pi - tilted)
    z, _, s, _ = expected(ROW, state, SURE)
    there = state_at(ROW, 1e5, course, 0.5 * math.pi - step / 1e5)
    there[:3] += state[:3] - state_at(ROW, 1e5, turned, 0.5 * math.pi)[:3]
    across = np.linalg.norm((there - state)[:3])
    y = differs(ROW, plot_of(ROW, there), z)
    assert math.hypot(y[1], y[2]) <= across / 9.9e4 + 1e-12
    assert math.hypot(y[1], y[2]) >= 0.99 * across / 1.01e5 - 1e-5 * tilted - 1e-9
    assert s[1, 1] > 0.0


def test_opposite_directions_are_farther_apart_than_any_others():
    z = expected(ROW, state_at(ROW, 1e5, 1.0, 0.2), SURE)[0]
    states = [state_at(ROW, 1e5, 1.0 + a, 0.2 - 0.4 * a / math.pi) for a in np.linspace(0.0, 3.14, 60)]
    off = [np.linalg.norm(differs(ROW, plot_of(ROW, s), z)[1:3]) for s in states]
    assert (np.diff(off) > 0.0).all() and off[-1] == pytest.approx(2.0, abs=0.01)
    level = ROWS["two-dimensional radar"]
    z = expected(level, state_at(level, 1e5, 1.0, 0.9), SURE)[0]
    turns = [
        abs(differs(level, np.array([1e5, 1.0 + a, 0, 0, 0, 0, 0]), z)[1]) for a in np.linspace(0, 3.14, 60)
    ]
    assert (np.diff(turns) > 0.0).all() and turns[-1] == pytest.approx(2.0, abs=0.01)


def test_an_azimuths_error_is_the_narrower_the_higher_and_one_that_comes_alone_is_as_stated():
    for elevation in (0.0, 0.7, 1.2):
        state = state_at(ROW, 1e5, 2.0, elevation)
        noise = expected(ROW, state, SURE)[3]
        across = (RADAR.sigma_azimuth_rad * math.cos(elevation)) ** 2
        assert np.diag(noise) == pytest.approx([R[0, 0], across, R[2, 2], R[3, 3]], rel=1e-3)
        assert np.array_equal(noise, np.diag(np.diag(noise)))
        noise = expected(ROWS["two-dimensional radar"], state, SURE)[3]
        assert np.diag(noise) == pytest.approx([R[0, 0], R[1, 1]])


def test_a_two_dimensional_radar_expects_azimuth_errors_of_a_state_by_its_distance_on_the_ground():
    row = ROWS["two-dimensional radar"]
    cov = np.diag([100.0**2] * 3 + [1.0] * 4)
    for elevation in (0.1, 0.9):
        _, _, s, _ = expected(row, state_at(row, 2e5, 2.0, elevation), cov)
        sigma = 100.0 / (2e5 * math.cos(elevation))
        assert s[1, 1] == pytest.approx(sigma**2 + RADAR.sigma_azimuth_rad**2, rel=1e-6)


def test_at_the_zenith_the_noise_covers_plots_of_unlike_angles_whatever_azimuth_they_have():
    """An azimuth ten times as rough as elevation: near the zenith its plots scatter round a circle."""
    sensor = sensor_row(radar(sigma_azimuth_rad=0.05, sigma_elevation_rad=0.002))
    rng = np.random.default_rng(2)
    sigma_m = 200.0
    cov = np.diag([sigma_m**2] * 3 + [1.0] * 4)
    mean = state_at(sensor, 1e5, 1.0, 0.5 * math.pi)
    z, _, s, _ = expected(sensor, mean, cov)
    d2 = []
    for _ in range(2000):
        state = mean.copy()
        state[:3] += sigma_m * rng.normal(size=3)
        measured = np.array(observe(sensor, *state[:6]))
        measured += rng.normal(size=4) * np.sqrt(sensor[SIGMA_RANGE : SIGMA_RANGE_RATE + 1] ** 2)
        y = differs(sensor, plots_of(measured[None])[0], z)
        d2.append(y[1:3] @ np.linalg.solve(s[1:3, 1:3], y[1:3]))
    assert 1.0 < np.mean(d2) < 2.2  # two angles: 2 if the noise is as large as it is said to be
    noise = np.empty((4, 4))
    sensor_noise(sensor, z, 0.0, noise)
    assert noise[1, 1] < 1e-12 and noise[2, 2] == pytest.approx(sensor[SIGMA_ELEVATION] ** 2)


# ---------------------------------------------------------------------- the line over a spread

VAGUE = {
    "a first velocity": (radar(), np.diag([60.0, 300.0, 300.0, 1500.0, 1500.0, 1500.0, 1.0]) ** 2, 4e4),
    "a rough bearing near by": (
        radar(sigma_range_m=5.0),
        np.diag([100.0, 200.0, 200.0, 100.0, 100.0, 50.0, 1.0]) ** 2,
        3e3,
    ),
    "a two-dimensional radar's height": (
        radar(measures=("range", "azimuth")),
        np.diag([1e3, 1e3, 8e3, 300.0, 300.0, 100.0, 1.0]) ** 2,
        6e4,
    ),
}


P, V = slice(0, 3), slice(3, 6)


def vague(name):
    """Sensor row, mean and covariance of a state whose measurement bends over its spread."""
    sensor, cov, r = VAGUE[name]
    row = sensor_row(sensor)
    turn = np.linalg.qr(np.random.default_rng(9).normal(size=(7, 7)))[0]
    turn[6, :] = turn[:, 6] = 0.0
    turn[:3, 3:] = turn[3:, :3] = 0.0
    turn[6, 6] = 1.0
    turn[:3, :3], turn[3:6, 3:6] = (np.linalg.qr(turn[a, a])[0] for a in (slice(0, 3), slice(3, 6)))
    return row, state_at(row, r, 0.4, 0.5, (200.0, -700.0, 100.0)), turn @ cov @ turn.T


def regressed_twin(row, mean, cov, z):
    """Mean of the innovation, line (d, 6) and its misfit (d, d) over 12 cubature points, in NumPy."""
    low = np.linalg.cholesky(cov[:6, :6])
    offsets = math.sqrt(6.0) * np.hstack([low, -low]).T
    at_mean = z.copy()
    at_mean[SHIFT : SHIFT + 4] = 0.0
    y = np.array([differs(row, plot_of(row, mean[:6] + d), at_mean) for d in offsets])
    shift = y.mean(axis=0)
    h = np.linalg.solve(cov[:6, :6], offsets.T @ y / 12.0).T
    misfit = (y - shift).T @ (y - shift) / 12.0 - h @ cov[:6, :6] @ h.T
    return shift, h, misfit


def swirl_twin(row, mean, cov, range_m):
    """What place and speed across the line of sight give the range rate together, in NumPy (d, d)."""
    d, line = int(row[DIMENSION]), line_of(row, mean)
    across = np.eye(3) - np.outer(line, line)
    pp, vv, pv = (across @ cov[a, b] @ across for a, b in ((P, P), (V, V), (P, V)))
    out = np.zeros((d, d))
    if d == 4:
        out[3, 3] = (np.trace(pp @ vv) + np.trace(pv @ pv)) / range_m**2
    return out


@pytest.mark.parametrize("name", VAGUE)
def test_where_the_measurement_bends_the_line_is_the_regression_over_cubature_points(name):
    row, mean, cov = vague(name)
    z, h, s, noise = expected(row, mean, cov)
    d = int(row[DIMENSION])
    shift, line, misfit = regressed_twin(row, mean, cov, z)
    own = np.empty((4, 4))
    across2 = np.trace(cov[:3, :3]) - (line_of(row, mean) @ cov[:3, :3] @ line_of(row, mean))
    sensor_noise(row, z, math.sqrt(across2) / z[RANGE], own)
    assert np.abs(shift).max() > 0.0
    sigma = np.sqrt(np.diag(s))
    assert np.allclose(z[SHIFT : SHIFT + d] / sigma, shift / sigma, atol=1e-9)
    assert np.allclose(h, line, rtol=1e-7, atol=1e-9 * np.abs(line).max())
    left = noise - own[:d, :d] - misfit - swirl_twin(row, mean, cov, z[RANGE])
    assert np.abs(left / np.outer(sigma, sigma)).max() < 1e-6
    assert np.abs((s - h @ cov[:6, :6] @ h.T - noise) / np.outer(sigma, sigma)).max() < 1e-9
    assert np.linalg.eigvalsh((noise - own[:d, :d]) / np.outer(sigma, sigma)).min() > -1e-9


def line_of(row, state):
    away = state[:3] - row[:3]
    return away / np.linalg.norm(away)


@pytest.mark.parametrize("name", VAGUE)
def test_a_vague_states_plots_scatter_as_the_line_and_its_misfit_say(name):
    """Against 20,000 draws of the state: mean, spread, and how much the state says of the plot."""
    row, mean, cov = vague(name)
    z, h, s, noise = expected(row, mean, cov)
    own = np.empty((4, 4))
    sensor_noise(row, z, 0.0, own)
    rng = np.random.default_rng(4)
    offsets = rng.normal(size=(20000, 6)) @ np.linalg.cholesky(cov[:6, :6]).T
    y = np.array([differs(row, plot_of(row, mean[:6] + d), z) for d in offsets])
    d = int(row[DIMENSION])
    sigma = np.sqrt(np.diag(s))
    assert np.abs(y.mean(axis=0) / sigma).max() < 0.1  # the shift has taken the bend's mean out
    ratio = np.linalg.eigvals(np.linalg.solve(s, np.cov(y.T) + own[:d, :d])).real
    assert 0.8 < ratio.min() and ratio.max() < 1.25
    # what the state does not say of the range: its bend; twelve points make up to two and a half
    # times too much of it, never too little
    left = np.cov((y - offsets @ h.T)[:, 0]) + own[0, 0]
    assert own[0, 0] < left < 1.1 * noise[0, 0] and noise[0, 0] < 2.7 * left


def test_a_state_that_is_known_across_one_axis_is_regressed_in_the_others():
    """A problem in the plane: no spread across it, and no slope of the line there."""
    row = sensor_row(radar(measures=("range", "azimuth"), flat=True, height_m=0.0, sigma_range_m=1.0))
    mean = np.array([3e3, 4e3, 0.0, 10.0, 10.0, 0.0, 1.0])
    cov = np.diag([500.0, 500.0, 0.0, 10.0, 10.0, 0.0, 0.0]) ** 2
    z, h, s, noise = expected(row, mean, cov)
    assert (h[:, [2, 5]] == 0.0).all() and z[SHIFT] > 10.0
    assert np.isfinite(s).all() and noise[0, 0] > 1.0
    assert h[0, :2] == pytest.approx([0.6, 0.8], rel=0.02)


def test_a_plot_has_its_direction_as_a_unit_vector():
    columns = np.array([[1e5, 0.3, 0.2, 5.0], [2e4, 6.0, -0.1, -7.0]])
    plots = plots_of(columns)
    assert plots.shape == (2, PLOT) and np.array_equal(plots[:, :4], columns)
    assert np.linalg.norm(plots[:, 4:], axis=1) == pytest.approx([1.0, 1.0])
    flat = sensor_row(radar(flat=True, height_m=0.0))
    for column, direction in zip(columns, plots[:, 4:], strict=True):
        assert np.allclose(position_of_plot(flat, *column[:3]), column[0] * direction)
    assert plots_of(np.empty((0, 4))).shape == (0, PLOT)


def test_the_errors_of_a_sensor_are_those_of_its_row():
    assert ROW[[SIGMA_RANGE, SIGMA_AZIMUTH, SIGMA_ELEVATION]].tolist() == [50.0, 1e-3, 1e-3]
    noise = expected(ROWS["positions"], np.arange(7.0), SURE)[3]
    assert np.array_equal(noise, np.diag([2500.0] * 3))
