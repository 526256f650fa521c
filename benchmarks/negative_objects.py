"""What shines from orbit and is no missile, as moving lights: bolides, their trains, real ascents to orbit.

In: a row of the CNEOS table of bolides, or a recorded flight (webcast), and a random generator; out: objects
that `exercise.infrared` looks at like motors.  What is recorded: a bolide's latitude, peak height, radiated
energy and, of some, velocity; a flight's speed, height and burns.  All else is an assumption, stated here.
The longitude is laid where the exercise's clutter is, and a southern latitude is mirrored: for what a
geostationary satellite sees of it either is a mere turn.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jointwatch.earth.frames import MEAN_RADIUS_M, enu_rotation, geodetic2ecef
from jointwatch.exercise.flights import destination
from jointwatch.exercise.infrared import GROWTH, REFERENCE_N, REFERENCE_W_SR
from jointwatch.exercise.truth import TruthObject
from jointwatch.records import BadInput
from jointwatch.review.arcs import Arc

Floats = NDArray[np.float64]
IN_BAND = 0.01
"""Part of a bolide's radiated energy (stated for a black body of 6,000 K) in the bands that see motors."""
ABOVE_M, BELOW_M, WIDTH_M = 30e3, 10e3, 8e3
"""A bolide shines from so far above its peak to so far below it; its light is a Gaussian in height, as wide
as the air's density takes to grow by e."""
LAST_SPEED = 0.15
"""Part of its speed that is left where it goes out; from the peak on it falls evenly with height."""
FLATTEST = math.sin(math.radians(5.0))
TRAIN_S, TRAIN_MS, TRAIN_W_SR, TRAIN_SPREAD = 60.0, 50.0, 1e5, 1.0
"""A train stays so long, drifts so fast with the wind and glows so (median, spread of the logarithm)."""
TRAIN_M = (30e3, 80e3)
DIMMEST_W_SR = 1e4
"""What glows less no satellite here sees: about what a rocket of 20 kN glows with."""
STEP_S = 0.5
EAST_DEG = (30.0, 55.0)
FIRST_STAGE_W_SR, SECOND_STAGE_W_SR = 1e7, 2.7e6
"""Of a launcher of 7.6 MN and of its second stage of 0.93 MN, to an order of magnitude; by the exercise's
rule of thumb the first would be 6e7."""


@dataclass(frozen=True)
class Light(TruthObject):
    """A moving light: light_w_sr (n,) at light_s (n,), seconds since the exercise's start."""

    light_s: Floats = None  # type: ignore[assignment]
    light_w_sr: Floats = None  # type: ignore[assignment]

    def thrust_at(self, time_ns: int) -> float:
        """The thrust of a motor that would shine as this does, N; 0 where it is too dim to be seen."""
        if not self.launch_ns <= time_ns < self.end_ns:
            return 0.0
        t = (time_ns - self.start_ns) * 1e-9
        glow = float(np.interp(t, self.light_s, self.light_w_sr))
        return REFERENCE_N * (glow / REFERENCE_W_SR) ** (1.0 / GROWTH) if glow >= DIMMEST_W_SR else 0.0


@dataclass(frozen=True)
class Bolide:
    """A row of the table: rad, m, J, and velocity (3,), m/s, Earth-fixed with x at the meridian of Greenwich;
    None where it was not measured."""

    latitude: float
    longitude: float
    peak_m: float
    radiated_j: float
    velocity: Floats | None


def read_bolides(path: Path) -> list[Bolide]:
    """The rows of the CNEOS table that have a place, a height and an energy; BadInput names a bad line."""
    rows = []
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(path.name, "file", error.strerror or "nothing", "the CNEOS table of bolides") from None
    for i, row in enumerate(csv.reader(text.splitlines()[1:])):
        try:
            _, latitude, longitude, height, _, *components, radiated, _ = row
            if not (latitude and longitude and height and radiated):
                continue
            velocity = np.array([float(c) for c in components]) * 1e3 if all(components) else None
            place = [
                math.radians(float(v[:-1])) * (-1.0 if v[-1] in "SW" else 1.0) for v in (latitude, longitude)
            ]
            rows.append(Bolide(place[0], place[1], float(height) * 1e3, float(radiated), velocity))
        except ValueError:
            raise BadInput(path.name, f"line {i + 2}", ",".join(row), "ten columns of the table") from None
    return rows


def coming_down(bolide: Bolide, rng: np.random.Generator) -> tuple[float, float, float, bool]:
    """Speed (m/s), sine of the angle below level, course (rad from north); whether they were recorded.

    Drawn where they were not, or do not come down: speeds about 17 km/s, directions as of a uniform flux
    (twice the angle to the vertical, sine-distributed).
    """
    speed = float(np.clip(17e3 * math.exp(0.25 * rng.normal()), 11.2e3, 40e3))
    down, course = math.cos(0.5 * math.acos(rng.uniform(-1.0, 1.0))), rng.uniform(0.0, 2.0 * math.pi)
    if bolide.velocity is not None:
        east, north, up = enu_rotation(bolide.latitude, bolide.longitude) @ bolide.velocity
        fast = math.sqrt(east**2 + north**2 + up**2)
        if fast > 0.0 and -up / fast >= FLATTEST:
            north = north if bolide.latitude >= 0.0 else -north
            return fast, -up / fast, math.atan2(east, north), True
    return speed, max(down, FLATTEST), course, False


def bolide_light(
    bolide: Bolide, longitude: float, name: str, start_ns: int, at_s: float, rng: np.random.Generator
) -> Light:
    """A bolide over a longitude (rad) that is brightest at_s seconds after the exercise's start."""
    latitude = abs(bolide.latitude)
    speed, down, course, _ = coming_down(bolide, rng)
    height = np.linspace(bolide.peak_m + ABOVE_M, max(bolide.peak_m - BELOW_M, 1e3), 81)
    below = np.clip((bolide.peak_m - height) / BELOW_M, 0.0, 1.0)
    fall = speed * down * (1.0 - (1.0 - LAST_SPEED) * below)
    seconds = np.concatenate([[0.0], np.cumsum(-np.diff(height) / (0.5 * (fall[1:] + fall[:-1])))])
    seconds += at_s - float(np.interp(-bolide.peak_m, -height, seconds))
    shape = np.exp(-0.5 * ((height - bolide.peak_m) / WIDTH_M) ** 2)
    whole = float(np.sum(0.5 * (shape[1:] + shape[:-1]) * np.diff(seconds)))
    glow = IN_BAND * bolide.radiated_j / (4.0 * math.pi * whole) * shape
    level = (bolide.peak_m - height) * math.sqrt(1.0 - down * down) / down
    return _light(
        name, "bolide", start_ns, seconds, *_along(latitude, longitude, course, level), height, glow
    )


def train_light(
    bolide: Bolide, longitude: float, name: str, start_ns: int, at_s: float, rng: np.random.Generator
) -> Light:
    """A train that a bolide leaves: it lingers for `TRAIN_S`, drifting with the wind, fading by half."""
    latitude = abs(bolide.latitude)
    seconds = np.arange(0.0, TRAIN_S + STEP_S, STEP_S)
    glow = TRAIN_W_SR * math.exp(TRAIN_SPREAD * rng.normal()) * np.exp2(-seconds / TRAIN_S)
    height = np.full(len(seconds), rng.uniform(*TRAIN_M))
    places = _along(latitude, longitude, rng.uniform(0.0, 2.0 * math.pi), TRAIN_MS * seconds)
    return _light(name, "train", start_ns, seconds + at_s, *places, height, glow)


def ascent_light(
    arc: Arc,
    burns_s: list[tuple[float, float, float]],
    name: str,
    start_ns: int,
    at_s: float,
    site: tuple[float, float, float],
) -> Light:
    """A recorded flight from a site (latitude, longitude, azimuth, rad) at at_s; burns: begin, end, W/sr."""
    every = round(STEP_S / float(arc.time_s[1] - arc.time_s[0]))
    far = np.concatenate(
        [[0.0], np.cumsum(0.5 * (arc.along_ms[1:] + arc.along_ms[:-1]) * np.diff(arc.time_s))]
    )
    level = (far * MEAN_RADIUS_M / (MEAN_RADIUS_M + arc.height_m))[::every]
    seconds, height = arc.time_s[::every], np.maximum(arc.height_m[::every], 0.0)
    edges = [
        (t, glow) for a, b, g in burns_s for t, glow in ((a, 0.0), (a + 1e-3, g), (b - 1e-3, g), (b, 0.0))
    ]
    glow = np.interp(seconds, [t for t, _ in edges], [g for _, g in edges])
    return _light(name, "ascent", start_ns, seconds + at_s, *_along(*site, level), height, glow)


def ascent_burns(
    events_s: dict[str, float], last_s: float, first: float = FIRST_STAGE_W_SR
) -> list[tuple[float, float, float]]:
    """When a recorded flight's motors burn and how they shine: of a booster that comes back, those too.

    An entry burn is of three engines in nine, a landing burn of one; a boost-back of three.
    """
    burns = [(0.0, events_s["meco"], first)]
    if "ses1" in events_s:
        burns.append((events_s["ses1"], min(events_s.get("seco1", last_s), last_s), SECOND_STAGE_W_SR))
    for begin, end, share in (
        ("boostback_start", "boostback_end", 3.0 / 9.0),
        ("entry_start", "entry_end", 3.0 / 9.0),
        ("landing_start", "landing_end", 1.0 / 9.0),
    ):
        if begin in events_s and "ses1" not in events_s:
            burns.append((events_s[begin], min(events_s.get(end, last_s), last_s), first * share))
    assert all(a[1] <= b[0] for a, b in pairwise(burns))
    return burns


def _along(latitude: float, longitude: float, course: float, level: Floats) -> tuple[Floats, Floats]:
    """Places (n,) along a great circle; level (n,): m along it."""
    one = np.ones(len(level))
    back = np.where(level < 0.0, math.pi, 0.0)
    return destination(latitude * one, longitude * one, course + back, np.abs(level))


def _light(
    name: str,
    kind: str,
    start_ns: int,
    seconds: Floats,
    latitude: Floats,
    longitude: Floats,
    height: Floats,
    glow: Floats,
) -> Light:
    places = np.array([geodetic2ecef(*p) for p in zip(latitude, longitude, height, strict=True)])
    speeds = np.gradient(places, seconds, axis=0)
    return Light(
        name=name, object_class=kind, launch_ns=start_ns + round(float(seconds[0]) * 1e9),
        end_ns=start_ns + round(float(seconds[-1]) * 1e9), end="left", fall_lon_deg=None, fall_lat_deg=None,
        aim=None, parent=None, raid=name, danger_radius_m=0.0, start_ns=start_ns,
        times_s=np.ascontiguousarray(seconds), samples=np.ascontiguousarray(np.hstack([places, speeds])),
        light_s=seconds, light_w_sr=glow,
    )  # fmt: skip
