"""A node as it runs: with its journal on a disk, its courier, and those who are to hear its alerts.

In: sectors, and frames from links; out: frames for links, and alerts to a sink.  The order is the point:
nothing leaves, neither a message nor an alert nor a receipt, before the step that it came of is on the disk.
After a crash at any instant it is made again from there and carries on: what it said is handed out once more,
for it is not known what of it arrived, and whoever has it already knows it by its identifier.

It reads no clock: whoever runs it says what time it is.
"""

from __future__ import annotations

from collections.abc import Callable

from jointwatch.joint.signing import PrivateKey
from jointwatch.node.config import NodeConfig
from jointwatch.node.courier import KEPT_NS, Courier
from jointwatch.node.journal import Journal, read_kept
from jointwatch.node.node import Input, Node
from jointwatch.node.recovery import recover
from jointwatch.node.scribe import Output
from jointwatch.node.snapshot import Shelf, take_snapshot
from jointwatch.node.store import Store
from jointwatch.records import Alert, BadInput, Header, Received

Sink = Callable[[Alert], None]
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
        sink: Sink,
        now_ns: int,
        links: tuple[str, ...] | None = None,
        snapshot_steps: int = SNAPSHOT_STEPS,
    ) -> None:
        """links: correspondents that there is a link to (None: all).  BadInput if the journal is broken, or
        is that of another configuration."""
        self.partner, self._sink, self._shelf = config.partner, sink, shelf
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
            self.node = Node(config, journal)
            journal.sync()
            return
        recovered = recover(kept, journal, shelf, source, now_ns - KEPT_NS)
        self.node, self.notes, self.replayed = recovered.node, recovered.notes, recovered.replayed
        if self.node.config != config:
            raise BadInput(source, "entry 1", "another configuration", "that with which it was begun")
        for _, outputs in recovered.said:
            self._hand_out(outputs)

    def take(self, record: Input, now_ns: int) -> list[Output]:
        """Take one input; what came of it is on the disk before anything leaves."""
        outputs = self.node.step(record, now_ns)
        self.node.journal.sync()
        self._hand_out(outputs)
        self._steps += 1
        if self._steps % self._snapshot_steps == 0:
            self.snapshot()
        return outputs

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
        """Keep the node as it is."""
        self._shelf.put(self.node.journal.count, take_snapshot(self.node))

    def _hand_out(self, outputs: list[Output]) -> None:
        self.courier.take(outputs)
        for output in outputs:
            if isinstance(output, Alert):
                self._sink(output)
