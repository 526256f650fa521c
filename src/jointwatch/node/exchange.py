"""A node's border: what leaves it by its sharing rules, and what it lets in of what comes over the link.

In: the node's own material of a step, and bytes that came; out: records of what leaves, stays and goes on
to others, for the journal, and the messages admitted.  A pure step like the rest of the node: signing is
done where the key is (`node.courier`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jointwatch.earth.places import Territories
from jointwatch.joint.gatekeeper import Admitted, Gatekeeper
from jointwatch.joint.sharer import Context, Offered, Shared, Sharer
from jointwatch.node.config import NodeConfig
from jointwatch.node.scribe import Output, Scribe
from jointwatch.records import Forwarded, Header, Kind, Message, Received, Sent, Withholding, encode

Told = Callable[[Message, tuple[str, ...]], None]
"""Is called with each record that leaves, and whom it is for."""


class Exchange:
    """What one node and its partners have told each other."""

    def __init__(self, config: NodeConfig, scribe: Scribe, territories: Territories) -> None:
        self.others = tuple(sorted(c.name for c in config.correspondents))
        self._scribe = scribe
        self.gate = Gatekeeper(config.partner, config.correspondents, config.sensor_names, config.exercise)
        self._sharer = Sharer(
            config.sharing, config.partner, (config.partner, *self.others), territories, config.sensors
        )
        self._sequences: dict[tuple[str, ...], int] = {}

    def offer(self, now: int, records: Sequence[Offered], context: Context, told: Told) -> list[Output]:
        """Put what a step gave rise to to the rules: what leaves, and what stays."""
        if not self.others:
            return []
        return self._recorded(self._sharer.offer(now, records, self._header(now), context), now, told)

    def due(self, now: int, told: Told) -> list[Output]:
        """What rules held back until now."""
        if not self.others:
            return []
        return self._recorded(self._sharer.due(now, self._header(now)), now, told)

    def _header(self, now: int) -> Callable[[], Header]:
        return lambda: self._scribe.header(now, handling="joint")

    def _recorded(self, shared: Shared, now: int, told: Told) -> list[Output]:
        out: list[Output] = []
        for release in shared.released:
            sequence = self._sequences[release.audience] = self._sequences.get(release.audience, 0) + 1
            told(release.record, release.audience)
            out.append(
                Sent(
                    header=self._scribe.header(now, handling="joint"),
                    audience=release.audience,
                    sequence=sequence,
                    kind=release.kind,
                    rules=release.rules,
                    payload=encode(release.record),
                )
            )
        kept: dict[tuple[Kind, str, str], list[tuple[str, int]]] = {}
        for held in shared.withheld:
            kept.setdefault((held.kind, held.partner, held.rule), []).append((held.subject, held.count))
        for (kind, partner, rule), subjects in kept.items():
            out.append(
                Withholding(
                    header=self._scribe.header(now),
                    kind=kind,
                    partner=partner,
                    rule=rule,
                    subjects=tuple(dict.fromkeys(subject for subject, _ in subjects)),
                    count=sum(count for _, count in subjects),
                )
            )
        for lost in shared.dropped:
            said = f"{lost.tracklets} looks too old to be told to {lost.partner}"
            out.append(self._scribe.note(now, "shed", lost.track, said))
        return out

    def sent(self, sent: Sent) -> None:
        """A message that stands: its place in the stream is used up."""
        self._sequences[sent.audience] = max(self._sequences.get(sent.audience, 0), sent.sequence)

    def open(self, received: Received, now: int) -> tuple[Admitted | None, list[Output]]:
        """What of a message may be used, None if it is refused; what is refused is noted, and what goes
        on."""
        opened = self.gate.open(received.data, now)
        if not isinstance(opened, Admitted):
            said = f"{opened.reason}: {opened.detail}"
            return None, [self._scribe.note(now, "rejected", opened.issuer or "nobody known", said)]
        out: list[Output] = [
            self._scribe.note(now, "rejected", opened.envelope.issuer, said) for said in opened.dropped
        ]
        if opened.forward:
            header = self._scribe.header(now, handling="joint")
            out.append(Forwarded(header=header, audience=opened.forward, data=received.data))
        return opened, out
