"""The set sentences of warnings: whole, in their own letters, and nothing left to fill in."""

from __future__ import annotations

import re
import tomllib
import typing
from datetime import UTC, datetime
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from jointwatch.records import BadInput
from jointwatch.warning.words import (
    Kind,
    Language,
    Wording,
    advisory_wording,
    alert_wording,
    all_words,
    check_languages,
    read_words,
    said_seconds,
    words_in,
)

SHIPPED = (files("jointwatch.warning") / "data" / "words.toml").read_bytes()
KINDS: tuple[Kind, ...] = typing.get_args(Kind)
WINDOW_NS = tuple(int(datetime(2026, 1, day, 22, 5, tzinfo=UTC).timestamp()) * 10**9 for day in (5, 20))
LANGUAGES = ("en-US", "he-IL", "ar")
LETTERS = {"en-US": "A-Za-z", "he-IL": "\u05d0-\u05ea", "ar": "\u0621-\u0652"}


def every_wording(language: str, seconds: int | None = 30) -> list[Wording]:
    said = [alert_wording(language, kind, "22:05:30", seconds) for kind in KINDS]
    advisories = [advisory_wording(language, ("7", "8"), WINDOW_NS, "test", gone) for gone in (False, True)]
    return [*said, *advisories]


def test_the_languages_are_english_hebrew_and_arabic_in_this_order() -> None:
    assert tuple(all_words()) == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_of_its_languages_own_letters_with_nothing_left_to_fill_in(language: str) -> None:
    words = words_in(language)
    filled = words.many_zones.format(count="1,390")
    texts = [text for wording in every_wording(language) for text in astuple(wording)]
    for text in [*texts, words.mark, words.note, filled, *words.months]:
        assert not re.search(r"[{}]", text)
        assert re.search(f"[{LETTERS[language]}]", text)
        letters = re.sub(r"[\W\d_]", "", text.replace("UTC", ""))
        # combining marks (the Arabic tanwin) are not \w, and are dropped with the punctuation
        assert re.fullmatch(f"[{LETTERS[language]}]+", letters), text


def test_no_text_is_that_of_another_kind_or_language() -> None:
    headlines = [wording.headline for language in LANGUAGES for wording in every_wording(language)]
    assert len(headlines) == len(set(headlines)) == 3 * (len(KINDS) + 2)


@pytest.mark.parametrize("language", LANGUAGES)
def test_times_places_and_seconds_are_told_where_they_belong(language: str) -> None:
    for kind in KINDS:
        wording = alert_wording(language, kind, "22:05:30", 45)
        told = kind in ("early", "early_update", "shelter", "shelter_update")
        assert ("22:05:30 UTC" in wording.description) == told
        assert "45" in wording.instruction and "45" not in alert_wording(language, kind).instruction
    advisory = advisory_wording(language, ("Harbour", "Airfield", "Mill"), WINDOW_NS, "test").description
    assert advisory.index("Harbour") < advisory.index("Airfield") < advisory.index("Mill")
    for day in ("5", "20"):
        assert re.search(rf"\b{day} {words_in(language).months[0]} 2026\W+22:05 UTC", advisory)


@pytest.mark.parametrize("language", ["he-IL", "ar"])
def test_what_runs_from_left_to_right_within_them_is_isolated(language: str) -> None:
    """UAX 9: else a time and its UTC, or foreign names, are ordered by the words about them."""
    for wording in every_wording(language):
        for text in astuple(wording):
            assert text.count("\u2066") + text.count("\u2068") == text.count("\u2069")
            outside = re.sub("[\u2066\u2068][^\u2069]*\u2069", "", text)
            assert not re.search(r"[A-Za-z:]\d|\d[A-Za-z:]|[A-Za-z]", outside)


def test_a_place_with_braces_is_told_as_it_is() -> None:
    assert "{start} {0}" in advisory_wording("ar", ("{start} {0}",), WINDOW_NS, "test").description


@pytest.mark.parametrize(
    ("shelter_s", "left_s", "said"),
    [
        ([30.0, 30.0], 100.0, 30),
        ([30.0, 45.0], 100.0, None),  # it belongs to a zone, not to a message
        ([90.0], 89.0, None),  # warned late: there is less
        ([90.0], 90.0, 90),
        ([0.0], 100.0, None),
        ([14.0], 100.0, None),
        ([50.0], 100.0, 45),
        ([100.0], 100.0, 90),
        ([180.0], 500.0, 180),
        ([600.0], 900.0, None),
        ([], 100.0, None),
    ],
)
def test_the_time_to_shelter_is_told_only_where_it_is_true_for_all(
    shelter_s: list[float], left_s: float, said: int | None
) -> None:
    assert said_seconds(shelter_s, left_s) == said


@given(st.floats(0.0, 1e4), st.floats(-1e4, 1e4))
def test_no_more_seconds_are_told_than_there_are(shelter_s: float, left_s: float) -> None:
    said = said_seconds([shelter_s], left_s)
    assert said is None or (15 <= said <= min(shelter_s, left_s) and said % 15 == 0)


def test_an_unknown_language_is_refused_and_the_known_ones_named() -> None:
    for languages, found in ((["en-US", "fr"], "fr"), ([], "none"), (["ar", "ar"], "ar"), (["en"], "en")):
        with pytest.raises(BadInput) as refused:
            check_languages(languages, "here", "languages")
        assert (refused.value.source, refused.value.field, refused.value.found) == (
            "here",
            "languages",
            found,
        )
    with pytest.raises(BadInput, match="en-US, he-IL, ar"):
        alert_wording("xx", "early")


def keys() -> list[str]:
    """Dotted keys of everything that one language must say."""
    table = tomllib.loads(SHIPPED.decode())["he-IL"]
    return [
        dotted
        for key, value in table.items()
        for dotted in ([f"{key}.{name}" for name in value] if isinstance(value, dict) else [key])
    ]


def without(language: str, dotted: str) -> bytes:
    """The shipped file less one key of one language."""
    *tables, name = f"{language}.{dotted}".split(".")
    head = f"[{'.'.join(tables)}]"
    before, after = SHIPPED.decode().split(head + "\n")
    return f"{before}{head}\n{re.sub(rf'^{name} = .*$', '', after, count=1, flags=re.MULTILINE)}".encode()


def test_a_sentence_that_is_missing_is_named_with_its_language() -> None:
    assert len(keys()) == 9 + 10 * 4 == len(Language.__struct_fields__) + 10 * 3
    for language in LANGUAGES:
        for key in keys():
            with pytest.raises(BadInput) as refused:
                read_words(without(language, key), "words.toml")
            assert refused.value.field == f"{language}.{key}"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('clock = "\\u2066{time} UTC\\u2069"', 'clock = "UTC"', "he-IL.clock"),
        ("החל מהשעה {clock}", "החל מהשעה {time}", "he-IL.early.description"),
        ("החל מהשעה {clock}", "החל מהשעה {clock} {clock}", "he-IL.early.description"),
        ("החל מהשעה {clock}", "החל מהשעה {clock:>9}", "he-IL.early.description"),
        ("החל מהשעה {clock}", "החל מהשעה {clock!r}", "he-IL.early.description"),
        ("החל מהשעה {clock}", "החל מהשעה {{clock}} {clock}", "he-IL.early.description"),
        ("החל מהשעה {clock}", "החל מהשעה {clock", "he-IL.early.description"),
        ("התקרבו עכשיו", "{origin} התקרבו עכשיו", "he-IL.early.instruction"),
        ('"תרגיל: "', '"תרגיל:"', "he-IL.mark"),
        ('"תרגיל: "', '""', "he-IL.mark"),
        ('"תרגיל: "', '"   "', "he-IL.mark"),
        ('"תרגיל: "', "5", "he-IL.mark"),
        ('"בינואר", ', "", "he-IL.months"),
        ('"בינואר"', '" "', "he-IL.months[0]"),
        ('"תרגיל. זה', '" תרגיל. זה', "he-IL.note"),
        ('"תרגיל. זה', '"תרגיל.\\nזה', "he-IL.note"),
        ("[he-IL]", '[he-IL]\nreason = "{reason}"', "he-IL.reason"),
        ("[he-IL.early]", '[he-IL.early]\norigin = "x"', "he-IL.early.origin"),
        ("[en-US", "[en-GB", "en-US"),
        ("[en-US]", 'ru = "x"\n[en-US]', "ru"),
        ("[ar]", "[ar", "file"),
    ],
)
def test_a_broken_file_is_refused_with_language_and_key(old: str, new: str, field: str) -> None:
    text = SHIPPED.decode()
    assert old in text
    broken = text.replace(old, new) if old == "[en-US" else text.replace(old, new, 1)
    with pytest.raises(BadInput) as refused:
        read_words(broken.encode(), "words.toml")
    assert refused.value.field == field, str(refused.value)


def test_a_file_in_another_encoding_is_refused() -> None:
    with pytest.raises(BadInput, match="UTF-8"):
        read_words(SHIPPED.decode().encode("utf-16"), "words.toml")


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_still_says_every_sentence(data: st.DataObject) -> None:
    sample = bytearray(SHIPPED)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(sample) - 1))
        length = data.draw(st.integers(0, 8))
        sample[at : at + length] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"{", b"}", b'"', b"\n", b"[ar]", b"{0}"])
        )
    try:
        words = read_words(bytes(sample), "fuzz")
    except BadInput:
        return
    for language in words.values():
        language.moment.format(day=1, month=language.months[11], year=2026, time="22:05")
        language.shelter.description.format(clock=language.clock.format(time="22:05:30"))
        language.advisory.description.format(start="a", end="b", places="c")
