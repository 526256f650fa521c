"""What a row of the table says: whether its object exists, how it most probably moves, how far two are apart.

In: rows; out: numbers, or one row that stands for several (moment matching).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf
from jointwatch.motion.gaussian import cholesky, solve_lower
from jointwatch.motion.phases import N
from jointwatch.tracking.table import EVIDENCE, PHASE_COUNT, RECENT


@leaf
def existence_of(row: np.void) -> float:
    """Probability that a row's object exists."""
    return float(1.0 / (1.0 + math.exp(-row["log_odds"])))


@leaf
def log_odds_of(absent: float, sure: float) -> float:
    """Log odds of what exists but with probability `absent`, held within plus and minus `sure`."""
    absent = max(absent, 1e-300)
    return float(min(max(math.log(max(1.0 - absent, 1e-300) / absent), -sure), sure))


@leaf
def likeliest(row: np.void) -> int:
    """A row's most probable motion, the first of equals."""
    k = 0
    for c in range(1, PHASE_COUNT):
        if row["phase"][c] > row["phase"][k]:
            k = c
    return k


@njit(cache=True)
def apart2(one: np.void, other: np.void) -> float:
    """Squared Mahalanobis distance of two rows' positions and velocities in their most probable motions."""
    k, l = likeliest(one), likeliest(other)
    both, low = np.empty((6, 6)), np.zeros((6, 6))
    difference, t = np.empty(6), np.empty(6)
    for i in range(6):
        difference[i] = one["mean"][k, i] - other["mean"][l, i]
        for j in range(6):
            both[i, j] = one["covariance"][k, i, j] + other["covariance"][l, i, j]
        # what moves in a plane has no spread off it
        both[i, i] += 1e-12 * (1.0 + difference[i] * difference[i])
    if not cholesky(both, 6, low):
        return 1e300
    solve_lower(low, 6, difference, t)
    d2 = 0.0
    for i in range(6):
        d2 += t[i] * t[i]
    return d2


@njit(cache=True)
def take_state(row: np.void, other: np.void) -> None:
    """Let a row have another's state and existence."""
    row["mean"][:, :] = other["mean"]
    row["covariance"][:, :, :] = other["covariance"]
    row["phase"][:] = other["phase"]
    row["asleep"] = other["asleep"]
    row["log_odds"] = other["log_odds"]
    row["time_ns"] = other["time_ns"]
    row["seen_ns"] = max(row["seen_ns"], other["seen_ns"])


@njit(cache=True)
def remember_look(row: np.void, identity: int) -> None:
    """Note which plot the latest look gave a row (`table.NOTHING`: none)."""
    for i in range(RECENT - 1, 0, -1):
        row["recent"][i] = row["recent"][i - 1]
    row["recent"][0] = identity


@leaf
def count_plot(row: np.void, identity: int, time_ns: int) -> None:
    """Count a plot as a row's latest."""
    row["hits"] += 1
    row["misses"] = 0
    row["seen_ns"] = time_ns
    for i in range(EVIDENCE - 1, 0, -1):
        row["evidence"][i] = row["evidence"][i - 1]
    row["evidence"][0] = identity


@njit(cache=True)
def match_moments(
    out: np.void,
    rows: NDArray[np.void],
    which: NDArray[np.int64],
    weight: NDArray[np.float64],
    kinds: int,
    sure: float,
) -> None:
    """Let `out` have the existence and, motion by motion, the moments of a mixture of rows[which].

    weight, as long as which: of each, summing to 1.  A row's state counts by its weight and its existence,
    for it is the state of an object that exists.  out may not be one of the rows, none
    of whose motions sleep.
    """
    n = len(which)
    absent = 0.0
    share = np.empty(n)
    for i in range(n):
        absent += weight[i] / (1.0 + math.exp(rows[which[i]]["log_odds"]))
        share[i] = weight[i] * existence_of(rows[which[i]])
    out["log_odds"] = log_odds_of(absent, sure)
    out["asleep"] = 0
    heaviest = which[int(np.argmax(share))]
    delta, of_motion = np.empty(N), np.empty(n)
    whole = 0.0
    for k in range(kinds):
        total = 0.0
        for i in range(n):
            of_motion[i] = share[i] * rows[which[i]]["phase"][k]
            total += of_motion[i]
        out["phase"][k] = total
        whole += total
        mean, cov = out["mean"][k], out["covariance"][k]
        if n == 1 or total <= 1e-300:
            mean[:] = rows[heaviest]["mean"][k]
            cov[:, :] = rows[heaviest]["covariance"][k]
            continue
        mean[:] = 0.0
        cov[:, :] = 0.0
        for i in range(n):
            for a in range(N):
                mean[a] += of_motion[i] / total * rows[which[i]]["mean"][k, a]
        for i in range(n):
            part = rows[which[i]]
            for a in range(N):
                delta[a] = part["mean"][k, a] - mean[a]
            for a in range(N):
                for b in range(N):
                    cov[a, b] += of_motion[i] / total * (part["covariance"][k, a, b] + delta[a] * delta[b])
    for k in range(kinds):
        out["phase"][k] /= max(whole, 1e-300)
