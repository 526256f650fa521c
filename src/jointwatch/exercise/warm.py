"""Compiling the kernels that an exercise needs beside its nodes': truth, sensors, and looks for its scores.

In: nothing; out: kernels compiled in this process and cached for the next.  The kernels are reached through
the least exercise that needs them all (`data/warm.toml`), which nobody sees.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from jointwatch.exercise.scenario import load_scenario
from jointwatch.exercise.sensors import looks, simulate_sectors
from jointwatch.exercise.truth import make_truth


def warm_the_exercise() -> None:
    """Fly one rocket and one aircraft, and look at them."""
    scenario = load_scenario(Path(__file__).parent / "data" / "warm.toml")
    truth = make_truth(scenario, scenario.seed)
    for _ in islice(simulate_sectors(scenario, truth, scenario.seed), 4):
        pass
    looks(scenario, truth, scenario.seed)
