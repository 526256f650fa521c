"""What leaves a node for its partners: sharing rules applied, step by step, before anything is sealed.

In: the node's own material as it arises (sectors, infrared scans, tracks as tracklets and whole, launches,
impacts, alerts, health, announced launches), and the time; out: records ready to be sealed, each with whom it
is for and the rules that let it go, and what is withheld, from whom and by which rule.  Both are for the
journal.  No clock is read, and the whole state can be pickled.  Tracks are followed in `joint.shared_tracks`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from jointwatch.earth.frames import ecef2geodetic
from jointwatch.earth.places import Territories
from jointwatch.joint.coarsening import (
    coarse_announcement,
    coarse_area,
    coarse_impact,
    hidden,
    named_health,
    some_lines,
    some_plots,
)
from jointwatch.joint.releases import (
    Content,
    Dropped,
    NextHeader,
    Piece,
    Plots,
    Release,
    Withheld,
    made_up,
)
from jointwatch.joint.shared_alerts import SharedAlerts
from jointwatch.joint.shared_tracks import SharedTracks
from jointwatch.joint.sharing import Item, SensorKind, SharingRule, decide, strictest, title
from jointwatch.records import (
    PHASES,
    Alert,
    AnnouncedReport,
    Header,
    HealthReport,
    Impact,
    ImpactReport,
    InfraredScan,
    Kind,
    LaunchReport,
    Sector,
    Sensor,
    Track,
    TrackletReport,
)
from jointwatch.sensing.infrared import lines_of, lowest_points, meets_height, sound, why_no_look
from jointwatch.sensing.radar import position_of_plot, sensor_row

Look = Sector | InfraredScan
Offered = Look | TrackletReport | Track | LaunchReport | ImpactReport | Alert | HealthReport | AnnouncedReport
HEIGHTS_M = (0.0, 20e3, 50e3, 100e3)
"""Heights at which a line of sight may have its object, for rules with a place: a motor burns somewhere up
to there."""
NAMED_NS = 900_000_000_000
"""A partner is taken to know the number of a track for so long after he was last told of it."""
LAUNCHES_NS = 3_600_000_000_000
"""A launch may be taken back for as long after it was told of last."""


class _LetGo(NamedTuple):
    """A launch as a partner was told of it last: when (ns), and by which rules."""

    time_ns: int
    rules: tuple[SharingRule, ...]


class Context(Struct, frozen=True, kw_only=True):
    """What the rules need to know beside the records.

    labels: further words for a track by its number, such as its generic class.  zones: place of an alert
    area by its partner and key, latitude and longitude (rad).  known: numbers of others' tracks that a
    partner is known to have.
    """

    labels: Mapping[str, frozenset[str]] = {}
    zones: Mapping[tuple[str, str], tuple[float, float]] = {}
    known: Mapping[str, frozenset[str]] = {}


class Shared(Struct, frozen=True, kw_only=True):
    """What came of one step: what leaves, what does not, and what is too old to be told any more."""

    released: tuple[Release, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    dropped: tuple[Dropped, ...] = ()


class Sharer:
    """All that one node shares with its partners."""

    def __init__(
        self,
        rules: Sequence[SharingRule],
        partner: str,
        partners: Collection[str],
        territories: Territories | None = None,
        sensors: Sequence[Sensor] = (),
    ) -> None:
        """territories: needed where a rule names one.  sensors: own ones; others' plots have no place."""
        if territories is None and any(rule.territories for rule in rules):
            raise ValueError("rules that name territories need them")
        self._others = sorted(name for name in partners if name != partner)
        self._rules = tuple(rules)
        self._territories = territories
        self._rows = {
            s.name: sensor_row(s) for s in sensors if {"range", "azimuth", "elevation"} <= set(s.measures)
        }
        self._named: dict[str, dict[str, int]] = {to: {} for to in self._others}
        self._launches: dict[str, dict[str, _LetGo]] = {to: {} for to in self._others}
        self._tracks = SharedTracks(self._rules, self._others)
        self._alerts = SharedAlerts(self._rules, partner, self._others)
        self._waiting: list[Piece] = []
        self._withheld: list[Withheld] = []

    def offer(
        self, now_ns: int, records: Sequence[Offered], header: NextHeader, context: Context | None = None
    ) -> Shared:
        """Put what the node has to the rules: what leaves now (with what was due by now), and what does not.

        Tracks are handed in together: the tracklet report of a sector and the tracks that it updated.
        """
        context = context or Context()
        pieces: list[Piece] = []
        self._withheld = []
        tracks = [record for record in records if isinstance(record, Track)]
        reports = [record for record in records if isinstance(record, TrackletReport)]
        items = self._track_items(tracks, context)
        pieces += self._tracks.offer(now_ns, reports, tracks, items, self._withheld)
        for record in records:
            if isinstance(record, Sector | InfraredScan):
                pieces += self._plots(record, now_ns)
            elif isinstance(record, LaunchReport):
                pieces += self._launch(record, now_ns, context)
            elif isinstance(record, ImpactReport):
                pieces += self._impacts(record, now_ns, context)
            elif isinstance(record, HealthReport):
                pieces += self._health(record, now_ns)
            elif isinstance(record, AnnouncedReport):
                pieces += self._announced(record, now_ns)
        # last, for an alert may name the tracks that a partner has been told of
        for record in records:
            if isinstance(record, Alert):
                zones = self._zone_items(record, context)
                told = {to: self._known(to, now_ns, context) for to in self._others}
                pieces += self._alerts.offer(now_ns, record, zones, told, self._withheld)
        return self._leave(now_ns, pieces, header)

    def due(self, now_ns: int, header: NextHeader) -> Shared:
        """What was held back, and may leave by now."""
        self._withheld = []
        return self._leave(now_ns, self._tracks.due(now_ns), header)

    def _leave(self, now_ns: int, pieces: list[Piece], header: NextHeader) -> Shared:
        pieces = [*self._waiting, *pieces]
        ready = sorted((p for p in pieces if p.due_ns <= now_ns), key=lambda p: p.due_ns)
        self._waiting = [p for p in pieces if p.due_ns > now_ns]
        return Shared(
            released=made_up(ready, header),
            withheld=tuple(self._withheld),
            dropped=self._tracks.take_dropped(),
        )

    # ------------------------------------------------------------------ kinds

    def _plots(self, look: Look, now_ns: int) -> list[Piece]:
        """Plots, each by its own place; a sensor that tells no place has plots without one.

        A line of sight may have its object at any of several places: the strictest of their rules decides.
        """
        sensor: SensorKind = "radar"
        whole = True
        if isinstance(look, InfraredScan):
            if why_no_look(look):
                return []  # it says nothing, and nothing is said of it: its node has noted it
            sensor, (look, whole) = "infrared", sound(look)
        count = _count(look)
        subject = f"{look.sensor}/{look.header.sequence}"
        items: list[list[Item]] | None = None
        pieces: list[Piece] = []
        for to in self._others:
            holding = [rule for rule in self._rules if rule.is_for("plots", to, sensor)]
            # one rule for all, whatever is in the sector: only then may it say that there was nothing else
            if not holding or holding[0].anywhere:
                rule = holding[0] if holding else None
                if rule is not None and rule.releases:
                    plots = Plots(_some(look, None, rule), whole)
                    pieces.append(_piece("plots", subject, to, [rule], now_ns, look.header, plots))
                else:
                    self._withheld.append(Withheld("plots", subject, to, title(rule), count))
                continue
            if items is None:
                if isinstance(look, Sector):
                    items = [[item] for item in self._plot_items(look, count)]
                else:
                    items = self._line_items(look, count)
            by_rule: dict[str, list[int]] = {}
            rules: dict[str, SharingRule | None] = {}
            for i, possible in enumerate(items):
                rule = strictest([decide(holding, to, item) for item in possible])
                rules[title(rule)] = rule
                by_rule.setdefault(title(rule), []).append(i)
            if not items:  # that nothing was seen is not said of a place alone
                self._withheld.append(Withheld("plots", subject, to, holding[0].title, 0))
            for name, members in by_rule.items():
                rule = rules[name]
                if rule is not None and rule.releases:
                    plots = Plots(_some(look, members, rule), whole=False)
                    pieces.append(_piece("plots", subject, to, [rule], now_ns, look.header, plots))
                else:
                    self._withheld.append(Withheld("plots", subject, to, name, len(members)))
        return pieces

    def _launch(self, report: LaunchReport, now_ns: int, context: Context) -> list[Piece]:
        """A launch by the rules for launch areas; the impact in it by those for impacts.

        What is taken back goes to whoever was told, by the rules that let it go then, whatever its class is
        taken for by now; and nothing that is told of a launch overtakes what was told of it before.
        """
        area, impact = report.area, report.impact
        labels = self._labels(area.track, report.object_class, context)
        pieces: list[Piece] = []
        for to in self._others:
            rule = decide(
                self._rules, to, self._item("launch_areas", labels, area.latitude_rad, area.longitude_rad)
            )
            let_go = {n: of for n, of in self._launches[to].items() if of.time_ns > now_ns - LAUNCHES_NS}
            self._launches[to], before = let_go, let_go.get(area.track)
            if report.withdrawn:
                if before is not None:
                    del let_go[area.track]
                    content = replace(report, area=coarse_area(area, before.rules[0]))
                    pieces.append(
                        _piece("launch_areas", area.track, to, before.rules, now_ns, report.header, content)
                    )
                continue
            if rule is None or not rule.releases:
                self._withheld.append(Withheld("launch_areas", area.track, to, title(rule)))
                continue
            by, told = [rule], None
            if impact is not None:
                second = decide(self._rules, to, self._impact_item(impact, context))
                if second is not None and second.releases:
                    by, told = [rule, second], coarse_impact(impact, second)
                else:
                    self._withheld.append(Withheld("impacts", impact.track, to, title(second)))
            if before is not None:
                by += [r for r in before.rules if r not in by]
            content = replace(report, area=coarse_area(area, rule), impact=told)
            pieces.append(_piece("launch_areas", area.track, to, by, now_ns, report.header, content))
            self._name(to, area.track, now_ns, by)
            let_go[area.track] = _LetGo(now_ns, tuple(by))
        return pieces

    def _impacts(self, report: ImpactReport, now_ns: int, context: Context) -> list[Piece]:
        pieces: list[Piece] = []
        for impact in report.impacts:
            item = self._impact_item(impact, context)
            for to, rule in self._let_go(item, impact.track):
                told = coarse_impact(impact, rule)
                pieces.append(_piece("impacts", impact.track, to, [rule], now_ns, report.header, told))
                self._name(to, impact.track, now_ns, [rule])
        return pieces

    def _health(self, report: HealthReport, now_ns: int) -> list[Piece]:
        return [
            _piece("health", sensor.source, to, [rule], now_ns, report.header, named_health(sensor, rule))
            for sensor in report.sensors
            for to, rule in self._let_go(Item(kind="health"), sensor.source)
        ]

    def _announced(self, report: AnnouncedReport, now_ns: int) -> list[Piece]:
        pieces: list[Piece] = []
        for a in report.announced:
            item = self._item("announced", frozenset((a.object_class,)), a.latitude_rad, a.longitude_rad)
            for to, rule in self._let_go(item, a.name):
                told = coarse_announcement(a, rule)
                pieces.append(_piece("announced", a.name, to, [rule], now_ns, report.header, told))
        return pieces

    def _let_go(self, item: Item, subject: str) -> list[tuple[str, SharingRule]]:
        """The partners that an item goes to, and by which rule; the others are noted for the journal."""
        going = []
        for to in self._others:
            rule = decide(self._rules, to, item)
            if rule is not None and rule.releases:
                going.append((to, rule))
            else:
                self._withheld.append(Withheld(item.kind, subject, to, title(rule)))
        return going

    # ------------------------------------------------------------------ what rules look at

    def _item(self, kind: Kind, labels: frozenset[str], latitude_rad: float, longitude_rad: float) -> Item:
        """An item with a place, and the territory there, where a rule for its kind asks."""
        (item,) = self._items(kind, [labels], [(latitude_rad, longitude_rad)])
        return item

    def _items(
        self,
        kind: Kind,
        labels: Sequence[frozenset[str]],
        places: Sequence[tuple[float, float]],
        sensor: SensorKind | None = None,
    ) -> list[Item]:
        """Items with places (rad); the territories are asked for all at once, which is much cheaper."""
        names = [""] * len(places)
        if self._territories is not None and any(r.territories for r in self._rules if r.kind == kind):
            at = np.degrees(np.array(places).reshape(-1, 2))
            found = self._territories.territory_at(at[:, 1], at[:, 0])
            names = [self._territories.names[i] for i in found.tolist()]
        return [
            Item(kind, words, latitude, longitude, name, sensor)
            for words, (latitude, longitude), name in zip(labels, places, names, strict=True)
        ]

    def _track_items(self, tracks: Sequence[Track], context: Context) -> dict[str, Item]:
        """What rules look at of each track: its most probable phase, further labels, the point under it."""
        labels = []
        for track in tracks:
            phase = PHASES[max(range(3), key=lambda k: track.phases[k])]
            labels.append(context.labels.get(track.number, frozenset()) - set(PHASES) | {phase})
        places = [ecef2geodetic(*track.state[:3])[:2] for track in tracks]
        items = self._items("tracks", labels, places)
        return {track.number: item for track, item in zip(tracks, items, strict=True)}

    def _impact_item(self, impact: Impact, context: Context) -> Item:
        labels = self._labels(impact.track, impact.object_class, context)
        return self._item("impacts", labels, impact.latitude_rad, impact.longitude_rad)

    def _labels(self, number: str, object_class: str, context: Context) -> frozenset[str]:
        return context.labels.get(number, frozenset()) | self._tracks.labels(number) | {object_class}

    def _zone_items(self, alert: Alert, context: Context) -> list[Item]:
        """An item for each zone of an alert, with its place where that is known; one for an alert of none."""
        items = []
        for zone in alert.zones:
            place = context.zones.get((alert.partner, zone))
            nowhere = Item(kind="alerts")
            items.append(nowhere if place is None else self._item("alerts", frozenset(), *place))
        return items or [Item(kind="alerts")]

    def _plot_items(self, sector: Sector, count: int) -> list[Item]:
        """An item for each plot of a sector, with the point under it."""
        row = self._rows.get(sector.sensor)
        if row is None or not len(sector.range_m) == len(sector.azimuth_rad) == len(sector.elevation_rad):
            return [Item(kind="plots", sensor="radar")] * count
        plots = zip(sector.range_m, sector.azimuth_rad, sector.elevation_rad, strict=True)
        places = [ecef2geodetic(*position_of_plot(row, *plot))[:2] for plot in plots]
        return self._items("plots", [frozenset()] * count, places, "radar")

    def _line_items(self, scan: InfraredScan, count: int) -> list[list[Item]]:
        """For each plot of a scan, an item for each place under its line of sight where the object may be:
        at each of the heights, and where it is lowest if it passes above one."""
        site, along = np.array(scan.site_m), lines_of(scan)
        lowest = lowest_points(site, along)
        at = [meets_height(site, along, height) for height in HEIGHTS_M]
        points = [np.where(np.isfinite(found), found, lowest) for found in at]
        places = [ecef2geodetic(*point)[:2] for found in points for point in found]
        items = self._items("plots", [frozenset()] * len(places), places, "infrared")
        return [items[i::count] for i in range(count)]

    # ------------------------------------------------------------------ numbers that partners know

    def _name(self, to: str, number: str, now_ns: int, rules: Sequence[SharingRule]) -> None:
        self._named[to][number] = now_ns + max(rule.delay_ns for rule in rules)

    def _known(self, to: str, now_ns: int, context: Context) -> set[str]:
        """Numbers of tracks that a partner has been told of by now."""
        named = self._named[to]
        for number in [n for n, told_ns in named.items() if told_ns < now_ns - NAMED_NS]:
            del named[number]
        told = {number for number, told_ns in named.items() if told_ns <= now_ns}
        return told | self._tracks.told(to) | context.known.get(to, frozenset())


def _count(look: Look) -> int:
    """How many plots a look has."""
    if isinstance(look, Sector):
        return max(map(len, (look.range_m, look.azimuth_rad, look.elevation_rad, look.range_rate_ms)))
    return len(look.along_x)


def _some(look: Look, plots: Sequence[int] | None, rule: SharingRule) -> Look:
    """A look with some of its plots (None: all), as a rule lets it go."""
    if isinstance(look, Sector):
        return some_plots(look, plots, rule)
    return some_lines(look, plots, rule)


def _piece(
    kind: Kind,
    subject: str,
    to: str,
    rules: Sequence[SharingRule],
    now_ns: int,
    header: Header,
    content: Content,
) -> Piece:
    """A piece under one or more rules: it leaves when the slowest lets it; what one hides is hidden."""
    for rule in rules:
        header = hidden(header, rule) if rule.pseudonyms else header
    return Piece(
        kind=kind,
        subject=subject,
        partner=to,
        rules=tuple(dict.fromkeys(rule.title for rule in rules)),
        due_ns=now_ns + max(rule.delay_ns for rule in rules),
        header=header,
        content=content,
    )
