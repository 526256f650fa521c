"""What the tests of this room share: the benchmark's random records and its hostile stream of messages, and
the small world of the tracker's tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
sys.path.append(str(Path(__file__).parents[1] / "tracking"))
