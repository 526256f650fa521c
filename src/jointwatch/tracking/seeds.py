"""Seeds: plots that may be the first of an object, remembered until a second one says how it moves.

In: each plot of a look that no track claims, with the odds that it is an object's; out: for every later look
of the same sensor, which seeds it concerns, how surely it should have shown them again, and which are
forgotten.  One plot tells nothing of how an object moves, so a seed has neither phases nor covariance: a row
of the table begins (`birth`) only where a second plot may continue it.  Most plots are clutter's and nothing
follows them: a seed is a tenth of a row.  Whether a look concerns a seed at all is asked of all of them at
every look, so what tells that stands beside them, one line of the cache each (`SIGHTS`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jointwatch.kernel import leaf
from jointwatch.sensing.expectation import PLOT
from jointwatch.sensing.radar import (
    COMPONENT,
    IN_RANGE,
    IN_RATE,
    PERIOD,
    UPWARD,
    measures,
    observe,
    position_of_plot,
)
from jointwatch.tracking.birth import begin_row
from jointwatch.tracking.detection import believed_detection
from jointwatch.tracking.looks import ungraded_detection, wedge_share

SEED = np.dtype(
    [
        ("plot", "f8", (PLOT,)),
        ("place", "f8", (3,)),  # m; of what measures no elevation, in the middle of its cover
        ("time_ns", "i8"),
        ("identity", "i8"),  # of the plot, for good
    ]
)
TIME_NS, RANGE_M, AZIMUTH_RAD, ELEVATION_RAD, LEVEL_M, RATE_MS, LOG_ODDS, MISSES = range(8)
SIGHTS = 8
"""When and where a seed was as its sensor measures it, how far in the plane of the mount, how fast it came or
went (0 where that is not measured); the log odds that it is an object's, and how many looks should have shown
it again and did not."""
STALE_SCANS, STALE_S = 3.5, 120.0
"""A chain without a plot for so many scans of its own sensor, or so long, is given up."""
GIVE_UP_LOG_ODDS = -24.0
GIVE_UP_MISSES = 2
GONE_NS, GONE_PART = -(2**62), 0.25
"""Time beside a seed that was given up, and the part of all from which they are taken out."""
NOTHING_SIGMAS = 9.0
"""So far out a normal distribution's tail is lost beside 1."""
MOST_SEEDS = 1 << 20
"""Seeds of one sensor; more plots than that are not remembered."""
_FEW = 64


class Bed(NamedTuple):
    """Room for the seeds of one sensor, oldest first."""

    seeds: NDArray[np.void]  # (n,) of SEED
    sights: NDArray[np.float64]  # (n, SIGHTS) beside them
    many: NDArray[np.int64]  # (1,) how many there are


class Seeds:
    """The seeds of one sensor, oldest first."""

    def __init__(self) -> None:
        self.bed = Bed(np.zeros(_FEW, SEED), np.zeros((_FEW, SIGHTS)), np.zeros(1, np.int64))

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.bed.many[0])

    @property
    def live(self) -> NDArray[np.void]:
        """(count,) of SEED, a view."""
        return self.bed.seeds[: self.count]

    @property
    def sights(self) -> NDArray[np.float64]:
        """(count, SIGHTS) beside them, a view."""
        return self.bed.sights[: self.count]

    @property
    def nbytes(self) -> int:
        """Bytes that a copy takes, with the room behind."""
        return sum(part.nbytes for part in self.bed)

    def room(self, more: int) -> Bed:
        """The bed, with room for so many `more` as far as MOST_SEEDS allow."""
        wanted = min(self.count + more, MOST_SEEDS)
        if wanted > len(self.bed.seeds):
            self.bed = self._copied(min(max(wanted, 2 * len(self.bed.seeds)), MOST_SEEDS))
        return self.bed

    def copy(self) -> Seeds:
        """The same in a bed of their own, with as much room behind: it is to be added to at once."""
        other = Seeds()
        other.bed = self._copied(len(self.bed.seeds))
        return other

    def _copied(self, size: int) -> Bed:
        # not empty: the room behind goes into snapshots, and with it what lay in that memory before, keys too
        bed = Bed(np.zeros(size, SEED), np.zeros((size, SIGHTS)), self.bed.many.copy())
        bed.seeds[: self.count], bed.sights[: self.count] = self.live, self.sights
        return bed

    def keep(self, which: NDArray[np.int64]) -> None:
        """Forget all but some (k,), ascending."""
        self.live[: len(which)], self.sights[: len(which)] = self.live[which], self.sights[which]
        self.bed.many[0] = len(which)


@njit(cache=True)
def sow(
    bed: Bed,
    scratch: NDArray[np.void],
    bank: NDArray[np.float64],
    sensor: NDArray[np.float64],
    plot: NDArray[np.float64],
    time_ns: int,
    identity: int,
    log_odds: float,
) -> bool:
    """Put a plot (PLOT,) behind the seeds; False where there is no room.  scratch: a row."""
    count = bed.many[0]
    if count >= len(bed.seeds):
        return False
    seed = bed.seeds[count]
    for i in range(PLOT):
        seed["plot"][i] = plot[i]
    if int(sensor[COMPONENT]) <= IN_RATE and measures(sensor, UPWARD):
        x, y, z = position_of_plot(sensor, plot[0], plot[1], plot[2])
        r, azimuth, elevation = plot[0], plot[1], plot[2]
    else:
        begin_row(bank, scratch[0], sensor, plot, time_ns, identity)
        m = scratch[0]["mean"][0]
        x, y, z = m[0], m[1], m[2]
        r, azimuth, elevation = x, 0.0, 0.0
        if int(sensor[COMPONENT]) <= IN_RATE:
            r, azimuth, elevation, _ = observe(sensor, x, y, z, m[3], m[4], m[5])
    seed["place"][0], seed["place"][1], seed["place"][2] = x, y, z
    seed["time_ns"], seed["identity"] = time_ns, identity
    rated = int(sensor[COMPONENT]) == IN_RANGE and measures(sensor, IN_RATE)
    sight = bed.sights[count]
    sight[TIME_NS], sight[RANGE_M], sight[LEVEL_M] = time_ns, r, r * math.cos(elevation)
    sight[AZIMUTH_RAD], sight[ELEVATION_RAD], sight[RATE_MS] = azimuth, elevation, plot[3] if rated else 0.0
    sight[LOG_ODDS], sight[MISSES] = log_odds, 0.0
    bed.many[0] = count + 1
    return True


@leaf
def outside_rad(azimuth: float, middle: float, width: float) -> float:
    """How far (rad) an azimuth (0..2 pi) lies outside a wedge about its middle (0..2 pi); negative inside.

    width: of the wedge; 0 is the whole turn.
    """
    if width == 0.0:
        return -math.pi
    off = abs(azimuth - middle)
    return min(off, 2.0 * math.pi - off) - 0.5 * width


@leaf
def seed_shown(
    sight: NDArray[np.float64],
    speed: float,
    sensor: NDArray[np.float64],
    detection: NDArray[np.float64],
    wedge: tuple[float, float],
    outside: float,
    dt: float,
) -> float:
    """How surely a look dt seconds on should have shown the object of a seed again.

    sight (SIGHTS,): of the seed.  speed: sigma (m/s) of a velocity that one plot does not tell.  outside: how
    far (rad) the seed lies outside the wedge, negative inside.  A wedge that cuts the place where it may be
    says as much against it as it could have shown.
    """
    if int(sensor[COMPONENT]) > IN_RATE:
        return ungraded_detection(sensor, detection)
    r = abs(sight[RANGE_M] + sight[RATE_MS] * dt) + 1e-9
    spread = speed * dt / r
    if outside > NOTHING_SIGMAS * spread:
        return 0.0
    inside = 1.0
    if outside > -NOTHING_SIGMAS * spread:
        inside = wedge_share(sight[AZIMUTH_RAD], spread, wedge[0], wedge[1])
    if inside <= 0.0:
        return 0.0
    if int(sensor[COMPONENT]) != IN_RANGE:
        return inside * ungraded_detection(sensor, detection)
    return inside * believed_detection(detection, sensor, r, sight[ELEVATION_RAD])


@leaf
def is_stale(seen_ns: int, time_ns: int, own: bool, period_s: float) -> bool:
    """Whether a chain last seen then is given up after a look of a sensor of this period (s), its own or not.

    Also where no look reaches any more: a chain that left the cover would stay for good.
    """
    unseen = (time_ns - seen_ns) * 1e-9
    return unseen > STALE_SCANS * period_s if own else unseen > max(STALE_SCANS * period_s, STALE_S)


@njit(cache=True)
def age_seeds(
    bed: Bed, before: int, looked: NDArray[np.float64], sensor: NDArray[np.float64], time_ns: int
) -> None:
    """Let the first seeds (`before` many) be as a look that gave them nothing leaves them.

    looked (before,): probability that the look should have shown each (0 or less: not concerned).  Those
    given up are gone from before all time (`GONE_NS`), and taken out when they are many.
    """
    gone, sights = 0, bed.sights
    oldest_ns = time_ns - STALE_SCANS * sensor[PERIOD] * 1e9
    for a in range(before):  # element by element: a view of each would be counted in and out
        if looked[a] > 0.0:
            sights[a, MISSES] += 1.0 if looked[a] > 0.5 else 0.0
            sights[a, LOG_ODDS] += math.log(1.0 - min(looked[a], 0.999))
            if sights[a, MISSES] > GIVE_UP_MISSES or sights[a, LOG_ODDS] < GIVE_UP_LOG_ODDS:
                sights[a, TIME_NS] = GONE_NS
        if sights[a, TIME_NS] < oldest_ns:
            sights[a, TIME_NS] = GONE_NS
            gone += 1
    if gone >= GONE_PART * before and gone > 0:
        _close_up(bed, before)


@njit(cache=True)
def _close_up(bed: Bed, before: int) -> None:
    """Take those given up out of the first seeds (`before` many)."""
    kept = 0
    for a in range(bed.many[0]):
        if a < before and bed.sights[a, TIME_NS] == GONE_NS:
            continue
        _move(bed, a, kept)
        kept += 1
    bed.many[0] = kept


@leaf
def _move(bed: Bed, a: int, to: int) -> None:
    """Put seed a in place `to`."""
    if to < a:
        bed.seeds[to] = bed.seeds[a]
        for c in range(SIGHTS):
            bed.sights[to, c] = bed.sights[a, c]


@njit(cache=True)
def drop_seeds(bed: Bed, identities: NDArray[np.int64]) -> None:
    """Forget the seeds whose plots are among some (k,), ascending."""
    kept = 0
    for a in range(bed.many[0]):
        at = np.searchsorted(identities, bed.seeds[a]["identity"])
        if at < len(identities) and identities[at] == bed.seeds[a]["identity"]:
            continue
        _move(bed, a, kept)
        kept += 1
    bed.many[0] = kept
