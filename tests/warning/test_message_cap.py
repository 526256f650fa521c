"""However much there is to tell, messages stay few; what is urgent never waits, and nothing is forgotten."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.records import Alert, Zone
from jointwatch.warning.behind import Threat
from jointwatch.warning.lifecycle import Message, Warner
from jointwatch.warning.policy import Policy
from jointwatch.warning.standing import MINUTE_NS, Standing

S = 1_000_000_000
ZONES = tuple(
    Zone(
        key=f"z{k}", name=f"z{k}", partner="Amber", longitude_deg=35.0 + 0.2 * k, latitude_deg=32.0,
        shelter_s=30.0, radius_m=1000.0, area=f"area {k // 2}",
    )
    for k in range(12)
)  # fmt: skip


def threat(track: str, zone: int, impact_s: float, p: float = 0.5, sigma_m: float = 1000.0) -> Threat:
    return Threat(
        track, "medium_range", round(impact_s * S), float(np.radians(32.0)),
        float(np.radians(35.0 + 0.2 * zone)), sigma_m, sigma_m, np.array([zone], dtype=np.int64),
        np.array([p], dtype=np.float64), False, True, (track,),
    )  # fmt: skip


def a_warner(policy: Policy) -> Warner:
    return Warner("Amber", "amber", ZONES, policy, True)


def urgent(alert: Alert, threats: list[Threat], policy: Policy) -> bool:
    """Whether an alert could not wait: a cancel, or take shelter where a zone presses."""
    return alert.action == "cancel" or (
        alert.tier == "shelter"
        and alert.action in ("alert", "update")
        and bool(pressing(threats, policy, alert.sent_ns) & set(alert.zones))
    )


def pressing(threats: list[Threat], policy: Policy, now_ns: int) -> set[str]:
    """Keys of zones whose latest useful moment has come (each threat is to one zone)."""
    safe: dict[int, float] = {}
    for t in threats:
        if t.impact_ns - now_ns <= (ZONES[0].shelter_s + policy.reserve_s) * S:
            zone = int(t.zones[0])
            safe[zone] = safe.get(zone, 1.0) * (1.0 - float(t.probability[0]))
    return {ZONES[z].key for z, p in safe.items() if 1.0 - p >= policy.shelter_probability}


RAID = st.lists(
    st.tuples(
        st.integers(0, 11), st.integers(20, 200), st.integers(0, 100), st.sampled_from([0.03, 0.5]),
        st.booleans(),
    ),
    min_size=1, max_size=14,
)  # fmt: skip
"""Objects: zone threatened, seconds to the fall, when it is first seen, its danger, whether it is lost."""


@settings(max_examples=60, deadline=None)
@given(RAID, st.integers(1, 5), st.sampled_from([0.0, 5.0]), st.sampled_from([0.0, 10.0]))
def test_the_cap_holds_but_for_what_is_urgent_and_what_waits_is_told_or_needed_no_more(
    raid: list[tuple[int, int, int, float, bool]], cap: int, group_shelter_s: float, group_s: float
) -> None:
    policy = Policy(most_messages_per_minute=cap, group_shelter_s=group_shelter_s, group_s=group_s)
    warner = a_warner(policy)
    sent: list[Alert] = []
    told: set[str] = set()
    early: set[str] = set()
    for now_s in range(1500):
        now_ns = now_s * S
        threats = [
            threat(f"A-{k}", zone, seen + falls, p)
            for k, (zone, falls, seen, p, lost) in enumerate(raid)
            if seen <= now_s < seen + (0.5 if lost else 1.0) * falls
        ]
        for message in warner.evaluate(now_ns, threats):
            alert = message.alert
            sent.append(alert)
            assert message.since_ns <= now_ns
            within = [a for a in sent if a.sent_ns > now_ns - MINUTE_NS]
            assert len(within) <= cap or urgent(alert, threats, policy)
            zones = told if alert.tier == "shelter" else early
            if alert.action in ("alert", "update"):
                assert not zones & set(alert.zones), "nobody is told twice"
                zones |= set(alert.zones)
            else:
                assert zones >= set(alert.zones), "only what was told is taken back"
                zones -= set(alert.zones)
        lately = {z for a in sent if a.action == "cancel" and a.sent_ns > now_ns - 5 * S for z in a.zones}
        assert told >= pressing(threats, policy, now_ns) - lately, "nobody who presses waits"
    assert not told and not early, "all is taken back in the end"
    assert not warner._waiting


def six_areas(now_s: float, impact_s: float = 400.0) -> list[Threat]:
    return [threat(f"A-{z}", z, impact_s + z) for z in range(12) if now_s >= z]


def test_what_waited_goes_in_one_message_an_area() -> None:
    policy = Policy(most_messages_per_minute=2, early_margin_m=0.0)
    warner = a_warner(policy)
    sent: list[Message] = []
    for now_s in range(200):
        sent += warner.evaluate(now_s * S, six_areas(now_s))
    first, *others = [m for m in sent if m.alert.tier == "shelter"]
    assert first.alert.zones == ("z0",), "the first to be told goes at once, alone"
    two = [m for m in others if len(m.alert.zones) == 2]
    assert two and all(m.since_ns < m.alert.sent_ns for m in two), "they say since when they were due"
    assert [m.alert.sent_ns // S for m in sent] == sorted(m.alert.sent_ns // S for m in sent)


def test_the_earliest_impact_goes_first() -> None:
    warner = a_warner(Policy(most_messages_per_minute=1))
    threats = [threat("A-1", 0, 300.0), threat("A-2", 5, 200.0), threat("A-3", 9, 250.0)]
    (message,) = warner.evaluate(0, threats)
    assert message.alert.zones == ("z5",)


def test_one_that_presses_goes_beyond_the_cap_and_takes_its_area_along() -> None:
    warner = a_warner(Policy(most_messages_per_minute=1))
    warner.evaluate(0, [threat("A-1", 0, 300.0)])
    threats = [
        threat("A-1", 0, 300.0),
        threat("A-2", 2, 55.0),
        threat("A-3", 3, 300.0),
        threat("A-4", 8, 300.0),
    ]
    (message,) = warner.evaluate(S, threats)
    assert message.alert.zones == ("z2", "z3")


def test_shelter_alerts_that_do_not_press_wait_to_be_grouped_where_the_policy_says_so() -> None:
    warner = a_warner(Policy(group_shelter_s=6.0))
    sent = []
    for now_s in range(20):
        sent += [m for m in warner.evaluate(now_s * S, six_areas(now_s)) if m.alert.tier == "shelter"]
    assert [m.alert.zones for m in sent[:2]] == [("z0", "z1"), ("z2", "z3")]
    assert (sent[0].since_ns, sent[0].alert.sent_ns) == (0, 6 * S)
    pressed = a_warner(Policy(group_shelter_s=6.0))
    assert [m.alert.zones for m in pressed.evaluate(0, [threat("A-1", 0, 50.0, sigma_m=500.0)])] == [("z0",)]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 190))
def test_who_takes_over_from_the_alerts_issued_keeps_to_the_same_cap(cap: int, stop_s: int) -> None:
    policy = Policy(most_messages_per_minute=cap)
    first, whole = a_warner(policy), []
    for now_s in range(stop_s):
        whole += first.evaluate(now_s * S, six_areas(now_s, 150.0))
    again = a_warner(policy)
    again.stands(Standing(), [m.alert for m in whole])
    assert again.standing == first.standing
    for now_s in range(stop_s, 260):
        now_ns, threats = now_s * S, [t for t in six_areas(now_s, 150.0) if t.impact_ns > now_s * S]
        for message in again.evaluate(now_ns, threats):
            whole.append(message)
            within = [m for m in whole if m.alert.sent_ns > now_ns - MINUTE_NS]
            assert len(within) <= cap or urgent(message.alert, threats, policy)


def test_the_default_cap_is_far_from_what_one_missile_asks_for() -> None:
    free, capped = a_warner(Policy(most_messages_per_minute=600)), a_warner(Policy())
    for now_s in range(600):
        threats = six_areas(now_s) if now_s < 400 else []
        assert free.evaluate(now_s * S, threats) == capped.evaluate(now_s * S, threats)
