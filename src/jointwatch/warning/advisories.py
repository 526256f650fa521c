"""Advisories: the slow tier, a warning for places and a period ahead of any fire.

Places, a period and a headline go in, as plain values; an analyst's draft is reviewed by a second role, and
only then issued as an `Advisory` record.  Any change after the review needs a new review.  An advisory says
where and when to take care and what to do; it never says from whom or from where fire may come.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from jointwatch.records import Advisory, BadInput, Header
from jointwatch.warning.words import OWN_LANGUAGE, advisory_wording, check_languages

Words = tuple[tuple[str, str, str], ...]
"""(language, headline, text) in languages other than that of `OWN_LANGUAGE`."""


class AdvisoryDraft(Struct, frozen=True, kw_only=True):
    """An advisory not yet issued.  reviewed_by: the role that approved this very text, "" if none has."""

    identifier: str
    partner: str
    places: tuple[str, ...]
    valid_from_ns: int
    valid_to_ns: int
    headline: str
    text: str
    drafted_by: str
    reviewed_by: str = ""
    exercise: bool = True
    words: Words = ()


def draft_advisory(
    identifier: str,
    partner: str,
    places: Sequence[str],
    window_ns: tuple[int, int],
    headline: str,
    drafted_by: str,
    *,
    text: str = "",
    words: Words = (),
    exercise: bool = True,
) -> AdvisoryDraft:
    """A draft for `places`, valid over window_ns (from, to; ns UTC).

    text: what people are told; a standard text naming places and period if "".  words: headline and text in
    other languages; in those that it leaves out the standard text is sent.
    BadInput if a place, the headline, the role or a word is empty, a language is unknown or there twice, or
    the window does not end after it begins.
    """
    source = f"advisory {identifier}"
    start_ns, end_ns = window_ns
    if not places or not all(place.strip() for place in places):
        raise BadInput(source, "places", list(places), "at least one place, each with a name")
    if end_ns <= start_ns:
        raise BadInput(source, "window", window_ns, "an end after its beginning")
    for field, value in (
        ("identifier", identifier),
        ("partner", partner),
        ("headline", headline),
        ("drafted_by", drafted_by),
    ):
        if not value.strip():
            raise BadInput(source, field, "nothing", "words")
    if words:
        check_languages([OWN_LANGUAGE, *(language for language, _, _ in words)], source, "words")
    for language, *texts in words:
        if not all(each.strip() for each in texts):
            raise BadInput(source, f"words.{language}", "nothing", "a headline and a text")
    return AdvisoryDraft(
        identifier=identifier,
        partner=partner,
        places=tuple(places),
        valid_from_ns=start_ns,
        valid_to_ns=end_ns,
        headline=headline,
        text=text or advisory_wording(OWN_LANGUAGE, places, window_ns, source).description,
        drafted_by=drafted_by,
        exercise=exercise,
        words=words,
    )


def amend_advisory(
    draft: AdvisoryDraft, headline: str, text: str, drafted_by: str, words: Words = ()
) -> AdvisoryDraft:
    """The draft with other words by `drafted_by`; a review of the earlier words does not hold for these.

    Nor do earlier words in other languages: what is not given anew is the standard text.
    """
    window_ns = draft.valid_from_ns, draft.valid_to_ns
    return draft_advisory(
        draft.identifier,
        draft.partner,
        draft.places,
        window_ns,
        headline,
        drafted_by,
        text=text,
        words=words,
        exercise=draft.exercise,
    )


def review_advisory(draft: AdvisoryDraft, role: str) -> AdvisoryDraft:
    """The draft approved by `role`; BadInput if that is the role that drafted it, or no role."""
    source = f"advisory {draft.identifier}"
    if not role.strip():
        raise BadInput(source, "reviewed_by", "nobody", "a role")
    if _same_role(role, draft.drafted_by):
        raise BadInput(source, "reviewed_by", role, "another role than the one that drafted it")
    return msgspec.structs.replace(draft, reviewed_by=role)


def issue_advisory(draft: AdvisoryDraft, header: Header) -> Advisory:
    """The reviewed draft as a record; the header's `measured_ns` is the time of issue.

    BadInput if it was not reviewed by a second role, or its period is over.
    """
    source = f"advisory {draft.identifier}"
    if not draft.reviewed_by.strip():
        raise BadInput(source, "reviewed_by", "nobody", "a second role's review before it is issued")
    if _same_role(draft.reviewed_by, draft.drafted_by):
        raise BadInput(source, "reviewed_by", draft.reviewed_by, "another role than the one that drafted it")
    if header.measured_ns >= draft.valid_to_ns:
        raise BadInput(source, "window", "a period that is over", "one that ends after the time of issue")
    return Advisory(
        header=header,
        identifier=draft.identifier,
        partner=draft.partner,
        places=draft.places,
        valid_from_ns=draft.valid_from_ns,
        valid_to_ns=draft.valid_to_ns,
        headline=draft.headline,
        text=draft.text,
        drafted_by=draft.drafted_by,
        reviewed_by=draft.reviewed_by,
        exercise=draft.exercise,
        words=draft.words,
    )


def _same_role(one: str, other: str) -> bool:
    """Roles are the same whatever their spaces and capitals: one person must not pass as two by spelling."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
