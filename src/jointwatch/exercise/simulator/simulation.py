"""Playing one case: virtual time, all chance from the seed, and the invariants judged at its end.

In: a case; out: its `Outcome`: what was injected, and the first invariant that broke, with a sentence.  Nodes
are those of a live system (`node.running`), on a disk, links and clocks that fail as the case says.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from jointwatch.exercise.simulator.case import START_NS, Case, draw_case
from jointwatch.exercise.simulator.invariants import judge
from jointwatch.exercise.simulator.link import Link
from jointwatch.exercise.simulator.rogue import Rogue
from jointwatch.exercise.simulator.sky import LATENCY_NS, S, sectors
from jointwatch.exercise.simulator.station import Breach, Station
from jointwatch.joint import gatekeeper
from jointwatch.records import Envelope

TICK_NS, SLOW_TICK_NS = S // 2, 2 * S
"""Nodes put on links what there is to put so often, and after all is healed."""
Trace = Callable[[str], None]


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of one case.  invariant, said: what broke, "" if nothing did."""

    seed: int
    invariant: str
    said: str
    counts: dict[str, int]
    seconds: float


def simulate(seed: int, trace: Trace | None = None) -> Outcome:
    """Play the case of a seed; trace: called with a line for each thing that happens."""
    began = time.perf_counter()
    counts: Counter[str] = Counter()
    invariant = said = ""
    with _verified_once():
        try:
            simulation = Simulation(draw_case(seed), counts, trace)
            simulation.play()
            sealed = simulation.sealed()
            judge(simulation.case, simulation.stations, sealed, simulation.now_ns, counts)
        except Breach as breach:
            invariant, said = breach.invariant, breach.said
    return Outcome(
        seed=seed,
        invariant=invariant,
        said=said,
        counts=dict(sorted(counts.items())),
        seconds=time.perf_counter() - began,
    )


@contextmanager
def _verified_once() -> Iterator[None]:
    """Ask of each signature only once whether it is good: twins and judges ask again, and it is dear."""
    names = vars(gatekeeper)
    asked = names["is_signed"]
    known: dict[tuple[Envelope, bytes], bool] = {}

    def is_signed(envelope: Envelope, key: Ed25519PublicKey) -> bool:
        place = envelope, key.public_bytes_raw()
        if place not in known:
            known[place] = asked(envelope, key)
        return known[place]

    names["is_signed"] = is_signed
    try:
        yield
    finally:
        names["is_signed"] = asked


class Simulation:
    """The stations of one case, the links between them, and what is still to happen."""

    def __init__(self, case: Case, counts: Counter[str], trace: Trace | None = None) -> None:
        self.case, self.counts, self._trace = case, counts, trace
        self.now_ns = START_NS
        self.stations = {name: Station(case, name, START_NS, counts) for name in case.honest}
        self._links = {
            way: Link(quality, case.healed_ns, Random(f"link {case.seed} {way}"), counts)
            for way, quality in case.qualities.items()
        }
        self._rogue = Rogue(case, Random(f"rogue {case.seed}"), counts) if case.rogue else None
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def play(self) -> None:
        """From the beginning to the settled end."""
        case = self.case
        for name, station in self.stations.items():
            for n, sensor in enumerate(station.config.sensors):
                rng = Random(f"radar {case.seed} {name} {n}")
                for sector in sectors(sensor, case.flown, START_NS, case.sensing_ns, rng):
                    self._at(
                        sector.header.measured_ns + LATENCY_NS,
                        lambda station=station, sector=sector: station.look(sector, self.now_ns),  # type: ignore[misc]
                    )
        for fault in case.faults:
            station = self.stations[fault.partner]
            if fault.clock_ns is not None:
                offset_ns = fault.clock_ns
                self._at(
                    fault.time_ns,
                    lambda station=station, offset_ns=offset_ns: station.set_clock(self.now_ns, offset_ns),  # type: ignore[misc]
                )
                continue
            self._at(
                fault.time_ns,
                lambda station=station, fuse=fault.fuse: station.light(fuse, self.now_ns),  # type: ignore[misc]
            )
            self._at(fault.restart_ns, lambda station=station: self._restart(station))  # type: ignore[misc]
        self._at(case.healed_ns, self._heal)
        self._at(START_NS, self._tick)
        while self._events and self._events[0][0] <= case.end_ns:
            self.now_ns, _, event = heapq.heappop(self._events)
            event()
        for station in self.stations.values():
            station.check_claims(self.now_ns)

    def sealed(self) -> set[bytes]:
        """All that anybody sealed under its own name."""
        out = set() if self._rogue is None else set(self._rogue.sealed)
        return out.union(*(station.envelopes for station in self.stations.values()))

    def _at(self, time_ns: int, event: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (time_ns, self._count, event))

    def _say(self, line: str) -> None:
        if self._trace is not None:
            self._trace(f"{(self.now_ns - START_NS) / S:9.3f} s  {line}")

    def _restart(self, station: Station) -> None:
        if station.node is None:
            station.start(self.now_ns)
            self._say(f"{station.partner} starts again: {station.node and station.node.notes}")

    def _heal(self) -> None:
        """From here on nothing fails."""
        for station in self.stations.values():
            station.disk.fuse = ""
            self._restart(station)
            station.mended()
        self._say("all is well again")

    def _tick(self) -> None:
        now_ns, case = self.now_ns, self.case
        for name, station in self.stations.items():
            station.pump(now_ns)
            for to in case.neighbours(name):
                for frame in station.frames(to, now_ns):
                    self._put(name, to, frame)
        if self._rogue is not None and now_ns < case.healed_ns:
            for to, frame in self._rogue.act(case.neighbours(case.rogue), now_ns):
                self._put(case.rogue, to, frame)
        after_ns = case.sensing_ns + 4 * S
        calm = after_ns <= now_ns < case.healed_ns - SLOW_TICK_NS or now_ns >= max(
            case.healed_ns + 4 * S, after_ns
        )
        self._at(now_ns + (SLOW_TICK_NS if calm else TICK_NS), self._tick)

    def _put(self, sender: str, to: str, frame: bytes) -> None:
        for arrival_ns, data in self._links[sender, to].carry(frame, self.now_ns):
            self._at(arrival_ns, lambda data=data: self._arrive(sender, to, data))  # type: ignore[misc]

    def _arrive(self, sender: str, to: str, frame: bytes) -> None:
        self.counts["frames"] += 1
        if to == self.case.rogue:
            assert self._rogue is not None
            self._rogue.hear(frame)
            return
        self._say(f"{sender} -> {to}: {frame[:1]!r} of {len(frame)} bytes")
        self.stations[to].receive(sender, frame, self.now_ns)
