"""A node made again from its journal is the node that never stopped, to the bit, from wherever it begins."""

from __future__ import annotations

import pickle
from collections import Counter
from functools import reduce
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from jointwatch.exercise.simulator.case import draw_case, key_of
from jointwatch.exercise.simulator.disk import Disk
from jointwatch.exercise.simulator.invariants import fingerprint
from jointwatch.exercise.simulator.simulation import Simulation
from jointwatch.joint.sharing import SharingRule
from jointwatch.node import snapshot
from jointwatch.node.config import NodeConfig
from jointwatch.node.dispatch import AtOnce, Dispatch
from jointwatch.node.journal import Journal, Kept, batches, read_kept
from jointwatch.node.node import Node
from jointwatch.node.recovery import recover
from jointwatch.node.running import RunningNode
from jointwatch.node.sinks.sink import Answer, ForExercise
from jointwatch.node.snapshot import SnapshotFiles, about_snapshot, open_snapshot, take_snapshot
from jointwatch.node.store import Row
from jointwatch.records import Alert, BadInput, Delivered, Sent, decode, encode
from jointwatch.tracking.seeds import Seeds
from jointwatch.warning.standing import Standing

Played = tuple[NodeConfig, Kept, int]


class NoShelf:
    """No snapshots."""

    def put(self, count: int, data: bytes) -> None: ...

    def newest(self) -> Any:
        return iter(())


class OneShelf(NoShelf):
    """These snapshots, the newest first."""

    def __init__(self, *snapshots: bytes) -> None:
        self.snapshots = snapshots

    def newest(self) -> Any:
        return iter(self.snapshots)


@pytest.fixture(scope="module")
def played() -> Played:
    """A node's journal after a case of the simulator in which nothing of its own fails, and when it ended."""
    case = replace(draw_case(53), faults=())
    simulation = Simulation(case, Counter())
    simulation.play()
    station = simulation.stations["Amber"]
    kept = read_kept(station.disk.kept, "Amber")
    assert sum(isinstance(decode(e.data, ""), Alert) for e in kept.entries[1:]) > 1
    return station.config, kept, simulation.now_ns


def stepped(config: NodeConfig, kept: Kept) -> Any:
    """A node after each step of a journal, with how many entries it stands for."""
    node = Node(config, Journal(None), kept.entries[0].time_ns)
    yield node
    for entry, _ in batches(kept.entries[1:]):
        node.step(decode(entry.data, ""), entry.time_ns)  # type: ignore[arg-type]
        yield node


def test_snapshot_and_tail_are_as_never_stopped_from_every_tenth_step(played: Played) -> None:
    config, kept, now_ns = played
    snapshots = [take_snapshot(node) for n, node in enumerate(stepped(config, kept)) if n % 10 == 0]
    *_, never = stepped(config, kept)
    assert never.journal.digest == kept.digest
    wanted = fingerprint(never, now_ns)
    assert len(snapshots) > 5
    for data in snapshots:
        again = recover(kept, Journal(None, None, kept), OneShelf(data), "a journal")
        assert again.notes == ()
        assert fingerprint(again.node, now_ns) == wanted


def test_what_does_not_fit_is_left_out_and_said(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    config, kept, now_ns = played
    node = next(n for n in stepped(config, kept) if n.journal.count > len(kept.entries) // 2)
    good = take_snapshot(node)
    other = take_snapshot(Node(replace(config, name="another"), Journal(None)))
    *_, never = stepped(config, kept)
    wanted = fingerprint(never, now_ns)
    with monkeypatch.context() as patched:
        patched.setattr(snapshot, "build", lambda: "another")
        foreign = take_snapshot(node)
    for bad, why in (
        (good[:-5], "not whole"),
        (good[:30], "not whole"),
        (b"", "no snapshot"),
        (good[:-5] + b"x" * 5, "not whole"),
        (other, "another journal"),
        (foreign, "another build"),
    ):
        again = recover(kept, Journal(None, None, kept), OneShelf(bad), "a journal")
        assert len(again.notes) == 1 and why in again.notes[0]
        assert fingerprint(again.node, now_ns) == wanted
        # an older one that fits is used then
        again = recover(kept, Journal(None, None, kept), OneShelf(bad, good), "a journal")
        assert again.replayed < 200 and fingerprint(again.node, now_ns) == wanted


def test_no_key_is_in_a_snapshot(played: Played) -> None:
    config, kept, _ = played
    secret = "a secret for pseudonyms"
    hidden = SharingRule(name="h", kind="tracks", release="coarsened", pseudonyms=True, key=secret)
    node = Node(replace(config, sharing=(hidden,)), Journal(None))
    for entry, _ in list(batches(kept.entries[1:]))[:60]:
        node.step(decode(entry.data, ""), entry.time_ns)  # type: ignore[arg-type]
    data = take_snapshot(node)
    assert secret.encode() not in data
    assert key_of(config.partner).secret() not in data
    again = open_snapshot(data, node.config, Journal(None))
    assert again.config.sharing[0].key == secret
    # a node that was given a private key could not be kept at all
    node.key = key_of(config.partner)  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="private key"):
        take_snapshot(node)


def test_a_snapshot_makes_nothing_but_the_package_s_own_objects(played: Played) -> None:
    config, _, _ = played

    class Evil:
        def __reduce__(self) -> Any:
            return print, ("no",)

    node = Node(config, Journal(None))
    node.evil = Evil()  # type: ignore[attr-defined]
    data = take_snapshot(node)
    assert not isinstance(about_snapshot(data), str)
    with pytest.raises(pickle.UnpicklingError, match="does not belong"):
        open_snapshot(data, config, Journal(None))


def test_what_the_journal_says_stands_where_it_would_be_decided_otherwise(played: Played) -> None:
    """As after an upgrade: nothing that was said is said again under another number, or otherwise."""
    _, kept, _ = played
    journal = Journal(None)
    entries, digests = [], []
    alerts = sent = 0
    for entry in kept.entries:
        record = decode(entry.data, "") if entry.direction == "out" else None
        if isinstance(record, Alert):
            alerts += 1
            identifier = record.identifier.replace("-01-", "-07-")
            entry = replace(entry, data=encode(replace(record, identifier=identifier)))
        elif isinstance(record, Sent):
            sent += 1
            entry = replace(entry, data=encode(replace(record, sequence=record.sequence + 1000)))
        journal.append(entry.time_ns, entry.direction, entry.data)
        entries.append(entry)
        digests.append(journal.digest)
    again = recover(Kept(entries, digests, 0), journal, NoShelf(), "a journal")
    assert any("decided otherwise" in note for note in again.notes)
    said = [o for _, outputs in again.said for o in outputs]
    assert sum(isinstance(o, Sent) for o in said) == sent > 10
    assert {o.identifier for o in said if isinstance(o, Alert)} and alerts > 1
    assert all(o.sequence > 1000 for o in said if isinstance(o, Sent))
    # what has to be ended is what was issued, and under the numbers it was issued by
    for warner, standing in zip(again.node._decisions._warners, again.node.standing(), strict=True):
        issued = [o for o in said if isinstance(o, Alert) and o.header.source == warner.name]
        assert standing == reduce(Standing.after, issued, Standing())
        assert {warner.zones[z].key for z in warner._told} == set(standing.told["shelter"])
    # what it says from now on comes after all that stands
    exchange = again.node._exchange
    assert all(sequence > 1000 for sequence in exchange._sequences.values())


def test_a_running_node_goes_on_from_its_files(played: Played, tmp_path: Path) -> None:
    config, kept, now_ns = played
    disk, shelf = Disk(Random("disk")), SnapshotFiles(tmp_path / "j.sqlite")
    heard: list[str] = []
    entries = [(decode(e.data, ""), e.time_ns) for e, _ in batches(kept.entries[1:])]
    inputs = [(record, time_ns) for record, time_ns in entries if not isinstance(record, Delivered)]

    class Ear:
        name, exercise = "ear", True

        def deliver(self, identifier: str, data: bytes) -> Answer:
            heard.append(identifier)
            return Answer("delivered")

    def running(now_ns: int, config: NodeConfig = config) -> RunningNode:
        dispatch = Dispatch(config, [ForExercise(Ear())], hand=AtOnce)
        return RunningNode(config, key_of("Amber"), disk, shelf, dispatch, now_ns, snapshot_steps=25)

    node = running(kept.entries[0].time_ns)
    for n, (record, time_ns) in enumerate(inputs):
        if n % 40 == 39:
            node = running(time_ns)
            assert node.replayed <= 26 and node.notes == ()
        node.take(record, time_ns)  # type: ignore[arg-type]
        node.pump(time_ns)
    for _ in range(10):
        node.pump(now_ns)
    # receipts apart, it says what the node said that never stopped, and each alert left once
    assert said_by(disk.kept) == said_by(kept)
    issued = [o for o in said_by(kept) if isinstance(o, Alert)]
    assert heard == [a.identifier for a in issued]
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(BadInput, match="another configuration"):
        running(now_ns, replace(config, evaluate_s=2.0))


def said_by(journal: Kept | list[Row]) -> list[object]:
    """What lies in a journal as said."""
    kept = journal if isinstance(journal, Kept) else read_kept(journal, "journal")
    return [decode(e.data, "") for e in kept.entries if e.direction == "out"]


def test_the_room_behind_seeds_is_nought_whatever_lay_in_that_memory_before() -> None:
    """What is only room goes into snapshots with the rest: a freed key must not."""
    for _ in range(20):
        dirty = [bytearray(b"\xa5" * size) for size in (4096, 10240, 20480, 40960)]
        del dirty
        bed = Seeds().copy().bed
        assert not bed.seeds.view(np.uint8).any() and not bed.sights.any()
