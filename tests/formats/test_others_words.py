"""Others' alerts on a line: their own words, and nothing in them that is no word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jointwatch.formats.others_words import LONGEST, headline, one_line, places, vouched
from jointwatch.records import CapArea, Header, OthersAlert


def alert(*headlines: tuple[str, str], areas: tuple[str, ...] = (), verified_by: str = "") -> OthersAlert:
    return OthersAlert(
        header=Header(originator="A", source="a", sequence=1, measured_ns=0), feed="f", sender="s",
        identifier="i", status="Exercise", kind="Alert", scope="Public", sent_ns=0, expires_ns=1,
        event="Storm", headlines=headlines, areas=tuple(CapArea(description=a) for a in areas),
        verified_by=verified_by,
    )  # fmt: skip


def test_english_first_then_the_first_language_then_the_event() -> None:
    assert headline(alert(("de-DE", "Sturm"), ("en-GB", "Gale"))) == "Gale"
    assert headline(alert(("de-DE", "Sturm"), ("fr-FR", "Orage"))) == "Sturm"
    assert headline(alert()) == "Storm"


def test_places_are_named_once_and_few() -> None:
    assert places(alert(areas=("Hills", "Coast", "Hills"))) == "Hills, Coast"
    assert places(alert(areas=tuple("abcdefgh"))) == "a, b, c, d, e, f, and 2 more"
    assert places(alert()) == ""


def test_who_vouches() -> None:
    assert vouched(alert(verified_by="ab" * 32)) == "signed (certificate abababababababab)"
    assert "nobody vouches" in vouched(alert())


@given(st.text(max_size=1000))
def test_a_line_is_a_line(text: str) -> None:
    line = one_line(text)
    assert line.isprintable() and len(line) <= LONGEST
    assert one_line("a\x1b[2J\u202eb\nc") == "a [2J b c"
