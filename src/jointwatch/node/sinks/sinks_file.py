"""The file that says where a node's alerts go: kept apart from all else, for it holds the live addresses.

In: a TOML file of `[[sink]]` tables, which names the key that messages are signed with, and the node's
configuration; out: the sinks and the key, or BadInput that names what is wrong.  Each sink says whom it is
for, and may be for one partner's node alone.  A file with any live sink in it is refused whole by a node of
an exercise, and one with any sink of an exercise by a live node, before anything is opened; so is a file with
a folder of the other kind, or one folder for two sinks: a feed lets its oldest messages go.  A secret stands
in a file of its own beside it.  One file may serve all nodes of an exercise, which then share its sinks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from jointwatch.formats.warning_keys import WarningKey
from jointwatch.node.config import NodeConfig
from jointwatch.node.dispatch import check_key
from jointwatch.node.http_exchange import TIMEOUT_S, check_url, is_loopback
from jointwatch.node.key_files import load_warning_key
from jointwatch.node.sinks.app_feed import LANGUAGE, AppFeed, Place
from jointwatch.node.sinks.feed import MOST_HELD, Feed
from jointwatch.node.sinks.files import Files
from jointwatch.node.sinks.permit import permit_live
from jointwatch.node.sinks.sink import ForExercise, ForLive, Transport
from jointwatch.node.sinks.webhook import Webhook
from jointwatch.records import BadInput
from jointwatch.records.documents import load_toml

Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^\S(.*\S)?$")]
Text = Annotated[str, Meta(min_length=1)]


class SinkEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[sink]]`.  partner: whose alerts go there, of nodes that share the file (None: all of them).
    folder: of files and feed, and of an app_feed that is to know after a restart what it told; host, port: of
    a feed and an app_feed; most_held: of a feed; url, secret_file, timeout_s: of a webhook.  Paths are from
    the file's own folder.  There is no key for the category of an app_feed, and none may be added: it tells
    of drills."""

    kind: Literal["files", "feed", "webhook", "app_feed"]
    name: Name
    whom: Literal["live", "exercise"] = msgspec.field(name="for")
    partner: Text | None = None
    folder: Text | None = None
    host: Text | None = None
    port: Annotated[int, Meta(ge=0, le=65535)] | None = None
    most_held: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    url: Text | None = None
    secret_file: Text | None = None
    timeout_s: Annotated[float, Meta(gt=0.0, le=60.0)] | None = None


class SinksFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file.  key: NAME.key.pem, or one for each node that shares the file; certificate: of each,
    where it is not NAME.cert.pem beside it."""

    sink: tuple[SinkEntry, ...]
    key: Text | tuple[Text, ...] = ()
    certificate: Text | tuple[Text, ...] = ()


class ExerciseSinks(NamedTuple):
    """What one file gives the nodes of an exercise: sinks and key by partner."""

    sinks: dict[str, tuple[ForExercise, ...]]
    keys: dict[str, WarningKey | None]

    def close(self) -> None:
        """Let go all that is open; what two nodes share, twice does no harm."""
        for sinks in self.sinks.values():
            for sink in sinks:
                sink.close()


_KEYS = {
    "files": ({"folder"}, {"folder"}),
    "feed": ({"folder"}, {"folder", "host", "port", "most_held"}),
    "webhook": ({"url", "secret_file"}, {"url", "secret_file", "timeout_s"}),
    "app_feed": ({"port"}, {"folder", "host", "port"}),
}
"""By kind, the keys that must be there, and those that may be."""


def load_sinks(path: Path, config: NodeConfig) -> tuple[ForLive, ...] | tuple[ForExercise, ...]:
    """The sinks of the node of this configuration, from the file at `path`; BadInput if it holds others."""
    entries = _entries(path, not config.exercise, None)
    mine = [entry for entry in entries if entry.partner in (None, config.partner)]
    makers = [_maker(entry, path, [config]) for entry in mine]
    if config.exercise:
        return tuple(ForExercise(make()) for make in makers)
    permit = permit_live(config)
    return tuple(ForLive(permit, make()) for make in makers)


def load_exercise_sinks(
    path: Path, configs: Mapping[str, NodeConfig], span_ns: tuple[int, int], results: Path | None = None
) -> ExerciseSinks:
    """The sinks and keys of all nodes of an exercise (by partner), from one file; BadInput as for one node.

    span_ns: from when to when the exercise plays (ns UTC): keys must hold then.  results: a folder that is
    replaced as a whole, in which no sink may write.  A sink that is not said to
    be for one partner is shared.
    """
    entries = _entries(path, False, list(configs))
    for n, folder in _folders(entries, path).items():
        if results is not None and folder.is_relative_to(results.resolve()):
            wanted = f"one outside the results ({results})"
            raise BadInput(path.name, f"sink[{n}].folder", str(folder), wanted)
    keys = {partner: load_key(path, config, span_ns) for partner, config in configs.items()}
    makers = [_maker(entry, path, list(configs.values())) for entry in entries]
    transports: list[Transport] = []
    try:
        for make in makers:
            transports.append(make())
    except BadInput:
        for transport in transports:
            transport.close()
        raise
    return ExerciseSinks(
        {
            partner: tuple(
                ForExercise(transport)
                for entry, transport in zip(entries, transports, strict=True)
                if entry.partner in (None, partner)
            )
            for partner in configs
        },
        keys,
    )


def load_key(path: Path, config: NodeConfig, when_ns: Sequence[int] = ()) -> WarningKey | None:
    """The key in the file that is this node's; None where the file names none, and the node is an exercise's.

    when_ns: times (ns UTC) at which its certificate must hold.  BadInput that names the file's key.
    """
    document = load_toml(path, SinksFile)
    names, certificates = _listed(document.key), _listed(document.certificate)
    if certificates and len(certificates) != len(names):
        wanted = f"{len(names)}: one for each key, in their order"
        raise BadInput(path.name, "certificate", f"{len(certificates)} of them", wanted)
    keys = [
        load_warning_key(path.parent / name, path.parent / certificates[n] if certificates else None)
        for n, name in enumerate(names)
    ]
    mine = next((key for key in keys if key.certificate.sender == config.name), keys[0] if keys else None)
    check_key(config, mine, path.name)
    for time_ns in when_ns:
        if mine is not None and not mine.certificate.is_valid(time_ns):
            said = mine.certificate
            found = f"that of {said.sender} holds from {_day(said.from_ns)} to {_day(said.to_ns)}"
            day = _day(time_ns)
            raise BadInput(path.name, "key", found, f"one that holds on {day} (keys new ... --from {day})")
    return mine


def _day(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d")


def _listed(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _zone_names(configs: Sequence[NodeConfig]) -> dict[Place, str]:
    """What apps call each zone, by its partner and key."""
    return {(z.partner, z.key): z.name_in(LANGUAGE) for config in configs for z in config.zones}


def _partners_of(configs: Sequence[NodeConfig]) -> dict[str, str]:
    """Whose zones each name warns that these nodes send under."""
    return {config.sender_to(z.partner): z.partner for config in configs for z in config.zones}


def _entries(path: Path, live: bool, partners: Sequence[str] | None) -> tuple[SinkEntry, ...]:
    """The file's sinks, each looked at; BadInput if one is not for such nodes.  partners: who there is, where
    that is known."""
    entries, source = load_toml(path, SinksFile).sink, path.name
    wanted = "live" if live else "exercise"
    for n, entry in enumerate(entries):
        if entry.whom != wanted:
            what = "live, and takes no sinks of an exercise" if live else "an exercise"
            raise BadInput(source, f"sink[{n}].for", entry.whom, f'"{wanted}": this node is {what}')
    for n, entry in enumerate(entries):
        _check(entry, source, f"sink[{n}]")
        if entry.name in {other.name for other in entries[:n]}:
            raise BadInput(source, f"sink[{n}].name", entry.name, "a name that no other sink has")
        if partners is not None and entry.partner is not None and entry.partner not in partners:
            raise BadInput(source, f"sink[{n}].partner", entry.partner, f"one of {', '.join(partners)}")
    folders: dict[Path, str] = {}
    for n, folder in _folders(entries, path).items():
        if folder in folders:
            wanted = f"a folder of its own (sink {folders[folder]} has it)"
            raise BadInput(source, f"sink[{n}].folder", entries[n].folder, wanted)
        folders[folder] = entries[n].name
    return entries


def _folders(entries: Sequence[SinkEntry], path: Path) -> dict[int, Path]:
    """Where each sink that has a folder writes, by its number: the place itself, whatever it is called."""
    named = {n: path.parent / entry.folder for n, entry in enumerate(entries) if entry.folder is not None}
    return {n: folder.resolve() for n, folder in named.items()}


def _check(entry: SinkEntry, source: str, place: str) -> None:
    """BadInput if keys are missing, or of another kind of sink, or an address is none."""
    needed, allowed = _KEYS[entry.kind]
    for key in ("folder", "host", "port", "most_held", "url", "secret_file", "timeout_s"):
        given = getattr(entry, key) is not None
        if given and key not in allowed:
            raise BadInput(source, f"{place}.{key}", getattr(entry, key), f"no such key of kind {entry.kind}")
        if not given and key in needed:
            raise BadInput(source, f"{place}.{key}", "nothing", "this key")
    if entry.kind == "app_feed" and entry.whom != "exercise":
        raise BadInput(source, f"{place}.kind", entry.kind, "none in a live file: it tells of drills only")
    if entry.kind == "app_feed" and entry.host is not None and not is_loopback(entry.host):
        raise BadInput(source, f"{place}.host", entry.host, "127.0.0.1: drills for apps stay on this machine")
    if entry.url is not None:
        check_url(entry.url, f"{source}: {place}", exercise=entry.whom == "exercise")


def _maker(entry: SinkEntry, path: Path, configs: Sequence[NodeConfig]) -> Callable[[], Transport]:
    """What makes the entry's transport, for the nodes of these configurations; what can be wrong in files is
    found now, before anything is open."""
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
    if entry.kind == "app_feed":
        host, port = entry.host or "127.0.0.1", entry.port or 0
        names, partners = _zone_names(configs), _partners_of(configs)
        keeps = None if entry.folder is None else path.parent / entry.folder
        if keeps is not None:
            Files(entry.name, keeps, exercise=True).check()
        return lambda: AppFeed(entry.name, names, partners, host=host, port=port, folder=keeps)
    assert entry.folder is not None
    folder = path.parent / entry.folder
    files = Files(entry.name, folder, exercise=exercise)
    files.check()
    if entry.kind == "files":
        return lambda: _claimed(files)
    return lambda: Feed(
        entry.name,
        folder,
        exercise=exercise,
        host=entry.host or "127.0.0.1",
        port=entry.port or 0,
        most_held=entry.most_held or MOST_HELD,
    )


def _claimed(files: Files) -> Files:
    """The sink, its folder marked as of its kind."""
    files.claim()
    return files
