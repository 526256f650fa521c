"""Own names: what a node tells partners of objects goes by the numbers of its own tracks of them.

In: the node's best picture and which tracks are its own, and what was worked out of objects by whatever
number; out: the same by own numbers.  What others alone told of is left out: it is theirs to tell, to whom
they like.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec.structs import replace

from jointwatch.joint.joint_track import JointTrack
from jointwatch.records import Impact, LaunchReport


def own_names(picture: Iterable[JointTrack], own: Collection[str]) -> dict[str, str]:
    """For each number of an object that own sensors track, that of the own track."""
    return {
        number: mine
        for track in picture
        for mine in [next((alias for alias in track.aliases if alias in own), "")]
        if mine
        for number in (track.number, *track.aliases)
    }


def own_impacts(impacts: Iterable[Impact], names: Mapping[str, str]) -> tuple[Impact, ...]:
    """Where objects come down that own sensors track, by the own number (names: `own_names`)."""
    return tuple(replace(i, track=names[i.track]) for i in impacts if i.track in names)


def own_launches(reports: Iterable[LaunchReport], names: Mapping[str, str]) -> list[LaunchReport]:
    """Launches of objects that own sensors track, by the own number (names: `own_names`)."""
    out = []
    for report in reports:
        own = names.get(report.area.track)
        if own is not None:
            impact = report.impact and replace(report.impact, track=own)
            out.append(replace(report, area=replace(report.area, track=own), impact=impact))
    return out
