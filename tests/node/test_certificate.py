"""A key's certificate ends: it is told in time, refused at a beginning, and no warning waits for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_alerts import S
from test_people import CONFIG, SHELTER, NoShelf, Rows, drafted, releases

from jointwatch.formats.cap import read_cap
from jointwatch.formats.warning_keys import WarningKey
from jointwatch.formats.xml_signature import verify_cap
from jointwatch.joint.signing import Signer
from jointwatch.node.certificate import DAY_NS, SOON_NS, CertificateWatch
from jointwatch.node.dispatch import AtOnce, Dispatch
from jointwatch.node.journal import Journal, read_kept
from jointwatch.node.node import Node
from jointwatch.node.receipts import pump
from jointwatch.node.replay import check_journal
from jointwatch.node.running import RunningNode
from jointwatch.node.sinks.sink import Answer, ForExercise
from jointwatch.records import BadInput, CertificateChecked, Header, Note, decode, encode

BEGINS = 1_780_000_000 * S
KEY = WarningKey.made("amber", True, BEGINS, years=0.5)
ENDS = KEY.certificate.to_ns


class Ear:
    """A sink that looks at no date."""

    name, exercise = "ear", True

    def __init__(self) -> None:
        self.heard: dict[str, bytes] = {}

    def deliver(self, identifier: str, data: bytes) -> Answer:
        self.heard[identifier] = data
        return Answer("delivered")

    def close(self) -> None:
        """Nothing is open."""


class Careful(Ear):
    """A receiver that checks signatures as it should, at its own time."""

    name = "careful"

    def __init__(self, now_ns: int) -> None:
        super().__init__()
        self.now_ns = now_ns

    def deliver(self, identifier: str, data: bytes) -> Answer:
        try:
            verify_cap(data, "theirs", [KEY.certificate], self.now_ns)
        except BadInput as error:
            return Answer("refused", str(error))
        return super().deliver(identifier, data)


def start(rows: Rows, now: int, *ears: Ear, key: WarningKey = KEY) -> RunningNode:
    dispatch = Dispatch(CONFIG, [ForExercise(ear) for ear in ears], key, hand=AtOnce)
    return RunningNode(CONFIG, Signer(bytes(32)), rows, NoShelf(), dispatch, now)  # type: ignore[arg-type]


def speak(running: RunningNode, now: int) -> None:
    running.take(drafted(SHELTER, now=now), now)
    for release in releases(running.node, now=now):
        running.take(release, now)
    running.pump(now)


def told(rows: Rows) -> list[str]:
    """Notes of the certificate in a journal."""
    records = [decode(e.data, "") for e in read_kept(rows.rows(), "a journal").entries[1:]]
    return [r.kind for r in records if isinstance(r, Note) and r.kind.startswith("certificate_")]


@pytest.mark.parametrize("now", [BEGINS - 1, ENDS + 1])
def test_no_node_begins_with_a_certificate_that_does_not_hold(now: int) -> None:
    rows = Rows()
    with pytest.raises(BadInput, match="key's certificate: found that of amber, which holds from") as refused:
        start(rows, now, Ear())
    assert "jointwatch keys new" in str(refused.value)
    assert rows.rows() == [], "nothing is begun"


def test_a_node_says_at_once_that_its_certificate_ends_soon_and_again_every_day() -> None:
    rows, now = Rows(), ENDS - SOON_NS
    running = start(rows, now, Ear())
    assert any("holds until 2026-11-" in note for note in running.notes)
    assert told(rows) == ["certificate_ends_soon"]
    assert "holds until" in running.sinks(now)[0].certificate
    for hours in range(1, 72):
        running.pump(now + hours * 3600 * S)
    assert told(rows) == ["certificate_ends_soon"] * 3
    # nor after each restart
    start(rows, now + 71 * 3600 * S, Ear())
    assert told(rows) == ["certificate_ends_soon"] * 3


def test_of_one_that_holds_for_long_nothing_is_said() -> None:
    rows = Rows()
    running = start(rows, ENDS - SOON_NS - 1, Ear())
    assert running.notes == () and told(rows) == [] and running.sinks(ENDS - SOON_NS - 1)[0].certificate == ""


def test_a_node_whose_certificate_ends_warns_all_the_same_and_says_so() -> None:
    rows, late = Rows(), ENDS + 3600 * S
    ear, careful = Ear(), Careful(late)
    running = start(rows, ENDS - S, ear, careful)
    running.pump(late)
    assert told(rows) == ["certificate_ends_soon", "certificate_ended"]
    speak(running, late)
    ((identifier, data),) = ear.heard.items()
    assert read_cap(data, "heard").identifier == identifier
    # it is this node's signature, as who has its certificate can see
    assert verify_cap(data, "heard", [KEY.certificate], ENDS).certificate == KEY.certificate
    loose, strict = running.sinks(late)
    assert (loose.delivered, loose.given_up, loose.waiting) == (1, 0, 0)
    assert (strict.delivered, strict.given_up) == (0, 1) and "do not hold now" in strict.last_error
    assert all("refused by who looks" in state.certificate for state in (loose, strict))
    kinds = [
        r.kind for e in read_kept(rows.rows(), "j").entries[1:] if isinstance(r := decode(e.data, ""), Note)
    ]
    assert kinds.count("undelivered") == 1


def test_a_node_that_comes_back_with_an_ended_certificate_goes_on_and_says_so() -> None:
    rows, late = Rows(), ENDS + 40 * DAY_NS
    start(rows, BEGINS, Ear())
    ear = Ear()
    running = start(rows, late, ear)
    assert any("signed all the same" in note for note in running.notes)
    assert told(rows) == ["certificate_ended"]
    speak(running, late)
    assert len(ear.heard) == 1
    # a new key: that is told too, and nothing is left to say
    new = WarningKey.made("amber", True, late - S)
    running = start(rows, late + S, Ear(), key=new)
    assert told(rows) == ["certificate_ended", "certificate_holds"]
    assert running.notes == () and running.sinks(late + S)[0].certificate == ""


def test_what_was_told_of_a_certificate_replays(tmp_path: Path) -> None:
    path = tmp_path / "amber.journal.sqlite"
    node = Node(CONFIG, Journal(path), BEGINS)
    dispatch = Dispatch(CONFIG, [ForExercise(Ear())], KEY, hand=AtOnce)
    outputs, _ = pump(node, dispatch, ENDS + 1)
    assert [o.kind for o in outputs if isinstance(o, Note)] == ["certificate_ended"]
    node.journal.close()
    assert check_journal(path).same


@given(
    st.lists(st.integers(-3 * DAY_NS, 3 * DAY_NS), max_size=60),
    st.sampled_from((BEGINS, ENDS - SOON_NS, ENDS)),
)
def test_whatever_the_clock_does_a_bad_state_is_told_and_never_more_than_once_a_day(
    steps: list[int], around: int
) -> None:
    watch, now = CertificateWatch(KEY.certificate), around
    last: CertificateChecked | None = None
    for step in steps:
        now += step
        state = watch.due(now)
        if state is None:
            assert (last.state if last else "holds") == watch._state(now)
            assert watch.said(now) == "" or (last is not None and 0 <= now - last.header.measured_ns < DAY_NS)
            continue
        assert last is None or last.state != state or not 0 <= now - last.header.measured_ns < DAY_NS
        header = Header(originator="Amber", source="key", sequence=1, measured_ns=now)
        last = CertificateChecked(header=header, sender="amber", state=state, detail=watch.words(state))
        assert decode(encode(last), "test") == last
        watch.took(last)
        assert watch.due(now) is None
