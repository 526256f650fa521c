"""One honest partner in the simulator: its node as it runs, its disk and its clock, through all its crashes.

In: sectors and frames, crashes and restarts; out: frames, alerts, and what must be remembered to judge it
later: what its receipts claimed, what it sealed, what its sink got.  The sink takes all that comes, and knows
again what it has by the identifier.
"""

from __future__ import annotations

import traceback
from collections import Counter
from random import Random

from jointwatch.exercise.simulator.case import START_NS, Case, key_of
from jointwatch.exercise.simulator.disk import Crash, Disk, Fuse
from jointwatch.joint.signing import open_receipt, public_key
from jointwatch.node.dispatch import AtOnce, Dispatch
from jointwatch.node.running import RunningNode
from jointwatch.node.sinks.sink import Answer, ForExercise
from jointwatch.records import Delivered, Sector, decode, tag_of
from jointwatch.records.messages import read_envelope

Stream = tuple[str, tuple[str, ...]]


class Breach(Exception):
    """An invariant does not hold: its name, and a sentence with the time and the node."""

    def __init__(self, invariant: str, said: str) -> None:
        super().__init__(said)
        self.invariant, self.said = invariant, said


class Station:
    """One partner's node."""

    def __init__(self, case: Case, partner: str, start_ns: int, counts: Counter[str]) -> None:
        self.case, self.partner, self.counts = case, partner, counts
        self.config = case.configs[partner]
        self.disk = Disk(Random(f"disk {case.seed} {partner}"))
        self._offset_ns, self._drift = case.clocks[partner]
        self._drift_from_ns = start_ns
        self._key = key_of(partner)
        self._public = public_key(self._key.public, partner)
        self.claimed: dict[Stream, int] = {}
        """How far receipts said that streams are in the journal."""
        self.sealed: dict[tuple[tuple[str, ...], int], bytes] = {}
        """What left under each place of each stream."""
        self.envelopes: set[bytes] = set()
        """The same as they left."""
        self.told: dict[str, bytes] = {}
        """What the sink got, once each."""
        self.crashes = 0
        self.node: RunningNode | None = None
        self.start(start_ns)

    # ------------------------------------------------------------------ time

    def clock(self, time_ns: int) -> int:
        """What the node's clock says."""
        return time_ns + self._offset_ns + round(self._drift * (time_ns - self._drift_from_ns))

    def set_clock(self, time_ns: int, offset_ns: int) -> None:
        """Its clock is set."""
        self.counts["clock steps"] += 1
        self._offset_ns, self._drift_from_ns = offset_ns, time_ns

    # ------------------------------------------------------------------ life

    def start(self, time_ns: int) -> None:
        """Begin, or begin again from the disk."""
        self.disk.fuse = ""
        try:
            self.node = RunningNode(
                self.config,
                self._key,
                self.disk,
                self.disk,
                Dispatch(self.config, [ForExercise(_Ear(self))], hand=AtOnce),
                self.clock(time_ns),
                self.case.neighbours(self.partner),
                self.case.snapshot_steps[self.partner],
            )
        except Exception as error:
            raise self._stopped(time_ns, error) from error
        if self.crashes:
            self.counts["inputs replayed"] += self.node.replayed
            if any("cut" in note for note in self.node.notes):
                self.counts["torn tails cut"] += 1
            self.counts["snapshots left out"] += sum("left out" in note for note in self.node.notes)
        self.check_claims(time_ns)

    def light(self, fuse: Fuse, time_ns: int) -> None:
        """The next crash is to come there; one at rest comes at once."""
        if self.node is None:
            return
        self.disk.fuse = fuse
        if fuse == "at rest":
            self._crash()
        elif fuse == "in a snapshot":
            self._run(lambda node: node.snapshot(), time_ns)

    def _crash(self) -> None:
        self.counts[f"crashes {self.disk.fuse}"] += 1
        self.crashes += 1
        self.node = None
        self.disk.crash()
        self.disk.fuse = ""

    def _run(self, what: object, time_ns: int) -> None:
        assert callable(what)
        if self.node is None:
            return
        try:
            what(self.node)
        except Crash:
            self._crash()
        except Breach:
            raise
        except Exception as error:
            raise self._stopped(time_ns, error) from error

    def _stopped(self, time_ns: int, error: Exception) -> Breach:
        where = traceback.extract_tb(error.__traceback__)[-1]
        said = (
            f"{self.partner}'s node stopped: {type(error).__name__}: {error} ({where.name}, {where.lineno})"
        )
        return Breach("nothing makes a node stop", self.when(time_ns, said))

    def when(self, time_ns: int, said: str) -> str:
        """A sentence with the time."""
        return f"at {(time_ns - START_NS) * 1e-9:.3f} s: {said}"

    # ------------------------------------------------------------------ what comes and goes

    def look(self, sector: Sector, time_ns: int) -> None:
        """Its radar gives a sector."""
        if self.node is None:
            self.counts["sectors missed"] += 1
        self._run(lambda node: node.take(sector, self.clock(time_ns)), time_ns)

    def pump(self, time_ns: int) -> None:
        """It sees to its sink."""
        self._run(lambda node: node.pump(self.clock(time_ns)), time_ns)

    def receive(self, link: str, frame: bytes, time_ns: int) -> None:
        """A frame comes over a link."""
        self._run(lambda node: node.receive(link, frame, self.clock(time_ns)), time_ns)

    def mended(self) -> None:
        """Its links are there again."""
        if self.node is not None:
            for link in self.node.courier.links:
                self.node.courier.mended(link)

    def frames(self, link: str, time_ns: int) -> list[bytes]:
        """What it puts on a link now."""
        if self.node is None:
            return []
        out = self.node.frames(link, self.clock(time_ns))
        for frame in out:
            self._note(frame, time_ns)
        return out

    def _note(self, frame: bytes, time_ns: int) -> None:
        """Remember what leaves."""
        if frame[:1] == b"R":
            receipt = open_receipt(frame[1:], self._public)
            assert receipt is not None
            for issuer, audience, through in receipt.through:
                stream = issuer, audience
                self.claimed[stream] = max(through, self.claimed.get(stream, 0))
            return
        envelope = read_envelope(frame[1:])
        if envelope.issuer != self.partner:
            return
        self.envelopes.add(frame[1:])
        place = envelope.audience, envelope.sequence
        if self.sealed.setdefault(place, envelope.payload) != envelope.payload:
            said = f"{self.partner} sealed two messages as number {place[1]} to {', '.join(place[0])}"
            raise Breach("no story is told twice", self.when(time_ns, said))

    def hear(self, identifier: str, data: bytes) -> None:
        """The sink gets an alert: again only if no receipt for it is on the disk."""
        if identifier in self.told:
            self.counts["alerts handed out again"] += 1
            self._check_unreceipted(identifier)
        if self.told.setdefault(identifier, data) != data:
            said = f"{self.partner} gave two alerts the identifier {identifier}"
            raise Breach("no alert twice", said)
        if self.disk.fuse == "in an alert":
            raise Crash

    def _check_unreceipted(self, identifier: str) -> None:
        for row in self.disk.kept:
            if tag_of(row[3]) == "delivered":
                record = decode(row[3], self.partner)
                if isinstance(record, Delivered) and record.identifier == identifier:
                    said = f"{self.partner} handed out {identifier} after it had the receipt for it"
                    raise Breach("no alert twice", said)

    def check_claims(self, time_ns: int) -> None:
        """What was acknowledged is still there."""
        if self.node is None:
            return
        have = {(issuer, audience): through for issuer, audience, through in self.node.node.streams()}
        for stream, through in self.claimed.items():
            if have.get(stream, 0) < through:
                said = (
                    f"{self.partner} acknowledged {stream[0]}'s messages to {', '.join(stream[1])} up to "
                    f"{through}, and has them up to {have.get(stream, 0)}"
                )
                raise Breach("nothing acknowledged is lost", self.when(time_ns, said))


class _Ear:
    """The transport of a station's sink."""

    name, exercise = "ear", True

    def __init__(self, station: Station) -> None:
        self._station = station

    def deliver(self, identifier: str, data: bytes) -> Answer:
        self._station.hear(identifier, data)
        return Answer("delivered")

    def close(self) -> None:
        """Nothing is open."""
