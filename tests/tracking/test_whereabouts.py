"""Which tracks may lie in a wedge, asked of columns beside the table: what asking every row would give."""

from __future__ import annotations

import math

import numpy as np
import pytest
from watch import NS, ROW
from world import radar

from jointwatch.sensing.radar import position_of_plot, sensor_row
from jointwatch.tracking.looks import row_may_be_seen
from jointwatch.tracking.table import CONFIRMED, FREE, TENTATIVE, new_table
from jointwatch.tracking.whereabouts import ABSENT, forget_all, in_sight, new_whereabouts, note_rows

TURN = 2.0 * math.pi


def scattered(rng, n):
    """A table of n rows all about a radar, half of them tracks, the states of some some time ago."""
    table = new_table(n)
    for row in table:
        row["life"] = rng.choice([FREE, TENTATIVE, CONFIRMED, CONFIRMED])
        row["phase"] = rng.dirichlet(np.ones(3))
        r, azimuth, elevation = 10.0 ** rng.uniform(3.5, 6.1), rng.uniform(0.0, TURN), rng.uniform(0.0, 1.5)
        place = position_of_plot(ROW, r, azimuth, elevation)
        for k in range(3):
            row["mean"][k, :3] = place + rng.normal(0.0, 200.0, 3)
            row["mean"][k, 3:6] = rng.normal(0.0, 1500.0, 3)
        row["time_ns"] = round((100.0 - rng.exponential(4.0)) * NS)
    table["time_ns"][0] = -(10**13)  # hours ago: nobody knows where it is
    return table


FLAT = sensor_row(radar(measures=("x", "y", "z"), flat=True))


@pytest.mark.parametrize("sensor", [ROW, FLAT], ids=["radar", "flat"])
def test_in_sight_are_the_rows_that_asking_each_would_find(sensor):
    rng = np.random.default_rng(4)
    some = 0
    for _ in range(60):
        table = scattered(rng, 200)
        where = new_whereabouts(len(table))
        note_rows(where, table, rng.permutation(len(table)))
        start, width = rng.uniform(0.0, TURN), rng.choice([0.0, 0.05, 0.6, 3.0, 6.0])
        wedge = start, start + width
        plain = [
            i
            for i in range(len(table))
            if table[i]["life"] == CONFIRMED and row_may_be_seen(table[i], sensor, wedge, 100 * NS)
        ]
        assert in_sight(where, sensor, wedge, 100 * NS).tolist() == plain
        some += len(plain)
    assert some > 500


def test_rows_that_begin_move_and_end_in_any_order_leave_just_those_that_are_tracks():
    rng = np.random.default_rng(5)
    table = scattered(rng, 50)
    where = new_whereabouts(len(table))
    for _ in range(300):
        changed = rng.permutation(50)[: int(rng.integers(1, 8))]
        table["life"][changed] = rng.choice([FREE, TENTATIVE, CONFIRMED], len(changed))
        table["mean"][changed] += 1.0
        note_rows(where, table, changed)
    note_rows(where, table, np.arange(50))
    tracks = np.flatnonzero(table["life"] == CONFIRMED)
    assert where.rows().tolist() == tracks.tolist()
    for i in tracks:
        at = where.slot[i]
        best = int(np.argmax(table[i]["phase"]))
        assert where.row[at] == i and np.array_equal(where.place[:, at], table[i]["mean"][best, :6])
        assert where.time_ns[at] == table[i]["time_ns"]
    assert (where.slot[table["life"] != CONFIRMED] == ABSENT).all()
    forget_all(where)
    assert len(where.rows()) == 0 and (where.slot == ABSENT).all()
