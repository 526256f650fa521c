"""What leaves a node is signed with its own key, of its own kind, and always in the same bytes."""

from __future__ import annotations

import pytest
from made_alerts import NOW, ZONES, Raid, S, config, key, outcome
from msgspec.structs import replace

from jointwatch.formats.cap import read_cap
from jointwatch.formats.warning_keys import WarningKey
from jointwatch.formats.xml_signature import sign_cap, verify_cap
from jointwatch.node.dispatch import AtOnce, Dispatch, render_cap, render_signed
from jointwatch.node.sinks.sink import Answer, ForExercise
from jointwatch.records import BadInput, ManualAlert
from jointwatch.warning.lifecycle import Warner
from jointwatch.warning.manual import manual_alerts
from jointwatch.warning.policy import Policy

EXERCISE, LIVE = config(exercise=True), config(exercise=False)


class Keeps:
    """An exercise's transport that keeps what it is given."""

    name, exercise = "keeps", True

    def __init__(self) -> None:
        self.given: dict[str, bytes] = {}

    def deliver(self, identifier: str, data: bytes) -> Answer:
        assert self.given.setdefault(identifier, data) == data
        return Answer("delivered")

    def close(self) -> None:
        """Nothing is open."""


def test_the_same_alert_is_signed_in_the_same_bytes() -> None:
    raid = Raid()
    first, more = raid.says("alert"), raid.says("update", "Z1", "Z2", after_s=5.0)
    for alert, earlier in ((first, []), (more, [first])):
        written = {render_signed(config(), key(True))(alert, earlier) for _ in range(3)}
        assert len(written) == 1
        (data,) = written
        found = verify_cap(data, "ours", [key(True).certificate], NOW)
        plain = read_cap(render_cap(EXERCISE)(alert, earlier), "plain")
        assert found.message == plain


def test_what_reaches_a_sink_is_signed_and_is_so_after_a_restart() -> None:
    raid, keeps = Raid(), Keeps()
    alert = raid.says("alert")
    for _ in range(2):
        dispatch = Dispatch(EXERCISE, [ForExercise(keeps)], key(True), hand=AtOnce)
        dispatch.outbox.took(outcome("keeps", "", "opened"))
        dispatch.take([alert], NOW)
        assert [told.outcome for told in dispatch.to_journal(NOW)] == ["delivered"]
    verify_cap(keeps.given[alert.identifier], "sent", [key(True).certificate], NOW)


def test_an_exercise_may_do_without_a_key_and_a_live_node_does_not_start_without() -> None:
    Dispatch(EXERCISE, [], hand=AtOnce)
    with pytest.raises(BadInput, match="key: found none, wanted a live key of amber") as refused:
        Dispatch(LIVE, [], hand=AtOnce)
    assert "jointwatch keys new amber --live" in str(refused.value)
    Dispatch(LIVE, [], key(False), hand=AtOnce).check(LIVE)


@pytest.mark.parametrize(
    ("given", "exercise", "sender"),
    [(EXERCISE, False, "amber"), (LIVE, True, "amber"), (EXERCISE, True, "blue"), (LIVE, False, "blue")],
)
def test_a_key_of_another_kind_or_another_s_is_refused(given: object, exercise: bool, sender: str) -> None:
    with pytest.raises(BadInput, match="key: found a key of"):
        Dispatch(given, [], key(exercise, sender), hand=AtOnce)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="key: found a key of"):
        render_signed(given, key(exercise, sender))  # type: ignore[arg-type]


BOTH = config(zones=(*ZONES, replace(ZONES[0], key="B1", partner="Blue")))
WIDE = WarningKey.made("amber", True, NOW - S, also=("amber-Blue",))


def test_a_second_partner_s_zones_are_warned_with_a_key_that_covers_them() -> None:
    keeps = Keeps()
    dispatch = Dispatch(BOTH, [ForExercise(keeps)], WIDE, hand=AtOnce)
    dispatch.outbox.took(outcome("keeps", "", "opened"))
    assert BOTH.senders == ("amber", "amber-Blue")
    for sender, partner, zone in (("amber", "Amber", "Z1"), ("amber-Blue", "Blue", "B1")):
        own = [z for z in BOTH.zones if z.partner == partner]
        watch = Warner(partner, BOTH.sender_to(partner), own, Policy(), True, "20260528.0a1b2c3d")
        says = ManualAlert(action="alert", tier="shelter", reason="seen", zones=(zone,))
        (alert,) = manual_alerts(says, own[:1], watch.standing, {}, watch, NOW)
        assert alert.header.source == sender
        dispatch.take([alert], NOW)
        (told,) = dispatch.to_journal(NOW)
        assert told.outcome == "delivered"
        dispatch.outbox.took(outcome("keeps", told.identifier, "delivered"))
        found = verify_cap(keeps.given[alert.identifier], "theirs", [WIDE.certificate], NOW)
        assert found.message.sender == sender
    assert len(keeps.given) == 2


def test_a_key_that_does_not_cover_a_second_partner_s_zones_is_refused_at_once() -> None:
    for given in (key(True), WarningKey.made("amber", True, NOW - S, also=("amber-Red",))):
        with pytest.raises(BadInput, match="found a certificate that covers amber") as refused:
            Dispatch(BOTH, [], given, hand=AtOnce)
        assert "wanted one that covers amber-Blue too" in str(refused.value)
        assert "jointwatch keys new amber --exercise --also amber-Blue" in str(refused.value)
    Dispatch(EXERCISE, [], WIDE, hand=AtOnce).check(EXERCISE)


def test_a_sender_that_cap_does_not_allow_is_refused_before_anything_is_to_be_said() -> None:
    """Its messages could not be written, and it would be known when the first is due."""
    strange = config(zones=(*ZONES, replace(ZONES[0], key="B1", partner="West Side")))
    with pytest.raises(BadInput, match="sender: found amber-West Side"):
        Dispatch(strange, [], hand=AtOnce)


def test_even_a_key_that_got_in_signs_no_message_of_the_other_kind() -> None:
    for exercise in (True, False):
        alert = Raid(exercise=exercise).says("alert")
        data = render_cap(config(exercise=exercise))(alert, [])
        with pytest.raises(BadInput, match=r"alert.status"):
            sign_cap(data, key(not exercise))
        sign_cap(data, key(exercise))


def test_a_node_warns_in_all_its_languages() -> None:
    told = render_cap(config(languages=("he-IL", "ar")))(Raid().says("alert"), [])
    assert [info.language for info in read_cap(told, "told").infos] == ["he-IL", "ar"]
