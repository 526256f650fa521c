"""How much of each sector a node may work through, as it was decided where the clock is read.

A node reads no clock, and how loaded it is hangs on one: so the decision is an input like a sector,
journalled with the rest, and a replay sheds what was shed.
"""

from __future__ import annotations

from msgspec import Struct

from jointwatch.records.header import Header


class LoadLimit(Struct, frozen=True, kw_only=True, tag="load_limit"):
    """How many plots of a sector may begin or continue chains, and how often tracks have a look, from now on.

    plots_per_sector: None for as many as there are; plots of confirmed tracks do not count.  turn_scans: in
    so many scans each track is looked at once, and threatening_turn_scans: each that threatens a zone.
    lag_s: how far processing was behind reception, seconds of the node's time; it gave rise to the limit, and
    nothing is worked out from it.
    """

    header: Header
    plots_per_sector: int | None = None
    turn_scans: int = 1
    threatening_turn_scans: int = 1
    lag_s: float = 0.0
