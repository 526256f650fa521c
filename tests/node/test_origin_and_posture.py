"""What a node says of where a launch was: the same at every posture, stated from two sensors, to partners."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from msgspec import msgpack
from msgspec.structs import replace
from reported_tracks import START_NS, Floats, at_s, moved, place
from test_node import RADAR, empty_look, fed, left, node

from jointwatch.launch.origin import ONE_SENSOR
from jointwatch.node.config import NodeConfig
from jointwatch.node.scribe import Output
from jointwatch.records import LaunchArea, LaunchReport, Sector, Sensor
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.tracking.undetected import LaunchGround
from jointwatch.warning.policy import Policy

ROCKET = place(33.2, 39.8, 30e3, -1000.0, 50.0, 700.0)
"""Some way after its burn-out, going west."""
ON_A_BORDER = place(33.2, 38.48, 30e3, -1000.0, 50.0, 700.0)
"""The same, from so near a border that it cannot be told."""
RADARS = (
    RADAR,
    replace(RADAR, name="amber-two", latitude_rad=math.radians(32.5), longitude_rad=math.radians(39.0)),
)
LANDS = {"Ochre": ("368",), "Slate": ("760",), "Umber": ("400",), "Sand": ("682",)}
GROUND = LaunchGround(
    latitude_rad=math.radians(33.2), longitude_rad=math.radians(40.0), radius_m=50e3, launches_per_day=5.0
)


def looks(radars: tuple[Sensor, ...], state: Floats = ROCKET, until_s: float = 60.0) -> list[Sector]:
    """What radars see of an object, turn about."""
    rng = np.random.default_rng(12)
    out = []
    for k, second in enumerate(np.arange(0.0, until_s, 1.0).tolist()):
        radar = radars[k % len(radars)]
        r, azimuth, elevation, rate = observe(sensor_row(radar), *moved(state, second)[:6])
        out.append(
            replace(
                empty_look(second, k + 1, radar.name),
                range_m=(r + 50.0 * rng.normal(),),
                azimuth_rad=(azimuth + 1e-3 * rng.normal(),),
                elevation_rad=(elevation + 1e-3 * rng.normal(),),
                range_rate_ms=(rate + 5.0 * rng.normal(),),
            )
        )
    return out


def seen(radars: tuple[Sensor, ...], state: Floats = ROCKET, **changes: Any) -> list[Output]:
    """All that a node with these radars says."""
    one = node(sensors=radars, territories=LANDS, grounds=(GROUND,), **changes)
    return [o for sector in looks(radars, state) for o in one.step(sector, sector.header.measured_ns)]


def areas(out: list[Output]) -> list[LaunchArea]:
    return [o.area for o in out if isinstance(o, LaunchReport)]


@pytest.mark.parametrize("state", [ROCKET, ON_A_BORDER])
def test_the_posture_changes_neither_an_origin_nor_an_area(state: Floats) -> None:
    """It acts on how soon a launch is a track, and leaves rounding errors in the track's state: no more."""
    calm, *others = (areas(seen(RADARS, state, boost=boost)) for boost in (1.0, 2.0, 8.0))
    assert calm and calm[-1].sensors == 2
    assert (calm[-1].origin_probability < 0.98) == (state is ON_A_BORDER)
    for tense in others:
        assert len(tense) == len(calm)
        for a, b in zip(calm, tense, strict=True):
            assert (b.origin, b.why, b.territories, b.sensors) == (a.origin, a.why, a.territories, a.sensors)
            assert abs(b.time_ns - a.time_ns) < 1000
            for field in ("latitude_rad", "longitude_rad", "semi_major_m", "semi_minor_m", "azimuth_rad"):
                assert getattr(b, field) == pytest.approx(getattr(a, field), rel=1e-7)


def test_the_posture_changes_nothing_that_is_said_of_a_partners_track() -> None:
    calm, tense = (
        fed(node(territories=LANDS, grounds=(GROUND,), boost=boost), until_s=60.0) for boost in (1.0, 8.0)
    )
    assert areas(calm) and areas(calm) == areas(tense)


def test_one_radar_alone_cannot_tell_the_origin_and_two_can() -> None:
    alone, both = areas(seen(RADARS[:1])), areas(seen(RADARS))
    assert {a.origin for a in alone} == {"cannot be told"} and alone[-1].why == ONE_SENSOR
    assert alone[-1].sensors == 1 and alone[-1].origin_probability > 0.95
    assert both[-1].origin == "Ochre" and both[-1].why == ""
    assert both[-1].territories["Ochre"] == both[-1].origin_probability


def test_what_one_sensor_left_open_is_told_when_another_has_looked() -> None:
    one = node(sensors=RADARS, territories=LANDS)
    first = looks(RADARS[:1], until_s=45.0)
    out = [o for sector in first for o in one.step(sector, sector.header.measured_ns)]
    assert areas(out)[-1].why == ONE_SENSOR
    later = looks(RADARS, until_s=60.0)[46:]
    out = [o for sector in later for o in one.step(sector, sector.header.measured_ns)]
    assert [a.origin for a in areas(out)] == ["Ochre"]


def test_disputed_ground_is_told_as_disputed() -> None:
    last = areas(seen(RADARS, disputed=("Ochre",)))[-1]
    assert last.origin == "disputed" and "Ochre" not in last.territories


def test_the_policy_raises_the_threshold() -> None:
    strict = areas(seen(RADARS, policy=Policy(state_origin_from=1.0)))[-1]
    plain = areas(seen(RADARS))[-1]
    assert strict.territories == plain.territories
    assert (strict.origin == "cannot be told") == (plain.origin_probability < 1.0)


def test_the_launch_message_that_leaves_holds_all_that_a_partner_needs() -> None:
    """Time, class, area, azimuth, expected impact area and time, each with its uncertainty."""
    told = left(seen(RADARS), LaunchReport)
    assert told
    for report in told:
        area, impact = report.area, report.impact
        assert report.object_class in report.classes
        assert sum(report.classes.values()) == pytest.approx(1.0)
        assert area.time_ns < at_s(0.0) and area.time_sigma_s > 0.0
        assert 2000.0 <= area.semi_minor_m <= area.semi_major_m
        # it goes west
        assert area.azimuth_rad is not None and area.azimuth_sigma_rad is not None
        assert math.degrees(area.azimuth_rad) == pytest.approx(273.0, abs=5.0)
        assert 0.0 < area.azimuth_sigma_rad < 0.1
        assert impact is not None and impact.time_ns > START_NS and impact.time_sigma_s > 0.0
        assert impact.covariance_m2[0] > 0.0 and impact.covariance_m2[2] > 0.0


def test_a_journal_from_before_there_was_disputed_ground_is_read() -> None:
    config = msgpack.decode(msgpack.encode(node().config))
    del config["disputed"], config["policy"]["state_origin_from"]
    read = msgpack.decode(msgpack.encode(config), type=NodeConfig)
    assert read == node().config and read.disputed == ()
