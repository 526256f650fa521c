"""The gate of one node: which of the bytes that come over the link are a partner's message that it may use.

In: bytes, and when they came; out: the record in them with its envelope, or a refusal in a fixed word and a
sentence.  No bytes whatever raise an error.  The order of the checks is the point: nothing is remembered of
a message until its signature, its address, its time and its place in the stream are good, so what others
forge, alter, repeat or hold back can never keep out a good one; and from there on the message is its issuer's
own word, and its place is used up whatever is wrong with it.

What is admitted is forwarded, where others are to have it too, as the bytes that came: never signed again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from jointwatch.joint.admission import screen
from jointwatch.joint.allowance import Allowance
from jointwatch.joint.faults import AHEAD_S, LONGEST_NAME, S, Terms, prefix
from jointwatch.joint.sequences import Sequences
from jointwatch.joint.signing import MOST_BYTES, envelope_bytes, is_signed, public_key
from jointwatch.records import KIND_OF, KINDS, MESSAGES, BadInput, Envelope, Kind, Message, decode, encode

Reason = Literal[
    "malformed",
    "version",
    "our own",
    "unknown issuer",
    "forged",
    "not addressed to us",
    "from the future",
    "stale",
    "replayed",
    "equivocation",
    "flood",
    "out of scope",
    "bad values",
]
"""Why a message is refused, in the order in which it is asked; "equivocation" is another message under a
sequence that is used up, signed all the same: its issuer told two stories."""
REASONS: tuple[Reason, ...] = get_args(Reason)

MOST_NAMES, MOST_STREAMS = 64, 64
"""Partners in one audience, and audiences to which one issuer's messages come here; more are a flood."""


class Correspondent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A partner whose messages a node takes, on terms that both agreed.

    public_key: 64 hexadecimal digits.  kinds: what it may send.  sensors: names of those that belong to it;
    none named: any that belong to nobody else.  age_s: a message sealed longer ago is refused.
    """

    name: str
    public_key: str
    kinds: tuple[Kind, ...] = KINDS
    sensors: tuple[str, ...] = ()
    age_s: float = 900.0


class Admitted(Struct, frozen=True):
    """A message that may be used: its envelope, and its record without the parts that cannot be.

    dropped: a line for each part that was taken out, with the record's name and the field.  forward: to whom
    else its bytes are to go, by its audience.
    """

    envelope: Envelope
    record: Message
    dropped: tuple[str, ...] = ()
    forward: tuple[str, ...] = ()


class Refused(Struct, frozen=True):
    """A message that may not be used, and why; issuer: who it says it is from, "" if it does not say."""

    reason: Reason
    issuer: str
    detail: str


class _Version(Struct, array_like=True):
    """The first element of an envelope of any version."""

    version: int


_envelopes: msgspec.msgpack.Decoder[Envelope] = msgspec.msgpack.Decoder(Envelope)
_versions: msgspec.msgpack.Decoder[_Version] = msgspec.msgpack.Decoder(_Version)


class _Partner:
    """What a gate knows of one correspondent.  Pickled without the key, which its terms hold as text."""

    def __init__(self, terms: Correspondent) -> None:
        self.terms = terms
        self.key = public_key(terms.public_key, f"correspondent {terms.name}")
        self.streams: dict[tuple[str, ...], Sequences] = {}
        self.allowance = Allowance()

    def __reduce__(self) -> tuple[object, ...]:
        return _partner_again, (self.terms, self.streams, self.allowance)


def _partner_again(
    terms: Correspondent, streams: dict[tuple[str, ...], Sequences], allowance: Allowance
) -> _Partner:
    partner = _Partner(terms)
    partner.streams, partner.allowance = streams, allowance
    return partner


class Gatekeeper:
    """The gate of one partner's node."""

    def __init__(
        self,
        partner: str,
        correspondents: Iterable[Correspondent],
        sensors: Iterable[str] = (),
        exercise: bool = True,
    ) -> None:
        """For a partner with sensors of its own; BadInput if the correspondents cannot be told apart.

        exercise: whether it is in an exercise; else live alerts are taken, and no others.
        """
        self.partner, self._exercise = partner, exercise
        terms = list(correspondents)
        _distinct(partner, terms)
        self._partners = {c.name: _Partner(c) for c in terms}
        self._owner = {sensor: partner for sensor in sensors}
        for correspondent in terms:
            for sensor in correspondent.sensors:
                if self._owner.setdefault(sensor, correspondent.name) != correspondent.name:
                    source = f"correspondent {correspondent.name}"
                    raise BadInput(source, "sensors", sensor, f"none of {self._owner[sensor]}'s")
        self._prefixes = tuple(prefix(name) for name in (partner, *self._partners))

    def open(self, data: bytes, received_ns: int) -> Admitted | Refused:
        """What a message that came at received_ns holds, or why it is refused."""
        envelope = self._genuine(data)
        if isinstance(envelope, Refused):
            return envelope
        refused = self._due(envelope, data, received_ns)
        if refused is not None:
            return refused
        streams = self._partners[envelope.issuer].streams
        streams.setdefault(envelope.audience, Sequences()).add(envelope.sequence, envelope.time_ns, data)
        return self._read(envelope)

    def missing(
        self, issuer: str, audience: Iterable[str], received_ns: int | None = None
    ) -> tuple[tuple[int, int], ...]:
        """Gaps (first, last) in what an issuer sealed for an audience, to ask for again; () if it is unknown.

        received_ns: now; given, gaps are left out that only a message too old by now could fill.
        """
        partner = self._partners.get(issuer)
        stream = partner.streams.get(tuple(sorted(audience))) if partner is not None else None
        if partner is None or stream is None:
            return ()
        since = -(2**63) if received_ns is None else received_ns - round(partner.terms.age_s * S)
        return stream.missing(since)

    def streams(self) -> tuple[tuple[str, tuple[str, ...], int], ...]:
        """Issuer, audience, and the sequence up to which all are used up, of every stream in order."""
        return tuple(
            (name, audience, partner.streams[audience].through)
            for name, partner in sorted(self._partners.items())
            for audience in sorted(partner.streams)
        )

    def has(self, issuer: str, audience: Iterable[str], sequence: int) -> bool:
        """Whether a message of an issuer to an audience is used up."""
        partner = self._partners.get(issuer)
        stream = partner.streams.get(tuple(sorted(audience))) if partner is not None else None
        return stream is not None and sequence in stream

    def state(self) -> tuple[object, ...]:
        """All that is remembered, to compare: two gates of the same state answer all that comes alike."""
        return tuple(
            (name, p.allowance.state(), sorted((a, s.state()) for a, s in p.streams.items()))
            for name, p in sorted(self._partners.items())
        )

    # ------------------------------------------------------------------ what anybody can send

    def _genuine(self, data: bytes) -> Envelope | Refused:
        """The envelope in data, if it is one and its issuer's."""
        if len(data) > MOST_BYTES:
            return _refused(
                "malformed", "", "the link", "message", f"{len(data)} bytes", f"at most {MOST_BYTES}"
            )
        try:
            version = _versions.decode(data).version
            if version != MESSAGES:
                return _refused("version", "", "the link", "version", version, f"version {MESSAGES}")
            envelope = _envelopes.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return _refused("malformed", "", "the link", "message", str(error), "a Jointwatch envelope")
        issuer, where = envelope.issuer, "the link"
        if issuer == self.partner:
            return _refused("our own", issuer, where, "issuer", issuer, "another partner")
        partner = self._partners.get(issuer)
        if partner is None:
            known = ", ".join(self._partners) or "nobody, for there are no correspondents"
            return _refused("unknown issuer", issuer, where, "issuer", issuer, f"one of {known}")
        where = f"{issuer}'s message {envelope.sequence}"
        if envelope_bytes(envelope) != data:
            # the same envelope can be written in other bytes by anybody, who might hide something in them
            return _refused("malformed", issuer, where, "envelope", "other bytes", "its canonical bytes")
        names = envelope.audience
        fit = 0 < len(names) <= MOST_NAMES and all(0 < len(name) <= LONGEST_NAME for name in names)
        if not fit or any(a >= b for a, b in pairwise(names)):
            wanted = f"at most {MOST_NAMES} names in order"
            return _refused("malformed", issuer, where, "audience", ", ".join(names), wanted)
        if not 1 <= envelope.sequence < 2**63:
            return _refused("malformed", issuer, where, "sequence", envelope.sequence, "a number from 1 on")
        if not is_signed(envelope, partner.key):
            return _refused("forged", issuer, where, "signature", "another", f"that of {issuer}'s key")
        return envelope

    # ------------------------------------------------------------------ what is genuine, but not due here

    def _due(self, envelope: Envelope, data: bytes, received_ns: int) -> Refused | None:
        """Why a genuine message is not taken here and now.  Nothing is remembered of one that is not."""
        issuer, partner = envelope.issuer, self._partners[envelope.issuer]
        to, where = ", ".join(envelope.audience), f"{issuer}'s message {envelope.sequence}"
        if self.partner not in envelope.audience:
            return _refused("not addressed to us", issuer, where, "audience", to, self.partner)
        where += f" to {to[:LONGEST_NAME]}"
        age_s = (received_ns - envelope.time_ns) / S
        if age_s < -AHEAD_S:
            found = f"{-age_s:.3f} s after it came"
            return _refused(
                "from the future", issuer, where, "time_ns", found, f"at most {AHEAD_S:g} s after"
            )
        if age_s > partner.terms.age_s:
            found, most = f"{age_s:.3f} s before it came", f"at most {partner.terms.age_s:g} s before"
            return _refused("stale", issuer, where, "time_ns", found, most)
        stream = partner.streams.get(envelope.audience)
        if stream is not None and envelope.sequence in stream:
            if stream.another(envelope.sequence, data):
                wanted = "the message that had this sequence before"
                return _refused("equivocation", issuer, where, "payload", "another message", wanted)
            return _refused("replayed", issuer, where, "sequence", envelope.sequence, "one not used up")
        if stream is None and len(partner.streams) >= MOST_STREAMS:
            return _refused(
                "flood", issuer, where, "audience", "one more", f"at most {MOST_STREAMS} audiences"
            )
        # last, because only fresh messages may cost an issuer its allowance: those no one else can make
        if not partner.allowance.takes(len(data), received_ns):
            found = f"{len(data)} bytes beyond what it may send"
            return _refused("flood", issuer, where, "rate", found, partner.allowance.in_words())
        return None

    # ------------------------------------------------------------------ what its issuer says

    def _read(self, envelope: Envelope) -> Admitted | Refused:
        """The record of a message that is due."""
        issuer, terms = envelope.issuer, self._partners[envelope.issuer].terms
        where = f"{issuer}'s message {envelope.sequence} to {', '.join(envelope.audience)[:LONGEST_NAME]}"
        try:
            record = decode(envelope.payload, where)
        except BadInput as error:
            reason: Reason = "version" if error.field == "schema" else "malformed"
            return Refused(reason, issuer, str(error))
        kind = KIND_OF.get(type(record))
        if not isinstance(record, Message) or kind is None:
            name = type(record).__name__
            return _refused("out of scope", issuer, where, "record", name, "one that may cross between nodes")
        if encode(record) != envelope.payload:
            return _refused(
                "malformed", issuer, where, "payload", "other bytes", "its record's canonical bytes"
            )
        if kind not in terms.kinds:
            agreed = ", ".join(terms.kinds) or "nothing"
            return _refused("out of scope", issuer, where, "kind", kind, f"what was agreed: {agreed}")
        screened = screen(
            record,
            Terms(
                me=self.partner,
                issuer=issuer,
                prefixes=self._prefixes,
                owns=lambda sensor: self._owner.get(sensor, "" if terms.sensors else issuer) == issuer,
                sealed_ns=envelope.time_ns,
                oldest_ns=envelope.time_ns - round(terms.age_s * S),
                exercise=self._exercise,
            ),
        )
        if screened.record is None:
            assert screened.fault is not None
            fault = screened.fault
            said = f"{where}: {type(record).__name__}: {fault.field}: {fault.why}"
            return Refused(fault.reason, issuer, said)
        others = tuple(name for name in envelope.audience if name not in (self.partner, issuer))
        return Admitted(envelope, screened.record, screened.dropped, others)


def _refused(reason: Reason, issuer: str, source: str, field: str, found: object, wanted: str) -> Refused:
    """A refusal in the words of all bad input; what a stranger wrote is cut short and made printable."""
    name = issuer[:LONGEST_NAME]
    return Refused(
        reason, name if name.isprintable() else repr(name), str(BadInput(source, field, found, wanted))
    )


def _distinct(partner: str, correspondents: list[Correspondent]) -> None:
    """BadInput unless partners, and the numbers of their tracks, can be told apart."""
    names = [partner]
    for correspondent in correspondents:
        source = f"correspondent {correspondent.name}"
        name, age_s = correspondent.name, correspondent.age_s
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            wanted = f"a printable text of at most {LONGEST_NAME} characters"
            raise BadInput(source, "name", name or "an empty text", wanted)
        if not (math.isfinite(age_s) and 0.0 < age_s <= 1e9):
            raise BadInput(source, "age_s", age_s, "a positive number of seconds")
        for other in names:
            if prefix(name).startswith(prefix(other)) or prefix(other).startswith(prefix(name)):
                wanted = f"one whose track numbers begin otherwise than {other}'s"
                raise BadInput(source, "name", name, wanted)
        names.append(name)
