"""Alerts for whoever asks: an Atom feed of them, and each by itself, over HTTP.

In: messages' identifiers and bytes; out, to any client: GET or HEAD of /feed.atom (RFC 4287; entries of type
application/cap+xml, the newest first) and of /alerts/<identifier>.xml, each with an ETag that If-None-Match
may name.  What was delivered lies in a folder (`sinks.files`), so a feed made anew serves what it served
before.  It holds the last messages only, and besides each that is in force and that nothing has followed yet:
whoever asks late is to find all that stands.  The feed lists those it holds that are not void.

A client reads what is public and can change nothing.  It gets answers, never files: an address is looked up
among the messages held.  One that is slow or opens many connections is cut off and takes no other's place for
long.  By default it listens on this machine alone.
"""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree
from msgspec import Struct

from jointwatch.formats.cap import CapMessage, read_cap
from jointwatch.formats.cap_structure import time_to_cap
from jointwatch.node.sinks.files import SUFFIX, Files, file_name
from jointwatch.node.sinks.sink import Answer
from jointwatch.records import BadInput

if TYPE_CHECKING:
    from jointwatch.node.sinks.feed_server import FeedServer

ATOM = "http://www.w3.org/2005/Atom"
ATOM_TYPE, CAP_TYPE = "application/atom+xml; charset=utf-8", "application/cap+xml"
MOST_HELD = 200


class Page(Struct, frozen=True):
    """What is at an address: its type, its bytes, and a tag that is another where they are."""

    kind: str
    data: bytes
    etag: str


class _Held(Struct, frozen=True):
    """A message that the feed holds."""

    message: CapMessage
    page: Page

    @property
    def order(self) -> tuple[int, str]:
        return self.message.sent_ns, self.message.identifier


class Feed:
    """The messages of one feed, and the server that tells them."""

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        exercise: bool,
        host: str = "127.0.0.1",
        port: int = 0,
        most_held: int = MOST_HELD,
        clock: Callable[[], int] | None = None,
    ) -> None:
        """port: 0 for any that is free (`address` says which).  clock: ns UTC, for what is void; None: the
        machine's, and in an exercise, whose time is its own, that of the last message.

        BadInput if it cannot listen there, or the folder is for the other kind (`sinks.files`) or holds
        what is no message of this one.
        """
        from jointwatch.node.sinks.feed_server import serve

        self.name, self.exercise = name, exercise
        self._files = Files(name, folder, exercise=exercise)
        self._files.claim()
        self._most = most_held
        self._clock = clock or (self._last_sent_ns if exercise else time.time_ns)
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()
        self._load()
        self._server: FeedServer = serve(name, host, port, self.page)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens at."""
        return self._server.where

    def close(self) -> None:
        """It listens no more."""
        self._server.end()

    def _load(self) -> None:
        for path, identifier, data in self._files.kept():
            why = self._hold(identifier, data)
            if why:
                raise BadInput(f"sink {self.name}", str(path), why, "a message of this feed")
        self._let_go()

    def deliver(self, identifier: str, data: bytes) -> Answer:
        """Put one message into the feed."""
        stored = self._files.deliver(identifier, data)
        if stored.came != "delivered":
            return stored
        why = self._hold(identifier, data)
        if why:
            self._files.drop([identifier])
            return Answer("refused", why)
        self._let_go()
        return stored

    def _hold(self, identifier: str, data: bytes) -> str:
        """Hold a message from now on; else why not."""
        try:
            message = read_cap(data, identifier)
        except BadInput as error:
            return str(error)
        if message.identifier != identifier or (message.status == "Exercise") is not self.exercise:
            return f"{message.identifier} of status {message.status}"
        page = Page(CAP_TYPE, data, _etag(data))
        with self._lock:
            self._held[identifier] = _Held(message, page)
        return ""

    def _let_go(self) -> None:
        """Of more messages than it holds the oldest go, from the folder too.

        What stands stays: a message in force that no other refers to is all that whoever asks now hears of
        its series.  There are then more than it holds, rather.  Each message refers to those before it, so
        it never goes before them, and what was taken back does not come to stand again.
        """
        now = self._clock()
        with self._lock:
            messages = [held.message for held in self._held.values()]
            followed = {(r.sender, r.identifier) for message in messages for r in message.references}
            may_go = [
                held
                for held in self._held.values()
                if (held.message.sender, held.message.identifier) in followed or _void_ns(held.message) < now
            ]
            old = sorted(may_go, key=lambda held: held.order)[: max(0, len(messages) - self._most)]
            for held in old:
                del self._held[held.message.identifier]
        self._files.drop(held.message.identifier for held in old)

    def _last_sent_ns(self) -> int:
        with self._lock:
            return max((held.message.sent_ns for held in self._held.values()), default=0)

    # ------------------------------------------------------------------ what is told

    def page(self, path: tuple[str, ...]) -> Page | None:
        """What is at an address, given by its parts without percent signs; None if nothing is."""
        if path == ("feed.atom",):
            data = self.atom(self._clock())
            return Page(ATOM_TYPE, data, _etag(data))
        if len(path) == 2 and path[0] == "alerts" and path[1].endswith(SUFFIX):
            with self._lock:
                held = self._held.get(path[1].removesuffix(SUFFIX))
            return held.page if held is not None else None
        return None

    def atom(self, now: int) -> bytes:
        """The feed at a time (ns UTC); the same messages give the same bytes."""
        with self._lock:
            ordered = sorted(self._held.values(), key=lambda held: held.order, reverse=True)
        shown = [held for held in ordered if _void_ns(held.message) >= now]
        root = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})
        mark = "EXERCISE: " if self.exercise else ""
        _add(root, "id", _urn(f"feed {self.name} {self.exercise}"))
        _add(root, "title", f"{mark}{self.name}: warnings")
        newest_ns = ordered[0].message.sent_ns if ordered else 0
        _add(root, "updated", time_to_cap(newest_ns, self.name, "updated"))
        _add(etree.SubElement(root, f"{{{ATOM}}}author"), "name", self.name)
        etree.SubElement(root, f"{{{ATOM}}}link", rel="self", type="application/atom+xml", href="feed.atom")
        for held in shown:
            _entry(root, held.message)
        data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
        return data


def _entry(root: etree._Element, message: CapMessage) -> None:
    """One message.  Its id hangs on what names a CAP message, so it is the same for ever."""
    entry = etree.SubElement(root, f"{{{ATOM}}}entry")
    sent = time_to_cap(message.sent_ns, message.identifier, "sent")
    _add(entry, "id", _urn(f"{message.sender},{message.identifier},{sent}"))
    first = message.infos[0] if message.infos else None
    title = (first.headline or first.event) if first is not None else message.message_type
    _add(entry, "title", title)
    _add(entry, "updated", sent)
    _add(entry, "published", sent)
    _add(etree.SubElement(entry, f"{{{ATOM}}}author"), "name", message.sender)
    where = f"alerts/{file_name(message.identifier)}"
    etree.SubElement(entry, f"{{{ATOM}}}link", rel="alternate", type=CAP_TYPE, href=where)
    etree.SubElement(entry, f"{{{ATOM}}}content", type=CAP_TYPE, src=where)
    _add(entry, "summary", first.description or title if first is not None else title)


def _add(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{ATOM}}}{name}").text = text


def _urn(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"jointwatch:{name}").urn


def _void_ns(message: CapMessage) -> int:
    """When the last of a message is void; one that says nothing of it never is."""
    times = [info.expires_ns for info in message.infos]
    return max((t for t in times if t is not None), default=2**63) if None not in times else 2**63


def _etag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'
