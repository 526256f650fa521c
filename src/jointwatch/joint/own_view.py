"""What one's own sensors say of an object stands, whatever partners say of it.

In: the picture with all that partners released fused in, and what one's own tracks alone make of the objects
that partners track too; out: the picture in which an object on which the two do not agree is two: as one's
own sensors have it, and as the rest has it.  Both may threaten somebody: where pictures differ, the union is
warned.  So a partner that errs or lies can add an alert, and never keep one away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from jointwatch.joint.association import BIAS_SIGMA_M
from jointwatch.joint.disagreement import CHANCE2
from jointwatch.joint.joint_track import JointTrack
from jointwatch.motion.phases import BALLISTIC


class Sure(Struct, frozen=True):
    """From which probabilities of existence and of free flight an object is warned of (`warning.policy`)."""

    existence: float
    ballistic: float

    def is_sure(self, track: JointTrack) -> bool:
        """Whether an object is there and falls, beyond the policy's doubt."""
        return track.existence >= self.existence and track.phases[BALLISTIC] >= self.ballistic


def with_own(
    picture: Sequence[JointTrack], own: Sequence[JointTrack], partner: str, sure: Sure
) -> list[JointTrack]:
    """The picture of a partner, with its own view of what is contested; own: `JointPicture.by_itself`."""
    out = list(picture)
    place = {number: n for n, track in enumerate(out) for number in track.aliases}
    for mine in own:
        n = place.get(mine.number)
        if n is None:  # what others say made it nothing that can be
            out.append(mine)
            continue
        fused = out[n]
        if agrees(mine, fused, sure):
            continue
        others = tuple(number for number in fused.aliases if number != mine.number)
        out.append(mine)
        if others:
            left = tuple(name for name in fused.originators if name != partner) or fused.originators
            out[n] = replace(fused, number=others[0], aliases=others, originators=left)
    return sorted(out, key=lambda track: track.number)


def agrees(mine: JointTrack, fused: JointTrack, sure: Sure) -> bool:
    """Whether an object is, with all that others say, still what one's own sensors say.

    What is fused is known better and lies within what one knows by oneself.
    """
    if sure.is_sure(mine) and not sure.is_sure(fused):
        return False
    apart = (fused.state - mine.state)[:6]
    known = mine.covariance[:6, :6].copy()
    known[:3, :3] += np.eye(3) * BIAS_SIGMA_M**2
    try:
        return bool(apart @ np.linalg.solve(known, apart) <= CHANCE2)
    except np.linalg.LinAlgError:
        return False
