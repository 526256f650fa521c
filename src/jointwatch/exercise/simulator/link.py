"""Links between nodes that lose, double, turn round, hold up, corrupt and cut what they carry.

In: frames, and when each is put on; out: when and as what each arrives, if it does.  From `healed_ns` on a
link does what it should.
"""

from __future__ import annotations

from collections import Counter
from random import Random

from msgspec import Struct

MS = 1_000_000


class Quality(Struct, frozen=True):
    """How bad one direction of a link is: probabilities a frame, delay and jitter (ms), times it is cut."""

    delay_ms: float = 20.0
    jitter_ms: float = 0.0
    lost: float = 0.0
    doubled: float = 0.0
    corrupted: float = 0.0
    cut_short: float = 0.0
    cuts: tuple[tuple[int, int], ...] = ()


class Link:
    """One direction between two nodes."""

    def __init__(self, quality: Quality, healed_ns: int, rng: Random, counts: Counter[str]) -> None:
        self._quality, self._healed_ns, self._rng, self._counts = quality, healed_ns, rng, counts

    def carry(self, frame: bytes, now_ns: int) -> list[tuple[int, bytes]]:
        """When a frame that is put on now arrives, and as which bytes: none, one or two times."""
        quality, rng = self._quality, self._rng
        delay_ns = round(quality.delay_ms * MS)
        if now_ns >= self._healed_ns:
            return [(now_ns + delay_ns, frame)]
        if self.is_cut(now_ns) or self.is_cut(now_ns + delay_ns):
            self._counts["frames cut off"] += 1
            return []
        copies = 1
        if rng.random() < quality.lost:
            self._counts["frames lost"] += 1
            copies = 0
        if rng.random() < quality.doubled:
            self._counts["frames doubled"] += 1
            copies += 1
        out = []
        for _ in range(copies):
            late_ns = round(rng.expovariate(1.0) * quality.jitter_ms * MS)
            out.append((now_ns + delay_ns + late_ns, self._damaged(frame)))
        return out

    def is_cut(self, now_ns: int) -> bool:
        """Whether nothing gets through."""
        return any(begin <= now_ns < end for begin, end in self._quality.cuts)

    def _damaged(self, frame: bytes) -> bytes:
        rng = self._rng
        if frame and rng.random() < self._quality.corrupted:
            self._counts["frames corrupted"] += 1
            at = rng.randrange(len(frame))
            return frame[:at] + bytes([frame[at] ^ (1 << rng.randrange(8))]) + frame[at + 1 :]
        if frame and rng.random() < self._quality.cut_short:
            self._counts["frames cut short"] += 1
            return frame[: rng.randrange(len(frame))]
        return frame
