"""A row begun from one plot: it says what the plot says and no more, whatever the sensor measures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.stats import chi2
from watch import NS, ROW
from world import RADAR, expected, radar

from jointwatch.motion.phases import PRIOR_MEAN, PRIOR_SIGMA
from jointwatch.motion.plane import FLAT, LEVEL
from jointwatch.sensing.expectation import ELEVATION, RANGE, RATE, plots_of
from jointwatch.sensing.radar import (
    SIGMA_RANGE,
    SIGMA_RANGE_RATE,
    observe,
    position_of_plot,
    sensor_row,
)
from jointwatch.tracking.bank import BIRTH, CROSS_SPEED_SIGMA_MS, FLIGHT, Motion, bank_of
from jointwatch.tracking.birth import begin_row, can_begin
from jointwatch.tracking.table import EVIDENCE, new_table

SIGMA = ROW[SIGMA_RANGE : SIGMA_RANGE_RATE + 1]


def begun(columns, sensor=ROW, bank=FLIGHT):
    """The row that a plot begins; with fewer than four columns it is a position."""
    plot = np.zeros(7)
    if len(columns) == 4:
        plot = plots_of(np.array([columns]))[0]
    else:
        plot[: len(columns)] = columns
    row = new_table(1)[0]
    row["evidence"] = 7  # of what was in the row before
    begin_row(bank, row, sensor, plot, 5 * NS, 42)
    return row


def test_a_row_begun_from_a_plot_says_what_the_plot_says_and_no_more():
    plot = np.array([2e5, 1.3, 0.4, -900.0])
    row = begun(plot)
    for k in range(3):
        mean, p = row["mean"][k], row["covariance"][k]
        assert np.allclose(mean[:3], position_of_plot(ROW, *plot[:3]))
        z, _, s, _ = expected(ROW, mean, p)
        assert np.allclose(z[[RANGE, 1, ELEVATION, RATE]], plot, rtol=1e-12)
        # seen again at once, it is the plot's own noise and the radar's once more; the range rate besides
        # has the unknown speed across turn into it as the line of sight is off
        across = CROSS_SPEED_SIGMA_MS * RADAR.sigma_azimuth_rad
        sure = SIGMA**2 * [1.0, math.cos(0.4) ** 2, 1.0, 1.0]
        assert np.allclose(np.diag(s)[:3], 2.0 * sure[:3], rtol=1e-4)
        assert 2.0 * sure[3] * 0.999 < s[3, 3] < 2.0 * sure[3] + 4.0 * across**2
        unit = (mean[:3] - ROW[:3]) / plot[0]
        assert np.trace(p[3:6, 3:6]) == pytest.approx(2.0 * CROSS_SPEED_SIGMA_MS**2 + sure[3])
        assert unit @ p[3:6, 3:6] @ unit == pytest.approx(sure[3], rel=1e-6)
        assert mean[6] == PRIOR_MEAN[k] and p[6, 6] == pytest.approx(PRIOR_SIGMA[k] ** 2)
        assert (p[6, :6] == 0.0).all() and np.array_equal(p, p.T)
    assert np.array_equal(row["phase"], FLIGHT[:, BIRTH]) and row["phase"].sum() == pytest.approx(1.0)
    assert row["hits"] == 1 and row["first_ns"] == row["seen_ns"] == row["time_ns"] == 5 * NS
    assert row["evidence"].tolist() == [42] + [-1] * (EVIDENCE - 1) and row["first_plot"] == 42


@pytest.mark.parametrize(
    "sensor",
    [
        RADAR,
        radar(refractivity=313.0),
        radar(tilt_east_rad=0.05, tilt_north_rad=-0.08),
        radar(measures=("range", "azimuth", "elevation")),
    ],
    ids=["radar", "through the air", "leaning", "without range rate"],
)
def test_objects_that_move_as_the_prior_says_are_covered_by_the_row_that_their_plot_begins(sensor):
    """Squared distance of 600 truths from their own births: chi-square with 6 degrees of freedom."""
    row, rng = sensor_row(sensor), np.random.default_rng(3)
    d2 = []
    for _ in range(600):
        place = position_of_plot(row, rng.uniform(3e4, 4e5), rng.uniform(0.0, 6.28), rng.uniform(0.05, 1.2))
        truth = np.array([*place, *(CROSS_SPEED_SIGMA_MS * rng.normal(size=3))])
        measured = np.array(observe(row, *truth)) + SIGMA * rng.normal(size=4)
        if not sensor.measures[3:]:
            measured[3] = 0.0
        born = begun(measured, row)
        error = truth - born["mean"][0][:6]
        d2.append(error @ np.linalg.solve(born["covariance"][0][:6, :6], error))
    low, high = chi2.ppf([0.001, 0.999], 6 * len(d2)) / len(d2)
    assert low < np.mean(d2) < high


def test_without_range_rate_the_speed_along_the_line_of_sight_is_as_unknown_as_across():
    born = begun([2e5, 1.3, 0.4, 0.0], sensor_row(radar(measures=("range", "azimuth", "elevation"))))
    assert np.allclose(born["covariance"][0][3:6, 3:6], CROSS_SPEED_SIGMA_MS**2 * np.eye(3), rtol=1e-9)
    assert (born["mean"][0][3:6] == 0.0).all()


@pytest.mark.parametrize("cover_deg", [(1.0, 6.0), (1.0, 21.0), (0.5, 80.0)])
def test_a_two_dimensional_radars_plot_may_be_at_any_height_in_its_cover(cover_deg):
    """Squared distances of truths all over the cover: their mean is 3, for the row has the arc's moments."""
    low, high = np.radians(cover_deg)
    sensor = sensor_row(radar(measures=("range", "azimuth"), elevation_min_rad=low, elevation_max_rad=high))
    rng, d2 = np.random.default_rng(4), []
    for elevation in np.linspace(low, high, 400):
        truth = np.array([*position_of_plot(sensor, 1e5, 2.0, elevation), 0.0, 0.0, 0.0])
        measured = np.array(observe(sensor, *truth)) + SIGMA * rng.normal(size=4)
        born = begun([*measured[:2], 0.0, 0.0], sensor)
        error = (truth - born["mean"][0][:6])[:3]
        d2.append(error @ np.linalg.solve(born["covariance"][0][:3, :3], error))
    assert np.mean(d2) == pytest.approx(3.0, abs=0.3)
    # and it is as vague in height as the cover is high
    sigma_up = math.sqrt(sensor[9:12] @ born["covariance"][0][:3, :3] @ sensor[9:12])
    heights = 1e5 * np.sin(np.linspace(low, high, 400))
    assert sigma_up == pytest.approx(np.std(heights), rel=0.01)


def test_a_two_dimensional_radars_range_rate_is_not_taken_for_the_speed_along_a_line_it_does_not_know():
    low, high = np.radians([1.0, 21.0])
    sensor = sensor_row(
        radar(measures=("range", "azimuth", "range_rate"), elevation_min_rad=low, elevation_max_rad=high)
    )
    rng, d2 = np.random.default_rng(6), []
    for elevation in np.linspace(low, high, 400):
        truth = np.array([*position_of_plot(sensor, 1e5, 2.0, elevation), *(1500.0 * rng.normal(size=3))])
        measured = np.array(observe(sensor, *truth)) + SIGMA * rng.normal(size=4)
        born = begun([*measured[:2], 0.0, measured[3]], sensor)
        error = (truth - born["mean"][0][:6])[3:]
        d2.append(error @ np.linalg.solve(born["covariance"][0][3:6, 3:6], error))
    assert np.mean(d2) == pytest.approx(3.0, abs=0.5)


def test_a_position_begins_where_it_was_measured_and_a_plane_motion_stays_in_its_plane():
    sensor = sensor_row(radar(measures=("x", "y"), flat=True, sigma_range_m=1.0))
    bank = bank_of(Motion(kind=LEVEL, axes=2, speed_sigma_ms=3.0, parameter_mean=0.5))
    born = begun([120.0, -40.0], sensor, bank)
    assert born["mean"][0].tolist() == [120.0, -40.0, 0.0, 0.0, 0.0, 0.0, 0.5]
    assert np.allclose(born["covariance"][0], np.diag([1.0, 1.0, 0.0, 9.0, 9.0, 0.0, 0.0]))
    # a radar in the plane has no height to its cover
    plane = radar(measures=("range", "azimuth"), flat=True, height_m=0.0, elevation_min_rad=0.0)
    born = begun([5e3, 0.5, 0.0, 0.0], sensor_row(replace(plane, elevation_max_rad=0.0)), bank)
    assert born["mean"][0][:3] == pytest.approx([5e3 * math.sin(0.5), 5e3 * math.cos(0.5), 0.0])
    assert (born["covariance"][0][[2, 5]] == 0.0).all()
    solid = sensor_row(radar(measures=("x", "y", "z"), flat=True, sigma_range_m=2.0))
    born = begun([120.0, -40.0, 8.0], solid, bank_of(Motion(kind=FLAT, speed_sigma_ms=30.0)))
    assert born["mean"][0][:3].tolist() == [120.0, -40.0, 8.0]
    assert np.allclose(born["covariance"][0], np.diag([4.0] * 3 + [900.0] * 3 + [0.0]))


def test_a_plot_tells_where_an_object_is_if_it_has_range_and_azimuth_or_a_position():
    begin = {
        ("range", "azimuth", "elevation", "range_rate"): True,
        ("range", "azimuth"): True,
        ("azimuth", "elevation"): False,
        ("range", "range_rate"): False,
        ("range",): False,
        ("x", "y"): True,
        ("x", "y", "z"): True,
        ("x",): False,
    }
    for measured, can in begin.items():
        assert can_begin(sensor_row(radar(measures=measured, flat=True))) == can, measured
