"""Fusing two estimates of one object: consistent whatever they have in common, the same as textbook
algebra."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reported_tracks import Floats

from jointwatch.joint.fusion import HORIZON_S, WEIGHTS, intersect, invert

SCALE = np.array([300.0, 300.0, 300.0, 10.0, 10.0, 10.0, 0.3])
SEEDS = st.integers(0, 2**32 - 1)


def covariance(rng: np.random.Generator, spread: float = 1.0) -> Floats:
    """A random covariance (7, 7) of a track's scale: axes differ by up to some e^(4 spread), all
    correlated."""
    turn = np.linalg.qr(rng.normal(size=(7, 7)))[0]
    root = turn * np.exp(spread * rng.normal(size=7))
    return SCALE[:, None] * (root @ root.T) * SCALE


def fused(a: Floats, pa: Floats, b: Floats, pb: Floats) -> tuple[Floats, Floats, float]:
    mean, cov = np.empty(7), np.empty((7, 7))
    weight = intersect(a, pa, b, pb, mean, cov)
    return mean, cov, weight


def twin(a: Floats, pa: Floats, b: Floats, pb: Floats, w: float) -> tuple[Floats, Floats]:
    """Covariance intersection by its definition, with a given weight of the first."""
    ia, ib = np.linalg.inv(pa), np.linalg.inv(pb)
    cov = np.linalg.inv(w * ia + (1.0 - w) * ib)
    return cov @ (w * ia @ a + (1.0 - w) * ib @ b), cov


def scaled(cov: Floats) -> Floats:
    return cov / SCALE / SCALE[:, None]


def least(cov: Floats) -> float:
    """Smallest eigenvalue of a symmetric matrix, with every axis in its own scale."""
    return float(np.linalg.eigvalsh(scaled(0.5 * (cov + cov.T)))[0])


@pytest.mark.parametrize("seed", range(8))
def test_an_intersection_is_the_textbooks_with_the_weight_that_tells_best_where_it_will_be(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = SCALE * rng.normal(size=(2, 7))
    pa, pb = covariance(rng), covariance(rng)
    mean, cov, weight = fused(a, pa, b, pb)
    wanted_mean, wanted = twin(a, pa, b, pb, weight)
    assert np.allclose(scaled(cov), scaled(wanted), rtol=1e-9, atol=1e-9)
    assert np.allclose(mean / SCALE, wanted_mean / SCALE, rtol=1e-7, atol=1e-7)
    ahead = np.hstack([np.eye(3), HORIZON_S * np.eye(3)])
    grid = [
        np.trace(ahead @ twin(a, pa, b, pb, k / WEIGHTS)[1][:6, :6] @ ahead.T) for k in range(WEIGHTS + 1)
    ]
    assert np.trace(ahead @ cov[:6, :6] @ ahead.T) == pytest.approx(min(grid), rel=1e-5)
    # so it never tells worse than the better of the two alone
    assert min(grid) <= min(grid[0], grid[-1])


def test_an_inverse_is_numpys_and_its_logarithm_the_determinants() -> None:
    p = covariance(np.random.default_rng(1))
    out = np.empty((7, 7))
    log_det = invert(p, out)
    assert np.allclose(out @ p, np.eye(7), atol=1e-8)
    assert log_det == pytest.approx(np.linalg.slogdet(p)[1], rel=1e-12)


@given(seed=SEEDS)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_it_is_in_no_direction_surer_than_the_surer_of_the_two(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pa, pb = covariance(rng), covariance(rng)
    _, cov, _ = fused(np.zeros(7), pa, np.zeros(7), pb)
    for direction in rng.normal(size=(20, 7)) / SCALE:
        information = [
            direction @ np.linalg.solve(p / SCALE / SCALE[:, None], direction) for p in (pa, pb, cov)
        ]
        assert information[2] <= max(information[:2]) * (1.0 + 1e-9)


@given(seed=SEEDS, common=st.floats(0.0, 1.0))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_its_covariance_covers_the_true_one_whatever_the_two_have_in_common(seed: int, common: float) -> None:
    rng = np.random.default_rng(seed)
    pa, pb = covariance(rng, 0.5), covariance(rng, 0.5)
    turn = np.linalg.qr(rng.normal(size=(7, 7)))[0]
    cross = common * np.linalg.cholesky(pa) @ turn @ np.linalg.cholesky(pb).T
    _, cov, w = fused(np.zeros(7), pa, np.zeros(7), pb)
    ka, kb = w * cov @ np.linalg.inv(pa), (1.0 - w) * cov @ np.linalg.inv(pb)
    true = ka @ pa @ ka.T + kb @ pb @ kb.T + ka @ cross @ kb.T + kb @ cross.T @ ka.T
    assert least(cov - true) > -1e-6


@pytest.mark.parametrize("common", [0.0, 0.5, 0.9, 1.0])
def test_errors_agree_with_the_covariance_where_a_naive_sum_would_be_too_sure(common: float) -> None:
    """NEES over 1,500 draws: the two share part of their errors, as two radars of one manoeuvring object
    do."""
    rng = np.random.default_rng(7)
    pa = covariance(rng, 0.4)
    pb = pa + 0.3 * covariance(rng, 0.4)
    la, lb = np.linalg.cholesky(pa), np.linalg.cholesky(pb)
    ia, ib = np.linalg.inv(pa), np.linalg.inv(pb)
    naive_cov = np.linalg.inv(ia + ib)
    careful, naive = [], []
    for _ in range(1500):
        z, y = rng.normal(size=(2, 7))
        a, b = la @ z, lb @ (common * z + np.sqrt(1.0 - common**2) * y)
        mean, cov, _ = fused(a, pa, b, pb)
        careful.append(mean @ np.linalg.solve(cov, mean))
        sure = naive_cov @ (ia @ a + ib @ b)
        naive.append(sure @ np.linalg.solve(naive_cov, sure))
    slack = 3.0 * np.sqrt(2.0 * 7.0 / 1500.0)
    assert np.mean(careful) <= 7.0 + slack
    # nor is it so careful that it says nothing
    assert np.mean(careful) > 2.0
    if common >= 0.5:
        assert np.mean(naive) > 7.0 + slack
    if common == 1.0:
        assert np.mean(naive) > 12.0


def test_two_equal_estimates_share_the_weight() -> None:
    """Where every weight is as good, rounding must not choose: the middle halves what is not common."""
    rng = np.random.default_rng(3)
    p = covariance(rng)
    a, b = SCALE * rng.normal(size=(2, 7))
    mean, cov, weight = fused(a, p, b, p)
    assert weight == 0.5
    assert np.allclose(mean / SCALE, 0.5 * (a + b) / SCALE, atol=1e-9)
    assert np.allclose(scaled(cov), scaled(p), rtol=1e-9, atol=1e-9)


def test_a_much_better_estimate_stands_alone() -> None:
    rng = np.random.default_rng(4)
    a, b = SCALE * rng.normal(size=(2, 7))
    good = covariance(rng)
    for first, pf, second, ps, weight in ((a, good, b, 100.0 * good, 1.0), (a, 100.0 * good, b, good, 0.0)):
        mean, cov, w = fused(first, pf, second, ps)
        best = first if weight == 1.0 else second
        assert w == weight
        assert np.allclose(mean / SCALE, best / SCALE, atol=1e-8)
        assert np.allclose(scaled(cov), scaled(good), rtol=1e-8, atol=1e-8)


def test_an_estimate_without_a_proper_covariance_has_no_weight() -> None:
    rng = np.random.default_rng(5)
    a, b = SCALE * rng.normal(size=(2, 7))
    good, flat, negative = covariance(rng), np.zeros((7, 7)), -covariance(rng)
    for bad in (flat, negative):
        for first, second, weight in ((good, bad, 1.0), (bad, good, 0.0)):
            mean, cov, w = fused(a, first, b, second)
            assert w == weight
            assert (mean == (a if weight == 1.0 else b)).all()
            assert (cov == good).all()


class TextbookCase:
    """Two partners, one object in one dimension (shared reference problem: q = 1 m^2/s^3, R = 100 m^2, T = 1
    s, 60 updates): both run the same Kalman filter on their own plots; 2,000 runs as one batch."""

    RUNS, STEPS, SETTLED = 2000, 60, 40

    def __init__(self) -> None:
        rng = np.random.default_rng(2026)
        f = np.array([[1.0, 1.0], [0.0, 1.0]])
        q = np.array([[1.0 / 3.0, 0.5], [0.5, 1.0]])
        truth = np.array([0.0, 30.0]) + rng.normal(size=(self.RUNS, 2)) * 100.0
        p = np.diag([1e4, 1e4])
        estimates = np.tile([0.0, 30.0], (2, self.RUNS, 1))
        self.settled: list[tuple[Floats, Floats]] = []
        for step in range(self.STEPS):
            truth = truth @ f.T + rng.multivariate_normal([0.0, 0.0], q, self.RUNS)
            p = f @ p @ f.T + q
            estimates = estimates @ f.T
            gain = p[:, 0] / (p[0, 0] + 100.0)
            plots = truth[None, :, 0] + 10.0 * rng.normal(size=(2, self.RUNS))
            estimates = estimates + (plots - estimates[:, :, 0])[:, :, None] * gain
            p = p - np.outer(gain, p[0])
            if step >= self.SETTLED:
                self.settled.append((estimates - truth, p))

    def figures(
        self, combine: Callable[[Floats, Floats], tuple[Floats, Floats]]
    ) -> tuple[float, float, float]:
        """RMSE of position and velocity and average NEES, over all runs once the filters have settled."""
        squares, nees = [], []
        for errors, p in self.settled:
            e, cov = combine(errors, p)
            squares.append((e**2).mean(axis=0))
            nees.append(np.einsum("ri,ri->r", e, np.linalg.solve(cov, e.T).T).mean())
        rmse = np.sqrt(np.mean(squares, axis=0))
        return float(rmse[0]), float(rmse[1]), float(np.mean(nees))


def in_seven(p: Floats) -> Floats:
    """A covariance (2, 2) of one axis, the other five elements known equally well by both."""
    c = np.eye(7)
    c[np.ix_([0, 3], [0, 3])] = p
    return c


def test_a_textbook_case_comes_out() -> None:
    case = TextbookCase()

    def one(errors: Floats, p: Floats) -> tuple[Floats, Floats]:
        return errors[0], p

    def naive(errors: Floats, p: Floats) -> tuple[Floats, Floats]:
        return errors.mean(axis=0), 0.5 * p

    def careful(errors: Floats, p: Floats) -> tuple[Floats, Floats]:
        # the weight depends on the covariances alone; the mean is checked on the first run
        first = np.zeros((2, 7))
        first[:, [0, 3]] = errors[:, 0]
        mean, cov, w = fused(first[0], in_seven(p), first[1], in_seven(p))
        both = w * errors[0] + (1.0 - w) * errors[1]
        assert np.allclose(mean[[0, 3]], both[0], atol=1e-8)
        return both, cov[np.ix_([0, 3], [0, 3])]

    # the printed figures are of another 2,000 draws: each side is good to 1.5 %
    assert case.figures(one) == pytest.approx((5.957, 1.969, 1.985), rel=0.03)
    assert case.figures(naive) == pytest.approx((4.711, 1.837, 2.971), rel=0.03)
    # both know the object equally well, so the even weight: the naive sum's estimate with an honest
    # covariance
    assert case.figures(careful) == pytest.approx((4.711, 1.837, 2.971 / 2.0), rel=0.03)
