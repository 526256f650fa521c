"""All benchmarks of speed with one command, and the figure of cost.

In: nothing, or the lines of an earlier run; out: every benchmark's JSON lines as they come, each with the
`benchmark` it is of, and docs/cost.svg.  Each benchmark runs in a process of its own, one after another, so
that none is timed in another's memory; `make bench` runs this with the peer installed.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from cost_figure import cost_figure, series_of

HERE = Path(__file__).parent
FIGURE = HERE.parent / "docs" / "cost.svg"
BENCHMARKS = {"versus": "versus_stonesoup.py", "scaling": "scaling.py", "latency": "latency.py"}


def lines_of(name: str, arguments: Iterable[str] = ()) -> Iterator[dict[str, Any]]:
    """The lines of one benchmark, as it prints them, each with the benchmark's name.

    None, and a word on stderr, where its program is missing; RuntimeError where it fails.
    """
    program = HERE / BENCHMARKS[name]
    if not program.is_file():
        print(f"speed: no {program.name}: left out.", file=sys.stderr)
        return
    command = [sys.executable, str(program), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for text in process.stdout:
            if text.startswith("{"):
                yield {"benchmark": name, **json.loads(text)}
    if process.returncode:
        raise RuntimeError(f"{program.name} ended with {process.returncode}")


def draw(lines: list[dict[str, Any]], out: Path, note: str) -> bool:
    """Write the figure of what was measured; False where there is nothing to draw."""
    of = {name: [line for line in lines if line["benchmark"] == name] for name in BENCHMARKS}
    series = series_of(of["versus"], of["scaling"])
    if not series:
        return False
    out.write_text(cost_figure(series, note), encoding="utf-8")
    return True


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks; 1 where one failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=list(BENCHMARKS), action="append", help="may be repeated")
    parser.add_argument("--json-lines", type=Path, help="keep the lines in this file too")
    parser.add_argument("--read", type=Path, help="draw the lines of this file, and run nothing")
    parser.add_argument("--figure", type=Path, default=FIGURE, help="where the SVG goes")
    machine = f"{date.today()}, {platform.machine()}, Python {platform.python_version()}"
    parser.add_argument("--note", default=machine, help="the line under the figure's title")
    chosen = parser.parse_args(arguments)
    lines: list[dict[str, Any]] = []
    failed = False
    if chosen.read is not None:
        lines = [json.loads(text) for text in chosen.read.read_text(encoding="utf-8").splitlines() if text]
    else:
        for name in chosen.only or list(BENCHMARKS):
            try:
                for line in lines_of(name):
                    print(json.dumps(line), flush=True)
                    lines.append(line)
            except RuntimeError as error:
                print(f"speed: {error}", file=sys.stderr)
                failed = True
        if chosen.json_lines is not None:
            text = "".join(json.dumps(line) + "\n" for line in lines)
            chosen.json_lines.write_text(text, encoding="utf-8")
    if draw(lines, chosen.figure, chosen.note):
        print(f"speed: {chosen.figure} is written.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
