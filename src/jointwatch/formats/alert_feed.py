"""Feeds of alerts: anybody's Atom or RSS document becomes the addresses of the CAP messages that it names.

In: bytes and the address that they came from; out: each entry's address and a word that changes when the
entry does.  Only what is needed to find messages is read: what a feed itself says of an alert is shown
nowhere, because nobody signed it.  Bytes are parsed by `formats.hostile_xml`.
References: RFC 4287 (Atom), RSS 2.0.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from lxml import etree

from jointwatch.formats.hostile_xml import parse_hostile, without_remarks
from jointwatch.records import BadInput

ATOM = "http://www.w3.org/2005/Atom"
CAP_TYPE = "application/cap+xml"
XML_TYPES = ("", "application/xml", "text/xml")
MOST_ENTRIES = 200
"""Entries that are read of one document, from its beginning: feeds put the newest there."""
MOST_ADDRESS = 1000
_BASE = "{http://www.w3.org/XML/1998/namespace}base"


class FeedEntry(NamedTuple):
    """Where a message is, and of what state: another version is to be read anew."""

    address: str
    version: str


class FeedPage(NamedTuple):
    """What a feed names: entries in its order, and how many more name no message or are too many."""

    entries: tuple[FeedEntry, ...]
    left_out: int


def read_feed(data: bytes, source: str, address: str) -> FeedPage | None:
    """What the feed in `data` names; None if it is well-formed XML and no feed (perhaps a message itself).

    address: where it came from, which relative addresses are relative to.  BadInput naming `source` if the
    bytes are not well-formed XML in UTF-8, or have a document type declaration.
    """
    root = without_remarks(parse_hostile(data, source))
    if root.tag == f"{{{ATOM}}}feed":
        found = [_atom_entry(entry, address) for entry in root.findall(f"{{{ATOM}}}entry")]
    elif root.tag == "rss":
        found = [_rss_item(item, address) for item in root.findall("channel/item")]
    else:
        return None
    entries = tuple(dict.fromkeys(entry for entry in found[:MOST_ENTRIES] if entry is not None))
    return FeedPage(entries, sum(entry is None for entry in found) + max(0, len(found) - MOST_ENTRIES))


def _atom_entry(entry: etree._Element, address: str) -> FeedEntry | None:
    """Content elsewhere, or a link, of CAP's type; else the alternate link, if it may be XML."""
    content = entry.find(f"{{{ATOM}}}content")
    links: list[etree._Element] = entry.findall(f"{{{ATOM}}}link")
    named = [
        (e, e.get("src", "")) for e in ([content] if content is not None else []) if _type(e) == CAP_TYPE
    ]
    named += [(e, e.get("href", "")) for e in links if _type(e) == CAP_TYPE]
    named += [
        (e, e.get("href", ""))
        for e in links
        if e.get("rel", "alternate") == "alternate" and _type(e) in XML_TYPES
    ]
    place = next(((e, text) for e, text in named if text.strip()), None)
    if place is None:
        return None
    return _entry(place[1], _base(place[0], address), entry.findtext(f"{{{ATOM}}}updated") or "")


def _rss_item(item: etree._Element, address: str) -> FeedEntry | None:
    """An enclosure of CAP's type, else the link."""
    enclosed = [e.get("url", "") for e in item.findall("enclosure") if _type(e) == CAP_TYPE]
    text = next((t for t in (*enclosed, item.findtext("link") or "") if t.strip()), "")
    version = f"{item.findtext('pubDate') or ''} {item.findtext('guid') or ''}"
    return _entry(text, _base(item, address), version) if text else None


def _type(element: etree._Element) -> str:
    return str(element.get("type", "")).partition(";")[0].strip().lower()


def _base(element: etree._Element, address: str) -> str:
    """What addresses in an element are relative to (XML Base)."""
    bases = [e.get(_BASE, "") for e in (*reversed(list(element.iterancestors())), element)]
    try:
        for base in bases:
            address = urljoin(address, base.strip())
    except ValueError:
        return ""
    return address


def _entry(text: str, base: str, version: str) -> FeedEntry | None:
    """The entry, if its address is one of the web; a part of a page (#...) is none of it."""
    try:
        address = urljoin(base, text.strip()).partition("#")[0]
        parts = urlsplit(address)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    if not is_web or len(address) > MOST_ADDRESS or not address.isascii() or not address.isprintable():
        return None
    return FeedEntry(address.replace(" ", "%20"), " ".join(version.split())[:MOST_ADDRESS])


def same_host(address: str, other: str) -> bool:
    """Whether two addresses are of one host and port, the first no less protected than the other.

    BadInput if one is no address.
    """
    try:
        a, b = urlsplit(address), urlsplit(other)
        ports = {"http": 80, "https": 443}
        one, two = (a.port or ports.get(a.scheme), b.port or ports.get(b.scheme))
    except ValueError:
        raise BadInput("feed", "address", address, "an address of the web") from None
    if (a.hostname or "").lower() != (b.hostname or "").lower():
        return False
    upgraded = (b.scheme, two, a.scheme, one) == ("http", 80, "https", 443)
    return upgraded or (a.scheme == b.scheme and one == two)
