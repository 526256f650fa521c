"""The folder that a played exercise leaves behind: whole, or not there at all.

In: where the results shall be; out: a partial folder beside it to write into, which takes the name only when
everything is written.  A folder of earlier results is replaced; one that holds anything else is refused.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jointwatch.records import BadInput

SUMMARY, REPORT, ALERTS = "summary.json", "report.html", "alerts"
JOURNAL = ".journal.sqlite"


@contextmanager
def new_results(out: Path) -> Iterator[Path]:
    """A partial folder to write results into; on leaving without an error it becomes `out`.

    Raises BadInput if `out` is a file, holds anything that is no result of an exercise, or cannot be made.
    """
    _refuse_foreign(out)
    # resolved, so that "." and a link to a folder get a sibling too
    target = out.resolve()
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
    except OSError as error:
        raise BadInput(
            str(out), "folder", error.strerror or str(error), "a folder that can be made"
        ) from None
    try:
        yield partial
        _refuse_foreign(out)
        _replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_results(folder: Path) -> None:
    """BadInput unless `folder` holds whole results of an exercise."""
    if not folder.is_dir():
        raise BadInput(str(folder), "folder", "nothing", "a folder that `jointwatch run` wrote")
    for name in (SUMMARY, REPORT):
        if not (folder / name).is_file():
            raise BadInput(str(folder), name, "nothing", "a folder that `jointwatch run` wrote")


def _refuse_foreign(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise BadInput(str(out), "folder", "a file", "a new folder, or one of earlier results")
    names = sorted(entry.name for entry in out.iterdir())
    strange = [n for n in names if n not in (SUMMARY, REPORT, ALERTS) and not n.endswith(JOURNAL)]
    if strange or (names and not (SUMMARY in names and REPORT in names)):
        found = strange[0] if strange else ", ".join(names)
        raise BadInput(str(out), "folder", found, "a new folder, or one that holds only earlier results")


def _replace(partial: Path, target: Path) -> None:
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    if target.exists():
        os.replace(target, old)
    os.replace(partial, target)
    shutil.rmtree(old, ignore_errors=True)
