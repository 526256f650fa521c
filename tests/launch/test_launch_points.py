"""Points of a launch: the kernel against a plain twin, and where the way back meets the burn's end."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from msgspec.structs import replace
from reported_tracks import Floats, moved, place, seen_by

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, height_above_ellipsoid
from jointwatch.launch import estimate
from jointwatch.launch.beginning import Beginning, Ended
from jointwatch.launch.burn_ends import (
    TERMS,
    BurnEnds,
    _terms,
    back_to_burn_end,
    burn_ends,
    burn_that_ended,
    turning,
)
from jointwatch.launch.coast import in_a_wind
from jointwatch.launch.estimate import LONGEST_BACK_S, LONGEST_BURN_M, launch_points
from jointwatch.launch.profiles import LEFT_OUT_RAD, profile_named
from jointwatch.launch.ways import shared_out, ways_of
from jointwatch.motion.phases import BALLISTIC
from jointwatch.motion.propagate import propagate

STILL = np.zeros(3)
FLIGHTS = {
    "a missile climbing": place(33, 41, 120e3, -1500, 100, 900),
    "a missile coming down": moved(place(33, 41, 120e3, -1500, 100, 900), 300.0),
    "a missile just burnt out": place(33, 41, 30e3, -800, 100, 900),
    "a rocket": place(32, 36, 12e3, -600, 200, 300),
}


def twin(first: Beginning) -> Floats:
    """(n, 4) latitude, longitude, seconds and azimuth of a launch's points, one after the other in Python."""
    ways = ways_of(first, None)
    out = []
    shared = shared_out(ways, estimate.SAMPLES)
    for normal, uniform, which in zip(estimate._NORMALS, estimate._UNIFORMS, shared, strict=True):
        came = ways[which]
        start = first.later if came.start else first
        assert start is not None
        latitude, longitude, _ = ecef2geodetic(*start.state[:3])
        level = enu_rotation(latitude, longitude)[:2]
        ends, burn = burn_ends(came.name), np.empty(4)
        residual = ends.residuals[came.draws[int(uniform * len(came.draws))]]
        off = np.linalg.cholesky(start.covariance) @ normal[:9]
        drawn = start.state + off
        s, wind = drawn[:7].copy(), drawn[7:] @ level
        s[3:6] -= wind
        if came.timed:
            assert start.ended is not None
            when = start.ended
            before = when.before_s + when.slope @ off[:7] + when.sigma_s * normal[11]
            back = min(max(before, 0.0), when.span_s)
            propagate(BALLISTIC, s, -back)
        else:
            back = back_to_burn_end(s, wind, ends.ways, ends.bounds, residual, LONGEST_BACK_S, burn)
            if back < 0.0:
                continue
        s[3:6] += wind
        s[:3] -= back * wind
        if came.timed and not burn_that_ended(s, ends.ways, ends.bounds, ends.goes, residual, burn):
            continue
        latitude, longitude, height = ecef2geodetic(*s[:3])
        east, north, _ = enu_rotation(latitude, longitude) @ s[3:6]
        bearing, share = math.atan2(east, north), min(max(height, 0.0) / burn[0], 1.0)
        path = burn[1] * (1.0 + profile_named(came.name).left_out_way * normal[10])
        if share * path >= LONGEST_BURN_M:
            continue
        turned = turning(latitude, bearing, burn[0], path, burn[2])
        way, azimuth = bearing + ends.turns @ turned + residual[3:]
        at = estimate._back_along(latitude, longitude, way, share * path)
        after_s = 1e-9 * (start.time_ns - first.time_ns)
        seconds = after_s - back - burn[2] * math.sqrt(share)
        out.append([*at, seconds, azimuth + LEFT_OUT_RAD * normal[9]])
    return np.array(out)


def begun(name: str) -> Beginning:
    """A flight that coasts, perhaps only from the look after: ten seconds on."""
    state, covariance = FLIGHTS[name], seen_by(np.random.default_rng(4), 100.0, 5.0)
    later = Beginning(10_000_000_000, *in_a_wind(moved(state, 10.0), covariance))
    return Beginning(0, *in_a_wind(state, covariance), later, 0.5, 3e3)


def timed(first: Beginning) -> Beginning:
    """The same, where it is known when the burn ended: the sooner the faster the object is now."""
    slope = np.append(
        np.zeros(3), np.append(-0.01 * first.state[3:6] / np.linalg.norm(first.state[3:6]), 0.0)
    )
    return replace(first, ended=Ended(4.0, slope, 0.3, 10.0))


@pytest.mark.parametrize("known", [begun, lambda name: timed(begun(name))], ids=["", "timed"])
@pytest.mark.parametrize("name", list(FLIGHTS))
def test_points_are_those_of_the_plain_twin(name: str, known: Callable[[str], Beginning]) -> None:
    first = known(name)
    made, wanted = launch_points(first, None), twin(first)
    assert made is not None
    found = np.stack([made.latitude, made.longitude, made.seconds, made.azimuth], axis=1)
    # an end is met to two hundredths of a second, and rounding may turn which step is the last
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found[:, :2], wanted[:, :2], atol=2e-5)
    np.testing.assert_allclose(found[:, 2], wanted[:, 2], atol=0.05)
    np.testing.assert_allclose(found[:, 3], wanted[:, 3], atol=1e-4)


def test_burns_ended_between_the_looks_that_they_are_said_to() -> None:
    """Each way's draws end between its heights, and together they are all that end below the last."""
    first = begun("a missile just burnt out")
    assert first.later is not None
    heights = [0.0, 3e3, *(height_above_ellipsoid(*s.state[:3]) for s in (first, first.later))]
    for way in ways_of(first, None):
        if way.start:
            continue
        ends, burn, at = burn_ends(way.name), np.empty(4), []
        for residual in ends.residuals[way.draws]:
            s = first.state[:7].copy()
            if back_to_burn_end(s, STILL, ends.ways, ends.bounds, residual, LONGEST_BACK_S, burn) > 0.0:
                at.append(burn[0])
        low, high = (heights[0], heights[1]) if max(at) <= 1.01 * heights[1] else (heights[1], heights[2])
        # steps back through dense air meet an end to some hundred metres
        assert low - 300.0 < min(at) and max(at) <= 1.01 * high


def test_a_burn_that_is_known_when_it_ended_ends_then() -> None:
    """Burns that are timed end within what is open of the time, and the launch is known better."""
    first = replace(begun("a missile just burnt out"), later=None)
    made, sooner = launch_points(first, None), launch_points(timed(first), None)
    assert made is not None and sooner is not None
    least, most = timed(first).ended.between(first.covariance)  # type: ignore[union-attr]
    assert 3.0 < least < 4.0 < most < 5.0
    assert sum(way.probability for way in ways_of(timed(first), None) if way.timed) > 0.8
    # it flies west
    assert np.std(sooner.longitude) < 0.8 * np.std(made.longitude)


def test_a_burn_that_was_on_at_a_look_ended_after_it() -> None:
    """So the launch is known better, and what says that the burn was on moves probability to the next."""
    first = begun("a missile just burnt out")
    told = [
        sum(way.probability for way in ways_of(replace(first, burning=odds), None) if way.start)
        for odds in (-20.0, 0.0, 20.0)
    ]
    assert told[0] < 1e-6 and told[0] < told[1] < told[2]
    assert sum(way.probability for way in ways_of(first, None)) == pytest.approx(1.0)


def below_the_end(s: Floats, ends: BurnEnds, residual: Floats) -> float:
    """How far (m) a climbing state is below where a burn that ends as fast and steep does."""
    speed, r = float(np.linalg.norm(s[3:6])), float(np.linalg.norm(s[:3]))
    terms = np.empty(TERMS)
    _terms(speed, math.asin(float(s[:3] @ s[3:6]) / r / speed), ends.bounds, terms)
    wanted = math.exp(ends.ways[0] @ terms + math.exp(ends.ways[3] @ terms) * residual[0])
    return wanted - height_above_ellipsoid(*s[:3])


@pytest.mark.parametrize("flight", list(FLIGHTS))
@pytest.mark.parametrize("name", ["heavy_rocket", "short_range", "medium_range"])
def test_the_way_back_ends_where_it_first_meets_the_end_of_a_burn(flight: str, name: str) -> None:
    """By small steps of the integrator no end is met before, and it is met by then."""
    ends = burn_ends(name)
    met = 0
    for residual in ends.residuals[::60]:
        s, way = FLIGHTS[flight].copy(), np.empty(4)
        back = back_to_burn_end(s, STILL, ends.ways, ends.bounds, residual, LONGEST_BACK_S, way)
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
