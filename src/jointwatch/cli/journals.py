"""The replay command: what a journal holds, and whether it comes out again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jointwatch.cli.play import progress_bar

if TYPE_CHECKING:
    from jointwatch.records import OthersAlert


def replay_journal(path: Path, check: bool, as_json: bool) -> int:
    """Print what the journal holds, or with `check` whether it comes out again; the exit status."""
    if check:
        return _check(path, as_json)
    from jointwatch.node.replay import read_account

    account = read_account(path)
    if as_json:
        print(json.dumps(msgspec.to_builtins(account)))
        return 0
    seconds = (account.to_ns - account.from_ns) * 1e-9
    first = datetime.fromtimestamp(account.from_ns // 1_000_000_000, UTC)
    print(f"{account.node}, a node of {account.partner}: {account.entries:,} entries, an unbroken chain")
    print(f"from {first:%Y-%m-%d %H:%M:%S} UTC, {seconds:.0f} s")
    for kind, count in account.kinds.items():
        direction, _, record = kind.partition(" ")
        print(f"  {direction:<4}{record.replace('_', ' '):<16}{count:>8,}")
    if account.others:
        print("Others' alerts that were taken (they decide nothing):")
    for alert in account.others:
        print(f"  {_other(alert)}")
    print(f"digest {account.digest}")
    return 0


def _other(alert: OthersAlert) -> str:
    """One of others' alerts on a line: when it was sent, by whom, and what it says."""
    from jointwatch.formats.others_words import headline, one_line, places, vouched

    sent = datetime.fromtimestamp(alert.sent_ns // 1_000_000_000, UTC)
    where = places(alert)
    said = f"{headline(alert)} ({where})" if where else headline(alert)
    return f"{sent:%H:%M:%S} {one_line(alert.sender)}, {alert.status} {alert.kind}: {said}; {vouched(alert)}"


def _check(path: Path, as_json: bool) -> int:
    from jointwatch.node.replay import check_journal

    with progress_bar("Recomputing") as shown:
        result = check_journal(path, shown)
    if as_json:
        print(json.dumps(msgspec.to_builtins(result)))
    elif result.same:
        print(f"{path}: the same, bit for bit: {result.outputs:,} outputs from {result.inputs:,} inputs")
        print(f"digest {result.digest}")
    else:
        print(f"{path}: differs from entry {result.entry} on ({result.outputs:,} outputs compared)")
        print(f"  recomputed: {result.found}")
        print(f"  in journal: {result.wanted}")
    return 0 if result.same else 1
