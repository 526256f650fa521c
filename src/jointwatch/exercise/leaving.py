"""Warnings that really leave a played exercise, for sinks that were made for exercises.

In: the linked nodes, their sinks and keys (`node.sinks.sinks_file`), what each node put out, and the time,
which is the exercise's; out: alerts at the sinks, and what became of them in each node's journal, so that it
can be replayed.  Where nothing has to keep pace with a clock, an attempt takes none of the exercise's time:
the same seed and the same answers of the sinks give the same journals, at any speed.  Else each sink has a
thread of its own, as for a running node.  Without this, nothing leaves an exercise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jointwatch.node.dispatch import Dispatch, Hand
from jointwatch.node.load import Clock
from jointwatch.node.node import Node
from jointwatch.node.outbox import SinkState
from jointwatch.node.receipts import pump
from jointwatch.node.scribe import Output
from jointwatch.node.sinks.sink import ForExercise, ForLive
from jointwatch.node.sinks.sinks_file import ExerciseSinks
from jointwatch.records import Advisory, Alert

LAST_S = 15.0
"""At the end, attempts that are under way are waited for so long."""
_LOOK_S = 0.02


class Leaving:
    """What leaves the linked nodes of one exercise."""

    def __init__(
        self,
        nodes: Mapping[str, Node],
        sinks: ExerciseSinks,
        hand: Callable[[ForLive | ForExercise], Hand],
    ) -> None:
        """nodes: by partner, as `sinks`.  BadInput if a sink or a key is not for its node."""
        self._nodes = nodes
        self._dispatch = {
            partner: Dispatch(node.config, sinks.sinks[partner], sinks.keys[partner], hand)
            for partner, node in nodes.items()
        }

    def take(self, partner: str, outputs: list[Output], now: int) -> list[Output]:
        """Take what a node put out (it is in the journal), hand over what is due, and take what became of
        what was handed over before; what the node put out upon that."""
        dispatch = self._dispatch[partner]
        dispatch.take([output for output in outputs if isinstance(output, Alert | Advisory)], now)
        return pump(self._nodes[partner], dispatch, now)[0]

    def finish(self, partner: str, now: int, clock: Clock) -> list[Output]:
        """Hand over what can still be, and wait for what is under way; what the node put out upon it."""
        outputs: list[Output] = []
        dispatch, began = self._dispatch[partner], clock.now_s()
        outputs += pump(self._nodes[partner], dispatch, now)[0]
        while dispatch.is_busy() and clock.now_s() - began < LAST_S:
            outputs += pump(self._nodes[partner], dispatch, now)[0]
            if dispatch.is_busy():
                clock.wait(_LOOK_S)
        dispatch.close()
        return outputs

    def states(self, now: int) -> dict[str, tuple[SinkState, ...]]:
        """How each partner's sinks did."""
        return {partner: dispatch.states(now) for partner, dispatch in self._dispatch.items()}
