"""What linked nodes shed under load in an exercise, for the summary and its sentence.

In: the notes that the nodes journalled; out: by partner, for how long something was shed, how far the node
was behind at worst, how many plots might begin no chain, and how many looks tracks waited for.
"""

from __future__ import annotations

from typing import Any

from jointwatch.exercise.recording import Recording
from jointwatch.node.load import NOTHING_SHED
from jointwatch.records import Note
from jointwatch.tracking.tracker import SHED_PLOTS, SHED_TRACKS


def shed_under_load(recording: Recording) -> dict[str, dict[str, Any]]:
    """By partner whose node shed anything: `limited_s`, `worst_lag_s`, `plots`, `tracks`."""
    notes: dict[str, list[Note]] = {}
    for note in recording.pictures["joint"].notes:
        if note.kind in ("load_limit", "shed"):
            notes.setdefault(note.header.originator, []).append(note)
    return {
        partner: {
            "limited_s": _limited_s(mine, recording.scenario.end_ns),
            "worst_lag_s": recording.lag_s.get(partner),
            "plots": _count(mine, SHED_PLOTS),
            "tracks": _count(mine, SHED_TRACKS),
        }
        for partner, mine in sorted(notes.items())
    }


def _limited_s(notes: list[Note], end_ns: int) -> float:
    """Seconds for which a limit held."""
    total_ns, since = 0, None
    for note in notes:
        if note.kind != "load_limit":
            continue
        if note.detail.startswith(NOTHING_SHED):
            total_ns += 0 if since is None else note.header.measured_ns - since
            since = None
        elif since is None:
            since = note.header.measured_ns
    return (total_ns + (0 if since is None else max(end_ns - since, 0))) * 1e-9


def _count(notes: list[Note], reason: str) -> int:
    """How many were shed for a reason; a note says "reason: count"."""
    said = [note.detail.rpartition(": ") for note in notes if note.kind == "shed"]
    return sum(int(count) for why, _, count in said if why == reason)
