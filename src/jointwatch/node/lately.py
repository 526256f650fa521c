"""What was met of late: keys, until each was last met longer ago than it is remembered.

In: a key each time it is met, with the time; out: which are remembered, and which are to be forgotten now.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Lately(Generic[K]):
    """Keys in the order in which they were last met, the longest ago first."""

    def __init__(self, kept_ns: int) -> None:
        """kept_ns: how long after it was last met a key is remembered (ns)."""
        self._kept_ns = kept_ns
        self._met: dict[K, int] = {}

    def meet(self, key: K, now_ns: int) -> None:
        """A key is met; it is the last to be forgotten."""
        self._met.pop(key, None)
        self._met[key] = now_ns

    def forget(self, now_ns: int) -> list[K]:
        """Keys that are remembered no more, in the order in which they were last met."""
        gone = []
        for key, last_ns in self._met.items():
            if now_ns - last_ns <= self._kept_ns:
                break
            gone.append(key)
        for key in gone:
            del self._met[key]
        return gone

    def __contains__(self, key: object) -> bool:
        return key in self._met

    def __iter__(self) -> Iterator[K]:
        return iter(self._met)

    def __len__(self) -> int:
        return len(self._met)
