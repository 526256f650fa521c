"""An infrared sensor in high orbit, and what it reports: lines of sight to what burns, with intensity.

A scan says where the satellite was and what cone it looked into, so that "nothing burned there" and "did not
look there" differ.  Lines of sight are unit vectors in ECEF at the scan's own instant: attitude and
timing of the instrument are its owner's business, and no azimuth of a satellite needs to be agreed upon.
"""

from __future__ import annotations

from msgspec import Struct

from jointwatch.records.header import Header


class Satellite(Struct, frozen=True, kw_only=True):
    """An infrared sensor in orbit: how well and how often it sees what burns (SI, radians).

    longitude_rad: over which it stands on the equator; each scan carries its own place.
    sigma_rad: of a line of sight, per axis across it.  period_s: from one look at a place to the next.
    detection: probability of a plot from a motor that burns in the clear.  cloud_m: below this height above
    the ellipsoid clouds may hide a motor, above it none does.  clutter_per_scan: false plots expected in a
    scan that no hot place on the ground explains.
    """

    name: str
    partner: str
    longitude_rad: float
    sigma_rad: float
    period_s: float
    detection: float
    cloud_m: float
    clutter_per_scan: float


class InfraredScan(Struct, frozen=True, kw_only=True, tag="infrared_scan"):
    """One look of one satellite: where it was, what it looked at, and what shone there, at one instant.

    site_m: its place, ECEF.  axis, half_angle_rad: the cone looked into, about a unit vector; the Earth in
    the way hides what is behind it.  The plots' columns have equal length: the unit vectors along_x, along_y,
    along_z from the satellite towards what shone, and its intensity (W/sr, as if seen through no air).
    """

    header: Header
    sensor: str
    received_ns: int
    site_m: tuple[float, float, float]
    axis: tuple[float, float, float]
    half_angle_rad: float
    along_x: tuple[float, ...] = ()
    along_y: tuple[float, ...] = ()
    along_z: tuple[float, ...] = ()
    intensity_w_sr: tuple[float, ...] = ()
