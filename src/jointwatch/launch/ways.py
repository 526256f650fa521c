"""Ways that a coasting object may have come: by which class's burn, and between which heights it ended.

In: how the object's coast began (`launch.beginning`), and what each class's burns do at their ends
(`launch.burn_ends`); out: for each class, and each pair of looks between which its burn may have ended, how
probable that is, and which of the class's draws end there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numba import njit
from numpy.typing import NDArray

from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.launch.beginning import Beginning
from jointwatch.launch.burn_ends import FASTEST_MS, BurnEnds, back_to_burn_end, burn_ends
from jointwatch.launch.classes import CLASSES, TWO_STAGES
from jointwatch.motion.descent import retrace
from jointwatch.motion.phases import N

ONE_STAGE = "medium_range"
_PRIORS = {c.name: 1.0 for c in CLASSES} | {ONE_STAGE: 0.5, TWO_STAGES.name: 0.5}
AWRY = 0.05
"""How likely a look that no coast explains was no burn's either, but a plot of something else; each one."""
LEAST_SEEN = 1e-3
"""A look at a burn, or a height, is never so sure of a class that the arc could not say otherwise."""
LONGEST_BACK_S = 2000.0
LONGEST_STEP_S = 2.0
_MEDIAN, _STILL = np.zeros(5), np.zeros(3)


class Way(Struct, frozen=True):
    """A way that an object may have come: by the burn of a profile (name) that ended before the first state
    of its coast (start 0) or between that and the next (1); its probability, and which of the profile's draws
    end there, in order (of height).  timed: it ended when the coast's beginning says (`Ended`)."""

    start: int
    name: str
    probability: float
    draws: NDArray[np.int64]
    timed: bool = False


class _Passing(NamedTuple):
    """How fast (m/s) and steep (rad) an object was at a height (m) on its arc."""

    height_m: float
    speed_ms: float
    steepness_rad: float

    def drawn(self, ends: BurnEnds) -> int:
        """How many of a class's draws end below, on this arc."""
        if not math.isfinite(self.height_m):
            return len(ends.residuals) if self.height_m > 0.0 else 0
        return ends.below(self.height_m, self.speed_ms, self.steepness_rad)


_FROM_THE_GROUND, _ANYWHERE = _Passing(-math.inf, 0.0, 0.0), _Passing(math.inf, 0.0, 0.0)


class _When(NamedTuple):
    """Where on its arc an object was when its burn ended: at least, most probably, and at most."""

    low: _Passing
    middle: _Passing
    high: _Passing


class _Span(NamedTuple):
    """Between which heights a burn may have ended, before which state (start 0: the first, 1: the later), and
    the log odds of that; when: where between them, if it is known when."""

    start: int
    state: Beginning
    above: _Passing
    upto: _Passing
    log_odds: float
    when: _When | None = None

    def widths(self) -> float:
        """How many times as wide as what is left by when it ended the whole span is."""
        assert self.when is not None
        whole = _width(max(self.above.height_m, 0.5 * self.upto.height_m), self.upto.height_m)
        return max(whole / _width(self.when.low.height_m, self.when.high.height_m), 1.0)


def _width(low_m: float, high_m: float) -> float:
    """Between two heights, in the logarithm."""
    return math.log(max(high_m, 2.0)) - math.log(min(max(low_m, 1.0), 0.999 * max(high_m, 2.0)))


@njit(cache=True)
def back_to_height(s: NDArray[np.float64], height_m: float, longest_s: float) -> float:
    """Take state s (7,) back along its arc, in place, to where it rose through height_m; seconds gone back.

    The whole way back if it rose from higher than that; -1 if it is not there within longest_s, or if too
    great a drag parameter has it gain speed without bound on the way back.
    """
    back = 0.0
    while back < longest_s:
        if not s[3] * s[3] + s[4] * s[4] + s[5] * s[5] < FASTEST_MS * FASTEST_MS:
            return -1.0
        rising = s[0] * s[3] + s[1] * s[4] + s[2] * s[5] > 0.0
        height = height_above_ellipsoid(s[0], s[1], s[2])
        if rising and height <= height_m:
            return back
        step = LONGEST_STEP_S
        if rising:
            r = math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
            climb = (s[0] * s[3] + s[1] * s[4] + s[2] * s[5]) / r
            step = min(LONGEST_STEP_S, max((height - height_m) / climb, 0.01))
        retrace(s, step)
        back += step
    return -1.0


@njit(cache=True)
def go_back(s: NDArray[np.float64], seconds: float) -> None:
    """Take state s (7,) back along its arc, in place, by so many seconds."""
    left = seconds
    while left > 0.0:
        step = min(left, LONGEST_STEP_S)
        retrace(s, step)
        left -= step


def ways_of(first: Beginning, seen: Mapping[str, float] | None) -> list[Way]:
    """Ways that an object may have come: burns that may have ended on its arc, as fast and steep as it was
    there.

    Equal priors, or the probabilities by the burn, where somebody saw it (seen).  A missile of two stages has
    half a medium range's: only who saw the burn can tell the two.
    """
    spans = _spans(first)
    spreads = {span.start: _spread_ahead(span.state) for span in spans}
    found: list[tuple[float, Way]] = []
    for name in _PRIORS:
        ends = burn_ends(name)
        medians: dict[int, _Passing | None] = {}
        for k, span in enumerate(spans):
            above, upto = span.above.drawn(ends), span.upto.drawn(ends)
            # what is ballistic has burnt out: from below where a class's burns end it is none of that class
            share = max((upto - above) / len(ends.residuals), 0.0 if k else LEAST_SEEN)
            if share <= 0.0:
                continue
            if span.when is None and span.start not in medians:
                medians[span.start] = _median_end(span.state, ends)
            end = medians[span.start] if span.when is None else span.when.middle
            if end is None:
                continue
            if upto <= above:
                above, upto = 0, len(ends.residuals)
            if span.when is not None:
                low, high = max(above, span.when.low.drawn(ends)), min(upto, span.when.high.drawn(ends))
                # as many as would end between the looks if everywhere there so many did
                share = max((high - low) / len(ends.residuals) * span.widths(), LEAST_SEEN * share)
                if low < high:
                    above, upto = low, high
            prior = _PRIORS[name] if seen is None else max(seen.get(name, 0.0), LEAST_SEEN)
            density = ends.log_density(end.speed_ms, end.steepness_rad, spreads[span.start])
            log = math.log(prior) + math.log(share) + density + span.log_odds
            if not log > -math.inf:
                continue
            draws = ends.like(above, upto, end.speed_ms, end.steepness_rad)
            found.append((log, Way(span.start, name, 0.0, draws, span.when is not None)))
    if not found:
        return []
    top = max(log for log, _ in found)
    whole = sum(math.exp(log - top) for log, _ in found)
    return [replace(way, probability=math.exp(log - top) / whole) for log, way in found]


def _spans(first: Beginning) -> list[_Span]:
    """Between which looks a burn may have ended."""
    if not float(first.state[:3] @ first.state[3:6]) > 0.0:
        # on the way down nothing says where a burn ended
        return [_Span(0, first, _FROM_THE_GROUND, _ANYWHERE, 0.0)]
    here, last = _passing(first, math.inf), _passing(first, first.burnt_m)
    spans = [_Span(0, first, last, here, 0.0, _when(first))]
    if first.burnt_m > 0.0:
        spans.append(_Span(0, first, _FROM_THE_GROUND, last, max(first.burnt, 1) * math.log(AWRY)))
    if first.later is not None:
        before, after = _passing(first.later, here.height_m), _passing(first.later, math.inf)
        spans.append(_Span(1, first.later, before, after, first.burning, _when(first.later)))
    return spans


def _when(start: Beginning) -> _When | None:
    """Where a burn ended by when it did, if that is known."""
    if start.ended is None:
        return None
    least, most = start.ended.between(start.covariance)
    middle = min(max(start.ended.before_s, least), most)
    return _When(*(_some_time_before(start, before_s) for before_s in (most, middle, least)))


def _some_time_before(start: Beginning, before_s: float) -> _Passing:
    """A state's arc so many seconds before it."""
    s = start.state[:N].copy()
    go_back(s, before_s)
    return _Passing(height_above_ellipsoid(*s[:3].tolist()), *_fast_and_steep(s))


def _passing(start: Beginning, height_m: float) -> _Passing:
    """A state's arc at a height below it; the state itself where it is not higher."""
    if not height_m > 0.0:
        return _FROM_THE_GROUND
    s = start.state[:N].copy()
    if back_to_height(s, height_m, LONGEST_BACK_S) < 0.0:
        return _FROM_THE_GROUND
    height = height_above_ellipsoid(*s[:3].tolist())
    return _Passing(height, *_fast_and_steep(s))


def _fast_and_steep(s: NDArray[np.float64]) -> tuple[float, float]:
    """Speed (m/s) and steepness (rad) of a state."""
    speed = math.hypot(*s[3:6].tolist())
    climb = float(s[:3] @ s[3:6]) / math.hypot(*s[:3].tolist())
    return speed, math.asin(max(min(climb / max(speed, 1e-9), 1.0), -1.0))


def _median_end(start: Beginning, ends: BurnEnds) -> _Passing | None:
    """Where a class's median burn would have ended on the way to a state; None where the arc comes from
    none."""
    s, burn = start.state[:N].copy(), np.empty(4)
    if back_to_burn_end(s, _STILL, ends.ways, ends.bounds, _MEDIAN, LONGEST_BACK_S, burn) < 0.0:
        return None
    return _Passing(float(burn[0]), *_fast_and_steep(s))


def _spread_ahead(start: Beginning) -> NDArray[np.float64]:
    """Covariance (2, 2) of the log of a state's speed and of its steepness (rad)."""
    state = start.state[:N]
    speed = float(np.linalg.norm(state[3:6]))
    ahead = state[3:6] / speed
    up = state[:3] - float(state[:3] @ ahead) * ahead
    aside = up / max(float(np.linalg.norm(up)), 1.0)
    axes = np.stack([ahead, aside]) / speed
    return axes @ start.covariance[3:6, 3:6] @ axes.T


def shared_out(ways: list[Way], count: int) -> NDArray[np.int64]:
    """Which way each of so many samples came: as many each as its probability says."""
    bounds = np.cumsum([way.probability for way in ways])
    index = np.searchsorted(bounds, (np.arange(count) + 0.5) / count)
    return np.minimum(index, len(ways) - 1)
