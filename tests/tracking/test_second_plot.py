"""What a second plot is worth after the first: as sampling says it, and exact where it can be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from watch import ROW
from world import radar

from jointwatch.motion.phases import (
    BALLISTIC,
    BOOST,
    CRUISE,
    PRIOR_MEAN,
    PRIOR_SIGMA,
    N,
    acceleration_noise,
    jacobian,
    parameter_pull,
)
from jointwatch.motion.plane import FLAT, GRAVITY_MS2
from jointwatch.motion.propagate import propagate
from jointwatch.sensing.radar import observe, position_of_plot, sensor_row
from jointwatch.tracking.bank import BIRTH, FLIGHT, NOISE, SPEED, Motion, bank_of
from jointwatch.tracking.second_plot import second_plot_density, tells_velocity

PHASES = {"boost": BOOST, "ballistic": BALLISTIC, "cruise": CRUISE}
SIGMA = np.array([100.0, 1.5e-3, 2.5e-3, 12.0])
ANGLES = ("range", "azimuth", "elevation")
COARSE = {
    name: sensor_row(radar(
        sigma_range_m=SIGMA[0], sigma_azimuth_rad=SIGMA[1], sigma_elevation_rad=SIGMA[2],
        sigma_range_rate_ms=SIGMA[3], refractivity=0.0, light_time=False, measures=measures,
    ))
    for name, measures in (("rated", (*ANGLES, "range_rate")), ("unrated", ANGLES))
}  # fmt: skip
"""Coarse enough that samples meet a plot."""


def only(phase):
    """The bank with one motion that anything is born in."""
    bank = FLIGHT.copy()
    bank[:, BIRTH] = 0.0
    bank[phase, BIRTH] = 1.0
    return bank


def places(sensor, columns):
    """Places (m, 3) and lines of sight (m, 3) of columns (m, 4)."""
    at = np.array([position_of_plot(sensor, *c[:3]) for c in columns])
    line = at - sensor[:3]
    return at, line / np.linalg.norm(line, axis=1)[:, None]


def moved(rng, phase, states, dt):
    """States (m, 7) dt seconds on, with the process noise of their phase."""
    out = states.copy()
    for s in out:
        propagate(phase, s, dt)
    q = np.array([acceleration_noise(phase, s)[0] for s in 0.5 * (states + out)])
    a, b = rng.standard_normal((2, len(out), 3)) * np.sqrt(q)[:, None]
    out[:, 3:6] += math.sqrt(dt) * a
    out[:, :3] += 0.5 * dt**1.5 * a + dt**1.5 / math.sqrt(12.0) * b
    return out


def first_and_second(rng, sensor, phase, dt):
    """Columns (4,) of two plots of one object, of the prior that a first plot stands for."""
    column = np.array([rng.uniform(8e4, 3e5), rng.uniform(0.0, 2.0 * math.pi), rng.uniform(0.2, 0.8)])
    (place,), (line,) = places(sensor, [column])
    velocity = FLIGHT[0, SPEED] * rng.standard_normal(3)
    velocity += (rng.uniform(-1500.0, 1500.0) - velocity @ line) * line
    parameter = PRIOR_MEAN[phase] + PRIOR_SIGMA[phase] * rng.standard_normal()
    state = np.array([*place, *velocity, parameter])
    first = np.array(observe(sensor, *state[:6])) + SIGMA * rng.standard_normal(4)
    (then,) = moved(rng, phase, state[None], dt)
    return first, np.array(observe(sensor, *then[:6])) + SIGMA * rng.standard_normal(4)


def sampled(rng, sensor, rated, phase, first, then, dt, count):
    """Density of the second plot by importance sampling: velocities near what both plots say."""
    (one, two), _ = places(sensor, [first, then])
    columns = first + SIGMA * rng.standard_normal((count, 4))
    at, line = places(sensor, columns)
    rate = columns[:, 3:] if rated else FLIGHT[0, SPEED] * rng.standard_normal((count, 1))
    about = (two - one) / dt
    spread = 2.0 * SIGMA[2] * then[0] / dt + 60.0
    velocity = about + spread * rng.standard_normal((count, 3))
    along = (velocity * line).sum(axis=1, keepdims=True)
    across, middle = velocity - along * line, about - (line @ about)[:, None] * line
    # of two dimensions each: the prior of the velocity across over what it was drawn from
    speed = FLIGHT[0, SPEED]
    weight = (spread / speed) ** 2 * np.exp(
        0.5 * ((across - middle) ** 2).sum(axis=1) / spread**2 - 0.5 * (across**2).sum(axis=1) / speed**2
    )
    if not rated:
        rate = along + 0.0
        weight *= (
            spread
            / speed
            * np.exp(
                0.5 * ((along - (line @ about)[:, None])[:, 0] / spread) ** 2
                - 0.5 * (along[:, 0] / speed) ** 2
            )
        )
    parameter = PRIOR_MEAN[phase] + PRIOR_SIGMA[phase] * rng.standard_normal((count, 1))
    states = moved(rng, phase, np.hstack([at, across + rate * line, parameter]), dt)
    seen = np.array([observe(sensor, *s[:6]) for s in states])
    off = seen - then
    off[:, 1] = ((off[:, 1] + math.pi) % (2.0 * math.pi) - math.pi) * math.cos(then[2])
    sigma = SIGMA * [1.0, math.cos(then[2]), 1.0, 1.0]
    if not rated:
        off, sigma = off[:, :3], sigma[:3]
    fits = np.exp(-0.5 * ((off / sigma) ** 2).sum(axis=1)) / np.prod(math.sqrt(2.0 * math.pi) * sigma)
    values = weight * fits
    return values.mean(), values.sum() ** 2 / max((values**2).sum(), 1e-300)


def density(sensor, bank, first, then, dt):
    """`second_plot_density` of two columns (4,)."""
    (one, two), _ = places(sensor, [first, then])
    return second_plot_density(sensor, bank, one, first[3], two, then[3], dt, np.empty(N))


@pytest.mark.parametrize("dt", [2.0, 6.0])
@pytest.mark.parametrize("name", PHASES)
@pytest.mark.parametrize("rates", COARSE)
def test_the_density_is_what_sampling_the_motion_says(rates, name, dt):
    sensor, phase, rng = COARSE[rates], PHASES[name], np.random.default_rng(5)
    bank, off = only(phase), []
    for _ in range(24):
        first, then = first_and_second(rng, sensor, phase, dt)
        there = density(sensor, bank, first, then, dt)
        reference, effective = sampled(rng, sensor, rates == "rated", phase, first, then, dt, 3000)
        if effective > 25.0:
            off.append(math.log(there / reference))
    off = np.array(off)
    assert len(off) > 10
    # what 3,000 samples leave open is some 0.2; drag so great that it is no small change of course is blurred
    assert abs(np.median(off)) < 0.25
    assert np.mean(np.abs(off) < 0.6) > 0.8
    assert off.min() > -3.0 and off.max() < 1.0


def test_of_what_drifts_in_a_flat_frame_it_is_the_gaussian_of_two_places():
    sensor = sensor_row(radar(measures=ANGLES, flat=True, height_m=0.0))
    bank, dt = bank_of(Motion(kind=FLAT, noise=4.0)), 3.0
    assert bank[0, NOISE] == 4.0
    first = np.array([2e5, 0.7, 0.4, 0.0])
    (one,), (line,) = places(sensor, [first])
    rng = np.random.default_rng(6)
    for _ in range(20):
        apart = 2000.0 * rng.standard_normal(3)
        x, y, z = one + apart
        then = np.array(observe(sensor, x, y, z, 0.0, 0.0, 0.0))
        free = apart + np.array([0.0, 0.0, 0.5 * GRAVITY_MS2 * dt * dt])
        along, across = free @ line, free - (free @ line) * line
        # sigmas: 1,500 m/s over 3 s, and beside it the radar's two plots and the push of the noise
        bumps = 4.0 * dt**3 / 3.0
        noise = 2.0 * (sensor[16] ** 2), (first[0] ** 2 + then[0] ** 2) * sensor[18] ** 2
        wide, deep = (1500.0 * dt) ** 2 + bumps + noise[1], (1500.0 * dt) ** 2 + bumps + noise[0]
        expected = math.exp(-0.5 * ((across @ across) / wide + along * along / deep)) * then[0] ** 2
        expected /= (2.0 * math.pi) ** 1.5 * wide * math.sqrt(deep)
        assert density(sensor, bank, first, then, dt) == pytest.approx(expected, rel=0.03)


def test_a_plot_that_no_motion_leads_to_is_outside_every_gate():
    first = np.array([2e5, 0.7, 0.4, -500.0])
    fits = density(ROW, FLIGHT, first, np.array([2e5 - 2500.0, 0.705, 0.4, -500.0]), 5.0)
    assert fits > 0.0
    # it came nearer by what 500 m/s make, but says that it flies away
    assert density(ROW, FLIGHT, first, np.array([2e5 - 2500.0, 0.705, 0.4, 1500.0]), 5.0) == 0.0
    # thirty kilometres across in five seconds
    assert density(ROW, FLIGHT, first, np.array([2e5 - 2500.0, 0.95, 0.4, -500.0]), 5.0) == 0.0


def test_two_plots_tell_a_velocity_where_they_tell_places():
    plane = bank_of(Motion(kind=FLAT, noise=1.0, axes=2))
    assert tells_velocity(ROW, FLIGHT) and tells_velocity(COARSE["unrated"], FLIGHT)
    assert not tells_velocity(sensor_row(radar(measures=("range", "azimuth"))), FLIGHT)
    assert not tells_velocity(sensor_row(radar(measures=("azimuth", "elevation"))), FLIGHT)
    assert not tells_velocity(ROW, plane)


@pytest.mark.parametrize("name", PHASES)
def test_the_pull_of_the_parameter_is_a_column_of_the_jacobian(name):
    rng, phase, f = np.random.default_rng(8), PHASES[name], np.empty((N, N))
    for _ in range(50):
        place = rng.standard_normal(3)
        place *= rng.uniform(6.375e6, 6.5e6) / np.linalg.norm(place)
        state = np.array([*place, *(1500.0 * rng.standard_normal(3)), PRIOR_MEAN[phase]])
        jacobian(phase, state, f)
        assert np.allclose(parameter_pull(phase, *state), f[3:6, 6], rtol=1e-6, atol=1e-12)
