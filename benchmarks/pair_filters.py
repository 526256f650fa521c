"""Two partners in one dimension: the textbook's ways of fusing them, and the same through our own filter.

In: numbers of runs; out: estimates of each scan.  Nearly constant velocity (T = 1 s, q = 1 m^2/s^3), two
sensors of position (R = 100 m^2), x0 = (0, 30), P0 = diag(1e4, 1e4).  Partners plot for 60 scans; then the
link is cut for 60 more.  The three axes of one row of our filter are three runs.  What goes through it are
equivalent measurements made by `tracking.equivalent`; the textbook's ways are written out in NumPy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from reentries import constant_velocity_noise, flat_sensor

from jointwatch.joint.filter import INFORMATION, POINT, TRACKLET, follow
from jointwatch.joint.fusion import intersect
from jointwatch.joint.streams import Rows, Stream
from jointwatch.motion.plane import LEVEL
from jointwatch.sensing.expectation import PLOT
from jointwatch.sensing.radar import sensor_row
from jointwatch.tracking.bank import Motion, bank_of
from jointwatch.tracking.equivalent import equivalent

Array = NDArray[np.float64]
Estimates = list[tuple[Array, Array]]
"""Of each scan: means (runs, 2) of place and velocity, and their covariance (2, 2), the same for all runs."""

SCANS, CUT = 60, 60
"""Scans with the link, and scans of the cut after them."""
NOISE, SIGMA_M = 1.0, 10.0
START, START_COVARIANCE = np.array([0.0, 30.0]), np.diag([1e4, 1e4])
MOVE = np.array([[1.0, 1.0], [0.0, 1.0]])
PUSH = NOISE * constant_velocity_noise(1.0)
SECOND_NS = 1_000_000_000
BANK = bank_of(Motion(kind=LEVEL, noise=NOISE, speed_sigma_ms=1e7))
SURE = 15.0


class Draw(NamedTuple):
    """States (scans, runs, 2) and both partners' plots (scans, 2, runs)."""

    truth: Array
    plots: Array


def draw(runs: int, seed: int) -> Draw:
    """So many runs of the problem, all scans of them."""
    rng = np.random.default_rng([seed, 5])
    low = np.linalg.cholesky(PUSH)
    state = START + 100.0 * rng.standard_normal((runs, 2))
    truth, plots = np.empty((SCANS + CUT, runs, 2)), np.empty((SCANS + CUT, 2, runs))
    for k in range(SCANS + CUT):
        state = state @ MOVE.T + rng.standard_normal((runs, 2)) @ low.T
        truth[k] = state
        plots[k] = state[:, 0] + SIGMA_M * rng.standard_normal((2, runs))
    return Draw(truth, plots)


# ------------------------------------------------------------------ the textbook's own ways


def _updated(mean: Array, p: Array, plots: Array) -> tuple[Array, Array]:
    gain = p[:, 0] / (p[0, 0] + SIGMA_M**2)
    return mean + (plots - mean[:, 0])[:, None] * gain, p - np.outer(gain, p[0])


def kalman(plots: Array, sensors: tuple[int, ...]) -> Estimates:
    """One filter with these sensors' plots (scans, 2, runs)."""
    mean, p = np.tile(START, (plots.shape[2], 1)), START_COVARIANCE
    out: Estimates = []
    for these in plots:
        mean, p = mean @ MOVE.T, MOVE @ p @ MOVE.T + PUSH
        for s in sensors:
            mean, p = _updated(mean, p, these[s])
        out.append((mean, p))
    return out


def naive_sum(one: Estimates, other: Estimates) -> Estimates:
    """Both partners' estimates taken for independent."""
    out: Estimates = []
    for (a, pa), (b, pb) in zip(one, other, strict=True):
        ia, ib = np.linalg.inv(pa), np.linalg.inv(pb)
        p = np.linalg.inv(ia + ib)
        out.append(((a @ ia + b @ ib) @ p, p))
    return out


def inverse_intersection(
    one: tuple[Array, Array], other: tuple[Array, Array], weight: float
) -> tuple[Array, Array]:
    """Inverse covariance intersection (Noack, Sijs, Reinhardt & Hanebeck 2017) with a weight of the first."""
    (a, pa), (b, pb) = one, other
    ia, ib = np.linalg.inv(pa), np.linalg.inv(pb)
    common = np.linalg.inv(weight * pa + (1.0 - weight) * pb)
    p = np.linalg.inv(ia + ib - common)
    return a @ (ia - weight * common) @ p + b @ (ib - (1.0 - weight) * common) @ p, p


def intersection(one: tuple[Array, Array], other: tuple[Array, Array], weight: float) -> tuple[Array, Array]:
    """Covariance intersection with a given weight of the first."""
    (a, pa), (b, pb) = one, other
    ia, ib = weight * np.linalg.inv(pa), (1.0 - weight) * np.linalg.inv(pb)
    p = np.linalg.inv(ia + ib)
    return (a @ ia + b @ ib) @ p, p


def our_intersection(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array, float]:
    """`joint.fusion.intersect` of each run; elements that the problem lacks are known equally well."""
    mean, cov, weight = np.empty((len(one[0]), 7)), np.empty((7, 7)), 0.0
    states, covs = np.zeros((2, 7)), np.stack([np.eye(7), np.eye(7)])
    place = np.ix_([0, 3], [0, 3])
    covs[0][place], covs[1][place] = one[1], other[1]
    for r in range(len(mean)):
        states[0, [0, 3]], states[1, [0, 3]] = one[0][r], other[0][r]
        weight = intersect(states[0], covs[0], states[1], covs[1], mean[r], cov)
    return mean[:, [0, 3]], cov[place].copy(), weight


# ------------------------------------------------------------------ tracklets, and our filter


def _of_axes(values: Array) -> Array:
    """(runs, 2) as (runs / 3, 6): three runs are the axes of one object."""
    thirds = values.reshape(-1, 3, 2)
    return np.concatenate([thirds[:, :, 0], thirds[:, :, 1]], axis=1)


def _in_axes(p: Array) -> Array:
    """(2, 2) of each axis as (6, 6)."""
    return np.kron(p, np.eye(3))


def tracklet(point: Array, information: Array) -> Array:
    """Tracklets (n, TRACKLET) of points (n, 6) that all have an information (6, 6)."""
    values = np.zeros((len(point), TRACKLET))
    values[:, POINT : POINT + 6] = point
    values[:, INFORMATION : INFORMATION + 36] = information.ravel()
    return values


def per_scan(plots: Array, estimates: Estimates) -> list[Array]:
    """What each scan told a partner of each object, by `tracking.equivalent`: (n, TRACKLET) a scan."""
    sensor = sensor_row(flat_sensor(measures=("x", "y", "z"), sigma_range_m=SIGMA_M))
    which, weights = np.zeros(1, np.int64), np.ones(1)
    out = []
    for these, (mean, _) in zip(plots, estimates, strict=True):
        about, plot = _of_axes(mean), np.zeros((1, PLOT))
        values = np.empty((len(about), TRACKLET))
        information = np.empty((6, 6))
        for n, three in enumerate(these.reshape(-1, 3)):
            plot[0, :3] = three
            equivalent(sensor, about[n], plot, which, weights, values[n, POINT : POINT + 6], information)
            values[n, INFORMATION : INFORMATION + 36] = information.ravel()
        values[:, TRACKLET - 1] = 0.0
        out.append(values)
    return out


def of_several(estimates: Estimates, since: int, at: int) -> Array:
    """One tracklet (n, TRACKLET) for the scans after `since` up to `at`: what they added to a prediction."""
    mean, p = estimates[since]
    for _ in range(at - since):
        mean, p = mean @ MOVE.T, MOVE @ p @ MOVE.T + PUSH
    after, pa = estimates[at]
    ia, ip = np.linalg.inv(pa), np.linalg.inv(p)
    information = ia - ip
    point = np.linalg.solve(information, (after @ ia - mean @ ip).T).T
    return tracklet(_of_axes(point), _in_axes(information))


def followed(told: list[list[Array]]) -> Estimates:
    """`joint.filter.follow` with tracklets by scan: (n, TRACKLET) each, in order."""
    count = len(told[0][0])
    rows = Rows(BANK, SURE)
    places = [rows.take() for _ in range(count)]
    begin = tracklet(_of_axes(np.tile(START, (3 * count, 1))), _in_axes(np.linalg.inv(START_COVARIANCE)))
    out: Estimates = []
    for n, i in enumerate(places):
        follow(rows.table, i, BANK, SURE, np.zeros(1, np.int64), begin[n : n + 1])
    for k, these in enumerate(told):
        times = np.full(len(these), (k + 1) * SECOND_NS)
        together = np.stack(these, axis=1)
        for n, i in enumerate(places):
            follow(rows.table, i, BANK, SURE, times, together[n])
        out.append(_estimates(rows, places))
    return out


def replayed(ours: list[Array], theirs: list[Array]) -> tuple[Array, Array]:
    """What a `Stream` has after the cut, when the partner's tracklets come all at once, last first."""
    rows = Rows(BANK, SURE)
    count = len(ours[0])
    begin = tracklet(_of_axes(np.tile(START, (3 * count, 1))), _in_axes(np.linalg.inv(START_COVARIANCE)))
    streams = [Stream(rows) for _ in range(count)]
    end_ns = len(ours) * SECOND_NS
    for n, stream in enumerate(streams):
        stream.insert((0, "", 0, "", ""), begin[n])
        for k, own in enumerate(ours):
            stream.insert(((k + 1) * SECOND_NS, "a", k, "Amber", "1"), own[n])
            if k < SCANS:
                stream.insert(((k + 1) * SECOND_NS, "b", k, "Blue", "1"), theirs[k][n])
            stream.advance((k + 1) * SECOND_NS)
        for k in reversed(range(SCANS, len(theirs))):
            stream.insert(((k + 1) * SECOND_NS, "b", k, "Blue", "1"), theirs[k][n])
        stream.advance(end_ns)
    return _estimates(rows, [stream.row for stream in streams])


def _estimates(rows: Rows, places: list[int]) -> tuple[Array, Array]:
    means = rows.table["mean"][places, 0, :6]
    cov = rows.table["covariance"][places[0], 0]
    both = np.stack([means[:, :3].reshape(-1), means[:, 3:].reshape(-1)], axis=1)
    return both, cov[np.ix_([0, 3], [0, 3])].copy()
