"""The gate for others' alerts: what comes from feeds of CAP messages is refused with a reason, or shown.

In: bytes, the feed that they came from, and when; out: an `OthersAlert`, or `Refused`, counted by reason.
What costs little is asked first: whose a message is, who vouches for it, its status and age, all by what it
begins with.  Its areas, which take a hundred times as long, are read where nothing of that speaks against it.
The gate remembers what stands, what was replaced or withdrawn, and what it has seen.  It reads no clock; what
it remembers is bounded for each sender, and nothing is remembered of whoever is not listened to.

What nobody vouches for is refused, but for senders of whom it was said that such messages are shown.  They
are kept apart: an unsigned message neither withdraws nor replaces a signed one, nor takes its identifier.
Reference: OASIS, Common Alerting Protocol Version 1.2 (1 July 2010), section 3.2.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple, get_args

from jointwatch.formats.cap_in import CapHead, CapMessage, read_cap, read_head
from jointwatch.formats.hostile_xml import parse_hostile
from jointwatch.formats.warning_keys import WarningCertificate
from jointwatch.formats.xml_signature import XMLDSIG, Signed, what_was_signed
from jointwatch.joint.allowance import Allowance
from jointwatch.records import AlertSender, BadInput, CapReference, Header, OthersAlert

Reason = Literal[
    "flood", "size", "structure", "sender", "signature", "status", "kind", "freshness", "replay", "identity"
]
"""Why something is refused, in the order in which it is first asked; "replay": it was taken before;
"identity": another message has its identifier."""
REASONS: tuple[Reason, ...] = get_args(Reason)

MOST_BYTES = 1_000_000
"""No message is longer: a country's outline in full, ten times over."""
OLD_NS, AHEAD_NS = 600_000_000_000, 30_000_000_000
"""A message is fresh for so long after it was sent, and may be sent so far ahead of our clock."""
UNSAID_NS = 3_600_000_000_000
"""A message that does not say when it expires stands for so long."""
MOST_STANDING = 200
"""Alerts of one sender that are kept, also when they are over: those that expire first go first."""
MOST_REMEMBERED = 2000
"""Messages of one sender that are remembered, to know them again: what one may have taken while a message is
fresh, and what stands, are half of that.  Those taken longest ago go first."""
MOST_STANDS_NS = 30 * 86_400_000_000_000
"""No alert stands for longer than 30 days after it was sent."""
MOST_REFERENCES = 200
MOST_NAME = 500
"""Characters of an identifier."""
FEED_PER_S, FEED_AT_ONCE = 20.0, 500.0
"""Messages that one feed may bring, whoever they are from: a check takes a millisecond and more."""
FEED_BYTES_PER_S, FEED_BYTES_AT_ONCE = 400e3, 5e6
"""The same in bytes: to read a message of a megabyte to its end takes half a second."""
FEED_ALLOWED = (FEED_PER_S, FEED_AT_ONCE, FEED_BYTES_PER_S, FEED_BYTES_AT_ONCE)
SENDER_PER_S, SENDER_AT_ONCE = 1.0, 60.0
"""Messages that one sender may have taken."""
MOST_FEEDS = 100


class Refused(BadInput):
    """A message that the gate refused, and under which reason it was counted."""

    def __init__(self, error: BadInput, reason: Reason) -> None:
        super().__init__(error.source, error.field, error.found, error.wanted)
        self.reason = reason


class _Seen(NamedTuple):
    """A message that was taken: when it was sent, and what it says."""

    sent_ns: int
    content: bytes


class _Series:
    """What one sender said, all of it signed or all of it not."""

    def __init__(self) -> None:
        self.allowance = Allowance(SENDER_PER_S, SENDER_AT_ONCE)
        self.standing: dict[str, OthersAlert] = {}
        self.seen: dict[str, _Seen] = {}
        self.ended: dict[tuple[str, int], None] = {}
        """Messages that were replaced or withdrawn, by identifier and when they were sent."""

    def stands(self, identifier: str, now_ns: int) -> bool:
        """Whether an alert of this identifier stands now."""
        return identifier in self.standing and self.standing[identifier].expires_ns > now_ns

    def take(self, identifier: str, seen: _Seen) -> None:
        """Remember a message that was taken, as the latest."""
        self.seen.pop(identifier, None)
        self.seen[identifier] = seen

    def end(self, reference: CapReference) -> None:
        """Remember that a message was replaced or withdrawn, as the latest."""
        key = reference.identifier, reference.sent_ns
        self.ended.pop(key, None)
        self.ended[key] = None

    def make_room(self) -> None:
        """Keep to the limits: of what stands that goes first which expires first, else the oldest.

        By no clock: one that was put ahead and back again would have let go what can come once more.
        """
        while len(self.standing) > MOST_STANDING:
            del self.standing[min(self.standing.values(), key=lambda a: (a.expires_ns, a.sent_ns)).identifier]
        while len(self.seen) > MOST_REMEMBERED:
            # there is one: fewer stand than are remembered
            del self.seen[next(name for name in self.seen if name not in self.standing)]
        # one that names many old ones must not make room for what was withdrawn today
        for key in sorted(self.ended, key=lambda key: key[1])[: max(len(self.ended) - MOST_REMEMBERED, 0)]:
            del self.ended[key]


class CapGate:
    """What a node takes of others' alerts, and which of them stand."""

    def __init__(self, senders: Sequence[AlertSender], exercise: bool) -> None:
        """senders: those listened to.  exercise: whether the node is one of an exercise, which takes
        exercises' messages only; a live one takes none.  BadInput if a sender is named twice, if one of its
        certificates is none, or says that it is for the other kind of node or another sender."""
        self._senders = {sender.name: sender for sender in senders}
        if len(self._senders) != len(senders):
            raise BadInput("alert senders", "name", "one name twice", "each sender once")
        self._exercise = exercise
        self._series: dict[tuple[str, bool], _Series] = {}
        self._feeds: dict[str, Allowance] = {}
        self.refused: dict[Reason, int] = {}
        for sender in senders:
            for certificate in _certificates(sender):
                source = f"alert sender {sender.name}"
                if certificate.purpose and certificate.purpose != ("exercise" if exercise else "live"):
                    wanted = "one for exercises" if exercise else "one for live warnings"
                    raise BadInput(source, "certificate", f"one for {certificate.purpose}", wanted)
                if certificate.purpose and not certificate.covers(sender.name):
                    raise BadInput(source, "certificate", f"one of {certificate.sender}", "its own")

    def take(self, data: bytes, feed: str, now_ns: int, header: Callable[[str], Header]) -> OthersAlert:
        """The alert in bytes that a feed brought now; `Refused`, counted under its reason, if it is refused.

        header: makes the record's header for a handling ("public" or "own").
        """
        try:
            return self._take(data, feed, now_ns, header)
        except Refused as refused:
            self.refused[refused.reason] = self.refused.get(refused.reason, 0) + 1
            raise

    def _take(self, data: bytes, feed: str, now_ns: int, header: Callable[[str], Header]) -> OthersAlert:
        with _refusing("flood"):
            _within(self._feed(feed), len(data), feed, now_ns)
        with _refusing("size"):
            if len(data) > MOST_BYTES:
                raise BadInput(feed, "message", f"{len(data)} bytes", f"at most {MOST_BYTES}")
        with _refusing("structure"):
            head = read_head(data, feed)
        with _refusing("sender"):
            sender = self._senders.get(head.sender)
            if sender is None:
                raise BadInput(feed, "alert.sender", head.sender, "one that is listened to")
        signed = self._signed(data, sender, feed, now_ns)
        if signed is not None:
            data = signed.signed
            with _refusing("structure"):
                head = read_head(data, feed)
            with _refusing("signature"):
                if head.sender != sender.name:
                    # what was signed is what counts, and this sender's certificates sign for this sender only
                    raise BadInput(feed, "alert.sender", head.sender, sender.name)
                signed.certificate.check_use(head.status, head.sender, feed)
        self._check_head(head, feed, now_ns)
        with _refusing("structure"):
            message = read_cap(data, feed)
            _check_names(message, feed)
        with _refusing("freshness"):
            expires_ns = _expires_ns(message, feed, now_ns)
        series = self._series.setdefault((sender.name, signed is not None), _Series())
        content = hashlib.sha256(repr(message).encode()).digest()
        seen = series.seen.get(message.identifier)
        with _refusing("replay"):
            if seen == (message.sent_ns, content):
                raise BadInput(feed, "alert.identifier", message.identifier, "a message not taken before")
        with _refusing("identity"):
            # a sender may use a name again when the message that had it is over
            held = seen is not None and seen.sent_ns + OLD_NS >= now_ns
            if held or series.stands(message.identifier, now_ns):
                found = f"{message.identifier}, with another content than before"
                raise BadInput(feed, "alert.identifier", found, "one identifier for one message")
        with _refusing("flood"):
            _within(series.allowance, len(data), message.sender, now_ns)
        fingerprint = signed.certificate.fingerprint if signed is not None else ""
        return self._keep(series, message, feed, now_ns, expires_ns, content, fingerprint, header)

    def _keep(
        self,
        series: _Series,
        message: CapMessage,
        feed: str,
        now_ns: int,
        expires_ns: int,
        content: bytes,
        fingerprint: str,
        header: Callable[[str], Header],
    ) -> OthersAlert:
        """Remember a message that was let in; what it refers to no longer stands."""
        unknown = []
        for reference in message.references:
            known = series.seen.get(reference.identifier)
            mine = reference.sender == message.sender
            if not mine or known is None or known.sent_ns != reference.sent_ns:
                unknown.append(reference)
            elif message.message_type != "Alert":
                series.standing.pop(reference.identifier, None)
            # what is named before it can have been sent would keep the place of what was withdrawn
            could_be = reference.sent_ns <= message.sent_ns + AHEAD_NS
            if mine and could_be and message.message_type != "Alert":
                # it may still come, by a slower way: it is over before it came
                series.end(reference)
        alert = OthersAlert(
            header=header("public" if message.scope == "Public" else "own"),
            feed=feed,
            sender=message.sender,
            identifier=message.identifier,
            status=message.status,
            kind=message.message_type,
            scope=message.scope,
            sent_ns=message.sent_ns,
            expires_ns=expires_ns,
            event=message.infos[0].event if message.infos else "",
            headlines=tuple((info.language, info.headline) for info in message.infos if info.headline),
            areas=tuple({area: None for info in message.infos for area in info.areas}),
            references=message.references,
            unknown=tuple(unknown),
            verified_by=fingerprint,
        )
        series.take(message.identifier, _Seen(message.sent_ns, content))
        ended = (message.identifier, message.sent_ns) in series.ended
        if message.message_type != "Cancel" and not ended:
            series.standing[message.identifier] = alert
        series.make_room()
        return alert

    def standing(self, now_ns: int) -> tuple[OthersAlert, ...]:
        """Others' alerts that stand now, the latest sent last: for the node's own people."""
        standing = [
            alert
            for series in self._series.values()
            for alert in series.standing.values()
            if alert.expires_ns > now_ns
        ]
        return tuple(sorted(standing, key=lambda a: (a.sent_ns, a.sender, a.identifier, a.verified_by)))

    def standing_public(self, now_ns: int) -> tuple[OthersAlert, ...]:
        """Those of them that may be shown to others: no restricted or private one."""
        return tuple(alert for alert in self.standing(now_ns) if alert.scope == "Public")

    def _feed(self, feed: str) -> Allowance:
        if feed not in self._feeds and len(self._feeds) >= MOST_FEEDS:
            raise BadInput(feed, "feed", "another one", f"at most {MOST_FEEDS}")
        return self._feeds.setdefault(feed, Allowance(*FEED_ALLOWED))

    def _signed(self, data: bytes, sender: AlertSender, feed: str, now_ns: int) -> Signed | None:
        """What was signed; None for what nobody vouches for and is shown all the same."""
        if sender.show_unverified and not sender.certificates:
            return None
        with _refusing("structure"):
            root = parse_hostile(data, feed)
        if sender.show_unverified and not any(True for _ in root.iter(f"{{{XMLDSIG}}}Signature")):
            return None
        with _refusing("signature"):
            return what_was_signed(root, feed, _certificates(sender), now_ns)

    def _check_head(self, head: CapHead, feed: str, now_ns: int) -> None:
        """`Refused` for what the node is not for, and for what is old or sent ahead of time."""
        with _refusing("status"):
            wanted = "Exercise" if self._exercise else "Actual"
            if head.status != wanted:
                kind = "an exercise" if self._exercise else "live warnings"
                raise BadInput(feed, "alert.status", head.status, f"{wanted}: the node is for {kind}")
        with _refusing("kind"):
            if head.message_type not in ("Alert", "Update", "Cancel"):
                raise BadInput(feed, "alert.msgType", head.message_type, "Alert, Update or Cancel")
        with _refusing("freshness"):
            age_ns = now_ns - head.sent_ns
            if age_ns > OLD_NS:
                wanted = f"at most {OLD_NS // 10**9} s ago"
                raise BadInput(feed, "alert.sent", f"{age_ns // 10**9} s ago", wanted)
            if age_ns < -AHEAD_NS:
                wanted = f"at most {AHEAD_NS // 10**9} s ahead of our clock"
                raise BadInput(feed, "alert.sent", f"{-age_ns // 10**9} s ahead", wanted)


@contextmanager
def _refusing(reason: Reason) -> Iterator[None]:
    """What is wrong within is refused for this reason."""
    try:
        yield
    except BadInput as error:
        raise Refused(error, reason) from None


def _within(allowance: Allowance, size: int, source: str, now_ns: int) -> None:
    """BadInput if it is more than may come."""
    if not allowance.takes(size, now_ns):
        raise BadInput(source, "messages", "more", allowance.in_words())


def _certificates(sender: AlertSender) -> list[WarningCertificate]:
    return [WarningCertificate.of_pem(pem, f"alert sender {sender.name}") for pem in sender.certificates]


def _check_names(message: CapMessage, feed: str) -> None:
    """BadInput for names and lists of references that are longer than anybody needs, and for times that no
    record can hold."""
    if len(message.identifier) > MOST_NAME:
        found = f"{len(message.identifier)} characters"
        raise BadInput(feed, "alert.identifier", found, f"at most {MOST_NAME}")
    if len(message.references) > MOST_REFERENCES:
        raise BadInput(feed, "alert.references", len(message.references), f"at most {MOST_REFERENCES}")
    for reference in message.references:
        if abs(reference.sent_ns) >= 2**63:
            raise BadInput(feed, "alert.references", "another age", "times between 1678 and 2262")


def _expires_ns(message: CapMessage, feed: str, now_ns: int) -> int:
    """When the message expires; BadInput if it has.

    A withdrawal does not expire: it is taken as long as it is fresh.  None stands to before it was sent, or
    for longer than `MOST_STANDS_NS`: whatever it says, a record can hold that time.
    """
    # a block without one may stand for longer than the others say
    expires_ns = max(
        (
            info.expires_ns if info.expires_ns is not None else message.sent_ns + UNSAID_NS
            for info in message.infos
        ),
        default=message.sent_ns + UNSAID_NS,
    )
    if expires_ns <= now_ns and message.message_type != "Cancel":
        raise BadInput(feed, "alert.info.expires", f"{(now_ns - expires_ns) // 10**9} s ago", "yet to come")
    return min(max(expires_ns, message.sent_ns), message.sent_ns + MOST_STANDS_NS)
