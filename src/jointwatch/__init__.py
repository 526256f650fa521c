"""Jointwatch: one missile-warning picture, two partners.

Detection, tracking, warning and review of missile and rocket fire by partners who each run a node
beside their own sensors.  Nothing here computes anything for shooting back.
"""

import os

# Kernels are compiled with LLVM's first level of optimisation, not its third: a fifth less to wait for at a
# cold start, for a few hundredths of a look's time.  All nodes and replays must compile alike, so it is said
# here, before any kernel is compiled; Numba reads it from the environment, also in processes begun later.
os.environ.setdefault("NUMBA_OPT", "1")

__version__ = "0.1.0"
