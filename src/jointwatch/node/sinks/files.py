"""Alerts as files in a folder, one each: <identifier>.xml.

In: a message's identifier and bytes; out: the file, there as a whole or not at all.  It is written beside its
name, made durable and then given the name, so that whoever watches the folder never reads half of one.  A
file that is there already with the same bytes is the message delivered before; with others it is an error
that a person has to look at, and stays as it is.

A folder is for live messages or for an exercise's, and says which by a mark in it (`MARKS`) that is there
from the first start on.  The other kind is refused, at its start already: whoever finds a file in there takes
it for what its neighbours are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote

from jointwatch.formats.cap import read_cap
from jointwatch.node.durable import put_durably
from jointwatch.node.sinks.sink import Answer
from jointwatch.records import EXERCISE, BadInput

LONGEST_NAME = 246
"""Bytes of a name: file systems take 255, and until a file is whole its name is 9 longer.  No sender has a
name whose identifiers need more (`formats.warning_keys.check_sender`, which is asked at a node's start)."""
SUFFIX = ".xml"
MARKS = {False: ".for-live", True: ".for-exercise"}
"""The file that says whom a folder is for, by whether that is an exercise."""
_WORDS = {False: "live messages", True: "messages of exercises"}


def file_name(identifier: str) -> str:
    """The name of a message's file: a name on every file system, and never a path."""
    return quote(identifier, safe="") + SUFFIX


def identifier_in(name: str) -> str:
    """The identifier that a file's name stands for."""
    return unquote(name.removesuffix(SUFFIX))


class Files:
    """A folder of messages; it is made where there is none."""

    def __init__(self, name: str, folder: Path, *, exercise: bool) -> None:
        self.name, self.exercise, self.folder = name, exercise, folder
        self._is_marked = False

    def check(self) -> None:
        """BadInput if the folder is of the other kind, by its mark or by what it holds without one."""
        why = ""
        with suppress(OSError):  # one that is out of reach now is tried again with each message
            why = self._why_not()
        if why:
            raise BadInput(f"sink {self.name}", "folder", why, f"a folder for {_WORDS[self.exercise]} alone")

    def claim(self) -> None:
        """Mark the folder as of this kind from now on; BadInput as by `check`."""
        self.check()
        with suppress(OSError):
            self._mark()
        self.check()  # of two that claim it at once neither goes on

    def _why_not(self) -> str:
        """Why the folder is of the other kind; "" if it is not.  OSError if it cannot be looked at."""
        other = self.folder / MARKS[not self.exercise]
        if other.exists():
            return f"{self.folder} for {_WORDS[not self.exercise]} ({other.name})"
        if self._is_marked or (self.folder / MARKS[self.exercise]).exists():
            return ""
        found = next(self._of_the_other_kind(), None)
        return f"{self.folder} with {found.name} in it" if found is not None else ""

    def _of_the_other_kind(self) -> Iterator[Path]:
        """Messages of the other kind: an exercise's by their names, which no live one has; what else is a
        message and says that it is none of an exercise."""
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            is_drill = identifier_in(path.name).startswith(EXERCISE)
            if is_drill and not self.exercise:
                yield path
            elif self.exercise and not is_drill:
                with suppress(OSError, BadInput):
                    if read_cap(path.read_bytes(), path.name).status != "Exercise":
                        yield path

    def _mark(self) -> None:
        """OSError where the disk does not take it."""
        mark = self.folder / MARKS[self.exercise]
        self.folder.mkdir(parents=True, exist_ok=True)
        if not mark.exists():
            said = f"This folder is for {_WORDS[self.exercise]} alone.\n"
            put_durably(mark, mark.with_name(f"{mark.name}.partial"), said.encode())
        self._is_marked = True

    def kept(self) -> Iterator[tuple[Path, str, bytes]]:
        """Path, identifier and bytes of each message that lies there; BadInput for what is none by its name,
        or cannot be read."""
        for path in sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else ():
            identifier, why, data = identifier_in(path.name), "", b""
            try:
                data = path.read_bytes()
            except OSError as error:  # a folder of such a name, or a file that is not for this node to read
                why = f"what cannot be read: {error.strerror or error}"
            if why or file_name(identifier) != path.name:
                raise BadInput(
                    f"sink {self.name}", str(path), why or "another name", "a message of this feed"
                )
            yield path, identifier, data

    def drop(self, identifiers: Iterable[str]) -> None:
        """Let messages go; one that cannot be taken away stays."""
        for identifier in identifiers:
            with suppress(OSError):
                (self.folder / file_name(identifier)).unlink(missing_ok=True)

    def deliver(self, identifier: str, data: bytes, time_ns: int | None = None) -> Answer:
        """Put one message there; failed where the disk does not take it.  time_ns: that of the file (ns UTC),
        where it is not the time of writing."""
        name = file_name(identifier)
        if not identifier or len(name) > LONGEST_NAME:
            return Answer("refused", f"an identifier of {len(identifier)} characters is no file name")
        path = self.folder / name
        try:
            why = self._why_not()
            if why:
                return Answer("refused", why)
            self._mark()
            if path.exists():
                if path.read_bytes() == data:
                    return Answer("delivered", "it was there already")
                return Answer("refused", f"another message is there as {name}")
            put_durably(path, path.with_name(f".{path.name}.partial"), data)
            if time_ns is not None:
                os.utime(path, ns=(time_ns, time_ns))
        except OSError as error:
            return Answer("failed", f"{name}: {error.strerror or error}")
        return Answer("delivered", name)

    def close(self) -> None:
        """Nothing is open."""
