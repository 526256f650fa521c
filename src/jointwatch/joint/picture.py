"""The joint picture: every node's tracks, matched and fused into one list of objects.

In: the latest `Track` of each originator's tracks (own and released by partners); out: one `JointTrack` an
object at a stated time.  `fold` depends only on the set of tracks, not on the order they came in, so every
node that holds the same set has the same picture.  A node's own best picture is the same fold over its
unreleased tracks and what the partner released.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from jointwatch.joint.fusion import distance2, intersect
from jointwatch.motion.phases import BALLISTIC, CRUISE
from jointwatch.motion.propagate import predict
from jointwatch.records import Track

GATE2 = 45.0
"""Greatest squared distance (6 degrees of freedom) at which two nodes' tracks may be one object."""
NEAR_M = 40e3
KEEP2 = 15.0
"""A pair that was one object before is this much nearer: no exchange of names by chance."""
MATURE_HITS = 12
"""Looks after which a track's phase is believed against that of a partner's older track."""
CRUISE_STALE_S, STALE_S = 30.0, 900.0
BOOST_PULL_MS2 = 30.0
UPPER = np.triu_indices(7)


class JointTrack(Struct, frozen=True):
    """One object of the joint picture, at `time_ns`.

    number: the lowest of its members' numbers (both sides can apply that apart); aliases: all of them.
    state (7,), covariance (7, 7): ballistic convention of `records.Track`.
    parent: number of the older track that a member first appeared beside, "" if there is none: a
    fragment.  weight: in the intersection, of the member that looked last.  seen_ns: latest look behind it.
    """

    number: str
    aliases: tuple[str, ...]
    time_ns: int
    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    phases: tuple[float, float, float]
    existence: float
    hits: int
    first_ns: int
    seen_ns: int
    thrust_ms2: float
    weight: float
    parent: str


class Entry:
    """A track as it was last reported, unpacked, and moved on to a time when asked.

    existence: the reported one, until a node that doubts it lowers it in its own best picture.
    """

    __slots__ = ("covariance", "existence", "phase", "state", "track")

    def __init__(self, track: Track) -> None:
        self.track = track
        self.existence = track.existence
        self.state = np.array(track.state)
        self.covariance = np.zeros((7, 7))
        self.covariance[UPPER] = track.covariance
        self.covariance += np.triu(self.covariance, 1).T
        self.phase = max(range(3), key=lambda k: track.phases[k])

    def at(self, time_ns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """State (7,) and covariance (7, 7) moved on to time_ns (not back)."""
        state, covariance = self.state.copy(), self.covariance.copy()
        dt = (time_ns - self.track.header.measured_ns) * 1e-9
        if dt > 0.0:
            if self.phase == CRUISE:
                # what the seventh element means in cruise is not reported: straight on, and turns as noise
                parameter, variance = state[6], covariance[6, 6]
                state[6], covariance[6, :], covariance[:, 6] = 0.0, 0.0, 0.0
                predict(CRUISE, state, covariance, dt)
                state[6], covariance[6, 6] = parameter, variance
                covariance[6, :6], covariance[:6, 6] = 0.0, 0.0
            else:
                predict(BALLISTIC, state, covariance, dt)
                if self.phase != BALLISTIC:
                    pull = BOOST_PULL_MS2 * BOOST_PULL_MS2
                    for i in range(3):
                        covariance[i, i] += 0.25 * pull * dt**4
                        covariance[3 + i, 3 + i] += pull * dt * dt
        return state, covariance


class Matching:
    """Which tracks of two originators are one object; remembers its pairs so that names do not flicker."""

    def __init__(self) -> None:
        self.pairs: frozenset[tuple[str, str]] = frozenset()


def fold(
    entries: Mapping[str, Iterable[Entry]], time_ns: int, matching: Matching | None = None
) -> list[JointTrack]:
    """The picture at time_ns of entries by originator (two or more; matched in order of name).

    The result is sorted by number and does not depend on the order of the entries.  `matching` (optional) is
    updated with the pairs found.
    """
    groups: list[list[tuple[Entry, NDArray[np.float64], NDArray[np.float64]]]] = []
    pairs: set[tuple[str, str]] = set()
    before = matching.pairs if matching is not None else frozenset()
    for originator in sorted(entries):
        moved = []
        for entry in sorted(entries[originator], key=lambda e: e.track.number):
            age = (time_ns - entry.track.header.measured_ns) * 1e-9
            if entry.track.ended or age > (CRUISE_STALE_S if entry.phase == CRUISE else STALE_S):
                continue
            moved.append((entry, *entry.at(time_ns)))
        for g, m in _assign(groups, moved, before):
            pairs.add((groups[g][0][0].track.number, moved[m][0].track.number))
            groups[g].append(moved[m])
            moved[m] = None  # type: ignore[call-overload]
        groups.extend([m] for m in moved if m is not None)
    if matching is not None:
        matching.pairs = frozenset(pairs)
    return sorted((_fuse(g, time_ns) for g in groups), key=lambda t: t.number)


def _assign(
    groups: list[list[tuple[Entry, NDArray[np.float64], NDArray[np.float64]]]],
    moved: list[tuple[Entry, NDArray[np.float64], NDArray[np.float64]]],
    before: frozenset[tuple[str, str]],
) -> list[tuple[int, int]]:
    """Pairs (group, moved) of the least total distance, each within the gate (Jonker & Volgenant 1987)."""
    if not groups or not moved:
        return []
    from scipy.optimize import linear_sum_assignment

    here = np.array([g[0][1][:3] for g in groups])
    there = np.array([m[1][:3] for m in moved])
    apart = np.linalg.norm(here[:, None] - there[None], axis=2)
    cost = np.full(apart.shape, GATE2)
    for g, m in zip(*np.nonzero(apart < NEAR_M), strict=True):
        first, other = groups[g][0], moved[m]
        if (first[0].phase == CRUISE) != (other[0].phase == CRUISE) and apart[g, m] > 3000.0:
            continue
        d2 = distance2(first[1], first[2], other[1], other[2])
        if (first[0].track.number, other[0].track.number) in before:
            d2 -= KEEP2
            # one side saw it thrust or break, the other has not looked since: still the same object
            if first[0].phase != other[0].phase:
                d2 = min(d2, KEEP2)
        cost[g, m] = min(d2, GATE2)
    rows, columns = linear_sum_assignment(cost)
    return [(int(g), int(m)) for g, m in zip(rows, columns, strict=True) if cost[g, m] < GATE2]


def _fuse(members: list[tuple[Entry, NDArray[np.float64], NDArray[np.float64]]], time_ns: int) -> JointTrack:
    # whoever looked last knows best whether it still exists and in what phase it is, once it knows it well
    most = min(MATURE_HITS, max(m[0].track.hits for m in members))
    mature = [m for m in members if m[0].track.hits >= most]
    latest, state, covariance = max(mature, key=lambda m: m[0].track.header.measured_ns)
    weight = 1.0
    for other, other_state, other_covariance in members:
        if other is latest or other.phase != latest.phase:
            continue
        mean, cov = np.empty(7), np.empty((7, 7))
        weight = intersect(state, covariance, other_state, other_covariance, mean, cov)
        state, covariance = mean, cov
    tracks = [m[0].track for m in members]
    return JointTrack(
        number=min(t.number for t in tracks),
        aliases=tuple(sorted(t.number for t in tracks)),
        time_ns=time_ns,
        state=state,
        covariance=covariance,
        phases=latest.track.phases,
        existence=latest.existence,
        hits=sum(t.hits for t in tracks),
        first_ns=min(t.first_ns for t in tracks),
        seen_ns=max(t.header.measured_ns for t in tracks),
        thrust_ms2=latest.track.thrust_ms2,
        weight=weight,
        parent=max(t.parent for t in tracks),
    )
