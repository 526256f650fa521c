"""The linked nodes of an exercise, the link between them, and what else reaches them and leaves them.

In: the nodes' configurations, and what sensors give, in the order it is received; out: the joint picture and
what was sent, counts of what crossed the link, the nodes' journals, and how long alerts took.  Alerts go to
sinks (`exercise.leaving`) and others' are heard (`exercise.hearing`), where there are any.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from jointwatch.assessment import assess
from jointwatch.exercise.hearing import Heard, Hearing
from jointwatch.exercise.leaving import Leaving
from jointwatch.exercise.link import Link
from jointwatch.exercise.nodes import exercise_key, slug
from jointwatch.exercise.recording import SAMPLE_S, PictureRecord, keep, sampled
from jointwatch.exercise.scenario import Scenario
from jointwatch.exercise.staff import posture_told, releases
from jointwatch.node.config import NodeConfig
from jointwatch.node.courier import Courier
from jointwatch.node.dispatch import AtOnce, OwnThread
from jointwatch.node.journal import Journal
from jointwatch.node.load import Clock, LoadMeter, WallClock
from jointwatch.node.memory import settle
from jointwatch.node.node import Input, Node
from jointwatch.node.outbox import SinkState
from jointwatch.node.scribe import Output
from jointwatch.node.sinks.sinks_file import ExerciseSinks
from jointwatch.node.sources import listening
from jointwatch.node.sources.sources_file import Heeded
from jointwatch.records import (
    Alert,
    Forwarded,
    Header,
    Impact,
    InfraredScan,
    Note,
    Received,
    ReceivedCap,
    Sector,
    Sent,
    Withholding,
)

Progress = Callable[[float], None]
Watch = Callable[[Node], None]


class LinkedNodes:
    """The linked nodes of one exercise."""

    def __init__(
        self,
        scenario: Scenario,
        configs: dict[str, NodeConfig],
        journals: Path | None,
        watch: Watch | None = None,
        sinks: ExerciseSinks | None = None,
        pace: Clock | None = None,
        sources: Mapping[str, Heeded] | None = None,
    ) -> None:
        """configs: by partner, shadows' are left alone.  journals: folder for the nodes' journals, None for
        none.  watch: called with each node after each of its steps.  pace: given where the nodes must keep up
        with a clock.  BadInput if a sink, a key or a source is not for its node."""
        self.scenario, self._watch = scenario, watch
        self.partners = [p.name for p in scenario.partners]
        self.nodes = {
            p: Node(configs[p], Journal(_journal_path(journals, p)), scenario.start_ns) for p in self.partners
        }
        self.picture = PictureRecord("joint", "Together", tuple(self.partners))
        self.counts = {"sent": 0, "received": 0, "withheld": 0, "rejected": 0}
        self.latency_ms: list[float] = []
        self.meters: dict[str, LoadMeter] = {}
        self.sinks: dict[str, tuple[SinkState, ...]] = {}
        hand = AtOnce if pace is None else OwnThread
        self._leaving = None if sinks is None else Leaving(self.nodes, sinks, hand)
        self.others: dict[str, Heard] = {}
        looker = listening.AtOnce if pace is None else listening.OwnThread
        self._hearing = Hearing(sources or {}, looker)
        self._couriers = {
            p: Courier(
                p,
                exercise_key(scenario, p),
                {c.name: c.public_key for c in configs[p].correspondents},
            )
            for p in self.partners
        }
        self._link = Link(scenario)
        self._received = 0

    def play(
        self,
        looks: Iterable[Sector | InfraredScan],
        progress: Progress | None = None,
        speed: float = math.inf,
        pace: Clock | None = None,
    ) -> None:
        """Play looks, in the order they are received, through the nodes.

        progress: called with the share done.  speed: simulated seconds a wall second.  pace: what the nodes
        must keep up with, at this speed (1 if it is infinite).
        """
        settle()
        clock = pace or WallClock()
        began, now = clock.now_s(), self.scenario.start_ns
        if pace is not None:
            self.meters = {p: self._meter(p, speed if speed < math.inf else 1.0) for p in self.partners}
        start_ns = sample_ns = self.scenario.start_ns
        span = self.scenario.end_ns - start_ns
        self._advise(start_ns)
        for look in looks:
            now = look.received_ns
            self._deliver(now)
            for heard_by, received in self._hearing.due(now):
                self._step(heard_by, received, now)
            while sample_ns <= now:
                self._sample(sample_ns)
                sample_ns += round(SAMPLE_S * 1e9)
                if progress is not None:
                    progress((now - start_ns) / span)
                if speed < math.inf:
                    clock.wait(max(0.0, (now - start_ns) * 1e-9 / speed - (clock.now_s() - began)))
            partner = look.header.originator
            if partner in self.meters:
                limit = self.meters[partner].measure(clock.now_s() - began, now)
                if limit is not None:
                    self._step(partner, limit, now)
            self._step(partner, look, now)
            for silent, node in self.nodes.items():
                passed = node.time_passed(now)
                if passed is not None:
                    self._step(silent, passed, now)
        if self._leaving is not None:
            for partner, node in self.nodes.items():
                self._keep(node, self._leaving.finish(partner, now, clock))
            self.sinks = self._leaving.states(now)
        self.others = self._hearing.finish()

    def _advise(self, now: int) -> None:
        """The partners' nodes are told of the assessment, and their staff lets out what they draft of it."""
        if not self.scenario.assessment:
            return
        assessment = assess(self.scenario.file(self.scenario.assessment))
        for partner, node in self.nodes.items():
            self._step(partner, posture_told(assessment, partner, now), now)
            for release in releases(node, now):
                self._step(partner, release, now)

    def _meter(self, partner: str, speed: float) -> LoadMeter:
        config = self.nodes[partner].config
        fastest_s = min((s.period_s for s in config.sensors), default=math.inf)
        return LoadMeter(partner, config.name, fastest_s, self.scenario.start_ns, speed)

    def _deliver(self, now: int) -> None:
        """Put what is due on the links, and let what arrives by now in."""
        for partner, courier in self._couriers.items():
            streams = self.nodes[partner].streams()
            for link in courier.links:
                for frame in self._link.carried(courier, link, now, streams):
                    self._link.put(partner, link, frame, now)
        for arrival_ns, sender, receiver, frame in self._link.due(now):
            data = self._couriers[receiver].open(sender, frame)
            if data is None:
                continue
            self.counts["received"] += 1
            self._received += 1
            header = Header(
                originator=receiver,
                source=f"link to {sender}",
                sequence=self._received,
                measured_ns=arrival_ns,
            )
            self._step(receiver, Received(header=header, data=data), arrival_ns)

    def _step(self, partner: str, record: Input, now: int) -> None:
        node = self.nodes[partner]
        start = time.perf_counter()
        out = node.step(record, now)
        if isinstance(record, Sector) and any(
            isinstance(o, Alert) and o.action in ("alert", "update") for o in out
        ):
            self.latency_ms.append(1e3 * (time.perf_counter() - start))
        if self._watch is not None:
            self._watch(node)
        self._keep(node, out)
        if isinstance(record, ReceivedCap):
            self._hearing.keep(partner, out)
        self.counts["sent"] += sum(len(o.audience) for o in out if isinstance(o, Sent | Forwarded))
        self._couriers[partner].take(out)
        if self._leaving is not None:
            self._keep(node, self._leaving.take(partner, out, now))

    def _keep(self, node: Node, outputs: Sequence[Output]) -> None:
        """Keep what a node put out, and count what it withheld and what it rejected of others."""
        keep(outputs, self.picture, node)
        for output in outputs:
            if isinstance(output, Withholding):
                self.counts["withheld"] += output.count
            elif isinstance(output, Note) and output.kind == "rejected":
                ours = output.subject in node.tracker.sensors or output.subject in node.satellites
                self.counts["rejected"] += not ours

    def _sample(self, time_ns: int) -> None:
        joint = self.nodes[self.partners[0]].joint.at(time_ns)
        self.picture.samples.append((time_ns, [sampled(t) for t in joint]))
        together: dict[str, Impact] = {}
        for node in self.nodes.values():
            for impact in node.impacts():
                together.setdefault(impact.track, impact)
        self.picture.impacts.append((time_ns, [together[k] for k in sorted(together)]))

    def close(self) -> None:
        """Finish the journals."""
        for node in self.nodes.values():
            node.journal.close()


def _journal_path(folder: Path | None, key: str) -> Path | None:
    return None if folder is None else folder / f"{slug(key)}.journal.sqlite"
