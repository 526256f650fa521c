"""Who is given early notice: along a way over the ground, and in a burn's region."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.records import Impact, Zone
from jointwatch.warning.reach import VAGUEST_M, Reach

MARGIN_M = 15e3
LATITUDE, LONGITUDE = math.radians(32.0), math.radians(35.0)


def place(east_m: float, north_m: float) -> tuple[float, float]:
    return (
        LATITUDE + north_m / MEAN_RADIUS_M,
        LONGITUDE + east_m / (MEAN_RADIUS_M * math.cos(LATITUDE)),
    )


STEPS = np.arange(-200e3, 201e3, 5.1e3)
GRID = np.stack(np.meshgrid(STEPS, STEPS), -1).reshape(-1, 2)
ZONES = tuple(
    Zone(
        key=str(k), name=str(k), partner="Amber", shelter_s=60.0, radius_m=100.0,
        latitude_deg=math.degrees(place(e, n)[0]), longitude_deg=math.degrees(place(e, n)[1]),
    )
    for k, (e, n) in enumerate(GRID.tolist())
)  # fmt: skip
REACH = Reach(ZONES, MARGIN_M)


def impact(east_m: float, north_m: float, bearing_deg: float) -> Impact:
    """Falls so far spread along a bearing and across it, about the grid's middle."""
    b = math.radians(bearing_deg)
    along, across = np.array([math.sin(b), math.cos(b)]), np.array([math.cos(b), -math.sin(b)])
    c = east_m**2 * np.outer(along, along) + north_m**2 * np.outer(across, across)
    return Impact(
        track="A-B1", object_class="medium_range", time_ns=0, time_sigma_s=20.0, latitude_rad=LATITUDE,
        longitude_rad=LONGITUDE, covariance_m2=(c[0, 0], c[0, 1], c[1, 1]), axis_rad=0.0, quantiles=(),
        reach_only=False,
    )  # fmt: skip


def test_one_fall_reaches_a_circle() -> None:
    found = REACH.along([place(0.0, 0.0)], 5e3)
    wanted = np.flatnonzero(np.hypot(*GRID.T) < 3.0 * 5e3 + MARGIN_M)
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize("sigma_m", [10.0, 5e3, 60e3])
def test_a_fall_outside_the_zones_box_reaches_what_a_way_that_ends_where_it_begins_does(
    sigma_m: float,
) -> None:
    """A way is never cut short by the box about all zones: one fall there is one fall twice."""
    for east in np.linspace(-450e3, 450e3, 37).tolist():
        fall = place(east, 0.7 * east)
        assert np.array_equal(REACH.along([fall], sigma_m), REACH.along([fall, fall], sigma_m))


def test_falls_one_after_the_other_reach_all_that_lies_between_them() -> None:
    found = set(REACH.along([place(0.0, 0.0), place(60e3, 0.0), place(60e3, 100e3)], 0.0).tolist())
    for k, (e, n) in enumerate(GRID.tolist()):
        first = math.hypot(e - min(max(e, 0.0), 60e3), n)
        second = math.hypot(e - 60e3, n - min(max(n, 0.0), 100e3))
        away = min(first, second)
        # the plane of one fall is off by some metres at another
        assert abs(away - MARGIN_M) < 50.0 or (k in found) == (away < MARGIN_M)


def test_a_burns_region_is_widened_by_the_margin_and_follows_its_axis() -> None:
    found = REACH.of_burn(impact(60e3, 10e3, 45.0))
    e, n = GRID[found].T
    along, across = (e + n) / math.sqrt(2.0), (e - n) / math.sqrt(2.0)
    r = math.sqrt(-2.0 * math.log(0.1))
    assert 0.9 * r * 60e3 < np.abs(along).max() < r * 60e3 + MARGIN_M
    assert r * 10e3 < np.abs(across).max() < r * 10e3 + MARGIN_M


def test_what_is_too_vague_tells_nobody() -> None:
    assert len(REACH.of_burn(impact(0.99 * VAGUEST_M, 20e3, 10.0)))
    assert not len(REACH.of_burn(impact(1.01 * VAGUEST_M, 20e3, 10.0)))


def test_a_way_over_the_seam_of_longitudes_is_short() -> None:
    zones = [
        Zone(key=str(d), name=str(d), partner="Amber", shelter_s=1.0, radius_m=1.0, latitude_deg=0.0,
             longitude_deg=d)
        for d in (179.9, -179.9, 0.0)
    ]  # fmt: skip
    found = Reach(zones, 1e3).along([(0.0, math.radians(179.0)), (0.0, math.radians(-179.0))], 0.0)
    assert found.tolist() == [0, 1]


def test_a_burning_objects_falls_lie_farther_on_the_longer_it_burns() -> None:
    from reported_tracks import place as state_at

    from jointwatch.earth.frames import ecef2geodetic
    from jointwatch.motion.propagate import fall
    from jointwatch.warning.burning_on import BURNS_ON_S, falls_if_burning

    state = state_at(33, 44, 30e3, -700, 0, 700)
    state[6] = -8.6
    now = state.copy()
    fall(now, 0.0, 2400.0)
    longitude = ecef2geodetic(*now[:3])[1]
    falls = falls_if_burning(state, 40.0, 0.0)
    assert len(falls) == len(BURNS_ON_S)
    away = [longitude, *falls[:, 2]]
    assert all(b < a - 1e-3 for a, b in pairwise(away))
    # no thrust: where it falls anyway, but for the drag that the boost phase does not know
    still = falls_if_burning(state_at(33, 44, 130e3, -700, 0, 700), 0.0, 0.0)
    free = state_at(33, 44, 130e3, -700, 0, 700)
    seconds = fall(free, 0.0, 2400.0)
    assert still[:, 0] == pytest.approx(np.full(len(still), seconds), abs=0.5)
    # enough to orbit: fewer falls, and none beyond
    assert len(falls_if_burning(state_at(33, 44, 150e3, -6500, 0, 500), 90.0, 0.0)) < len(BURNS_ON_S)
