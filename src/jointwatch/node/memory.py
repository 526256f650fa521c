"""The memory of a process that runs nodes: what stands for good is not looked through for garbage.

In: nothing; out: what the process holds by now, put aside.  Modules, kernels and what Numba knows of them are
some hundred thousand objects that stay to the end.  Whenever Python looks for garbage in circles it would
look through all of them, and a picture would wait 50 ms for it.
"""

from __future__ import annotations

import gc


def settle() -> None:
    """Put aside all that this process holds; what becomes garbage later is collected as ever."""
    gc.collect()
    gc.freeze()
