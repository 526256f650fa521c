"""The stated boost model: its integrator against SciPy's, conservation, and what class medians come to."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from jointwatch.earth.atmosphere import density_exponential
from jointwatch.earth.frames import EARTH_RATE, ecef2geodetic, enu_rotation, geodetic2ecef
from jointwatch.earth.gravity import gravity_j2
from jointwatch.launch.ascent import (
    END,
    KNOTS,
    NEVER,
    PUSH,
    TIME,
    VALUES,
    Z_TILT,
    ascend,
    burn_times,
    deviations,
    log_prior,
    nearest_turn,
    physical,
    set_burn,
    state_at,
)
from jointwatch.launch.fit import medians
from jointwatch.launch.profiles import (
    ANY,
    BACK_PRESSURE,
    EXHAUST,
    GAP,
    LOAD,
    PROFILES,
    RAIL,
    RISE,
    STAGES,
    TURN,
)

PLACE = np.radians([34.0, 48.0])
CLASSES = {p.name: p for p in PROFILES}


def launch_of(name, azimuth=1.0, **changes):
    """A class's row and a launch of its medians, changed where asked."""
    row, values = CLASSES[name].row(), np.zeros(VALUES)
    values[3] = azimuth
    medians(row, values)
    for index, value in changes.items():
        values[int(index[1:])] += value
    return row, values


def flown(row, values, until_s=math.inf):
    times, states = np.empty(KNOTS), np.empty((KNOTS, 6))
    n = ascend(row, values, PLACE, until_s, times, states)
    return times[:n], states[:n]


def by_scipy(row, values, at):
    """The same equations of motion, written out anew and integrated to 1e-10 between all their corners."""
    burn, flow, tilt, drag = physical(row, values)
    whole = 1.0 / (1.0 + math.exp(-row[LOAD])) / flow
    enu = enu_rotation(*PLACE)
    up, along = enu[2], math.sin(values[3]) * enu[0] + math.cos(values[3]) * enu[1]
    ground = np.linalg.norm(geodetic2ecef(*PLACE, 0.0))
    spin = np.array([0.0, 0.0, EARTH_RATE])

    def rates(t, s, begin, thrust, held):
        mass = 1.0 - flow * (t - begin) if thrust else 1.0
        p, v = s[:3], s[3:]
        density = density_exponential(float(np.linalg.norm(p)) - ground)
        push = row[EXHAUST] * flow / mass * (1.0 - BACK_PRESSURE * density / 1.225) if thrust else 0.0
        speed = np.linalg.norm(v) + 1e-12
        way = v / speed
        if held:
            angle = tilt * max(0.0, t - RISE * whole) / ((TURN - RISE) * whole)
            way = math.cos(angle) * up + math.sin(angle) * along
        a = np.array(gravity_j2(*p)) - np.cross(spin, np.cross(spin, p)) - 2.0 * np.cross(spin, v)
        return np.concatenate([v, a + push * way - 0.5 * density * drag_now / mass * speed * v])

    s = np.concatenate([
        geodetic2ecef(*PLACE, 0.0), row[RAIL] * (math.cos(tilt) * up + math.sin(tilt) * along)
    ])  # fmt: skip
    drag_now, legs = drag, []
    if row[RAIL]:
        legs = [(0.0, burn, True, False)]
    else:
        legs = [(0.0, RISE * whole, True, True), (RISE * whole, TURN * whole, True, True)]
        legs.append((TURN * whole, burn, True, False))
    if row[STAGES] > 1:
        legs += [(burn, burn + row[GAP], False, False), (burn + row[GAP], 2 * burn + row[GAP], True, False)]
    found = {}
    for first, last, thrust, held in legs:
        if first >= burn + row[GAP] > burn and row[STAGES] > 1:
            drag_now = drag / (1.0 - flow * burn)
        begin = burn + row[GAP] if first >= burn + row[GAP] else 0.0
        inside = [t for t in at if first < t <= last]
        leg = solve_ivp(
            rates, (first, last), s, method="DOP853", rtol=1e-10, atol=1e-6, t_eval=[*inside, last],
            args=(begin, thrust, held),
        )  # fmt: skip
        found.update(dict(zip(inside, leg.y.T[: len(inside)], strict=True)))
        s = leg.y[:, -1]
    return np.array([found[t] for t in at])


@pytest.mark.parametrize("name", CLASSES)
def test_it_flies_as_an_integrator_of_high_order_does(name):
    # plots are a kilometre off; a heavy launcher hangs near the vertical for long, and its turn is steep
    most = 250.0 if name == "space_launch" else 60.0
    row, values = launch_of(name)
    times, states = flown(row, values)
    at = np.linspace(0.07, 0.999, 9) * times[-1]
    wanted, out = by_scipy(row, values, at), np.empty(6)
    for t, s in zip(at, wanted, strict=True):
        state_at(times, states, len(times), t, out)
        assert np.linalg.norm(out[:3] - s[:3]) < most
        assert np.linalg.norm(out[3:] - s[3:]) < 15.0


@pytest.mark.parametrize(
    ("name", "burn_out_ms", "climb_deg"),
    [
        ("artillery_rocket", (600, 800), (15, 45)),
        ("heavy_rocket", (950, 1250), (15, 40)),
        ("short_range", (1100, 1600), (40, 60)),
        ("medium_range", (2400, 3500), (35, 55)),
        ("medium_range_two_stage", (3600, 4400), (30, 55)),
    ],
)
def test_class_medians_burn_out_as_open_literature_has_it(name, burn_out_ms, climb_deg):
    _, states = flown(*launch_of(name))
    s = states[-1]
    speed = np.linalg.norm(s[3:])
    latitude, longitude, _ = ecef2geodetic(*s[:3])
    climb = math.degrees(math.asin(float(enu_rotation(latitude, longitude)[2] @ s[3:]) / speed))
    assert burn_out_ms[0] < speed < burn_out_ms[1]
    assert climb_deg[0] < climb < climb_deg[1]


def test_what_it_does_while_it_burns_hangs_not_on_when_it_will_end():
    row, values = launch_of("medium_range")
    longer = values.copy()
    longer[END] += 10.0
    a, b = flown(row, values), flown(row, longer)
    out, other = np.empty(6), np.empty(6)
    for t in (3.0, 20.0, 50.0, 70.0):
        state_at(*a, len(a[0]), t, out)
        state_at(*b, len(b[0]), t, other)
        assert np.linalg.norm(out[:3] - other[:3]) < 30.0


def test_it_stops_where_nothing_more_is_asked():
    row, values = launch_of("medium_range")
    whole, part = flown(row, values), flown(row, values, until_s=30.0)
    n = len(part[0])
    assert n < len(whole[0])
    assert 30.0 <= part[0][-1]
    np.testing.assert_array_equal(part[1], whole[1][:n])


def test_the_azimuth_is_where_it_goes_and_the_place_where_it_stands():
    row, values = launch_of("short_range", azimuth=2.0)
    values[:2] = 30e3, -20e3
    _, states = flown(row, values)
    latitude, longitude, height = ecef2geodetic(*states[0][:3])
    assert abs(height) < 1e-3
    enu = enu_rotation(latitude, longitude)
    assert (latitude - PLACE[0]) * 6378137.0 == pytest.approx(-20e3)
    east, north, _ = enu @ (states[-1][:3] - states[0][:3])
    assert math.atan2(east, north) == pytest.approx(2.0, abs=0.02)


def test_the_prior_is_that_of_burn_and_load_whatever_the_coordinates():
    """Summed over end and thrust the density is that of the other six: 1 / 2 pi for each flat radian."""
    row, values = launch_of("short_range")
    total, step_end, step_push = 0.0, 0.4, 0.02
    for end in np.arange(6.0, 160.0, step_end):
        for push in np.arange(math.log(8.0), math.log(200.0), step_push):
            values[END], values[PUSH] = end, push
            total += math.exp(log_prior(row, values)) * step_end * step_push
    assert total * (2.0 * math.pi) * (2.0 * math.pi) == pytest.approx(1.0, abs=0.01)


def test_medians_deviate_from_nothing():
    for profile in PROFILES:
        row, values = launch_of(profile.name)
        z_burn, z_load, _ = deviations(row, values)
        assert abs(z_burn) < 1e-9
        assert abs(z_load) < 1e-9


@pytest.mark.parametrize("name", CLASSES)
def test_a_burn_deviates_as_it_was_set(name):
    rng, row = np.random.default_rng(4), CLASSES[name].row()
    for z in 0.7 * rng.normal(size=(20, 4)):
        values = np.zeros(VALUES)
        values[TIME] = 7.0
        assert set_burn(row, z, values)
        z_burn, z_load, _ = deviations(row, values)
        np.testing.assert_allclose([z_burn, z_load, *values[Z_TILT:]], z, atol=1e-9)
    assert not set_burn(row, np.array([0.0, 60.0, 0.0, 0.0]), values)


def test_what_has_no_burn_or_more_propellant_than_mass_cannot_be():
    row, values = launch_of("medium_range")
    values[END] = values[2] - 1.0
    assert log_prior(row, values) == NEVER
    row, values = launch_of("medium_range")
    values[PUSH] += 2.0
    assert log_prior(row, values) == NEVER


def test_two_stages_burn_twice():
    row, values = launch_of("medium_range_two_stage")
    first, again, end = burn_times(row, values)
    assert (first, again, end) == pytest.approx((43.0, 44.0, 87.0))
    one = burn_times(*launch_of("medium_range"))
    assert one[0] == one[1] == one[2]


def test_angles_come_back_by_the_nearest_way():
    assert nearest_turn(2.0 * math.pi + 0.1) == pytest.approx(0.1)
    assert nearest_turn(math.pi + 0.1) == pytest.approx(0.1 - math.pi)
    assert nearest_turn(-7.0) == pytest.approx(2.0 * math.pi - 7.0)


def test_what_fits_no_class_has_a_name_of_its_own():
    assert ANY in CLASSES
    assert CLASSES[ANY].share < min(p.share for p in PROFILES if p.name != ANY)
