"""A sink: something that carries messages out, made for live or for an exercise by its type.

In: a message's identifier and bytes; out: an `Answer`.  A transport (files, feed, webhook) does the carrying;
only wrapped, as `ForLive` with a permit or as `ForExercise`, is it a sink that a node takes.  Both look at
what they are handed themselves, whoever made it and whatever they were told of it: the status in a message's
bytes must be Actual for a live sink and Exercise for an exercise's, and its identifier must say the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, NoReturn, Protocol, get_args

from msgspec import Struct

from jointwatch.formats.cap import read_cap
from jointwatch.node.sinks.permit import LivePermit, is_permitted
from jointwatch.records import EXERCISE, BadInput

Came = Literal["delivered", "failed", "refused"]
LONGEST_DETAIL = 300


class Answer(Struct, frozen=True):
    """How an attempt ended.

    delivered: it is there (also where it was there already).  failed: it may be tried again, after
    retry_after_s where the other side says so.  refused: trying again is of no use.  detail: in words.
    """

    came: Came
    detail: str = ""
    retry_after_s: float = 0.0


class Transport(Protocol):
    """Carries messages to one place.  exercise: what it was made for."""

    @property
    def name(self) -> str:
        """Of the sink, unique within a node."""

    @property
    def exercise(self) -> bool:
        """What it was made for."""

    def deliver(self, identifier: str, data: bytes) -> Answer:
        """Carry one message; the same again is no second one to whoever hears it."""

    def close(self) -> None:
        """Let go what is open; nothing is carried any more."""


class _Sink:
    """What both types of sink share."""

    __slots__ = ("_transport",)
    exercise: ClassVar[bool]
    status: ClassVar[str]

    def __init__(self, transport: Transport) -> None:
        if transport.exercise is not self.exercise:
            found = "an exercise's transport" if transport.exercise else "a live transport"
            wanted = "one that was made for exercises" if self.exercise else "one that was made for live"
            raise BadInput(f"sink {transport.name}", "for", found, wanted)
        self._transport = transport

    @property
    def name(self) -> str:
        """Of the sink."""
        return self._transport.name

    def deliver(self, identifier: str, data: bytes) -> Answer:
        """Carry a message that is of this sink's kind; another is refused unsent."""
        why = self._why_not(identifier, data)
        return Answer("refused", why) if why else checked(self._transport.deliver(identifier, data))

    def close(self) -> None:
        """Let go what is open."""
        self._transport.close()

    def _why_not(self, identifier: str, data: bytes) -> str:
        if self._transport.exercise is not self.exercise:
            return "its transport is no more what it was made for"
        try:
            message = read_cap(data, identifier)
        except BadInput as error:
            return f"not sent, for it is no CAP message: {error}"
        if message.status != self.status:
            return f"not sent, for its status is {message.status} and not {self.status}"
        if message.identifier != identifier:
            return f"not sent, for it calls itself {message.identifier}"
        if identifier.startswith(EXERCISE) is not self.exercise:
            return f"not sent, for its identifier {'lacks' if self.exercise else 'has'} the mark {EXERCISE}"
        return ""

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a sink cannot be copied or stored")


class ForLive(_Sink):
    """A sink that people live by."""

    __slots__ = ("_permit",)
    exercise = False
    status = "Actual"

    def __init__(self, permit: LivePermit, transport: Transport) -> None:
        """TypeError if the permit was not given by `permit_live`; BadInput if the transport is not live."""
        if not is_permitted(permit):
            raise TypeError("a live sink needs a permit that permit_live gave")
        super().__init__(transport)
        self._permit = permit

    def __init_subclass__(cls, **given: Any) -> NoReturn:
        raise TypeError("nothing else is a live sink")

    @property
    def permit(self) -> LivePermit:
        """That it was made with."""
        return self._permit


class ForExercise(_Sink):
    """A sink of an exercise."""

    __slots__ = ("__weakref__",)
    exercise = True
    status = "Exercise"

    def __init__(self, transport: Transport) -> None:
        """BadInput if the transport is not one that was made for exercises."""
        super().__init__(transport)

    def __init_subclass__(cls, **given: Any) -> NoReturn:
        raise TypeError("nothing else is an exercise's sink")


Sinks = Sequence[ForLive] | Sequence[ForExercise]
"""Of one node: all live, or all of an exercise."""


def checked(answer: object) -> Answer:
    """An answer as it may go into the journal; what is none is a failed attempt."""
    if not isinstance(answer, Answer) or answer.came not in get_args(Came):
        return Answer("failed", f"the sink gave no answer but {printable(type(answer).__name__)}")
    after_s = answer.retry_after_s
    if not isinstance(after_s, int | float) or not math.isfinite(after_s):
        after_s = 0.0
    return Answer(answer.came, printable(answer.detail), max(0.0, float(after_s)))


def printable(text: object) -> str:
    """A text on one line, and not too long for a journal."""
    line = "".join(c if c.isprintable() else " " for c in str(text)[: 2 * LONGEST_DETAIL])
    return " ".join(line.split())[:LONGEST_DETAIL]
