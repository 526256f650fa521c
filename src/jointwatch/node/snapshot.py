"""Snapshots: all of a node's state in one piece, so that a restart need not replay the whole journal.

In: a node between two steps; out: bytes that make the same node again, bound to its journal (by the number
and digest of the entries that it stands for) and to the build (by a digest of the package's sources).  One
that does not fit, or is not whole, is left out: the journal is the truth, and a snapshot only saves time.

What the configuration says is not in it, so no key for pseudonyms is, and a private key never comes near a
node.  Whoever can write a snapshot can change what the node believes: it belongs where the journal is.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import platform
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numba
import numpy as np
from msgspec import Struct

from jointwatch.earth.places import Territories, load_territories
from jointwatch.joint.sharing import SharingRule
from jointwatch.node.config import NodeConfig
from jointwatch.node.durable import put_durably
from jointwatch.node.journal import Journal
from jointwatch.node.node import Node

PACKAGE = Path(__file__).parents[1]
MAGIC = b"jointwatch snapshot 1\n"
KEPT = 2
"""Snapshots kept: the newest, and one before it in case that is not whole."""
_SAFE = {
    "builtins": {"set", "frozenset", "bytearray", "object"},
    "collections": {"deque"},
    "copyreg": {"_reconstructor"},
    "msgspec._utils": {"rebuild"},
}
_ARRAYS = {"ndarray", "dtype", "_reconstruct", "_frombuffer", "scalar"}


class About(Struct, frozen=True, kw_only=True):
    """What a snapshot stands for: the first `count` entries of a journal, with the digest up to there."""

    build: str
    count: int
    digest: bytes
    body: bytes


class Shelf(Protocol):
    """Where snapshots are kept."""

    def put(self, count: int, data: bytes) -> None:
        """Keep one that stands for `count` entries, whole or not at all."""

    def newest(self) -> Iterator[bytes]:
        """Those kept, the newest first."""


@cache
def build() -> str:
    """A digest of the package's sources, and of the versions that arrays and numbers hang on."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes() + b"\0")
    versions = platform.python_version(), np.__version__, numba.__version__, msgspec.__version__
    digest.update(" ".join(versions).encode())
    return digest.hexdigest()


def take_snapshot(node: Node) -> bytes:
    """A node's state after its last step; its journal must be durable up to there."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    rules = {id(rule): n for n, rule in enumerate(node.config.sharing)}
    pickler.dispatch_table = {
        Journal: lambda _: (_stand_in, ("journal", 0)),
        NodeConfig: lambda _: (_stand_in, ("config", 0)),
        Territories: lambda _: (_stand_in, ("territories", 0)),
        SharingRule: lambda rule: (_stand_in, ("rule", rules[id(rule)])),
    }
    pickler.dump(node)
    body = buffer.getvalue()
    about = About(
        build=build(),
        count=node.journal.count,
        digest=node.journal.digest,
        body=hashlib.sha256(body).digest(),
    )
    head = msgspec.msgpack.encode(about)
    return MAGIC + len(head).to_bytes(4, "big") + head + body


def about_snapshot(data: bytes) -> About | str:
    """What a snapshot stands for, or why it cannot be used here."""
    if not data.startswith(MAGIC):
        return "it is no snapshot"
    at = len(MAGIC) + 4
    size = int.from_bytes(data[len(MAGIC) : at], "big")
    try:
        about = msgspec.msgpack.decode(data[at : at + size], type=About)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "it is not whole"
    if hashlib.sha256(data[at + size :]).digest() != about.body:
        return "it is not whole"
    return about if about.build == build() else "it is of another build"


def open_snapshot(data: bytes, config: NodeConfig, journal: Journal) -> Node:
    """The node in a snapshot that `about_snapshot` found whole; it goes on in a journal."""
    at = len(MAGIC) + 4
    size = int.from_bytes(data[len(MAGIC) : at], "big")
    node = _Unpickler(data[at + size :], config, journal).load()
    if not isinstance(node, Node):
        raise pickle.UnpicklingError("there is no node in it")
    return node


def _stand_in(what: str, number: int) -> Any:
    """What is not in a snapshot; `_Unpickler` puts it in its place."""
    raise pickle.UnpicklingError(f"{what} {number} is not in a snapshot")


class _Unpickler(pickle.Unpickler):
    """Makes the package's own objects and arrays only, and takes from outside what is not in a snapshot."""

    def __init__(self, body: bytes, config: NodeConfig, journal: Journal) -> None:
        super().__init__(io.BytesIO(body))
        self._config, self._journal = config, journal
        self._territories: Territories | None = None

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) == (__name__, "_stand_in"):
            return self._put_in
        array = module.startswith("numpy") and name in _ARRAYS
        if module.startswith("jointwatch.") or array or name in _SAFE.get(module, ()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} does not belong in a snapshot")

    def _put_in(self, what: str, number: int) -> object:
        if what == "territories":
            if self._territories is None:
                self._territories = load_territories(self._config.territories, disputed=self._config.disputed)
            return self._territories
        given: dict[str, Callable[[], object]] = {
            "journal": lambda: self._journal,
            "config": lambda: self._config,
            "rule": lambda: self._config.sharing[number],
        }
        return given[what]()


class SnapshotFiles:
    """Snapshots as files beside a journal, each written whole or not at all."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal

    def _files(self) -> list[tuple[int, Path]]:
        form = re.compile(re.escape(self._journal.name) + r"\.snapshot-(\d+)")
        found = [(form.fullmatch(p.name), p) for p in self._journal.parent.iterdir()]
        return sorted(((int(m[1]), p) for m, p in found if m is not None), reverse=True)

    def put(self, count: int, data: bytes) -> None:
        path = self._journal.with_name(f"{self._journal.name}.snapshot-{count}")
        put_durably(path, path.with_name(path.name + ".partial"), data)
        for _, old in self._files()[KEPT:]:
            old.unlink(missing_ok=True)

    def newest(self) -> Iterator[bytes]:
        for _, path in self._files():
            yield path.read_bytes()
