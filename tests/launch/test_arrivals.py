"""The number of launches from counts of plots and how far they have flown: it holds the truth, and knows what
counts alone cannot tell."""

import math

import numpy as np
import pytest

from jointwatch.launch.arrivals import Counted, probability_of_number

LOG_LASTS = np.linspace(math.log(1.5), math.log(300.0), 48)
FLAT = np.zeros(len(LOG_LASTS))


def looked(number, span_s, lasts_s, seed, until=math.inf, speed=500.0, area_m=5e3):
    """Two satellites' looks at launches even over a span, and how many of them began by the last."""
    rng = np.random.default_rng(seed)
    begin, off = rng.uniform(0.0, span_s, number), rng.normal(0.0, area_m, number)
    end = begin + lasts_s * (1.0 + 0.1 * rng.uniform(-1.0, 1.0, number))
    rows = []
    for e in range(2):
        for t in np.arange(rng.uniform(0.0, 10.0) - 40.0, min(end.max() + 35.0, until), 10.0):
            seen = (begin <= t) & (t < end) & (rng.uniform(size=number) < 0.9)
            age = t - begin[seen]
            far = off[seen] + speed * (age + age**2 / 40.0)
            middle = far.mean() if len(far) else 0.0
            rows.append((t, e, len(far), middle, ((far - middle) ** 2).sum()))
    times, eye, counts, far, scatter = (np.ascontiguousarray(c) for c in np.array(sorted(rows)).T)
    truth = int((begin <= times[-1]).sum())
    return Counted(times, eye.astype(np.int64), counts, far, scatter, np.full(len(times), 0.9)), truth


def told(looks, log_prior=FLAT):
    """The interval of nine in ten."""
    p = probability_of_number(looks, 0.005, LOG_LASTS, log_prior)
    assert p.sum() == pytest.approx(1.0) and (p >= 0.0).all()
    return tuple(int(np.searchsorted(np.cumsum(p), share)) for share in (0.05, 0.95))


def test_thirty_in_twenty_seconds_are_counted():
    fewest, most = told(looked(30, 20.0, 60.0, 1)[0])
    assert 25 <= fewest <= 30 <= most <= 36


def test_many_that_show_shortly_are_not_taken_for_few_that_show_for_long():
    """30 that show 55 s over 120 s and 14 that show 120 s over 55 s give the same counts."""
    many, few = told(looked(30, 120.0, 55.0, 2)[0]), told(looked(14, 55.0, 120.0, 2)[0])
    assert many[0] <= 30 <= many[1] and few[0] <= 14 <= few[1]
    assert few[1] < many[0]


def test_intervals_hold_and_are_narrow_enough_to_be_of_use():
    held, widths = [], []
    for seed in range(24):
        looks, truth = looked(
            20, (20.0, 120.0)[seed % 2], 50.0, 100 + seed, until=(90.0, math.inf)[seed % 3 > 0]
        )
        fewest, most = told(looks)
        held.append(fewest <= truth <= most)
        widths.append(most - fewest)
    assert np.mean(held) >= 0.8 and np.median(widths) <= 9


def test_a_single_plot_long_before_moves_nothing():
    looks, _ = looked(30, 20.0, 60.0, 3)
    early = looks.counts.copy()
    early[1] = 1.0
    false = Counted(looks.times_s, looks.eye, early, looks.far, looks.scatter, looks.detection)
    assert np.abs(np.subtract(told(false), told(looks))).max() <= 1


def test_nothing_seen_is_no_launch():
    looks, _ = looked(5, 20.0, 60.0, 4, until=0.0)
    assert told(looks) == (0, 0)


def test_the_same_looks_give_the_same_numbers():
    a, b = (probability_of_number(looked(12, 60.0, 40.0, 5)[0], 0.005, LOG_LASTS, FLAT) for _ in range(2))
    assert a.tobytes() == b.tobytes()
