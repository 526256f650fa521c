"""Where compiled kernels are kept, and which of them may be used: asked by Numba for each kernel.

In: a kernel's file; out: the folder of what was compiled from exactly this source.  A folder's name carries a
digest of the file, of every file of the package that it imports (what it calls, and the constants that are
frozen into it), of the data beside those, and of the level of optimisation.  So nothing stale can be found
after an edit or an upgrade, or with several versions on one cache; Numba alone would notice only a change in
the kernel's own file.  The name says nothing of where the package lies: two copies of it can share.

The cache is the folder that `JOINTWATCH_CACHE` names, else one beside the sources.  Where that cannot be
written, the user's own cache is used instead, filled from it.  Who can write to a cache can run code as
everyone who reads it: that is why a site's is best written by one user only, and why a temporary one that is
not ours alone is refused.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from jointwatch.records.errors import BadInput

PACKAGE = Path(__file__).parents[1]
VARIABLE = "JOINTWATCH_CACHE"
KEPT = 3
"""So many earlier states of one file keep their kernels: for who goes back and forth between versions."""
_IMPORTS = re.compile(
    rb"^[ \t]*(?:from (jointwatch[\w.]*) import (\([^)]*\)|[^\n#]*)|import (jointwatch[\w.]*))", re.MULTILINE
)


def wanted() -> Path:
    """The cache that all users of this install share."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser().absolute() if named else PACKAGE / "__pycache__" / "kernels"


@cache
def folder() -> Path:
    """The cache that this process reads and writes; BadInput where no folder at all can be written."""
    tried = [wanted(), *_own()]
    for place in tried:
        if _writable(place):
            return place
    raise BadInput(
        "environment", VARIABLE, os.environ.get(VARIABLE) or "nothing",
        f"a folder that can be written: compiled kernels can be kept in none of {', '.join(map(str, tried))}",
    )  # fmt: skip


def _own() -> list[Path]:
    """This user's own caches, the lasting one first."""
    places = [Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))]
    user = os.getuid() if hasattr(os, "getuid") else 0
    temporary = Path(tempfile.gettempdir()) / f"jointwatch-{user}"
    try:
        temporary.mkdir(mode=0o700, exist_ok=True)
        found = temporary.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o022:
            places.append(temporary)
    except OSError:
        pass
    return [place / "jointwatch" / "kernels" for place in places if place.is_absolute()]


def _writable(place: Path) -> bool:
    """Whether files can be written in a folder, which is made where it is missing."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=place).close()
    except OSError:
        return False
    return True


@cache
def _sources() -> frozenset[str]:
    """The package's files by their place in it, as "tracking/gating.py"."""
    inside = len(str(PACKAGE)) + 1
    return frozenset(
        os.path.join(folder, name)[inside:]
        for folder, _, names in os.walk(PACKAGE)
        for name in names
        if name.endswith(".py")
    )


@cache
def _read(file: str) -> tuple[bytes, frozenset[str]]:
    """Digest of a source file with the data beside it, and the files of the package that it imports."""
    text = (PACKAGE / file).read_bytes()
    room = os.path.dirname(file)
    imported = set()
    for module, names, plain in _IMPORTS.findall(text):
        base = "/".join((module or plain).decode().split(".")[1:])
        imported |= {f"{base}.py", os.path.join(base, "__init__.py")}
        imported |= {os.path.join(base, f"{name.decode()}.py") for name in re.findall(rb"\w+", names)}
    return blake2b(text + _data(room)).digest(), _sources() & imported


@cache
def _data(room: str) -> bytes:
    """Digest of the data that a room ships."""
    return b"".join(blake2b(p.read_bytes()).digest() for p in sorted((PACKAGE / room / "data").glob("*.*")))


@cache
def seen_from(file: str) -> frozenset[str]:
    """A file of the package and all files of it that this one imports, directly or not."""
    seen, left = {file}, [file]
    while left:
        new = _read(left.pop())[1] - seen
        seen |= new
        left += new
    return frozenset(seen)


@cache
def kernels_of(file: str) -> str:
    """Name of the folder with the kernels of a file of the package, as it and all it sees are now."""
    import numba

    digest = blake2b(f"{numba.__version__} {int(vars(numba.config)['OPT'])}".encode(), digest_size=10)
    for each in sorted(seen_from(file)):
        digest.update(each.encode() + _read(each)[0])
    return f"{file.removesuffix('.py').replace('/', '.')}-{digest.hexdigest()}"


class KernelCache:
    """Where one kernel is kept; Numba makes and asks it (NUMBA_CACHE_LOCATOR_CLASSES, set in jointwatch)."""

    def __init__(self, file: str, line: int) -> None:
        self._py_file = str(PACKAGE / file)  # Numba's warnings name it
        self._line = line
        self._name = kernels_of(file)
        self._place = folder() / self._name
        _fill_from(wanted(), self._place)

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> KernelCache | None:
        """The cache of a kernel of this package; None for any other, which Numba then keeps as it would."""
        inside = os.path.relpath(file, PACKAGE)
        return cls(inside, function.__code__.co_firstlineno) if inside in _sources() else None

    def get_cache_path(self) -> str:
        """The folder."""
        return str(self._place)

    def get_source_stamp(self) -> str:
        """What the source is known by: the folder's name says it all."""
        return self._name

    def get_disambiguator(self) -> str:
        """What tells two kernels of one name and file apart."""
        return str(self._line)

    def ensure_cache_path(self) -> None:
        """Make the folder."""
        if not self._place.is_dir():
            self._place.mkdir(parents=True, exist_ok=True)
            _forget_older(self._place)


@cache
def _fill_from(shared: Path, place: Path) -> None:
    """Copy into a user's own cache, once, what a shared one that cannot be written holds of one file."""
    source = shared / place.name
    if source == place or place.exists() or not source.is_dir():
        return
    copy = Path(tempfile.mkdtemp(prefix="copy-", dir=place.parent))
    try:
        for file in source.glob("*.nb[ic]"):
            shutil.copyfile(file, copy / file.name)
        copy.rename(place)  # whole or not at all
        _forget_older(place)
    except OSError:  # not readable, so compiled afresh; or another process was first
        shutil.rmtree(copy, ignore_errors=True)


def _forget_older(place: Path) -> None:
    """Remove the kernels of the file's oldest states, when those of a new one come."""
    states = place.parent.glob(f"{place.name.rpartition('-')[0]}-*")
    others = (path for path in states if path != place)
    for old in sorted(others, key=_changed, reverse=True)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
