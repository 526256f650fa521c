"""What one look tells of one track, as it is sent: an equivalent measurement, with what stands behind it.

A tracklet holds what a look added and nothing that was known before it, so whoever takes tracklets of
several originators counts nothing twice, neither a prior nor a motion's noise (Drummond 1997, "Hybrid sensor
fusion algorithm architecture and tracklets").  It is known for good by its originator, track, source and the
source's sequence, however often and by whatever way it comes.
"""

from __future__ import annotations

from msgspec import Struct

from jointwatch.records.header import Header


class Tracklet(Struct, frozen=True, kw_only=True):
    """What one look tells of one track.

    number: the originator's track.  time_ns: of the look.  source, sequence: the sensor (or its keyed
    pseudonym) and its sector.  point: x, y, z (m), vx, vy, vz (m/s), Earth-fixed, where what was measured is
    likeliest.  information: upper triangle by rows (21 values) of the 6 x 6 inverse covariance about the
    point, nought in what the look does not tell and all nought where it gave no plot; 1/m^2, s/m^2, s^2/m^2.
    evidence: what the look adds to the log odds that the object exists.
    """

    number: str
    time_ns: int
    source: str
    sequence: int
    point: tuple[float, ...]
    information: tuple[float, ...]
    evidence: float = 0.0


class TrackBegun(Struct, frozen=True, kw_only=True):
    """A track as its originator first tells of it: it is an object with these log odds.

    first_ns: of its first plot.  told_ns: when its originator knew that it is a track: no picture has it
    before, whatever is known by now.  parent: number of the track that it first appeared beside, "" if
    none.
    """

    number: str
    first_ns: int
    log_odds: float
    told_ns: int = -(2**62)
    parent: str = ""


class TrackEnded(Struct, frozen=True, kw_only=True):
    """A track that its originator follows no longer, from time_ns on; reason: in words."""

    number: str
    time_ns: int
    reason: str


class TrackletReport(Struct, frozen=True, kw_only=True, tag="tracklet_report"):
    """What one sector told of one node's tracks, as it is released under one rule."""

    header: Header
    rule: str
    begun: tuple[TrackBegun, ...] = ()
    tracklets: tuple[Tracklet, ...] = ()
    ended: tuple[TrackEnded, ...] = ()
