"""What other systems warn of: whom a node listens to, what came, and the alert that was taken from it.

They are shown beside one's own alerts and decide nothing.  Checking is in `formats.cap_gate`.
"""

from __future__ import annotations

from msgspec import Struct

from jointwatch.records.header import Header


class CapReference(Struct, frozen=True, kw_only=True):
    """An earlier message, by the three values that name it."""

    sender: str
    identifier: str
    sent_ns: int


class CapArea(Struct, frozen=True, kw_only=True):
    """An area: polygons are closed rings of (longitude, latitude) degrees, as in `Zone`; circles are
    longitude, latitude (degrees) and radius (m)."""

    description: str
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    circles: tuple[tuple[float, float, float], ...] = ()
    geocodes: tuple[tuple[str, str], ...] = ()


class AlertSender(Struct, frozen=True, kw_only=True):
    """Another system that is listened to.

    name: as CAP's <sender> has it.  certificates: PEM text of those whose keys sign for it, agreed on
    beforehand.  show_unverified: what comes unsigned in its name is shown too, marked as unverified.
    """

    name: str
    certificates: tuple[str, ...] = ()
    show_unverified: bool = False


class ReceivedCap(Struct, frozen=True, kw_only=True, tag="received_cap"):
    """Bytes that came from a feed of alerts, whatever they are; the header is the receiving node's own.

    feed: where from, as the node's operator named it.
    """

    header: Header
    feed: str
    data: bytes


class OthersAlert(Struct, frozen=True, kw_only=True, tag="others_alert"):
    """An alert of another system, as it was taken.

    kind: CAP's message type (Alert, Update, Cancel).  expires_ns: when it stops to stand by itself.
    headlines: language and text.  verified_by: SHA-256 of the certificate whose key signed it, in
    hexadecimal digits; "" for one that nobody vouches for.  unknown: of the references, those to messages
    that never came.  The header's handling is "public" where its scope is, otherwise "own".
    """

    header: Header
    feed: str
    sender: str
    identifier: str
    status: str
    kind: str
    scope: str
    sent_ns: int
    expires_ns: int
    event: str
    headlines: tuple[tuple[str, str], ...]
    areas: tuple[CapArea, ...]
    references: tuple[CapReference, ...] = ()
    unknown: tuple[CapReference, ...] = ()
    verified_by: str = ""
