"""Nothing that a person says gets out by one name alone, whatever the order in which it is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointwatch.records import BadInput, Drafted, Header, ManualAlert, Released, decode, encode
from jointwatch.warning.names import same_person
from jointwatch.warning.release import ALERT_LAPSES_S, LONGEST_NAME, MOST_DRAFTS, Desk, Draft

S = 1_000_000_000
HEADER = Header(originator="Amber", source="desk", sequence=1, measured_ns=0)
SHELTER = ManualAlert(action="alert", tier="shelter", reason="seen", zones=("town",))
EARLY = ManualAlert(action="alert", tier="early", reason="seen", zones=("town",))


def drafted(by: str = "Ann", content: ManualAlert = SHELTER, name: str = "d") -> Drafted:
    return Drafted(header=HEADER, draft=name, content=content, drafted_by=by)


def released(draft: Draft, by: str = "Ben") -> Released:
    return Released(header=HEADER, draft=draft.name, digest=draft.digest, released_by=by)


def test_a_second_person_lets_a_draft_out_as_it_was_read() -> None:
    desk = Desk("node amber")
    draft = desk.put(drafted(), 0)
    assert desk.drafts() == (draft,)
    assert desk.release(released(draft), S) == draft
    desk.take(draft.name)
    with pytest.raises(BadInput, match="none of this name"):
        desk.release(released(draft), 2 * S)


@pytest.mark.parametrize(
    "who",
    (
        *("Ann", " ann ", "ANN", "\uff21nn", "A\u200bnn", "Ann\u00a0", "", "\u200b", "node amber", "x" * 201),
        *("A\u00adnn", "A\ufe0fnn", "Ann\u115f", "\U000e0100", "\u0410nn", "Ann \u0411\u0435\u043d"),
        *("Ann\x07", "Ann\x00", "A\x7fnn", "\u202ennA", "\u2067Ben", "Ben\x1b[8m", "Ben\ud800"),
    ),
)
def test_the_same_person_the_node_or_nobody_lets_nothing_out(who: str) -> None:
    desk = Desk("node amber")
    draft = desk.put(drafted(), 0)
    with pytest.raises(BadInput, match="released_by"):
        desk.release(released(draft, who), S)
    assert desk.drafts() == (draft,)


def test_nobody_drafts_in_the_node_s_name_and_what_it_drafts_a_person_lets_out() -> None:
    desk = Desk("node amber")
    with pytest.raises(BadInput, match="drafted_by"):
        desk.put(drafted("Node  Amber"), 0)
    draft = desk.put_own("own", SHELTER, 0)
    assert desk.release(released(draft), S) == draft


def test_a_changed_draft_is_not_what_was_released() -> None:
    desk = Desk("node amber")
    first = desk.put(drafted(), 0)
    second = desk.put(drafted(content=EARLY), S)
    third = desk.put(drafted("Cid", content=EARLY), S)
    for old in (first, second):
        with pytest.raises(BadInput, match="digest"):
            desk.release(released(old), 2 * S)
    with pytest.raises(BadInput, match="released_by"):
        desk.release(released(third, "Cid"), 2 * S)
    assert desk.release(released(third, "Ann"), 2 * S) == third


def test_a_draft_lapses() -> None:
    desk = Desk("node amber")
    draft = desk.put(drafted(), 0)
    end_ns = round(ALERT_LAPSES_S * S)
    assert desk.lapsed(end_ns - 1) == [] and desk.release(released(draft), end_ns - 1) == draft
    with pytest.raises(BadInput, match="none of this name"):
        desk.release(released(draft), end_ns)
    assert desk.lapsed(end_ns) == [draft] and desk.drafts() == ()


def test_a_flood_of_drafts_ends() -> None:
    desk = Desk("node amber")
    for n in range(MOST_DRAFTS):
        desk.put(drafted(name=f"d{n}"), 0)
    with pytest.raises(BadInput, match="fewer"):
        desk.put(drafted(name="one more"), 0)
    desk.put(drafted("Ben", name="d0"), 0)
    with pytest.raises(BadInput, match="draft"):
        desk.put(drafted(name="x" * (LONGEST_NAME + 1)), 0)


PEOPLE = ("Ann", "ann ", "Ben", "BEN", "node amber")
ACT = st.tuples(
    st.sampled_from(("draft", "release", "lapse")),
    st.sampled_from(PEOPLE),
    st.sampled_from(("d", "e")),
    st.sampled_from((SHELTER, EARLY)),
    st.integers(0, 200),
)


@given(st.lists(ACT, max_size=40))
def test_in_any_order_what_gets_out_has_two_different_people_behind_it(acts: list[tuple]) -> None:  # type: ignore[type-arg]
    desk, now, seen, last = Desk("node amber"), 0, {}, {}
    for what, who, name, content, seconds in acts:
        now += seconds * S
        record = drafted(who, content, name)
        if what == "lapse":
            desk.lapsed(now)
        elif what == "draft":
            try:
                seen[name, content] = last[name] = desk.put(record, now)
            except BadInput:
                assert same_person(who, "node amber")
        elif (name, content) in seen:
            try:
                out = desk.release(released(seen[name, content], who), now)
            except BadInput:
                continue
            desk.take(name)
            assert out == last.pop(name), "the latest of its name, once"
            assert out.content == content and now < out.lapses_ns
            assert not same_person(out.drafted_by, who) and not same_person(who, "node amber")


@given(st.binary(max_size=200))
def test_bytes_that_are_no_record_are_refused_by_name(data: bytes) -> None:
    try:
        decode(data, "a desk")
    except BadInput as error:
        assert error.source == "a desk"


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_damaged_draft_is_refused_or_another_record(at: int, byte: int) -> None:
    data = bytearray(encode(drafted()))
    data[at % len(data)] = byte
    try:
        again = decode(bytes(data), "a desk")
    except BadInput:
        return
    assert decode(encode(again), "again") == again
