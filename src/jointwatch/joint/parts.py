"""What a part that came off an object says of whether that is still there: it broke up, or was only missed.

In: the objects of a picture, with what each came off; out: the same, some with less existence.  An object
that was just seen is as sure as any may be, since out of the clear nothing ends.  Where a part came off it
and looks, of whichever partner's sensors, miss it from then on, that it broke up is as likely as that it
flies on unseen: of its existence nothing is left but what the misses say.  It hangs on the picture alone, so
the next look that shows the object ends the doubt; and its track goes on until its own misses end it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec.structs import replace

from jointwatch.joint.joint_track import JointTrack
from jointwatch.tracking.rules import Rules

SURE = Rules().sure_log_odds
"""How sure an object's existence can be (log odds)."""
MISSED = 4.7
"""Looks miss an object where they took so much off its existence (log odds): more than any one look takes,
which sees 99 in 100 at best."""


def in_doubt(picture: Sequence[JointTrack]) -> list[JointTrack]:
    """A picture in which what lost a part and was missed since has the existence that its misses leave it.

    Objects that show beside their parts, as a missile does beside its stage, keep theirs.
    """
    parts: dict[str, int] = {}
    for track in picture:
        if track.parent:
            parts[track.parent] = max(track.seen_ns, parts.get(track.parent, track.seen_ns))
    out = []
    for track in picture:
        shown_ns = max(
            (parts[n] for n in (track.number, *track.aliases) if n in parts), default=track.seen_ns
        )
        r = min(max(track.existence, 1e-9), 1.0 - 1e-9)
        log_odds = math.log(r / (1.0 - r))
        if shown_ns > track.seen_ns and log_odds <= SURE - MISSED:
            track = replace(track, existence=1.0 / (1.0 + math.exp(SURE - log_odds)))
        out.append(track)
    return out
