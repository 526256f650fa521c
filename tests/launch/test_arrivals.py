"""The number of launches from counts of plots: it holds the truth, and knows what counts cannot tell."""

import math

import numpy as np
import pytest

from jointwatch.launch.arrivals import draws_of_number

LOG_LASTS = np.linspace(math.log(1.5), math.log(300.0), 80)


def known(lasts_s, within=0.2):
    return -0.5 * ((LOG_LASTS - math.log(lasts_s)) / within) ** 2


def looked(number, span_s, lasts_s, rng, eyes=2, detection=0.9, until=math.inf):
    """Looks at launches even over a span that show so long: times, counts, and how many began by the last."""
    begin = rng.uniform(0.0, span_s, number)
    end = begin + lasts_s * (1.0 + 0.1 * rng.uniform(-1.0, 1.0, number))
    phases = rng.uniform(0.0, 10.0, eyes)
    times = np.sort(np.concatenate([np.arange(p - 40.0, end.max() + 35.0, 10.0) for p in phases]))
    times = times[times <= until]
    shows = ((begin[:, None] <= times) & (times < end[:, None])).sum(axis=0)
    return times, rng.binomial(shows, detection), int((begin <= times[-1]).sum())


def number(times, counts, log_prior, moves=30_000):
    draws, weight = draws_of_number(
        times, counts, np.full(len(times), 0.9), 0.005, LOG_LASTS, log_prior, moves
    )
    return np.bincount(draws, weight)


def at(p, share):
    return int(np.searchsorted(np.cumsum(p), share))


def test_thirty_in_twenty_seconds_are_counted():
    times, counts, _ = looked(30, 20.0, 60.0, np.random.default_rng(1))
    p = number(times, counts, known(60.0))
    assert p.sum() == pytest.approx(1.0)
    assert at(p, 0.05) <= 30 <= at(p, 0.95) and at(p, 0.95) - at(p, 0.05) <= 6


def test_nine_intervals_in_ten_hold_the_number():
    rng, held, ranks, runs = np.random.default_rng(2), 0, [], 60
    for k in range(runs):
        lasts = float(rng.uniform(15.0, 80.0))
        until = math.inf if k % 2 else 60.0
        times, counts, n = looked(
            int(rng.integers(3, 50)), float(rng.choice([5.0, 20.0, 90.0])), lasts, rng, 2, 0.9, until
        )
        p = number(times, counts, known(lasts * math.exp(0.2 * rng.normal())))
        held += at(p, 0.05) <= n <= at(p, 0.95)
        ranks.append(p[:n].sum() + 0.5 * (p[n] if n < len(p) else 0.0))
    assert held / runs > 0.8 and 0.35 < np.mean(ranks) < 0.65


def test_how_long_a_launch_shows_decides_what_counts_leave_open():
    """Twelve at a time for two minutes: thirty that show for fifty seconds, or fewer for longer."""
    times, counts, _ = looked(30, 120.0, 50.0, np.random.default_rng(3))
    few = number(times, counts, known(100.0, 0.1))
    many = number(times, counts, known(50.0, 0.1))
    assert at(few, 0.5) < 22 and 25 <= at(many, 0.5) <= 36


def test_looks_without_plots_are_no_launch():
    p = number(np.arange(5.0), np.zeros(5, np.int64), known(50.0))
    assert p.tolist() == [1.0]


def test_the_same_looks_give_the_same_draws():
    times, counts, _ = looked(10, 20.0, 40.0, np.random.default_rng(4), 1)
    assert (number(times, counts, known(40.0)) == number(times, counts, known(40.0))).all()
