"""The link of an exercise delays every frame alike, turns none round, and carries nothing while it is cut."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jointwatch.exercise.link import Link
from jointwatch.exercise.scenario import Scenario
from jointwatch.exercise.scenario_tables import Cut
from jointwatch.exercise.scenario_tables import Link as Stated

S = 1_000_000_000


class Courier:
    """One that has a frame for every partner at any time, and says when it is told that a link is mended."""

    partner = "Amber"

    def __init__(self) -> None:
        self.told: list[str] = []

    def mended(self, to: str) -> None:
        self.told.append(to)

    def frames(self, to: str, _now: int, _streams: object) -> list[bytes]:
        return [to.encode()]


@given(
    delay_s=st.floats(0.0, 3.0),
    cut=st.tuples(st.integers(0, 20), st.integers(1, 10)),
    sent_s=st.lists(st.integers(0, 40), max_size=30).map(sorted),
)
def test_what_was_put_on_arrives_after_the_delay_in_order_unless_it_meets_a_cut(
    scenario: Scenario, delay_s: float, cut: tuple[int, int], sent_s: list[int]
) -> None:
    begin, end = cut[0], sum(cut)
    link = Link(replace(scenario, link=Stated(delay_s=delay_s, cuts=(Cut(from_s=begin, to_s=end),))))
    delay_ns = round(delay_s * 1e9)
    wanted = []
    for k, at_s in enumerate(sent_s):
        link.put("Amber", "Blue", bytes([k]), scenario.start_ns + at_s * S)
        arrival = at_s * S + delay_ns
        if not begin * S <= arrival < end * S:
            wanted.append((scenario.start_ns + arrival, "Amber", "Blue", bytes([k])))
    early = [w for w in wanted if w[0] < scenario.start_ns + 10 * S]
    assert list(link.due(scenario.start_ns + 10 * S - 1)) == early
    assert list(link.due(scenario.start_ns + 100 * S)) == wanted[len(early) :]
    assert not list(link.due(scenario.start_ns + 100 * S)), "each arrives once"


def test_nobody_puts_anything_on_a_link_that_is_cut_and_is_told_once_when_it_is_mended(
    scenario: Scenario,
) -> None:
    link, courier = Link(replace(scenario, link=Stated(cuts=(Cut(from_s=5.0, to_s=8.0),)))), Courier()
    carrier: Any = courier
    carried = [link.carried(carrier, "Blue", scenario.start_ns + s * S, ()) for s in range(11)]
    assert [bool(frames) for frames in carried] == [not 5 <= s < 8 for s in range(11)]
    assert courier.told == ["Blue"]
