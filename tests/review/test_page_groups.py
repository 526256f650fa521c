"""Groups as the map is handed them: where, how large, how fast, of one node."""

from __future__ import annotations

import math

import numpy as np
import pytest
from reported_tracks import START_NS, at_s, place

from jointwatch.earth.frames import enu_rotation
from jointwatch.exercise.recording import Grouped, PictureRecord
from jointwatch.records import Group, Header
from jointwatch.review.page_groups import group_rows

LATITUDE, LONGITUDE = 33.0, 41.0


def told(partner: str, seconds: float) -> Grouped:
    """Six or so objects spread 3 km east and 1 km north, flying east at 1,000 m/s."""
    state = place(LATITUDE, LONGITUDE, 0.0, 1000.0, 0.0, 0.0)
    turn = enu_rotation(math.radians(LATITUDE), math.radians(LONGITUDE))
    spread = turn.T @ np.diag([3e3**2, 1e3**2, 10.0**2]) @ turn
    group = Group(
        header=Header(originator=partner, source=partner, sequence=1, measured_ns=at_s(seconds)),
        members=("A", "B"), chances=(0.0, 0.3, 0.7), number=2, fewest=1, most=2,
        centre=tuple(state[:3]), velocity=tuple(state[3:6]),
        spread=tuple(spread[np.triu_indices(3)]),
    )  # fmt: skip
    return Grouped(partner, at_s(seconds), [group], [])


def test_a_group_is_an_ellipse_that_moves_and_a_number() -> None:
    record = PictureRecord("amber", "Amber alone", ("Amber",), grouped=[told("Amber", 12.0)])
    ((t, ((lon, lat, a, b, bearing, east, north, *number),)),) = group_rows(record, START_NS)
    assert (t, lon, lat) == (12.0, LONGITUDE, LATITUDE)
    # 90 % of a Gaussian in two dimensions lie within 2.146 standard deviations
    assert (a, b, bearing) == (pytest.approx(6.438, abs=2e-3), pytest.approx(2.146, abs=2e-3), 90.0)
    # a degree of longitude is 93.4 km at 33 degrees north, on the ellipsoid
    assert east == pytest.approx(1.0 / 93.453, rel=2e-3) and north == pytest.approx(0.0, abs=1e-5)
    assert number == [2, 1, 2]


def test_of_two_nodes_the_first_partners_is_drawn() -> None:
    grouped = [told("Blue", 10.0), told("Amber", 12.0), told("Blue", 15.0), told("Amber", 17.0)]
    record = PictureRecord("joint", "Together", ("Amber", "Blue"), grouped=grouped)
    assert [row[0] for row in group_rows(record, START_NS)] == [12.0, 17.0]
    assert group_rows(PictureRecord("joint", "Together", ("Amber", "Blue")), START_NS) == []
