"""Advisories: the slow tier, a warning for places and a period ahead of any fire.

Places, a period and a headline go in, as plain values; an analyst's draft is reviewed by a second role, and
only then issued as an `Advisory` record.  Any change after the review needs a new review.  An advisory says
where and when to take care and what to do; it never says from whom or from where fire may come.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from jointwatch.records import Advisory, BadInput, Header


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


def draft_advisory(
    identifier: str,
    partner: str,
    places: Sequence[str],
    window_ns: tuple[int, int],
    headline: str,
    drafted_by: str,
    *,
    text: str = "",
    exercise: bool = True,
) -> AdvisoryDraft:
    """A draft for `places`, valid over window_ns (from, to; ns UTC).

    text: what people are told; a standard text naming places and period if "".
    BadInput if a place, the headline or the role is empty, or the window does not end after it begins.
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
    return AdvisoryDraft(
        identifier=identifier,
        partner=partner,
        places=tuple(places),
        valid_from_ns=start_ns,
        valid_to_ns=end_ns,
        headline=headline,
        text=text or _standard_text(places, start_ns, end_ns, source),
        drafted_by=drafted_by,
        exercise=exercise,
    )


def amend_advisory(draft: AdvisoryDraft, headline: str, text: str, drafted_by: str) -> AdvisoryDraft:
    """The draft with other words by `drafted_by`; a review of the earlier words does not hold for these."""
    window_ns = draft.valid_from_ns, draft.valid_to_ns
    return draft_advisory(
        draft.identifier,
        draft.partner,
        draft.places,
        window_ns,
        headline,
        drafted_by,
        text=text,
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
    )


def _same_role(one: str, other: str) -> bool:
    """Roles are the same whatever their spaces and capitals: one person must not pass as two by spelling."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _standard_text(places: Sequence[str], start_ns: int, end_ns: int, source: str) -> str:
    days = []
    for time_ns in (start_ns, end_ns):
        try:
            moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
        except (OverflowError, ValueError, OSError):
            raise BadInput(source, "window", time_ns, "a time between the years 1970 and 9999") from None
        days.append(f"{moment.day} {moment:%B %Y %H:%M} UTC")
    where = places[0] if len(places) == 1 else ", ".join(places[:-1]) + " and " + places[-1]
    return (
        f"From {days[0]} to {days[1]} missile or rocket fire at {where} is held to be likelier than usual. "
        "Know the nearest shelter, keep a means of being warned at hand, and put off journeys that can wait."
    )
