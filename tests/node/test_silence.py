"""A node that hears nothing more, of radars, partners or people, tells and takes back as time goes on."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from made_alerts import NOW, S
from msgspec.structs import replace
from test_new_journal import speak, start
from test_people import CONFIG, SHELTER, Rows, drafted

from jointwatch.exercise.simulator.case import draw_case
from jointwatch.exercise.simulator.simulation import Simulation
from jointwatch.node.config import NodeConfig
from jointwatch.node.journal import Journal, Kept, batches, read_kept
from jointwatch.node.node import Node
from jointwatch.node.running import RunningNode
from jointwatch.records import Alert, Delivered, TimePassed, decode

SILENT_S = 2400
Played = tuple[NodeConfig, Kept]


@pytest.fixture(scope="module")
def played() -> Played:
    """A node's journal after a case of the simulator in which nothing of its own fails."""
    simulation = Simulation(replace(draw_case(53), faults=()), Counter())
    simulation.play()
    station = simulation.stations["Amber"]
    return station.config, read_kept(station.disk.kept, "Amber")


def cut_off(played: Played, rows: Rows, tier: str) -> tuple[RunningNode, int]:
    """A node of which all inputs stop with its first alert of a tier, and when that is (ns)."""
    config, kept = played
    running = start(config, rows, kept.entries[0].time_ns)
    for entry in kept.entries[1:]:
        record = decode(entry.data, "")
        if entry.direction != "in" or isinstance(record, Delivered):
            continue
        out = running.take(record, entry.time_ns)  # type: ignore[arg-type]
        if any(isinstance(o, Alert) and o.tier == tier for o in out):
            return running, entry.time_ns
    raise AssertionError(f"nothing was told in the tier {tier}")


def alone(running: RunningNode, since_ns: int) -> list[Alert]:
    """What it says in the time after, twice a second."""
    said = []
    for n in range(1, 2 * SILENT_S):
        said += [o for o in running.pump(since_ns + n * S // 2) if isinstance(o, Alert)]
    return said


def stands(running: RunningNode) -> bool:
    return any(told.zones for told in running.node.standing())


def test_what_threatens_is_told_of_and_all_is_cleared_though_nothing_more_is_heard(played: Played) -> None:
    running, since_ns = cut_off(played, Rows(), "early")
    assert running.node.threats()[1] and stands(running)
    said = alone(running, since_ns)
    assert any(a.tier == "shelter" and a.action == "alert" for a in said)
    assert {a.tier for a in said if a.action == "all_clear"} == {"early", "shelter"}
    assert not stands(running)


@pytest.mark.parametrize("back_s", [1, 600, 7200])
def test_a_clock_that_is_set_back_does_not_keep_alerts_for_as_long(played: Played, back_s: int) -> None:
    running, since_ns = cut_off(played, Rows(), "shelter")
    said = alone(running, since_ns - back_s * S)
    assert {a.tier for a in said if a.action in ("all_clear", "cancel")} == {"early", "shelter"}
    assert not stands(running)


def test_the_time_is_in_the_journal_while_anything_depends_on_it_and_no_longer(played: Played) -> None:
    rows = Rows()
    running, since_ns = cut_off(played, rows, "shelter")
    alone(running, since_ns)
    kept = read_kept(rows.kept, "Amber")
    passed = [e for e in kept.entries[1:] if isinstance(decode(e.data, ""), TimePassed)]
    spans_s = [(b.time_ns - a.time_ns) / S for a, b in pairwise(passed)]
    assert min(spans_s) >= played[0].evaluate_s
    assert len(passed) > 10 and passed[-1].time_ns < since_ns + SILENT_S * S
    again = Node(played[0], Journal(None), kept.entries[0].time_ns)
    for entry, _ in batches(kept.entries[1:]):
        again.step(decode(entry.data, ""), entry.time_ns)  # type: ignore[arg-type]
    assert again.journal.digest == kept.digest


def test_what_people_said_ends_and_their_drafts_lapse_by_the_time_alone() -> None:
    running = start(CONFIG, Rows(), NOW)
    running.pump(NOW)
    speak(running, drafted(SHELTER), NOW)
    running.take(drafted(SHELTER, name="left"), NOW)
    assert stands(running) and running.node.drafts()
    said = alone(running, NOW)
    assert [a.action for a in said] == ["all_clear"]
    assert not stands(running) and not running.node.drafts()
