"""A node tells what flies together, every few seconds, into its journal; and warns as if it did not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from reported_tracks import Floats, at_s
from test_node import MISSILE, node, report, theirs

import jointwatch.node.pictures as pictures
from jointwatch.node.journal import Journal
from jointwatch.node.node import Node
from jointwatch.node.pictures import GROUPS_NS
from jointwatch.node.replay import check_journal, read_account
from jointwatch.node.scribe import Output
from jointwatch.records import Alert, Group

UNTIL_S = 60.0


def second(metres: float) -> Floats:
    """A missile so far from the first one, with the same velocity."""
    state = MISSILE.copy()
    state[2] += metres
    return state


def fed_two(one: Node, metres: float = 2000.0) -> list[Output]:
    """Everything that a node says when a partner reports two missiles so far apart every two seconds."""
    out: list[Output] = []
    for k, t in enumerate(np.arange(0.0, UNTIL_S, 2.0).tolist()):
        first = theirs(t, hits=10 + k)
        other = replace(theirs(t, second(metres), hits=10 + k), number="BLUE-0002")
        out += one.step(report(k + 1, first, other), at_s(t + 0.2))
    return out


def test_two_missiles_side_by_side_are_told_as_one_group_every_five_seconds_or_so() -> None:
    told = [o for o in fed_two(node()) if isinstance(o, Group)]
    assert {g.members for g in told} == {("BLUE-0001", "BLUE-0002")}
    assert {(g.number, g.fewest, g.most) for g in told} == {(2, 2, 2)}
    times = np.diff([g.header.measured_ns for g in told])
    # reports come every 2 s: the first at least 5 s after the last is 6 s after it
    assert len(told) == 10 and (times >= GROUPS_NS).all() and (times == 6_000_000_000).all()
    assert {g.header.handling for g in told} == {"own"}
    assert not [o for o in fed_two(node(), 20e3) if isinstance(o, Group)]


def test_groups_neither_raise_nor_hold_back_an_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    def alerts(out: list[Output]) -> list[Alert]:
        # the count of the node's outputs goes on over groups, as over any other output
        return [replace(o, header=replace(o.header, sequence=0)) for o in out if isinstance(o, Alert)]

    with_groups = fed_two(node())
    monkeypatch.setattr(pictures, "groups_of", lambda picture, header: [])
    without = fed_two(node())
    assert any(isinstance(o, Group) for o in with_groups) and not any(isinstance(o, Group) for o in without)
    assert alerts(with_groups) == alerts(without) != []


def test_a_journal_with_groups_comes_out_again_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "amber.journal.sqlite"
    one = Node(node().config, Journal(path))
    fed_two(one)
    one.journal.close()
    assert read_account(path).kinds["out group"] == 10
    result = check_journal(path)
    assert result.same, result
