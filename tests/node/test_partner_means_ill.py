"""What a partner says, well signed, adds to what a node knows and never takes from it, nor from partners."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec.structs import replace
from reported_tracks import START_NS, at_s
from test_node import (
    WESTWARD_DEG,
    announcement,
    empty_look,
    fed,
    left,
    node,
    notes,
    report,
    sealed,
    shelter,
    theirs,
    watching,
)

from jointwatch.node.courier import AGAIN_NS, MESSAGE, RECEIPT, Courier
from jointwatch.records import (
    Alert,
    AnnouncedReport,
    Header,
    ImpactReport,
    LaunchReport,
    Sent,
    TrackBegun,
    TrackletReport,
)


def told(sequence: int, seconds: float = 0.0, sender: str = "Blue") -> Header:
    return Header(
        originator=sender, source=sender, sequence=sequence, measured_ns=at_s(seconds), handling="joint"
    )


def test_a_launch_that_only_a_partner_was_told_of_alarms_no_less() -> None:
    like = announcement(WESTWARD_DEG)
    marked = node()
    marked.step(sealed(9000, AnnouncedReport(header=told(1), rule="", announced=(like,)), 0.0), at_s(0.1))
    said = fed(marked)
    assert [a.zones for a in shelter(said)] == [a.zones for a in shelter(fed(node()))] == [("fern",)]
    ((subject, detail),) = notes(said, "announced_to_partner")
    assert subject == "BLUE-0001" and "orbit-1" in detail
    # what one was told oneself does hold the alarm back
    assert shelter(fed(node(announced=(like,)))) == []


def test_a_partner_that_calls_ones_own_missile_a_part_takes_no_launch_report() -> None:
    rng = np.random.default_rng(1)
    one = node()
    out = one.step(report(1, theirs(0.0, parent="BLUE-0000", hits=20)), at_s(0.1))
    out += watching(one, 40.0, rng)
    assert any(t.aliases[1:] for t in one.picture), "the two are one object"
    assert [o.area.track for o in out if isinstance(o, LaunchReport)]


def test_what_only_a_partner_tracks_is_not_told_on() -> None:
    """Where it comes down and came from is that partner's to tell, to whom it likes."""
    only_theirs = node()
    out = fed(only_theirs)
    assert shelter(out) and any(isinstance(o, LaunchReport) for o in out), "we know and warn"
    assert left(out, ImpactReport) == left(out, LaunchReport) == []
    both = node()
    out = [*both.step(report(1, theirs(0.0)), at_s(0.1)), *watching(both, 40.0, np.random.default_rng(1))]
    assert {i.track for r in left(out, ImpactReport) for i in r.impacts} == {"AMBER-0001"}
    assert {r.area.track for r in left(out, LaunchReport)} <= {"AMBER-0001"}


def test_an_alerts_identifier_is_its_senders_own() -> None:
    one = node()
    zone = Alert(
        header=told(1), identifier="blue-01-0001", action="alert", tier="shelter", partner="Blue",
        zones=("reed",), sent_ns=at_s(0.0), impact_ns=at_s(100.0), evidence=(),
    )  # fmt: skip
    first = one.step(sealed(1, zone, 0.0), at_s(0.1))
    again = one.step(sealed(2, zone, 0.0), at_s(0.2))
    assert notes(first, "alert_confirmed") and notes(again, "rejected")


def test_beginnings_by_the_thousand_are_noted_in_few_words_and_fill_no_memory(monkeypatch: Any) -> None:
    monkeypatch.setattr("jointwatch.joint.picture.MOST_TRACKS", 100)
    one = node()
    many = TrackletReport(
        header=told(1), rule="",
        begun=tuple(
            TrackBegun(number=f"BLUE-{n:05d}", first_ns=START_NS, log_odds=9.0) for n in range(1000)
        ),
    )  # fmt: skip
    out = one.step(sealed(1, many, 0.0), at_s(0.1))
    assert len(notes(out, "track_received")) == 51
    assert "more" in notes(out, "track_received")[-1][1]
    assert one.best.beyond == 900
    # one's own tracks have their place all the same
    watching(one, 20.0, np.random.default_rng(2))
    assert [t.number for t in one.picture] == ["AMBER-0001"]


def test_old_words_wait_and_are_taken_in_the_end() -> None:
    """Each would undo the decisions of minutes: they come into the picture that warns a few at a time."""
    one, now = node(), 100.0
    one.step(empty_look(now, 1), at_s(now))
    taken = []
    for k in range(30):
        second = now + k
        one.step(report(k + 1, replace(theirs(20.0 + 0.1 * k), hits=20 + k)), at_s(second))
        one.step(empty_look(second + 0.5, 2 + k), at_s(second + 0.5))
        taken.append(one.best.at(at_s(second + 0.5))[0].hits if one.best.at(at_s(second + 0.5)) else 0)
    changes = [k for k in range(1, 30) if taken[k] != taken[k - 1]]
    assert 2 <= len(changes) <= 4
    one.step(empty_look(now + 50.0, 100), at_s(now + 50.0))
    (track_,) = one.best.at(at_s(now + 50.0))
    assert track_.hits == 49


# ------------------------------------------------------------------ the courier


def courier_with_backlog(many: int) -> tuple[Courier, Any]:
    from test_node import KEYS

    one = Courier("Amber", KEYS["Amber"], {"Blue": KEYS["Blue"].public.hex()})
    said = Sent(
        header=told(1, 0.0, "Amber"), audience=("Blue",), sequence=1, kind="tracks", rules=(), payload=b"x"
    )
    one.take([replace(said, sequence=n + 1) for n in range(many)])
    return one, said


def test_an_alert_does_not_stand_behind_what_waited_for_the_link() -> None:
    one, said = courier_with_backlog(1200)
    one.take([replace(said, sequence=1201, kind="alerts")])
    frames = [f for f in one.frames("Blue", at_s(60.0), ()) if f[:1] == MESSAGE]
    from jointwatch.records.messages import read_envelope

    assert read_envelope(frames[0][1:]).sequence == 1201


def test_a_clock_put_back_stops_neither_receipts_nor_what_was_lost() -> None:
    one, _ = courier_with_backlog(3)
    first = one.frames("Blue", at_s(3600.0), ())
    assert [f[:1] for f in first] == [RECEIPT, MESSAGE, MESSAGE, MESSAGE] or len(first) == 1
    one, _ = courier_with_backlog(3)
    assert len(one.frames("Blue", at_s(500.0), ())) == 4
    again = one.frames("Blue", at_s(100.0), ())
    assert [f[:1] for f in again] == [RECEIPT, MESSAGE, MESSAGE, MESSAGE]
    assert len(one.frames("Blue", at_s(100.0) + AGAIN_NS // 4, ())) == 0
