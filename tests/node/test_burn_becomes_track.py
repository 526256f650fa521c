"""What people say of a burn holds for the track that rises from it; of another object they said nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from test_burns_of_a_node import AZIMUTH, EYES, LAUNCHED_S, PLACE, notes, scans, stepped
from test_node import at_s, no_looks, node

from jointwatch.earth.frames import ecef2geodetic
from jointwatch.joint.joint_track import JointTrack
from jointwatch.launch.ascent import KNOTS, VALUES, ascend
from jointwatch.launch.fit import medians
from jointwatch.launch.profiles import profile_named
from jointwatch.motion.phases import BALLISTIC
from jointwatch.motion.propagate import fall, propagate
from jointwatch.node.node import Node
from jointwatch.node.scribe import Output
from jointwatch.records import Alert, Drafted, Header, ManualAlert, Released, Zone

SEEN_S = 165.0
"""The last scan is told at 162 s; the track is looked at a little later."""


def flown_out() -> NDArray[np.float64]:
    """The missile of `scans` at SEEN_S, its motor out: a state (7,) as tracks have it."""
    row, values = profile_named("medium_range").row(), np.zeros(VALUES)
    values[3] = AZIMUTH
    medians(row, values)
    times, states = np.empty(KNOTS), np.empty((KNOTS, 6))
    n = ascend(row, values, PLACE, math.inf, times, states)
    state = np.append(states[n - 1], math.log(2e-4))
    propagate(BALLISTIC, state, SEEN_S - LAUNCHED_S - float(times[n - 1]))
    return state


def track(number: str, aliases: tuple[str, ...], shift_m: float = 0.0) -> JointTrack:
    """A track of that missile, known well; shift_m: of one as far north of it."""
    state = flown_out()
    state[2] += shift_m
    return JointTrack(
        number=number,
        aliases=aliases,
        time_ns=at_s(SEEN_S),
        state=state,
        covariance=np.diag([200.0**2] * 3 + [10.0**2] * 3 + [0.3**2]),
        phases=(0.0, 1.0, 0.0),
        existence=1.0,
        hits=6,
        first_ns=at_s(SEEN_S - 20.0),
        seen_ns=at_s(SEEN_S),
        thrust_ms2=0.0,
        parent="",
        originators=("Amber",),
    )


def told(out: list[Output]) -> list[str]:
    return [f"{o.action} {o.tier}" for o in out if isinstance(o, Alert)]


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> Node:
    """A node whose people took back the early notice that the burn gave, however vague its fall was."""
    monkeypatch.setattr("jointwatch.warning.reach.VAGUEST_M", 1e6)
    state = flown_out()
    fall(state, 0.0, 3000.0)
    latitude, longitude, _ = ecef2geodetic(*state[:3])
    zone = Zone(
        key="Z1",
        name="Z1",
        partner="Amber",
        longitude_deg=math.degrees(longitude),
        latitude_deg=math.degrees(latitude),
        shelter_s=30.0,
        radius_m=3000.0,
    )
    mine: Node = node(satellites=EYES, zones=(zone,))
    seen = scans()
    assert told(stepped(mine, seen)) == ["alert early"]
    now = seen[-1].received_ns + 2 * 10**9
    header = Header(originator="Amber", source="desk", sequence=1, measured_ns=now)
    what = ManualAlert(action="cancel", tier="early", reason="false_alarm", zones=("Z1",))
    mine.step(Drafted(header=header, draft="d", content=what, drafted_by="Ann"), now)
    (draft,) = mine.drafts()
    gone = mine.step(Released(header=header, draft="d", digest=draft.digest, released_by="Ben"), now)
    assert told(gone) == ["cancel early"]
    return mine


def decided(mine: Node, seen: JointTrack) -> list[Output]:
    """What this track gives rise to, and a further look at it."""
    every = frozenset({"amber-1", "amber-2"})
    out = mine._decisions.decide([seen], seen.time_ns, lambda _: every, no_looks)
    later = replace(seen, seen_ns=seen.seen_ns + 10**9, hits=seen.hits + 1)
    return out + mine._decisions.decide([later], seen.time_ns + 12 * 10**9, lambda _: every, no_looks)


@pytest.mark.parametrize("aliases", [("A-1",), ("A-1", "B-4")])
def test_the_withdrawal_of_a_burns_notice_stands_when_the_burn_becomes_a_track(
    mine: Node, aliases: tuple[str, ...]
) -> None:
    out = decided(mine, track("A-1", aliases))
    assert [(n.subject, n.detail) for n in notes(out, "burn_became_track")] == [("AMBER-B0001", "A-1")]
    assert "alert early" not in told(out)
    # the joint number may become another's
    renamed = replace(track("B-4", ("B-4", "A-1")), hits=9)
    assert "alert early" not in told(decided(mine, renamed))


def test_a_track_that_did_not_rise_from_the_burn_is_told_of(mine: Node) -> None:
    out = decided(mine, track("A-1", ("A-1",), shift_m=12e3))
    assert not notes(out, "burn_became_track")
    assert "alert early" in told(out)
