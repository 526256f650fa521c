"""The bundled raid told by several nodes: what each has alone, what their tracklets make, a central tracker.

In: a seed, how many nodes the sensors are shared out to, and whose motion the truth has (the filter's own, or
the exercise's); out: by time and object, how far each picture is from the truth and how well it knows that
(`raid_scores` makes figures of it).  The link has the exercise's delay and cut; a ring of nodes hands on what
it gets as it came, and so gets it twice.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic
from jointwatch.exercise.classes import CLASSES
from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.exercise.sensors import simulate_sectors
from jointwatch.exercise.truth import Truth, make_truth
from jointwatch.joint.picture import JointPicture
from jointwatch.motion.phases import BALLISTIC, PRIOR_MEAN, PRIOR_SIGMA, acceleration_noise
from jointwatch.motion.propagate import propagate
from jointwatch.records import Header, TrackEnded, TrackletReport
from jointwatch.tracking.interaction import predict_row
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.telling import Step
from jointwatch.tracking.tracker import Tracker

Floats = NDArray[np.float64]
Estimate = tuple[Floats, Floats]
"""State (7,) and covariance (7, 7)."""
SCENARIO = Path(__file__).parents[1] / "scenarios" / "two-partners.toml"
SAMPLE_S, STEP_S = 5.0, 0.5
RAID = "salvo"
MATCH_M = 20e3
"""A track farther than this from every object is of none."""
Row = tuple[float, int, float, float, float, float]
"""Time (s), object, its height (m), squared error of place and of velocity, squared distance of both (6)."""
Errors = list[Row]


def model_truth(scenario: Scenario, truth: Truth, seed: int) -> Truth:
    """The raid's objects from burn-out on, as the filter's ballistic phase has them fly."""
    rng = np.random.default_rng([seed, 77])
    objects = []
    for flown in truth.objects:
        if flown.raid != RAID or flown.parent is not None:
            continue
        begin_s = (flown.launch_ns - flown.start_ns) * 1e-9 + 1.3 * CLASSES[flown.object_class].burn_s
        begin_ns = flown.start_ns + round(begin_s * 1e9)
        state = np.empty(7)
        state[:3], state[3:6] = flown.state_at(begin_ns)
        state[6] = rng.normal(PRIOR_MEAN[BALLISTIC], PRIOR_SIGMA[BALLISTIC])
        times, samples, t = [begin_s], [state[:6].copy()], begin_s
        while np.linalg.norm(state[:3]) > 6.38e6 and t < scenario.scenario.duration_s:
            q, walk = acceleration_noise(BALLISTIC, state)
            propagate(BALLISTIC, state, STEP_S)
            pushes = rng.normal(size=(2, 3))
            state[3:6] += np.sqrt(q * STEP_S) * pushes[0]
            state[:3] += np.sqrt(q * STEP_S**3) * (pushes[0] / 2.0 + pushes[1] / np.sqrt(12.0))
            state[6] += np.sqrt(walk * STEP_S) * rng.normal()
            t += STEP_S
            times.append(t)
            samples.append(state[:6].copy())
        objects.append(
            replace(
                flown,
                launch_ns=begin_ns,
                end_ns=flown.start_ns + round(t * 1e9),
                times_s=np.array(times),
                samples=np.array(samples),
            )
        )
    return Truth(scenario.start_ns, objects)


def only_raid(truth: Truth) -> Truth:
    """The raid's objects, as the exercise has them fly."""
    return Truth(truth.start_ns, [o for o in truth.objects if o.raid == RAID])


class Member:
    """One node: its tracker, the fold of what it holds, and the fold of its own tracklets alone."""

    def __init__(self, name: str, scenario: Scenario, sensors: tuple[str, ...]) -> None:
        self.name = name
        self.tracker = Tracker(
            name,
            [s for s in scenario.sensor_records() if s.name in sensors],
            rules=Rules(false_tracks_per_day=scenario.tracking.false_tracks_per_day),
            grounds=tuple(g.record() for g in scenario.tracking.launch_grounds),
        )
        self.joint, self.told = JointPicture(), JointPicture()
        self._sequence = 0
        self.seen: set[tuple[str, int]] = set()

    def own(self, time_ns: int) -> list[Estimate]:
        """What its tracker alone has at a time: states (7,) and covariances (7, 7)."""
        engine, out = self.tracker.engine, []
        for i in engine.confirmed().tolist():
            row = engine.table[i : i + 1].copy()[0]
            if row["log_odds"] > 0.0:
                predict_row(engine.bank, row, time_ns)
                k = int(np.argmax(row["phase"]))
                out.append((row["mean"][k], row["covariance"][k]))
        return out

    def report(self, step: Step, now: int) -> TrackletReport | None:
        """What a sector told, as it leaves."""
        if not (step.begun or step.told or step.ended):
            return None
        self._sequence += 1
        return TrackletReport(
            header=Header(originator=self.name, source=self.name, sequence=self._sequence, measured_ns=now),
            rule="",
            begun=step.begun,
            tracklets=step.told,
            ended=tuple(TrackEnded(number=n, time_ns=now, reason=why) for n, why in step.ended),
        )


def held(picture: JointPicture, time_ns: int) -> list[Estimate]:
    """What a joint picture has at a time."""
    return [(t.state, t.covariance) for t in picture.at(time_ns) if t.existence > 0.5]


class Link:
    """Reports on their way: a delay, and a cut in which they wait."""

    def __init__(self, scenario: Scenario) -> None:
        self._delay_ns = round(scenario.link.delay_s * 1e9)
        start = scenario.start_ns
        self.cuts = [(start + round(c.from_s * 1e9), start + round(c.to_s * 1e9)) for c in scenario.link.cuts]
        self._heap: list[tuple[int, int, str, TrackletReport]] = []
        self._count = 0

    def send(self, now: int, to: str, report: TrackletReport) -> None:
        arrival = now + self._delay_ns
        for begin, end in self.cuts:
            if begin <= arrival < end:
                arrival = end + self._delay_ns
        self._count += 1
        heapq.heappush(self._heap, (arrival, self._count, to, report))

    def due(self, now: int) -> Iterator[tuple[int, str, TrackletReport]]:
        while self._heap and self._heap[0][0] <= now:
            arrival, _, to, report = heapq.heappop(self._heap)
            yield arrival, to, report


def shares(scenario: Scenario, nodes: int) -> dict[str, tuple[str, ...]]:
    """Which sensors each node has: two nodes as in the exercise; of three, the third has the ship's."""
    by: dict[str, tuple[str, ...]] = {}
    for s in scenario.sensors:
        owner = "Coral" if nodes == 3 and s.name == "blue-ship" else s.partner
        by[owner] = (*by.get(owner, ()), s.name)
    return by


def run(seed: int, nodes: int = 2, own_model: bool = True) -> dict[str, Errors]:
    """Errors of "central", and of each node's "joint NAME", of its tracker "alone NAME", and of a picture of
    what it "told NAME": its own tracklets and nothing else, as if it forgot its partners'."""
    scenario = load_scenario(SCENARIO)
    flown = make_truth(scenario, seed)
    truth = model_truth(scenario, flown, seed) if own_model else only_raid(flown)
    owners = shares(scenario, nodes)
    members = {name: Member(name, scenario, sensors) for name, sensors in owners.items()}
    owner_of = {sensor: name for name, sensors in owners.items() for sensor in sensors}
    central = Member("Central", scenario, tuple(owner_of))
    link = Link(scenario)
    errors: dict[str, Errors] = {"central": []}
    for name in members:
        errors |= {f"{which} {name}": [] for which in ("joint", "alone", "told")}

    def receive(member: Member, report: TrackletReport, now: int) -> None:
        key = report.header.originator, report.header.sequence
        if key in member.seen:
            return
        member.seen.add(key)
        member.joint.take(report)
        for other in members:  # on to the others, and round
            if other not in (member.name, report.header.originator):
                link.send(now, other, report)

    sample_ns = scenario.start_ns
    for sector in simulate_sectors(scenario, truth, seed):
        now = sector.received_ns
        for arrival, to, report in link.due(now):
            receive(members[to], report, arrival)
        while sample_ns <= now:
            index, places, velocities = truth.states_at(sample_ns)
            true = np.hstack([places, velocities])
            t = (sample_ns - scenario.start_ns) * 1e-9
            score(errors["central"], t, index, true, central.own(sample_ns))
            for name, member in members.items():
                score(errors[f"joint {name}"], t, index, true, held(member.joint, sample_ns))
                score(errors[f"told {name}"], t, index, true, held(member.told, sample_ns))
                score(errors[f"alone {name}"], t, index, true, member.own(sample_ns))
            sample_ns += round(SAMPLE_S * 1e9)
        member = members[owner_of[sector.sensor]]
        for one in (member, central):
            report = one.report(one.tracker.process(sector), now)
            if report is None:
                continue
            if one is member:
                member.told.take(report)
                receive(member, report, now)
    return errors


def score(errors: Errors, t: float, index: NDArray[np.int64], true: Floats, tracks: list[Estimate]) -> None:
    """Add each object's error, of the track nearest to it."""
    if not len(index) or not tracks:
        return
    from scipy.optimize import linear_sum_assignment

    apart = np.linalg.norm(true[:, None, :3] - np.array([k[0][:3] for k in tracks])[None], axis=2)
    for i, j in zip(*linear_sum_assignment(np.minimum(apart, MATCH_M)), strict=True):
        if apart[i, j] < MATCH_M:
            state, covariance = tracks[j]
            e = true[i] - state[:6]
            nees = float(e @ np.linalg.solve(covariance[:6, :6], e))
            height_m = float(ecef2geodetic(*true[i, :3])[2])
            errors.append((t, int(index[i]), height_m, float(e[:3] @ e[:3]), float(e[3:] @ e[3:]), nees))
