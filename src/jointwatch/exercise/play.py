"""Playing an exercise: simulated sectors and scans through real nodes, with the link and its faults.

In: a scenario and a seed; out: a `Recording` of what every picture held and what was sent.  Each partner has
two nodes: one on the link, and a shadow that gets the same sectors and no link, which is what that partner
would have seen, and warned, alone.  Time is the scenario's.  The wall clock is measured, and used
for one thing, where that is asked for: a linked node that cannot keep pace is told to shed (`node.load`).
Where there are sinks, the linked nodes' alerts go there while it plays (`exercise.leaving`); where there are
sources, they hear others' alerts (`exercise.hearing`).
"""

from __future__ import annotations

import hashlib
import heapq
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.assessment import LAUNCHES_EXPECTED, assess
from jointwatch.earth.places import load_territories
from jointwatch.exercise.hearing import Heard, Hearing, heeding
from jointwatch.exercise.infrared import simulate_scans
from jointwatch.exercise.leaving import Leaving
from jointwatch.exercise.policies import load_policies
from jointwatch.exercise.scenario import Scenario
from jointwatch.exercise.sensors import simulate_sectors
from jointwatch.exercise.staff import posture_told, releases
from jointwatch.exercise.truth import Truth, make_truth
from jointwatch.joint.coarsening import named
from jointwatch.joint.gatekeeper import Correspondent
from jointwatch.joint.joint_track import JointTrack
from jointwatch.joint.sharing import SharingRule, load_rules
from jointwatch.joint.signing import Signer
from jointwatch.launch.classes import CLASSES
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
from jointwatch.node.warm import warm_the_back, warm_the_front
from jointwatch.records import (
    Advisory,
    Alert,
    Announcement,
    BadInput,
    Disagreement,
    Forwarded,
    Group,
    Header,
    Impact,
    InfraredScan,
    LaunchReport,
    Note,
    Received,
    ReceivedCap,
    Satellite,
    Sector,
    Sent,
    Withholding,
)

SAMPLE_S = 5.0
"""Pictures are sampled this often for scores and for the report."""
Progress = Callable[[float], None]
Watch = Callable[[Node], None]


@dataclass
class Sample:
    """One object of one picture at one sample."""

    number: str
    aliases: tuple[str, ...]
    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    phases: tuple[float, float, float]
    existence: float


@dataclass
class Grouped:
    """Groups that one node told of at one time, and the tracks of the picture that it told them of."""

    node: str
    time_ns: int
    groups: list[Group]
    tracks: list[Sample]


@dataclass
class PictureRecord:
    """What one picture held and sent: samples by time, alerts, and the impact behind each alert."""

    name: str
    label: str
    partners: tuple[str, ...]
    samples: list[tuple[int, list[Sample]]] = field(default_factory=list)
    impacts: list[tuple[int, list[Impact]]] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    advisories: list[Advisory] = field(default_factory=list)
    alert_impacts: dict[str, dict[str, Impact]] = field(default_factory=dict)
    launches: list[LaunchReport] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    grouped: list[Grouped] = field(default_factory=list)
    disagreements: list[Disagreement] = field(default_factory=list)


@dataclass
class Recording:
    """A played exercise, ready to be scored."""

    scenario: Scenario
    seed: int
    truth: Truth
    pictures: dict[str, PictureRecord]
    latency_ms: list[float]
    link: dict[str, int]
    digests: dict[str, str]
    wall_s: float
    lag_s: dict[str, float] = field(default_factory=dict)
    """How far each partner's linked node was behind at worst, where it was to keep pace with a clock."""
    sinks: dict[str, tuple[SinkState, ...]] = field(default_factory=dict)
    """How the sinks of each partner's alerts did, where there were any."""
    others: dict[str, Heard] = field(default_factory=dict)
    """What each partner's linked node heard of others' alerts, where there were sources."""


def slug(name: str) -> str:
    """A name in lower case, without what a file's name or a CAP identifier cannot hold."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name.lower())


def node_configs(scenario: Scenario) -> dict[str, NodeConfig]:
    """Configurations of all nodes by key: for each partner a linked node and a shadow ("Amber alone")."""
    configs = {}
    territories = {t.name: tuple(t.countries) for t in scenario.territories}
    disputed = tuple(t.name for t in scenario.territories if t.disputed)
    load_territories(territories, scenario.path, disputed)  # a wrong one is refused with the file's name
    policies = load_policies(scenario)
    names = [p.name for p in scenario.partners]
    zones = {name: scenario.zones(name) for name in names}
    languages = {p.name: p.languages for p in scenario.partners}
    for unknown in sorted(set(scenario.sharing) - set(names)):
        raise BadInput(scenario.path, f"sharing.{unknown}", unknown, f"one of {', '.join(names)}")
    announced = tuple(
        Announcement(
            name=a.name,
            object_class=a.object_class,
            from_ns=scenario.start_ns + round(a.window_from_s * 1e9),
            to_ns=scenario.start_ns + round(a.window_to_s * 1e9),
            latitude_rad=math.radians(a.area.latitude_deg),
            longitude_rad=math.radians(a.area.longitude_deg),
            radius_m=a.area.radius_m,
            azimuth_rad=math.radians(a.azimuth_deg),
            tolerance_rad=math.radians(a.tolerance_deg),
        )
        for a in scenario.announced
    )
    slugs = [slug(name) for name in names]
    for i, name in enumerate(names):
        if slugs[i] in slugs[:i]:
            raise BadInput(
                scenario.path, f"partners[{i}].name", name, "a name that files can be told apart by"
            )
    class_names = (*(c.name for c in CLASSES), "space_launch")
    exercise = slug(scenario.scenario.name)
    grounds = tuple(g.record() for g in scenario.tracking.launch_grounds)
    posture = assess(scenario.file(scenario.assessment)).posture if scenario.assessment else "normal"
    # by another name, or from another folder, the same scenario is the same play
    played = hashlib.sha256(msgspec.json.encode(replace(scenario, path=""), order="deterministic"))
    every_sensor = scenario.sensor_records()
    satellites = scenario.satellite_records()
    names_of = [(s.partner, s.name) for s in every_sensor] + [(s.partner, s.name) for s in satellites]
    owned = {name: tuple(sensor for partner, sensor in names_of if partner == name) for name in names}
    sharing = {
        name: load_rules(
            scenario.sharing.get(name, []), scenario.path, name, names, tuple(territories), class_names
        )
        for name in names
    }
    hides_names = {name: any(rule.pseudonyms for rule in rules) for name, rules in sharing.items()}
    sites = {p.name: tuple(site.name for site in p.sites) for p in scenario.partners}
    for name in names:
        sensors = tuple(s for s in every_sensor if s.partner == name)
        rules = sharing[name]
        configs[name] = NodeConfig(
            partner=name,
            name=f"{exercise}-{slug(name)}",
            sensors=sensors,
            zones=zones[name],
            policy=policies[name],
            sharing=rules,
            correspondents=tuple(
                Correspondent(
                    name=other,
                    public_key=exercise_key(scenario, other).public.hex(),
                    sensors=() if hides_names[other] else owned[other],
                )
                for other in names
                if other != name
            ),
            partner_sensors=tuple(s for s in every_sensor if s.partner != name),
            satellites=tuple(s for s in satellites if s.partner == name),
            partner_satellites=tuple(
                _as_told(s, sharing[s.partner], name) for s in satellites if s.partner != name
            ),
            territories=territories,
            disputed=disputed,
            announced=announced,
            grounds=grounds,
            boost=LAUNCHES_EXPECTED[posture],
            false_tracks_per_day=scenario.tracking.false_tracks_per_day,
            languages=languages[name],
            # a partner that has a territory is advised as a whole
            places=() if name in territories else sites[name],
            play=played.hexdigest()[:16],
        )
        configs[f"{name} alone"] = NodeConfig(
            partner=name,
            name=f"{exercise}-{slug(name)}-alone",
            sensors=sensors,
            zones=tuple(z for other in names for z in zones[other]),
            policy=policies[name],
            satellites=tuple(s for s in satellites if s.partner == name),
            territories=territories,
            disputed=disputed,
            announced=announced,
            grounds=grounds,
            boost=LAUNCHES_EXPECTED[posture],
            false_tracks_per_day=scenario.tracking.false_tracks_per_day,
            languages=languages[name],
        )
    return configs


def _as_told(satellite: Satellite, rules: Sequence[SharingRule], to: str) -> Satellite:
    """A satellite under the name that its scans have when they come to a partner."""
    by = next((r for r in rules if r.is_for("plots", to, "infrared") and r.releases), None)
    return satellite if by is None else replace(satellite, name=named(satellite.name, by))


def simulate_looks(scenario: Scenario, truth: Truth, seed: int) -> Iterator[Sector | InfraredScan]:
    """What all sensors of an exercise give, radars and satellites, in the order it is received."""
    sectors, scans = simulate_sectors(scenario, truth, seed), simulate_scans(scenario, truth, seed)
    return heapq.merge(sectors, scans, key=lambda look: look.received_ns)


def exercise_key(scenario: Scenario, partner: str) -> Signer:
    """The key that a partner's node signs with in an exercise: anybody can make it, and none is ever live."""
    text = f"exercise {scenario.scenario.name} of {partner}, not a secret"
    return Signer(hashlib.sha256(text.encode()).digest())


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
            alone = pool.apply_async(_play_alone, (scenario, seed, truth))
            together = _Together(scenario, configs, journals, sinks=sinks, pace=clock, sources=sources)
            together.play(truth, seed, progress, speed, clock)
            pictures, digests = alone.get()
    else:
        truth = make_truth(scenario, seed)
        if clock is not None:  # compiling is no load
            warm_the_front()
            warm_the_back()
        together = _Together(scenario, configs, journals, sinks=sinks, pace=clock, sources=sources)
        together.play(truth, seed, progress, speed, clock)
        pictures, digests = _play_alone(scenario, seed, truth)
    together.close()
    nodes = {key: node.journal.digest.hex() for key, node in together.nodes.items()}
    return Recording(
        scenario=scenario,
        seed=seed,
        truth=truth,
        pictures={**pictures, "joint": together.picture},
        latency_ms=together.latency_ms,
        link=together.link,
        digests=dict(sorted({**nodes, **digests}.items())),
        wall_s=time.perf_counter() - began,
        lag_s={partner: meter.worst_s for partner, meter in together.meters.items()},
        sinks=together.sinks,
        others=together.others,
    )


def play_linked(
    scenario: Scenario, seed: int, truth: Truth, watch: Watch, progress: Progress | None = None
) -> PictureRecord:
    """Play the linked nodes alone, without shadows and journals, and what they sent.

    watch: called with each node after each of its steps.  progress: called with the share done.
    """
    together = _Together(scenario, node_configs(scenario), None, watch)
    together.play(truth, seed, progress, math.inf, None)
    return together.picture


def _play_alone(
    scenario: Scenario, seed: int, truth: Truth
) -> tuple[dict[str, PictureRecord], dict[str, str]]:
    """The pictures of the shadow nodes, and their journals' digests."""
    configs = node_configs(scenario)
    partners = [p.name for p in scenario.partners]
    nodes = {p: Node(configs[f"{p} alone"], Journal(None), scenario.start_ns) for p in partners}
    pictures = {p: PictureRecord(slug(p), f"{p} alone", (p,)) for p in partners}
    sample_ns = scenario.start_ns
    settle()
    for look in simulate_looks(scenario, truth, seed):
        while sample_ns <= look.received_ns:
            for partner, node in nodes.items():
                picture = node.best.at(sample_ns)
                pictures[partner].samples.append((sample_ns, [_sampled(t) for t in picture]))
                pictures[partner].impacts.append((sample_ns, node.impacts()))
            sample_ns += round(SAMPLE_S * 1e9)
        partner = look.header.originator
        _keep(nodes[partner].step(look, look.received_ns), pictures[partner], nodes[partner], None)
    digests = {f"{p} alone": node.journal.digest.hex() for p, node in nodes.items()}
    return {slug(p): picture for p, picture in pictures.items()}, digests


class _Together:
    """The linked nodes and the link between them."""

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
        self.scenario, self._watch = scenario, watch
        self.partners = [p.name for p in scenario.partners]
        self.nodes = {
            p: Node(configs[p], Journal(_journal_path(journals, p)), scenario.start_ns) for p in self.partners
        }
        self.picture = PictureRecord("joint", "Together", tuple(self.partners))
        self.link = {"sent": 0, "received": 0, "withheld": 0, "rejected": 0}
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
        self._queue = _Link(scenario)
        self._received = 0

    def play(
        self, truth: Truth, seed: int, progress: Progress | None, speed: float, pace: Clock | None
    ) -> None:
        """Play every look through the nodes, in order of time; pace: what they must keep up with."""
        settle()
        clock = pace or WallClock()
        began, now = clock.now_s(), self.scenario.start_ns
        if pace is not None:
            self.meters = {p: self._meter(p, speed if speed < math.inf else 1.0) for p in self.partners}
        start_ns = sample_ns = self.scenario.start_ns
        span = self.scenario.end_ns - start_ns
        self._advise(start_ns)
        for look in simulate_looks(self.scenario, truth, seed):
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
        if self._leaving is not None:
            for partner, node in self.nodes.items():
                _keep(self._leaving.finish(partner, now, clock), self.picture, node, self.link)
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
                for frame in self._queue.carried(courier, link, now, streams):
                    self._queue.put(partner, link, frame, now)
        for arrival_ns, sender, receiver, frame in self._queue.due(now):
            data = self._couriers[receiver].open(sender, frame)
            if data is None:
                continue
            self.link["received"] += 1
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
        _keep(out, self.picture, node, self.link)
        if isinstance(record, ReceivedCap):
            self._hearing.keep(partner, out)
        self.link["sent"] += sum(len(o.audience) for o in out if isinstance(o, Sent | Forwarded))
        self._couriers[partner].take(out)
        if self._leaving is not None:
            _keep(self._leaving.take(partner, out, now), self.picture, node, self.link)

    def _sample(self, time_ns: int) -> None:
        joint = self.nodes[self.partners[0]].joint.at(time_ns)
        self.picture.samples.append((time_ns, [_sampled(t) for t in joint]))
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


class _Link:
    """The exercise's link: frames arrive after a delay; while it is cut, nobody puts any on it."""

    def __init__(self, scenario: Scenario) -> None:
        self._delay_ns = round(scenario.link.delay_s * 1e9)
        self._cuts = [
            (scenario.start_ns + round(c.from_s * 1e9), scenario.start_ns + round(c.to_s * 1e9))
            for c in scenario.link.cuts
        ]
        self._heap: list[tuple[int, int, str, str, bytes]] = []
        self._count = 0
        self._was_cut: set[tuple[str, str]] = set()

    def carried(
        self, courier: Courier, to: str, now: int, streams: tuple[tuple[str, tuple[str, ...], int], ...]
    ) -> list[bytes]:
        """What a courier puts on the link to a partner now."""
        way = courier.partner, to
        if any(begin <= now < end for begin, end in self._cuts):
            self._was_cut.add(way)
            return []
        if way in self._was_cut:
            self._was_cut.discard(way)
            courier.mended(to)
        return courier.frames(to, now, streams)

    def put(self, sender: str, receiver: str, frame: bytes, now: int) -> None:
        arrival = now + self._delay_ns
        if any(begin <= arrival < end for begin, end in self._cuts):
            return  # it was on its way when the link was cut
        self._count += 1
        heapq.heappush(self._heap, (arrival, self._count, sender, receiver, frame))

    def due(self, now: int) -> Iterator[tuple[int, str, str, bytes]]:
        while self._heap and self._heap[0][0] <= now:
            arrival, _, sender, receiver, frame = heapq.heappop(self._heap)
            yield arrival, sender, receiver, frame


def _keep(outputs: list[Output], picture: PictureRecord, node: Node, link: dict[str, int] | None) -> None:
    impacts: dict[str, Impact] | None = None
    groups = [output for output in outputs if isinstance(output, Group)]
    if groups:
        tracks = [_sampled(t) for t in node.picture]
        picture.grouped.append(Grouped(node.config.name, groups[0].header.measured_ns, groups, tracks))
    for output in outputs:
        if isinstance(output, Alert):
            picture.alerts.append(output)
            if impacts is None:
                impacts = {i.track: i for i in node.impacts()}
            picture.alert_impacts[output.identifier] = {
                t: impacts[t] for t, _ in output.evidence if t in impacts
            }
        elif isinstance(output, Advisory):
            picture.advisories.append(output)
        elif isinstance(output, Disagreement):
            picture.disagreements.append(output)
        elif isinstance(output, LaunchReport):
            picture.launches.append(output)
        elif isinstance(output, Withholding) and link is not None:
            link["withheld"] += output.count
        elif isinstance(output, Note):
            picture.notes.append(output)
            ours = output.subject in node.tracker.sensors or output.subject in node.satellites
            if link is not None and output.kind == "rejected" and not ours:
                link["rejected"] += 1


def _sampled(track: JointTrack) -> Sample:
    return Sample(track.number, track.aliases, track.state, track.covariance, track.phases, track.existence)
