"""Which messages of one stream are used up: so that none counts twice, and what is missing is known.

In: sequence numbers as messages come, in any order, with the time that each was sealed; out: whether one is
used up, whether the same number came with other content, and the gaps.  A stream is what one issuer sealed
for one audience.  Memory is bounded: a watermark, the ranges beyond it, and the latest digests.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right

MOST_GAPS = 4096
"""Beyond so many gaps the oldest is given up: what is missing there counts as used up."""
MOST_DIGESTS = 16_384
"""Of so many messages it is known what they said; an older number that comes again is only a replay."""


class Sequences:
    """The sequence numbers, from 1 on, of one stream that are used up."""

    __slots__ = ("_digests", "_first", "_last", "_sealed_ns", "through")

    def __init__(self) -> None:
        self.through = 0
        """All of 1..through are used up."""
        # ranges beyond, in order, with a gap before each; and when the first of each was sealed
        self._first: list[int] = []
        self._last: list[int] = []
        self._sealed_ns: list[int] = []
        self._digests: dict[int, bytes] = {}

    def __contains__(self, sequence: int) -> bool:
        if sequence <= self.through:
            return True
        at = bisect_right(self._first, sequence) - 1
        return at >= 0 and sequence <= self._last[at]

    def another(self, sequence: int, data: bytes) -> bool:
        """Whether a number that is used up is known to have come with other bytes than these."""
        known = self._digests.get(sequence)
        return known is not None and known != _digest(data)

    def add(self, sequence: int, sealed_ns: int, data: bytes) -> None:
        """Use up a number that is not yet, with the time and bytes of its message."""
        self._digests[sequence] = _digest(data)
        if len(self._digests) > MOST_DIGESTS:
            del self._digests[next(iter(self._digests))]
        first, last, sealed = self._first, self._last, self._sealed_ns
        at = bisect_left(first, sequence)
        if sequence == self.through + 1:
            self.through = sequence
        elif at > 0 and last[at - 1] == sequence - 1:
            last[at - 1] = sequence
        else:
            first.insert(at, sequence)
            last.insert(at, sequence)
            sealed.insert(at, sealed_ns)
            at += 1
        # what it now touches above becomes one with it
        if at < len(first) and first[at] == sequence + 1:
            end = last[at]
            del first[at], last[at], sealed[at]
            if at > 0:
                last[at - 1] = end
            else:
                self.through = end
        if len(first) > MOST_GAPS:
            self.through = last[0]
            del first[0], last[0], sealed[0]

    def missing(self, since_ns: int) -> tuple[tuple[int, int], ...]:
        """Gaps (first, last) below what has come.

        A gap is left out if what followed it was sealed before since_ns: what would fill it is older still.
        """
        gaps, before = [], self.through
        for first, last, sealed_ns in zip(self._first, self._last, self._sealed_ns, strict=True):
            if sealed_ns >= since_ns:
                gaps.append((before + 1, first - 1))
            before = last
        return tuple(gaps)

    def state(self) -> tuple[object, ...]:
        """All that is remembered, to compare."""
        return self.through, *zip(self._first, self._last, self._sealed_ns, strict=True), self._digests.copy()


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
