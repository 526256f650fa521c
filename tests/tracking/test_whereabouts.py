"""Which tracks may lie in a wedge, or have ended, asked of lines beside the table: as if every row was asked.

Tracks all over the globe, poles and the seam of longitudes included; states of long ago, leaps of a state
from where it was filed, and what is too fast to be filed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from watch import NS, ROW
from world import radar

from jointwatch.sensing.radar import position_of_plot, sensor_row
from jointwatch.tracking.bank import FLIGHT
from jointwatch.tracking.life import retire
from jointwatch.tracking.looks import row_may_be_seen
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.table import CONFIRMED, FREE, TENTATIVE, new_table
from jointwatch.tracking.whereabouts import (
    ABSENT,
    FILED,
    USED,
    file_rows,
    forget_all,
    in_sight,
    may_have_ended,
    new_whereabouts,
    note_rows,
)

TURN = 2.0 * math.pi
RULES = Rules().row()
FLAT = sensor_row(radar(measures=("x", "y", "z"), flat=True))
PLACES = {
    "equator": (0.0, 0.3), "seam": (0.4, math.pi), "pole": (math.radians(89.5), 1.0),
    "south": (math.radians(-80.0), -3.0), "usual": (0.56, 0.61),
}  # fmt: skip


def scattered(rng, n, about=ROW):
    """A table of n rows, most about a radar, half of them tracks, the states of some some time ago."""
    table = new_table(n)
    for row in table:
        row["life"] = rng.choice([FREE, TENTATIVE, CONFIRMED, CONFIRMED])
        row["phase"] = rng.dirichlet(np.ones(3))
        r, azimuth, elevation = 10.0 ** rng.uniform(3.5, 6.1), rng.uniform(0.0, TURN), rng.uniform(0.0, 1.5)
        place = position_of_plot(about, r, azimuth, elevation)
        if rng.random() < 0.2:  # anywhere on the globe
            away = rng.normal(0.0, 1.0, 3)
            place = away / np.linalg.norm(away) * 10.0 ** rng.uniform(6.7, 7.2)
        for k in range(3):
            row["mean"][k, :3] = place + rng.normal(0.0, 200.0, 3)
            row["mean"][k, 3:6] = rng.normal(0.0, 10.0 ** rng.uniform(2.0, 4.3), 3)
        row["time_ns"] = round((100.0 - rng.exponential(4.0)) * NS)
        row["seen_ns"] = row["time_ns"]
    table["time_ns"][0] = -(10**13)  # hours ago: nobody knows where it is
    return table


def leap(rng, table, rows):
    """Let some rows have moved, a few of them by far, some ended and some begun."""
    table["life"][rows] = rng.choice([FREE, TENTATIVE, CONFIRMED, CONFIRMED, CONFIRMED], len(rows))
    far = 10.0 ** rng.uniform(1.0, 6.0, (len(rows), 1, 1))
    table["mean"][rows, :, :3] += far * rng.normal(0.0, 1.0, (len(rows), 1, 3))
    table["mean"][rows, :, 3:6] += rng.normal(0.0, 50.0, (len(rows), 1, 3))
    table["time_ns"][rows] += rng.integers(0, 3 * NS, len(rows))


def told_by_asking(table, sensor, wedge, time_ns):
    return [
        i
        for i in range(len(table))
        if table[i]["life"] == CONFIRMED and row_may_be_seen(table[i], sensor, wedge, time_ns)
    ]


@pytest.mark.parametrize("at", [*PLACES, "flat"])
def test_in_sight_are_the_rows_that_asking_each_would_find(at):
    rng = np.random.default_rng(4)
    sensor = FLAT
    if at != "flat":
        latitude, longitude = PLACES[at]
        sensor = sensor_row(radar(latitude_rad=latitude, longitude_rad=longitude))
    some = 0
    for _ in range(20):
        table = scattered(rng, 200, sensor if at != "flat" else ROW)
        where = new_whereabouts(len(table))
        note_rows(where, table, rng.permutation(len(table)), FLIGHT, RULES)
        for time_s in (100.0, 103.0, 109.0, 108.0):
            start, width = rng.uniform(0.0, TURN), rng.choice([0.0, 0.05, 0.6, 3.0, 6.0])
            wedge, time_ns = (start, start + width), round(time_s * NS)
            plain = told_by_asking(table, sensor, wedge, time_ns)
            assert in_sight(where, sensor, wedge, time_ns).tolist() == plain
            some += len(plain)
            changed = rng.permutation(200)[:60]
            leap(rng, table, changed)
            note_rows(where, table, changed, FLIGHT, RULES)
            plain = told_by_asking(table, sensor, wedge, time_ns)
            assert in_sight(where, sensor, wedge, time_ns).tolist() == plain
            if rng.random() < 0.2:
                forget_all(where)
                note_rows(where, table, np.arange(200), FLIGHT, RULES)
            elif rng.random() < 0.7:
                file_rows(where, time_ns)
                assert where.counts[FILED] > 20
    assert some > 500


def test_rows_that_begin_move_and_end_in_any_order_leave_just_those_that_are_tracks():
    rng = np.random.default_rng(5)
    table = scattered(rng, 50)
    where = new_whereabouts(len(table))
    for turn in range(300):
        changed = rng.permutation(50)[: int(rng.integers(1, 8))]
        leap(rng, table, changed)
        note_rows(where, table, changed, FLIGHT, RULES)
        if turn % 40 == 0:
            file_rows(where, int(rng.integers(90, 120)) * NS)
    note_rows(where, table, np.arange(50), FLIGHT, RULES)
    tracks = np.flatnonzero(table["life"] == CONFIRMED)
    assert where.rows().tolist() == tracks.tolist() and len(where) == len(tracks)
    for i in tracks:
        at = where.slot[i]
        best = int(np.argmax(table[i]["phase"]))
        assert where.row[at] == i and np.array_equal(where.line[at, :6], table[i]["mean"][best, :6])
        assert where.time_ns[at] == table[i]["time_ns"]
    assert (where.slot[table["life"] != CONFIRMED] == ABSENT).all()
    forget_all(where)
    assert len(where.rows()) == 0 and (where.slot == ABSENT).all() and (where.row == ABSENT).all()


def test_a_full_table_that_leaps_about_has_room_for_every_track():
    rng = np.random.default_rng(6)
    table = scattered(rng, 300)
    table["life"] = CONFIRMED
    where = new_whereabouts(len(table))
    everything = np.arange(len(table))
    for turn in range(30):
        note_rows(where, table, everything, FLIGHT, RULES)
        assert where.rows().tolist() == everything.tolist() and where.counts[USED] <= len(where.row)
        file_rows(where, (100 + turn) * NS)
        table["mean"][:, :, :3] += rng.normal(0.0, 3e5, (len(table), 1, 3))


def test_those_that_may_have_ended_are_all_that_asking_each_ends_or_predicts_on():
    rng = np.random.default_rng(7)
    ended = spared = 0
    for turn in range(40):
        table = scattered(rng, 150)
        table["seen_ns"] -= (10.0 ** rng.uniform(0.0, 3.2, len(table)) * NS).astype(np.int64)
        table["log_odds"] = rng.normal(2.0, 4.0, len(table))
        spread_m2 = 10.0 ** (2.0 * rng.uniform(2.0, 4.4, len(table)))
        table["covariance"][:, :, range(3), range(3)] = spread_m2[:, None, None]
        table["cluster"] = rng.random(len(table)) < 0.05
        where = new_whereabouts(len(table))
        note_rows(where, table, np.arange(len(table)), FLIGHT, RULES)
        if turn % 2:
            file_rows(where, 100 * NS)
        time_ns = round((100.0 + rng.uniform(0.0, 30.0)) * NS)
        asked = np.sort(may_have_ended(where, time_ns, RULES))
        few, all_of = table.copy(), table.copy()
        some, some_moved = retire(few, asked, FLIGHT, RULES, time_ns)
        each, moved = retire(all_of, np.flatnonzero(table["life"] == CONFIRMED), FLIGHT, RULES, time_ns)
        assert some.tolist() == each.tolist() and some_moved.tolist() == moved.tolist()
        assert few.tobytes() == all_of.tobytes()
        ended += len(each)
        spared += len(where) - len(asked)
    assert ended > 200 and spared > 200
