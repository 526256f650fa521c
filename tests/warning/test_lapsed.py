"""What people told and forgot is void at last: its zones get an all clear, but not while danger is seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree
from test_lifecycle import NAMES, ZONES, S, Watch, threat
from test_manual import manual, say

from jointwatch.formats.cap import alert_to_cap
from jointwatch.records import Alert, Tier
from jointwatch.warning.behind import Threat
from jointwatch.warning.standing import VOID_AFTER_NS, Standing, series_of

VOID_S = VOID_AFTER_NS // S


@pytest.mark.parametrize("tier", ["shelter", "early"])
def test_who_was_told_gets_an_all_clear_in_the_same_series_when_the_message_is_void(tier: Tier) -> None:
    watch = Watch()
    (told,) = say(watch, manual("alert", "town", "village", tier=tier))
    assert watch.see(seconds=VOID_S - 1) == []
    assert watch.see() == [f"all_clear {tier}: town village"]
    ended = watch.sent[-1]
    assert series_of(ended.alert) == series_of(told) and ended.alert.references == (told.identifier,)
    assert not ended.alert.manual and ended.alert.reason and ended.since_ns == VOID_S * S
    assert not watch.warner.standing.people_speak and not watch.warner.standing.series_by_people
    assert watch.see(seconds=2000) == [], "once is enough"
    cap = alert_to_cap(ended.alert, ZONES, "amber", [told])
    assert cap.count(b"<info>") == cap.count(b"<responseType>AllClear</responseType>") == 1


def test_the_impact_that_people_tell_of_counts_and_whoever_speaks_again_renews() -> None:
    watch = Watch()
    say(watch, manual(impact_ns=600 * S))
    assert watch.see(seconds=599 + VOID_S) == []
    say(watch, manual())
    watch.now_s -= 1.0
    assert watch.see(seconds=VOID_S) == []
    assert watch.see() == ["all_clear shelter: town"]


@pytest.mark.parametrize(
    "present",
    [
        threat(impact_s=4000.0, danger={"town": 0.3}),
        threat(impact_s=4000.0, danger={"town": 0.01}, sigma_m=20e3),
        threat(impact_s=4000.0, danger={}, reach_only=True, sure=False, near=np.array([0])),
    ],
    ids=["told", "vague", "burning, near"],
)
def test_no_end_is_sent_while_the_node_sees_danger(present: Threat) -> None:
    watch = Watch()
    say(watch, manual())
    sent = watch.see(present, seconds=2 * VOID_S)
    assert not [line for line in sent if "cancel" in line or "all_clear" in line]
    sent = watch.see(seconds=300)
    assert "all_clear shelter: town" in sent and sent[-1].startswith("all_clear early")
    assert watch.warner.standing == Standing(
        series_count=watch.warner.standing.series_count,
        sequence=watch.warner.standing.sequence,
        recent=watch.warner.standing.recent,
    )


def test_what_the_node_told_of_the_zone_ends_at_the_same_moment() -> None:
    watch = Watch()
    watch.see(threat(danger={"town": 0.5}), seconds=5)
    say(watch, manual())
    assert not [line for line in watch.see(seconds=VOID_S - 1) if "town" in line]
    quiet = [(watch.now_s, line) for _ in range(60) for line in watch.see()]
    assert [line for _, line in quiet] == [
        "cancel shelter: town",
        "all_clear shelter: town",
        "all_clear early: village",
    ]
    assert len({at for at, _ in quiet}) == 1


def test_an_early_notice_ends_for_nobody_who_is_told_to_be_in_shelter() -> None:
    watch = Watch()
    say(watch, manual(tier="early"))
    watch.see(seconds=500)
    say(watch, manual())
    assert watch.see(seconds=VOID_S - 1) == []
    assert watch.see() == ["all_clear shelter: town", "all_clear early: town"]


@pytest.mark.parametrize("tier", ["shelter", "early"])
def test_what_an_end_says_is_true_of_each_zone_also_where_it_is_the_first_that_is_read(tier: Tier) -> None:
    watch = Watch()
    told = say(watch, manual(tier=tier))
    watch.see(seconds=500)
    told += say(watch, manual("alert", "village", tier=tier))
    watch.see(seconds=VOID_S - 500)
    (ended,) = [m.alert for m in watch.sent]
    assert ended.zones == ("town",)
    cap = alert_to_cap(ended, ZONES, "amber", told, ("en-US", "he-IL", "ar"))
    ends, holds = [], []
    for info in etree.fromstring(cap).iterfind("{*}info"):
        kind = info.findtext("{*}responseType")
        (ends if kind == "AllClear" else holds).append("".join(info.itertext()))
    assert len(ends) == len(holds) == 3
    assert all("village" in text and "town" not in text for text in holds)
    for text in holds:
        assert not [known for known in ("still", "עדיין", "ما زال", "Stay near") if known in text]
    for text in ends:
        assert not [known for known in ("are down", "כבר נפלו", "سقطت") if known in text]
        assert "town" in text and "village" not in text


ACTS = st.tuples(
    st.sampled_from(("see", "quiet", "alert", "cancel")),
    st.sampled_from(("shelter", "early")),
    st.sets(st.sampled_from(NAMES[:2]), min_size=1).map(sorted),
    st.integers(1, 400),
    st.sampled_from((0.001, 0.05, 0.5)),
    st.booleans(),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(ACTS, max_size=8))
@example(
    [
        ("see", "shelter", ["town", "village"], 1, 0.5, False),
        ("cancel", "shelter", ["town"], 1, 0.5, False),
        ("see", "shelter", ["town"], 1, 0.001, False),
    ]
)
def test_whatever_people_forget_all_that_was_told_is_ended_and_nothing_in_danger(acts: list[Any]) -> None:
    watch, told = Watch(), list[Alert]()
    for n, (what, tier, zones, seconds, p, burning) in enumerate(acts):
        if what in ("alert", "cancel"):
            stood = watch.warner.standing
            if what == "cancel":
                zones = [z for z in zones if z in stood.told[tier] or z in stood.by_people[tier]]
            if zones:
                told += say(watch, manual(what, *zones, tier=tier))
            continue
        watch.sent.clear()
        impact_s = watch.now_s + seconds + 100.0
        danger = dict.fromkeys(zones, p)
        present = [threat(f"A-{n}", impact_s, danger=danger, reach_only=burning)] if what == "see" else []
        # a cancel by people is in the series of what it takes back, which may be the node's own
        tells = [alert for alert in told if alert.manual and alert.action in ("alert", "update")]
        by_people = {series_of(alert) for alert in tells}
        watch.see(*present, seconds=seconds)
        for alert in (m.alert for m in watch.sent):
            if present and alert.action in ("cancel", "all_clear") and series_of(alert) in by_people:
                assert not set(alert.zones) & {"town", "village"}, "both are near the fall"
        told += [m.alert for m in watch.sent]
    watch.sent.clear()
    watch.see(seconds=2 * VOID_S)
    told += [m.alert for m in watch.sent]
    standing = watch.warner.standing
    assert not standing.people_speak and not any(standing.told.values())
    again = Watch(now_s=watch.now_s)
    again.warner.stands(Standing(), told)
    assert again.warner.standing == standing
