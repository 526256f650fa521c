"""Advisories: a warning ahead of any fire, which one person alone cannot issue, renew or withdraw."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from jointwatch.records import Advisory, AdvisoryDraft, Assessed, BadInput, Header, decode, encode
from jointwatch.warning.advisories import (
    Advisories,
    draft_advisory,
    draft_from,
    issue_advisory,
    withdraw_advisory,
)
from jointwatch.warning.release import Draft
from jointwatch.warning.standing import MOST_REFERENCES, numbers_of, series_of

START_NS = int(datetime(2026, 1, 5, 22, 0, tzinfo=UTC).timestamp()) * 10**9
DAY_NS = 86_400 * 10**9
WINDOW_NS = (START_NS, START_NS + 15 * DAY_NS)
PLACES = ("Harbour site", "Airfield site", "Northfield")
HEBREW = ("he-IL", "כותרת", "נוסח.")


def draft(**changes: Any) -> AdvisoryDraft:
    values: dict[str, Any] = {"places": PLACES, "window_ns": WINDOW_NS, "headline": "Fire possible"}
    return draft_advisory(**{**values, **changes})


def issue(
    content: AdvisoryDraft,
    before: Advisories | None = None,
    time_ns: int = START_NS,
    drafted_by: str = "analyst",
    released_by: str = "duty officer",
    exercise: bool = True,
) -> Advisory:
    header = Header(originator="Blue", source="blue", sequence=1, measured_ns=time_ns, handling="public")
    on_desk = Draft(name="d", content=content, drafted_by=drafted_by, drafted_ns=0, lapses_ns=2**62)
    return issue_advisory(on_desk, content, released_by, before or Advisories(), header, exercise)


def test_an_advisory_names_both_people_and_says_what_was_drafted() -> None:
    advisory = issue(draft(words=(HEBREW,)))
    assert (advisory.drafted_by, advisory.reviewed_by) == ("analyst", "duty officer")
    assert (advisory.places, advisory.valid_from_ns, advisory.valid_to_ns) == (PLACES, *WINDOW_NS)
    assert advisory.words == (HEBREW,) and decode(encode(advisory), "journal") == advisory


@pytest.mark.parametrize("exercise", [True, False])
def test_an_exercise_s_identifiers_say_so_and_live_ones_do_not(exercise: bool) -> None:
    advisory = issue(draft(), exercise=exercise)
    assert advisory.exercise is exercise and advisory.identifier.startswith("EX-") is exercise
    assert numbers_of(advisory) == (1, 1)


def test_the_standard_text_names_places_and_period() -> None:
    text = draft(headline="").text
    assert "Harbour site, Airfield site and Northfield" in text
    assert "5 January 2026 22:00 UTC" in text and "20 January 2026 22:00 UTC" in text
    assert draft(text="Own words.").text == "Own words."


@pytest.mark.parametrize("who", ["analyst", " Analyst ", "ANALYST", "ana\u200blyst", "", "  "])
def test_who_drafted_it_cannot_release_it(who: str) -> None:
    with pytest.raises(BadInput, match="released_by"):
        issue(draft(), released_by=who)


def test_an_advisory_for_a_period_that_is_over_is_not_issued() -> None:
    with pytest.raises(BadInput, match="over"):
        issue(draft(), time_ns=WINDOW_NS[1])


def test_it_stands_until_its_period_is_over_and_nothing_is_said_then() -> None:
    first = issue(draft())
    advisories = Advisories().after(first)
    assert advisories.standing(WINDOW_NS[1] - 1) == (first,)
    assert advisories.standing(WINDOW_NS[1]) == ()


def test_a_renewal_takes_the_place_of_what_it_names_and_a_withdrawal_ends_it() -> None:
    first = issue(draft())
    advisories = Advisories().after(first)
    longer = WINDOW_NS[0], WINDOW_NS[1] + DAY_NS
    second = issue(draft(window_ns=longer, renews=first.identifier), advisories)
    assert second.action == "update" and second.references == (first.identifier,)
    assert series_of(second) == series_of(first) and numbers_of(second) == (1, 2)
    advisories = advisories.after(second)
    assert advisories.standing(WINDOW_NS[1]) == (second,)
    with pytest.raises(BadInput, match="follows"):
        issue(draft(renews=first.identifier), advisories)  # only the latest is renewed
    third = issue(withdraw_advisory(second), advisories)
    assert third.action == "cancel" and third.references == (first.identifier, second.identifier)
    advisories = advisories.after(third)
    assert advisories.standing(START_NS) == ()
    with pytest.raises(BadInput, match="follows"):
        issue(withdraw_advisory(second), advisories)
    assert numbers_of(issue(draft(), advisories)) == (2, 1)


def test_what_is_over_is_not_renewed() -> None:
    advisories = Advisories().after(issue(draft()))
    later = WINDOW_NS[0], WINDOW_NS[1] + DAY_NS
    renewal = draft(window_ns=later, renews=advisories.latest[1].identifier)
    with pytest.raises(BadInput, match="follows"):
        issue(renewal, advisories, time_ns=WINDOW_NS[1])


def test_a_withdrawal_is_for_the_very_places_it_withdraws() -> None:
    advisories = Advisories().after(issue(draft()))
    gone = withdraw_advisory(advisories.latest[1])
    assert "Harbour site, Airfield site and Northfield" in gone.text and "{" not in gone.text
    with pytest.raises(BadInput, match="places"):
        issue(replace(gone, places=PLACES[:1]), advisories)


def test_a_renewal_holds_the_places_it_renews_and_may_add_others() -> None:
    advisories = Advisories().after(issue(draft()))
    renews = advisories.latest[1].identifier
    for fewer in (PLACES[:2], ("Mill",)):
        with pytest.raises(BadInput, match=r"places: found .*Northfield too, or the withdrawal"):
            issue(draft(places=fewer, renews=renews), advisories)
    more = (*reversed(PLACES), "Mill")
    assert issue(draft(places=more, renews=renews), advisories).places == more


def test_references_are_bounded() -> None:
    advisories = Advisories().after(issue(draft()))
    for n in range(1, MOST_REFERENCES + 3):
        window_ns = WINDOW_NS[0], WINDOW_NS[1] + n * DAY_NS
        content = draft(window_ns=window_ns, renews=advisories.latest[1].identifier)
        advisories = advisories.after(issue(content, advisories))
    assert len(advisories.latest[1].references) == MOST_REFERENCES


def assessed(posture: str, window_ns: tuple[int, int] = WINDOW_NS) -> Assessed:
    header = Header(originator="Blue", source="staff", sequence=1, measured_ns=START_NS)
    return Assessed(header=header, posture=posture, from_ns=window_ns[0], to_ns=window_ns[1])  # type: ignore[arg-type]


def test_a_posture_above_normal_asks_for_an_advisory_and_a_normal_one_takes_it_back() -> None:
    nothing = Advisories()
    assert draft_from(assessed("normal"), PLACES, nothing, START_NS) is None
    assert draft_from(assessed("watch"), PLACES, nothing, WINDOW_NS[1]) is None, "the window is over"
    first = draft_from(assessed("watch"), PLACES, nothing, START_NS)
    assert first is not None and first.action == "alert" and first.places == PLACES
    stands = nothing.after(issue(first, drafted_by="node blue"))
    assert draft_from(assessed("raised"), PLACES, stands, START_NS) is None, "it is said already"
    longer = WINDOW_NS[0], WINDOW_NS[1] + DAY_NS
    renewal = draft_from(assessed("raised", longer), PLACES, stands, START_NS)
    assert renewal is not None and renewal.follows == stands.latest[1].identifier
    gone = draft_from(assessed("normal"), PLACES, stands, START_NS)
    assert gone is not None and gone.action == "cancel"
    assert draft_from(assessed("normal"), ("Elsewhere",), stands, START_NS) is None, "people's own stands"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"places": ()}, "places"),
        ({"places": ("Northfield", " ")}, "places"),
        ({"window_ns": (START_NS, START_NS)}, "window"),
        ({"window_ns": (START_NS, 10**30)}, "window"),
        ({"window_ns": (START_NS, 10**30), "text": "Own words."}, "window"),
        ({"headline": " "}, "headline"),
        ({"text": " "}, "text"),
        ({"words": (("he-IL", "", "t"),)}, "words.he-IL"),
        ({"words": (("he-IL", "h", " "),)}, "words.he-IL"),
        ({"words": (("xx", "h", "t"),)}, "words"),
        ({"words": (HEBREW, HEBREW)}, "words"),
        ({"words": (("en-US", "h", "t"),)}, "words"),
    ],
)
def test_a_draft_that_says_too_little_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        draft(**changes)
    assert refused.value.field == field
