"""The scenario file: what an exercise is made of, read from TOML into typed values and checked.

In: a TOML file (degrees, metres, seconds; times from the start) and changes to it for perturbed exercises;
out: a `Scenario`, or BadInput, one sentence that names the file, the dotted key, what was found and what was
wanted. Nothing is computed here: `exercise.truth` flies the raids, `exercise.sensors` and
`exercise.infrared` look at them.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from jointwatch.exercise.orbits import record_of
from jointwatch.exercise.scenario_checks import check_scenario
from jointwatch.exercise.scenario_tables import (
    About,
    Aircraft,
    Announced,
    HotPlace,
    Link,
    Partner,
    Raid,
    SatelliteEntry,
    SensorEntry,
    SpaceLaunch,
    Territory,
    Tracking,
)
from jointwatch.records import BadInput, Satellite, Sensor, Zone
from jointwatch.records.documents import convert, refuse_not_finite


class Scenario(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole scenario file.  `path` is where it came from; file names in it are relative to its folder."""

    scenario: About
    partners: Annotated[tuple[Partner, ...], Meta(min_length=1)]
    sensors: Annotated[tuple[SensorEntry, ...], Meta(min_length=1)]
    satellites: tuple[SatelliteEntry, ...] = ()
    hot_places: tuple[HotPlace, ...] = ()
    territories: tuple[Territory, ...] = ()
    raids: tuple[Raid, ...] = ()
    aircraft: Aircraft = Aircraft()
    space_launch: SpaceLaunch | None = None
    announced: tuple[Announced, ...] = ()
    link: Link = Link()
    tracking: Tracking = Tracking()
    sharing: dict[str, Any] = {}
    policy: dict[str, Any] = {}
    procedure: str = ""
    assessment: str = ""
    path: str = ""
    rotation_deg: float = 0.0

    @property
    def start_ns(self) -> int:
        """Start of the exercise, integer nanoseconds UTC since 1970-01-01."""
        start = self.scenario.start
        return int(start.timestamp()) * 1_000_000_000 + start.microsecond * 1000

    @property
    def end_ns(self) -> int:
        """End of the exercise, integer nanoseconds UTC since 1970-01-01."""
        return self.start_ns + round(self.scenario.duration_s * 1e9)

    @property
    def seed(self) -> int:
        """The seed of everything random in the exercise."""
        return self.scenario.seed

    def sensor_records(self) -> tuple[Sensor, ...]:
        """The sensors, in the file's order, in SI units and radians."""
        return tuple(s.record() for s in self.sensors)

    def satellite_records(self) -> tuple[Satellite, ...]:
        """The infrared sensors, in the file's order, in SI units and radians."""
        return tuple(record_of(s, self) for s in self.satellites)

    def file(self, name: str) -> Path:
        """A file named in the scenario, relative to the scenario's own folder."""
        return Path(self.path).parent / name

    def zones(self, partner: str) -> tuple[Zone, ...]:
        """The zones of one partner: its shipped areas or its zone file, then its sites."""
        from jointwatch.warning.zone_files import load_areas, load_geojson_zones

        entry = next((p for p in self.partners if p.name == partner), None)
        if entry is None:
            raise BadInput(self.path, "partners", partner, f"one of {[p.name for p in self.partners]}")
        zones: tuple[Zone, ...] = ()
        if entry.zones == "areas":
            zones = tuple(load_areas(partner))
        elif entry.zones:
            zones = tuple(load_geojson_zones(self.file(entry.zones), partner))
        return zones + tuple(
            Zone(
                key=f"{partner}/{s.name}",
                name=s.name,
                partner=partner,
                longitude_deg=s.longitude_deg,
                latitude_deg=s.latitude_deg,
                shelter_s=s.shelter_s,
                radius_m=s.radius_m,
            )
            for s in entry.sites
        )


def load_scenario(path: str | Path, changes: dict[str, float] | None = None) -> Scenario:
    """The scenario of a TOML file; BadInput (file, key, found, wanted) where it is not one.

    changes: "azimuth_deg" turns the raids' launch areas about the mean of their fall points; "detection"
    replaces every sensor's probability of detection; "clutter" multiplies every sensor's clutter; "seed"
    replaces the seed.
    """
    source = str(path)
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(
            source, "file", error.strerror or "nothing", "a scenario file that can be read"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(source, "file", str(error), "TOML") from None
    for key in ("path", "rotation_deg"):
        if key in data:
            raise BadInput(source, key, data[key], "no such key")
    refuse_not_finite(data, source)
    scenario = convert(_apply(data, dict(changes or {})) | {"path": source}, Scenario, source)
    check_scenario(scenario, source)
    return scenario


def _apply(data: dict[str, Any], changes: dict[str, float]) -> dict[str, Any]:
    """The file's tables with the changes of a perturbed exercise."""
    for key in changes:
        if key not in ("azimuth_deg", "detection", "clutter", "seed"):
            raise BadInput("changes", key, changes[key], "azimuth_deg, detection, clutter or seed")
    data = dict(data)
    for table in ("sensors", "satellites"):
        sensors = data.get(table)
        if isinstance(sensors, list) and all(isinstance(s, dict) for s in sensors):
            sensors = [dict(s) for s in sensors]
            for s in sensors:
                if "detection" in changes:
                    s["detection"] = changes["detection"]
                if "clutter" in changes and isinstance(s.get("clutter_per_scan"), int | float):
                    s["clutter_per_scan"] = s["clutter_per_scan"] * changes["clutter"]
            data[table] = sensors
    if "seed" in changes and isinstance(data.get("scenario"), dict):
        data["scenario"] = data["scenario"] | {"seed": int(changes["seed"])}
    return data | {"rotation_deg": float(changes.get("azimuth_deg", 0.0))}
