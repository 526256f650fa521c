"""What two people said, taken back: of what has ended meanwhile, and of what nobody takes back at all."""

from __future__ import annotations

import pytest
from made_alerts import NOW, S
from test_people import CANCEL, CONFIG, SHELTER, drafted, header, notes, releases, say, spoken

from jointwatch.node.journal import Journal
from jointwatch.node.node import Node
from jointwatch.records import Alert, LoadLimit, ManualAlert
from jointwatch.warning.standing import VOID_AFTER_NS


@pytest.fixture
def node() -> Node:
    return Node(CONFIG, Journal(None))


def test_a_zone_that_ended_meanwhile_keeps_no_other_in_shelter(node: Node) -> None:
    say(node, SHELTER)
    both = ManualAlert(action="cancel", tier="shelter", reason="false_alarm", zones=("Z1", "Z2"))
    node.step(drafted(both, name="c"), NOW)
    (release,) = releases(node)
    node.step(drafted(CANCEL, name="one"), NOW)
    node.step(next(r for r in releases(node) if r.draft == "one"), NOW)
    out = node.step(release, NOW)
    (gone,) = spoken(out)
    assert isinstance(gone, Alert) and gone.zones == ("Z2",) and gone.action == "cancel"
    assert notes(out) == ["released", "alert_cancelled"]
    assert "ended meanwhile: Z1" in out[0].detail  # type: ignore[union-attr]
    assert not node.standing()[0].people_speak and node.drafts() == ()


def test_a_withdrawal_of_which_nothing_is_left_is_refused(node: Node) -> None:
    say(node, SHELTER)
    node.step(drafted(CANCEL, name="c"), NOW)
    (release,) = releases(node)
    node.step(drafted(CANCEL, name="same"), NOW)
    node.step(next(r for r in releases(node) if r.draft == "same"), NOW)
    out = node.step(release, NOW)
    assert notes(out) == ["release_refused"] and "still stands told" in out[0].detail  # type: ignore[union-attr]


def test_what_nobody_takes_back_gets_an_all_clear_when_it_is_void(node: Node) -> None:
    (alert,) = spoken(say(node, SHELTER))
    later = NOW + VOID_AFTER_NS
    assert not spoken(node.step(LoadLimit(header=header(later - S)), later - S))
    out = node.step(LoadLimit(header=header(later)), later)
    (ended,) = spoken(out)
    assert isinstance(alert, Alert) and isinstance(ended, Alert) and ended.action == "all_clear"
    assert ended.references == (alert.identifier,) and "all_clear" in notes(out)
    assert not node.standing()[0].people_speak
