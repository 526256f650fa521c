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
    InfraredScan,
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


WHOLE, TRACKLETS, LISTED, ALONE = "whole", "tracklets", "listed", "alone"
"""How pieces travel: as tracks or tracklets of a report, in another list of one, by themselves."""


class Plots(Struct, frozen=True):
    """Plots of one look as they leave; whole: whether they are all there were, and surely so."""

    sector: Sector | InfraredScan
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


class _Unit(Struct):
    """What one rule lets go of one subject in one step, for one or more partners: it stays together."""

    pieces: list[Piece]
    audience: list[str]
    rules: list[str]

    def same(self, other: _Unit) -> bool:
        """Whether two partners get the same."""
        return [(p.content, p.header) for p in self.pieces] == [(p.content, p.header) for p in other.pieces]


def made_up(pieces: Sequence[Piece], header: NextHeader) -> tuple[Release, ...]:
    """The records that pieces come to, in the order of their first pieces; header: for each its own."""
    units: dict[tuple[object, ...], _Unit] = {}
    for piece in pieces:
        place: tuple[object, ...] = (piece.kind, piece.subject, *_form(piece), piece.partner, piece.rules)
        if place in units and _form(piece)[0] == ALONE:
            place = (*place, len(units))
        unit = units.setdefault(place, _Unit([], [piece.partner], list(piece.rules)))
        unit.pieces.append(piece)
    shared: dict[tuple[object, ...], list[_Unit]] = {}
    for unit in units.values():
        first = unit.pieces[0]
        alike = shared.setdefault((first.kind, first.subject, *_form(first)), [])
        for other in alike:
            if unit.audience[0] not in other.audience and unit.same(other):
                other.audience += unit.audience
                other.rules += [rule for rule in unit.rules if rule not in other.rules]
                break
        else:
            alike.append(unit)
    records: dict[tuple[object, ...], list[_Unit]] = {}
    for i, unit in enumerate(unit for alike in shared.values() for unit in alike):
        form = _form(unit.pieces[0])
        apart = i if form[0] == ALONE else -1
        key = (tuple(sorted(unit.audience)), tuple(unit.rules), unit.pieces[0].kind, *form, apart)
        records.setdefault(key, []).append(unit)
    return tuple(
        Release(
            audience=tuple(sorted(group[0].audience)),
            kind=group[0].pieces[0].kind,
            rules=tuple(group[0].rules),
            record=_record([p for unit in group for p in unit.pieces], ", ".join(group[0].rules), header()),
        )
        for group in records.values()
    )


def _form(piece: Piece) -> tuple[str, int, int]:
    """What pieces of one kind have to have in common to travel in one record: form, time and sequence."""
    content = piece.content
    if isinstance(content, Track):
        return WHOLE, 0, 0
    if isinstance(content, TrackBegun | Tracklet | TrackEnded):
        return TRACKLETS, 0, 0
    listed = isinstance(content, Impact | SensorHealth | Announcement)
    return LISTED if listed else ALONE, piece.header.measured_ns, piece.header.sequence


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
