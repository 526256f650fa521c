"""The file that says where a node's alerts go: kept apart from all else, for it holds the live addresses.

In: a TOML file of `[[sink]]` tables and the node's configuration; out: the sinks, or BadInput that names the
key.  Each says whom it is for.  A file with any live sink in it is refused whole by a node of an exercise,
and one with any sink of an exercise by a live node, before anything is opened; a secret stands in a file of
its own beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from jointwatch.node.config import NodeConfig
from jointwatch.node.sinks.feed import MOST_HELD, Feed
from jointwatch.node.sinks.files import Files
from jointwatch.node.sinks.permit import permit_live
from jointwatch.node.sinks.sink import ForExercise, ForLive, Transport
from jointwatch.node.sinks.webhook import TIMEOUT_S, Webhook, check_url
from jointwatch.records import BadInput
from jointwatch.records.documents import load_toml

Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^\S(.*\S)?$")]
Text = Annotated[str, Meta(min_length=1)]


class SinkEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[sink]]`.  folder: of files and feed; host, port, most_held: of a feed; url, secret_file,
    timeout_s: of a webhook.  Paths are from the file's own folder."""

    kind: Literal["files", "feed", "webhook"]
    name: Name
    whom: Literal["live", "exercise"] = msgspec.field(name="for")
    folder: Text | None = None
    host: Text | None = None
    port: Annotated[int, Meta(ge=0, le=65535)] | None = None
    most_held: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    url: Text | None = None
    secret_file: Text | None = None
    timeout_s: Annotated[float, Meta(gt=0.0, le=60.0)] | None = None


class SinksFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    sink: tuple[SinkEntry, ...]


_KEYS = {
    "files": ({"folder"}, {"folder"}),
    "feed": ({"folder"}, {"folder", "host", "port", "most_held"}),
    "webhook": ({"url", "secret_file"}, {"url", "secret_file", "timeout_s"}),
}
"""By kind, the keys that must be there, and those that may be."""


def load_sinks(path: Path, config: NodeConfig) -> tuple[ForLive, ...] | tuple[ForExercise, ...]:
    """The sinks of the node of this configuration, from the file at `path`; BadInput if it holds others."""
    entries, source = load_toml(path, SinksFile).sink, path.name
    wanted = "exercise" if config.exercise else "live"
    for n, entry in enumerate(entries):
        if entry.whom != wanted:
            what = "an exercise" if config.exercise else "live, and takes no sinks of an exercise"
            raise BadInput(source, f"sink[{n}].for", entry.whom, f'"{wanted}": this node is {what}')
    for n, entry in enumerate(entries):
        _check(entry, source, f"sink[{n}]")
        if entry.name in {other.name for other in entries[:n]}:
            raise BadInput(source, f"sink[{n}].name", entry.name, "a name that no other sink has")
    makers = [_maker(entry, path) for entry in entries]
    if config.exercise:
        return tuple(ForExercise(make()) for make in makers)
    permit = permit_live(config)
    return tuple(ForLive(permit, make()) for make in makers)


def _check(entry: SinkEntry, source: str, place: str) -> None:
    """BadInput if keys are missing, or of another kind of sink, or an address is none."""
    needed, allowed = _KEYS[entry.kind]
    for key in ("folder", "host", "port", "most_held", "url", "secret_file", "timeout_s"):
        given = getattr(entry, key) is not None
        if given and key not in allowed:
            raise BadInput(source, f"{place}.{key}", getattr(entry, key), f"no such key of kind {entry.kind}")
        if not given and key in needed:
            raise BadInput(source, f"{place}.{key}", "nothing", "this key")
    if entry.url is not None:
        check_url(entry.url, f"{source}: {place}", exercise=entry.whom == "exercise")


def _maker(entry: SinkEntry, path: Path) -> Callable[[], Transport]:
    """What makes the entry's transport; what can be wrong in files is found now, before anything is open."""
    exercise = entry.whom == "exercise"
    if entry.kind == "webhook":
        assert entry.url is not None and entry.secret_file is not None
        url, timeout_s = entry.url, entry.timeout_s or TIMEOUT_S
        where = path.parent / entry.secret_file
        try:
            secret = where.read_bytes().strip()
        except OSError as error:
            said = error.strerror or str(error)
            raise BadInput(where.name, "file", said, f"the secret of sink {entry.name}") from None
        hook = Webhook(entry.name, url, secret, exercise=exercise, timeout_s=timeout_s)
        return lambda: hook
    assert entry.folder is not None
    folder = path.parent / entry.folder
    if entry.kind == "files":
        return lambda: Files(entry.name, folder, exercise=exercise)
    return lambda: Feed(
        entry.name,
        folder,
        exercise=exercise,
        host=entry.host or "127.0.0.1",
        port=entry.port or 0,
        most_held=entry.most_held or MOST_HELD,
    )
