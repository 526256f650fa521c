"""Others' alerts in a node: taken or refused, journalled, the same from the journal, and never acted on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from world import RADAR

from jointwatch.formats.warning_keys import WarningKey
from jointwatch.formats.xml_signature import sign_cap
from jointwatch.node.config import NodeConfig
from jointwatch.node.journal import FORMAT, Journal, read_journal, read_kept
from jointwatch.node.node import Node
from jointwatch.node.recovery import recover
from jointwatch.node.replay import check_journal
from jointwatch.node.snapshot import open_snapshot, take_snapshot
from jointwatch.node.store import SqliteStore
from jointwatch.records import (
    Alert,
    AlertSender,
    BadInput,
    Header,
    Note,
    OthersAlert,
    ReceivedCap,
    Record,
    codec,
    decode,
)
from jointwatch.warning.policy import Policy

S = 1_000_000_000
START_NS = int(datetime(2026, 1, 5, 22, 0, tzinfo=UTC).timestamp()) * S
SENDER = "north.example"
KEY = WarningKey.made(SENDER, True, START_NS)
CAP = f"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>N-1</identifier>
<sender>{SENDER}</sender><sent>2026-01-05T22:00:00-00:00</sent><status>Exercise</status><msgType>Alert</msgType>
<scope>Public</scope><info><category>Security</category><event>Missile</event><urgency>Immediate</urgency>
<severity>Extreme</severity><certainty>Observed</certainty><headline>Take shelter</headline></info></alert>"""
SIGNED = sign_cap(CAP.encode(), KEY)


def config(*senders: AlertSender) -> NodeConfig:
    return NodeConfig(
        partner="Amber", name="amber-node", sensors=(RADAR,), zones=(), policy=Policy(), territories={},
        alert_senders=senders,
    )  # fmt: skip


LISTENS = config(AlertSender(name=SENDER, certificates=(KEY.certificate.pem().decode(),)))


def received(data: bytes, now_ns: int) -> ReceivedCap:
    header = Header(originator="Amber", source="feed", sequence=1, measured_ns=now_ns)
    return ReceivedCap(header=header, feed="north feed", data=data)


def step(node: Node, data: bytes, after_s: int = 0) -> list[OthersAlert | Note]:
    now_ns = START_NS + after_s * S
    out = node.step(received(data, now_ns), now_ns)
    assert not any(isinstance(output, Alert) for output in out)
    return [output for output in out if isinstance(output, OthersAlert | Note)]


def test_an_alert_is_taken_once_and_what_is_refused_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "amber.journal.sqlite"
    journal = Journal(path)
    node = Node(LISTENS, journal)
    (alert,) = step(node, SIGNED)
    assert isinstance(alert, OthersAlert) and alert.headlines == (("en-US", "Take shelter"),)
    assert alert.header.originator == "Amber" and alert.header.handling == "public"
    for data, reason, word in (
        (SIGNED, "replay", "not taken before"),
        (CAP.encode(), "signature", "Signature"),
        (b"junk", "structure", "well-formed"),
    ):
        (note,) = step(node, data, 1)
        assert isinstance(note, Note) and (note.kind, note.subject) == ("alert_refused", "north feed")
        assert note.detail.startswith(f"{reason}: north feed: ") and word in note.detail
    assert node.others.standing(START_NS + S) == (alert,)
    journal.close()
    check = check_journal(path)
    assert check.same and check.inputs == 4 and check.outputs == 4
    kinds = [type(decode(e.data, "test")).__name__ for e in read_journal(path) if e.direction != "config"]
    assert kinds == ["ReceivedCap", "OthersAlert", *["ReceivedCap", "Note"] * 3]


def test_a_step_that_raises_is_not_in_the_journal_which_is_recovered_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "live.journal.sqlite"
    journal = Journal(None, SqliteStore.live(path, FORMAT))
    node = Node(LISTENS, journal)
    (taken,) = step(node, SIGNED)
    encode = codec.encode

    def none_of_an_alert(record: Record) -> bytes:
        if isinstance(record, OthersAlert):
            raise OverflowError("a time that no record can hold")
        return encode(record)

    with monkeypatch.context() as patch:
        patch.setattr("jointwatch.node.node.encode", none_of_an_alert)
        second = sign_cap(CAP.replace("N-1", "N-2").encode(), KEY)
        with pytest.raises(OverflowError):
            step(node, second, 1)
    # it took half of that, so it takes no other: what it is now no journal yields
    with pytest.raises(RuntimeError, match="again from its journal"):
        step(node, b"junk", 2)
    journal.close()
    kinds = [type(decode(e.data, "test")).__name__ for e in read_journal(path) if e.direction != "config"]
    assert kinds == ["ReceivedCap", "OthersAlert"]
    store = SqliteStore.live(path, FORMAT)
    kept = read_kept(store.rows(), "live")
    recovered = recover(kept, Journal(None, store, kept), NoSnapshots(), "live")
    assert recovered.replayed == 1 and recovered.node.others.standing(START_NS) == (taken,)
    (refused,) = step(recovered.node, b"junk", 2)
    assert isinstance(refused, Note)


def test_a_node_that_listens_to_nobody_says_so() -> None:
    node = Node(config(), Journal(None))
    (note,) = step(node, SIGNED)
    assert isinstance(note, Note) and note.detail.startswith("sender: no sender")
    assert node.others.standing(START_NS) == ()


def test_a_node_of_an_exercise_does_not_start_with_a_live_sender() -> None:
    live = WarningKey.made(SENDER, False, START_NS).certificate.pem().decode()
    with pytest.raises(BadInput, match="one for live"):
        Node(config(AlertSender(name=SENDER, certificates=(live,))), Journal(None))


def test_a_node_goes_on_from_its_snapshot_with_what_it_has_taken() -> None:
    node = Node(LISTENS, Journal(None))
    step(node, SIGNED)
    again = open_snapshot(take_snapshot(node), LISTENS, Journal(None))
    assert again.others.standing(START_NS) == node.others.standing(START_NS) != ()
    (note,) = step(again, SIGNED, 1)
    assert isinstance(note, Note) and "not taken before" in note.detail


def older_journal(path: Path) -> Path:
    """A journal of before there were others' alerts: its configuration does not name them."""
    journal = Journal(None, SqliteStore.live(path, FORMAT))
    fields = msgspec.to_builtins(config())
    del fields["alert_senders"]
    journal.append(0, "config", msgspec.msgpack.encode(fields))
    journal.end()
    step(Node(config(), journal, begun=True), b"junk")
    journal.close()
    return path


class NoSnapshots:
    def put(self, count: int, data: bytes) -> None:
        raise AssertionError("nothing is kept here")

    def newest(self) -> Iterator[bytes]:
        return iter(())


def test_an_older_journal_is_replayed_to_its_own_digest_and_recovered_from(tmp_path: Path) -> None:
    path = older_journal(tmp_path / "old.journal.sqlite")
    check = check_journal(path)
    assert check.same and (check.inputs, check.outputs) == (1, 1)
    store = SqliteStore.live(path, FORMAT)
    kept = read_kept(store.rows(), "old")
    recovered = recover(kept, Journal(None, store, kept), NoSnapshots(), "old")
    assert (recovered.replayed, recovered.notes) == (1, ())
    assert recovered.node.config == config()
