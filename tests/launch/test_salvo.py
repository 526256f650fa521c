"""The number of launches of a salvo: it holds the truth as often as stated, over simulated looks."""

import numpy as np
import pytest

from jointwatch.launch.salvo import Plots, number_of


def mean(p):
    return float(np.arange(len(p)) @ p)


def test_it_is_a_distribution_about_what_was_seen():
    p = number_of(np.ones(20), [Plots(27, 1, 0, 0.9, 0.0), Plots(26, 1, 0, 0.9, 0.0)])
    assert p.sum() == pytest.approx(1.0) and 27 <= mean(p) <= 36


def test_more_plots_in_one_look_mean_more_launches():
    few = number_of(np.ones(15), [Plots(18, 1, 0, 0.9, 0.0)])
    more = number_of(np.ones(15), [Plots(25, 1, 0, 0.9, 0.0)])
    assert mean(more) > mean(few) + 4.0


def test_a_long_salvo_is_counted_by_all_looks_together():
    """Ten at a time of forty that burn for two looks each."""
    p = number_of(np.ones(10), [Plots(10, 1, 72, 0.9, 2.0), Plots(11, 1, 72, 0.9, 2.0)])
    assert 20 < mean(p) < 50 > mean(number_of(np.ones(10), [Plots(10, 1, 0, 0.9, 0.0)]))


def test_without_plots_counted_no_fewer_than_the_burns():
    p = number_of(np.ones(5), [])
    assert np.cumsum(p)[3] < 0.1 and int(np.argmax(p)) >= 4


def test_doubtful_burns_count_for_less():
    assert mean(number_of(np.full(5, 0.5), [])) < mean(number_of(np.ones(5), []))


def test_nine_intervals_in_ten_hold_the_number():
    rng = np.random.default_rng(1)
    held, runs = 0, 200
    for _ in range(runs):
        n = int(rng.integers(5, 40))
        confirmed = int(rng.integers(n // 3, n + 1))
        burning = round(n * rng.beta(6.0, 1.0))
        seen = [Plots(int(rng.binomial(burning, 0.9, 3).max()), 3, 0, 0.9, 0.0) for _ in range(2)]
        upto = np.cumsum(number_of(np.ones(min(confirmed, burning)), seen))
        held += int(np.searchsorted(upto, 0.05)) <= n <= int(np.searchsorted(upto, 0.95))
    assert held / runs > 0.85
