"""What people say about zones, as messages: alerts of their own, and what takes back what stands.

In: what stands told, a `ManualAlert` that one person drafted and another released, and the tracks behind each
zone's automatic alert; out: the alerts that say so.  People have series of their own, one an area and tier.
Their alert neither follows an automatic one nor holds one back; what they take back, they take back whole, in
each series where the zone stands told: nobody is to read "you may leave shelter" beside a warning that holds.
What nobody takes back or renews is void at last, and gets an all clear then (`lapsed_alerts`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from jointwatch.records import Alert, BadInput, ManualAlert, Tier, Zone
from jointwatch.warning.message import Speaker, next_message
from jointwatch.warning.standing import Standing

MOST_AHEAD_NS = 21_600_000_000_000
"""People tell of no impact farther ahead: the slowest drones come down within six hours."""


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


def check_ahead(manual: ManualAlert, now_ns: int, source: str) -> None:
    """BadInput where the impact that people tell of is farther ahead than anything flies: a slip, by which
    the alert would stand for as long."""
    if manual.impact_ns is not None and manual.impact_ns > now_ns + MOST_AHEAD_NS:
        wanted = f"at most {MOST_AHEAD_NS // 3_600_000_000_000} hours ahead"
        raise BadInput(source, "impact_ns", manual.impact_ns, wanted)


def check_stands(manual: ManualAlert, zones: Sequence[Zone], standing: Standing, source: str) -> None:
    """BadInput where people would take back what nobody told."""
    if manual.action == "alert":
        return
    for zone in zones:
        if not _stands(zone, manual.tier, standing):
            raise BadInput(source, "zones", zone.key, f"one that stands told in the tier {manual.tier}")


def still_standing(
    manual: ManualAlert, zones: Sequence[Zone], standing: Standing, source: str
) -> tuple[ManualAlert, tuple[str, ...]]:
    """What of it is left to say, and keys of the zones that ended since it was drafted.

    One zone's end is no reason to leave the others in shelter until two people speak again.
    BadInput if none is left.
    """
    if manual.action == "alert":
        return manual, ()
    left = tuple(zone.key for zone in zones if _stands(zone, manual.tier, standing))
    if not left:
        found = ", ".join(zone.key for zone in zones)[:200]
        raise BadInput(source, "zones", found, f"one that still stands told in the tier {manual.tier}")
    if len(left) == len(zones):
        return manual, ()
    ended = tuple(zone.key for zone in zones if zone.key not in left)
    return replace(manual, zones=left, area=""), ended


def _stands(zone: Zone, tier: Tier, standing: Standing) -> bool:
    """Whether it stands told, whoever told it."""
    return zone.key in standing.told[tier] or zone.key in standing.by_people[tier]


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


Evidence = Sequence[tuple[str, float]]
Behind = Mapping[str, Evidence]
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

    def add(area: str, keys: Sequence[str], impact_ns: int, evidence: Evidence, of_people: bool) -> None:
        nonlocal standing
        follows = manual.action == "alert" and (manual.tier, area) in standing.series_by_people
        action = "update" if follows else manual.action
        alert = next_message(
            speaker, standing, now_ns, action, manual.tier, area, keys, impact_ns, evidence, manual.reason,
            of_people,
        )  # fmt: skip
        out.append(replace(alert, manual=True))
        standing = standing.after(out[-1])

    if manual.action == "alert":
        impact_ns = max(now_ns, manual.impact_ns or now_ns)
        for area in sorted({zone.area for zone in zones}):
            add(area, [zone.key for zone in zones if zone.area == area], impact_ns, (), True)
        return out
    for told, of_people in (
        (standing.told[manual.tier], False),
        (standing.by_people[manual.tier], True),
    ):
        stood = {zone.key: told[zone.key] for zone in zones if zone.key in told}
        for area in sorted({each.area for each in stood.values()}):
            keys = [key for key, each in stood.items() if each.area == area]
            evidence = () if of_people else [pair for key in keys for pair in behind.get(key, ())]
            add(area, keys, min(stood[key].impact_ns for key in keys), evidence, of_people)
    return out


def lapsed_alerts(
    tier: Tier, standing: Standing, may_end: Callable[[str], bool], speaker: Speaker, now_ns: int
) -> list[tuple[Alert, int]]:
    """All clears for what people told in a tier, which is void and nobody renewed or took back, and since
    when the last of its zones has been void (ns); one an area, and only for zones that `may_end`."""
    out: list[tuple[Alert, int]] = []
    stood = sorted(standing.by_people[tier].items())
    void = {key: told for key, told in stood if told.void_ns <= now_ns and may_end(key)}
    for area in sorted({told.area for told in void.values()}):
        here = {key: told for key, told in void.items() if told.area == area}
        alert = next_message(
            speaker, standing, now_ns, "all_clear", tier, area, here,
            min(told.impact_ns for told in here.values()),
            reason="nobody renewed what people told, and nothing is seen", of_people=True,
        )  # fmt: skip
        out.append((alert, max(told.void_ns for told in here.values())))
        standing = standing.after(alert)
    return out
