"""What stands told: known from the alerts issued alone, and ended by who would have decided otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from test_lifecycle import Watch, shelter, threat

from jointwatch.warning.standing import Standing


def issued_after_its_series(watch: Watch) -> bool:
    """Whether every message follows only messages that were sent before it."""
    before: set[str] = set()
    for message in watch.sent:
        if not set(message.alert.references) <= before:
            return False
        before.add(message.alert.identifier)
    return True


def told(watch: Watch) -> tuple[Watch, Standing]:
    """Another warner that never saw anything, with what the first one issued."""
    again = Watch(now_s=watch.now_s, sent=list(watch.sent))
    again.warner.stands(Standing(), [m.alert for m in watch.sent])
    return again, again.warner.standing


def test_the_alerts_alone_tell_what_stands_at_every_time() -> None:
    rng, watch = np.random.default_rng(3), Watch()
    seen = set()
    for k in range(60):
        some = [
            threat(
                f"A-{n}", watch.now_s + 90.0, float(rng.uniform(-8.0, 8.0)),
                sigma_m=float(rng.uniform(300, 4000)),
                danger={"town": float(rng.uniform(0.0, 0.5)), "village": float(rng.uniform(0.0, 0.5))},
            )
            for n in range(k // 20, k // 20 + int(rng.integers(0, 3)))
        ]  # fmt: skip
        watch.see(*some, seconds=float(rng.integers(1, 60)))
        again, standing = told(watch)
        assert standing == watch.warner.standing
        assert set(again.warner._told) == set(watch.warner._told)
        assert set(again.warner._early.told) == set(watch.warner._early.told)
        if k % 20 == 19:
            watch.see(seconds=300)  # the raid is over
        seen |= {f"{m.alert.action} {m.alert.tier}" for m in watch.sent}
    assert seen >= {"alert shelter", "update shelter", "cancel shelter", "all_clear early", "update early"}
    assert issued_after_its_series(watch)


def test_who_would_not_have_told_a_zone_ends_what_was_told() -> None:
    watch = Watch()
    watch.see(threat(), seconds=3)
    again, _ = told(watch)
    # the object is gone: it is withdrawn, by a message that follows the one that was sent
    assert shelter(again.see(seconds=watch.policy.hold_s + 2.0)) == ["cancel shelter: town"]
    last = again.sent[-1].alert
    assert last.references == tuple(m.alert.identifier for m in watch.sent if m.alert.tier == "shelter")
    assert last.header.sequence > max(m.alert.header.sequence for m in watch.sent)


def test_it_holds_what_was_told_while_the_track_threatens() -> None:
    watch = Watch()
    watch.see(threat(), seconds=3)
    again, _ = told(watch)
    assert shelter(again.see(threat(), seconds=120)) == []


def test_it_takes_back_what_falls_elsewhere() -> None:
    watch = Watch()
    watch.see(threat(), seconds=3)
    again, _ = told(watch)
    elsewhere = threat(east_km=40.0, danger={})
    assert shelter(again.see(elsewhere, seconds=watch.policy.moved_hold_s + 2.0)) == ["cancel shelter: town"]


def test_it_gives_the_all_clear_after_an_impact() -> None:
    watch = Watch()
    watch.see(threat(impact_s=60.0), seconds=50)
    again, _ = told(watch)
    assert shelter(again.see(seconds=10.0 + watch.policy.clear_after_s + 20.0)) == ["all_clear shelter: town"]


@pytest.mark.parametrize("later_s", [0.0, 5.0])
def test_what_was_never_sent_is_told_and_nothing_follows_it(later_s: float) -> None:
    """This warner decided an alert that the journal does not have."""
    watch = Watch()
    stood = watch.warner.standing
    watch.see(threat())
    watch.warner.stands(stood, [])
    watch.sent.clear()
    assert not watch.warner._told and not watch.warner._early.told
    watch.now_s += later_s
    assert shelter(watch.see(threat())) == ["alert shelter: town"]
    assert watch.sent[0].alert.references == () and watch.sent[0].alert.header.sequence == 1


def test_a_cancel_that_was_never_sent_leaves_the_zone_told() -> None:
    watch = Watch()
    watch.see(threat(), seconds=3)
    watch.see(seconds=watch.policy.hold_s)
    stood, sent = watch.warner.standing, len(watch.sent)
    assert shelter(watch.see()) == ["cancel shelter: town"]
    watch.warner.stands(stood, [])
    del watch.sent[sent:]
    assert shelter(watch.see(threat(), seconds=20)) == []
    assert shelter(watch.see(seconds=watch.policy.hold_s + 2.0)) == ["cancel shelter: town"]
    assert issued_after_its_series(watch)


def test_another_warners_alerts_are_not_its_own() -> None:
    watch = Watch()
    watch.see(threat(), seconds=3)
    other = Watch()
    other.warner.name = "blue"
    other.warner.stands(Standing(), [m.alert for m in watch.sent])
    assert other.warner.standing == Standing() and not other.warner._told


@pytest.mark.parametrize("exercise", [True, False])
def test_an_exercise_s_identifiers_say_so_and_live_ones_do_not(exercise: bool) -> None:
    watch = Watch()
    watch.warner.exercise = exercise
    watch.see(threat(), seconds=3)
    (first, *_) = [m.alert for m in watch.sent if m.alert.tier == "shelter"]
    assert first.exercise is exercise and first.identifier.startswith("EX-") is exercise
    assert Standing().after(first).series["shelter", ""].sent == (first.identifier,)
