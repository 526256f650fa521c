"""A partner that lies, in the simulator: it has a key and links, and does what it can with them.

In: what its links bring, and a random generator; out: frames for its links: junk in floods, others'
messages over again, forgeries, two stories under one number, and well-signed reports of what is not so.
"""

from __future__ import annotations

import math
from collections import Counter
from contextlib import suppress
from random import Random

import msgspec

from jointwatch.earth.frames import geodetic2ecef
from jointwatch.exercise.simulator.case import Case, key_of
from jointwatch.exercise.simulator.sky import MIDDLE_DEG
from jointwatch.joint.signing import seal
from jointwatch.records import (
    Header,
    TrackBegun,
    TrackEnded,
    Tracklet,
    TrackletReport,
)
from jointwatch.records.messages import read_envelope

ABSURD = (math.nan, math.inf, -math.inf, 1e300, -1e300, 0.0)
MATRIX = tuple(1e-4 if i in (0, 6, 11) else 0.0 for i in range(21))
"""Information of a place known to 100 m."""


class Rogue:
    """One partner that lies."""

    def __init__(self, case: Case, rng: Random, counts: Counter[str]) -> None:
        self.partner, self._rng, self._counts = case.rogue, rng, counts
        self._key = key_of(case.rogue)
        self._honest = case.honest
        self._sequence = 0
        self._heard: list[bytes] = []
        self._look = 0
        self.sealed: set[bytes] = set()
        """What it signed under its own name."""
        ways = (
            self._flood, self._replay, self._forge, self._tell_two, self._lie, self._end, self._absurd,
        )  # fmt: skip
        self._ways = [way for way in ways if rng.random() < 0.5] or [self._lie]

    def hear(self, frame: bytes) -> None:
        """What comes over a link."""
        if frame[:1] == b"M" and len(self._heard) < 50:
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                read_envelope(frame[1:])
                self._heard.append(frame)

    def act(self, links: tuple[str, ...], now_ns: int) -> list[tuple[str, bytes]]:
        """What it puts on its links now."""
        if self._rng.random() < 0.65:
            return []
        return self._rng.choice(self._ways)(links, now_ns)

    # ------------------------------------------------------------------ ways

    def _to_all(self, links: tuple[str, ...], frame: bytes) -> list[tuple[str, bytes]]:
        return [(link, frame) for link in links]

    def _flood(self, links: tuple[str, ...], now_ns: int) -> list[tuple[str, bytes]]:
        self._counts["floods"] += 1
        link, rng = self._rng.choice(links), self._rng
        firsts = (b"M", b"R", b"", b"X")
        return [(link, rng.choice(firsts) + rng.randbytes(rng.randrange(60))) for _ in range(20)]

    def _replay(self, links: tuple[str, ...], now_ns: int) -> list[tuple[str, bytes]]:
        if not self._heard:
            return []
        self._counts["messages of others repeated"] += 1
        return [(link, self._rng.choice(self._heard)) for link in links for _ in range(3)]

    def _forge(self, links: tuple[str, ...], now_ns: int) -> list[tuple[str, bytes]]:
        """Somebody else's message, signed with its own key, or altered."""
        self._counts["forgeries"] += 1
        victim = self._rng.choice(self._honest)
        report = self._report(now_ns, (), victim)
        audience = [name for name in self._honest if name != victim]
        made = seal(report, victim, audience, self._rng.randint(1, 40), now_ns, self._key)
        out = self._to_all(links, b"M" + made)
        if self._heard:
            envelope = read_envelope(self._rng.choice(self._heard)[1:])
            other = msgspec.structs.replace(envelope, sequence=envelope.sequence + 1)
            out += self._to_all(links, b"M" + msgspec.msgpack.encode(other))
        return out

    def _tell_two(self, links: tuple[str, ...], now_ns: int) -> list[tuple[str, bytes]]:
        self._counts["two stories"] += 1
        self._sequence += 1
        out = []
        for link in links:
            out.append((link, self._sealed(self._report(now_ns, self._tracklets(now_ns)), now_ns)))
        return out

    def _lie(self, links: tuple[str, ...], now_ns: int) -> list[tuple[str, bytes]]:
        """A missile that is not there."""
        self._counts["lies"] += 1
        self._sequence += 1
        return self._to_all(links, self._sealed(self._report(now_ns, self._tracklets(now_ns)), now_ns))

    def _end(self, links: tuple[str, ...], now_ns: int) -> list[tuple[str, bytes]]:
        """The end of others' tracks, and of its own."""
        self._counts["ends of others' tracks"] += 1
        self._sequence += 1
        names = (*self._honest, self.partner)
        ended = tuple(
            TrackEnded(number=f"{name.upper()}-{n:04d}", time_ns=now_ns, reason="it is gone")
            for name in names
            for n in (1, 2)
        )
        report = msgspec.structs.replace(self._report(now_ns, ()), ended=ended)
        return self._to_all(links, self._sealed(report, now_ns))

    def _absurd(self, links: tuple[str, ...], now_ns: int) -> list[tuple[str, bytes]]:
        """Values that no sensor gives, beside some that one might."""
        self._counts["absurd values"] += 1
        self._sequence += 1
        rng = self._rng
        bad = []
        for tracklet in self._tracklets(now_ns):
            field = rng.choice(("point", "information", "evidence", "time_ns"))
            value: object = rng.choice(ABSURD)
            if field in ("point", "information"):
                values = list(getattr(tracklet, field))
                values[rng.randrange(len(values))] = value
                value = tuple(values)
            elif field == "time_ns":
                value = rng.choice((0, -(2**63), 2**63 - 1, now_ns + 10**12))
            bad.append(msgspec.structs.replace(tracklet, **{field: value}))
        report = self._report(now_ns, (*bad, *self._tracklets(now_ns)))
        return self._to_all(links, self._sealed(report, now_ns))

    # ------------------------------------------------------------------ what it makes

    def _sealed(self, report: TrackletReport, now_ns: int) -> bytes:
        data = seal(report, self.partner, self._honest, self._sequence, now_ns, self._key)
        self.sealed.add(data)
        return b"M" + data

    def _report(self, now_ns: int, tracklets: tuple[Tracklet, ...], originator: str = "") -> TrackletReport:
        name = originator or self.partner
        self._look += 1
        header = Header(
            originator=name, source=name, sequence=self._look, measured_ns=now_ns, handling="joint"
        )
        begun = tuple(
            TrackBegun(
                number=number,
                first_ns=now_ns - 10**9,
                log_odds=self._rng.uniform(0.0, 9.0),
                told_ns=self._rng.choice((now_ns, now_ns - 10**9, 0)),
            )
            for number in sorted({t.number for t in tracklets})
        )
        return TrackletReport(header=header, rule="lies", begun=begun, tracklets=tracklets)

    def _tracklets(self, now_ns: int) -> tuple[Tracklet, ...]:
        rng = self._rng
        self._look += 1
        return tuple(
            Tracklet(
                number=f"{self.partner.upper()}-{n:04d}",
                time_ns=now_ns - rng.randrange(10**9),
                source=f"{self.partner.lower()}-0",
                sequence=self._look,
                point=(
                    *geodetic2ecef(
                        math.radians(MIDDLE_DEG[0] + rng.uniform(-0.5, 0.5)),
                        math.radians(MIDDLE_DEG[1] + rng.uniform(-0.5, 0.5)),
                        rng.uniform(1e4, 6e4),
                    ),
                    *(rng.uniform(-1000.0, 1000.0) for _ in range(3)),
                ),
                information=MATRIX,
                evidence=rng.uniform(0.0, 5.0),
            )
            for n in range(1, rng.randint(2, 4))
        )
