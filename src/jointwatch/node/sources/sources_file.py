"""The file that says where others' alerts come from, and whose word is taken: `[[source]]` and `[[sender]]`.

In: a TOML file and the partners whose nodes share it; out: for each its senders (for its configuration) and
its sources, or BadInput that names what is wrong.  Each source says whom it is for: a file with any live one
in it is refused whole by an exercise, and one with any of an exercise by a live node, before anything is
asked.  A sender's certificate is a file that was agreed on beforehand, by another way than the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from jointwatch.formats.cap_gate import CapGate
from jointwatch.node.http_exchange import TIMEOUT_S, check_url
from jointwatch.node.key_files import load_certificate
from jointwatch.node.sources.feed import AlertFeed
from jointwatch.node.sources.folder import Folder
from jointwatch.node.sources.source import Source
from jointwatch.records import AlertSender, BadInput
from jointwatch.records.documents import load_toml

Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^\S(.*\S)?$")]
Text = Annotated[str, Meta(min_length=1)]
EVERY_S = 10.0


class SenderEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[sender]]`.  name: as CAP's <sender> has it.  certificate: files, as `jointwatch keys new` writes
    them.  show_unverified: what comes unsigned in its name is shown too, marked.  partner: whose node listens
    to it (None: all that share the file)."""

    name: Name
    certificate: Text | tuple[Text, ...] = ()
    show_unverified: bool = False
    partner: Text | None = None


class SourceEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[source]]`.  partner: whose node looks there (None: all).  folder: of a folder, from the file's
    own; url, timeout_s: of a feed.  every_s: how often to look."""

    kind: Literal["folder", "feed"]
    name: Name
    whom: Literal["live", "exercise"] = msgspec.field(name="for")
    partner: Text | None = None
    folder: Text | None = None
    url: Text | None = None
    every_s: Annotated[float, Meta(ge=1.0, le=3600.0)] = EVERY_S
    timeout_s: Annotated[float, Meta(gt=0.0, le=60.0)] | None = None


class SourcesFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    source: tuple[SourceEntry, ...]
    sender: tuple[SenderEntry, ...]


class Heeded(NamedTuple):
    """Whom one node listens to, and where."""

    senders: tuple[AlertSender, ...]
    sources: tuple[Source, ...]


_KEYS = {"folder": ({"folder"}, {"folder"}), "feed": ({"url"}, {"url", "timeout_s"})}
"""By kind, the keys that must be there, and those that may be."""


def load_sources(path: Path, partners: Sequence[str], exercise: bool) -> dict[str, Heeded]:
    """By partner, what the file at `path` gives its node: of an exercise, or live; BadInput if it cannot be.

    Nothing is asked or looked at yet.
    """
    document, source = load_toml(path, SourcesFile), path.name
    wanted = "exercise" if exercise else "live"
    for n, entry in enumerate(document.source):
        if entry.whom != wanted:
            what = "an exercise" if exercise else "live, and takes no alerts of an exercise"
            raise BadInput(source, f"source[{n}].for", entry.whom, f'"{wanted}": this node is {what}')
    for n, entry in enumerate(document.source):
        _check(entry, source, f"source[{n}]")
        if entry.name in {other.name for other in document.source[:n]}:
            raise BadInput(source, f"source[{n}].name", entry.name, "a name that no other source has")
    named = [(f"source[{n}]", entry.partner) for n, entry in enumerate(document.source)]
    named += [(f"sender[{n}]", entry.partner) for n, entry in enumerate(document.sender)]
    for place, partner in named:
        if partner is not None and partner not in partners:
            raise BadInput(source, f"{place}.partner", partner, f"one of {', '.join(partners)}")
    senders = [(entry.partner, _sender(entry, path, n, exercise)) for n, entry in enumerate(document.sender)]
    found = {
        partner: Heeded(
            tuple(sender for whose, sender in senders if whose in (None, partner)),
            tuple(_source(e, path) for e in document.source if e.partner in (None, partner)),
        )
        for partner in partners
    }
    for each, heeded in found.items():
        names = [sender.name for sender in heeded.senders]
        for n, name in enumerate(names):
            if name in names[:n]:
                raise BadInput(source, "sender", f"{name}, twice for {each}", "each sender once")
        if heeded.sources and not names:
            raise BadInput(source, "sender", f"none for {each}", "whose alerts are taken ([[sender]])")
    return found


def _check(entry: SourceEntry, source: str, place: str) -> None:
    """BadInput if keys are missing, or of another kind of source, or an address is none."""
    needed, allowed = _KEYS[entry.kind]
    for key in ("folder", "url", "timeout_s"):
        given = getattr(entry, key) is not None
        if given and key not in allowed:
            raise BadInput(source, f"{place}.{key}", getattr(entry, key), f"no such key of kind {entry.kind}")
        if not given and key in needed:
            raise BadInput(source, f"{place}.{key}", "nothing", "this key")
    if entry.url is not None:
        check_url(entry.url, f"{source}: {place}", exercise=entry.whom == "exercise")


def _sender(entry: SenderEntry, path: Path, n: int, exercise: bool) -> AlertSender:
    """A sender with its certificates; BadInput if it has none and is not shown unverified, or one of its
    certificates says that it is for the other kind of alerts, or is another sender's."""
    place = f"sender[{n}].certificate"
    names = (entry.certificate,) if isinstance(entry.certificate, str) else entry.certificate
    if not names and not entry.show_unverified:
        raise BadInput(path.name, place, "nothing", "this key, or show_unverified = true")
    pems = tuple(load_certificate(path.parent / name).pem().decode() for name in names)
    sender = AlertSender(name=entry.name, certificates=pems, show_unverified=entry.show_unverified)
    try:
        CapGate((sender,), exercise)
    except BadInput as error:
        raise BadInput(path.name, f"{place} of {entry.name}", error.found, error.wanted) from None
    return sender


def _source(entry: SourceEntry, path: Path) -> Source:
    if entry.kind == "folder":
        assert entry.folder is not None
        return Folder(entry.name, path.parent / entry.folder, every_s=entry.every_s)
    assert entry.url is not None
    return AlertFeed(
        entry.name,
        entry.url,
        exercise=entry.whom == "exercise",
        every_s=entry.every_s,
        timeout_s=entry.timeout_s or TIMEOUT_S,
    )
