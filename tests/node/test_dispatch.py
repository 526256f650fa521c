"""A sink that hangs, raises or answers nonsense holds up neither the node nor another sink."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from made_alerts import NOW, Raid, S, config, outcome
from msgspec.structs import replace

from jointwatch.node.dispatch import AtOnce, Dispatch, OwnThread, render_cap
from jointwatch.node.outbox import SinkState
from jointwatch.node.sinks.sink import Answer, ForExercise, checked
from jointwatch.records import BadInput

CONFIG = config()


class Transport:
    """A transport that does as it is told."""

    exercise = True

    def __init__(self, name: str, does: Callable[[], Any]) -> None:
        self.name, self.does = name, does
        self.heard: list[str] = []

    def deliver(self, identifier: str, data: bytes) -> Any:
        self.heard.append(identifier)
        return self.does()


def good() -> Answer:
    return Answer("delivered")


def run(dispatch: Dispatch, now: int) -> list[tuple[str, str, str]]:
    """Take what became of alerts, as a node does, and hand over what is due."""
    out = []
    while told := dispatch.to_journal(now):
        for one in told:
            record = outcome(one.sink, one.identifier, one.outcome, now, one.detail, one.retry_after_s)
            dispatch.outbox.took(record)
            out.append((one.sink, one.outcome, one.detail))
    dispatch.hand_over(now)
    return out


def until(dispatch: Dispatch, done: Callable[[], bool], now: int = NOW) -> list[tuple[str, str, str]]:
    out = []
    deadline = time.monotonic() + 10.0
    while not done():
        assert time.monotonic() < deadline
        out += run(dispatch, now)
        time.sleep(0.002)
    return out + run(dispatch, now)


def state(dispatch: Dispatch, name: str, now: int = NOW) -> SinkState:
    return next(s for s in dispatch.states(now) if s.name == name)


def test_a_sink_that_hangs_holds_up_nobody_and_shows() -> None:
    gate = threading.Event()
    slow, fine = Transport("slow", lambda: gate.wait(20.0) and Answer("delivered")), Transport("fine", good)
    dispatch = Dispatch(CONFIG, [ForExercise(slow), ForExercise(fine)])
    run(dispatch, NOW)
    raid = Raid()
    began = time.monotonic()
    for n in range(5):
        dispatch.take([raid.says("update" if n else "alert")], NOW)
        until(dispatch, lambda n=n: len(fine.heard) == n + 1)  # type: ignore[misc]
    assert time.monotonic() - began < 5.0
    until(dispatch, lambda: state(dispatch, "fine").delivered == 5)
    hung = state(dispatch, "slow", NOW + 40 * S)
    assert (hung.delivered, hung.waiting, hung.trying_s, hung.exercise) == (0, 5, 40.0, True)
    assert len(slow.heard) == 1
    gate.set()
    until(dispatch, lambda: state(dispatch, "slow").delivered == 5)
    assert slow.heard == fine.heard == [a.identifier for a in raid.sent]
    dispatch.close()


class Odd(BaseException):
    """Something that no one expects."""


def raises(error: BaseException) -> Callable[[], Any]:
    def does() -> Any:
        raise error

    return does


@pytest.mark.parametrize(
    ("does", "said"),
    [
        (raises(ValueError("no such thing\nat all")), "ValueError: no such thing at all"),
        (raises(Odd("?")), "Odd: ?"),
        (raises(SystemExit(3)), "SystemExit: 3"),
        (lambda: None, "no answer but NoneType"),
        (lambda: "delivered", "no answer but str"),
        (lambda: Answer("maybe"), "no answer but Answer"),  # type: ignore[arg-type]
        (lambda: b"\xff" * 10_000, "no answer but bytes"),
    ],
)
def test_a_sink_that_raises_or_answers_nonsense_has_failed_and_is_tried_again(
    does: Callable[[], Any], said: str
) -> None:
    transport = Transport("odd", does)
    dispatch = Dispatch(CONFIG, [ForExercise(transport)])
    run(dispatch, NOW)
    dispatch.take([Raid().says("alert")], NOW)
    told = until(dispatch, lambda: state(dispatch, "odd").failed == 1)
    assert [(o, said in d) for _, o, d in told] == [("failed", True)]
    transport.does = good
    run(dispatch, NOW + 2 * S)
    until(dispatch, lambda: state(dispatch, "odd").delivered == 1, NOW + 2 * S)
    assert state(dispatch, "odd").last_error == ""
    dispatch.close()


def test_what_a_sink_says_is_made_fit_for_a_journal() -> None:
    for after_s, wanted in ((float("nan"), 0.0), (float("inf"), 0.0), (-1.0, 0.0), (3, 3.0), ("x", 0.0)):
        answer = checked(Answer("failed", "a\x00b\n" * 1000, after_s))  # type: ignore[arg-type]
        assert answer.retry_after_s == wanted
        assert answer.detail.isprintable() and len(answer.detail) <= 300


def test_only_one_message_is_under_way_at_a_sink() -> None:
    busy = threading.Semaphore(0)
    at_once: list[int] = []
    inside = threading.Lock()

    def does() -> Answer:
        at_once.append(inside.acquire(blocking=False))
        busy.acquire(timeout=10.0)
        inside.release()
        return Answer("delivered")

    dispatch = Dispatch(CONFIG, [ForExercise(Transport("one", does))])
    run(dispatch, NOW)
    dispatch.take([Raid(n).says("alert") for n in range(1, 6)], NOW)
    for _ in range(20):
        run(dispatch, NOW)
        busy.release()
    until(dispatch, lambda: state(dispatch, "one").delivered == 5)
    assert at_once == [True] * 5
    dispatch.close()


def test_what_is_written_is_cap_of_the_node_s_own_zones() -> None:
    heard: list[bytes] = []

    class Ear(Transport):
        def deliver(self, identifier: str, data: bytes) -> Answer:
            heard.append(data)
            return good()

    dispatch = Dispatch(CONFIG, [ForExercise(Ear("ear", good))], hand=AtOnce)
    run(dispatch, NOW)
    raid = Raid()
    for alert in (raid.says("alert", "Z1", "Z2"), raid.says("cancel", "Z1", "Z2")):
        dispatch.take([alert], NOW)
        run(dispatch, NOW)
    render = render_cap(CONFIG)
    assert heard == [render(raid.sent[0], []), render(raid.sent[1], raid.sent[:1])]


def test_a_zone_that_cannot_be_drawn_is_refused_by_name_before_anything_is_to_be_sent() -> None:
    corner = (35.0, 32.0), (35.000003, 32.0), (35.000003, 32.000003), (35.0, 32.0)
    zones = (*CONFIG.zones, replace(CONFIG.zones[0], key="tiny", radius_m=0.0, rings=(corner,)))
    with pytest.raises(BadInput, match="zone tiny: rings"):
        Dispatch(config(zones=zones), [], hand=AtOnce)


def test_a_thread_ends_when_it_is_told_to() -> None:
    hand = OwnThread(ForExercise(Transport("t", good)))
    hand.close()
    hand._thread.join(5.0)
    assert not hand._thread.is_alive()
