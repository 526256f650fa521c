"""Advisories: a warning ahead of any fire, which one person alone cannot issue."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jointwatch.records import BadInput, Header, decode, encode
from jointwatch.warning.advisories import (
    AdvisoryDraft,
    amend_advisory,
    draft_advisory,
    issue_advisory,
    review_advisory,
)

START_NS = int(datetime(2026, 1, 5, 22, 0, tzinfo=UTC).timestamp()) * 10**9
WINDOW_NS = (START_NS, START_NS + 15 * 86_400 * 10**9)
PLACES = ("Harbour site", "Airfield site", "Northfield")


def draft(**changes: object) -> AdvisoryDraft:
    values: dict[str, object] = {
        "identifier": "BLUE-ADV-1",
        "partner": "Blue",
        "places": PLACES,
        "window_ns": WINDOW_NS,
        "headline": "Missile or rocket fire possible",
        "drafted_by": "analyst",
    }
    return draft_advisory(**{**values, **changes})  # type: ignore[arg-type]


def header(time_ns: int = START_NS) -> Header:
    return Header(originator="Blue", source="blue-node", sequence=1, measured_ns=time_ns, handling="public")


def test_a_reviewed_draft_is_issued_and_names_both_roles() -> None:
    advisory = issue_advisory(review_advisory(draft(), "duty officer"), header())
    assert (advisory.drafted_by, advisory.reviewed_by) == ("analyst", "duty officer")
    assert (advisory.places, advisory.valid_from_ns, advisory.valid_to_ns) == (PLACES, *WINDOW_NS)
    assert advisory.exercise and advisory.header == header()
    assert decode(encode(advisory), "journal") == advisory


def test_the_standard_text_names_places_and_period() -> None:
    text = draft().text
    assert "Harbour site, Airfield site and Northfield" in text
    assert "5 January 2026 22:00 UTC" in text and "20 January 2026 22:00 UTC" in text
    assert draft(text="Own words.").text == "Own words."


def test_nobody_issues_without_a_review() -> None:
    with pytest.raises(BadInput, match="reviewed_by: found nobody"):
        issue_advisory(draft(), header())


@pytest.mark.parametrize("role", ["analyst", " Analyst ", "ANALYST", "", "  "])
def test_who_drafted_it_cannot_review_it(role: str) -> None:
    with pytest.raises(BadInput, match="reviewed_by"):
        review_advisory(draft(), role)


def test_a_draft_made_up_with_its_own_author_as_reviewer_is_not_issued() -> None:
    forged = AdvisoryDraft(
        identifier="X",
        partner="Blue",
        places=PLACES,
        valid_from_ns=WINDOW_NS[0],
        valid_to_ns=WINDOW_NS[1],
        headline="h",
        text="t",
        drafted_by="analyst",
        reviewed_by="Analyst",
    )
    with pytest.raises(BadInput, match="another role"):
        issue_advisory(forged, header())


def test_changed_words_need_a_new_review() -> None:
    reviewed = review_advisory(draft(), "duty officer")
    amended = amend_advisory(reviewed, "Other headline", "Other text.", "analyst")
    assert (amended.headline, amended.text, amended.places) == ("Other headline", "Other text.", PLACES)
    with pytest.raises(BadInput, match="reviewed_by"):
        issue_advisory(amended, header())


HEBREW = ("he-IL", "כותרת", "נוסח.")


def test_words_in_other_languages_are_reviewed_and_go_with_the_advisory() -> None:
    reviewed = review_advisory(draft(words=(HEBREW,)), "duty officer")
    advisory = issue_advisory(reviewed, header())
    assert advisory.words == (HEBREW,) and decode(encode(advisory), "journal") == advisory
    amended = amend_advisory(reviewed, "Other headline", "Other text.", "analyst")
    assert amended.words == (), "they say what the earlier words said"
    assert amend_advisory(amended, "Third", "Third.", "analyst", (HEBREW,)).words == (HEBREW,)


def test_a_reviewer_who_rewrites_it_needs_somebody_else_to_review() -> None:
    amended = amend_advisory(draft(), "Other headline", "Other text.", "duty officer")
    with pytest.raises(BadInput, match="another role"):
        review_advisory(amended, "Duty officer")
    assert review_advisory(amended, "analyst").reviewed_by == "analyst"


def test_an_advisory_for_a_period_that_is_over_is_not_issued() -> None:
    with pytest.raises(BadInput, match="over"):
        issue_advisory(review_advisory(draft(), "duty officer"), header(WINDOW_NS[1]))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"places": ()}, "places"),
        ({"places": ("Northfield", " ")}, "places"),
        ({"window_ns": (START_NS, START_NS)}, "window"),
        ({"window_ns": (START_NS, 10**30)}, "window"),
        ({"headline": ""}, "headline"),
        ({"drafted_by": " "}, "drafted_by"),
        ({"words": (("he-IL", "", "t"),)}, "words.he-IL"),
        ({"words": (("he-IL", "h", " "),)}, "words.he-IL"),
        ({"words": (("xx", "h", "t"),)}, "words"),
        ({"words": (HEBREW, HEBREW)}, "words"),
        ({"words": (("en-US", "h", "t"),)}, "words"),
    ],
)
def test_a_draft_that_says_too_little_is_refused(changes: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        draft(**changes)
    assert refused.value.field == field
