"""The other half of the seeds, and the simulator itself: it repeats, and finds what is broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simulator_seeds import all_hold

from jointwatch.exercise.simulator.campaign import campaign
from jointwatch.exercise.simulator.simulation import Outcome, simulate
from jointwatch.joint import gatekeeper
from jointwatch.joint.streams import BEGUN, Stream
from jointwatch.node import recovery, running


def test_all_invariants_hold() -> None:
    all_hold(range(40, 60))


def test_a_seed_repeats_exactly() -> None:
    for seed in (4, 8):
        lines: list[list[str]] = [[], []]
        outcomes = [simulate(seed, into.append) for into in lines]
        assert lines[0] == lines[1] and len(lines[0]) > 50
        assert outcomes[0].counts == outcomes[1].counts


def test_a_campaign_says_the_same_on_two_processes() -> None:
    one, two = campaign(0, 4, 1), campaign(0, 4, 2)
    assert one.counts == two.counts and one.broken == two.broken == ()


def first_broken(most: int = 60) -> Outcome:
    """The first seed in which an invariant does not hold."""
    return next(o for o in map(simulate, range(most)) if o.invariant)


def sends_before_it_syncs(patch: pytest.MonkeyPatch) -> None:
    def take(self: Any, record: Any, now_ns: int) -> Any:
        outputs = self.node.step(record, now_ns)
        self._hand_out(outputs, now_ns)
        self.node.journal.sync()
        return outputs

    patch.setattr(running.RunningNode, "take", take)


def forgets_alerts_in_snapshots(patch: pytest.MonkeyPatch) -> None:
    opened = recovery.open_snapshot

    def forgetful(*given: Any) -> Any:
        node = opened(*given)
        for warner in node._decisions._warners:
            warner._told, warner._series = {}, {}
        return node

    patch.setattr(recovery, "open_snapshot", forgetful)


def takes_what_is_not_signed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gatekeeper, "is_signed", lambda *_: True)


def folds_in_order_of_arrival(patch: pytest.MonkeyPatch) -> None:
    insert = Stream.insert

    def careless(self: Any, key: Any, value: Any) -> bool:
        if self.keys and key < self.keys[-1] and not key[1].startswith(BEGUN):
            return False
        return insert(self, key, value)

    patch.setattr(Stream, "insert", careless)


@pytest.mark.parametrize(
    ("broken", "invariants"),
    [
        (sends_before_it_syncs, {"no alert twice", "no alert is lost", "no story is told twice"}),
        (forgets_alerts_in_snapshots, {"as if it had never stopped", "no alert twice", "no alert is lost"}),
        (takes_what_is_not_signed, {"bad messages are refused"}),
        (folds_in_order_of_arrival, {"the joint picture is a fold", "joint pictures are equal"}),
    ],
)
def test_what_is_broken_on_purpose_is_found(
    broken: Callable[[pytest.MonkeyPatch], None], invariants: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    outcome = first_broken()
    assert outcome.invariant in invariants, outcome.said
