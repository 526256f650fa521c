"""Where an object was when it was first seen to coast, and in what wind it flew, by all looks at it since.

In: what each look told of it (time, point and information: `records.Tracklet`), and its state as it is known
now; out: its state as of the first of those looks that one coast explains, with the wind, and their
covariance.  The way back to a launch starts there.

A track's own state would not do.  Its filter has to go on whatever pushes the object, so it takes a wind for
noise, a push at random that lasts as long as the object is in one layer of air: over the few seconds of a
rocket's first looks that is more than any wind does, and the same wind blew on the way up to the first look.
So all looks are gone through at once, with the wind as two numbers more (`launch.coast`).  Looks before the
burn was over fit no coast: they are its prior (`launch.burn_looks`), and which look is the coast's first is
weighed by the evidence of all.  Where none saw the burn, whether it was on at the first is weighed by how far
that is off the coast taken back.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, height_above_ellipsoid
from jointwatch.launch.burn_looks import earliest, ended, through_burn
from jointwatch.launch.coast import LOOKS, WINDY, coasts, coasts_from, in_a_wind
from jointwatch.motion.gaussian import solve
from jointwatch.motion.phases import BALLISTIC, N
from jointwatch.motion.propagate import propagate, transition

Floats = NDArray[np.float64]
MOST_LOOKS = 64
"""The latest looks, of which a launch is told."""
LAST_MS2 = 100.0
"""Thrust of a motor at its end, an order of magnitude."""
APART_S = 1.5
"""What a burn does in less time than this looks do not tell."""
LATELY_S = 25.0
"""A look longer ago is not held against a single state: what pushed the object since is not in it."""
MOST_WILD = 3
"""Looks that are left out because those before and after them are of one coast without them."""
MAY_BURN = 3
"""Looks after the last sure one of a burn at which it may have been on, too."""
FAR_OFF = 3.0
"""A burn that would have ended so many times the time between two looks away from its middle is none."""
SURELY = 4.0
"""Log odds from which on the burn was on at a look, whatever is known of burns."""


class Ended(Struct, frozen=True):
    """When the burn ended before an object's first state: before_s, as long as that is right, and slope (7,),
    seconds that it is more for each unit that the state (7,) is off; sigma_s: what is left open.  Never
    longer than span_s."""

    before_s: float
    slope: Floats
    sigma_s: float
    span_s: float

    def between(self, covariance: Floats) -> tuple[float, float]:
        """Seconds before, at least and at most, for a state with a covariance (9, 9): spread evenly over as
        much as has that standard deviation."""
        by_state = float(self.slope @ covariance[:N, :N] @ self.slope)
        open_s = math.sqrt(max(by_state, 0.0) + self.sigma_s**2)
        least, most = self.before_s - math.sqrt(3.0) * open_s, self.before_s + math.sqrt(3.0) * open_s
        return min(max(least, 0.0), self.span_s), min(max(most, 0.0), self.span_s)


class Beginning(Struct, frozen=True):
    """The first state of an object that coasts: time_ns, state (9,), covariance (9, 9); the last two are the
    wind's (WINDY).

    later: the same as of a look after it, since the burn may have been on at the first; burning: what looks
    say for that, as log odds, which know nothing of when burns of a class end.  burnt_m: height at the
    look before, at which it was on, by so many looks as burnt says; ended: when it ended, if they say so.
    """

    time_ns: int
    state: Floats
    covariance: Floats
    later: Beginning | None = None
    burning: float = 0.0
    burnt_m: float = -math.inf
    burnt: int = 0
    ended: Ended | None = None


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
    k, burnt, then, burning = _first_of_coast(after_s, points, informations, state, states, errors)
    now, error = in_a_wind(state, covariance)
    if k < 0:
        burnt = _last_of_burn(after_s, points, informations, now, error)
    began = _after_burn(at, after_s, points, informations, burnt)
    if began is not None:
        return began
    burnt_m = _height_at(points, burnt)
    if k < 0:
        return Beginning(time_ns, now, error, burnt_m=burnt_m, burnt=int(burnt >= 0))
    later = Beginning(int(at[then]), states[1], errors[1]) if then > 0 else None
    return Beginning(int(at[k]), states[0], errors[0], later, burning, burnt_m, int(burnt >= 0))


def _after_burn(
    at: NDArray[np.int64], after_s: Floats, points: Floats, informations: Floats, burnt: int
) -> Beginning | None:
    """The beginning of a coast by looks at the burn before it, too, of which `burnt` is the last that surely
    was one; None where there are none, or none that go together with a coast."""
    if not 0 <= burnt < len(at) - 1:
        return None
    begun, k = earliest(after_s, burnt + 1), burnt + 1
    found: list[tuple[float, Beginning]] = []
    while k < len(at) and len(found) < MAY_BURN:
        found.append(_coast_after(begun, k, at, after_s, points, informations))
        k = next((j for j in range(k + 1, len(at)) if after_s[j] - after_s[k] >= APART_S), len(at))
    best = max(range(len(found)), key=lambda j: found[j][0])
    if not found[best][0] > -math.inf:
        return None
    # the burn may have ended a look before, or after, what is most probable
    if best > 0 and found[best - 1][0] >= found[best][0] - SURELY:
        best -= 1
    log_density, first = found[best]
    if best + 1 == len(found) or not found[best + 1][0] > -math.inf:
        return first
    return replace(first, later=found[best + 1][1], burning=found[best + 1][0] - log_density)


def _coast_after(
    begun: int, k: int, at: NDArray[np.int64], after_s: Floats, points: Floats, informations: Floats
) -> tuple[float, Beginning]:
    """Log density of all looks, and the coast's beginning, if that is look k and the burn was on at those
    from `begun` on before it; -inf where they do not go together."""
    known, spread, late = np.empty(N), np.empty((N, N)), np.empty(N)
    first, error = np.zeros(WINDY), np.zeros((WINDY, WINDY))
    log_density = through_burn(begun, k, after_s, points, informations, known, spread, late)
    if log_density > -math.inf:
        first[:N] = known
        since = after_s[k:], points[k:], informations[k:]
        log_density += coasts_from(*since, known, spread, 0.0, first, error)
    if not log_density > -math.inf:
        return -math.inf, Beginning(int(at[k]), first, error)
    slope, span = np.empty(N), float(after_s[k] - after_s[k - 1])
    left = ended(spread, late, slope)
    part = 0.5 + float(slope @ (first[:N] - known))
    if not abs(part - 0.5) < FAR_OFF:
        return -math.inf, Beginning(int(at[k]), first, error)
    when = Ended((1.0 - part) * span, -span * slope, left * span, span)
    return log_density, Beginning(
        int(at[k]), first, error, burnt_m=_height_at(points, k - 1), burnt=k - begun, ended=when
    )


def _height_at(points: Floats, look: int) -> float:
    """Height (m) at one of looks at points (n, 6); below all that is where there is none (-1)."""
    return height_above_ellipsoid(*points[look, :3].tolist()) if look >= 0 else -math.inf


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
    k, then, odds = _without_wild(after_s, points, informations, state, states[0], errors[0]), -1, 0.0
    last = k + MAY_BURN
    while k >= 0:
        then = k + 1
        while then < n and after_s[then] - after_s[k] < APART_S:
            then += 1
        if n - then < LOOKS or not coasts(
            after_s[then:], points[then:], informations[then:], state, states[1], errors[1]
        ):
            then, odds = -1, 0.0
            break
        odds, _, _ = _burning(after_s[then] - after_s[k], points[k], informations[k], states[1], errors[1])
        if odds <= SURELY or k >= last:
            break
        k += 1
    if k < 0 or not coasts(after_s[k:], points[k:], informations[k:], state, states[0], errors[0]):
        return -1, -1, -1, 0.0
    burnt = -1
    if k > 0:
        span = after_s[k] - after_s[k - 1]
        _, along, off = _burning(span, points[k - 1], informations[k - 1], states[0], errors[0])
        burnt = k - 1 if _is_push(along, off) else -1
    return k, burnt, then, odds


@njit(cache=True)
def _without_wild(
    after_s: Floats, points: Floats, informations: Floats, state: Floats, first: Floats, error: Floats
) -> int:
    """`_first_that_fits` where looks (n,) that those on both sides speak against are left out: they lose
    their information."""
    k = _first_that_fits(after_s, points, informations, state, first, error)
    for _ in range(MOST_WILD):
        if k < 1:
            break
        kept = informations[k - 1].copy()
        informations[k - 1] = 0.0
        without = _first_that_fits(after_s, points, informations, state, first, error)
        if without < 0 or without >= k - 1:
            informations[k - 1] = kept
            break
        k = without
    return k


@njit(cache=True)
def _is_push(along: float, off: float) -> bool:
    """Whether what a look is off (`_burning`) is a burn's: none pushes back, or mostly to the side."""
    return along > 0.0 and along * along >= 0.5 * off


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
        if SURELY < odds < math.inf and _is_push(along, off):
            return k
    return -1


@njit(cache=True)
def _first_that_fits(
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
    if high < low or not coasts(after_s[high:], points[high:], informations[high:], state, first, error):
        return -1
    if coasts(after_s[low:], points[low:], informations[low:], state, first, error):
        return low
    while high - low > 1:
        middle = (low + high) // 2
        if coasts(after_s[middle:], points[middle:], informations[middle:], state, first, error):
            high = middle
        else:
            low = middle
    return high


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
