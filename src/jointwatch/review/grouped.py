"""How often the number that was stated of a group was true.

In: the groups that a picture's nodes told of, with the tracks they told them of, and the truth; out: how
many, and how often the true number lay in the stated interval.  An object flies with a group if its track, in
the best assignment of all (`review.matching.assign`), is a member; one without a track flies with the group
of the nearest track, if that is as near and as like in velocity as the group's own rule asks
(`joint.groups`).  So an object that nobody sees makes a number wrong, as it does for whoever reads it.
Salvos of burns, which do not fly together, are no groups here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jointwatch.exercise.recording import Grouped
from jointwatch.exercise.truth import Truth
from jointwatch.joint.groups import LIKE_MS, NEAR_M
from jointwatch.launch.salvo_groups import is_of_burns
from jointwatch.review.matching import assign


def group_figures(truth: Truth, grouped: Sequence[Grouped]) -> dict[str, Any]:
    """{"stated": groups told of, each time counted; "largest": tracks in the greatest; "within": share of
    them whose true number lay in the stated interval; "more", "fewer": share with more objects, or fewer}."""
    off = []
    flying = [replace(told, groups=[g for g in told.groups if not is_of_burns(g)]) for told in grouped]
    for told in flying:
        for group, number in zip(told.groups, true_numbers(truth, told), strict=True):
            off.append((number > group.most) - (number < group.fewest))
    share = {
        name: float(np.mean(np.array(off) == sign)) if off else None
        for name, sign in (("within", 0), ("more", 1), ("fewer", -1))
    }
    largest = max((len(g.members) for told in flying for g in told.groups), default=0)
    return {"stated": len(off), "largest": largest, **share}


def true_numbers(truth: Truth, told: Grouped) -> list[int]:
    """How many objects flew with each of the groups told of at one time."""
    group_of = {number: g for g, group in enumerate(told.groups) for number in group.members}
    states = np.array([t.state[:6] for t in told.tracks]).reshape(-1, 6)
    index, position, velocity = truth.states_at(told.time_ns)
    track_of = {c: r for r, c in assign(states[:, :3], position)}
    numbers = [0] * len(told.groups)
    for c in range(len(position)):
        r = track_of.get(c)
        if r is None and truth.objects[int(index[c])].object_class == "aircraft":
            continue
        if r is None:
            apart = np.linalg.norm(states[:, :3] - position[c], axis=1)
            apart[np.linalg.norm(states[:, 3:] - velocity[c], axis=1) > LIKE_MS] = np.inf
            r = int(np.argmin(apart))
            if apart[r] > NEAR_M:
                continue
        g = group_of.get(told.tracks[r].number)
        if g is not None:
            numbers[g] += 1
    return numbers
