"""The header that every stored or sent record carries, from the first day.

Without it neither double counting nor sharing can be proved later.  `provenance` says which sources,
and which of their sequence numbers, stand behind a record.
"""

from __future__ import annotations

from msgspec import Struct

SCHEMA = 1
"""Version of the record layout; a reader refuses one it does not know."""


class SequenceRange(Struct, frozen=True, array_like=True):
    """Sequence numbers `first`..`last` (inclusive) of one source."""

    source: str
    first: int
    last: int


class Header(Struct, frozen=True, kw_only=True):
    """Who says it, when it was so, and who may see it.

    measured_ns: when the sensor saw it (integer nanoseconds UTC since 1970-01-01).
    time_sigma_s: standard deviation of that time, seconds.
    source: the sensor or node, or a keyed pseudonym where identity is withheld.
    handling: who may see it: "own" (this partner only), "joint" (all partners), "public".
    """

    originator: str
    source: str
    sequence: int
    measured_ns: int
    time_sigma_s: float = 0.0
    handling: str = "own"
    provenance: tuple[SequenceRange, ...] = ()
    schema: int = SCHEMA
