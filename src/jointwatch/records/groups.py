"""A group: objects of one picture that fly together, with how many they are as a distribution.

It is worked out from the tracks of a node's own best picture (`joint.groups`), for people to read; nothing
is decided by it.  A salvo of burns is one too (`launch.salvo_groups`): it stands where it was launched.
"""

from __future__ import annotations

from msgspec import Struct

from jointwatch.records.header import Header


class Group(Struct, frozen=True, kw_only=True, tag="group"):
    """Two tracks or more that fly together, at the header's `measured_ns`.

    members: their numbers, in order; of a salvo, of burns, perhaps none.  chances: probability that 0, 1,
    2... of them are objects; of a salvo, that so many were launched, which may be more than its burns.
    number: the most probable; fewest, most: the interval that holds the number with at least 90 %.
    centre: x, y, z (m), velocity: vx, vy, vz (m/s), Earth-fixed, members weighted by their existence.
    spread: covariance of where an object of the group is (m^2): xx, xy, xz, yy, yz, zz; the extent of the
    group and what is not known of its members' places, together.
    """

    header: Header
    members: tuple[str, ...]
    chances: tuple[float, ...]
    number: int
    fewest: int
    most: int
    centre: tuple[float, float, float]
    velocity: tuple[float, float, float]
    spread: tuple[float, float, float, float, float, float]
