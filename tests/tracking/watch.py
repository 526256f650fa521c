"""A small world to try the tracker on: one radar, flights by the filter's own model, clutter, sectors.

Everything is drawn from the generator handed in.  Truth follows the filter's equations (optionally with the
process noise that the filter assumes), so what is tested is the tracker and not the physics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from world import RADAR, place, sector_of

from jointwatch.motion.phases import BALLISTIC, BALLISTIC_ACCELERATION, CRUISE, PRIOR_MEAN, PRIOR_SIGMA
from jointwatch.motion.propagate import propagate
from jointwatch.sensing.coverage import detection_probability, in_wedge
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.tracking.confirmed import update_confirmed
from jointwatch.tracking.hypotheses import drop_ended
from jointwatch.tracking.scratch import new_scratch
from jointwatch.tracking.table import CONFIRMED, new_table
from jointwatch.tracking.tracker import Tracker
from jointwatch.tracking.whereabouts import in_sight, new_whereabouts, note_rows

NS = 1_000_000_000
ROW = sensor_row(RADAR)


@dataclass
class Flight:
    """An object that is there from `start_s` on; its state is kept at the time last asked for."""

    start_s: float
    state: np.ndarray
    phase: int = BALLISTIC
    noise: float = 0.0
    """White acceleration per axis, m^2/s^3."""
    at_s: float = field(init=False)

    def __post_init__(self):
        self.at_s = self.start_s

    def advance(self, time_s, rng):
        dt = time_s - self.at_s
        if dt <= 0.0:
            return
        propagate(self.phase, self.state, dt)
        if self.noise:
            blocks = np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]]) * self.noise
            kick = np.linalg.cholesky(blocks) @ rng.normal(size=(2, 3))
            self.state[:3] += kick[0]
            self.state[3:6] += kick[1]
        self.at_s = time_s


def salvo(rng, count, over_s=100.0, noise=BALLISTIC_ACCELERATION):
    """`count` missiles that coast towards the radar from some 570 km away, from an area of 40 km."""
    flights = []
    for _ in range(count):
        course = math.radians(262.0 + rng.uniform(-8.0, 8.0))
        state = place(
            33.0 + rng.uniform(-0.2, 0.2),
            41.0 + rng.uniform(-0.2, 0.2),
            200e3 + rng.uniform(-1e4, 1e4),
            2600.0 * math.sin(course),
            2600.0 * math.cos(course),
            rng.uniform(500.0, 700.0),
            -8.4,
        )
        flights.append(Flight(rng.uniform(0.0, over_s), state, noise=noise))
    return flights


def aircraft(latitude_deg, longitude_deg, height_m, course_deg, speed, turn=0.0):
    course = math.radians(course_deg)
    state = place(
        latitude_deg, longitude_deg, height_m, speed * math.sin(course), speed * math.cos(course), 0.0, turn
    )
    return Flight(0.0, state, phase=CRUISE)


def random_covariance(rng, parameter_sigma):
    scale = np.array([60.0, 200.0, 300.0, 8.0, 40.0, 60.0, parameter_sigma])
    a = rng.normal(size=(7, 12))
    return (a @ a.T / 12.0) * np.outer(scale, scale)


def a_row(seed):
    """A row of three phases that nearly agree on where they are, each with a covariance of its own."""
    rng = np.random.default_rng(seed)
    row = new_table(1)[0]
    middle = place(32.6, 37.0, 90e3, -2000.0, 150.0, -700.0, 0.0)
    for k in range(3):
        row["mean"][k] = middle + rng.normal(size=7) * [40, 40, 40, 8, 8, 8, 0]
        row["mean"][k][6] = PRIOR_MEAN[k] + 0.3 * PRIOR_SIGMA[k] * rng.normal()
        row["covariance"][k] = random_covariance(rng, 0.7 * PRIOR_SIGMA[k])
    row["phase"] = rng.dirichlet([2.0, 4.0, 1.0])
    row["time_ns"] = 100 * NS
    return row


def textbook_update(mean, p, y, h, noise):
    """Kalman's mean, covariance, gain and S for innovation y, model h and noise of d components (NumPy)."""
    h7 = np.hstack([h, np.zeros((len(h), 7 - h.shape[1]))])
    s = h7 @ p @ h7.T + noise
    gain = p @ h7.T @ np.linalg.inv(s)
    return mean + gain @ y, (np.eye(7) - gain @ h7) @ p, gain, s


def uniform_clutter(rng, radar, wedge, per_scan):
    """Plots spread evenly over range, elevation and range rate, in a wedge of azimuth."""
    start, end = wedge
    share = (end - start) / (2.0 * math.pi)
    return [
        (
            rng.uniform(radar.range_min_m, radar.range_max_m),
            rng.uniform(start, end),
            rng.uniform(radar.elevation_min_rad, radar.elevation_max_rad),
            rng.uniform(-1500.0, 1500.0),
        )
        for _ in range(rng.poisson(per_scan * share))
    ]


def ground_clutter(rng, wedge, per_scan):
    """Slow plots in a clump 30 km away, near the ground, to the east-south-east."""
    plots = [
        (
            rng.normal(30e3, 3e3),
            math.radians(rng.normal(105.0, 2.0)),
            abs(rng.normal(0.0, math.radians(1.0))),
            rng.normal(0.0, 20.0),
        )
        for _ in range(rng.poisson(per_scan))
    ]
    return [p for p in plots if in_wedge(p[1], *wedge)]


def sectors(rng, radar, flights, duration_s, clutter_per_scan=0.0, ground_per_scan=0.0):
    """Every sector of the radar in order of time, after the flights have been moved to it."""
    row = sensor_row(radar)
    edges = np.linspace(0.0, 2.0 * math.pi, radar.sectors + 1)
    for look in range(round(duration_s / radar.period_s * radar.sectors)):
        time_s = look * radar.period_s / radar.sectors
        k = look % radar.sectors
        wedge = float(edges[k]), float(edges[k + 1])
        plots = uniform_clutter(rng, radar, wedge, clutter_per_scan)
        if ground_per_scan:
            plots += ground_clutter(rng, wedge, ground_per_scan)
        for flight in flights:
            if time_s < flight.start_s:
                continue
            flight.advance(time_s, rng)
            r, azimuth, elevation, rate = observe(row, *flight.state[:6])
            if in_wedge(azimuth, *wedge) and rng.random() < detection_probability(row, r, elevation):
                plots.append(
                    (
                        r + radar.sigma_range_m * rng.normal(),
                        azimuth + radar.sigma_azimuth_rad * rng.normal(),
                        elevation + radar.sigma_elevation_rad * rng.normal(),
                        rate + radar.sigma_range_rate_ms * rng.normal(),
                    )
                )
        yield sector_of(radar, look + 1, time_s, wedge, plots)


def confirmed(tracker: Tracker):
    return tracker.table[tracker.table["life"] == CONFIRMED]


def states_at(flights, time_s):
    """(flights, 7) states at a time, without process noise from where they are."""
    out = []
    for flight in flights:
        s = flight.state.copy()
        propagate(flight.phase, s, time_s - flight.at_s)
        out.append(s)
    return np.array(out)


def errors(row, truths):
    """(n,) squared Mahalanobis distances of truths (n, 7) from a row's best phase (6 values)."""
    k = int(np.argmax(row["phase"]))
    d = truths[:, :6] - row["mean"][k][:6]
    return np.einsum("ni,ni->n", d, np.linalg.solve(row["covariance"][k][:6, :6], d.T).T)


def look_at(table, clusters, bank, rules, sensor, detection, wedge, time_ns, plots, identity, density):
    """One look at the confirmed rows of a table, as the engine takes it: what `update_confirmed` gives."""
    drop_ended(clusters, table)
    where = new_whereabouts(len(table))
    note_rows(where, table, np.flatnonzero(table["life"] == CONFIRMED), bank, rules)
    told = in_sight(where, sensor, wedge, time_ns)
    return update_confirmed(
        table, clusters, told, new_scratch(len(table)), bank, rules, sensor, detection, *wedge, time_ns,
        plots, identity, density,
    )  # fmt: skip
