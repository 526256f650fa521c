"""Burns as the report's map draws them: a launch area and an expected impact, before any radar has a track.

In: a picture's launch reports and what became of its burns; out: a row for each burn, with what was told of
it at each time.  What two linked nodes both told of one launch is drawn once, as who told it first had it.
"""

from __future__ import annotations

from typing import Any

from jointwatch.exercise.recording import PictureRecord
from jointwatch.records import LaunchReport
from jointwatch.review.burning import Burned, same_launches, stretches
from jointwatch.review.page_ground import region, seconds
from jointwatch.review.page_launches import launch_row, words

STANDS_S = 600.0
"""A burn without a track and without an expected impact is drawn for so long after its last report."""


def burn_rows(picture: PictureRecord, burned: Burned, start_ns: int) -> list[dict[str, Any]]:
    """Dictionaries of a burn's number, the track it became ("" for none) and three times, s from the start.

    told: [[t, {class, launch, impact}]] by time; launch as of a track (`page_launches.launch_row`), impact
    [lon, lat, ..., impact_t] as `page_ground.region`, or None.  tracked: from when on a track shows where it
    is; over: from when on the launch is the track's, is past, or was taken back; what was told anew then
    is another row.  No time: None.
    """
    tracked = _tracked_ns(picture)
    rows = []
    for numbers in _once(burned):
        standing = [n for n in numbers if not burned.reports[n][-1].withdrawn] or numbers
        first = min(standing, key=lambda n: burned.reports[n][0].header.measured_ns)
        # of whichever node's burn became a track first
        over = min((burned.handed_over[n] for n in numbers if n in burned.handed_over), default=None)
        for told in stretches(burned.reports[first]):
            if told[-1].withdrawn:
                ended_s = seconds(told[-1].header.measured_ns, start_ns)
                rows.append(_row(first, told[:-1], ended_s, start_ns))
            elif over is None:
                rows.append(_row(first, told, _past(told[-1], start_ns), start_ns))
            else:
                known = [r for r in told if r.header.measured_ns <= over.time_ns] or told[:1]
                seen = min(tracked.get(over.track, over.time_ns), over.time_ns)
                row = _row(first, known, seconds(over.time_ns, start_ns), start_ns)
                rows.append(row | {"track": over.track, "tracked": seconds(seen, start_ns)})
    return sorted(rows, key=lambda row: (row["told"][0][0], row["number"]))


def _row(number: str, told: list[LaunchReport], over_s: float, start_ns: int) -> dict[str, Any]:
    """A burn that became no track, as it was told of until it was over."""
    return {
        "number": number,
        "track": "",
        "told": [[seconds(r.header.measured_ns, start_ns), _told(r, start_ns)] for r in told],
        "tracked": None,
        "over": over_s,
    }


def _once(burned: Burned) -> list[list[str]]:
    """Numbers of burns by launch: those of one object, and of one false launch, of different nodes."""
    by_object: dict[int, list[str]] = {}
    for number, i in sorted(burned.of.items()):
        by_object.setdefault(i, []).append(number)
    last, owners = [burned.reports[n][-1] for n in burned.false], [burned.node[n] for n in burned.false]
    false = [[burned.false[k] for k in group] for group in same_launches(last, owners)]
    return [*by_object.values(), *([number] for number in sorted(burned.doubles)), *false]


def _tracked_ns(picture: PictureRecord) -> dict[str, int]:
    """When (ns) each track, by any of its numbers, was first in the picture."""
    first: dict[str, int] = {}
    for time_ns, samples in picture.samples:
        for s in samples:
            for number in (s.number, *s.aliases):
                first.setdefault(number, time_ns)
    return first


def _told(report: LaunchReport, start_ns: int) -> dict[str, Any]:
    impact = report.impact
    return {
        "class": words(report.object_class),
        "launch": launch_row(report, start_ns),
        "impact": None if impact is None else [*region(impact), seconds(impact.time_ns, start_ns)],
    }


def _past(report: LaunchReport, start_ns: int) -> float:
    """When (s) what was told last of a burn that became no track is past."""
    end_s = seconds(report.header.measured_ns, start_ns) + STANDS_S
    return end_s if report.impact is None else seconds(report.impact.time_ns, start_ns)
