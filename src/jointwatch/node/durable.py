"""Putting a file on the disk whole or not at all: there under its name, and still there after a crash.

In: a path, bytes, and the name that they have until they are whole; out: the file.
"""

from __future__ import annotations

import os
from pathlib import Path


def put_durably(path: Path, partial: Path, data: bytes) -> None:
    """Write data to `partial`, in the folder of `path`, and then give it that name; OSError where it fails.

    What is there by the name of `partial` is a torn write, or a link that somebody put in its place, which is
    not followed: it goes first.
    """
    partial.unlink(missing_ok=True)
    with partial.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
