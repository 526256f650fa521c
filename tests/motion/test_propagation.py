"""Moving states with time: the integrator, the model it integrates, covariances, the fall, the perigee."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flights import FLIGHTS, OMEGA, derivative_twin, height_m, state
from scipy.integrate import solve_ivp

from jointwatch.earth.frames import EARTH_RATE, SEMI_MAJOR_M
from jointwatch.earth.gravity import GM
from jointwatch.earth.harmonics import gravity_harmonic, load_harmonics
from jointwatch.motion.phases import BALLISTIC, BALLISTIC_ACCELERATION, BOOST, CRUISE, PRIOR_SIGMA
from jointwatch.motion.propagate import coast, fall, perigee_m, predict, propagate, transition

VACUUM = -60.0
"""Natural log of a drag parameter that no air can be felt with."""
EARTH_M = 6371e3


def moved(phase, s, span):
    out = s.copy()
    propagate(phase, out, span)
    return out


def down(t, s):
    return height_m(s) + 500.0


down.terminal = True


@pytest.mark.parametrize("name", FLIGHTS)
def test_the_integrator_is_within_a_tenth_of_a_metre_of_dop853(name):
    phase, s, span = FLIGHTS[name]
    truth = solve_ivp(
        lambda t, x: derivative_twin(phase, x),
        (0.0, span),
        s,
        method="DOP853",
        rtol=1e-12,
        atol=1e-7,
        events=down if phase == BALLISTIC else None,
    )
    end = truth.y[:, -1]  # where it is after the span, or as it comes down
    assert np.linalg.norm(moved(phase, s, truth.t[-1])[:3] - end[:3]) < 0.1
    assert truth.t[-1] == span or height_m(end) < 0.0


@pytest.mark.parametrize("name", ["low orbit", "cruise, turning and climbing", "boost in flight"])
def test_going_back_leads_to_where_it_came_from(name):
    phase, s, span = FLIGHTS[name]
    assert np.linalg.norm(moved(phase, moved(phase, s, span), -span)[:3] - s[:3]) < 0.1


def test_thrust_that_is_predicted_for_minutes_stays_finite():
    # a' = a^2 / c alone is infinite after c / a = 80 s: a track in boost that no sensor sees for so long
    s, p = state(33, 41, 20e3, -500, 30, 700, 30.0), np.eye(7)
    for _ in range(60):
        predict(BOOST, s, p, 5.0)
    assert np.isfinite(s).all() and np.isfinite(p).all()
    assert 100.0 <= s[6] < 130.0


def test_no_time_changes_nothing():
    for phase, s, _ in FLIGHTS.values():
        assert np.array_equal(moved(phase, s, 0.0), s)


@pytest.mark.parametrize("azimuth_deg", [0, 60, 120, 180, 240, 300])
@pytest.mark.parametrize("place", [(33.0, 45.0), (20.0, 50.0), (45.0, 30.0)])
def test_j2_alone_is_within_forty_metres_of_degree_eight_over_1300_km(place, azimuth_deg):
    field = load_harmonics()
    azimuth, speed, climb = math.radians(azimuth_deg), 3400.0, math.radians(42.0)
    s = state(
        *place,
        1e3,
        speed * math.cos(climb) * math.sin(azimuth),
        speed * math.cos(climb) * math.cos(azimuth),
        speed * math.sin(climb),
        VACUUM,
    )

    def finer(t, x):
        turning = -np.cross(OMEGA, np.cross(OMEGA, x[:3])) - 2.0 * np.cross(OMEGA, x[3:])
        return np.concatenate([x[3:], np.array(gravity_harmonic(*x[:3], *field)) + turning])

    truth = solve_ivp(finer, (0.0, 550.0), s[:6], method="DOP853", rtol=1e-10, atol=1e-5).y[:, -1]
    apart = np.linalg.norm(truth[:3] - s[:3])
    assert 1.1e6 < apart < 1.5e6
    assert np.linalg.norm(moved(BALLISTIC, s, 550.0)[:3] - truth[:3]) < 40.0


@pytest.mark.parametrize(
    ("range_km", "speed_kms", "apogee_km", "flight_s"),
    [(300, 1.70, 74, 251), (700, 2.55, 170, 391), (1300, 3.40, 308, 549), (2000, 4.11, 459, 702)],
)
def test_minimum_energy_arcs_go_as_far_and_as_high_as_on_a_sphere(range_km, speed_kms, apogee_km, flight_s):
    # the closed form on a sphere (e.g. Bate, Mueller & White 1971, ch. 6), which the stated figures round
    angle = range_km * 1e3 / EARTH_M
    speed = math.sqrt(GM / EARTH_M * 2.0 * math.sin(angle / 2) / (1.0 + math.sin(angle / 2)))
    climb = (math.pi - angle) / 4.0
    assert speed / 1e3 == pytest.approx(speed_kms, abs=0.006)
    # the same arc in our motion: flown eastward from 35 N, where the ellipsoid's radius is the sphere's,
    # with the inertial velocity of the closed form, which Earth-fixed is less by the turning of the ground
    s = state(35.0, 40.0, 0.0, speed * math.cos(climb), 0.0, speed * math.sin(climb), VACUUM)
    s[3:6] -= np.cross(OMEGA, s[:3])
    track = [s.copy()]
    for _ in range(flight_s):
        track.append(moved(BALLISTIC, track[-1], 1.0))
    radii = np.array([np.linalg.norm(x[:3]) for x in track])
    assert (radii.max() - radii[0]) / 1e3 == pytest.approx(apogee_km, rel=0.01)
    turned = EARTH_RATE * flight_s
    c, r = math.cos(turned), math.sin(turned)
    end = np.array([[c, -r, 0], [r, c, 0], [0, 0, 1]]) @ track[-1][:3]
    flown = math.acos(end @ s[:3] / np.linalg.norm(end) / np.linalg.norm(s[:3]))
    assert flown * EARTH_M / 1e3 == pytest.approx(range_km, rel=0.01)
    assert abs(radii[-1] - radii[0]) < 0.015 * range_km * 1e3


@pytest.mark.parametrize("name", FLIGHTS)
def test_the_transition_is_the_slope_of_the_motion(name):
    phase, s, _ = FLIGHTS[name]
    span = 5.0
    phi, after = np.empty((7, 7)), s.copy()
    transition(phase, after, span, phi)
    assert np.array_equal(after, moved(phase, s, span))
    steps = np.array([50.0, 50.0, 50.0, 0.5, 0.5, 0.5, 1e-3])
    slope = np.empty((7, 7))
    for i in range(7):
        d = np.zeros(7)
        d[i] = steps[i]
        slope[:, i] = (moved(phase, s + d, span) - moved(phase, s - d, span)) / (2.0 * steps[i])
    # what the difference is worth where a track is off by 300 m, 10 m/s and half the parameter's prior
    off = np.array([300.0, 300.0, 300.0, 10.0, 10.0, 10.0, 0.5 * PRIOR_SIGMA[phase]])
    wrong = np.abs((phi - slope) * off)
    spread = np.linalg.norm(slope * off, axis=1)
    assert (wrong.max(axis=1) < 0.01 * spread + 1e-9).all()


@pytest.mark.parametrize("name", FLIGHTS)
def test_prediction_keeps_covariances_symmetric_and_positive_definite(name):
    phase, s, _ = FLIGHTS[name]
    rng = np.random.default_rng(5)
    scale = np.array([50.0, 500.0, 500.0, 5.0, 300.0, 300.0, PRIOR_SIGMA[phase]])
    axes, _ = np.linalg.qr(rng.normal(size=(7, 7)))
    p = axes @ np.diag([1.0, 1.0, 1.0, 1.0, 1.0, 1e-3, 1e-3]) @ axes.T * np.outer(scale, scale)
    p = 0.5 * (p + p.T)
    s = s.copy()
    before = np.linalg.slogdet(p)[1]
    for span in [5.0] * 12 + [0.4] * 10 + [30.0]:
        if height_m(s) < 0.0:
            break
        predict(phase, s, p, span)
        assert np.array_equal(p, p.T)
        d = np.sqrt(np.diag(p))
        assert np.linalg.eigvalsh(p / np.outer(d, d)).min() > 0.0
    assert np.isfinite(before) and np.isfinite(s).all()


def test_prediction_is_phi_p_phi_plus_the_noise_of_white_acceleration():
    s = state(33, 41, 200e3, -2300, 300, 1000, -8.5)
    p = np.diag([1e4, 1e4, 1e4, 1e2, 1e2, 1e2, 0.5])
    phi, after = np.empty((7, 7)), s.copy()
    transition(BALLISTIC, after, 4.0, phi)
    expected = phi @ p @ phi.T
    q = BALLISTIC_ACCELERATION
    blocks = np.array([[4.0**3 / 3, 4.0**2 / 2], [4.0**2 / 2, 4.0]])
    expected[:6, :6] += q * np.kron(blocks, np.eye(3))
    mean = s.copy()
    predict(BALLISTIC, mean, p, 4.0)
    assert np.abs(mean - after).max() < 1e-3
    assert np.allclose(p[:6, :6], expected[:6, :6], rtol=1e-4, atol=1e-4)


FALLING = [
    ("coast", state(33, 41, 120e3, -2300, 300, 2200, -8.5)),
    ("re-entry", state(33, 36, 110e3, -2200, 100, -2300, -9.2)),
    ("rocket", state(32, 36, 300, -300, 100, 500, -7.0)),
    ("debris", state(32, 36, 200e3, 0, 0, 0, -3.0)),
    ("over the pole", state(88, 36, 90e3, 0, 2000, 500, -8.5)),
    ("low and flat", state(32, 36, 40, 400, 0, 0, -8.5)),
]


@pytest.mark.parametrize("ground_m", [0.0, 800.0, -400.0])
@pytest.mark.parametrize(("name", "start"), FALLING)
def test_a_fall_ends_on_the_ground_when_it_says(name, start, ground_m):
    s = start.copy()
    taken = fall(s, ground_m, 3000.0)
    if height_m(start) < ground_m and name == "low and flat":
        assert taken == 0.0 and np.array_equal(s, start)  # it never was above this ground
        return
    assert taken > 0.0
    assert abs(height_m(s) - ground_m) < 0.1
    assert np.linalg.norm(moved(BALLISTIC, start, taken)[:3] - s[:3]) < 1.0


def test_a_fall_from_below_the_ground_goes_back_in_time_to_it():
    s = state(32, 36, 1e3, -600, 0, -900, -8.5)
    below = moved(BALLISTIC, s, 1.6)
    assert height_m(below) < -300.0
    taken = fall(below, 0.0, 3000.0)
    assert -1.6 < taken < 0.0 and abs(height_m(below)) < 0.1


def test_a_launch_from_below_the_ellipsoid_is_not_a_fall():
    # the ground itself may lie 400 m below the ellipsoid, and a young track's height is not sure
    s = state(31.5, 35.5, -350, -30, 0, 40, -8.5)
    s[3:6] *= 20.0
    taken = fall(s, 0.0, 3000.0)
    assert taken > 60.0 and abs(height_m(s)) < 0.1


@pytest.mark.parametrize(
    "start",
    [
        state(10, 41, 300e3, 5200, 5300, 0, -8.5),
        state(10, 41, 300e3, 8000, 8000, 3000, -8.5),  # leaves the Earth
    ],
)
def test_what_orbits_or_escapes_does_not_fall(start):
    assert fall(start.copy(), 0.0, 3000.0) == -1.0


def circular(height, inclination_deg):
    r = SEMI_MAJOR_M + height
    speed, tilt = math.sqrt(GM / r), math.radians(inclination_deg)
    s = np.array([r, 0.0, 0.0, 0.0, speed * math.cos(tilt), speed * math.sin(tilt), -8.5])
    s[3:6] -= np.cross(OMEGA, s[:3])
    return s


@pytest.mark.parametrize("inclination_deg", [0, 51, 97])
@pytest.mark.parametrize("height", [200e3, 800e3])
def test_the_perigee_of_a_circle_is_its_height(height, inclination_deg):
    # near e = 0 the square root makes e of rounding, 1e-8, and the perigee is off by that part of the radius
    assert perigee_m(circular(height, inclination_deg)) == pytest.approx(height, abs=1.0)


def test_the_perigee_of_an_ellipse_is_the_same_from_anywhere_on_it():
    r_perigee, r_apogee = SEMI_MAJOR_M + 90e3, SEMI_MAJOR_M + 1200e3
    a, e = 0.5 * (r_perigee + r_apogee), (r_apogee - r_perigee) / (r_apogee + r_perigee)
    for anomaly in np.linspace(0.0, 2.0 * math.pi, 9):
        r = a * (1.0 - e * e) / (1.0 + e * math.cos(anomaly))
        speed = math.sqrt(GM / (a * (1.0 - e * e)))
        s = np.zeros(7)
        s[0], s[2] = r * math.cos(anomaly), r * math.sin(anomaly)
        s[3], s[5] = -speed * math.sin(anomaly), speed * (e + math.cos(anomaly))
        s[3:6] -= np.cross(OMEGA, s[:3])
        assert perigee_m(s) == pytest.approx(90e3, abs=0.01)


def test_the_perigee_of_a_missile_is_inside_the_earth_and_an_escapes_is_defined():
    assert perigee_m(FLIGHTS["coast above the air"][1]) < -3000e3
    assert perigee_m(FLIGHTS["low orbit"][1]) > 80e3
    assert perigee_m(state(10, 41, 300e3, 12000, 0, 0, -8.5)) == pytest.approx(300e3, abs=1e3)


def test_boost_grows_as_mass_burns_off_and_cruise_keeps_its_height():
    boost = moved(BOOST, state(33, 41, 20e3, -500, 30, 700, 30.0), 10.0)
    assert boost[6] == pytest.approx(30.0 / (1.0 - 30.0 * 10.0 / 2400.0), rel=1e-6)
    cruise = moved(CRUISE, state(32, 36, 10e3, 240, 0, 0, 0.0), 300.0)
    assert height_m(cruise) == pytest.approx(10e3, abs=50.0)  # the sphere's level against the ellipsoid's


def test_a_coast_above_the_air_is_what_the_general_step_makes_of_it():
    """The short way and the long one: means, and covariances as parts of their own spread."""
    rng = np.random.default_rng(21)
    for _ in range(300):
        up = rng.standard_normal(3)
        place = up / np.linalg.norm(up) * (6.378e6 + rng.uniform(130e3, 900e3))
        begin = np.array([*place, *(2500.0 * rng.standard_normal(3)), -8.6])
        root = rng.standard_normal((7, 7))
        scale = np.array([100.0, 100.0, 100.0, 5.0, 5.0, 5.0, 0.3])
        before = root @ root.T * np.outer(scale, scale)
        h = rng.uniform(0.2, 5.0)
        short, long, phi = begin.copy(), begin.copy(), np.empty((7, 7))
        after = before.copy()
        coast(short, after, h)
        transition(BALLISTIC, long, h, phi)
        expected = phi @ before @ phi.T
        for i in range(3):
            expected[i, i] += BALLISTIC_ACCELERATION * h**3 / 3.0
            expected[i, 3 + i] += BALLISTIC_ACCELERATION * h**2 / 2.0
            expected[3 + i, i] += BALLISTIC_ACCELERATION * h**2 / 2.0
            expected[3 + i, 3 + i] += BALLISTIC_ACCELERATION * h
        sigma = np.sqrt(np.diag(expected))
        assert np.abs(short - long)[:3].max() < 1e-3 and np.abs(short - long)[3:6].max() < 1e-3
        assert (np.abs(after - expected) < 1e-4 * np.outer(sigma, sigma)).all()
        assert np.array_equal(after, after.T)


def test_a_long_coast_is_predicted_step_by_step_and_meets_the_air_like_any_other():
    begin = state(32.0, 35.0, 140e3, 500.0, 1500.0, -900.0, -8.6)
    covariance = np.diag([1e4, 1e4, 1e4, 25.0, 25.0, 25.0, 0.04])
    predicted, after = begin.copy(), covariance.copy()
    predict(BALLISTIC, predicted, after, 60.0)
    there = moved(BALLISTIC, begin, 60.0)
    assert np.abs(predicted - there)[:3].max() < 1.0 and np.abs(predicted - there)[3:6].max() < 0.1
    assert np.linalg.eigvalsh(after)[0] > 0.0
    assert abs(after[5, 6]) > 0.0  # the air below tells the parameter
