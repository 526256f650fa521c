"""Whatever looks tell, and of whatever: a launch's points are finite and before the coast, or there are none.

In: looks drawn at random (a burn and a coast, or anything else; known to millimetres or hardly, in all
directions or one, far apart or at once); out: nothing raises, and the same looks give the same bits.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from jointwatch.earth.frames import enu_rotation, geodetic2ecef
from jointwatch.launch.beginning import Looks, beginning_of
from jointwatch.launch.estimate import launch_points
from jointwatch.motion.phases import BALLISTIC, BOOST, PRIOR_MEAN
from jointwatch.motion.propagate import propagate

S = 1_000_000_000


def flown(rng):
    """Seconds and states (n, 7) of a burn, perhaps, and a coast; or of what jumps about."""
    latitude, longitude = rng.choice([rng.uniform(-1.2, 1.2), math.pi / 2 - 1e-6]), rng.uniform(-3.2, 3.2)
    height, speed = rng.choice([-1e3, 10.0, 1e4, 1e5, 1e6]), 10.0 ** rng.uniform(0.0, 3.8)
    level = enu_rotation(latitude, longitude)
    ahead = rng.standard_normal(3) + np.array([0.0, 0.0, 1.0])
    ahead = level.T @ (ahead / np.linalg.norm(ahead))
    s = np.array([*geodetic2ecef(latitude, longitude, height), *(speed * ahead), 0.0])
    burns, coasts, every = int(rng.integers(0, 8)), int(rng.integers(1, 30)), 10.0 ** rng.uniform(-1.0, 1.5)
    times, out, at = [], [], 0.0
    for k in range(burns + coasts):
        phase = BOOST if k < burns else BALLISTIC
        s[6] = 10.0 ** rng.uniform(0.0, 2.5) if phase == BOOST else PRIOR_MEAN[BALLISTIC] + rng.normal()
        step = 0.0 if rng.random() < 0.1 else every * (10.0 if rng.random() < 0.05 else 1.0)
        propagate(phase, s, step)
        at += step
        if rng.random() < 0.03:
            s[:6] += rng.standard_normal(6) * 1e3
        times.append(at)
        out.append(s.copy())
    return np.array(times), np.array(out)


def informed(rng):
    """An information (6, 6): of a place to a millimetre or ten kilometres, of more or less than that."""
    sigma = 10.0 ** rng.uniform(-3.0, 4.0, 6)
    turn = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    kept = rng.random(6) < rng.choice([0.0, 0.6, 1.0], p=[0.05, 0.35, 0.6])
    information = turn @ np.diag(kept / sigma**2) @ turn.T
    return 0.5 * (information + information.T)


@pytest.mark.parametrize("seed", range(120))
def test_any_looks_say_something_finite_or_nothing(seed):
    rng = np.random.default_rng(seed)
    times, states = flown(rng)
    informations = np.array([informed(rng) for _ in times])
    points = states[:, :6] + rng.standard_normal((len(times), 6)) * 10.0 ** rng.uniform(-2.0, 3.5)
    looks = Looks(np.round(times * S).astype(np.int64), points, informations)
    wide = np.diag(10.0 ** rng.uniform(-2.0, 8.0, 7))
    latest = states[-1] + rng.standard_normal(7) * 10.0
    first = beginning_of(looks, int(looks.times_ns[-1]), latest, wide)
    made = launch_points(first, None)
    again = beginning_of(looks, int(looks.times_ns[-1]), latest, wide)
    np.testing.assert_array_equal(again.state, first.state)
    if made is None:
        return
    for values in (made.latitude, made.longitude, made.seconds, made.azimuth):
        assert np.isfinite(values).all()
    assert (made.seconds < 0.0).all() and (np.abs(made.latitude) <= math.pi / 2).all()
    assert sum(made.classes.values()) == pytest.approx(1.0)
    if first.ended is not None:
        least, most = first.ended.between(first.covariance)
        assert 0.0 <= least <= most <= first.ended.span_s
