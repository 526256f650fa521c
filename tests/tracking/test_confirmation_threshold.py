"""The threshold of confirmation: clutter alone confirms no more tracks than were asked for.

The tracker here is the smallest that has chains: an object wanders on a circle, a look gives plots of its
place, and chains branch over every plot in reach, as in `tracking.tentative`.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import poisson

from jointwatch.records import BadInput
from jointwatch.tracking.confirmation import confirm_log_odds, poisson_upper, rate_upper

ROUND = 300.0
"""Circumference of the circle, in plot sigmas."""
CLUTTER = 0.05
"""False plots per unit of length and look: 15 a look."""
PD, WANDER2, PLOT2 = 0.9, 1.0, 1.0
GATE = 4.0
BIRTHS = 0.05
"""Expected new objects a look."""
KEPT_PLOTS = 6


def apart(x):
    """Signed distance on the circle."""
    return (x + 0.5 * ROUND) % ROUND - 0.5 * ROUND


def continuations(mean, variance, odds, plots):
    """What a look makes of chains: (parent, plot) and odds of those it saw, and the odds of the missed."""
    spread = variance + WANDER2 + PLOT2
    y = apart(plots[None, :] - mean[:, None])
    parent, plot = np.nonzero(y * y < GATE**2 * spread[:, None])
    s = spread[parent]
    g = np.exp(-0.5 * y[parent, plot] ** 2 / s) / np.sqrt(2.0 * math.pi * s)
    return parent, plot, odds[parent] * PD * g / CLUTTER, odds * (1.0 - PD)


def false_confirmations(rng, looks, threshold):
    """How many chains reach the threshold in clutter alone."""
    count = 0
    mean, variance, odds = np.empty(0), np.empty(0), np.empty(0)
    history, misses = np.empty((0, KEPT_PLOTS), int), np.empty(0, int)
    named = 0
    for _ in range(looks):
        plots = rng.uniform(0.0, ROUND, rng.poisson(CLUTTER * ROUND))
        names = named + np.arange(len(plots))
        named += len(plots)
        parent, plot, seen_odds, missed_odds = continuations(mean, variance, odds, plots)
        gain = (variance + WANDER2) / (variance + WANDER2 + PLOT2)
        new_mean = mean[parent] + gain[parent] * apart(plots[plot] - mean[parent])
        new_history = np.column_stack([names[plot], history[parent, :-1]])
        fresh = np.full((len(plots), KEPT_PLOTS), -1)
        fresh[:, 0] = names
        begun = np.full(len(plots), BIRTHS / ROUND / CLUTTER)
        mean = np.concatenate([mean, new_mean, plots])
        variance = np.concatenate([variance + WANDER2, gain[parent] * PLOT2, np.full(len(plots), PLOT2)])
        odds = np.concatenate([missed_odds, seen_odds, begun])
        history = np.concatenate([history, new_history, fresh])
        misses = np.concatenate([misses + 1, np.zeros(len(parent) + len(plots), int)])
        while len(odds) and odds.max() >= threshold:
            best = int(np.argmax(odds))
            count += 1
            shared = np.isin(history, history[best][history[best] >= 0]).any(axis=1)
            mean, variance, odds = mean[~shared], variance[~shared], odds[~shared]
            history, misses = history[~shared], misses[~shared]
        keep = (misses <= 2) & (odds > 1e-5)
        mean, variance, odds = mean[keep], variance[keep], odds[keep]
        history, misses = history[keep], misses[keep]
    return count


@pytest.mark.parametrize(("asked", "looks"), [(0.02, 500), (0.004, 1000)])
def test_clutter_alone_confirms_no_more_tracks_than_were_asked_for(asked, looks):
    threshold = math.exp(confirm_log_odds(BIRTHS, asked))
    counts = [false_confirmations(np.random.default_rng(seed), looks, threshold) for seed in range(12)]
    bound = asked * looks * len(counts)
    assert sum(counts) <= poisson_upper(bound)
    assert sum(counts) >= bound / 100.0  # the bound says something


def test_what_a_look_makes_of_a_chain_has_on_average_the_chains_odds():
    rng = np.random.default_rng(3)
    mean, variance, odds = np.array([10.0, 299.0]), np.array([1.0, 40.0]), np.array([0.7, 3.0])
    sums = np.empty((20000, 2))
    for i in range(len(sums)):
        plots = rng.uniform(0.0, ROUND, rng.poisson(CLUTTER * ROUND))
        parent, _, seen, missed = continuations(mean, variance, odds, plots)
        sums[i] = missed + np.bincount(parent, seen, minlength=2)
    error = sums.std(axis=0) / math.sqrt(len(sums))
    assert (np.abs(sums.mean(axis=0) - odds) < 3.5 * error).all()
    assert (error < 0.02 * odds).all()


def test_the_threshold_is_the_odds_of_births_to_false_tracks():
    assert confirm_log_odds(345.6, 1.0) == pytest.approx(math.log(345.6))
    assert confirm_log_odds(345.6, 0.1) - confirm_log_odds(345.6, 1.0) == pytest.approx(math.log(10.0))
    assert confirm_log_odds(2.0, 2.0) == 0.0
    assert math.isfinite(confirm_log_odds(1e300, 1e-300))


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_rates_that_cannot_be_are_refused_by_name(wrong):
    with pytest.raises(BadInput, match="births_per_day"):
        confirm_log_odds(wrong, 1.0)
    with pytest.raises(BadInput, match="false_tracks_per_day"):
        confirm_log_odds(1.0, wrong)


def test_a_measured_count_is_judged_by_the_poisson_law():
    for expected in (0.01, 0.05, 0.06, 1.0, 2.5, 10.0, 30.0, 1e3, 1e6):
        assert poisson_upper(expected) == int(poisson.ppf(0.95, expected))
        assert poisson.cdf(poisson_upper(expected), expected) >= 0.95
    assert poisson_upper(0.0) == 0
    assert poisson_upper(1.0) == 3
    drawn = np.random.default_rng(5).poisson(4.0, 50000)
    assert 0.01 < (drawn > poisson_upper(4.0)).mean() < 0.05


def test_a_clean_quarter_of_an_hour_leaves_290_a_day_open():
    assert rate_upper(0, 0.25 / 24.0) == pytest.approx(288.0, abs=1.0)
    assert rate_upper(0, 3.0) == pytest.approx(1.0, abs=0.01)
    for counted in (0, 1, 7, 40):
        assert poisson.cdf(counted, 2.0 * rate_upper(counted, 2.0)) == pytest.approx(0.05, rel=1e-9)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: poisson_upper(-1.0),
        lambda: poisson_upper(math.nan),
        lambda: poisson_upper(math.inf),
        lambda: rate_upper(-1, 1.0),
        lambda: rate_upper(0, 0.0),
        lambda: rate_upper(0, math.nan),
    ],
)
def test_counts_and_times_that_cannot_be_are_refused(ask):
    with pytest.raises(BadInput, match="confirmation"):
        ask()
