"""Burns as the report's map draws them: a launch area and an expected impact, before any radar has a track.

In: a picture's launch reports and what became of its burns; out: a row for each burn, with what was told of
it at each time.  What two linked nodes both told of one launch is drawn once, as who told it first had it.
"""

from __future__ import annotations

from typing import Any

from jointwatch.exercise.recording import PictureRecord
from jointwatch.records import LaunchReport
from jointwatch.review.burning import Burned, same_launches
from jointwatch.review.page_ground import region, seconds
from jointwatch.review.page_launches import launch_row, words

STANDS_S = 600.0
"""A burn without a track and without an expected impact is drawn for so long after its last report."""


def burn_rows(picture: PictureRecord, burned: Burned, start_ns: int) -> list[dict[str, Any]]:
    """Dictionaries of a burn's number, the track it became ("" for none) and three times, s from the start.

    told: [[t, {class, launch, impact}]] by time; launch as of a track (`page_launches.launch_row`), impact
    [lon, lat, ..., impact_t] as `page_ground.region`, or None.  tracked: from when on a track shows where it
    is; over: from when on the launch is the track's, or is past.  No time: None.
    """
    tracked = _tracked_ns(picture)
    rows = []
    for numbers in _once(burned):
        first = min(numbers, key=lambda n: burned.reports[n][0].header.measured_ns)
        # of whichever node's burn became a track first
        over = min((burned.handed_over[n] for n in numbers if n in burned.handed_over), default=None)
        told = burned.reports[first]
        if over is not None:
            told = [r for r in told if r.header.measured_ns <= over.time_ns] or told[:1]
            seen = min(tracked.get(over.track, over.time_ns), over.time_ns)
        rows.append(
            {
                "number": first,
                "track": over.track if over is not None else "",
                "told": [[seconds(r.header.measured_ns, start_ns), _told(r, start_ns)] for r in told],
                "tracked": seconds(seen, start_ns) if over is not None else None,
                "over": seconds(over.time_ns, start_ns) if over is not None else _past(told[-1], start_ns),
            }
        )
    return sorted(rows, key=lambda row: (row["told"][0][0], row["number"]))


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
    if report.withdrawn:
        return seconds(report.header.measured_ns, start_ns)
    end_s = seconds(report.header.measured_ns, start_ns) + STANDS_S
    return end_s if report.impact is None else seconds(report.impact.time_ns, start_ns)
