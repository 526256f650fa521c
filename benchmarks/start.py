"""How long one waits at a start: for help, for a node's first sector, and for the kernels to be compiled.

In: a scenario; out: one JSON line a figure, in seconds, from a process's start to what is named in it:

- `help_s`: `jointwatch --help`, to its end;
- `warm_s`: `jointwatch warm` on an empty cache, `warm_again_s`: on the one that it filled;
- `first_sector_s`: a node made from the configuration in its journal has tracked its first sector, kernels
  read from that cache;
- `first_of_play_s`: the same for the scenario's first node, with everything that a play imports and reads,
  its zones among it.

Each is a process of its own, so that nothing is in memory but the files that the system keeps there.  Beside
the clock's time, median and worst, stands the processor's (`cpu_s`, median, of all processes together): on a
machine that does something else meanwhile only that one says much.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# one sector through the node whose journal is the argument
FROM_JOURNAL = """
import sys
from pathlib import Path
import msgspec
from jointwatch.node.config import NodeConfig
from jointwatch.node.journal import Journal, read_journal
from jointwatch.node.node import Node
from jointwatch.records import decode
entries = read_journal(Path(sys.argv[1]))
node = Node(msgspec.msgpack.decode(next(entries).data, type=NodeConfig), Journal(None))
sector = decode(next(e.data for e in entries if e.direction == "in"), "journal")
node.step(sector, sector.received_ns)
"""
# one sector through the first node of the scenario that is the argument, nothing flying; kept in a journal
# where there is a second argument
FROM_SCENARIO = """
import sys
from pathlib import Path
from jointwatch.exercise.nodes import node_configs
from jointwatch.exercise.scenario import load_scenario
from jointwatch.exercise.sensors import simulate_sectors
from jointwatch.exercise.truth import Truth
from jointwatch.node.journal import Journal
from jointwatch.node.node import Node
scenario = load_scenario(sys.argv[1])
partner = scenario.partners[0].name
node = Node(node_configs(scenario)[partner], Journal(Path(sys.argv[2]) if len(sys.argv) > 2 else None))
sectors = simulate_sectors(scenario, Truth(scenario.start_ns, []), scenario.seed)
sector = next(s for s in sectors if s.header.originator == partner)
node.step(sector, sector.received_ns)
node.journal.close()
"""


def waited(arguments: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds by the clock and of processor that Python with these arguments takes, from start to end."""
    began, used = time.perf_counter(), _processor()
    subprocess.run([sys.executable, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, _processor() - used


def _processor() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def line(figure: str, runs: list[tuple[float, float]], **more: Any) -> None:
    """Print one figure: median and worst by the clock, median of processor."""
    seconds, cpu = zip(*runs, strict=True)
    said = {"figure": figure, "median_s": statistics.median(seconds), "worst_s": max(seconds),
            "cpu_s": statistics.median(cpu)}  # fmt: skip
    print(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in said.items()}
                     | {"processes": len(runs)} | more), flush=True)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenario", default="scenarios/two-partners.toml")
    parser.add_argument("--repeat", type=int, default=5, help="processes a figure; twice as many for help")
    parser.add_argument("--cache", type=Path, help="an already filled cache: warm_s is not measured")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="jointwatch-start-") as folder:
        place = chosen.cache.absolute() if chosen.cache else Path(folder) / "cache"
        env = {**os.environ, "JOINTWATCH_CACHE": str(place)}
        program, again = ["-m", "jointwatch"], range(chosen.repeat)
        waited([*program, "--help"], env)  # the system has the files then
        line("help_s", [waited([*program, "--help"], env) for _ in range(2 * chosen.repeat)], wanted=0.3)
        if not chosen.cache:
            line("warm_s", [waited([*program, "warm"], env)])
        line("warm_again_s", [waited([*program, "warm"], env) for _ in again])
        journal = str(Path(folder) / "node.journal.sqlite")
        waited(["-c", FROM_SCENARIO, chosen.scenario, journal], env)
        line("first_sector_s", [waited(["-c", FROM_JOURNAL, journal], env) for _ in again], wanted=2.0)
        line("first_of_play_s", [waited(["-c", FROM_SCENARIO, chosen.scenario], env) for _ in again])
    return 0


if __name__ == "__main__":
    sys.exit(main())
