"""A source of others' alerts: something that is looked at now and then and may hold new messages.

In: nothing but the moment of looking; out: the bytes of messages that it did not give before, whoever they
are from and whatever they are.  Nothing is checked here but sizes: what is taken is the gate's to say
(`formats.cap_gate`).
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

MOST_MESSAGES = 100
"""Messages that one look may bring; the others come with the next."""
MOST_BYTES = 1_000_000
"""Of one message, as the gate takes it, and of a feed's document."""


class Look(NamedTuple):
    """What a look brought.

    messages: new ones.  left: how many more are there, to be had at the next look.  troubles: what could not
    be had, in words, one each.
    """

    messages: tuple[bytes, ...] = ()
    left: int = 0
    troubles: tuple[str, ...] = ()


class LookFailed(Exception):
    """Nothing could be had; `str()` says why.  retry_after_s: when the other side wants to be asked again."""

    def __init__(self, why: str, retry_after_s: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class Source(Protocol):
    """One place to look at."""

    @property
    def name(self) -> str:
        """Of the source, unique within a node."""

    @property
    def every_s(self) -> float:
        """How often to look, s."""

    def look(self) -> Look:
        """Look once; LookFailed if nothing can be had.  It may take a while."""
