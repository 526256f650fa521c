"""What two people say about zones: in series of their own, taken back by people alone, and then whole."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from test_lifecycle import ZONES, S, Watch, shelter, threat

from jointwatch.records import Alert, BadInput, ManualAlert, Zone
from jointwatch.warning.lifecycle import Warner
from jointwatch.warning.manual import check_ahead, check_known, check_stands, still_standing, zones_named
from jointwatch.warning.standing import Standing, series_of


def manual(action: str = "alert", *zones: str, tier: str = "shelter", **changes: Any) -> ManualAlert:
    reason = "seen" if action == "alert" else "false_alarm"
    values = {"action": action, "tier": tier, "reason": reason, "zones": zones or ("town",), **changes}
    return ManualAlert(**values)


def say(watch: Watch, what: ManualAlert) -> list[Alert]:
    alerts = watch.warner.say(round(watch.now_s * S), what, zones_named(what, watch.warner.zones, "draft"))
    watch.now_s += 1.0
    return alerts


def lines(alerts: list[Alert]) -> list[str]:
    return [f"{a.action} {a.tier}: {' '.join(a.zones)}" for a in alerts]


def test_it_has_a_series_of_its_own_and_numbers_go_on() -> None:
    watch = Watch()
    watch.see(threat())
    decided = [m.alert for m in watch.sent]
    (first,) = say(watch, manual())
    (second,) = say(watch, manual("alert", "village"))
    assert first.action == "alert" and first.references == () and first.manual and not first.evidence
    assert series_of(first) not in {series_of(alert) for alert in decided}
    assert second.action == "update" and second.references == (first.identifier,)
    assert first.header.sequence == max(a.header.sequence for a in decided) + 1
    assert first.exercise and first.identifier.startswith("EX-") and first.reason == "seen"


def test_an_unknown_time_of_impact_is_now_and_one_that_is_past_too() -> None:
    watch = Watch(now_s=100.0)
    assert [a.impact_ns for a in say(watch, manual())] == [100 * S]
    assert [a.impact_ns for a in say(watch, manual(impact_ns=50 * S))] == [101 * S]
    assert [a.impact_ns for a in say(watch, manual(impact_ns=900 * S))] == [900 * S]


def test_nothing_that_is_seen_or_not_seen_takes_it_back_and_nothing_is_said_twice() -> None:
    watch = Watch()
    say(watch, manual())
    say(watch, manual(tier="early"))
    assert watch.see(seconds=400) == []
    watch.see(threat(impact_s=500.0), seconds=5)
    assert not [line for line in watch.see(seconds=400) if "alert" in line or "all_clear" in line]
    assert lines(say(watch, manual("all_clear"))) == ["all_clear shelter: town"] * 2, "the automatic one too"
    assert watch.warner.standing.by_people["shelter"] == {}


def test_an_automatic_alert_of_the_same_zone_is_not_suppressed_by_it() -> None:
    watch, alone = Watch(), Watch()
    say(watch, manual())
    alone.now_s += 1.0
    assert watch.see(threat(), seconds=5) == alone.see(threat(), seconds=5) != []


def test_nobody_reads_that_they_may_leave_while_people_say_to_stay() -> None:
    watch = Watch()
    watch.see(threat(danger={"town": 0.001}))
    watch.see(threat(), threat("A-2", danger={"village": 0.5}), seconds=3)
    say(watch, manual())
    # the objects are gone: the other zone is released, this one not, and no early notice is ended
    assert shelter(watch.see(seconds=800)) == ["cancel shelter: village"]
    assert not [m for m in watch.sent if m.alert.action == "all_clear"]
    ended = say(watch, manual("cancel"))
    assert lines(ended) == ["cancel shelter: town"] * 2, "both series, each by its own message"
    assert len({series_of(a) for a in ended}) == 2 and all(a.references for a in ended)
    assert watch.see(seconds=3000) == [f"all_clear early: {' '.join(z.key for z in ZONES[:2])}"]


def test_people_take_back_an_automatic_alert_and_only_another_track_tells_the_zone_again() -> None:
    watch = Watch()
    watch.see(threat(), seconds=3)
    before = [m.alert for m in watch.sent if m.alert.tier == "shelter"]
    (gone,) = say(watch, manual("cancel"))
    assert series_of(gone) == series_of(before[-1]) and gone.references == (before[-1].identifier,)
    assert gone.evidence == (("A-1", 0.5),)
    assert shelter(watch.see(threat(impact_s=4000.0), seconds=2000)) == []
    renamed = threat("A-9", impact_s=4000.0, aliases=("A-9", "A-1"))
    assert shelter(watch.see(renamed, seconds=5)) == []
    assert shelter(watch.see(threat("A-2", impact_s=4000.0))) == ["alert shelter: town"]


def test_a_track_taken_back_for_one_zone_tells_the_others() -> None:
    watch = Watch()
    both = (threat(impact_s=4000.0), threat("A-2", impact_s=4000.0, danger={"village": 0.5}))
    watch.see(*both, seconds=3)
    assert lines(say(watch, manual("cancel", "town", "village"))) == ["cancel shelter: town village"]
    crossed = threat("A-2", impact_s=4000.0, danger={"town": 0.5, "village": 0.5})
    assert shelter(watch.see(crossed)) == ["alert shelter: town"]


def test_people_take_back_an_early_notice() -> None:
    watch = Watch()
    vague = threat(danger={"town": 0.001})
    watch.see(vague, seconds=3)
    told = [m.alert for m in watch.sent]
    assert [a.tier for a in told] == ["early"]
    (gone,) = say(watch, manual("all_clear", *told[0].zones, tier="early"))
    assert series_of(gone) == series_of(told[0])
    assert watch.see(vague, seconds=200) == []
    assert watch.see(replace(vague, track="A-2", aliases=("A-2",)), seconds=1)[0].startswith("alert early")


def test_each_area_has_its_own_series() -> None:
    zones = [replace(zone, area=area) for zone, area in zip(ZONES, ("north", "south", "north"), strict=True)]
    watch = Watch()
    watch.warner = Warner("Amber", "amber", zones, watch.policy, False)
    first = say(watch, manual(zones=(), area="north"))
    assert lines(first) == ["alert shelter: town far city"] and first[0].area == "north"
    assert not first[0].exercise and not first[0].identifier.startswith("EX-")
    both = say(watch, manual("alert", "town", "village"))
    assert lines(both) == ["update shelter: town", "alert shelter: village"]
    assert lines(say(watch, manual("cancel", "far city", "village", "town"))) == [
        "cancel shelter: town far city",
        "cancel shelter: village",
    ]
    assert watch.warner.standing.series_by_people == {}


def test_what_stands_is_known_from_the_alerts_alone() -> None:
    watch, issued = Watch(), []
    for what in (manual(), manual("alert", "village", tier="early"), None, manual("cancel"), manual()):
        if what is None:
            watch.see(threat(), seconds=4)
            issued += [m.alert for m in watch.sent]
        else:
            issued += say(watch, what)
        again = Watch(now_s=watch.now_s)
        again.warner.stands(Standing(), issued)
        assert again.warner.standing == watch.warner.standing
        assert again.warner._refused == watch.warner._refused
        assert set(again.warner._told) == set(watch.warner._told)
    assert watch.warner.standing.people_speak
    # who took it from the alerts goes on as who never stopped
    assert again.see(threat(), seconds=2) == watch.see(threat(), seconds=2)


def test_of_an_area_only_what_stands_is_left_to_take_back() -> None:
    watch = Watch()
    zones = [replace(zone, area="north") for zone in ZONES]
    watch.warner = Warner("Amber", "amber", zones, watch.policy, True)
    say(watch, manual("alert", "town", "village", area=""))
    what = manual("all_clear", zones=(), area="north")
    left, ended = still_standing(what, zones, watch.warner.standing, "draft d")
    assert (left.zones, left.area, ended) == (("town", "village"), "", ("far city",))
    assert lines(say(watch, left)) == ["all_clear shelter: town village"]
    with pytest.raises(BadInput, match="still stands told"):
        still_standing(what, zones, watch.warner.standing, "draft d")
    assert still_standing(manual(), zones, watch.warner.standing, "draft d") == (manual(), ())


@pytest.mark.parametrize("ahead_s", [-900, 0, 21_600])
def test_an_impact_beyond_any_flight_is_a_slip(ahead_s: int) -> None:
    check_ahead(manual(impact_ns=(1000 + ahead_s) * S), 1000 * S, "draft d")
    check_ahead(manual("cancel"), 1000 * S, "draft d")
    with pytest.raises(BadInput, match="impact_ns"):
        check_ahead(manual(impact_ns=(1000 + 21_601) * S), 1000 * S, "draft d")


@pytest.mark.parametrize(
    ("what", "field"),
    [
        (manual("alert", "nowhere"), "zones"),
        (manual("alert", "town", "town"), "zones"),
        (manual(area="north"), "zones"),
        (manual(zones=()), "zones"),
        (manual(zones=(), area="nowhere"), "area"),
        (manual("cancel", impact_ns=5), "impact_ns"),
    ],
)
def test_what_cannot_be_meant_is_refused(what: ManualAlert, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        zones_named(what, ZONES, "draft d")
    assert refused.value.field == field


def test_nobody_takes_back_what_was_never_told_or_what_they_did_not_know_of() -> None:
    watch = Watch()
    town: tuple[Zone, ...] = ZONES[:1]
    with pytest.raises(BadInput, match="stands told"):
        check_stands(manual("cancel"), town, watch.warner.standing, "draft d")
    say(watch, manual())
    drafted_after = watch.warner.standing.sequence
    check_stands(manual("cancel"), town, watch.warner.standing, "draft d")
    check_known(manual("cancel"), town, watch.warner.standing, drafted_after, "draft d")
    watch.see(threat())
    with pytest.raises(BadInput, match="since the draft"):
        check_known(manual("cancel"), town, watch.warner.standing, drafted_after, "draft d")
    check_known(manual("alert"), town, watch.warner.standing, drafted_after, "draft d")
