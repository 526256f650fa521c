"""Procedures: what was due, and what was done of it in time, late, early or never."""

from __future__ import annotations

from pathlib import Path

import pytest

from jointwatch.procedures import Event, Procedure, Step, StepOutcome, follow, load_procedure, procedure_view
from jointwatch.records import BadInput

FILE = Path(__file__).parents[2] / "scenarios" / "procedure.toml"
SECOND = 1_000_000_000


def step(done_by: str, **changes: object) -> Step:
    values: dict[str, object] = {
        "name": "pass on",
        "trigger": "track_confirmed",
        "done": "track_received",
        "done_by": done_by,
        "who": "node",
        "told": "duty officer",
        "channel": "link",
        "within_s": 10.0,
        "confirmed_by": "node",
    }
    return Step(**{**values, **changes})  # type: ignore[arg-type]


def event(time_s: float, kind: str, subject: str, partner: str) -> Event:
    time_ns = round(time_s * SECOND)
    return Event(time_ns=time_ns, kind=kind, subject=subject, partner=partner)  # type: ignore[arg-type]


def outcome(one: Step, events: list[Event], until_s: float | None = None) -> StepOutcome:
    procedure = Procedure(name="p", partners=("Amber", "Blue"), steps=(one,))
    (result,) = follow(procedure, events, None if until_s is None else round(until_s * SECOND))
    return result


def counts(result: StepOutcome) -> tuple[int, int, int, int, int]:
    assert result.due == result.done + result.late + result.early + result.never + result.pending
    return result.due, result.done, result.late, result.early, result.never


def test_cases_done_in_time_late_and_never_are_told_apart() -> None:
    events = [
        event(0, "track_confirmed", "A1", "Amber"),
        event(1, "track_confirmed", "A2", "Amber"),
        event(2, "track_confirmed", "A3", "Amber"),
        event(10, "track_received", "A1", "Blue"),  # exactly at the deadline
        event(13, "track_received", "A2", "Blue"),
        event(14, "track_received", "A9", "Blue"),  # never due here
    ]
    result = outcome(step("other"), events)
    assert counts(result) == (3, 1, 1, 0, 1)
    assert result.worst_s == 12.0
    assert result.worst_subject == "A3" and result.worst_done_ns is None
    assert result.ok is False


def test_a_step_never_due_is_neither_well_nor_badly_done() -> None:
    result = outcome(step("other"), [event(0, "link_cut", "1", "Amber")])
    assert counts(result) == (0, 0, 0, 0, 0) and result.ok is None and result.worst_s is None


def test_the_same_thing_said_again_is_not_due_again() -> None:
    events = [event(t, "track_confirmed", "A1", "Amber") for t in (0, 5, 30)]
    events.insert(1, event(3, "track_received", "A1", "Blue"))
    assert counts(outcome(step("other"), events)) == (1, 1, 0, 0, 0)


def test_what_the_partner_itself_hears_does_not_count_as_the_other_being_told() -> None:
    events = [event(0, "track_confirmed", "A1", "Amber"), event(1, "track_received", "A1", "Amber")]
    assert counts(outcome(step("other"), events)) == (1, 0, 0, 0, 1)
    assert counts(outcome(step("same"), events)) == (1, 1, 0, 0, 0)
    assert counts(outcome(step("any"), events)) == (1, 1, 0, 0, 0)


def test_both_command_posts_are_told_only_when_the_second_one_is() -> None:
    one = step("each", done="launch_reported", within_s=20.0)
    events = [
        event(0, "track_confirmed", "A1", "Amber"),
        event(2, "track_confirmed", "A1", "Blue"),
        event(5, "launch_reported", "A1", "Amber"),
    ]
    assert counts(outcome(one, events)) == (1, 0, 0, 0, 1)
    events.append(event(25, "launch_reported", "A1", "Blue"))
    result = outcome(one, events)
    assert counts(result) == (1, 0, 1, 0, 0) and result.worst_s == 25.0


def test_two_partners_who_each_owe_a_step_owe_it_apart() -> None:
    one = step("same", trigger="danger_shown", done="alert_issued", within_s=5.0)
    events = [
        event(0, "danger_shown", "S", "Amber"),
        event(1, "danger_shown", "S", "Blue"),
        event(2, "alert_issued", "S", "Blue"),
    ]
    assert counts(outcome(one, events)) == (2, 1, 0, 0, 1)


def test_word_that_came_by_another_way_before_it_was_due_is_in_time() -> None:
    events = [event(0, "track_received", "A1", "Blue"), event(4, "track_confirmed", "A1", "Amber")]
    result = outcome(step("other"), events)
    assert counts(result) == (1, 1, 0, 0, 0) and result.worst_s == 0.0


@pytest.mark.parametrize(
    ("clear_s", "expected"), [(59, (1, 0, 0, 1, 0)), (60, (1, 1, 0, 0, 0)), (121, (1, 0, 1, 0, 0))]
)
def test_an_all_clear_can_come_too_soon_and_too_late(clear_s: float, expected: tuple[int, ...]) -> None:
    one = step("same", trigger="last_impact", done="all_clear", not_before_s=60.0, within_s=120.0)
    events = [event(0, "last_impact", "S", "Amber"), event(clear_s, "all_clear", "S", "Amber")]
    result = outcome(one, events)
    assert counts(result) == expected
    assert result.ok is (expected[1] == 1)


def test_a_deadline_after_the_end_of_the_record_is_pending_not_missed() -> None:
    events = [event(0, "track_confirmed", "A1", "Amber"), event(8, "track_confirmed", "A2", "Amber")]
    result = outcome(step("other"), events, until_s=12.0)
    assert (result.pending, result.never) == (1, 1)


def test_the_view_tells_the_worst_case_from_the_start_of_the_exercise() -> None:
    events = [
        event(100, "track_confirmed", "A1", "Amber"),
        event(101, "track_confirmed", "A2", "Amber"),
        event(103, "track_received", "A1", "Blue"),
        event(108, "track_received", "A2", "Blue"),
    ]
    (row,) = procedure_view([outcome(step("other"), events)], 90 * SECOND)
    wanted = {"step", "who", "told", "channel", "within_s", "due", "done", "late", "never", "worst_s", "ok"}
    assert wanted <= set(row)
    assert (row["worst_s"], row["worst_subject"], row["due_s"], row["done_s"], row["ok"]) == (
        7.0,
        "A2",
        21,
        18,
        True,
    )


def test_events_out_of_order_or_of_a_stranger_are_refused() -> None:
    with pytest.raises(BadInput, match="order"):
        outcome(step("any"), [event(1, "link_cut", "1", "Amber"), event(0, "link_cut", "2", "Amber")])
    with pytest.raises(BadInput, match="Green"):
        outcome(step("any"), [event(1, "link_cut", "1", "Green")])


def test_the_bundled_procedure_has_six_steps_and_a_perfect_raid_passes_them_all() -> None:
    procedure = load_procedure(FILE)
    assert len(procedure.steps) == 6
    events = [
        event(0, "track_confirmed", "AMBER-0001", "Amber"),
        event(1, "track_received", "AMBER-0001", "Blue"),
        event(2, "launch_reported", "AMBER-0001", "Amber"),
        event(3, "launch_reported", "AMBER-0001", "Blue"),
        event(10, "danger_shown", "raid-1", "Amber"),
        event(11, "alert_issued", "raid-1", "Amber"),
        event(12, "alert_confirmed", "raid-1", "Blue"),
        event(50, "danger_gone", "raid-1", "Amber"),
        event(55, "alert_cancelled", "raid-1", "Amber"),
        event(200, "last_impact", "raid-1", "Amber"),
        event(270, "all_clear", "raid-1", "Amber"),
    ]
    assert [result.ok for result in follow(procedure, events)] == [True] * 6
    without_link = [e for e in events if e.kind not in ("track_received", "alert_confirmed")]
    assert [result.ok for result in follow(procedure, without_link)] == [False, True, True, False, True, True]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("within_s = 10.0", "within_s = -10.0", "steps[0].within_s"),
        ("within_s = 10.0", "within_s = nan", "steps[0].within_s"),
        ("within_s = 10.0", 'within_s = "soon"', "steps[0].within_s"),
        ("within_s = 10.0", "", "steps[0].within_s"),
        ("within_s = 20.0", "within_s = 20.0\nfaster = true", "steps[1].faster"),
        ("not_before_s = 60.0", "not_before_s = 121.0", "steps[5].not_before_s"),
        ('trigger = "danger_shown"', 'trigger = "sunrise"', "steps[2].trigger"),
        ('done = "track_received"', 'done = "track_confirmed"', "steps[0].done"),
        ('done_by = "each"', 'done_by = "nobody"', "steps[1].done_by"),
        ('told = "Both command posts"', 'told = " "', "steps[1].told"),
        ("Launch message to both command posts", "First track of a launch passed on", "steps[0].name"),
        ('partners = ["Amber", "Blue"]', 'partners = ["Amber", "Amber"]', "partners"),
        ('name = "Detection', 'title = "x"\nname = "Detection', "title"),
    ],
)
def test_a_wrong_file_is_refused_naming_file_and_key(tmp_path: Path, old: str, new: str, field: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "changed.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        load_procedure(path)
    assert refused.value.field == field
    assert str(refused.value).startswith("changed.toml: ")


@pytest.mark.parametrize("steps", ["steps = []", ""])
def test_a_procedure_without_steps_is_refused(tmp_path: Path, steps: str) -> None:
    path = tmp_path / "empty.toml"
    path.write_text(f'name = "none"\npartners = ["Amber", "Blue"]\n{steps}\n', encoding="utf-8")
    with pytest.raises(BadInput, match=r"empty\.toml: steps"):
        load_procedure(path)
