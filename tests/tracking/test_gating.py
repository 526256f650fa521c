"""Gates: whichever way their plots are looked up, the pairs are those of every row with every plot."""

from __future__ import annotations

import math

import numpy as np
import pytest
from watch import NS, a_row
from world import expected, place, radar

from jointwatch.sensing.expectation import innovation, plots_of
from jointwatch.sensing.radar import observe, sensor_row
from jointwatch.tracking.bank import FLIGHT
from jointwatch.tracking.detection import new_detection
from jointwatch.tracking.gating import GATE2, MANY, gate
from jointwatch.tracking.interaction import ASLEEP
from jointwatch.tracking.table import CONFIRMED, new_table

WHOLE = (0.0, 2.0 * math.pi)


def rows_about(rng, count, state, apart_m):
    """A table of confirmed rows, spread about a state."""
    table = new_table(count)
    for i in range(count):
        table[i] = a_row(i)
        off = rng.normal(0.0, apart_m, 3)
        table[i]["mean"][:, :3] = state[:3] + off
        table[i]["mean"][:, 3:6] = state[3:6]
        table[i]["life"], table[i]["time_ns"] = CONFIRMED, 100 * NS
    return table


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg", "height_m"),
    [(32.3, 37.0, 60e3), (34.0, 35.0, 90e3), (32.02, 35.02, 80e3)],
    ids=["east", "through north", "near the zenith"],
)
@pytest.mark.parametrize("measures", [("range", "azimuth", "elevation", "range_rate"), ("range", "azimuth")])
def test_every_pair_inside_a_gate_is_found_and_no_other(latitude_deg, longitude_deg, height_m, measures):
    rng = np.random.default_rng(12)
    sensor = sensor_row(radar(measures=measures, elevation_max_rad=math.radians(89.9)))
    state = place(latitude_deg, longitude_deg, height_m, -300.0, 200.0, 100.0, -8.6)
    table = rows_about(rng, 6, state, 800.0)
    # some near them and some all about: far more than are looked at one by one
    columns = np.array([
        observe(sensor, *(state[:6] + rng.standard_normal(6) * [*[w] * 3, *[v] * 3]))
        for w, v in [(900.0, 5.0)] * 200 + [(20e3, 500.0)] * 200
    ])  # fmt: skip
    count = len(columns)
    for c, name in enumerate(("range", "azimuth", "elevation", "range_rate")):
        columns[:, c] *= name in measures
    plots = plots_of(columns[np.argsort(columns[:, 0], kind="stable")])
    found = gate(
        table, np.arange(6), FLIGHT, sensor, new_detection(sensor), *WHOLE, 100 * NS, plots, np.ones(count),
        ASLEEP,
    )  # fmt: skip
    pairs = {(a, int(j)) for a in range(6) for j in found.plot[found.first[a] : found.first[a + 1]]}
    wanted, dim = set(), len(measures)
    for a in range(6):
        for k in range(3):
            z, _, s, _ = expected(sensor, table[a]["mean"][k], table[a]["covariance"][k])
            y = np.empty(4)
            for j in range(count):
                innovation(sensor, plots[j], z, y)
                if y[:dim] @ np.linalg.solve(s[:dim, :dim], y[:dim]) < GATE2:
                    wanted.add((a, j))
    assert len(wanted) > 3 * MANY and pairs == wanted
