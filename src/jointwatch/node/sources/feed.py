"""A feed of alerts over HTTP: an Atom or RSS document that names CAP messages, or one message's own address.

In: an address that the node's operator wrote down; out: the messages that are new.  What has not changed is
not sent again by a server that knows how to (ETag, Last-Modified).  Messages, and where a redirect leads,
must be on the feed's own host: whoever writes a feed cannot make a node ask others.  Each request has its
time and size, and so has a whole look; a message that cannot be had is asked for a few times more, then left.
References: RFC 9110, 13.1 (conditional requests), RFC 4287.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http.client import HTTPException
from typing import NamedTuple
from urllib.parse import urljoin

from jointwatch.formats.alert_feed import FeedEntry, FeedPage, read_feed, same_host
from jointwatch.node.http_exchange import TIMEOUT_S, Response, check_url, exchange, retry_after_s
from jointwatch.node.sources.source import MOST_BYTES, MOST_MESSAGES, Look, LookFailed
from jointwatch.records import BadInput

LOOK_S = 30.0
"""One look takes no longer, and one request more; what is left comes with the next."""
MOST_REDIRECTS = 3
ATTEMPTS = 5
"""A message that cannot be had is asked for so often."""
ACCEPT = "application/cap+xml, application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.1"


class _Unchanged(Exception):
    """The document is as it was."""


class _Document(NamedTuple):
    """Bytes, where they were found in the end, and what names their state."""

    data: bytes
    address: str
    etag: str
    modified: str


class AlertFeed:
    """One feed."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        exercise: bool,
        every_s: float,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """timeout_s: of one request.  clock: seconds, for how long a look may take.  BadInput for an address
        that is none, or a live one that is neither https nor on this machine."""
        check_url(url, f"source {name}", exercise=exercise)
        self.name, self.every_s = name, every_s
        self._url, self._exercise, self._timeout_s, self._clock = url, exercise, timeout_s, clock
        self._known: _Document | None = None
        self._page = FeedPage((), 0)
        self._had: set[FeedEntry] = set()
        self._failed: dict[FeedEntry, int] = {}

    def look(self) -> Look:
        """Ask for the document, and for the messages it names that were not had."""
        began = self._clock()
        try:
            document = self._get(self._url, self._known)
        except _Unchanged:
            return self._messages(began)
        page = self._read(document)
        if page is None:
            known, self._known = self._known, document
            return Look() if known is not None and known.data == document.data else Look((document.data,))
        self._known, self._page = document, page
        self._had &= set(page.entries)
        self._failed = {entry: n for entry, n in self._failed.items() if entry in set(page.entries)}
        return self._messages(began)

    def _read(self, document: _Document) -> FeedPage | None:
        try:
            return read_feed(document.data, self.name, document.address)
        except BadInput as error:
            raise LookFailed(str(error)) from None

    def _messages(self, began: float) -> Look:
        """Messages of the feed that were not had, from the end of its document on: feeds begin with the
        newest, and what a message refers to is older."""
        messages: list[bytes] = []
        said = f"{self._page.left_out} entries that name no message, or are too many"
        troubles = [said] if self._page.left_out else []
        left = 0
        for entry in reversed(self._page.entries):
            if entry in self._had:
                continue
            if len(messages) >= MOST_MESSAGES or self._clock() - began > LOOK_S:
                left += 1
                continue
            try:
                if not same_host(entry.address, self._url):
                    raise LookFailed(f"{entry.address}: on another host than the feed")
                messages.append(self._get(entry.address, None).data)
                self._had.add(entry)
            except (LookFailed, BadInput) as error:
                troubles.append(str(error))
                self._failed[entry] = self._failed.get(entry, 0) + 1
                if self._failed[entry] >= ATTEMPTS:
                    self._had.add(entry)
        return Look(tuple(messages), left, tuple(troubles))

    def _get(self, address: str, known: _Document | None) -> _Document:
        """The document at an address; _Unchanged if it is the known one, LookFailed if it cannot be had."""
        headers = {"User-Agent": "jointwatch", "Accept": ACCEPT, "Accept-Encoding": "identity"}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        if known is not None and known.modified:
            headers["If-Modified-Since"] = known.modified
        for _ in range(MOST_REDIRECTS + 1):
            response = self._ask(address, headers)
            if response.status not in (301, 302, 303, 307, 308):
                break
            address = self._redirected(address, response)
        else:
            raise LookFailed(f"{address}: more than {MOST_REDIRECTS} redirects")
        if response.status == 304 and known is not None:
            raise _Unchanged
        if response.status != 200:
            after_s = retry_after_s(response.headers.get("Retry-After", ""), time.time())
            raise LookFailed(f"{address}: status {response.status}", after_s)
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise LookFailed(f"{address}: encoded as {encoding[:20]}, which was not asked for")
        etag, modified = (_line(response.headers.get(k, "")) for k in ("ETag", "Last-Modified"))
        return _Document(response.body, address, etag, modified)

    def _ask(self, address: str, headers: dict[str, str]) -> Response:
        try:
            return exchange("GET", address, headers, timeout_s=self._timeout_s, most_bytes=MOST_BYTES)
        except TimeoutError as error:
            raise LookFailed(f"{address}: {error}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise LookFailed(f"{address}: {type(error).__name__}: {error}") from None

    def _redirected(self, address: str, response: Response) -> str:
        """Where a redirect leads; LookFailed if that is not on the same host."""
        try:
            target = urljoin(address, response.headers.get("Location", "").strip())
            check_url(target, "redirect", exercise=self._exercise)
            if same_host(target, address):
                return target
        except ValueError:
            pass
        raise LookFailed(f"{address}: a redirect that does not lead to the same host")


def _line(value: str) -> str:
    """A header's value as it may be sent back; "" for one that is none."""
    return value if value.isascii() and value.isprintable() and len(value) <= 200 else ""
