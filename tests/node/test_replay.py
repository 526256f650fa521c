"""A node is a pure step over time: its journal comes out again, and an exercise is the same twice."""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jointwatch.exercise.nodes import exercise_key
from jointwatch.exercise.play import play
from jointwatch.exercise.scenario import load_scenario
from jointwatch.joint.signing import seal
from jointwatch.node.config import NodeConfig
from jointwatch.node.journal import Journal, read_journal
from jointwatch.node.node import Node
from jointwatch.node.replay import check_journal, read_account
from jointwatch.records import Alert, BadInput, Header, Note, Received, Sector, Sent, decode, encode

SMALL = Path(__file__).parents[1] / "small.toml"
Played = tuple[Any, Path]


def journal_of(folder: Path, partner: str) -> Path:
    return folder / f"{partner}.journal.sqlite"


def rewritten(source: Path, path: Path, change: Any) -> Path:
    """A journal with an unbroken chain whose entries went through change(n, entry) -> entry or None."""
    journal = Journal(path)
    for n, entry in enumerate(read_journal(source), start=1):
        kept = change(n, entry)
        if kept is not None:
            journal.append(kept.time_ns, kept.direction, kept.data)
    journal.close()
    return path


@pytest.mark.parametrize("partner", ["amber", "blue"])
def test_a_journal_comes_out_again_bit_for_bit(small_played: Played, partner: str) -> None:
    recording, folder = small_played
    result = check_journal(journal_of(folder, partner))
    assert result.same, result
    assert result.outputs > 100
    assert result.digest == recording.digests[partner.capitalize()]


def test_a_journal_says_what_it_holds(small_played: Played) -> None:
    _, folder = small_played
    account = read_account(journal_of(folder, "blue"))
    assert (account.node, account.partner) == ("small-blue", "Blue")
    assert 396 <= account.kinds["in sector"] <= 400
    assert account.kinds["in received"] > 0 and account.kinds["out sent"] > 0
    assert account.entries == 1 + sum(account.kinds.values())
    assert 190 < (account.to_ns - account.from_ns) * 1e-9 <= 200


def test_a_changed_output_is_found_where_it_stands(small_played: Played, tmp_path: Path) -> None:
    _, folder = small_played
    alerts = []

    def later(n: int, entry: Any) -> Any:
        record = decode(entry.data, "") if entry.direction == "out" else None
        if isinstance(record, Alert):
            alerts.append(n)
            if len(alerts) == 2:
                record = msgspec.structs.replace(record, sent_ns=record.sent_ns + 1)
                return msgspec.structs.replace(entry, data=encode(record))
        return entry

    result = check_journal(rewritten(journal_of(folder, "amber"), tmp_path / "j.sqlite", later))
    assert not result.same
    assert result.entry == alerts[1]
    assert "Alert" in result.found and "Alert" in result.wanted


@pytest.mark.parametrize("direction", ["in", "out"])
def test_a_missing_input_or_output_is_found(small_played: Played, tmp_path: Path, direction: str) -> None:
    _, folder = small_played
    entries = list(read_journal(journal_of(folder, "amber")))
    # a report that goes out after a sector: without either, the two no longer belong together
    report = next(
        n
        for n, (before, entry) in enumerate(itertools.pairwise(entries), start=2)
        if before.direction == "in"
        and isinstance(decode(before.data, ""), Sector)
        and entry.direction == "out"
        and isinstance(decode(entry.data, ""), Sent)
    )
    dropped = report - 1 if direction == "in" else report

    def without(n: int, entry: Any) -> Any:
        return None if n == dropped else entry

    result = check_journal(rewritten(journal_of(folder, "amber"), tmp_path / "j.sqlite", without))
    assert not result.same
    assert result.entry is not None and result.entry >= dropped


def test_another_policy_does_not_pass_for_the_same_node(small_played: Played, tmp_path: Path) -> None:
    _, folder = small_played

    def stricter(n: int, entry: Any) -> Any:
        if entry.direction != "config":
            return entry
        config = msgspec.msgpack.decode(entry.data, type=NodeConfig)
        policy = msgspec.structs.replace(config.policy, least_hits=config.policy.least_hits + 6)
        changed = msgspec.structs.replace(config, policy=policy)
        return msgspec.structs.replace(entry, data=msgspec.msgpack.encode(changed))

    assert not check_journal(rewritten(journal_of(folder, "amber"), tmp_path / "j.sqlite", stricter)).same


def test_an_altered_journal_is_refused_and_never_called_a_difference(
    small_played: Played, tmp_path: Path
) -> None:
    _, folder = small_played
    path = tmp_path / "j.sqlite"
    path.write_bytes(journal_of(folder, "amber").read_bytes())
    file = sqlite3.connect(path)
    with file:
        file.execute("UPDATE entry SET time_ns = time_ns + 1 WHERE n = 100")
    file.close()
    for read in (check_journal, read_account):
        with pytest.raises(BadInput, match="entry 100"):
            read(path)


def test_the_same_exercise_and_seed_give_the_same_digests_and_another_seed_others(
    small_played: Played,
) -> None:
    recording, _ = small_played
    scenario = load_scenario(SMALL)
    assert play(scenario, scenario.seed).digests == recording.digests
    other = play(scenario, scenario.seed + 1).digests
    assert all(other[key] != recording.digests[key] for key in other)


def test_a_partner_confirms_an_alert_once_and_refuses_its_own(small_played: Played) -> None:
    recording, folder = small_played
    first = next(read_journal(journal_of(folder, "blue")))
    node = Node(msgspec.msgpack.decode(first.data, type=NodeConfig), Journal(None))
    theirs = next(a for a in recording.pictures["joint"].alerts if a.header.originator == "Amber")
    now = theirs.sent_ns + 200_000_000
    told = msgspec.structs.replace(
        theirs, header=msgspec.structs.replace(theirs.header, handling="joint"), evidence=(), references=()
    )

    def notes(alert: Alert, sequence: int, issuer: str = "Amber") -> list[tuple[str, str]]:
        key = exercise_key(recording.scenario, issuer)
        to = "Blue" if issuer == "Amber" else "Amber"
        data = seal(alert, issuer, (to,), sequence, now, key)
        header = Header(originator="Blue", source="link", sequence=sequence, measured_ns=now)
        out = node.step(Received(header=header, data=data), now)
        return [(o.kind, o.subject) for o in out if isinstance(o, Note)]

    assert notes(told, 1) == [("alert_confirmed", theirs.identifier)]
    assert notes(told, 2) == [("rejected", theirs.identifier)]
    assert notes(told, 1, "Blue") == [("rejected", "Blue")]


def test_alerts_of_a_partner_wait_for_the_link_to_heal(small_played: Played) -> None:
    recording, _ = small_played
    start = recording.scenario.start_ns
    joint = recording.pictures["joint"]
    confirmed = {n.subject: n.header.measured_ns for n in joint.notes if n.kind == "alert_confirmed"}
    delays = {a.identifier: confirmed[a.identifier] - a.sent_ns for a in joint.alerts}
    cut = [a for a in joint.alerts if 60.0 <= (a.sent_ns - start) * 1e-9 < 74.0]
    assert min(delays.values()) >= 0.2e9
    assert all(confirmed[a.identifier] >= start + 75e9 for a in cut)
    assert all(
        delays[a.identifier] < 1.5e9 for a in joint.alerts if not 59.0 < (a.sent_ns - start) * 1e-9 < 75.5
    )
