"""One object followed by tracklets: against plain NumPy, against a filter that has all the plots, and honest.

A tracklet is a measurement ready made, so a bank of one motion is a Kalman filter and the three flight phases
are interacting models; the twins say so in information form, where the kernel uses a factor.
"""

from __future__ import annotations

import numpy as np
import pytest
from made_tracklets import (
    LINE,
    SECOND_NS,
    START_NS,
    SURE,
    Floats,
    at_s,
    fix,
    random_information,
    table,
    value,
)
from reported_tracks import place
from scipy.stats import chi2

from jointwatch.joint.filter import ANYWHERE_M, LEAST_MOTION, follow, states_at
from jointwatch.motion.phases import BALLISTIC, BOOST
from jointwatch.motion.plane import LEVEL
from jointwatch.motion.propagate import predict_motion
from jointwatch.tracking.bank import (
    AXES,
    BIRTH,
    END,
    FLIGHT,
    KIND,
    MEAN,
    NOISE,
    SIGMA,
    SPEED,
    WALK,
    Motion,
    bank_of,
)
from jointwatch.tracking.interaction import mix
from jointwatch.tracking.table import CONFIRMED, FREE

F = np.array([[1.0, 1.0], [0.0, 1.0]])
Q = np.array([[1.0 / 3.0, 0.5], [0.5, 1.0]])


class Twin:
    """A row as `follow` should make it, in NumPy."""

    def __init__(self, bank: Floats) -> None:
        self.bank = bank
        self.means = np.zeros((len(bank), 7))
        self.covariances = np.zeros((len(bank), 7, 7))
        self.phase = bank[:, BIRTH].copy()
        self.log_odds, self.time_ns, self.hits = 0.0, 0, 0

    def follow(self, times: list[int], values: Floats) -> None:
        for time_ns, one in zip(times, values, strict=True):
            point, information, evidence = one[:6], one[6:42].reshape(6, 6), one[42]
            told = np.diag(information).max() > 0.0
            if not self.time_ns:
                if told:
                    self.begin(time_ns, point, information)
                self.log_odds += evidence
            else:
                self.predict(time_ns)
                if told:
                    self.take(point, information)
                self.log_odds += evidence
            if self.time_ns:
                self.log_odds = float(np.clip(self.log_odds, -SURE, SURE))
                self.hits += told

    def begin(self, time_ns: int, point: Floats, information: Floats) -> None:
        """Bayes' rule for what is anywhere and at rest, as far as the first tracklet does not tell."""
        for k, motion in enumerate(self.bank):
            prior = np.diag([*[1.0 / ANYWHERE_M**2] * 3, *[1.0 / motion[SPEED] ** 2] * 3])
            at = np.array([*point[:3], 0.0, 0.0, 0.0])
            cov = np.linalg.inv(information + prior)
            self.means[k] = [*(cov @ (information @ point + prior @ at)), motion[MEAN]]
            self.covariances[k, :6, :6], self.covariances[k, 6, 6] = cov, motion[SIGMA] ** 2
        self.time_ns = time_ns

    def predict(self, time_ns: int) -> None:
        dt = (time_ns - self.time_ns) * 1e-9
        self.time_ns = time_ns
        if len(self.bank) > 1:
            mix(self.bank, self.means, self.covariances, self.phase, dt)
        for k, m in enumerate(self.bank):
            predict_motion(
                int(m[KIND]), self.means[k], self.covariances[k], dt, m[NOISE], m[WALK], int(m[AXES])
            )
        end = self.phase * (1.0 - np.exp(-dt * self.bank[:, END]))
        existence = 1.0 / (1.0 + np.exp(-self.log_odds))
        lives = existence * (1.0 - end.sum())
        self.log_odds = np.log(lives) - np.log1p(-lives)
        self.phase = (self.phase - end) / (1.0 - end.sum())

    def take(self, point: Floats, information: Floats) -> None:
        wide = np.zeros((7, 7))
        wide[:6, :6] = information
        eigen, axes = np.linalg.eigh(information)
        h = np.zeros((6, 7))
        h[:, :6] = (axes * np.sqrt(np.maximum(eigen, 0.0))).T  # unit noise: h' h is the information
        fits = np.zeros(len(self.bank))
        for k in range(len(self.bank)):
            p, y = self.covariances[k], h[:, :6] @ (point - self.means[k, :6])
            s = h @ p @ h.T + np.eye(6)
            gain = p @ h.T @ np.linalg.inv(s)
            fits[k] = -0.5 * (y @ np.linalg.solve(s, y) + np.linalg.slogdet(s)[1])
            self.means[k] = self.means[k] + gain @ y
            left = np.eye(7) - gain @ h
            self.covariances[k] = left @ p @ left.T + gain @ gain.T
        joint = self.phase * np.exp(fits - fits.max())
        self.phase = joint / joint.sum() + LEAST_MOTION
        self.phase /= self.phase.sum()


def followed(bank: Floats, times: list[int], values: Floats) -> np.void:
    rows = table()
    follow(rows, 0, bank, SURE, np.array(times), np.array(values))
    return rows[0]


def assert_like(row: np.void, twin: Twin, tolerance: float = 1e-6) -> None:
    """Errors by the row's own standard deviations."""
    assert row["life"] == CONFIRMED and row["time_ns"] == twin.time_ns and row["hits"] == twin.hits
    assert row["log_odds"] == pytest.approx(twin.log_odds, abs=1e-5)
    for k in range(len(twin.bank)):
        d = np.sqrt(np.diag(twin.covariances[k])) + 1e-12
        assert np.abs((row["mean"][k] - twin.means[k]) / d).max() < tolerance
        assert np.abs((row["covariance"][k] - twin.covariances[k]) / np.outer(d, d)).max() < tolerance
        assert row["phase"][k] == pytest.approx(twin.phase[k], rel=1e-5, abs=1e-12)


def coast(rng: np.random.Generator, looks: int) -> tuple[list[int], list[Floats]]:
    """Tracklets of a missile that coasts, of any kind of sensor, seconds apart; some looks give no plot."""
    truth = place(33.0, 41.0, 150e3, -2000.0, -200.0, 300.0)
    times, values, time_ns = [], [], START_NS
    for k in range(looks):
        step = float(rng.uniform(0.0, 4.0)) if k else 0.0
        time_ns += round(step * 1e9)
        predict_motion(BALLISTIC, truth, np.zeros((7, 7)), step, 0.0, 0.0, 3)
        rank = 3 if k == 0 else int(rng.integers(0, 5))
        information = random_information(rng, rank, 100.0, 10.0)
        noise = np.linalg.pinv(information, rcond=1e-9) if rank else np.zeros((6, 6))
        error = rng.multivariate_normal(np.zeros(6), noise, check_valid="ignore")
        times.append(time_ns)
        values.append(value(truth[:6] + error, information, float(rng.normal(1.0, 2.0))))
    return times, values


@pytest.mark.parametrize("seed", range(4))
def test_with_one_motion_it_is_a_kalman_filter(seed: int) -> None:
    bank = bank_of(Motion(kind=LEVEL, noise=1.0, speed_sigma_ms=1500.0))
    rng = np.random.default_rng(seed)
    times, values = [], []
    for k in range(30):
        times.append(at_s(k * 1.3))
        rank = 3 if k == 0 else int(rng.integers(0, 7))
        values.append(value(rng.normal(0.0, 300.0, 6), random_information(rng, rank, 50.0, 9.0), 0.3))
    twin = Twin(bank)
    twin.follow(times, values)
    assert_like(followed(bank, times, values), twin)


@pytest.mark.parametrize("seed", range(6))
def test_with_the_flight_phases_it_is_interacting_models(seed: int) -> None:
    times, values = coast(np.random.default_rng(seed), 12)
    twin = Twin(FLIGHT)
    twin.follow(times, values)
    assert_like(followed(FLIGHT, times, values), twin, 1e-4)


def test_a_look_that_gave_no_plot_leaves_the_state_to_the_prediction_and_adds_its_evidence() -> None:
    rng = np.random.default_rng(3)
    times, values = coast(rng, 6)
    empty = value(rng.normal(size=6), np.zeros((6, 6)), -1.5)
    row = followed(FLIGHT, [*times, times[-1]], [*values, empty])
    before = followed(FLIGHT, times, values)
    assert row["mean"].tobytes() == before["mean"].tobytes()
    assert row["covariance"].tobytes() == before["covariance"].tobytes()
    assert row["hits"] == before["hits"] and row["seen_ns"] == before["seen_ns"]
    assert row["log_odds"] == pytest.approx(before["log_odds"] - 1.5)


def test_that_it_exists_may_be_known_before_where_it_is() -> None:
    nothing = value(np.zeros(6), np.zeros((6, 6)), 2.5)
    row = followed(LINE, [at_s(0.0)], [nothing])
    assert row["life"] == FREE and row["log_odds"] == 2.5
    row = followed(LINE, [at_s(0.0), at_s(3.0)], [nothing, fix(np.ones(3), 10.0, 1.0)])
    assert row["life"] == CONFIRMED and row["log_odds"] == 3.5
    assert row["first_ns"] == row["time_ns"] == row["seen_ns"] == at_s(3.0) and row["hits"] == 1


def test_existence_is_held_within_its_bounds() -> None:
    here = np.zeros(3)
    row = followed(LINE, [at_s(0.0), at_s(1.0)], [fix(here, 10.0, 50.0), fix(here, 10.0, -2.0)])
    assert row["log_odds"] == SURE - 2.0
    row = followed(LINE, [at_s(0.0), at_s(1.0)], [fix(here, 10.0, -50.0), fix(here, 10.0, 2.0)])
    assert row["log_odds"] == -SURE + 2.0


def test_a_thousand_sharp_tracklets_leave_a_covariance() -> None:
    rng = np.random.default_rng(8)
    times = [at_s(0.2 * k) for k in range(1000)]
    row = followed(LINE, times, [fix(rng.normal(0.0, 0.1, 3), 0.1) for _ in times])
    p = row["covariance"][0][:6, :6]
    assert np.array_equal(p, p.T)
    assert np.linalg.eigvalsh(p / np.sqrt(np.outer(np.diag(p), np.diag(p)))).min() > 1e-3


# ---------------------------------------------------------------------- what is asked


def test_what_is_asked_is_the_likeliest_motion_moved_on_and_the_row_stays_as_it_is() -> None:
    times, values = coast(np.random.default_rng(1), 10)
    rows = table()
    follow(rows, 2, FLIGHT, SURE, np.array(times), np.array(values))
    twin = Twin(FLIGHT)
    twin.follow(times, values)
    kept, later = rows.tobytes(), times[-1] + 2 * SECOND_NS  # longer times go in steps
    states, covs, phases, odds, thrust = states_at(
        rows, np.array([2, 0]), FLIGHT, later, np.zeros(len(rows), rows.dtype)
    )
    assert rows.tobytes() == kept
    twin.predict(later)
    k = int(np.argmax(twin.phase))
    d = np.sqrt(np.diag(twin.covariances[k]))
    assert np.abs((states[0, :6] - twin.means[k, :6]) / d[:6]).max() < 1e-3
    assert states[0, 6] == pytest.approx(twin.means[BALLISTIC, 6], abs=1e-4)
    assert np.allclose(covs[0, :6, :6], twin.covariances[k, :6, :6], rtol=1e-3, atol=1e-3 * d[:6].min() ** 2)
    assert covs[0, 6, 6] == pytest.approx(twin.covariances[BALLISTIC, 6, 6], rel=1e-4)
    assert phases[0] == pytest.approx(twin.phase, rel=1e-4, abs=1e-10)
    assert odds[0] == pytest.approx(twin.log_odds)
    assert thrust[0] == (pytest.approx(twin.means[k, 6]) if k == BOOST else 0.0)
    # of a free row nothing is known
    assert not states[1].any() and not covs[1].any() and not phases[1].any() and odds[1] == 0.0


# ---------------------------------------------------------------------- two partners (a textbook's problem)


class TwoPartners:
    """Nearly constant velocity, T = 1 s, q = 1 m^2/s^3, two sensors of position with R = 100 m^2, start (0,
    30) with covariance diag(1e4, 1e4), 60 updates: three axes are three runs."""

    OBJECTS, STEPS = 700, 60

    def __init__(self, sensors: int) -> None:
        rng = np.random.default_rng(2027)
        low, size = np.linalg.cholesky(Q), (self.OBJECTS, 3)
        truth = rng.normal(size=(2, *size)) * 100.0  # place and velocity
        truth[1] += 30.0
        prior = value(np.array([0.0, 0.0, 0.0, 30.0, 30.0, 30.0]), np.eye(6) / 1e4)
        p, central = np.diag([1e4, 1e4]), np.zeros((2, *size))
        central[1] = 30.0
        values = np.empty((self.OBJECTS, 1 + self.STEPS * sensors, len(prior)))
        values[:, 0] = prior
        for step in range(self.STEPS):
            truth = np.einsum("ab,bij->aij", F, truth) + np.einsum(
                "ab,bij->aij", low, rng.normal(size=(2, *size))
            )
            central, p = np.einsum("ab,bij->aij", F, central), F @ p @ F.T + Q
            for n in range(sensors):
                plots = truth[0] + 10.0 * rng.normal(size=size)
                gain = p[:, 0] / (p[0, 0] + 100.0)
                central = central + gain[:, None, None] * (plots - central[0])
                p = p - np.outer(gain, p[0])
                for i in range(self.OBJECTS):
                    values[i, 1 + step * sensors + n] = fix(plots[i], 10.0)
        times = [at_s(0.0), *(at_s(1.0 + k // sensors) for k in range(self.STEPS * sensors))]
        self.errors, self.covariances = np.empty((self.OBJECTS, 6)), np.empty((self.OBJECTS, 6, 6))
        self.off, self.p = 0.0, p
        for i in range(self.OBJECTS):
            row = followed(LINE, times, values[i])
            self.errors[i] = row["mean"][0][:6] - truth[:, i].ravel()
            self.covariances[i] = row["covariance"][0][:6, :6]
            self.off = max(self.off, float(np.abs(row["mean"][0][:6] - central[:, i].ravel()).max()))

    def figures(self) -> tuple[float, float, float]:
        """RMSE of position and velocity on one axis, and average NEES of one (ideally 2)."""
        position, velocity = self.errors[:, :3], self.errors[:, 3:]
        nees = np.einsum(
            "ni,ni->n", self.errors, np.linalg.solve(self.covariances, self.errors[..., None])[..., 0]
        )
        return (
            float(np.sqrt((position**2).mean())),
            float(np.sqrt((velocity**2).mean())),
            float(nees.mean() / 3.0),
        )


@pytest.mark.parametrize(
    ("sensors", "figures"), [(1, (5.957, 1.969, 1.985)), (2, (4.642, 1.808, 2.052))], ids=["alone", "both"]
)
def test_over_tracklets_of_every_scan_nothing_is_lost_against_one_filter_with_all_plots(
    sensors: int, figures: tuple[float, float, float]
) -> None:
    case = TwoPartners(sensors)
    assert case.off < 1e-6
    exact = np.kron(case.p, np.eye(3))
    assert np.allclose(case.covariances, exact, rtol=1e-6, atol=1e-8)
    # the printed figures are of another 2,000 draws: each side is good to 2.5 %
    assert case.figures() == pytest.approx(figures, rel=0.05)
    many = 6 * case.OBJECTS
    low, high = chi2.ppf([0.001, 0.999], many) / many
    assert low < case.figures()[2] / 2.0 < high


def test_a_track_sent_as_if_it_were_new_each_time_would_be_too_sure() -> None:
    """Both partners' own estimates added up, prior and all: the error that tracklets are there to avoid."""
    alone = TwoPartners(1)
    naive_p = 0.5 * alone.p
    rng = np.random.default_rng(5)
    shared = np.linalg.cholesky(np.kron(alone.p, np.eye(3)))
    errors = (shared @ rng.normal(size=(6, 2000))).T  # wholly common: adding them up gains nothing
    nees = (
        np.einsum("ni,ni->n", errors, np.linalg.solve(np.kron(naive_p, np.eye(3)), errors.T).T).mean() / 3.0
    )
    assert nees > 3.5
