"""The structure of a Common Alerting Protocol message: which elements, in which order, with which words.

The OASIS schemas of CAP 1.1 (2005) and 1.2 (2010) as one table, so that what is read and what is written is
held against the same rules without shipping a schema.  An element tree goes in; `BadInput` naming the element
comes out if something is missing, unknown, out of order, repeated or outside its list of words.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from lxml import etree

from jointwatch.records import BadInput

NAMESPACES = {"urn:oasis:names:tc:emergency:cap:1.1": "1.1", "urn:oasis:names:tc:emergency:cap:1.2": "1.2"}
CAP_12 = "urn:oasis:names:tc:emergency:cap:1.2"
HEAD, HEAD_ENDS = 5, "msgType"
"""The first elements, each exactly once: identifier, sender, sent, status, msgType."""
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d", re.ASCII)
_TIME_11 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?([-+]\d\d:\d\d|Z)?", re.ASCII)


class Rule(NamedTuple):
    """One element of a sequence: how often it may stand there, its words if listed, its children if any."""

    name: str
    least: int = 0
    many: bool = False
    words: frozenset[str] | None = None
    children: tuple[Rule, ...] = ()
    time: bool = False


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAMED_VALUE = (Rule("valueName", 1), Rule("value", 1))
_AREA = (
    Rule("areaDesc", 1),
    Rule("polygon", many=True),
    Rule("circle", many=True),
    Rule("geocode", many=True, children=_NAMED_VALUE),
    Rule("altitude"),
    Rule("ceiling"),
)
_RESPONSES_11 = "Shelter Evacuate Prepare Execute Monitor Assess None"


def _alert_rules(version: str) -> tuple[Rule, ...]:
    """The children of <alert>: 1.2 adds two response types and makes a resource's mimeType compulsory."""
    responses = _RESPONSES_11 + (" Avoid AllClear" if version == "1.2" else "")
    resource = (
        Rule("resourceDesc", 1),
        Rule("mimeType", 1 if version == "1.2" else 0),
        *(Rule(name) for name in ("size", "uri", "derefUri", "digest")),
    )
    categories = "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other"
    info = (
        Rule("language"),
        Rule("category", 1, many=True, words=_words(categories)),
        Rule("event", 1),
        Rule("responseType", many=True, words=_words(responses)),
        Rule("urgency", 1, words=_words("Immediate Expected Future Past Unknown")),
        Rule("severity", 1, words=_words("Extreme Severe Moderate Minor Unknown")),
        Rule("certainty", 1, words=_words("Observed Likely Possible Unlikely Unknown")),
        Rule("audience"),
        Rule("eventCode", many=True, children=_NAMED_VALUE),
        *(Rule(name, time=True) for name in ("effective", "onset", "expires")),
        *(Rule(name) for name in ("senderName", "headline", "description", "instruction", "web", "contact")),
        Rule("parameter", many=True, children=_NAMED_VALUE),
        Rule("resource", many=True, children=resource),
        Rule("area", many=True, children=_AREA),
    )
    return (
        Rule("identifier", 1),
        Rule("sender", 1),
        Rule("sent", 1, time=True),
        Rule("status", 1, words=_words("Actual Exercise System Test Draft")),
        Rule("msgType", 1, words=_words("Alert Update Cancel Ack Error")),
        Rule("source"),
        Rule("scope", 1, words=_words("Public Restricted Private")),
        *(Rule(name) for name in ("restriction", "addresses")),
        Rule("code", many=True),
        *(Rule(name) for name in ("note", "references", "incidents")),
        Rule("info", many=True, children=info),
    )


_RULES = {version: _alert_rules(version) for version in NAMESPACES.values()}


def check_structure(root: etree._Element, source: str) -> str:
    """The CAP version ("1.1" or "1.2") of an <alert> whose structure is right; BadInput if it is not."""
    return _check_alert(root, source, None)


def check_head(root: etree._Element, source: str) -> str:
    """The CAP version of an <alert> that is right up to its `HEAD_ENDS`; BadInput if it is not.

    What follows is not looked at and may not be there yet.
    """
    return _check_alert(root, source, HEAD)


def _check_alert(root: etree._Element, source: str, least: int | None) -> str:
    """The version of an <alert> whose first `least` elements are right (None: all that there are)."""
    name = etree.QName(root)
    version = NAMESPACES.get(name.namespace or "")
    if name.localname != "alert" or version is None:
        raise BadInput(source, "alert", str(name.text), "an <alert> in the namespace of CAP 1.1 or 1.2")
    children = [child for child in root if child.tag != _SIGNATURE][:least]
    _check_children(children, _RULES[version][:least], name.namespace or "", version, source, "alert")
    for place in ("identifier", "sender"):
        # CAP 1.2, 3.2.1: so that a reference to the message can be told apart again
        value = child_text(root, place)
        if not value or re.search(r"[\s,<&]", value):
            raise BadInput(source, f"alert.{place}", value, "a name without space, comma, < or &")
    return version


def _check_children(
    children: list[etree._Element],
    rules: tuple[Rule, ...],
    namespace: str,
    version: str,
    source: str,
    place: str,
) -> None:
    """Walk the children along the rules: each takes as many as it may, then the next one's turn comes."""
    tags = [child.tag for child in children]
    at = 0
    for rule in rules:
        begun, tag = at, f"{{{namespace}}}{rule.name}"
        # a wide area has a code for each of its zones: what has text only is looked at here
        plain = rule.words is None and not rule.time and not rule.children
        while at < len(children) and tags[at] == tag:
            if at > begun and not rule.many:
                raise BadInput(source, f"{place}.{rule.name}", "a second one", "at most one")
            if not plain or len(children[at]):
                _check_element(children[at], rule, namespace, version, source, place)
            at += 1
        if at - begun < rule.least:
            found = f"<{etree.QName(children[at]).localname}>" if at < len(children) else "nothing"
            raise BadInput(source, f"{place}.{rule.name}", found, f"a <{rule.name}> here")
    if at < len(children):
        name = etree.QName(children[at])
        raise BadInput(
            source, f"{place}.{name.localname}", "an element that has no place here", f"CAP {version}"
        )


def _check_element(
    element: etree._Element, rule: Rule, namespace: str, version: str, source: str, place: str
) -> None:
    """The words, time or children of one element, which stands in `place`."""
    if rule.children:
        children = list(element)
        _check_children(children, rule.children, namespace, version, source, f"{place}.{rule.name}")
        return
    if len(element):
        found = f"<{etree.QName(element[0]).localname}> within it"
        raise BadInput(source, f"{place}.{rule.name}", found, "text only")
    if rule.words is not None or rule.time:
        text = (element.text or "").strip()
        if rule.words is not None and text not in rule.words:
            wanted = "one of " + ", ".join(sorted(rule.words))
            raise BadInput(source, f"{place}.{rule.name}", text, wanted)
        if rule.time:
            time_from_cap(text, version, source, f"{place}.{rule.name}")


def child_text(element: etree._Element, name: str) -> str:
    """The text of the child `name` in the element's own namespace, stripped; "" where there is none."""
    return (element.findtext(f"{{{etree.QName(element).namespace}}}{name}") or "").strip()


def time_to_cap(time_ns: int, source: str, place: str) -> str:
    """CAP's form of a time in UTC, whole seconds, rounded down.

    CAP 1.2, 3.3.2: the letter Z must not be used, and UTC is written -00:00.
    """
    try:
        moment = _EPOCH + timedelta(seconds=time_ns // 1_000_000_000)
    except OverflowError:
        raise BadInput(source, place, time_ns, "a time between the years 1 and 9999") from None
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}-00:00"


def time_from_cap(text: str, version: str, source: str, place: str) -> int:
    """Integer nanoseconds UTC of a CAP time.  1.1 also allows fractions and Z; without an offset: refused."""
    wanted = "a time such as 2026-01-05T22:00:00-00:00"
    if (_TIME if version == "1.2" else _TIME_11).fullmatch(text) is None:
        raise BadInput(source, place, text, wanted)
    try:
        moment = datetime.fromisoformat(text)
        since = moment - _EPOCH
        moment.astimezone(UTC)  # at an end of the calendar it may be of no year that can be told in UTC
    except (ValueError, OverflowError, TypeError):  # no such day, or no offset to tell UTC by
        raise BadInput(source, place, text, wanted) from None
    return since // timedelta(microseconds=1) * 1000


def check_degrees(longitude: float, latitude: float, source: str, place: str) -> None:
    """BadInput unless the point is on the Earth (a comparison with a NaN is false: it is refused too)."""
    if not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 180.0):
        raise BadInput(source, place, (longitude, latitude), "a longitude and latitude in degrees")
