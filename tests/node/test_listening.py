"""Listening: each source by itself, less often where it fails, and no more at once than a node takes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from made_alerts import NOW as FEED_NOW
from made_alerts import ZONES, Raid
from made_caps import KEY, LIVE_KEY, SENDER, START_NS, S, cap, signed
from world import RADAR

from jointwatch.formats.cap import alert_to_cap
from jointwatch.formats.cap_gate import CapGate
from jointwatch.formats.cap_in import read_head
from jointwatch.formats.warning_keys import WarningKey
from jointwatch.formats.xml_signature import sign_cap
from jointwatch.node.config import NodeConfig
from jointwatch.node.journal import Journal
from jointwatch.node.node import Node
from jointwatch.node.sinks.feed import Feed
from jointwatch.node.sources.feed import AlertFeed
from jointwatch.node.sources.folder import Folder
from jointwatch.node.sources.listening import (
    BROUGHT_AT_ONCE,
    MOST_HELD,
    MOST_HELD_BYTES,
    SLOWEST_S,
    AtOnce,
    Listening,
    OwnThread,
)
from jointwatch.node.sources.source import MOST_BYTES, Look, LookFailed
from jointwatch.records import AlertSender, BadInput, Header, Note, OthersAlert
from jointwatch.warning.policy import Policy

DATA = Path(os.environ["JOINTWATCH_DATA"]) / "cap" if "JOINTWATCH_DATA" in os.environ else None


class Scripted:
    """A source that gives what it is told to."""

    def __init__(self, name: str, *looks: Look | LookFailed | Exception, every_s: float = 10.0) -> None:
        self.name, self.every_s, self.looks = name, every_s, list(looks)
        self.asked = 0

    def look(self) -> Look:
        self.asked += 1
        look = self.looks.pop(0) if self.looks else Look()
        if isinstance(look, Exception):
            raise look
        return look


def at(seconds: float) -> int:
    return START_NS + round(seconds * S)


def brought(listening: Listening, seconds: float) -> list[bytes]:
    return [received.data for received in listening.take(at(seconds))]


def test_each_source_is_looked_at_in_its_time() -> None:
    often, seldom = Scripted("often", every_s=1.0), Scripted("seldom", every_s=60.0)
    listening = Listening("Amber", (often, seldom), True, AtOnce)
    for k in range(0, 121):
        listening.take(at(k / 2))
    assert (often.asked, seldom.asked) == (61, 2)


def test_what_was_brought_carries_the_source_and_comes_once() -> None:
    listening = Listening("Amber", (Scripted("s", Look((b"a", b"b")), Look((b"b", b"c"))),), True, AtOnce)
    first = listening.take(at(0))
    assert [(r.data, r.feed, r.header.source, r.header.sequence) for r in first] == [
        (b"a", "s", "source s", 1),
        (b"b", "s", "source s", 2),
    ]
    assert brought(listening, 10.0) == [b"c"]
    (state,) = listening.states()
    assert (state.looks, state.brought, state.failed, state.last_good_ns) == (2, 3, 0, at(10.0))


def test_one_that_fails_is_asked_less_and_less_and_harms_no_other() -> None:
    bad = Scripted("bad", *[LookFailed("no answer")] * 9, ValueError("odd"))
    listening = Listening("Amber", (bad, Scripted("good", Look((b"x",)))), True, AtOnce)
    assert brought(listening, 0.0) == [b"x"]
    times, asked, failing = [0.0], 1, 1
    for second in range(1, 4000):
        listening.take(at(float(second)))
        if bad.asked > asked:
            times.append(float(second))
            asked = bad.asked
        failing = max(failing, listening.states()[0].failing)
    waits = [b - a for a, b in pairwise(times)]
    assert waits[:9] == [20.0, 40.0, 80.0, 160.0, 320.0, *[SLOWEST_S] * 4]
    state = listening.states()[0]
    assert (failing, state.failing, state.failed) == (10, 0, 10) and state.last_error == "ValueError: odd"


def test_it_comes_back_after_a_failure_and_waits_as_long_as_it_is_asked_to() -> None:
    source = Scripted("s", LookFailed("busy", 90.0), ValueError("odd"), Look((b"a",)))
    listening = Listening("Amber", (source,), True, AtOnce)
    for second in range(89):
        assert brought(listening, float(second)) == []
    assert source.asked == 1
    brought(listening, 90.0)
    assert source.asked == 2 and listening.states()[0].last_error == "ValueError: odd"
    assert brought(listening, 130.0) == [b"a"]
    assert (listening.states()[0].failing, listening.states()[0].failed) == (0, 2)


def test_a_clock_that_is_put_back_stops_nothing() -> None:
    source = Scripted("s")
    listening = Listening("Amber", (source,), False, AtOnce)
    listening.take(at(0.0))
    listening.take(at(-10_000.0))
    assert source.asked == 2


def test_a_crowd_comes_in_turns() -> None:
    many = tuple(b"%d" % n for n in range(200))
    listening = Listening("Amber", (Scripted("s", Look(many)),), True, AtOnce)
    counts = [len(brought(listening, float(k))) for k in range(20)]
    assert counts[0] == BROUGHT_AT_ONCE and max(counts[1:]) <= 11 and sum(counts) == 200


LONG = 990_000


def long(n: int, after_s: float = 0.0) -> bytes:
    """An unsigned message of nearly the greatest length: a polygon, of which to read all takes long."""
    data = cap(f"L-{n}", after_s=after_s)
    points = b"1,1 " * ((LONG - len(data)) // 4)
    return data.replace(b"</areaDesc>", b"</areaDesc><polygon>" + points + b"</polygon>")


def test_long_messages_come_no_faster_than_a_node_can_bear() -> None:
    many = tuple(long(n) for n in range(4))
    listening = Listening("Amber", (Scripted("s", Look(many)), Scripted("t", Look((b"x",)))), True, AtOnce)
    counts = [len(brought(listening, float(k))) for k in range(21)]
    assert counts[0] == 2, "one of each source"
    assert sum(counts[1:5]) == 0 and sum(counts) == 5
    assert all(sum(counts[k : k + 5]) <= 1 for k in range(1, 17))


def test_of_a_message_that_waits_only_the_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    look = Look((long(1, after_s=9.0), long(2), b"<alert" + b" " * LONG))
    monkeypatch.setattr("jointwatch.formats.cap_in.parse_hostile", None)
    listening = Listening("Amber", (Scripted("s", look),), True, AtOnce)
    assert brought(listening, 0.0) == [look.messages[1]]
    assert brought(listening, 30.0) == [look.messages[2]]
    assert brought(listening, 60.0) == [look.messages[0]]


def test_what_waits_is_bounded_in_bytes_and_what_is_due_last_goes() -> None:
    looks = [Look(tuple(long(n, after_s=float(n)) for n in range(k, k + 10))) for k in range(0, 60, 10)]
    listening = Listening("Amber", (Scripted("s", *looks, every_s=1.0),), True, AtOnce)
    for second in range(6):
        brought(listening, float(second))
    (state,) = listening.states()
    assert state.waiting * LONG <= MOST_HELD_BYTES < (state.waiting + 2) * LONG
    assert state.dropped == 60 - state.waiting - state.brought > 0 and "wait" in state.last_error
    too_long = Listening("Amber", (Scripted("s", Look((b"x" * (MOST_BYTES + 1), b"y"))),), True, AtOnce)
    assert brought(too_long, 0.0) == [b"y"]
    assert too_long.states()[0].dropped == 1


UNDECLARED = (
    b"<z:alert><msgType>Alert</msgType></z:alert>",
    cap("N-1").replace(b"<sender>", b"<z:sender>").replace(b"</sender>", b"</z:sender>"),
    cap("N-1").replace(b"</sender>", b"<z:b/></sender>"),
    cap("N-1").replace(b"<identifier>", b"<z:Signature/><identifier>"),
    cap("N-1").replace(b'xmlns="urn:oasis', b'xmlns="a}b'),
    cap("N-1").replace(b"</sender>", b'<x xmlns="a}b"/></sender>'),
    cap("N-1").replace(b"<identifier>", b'<identifier xmlns="{a}b">'),
)


@pytest.mark.parametrize("data", UNDECLARED)
def test_a_prefix_that_nobody_declared_stops_nothing(data: bytes) -> None:
    """A parser that reads a beginning does not know yet that it is wrong."""
    listening = Listening("Amber", (Scripted("s", Look((data, cap("N-2")))),), False, AtOnce)
    assert sorted(brought(listening, 0.0)) == sorted([data, cap("N-2")])
    gate = CapGate([AlertSender(name="s", show_unverified=True)], False)
    with pytest.raises(BadInput, match=r"namespace|well-formed"):
        gate.take(data, "s", at(0.0), lambda _: Header(originator="A", source="s", sequence=1, measured_ns=0))


def test_strangers_keep_nobody_waiting_whom_the_node_listens_to() -> None:
    """A hundred of theirs a second, and now and then a long one; and what is let go may come again."""
    mine = cap("N-1", after_s=30.0)
    crowd = [
        Look(
            (*(strange(cap(f"S-{k}-{n}", after_s=float(k))) for n in range(100)), *([mine] if k > 29 else []))
        )
        for k in range(60)
    ]
    listening = Listening("Amber", (Scripted("s", *crowd, every_s=1.0),), False, AtOnce, (sender_of(mine),))
    heard = [second for second in range(60) if mine in brought(listening, float(second))]
    assert heard == [30]
    (state,) = listening.states()
    assert state.dropped > 1000 and state.waiting <= MOST_HELD

    few = [Look(tuple(strange(cap(f"S-{n}")) for n in range(MOST_HELD + 400))), Look((strange(cap("S-0")),))]
    again = Listening("Amber", (Scripted("s", few[0], *[few[0]] * 200, every_s=1.0),), False, AtOnce)
    told = [data for second in range(200) for data in brought(again, float(second))]
    assert len(told) == len(set(told)) == MOST_HELD + 400


def strange(data: bytes) -> bytes:
    """The same by another sender."""
    return data.replace(sender_of(data).encode(), b"stranger@example.org")


def sender_of(data: bytes) -> str:
    return read_head(data, "test").sender


def test_in_an_exercise_a_message_waits_until_it_is_sent_and_live_it_does_not() -> None:
    later, now = cap("N-2", after_s=25.0), cap("N-1")
    for exercise, first, second in ((True, [now], [later]), (False, [now, later], [])):
        listening = Listening("Amber", (Scripted("s", Look((later, now))),), exercise, AtOnce)
        assert brought(listening, 0.0) == first
        assert listening.states()[0].waiting == len(second)
        assert brought(listening, 24.0) == []
        assert brought(listening, 25.0) == second


def test_live_a_message_of_a_clock_ahead_is_handed_over_when_it_is_fresh() -> None:
    """Brought at once it was refused, and it is brought once only: 31 s ahead lost it for good."""
    ahead, far = (signed(LIVE_KEY, identifier=f"A-{s}", status="Actual", after_s=s) for s in (40, 4000))
    near = signed(LIVE_KEY, identifier="A-20", status="Actual", after_s=20.0)
    listening = Listening("Blue", (Scripted("s", Look((ahead, far, near))),), False, AtOnce)
    node = Node(config(pinned(LIVE_KEY), exercise=False), Journal(None))
    out = {second: heard(node, listening, at(float(second))) for second in range(0, 120, 5)}
    taken = {second: [o.identifier for o in o_s if isinstance(o, OthersAlert)] for second, o_s in out.items()}
    assert {second: names for second, names in taken.items() if names} == {0: ["A-20"], 10: ["A-40"]}
    (note,) = [o for o_s in out.values() for o in o_s if isinstance(o, Note)]
    assert "4000 s ahead" in note.detail, "what is far ahead is refused in words, and at once"


def test_a_clock_that_is_put_back_leaves_nothing_waiting_for_it() -> None:
    messages = tuple(cap(f"B-{n}", after_s=30.0 + n) for n in range(int(BROUGHT_AT_ONCE) + 10))
    listening = Listening("Blue", (Scripted("s", Look(messages)),), False, AtOnce)
    assert len(brought(listening, 3600.0)) == BROUGHT_AT_ONCE
    assert listening.states()[0].waiting == 10
    later = [brought(listening, float(second)) for second in range(120)]
    assert sum(len(some) for some in later) == 10 and listening.states()[0].waiting == 0


def test_two_sources_of_one_name_are_refused() -> None:
    with pytest.raises(BadInput, match="two sources"):
        Listening("Amber", (Scripted("s"), Scripted("s")), True, AtOnce)


def test_a_source_that_hangs_holds_up_nothing() -> None:
    go = threading.Event()

    class Hangs(Scripted):
        def look(self) -> Look:
            go.wait(10.0)
            return Look((b"at last",))

    listening = Listening("Amber", (Hangs("slow"), Scripted("quick", Look((b"x",)))), True, OwnThread)
    found: list[bytes] = []
    for k in range(1000):
        found += brought(listening, k * 1e-3)
        if found == [b"x"]:
            go.set()
        if len(found) == 2:
            break
        threading.Event().wait(0.005)
    listening.close()
    assert found == [b"x", b"at last"]


# ------------------------------------------------------------------ and into a node


def config(*senders: AlertSender, exercise: bool = True) -> NodeConfig:
    return NodeConfig(
        partner="Blue", name="blue-node", sensors=(RADAR,), zones=(), policy=Policy(), territories={},
        alert_senders=senders, exercise=exercise,
    )  # fmt: skip


def heard(node: Node, listening: Listening, now_ns: int) -> list[OthersAlert | Note]:
    """What a node took or refused of what its sources brought."""
    return [
        output
        for received in listening.take(now_ns)
        for output in node.step(received, now_ns)
        if isinstance(output, OthersAlert | Note)
    ]


def pinned(key: WarningKey) -> AlertSender:
    return AlertSender(name=key.certificate.sender, certificates=(key.certificate.pem().decode(),))


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    made = Feed("alerts", tmp_path / "feed", exercise=True, clock=lambda: FEED_NOW)
    yield made
    made.close()


def test_one_node_s_feed_is_another_s_source(feed: Feed) -> None:
    key = WarningKey.made("amber", True, FEED_NOW - S)
    raid = Raid()
    first = raid.says("alert")
    feed.deliver(first.identifier, sign_cap(alert_to_cap(first, ZONES, "amber", []), key))
    host, port = feed.address
    source = AlertFeed("amber's feed", f"http://{host}:{port}/feed.atom", exercise=True, every_s=5.0)
    listening = Listening("Blue", (source,), True, AtOnce)
    node = Node(config(pinned(key)), Journal(None))
    (alert,) = heard(node, listening, FEED_NOW + S)
    assert isinstance(alert, OthersAlert)
    assert (alert.sender, alert.identifier, alert.feed) == ("amber", first.identifier, "amber's feed")
    assert alert.verified_by == key.certificate.fingerprint and alert.status == "Exercise"
    assert node.others.standing(FEED_NOW + S) == (alert,)
    over = raid.says("cancel", after_s=8.0)
    feed.deliver(over.identifier, sign_cap(alert_to_cap(over, ZONES, "amber", [first]), key))
    (withdrawn,) = heard(node, listening, FEED_NOW + 9 * S)
    assert isinstance(withdrawn, OthersAlert) and withdrawn.kind == "Cancel"
    assert node.others.standing(FEED_NOW + 9 * S) == ()


@pytest.mark.parametrize("exercise", [True, False])
def test_neither_kind_of_node_takes_the_other_s_alerts(tmp_path: Path, exercise: bool) -> None:
    own, other = (KEY, LIVE_KEY) if exercise else (LIVE_KEY, KEY)
    status, wrong = ("Exercise", "Actual") if exercise else ("Actual", "Exercise")
    caps = {
        "right.xml": signed(own, status=status),
        "other-key.xml": signed(other, identifier="N-2", status=wrong),
        "unsigned.xml": cap("N-3", status=wrong),
    }
    for name, data in caps.items():
        (tmp_path / name).write_bytes(data)
        os.utime(tmp_path / name, (0, 0))
    listening = Listening("Blue", (Folder("drop", tmp_path, every_s=1.0),), exercise, AtOnce)
    anybody = AlertSender(name=SENDER, certificates=pinned(own).certificates, show_unverified=True)
    node = Node(config(anybody, exercise=exercise), Journal(None))
    out = heard(node, listening, START_NS)
    (alert,) = [o for o in out if isinstance(o, OthersAlert)]
    assert (alert.identifier, alert.status) == ("N-1", status)
    reasons = sorted(o.detail.partition(":")[0] for o in out if isinstance(o, Note))
    assert reasons == ["signature", "status"]
    assert any(f"alert.status: found {wrong}" in o.detail for o in out if isinstance(o, Note))


@pytest.mark.skipif(DATA is None, reason="JOINTWATCH_DATA (cap samples) is not set")
def test_the_samples_in_a_folder_are_all_refused_each_for_its_reason(tmp_path: Path) -> None:
    """They are of 2003 to 2014, of senders nobody listens to, and one is an attack."""
    assert DATA is not None
    samples = sorted(p for p in DATA.iterdir() if p.suffix in (".cap", ".xml"))
    listening = Listening("Blue", (Folder("samples", DATA, every_s=1.0),), False, AtOnce)
    known = AlertSender(name="cap@ec.gc.ca", show_unverified=True)
    node = Node(config(known, exercise=False), Journal(None))
    out = heard(node, listening, START_NS)
    assert len(out) == len(samples) == listening.states()[0].brought
    details = [o.detail for o in out if isinstance(o, Note) and o.kind == "alert_refused"]
    assert len(details) == len(samples) and node.others.standing(START_NS) == ()
    assert sum("DOCTYPE" in d for d in details) == 1
    assert {d.partition(":")[0] for d in details} == {"structure", "sender", "freshness"}
