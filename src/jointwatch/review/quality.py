"""How good a picture was, by the measures of the field: one dictionary of figures for each picture.

In: a `Recording`, one of its pictures, which track was which object, and the ballistic flights with the looks
that sensors had at them; out: plain values, None where there was nothing to measure.  As with GOSPA, missiles
and rockets count and aircraft do not: neither a true aircraft nor a track that cruises.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jointwatch.exercise.recording import PictureRecord, Recording
from jointwatch.exercise.truth import Truth
from jointwatch.review.against_bound import Flights, rmse_over_bound
from jointwatch.review.consistency import average_bounds
from jointwatch.review.grouped import group_figures
from jointwatch.review.matching import CRUISING, GATE_M, Matched, TrackError
from jointwatch.review.ospa2 import ospa2
from jointwatch.review.siap import siap
from jointwatch.review.trajectories import lay_out, present
from jointwatch.review.trajectory_gospa import trajectory_gospa

WINDOW = 12
"""Samples in a window of OSPA(2): a minute at a sample every five seconds."""
SWITCH_M = GATE_M
"""What a switch of tracks costs in trajectory GOSPA: as much as to be without the track for two samples."""
ELEMENTS = 6
LEVEL = 0.95


def quality(
    recording: Recording, picture: PictureRecord, matched: Matched, flown: Flights, sensors: Collection[int]
) -> dict[str, Any]:
    """Figures of one picture.  sensors: the indices of those that it had."""
    times, tracks, truths = laid_out(recording.truth, picture)
    return {
        "ospa2_m": _ospa2(tracks, truths),
        "trajectory_gospa": _trajectory_gospa(tracks, truths),
        "siap": _siap(times, tracks, truths),
        "anees": anees_by_object(matched.errors),
        "rmse_over_bound": rmse_over_bound(flown, sensors, matched.errors),
        "groups": group_figures(recording.truth, picture.grouped),
    }


def laid_out(
    truth: Truth, picture: PictureRecord
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Sample times (T,), and states (n, T, 6) of tracks that do not cruise and (m, T, 6) of true missiles."""
    times = np.array([t for t, _ in picture.samples], np.int64)
    found = [
        (t, s.number, s.state[:6]) for t, held in picture.samples for s in held if s.phases[2] < CRUISING
    ]
    flying = np.array([o.object_class != "aircraft" for o in truth.objects], bool)
    there = []
    for t in times:
        index, position, velocity = truth.states_at(int(t))
        states = np.concatenate([position, velocity], axis=1)
        there += [(t, i, s) for i, s in zip(index, states, strict=True) if flying[i]]
    return times, _laid(found, times), _laid(there, times)


def _laid(rows: list[tuple[Any, Any, NDArray[np.float64]]], times: NDArray[np.int64]) -> NDArray[np.float64]:
    if not rows:
        return np.empty((0, len(times), ELEMENTS))
    time, number, state = zip(*rows, strict=True)
    return lay_out(np.array(time), np.array(number), np.array(state), times)[1]


def _ospa2(tracks: NDArray[np.float64], truths: NDArray[np.float64]) -> float | None:
    """Mean OSPA(2) over the times at which a track or an object was there, m."""
    there = present(tracks).any(axis=0) | present(truths).any(axis=0)
    if not there.any():
        return None
    return float(ospa2(tracks[:, :, :3], truths[:, :, :3], GATE_M, WINDOW).distance_m[there].mean())


def _trajectory_gospa(tracks: NDArray[np.float64], truths: NDArray[np.float64]) -> dict[str, float | None]:
    """Trajectory GOSPA of power 1 and its parts, in m for each sample of each object; how many switches."""
    count = int(present(truths).sum())
    parts = ("distance_m", "localisation", "missed", "false", "switching")
    if not count:
        return {**{p if p == "distance_m" else f"{p}_m": None for p in parts}, "switches": None}
    found = trajectory_gospa(tracks[:, :, :3], truths[:, :, :3], GATE_M, SWITCH_M)
    return {
        **{p if p == "distance_m" else f"{p}_m": getattr(found, p) / count for p in parts},
        "switches": found.switches,
    }


def _siap(
    times: NDArray[np.int64], tracks: NDArray[np.float64], truths: NDArray[np.float64]
) -> dict[str, float | None]:
    """The attributes of SIAP by their names."""
    if len(times) < 2:
        return {}
    found = siap((times - times[0]) * 1e-9, tracks, truths, GATE_M)._asdict()
    return {key: None if math.isnan(value) else value for key, value in found.items()}


def anees_by_object(errors: list[TrackError]) -> dict[str, float | int | None]:
    """NEES averaged over the samples of each object and then over objects, and the band for so many objects.

    {"value", "low", "high", "objects", "ideal"}.  Errors of one object at different times are not
    independent, so an object counts once: the band is that of one error each, a wide one, and what lies
    outside it is hardly by chance.
    """
    of_each: dict[int, list[float]] = {}
    for e in errors:
        of_each.setdefault(e.object, []).append(e.nees)
    if not of_each:
        return {"value": None, "low": None, "high": None, "objects": 0, "ideal": ELEMENTS}
    low, high = average_bounds(ELEMENTS, len(of_each), LEVEL)
    value = float(np.mean([np.mean(values) for values in of_each.values()]))
    return {"value": value, "low": low, "high": high, "objects": len(of_each), "ideal": ELEMENTS}
