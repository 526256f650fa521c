"""Did anything become slower?  Figures of speed measured now, against those last committed.

In: benchmarks/figures.jsonl; out: one JSON line a figure: then and now as multiples of the calibration kernel
(`calibration`, measured in the same run), their ratio, and whether that is worse than allowed.  Seconds are
never compared: a machine is slow one hour and fast the next, and its kernel with it.  Exit 1 where a figure
is worse by more than the allowance, or was committed and is no longer measured.  On demand, never in a test.
With --update what is measured is written to the file, to be committed with the change that explains it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from calibration import calibration_ms
from speed import HERE, lines_of

FIGURES = HERE / "figures.jsonl"
ALLOWANCE = 1.5
RUNS: dict[str, tuple[str, ...]] = {
    "versus": ("--only", "ours", "--n", "10", "100", "--seed", "1", "--repetitions", "5"),
    "scaling": ("--n", "1000", "3000"),
    "latency": ("--n", "100", "1000", "--scans", "10"),
}
"""What is run, and with what arguments: minutes, so that it can be asked often."""


class Figure(NamedTuple):
    """A time (ms) and the calibration kernel's (ms) in the same run."""

    ms: float
    calibration_ms: float

    @property
    def kernels(self) -> float:
        """The time as a multiple of the kernel's."""
        return self.ms / self.calibration_ms


def named_ms(line: Mapping[str, Any]) -> tuple[str, float] | None:
    """The name and the time (ms) of what a benchmark's line is kept for, None for no time."""
    if line["benchmark"] == "versus":
        return f"versus, {line['configuration']}, n {line['n']}", line["ms_per_scan"]
    if line["benchmark"] == "scaling":
        return f"scaling, {line['layout']}, {line['configuration']}, n {line['n']}", line["ms_per_scan"]
    if "p50_ms" not in line:  # it was not finished in time
        return None
    return f"latency, {line['stage']}, n {line['n']}", line["p50_ms"]


def figures_of(lines: Iterable[Mapping[str, Any]]) -> dict[str, Figure]:
    """Figures by name; of several lines for one, the medians.  All lines have `calibration_ms`."""
    found: dict[str, list[Figure]] = {}
    for line in lines:
        if (known := named_ms(line)) is not None:
            found.setdefault(known[0], []).append(Figure(known[1], line["calibration_ms"]))
    return {
        name: Figure(median(f.ms for f in each), median(f.calibration_ms for f in each))
        for name, each in found.items()
    }


def compared(
    then: Mapping[str, Figure], now: Mapping[str, Figure], allowance: float = ALLOWANCE
) -> list[dict[str, Any]]:
    """A line for each figure of either: then, now (in kernels), now over then, and whether that is too much.

    What is measured for the first time is not worse; what is no longer measured is.
    """
    out: list[dict[str, Any]] = []
    for name in [*then, *(n for n in now if n not in then)]:
        old, new = then.get(name), now.get(name)
        ratio = new.kernels / old.kernels if old is not None and new is not None else None
        out.append({
            "figure": name,
            "then": None if old is None else round(old.kernels, 6),
            "now": None if new is None else round(new.kernels, 6),
            "ratio": None if ratio is None else round(ratio, 3),
            "worse": new is None or (ratio is not None and ratio > allowance),
        })  # fmt: skip
    return out


def read_figures(path: Path) -> dict[str, Figure]:
    """The figures of a file, none where there is no file."""
    if not path.is_file():
        return {}
    lines = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines() if text]
    return {line["figure"]: Figure(line["ms"], line["calibration_ms"]) for line in lines}


def write_figures(path: Path, figures: Mapping[str, Figure], code: str) -> None:
    """Write figures, in order of name, with the day and the code that they are of."""
    today = date.today().isoformat()
    lines = [
        {"figure": name, "ms": f.ms, "calibration_ms": f.calibration_ms, "date": today, "code": code}
        for name, f in sorted(figures.items())
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def measured(benchmarks: Iterable[str]) -> dict[str, Figure]:
    """The figures of benchmarks, run now one after another."""
    lines: list[Mapping[str, Any]] = []
    for name in benchmarks:
        before = calibration_ms()
        found = list(lines_of(name, RUNS[name]))
        beside = 0.5 * (before + calibration_ms())
        # a benchmark's own calibration is nearer to its figures
        lines += [{"calibration_ms": beside, **line} for line in found]
    return figures_of(lines)


def _code() -> str:
    """The commit that is checked out, with a + where files were changed since; "unknown" without git."""
    command = ["git", "describe", "--always", "--dirty=+"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def main(arguments: list[str] | None = None) -> int:
    """Measure and compare; 1 where a figure is worse than allowed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=list(RUNS), action="append", help="may be repeated")
    parser.add_argument("--figures", type=Path, default=FIGURES)
    parser.add_argument("--allowance", type=float, default=ALLOWANCE, help="how many times worse may be")
    parser.add_argument("--update", action="store_true", help="write what is measured to the file")
    chosen = parser.parse_args(arguments)
    names = chosen.only or list(RUNS)
    committed = read_figures(chosen.figures)
    then = {name: f for name, f in committed.items() if name.split(",")[0] in names}
    now = measured(names)
    lines = compared(then, now, chosen.allowance)
    for line in lines:
        print(json.dumps(line), flush=True)
    if chosen.update:
        kept = {name: f for name, f in committed.items() if name not in then}
        write_figures(chosen.figures, {**kept, **now}, _code())
        return 0
    return 1 if any(line["worse"] for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
