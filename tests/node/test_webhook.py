"""Webhooks: signed so that a receiver can tell, tried again where that helps, and never led elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.node.http_exchange import check_url, retry_after_s
from jointwatch.node.sinks.webhook import (
    SIGNATURE,
    Webhook,
    answer_to,
    sign_webhook,
    verify_webhook,
)
from jointwatch.records import BadInput

SECRET = b"a secret of some length"
T = 1_780_000_000


class Receiver:
    """A receiver on this machine; what it answers is set by `answer`."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: Any = lambda handler: handler.send_response(200)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers.items()), body))
                receiver.answer(self)
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?site=1"

    def hook(self, **changes: Any) -> Webhook:
        return Webhook("hook", self.url, SECRET, **{"exercise": True, "clock": lambda: T, **changes})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_what_arrives_is_the_message_with_who_sent_it(receiver: Receiver) -> None:
    answer = receiver.hook().deliver("EX-amber-01-0001", b"<alert/>")
    assert answer.came == "delivered"
    ((path, headers, body),) = receiver.got
    assert (path, body, headers["Idempotency-Key"]) == ("/hook?site=1", b"<alert/>", "EX-amber-01-0001")
    assert headers["Jointwatch-Status"] == "Exercise" and headers["Content-Type"] == "application/cap+xml"
    assert verify_webhook(headers, body, SECRET, T + 3.0) == T


def test_the_key_is_the_same_at_every_attempt_and_fits_into_a_header(receiver: Receiver) -> None:
    for _ in range(2):
        assert receiver.hook().deliver("EX-\u05d0 \r\nX: y", b"x").came == "delivered"
    keys = [headers["Idempotency-Key"] for _, headers, _ in receiver.got]
    assert keys == ["EX-%D7%90%20%0D%0AX%3A%20y"] * 2


@pytest.mark.parametrize(
    ("status", "came"),
    [
        (200, "delivered"), (202, "delivered"), (204, "delivered"), (301, "failed"), (307, "failed"),
        (400, "refused"), (401, "refused"), (404, "refused"), (408, "failed"), (409, "refused"),
        (410, "refused"), (422, "refused"), (425, "failed"), (429, "failed"), (500, "failed"),
        (502, "failed"), (503, "failed"),
    ],
)  # fmt: skip
def test_what_a_status_means(receiver: Receiver, status: int, came: str) -> None:
    receiver.answer = lambda handler: handler.send_response(status)
    answer = receiver.hook().deliver("EX-1", b"x")
    assert answer.came == came and str(status) in answer.detail


@pytest.mark.parametrize(
    ("statuses", "came", "said"),
    [
        ([103, 200], "delivered", "status 200"),
        ([102, 100, 103, 103, 204], "delivered", "status 204"),
        ([103, 400], "refused", "status 400"),
        ([102], "failed", ""),
        ([103] * 100 + [200], "failed", "status 103"),
        ([101], "failed", "status 101"),
    ],
)
def test_an_interim_answer_is_not_the_last_word(
    receiver: Receiver, statuses: list[int], came: str, said: str
) -> None:
    def several(handler: Any) -> None:
        for n, status in enumerate(statuses, start=1):
            handler.send_response_only(status)
            handler.send_header("Link", "</style>")
            if n < len(statuses):
                handler.end_headers()

    receiver.answer = several
    answer = receiver.hook().deliver("EX-amber-01-0001", b"<alert/>")
    assert answer.came == came and said in answer.detail


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    other = Receiver()

    def away(handler: Any) -> None:
        handler.send_response(302)
        handler.send_header("Location", other.url)

    receiver.answer = away
    assert receiver.hook().deliver("EX-1", b"x").came == "failed"
    assert len(receiver.got) == 1 and other.got == []
    other.server.shutdown()
    other.server.server_close()


def test_retry_after_is_honoured(receiver: Receiver) -> None:
    def busy(handler: Any) -> None:
        handler.send_response(503)
        handler.send_header("Retry-After", "7")

    receiver.answer = busy
    answer = receiver.hook().deliver("EX-1", b"x")
    assert (answer.came, answer.retry_after_s) == ("failed", 7.0)
    date = format_datetime(datetime.fromtimestamp(T + 30, UTC), usegmt=True)
    assert retry_after_s(date, T) == 30.0
    for nonsense in ("", "-5", "soon", "1e9", "٣", date[:9], "nan"):
        assert retry_after_s(nonsense, T) == 0.0
    assert answer_to(400, "7", T).retry_after_s == 0.0


def test_one_that_never_ends_its_answer_is_left_in_time(receiver: Receiver) -> None:
    def trickle(handler: Any) -> None:
        for _ in range(100):
            try:
                handler.wfile.write(b"H")
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)

    receiver.answer = trickle
    began = time.monotonic()
    assert receiver.hook(timeout_s=0.5).deliver("EX-1", b"x").came == "failed"
    assert time.monotonic() - began < 2.0


def test_one_that_says_nothing_or_nonsense_or_is_not_there_has_failed(receiver: Receiver) -> None:
    receiver.answer = lambda handler: time.sleep(1.0)
    answer = receiver.hook(timeout_s=0.3).deliver("EX-1", b"x")
    assert answer.came == "failed"
    for nonsense in (
        b"\x00\xff\r\n\r\n",
        b"HTTP/9.9 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ):
        receiver.answer = lambda handler, data=nonsense: handler.wfile.write(data)
        assert receiver.hook().deliver("EX-1", b"x").came == "failed"
    nobody = Webhook("gone", "http://127.0.0.1:9/", SECRET, exercise=True)
    assert nobody.deliver("EX-1", b"x").came == "failed"


# ------------------------------------------------------------------ for receivers


def headers_of(body: bytes = b"body", secret: bytes = SECRET, time_s: int = T) -> dict[str, str]:
    return {SIGNATURE.lower(): sign_webhook(body, secret, time_s)}


def test_a_receiver_takes_what_is_signed_and_nothing_else() -> None:
    assert verify_webhook(headers_of(), b"body", SECRET, T) == T
    for headers, body, secret, now in (
        (headers_of(), b"Body", SECRET, T),
        (headers_of(), b"body", SECRET + b"x", T),
        (headers_of(), b"body", SECRET, T + 301.0),
        (headers_of(), b"body", SECRET, T - 301.0),
        (headers_of(), b"body", SECRET, float("nan")),
        ({}, b"body", SECRET, T),
        ({SIGNATURE: headers_of()[SIGNATURE.lower()].replace(f"t={T}", f"t={T + 1}")}, b"body", SECRET, T),
        ({SIGNATURE: f"t={T}"}, b"body", SECRET, T),
        ({SIGNATURE: headers_of()[SIGNATURE.lower()] + f",t={T}"}, b"body", SECRET, T),
    ):
        with pytest.raises(BadInput):
            verify_webhook(headers, body, secret, now)


def test_one_of_several_signatures_is_enough_while_a_secret_is_changed() -> None:
    new = sign_webhook(b"body", b"another secret, also long", T).split(",")[1]
    headers = {SIGNATURE: f"{headers_of()[SIGNATURE.lower()]},{new}"}
    for secret in (SECRET, b"another secret, also long"):
        assert verify_webhook(headers, b"body", secret, T) == T


def test_the_scheme_is_the_one_documented() -> None:
    """By hand: HMAC-SHA256 of "<t>." and the body (as `openssl dgst -sha256 -hmac key` gives it)."""
    import hashlib
    import hmac

    mac = hmac.new(SECRET, f"{T}.".encode() + b"body", hashlib.sha256).hexdigest()
    assert sign_webhook(b"body", SECRET, T) == f"t={T},v1={mac}"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.one_of(st.text(max_size=80), st.text("tv1=,.0123456789abcdef", max_size=100)), st.binary(max_size=20)
)
def test_whatever_stands_in_the_header(value: str, body: bytes) -> None:
    with pytest.raises(BadInput):
        verify_webhook({SIGNATURE: value}, body, SECRET, T)


# ------------------------------------------------------------------ where it may go


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x/", "http://", "//x/", "x", "https://x:99999/", "https://u:p@x/", "https://x/#y",
        "https://x/ y", "https://x/\r\nHost: y", "https://[::1/", "https://\u05d0/", "",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    for exercise in (True, False):
        with pytest.raises(BadInput, match="url"):
            check_url(url, "sinks.toml", exercise=exercise)


def test_a_live_hook_is_https_or_on_this_machine() -> None:
    for url in ("https://x/", "http://127.0.0.1:8000/x", "http://[::1]/", "http://localhost/"):
        check_url(url, "s", exercise=False)
    for url in ("http://x/", "http://127.0.0.1.x/", "http://localhost.x/", "http://10.0.0.1/"):
        check_url(url, "s", exercise=True)
        with pytest.raises(BadInput, match="https, or this machine"):
            Webhook("w", url, SECRET, exercise=False)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(BadInput, match="secret"):
        Webhook("w", "https://x/", b"short", exercise=True)
