"""What the two files with seeds of the simulator share: sixty of them, and what is said of one."""

from __future__ import annotations

from collections import Counter

from jointwatch.exercise.simulator.campaign import command_for
from jointwatch.exercise.simulator.simulation import simulate


def all_hold(seeds: range) -> Counter[str]:
    """Assert that every invariant holds in these seeds; what was injected."""
    counts: Counter[str] = Counter()
    broken = []
    for seed in seeds:
        outcome = simulate(seed)
        counts.update(outcome.counts)
        if outcome.invariant:
            broken.append(f"{outcome.invariant}: {outcome.said}\n  again: {command_for(seed)}")
    assert not broken, "\n".join(broken)
    return counts
