"""Feeds name messages, by Atom or RSS; whatever else is in them is left where it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.formats.alert_feed import MOST_ENTRIES, FeedPage, read_feed, same_host
from jointwatch.records import BadInput

DATA = Path(os.environ["JOINTWATCH_DATA"]) / "cap" if "JOINTWATCH_DATA" in os.environ else None
HOME = "https://north.example/warnings/feed.atom"


def atom(*entries: str) -> bytes:
    inside = "".join(f"<entry><updated>2026-01-05T22:00:00Z</updated>{e}</entry>" for e in entries)
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{inside}</feed>'.encode()


def addresses(data: bytes, address: str = HOME) -> list[str]:
    page = read_feed(data, "feed", address)
    assert page is not None
    return [entry.address for entry in page.entries]


def test_an_atom_feed_names_its_messages() -> None:
    data = atom(
        '<content type="application/cap+xml" src="alerts/1.xml"/>',
        '<link rel="self" href="no"/><link type="application/cap+xml" href="/2.xml"/><link href="no"/>',
        '<link href="https://other.example/3"/>',
        '<link type="text/html" href="page.html"/>',
        "<title>nothing</title>",
    )
    north = "https://north.example"
    assert addresses(data) == [f"{north}/warnings/alerts/1.xml", f"{north}/2.xml", "https://other.example/3"]
    page = read_feed(data, "feed", HOME)
    assert page is not None and page.left_out == 2
    assert {entry.version for entry in page.entries} == {"2026-01-05T22:00:00Z"}


def test_a_base_moves_what_is_relative() -> None:
    data = atom('<link xml:base="cap/" href="1.xml"/>').replace(b"<feed", b'<feed xml:base="/x/"')
    assert addresses(data) == ["https://north.example/x/cap/1.xml"]


def test_an_rss_feed_names_its_messages() -> None:
    data = b"""<rss version="2.0"><channel><link>https://north.example/</link>
    <item><link>cap/1.xml</link><pubDate>Mon, 05 Jan 2026 22:00:00 GMT</pubDate><guid>g1</guid></item>
    <item><link>page</link><enclosure type="application/cap+xml" url="2.cap"/></item><item/>
    </channel></rss>"""
    page = read_feed(data, "feed", HOME)
    assert page is not None and page.left_out == 1
    assert page.entries[0] == (
        "https://north.example/warnings/cap/1.xml",
        "Mon, 05 Jan 2026 22:00:00 GMT g1",
    )
    assert page.entries[1].address.endswith("/2.cap")


@pytest.mark.parametrize(
    "href", ["file:///etc/passwd", "javascript:x", "ftp://a/b", "https://[", "http:///x", "https://é/", "#x"]
)
def test_an_address_that_is_not_of_the_web_is_none(href: str) -> None:
    page = read_feed(atom(f'<link href="{href}"/>'), "feed", "" if href == "#x" else HOME)
    assert page == FeedPage((), 1)


def test_a_long_feed_is_read_from_its_beginning() -> None:
    page = read_feed(atom(*(f'<link href="{n}"/>' for n in range(MOST_ENTRIES + 7))), "feed", HOME)
    assert page is not None and (len(page.entries), page.left_out) == (MOST_ENTRIES, 7)
    assert page.entries[0].address.endswith("/0")


def test_what_is_no_feed_and_what_is_hostile() -> None:
    assert read_feed(b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>', "feed", HOME) is None
    hostile = b'<!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + atom("&x;")
    for data in (hostile, b"<feed", b"\xff", b""):
        with pytest.raises(BadInput, match="feed"):
            read_feed(data, "feed", HOME)


@pytest.mark.skipif(DATA is None, reason="JOINTWATCH_DATA (cap samples) is not set")
def test_no_sample_is_a_feed_and_the_hostile_one_is_refused() -> None:
    assert DATA is not None
    with pytest.raises(BadInput, match="DOCTYPE"):
        read_feed((DATA / "xee.cap").read_bytes(), "xee.cap", HOME)
    assert read_feed((DATA / "canada.cap").read_bytes(), "canada.cap", HOME) is None


@pytest.mark.parametrize(
    ("address", "other", "same"),
    [
        ("https://a/x", "https://A:443/y", True),
        ("https://a/", "http://a/", True),  # better protected than it was
        ("http://a/", "https://a/", False),
        ("http://a:81/", "http://a/", False),
        ("http://b/", "http://a/", False),
    ],
)
def test_one_host(address: str, other: str, same: bool) -> None:
    assert same_host(address, other) is same


PIECES = st.sampled_from(
    "<feed xmlns='http://www.w3.org/2005/Atom'>|</feed>|<entry>|</entry>|<link href='a'/>|<rss><channel>|"
    "<item><link>|</link></item>|</channel></rss>|&x;|\x00|http://[|"
    "<content type='application/cap+xml' src='//'/>|<updated/>|<!-- -->|"
    "<link xml:base='http://[' href='x'/>".split("|")
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200), st.lists(PIECES, max_size=12).map(lambda parts: "".join(parts).encode())
    )
)
def test_whatever_comes_it_is_a_page_or_refused(data: bytes) -> None:
    try:
        page = read_feed(data, "feed", HOME)
    except BadInput:
        return
    assert page is None or all(e.address.startswith(("http://", "https://")) for e in page.entries)
