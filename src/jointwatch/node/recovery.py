"""A node made again from its journal: as if it had never stopped.

In: what a live journal holds, and snapshots; out: the node as it was after its last whole step, and what it
said, step by step.  The newest snapshot that fits saves replaying what came before it; where none does, all
inputs are replayed.  What the journal says that the node said is what it said: it is handed out again, never
decided again, also where this build would decide otherwise, which is told.
"""

from __future__ import annotations

import pickle

import msgspec
from msgspec import Struct

from jointwatch.node.config import NodeConfig
from jointwatch.node.journal import Journal, Kept, batches
from jointwatch.node.node import Input, Node
from jointwatch.node.scribe import Output
from jointwatch.node.snapshot import About, Shelf, about_snapshot, open_snapshot
from jointwatch.records import BadInput, decode


class Recovered(Struct, frozen=True):
    """A node made again.

    said: when each step was, and its outputs, from `since_ns` on.  replayed: inputs that were taken once
    more.  notes: what a person should know of it.
    """

    node: Node
    said: list[tuple[int, list[Output]]]
    replayed: int
    notes: tuple[str, ...] = ()


def recover(kept: Kept, journal: Journal, shelf: Shelf, source: str, since_ns: int = -(2**63)) -> Recovered:
    """The node of a live journal, going on in `journal`; BadInput naming source if it is no node's.

    since_ns: what was said before is not asked for.
    """
    notes: list[str] = []
    if kept.torn:
        notes.append(f"{kept.torn} entries after the last whole step were cut: they were never durable")
    config = _config(kept, source)
    node, count = _from_snapshot(kept, config, shelf, notes)
    if node is None:
        # begun with what was written, which may be before the configuration had all that it has now
        begun = Journal(None)
        begun.append(kept.entries[0].time_ns, "config", kept.entries[0].data)
        begun.end()
        node, count = Node(config, begun, begun=True), 1
    silent = node.journal
    replayed, differs = 0, 0
    for entry, outputs in batches(kept.entries[count:]):
        record = decode(entry.data, f"{source}: entry {count + 1}")
        if entry.direction != "in" or not isinstance(record, Input):
            raise BadInput(source, f"entry {count + 1}", type(record).__name__, "an input")
        stood, advisories = node.standing(), node.advisories()
        node.step(record, entry.time_ns)
        count += 1 + len(outputs)
        replayed += 1
        if silent.digest != kept.digests[count - 1]:
            differs += 1
            node.said([_output(o.data, source) for o in outputs], stood, advisories)
            silent.digest, silent.count = kept.digests[count - 1], count
    if differs:
        notes.append(f"{differs} steps would be decided otherwise now: what the journal says stands")
    node.journal = journal
    return Recovered(node, _said(kept, source, since_ns), replayed, tuple(notes))


def _config(kept: Kept, source: str) -> NodeConfig:
    if not kept.entries or kept.entries[0].direction != "config":
        raise BadInput(source, "entry 1", "no configuration", "a node's journal")
    try:
        return msgspec.msgpack.decode(kept.entries[0].data, type=NodeConfig)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(source, "entry 1", str(error), "a node's configuration") from None


def _from_snapshot(kept: Kept, config: NodeConfig, shelf: Shelf, notes: list[str]) -> tuple[Node | None, int]:
    """The node of the newest snapshot that fits, and how many entries it stands for."""
    for data in shelf.newest():
        about = about_snapshot(data)
        if isinstance(about, About):
            if not 0 < about.count <= len(kept.entries) or kept.digests[about.count - 1] != about.digest:
                notes.append("a snapshot was left out: it is of another journal")
                continue
            journal = Journal(None)
            journal.digest, journal.count = about.digest, about.count
            try:
                return open_snapshot(data, config, journal), about.count
            except (pickle.UnpicklingError, AttributeError, TypeError, ValueError, EOFError) as error:
                notes.append(f"a snapshot was left out: {error}")
        else:
            notes.append(f"a snapshot was left out: {about}")
    return None, 0


def _said(kept: Kept, source: str, since_ns: int) -> list[tuple[int, list[Output]]]:
    return [
        (entry.time_ns, [_output(o.data, source) for o in outputs])
        for entry, outputs in batches(kept.entries[1:])
        if outputs and entry.time_ns >= since_ns
    ]


def _output(data: bytes, source: str) -> Output:
    record = decode(data, source)
    if not isinstance(record, Output):
        raise BadInput(source, "an output", type(record).__name__, "what a node says")
    return record
