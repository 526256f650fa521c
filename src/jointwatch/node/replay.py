"""Replaying a journal: a node made anew from its configuration, fed the same inputs, must say the same.

In: a node's complete journal; out: whether every output and the final digest came out again, and where the
first difference is.  A journal that was cut or altered is refused before anything is recomputed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from jointwatch.node.config import NodeConfig
from jointwatch.node.journal import Entry, Journal, journal_digest, read_journal
from jointwatch.node.node import Input, Node
from jointwatch.node.scribe import Output
from jointwatch.records import BadInput, OthersAlert, decode, encode


class Account(Struct, frozen=True, kw_only=True):
    """What a journal holds.  kinds: how many of each record, by direction ("in sector", "out alert", ...).
    others: the alerts of other systems that were taken, in order."""

    node: str
    partner: str
    entries: int
    from_ns: int
    to_ns: int
    kinds: dict[str, int]
    digest: str
    others: tuple[OthersAlert, ...] = ()


class Check(Struct, frozen=True, kw_only=True):
    """Outcome of a recomputation.

    entry: number of the first entry that differs, None if none does; found, wanted: what the recomputation
    gave there and what the journal holds, in words.  digest: what the recomputation ended with.
    """

    same: bool
    inputs: int
    outputs: int
    digest: str
    entry: int | None = None
    found: str = ""
    wanted: str = ""


def read_account(path: Path) -> Account:
    """What the journal at `path` holds; BadInput if it is cut, altered or none."""
    config: NodeConfig | None = None
    kinds: dict[str, int] = {}
    times: list[int] = []
    others: list[OthersAlert] = []
    count = 0
    for count, entry in enumerate(read_journal(path), start=1):
        if entry.direction == "config":
            config = _config(entry, path, count)
            continue
        times.append(entry.time_ns)
        record = decode(entry.data, f"{path}: entry {count}")
        kind = f"{entry.direction} {type(record).__struct_config__.tag}"
        kinds[kind] = kinds.get(kind, 0) + 1
        if isinstance(record, OthersAlert):
            others.append(record)
    if config is None:
        raise BadInput(str(path), "entry 1", "no configuration", "a node's journal")
    return Account(
        node=config.name,
        partner=config.partner,
        entries=count,
        from_ns=min(times, default=0),
        to_ns=max(times, default=0),
        kinds=dict(sorted(kinds.items())),
        digest=journal_digest(path),
        others=tuple(others),
    )


def check_journal(path: Path, progress: Callable[[float], None] | None = None) -> Check:
    """Recompute the journal at `path` and compare; BadInput if it is cut, altered or none.

    progress: called with the share done.
    """
    # the whole chain is verified first: an altered journal is refused, and never called a difference
    total = sum(1 for _ in read_journal(path))
    wanted_digest = journal_digest(path)
    node: Node | None = None
    journal = Journal(None)
    waiting: list[Output] = []
    inputs = outputs = 0
    for count, entry in enumerate(read_journal(path), start=1):
        if progress is not None and count % 500 == 0:
            progress(count / total)
        if entry.direction == "config":
            if node is not None:
                raise BadInput(str(path), f"entry {count}", "a second configuration", "one, at the beginning")
            # as it was written, which may be before the configuration had all that it has now
            journal.append(entry.time_ns, "config", entry.data)
            journal.end()
            node = Node(_config(entry, path, count), journal, begun=True)
            continue
        if node is None:
            raise BadInput(str(path), f"entry {count}", "no configuration before it", "a node's journal")
        if entry.direction == "in":
            if waiting:
                return _differs(
                    count, inputs, outputs, journal, _words(waiting[0]), "nothing more of this step"
                )
            inputs += 1
            waiting = node.step(_input(entry, path, count), entry.time_ns)
            continue
        if not waiting:
            wanted = _words(decode(entry.data, f"{path}: entry {count}"))
            return _differs(count, inputs, outputs, journal, "nothing more of this step", wanted)
        outputs += 1
        given = waiting.pop(0)
        if encode(given) != entry.data:
            wanted = _words(decode(entry.data, f"{path}: entry {count}"))
            return _differs(count, inputs, outputs, journal, _words(given), wanted)
    if waiting:
        return _differs(total + 1, inputs, outputs, journal, _words(waiting[0]), "the end")
    same = journal.digest.hex() == wanted_digest
    return Check(
        same=same,
        inputs=inputs,
        outputs=outputs,
        digest=journal.digest.hex(),
        entry=None if same else total,
        found="" if same else f"digest {journal.digest.hex()[:16]}",
        wanted="" if same else f"digest {wanted_digest[:16]}",
    )


def _differs(entry: int, inputs: int, outputs: int, journal: Journal, found: str, wanted: str) -> Check:
    return Check(
        same=False,
        inputs=inputs,
        outputs=outputs,
        digest=journal.digest.hex(),
        entry=entry,
        found=found,
        wanted=wanted,
    )


def _config(entry: Entry, path: Path, count: int) -> NodeConfig:
    try:
        return msgspec.msgpack.decode(entry.data, type=NodeConfig)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(str(path), f"entry {count}", str(error), "a node's configuration") from None


def _input(entry: Entry, path: Path, count: int) -> Input:
    record = decode(entry.data, f"{path}: entry {count}")
    if not isinstance(record, Input):
        raise BadInput(
            str(path),
            f"entry {count}",
            type(record).__name__,
            "a sector, a scan, a partner's message, what people say, a limit, a receipt or a key's state",
        )
    return record


def _words(record: object) -> str:
    """A record in one line, short enough for a person."""
    text = str(record)
    return text if len(text) <= 160 else text[:157] + "..."
