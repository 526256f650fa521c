"""Two-line elements made for tests, with their checksums, for an orbit that is over a stated meridian."""

import math
from datetime import UTC, datetime

from jointwatch.exercise.orbits import sidereal_angle

GEOSYNCHRONOUS, MOLNIYA = 1.00273791, 2.00613


def checked(line):
    """A line of 68 characters with its checksum."""
    return line + str(sum(int(c) if c.isdigit() else c == "-" for c in line) % 10)


def elements(
    start_ns,
    longitude_deg,
    inclination_deg=0.0,
    eccentricity=0.0,
    mean_deg=0.0,
    turns=GEOSYNCHRONOUS,
    perigee_deg=0.0,
):
    """Two lines of an epoch, whose right ascension is so that the node (or, at 270 degrees of perigee, the
    apogee) is over a longitude when the satellite is at its mean anomaly."""
    when = datetime.fromtimestamp(start_ns * 1e-9, UTC)
    day = 1.0 + (when - datetime(when.year, 1, 1, tzinfo=UTC)).total_seconds() / 86400.0
    along = mean_deg + perigee_deg  # of a round orbit; of a long one at its apogee too
    node = (longitude_deg + math.degrees(sidereal_angle(start_ns)) - along) % 360.0
    first = f"1 99999U 26001A   {when.year % 100:02d}{day:012.8f}  .00000000  00000-0  00000-0 0  999"
    second = (
        f"2 99999 {inclination_deg:8.4f} {node:8.4f} {round(eccentricity * 1e7):07d} {perigee_deg:8.4f} "
        f"{mean_deg:8.4f} {turns:11.8f}    1"
    )
    return checked(first), checked(second)
