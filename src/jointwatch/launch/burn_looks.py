"""What looks at a burn tell of the coast after it: how fast it began, and when.

In: looks while an object's motor was on (time, point and information: `records.Tracklet`), and the time of
the first look after; out: its state then, with covariance, before that look itself, and how that goes with
when the burn ended.

A track's filter would not do.  It has to follow whatever turns in flight, and so lets a burn push an object
to any side alike, by 20 m/s in ten seconds; what a motor of a class does (`launch.ascent`) is to push along
the way, and to steer by a quarter of that.  When the burn ended nobody knows: at any time between the two
looks alike.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.launch.coast import VAGUE_M, VAGUE_MS, can_be_flown
from jointwatch.motion.drag import held_up
from jointwatch.motion.gaussian import solve
from jointwatch.motion.phases import (
    BALLISTIC,
    BOOST,
    EXHAUST_MS,
    PRIOR_MEAN,
    PRIOR_SIGMA,
    N,
)
from jointwatch.motion.propagate import transition

Floats = NDArray[np.float64]
THRUST_MS2, THRUST_SIGMA_MS2 = 60.0, 80.0
"""Thrust over mass before any look: of missiles, and of rockets, which burn out in seconds."""
UNEVEN, UNSTEADY = 15.0, 2.0
"""White acceleration along the way (m^2/s^3) of a motor, and walk of its thrust over mass (m^2/s^5)."""
STEERED = 2.0
"""White acceleration across the way (m^2/s^3) of a motor that is steered: 4 m/s after ten seconds."""
EVEN = 1.0 / math.sqrt(12.0)
"""Standard deviation of what may be anything from nought to one alike."""
MOST_LOOKS_BACK, LONGEST_BACK_S = 8, 40.0
"""So many looks, and so long before the last, say all of its last state that looks at a burn do."""


@njit(cache=True)
def through_burn(
    begun: int,
    end: int,
    after_s: Floats,
    points: Floats,
    informations: Floats,
    state: Floats,
    error: Floats,
    late: Floats,
) -> float:
    """Fill state (7,) and error (7, 7) with an object's at look `end` of n, at which it coasts, by those from
    `begun` on before it, at which its burn was on, and late (7,) with the covariance of that state and when
    the burn ended, as a part of the time between the two looks.  Log density of the looks at the burn (but
    for what they alone say); -inf where they say nothing of it.
    """
    if end <= begun:
        return -math.inf
    log_density = 0.0
    # a push goes along the way, so where that points has to be nearly right to begin with
    other = begun + 1
    while other < end and not (after_s[other] > after_s[begun] and informations[other].any()):
        other += 1
    span, far, ahead = after_s[other] - after_s[begun], 0.0, np.empty(3)
    for i in range(3):
        ahead[i] = points[other, i] - points[begun, i]
        far += ahead[i] * ahead[i]
    far = math.sqrt(far)
    if not (span > 0.0 and far > 0.0 and after_s[end] > after_s[end - 1]):
        return -math.inf
    speed = max(far / span - 0.5 * span * THRUST_MS2, 0.1 * far / span)
    for i in range(3):
        state[i], state[3 + i] = points[begun, i], speed / far * ahead[i]
    state[6] = THRUST_MS2
    error[:] = 0.0
    for i in range(3):
        error[i, i], error[3 + i, 3 + i] = VAGUE_M * VAGUE_M, VAGUE_MS * VAGUE_MS
    error[6, 6] = THRUST_SIGMA_MS2 * THRUST_SIGMA_MS2
    for k in range(begun, end):
        if after_s[k] > after_s[max(k - 1, begun)]:
            _pushed_on(state, error, after_s[k] - after_s[k - 1])
        log_density += _seen(points[k], informations[k], state, error)
        if not log_density > -math.inf:
            return -math.inf
    _burnt_out(state, error, after_s[end] - after_s[end - 1], late)
    return log_density if np.isfinite(error).all() and can_be_flown(state) else -math.inf


@njit(cache=True)
def earliest(after_s: Floats, end: int) -> int:
    """The first of looks before look `end` from which on they say all of its last state that looks at a burn
    do."""
    k = max(end - MOST_LOOKS_BACK, 0)
    while k < end - 1 and after_s[end] - after_s[k] > LONGEST_BACK_S:
        k += 1
    return k


@njit(cache=True)
def _pushed_on(state: Floats, error: Floats, span: float) -> None:
    """Move a state (7,) and its covariance (7, 7) on by span seconds of a burn, in place."""
    phi, ahead = np.empty((N, N)), np.empty(3)
    transition(BOOST, state, span, phi)
    _ahead(state, ahead)
    error[:] = phi @ error @ phi.T
    for i in range(3):
        for j in range(3):
            q = (UNEVEN - STEERED) * ahead[i] * ahead[j] + (STEERED if i == j else 0.0)
            error[i, j] += q * span * span * span / 3.0
            error[i, 3 + j] += q * span * span / 2.0
            error[3 + i, j] += q * span * span / 2.0
            error[3 + i, 3 + j] += q * span
    # how mass goes is not known the better the harder it pushes
    grows = state[6] * state[6] / EXHAUST_MS
    error[6, 6] += (UNSTEADY + 0.25 * grows * grows) * span


@njit(cache=True)
def _burnt_out(state: Floats, error: Floats, span: float, late: Floats) -> None:
    """Move a state (7,) of a burn and its covariance (7, 7) on by span seconds, in place, in which it ends:
    after a time u that may be any alike, which makes the object p u faster and p u (span - u / 2) farther
    than had it coasted (p: what a burn's parameter says, and the drag that this has overcome).  late (7,): as
    of `through_burn`."""
    ahead, phi = np.empty(3), np.empty((N, N))
    _ahead(state, ahead)
    thrust, sigma2 = state[6], error[6, 6]
    _push(error, ahead, span, 1.0)
    # the parameter is another one from here on
    for i in range(N):
        error[i, 6] = error[6, i] = 0.0
    state[6], error[6, 6] = PRIOR_MEAN[BALLISTIC], PRIOR_SIGMA[BALLISTIC] ** 2
    speed = math.sqrt(state[3] * state[3] + state[4] * state[4] + state[5] * state[5])
    drag = held_up(height_above_ellipsoid(state[0], state[1], state[2]), speed, state[6]) * speed
    _push(error, ahead, span, drag)
    p = thrust + drag
    square = p * p + sigma2 + drag * drag * PRIOR_SIGMA[BALLISTIC] ** 2
    transition(BALLISTIC, state, span, phi)
    error[:] = phi @ error @ phi.T
    late[6] = 0.0
    for i in range(3):
        late[i], late[3 + i] = span * span / 24.0 * p * ahead[i], span / 12.0 * p * ahead[i]
        state[i] += span * span / 3.0 * p * ahead[i]
        state[3 + i] += span / 2.0 * p * ahead[i]
        for j in range(3):
            along, across = square * ahead[i] * ahead[j], STEERED * (i == j)
            error[i, j] += along * span**4 / 45.0 + across * span**3 / 3.0
            error[i, 3 + j] += along * span**3 / 24.0 + across * span**2 / 2.0
            error[3 + i, j] += along * span**3 / 24.0 + across * span**2 / 2.0
            error[3 + i, 3 + j] += along * span**2 / 12.0 + across * span


@njit(cache=True)
def _push(error: Floats, ahead: Floats, span: float, by: float) -> None:
    """Let a covariance (7, 7) know, before it is taken on by span seconds, that a push by the parameter,
    times `by`, moves the state until then in the mean of all times at which it may end."""
    push = np.eye(N)
    for i in range(3):
        # a third of the square of the span, less the half that the velocity's part comes to on the way
        push[i, 6], push[3 + i, 6] = -by * span * span / 6.0 * ahead[i], by * span / 2.0 * ahead[i]
    error[:] = push @ error @ push.T


@njit(cache=True)
def ended(spread: Floats, late: Floats, slope: Floats) -> float:
    """When a burn ended, as a part of the time between the last look at it and the first at the coast: fills
    slope (7,) with how it hangs on the state at the latter; the standard deviation that is left.

    It is a half where the state is what looks at the burn alone say; spread (7, 7) and late (7,): of
    `through_burn`.
    """
    a, told = spread.copy(), np.empty((N, 1))
    told[:, 0] = late
    if not solve(a, told):
        slope[:] = 0.0
        return EVEN
    slope[:] = told[:, 0]
    left = EVEN * EVEN
    for i in range(N):
        left -= slope[i] * late[i]
    return math.sqrt(max(left, 0.0))


@njit(cache=True)
def _seen(point: Floats, information: Floats, state: Floats, error: Floats) -> float:
    """Move a state (7,) and its covariance (7, 7) to where a look (6,) with information (6, 6) has it; the
    look's log density."""
    off, told = point - state[:6], np.empty((6, 7))
    a = information @ np.ascontiguousarray(error[:6, :6])
    told[:, 0], told[:, 1:] = information @ off, information
    for i in range(6):
        a[i, i] += 1.0
    if not solve(a, told):
        return -math.inf
    log_density = 0.0
    for i in range(6):
        # what is left of a has its determinant on the diagonal
        log_density -= 0.5 * (off[i] * told[i, 0] + math.log(abs(a[i, i])))
    its = np.ascontiguousarray(error[:, :6])
    state += its @ np.ascontiguousarray(told[:, 0])
    error -= its @ np.ascontiguousarray(told[:, 1:]) @ its.T
    for i in range(N):
        for j in range(i):
            error[i, j] = error[j, i] = 0.5 * (error[i, j] + error[j, i])
        if not error[i, i] > 0.0:
            return -math.inf
    return log_density


@njit(cache=True)
def _ahead(state: Floats, ahead: Floats) -> None:
    """Fill ahead (3,) with the direction of a state's velocity."""
    speed = math.sqrt(state[3] * state[3] + state[4] * state[4] + state[5] * state[5]) + 1e-9
    for i in range(3):
        ahead[i] = state[3 + i] / speed
