"""A watched folder: each file in it that is named *.xml or *.cap is a message.

In: a folder that others write into; out: the bytes of files that are new or were changed.  A file that is
still being written is left for the next look.  In a folder of very many the newest are looked at, by when the
file system itself last saw them change: the time of modification is as whoever wrote the file says, so that
what was copied may look old, and a crowd dated ahead would hide whatever comes.  Links, and whatever is no
plain file, are not read: who may write into the folder is not thereby allowed to have other files read.
"""

from __future__ import annotations

import heapq
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from jointwatch.node.sources.source import MOST_BYTES, MOST_MESSAGES, Look, LookFailed

SUFFIXES = (".xml", ".cap")
SETTLED_S = 1.0
"""A file that was changed less than this ago may be half of one."""
MOST_FILES = 5000
"""Files of a folder that are looked at: those that came or were changed last; of one time, in the order of
their names."""
_State = tuple[int, int, int]


class Folder:
    """One folder.  It need not be there yet: what is not there holds nothing."""

    def __init__(
        self, name: str, folder: Path, *, every_s: float, clock: Callable[[], float] = time.time
    ) -> None:
        """clock: seconds UTC, as the file system has it."""
        self.name, self.every_s, self.folder = name, every_s, folder
        self._clock = clock
        self._read: dict[str, _State] = {}

    def look(self) -> Look:
        """The files that are new, or not as they were when they were read."""
        try:
            with os.scandir(self.folder) as entries:
                found = [
                    (-_came_ns(e), e.name)
                    for e in entries
                    if e.name.lower().endswith(SUFFIXES) and e.name[0] != "."
                ]
        except FileNotFoundError:
            self._read.clear()
            return Look()
        except OSError as error:
            raise LookFailed(f"{self.folder}: {error.strerror or error}") from None
        many = len(found) > MOST_FILES
        troubles = [f"{len(found)} files, of which the newest {MOST_FILES} are read"] if many else []
        present = [name for _, name in heapq.nsmallest(MOST_FILES, found)]
        names = set(present)
        self._read = {name: state for name, state in self._read.items() if name in names}
        messages: list[bytes] = []
        left = 0
        for name in present:
            try:
                state = self._state(name)
                if state is None or self._read.get(name) == state:
                    continue
                if len(messages) >= MOST_MESSAGES or abs(self._clock() - state[0] * 1e-9) < SETTLED_S:
                    left += 1
                    continue
                data = self._bytes(name, state)
            except OSError as error:
                troubles.append(f"{name}: {error.strerror or error}")
                continue
            self._read[name] = state
            if len(data) > MOST_BYTES:
                troubles.append(f"{name}: more than {MOST_BYTES} bytes")
            else:
                messages.append(data)
        return Look(tuple(messages), left, tuple(troubles))

    def _state(self, name: str) -> _State | None:
        """By what it is known that a file changed; None for what is no plain file."""
        found = (self.folder / name).lstat()
        if not stat.S_ISREG(found.st_mode):
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _bytes(self, name: str, state: _State) -> bytes:
        """A file's bytes, and one more than is wanted where it is longer; of the file that was looked at."""
        descriptor = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if os.fstat(descriptor).st_ino != state[2]:
                raise OSError("another file than a moment ago")
            return file.read(MOST_BYTES + 1)


def _came_ns(entry: os.DirEntry[str]) -> int:
    """When a file came into the folder or was changed last (ns); 0 for one that is gone meanwhile."""
    try:
        return entry.stat(follow_symlinks=False).st_ctime_ns
    except OSError:
        return 0
