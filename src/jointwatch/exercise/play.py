"""Playing an exercise: simulated sectors and scans through real nodes, with the link and its faults.

In: a scenario and a seed; out: a `Recording` of what every picture held and what was sent.  Each partner has
two nodes: one on the link, and a shadow that gets the same sectors and no link, which is what that partner
would have seen, and warned, alone.  Time is the scenario's.  The wall clock is measured, and used
for one thing, where that is asked for: a linked node that cannot keep pace is told to shed (`node.load`).
Where there are sinks, the linked nodes' alerts go there while it plays (`exercise.leaving`); where there are
sources, they hear others' alerts (`exercise.hearing`).
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Iterator, Mapping
from multiprocessing import get_context
from pathlib import Path

from jointwatch.exercise.hearing import heeding
from jointwatch.exercise.infrared import simulate_scans
from jointwatch.exercise.linked import LinkedNodes, Progress, Watch
from jointwatch.exercise.nodes import node_configs
from jointwatch.exercise.recording import PictureRecord, Recording
from jointwatch.exercise.scenario import Scenario
from jointwatch.exercise.sensors import simulate_sectors
from jointwatch.exercise.truth import Truth, make_truth
from jointwatch.exercise.unlinked import play_unlinked
from jointwatch.node.load import Clock
from jointwatch.node.memory import settle
from jointwatch.node.sinks.sinks_file import ExerciseSinks
from jointwatch.node.sources.sources_file import Heeded
from jointwatch.node.warm import warm_the_back, warm_the_front
from jointwatch.records import InfraredScan, Sector


def simulate_looks(scenario: Scenario, truth: Truth, seed: int) -> Iterator[Sector | InfraredScan]:
    """What all sensors of an exercise give, radars and satellites, in the order it is received."""
    sectors, scans = simulate_sectors(scenario, truth, seed), simulate_scans(scenario, truth, seed)
    return heapq.merge(sectors, scans, key=lambda look: look.received_ns)


def play(
    scenario: Scenario,
    seed: int,
    journals: Path | None = None,
    progress: Progress | None = None,
    speed: float = math.inf,
    workers: int = 2,
    clock: Clock | None = None,
    sinks: ExerciseSinks | None = None,
    sources: Mapping[str, Heeded] | None = None,
) -> Recording:
    """Play a scenario to its end.

    journals: folder for the linked nodes' journals (`PARTNER.journal.sqlite`), None for none.  progress:
    called with the share done.  speed: simulated seconds a wall second.  workers: 2 plays the shadow nodes,
    which no link joins to the others, in a process of their own.  The results depend on neither, unless there
    is a clock to keep pace with: linked nodes that cannot, at this speed (1 if it is infinite), shed load.
    sinks: where the linked nodes' alerts go; whoever opened them closes them.  sources: by partner, whose
    alerts the linked nodes take, and from where.
    """
    began = time.perf_counter()
    configs = heeding(node_configs(scenario), sources or {})
    if workers > 1:
        # leaving this pool ends its process, finished or not: a play that is broken off leaves none behind
        with get_context("spawn").Pool(1) as pool:
            warmed = pool.apply_async(warm_the_back)
            truth = make_truth(scenario, seed)
            warm_the_front()
            warmed.get()
            alone = pool.apply_async(_play_shadows, (scenario, seed, truth))
            linked = LinkedNodes(scenario, configs, journals, sinks=sinks, pace=clock, sources=sources)
            linked.play(simulate_looks(scenario, truth, seed), progress, speed, clock)
            pictures, digests = alone.get()
    else:
        truth = make_truth(scenario, seed)
        if clock is not None:  # compiling is no load
            warm_the_front()
            warm_the_back()
        linked = LinkedNodes(scenario, configs, journals, sinks=sinks, pace=clock, sources=sources)
        linked.play(simulate_looks(scenario, truth, seed), progress, speed, clock)
        pictures, digests = _play_shadows(scenario, seed, truth)
    linked.close()
    nodes = {key: node.journal.digest.hex() for key, node in linked.nodes.items()}
    return Recording(
        scenario=scenario,
        seed=seed,
        truth=truth,
        pictures={**pictures, "joint": linked.picture},
        latency_ms=linked.latency_ms,
        link=linked.counts,
        digests=dict(sorted({**nodes, **digests}.items())),
        wall_s=time.perf_counter() - began,
        lag_s={partner: meter.worst_s for partner, meter in linked.meters.items()},
        sinks=linked.sinks,
        others=linked.others,
    )


def play_linked(
    scenario: Scenario, seed: int, truth: Truth, watch: Watch, progress: Progress | None = None
) -> PictureRecord:
    """Play the linked nodes alone, without shadows and journals, and what they sent.

    watch: called with each node after each of its steps.  progress: called with the share done.
    """
    linked = LinkedNodes(scenario, node_configs(scenario), None, watch)
    linked.play(simulate_looks(scenario, truth, seed), progress)
    return linked.picture


def _play_shadows(
    scenario: Scenario, seed: int, truth: Truth
) -> tuple[dict[str, PictureRecord], dict[str, str]]:
    """The pictures of the shadow nodes, by name, and their journals' digests, by the nodes' keys."""
    configs = node_configs(scenario)
    shadows = {p.name: configs[f"{p.name} alone"] for p in scenario.partners}
    settle()
    alone = play_unlinked(shadows, simulate_looks(scenario, truth, seed), scenario.start_ns).values()
    pictures = {picture.name: picture for picture, _ in alone}
    return pictures, {picture.label: digest for picture, digest in alone}
