"""Burns whose launch is known, and what infrared satellites see of each: what a posterior is scored on.

In: a class, a random stream, and which physics flies it; out: a `Flown` burn, and its looks as rows for
`launch.posterior`.  Two physics: the stated boost model with values drawn from its own prior (`launch.ascent`
and `launch.profiles`), and the exercise's own (`exercise.launches`), which no estimator knows, by its one
design of a class or by a design drawn for each launch.  Places are
even over the ground of the box of the outlines, azimuths even round the compass.  Clouds, misses, noise and
glow are those of CASES 6 and 11; the estimator is told how high clouds may reach, never how high they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.exercise.classes import CLASSES, FlightClass
from jointwatch.exercise.infrared import BOX_DEG, INTENSITY_SPREAD, motor_intensity
from jointwatch.exercise.launches import burns, draw, powered, starts
from jointwatch.exercise.physics import drag_coefficient
from jointwatch.launch.ascent import AZIMUTH, KNOTS, VALUES, ascend, burn_times, set_burn, state_at
from jointwatch.launch.looks import look_row
from jointwatch.launch.profiles import GLOW, GLOW_SPREAD, STAGES, profile_named
from jointwatch.sensing.infrared import GEOSTATIONARY_M, across, hidden_by_earth

Floats = NDArray[np.float64]
SETS = {"mono": (10.0,), "stereo": (10.0, 75.0)}
"""Sensor sets by name: degrees east over which the satellites stand."""
SIGMA_RAD, PERIOD_S, DETECTION, CLOUD_M = 30e-6, 10.0, 0.9, 8000.0
EARLIER_S = 60.0
"""Looks so long before the first plot are told too: they found nothing yet.  It is longer than what
`launch.burns` keeps, so that nothing that tells is left out."""
LATER_MISSES = 2
"""Looks in vain of each satellite after the last plot of any."""
BURN_FACTOR, MASS_FACTOR, EXHAUST_FACTOR, TURN_FACTOR = 1.35, 1.2, 1.05, 1.15
"""By how much at most designs of one class are greater or less than the exercise's, even in the logarithm: of
CASES 11 the short-range ones burn 30 to 65 s, and reach 200 to 300 km."""
TWICE_SOUND = 2.0
"""A drag parameter is the drag at this Mach number."""
LEAST = {"mono": 3, "stereo": 2}
"""Plots from which `launch.burns` makes a posterior."""


class Flown(NamedTuple):
    """A burn that was flown: where (rad) and in which direction it was launched, and its way.

    times_s (m,), seconds after launch, and states (m, 6), ECEF; burning: from when to when motors burn;
    glow_w_sr: of each.  values (8,): of the stated model about its own place and time, None where that did
    not fly it.
    """

    kind: str
    latitude: float
    longitude: float
    azimuth: float
    times_s: Floats
    states: Floats
    burning: tuple[tuple[float, float], ...]
    glow_w_sr: tuple[float, ...]
    values: Floats | None

    def end_s(self) -> float:
        """End of the last burn, seconds after launch."""
        return self.burning[-1][1]

    def at(self, since_s: float) -> tuple[Floats, float] | None:
        """Place (3,) and median glow of the motor that burns so long after launch; None where none does."""
        for (begin, end), glow in zip(self.burning, self.glow_w_sr, strict=True):
            if begin <= since_s <= end:
                out = np.empty(6)
                state_at(self.times_s, self.states, len(self.times_s), since_s, out)
                return out[:3], glow
        return None


class Seen(NamedTuple):
    """Looks at a burn: rows (n, LOOK), the same without noise, how long after launch their times are counted
    from (s), and how many plots are among them."""

    rows: Floats
    exact: Floats
    epoch_s: float
    plots: int


def anywhere(rng: np.random.Generator) -> tuple[float, float]:
    """Latitude and longitude (rad) of a place, even over the ground of the outlines' box."""
    south, north, west, east = np.radians(BOX_DEG)
    return math.asin(rng.uniform(math.sin(south), math.sin(north))), float(rng.uniform(west, east))


def stated(name: str, place: tuple[float, float], rng: np.random.Generator) -> Flown:
    """A burn of the stated model, its values drawn from the class's prior, launched at a place (rad)."""
    row = profile_named(name).row()
    values, z = np.zeros(VALUES), rng.standard_normal(5)
    while not set_burn(row, z[:4], values):  # where there would be no mass left the prior is nought
        z = rng.standard_normal(5)
    values[AZIMUTH] = rng.uniform(-math.pi, math.pi)
    times, states = np.empty(KNOTS), np.empty((KNOTS, 6))
    n = ascend(row, values, np.array(place), 1e9, times, states)
    first, gap_end, end = burn_times(row, values)
    burning = ((0.0, end),) if row[STAGES] < 2.0 else ((0.0, first), (gap_end, end))
    glow = math.exp(row[GLOW] + row[GLOW_SPREAD] * z[4])
    return Flown(
        name, *place, float(values[AZIMUTH]), times[:n], states[:n], burning, (glow,) * len(burning), values
    )


def exercise(name: str, place: tuple[float, float], rng: np.random.Generator) -> Flown:
    """A burn of the exercise's physics, as far as its class reaches, launched at a place (rad)."""
    return _flown(name, CLASSES[name], place, rng)


def _flown(name: str, kind: FlightClass, place: tuple[float, float], rng: np.random.Generator) -> Flown:
    """One burn of a class of the exercise's physics, however far of all that it reaches."""
    azimuth, control = rng.uniform(-math.pi, math.pi), rng.uniform(*kind.control_range)
    one = (np.array([v]) for v in (*place, azimuth, control))
    start, rows = starts(kind, draw(kind, 1, rng), *one)
    path = powered(kind, start, rows, 0.5, 1e-8)
    ends, thrust = burns(kind, rows)
    return Flown(
        name, *place, float(azimuth),
        np.ascontiguousarray(path.times_s[:, 0]), np.ascontiguousarray(path.states[:, 0, :6]),
        tuple(pairwise((0.0, *ends[0].tolist()))), tuple(map(motor_intensity, thrust[0].tolist())), None,
    )  # fmt: skip


def designs(name: str, place: tuple[float, float], rng: np.random.Generator) -> Flown:
    """A burn of the exercise's physics by a design of its own: the exercise has one of each class, with some
    per cent of scatter, and of one design what is told may be off to one side every time."""
    return _flown(name, design(name, rng), place, rng)


def design(name: str, rng: np.random.Generator) -> FlightClass:
    """A design of a class: the exercise's with its masses, motor, drag and turn drawn anew."""
    kind = CLASSES[name]

    def varied(value: float, factor: float) -> float:
        return float(value * factor ** rng.uniform(-1.0, 1.0))

    turn = varied(1.0, TURN_FACTOR)
    upper = kind.upper
    if upper is not None:
        upper = replace(
            upper, dry_kg=varied(upper.dry_kg, MASS_FACTOR), burn_s=varied(upper.burn_s, BURN_FACTOR),
            propellant_kg=varied(upper.propellant_kg, MASS_FACTOR),
            exhaust_ms=varied(upper.exhaust_ms, EXHAUST_FACTOR),
        )  # fmt: skip
    return replace(
        kind, dry_kg=varied(kind.dry_kg, MASS_FACTOR), propellant_kg=varied(kind.propellant_kg, MASS_FACTOR),
        burn_s=varied(kind.burn_s, BURN_FACTOR), exhaust_ms=varied(kind.exhaust_ms, EXHAUST_FACTOR),
        diameter_m=varied(kind.diameter_m, MASS_FACTOR), drag_scale=varied(kind.drag_scale, MASS_FACTOR),
        kick_deg=(turn * kind.kick_deg[0], turn * kind.kick_deg[1]), upper=upper,
    )  # fmt: skip


def dragging_as_stated(name: str, kind: FlightClass, deviation: float) -> FlightClass:
    """A design of a class that drags at launch as the class's profile says, so many standard deviations over
    the median; after the burn by the masses that the design has then.

    Of its propellant as much is loaded as for the middle of what the class reaches.
    """
    median, spread = profile_named(name).drag
    load = sum(kind.control_range) / 2.0 if kind.control == "load" else 1.0
    mass = kind.dry_kg + load * kind.propellant_kg
    if kind.upper is not None:
        mass += kind.upper.dry_kg + load * kind.upper.propellant_kg
    area = math.pi / 4.0 * kind.diameter_m**2
    return replace(kind, drag_scale=area_for(median * math.exp(spread * deviation)) * mass / area)


def area_for(drag: float) -> float:
    """Reference area (m^2) of each kg that drags in the exercise as a drag parameter (m^2/kg) says."""
    return drag / drag_coefficient(TWICE_SOUND)


PHYSICS = {"stated": stated, "exercise": exercise, "designs": designs}


def seen(
    burn: Flown, longitudes_deg: Sequence[float], rng: np.random.Generator, cloud_m: float = CLOUD_M
) -> Seen | None:
    """What satellites over so many degrees east see of a burn, to its end; None where they see nothing.

    cloud_m: the clouds' top is even between the ground and this height, and the same for all.
    """
    top = rng.uniform(0.0, cloud_m) if cloud_m > 0.0 else 0.0
    looks: list[tuple[float, Floats, Floats | None, Floats | None, float]] = []
    for longitude in np.radians(longitudes_deg):
        site = GEOSTATIONARY_M * np.array([math.cos(longitude), math.sin(longitude), 0.0])
        at = rng.uniform(0.0, PERIOD_S) - math.ceil(EARLIER_S / PERIOD_S) * PERIOD_S
        while at < burn.end_s() + (LATER_MISSES + 8) * PERIOD_S:
            looks.append((float(at), *_look(burn, site, float(at), top, rng)))
            at += PERIOD_S
    looks.sort(key=lambda look: look[0])
    plots = [t for t, _, exact, _, _ in looks if exact is not None]
    if not plots:
        return None
    kept = []
    vain: dict[bytes, int] = {}
    for t, site, exact, along, glow in looks:
        if t < plots[0] - EARLIER_S:
            continue
        if t > plots[-1]:
            vain[site.tobytes()] = vain.get(site.tobytes(), 0) + 1
            if vain[site.tobytes()] > LATER_MISSES:
                continue
        kept.append((t - plots[0], site, exact, along, glow))
    rows, lines = (
        np.array(
            [look_row(t, site, way, SIGMA_RAD, DETECTION, cloud_m, glow) for t, site, way, glow in looked]
        )
        for looked in (
            [(t, site, along, glow) for t, site, _, along, glow in kept],
            [(t, site, exact, glow) for t, site, exact, _, glow in kept],
        )
    )
    return Seen(rows, lines, plots[0], len(plots))


def _look(
    burn: Flown, site: Floats, since_s: float, top_m: float, rng: np.random.Generator
) -> tuple[Floats, Floats | None, Floats | None, float]:
    """One look so long after launch: the site, the line to the motor without noise and with it, its glow."""
    # drawn whether anything burns or not, so that one look's luck does not move the next one's
    chance, bright, noise = rng.uniform(), rng.normal(), rng.normal(0.0, SIGMA_RAD, (2, 1, 1))
    found = burn.at(since_s)
    if found is None or chance >= DETECTION:
        return site, None, None, 0.0
    place, glow = found
    if height_above_ellipsoid(*place) <= top_m or hidden_by_earth(site, place[None])[0]:
        return site, None, None, 0.0
    exact = (place - site)[None] / np.linalg.norm(place - site)
    first, second = across(exact)
    along = exact + noise[0] * first + noise[1] * second
    return site, exact[0], along[0] / np.linalg.norm(along), glow * math.exp(INTENSITY_SPREAD * bright)
