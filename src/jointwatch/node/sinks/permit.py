"""The permit without which nothing live can be reached; a node of an exercise cannot get one.

In: a node's configuration; out: a `LivePermit` bound to just that configuration, or `BadInput` for an
exercise's.  It cannot be made otherwise, copied, stored or inherited from, and it holds for nothing once the
configuration is another: what counts is that `permit_live` gave this very object, not what is written in it.
"""

from __future__ import annotations

import hashlib
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

import msgspec

from jointwatch.node.config import NodeConfig
from jointwatch.records import EXERCISE, BadInput


class LivePermit:
    """Allows one node to reach live sinks."""

    __slots__ = ("__weakref__",)

    def __init__(self) -> None:
        raise TypeError("a live permit is given by permit_live, to a node that is live")

    def __init_subclass__(cls, **given: Any) -> NoReturn:
        raise TypeError("nothing else is a live permit")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a live permit cannot be copied or stored")


_given: WeakKeyDictionary[LivePermit, bytes] = WeakKeyDictionary()
"""Permits that were given, and the digest of the configuration each was given for."""


def permit_live(config: NodeConfig) -> LivePermit:
    """A permit for the node of this configuration; BadInput if it is an exercise's."""
    if config.exercise is not False:
        raise BadInput(config.name, "exercise", config.exercise, "a live node, for live sinks")
    if config.name.startswith(EXERCISE):
        raise BadInput(config.name, "name", config.name, f"one that does not begin with {EXERCISE}")
    permit = object.__new__(LivePermit)
    _given[permit] = _digest(config)
    return permit


def is_permitted(permit: object, config: NodeConfig | None = None) -> bool:
    """Whether a permit was given (for this very configuration, where one is named)."""
    if type(permit) is not LivePermit or permit not in _given:
        return False
    return config is None or (config.exercise is False and _given[permit] == _digest(config))


def _digest(config: NodeConfig) -> bytes:
    return hashlib.sha256(msgspec.msgpack.encode(config)).digest()
