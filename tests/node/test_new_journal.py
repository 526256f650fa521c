"""A node that begins a new journal: its alerts are new ones to whoever heard those of the journal before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from made_alerts import NOW, S, config
from test_people import ADVISORY, CONFIG, SHELTER, NoShelf, Rows, assessed, drafted, releases, say, spoken

from jointwatch.formats.cap import read_cap
from jointwatch.joint.signing import Signer
from jointwatch.node.config import NodeConfig
from jointwatch.node.dispatch import AtOnce, Dispatch
from jointwatch.node.journal import Journal, read_kept
from jointwatch.node.node import Node
from jointwatch.node.replay import check_journal
from jointwatch.node.running import RunningNode
from jointwatch.node.sinks.feed import Feed
from jointwatch.node.sinks.files import Files
from jointwatch.node.sinks.sink import ForExercise, Transport
from jointwatch.node.sinks.webhook import Webhook
from jointwatch.records import BadInput, ManualAlert

MORE = ManualAlert(action="alert", tier="shelter", reason="seen", zones=("Z3",))
SECRET = b"the secret of this hook"


class OnceHook:
    """A receiver that takes what it has not by its Idempotency-Key, as receivers are told to."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                bodies.setdefault(self.headers["Idempotency-Key"], body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hook() -> Iterator[OnceHook]:
    made = OnceHook()
    yield made
    made.server.shutdown()
    made.server.server_close()


def start(given: NodeConfig, rows: Rows, now: int, *transports: Transport) -> RunningNode:
    sinks = Dispatch(given, [ForExercise(t) for t in transports], hand=AtOnce)
    return RunningNode(given, Signer(bytes(32)), rows, NoShelf(), sinks, now)  # type: ignore[arg-type]


def speak(running: RunningNode, record: Any, now: int) -> None:
    running.take(record, now)
    for release in releases(running.node, now=now):
        running.take(release, now)
    running.pump(now)


def test_what_a_new_journal_says_is_taken_where_the_journal_before_was_heard(
    tmp_path: Path, hook: OnceHook
) -> None:
    """The configuration is changed, so the node begins anew, and tells other zones of another raid."""
    feed = Feed("feed", tmp_path / "feed", exercise=True, clock=lambda: NOW)
    sinks = (
        Files("files", tmp_path / "files", exercise=True),
        feed,
        Webhook("hook", f"http://127.0.0.1:{hook.server.server_port}/", SECRET, exercise=True),
    )
    for n, (given, says) in enumerate(
        ((CONFIG, SHELTER), (config(**_changed(refresh_s=1.0)), MORE)), start=1
    ):
        now = NOW + n * S
        running = start(given, Rows(), now, *sinks)
        speak(running, drafted(says, now=now), now)
        speak(running, assessed("watch", now=now), now)
        assert all((s.delivered, s.given_up, s.waiting) == (2, 0, 0) for s in running.sinks(now))
    feed.close()
    files = {path.name: path.read_bytes() for path in (tmp_path / "files").glob("*.xml")}
    assert len(files) == len(hook.bodies) == len(list((tmp_path / "feed").glob("*.xml"))) == 4
    assert sorted(files.values()) == sorted(hook.bodies.values())
    told = [read_cap(data, "told") for data in files.values()]
    assert all(m.identifier.startswith("EX-amber-20260528.") and not m.references for m in told)
    zones = {value for m in told for info in m.infos for area in info.areas for _, value in area.geocodes}
    assert {"Z1", "Z2", "Z3"} <= zones


def _changed(**changes: Any) -> dict[str, Any]:
    return {
        "sensors": CONFIG.sensors, "capacity": 64, "places": CONFIG.places, "languages": CONFIG.languages,
        **changes,
    }  # fmt: skip


def test_across_a_restart_of_one_journal_identifiers_and_what_they_follow_go_on() -> None:
    rows, later = Rows(), NOW + 600 * S
    speak(start(CONFIG, rows, NOW), drafted(SHELTER), NOW)
    running = start(CONFIG, rows, later)
    speak(running, drafted(MORE, now=later), later)
    never = start(CONFIG, Rows(), NOW)
    speak(never, drafted(SHELTER), NOW)
    never.pump(later)
    speak(never, drafted(MORE, now=later), later)
    (series,) = never.node.standing()[0].series_by_people.values()
    assert (series.number, series.count, len(series.sent)) == (1, 2, 2)
    assert running.node.standing() == never.node.standing()
    kept = read_kept(rows.rows(), "a journal")
    assert kept.digests[-1] == never.node.journal.digest


def test_a_journal_s_replay_gives_the_same_identifiers(tmp_path: Path) -> None:
    path = tmp_path / "amber.journal.sqlite"
    node = Node(CONFIG, Journal(path), NOW)
    (alert,) = spoken(say(node, SHELTER))
    node.journal.close()
    assert "20260528" in alert.identifier
    assert check_journal(path).same


def test_a_journal_of_former_times_keeps_the_names_that_it_gave() -> None:
    """Its first entry does not say when it began."""
    rows = Rows()
    former = Node(CONFIG, Journal(None, rows))  # type: ignore[arg-type]
    (first,) = spoken(say(former, SHELTER))
    former.journal.sync()
    running = start(CONFIG, rows, NOW + S)
    assert "cannot" not in " ".join(running.notes) and not running.notes
    speak(running, drafted(MORE, now=NOW + S), NOW + S)
    (second,) = running.node.standing()[0].series_by_people.values()
    assert (first.identifier, second.sent) == ("EX-amber-01-0001", ("EX-amber-01-0001", "EX-amber-01-0002"))


BEGINNINGS: list[Callable[[], Node]] = [
    lambda: Node(CONFIG, Journal(None), NOW),
    lambda: Node(CONFIG, Journal(None), NOW + 1),
    lambda: Node(config(**_changed(play="another raid")), Journal(None), NOW),
    lambda: Node(config(**_changed(name="amber-2")), Journal(None), NOW),
]


def test_another_beginning_another_play_or_another_node_has_other_identifiers() -> None:
    issued = [spoken(say(made(), SHELTER))[0].identifier for made in BEGINNINGS]
    assert len(set(issued)) == len(BEGINNINGS)
    assert issued[0] == spoken(say(BEGINNINGS[0](), SHELTER))[0].identifier


def test_who_changes_the_configuration_is_told_what_stands_by_the_old_one() -> None:
    rows = Rows()
    speak(start(CONFIG, rows, NOW), drafted(SHELTER), NOW)
    running = start(CONFIG, rows, NOW + S)
    speak(running, drafted(ADVISORY, now=NOW + S), NOW + S)
    said = r"2 zones are told and 1 advisories stand still.*take that back before a new journal"
    with pytest.raises(BadInput, match=said):
        start(config(**_changed(refresh_s=1.0)), rows, NOW + 2 * S)
    with pytest.raises(BadInput, match=r"another configuration, wanted that with which it was begun$"):
        start(config(**_changed(refresh_s=1.0)), rows, NOW + 40 * 86_400 * S)


def test_another_configuration_in_the_same_journal_is_still_refused() -> None:
    rows = Rows()
    start(CONFIG, rows, NOW)
    with pytest.raises(BadInput, match="another configuration"):
        start(config(**_changed(refresh_s=1.0)), rows, NOW)
