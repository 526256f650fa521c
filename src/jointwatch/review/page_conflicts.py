"""Disagreements as the report tells them: what two pictures did not agree on, from when to when, and why.

In: what a picture's nodes told; out: rows by time, each conflict once, whichever of the nodes told it first.
"""

from __future__ import annotations

from typing import Any

from jointwatch.exercise.recording import PictureRecord
from jointwatch.review.page_ground import seconds

MEANING = {
    "unseen": "one side looked there and saw nothing",
    "apart": "two tracks of one object, too far apart",
    "phase": "sure of different motions",
    "evidence": "one side keeps missing what the other sees",
    "fall": "expected to come down in different places",
}


def conflict_rows(picture: PictureRecord, start_ns: int) -> list[dict[str, Any]]:
    """Dictionaries of kind (in words), numbers, between, from_s, to_s (None: it never ended) and detail."""
    rows: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = {}
    for told in sorted(picture.disagreements, key=lambda d: d.header.measured_ns):
        same = rows.setdefault((told.kind, told.numbers), [])
        at_s = seconds(told.header.measured_ns, start_ns)
        if told.over:
            for row in same:
                row["to_s"] = at_s
        elif not same or (same[-1]["to_s"] is not None and at_s > same[-1]["to_s"] + 10.0):
            same.append(
                {
                    "kind": MEANING[told.kind],
                    "numbers": list(told.numbers),
                    "between": list(told.between),
                    "from_s": at_s,
                    "to_s": None,
                    "detail": told.detail,
                }
            )
    return sorted((row for same in rows.values() for row in same), key=lambda row: row["from_s"])
