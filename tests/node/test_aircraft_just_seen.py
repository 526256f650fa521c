"""Aircraft that look ballistic for a look or two tell nobody; what moves as none does, or falls, is told."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from test_node import START_NS, no_looks, node

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, geodetic2ecef
from jointwatch.joint.joint_track import JointTrack
from jointwatch.motion.propagate import fall
from jointwatch.node.dangers import AIRCRAFT_M, AIRCRAFT_MS, CLIMB_MS, may_be_aircraft
from jointwatch.node.scribe import Output
from jointwatch.records import Alert, LaunchReport, Zone

LATITUDE, LONGITUDE = math.radians(31.4), math.radians(35.2)


def moving(height_m: float, east_ms: float, climb_ms: float) -> NDArray[np.float64]:
    """A state (7,) at a height, eastward, that drags as heavy rockets do."""
    place = geodetic2ecef(LATITUDE, LONGITUDE, height_m)
    velocity = enu_rotation(LATITUDE, LONGITUDE).T @ [east_ms, 0.0, climb_ms]
    return np.array([*place, *velocity, -9.6])


def seen(state: NDArray[np.float64], cruises: float) -> JointTrack:
    return JointTrack(
        number="A-1", aliases=("A-1",), time_ns=START_NS, state=state,
        covariance=np.diag([50.0**2] * 3 + [10.0**2] * 3 + [0.3**2]), phases=(0.0, 1.0 - cruises, cruises),
        existence=1.0, hits=6, first_ns=START_NS - 10**10, seen_ns=START_NS, thrust_ms2=0.0, parent="",
        originators=("Amber",),
    )  # fmt: skip


def decided(track: JointTrack) -> list[Output]:
    """What a node makes of a track at whose fall there is a zone."""
    landed = track.state.copy()
    fall(landed, 0.0, 0.0)
    latitude, longitude, _ = ecef2geodetic(*landed[:3])
    zone = Zone(
        key="Z1", name="Z1", partner="Amber", longitude_deg=math.degrees(longitude),
        latitude_deg=math.degrees(latitude), shelter_s=30.0, radius_m=3000.0,
    )  # fmt: skip
    every = frozenset({"amber-1", "amber-2"})
    out: list[Output] = node(zones=(zone,))._decisions.decide([track], START_NS, lambda _: every, no_looks)
    return out


def told(out: list[Output]) -> set[str]:
    return {type(o).__name__ if isinstance(o, LaunchReport) else o.tier for o in out
            if isinstance(o, Alert | LaunchReport)}  # fmt: skip


@pytest.mark.parametrize(("climb_ms", "cruises"), [(-34.0, 0.0012), (-70.0, 0.0116)])
def test_an_airliner_that_looks_ballistic_for_a_look_tells_nobody(climb_ms: float, cruises: float) -> None:
    """Two of some thousand, by the radars of the bundled exercise; each took shelter alerts with it."""
    assert told(decided(seen(moving(11.9e3, 225.0, climb_ms), cruises))) == set()


def test_what_falls_beyond_that_doubt_is_told_though_it_moves_alike() -> None:
    assert told(decided(seen(moving(11.9e3, 225.0, -70.0), 0.0001))) == {"early", "LaunchReport"}


@pytest.mark.parametrize(
    ("height_m", "east_ms", "climb_ms"),
    [
        (AIRCRAFT_M + 2e3, 225.0, 0.0),
        (9e3, AIRCRAFT_MS + 50.0, 0.0),
        (9e3, 225.0, CLIMB_MS + 10.0),
        (9e3, 225.0, -CLIMB_MS - 10.0),
    ],
)
def test_what_moves_as_no_aircraft_does_needs_no_more_than_the_policy_asks(
    height_m: float, east_ms: float, climb_ms: float
) -> None:
    state = moving(height_m, east_ms, climb_ms)
    assert not may_be_aircraft((0.0, 0.988, 0.012), state)
    assert may_be_aircraft((0.0, 0.97, 0.03), state)
    assert may_be_aircraft((0.0, 0.988, 0.012), moving(9e3, 225.0, 0.0))
    assert "LaunchReport" in told(decided(seen(state, 0.012)))
