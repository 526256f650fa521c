"""Releases: what leaves, piece by piece, made up into records ready to be sealed.

In: pieces, each of them one thing that one rule lets go to one partner; out: one record for all partners for
whom the rules come to the same content, with whom it is for and the rules behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from jointwatch.records import (
    Alert,
    AnnouncedReport,
    Announcement,
    Header,
    HealthReport,
    Impact,
    ImpactReport,
    Kind,
    LaunchReport,
    Message,
    PlotReport,
    Sector,
    SensorHealth,
    Track,
    TrackBegun,
    TrackEnded,
    Tracklet,
    TrackletReport,
    TrackReport,
)

NextHeader = Callable[[], Header]
"""Gives the header of the node's next output."""


class Plots(Struct, frozen=True):
    """Plots of one sector as they leave; whole: whether they are all there were, and surely so."""

    sector: Sector
    whole: bool


Content = (
    Plots
    | TrackBegun
    | Tracklet
    | TrackEnded
    | Track
    | LaunchReport
    | Impact
    | Alert
    | SensorHealth
    | Announcement
)


class Piece(Struct, frozen=True, kw_only=True):
    """One thing on its way to one partner.

    subject: what it is of (a track's number, a sensor's name).  rules: names of those that let it go.
    due_ns: when it may leave.  header: of the record that it came in; its time goes along.
    """

    kind: Kind
    subject: str
    partner: str
    rules: tuple[str, ...]
    due_ns: int
    header: Header
    content: Content


class Release(Struct, frozen=True, kw_only=True):
    """A record that leaves: for whom, of which kind, and by which rules of the node's own."""

    audience: tuple[str, ...]
    kind: Kind
    rules: tuple[str, ...]
    record: Message


class Withheld(Struct, frozen=True):
    """What does not leave: kind and subject, from whom it is kept, by which rule; count: of plots."""

    kind: Kind
    subject: str
    partner: str
    rule: str
    count: int = 1


class Dropped(Struct, frozen=True):
    """Tracklets of a track that begins to leave, which were kept no longer when it did."""

    track: str
    partner: str
    tracklets: int


def made_up(pieces: Sequence[Piece], header: NextHeader) -> tuple[Release, ...]:
    """The records that pieces come to, in the order of their first pieces; header: for each its own."""
    shared: list[tuple[Piece, list[str], list[str]]] = []
    alike: dict[tuple[str, str, int], list[int]] = {}
    for piece in pieces:
        same = alike.setdefault((piece.kind, piece.subject, piece.header.measured_ns), [])
        for i in same:
            first, audience, rules = shared[i]
            same_content = first.content == piece.content and first.header == piece.header
            if piece.partner not in audience and same_content:
                audience.append(piece.partner)
                rules += [rule for rule in piece.rules if rule not in rules]
                break
        else:
            same.append(len(shared))
            shared.append((piece, [piece.partner], list(piece.rules)))
    records: dict[tuple[object, ...], list[Piece]] = {}
    for i, (piece, audience, rules) in enumerate(shared):
        place = (tuple(sorted(audience)), tuple(rules), piece.kind, *_together(piece, i))
        records.setdefault(place, []).append(piece)
    released = []
    for (audience_, rules_, *_), group in records.items():
        record = _record(group, ", ".join(rules_), header())  # type: ignore[arg-type]
        released.append(
            Release(audience=audience_, kind=group[0].kind, rules=rules_, record=record)  # type: ignore[arg-type]
        )
    return tuple(released)


def _together(piece: Piece, place: int) -> tuple[object, ...]:
    """What pieces of one kind have to have in common to travel in one record; place: their own alone."""
    content = piece.content
    if isinstance(content, Track):
        return ("whole",)
    if isinstance(content, TrackBegun | Tracklet | TrackEnded):
        return ("tracklets",)
    if isinstance(content, Impact | SensorHealth | Announcement):
        return (piece.header.measured_ns, piece.header.sequence)
    return (place,)


def _record(group: Sequence[Piece], rule: str, fresh: Header) -> Message:
    """The record of pieces that travel together, under a header of its own with the time of what it holds."""
    contents = [piece.content for piece in group]
    first = contents[0]
    old = group[0].header
    head = replace(
        fresh,
        measured_ns=old.measured_ns,
        time_sigma_s=old.time_sigma_s,
        provenance=old.provenance,
        handling="joint",
    )
    if isinstance(first, LaunchReport | Alert):
        return replace(first, header=head)
    if isinstance(first, Plots):
        return PlotReport(header=head, rule=rule, sector=first.sector, whole=first.whole)
    if isinstance(first, Impact):
        impacts = tuple(c for c in contents if isinstance(c, Impact))
        return ImpactReport(header=head, rule=rule, impacts=impacts)
    if isinstance(first, SensorHealth):
        sensors = tuple(c for c in contents if isinstance(c, SensorHealth))
        return HealthReport(header=head, rule=rule, sensors=sensors)
    if isinstance(first, Announcement):
        announced = tuple(c for c in contents if isinstance(c, Announcement))
        return AnnouncedReport(header=head, rule=rule, announced=announced)
    head = replace(head, measured_ns=max(piece.header.measured_ns for piece in group), provenance=())
    if isinstance(first, Track):
        return TrackReport(header=head, rule=rule, tracks=tuple(c for c in contents if isinstance(c, Track)))
    return TrackletReport(
        header=head,
        rule=rule,
        begun=tuple(c for c in contents if isinstance(c, TrackBegun)),
        tracklets=tuple(c for c in contents if isinstance(c, Tracklet)),
        ended=tuple(c for c in contents if isinstance(c, TrackEnded)),
    )
