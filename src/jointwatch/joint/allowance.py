"""How much one partner may send: so that one who floods keeps nobody else's messages waiting.

In: the size of each message and when it came; out: whether it is within the allowance.  Two token buckets, of
messages and of bytes (Turner 1986, the leaky bucket as a meter), in the time that the node is told: it reads
no clock.  What is said here is for partners; others' alerts have less (`formats.cap_gate`).
"""

from __future__ import annotations

MESSAGES_PER_S, MESSAGES_AT_ONCE = 200.0, 20_000.0
"""Ten radars of eight sectors in four seconds give 20 messages a second; after a cut of a quarter of an hour
what was kept comes at once."""
BYTES_PER_S, BYTES_AT_ONCE = 10e6, 200e6
"""Ten thousand tracks, each looked at every four seconds, are 1 MB a second."""


class Allowance:
    """What one partner may still send."""

    __slots__ = ("_at_once", "_bytes", "_bytes_at_once", "_bytes_per_s", "_last_ns", "_messages", "_per_s")

    def __init__(
        self,
        per_s: float | None = None,
        at_once: float | None = None,
        bytes_per_s: float | None = None,
        bytes_at_once: float | None = None,
    ) -> None:
        """per_s, bytes_per_s: messages and bytes a second; at_once, bytes_at_once: after a silence.  A
        partner's where they are None.  What is longer than bytes_at_once is never taken."""
        self._per_s = MESSAGES_PER_S if per_s is None else per_s
        self._at_once = MESSAGES_AT_ONCE if at_once is None else at_once
        self._bytes_per_s = BYTES_PER_S if bytes_per_s is None else bytes_per_s
        self._bytes_at_once = BYTES_AT_ONCE if bytes_at_once is None else bytes_at_once
        self._messages, self._bytes = self._at_once, self._bytes_at_once
        self._last_ns: int | None = None

    def takes(self, size: int, received_ns: int) -> bool:
        """Whether a message of so many bytes is within the allowance; if so, it is used for it."""
        if self._last_ns is not None and received_ns > self._last_ns:
            elapsed_s = (received_ns - self._last_ns) * 1e-9
            self._messages = min(self._messages + self._per_s * elapsed_s, self._at_once)
            self._bytes = min(self._bytes + self._bytes_per_s * elapsed_s, self._bytes_at_once)
        # also back: a clock that was put ahead and back again must not stop the refill
        self._last_ns = received_ns
        if self._messages < 1.0 or self._bytes < size:
            return False
        self._messages -= 1.0
        self._bytes -= size
        return True

    def in_words(self) -> str:
        """What a partner may send."""
        return (
            f"at most {self._per_s:g} messages and {self._bytes_per_s / 1e6:g} MB a second, "
            f"{self._at_once:g} and {self._bytes_at_once / 1e6:g} MB at once"
        )

    def state(self) -> tuple[float, float, int | None]:
        """All that is remembered, to compare."""
        return self._messages, self._bytes, self._last_ns
