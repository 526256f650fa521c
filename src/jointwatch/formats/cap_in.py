"""CAP 1.1 and 1.2 messages in: anybody's bytes become a `CapMessage`, or `BadInput` names what is wrong.

Bytes are parsed by `formats.hostile_xml`; structure and words are held against `formats.cap_structure`.
Reference: OASIS, Common Alerting Protocol Version 1.2 (1 July 2010), section 3.
"""

from __future__ import annotations

import re

from lxml import etree
from msgspec import Struct
from msgspec.structs import asdict

from jointwatch.formats.cap_structure import (
    HEAD_ENDS,
    check_degrees,
    check_head,
    check_structure,
    child_text,
    time_from_cap,
)
from jointwatch.formats.hostile_xml import parse_beginning, parse_hostile, without_remarks
from jointwatch.records import BadInput, CapArea, CapReference

_NUMBER = r"[+-]?[0-9]{1,3}(?:\.[0-9]{0,20})?"
_POINT = re.compile(rf"({_NUMBER}),({_NUMBER})")
_CIRCLE = re.compile(rf"({_NUMBER}),({_NUMBER})\s+([0-9]{{1,6}}(?:\.[0-9]{{0,20}})?)")


class CapInfo(Struct, frozen=True, kw_only=True):
    """What is said in one language; a time that is not given is None, a text that is not given is ""."""

    language: str
    categories: tuple[str, ...]
    event: str
    responses: tuple[str, ...]
    urgency: str
    severity: str
    certainty: str
    effective_ns: int | None
    onset_ns: int | None
    expires_ns: int | None
    sender_name: str
    headline: str
    description: str
    instruction: str
    areas: tuple[CapArea, ...]


class CapHead(Struct, frozen=True, kw_only=True):
    """What a CAP message begins with."""

    version: str
    identifier: str
    sender: str
    sent_ns: int
    status: str
    message_type: str


class CapMessage(CapHead, frozen=True, kw_only=True):
    """The essential fields of a CAP message."""

    scope: str
    note: str
    references: tuple[CapReference, ...]
    infos: tuple[CapInfo, ...]


def read_cap(data: bytes, source: str) -> CapMessage:
    """The CAP 1.1 or 1.2 message in `data` (UTF-8); BadInput naming `source` and the element if it is none.

    A signature is not checked here (`formats.xml_signature`).
    """
    root = without_remarks(parse_hostile(data, source))
    version = check_structure(root, source)
    return CapMessage(
        **asdict(_head(root, version, source)),
        scope=child_text(root, "scope"),
        note=child_text(root, "note"),
        references=_references(child_text(root, "references"), version, source),
        infos=tuple(_read_info(info, version, source) for info in _children(root, "info")),
    )


def read_head(data: bytes, source: str) -> CapHead:
    """What the message in `data` begins with; BadInput naming `source` if it begins as none.

    For who must know whose it is and of when before it is worth the time to read: that takes a millisecond,
    a message with a country's outline a third of a second.  Of what follows nothing is known, not even
    whether it is XML.
    """
    root = parse_beginning(data, source, HEAD_ENDS)
    return _head(root, check_head(root, source), source)


def _head(root: etree._Element, version: str, source: str) -> CapHead:
    return CapHead(
        version=version,
        identifier=child_text(root, "identifier"),
        sender=child_text(root, "sender"),
        sent_ns=time_from_cap(child_text(root, "sent"), version, source, "alert.sent"),
        status=child_text(root, "status"),
        message_type=child_text(root, "msgType"),
    )


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    children: list[etree._Element] = element.findall(f"{{{etree.QName(element).namespace}}}{name}")
    return children


def _texts(element: etree._Element, name: str) -> tuple[str, ...]:
    return tuple((child.text or "").strip() for child in _children(element, name))


def _references(text: str, version: str, source: str) -> tuple[CapReference, ...]:
    """Earlier messages from "sender,identifier,sent sender,identifier,sent ..."."""
    references = []
    for triple in text.split():
        parts = triple.split(",")
        if len(parts) != 3 or not all(parts):
            raise BadInput(source, "alert.references", triple, "sender,identifier,sent")
        sent_ns = time_from_cap(parts[2], version, source, "alert.references")
        references.append(CapReference(sender=parts[0], identifier=parts[1], sent_ns=sent_ns))
    return tuple(references)


def _read_info(info: etree._Element, version: str, source: str) -> CapInfo:
    def time_ns(name: str) -> int | None:
        text = child_text(info, name)
        return time_from_cap(text, version, source, f"alert.info.{name}") if text else None

    return CapInfo(
        language=child_text(info, "language") or "en-US",
        categories=_texts(info, "category"),
        event=child_text(info, "event"),
        responses=_texts(info, "responseType"),
        urgency=child_text(info, "urgency"),
        severity=child_text(info, "severity"),
        certainty=child_text(info, "certainty"),
        effective_ns=time_ns("effective"),
        onset_ns=time_ns("onset"),
        expires_ns=time_ns("expires"),
        sender_name=child_text(info, "senderName"),
        headline=child_text(info, "headline"),
        description=child_text(info, "description"),
        instruction=child_text(info, "instruction"),
        areas=tuple(_read_area(area, source) for area in _children(info, "area")),
    )


def _read_area(area: etree._Element, source: str) -> CapArea:
    geocodes = tuple((child_text(g, "valueName"), child_text(g, "value")) for g in _children(area, "geocode"))
    return CapArea(
        description=child_text(area, "areaDesc"),
        polygons=tuple(_read_polygon(text, source) for text in _texts(area, "polygon")),
        circles=tuple(_read_circle(text, source) for text in _texts(area, "circle")),
        geocodes=geocodes,
    )


def _read_polygon(text: str, source: str) -> tuple[tuple[float, float], ...]:
    place = "alert.info.area.polygon"
    ring = []
    for pair in text.split():
        match = _POINT.fullmatch(pair)
        if match is None:
            raise BadInput(source, place, pair, "latitude,longitude in degrees")
        latitude, longitude = float(match[1]), float(match[2])
        check_degrees(longitude, latitude, source, place)
        ring.append((longitude, latitude))
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise BadInput(source, place, f"{len(ring)} points", "at least four, the last one equal to the first")
    return tuple(ring)


def _read_circle(text: str, source: str) -> tuple[float, float, float]:
    place = "alert.info.area.circle"
    match = _CIRCLE.fullmatch(text)
    if match is None:
        raise BadInput(source, place, text, "latitude,longitude in degrees and a radius in km")
    latitude, longitude = float(match[1]), float(match[2])
    check_degrees(longitude, latitude, source, place)
    return longitude, latitude, float(match[3]) * 1000.0
