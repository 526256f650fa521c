"""One request over HTTP and its answer, within a time and a size, by whoever calls hooks and reads feeds.

In: an address that somebody wrote down beforehand, and a request; out: status, headers and as much of the
body as is wanted, or an error of the network.  Nothing is followed, kept open or unpacked here.
Reference: RFC 9110 (HTTP semantics).
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import urlsplit

from jointwatch.records import BadInput

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

TIMEOUT_S = 10.0
MOST_INTERIM = 20
"""Interim answers to one request that are read."""


class Response(NamedTuple):
    """What came back; the body is empty where none of it was wanted."""

    status: int
    headers: Message
    body: bytes


def exchange(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    timeout_s: float = TIMEOUT_S,
    most_bytes: int = 0,
) -> Response:
    """One request and what came back.

    timeout_s: of the whole exchange once it is connected, and of connecting.  most_bytes: of the body; 0: it
    is not read.  OSError (TimeoutError: not within the time) or HTTPException where the network or the other
    side fails; BadInput for a body that is longer.
    """
    import http.client
    import ssl

    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        return _ask(connection, method, path, headers, body, timeout_s, most_bytes)
    except TimeoutError:
        raise TimeoutError(f"no answer within {timeout_s:g} s") from None
    finally:
        connection.close()


def _ask(
    connection: HTTPConnection,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes | None,
    timeout_s: float,
    most_bytes: int,
) -> Response:
    import threading

    connection.connect()
    # the socket's own timeout is for each read: whoever sends a byte now and then would go on for ever
    sock, cut = connection.sock, threading.Event()
    late = threading.Timer(timeout_s, lambda: _shut(sock, cut))
    late.daemon = True
    late.start()
    connection.response_class = _past_interim()
    try:
        connection.request(method, path, body=body, headers={**headers, "Connection": "close"})
        response = connection.getresponse()
        data = response.read(most_bytes + 1) if most_bytes else b""
        length = response.headers.get("Content-Length", "").strip()
        if len(data) > most_bytes:
            raise BadInput(path, "body", f"more than {most_bytes} bytes", f"at most {most_bytes}")
        if most_bytes and cut.is_set():  # what was cut off may look whole
            raise TimeoutError
        if most_bytes and response.status == 200 and length.isdecimal() and len(data) < int(length):
            raise ConnectionError(f"the answer ends after {len(data)} of {length[:20]} bytes")
        return Response(response.status, response.headers, data)
    except OSError:
        if cut.is_set():
            raise TimeoutError from None
        raise
    finally:
        late.cancel()


@cache
def _past_interim() -> type[HTTPResponse]:
    """The class of a response that reads on past interim answers to the final one (RFC 9110, 15.2), where
    Python's own knows of 100 alone.

    Whoever sends more than `MOST_INTERIM` of them, or asks for another protocol (101), has that as status.
    """
    from http.client import HTTPMessage, HTTPResponse

    class PastInterim(HTTPResponse):
        def begin(self) -> None:
            super().begin()
            for _ in range(MOST_INTERIM):
                if not 102 <= self.status < 200:
                    break
                self.headers = self.msg = cast(HTTPMessage, None)  # by which it knows that it has not begun
                super().begin()

    return PastInterim


def _shut(sock: object, cut: object) -> None:
    """End an exchange that takes too long, from another thread."""
    import socket
    import threading

    assert isinstance(cut, threading.Event)
    cut.set()
    if isinstance(sock, socket.socket):
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # beneath TLS, which would wait for a good-bye


def check_url(url: str, source: str, *, exercise: bool) -> None:
    """BadInput naming source if nobody can be asked at this address; a live one is https or loopback."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise BadInput(source, "url", url, "an address") from None
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable():
        raise BadInput(source, "url", url, "an http or https address with a host")
    if parts.username is not None or parts.fragment or " " in url:
        raise BadInput(source, "url", url, "an address without name, password, fragment or space")
    if parts.scheme == "http" and not exercise and not is_loopback(host):
        raise BadInput(source, "url", url, "https, or this machine")


def is_loopback(host: str) -> bool:
    """Whether a host's name is this machine, whatever a name service says."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host.lower() == "localhost"


def retry_after_s(value: str, now: float) -> float:
    """Seconds that a Retry-After header asks for, 0 if it is none (RFC 9110, 10.2.3); now: seconds UTC."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        after_s = moment.timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0.0
    return after_s if math.isfinite(after_s) and after_s > 0.0 else 0.0
