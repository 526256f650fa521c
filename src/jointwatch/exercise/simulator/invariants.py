"""What must hold whatever failed: each invariant is a function, and its breach a sentence.

In: the stations of a case after it is healed and settled; out: nothing, or a `Breach`.  What is judged is
what lies in the journals: they are the truth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as Set
from random import Random

from msgspec.structs import replace

from jointwatch.exercise.simulator.case import Case
from jointwatch.exercise.simulator.station import Breach, Station
from jointwatch.joint.gatekeeper import REASONS, Admitted, Gatekeeper
from jointwatch.joint.joint_track import JointTrack
from jointwatch.joint.picture import JointPicture
from jointwatch.node.dispatch import render_cap
from jointwatch.node.journal import Entry, Journal, batches, read_kept
from jointwatch.node.node import Node
from jointwatch.records import (
    Alert,
    Note,
    PlotReport,
    Received,
    Sector,
    Sent,
    TrackletReport,
    TrackReport,
    decode,
)
from jointwatch.records.messages import read_envelope
from jointwatch.warning.standing import series_of

Report = TrackletReport | TrackReport
Released = dict[bytes, tuple[Report, int]]
"""Reports by their bytes, and when each was sealed."""
Steps = list[tuple[Entry, object, list[object]]]
"""Each input as it lies in the journal, as a record, and the outputs of its step."""
ON_THE_WAY_NS = 6_500_000_000
"""What was sealed so shortly before the end, by a clock that may be slow, may still be on its way."""
BEFORE_NS = 6_000_000_000
"""Two scans of the slowest radar."""
LATER_NS = BEFORE_NS
"""A linked node may tell a zone so much later than its shadow, two scans: it decides at looks, and the latest
useful moment may lie just after one; and what a partner's look says can move the probability of danger to
the other side of a threshold, until the next look of one's own.  One seed in ten thousand needs the second
scan (4.0 s, seed 51277), with forty seconds to go."""


def judge(
    case: Case, stations: dict[str, Station], sealed: Set[bytes], now_ns: int, counts: Counter[str]
) -> None:
    """Hold all invariants; the first that does not hold is raised.  sealed: all that anybody sealed."""
    journals = {name: steps_of(station) for name, station in stations.items()}
    reports = {name: released(station, journals[name]) for name, station in stations.items()}
    for name, station in stations.items():
        alerts_once(station, journals[name])
        bad_refused_good_taken(case, station, journals[name], sealed)
        joint_is_a_fold(case, station, reports[name], now_ns)
        no_look_twice(station, journals[name], now_ns)
        warns_alone(case, station, journals[name], counts)
    worst = max(stations.values(), key=lambda station: station.crashes)
    if worst.crashes:  # one of them: this costs as much as all that it did
        as_if_never_stopped(worst, now_ns)
    everything_arrives(case, stations, journals, now_ns)
    joint_pictures_equal(case, stations, reports, now_ns)
    for steps in journals.values():
        counts["inputs"] += len(steps)
        counts["alerts"] += sum(isinstance(o, Alert) for _, _, outputs in steps for o in outputs)
        counts["messages"] += sum(isinstance(o, Sent) for _, _, outputs in steps for o in outputs)


def steps_of(station: Station) -> Steps:
    """What a node's journal holds, step by step."""
    kept = read_kept(station.disk.kept, station.partner)
    return [
        (entry, decode(entry.data, station.partner), [decode(o.data, station.partner) for o in outputs])
        for entry, outputs in batches(kept.entries[1:])
    ]


# ---------------------------------------------------------------------- one node by itself


def alerts_once(station: Station, steps: Steps) -> None:
    """Each alert has an identifier of its own, and the sink got all of them and no others.

    Where one takes something back in the very step that told something else in its series, it says both, and
    the sink may get it alone (`node.outbox`).
    """
    issued: dict[str, Alert] = {}
    said_again: dict[str, str] = {}
    for _, _, outputs in steps:
        alerts = [output for output in outputs if isinstance(output, Alert)]
        for k, told in enumerate(alerts):
            if told.identifier in issued:
                said = f"{station.partner} issued {told.identifier} a second time"
                raise Breach("no alert twice", said)
            issued[told.identifier] = told
            after = (a for a in alerts[k + 1 :] if series_of(a) == series_of(told))
            taken_back = [a.identifier for a in after if a.action in ("cancel", "all_clear")]
            said_again[told.identifier] = taken_back[-1] if taken_back else ""
    render = render_cap(station.config)
    for name in issued.keys() | station.told.keys():
        alert = issued.get(name)
        if alert is not None and name not in station.told and said_again[name] in station.told:
            continue
        written = None if alert is None else render(alert, [issued[n] for n in alert.references])
        if written != station.told.get(name):
            has = "only in its journal" if alert is not None else "only with its sink"
            raise Breach("no alert is lost", f"{station.partner}'s alert {name} is {has}")


def bad_refused_good_taken(case: Case, station: Station, steps: Steps, sealed: Set[bytes]) -> None:
    """What no partner sealed is refused with a reason; what one did is taken, the first time it comes."""
    taken: set[bytes] = set()
    for entry, record, outputs in steps:
        if not isinstance(record, Received):
            continue
        notes = [o for o in outputs if isinstance(o, Note) and o.kind == "rejected"]
        refused = next((o.detail for o in notes if o.detail.split(":")[0] in REASONS), "")
        envelope = read_envelope(record.data) if record.data in sealed else None
        if envelope is None or station.partner not in envelope.audience:
            if not refused:
                said = f"{station.partner} took what nobody sealed for it"
                raise Breach("bad messages are refused", station.when(entry.time_ns, said))
        elif record.data in taken:
            if not refused:
                said = f"{station.partner} took {envelope.issuer}'s message {envelope.sequence} twice"
                raise Breach("no information is counted twice", station.when(entry.time_ns, said))
        else:
            taken.add(record.data)
            if envelope.issuer != case.rogue and refused:
                said = f"{station.partner} refused {envelope.issuer}'s good message {envelope.sequence}: "
                raise Breach("good messages are taken", station.when(entry.time_ns, said + refused))


def as_if_never_stopped(station: Station, now_ns: int) -> None:
    """A node that never crashed, given the same inputs, says the same and is in the same state."""
    assert station.node is not None
    kept = read_kept(station.disk.kept, station.partner)
    twin = Node(station.config, Journal(None), kept.entries[0].time_ns)
    count = 1
    for entry, outputs in batches(kept.entries[1:]):
        twin.step(decode(entry.data, ""), entry.time_ns)  # type: ignore[arg-type]
        count += 1 + len(outputs)
        if twin.journal.digest != kept.digests[count - 1]:
            said = f"{station.partner} said otherwise than a twin that never stopped, at entry {count}"
            raise Breach("as if it had never stopped", said)
    if fingerprint(twin, now_ns) != fingerprint(station.node.node, now_ns):
        said = f"{station.partner}'s state is not that of a twin that never stopped"
        raise Breach("as if it had never stopped", said)


def fingerprint(node: Node, now_ns: int) -> tuple[object, ...]:
    """What a node is, to compare two."""
    table = node.tracker.table
    rows = node.tracker.engine.live()
    return (
        node.journal.digest,
        node.journal.count,
        node.streams(),
        node.gate_state(),
        table[rows].tobytes(),
        [picture_bytes(p.at(now_ns)) for p in (node.best, node.joint)],
        [encode_impact(i) for i in node.impacts()],
    )


def encode_impact(impact: object) -> str:
    """An impact, to compare."""
    return repr(impact)


def picture_bytes(tracks: list[JointTrack]) -> list[tuple[object, ...]]:
    """A picture to the bit."""
    return [
        (
            t.number, t.aliases, t.time_ns, t.state.tobytes(), t.covariance.tobytes(), t.phases, t.existence,
            t.hits, t.first_ns, t.seen_ns, t.thrust_ms2, t.parent, t.originators,
        )
        for t in tracks
    ]  # fmt: skip


# ---------------------------------------------------------------------- the joint picture


def released(station: Station, steps: Steps) -> Released:
    """The reports that were released to everybody, as a node has them by its journal."""
    config = station.config
    everybody = {config.partner, *(c.name for c in config.correspondents)}
    gate = Gatekeeper(config.partner, config.correspondents, config.sensor_names)
    out: Released = {}
    for entry, record, outputs in steps:
        if isinstance(record, Received):
            opened = gate.open(record.data, entry.time_ns)
            if isinstance(opened, Admitted) and isinstance(opened.record, Report):
                envelope = opened.envelope
                if {*envelope.audience, envelope.issuer} == everybody:
                    out[envelope.payload] = opened.record, envelope.time_ns
        for sent in outputs:
            if isinstance(sent, Sent) and {*sent.audience, config.partner} == everybody:
                report = decode(sent.payload, "")
                if isinstance(report, Report):
                    out[sent.payload] = report, sent.header.measured_ns
    return out


def folded(reports: list[Report], now_ns: int) -> list[JointTrack]:
    """The picture that reports make, taken one after another and asked for once."""
    picture = JointPicture()
    for report in reports:
        picture.take(report)
    return picture.at(now_ns)


def joint_is_a_fold(case: Case, station: Station, reports: Released, now_ns: int) -> None:
    """The joint picture is that of the set of reports, whatever their order; no look counts twice in it."""
    assert station.node is not None
    have = station.node.node.joint.at(now_ns)
    ordered = [reports[key][0] for key in sorted(reports)]
    if case.seed % 2:
        Random(case.seed).shuffle(ordered)
    if picture_bytes(folded(ordered, now_ns)) != picture_bytes(have):
        said = f"{station.partner}'s joint picture is not that of its {len(ordered)} released reports"
        raise Breach("the joint picture is a fold", said)
    looks: dict[str, set[tuple[int, str, int]]] = {}
    coarse = {t.number for r in ordered if isinstance(r, TrackReport) for t in r.tracks}
    for report in ordered:
        if isinstance(report, TrackletReport):
            for t in report.tracklets:
                if any(t.information):
                    looks.setdefault(t.number, set()).add((t.time_ns, t.source, t.sequence))
    for track in have:
        if coarse.isdisjoint(track.aliases):
            distinct = set().union(*(looks.get(number, set()) for number in track.aliases))
            if track.hits > len(distinct):
                said = (
                    f"{track.hits} looks stand behind {track.number} at {station.partner}, of {len(distinct)}"
                )
                raise Breach("no information is counted twice", said)


def no_look_twice(station: Station, steps: Steps, now_ns: int) -> None:
    """No object of a node's own picture stands on more looks than it knows of."""
    assert station.node is not None
    looks: set[tuple[int, str, int]] = set()
    coarse: set[str] = set()
    gate = Gatekeeper(station.partner, station.config.correspondents, station.config.sensor_names)
    for entry, record, _ in steps:
        told: object = record
        if isinstance(record, Received):
            opened = gate.open(record.data, entry.time_ns)
            told = opened.record if isinstance(opened, Admitted) else None
        if isinstance(told, PlotReport):
            told = told.sector
        if isinstance(told, Sector):
            looks.add((told.header.measured_ns, told.sensor, told.header.sequence))
        elif isinstance(told, TrackletReport):
            looks.update((t.time_ns, t.source, t.sequence) for t in told.tracklets)
        elif isinstance(told, TrackReport):
            coarse.update(t.number for t in told.tracks)
    for track in station.node.node.best.at(now_ns):
        # a plot that came late may lie before what was told of the track's beginning
        first_ns = track.first_ns - BEFORE_NS
        known = sum(first_ns <= time_ns <= track.seen_ns for time_ns, _, _ in looks)
        if coarse.isdisjoint(track.aliases) and track.hits > known:
            said = (
                f"{station.partner}: {track.hits} looks stand behind {track.number}, and it knows of {known}"
            )
            raise Breach("no information is counted twice", said)


def joint_pictures_equal(
    case: Case, stations: dict[str, Station], reports: dict[str, Released], now_ns: int
) -> None:
    """Nodes that have the same released reports have the same joint picture; after healing they have."""
    first, *others = stations
    for other in others:
        ours, theirs = reports[first], reports[other]
        if ours.keys() == theirs.keys():
            pictures = []
            for name in (first, other):
                running = stations[name].node
                assert running is not None
                pictures.append(picture_bytes(running.node.joint.at(now_ns)))
            if pictures[0] != pictures[1]:
                said = f"{first} and {other} have the same {len(ours)} released reports, and other pictures"
                raise Breach("joint pictures are equal", said)
        if case.rogue or not _is_linked(case, set(stations), first, other):
            continue
        for lacking, has, who in ((ours, theirs, first), (theirs, ours, other)):
            missing = [key for key in has.keys() - lacking.keys() if has[key][1] < now_ns - ON_THE_WAY_NS]
            if missing:
                said = f"{who} lacks {len(missing)} of the released reports that another node has"
                raise Breach("released sets are equal after healing", said)


def everything_arrives(
    case: Case, stations: dict[str, Station], journals: dict[str, Steps], now_ns: int
) -> None:
    """What an honest node sent is, after healing, with all of its audience that can be reached."""
    for issuer, steps in journals.items():
        for _, _, outputs in steps:
            for sent in outputs:
                if not isinstance(sent, Sent) or sent.header.measured_ns > now_ns - ON_THE_WAY_NS:
                    continue
                for to in sent.audience:
                    if to not in stations or not _is_linked(case, {issuer, *sent.audience}, issuer, to):
                        continue
                    running = stations[to].node
                    assert running is not None
                    if not running.node.has(issuer, sent.audience, sent.sequence):
                        said = (
                            f"{issuer}'s message {sent.sequence} to {', '.join(sent.audience)} is not at {to}"
                        )
                        raise Breach("everything arrives", said)


def _is_linked(case: Case, among: set[str], a: str, b: str) -> bool:
    """Whether there is a way from one partner to another over honest ones among some."""
    reached, left = {a}, [a]
    while left:
        for to in case.neighbours(left.pop()):
            if to in among and to in case.honest and to not in reached:
                reached.add(to)
                left.append(to)
    return b in reached


# ---------------------------------------------------------------------- warning alone


def warns_alone(case: Case, station: Station, steps: Steps, counts: Counter[str]) -> None:
    """A node tells zones that are struck no later than it would without a link, given the same plots.

    Partners' plots enter its own tracks as those of another radar do, and what one more radar shows first
    is chance: so its shadow gets them too, when it did.  Until a zone's latest useful moment waiting is
    free, and whoever knows more may wait for it.
    """
    config = station.config
    shadow = Node(replace(config, correspondents=(), sharing=()), Journal(None))
    alone: dict[str, int] = {}
    linked: dict[str, int] = {}
    gate = Gatekeeper(station.partner, config.correspondents, config.sensor_names)
    for entry, record, outputs in steps:
        _first_told(linked, outputs, entry.time_ns)
        look = record
        if isinstance(record, Received):
            opened = gate.open(record.data, entry.time_ns)
            told = opened.record if isinstance(opened, Admitted) else None
            look = told.sector if isinstance(told, PlotReport) and told.whole else None
        if isinstance(look, Sector):
            _first_told(alone, shadow.step(look, entry.time_ns), entry.time_ns)
    last_ns = max((e.time_ns for e, record, _ in steps if isinstance(record, Sector)), default=0)
    for zone in config.zones:
        struck_ns = case.struck.get(zone.key)
        if struck_ns is None or zone.key not in alone:
            continue
        counts["zones told alone"] += 1
        useful_ns = struck_ns - round((zone.shelter_s + config.policy.reserve_s) * 1e9)
        due_ns = max(alone[zone.key], useful_ns) + LATER_NS
        if due_ns <= last_ns and linked.get(zone.key, 2**63) > due_ns:
            when = (linked[zone.key] - alone[zone.key]) * 1e-9 if zone.key in linked else None
            late = "not at all" if when is None else f"{when:.1f} s later"
            said = f"{station.partner} told {zone.key} {late} and its shadow without a link did"
            raise Breach("each node warns alone", station.when(due_ns, said))


_TOLD = ("alert", "update")


def _first_told(told: dict[str, int], outputs: Sequence[object], time_ns: int) -> None:
    for output in outputs:
        if isinstance(output, Alert) and output.tier == "shelter" and output.action in _TOLD:
            for zone in output.zones:
                told.setdefault(zone, time_ns)
