"""Infrared scans made for tests: what burns by the stated boost model, clouds, misses, noise and clutter."""

import math

import numpy as np

from jointwatch.earth.frames import SEMI_MAJOR_M, geodetic2ecef, height_above_ellipsoid
from jointwatch.launch.ascent import EAST, END, KNOTS, NORTH, TIME, VALUES, ascend, burn_times, state_at
from jointwatch.launch.fit import medians
from jointwatch.launch.profiles import PROFILES
from jointwatch.records import Header, InfraredScan, Satellite
from jointwatch.sensing.infrared import across, disc_half_angle, geostationary_site

PLACE = np.radians([34.0, 48.0])
CLASSES = {p.name: p for p in PROFILES}
START_NS = 1_800_000_000_000_000_000


def satellite(name="west", longitude_deg=10.0, sigma_rad=20e-6, clutter=2.0, period_s=10.0, detection=0.9):
    return Satellite(
        name=name, partner=name, longitude_rad=math.radians(longitude_deg), sigma_rad=sigma_rad,
        period_s=period_s, detection=detection, cloud_m=10e3, clutter_per_scan=clutter,
    )  # fmt: skip


WEST, EAST_EYE = satellite(), satellite("east", 75.0, 30e-6)


def launch(name="medium_range_two_stage", azimuth=1.0, at_s=60.0, east=0.0, north=0.0, scale=1.0):
    """A launch of a class's medians (its burn scaled), so many seconds after START_NS."""
    row, values = CLASSES[name].row(), np.zeros(VALUES)
    values[3] = azimuth
    medians(row, values)
    values[END] *= scale
    values[EAST], values[NORTH] = east, north
    values[TIME] += at_s
    values[END] += at_s
    return row, values


def place_of(one, t):
    """Where a launch is t seconds after START_NS (3,), or None if it does not burn."""
    row, values = one
    first, gap, end = burn_times(row, values)
    since = t - values[TIME]
    if not 0.0 <= since <= end or first < since < gap:
        return None
    times, states, out = np.empty(KNOTS), np.empty((KNOTS, 6)), np.empty(6)
    n = ascend(row, values, PLACE, since, times, states)
    state_at(times, states, n, since, out)
    return out[:3]


def scan(eye, k, t, points, rng, glow=5e5, clutter=(), clutter_glow=3e4):
    """One scan of points and of clutter (ECEF), each with noise."""
    site = geostationary_site(eye)
    all_points = np.array([*points, *clutter]).reshape(-1, 3)
    along = all_points - site
    along /= np.linalg.norm(along, axis=1)[:, None]
    e, f = across(along) if len(along) else (along, along)
    noise = rng.normal(0.0, eye.sigma_rad, (2, len(along), 1))
    along = along + noise[0] * e + noise[1] * f
    along /= np.linalg.norm(along, axis=1)[:, None]
    bright = [glow] * len(points) + [clutter_glow] * len(clutter)
    now = START_NS + round(t * 1e9)
    return InfraredScan(
        header=Header(originator=eye.partner, source=eye.name, sequence=k, measured_ns=now), sensor=eye.name,
        received_ns=now + 2_000_000_000, site_m=tuple(site.tolist()),
        axis=tuple((-site / np.linalg.norm(site)).tolist()), half_angle_rad=disc_half_angle(site),
        along_x=tuple(along[:, 0].tolist()), along_y=tuple(along[:, 1].tolist()),
        along_z=tuple(along[:, 2].tolist()),
        intensity_w_sr=tuple((np.array(bright) * np.exp(0.3 * rng.normal(size=len(along)))).tolist()),
    )  # fmt: skip


def ground(latitude_deg, longitude_deg):
    return np.array(geodetic2ecef(math.radians(latitude_deg), math.radians(longitude_deg), 0.0))


def scans(eyes, launches, until_s, seed, cloud_m=6e3, phase=(0.0, 4.0), clutter=None, hot=(), hot_share=0.8):
    """Scans of satellites in order of time: what burns above the clouds, hot places, and false plots (each
    satellite's own, over 1,000 km about the launch)."""
    rng = np.random.default_rng(seed)
    out = []
    for i, eye in enumerate(eyes):
        times = np.arange(phase[i], until_s, eye.period_s)
        out += [(float(t), i, k) for k, t in enumerate(times)]
    made = []
    for t, i, k in sorted(out):
        eye = eyes[i]
        points = []
        for one in launches:
            p = place_of(one, t)
            if p is not None and height_above_ellipsoid(*p) > cloud_m and rng.uniform() < eye.detection:
                points.append(p)
        false = [p for p in hot if rng.uniform() < hot_share]
        for _ in range(rng.poisson(eye.clutter_per_scan if clutter is None else clutter)):
            north, east = rng.uniform(-1e6, 1e6, 2)
            false.append(
                np.array(
                    geodetic2ecef(
                        PLACE[0] + north / SEMI_MAJOR_M,
                        PLACE[1] + east / (SEMI_MAJOR_M * math.cos(PLACE[0])), 0.0,
                    )
                )
            )  # fmt: skip
        made.append(scan(eye, k, t, points, rng, clutter=false))
    return made
