"""What the tests of this room share: the benchmark's random records and its hostile stream of messages."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
