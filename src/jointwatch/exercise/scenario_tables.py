"""The tables of a scenario file, as typed values: partners, sensors, raids, traffic, links and the rest.

In: values as the file states them (degrees, metres, seconds; times from the start), each checked by its type;
out: `records` in SI units and radians, where the nodes need any.  `exercise.scenario` reads the file.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Struct

from jointwatch.records import Satellite, Sensor
from jointwatch.tracking.rules import FALSE_TRACKS_PER_DAY
from jointwatch.warning.words import OWN_LANGUAGE

if TYPE_CHECKING:
    from jointwatch.tracking.undetected import LaunchGround

Latitude = Annotated[float, Meta(ge=-90.0, le=90.0)]
Longitude = Annotated[float, Meta(ge=-180.0, le=180.0)]
Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Name = Annotated[str, Meta(min_length=1, pattern=r"^\S(.*\S)?$")]
ObjectClass = Literal[
    "artillery_rocket", "heavy_rocket", "short_range", "medium_range", "medium_range_two_stage"
]


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the scenario file: a key it does not know is refused."""


class Area(_File, frozen=True, kw_only=True):
    """A circle on the ground."""

    latitude_deg: Latitude
    longitude_deg: Longitude
    radius_m: NotNegative


class About(_File, frozen=True, kw_only=True):
    """[scenario]: name, title, start (UTC), how long it plays, and the seed of everything random in it."""

    name: Name
    title: str
    start: Annotated[datetime, Meta(tz=True)]
    duration_s: Positive
    seed: Annotated[int, Meta(ge=0)]


class Territory(_File, frozen=True, kw_only=True):
    """A place with an invented name: the outlines of one or more numeric land ids.

    disputed: whose it is, is disputed; as an origin it is told as "disputed", never by its name.
    """

    name: Name
    countries: Annotated[tuple[str, ...], Meta(min_length=1)]
    disputed: bool = False


class Site(_File, frozen=True, kw_only=True):
    """A partner's named place: a circle, and the time its people need to take shelter."""

    name: Name
    latitude_deg: Latitude
    longitude_deg: Longitude
    radius_m: Positive
    shelter_s: NotNegative


class Partner(_File, frozen=True, kw_only=True):
    """One partner and what it protects: zones = "areas" (those shipped), a GeoJSON file, or its sites.

    languages: those in which its people are warned (`warning.words`), in that order.  policy: what of
    [policy] it does otherwise (`exercise.policies`).
    """

    name: Name
    zones: str = ""
    sites: tuple[Site, ...] = ()
    languages: tuple[str, ...] = (OWN_LANGUAGE,)
    policy: dict[str, Any] = {}


Measured = Literal["range", "azimuth", "elevation", "range_rate"]


class SensorEntry(_File, frozen=True, kw_only=True):
    """One sensor of the file, in degrees; `Scenario.sensor_records` gives it in radians.

    measures, tilt, refractivity and light_time are those of `records.Sensor`.
    """

    name: Name
    partner: Name
    latitude_deg: Latitude
    longitude_deg: Longitude
    height_m: float
    range_min_m: NotNegative = 1000.0
    range_max_m: Positive
    elevation_min_deg: Annotated[float, Meta(ge=-10.0, le=90.0)]
    elevation_max_deg: Annotated[float, Meta(ge=-10.0, le=90.0)]
    sigma_range_m: Positive
    sigma_azimuth_mrad: Positive
    sigma_elevation_mrad: Positive
    sigma_range_rate_ms: Positive
    period_s: Positive
    sectors: Annotated[int, Meta(ge=1, le=360)]
    detection: Share
    clutter_per_scan: NotNegative
    measures: tuple[Measured, ...] = ("range", "azimuth", "elevation", "range_rate")
    tilt_east_mrad: float = 0.0
    tilt_north_mrad: float = 0.0
    refractivity: Annotated[float, Meta(ge=0.0, le=500.0)] = 0.0
    light_time: bool = False

    def record(self) -> Sensor:
        """The sensor in SI units and radians."""
        return Sensor(
            name=self.name,
            partner=self.partner,
            latitude_rad=math.radians(self.latitude_deg),
            longitude_rad=math.radians(self.longitude_deg),
            height_m=self.height_m,
            range_min_m=self.range_min_m,
            range_max_m=self.range_max_m,
            elevation_min_rad=math.radians(self.elevation_min_deg),
            elevation_max_rad=math.radians(self.elevation_max_deg),
            sigma_range_m=self.sigma_range_m,
            sigma_azimuth_rad=self.sigma_azimuth_mrad * 1e-3,
            sigma_elevation_rad=self.sigma_elevation_mrad * 1e-3,
            sigma_range_rate_ms=self.sigma_range_rate_ms,
            period_s=self.period_s,
            sectors=self.sectors,
            detection=self.detection,
            clutter_per_scan=self.clutter_per_scan,
            measures=self.measures,
            tilt_east_rad=self.tilt_east_mrad * 1e-3,
            tilt_north_rad=self.tilt_north_mrad * 1e-3,
            refractivity=self.refractivity,
            light_time=self.light_time,
        )


class SatelliteEntry(_File, frozen=True, kw_only=True):
    """One infrared sensor in orbit; `Scenario.satellite_records` gives it in SI and radians.

    longitude_deg: over which it stands, in geostationary orbit; or elements: the two lines of any other high
    orbit (`exercise.orbits`).
    """

    name: Name
    partner: Name
    longitude_deg: Longitude | None = None
    elements: tuple[str, str] | None = None
    sigma_urad: Positive
    period_s: Positive
    detection: Share
    cloud_km: NotNegative
    clutter_per_scan: NotNegative

    def record(self, longitude_rad: float | None = None) -> Satellite:
        """The sensor in SI units and radians; longitude_rad: where it is over, if it stands over no place."""
        if longitude_rad is None:
            longitude_rad = math.radians(self.longitude_deg or 0.0)
        return Satellite(
            name=self.name,
            partner=self.partner,
            longitude_rad=longitude_rad,
            sigma_rad=self.sigma_urad * 1e-6,
            period_s=self.period_s,
            detection=self.detection,
            cloud_m=self.cloud_km * 1e3,
            clutter_per_scan=self.clutter_per_scan,
        )


class HotPlace(_File, frozen=True, kw_only=True):
    """A place that shines in the infrared and stays where it is: a gas flare, a fire of industry.

    share: part of the looks that find it shining.
    """

    latitude_deg: Latitude
    longitude_deg: Longitude
    intensity_kw_sr: Positive
    share: Share


class Falls(_File, frozen=True, kw_only=True):
    """Where some of a raid's objects come down: `count` different zones of one partner.

    zones: keys or names to choose from (all where empty).  within_km: only those whose centre lies at such a
    distance from the raid's launch area.  choose: spread (as far apart as can be), random, or same (all on
    the one zone named).
    """

    partner: Name
    count: Annotated[int, Meta(ge=1)]
    choose: Literal["spread", "random", "same"] = "spread"
    zones: tuple[str, ...] = ()
    within_km: tuple[float, float] | None = None


class Raid(_File, frozen=True, kw_only=True):
    """One raid: objects of one class launched from one area, one every interval.

    break_up: index (from 0, in order of launch) of an object that breaks up in flight.
    turns: whether the change "azimuth_deg" turns its launch area.
    """

    name: Name
    object_class: ObjectClass
    area: Area
    start_s: NotNegative
    interval_s: NotNegative
    falls: Annotated[tuple[Falls, ...], Meta(min_length=1)]
    break_up: Annotated[int, Meta(ge=0)] | None = None
    turns: bool = True

    @property
    def count(self) -> int:
        """How many objects are launched."""
        return sum(f.count for f in self.falls)


class Route(_File, frozen=True, kw_only=True):
    """A civil route: aircraft enter at `from` and fly towards `to`, in degrees (latitude, longitude)."""

    start_deg: tuple[Latitude, Longitude]
    end_deg: tuple[Latitude, Longitude]
    count: Annotated[int, Meta(ge=1)]


class Aircraft(_File, frozen=True, kw_only=True):
    """[aircraft]: civil traffic, by route."""

    routes: tuple[Route, ...] = ()


class SpaceLaunch(_File, frozen=True, kw_only=True):
    """[space_launch]: one launch to orbit."""

    name: Name
    latitude_deg: Latitude
    longitude_deg: Longitude
    azimuth_deg: float
    start_s: NotNegative


class Announced(_File, frozen=True, kw_only=True):
    """A launch announced beforehand: from where, towards where and when."""

    name: Name
    object_class: str
    window_from_s: float
    window_to_s: float
    area: Area
    azimuth_deg: float
    tolerance_deg: Positive


class Cut(_File, frozen=True, kw_only=True):
    """The link between the partners is down from from_s to to_s."""

    from_s: NotNegative
    to_s: Positive


class Link(_File, frozen=True, kw_only=True):
    """[link]: its delay and its cuts."""

    delay_s: NotNegative = 0.1
    cuts: tuple[Cut, ...] = ()


class LaunchGroundEntry(_File, frozen=True, kw_only=True):
    """A circle on the ground that launches are expected from, and how many a day."""

    latitude_deg: Latitude
    longitude_deg: Longitude
    radius_km: Positive
    launches_per_day: NotNegative

    def record(self) -> LaunchGround:
        """The same in SI units and radians."""
        from jointwatch.tracking.undetected import LaunchGround

        return LaunchGround(
            latitude_rad=math.radians(self.latitude_deg),
            longitude_rad=math.radians(self.longitude_deg),
            radius_m=self.radius_km * 1e3,
            launches_per_day=self.launches_per_day,
        )


class Tracking(_File, frozen=True, kw_only=True):
    """[tracking]: what the nodes' trackers expect, and how many false tracks a day they accept."""

    false_tracks_per_day: Positive = FALSE_TRACKS_PER_DAY
    launch_grounds: tuple[LaunchGroundEntry, ...] = ()
