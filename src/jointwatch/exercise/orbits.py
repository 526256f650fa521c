"""Where a satellite of an exercise is: over one place of the equator, or along an orbit of two-line elements.

In: a scenario's satellite and an instant; out: its site, ECEF.  Two-line elements are mean elements of SGP4
and of nothing else (Hoots & Roehrich 1980, Spacetrack Report 3; Vallado, Crawford, Hujsak & Kelso 2006,
AIAA 2006-6753), so that theory carries them, by the package `sgp4`.  It gives places in TEME; turned by the
Greenwich mean sidereal time (IAU 1982) they are Earth-fixed.  Neglected are UT1 - UTC, which leap seconds
keep below 0.9 s (66 microradians of the Earth's turn: 2.8 km at the geostationary radius), and the motion of
the pole (0.6 arc seconds at most: 120 m there).  The elements themselves are good to some kilometres, and
the scans of an exercise say where its satellite stood, so that neither is an error of the lines of sight.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import SEMI_MAJOR_M, ecef2geodetic, geodetic2ecef
from jointwatch.records import BadInput, Satellite
from jointwatch.sensing.infrared import NEAREST_SITE_M, geostationary_site, hidden_by_earth

if TYPE_CHECKING:
    from jointwatch.exercise.scenario import Scenario
    from jointwatch.exercise.scenario_tables import SatelliteEntry

Floats = NDArray[np.float64]
SiteAt = Callable[[int], Floats]
"""A satellite's place, ECEF (3,), m, at a time in ns UTC since 1970-01-01."""
DAY_NS = 86_400_000_000_000
EPOCH_1970_JD, EPOCH_2000_JD = 2440587.5, 2451545.0
OLDEST_NS = 30 * DAY_NS
"""Elements of an epoch so far from the exercise say little of it: drag and manoeuvres are not in them."""
LOWEST_PERIGEE_M = 200e3
"""Below, the air brings a satellite down within days."""
HIGH = f"{(NEAREST_SITE_M - SEMI_MAJOR_M) / 1e3:,.0f} km"
MU = 3.986004418e14
CHECK_EVERY_NS = 60_000_000_000
LENGTH = 69
_EXPONENT = r"[ +-]\d{5}[+-]\d"
_LINES = (
    re.compile(
        rf"1 [0-9A-HJ-NP-Z ]\d{{4}}[A-Z ] .{{8}} \d\d[ \d]{{3}}\.\d{{8}} [ +-][\d .]\.?\d{{7,8}} {_EXPONENT} "
        rf"{_EXPONENT} [\d ] [ \d]{{4}}\d"
    ),
    re.compile(
        r"2 [0-9A-HJ-NP-Z ]\d{4} [ \d]{3}\.\d{4} [ \d]{3}\.\d{4} [ \d]{7} [ \d]{3}\.\d{4} [ \d]{3}\.\d{4} "
        r"[ \d]{2}\.\d{8}[ \d]{5}\d"
    ),
)


def sites_of(entry: SatelliteEntry) -> SiteAt:
    """Where a satellite of a checked scenario is, by time.

    ValueError of the returned function where SGP4 carries the elements no further (it decayed).
    """
    if entry.elements is None:
        still = geostationary_site(entry.record())
        return lambda time_ns: still
    orbit = _orbit(entry.elements)
    return lambda time_ns: _site(orbit, time_ns)


def record_of(entry: SatelliteEntry, scenario: Scenario) -> Satellite:
    """The sensor in SI units and radians; of one that moves, the meridian it is over at half time."""
    if entry.elements is None:
        return entry.record()
    site = sites_of(entry)((scenario.start_ns + scenario.end_ns) // 2)
    return entry.record(math.atan2(site[1], site[0]))


def over(entry: SatelliteEntry, time_ns: int) -> str:
    """Which place a satellite is over at a time, and how high, in words: "63.1° N 41.0° E at 39,500 km"."""
    latitude, longitude, height_m = ecef2geodetic(*sites_of(entry)(time_ns))
    north, east = math.degrees(latitude), math.degrees(longitude)
    words = f"{abs(north):.1f}° {'N' if north >= 0.0 else 'S'} {abs(east):.1f}° {'E' if east >= 0.0 else 'W'}"
    return f"{words} at {height_m / 1e3:,.0f} km"


def sidereal_angle(time_ns: int) -> float:
    """Greenwich mean sidereal time as an angle (rad, IAU 1982; Aoki et al. 1982), UTC taken for UT1."""
    days, rest_ns = divmod(time_ns, DAY_NS)
    since_2000 = days + EPOCH_1970_JD - EPOCH_2000_JD + rest_ns / DAY_NS
    t = since_2000 / 36525.0
    # the whole turns of 86,400 s a day left out, so that what is left is exact to a microsecond
    seconds = 67310.54841 + 86400.0 * (rest_ns / DAY_NS + 0.5)
    seconds += ((-6.2e-6 * t + 0.093104) * t + 8640184.812866) * t
    return float(math.fmod(seconds, 86400.0) / 86400.0 * 2.0 * math.pi)


def teme_to_ecef(place: Floats, time_ns: int) -> Floats:
    """A place (3,) of SGP4's frame (true equator, mean equinox) as ECEF, the pole's motion neglected."""
    angle = sidereal_angle(time_ns)
    c, s = math.cos(angle), math.sin(angle)
    return np.array([c * place[0] + s * place[1], c * place[1] - s * place[0], place[2]])


def check_orbit(scenario: Scenario, source: str, index: int) -> None:
    """Whether satellite number `index` of a scenario has one place, and where there are elements, sound ones.

    BadInput names the file, the satellite and the line: a wrong length, form, number or checksum; an epoch
    further than `OLDEST_NS` from the exercise; a perigee in the air; an orbit that is never high; and one
    from which neither a sensor's place nor a raid's launch area shows at any minute of the exercise.
    """
    entry, key = scenario.satellites[index], f"satellites[{index}]"
    if (entry.longitude_deg is None) == (entry.elements is None):
        found = "neither" if entry.elements is None else "both"
        raise BadInput(source, f"{key}.longitude_deg", f"{entry.name}: {found}", "longitude_deg or elements")
    if entry.elements is None:
        return
    key += ".elements"
    _check_lines(entry.elements, source, key, entry.name)
    orbit = _orbit(entry.elements)

    def refused(found: str, wanted: str) -> BadInput:
        return BadInput(source, key, f"{entry.name}: {found}", wanted)

    epoch_ns = round((orbit.jdsatepoch - EPOCH_1970_JD + orbit.jdsatepochF) * DAY_NS)
    off_ns = max(epoch_ns - scenario.end_ns, scenario.start_ns - epoch_ns)
    if off_ns > OLDEST_NS:
        wanted = f"elements of at most {OLDEST_NS // DAY_NS} days before or after it"
        raise refused(f"an epoch {off_ns / DAY_NS:.0f} days from the exercise", wanted)
    mean_motion = orbit.no_kozai / 60.0
    if not mean_motion > 0.0:
        raise refused("a mean motion of 0", "an orbit")
    axis = (MU / mean_motion**2) ** (1.0 / 3.0)
    perigee, apogee = axis * (1.0 - orbit.ecco) - SEMI_MAJOR_M, axis * (1.0 + orbit.ecco)
    if perigee < LOWEST_PERIGEE_M:
        wanted = f"{LOWEST_PERIGEE_M / 1e3:.0f} km or more: below, the air brings it down"
        raise refused(f"a perigee of {perigee / 1e3:.0f} km", wanted)
    if apogee < NEAREST_SITE_M:
        wanted = f"an orbit that rises above {HIGH}, for it looks from there"
        raise refused(f"an apogee of {(apogee - SEMI_MAJOR_M) / 1e3:,.0f} km", wanted)
    places = _places_of(scenario)
    high = False
    for time_ns in range(scenario.start_ns, scenario.end_ns + 1, CHECK_EVERY_NS):
        try:
            site = _site(orbit, time_ns)
        except ValueError as error:
            raise refused(str(error), "elements that SGP4 carries through the exercise") from None
        if np.linalg.norm(site) >= NEAREST_SITE_M:
            high = True
            if not hidden_by_earth(site, places).all():
                return
    if not high:
        wanted = f"one that is above {HIGH} at some time of it"
        raise refused("too low throughout the exercise", wanted)
    raise refused("below the horizon throughout the exercise", "one that sees a sensor or a launch area")


def _check_lines(lines: Sequence[str], source: str, key: str, name: str) -> None:
    """The two lines' length, form, numbers and checksums."""
    for i, line in enumerate(lines):
        field = f"{key}[{i}]"
        if len(line) != LENGTH:
            raise BadInput(source, field, f"{name}: {len(line)} characters", f"a line of {LENGTH}")
        if not _LINES[i].fullmatch(line):
            wanted = f"line {i + 1} of two-line elements, each figure in its columns"
            raise BadInput(source, field, f"{name}: {line!r}", wanted)
        told, due = int(line[-1]), sum(int(c) if c.isdigit() else c == "-" for c in line[:-1]) % 10
        if told != due:
            raise BadInput(source, field, f"{name}: checksum {told}", f"{due}, as the line's digits have it")
    if lines[0][2:7] != lines[1][2:7]:
        found = f"{name}: object {lines[1][2:7].strip()}"
        raise BadInput(source, f"{key}[1]", found, f"{lines[0][2:7].strip()}, as in its first line")


def _orbit(lines: Sequence[str]) -> Any:
    from sgp4.api import Satrec  # only exercises with elements need it

    return Satrec.twoline2rv(*lines)


def _site(orbit: Any, time_ns: int) -> Floats:
    """Place of an orbit, ECEF (3,), m; ValueError with SGP4's own reason where it has none."""
    from sgp4.api import SGP4_ERRORS

    days, rest_ns = divmod(time_ns, DAY_NS)
    error, place_km, _ = orbit.sgp4(days + EPOCH_1970_JD, rest_ns / DAY_NS)
    if error:
        raise ValueError(SGP4_ERRORS.get(error, f"SGP4 error {error}"))
    return teme_to_ecef(1e3 * np.array(place_km), time_ns)


def _places_of(scenario: Scenario) -> Floats:
    """Places of an exercise that its satellites are to see, ECEF (n, 3): of sensors, and of launches."""
    spots = [(s.latitude_deg, s.longitude_deg) for s in scenario.sensors]
    spots += [(r.area.latitude_deg, r.area.longitude_deg) for r in scenario.raids]
    return np.array([geodetic2ecef(math.radians(a), math.radians(b), 0.0) for a, b in spots])
