"""Alerts as files in a folder, one each: <identifier>.xml.

In: a message's identifier and bytes; out: the file, there as a whole or not at all.  It is written beside its
name, made durable and then given the name, so that whoever watches the folder never reads half of one.  A
file that is there already with the same bytes is the message delivered before; with others it is an error
that a person has to look at, and stays as it is.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote

from jointwatch.node.durable import put_durably
from jointwatch.node.sinks.sink import Answer

LONGEST_NAME = 246
"""Bytes of a name: file systems take 255, and until a file is whole its name is 9 longer.  No sender has a
name whose identifiers need more (`formats.warning_keys.check_sender`, which is asked at a node's start)."""
SUFFIX = ".xml"


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

    def deliver(self, identifier: str, data: bytes) -> Answer:
        """Put one message there; failed where the disk does not take it."""
        name = file_name(identifier)
        if not identifier or len(name) > LONGEST_NAME:
            return Answer("refused", f"an identifier of {len(identifier)} characters is no file name")
        path = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if path.exists():
                if path.read_bytes() == data:
                    return Answer("delivered", "it was there already")
                return Answer("refused", f"another message is there as {name}")
            put_durably(path, path.with_name(f".{path.name}.partial"), data)
        except OSError as error:
            return Answer("failed", f"{name}: {error.strerror or error}")
        return Answer("delivered", name)

    def close(self) -> None:
        """Nothing is open."""
