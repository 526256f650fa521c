"""A node as it runs: with its journal on a disk, its courier, and those who are to hear its alerts.

In: sectors, and frames from links; out: frames for links, and alerts to sinks.  The order is the point:
nothing leaves, neither a message nor an alert nor a receipt, before the step that it came of is on the disk.
After a crash at any instant it is made again from there and carries on.  Partners get once more what it said
of late, for it is not known what of it arrived, and know it by its sequence; a sink gets what no receipt in
the journal says it has, and knows by the identifier what it got just before the crash.

It reads no clock: whoever runs it says what time it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from jointwatch.joint.signing import PrivateKey
from jointwatch.node.config import NodeConfig
from jointwatch.node.courier import KEPT_NS, Courier
from jointwatch.node.dispatch import Dispatch
from jointwatch.node.journal import Entry, Journal, read_kept
from jointwatch.node.node import Input, Node
from jointwatch.node.outbox import SinkState
from jointwatch.node.receipts import pump
from jointwatch.node.recovery import recover
from jointwatch.node.scribe import Output
from jointwatch.node.snapshot import Shelf, take_snapshot
from jointwatch.node.store import Store
from jointwatch.records import (
    Advisory,
    Alert,
    BadInput,
    CertificateChecked,
    Delivered,
    Header,
    Received,
    decode,
    tag_of,
)

SNAPSHOT_STEPS = 1000
"""A snapshot is taken after so many steps: what has to be replayed then takes some seconds."""


class RunningNode:
    """One partner's node, from its first start on or from its journal."""

    def __init__(
        self,
        config: NodeConfig,
        key: PrivateKey,
        store: Store,
        shelf: Shelf,
        dispatch: Dispatch,
        now_ns: int,
        links: tuple[str, ...] | None = None,
        snapshot_steps: int = SNAPSHOT_STEPS,
    ) -> None:
        """links: correspondents that there is a link to (None: all).  dispatch: new, with this node's sinks.
        BadInput if the journal is broken, or is that of another configuration, or a sink is not for it; or if
        it would begin its journal with a certificate that does not hold (one that comes back with it goes
        on, and its notes say so)."""
        dispatch.check(config)
        self.partner, self._dispatch, self._shelf = config.partner, dispatch, shelf
        self._steps, self._snapshot_steps = 0, snapshot_steps
        keys = {c.name: c.public_key for c in config.correspondents if links is None or c.name in links}
        self.courier = Courier(config.partner, key, keys)
        self.notes: tuple[str, ...] = ()
        self.replayed = 0
        source = f"{config.name}'s journal"
        kept = read_kept(store.rows(), source)
        if kept.torn:
            store.cut(len(kept.entries))
        journal = Journal(None, store, kept)
        if not kept.entries:
            dispatch.certificate.check_begin(config.name, now_ns)
            self.node = Node(config, journal, now_ns)
            journal.sync()
            self.notes = self._certificate_notes(now_ns)
            self.pump(now_ns)
            return
        recovered = recover(kept, journal, shelf, source, now_ns - KEPT_NS)
        self.node, self.replayed = recovered.node, recovered.replayed
        self.notes = (*recovered.notes, *self._certificate_notes(now_ns))
        if self.node.config != config:
            raise self._other_configuration(source, now_ns)
        for _, outputs in recovered.said:
            self.courier.take(outputs)
        self._remember(kept.entries[1:], source)
        self.pump(now_ns)

    def _other_configuration(self, source: str, now_ns: int) -> BadInput:
        """What is wrong with going on in the journal of another configuration; and with a new one, where what
        this one says stands: nobody else can end it."""
        found, wanted = "another configuration", "that with which it was begun"
        zones = {zone for told in self.node.standing() for zone in told.zones_at(now_ns)}
        stands = [f"{len(zones)} zones are told"] if zones else []
        advisories = len(self.node.standing_advisories(now_ns))
        stands += [f"{advisories} advisories stand"] if advisories else []
        if stands:
            found += f", by which {' and '.join(stands)} still"
            wanted += ", to take that back before a new journal is begun"
        return BadInput(source, "entry 1", found, wanted)

    def _certificate_notes(self, now_ns: int) -> tuple[str, ...]:
        """What whoever starts it should know of its key."""
        said = self._dispatch.certificate.said(now_ns)
        return (said,) if said else ()

    def _remember(self, entries: Sequence[Entry], source: str) -> None:
        """What the journal says of alerts and of what became of them at the sinks."""
        outbox = self._dispatch.outbox
        for n, entry in enumerate(entries, start=2):
            if tag_of(entry.data) not in ("alert", "advisory", "delivered", "certificate_checked"):
                continue
            record = decode(entry.data, f"{source}: entry {n}")
            if isinstance(record, Alert | Advisory) and entry.direction == "out":
                outbox.take(record)
            elif isinstance(record, Delivered):
                outbox.took(record)
            elif isinstance(record, CertificateChecked):
                self._dispatch.certificate.took(record)

    def take(self, record: Input, now_ns: int) -> list[Output]:
        """Take one input; what came of it is on the disk before anything leaves."""
        outputs = self.node.step(record, now_ns)
        self.node.journal.sync()
        self._hand_out(outputs, now_ns)
        self._stepped()
        return outputs

    def _stepped(self) -> None:
        self._steps += 1
        if self._steps % self._snapshot_steps == 0:
            self.snapshot()

    def pump(self, now_ns: int) -> list[Output]:
        """Take what became of alerts at the sinks, and hand over what is due: several times a second.

        And have the node look at the time where it hears of nothing else: what draws near is told then, and
        what is over taken back, though every radar and link is silent.
        The outputs of the steps this gave rise to: what was decided, and notes of what is given up.
        """
        outputs: list[Output] = []
        passed = self.node.time_passed(now_ns)
        if passed is not None:
            outputs += self.take(passed, now_ns)
        pumped, steps = pump(self.node, self._dispatch, now_ns)
        for _ in range(steps):
            self._stepped()
        return outputs + pumped

    def sinks(self, now_ns: int) -> tuple[SinkState, ...]:
        """How those who are to hear its alerts do."""
        return self._dispatch.states(now_ns)

    def receive(self, link: str, frame: bytes, now_ns: int) -> list[Output]:
        """Take what came over a link."""
        data = self.courier.open(link, frame)
        if data is None:
            return []
        header = Header(
            originator=self.partner,
            source=f"link to {link}",
            sequence=self.node.journal.count,
            measured_ns=now_ns,
        )
        return self.take(Received(header=header, data=data), now_ns)

    def frames(self, link: str, now_ns: int) -> list[bytes]:
        """What to put on a link now."""
        return self.courier.frames(link, now_ns, self.node.streams())

    def snapshot(self) -> None:
        """Keep the node as it is, unless it fell over an input."""
        if self.node.fell:
            return
        self._shelf.put(self.node.journal.count, take_snapshot(self.node))

    def _hand_out(self, outputs: list[Output], now_ns: int) -> None:
        self.courier.take(outputs)
        self._dispatch.take([output for output in outputs if isinstance(output, Alert | Advisory)], now_ns)
