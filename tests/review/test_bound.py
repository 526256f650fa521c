"""The posterior Cramer-Rao bound against values worked by hand and a published problem."""

from __future__ import annotations

import numpy as np
import pytest

from jointwatch.review.bound import (
    covariance_of,
    information_of_each,
    jacobians,
    pcrlb,
    pcrlb_over_detections,
)

ONE = np.ones((1, 1))


def constant(matrix: np.ndarray, runs: int, steps: int) -> np.ndarray:
    return np.broadcast_to(matrix, (runs, steps, *matrix.shape))


def random_walk(steps: int, pd: float) -> np.ndarray:
    """Bound of a walk with steps and looks of variance 1, known to 1 at the start: (steps,)."""
    f = constant(ONE, 1, steps)
    return pcrlb(f, ONE, f, ONE, ONE, pd)[:, 0, 0]


def test_a_walk_seen_at_every_step_settles_at_the_golden_ratio() -> None:
    # J = 1 / (1 + 1 / J) + 1 has the root (1 + sqrt 5) / 2
    assert random_walk(40, 1.0)[-1] == pytest.approx(2.0 / (1.0 + np.sqrt(5.0)), rel=1e-12)
    # from 1: predicted 2, seen 2/3; predicted 5/3, seen 5/8
    assert random_walk(2, 1.0) == pytest.approx([2 / 3, 5 / 8])


def test_a_walk_seen_at_every_other_step_stays_where_it_is() -> None:
    # half the information a step: J = 1 / (1 + 1 / J) + 1/2 has the root 1
    assert random_walk(5, 0.5) == pytest.approx(np.ones(5))


def test_flights_side_by_side_have_each_its_own_bound() -> None:
    # of two walks one is seen at every step and one with half the information: as each is by itself above
    f = constant(ONE, 2, 40)
    seen = f * np.array([1.0, 0.5])[:, None, None, None]
    out = covariance_of(information_of_each(f, f, seen, ONE))[:, :, 0, 0]
    assert out[0, :2] == pytest.approx([2 / 3, 5 / 8])
    assert out[0, -1] == pytest.approx(2.0 / (1.0 + np.sqrt(5.0)), rel=1e-12)
    assert out[1] == pytest.approx(np.ones(40))
    # what stands still and is seen k times without noise is known to 1 / k, from nothing at the start
    still = covariance_of(information_of_each(f, 0.0 * f, seen, 0.0 * ONE))[:, :, 0, 0]
    assert still[0] == pytest.approx(1.0 / np.arange(1, 41))
    assert still[1] == pytest.approx(2.0 / np.arange(1, 41))


def test_each_sequence_of_detections_has_its_own_bound() -> None:
    f = constant(ONE, 1, 2)
    out = pcrlb_over_detections(f, ONE, f, ONE, ONE, 0.5)[:, 0, 0]
    # 2/3 or 2; then of these 5/8 or 5/3, and 3/4 or 3
    assert out == pytest.approx([(2 / 3 + 2) / 2, (5 / 8 + 5 / 3 + 3 / 4 + 3) / 4])


def test_a_weighed_look_is_never_worth_less_than_a_chance_of_one() -> None:
    steps = 8
    f = constant(np.array([[1.0, 1.0], [0.0, 1.0]]), 1, steps)
    h = constant(np.array([[1.0, 0.0]]), 1, steps)
    q = np.array([[1 / 3, 1 / 2], [1 / 2, 1.0]])
    args = (f, q, h, np.eye(1) * 4.0, np.eye(2))
    weighed = pcrlb(*args, pd=0.7)
    whole = pcrlb_over_detections(*args, pd=0.7)
    assert (np.linalg.eigvalsh(whole - weighed) > 0.0).all()
    drawn = pcrlb_over_detections(*args, pd=0.7, sequences=200, seed=1)
    assert drawn == pytest.approx(whole, rel=0.15)
    assert pcrlb_over_detections(*args, pd=1.0) == pytest.approx(pcrlb(*args))


def test_a_straight_line_is_known_as_a_fit_through_its_points() -> None:
    # no process noise and nothing known at first: 2 (2k - 1) / (k (k + 1)) and 12 / (k (k^2 - 1)) of the
    # looks' variance for the last place and the speed (Bar-Shalom, Li & Kirubarajan 2001, section 3.5)
    steps = 10
    f = constant(np.array([[1.0, 1.0], [0.0, 1.0]]), 3, steps)
    h = constant(np.array([[1.0, 0.0]]), 3, steps)
    out = pcrlb(f, np.zeros((2, 2)), h, np.eye(1) * 9.0, np.zeros((2, 2)))
    assert np.isinf(out[0]).all()  # one look gives no speed
    k = np.arange(2, steps + 1)
    assert out[1:, 0, 0] == pytest.approx(9.0 * 2 * (2 * k - 1) / (k * (k + 1)))
    assert out[1:, 1, 1] == pytest.approx(9.0 * 12 / (k * (k**2 - 1)))


def test_a_straight_flight_is_known_as_its_kalman_filter_knows_it() -> None:
    # white acceleration of 1 m^2/s^3, looks of 10 m a second: exact after 40 s by the Kalman filter
    f = constant(np.array([[1.0, 1.0], [0.0, 1.0]]), 1, 40)
    h = constant(np.array([[1.0, 0.0]]), 1, 40)
    q = np.array([[1 / 3, 1 / 2], [1 / 2, 1.0]])
    sigma = np.sqrt(np.diagonal(pcrlb(f, q, h, np.eye(1) * 100.0, np.eye(2) * 1e-4)[-1]))
    assert sigma == pytest.approx([6.005, 2.002], abs=5e-4)


def test_flights_that_differ_are_averaged_as_in_the_paper() -> None:
    rng = np.random.default_rng(2)
    runs, steps, n = 20, 6, 3
    f = np.eye(n) + 0.3 * rng.normal(size=(runs, steps, n, n))
    h = rng.normal(size=(runs, steps, 2, n))
    a = rng.normal(size=(n, n))
    q, r = a @ a.T + np.eye(n), np.diag([0.5, 2.0])
    pd = rng.uniform(0.2, 1.0, (runs, steps))
    out = pcrlb(f, q, h, r, np.eye(n), pd)
    j, qi = np.eye(n), np.linalg.inv(q)
    for k in range(steps):
        # Tichavsky, Muravchik & Nehorai 1998: J = D22 - D21 (J + D11)^-1 D12
        d11 = np.mean([f[i, k].T @ qi @ f[i, k] for i in range(runs)], axis=0)
        d12 = -np.mean([f[i, k].T @ qi for i in range(runs)], axis=0)
        seen = np.mean([pd[i, k] * h[i, k].T @ np.linalg.inv(r) @ h[i, k] for i in range(runs)], axis=0)
        j = qi + seen - d12.T @ np.linalg.inv(j + d11) @ d12
        assert out[k] == pytest.approx(np.linalg.inv(j), rel=1e-9)


def test_noise_that_drives_one_direction_only_is_the_limit_of_a_little_in_the_others() -> None:
    turn = np.array([[1.0, 1.0], [0.0, 1.0]])
    f, h = constant(turn, 1, 12), constant(np.array([[1.0, 0.0]]), 1, 12)
    drive = np.outer([0.5, 1.0], [0.5, 1.0])  # an acceleration held for the step
    singular = pcrlb(f, drive, h, ONE, np.eye(2))
    nearly = pcrlb(f, drive + 1e-9 * np.eye(2), h, ONE, np.eye(2))
    assert singular == pytest.approx(nearly, rel=1e-6)


# Re-entry with known drag (Farina, Ristic & Benvenuti 2002): x, vx, y, vy in metres and seconds.
T_S, GRAVITY, DRAG = 2.0, 9.81, 40000.0


def density(y: np.ndarray, layer_of: np.ndarray) -> np.ndarray:
    lower = layer_of < 9144.0
    return np.where(lower, 1.227, 1.754) * np.exp(-np.where(lower, 1.093e-4, 1.49e-4) * y)


def fall(state: np.ndarray, layer_of: np.ndarray) -> np.ndarray:
    x, vx, y, vy = np.moveaxis(state, -1, 0)
    drag = -0.5 * GRAVITY / DRAG * density(y, layer_of) * np.hypot(vx, vy)
    ax, ay = drag * vx, drag * vy - GRAVITY
    half = 0.5 * T_S * T_S
    return np.stack([x + T_S * vx + half * ax, vx + T_S * ax, y + T_S * vy + half * ay, vy + T_S * ay], -1)


def look(state: np.ndarray) -> np.ndarray:
    return np.stack([np.hypot(state[..., 0], state[..., 2]), np.arctan2(state[..., 2], state[..., 0])], -1)


def test_a_re_entry_is_bounded_as_published() -> None:
    runs, steps = 500, 60
    rng = np.random.default_rng(0)
    q = np.kron(np.eye(2), [[T_S**3 / 3, T_S**2 / 2], [T_S**2 / 2, T_S]])
    shape = np.linalg.cholesky(q)
    heading = np.radians(190.0)
    truth = np.empty((runs, steps + 1, 4))
    truth[:, 0] = 232e3, 2290.0 * np.cos(heading), 88e3, 2290.0 * np.sin(heading)
    for k in range(steps):
        noise = rng.normal(size=(runs, 4)) @ shape.T
        truth[:, k + 1] = fall(truth[:, k], truth[:, k, 2]) + noise
    spread = np.array([10.0, 0.1, 10.0, 0.1])
    f = jacobians(lambda s: fall(s, truth[:, :-1, 2]), truth[:, :-1], spread)
    h = jacobians(look, truth[:, 1:], spread)
    r = np.diag([100.0**2, 0.017**2])
    # the first two looks give the start: place with the second, velocity with their difference
    back = np.linalg.inv(h[:, 0][:, :, [0, 2]].mean(axis=0))
    start = np.kron(back @ r @ back.T, [[1.0, 1.0 / T_S], [1.0 / T_S, 2.0 / T_S**2]])
    out = pcrlb(f[:, 1:], q, h[:, 1:], r, np.linalg.inv(start))
    for time_s, expected in {
        40: (475.1, 21.89, 1073.2, 50.77),
        80: (204.8, 11.04, 372.6, 11.86),
        100: (79.06, 6.35, 76.43, 3.33),
        120: (41.21, 2.70, 44.89, 2.49),
    }.items():
        # the figures were computed with 500 other runs, and are rounded
        assert np.sqrt(np.diagonal(out[time_s // 2 - 2])) == pytest.approx(expected, rel=0.01)
