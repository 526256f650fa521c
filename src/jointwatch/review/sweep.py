"""A sweep over costs: what each policy would have missed, and whom it would have told for nothing.

In: an exercise and seeds; out: for each partner, along a ladder of costs and for its present policy, the
share of struck zones not warned in time and the zone-minutes (person-minutes) in shelter for nothing.  Each
seed is played once.  What costs decide changes no track and next to no predicted fall, so the threats that
were weighed at each evaluation are kept, and only the `Warner` runs again over them.  What is varied is the
defenders' own choice; the raids are the exercise's.

Next to none: the fall of what is less likely to be there than anybody would be told for is not kept
(`node.decisions`), and for that it is the present policy's threshold that counts.  Between it and a rung's
own, a rung of less hears of nothing, and one of more holds alerts until looks have missed an object as often
as the present policy asks: a look or two later than its own node would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context

import numpy as np
from msgspec import Struct

from jointwatch.exercise.linked import Watch
from jointwatch.exercise.nodes import node_configs
from jointwatch.exercise.play import play_linked
from jointwatch.exercise.policies import load_policies, thresholds_stated
from jointwatch.exercise.recording import PictureRecord
from jointwatch.exercise.scenario import Scenario
from jointwatch.exercise.sensors import looks
from jointwatch.exercise.truth import Truth, make_truth
from jointwatch.node.config import NodeConfig
from jointwatch.node.node import Node
from jointwatch.records import Alert, Zone
from jointwatch.review.strikes import S, Strike, first_strikes, told
from jointwatch.warning.behind import Threat
from jointwatch.warning.lifecycle import Warner
from jointwatch.warning.policy import Costs, Policy, of_costs

RATIOS = (4.0, 9.0, 19.0, 49.0, 99.0, 199.0, 399.0)
"""How many times as bad as one told for nothing a zone struck unwarned is held to be: from 20 % to 0.25 %."""
SPREAD = 0.1, 0.9
"""Of the runs, these parts lie below what is given as the spread."""

Evaluation = tuple[int, list[Threat]]
"""When (ns) the picture was evaluated, and the threats that were weighed."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What one policy would have done for one partner in one run.

    feasible: struck zones that could be warned in time; missed: those of them that were not.  zone_minutes:
    in shelter where nothing struck; person_minutes: the same times people, None where no zone knows its own.
    """

    feasible: int
    missed: int
    zone_minutes: float
    person_minutes: float | None


class Spread(Struct, frozen=True, kw_only=True):
    """The mean over the runs, and what the SPREAD of them lie below."""

    mean: float
    low: float
    high: float


class Rung(Struct, frozen=True, kw_only=True):
    """What one policy would have done for one partner in all runs, a run.

    times_as_bad: of its costs, None where being told for nothing is held to cost nothing.  missed_share: over
    the runs with a struck zone that could be warned, None where none has.
    """

    times_as_bad: float | None
    shelter_probability: float
    feasible: int
    missed: int
    missed_share: Spread | None
    zone_minutes: Spread
    person_minutes: Spread | None


class Swept(Struct, frozen=True, kw_only=True):
    """One partner's ladder of costs, the least first, and its present policy."""

    partner: str
    zones: int
    present: Rung
    ladder: tuple[Rung, ...]


class Sweep(Struct, frozen=True, kw_only=True):
    """A sweep: which exercise, which seeds, and what came of it for each partner."""

    scenario: str
    title: str
    seeds: tuple[int, ...]
    partners: tuple[Swept, ...]


def sweep(
    scenario: Scenario, runs: int, workers: int = 1, progress: Callable[[float], None] | None = None
) -> Sweep:
    """Play a scenario with its seed and the next ones, `runs` in all, and weigh every rung of the ladder.

    progress: called with the share done.
    """
    seeds = tuple(range(scenario.seed, scenario.seed + runs))
    by_run = []
    with _each(scenario, seeds, workers) as outcomes:
        for done, outcome in enumerate(outcomes, start=1):
            by_run.append(outcome)
            if progress is not None:
                progress(done / runs)
    swept, policies = [], weighed(scenario)
    for name, config in _linked(scenario).items():
        mine = [outcome[name] for outcome in by_run]
        present, *ladder = (
            _rung(policy, [run[k] for run in mine]) for k, policy in enumerate(policies[name])
        )
        zones = len(config.zones)
        swept.append(Swept(partner=name, zones=zones, present=present, ladder=tuple(ladder)))
    about = scenario.scenario
    return Sweep(scenario=about.name, title=about.title, seeds=seeds, partners=tuple(swept))


def weighed(scenario: Scenario) -> dict[str, list[Policy]]:
    """The policies weighed, by partner: the present one, then what its tables say with each of the ladder's
    costs in place of its own."""
    stated = thresholds_stated(scenario)
    ladder = [Costs(missed=ratio, needless=1.0) for ratio in RATIOS]
    return {
        name: [policy, *(of_costs(policy, costs, stated[name]) for costs in ladder)]
        for name, policy in load_policies(scenario).items()
    }


@contextmanager
def _each(
    scenario: Scenario, seeds: Sequence[int], workers: int
) -> Iterator[Iterable[dict[str, list[Outcome]]]]:
    one = partial(outcomes_of, scenario)
    if workers <= 1 or len(seeds) <= 1:
        yield map(one, seeds)
        return
    # leaving this pool ends its processes, also where the sweep is broken off
    with get_context("spawn").Pool(min(workers, len(seeds))) as pool:
        yield pool.imap(one, seeds)


def outcomes_of(scenario: Scenario, seed: int) -> dict[str, list[Outcome]]:
    """One run: for each partner what its present policy would have done, then each rung of the ladder."""
    truth = make_truth(scenario, seed)
    kept, _ = watched(scenario, seed, truth)
    sensors = range(len(scenario.sensors))
    seen = looks(scenario, truth, seed)
    out, policies = {}, weighed(scenario)
    for name, config in _linked(scenario).items():
        strikes = first_strikes(truth.objects, config.zones, seen)
        feasible = [strike for strike in strikes if strike.feasible(sensors)]
        struck = {strike.zone.key for strike in strikes}
        out[name] = [
            judged(rewarned(config, policy, kept[name]), config.zones, feasible, struck, scenario.end_ns)
            for policy in policies[name]
        ]
    return out


def watched(scenario: Scenario, seed: int, truth: Truth) -> tuple[dict[str, list[Evaluation]], PictureRecord]:
    """Play the linked nodes: each partner's evaluations, in order of time, and what was sent."""
    kept: dict[str, list[Evaluation]] = {p.name: [] for p in scenario.partners}

    def watch(node: Node) -> None:
        partner = node.config.partner
        time_ns, threats = node.threats()
        mine = kept[partner]
        if partner in threats and (not mine or time_ns > mine[-1][0]):
            mine.append((time_ns, threats[partner]))

    watching: Watch = watch
    return kept, play_linked(scenario, seed, truth, watching)


def rewarned(config: NodeConfig, policy: Policy, kept: Sequence[Evaluation]) -> list[Alert]:
    """The alerts that a partner's node would have sent with another policy."""
    warner = Warner(config.partner, config.name, config.zones, policy, config.exercise)
    return [message.alert for now, threats in kept for message in warner.evaluate(now, threats)]


def judged(
    alerts: list[Alert], zones: Sequence[Zone], feasible: Sequence[Strike], struck: set[str], end_ns: int
) -> Outcome:
    """What alerts came to.  feasible: strikes that could be warned in time; struck: keys of all zones struck.

    In time: told at least the zone's time to shelter before its first strike, and not taken back before it.
    """
    periods = told(PictureRecord("swept", "Swept", (), alerts=alerts))
    missed = sum(
        not any(
            p.since_ns <= s.time_ns - s.zone.shelter_s * S and s.time_ns < p.until_ns
            for p in periods.get(s.zone.key, [])
        )
        for s in feasible
    )
    minutes = {
        key: sum(min(p.until_ns, end_ns) - p.since_ns for p in spans) / (60.0 * S)
        for key, spans in periods.items()
        if key not in struck
    }
    people = {z.key: z.people for z in zones if z.people is not None}
    return Outcome(
        feasible=len(feasible),
        missed=missed,
        zone_minutes=sum(minutes.values()),
        person_minutes=sum(people.get(key, 0) * m for key, m in minutes.items()) if people else None,
    )


def _linked(scenario: Scenario) -> dict[str, NodeConfig]:
    """The linked node of each partner."""
    configs = node_configs(scenario)
    return {p.name: configs[p.name] for p in scenario.partners}


def _rung(policy: Policy, runs: Sequence[Outcome]) -> Rung:
    times = policy.times_as_bad
    shares = [run.missed / run.feasible for run in runs if run.feasible]
    person_minutes = [run.person_minutes for run in runs if run.person_minutes is not None]
    return Rung(
        times_as_bad=times if np.isfinite(times) else None,
        shelter_probability=policy.shelter_probability,
        feasible=sum(run.feasible for run in runs),
        missed=sum(run.missed for run in runs),
        missed_share=_spread(shares) if shares else None,
        zone_minutes=_spread([run.zone_minutes for run in runs]),
        person_minutes=_spread(person_minutes) if person_minutes else None,
    )


def _spread(values: Sequence[float]) -> Spread:
    low, high = np.quantile(values, SPREAD)
    return Spread(mean=float(np.mean(values)), low=float(low), high=float(high))
