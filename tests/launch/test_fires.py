"""A fire that several satellites see: how probable its plots are, that it is no burn, nor a burn a fire."""

import math

import numpy as np
import pytest
from made_scans import EAST_EYE, WEST, ground, launch, scan, scans

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, geodetic2ecef
from jointwatch.launch.burns import Burns
from jointwatch.launch.fires import (
    FLASH_LONG_M,
    FLASH_M,
    FLASH_SPREAD_M,
    FLASHES_PER_M2_S,
    HEIGHT_M,
    NEW_SHARE,
    log_new_share,
    log_one_fire,
    log_one_flash,
)
from jointwatch.sensing.infrared import across, geostationary_site

RATE, FALSE_PER_DAY = 5.0 / 86400.0 / 2e14, 1.0 / 30.0
FLAT_M = 1e7
"""As good as flat: a place that may be anywhere within so many metres."""


def seen(point, eyes, rng, error=1.0):
    """Sites and lines of sight (n, 3) and sigmas (n,) of one look of each of some satellites."""
    sites = np.array([geostationary_site(eye) for eye in eyes])
    sigma = np.array([eye.sigma_rad for eye in eyes])
    way = point - sites
    along = way / np.linalg.norm(way, axis=1)[:, None]
    e, f = across(along)
    noise = error * sigma[:, None] * rng.standard_normal((2, len(eyes), 1))
    along = along + noise[0] * e + noise[1] * f
    return sites, along / np.linalg.norm(along, axis=1)[:, None], sigma


def written_out(sites, along, sigma, log_background, height=(0.0, HEIGHT_M), blur_m=0.0, begun=None):
    """All lines meet one place: offsets across them are Gaussian about a place that may be anywhere."""
    place = np.array(geodetic2ecef(math.radians(34.0), math.radians(48.0), height[0]))
    latitude, longitude, _ = ecef2geodetic(*place.tolist())
    way = place - sites
    range2 = (way * way).sum(axis=1)
    axes = np.stack(across(along), axis=1)
    off = np.einsum("kij,kj->ki", axes, way).ravel()
    turn = (axes @ enu_rotation(latitude, longitude).T).reshape(-1, 3)
    spread = turn @ np.diag([FLAT_M**2, FLAT_M**2, height[1] ** 2]) @ turn.T
    covariance = np.diag(np.repeat(sigma**2 * range2 + blur_m**2, 2)) + spread
    log_metres = (
        -0.5 * off @ np.linalg.solve(covariance, off) - 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1]
    )
    # a square metre of places, of 2 pi FLAT_M^2; a steradian is range^2 across the line, and so much ground
    cosine = np.abs(along @ (place / np.linalg.norm(place)))
    each = (log_background - np.log(range2 / cosine)).max() if begun is None else begun
    return log_metres + np.log(range2).sum() + each + math.log(2.0 * math.pi * FLAT_M**2)


@pytest.mark.parametrize("looks", [1, 2, 4])
def test_the_sums_say_what_the_covariance_does(looks):
    rng = np.random.default_rng(looks)
    sites, along, sigma = seen(ground(34.0, 48.0), (WEST, EAST_EYE) * looks, rng, 3.0)
    n = len(sites)
    log_false, log_background = rng.uniform(4.0, 6.0, n), rng.uniform(3.0, 4.0, n)
    terms = [written_out(sites, along, sigma, log_background)]
    for k in range(n if n > 2 else 0):
        rest = np.delete(np.arange(n), k)
        terms.append(written_out(sites[rest], along[rest], sigma[rest], log_background[rest]) + log_false[k])
    found = log_one_fire(sites, along, sigma, log_false, log_background)
    # the place that the first line meets is some hundred metres off: so far the ground is not quite flat
    assert found == pytest.approx(np.logaddexp.reduce(terms), abs=0.01)


@pytest.mark.parametrize("looks", [1, 2])
def test_the_sums_say_what_the_covariance_does_of_a_flash(looks):
    rng = np.random.default_rng(looks)
    sites, along, sigma = seen(in_the_air(40e3), (WEST, EAST_EYE) * looks, rng, 3.0)
    n = len(sites)
    log_false, none = rng.uniform(4.0, 6.0, n), np.zeros(n)
    # one that began in the eight seconds before, and of ten the one that shone for a minute
    begun = math.log(FLASHES_PER_M2_S * 8.0 * 0.1 * math.exp(-1.0))
    of = {"height": (FLASH_M, FLASH_SPREAD_M), "blur_m": FLASH_LONG_M, "begun": begun}
    terms = [written_out(sites, along, sigma, none, **of)]
    for k in range(n if n > 2 else 0):
        rest = np.delete(np.arange(n), k)
        terms.append(written_out(sites[rest], along[rest], sigma[rest], none[rest], **of) + log_false[k])
    found = log_one_flash(sites, along, sigma, log_false, 8.0, 60.0)
    assert found == pytest.approx(np.logaddexp.reduce(terms), abs=0.02)


def in_the_air(height_m):
    """A place so high over the one where fires are."""
    point = ground(34.0, 48.0)
    return point * (1.0 + height_m / np.linalg.norm(point))


def test_a_line_past_the_earth_is_no_fire_s_and_no_flash_s():
    sites, along, sigma = seen(ground(34.0, 48.0), (WEST, EAST_EYE), np.random.default_rng(1))
    along[0] = [0.0, 0.0, 1.0]
    assert log_one_fire(sites, along, sigma, np.zeros(2), np.zeros(2)) == -math.inf
    assert log_one_flash(sites, along, sigma, np.zeros(2), 10.0, 3.0) == -math.inf


def test_one_that_is_off_is_taken_for_chance_and_what_rises_for_no_fire():
    rng = np.random.default_rng(5)
    point = ground(34.0, 48.0)
    sites, along, sigma = seen(point, (WEST, EAST_EYE) * 2, rng)
    log_false, log_background = np.full(4, 5.0), np.full(4, 4.0)
    whole = log_one_fire(sites, along, sigma, log_false, log_background)
    off = along.copy()
    off[3] += 3e-3 * across(along)[0][3]
    off[3] /= np.linalg.norm(off[3])
    rest = log_one_fire(sites[:3], along[:3], sigma[:3], np.full(3, -math.inf), log_background[:3])
    assert log_one_fire(sites, off, sigma, log_false, log_background) == pytest.approx(rest + 5.0, abs=1e-6)
    _, along, _ = seen(in_the_air(15e3), (WEST, EAST_EYE) * 2, rng)
    assert log_one_fire(sites, along, sigma, log_false, log_background) < whole - 50.0


def test_few_fires_are_new_once_a_satellite_has_looked_for_a_while():
    shares = [math.exp(log_new_share(k)) for k in range(100)]
    assert shares[0] == pytest.approx(0.5) and shares[-1] == pytest.approx(NEW_SHARE)
    assert (np.diff(shares) <= 0.0).all()


def told_s(made):
    """When (s) two satellites first tell of a burn, counted from their first scan; inf if never."""
    node = Burns([WEST, EAST_EYE], RATE, FALSE_PER_DAY, "T", 150)
    begin = made[0].header.measured_ns
    times = ((one.header.measured_ns - begin) * 1e-9 for one in made if node.take(one))
    return next(times, math.inf)


def bright_fire(seed, lit_s, until_s=200.0):
    """A fire as bright as a motor that is lit after a while; both satellites see nine in ten of it."""
    rng = np.random.default_rng([seed, 6])
    place, made = ground(34.0, 48.0 + 0.3 * seed), []
    times = sorted([(t, e) for e in (0, 1) for t in np.arange(5.0 * e, until_s, 10.0)])
    for k, (t, e) in enumerate(times):
        points = [place] if t >= lit_s and rng.uniform() < 0.9 else []
        clutter = [ground(*p) for p in np.column_stack([rng.uniform(25, 43, 3), rng.uniform(39, 57, 3)])]
        made.append(scan((WEST, EAST_EYE)[e], k, float(t), points, rng, clutter=clutter))
    return made


@pytest.mark.parametrize("lit_s", [0.0, 100.0])
def test_a_fire_as_bright_as_a_motor_is_no_burn_whenever_it_is_lit(lit_s):
    """Two satellites' own accounts of it, each a coincidence, made every one of these a burn."""
    assert [told_s(bright_fire(seed, lit_s)) for seed in range(6)] == [math.inf] * 6


@pytest.mark.parametrize(("cloud_m", "later_s"), [(6e3, 0.0), (500.0, 26.0)])
def test_a_motor_that_clears_clouds_is_told_of_as_soon_as_if_there_were_no_fires(
    cloud_m, later_s, monkeypatch
):
    """Low down it may be one: in clear weather it has to rise some kilometres first."""
    one = [launch("medium_range", azimuth=seed, at_s=100.0) for seed in range(4)]
    made = [scans((WEST, EAST_EYE), [one[k]], 190.0, k, cloud_m=cloud_m) for k in range(4)]
    with_fires = np.array([told_s(m) for m in made])
    monkeypatch.setattr("jointwatch.launch.odds.log_one_fire", lambda *_: -math.inf)
    without = np.array([told_s(m) for m in made])
    assert np.isfinite(with_fires).all() and (with_fires >= without).all()
    assert (with_fires <= without + later_s).all()
