"""What an overloaded node leaves out: decided where the clock is read, and handed to the node as an input.

In: how far processing is behind reception, sector by sector, on a clock that is handed in; out: a
`LoadLimit` whenever the limit changes.  Clutter goes first: ever fewer plots may begin chains.  Only then do
tracks wait in turn (`tracking.shedding`), those that threaten a zone last, when nothing begins any more.
The limit goes in steps: up where the lag is great and does not fall, back one at a time after a while of
calm.  A step back that proved too much is tried again later each time, or a steady load would have the node
go to and fro for ever.
"""

from __future__ import annotations

import math
import time
from typing import Protocol

from msgspec import Struct

from jointwatch.records import Header, LoadLimit
from jointwatch.tracking.shedding import LONGEST_TURN, LONGEST_TURN_SPARED, NO_LIMIT, Limit

LAST_PLOTS = 30
"""So few plots cost next to nothing: without them, a node with too many tracks would see no new launch."""
LEVELS = (
    NO_LIMIT,
    *(Limit(plots) for plots in (1000, 300, 100, LAST_PLOTS)),
    *(Limit(LAST_PLOTS, turn) for turn in (2, 4, 8)),
    *(Limit(0, 8, turn) for turn in (1, 2, 4)),
)
"""What is worked through of a sector at each level, the next always shedding more."""
HIGH_SCANS, LOW_SCANS = 0.5, 0.1
"""So far behind, in scans of its fastest sensor, a node sheds more; by the other, it has caught up."""
STEP_SCANS, FALLING = 0.5, 0.2
"""How often the next step may be taken; a lag that falls by so many seconds a second needs none."""
CALM_SCANS, LONGEST_CALM_SCANS, RELAPSE_SCANS = 1.0, 64.0, 16.0
"""So long a node is calm before it takes a step back: at first, and at most; it doubles where the node has to
shed again within so long, or within twice as long as it was calm."""
NOTHING_SHED = "nothing is shed"
NEVER_NS = -(2**62)


class Load(Struct, frozen=True):
    """How loaded a node is held to be.

    level: place in `LEVELS`.  marked_ns, marked_s: when the lag was last compared, and the lag then.
    calm_ns: since when it has caught up without falling far behind, None if it has not.  back_ns: when the
    last step back was taken.  calm_scans: how long the next one takes.
    """

    level: int = 0
    marked_ns: int = NEVER_NS
    marked_s: float = 0.0
    calm_ns: int | None = None
    back_ns: int = NEVER_NS
    calm_scans: float = CALM_SCANS


def judge(load: Load, now_ns: int, lag_s: float, period_s: float) -> Load:
    """What the load is held to be at now_ns, with the lag (s) there is; period_s: of the fastest scan.

    Times are the node's and do not go back.  From the same load, a greater lag never gives a lower level.
    """
    scans, scan_ns = lag_s / period_s, period_s * 1e9
    if scans > HIGH_SCANS:
        # one level a step, but never fewer than one for each doubling of the lag
        level = max(load.level, 1 + int(math.log2(min(scans, 1e6) / HIGH_SCANS)))
        marked_ns, marked_s = load.marked_ns, load.marked_s
        if load.level == 0 or now_ns - marked_ns >= STEP_SCANS * scan_ns:
            since_s = (now_ns - marked_ns) * 1e-9
            level = max(level, load.level + (load.level == 0 or lag_s > marked_s - FALLING * since_s))
            marked_ns, marked_s = now_ns, lag_s
        level = min(level, len(LEVELS) - 1)
        calm_scans = load.calm_scans
        if level > load.level:
            relapsed = now_ns - load.back_ns <= max(2.0 * calm_scans, RELAPSE_SCANS) * scan_ns
            calm_scans = min(2.0 * calm_scans, LONGEST_CALM_SCANS) if relapsed else CALM_SCANS
        # a relapse counts once, however many steps it takes
        back_ns = NEVER_NS if level > load.level else load.back_ns
        return Load(level, marked_ns, marked_s, None, back_ns, calm_scans)
    # the sectors where the tracks are take longer: what counts is that the node catches up again in between
    if load.level == 0 or scans > LOW_SCANS:
        return load
    since = now_ns if load.calm_ns is None else load.calm_ns
    if now_ns - since < load.calm_scans * scan_ns:
        return Load(load.level, load.marked_ns, load.marked_s, since, load.back_ns, load.calm_scans)
    return Load(load.level - 1, now_ns, lag_s, now_ns, now_ns, load.calm_scans)


def limit_of(record: LoadLimit) -> Limit:
    """What the tracker is told by a record."""
    plots = record.plots_per_sector
    return Limit(
        None if plots is None else max(plots, 0),
        min(max(record.turn_scans, 1), LONGEST_TURN),
        min(max(record.threatening_turn_scans, 1), LONGEST_TURN_SPARED),
    )


def in_words(record: LoadLimit) -> str:
    """A limit for people: what may be worked through, and how far the node was behind."""
    limit = limit_of(record)
    parts = []
    if limit.plots is not None:
        parts.append(f"{limit.plots or 'no'} plots of a sector may begin chains")
    if limit.turn > 1:
        parts.append(f"tracks have a look in {limit.turn} scans")
    if limit.turn_spared > 1:
        parts.append(f"those that threaten in {limit.turn_spared}")
    return f"{', '.join(parts) or NOTHING_SHED}; {record.lag_s:.1f} s behind"


class Clock(Protocol):
    """A clock that only goes forward; seconds from wherever it began."""

    def now_s(self) -> float: ...

    def wait(self, seconds: float) -> None: ...


class WallClock:
    """The machine's own."""

    def now_s(self) -> float:
        return time.perf_counter()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


class LoadMeter:
    """Measures one node's lag on a clock, and says when its limit changes."""

    def __init__(self, partner: str, name: str, period_s: float, start_ns: int, speed: float = 1.0) -> None:
        """period_s: of the fastest sensor's scan; speed: seconds of the node's time a second of the clock.

        The clock stands at nought at start_ns.
        """
        self._partner, self._name, self._period_s = partner, name, period_s
        self._start_ns, self._speed = start_ns, speed
        self._sequence = 0
        self.load = Load()
        self.worst_s = 0.0
        """The greatest lag so far, seconds of the node's time."""

    def measure(self, elapsed_s: float, received_ns: int) -> LoadLimit | None:
        """Before a node takes what came at received_ns, elapsed_s on the clock: its new limit, if any."""
        lag_s = elapsed_s * self._speed - (received_ns - self._start_ns) * 1e-9
        self.worst_s = max(self.worst_s, lag_s)
        before, self.load = self.load, judge(self.load, received_ns, lag_s, self._period_s)
        if self.load.level == before.level:
            return None
        self._sequence += 1
        limit = LEVELS[self.load.level]
        return LoadLimit(
            header=Header(
                originator=self._partner,
                source=self._name,
                sequence=self._sequence,
                measured_ns=received_ns,
            ),
            plots_per_sector=limit.plots,
            turn_scans=limit.turn,
            threatening_turn_scans=limit.turn_spared,
            lag_s=lag_s,
        )
