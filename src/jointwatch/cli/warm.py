"""The warm command: everything that nodes and exercises run is compiled, by two processes, and kept."""

from __future__ import annotations

import json
import os
import sys
import time
from multiprocessing import get_context
from pathlib import Path

from jointwatch.node.kernel_cache import VARIABLE, folder, wanted
from jointwatch.records.errors import BadInput


def fill_cache(place: Path | None, as_json: bool) -> None:
    """Compile what is not in the cache yet, and say what was done, where it is kept and for whom.

    place: the cache, in place of what the environment says; BadInput where it cannot be written.
    """
    told = os.environ.get(VARIABLE)
    if place is not None:
        os.environ[VARIABLE] = str(place.absolute())
    kept, shared = folder(), folder() == wanted()
    if place is not None and not shared:
        raise BadInput("command line", "--cache", str(place), "a folder that this user can write")
    if sys.stderr.isatty():
        print("Compiling what is not in the cache yet: all of it takes a minute or two.", file=sys.stderr)
    began = time.perf_counter()
    compiled = _compile()
    seconds = time.perf_counter() - began
    size = sum(file.stat().st_size for file in kept.rglob("*") if file.is_file())
    if as_json:
        done = {"compiled": compiled, "seconds": seconds, "cache": str(kept), "bytes": size, "shared": shared}
        print(json.dumps(done))
        return
    what = f"{compiled} kernels were compiled" if compiled else "Nothing was left to compile"
    print(f"{what} ({seconds:.1f} s).")
    print(f"Cache: {kept} ({size / 1e6:.0f} MB)")
    if not shared:
        print(f"It serves this user only, who cannot write {wanted()}.")
    elif place is not None and told != str(kept):
        print(f"Nodes and exercises use it where the environment has {VARIABLE}={kept}")


def _compile() -> int:
    """How many kernels had to be compiled, each counted once."""
    with get_context("spawn").Pool(1) as pool:
        back = pool.apply_async(_back)
        front = _front()
        return len(front | back.get())


def _front() -> set[str]:
    from jointwatch.exercise.warm import warm_the_exercise
    from jointwatch.node.warm import compiled_here, warm_the_front

    warm_the_exercise()
    warm_the_front()
    return compiled_here()


def _back() -> set[str]:
    from jointwatch.node.warm import compiled_here, warm_the_back

    warm_the_back()
    return compiled_here()
