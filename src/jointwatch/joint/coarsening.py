"""What a sharing rule changes in what leaves: positions rounded, sensors' names replaced.

In: a record of the node's own and the rule that lets it go; out: the record as the partner gets it.  Whoever
rounds says so: the variance of the rounding is added to what the record says of itself.  Delays are kept by
`joint.sharer`.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from jointwatch.earth.frames import MEAN_RADIUS_M
from jointwatch.joint.sharing import SharingRule
from jointwatch.records import (
    Announcement,
    Header,
    Impact,
    InfraredScan,
    LaunchArea,
    Sector,
    SensorHealth,
    SequenceRange,
    Track,
    Tracklet,
)
from jointwatch.sensing.infrared import some_of

FLOOR_M = 2000.0
"""No launch area leaves a node finer than this, neither its semi-axes nor the place of its middle; no setting
lowers it.  The estimate's axes hold to it already (`launch.area`): here they are asked once more, at the last
door, and the middle, which an ellipse of 2 km may well know to 500 m, is rounded."""
NEAREST_FALL_M = 10e3
"""Hardly anything falls nearer to where it was launched: from there, an azimuth shows the launch to its error
times this, and finer than places are rounded it must not."""
NINETY = math.sqrt(-2.0 * math.log(0.1))
"""Semi-axis of a 90 % ellipse, in standard deviations."""
_UPPER = np.triu_indices(7)


def pseudonym(key: str, source: str) -> str:
    """A source's name that is the same each time and tells nothing without the key."""
    return "src-" + hmac.new(key.encode(), source.encode(), hashlib.sha256).hexdigest()[:12]


def coarse_track(track: Track, rule: SharingRule) -> Track:
    """A track rounded as the rule asks, Earth-fixed component by component, and its sources' names."""
    steps = [rule.round_m] * 3 + [rule.round_ms] * 3
    if any(steps):
        state = list(track.state)
        covariance = np.zeros((7, 7))
        covariance[_UPPER] = track.covariance
        for i, step in enumerate(steps):
            if step > 0.0:
                state[i] = step * round(state[i] / step)
                covariance[i, i] += step * step / 12.0
        track = replace(track, state=tuple(state), covariance=tuple(covariance[_UPPER].tolist()))
    return replace(track, header=hidden(track.header, rule))


def named_tracklet(tracklet: Tracklet, rule: SharingRule) -> Tracklet:
    """A tracklet with its sensor's name as the rule lets it be known."""
    return replace(tracklet, source=named(tracklet.source, rule))


def coarse_impact(impact: Impact, rule: SharingRule) -> Impact:
    """A predicted fall with its place rounded: a Gaussian, for the skew would tell where it was before."""
    if rule.round_m == 0.0:
        return impact
    latitude, longitude = _rounded(impact.latitude_rad, impact.longitude_rad, rule.round_m)
    variance = rule.round_m**2 / 12.0
    ee, en, nn = impact.covariance_m2
    return replace(
        impact,
        latitude_rad=latitude,
        longitude_rad=longitude,
        covariance_m2=(ee + variance, en, nn + variance),
        axis_rad=0.0,
        quantiles=(),
    )


def coarse_area(area: LaunchArea, rule: SharingRule) -> LaunchArea:
    """A launch area with its place rounded, at least to the floor, and its ellipse as much larger.

    How probable each territory is would tell how near a border the place was: where a rule rounds, only the
    place stated remains.  The azimuth, with the fall, would tell on which line it was: there it is rounded as
    coarsely, or not told.
    """
    step = max(rule.round_m, FLOOR_M)
    latitude, longitude = _rounded(area.latitude_rad, area.longitude_rad, step)
    semi = [
        math.hypot(axis, NINETY * step / math.sqrt(12.0)) for axis in (area.semi_major_m, area.semi_minor_m)
    ]
    area = replace(area, latitude_rad=latitude, longitude_rad=longitude)
    if rule.round_m > 0.0:
        azimuth, sigma = _rounded_azimuth(area, rule.round_m)
        area = replace(
            area,
            territories={},
            origin_probability=None,
            why="",
            azimuth_rad=azimuth,
            azimuth_sigma_rad=sigma,
        )
    major, minor = (max(axis, FLOOR_M) for axis in semi)
    return replace(area, semi_major_m=major, semi_minor_m=minor)


def coarse_announcement(announced: Announcement, rule: SharingRule) -> Announcement:
    """An announced launch with its place rounded, in a circle that still holds the one announced."""
    if rule.round_m == 0.0:
        return announced
    latitude, longitude = _rounded(announced.latitude_rad, announced.longitude_rad, rule.round_m)
    return replace(
        announced,
        latitude_rad=latitude,
        longitude_rad=longitude,
        radius_m=announced.radius_m + rule.round_m * math.sqrt(0.5),
    )


def named_health(health: SensorHealth, rule: SharingRule) -> SensorHealth:
    """How a sensor does, under the name that the rule lets be known; words could give away which it is."""
    if not rule.pseudonyms:
        return health
    return replace(health, source=named(health.source, rule), detail="")


def some_plots(sector: Sector, plots: Sequence[int] | None, rule: SharingRule) -> Sector:
    """A sector with some of its plots (None: all), its sensor named as the rule lets it be known."""
    if plots is not None:
        sector = replace(
            sector,
            range_m=_at(sector.range_m, plots),
            azimuth_rad=_at(sector.azimuth_rad, plots),
            elevation_rad=_at(sector.elevation_rad, plots),
            range_rate_ms=_at(sector.range_rate_ms, plots),
        )
    if not rule.pseudonyms:
        return sector
    return replace(sector, sensor=named(sector.sensor, rule), header=hidden(sector.header, rule))


def some_lines(scan: InfraredScan, plots: Sequence[int] | None, rule: SharingRule) -> InfraredScan:
    """A scan with some of its plots (None: all), its sensor named as the rule lets it be known.

    A pseudonym hides its name only: where the satellite stands is what makes its lines of sight of use.
    """
    if plots is not None:
        scan = some_of(scan, plots)
    if not rule.pseudonyms:
        return scan
    return replace(scan, sensor=named(scan.sensor, rule), header=hidden(scan.header, rule))


def named(source: str, rule: SharingRule) -> str:
    """A sensor's name as a rule lets it be known."""
    return pseudonym(rule.key, source) if rule.pseudonyms else source


def hidden(header: Header, rule: SharingRule) -> Header:
    """A header that names no sensor, where the rule wants pseudonyms; a partner's own name stays."""
    if not rule.pseudonyms:
        return header
    source = header.source if header.source == header.originator else named(header.source, rule)
    provenance = tuple(SequenceRange(named(r.source, rule), r.first, r.last) for r in header.provenance)
    return replace(header, source=source, provenance=provenance)


def _at(column: tuple[float, ...], plots: Sequence[int]) -> tuple[float, ...]:
    """Those values of a column, which is empty where the sensor does not measure it."""
    return tuple(column[i] for i in plots) if column else ()


def _rounded_azimuth(area: LaunchArea, step_m: float) -> tuple[float, float] | tuple[None, None]:
    """The nearest of directions that divide the circle evenly, as coarsely as step_m asks; None for less than
    four."""
    directions = math.floor(2.0 * math.pi * NEAREST_FALL_M / step_m)
    if area.azimuth_rad is None or area.azimuth_sigma_rad is None or directions < 4:
        return None, None
    step = 2.0 * math.pi / directions
    azimuth = step * (round(area.azimuth_rad / step) % directions)
    return azimuth, math.hypot(area.azimuth_sigma_rad, step / math.sqrt(12.0))


def _rounded(latitude_rad: float, longitude_rad: float, step_m: float) -> tuple[float, float]:
    """The nearest place of a grid of about step_m on the ground; all places of a cell give the same one."""
    step = step_m / MEAN_RADIUS_M
    latitude = min(max(step * round(latitude_rad / step), -0.5 * math.pi), 0.5 * math.pi)
    across = step / max(math.cos(latitude), 1e-6)
    return latitude, math.remainder(across * round(longitude_rad / across), 2.0 * math.pi)
