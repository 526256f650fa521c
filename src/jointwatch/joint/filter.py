"""One object followed by tracklets, whoever gave them: the tracker's motions, and measurements ready made.

In: a row of the tracker's table (`tracking.table`) and tracklets in order of time; out: the row as all of
them together have it.  A tracklet holds only what one look told, so the row counts each prior and the noise
of each motion once, as a tracker would that had all the plots (Chong, Mori, Barker & Chang 2000,
"Architectures and algorithms for track association and fusion").  No motion sleeps here.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import height_above_ellipsoid, is_higher
from jointwatch.motion.gaussian import cholesky, semi_cholesky, solve_lower, solve_upper
from jointwatch.motion.phases import BALLISTIC, BOOST, CRUISE, N
from jointwatch.motion.propagate import AIR_M, LONGEST_STEP_S
from jointwatch.tracking.bank import BIRTH, KIND, MEAN, SIGMA, SPEED
from jointwatch.tracking.interaction import Switching, new_switching, predict_awake
from jointwatch.tracking.rows import likeliest
from jointwatch.tracking.table import CONFIRMED, FREE, NOTHING
from jointwatch.tracking.update import update_drag

# A tracklet as kernels take it: point, information by rows, evidence.
POINT, INFORMATION, EVIDENCE, TRACKLET = 0, 6, 42, 43
STATE = 6
ANYWHERE_M = 1e5
"""Spread of the place that an object begins with, where its first tracklet does not tell all of it."""
NEVER_NS = 2**62
GROUND_M = -300.0
"""What is predicted below this height has come down."""
AIR_STEP_S = 2.0
"""What coasts through the air is predicted in steps no longer than this."""
OTHER_STEP_S = 30.0
"""What boosts or cruises mixes its motions at every step, as a tracker does at every look: it is predicted
in one from look to look, and only over gaps that no radar leaves in more."""
LEAST_MOTION = 1e-6
"""What a motion keeps of the probability of the whole, however badly a tracklet fits it."""


@njit(cache=True)
def follow(
    table: NDArray[np.void],
    i: int,
    bank: NDArray[np.float64],
    sure: float,
    times_ns: NDArray[np.int64],
    tracklets: NDArray[np.float64],
) -> None:
    """Take tracklets (n, TRACKLET) of times (n,), ascending, in row i; a free row begins with the first.

    sure: existence is held within plus and minus these log odds.
    """
    row = table[i]
    room = new_switching(bank.shape[0])
    information, low = np.empty((STATE, STATE)), np.zeros((STATE, STATE))
    for t in range(len(times_ns)):
        one = tracklets[t]
        told = False
        for a in range(STATE):
            for b in range(STATE):
                information[a, b] = one[INFORMATION + STATE * a + b]
            told = told or information[a, a] > 0.0
        if row["life"] == FREE:
            # that it exists may be known before where it is
            if not told or not _begin(row, bank, times_ns[t], one[:STATE], information):
                row["log_odds"] += one[EVIDENCE]
                continue
        else:
            _predict(bank, row, times_ns[t], room)
            if told:
                semi_cholesky(information, STATE, low)
                take(row, bank, one[:STATE], low)
        row["log_odds"] = min(max(row["log_odds"] + one[EVIDENCE], -sure), sure)
        if told:
            row["hits"] += 1
            row["seen_ns"] = max(row["seen_ns"], times_ns[t])


@njit(cache=True)
def follow_all(
    table: NDArray[np.void],
    rows: NDArray[np.int64],
    counts: NDArray[np.int64],
    bank: NDArray[np.float64],
    sure: float,
    times_ns: NDArray[np.int64],
    tracklets: NDArray[np.float64],
) -> None:
    """`follow` for rows (n,), each with so many (n,) of the tracklets (m, TRACKLET), in their order."""
    first = 0
    for a in range(len(rows)):
        last = first + counts[a]
        follow(table, rows[a], bank, sure, times_ns[first:last], tracklets[first:last])
        first = last


@njit(cache=True)
def _predict(bank: NDArray[np.float64], row: np.void, time_ns: int, room: Switching) -> None:
    """Predict a row to a time (ns), in place: a coast in steps, as the looks of a tracker would.

    Nothing is told of looks that see nothing, and one step over all that time would lose what noise that
    comes in on the way does since: in the air a drag that changes brakes.
    """
    while True:
        step_ns = _step_ns(bank, row)
        if time_ns - row["time_ns"] <= step_ns:
            break
        predict_awake(bank, row, row["time_ns"] + step_ns, 0.0, room)
    predict_awake(bank, row, time_ns, 0.0, room)


@njit(cache=True)
def _step_ns(bank: NDArray[np.float64], row: np.void) -> int:
    """How far (ns) a row is predicted in one step."""
    k = likeliest(row)
    m = row["mean"][k]
    if int(bank[k, KIND]) > CRUISE:
        return NEVER_NS
    if int(bank[k, KIND]) != BALLISTIC:
        return int(1e9 * OTHER_STEP_S)
    return int(1e9 * (LONGEST_STEP_S if is_higher(m[0], m[1], m[2], AIR_M) else AIR_STEP_S))


@njit(cache=True)
def _coast(bank: NDArray[np.float64], row: np.void, time_ns: int, room: Switching, kept: np.void) -> bool:
    """`_predict`, from where it last came to by whole steps; False if it has come down on the way.

    kept: what the row was after its last whole step, and what it was of then.
    """
    begun_ns, hits, odds = row["time_ns"], row["hits"], row["log_odds"]
    x, y, z = row["mean"][0, 0], row["mean"][0, 1], row["mean"][1, 0]
    same = kept["number"] == begun_ns and kept["chain"] == hits and kept["near"] == odds
    same = same and kept["looked_m"] == x and kept["looked_expected"] == y and kept["looked_outcome"] == z
    if same and kept["life"] != FREE and kept["time_ns"] <= time_ns:
        for c in range(bank.shape[0]):
            row["phase"][c] = kept["phase"][c]
            row["mean"][c, :] = kept["mean"][c]
            row["covariance"][c, :, :] = kept["covariance"][c]
        row["time_ns"], row["log_odds"], row["asleep"] = kept["time_ns"], kept["log_odds"], kept["asleep"]
    moved = False
    while not _is_down(bank, row):
        step_ns = _step_ns(bank, row)
        if time_ns - row["time_ns"] <= step_ns:
            break
        predict_awake(bank, row, row["time_ns"] + step_ns, 0.0, room)
        moved = True
    if moved:
        for c in range(bank.shape[0]):
            kept["phase"][c] = row["phase"][c]
            kept["mean"][c, :] = row["mean"][c]
            kept["covariance"][c, :, :] = row["covariance"][c]
        kept["time_ns"], kept["log_odds"], kept["asleep"] = row["time_ns"], row["log_odds"], row["asleep"]
        kept["life"], kept["number"], kept["chain"], kept["near"] = CONFIRMED, begun_ns, hits, odds
        kept["looked_m"], kept["looked_expected"], kept["looked_outcome"] = x, y, z
    if _is_down(bank, row):
        return False
    predict_awake(bank, row, time_ns, 0.0, room)
    return True


@njit(cache=True)
def _is_down(bank: NDArray[np.float64], row: np.void) -> bool:
    """Whether what a row is of has come down on the Earth."""
    k = likeliest(row)
    m = row["mean"][k]
    return bool(bank[k, KIND] <= CRUISE and height_above_ellipsoid(m[0], m[1], m[2]) < GROUND_M)


@njit(cache=True)
def _begin(
    row: np.void,
    bank: NDArray[np.float64],
    time_ns: int,
    point: NDArray[np.float64],
    information: NDArray[np.float64],
) -> bool:
    """Begin a row with a tracklet and the bank's priors; False if it tells no place at all."""
    total, low = np.empty((STATE, STATE)), np.zeros((STATE, STATE))
    unit, column = np.empty(STATE), np.empty(STATE)
    for k in range(bank.shape[0]):
        mean, cov = row["mean"][k], row["covariance"][k]
        for a in range(STATE):
            for b in range(STATE):
                total[a, b] = information[a, b]
            total[a, a] += (
                1.0 / (ANYWHERE_M * ANYWHERE_M) if a < 3 else 1.0 / (bank[k, SPEED] * bank[k, SPEED])
            )
        if not cholesky(total, STATE, low):
            return False
        cov[:, :] = 0.0
        for c in range(STATE):
            for a in range(STATE):
                unit[a] = 1.0 if a == c else 0.0
            solve_lower(low, STATE, unit, column)
            solve_upper(low, STATE, column, column)
            for a in range(STATE):
                cov[a, c] = column[a]
        for a in range(STATE):
            mean[a] = point[a]
            for b in range(3, STATE):  # at rest, as far as the tracklet does not tell
                mean[a] -= cov[a, b] / (bank[k, SPEED] * bank[k, SPEED]) * point[b]
        mean[6] = bank[k, MEAN]
        cov[6, 6] = bank[k, SIGMA] * bank[k, SIGMA]
        row["phase"][k] = bank[k, BIRTH]
    row["life"] = CONFIRMED
    row["asleep"], row["cluster"] = 0, 0
    row["time_ns"], row["first_ns"], row["seen_ns"] = time_ns, time_ns, time_ns
    row["hits"], row["misses"] = 0, 0
    row["evidence"][:], row["recent"][:], row["source"][:] = NOTHING, NOTHING, NOTHING
    return True


@njit(cache=True)
def take(
    row: np.void, bank: NDArray[np.float64], point: NDArray[np.float64], low: NDArray[np.float64]
) -> None:
    """Update a row's motions and their probabilities with a tracklet at its time.

    low (6, 6): factor of its information, low low' (`semi_cholesky`).  Whitened, what it measures is low' x
    with unit noise: how likely it is in each motion follows, up to what is the same for all.
    """
    kinds, total = bank.shape[0], 0.0
    log_likelihood = np.empty(kinds)
    for k in range(kinds):
        drag = row["mean"][k, 6]
        log_likelihood[k] = _update(row["mean"][k], row["covariance"][k], point, low)
        update_drag(int(bank[k, KIND]), drag, row["mean"][k], row["covariance"][k])
    best = log_likelihood.max()
    for k in range(kinds):
        row["phase"][k] = row["phase"][k] * math.exp(log_likelihood[k] - best)
        total += row["phase"][k]
    spare = LEAST_MOTION * total
    for k in range(kinds):
        row["phase"][k] = (row["phase"][k] + spare) / (total + kinds * spare)


@njit(cache=True)
def _update(
    mean: NDArray[np.float64], cov: NDArray[np.float64], point: NDArray[np.float64], low: NDArray[np.float64]
) -> float:
    """Update a motion's mean (7,) and covariance (7, 7); log likelihood of the tracklet, up to a constant."""
    w, s = np.empty((N, STATE)), np.empty((STATE, STATE))
    root, y = np.zeros((STATE, STATE)), np.empty(STATE)
    for c in range(STATE):
        for a in range(N):
            value = 0.0
            for b in range(c, STATE):  # low is lower triangular
                value += cov[a, b] * low[b, c]
            w[a, c] = value
        value = 0.0
        for b in range(c, STATE):
            value += low[b, c] * (point[b] - mean[b])
        y[c] = value
    for c in range(STATE):
        for d in range(STATE):
            value = 1.0 if c == d else 0.0
            for b in range(c, STATE):
                value += low[b, c] * w[b, d]
            s[c, d] = value
    for c in range(STATE):
        for d in range(c):
            s[c, d] = s[d, c]
    if not cholesky(s, STATE, root):
        return -1e300
    solve_lower(root, STATE, y, y)
    log_likelihood = 0.0
    for c in range(STATE):
        log_likelihood -= math.log(root[c, c]) + 0.5 * y[c] * y[c]
    for a in range(N):
        solve_lower(root, STATE, w[a], w[a])
    for a in range(N):
        for c in range(STATE):
            mean[a] += w[a, c] * y[c]
        for b in range(a, N):
            value = cov[a, b]
            for c in range(STATE):
                value -= w[a, c] * w[b, c]
            cov[a, b] = value
            cov[b, a] = value
    return log_likelihood


@njit(cache=True)
def states_at(
    table: NDArray[np.void],
    rows: NDArray[np.int64],
    bank: NDArray[np.float64],
    time_ns: int,
    coasts: NDArray[np.void],
) -> tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]
]:
    """What rows (n,) say at a time not before theirs; the rows stay as they are.

    States (n, 7) and covariances (n, 7, 7) in the likeliest motion, the seventh element the ballistic phase's
    as in `records.Track`; probabilities of the motions (n, k); log odds of existence (n,); thrust (n,).  Of a
    free row nothing is known, nor of what has come down by then, and all of it is nought.  coasts: as long as
    the table; where each row came to when it was asked for last, so that what nobody tells of for minutes is
    not predicted anew each time.
    """
    n, kinds = len(rows), bank.shape[0]
    states, covs = np.zeros((n, N)), np.zeros((n, N, N))
    phases, odds, thrust = np.zeros((n, kinds)), np.zeros(n), np.zeros(n)
    copy = np.empty(1, table.dtype)
    room = new_switching(kinds)
    for a in range(n):
        if table[rows[a]]["life"] == FREE:
            continue
        copy[0] = table[rows[a]]
        row = copy[0]
        if not _coast(bank, row, time_ns, room, coasts[rows[a]]):
            continue
        k = likeliest(row)
        states[a, :] = row["mean"][k]
        covs[a, :, :] = row["covariance"][k]
        for c in range(kinds):
            phases[a, c] = row["phase"][c]
        odds[a] = row["log_odds"]
        if int(bank[k, KIND]) == BOOST:
            thrust[a] = row["mean"][k, 6]
        for c in range(kinds):
            if int(bank[c, KIND]) == BALLISTIC and c != k:
                states[a, 6] = row["mean"][c, 6]
                covs[a, 6, :] = 0.0
                covs[a, :, 6] = 0.0
                covs[a, 6, 6] = row["covariance"][c, 6, 6]
    return states, covs, phases, odds, thrust
