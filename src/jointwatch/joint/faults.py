"""What can be wrong with a field of a partner's record, and the checks that all records share.

In: a value, and the terms on which its message came; out: nothing, or the fault, with the field and why.
Names and texts are bounded and printable, because they go on into journals, notes and pages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from msgspec import Struct

from jointwatch.records import Header

AHEAD_S = 5.0
"""Partners' clocks may differ by so much: a track measured later than this after now is refused, because it
would stand unmoved until then and keep out every good one."""
DAY_S = 86_400.0
ROUNDING = 1e-9
"""How far rounding may take what is semidefinite below nought, as a share of the greatest."""
LONGEST_NAME, LONGEST_TEXT = 80, 500
HANDLING = ("joint", "public")
PSEUDONYM = "src-"
"""How the keyed pseudonym of a sensor begins (`joint.sharing`)."""
S = 1_000_000_000

Unfit = Literal["out of scope", "bad values"]
"""Why a part of a record cannot be used: it is not the issuer's to tell, or it cannot be so."""


class Fault(NamedTuple):
    """What is wrong with one field of a record."""

    reason: Unfit
    field: str
    why: str


class Terms(Struct, frozen=True):
    """What an issuer may speak of in a message.

    me: who reads it.  prefixes: how the track numbers of all known partners begin, its own and ours too.
    owns: whether a sensor is the issuer's.  sealed_ns: when the message was sealed; oldest_ns: nothing in it
    that must be fresh is older.  exercise: whether who reads it is in an exercise, or live.
    """

    me: str
    issuer: str
    prefixes: tuple[str, ...]
    owns: Callable[[str], bool]
    sealed_ns: int
    oldest_ns: int
    exercise: bool = True

    @property
    def latest_ns(self) -> int:
        """Nothing in the message was seen later."""
        return self.sealed_ns + round(AHEAD_S * S)


def prefix(partner: str) -> str:
    """How the numbers of a partner's tracks begin."""
    return f"{partner.upper()}-"


def first_of(*faults: Fault | None) -> Fault | None:
    """The first of what several checks found."""
    for fault in faults:
        if fault is not None:
            return fault
    return None


def inside(place: str, fault: Fault | None) -> Fault | None:
    """A fault of a record within another, with its place."""
    return None if fault is None else fault._replace(field=f"{place}.{fault.field}")


def numbered(number: str, parent: str, terms: Terms) -> Fault | None:
    """A track that the issuer numbered, and the one that it first appeared beside."""
    if not number.startswith(prefix(terms.issuer)):
        return Fault("out of scope", "number", f"does not begin with {prefix(terms.issuer)}")
    if parent and not parent.startswith(terms.prefixes):
        return Fault("out of scope", "parent", "is no known partner's track")
    return first_of(readable("number", number), readable("parent", parent, empty=True))


def known(track: str, terms: Terms) -> Fault | None:
    """A track of any known partner: an object that several see is told of by its joint number."""
    if not track.startswith(terms.prefixes):
        return Fault("out of scope", "track", "is no known partner's track")
    return readable("track", track)


def of_source(source: str, terms: Terms) -> Fault | None:
    """A sensor of the issuer's, or its keyed pseudonym."""
    if not (source.startswith(PSEUDONYM) or terms.owns(source)):
        return Fault("out of scope", "source", "is not one of the issuer's sensors")
    return readable("source", source)


def readable(field: str, text: str, longest: int = LONGEST_NAME, empty: bool = False) -> Fault | None:
    """A printable text, and not an empty one unless it may be."""
    if len(text) > longest or not text.isprintable() or not (text or empty):
        return Fault("bad values", field, f"is not a printable text of at most {longest} characters")
    return None


def whole_number(field: str, number: int) -> Fault | None:
    """A number that counts something."""
    return None if 0 <= number < 2**63 else Fault("bad values", field, "is no number from 0 on of 63 bits")


def within(field: str, value: float, least: float, most: float) -> Fault | None:
    """A finite number between two others."""
    # a comparison with what is not a number is false
    if least <= value <= most:
        return None
    return Fault("bad values", field, f"is not between {least:g} and {most:g}")


def probabilities(field: str, chances: Mapping[str, float]) -> Fault | None:
    """Probabilities by name."""
    return first_of(
        *(readable(field, name) for name in chances),
        *(within(field, chance, 0.0, 1.0) for chance in chances.values()),
    )


def on_earth(latitude_rad: float, longitude_rad: float) -> Fault | None:
    """A latitude and a longitude."""
    return first_of(
        within("latitude_rad", latitude_rad, -0.5 * math.pi, 0.5 * math.pi),
        within("longitude_rad", longitude_rad, -2.0 * math.pi, 2.0 * math.pi),
    )


def not_after(field: str, time_ns: int, latest_ns: int) -> Fault | None:
    """A time before which everything in the message was seen."""
    if time_ns > latest_ns:
        return Fault(
            "bad values", field, f"is {(time_ns - latest_ns) * 1e-9 + AHEAD_S:.3f} s after it was sealed"
        )
    return None if time_ns > -(2**63) else Fault("bad values", field, "is before all time")


def fresh(field: str, time_ns: int, terms: Terms) -> Fault | None:
    """A time not after that, nor older than a message may be."""
    if time_ns < terms.oldest_ns:
        late_s = (terms.sealed_ns - time_ns) * 1e-9
        return Fault("bad values", field, f"is {late_s:.3f} s before it was sealed: too old")
    return not_after(field, time_ns, terms.latest_ns)


def about(field: str, time_ns: int, terms: Terms, within_s: float) -> Fault | None:
    """A time so near to when the message was sealed."""
    if abs(time_ns - terms.sealed_ns) <= within_s * S:
        return None
    return Fault("bad values", field, f"is more than {within_s:g} s from when it was sealed")


def of_report(header: Header, terms: Terms) -> Fault | None:
    """The header of what was sent: the issuer says it, and those who are asked may see it."""
    if header.originator != terms.issuer:
        return Fault("out of scope", "header.originator", "is not the issuer")
    if header.handling not in HANDLING:
        return Fault("out of scope", "header.handling", "is neither joint nor public")
    return first_of(
        readable("header.source", header.source),
        whole_number("header.sequence", header.sequence),
        not_after("header.measured_ns", header.measured_ns, terms.latest_ns),
        within("header.time_sigma_s", header.time_sigma_s, 0.0, DAY_S),
        _ranges("header.provenance", header),
    )


def of_part(header: Header, terms: Terms) -> Fault | None:
    """The header of a part: what it may be used for is said by the report's."""
    if header.originator != terms.issuer:
        return Fault("out of scope", "header.originator", "is not the issuer")
    return first_of(
        whole_number("header.sequence", header.sequence),
        within("header.time_sigma_s", header.time_sigma_s, 0.0, DAY_S),
        _ranges("header.provenance", header),
    )


def _ranges(field: str, header: Header) -> Fault | None:
    """Provenance that is ranges of sequence numbers."""
    if all(0 <= r.first <= r.last < 2**63 for r in header.provenance):
        return None
    return Fault("bad values", field, "is not ranges of sequence numbers")
