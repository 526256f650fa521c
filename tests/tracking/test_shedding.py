"""Overload: clutter is shed before tracks, tracks in turn, the threatening last; what waits is not missed."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_bad_sectors import flood, with_more_plots
from test_late_sectors import delayed, in_order, state
from test_late_sectors import fresh as late_tracker
from watch import RADAR, ROW, confirmed, salvo, sectors
from world import place, plot_of

from jointwatch.motion.phases import BALLISTIC
from jointwatch.sensing.expectation import PLOT
from jointwatch.tracking.birth import begin_row
from jointwatch.tracking.engine import Engine
from jointwatch.tracking.intake import MOST_BEGINNING
from jointwatch.tracking.interaction import predict_row
from jointwatch.tracking.seeds import LOG_ODDS, Seeds
from jointwatch.tracking.shedding import CHAINS_PER_PLOT, LONGEST_TURN, Limit, rows_held, worst_chains
from jointwatch.tracking.table import CONFIRMED, TENTATIVE, new_table
from jointwatch.tracking.tracker import BEYOND, SHED_PLOTS, SHED_TRACKS, Tracker

NS = 1_000_000_000
TRACKS, FLOOD = 50, 20_000
FROM = 300
"""Index of the sector from which on the load is too much: all tracks are confirmed by then."""


@cache
def raid():
    """Three minutes of one radar that looks at fifty missiles in its usual clutter."""
    rng = np.random.default_rng(3)
    return list(sectors(rng, RADAR, salvo(rng, TRACKS, over_s=10.0), 180.0, clutter_per_scan=100.0))


@cache
def flooded():
    """The same, with 20,000 plots more in every sector from FROM on."""
    rng = np.random.default_rng(9)
    late = [with_more_plots(s, flood(rng, s, FLOOD, 1.0)) for s in raid()[FROM:]]
    return raid()[:FROM] + late


def run(feed, limit=None, spared=()):
    """A tracker that a limit holds from FROM on, and what each sector changed."""
    tracker, steps = Tracker("Amber", [RADAR]), []
    for i, sector in enumerate(feed):
        if i == FROM and limit is not None:
            tracker.take_limit(limit)
            tracker.spare(spared)
        steps.append(tracker.process(sector))
    return tracker, steps


@cache
def calm():
    return run(raid())


def hits(tracker):
    """How many plots each track had, by the plot that began it: numbers hang on the order of confirmation."""
    return {int(row["number"]): int(row["hits"]) for row in confirmed(tracker)}


def test_the_world_of_these_tests_has_fifty_tracks_and_a_flood():
    tracker, steps = calm()
    assert len(confirmed(tracker)) == TRACKS and tracker.rejected == {}
    assert sum(len(step.born) for step in steps[:FROM]) == TRACKS
    assert min(len(s.range_m) for s in flooded()[FROM:]) >= FLOOD


@pytest.mark.parametrize(
    ("limit", "reason"), [(None, BEYOND), (Limit(300), SHED_PLOTS), (Limit(0), SHED_PLOTS)], ids=str
)
def test_in_a_flood_every_track_keeps_the_plots_that_it_would_have_had_without(limit, reason):
    tracker, steps = run(flooded(), limit)
    assert hits(tracker) == hits(calm()[0])
    assert not any(step.born or step.ended for step in steps[FROM:])
    most = MOST_BEGINNING if limit is None else limit.plots
    sectors_flooded = len(raid()) - FROM
    shed = tracker.rejected[reason]
    assert (FLOOD - most) * sectors_flooded <= shed <= (FLOOD - most + 60) * sectors_flooded
    assert SHED_TRACKS not in tracker.rejected


def test_the_fewer_plots_may_begin_chains_the_fewer_chains_there_are():
    chains = [run(flooded(), limit)[0].engine.chains_of(0) for limit in (Limit(300), Limit(30), Limit(0))]
    assert chains[0] > 2 * chains[1] > 0


def test_where_nothing_may_begin_what_is_no_track_yet_is_neither_seen_nor_missed():
    tracker = Tracker("Amber", [RADAR])
    for sector in raid()[:FROM]:
        tracker.process(sector)
    before = told_of_chains(tracker)
    assert tracker.engine.chains_of(0) > 100
    tracker.take_limit(Limit(0))
    for sector in raid()[FROM : FROM + 12]:
        tracker.process(sector)
    assert told_of_chains(tracker) == before


def told_of_chains(tracker):
    """All that is known of chains, to the bit."""
    return tracker.table[tracker.engine.chains].tobytes(), tracker.engine.learned[0].seeds.live.tobytes()


@pytest.mark.parametrize("plots", [None, 0], ids=["births go on", "no births"])
def test_tracks_have_their_looks_in_turn_and_those_to_be_spared_at_each(plots):
    threatened = {f"AMBER-{n:04d}" for n in (3, 17, 31, 44)}
    tracker, steps = run(raid(), Limit(plots, 8), threatened)
    seen = {}
    for i, step in enumerate(steps[FROM:]):
        for track in step.updated:
            seen.setdefault(track.number, []).append(i // RADAR.sectors)
    assert len(seen) == TRACKS
    scans = (len(raid()) - FROM) // RADAR.sectors
    for number, when in seen.items():
        gaps = np.diff([-1, *when, scans])
        assert gaps.max() == 1 if number in threatened else 1 < gaps.max() <= LONGEST_TURN, number
    assert max(len(step.updated) for step in steps[FROM:]) <= 4 + 46 // 8 + 8
    # what waited has not been missed, and its plots were nobody else's
    assert not any(step.born or step.ended for step in steps[FROM:])
    assert len(confirmed(tracker)) == TRACKS
    assert tracker.rejected[SHED_TRACKS] > 100
    assert confirmed(tracker)["misses"].max() <= calm()[0].table["misses"].max()


def test_tracks_that_wait_are_still_where_their_missiles_are():
    tracker, _ = run(raid(), Limit(0, 8))
    ours, best = confirmed(tracker), {int(row["number"]): row for row in confirmed(calm()[0])}
    assert set(ours["number"].tolist()) == set(best)
    for row in ours:
        other = best[int(row["number"])]
        for one in (row, other):
            predict_row(tracker.engine.bank, one, raid()[-1].header.measured_ns)
        k, j = int(np.argmax(row["phase"])), int(np.argmax(other["phase"]))
        apart = row["mean"][k][:3] - other["mean"][j][:3]
        spread = row["covariance"][k][:3, :3] + other["covariance"][j][:3, :3]
        assert apart @ np.linalg.solve(spread, apart) < 16.3  # 0.1 % of three normal values


def two_tracks(apart_m):
    """An engine with two tracks side by side, 1 s before the look."""
    engine = Engine([ROW], capacity=16)
    state = place(32.3, 37.0, 90e3, -1500.0, 0.0, 300.0, -8.4)
    for i in range(2):
        row = engine.table[i]
        begin_row(engine.bank, row, ROW, plot_of(ROW, state), 0, i)
        row["mean"][:, :6] = state[:6]
        row["mean"][:, 2] += i * apart_m
        row["covariance"][:] = np.diag([40.0**2] * 3 + [5.0**2] * 3 + [0.1])
        row["phase"] = 0.01, 0.98, 0.01
        row["life"], row["number"], row["log_odds"], row["hits"] = CONFIRMED, i + 1, 8.0, 10
    engine.next_number = 3
    engine.index_rows()
    return engine


def test_a_plot_of_a_track_that_waits_is_not_its_neighbours_and_begins_nothing():
    """The neighbour gave no plot; a tracker that forgot who waits would take the other's for it."""
    later = two_tracks(500.0).table[1]["mean"][BALLISTIC].copy()
    later[:3] += later[3:6]
    plots = plot_of(ROW, later)[np.newaxis]
    wedge = plots[0, 1] - 0.3, plots[0, 1] + 0.3
    time_ns = round(RADAR.period_s * NS)  # at this time it is the turn of number 1: 2 waits
    results = {}
    for name, limit in (("waits", Limit(None, 2)), ("is forgotten", Limit())):
        engine = two_tracks(500.0)
        engine.table["time_ns"][:2] = time_ns - NS
        if name == "is forgotten":
            engine.table["life"][1] = 0
            engine.index_rows()
        before = engine.table[1].tobytes()
        looked = engine.look(0, wedge, time_ns, plots, np.array([77]), limit)
        results[name] = int(engine.table[0]["hits"]), engine.chains_of(0)
        if name == "waits":
            assert looked.shed_tracks == 1 and looked.touched.tolist() == [0]
            assert engine.table[1].tobytes() == before
    assert results == {"is forgotten": (11, 0), "waits": (10, 0)}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.integers(1, 200), st.integers(1, 8), st.integers(1, 4))
def test_every_track_has_its_look_once_a_turn_and_clusters_have_theirs_together(
    seed, count, turn, turn_spared
):
    rng = np.random.default_rng(seed)
    table = new_table(count)
    table["number"] = rng.permutation(1000)[:count] + 1
    table["cluster"] = rng.integers(0, 2, count) * rng.integers(1, count + 2, count)
    spared = rng.permutation(table["number"])[: rng.integers(0, count + 1)]
    looks = np.ones((turn * turn_spared, count), np.int64)
    for scan in range(len(looks)):
        told = np.arange(count)
        limit = Limit(0, turn, turn_spared)
        looks[scan, rows_held(table, told, limit, spared, (scan + 1000) * 5 * NS, 5 * NS)] = 0
    last = np.isin(table["number"], spared)
    for c in set(table["cluster"].tolist()) - {0}:
        of_it = table["cluster"] == c
        assert (looks[:, of_it] == looks[:, of_it][:, :1]).all()
        last[of_it] |= last[of_it].any()  # all of a cluster are spared with any of them
    assert (looks[:, last].sum(0) == turn).all()
    assert (looks[:, ~last].sum(0) == turn_spared).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.integers(0, 200), st.integers(1, 40), st.floats(0.1, 6.2))
def test_the_chains_that_go_are_the_worst_of_their_sensor(seed, count, most, width):
    rng = np.random.default_rng(seed)
    table = new_table(count)
    for name, most_ in (("life", 3), ("sensor", 2), ("hits", 4)):
        table[name] = rng.integers(0, most_, count)
    table["log_odds"] = rng.normal(size=count)
    before = table.copy()
    chains, seeds = np.flatnonzero(table["life"] == TENTATIVE), Seeds()
    seeds.room(count).sights[:count, LOG_ODDS] = rng.normal(size=count)
    seeds.bed.many[0] = count
    seeds.live["identity"] = np.arange(count)
    odds = seeds.sights[:, LOG_ODDS].copy()
    worst = worst_chains(table, chains, seeds, 1, (6.0, 6.0 + width), most)
    assert table.tobytes() == before.tobytes()
    mine = (before["life"] == TENTATIVE) & (before["sensor"] == 1)
    gone = np.isin(np.arange(count), worst)
    assert not (gone & ~mine).any()
    kept = int(CHAINS_PER_PLOT * most / (width / (2.0 * np.pi)))
    assert abs(gone.sum() - max(mine.sum() - kept, 0)) <= 1  # the width is rounded
    left = before["log_odds"][mine & ~gone]
    assert (before["log_odds"][gone] <= left.min(initial=np.inf)).all()
    # chains of one plot have what places are left, the best of them, in their order
    assert abs(seeds.count - min(count, max(kept - mine.sum(), 0))) <= 1
    stay = seeds.live["identity"]
    assert (np.diff(stay) > 0).all() and np.array_equal(seeds.sights[:, LOG_ODDS], odds[stay])
    assert (np.delete(odds, stay) <= odds[stay].min(initial=np.inf)).all()


@pytest.mark.parametrize("limit", [Limit(3), Limit(0), Limit(2, 4, 2)], ids=str)
def test_late_sectors_are_replayed_with_the_limits_that_they_came_under(limit):
    """The state is to the bit what all in order would give, and what was shed is counted once."""
    feed = [s for s in in_order() if s.header.measured_ns < 70e9]

    def under(tracker, sector):
        time_s = sector.header.measured_ns * 1e-9
        tracker.take_limit(limit if 30.0 < time_s < 55.0 else Limit())
        tracker.process(sector)

    ordered, late = late_tracker(), late_tracker()
    for sector in feed:
        under(ordered, sector)
    for sector in delayed(feed, np.random.default_rng(3), 0.2, 6.0):
        under(late, sector)
    assert late.late > 10 and ordered.rejected[SHED_PLOTS] > 0
    assert (SHED_TRACKS in ordered.rejected) == (limit.turn > 1)
    assert state(late) == state(ordered)


def test_a_limit_that_is_taken_back_leaves_nothing_behind():
    free, once = late_tracker(), late_tracker()
    once.take_limit(Limit(0, 2, 2))
    once.take_limit(Limit())
    for sector in in_order()[:120]:
        free.process(sector)
        once.process(sector)
    assert state(once) == state(free)


def test_an_empty_look_under_a_limit_is_a_look():
    engine = two_tracks(5000.0)
    looked = engine.look(0, (0.0, 0.0), NS, np.zeros((0, PLOT)), np.zeros(0, np.int64), Limit(0, 2, 2))
    assert looked.shed_plots == 0 and looked.shed_tracks == 1
