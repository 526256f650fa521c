"""Handing a node's alerts to its sinks, each by a hand of its own, so that none holds up the node or another.

In: alerts that are in the journal, and the time; out: what became of them, for the journal.  A hand holds one
message at a time; a sink that hangs keeps its thread and nothing else, one that raises or answers nonsense
has failed.  Which sinks these are is settled here: a live node takes live ones made with its own permit, a
node of an exercise takes those of exercises, and nothing takes both.  What leaves is signed with the node's
key, which is of the same kind; only an exercise may do without.  How long its certificate holds is watched
(`node.certificate`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Protocol

from msgspec.structs import replace

from jointwatch.formats.cap import advisory_to_cap, alert_to_cap
from jointwatch.formats.cap_area import draw_ahead
from jointwatch.formats.warning_keys import WarningKey, check_sender
from jointwatch.formats.xml_signature import sign_cap
from jointwatch.node.certificate import CertificateWatch
from jointwatch.node.config import NodeConfig
from jointwatch.node.outbox import MOST_WAITING, Delivery, Outbox, Render, SinkState, Told
from jointwatch.node.sinks.permit import is_permitted
from jointwatch.node.sinks.sink import Answer, ForExercise, ForLive, Sinks, checked, printable
from jointwatch.records import Advisory, Alert, BadInput, PublicMessage


class Hand(Protocol):
    """Carries one message at a time to one sink."""

    def give(self, delivery: Delivery) -> None:
        """Carry this; there is nothing under way."""

    def told(self) -> Told | None:
        """What became of it, once that is known."""

    def close(self) -> None:
        """Carry nothing more."""


class OwnThread:
    """A hand in a thread of its own: it may take as long as it will."""

    def __init__(self, sink: ForLive | ForExercise) -> None:
        self._sink = sink
        self._given: SimpleQueue[Delivery | None] = SimpleQueue()
        self._told: SimpleQueue[Told] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)
        self._thread.start()

    def give(self, delivery: Delivery) -> None:
        self._given.put(delivery)

    def told(self) -> Told | None:
        with suppress(Empty):
            return self._told.get_nowait()
        return None

    def close(self) -> None:
        """A sink that hangs is left to itself: its thread ends with the process."""
        self._given.put(None)

    def _run(self) -> None:
        while (delivery := self._given.get()) is not None:
            try:
                answer = self._sink.deliver(delivery.identifier, delivery.data)
            except BaseException as error:  # a thread that ended would be a sink that hangs for ever
                answer = Answer("failed", f"{type(error).__name__}: {error}")
            self._told.put(_told(delivery, answer))


class AtOnce:
    """A hand without a thread, for a simulation: it carries while it is asked to, and what fails there,
    fails the node."""

    def __init__(self, sink: ForLive | ForExercise) -> None:
        self._sink = sink
        self._kept: Told | None = None

    def give(self, delivery: Delivery) -> None:
        self._kept = _told(delivery, self._sink.deliver(delivery.identifier, delivery.data))

    def told(self) -> Told | None:
        told, self._kept = self._kept, None
        return told

    def close(self) -> None:
        """Nothing to do."""


def _told(delivery: Delivery, answer: Answer) -> Told:
    came = checked(answer)
    return Told(delivery.sink, delivery.identifier, came.came, printable(came.detail), came.retry_after_s)


def render_cap(config: NodeConfig) -> Render:
    """Alerts and advisories as CAP 1.2, sent by whoever is named in their header, in the node's languages.

    BadInput if one of the zones cannot be drawn.
    """
    draw_ahead(config.zones)

    def render(message: PublicMessage, earlier: Sequence[PublicMessage]) -> bytes:
        sender = message.header.source
        if isinstance(message, Advisory):
            advisories = [m for m in earlier if isinstance(m, Advisory)]
            return advisory_to_cap(message, sender, advisories, config.languages)
        alerts = [m for m in earlier if isinstance(m, Alert)]
        return alert_to_cap(message, config.zones, sender, alerts, config.languages)

    return render


def render_signed(config: NodeConfig, key: WarningKey) -> Render:
    """Messages as `render_cap` has them, signed with this key: always the same bytes for the same message.

    BadInput if the key is not for a node of this configuration.
    """
    check_key(config, key)
    plain = render_cap(config)
    return lambda message, earlier: sign_cap(plain(message, earlier), key)


class Dispatch:
    """The sinks of one node, and what each is still to be given.  It is for one start of a node."""

    def __init__(
        self,
        config: NodeConfig,
        sinks: Sinks,
        key: WarningKey | None = None,
        hand: Callable[[ForLive | ForExercise], Hand] = OwnThread,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """key: what leaves is signed with it.  BadInput if it is not for this node, or a live node has none;
        if a sink is not for this node, or two have one name; or if one of its zones cannot be drawn."""
        check_key(config, key)
        check_sinks(config, sinks)
        self._key = key
        self.certificate = CertificateWatch(None if key is None else key.certificate)
        self._sinks: Sinks = tuple(sinks)  # type: ignore[assignment]
        render = render_cap(config) if key is None else render_signed(config, key)
        self.outbox = Outbox([s.name for s in sinks], render, most_waiting)
        self._hands = {sink.name: hand(sink) for sink in sinks}

    def check(self, config: NodeConfig) -> None:
        """BadInput if these are not the sinks, and the key, of a node of this configuration."""
        check_key(config, self._key)
        check_sinks(config, self._sinks)

    def take(self, alerts: Sequence[PublicMessage], now: int) -> None:
        """Take alerts and advisories once they are in the journal, and hand over what is due."""
        for alert in alerts:
            self.outbox.take(alert)
        if alerts:
            self.hand_over(now)

    def hand_over(self, now: int) -> None:
        """Give each hand that is free the next message for its sink."""
        for name, hand in self._hands.items():
            delivery = self.outbox.next(name, now)
            if delivery is not None:
                hand.give(delivery)

    def to_journal(self, now: int) -> list[Told]:
        """What has become known since, and what is given up now: `Outbox.took` once it is in the journal."""
        came = [told for hand in self._hands.values() if (told := hand.told()) is not None]
        return came or self.outbox.to_journal(now)

    def is_busy(self) -> bool:
        """Whether an attempt is under way of which it is not in the journal how it ended."""
        return self.outbox.is_busy()

    def states(self, now: int) -> tuple[SinkState, ...]:
        """How the sinks do."""
        certificate = self.certificate.said(now)
        states = (self.outbox.state(sink.name, now, sink.exercise) for sink in self._sinks)
        return tuple(replace(state, certificate=certificate) for state in states)

    def close(self) -> None:
        """Hand over nothing more."""
        for hand in self._hands.values():
            hand.close()


def check_key(config: NodeConfig, key: WarningKey | None, source: str = "") -> None:
    """BadInput if a node of this configuration may not send with this key, or, being live, without one; or if
    it would send under a name that CAP does not allow: no message of that sender could ever be written.

    source: the file that names the key.
    """
    source = source or f"{config.name}'s sinks"
    for sender in config.senders:
        check_sender(sender, config.name)
    kind = "exercise" if config.exercise is not False else "live"
    also = "".join(f" --also {sender}" for sender in config.senders[1:])
    command = f"jointwatch keys new {config.name} --{kind}{also}"
    if key is None:
        if kind == "live":
            raise BadInput(source, "key", "none", f"a live key of {config.name} ({command})")
        return
    said = key.certificate
    if said.purpose != kind or said.sender != config.name:
        found = f"a key of {said.sender} for {said.purpose} warnings"
        raise BadInput(source, "key", found, f"one of {config.name} for {kind} warnings ({command})")
    missing = [sender for sender in config.senders if not said.covers(sender)]
    if missing:
        found = f"a certificate that covers {', '.join((said.sender, *said.also))}"
        wanted = f"one that covers {', '.join(missing)} too, by which other partners' zones are warned"
        raise BadInput(source, "key", found, f"{wanted} ({command})")


def check_sinks(config: NodeConfig, sinks: Sinks) -> None:
    """BadInput if a sink is not for a node of this configuration, or two have one name."""
    source = f"{config.name}'s sinks"
    names = set()
    for sink in sinks:
        if type(sink) not in (ForLive, ForExercise):
            raise BadInput(source, "sink", type(sink).__name__, "ForLive or ForExercise")
        if config.exercise is not False and type(sink) is not ForExercise:
            raise BadInput(source, sink.name, "a live sink", "none: this node is an exercise")
        if config.exercise is False and not (isinstance(sink, ForLive) and is_permitted(sink.permit, config)):
            raise BadInput(source, sink.name, "a sink without this node's permit", "live ones: it is live")
        if sink.name in names:
            raise BadInput(source, sink.name, "two sinks of this name", "one")
        names.add(sink.name)
