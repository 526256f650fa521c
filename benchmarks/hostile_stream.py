"""A stream of messages as a hostile network gives it: good ones of every kind, and all that can be done to
them.

In: a seed and how many; out: events in the order in which they come to Blue's node, each with what must
become of it.  Amber and Cedar send; what they seal comes late, in any order, some of it minutes late.
Strangers flip, cut, join, rewrite and sign with keys of their own what they overhear, before and after the
original comes; they repeat it, hold it back and send it where it does not belong.  And the senders themselves
send what they must not.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Any

from msgspec import msgpack
from msgspec.structs import replace
from random_records import SENSORS, US, Maker, S, bad_record, out_of_scope, partly_bad

from jointwatch.joint.gatekeeper import Correspondent, Gatekeeper
from jointwatch.joint.signing import MOST_BYTES, SIGNATURE_BYTES, Signer, envelope_bytes, seal, signed_bytes
from jointwatch.records import MESSAGES, SCHEMA, Envelope, Message, encode

START_NS = 1_800_000_000 * S
STEP_S, LATE_S, HELD_S, AGE_S = 0.02, 300.0, 700.0, 600.0
"""Between two events, the longest that a good message is late, how long a stale one was held, the limit."""
PARTNERS = ("Amber", "Cedar")
KEYS = {name: Signer(bytes([i + 1]) * 32) for i, name in enumerate(PARTNERS)}
STRANGER = Signer(b"\x77" * 32)
AUDIENCES = {"Amber": (("Blue",), ("Blue", "Cedar")), "Cedar": (("Blue",), ("Amber", "Blue"))}
CORRESPONDENTS = (
    Correspondent(name="Amber", public_key=KEYS["Amber"].public.hex(), sensors=SENSORS["Amber"], age_s=AGE_S),
    # Cedar sends all but plots, of sensors that are not named
    Correspondent(
        name="Cedar",
        public_key=KEYS["Cedar"].public.hex(),
        kinds=("tracks", "launch_areas", "impacts", "alerts", "health", "announced"),
        age_s=AGE_S,
    ),
)
ANY = frozenset({"malformed", "version", "unknown issuer", "our own", "forged"})
"""What altered bytes may be refused for: all that is asked before a signature is good."""


def new_gate() -> Gatekeeper:
    """Blue's gate."""
    return Gatekeeper(US, CORRESPONDENTS, SENSORS[US])


@dataclass(frozen=True)
class Event:
    """Bytes that come at a time.

    attack: what was done, "" for a good message.  reasons: it must be refused for one of these; empty: it
    must be admitted with this record and so many parts dropped.  stranger: whether no sender had a part in
    it.
    """

    data: bytes
    received_ns: int
    attack: str = ""
    reasons: frozenset[str] = frozenset()
    record: Message | None = None
    dropped: int = 0
    stranger: bool = False


# ---------------------------------------------------------------------- what strangers do

_decode_envelope = msgpack.Decoder(Envelope).decode


def sealed(envelope: Envelope, key: Signer) -> bytes:
    """An envelope signed with any key, whatever stands in it."""
    return envelope_bytes(replace(envelope, signature=key.sign(signed_bytes(envelope))))


def flipped(data: bytes, rng: Random) -> bytes:
    """Some bits turned."""
    out = bytearray(data)
    for at in rng.sample(range(8 * len(out)), rng.randint(1, 3)):
        out[at // 8] ^= 1 << (at % 8)
    return bytes(out)


def cut(data: bytes, rng: Random) -> bytes:
    """The end, the beginning or the middle missing; or more at the end."""
    at = rng.randrange(len(data))
    end = rng.randint(at + 1, len(data))
    return rng.choice((data[:at], data[at + 1 :], data[:at] + data[end:], data + rng.randbytes(at % 9 + 1)))


def spliced(data: bytes, other: bytes, rng: Random) -> bytes:
    """The beginning of one message and the end of another."""
    return data[: rng.randrange(1, len(data))] + other[rng.randrange(1, len(other)) :]


def changed(data: bytes, other: bytes, rng: Random) -> Envelope:
    """The envelope of a message with one of its fields changed, under its old signature."""
    envelope, second = _decode_envelope(data), _decode_envelope(other)
    changes: list[dict[str, Any]] = [
        {"sequence": envelope.sequence + rng.randint(1, 50)},
        {"time_ns": envelope.time_ns + rng.randint(1, S)},
        {"audience": rng.choice((("Blue", "Dune"), ("Blue", "Ember")))},
        {"issuer": "Cedar" if envelope.issuer == "Amber" else "Amber"},
    ]  # fmt: skip
    if second.payload != envelope.payload:
        changes.append({"payload": second.payload})
    if second.signature != envelope.signature:
        changes.append({"signature": second.signature})
    changes.append({"signature": rng.randbytes(rng.choice((0, 1, SIGNATURE_BYTES, SIGNATURE_BYTES + 1)))})
    return replace(envelope, **rng.choice(changes))


def by_a_stranger(target: bytes, other: bytes, rng: Random) -> tuple[str, bytes, frozenset[str]]:
    """What a stranger makes of what they overheard: the attack, bytes, and what it may be refused for."""
    kind = rng.randrange(12)
    if kind < 3:
        return "bits flipped", flipped(target, rng), ANY
    if kind < 5:
        return "cut", cut(target, rng), ANY
    if kind == 5:
        return "spliced", spliced(target, other, rng), ANY
    if kind == 6:
        return "a field changed", envelope_bytes(changed(target, other, rng)), frozenset({"forged"})
    if kind == 7:
        return "signed again", sealed(changed(target, other, rng), STRANGER), frozenset({"forged"})
    envelope = _decode_envelope(target)
    if kind == 8:
        name = rng.choice((US, "Dune", "", "x" * 300, "amber", "A\nmber"))
        said = frozenset({"our own" if name == US else "unknown issuer"})
        return "another name", sealed(replace(envelope, issuer=name), STRANGER), said
    if kind == 9:
        version = rng.choice((0, MESSAGES + 1, 200, -1))
        return "another version", sealed(replace(envelope, version=version), STRANGER), frozenset({"version"})
    if kind == 10:
        # a list of seven, its first the version in one byte: in two bytes it is the same envelope
        return "other bytes", target[:1] + bytes((0xCC, MESSAGES)) + target[2:], frozenset({"malformed"})
    if rng.random() < 0.02:
        # dear to make, not to refuse
        return "too long", target + bytes(MOST_BYTES), frozenset({"malformed"})
    return "noise", rng.randbytes(rng.randrange(300)), ANY


# ---------------------------------------------------------------------- the stream


class Stream:
    """Events in the order in which they come; seals, seal_s: messages sealed, and how long that took."""

    def __init__(self, seed: int, bad: float = 0.5) -> None:
        self.rng = Random(seed)
        self.bad = bad
        self.seals, self.seal_s = 0, 0.0
        self._makers = {name: Maker(self.rng, name) for name in PARTNERS}
        self._next: dict[tuple[str, tuple[str, ...]], int] = {}
        # (received, order, event)
        self._coming: list[tuple[int, int, Event]] = []
        self._count = 0
        self._overheard: list[bytes] = []
        self._taken: list[tuple[bytes, int]] = []
        """Latest messages that were admitted, with when."""

    def events(self, messages: int) -> Iterator[Event]:
        """So many events."""
        now, out = START_NS, 0
        while out < messages:
            now += round(self.rng.uniform(0.0, 2.0 * STEP_S) * S)
            while self._coming and self._coming[0][0] <= now and out < messages:
                event = heapq.heappop(self._coming)[2]
                if not event.attack:
                    self._taken.append((event.data, event.received_ns))
                    del self._taken[:-500]
                yield event
                out += 1
            if self.rng.random() < self.bad and len(self._overheard) > 1:
                self._attack(now)
            else:
                self._send(now)

    def _place(self, issuer: str, audience: tuple[str, ...]) -> int:
        self._next[issuer, audience] = sequence = self._next.get((issuer, audience), 0) + 1
        return sequence

    def _seal(
        self, record: Message, issuer: str, audience: tuple[str, ...], sequence: int, now: int
    ) -> bytes:
        began = perf_counter()
        data = seal(record, issuer, audience, sequence, now, KEYS[issuer])
        self.seal_s += perf_counter() - began
        self.seals += 1
        return data

    def _comes(self, event: Event) -> None:
        self._count += 1
        heapq.heappush(self._coming, (event.received_ns, self._count, event))

    def _sender(self) -> tuple[str, tuple[str, ...], Maker]:
        issuer = self.rng.choice(PARTNERS)
        return issuer, self.rng.choice(AUDIENCES[issuer]), self._makers[issuer]

    def _send(self, now: int) -> None:
        issuer, audience, maker = self._sender()
        if self.rng.random() < 0.05:
            record, left, dropped = partly_bad(maker, now)
        else:
            record = left = maker.any(now)
            dropped = 0
        data = self._seal(record, issuer, audience, self._place(issuer, audience), now)
        late_s = self.rng.uniform(0.0, LATE_S) if self.rng.random() < 0.1 else self.rng.uniform(0.0, 0.3)
        self._comes(Event(data, now + round(late_s * S), record=left, dropped=dropped))
        self._overheard.append(data)
        del self._overheard[:-200]

    def _attack(self, now: int) -> None:
        kind = self.rng.randrange(20)
        if kind < 12:
            # of the latest, many of which are still on their way
            target, other = self.rng.choice(self._overheard[-20:]), self.rng.choice(self._overheard)
            attack, data, reasons = by_a_stranger(target, other, self.rng)
            # a splice may by chance be a whole message again: whoever brings that, it is good
            if data not in self._overheard:
                self._comes(Event(data, now, attack, reasons, stranger=True))
            return
        issuer, audience, maker = self._sender()
        if kind < 15:
            before = [data for data, at in self._taken if at < now]
            if not before:
                return
            data = self.rng.choice(before)
            if kind < 14:
                self._comes(Event(data, now, "replayed", frozenset({"replayed"}), stranger=True))
                return
            envelope = _decode_envelope(data)
            again = replace(envelope, payload=encode(self._makers[envelope.issuer].any(envelope.time_ns)))
            two = sealed(again, KEYS[envelope.issuer])
            self._comes(Event(two, now, "told twice", frozenset({"equivocation"})))
        elif kind == 15:
            # what was held back is of a stream of its own here, so that its gaps are no message of ours
            data = self._seal(maker.any(now), issuer, ("Blue", "Dune"), self._count + 1, now)
            late = now + round(self.rng.uniform(HELD_S, 2.0 * HELD_S) * S)
            self._comes(Event(data, late, "held back", frozenset({"stale"}), stranger=True))
            ahead = self._seal(maker.any(now), issuer, ("Blue", "Dune"), self._count + 1, now + 60 * S)
            self._comes(Event(ahead, now, "ahead of time", frozenset({"from the future"}), stranger=True))
        elif kind == 16:
            data = self._seal(maker.any(now), issuer, ("Dune",), self._count + 1, now)
            reasons = frozenset({"not addressed to us"})
            self._comes(Event(data, now, "astray", reasons, stranger=True))
        elif kind == 17:
            data = self._seal(bad_record(maker, now), issuer, audience, self._place(issuer, audience), now)
            self._comes(Event(data, now, "bad values", frozenset({"bad values"})))
        elif kind == 18:
            record = out_of_scope(maker, now)
            data = self._seal(record, issuer, audience, self._place(issuer, audience), now)
            self._comes(Event(data, now, "out of scope", frozenset({"out of scope"})))
        else:
            record = maker.any(now)
            schema = replace(record, header=replace(record.header, schema=SCHEMA + 1))
            payload, reasons = self.rng.choice(
                (
                    (encode(schema), frozenset({"version"})),
                    (encode(record) + b"\0", frozenset({"malformed"})),
                    (self.rng.randbytes(40), frozenset({"malformed"})),
                    (msgpack.encode({"more": 1} | msgpack.decode(encode(record))), frozenset({"malformed"})),
                )
            )
            envelope = Envelope(
                version=MESSAGES, issuer=issuer, audience=audience, sequence=self._place(issuer, audience),
                time_ns=now, payload=payload,
            )  # fmt: skip
            self._comes(Event(sealed(envelope, KEYS[issuer]), now, "bad payload", reasons))
