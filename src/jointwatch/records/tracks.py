"""A track as it is stored and sent: state, covariance, what it probably is, and what stands behind it.

The compiled tracker keeps columns of its own (`tracking.table`); these records are snapshots of one row
at the end of a sector.  `LaunchArea` and `Impact` are what is worked out from one.
"""

from __future__ import annotations

from msgspec import Struct

from jointwatch.records.header import Header

PHASES = ("boost", "ballistic", "cruise")
"""Order of flight phases in every array of phase probabilities."""
LAUNCH_FLOOR_M = 2000.0
"""No launch area leaves or enters a node finer than this semi-axis; no setting lowers it."""


class Track(Struct, frozen=True, kw_only=True):
    """One object as one node sees it, at its header's `measured_ns`.

    number: "AMBER-0012", the issuer's track number, stable for the object's life.
    state: x, y, z (m), vx, vy, vz (m/s) Earth-fixed, and the natural log of the drag parameter (m^2/kg,
    at twice the speed of sound: `motion.drag`).
    covariance: upper triangle by rows of its 7 x 7 covariance (28 values).
    phases: probability of boost, ballistic, cruise.  existence: probability that it is an object at all.
    thrust_ms2: estimated specific thrust along the velocity while boosting, else 0.
    hits: looks that stand behind it.  first_ns: time of the first of them.
    """

    header: Header
    number: str
    existence: float
    phases: tuple[float, float, float]
    state: tuple[float, ...]
    covariance: tuple[float, ...]
    thrust_ms2: float
    hits: int
    first_ns: int
    ended: bool = False
    parent: str = ""


class TrackReport(Struct, frozen=True, kw_only=True, tag="track_report"):
    """Tracks that one node releases to another after one sector, under one rule."""

    header: Header
    rule: str
    tracks: tuple[Track, ...]


class LaunchArea(Struct, frozen=True, kw_only=True):
    """Where and when an object was launched, as an area: never finer than the 2 km floor.

    semi_major_m, semi_minor_m: of the 90 % ellipse; bearing_rad: of the major axis, from true north.
    territories: probability of each place by name; origin: the place stated ("disputed" where it is), or
    "cannot be told"; origin_probability: of the most probable place, None where that is not told; why: in
    words, why it cannot be told.  A place, never an actor: who is responsible is not computed.
    azimuth_rad: in which direction it went, from true north, with its standard deviation; None where that is
    not known.  sensors: how many stand behind it, 0 where that is not told.
    """

    track: str
    time_ns: int
    time_sigma_s: float
    latitude_rad: float
    longitude_rad: float
    semi_major_m: float
    semi_minor_m: float
    bearing_rad: float
    territories: dict[str, float]
    origin: str
    announced: str = ""
    origin_probability: float | None = None
    why: str = ""
    azimuth_rad: float | None = None
    azimuth_sigma_rad: float | None = None
    sensors: int = 0


class Impact(Struct, frozen=True, kw_only=True):
    """Where and when an object will come down: its mean place, and how it is spread over the ground.

    covariance_m2: east-east, east-north, north-north (m^2).  axis_rad, quantiles: bearing along which the
    fall is skewed, and how far along it are the 0.6, 12, 50, 88 and 99.4 % quantiles, in standard deviations
    from the mean (`warning.spread`); without them it is a Gaussian.  reach_only: still thrusting, so this is
    only how far it would reach if it stopped now.
    """

    track: str
    object_class: str
    time_ns: int
    time_sigma_s: float
    latitude_rad: float
    longitude_rad: float
    covariance_m2: tuple[float, float, float]
    axis_rad: float = 0.0
    quantiles: tuple[float, ...] = ()
    reach_only: bool = False


class LaunchReport(Struct, frozen=True, kw_only=True, tag="launch"):
    """What both partners are told of a launch: generic class, time, area and azimuth, expected place and time
    of impact, each with its uncertainty.

    impact: None where a sharing rule lets the launch area go and keeps the impact back, where no class fits
    any more, and where it was withdrawn.  withdrawn: "" while it stands, else why what was told of it before
    does no longer.
    """

    header: Header
    object_class: str
    classes: dict[str, float]
    area: LaunchArea
    impact: Impact | None = None
    withdrawn: str = ""
