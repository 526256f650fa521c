"""Chains of plots: how one look takes all of them on."""

import numpy as np
import pytest
from made_scans import EAST_EYE, START_NS, WEST, launch, scans

from jointwatch.launch.burns import Burns
from jointwatch.launch.chains import MOST_BRANCHES, branches
from jointwatch.launch.climbing import JERK, all_moved, log_densities, moved
from jointwatch.launch.first_seen import AGE_STEP_S, begun, first_seen, still_burning
from jointwatch.sensing.infrared import geostationary_site

FIRST = first_seen(WEST.cloud_m, WEST.period_s, WEST.detection)
SITE = geostationary_site(WEST)
RATE = 10.0 / 86400.0 / 2e14


def test_the_best_few_chains_go_on_by_each_plot():
    rng = np.random.default_rng(0)
    log_odds, gains = rng.normal(0.0, 3.0, 40), rng.normal(-2.0, 2.0, (40, 7))
    gains[:, 3] = -1.0
    found = branches(log_odds, gains)
    plain = []
    for j in range(7):
        fits = [k for k in range(40) if gains[k, j] > 0.0]
        plain += [(k, j) for k in sorted(fits, key=lambda k: -(log_odds[k] + gains[k, j]))[:MOST_BRANCHES]]
    assert found == plain


def test_how_probably_a_class_still_burns_is_read_between_the_table_s_ages():
    tables, rng = np.array([FIRST.burning, FIRST.burning[::-1]]), np.random.default_rng(1)
    which, last = rng.integers(0, 2, 30), rng.uniform(0.0, 100.0, 30)
    now, out = last + rng.uniform(0.0, 250.0, 30), np.empty((30, tables.shape[1]))
    still_burning(tables, which, last, now, out)
    ages = AGE_STEP_S * np.arange(tables.shape[2])
    for k, s in enumerate(which):
        for c, table in enumerate(tables[s]):
            plain = np.interp(now[k], ages, table) / np.interp(last[k], ages, table)
            assert out[k, c] == pytest.approx(np.clip(plain, 1e-3, 1.0 - 1e-6), abs=2e-3)


def test_what_is_taken_on_together_is_what_each_is_alone():
    rng = np.random.default_rng(2)
    along = np.array([-1.0, 0.1, 0.1]) + 1e-3 * rng.normal(size=(6, 3))
    along /= np.linalg.norm(along, axis=1)[:, None]
    means, covs, weights = begun(FIRST, SITE, along, WEST.sigma_rad)
    seen = along + 1e-4 * rng.normal(size=along.shape)
    seen /= np.linalg.norm(seen, axis=1)[:, None]
    dt, table = rng.uniform(5.0, 20.0, 6), np.empty((6, 6))
    log_densities(means, covs, weights, dt, JERK, SITE, WEST.sigma_rad, seen, np.arange(6), table)
    together, gains = (means.copy(), covs.copy(), weights.copy()), np.empty(6)
    all_moved(*together, dt, JERK, SITE, WEST.sigma_rad, seen, gains)
    for k in range(6):
        alone = means[k], covs[k], weights[k]
        gain = moved(*alone, dt[k], JERK, SITE, WEST.sigma_rad, seen[k])
        assert gains[k] == gain == pytest.approx(table[k, k], abs=1e-6)
        for a, b in zip(together, alone, strict=True):
            assert (a[k] == b).all()


def test_bright_plots_of_two_satellites_need_not_wait_for_a_second_of_each():
    """Once false plots are known as they are, three plots are enough, whichever satellite gave two."""
    burns = Burns((WEST, EAST_EYE), RATE, 1.0 / 30.0, "A", 50)
    told = []
    for s in scans((WEST, EAST_EYE), [launch(azimuth=0.8, at_s=1800.0)], 1900.0, 7, clutter=20.0):
        told += [(s.header.measured_ns - START_NS, b) for b in burns.take(s)]
    assert told and told[0][1].plots <= 3
