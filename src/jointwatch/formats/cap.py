"""Warnings out as OASIS Common Alerting Protocol 1.2 messages (`formats.cap_in` reads them in).

An `Alert` and the zones it names, or an issued `Advisory`, go in; the bytes of one message come out, each
<info> once a language.  It says where the danger is, from when, and what to do, in set sentences
(`warning.words`); never where fire came from or from whom: no free text of the warning room (an alert's
`reason`) and no evidence goes with it.  An exercise never looks live: its status is Exercise, and every text
that may be read alone (event, headline, description, instruction, area, note) begins with the word, in its
own language.
Reference: OASIS, Common Alerting Protocol Version 1.2 (1 July 2010), section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lxml import etree
from msgspec.structs import replace

from jointwatch.formats.cap_area import DrawnArea, add, named_value, wide_area, write_area, zone_area
from jointwatch.formats.cap_in import CapInfo, CapMessage, read_cap
from jointwatch.formats.cap_structure import CAP_12, check_structure, time_to_cap
from jointwatch.records import Advisory, Alert, AlertAction, BadInput, Tier, Zone
from jointwatch.warning.names import same_person
from jointwatch.warning.standing import VOID_AFTER_NS, series_of
from jointwatch.warning.words import (
    OWN_LANGUAGE,
    Kind,
    Wording,
    advisory_wording,
    alert_wording,
    check_languages,
    said_seconds,
    words_in,
)

__all__ = [
    "CapInfo",
    "CapMessage",
    "advisory_to_cap",
    "alert_to_cap",
    "read_cap",
    "void_ns",
]

FEW_ZONES = 12
"""An early notice for so many zones or fewer names and draws each of them."""
_OBSERVED = 0.9
_AHEAD = "Prepare", "Future", "Severe", "Possible"
"""Response type, urgency, severity and certainty of an advisory."""
_KINDS: dict[tuple[AlertAction, Tier], Kind] = {
    ("alert", "early"): "early",
    ("update", "early"): "early_update",
    ("cancel", "early"): "early_withdrawn",
    ("all_clear", "early"): "early_ended",
    ("alert", "shelter"): "shelter",
    ("update", "shelter"): "shelter_update",
    ("cancel", "shelter"): "shelter_withdrawn",
    ("all_clear", "shelter"): "all_clear",
}


class _Block(NamedTuple):
    """What is said the same to all its zones: one <info> a language.

    action: "update" only where all of them were told the same before.  impacts_ns: of the messages behind it.
    """

    action: AlertAction
    tier: Tier
    zones: tuple[str, ...]
    impacts_ns: tuple[int, ...]
    surest: float


def alert_to_cap(
    alert: Alert,
    zones: Sequence[Zone],
    sender: str,
    earlier: Sequence[Alert] = (),
    languages: Sequence[str] = (OWN_LANGUAGE,),
) -> bytes:
    """The CAP 1.2 message (UTF-8) of one alert.

    A CAP Update takes the place of the messages it refers to, and a Cancel revokes them whole.  So the
    message tells more than the alert: first what is new, then, in <info> blocks of their own, the zones of
    the series that were warned before and still are.  It is a Cancel only if nothing of the series is left
    standing; where one zone of several is withdrawn, it is an Update that says so and keeps up the others.

    zones: must hold every zone named of the alert's partner (others may be there too, also others' by the
    same key).  sender: who sends, a name without spaces or commas.  earlier: alerts sent before, in order;
    must hold each that `alert.references` names, and those of its series that told a zone which still stands.
    languages: those of the message, in that order within each block.
    BadInput if a zone or an earlier message is missing, or a language unknown.
    """
    source = f"alert {alert.identifier}"
    check_languages(languages, source, "languages")
    # a key is unique among one partner's zones, and others may have it too
    by_key = {zone.key: zone for zone in zones if zone.partner == alert.partner}
    series = [message for message in earlier if series_of(message) == series_of(alert)]
    named = {m.identifier: m for m in series if m.identifier in alert.references}
    for identifier in alert.references:
        if identifier not in named:
            raise BadInput(source, "references", identifier, "an alert handed in as an earlier one")
    if alert.action in ("alert", "update") and not alert.zones:
        raise BadInput(source, "zones", "none", "at least one zone to warn")
    if alert.action != "alert" and not named:
        raise BadInput(source, "references", "none", "the earlier message that this one follows")

    before, standing = _standing(series), _standing([*series, alert])
    told = all(key in before and before[key].tier == alert.tier for key in alert.zones)
    action = "alert" if alert.action == "update" and not told else alert.action
    new = _Block(action, alert.tier, alert.zones, (alert.impact_ns,), _surest([alert]))
    until_ns = void_ns(alert, tuple(series))
    kind = "Alert" if alert.action == "alert" else "Update"
    if alert.action == "cancel" and not standing:
        kind = "Cancel"
    references = [
        f"{sender},{message.identifier},{time_to_cap(message.sent_ns, source, 'references')}"
        for message in named.values()
    ]
    root = _envelope(
        alert.identifier, sender, alert.sent_ns, kind, alert.exercise, references, languages, source
    )
    for block in (new, *_kept_up(standing, set(alert.zones))):
        block_zones = _zones(block, by_key, alert.partner, source)
        areas = _areas(block_zones, block, fine=block is new)
        times = _times(block, alert.sent_ns, until_ns if block is new else 0, source)
        for language in languages:
            wording = _wording(language, block, block_zones, alert.sent_ns, source)
            mark = words_in(language).mark if alert.exercise else ""
            info = _info(root, language, _grades(block), times, wording, mark, source)
            for area in areas:
                write_area(info, area, mark + _area_name(area, language), source)
    return _finished(root, source)


def _zones(block: _Block, by_key: Mapping[str, Zone], partner: str, source: str) -> list[Zone]:
    """The block's zones; BadInput where one was not handed in."""
    for key in block.zones:
        if key not in by_key:
            raise BadInput(source, "zones", key, f"a zone of {partner} among those handed in")
    return [by_key[key] for key in block.zones]


def _areas(zones: Sequence[Zone], block: _Block, fine: bool) -> list[DrawnArea]:
    """Zones newly told to take shelter as they are, others coarser, many early ones as one."""
    if block.tier == "early" and len(zones) > FEW_ZONES:
        return [wide_area(zones)]
    shown = fine and block.tier == "shelter" and block.action in ("alert", "update")
    return [zone_area(zone, coarse=not shown) for zone in zones]


def _area_name(area: DrawnArea, language: str) -> str:
    """A zone's own name, or how many zones they are."""
    if len(area.zones) == 1:
        return area.zones[0].name_in(language)
    return words_in(language).many_zones.format(count=f"{len(area.zones):,}")


def _wording(language: str, block: _Block, zones: Sequence[Zone], sent_ns: int, source: str) -> Wording:
    """The block's set sentences; the time to shelter only to whom is told to take it first."""
    kind = _KINDS[block.action, block.tier]
    if block.action not in ("alert", "update"):
        return alert_wording(language, kind)
    impact_ns = min(block.impacts_ns)
    seconds = None
    if kind == "shelter":
        seconds = said_seconds([zone.shelter_s for zone in zones], (impact_ns - sent_ns) / 1e9)
    return alert_wording(language, kind, time_to_cap(impact_ns, source, "impact_ns")[11:19], seconds)


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
            # a few messages told all those zones
            by = {message.identifier: message for message in kept.values()}
            blocks.append(_Block("update", tier, tuple(kept), impacts_ns, _surest(list(by.values()))))
    return blocks


def _surest(messages: Sequence[Alert]) -> float:
    """The largest probability of danger in the messages' evidence."""
    return max((probability for message in messages for _, probability in message.evidence), default=0.0)


def void_ns(alert: Alert | Advisory, earlier: Sequence[Alert | Advisory] = ()) -> int:
    """When a message is void, if nothing follows it (ns UTC): an advisory when its period is over.

    What takes others back holds as long as they do: one that comes late must still end them.
    """
    if isinstance(alert, Advisory):
        return max([alert.valid_to_ns, *(m.valid_to_ns for m in earlier if isinstance(m, Advisory))])
    if alert.action in ("alert", "update"):
        return max(alert.sent_ns, alert.impact_ns) + VOID_AFTER_NS
    told = (message for message in earlier if message.action in ("alert", "update"))
    return max(alert.sent_ns + VOID_AFTER_NS, *(void_ns(message) for message in told), 0)


def _times(block: _Block, sent_ns: int, until_ns: int, source: str) -> list[tuple[str, str]]:
    """effective, onset (only where danger is yet to come) and expires, which is not before until_ns."""
    times = [("effective", sent_ns)]
    last_ns = sent_ns
    if block.action in ("alert", "update"):
        times.append(("onset", min(block.impacts_ns)))
        last_ns = max(sent_ns, *block.impacts_ns)
    times.append(("expires", max(until_ns, last_ns + VOID_AFTER_NS)))
    return [(name, time_to_cap(time_ns, source, name)) for name, time_ns in times]


def advisory_to_cap(
    advisory: Advisory,
    sender: str,
    earlier: Sequence[Advisory] = (),
    languages: Sequence[str] = (OWN_LANGUAGE,),
) -> bytes:
    """The CAP 1.2 message (UTF-8) of an issued advisory, sent at its header's `measured_ns`.

    One that renews another is an Update and tells the whole anew, a withdrawal a Cancel.  In a language in
    which nobody worded it, the set sentences tell its places and period.
    earlier: must hold each advisory that its `references` name.
    BadInput if nobody reviewed it, the reviewer is who drafted it, an earlier one is missing, or a language
    is unknown.
    """
    source = f"advisory {advisory.identifier}"
    check_languages(languages, source, "languages")
    if not advisory.reviewed_by.strip() or same_person(advisory.reviewed_by, advisory.drafted_by):
        raise BadInput(source, "reviewed_by", advisory.reviewed_by or "nobody", "a second role's review")
    sent_ns = advisory.header.measured_ns
    if advisory.action != "alert" and not advisory.references:
        raise BadInput(source, "references", "none", "the earlier message that this one follows")
    sent = {message.identifier: message.header.measured_ns for message in earlier}
    references = []
    for identifier in advisory.references:
        if identifier not in sent:
            raise BadInput(source, "references", identifier, "an advisory handed in as an earlier one")
        moment = time_to_cap(sent[identifier], source, "references")
        references.append(f"{sender},{identifier},{moment}")
    kind = {"alert": "Alert", "update": "Update", "cancel": "Cancel"}[advisory.action]
    root = _envelope(
        advisory.identifier, sender, sent_ns, kind, advisory.exercise, references, languages, source
    )
    window_ns = advisory.valid_from_ns, advisory.valid_to_ns
    times = [
        (name, time_to_cap(time_ns, source, name))
        for name, time_ns in zip(("effective", "onset", "expires"), (sent_ns, *window_ns), strict=True)
    ]
    withdrawn = advisory.action == "cancel"
    if withdrawn:
        # nothing is to come any more
        times = [each for each in times if each[0] != "onset"]
    grades = ("AllClear", "Past", "Minor", "Unlikely") if withdrawn else _AHEAD
    told = {OWN_LANGUAGE: (advisory.headline, advisory.text)}
    told |= {language: (headline, text) for language, headline, text in advisory.words}
    for language in languages:
        wording = advisory_wording(language, advisory.places, window_ns, source, withdrawn)
        if language in told:
            headline, text = told[language]
            wording = replace(wording, headline=headline, description=text)
        mark = words_in(language).mark if advisory.exercise else ""
        info = _info(root, language, grades, times, wording, mark, source)
        for place in advisory.places:
            area = etree.SubElement(info, f"{{{CAP_12}}}area")
            add(area, "areaDesc", mark + place, source)
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


def _envelope(
    identifier: str,
    sender: str,
    sent_ns: int,
    kind: str,
    exercise: bool,
    references: Sequence[str],
    languages: Sequence[str],
    source: str,
) -> etree._Element:
    """The <alert> element with everything that stands before <info>.

    The one note of an exercise says so in every language, each on a line of its own: a line is read in the
    direction of its own first letter.
    """
    root = etree.Element(f"{{{CAP_12}}}alert", nsmap={None: CAP_12})
    add(root, "identifier", identifier, source)
    add(root, "sender", sender, source)
    add(root, "sent", time_to_cap(sent_ns, source, "sent_ns"), source)
    add(root, "status", "Exercise" if exercise else "Actual", source)
    add(root, "msgType", kind, source)
    add(root, "scope", "Public", source)
    if exercise:
        add(root, "note", "\n".join(words_in(language).note for language in languages), source)
    if references:
        add(root, "references", " ".join(references), source)
    return root


def _info(
    root: etree._Element,
    language: str,
    grades: tuple[str, str, str, str],
    times: Sequence[tuple[str, str]],
    wording: Wording,
    mark: str,
    source: str,
) -> etree._Element:
    """The <info> element, still without areas.

    grades: response type, urgency, severity, certainty.  mark: stands before each text, "" for a live one.
    """
    info = etree.SubElement(root, f"{{{CAP_12}}}info")
    add(info, "language", language, source)
    add(info, "category", "Security", source)
    add(info, "event", mark + wording.event, source)
    for name, value in zip(("responseType", "urgency", "severity", "certainty"), grades, strict=True):
        add(info, name, value, source)
    for name, value in times:
        add(info, name, value, source)
    add(info, "headline", mark + wording.headline, source)
    add(info, "description", mark + wording.description, source)
    add(info, "instruction", mark + wording.instruction, source)
    return info


def _finished(root: etree._Element, source: str) -> bytes:
    """The message's bytes, held against the structure first."""
    check_structure(root, source)
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return data
