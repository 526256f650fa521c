"""Salvos told of as groups: plots that rise together, and how many launches they are.

In: `Salvo`s and the burns followed among them; out: a `Group` record each, for people to read, as of tracks
that fly together (`joint.groups`).  It stands where the salvo was launched and does not move: what a burn
drives is followed by its tracks.  Nothing that warns reads a group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import ecef2geodetic, geodetic2ecef
from jointwatch.launch.burns import Burn
from jointwatch.launch.posterior import Posterior, places_of
from jointwatch.launch.salvo import PARALLAX_M, Salvo
from jointwatch.records import Group, Header

Floats = NDArray[np.float64]
LEAST_CHANCE = 1e-4
"""Numbers beyond the last one that is at least as likely as this are not told of."""
FIRST_PLOTS = 12
"""So many first plots of each satellite say where a salvo rose of which no burn is known."""


def groups_of_salvos(
    salvos: Sequence[Salvo], burns: Mapping[str, Burn], header: Callable[[], Header]
) -> list[Group]:
    """A record for each salvo, in the salvos' order.

    burns: by number; those without a posterior are members and tell nothing of the place.  header: gives the
    next record's header; asked once for each group, in order.  Most launches of a tight salvo have no burn
    that could be followed, so `chances` reach beyond the members, of which there may be none.
    """
    out = []
    for salvo in salvos:
        centre, spread = where(salvo, burns)
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


def where(salvo: Salvo, burns: Mapping[str, Burn]) -> tuple[Floats, Floats]:
    """Where a salvo was launched: the middle (3,), ECEF, and the covariance (3, 3) of one launch about it,
    m^2.

    From the draws of the burns that are known; without any, from the first plots, whose height is not known.
    """
    known = [p for m in salvo.members if (p := burns[m].posterior) is not None]
    if known:
        # the draws of all of them: how far the launches lie apart, and what is not known of each, together
        places = np.concatenate([_places(p) for p in known])
        weight = np.concatenate([p.weight for p in known])
        weight = weight / weight.sum()
        floor = 0.0
    else:
        places = np.concatenate([one.places[:FIRST_PLOTS] for one in salvo.looked])
        weight = np.full(len(places), 1.0 / len(places))
        floor = (0.25 * PARALLAX_M) ** 2
    centre = weight @ places
    spread = (places - centre).T @ (weight[:, None] * (places - centre))
    if floor:
        latitude, longitude, _ = ecef2geodetic(*centre.tolist())
        centre = np.array(geodetic2ecef(latitude, longitude, 0.0))
    return centre, spread + floor * np.eye(3)


def _places(posterior: Posterior) -> Floats:
    """Where each draw of a launch was, ECEF (n, 3), m."""
    latitude, longitude = places_of(posterior)
    return np.array([
        geodetic2ecef(lat, lon, 0.0) for lat, lon in zip(latitude.tolist(), longitude.tolist(), strict=True)
    ])  # fmt: skip


def is_of_burns(group: Group) -> bool:
    """Whether a group is a salvo of burns, whose numbers end in B and digits, and not one of tracks."""
    return all(member.rpartition("-")[2].startswith("B") for member in group.members)
