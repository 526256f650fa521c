"""Whether a group's stated number was true: who is counted with it, made by hand."""

from __future__ import annotations

from typing import Any

import pytest
from made_recordings import FERN, SMALL, flown, ns, sample

from jointwatch.exercise.recording import Grouped, Sample
from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.exercise.truth import Truth, TruthObject
from jointwatch.joint.groups import LIKE_MS, NEAR_M
from jointwatch.records import Group, Header
from jointwatch.review.grouped import group_figures, true_numbers

AT_S = 60.0


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(SMALL)


def beside(scenario: Scenario, metres: float, faster_ms: float = 0.0) -> TruthObject:
    """A rocket that flies so far along the Earth's axis from the first, and so much faster along it."""
    o = flown(scenario, f"rocket {metres}", FERN, 100.0)
    samples = o.samples.copy()
    samples[:, 2] += metres + faster_ms * (o.times_s - AT_S)
    samples[:, 5] += faster_ms
    return TruthObject(**{name: getattr(o, name) for name in o.__dataclass_fields__} | {"samples": samples})


def stated(members: tuple[str, ...], fewest: int, most: int) -> Group:
    return Group(
        header=Header(originator="Amber", source="test", sequence=1, measured_ns=0),
        members=members, chances=(), number=most, fewest=fewest, most=most,
        centre=(0.0, 0.0, 0.0), velocity=(0.0, 0.0, 0.0), spread=(0.0,) * 6,
    )  # fmt: skip


def told(scenario: Scenario, tracks: dict[str, TruthObject], *groups: Group) -> Grouped:
    time_ns = ns(scenario, AT_S)
    held: list[Sample] = [sample(o, time_ns, number) for number, o in tracks.items()]
    return Grouped("amber", time_ns, list(groups), held)


def numbers(
    scenario: Scenario, *more: TruthObject, tracks: dict[str, TruthObject] | None = None
) -> list[int]:
    """True number of a group of two tracks, each of its own object, beside what else flies."""
    a, b = beside(scenario, 0.0), beside(scenario, 1000.0)
    held = {"A": a, "B": b} | (tracks or {})
    grouped = told(scenario, held, stated(("A", "B"), 2, 2))
    return true_numbers(Truth(scenario.start_ns, [a, b, *more]), grouped)


def test_members_that_are_objects_are_counted(scenario: Scenario) -> None:
    assert numbers(scenario) == [2]


def test_an_object_that_nobody_sees_is_counted_where_it_flies_along(scenario: Scenario) -> None:
    assert numbers(scenario, beside(scenario, 1000.0 + 0.98 * NEAR_M)) == [3]
    assert numbers(scenario, beside(scenario, 1000.0 + 1.02 * NEAR_M)) == [2]
    assert numbers(scenario, beside(scenario, 500.0, 0.98 * LIKE_MS)) == [3]
    assert numbers(scenario, beside(scenario, 500.0, 1.02 * LIKE_MS)) == [2]


def test_an_object_with_a_track_outside_the_group_is_not_counted(scenario: Scenario) -> None:
    near = beside(scenario, 3000.0)
    assert numbers(scenario, near, tracks={"C": near}) == [2]


def test_a_member_that_is_no_object_is_not_counted(scenario: Scenario) -> None:
    a, b = beside(scenario, 0.0), beside(scenario, 1000.0)
    grouped = told(scenario, {"A": a, "B": b}, stated(("A", "B"), 2, 2))
    assert true_numbers(Truth(scenario.start_ns, [a]), grouped) == [1]


def test_each_statement_is_within_or_off_to_one_side(scenario: Scenario) -> None:
    a, b = beside(scenario, 0.0), beside(scenario, 1000.0)
    truth = Truth(scenario.start_ns, [a, b])
    said = [
        told(scenario, {"A": a, "B": b}, stated(("A", "B"), fewest, most))
        for fewest, most in ((2, 2), (1, 2), (0, 1), (3, 4))
    ]
    out: dict[str, Any] = group_figures(truth, said)
    assert out == {"stated": 4, "largest": 2, "within": 0.5, "more": 0.25, "fewer": 0.25}
    assert group_figures(truth, []) == {
        "stated": 0, "largest": 0, "within": None, "more": None, "fewer": None,
    }  # fmt: skip
