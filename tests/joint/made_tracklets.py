"""Tracklets made by hand, as kernels and as streams take them: what several tests of this room feed in.

A fix tells a place to a known error in each direction and nothing of the velocity, as most sensors do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jointwatch.joint.filter import EVIDENCE, INFORMATION, POINT, TRACKLET
from jointwatch.motion.plane import LEVEL
from jointwatch.records import Header, TrackBegun, TrackEnded, Tracklet, TrackletReport
from jointwatch.tracking.bank import Motion, bank_of
from jointwatch.tracking.table import ROW

Floats = NDArray[np.float64]
START_NS = 1_800_000_000_000_000_000
SECOND_NS = 1_000_000_000
LINE = bank_of(Motion(kind=LEVEL, noise=1.0, speed_sigma_ms=1e7))
"""Nearly constant velocity on three axes, q = 1 m^2/s^3, and next to nothing known of it before."""
SURE = 9.0
UPPER = np.triu_indices(6)


def at_s(seconds: float) -> int:
    """A time, ns, so many seconds after the start of the tests' world."""
    return START_NS + round(seconds * 1e9)


def value(point: Floats, information: Floats, evidence: float = 0.0) -> Floats:
    """A tracklet (TRACKLET,) of point (6,) and information (6, 6) as kernels take it."""
    out = np.zeros(TRACKLET)
    out[POINT : POINT + 6] = point
    out[INFORMATION : INFORMATION + 36] = information.ravel()
    out[EVIDENCE] = evidence
    return out


def fix(place: Floats, sigma_m: float, evidence: float = 0.0) -> Floats:
    """A tracklet (TRACKLET,) of a place (3,) known to sigma_m each way; the velocity of its point is
    nought."""
    tells = np.diag([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]) / sigma_m**2
    return value(np.array([*place, 0.0, 0.0, 0.0]), tells, evidence)


def random_information(rng: np.random.Generator, rank: int, sigma_m: float, sigma_ms: float) -> Floats:
    """An information (6, 6) of a rank, of a measurement of about such errors (m, m/s)."""
    h = rng.normal(size=(rank, 6)) / np.array([*[sigma_m] * 3, *[sigma_ms] * 3])
    return h.T @ h


def table() -> NDArray[np.void]:
    """A table of four free rows."""
    return np.zeros(4, ROW)


def tracklet(
    number: str, seconds: float, source: str, sequence: int, point: Floats, information: Floats, gain: float
) -> Tracklet:
    """A tracklet as it is sent."""
    return Tracklet(
        number=number,
        time_ns=at_s(seconds),
        source=source,
        sequence=sequence,
        point=tuple(point.tolist()),
        information=tuple(information[UPPER].tolist()),
        evidence=gain,
    )


def report(
    originator: str,
    sequence: int,
    seconds: float,
    begun: tuple[TrackBegun, ...] = (),
    told: tuple[Tracklet, ...] = (),
    ended: tuple[TrackEnded, ...] = (),
) -> TrackletReport:
    """What one originator sends of one sector."""
    header = Header(originator=originator, source="", sequence=sequence, measured_ns=at_s(seconds))
    return TrackletReport(header=header, rule="all", begun=begun, tracklets=told, ended=ended)
