"""One coast through many looks, in a wind that they tell of: how well it explains them, and where it began.

In: what each look told (time, point and information: `records.Tracklet`) and a state to begin with; out:
whether the looks are of one coast, and the state at the first of them, with the wind and their covariance.

The wind is two numbers more, which change with the height, and all looks are gone through at once: the noise
that is left is what air does unforeseen.  (A Kalman filter about a path, with the fixed-point smoother for
its first state: Anderson & Moore 1979, "Optimal filtering", 7.2; gone through anew about the smoothed path,
as Gauss and Newton do.)
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, height_above_ellipsoid
from jointwatch.earth.wind import wind_rms
from jointwatch.launch.burn_ends import FASTEST_MS
from jointwatch.motion.gaussian import cholesky, solve
from jointwatch.motion.phases import BALLISTIC, PRIOR_MEAN, PRIOR_SIGMA, N, still_air_noise
from jointwatch.motion.propagate import propagate, transition

Floats = NDArray[np.float64]
WINDY = N + 2
"""Length of a state with the wind: what a state is, and the wind towards east and north at it (m/s)."""
WINDLESS_M = 25e3
"""What is higher has left the wind behind, or will not meet it for long on its way back to a burn's end."""
CALM_MS = 1e-3
"""Wind where there is none."""
LAYER_M = 10e3
"""Climb in which a wind forgets what it was (by e): winds aloft go together over some kilometres."""
ROUNDS = 4
"""Times that the looks are gone through about a path: the last moves it by less than a metre."""
HOPELESS = 10.0
"""Squares of looks off a path, for each of their numbers, that no further round puts right."""
LOOKS = 3
"""So few looks say nothing of whether they are of one coast."""
VAGUE_M, VAGUE_MS = 1e5, 3e3
"""How little is known of the first state before any look, per axis."""
SETTLED = 0.01
"""Squares that the last round took less than this off need no other."""
LOWEST_M, HIGHEST_M = 6.2e6, 5e7
"""From the middle of the Earth: what flies is not beyond."""
DOUBTED = 3.5
"""Looks that are farther off, squared, than their number in the mean by more of its deviations are not of one
coast (in one of 1,000 where they are)."""


def in_a_wind(state: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """A state (7,) with covariance (7, 7) in a wind of which nothing is known: (9,), (9, 9)."""
    first, error = np.zeros(WINDY), np.zeros((WINDY, WINDY))
    first[:N], error[:N, :N] = state, covariance
    blows = _blows(height_above_ellipsoid(*state[:3].tolist()))
    error[N, N] = error[N + 1, N + 1] = blows * blows
    return first, error


@njit(cache=True)
def _blows(height_m: float) -> float:
    """Wind per axis (m/s) at a height."""
    return wind_rms(height_m) if height_m < WINDLESS_M else CALM_MS


@njit(cache=True)
def can_be_flown(state: Floats) -> bool:
    """Whether a state (7 or more,) is one near the Earth, and no faster than anything that flies there."""
    r2 = state[0] * state[0] + state[1] * state[1] + state[2] * state[2]
    v2 = state[3] * state[3] + state[4] * state[4] + state[5] * state[5]
    return bool(LOWEST_M * LOWEST_M < r2 < HIGHEST_M * HIGHEST_M and v2 < FASTEST_MS * FASTEST_MS)


@njit(cache=True)
def coasts(
    after_s: Floats, points: Floats, informations: Floats, state: Floats, first: Floats, error: Floats
) -> bool:
    """Whether looks (n,) are of one coast; fills the state at the first (9,) and its covariance (9, 9)."""
    known, spread = state.copy(), np.zeros((N, N))
    propagate(BALLISTIC, known, after_s[0])
    # what is known beforehand is known of the numbers themselves, not of how far they are off a path
    known[6] = PRIOR_MEAN[BALLISTIC]
    for i in range(3):
        spread[i, i], spread[3 + i, 3 + i] = VAGUE_M * VAGUE_M, VAGUE_MS * VAGUE_MS
    spread[6, 6] = PRIOR_SIGMA[BALLISTIC] ** 2
    first[:N], first[N:] = known, 0.0
    first[6] = state[6]
    return coasts_from(after_s, points, informations, known, spread, -6.0, first, error) > -math.inf


@njit(cache=True)
def coasts_from(
    after_s: Floats,
    points: Floats,
    informations: Floats,
    known: Floats,
    spread: Floats,
    begun: float,
    first: Floats,
    error: Floats,
) -> float:
    """Log density of looks (n,) as of one coast (but for what the looks alone say), -inf where they are not,
    of an object of which a state (7,) with covariance (7, 7) is known at the first one's time, before any.

    begun: 0, or less by as many numbers as are not known before, but have to be found first.  Moves the first
    state (9,), near which it begins, to where all that has it, and fills its covariance (9, 9).
    """
    squared, freedom, log_density = 0.0, 0.0, 0.0
    for _ in range(ROUNDS):
        before = squared
        squared, freedom, log_density = _go_through(
            after_s, points, informations, known, spread, begun, first, error
        )
        # far off and coming no nearer: no more rounds are needed to know
        if not squared < math.inf or (before > 0.0 and squared > max(0.5 * before, HOPELESS * freedom)):
            return -math.inf
        if before > 0.0 and abs(before - squared) < SETTLED:
            break
    return log_density if squared <= freedom + DOUBTED * (math.sqrt(2.0 * freedom) + 1.0) else -math.inf


@njit(cache=True)
def _go_through(
    after_s: Floats,
    points: Floats,
    informations: Floats,
    known: Floats,
    spread: Floats,
    begun: float,
    first: Floats,
    error: Floats,
) -> tuple[float, float, float]:
    """Move the first state (9,) to where looks (n,) have it, about its path, and fill its covariance (9, 9).

    known (7,), spread (7, 7): what is known of it before them, but for the wind.  Returns by how much the
    looks are off, squared, how many numbers they are, `begun` with them, and their log density; not finite
    where the path leaves what can be flown.
    """
    place = first.copy()
    latitude, longitude, height = ecef2geodetic(place[0], place[1], place[2])
    axes = enu_rotation(latitude, longitude)
    shift, now, blows = -first, np.zeros((WINDY, WINDY)), _blows(height)
    shift[:N] += known
    now[:N, :N] = spread
    now[N, N] = now[N + 1, N + 1] = blows * blows
    moved = shift.copy()
    error[:] = now
    cross = now.copy()
    whole = np.empty((WINDY, WINDY))
    a, told = np.empty((6, 6)), np.empty((6, 7))
    squared, freedom, log_volume = 0.0, begun, 0.0
    for k in range(len(after_s)):
        span = after_s[k] - after_s[max(k - 1, 0)]
        if span > 0.0:
            height = _onward(place, now, axes, height, span, whole)
            if not height < math.inf:
                return math.inf, freedom, -math.inf
            shift = whole @ shift
            cross = cross @ whole.T
        # with the look's information G about a point d off: (1 + G P)^-1 G (d | 1)
        g = informations[k]
        off = points[k] - place[:6] - shift[:6]
        told[:, 0] = g @ off
        told[:, 1:] = g
        a[:] = g @ np.ascontiguousarray(now[:6, :6])
        for i in range(6):
            a[i, i] += 1.0
        if not solve(a, told):
            return math.inf, freedom, -math.inf
        # what is left of a has its determinant on the diagonal
        for i in range(6):
            log_volume += math.log(abs(a[i, i]))
        gain = np.ascontiguousarray(told[:, 0])
        less = np.ascontiguousarray(told[:, 1:])
        for i in range(6):
            squared += off[i] * gain[i]
        if g[0, 0] + g[1, 1] + g[2, 2] > 0.0:
            freedom += 4.0 if g[3, 3] + g[4, 4] + g[5, 5] > 0.0 else 3.0
        mine, its = np.ascontiguousarray(cross[:, :6]), np.ascontiguousarray(now[:, :6])
        shift = shift + its @ gain
        moved += mine @ gain
        mine_less = mine @ less
        error -= mine_less @ mine.T
        cross = cross - mine_less @ its.T
        now = now - its @ less @ its.T
        for i in range(WINDY):
            for j in range(i):
                now[i, j] = now[j, i] = 0.5 * (now[i, j] + now[j, i])
    for i in range(WINDY):
        first[i] += moved[i]
        for j in range(i):
            error[i, j] = error[j, i] = 0.5 * (error[i, j] + error[j, i])
    # looks may leave less of what was unknown than numbers can hold, and lead astray
    if not (cholesky(error, WINDY, whole) and can_be_flown(first)):
        return math.inf, freedom, -math.inf
    return squared, max(freedom, 1.0), -0.5 * (squared + log_volume)


@njit(cache=True)
def _onward(place: Floats, now: Floats, axes: Floats, height_m: float, span: float, whole: Floats) -> float:
    """Move a state (9,) at a height, and its covariance (9, 9), on by span seconds, in place, and fill whole
    (9, 9): how it then hangs on what it was.  The height then; infinite where nothing can be flown.

    axes (3, 3): rows east, north and up.
    """
    s, wind, phi = place[:N].copy(), np.empty(3), np.empty((N, N))
    # in the air's own frame there is no wind
    for i in range(3):
        wind[i] = place[N] * axes[0, i] + place[N + 1] * axes[1, i]
        s[3 + i] -= wind[i]
    white, walk = still_air_noise(s)
    transition(BALLISTIC, s, span, phi)
    white2, walk2 = still_air_noise(s)
    for i in range(3):
        s[3 + i] += wind[i]
        s[i] += span * wind[i]
    if not np.isfinite(s).all():
        return math.inf
    height = height_above_ellipsoid(s[0], s[1], s[2])
    fade = math.exp(-abs(height - height_m) / LAYER_M)
    whole[:] = 0.0
    whole[:N, :N] = phi
    for c in range(2):
        for i in range(N):
            moves = 0.0
            for j in range(3):
                moves += phi[i, 3 + j] * axes[c, j]
            whole[i, N + c] = -moves
        for i in range(3):
            whole[i, N + c] += span * axes[c, i]
            whole[3 + i, N + c] += axes[c, i]
        whole[N + c, N + c] = fade
    for i in range(N):
        place[i] = s[i]
    place[N], place[N + 1] = fade * place[N], fade * place[N + 1]
    now[:] = whole @ now @ whole.T
    white, walk = 0.5 * (white + white2), 0.5 * (walk + walk2)
    for i in range(3):
        now[i, i] += white * span * span * span / 3.0
        now[i, 3 + i] += white * span * span / 2.0
        now[3 + i, i] += white * span * span / 2.0
        now[3 + i, 3 + i] += white * span
    now[6, 6] += walk * span
    blows = _blows(height)
    now[N, N] += blows * blows * (1.0 - fade * fade)
    now[N + 1, N + 1] += blows * blows * (1.0 - fade * fade)
    return height
