"""Drop compiled kernels that may be stale: `fresh_kernels.py [FOLDER]`, the sources' folder.

Numba keeps each compiled kernel beside its source and notices when that file changes, but not when a kernel
of another file changes that it calls, nor when the level of optimisation does.  So where any file with
kernels, or the one that sets that level, is newer than the oldest compiled one, all of them go; the next run
compiles them afresh.
"""

from __future__ import annotations

import sys
from pathlib import Path


def drop_stale(folder: Path) -> int:
    """Remove every compiled kernel under folder if one may be stale; how many were removed."""
    compiled = [*folder.rglob("*.nbi"), *folder.rglob("*.nbc")]
    if not compiled:
        return 0
    oldest = min(path.stat().st_mtime_ns for path in compiled)
    newer = (path for path in folder.rglob("*.py") if path.stat().st_mtime_ns > oldest)
    texts = (path.read_text(encoding="utf-8") for path in newer)
    if not any("njit" in text or "NUMBA_OPT" in text for text in texts):
        return 0
    for path in compiled:
        path.unlink(missing_ok=True)
    return len(compiled)


if __name__ == "__main__":
    drop_stale(Path(sys.argv[1] if len(sys.argv) > 1 else "src"))
