"""What crosses a node's border, as its journal has it: what came over the link, what left, and what stayed.

In: bytes from a link, or what the sharing rules decided; out: records, so that it can be proved later what
was shared, with whom, by which rule, and what was not.
"""

from __future__ import annotations

from msgspec import Struct

from jointwatch.records.header import Header
from jointwatch.records.messages import Kind


class Received(Struct, frozen=True, kw_only=True, tag="received"):
    """Bytes that came over a link, whatever they are; the header is the receiving node's own."""

    header: Header
    data: bytes


class Sent(Struct, frozen=True, kw_only=True, tag="sent"):
    """A message that leaves: an envelope but for its signature, which is put on where the key is.

    audience, sequence, payload: as in `messages.Envelope`; its time is the header's.  rules: the node's own
    that let it go.
    """

    header: Header
    audience: tuple[str, ...]
    sequence: int
    kind: Kind
    rules: tuple[str, ...]
    payload: bytes


class Forwarded(Struct, frozen=True, kw_only=True, tag="forwarded"):
    """Another partner's message that goes on to others of its audience, byte for byte as it came."""

    header: Header
    audience: tuple[str, ...]
    data: bytes


class Withholding(Struct, frozen=True, kw_only=True, tag="withholding"):
    """What one step kept from one partner, of one kind, by one rule ("no rule": none lets it go).

    subjects: track numbers, zones, sensors with their sequence...; count: of the things withheld.
    """

    header: Header
    kind: Kind
    partner: str
    rule: str
    subjects: tuple[str, ...]
    count: int
