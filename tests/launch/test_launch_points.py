"""Points of a launch: the kernel against a plain twin, and where the way back meets the burn's end."""

from __future__ import annotations

import math

import numpy as np
import pytest
from reported_tracks import Floats, moved, place, seen_by

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, height_above_ellipsoid
from jointwatch.earth.wind import wind_rms
from jointwatch.launch import estimate
from jointwatch.launch.burn_ends import BurnEnds, back_to_burn_end, burn_ends, turning
from jointwatch.launch.estimate import LONGEST_BACK_S, LONGEST_BURN_M, WINDLESS_M, launch_points
from jointwatch.launch.profiles import LEFT_OUT_RAD
from jointwatch.motion.gaussian import cholesky
from jointwatch.motion.phases import BALLISTIC
from jointwatch.motion.propagate import propagate

FLIGHTS = {
    "a missile climbing": place(33, 41, 120e3, -1500, 100, 900),
    "a missile coming down": moved(place(33, 41, 120e3, -1500, 100, 900), 300.0),
    "a rocket": place(32, 36, 12e3, -600, 200, 300),
}


def twin(state: Floats, covariance: Floats) -> Floats:
    """(n, 4) latitude, longitude, seconds and azimuth of a launch's points, one after the other in Python."""
    profiles = estimate._profiles(state, covariance, None)
    names = list(profiles)
    low = np.zeros((7, 7))
    assert cholesky(covariance, 7, low)
    latitude, longitude, _ = ecef2geodetic(*state[:3])
    level = enu_rotation(latitude, longitude)[:2]
    above = height_above_ellipsoid(*state[:3])
    blows = wind_rms(above) if above < WINDLESS_M else 0.0
    out = []
    shared = estimate._shared_out(profiles)
    for normal, uniform, which in zip(estimate._NORMALS, estimate._UNIFORMS, shared, strict=True):
        ends, lower, burn = burn_ends(names[which]), profiles[names[which]].lower, np.empty(3)
        residual = ends.residuals[int(uniform * lower)]
        wind = blows * (normal[7:9] @ level)
        s = state + low @ normal[:7]
        s[3:6] -= wind
        back = back_to_burn_end(s, ends.ways, ends.bounds, residual, LONGEST_BACK_S, burn)
        if back < 0.0:
            continue
        s[3:6] += wind
        s[:3] -= back * wind
        latitude, longitude, height = ecef2geodetic(*s[:3])
        east, north, _ = enu_rotation(latitude, longitude) @ s[3:6]
        bearing, share = math.atan2(east, north), min(max(height, 0.0) / burn[0], 1.0)
        if share * burn[1] >= LONGEST_BURN_M:
            continue
        way, azimuth = bearing + ends.turns @ turning(latitude, bearing, *burn) + residual[3:]
        at = estimate._back_along(latitude, longitude, way, share * burn[1])
        out.append([*at, -back - burn[2] * math.sqrt(share), azimuth + LEFT_OUT_RAD * normal[9]])
    return np.array(out)


@pytest.mark.parametrize("name", list(FLIGHTS))
def test_points_are_those_of_the_plain_twin(name: str) -> None:
    state, covariance = FLIGHTS[name], seen_by(np.random.default_rng(4), 100.0, 5.0)
    made = launch_points(state, covariance, None)
    assert made is not None
    found = np.stack([made.latitude, made.longitude, made.seconds, made.azimuth], axis=1)
    # an end is met to two hundredths of a second, and rounding may turn which step is the last
    assert found.shape == twin(state, covariance).shape
    np.testing.assert_allclose(found[:, :2], twin(state, covariance)[:, :2], atol=2e-5)
    np.testing.assert_allclose(found[:, 2], twin(state, covariance)[:, 2], atol=0.05)
    np.testing.assert_allclose(found[:, 3], twin(state, covariance)[:, 3], atol=1e-4)


def below_the_end(s: Floats, ends: BurnEnds, residual: Floats) -> float:
    """How far (m) a climbing state is below where a burn that ends as fast and steep does."""
    speed, r = float(np.linalg.norm(s[3:6])), float(np.linalg.norm(s[:3]))
    x = min(max(math.log(speed), ends.bounds[0]), ends.bounds[1])
    y = min(max(math.asin(float(s[:3] @ s[3:6]) / r / speed), ends.bounds[2]), ends.bounds[3])
    wanted = math.exp(float(ends.ways[0] @ [1.0, x, y, x * x, y * y, x * y]) + residual[0])
    return wanted - height_above_ellipsoid(*s[:3])


@pytest.mark.parametrize("flight", list(FLIGHTS))
@pytest.mark.parametrize("name", ["heavy_rocket", "short_range", "medium_range"])
def test_the_way_back_ends_where_it_first_meets_the_end_of_a_burn(flight: str, name: str) -> None:
    """By small steps of the integrator no end is met before, and it is met by then."""
    ends = burn_ends(name)
    met = 0
    for residual in ends.residuals[::60]:
        s, way = FLIGHTS[flight].copy(), np.empty(3)
        back = back_to_burn_end(s, ends.ways, ends.bounds, residual, LONGEST_BACK_S, way)
        if back <= 0.0:
            continue
        met += 1
        fine = FLIGHTS[flight].copy()
        for _ in range(int((back - 0.05) / 0.2)):
            propagate(BALLISTIC, fine, -0.2)
            if fine[:3] @ fine[3:6] > 0.0:
                assert below_the_end(fine, ends, residual) < 0.0
        propagate(BALLISTIC, fine, -(back + 0.05 - int((back - 0.05) / 0.2) * 0.2))
        assert below_the_end(fine, ends, residual) >= 0.0
    assert met > 0 or flight == "a rocket"
