"""The clutter map: what it says before it has seen anything, and what it learns."""

from __future__ import annotations

import math

import numpy as np
import pytest
from watch import ROW, uniform_clutter
from world import RADAR, radar

from jointwatch.sensing.radar import sensor_row
from jointwatch.tracking.clutter import (
    FAST_MS,
    MEMORY_LOOKS,
    PRIOR_LOOKS,
    clutter_density,
    learn_clutter,
    new_clutter_map,
)

SPAN = RADAR.elevation_max_rad - RADAR.elevation_min_rad
EVEN = RADAR.clutter_per_scan / (RADAR.range_max_m * 2.0 * math.pi * SPAN * 2.0 * FAST_MS)
WHOLE = (0.0, 2.0 * math.pi)


def anywhere(rng, count):
    return np.column_stack(
        [
            rng.uniform(1e3, RADAR.range_max_m, count),
            rng.uniform(0.0, 2.0 * math.pi, count),
            rng.uniform(RADAR.elevation_min_rad, RADAR.elevation_max_rad, count),
            rng.uniform(-FAST_MS, FAST_MS, count),
        ]
    )


def expected_plots(cells):
    return float(cells.expected().sum())


def test_before_any_look_the_map_is_the_radars_stated_clutter_spread_evenly():
    cells = new_clutter_map(ROW)
    assert expected_plots(cells) == pytest.approx(RADAR.clutter_per_scan, rel=1e-6)
    plots = anywhere(np.random.default_rng(1), 500)
    # per steradian: a step of azimuth is the narrower the higher
    assert np.allclose(clutter_density(cells, ROW, plots), EVEN / np.cos(plots[:, 2]), rtol=1e-9)


def test_a_radar_without_elevation_or_range_rate_has_its_clutter_in_what_it_measures():
    row = sensor_row(radar(measures=("range", "azimuth")))
    plots = anywhere(np.random.default_rng(1), 200) * [1.0, 1.0, 0.0, 0.0]
    density = clutter_density(new_clutter_map(row), row, plots)
    assert np.allclose(density, RADAR.clutter_per_scan / (RADAR.range_max_m * 2.0 * math.pi), rtol=1e-9)
    row = sensor_row(radar(measures=("x", "y"), flat=True, range_max_m=150.0, clutter_per_scan=10.0))
    density = clutter_density(new_clutter_map(row), row, np.zeros((3, 7)))
    assert np.allclose(density, 10.0 / 300.0**2)


def test_a_radar_that_states_no_clutter_still_gets_a_density_that_can_be_divided_by():
    row = sensor_row(radar(clutter_per_scan=0.0))
    density = clutter_density(new_clutter_map(row), row, anywhere(np.random.default_rng(1), 50))
    assert (density > 0.0).all()


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_after_forty_looks_the_map_has_the_true_density_within_fifteen_percent(factor):
    rng = np.random.default_rng(3)
    cells = new_clutter_map(ROW)
    for _ in range(40):
        plots = np.array(uniform_clutter(rng, RADAR, WHOLE, factor * RADAR.clutter_per_scan)).reshape(-1, 4)
        learn_clutter(cells, ROW, *WHOLE, plots, np.zeros(len(plots)))
    assert expected_plots(cells) == pytest.approx(factor * RADAR.clutter_per_scan, rel=0.15)


def test_a_steady_clump_is_learned_in_its_place_and_nowhere_else():
    rng = np.random.default_rng(4)
    cells = new_clutter_map(ROW)
    # the middle of one cell: the thirteenth step of range, 28.8 to 33.8 km, and 105 to 110 degrees
    clump = np.array([31.3e3, math.radians(107.5), math.radians(1.0), 0.0])
    half = np.array([2.4e3, math.radians(2.4), math.radians(0.4), 28.0])
    for _ in range(40):
        plots = clump + half * rng.uniform(-1.0, 1.0, (rng.poisson(20), 4))
        learn_clutter(cells, ROW, *WHOLE, plots, np.zeros(len(plots)))
    width = math.radians(5.0), 5e3, math.radians(2.0) - RADAR.elevation_min_rad, 60.0
    at = np.array(
        [[31.3e3, math.radians(107.5), math.radians(1.0), 0.0], [31.3e3, math.radians(287.5), 0.02, 0.0]]
    )
    volume = np.cos(at[:, 2]) * math.prod(width)
    there, opposite = clutter_density(cells, ROW, at) * volume
    assert there == pytest.approx(20.0, rel=0.15)
    # elsewhere in this ring forty looks gave nothing: by Bayes, at most one plot in so many looks is left
    assert opposite < 1.0 / MEMORY_LOOKS


def test_a_cell_that_gave_nothing_is_believed_down_to_what_its_looks_prove_and_no_further():
    """A gamma prior of one plot's worth about the ring's mean: 1 / (1 / ring + looks).

    A bare average over forty looks would leave a twentieth of what the radar states.
    """
    rng = np.random.default_rng(8)
    cells = new_clutter_map(ROW)
    at = np.array([[2.5e5, 1.0, 0.5, 700.0]])
    start = clutter_density(cells, ROW, at)[0]
    for _ in range(40):
        plots = np.array(uniform_clutter(rng, RADAR, WHOLE, RADAR.clutter_per_scan)).reshape(-1, 4)
        plots = plots[(plots[:, 1] < 0.8) | (plots[:, 1] > 1.2)]  # all around, but not there
        learn_clutter(cells, ROW, *WHOLE, plots, np.zeros(len(plots)))
    # the cell: 5 degrees by the steps of square-root range, 12 to 80 degrees, 150 to 2000 m/s
    step = RADAR.range_max_m / 50**2 * (36**2 - 35**2)
    volume = step * math.radians(5.0) * math.radians(68.0) * 2.0 * 1850.0 * math.cos(0.5)
    stated = start * volume
    assert 0.01 < stated < 0.05
    left = clutter_density(cells, ROW, at)[0] * volume
    assert left == pytest.approx(1.0 / (1.0 / stated + MEMORY_LOOKS), rel=0.2)
    assert left > 5.0 * stated * PRIOR_LOOKS / (PRIOR_LOOKS + 40.0)


def test_a_ring_that_gives_nothing_any_more_is_forgotten_but_never_becomes_impossible():
    cells = new_clutter_map(ROW)
    at = np.array([[2.5e5, 1.0, 0.5, 700.0]])
    densities = [clutter_density(cells, ROW, at)[0]]
    for _ in range(300):
        learn_clutter(cells, ROW, *WHOLE, np.empty((0, 4)), np.empty(0))
        densities.append(clutter_density(cells, ROW, at)[0])
    assert (np.diff(densities) < 0.0).all()
    assert 0.0 < densities[-1] < 0.02 * densities[0]


def test_a_steady_rate_is_learned_without_bias_however_long_it_lasts():
    cells = new_clutter_map(ROW)
    plot = np.array([[30e3, math.radians(105.0), math.radians(1.0), 0.0]])
    for _ in range(20 * int(MEMORY_LOOKS)):
        learn_clutter(cells, ROW, *WHOLE, plot, np.zeros(1))
    assert cells.expected().max() == pytest.approx(1.0, rel=1e-6)  # one plot a look in one cell


def test_what_tracks_claim_is_not_clutter():
    cells, other = new_clutter_map(ROW), new_clutter_map(ROW)
    plots = anywhere(np.random.default_rng(5), 200)
    learn_clutter(cells, ROW, *WHOLE, plots, np.ones(200))
    learn_clutter(other, ROW, *WHOLE, np.empty((0, 4)), np.empty(0))
    for mine, its in zip(cells, other, strict=True):
        assert np.array_equal(mine, its)


def test_where_nobody_looked_nothing_is_learned():
    cells = new_clutter_map(ROW)
    before = cells.copy()
    learn_clutter(cells, ROW, 0.0, math.radians(30.0), np.empty((0, 4)), np.empty(0))
    sixth = len(before.kept) // 12
    assert np.array_equal(cells.expected()[sixth:], before.expected()[sixth:])
    assert np.array_equal(cells.looks[sixth:], before.looks[sixth:])
    assert (cells.expected()[:sixth] < before.expected()[:sixth]).all()


def test_twelve_sectors_teach_the_map_what_one_whole_turn_does():
    plots = anywhere(np.random.default_rng(6), 300)
    whole, parts = new_clutter_map(ROW), new_clutter_map(ROW)
    learn_clutter(whole, ROW, *WHOLE, plots, np.zeros(300))
    edges = np.linspace(0.0, 2.0 * math.pi, 13)
    for k in range(12):
        mine = plots[(plots[:, 1] >= edges[k]) & (plots[:, 1] < edges[k + 1])]
        learn_clutter(parts, ROW, edges[k], edges[k + 1], mine, np.zeros(len(mine)))
    assert np.allclose(whole.expected(), parts.expected(), rtol=1e-12)
    assert np.array_equal(whole.looks, parts.looks)
    # rings forget with every sector instead of with every turn
    assert np.allclose(whole.ring * whole.ring_kept, parts.ring * parts.ring_kept, rtol=0.02)


def test_what_is_kept_of_old_counts_never_runs_out():
    cells, plot = new_clutter_map(ROW), np.array([[30e3, math.radians(105.0), math.radians(1.0), 0.0]])
    for _ in range(30_000):
        learn_clutter(cells, ROW, *WHOLE, plot, np.zeros(1))
    assert (cells.kept > 1e-101).all() and np.isfinite(cells.cells).all()
    assert cells.expected().max() == pytest.approx(1.0, rel=1e-6)
    assert cells.expected().min() >= 0.0
