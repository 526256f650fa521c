"""What crosses between nodes: the complete set of messages, and the envelope that each of them travels in.

In: records that a sharing rule has released; out: bytes that any node can check, forward and prove.  The
payload is the record's own canonical encoding, so what was signed is what was journalled.  Signing and
checking are in `joint.signing`, `joint.gatekeeper` and `joint.admission`.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from jointwatch.records.header import Header
from jointwatch.records.infrared import InfraredScan
from jointwatch.records.sensing import Sector
from jointwatch.records.tracklets import TrackletReport
from jointwatch.records.tracks import Impact, LaunchReport, TrackReport
from jointwatch.records.warning import Alert

MESSAGES = 2
"""Version of the set of messages; a node refuses one that it does not know."""

Kind = Literal["plots", "tracks", "launch_areas", "impacts", "alerts", "health", "announced"]
"""What can be shared, as sharing rules name it."""
KINDS: tuple[Kind, ...] = ("plots", "tracks", "launch_areas", "impacts", "alerts", "health", "announced")


class Envelope(Struct, frozen=True, kw_only=True, array_like=True):
    """One signed message.

    issuer: the partner whose node sealed it.  audience: the partners that it is released to, in order of
    name.  sequence: its place, from 1 on without a gap, among what the issuer sealed for this audience.
    time_ns: when it was sealed.  payload: a record's canonical bytes.  signature: Ed25519 (64 bytes) over all
    that stands before it.
    """

    version: int
    issuer: str
    audience: tuple[str, ...]
    sequence: int
    time_ns: int
    payload: bytes
    signature: bytes = b""


class Receipt(Struct, frozen=True, kw_only=True, array_like=True):
    """How far one node has what others sent: what is not in it is sent again.

    issuer: who has it; to: whom it tells.  time_ns: as of when.  through: issuer and audience of each stream,
    and the sequence up to which all of it is in the issuer's journal.  signature: as an envelope's, under a
    prefix of its own.  It needs no receipt itself: the next says all that it said.
    """

    version: int
    issuer: str
    to: str
    time_ns: int
    through: tuple[tuple[str, tuple[str, ...], int], ...]
    signature: bytes = b""


class PlotReport(Struct, frozen=True, kw_only=True, tag="plot_report"):
    """Plots of one sector, or of one infrared scan, of one of the originator's sensors, released under one
    rule.

    whole: whether all of its plots are here, as they were measured: only then does it prove that there was
    nothing else in the volume looked at.
    """

    header: Header
    rule: str
    sector: Sector | InfraredScan
    whole: bool = True


class ImpactReport(Struct, frozen=True, kw_only=True, tag="impact_report"):
    """Where and when objects of the originator's own best picture come down, released under one rule."""

    header: Header
    rule: str
    impacts: tuple[Impact, ...]


SensorState = Literal["working", "degraded", "silent"]


class SensorHealth(Struct, frozen=True, kw_only=True):
    """How one sensor (or its keyed pseudonym) does: when it last looked, and what is wrong, in words."""

    source: str
    state: SensorState
    last_look_ns: int
    detail: str = ""


class HealthReport(Struct, frozen=True, kw_only=True, tag="health_report"):
    """How the originator's sensors do, released under one rule."""

    header: Header
    rule: str
    sensors: tuple[SensorHealth, ...]


class Announcement(Struct, frozen=True, kw_only=True):
    """A launch made known ahead: time window, place (rad), radius (m), heading and tolerance (rad)."""

    name: str
    object_class: str
    from_ns: int
    to_ns: int
    latitude_rad: float
    longitude_rad: float
    radius_m: float
    azimuth_rad: float
    tolerance_rad: float


class AnnouncedReport(Struct, frozen=True, kw_only=True, tag="announced_report"):
    """Launches that the originator was told of ahead, released under one rule."""

    header: Header
    rule: str
    announced: tuple[Announcement, ...]


KIND_OF: dict[type[Struct], Kind] = {
    PlotReport: "plots",
    TrackletReport: "tracks",
    TrackReport: "tracks",
    LaunchReport: "launch_areas",
    ImpactReport: "impacts",
    Alert: "alerts",
    HealthReport: "health",
    AnnouncedReport: "announced",
}
"""Which kind each of the messages is, by its type: the complete set."""


_envelopes: msgspec.msgpack.Decoder[Envelope] = msgspec.msgpack.Decoder(Envelope)


def read_envelope(data: bytes) -> Envelope:
    """The envelope in data that was checked before; of others it may raise `msgspec.DecodeError`."""
    return _envelopes.decode(data)
