"""What an object or a burn endangers: threats to the zones of each partner that a node warns.

In: tracks of the picture with their predicted falls, and expected impacts of burns; out: a `Threat` for each
partner's zones.  The danger is of all that the object may be: it may still burn, and then comes down farther
on; it may be an aircraft, or not be there, and then nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.joint.joint_track import JointTrack
from jointwatch.launch.drag_after import Drag, with_class
from jointwatch.motion.phases import BOOST, CRUISE
from jointwatch.records import Impact, Zone
from jointwatch.warning.behind import Threat
from jointwatch.warning.burning_on import falls_if_burning
from jointwatch.warning.ground import Ground
from jointwatch.warning.impact import GroundFall, ground_fall
from jointwatch.warning.reach import Reach
from jointwatch.warning.spread import farthest_m, radius, spread_points, stated
from jointwatch.warning.zones import ZoneIndex

Floats = NDArray[np.float64]
LEAST_CRUISE = 0.02
"""A track that cruises with this probability may be an aircraft: one just seen can look ballistic."""
AIRCRAFT_M, AIRCRAFT_MS, CLIMB_MS = 15e3, 340.0, 100.0
"""Aircraft fly below this height, no faster than this and climb or sink no faster than this, as far as a few
looks tell."""
AIRCRAFT_ODDS = 100.0
"""Of what moves so there are more aircraft than rockets by this factor, so that much less probable must it be
that it cruises: of some thousand aircraft just seen two looked ballistic by 80 and 800 to 1."""
DOUBT = 0.5
"""A track less likely than this to exist begins no notice; it keeps up what stands."""
LEAST_BURNING = 0.02
"""With less probability that its motor burns, where an object comes down if it burns on is not asked."""
NO_ZONES = np.empty(0, dtype=np.int64), np.empty(0)


def may_be_aircraft(phases: Sequence[float] | Floats, state: Floats) -> bool:
    """Whether a track of these phases, and of this state (at least 6,), may be an aircraft's."""
    cruises = phases[CRUISE]
    if cruises >= LEAST_CRUISE or cruises < LEAST_CRUISE / AIRCRAFT_ODDS:
        return bool(cruises >= LEAST_CRUISE)
    place, velocity = state[:3], state[3:6]
    climb = float(velocity @ place) / float(np.linalg.norm(place))
    return bool(
        height_above_ellipsoid(*place.tolist()) < AIRCRAFT_M
        and np.linalg.norm(velocity) < AIRCRAFT_MS
        and abs(climb) < CLIMB_MS
    )


class Dangers:
    """The zones of all partners that a node warns, to be asked what endangers them."""

    def __init__(self, partners_zones: Sequence[Sequence[Zone]], early_margin_m: float) -> None:
        """partners_zones: of each partner; threats come in that order."""
        self._ground = Ground([zone for zones in partners_zones for zone in zones])
        self._zones = [(ZoneIndex(zones), Reach(zones, early_margin_m)) for zones in partners_zones]

    def fall_of(
        self,
        track: JointTrack,
        classes: Mapping[str, float],
        drags: Mapping[str, Drag],
        before: GroundFall | None,
    ) -> GroundFall | None:
        """Where an object comes down; None if it does not.

        classes: what it may be, by probability; drags: of these, what its burn said.  before: its fall as it
        was last predicted, which tells how high the ground is.
        """
        state, covariance = with_class(track.state, track.covariance, classes, drags)
        before = before or ground_fall(state, covariance)
        if before is None:
            return None
        height_m = self._ground.height_m(before.latitude_rad, before.longitude_rad)
        return ground_fall(state, covariance, height_m)

    def of_track(
        self,
        track: JointTrack,
        object_class: str,
        danger_m: float,
        fall: GroundFall,
        impact_ns: int,
        reach_only: bool,
        sure: bool,
        burns: tuple[str, ...] = (),
        shed: bool = False,
    ) -> tuple[Threat, ...]:
        """What an object threatens; danger_m: how near its fall is dangerous.  burns: numbers that it had
        before it was a track; shed: parts came off it just now."""
        (ee, en), (_, nn) = fall.spread.covariance_m2.tolist()
        major_m = math.sqrt(0.5 * (ee + nn + math.hypot(ee - nn, 2.0 * en)))
        way = self._way(track, fall)
        farthest = farthest_m(fall.spread) + danger_m
        spots = [(math.degrees(longitude), math.degrees(latitude)) for latitude, longitude in way]
        endangered = [any(index.may_endanger(*spot, farthest) for spot in spots) for index, _ in self._zones]
        points = None
        if any(endangered):
            longitude, latitude, weights = _points(way, fall, track.phases[BOOST])
            points = longitude, latitude, weights * (1.0 - track.phases[CRUISE]) * track.existence
        return tuple(
            Threat(
                track.number,
                object_class,
                impact_ns,
                fall.latitude_rad,
                fall.longitude_rad,
                major_m,
                # of how a part drags nothing is known: what is wide about it may be anything
                major_m if track.parent else fall.open_m,
                *(index.danger(*points, danger_m) if near and points is not None else NO_ZONES),
                reach_only,
                sure,
                (*track.aliases, *burns),
                reach.along(way, major_m),
                track.existence < DOUBT or may_be_aircraft(track.phases, track.state),
                shed,
            )
            for near, (index, reach) in zip(endangered, self._zones, strict=True)
        )

    def of_burn(self, impact: Impact) -> tuple[Threat, ...]:
        """What a burn threatens that no track has taken over: it gives early notice, and no more."""
        sigma_m = stated(impact).ellipse()[0] / radius(0.9)
        return tuple(
            Threat(
                impact.track,
                impact.object_class,
                impact.time_ns,
                impact.latitude_rad,
                impact.longitude_rad,
                sigma_m,
                sigma_m,
                *NO_ZONES,
                reach_only=True,
                sure=False,
                aliases=(impact.track,),
                near=reach.of_burn(impact),
            )
            for _, reach in self._zones
        )

    def _way(self, track: JointTrack, fall: GroundFall) -> list[tuple[float, float]]:
        """Places (rad) where an object comes down, first if its motor is out, then if it burns on."""
        way = [(fall.latitude_rad, fall.longitude_rad)]
        if track.phases[BOOST] > LEAST_BURNING and track.thrust_ms2 > 0.0:
            on = falls_if_burning(track.state, track.thrust_ms2, self._ground.height_m(*way[0]))
            way += [(float(latitude), float(longitude)) for _, latitude, longitude in on]
        return way


def _points(
    way: Sequence[tuple[float, float]], fall: GroundFall, burning: float
) -> tuple[Floats, Floats, Floats]:
    """Longitudes, latitudes (deg) and weights of points where an object comes down, which is burning with
    this probability: about each place of its way as spread as about the first."""
    each = [spread_points(*place, fall.spread) for place in way]
    if len(each) == 1:
        return each[0]
    shares = [1.0 - burning, *([burning / (len(each) - 1)] * (len(each) - 1))]
    return (
        np.concatenate([longitude for longitude, _, _ in each]),
        np.concatenate([latitude for _, latitude, _ in each]),
        np.concatenate([weights * share for (_, _, weights), share in zip(each, shares, strict=True)]),
    )


def impact_of(number: str, object_class: str, fall: GroundFall, now: int, reach_only: bool = False) -> Impact:
    """The record of a fall that was predicted at a time (ns)."""
    c = fall.spread.covariance_m2
    return Impact(
        track=number,
        object_class=object_class,
        time_ns=now + round(fall.time_s * 1e9),
        time_sigma_s=fall.time_sigma_s,
        latitude_rad=fall.latitude_rad,
        longitude_rad=fall.longitude_rad,
        covariance_m2=(float(c[0, 0]), float(c[0, 1]), float(c[1, 1])),
        axis_rad=fall.spread.axis_rad,
        quantiles=fall.spread.quantiles,
        reach_only=reach_only,
    )
