"""The outbox: the right order, nothing lost and nothing twice, wherever a node stops and begins again."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_alerts import NOW, Raid, S, outcome

from jointwatch.formats.cap import void_ns
from jointwatch.node.outbox import Outbox, is_urgent
from jointwatch.records import Alert, Delivered


def render(alert: Alert, earlier: object) -> bytes:
    return alert.identifier.encode()


def opened(*names: str, most_waiting: int = 1000) -> Outbox:
    """An outbox whose sinks are open."""
    box = Outbox(names, render, most_waiting)
    settle(box, NOW)
    return box


def settle(box: Outbox, now: int) -> list[Delivered]:
    """Journal what is to be journalled, until nothing is."""
    out: list[Delivered] = []
    while told := box.to_journal(now):
        records = [outcome(t.sink, t.identifier, t.outcome, now, t.detail) for t in told]
        for record in records:
            box.took(record)
        out += records
    return out


def deliver_all(box: Outbox, sink: str = "s", now: int = NOW) -> list[str]:
    """All that a sink which takes everything gets now, in order."""
    out = []
    while delivery := box.next(sink, now):
        assert delivery.data == delivery.identifier.encode()
        out.append(delivery.identifier)
        box.took(outcome(sink, delivery.identifier, "delivered", now))
    return out


def fail(box: Outbox, now: int, sink: str = "s", retry_after_s: float = 0.0) -> str:
    """The next attempt is in vain."""
    delivery = box.next(sink, now)
    assert delivery is not None
    box.took(outcome(sink, delivery.identifier, "failed", now, "no answer", retry_after_s))
    return delivery.identifier


def names(*alerts: Alert) -> list[str]:
    return [alert.identifier for alert in alerts]


def test_each_sink_gets_each_alert_once_and_in_order() -> None:
    box, raid = opened("s", "t"), Raid()
    said = [raid.says("alert"), raid.says("update", "Z2", after_s=1.0)]
    for alert in said:
        box.take(alert)
    assert deliver_all(box, "s") == deliver_all(box, "t") == names(*said)
    assert box.next("s", NOW) is None and settle(box, NOW) == []
    state = box.state("s", NOW, True)
    assert (state.delivered, state.waiting, state.failed, state.last_delivered_ns) == (2, 0, 0, NOW)


def test_one_attempt_at_a_time_at_a_sink() -> None:
    box, one, other = opened("s"), Raid(1), Raid(2)
    box.take(one.says("alert"))
    box.take(other.says("alert"))
    first = box.next("s", NOW)
    assert first is not None and box.next("s", NOW + 3 * S) is None
    assert box.state("s", NOW + 3 * S, True).trying_s == 3.0
    box.took(outcome("s", first.identifier, "delivered"))
    assert deliver_all(box) == names(*other.sent)


def test_what_fails_is_tried_again_later_and_later_up_to_a_minute() -> None:
    box, raid, attempts = opened("s"), Raid(), []
    box.take(raid.says("alert", impact_s=600.0))
    for now in range(NOW, NOW + 400 * S, S):
        if box.next("s", now) is not None:
            attempts.append(now)
            box.took(outcome("s", raid.sent[0].identifier, "failed", now))
    waits = [(b - a) // S for a, b in pairwise(attempts)]
    assert waits[:8] == [2, 4, 8, 16, 32, 60, 60, 60]


def test_it_is_given_up_only_when_it_is_void_and_then_it_is_told() -> None:
    box, raid = opened("s"), Raid()
    alert = raid.says("alert")
    box.take(alert)
    fail(box, NOW)
    until_ns = void_ns(alert)
    assert settle(box, until_ns) == []
    assert box.next("s", until_ns) is not None
    box.took(outcome("s", alert.identifier, "failed", until_ns, "no route"))
    (told,) = settle(box, until_ns + 1)
    assert told.outcome == "expired" and "no route" in told.detail
    state = box.state("s", until_ns + 1, True)
    assert (state.given_up, state.waiting, state.failed) == (1, 0, 2)
    assert box.next("s", until_ns + 1) is None


def test_what_is_under_way_is_not_given_up() -> None:
    box, raid = opened("s"), Raid()
    box.take(raid.says("alert"))
    assert box.next("s", NOW) is not None
    assert settle(box, void_ns(raid.sent[0]) + 1) == []
    box.took(outcome("s", raid.sent[0].identifier, "delivered", NOW))
    assert box.state("s", NOW, True).given_up == 0


def test_a_message_the_sink_refuses_does_not_stop_those_after_it() -> None:
    box, raid = opened("s"), Raid()
    first, second = raid.says("alert"), raid.says("update", "Z2")
    box.take(first)
    box.take(second)
    assert box.next("s", NOW) is not None
    box.took(outcome("s", first.identifier, "refused", NOW, "status 400"))
    assert deliver_all(box) == names(second)
    assert box.state("s", NOW, True).given_up == 1


def test_a_later_message_does_not_overtake_and_is_news_enough_to_try_at_once() -> None:
    box, raid = opened("s"), Raid()
    first = raid.says("alert")
    box.take(first)
    for n in range(6):
        fail(box, NOW + n * 100 * S)
    late = NOW + 501 * S
    assert box.next("s", late) is None
    box.take(raid.says("update", "Z2", after_s=501.0))
    assert deliver_all(box, now=late) == names(*raid.sent)


def test_another_series_is_not_held_up_by_one_that_fails() -> None:
    box, one, other = opened("s"), Raid(1), Raid(2)
    box.take(one.says("alert"))
    fail(box, NOW)
    box.take(other.says("alert"))
    assert deliver_all(box) == names(*other.sent)


@pytest.mark.parametrize("action", ["cancel", "all_clear"])
def test_what_is_taken_back_before_it_arrived_never_goes_out_later(action: str) -> None:
    box, raid = opened("s"), Raid()
    box.take(raid.says("alert"))
    fail(box, NOW)
    box.take(raid.says("update", "Z2"))
    back = raid.says(action, "Z1", "Z2", after_s=1.0)
    box.take(back)
    # it waits behind nothing, though a first attempt failed: of that nobody knows whether it arrived
    assert deliver_all(box, now=NOW + S) == names(back)
    assert deliver_all(box, now=NOW + 300 * S) == []
    assert box.state("s", NOW, True).withdrawn == 2


def test_a_cancel_waits_for_the_attempt_that_is_under_way_and_no_longer() -> None:
    for ends in ("delivered", "failed"):
        box, raid = opened("s"), Raid()
        box.take(raid.says("alert"))
        under_way = box.next("s", NOW)
        assert under_way is not None
        back = raid.says("cancel")
        box.take(back)
        assert box.next("s", NOW) is None
        box.took(outcome("s", under_way.identifier, ends))  # type: ignore[arg-type]
        assert deliver_all(box) == names(back)
        assert box.state("s", NOW, True).withdrawn == (ends == "failed")


def test_a_cancel_lasts_as_long_as_what_it_takes_back() -> None:
    box, raid = opened("s"), Raid()
    box.take(raid.says("alert", impact_s=1500.0))
    assert deliver_all(box) == names(*raid.sent)
    back = raid.says("cancel", after_s=10.0)
    box.take(back)
    late = void_ns(raid.sent[0]) - S
    assert late > back.sent_ns + 1000 * S
    assert settle(box, late) == [] and deliver_all(box, now=late) == names(back)


def test_what_people_act_on_at_once_goes_first() -> None:
    box = opened("s")
    early, ended, shelter, gone = Raid(1, "early"), Raid(2, "early"), Raid(3), Raid(4)
    for raid in (early, ended, gone):
        box.take(raid.says("alert"))
    deliver_all(box)
    order = [
        early.says("update", "Z2"), ended.says("all_clear"), shelter.says("alert"), gone.says("cancel"),
    ]  # fmt: skip
    for alert in order:
        box.take(alert)
    assert deliver_all(box) == names(order[2], order[3], order[0], order[1])


def test_an_all_clear_that_alone_still_tells_others_to_take_shelter_goes_first_and_is_not_dropped() -> None:
    box, raid, early = opened("s", most_waiting=2), Raid(1), [Raid(n, "early") for n in (2, 3, 4)]
    box.take(raid.says("alert", "Z1"))
    deliver_all(box)
    box.take(raid.says("update", "Z2"))
    fail(box, NOW)
    for other in early:
        box.take(other.says("alert"))
    # it strikes out the order to Z2, which now stands in it alone
    box.take(raid.says("all_clear", "Z1"))
    dropped = [told.identifier for told in settle(box, NOW) if told.outcome == "dropped"]
    assert raid.sent[-1].identifier not in dropped
    assert deliver_all(box)[0] == raid.sent[-1].identifier
    # where nobody stands told any more it is in no hurry
    box.take(early[2].says("update", "Z3"))
    box.take(raid.says("all_clear", "Z2"))
    assert deliver_all(box) == names(early[2].sent[-1], raid.sent[-1])


def test_what_stands_before_an_urgent_message_in_its_series_goes_with_it() -> None:
    box, early, raid = opened("s"), Raid(1, "early"), Raid(2)
    box.take(raid.says("alert", "Z1", "Z2"))
    deliver_all(box)
    clear = raid.says("all_clear", "Z1")
    order = [early.says("alert"), clear, raid.says("update", "Z3")]
    for alert in order:
        box.take(alert)
    assert deliver_all(box) == names(clear, order[2], order[0])


def test_retry_after_holds_the_whole_sink_and_for_a_minute_at_most() -> None:
    for asked_s, held_s in ((5.0, 5), (1e9, 60)):
        box, raid = opened("s"), Raid()
        box.take(raid.says("alert"))
        fail(box, NOW, retry_after_s=asked_s)
        box.take(Raid(2).says("alert"))
        assert box.next("s", NOW + held_s * S - 1) is None
        assert box.next("s", NOW + held_s * S) is not None


def test_a_clock_that_is_put_back_holds_nothing_up() -> None:
    box, raid = opened("s"), Raid()
    box.take(raid.says("alert"))
    fail(box, NOW + 3600 * S // 6, retry_after_s=30.0)
    assert deliver_all(box, now=NOW) == names(*raid.sent)


def test_when_too_much_waits_early_notices_go_first_and_it_is_told() -> None:
    box = opened("s", most_waiting=4)
    early, clear, shelter, gone = Raid(1, "early"), Raid(2), Raid(3), Raid(4)
    box.take(clear.says("all_clear"))
    box.take(early.says("alert"))
    box.take(early.says("update", "Z2"))
    box.take(shelter.says("alert"))
    assert settle(box, NOW) == []
    box.take(gone.says("cancel"))
    assert [(t.outcome, t.identifier) for t in settle(box, NOW)] == [("dropped", early.sent[0].identifier)]
    for n in range(5, 9):
        box.take(Raid(n).says("alert"))
    dropped = [t.identifier for t in settle(box, NOW)]
    assert dropped == [early.sent[1].identifier, clear.sent[0].identifier]
    # take shelter and cancel are never dropped, so more wait than may
    assert box.state("s", NOW, True).waiting == 6 > 4
    assert len(deliver_all(box)) == 6


def test_what_cannot_be_written_is_given_up_and_told() -> None:
    def breaks(alert: Alert, earlier: object) -> bytes:
        raise RuntimeError("no such zone")

    box, raid = Outbox(["s"], breaks), Raid()
    settle(box, NOW)
    box.take(raid.says("alert"))
    assert box.next("s", NOW) is None
    (told,) = settle(box, NOW)
    assert told.outcome == "refused" and "no such zone" in told.detail


def test_the_earlier_messages_of_a_series_are_handed_to_who_writes() -> None:
    seen = []

    def write(alert: Alert, earlier: object) -> bytes:
        seen.append((alert, list(earlier)))  # type: ignore[call-overload]
        return b"x"

    box, raid = Outbox(["s"], write), Raid()
    settle(box, NOW)
    for alert in (raid.says("alert"), raid.says("update", "Z2"), raid.says("cancel", "Z1")):
        box.take(alert)
        delivery = box.next("s", NOW)
        assert delivery is not None
        box.took(outcome("s", delivery.identifier, "delivered"))
        # long after all before is void, the series still stands
        settle(box, NOW + 10**6 * S)
    assert [(a, b) for a, b in seen] == [(a, raid.sent[:n]) for n, a in enumerate(raid.sent)]


def test_a_new_sink_gets_what_is_in_force_and_nothing_older() -> None:
    past, over, raid = Raid(1), Raid(2), Raid(3)
    journal: list[Alert | Delivered] = [
        past.says("alert", after_s=-10_000.0), over.says("alert"), over.says("cancel"), raid.says("alert"),
    ]  # fmt: skip
    box = Outbox(["new"], render)
    for record in journal:
        box.take(record)  # type: ignore[arg-type]
    assert [t.outcome for t in settle(box, NOW + S)] == ["opened"]
    assert deliver_all(box, "new", NOW + S) == names(over.sent[1], raid.sent[0])
    assert box.state("new", NOW, True).given_up == 0


def test_a_sink_that_is_gone_is_told_so_and_gets_nothing_twice_when_it_returns() -> None:
    raid = Raid()
    journal: list[Alert | Delivered] = [outcome("s", "", "opened"), raid.says("alert")]
    journal.append(outcome("s", raid.sent[0].identifier, "delivered"))
    without = rebuilt(journal, ["other"])
    told = settle(without, NOW)
    assert [(t.sink, t.outcome) for t in told] == [("s", "closed"), ("other", "opened")]
    assert settle(rebuilt([*journal, *told], ["other"]), NOW) == []
    again = rebuilt([*journal, *told, raid.says("update", "Z2")], ["s", "other"])
    assert [(t.sink, t.outcome) for t in settle(again, NOW)] == [("s", "opened")]
    assert deliver_all(again, "s") == names(raid.sent[1])


def rebuilt(journal: list[Alert | Delivered], sinks: list[str], most_waiting: int = 1000) -> Outbox:
    """The outbox that a journal makes."""
    box = Outbox(sinks, render, most_waiting)
    for record in journal:
        if isinstance(record, Alert):
            box.take(record)
        else:
            box.took(record)
    return box


def raids(rng: Random) -> list[Alert]:
    """Some raids, their messages mixed."""
    going = [Raid(n, rng.choice(("early", "shelter"))) for n in range(1, rng.randint(2, 5))]
    out: list[Alert] = []
    time_s = 0.0
    for _ in range(rng.randint(1, 14)):
        raid = rng.choice(going)
        time_s += rng.choice((0.5, 3.0, 400.0))
        first = not raid.sent
        action = "alert" if first else rng.choice(("update", "update", "cancel", "all_clear"))
        zones = rng.sample(["Z1", "Z2", "Z3"], rng.randint(1, 3))
        out.append(raid.says(action, *zones, after_s=time_s))
    return out


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_whatever_fails_and_wherever_it_stops(seed: int) -> None:
    """A node that crashes between any two things it does: before an attempt, in it, after it, before its
    receipt is in the journal."""
    rng = Random(seed)
    alerts = raids(rng)
    last_ns = alerts[-1].sent_ns
    most = rng.choice((3, 1000))
    journal: list[Alert | Delivered] = []
    got: list[str] = []
    """What the sink has, in the order in which it came first."""
    receipted: set[str] = set()
    box, now, left = rebuilt(journal, ["s"], most), NOW, list(alerts)
    well_ns = NOW + rng.randint(0, 500) * S
    for _ in range(3000):
        now += rng.choice((S // 10, S, 20 * S))
        while left and left[0].sent_ns <= now:
            journal.append(left.pop(0))
            if rng.random() < 0.1:
                box = rebuilt(journal, ["s"], most)
            else:
                box.take(journal[-1])  # type: ignore[arg-type]
        for told in box.to_journal(now):
            journal.append(outcome("s", told.identifier, told.outcome, now, told.detail))
            box.took(journal[-1])  # type: ignore[arg-type]
        delivery = box.next("s", now)
        if delivery is not None:
            name = delivery.identifier
            assert name not in receipted
            ends = "delivered" if now > well_ns else rng.choice(("delivered", "failed", "lost", "refused"))
            if ends in ("delivered", "lost") and name not in got:
                got.append(name)
            if rng.random() < 0.2 and ends != "refused":
                box = rebuilt(journal, ["s"], most)  # the receipt is lost
                continue
            what = "failed" if ends == "lost" else ends
            journal.append(outcome("s", name, what, now))  # type: ignore[arg-type]
            box.took(journal[-1])  # type: ignore[arg-type]
            receipted |= {name} if what == "delivered" else set()
        elif rng.random() < 0.05:
            box = rebuilt(journal, ["s"], most)
        if not left and now > last_ns and box.state("s", now, True).waiting == 0:
            break
    state = box.state("s", now, True)
    assert state.waiting == 0
    assert rebuilt(journal, ["s"], most).state("s", now, True) == state
    place = {a.identifier: n for n, a in enumerate(alerts)}
    by_name = {a.identifier: a for a in alerts}
    given_up = {
        r.identifier for r in journal if isinstance(r, Delivered) and r.outcome not in ("delivered", "failed")
    }
    for first in (a for a in alerts if not a.references):
        # within a series nothing came after what follows it
        came = [place[n] for n in got if first.identifier in (n, *by_name[n].references)]
        assert came == sorted(came)
    for alert in alerts:
        followers = [a for a in alerts if alert.identifier in a.references]
        taken_back = any(a.action in ("cancel", "all_clear") for a in followers)
        assert alert.identifier in got or alert.identifier in given_up or taken_back
        if is_urgent(alert):
            dropped = [r for r in journal if isinstance(r, Delivered) and r.outcome == "dropped"]
            assert alert.identifier not in {r.identifier for r in dropped}
