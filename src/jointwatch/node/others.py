"""What other systems warn of, beside the node's own alerts: shown to its people, and used for nothing else.

In: `ReceivedCap`, bytes from a source of alerts (`node.sources`); out: an `OthersAlert`, or a note that names
the reason why they were refused, and says it in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jointwatch.node.config import NodeConfig
from jointwatch.node.scribe import Output, Scribe
from jointwatch.records import Note, OthersAlert, ReceivedCap

if TYPE_CHECKING:
    from jointwatch.formats.cap_gate import CapGate, Reason

REFUSED = "alert_refused"
"""The kind of such a note: its subject is the source, its detail begins with the reason and a colon."""


class Others:
    """Others' alerts as one node takes them."""

    def __init__(self, config: NodeConfig, scribe: Scribe) -> None:
        """BadInput if what the configuration says of alert senders cannot be."""
        self._scribe = scribe
        self.gate: CapGate | None = None
        if config.alert_senders:
            # a tenth of a second of imports, for nodes that listen to somebody
            from jointwatch.formats.cap_gate import CapGate

            self.gate = CapGate(config.alert_senders, config.exercise)

    def take(self, received: ReceivedCap, now: int) -> list[Output]:
        """What comes of bytes from a feed."""
        if self.gate is None:
            return [self._refused(received, now, "sender", "no sender of alerts is listened to")]
        from jointwatch.formats.cap_gate import Refused

        try:
            return [self.gate.take(received.data, received.feed, now, lambda h: self._scribe.header(now, h))]
        except Refused as error:
            return [self._refused(received, now, error.reason, str(error))]

    def _refused(self, received: ReceivedCap, now: int, reason: Reason, why: str) -> Note:
        return self._scribe.note(now, REFUSED, received.feed, f"{reason}: {why}")

    def standing(self, now: int) -> tuple[OthersAlert, ...]:
        """Others' alerts that stand now."""
        return self.gate.standing(now) if self.gate is not None else ()
