"""Where an object was when it was first seen to coast, and in what wind it flew, by all looks at it since.

In: what each look told of it (time, point and information: `records.Tracklet`), and its state as it is known
now; out: its state as of the first of those looks that one coast explains, with the wind, and their
covariance.  The way back to a launch starts there.

A track's own state would not do.  Its filter has to go on whatever pushes the object, so it takes a wind for
noise, a push at random that lasts as long as the object is in one layer of air: over the few seconds of a
rocket's first looks that is more than any wind does, and the same wind blew on the way up to the first look.
Here it is two numbers more, which change with the height, and all looks are gone through at once: the noise
that is left is what air does unforeseen.  Looks before the burn was over fit no coast and are left out.  (A
Kalman filter about a path, with the fixed-point smoother for its first state: Anderson & Moore 1979, "Optimal
filtering", 7.2; gone through anew about the smoothed path, as Gauss and Newton do.)
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, height_above_ellipsoid
from jointwatch.earth.wind import wind_rms
from jointwatch.motion.gaussian import solve
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
MOST_LOOKS = 64
"""The latest looks, of which a launch is told."""
VAGUE_M, VAGUE_MS = 1e5, 3e3
"""How little is known of the first state before any look, per axis."""
LAST_MS2 = 100.0
"""Thrust of a motor at its end, an order of magnitude."""
APART_S = 1.5
"""What a burn does in less time than this looks do not tell."""
LATELY_S = 25.0
"""A look longer ago is not held against a single state: what pushed the object since is not in it."""
MOST_WILD = 3
"""Looks that are left out because those before and after them are of one coast without them."""
SURELY = 4.0
"""Log odds from which on the burn was on at a look, whatever is known of burns."""
DOUBTED = 3.5
"""Looks that are farther off, squared, than their number in the mean by more of its deviations are not of one
coast (in one of 1,000 where they are)."""


class Beginning(Struct, frozen=True):
    """The first state of an object that coasts: time_ns, state (9,), covariance (9, 9); the last two are the
    wind's (WINDY).

    later: the same as of a look after it, since the burn may have been on at the first; burning: what that
    one says for it, as log odds (`_burning`), which know nothing of when burns end.  burnt_m: height at the
    look before, at which it was on.
    """

    time_ns: int
    state: Floats
    covariance: Floats
    later: Beginning | None = None
    burning: float = 0.0
    burnt_m: float = -math.inf


class Looks(Struct, frozen=True):
    """What looks told of an object, in order: times_ns (n,), points (n, 6), informations (n, 6, 6)."""

    times_ns: NDArray[np.int64]
    points: Floats
    informations: Floats


NO_LOOKS = Looks(np.zeros(0, np.int64), np.zeros((0, 6)), np.zeros((0, 6, 6)))


def beginning_of(looks: Looks, time_ns: int, state: Floats, covariance: Floats) -> Beginning:
    """The beginning of an object's coast; state (7,) with covariance (7, 7): the latest, at time_ns.

    The latest state, and a wind of which nothing is known, where looks say nothing of it.
    """
    at = looks.times_ns[-MOST_LOOKS:]
    after_s = np.asarray(1e-9 * (at - time_ns), np.float64)
    points, informations = looks.points[-MOST_LOOKS:], looks.informations[-MOST_LOOKS:].copy()
    states, errors = np.zeros((2, WINDY)), np.zeros((2, WINDY, WINDY))
    k, before, then, burning = _first_of_coast(after_s, points, informations, state, states, errors)
    if k < 0:
        first, error = in_a_wind(state, covariance)
        before = _last_of_burn(after_s, points, informations, first, error)
        return Beginning(time_ns, first, error, burnt_m=_height_at(points, before))
    later = Beginning(int(at[then]), states[1], errors[1]) if then > 0 else None
    return Beginning(int(at[k]), states[0], errors[0], later, burning, _height_at(points, before))


def _height_at(points: Floats, look: int) -> float:
    """Height (m) at one of looks at points (n, 6); below all that is where there is none (-1)."""
    return height_above_ellipsoid(*points[look, :3].tolist()) if look >= 0 else -math.inf


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
def _first_of_coast(
    after_s: Floats, points: Floats, informations: Floats, state: Floats, states: Floats, errors: Floats
) -> tuple[int, int, int, float]:
    """Which of looks (n,) is the first of one coast with all that follow, or -1; the last before at which the
    burn was on, or -1; a later one, or -1, and the log odds that the burn was on at the first, by that one.

    after_s (n,): of each look after the latest state's time.  Fills the states (2, 9) at the first and the
    later, and their covariances (2, 9, 9); wild looks lose their information.
    """
    n = len(after_s)
    k = _shortest(after_s, points, informations, state, states[0], errors[0])
    for _ in range(MOST_WILD):
        if k < 1:
            break
        kept = informations[k - 1].copy()
        informations[k - 1] = 0.0
        without = _shortest(after_s, points, informations, state, states[0], errors[0])
        if without < 0 or without >= k - 1:
            informations[k - 1] = kept
            break
        k = without
    if k < 0:
        return -1, -1, -1, 0.0
    odds = 0.0
    while True:
        then = k + 1
        while then < n and after_s[then] - after_s[k] < APART_S:
            then += 1
        if n - then < LOOKS or not _coasts(
            after_s[then:], points[then:], informations[then:], state, states[1], errors[1]
        ):
            then = -1
            break
        odds, _, _ = _burning(after_s[then] - after_s[k], points[k], informations[k], states[1], errors[1])
        if odds <= SURELY:
            break
        k += 1
    if not _coasts(after_s[k:], points[k:], informations[k:], state, states[0], errors[0]):
        return -1, -1, -1, 0.0
    burnt = -1
    if k > 0:
        _, along, off = _burning(
            after_s[k] - after_s[k - 1], points[k - 1], informations[k - 1], states[0], errors[0]
        )
        # no burn pushes to the side or back
        burnt = k - 1 if along > 0.0 and along * along >= 0.5 * off else -1
    return k, burnt, then, odds if then > 0 else 0.0


@njit(cache=True)
def _last_of_burn(after_s: Floats, points: Floats, informations: Floats, state: Floats, error: Floats) -> int:
    """The last of looks (n,) at which the burn was surely on, by the state (9,) with covariance (9, 9) at 0 s
    after; -1 where none was of those not long before."""
    for k in range(len(after_s) - 1, -1, -1):
        if after_s[k] < -LATELY_S:
            break
        if after_s[k] > -APART_S:
            continue
        odds, along, off = _burning(-after_s[k], points[k], informations[k], state, error)
        if SURELY < odds < math.inf and along > 0.0 and along * along >= 0.5 * off:
            return k
    return -1


@njit(cache=True)
def _shortest(
    after_s: Floats,
    points: Floats,
    informations: Floats,
    state: Floats,
    first: Floats,
    error: Floats,
) -> int:
    """The first of looks (n,) with which all that follow are of one coast, or -1: by halving, since fewer
    looks are of one coast where more are."""
    n = len(after_s)
    low, high = 0, n - LOOKS
    if high < low or not _coasts(after_s[high:], points[high:], informations[high:], state, first, error):
        return -1
    if _coasts(after_s[low:], points[low:], informations[low:], state, first, error):
        return low
    while high - low > 1:
        middle = (low + high) // 2
        if _coasts(after_s[middle:], points[middle:], informations[middle:], state, first, error):
            high = middle
        else:
            low = middle
    return high


@njit(cache=True)
def _coasts(
    after_s: Floats, points: Floats, informations: Floats, state: Floats, first: Floats, error: Floats
) -> bool:
    """Whether looks (n,) are of one coast; fills the state at the first (9,) and its covariance (9, 9)."""
    for i in range(N):
        first[i] = state[i]
    first[N] = first[N + 1] = 0.0
    propagate(BALLISTIC, first[:N], after_s[0])
    squared, freedom = 0.0, 0.0
    for _ in range(ROUNDS):
        before = squared
        squared, freedom = _go_through(after_s, points, informations, first, error)
        # far off and coming no nearer: no more rounds are needed to know
        if not squared < math.inf or (before > 0.0 and squared > max(0.5 * before, HOPELESS * freedom)):
            return False
    return bool(squared <= freedom + DOUBTED * (math.sqrt(2.0 * freedom) + 1.0))


@njit(cache=True)
def _burning(
    span: float, point: Floats, information: Floats, state: Floats, error: Floats
) -> tuple[float, float, float]:
    """Log odds that the burn was on at a look (6,) with information (6, 6) and not over, by the state (9,)
    with covariance (9, 9) of the coast span seconds later; how far the look is off as a burn has it (in
    deviations, negative where it is off the other way), and in all, squared.

    A burn that ends in between leaves the object slower at the look than on the coast taken back, and ahead
    of it, by at most what a motor's last thrust does in the time.
    """
    latitude, longitude, _ = ecef2geodetic(state[0], state[1], state[2])
    axes = enu_rotation(latitude, longitude)
    s, wind = state[:N].copy(), np.empty(3)
    for i in range(3):
        wind[i] = state[N] * axes[0, i] + state[N + 1] * axes[1, i]
        s[3 + i] -= wind[i]
    propagate(BALLISTIC, s, -span)
    phi, off, u = np.empty((N, N)), np.empty(6), np.empty(6)
    transition(BALLISTIC, s.copy(), span, phi)
    speed = math.sqrt(s[3] * s[3] + s[4] * s[4] + s[5] * s[5])
    sigma = LAST_MS2 * span / math.sqrt(3.0)
    for i in range(3):
        ahead = s[3 + i] / speed
        off[i], off[3 + i] = point[i] - (s[i] - span * wind[i]), point[3 + i] - (s[3 + i] + wind[i])
        u[i], u[3 + i] = 0.5 * span / math.sqrt(3.0) * sigma * ahead, -sigma * ahead
    back = np.eye(N)
    if not solve(phi, back):
        return math.inf, 0.0, 0.0
    before = back @ np.ascontiguousarray(error[:N, :N]) @ back.T
    a = information @ np.ascontiguousarray(before[:6, :6])
    told = np.empty((6, 2))
    told[:, 0], told[:, 1] = information @ off, information @ u
    for i in range(6):
        a[i, i] += 1.0
    if not solve(a, told):
        return math.inf, 0.0, 0.0
    wide, r, squared = 1.0, 0.0, 0.0
    for i in range(6):
        wide += u[i] * told[i, 1]
        r += u[i] * told[i, 0]
        squared += off[i] * told[i, 0]
    r /= math.sqrt(wide)
    # of the two ways that it may be off only one is a burn's
    one_sided = math.log(max(math.erfc(-r / math.sqrt(2.0)), 1e-300))
    return 0.5 * r * r - 0.5 * math.log(wide) + one_sided, r, squared


@njit(cache=True)
def _go_through(
    after_s: Floats, points: Floats, informations: Floats, first: Floats, error: Floats
) -> tuple[float, float]:
    """Move the first state (9,) to where looks (n,) have it, about its path, and fill its covariance (9, 9).

    Returns by how much the looks are off, squared, and how many numbers they are; not finite where the path
    leaves what can be flown.
    """
    place = first.copy()
    latitude, longitude, height = ecef2geodetic(place[0], place[1], place[2])
    axes = enu_rotation(latitude, longitude)
    shift, moved = np.zeros(WINDY), np.zeros(WINDY)
    now = np.zeros((WINDY, WINDY))
    blows = _blows(height)
    for i in range(3):
        now[i, i], now[3 + i, 3 + i] = VAGUE_M * VAGUE_M, VAGUE_MS * VAGUE_MS
    # what is known beforehand is known of the numbers themselves, not of how far they are off this path
    now[6, 6] = PRIOR_SIGMA[BALLISTIC] ** 2
    now[N, N] = now[N + 1, N + 1] = blows * blows
    shift[6], shift[N], shift[N + 1] = PRIOR_MEAN[BALLISTIC] - place[6], -place[N], -place[N + 1]
    moved[:] = shift
    error[:] = now
    cross = now.copy()
    phi, whole = np.empty((N, N)), np.empty((WINDY, WINDY))
    wind, s = np.empty(3), np.empty(N)
    a, told = np.empty((6, 6)), np.empty((6, 7))
    squared, freedom = 0.0, -6.0
    for k in range(len(after_s)):
        if k > 0:
            span = after_s[k] - after_s[k - 1]
            if span > 0.0:
                # in the air's own frame there is no wind
                for i in range(N):
                    s[i] = place[i]
                for i in range(3):
                    wind[i] = place[N] * axes[0, i] + place[N + 1] * axes[1, i]
                    s[3 + i] -= wind[i]
                was_m = height
                white, walk = still_air_noise(s)
                transition(BALLISTIC, s, span, phi)
                white2, walk2 = still_air_noise(s)
                for i in range(3):
                    s[3 + i] += wind[i]
                    s[i] += span * wind[i]
                if not np.isfinite(s).all():
                    return math.inf, freedom
                height = height_above_ellipsoid(s[0], s[1], s[2])
                fade = math.exp(-abs(height - was_m) / LAYER_M)
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
                shift = whole @ shift
                now = whole @ now @ whole.T
                cross = cross @ whole.T
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
        # with the look's information G about a point d off: (1 + G P)^-1 G (d | 1)
        g = informations[k]
        off = points[k] - place[:6] - shift[:6]
        told[:, 0] = g @ off
        told[:, 1:] = g
        a[:] = g @ np.ascontiguousarray(now[:6, :6])
        for i in range(6):
            a[i, i] += 1.0
        if not solve(a, told):
            return math.inf, freedom
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
        if not error[i, i] > 0.0:
            return math.inf, freedom
        for j in range(i):
            error[i, j] = error[j, i] = 0.5 * (error[i, j] + error[j, i])
    return squared, max(freedom, 1.0)
