"""What happened that is no track and no alert: steps of a procedure, things withheld, things refused."""

from __future__ import annotations

from msgspec import Struct

from jointwatch.records.header import Header


class Note(Struct, frozen=True, kw_only=True, tag="note"):
    """Something that happened at the header's `measured_ns`.

    kind: e.g. "track_confirmed", "danger_shown", "alert_cancelled", "withheld", "rejected", "shed"
    (docs/glossary.md).  subject: what it is about (track number, series, sensor); detail: in words.
    """

    header: Header
    kind: str
    subject: str
    partner: str
    detail: str = ""
