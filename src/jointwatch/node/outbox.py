"""The outbox between one node and those who are to hear its alerts: what each sink is still to be given.

In: alerts and outcomes (`Delivered`), both once they are in the journal, and the time; out: the next message
for each sink, what has to be journalled because it is given up, and the state of each sink.  It is a fold
over the journal: made anew from there it goes on, what was delivered is never delivered again and what was
not is.  Between "sent" and "receipt journalled" a crash has it sent once more, under the same identifier: by
that a sink knows it again.  As in `node.courier`, what fails is tried again, later and later up to a minute,
until the message is void.

The order at one sink.  Messages of one series keep theirs, for each takes the place of those before.  Those
that tell people to act at once, take shelter or a cancel, go before early notices and all clears; a message
that stands before such a one in its series goes with it.  A cancel or an all clear strikes out what of its
series has not arrived: to deliver that later would be a false alarm, and what still stands of it the later
message says itself (`formats.cap`).  So it is never behind an alert that cannot be delivered and never before
one that still may be; it only waits for the attempt that is under way, of which nobody knows how it ends.  It
goes out itself though nothing before it is known to have arrived: of an attempt that ended in a crash or a
timeout nobody knows either.

It knows no socket and reads no clock (`node.dispatch` hands over).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile

from msgspec import Struct

from jointwatch.formats.cap import void_ns
from jointwatch.records import GIVEN_UP, Advisory, Alert, Delivered, Outcome, PublicMessage
from jointwatch.warning.standing import series_of

Render = Callable[[PublicMessage, Sequence[PublicMessage]], bytes]
"""The bytes of a message, given the earlier ones of its series, in order: always the same for the same
message, or a sink cannot know it again; and telling all that stands of the series."""
AGAIN_NS, SLOWEST_NS = 2_000_000_000, 60_000_000_000
"""What failed is tried again after so long, then after twice that, and so on up to..."""
AT_ONCE_NS = -(2**62)
MOST_WAITING = 1000
"""Messages that may wait for one sink."""


class Delivery(Struct, frozen=True):
    """A message to hand to a sink now."""

    sink: str
    identifier: str
    data: bytes


class Told(Struct, frozen=True):
    """What became of a message at a sink, before it is a `Delivered` in the journal."""

    sink: str
    identifier: str
    outcome: Outcome
    detail: str = ""
    retry_after_s: float = 0.0


class SinkState(Struct, frozen=True, kw_only=True):
    """How one sink does.

    exercise: whether it is an exercise's; else it is live.  waiting: messages to be delivered, and how long
    the oldest has waited.  trying_s: how long the present attempt has taken, 0 without one.  failed: attempts
    in vain.  given_up: messages that were refused, expired or dropped; withdrawn: those taken back before
    they arrived.  last_delivered_ns: 0 if nothing was yet.  certificate: what is wrong with that of the key
    that its messages are signed with, in words; "" for nothing.
    """

    name: str
    exercise: bool
    waiting: int
    oldest_waiting_s: float
    trying_s: float
    delivered: int
    failed: int
    given_up: int
    withdrawn: int
    last_error: str
    last_delivered_ns: int
    certificate: str = ""


def is_urgent(alert: PublicMessage) -> bool:
    """Whether people are to act on it at once: it tells them to take shelter, or takes a message back.

    No advisory is: neither it nor its withdrawal goes before what is of the next minutes.
    """
    if isinstance(alert, Advisory):
        return False
    return alert.action == "cancel" or (alert.tier == "shelter" and alert.action != "all_clear")


class _Waiting(Struct):
    """A message to be delivered to one sink."""

    alert: PublicMessage
    series: str
    void_ns: int
    urgent: bool
    """By itself, or because it is the only message that still tells some zones to take shelter."""
    due_ns: int = AT_ONCE_NS
    wait_ns: int = AGAIN_NS
    unfit: str = ""
    """Why it cannot be put into bytes."""


class _Sink:
    """What one sink is still to be given; waiting: by identifier, in the order of the journal."""

    def __init__(self) -> None:
        self.is_open = False
        self.waiting: dict[str, _Waiting] = {}
        self.under_way = ""
        self.begun_ns = 0
        self.held_ns = AT_ONCE_NS
        self.struck: set[str] = set()
        self.done: set[str] = set()
        self.delivered = self.failed = self.given_up = self.withdrawn = self.last_delivered_ns = 0
        self.last_error = ""


class _Series:
    """The messages of one series, the zones told by it, and when the last of it is void."""

    def __init__(self) -> None:
        self.alerts: dict[str, PublicMessage] = {}
        self.zones: set[str] = set()
        self.void_ns = 0
        self.taken_back = ""
        """The last message that took something back: what was said before need not be."""

    def before(self, alert: PublicMessage) -> list[PublicMessage]:
        """The messages of the series before one of them, in order."""
        return list(takewhile(lambda a: a.identifier != alert.identifier, self.alerts.values()))


class Outbox:
    """What each sink of a node is still to be given."""

    def __init__(self, sinks: Iterable[str], render: Render, most_waiting: int = MOST_WAITING) -> None:
        self._sinks = {name: _Sink() for name in sinks}
        self._render, self._most = render, most_waiting
        self._series: dict[str, _Series] = {}
        self._strangers: set[str] = set()

    # ------------------------------------------------------------------ what is in the journal

    def take(self, alert: PublicMessage) -> None:
        """Take an alert or an advisory: only once it is in the journal."""
        key = series_of(alert)
        series = self._series.setdefault(key, _Series())
        series.void_ns = max(series.void_ns, void_ns(alert, tuple(series.alerts.values())))
        series.alerts[alert.identifier] = alert
        takes_back = alert.action in ("cancel", "all_clear")
        if takes_back:
            series.zones.difference_update(_zones(alert))
            series.taken_back = alert.identifier
        else:
            series.zones.update(_zones(alert))
        for sink in self._sinks.values():
            if not sink.is_open:
                continue
            before = [name for name, w in sink.waiting.items() if w.series == key]
            for name in before:
                if takes_back:
                    # an attempt that is under way goes on to its end, and is the last
                    sink.struck.add(name)
                    del sink.waiting[name]
                else:
                    # there is news: what it follows is tried at once, or it would wait for that
                    sink.waiting[name].due_ns = AT_ONCE_NS
            self._put(sink, key, alert)

    def _put(self, sink: _Sink, key: str, alert: PublicMessage) -> None:
        earlier = self._series[key].before(alert)
        urgent = is_urgent(alert) or _keeps_in_shelter([*earlier, alert])
        sink.waiting[alert.identifier] = _Waiting(alert, key, void_ns(alert, earlier), urgent)

    def took(self, record: Delivered) -> None:
        """Take what became of a message: only once it is in the journal."""
        sink = self._sinks.get(record.sink)
        if sink is None:
            # a sink of former times: it is told that it is closed
            (self._strangers.discard if record.outcome == "closed" else self._strangers.add)(record.sink)
            return
        if record.outcome == "opened":
            self._open(sink, record.header.measured_ns)
            return
        if record.outcome == "closed":
            sink.is_open = False
            sink.waiting.clear()
            return
        if sink.under_way == record.identifier:
            sink.under_way = ""
        sink.last_error = record.detail if record.outcome != "delivered" else ""
        if record.outcome == "delivered" or record.outcome in GIVEN_UP:
            sink.struck.discard(record.identifier)
            sink.waiting.pop(record.identifier, None)
            sink.done.add(record.identifier)
            if record.outcome == "delivered":
                sink.delivered += 1
                sink.last_delivered_ns = record.header.measured_ns
            else:
                sink.given_up += 1
            return
        sink.failed += 1
        now = record.header.measured_ns
        if record.retry_after_s > 0.0:
            sink.held_ns = now + min(round(record.retry_after_s * 1e9), SLOWEST_NS)
        if (waiting := sink.waiting.get(record.identifier)) is not None:
            waiting.due_ns, waiting.wait_ns = now + waiting.wait_ns, min(2 * waiting.wait_ns, SLOWEST_NS)

    def _open(self, sink: _Sink, now: int) -> None:
        """From here on alerts are for this sink, and of those before what is not void or taken back."""
        sink.is_open = True
        for key, series in self._series.items():
            names = list(series.alerts)
            first = names.index(series.taken_back) if series.taken_back else 0
            for name in names[first:]:
                self._put(sink, key, series.alerts[name])
                if name in sink.done or sink.waiting[name].void_ns < now:
                    del sink.waiting[name]

    # ------------------------------------------------------------------ what is to be done

    def to_journal(self, now: int) -> list[Told]:
        """What has to be journalled: sinks opened and closed, and what is given up."""
        out = [Told(name, "", "closed", "it is no more among the sinks") for name in sorted(self._strangers)]
        for name, sink in self._sinks.items():
            if not sink.is_open:
                out.append(Told(name, "", "opened"))
            gone = []
            for identifier, waiting in sink.waiting.items():
                if identifier == sink.under_way:
                    continue
                if waiting.unfit:
                    gone.append(Told(name, identifier, "refused", waiting.unfit))
                elif waiting.void_ns < now:
                    why = f"void, and not delivered: {sink.last_error or 'there was no time'}"
                    gone.append(Told(name, identifier, "expired", why))
            many = len(sink.waiting) - len(gone) - self._most
            if many > 0:
                spared = {told.identifier for told in gone}
                why = f"more than {self._most} messages were waiting"
                gone += [Told(name, n, "dropped", why) for n in _least(sink, spared)[:many]]
            out += gone
        self._forget(now)
        return out

    def _forget(self, now: int) -> None:
        """Series that are over and void need not be known any more, where nothing of them waits."""
        waiting = {w.series for sink in self._sinks.values() for w in sink.waiting.values()}
        for key in [
            k for k, s in self._series.items() if not s.zones and s.void_ns < now and k not in waiting
        ]:
            gone = self._series.pop(key).alerts.keys()
            for sink in self._sinks.values():
                sink.withdrawn += len(sink.struck & gone)
                sink.struck -= gone
                sink.done -= gone

    def next(self, name: str, now: int) -> Delivery | None:
        """The message to hand to a sink now; it is under way until `took` says what became of it."""
        sink = self._sinks[name]
        held = sink.held_ns > now and sink.held_ns <= now + SLOWEST_NS  # a clock may have been put back
        if not sink.is_open or sink.under_way or held:
            return None
        heads: dict[str, str] = {}
        urgent: set[str] = set()
        for identifier, waiting in sink.waiting.items():
            heads.setdefault(waiting.series, identifier)
            if waiting.urgent:
                urgent.add(waiting.series)
        # sorting is stable: among equals the order is that of the journal
        for key in sorted(heads, key=lambda k: k not in urgent):
            head = sink.waiting[heads[key]]
            is_due = head.due_ns <= now or head.due_ns > now + SLOWEST_NS
            if not is_due or head.unfit or head.void_ns < now:
                continue
            data = self._bytes(key, head)
            if data is not None:
                sink.under_way, sink.begun_ns = head.alert.identifier, now
                return Delivery(name, head.alert.identifier, data)
        return None

    def _bytes(self, key: str, waiting: _Waiting) -> bytes | None:
        """A message's bytes; None where there are none, which `to_journal` tells."""
        try:
            return self._render(waiting.alert, self._series[key].before(waiting.alert))
        except Exception as error:  # whatever it is, the node goes on
            waiting.unfit = f"cannot be written: {error}"
            return None

    def is_busy(self) -> bool:
        """Whether an attempt is under way at any sink."""
        return any(sink.under_way for sink in self._sinks.values())

    def state(self, name: str, now: int, exercise: bool) -> SinkState:
        """How a sink does."""
        sink = self._sinks[name]
        oldest_ns = min((w.alert.header.measured_ns for w in sink.waiting.values()), default=now)
        return SinkState(
            name=name,
            exercise=exercise,
            waiting=len(sink.waiting),
            oldest_waiting_s=max(0.0, (now - oldest_ns) * 1e-9),
            trying_s=max(0.0, (now - sink.begun_ns) * 1e-9) if sink.under_way else 0.0,
            delivered=sink.delivered,
            failed=sink.failed,
            given_up=sink.given_up,
            withdrawn=sink.withdrawn + len(sink.struck),
            last_error=sink.last_error,
            last_delivered_ns=sink.last_delivered_ns,
        )


def _zones(alert: PublicMessage) -> tuple[str, ...]:
    """Zones that a later message has to take back: an advisory ends by itself."""
    return alert.zones if isinstance(alert, Alert) else ()


def _keeps_in_shelter(messages: Sequence[PublicMessage]) -> bool:
    """Whether zones stand told to take shelter after these messages of one series, in order.

    What takes others back strikes out the messages before it: then it alone tells those zones.
    """
    zones: set[str] = set()
    for message in messages:
        if isinstance(message, Alert) and message.tier == "shelter":
            if message.action in ("alert", "update"):
                zones.update(message.zones)
            else:
                zones.difference_update(message.zones)
    return bool(zones)


def _least(sink: _Sink, spared: set[str]) -> list[str]:
    """What may be dropped, first what is missed least: advisories and early notices, then all clears, and of
    each the oldest.  Take shelter and cancel are never dropped: a sink has more waiting than it may,
    rather."""
    may = [
        (waiting.alert.action == "all_clear", name)
        for name, waiting in sink.waiting.items()
        if not waiting.urgent and name not in spared and name != sink.under_way
    ]
    return [name for _, name in sorted(may, key=lambda entry: entry[0])]
