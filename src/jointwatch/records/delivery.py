"""What became of a message on its way to a sink, and of the key that messages are signed with, as it was
learned where sockets, clocks and disks are.

A node reads no clock and opens no socket, and whether a message arrived hangs on both: so each outcome is an
input like a sector, journalled with the rest, and what is still to be delivered is a fold over the journal.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from jointwatch.records.header import Header

Outcome = Literal["opened", "closed", "delivered", "failed", "refused", "expired", "dropped"]
"""opened, closed: alerts are for this sink from here on, or no more.  delivered: it has the message.  failed:
an attempt was in vain, another follows.  Given up, so that none follows: refused (the sink never takes it),
expired (it is void by now) and dropped (too much was waiting)."""
GIVEN_UP: tuple[Outcome, ...] = ("refused", "expired", "dropped")

CertificateState = Literal["holds", "ends_soon", "ended", "not_yet"]
"""Of the certificate of a node's key: it holds, holds for some days only, or no more, or not yet."""


class Delivered(Struct, frozen=True, kw_only=True, tag="delivered"):
    """One outcome at one sink, at the header's `measured_ns`.

    identifier: of the alert; "" where a sink was opened or closed.  detail: in words.  retry_after_s: how
    long the sink asked to be left alone after a failed attempt.
    """

    header: Header
    sink: str
    identifier: str
    outcome: Outcome
    detail: str = ""
    retry_after_s: float = 0.0


class CertificateChecked(Struct, frozen=True, kw_only=True, tag="certificate_checked"):
    """How it stood with the certificate of a node's key at the header's `measured_ns`.

    sender: whose key it is.  detail: in words, "" while it holds.
    """

    header: Header
    sender: str
    state: CertificateState
    detail: str = ""
