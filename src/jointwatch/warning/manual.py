"""What people say about zones, as messages: alerts of their own, and what takes back what stands.

In: what stands told, a `ManualAlert` that one person drafted and another released, and the tracks behind each
zone's automatic alert; out: the alerts that say so.  People have series of their own, one an area and tier.
Their alert neither follows an automatic one nor holds one back; what they take back, they take back whole, in
each series where the zone stands told: nobody is to read "you may leave shelter" beside a warning that holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from jointwatch.records import Alert, BadInput, Header, ManualAlert, Zone
from jointwatch.warning.standing import Series, Standing, identifier_of


def zones_named(manual: ManualAlert, zones: Sequence[Zone], source: str) -> tuple[Zone, ...]:
    """The zones that it is about, in the order of `zones`.

    BadInput if it names none, an unknown one or one twice, both zones and an area, or a time to take back.
    """
    if bool(manual.zones) == bool(manual.area):
        found = "both" if manual.zones else "neither"
        raise BadInput(source, "zones", found, "either zones or an area")
    known = {zone.key for zone in zones}
    for n, key in enumerate(manual.zones):
        if key not in known:
            raise BadInput(source, "zones", key, "a zone of this partner")
        if key in manual.zones[:n]:
            raise BadInput(source, "zones", key, "each zone once")
    named = tuple(z for z in zones if z.key in manual.zones or (manual.area and z.area == manual.area))
    if not named:
        raise BadInput(source, "area", manual.area, "an area of this partner's zones")
    if manual.action != "alert" and manual.impact_ns is not None:
        raise BadInput(source, "impact_ns", manual.impact_ns, "none, to take something back")
    return named


def check_stands(manual: ManualAlert, zones: Sequence[Zone], standing: Standing, source: str) -> None:
    """BadInput where people would take back what nobody told."""
    if manual.action == "alert":
        return
    for zone in zones:
        if zone.key not in standing.told[manual.tier] and zone.key not in standing.by_people[manual.tier]:
            raise BadInput(source, "zones", zone.key, f"one that stands told in the tier {manual.tier}")


def check_known(
    manual: ManualAlert, zones: Sequence[Zone], standing: Standing, drafted_after: int, source: str
) -> None:
    """BadInput where a zone was told anew since the draft: nobody takes back what they did not know of.

    drafted_after: the last message issued before the draft.
    """
    if manual.action == "alert":
        return
    for zone in zones:
        for told in (standing.told, standing.by_people):
            last = told[manual.tier].get(zone.key)
            if last is not None and last.sequence > drafted_after:
                raise BadInput(
                    source, "zones", f"{zone.key}, told since the draft", "a draft that knows of it"
                )


class Speaker(Protocol):
    """Whose messages they are: a warner, with its partner, its name, the epoch of its journal, and whether it
    is an exercise's."""

    partner: str
    name: str
    epoch: str
    exercise: bool


Behind = Mapping[str, Sequence[tuple[str, float]]]
"""By key of a zone told automatically: the tracks that it is told for, with their danger."""


def manual_alerts(
    manual: ManualAlert,
    zones: Sequence[Zone],
    standing: Standing,
    behind: Behind,
    speaker: Speaker,
    now_ns: int,
) -> list[Alert]:
    """The messages that say it, in order; `zones`: those it is about (`zones_named`)."""
    out: list[Alert] = []
    header = Header(
        originator=speaker.partner, source=speaker.name, sequence=0, measured_ns=now_ns, handling="public"
    )
    like = Alert(
        header=header, identifier="", action=manual.action, tier=manual.tier, partner=speaker.partner,
        zones=(), sent_ns=now_ns, impact_ns=max(now_ns, manual.impact_ns or now_ns), evidence=(),
        reason=manual.reason, exercise=speaker.exercise, manual=True,
    )  # fmt: skip
    if manual.action == "alert":
        for area in sorted({zone.area for zone in zones}):
            keys = tuple(zone.key for zone in zones if zone.area == area)
            open_series = standing.series_by_people.get((manual.tier, area))
            alert = replace(like, action="update" if open_series else "alert", area=area, zones=keys)
            series = open_series or Series(standing.series_count + 1)
            out.append(_numbered(alert, speaker.epoch, series, standing))
            standing = standing.after(out[-1])
        return out
    for told, series_of, of_people in (
        (standing.told[manual.tier], standing.series, False),
        (standing.by_people[manual.tier], standing.series_by_people, True),
    ):
        stood = {zone.key: told[zone.key] for zone in zones if zone.key in told}
        for area in sorted({each.area for each in stood.values()}):
            keys = tuple(key for key, each in stood.items() if each.area == area)
            alert = replace(
                like, area=area, zones=keys,
                impact_ns=min(stood[key].impact_ns for key in keys),
                evidence=() if of_people else _evidence(keys, behind),
            )  # fmt: skip
            out.append(_numbered(alert, speaker.epoch, series_of[manual.tier, area], standing))
            standing = standing.after(out[-1])
    return out


def _evidence(keys: Sequence[str], behind: Behind) -> tuple[tuple[str, float], ...]:
    """All tracks behind these zones, each with its greatest danger to any of them."""
    greatest: dict[str, float] = {}
    for track, p in (pair for key in keys for pair in behind.get(key, ())):
        greatest[track] = max(greatest.get(track, 0.0), p)
    return tuple(sorted((track, round(p, 6)) for track, p in greatest.items()))


def _numbered(alert: Alert, epoch: str, series: Series, standing: Standing) -> Alert:
    """The alert as the next message of its series, after all that was issued."""
    return replace(
        alert,
        header=replace(alert.header, sequence=standing.sequence + 1),
        identifier=identifier_of(alert.header.source, epoch, series, alert.exercise),
        references=series.sent,
    )
