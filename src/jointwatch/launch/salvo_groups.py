"""Salvos told of as groups: burns that began near each other, and how many launches they are.

In: `Salvo`s and the burns they are made of; out: a `Group` record each, for people to read, as of tracks that
fly together (`joint.groups`).  It stands where the burns were launched and does not move: what a burn drives
is followed by its tracks.  Nothing that warns reads a group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import geodetic2ecef
from jointwatch.launch.burns import Burn
from jointwatch.launch.posterior import Posterior, places_of
from jointwatch.launch.salvo import Salvo
from jointwatch.records import Group, Header

LEAST_CHANCE = 1e-4
"""Numbers beyond the last one that is at least as likely as this are not told of."""


def groups_of_salvos(
    salvos: Sequence[Salvo], burns: Mapping[str, Burn], header: Callable[[], Header]
) -> list[Group]:
    """A record for each salvo of two burns or more of which a place is known, in the salvos' order.

    burns: by number; those without a posterior are members and tell nothing of the place.  header: gives the
    next record's header; asked once for each group, in order.  `chances` may reach beyond the members: what
    shone among them and no burn claims may be a launch too.
    """
    out = []
    for salvo in salvos:
        known = [p for m in salvo.members if (p := burns[m].posterior) is not None]
        if len(salvo.members) < 2 or not known:
            continue
        # the draws of all of them: how far the launches lie apart, and what is not known of each, together
        places, weight = (
            np.concatenate([_places(p) for p in known]),
            np.concatenate([p.weight for p in known]),
        )
        weight = weight / weight.sum()
        centre = weight @ places
        spread = (places - centre).T @ (weight[:, None] * (places - centre))
        likely = np.flatnonzero(salvo.probability >= LEAST_CHANCE)
        chances = salvo.probability[: int(likely[-1]) + 1]
        fewest, most = salvo.interval()
        out.append(
            Group(
                header=header(),
                members=salvo.members,
                chances=tuple((chances / chances.sum()).tolist()),
                number=salvo.most_probable(),
                fewest=fewest,
                most=most,
                centre=tuple(centre.tolist()),
                velocity=(0.0, 0.0, 0.0),
                spread=tuple(spread[np.triu_indices(3)].tolist()),
            )
        )
    return out


def _places(posterior: Posterior) -> NDArray[np.float64]:
    """Where each draw of a launch was, ECEF (n, 3), m."""
    latitude, longitude = places_of(posterior)
    return np.array([
        geodetic2ecef(lat, lon, 0.0) for lat, lon in zip(latitude.tolist(), longitude.tolist(), strict=True)
    ])  # fmt: skip


def is_of_burns(group: Group) -> bool:
    """Whether a group is a salvo of burns, whose numbers end in B and digits, and not one of tracks."""
    return all(member.rpartition("-")[2].startswith("B") for member in group.members)
