"""Warnings out as OASIS Common Alerting Protocol 1.2 messages (`formats.cap_in` reads them in).

An `Alert` and the zones it names, or an issued `Advisory`, go in; the bytes of one message come out.  It says
where the danger is, from when, and what to do; never where fire came from or from whom: no free text of the
warning room (an alert's `reason`) and no evidence goes with it.  An exercise never looks live: its status is
Exercise and every text that may be read alone begins with the word.
Reference: OASIS, Common Alerting Protocol Version 1.2 (1 July 2010), section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lxml import etree

from jointwatch.formats.cap_area import add, named_value, wide_area, zone_area
from jointwatch.formats.cap_in import CapArea, CapInfo, CapMessage, CapReference, read_cap
from jointwatch.formats.cap_structure import CAP_12, check_structure, time_to_cap
from jointwatch.records import Advisory, Alert, AlertAction, BadInput, Tier, Zone

__all__ = [
    "CapArea",
    "CapInfo",
    "CapMessage",
    "CapReference",
    "advisory_to_cap",
    "alert_to_cap",
    "read_cap",
]

FEW_ZONES = 12
"""An early notice for so many zones or fewer names and draws each of them."""
EXPIRES_AFTER_S = 900
"""A message that nothing follows is void this long after the last expected impact (or after sending)."""
_OBSERVED = 0.9
_MARK = "EXERCISE: "
_EVENT = "Missile or rocket fire"


class _Block(NamedTuple):
    """What one <info> says: the same to all its zones.  impacts_ns: of the messages behind it."""

    action: AlertAction
    tier: Tier
    zones: tuple[str, ...]
    impacts_ns: tuple[int, ...]
    surest: float


def alert_to_cap(alert: Alert, zones: Sequence[Zone], sender: str, earlier: Sequence[Alert] = ()) -> bytes:
    """The CAP 1.2 message (UTF-8) of one alert.

    A CAP Update takes the place of the messages it refers to, and a Cancel revokes them whole.  So the
    message tells more than the alert: first what is new, then, in <info> blocks of their own, the zones of
    the series that were warned before and still are.  It is a Cancel only if nothing of the series is left
    standing; where one zone of several is withdrawn, it is an Update that says so and keeps up the others.

    zones: must hold every zone named (others may be there too).  sender: who sends, a name without spaces or
    commas.  earlier: alerts sent before, in order; must hold each that `alert.references` names.
    BadInput if a zone or an earlier message is missing, or an outline is no polygon.
    """
    source = f"alert {alert.identifier}"
    by_key = {zone.key: zone for zone in zones}
    series = {message.identifier: message for message in earlier if message.identifier in alert.references}
    for identifier in alert.references:
        if identifier not in series:
            raise BadInput(source, "references", identifier, "an alert handed in as an earlier one")
    if alert.action in ("alert", "update") and not alert.zones:
        raise BadInput(source, "zones", "none", "at least one zone to warn")
    if alert.action != "alert" and not series:
        raise BadInput(source, "references", "none", "the earlier message that this one follows")

    standing = _standing([*series.values(), alert])
    new = _Block(alert.action, alert.tier, alert.zones, (alert.impact_ns,), _surest([alert]))
    kind = "Alert" if alert.action == "alert" else "Update"
    if alert.action == "cancel" and not standing:
        kind = "Cancel"
    references = [
        f"{sender},{message.identifier},{time_to_cap(message.sent_ns, source, 'references')}"
        for message in series.values()
    ]
    root = _envelope(alert.identifier, sender, alert.sent_ns, kind, alert.exercise, references, source)
    for block in (new, *_kept_up(standing, set(alert.zones))):
        info = _info(
            root,
            _EVENT,
            _grades(block),
            _times(block, alert.sent_ns, source),
            _words_for(block, source),
            alert.exercise,
            source,
        )
        _areas(info, block, by_key, block is new, source)
    return _finished(root, source)


def _areas(info: etree._Element, block: _Block, by_key: Mapping[str, Zone], new: bool, source: str) -> None:
    """The block's zones: newly told to take shelter as they are, others coarser, many early ones as one."""
    for key in block.zones:
        if key not in by_key:
            raise BadInput(source, "zones", key, "a zone among those handed in")
    zones = [by_key[key] for key in block.zones]
    if block.tier == "early" and len(zones) > FEW_ZONES:
        wide_area(info, zones, source)
        return
    shown = new and block.tier == "shelter" and block.action in ("alert", "update")
    for zone in zones:
        zone_area(info, zone, source, coarse=not shown)


def _standing(series: Sequence[Alert]) -> dict[str, Alert]:
    """Each zone still warned after a series of messages, and the message that warned it last."""
    standing: dict[str, Alert] = {}
    for message in series:
        for key in message.zones:
            if message.action in ("alert", "update"):
                standing[key] = message
            else:
                standing.pop(key, None)
    return standing


def _kept_up(standing: dict[str, Alert], named: set[str]) -> list[_Block]:
    """One block a tier for the zones that stand warned and are not named anew."""
    blocks = []
    tiers: tuple[Tier, ...] = ("shelter", "early")
    for tier in tiers:
        kept = {key: m for key, m in standing.items() if m.tier == tier and key not in named}
        if kept:
            impacts_ns = tuple(message.impact_ns for message in kept.values())
            blocks.append(_Block("update", tier, tuple(kept), impacts_ns, _surest(list(kept.values()))))
    return blocks


def _surest(messages: Sequence[Alert]) -> float:
    """The largest probability of danger in the messages' evidence."""
    return max((probability for message in messages for _, probability in message.evidence), default=0.0)


def _times(block: _Block, sent_ns: int, source: str) -> list[tuple[str, str]]:
    """effective, onset (only where danger is yet to come) and expires."""
    times = [("effective", sent_ns)]
    last_ns = sent_ns
    if block.action in ("alert", "update"):
        times.append(("onset", min(block.impacts_ns)))
        last_ns = max(sent_ns, *block.impacts_ns)
    times.append(("expires", last_ns + EXPIRES_AFTER_S * 1_000_000_000))
    return [(name, time_to_cap(time_ns, source, name)) for name, time_ns in times]


def advisory_to_cap(advisory: Advisory, sender: str) -> bytes:
    """The CAP 1.2 message (UTF-8) of an issued advisory, sent at its header's `measured_ns`.

    BadInput if nobody reviewed it, or the reviewer is who drafted it.
    """
    source = f"advisory {advisory.identifier}"
    if not advisory.reviewed_by or advisory.reviewed_by == advisory.drafted_by:
        raise BadInput(source, "reviewed_by", advisory.reviewed_by or "nobody", "a second role's review")
    sent_ns = advisory.header.measured_ns
    root = _envelope(advisory.identifier, sender, sent_ns, "Alert", advisory.exercise, [], source)
    times = (
        ("effective", sent_ns),
        ("onset", advisory.valid_from_ns),
        ("expires", advisory.valid_to_ns),
    )
    info = _info(
        root,
        f"{_EVENT} (advisory)",
        ("Prepare", "Future", "Severe", "Possible"),
        [(name, time_to_cap(time_ns, source, name)) for name, time_ns in times],
        (
            advisory.headline,
            advisory.text,
            "Know the nearest shelter and follow the authorities' instructions.",
        ),
        advisory.exercise,
        source,
    )
    for place in advisory.places:
        area = etree.SubElement(info, f"{{{CAP_12}}}area")
        add(area, "areaDesc", place, source)
        named_value(area, "geocode", "jointwatch:place", place, source)
    return _finished(root, source)


def _grades(block: _Block) -> tuple[str, str, str, str]:
    """Response type, urgency, severity and certainty by tier and life cycle (CAP 1.2, 3.2.2).

    "Observed" is kept for fire whose danger to a zone is nearly certain.
    """
    if block.action == "all_clear":
        return "AllClear", "Past", "Minor", "Observed"
    if block.action == "cancel":
        return "AllClear", "Past", "Minor", "Unlikely"
    if block.tier == "early":
        return "Prepare", "Expected", "Severe", "Possible"
    return "Shelter", "Immediate", "Extreme", "Observed" if block.surest >= _OBSERVED else "Likely"


def _words_for(block: _Block, source: str) -> tuple[str, str, str]:
    """Headline, description, instruction: set sentences, for what leaves here must never carry an origin."""
    if block.action == "all_clear" and block.tier == "early":
        return (
            "Ended: early notice of missile or rocket fire",
            "No further missile or rocket is expected in the areas named.",
            "You need no longer stay near to shelter. Keep away from fallen objects and report them.",
        )
    if block.action == "all_clear":
        return (
            "All clear: you may leave shelter",
            "The missiles or rockets that were expected in the areas named are down.",
            "You may leave shelter. Keep away from fallen objects and report them. An early notice stays in "
            "force until it is ended.",
        )
    if block.action == "cancel":
        return (
            "Withdrawn: warning of missile or rocket fire",
            "The earlier warning is withdrawn: the danger to the areas named is gone.",
            "You may leave shelter. Follow the authorities' instructions.",
        )
    at = time_to_cap(min(block.impacts_ns), source, "impact_ns")[11:19]
    if block.tier == "early":
        return (
            "Missile or rocket fire possible: be ready to take shelter",
            f"Missile or rocket fire is under way and may reach the areas named from {at} UTC.",
            "Go near to shelter now, and take shelter at once if you are told to.",
        )
    return (
        "Missile or rocket fire: take shelter now",
        f"Missiles or rockets are expected to fall in the areas named from {at} UTC.",
        "Take shelter now. Stay there until the all clear.",
    )


def _envelope(
    identifier: str,
    sender: str,
    sent_ns: int,
    kind: str,
    exercise: bool,
    references: Sequence[str],
    source: str,
) -> etree._Element:
    """The <alert> element with everything that stands before <info>."""
    root = etree.Element(f"{{{CAP_12}}}alert", nsmap={None: CAP_12})
    add(root, "identifier", identifier, source)
    add(root, "sender", sender, source)
    add(root, "sent", time_to_cap(sent_ns, source, "sent_ns"), source)
    add(root, "status", "Exercise" if exercise else "Actual", source)
    add(root, "msgType", kind, source)
    add(root, "scope", "Public", source)
    if exercise:
        add(root, "note", "EXERCISE. This is not a real event.", source)
    if references:
        add(root, "references", " ".join(references), source)
    return root


def _info(
    root: etree._Element,
    event: str,
    grades: tuple[str, str, str, str],
    times: Sequence[tuple[str, str]],
    texts: tuple[str, str, str],
    exercise: bool,
    source: str,
) -> etree._Element:
    """The <info> element, still without areas.  grades: response type, urgency, severity, certainty."""
    info = etree.SubElement(root, f"{{{CAP_12}}}info")
    add(info, "language", "en-US", source)
    add(info, "category", "Security", source)
    add(info, "event", event, source)
    for name, value in zip(("responseType", "urgency", "severity", "certainty"), grades, strict=True):
        add(info, name, value, source)
    for name, value in times:
        add(info, name, value, source)
    for name, text in zip(("headline", "description", "instruction"), texts, strict=True):
        add(info, name, (_MARK if exercise else "") + text, source)
    return info


def _finished(root: etree._Element, source: str) -> bytes:
    """The message's bytes, held against the structure first."""
    check_structure(root, source)
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return data
