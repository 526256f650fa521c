"""Looking at the sources of one node, each by itself, so that none holds up the node or another.

In: sources and the time that the node is told; out: what they brought, as inputs for its journal, and how
each source does.  A source that fails is asked less and less often, at longest every ten minutes; one that
brings more than a node takes waits.  What was brought once is not brought again, wherever it came from within
the source.

A message of a sender whose clock is ahead of ours waits until the gate takes it as fresh, up to five minutes.
In an exercise, whose clock is its own, a message waits until the exercise has come to when it was sent: so a
folder prepared beforehand, or another exercise's feed, is heard as it would have been.
"""

from __future__ import annotations

import hashlib
import heapq
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Protocol

from msgspec import Struct

from jointwatch.formats.cap_gate import AHEAD_NS
from jointwatch.formats.cap_in import read_head
from jointwatch.joint.allowance import Allowance
from jointwatch.node.sinks.sink import printable
from jointwatch.node.sources.source import MOST_BYTES, Look, LookFailed, Source
from jointwatch.records import BadInput, Header, ReceivedCap

SLOWEST_S = 600.0
BROUGHT_PER_S, BROUGHT_AT_ONCE = 10.0, 50.0
"""Messages that the node is handed of one source: half of what its gate takes."""
BYTES_PER_S, BYTES_AT_ONCE = 200e3, float(MOST_BYTES)
"""The same in bytes: to read a message of the greatest length to its end takes half a second."""
MOST_HELD, MOST_HELD_BYTES = 1000, 50_000_000
"""Messages of one source that wait, whatever for; of a fuller one what is due last is let go, strangers'
first, and said.  It is not remembered: a source that gives it again is heard."""
WAITS_NS = 300_000_000_000
"""A message that was sent ahead of our clock waits for so long until it is fresh.  What is further ahead the
gate is handed at once, to refuse it in words: nobody should hear of a wrong clock only by what is missing."""
_Held = tuple[int, int, int, bytes]
"""When a message is due, when it was sent, which it was of all, and its bytes."""
MOST_KNOWN = 20_000
"""Messages of one source that are known again."""


class SourceState(Struct, frozen=True, kw_only=True):
    """How one source does.

    looks: how often it was looked at; failed: how often in vain, failing: of those, the last in a row.
    brought: messages that the node was handed; waiting: those that it will be, dropped: those too many to
    wait.  left_out: what the last look could not have.  last_good_ns: 0 if no look ever succeeded.
    last_error: what was wrong last, and stays said.
    """

    name: str
    looks: int
    failed: int
    failing: int
    brought: int
    waiting: int
    dropped: int
    left_out: int
    last_good_ns: int
    last_error: str


class Looker(Protocol):
    """Looks at one source when it is told to."""

    def begin(self) -> None:
        """Look; no look is under way."""

    def came(self) -> Look | LookFailed | None:
        """What came of it, once that is known."""

    def close(self) -> None:
        """Look no more."""


class AtOnce:
    """Looks while it is told to: for an exercise that keeps pace with no clock, and for tests."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._kept: Look | LookFailed | None = None

    def begin(self) -> None:
        self._kept = _looked(self._source)

    def came(self) -> Look | LookFailed | None:
        came, self._kept = self._kept, None
        return came

    def close(self) -> None:
        """Nothing to do."""


class OwnThread:
    """Looks in a thread of its own: a source may take as long as it will."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._told: SimpleQueue[bool] = SimpleQueue()
        self._came: SimpleQueue[Look | LookFailed] = SimpleQueue()
        threading.Thread(target=self._run, name=f"source {source.name}", daemon=True).start()

    def begin(self) -> None:
        self._told.put(True)

    def came(self) -> Look | LookFailed | None:
        with suppress(Empty):
            return self._came.get_nowait()
        return None

    def close(self) -> None:
        """A source that hangs is left to itself: its thread ends with the process."""
        self._told.put(False)

    def _run(self) -> None:
        while self._told.get():
            self._came.put(_looked(self._source))


def _looked(source: Source) -> Look | LookFailed:
    try:
        return source.look()
    except LookFailed as failed:
        return failed
    except Exception as error:  # whatever goes wrong in a source is that source's
        return LookFailed(f"{type(error).__name__}: {error}")


class _Watched:
    """One source, and what is known of it."""

    def __init__(self, source: Source, looker: Looker, senders: frozenset[str], wait: bool) -> None:
        """senders: those that the node listens to; what goes by another name waits behind theirs.  wait: each
        message for when it was sent."""
        self._senders, self._wait = senders, wait
        self.name, self.every_s, self.looker = source.name, source.every_s, looker
        self.allowance = Allowance(BROUGHT_PER_S, BROUGHT_AT_ONCE, BYTES_PER_S, BYTES_AT_ONCE)
        self.looking = False
        self.next_ns = self.asked_ns = -(2**62)
        self.looks = self.failed = self.failing = self.brought = self.dropped = self.left_out = 0
        self.last_good_ns = 0
        self.last_error = ""
        self.known: dict[bytes, None] = {}
        self.held: tuple[list[_Held], list[_Held]] = [], []
        self.held_bytes = self.count = 0

    def take(self, came: Look | LookFailed, now_ns: int) -> None:
        """Take what a look brought, and say when the next is."""
        self.looking = False
        self.looks += 1
        every_s = self.every_s
        if isinstance(came, LookFailed):
            self.failed += 1
            self.failing += 1
            self.last_error = printable(came)
            every_s = min(every_s * 2.0 ** min(self.failing, 20), SLOWEST_S)
            every_s = max(every_s, min(came.retry_after_s, SLOWEST_S), self.every_s)
        else:
            self.failing, self.last_good_ns = 0, now_ns
            self.left_out = len(came.troubles)
            if came.troubles:
                self.last_error = printable(came.troubles[-1])
            for data in came.messages:
                self._hold(data, now_ns)
        self.next_ns = now_ns + round(every_s * 1e9)

    def _hold(self, data: bytes, now_ns: int) -> None:
        if len(data) > MOST_BYTES:
            # the gate would refuse it, and the allowance, which is never so great, would hold up all for it
            self.dropped += 1
            self.last_error = f"a message of more than {MOST_BYTES} bytes"
            return
        digest = hashlib.sha256(data).digest()
        if digest in self.known:
            return
        self.known[digest] = None
        if len(self.known) > MOST_KNOWN:
            del self.known[next(iter(self.known))]
        self.count += 1
        sender, sent_ns = _head(data, self.name, now_ns)
        due_ns = sent_ns if self._wait else _fresh_ns(sent_ns, now_ns)
        heard, others = self.held
        heapq.heappush(heard if sender in self._senders else others, (due_ns, sent_ns, self.count, data))
        self.held_bytes += len(data)
        while self.waiting > MOST_HELD or self.held_bytes > MOST_HELD_BYTES:
            crowd = others or heard
            crowd.sort()  # a sorted list is a heap
            gone = crowd.pop()[3]
            self.held_bytes -= len(gone)
            self.known.pop(hashlib.sha256(gone).digest(), None)
            self.dropped += 1
            self.last_error = f"more than {MOST_HELD} messages or {MOST_HELD_BYTES // 10**6} MB wait"

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return sum(map(len, self.held))

    def is_time(self, now_ns: int) -> bool:
        """Whether to look again; also where the clock was put back."""
        return not 0 < self.next_ns - now_ns <= round(max(SLOWEST_S, self.every_s) * 1e9)

    def due(self, now_ns: int) -> list[bytes]:
        """The messages that are due, as many as may come."""
        if now_ns < self.asked_ns and not self._wait:
            # the clock was put back: what was due by the one before is not to wait until it comes there again
            for crowd in self.held:
                crowd[:] = [(min(d, _fresh_ns(sent, now_ns)), sent, n, data) for d, sent, n, data in crowd]
                heapq.heapify(crowd)
        self.asked_ns = now_ns
        out: list[bytes] = []
        for crowd in self.held:
            while crowd and crowd[0][0] <= now_ns:
                if not self.allowance.takes(len(crowd[0][3]), now_ns):
                    # strangers take nothing of what those wait for whom the node listens to
                    return self._brought(out)
                out.append(heapq.heappop(crowd)[3])
                self.held_bytes -= len(out[-1])
        return self._brought(out)

    def _brought(self, out: list[bytes]) -> list[bytes]:
        self.brought += len(out)
        return out

    def state(self) -> SourceState:
        return SourceState(
            name=self.name, looks=self.looks, failed=self.failed, failing=self.failing, brought=self.brought,
            waiting=self.waiting, dropped=self.dropped, left_out=self.left_out,
            last_good_ns=self.last_good_ns, last_error=self.last_error,
        )  # fmt: skip


def _head(data: bytes, source: str, now_ns: int) -> tuple[str, int]:
    """Whose a message says that it is, and when it was sent: what it refers to comes before it."""
    try:
        head = read_head(data, source)
    except Exception:  # whatever is wrong with a message is that message's
        return "", now_ns  # it is refused in words by the gate, and counted there
    return head.sender, head.sent_ns


def _fresh_ns(sent_ns: int, now_ns: int) -> int:
    """When a live node's gate is handed a message: now, or when it is fresh if that is not far off."""
    fresh_ns = sent_ns - AHEAD_NS
    return fresh_ns if now_ns < fresh_ns <= now_ns + WAITS_NS else now_ns


class Listening:
    """The sources of one node."""

    def __init__(
        self,
        partner: str,
        sources: Sequence[Source],
        exercise: bool,
        looker: Callable[[Source], Looker] = OwnThread,
        senders: Iterable[str] = (),
    ) -> None:
        """partner: whose node it is.  exercise: whether it is one of an exercise.  senders: those that it
        listens to.  BadInput if two sources have one name."""
        names = [source.name for source in sources]
        for n, name in enumerate(names):
            if name in names[:n]:
                raise BadInput(f"{partner}'s sources", name, "two sources of this name", "one")
        self._partner, heard = partner, frozenset(senders)
        self._watched = [_Watched(source, looker(source), heard, exercise) for source in sources]
        self._brought = 0

    def take(self, now_ns: int) -> list[ReceivedCap]:
        """What is for the node now (inputs of it), after having begun the looks that are due: to be asked
        several times a second."""
        out = []
        for watched in self._watched:
            if not watched.looking and watched.is_time(now_ns):
                watched.looking = True
                watched.looker.begin()
            if watched.looking:
                came = watched.looker.came()
                if came is not None:
                    watched.take(came, now_ns)
            for data in watched.due(now_ns):
                self._brought += 1
                header = Header(
                    originator=self._partner,
                    source=f"source {watched.name}",
                    sequence=self._brought,
                    measured_ns=now_ns,
                )
                out.append(ReceivedCap(header=header, feed=watched.name, data=data))
        return out

    def states(self) -> tuple[SourceState, ...]:
        """How the sources do."""
        return tuple(watched.state() for watched in self._watched)

    def close(self) -> None:
        """Look no more."""
        for watched in self._watched:
            watched.looker.close()
