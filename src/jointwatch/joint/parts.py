"""What a part that came off an object says of whether that is still there: it broke up, or was only missed.

In: the objects of a picture, with what each came off and when plots of its parts were seen; out: the same,
some with less existence.  An object that was just seen is as sure as any may be, since out of the clear
nothing ends.  Where a part came off it and looks, of whichever partner's sensors, miss it from then on, that
it broke up is as likely as that it flies on unseen: of its existence nothing is left but what the misses say.
It hangs on the picture alone, so the next look that shows the object ends the doubt; and its track goes on
until its own misses end it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from jointwatch.joint.corroboration import SURE, existence_of, log_odds_of
from jointwatch.joint.joint_track import JointTrack

MISSED = 4.7
"""Looks miss an object where they took so much off its existence (log odds): more than any one look takes,
which sees 99 in 100 at best."""


def in_doubt(picture: Sequence[JointTrack]) -> list[JointTrack]:
    """A picture in which what lost a part and was missed since has the existence that its misses leave it.

    Objects that show beside their parts, as a missile does beside its stage, keep theirs.
    """
    shown_ns: dict[str, int] = {}
    for track in picture:
        if track.parent:
            shown_ns[track.parent] = max(track.seen_ns, shown_ns.get(track.parent, track.seen_ns))
    return [_doubted(track, shown_ns) for track in picture]


def _doubted(track: JointTrack, shown_ns: Mapping[str, int]) -> JointTrack:
    """A track, less sure if a part of it showed (ns, by the number of what it came off) and it did not."""
    last_ns = max(track.broke_ns, *(shown_ns.get(name, track.seen_ns) for name in track.aliases))
    if last_ns <= track.seen_ns:
        return track
    log_odds = log_odds_of(track.existence)
    return track if log_odds > SURE - MISSED else replace(track, existence=existence_of(log_odds - SURE))
