"""The HTTP server of a feed: GET and HEAD of pages, for clients of whom nothing good is assumed.

In: where to listen, and requests; out: pages by their address, as whoever began the server (`serve`) looks
them up.  Each connection is one request, has a few seconds in all, and is one of a limited number.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from jointwatch.records import BadInput

if TYPE_CHECKING:
    from jointwatch.node.sinks.feed import Page

READ_S, CONNECTION_S = 5.0, 15.0
"""A client may be silent for so long, and stay for so long in all."""
MOST_CONNECTIONS = 64
LONGEST_PATH = 1000
_TAG = re.compile(r'(?:W/)?("[^"]*")')


PageAt = Callable[[tuple[str, ...]], "Page | None"]
"""The page at an address, given by its parts without percent signs; None if there is none."""


def serve(sink: str, host: str, port: int, page: PageAt) -> FeedServer:
    """A server of the pages of a sink that listens from now on; BadInput naming the sink if it cannot there.

    port: 0 for any that is free (`FeedServer.where` says which).
    """
    try:
        server = FeedServer((host, port), page)
    except (OSError, OverflowError) as error:
        raise BadInput(f"sink {sink}", "port", f"{host}:{port} ({error})", "a free one") from None
    server.begin()
    return server


class FeedServer(ThreadingHTTPServer):
    """Serves pages in threads of its own until `end`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], page: PageAt) -> None:
        self.page = page
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self._open: dict[Any, float] = {}
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.1}, name="feed", daemon=True
        )

    def server_bind(self) -> None:
        """As its parent does, without asking a name service for this machine's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "jointwatch", self.server_address[1]

    @property
    def where(self) -> tuple[str, int]:
        """Host and port that it listens at."""
        host, port = self.server_address[:2]
        return str(host), int(port)

    def begin(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def end(self) -> None:
        """Serve no more."""
        self.shutdown()
        self.server_close()
        self._cut(0.0)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            full = len(self._open) >= MOST_CONNECTIONS
            if not full:
                self._open[request] = time.monotonic()
        if full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Is called every moment: whoever stays too long is cut off, however busy."""
        self._cut(CONNECTION_S)

    def _cut(self, after_s: float) -> None:
        now = time.monotonic()
        with self._open_lock:
            late = [request for request, begun in self._open.items() if now - begun >= after_s]
        for request in late:
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or was cut off, is nothing to tell of."""


class _Handler(BaseHTTPRequestHandler):
    server: FeedServer
    timeout = READ_S
    server_version, sys_version = "Jointwatch", ""

    def do_GET(self) -> None:
        """A page with its bytes."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """A page without them."""
        self._answer(with_body=False)

    def _answer(self, with_body: bool) -> None:
        parts = _parts(self.path)
        page = self.server.page(parts) if parts is not None else None
        if page is None:
            self.send_error(404)
            return
        known = page.etag in _tags(self.headers.get("If-None-Match", ""), page.etag)
        self.send_response(304 if known else 200)
        self.send_header("ETag", page.etag)
        self.send_header("Cache-Control", "no-cache")
        if not known:
            self.send_header("Content-Type", page.kind)
            self.send_header("Content-Length", str(len(page.data)))
            self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if with_body and not known:
            self.wfile.write(page.data)

    def log_message(self, format: str, *args: Any) -> None:
        """Who asked what is nobody's business here."""


def _parts(target: str) -> tuple[str, ...] | None:
    """The parts of a request's path; what is no plain path from the root is nothing."""
    path = target.partition("?")[0]
    if not path.startswith("/") or len(path) > LONGEST_PATH:
        return None
    # each part is unquoted by itself: a quoted slash is a character of a name
    return tuple(unquote(part, errors="replace") for part in path[1:].split("/"))


def _tags(header: str, own: str) -> list[str]:
    """The tags that If-None-Match names (RFC 9110, 13.1.2)."""
    return [own] if header.strip() == "*" else _TAG.findall(header)
