"""Generic classes fly as the open literature says of their kind: range, burn, speed and flight time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from jointwatch.earth.frames import EARTH_RATE
from jointwatch.earth.harmonics import load_harmonics
from jointwatch.exercise import physics
from jointwatch.exercise.classes import CLASSES
from jointwatch.exercise.flights import bearing_distance, coast, falls, heights
from jointwatch.exercise.launches import Draws, burns, fly, powered, starts
from jointwatch.motion.between import hermite


def flight(name, control, azimuth_deg=-100.0, step_s=0.5, tolerance=1e-11, place_deg=(34.0, 48.0)):
    """One nominal flight in the jet but no other wind: (path, row, range m, flight s, burn-out speed m/s)."""
    kind = CLASSES[name]
    one = np.ones(1)
    launch = np.radians(place_deg)[:, None]
    begin, rows = starts(
        kind,
        Draws(one, one, one, 0.0, 0.0),
        launch[0],
        launch[1],
        np.radians([azimuth_deg]),
        np.array([control]),
    )
    path = fly(kind, begin, rows, step_s, tolerance)
    end = falls(path.times_s, path.states)[0]
    _, distance = bearing_distance(launch[0], launch[1], end[1:2], end[2:3])
    speed = np.linalg.norm(powered(kind, begin, rows, step_s).states[-1, 0, 3:6])
    return path, rows, float(distance[0]), float(end[0]), float(speed)


@pytest.mark.parametrize(
    ("name", "control", "range_km", "burn_s", "speed_kms", "flight_s"),
    [
        ("artillery_rocket", 0.85, (19, 21), (1.9, 2.1), (0.66, 0.72), (70, 82)),
        ("heavy_rocket", 0.90, (70, 80), (5.0, 6.0), (1.05, 1.15), (130, 160)),
        ("short_range", 0.90, (200, 300), (30, 40), (1.4, 1.6), (230, 300)),
        ("short_range", 1.00, (200, 300), (30, 40), (1.4, 1.6), (230, 300)),
        ("medium_range", 0.90, (1250, 1350), (95, 110), (3.2, 3.4), (550, 650)),
        ("medium_range_two_stage", 0.97, (1950, 2100), (95, 105), (4.0, 4.2), (700, 800)),
    ],
)
def test_a_class_flies_as_far_as_long_and_as_fast_as_its_kind(
    name, control, range_km, burn_s, speed_kms, flight_s
):
    _, rows, distance, seconds, speed = flight(name, control)
    assert range_km[0] <= distance / 1e3 <= range_km[1]
    ends, _ = burns(CLASSES[name], rows)
    assert burn_s[0] <= ends[0, -1] <= burn_s[1]
    assert speed_kms[0] <= speed / 1e3 <= speed_kms[1]
    assert flight_s[0] <= seconds <= flight_s[1]


def test_where_the_sea_lies_lowest_flights_come_down_too():
    path, _, distance, seconds, _ = flight("artillery_rocket", 0.85, place_deg=(5.0, 79.0))
    assert 18e3 < distance < 22e3 and 70 < seconds < 82
    assert -120.5 < heights(path.states)[-1, 0] < -107.0


def test_the_re_entering_body_of_a_medium_range_missile_is_as_heavy_for_its_drag_as_was_asked():
    kind = CLASSES["medium_range"]
    area = math.pi / 4.0 * kind.diameter_m**2
    load = kind.dry_kg / (physics.drag_coefficient(10.0) * kind.drag_scale * area)
    assert 3000.0 <= load * (1.0 - kind.drag_spread) and load * (1.0 + kind.drag_spread) <= 6000.0


def test_specific_thrust_grows_as_mass_burns_off():
    path, rows, *_ = flight("medium_range", 0.9)
    burning = path.times_s[:, 0] < rows[0, physics.BURN]
    speed = np.linalg.norm(path.states[burning, 0, 3:6], axis=1)
    gain = np.diff(speed) / np.diff(path.times_s[burning, 0])
    assert gain[-5:].mean() > 2.5 * gain[20:40].mean() > 0.0


@pytest.mark.parametrize("name", ["medium_range", "medium_range_two_stage"])
def test_the_integration_is_good_to_a_tenth_of_a_metre_at_impact(name):
    coarse = flight(name, 0.9)[0]
    fine = flight(name, 0.9, tolerance=1e-13)[0]
    assert np.abs(coarse.states[1200, 0, :3] - fine.states[1200, 0, :3]).max() < 0.1


def test_a_spent_stage_falls_off_with_its_own_mass_and_the_next_motor_pulls_from_there():
    kind = CLASSES["medium_range_two_stage"]
    path, rows, *_ = flight("medium_range_two_stage", 1.0)
    ends, thrust = burns(kind, rows)
    assert ends[0] == pytest.approx([50.0, 100.0])
    parted = int(np.flatnonzero(path.times_s[:, 0] > ends[0, 0] + 1e-9)[0])
    upper_kg = kind.upper.dry_kg + kind.upper.propellant_kg
    since_s = path.times_s[parted, 0] - ends[0, 0]
    burnt_kg = thrust[0, 1] / kind.upper.exhaust_ms * since_s
    assert path.states[parted, 0, 6] == pytest.approx(upper_kg - burnt_kg)
    assert path.states[-1, 0, 6] == pytest.approx(kind.upper.dry_kg)
    speed = np.linalg.norm(path.states[:, 0, 3:6], axis=1)
    pull = np.diff(speed) / np.diff(path.times_s[:, 0])
    assert pull[parted - 3] > 1.5 * pull[parted + 2] > 0.0


@pytest.mark.parametrize("name", list(CLASSES))
def test_the_range_of_a_class_grows_with_what_sets_it(name):
    low, high = CLASSES[name].control_range
    reach = [flight(name, control, tolerance=1e-7)[2] for control in np.linspace(low, high, 6)]
    assert np.all(np.diff(reach) > 0.0)


def test_the_integration_agrees_with_a_plain_fourth_order_one():
    kind = CLASSES["medium_range"]
    path, rows, *_ = flight("medium_range", 0.9)
    i = int(np.flatnonzero(path.times_s[:, 0] >= rows[0, physics.BURN] - 1e-9)[0])
    y, h = path.states[i, 0].copy(), 0.05
    field = load_harmonics()

    def rate(state):
        return physics.derivative(0.0, state, rows, False, *field)

    for _ in range(round(300.0 / h)):
        a = rate(y)
        b = rate(y + 0.5 * h * a)
        c = rate(y + 0.5 * h * b)
        d = rate(y + h * c)
        y = y + h / 6.0 * (a + 2.0 * b + 2.0 * c + d)
    other = coast(path.states[i], rows, 0.5, 300.0, to_ground=False).states[-1, 0]
    assert kind.dry_kg == pytest.approx(other[6])
    assert np.abs(y[:3] - other[:3]).max() < 0.05


def test_samples_half_a_second_apart_lose_less_than_a_metre_between_them():
    coarse = flight("medium_range", 0.9)[0]
    fine = flight("medium_range", 0.9, step_s=0.25)[0]
    down = heights(fine.states)[:, 0] < 0.0
    first = int(np.argmax(down & (fine.times_s[:, 0] > 60.0)))
    here, worst = np.empty(6), 0.0
    for i in range(1, first):
        t = fine.times_s[i, 0]
        j = min(int(np.searchsorted(coarse.times_s[:, 0], t, side="right")) - 1, coarse.times_s.shape[0] - 2)
        pair = coarse.times_s[j, 0], coarse.times_s[j + 1, 0]
        hermite(t, *pair, coarse.states[j, 0], coarse.states[j + 1, 0], here)
        worst = max(worst, float(np.abs(here[:3] - fine.states[i, 0, :3]).max()))
    assert worst < 1.0


def test_a_shot_over_an_airless_point_mass_follows_the_textbook_ellipse():
    # no drag area, J2 and up struck out, in an inertial frame the orbit's energy and angular momentum stay
    field = load_harmonics()
    c = np.zeros_like(field.c)
    c[0, 0] = 1.0
    rows = np.zeros((1, physics.COLUMNS))
    y = np.array([6.5e6, 0.0, 1.0e5, 500.0, 2500.0, 1500.0, 1000.0])

    def invariants(state):
        v = state[3:6] + np.cross([0.0, 0.0, EARTH_RATE], state[:3])
        return 0.5 * v @ v - field.gm / np.linalg.norm(state[:3]), np.linalg.norm(np.cross(state[:3], v))

    before = invariants(y)
    for _ in range(2000):
        h = 0.1
        a = physics.derivative(0.0, y, rows, False, c, np.zeros_like(c), field.gm, field.radius_m)
        b = physics.derivative(
            0.0, y + 0.5 * h * a, rows, False, c, np.zeros_like(c), field.gm, field.radius_m
        )
        y = y + h * b
    after = invariants(y)
    assert after[0] == pytest.approx(before[0], rel=1e-6)
    assert after[1] == pytest.approx(before[1], rel=1e-6)
