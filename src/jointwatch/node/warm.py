"""Compiling the kernels that a node runs, before it is needed: once, by two processes side by side.

In: nothing; out: kernels compiled in this process and cached for the next.  Each part calls its kernels on
next to nothing.  What the other process has done already is read from the cache, so a machine with two cores
is ready in little more than half the time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from msgspec.structs import replace
from numba.core.dispatcher import Dispatcher
from numpy.typing import NDArray

from jointwatch.joint.association import Cloud, pair_up
from jointwatch.joint.corroboration import near_wedge, should_be_seen
from jointwatch.joint.filter import TRACKLET, follow_all, states_at
from jointwatch.joint.fusion import intersect
from jointwatch.launch.arrivals import Counted, probability_of_number
from jointwatch.launch.beginning import NO_LOOKS, Looks, beginning_of
from jointwatch.launch.burn_report import expected_impact
from jointwatch.launch.burns import Burns
from jointwatch.launch.coast import LOOKS
from jointwatch.launch.estimate import launch_points
from jointwatch.launch.looks import look_row
from jointwatch.launch.posterior import posterior
from jointwatch.motion.phases import BALLISTIC, BOOST
from jointwatch.motion.propagate import perigee_m, predict, propagate
from jointwatch.records import Header, InfraredScan, Satellite, Sensor, Zone
from jointwatch.sensing.expectation import PLOT, plots_of
from jointwatch.sensing.infrared import disc_half_angle, geostationary_site
from jointwatch.sensing.radar import sensor_row
from jointwatch.tracking.branching import find_parents
from jointwatch.tracking.confirmed import update_confirmed
from jointwatch.tracking.engine import Engine
from jointwatch.tracking.equivalent import equivalents, first_equivalent
from jointwatch.tracking.parents import broken_up, parent_of
from jointwatch.tracking.scratch import new_scratch
from jointwatch.tracking.sources import note_sources
from jointwatch.tracking.tentative import update_tentative
from jointwatch.warning.impact import ground_fall
from jointwatch.warning.reach import Reach
from jointwatch.warning.zones import ZoneIndex

_SENSOR = Sensor(
    name="warm", partner="", latitude_rad=0.5, longitude_rad=0.6, height_m=0.0, range_min_m=1e3,
    range_max_m=5e5, elevation_min_rad=0.0, elevation_max_rad=1.4, sigma_range_m=50.0, sigma_azimuth_rad=1e-3,
    sigma_elevation_rad=1e-3, sigma_range_rate_ms=5.0, period_s=10.0, sectors=8, detection=0.9,
    clutter_per_scan=100.0,
)  # fmt: skip
_ZONE = Zone(
    key="warm", name="warm", partner="", latitude_deg=0.0, longitude_deg=0.0, shelter_s=0.0, radius_m=1e3
)
_EYE = Satellite(
    name="warm", partner="", longitude_rad=0.0, sigma_rad=3e-5, period_s=10.0, detection=0.9, cloud_m=8e3,
    clutter_per_scan=1.0,
)  # fmt: skip
_NS = 1_000_000_000


def _flight() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A state high over the Earth, coming down, and its covariance."""
    state = np.array([6471e3, 0.0, 0.0, -500.0, 1500.0, 0.0, -8.6])
    return state, np.diag([1e4, 1e4, 1e4, 25.0, 25.0, 25.0, 0.1])


def _climb() -> tuple[Looks, NDArray[np.float64], NDArray[np.float64]]:
    """Looks at a burn and at the coast after it, and the last state and its covariance."""
    s = np.array([6391e3, 0.0, 0.0, 700.0, 500.0, 0.0, 40.0])
    points = []
    for phase in (BOOST,) * LOOKS + (BALLISTIC,) * LOOKS:
        s[6] = 40.0 if phase == BOOST else -8.6
        propagate(phase, s, 5.0)
        points.append(s[:6].copy())
    times = 5 * np.arange(2 * LOOKS) * _NS
    known = np.diag(np.repeat([1e-4, 1e-2], 3))
    looks = Looks(times, np.array(points), np.repeat(known[None], 2 * LOOKS, axis=0))
    return looks, s, np.diag(np.repeat([1e4, 25.0, 0.1], [3, 3, 1]))


def warm_tracks() -> None:
    """Tracks, alone and where two contest a plot."""
    engine, plots = Engine([sensor_row(_SENSOR)], capacity=8), np.zeros((0, PLOT))
    sensor, detection, none = engine.sensors[0], engine.detection[0], np.zeros(0, np.int64)
    update_confirmed(
        engine.table, engine.clusters, none, new_scratch(8), engine.bank, engine.rules, sensor, detection,
        0.0, 1.0, _NS, plots, none, np.zeros(0),
    )  # fmt: skip


def warm_looks() -> None:
    """Whole looks: most of what a node runs."""
    engine = Engine([sensor_row(_SENSOR)], capacity=8)
    for k in range(2):
        engine.look(0, (0.0, 1.0), k * _NS, np.zeros((0, PLOT)), np.zeros(0, np.int64))
    # what is done only where a track begins
    none = np.zeros(0, np.int64)
    parent_of(engine.table, none, 0)
    broken_up(engine.table, none, none)
    note_sources(engine.table, none, {}, 0, 0, 0)


def warm_births() -> None:
    """Tentative chains: the longest part."""
    engine = Engine([sensor_row(_SENSOR)], capacity=8)
    none, detection = np.zeros(0), engine.detection[0]
    plots, identity = plots_of(np.zeros((0, 4))), np.zeros(0, np.int64)
    sensor, wedge, seeds = engine.sensors[0], (0.0, 1.0), engine.learned[0].seeds
    branches = find_parents(
        engine.table, identity, seeds.bed, engine.bank, sensor, detection, 0, wedge, 0, plots,
        none, none,
    )  # fmt: skip
    update_tentative(
        engine.table, seeds.room(0), 0, engine.bank, sensor, 0, 0, plots, identity, none, none, none,
        branches,
    )  # fmt: skip


def warm_picture() -> None:
    """What a look tells of tracks, fusion with what partners tell, and evidence both ways."""
    state, covariance = _flight()
    mean, cov = np.empty(7), np.empty((7, 7))
    intersect(state, covariance, state, covariance, mean, cov)
    predict(BALLISTIC, mean, cov, 1.0)
    engine = Engine([sensor_row(_SENSOR)], capacity=8)
    sensor, detection, table = engine.sensors[0], engine.detection[0], engine.table
    none, plot = np.zeros(0, np.int64), np.zeros(PLOT)
    equivalents(table, none, none, none, np.zeros(0), sensor, np.zeros((0, PLOT)))
    with suppress(ZeroDivisionError):  # of a row in the Earth's middle
        first_equivalent(sensor, table[0], 0, plot, np.empty(6), np.empty((6, 6)))
    follow_all(table, none, none, engine.bank, 1.0, none, np.zeros((0, TRACKLET)))
    states_at(table, none, engine.bank, 0, table)
    states, covs, phases = state[None], covariance[None], np.zeros(1, np.int64)
    pair_up(Cloud(states, covs, phases, phases), Cloud(states, covs, phases, phases))
    near_wedge(sensor, 0.0, 1.0, state, 1.0)
    should_be_seen(sensor, detection, 0.0, 1.0, state, covariance, np.zeros((0, PLOT)))


def warm_warning() -> None:
    """Where an object comes down and came from, which zones that endangers and which it is near."""
    state, covariance = _flight()
    ground_fall(state, covariance)
    perigee_m(state)
    looks, state, covariance = _climb()
    first = beginning_of(looks, int(looks.times_ns[-1]), state, covariance)
    launch_points(first, None)
    launch_points(replace(first, ended=None), None)
    beginning_of(NO_LOOKS, 0, state, covariance)
    ZoneIndex((_ZONE,)).struck(0.0, 0.0, 1e3)
    Reach((_ZONE,), 1e3).along([(0.0, 0.0)], 1e3)


def warm_burns() -> None:
    """Burns: chains of infrared plots, what they tell of a launch, and where it comes down."""
    burns = Burns((_EYE,), 1e-19, 1.0, draws=4)
    site = geostationary_site(_EYE)
    looks = []
    for k in range(2):
        point = np.array([6378e3 + 9e3 * (k + 1), 3e3 * k, 0.0])
        along = (point - site) / np.linalg.norm(point - site)
        looks.append(look_row(10.0 * k, site, along, _EYE.sigma_rad, _EYE.detection, _EYE.cloud_m, 1e5))
        # two plots in each: of one, numba would take a slice for what lies in one piece
        x, y, z = (tuple(column) for column in np.array([along, [-1.0, 0.0, 0.0]]).T.tolist())
        burns.take(
            InfraredScan(
                header=Header(originator="", source="warm", sequence=k, measured_ns=10 * k * _NS),
                sensor="warm", received_ns=10 * k * _NS, site_m=(float(site[0]), float(site[1]), 0.0),
                axis=(-1.0, 0.0, 0.0), half_angle_rad=disc_half_angle(site), along_x=x, along_y=y, along_z=z,
                intensity_w_sr=(1e5, 1e5),
            )
        )  # fmt: skip
    two = np.arange(2.0)
    probability_of_number(
        Counted(10.0 * two, np.zeros(2, np.int64), 3.0 + two, two, two, np.full(2, 0.9)), 0.1, two, -two
    )
    known = posterior(np.array(looks), 0, 4)
    if known is not None:
        expected_impact("warm", "", known)


FRONT = (warm_tracks, warm_looks)
BACK = (warm_births, warm_warning, warm_burns, warm_picture)
"""The second begins with what of a look shares least with tracks: the first finds it in the cache."""


def warm_the_front() -> None:
    """Compile what one of two processes does: tracks, then whole looks, which need most of it."""
    for part in FRONT:
        part()


def warm_the_back() -> None:
    """Compile what the other does: chains, falls, fusion."""
    for part in BACK:
        part()


def compiled_here() -> set[str]:
    """Kernels, each with its types, that this process had to compile: they were in no cache."""
    return {f"{name}{types}" for name, kernel in _kernels() for types in kernel.stats.cache_misses}


def kernels_used() -> set[str]:
    """Kernels, each with its types, that this process has ready: compiled, or read from the cache."""
    return {f"{name}{types}" for name, kernel in _kernels() for types in kernel.signatures}


def kernels_called() -> set[str]:
    """Names of the kernels that the used ones call, directly or not: they were compiled with them."""
    of = {id(kernel): (name, kernel) for name, kernel in _kernels()}
    left = [kernel for _, kernel in of.values() if kernel.signatures]
    called: set[str] = set()
    while left:
        function = left.pop().py_func
        for callee in map(function.__globals__.get, function.__code__.co_names):
            name, kernel = of.get(id(callee), ("", None))
            if kernel is not None and name not in called:
                called.add(name)
                left.append(kernel)
    return called


def _kernels() -> Iterator[tuple[str, Dispatcher]]:
    for name, module in sorted(sys.modules.items()):
        if name.startswith("jointwatch."):
            for key, value in vars(module).items():
                if isinstance(value, Dispatcher) and value.py_func.__module__ == name:
                    yield f"{name}.{key}", value
