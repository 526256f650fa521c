"""One person does not pass as two by spelling, and two who are none the same are told apart."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointwatch.warning.names import UNSEEN, is_name, is_plain, same_person, scripts_of

LATIN = "ABCEHIKMOPTXYaceiopsxyjhv"
CYRILLIC = "АВСЕНІКМОРТХУасеіорѕхујһѵ"
"""Letters that look like those of LATIN, one by one."""
NAMES = st.text("ABCDEFGHIJKLMNOPRSTUVWXYZabcdefghijklmnoprstuvwxyz .'-", min_size=1).filter(is_name)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
HIDDEN = st.text(
    st.sampled_from([chr(c) for first, last in UNSEEN for c in range(first, min(last, first + 300) + 1)])
)
CONTROLS = st.sampled_from([*map(chr, range(9)), "\x1b", "\x7f", "\x85", *"\u202a\u202e\u2066\u2069"])


@given(NAMES, st.data())
def test_letters_of_another_script_that_look_the_same_make_no_other_person(
    name: str, data: st.DataObject
) -> None:
    like = dict(zip(LATIN, CYRILLIC, strict=True))
    other = "".join(like[c] if c in like and data.draw(st.booleans()) else c for c in name)
    assert same_person(name, other) and same_person(other, name)
    if any(c in CYRILLIC for c in other) and any(c.isascii() and c.isalpha() for c in other):
        assert scripts_of(other) == ("CYRILLIC", "LATIN")


@given(NAMES, HIDDEN, st.integers(0, 30), st.sampled_from((str.upper, str.lower, str.title, str.strip)))
def test_what_cannot_be_seen_and_capitals_make_no_other_person(
    name: str, hidden: str, at: int, written: object
) -> None:
    other = written(name[:at] + hidden + name[at:])  # type: ignore[operator]
    assert same_person(name, other)
    assert not is_name(hidden) and scripts_of(other) == ()


@given(ANY, ANY)
def test_any_text_is_the_same_as_itself_and_the_answer_is_the_same_from_both_sides(
    one: str, other: str
) -> None:
    assert same_person(one, one) and same_person(one, one.casefold())
    assert same_person(one, unicodedata.normalize("NFD", one))
    assert same_person(one, other) is same_person(other, one)
    assert scripts_of(one) == scripts_of(f" {one}\u200d")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann", "Ben"),
        ("Dan", "Ban"),
        ("Nina", "Vila"),
        ("desk 1", "desk 2"),
        ("Änne", "Anne"),
        ("דנה", "דינה"),
        ("محمد", "محمود"),
        ("Анна", "Алла"),
        ("山田", "山本"),
    ],
)
def test_two_people_are_two(one: str, other: str) -> None:
    assert not same_person(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("сор", "cop"), ("HELEN", "НELEN"), ("helen", "НELEN"), ("Bern", "Bem"), ("ΑΝΝΑ", "anna"), ("O1", "0l")],
)
def test_whole_words_that_look_alike_are_one(one: str, other: str) -> None:
    assert same_person(one, other)


@pytest.mark.parametrize("name", ["Müller-Lüdenscheidt", "O’Neil 3", "דנה לוי", "山田 さくら", "김 山", "é"])
def test_names_as_they_are_written_are_of_one_script(name: str) -> None:
    assert scripts_of(name) == ()


@pytest.mark.parametrize("name", ["Аnn", "Ann Бен", "Ann 山", "דנה Levy", "ρaul"])
def test_names_of_several_scripts_are_told(name: str) -> None:
    assert len(scripts_of(name)) == 2


@given(
    NAMES,
    st.sampled_from([*map(chr, range(9)), "\x1b", "\x7f", "\x85", *"\u202a\u202e\u2066\u2069"]),
    st.integers(0, 30),
)
def test_what_controls_the_screen_is_no_letter_and_hides_others(name: str, control: str, at: int) -> None:
    assert is_plain(name) and not is_plain(name[:at] + control + name[at:])
    if control != "\x85":  # a new line, which a space may be
        assert same_person(name, name[:at] + control + name[at:])
