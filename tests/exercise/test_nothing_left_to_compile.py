"""After `jointwatch warm`, nothing is left to compile: not for a node, nor for an exercise and its report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SMALL = Path(__file__).parents[1] / "small.toml"

# What a kernel calls is compiled with it, though it may not be loaded by itself until it is called by itself.
# A whole exercise in one process: both nodes, shadows, journals, replay, scores
PLAYED = """
import json, sys
from pathlib import Path
from jointwatch.exercise.warm import warm_the_exercise
from jointwatch.node.warm import kernels_called, kernels_used, warm_the_back, warm_the_front
warm_the_exercise()
warm_the_front()
warm_the_back()
before, called = kernels_used(), kernels_called()
from jointwatch.exercise.play import play
from jointwatch.exercise.scenario import load_scenario
from jointwatch.node.replay import check_journal
from jointwatch.review.after_action import staff_work, write_results
scenario, folder = load_scenario(sys.argv[1]), Path(sys.argv[2])
staff_work(scenario)
write_results(play(scenario, scenario.seed, folder, workers=1), folder)
assert check_journal(folder / "amber.journal.sqlite").same
more = [kernel for kernel in kernels_used() - before if kernel.partition("(")[0] not in called]
print(json.dumps({"before": len(before), "more": sorted(more)}))
"""


def test_an_exercise_uses_no_kernel_that_warming_has_not_compiled(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PLAYED, str(SMALL), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    assert said["before"] > 20
    assert said["more"] == []
