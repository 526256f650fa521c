"""The number of launches of a salvo: it holds the truth as often as stated, over simulated looks."""

import numpy as np
import pytest

from jointwatch.launch.salvo import Fullest, number_of


def test_it_is_a_distribution_about_what_was_seen():
    p = number_of(np.ones(30), [Fullest(28, 0.9, 2, 30, 30), Fullest(27, 0.9, 2, 30, 30)])
    assert p.sum() == pytest.approx(1.0)
    assert 29 <= int(np.argmax(p)) <= 32


def test_more_plots_than_burns_mean_more_launches():
    few = number_of(np.ones(20), [Fullest(18, 0.9, 2, 20, 20)])
    more = number_of(np.ones(20), [Fullest(25, 0.9, 2, 20, 20)])
    n = np.arange(max(len(few), len(more)))
    assert (more * n[: len(more)]).sum() > (few * n[: len(few)]).sum() + 1.0


def test_doubtful_burns_count_for_less():
    sure = number_of(np.ones(5), [])
    doubtful = number_of(np.full(5, 0.6), [])
    assert int(np.argmax(doubtful)) < int(np.argmax(sure))


def test_nine_intervals_in_ten_hold_the_number():
    rng = np.random.default_rng(1)
    held, runs = 0, 200
    for _ in range(runs):
        n = int(rng.integers(5, 40))
        confirmed = int(rng.binomial(n, 0.97))
        fullest = []
        for _ in range(2):
            burning = int(rng.binomial(n, 0.95))
            looks = rng.binomial(burning, 0.9, 2)
            fullest.append(
                Fullest(int(looks.max()), 0.9, 2, min(confirmed, round(0.95 * confirmed)), confirmed)
            )
        upto = np.cumsum(number_of(np.ones(confirmed), fullest))
        held += int(np.searchsorted(upto, 0.05)) <= n <= int(np.searchsorted(upto, 0.95))
    assert held / runs > 0.85
