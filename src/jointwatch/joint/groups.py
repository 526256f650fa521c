"""Which objects of a picture fly together, and how many they are: a salvo as people speak of it.

In: a picture (`joint.picture`); out: a `Group` record for each two tracks or more that fly together, by the
rule stated here and nowhere else.  What cruises is left out: aircraft in company are no salvo.  A pure
function of the picture: the order of its tracks does not matter.
Nothing that warns reads a group: a count for people can neither raise nor hold back an alert.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jointwatch.joint.joint_track import JointTrack
from jointwatch.motion.phases import CRUISE
from jointwatch.records import Group, Header

NEAR_M = 5e3
"""Tracks nearer than this fly together, or..."""
SIGMAS = 1.0
"""...within so many standard deviations of their difference, where they are known less well than that..."""
LIKE_MS = 300.0
"""...if their velocities differ by no more than this: what only crosses is no group."""
CRUISING = 0.5
"""A track that cruises with this probability or more is in no group."""


def groups_of(picture: Sequence[JointTrack], header: Callable[[], Header]) -> list[Group]:
    """Groups of two tracks or more, in order of their first member's number.

    header: gives the next record's header; asked once for each group, in order.
    """
    tracks = sorted((t for t in picture if t.phases[CRUISE] < CRUISING), key=lambda t: t.number)
    if len(tracks) < 2:
        return []
    from jointwatch.tracking.groups import groups  # SciPy is loaded where it is wanted

    states = np.array([t.state for t in tracks])
    found = groups(
        states[:, :3],
        np.array([t.covariance[:3, :3] for t in tracks]),
        states[:, 3:6],
        np.array([t.existence for t in tracks]),
        distance_m=NEAR_M,
        sigmas=SIGMAS,
        speed_ms=LIKE_MS,
        fewest_members=2,
    )
    upper = np.triu_indices(3)
    return [
        Group(
            header=header(),
            members=tuple(tracks[i].number for i in group.members),
            chances=tuple(group.number.tolist()),
            number=int(np.argmax(group.number)),
            fewest=group.fewest,
            most=group.most,
            centre=tuple(group.centre.tolist()),
            velocity=tuple(group.velocity.tolist()),
            spread=tuple(group.spread[upper].tolist()),
        )
        for group in found
    ]
