"""What people say through a node: two behind everything, journalled, replayed, recovered, and out as CAP.

The node, its journal, its recovery and its sinks are real; the picture is empty, so that only people speak.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_alerts import NOW, ZONES, S, config
from world import RADAR

from jointwatch.formats.cap import read_cap
from jointwatch.joint.signing import Signer
from jointwatch.node.dispatch import AtOnce, Dispatch
from jointwatch.node.journal import Journal, read_kept
from jointwatch.node.node import Input, Node
from jointwatch.node.recovery import recover
from jointwatch.node.replay import check_journal
from jointwatch.node.running import RunningNode
from jointwatch.node.scribe import Output
from jointwatch.node.sinks.sink import Answer, ForExercise
from jointwatch.node.snapshot import take_snapshot
from jointwatch.node.store import Row
from jointwatch.records import (
    Advisory,
    Alert,
    Assessed,
    Content,
    Drafted,
    Header,
    LoadLimit,
    ManualAlert,
    Note,
    Released,
    encode,
)  # fmt: skip
from jointwatch.warning.advisories import draft_advisory, withdraw_advisory
from jointwatch.warning.names import same_person
from jointwatch.warning.release import ALERT_LAPSES_S
from jointwatch.warning.standing import VOID_AFTER_NS, epoch_of

CONFIG = config(sensors=(RADAR,), capacity=64, places=("Harbour", "Mill"), languages=("en-US", "he-IL", "ar"))
DAY_NS = 86_400 * S
WINDOW_NS = (NOW, NOW + 3 * DAY_NS)
SHELTER = ManualAlert(action="alert", tier="shelter", reason="seen", zones=("Z1", "Z2"))
CANCEL = ManualAlert(action="cancel", tier="shelter", reason="false_alarm", zones=("Z1",))
ADVISORY = draft_advisory(("Harbour",), WINDOW_NS)


def header(now: int) -> Header:
    return Header(originator="Amber", source="desk", sequence=1, measured_ns=now)


def drafted(content: Content, by: str = "Ann", name: str = "d", now: int = NOW) -> Drafted:
    return Drafted(header=header(now), draft=name, content=content, drafted_by=by)


def releases(node: Node, by: str = "Ben", now: int = NOW) -> list[Released]:
    return [
        Released(header=header(now), draft=d.name, digest=d.digest, released_by=by) for d in node.drafts()
    ]


def assessed(posture: str, to_ns: int = WINDOW_NS[1], now: int = NOW) -> Assessed:
    return Assessed(header=header(now), posture=posture, from_ns=WINDOW_NS[0], to_ns=to_ns)  # type: ignore[arg-type]


def notes(outputs: list[Output]) -> list[str]:
    return [o.kind for o in outputs if isinstance(o, Note)]


def spoken(outputs: list[Output]) -> list[Alert | Advisory]:
    return [o for o in outputs if isinstance(o, Alert | Advisory)]


def say(node: Node, content: Content, now: int = NOW) -> list[Output]:
    """One drafts it and another lets it out."""
    node.step(drafted(content, now=now), now)
    (release,) = releases(node, now=now)
    return node.step(release, now)


@pytest.fixture
def node() -> Node:
    return Node(CONFIG, Journal(None))


def test_a_draft_says_nothing_until_another_person_lets_it_out(node: Node) -> None:
    out = node.step(drafted(SHELTER), NOW)
    assert notes(out) == ["drafted"] and not spoken(out)
    (draft,) = node.drafts()
    assert draft.digest in out[0].detail  # type: ignore[union-attr]
    for by in ("Ann", " ANN "):
        (release,) = releases(node, by)
        assert notes(node.step(release, NOW)) == ["release_refused"]
    (release,) = releases(node)
    out = node.step(release, NOW)
    assert notes(out) == ["released", "alert_issued"]
    (alert,) = spoken(out)
    assert isinstance(alert, Alert) and alert.zones == ("Z1", "Z2") and alert.identifier == "EX-amber-01-0001"
    assert node.drafts() == ()
    assert notes(node.step(release, NOW)) == ["release_refused"], "once is enough"


def test_no_name_and_no_free_text_is_in_what_leaves(node: Node) -> None:
    (alert,) = spoken(say(node, SHELTER))
    assert b"Ann" not in encode(alert) and b"Ben" not in encode(alert)


def test_a_changed_draft_a_lapsed_one_and_an_unknown_one_stay(node: Node) -> None:
    node.step(drafted(SHELTER), NOW)
    (old,) = releases(node)
    node.step(drafted(CANCEL), NOW)
    assert notes(node.step(drafted(CANCEL), NOW)) == ["draft_refused"], "nothing stands that it takes back"
    node.step(drafted(ManualAlert(action="alert", tier="early", reason="seen", zones=("Z1",))), NOW)
    assert notes(node.step(old, NOW)) == ["release_refused"]
    (new,) = releases(node)
    later = NOW + round(ALERT_LAPSES_S * S)
    assert notes(node.step(new, later)) == ["draft_lapsed", "release_refused"]
    assert not spoken(node.step(old, later)) and node.drafts() == ()


def test_a_draft_lapses_while_only_other_things_happen(node: Node) -> None:
    node.step(drafted(SHELTER), NOW)
    later = NOW + round(ALERT_LAPSES_S * S)
    assert "draft_lapsed" in notes(node.step(LoadLimit(header=header(later)), later))


def test_a_cancel_is_two_peoples_too(node: Node) -> None:
    say(node, SHELTER)
    (gone,) = spoken(say(node, CANCEL))
    assert gone.action == "cancel" and gone.identifier == "EX-amber-01-0002"
    (standing,) = node.standing()
    assert set(standing.by_people["shelter"]) == {"Z2"}


def test_what_was_told_since_the_draft_is_not_taken_back(node: Node) -> None:
    say(node, SHELTER)
    node.step(drafted(CANCEL, name="c"), NOW)
    (release,) = releases(node)
    say_again = drafted(SHELTER, name="s")
    node.step(say_again, NOW)
    node.step(next(r for r in releases(node) if r.draft == "s"), NOW)
    assert notes(node.step(release, NOW)) == ["release_refused"]


@pytest.mark.parametrize("exercise", [True, False])
def test_the_node_drafts_what_the_assessment_asks_for_and_a_person_lets_it_out(exercise: bool) -> None:
    node = Node(
        config(sensors=(RADAR,), capacity=64, places=("Harbour", "Mill"), exercise=exercise), Journal(None)
    )
    assert notes(node.step(assessed("watch"), NOW)) == ["drafted"]
    assert not node.standing_advisories(NOW)
    (release,) = releases(node, by="node amber")
    assert notes(node.step(release, NOW)) == ["release_refused"], "the node is no second person"
    (release,) = releases(node, by="duty officer")
    (advisory,) = spoken(node.step(release, NOW))
    assert isinstance(advisory, Advisory) and advisory.places == ("Harbour", "Mill")
    assert (advisory.drafted_by, advisory.reviewed_by) == ("node amber", "duty officer")
    assert advisory.exercise is exercise and advisory.identifier.startswith("EX-") is exercise
    assert node.step(assessed("raised"), NOW) == [] and node.drafts() == (), "it is said already"
    longer = WINDOW_NS[1] + DAY_NS
    node.step(assessed("raised", longer), NOW)
    (release,) = releases(node, by="duty officer")
    (renewed,) = spoken(node.step(release, NOW))
    assert renewed.action == "update" and renewed.references == (advisory.identifier,)
    assert node.standing_advisories(WINDOW_NS[1]) == (renewed,)
    assert node.standing_advisories(longer) == ()
    node.step(assessed("normal"), NOW)
    (release,) = releases(node, by="duty officer")
    (gone,) = spoken(node.step(release, NOW))
    assert gone.action == "cancel" and node.standing_advisories(NOW) == ()


def test_an_assessment_that_asks_for_nothing_takes_its_draft_back(node: Node) -> None:
    node.step(assessed("watch"), NOW)
    node.step(drafted(ADVISORY, name="own"), NOW)
    node.step(assessed("normal"), NOW)
    assert [d.name for d in node.drafts()] == ["own"]


@pytest.mark.parametrize("name", ["assessment", " Assessment", "assess\u200bment", "\u0430ssessment"])
def test_no_draft_of_a_persons_goes_by_the_name_of_the_nodes_own(node: Node, name: str) -> None:
    for before in ("raised", "normal"):
        node.step(assessed(before), NOW)
        kept = node.drafts()
        for content in (SHELTER, ADVISORY):
            assert notes(node.step(drafted(content, name=name), NOW)) == ["draft_refused"]
        assert node.drafts() == kept


def test_a_renewal_that_leaves_a_place_out_is_refused_when_it_is_drafted(node: Node) -> None:
    (advisory,) = spoken(say(node, draft_advisory(("Harbour", "Mill"), WINDOW_NS)))
    fewer = draft_advisory(("Harbour",), WINDOW_NS, renews=advisory.identifier)
    (note,) = node.step(drafted(fewer), NOW + S)
    assert isinstance(note, Note) and note.kind == "draft_refused" and "Mill too" in note.detail
    assert node.standing_advisories(NOW + S) == (advisory,) and node.drafts() == ()


def test_a_draft_for_a_period_that_is_over_is_refused_when_it_is_drafted(node: Node) -> None:
    ends = NOW + 10 * S
    content = draft_advisory(("Harbour",), (NOW - 20 * S, ends))
    (note,) = node.step(drafted(content), ends)
    assert isinstance(note, Note) and note.kind == "draft_refused" and "over" in note.detail
    assert node.drafts() == ()
    assert notes(node.step(drafted(content), ends - 1)) == ["drafted"]
    (release,) = releases(node, now=ends)
    assert notes(node.step(release, ends)) == ["release_refused"]


# ---------------------------------------------------------------------- journal and recovery


class NoShelf:
    def __init__(self, *snapshots: bytes) -> None:
        self.snapshots = snapshots

    def put(self, count: int, data: bytes) -> None: ...

    def newest(self) -> Iterator[bytes]:
        return iter(self.snapshots)


class Rows:
    """A journal's rows in memory."""

    def __init__(self) -> None:
        self.kept: list[Row] = []

    def write(self, rows: Any) -> None:
        self.kept += rows

    def sync(self) -> None: ...

    def rows(self) -> list[Row]:
        return list(self.kept)

    def cut(self, count: int) -> None:
        del self.kept[count:]

    def close(self) -> None: ...


def state(node: Node) -> tuple[Any, ...]:
    return node.journal.digest, node.drafts(), node.standing(), node.advisories()


ACTS = st.tuples(
    st.sampled_from(("draft", "release", "assess", "wait")),
    st.sampled_from(("Ann", "ann", "Ben", "node amber")),
    st.sampled_from(("d", "e")),
    st.sampled_from((SHELTER, CANCEL, ADVISORY, "withdraw")),
    st.sampled_from(("watch", "normal", "raised")),
    st.integers(0, 100),
)


def acted(node: Node, acts: list[Any]) -> Iterator[tuple[Input, int, list[Output]]]:
    """Steps of a node that people speak to as they like."""
    now = NOW
    for what, who, name, content, posture, seconds in acts:
        now += seconds * S
        records: list[Input] = []
        if what == "draft":
            standing = node.standing_advisories(now)
            if content == "withdraw":
                content = withdraw_advisory(standing[-1]) if standing else ADVISORY
            records = [drafted(content, who, name, now)]
        elif what == "release":
            records = [*releases(node, who, now)]
        elif what == "assess":
            records = [assessed(posture, WINDOW_NS[1] + seconds * DAY_NS, now)]
        else:
            records = [LoadLimit(header=header(now))]
        for record in records:
            yield record, now, node.step(record, now)


@settings(max_examples=40, deadline=None)
@given(st.lists(ACTS, max_size=25), st.integers(0, 30))
def test_in_any_order_two_are_behind_all_that_is_said_and_the_journal_has_all(
    acts: list[Any], cut: int
) -> None:
    rows = Rows()
    node = Node(CONFIG, Journal(None, rows))
    before: dict[str, tuple[str, str]] = {}
    shots = [take_snapshot(node)]
    for n, (record, now, out) in enumerate(acted(node, acts)):
        ends = [a for a in spoken(out) if isinstance(a, Alert) and not a.manual]
        assert all(a.action == "all_clear" and now - a.impact_ns >= VOID_AFTER_NS for a in ends)
        if len(spoken(out)) > len(ends):
            assert isinstance(record, Released)
            drafter = before[record.digest][1]
            assert before[record.digest][0] == record.draft
            assert not same_person(record.released_by, drafter)
            assert not same_person(record.released_by, "node amber")
        before |= {draft.digest: (draft.name, draft.drafted_by) for draft in node.drafts()}
        if n == cut:
            shots.append(take_snapshot(node))
    node.journal.sync()
    kept = read_kept(rows.rows(), "a journal")
    for shelf in (NoShelf(), NoShelf(*reversed(shots))):
        again = recover(kept, Journal(None, None, kept), shelf, "a journal")
        assert again.notes == () and state(again.node) == state(node)


def test_a_replay_of_the_file_is_the_same_to_the_bit(tmp_path: Path) -> None:
    path = tmp_path / "people.sqlite"
    node = Node(CONFIG, Journal(path))
    node.step(assessed("watch"), NOW)
    node.step(releases(node)[0], NOW)
    say(node, SHELTER)
    say(node, CANCEL)
    node.journal.close()
    check = check_journal(path)
    assert check.same and check.inputs == 6


def test_what_the_journal_says_was_said_stands_where_this_build_would_refuse_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = Rows()
    node = Node(CONFIG, Journal(None, rows))
    node.step(assessed("watch"), NOW)
    node.step(releases(node)[0], NOW)
    say(node, SHELTER)
    node.journal.sync()
    kept = read_kept(rows.rows(), "a journal")
    monkeypatch.setattr("jointwatch.node.people.Desk.release", lambda *_: (_ for _ in ()).throw(refused()))
    again = recover(kept, Journal(None, None, kept), NoShelf(), "a journal").node
    assert again.drafts() == () and again.standing() == node.standing()
    assert again.advisories() == node.advisories()


def refused() -> Exception:
    from jointwatch.records import BadInput

    return BadInput("draft d", "draft", "it", "another")


class Ear:
    """A sink that may be deaf for a while."""

    exercise = True

    def __init__(self, name: str) -> None:
        self.name, self.heard, self.deaf = name, [], False  # type: ignore[var-annotated]

    def deliver(self, identifier: str, data: bytes) -> Answer:
        if self.deaf:
            return Answer("failed", "deaf")
        self.heard.append((identifier, data))
        return Answer("delivered")


def test_what_people_say_leaves_as_cap_and_after_a_restart_too() -> None:
    rows, ear = Rows(), Ear("ear")

    def start(now: int) -> RunningNode:
        sinks = Dispatch(CONFIG, [ForExercise(ear)], hand=AtOnce)
        return RunningNode(CONFIG, Signer(bytes(32)), rows, NoShelf(), sinks, now)  # type: ignore[arg-type]

    def speak(running: RunningNode, record: Input) -> None:
        running.take(record, NOW)
        for release in releases(running.node):
            running.take(release, NOW)
        running.pump(NOW)

    running = start(NOW)
    speak(running, assessed("watch"))
    speak(running, drafted(SHELTER))
    ear.deaf = True
    speak(running, assessed("watch", WINDOW_NS[1] + DAY_NS))
    speak(running, drafted(CANCEL))
    assert len(ear.heard) == 2
    ear.deaf = False
    later = NOW + 10 * S
    running = start(later)
    running.pump(later)
    running.pump(later)
    messages = [read_cap(data, identifier) for identifier, data in ear.heard]
    assert [m.message_type for m in messages] == ["Alert", "Alert", "Update", "Update"]
    advisory, _, cancel, renewed = messages
    kept = read_kept(rows.rows(), "a journal")
    stem = f"EX-amber-{epoch_of(NOW, kept.digests[0])}"
    assert advisory.identifier == f"{stem}-advisory-01-0001" and cancel.identifier == f"{stem}-01-0002"
    assert [r.identifier for r in renewed.references] == [advisory.identifier]
    for message in messages:
        assert message.status == "Exercise"
        assert {info.language for info in message.infos} == set(CONFIG.languages)
        assert all("Ann" not in str(info) and "Ben" not in str(info) for info in message.infos)
    speak(running, assessed("normal"))
    last = read_cap(ear.heard[-1][1], "ours")
    assert last.message_type == "Cancel" and len(last.references) == 2
    assert len(ZONES) == 4 and running.sinks(later)[0].waiting == 0
