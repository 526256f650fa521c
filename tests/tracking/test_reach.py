"""Cheap bounds turn a chain away only where the full prediction would have, and a crowd's work is bounded."""

from __future__ import annotations

import math

import numpy as np
import pytest
from watch import NS, ROW
from world import expected, radar

from jointwatch.sensing.expectation import D, innovation, plots_of
from jointwatch.sensing.radar import PERIOD, observe, position_of_plot, sensor_row
from jointwatch.tracking.bank import FLIGHT, SPEED
from jointwatch.tracking.birth import begin_row
from jointwatch.tracking.branching import find_parents
from jointwatch.tracking.detection import believed_detection, new_detection
from jointwatch.tracking.interaction import mix, predict_row
from jointwatch.tracking.looks import wedge_share
from jointwatch.tracking.offers import NONE
from jointwatch.tracking.reach import (
    BOUNDS,
    bound_motions,
    can_bound,
    log_likelihood_bound,
    log_peak_bound,
)
from jointwatch.tracking.scene import WEIGHED, _azimuths
from jointwatch.tracking.seeds import (
    AZIMUTH_RAD,
    ELEVATION_RAD,
    LEVEL_M,
    MISSES,
    RANGE_M,
    RATE_MS,
    STALE_SCANS,
    Seeds,
    age_seeds,
    drop_seeds,
    outside_rad,
    seed_shown,
    sow,
)
from jointwatch.tracking.table import TENTATIVE, new_table
from jointwatch.tracking.update import update_with

SENSORS = {"rated": ROW, "unrated": sensor_row(radar(measures=("range", "azimuth", "elevation")))}
TURN = 2.0 * math.pi
LEAST = 1e-40
"""Nowhere are new objects so rare, per metre, steradian and m/s: below, both densities say no."""


def column(rng, rated):
    return np.array(
        [
            rng.uniform(2e3, 4.9e5),
            rng.uniform(0.0, TURN),
            rng.uniform(0.01, 1.4),
            rng.uniform(-2000.0, 2000.0) if rated else 0.0,
        ]
    )


def born(rng, sensor, rated):
    row = new_table(1)[0]
    begin_row(FLIGHT, row, sensor, plots_of(column(rng, rated)[None])[0], 0, 7)
    row["life"] = TENTATIVE
    return row


def again(rng, row, sensor, rated, dt):
    """A second plot of the row, moved across its line of sight as its prior allows, and the row updated."""
    line = (row["mean"][1][:3] - sensor[:3]) / np.linalg.norm(row["mean"][1][:3] - sensor[:3])
    kick = 600.0 * rng.standard_normal(3)
    kick -= (kick @ line) * line
    place = row["mean"][1][:3] + dt * (row["mean"][1][3:6] + kick)
    seen = np.array(observe(sensor, *place, *((place - row["mean"][1][:3]) / dt)))
    if not rated:
        seen[3] = 0.0
    predict_row(FLIGHT, row, row["time_ns"] + round(dt * NS))
    for k in range(3):
        update_with(sensor, row["mean"][k], row["covariance"][k], plots_of(seen[None])[0])
    row["hits"] = 2


def exact(row, sensor, plots):
    """Densities (m,) of plots under a predicted row, by NumPy."""
    total = np.zeros(len(plots))
    for k in range(3):
        z, _, s, _ = expected(sensor, row["mean"][k], row["covariance"][k])
        y = np.empty((len(plots), D))
        for plot, off in zip(plots, y, strict=True):
            innovation(sensor, plot, z, off)
        dim = len(s)
        y = y[:, :dim]
        d2 = (y * np.linalg.solve(s, y.T).T).sum(axis=1)
        total += row["phase"][k] * np.exp(-0.5 * d2) / math.sqrt(np.linalg.det(TURN * s))
    return total


@pytest.mark.parametrize("hits", [1, 2])
@pytest.mark.parametrize("name", SENSORS)
def test_no_plot_is_likelier_under_the_prediction_than_its_bound_says(name, hits):
    sensor, rng = SENSORS[name], np.random.default_rng(7)
    assert can_bound(sensor, FLIGHT)
    closest, turned_away, tried = np.inf, 0, 0
    bounds = np.empty((3, BOUNDS))
    for _ in range(150):
        row = born(rng, sensor, name == "rated")
        if hits > 1:
            again(rng, row, sensor, name == "rated", rng.uniform(5.0, 12.0))
        dt = rng.uniform(1.0, 12.0 if hits > 1 else 30.0)
        means, covs, phase = row["mean"].copy(), row["covariance"].copy(), row["phase"].copy()
        mix(FLIGHT, means, covs, phase, dt)
        bound_motions(FLIGHT, sensor, means, covs, dt, bounds)
        predict_row(FLIGHT, row, row["time_ns"] + round(dt * NS))
        place = (
            row["mean"][1][:3]
            + rng.standard_normal((40, 3)) * np.geomspace(10.0, 6.0 * 1500.0 * dt, 40)[:, None]
        )
        columns = np.array([observe(sensor, *at, *row["mean"][1][3:6]) for at in place])
        if name == "rated":
            columns[:, 3] += 30.0 * rng.standard_normal(40)
        plots = plots_of(columns)
        truth = exact(row, sensor, plots)
        for plot, density in zip(plots, truth, strict=True):
            bound = log_likelihood_bound(phase, bounds, plot[0], tuple(plot_direction(sensor, plot)))
            assert bound <= log_peak_bound(phase, bounds) + 1e-9
            if density > LEAST:
                closest = min(closest, bound - math.log(density))
            tried += 1
            turned_away += bound < log_peak_bound(phase, bounds) - 2.0
    assert closest >= 0.0
    assert turned_away > 0.1 * tried  # and it is not so wide that it never says no


def plot_direction(sensor, plot):
    line = np.array(position_of_plot(sensor, plot[0], plot[1], plot[2])) - sensor[:3]
    return line / np.linalg.norm(line)


def test_bounds_are_for_radars_with_elevation_and_for_the_flight_phases():
    assert not can_bound(sensor_row(radar(measures=("range", "azimuth"))), FLIGHT)
    assert not can_bound(sensor_row(radar(measures=("azimuth", "elevation"))), FLIGHT)
    plane = FLIGHT.copy()
    plane[1, 0] = 3.0
    assert not can_bound(ROW, plane)


def test_whatever_lies_in_reach_of_a_row_lies_between_its_azimuths():
    rng = np.random.default_rng(8)
    for _ in range(2000):
        r, reach = 10.0 ** rng.uniform(3.5, 5.6), 10.0 ** rng.uniform(2.0, 5.6)
        mean = np.array([*position_of_plot(ROW, r, rng.uniform(0.0, TURN), rng.uniform(0.0, 1.57)), 0, 0, 0])
        off = rng.standard_normal(3)
        place = mean[:3] + reach * rng.random() ** 0.1 * off / np.linalg.norm(off)
        low, high = _azimuths(ROW, *mean[:3], reach)
        azimuth = observe(ROW, *place, 0.0, 0.0, 0.0)[1]
        assert (azimuth - low) % TURN <= high - low + 1e-12


def seeds_of(plots, log_odds=-5.0):
    """Seeds that plots (n, 7) at time 0 leave."""
    seeds, scratch = Seeds(), new_table(1)
    for i, plot in enumerate(plots):
        assert sow(seeds.room(1), scratch, FLIGHT, ROW, plot, 0, i, log_odds)
    return seeds


def test_a_seed_far_outside_the_wedge_has_no_share_of_it_at_all_and_elsewhere_its_share():
    rng, far = np.random.default_rng(9), 0
    for _ in range(2000):
        r, dt, rate = 10.0 ** rng.uniform(4.0, 5.6), rng.uniform(1.0, 20.0), rng.uniform(-300.0, 300.0)
        azimuth, start, width = rng.uniform(0.0, TURN), rng.uniform(0.0, TURN), rng.uniform(0.05, 3.0)
        plots = plots_of(np.array([[r, azimuth, 0.3, rate]]))
        outside = outside_rad(azimuth, (start + 0.5 * width) % TURN, width)
        shown = seed_shown(
            seeds_of(plots).sights[0],
            FLIGHT[0, SPEED],
            ROW,
            new_detection(ROW),
            (start, start + width),
            outside,
            dt,
        )
        then = abs(r + rate * dt)
        share = wedge_share(azimuth, FLIGHT[0, SPEED] * dt / then, start, start + width)
        assert shown == pytest.approx(
            share * believed_detection(new_detection(ROW), ROW, then, 0.3), abs=1e-12
        )
        far += shown == 0.0
    assert far > 300


def test_a_seed_is_where_its_plot_was_and_is_forgotten_when_looks_give_it_nothing():
    rng = np.random.default_rng(12)
    columns = np.column_stack([
        rng.uniform(1e4, 4e5, 40), rng.uniform(0.0, TURN, 40), rng.uniform(0.05, 1.2, 40),
        rng.uniform(-900.0, 900.0, 40),
    ])  # fmt: skip
    plots = plots_of(columns)
    seeds = seeds_of(plots)
    live = seeds.live
    for seed, plot in zip(live, plots, strict=True):
        assert np.allclose(seed["place"], position_of_plot(ROW, *plot[:3]))
    assert np.allclose(seeds.sights[:, LEVEL_M], plots[:, 0] * np.cos(plots[:, 2]))
    assert np.allclose(seeds.sights[:, [RANGE_M, AZIMUTH_RAD, ELEVATION_RAD, RATE_MS]], plots[:, :4])
    other = seeds.copy()
    looked = np.where(np.arange(40) % 2 == 0, 0.9, -1.0)
    for look, left in ((1, 40), (2, 40), (3, 20)):
        age_seeds(seeds.bed, seeds.count, looked[: seeds.count], ROW, look * NS)
        assert seeds.count == left
    assert seeds.live["identity"].tolist() == list(range(1, 40, 2))
    # a copy is its own, and all that is stale goes
    assert other.count == 40 and (other.sights[:, MISSES] == 0.0).all()
    stale_ns = round((STALE_SCANS * ROW[PERIOD] + 0.1) * NS)
    age_seeds(other.bed, 40, np.full(40, -1.0), ROW, stale_ns)
    assert other.count == 0
    drop_seeds(seeds.bed, np.array([3, 4, 39]))
    assert seeds.count == 18


@pytest.mark.parametrize("m", [200, 400, 800])
def test_a_crowd_of_plots_in_one_small_place_is_weighed_in_proportion_to_its_number(m):
    """Every chain of the last look reaches every plot of this one; each plot is weighed WEIGHED times."""
    rng = np.random.default_rng(10)
    columns = np.array([1.5e5, 1.0, 0.3, 0.0]) + rng.standard_normal((2 * m, 4)) * [300.0, 2e-3, 2e-3, 20.0]
    plots = plots_of(columns[np.argsort(columns[:, 0])])
    seeds = seeds_of(plots[::2])
    here = plots[1::2].copy()
    density, birth = np.full(m, 1e-20), np.full(m, 1e-22)
    none = np.zeros(0, np.int64)
    found = find_parents(
        new_table(1), none, seeds.bed, FLIGHT, ROW, new_detection(ROW), 0, (0.5, 1.5),
        10 * NS, here, density, birth,
    )  # fmt: skip
    counts = found.work
    assert counts[2] <= WEIGHED * m and counts[1] <= m
    assert counts[2] > 0.9 * WEIGHED * m  # there were enough to be bounded
    kept = found.parents[found.parents != NONE]
    assert len(kept) > m and (kept < NONE).all() and (NONE - 1 - kept < m).all()
    assert (found.seeds_looked >= 0.0).all()
