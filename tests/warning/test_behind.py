"""Which tracks are the reason for a zone's alert, which only add to it, and what that means for its end."""

from __future__ import annotations

import pytest
from test_lifecycle import ZONES, S, Watch, shelter, threat

from jointwatch.warning.behind import Threat
from jointwatch.warning.standing import Standing


def added(p: float, impact_s: float = 300.0) -> Threat:
    """Another track that comes down in the village, with this danger to the town."""
    return threat("A-2", impact_s, east_km=6.0, danger={"town": p} if p else {})


def test_what_only_added_to_the_danger_holds_an_alert_by_its_danger_alone() -> None:
    watch = Watch()
    watch.see(threat(), added(0.06))
    assert {track for track, _ in watch.sent[0].alert.evidence} == {"A-1", "A-2"}
    # the one that it was told for broke up while the other, as expected, was no danger to speak of any more
    assert shelter(watch.see(threat(), added(0.001), seconds=int(watch.policy.moved_hold_s) + 2)) == []
    assert shelter(watch.see(added(0.001))) == ["cancel shelter: town"]


def test_what_only_added_and_held_an_alert_is_looked_at_further_before_it_is_released() -> None:
    watch = Watch()
    watch.see(threat(), added(0.06))
    assert shelter(watch.see(added(0.01), seconds=60)) == []
    # a look to the side, and back
    assert shelter(watch.see(added(0.001), seconds=5)) == []
    assert shelter(watch.see(added(0.05), seconds=5)) == []
    hold = int(watch.policy.moved_hold_s)
    assert shelter(watch.see(added(0.001), seconds=hold)) == []
    assert shelter(watch.see(added(0.001), seconds=2)) == ["cancel shelter: town"]


def test_what_is_told_for_several_together_stays_told_while_they_fall_where_they_were_to() -> None:
    watch = Watch()
    third = threat("A-3", danger={"town": 0.06})
    assert shelter(watch.see(added(0.06), third)) == ["alert shelter: town"]
    assert shelter(watch.see(added(0.001), threat("A-3", danger={}), seconds=60)) == []


def test_of_several_together_those_that_were_not_needed_are_no_reason() -> None:
    watch = Watch()
    others = threat("A-1", danger={"town": 0.09}), threat("A-3", danger={"town": 0.09})
    assert shelter(watch.see(*others, added(0.02))) == ["alert shelter: town"]
    assert len(watch.sent[0].alert.evidence) == 3
    watch.see(*others, added(0.0))
    # the first becomes less: it would not be told for it now, but it is told
    watch.see(threat("A-1", danger={"town": 0.07}), added(0.02))
    watch.see(*others, added(0.0), seconds=int(watch.policy.moved_hold_s) + 1)
    assert shelter(watch.see(added(0.0))) == ["cancel shelter: town"]


def test_what_becomes_a_reason_of_its_own_holds_an_alert_as_one() -> None:
    watch = Watch()
    watch.see(threat(), added(0.06))
    watch.see(threat(), added(0.2))
    watch.see(threat(), added(0.06))
    assert shelter(watch.see(added(0.001), seconds=60)) == []


def test_a_small_danger_at_the_last_moment_is_a_reason_as_well() -> None:
    watch = Watch()
    latest_s = 300.0 - ZONES[0].shelter_s - watch.policy.reserve_s
    watch.now_s = latest_s + 1.0
    assert shelter(watch.see(threat(), added(0.05))) == ["alert shelter: town"]
    assert shelter(watch.see(added(0.001), seconds=40)) == []


def test_after_a_restart_any_track_of_an_alert_may_be_its_reason() -> None:
    watch = Watch()
    watch.see(threat(), added(0.06))
    again = Watch(now_s=watch.now_s)
    again.warner.stands(Standing(), [message.alert for message in watch.sent])
    assert shelter(again.see(added(0.01), seconds=5)) == []
    assert shelter(again.see(added(0.001), seconds=60)) == []


@pytest.mark.parametrize(("many", "each"), [(40, 0.08), (40, 0.019), (20, 0.019), (12, 0.05)])
def test_many_small_dangers_together_are_told(many: int, each: float) -> None:
    watch = Watch()
    raid = [threat(f"A-{k}", danger={"town": each}) for k in range(many)]
    sent = shelter(watch.see(*raid, seconds=299))
    assert sent == ["alert shelter: town"] and len(watch.sent[0].alert.evidence) == many


def test_very_many_dangers_are_told_by_the_greatest_of_them() -> None:
    watch = Watch()
    raid = [threat(f"A-{k}", danger={"town": 0.02 + 1e-4 * k}) for k in range(200)]
    assert shelter(watch.see(*raid)) == ["alert shelter: town"]
    assert {track for track, _ in watch.sent[0].alert.evidence} == {f"A-{k}" for k in range(147, 200)}


def test_what_presses_is_behind_an_alert_beside_very_many_that_do_not() -> None:
    watch = Watch()
    crowd = [threat(f"L-{k}", 600.0, danger={"town": 0.05}) for k in range(60)]
    assert shelter(watch.see(*crowd, added(0.04, 60.0), seconds=60)) == ["alert shelter: town"]
    assert watch.sent[0].alert.impact_ns == 60 * S
    # one came down: it ends in an all clear, wherever the others went
    watch.see(*crowd, seconds=3)
    assert shelter(watch.see(seconds=80)) == ["all_clear shelter: town"]


@pytest.mark.parametrize(
    "after",
    [threat("B-2", 400.0, danger={}, aliases=("B-2", "A-1")), threat(impact_s=400.0, danger={})],
    ids=["its number is another's", "its number is back"],
)
def test_what_came_down_came_down_when_it_did(after: Threat) -> None:
    watch = Watch()
    watch.see(threat(impact_s=40.0), seconds=40)
    watch.see(seconds=5)
    watch.see(after, seconds=15)
    assert shelter(watch.see(seconds=52)) == []
    assert shelter(watch.see(seconds=5)) == ["all_clear shelter: town"]


def test_what_broke_up_is_no_sounder_under_another_number() -> None:
    watch = Watch()
    watch.see(threat(), added(0.5), seconds=20)
    vague = {"sigma_m": 5500.0, "aliases": ("R-1", "A-1")}
    watch.see(threat("R-1", danger={"town": 0.021}, **vague), added(0.5))
    assert shelter(watch.see(threat("R-1", danger={"town": 0.002}, **vague))) == ["cancel shelter: town"]


def test_what_is_seen_anew_far_off_keeps_nobody_waiting() -> None:
    watch = Watch()
    watch.see(threat(), added(0.5), seconds=5)
    watch.see(added(0.5), seconds=25)
    far = threat(east_km=40.0, danger={})
    watch.see(far, added(0.5), seconds=2)
    assert shelter(watch.see(far)) == ["cancel shelter: town"]


def test_what_presses_is_behind_an_alert_beside_a_greater_danger_that_does_not() -> None:
    watch = Watch()
    later, soon = threat(impact_s=600.0), added(0.049, 55.0)
    assert shelter(watch.see(later, soon)) == ["alert shelter: town"]
    (alert,) = [m.alert for m in watch.sent if m.alert.tier == "shelter"]
    assert {track for track, _ in alert.evidence} == {"A-1", "A-2"} and alert.impact_ns == 55 * S
    watch.see(later, soon, seconds=55)
    # the one came down, the other broke up
    assert shelter(watch.see(seconds=10)) == []


@pytest.mark.parametrize("other", [0.5, 0.06])
def test_who_looked_aside_while_another_held_an_alert_is_looked_at_further_too(other: float) -> None:
    watch = Watch()
    aside = threat(east_km=40.0, danger={})
    assert shelter(watch.see(threat(), added(other), seconds=5)) == ["alert shelter: town"]
    assert shelter(watch.see(aside, added(other))) == []
    assert shelter(watch.see(aside)) == []
    assert shelter(watch.see(threat(), seconds=60)) == []


def test_one_look_to_the_side_gives_no_all_clear() -> None:
    watch = Watch()
    first, second = threat(impact_s=40.0), threat("A-2")
    assert shelter(watch.see(first, second, seconds=40)) == ["alert shelter: town"]
    watch.see(second, seconds=110)
    assert shelter(watch.see(threat("A-2", east_km=40.0, danger={}))) == []
    assert shelter(watch.see(second, seconds=60)) == []


@pytest.mark.parametrize(
    "changes",
    [{"sigma_m": 2000.0, "danger": {"town": 0.5}}, {"reach_only": True, "danger": {"town": 0.5}}],
    ids=["not known well enough", "seems to burn"],
)
def test_no_all_clear_while_another_danger_is_only_not_known_well_enough(changes: dict[str, object]) -> None:
    watch = Watch()
    other = threat("C-1", impact_s=400.0, **changes)
    watch.see(threat(impact_s=40.0), other, seconds=40)
    assert shelter(watch.see(other, seconds=100)) == []


def test_no_all_clear_while_another_is_still_to_come_down_where_it_was_expected() -> None:
    watch = Watch()
    first = threat(impact_s=40.0)
    watch.see(first, added(0.06, 200.0), seconds=39)
    assert shelter(watch.see(added(0.001, 200.0), seconds=160)) == []
    clear_s = int(watch.policy.clear_after_s)
    assert shelter(watch.see(seconds=clear_s)) == []
    assert shelter(watch.see(seconds=2)) == ["all_clear shelter: town"]


def test_what_came_down_where_it_was_expected_makes_no_cancel_an_all_clear() -> None:
    # one that only added came down in the village; then the one that the town was told for broke up
    watch = Watch()
    watch.see(threat(), added(0.06, 100.0), seconds=5)
    watch.see(threat(), added(0.001, 100.0), seconds=95)
    assert shelter(watch.see(threat(), seconds=5)) == []
    assert shelter(watch.see(seconds=2)) == ["cancel shelter: town"]


@pytest.mark.parametrize("shed", [False, True], ids=["whole", "parts came off it"])
def test_one_that_turns_aside_is_given_looks_unless_parts_came_off_it(shed: bool) -> None:
    watch = Watch()
    watch.see(threat(), seconds=10)
    aside = threat(east_km=80.0, danger={}, shed=shed)
    assert shelter(watch.see(aside)) == (["cancel shelter: town"] if shed else [])
    assert shelter(watch.see(aside, seconds=15)) == ([] if shed else ["cancel shelter: town"])
