"""One look at one confirmed track, against Bayes' rule written out in NumPy; and the share of a wedge."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import norm
from test_interacting_phases import NS, ROW, a_row, textbook_update
from watch import RADAR

from jointwatch.sensing.coverage import detection_probability
from jointwatch.sensing.radar import observe
from jointwatch.tracking.confirmed import update_confirmed, wedge_share
from jointwatch.tracking.filter import CRUISE_FLIGHT_S, expect, predict_row
from jointwatch.tracking.table import CONFIRMED, new_table

WHOLE = (0.0, 2.0 * math.pi)
LATER = 105 * NS


def table_of(row):
    table = new_table(4)
    table[0] = row
    table[0]["life"] = CONFIRMED
    table[0]["number"] = 1
    table[0]["seen_ns"] = table[0]["time_ns"]
    return table


def look(table, plots, density, wedge=WHOLE, time_ns=LATER):
    plots = np.asarray(plots, dtype=float).reshape(-1, 4)
    plots = plots[np.argsort(plots[:, 0])]
    identity = np.arange(len(plots)) + 500
    return update_confirmed(table, 1, ROW, *wedge, time_ns, plots, identity, np.full(len(plots), density))


def predicted(row):
    """The row at the time of the look, with what each phase expects there."""
    row = table_of(row)[0]
    predict_row(row, LATER)
    z, h, s = np.empty((3, 4)), np.empty((3, 4, 6)), np.empty((3, 4, 4))
    for k in range(3):
        expect(ROW, row["mean"][k], row["covariance"][k], z[k], h[k], s[k])
    return row, z, h, s


def gaussian(x, mean, covariance):
    """Density of a normal at x (..., n)."""
    y = x - mean
    d2 = np.einsum("...i,...i", y, np.linalg.solve(covariance, y.T).T)
    return np.exp(-0.5 * (d2 + np.linalg.slogdet(2.0 * math.pi * covariance)[1]))


def existence(row):
    return 1.0 / (1.0 + math.exp(-row["log_odds"]))


@pytest.mark.parametrize("at_the_edge", [False, True], ids=["whole turn", "edge of the wedge"])
@pytest.mark.parametrize("odds", [-1.0, 2.0, 9.0])
@pytest.mark.parametrize("seed", [1, 2, 5])
def test_one_look_is_bayes_rule_over_which_plot_was_the_tracks(seed, odds, at_the_edge):
    start = a_row(seed)
    start["log_odds"] = odds
    prior, z, h, s = predicted(start)
    rng = np.random.default_rng(seed)
    middle = prior["phase"] @ z
    plots = middle + rng.normal(size=(3, 4)) * np.sqrt(np.diag(s[1])) * 0.6
    plots = plots[np.argsort(plots[:, 0])]
    density = 0.3 * gaussian(z[1], z[1], s[1])

    # which of "does not exist", "exists and was missed", "plot j was its": weight (4, 3) by phase
    r = existence(prior)
    pd = np.array([detection_probability(ROW, z[k, 0], z[k, 2]) for k in range(3)])
    wedge = WHOLE
    if at_the_edge:  # the phases differ in how surely they expect it in the wedge
        wedge = (middle[1] - 1.0, middle[1] + 2e-4)
        pd *= norm.cdf(wedge[1], z[:, 1], np.sqrt(s[:, 1, 1]))
        assert np.ptp(pd) > 0.01
    weight = np.empty((4, 3))
    for k in range(3):
        likelihood = gaussian(plots, z[k], s[k])
        assert (likelihood > 0.0).all()
        weight[0, k] = r * prior["phase"][k] * (1.0 - pd[k])
        weight[1:, k] = r * prior["phase"][k] * pd[k] * likelihood / density
    total = 1.0 - r + weight.sum()

    table = table_of(start)
    claimed, rows = look(table, plots, density, wedge)
    row = table[0]
    assert rows.tolist() == [0]
    assert np.allclose(claimed, weight[1:].sum(axis=1) / total, rtol=1e-6)
    assert row["log_odds"] == pytest.approx(math.log(weight.sum() / (1.0 - r)), rel=1e-6)
    assert np.allclose(row["phase"], weight.sum(axis=0) / weight.sum(), rtol=1e-6)
    for k in range(3):
        none, *mine = weight[:, k] / weight[:, k].sum()
        y = plots - z[k]
        _, sure, gain, _ = textbook_update(prior["mean"][k], prior["covariance"][k], y[0], h[k])
        y_mean = mine @ y
        spread = gain @ ((y.T * mine) @ y - np.outer(y_mean, y_mean)) @ gain.T
        p = none * prior["covariance"][k] + (1.0 - none) * sure + spread
        d = np.sqrt(np.diag(p))
        assert np.allclose(row["mean"][k], prior["mean"][k] + gain @ y_mean, rtol=1e-9, atol=1e-5)
        assert np.abs((row["covariance"][k] - p) / np.outer(d, d)).max() < 1e-5


def test_a_look_without_a_plot_lowers_existence_by_the_chance_of_a_miss_and_moves_nothing():
    start = a_row(1)
    start["log_odds"] = 3.0
    prior, _, _, _ = predicted(start)
    table = table_of(start)
    look(table, [], 1.0)
    row = table[0]
    assert row["log_odds"] == pytest.approx(prior["log_odds"] + math.log(1.0 - RADAR.detection), rel=1e-6)
    assert np.array_equal(row["mean"], prior["mean"])
    assert row["misses"] == 1 and row["hits"] == prior["hits"]


def test_an_aircraft_that_is_not_where_it_should_be_has_landed_rather_than_fired_a_motor():
    start = a_row(1)
    start["phase"], start["log_odds"] = [1e-6, 1e-6, 1.0 - 2e-6], 25.0
    prior, _, _, _ = predicted(start)
    ended = 1.0 - math.exp(-5.0 / CRUISE_FLIGHT_S)
    assert existence(prior) == pytest.approx(1.0 - ended, rel=1e-3)
    assert prior["phase"].sum() == pytest.approx(1.0)
    ballistic = a_row(1)
    ballistic["phase"], ballistic["log_odds"] = [1e-6, 1.0 - 2e-6, 1e-6], 25.0
    assert existence(predicted(ballistic)[0]) > 1.0 - 1e-5  # in mid-air no missile ends


def test_a_look_elsewhere_says_nothing_about_the_track():
    start = a_row(1)
    start["log_odds"] = 3.0
    azimuth = observe(ROW, *start["mean"][1][:6])[1]
    table = table_of(start)
    _, rows = look(table, [], 1.0, wedge=(azimuth + 1.0, azimuth + 2.0))
    assert len(rows) == 0 and table[0]["log_odds"] == 3.0 and table[0]["misses"] == 0


def test_a_plot_far_off_is_not_the_tracks():
    start = a_row(1)
    start["log_odds"] = 3.0
    _, z, _, s = predicted(start)
    far = z[1] + np.array([10.0 * math.sqrt(s[:, 0, 0].max()), 0.0, 0.0, 0.0])
    claimed, _ = look(table_of(start), [far], 1e-12)
    assert claimed.tolist() == [0.0]


def test_existence_stays_within_bounds_whatever_is_seen():
    for odds in (-24.0, 25.0):
        for sure in (True, False):
            start = a_row(2)
            start["log_odds"] = odds
            _, z, _, _ = predicted(start)
            table = table_of(start)
            look(table, [z[1]] if sure else [], 1e-30)
            assert -25.0 <= table[0]["log_odds"] <= 25.0
            assert np.isfinite(table[0]["mean"]).all() and table[0]["phase"].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("width", [0.1, 0.5236, 3.0])
def test_the_share_of_a_wedge_is_the_normal_probability_between_its_edges(width):
    for start in (0.0, 1.0, 6.2):
        for off in (-0.2, 0.0, 0.05, 0.3, width):
            for sigma in (1e-4, 0.01, 0.1):
                azimuth = (start + off) % (2.0 * math.pi)
                end = (start + width) % (2.0 * math.pi)
                expected = norm.cdf(width, off, sigma) - norm.cdf(0.0, off, sigma)
                assert wedge_share(azimuth, sigma, start, end) == pytest.approx(expected, abs=1e-9)


def test_shares_of_sectors_that_make_a_turn_add_up_to_one():
    edges = np.linspace(0.0, 2.0 * math.pi, 13)
    for azimuth in np.random.default_rng(1).uniform(0.0, 2.0 * math.pi, 50):
        shares = [wedge_share(azimuth, 0.02, a, b) for a, b in pairwise(edges)]
        assert sum(shares) == pytest.approx(1.0, abs=1e-9)
    assert wedge_share(1.0, 0.5, *WHOLE) == 1.0
