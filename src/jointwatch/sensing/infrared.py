"""Infrared from high orbit: where a satellite stands, what the Earth hides, and which lines of sight count.

In: satellites, scans and points (ECEF, m); out: their geometry as arrays, why a scan is refused as a whole,
and its usable lines of sight with counts of those that are not.  A scan is bad input like a sector
(`tracking.intake`): refused by name, and bounded, before anything is made of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.earth.frames import FLATTENING, SEMI_MAJOR_M
from jointwatch.records import InfraredScan, Satellite
from jointwatch.sensing.shares import share_by_box

Floats = NDArray[np.float64]
GEOSTATIONARY_M = 42_164e3
"""Radius of the orbit that keeps pace with the Earth's turning."""
HIGHEST_M = 200e3
"""Motors of what falls again burn below this; a line of sight that stays above it is a star's."""
NEAREST_SITE_M, FARTHEST_SITE_M = 1e7, 1e9
"""Distances from the Earth's middle between which a satellite in high orbit looks."""
UNIT_SLACK = 1e-6
"""Rounding in a unit vector; more and it is none, for a microradian is a good sensor's sigma."""
AHEAD_NS = 10**9
"""A scan measured this much after it was received comes from a wrong clock."""
LATEST_NS = 2**61
"""No time is as far from 1970 as this (73 years): beyond, differences of times would not fit their type."""
MOST_LINES = 10_000
"""Lines of sight of one scan that are looked through: far more than burns at once, and than any clutter."""
BOX_RAD = 1e-3
"""Boxes across the axis (36 km on the ground under a satellite) in which lines compete for a place."""
NOT_FINITE, NOT_UNIT = "not finite", "not a unit vector"
OUTSIDE, MISSES, DARK = "outside the cone", "past the Earth", "of no positive intensity"


class Lines(Struct, frozen=True):
    """Usable lines of sight of one scan: unit vectors (m, 3), intensities (m,) in W/sr, and which plots of
    the scan they are (m,); then how many plots are not among them, by why, as too many, and as repeated."""

    along: Floats
    intensity_w_sr: Floats
    which: NDArray[np.int64]
    unusable: dict[str, int]
    beyond: int
    repeated: int


def geostationary_site(satellite: Satellite) -> Floats:
    """Where a satellite stands, ECEF (3,), m: over the equator at its longitude."""
    longitude = satellite.longitude_rad
    return GEOSTATIONARY_M * np.array([math.cos(longitude), math.sin(longitude), 0.0])


def disc_half_angle(site_m: Floats, height_m: float = HIGHEST_M) -> float:
    """Half angle (rad) of the cone about the Earth's middle that holds the Earth and its air to a height."""
    return math.asin(min(1.0, (SEMI_MAJOR_M + height_m) / float(np.linalg.norm(site_m))))


def hidden_by_earth(site_m: Floats, points_m: Floats) -> NDArray[np.bool_]:
    """Whether the ellipsoid stands between a site (3,) and points (n, 3), ECEF: (n,).

    A point on the ground, or by rounding a little below it, is hidden on the far side only.
    """
    site, points = _on_sphere(site_m, 0.0), _on_sphere(points_m, 0.0)
    way = points - site
    length2 = (way * way).sum(axis=1)
    # share of the way where it is nearest to the middle: beyond the point, nothing is in between
    nearest = -(way @ site) / np.maximum(length2, 1e-300)
    lowest = site + np.clip(nearest, 0.0, 1.0)[:, None] * way
    return np.asarray((nearest < 1.0) & ((lowest * lowest).sum(axis=1) < 1.0))


def meets_height(site_m: Floats, along: Floats, height_m: float) -> Floats:
    """Where lines of sight (n, 3) from a site (3,) first meet the ellipsoid raised by a height: ECEF (n, 3).

    NaN for a line that misses it.  Raised is an ellipsoid with longer axes: its height differs by less than
    1 m, up to 200 km, from the geodetic one.
    """
    site, way = _on_sphere(site_m, height_m), _on_sphere(along, height_m)
    a, b = (way * way).sum(axis=1), way @ site
    under = b * b - a * (float(site @ site) - 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = (-b - np.sqrt(under)) / a
    distance[~(distance > 0.0)] = np.nan
    return np.asarray(site_m + distance[:, None] * along)


def lowest_points(site_m: Floats, along: Floats) -> Floats:
    """Where lines of sight (n, 3) from a site (3,) come nearest to the Earth, as if it were away: (n, 3)."""
    site, way = _on_sphere(site_m, 0.0), _on_sphere(along, 0.0)
    distance = np.maximum(-(way @ site) / (way * way).sum(axis=1), 0.0)
    return np.asarray(site_m + distance[:, None] * along)


def from_one_site(site: Floats, sites: Floats, along: Floats) -> Floats:
    """Lines of sight (n, 3) from sites (n, 3) as they would be from one site (3,) to the same ground.

    To a satellite that moves, what stays where it is seems to move at up to its own speed.
    """
    out = along.copy()
    for k in np.flatnonzero((sites != site).any(axis=1)).tolist():  # one that stands still: to the bit
        ground = meets_height(sites[k], along[k : k + 1], 0.0)
        if not np.isfinite(ground).all():
            ground = lowest_points(sites[k], along[k : k + 1])
        way = ground[0] - site
        out[k] = way / float(np.linalg.norm(way))
    return out


def across(along: Floats) -> tuple[Floats, Floats]:
    """Two unit vectors (n, 3) each, across unit vectors (n, 3) and each other.

    The first is level with the equator, where the line is not nearly the Earth's axis.
    """
    upright = np.abs(along[:, 2]) > 0.9
    reference = np.where(upright[:, None], np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    first = np.cross(reference, along)
    first /= np.linalg.norm(first, axis=1)[:, None]
    return first, np.cross(along, first)


def lines_of(scan: InfraredScan) -> Floats:
    """The lines of sight of a scan whose columns have equal length: (m, 3)."""
    return np.column_stack([scan.along_x, scan.along_y, scan.along_z]).reshape(-1, 3)


def why_refused(scan: InfraredScan, satellites: Mapping[str, Satellite]) -> str:
    """Why a scan cannot be used at all, or "" if it can: its sensor, times, place, cone or columns.

    satellites: those declared, by name.
    """
    if scan.sensor not in satellites:
        return "undeclared sensor"
    if not -LATEST_NS < scan.header.measured_ns < LATEST_NS:
        return "time out of bounds"
    if scan.header.measured_ns > scan.received_ns + AHEAD_NS:
        return "time in the future"
    return why_no_look(scan)


def why_no_look(scan: InfraredScan) -> str:
    """Why a scan is no look of any satellite, or "": its columns, its place, its cone."""
    columns = scan.along_x, scan.along_y, scan.along_z, scan.intensity_w_sr
    if len({len(column) for column in columns}) != 1:
        return "columns of unequal length"
    # a comparison with what is not a number is false
    if not NEAREST_SITE_M <= math.hypot(*scan.site_m) <= FARTHEST_SITE_M:
        return "site not in a high orbit"
    if not abs(math.hypot(*scan.axis) - 1.0) <= UNIT_SLACK:
        return "axis not a unit vector"
    if not 0.0 < scan.half_angle_rad <= 0.5 * math.pi:
        return "cone not between a line and half the sky"
    return ""


def faults_of(scan: InfraredScan) -> dict[str, NDArray[np.int64]]:
    """Which plots of a scan no motor could have given, by why; each under the first that is wrong with it."""
    along, intensity = lines_of(scan), np.asarray(scan.intensity_w_sr, dtype=np.float64)
    good = np.ones(len(along), np.bool_)
    found: dict[str, NDArray[np.int64]] = {}
    with np.errstate(all="ignore"):
        for why, fine in (
            (NOT_FINITE, np.isfinite(along).all(axis=1) & np.isfinite(intensity)),
            (NOT_UNIT, np.abs(np.sqrt((along * along).sum(axis=1)) - 1.0) <= UNIT_SLACK),
            (OUTSIDE, along @ np.array(scan.axis) >= math.cos(scan.half_angle_rad) - 1e-12),
            (MISSES, np.isfinite(meets_height(np.array(scan.site_m), along, HIGHEST_M)).all(axis=1)),
            (DARK, intensity > 0.0),
        ):
            bad = np.flatnonzero(good & ~fine)
            if len(bad):
                found[why] = bad
            good &= fine
    return found


def some_of(scan: InfraredScan, plots: Sequence[int]) -> InfraredScan:
    """A scan with some of its plots only; its columns have equal length."""
    return replace(
        scan,
        along_x=tuple(scan.along_x[i] for i in plots),
        along_y=tuple(scan.along_y[i] for i in plots),
        along_z=tuple(scan.along_z[i] for i in plots),
        intensity_w_sr=tuple(scan.intensity_w_sr[i] for i in plots),
    )


def sound(scan: InfraredScan) -> tuple[InfraredScan, bool]:
    """A scan without the plots that no motor could have given, and whether it is whole all the same.

    What is no line of sight at all may have been one: then the scan proves no more that there was nothing
    else.  A line that goes past the Earth, say, is a star's, whether it is there or not.
    """
    faults = faults_of(scan)
    bad = {i for plots in faults.values() for i in plots.tolist()}
    if not bad:
        return scan, True
    left = some_of(scan, [i for i in range(len(scan.along_x)) if i not in bad])
    return left, NOT_FINITE not in faults and NOT_UNIT not in faults


def usable(scan: InfraredScan) -> Lines:
    """The lines of sight of a scan that was not refused, at most MOST_LINES of them.

    In the order of their vectors, so that nothing hangs on the order they came in; one that comes twice, to
    the bit, counts once.
    """
    along, intensity = lines_of(scan), np.asarray(scan.intensity_w_sr, dtype=np.float64)
    faults = faults_of(scan)
    good = np.ones(len(along), np.bool_)
    for bad in faults.values():
        good[bad] = False
    which = np.flatnonzero(good)
    rows = np.column_stack([along[which], intensity[which]])
    order = np.lexsort(rows.T[::-1])
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (np.diff(rows[order], axis=0) != 0.0).any(axis=1)
    repeated = int((~fresh).sum())
    which = which[order[fresh]]
    beyond = max(len(which) - MOST_LINES, 0)
    if beyond:
        which = which[_fair_share(np.array(scan.axis), along[which])]
    unusable = {why: len(bad) for why, bad in faults.items()}
    return Lines(along[which], intensity[which], which, unusable, beyond, repeated)


def _fair_share(axis: Floats, along: Floats) -> NDArray[np.int64]:
    """Which MOST_LINES of more lines of sight: a fair share of each place, as seen from the satellite."""
    first, second = across(axis[None])
    boxes = np.floor(np.column_stack([along @ first[0], along @ second[0]]) / BOX_RAD)
    return share_by_box(boxes[:, 0] * 1e4 + boxes[:, 1], MOST_LINES)


def _on_sphere(vectors: Floats, height_m: float) -> Floats:
    """Vectors (..., 3) stretched so that the ellipsoid raised by a height is the unit sphere."""
    equator, pole = SEMI_MAJOR_M + height_m, SEMI_MAJOR_M * (1.0 - FLATTENING) + height_m
    return np.asarray(vectors / np.array([equator, equator, pole]))
