"""A picture's errors against the bound: its parts against finite differences, and ratios made by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from reported_tracks import moved, place
from world import radar

from jointwatch.exercise.truth import Truth, TruthObject
from jointwatch.motion.phases import BOOST
from jointwatch.motion.propagate import propagate
from jointwatch.records import Sensor
from jointwatch.review.against_bound import (
    FIRST_LOOKS,
    Flights,
    coasting_from,
    flights,
    information,
    ratios_by_object,
    rmse_over_bound,
)
from jointwatch.review.bound import covariance_of, information_of_each, jacobians
from jointwatch.review.matching import TrackError
from jointwatch.sensing.radar import observe, sensor_row

START_NS = 1_800_000_000_000_000_000
RADARS = (radar(), radar(name="second", latitude_rad=math.radians(30.5), sigma_range_m=20.0))
BURN_S, END_S, STEP_S = 40.0, 200.0, 0.5


def ns(seconds: float) -> int:
    return START_NS + round(seconds * 1e9)


@pytest.fixture(scope="module")
def truth() -> Truth:
    """One missile near both radars, that burns for 40 s and coasts to 200 s."""
    state = place(31.0, 37.0, 40e3, -300.0, 50.0, 400.0)
    state[6] = 30.0
    rows = []
    for _ in range(round(BURN_S / STEP_S)):
        rows.append(state[:6].copy())
        propagate(BOOST, state, STEP_S)
    state[6] = -8.6
    for _ in range(round((END_S - BURN_S) / STEP_S) + 1):
        rows.append(state[:6].copy())
        state = moved(state, STEP_S)
    missile = TruthObject(
        name="missile", object_class="heavy_rocket", launch_ns=START_NS, end_ns=ns(END_S), end="impact",
        fall_lon_deg=35.0, fall_lat_deg=31.0, aim=None, parent=None, raid="one", danger_radius_m=100.0,
        start_ns=START_NS, times_s=np.arange(len(rows)) * STEP_S, samples=np.array(rows),
    )  # fmt: skip
    return Truth(START_NS, [missile])


SAMPLES = tuple(range(5, 200, 5))


def flown(truth: Truth, pd: float = 0.9, every_s: float = 4.0) -> Flights:
    """The missile, looked at by each radar so often; never at a time of a sample."""
    seen = [
        (ns(t + 0.5 + k), k, pd) for k in range(len(RADARS)) for t in np.arange(0.0, END_S - 2.0, every_s)
    ]
    return flights(truth, [0], [sorted(seen)], RADARS, [ns(t) for t in SAMPLES])


def off_by(many: float, flight: Flights, sensors: set[int], truth: Truth) -> list[TrackError]:
    """Errors of so many standard deviations of the bound on every axis, at every sample."""
    j0 = np.diag([0.0] * 3 + [1500.0**-2] * 3 + [0.5**-2])
    gain = flight.gain * np.isin(flight.sensor, list(sensors))[:, :, None, None]
    bound = covariance_of(information_of_each(flight.f, flight.q, gain, j0))[0]
    return [
        TrackError("T", 0, int(flight.time_ns[0, k]), many * np.sqrt(np.diagonal(bound[k])[:6]), 0.0)
        for k in np.flatnonzero(flight.sensor[0] < 0)
    ]


def test_what_a_plot_tells_is_what_its_small_changes_say() -> None:
    sensor = radar()
    row = sensor_row(sensor)
    states = np.array(
        [place(31.0, 37.0, 60e3, -900.0, 50.0, 300.0), place(33.5, 34.0, 9e3, 10.0, 200.0, -5.0)]
    )

    def measured(s: np.ndarray) -> np.ndarray:
        return np.array([observe(row, *one[:6]) for one in s])

    h = jacobians(measured, states, np.array([1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 1.0]))
    sigma = np.array([50.0, 1e-3, 1e-3, 5.0])
    white = h / sigma[:, None]
    expected = np.swapaxes(white, 1, 2) @ white
    size = np.sqrt(np.diagonal(expected, axis1=1, axis2=2))
    scale = size[:, :, None] * size[:, None, :]
    given = information(row, sensor, states)
    assert (given[scale == 0.0] == 0.0).all()  # the drag parameter
    assert (np.abs(given - expected) <= 1e-5 * scale).all()


def test_a_sensor_tells_only_what_it_measures() -> None:
    flat = radar(measures=("range", "azimuth"))
    state = place(31.0, 37.0, 60e3, -900.0, 50.0, 300.0)[None]
    assert np.linalg.matrix_rank(information(sensor_row(flat), flat, state)[0], tol=1e-9) == 2
    whole = radar()
    assert np.linalg.matrix_rank(information(sensor_row(whole), whole, state)[0], tol=1e-9) == 4


def test_the_coast_begins_where_the_motor_stops(truth: Truth) -> None:
    assert coasting_from(truth.objects[0]) == pytest.approx(BURN_S, abs=STEP_S)
    times = truth.objects[0].times_s >= BURN_S
    fields = {name: getattr(truth.objects[0], name) for name in TruthObject.__dataclass_fields__}
    fields |= {"times_s": fields["times_s"][times], "samples": fields["samples"][times]}
    assert coasting_from(TruthObject(**fields)) == BURN_S  # never pushed: from its beginning


def test_errors_as_large_as_the_bound_are_one_and_twice_as_large_are_two(truth: Truth) -> None:
    flight = flown(truth)
    for many in (1.0, 2.0):
        errors = off_by(many, flight, {0, 1}, truth)
        assert ratios_by_object(flight, {0, 1}, errors) == {0: pytest.approx((many, many))}
    out = rmse_over_bound(flight, {0, 1}, off_by(1.0, flight, {0, 1}, truth))
    assert out == {
        key: pytest.approx(1.0) for key in ("position", "position_rms", "velocity", "velocity_rms")
    } | {"objects": 1}


def test_the_bound_is_that_of_the_looks_that_the_picture_had(truth: Truth) -> None:
    flight = flown(truth)
    errors = off_by(1.0, flight, {0, 1}, truth)
    (alone,) = ratios_by_object(flight, {0}, errors).values()
    assert alone[0] < 0.9 and alone[1] < 0.9  # one radar could not have done as well
    missed = flown(truth, pd=0.3)
    (seldom,) = ratios_by_object(missed, {0, 1}, errors).values()
    assert seldom[0] < 0.8 and seldom[1] < 0.8  # nor two that mostly miss
    assert ratios_by_object(flight, set(), errors) == {}
    assert rmse_over_bound(flight, set(), errors)["position"] is None


def test_errors_count_from_the_tenth_look_after_the_burn(truth: Truth) -> None:
    flight = flown(truth)
    errors = off_by(1.0, flight, {0, 1}, truth)
    looks_by = {
        e.time_ns: int(((flight.time_ns[0] < e.time_ns) & (flight.sensor[0] >= 0)).sum()) for e in errors
    }
    early = [e for e in errors if looks_by[e.time_ns] < FIRST_LOOKS]
    assert early and ratios_by_object(flight, {0, 1}, early) == {}
    spoilt = [TrackError("T", 0, e.time_ns, e.error + 1e6, 0.0) for e in early]
    rest = [e for e in errors if looks_by[e.time_ns] >= FIRST_LOOKS]
    assert ratios_by_object(flight, {0, 1}, [*spoilt, *rest]) == {0: pytest.approx((1.0, 1.0))}


def test_flights_of_unlike_length_do_not_touch_each_other(truth: Truth) -> None:
    whole = truth.objects[0]
    fields: dict[str, Any] = {name: getattr(whole, name) for name in TruthObject.__dataclass_fields__}
    short = TruthObject(**fields | {"end_ns": ns(120.0)})
    both = Truth(START_NS, [whole, short])
    seen = [(ns(t + 0.5), 0, 0.9) for t in np.arange(0.0, END_S - 2.0, 4.0)]
    until = [look for look in seen if look[0] < short.end_ns]
    sensors: tuple[Sensor, ...] = RADARS
    asked = [ns(t) for t in SAMPLES]
    together = flights(both, [0, 1], [seen, until], sensors, asked)
    alone = flights(both, [1], [seen, until], sensors, asked)
    steps = alone.f.shape[1]
    assert 0 < steps < together.f.shape[1]
    errors = [TrackError("T", 1, t, np.ones(6), 0.0) for t in asked if t < short.end_ns]
    assert ratios_by_object(together, {0}, errors) == {
        1: pytest.approx(ratios_by_object(alone, {0}, errors)[1])
    }
