"""Many seeds of the simulator, on several processes: what broke, and how much was injected.

In: which seeds, and how many processes; out: a `Summary`.  The order in which seeds end does not change it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context

from msgspec import Struct

from jointwatch.exercise.simulator.simulation import Outcome, simulate

Progress = Callable[[float], None]


class Summary(Struct, frozen=True, kw_only=True):
    """What came of a campaign.

    broken: the outcomes of the seeds in which an invariant does not hold, in order.  counts: of all that was
    injected and done, together.  seconds: on the clock; seconds_a_seed: of one process.
    """

    first: int
    seeds: int
    broken: tuple[Outcome, ...]
    counts: dict[str, int]
    seconds: float
    seconds_a_seed: float


def campaign(
    first: int,
    seeds: int,
    workers: int = 1,
    progress: Progress | None = None,
    broke: Callable[[Outcome], None] | None = None,
) -> Summary:
    """Simulate seeds first, first + 1, ...; progress: called with the share done, broke: with each seed that
    breaks an invariant, as soon as it does."""
    began = time.perf_counter()
    counts: Counter[str] = Counter()
    broken: list[Outcome] = []
    spent_s = 0.0
    with _outcomes(range(first, first + seeds), workers) as outcomes:
        for done, outcome in enumerate(outcomes, start=1):
            counts.update(outcome.counts)
            spent_s += outcome.seconds
            if outcome.invariant:
                broken.append(outcome)
                if broke is not None:
                    broke(outcome)
            if progress is not None:
                progress(done / seeds)
    return Summary(
        first=first,
        seeds=seeds,
        broken=tuple(sorted(broken, key=lambda o: o.seed)),
        counts=dict(sorted(counts.items())),
        seconds=time.perf_counter() - began,
        seconds_a_seed=spent_s / max(seeds, 1),
    )


@contextmanager
def _outcomes(seeds: range, workers: int) -> Iterator[Iterable[Outcome]]:
    if workers <= 1 or len(seeds) <= 1:
        yield map(simulate, seeds)
        return
    simulate(seeds[0])  # what has to be compiled is compiled once, and then found by all
    # leaving this pool ends its processes, also where the campaign is broken off
    with get_context("spawn").Pool(workers) as pool:
        yield pool.imap_unordered(simulate, seeds, chunksize=4)


def command_for(seed: int) -> str:
    """What to type to have a seed again, exactly."""
    return f"jointwatch simulate --first {seed} --seeds 1 --trace"
