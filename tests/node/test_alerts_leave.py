"""From a node's decision to whoever is to hear it, through crashes: everything arrives, and nothing twice.

What is decided is set here by the time; the node, its journal, its recovery and its sinks are real.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from made_alerts import NOW, Raid, S, config
from world import RADAR

from jointwatch.formats.cap import read_cap
from jointwatch.joint.signing import Signer
from jointwatch.node.decisions import Decisions
from jointwatch.node.dispatch import AtOnce, Dispatch, render_cap
from jointwatch.node.journal import FORMAT, Journal, batches, read_journal, read_kept
from jointwatch.node.node import Node
from jointwatch.node.replay import check_journal, read_account
from jointwatch.node.running import RunningNode
from jointwatch.node.sinks.feed import Feed
from jointwatch.node.sinks.files import Files
from jointwatch.node.sinks.sink import Answer, ForExercise
from jointwatch.node.sinks.webhook import Webhook, verify_webhook
from jointwatch.node.snapshot import SnapshotFiles
from jointwatch.node.store import Row, SqliteStore
from jointwatch.records import Alert, BadInput, Delivered, Header, LoadLimit, Note, decode, encode

CONFIG = config(sensors=(RADAR,), capacity=64)
KEY = Signer(bytes(32))
SECRET = b"the secret of this hook"
ZONE_KEYS = tuple(zone.key for zone in CONFIG.zones)


def script() -> dict[int, list[Alert]]:
    """What is decided, by the second."""
    early, raid, other = Raid(1, "early"), Raid(2), Raid(3)
    return {
        2: [early.says("alert", "Z1", "Z2", "Z3", after_s=2.0)],
        4: [raid.says("alert", "Z1", after_s=4.0), early.says("update", "Z4", after_s=4.0)],
        5: [raid.says("update", "Z2", after_s=5.0), other.says("alert", "Z3", after_s=5.0)],
        8: [other.says("cancel", "Z3", after_s=8.0)],
        9: [raid.says("all_clear", "Z1", "Z2", after_s=9.0)],
        10: [early.says("all_clear", *ZONE_KEYS, after_s=10.0)],
    }  # fmt: skip


SCRIPT = script()
ALL = [alert for second in sorted(SCRIPT) for alert in SCRIPT[second]]


@pytest.fixture(autouse=True)
def decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Decisions, "decide", lambda self, picture, now, sensors, looks: SCRIPT.get((now - NOW) // S, [])
    )


def second(n: int) -> LoadLimit:
    """An input that changes nothing, n seconds after NOW."""
    now = NOW + n * S
    return LoadLimit(header=Header(originator="Amber", source="amber", sequence=n, measured_ns=now))


class NoShelf:
    def put(self, count: int, data: bytes) -> None: ...

    def newest(self) -> Iterator[bytes]:
        return iter(())


class Crash(BaseException):
    """The process ends here."""


class Fuse:
    """Ends the process at the n-th thing that it does."""

    def __init__(self, at: int) -> None:
        self.left = at

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash


class Disk:
    """Rows in memory; a crash may come before a write, before a sync, and after it."""

    def __init__(self, fuse: Fuse) -> None:
        self.fuse, self.kept, self.written = fuse, [], []  # type: ignore[var-annotated]

    def write(self, rows: Sequence[Row]) -> None:
        self.fuse.burn()
        self.written += rows

    def sync(self) -> None:
        self.fuse.burn()
        self.kept += self.written
        self.written = []
        self.fuse.burn()

    def rows(self) -> list[Row]:
        return list(self.kept)

    def cut(self, count: int) -> None:
        del self.kept[count:]

    def close(self) -> None: ...


class Ear:
    """A sink that knows an alert again by its identifier; a crash may come before and after it has it."""

    exercise = True

    def __init__(self, name: str, fuse: Fuse, disk: Disk) -> None:
        self.name, self._fuse, self._disk = name, fuse, disk
        self.heard: dict[str, bytes] = {}
        self.again = 0

    def deliver(self, identifier: str, data: bytes) -> Answer:
        self._fuse.burn()
        if identifier in self.heard:
            self.again += 1
            assert self.heard[identifier] == data
            assert identifier not in receipted(self._disk, self.name)
        self.heard[identifier] = data
        self._fuse.burn()
        return Answer("delivered")


def receipted(disk: Disk, sink: str) -> set[str]:
    """What the journal says a sink has."""
    records = [decode(row[3], "") for row in disk.kept[1:]]
    return {r.identifier for r in records if isinstance(r, Delivered) and r.sink == sink}


def played(at: int) -> tuple[bool, list[Ear], Disk]:
    """The whole script with one crash, and whether it came."""
    fuse = Fuse(at)
    disk = Disk(fuse)
    ears = [Ear("one", fuse, disk), Ear("two", fuse, disk)]
    crashed = False

    def begun(now: int) -> RunningNode:
        dispatch = Dispatch(CONFIG, [ForExercise(ear) for ear in ears], hand=AtOnce)
        return RunningNode(CONFIG, KEY, disk, NoShelf(), dispatch, now)

    node = None
    for n in range(14):
        now = NOW + n * S
        for _ in range(2):  # a second time where it crashed; a step that was lost is not taken again
            try:
                if node is None:
                    node = begun(now)
                if not any(row[1] == now and row[2] == "in" and b"load_limit" in row[3] for row in disk.kept):
                    node.take(second(n), now)
                node.pump(now)
                node.pump(now)
                break
            except Crash:
                crashed, node, disk.written = True, None, []
    assert node is not None
    for _ in range(10):
        node.pump(NOW + 14 * S)
    assert all(s.waiting == 0 for s in node.sinks(NOW + 14 * S))
    return crashed, ears, disk


def test_crashes_at_every_step_lose_nothing_and_send_nothing_twice() -> None:
    crashed, ears, disk = played(10**9)
    assert not crashed
    wanted = {a.identifier for a in ALL}
    written = ears[0].heard
    assert all(set(ear.heard) == wanted and ear.again == 0 for ear in ears)
    again = at = 0
    crashed = True
    while crashed:
        at += 1
        crashed, ears, disk = played(at)
        assert all(ear.heard == written for ear in ears), at
        # one crash loses one receipt of a sink at most
        assert all(ear.again <= 1 for ear in ears)
        again += sum(ear.again for ear in ears)
        kept = read_kept(disk.rows(), "journal")
        twin = Node(CONFIG, Journal(None), NOW)
        for entry, _ in batches(kept.entries[1:]):
            twin.step(decode(entry.data, ""), entry.time_ns)  # type: ignore[arg-type]
        assert twin.journal.digest == kept.digest
    # it was tried: between what was sent and its receipt, at either sink, once for each alert
    assert at > 100 and again >= len(ALL)


# ------------------------------------------------------------------ real sinks


class Receiver:
    """A receiver that counts what it is called with."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.calls: Counter[str] = Counter()
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                verify_webhook(self.headers, body, SECRET, time.time())  # type: ignore[arg-type]
                if receiver.status == 200:
                    name = read_cap(body, "hook").identifier
                    assert name == self.headers["Idempotency-Key"]
                    receiver.calls[name] += 1
                    if name not in receiver.got:
                        receiver.got.append(name)
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


def test_to_files_feed_and_webhook_with_a_restart_in_the_middle(tmp_path: Path) -> None:
    receiver = Receiver()
    journal = tmp_path / "journal.sqlite"

    def begun(now: int) -> tuple[RunningNode, Feed, SqliteStore]:
        feed = Feed("feed", tmp_path / "feed", exercise=True, clock=lambda: now)
        hook = Webhook("hook", receiver.url, SECRET, exercise=True)
        files = Files("files", tmp_path / "files", exercise=True)
        dispatch = Dispatch(CONFIG, [ForExercise(t) for t in (files, feed, hook)])
        store = SqliteStore.live(journal, FORMAT)
        return (
            RunningNode(CONFIG, KEY, store, SnapshotFiles(journal), dispatch, now, snapshot_steps=7),
            feed,
            store,
        )

    def settle(node: RunningNode, now: int) -> None:
        deadline = time.monotonic() + 20.0
        while any(s.waiting for s in node.sinks(now)):
            assert time.monotonic() < deadline
            node.pump(now)
            time.sleep(0.005)

    node, feed, store = begun(NOW)
    for n in range(6):
        receiver.status = 503 if n >= 4 else 200
        node.take(second(n), NOW + n * S)
        node.pump(NOW + n * S)
        if n < 4:
            settle(node, NOW + n * S)
    while node.sinks(NOW + 5 * S)[2].failed == 0:
        node.pump(NOW + 5 * S)
    # it stops in the middle: the hook's receiver takes nothing, other receipts are not all in the journal
    feed.close()
    store.close()
    del node
    receiver.status = 200
    node, feed, store = begun(NOW + 6 * S)
    # what was tried in vain two seconds ago is due again
    for n in range(7, 12):
        settle(node, NOW + n * S)
        node.take(second(n), NOW + n * S)
    settle(node, NOW + 12 * S)
    wanted = [a.identifier for a in ALL]
    assert sorted(p.name for p in (tmp_path / "files").glob("*.xml")) == sorted(f"{w}.xml" for w in wanted)
    assert sorted(receiver.got) == sorted(wanted) and max(receiver.calls.values()) <= 2
    connection = http.client.HTTPConnection(*feed.address, timeout=10.0)
    connection.request("GET", "/feed.atom")
    root = etree.fromstring(connection.getresponse().read())
    atom = "{http://www.w3.org/2005/Atom}"
    listed = [c.get("src") for c in root.iter(f"{atom}content")]
    assert sorted(listed) == sorted(f"alerts/{w}.xml" for w in wanted)
    render = render_cap(CONFIG)
    by_name = {a.identifier: a for a in ALL}
    for alert in ALL:
        data = (tmp_path / "files" / f"{alert.identifier}.xml").read_bytes()
        assert data == render(alert, [by_name[n] for n in alert.references])
    states = node.sinks(NOW + 12 * S)
    assert [(s.delivered, s.waiting, s.given_up) for s in states] == [(len(ALL), 0, 0)] * 3
    assert states[2].failed >= 1 and states[2].last_error == ""
    feed.close()
    store.close()
    receiver.server.shutdown()
    receiver.server.server_close()
    # and the journal says the same again
    assert check_journal(journal).same
    assert read_account(journal).kinds["in delivered"] == 3 + 3 * len(ALL) + states[2].failed
    # nothing is sent by a node that begins again after all has arrived
    calls = receiver.calls.total()
    node, feed, store = begun(NOW + 13 * S)
    assert all(s.waiting == 0 and s.delivered == len(ALL) for s in node.sinks(NOW + 13 * S))
    assert receiver.calls.total() == calls
    feed.close()
    store.close()


def test_what_is_given_up_is_noted_and_replays(tmp_path: Path) -> None:
    class Deaf:
        name, exercise = "deaf", True

        def deliver(self, identifier: str, data: bytes) -> Answer:
            return Answer("refused" if "-02-" in identifier else "failed", "not today")

    journal = tmp_path / "journal.sqlite"
    store = SqliteStore.live(journal, FORMAT)
    dispatch = Dispatch(CONFIG, [ForExercise(Deaf())], hand=AtOnce)
    node = RunningNode(CONFIG, KEY, store, NoShelf(), dispatch, NOW)
    for n in range(12):
        node.take(second(n), NOW + n * S)
        node.pump(NOW + n * S)
    notes = node.pump(NOW + 5000 * S)
    assert all(isinstance(o, Note) and o.kind == "undelivered" for o in notes)
    assert {o.subject for o in notes if isinstance(o, Note)} == {
        a.identifier for a in ALL if a.action in ("cancel", "all_clear") and "-02-" not in a.identifier
    }
    store.close()
    assert check_journal(journal).same
    kinds = [o for e in read_journal(journal) if isinstance(o := _record(e.data), Note)]
    assert any("deaf: refused: not today" in note.detail for note in kinds)


def _record(data: bytes) -> object:
    try:
        return decode(data, "")
    except BadInput:  # the configuration is none
        return None


def test_a_journal_of_before_there_were_receipts_is_read_and_what_is_in_force_goes_out(
    tmp_path: Path,
) -> None:
    """As an upgrade finds it: alerts without receipts, some of them long void."""
    rows: list[Row] = []
    plain = Disk(Fuse(10**9))
    journal = Journal(None, plain, None)
    twin = Node(CONFIG, journal)
    for n in range(6):
        twin.step(second(n), NOW + n * S)
        journal.sync()
    rows = plain.rows()
    assert not any(isinstance(_record(row[3]), Delivered) for row in rows)
    for late_s, wanted in ((6, [a for a in ALL if a.sent_ns < NOW + 6 * S]), (5000, [])):
        disk = Disk(Fuse(10**9))
        disk.kept = list(rows)
        ear = Ear("new", disk.fuse, disk)
        node = RunningNode(
            CONFIG, KEY, disk, NoShelf(), Dispatch(CONFIG, [ForExercise(ear)], hand=AtOnce), NOW + late_s * S
        )
        for _ in range(10):
            node.pump(NOW + late_s * S)
        assert set(ear.heard) == {a.identifier for a in wanted}
        assert node.sinks(NOW + late_s * S)[0].given_up == 0


def test_a_receipt_changes_nothing_that_is_decided() -> None:
    plain, with_receipts = Node(CONFIG, Journal(None)), Node(CONFIG, Journal(None))
    for n in range(12):
        receipt = Delivered(
            header=Header(originator="Amber", source="sink s", sequence=n, measured_ns=NOW + n * S),
            sink="s", identifier="EX-amber-01-0001", outcome="failed",
        )  # fmt: skip
        assert with_receipts.step(receipt, NOW + n * S) == []
        one, other = plain.step(second(n), NOW + n * S), with_receipts.step(second(n), NOW + n * S)
        assert [encode(o) for o in one] == [encode(o) for o in other]


def test_a_node_of_an_exercise_does_not_start_with_another_s_sinks() -> None:
    live = config(sensors=(RADAR,), exercise=False)
    disk = Disk(Fuse(10**9))
    with pytest.raises(BadInput):
        RunningNode(
            live, KEY, disk, NoShelf(), Dispatch(CONFIG, [ForExercise(Ear("e", disk.fuse, disk))]), NOW
        )
    assert disk.kept == []
