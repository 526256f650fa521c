"""That time has passed, as it was read where the clock is.

A node reads no clock: it learns the time from what it is told.  Where nobody tells it anything, an impact
draws near, or has come and gone, all the same, so then the time itself is an input like a sector.
"""

from __future__ import annotations

from msgspec import Struct

from jointwatch.records.header import Header


class TimePassed(Struct, frozen=True, kw_only=True, tag="time_passed"):
    """It is now the header's `measured_ns`, and nothing else came for a while."""

    header: Header
