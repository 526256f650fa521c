"""Where partners' pictures conflict beyond chance, and which evidence differs.

In: what each originator tells of each object (`picture.View`), how one's own looks speak against what only
others track, and where each side expects falls; out: a `Conflict` for each thing that does not agree, told
when it begins and when it ends.  A pure function of what is handed in, but for which conflicts stand.
Nothing is decided by a conflict: both sides stay in the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
from msgspec import Struct

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.joint.picture import JointTrack, View
from jointwatch.records import PHASES, Impact
from jointwatch.records.disagreement import DisagreementKind

CHANCE2 = 30.0
"""Squared distance (6 degrees of freedom) that chance exceeds once in 25,000 times."""
FALL_CHANCE2 = 18.4
"""The same on the ground (2 degrees of freedom), once in 10,000 times."""
SURE_PHASE = 0.95
"""A side that gives a phase this probability is sure of it."""
AGAINST = math.log(100.0)
"""Looks speak against an object when they make it a hundred times less likely."""
LASTS_NS = 3_000_000_000
"""What conflicts for so long is a disagreement, and what agrees for so long is over: pictures settle."""
FEWEST = 3
"""A side with fewer looks at an object than this says nothing of its course yet."""
AT_HAND_NS = 20_000_000_000
"""A side that has not seen an object for longer is not asked of its course: it only has it coast."""


class Conflict(Struct, frozen=True):
    """One thing that two sides do not agree on: kind, tracks, sides, how far apart, and why, in words."""

    kind: DisagreementKind
    numbers: tuple[str, ...]
    between: tuple[str, str]
    sigmas: float
    detail: str

    @property
    def about(self) -> tuple[str, tuple[str, ...], tuple[str, str]]:
        """What tells it from others, however far apart the sides are."""
        return self.kind, self.numbers, self.between


class Disagreements:
    """The conflicts that stand."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, tuple[str, ...], tuple[str, str]], int] = {}
        self._standing: dict[tuple[str, tuple[str, ...], tuple[str, str]], tuple[Conflict, int]] = {}

    def judge(self, conflicts: Iterable[Conflict], now: int) -> tuple[list[Conflict], list[Conflict]]:
        """Disagreements that began by now, and those that are over; conflicts: all there are now."""
        present = {conflict.about: conflict for conflict in conflicts}
        self._since = {about: self._since.get(about, now) for about in present}
        begun, over = [], []
        for about, conflict in sorted(present.items()):
            if about in self._standing:
                self._standing[about] = conflict, now
            elif now - self._since[about] >= LASTS_NS:
                self._standing[about] = conflict, now
                begun.append(conflict)
        for about, (conflict, last_ns) in sorted(self._standing.items()):
            if about not in present and now - last_ns >= LASTS_NS:
                over.append(conflict)
        for conflict in over:
            del self._standing[conflict.about]
        return begun, over


def conflicts_of(
    views: Sequence[Sequence[View]],
    doubts: Mapping[str, tuple[float, int]],
    picture: Sequence[JointTrack],
    partner: str,
    now: int,
) -> list[Conflict]:
    """Conflicts in one node's picture.

    views: of each object, what each originator tells.  doubts: of objects that only others track, by number,
    how one's own looks speak against it (log odds, 0 or less) and how many did.
    """
    out: list[Conflict] = []
    for members in views:
        for one, other in combinations(sorted(members, key=lambda v: (v.originator, v.number)), 2):
            if one.originator != other.originator:
                out += _between(one, other, now)
    for track in picture:
        doubt, looks = doubts.get(track.number, (0.0, 0))
        if doubt < -AGAINST and partner not in track.originators:
            theirs = track.originators[0]
            said = (
                f"{partner}'s sensors covered the place in {looks} looks and saw nothing there; "
                f"{', '.join(track.originators)} saw it in {track.hits}, last {_ago(now, track.seen_ns)}"
            )
            out.append(Conflict("unseen", (track.number,), _sides(partner, theirs), 0.0, said))
    return out


def _between(one: View, other: View, now: int) -> list[Conflict]:
    """What two originators' tracks of one object do not agree on."""
    out: list[Conflict] = []
    numbers, sides = (one.number, other.number), (one.originator, other.originator)
    fresh = all(v.seen >= FEWEST and now - v.seen_ns <= AT_HAND_NS for v in (one, other))
    apart = (one.state - other.state)[:6]
    try:
        d2 = float(apart @ np.linalg.solve((one.covariance + other.covariance)[:6, :6], apart))
    except np.linalg.LinAlgError:
        d2 = math.inf
    if fresh and d2 > CHANCE2:
        said = (
            f"{np.linalg.norm(apart[:3]) / 1000.0:.1f} km and {np.linalg.norm(apart[3:]):.0f} m/s apart, "
            f"{math.sqrt(d2):.1f} standard deviations; {_looks(one, now)}; {_looks(other, now)}"
        )
        out.append(Conflict("apart", numbers, sides, math.sqrt(d2), said))
    if fresh and one.phase != other.phase and min(one.phase_share, other.phase_share) >= SURE_PHASE:
        said = (
            f"{one.originator} has it in {PHASES[one.phase]} ({100 * one.phase_share:.0f} %), "
            f"{other.originator} in {PHASES[other.phase]} ({100 * other.phase_share:.0f} %); "
            f"{_looks(one, now)}; {_looks(other, now)}"
        )
        out.append(Conflict("phase", numbers, sides, 0.0, said))
    for blind, seeing in ((one, other), (other, one)):
        if blind.evidence < -AGAINST and blind.missed >= FEWEST and seeing.evidence > AGAINST:
            said = (
                f"{blind.originator} missed it in {blind.missed} of its last {blind.missed + blind.seen} "
                f"looks, {seeing.originator} saw it in {seeing.seen} of {seeing.missed + seeing.seen}"
            )
            out.append(Conflict("evidence", numbers, sides, 0.0, said))
    return out


def falls_apart(
    own: Mapping[str, Impact], theirs: Iterable[Impact], sides: tuple[str, str]
) -> list[Conflict]:
    """Objects that two sides expect to come down in different places; own: by each number it goes by."""
    out = []
    for impact in theirs:
        mine = own.get(impact.track)
        if mine is None or mine.reach_only or impact.reach_only:
            continue
        north = (impact.latitude_rad - mine.latitude_rad) * MEAN_RADIUS_M
        turn = math.remainder(impact.longitude_rad - mine.longitude_rad, 2.0 * math.pi)
        apart = np.array([turn * math.cos(mine.latitude_rad) * MEAN_RADIUS_M, north])
        ee, en, nn = (a + b for a, b in zip(mine.covariance_m2, impact.covariance_m2, strict=True))
        try:
            d2 = float(apart @ np.linalg.solve(np.array([[ee, en], [en, nn]]), apart))
        except np.linalg.LinAlgError:
            continue
        if d2 > FALL_CHANCE2:
            said = (
                f"{sides[1]} expects it {np.hypot(*apart) / 1000.0:.1f} km from where {sides[0]} does, "
                f"{math.sqrt(d2):.1f} standard deviations"
            )
            out.append(
                Conflict("fall", tuple(sorted({mine.track, impact.track})), sides, math.sqrt(d2), said)
            )
    return out


def _looks(view: View, now: int) -> str:
    many = view.seen + view.missed
    return f"{view.originator} saw it in {view.seen} of {many} looks, last {_ago(now, view.seen_ns)}"


def _ago(now: int, then: int) -> str:
    return f"{max(now - then, 0) * 1e-9:.0f} s ago"


def _sides(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)
