"""What the tables of a scenario file must be together: names, bounds of figures, and what refers to what.

In: a typed `Scenario` and the name of its file; out: nothing, or BadInput with the dotted key, what was found
and what was wanted.  The bounds are wide of any exercise; they keep a slip of the pen (a period of 0.001 s,
a radius in the wrong unit) from filling the memory or running for days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jointwatch.exercise.classes import CLASSES
from jointwatch.exercise.orbits import check_orbit
from jointwatch.records import BadInput
from jointwatch.warning.words import check_languages

if TYPE_CHECKING:
    from jointwatch.exercise.scenario import Scenario

DEEPEST_M, HIGHEST_M = -500.0, 9000.0
"""Heights above the ellipsoid between which a sensor can stand."""

MOST_TILT_MRAD = 50.0
"""A mount that leans more than this (three degrees) is no radar's."""
DAY_S = 86400.0
LEAST_SIGMA = 1e-6
FIRST_START, LAST_START = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]*")
"""Names that become names of files and folders: without a separator and without a leading dot."""

Figure = tuple[str, float, float, float]
"""Key, value, least and largest."""


def check_scenario(scenario: Scenario, source: str) -> None:
    """What the tables must be together; BadInput where they are not."""
    _check_names(scenario, source)
    _check_figures(scenario, source)
    partners = [p.name for p in scenario.partners]
    for tables, entries in (("partners", partners), ("sensors", [s.name for s in scenario.sensors])):
        for i, name in enumerate(entries):
            if name in entries[:i]:
                raise BadInput(source, f"{tables}[{i}].name", name, "a name used once")
    for i, s in enumerate(scenario.sensors):
        key = f"sensors[{i}]"
        if s.partner not in partners:
            raise BadInput(source, f"{key}.partner", s.partner, f"one of {partners}")
        if not DEEPEST_M <= s.height_m <= HIGHEST_M:
            wanted = f"a height above the ellipsoid of {DEEPEST_M:.0f} to {HIGHEST_M:.0f} m"
            raise BadInput(source, f"{key}.height_m", s.height_m, wanted)
        if "azimuth" not in s.measures or len(set(s.measures)) < max(2, len(s.measures)):
            wanted = "azimuth and one or more of range, elevation, range_rate, each once"
            raise BadInput(source, f"{key}.measures", list(s.measures), wanted)
        if max(abs(s.tilt_east_mrad), abs(s.tilt_north_mrad)) > MOST_TILT_MRAD:
            wanted = f"tilts of at most {MOST_TILT_MRAD:g} mrad"
            raise BadInput(source, f"{key}.tilt_east_mrad", (s.tilt_east_mrad, s.tilt_north_mrad), wanted)
        if s.range_max_m <= s.range_min_m:
            raise BadInput(source, f"{key}.range_max_m", s.range_max_m, f"more than {s.range_min_m:g} m")
        if s.elevation_max_deg <= s.elevation_min_deg:
            wanted = f"more than {s.elevation_min_deg:g} degrees"
            raise BadInput(source, f"{key}.elevation_max_deg", s.elevation_max_deg, wanted)
    _check_satellites(scenario, source, partners)
    for i, p in enumerate(scenario.partners):
        if p.zones and p.zones != "areas" and not scenario.file(p.zones).is_file():
            raise BadInput(source, f"partners[{i}].zones", p.zones, 'a GeoJSON file that exists, or "areas"')
        if not p.zones and not p.sites:
            raise BadInput(source, f"partners[{i}]", "neither zones nor sites", "something to protect")
        check_languages(p.languages, source, f"partners[{i}].languages")
    _check_zone_keys(scenario, source)
    for i, raid in enumerate(scenario.raids):
        for j, f in enumerate(raid.falls):
            if f.partner not in partners:
                raise BadInput(source, f"raids[{i}].falls[{j}].partner", f.partner, f"one of {partners}")
            if f.choose == "same" and len(f.zones) != 1:
                found = f"{len(f.zones)} zones" if f.zones else "no zone"
                raise BadInput(source, f"raids[{i}].falls[{j}].zones", found, 'one zone for choose = "same"')
        if raid.break_up is not None and raid.break_up >= raid.count:
            wanted = f"an index below {raid.count}"
            raise BadInput(source, f"raids[{i}].break_up", raid.break_up, wanted)
    for i, a in enumerate(scenario.announced):
        if a.object_class not in (*CLASSES, "space_launch"):
            wanted = "one of " + ", ".join((*CLASSES, "space_launch"))
            raise BadInput(source, f"announced[{i}].object_class", a.object_class, wanted)
        if a.window_to_s <= a.window_from_s:
            raise BadInput(
                source, f"announced[{i}].window_to_s", a.window_to_s, f"more than {a.window_from_s:g}"
            )
    for i, cut in enumerate(scenario.link.cuts):
        if cut.to_s <= cut.from_s:
            raise BadInput(source, f"link.cuts[{i}].to_s", cut.to_s, f"more than {cut.from_s:g}")
    for key in ("procedure", "assessment"):
        name = getattr(scenario, key)
        if name and not scenario.file(name).is_file():
            raise BadInput(source, key, name, "a file that exists beside the scenario")


def _check_satellites(scenario: Scenario, source: str, partners: list[str]) -> None:
    """Infrared sensors belong to a partner, share no name with any other sensor, and have one sound orbit."""
    names = [s.name for s in scenario.sensors]
    for i, s in enumerate(scenario.satellites):
        if s.partner not in partners:
            raise BadInput(source, f"satellites[{i}].partner", s.partner, f"one of {partners}")
        if s.name in names:
            raise BadInput(source, f"satellites[{i}].name", s.name, "a name that no other sensor has")
        names.append(s.name)
        check_orbit(scenario, source, i)


def _check_names(scenario: Scenario, source: str) -> None:
    """Names that files are called by, and how many partners there are."""
    names = [("scenario.name", scenario.scenario.name)]
    names += [(f"partners[{i}].name", p.name) for i, p in enumerate(scenario.partners)]
    names += [(f"sensors[{i}].name", s.name) for i, s in enumerate(scenario.sensors)]
    names += [(f"satellites[{i}].name", s.name) for i, s in enumerate(scenario.satellites)]
    for key, name in names:
        if not _FILE_NAME.fullmatch(name):
            wanted = "letters, digits, space, _, . and -, beginning with a letter or digit"
            raise BadInput(source, key, name if name.isprintable() else repr(name), wanted)
    if len(scenario.partners) > 2:
        raise BadInput(
            source, "partners", f"{len(scenario.partners)}", "two partners: more are not played yet"
        )


def _check_figures(scenario: Scenario, source: str) -> None:
    """Figures within their bounds."""
    start = scenario.scenario.start
    if not FIRST_START <= start < LAST_START:
        raise BadInput(source, "scenario.start", start.isoformat(), "a time from 1970 to 2199")
    for key, value, least, largest in _figures(scenario):
        if not least <= value <= largest:
            raise BadInput(source, key, value, f"a number from {least:g} to {largest:g}")


def _figures(scenario: Scenario) -> Iterator[Figure]:
    yield "scenario.duration_s", scenario.scenario.duration_s, 0.0, DAY_S
    for i, p in enumerate(scenario.partners):
        for j, site in enumerate(p.sites):
            yield f"partners[{i}].sites[{j}].radius_m", site.radius_m, 0.0, 1e6
            yield f"partners[{i}].sites[{j}].shelter_s", site.shelter_s, 0.0, DAY_S
    for i, s in enumerate(scenario.sensors):
        key = f"sensors[{i}]"
        yield f"{key}.range_max_m", s.range_max_m, 0.0, 1e7
        yield f"{key}.period_s", s.period_s, 0.05, DAY_S
        yield f"{key}.clutter_per_scan", s.clutter_per_scan, 0.0, 1e5
        yield f"{key}.sigma_range_m", s.sigma_range_m, LEAST_SIGMA, 1e6
        yield f"{key}.sigma_azimuth_mrad", s.sigma_azimuth_mrad, LEAST_SIGMA, 1e3
        yield f"{key}.sigma_elevation_mrad", s.sigma_elevation_mrad, LEAST_SIGMA, 1e3
        yield f"{key}.sigma_range_rate_ms", s.sigma_range_rate_ms, LEAST_SIGMA, 1e6
    for i, eye in enumerate(scenario.satellites):
        key = f"satellites[{i}]"
        yield f"{key}.sigma_urad", eye.sigma_urad, 0.1, 1e4
        yield f"{key}.period_s", eye.period_s, 0.5, DAY_S
        yield f"{key}.cloud_km", eye.cloud_km, 0.0, 25.0
        yield f"{key}.clutter_per_scan", eye.clutter_per_scan, 0.0, 5e3
    for i, place in enumerate(scenario.hot_places):
        yield f"hot_places[{i}].intensity_kw_sr", place.intensity_kw_sr, 1e-3, 1e6
    for i, raid in enumerate(scenario.raids):
        yield f"raids[{i}].area.radius_m", raid.area.radius_m, 0.0, 1e6
        yield f"raids[{i}].start_s", raid.start_s, 0.0, DAY_S
        yield f"raids[{i}].interval_s", raid.interval_s, 0.0, DAY_S
    if scenario.space_launch is not None:
        yield "space_launch.start_s", scenario.space_launch.start_s, 0.0, DAY_S
        yield "space_launch.azimuth_deg", scenario.space_launch.azimuth_deg, -360.0, 360.0
    for i, a in enumerate(scenario.announced):
        yield f"announced[{i}].area.radius_m", a.area.radius_m, 0.0, 1e6
        yield f"announced[{i}].window_from_s", a.window_from_s, -DAY_S, DAY_S
        yield f"announced[{i}].window_to_s", a.window_to_s, -DAY_S, DAY_S
        yield f"announced[{i}].azimuth_deg", a.azimuth_deg, -360.0, 360.0
    yield "link.delay_s", scenario.link.delay_s, 0.0, DAY_S
    for i, cut in enumerate(scenario.link.cuts):
        yield f"link.cuts[{i}].to_s", cut.to_s, 0.0, DAY_S


def _check_zone_keys(scenario: Scenario, source: str) -> None:
    """Each zone has a key of its own: alerts name their partner's zones by it, and the review every zone."""
    shipped = [i for i, partner in enumerate(scenario.partners) if partner.zones == "areas"]
    if len(shipped) > 1:
        wanted = f"areas of one partner alone, and partners[{shipped[0]}] has them: others need a zone file"
        raise BadInput(source, f"partners[{shipped[1]}].zones", "areas", wanted)
    owner: dict[str, str] = {}
    with_zones = [partner for partner in scenario.partners if partner.zones]
    for number, partner in enumerate(scenario.partners):
        keys: list[str] = []
        # read only where they can clash: reading areas is slow
        if partner.zones and (partner.sites or len(with_zones) > 1 or not shipped):
            zones = scenario.zones(partner.name)
            keys = [z.key for z in zones[: len(zones) - len(partner.sites)]]
        for key in keys:
            if key in owner:
                wanted = f"keys that no zone of another partner has: {owner[key]} has zone {key}"
                raise BadInput(source, f"partners[{number}].zones", partner.zones, wanted)
            owner[key] = partner.name
        for j, site in enumerate(partner.sites):
            key = f"{partner.name}/{site.name}"
            if key in owner:
                who = "this partner" if owner[key] == partner.name else owner[key]
                wanted = f"a name that no other zone has, and {who} has zone {key}"
                raise BadInput(source, f"partners[{number}].sites[{j}].name", site.name, wanted)
            owner[key] = partner.name
