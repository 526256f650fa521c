"""One look at one confirmed track, against Bayes' rule written out in NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm
from watch import NS, ROW, a_row, look_at, textbook_update
from world import RADAR, expected

from jointwatch.motion.phases import BALLISTIC
from jointwatch.sensing.coverage import detection_probability
from jointwatch.sensing.expectation import AZIMUTH, COS_ELEVATION, ELEVATION, RANGE, innovation, plots_of
from jointwatch.sensing.radar import observe
from jointwatch.tracking.bank import CRUISE_FLIGHT_S, FLIGHT
from jointwatch.tracking.detection import new_detection
from jointwatch.tracking.hypotheses import new_clusters
from jointwatch.tracking.interaction import predict_row
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.table import CONFIRMED, new_table
from jointwatch.tracking.update import update_drag

RULES = Rules()
SURE = RULES.sure_log_odds
DETECTION = new_detection(ROW)
WHOLE = (0.0, 2.0 * math.pi)
LATER = 105 * NS


def table_of(row):
    table = new_table(4)
    table[0] = row
    table[0]["life"] = CONFIRMED
    table[0]["number"] = 1
    table[0]["seen_ns"] = table[0]["time_ns"]
    return table


def look(table, columns, density, wedge=WHOLE, time_ns=LATER, detection=DETECTION):
    """Shares of the plots claimed; rows looked at, how surely they are seen, and how surely they were."""
    columns = np.asarray(columns, dtype=float).reshape(-1, 4)
    plots = plots_of(columns[np.argsort(columns[:, 0])])
    identity = np.arange(len(plots)) + 500
    out = look_at(
        table,
        new_clusters(1),
        FLIGHT,
        RULES.row(),
        ROW,
        detection,
        wedge,
        time_ns,
        plots,
        identity,
        np.full(len(plots), density),
    )
    return out[:4]


def predicted(row):
    """The row at the time of the look, with what each phase expects there: z, h, s, noise."""
    row = table_of(row)[0]
    predict_row(FLIGHT, row, LATER)
    each = [expected(ROW, row["mean"][k], row["covariance"][k]) for k in range(3)]
    return row, *(np.array(part) for part in zip(*each, strict=True))


def innovations(columns, z):
    """(m, 4) innovations of plots with columns (m, 4)."""
    out = np.empty((len(columns), 4))
    for plot, y in zip(plots_of(columns), out, strict=True):
        innovation(ROW, plot, z, y)
    return out


def gaussian(y, covariance):
    """Density of a normal of mean 0 at y (..., n)."""
    d2 = np.einsum("...i,...i", y, np.linalg.solve(covariance, y.T).T)
    return np.exp(-0.5 * (d2 + np.linalg.slogdet(2.0 * math.pi * covariance)[1]))


def existence(row):
    return 1.0 / (1.0 + math.exp(-row["log_odds"]))


@pytest.mark.parametrize("at_the_edge", [False, True], ids=["whole turn", "edge of the wedge"])
@pytest.mark.parametrize("odds", [-1.0, 2.0, 5.0])
@pytest.mark.parametrize("seed", [1, 2, 5])
def test_one_look_is_bayes_rule_over_which_plot_was_the_tracks(seed, odds, at_the_edge):
    start = a_row(seed)
    start["log_odds"] = odds
    prior, z, h, s, noise = predicted(start)
    rng = np.random.default_rng(seed)
    middle = prior["phase"] @ z[:, :4]
    sigma = np.sqrt(np.diag(s[1])) / [1.0, z[1, COS_ELEVATION], 1.0, 1.0]
    columns = middle + rng.normal(size=(3, 4)) * sigma * 0.6
    columns = columns[np.argsort(columns[:, 0])]
    density = 0.3 * gaussian(np.zeros(4), s[1])

    # which of "does not exist", "exists and was missed", "plot j was its": weight (4, 3) by phase
    r = existence(prior)
    pd = np.array([detection_probability(ROW, z[k, RANGE], z[k, ELEVATION]) for k in range(3)])
    wedge = WHOLE
    if at_the_edge:  # the phases differ in how surely they expect it in the wedge
        wedge = (middle[AZIMUTH] - 1.0, middle[AZIMUTH] + 2e-4)
        pd *= norm.cdf(wedge[1], z[:, AZIMUTH], np.sqrt(s[:, 1, 1]) / z[:, COS_ELEVATION])
        assert np.ptp(pd) > 0.01
    weight = np.empty((4, 3))
    for k in range(3):
        likelihood = gaussian(innovations(columns, z[k]), s[k])
        assert (likelihood > 0.0).all()
        weight[0, k] = r * prior["phase"][k] * (1.0 - pd[k])
        weight[1:, k] = r * prior["phase"][k] * pd[k] * likelihood / density
    total = 1.0 - r + weight.sum()

    table = table_of(start)
    claimed, rows, seen, gave = look(table, columns, density, wedge)
    row = table[0]
    assert rows.tolist() == [0]
    assert seen[0] == pytest.approx(prior["phase"] @ pd, rel=1e-4)
    assert gave[0] == pytest.approx(weight[1:].sum() / total, rel=1e-4)
    assert np.allclose(claimed, weight[1:].sum(axis=1) / total, rtol=1e-6)
    assert row["log_odds"] == pytest.approx(math.log(weight.sum() / (1.0 - r)), rel=1e-6)
    assert np.allclose(row["phase"], weight.sum(axis=0) / weight.sum(), rtol=1e-6)
    for k in range(3):
        none, *mine = weight[:, k] / weight[:, k].sum()
        y = innovations(columns, z[k])
        _, sure, gain, _ = textbook_update(prior["mean"][k], prior["covariance"][k], y[0], h[k], noise[k])
        y_mean = mine @ y
        spread = gain @ ((y.T * mine) @ y - np.outer(y_mean, y_mean)) @ gain.T
        p = none * prior["covariance"][k] + (1.0 - none) * sure + spread
        d = np.sqrt(np.diag(p))
        mean = prior["mean"][k] + gain @ y_mean
        if k == BALLISTIC:
            update_drag(k, prior["mean"][k, 6], mean, p)  # `test_update` says what that is
            d = np.sqrt(np.diag(p))
        assert np.allclose(row["mean"][k], mean, rtol=1e-9, atol=1e-5)
        assert np.abs((row["covariance"][k] - p) / np.outer(d, d)).max() < 1e-5


def test_a_look_without_a_plot_lowers_existence_by_the_chance_of_a_miss_and_moves_nothing():
    start = a_row(1)
    start["log_odds"] = 3.0
    prior = predicted(start)[0]
    table = table_of(start)
    look(table, [], 1.0)
    row = table[0]
    assert row["log_odds"] == pytest.approx(prior["log_odds"] + math.log(1.0 - RADAR.detection), rel=1e-6)
    assert np.array_equal(row["mean"], prior["mean"])
    assert row["misses"] == 1 and row["hits"] == prior["hits"]


def test_an_aircraft_that_is_not_where_it_should_be_has_landed_rather_than_fired_a_motor():
    start = a_row(1)
    start["phase"], start["log_odds"] = [1e-6, 1e-6, 1.0 - 2e-6], 25.0
    prior = predicted(start)[0]
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
    _, rows, _, _ = look(table, [], 1.0, wedge=(azimuth + 1.0, azimuth + 2.0))
    assert len(rows) == 0 and table[0]["log_odds"] == 3.0 and table[0]["misses"] == 0


def test_a_plot_far_off_is_not_the_tracks():
    start = a_row(1)
    start["log_odds"] = 3.0
    _, z, _, s, _ = predicted(start)
    far = z[1, :4] + np.array([10.0 * math.sqrt(s[:, 0, 0].max()), 0.0, 0.0, 0.0])
    claimed, rows, _, gave = look(table_of(start), [far], 1e-12)
    assert claimed.tolist() == [0.0] and rows.tolist() == [0] and gave.tolist() == [0.0]


def test_existence_stays_within_bounds_whatever_is_seen():
    for odds in (-24.0, 25.0):
        for sure in (True, False):
            start = a_row(2)
            start["log_odds"] = odds
            z = predicted(start)[1]
            table = table_of(start)
            look(table, [z[1, :4]] if sure else [], 1e-30)
            assert -SURE <= table[0]["log_odds"] <= SURE
            assert np.isfinite(table[0]["mean"]).all() and table[0]["phase"].sum() == pytest.approx(1.0)


def test_what_was_ever_so_sure_is_doubted_after_a_few_looks_that_should_have_shown_it():
    start = a_row(1)
    start["log_odds"] = SURE
    table = table_of(start)
    for i in range(1, 6):
        look(table, [], 1.0, time_ns=(100 + i) * NS)
    assert table[0]["misses"] == 5 and existence(table[0]) < 0.2


def test_a_sensor_that_was_found_to_see_less_than_it_states_says_less_by_a_miss():
    start = a_row(1)
    start["log_odds"] = 3.0
    dull = DETECTION * [0.5, 1.0]  # half of what was expected
    lost = []
    for detection in (DETECTION, dull):
        table = table_of(start)
        look(table, [], 1.0, detection=detection)
        lost.append(predicted(start)[0]["log_odds"] - table[0]["log_odds"])
    assert lost == pytest.approx([-math.log(0.1), -math.log(0.55)], rel=1e-5)


def test_a_plot_in_one_phases_gate_is_weighed_in_all_of_them():
    """Phases that expect different ranges: a plot at one's own does not leave the other its whole weight."""
    start = a_row(3)
    start["log_odds"], start["phase"] = 3.0, [0.45, 0.45, 0.1]
    line = (start["mean"][0][:3] - ROW[:3]) / np.linalg.norm(start["mean"][0][:3] - ROW[:3])
    start["mean"][0][:3] += 4e3 * line
    prior, z, _, s, _ = predicted(start)
    plot = z[1, :4]
    apart2 = [
        y @ np.linalg.solve(c, y) for (y,), c in ((innovations(plot[None], z[k]), s[k]) for k in (0, 1))
    ]
    assert apart2[0] > 25.0 and apart2[1] < 1.0
    table = table_of(start)
    look(table, [plot], 1e-12)
    assert table[0]["phase"][0] < 1e-3 * prior["phase"][0]
