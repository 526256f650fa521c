"""Which tracks may lie in a wedge, asked of columns beside the table: all that a look may show."""

from __future__ import annotations

import math

import numpy as np
from watch import NS, ROW
from world import expected, radar

from jointwatch.sensing.radar import position_of_plot, sensor_row
from jointwatch.tracking.bank import FLIGHT, MEAN, SIGMA
from jointwatch.tracking.detection import new_detection
from jointwatch.tracking.gating import LEAST_SEEN
from jointwatch.tracking.interaction import predict_awake
from jointwatch.tracking.looks import LONGEST_GAP_S, look_probability
from jointwatch.tracking.table import CONFIRMED, FREE, TENTATIVE, new_table
from jointwatch.tracking.whereabouts import ABSENT, forget_all, in_sight, new_whereabouts, note_rows

TURN = 2.0 * math.pi
FLAT = sensor_row(radar(measures=("x", "y", "z"), flat=True))


def scattered(rng, n):
    """A table of n rows all about a radar, half of them tracks, the states of some some time ago."""
    table = new_table(n)
    for row in table:
        row["life"] = rng.choice([FREE, TENTATIVE, CONFIRMED, CONFIRMED])
        row["phase"] = rng.dirichlet(np.full(3, 0.3))
        r, azimuth, elevation = 10.0 ** rng.uniform(4.6, 5.7), rng.uniform(0.0, TURN), rng.uniform(0.3, 1.5)
        place, velocity = position_of_plot(ROW, r, azimuth, elevation), rng.normal(0.0, 1000.0, 3)
        sigma = np.repeat(10.0 ** rng.uniform([1.0, 0.0], [3.0, 2.0]), 3)
        for k in range(3):
            row["mean"][k, :6] = [*place, *velocity] + 0.5 * sigma * rng.standard_normal(6)
            row["mean"][k, 6] = FLIGHT[k, MEAN]
            row["covariance"][k] = np.diag([*sigma**2, FLIGHT[k, SIGMA] ** 2])
        row["time_ns"] = round((100.0 - rng.exponential(4.0)) * NS)
    table["time_ns"][0] = -(10**13)  # hours ago: nobody knows where it is
    return table


def seen(row, sensor, wedge, time_ns):
    """How probably a look at a wedge shows a row, predicted to it in all motions."""
    row = row.copy()
    predict_awake(FLIGHT, row, time_ns, 0.0)
    total, detection = 0.0, new_detection(sensor)
    for k in range(3):
        z, _, _, _ = expected(sensor, row["mean"][k], row["covariance"][k])
        total += row["phase"][k] * look_probability(sensor, detection, z, *wedge)
    return total


def test_whatever_a_look_may_show_is_in_sight_and_little_else():
    rng = np.random.default_rng(4)
    shown, found = 0, 0
    for _ in range(40):
        table = scattered(rng, 200)
        where = new_whereabouts(len(table))
        note_rows(where, table, rng.permutation(len(table)))
        start, width = rng.uniform(0.0, TURN), rng.choice([0.0, 0.05, 0.6, 3.0, 6.0])
        wedge = start, start + width
        told = in_sight(where, ROW, wedge, 100 * NS).tolist()
        assert told == sorted(told) and (table["life"][told] == CONFIRMED).all()
        for i in np.flatnonzero(table["life"] == CONFIRMED)[:40]:
            if (100 * NS - table[i]["time_ns"]) * 1e-9 < LONGEST_GAP_S:
                probability = seen(table[i], ROW, wedge, 100 * NS)
                assert probability < LEAST_SEEN or i in told
                shown += probability >= LEAST_SEEN
                found += i in told
    assert shown > 300 and found < 2 * shown


def test_in_a_flat_frame_and_of_a_track_in_dispute_more_is_in_sight():
    rng = np.random.default_rng(6)
    table = scattered(rng, 100)
    where = new_whereabouts(len(table))
    note_rows(where, table, np.arange(100))
    recent = np.flatnonzero((table["life"] == CONFIRMED) & (table["time_ns"] > 0))
    assert in_sight(where, FLAT, (0.0, 0.1), 100 * NS).tolist() == recent.tolist()
    assert in_sight(where, ROW, (0.0, TURN), 100 * NS).tolist() == recent.tolist()
    few = in_sight(where, ROW, (0.0, 0.1), 100 * NS)
    table["cluster"] = 1
    note_rows(where, table, np.arange(100))
    more = in_sight(where, ROW, (0.0, 0.1), 100 * NS)
    assert set(few) < set(more) and len(more) < len(recent)


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
        assert where.row[at] == i
        assert np.array_equal(where.place[:, at], table[i]["mean"][best, :6])
        assert where.time_ns[at] == table[i]["time_ns"]
    assert (where.slot[table["life"] != CONFIRMED] == ABSENT).all()
    forget_all(where)
    assert len(where.rows()) == 0 and (where.slot == ABSENT).all()
