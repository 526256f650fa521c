"""Interacting motions of one row, predicted to a time (Blom & Bar-Shalom 1988).

In: a row of the table, the bank of motions and a time; out: the row's means, covariances, probabilities of
motion and existence then.  Motions share position and velocity; the seventh element means something else in
each, so mixing into a motion takes the others' position and velocity only and lets the missing parameter come
in at that motion's prior, uncorrelated (unbiased augmentation of unequal states).

A Gaussian in place of a mixture has its spread, not its shape: one part in 10^5 that lies 100 m/s off adds
0.1 m^2/s^2 at every look, where the noise of a coast adds less than 0.001, and the odds at which what coasts
fires again, not the plots, would decide how well a coast is known.  So a motion whose share in another is
negligible passes on its probability and nothing else, as the reduction of mixtures drops components (Salmond
1990): what is left differs from the mixture by no more than that share in the probability of anything.

A motion so improbable that no plot which fits the likeliest one could make it count is asleep: it is neither
mixed nor predicted but stands as the likeliest one's place and velocity with its own prior of the parameter
(written down only for what reads it: `rouse`), which is what mixing would make of it (likely-model sets: Li &
Zhang, "Multiple-model estimation with variable structure, Part V", IEEE TAES 2000). A look whose plots it
could explain better wakes it (`gating`), in that same look. Only beside a coast does anything sleep, for
every other motion is wider than that; and in the air, where a body may break up, nothing does.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import is_higher
from jointwatch.kernel import leaf, limb
from jointwatch.motion.phases import (
    BALLISTIC,
    BOOST,
    BOOST_ACCELERATION,
    CRUISE,
    CRUISE_ACCELERATION,
    N,
    parameter_pull,
)
from jointwatch.motion.propagate import predict_motion
from jointwatch.tracking.bank import AXES, END, KIND, MEAN, NOISE, SIGMA, SWITCH, WALK
from jointwatch.tracking.rows import likeliest
from jointwatch.tracking.table import CONFIRMED, LOCAL

THIN_AIR_M = 100e3
"""Above this height nothing but a motor changes how a coasting body moves."""
ASLEEP = 3e-5
"""Probability below which a motion may be asleep: what falls fires again, or cruises, with less in a look."""
NOTABLE = 1e-4
"""Probability that motions asleep could reach in a look, from which it wakes them: well below what would
count in that look, for a change may show in several, each a little less likely than the last."""
FAR_SIGMAS, GROWN, LEVEL_PULL_MS2 = 5.0, 1.3, 25.0
"""How far a motion that is asleep is looked for; thrust grows by so much in a look; gravity, and the bend of
a level flight, together pull no more than this."""
NEGLIGIBLE = 1e-3
"""Share of one motion in another below which its place and velocity are not mixed in."""


class Switching(NamedTuple):
    """Room for the interaction of k motions; the same one for many rows, most of which are as old."""

    dt: NDArray[np.float64]  # (1,) s, for which moves stand
    moves: NDArray[np.float64]  # (k, k) probability that the first becomes the second
    weight: NDArray[np.float64]  # (k, k) share that each (first) has in each then, where it is not negligible
    total: NDArray[np.float64]  # (k,) probability of each then


@njit(cache=True)
def new_switching(kinds: int) -> Switching:
    """Room for rows of so many motions."""
    return Switching(np.full(1, -1.0), np.empty((kinds, kinds)), np.empty((kinds, kinds)), np.empty(kinds))


@njit(cache=True)
def mix(
    bank: NDArray[np.float64],
    means: NDArray[np.float64],
    covs: NDArray[np.float64],
    phase: NDArray[np.float64],
    dt: float,
) -> None:
    """Interaction step over dt seconds, in place: phase (k,), means (k, 7), covariances (k, 7, 7)."""
    room = new_switching(bank.shape[0])
    _switch(bank, phase, dt, room)
    if not _is_idle(room.weight, 0):
        _blend(bank, means, covs, room.weight, 0)
    for j in range(bank.shape[0]):
        phase[j] = room.total[j]


@leaf
def _switch(
    bank: NDArray[np.float64],
    phase: NDArray[np.float64],
    dt: float,
    room: Switching,
) -> int:
    """Fill the room with what phases (k,) have become dt seconds on; the likeliest then."""
    count, weight, total = bank.shape[0], room.weight, room.total
    if room.dt[0] != dt:
        room.dt[0] = dt
        for i in range(count):
            for j in range(count):
                room.moves[i, j] = 1.0 - math.exp(-bank[i, SWITCH + j] * dt)
    for i in range(count):
        total[i] = 0.0
        stay = 1.0
        for j in range(count):
            if j != i:
                weight[i, j] = room.moves[i, j] * phase[i]
                stay -= room.moves[i, j]
        if stay < 0.0:  # over so long a time the changes together would be more than all
            for j in range(count):
                if j != i:
                    weight[i, j] /= 1.0 - stay
            stay = 0.0
        weight[i, i] = stay * phase[i]
    best = 0
    for j in range(count):
        for i in range(count):
            total[j] += weight[i, j]
        if total[j] > total[best]:
            best = j
    for j in range(count):
        kept = 0.0
        for i in range(count):
            weight[i, j] /= total[j]
            if weight[i, j] < NEGLIGIBLE:
                weight[i, j] = 0.0
            kept += weight[i, j]
        for i in range(count):
            weight[i, j] /= kept
    return best


@leaf
def _sleepers(total: NDArray[np.float64], best: int, asleep: float) -> int:
    """Bits of the motions but the best that are less probable (k,) than `asleep`."""
    bits = 0
    for j in range(len(total)):
        if total[j] < asleep and j != best:
            bits |= 1 << j
    return bits


@leaf
def _is_idle(weight: NDArray[np.float64], sleepers: int) -> bool:
    """Whether nothing comes into any motion but those that sleep."""
    for j in range(len(weight)):
        if weight[j, j] != 1.0 and not sleepers >> j & 1:
            return False
    return True


@limb
def _blend(
    bank: NDArray[np.float64],
    means: NDArray[np.float64],
    covs: NDArray[np.float64],
    weight: NDArray[np.float64],
    sleepers: int,
) -> None:
    """Let means (k, 7) and covariances (k, 7, 7) be what their shares (k, k) make of them, but sleepers'."""
    count = bank.shape[0]
    new, delta = np.empty((count, N + 1, N)), np.empty(N)  # covariance, and the mean below it
    for j in range(count):
        own = weight[j, j]
        if own == 1.0 or sleepers >> j & 1:  # nothing comes in, or it does not matter
            continue
        for a in range(6):
            m = 0.0
            for i in range(count):
                m += weight[i, j] * means[i, a]
            new[j, N, a] = m
        new[j, N, 6] = own * means[j, 6] + (1.0 - own) * bank[j, MEAN]
        for a in range(N):
            for b in range(a, N):
                new[j, a, b] = 0.0
        for i in range(count):
            w = weight[i, j]
            if w == 0.0:
                continue
            for a in range(6):
                delta[a] = means[i, a] - new[j, N, a]
            delta[6] = (means[j, 6] if i == j else bank[j, MEAN]) - new[j, N, 6]
            last = 7 if i == j else 6
            for a in range(N):
                for b in range(a, N):
                    c = delta[a] * delta[b]
                    if b < last:
                        c += covs[i, a, b]
                    new[j, a, b] += w * c
            if i != j:
                new[j, 6, 6] += w * bank[j, SIGMA] * bank[j, SIGMA]
    for j in range(count):
        if weight[j, j] == 1.0 or sleepers >> j & 1:
            continue
        for a in range(N):
            means[j, a] = new[j, N, a]
            for b in range(a, N):
                covs[j, a, b] = new[j, a, b]
                covs[j, b, a] = new[j, a, b]


@njit(cache=True)
def predict_row(bank: NDArray[np.float64], row: np.void, time_ns: int) -> None:
    """Predict a row to a time (ns), in place; a time not after the row's leaves it as it is.

    Motions less probable than ASLEEP are not predicted but asleep.
    """
    predict_awake(bank, row, time_ns, ASLEEP, new_switching(bank.shape[0]))


@leaf
def sleeps_below(bank: NDArray[np.float64], row: np.void, asleep: float) -> float:
    """`asleep`, or 0 where nothing may sleep: beside anything but a coast, and in the air."""
    best = likeliest(row)
    m, kind = row["mean"][best], int(bank[best, KIND])
    if kind > CRUISE:
        return asleep
    if kind != BALLISTIC or not is_higher(m[0], m[1], m[2], THIN_AIR_M):
        return 0.0
    return asleep


@leaf
def strays(bank: NDArray[np.float64], k: int, speed: float, dt: float) -> tuple[float, float]:
    """How far (m) and how much faster (m/s) than a coast motion k may be dt seconds on, each way.

    speed: of the coast, m/s.  Five sigmas of the prior of the parameter, and of the noise.
    """
    kind, most = int(bank[k, KIND]), abs(bank[k, MEAN]) + FAR_SIGMAS * bank[k, SIGMA]
    if kind == BOOST:
        pull, q = GROWN * most, BOOST_ACCELERATION
    elif kind == CRUISE:
        pull, q = LEVEL_PULL_MS2 + most * speed, CRUISE_ACCELERATION
    else:  # of a flat frame: anything
        return 1e300, 1e300
    bumps = FAR_SIGMAS * math.sqrt(q * dt)
    return 0.5 * pull * dt * dt + bumps * dt / math.sqrt(3.0), pull * dt + bumps


@leaf
def parameter_shift(bank: NDArray[np.float64], k: int, m: NDArray[np.float64]) -> tuple[float, float, float]:
    """Acceleration (m/s^2) that one sigma of motion k's parameter makes at a mean m (>= 6,)."""
    kind = int(bank[k, KIND])
    if kind > CRUISE:
        return 0.0, 0.0, 0.0
    x, y, z = parameter_pull(kind, m[0], m[1], m[2], m[3], m[4], m[5], bank[k, MEAN])
    return bank[k, SIGMA] * x, bank[k, SIGMA] * y, bank[k, SIGMA] * z


@leaf
def predict_awake(
    bank: NDArray[np.float64], row: np.void, time_ns: int, asleep: float, room: Switching
) -> None:
    """`predict_row` with motions less probable than `asleep` asleep (0: none)."""
    dt = (time_ns - row["time_ns"]) * 1e-9
    if dt <= 0.0:
        # nothing moves; but what sleeps and is to be awake now has to have a state
        if row["asleep"] & ~_sleepers(row["phase"], likeliest(row), sleeps_below(bank, row, asleep)):
            rouse(bank, row)
        return
    count, sleepers = bank.shape[0], 0
    if count > 1:
        asleep = sleeps_below(bank, row, asleep)
        best = _switch(bank, row["phase"], dt, room)
        sleepers = _sleepers(room.total, best, asleep)
        idle = _is_idle(room.weight, sleepers)
        if not idle or row["asleep"] & ~sleepers:
            rouse(bank, row)
        if not idle:
            _blend(bank, row["mean"], row["covariance"], room.weight, sleepers)
        for k in range(count):
            row["phase"][k] = room.total[k]
        row["asleep"] = sleepers
    for k in range(count):
        if sleepers >> k & 1:
            continue
        predict_motion(
            int(bank[k, KIND]),
            row["mean"][k],
            row["covariance"][k],
            dt,
            bank[k, NOISE],
            bank[k, WALK],
            int(bank[k, AXES]),
        )
    row["time_ns"] = time_ns
    if row["life"] == CONFIRMED or row["life"] == LOCAL:
        _cease(bank, row, dt)


@leaf
def rouse(bank: NDArray[np.float64], row: np.void) -> None:
    """Let the motions of a row that are asleep have states: for what reads them."""
    if row["asleep"]:
        for k in range(bank.shape[0]):
            if row["asleep"] >> k & 1:
                _stand_in(bank, row, k, likeliest(row))
        row["asleep"] = 0


@leaf
def _stand_in(bank: NDArray[np.float64], row: np.void, k: int, best: int) -> None:
    """Let motion k of a row have the place and velocity of motion `best`, and its own prior parameter."""
    mean, cov = row["mean"], row["covariance"]
    for a in range(6):
        mean[k, a] = mean[best, a]
        for b in range(6):
            cov[k, a, b] = cov[best, a, b]
        cov[k, a, 6] = 0.0
        cov[k, 6, a] = 0.0
    mean[k, 6] = bank[k, MEAN]
    cov[k, 6, 6] = bank[k, SIGMA] * bank[k, SIGMA]


@leaf
def _cease(bank: NDArray[np.float64], row: np.void, dt: float) -> None:
    """Survival: let the object cease to be at the rate of each motion, over dt seconds.

    Without it, looks that give nothing where an aircraft should be could only mean that it fell or fired a
    motor out of the radar's sight, and every landing would look like a missile.
    """
    count = bank.shape[0]
    end = 0.0
    for k in range(count):
        if bank[k, END] > 0.0:
            end += row["phase"][k] * (1.0 - math.exp(-dt * bank[k, END]))
    if end <= 0.0:
        return
    existence = 1.0 / (1.0 + math.exp(-row["log_odds"]))
    absent = 1.0 / (1.0 + math.exp(row["log_odds"])) + existence * end
    row["log_odds"] = math.log(existence * (1.0 - end) / absent)
    for k in range(count):
        row["phase"][k] *= math.exp(-dt * bank[k, END]) / (1.0 - end)
