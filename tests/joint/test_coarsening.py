"""What rules change in what leaves: rounding with its variance, and names replaced by keyed pseudonyms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from reported_tracks import START_NS, place, seen_by, spread, track

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.joint import coarsening
from jointwatch.joint.coarse import CoarseTrack
from jointwatch.joint.coarsening import (
    coarse_announcement,
    coarse_area,
    coarse_impact,
    coarse_track,
    hidden,
    named_health,
    pseudonym,
    some_plots,
)
from jointwatch.joint.sharing import SharingRule
from jointwatch.records import (
    LAUNCH_FLOOR_M,
    Announcement,
    Header,
    Impact,
    LaunchArea,
    Sector,
    SensorHealth,
    SequenceRange,
)

STATE = place(33.0, 41.0, 200e3, -2500.0, -300.0, 500.0)
MISSILE = track("AMBER-0001", STATE, seen_by(np.random.default_rng(1), 600.0, 12.0))
PLAIN = SharingRule(kind="tracks", release="as is")


def coarse(**values: Any) -> SharingRule:
    return SharingRule(kind="tracks", release="coarsened", **values)


def apart_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    north = MEAN_RADIUS_M * (a[0] - b[0])
    east = MEAN_RADIUS_M * math.cos(a[0]) * math.remainder(a[1] - b[1], 2.0 * math.pi)
    return math.hypot(north, east)


@given(
    offset=st.lists(st.floats(-5e4, 5e4), min_size=6, max_size=6),
    round_m=st.sampled_from([0.0, 250.0, 2000.0]),
    round_ms=st.sampled_from([0.0, 5.0, 50.0]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_coarsened_track_is_rounded_and_says_how_much_vaguer_it_is(
    offset: list[float], round_m: float, round_ms: float
) -> None:
    sent = track(
        "AMBER-0001", STATE + np.array([*offset, 0.0]), seen_by(np.random.default_rng(1), 600.0, 12.0)
    )
    got = coarse_track(sent, coarse(round_m=round_m, round_ms=round_ms))
    steps = np.array([round_m] * 3 + [round_ms] * 3 + [0.0])
    before, after = np.array(sent.state), np.array(got.state)
    assert (np.abs(after - before) <= 0.5 * steps + 1e-9).all()
    for value, step in zip(after, steps, strict=True):
        if step:
            assert abs(value / step - round(value / step)) < 1e-9
    # a value anywhere within a step has the variance of a uniform draw
    assert np.allclose(
        CoarseTrack(got).covariance, CoarseTrack(sent).covariance + np.diag(steps**2 / 12.0), rtol=1e-12
    )


def test_what_rounding_adds_is_what_it_costs() -> None:
    """Over many places, errors of coarsened tracks agree with their covariance, which is not what they
    had."""
    rng = np.random.default_rng(4)
    c = spread(100.0, 3.0)
    nees, stale = [], []
    for _ in range(600):
        truth = STATE + np.array([*rng.uniform(-1e4, 1e4, 3), *rng.uniform(-100.0, 100.0, 3), 0.0])
        sent = track("AMBER-0001", truth + np.linalg.cholesky(c) @ rng.normal(size=7), c)
        got = coarse_track(sent, coarse(round_m=1000.0, round_ms=20.0))
        e = (np.array(got.state) - truth)[:6]
        nees.append(e @ np.linalg.solve(CoarseTrack(got).covariance[:6, :6], e))
        stale.append(e @ np.linalg.solve(c[:6, :6], e))
    assert np.mean(nees) == pytest.approx(6.0, abs=0.4)
    assert np.mean(stale) > 20.0


def test_a_sensors_pseudonym_is_the_same_each_time_and_different_under_another_key() -> None:
    assert pseudonym("k", "north radar") == pseudonym("k", "north radar")
    names = {pseudonym(key, source) for key in ("k", "l", "") for source in ("north radar", "south radar")}
    assert len(names) == 6
    for name in names:
        assert "north" not in name and "south" not in name
        assert name.startswith("src-") and len(name) == 16


def test_under_pseudonyms_no_sensor_of_ones_own_is_named_and_the_ranges_stay() -> None:
    got = coarse_track(MISSILE, coarse(pseudonyms=True, key="secret"))
    (was,), (now,) = MISSILE.header.provenance, got.header.provenance
    assert now.source == pseudonym("secret", was.source)
    assert (now.first, now.last) == (was.first, was.last)
    assert was.source not in str(got) and "secret" not in str(got)
    assert got.state == MISSILE.state and got.number == MISSILE.number
    assert coarse_track(MISSILE, PLAIN) == MISSILE


def test_a_header_names_its_partner_and_no_sensor() -> None:
    header = Header(
        originator="Amber",
        source="north radar",
        sequence=3,
        measured_ns=START_NS,
        provenance=(SequenceRange("south radar", 1, 2),),
    )
    told = hidden(header, coarse(pseudonyms=True, key="k"))
    assert "radar" not in str(told) and told.originator == "Amber"
    assert hidden(header, PLAIN) == header


@given(latitude=st.floats(-1.5, 1.5), longitude=st.floats(-3.1, 3.1), step=st.sampled_from([500.0, 20e3]))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_a_rounded_fall_is_near_says_how_near_and_all_of_a_cell_are_one(
    latitude: float, longitude: float, step: float
) -> None:
    fall = Impact(
        track="AMBER-0001",
        object_class="short_range",
        time_ns=START_NS,
        time_sigma_s=3.0,
        latitude_rad=latitude,
        longitude_rad=longitude,
        covariance_m2=(9e4, 1e4, 4e4),
        axis_rad=0.4,
        quantiles=(-3.0, -1.2, 0.1, 1.0, 2.0),
    )
    got = coarse_impact(fall, coarse(round_m=step))
    there = got.latitude_rad, got.longitude_rad
    assert apart_m((latitude, longitude), there) < 0.72 * step
    variance = step * step / 12.0
    assert got.covariance_m2 == pytest.approx((9e4 + variance, 1e4, 4e4 + variance))
    assert got.quantiles == () and got.axis_rad == 0.0
    again = coarse_impact(got, coarse(round_m=step))
    assert (again.latitude_rad, again.longitude_rad) == pytest.approx(there, abs=1e-12)
    assert coarse_impact(fall, PLAIN) is fall


def area(semi_m: float) -> LaunchArea:
    return LaunchArea(
        track="AMBER-0001",
        time_ns=START_NS,
        time_sigma_s=3.0,
        latitude_rad=0.55,
        longitude_rad=0.7,
        semi_major_m=2.0 * semi_m,
        semi_minor_m=semi_m,
        bearing_rad=0.3,
        territories={"Ochre": 0.6, "Slate": 0.4},
        origin="cannot be told",
        origin_probability=0.6,
        why="two territories: Ochre 0.6, Slate 0.4",
        azimuth_rad=1.23,
        azimuth_sigma_rad=0.02,
        sensors=3,
    )


def test_a_launch_area_grows_by_the_rounding_and_never_shrinks_below_the_floor() -> None:
    assert coarsening.FLOOR_M == LAUNCH_FLOOR_M
    got = coarse_area(area(3000.0), coarse(round_m=10e3))
    added = -2.0 * math.log(0.1) * 10e3**2 / 12.0
    assert got.semi_minor_m == pytest.approx(math.sqrt(3000.0**2 + added))
    assert got.semi_major_m == pytest.approx(math.sqrt(6000.0**2 + added))
    assert apart_m((0.55, 0.7), (got.latitude_rad, got.longitude_rad)) < 7.2e3
    assert got.origin == "cannot be told" and got.territories == {}
    assert got.origin_probability is None and got.why == "" and got.sensors == 3
    # as it is means all but the place, which no rule lets out finer than the floor
    plain, added = coarse_area(area(3000.0), PLAIN), -2.0 * math.log(0.1) * 2e3**2 / 12.0
    assert plain.semi_minor_m == pytest.approx(math.sqrt(3000.0**2 + added))
    assert plain.territories == area(3000.0).territories and plain.azimuth_rad == 1.23
    for off_m in (0.0, 100.0, -300.0):
        moved = replace(area(3000.0), latitude_rad=plain.latitude_rad + off_m / 6.371e6)
        for rule in (PLAIN, coarse(round_m=1.0)):
            assert coarse_area(moved, rule).latitude_rad == plain.latitude_rad
    # what should never have been made finer does not leave finer
    for rule in (PLAIN, coarse(round_m=1.0)):
        finer = coarse_area(area(500.0), rule)
        assert (finer.semi_major_m, finer.semi_minor_m) == (2000.0, 2000.0)


@pytest.mark.parametrize("step", [50.0, 500.0, 5e3, 15e3])
def test_an_azimuth_shows_the_launch_no_finer_than_places_are_rounded(step: float) -> None:
    told, sigmas = set(), set()
    for azimuth in np.linspace(0.0, 2.0 * math.pi, 2000, endpoint=False).tolist():
        got = coarse_area(replace(area(3000.0), azimuth_rad=azimuth), coarse(round_m=step))
        assert got.azimuth_rad is not None and got.azimuth_sigma_rad is not None
        assert 0.0 <= got.azimuth_rad < 2.0 * math.pi
        off = math.remainder(got.azimuth_rad - azimuth, 2.0 * math.pi)
        assert abs(off) < 0.9 * step / 10e3
        told.add(got.azimuth_rad)
        sigmas.add(got.azimuth_sigma_rad)
    # all of a sector of at least the step, seen from 10 km, are one
    assert len(told) <= 2.0 * math.pi * 10e3 / step
    (sigma,) = sigmas
    assert sigma >= math.hypot(0.02, step / 10e3 / math.sqrt(12.0)) - 1e-12


def test_what_is_rounded_to_more_than_a_rocket_flies_has_no_azimuth() -> None:
    got = coarse_area(area(3000.0), coarse(round_m=16e3))
    assert (got.azimuth_rad, got.azimuth_sigma_rad) == (None, None)
    none = replace(area(3000.0), azimuth_rad=None, azimuth_sigma_rad=None)
    assert coarse_area(none, coarse(round_m=100.0)).azimuth_rad is None


def test_a_rounded_announcement_still_holds_the_place_announced() -> None:
    announced = Announcement(
        name="orbit-1",
        object_class="space_launch",
        from_ns=START_NS,
        to_ns=START_NS + 1,
        latitude_rad=0.49,
        longitude_rad=0.62,
        radius_m=15e3,
        azimuth_rad=2.8,
        tolerance_rad=0.3,
    )
    got = coarse_announcement(announced, coarse(round_m=50e3))
    away = apart_m((0.49, 0.62), (got.latitude_rad, got.longitude_rad))
    assert 0.0 < away and away + 15e3 <= got.radius_m * 1.02
    assert coarse_announcement(announced, PLAIN) is announced


def test_health_and_plots_name_their_sensor_by_its_pseudonym_alone() -> None:
    rule = coarse(pseudonyms=True, key="k")
    health = SensorHealth(source="north radar", state="degraded", last_look_ns=5, detail="north radar is wet")
    assert named_health(health, rule) == SensorHealth(
        source=pseudonym("k", "north radar"), state="degraded", last_look_ns=5
    )
    assert named_health(health, PLAIN) is health
    sector = Sector(
        header=Header(originator="Amber", source="north radar", sequence=7, measured_ns=START_NS),
        sensor="north radar",
        azimuth_from_rad=0.0,
        azimuth_to_rad=1.0,
        received_ns=START_NS,
        range_m=(1.0, 2.0, 3.0),
        azimuth_rad=(0.1, 0.2, 0.3),
    )
    told = some_plots(sector, [0, 2], rule)
    assert "north" not in str(told)
    assert (told.range_m, told.azimuth_rad, told.elevation_rad) == ((1.0, 3.0), (0.1, 0.3), ())
    assert some_plots(sector, None, PLAIN) is sector
