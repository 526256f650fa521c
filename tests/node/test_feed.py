"""The feed: what was delivered is there for whoever asks, in the same order for ever; and nothing else is."""

from __future__ import annotations

import http.client
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from made_alerts import NOW, ZONES, Raid, S

from jointwatch.formats.cap import alert_to_cap, read_cap, void_ns
from jointwatch.node.sinks import feed_server
from jointwatch.node.sinks.feed import ATOM, Feed
from jointwatch.records import Alert, BadInput

Got = tuple[int, dict[str, str], bytes]


def cap(alert: Alert, earlier: Any = ()) -> bytes:
    return alert_to_cap(alert, ZONES, "amber", earlier)


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    made = Feed("alerts", tmp_path / "feed", exercise=True, clock=lambda: NOW, most_held=5)
    yield made
    made.close()


def ask(feed: Feed, path: str, method: str = "GET", **headers: str) -> Got:
    connection = http.client.HTTPConnection(*feed.address, timeout=10.0)
    try:
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        return response.status, dict(response.headers.items()), response.read()
    finally:
        connection.close()


def raw(feed: Feed, data: bytes) -> bytes:
    """What comes back for some bytes, after which the client says nothing more."""
    with socket.create_connection(feed.address, timeout=10.0) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        out = b""
        while part := client.recv(65536):
            out += part
        return out


def entries(body: bytes) -> list[tuple[str, str]]:
    """Ids and addresses in a feed, in order."""
    root = etree.fromstring(body)
    return [
        (e.findtext(f"{{{ATOM}}}id"), e.find(f"{{{ATOM}}}content").get("src"))
        for e in root.findall(f"{{{ATOM}}}entry")
    ]


def test_an_alert_is_in_the_feed_and_at_its_address(feed: Feed) -> None:
    raid = Raid()
    first = raid.says("alert")
    second = raid.says("update", "Z2", after_s=2.0)
    for alert, earlier in ((first, []), (second, [first])):
        assert feed.deliver(alert.identifier, cap(alert, earlier)).came == "delivered"
    status, headers, body = ask(feed, "/feed.atom")
    assert status == 200 and headers["Content-Type"].startswith("application/atom+xml")
    found = entries(body)
    assert [src for _, src in found] == [f"alerts/{a.identifier}.xml" for a in (second, first)]
    status, headers, body = ask(feed, "/" + found[0][1])
    assert (status, headers["Content-Type"]) == (200, "application/cap+xml")
    assert read_cap(body, "theirs").identifier == second.identifier


def test_the_feed_has_what_atom_demands(feed: Feed) -> None:
    """RFC 4287, 4.1.1 and 4.1.2: id, title, updated; an author; each entry with a summary where content is
    elsewhere."""
    feed.deliver("EX-amber-01-0001", cap(Raid().says("alert")))
    for body in (ask(feed, "/feed.atom")[2], feed.atom(NOW + 10**6 * S)):
        root = etree.fromstring(body)
        for element in (root, *root.findall(f"{{{ATOM}}}entry")):
            for name in ("id", "title", "updated"):
                assert len(element.findall(f"{{{ATOM}}}{name}")) == 1
            assert element.findtext(f"{{{ATOM}}}id").startswith("urn:uuid:")
            assert element.findtext(f"{{{ATOM}}}author/{{{ATOM}}}name")
            assert element.findtext(f"{{{ATOM}}}title").startswith("EXERCISE: ")
        for entry in root.findall(f"{{{ATOM}}}entry"):
            assert entry.findtext(f"{{{ATOM}}}summary")


def test_the_same_after_a_restart_and_twice_is_once(feed: Feed, tmp_path: Path) -> None:
    raid = Raid()
    for n in range(3):
        alert = raid.says("update" if n else "alert", after_s=float(n))
        data = cap(alert, raid.sent[:-1])
        for _ in range(2):
            assert feed.deliver(alert.identifier, data).came == "delivered"
    before = ask(feed, "/feed.atom")
    assert len(entries(before[2])) == 3
    again = Feed("alerts", tmp_path / "feed", exercise=True, clock=lambda: NOW, most_held=5)
    after = ask(again, "/feed.atom")
    again.close()
    assert after[2] == before[2] and after[1]["ETag"] == before[1]["ETag"]


def test_an_exercise_s_feed_goes_by_the_exercise_s_time(tmp_path: Path) -> None:
    """Alerts of an exercise are long void, or yet to come, by the machine's clock."""
    feed = Feed("alerts", tmp_path / "feed", exercise=True)
    try:
        first, later = Raid(1).says("alert"), Raid(2).says("alert", after_s=7200.0)
        feed.deliver(first.identifier, cap(first))
        assert [src for _, src in entries(ask(feed, "/feed.atom")[2])] == [f"alerts/{first.identifier}.xml"]
        feed.deliver(later.identifier, cap(later))
        assert [src for _, src in entries(ask(feed, "/feed.atom")[2])] == [f"alerts/{later.identifier}.xml"]
    finally:
        feed.close()


def test_of_one_series_it_holds_the_last_ones(feed: Feed) -> None:
    raid = Raid()
    for n in range(1, 8):
        alert = raid.says("update" if n > 1 else "alert", after_s=float(n))
        feed.deliver(alert.identifier, cap(alert, raid.sent[:-1]))
    found = [src for _, src in entries(feed.atom(NOW))]
    assert found == [f"alerts/EX-amber-01-{n:04d}.xml" for n in (7, 6, 5, 4, 3)]
    assert ask(feed, "/alerts/EX-amber-01-0001.xml")[0] == 404
    assert len(list(feed._files.folder.glob("*.xml"))) == 5
    # void 15 min after the fall that was expected two minutes after each
    assert entries(feed.atom(NOW + 1024 * S)) == entries(feed.atom(NOW))[:4]
    assert entries(feed.atom(NOW + 3600 * S)) == []


def test_what_stands_stays_however_much_comes_after_it(tmp_path: Path) -> None:
    """Seven raids, of which the feed could hold five, then forty messages of an eighth."""
    now = [NOW]
    feed = Feed("alerts", tmp_path, exercise=True, clock=lambda: now[0], most_held=5)
    raids = [Raid(n) for n in range(1, 9)]
    for n, raid in enumerate(raids):
        alert = raid.says("alert", after_s=float(n))
        feed.deliver(alert.identifier, cap(alert))
    for n in range(40):
        alert = raids[-1].says("update", after_s=10.0 + n)
        feed.deliver(alert.identifier, cap(alert, raids[-1].sent[:-1]))
    stands = {f"alerts/{raid.sent[-1].identifier}.xml" for raid in raids}
    assert {src for _, src in entries(feed.atom(now[0]))} == stands
    # the first three are void: they go, from the folder too, and so does what the last one follows
    now[0] += 1023 * S
    alert = raids[-1].says("cancel", after_s=1023.0)
    feed.deliver(alert.identifier, cap(alert, raids[-1].sent[:-1]))
    feed.close()
    left = {f"EX-amber-{n:02d}-0001.xml" for n in (4, 5, 6, 7)} | {f"{alert.identifier}.xml"}
    assert {path.name for path in tmp_path.glob("*.xml")} == left
    again = Feed("alerts", tmp_path, exercise=True, clock=lambda: NOW + 5000 * S, most_held=1)
    again.close()
    assert [path.name for path in tmp_path.glob("*.xml")] == [f"{alert.identifier}.xml"]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.sampled_from(("update", "cancel", "all_clear")), st.integers(0, 400)),
        max_size=40,
    ),
    st.integers(1, 5),
)
def test_the_last_of_each_series_in_force_is_held_and_nothing_else_comes_back(
    told: list[tuple[int, str, int]], most_held: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        now = [NOW]
        feed = Feed("alerts", Path(folder), exercise=True, clock=lambda: now[0], most_held=most_held)
        raids: dict[int, Raid] = {}
        open_now: set[int] = set()
        number = 0
        for which, action, wait_s in told:
            now[0] += wait_s * S
            if which not in open_now:
                number += 1
                open_now.add(which)
                raids[which], action = Raid(number), "alert"
            elif action != "update":
                open_now.discard(which)
            raid = raids[which]
            alert = raid.says(action, after_s=(now[0] - NOW) / S)
            before = raid.sent[:-1]
            assert feed.deliver(alert.identifier, cap(alert, before)).came == "delivered"
            held = {h.message.identifier for h in feed._held.values()}
            last = {r.sent[-1].identifier: r for r in raids.values()}
            standing = {name for name, r in last.items() if void_ns(r.sent[-1], r.sent[:-1]) >= now[0]}
            assert standing <= held
            assert len(held) <= max(most_held, len(standing) + number - len(raids))
            for raid in raids.values():  # of each series the latest ones, without a gap at the end
                names = [a.identifier for a in raid.sent]
                kept = [name for name in names if name in held]
                assert kept == names[len(names) - len(kept) :]
            assert {p.name for p in Path(folder).glob("*.xml")} == {f"{name}.xml" for name in held}
        feed.close()


def test_what_is_no_message_in_its_folder_is_named_whatever_it_is(tmp_path: Path) -> None:
    (tmp_path / "EX-stray.xml").mkdir()
    with pytest.raises(BadInput, match=r"EX-stray\.xml: found what cannot be read: Is a directory"):
        Feed("alerts", tmp_path, exercise=True)
    (tmp_path / "EX-stray.xml").rmdir()
    (tmp_path / "EX-stray.xml").write_bytes(b"no message")
    with pytest.raises(BadInput, match=r"EX-stray\.xml"):
        Feed("alerts", tmp_path, exercise=True)


def test_who_has_it_is_not_sent_it_again(feed: Feed) -> None:
    feed.deliver("EX-amber-01-0001", cap(Raid().says("alert")))
    for path in ("/feed.atom", "/alerts/EX-amber-01-0001.xml"):
        etag = ask(feed, path)[1]["ETag"]
        for known in (etag, f'"x", W/{etag}', "*"):
            status, headers, body = ask(feed, path, If_None_Match=known)
            assert (status, headers["ETag"], body) == (304, etag, b"")
        assert ask(feed, path, If_None_Match='"other"')[0] == 200
    feed.deliver("EX-amber-02-0001", cap(Raid(2).says("alert")))
    assert (
        ask(feed, "/feed.atom", If_None_Match=ask(feed, "/alerts/EX-amber-01-0001.xml")[1]["ETag"])[0] == 200
    )


def test_head_is_get_without_the_bytes(feed: Feed) -> None:
    feed.deliver("EX-amber-01-0001", cap(Raid().says("alert")))
    for path in ("/feed.atom", "/alerts/EX-amber-01-0001.xml", "/none"):
        got, head = ask(feed, path), ask(feed, path, "HEAD")
        assert head[0] == got[0] and head[2] == b""
        assert head[1].get("Content-Length") == got[1].get("Content-Length")
        assert head[1].get("ETag") == got[1].get("ETag")


@pytest.mark.parametrize(
    "path",
    [
        "/", "/alerts/", "/alerts/.xml", "/alerts/../feed.atom", "/../secret", "/alerts/..%2f..%2fsecret.xml",
        "/alerts/%2e%2e/%2e%2e/etc/passwd", "/alerts//EX-amber-01-0001.xml", "/alerts/EX-amber-01-0001.xml/",
        "/alerts/EX-amber-01-0001", "/feed.atom/x", "/alerts/%00.xml", "/alerts/%ff.xml", "/" + "a" * 5000,
        "/alerts/.EX-amber-01-0001.xml.partial", "/alerts/..%5csecret.xml",
    ],
)  # fmt: skip
def test_no_other_address_tells_anything(feed: Feed, tmp_path: Path, path: str) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "secret.xml").write_text("secret")
    feed.deliver("EX-amber-01-0001", cap(Raid().says("alert")))
    status, _, body = ask(feed, path)
    assert status == 404 and b"secret" not in body


def test_a_name_with_a_slash_is_a_name(feed: Feed) -> None:
    alert = Raid().says("alert")
    data = cap(alert).replace(b"EX-amber-01-0001", b"EX-a/b-01-0001")
    assert feed.deliver("EX-a/b-01-0001", data).came == "delivered"
    (found,) = entries(feed.atom(NOW))
    assert ask(feed, "/" + found[1])[2] == data


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "X"])
def test_nothing_can_be_changed(feed: Feed, method: str) -> None:
    feed.deliver("EX-amber-01-0001", cap(Raid().says("alert")))
    assert ask(feed, "/alerts/EX-amber-01-0001.xml", method)[0] in (405, 501)
    assert len(entries(feed.atom(NOW))) == 1


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(max_size=300), st.booleans())
def test_whatever_is_sent_it_goes_on(shared_feed: Feed, data: bytes, asks: bool) -> None:
    raw(shared_feed, b"GET /" + data + b" HTTP/1.1\r\n\r\n" if asks else data)
    assert ask(shared_feed, "/feed.atom")[0] == 200


@pytest.fixture(scope="module")
def shared_feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feed]:
    made = Feed("alerts", tmp_path_factory.mktemp("feed"), exercise=True, clock=lambda: NOW)
    yield made
    made.close()


def test_slow_clients_and_many_of_them_are_cut_off(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_server, "CONNECTION_S", 0.8)
    monkeypatch.setattr(feed_server, "MOST_CONNECTIONS", 3)
    slow = [socket.create_connection(feed.address, timeout=10.0) for _ in range(3)]
    stop = threading.Event()

    def trickle() -> None:
        # a byte now and then keeps a socket's own timeout from ending it
        while not stop.wait(0.1):
            for client in slow:
                try:
                    client.sendall(b"G")
                except OSError:
                    stop.set()

    threading.Thread(target=trickle, daemon=True).start()
    time.sleep(0.3)
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(feed, "/feed.atom")
    deadline = time.monotonic() + 10.0
    while True:
        try:
            assert ask(feed, "/feed.atom")[0] == 200
            break
        except (OSError, http.client.HTTPException):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    stop.set()
    for client in slow:
        client.close()


def test_what_is_of_the_other_kind_is_neither_taken_nor_found(tmp_path: Path) -> None:
    live = Feed("live", tmp_path / "live", exercise=False, clock=lambda: NOW)
    actual = Raid(exercise=False).says("alert")
    drill = Raid().says("alert")
    assert live.deliver(actual.identifier, cap(actual)).came == "delivered"
    assert live.deliver(drill.identifier, cap(drill)).came == "refused"
    assert live.deliver("amber-02-0001", b"take shelter").came == "refused"
    live.close()
    assert [p.name for p in (tmp_path / "live").glob("*.xml")] == ["amber-01-0001.xml"]
    with pytest.raises(BadInput, match="for live messages"):
        Feed("drill", tmp_path / "live", exercise=True)


def test_a_port_that_is_taken_is_refused_by_name(feed: Feed, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="port"):
        Feed("second", tmp_path / "second", exercise=True, port=feed.address[1])


def test_it_listens_on_this_machine_unless_told_otherwise(feed: Feed) -> None:
    assert feed.address[0] == "127.0.0.1"
