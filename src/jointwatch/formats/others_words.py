"""Others' alerts in words, for a line of a page or of a terminal.

In: an `OthersAlert`; out: what it says, where, and whether anybody vouches for it.  The words are others'
own, on one line and without what a terminal or a line of another direction could be misled by.
"""

from __future__ import annotations

from jointwatch.records import OthersAlert

LANGUAGE = "en"
MOST_PLACES = 6
"""Areas that are named; of more their number is said."""
LONGEST = 300


def headline(alert: OthersAlert) -> str:
    """What the alert says: in English where it does, else in its first language, else its event."""
    english = [text for language, text in alert.headlines if language.lower().partition("-")[0] == LANGUAGE]
    first = [text for _, text in alert.headlines]
    return one_line(next(iter((*english, *first)), alert.event))


def places(alert: OthersAlert) -> str:
    """The areas by their own descriptions, each once; "" where none is named."""
    names = list(dict.fromkeys(one_line(area.description) for area in alert.areas if area.description))
    more = [f"and {len(names) - MOST_PLACES} more"] if len(names) > MOST_PLACES else []
    return ", ".join(names[:MOST_PLACES] + more)


def vouched(alert: OthersAlert) -> str:
    """Whether a key that was agreed on signed it."""
    if not alert.verified_by:
        return "not signed: nobody vouches for it"
    return f"signed (certificate {alert.verified_by[:16]})"


def one_line(text: str) -> str:
    """Others' text without what cannot be printed, and no longer than a line or two."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: 2 * LONGEST]).split())[:LONGEST]
