"""The link between the nodes of an exercise: frames arrive after a delay, and none while it is cut.

In: the scenario's `[link]`, and what the nodes' couriers put on it, in order of time; out: the frames that
have arrived by now.  A link with more faults than that is in `exercise.simulator`.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from jointwatch.exercise.scenario import Scenario
from jointwatch.node.courier import Courier


class Link:
    """The links between all nodes of an exercise; they are cut together."""

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
        """Put a frame on the link to a partner."""
        arrival = now + self._delay_ns
        if any(begin <= arrival < end for begin, end in self._cuts):
            return  # it was on its way when the link was cut
        self._count += 1
        heapq.heappush(self._heap, (arrival, self._count, sender, receiver, frame))

    def due(self, now: int) -> Iterator[tuple[int, str, str, bytes]]:
        """What has arrived by now, in that order: when (ns), from whom, to whom, and the frame."""
        while self._heap and self._heap[0][0] <= now:
            arrival, _, sender, receiver, frame = heapq.heappop(self._heap)
            yield arrival, sender, receiver, frame
