"""Names of people, told apart by what a reader sees: one person must not pass as two by spelling.

In: names as somebody wrote them; out: whether two may be one person's, and whether a name is in one script.
Letters that look alike are folded by the skeletons of Unicode Technical Standard 39, "Unicode security
mechanisms", section 4 (its table as `confusable_homoglyphs` has it), letters that cannot be seen are left
out, and a name is in one script as its section 5.2 has it ("highly restrictive", without the Latin letters).
"""

from __future__ import annotations

import unicodedata
from functools import cache

ALWAYS = frozenset({"COMMON", "INHERITED"})
"""Signs and marks of no script, or of that of the letter before."""
TOGETHER = (
    frozenset({"HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"HAN", "BOPOMOFO"}),
    frozenset({"HAN", "HANGUL"}),
)
"""Scripts that one name is written in together."""
UNSEEN = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800),
    (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Code points from the first to the last that a screen shows nothing of: Default_Ignorable_Code_Point
(Unicode 15.1, DerivedCoreProperties), and the braille pattern without a dot."""


REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What has a screen show letters in another order than they are written in (Unicode Standard Annex 9)."""


def same_person(one: str, other: str) -> bool:
    """Whether two names may be one person's: the same to a reader, whatever their spaces, capitals, and
    letters that look alike or cannot be seen.

    Capitals may look alike where small letters do not (Н and H, but not н and h), and the other way round:
    names are held against each other both ways.
    """
    return not _forms(one).isdisjoint(_forms(other))


def is_name(name: str) -> bool:
    """Whether anything of it can be seen."""
    return bool(_seen(name))


def is_plain(name: str) -> bool:
    """Whether a reader sees its letters in the order they are in: nothing in it controls a terminal or turns
    what follows round, so that "nnA" is shown as "Ann"."""
    return not any(c in REORDERING or unicodedata.category(c) in ("Cc", "Cs") for c in name)


def scripts_of(name: str) -> tuple[str, ...]:
    """The scripts of its letters, in order of their names, if they are more than one name is written in."""
    # imported where it is asked for: it reads its tables, a megabyte, when it is
    from confusable_homoglyphs.categories import unique_aliases

    found = frozenset(unique_aliases(_seen(name))) - ALWAYS
    if len(found) < 2 or any(found <= allowed for allowed in TOGETHER):
        return ()
    return tuple(sorted(found))


def _seen(name: str) -> str:
    """Compatible forms as one (NFKC), nothing that cannot be seen, one space between words."""

    def shown(c: str) -> bool:
        category = unicodedata.category(c)
        if category == "Cf" or (category == "Cc" and not c.isspace()):
            return False
        return not any(first <= ord(c) <= last for first, last in UNSEEN)

    # composed both before and after: the sign between two letters may be what kept them apart
    kept = "".join(c for c in unicodedata.normalize("NFKC", name) if shown(c))
    return " ".join(unicodedata.normalize("NFKC", kept).split())


def _forms(name: str) -> frozenset[str]:
    """What a name is compared as: capitals folded before its looks, and after them."""
    seen = _seen(name)
    small, like = _small(seen), _small(_skeleton(seen))
    return frozenset({small, _skeleton(small), like, _skeleton(like)})


def _small(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _skeleton(name: str) -> str:
    """UTS 39, section 4: each letter as the one that all that look like it stand for."""
    prototypes = _prototypes()
    apart = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFD", "".join(prototypes.get(c, c) for c in apart))


@cache
def _prototypes() -> dict[str, str]:
    """By letter: what Unicode's table puts in its place.

    The library gives the table both ways and does not say which is which: a letter stands beside its one
    prototype, a prototype beside all its letters.  Of a pair that nothing else looks like either will do.  It
    leaves the marks about text from right to left that only order the table's own lines.
    """
    from confusable_homoglyphs.confusables import confusables_data

    beside: dict[str, set[str]] = {}
    for key, entries in confusables_data.items():
        beside.setdefault(key.strip("\u200e"), set()).update(e["c"].strip("\u200e") for e in entries)
    found = {}
    for letter, others in beside.items():
        if len(letter) != 1 or len(others) != 1:
            continue
        (other,) = others
        if len(other) > 1 or len(beside.get(other, ())) > 1 or other < letter:
            found[letter] = other
    return found
