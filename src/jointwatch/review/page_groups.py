"""Groups as the report's map draws them: an outline that moves on, and how many fly in it.

In: what a picture's nodes told of groups; out: rows by time, of one node's: the first partner's, whose tracks
the joint picture's map shows too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jointwatch.earth.frames import ecef2geodetic, enu_rotation
from jointwatch.exercise.recording import PictureRecord
from jointwatch.launch.salvo_groups import is_of_burns
from jointwatch.records import Group
from jointwatch.review.page_ground import ellipse, ground, seconds


def group_rows(picture: PictureRecord, start_ns: int, of_burns: bool = False) -> list[list[Any]]:
    """[t, [[lon, lat, a_km, b_km, bearing, lon/s, lat/s, number, fewest, most], ...]] in order of time.

    The ellipse holds nine of ten of the group's objects; lon/s and lat/s (degrees) move it on until the
    next telling.  of_burns: the salvos of burns, which stand where they were launched, and not the tracks'.
    """
    first = picture.partners[0]
    rows = []
    for told in picture.grouped:
        groups = [g for g in told.groups if is_of_burns(g) == of_burns]
        if groups and groups[0].header.originator == first:
            rows.append([seconds(told.time_ns, start_ns), [_row(group) for group in groups]])
    return rows


def _row(group: Group) -> list[float]:
    latitude, longitude, _ = ecef2geodetic(*group.centre)
    level = enu_rotation(latitude, longitude)[:2]
    spread = np.zeros((3, 3))
    spread[np.triu_indices(3)] = group.spread
    spread += np.triu(spread, 1).T
    flat = level @ spread @ level.T
    before, after = ground(group.centre), np.array(group.centre) + np.array(group.velocity)
    latitude_after, longitude_after, _ = ecef2geodetic(*after.tolist())
    drift = math.degrees(longitude_after - longitude), math.degrees(latitude_after - latitude)
    shape = ellipse(float(flat[0, 0]), float(flat[0, 1]), float(flat[1, 1]))
    numbers = (group.number, group.fewest, group.most)
    return [*before[:2], *shape, round(drift[0], 5), round(drift[1], 5), *numbers]
