"""The courier between one node and its partners: it signs what leaves, and carries it until it has arrived.

In: a node's outputs once they are in its journal, what its gate has taken, frames from links, and the time;
out: frames for each link.  Whatever a link loses, doubles or turns round, each message arrives in the end:
it is kept until the other node says that it is in its journal, and sent again where that takes long.  A
courier made anew from the journal carries on: what had arrived already is refused there as a repetition,
and no harm.

It knows no socket and reads no clock; whoever runs it puts its frames on a wire.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from jointwatch.joint.signing import PrivateKey, open_receipt, public_key, seal_payload, seal_receipt
from jointwatch.node.scribe import Output
from jointwatch.records import MESSAGES, Forwarded, Kind, Receipt, Sent
from jointwatch.records.messages import read_envelope

MESSAGE, RECEIPT = b"M", b"R"
"""First byte of a frame: what it holds."""
Stream = tuple[str, tuple[str, ...]]
"""Whose messages, and for whom."""
AGAIN_NS, SLOWEST_NS = 2_000_000_000, 60_000_000_000
"""A message not known to have arrived is sent again after so long, then after twice that, and so on up
to..."""
AT_ONCE_NS = -(2**62)
"""Due whatever a clock that is set says."""
RECEIPT_NS = 1_000_000_000
URGENT: tuple[Kind, ...] = ("alerts", "launch_areas")
"""What goes before all else."""
KEPT_NS = 900_000_000_000
"""Messages that nobody took for so long are kept no longer: they would be refused as stale."""
AT_ONCE = 500
"""Messages put on a link at one time, so that what is new is not behind all that waited for a link to
heal."""


class _Parcel(Struct):
    """One message on its way to one link."""

    data: bytes
    sealed_ns: int
    due_ns: int
    wait_ns: int = AGAIN_NS
    is_urgent: bool = False


class Courier:
    """Carries the messages of one node over its links."""

    def __init__(self, partner: str, key: PrivateKey, keys: Mapping[str, str]) -> None:
        """keys: public key (hexadecimal) of each partner that there is a link to."""
        self.partner = partner
        self._key = key
        self._keys = {name: public_key(text, f"link to {name}") for name, text in keys.items()}
        self._outbox: dict[str, dict[tuple[Stream, int], _Parcel]] = {name: {} for name in self._keys}
        self._through: dict[str, dict[Stream, int]] = {name: {} for name in self._keys}
        self._receipts_ns: dict[str, int] = {}
        self.given_up = 0
        """Messages that were too old before they arrived."""
        self.bad_receipts = 0

    @property
    def links(self) -> tuple[str, ...]:
        """Partners that there is a link to."""
        return tuple(self._outbox)

    def take(self, outputs: Iterable[Output]) -> None:
        """Take what is to go out of a node's outputs: only once they are in the journal."""
        for output in outputs:
            if isinstance(output, Sent):
                sealed_ns = output.header.measured_ns
                data = seal_payload(
                    output.payload, self.partner, output.audience, output.sequence, sealed_ns, self._key
                )
                stream = self.partner, output.audience
                self._put(stream, output.sequence, output.audience, data, sealed_ns, output.kind in URGENT)
            elif isinstance(output, Forwarded):
                envelope = read_envelope(output.data)
                stream = envelope.issuer, envelope.audience
                self._put(stream, envelope.sequence, output.audience, output.data, envelope.time_ns)

    def _put(
        self,
        stream: Stream,
        sequence: int,
        to: tuple[str, ...],
        data: bytes,
        sealed_ns: int,
        is_urgent: bool = False,
    ) -> None:
        for link in to:
            if link in self._outbox and sequence > self._through[link].get(stream, 0):
                self._outbox[link].setdefault(
                    (stream, sequence), _Parcel(data, sealed_ns, AT_ONCE_NS, is_urgent=is_urgent)
                )

    def frames(self, link: str, now: int, streams: Iterable[tuple[str, tuple[str, ...], int]]) -> list[bytes]:
        """What to put on a link now.

        streams: how far the node's journal has each stream (`Gatekeeper.streams`), told now and then.
        """
        out = []
        last_ns = self._receipts_ns.get(link, -(2**62))
        if now - last_ns >= RECEIPT_NS or now < last_ns:  # a clock may have been put back
            self._receipts_ns[link] = now
            receipt = Receipt(
                version=MESSAGES, issuer=self.partner, to=link, time_ns=now, through=tuple(streams)
            )
            out.append(RECEIPT + seal_receipt(receipt, self._key))
        outbox, gone, sent = self._outbox[link], [], 0
        # what people wait for does not stand behind what waited for the link
        urgent_first = sorted(outbox.items(), key=lambda entry: not entry[1].is_urgent)
        for place, parcel in urgent_first:
            is_due = parcel.due_ns <= now or parcel.due_ns > now + parcel.wait_ns
            if parcel.sealed_ns < now - KEPT_NS:
                gone.append(place)
            elif is_due and sent < AT_ONCE:
                sent += 1
                out.append(MESSAGE + parcel.data)
                parcel.due_ns, parcel.wait_ns = now + parcel.wait_ns, min(2 * parcel.wait_ns, SLOWEST_NS)
        for place in gone:
            del outbox[place]
            self.given_up += 1
        return out

    def mended(self, link: str) -> None:
        """A link is there again: what was on its way may be lost, and goes at once."""
        for parcel in self._outbox[link].values():
            parcel.due_ns, parcel.wait_ns = AT_ONCE_NS, AGAIN_NS

    def open(self, link: str, frame: bytes) -> bytes | None:
        """The message in a frame from a link, for the node; None where it is a receipt, or nothing."""
        if frame[:1] == MESSAGE:
            return frame[1:]
        known = frame[:1] == RECEIPT and link in self._keys
        receipt = open_receipt(frame[1:], self._keys[link]) if known else None
        if receipt is None or receipt.issuer != link or receipt.to != self.partner:
            self.bad_receipts += 1
            return None
        through, outbox = self._through[link], self._outbox[link]
        for issuer, audience, last in receipt.through:
            stream = issuer, audience
            if last > through.get(stream, 0):
                through[stream] = last
        for place in [p for p in outbox if p[1] <= through.get(p[0], 0)]:
            del outbox[place]
        return None

    def waiting(self, link: str) -> int:
        """Messages not known to have arrived over a link."""
        return len(self._outbox[link])
