"""The bank of motions that a tracker's rows interact over, and how objects begin and end in each.

In: what is stated of each motion; out: the array of parameters that the kernels take, one row a motion.
FLIGHT is the product's: boost, ballistic, cruise.  A textbook problem states a bank of its own, often of one.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.motion.phases import BALLISTIC, BOOST, CRUISE, PRIOR_MEAN, PRIOR_SIGMA
from jointwatch.tracking.table import PHASE_COUNT

# Columns of the bank's array.
KIND, BIRTH, MEAN, SIGMA, NOISE, WALK, AXES, SPEED, END = 0, 1, 2, 3, 4, 5, 6, 7, 8
SWITCH = 9  # 9..11: rates of change to each motion, 1/s
BANK = 12

RELIGHT_PER_S = 1e-6
"""Rate at which what coasts fires a motor again.  What little probability the boost phase keeps is mixed
into the coast at every look with all its spread, so a rate ten times as great triples the error of the
velocity."""
SETTLE_PER_S = 1e-6
"""Rate at which what falls begins to cruise."""
CROSS_SPEED_SIGMA_MS = 1500.0
"""Prior of the velocity across the line of sight, which one plot does not tell."""
CRUISE_FLIGHT_S = 600.0
"""Mean time until an aircraft that is being watched lands or leaves the radar's cover."""


class Motion(Struct, frozen=True, kw_only=True):
    """One motion of a bank.

    kind: of `motion.phases` or `motion.plane`.  birth: probability that a new object moves so.
    parameter_mean, parameter_sigma: prior of the parameter.  noise (m^2/s^3 on the first `axes`) and walk
    (unit^2/s): process noise of a motion in the plane; flight phases know their own.  speed_sigma_ms: prior
    of the velocity that a first plot does not tell.  end_per_s: rate at which such an object ceases to be.
    to: rate of change (1/s) to each motion of the bank, its own entry unused.
    """

    kind: int
    birth: float = 1.0
    parameter_mean: float = 0.0
    parameter_sigma: float = 0.0
    noise: float = 0.0
    walk: float = 0.0
    axes: int = 3
    speed_sigma_ms: float = CROSS_SPEED_SIGMA_MS
    end_per_s: float = 0.0
    to: tuple[float, ...] = ()


def bank_of(*motions: Motion) -> NDArray[np.float64]:
    """(k, BANK) array of one to three motions, as kernels take it; ValueError for more."""
    if not 1 <= len(motions) <= PHASE_COUNT:
        raise ValueError(f"a bank holds one to {PHASE_COUNT} motions, not {len(motions)}")
    rows = np.zeros((len(motions), BANK))
    for row, m in zip(rows, motions, strict=True):
        row[:SWITCH] = (
            m.kind, m.birth, m.parameter_mean, m.parameter_sigma, m.noise, m.walk, m.axes,
            m.speed_sigma_ms, m.end_per_s,
        )  # fmt: skip
        row[SWITCH : SWITCH + len(m.to)] = m.to
    return rows


def _phase(kind: int, birth: float, end_per_s: float, to: tuple[float, ...]) -> Motion:
    return Motion(
        kind=kind,
        birth=birth,
        parameter_mean=float(PRIOR_MEAN[kind]),
        parameter_sigma=float(PRIOR_SIGMA[kind]),
        end_per_s=end_per_s,
        to=to,
    )


FLIGHT = bank_of(
    _phase(BOOST, 0.35, 0.0, (0.0, 1.0 / 30.0, 1.0 / 600.0)),
    _phase(BALLISTIC, 0.35, 0.0, (RELIGHT_PER_S, 0.0, SETTLE_PER_S)),
    # an aircraft's flight ends: it lands, or is lost to sight behind the ground
    _phase(CRUISE, 0.30, 1.0 / CRUISE_FLIGHT_S, (1.0 / 20000.0, 1.0 / 20000.0, 0.0)),
)
"""The three flight phases, in the order of `motion.phases`."""
