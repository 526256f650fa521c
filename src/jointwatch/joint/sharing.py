"""Sharing rules: what may leave a node, to whom and in what form; data, from a scenario or node file.

In: a file's tables; out: checked rules, and for one item and one partner the rule that decides.  The first
rule that fits decides; what no rule fits is withheld.  What a rule changes is in `joint.coarsening`, how
rules are applied step by step in `joint.sharer`, and what they will release, in words, in
`joint.sharing_words`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from itertools import product
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct
from msgspec.structs import replace

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.records import PHASES, BadInput, Kind
from jointwatch.records.documents import convert

Latitude = Annotated[float, Meta(ge=-90.0, le=90.0)]
Longitude = Annotated[float, Meta(ge=-180.0, le=180.0)]
Radius = Annotated[float, Meta(gt=0.0, le=20_100.0)]
Step = Annotated[float, Meta(ge=0.0, le=1e6)]
Delay = Annotated[float, Meta(ge=0.0, le=600.0)]
"""What is told later than in ten minutes no partner would take: beyond fifteen it is stale, and links are
cut."""
Words = Annotated[tuple[str, ...], Meta(min_length=1)]
SensorKind = Literal["radar", "infrared"]
SENSOR_KINDS: tuple[SensorKind, ...] = get_args(SensorKind)
"""What plots can be of, as sharing rules name it."""

NO_RULE = "no rule"
"""What stands in the journal for the rule where none fits."""

_ROUNDED_M = ("tracks", "launch_areas", "impacts", "announced")
"""Kinds with a place to round.  Plots have none: a range or a direction rounded by itself would be biased.
Alerts say zones, which are what they are."""
_SOURCES = ("plots", "tracks", "launch_areas", "impacts", "health")
"""Kinds that can name a sensor."""
_CLASSES = ("tracks", "launch_areas", "impacts", "announced")
"""Kinds of which it is known what they are of."""
_PLACES = ("plots", "tracks", "launch_areas", "impacts", "alerts", "announced")
"""Kinds that have a place."""


class Circle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A circle on the ground."""

    latitude_deg: Latitude
    longitude_deg: Longitude
    radius_km: Radius


class SharingRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One rule of one partner.

    It fits what is of its kind and goes to one of `to` (empty: every partner), has one of the words `classes`
    (phases and generic classes; empty: any), is of one of the kinds of `sensors` (of plots only; empty: of
    both) and lies within `area` or in one of `territories` (neither: anywhere).  release: "as is",
    "coarsened" or "withheld".  Coarsened is one or more of: positions rounded to steps of round_m and
    velocities of round_ms (m, m/s), held back for delay_s, sensors' names replaced by pseudonyms made with
    key.  Stored as it is written: what is omitted means something else than a list of nothing, which is
    refused.
    """

    kind: Kind
    release: Literal["as is", "coarsened", "withheld"]
    name: Annotated[str, Meta(min_length=1)] | None = None
    to: Words = ()
    classes: Words = ()
    sensors: Annotated[tuple[SensorKind, ...], Meta(min_length=1)] = ()
    area: Circle | None = None
    territories: Words = ()
    round_m: Step = 0.0
    round_ms: Step = 0.0
    delay_s: Delay = 0.0
    pseudonyms: bool = False
    key: str = ""

    @property
    def title(self) -> str:
        """The rule's name; rules from a file always have one."""
        return self.name or self.kind

    @property
    def releases(self) -> bool:
        """Whether anything leaves by it."""
        return self.release != "withheld"

    @property
    def exact(self) -> bool:
        """Whether what leaves tells as much as what stays: nothing but names and the time of sending change.

        Tracks under an exact rule leave as tracklets and are fused exactly.  Rounding is no white noise, so
        rounded tracks leave as such, and are fused by covariance intersection only.
        """
        return self.releases and self.round_m == self.round_ms == 0.0

    @property
    def anywhere(self) -> bool:
        """Whether it fits without regard to place."""
        return self.area is None and not self.territories

    @property
    def delay_ns(self) -> int:
        """How long what leaves is held back, ns."""
        return round(self.delay_s * 1e9)

    def is_for(self, kind: Kind, to: str, sensor: SensorKind | None = None) -> bool:
        """Whether it has anything to say of what is of a kind and goes to a partner; sensor: of plots."""
        fits = sensor is None or not self.sensors or sensor in self.sensors
        return fits and self.kind == kind and (not self.to or to in self.to)


class Item(Struct, frozen=True):
    """What a rule looks at: a kind, words for what it is of, and a place (rad) with its territory, if any;
    sensor: what kind of sensor plots are of."""

    kind: Kind
    labels: frozenset[str] = frozenset()
    latitude_rad: float | None = None
    longitude_rad: float | None = None
    territory: str = ""
    sensor: SensorKind | None = None


def load_rules(
    values: object,
    source: str,
    partner: str,
    partners: Collection[str],
    territories: Collection[str],
    class_names: Collection[str],
) -> tuple[SharingRule, ...]:
    """The rules of a partner from a file's tables; BadInput naming source, key, found and wanted.

    territories: names of the file's territories.  class_names: generic classes that a rule may name beside
    the flight phases.
    """
    place = f"sharing.{partner}"
    if not isinstance(values, list | tuple):
        raise BadInput(source, place, "one table", f"a list of rules, each under [[{place}]]")
    others = [name for name in partners if name != partner]
    rules: list[SharingRule] = []
    for i, table in enumerate(values):
        key = f"{place}[{i}]"
        rule = _rule(table, source, key, f"{partner}/{i + 1}")
        _check_words(rule, source, key, others, territories, (*PHASES, *class_names))
        _check_coarsening(rule, source, key)
        if any(rule.title == earlier.title for earlier in rules):
            raise BadInput(source, f"{key}.name", rule.title, "a name that no earlier rule has")
        taken = _taken_by(rule, rules, others)
        if taken:
            by, takes = " and ".join(taken), "takes" if len(taken) == 1 else "take"
            found = f"a rule that can never decide: {by} {takes} all that it fits"
            raise BadInput(source, key, found, "rules in an order in which each can decide something")
        _check_names(rule, rules, source, key, others)
        rules.append(rule)
    return tuple(rules)


def decide(rules: Sequence[SharingRule], to: str, item: Item) -> SharingRule | None:
    """The first rule that fits an item on its way to a partner; None if none does: it is withheld."""
    for rule in rules:
        if (
            rule.is_for(item.kind, to, item.sensor)
            and (not rule.classes or not item.labels.isdisjoint(rule.classes))
            and (rule.anywhere or _lies_in(rule, item))
        ):
            return rule
    return None


def strictest(rules: Sequence[SharingRule | None]) -> SharingRule | None:
    """Of rules that may each fit one thing, the one that lets go the least: none at all, else one that
    withholds, else one that hides names, else the slowest; of equals the first."""

    def openness(rule: SharingRule | None) -> tuple[bool, bool, bool, int]:
        if rule is None:
            return False, False, False, 0
        return True, rule.releases, not rule.pseudonyms, -rule.delay_ns

    return min(rules, key=openness)


def title(rule: SharingRule | None) -> str:
    """The name of the rule that decided, for the journal."""
    return NO_RULE if rule is None else rule.title


def _lies_in(rule: SharingRule, item: Item) -> bool:
    """Whether an item lies where a rule with an area holds; one without a place does not."""
    if item.latitude_rad is None or item.longitude_rad is None:
        return False
    if rule.area is None:
        return item.territory in rule.territories
    centre = math.radians(rule.area.latitude_deg), math.radians(rule.area.longitude_deg)
    return _distance_m(*centre, item.latitude_rad, item.longitude_rad) <= 1e3 * rule.area.radius_km


def _distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Along the great circle between two places (rad), m."""
    half = math.sin(0.5 * (lat2 - lat1)) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin(0.5 * (lon2 - lon1)) ** 2
    return 2.0 * MEAN_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


# ---------------------------------------------------------------------- what is refused


def _rule(table: object, source: str, key: str, name: str) -> SharingRule:
    if not isinstance(table, dict):
        raise BadInput(source, key, str(table), "a table")
    values: dict[str, Any] = table
    try:
        rule = convert(values, SharingRule, source)
    except BadInput as error:
        raise BadInput(source, f"{key}.{error.field}", error.found, error.wanted) from None
    return rule if rule.name is not None else replace(rule, name=name)


def _check_words(
    rule: SharingRule,
    source: str,
    key: str,
    others: Sequence[str],
    territories: Collection[str],
    classes: Collection[str],
) -> None:
    """Partners, classes and territories have to be known, and what is asked of a kind has to be in it."""
    for field, words, known in (
        ("to", rule.to, others),
        ("classes", rule.classes, classes),
        ("territories", rule.territories, territories),
    ):
        for i, word in enumerate(words):
            if word not in known:
                wanted = f"one of {', '.join(known)}" if known else f"nothing: there are no {field} to name"
                raise BadInput(source, f"{key}.{field}[{i}]", word, wanted)
    if rule.classes and rule.kind not in _CLASSES:
        wanted = f"no classes: it is not known what {rule.kind} are of"
        raise BadInput(source, f"{key}.classes", ", ".join(rule.classes), wanted)
    if rule.sensors and rule.kind != "plots":
        wanted = "none: only plots can be told apart by what kind of sensor they are of"
        raise BadInput(source, f"{key}.sensors", ", ".join(rule.sensors), wanted)
    if rule.area is not None and rule.territories:
        raise BadInput(source, f"{key}.territories", "territories beside an area", "one of the two")
    if not rule.anywhere and rule.kind not in _PLACES:
        field = "territories" if rule.area is None else "area"
        raise BadInput(source, f"{key}.{field}", "a place", f"none: {rule.kind} has no place")


def _check_coarsening(rule: SharingRule, source: str, key: str) -> None:
    """Only a coarsened rule coarsens, and it does so in a way that its kind allows."""
    given = {
        "round_m": rule.round_m > 0.0,
        "round_ms": rule.round_ms > 0.0,
        "delay_s": rule.delay_s > 0.0,
        "pseudonyms": rule.pseudonyms,
    }
    allowed = {
        "round_m": rule.kind in _ROUNDED_M,
        "round_ms": rule.kind == "tracks",
        "delay_s": True,
        "pseudonyms": rule.kind in _SOURCES,
    }
    ways = [field for field, can in allowed.items() if can]
    for field, is_given in given.items():
        value = str(getattr(rule, field)).lower()
        if is_given and rule.release != "coarsened":
            raise BadInput(
                source, f"{key}.{field}", value, f'release = "coarsened", for this is {rule.release}'
            )
        if is_given and not allowed[field]:
            wanted = f"none: {rule.kind} can be coarsened by {' and '.join(ways)} only"
            raise BadInput(source, f"{key}.{field}", value, wanted)
    if rule.release == "coarsened" and not any(given.values()):
        raise BadInput(source, f"{key}.release", "coarsened by nothing", f"one or more of {', '.join(ways)}")
    if rule.pseudonyms and not rule.key:
        raise BadInput(source, f"{key}.key", "nothing", "a key: without one anybody can undo the pseudonyms")
    if rule.key and not rule.pseudonyms:
        # what is found is not said: it is somebody's secret
        raise BadInput(source, f"{key}.key", "a key for nothing", "no key, or pseudonyms = true")


def _check_names(
    rule: SharingRule, earlier: Sequence[SharingRule], source: str, key: str, others: Sequence[str]
) -> None:
    """Plots, and what looks told of tracks, go to a partner under the same names of sensors: by other names
    he could not tell that they are of the same looks, and would count them twice.  No track is told of what
    satellites see, so their scans may go under other names."""
    kinds = {"plots", "tracks"}
    for other in earlier:
        both = {rule.kind, other.kind} == kinds and all(r.releases and r.exact for r in (rule, other))
        both &= not any(r.kind == "plots" and r.sensors == ("infrared",) for r in (rule, other))
        shared = [to for to in others if rule.is_for(rule.kind, to) and other.is_for(other.kind, to)]
        if both and shared and (rule.pseudonyms, rule.key) != (other.pseudonyms, other.key):
            wanted = f"the same names of sensors for {shared[0]} as in rule {other.title}, pseudonyms or none"
            found = "pseudonyms" if rule.pseudonyms else "names as they are"
            if rule.pseudonyms and other.pseudonyms:
                found = "pseudonyms by another key"
            raise BadInput(source, f"{key}.pseudonyms", found, wanted)


def _taken_by(rule: SharingRule, earlier: Sequence[SharingRule], others: Sequence[str]) -> list[str]:
    """The earlier rules that leave nothing for this one; none if something is left.

    Whatever it fits is at least one of a few simplest items; it is taken if each of those is.
    """
    takers: dict[str, None] = {}
    for to in rule.to or others:
        for labels, sensor in product(_simplest_labels(rule), _sensors_of(rule)):
            for place in rule.territories or (rule.area,):
                holding = (e for e in earlier if e.is_for(rule.kind, to, sensor))
                taker = next((e for e in holding if _takes(e, labels, place)), None)
                if taker is None:
                    return []
                takers[taker.title] = None
    return list(takers)


def _simplest_labels(rule: SharingRule) -> Iterator[frozenset[str]]:
    """The fewest words that an item can have which a rule fits; a track always has a phase."""
    words: Sequence[str | None] = rule.classes or (None,)
    for word in words:
        own = frozenset() if word is None else frozenset((word,))
        if rule.kind == "tracks" and word not in PHASES:
            yield from (own | {phase} for phase in PHASES)
        else:
            yield own


def _sensors_of(rule: SharingRule) -> tuple[SensorKind | None, ...]:
    """The kinds of sensors that a rule tells apart; for all but plots there is nothing to tell apart."""
    return (rule.sensors or SENSOR_KINDS) if rule.kind == "plots" else (None,)


def _takes(earlier: SharingRule, labels: frozenset[str], place: str | Circle | None) -> bool:
    """Whether an earlier rule fits all items of its kind with these words, in this place."""
    if earlier.classes and labels.isdisjoint(earlier.classes):
        return False
    if earlier.anywhere or isinstance(place, str):
        return earlier.anywhere or place in earlier.territories
    return earlier.area is not None and place is not None and _inside(place, earlier.area)


def _inside(inner: Circle, outer: Circle) -> bool:
    centres = [math.radians(v) for c in (inner, outer) for v in (c.latitude_deg, c.longitude_deg)]
    apart_m = _distance_m(centres[0], centres[1], centres[2], centres[3])
    return apart_m + 1e3 * inner.radius_km <= 1e3 * outer.radius_km
