"""The odds that a chain of plots is a burn, as far as they are told without a posterior.

In: chains (`launch.chains`) and what each satellite has learned of false plots (`launch.hot_places`); out:
cheap log odds, by which chains are told that are worth a posterior, what the intensities say, and the density
of a chain's plots if no burn gave them (`launch.wandering`, `launch.fires`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from jointwatch.launch.chains import Chain, Plot
from jointwatch.launch.fires import LOG_FLASH_GLOW, log_one_fire, log_one_flash
from jointwatch.launch.hot_places import HotPlaces
from jointwatch.launch.profiles import PROFILES
from jointwatch.launch.wandering import log_not_burning
from jointwatch.records import Satellite
from jointwatch.sensing.infrared import from_one_site

Floats = NDArray[np.float64]
ALIKE = 0.5
"""How alike two looks find a burn's intensity: standard deviation of its logarithm."""
STAGED, DIMMER = 0.15, 1.5
"""How often a stage parts between what two satellites see of a burn, and what that does to the logarithm of
its intensity: standard deviation."""
GLOWS = np.array([(math.log(p.glow_w_sr[0]), p.glow_w_sr[1]) for p in PROFILES])
LEAST_PLOTS, LEAST_STEREO = 3, 2
"""Plots of one satellite, and of more, that are enough for a posterior."""


def is_new(chain: Chain) -> bool:
    """Whether a chain has enough plots for a posterior, and more than the last one was told."""
    n = len(chain.plots)
    return n != chain.plots_known and (n >= LEAST_PLOTS or (n >= LEAST_STEREO and max(chain.counts) < n))


def cheap_log_odds(chains: Sequence[Chain], places: Mapping[str, HotPlaces]) -> Floats:
    """Log odds (n,) of chains against false plots that fell so by chance.  places: of all
    satellites, in the order of their names."""
    sums, counts = np.array([c.glow_sums for c in chains]), np.array([c.counts for c in chains], float)
    known = np.array([c.known for c in chains])
    bright = sums.sum(axis=1) / counts.sum(axis=1)
    off = (bright[:, None] - GLOWS[:, 0]) / GLOWS[:, 1]
    by_class = np.array([c.log_weight for c in chains]) - 0.5 * off * off - np.log(GLOWS[:, 1])
    log_odds = np.array([c.log_odds for c in chains]) + _log_brighter(sums, counts, known, places)
    return np.asarray(log_odds + np.logaddexp.reduce(by_class, axis=1))


def log_brighter(chain: Chain, places: Mapping[str, HotPlaces]) -> float:
    """What a chain's intensities say for a burn besides how bright it is in all (which the posterior
    knows): that two satellites see it alike, against false plots that each sees its own."""
    sums, counts = np.array([chain.glow_sums]), np.array([chain.counts], float)
    return float(_log_brighter(sums, counts, np.array([chain.known]), places)[0])


def _log_brighter(sums: Floats, counts: Floats, known: Floats, places: Mapping[str, HotPlaces]) -> Floats:
    """`log_brighter` of chains (n,) from sums and counts (n, S) of their log intensities by satellite,
    and the sums of how probably each was a known place's if none of a burn."""
    return _log_alike(sums, counts) - _log_false_glows(sums, counts, known, places)


def _log_alike(sums: Floats, counts: Floats) -> Floats:
    """Log-density (n,) of what the satellites' mean log intensities differ by, if they are of one thing."""
    total = np.zeros(len(sums))
    last, spread2, any_yet = np.zeros(len(sums)), np.zeros(len(sums)), np.zeros(len(sums), np.bool_)
    for s in range(sums.shape[1]):
        gave = counts[:, s] > 0.0
        many = np.maximum(counts[:, s], 1.0)
        mean, own2 = sums[:, s] / many, ALIKE**2 / many
        both2 = np.where(gave & any_yet, spread2 + own2, 1.0)
        pair = np.logaddexp(
            math.log(1.0 - STAGED) + _log_normal(mean - last, both2),
            math.log(STAGED) + _log_normal(mean - last, both2 + DIMMER**2),
        )
        total += np.where(gave & any_yet, pair, 0.0)
        last, spread2, any_yet = np.where(gave, mean, last), np.where(gave, own2, spread2), any_yet | gave
    return total


def _log_normal(off: Floats, variance: Floats) -> Floats:
    """Log-density without the factor 1 / sqrt(2 pi)."""
    return np.asarray(-0.5 * off * off / variance - 0.5 * np.log(variance))


def _log_false_glows(sums: Floats, counts: Floats, known: Floats, places: Mapping[str, HotPlaces]) -> Floats:
    """Log-density (n,) of the satellites' mean log intensities, if each sees something false of its own."""
    total = np.zeros(len(sums))
    for s, place in enumerate(places.values()):
        many = np.maximum(counts[:, s], 1.0)
        total += np.where(counts[:, s] > 0.0, place.log_glow(sums[:, s] / many, known[:, s] / many), 0.0)
    return total


def _log_fire_glow(sums: Floats, counts: Floats, places: Mapping[str, HotPlaces]) -> Floats:
    """Log-density (n,) of the mean of all log intensities, if they are of one thing that is not known yet."""
    mean, gave = sums.sum(axis=1) / counts.sum(axis=1), counts > 0.0
    each = [
        np.where(gave[:, s], place.log_glow(mean, np.zeros(len(mean))), -np.inf)
        for s, place in enumerate(places.values())
    ]
    return np.asarray(np.logaddexp.reduce(each, axis=0) - np.log(gave.sum(axis=1)))


def log_otherwise(
    chain: Chain, satellites: Mapping[str, Satellite], places: Mapping[str, HotPlaces]
) -> float:
    """Log-density of a chain's plots if they are no burn: each satellite's something else (of which
    `log_brighter` weighs the intensities), or all of one fire or one flash."""
    total = sum(_log_apart(chain.plots, sensor, satellites, places) for sensor in chain.sensors)
    if len(chain.sensors) < 2:
        return total
    sums, counts = np.array([chain.glow_sums]), np.array([chain.counts], float)
    known = np.array([chain.known])
    one_glow = _log_alike(sums, counts) - _log_false_glows(sums, counts, known, places)
    first = [next(p for p in chain.plots if p.sensor == sensor) for sensor in chain.sensors]
    site, along = np.array([p.site for p in chain.plots]), np.array([p.along for p in chain.plots])
    sigma_rad = np.array([satellites[p.sensor].sigma_rad for p in chain.plots])
    log_false = np.array([p.log_false for p in chain.plots])
    log_background = np.array([p.log_background for p in chain.plots])
    # what is new to all of them is new to the one that had looked longest
    fire = min(p.log_new for p in first) + log_one_fire(site, along, sigma_rad, log_false, log_background)
    fire += _log_fire_glow(sums, counts, places)[0]
    span_s = (chain.last_ns - chain.plots[0].time_ns) * 1e-9
    flash = log_one_flash(site, along, sigma_rad, log_false, min(p.dark_s for p in first), span_s)
    return float(np.logaddexp(total, np.logaddexp(fire, flash + LOG_FLASH_GLOW) + one_glow[0]))


def _log_apart(
    plots: Sequence[Plot], sensor: str, satellites: Mapping[str, Satellite], places: Mapping[str, HotPlaces]
) -> float:
    """Log-density of one satellite's of some plots, if no burn gave them and no other satellite saw it."""
    of = [p for p in plots if p.sensor == sensor]
    site, sites = np.array(of[0].site), np.array([p.site for p in of])
    return log_not_burning(
        np.array([(p.time_ns - of[0].time_ns) * 1e-9 for p in of]), site,
        from_one_site(site, sites, np.array([p.along for p in of])), satellites[sensor].sigma_rad,
        np.array([p.log_false for p in of]), np.array([p.log_background for p in of]),
        np.array([p.dark_s for p in of]),
        places[sensor].wanderers.share, places[sensor].wanderers.speed_ms,
    )  # fmt: skip
