"""Alerts by HTTP POST to whoever asked to be called, signed so that the receiver knows whom it is from.

In: a message's identifier and bytes; out: one request, and what its status means.  The body is the message.
Headers: `Idempotency-Key`, the identifier (percent-encoded), the same at every attempt; `Jointwatch-Status`,
Actual or Exercise; and `Jointwatch-Signature: t=<seconds since 1970>,v1=<HMAC-SHA256, hexadecimal>` over
"<t>." and the body with the secret of this hook.  Receivers check it with `verify_webhook`, and take a
message once by the identifier in its body.  A message that refers to one that came later takes its place all
the same: the order on the wire is kept here, but no network keeps it.

2xx is delivered.  408, 425, 429, 5xx, no answer, none but interim ones (1xx) and a redirect (never followed:
it would carry a warning where nobody meant it to go) are tried again, with Retry-After honoured; any other
status is the receiver's last word.  A live hook is https or on this machine.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote

from jointwatch.node.http_exchange import TIMEOUT_S, check_url, exchange, retry_after_s
from jointwatch.node.sinks.sink import Answer
from jointwatch.records import BadInput

SIGNATURE = "Jointwatch-Signature"
TOLERANCE_S = 300.0
"""A signature that is older, or from so far ahead, is refused: what was heard could be played again."""
LEAST_SECRET = 16
AGAIN = frozenset((408, 425, 429))
"""Statuses below 500 of which another attempt may help."""


def sign_webhook(body: bytes, secret: bytes, time_s: int) -> str:
    """The value of the signature header for a body sent at time_s (seconds UTC since 1970)."""
    mac = hmac.new(secret, b"%d." % time_s + body, hashlib.sha256)
    return f"t={time_s},v1={mac.hexdigest()}"


def verify_webhook(
    headers: Mapping[str, str], body: bytes, secret: bytes, now: float, tolerance_s: float = TOLERANCE_S
) -> int:
    """When a request was signed (seconds UTC); BadInput if it is not signed with this secret, or not lately.

    now: seconds UTC since 1970.  Several v1 may stand in the header, as while a secret is changed: one must
    be right.
    """
    value = next((v for k, v in headers.items() if k.lower() == SIGNATURE.lower()), None)
    if value is None:
        raise BadInput("webhook", SIGNATURE, "nothing", "this header")
    parts = [tuple(part.strip().split("=", 1)) for part in value.split(",")]
    times = [p[1] for p in parts if len(p) == 2 and p[0] == "t"]
    macs = [p[1] for p in parts if len(p) == 2 and p[0] == "v1"]
    if len(times) != 1 or not macs or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 12:
        raise BadInput("webhook", SIGNATURE, value, "t=<seconds>,v1=<hexadecimal>")
    time_s = int(times[0])
    wanted = sign_webhook(body, secret, time_s).partition("v1=")[2].encode()
    # all are compared, each in a time that tells nothing
    if not any([hmac.compare_digest(wanted, mac.encode(errors="replace")) for mac in macs]):
        raise BadInput("webhook", SIGNATURE, "a signature that is not right", "one with this hook's secret")
    if not abs(now - time_s) <= tolerance_s:
        raise BadInput("webhook", SIGNATURE, f"a time {now - time_s:.0f} s ago", f"at most {tolerance_s:g} s")
    return time_s


class Webhook:
    """One receiver."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: bytes,
        *,
        exercise: bool,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """timeout_s: of a whole attempt.  clock: seconds UTC.  BadInput for a bad address or secret."""
        source = f"sink {name}"
        check_url(url, source, exercise=exercise)
        if len(secret) < LEAST_SECRET:
            raise BadInput(source, "secret", f"{len(secret)} bytes", f"at least {LEAST_SECRET}")
        self.name, self.exercise = name, exercise
        self._url, self._secret, self._timeout_s, self._clock = url, secret, timeout_s, clock

    def deliver(self, identifier: str, data: bytes) -> Answer:
        """One attempt; an error of the network is a failed one."""
        import http.client

        headers = {
            "Content-Type": "application/cap+xml",
            "User-Agent": "jointwatch",
            "Idempotency-Key": quote(identifier, safe=""),
            "Jointwatch-Status": "Exercise" if self.exercise else "Actual",
            SIGNATURE: sign_webhook(data, self._secret, int(self._clock())),
        }
        try:
            answer = exchange("POST", self._url, headers, data, timeout_s=self._timeout_s)
        except TimeoutError as error:
            return Answer("failed", str(error))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer("failed", f"{type(error).__name__}: {error}")
        return answer_to(answer.status, answer.headers.get("Retry-After", ""), self._clock())

    def close(self) -> None:
        """Nothing is open between two attempts."""


def answer_to(status: int, retry_after: str, now: float) -> Answer:
    """What a status means; now: seconds UTC, for a Retry-After that is a date."""
    if 200 <= status < 300:
        return Answer("delivered", f"status {status}")
    if status < 200:
        return Answer("failed", f"status {status}: no final answer")
    if 300 <= status < 400:
        return Answer("failed", f"status {status}: a redirect is not followed")
    if status in AGAIN or status >= 500:
        return Answer("failed", f"status {status}", retry_after_s(retry_after, now))
    return Answer("refused", f"status {status}")
