"""SIAP: how complete, clear and steady a picture was over a time, as operators ask it.

In: tracks and true flights laid out over the same times (`review.trajectories`); out: the attributes of the
Single Integrated Air Picture (Votruba, Nisley, Rothrock & Zombro 2001, "Single integrated air picture metrics
implementation", SIAP System Engineering Task Force).

At each time tracks are assigned to objects within a gate, one to one and as near as can be (the assignment of
GOSPA); a track left over that is within the gate of an object is one more track of the nearest, which is
ambiguity, and a track near nothing is spurious.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jointwatch.review.pairing import best_pairs, near_pairs
from jointwatch.review.trajectories import check_same_times, present


class Siap(NamedTuple):
    """The attributes; NaN where there was nothing to average.

    completeness: share of object-times with a track (ideal 1).
    ambiguity: tracks for each object that has one (ideal 1).
    spuriousness: share of track-times near no object (ideal 0).
    position_error_m, velocity_error_ms: mean distance of a track's position and velocity from its object's.
    number_changes: times that objects had to change their track number, at least; number_change_rate_hz: the
    same by the time that objects were tracked (ideal 0).
    longest_segment: time that an object held its longest track without a break, by the time that it was
    there, summed over objects (ideal 1).
    """

    completeness: float
    ambiguity: float
    spuriousness: float
    position_error_m: float
    velocity_error_ms: float
    number_changes: int
    number_change_rate_hz: float
    longest_segment: float


def siap(
    times_s: NDArray[np.float64], tracks: NDArray[np.float64], truths: NDArray[np.float64], gate_m: float
) -> Siap:
    """SIAP attributes of states (n, T, 6) and (m, T, 6): positions (m), then velocities (m/s).

    times_s (T,): increasing, at least two; each stands for the time to the next, the last for as long as the
    one before it.
    """
    check_same_times(tracks, truths)
    if tracks.shape[2] != 6 or len(times_s) != tracks.shape[1]:
        raise ValueError("states are of 6 elements, one at each time")
    gap = np.diff(np.asarray(times_s, float))
    if gap.size == 0 or not (gap > 0.0).all():
        raise ValueError("times must be two or more, and increase")
    lasting = np.append(gap, gap[-1])
    held = assign_tracks(tracks[:, :, :3], truths[:, :, :3], gate_m)
    track, step = np.nonzero(held >= 0)
    own = held[track, step]
    apart = tracks[track, step] - truths[own, step]
    followed = np.zeros(truths.shape[:2], bool)
    followed[own, step] = True
    there, seen = present(truths), present(tracks)
    changes, longest = 0, 0.0
    for j in range(len(truths)):
        by = held[(held == j).any(axis=1)] == j
        changes += _number_changes(by)
        longest += _longest_s(by, lasting)
    return Siap(
        completeness=_ratio(followed.sum(), there.sum()),
        ambiguity=_ratio(len(track), followed.sum()),
        spuriousness=_ratio(seen.sum() - len(track), seen.sum()),
        position_error_m=_ratio(np.linalg.norm(apart[:, :3], axis=1).sum(), len(track)),
        velocity_error_ms=_ratio(np.linalg.norm(apart[:, 3:], axis=1).sum(), len(track)),
        number_changes=changes,
        number_change_rate_hz=_ratio(changes, (followed * lasting).sum()),
        longest_segment=_ratio(longest, (there * lasting).sum()),
    )


def assign_tracks(
    tracks: NDArray[np.float64], truths: NDArray[np.float64], gate_m: float
) -> NDArray[np.int64]:
    """Which object each track is at each time (n, T), -1 for none; from positions (n, T, d) and (m, T, d).

    An object may have several tracks, a track is of one object at most.
    """
    n, m = len(tracks), len(truths)
    out = np.full(tracks.shape[:2], -1)
    for k in range(tracks.shape[1]):
        near = near_pairs(tracks[:, k], truths[:, k], gate_m)
        best = best_pairs(near.first, near.second, gate_m**2 - near.apart**2, n, m)
        far_first = np.argsort(-near.apart, kind="stable")  # so that the nearest is written last
        out[near.first[far_first], k] = near.second[far_first]
        out[near.first[best], k] = near.second[best]
    return out


def _number_changes(by: NDArray[np.bool_]) -> int:
    """Least number of changes of track number by which an object was followed: by (its tracks, T).

    A number is kept as long as any is on at all times since the last change at which some number was on.
    """
    changes = 0
    candidates: NDArray[np.bool_] | None = None
    for on in by.T[by.any(axis=0)]:
        if candidates is None:
            candidates = on
        elif (candidates & on).any():
            candidates = candidates & on
        else:
            changes += 1
            candidates = on
    return changes


def _longest_s(by: NDArray[np.bool_], lasting: NDArray[np.float64]) -> float:
    """Longest time (s) that any of an object's tracks (its tracks, T) followed it without a break."""
    longest = np.zeros(len(by))
    running = np.zeros(len(by))
    for on, dt in zip(by.T, lasting, strict=True):
        running = np.where(on, running + dt, 0.0)
        longest = np.maximum(longest, running)
    return float(longest.max(initial=0.0))


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else float("nan")
