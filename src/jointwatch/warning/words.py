"""The set sentences of warnings, in every language that they may leave in.

In: `data/words.toml`, read once and checked whole, and what a warning may tell: its kind, a time, a round
number of seconds, the places and the period of an advisory.  Out: `Wording`, the four texts of one message in
one language.  What leaves here must never carry an origin or a piece of evidence, so nothing but these goes
in, and no text but the file's comes out; the mark of an exercise is the file's too (`formats.cap` sets it).
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from string import Formatter
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import asdict

from jointwatch.records.documents import convert
from jointwatch.records.errors import BadInput

OWN_LANGUAGE = "en-US"
"""The language in which people word an advisory first, and the one where no other is asked for."""
LEAST_SAID_S, MOST_SAID_S = 15, 180
"""A time to shelter below the first is said by "now"; beyond the second nobody needs the number."""

Kind = Literal[
    "early",
    "early_update",
    "early_withdrawn",
    "early_ended",
    "shelter",
    "shelter_update",
    "shelter_withdrawn",
    "all_clear",
]
"""What a message says to the zones it names; an update is for zones that were told the same before."""

Text = Annotated[str, Meta(min_length=1)]


class Wording(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The texts of one message in one language."""

    event: Text
    headline: Text
    description: Text
    instruction: Text


class Language(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All sentences of one language.

    mark: stands before every text of an exercise that may be read alone; note: says the same of a message.
    clock, moment: a time of day and one of a day, in UTC; comma, last_comma: between places of a list.
    many_zones: names an area of very many.  time_to_shelter: a sentence before a take-shelter instruction.
    """

    mark: Text
    note: Text
    clock: Text
    moment: Text
    months: Annotated[tuple[Text, ...], Meta(min_length=12, max_length=12)]
    comma: Text
    last_comma: Text
    many_zones: Text
    time_to_shelter: Text
    early: Wording
    early_update: Wording
    early_withdrawn: Wording
    early_ended: Wording
    shelter: Wording
    shelter_update: Wording
    shelter_withdrawn: Wording
    all_clear: Wording
    advisory: Wording
    advisory_withdrawn: Wording


_FILLED: dict[str, frozenset[str]] = {
    "clock": frozenset({"time"}),
    "moment": frozenset({"day", "month", "year", "time"}),
    "many_zones": frozenset({"count"}),
    "time_to_shelter": frozenset({"seconds"}),
    "early.description": frozenset({"clock"}),
    "early_update.description": frozenset({"clock"}),
    "shelter.description": frozenset({"clock"}),
    "shelter_update.description": frozenset({"clock"}),
    "advisory.description": frozenset({"start", "end", "places"}),
    "advisory_withdrawn.description": frozenset({"places"}),
}
"""What is filled into which text; every other text has no braces."""
_JOINING = ("mark", "comma", "last_comma")
"""Texts that others stand directly beside: a space at their end (or beginning) is meant."""


def read_words(data: bytes, source: str) -> dict[str, Language]:
    """Every language of a file of sentences by its tag, in the file's order.

    BadInput names the language and the key where one is missing, unknown, empty or of several lines, or has
    other braces than what is filled in there.
    """
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadInput(source, f"byte {error.start}", "not UTF-8", "a TOML file in UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(source, "file", str(error), "a well-formed TOML file") from None
    if OWN_LANGUAGE not in document:
        raise BadInput(source, OWN_LANGUAGE, "nothing", "the sentences of this language")
    words = {}
    for tag, table in document.items():
        if not isinstance(table, dict):
            raise BadInput(source, tag, table, "the table of a language")
        try:
            words[tag] = convert(table, Language, source)
        except BadInput as error:
            raise BadInput(source, f"{tag}.{error.field}", error.found, error.wanted) from None
        _check_texts(words[tag], source, tag)
    return words


def _check_texts(language: Language, source: str, tag: str) -> None:
    """BadInput if a text is no line of words, or has other braces than those that are filled."""
    if not language.mark.endswith(" "):
        raise BadInput(source, f"{tag}.mark", language.mark, "a space at its end, before what it marks")
    for key, text in _texts(language):
        if len(text.splitlines()) != 1 or not text.strip() or (key not in _JOINING and text != text.strip()):
            raise BadInput(source, f"{tag}.{key}", repr(text), "one line of words, no space about it")
        filled = _FILLED.get(key, frozenset())
        wanted = "with " + ", ".join(f"{{{name}}}" for name in sorted(filled)) if filled else "without braces"
        try:
            parts = [part for part in Formatter().parse(text) if part[1] is not None]
        except ValueError:  # a brace that stands alone
            raise BadInput(source, f"{tag}.{key}", text, f"a text {wanted}") from None
        plain = all(not spec and conversion is None for _, _, spec, conversion in parts)
        names = [name for _, name, _, _ in parts]
        if not plain or sorted(map(str, names)) != sorted(filled) or "{{" in text or "}}" in text:
            raise BadInput(source, f"{tag}.{key}", text, f"a text {wanted}")


def _texts(language: Language) -> list[tuple[str, str]]:
    """(dotted key, text) of every sentence of a language."""
    out: list[tuple[str, str]] = []
    for key, value in asdict(language).items():
        if isinstance(value, Wording):
            out += [(f"{key}.{name}", text) for name, text in asdict(value).items()]
        elif isinstance(value, tuple):
            out += [(f"{key}[{i}]", text) for i, text in enumerate(value)]
        else:
            out.append((key, value))
    return out


@lru_cache(maxsize=1)
def all_words() -> dict[str, Language]:
    """The shipped sentences by language, in the order in which they are written."""
    data = (files("jointwatch.warning") / "data" / "words.toml").read_bytes()
    return read_words(data, "words.toml")


def check_languages(languages: Sequence[str], source: str, field: str) -> None:
    """BadInput unless these are one or more languages that there are sentences in, each once."""
    known = all_words()
    if not languages:
        raise BadInput(source, field, "none", f"one or more of {', '.join(known)}")
    for i, language in enumerate(languages):
        if language not in known:
            raise BadInput(source, field, language, f"one or more of {', '.join(known)}")
        if language in languages[:i]:
            raise BadInput(source, field, language, "each language once")


def words_in(language: str) -> Language:
    """All sentences of one language; BadInput where there are none in it."""
    check_languages([language], "words.toml", "language")
    return all_words()[language]


def alert_wording(language: str, kind: Kind, clock: str = "", shelter_s: int | None = None) -> Wording:
    """What a message of a kind says in a language.

    clock: hours, minutes and seconds of the first expected impact, UTC, for a kind that tells it.
    shelter_s: the seconds (`said_seconds`) that everybody it is for has to reach shelter; None: not told.
    """
    words = words_in(language)
    wording: Wording = getattr(words, kind)
    instruction = wording.instruction
    if shelter_s is not None:
        instruction = f"{words.time_to_shelter.format(seconds=shelter_s)} {instruction}"
    return Wording(
        event=wording.event,
        headline=wording.headline,
        description=wording.description.format(clock=words.clock.format(time=clock)),
        instruction=instruction,
    )


def said_seconds(shelter_s: Sequence[float], left_s: float) -> int | None:
    """The time to reach shelter (s) that a message may tell, or None if it is to say "now" and no number.

    shelter_s: of each zone it is for: they must be the same, for it belongs to a zone, not to a message.
    left_s: until the first expected impact: who is warned late is not told of time that is not there.
    A round number, never more than there is: for these the forms of the words are right in every language.
    """
    if not shelter_s or min(shelter_s) != max(shelter_s):
        return None
    if not LEAST_SAID_S <= shelter_s[0] <= min(MOST_SAID_S, left_s):
        return None
    step = 15 if shelter_s[0] < 60 else 30
    return int(shelter_s[0] // step) * step


def advisory_wording(
    language: str, places: Sequence[str], window_ns: tuple[int, int], source: str, withdrawn: bool = False
) -> Wording:
    """The set words of an advisory for places and a period (from, to; ns UTC), or of its withdrawal.

    BadInput (source, "window") if a time is not between the years 1970 and 9999.
    """
    words = words_in(language)
    start, end = (_moment(words, time_ns, source) for time_ns in window_ns)
    *others, last = places
    wording = words.advisory_withdrawn if withdrawn else words.advisory
    where = words.comma.join(others) + words.last_comma + last if others else last
    return Wording(
        event=wording.event,
        headline=wording.headline,
        description=wording.description.format(start=start, end=end, places=where),
        instruction=wording.instruction,
    )


def _moment(words: Language, time_ns: int, source: str) -> str:
    try:
        moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
    except (OverflowError, ValueError, OSError):
        raise BadInput(source, "window", time_ns, "a time between the years 1970 and 9999") from None
    return words.moment.format(
        day=moment.day, month=words.months[moment.month - 1], year=moment.year, time=f"{moment:%H:%M}"
    )
