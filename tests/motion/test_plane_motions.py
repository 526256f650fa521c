"""Motions in a flat frame: against the papers' equations in NumPy, transitions against differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from jointwatch.motion.plane import DRAG_KNOWN, DRAG_POLAR, FLAT, GRAVITY_MS2, LEVEL, plane_transition
from jointwatch.motion.propagate import predict_motion


def plane_state(x, y, vx, vy, parameter):
    return np.array([x, y, 0.0, vx, vy, 0.0, parameter])


COURSE = math.radians(190.0)
FARINA = plane_state(232e3, 88e3, 2290.0 * math.cos(COURSE), 2290.0 * math.sin(COURSE), 40e3)
JULIER = plane_state(6500.4, 349.14, -1.8093, -6.7967, 0.6932)
FREE = np.array([1e3, -2e3, 5e3, 200.0, -30.0, 40.0, 0.7])
MOTIONS = {
    "level": (LEVEL, FREE, 4.0),
    "flat": (FLAT, FREE, 4.0),
    "known drag, high": (DRAG_KNOWN, FARINA, 2.0),
    "known drag, deep": (DRAG_KNOWN, plane_state(30e3, 15e3, -1500.0, -1100.0, 40e3), 2.0),
    "known drag, low": (DRAG_KNOWN, plane_state(14e3, 5e3, -400.0, -380.0, 40e3), 2.0),
    "polar drag, high": (DRAG_POLAR, JULIER, 0.1),
    "polar drag, deep": (DRAG_POLAR, plane_state(6430.4, 109.9, -1.13, -3.42, 0.6932), 0.1),
}
STEPS = {LEVEL: [1.0] * 7, FLAT: [1.0] * 7, DRAG_KNOWN: [1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 10.0]}
STEPS[DRAG_POLAR] = [1e-3, 1e-3, 1e-3, 1e-5, 1e-5, 1e-5, 1e-4]


def moved(kind, s, dt):
    after, phi = s.copy(), np.full((7, 7), np.nan)
    plane_transition(kind, after, dt, phi)
    return after, phi


def known_drag_twin(s, dt):
    """x' = F x + G f + G (0, -g), as the paper has it: state [x, vx, y, vy]."""
    x = np.array([s[0], s[3], s[1], s[4]])
    top, rate = (1.227, 1.093e-4) if x[2] < 9144.0 else (1.754, 1.49e-4)
    velocity = x[[1, 3]]
    f = -0.5 * 9.81 / s[6] * top * math.exp(-rate * x[2]) * np.linalg.norm(velocity) * velocity
    transition = np.kron(np.eye(2), [[1.0, dt], [0.0, 1.0]])
    gain = np.kron(np.eye(2), np.array([[0.5 * dt**2], [dt]]))
    after = transition @ x + gain @ (f - np.array([0.0, 9.81]))
    return plane_state(after[0], after[2], after[1], after[3], s[6])


def polar_rate(s):
    """(7,) time derivative about the Earth's centre, in km and s."""
    p, v = s[:2], s[3:5]
    r = np.linalg.norm(p)
    drag = -0.59783 * math.exp(s[6]) * math.exp((6374.0 - r) / 13.406) * np.linalg.norm(v)
    a = drag * v - 3.986e5 / r**3 * p
    return plane_state(*v, *a, 0.0)


@pytest.mark.parametrize("name", MOTIONS)
def test_the_transition_is_the_slope_of_the_motion(name):
    kind, s, dt = MOTIONS[name]
    after, phi = moved(kind, s, dt)
    slope = np.empty((7, 7))
    for i, step in enumerate(STEPS[kind]):
        d = np.zeros(7)
        d[i] = step
        slope[:, i] = (moved(kind, s + d, dt)[0] - moved(kind, s - d, dt)[0]) / (2.0 * step)
    assert np.isfinite(after).all()
    # drag problems lie in the plane: what is across it is not moved
    used = [0, 1, 3, 4, 6] if kind in (DRAG_KNOWN, DRAG_POLAR) else range(7)
    # what the difference is worth where a track is off by so much, against how far that takes it; the paper's
    # second-order step leaves out of its matrix how the Jacobian itself changes within the step
    off = {DRAG_POLAR: [0.01] * 6 + [0.3], DRAG_KNOWN: [300.0] * 3 + [10.0] * 3 + [4e3]}.get(kind, [1.0] * 7)
    wrong, spread = np.abs((phi - slope) * off), np.linalg.norm(slope * off, axis=1)
    tolerance = 2e-3 if kind == DRAG_POLAR else 1e-6
    for i in used:
        assert wrong[i, used].max() < tolerance * spread[i] + 1e-12


def test_constant_velocity_and_free_fall_are_what_they_are():
    after, _ = moved(LEVEL, FREE, 4.0)
    assert after == pytest.approx([1800.0, -2120.0, 5160.0, 200.0, -30.0, 40.0, 0.7])
    after, _ = moved(FLAT, FREE, 4.0)
    assert after == pytest.approx([
        1800.0, -2120.0, 5160.0 - 8.0 * GRAVITY_MS2, 200.0, -30.0, 40.0 - 4.0 * GRAVITY_MS2, 0.7,
    ])  # fmt: skip


@pytest.mark.parametrize("name", [n for n in MOTIONS if n.startswith("known")])
def test_known_drag_is_the_papers_step(name):
    kind, s, dt = MOTIONS[name]
    assert np.allclose(moved(kind, s, dt)[0], known_drag_twin(s, dt), rtol=1e-13)


def test_the_papers_re_entry_ends_where_it_was_computed_to_end():
    """60 steps of 2 s from (232 km, 88 km), 2290 m/s at 190 degrees; peak drag 10.33 g at t = 94 s."""
    s, drags = FARINA.copy(), []
    for _ in range(60):
        before, after = s, moved(DRAG_KNOWN, s, 2.0)[0]
        drags.append(np.linalg.norm((after[3:5] - before[3:5]) / 2.0 + [0.0, 9.81]) / 9.81)
        s = after
    assert s[[0, 3, 1, 4]] == pytest.approx([11673.44, -220.69, -484.86, -265.87], abs=0.005)
    assert max(drags) == pytest.approx(10.33, abs=0.005) and 2.0 * int(np.argmax(drags)) == 94.0


@pytest.mark.parametrize("name", [n for n in MOTIONS if n.startswith("polar")])
def test_polar_drag_is_the_second_order_step_of_its_equations(name):
    kind, s, dt = MOTIONS[name]
    rate = polar_rate(s)
    # x + dt f + dt^2 / 2 (df/dx) f, the Jacobian's product by a difference along f
    along = (polar_rate(s + 1e-4 * rate) - polar_rate(s - 1e-4 * rate)) / 2e-4
    twin = s + dt * rate + 0.5 * dt * dt * along
    assert np.allclose(moved(kind, s, dt)[0], twin, rtol=1e-12, atol=1e-10)


def test_polar_drag_follows_its_equations_from_136_km_to_10():
    s = JULIER.copy()
    for _ in range(2000):
        s = moved(DRAG_POLAR, s, 0.1)[0]
    exact = solve_ivp(lambda t, x: polar_rate(x), (0.0, 200.0), JULIER, "DOP853", rtol=1e-11, atol=1e-11)
    assert np.linalg.norm(s[:2] - exact.y[:2, -1]) < 0.05  # km
    heights = [np.linalg.norm(x[:2]) - 6374.0 for x in (JULIER, s)]
    assert heights == pytest.approx([135.8, 10.2], abs=0.1)


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("axes", [2, 3])
def test_prediction_is_phi_p_phi_plus_white_acceleration_on_its_axes_and_the_parameters_walk(name, axes):
    kind, s, dt = MOTIONS[name]
    a = np.random.default_rng(3).normal(size=(7, 12))
    p = a @ a.T / 12.0 * np.outer(STEPS[kind], STEPS[kind])
    after, phi = moved(kind, s, dt)
    q = np.zeros((7, 7))
    blocks = 0.4 * np.array([[dt**3 / 3.0, dt**2 / 2.0], [dt**2 / 2.0, dt]])
    q[:6, :6] = np.kron(blocks, np.diag([1.0, 1.0, float(axes == 3)]))
    q[6, 6] = 0.05 * dt
    twin = phi @ p @ phi.T + q
    mean = s.copy()
    predict_motion(kind, mean, p, dt, 0.4, 0.05, axes)
    assert np.array_equal(mean, after) and np.array_equal(p, p.T)
    assert np.allclose(p, twin, rtol=1e-10, atol=1e-12)


def test_what_is_known_to_stay_in_the_plane_stays_there():
    for kind, s, dt in (MOTIONS["known drag, deep"], MOTIONS["polar drag, deep"]):
        mean, p = s.copy(), np.diag([1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0])
        for _ in range(5):
            predict_motion(kind, mean, p, dt, 1.0, 0.0, 2)
        assert mean[2] == mean[5] == 0.0 and mean[6] == s[6]
        assert (p[[2, 5, 6]] == 0.0).all() and np.linalg.eigvalsh(p[np.ix_([0, 1, 3, 4], [0, 1, 3, 4])])[
            0
        ] > 0
