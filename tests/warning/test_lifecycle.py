"""When people are told, when they are told no more, and that nobody is told back and forth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from jointwatch.records import Zone
from jointwatch.warning.behind import LAST_S, VAGUE, Threat
from jointwatch.warning.lifecycle import Message, Warner
from jointwatch.warning.policy import Policy

S = 1_000_000_000
EAST_DEG_KM = 1.0 / 94.3
"""Degrees of longitude a kilometre, at 32 degrees north."""
NAMES = ("town", "village", "far city")
ZONES = tuple(
    Zone(
        key=key,
        name=key,
        partner="Amber",
        longitude_deg=35.0 + km * EAST_DEG_KM,
        latitude_deg=32.0,
        shelter_s=30.0,
        radius_m=1000.0,
    )
    for key, km in zip(NAMES, (0.0, 6.0, 300.0), strict=True)
)


def threat(track: str = "A-1", impact_s: float = 300.0, east_km: float = 0.0, **changes: object) -> Threat:
    """A track that falls at impact_s, so far east of the town; danger: probability by zone."""
    danger = changes.pop("danger", {"town": 0.5})
    assert isinstance(danger, dict)
    values: dict[str, object] = {
        "track": track,
        "object_class": "medium_range",
        "impact_ns": round(impact_s * S),
        "latitude_rad": np.radians(32.0),
        "longitude_rad": np.radians(35.0 + east_km * EAST_DEG_KM),
        "sigma_m": 1000.0,
        "zones": np.array([NAMES.index(z) for z in sorted(danger, key=NAMES.index)], dtype=np.int64),
        "probability": np.array([danger[z] for z in sorted(danger, key=NAMES.index)], dtype=np.float64),
        "reach_only": False,
        "sure": True,
        "aliases": (track,),
    }
    values |= changes
    return Threat(**{"open_m": values["sigma_m"], **values})  # type: ignore[arg-type]


@dataclass
class Watch:
    """A warner evaluated once a second, and everything that it sent."""

    policy: Policy = field(default_factory=Policy)
    now_s: float = 0.0
    sent: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.warner = Warner("Amber", "amber", ZONES, self.policy, True)

    def see(self, *threats: Threat, seconds: float = 1.0) -> list[str]:
        """Show the same threats for some seconds; what was sent, as "action tier: zones"."""
        out = []
        for _ in range(round(seconds)):
            for message in self.warner.evaluate(round(self.now_s * S), threats):
                self.sent.append(message)
                a = message.alert
                out.append(f"{a.action} {a.tier}: {' '.join(a.zones)}")
            self.now_s += 1.0
        return out


def shelter(sent: list[str]) -> list[str]:
    return [line for line in sent if " shelter" in line]


def test_a_precise_danger_is_told_at_once_and_only_once() -> None:
    watch = Watch()
    assert watch.see(threat(), seconds=60) == ["alert shelter: town", "alert early: village"]


def test_a_vague_fall_waits_until_the_latest_useful_moment() -> None:
    watch = Watch()
    vague = threat(sigma_m=6000.0)
    latest_s = 300.0 - ZONES[0].shelter_s - watch.policy.reserve_s
    assert shelter(watch.see(vague, seconds=latest_s - 1.0)) == []
    assert shelter(watch.see(vague, seconds=2.0)) == ["alert shelter: town"]


def test_a_wide_fall_that_is_told_by_no_look_keeps_nobody_told_for_another() -> None:
    watch = Watch()
    far_and_wide = threat("B-1", impact_s=900.0, sigma_m=5000.0, open_m=900.0, danger={"town": 0.03})
    assert shelter(watch.see(threat(), far_and_wide, seconds=60)) == ["alert shelter: town"]
    assert shelter(watch.see(far_and_wide, seconds=60)) == ["cancel shelter: town"]


def test_what_no_look_will_tell_more_of_is_told_at_once_however_vague() -> None:
    assert shelter(Watch().see(threat(sigma_m=6000.0, open_m=1000.0), seconds=1)) == ["alert shelter: town"]


def test_small_danger_is_told_only_when_waiting_longer_would_cost() -> None:
    watch = Watch()
    small = threat(
        danger={"town": 0.5 * (watch.policy.shelter_probability + watch.policy.sooner_probability)}
    )
    latest_s = 300.0 - ZONES[0].shelter_s - watch.policy.reserve_s
    assert shelter(watch.see(small, seconds=latest_s - 1.0)) == []
    assert shelter(watch.see(small, seconds=2.0)) == ["alert shelter: town"]


@pytest.mark.parametrize("changes", [{"sure": False}, {"reach_only": True}])
def test_what_may_still_be_something_else_begins_no_shelter_alert(changes: dict[str, bool]) -> None:
    watch = Watch()
    assert shelter(watch.see(threat(danger={"town": 0.9}, **changes), seconds=299)) == []


def test_neighbours_stay_told_while_the_fall_only_becomes_better_known() -> None:
    watch = Watch()
    watch.see(threat(danger={"town": 0.5, "village": 0.15}))
    sharper = threat(sigma_m=300.0, east_km=1.0, danger={"town": 1.0})
    assert shelter(watch.see(sharper, seconds=250)) == []


def test_a_fall_that_moves_elsewhere_releases_the_zone_but_not_before_a_further_look() -> None:
    watch = Watch()
    watch.see(threat())
    elsewhere = threat(east_km=40.0, danger={})
    hold = int(watch.policy.moved_hold_s)
    assert shelter(watch.see(elsewhere, seconds=hold)) == []
    assert shelter(watch.see(elsewhere, seconds=2)) == ["cancel shelter: town"]
    reason = watch.sent[-1].alert.reason
    assert reason and watch.sent[-1].since_ns == 1 * S


def test_one_look_to_the_side_releases_nobody() -> None:
    watch = Watch()
    watch.see(threat())
    assert shelter(watch.see(threat(east_km=40.0, danger={}), seconds=5)) == []
    assert shelter(watch.see(threat(), seconds=60)) == []


@pytest.mark.parametrize(
    "after",
    [(), (threat(sigma_m=1.1 * VAGUE * 1000.0, danger={"town": 0.01}),)],
    ids=["lost", "broken up: suddenly vague"],
)
def test_an_object_that_is_gone_releases_the_zone_quickly(after: tuple[Threat, ...]) -> None:
    watch = Watch()
    watch.see(threat())
    hold = int(watch.policy.hold_s)
    assert hold < watch.policy.moved_hold_s
    assert shelter(watch.see(*after, seconds=hold)) == []
    assert shelter(watch.see(*after, seconds=2)) == ["cancel shelter: town"]


def test_a_track_that_goes_by_another_number_keeps_its_alert_up() -> None:
    watch = Watch()
    watch.see(threat("B-7"))
    renamed = threat("A-3", aliases=("A-3", "B-7"), danger={"town": 0.01})
    assert shelter(watch.see(renamed, seconds=250)) == []


def test_a_track_just_withdrawn_for_does_not_tell_the_zone_again_at_once() -> None:
    watch = Watch()
    watch.see(threat())
    assert shelter(watch.see()) == ["cancel shelter: town"]
    assert shelter(watch.see(threat(), seconds=int(watch.policy.back_s) - 1)) == []
    # another object is another danger
    assert shelter(watch.see(threat("A-9"))) == ["alert shelter: town"]


def test_a_track_that_is_back_for_good_tells_the_zone_again() -> None:
    watch = Watch()
    watch.see(threat())
    assert shelter(watch.see()) == ["cancel shelter: town"]
    told = watch.see(threat(), seconds=int(watch.policy.back_s) + 2)
    assert shelter(told) == ["alert shelter: town"]


def test_the_all_clear_follows_the_last_expected_impact_and_no_vague_other_track_delays_it() -> None:
    watch = Watch()
    watch.see(threat(impact_s=20.0))
    far_and_vague = threat("B-1", impact_s=900.0, sigma_m=9000.0, danger={"town": 0.01})
    watch.see(threat(impact_s=20.0), far_and_vague, seconds=19)
    before = watch.see(far_and_vague, seconds=20.0 + watch.policy.clear_after_s - watch.now_s)
    assert shelter(before) == []
    assert shelter(watch.see(far_and_vague, seconds=3)) == ["all_clear shelter: town"]
    (clear,) = [m for m in watch.sent if m.alert.action == "all_clear"]
    assert clear.since_ns == 20 * S


def test_a_track_lost_just_before_its_impact_came_down() -> None:
    watch = Watch()
    watch.see(threat(impact_s=30.0), seconds=30.0 - LAST_S + 2.0)
    ended = shelter(watch.see(seconds=200))
    assert ended == ["all_clear shelter: town"]


def test_nothing_is_taken_back_in_the_last_seconds() -> None:
    watch = Watch(policy=Policy(moved_hold_s=1.0))
    watch.see(threat(impact_s=30.0), seconds=30.0 - LAST_S + 1.0)
    aside = threat(impact_s=30.0, east_km=40.0, danger={})
    assert shelter(watch.see(aside, seconds=LAST_S - 1.0)) == []


def test_early_notices_are_grouped_and_a_zone_gets_one() -> None:
    watch = Watch()
    growing = [
        threat("A-1", reach_only=True, danger={}),
        threat("A-2", reach_only=True, east_km=300.0, danger={}),
    ]
    first = watch.see(growing[0])
    assert first == ["alert early: town village"]
    assert watch.see(*growing, seconds=watch.policy.group_s - 1.0) == []
    assert watch.see(*growing, seconds=30) == ["update early: far city"]


def test_what_may_be_an_aircraft_begins_no_early_notice_and_ends_none() -> None:
    watch = Watch()
    doubtful = threat(danger={}, sure=False, doubtful=True)
    assert watch.see(doubtful, seconds=30) == []
    assert watch.see(threat(danger={}, sure=False)) == ["alert early: town village"]
    # that it looks like one for a moment takes nothing back
    assert watch.see(doubtful, seconds=30) == []


def test_early_notices_end_together_when_nothing_threatens_any_more() -> None:
    watch = Watch()
    watch.see(threat(impact_s=20.0), seconds=20)
    ended = watch.see(seconds=200)
    assert ended == ["all_clear shelter: town", "all_clear early: village"]


def test_the_two_tiers_are_two_series_and_a_new_raid_begins_new_ones() -> None:
    watch = Watch()
    watch.see(threat(impact_s=20.0), seconds=20)
    watch.see(seconds=200)
    watch.see(threat("A-2", impact_s=watch.now_s + 100.0))
    alerts = [m.alert for m in watch.sent]
    assert len({a.identifier for a in alerts}) == len(alerts)
    for tier in ("early", "shelter"):
        mine = [a for a in alerts if a.tier == tier]
        begun = [a for a in mine if a.action == "alert"]
        assert len(begun) == 2 and all(a.references == () for a in begun)
        assert mine[1].references == (mine[0].identifier,)
    assert [a.header.sequence for a in alerts] == list(range(1, len(alerts) + 1))


def test_the_order_in_which_threats_come_does_not_matter() -> None:
    threats = [threat("A-1"), threat("B-1", east_km=6.0, danger={"village": 0.7, "town": 0.02})]
    one, other = Watch(), Watch()
    one.see(*threats, seconds=5)
    other.see(*threats[::-1], seconds=5)
    assert [m.alert for m in one.sent] == [m.alert for m in other.sent]


def of_burn(impact_s: float, near: tuple[str, ...]) -> Threat:
    """What a burn threatens that no track has taken over, near these zones."""
    zones = np.array([NAMES.index(z) for z in near], dtype=np.int64)
    return threat("A-B1", impact_s, danger={}, sigma_m=80e3, reach_only=True, sure=False, near=zones)


def test_an_early_notice_ends_soon_after_a_burn_turned_out_to_be_nothing() -> None:
    watch = Watch()
    assert watch.see(of_burn(1800.0, ("town", "village")), seconds=20) == ["alert early: town village"]
    quiet_s = watch.policy.clear_after_s
    assert watch.see(seconds=quiet_s - 1.0) == []
    assert watch.see(seconds=3.0) == ["all_clear early: town village"]


def test_an_early_notice_stands_until_what_was_seen_to_come_down_is_down() -> None:
    watch = Watch()
    watch.see(of_burn(120.0, ("town",)), seconds=118)
    # it is seen no more because it is about to come down
    assert watch.see(seconds=watch.policy.clear_after_s) == []
    assert watch.see(seconds=5.0) == ["all_clear early: town"]


def test_what_comes_down_far_from_every_zone_keeps_no_notice_up() -> None:
    watch = Watch()
    far = threat("A-9", 7200.0, danger={}, near=np.array([], dtype=np.int64))
    watch.see(of_burn(60.0, ("town",)), far, seconds=60)
    assert watch.see(far, seconds=watch.policy.clear_after_s + 3.0) == ["all_clear early: town"]
