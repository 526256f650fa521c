"""Four targets that meet, and late plots: the product's tracker on problems stated for multi-target filters.

In: how many runs; out: lines for `bounds`.
    meeting  four targets at nearly constant velocity that come within a metre of each other at mid-time, when
             one of them ceases to be (Williams, "Marginal multi-Bernoulli filters", IEEE TAES 2015;
             Garcia-Fernandez et al., IEEE TAES 2018), by GOSPA
    late     plots that come late on a flight in one dimension: the state must be that of all in order
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from reentries import constant_velocity_noise, flat_sensor

from jointwatch.motion.plane import LEVEL
from jointwatch.review.consistency import nees
from jointwatch.review.gospa import gospa_parts
from jointwatch.tracking.bank import Motion, bank_of
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.tracker import Tracker

Array = NDArray[np.float64]
Line = dict[str, object]
Row = tuple[int, float, Array, Array]
"""Number, existence, mean (7,) and covariance (7, 7) of a track, as `Tracker.rows` gives them."""

SECOND_NS = 1_000_000_000
STEPS, MIDDLE, HALF_M = 81, 40, 150.0
NOISE, SURVIVAL, DETECTION, CLUTTER, BIRTHS = 0.02, 0.99, 0.9, 10.0, 0.005
MEETING_GOSPA = 3.10
"""Published problem, track-oriented marginal filter: root mean square GOSPA over time and runs (m)."""
CUTOFF_M = 10.0
NEAR_M = 5.0
"""Tracks nearer than this, which the same plot may be of (five of its sigma), are one group."""
LEAST_EXISTENCE = 0.5, 0.4
"""A track is told from this existence on; the second is what the later paper takes."""


def meeting_truth(rng: np.random.Generator) -> Array:
    """(81, 4, 4) states x, vx, y, vy of each target, NaN where it is no more; the origin is mid-area.

    Drawn at mid-time and moved both ways; the first lives for steps 1 to 40.
    """
    low = np.linalg.cholesky(NOISE * constant_velocity_noise(1.0))
    ahead = np.array([[1.0, 1.0], [0.0, 1.0]])
    back = np.linalg.inv(ahead)
    truth = np.empty((STEPS, 4, 2, 2))
    truth[MIDDLE] = math.sqrt(0.1) * rng.standard_normal((4, 2, 2))
    shocks = rng.standard_normal((STEPS, 4, 2, 2)) @ low.T
    for k in range(MIDDLE + 1, STEPS):
        truth[k] = truth[k - 1] @ ahead.T + shocks[k]
    for k in range(MIDDLE - 1, -1, -1):
        truth[k] = (truth[k + 1] - shocks[k]) @ back.T
    truth[MIDDLE:, 0] = np.nan
    return truth.reshape(STEPS, 4, 4)


def meeting_plots(truth: Array, rng: np.random.Generator) -> Array:
    """Plots (m, 3) of one step: targets' and clutter's, in no order."""
    places = truth[~np.isnan(truth[:, 0])][:, [0, 2]]
    seen = places[rng.random(len(places)) < DETECTION]
    false = rng.uniform(-HALF_M, HALF_M, (rng.poisson(CLUTTER), 2))
    both = np.concatenate([seen + rng.standard_normal(seen.shape), false])
    out = np.zeros((len(both), 3))
    out[:, :2] = both[rng.permutation(len(both))]
    return out


def meeting_tracker() -> Tracker:
    """The product's tracker with the problem's motion, sensor, births and a threshold at even odds."""
    bank = bank_of(Motion(kind=LEVEL, noise=NOISE, axes=2, speed_sigma_ms=1.0, end_per_s=-math.log(SURVIVAL)))
    sensor = flat_sensor(
        measures=("x", "y"), range_max_m=HALF_M, detection=DETECTION, clutter_per_scan=CLUTTER
    )
    rules = Rules(
        false_tracks_per_day=None, confirm_log_odds=0.0, confirm_hits=2, at_once_log_odds=0.0, at_once_hits=2,
        gone_log_odds=-6.0, sure_log_odds=15.0, merge_log_odds=1e9, flight=False,
    )  # fmt: skip
    # what settles at this rate in a volume left after ten minutes is three: the problem's first weight
    return Tracker("Amber", (sensor,), capacity=512, bank=bank, rules=rules, births_per_scan=BIRTHS)


def meeting_run(seed: int) -> Array:
    """(estimators, 81, 3) localisation, missed and false (m^2) of one run, as powers of GOSPA."""
    rng = np.random.default_rng([seed, 4])
    truth = meeting_truth(rng)
    tracker = meeting_tracker()
    parts = np.empty((len(LEAST_EXISTENCE) + 1, STEPS, 3))
    for k in range(STEPS):
        tracker.look("textbook", (k + 1) * SECOND_NS, meeting_plots(truth[k], rng))
        places = truth[k][~np.isnan(truth[k, :, 0])][:, [0, 2]]
        counted = [tracker.engine.counted(NEAR_M, least) for least in LEAST_EXISTENCE]
        for e, rows in enumerate([*counted, tracker.rows(LEAST_EXISTENCE[0])]):
            estimate = np.array([r[2][:2] for r in rows]).reshape(-1, 2)
            g = gospa_parts(estimate, places, CUTOFF_M)
            parts[e, k] = g.localisation, g.missed, g.false
    return parts


def meeting_lines(parts: Array) -> list[Line]:
    """One line an estimator, of parts (runs, estimators, 81, 3)."""
    names = [f"groups, from {least}" for least in LEAST_EXISTENCE] + [f"each, from {LEAST_EXISTENCE[0]}"]
    out: list[Line] = []
    for e, name in enumerate(names):
        each = parts[:, e].sum(axis=2).mean(axis=1)
        whole = math.sqrt(float(each.mean()))
        error = 0.5 * float(each.std(ddof=1)) / whole / math.sqrt(len(each))
        shares = np.sqrt(parts[:, e].mean(axis=(0, 1)))
        after = parts[:, e, MIDDLE : MIDDLE + 10].mean(axis=(0, 1))
        out.append({
            "case": "meeting", "runs": len(parts), "told": name,
            "rmse_over_bound": round(whole / MEETING_GOSPA, 4), "nees": None,
            "gospa_m": round(whole, 3), "standard_error_m": round(error, 3), "published_m": MEETING_GOSPA,
            "no_worse_by_two_errors": bool(whole <= MEETING_GOSPA + 2.0 * error),
            **{k: round(float(v), 3) for k, v in
               zip(("localisation_m", "missed_m", "false_m"), shares, strict=True)},
            "ten_steps_after_m2": [round(float(v), 1) for v in after],
        })  # fmt: skip
    return out


# ------------------------------------------------------------------ late plots
LATE_STEPS, LATE_SIGMA_M = 40, 10.0
IN_ORDER = (6.005, 2.002)
DROPPED = {1: (6.816, 2.067), 2: (6.426, 2.013), 3: (6.205, 2.002)}
"""Exact standard deviations of position and velocity after 40 steps, by how late the dropped plot was."""
Looks = list[tuple[int, Array]]


def late_looks(seed: int) -> tuple[Looks, Array]:
    """Times (ns) and one plot (1, 3) each of an object at nearly constant velocity; its last state."""
    rng = np.random.default_rng([seed, 3])
    low = np.linalg.cholesky(constant_velocity_noise(1.0))
    state, looks = np.array([0.0, 30.0]), []
    for k in range(1, LATE_STEPS + 1):
        state = np.array([state[0] + state[1], state[1]]) + low @ rng.standard_normal(2)
        x, y = np.array([state[0], 0.0]) + LATE_SIGMA_M * rng.standard_normal(2)
        looks.append((k * SECOND_NS, np.array([[x, y, 0.0]])))
    return looks, state


def late_track(looks: Looks) -> tuple[Array, Array]:
    """Mean and covariance of the one track that a tracker has of looks in their order of arrival."""
    bank = bank_of(Motion(kind=LEVEL, noise=1.0, axes=1, speed_sigma_ms=100.0))
    # nothing but the object: a plot is its own, as the textbook has it
    sensor = flat_sensor(
        measures=("x", "y"), sigma_range_m=LATE_SIGMA_M, range_max_m=1e4, clutter_per_scan=1e-9
    )
    rules = Rules(
        false_tracks_per_day=None, confirm_log_odds=0.0, confirm_hits=2, at_once_log_odds=0.0, at_once_hits=2,
        sure_log_odds=30.0, gone_log_odds=-30.0, flight=False,
    )  # fmt: skip
    tracker = Tracker("Amber", (sensor,), capacity=64, bank=bank, rules=rules)
    for time_ns, plot in looks:
        tracker.look(sensor.name, time_ns, plot)
    ((_, _, mean, covariance),) = tracker.rows()
    return mean, covariance


def late(runs: int, seed: int = 0) -> list[Line]:
    """Standard deviations in order and with a plot dropped, and whether a late plot gives the state in order.

    The bound is the exact figure: the most that any standard deviation is above or below it.
    """
    along = np.ix_([0, 3], [0, 3])
    same, worst, errors, covariances = 0, 0.0, [], []
    for run in range(runs):
        looks, state = late_looks(seed + run)
        mean, covariance = late_track(looks)
        errors.append(mean[[0, 3]] - state)
        covariances.append(covariance[along])
        for lag in DROPPED:
            come_late = looks[: -1 - lag] + looks[-lag:] + [looks[-1 - lag]]
            apart = [np.abs(a - b).max() for a, b in
                     zip(late_track(come_late), (mean, covariance), strict=True)]  # fmt: skip
            same += not any(apart)
            worst = max(worst, *map(float, apart))
    looks, _ = late_looks(seed)
    kept = {0: looks} | {lag: looks[: -1 - lag] + looks[-lag:] for lag in DROPPED}
    sigma = {lag: np.sqrt(np.diag(late_track(some)[1][along])) for lag, some in kept.items()}
    exact = {0: IN_ORDER} | DROPPED
    off = max(float(np.abs(sigma[lag] / exact[lag] - 1.0).max()) for lag in exact)
    return [{
        "case": "late", "runs": runs, "rmse_over_bound": round(1.0 + off, 5),
        "nees": round(float(nees(np.array(errors), np.array(covariances)).mean()), 3),
        "sigma_by_dropped_lag": {lag: [round(float(v), 4) for v in s] for lag, s in sigma.items()},
        "exact": exact, "late_is_in_order": same, "of": runs * len(DROPPED), "worst_difference": worst,
    }]  # fmt: skip
