"""Asking a feed: what is new comes once, within bounds, from one host; whatever the server does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from jointwatch.node.sources.feed import ATTEMPTS, AlertFeed
from jointwatch.node.sources.source import MOST_BYTES, Look, LookFailed
from jointwatch.records import BadInput

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """Answers by path, and remembers what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers.items())))
        self.server.answers.get(self.path, plain(b"", 404))(self)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def plain(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def atom(*addresses: str) -> bytes:
    entries = "".join(f'<entry><link type="application/cap+xml" href="{a}"/></entry>' for a in addresses)
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.shutdown()
    made.server_close()


def feed(server: Server, path: str = "/feed", timeout_s: float = 5.0) -> AlertFeed:
    return AlertFeed("north", server.url + path, exercise=True, every_s=10.0, timeout_s=timeout_s)


def paths(server: Server) -> list[str]:
    asked = [path for path, _ in server.asked]
    server.asked.clear()
    return asked


def test_messages_come_once_the_oldest_first(server: Server) -> None:
    server.answers = {"/feed": plain(atom("2.xml", "1.xml"))}
    server.answers |= {f"/{n}.xml": plain(b"message %d" % n) for n in (1, 2, 3)}
    source = feed(server)
    assert source.look() == Look((b"message 1", b"message 2"))
    assert source.look() == Look()
    server.answers["/feed"] = plain(atom("3.xml", "2.xml"))
    assert source.look() == Look((b"message 3",))
    assert paths(server) == ["/feed", "/1.xml", "/2.xml", "/feed", "/feed", "/3.xml"]


def test_what_has_not_changed_is_not_sent_again(server: Server) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        known = handler.headers.get("If-None-Match") == '"a"'
        body = b"" if known else atom("1.xml")
        plain(body, 304 if known else 200, ETag='"a"', Last_Modified="Mon, 05 Jan 2026 22:00:00 GMT")(handler)

    server.answers = {"/feed": answer, "/1.xml": plain(b"", 503)}
    source = feed(server)
    assert "status 503" in source.look().troubles[0]
    server.answers["/1.xml"] = plain(b"one")
    assert source.look() == Look((b"one",))  # what could not be had is asked for again all the same
    assert server.asked[2][1]["If-Modified-Since"] == "Mon, 05 Jan 2026 22:00:00 GMT"
    assert source.look() == Look()


def test_a_message_may_be_at_the_address_itself(server: Server) -> None:
    message = b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>'
    server.answers = {"/feed": plain(message)}
    source = feed(server)
    assert (source.look(), source.look()) == (Look((message,)), Look())
    server.answers["/feed"] = plain(message + b"\n")
    assert source.look() == Look((message + b"\n",))


def test_no_feed_makes_a_node_ask_others(server: Server) -> None:
    other = Server()
    try:
        other.answers = {"/1.xml": plain(b"stolen")}
        server.answers = {"/feed": plain(atom(f"{other.url}/1.xml", "2.xml"))}
        server.answers["/2.xml"] = plain(b"", 302, Location=f"{other.url}/1.xml")
        source = feed(server)
        for _ in range(ATTEMPTS):
            look = source.look()
            assert look.messages == () and len(look.troubles) == 2
            assert "lead to the same host" in look.troubles[0] and "another host" in look.troubles[1]
        assert source.look() == Look()  # and then they are left
        assert other.asked == []
    finally:
        other.shutdown()
        other.server_close()


def test_redirects_are_few_and_on_the_same_host(server: Server) -> None:
    server.answers = {"/feed": plain(b"", 301, Location="/now"), "/now": plain(atom("1.xml"))}
    server.answers |= {"/1.xml": plain(b"one"), "/loop": plain(b"", 307, Location="/loop")}
    assert feed(server).look() == Look((b"one",))
    with pytest.raises(LookFailed, match="more than 3 redirects"):
        feed(server, "/loop").look()
    for location in ("file:///etc/passwd", "", "http://[", "ftp://127.0.0.1/"):
        server.answers["/bad"] = plain(b"", 302, Location=location)
        with pytest.raises(LookFailed, match="redirect"):
            feed(server, "/bad").look()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (plain(b"", 500), "status 500"),
        (plain(b"x" * (MOST_BYTES + 1)), "more than"),
        (plain(b"<feed", Content_Length="100"), "ends after 5 of 100 bytes"),
        (plain(b"<feed"), "well-formed"),
        (plain(b"<!DOCTYPE feed [<!ENTITY a 'b'>]><feed>&a;</feed>"), "DOCTYPE"),
        (plain(b"x", Content_Encoding="gzip"), "encoded as gzip"),
        (lambda handler: handler.wfile.write(b"nonsense\r\n\r\n"), "BadStatusLine"),
        (lambda handler: None, "RemoteDisconnected"),
    ],
)
def test_what_cannot_be_used_is_said(server: Server, answer: Answer, said: str) -> None:
    server.answers = {"/feed": answer}
    with pytest.raises(LookFailed, match=said):
        feed(server).look()


def test_a_server_may_say_when_to_ask_again(server: Server) -> None:
    server.answers = {"/feed": plain(b"", 503, Retry_After="77")}
    with pytest.raises(LookFailed) as failed:
        feed(server).look()
    assert failed.value.retry_after_s == 77.0


def test_one_that_drips_is_cut_off(server: Server) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(200):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.05)

    server.answers = {"/feed": drip}
    began = time.monotonic()
    with pytest.raises(LookFailed, match=r"no answer within 0\.4 s"):
        feed(server, timeout_s=0.4).look()
    assert time.monotonic() - began < 5.0


def test_nobody_there(server: Server) -> None:
    with pytest.raises(LookFailed, match="ConnectionRefusedError"):
        AlertFeed("n", "http://127.0.0.1:9/", exercise=True, every_s=1.0).look()


def test_a_live_feed_is_protected_or_on_this_machine() -> None:
    with pytest.raises(BadInput, match="https"):
        AlertFeed("n", "http://north.example/", exercise=False, every_s=1.0)
    AlertFeed("n", "http://127.0.0.1/", exercise=False, every_s=1.0)
