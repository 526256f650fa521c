"""Others' alerts as the report tells them: what each node took and what became of it, and what it refused.

In: what the linked nodes heard (`exercise.hearing`); out: plain rows for the page and counts for the summary.
All of it is others' word, shown beside one's own alerts: nothing here was decided by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from jointwatch.exercise.hearing import Heard
from jointwatch.formats.others_words import headline, one_line, places
from jointwatch.records import Note, OthersAlert
from jointwatch.review.page_ground import seconds


def others_summary(heard: Mapping[str, Heard], end_ns: int) -> dict[str, Any]:
    """By partner: taken, standing (at the end), refused (by reason), and each source's state."""
    return {
        partner: {
            "taken": len(h.taken),
            "standing": sum(_became(alert, h.taken, end_ns)[0] == "stands" for alert in h.taken),
            "refused": {reason: len(notes) for reason, notes in _by_reason(h.refused).items()},
            "sources": [msgspec.to_builtins(state) for state in h.sources],
        }
        for partner, h in heard.items()
    }


def others_rows(heard: Mapping[str, Heard], start_ns: int, end_ns: int) -> dict[str, Any]:
    """`taken`, `refused` and `sources`, as `review.report` has them; empty where nothing was listened to."""
    if not heard:
        return {}
    taken = [(alert, partner) for partner, h in heard.items() for alert in h.taken]
    taken.sort(key=lambda pair: (pair[0].sent_ns, pair[0].header.measured_ns, pair[1], pair[0].identifier))
    return {
        "taken": [_row(alert, partner, heard[partner].taken, start_ns, end_ns) for alert, partner in taken],
        "refused": [
            {
                "partner": partner,
                "source": source,
                "reason": reason,
                "count": len(notes),
                "t": seconds(notes[-1].header.measured_ns, start_ns),
                "example": notes[-1].detail.partition(": ")[2],
            }
            for partner, h in heard.items()
            for source in dict.fromkeys(note.subject for note in h.refused)
            for reason, notes in _by_reason([n for n in h.refused if n.subject == source]).items()
        ],
        "sources": [
            {"partner": partner, "name": s.name, "looks": s.looks, "failed": s.failed, "brought": s.brought}
            | {"waiting": s.waiting, "dropped": s.dropped, "left_out": s.left_out, "error": s.last_error}
            | {"last_good_t": seconds(s.last_good_ns, start_ns) if s.last_good_ns else None}
            for partner, h in heard.items()
            for s in h.sources
        ],
    }


def _by_reason(notes: Sequence[Note]) -> dict[str, list[Note]]:
    found: dict[str, list[Note]] = {}
    for note in notes:
        found.setdefault(note.detail.partition(":")[0], []).append(note)
    return found


def _row(
    alert: OthersAlert, partner: str, taken: Sequence[OthersAlert], start_ns: int, end_ns: int
) -> dict[str, Any]:
    became, when_ns = _became(alert, taken, end_ns)
    return {
        "partner": partner,
        "sender": one_line(alert.sender),
        "source": alert.feed,
        "status": alert.status,
        "kind": alert.kind,
        "id": alert.identifier,
        "what": headline(alert),
        "where": places(alert),
        "sent_t": seconds(alert.sent_ns, start_ns),
        "taken_t": seconds(alert.header.measured_ns, start_ns),
        "until_t": None if alert.kind == "Cancel" else seconds(alert.expires_ns, start_ns),
        "verified_by": alert.verified_by,
        "became": became,
        "became_t": None if when_ns is None else seconds(when_ns, start_ns),
    }


def _became(alert: OthersAlert, taken: Sequence[OthersAlert], end_ns: int) -> tuple[str, int | None]:
    """What had become of an alert by end_ns, and when (ns): stands, expired, replaced, withdrawn; of a
    withdrawal nothing ("") does."""
    if alert.kind == "Cancel":
        return "", None
    for later in taken:
        same = later.sender == alert.sender and bool(later.verified_by) == bool(alert.verified_by)
        names = [(r.sender, r.identifier, r.sent_ns) for r in later.references]
        if same and later.kind != "Alert" and (alert.sender, alert.identifier, alert.sent_ns) in names:
            word = "withdrawn" if later.kind == "Cancel" else "replaced"
            return word, later.header.measured_ns
    return ("expired", alert.expires_ns) if alert.expires_ns <= end_ns else ("stands", None)
