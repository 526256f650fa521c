"""Warnings in several languages: each says the same, and no text of an exercise looks live in any."""

from __future__ import annotations

import itertools
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from jointwatch.formats.cap import FEW_ZONES, advisory_to_cap, alert_to_cap, read_cap
from jointwatch.formats.cap_structure import CAP_12
from jointwatch.records import Advisory, Alert, BadInput, Header, Zone
from jointwatch.warning.words import all_words, words_in

START_NS = int(datetime(2026, 1, 5, 22, 0, tzinfo=UTC).timestamp()) * 10**9
SENDER = "amber.jointwatch.example"
LANGUAGES = ("he-IL", "ar", "en-US")
MARKS = {"he-IL": "תרגיל: ", "ar": "تمرين: ", "en-US": "EXERCISE: "}
SCHEMA = Path(os.environ.get("JOINTWATCH_DATA", ".")) / "cap" / "cap12.xsd"
HEADER = Header(originator="Amber", source="amber-node", sequence=1, measured_ns=START_NS)
SQUARE = ((35.0, 32.0), (35.1, 32.0), (35.1, 32.1), (35.0, 32.1), (35.0, 32.0))
ZONES = (
    Zone(
        key="north",
        name="Northfield",
        names=(("he", "שדה צפון"), ("ar", "حقل الشمال")),
        partner="Amber",
        longitude_deg=35.05,
        latitude_deg=32.05,
        shelter_s=30,
        rings=(SQUARE,),
    ),
    Zone(
        key="harbour",
        name="Harbour site",
        partner="Amber",
        longitude_deg=50.25,
        latitude_deg=26.5,
        shelter_s=30,
        radius_m=2500.0,
    ),
    *(
        Zone(
            key=f"v{i}",
            name=f"Village {i}",
            partner="Amber",
            longitude_deg=35.3 + i / 10,
            latitude_deg=32.0,
            shelter_s=60,
            radius_m=900.0,
        )
        for i in range(FEW_ZONES + 3)
    ),
)
FEW = ("north", "harbour")
MANY = tuple(zone.key for zone in ZONES)


def alert(action: str = "alert", tier: str = "shelter", **changes: object) -> Alert:
    values: dict[str, object] = {
        "header": HEADER,
        "identifier": "AMBER-1",
        "action": action,
        "tier": tier,
        "partner": "Amber",
        "zones": FEW,
        "sent_ns": START_NS,
        "impact_ns": START_NS + 300 * 10**9,
        "evidence": (("AMBER-0012", 0.95),),
        "reason": "launched from Ochre at 33.10 N",
    }
    return Alert(**{**values, **changes})  # type: ignore[arg-type]


def follow_up(first: Alert, action: str, **changes: object) -> Alert:
    values = {"identifier": "AMBER-2", "references": (first.identifier,), "sent_ns": START_NS + 60 * 10**9}
    return alert(action, first.tier, exercise=first.exercise, **{**values, **changes})


def advisory(**changes: object) -> Advisory:
    values: dict[str, object] = {
        "header": HEADER,
        "identifier": "AMBER-ADV-1",
        "partner": "Amber",
        "places": ("Harbour site", "Northfield"),
        "valid_from_ns": START_NS,
        "valid_to_ns": START_NS + 86_400 * 10**9,
        "headline": "Take care",
        "text": "In this period fire is likelier than usual.",
        "drafted_by": "analyst",
        "reviewed_by": "duty officer",
    }
    return Advisory(**{**values, **changes})  # type: ignore[arg-type]


def every_message(exercise: bool, languages: tuple[str, ...] = LANGUAGES) -> list[bytes]:
    """Every kind: both tiers, few zones and many, each action, new zones beside old ones, an advisory."""
    out = []
    for tier, told in itertools.product(("early", "shelter"), (FEW, MANY)):
        first = alert(tier=tier, zones=told, exercise=exercise)
        out.append(alert_to_cap(first, ZONES, SENDER, languages=languages))
        for action, zones in itertools.product(("update", "cancel", "all_clear"), (told, told[:1])):
            message = follow_up(first, action, zones=zones)
            out.append(alert_to_cap(message, ZONES, SENDER, [first], languages))
        more = follow_up(first, "update", zones=("v0", "v1"))
        out.append(alert_to_cap(more, ZONES, SENDER, [first], languages))
    worded = advisory(exercise=exercise, words=(("he-IL", "כותרת", "נוסח."),))
    out.append(advisory_to_cap(worded, SENDER, languages=languages))
    for action in ("update", "cancel"):
        later = msgspec.structs.replace(
            worded, action=action, identifier="AMBER-ADV-2", references=(worded.identifier,), words=()
        )
        out.append(advisory_to_cap(later, SENDER, [worded], languages))
    return out


def texts(message: bytes) -> list[tuple[str, str, str]]:
    """(language, element, text) of every text that is for people to read; a note's lines one by one."""
    root = etree.fromstring(message)
    ns = {"c": CAP_12}
    note = root.findtext("c:note", namespaces=ns)
    infos = root.findall("c:info", ns)
    languages = list(dict.fromkeys(str(info.findtext("c:language", namespaces=ns)) for info in infos))
    out = []
    if note is not None:
        out += [(tag, "note", line) for tag, line in zip(languages, note.split("\n"), strict=True)]
    for info in infos:
        for element in info.iter():
            name = etree.QName(element).localname
            if name in ("event", "headline", "description", "instruction", "areaDesc"):
                out.append((str(info.findtext("c:language", namespaces=ns)), name, element.text or ""))
    return out


def test_no_text_of_an_exercise_is_without_its_mark_in_its_own_language() -> None:
    seen = set()
    for message in every_message(exercise=True):
        for language, name, text in texts(message):
            mark = MARKS[language].removesuffix(": ") + "." if name == "note" else MARKS[language]
            assert text.startswith(mark), (language, name, text)
            seen.add((language, name))
    names = ("note", "event", "headline", "description", "instruction", "areaDesc")
    assert seen == set(itertools.product(LANGUAGES, names))


def test_no_text_of_a_live_message_has_the_mark_of_any_language() -> None:
    for message in every_message(exercise=False):
        assert read_cap(message, "live").status == "Actual"
        assert not any(mark.removesuffix(": ") in message.decode() for mark in MARKS.values())
        assert len(texts(message)) >= 3 * 5


@pytest.mark.skipif(not SCHEMA.is_file(), reason="JOINTWATCH_DATA (cap schemas and samples) is not set")
def test_every_kind_is_valid_by_the_oasis_schema_in_every_choice_of_languages() -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    for count in (1, 2, 3):
        for languages in itertools.permutations(LANGUAGES, count):
            for message in every_message(exercise=count != 2, languages=languages):
                schema.assertValid(etree.fromstring(message))


def test_each_block_stands_once_in_each_language_in_their_order() -> None:
    first = alert()
    message = follow_up(first, "update", zones=("v0",))
    read = read_cap(alert_to_cap(message, ZONES, SENDER, [first], LANGUAGES), "ours")
    assert [info.language for info in read.infos] == [*LANGUAGES, *LANGUAGES]
    for start in (0, 3):
        said = [msgspec.to_builtins(info) for info in read.infos[start : start + 3]]
        for info in said:
            for key in ("language", "event", "headline", "description", "instruction"):
                del info[key]
            for area in info["areas"]:
                del area["description"]
        assert said[0] == said[1] == said[2], "all but the words is the same"
        assert said[0]["areas"]


def test_nothing_is_left_to_fill_in_and_words_are_in_the_letters_of_their_language() -> None:
    letters = {"he-IL": "[\u05d0-\u05ea]", "ar": "[\u0621-\u064a]", "en-US": "[A-Za-z]"}
    for message in every_message(exercise=True):
        for language, _, text in texts(message):
            assert "{" not in text and "}" not in text
            assert re.search(letters[language], text)
            # a Latin name or UTC may stand in any of them, words of another's script in none
            assert not any(re.search(letters[other], text) for other in {"he-IL", "ar"} - {language})


def test_a_zone_has_its_name_in_the_language_or_else_the_one_it_has() -> None:
    read = read_cap(alert_to_cap(alert(exercise=False), ZONES, SENDER, languages=LANGUAGES), "ours")
    named = [[area.description for area in info.areas] for info in read.infos]
    assert named == [
        ["שדה צפון", "Harbour site"],
        ["حقل الشمال", "Harbour site"],
        ["Northfield", "Harbour site"],
    ]


def test_who_is_warned_anew_is_not_told_that_an_old_warning_stands() -> None:
    first = alert(zones=("north",))
    again = follow_up(first, "update", zones=("north",))
    wider = follow_up(first, "update", zones=("north", "harbour"))
    early = alert(tier="early")
    raised = msgspec.structs.replace(follow_up(early, "update"), tier="shelter")

    def headlines(message: Alert, before: Alert) -> list[str]:
        read = read_cap(alert_to_cap(message, ZONES, SENDER, [before]), "ours")
        return [info.headline.removeprefix("EXERCISE: ") for info in read.infos]

    words = words_in("en-US")
    assert headlines(again, first) == [words.shelter_update.headline]
    assert headlines(wider, first) == [words.shelter.headline]
    assert headlines(raised, early) == [words.shelter.headline]
    apart = follow_up(first, "update", zones=("harbour",))
    assert headlines(apart, first) == [words.shelter.headline, words.shelter_update.headline]


def test_the_time_to_shelter_is_told_only_where_all_zones_share_it_and_have_it() -> None:
    def instruction(**changes: object) -> str:
        data = alert_to_cap(alert(**changes), ZONES, SENDER)
        return read_cap(data, "ours").infos[0].instruction

    told = "You have 30 seconds to reach shelter."
    assert told in instruction()
    assert "second" not in instruction(zones=("north", "v0")), "30 s and 60 s"
    assert "second" not in instruction(impact_ns=START_NS + 29 * 10**9), "there is less"
    assert told in instruction(impact_ns=START_NS + 30 * 10**9)
    assert "second" not in instruction(tier="early")


def test_an_advisory_is_told_in_its_writers_words_or_else_in_set_ones() -> None:
    worded = advisory(words=(("he-IL", "כותרת", "נוסח."),), exercise=False)
    read = read_cap(advisory_to_cap(worded, SENDER, languages=("en-US", "he-IL", "ar")), "ours")
    english, hebrew, arabic = read.infos
    assert (english.headline, english.description) == (worded.headline, worded.text)
    assert (hebrew.headline, hebrew.description) == ("כותרת", "נוסח.")
    assert arabic.headline == words_in("ar").advisory.headline
    assert "Harbour site، Northfield" in arabic.description and "22:00 UTC" in arabic.description
    for info in read.infos:
        assert info.instruction == words_in(info.language).advisory.instruction
        assert [area.description for area in info.areas] == ["Harbour site", "Northfield"]


def test_no_origin_evidence_or_reason_leaves_in_any_language() -> None:
    for message in every_message(exercise=True):
        assert not any(word in message.decode() for word in ("Ochre", "33.10", "AMBER-0012"))


@pytest.mark.parametrize("languages", [("fr",), ("en-US", "xx"), (), ("ar", "ar")])
def test_an_unknown_language_is_refused(languages: tuple[str, ...]) -> None:
    for write in (
        lambda: alert_to_cap(alert(), ZONES, SENDER, languages=languages),
        lambda: advisory_to_cap(advisory(), SENDER, languages=languages),
    ):
        with pytest.raises(BadInput) as refused:
            write()
        assert refused.value.field == "languages"


def test_an_advisory_of_an_older_journal_is_read() -> None:
    old = {key: value for key, value in msgspec.to_builtins(advisory()).items() if key != "words"}
    assert msgspec.convert(old, Advisory) == advisory()


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.sampled_from(sorted(all_words())), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from(MANY), min_size=1, unique=True),
    st.sampled_from(["early", "shelter"]),
    st.integers(0, 10**9),
    st.booleans(),
)
def test_whatever_is_sent_in_any_languages_can_be_read(
    languages: list[str], zones: list[str], tier: str, after_s: int, exercise: bool
) -> None:
    sent = alert(tier=tier, zones=tuple(zones), impact_ns=START_NS + after_s * 10**9, exercise=exercise)
    read = read_cap(alert_to_cap(sent, ZONES, SENDER, languages=languages), "ours")
    assert [info.language for info in read.infos] == languages
    for info in read.infos:
        mark = MARKS[info.language] if exercise else ""
        assert info.headline == mark + getattr(words_in(info.language), tier).headline
        assert sorted(code for area in info.areas for _, code in area.geocodes) == sorted(zones)
