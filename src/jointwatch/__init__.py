"""Jointwatch: one missile-warning picture, two partners.

Detection, tracking, warning and review of missile and rocket fire by partners who each run a node
beside their own sensors.  Nothing here computes anything for shooting back.
"""

import os
import sys

# Kernels are compiled with LLVM's first level of optimisation, not its third: a fifth less to wait for at a
# cold start, for a few hundredths of a look's time.  All nodes and replays must compile alike, so it is said
# here, before any kernel is compiled; Numba reads it from the environment, also in processes begun later.
os.environ.setdefault("NUMBA_OPT", "1")
# Where they are kept, and which may be used again, is for node/kernel_cache.py to say; the kernels of other
# packages stay where Numba itself keeps them.
os.environ.setdefault(
    "NUMBA_CACHE_LOCATOR_CLASSES",
    "jointwatch.node.kernel_cache.KernelCache,UserProvidedCacheLocator,InTreeCacheLocator,UserWideCacheLocator,"
    "IPythonCacheLocator",
)
if "numba" in sys.modules:  # it was imported first, and has read its environment already
    sys.modules["numba"].config.reload_config()

__version__ = "0.1.0"
